//! The files of a chart: from a folder, or from the packed charts that lie in its `charts/`.
//!
//! Both are untrusted. Links must stay inside, names inside an archive must not lead out of it, and number and size of files have
//! limits that no chart that is deployed comes near.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

use crate::load::Overlay;
use crate::load::discover::describe;

/// Files of one chart with all that is in its `charts/`.
const MOST_FILES: usize = 20_000;

/// Bytes of one file; helm refuses larger ones in archives.
const LARGEST_FILE: u64 = 16 << 20;

/// Bytes of all files together.
const LARGEST_CHART: u64 = 256 << 20;

/// Folders in folders.
const DEEPEST: usize = 32;

/// Files by their names in the chart, `/` between the parts.
pub type Contents = BTreeMap<String, File>;

/// A file of a chart.
#[derive(Clone, Debug)]
pub struct File {
    /// The path to show.
    pub shown: PathBuf,
    /// Where it lies; `None` in an archive.
    pub on_disk: Option<PathBuf>,
    /// What it holds, for files that matter here; else empty.
    pub bytes: Vec<u8>,
    /// Another text counts than what is on disk.
    pub is_over: bool,
}

/// What was read so far, over a folder and the archives in it.
#[derive(Debug, Default)]
pub struct Budget {
    files: usize,
    bytes: u64,
}

impl Budget {
    fn take(&mut self, shown: &Path, bytes: u64) -> Result<(), String> {
        self.files += 1;
        self.bytes += bytes;
        if self.files > MOST_FILES {
            return Err(format!("more than {MOST_FILES} files"));
        }
        if self.bytes > LARGEST_CHART {
            return Err(format!("more than {} MiB, up to {}", LARGEST_CHART >> 20, shown.display()));
        }
        Ok(())
    }
}

/// Whether a file's text takes part in what a chart renders to, by its name in the chart; in charts below `charts/`, too.
fn matters(name: &str) -> bool {
    let mut name = name;
    while let Some((_, rest)) = name.strip_prefix("charts/").and_then(|inner| inner.split_once('/')) {
        name = rest;
    }
    match name.split_once('/') {
        Some(("charts", _)) => name.ends_with(".tgz"),
        Some((folder, _)) => ["templates", "crds", "ci"].contains(&folder),
        None => name.ends_with(".yaml") || name.ends_with(".yml") || name == "values.schema.json",
    }
}

/// Reads a folder. Links are followed where they stay in one of `inside`; the texts of `overlay` count instead of what is on disk.
///
/// # Errors
/// What can't be read, or goes beyond the limits, in words that name it.
pub fn of_folder(
    folder: &Path,
    inside: &[PathBuf],
    overlay: &Overlay,
    budget: &mut Budget,
) -> Result<Contents, String> {
    let mut found = Contents::new();
    let mut walk = Walk { inside, overlay, budget, found: &mut found, open: HashSet::new() };
    walk.folder(folder, "", 0)?;
    walk.new_files(folder)?;
    Ok(found)
}

struct Walk<'a> {
    inside: &'a [PathBuf],
    overlay: &'a Overlay,
    budget: &'a mut Budget,
    found: &'a mut Contents,
    /// Folders that the walk is in, canonical, so that a link to one of them is not followed for ever.
    open: HashSet<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), String> {
        let fail = |e: &std::io::Error| format!("{}: {}", folder.display(), describe(e));
        if depth > DEEPEST {
            return Err(format!("{}: folders are nested too deep", folder.display()));
        }
        let canonical = std::fs::canonicalize(folder).map_err(|e| fail(&e))?;
        if !self.open.insert(canonical.clone()) {
            return Err(format!("{}: this link leads back to a folder above it", folder.display()));
        }
        let mut entries: Vec<_> = std::fs::read_dir(folder).map_err(|e| fail(&e))?.filter_map(Result::ok).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
            if name == ".git" {
                continue;
            }
            let kind = entry.file_type().map_err(|e| fail(&e))?;
            if kind.is_symlink() {
                // A link that leads nowhere is helm's to complain of.
                let Ok(target) = std::fs::canonicalize(&path) else { continue };
                if !self.inside.iter().any(|base| target.starts_with(base)) {
                    return Err(format!("{}: this link leads out of the folder", path.display()));
                }
            }
            let meta = std::fs::metadata(&path).map_err(|e| fail(&e))?;
            let name = format!("{prefix}{name}");
            if meta.is_dir() {
                self.folder(&path, &format!("{name}/"), depth + 1)?;
            } else if meta.is_file() {
                self.file(path, name, meta.len())?;
            }
        }
        self.open.remove(&canonical);
        Ok(())
    }

    /// Texts of files that are not on disk yet.
    fn new_files(&mut self, folder: &Path) -> Result<(), String> {
        for below in self.overlay.new_below(folder) {
            let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
            let Some(name) = parts.filter(|parts| !parts.contains(&".git")).map(|parts| parts.join("/")) else {
                continue;
            };
            self.file(folder.join(&below), name, 0)?;
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, name: String, size: u64) -> Result<(), String> {
        let mut bytes = Vec::new();
        let over = self.overlay.get(&path);
        let wanted = matters(&name) || over.is_some();
        let size = over.map_or(size, |text| text.len() as u64);
        self.budget.take(&path, if wanted { size } else { 0 })?;
        if let Some(text) = over {
            bytes = text.to_vec();
        } else if wanted {
            if size > LARGEST_FILE {
                return Err(format!("{}: larger than {} MiB", path.display(), LARGEST_FILE >> 20));
            }
            let file = std::fs::File::open(&path).map_err(|e| format!("{}: {}", path.display(), describe(&e)))?;
            let mut limited = file.take(LARGEST_FILE);
            limited.read_to_end(&mut bytes).map_err(|e| format!("{}: {}", path.display(), describe(&e)))?;
        }
        let file = File { shown: path.clone(), is_over: over.is_some(), on_disk: Some(path), bytes };
        self.found.insert(name, file);
        Ok(())
    }
}

