//! Changes of an engine's options and image, in whichever form they are written.

use serde_json::Value as Json;

use super::command::{self, CommandLine};
use super::engine;
use crate::edit::{Changes, Refusal, TextEdit, Value, scalar_at};
use crate::events::options::FlagUse;
use crate::events::{Dialect, Endpoint, Model, Publisher};
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, FieldType, Setting};
use crate::facts::{Release, aibrix};
use crate::k8s::{Text, image};
use crate::lint::Applicability;
use crate::source::Span;
use crate::yaml::Node;

/// Raises the tag of the image to a release.
///
/// # Errors
/// When the tag is not exactly the release that it has now.
pub fn raise<'t>(publisher: &Publisher<'t>, wanted: &Release, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let node = publisher.container.image();
    let tag = node.and_then(|node| Some((node, image::parse(node.text()?).ok()?.tag?)));
    let Some((node, tag)) = tag else {
        return Err(Refusal::at(publisher.image.span, "the image has no tag to raise"));
    };
    let digest = node.text().is_some_and(|t| t.contains('@'));
    let exact = publisher.image.release.as_ref().map(Release::to_string);
    if digest || Some(tag.text.trim_start_matches('v')) != exact.as_deref() {
        return Err(Refusal::at(publisher.image.span, "the image's tag says more than the release; raise it by hand"));
    }
    changes.retext(node, raised(node.text().unwrap_or_default(), wanted))
}

/// Raises the other containers of the workload that run the same image, such as a Ray cluster's workers: engines of two releases
/// don't work together.
///
/// # Errors
/// When one of them can't be edited.
pub fn raise_companions<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    wanted: &Release,
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let own = publisher.container.image();
    let Some(image) = own.and_then(Node::text) else { return Ok(()) };
    let is_engine = |node: Node<'_>| model.publishers.iter().any(|p| p.container.node == node);
    let alike = |p: &&Publisher<'t>| {
        p.workload == publisher.workload && p.container.image().and_then(Node::text) == Some(image)
    };
    // Of several engines the first takes the others along.
    if model.publishers.iter().find(alike).is_some_and(|first| first.container.node != publisher.container.node) {
        return Ok(());
    }
    let pods = model.workloads[publisher.workload].pods.iter();
    for container in pods.flat_map(|pod| pod.containers()).filter(|c| !is_engine(c.node)) {
        if let Some(node) = container.image().filter(|node| node.text() == Some(image)) {
            changes.retext(node, raised(image, wanted))?;
        }
    }
    Ok(())
}

/// The change of an image's tag.
fn raised(image: &str, wanted: &Release) -> Vec<TextEdit> {
    let tag = image::parse(image)
        .ok()
        .and_then(|reference| reference.tag.map(|tag| (tag.range.clone(), tag.text.starts_with('v'))));
    tag.map(|(range, v)| TextEdit::new(range, format!("{}{wanted}", if v { "v" } else { "" }))).into_iter().collect()
}

/// The release to raise an engine to: the newest of those that work together with gateways, if that is not below `minimum`.
pub fn advised(minimum: &Release) -> Option<&'static Release> {
    aibrix::table().recommended_vllm.until.as_ref().filter(|release| *release >= minimum)
}

/// Raises the image of upstream to the release to advise.
///
/// # Errors
/// When the image is not upstream's own, so that nobody knows which tags there are, or [`raise`] does not understand its tag.
pub fn modernise<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    minimum: &Release,
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let image = &publisher.image;
    if !image.upstream {
        return Err(Refusal::at(image.span, "which releases there are of this image is not known"));
    }
    let wanted =
        advised(minimum).ok_or_else(|| Refusal::at(image.span, "no release that works with gateways is that new"))?;
    raise(publisher, wanted, changes)?;
    raise_companions(model, publisher, wanted, changes)
}

/// Whether the image's release is known to have no KV events.
pub fn lacks_events(publisher: &Publisher<'_>) -> bool {
    publisher.image.release.as_ref().is_some_and(|release| cli::flag_for(Role::KvEventsConfig).is_absent(release))
}

