//! The difference of two texts, as `diff -u` writes it.

use std::path::Path;

use similar::{DiffTag, TextDiff};

use crate::display::{shown, visible};
use crate::lint::Edit;
use crate::source::{SourceFile, Span};

/// Lines around a change.
const CONTEXT: usize = 3;

/// A unified diff that `patch -p1` and `git apply` take, byte for byte: line endings are kept, and only `\n` ends a line.
/// Empty where the texts are equal.
pub fn unified(path: &Path, before: &str, after: &str) -> String {
    let (old, new) = (lines(before), lines(after));
    let path = shown(path);
    // What lies elsewhere has no place below the folder that a patch is applied in.
    let outside = Path::new(&path).is_absolute() || path.starts_with("..");
    let name = |side: &str| if outside { quoted(&path) } else { quoted(&format!("{side}/{path}")) };
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    diff.unified_diff().context_radius(CONTEXT).header(&name("a"), &name("b")).to_string()
}

/// The lines that change, `- ` before the old and `+ ` before the new ones, without their ends.
pub fn changed(before: &str, after: &str) -> Vec<String> {
    let (old, new) = (lines(before), lines(after));
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    let line = |change: similar::Change<&str>| {
        let sign = match change.tag() {
            similar::ChangeTag::Delete => '-',
            similar::ChangeTag::Insert => '+',
            similar::ChangeTag::Equal => return None,
        };
        Some(format!("{sign} {}", change.value().trim_end_matches(['\n', '\r'])))
    };
    diff.iter_all_changes().filter_map(line).collect()
}

/// The lines that change, as edits of the file.
pub fn edits(before: &SourceFile, after: &str) -> Vec<Edit> {
    let (old, new) = (lines(before.text()), lines(after));
    let mut starts = vec![0u32];
    for line in &old {
        starts.push(starts[starts.len() - 1] + line.len() as u32);
    }
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    let edit = |op: &similar::DiffOp| {
        let range = op.old_range();
        let span = Span::new(before.id(), starts[range.start], starts[range.end]);
        Edit { span, replacement: new[op.new_range()].concat() }
    };
    diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal).map(edit).collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A name with characters that would end it, as git writes it: `"a/x\ty"`.
fn quoted(name: &str) -> String {
    let acts = |c: char| visible::replacement(c).is_some();
    if !name.contains(|c: char| acts(c) || c == '"' || c == '\\') {
        return name.to_string();
    }
    let mut text = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            // Byte for byte, as git does.
            c if acts(c) => {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push_str(&format!("\\{byte:03o}")));
            }
            c => text.push(c),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply_to;
    use crate::source::FileId;

    #[test]
    fn every_line_ending_and_a_missing_one_are_kept() {
        let diff = unified(Path::new("./a.yaml"), "a: 1\r\nb: 2\r\nc: 3", "a: 1\r\nb: 4\r\nc: 3");
        let wanted = "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,3 +1,3 @@\n a: 1\r\n-b: 2\r\n+b: 4\r\n c: 3\n\\ No newline at end of file\n";
        assert_eq!(diff, wanted);
        assert_eq!(unified(Path::new("a"), "x\n", "x\n"), "");
    }

    #[test]
    fn names_are_quoted_as_git_does() {
        assert!(unified(Path::new("a\n\"b"), "x\n", "y\n").starts_with("--- \"a/a\\n\\\"b\"\n"));
        assert!(unified(Path::new("a\u{9b}\u{1b}"), "x\n", "y\n").starts_with("--- \"a/a\\302\\233\\033\"\n"));
        assert!(unified(Path::new("../a"), "x\n", "y\n").starts_with("--- ../a\n+++ ../a\n"));
    }

    #[test]
    fn edits_lead_from_one_text_to_the_other() {
        let before = SourceFile::new(FileId(0), "a.yaml", "a: 1\nb: 2\nc: 3\n".to_string());
        for after in ["a: 1\nb: 2\nc: 3\n", "b: 2\nd: 4\nc: 5", "", "x: 0\na: 1\nb: 2\nc: 3\ny: 9\n"] {
            assert_eq!(apply_to(before.text(), &edits(&before, after)).unwrap(), after);
        }
    }

    #[test]
    fn changed_lines_stand_alone() {
        assert_eq!(changed("a\nb\r\nc", "a\nx\nc\n"), ["- b", "- c", "+ x", "+ c"]);
    }
}
