use crate::edit::{Refusal, TextEdit};
use crate::facts::vllm::cli::{self, FlagMatch};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in &model.publishers {
        let cuts = &publisher.command.cuts;
        let Some((first, rest)) = cuts.split_first() else { continue };
        let (engine, option) = (publisher.engine().name(), first.option.value.as_str());
        let shown = option.split('=').next().unwrap_or(option);
        let mut report = cx
            .report(first.place, format!("the command of {engine} ends here, and `{shown}` below is no part of it"))
            .label(if first.comment { "a comment ends the line, and the command" } else { "no `\\` ends this line" })
            .related(first.option.span(), "the shell takes this for a program");
        for cut in rest {
            report = report.related(cut.option.span(), "and this");
        }
        let known = |name: &str| matches!(cli::resolve(name, None), FlagMatch::Exact(_));
        let plain = cuts.iter().all(|cut| known(cut.option.value.split('=').next().unwrap_or_default()));
        let report = match first.comment {
            true => report.help("move the comment above the command"),
            false => report.help("end the line with ` \\`, and nothing behind it"),
        };
        report
            .mend(
                "end the line with ` \\`",
                if plain { Applicability::Safe } else { Applicability::Unsafe },
                |changes| {
                    let commented = cuts.iter().find(|cut| cut.comment);
                    if let Some(cut) = commented {
                        return Err(Refusal::at(cut.place, "a comment stands between the lines"));
                    }
                    let node = publisher.container.argv_node(first.argument);
                    let node = node.ok_or_else(|| Refusal::at(first.place, "the script was not found again"))?;
                    let edits = cuts.iter().map(|cut| TextEdit::new(cut.end.clone(), " \\")).collect();
                    changes.retext(node, edits)
                },
            )
            .note("the engine runs without the options below; when it ends, the shell finds no program of that name (exit code 127)");
    }
}
