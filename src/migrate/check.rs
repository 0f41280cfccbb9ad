//! What a migration would break.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Migrated;
use crate::config::Config;
use crate::fix::diff;
use crate::fix::regress::{Troubles, brought};
use crate::lint::{Edit, lint};

/// The first error that would be there after a migration and was not before, or what could not be read any more, in words.
pub fn brings(migrated: &Migrated, config: &Config) -> Option<String> {
    let (first, last) = (lint(&migrated.first, config, None), lint(&migrated.last, config, None));
    let edits: Vec<(PathBuf, Vec<Edit>)> = migrated
        .changes
        .iter()
        .map(|change| (change.before.path().to_path_buf(), diff::edits(&change.before, &change.after)))
        .collect();
    let edits: BTreeMap<PathBuf, &[Edit]> =
        edits.iter().map(|(path, edits)| (path.clone(), edits.as_slice())).collect();
    brought(&Troubles::of(&migrated.first, &first), &Troubles::of(&migrated.last, &last), &edits)
}
