//! Finding and reading the kustomization of a folder, and the files of `configurations`.

use std::path::PathBuf;
use std::sync::Arc;

use super::accumulate::{Accumulated, Layer};
use super::fields::{Fields as Mapping, Text};
use super::kustomization::{Kustomization, field_spec};
use super::workspace::{BuildProblem, Folder, Outcome, ProblemKind, Workspace};
use crate::facts::kustomize::{FieldSpec, Fields, Gvk, NameReference};
use crate::load::discover::KUSTOMIZATION;
use crate::load::untrusted;
use crate::source::Span;
use crate::yaml::Node;

impl Workspace<'_> {
    /// The kustomization file of a folder, and what it says. What is wrong inside it is in `file_problems`.
    pub(super) fn kustomization(&mut self, folder: &Folder, from: Span) -> Outcome<(PathBuf, Arc<Kustomization>)> {
        let found: Vec<&str> =
            KUSTOMIZATION.iter().copied().filter(|n| self.files.is_file(&folder.canonical.join(n))).collect();
        let name = match &found[..] {
            [one] => *one,
            [] => {
                let message = format!("`{}` holds no kustomization", folder.shown.display());
                let help = "put a `kustomization.yaml` there, or name the files one by one";
                return Err(Box::new(BuildProblem::failed(from, message).help(help)));
            }
            [first, second, ..] => {
                let shown = folder.shown.join(second);
                // The second file is the one to take away.
                let span = match self.kustomization_file(folder, second).and_then(|path| self.read_yaml(&path, &shown))
                {
                    Ok((file, _)) => Span::new(file.source.id(), 0, 0),
                    Err(_) => from,
                };
                let message = format!("this folder has two kustomizations, `{first}` and `{second}`");
                return Err(Box::new(BuildProblem::failed(span, message).help("keep one of them")));
            }
        };
        let unread = |e: String| {
            let message = format!("`{}` can't be read: {e}", folder.shown.join(name).display());
            Box::new(BuildProblem::failed(from, message))
        };
        let path = self.kustomization_file(folder, name).map_err(unread)?;
        if let Some(known) = self.kustomizations.get(&path) {
            return Ok((path.clone(), Arc::clone(known)));
        }
        let (file, documents) = self.read_yaml(&path, &folder.shown.join(name)).map_err(unread)?;
        let mut problems = Vec::new();
        let kustomization = match documents.trees.first() {
            Some(Ok(tree)) => {
                let tree_of = Arc::clone(&self.trees[*tree as usize]);
                Kustomization::read(tree_of.root(), *tree, &mut problems)
            }
            Some(Err(e)) => {
                problems.push(BuildProblem::of(ProblemKind::Syntax, e.span, e.message.clone()));
                Kustomization::default()
            }
            None => {
                let span = Span::new(file.source.id(), 0, 0);
                let problem = BuildProblem::failed(span, "this kustomization is empty");
                problems.push(problem.help("name what it deploys under `resources`"));
                Kustomization::default()
            }
        };
        if let Some(second) = documents.stream.documents.get(1) {
            let problem =
                BuildProblem::failed(second.span.head(), "a kustomization is one document, and this file has more");
            problems.push(problem.help("move the rest to a file of its own and name it under `resources`"));
        }
        self.file_problems.insert(path.clone(), problems);
        let kustomization = Arc::new(kustomization);
        self.kustomizations.insert(path.clone(), Arc::clone(&kustomization));
        Ok((path, kustomization))
    }

    /// Where the kustomization of this name really lies. Kustomize refuses one that is a link out of the folder, and here its text
    /// would be printed, whatever it is. Source: `RestrictionRootOnly` in sigs.k8s.io/kustomize/api/internal/loader.
    fn kustomization_file(&self, folder: &Folder, name: &str) -> Result<PathBuf, String> {
        let path = folder.canonical.join(name);
        let real = self.files.canonical(&path).unwrap_or(path);
        if self.load_anywhere || real.starts_with(&folder.canonical) {
            Ok(real)
        } else {
            Err(untrusted::LEADS_OUT.into())
        }
    }

    /// A file of `configurations`.
    pub(super) fn configuration(&mut self, layer: &Layer, text: &Text, into: &mut Accumulated) -> Outcome<Fields> {
        let (canonical, shown) = self.locate_file(layer, text)?;
        into.log.uses(&canonical);
        let (_, documents) = self
            .read_yaml(&canonical, &shown)
            .map_err(|e| Box::new(BuildProblem::failed(text.span, format!("`{}` can't be read: {e}", text.text))))?;
        let mut fields = Fields::default();
        let Some(Ok(tree)) = documents.trees.first() else { return Ok(fields) };
        let tree_of = Arc::clone(&self.trees[*tree as usize]);
        let problems = &mut into.log.problems;
        let root = Mapping::new(tree_of.root(), *tree, &[], "a configuration", false, problems);
        let list = |name: &str, problems: &mut Vec<BuildProblem>| -> Arc<Vec<FieldSpec>> {
            Arc::new(root.list(name, problems).into_iter().map(|n| field_spec(n, *tree, problems)).collect())
        };
        fields.name_prefix = list("namePrefix", problems);
        fields.name_suffix = list("nameSuffix", problems);
        fields.namespace = list("namespace", problems);
        fields.common_labels = list("commonLabels", problems);
        fields.labels = list("labels", problems);
        fields.template_labels = list("templateLabels", problems);
        fields.common_annotations = list("commonAnnotations", problems);
        fields.images = list("images", problems);
        fields.replicas = list("replicas", problems);
        fields.var_reference = list("varReference", problems);
        let references = root.list("nameReference", problems);
        fields.name_reference = Arc::new(references.into_iter().map(|n| name_reference(n, *tree, problems)).collect());
        Ok(fields)
    }
}

fn name_reference(node: Node<'_>, tree: u32, problems: &mut Vec<BuildProblem>) -> NameReference {
    let f = Mapping::new(node, tree, &[], "a name reference", false, problems);
    let word = |name: &str, problems: &mut Vec<BuildProblem>| {
        f.text(name, problems).map(|t| t.text.to_string()).unwrap_or_default()
    };
    NameReference {
        target: Gvk {
            group: word("group", problems),
            version: word("version", problems),
            kind: word("kind", problems),
        },
        fields: f.list("fieldSpecs", problems).into_iter().map(|n| field_spec(n, tree, problems)).collect(),
    }
}
