//! `kvlint rules`: the index of rules.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::terminal::{self, Color};
use super::{FAILURE, output};
use crate::lint::{RULES, Rule};
use crate::report::{Style, rule_page};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct RulesArguments {
    /// How to write the list
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table by group
    #[default]
    Text,
    /// A JSON array
    Json,
}

pub fn run(arguments: &RulesArguments, color: Color) -> u8 {
    let text = match arguments.format {
        Format::Text => table(&terminal::standard_output(color)),
        Format::Json => format!("{:#}\n", RULES.iter().map(entry).collect::<serde_json::Value>()),
    };
    match output::deliver(None, |out| out.write_all(text.as_bytes())) {
        Ok(()) => 0,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}

fn table(style: &Style) -> String {
    let mut rules: Vec<&Rule> = RULES.iter().collect();
    rules.sort_by_key(|r| (r.group, r.name));
    let width = rules.iter().map(|r| r.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = None;
    for rule in rules {
        if group != Some(rule.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}{}\n", style.bold(rule.group.as_str())));
            group = Some(rule.group);
        }
        let severity = style.severity(rule.severity, &format!("{:<7}", rule.severity.as_str()));
        text.push_str(&format!("  {:<width$}  {severity}  {}\n", rule.name, rule.summary));
    }
    text
}

fn entry(rule: &Rule) -> serde_json::Value {
    json!({
        "name": rule.name,
        "summary": rule.summary,
        "group": rule.group.as_str(),
        "severity": rule.severity,
        "needs_complete": rule.needs_complete,
        "fix": rule.fix.as_str(),
        "contract": rule.contract.as_str(),
        "since": rule.since,
        "url": rule_page(rule.name),
    })
}
