//! From a container to the engine that it starts: which one, and with which words.

use crate::facts::{sglang, vllm};
use crate::k8s::image::ImageRef;
use crate::k8s::{Container, Text};
use crate::source::Span;

use super::shell;

/// What publishes the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// vLLM, or a wrapper that passes its options on.
    Vllm,
    /// SGLang.
    Sglang,
    /// llm-d's inference simulator.
    Simulator,
}

impl Engine {
    /// The engine's name.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Vllm => "vLLM",
            Engine::Sglang => "SGLang",
            Engine::Simulator => "the simulator",
        }
    }
}

/// The command that starts an engine.
#[derive(Clone, Debug)]
pub struct EngineCommand {
    /// The engine.
    pub engine: Engine,
    /// The words behind the entry point: flags, their values, the model.
    pub words: Vec<Text>,
    /// Whether the words may be followed or interleaved by others that are not known: `$@`, `$(EXTRA_ARGS)`.
    pub open: bool,
    /// Whether it stands inside a shell script.
    pub in_script: bool,
    /// Which of vLLM's entry points it is, where the command tells.
    pub entry_point: Option<&'static vllm::EntryPoint>,
    /// A short place to hold it by: where options would be added.
    pub grip: Span,
    /// Variables that the script itself sets for the command.
    pub script_env: Vec<(String, Option<Text>)>,
}

/// The engine that a container starts, if its command or image tells.
pub fn engine_command(container: Container<'_>, image: Option<&ImageRef<'_>>) -> Option<EngineCommand> {
    let argv = container.argv();
    let words: Vec<&str> = argv.words.iter().map(|t| t.value.as_str()).collect();
    if let Some(index) = shell::shell_script_index(&words) {
        return in_script(container, index);
    }
    if let Some((engine, entry_point, skip)) = match_entry(&words) {
        let rest = argv.words[skip..].to_vec();
        let grip = rest.first().map_or(argv.grip, |_| argv.grip);
        return Some(EngineCommand {
            engine,
            open: rest.iter().any(stands_for_words),
            words: rest,
            in_script: false,
            entry_point,
            grip,
            script_env: Vec::new(),
        });
    }
    // Without a command the image's own entry point runs, and `args` are its options.
    if argv.command_words > 0 {
        return None;
    }
    let engine = engine_of_image(image?)?;
    // An image that is given another program to run is not started as a server.
    if words.first().is_some_and(|w| !w.starts_with('-') && is_program(w)) {
        return None;
    }
    Some(EngineCommand {
        engine,
        open: argv.words.iter().any(stands_for_words),
        words: argv.words,
        in_script: false,
        entry_point: None,
        grip: argv.grip,
        script_env: Vec::new(),
    })
}

/// The engine that an image is built for.
pub fn engine_of_image(image: &ImageRef<'_>) -> Option<Engine> {
    let name = image.full_name();
    if vllm::image_origin(&name).is_some() {
        return Some(Engine::Vllm);
    }
    let base = image.name.text;
    if sglang::is_sglang_image(&name) {
        return Some(Engine::Sglang);
    }
    sglang::is_simulator_image(base).then_some(Engine::Simulator)
}

/// Whether a first argument names a program rather than a model (`org/model`) or a sub-command.
fn is_program(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "bash" | "python" | "python3" | "sleep" | "tail")) || word.starts_with("/bin/")
}

/// A word that is a variable nobody knows, and so may be any number of flags.
fn stands_for_words(text: &Text) -> bool {
    text.opaque && text.value.starts_with(['$', '{', '<'])
}

/// Finds the entry point at the start of a command: engine, entry point, and the number of its words.
fn match_entry(words: &[&str]) -> Option<(Engine, Option<&'static vllm::EntryPoint>, usize)> {
    if let Some((entry, len)) = vllm::match_entry_point(words) {
        return Some((Engine::Vllm, Some(entry), len));
    }
    if let Some(len) = sglang::match_entry_point(words) {
        return Some((Engine::Sglang, None, len));
    }
    sglang::match_simulator(words).map(|len| (Engine::Simulator, None, len))
}

fn in_script(container: Container<'_>, index: usize) -> Option<EngineCommand> {
    let node = container.argv_node(index)?;
    let source = node.text()?;
    let literal = Text::literal(node);
    let script = shell::parse_argument(source, |name| container.variable(name));
    // The last one wins: earlier commands are often tests of the same program (`vllm --version`).
    script.commands.iter().rev().find_map(|command| {
        let program = command.program();
        let words: Vec<&str> = program.iter().map(|w| w.text.as_str()).collect();
        let (engine, entry_point, skip) = match_entry(&words)?;
        let text = |w: &shell::Word| literal.cut(w.text.clone(), w.opaque, w.range.clone(), w.pieces());
        let rest = &program[skip..];
        let name = program.first()?;
        Some(EngineCommand {
            engine,
            open: rest.iter().any(|w| w.splits),
            words: rest.iter().map(text).collect(),
            in_script: true,
            entry_point,
            grip: literal.sub_span(name.range.start..program[skip - 1].range.end),
            script_env: script
                .environment(command)
                .into_iter()
                .map(|(name, value)| (name.to_string(), value.map(text)))
                .collect(),
        })
    })
}
