//! `kvlint --fix` and `kvlint --diff`: what is found is mended, in the files or on paper.

use std::io::{self, IsTerminal};
use std::path::Path;

use clap::Args;

use super::lint::{self, LintArguments, Mended};
use super::settings;
use super::terminal::Color;
use super::{FAILURE, output};
use crate::config::Config;
use crate::display::{plural, shown, visible};
use crate::fix::{self, End, Fixed, State, diff, write};
use crate::lint::{Applicability, Diagnostic};
use crate::load::discover::describe;
use crate::load::{Overlay, STDIN, untrusted};
use crate::report::Coverage;
use crate::source::SourceMap;

/// What to do about findings.
#[derive(Args, Clone, Copy, Debug)]
pub struct FixArguments {
    /// Mend what can be mended safely, then report the rest; of `-` the mended text is printed
    #[arg(long, help_heading = "Fixes")]
    fix: bool,
    /// With --fix or --diff: also fixes that may change what runs
    #[arg(long, help_heading = "Fixes")]
    unsafe_fixes: bool,
    /// Print what --fix would change, and change nothing; exits with 1 if there is something
    #[arg(long, conflicts_with_all = ["format", "statistics"], help_heading = "Fixes")]
    diff: bool,
}

impl FixArguments {
    /// Whether fixes are to be made at all, if only on paper.
    pub fn change_files(&self) -> bool {
        self.fix || self.diff
    }

    /// How far they may go.
    fn limit(&self) -> Applicability {
        if self.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe }
    }
}

/// `2 fixable with --fix, 1 more with --unsafe-fixes`; nothing where nothing is.
pub fn fixable(arguments: &FixArguments, safe: usize, risky: usize) -> Option<String> {
    // After `--fix` safe ones are left only where one was taken back, which is told.
    match (safe, risky) {
        _ if arguments.unsafe_fixes && arguments.fix => None,
        (safe, risky) if arguments.unsafe_fixes => {
            (safe + risky > 0).then(|| format!("{} fixable with `--fix --unsafe-fixes`", safe + risky))
        }
        (_, 0) if arguments.fix => None,
        (_, risky) if arguments.fix => Some(format!("{risky} fixable with `--unsafe-fixes`")),
        (0, 0) => None,
        (0, risky) => Some(format!("{risky} fixable with `--fix --unsafe-fixes`")),
        (safe, 0) => Some(format!("{safe} fixable with `--fix`")),
        (safe, risky) => Some(format!("{safe} fixable with `--fix`, {risky} more with `--unsafe-fixes`")),
    }
}

