//! Changes of the gateway's variables.

use crate::edit::{Changes, Refusal, Value};
use crate::events::{Engine, Gateway, Model, Resolved};
use crate::facts::aibrix::{self, Variable};

/// Sets a variable of the gateway under the name that its release reads. One that stands there under another release's name is
/// given the right one.
///
/// # Errors
/// When the value comes from elsewhere, or can't be edited.
pub fn set<'t>(
    gateway: &Gateway<'t>,
    variable: &'static Variable,
    value: &str,
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let name = gateway.name_of(variable);
    let misnamed = gateway.misnamed(variable);
    if let Some(env) = &misnamed {
        changes.replace(env.name, name)?;
    }
    match misnamed.or_else(|| gateway.variable(variable)) {
        Some(env) => match &env.value {
            Resolved::Unknown(span) => Err(Refusal::at(*span, format!("what `{name}` is set to is decided elsewhere"))),
            _ => changes.set(env.node, &["value"], value),
        },
        None if gateway.setting(variable).is_unknown() => {
            Err(Refusal::at(gateway.container.grip(), format!("`{name}` may be set from elsewhere")))
        }
        None => {
            let entry = Value::map([("name", Value::from(name)), ("value", Value::from(value))]);
            changes.append(gateway.container.node, &["env"], entry)
        }
    }
}

/// The size of a block for the gateway, where all engines agree on theirs.
pub fn matching_block_size(model: &Model<'_>) -> Option<u32> {
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
