//! Who listens for events. One file each: it recognises its subscribers in a unit and says how they listen.

pub mod aibrix;

use crate::k8s::reach::{Assumed, EndpointId};

use super::model::Model;
use super::ports::PortUse;
use crate::config::Config;

/// Who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The subscriber connects to every engine, so the engine binds.
    Dials,
    /// The subscriber binds, and the engines connect to it.
    Binds,
}

/// A port that a subscriber connects to, or that it binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// The number.
    pub number: u16,
    /// What for.
    pub what: PortUse,
}

/// Someone who wants the events of a unit's engines.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// What it is called in messages.
    pub product: &'static str,
    /// Who opens the connection.
    pub direction: Direction,
    /// The ports, those of the engine where the subscriber dials and its own where it binds.
    pub ports: Vec<Dialled>,
    /// Its pods in [`Model::reach`]; several for one that is not in the unit and may be installed in several ways.
    pub endpoints: Vec<EndpointId>,
    /// The gateway in [`Model::gateways`], where it is AIBrix's and in the unit.
    pub gateway: Option<usize>,
}

impl Subscriber {
    /// Whether it is not in the unit and only taken to be there.
    pub fn is_assumed(&self, model: &Model<'_>) -> bool {
        let pod = |id: &EndpointId| model.reach.endpoints.get(*id).and_then(|e| e.pod());
        self.endpoints.iter().all(|id| pod(id).is_none())
    }

    /// `namespace/name`.
    pub fn title(&self, model: &Model<'_>) -> String {
        self.endpoints.first().map(|id| model.reach.title(*id)).unwrap_or_default()
    }

    /// Its namespace, where it is known.
    pub fn namespace<'t>(&self, model: &Model<'t>) -> Option<&'t str> {
        model.reach.namespace_of_endpoint(*self.endpoints.first()?)
    }
}

/// The pods of subscribers that are taken to be outside of the unit. Called before anything is known of the unit but
/// whether it holds a gateway.
pub fn assumed<'t>(config: &'t Config, has_gateway: bool) -> Vec<Assumed<'t>> {
    if has_gateway { Vec::new() } else { aibrix::assumed(config) }
}

/// Every subscriber of a unit. A new kind of subscriber adds its own here.
pub fn all(model: &Model<'_>) -> Vec<Subscriber> {
    aibrix::subscribers(model)
}