/// Mends, then reports what is left; or prints the difference.
pub fn run(arguments: &LintArguments, color: Color, config: &Config, sources: &SourceMap) -> u8 {
    let fixes = &arguments.fixes;
    let paths = &arguments.inputs.paths;
    let stdin = paths.iter().any(|path| path == Path::new(STDIN));
    if stdin && paths.len() > 1 {
        output::complain("with `--fix` and `--diff`, `-` stands alone: the mended text is printed");
        return FAILURE;
    }
    let mut overlay = Overlay::default();
    let mut input = Vec::new();
    if stdin {
        match untrusted::stdin() {
            Ok(bytes) => input = bytes,
            Err(e) => {
                output::complain(&format!("can't read standard input: {}", describe(&e)));
                return FAILURE;
            }
        }
        overlay.insert(STDIN, input.clone());
    }
    let everything = (!config.select.is_empty()).then(|| Config { select: Vec::new(), ..config.clone() });
    let mut reload = |overlay: &Overlay| {
        let loaded = settings::load_over(&arguments.inputs, config, sources.clone(), overlay.clone())?;
        let outcome = crate::lint::lint(&loaded, config, None);
        let all = everything.as_ref().map(|config| crate::lint::lint(&loaded, config, None));
        Some(State { loaded, outcome, all })
    };
    let Some(first) = reload(&overlay) else { return FAILURE };
    if let Err(message) = arguments.reports.spare(&first.loaded) {
        output::complain(&message);
        return FAILURE;
    }
    let found = first.outcome.diagnostics.len();
    // The configuration is read once, before everything else: no round would see it change.
    let settings = sources.next_id();
    let chosen = |d: &Diagnostic| d.fix.iter().flat_map(|fix| &fix.edits).all(|edit| edit.span.file >= settings);
    let mut fixed = fix::fix(first, overlay, fixes.limit(), &chosen, &mut reload);
    for d in &fixed.discarded {
        output::say(&format!("not fixed: {}: {} [{}]: {}", d.place, d.title, d.rule, d.why));
    }
    match fixed.end {
        End::Settled => {}
        End::Circle => output::say("stopped after ten rounds of fixes that bring each other back; please report this"),
        End::Unfinished => output::say("stopped while there are fixes that wait for others; run it again for the rest"),
    }
    if fixes.diff {
        return show(arguments, config, &fixed);
    }
    let mut mended = Mended { findings: findings(&fixed), text_on_output: stdin, failed: false };
    if stdin {
        let text = fixed.changes.first().map_or(input, |change| change.after.clone().into_bytes());
        if let Err(message) = output::deliver(None, |out| out.write_all(&for_output(text))) {
            output::complain(&message);
            mended.failed = true;
        }
    } else {
        let refused = write::changes(&fixed.changes, &fixed.together);
        for r in &refused {
            output::complain(&format!("{} was not written: {}", visible::line(&shown(&r.path)), r.why));
        }
        if !refused.is_empty() {
            mended.failed = true;
            // What is on disk now is not what was made in memory.
            let Some(state) = reload(&Overlay::default()) else { return FAILURE };
            mended.findings = found.saturating_sub(state.outcome.diagnostics.len());
            fixed.state = state;
        }
    }
    // The fixes moved lines, and changed some.
    let Some(accepted) = arguments.accept.prepare(paths) else { return FAILURE };
    accepted.leave_out(&mut fixed.state.loaded);
    arguments.reports.leave_out(&mut fixed.state.loaded);
    let State { loaded, outcome, .. } = &fixed.state;
    let code = lint::report(arguments, color, config, loaded, outcome, &accepted, &mended);
    // The process ends here, and taking the trees apart would only cost time.
    fixed.state.loaded.forget_renderings();
    std::mem::forget(fixed);
    code
}

fn findings(fixed: &Fixed) -> usize {
    fixed.made.iter().map(|made| made.findings).sum()
}

/// Prints the difference that the fixes would make.
fn show(arguments: &LintArguments, config: &Config, fixed: &Fixed) -> u8 {
    let State { loaded, outcome, .. } = &fixed.state;
    let count = |which: Applicability| {
        outcome.diagnostics.iter().filter(|d| d.fix.as_ref().is_some_and(|f| f.applicability == which)).count()
    };
    let failed = lint::failures(arguments, config, loaded, outcome, &Coverage::of(loaded));
    let mut changes: Vec<_> = fixed.changes.iter().collect();
    changes.sort_by(|a, b| a.before.path().cmp(b.before.path()));
    let text: String = changes.iter().map(|c| diff::unified(c.before.path(), c.before.text(), &c.after)).collect();
    let file = arguments.reports.file();
    let bytes = if file.is_some() { text.into_bytes() } else { for_output(text.into_bytes()) };
    if let Err(message) = output::deliver(file, |out| out.write_all(&bytes)) {
        output::complain(&message);
        return FAILURE;
    }
    if !arguments.quiet {
        let more = fixable(
            &FixArguments { fix: true, ..arguments.fixes },
            count(Applicability::Safe),
            count(Applicability::Unsafe),
        );
        let would = match findings(fixed) {
            0 => "nothing to fix".to_string(),
            n => format!("would fix {} in {}", plural(n, "finding"), plural(changes.len(), "file")),
        };
        output::say(&more.map_or(would.clone(), |more| format!("{would}; {more}")));
    }
    if failed { FAILURE } else { u8::from(!changes.is_empty() && !arguments.exit_zero) }
}

/// Text of files as it is, for programs; with nothing in it that a terminal would act on, for people.
fn for_output(text: Vec<u8>) -> Vec<u8> {
    if !io::stdout().is_terminal() {
        return text;
    }
    let mut shown = visible::lines(&String::from_utf8_lossy(&text));
    if text.ends_with(b"\n") {
        shown.push('\n');
    }
    shown.into_bytes()
}
