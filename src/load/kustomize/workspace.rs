//! What the builds of one run share: files read once, trees and steps by number, results of bases.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::accumulate::Accumulated;
use super::files::Files;
use super::resource::Resource;
use super::value::{Dialect, FragmentPlace, Origin, Place, StepId, TreeId, Value};
use crate::lexical::clean;
use crate::load::text;
use crate::load::unit::{Content, InputFile};
use crate::source::{ReadOnly, SourceFile, SourceMap, Span};
use crate::yaml::{self, Node, Step, Tree};

/// A folder on the way: where it really is, and the path to show to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Without links and `..`.
    pub canonical: PathBuf,
    /// As it was reached.
    pub shown: PathBuf,
}

/// Why the build of a root fails or surprises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// `kustomize build` stops here.
    Failed,
    /// It stops here because something is not there, which may be in a base that is not at hand.
    Absent,
    /// A key that Kustomize does not know; it stops there, too.
    UnknownKey,
    /// A document that can't be read, which is said elsewhere.
    Syntax,
    /// Something that is not on this machine: the build is not known to stop.
    Elsewhere,
    /// A part of a patch that has no effect, though it should.
    PatchLost,
    /// A variable gets a value and a source for it.
    ValueAndValueFrom,
    /// A patch directive that ends up in the object.
    DirectiveLeaks,
    /// A target is looked for in a namespace that is set later.
    NamespaceLater,
}

/// Something wrong with a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildProblem {
    /// What it is.
    pub kind: ProblemKind,
    /// The place to edit.
    pub span: Span,
    /// What is wrong, without a final stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that take part.
    pub related: Vec<(Span, String)>,
}

impl BuildProblem {
    /// A reason why the build stops.
    pub fn failed(span: Span, message: impl Into<String>) -> BuildProblem {
        BuildProblem::of(ProblemKind::Failed, span, message)
    }

    /// A reason why the build stops, unless what is missing is in a base that is not at hand.
    pub fn absent(span: Span, message: impl Into<String>) -> BuildProblem {
        BuildProblem::of(ProblemKind::Absent, span, message)
    }

    /// A problem of some kind.
    pub fn of(kind: ProblemKind, span: Span, message: impl Into<String>) -> BuildProblem {
        BuildProblem { kind, span, message: message.into(), help: None, related: Vec::new() }
    }

    /// Says what to do.
    pub fn help(mut self, text: impl Into<String>) -> BuildProblem {
        self.help = Some(text.into());
        self
    }

    /// Names another place.
    pub fn related(mut self, span: Span, text: impl Into<String>) -> BuildProblem {
        self.related.push((span, text.into()));
        self
    }

    /// Whether `kustomize build` stops because of it.
    pub fn is_fatal(&self) -> bool {
        matches!(self.kind, ProblemKind::Failed | ProblemKind::Absent | ProblemKind::UnknownKey | ProblemKind::Syntax)
    }
}

/// Shorthand for what can stop a step.
pub type Outcome<T> = Result<T, Box<BuildProblem>>;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct ReadFile {
    /// Its bytes where it is no text.
    pub bytes: Option<Arc<[u8]>>,
    /// Its text, lossy where it is no text.
    pub source: Arc<SourceFile>,
    /// Its documents, once it was read as YAML.
    pub yaml: Option<Arc<Documents>>,
    /// Its objects, once it was read as resources.
    pub resources: Option<Arc<Vec<Resource>>>,
}

/// The documents of a file.
#[derive(Debug)]
pub struct Documents {
    /// What the parser gave.
    pub stream: yaml::Stream,
    /// The trees by number, in order; the place of the error where there is none.
    pub trees: Vec<Result<TreeId, yaml::SyntaxError>>,
}