/// Whether a change from the flags and variables of AIBrix's documents to the JSON is what the author plainly meant: they switch
/// events on, and the release is known to understand nothing else.
pub fn conversion(model: &Model<'_>, publisher: &Publisher<'_>) -> Applicability {
    asking(model, publisher).into_iter().map(certain_conversion).max().unwrap_or(Applicability::Unsafe)
}

fn certain_conversion(publisher: &Publisher<'_>) -> Applicability {
    let on = publisher.setting(Setting::Enable).known().and_then(|v| v.as_bool()) == Some(true);
    let known = publisher.image.release.is_some() && publisher.image.certainty == crate::events::Certainty::Certain;
    if on && known && !lacks_events(publisher) { Applicability::Safe } else { Applicability::Unsafe }
}

/// The starts of an engine that ask for events by flags and variables of AIBrix's documents: the variables are for all of them.
fn asking<'m, 't>(model: &'m Model<'t>, publisher: &'m Publisher<'t>) -> Vec<&'m Publisher<'t>> {
    let own = model.publishers_of(&publisher.pod).filter(|other| other.shares_container(publisher));
    own.filter(|other| !other.documented.is_empty() || !engine::invented_flags(other).is_empty()).collect()
}

/// What the change of [`convert`] is called.
pub fn conversion_title(publisher: &Publisher<'_>) -> String {
    let flag = &cli::flag_for(Role::KvEventsConfig).name;
    let advised = aibrix::table().recommended_vllm.until.as_ref();
    match advised.filter(|_| lacks_events(publisher)) {
        Some(release) => format!("write `{flag}`, and raise the image to {release}, which has it"),
        None => format!("write all settings into `{flag}`"),
    }
}

/// Puts one `--kv-events-config` in the place of the flags and variables of AIBrix's documents. Every finding about one of them asks
/// for all of this, so that it is one change.
///
/// # Errors
/// When a value is decided elsewhere or has no place in the JSON, or the command can't be edited.
pub fn convert<'t>(model: &Model<'t>, publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    asking(model, publisher).into_iter().try_for_each(|start| convert_start(model, start, changes))?;
    remove_variables(publisher, changes)
}

fn convert_start<'t>(model: &Model<'t>, publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    command::in_turn(publisher)?;
    let flag = &cli::flag_for(Role::KvEventsConfig).name;
    if lacks_events(publisher) {
        modernise(model, publisher, &Release::new(0, 0, 0), changes)?;
    }
    if publisher.is_open() {
        return Err(Refusal::at(publisher.command.grip, "a part of the command is decided elsewhere"));
    }
    let flags = engine::invented_flags(publisher);
    let line = CommandLine::of(publisher)?;
    if let Some(config) = publisher.effective_config() {
        let absent = engine::written(publisher)?.into_iter().filter(|(setting, _)| config.get(setting.key()).is_none());
        let absent: Vec<(Setting, Value)> = absent.map(|(s, json)| (s, Value::from(&json))).collect();
        set(model, publisher, changes, &absent)?;
        return flags.iter().try_for_each(|flag| remove_switch(&line, publisher, changes, flag));
    }
    let json = engine::in_json(&engine::with_required(engine::written(publisher)?));
    let anchor = flags.iter().find(|f| f.words == 2 || f.equals).or(flags.first());
    match anchor {
        Some(anchor) => line.put_before(changes, anchor, flag, &json)?,
        None => line.append(changes, &[flag.as_str(), &json])?,
    }
    for old in flags.iter().filter(|f| anchor.is_none_or(|a| a.index != f.index) || !line.is_script()) {
        remove_switch(&line, publisher, changes, old)?;
    }
    Ok(())
}

