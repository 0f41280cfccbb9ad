use crate::lint::prelude::*;

/// Longer messages of helm are cut: some repeat whole files.
const SHOWN: usize = 110;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(helm) = &cx.unit.helm else { return };
    for problem in &helm.problems {
        let said = excerpt_of(problem.message.trim_end_matches('.'), SHOWN);
        let sets: Vec<String> = problem.sets.iter().take(3).map(|set| format!("`{set}`")).collect();
        let with = if sets.is_empty() { String::new() } else { format!(" with {}", sets.join(", ")) };
        let message = format!("the chart does not render{with}: {said}");
        let mut report = cx.report(problem.span, message).help(problem.help.clone());
        for (span, text) in &problem.related {
            report = report.related(*span, text.clone());
        }
        report.note("`helm install` and `helm upgrade` stop here, and nothing of the chart is deployed");
    }
}
