//! Marks in a chart's templates that come out in what is rendered, and so prove where a line comes from.
//!
//! A comment with a number is put behind lines of the templates in a copy of the chart, and the copy is rendered. A
//! document counts only if it is, without the marks, what the chart itself renders to: a comment may change a value when
//! it lands in a text block whose checksum is taken, and then the rest of the document still stands.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::template::{Action, Command, Node, Pipeline, Template};
use crate::source::Span;

/// Templates that are larger are not marked: they are mostly definitions of types without actions.
const MAX_BYTES: usize = 250 * 1024;

/// How often rendering is tried again without the marks of a template that they break.
const MAX_TRIES: usize = 12;

/// A file under `templates/`, of the chart or of a dependency that is not packed.
#[derive(Clone, Debug)]
pub struct TemplateFile<'t> {
    /// Its name in `# Source:`.
    pub source: String,
    /// Its path below the chart's folder.
    pub path: PathBuf,
    /// The file, read.
    pub template: &'t Template,
}

/// A document that `helm template` printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What `# Source:` says.
    pub source: String,
    /// The text behind that line.
    pub text: String,
}

/// A mark: the index of the file, and its line from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Index into the files that were marked.
    pub file: usize,
    /// The line in the template, from 0, at whose end the mark stands.
    pub line: usize,
}

/// The marks that came out, for each document; `None` where it can't be used.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// For each line of each document, from the innermost mark to the outermost.
    pub documents: Vec<Option<Vec<Vec<Mark>>>>,
    /// Files whose marks helm would not take, so that they were rendered without.
    pub without: Vec<usize>,
}

impl Marks {
    /// Takes away the marks behind the first one of a document's own template: lines that printed nothing but blanks left
    /// them at the end of a line that was printed before.
    fn cut(&mut self, clean: &[Document], files: &[TemplateFile<'_>]) {
        for (document, lines) in clean.iter().zip(&mut self.documents) {
            let own = files.iter().position(|file| file.source == document.source);
            for marks in lines.iter_mut().flatten() {
                if let Some(first) = marks.iter().position(|mark| Some(mark.file) == own) {
                    marks.truncate(first + 1);
                }
            }
        }
    }
}

/// How much of a file is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Line ends, and the lines that actions such as `toYaml` give.
    Lines,
    /// Line ends.
    Ends,
    Nothing,
}