/// Takes a flag away; of a switch also the word behind it, if that says yes or no and so was meant as its value.
fn remove_switch<'t>(
    line: &CommandLine<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    flag: &FlagUse,
) -> Result<(), Refusal> {
    let next = flag.index + flag.words;
    let is_value = flag.value.is_none()
        && publisher.positional.contains(&next)
        && publisher.command.words.get(next).is_some_and(|word| events::parse_bool(&word.value).is_some());
    let words = flag.words + usize::from(is_value);
    line.remove(changes, &FlagUse { words, ..flag.clone() })
}

/// Takes the variables of AIBrix's documents away, which nothing reads.
///
/// # Errors
/// When the list can't be edited.
pub fn remove_variables<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    for variable in publisher.container.env_vars() {
        let name = variable.name.text().unwrap_or_default();
        if crate::facts::vllm::option_by_env(name).is_some() && !is_mentioned(publisher, name) {
            changes.remove_up_to(variable.node, publisher.container.node)?;
        }
    }
    Ok(())
}

/// Whether the container's own command uses a variable, in `$(NAME)` or in a script.
pub fn is_mentioned(publisher: &Publisher<'_>, name: &str) -> bool {
    let node = publisher.container.node;
    let words = ["command", "args"].into_iter().filter_map(|key| node.get(key)).flat_map(Node::items);
    let values = publisher.container.env_vars().into_iter().filter_map(|v| v.node.get("value"));
    words.chain(values).filter_map(Node::text).any(|text| text.contains(name) && text.contains('$'))
}

/// Makes an engine publish that is told nothing about events, or told not to: options, image, and the ports of its container.
/// `starts` are all places of its script that start it.
///
/// # Errors
/// When a part of it can't be edited.
pub fn switch_on<'t>(model: &Model<'t>, starts: &[&Publisher<'t>], changes: &mut Changes<'t>) -> Result<(), Refusal> {
    starts.iter().try_for_each(|start| switch_start_on(model, start, changes))?;
    starts.first().map_or(Ok(()), |publisher| super::pod::list_ports(publisher, changes))
}

fn switch_start_on<'t>(model: &Model<'t>, publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    command::in_turn(publisher)?;
    if lacks_events(publisher) {
        modernise(model, publisher, &Release::new(0, 0, 0), changes)?;
    }
    let flag = &cli::flag_for(Role::KvEventsConfig).name;
    // In a comment, a branch or a statement of its own: what was meant by it is for a person to say.
    if publisher.effective_config().is_none() && publisher.script().is_some_and(|text| text.contains(flag.as_str())) {
        return Err(Refusal::at(publisher.command.grip, format!("the script holds a `{flag}` already")));
    }
    if publisher.is_open() {
        return Err(Refusal::at(publisher.command.grip, "a part of the command is decided elsewhere"));
    }
    if publisher.effective_config().is_some() {
        let settings: Vec<(Setting, Value)> = engine::corrections(publisher)
            .into_iter()
            .filter_map(|(key, value)| Some((events::field_by_key(key)?.setting, value)))
            .collect();
        set(model, publisher, changes, &settings)
    } else {
        let json = engine::new_config(publisher);
        CommandLine::of(publisher)?.append(changes, &[flag.as_str(), &json])
    }
}

/// Sets settings in the configuration that counts.
///
/// # Errors
/// When there is none, or it can't be edited.
pub fn set<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    settings: &[(Setting, Value)],
) -> Result<(), Refusal> {
    edit_config(model, publisher, changes, |root, json| {
        settings.iter().try_for_each(|(setting, value)| json.set(root, &[setting.key()], value.clone()))
    })
}

