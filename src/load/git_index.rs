//! Git's list of the files in a repository, read from its index: thousands of names in less than the time of one folder walk.
//!
//! Source of the format: `gitformat-index(5)`, versions 2 to 4. Nothing is checked that does not bear on the names. An index
//! that leaves names to another file (`link`) or to trees (`sdir`) is refused as a whole, as is one that does not fit the
//! format: a list with holes is worse than none.

use std::path::{Component, Path, PathBuf};

use super::untrusted;

/// Bytes of an entry before its object id: times, device, inode, mode, owner and size.
const STAT: usize = 40;
/// Where the mode stands among them.
const MODE: usize = 24;
/// The mode of a symbolic link; the type is in the four bits above the permissions.
const LINK: u32 = 0o120_000;
const TYPE: u32 = 0o170_000;

/// One file of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'b> {
    /// The path from the top of the repository, with `/`.
    pub path: &'b [u8],
    /// Whether it is a symbolic link.
    pub link: bool,
}

/// Gives every entry to `visit`, in git's order, until it answers `false`. `id` is the length of an object id: 20 with SHA-1, 32
/// with SHA-256.
///
/// Returns `None` where the bytes are no index that can be read so; what was visited until then does not count.
pub fn visit(bytes: &[u8], id: usize, visit: &mut dyn FnMut(Entry<'_>) -> bool) -> Option<()> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"DIRC" {
        return None;
    }
    let (version, count) = (number(4)?, number(8)?);
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut at = 12;
    let mut path: Vec<u8> = Vec::new();
    let mut going = true;
    for _ in 0..count {
        let mode = number(at + MODE)?;
        let flags_at = at + STAT + id;
        let flags = u16::from_be_bytes(bytes.get(flags_at..flags_at + 2)?.try_into().ok()?);
        let extended = version >= 3 && flags & 0x4000 != 0;
        let mut name_at = flags_at + if extended { 4 } else { 2 };
        let name;
        if version == 4 {
            let (cut, length) = varint(bytes.get(name_at..)?)?;
            path.truncate(path.len().checked_sub(cut)?);
            name_at += length;
            let rest = bytes.get(name_at..)?;
            let length = rest.iter().position(|b| *b == 0)?;
            path.extend_from_slice(&rest[..length]);
            at = name_at + length + 1;
            name = path.as_slice();
        } else {
            let rest = bytes.get(name_at..)?;
            // The flags hold the length of all but very long names.
            let told = usize::from(flags & 0xfff);
            let length = if told < 0xfff { told } else { rest.iter().position(|b| *b == 0)? };
            if rest.get(length) != Some(&0) {
                return None;
            }
            name = &rest[..length];
            // One to eight zeros bring the entry to a multiple of eight.
            at += ((name_at + length - at) / 8 + 1) * 8;
        }
        if going {
            going = visit(Entry { path: name, link: mode & TYPE == LINK });
        }
        if !going {
            // Whether the list is whole is seen from what stands behind it, which is not worth the way any more.
            return Some(());
        }
    }
    let end = bytes.len().checked_sub(id)?;
    while at < end {
        let signature = bytes.get(at..at + 4)?;
        if matches!(signature, b"link" | b"sdir") {
            return None;
        }
        at = at.checked_add(8)?.checked_add(usize::try_from(number(at + 4)?).ok()?)?;
    }
    (at == end).then_some(())
}

/// A number in git's variable-length form, and its bytes.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (i, byte) in bytes.iter().enumerate().take(8) {
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, i + 1));
        }
        value += 1;
    }
    None
}

/// An index, and what is needed to read it.
#[derive(Clone, Debug)]
pub struct Index {
    bytes: Vec<u8>,
    id: usize,
}

impl Index {
    /// The index of the repository whose top folder this is, as it is; `None` where there is none that can be read.
    pub fn of(top: &Path) -> Option<Index> {
        let git = git_folder(top)?;
        let common = untrusted::read_text(&git.join("commondir")).map_or_else(|_| git.clone(), |c| git.join(c.trim()));
        let config = untrusted::read_text(&common.join("config")).unwrap_or_default().to_ascii_lowercase();
        let sha256 = config.lines().any(|l| {
            l.split_once('=').is_some_and(|(key, value)| key.trim() == "objectformat" && value.trim() == "sha256")
        });
        Some(Index { bytes: untrusted::read(&git.join("index")).ok()?, id: if sha256 { 32 } else { 20 } })
    }

