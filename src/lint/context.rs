//! What a rule is given: a unit, the model made of it, the settings, and a place to report to.

use std::cell::OnceCell;

use super::diagnostic::{Diagnostic, Label, Report};
use super::rule::Rule;
use super::suppress::Suppressions;
use crate::config::Config;
use crate::events::Model;
use crate::facts::kubernetes;
use crate::k8s::schema::Misfits;
use crate::k8s::spec::{self, Fault};
use crate::load::{Loaded, Resource, Unit};
use crate::source::Span;

/// Collects the findings of one rule.
pub struct Sink {
    rule: &'static Rule,
    contract_documented: bool,
    /// What may still be read again to plan fixes, in bytes. It is counted for each rule and what it looks at, so that it does not depend
    /// on the order in which threads run.
    mending: usize,
    found: Vec<Diagnostic>,
}

/// Bytes of documents that fixes of one rule are planned on, in one unit or object. Each fix has its document read again, so that many
/// findings in one large document would take time without end.
const MENDING: usize = 16 << 20;

impl Sink {
    pub(super) fn new(rule: &'static Rule, config: &Config) -> Sink {
        let contract_documented = config.contract == super::Contract::Documented;
        Sink { rule, contract_documented, mending: MENDING, found: Vec::new() }
    }

    fn report(&mut self, span: Span, message: String) -> Report<'_> {
        self.found.push(Diagnostic {
            rule: self.rule.name,
            severity: self.rule.severity,
            message,
            primary: Label { span, text: String::new() },
            related: Vec::new(),
            help: None,
            notes: Vec::new(),
            fix: None,
            rendered: Vec::new(),
        });
        let last = self.found.len() - 1;
        let contract_documented = self.contract_documented;
        Report { diagnostic: &mut self.found[last], contract_documented, mending: &mut self.mending }
    }

    pub(super) fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }
}

/// For a rule over a unit. The references outlive the context, so copy them out before reporting:
/// `let model = cx.model;`.
pub struct UnitContext<'a> {
    /// What is deployed together.
    pub unit: &'a Unit,
    /// Workloads, publishers, gateways, services of the unit.
    pub model: &'a Model<'a>,
    /// The settings.
    pub config: &'a Config,
    pub(super) sink: Sink,
}

impl UnitContext<'_> {
    /// Reports a finding at `span`. The message says what is wrong in this file and ends without a stop.
    pub fn report(&mut self, span: Span, message: impl Into<String>) -> Report<'_> {
        self.sink.report(span, message.into())
    }
}

/// For a rule over single objects.
pub struct ResourceContext<'a> {
    /// The object.
    pub resource: &'a Resource,
    /// The settings.
    pub config: &'a Config,
    pub(super) seen: &'a Seen<'a>,
    pub(super) sink: Sink,
}

/// What several rules ask of an object, found by the first that does.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    misfits: OnceCell<Misfits>,
    faults: OnceCell<Vec<Fault<'a>>>,
}

impl<'a> ResourceContext<'a> {
    /// What the API server would refuse in the object. Decoded once, for all rules.
    pub fn misfits(&self) -> &'a Misfits {
        self.seen.misfits.get_or_init(|| Misfits::of(self.resource, &self.config.workloads))
    }

    /// What in the `spec` of a custom kind does not fit its schema; nothing for a kind whose schema is not known. Found
    /// once, for all rules.
    pub fn faults(&self) -> &'a [Fault<'a>] {
        self.seen.faults.get_or_init(|| {
            let resource = self.resource;
            let schema = kubernetes::spec_schema(resource.api_version(), resource.kind());
            let spec = resource.node().get("spec");
            schema.zip(spec).map(|(schema, spec)| spec::faults(spec, schema)).unwrap_or_default()
        })
    }

    /// Reports a finding at `span`. The message says what is wrong in this file and ends without a stop.
    pub fn report(&mut self, span: Span, message: impl Into<String>) -> Report<'_> {
        self.sink.report(span, message.into())
    }
}

/// For a rule over the whole run, called after all others.
pub struct RunContext<'a> {
    /// All that was read.
    pub loaded: &'a Loaded,
    /// The settings and what is wrong with them.
    pub config: &'a Config,
    /// Every suppression, with what it silenced.
    pub suppressions: &'a Suppressions,
    pub(super) sink: Sink,
}

impl RunContext<'_> {
    /// Reports a finding at `span`. The message says what is wrong in this file and ends without a stop.
    pub fn report(&mut self, span: Span, message: impl Into<String>) -> Report<'_> {
        self.sink.report(span, message.into())
    }
}
