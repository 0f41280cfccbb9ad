//! The command line: one file a subcommand. Every function here ends in an exit code.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | nothing at error level |
//! | 1 | errors, or warnings with `--error-on-warning`; with `--diff-base`, on changed lines |
//! | 2 | usage, configuration, input or internal error, or no manifest found |

mod accept;
mod build;
mod completions;
mod explain;
mod fix;
mod lines;
mod lint;
mod lsp;
mod migrate;
mod names;
mod output;
mod reach;
mod reports;
mod rules;
mod settings;
mod terminal;
mod trace;
mod units;
mod watch;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use crate::facts;
use crate::panics;
use crate::report::REPOSITORY;
use terminal::Color;

/// Something stops the run before there is anything to report.
const FAILURE: u8 = 2;

static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (facts of {})", env!("CARGO_PKG_VERSION"), facts::DATE));

/// Finds the broken link between vLLM's KV-cache events and the gateway that should hear them, before deployment.
///
/// Without a subcommand, kvlint lints PATHS. A path that is named like a subcommand is reached as ./rules.
#[derive(Debug, Parser)]
#[command(name = "kvlint", version = VERSION.as_str(), args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    lint: lint::LintArguments,
    /// When to use colours [NO_COLOR and FORCE_COLOR are honoured]
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lint manifests (the same as without a subcommand)
    Lint(lint::LintArguments),
    /// Explain a rule: what breaks, what is wrong, what is right
    Explain(explain::ExplainArguments),
    /// List all rules
    Rules(rules::RulesArguments),
    /// Show what is deployed together, and what was recognised in it
    Units(units::UnitsArguments),
    /// Show the way of an event from each engine to each gateway, hop by hop
    Trace(trace::TraceArguments),
    /// List the connections that network policies allow
    Reach(reach::ReachArguments),
    /// Print what a Kustomize root comes to, as `kustomize build` does
    Build(build::BuildArguments),
    /// Speak the language server protocol on standard input and output, for editors
    Lsp(lsp::LspArguments),
    /// Switch KV-cache events on for workloads that exist, in the manifests that define them
    Enable(migrate::EnableArguments),
    /// Switch KV-cache events off again
    Disable(migrate::MigrateArguments),
    /// Show which line of a template, and of its helpers, each line of a rendered chart comes from
    Lines(lines::LinesArguments),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArguments),
}

/// Runs kvlint with the arguments of a process, its own name first, and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and version go to standard output, which may be closed: nobody is left to tell.
            let _ = message.print();
            return u8::try_from(message.exit_code()).unwrap_or(FAILURE);
        }
    };
    panics::remember();
    let color = arguments.color;
    let work = || match &arguments.command {
        None => lint::run(&arguments.lint, color),
        Some(Command::Lint(lint)) => lint::run(lint, color),
        Some(Command::Explain(explain)) => explain::run(explain, color),
        Some(Command::Rules(rules)) => rules::run(rules, color),
        Some(Command::Units(units)) => units::run(units, color),
        Some(Command::Trace(trace)) => trace::run(trace),
        Some(Command::Reach(reach)) => reach::run(reach),
        Some(Command::Build(build)) => build::run(build),
        Some(Command::Lsp(arguments)) => lsp::run(arguments),
        Some(Command::Enable(enable)) => migrate::enable(enable),
        Some(Command::Disable(disable)) => migrate::disable(disable),
        Some(Command::Lines(lines)) => lines::run(lines),
        Some(Command::Completions(completions)) => completions::run(completions),
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        output::complain(&format!("internal error: {}", panics::latest()));
        output::advise(&issue_request());
        FAILURE
    })
}

/// Writes a text to a file or standard output, and gives the exit code.
fn written(to: Option<&Path>, text: &str) -> u8 {
    match output::deliver(to, |out| out.write_all(text.as_bytes())) {
        Ok(()) => 0,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}

/// Where to go with a mistake of ours.
fn issue_request() -> String {
    format!("this is a mistake in kvlint: please report it at {REPOSITORY}/issues with the manifest that shows it")
}
