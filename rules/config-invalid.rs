use crate::lint::prelude::*;

pub fn check(cx: &mut RunContext<'_>) {
    let config = cx.config;
    for problem in &config.problems {
        cx.report(problem.span, problem.message.clone())
            .help(problem.help.clone())
            .note("this part of the configuration does not count");
    }
}
