//! From a container to the engine that it starts: which one, and with which words.

mod hidden;

use std::cell::OnceCell;
use std::ops::Range;

use crate::facts::{sglang, vllm};
use crate::k8s::image::ImageRef;
use crate::k8s::{Argv, Container, Text};
use crate::source::Span;

use super::shell::{self, Order};

/// A script that starts more engines than this is looked at by its last.
const STARTS: usize = 16;

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
    /// How other commands of the script that start an engine, too, stand to it.
    pub company: Company,
    /// Variables that the script itself sets for the command.
    pub script_env: Vec<(String, Option<Text>)>,
    /// Lines of the script behind the command that were meant to be a part of it.
    pub cuts: Vec<Cut>,
}

/// How a command that starts an engine stands to the others of its script that do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Company {
    /// There is no other.
    Alone,
    /// No other runs at the same time: they stand in branches, or each starts when the one before has ended.
    InTurn,
    /// These may run at the same time, by their [`EngineCommand::grip`]; its own is among them where a loop starts it again.
    Abreast(Vec<Span>),
    /// The script does not tell.
    Unknown,
    /// This may start one, too, in a way that is not read.
    Hidden(Span),
}

/// A place where a line of a script ends a command that was meant to go on: the next statement starts with an option.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The index of the script in [`Container::argv_node`].
    pub argument: usize,
    /// The end of the line, by bytes of the script: what has to become ` \`. Empty where nothing stands in the way.
    pub end: Range<usize>,
    /// Whether a comment ends the line, so that words have to move.
    pub comment: bool,
    /// The option.
    pub option: Text,
    /// The last character of the line, or what ends it there.
    pub place: Span,
}

/// The commands of a container that start an engine, if its command or image tells: one, or several of one script in their order.
pub fn engine_commands(container: Container<'_>, image: Option<&ImageRef<'_>>) -> Vec<EngineCommand> {
    let argv = container.argv();
    let words: Vec<&str> = argv.words.iter().map(|t| t.value.as_str()).collect();
    match shell::shell_script_index(&words) {
        Some(index) => in_script(container, index),
        None => without_script(argv, image).into_iter().collect(),
    }
}

