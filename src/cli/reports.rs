//! `--format` and `-o` for one report, `--report FORMAT=FILE` for any number beside it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::output;
use super::terminal::{self, Color};
use crate::display::shown;
use crate::lexical;
use crate::load::Loaded;
use crate::report::{Format, Report, Style};
use crate::source::SourceFile;

/// Where reports go, and how they are written.
#[derive(Args, Debug)]
pub struct ReportArguments {
    /// How to write findings
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    pub format: Format,
    /// Write findings to a file, which is replaced whole
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Also write findings to a file in this format; may be given several times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = pair(), conflicts_with = "diff", help_heading = "Output")]
    report: Vec<Pair>,
}

/// One `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    format: Format,
    file: PathBuf,
}

fn pair() -> impl TypedValueParser<Value = Pair> {
    OsStringValueParser::new().try_map(|text| parse(&text))
}

/// The name of the format ends at the first `=`; a file's name may hold more of them, and bytes that are no text.
fn parse(text: &OsString) -> Result<Pair, String> {
    let bytes = text.as_encoded_bytes();
    let end = bytes.iter().position(|&b| b == b'=').ok_or("write FORMAT=FILE, such as sarif=kvlint.sarif")?;
    let shown = text.to_string_lossy();
    let name = shown.get(..end).unwrap_or(&shown);
    let format = Format::from_str(name, false).map_err(|_| {
        let names = Format::value_variants().iter().filter_map(|f| Some(f.to_possible_value()?.get_name().to_string()));
        format!("`{name}` is no format: choose one of {}", names.collect::<Vec<_>>().join(", "))
    })?;
    let file = PathBuf::from(after(text, end + 1));
    match file.to_str() {
        Some("") => Err(format!("name a file: {name}=FILE")),
        Some("-") => Err(format!("standard output takes the report of --format: write `--format {name}`")),
        _ => Ok(Pair { format, file }),
    }
}

/// What follows the first bytes, which are ASCII.
#[cfg(unix)]
fn after(text: &OsString, start: usize) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    text.as_bytes().get(start..).map(|b| std::ffi::OsStr::from_bytes(b).to_os_string()).unwrap_or_default()
}

#[cfg(not(unix))]
fn after(text: &OsString, start: usize) -> OsString {
    text.to_string_lossy().chars().skip(start).collect::<String>().into()
}

impl ReportArguments {
    /// The file that takes the place of standard output.
    pub fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|p| *p != Path::new("-"))
    }

    /// The files that reports are written to.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.file().into_iter().chain(self.report.iter().map(|pair| pair.file.as_path()))
    }

    /// Refuses two reports to one file: the second would replace the first.
    ///
    /// # Errors
    /// Names the file.
    pub fn check(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        match self.files().find(|file| !seen.insert(lexical::absolute(file))) {
            Some(twice) => Err(format!("two reports go to {}: give each a file of its own", shown(twice))),
            None => Ok(()),
        }
    }

    /// Refuses to write a report in the place of what was linted. A report of an earlier run is no input, though it may lie among them.
    ///
    /// # Errors
    /// Names the file.
    pub fn spare(&self, loaded: &Loaded) -> Result<(), String> {
        for target in self.files() {
            let input = |file: &Arc<SourceFile>| same_file(file.path(), target);
            let skipped = || loaded.skipped.iter().any(|skipped| same_file(&skipped.path, target));
            if loaded.sources.files().iter().any(input) && !skipped() {
                let target = shown(target);
                return Err(format!(
                    "{target} was read in this run, and a report would take its place: name another file"
                ));
            }
        }
        Ok(())
    }

    /// Reports beside the manifests may be JSON, and no manifests that were passed over.
    pub fn leave_out(&self, loaded: &mut Loaded) {
        loaded.skipped.retain(|skipped| !self.files().any(|own| same_file(&skipped.path, own)));
    }

    /// Writes every report, the files first, whether or not others can be written. `closing` is what follows the findings in
    /// text, and goes to standard error where nobody would see it; the main report goes there, too, where standard output is taken. Whether all were written: what went wrong is told.
    pub fn deliver(
        &self,
        report: &Report<'_>,
        color: Color,
        output_taken: bool,
        closing: impl Fn(&Style) -> String,
    ) -> bool {
        let write = |file: Option<&Path>, format: Format, style: &Style| {
            let text = if format == Format::Text { closing(style) } else { String::new() };
            let fill = |out: &mut dyn Write| {
                report.write(format, style, out)?;
                out.write_all(text.as_bytes())
            };
            if file.is_none() && output_taken {
                output::deliver_to_error(fill);
                return true;
            }
            output::deliver(file, fill).map_err(|message| output::complain(&message)).is_ok()
        };
        let beside = terminal::file(color);
        // All are tried: `all` would stop at the first that fails.
        let failed = self.report.iter().filter(|pair| !write(Some(&pair.file), pair.format, &beside)).count();
        let file = self.file();
        let style = if file.is_some() || output_taken { beside } else { terminal::standard_output(color) };
        let main = write(file, self.format, &style);
        if self.format != Format::Text || file.is_some() {
            // Standard error may be closed, and then nobody is left to tell.
            let _ = io::stderr().lock().write_all(closing(&Style::PLAIN).as_bytes());
        }
        main && failed == 0
    }
}

/// Whether two paths lead to one file that is there.
fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    // Looking at a disk takes time, and most names differ. Behind links they may differ for one file, too.
    let alike = one.file_name() == other.file_name() || other.is_symlink();
    alike && real(one).is_some_and(|one| real(other).is_some_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_format_and_a_file() {
        let pair = |text: &str| parse(&text.into());
        let sarif = |file: &str| Ok(Pair { format: Format::Sarif, file: file.into() });
        assert_eq!(pair("sarif=out.sarif"), sarif("out.sarif"));
        assert_eq!(pair("sarif=a=b/é"), sarif("a=b/é"));
        for (wrong, part) in [
            ("sarif", "FORMAT=FILE"),
            ("sarif=", "name a file"),
            ("sarif=-", "--format sarif"),
            ("xml=a", "choose one"),
        ] {
            assert!(pair(wrong).is_err_and(|message| message.contains(part)), "{wrong}");
        }
    }
}
