use crate::lint::prelude::*;
use crate::yaml::OddityKind;

pub fn check(cx: &mut UnitContext<'_>) {
    let unit = cx.unit;
    for oddity in unit.files.iter().flat_map(|f| f.documents()).flat_map(|d| &d.oddities) {
        let help = match oddity.kind {
            OddityKind::DroppedDocument => "put a line `---` before it",
            OddityKind::Tab => "use spaces",
            OddityKind::Escape => "write the character itself",
            OddityKind::NotJson => "use text for keys, and quote what is text",
            OddityKind::MultilineKey => "put the key on one line",
        };
        let report = cx.report(oddity.span, oddity.message.clone()).help(help);
        if oddity.kind == OddityKind::DroppedDocument {
            report.note("nothing says so: the part is missing from the cluster");
        } else {
            report.note("other YAML tools accept it, so it shows only when it is applied");
        }
    }
}
