//! The gateway's variables, under the names that its release reads.

use super::run::Migration;
use crate::edit::{Changes, Refusal};
use crate::events::{Gateway, Model, Publishing, Resolved};
use crate::facts::aibrix::{self, Kind, Variable};
use crate::fix;
use crate::k8s::Text;

/// Sets what synchronisation needs. `notes` tells what a person has to decide.
///
/// # Errors
/// When the gateway can't be edited.
pub fn enable<'t>(
    model: &Model<'t>,
    migration: &Migration,
    changes: &mut Changes<'t>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    for gateway in &model.gateways {
        if !gateway.can_sync() {
            let release = gateway.image.describe("AIBrix");
            notes.push(format!("the gateway {} has no synchronisation of KV events: {release}", gateway.pod.title()));
            continue;
        }
        for (variable, value) in wanted(model, gateway, migration) {
            let name = gateway.name_of(variable);
            let Some(value) = value else {
                if gateway.setting(variable).is_absent() {
                    notes.push(format!(
                        "`{name}` of the gateway {} must not be empty: add `--tokenizer URL`, such as the model's Service",
                        gateway.pod.title()
                    ));
                }
                continue;
            };
            set(gateway, variable, name, &value, changes, notes)?;
        }
    }
    Ok(())
}

/// Takes away what [`enable`] sets, where no engine of the unit is left that publishes.
///
/// # Errors
/// When the gateway can't be edited.
pub fn disable<'t>(model: &Model<'t>, migration: &Migration, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let published = |p: &crate::events::Publisher<'_>| matches!(p.publishing(), Publishing::On | Publishing::Unknown);
    if model.publishers.iter().any(published) {
        return Ok(());
    }
    for gateway in model.gateways.iter().filter(|g| g.syncing().is_some()) {
        for (variable, value) in wanted(model, gateway, migration) {
            let Some(env) = gateway.variable(variable) else { continue };
            let same = match (&env.value, &value) {
                (Resolved::Known(text, _), Some(value)) => is_value(variable, text, value),
                // Which tokenizer it was is nobody's business once it is not used.
                (Resolved::Known(..), None) => true,
                _ => false,
            };
            if same {
                changes.remove_up_to(env.node, gateway.container.node)?;
            }
        }
    }
    Ok(())
}

/// The variables that synchronisation needs, with their values; none where only a person knows it.
fn wanted(model: &Model<'_>, gateway: &Gateway<'_>, migration: &Migration) -> Vec<(&'static Variable, Option<String>)> {
    let mut found: Vec<(&'static Variable, Option<String>)> = Vec::new();
    for variable in aibrix::prerequisites().filter(|v| !gateway.names(v).is_empty()) {
        let value = variable.required.clone().or_else(|| migration.tokenizer.clone());
        found.push((variable, value));
    }
    if let Some(size) = fix::gateway::matching_block_size(model) {
        found.push((aibrix::variable("block_size"), Some(size.to_string())));
    }
    found
}

fn set<'t>(
    gateway: &Gateway<'t>,
    variable: &'static Variable,
    name: &str,
    value: &str,
    changes: &mut Changes<'t>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    let there = gateway.misnamed(variable).or_else(|| gateway.variable(variable));
    match there {
        Some(env) => match &env.value {
            // A right value under another release's name keeps its spelling.
            Resolved::Known(text, _) if is_value(variable, text, value) => changes.replace(env.name, name),
            Resolved::Unknown(_) => {
                notes.push(format!("`{name}` of the gateway is set from elsewhere: it must be `{value}`"));
                changes.replace(env.name, name)
            }
            _ => fix::gateway::set(gateway, variable, value, changes),
        },
        None if gateway.setting(variable).is_unknown() => {
            notes.push(format!("`{name}` of the gateway may be set from elsewhere: it must be `{value}`"));
            Ok(())
        }
        None => fix::gateway::set(gateway, variable, value, changes),
    }
}

fn is_value(variable: &Variable, text: &Text, value: &str) -> bool {
    match variable.kind {
        Kind::Bool => {
            aibrix::parse_bool(&text.value) == aibrix::parse_bool(value) && aibrix::parse_bool(value).is_some()
        }
        _ if variable.required_non_empty => !text.value.is_empty(),
        _ => text.value == value,
    }
}
