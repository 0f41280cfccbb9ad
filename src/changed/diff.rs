//! The output of `git diff --unified=0`, read as bytes: paths and texts need not be UTF-8.

use std::path::PathBuf;

/// Lines of the new file that one change is about, both ends included, from 1. Where lines were only removed, these are the
/// lines around the gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The first line.
    pub first: usize,
    /// The last line.
    pub last: usize,
    /// Whether it takes away more `kind:` lines at the margin than it adds: an object less.
    pub lost_object: bool,
    /// Whether it takes away any line, or puts another in its place.
    pub lost_lines: bool,
}

/// What the diff says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileDiff {
    /// The path that is no more: of a file that was removed or renamed.
    pub old: Option<PathBuf>,
    /// The path of the file as it is now.
    pub new: Option<PathBuf>,
    /// Changes whose lines are not shown: binary files.
    pub opaque: bool,
    pub hunks: Vec<Hunk>,
}

/// Reads a diff with the prefixes `a/` and `b/`.
///
/// # Errors
/// The line that is not understood. Nothing is skipped in silence, because a line that is missed would pass a finding.
pub(super) fn parse(diff: &[u8]) -> Result<Vec<FileDiff>, String> {
    let mut files: Vec<FileDiff> = Vec::new();
    let mut lines = diff.split(|&b| b == b'\n');
    while let Some(line) = lines.next() {
        let wrong = || format!("`{}`", String::from_utf8_lossy(line));
        if let Some(names) = line.strip_prefix(b"diff --git ") {
            files.push(FileDiff { new: same_name(names), ..FileDiff::default() });
            continue;
        }
        let Some(file) = files.last_mut() else {
            if line.is_empty() || line.starts_with(b"* Unmerged path ") {
                continue;
            }
            return Err(wrong());
        };
        if let Some(header) = line.strip_prefix(b"@@ ") {
            let [removed, _, added, first] = counts(header).ok_or_else(wrong)?;
            let mut objects = 0_i64;
            let mut left = [removed, added];
            while left != [0, 0] {
                let text = lines.next().ok_or("the end of the diff")?;
                let (side, step) = match text.first() {
                    Some(b'-') => (0, -1),
                    Some(b'+') => (1, 1),
                    Some(b'\\') => continue,
                    _ => return Err(format!("`{}`", String::from_utf8_lossy(text))),
                };
                left[side] = left[side].checked_sub(1).ok_or_else(wrong)?;
                objects += if text[1..].starts_with(b"kind:") { step } else { 0 };
            }
            let last = if added == 0 { first + 1 } else { first + added - 1 };
            file.hunks.push(Hunk { first, last, lost_object: objects < 0, lost_lines: removed > 0 });
        } else if let Some(name) = line.strip_prefix(b"+++ ") {
            if name != b"/dev/null" {
                file.new = Some(path(name, b"b/").ok_or_else(wrong)?);
            }
        } else if line.starts_with(b"deleted file mode ") {
            file.old = file.new.take();
        } else if let Some(name) = line.strip_prefix(b"rename from ") {
            file.old = Some(path(name, b"").ok_or_else(wrong)?);
        } else if let Some(name) = line.strip_prefix(b"rename to ") {
            file.new = Some(path(name, b"").ok_or_else(wrong)?);
        } else if line.starts_with(b"Binary files ") {
            file.opaque = true;
        } else if !KNOWN.iter().any(|known| line.starts_with(known)) && !line.is_empty() {
            return Err(wrong());
        }
    }
    match files.iter().position(|file| file.new.is_none() && file.old.is_none()) {
        Some(nameless) => Err(format!("file {} has no name", nameless + 1)),
        None => Ok(files),
    }
}

/// Lines of a header that say nothing about lines of the file.
const KNOWN: [&[u8]; 9] = [
    b"index ",
    b"--- ",
    b"old mode ",
    b"new mode ",
    b"new file mode ",
    b"similarity index ",
    b"dissimilarity index ",
    b"\\ No newline",
    b"* Unmerged path ",
];

/// `-a,b +c,d @@…` as `[b, a, d, c]`; a number of lines that is not written is 1.
fn counts(header: &[u8]) -> Option<[usize; 4]> {
    let header = std::str::from_utf8(header.get(..header.windows(3).position(|w| w == b" @@")?)?).ok()?;
    let (old, new) = header.strip_prefix('-')?.split_once(" +")?;
    let pair = |text: &str| -> Option<(usize, usize)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ((a, b), (c, d)) = (pair(old)?, pair(new)?);
    Some([b, a, d, c])
}

/// The name in `a/NAME b/NAME`, when both are one: the names of renamed files stand in lines of their own.
fn same_name(names: &[u8]) -> Option<PathBuf> {
    let (old, new) = names.split_at_checked(names.len() / 2)?;
    let new = new.strip_prefix(b" ")?;
    let (old, new) = (path(old, b"a/")?, path(new, b"b/")?);
    (old == new).then_some(new)
}

