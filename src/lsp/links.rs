//! Links in a text: from a kustomization to the files that it names, and from a suppression to the rules that it silences.

use std::path::Path;

use lsp_types::{DocumentLink, Uri};

use super::documents::Document;
use super::place;
use super::position::{self, Encoding};
use crate::lint::RULES;
use crate::load::discover;
use crate::report::rule_page;
use crate::source::Span;
use crate::yaml::{self, Node, Shape};

/// Every link of a text.
pub fn links(document: &Document, encoding: Encoding) -> Vec<DocumentLink> {
    let mut found = Vec::new();
    let mut add = |span: Span, target: Uri, tooltip: &str| {
        let range = position::range(&document.source, span, encoding);
        found.push(DocumentLink { range, target: Some(target), tooltip: Some(tooltip.to_string()), data: None });
    };
    let stream = yaml::parse(&document.source);
    if let Some(path) = document.path.as_deref().filter(|p| discover::is_kustomization(p)) {
        let folder = path.parent().unwrap_or(path);
        for tree in stream.documents.iter().filter_map(|d| d.content.as_ref().ok()) {
            named_files(tree.root(), folder, &mut |span, target| add(span, target, "open what the kustomization uses"));
        }
    }
    for comment in &stream.comments {
        for (span, rule) in rules_in(comment.span, document.source.slice(comment.span)) {
            if let Ok(page) = rule_page(rule).parse() {
                add(span, page, "read about the rule");
            }
        }
    }
    found
}

/// Scalars that name a file, or a folder with a kustomization, from the kustomization's folder.
fn named_files(node: Node<'_>, folder: &Path, add: &mut impl FnMut(Span, Uri)) {
    match node.shape() {
        Shape::Mapping => node.entries().into_iter().for_each(|entry| named_files(entry.value, folder, add)),
        Shape::Sequence => node.items().into_iter().for_each(|item| named_files(item, folder, add)),
        Shape::Scalar => {
            let Some(text) = node.text().filter(|t| !t.is_empty() && !t.contains('\n')) else { return };
            // A generator's file may have a key before it: `key=file`.
            let name = text.rsplit_once('=').map_or(text, |(_, file)| file);
            let path = folder.join(name);
            let file = if path.is_dir() {
                discover::KUSTOMIZATION.iter().map(|n| path.join(n)).find(|p| p.is_file())
            } else {
                path.is_file().then_some(path)
            };
            let real = file.and_then(|f| std::fs::canonicalize(f).ok());
            if let Some(uri) = real.and_then(|f| place::uri(&f)) {
                add(node.sub_span(text.len() - name.len()..text.len()), uri);
            }
        }
    }
}

/// Names of rules in a comment that is for kvlint, with their bytes.
fn rules_in(comment: Span, text: &str) -> Vec<(Span, &'static str)> {
    let Some(open) = text.find("kvlint:").and_then(|at| Some(at + text[at..].find('[')?)) else { return Vec::new() };
    let Some(close) = text[open..].find(']').map(|at| open + at) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = open + 1;
    for part in text[open + 1..close].split(',') {
        let name = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        if let Some(rule) = RULES.iter().find(|r| r.name == name) {
            let start = comment.start + start as u32;
            found.push((Span::new(comment.file, start, start + name.len() as u32), rule.name));
        }
        at += part.len() + 1;
    }
    found
}
