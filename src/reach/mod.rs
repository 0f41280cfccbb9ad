//! `kvlint reach`: which connections NetworkPolicies allow between workloads, and from and to outside.

mod dot;
mod explain;
mod json;
mod text;

use globset::{Glob, GlobMatcher};

use crate::config::Config;
use crate::events::Model;
use crate::facts::kubernetes;
use crate::k8s::policy::Protocol;
use crate::k8s::reach::connections::Connections;
use crate::k8s::reach::{Assumptions, Connection, End, Reach, Reading};
use crate::load::{Loaded, Unit};

/// How the list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReachFormat {
    /// One connection a line
    #[default]
    Text,
    /// One JSON document
    Json,
    /// A Graphviz digraph
    Dot,
}

/// What to list, and how to write it.
#[derive(Clone, Debug, Default)]
pub struct ReachOptions {
    /// How to write it.
    pub format: ReachFormat,
    /// Only from ends of this name: `name`, `namespace/name`, with `*` and `?`, or `external`.
    pub from: Option<String>,
    /// Only to ends of this name.
    pub to: Option<String>,
    /// Only connections that this port is among: `5557`, `53/UDP`.
    pub port: Option<PortFilter>,
    /// Whether to name the policies and lines that allow or deny.
    pub explain: bool,
    /// The namespace of objects that name none; `default` where it is not given, as in kubectl.
    pub namespace: Option<String>,
}

/// A port to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortFilter {
    /// The protocol.
    pub protocol: Protocol,
    /// The number.
    pub port: u16,
}

impl std::str::FromStr for PortFilter {
    type Err = String;

    /// Reads `5557` or `53/UDP`.
    fn from_str(text: &str) -> Result<PortFilter, String> {
        let (port, protocol) = text.split_once('/').unwrap_or((text, Protocol::Tcp.as_str()));
        let port = port.parse().ok().filter(|port| *port > 0);
        let protocol = Protocol::parse(&protocol.to_ascii_uppercase());
        match (port, protocol) {
            (Some(port), Some(protocol)) => Ok(PortFilter { protocol, port }),
            _ => Err(format!("`{text}` is no port: write `5557` or `53/UDP`")),
        }
    }
}

/// Which ends to show.
struct EndFilter(Option<Vec<GlobMatcher>>);

impl EndFilter {
    fn new(text: Option<&str>) -> EndFilter {
        let glob = |text: &str| {
            // A name that is no pattern is taken as it stands.
            let exact = || Glob::new(&globset::escape(text)).ok();
            Glob::new(text).ok().or_else(exact).map(|g| g.compile_matcher())
        };
        EndFilter(text.map(|text| glob(text).into_iter().collect()))
    }

    fn shows(&self, end: &End) -> bool {
        let Some(globs) = &self.0 else { return true };
        let names = match end {
            End::Outside(range) => vec!["external".to_string(), range.to_string()],
            End::Pods { namespace, name, .. } => vec![name.clone(), format!("{namespace}/{name}"), end.to_string()],
        };
        globs.iter().any(|glob| names.iter().any(|name| glob.is_match(name)))
    }
}

/// A unit's connections, for a writer.
struct UnitReach<'l> {
    unit: &'l Unit,
    reach: Reach<'l>,
    loaded: &'l Loaded,
    options: &'l ReachOptions,
}

impl UnitReach<'_> {
    /// Shows every connection that the options ask for.
    fn each(&self, mut show: impl FnMut(Connection<'_>)) {
        let (from, to) = (EndFilter::new(self.options.from.as_deref()), EndFilter::new(self.options.to.as_deref()));
        let Some(filter) = self.options.port else {
            self.reach.connections(|a, b| from.shows(a) && to.shows(b), show);
            return;
        };
        let one = Connections::one(filter.protocol, filter.port);
        self.reach.connections(
            |a, b| from.shows(a) && to.shows(b),
            |c| {
                let (certain, possible) = (c.certain.and(&one), c.possible.and(&one));
                if !possible.is_empty() {
                    show(Connection { certain: &certain, possible: &possible, ..c });
                }
            },
        );
    }
}

/// Lists the connections of all that was loaded.
pub fn run(loaded: &Loaded, config: &Config, options: &ReachOptions) -> String {
    let namespace = options.namespace.as_deref().unwrap_or(&kubernetes::table().default_namespace);
    let assumptions = Assumptions { namespace: Some(namespace), reading: Reading::Careful };
    let units: Vec<UnitReach<'_>> = loaded
        .units
        .iter()
        .map(|unit| {
            let model = Model::new(unit, config);
            let reach = Reach::new(unit, &model.workloads, Vec::new(), assumptions);
            UnitReach { unit, reach, loaded, options }
        })
        .collect();
    match options.format {
        ReachFormat::Text => text::write(&units),
        ReachFormat::Json => json::write(&units),
        ReachFormat::Dot => dot::write(&units),
    }
}

/// `TCP 5557`, and what is only possible after it.
fn words(certain: &Connections, possible: &Connections) -> String {
    match (certain == possible, certain.is_empty()) {
        (true, _) => certain.to_string(),
        (false, true) => format!("perhaps {possible}"),
        (false, false) => format!("{certain}, perhaps {possible}"),
    }
}

#[cfg(test)]
mod tests;
