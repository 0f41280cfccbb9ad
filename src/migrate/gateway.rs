//! The gateway's variables, under the names that its release reads.

use super::run::Migration;
use crate::events::{Engine, Gateway, Model, Publishing, Resolved};
use crate::facts::aibrix::{self, Kind, Variable};
use crate::fix::edit::{Changes, Refusal, Value};
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
    if let Some(size) = matching_block_size(model) {
        found.push((aibrix::variable("block_size"), Some(size.to_string())));
    }
    found
}

/// The size of a block for the gateway, where all engines agree on theirs.
fn matching_block_size(model: &Model<'_>) -> Option<u32> {
    let engines = model.publishers.iter().filter(|p| p.engine() == Engine::Vllm);
    let mut sizes: Vec<u32> = Vec::new();
    for engine in engines {
        match engine.block_size() {
            Resolved::Known(tokens, _) => sizes.push(tokens),
            _ => return None,
        }
    }
    let first = *sizes.first()?;
    sizes.iter().all(|s| *s == first).then(|| aibrix::matching_block_size(first))?
}

fn set<'t>(
    gateway: &Gateway<'t>,
    variable: &'static Variable,
    name: &str,
    value: &str,
    changes: &mut Changes<'t>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    // Another release's name is given the right one, and not a second variable beside it.
    let misnamed = gateway.misnamed(variable);
    if let Some(env) = &misnamed {
        changes.replace(env.name, name)?;
    }
    let there = misnamed.or_else(|| gateway.variable(variable));
    match there {
        Some(env) => match &env.value {
            Resolved::Known(text, _) if is_value(variable, text, value) => Ok(()),
            Resolved::Unknown(_) => {
                notes.push(format!("`{name}` of the gateway is set from elsewhere: it must be `{value}`"));
                Ok(())
            }
            _ => changes.set(env.node, &["value"], value),
        },
        None if gateway.setting(variable).is_unknown() => {
            notes.push(format!("`{name}` of the gateway may be set from elsewhere: it must be `{value}`"));
            Ok(())
        }
        None => {
            let entry = Value::map([("name", Value::from(name)), ("value", Value::from(value))]);
            changes.append(gateway.container.node, &["env"], entry)
        }
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
