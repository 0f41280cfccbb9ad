use crate::lint::prelude::*;

/// Repetitions in further items of a list that are shown.
const SHOWN: usize = 3;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some((helm, values)) = cx.unit.helm.as_ref().and_then(|helm| Some((helm, helm.values.as_ref()?))) else {
        return;
    };
    let files = values.files(&helm.set);
    for key in values.unread().iter().filter(|key| files.contains(&key.key.file)) {
        let mut report = cx
            .report(key.key, format!("no template reads `{}`", key.path))
            .label("setting this changes nothing")
            .note("helm takes any key in a values file without a word");
        for again in key.repeated.iter().take(SHOWN) {
            report = report.related(*again, "the same here");
        }
        match &key.meant {
            Some(meant) => report.help(format!("did you mean `{meant}`?")),
            None => report.help("remove the key, or read it in a template"),
        };
    }
}