    /// See [`visit`].
    pub fn visit(&self, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Option<()> {
        visit(&self.bytes, self.id, each)
    }
}

/// The folder that holds git's own files: `.git`, or what a `.git` file of a work tree or submodule names.
fn git_folder(top: &Path) -> Option<PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = untrusted::read_text(&git).ok()?;
    Some(top.join(text.strip_prefix("gitdir:")?.trim()))
}

/// A path of the index as one of this system; `None` for one that leads elsewhere.
pub fn native(path: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    let path = PathBuf::from(std::os::unix::ffi::OsStrExt::from_bytes(path) as &std::ffi::OsStr);
    #[cfg(not(unix))]
    let path = PathBuf::from(std::str::from_utf8(path).ok()?);
    path.components().all(|c| matches!(c, Component::Normal(_))).then_some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use support::git::git;

    use super::*;

    fn names(top: &Path) -> Option<Vec<String>> {
        let mut names = Vec::new();
        Index::of(top)?.visit(&mut |e| {
            names.push(String::from_utf8_lossy(e.path).into_owned());
            true
        })?;
        Some(names)
    }

    fn repository(format: &str) -> tempfile::TempDir {
        let top = tempfile::tempdir().expect("a folder");
        git(top.path(), &["init", "-q", &format!("--object-format={format}")]);
        for path in ["a.yaml", "b/ü and space.yaml", "b/c/kustomization.yaml", "b/c/d/e.json", "b/cc.yaml"] {
            let path = top.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "x: 1\n").expect("a file");
        }
        git(top.path(), &["add", "."]);
        top
    }

    #[test]
    fn the_list_is_what_git_lists_in_every_version() {
        for format in ["sha1", "sha256"] {
            for version in ["2", "3", "4"] {
                let top = repository(format);
                git(top.path(), &["update-index", "--index-version", version]);
                // An entry with extended flags.
                std::fs::write(top.path().join("later.yaml"), "x: 1\n").expect("a file");
                git(top.path(), &["add", "--intent-to-add", "later.yaml"]);
                let listed = git(top.path(), &["ls-files", "-z"]);
                let listed: Vec<&str> = listed.split_terminator('\0').collect();
                assert_eq!(names(top.path()).expect("readable"), listed, "{format}, version {version}");
            }
        }
    }

    #[test]
    fn work_trees_have_an_index_of_their_own() {
        let top = repository("sha1");
        git(top.path(), &["commit", "-qm", "x"]);
        let other = tempfile::tempdir().expect("a folder");
        let tree = other.path().join("tree");
        git(top.path(), &["worktree", "add", "-q", &tree.display().to_string()]);
        git(&tree, &["rm", "-q", "a.yaml"]);
        assert_eq!(names(&tree).expect("readable").len(), 4);
    }

    #[test]
    fn an_index_in_two_files_is_refused() {
        let top = repository("sha1");
        git(top.path(), &["update-index", "--split-index"]);
        assert_eq!(names(top.path()), None);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_none() {
        assert_eq!(native(b"../a"), None);
        assert_eq!(native(b"/etc/passwd"), None);
        assert_eq!(native(b"a/b.yaml"), Some(PathBuf::from("a/b.yaml")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(version in 0u32..6, count: u32, rest: Vec<u8>) {
            let mut bytes = b"DIRC".to_vec();
            bytes.extend(version.to_be_bytes());
            bytes.extend(count.to_be_bytes());
            bytes.extend(rest);
            visit(&bytes, 20, &mut |_| true);
        }

        #[test]
        fn a_damaged_index_makes_no_panic(at in 0usize..1000, byte: u8, cut in 0usize..1000) {
            static WHOLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
                let top = repository("sha1");
                git(top.path(), &["update-index", "--index-version", "4"]);
                std::fs::read(top.path().join(".git/index")).expect("an index")
            });
            let mut bytes = WHOLE.clone();
            let (at, cut) = (at % bytes.len(), cut % bytes.len());
            bytes[at] = byte;
            visit(&bytes, 20, &mut |_| true);
            visit(&bytes[..cut], 20, &mut |_| true);
        }
    }
}
