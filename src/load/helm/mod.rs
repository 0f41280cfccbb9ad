//! Helm charts: rendered by the `helm` that is installed, and linted with every finding led back to template and values.
//!
//! A chart is rendered once for each values set ([`sets`]), by [`binary`] in an environment of its own. What comes out is a text
//! that nobody wrote: it is parsed and linted as any other, and [`Locator::locate`] says for each place in it which
//! bytes of the chart made it. Without helm only what needs no rendering is linted, and the chart is a note.

pub mod align;
pub mod binary;
pub mod chart;
mod errors;
mod files;
pub mod lines;
mod locate;
mod marked;
pub mod markers;
mod render;
mod rendering;
pub mod sets;
pub mod stream;
pub mod template;
mod units;
pub mod values;

use std::path::PathBuf;
use std::time::Duration;

pub use binary::{Binary, Cancel, Helm};
pub use chart::{Chart, Reading};
pub use errors::ChartProblem;
pub use locate::{Located, Locator};
pub use rendering::Rendering;
pub use sets::{NamedSet, ValuesSet};
pub use units::{Bounds, Charted, add_rendered, load, read_chart, unit_of_text};

/// How charts are rendered.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which helm.
    pub binary: Binary,
    /// How long one run may take.
    pub timeout: Duration,
    /// The release's name; helm's own default where this is `None`.
    pub release: Option<String>,
    /// The namespace of the release.
    pub namespace: Option<String>,
    /// The version of Kubernetes that templates are told.
    pub kube_version: Option<String>,
    /// API versions that templates are told of beside the built-in ones.
    pub api_versions: Vec<String>,
    /// Values sets; where there are none for a chart, its own values and its `ci/` files.
    pub sets: Vec<NamedSet>,
    /// `key=value` over all sets.
    pub set: Vec<String>,
    /// Charts that rendered input may come from, beside those among the inputs.
    pub charts: Vec<PathBuf>,
    /// Ends runs of helm before their time.
    pub cancel: Cancel,
}

/// Whether helm takes a name for that of a release (`ValidateReleaseName` of its `pkg/chartutil`).
pub fn is_release_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 53 && name.split('.').all(is_label)
}

/// Whether helm takes a text for a version of Kubernetes: `1.31`, `v1.31.0`, with a suffix perhaps.
pub fn is_kube_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (numbers, suffix) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let is_number = |part: &str| !part.is_empty() && part.len() < 10 && part.bytes().all(|b| b.is_ascii_digit());
    let is_suffix = |c: char| c.is_ascii_alphanumeric() || "-+.".contains(c);
    let parts: Vec<&str> = numbers.split('.').collect();
    parts.len() <= 3 && parts.into_iter().all(is_number) && suffix.len() != 1 && suffix.chars().all(is_suffix)
}

/// How long one run may take, where nobody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

impl Default for Options {
    fn default() -> Options {
        Options {
            binary: Binary::Never,
            timeout: TIMEOUT,
            release: None,
            namespace: None,
            kube_version: None,
            api_versions: Vec::new(),
            sets: Vec::new(),
            set: Vec::new(),
            charts: Vec::new(),
            cancel: Cancel::default(),
        }
    }
}
