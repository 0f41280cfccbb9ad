use crate::lint::prelude::*;

pub fn check(cx: &mut RunContext<'_>) {
    let config = cx.config;
    for problem in &config.problems {
        let report = cx.report(problem.span, problem.message.clone());
        let report = match &problem.help {
            Some(help) => report.help(help.clone()),
            None => report,
        };
        report.note("this part of the configuration does not count");
    }
}