/// A path as git writes it: in quotes with C's escapes where it holds control characters, quotes or backslashes; a tab follows
/// where it holds spaces.
fn path(name: &[u8], prefix: &[u8]) -> Option<PathBuf> {
    let name = name.strip_suffix(b"\t").unwrap_or(name);
    let name = match name.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")) {
        Some(quoted) => unquote(quoted)?,
        None => name.to_vec(),
    };
    let name = name.strip_prefix(prefix)?;
    (!name.is_empty()).then(|| from_bytes(name))
}

fn unquote(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = quoted.iter().copied();
    let mut name = Vec::with_capacity(quoted.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            name.push(byte);
            continue;
        }
        name.push(match bytes.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let mut digit = || bytes.next().filter(|b| matches!(b, b'0'..=b'7')).map(|b| b - b'0');
                (first - b'0') * 64 + digit()? * 8 + digit()?
            }
            other => other,
        });
    }
    Some(name)
}

/// A path from git's bytes.
#[cfg(unix)]
pub(super) fn from_bytes(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(name))
}

/// A path from git's bytes, which are UTF-8 elsewhere.
#[cfg(not(unix))]
pub(super) fn from_bytes(name: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> FileDiff {
        let mut files = parse(text.as_bytes()).expect(text);
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    fn hunk(first: usize, last: usize) -> Hunk {
        Hunk { first, last, lost_object: false, lost_lines: false }
    }

    fn less(first: usize, last: usize) -> Hunk {
        Hunk { lost_lines: true, ..hunk(first, last) }
    }

    #[test]
    fn hunks_name_the_lines_of_the_new_file_or_those_around_a_gap() {
        let diff = one("diff --git a/x.yaml b/x.yaml\nindex 1..2 100644\n--- a/x.yaml\n+++ b/x.yaml\n\
             @@ -1,0 +2,3 @@ apiVersion: v1\n+a\n+b\n+c\n@@ -9 +12 @@\n-x\n\\ No newline at end of file\n+y\n@@ -20,2 +22,0 @@\n-p\n-q\n");
        assert_eq!(diff.new, Some("x.yaml".into()));
        assert_eq!(diff.hunks, [hunk(2, 4), less(12, 12), less(22, 23)]);
    }

    #[test]
    fn changed_lines_that_look_like_headers_are_lines() {
        let diff = one(
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n--- a/y\n-diff --git a/z b/z\n-@@ -1 +1 @@\n+++ b/y\n+@@ -1 +1 @@\n+*\n@@ -9 +9 @@\n-1\n+2\n",
        );
        assert_eq!(diff.new, Some("x".into()));
        assert_eq!(diff.hunks, [less(1, 3), less(9, 9)]);
    }

    #[test]
    fn names_may_hold_anything() {
        let name = |text: &str| one(text).new;
        assert_eq!(name("diff --git a/a b b/a b\n--- a/a b\t\n+++ b/a b\t\n@@ -1 +1 @@\n-1\n+2\n"), Some("a b".into()));
        let quoted = "diff --git \"a/n\\nq\\\"\\\\\" \"b/n\\nq\\\"\\\\\"\nBinary files differ\n";
        assert_eq!(name(quoted), Some("n\nq\"\\".into()));
        assert!(one(quoted).opaque);
        assert_eq!(name("diff --git \"a/q \\\"\" \"b/q \\\"\"\n+++ \"b/q \\\"\"\t\n"), Some("q \"".into()));
        assert_eq!(name("diff --git \"a/\\303\\251\" \"b/\\303\\251\"\nBinary files differ\n"), Some("é".into()));
    }

    #[test]
    fn renamed_and_removed_files_leave_their_old_names() {
        let diff = one(
            "diff --git a/old b/new name\nsimilarity index 90%\nrename from old\nrename to new name\nindex 1..2 100644\n\
             --- a/old\n+++ b/new name\t\n@@ -1 +1 @@\n-1\n+2\n",
        );
        assert_eq!((diff.old, diff.new), (Some("old".into()), Some("new name".into())));
        let diff = one(
            "diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-kind: Service\n",
        );
        assert_eq!((diff.old, diff.new), (Some("x".into()), None));
        assert!(diff.hunks[0].lost_object);
        let empty = one("diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n");
        assert_eq!((empty.old, empty.new), (Some("x".into()), None));
    }

    #[test]
    fn what_is_not_a_diff_is_refused() {
        for text in [
            "hello\n",
            "diff --git a/x b/x\n@@ -1 +1 @@\n-1\n",
            "diff --git a/x b/x\n@@ nonsense @@\n",
            "diff --git a/x b/y\n",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), start in 0_usize..4) {
            let start: &[u8] = [&b""[..], b"diff --git a/x b/x\n", b"diff --git a/x b/x\n@@ -1,9 +1,9 @@\n", b"diff --git \"a/"][start];
            let _ = parse(&[start, &bytes].concat());
        }
    }
}