/// Marks the templates in a copy of a chart, renders it, and compares.
///
/// `copy` is a folder that holds the chart as it is, and that may be written to; `files` are its templates; `clean` is
/// what the chart renders to; `render` renders a folder with the same settings, and gives helm's words where it fails.
///
/// # Errors
/// When a template can't be written, and helm's words when it fails however few marks there are.
pub fn mark(
    copy: &Path,
    files: &[TemplateFile<'_>],
    clean: &[Document],
    render: &dyn Fn(&Path) -> Result<Vec<Document>, String>,
) -> Result<Marks, String> {
    let mut extents: Vec<Extent> = files
        .iter()
        .map(|file| if file.template.source().text().len() > MAX_BYTES { Extent::Nothing } else { Extent::Lines })
        .collect();
    let write = |index: usize, extent: Extent| -> Result<(), String> {
        let Some(file) = files.get(index) else { return Ok(()) };
        let path = copy.join(&file.path);
        std::fs::write(&path, marked(file.template, index, extent)).map_err(|e| format!("{}: {e}", path.display()))
    };
    for (index, &extent) in extents.iter().enumerate() {
        write(index, extent)?;
    }
    let mut failure = String::new();
    for _ in 0..MAX_TRIES {
        match render(copy) {
            Ok(documents) => {
                let without = (0..files.len()).filter(|&i| extents.get(i) == Some(&Extent::Nothing)).collect();
                let mut marks = Marks { documents: compare(clean, &documents), without };
                marks.cut(clean, files);
                return Ok(marks);
            }
            Err(message) => {
                let mut restored = false;
                for (index, file) in files.iter().enumerate() {
                    let Some(extent) = extents.get_mut(index) else { continue };
                    if *extent == Extent::Nothing || !names(&message, &file.source) {
                        continue;
                    }
                    *extent = if *extent == Extent::Lines { Extent::Ends } else { Extent::Nothing };
                    write(index, *extent)?;
                    restored = true;
                }
                failure = message;
                if !restored {
                    // The mark that breaks it stands elsewhere, in a helper perhaps.
                    for index in 0..files.len() {
                        let Some(extent) = extents.get_mut(index) else { continue };
                        if *extent == Extent::Lines {
                            *extent = Extent::Ends;
                            write(index, *extent)?;
                            restored = true;
                        }
                    }
                }
                if !restored {
                    break;
                }
            }
        }
    }
    Err(failure)
}

/// Whether helm's words name a file, and not one whose name starts alike.
fn names(message: &str, source: &str) -> bool {
    message.match_indices(source).any(|(at, _)| {
        message
            .get(at + source.len()..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(|c| !c.is_alphanumeric() && c != '.')
    })
}

/// The text of a template with marks.
fn marked(template: &Template, index: usize, extent: Extent) -> String {
    let text = template.source().text();
    if extent == Extent::Nothing {
        return text.to_string();
    }
    let mut insertions: Vec<(usize, String)> =
        line_ends(template).into_iter().map(|(offset, line)| (offset, mark_text(index, line))).collect();
    if extent == Extent::Lines {
        for (action, line) in actions_with_lines(template) {
            let (start, end) = (action.pipeline.span.start as usize, action.pipeline.span.end as usize);
            insertions.push((start, "regexReplaceAll \"(\\\\S)\\n\" (toString (".to_string()));
            insertions.push((end, format!(")) \"${{1}}{}\\n\"", mark_text(index, line))));
        }
    }
    insertions.sort_by_key(|(offset, _)| *offset);
    let mut out = String::with_capacity(text.len() + insertions.len() * 24);
    let mut at = 0;
    for (offset, insertion) in insertions {
        out.push_str(text.get(at..offset).unwrap_or(""));
        out.push_str(&insertion);
        at = offset;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

fn mark_text(file: usize, line: usize) -> String {
    format!(" #⟦{file}:{line}⟧")
}

static MARK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(" #⟦([0-9]{1,6}):([0-9]{1,7})⟧").expect("the pattern is fixed"));

/// A line without its marks, and those marks that stand at its end, in their order: a mark in the middle of a line says
/// something of what stands before it only.
fn strip(line: &str) -> (String, Vec<Mark>) {
    let mut stripped = String::with_capacity(line.len());
    let mut marks = Vec::new();
    let mut at = 0;
    for found in MARK.captures_iter(line) {
        let Some(whole) = found.get(0) else { continue };
        let between = line.get(at..whole.start()).unwrap_or("");
        if !between.trim().is_empty() {
            marks.clear();
        }
        stripped.push_str(between);
        at = whole.end();
        let number = |group: usize| found.get(group).and_then(|m| m.as_str().parse().ok());
        if let (Some(file), Some(line)) = (number(1), number(2)) {
            marks.push(Mark { file, line });
        }
    }
    let rest = line.get(at..).unwrap_or("");
    if !rest.trim().is_empty() {
        marks.clear();
    }
    stripped.push_str(rest);
    (stripped, marks)
}

/// Documents of the two renderings, one by one.
fn compare(clean: &[Document], marked: &[Document]) -> Vec<Option<Vec<Vec<Mark>>>> {
    let mut by_source: HashMap<&str, Vec<&Document>> = HashMap::new();
    for document in marked {
        by_source.entry(document.source.as_str()).or_default().push(document);
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for document in clean {
        *counts.entry(document.source.as_str()).or_default() += 1;
    }
    let mut taken: HashMap<&str, usize> = HashMap::new();
    clean
        .iter()
        .map(|document| {
            let source = document.source.as_str();
            let candidates = by_source.get(source).filter(|list| Some(&list.len()) == counts.get(source))?;
            let at = taken.entry(source).or_default();
            *at += 1;
            accept(&document.text, &candidates.get(*at - 1)?.text)
        })
        .collect()
}

/// The marks of a document, if it is the clean one but for single lines.
fn accept(clean: &str, marked: &str) -> Option<Vec<Vec<Mark>>> {
    let expected: Vec<&str> = clean.lines().collect();
    let stripped: Vec<(String, Vec<Mark>)> = marked.lines().map(strip).collect();
    if expected.len() != stripped.len() {
        return None;
    }
    let different: Vec<bool> = expected.iter().zip(&stripped).map(|(want, (got, _))| want != got).collect();
    if different.windows(2).any(|pair| pair == [true, true]) {
        return None;
    }
    let usable = |(marks, different): (Vec<Mark>, bool)| if different { Vec::new() } else { marks };
    Some(stripped.into_iter().map(|(_, marks)| marks).zip(different).map(usable).collect())
}

/// Offsets at which a comment may end a line, with the line's number.
fn line_ends(template: &Template) -> Vec<(usize, usize)> {
    let text = template.source().text();
    let mut parts = Parts::default();
    parts.collect(template.nodes());
    let mut found = Vec::new();
    let mut start = 0;
    let mut next = 0;
    for (number, line) in text.split('\n').enumerate() {
        let end = start + line.len();
        let content = start + line.trim_end().len();
        while parts.list.get(next).is_some_and(|part| part.end < start || (part.end == start && part.start < start)) {
            next += 1;
        }
        let touching: Vec<&Part> = parts.list.iter().skip(next).take_while(|part| part.start <= end).collect();
        if may_end(text, &touching, start, content, end) {
            found.push((content, number));
        }
        start = end + 1;
    }
    found
}

/// A text or a tag, in the order of the file.
#[derive(Debug)]
struct Part {
    start: usize,
    end: usize,
    /// Where what is printed of a text starts; `None` for a tag.
    kept: Option<usize>,
    /// An action that prints a block of lines.
    gives_block: bool,
}

#[derive(Default)]
struct Parts {
    list: Vec<Part>,
}

impl Parts {
    fn tag(&mut self, span: Span, gives_block: bool) {
        self.list.push(Part { start: span.start as usize, end: span.end as usize, kept: None, gives_block });
    }

    fn collect(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(text) => self.list.push(Part {
                    start: text.span.start as usize,
                    end: text.span.end as usize,
                    kept: Some(text.kept.start as usize),
                    gives_block: false,
                }),
                Node::Comment(tag) | Node::Break(tag) | Node::Continue(tag) | Node::Broken(tag) => {
                    self.tag(tag.span, false);
                }
                Node::Action(action) => self.tag(action.tag.span, action.prints() && gives_block(&action.pipeline)),
                Node::Call(call) => self.tag(call.tag.span, true),
                Node::Branch(branch) => {
                    for arm in &branch.arms {
                        self.tag(arm.tag.span, false);
                        self.collect(&arm.body);
                    }
                    branch.end.iter().for_each(|tag| self.tag(tag.span, false));
                }
                Node::Define(define) => {
                    self.tag(define.tag.span, false);
                    self.collect(&define.body);
                    define.end.iter().for_each(|tag| self.tag(tag.span, false));
                }
                Node::Block(block) => {
                    self.tag(block.tag.span, false);
                    self.collect(&block.body);
                    block.end.iter().for_each(|tag| self.tag(tag.span, false));
                }
            }
        }
    }
}

/// Whether a comment may stand at `content`, the end of what stands on a line.
fn may_end(text: &str, touching: &[&Part], start: usize, content: usize, end: usize) -> bool {
    if content == start {
        return false;
    }
    // The line must end in text that is printed.
    let Some(last) = touching.iter().rfind(|part| part.start <= content && part.end >= end) else { return false };
    let Some(kept) = last.kept else { return false };
    // What `-}}` trims starts with the line's end.
    if kept > content || (last.start == content && kept > last.start) {
        return false;
    }
    let mut literal = String::new();
    let mut block = false;
    for part in touching {
        match part.kept {
            Some(_) => literal.push_str(text.get(part.start.max(start)..part.end.min(content)).unwrap_or("")),
            None => block |= part.gives_block && part.end > start && part.end <= content,
        }
    }
    let literal = literal.trim();
    // A document's end is cut before the text is read as YAML.
    if literal.starts_with("---") {
        return false;
    }
    block || literal.contains(':') || literal.starts_with('#') || literal.starts_with("- ") || literal == "-"
}

/// Whether a pipeline prints a block of lines: it ends with an indentation or gives YAML.
fn gives_block(pipeline: &Pipeline) -> bool {
    let function = |command: &Command| command.function().map(|(name, _)| name.name.clone());
    pipeline
        .commands
        .last()
        .and_then(function)
        .is_some_and(|name| matches!(name.as_str(), "nindent" | "indent" | "toYaml" | "tpl" | "include"))
}

/// Actions that print lines, with the line that they end on. Those that help to decide something print none.
fn actions_with_lines(template: &Template) -> Vec<(&Action, usize)> {
    fn collect<'t>(nodes: &'t [Node], found: &mut Vec<&'t Action>) {
        for node in nodes {
            match node {
                Node::Action(action) if action.prints() && gives_block(&action.pipeline) => found.push(action),
                Node::Branch(branch) => branch.arms.iter().for_each(|arm| collect(&arm.body, found)),
                Node::Define(define) => collect(&define.body, found),
                Node::Block(block) => collect(&block.body, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    collect(template.nodes(), &mut found);
    // What is put on one line by a name is not a block, and a name is compared with other names.
    let named = |action: &&Action| {
        let last = action.pipeline.commands.last().and_then(Command::function);
        last.is_none_or(|(name, _)| name.name != "include")
    };
    let line = |action: &'_ Action| template.source().line_index(action.tag.span.end.saturating_sub(1));
    found.into_iter().filter(named).map(|action| (action, line(action))).collect()
}