/// Changes the JSON or mapping that holds the configuration that counts.
///
/// # Errors
/// When it is written in another form, or can't be edited.
pub fn edit_config<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let config = publisher.effective_config();
    let config = config.ok_or_else(|| Refusal::at(publisher.command.grip, "nothing is configured here"))?;
    match config.dialect {
        Dialect::Json => {
            let flag = engine::config_flag(publisher)?;
            let flag = flag.ok_or_else(|| Refusal::at(config.key_span, "the flag was not found again"))?;
            if flag.value.as_ref().is_none_or(|text| text.opaque) {
                return Err(Refusal::at(flag.span, "what the flag is given is decided elsewhere"));
            }
            CommandLine::of(publisher)?.json(changes, flag, change)
        }
        Dialect::ConfigFile if config.nested => {
            let lost = || Refusal::at(config.key_span, "the file was not found again");
            let node = config_file(model, publisher).ok_or_else(lost)?;
            let wanted = cli::flag_for(Role::KvEventsConfig).name.trim_start_matches("--");
            changes.yaml(node, |root, yaml| {
                let entries = root.entries().into_iter();
                let mut found = entries.filter(|e| e.key.text().is_some_and(|k| k.replace('_', "-") == wanted));
                let entry = found.next().ok_or_else(|| Refusal::new("the file was not understood"))?;
                change(entry.value, yaml)
            })
        }
        _ => Err(Refusal::at(config.key_span, "the settings are written one by one; write them as JSON first")),
    }
}

/// The value of the ConfigMap that holds the file of `--config`.
fn config_file<'t>(model: &Model<'t>, publisher: &Publisher<'t>) -> Option<Node<'t>> {
    let path = publisher.uses(Role::ConfigFile).last()?.value.as_ref()?;
    model.mounted_file(&publisher.pod, publisher.container, &path.value)
}

/// Puts other text in the place of a part of a setting's text, wherever that is written: an argument, JSON, a script, a variable,
/// a configuration file.
///
/// # Errors
/// When the part comes from a variable, or can't be edited.
pub fn rewrite<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    (span, old): (Span, &str),
    new: &str,
) -> Result<(), Refusal> {
    let own = publisher.container.node.tree();
    let file = config_file(model, publisher).map(Node::tree);
    let found = [Some(own), file].into_iter().flatten().find_map(|tree| Some((tree, scalar_at(tree, span)?)));
    let elsewhere = || Refusal::at(span, "the text comes from a variable");
    let (tree, (node, range)) = found.ok_or_else(elsewhere)?;
    // Behind a reference stands another text than here.
    if node.text().and_then(|text| text.get(range)) != Some(old) {
        return Err(elsewhere());
    }
    let words = ["command", "args"].into_iter().filter_map(|key| publisher.container.node.get(key));
    let in_command = words.flat_map(Node::items).any(|item| item.span().contains(span));
    changes.write_at(tree, span, new, publisher.command.in_script && in_command)
}

/// As [`rewrite`], for a range of the text.
///
/// # Errors
/// As [`rewrite`].
pub fn rewrite_part<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    (text, range): (&Text, std::ops::Range<usize>),
    new: &str,
) -> Result<(), Refusal> {
    let old = text.value.get(range.clone()).unwrap_or_default();
    rewrite(model, publisher, changes, (text.sub_span(range), old), new)
}

/// An endpoint as it was meant: one that looks as if it listened on every address does.
pub(super) fn meant(text: &str) -> String {
    let table = &events::table().endpoint;
    let wildcard = table.wildcard_hosts.first().map_or("", String::as_str);
    let hosts = || table.lookalike_hosts.iter().chain(&table.loopback_hosts);
    match Endpoint::parse(text) {
        Ok(endpoint) if !endpoint.binds() && hosts().any(|host| *host == endpoint.host) => {
            let mut text = text.to_string();
            text.replace_range(endpoint.host_range, wildcard);
            text
        }
        _ => text.to_string(),
    }
}

/// The value of a setting as JSON.
///
/// # Errors
/// When the setting takes another type.
pub(super) fn typed(setting: Setting, text: &Text) -> Result<Json, Refusal> {
    let value = text.value.trim();
    let wrong = |what: &str| Refusal::at(text.span(), format!("`{value}` is no {what}"));
    match events::field(setting).kind {
        FieldType::Bool => events::parse_bool(value).map(Json::from).ok_or_else(|| wrong("boolean")),
        FieldType::Integer => value.parse::<u64>().map(Json::from).map_err(|_| wrong("whole number")),
        FieldType::String => Ok(Json::from(value)),
    }
}
