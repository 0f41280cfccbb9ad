//! Which helm the tests run.

use std::io::Write as _;
use std::path::PathBuf;

use kvlint::load::helm::{Binary, Helm, TIMEOUT};

/// The helm that `KVLINT_HELM` names, else the one on the search path. Where there is none, the test that asks says that it is
/// skipped.
pub fn helm(test: &str) -> Option<PathBuf> {
    let binary = std::env::var_os("KVLINT_HELM").map_or(Binary::OnPath, |path| Binary::At(path.into()));
    let found = Helm::find(&binary, TIMEOUT).expect("KVLINT_HELM names a helm");
    match found {
        Some(helm) => Some(helm.program().to_path_buf()),
        None => {
            // Not by a macro, whose text is dropped where a test passes.
            let _ = writeln!(std::io::stderr(), "skipped: {test}, for there is no helm (KVLINT_HELM names one)");
            None
        }
    }
}
