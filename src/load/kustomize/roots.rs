//! Which of the kustomizations that were found are built: those that no other uses.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::workspace::{Folder, Workspace};
use crate::source::{FileId, Span};

/// The kustomizations below some paths.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// Folders to build.
    pub roots: Vec<Folder>,
    /// Components that nothing uses: they can't be built alone.
    pub unused_components: Vec<Folder>,
}

/// Sorts out the folders that hold a kustomization, by the paths to show.
pub fn find(ws: &mut Workspace<'_>, folders: &[PathBuf]) -> Roots {
    let mut found: Vec<Folder> = Vec::new();
    for shown in folders {
        if let Some(canonical) = ws.files.canonical(shown)
            && !found.iter().any(|f| f.canonical == canonical)
        {
            found.push(Folder { canonical, shown: shown.clone() });
        }
    }
    let nowhere = Span::new(FileId(0), 0, 0);
    let mut used: HashSet<PathBuf> = HashSet::new();
    let mut components: HashSet<PathBuf> = HashSet::new();
    for folder in &found {
        // What is wrong with a file is said when it is built.
        let Ok((_, k)) = ws.kustomization(folder, nowhere) else { continue };
        if k.component {
            components.insert(folder.canonical.clone());
        }
        let lists = [&k.resources, &k.components, &k.transformers, &k.external_generators, &k.validators];
        for entry in lists.into_iter().flatten() {
            let path = folder.canonical.join(Path::new(&*entry.text));
            let Some(path) = ws.files.canonical(&path) else { continue };
            // A folder that uses itself, or one above it, is still a root: the build says what is wrong.
            if ws.files.is_folder(&path) && !folder.canonical.starts_with(&path) {
                used.insert(path);
            }
        }
    }
    let mut roots = Roots::default();
    for folder in found.iter().filter(|f| !used.contains(&f.canonical)) {
        let list = if components.contains(&folder.canonical) { &mut roots.unused_components } else { &mut roots.roots };
        list.push(folder.clone());
    }
    if roots.roots.is_empty() {
        // They all use each other: a circle, which the build of any of them reports.
        roots.roots.extend(found.into_iter().find(|f| !components.contains(&f.canonical)));
    }
    roots
}
