//! `kvlint explain RULE`: the rule's Markdown.

use clap::Args;

use super::terminal::{self, Color};
use super::{FAILURE, names, output};
use crate::lint::{Rule, find};
use crate::report::{Style, rule_page};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// The rule's name
    rule: String,
}

pub fn run(arguments: &ExplainArguments, color: Color) -> u8 {
    let Some(rule) = find(&arguments.rule) else {
        output::complain(&names::unknown(&arguments.rule));
        return FAILURE;
    };
    let style = terminal::standard_output(color);
    match output::deliver(None, |out| out.write_all(text(rule, &style).as_bytes())) {
        Ok(()) => 0,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}

/// Markdown as it is, so that it can be piped on; on a terminal, headings and code stand out.
fn text(rule: &Rule, style: &Style) -> String {
    let traits = format!("{} · {} · since {}", rule.severity, rule.group.as_str(), rule.since);
    let mut text =
        format!("{}\n\n{}\n{traits}\n{}\n\n", heading(style, "#", rule.name), rule.summary, rule_page(rule.name));
    let mut code = false;
    for line in rule.body().lines() {
        if line.starts_with("```") {
            code = !code;
            if !style.color {
                text.push_str(line);
                text.push('\n');
            }
        } else if !code && let Some(title) = line.strip_prefix("## ") {
            text.push_str(&format!("{}\n\n", heading(style, "##", title)));
        } else if code && style.color && !line.is_empty() {
            text.push_str(&format!("    {}\n", marked(line, style)));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn heading(style: &Style, level: &str, title: &str) -> String {
    if style.color { style.bold(title) } else { format!("{level} {title}") }
}

/// A line of an example, the comment that says what is found there in colour.
fn marked(line: &str, style: &Style) -> String {
    let words = [" # error at ", " # warning at ", " # info at ", " # related at "];
    let marker = words.iter().filter_map(|word| line.find(word)).min();
    match marker {
        Some(at) => format!("{} {}", &line[..at], style.advice(line[at..].trim_start())),
        None => line.to_string(),
    }
}
