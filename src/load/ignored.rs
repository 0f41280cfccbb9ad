//! What a walk leaves out, asked of single paths: hidden files, and those that `.gitignore` or `.kvlintignore` name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::discover::IGNORE_FILE;
use super::repository::is_separator;
use super::untrusted;

/// The ignore files of one folder, by precedence.
type Files = [Option<Gitignore>; 2];

/// The ignore files of a repository or folder, each read when it is first asked for.
#[derive(Debug)]
pub struct Ignored {
    top: PathBuf,
    files: HashMap<PathBuf, Files>,
}

impl Ignored {
    /// Below a canonical folder.
    pub fn below(top: &Path) -> Ignored {
        Ignored { top: top.to_path_buf(), files: HashMap::new() }
    }

    /// Whether a walk from the top would leave a path out.
    pub fn matches(&mut self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.top) else { return false };
        if is_hidden(relative.as_os_str().as_encoded_bytes()) {
            return true;
        }
        let mut part = self.top.clone();
        for name in relative.components() {
            part.push(name);
            if self.named(&part, part != path) {
                return true;
            }
        }
        false
    }

    fn named(&mut self, path: &Path, folder: bool) -> bool {
        let inside = |f: &&Path| f.starts_with(&self.top);
        let above: Vec<PathBuf> = path.ancestors().skip(1).take_while(inside).map(Path::to_path_buf).collect();
        for f in &above {
            let top = *f == self.top;
            self.files.entry(f.clone()).or_insert_with(|| ignore_files(f, top));
        }
        // All of kvlint's files come before all of git's, and the nearest before those above.
        for kind in 0..2 {
            for matcher in above.iter().filter_map(|f| self.files.get(f)?[kind].as_ref()) {
                match matcher.matched(path, folder) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
        }
        false
    }
}

fn ignore_files(folder: &Path, top: bool) -> Files {
    let read = |names: &[&str]| {
        if untrusted::endless(folder).is_some() {
            return None;
        }
        let there: Vec<PathBuf> = names.iter().map(|n| folder.join(n)).filter(|p| p.is_file()).collect();
        if there.is_empty() {
            return None;
        }
        let mut builder = GitignoreBuilder::new(folder);
        // A line that is no pattern is left out, as by a walk.
        there.iter().for_each(|path| drop(builder.add(path)));
        builder.build().ok()
    };
    let git: &[&str] = if top { &[".git/info/exclude", ".gitignore"] } else { &[".gitignore"] };
    [read(&[IGNORE_FILE]), read(git)]
}

/// Whether a relative path is hidden, or lies in a folder that is.
pub fn is_hidden(path: &[u8]) -> bool {
    path.split(is_separator).any(|name| name.first() == Some(&b'.'))
}
