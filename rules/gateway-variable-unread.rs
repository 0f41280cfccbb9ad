use crate::edit::Value;
use crate::events::{Engine, Gateway, Publisher};
use crate::facts::aibrix::{self, NameMatch, Variable, VariableName};
use crate::k8s::EnvVar;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let publishes = |p: &&Publisher<'_>| p.publishing() == Publishing::On && p.engine() == Engine::Vllm;
    let heard = model.publishers.iter().filter(publishes).any(|p| model.is_for_aibrix(p));
    for gateway in &model.gateways {
        // The release is what has to change, gateway-cannot-decode says, and names of later ones will be right then.
        let outdated = heard && gateway.decodes_nothing();
        for var in gateway.container.env_vars() {
            let Some(name) = var.name.text() else { continue };
            match aibrix::name(name) {
                Some(NameMatch::Never(row)) => {
                    cx.report(var.name.span(), format!("no release of the gateway reads `{name}`"))
                        .severity(Severity::Warning)
                        .help("remove it")
                        .note(row.why.clone());
                }
                Some(NameMatch::Read(_, row)) if outdated && is_later(row, gateway) => {}
                Some(NameMatch::Read(variable, row)) => read_elsewhere(cx, gateway, &var, variable, row),
                None => {}
            }
        }
    }
}

/// Whether a name is read by later releases than the gateway's alone.
fn is_later(row: &VariableName, gateway: &Gateway<'_>) -> bool {
    let release = gateway.image.release.as_ref();
    release.zip(row.releases.since.as_ref()).is_some_and(|(release, since)| since > release)
}

/// A name that other releases read.
fn read_elsewhere(
    cx: &mut UnitContext<'_>,
    gateway: &Gateway<'_>,
    var: &EnvVar<'_>,
    variable: &'static Variable,
    row: &'static VariableName,
) {
    let newest = variable.names.last();
    let right = match &gateway.image.release {
        Some(release) if row.releases.contains(release) => return,
        // A release without synchronisation is another finding.
        Some(_) if !gateway.can_sync() => return,
        Some(_) => gateway.names(variable).first().copied(),
        // Of an unknown release the newest names are expected.
        None if newest.is_some_and(|n| n.name == row.name) => return,
        None => newest.map(|n| n.name.as_str()),
    };
    // With the right name beside it, the other serves another release.
    if right.is_some_and(|name| gateway.container.env(name).is_some()) {
        return;
    }
    let release = gateway.image.describe("the gateway");
    let message = match &gateway.image.release {
        Some(release) => format!("`{}` is not read by release {release} of the gateway", row.name),
        None => format!("`{}` is read by releases {} of the gateway alone", row.name, row.releases),
    };
    let needed = aibrix::prerequisites().any(|v| v.id == variable.id);
    let severity = if needed { Severity::Error } else { Severity::Warning };
    let report = cx.report(var.name.span(), message).severity(severity).observed(gateway.image.certainty);
    let report = match right {
        Some(name) => {
            // Of an image without a release it is most likely, not certain.
            let sure = gateway.image.release.is_some() && gateway.image.certainty == Certainty::Certain;
            let applicability = if sure { Applicability::Safe } else { Applicability::Unsafe };
            let title = format!("rename it to `{name}`");
            report
                .help(title.clone())
                .mend(title, applicability, |changes| changes.replace(var.name, Value::string(name)))
        }
        None => report.help("remove it, or use a release that reads it"),
    };
    let report = report.note(format!("releases {} read it; {release}", row.releases));
    if gateway.image.release.is_some() {
        report.related(gateway.image.span, "the release");
    }
}