/// What the builds of one run share.
pub struct Workspace<'a> {
    /// Where files come from.
    pub files: &'a dyn Files,
    /// Every text of the run.
    pub sources: &'a mut SourceMap,
    /// Trees by number.
    pub trees: Vec<Arc<Tree>>,
    /// Steps by number.
    pub steps: Vec<Step>,
    /// Results of folders, without what those above them do.
    pub(super) built: HashMap<PathBuf, Arc<Accumulated>>,
    pub(super) kustomizations: HashMap<PathBuf, Arc<super::kustomization::Kustomization>>,
    /// What is wrong inside kustomization files.
    pub(super) file_problems: HashMap<PathBuf, Vec<BuildProblem>>,
    /// Whether files outside the folder may be used, as with `--load-restrictor LoadRestrictionsNone`.
    pub load_anywhere: bool,
    /// Whether `buildMetadata` asks for annotations that say where objects come from.
    pub(super) notes: bool,
    /// Folders, canonical, outside of which nothing is edited; none for no such limit.
    pub editable: Vec<PathBuf>,
    /// Kustomizations that the root has run so far.
    pub(super) runs: usize,
    read: HashMap<PathBuf, ReadFile>,
}

impl<'a> Workspace<'a> {
    /// A workspace that has read nothing yet.
    pub fn new(files: &'a dyn Files, sources: &'a mut SourceMap) -> Workspace<'a> {
        Workspace {
            files,
            sources,
            trees: Vec::new(),
            steps: vec![Step::Written],
            built: HashMap::new(),
            kustomizations: HashMap::new(),
            file_problems: HashMap::new(),
            load_anywhere: false,
            notes: false,
            editable: Vec::new(),
            runs: 0,
            read: HashMap::new(),
        }
    }

    /// Names a tree by a number.
    pub fn add_tree(&mut self, tree: Arc<Tree>) -> TreeId {
        self.trees.push(tree);
        (self.trees.len() - 1) as TreeId
    }

    /// Names a step by a number.
    pub fn add_step(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        (self.steps.len() - 1) as StepId
    }

    /// The node at a place.
    pub fn node(&self, tree: TreeId, node: u32) -> Node<'_> {
        self.trees[tree as usize].node(node)
    }

    /// The bytes to show for an origin.
    pub fn span(&self, origin: &Origin) -> Span {
        let lens: &[_] = if let Place::Rope(parts) = &origin.place { parts } else { &[] };
        let spans = self.spans(origin);
        let longest = (0..spans.len()).max_by_key(|i| lens.get(*i).map_or(0, |part| part.len));
        longest.map_or_else(|| Span::new(crate::source::FileId(0), 0, 0), |i| spans[i])
    }

    /// The bytes of every part of an origin, in order.
    pub fn spans(&self, origin: &Origin) -> Vec<Span> {
        let of_part = |part: &super::value::Fragment| match &part.place {
            FragmentPlace::Node(tree, node, start) => self.node(*tree, *node).sub_span(*start..*start + part.len),
            FragmentPlace::Whole(tree, node) => self.node(*tree, *node).span(),
            FragmentPlace::Span(span) => *span,
        };
        match &origin.place {
            Place::Node(tree, node) => vec![self.node(*tree, *node).span()],
            Place::Span(span) => vec![*span],
            Place::Rope(parts) => parts.iter().map(of_part).collect(),
        }
    }

    /// A short place to hold an origin by.
    pub fn grip(&self, origin: &Origin) -> Span {
        match &origin.place {
            Place::Node(tree, node) => self.node(*tree, *node).grip(),
            _ => self.span(origin),
        }
    }

    /// A place for what is wrong with a kustomization whose text is not there: the start of an empty text of its name.
    pub(super) fn start_of_unread(&mut self, folder: &Folder) -> Span {
        let there = |name: &&&str| self.files.canonical(&folder.canonical.join(name)).is_some();
        let name = crate::load::discover::KUSTOMIZATION.iter().find(there);
        let path = name.map_or_else(|| folder.shown.clone(), |name| clean(&folder.shown.join(name)));
        let source = self.sources.insert(SourceFile::new(self.sources.next_id(), path, "").read_only());
        Span::new(source.id(), 0, 0)
    }

    /// Reads a file once per run.
    ///
    /// # Errors
    /// When it can't be read, in words.
    pub fn read(&mut self, canonical: &Path, shown: &Path) -> Result<ReadFile, String> {
        if let Some(file) = self.read.get(canonical) {
            return Ok(file.clone());
        }
        let bytes = self.files.read(canonical).map_err(|e| crate::load::discover::describe(&e))?;
        let id = self.sources.next_id();
        let file = match text::decode(bytes.clone()) {
            Ok(decoded) => {
                let mut source = SourceFile::new(id, clean(shown), decoded.text).read_from(canonical);
                if decoded.encoding != text::Encoding::Utf8 {
                    source = source.read_only();
                }
                if !self.editable.is_empty() && !self.editable.iter().any(|folder| canonical.starts_with(folder)) {
                    source = source.read_only_for(ReadOnly::Outside);
                }
                if crate::load::helm::stream::is_rendered(source.text()) {
                    source = source.read_only_for(ReadOnly::Rendered);
                }
                ReadFile { bytes: None, source: self.sources.insert(source), yaml: None, resources: None }
            }
            Err(error) => {
                let source = SourceFile::new(id, clean(shown), error.lossy).read_only();
                let source = self.sources.insert(source);
                ReadFile { bytes: Some(bytes.into()), source, yaml: None, resources: None }
            }
        };
        self.read.insert(canonical.to_path_buf(), file.clone());
        Ok(file)
    }

    /// Reads a file as YAML, once per run.
    ///
    /// # Errors
    /// When it can't be read or is no text, in words.
    pub fn read_yaml(&mut self, canonical: &Path, shown: &Path) -> Result<(ReadFile, Arc<Documents>), String> {
        let mut file = self.read(canonical, shown)?;
        if let Some(documents) = &file.yaml {
            let documents = Arc::clone(documents);
            return Ok((file, documents));
        }
        if file.bytes.is_some() {
            return Err("it is not text".into());
        }
        let stream = yaml::parse(&file.source);
        let trees = stream.documents.iter().map(|d| match &d.content {
            Ok(tree) => Ok(self.add_tree(Arc::clone(tree))),
            Err(e) => Err(e.clone()),
        });
        let trees = trees.collect();
        let documents = Arc::new(Documents { stream, trees });
        file.yaml = Some(Arc::clone(&documents));
        self.read.insert(canonical.to_path_buf(), file.clone());
        Ok((file, documents))
    }

    /// Keeps the objects of a file, so that the next overlay shares them.
    pub fn keep_resources(&mut self, canonical: &Path, resources: Arc<Vec<Resource>>) {
        if let Some(file) = self.read.get_mut(canonical) {
            file.resources = Some(resources);
        }
    }

    /// The files that were read as YAML, for a unit.
    pub fn input_file(&self, canonical: &Path) -> Option<InputFile> {
        let file = self.read.get(canonical)?;
        let documents = file.yaml.as_ref()?;
        Some(InputFile { source: Arc::clone(&file.source), content: Content::Stream(documents.stream.clone()) })
    }

    /// Reads text that stands inside a scalar. Every document becomes a value.
    ///
    /// # Errors
    /// The first place that is not YAML.
    pub fn read_embedded(
        &mut self,
        tree: TreeId,
        node: u32,
        dialect: Dialect,
    ) -> Result<Vec<Value>, yaml::SyntaxError> {
        let node = self.trees[tree as usize].node(node);
        let text = node.text().unwrap_or_default();
        let parsed = yaml::parse_embedded_stream(node.source(), text, node.scalar_map())?;
        Ok(parsed
            .into_iter()
            .map(|tree| {
                let id = self.add_tree(Arc::new(tree));
                Value::read(self.trees[id as usize].root(), id, dialect)
            })
            .collect())
    }
}