/// Reads a packed chart: `<chart>/templates/x.yaml` becomes `templates/x.yaml`.
///
/// # Errors
/// When it is no archive, a name in it leads out of it, or it goes beyond the limits.
pub fn of_archive(shown: &Path, packed: &[u8], budget: &mut Budget) -> Result<Contents, String> {
    let fail = |e: &dyn std::fmt::Display| format!("{}: {e}", shown.display());
    let mut found = Contents::new();
    // Also bounds what is only skipped over: a few bytes may unpack to terabytes.
    let unpacked = GzDecoder::new(packed).take(LARGEST_CHART);
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries().map_err(|e| fail(&e))? {
        let mut entry = entry.map_err(|e| fail(&e))?;
        if !entry.header().entry_type().is_file() {
            // Links and devices have no place in a chart; helm passes them over, too.
            continue;
        }
        let path = entry.path().map_err(|e| fail(&e))?.into_owned();
        let Some(name) = inner_name(&path) else {
            return Err(fail(&format_args!("the name {:?} leads out of the archive", path.display().to_string())));
        };
        let size = entry.size();
        if size > LARGEST_FILE {
            return Err(fail(&format_args!("{name} is larger than {} MiB", LARGEST_FILE >> 20)));
        }
        budget.take(shown, size)?;
        let mut bytes = Vec::new();
        if !name.is_empty() && matters(&name) {
            entry.read_to_end(&mut bytes).map_err(|e| fail(&e))?;
        }
        let inner = PathBuf::from(format!("{}:{name}", shown.display()));
        found.insert(name, File { shown: inner, on_disk: None, bytes, is_over: false });
    }
    Ok(found)
}

/// The name below the archive's top folder.
fn inner_name(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    // Windows' separators and drives, which another system takes for parts of a name.
    if parts.iter().any(|p| p.contains('\\') || p.contains(':')) {
        return None;
    }
    Some(parts.get(1..).unwrap_or_default().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(gz);
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            // `set_path` refuses the names that are tried here.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn read(files: &[(&str, &[u8])]) -> Result<Contents, String> {
        of_archive(Path::new("charts/sub-1.0.tgz"), &packed(files), &mut Budget::default())
    }

    #[test]
    fn the_top_folder_is_left_out_of_names() {
        let found = read(&[("sub/Chart.yaml", b"name: sub\n"), ("sub/templates/a.yaml", b"a: 1\n")]).unwrap();
        let shown: Vec<_> = found.values().map(|f| f.shown.display().to_string()).collect();
        assert_eq!(shown, ["charts/sub-1.0.tgz:Chart.yaml", "charts/sub-1.0.tgz:templates/a.yaml"]);
        assert_eq!(found["templates/a.yaml"].bytes, b"a: 1\n");
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["sub/../../etc/passwd", "/etc/passwd", "../x", "sub\\..\\x"] {
            assert!(read(&[(name, b"")]).unwrap_err().contains("leads out"), "{name}");
        }
        assert!(of_archive(Path::new("a.tgz"), b"no archive", &mut Budget::default()).is_err());
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let zeros = vec![0_u8; (LARGEST_FILE + 1) as usize];
        assert!(read(&[("sub/templates/a.yaml", &zeros)]).unwrap_err().contains("larger than"));
        let mut budget = Budget { files: MOST_FILES, bytes: 0 };
        let one = packed(&[("sub/a", b"")]);
        assert!(of_archive(Path::new("a.tgz"), &one, &mut budget).unwrap_err().contains("files"));
        let mut budget = Budget { files: 0, bytes: LARGEST_CHART };
        let one = packed(&[("sub/a", b"x")]);
        assert!(of_archive(Path::new("a.tgz"), &one, &mut budget).unwrap_err().contains("MiB"));
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_inside() {
        let top = tempfile::tempdir().unwrap();
        let chart = top.path().join("chart");
        std::fs::create_dir_all(chart.join("templates")).unwrap();
        std::fs::write(top.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(top.path().join("secret"), chart.join("templates/a.yaml")).unwrap();
        let inside = |base: &Path| vec![std::fs::canonicalize(base).unwrap()];
        let read = |inside: &[PathBuf]| of_folder(&chart, inside, &Overlay::default(), &mut Budget::default());
        let refused = read(&inside(&chart)).unwrap_err();
        assert!(refused.contains("leads out"), "{refused}");
        let found = read(&inside(top.path())).unwrap();
        assert_eq!(found["templates/a.yaml"].bytes, b"x");
        std::os::unix::fs::symlink(&chart, chart.join("loop")).unwrap();
        assert!(read(&inside(top.path())).unwrap_err().contains("leads back"));
    }
}
