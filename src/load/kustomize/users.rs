//! What a kustomization names, read from its file alone: to find who uses a file without building anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entries::ReplacementEntry;
use super::fields::{Fields, Text};
use super::kustomization::Kustomization;
use crate::lexical::clean;
use crate::source::{FileId, SourceFile};
use crate::yaml::{self, Node};

/// The paths that one kustomization names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Files and folders, joined to the kustomization's folder and cleaned; whether anything is there was not asked. Texts that
    /// may be a path or YAML (`patchesStrategicMerge`, `transformers`) are among them where they are one line.
    pub paths: Vec<PathBuf>,
    /// Whether files of generators, transformers or validators take part, which may name more files.
    pub plugins: bool,
}

/// Reads a kustomization's text. What is wrong with it is said where it is built.
pub fn uses(folder: &Path, text: String) -> Uses {
    let source = Arc::new(SourceFile::new(FileId(0), folder, text));
    let stream = yaml::parse(&source);
    let Some(Ok(tree)) = stream.documents.first().map(|d| &d.content) else { return Uses::default() };
    let (root, mut problems) = (tree.root(), Vec::new());
    let k = Kustomization::read(root, 0, &mut problems);
    let f = Fields::new(root, 0, &[], "a kustomization", false, &mut problems);
    let mut named: Vec<&Text> = Vec::new();
    let lists = [
        &k.resources,
        &k.components,
        &k.configurations,
        &k.merge_patches,
        &k.external_generators,
        &k.transformers,
        &k.validators,
    ];
    named.extend(lists.into_iter().flatten());
    named.extend(k.patches.iter().chain(&k.json_patches).filter_map(|p| p.path.as_ref()));
    named.extend(k.replacements.iter().filter_map(|r| match r {
        ReplacementEntry::Path(text) => Some(text),
        ReplacementEntry::Inline(_) => None,
    }));
    named.extend(k.generators.iter().flat_map(|g| &g.envs));
    let mut names: Vec<String> = named.into_iter().map(|t| t.text.to_string()).collect();
    // `key=path`: Kustomize cuts at the first sign.
    let of_entry = |text: &Text| text.text.split_once('=').map_or(&*text.text, |(_, path)| path).to_string();
    names.extend(k.generators.iter().flat_map(|g| &g.files).map(of_entry));
    names.extend(f.texts("crds", &mut problems).iter().map(|t| t.text.to_string()));
    let text_of = |node: Option<Node<'_>>| node.and_then(Node::text).map(str::to_string);
    names.extend(text_of(f.get("openapi").and_then(|o| o.get("path"))));
    for chart in f.list("helmCharts", &mut problems) {
        names.extend(text_of(chart.get("valuesFile")));
        let more = chart.get("additionalValuesFiles").map(Node::items).unwrap_or_default();
        names.extend(more.into_iter().filter_map(|n| text_of(Some(n))));
    }
    let mut paths: Vec<PathBuf> =
        names.iter().filter(|n| !n.is_empty() && !n.contains('\n')).map(|n| clean(&folder.join(n))).collect();
    paths.sort();
    paths.dedup();
    let plugins = [&k.external_generators, &k.transformers, &k.validators].iter().any(|list| !list.is_empty());
    Uses { paths, plugins }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let found = uses(Path::new("/r/overlay"), text.to_string()).paths;
        found.iter().map(|p| p.display().to_string()).collect()
    }

    #[test]
    fn every_field_that_names_a_path_counts() {
        let text = "resources: [../base, a.yaml]\nbases: [../old]\ncomponents: [../c]\ncrds: [crd.json]\n\
            patches: [{path: p.yaml}, {patch: '[]', target: {kind: Pod}}]\npatchesStrategicMerge: [m.yaml]\n\
            patchesJson6902: [{path: j.yaml, target: {kind: Pod, name: x}}]\nconfigurations: [conf.yaml]\n\
            replacements: [{path: r.yaml}]\ntransformers: [t.yaml]\nopenapi: {path: schema.json}\n\
            configMapGenerator: [{name: x, files: [k=f.txt, g.txt], envs: [e.env]}]\n\
            helmCharts: [{name: c, valuesFile: v.yaml, additionalValuesFiles: [w.yaml]}]\n";
        let wanted = [
            "/r/base",
            "/r/c",
            "/r/old",
            "/r/overlay/a.yaml",
            "/r/overlay/conf.yaml",
            "/r/overlay/crd.json",
            "/r/overlay/e.env",
            "/r/overlay/f.txt",
            "/r/overlay/g.txt",
            "/r/overlay/j.yaml",
            "/r/overlay/m.yaml",
            "/r/overlay/p.yaml",
            "/r/overlay/r.yaml",
            "/r/overlay/schema.json",
            "/r/overlay/t.yaml",
            "/r/overlay/v.yaml",
            "/r/overlay/w.yaml",
        ];
        assert_eq!(names(text), wanted);
    }

    #[test]
    fn words_that_are_no_paths_do_not_count() {
        assert!(names("namespace: base\nnamePrefix: base-\nlabels: [{pairs: {app: base}}]\n").is_empty());
        assert!(names("resources: [\"open\n").is_empty());
        assert!(names("").is_empty());
        assert!(!uses(Path::new("/r"), "resources: [a]\n".into()).plugins);
        assert!(uses(Path::new("/r"), "generators: [g.yaml]\n".into()).plugins);
    }
}