fn without_script(argv: Argv, image: Option<&ImageRef<'_>>) -> Option<EngineCommand> {
    let words: Vec<&str> = argv.words.iter().map(|t| t.value.as_str()).collect();
    if let Some(entry) = match_entry(&words) {
        let rest = argv.words[entry.words..].to_vec();
        return Some(EngineCommand {
            engine: entry.engine,
            open: rest.iter().any(stands_for_words),
            words: rest,
            in_script: false,
            entry_point: entry.vllm,
            grip: argv.grip,
            company: Company::Alone,
            script_env: Vec::new(),
            cuts: Vec::new(),
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
        company: Company::Alone,
        script_env: Vec::new(),
        cuts: Vec::new(),
    })
}

/// The engine that an image is built for.
pub fn engine_of_image(image: &ImageRef<'_>) -> Option<Engine> {
    if vllm::image_origin(&image.full_name()).is_some() {
        return Some(Engine::Vllm);
    }
    sglang::by_image(image.name.text).and_then(engine_of_row)
}

fn engine_of_row(row: &sglang::Engine) -> Option<Engine> {
    match row.id.as_str() {
        "sglang" | "dynamo_sglang" => Some(Engine::Sglang),
        "dynamo_vllm" => Some(Engine::Vllm),
        "simulator" => Some(Engine::Simulator),
        _ => None,
    }
}

/// Whether a first argument names a program rather than a model (`org/model`, `/models/x`) or a sub-command.
fn is_program(word: &str) -> bool {
    let base = word.rsplit('/').next().unwrap_or(word);
    is_interpreter(base) || word.starts_with("/bin/") || word.starts_with("/usr/")
}

/// `python`, `python3`, `python3.12`.
fn is_interpreter(program: &str) -> bool {
    vllm::table().interpreters.iter().any(|known| {
        program.strip_prefix(known.as_str()).is_some_and(|v| v.chars().all(|c| c == '.' || c.is_ascii_digit()))
    })
}

/// A word that is a variable nobody knows, and so may be any number of flags.
fn stands_for_words(text: &Text) -> bool {
    text.opaque && text.value.starts_with(['$', '{', '<'])
}

struct Entry {
    engine: Engine,
    vllm: Option<&'static vllm::EntryPoint>,
    /// The words that it takes.
    words: usize,
}

/// Finds the entry point at the start of a command.
fn match_entry(words: &[&str]) -> Option<Entry> {
    let first = *words.first()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    if is_interpreter(program) {
        // Interpreter switches such as `-u` may stand before `-m`.
        let module_at = words.iter().position(|w| *w == "-m")? + 1;
        let entry = match_module(&words[module_at..])?;
        return Some(Entry { words: module_at + entry.words, ..entry });
    }
    let mut named = words.to_vec();
    named[0] = program;
    let entry = vllm::table().entry_points.iter().find(|e| !e.module && starts_with(&named, &e.words));
    if let Some(entry) = entry {
        return Some(Entry { engine: Engine::Vllm, vllm: Some(entry), words: entry.words.len() });
    }
    let engine = engine_of_row(sglang::by_command(program)?)?;
    Some(Entry { engine, vllm: None, words: 1 })
}

/// The same for the words behind an interpreter's `-m`.
fn match_module(words: &[&str]) -> Option<Entry> {
    let entry = vllm::table().entry_points.iter().find(|e| e.module && starts_with(words, &e.words));
    if let Some(entry) = entry {
        return Some(Entry { engine: Engine::Vllm, vllm: Some(entry), words: entry.words.len() });
    }
    let engine = engine_of_row(sglang::by_module(words.first()?)?)?;
    Some(Entry { engine, vllm: None, words: 1 })
}

fn starts_with(words: &[&str], wanted: &[String]) -> bool {
    words.len() >= wanted.len() && words.iter().zip(wanted).all(|(have, want)| have == want)
}

/// The entry point that a command of a script starts to serve: one that is asked for its options or its release ends.
fn start(command: &shell::Command) -> Option<Entry> {
    let words: Vec<&str> = command.program().iter().map(|w| w.text.as_str()).collect();
    let entry = match_entry(&words)?;
    (!words[entry.words..].iter().any(asks_for_help)).then_some(entry)
}

fn asks_for_help(word: &&str) -> bool {
    matches!(*word, "-h" | "--help" | "--version") || word.starts_with("--help=")
}

fn in_script(container: Container<'_>, index: usize) -> Vec<EngineCommand> {
    let Some(node) = container.argv_node(index) else { return Vec::new() };
    let Some(source) = node.text() else { return Vec::new() };
    let literal = Text::literal(node);
    let environment = OnceCell::new();
    let value = |name: &str| environment.get_or_init(|| container.environment()).variable(name);
    let script = shell::parse_argument(source, value);
    let commands = script.commands.iter().take(script.end()).enumerate();
    let starts: Vec<(usize, Entry)> = commands.filter_map(|(at, command)| Some((at, start(command)?))).collect();
    let hidden = hidden::find(source, &script, &starts).map(|range| literal.sub_span(range));
    let few = starts.len() <= STARTS;
    let looked_at = if few { starts.as_slice() } else { &starts[starts.len() - 1..] };
    let grip = |(at, entry): &(usize, Entry)| {
        let program = script.commands[*at].program();
        literal.sub_span(program[0].range.start..program[entry.words - 1].range.end)
    };
    let company = |at: usize| {
        let order = |other: usize| match other == at {
            true if script.repeats(at) => Order::Abreast,
            true if script.may_be_called_again(at) => Order::Unknown,
            true => Order::InTurn,
            false => script.order(at, other),
        };
        let abreast: Vec<Span> =
            looked_at.iter().filter(|(other, _)| order(*other) == Order::Abreast).map(grip).collect();
        match hidden {
            _ if !few => Company::Unknown,
            _ if !abreast.is_empty() => Company::Abreast(abreast),
            Some(place) => Company::Hidden(place),
            None if looked_at.iter().any(|(other, _)| order(*other) == Order::Unknown) => Company::Unknown,
            None if looked_at.len() > 1 => Company::InTurn,
            None => Company::Alone,
        }
    };
    let command = |found: &(usize, Entry)| {
        let (at, entry) = found;
        let command = &script.commands[*at];
        let text = |w: &shell::Word| literal.cut(w.text.clone(), w.opaque, w.range.clone(), w.pieces());
        let rest = &command.program()[entry.words..];
        let cuts = cuts(source, &script.commands[*at..], index, &literal);
        EngineCommand {
            engine: entry.engine,
            // What was cut off counts for what was meant, and not for what runs.
            open: rest.iter().any(|w| w.splits) || !cuts.is_empty(),
            cuts,
            words: rest.iter().map(text).collect(),
            in_script: true,
            entry_point: entry.vllm,
            grip: grip(found),
            company: company(*at),
            script_env: script
                .environment(command)
                .into_iter()
                .map(|(name, value)| (name.to_string(), value.map(text)))
                .collect(),
        }
    };
    looked_at.iter().map(command).collect()
}

/// The cuts in a command, which is the first of these.
fn cuts(source: &str, commands: &[shell::Command], argument: usize, literal: &Text) -> Vec<Cut> {
    let mut found = Vec::new();
    for pair in commands.windows(2) {
        let [command, next] = pair else { break };
        let Some(option) = next.words.first().filter(|w| is_option(&w.text)) else { break };
        let end = command.range.end;
        let Some(between) = source.get(end..next.range.start) else { break };
        // `;` or `&&` in front of an option is another mistake.
        let code = between.lines().map(|line| line.split('#').next().unwrap_or(line));
        if !between.contains('\n')
            || !code.into_iter().all(|line| line.trim_matches([' ', '\t', '\r', '\\']).is_empty())
        {
            break;
        }
        // `\ ` is a word: the blank that it escapes.
        let written = &source[..end];
        let blank = written.trim_end_matches([' ', '\t']);
        let escaped = blank.strip_suffix('\\').filter(|_| blank.len() < end);
        let line_end = end + between.find('\n').unwrap_or(0);
        let from = escaped.map_or(end, |text| text.trim_end_matches([' ', '\t']).len());
        let comment = between.find('#').map(|hash| end + hash);
        let last = written.char_indices().next_back().map_or(0, |(start, _)| start);
        let place = match (comment, escaped) {
            (Some(hash), _) => hash..hash + between[hash - end..].lines().next().map_or(0, str::len),
            (None, Some(text)) => text.len()..end,
            (None, None) => last..end,
        };
        found.push(Cut {
            argument,
            end: from..line_end,
            comment: comment.is_some(),
            option: literal.cut(option.text.clone(), option.opaque, option.range.clone(), option.pieces()),
            place: literal.sub_span(place),
        });
    }
    found
}

/// Whether a word is an option: nobody calls a program so.
fn is_option(word: &str) -> bool {
    word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}
