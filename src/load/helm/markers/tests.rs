use std::sync::Arc;

use super::*;
use crate::source::{FileId, SourceFile};

fn template(text: &str) -> Template {
    Template::parse(&Arc::new(SourceFile::new(FileId(0), "t.yaml", text)))
}

/// The template with marks at line ends, which are shown as `@` and the line from 0.
fn ends(text: &str) -> String {
    MARK.replace_all(&marked(&template(text), 7, Extent::Ends), "@$2").into_owned()
}

#[test]
fn marks_stand_where_a_comment_may_stand() {
    for (text, want) in [
        ("a: 1\nb:\n  - x\n", "a: 1@0\nb:@1\n  - x@2\n"),
        ("a: {{ .x }}\n", "a: {{ .x }}@0\n"),
        ("a: 1", "a: 1@0"),
        ("a: 1 \r\nb: 2\r\n", "a: 1@0 \r\nb: 2@1\r\n"),
        ("# why\n", "# why@0\n"),
        // What follows is joined to it, and the mark goes with the line.
        ("a:\n{{- .x | nindent 2 }}\nb: 1\n", "a:@0\n{{- .x | nindent 2 }}@1\nb: 1@2\n"),
        ("{{ if .x }}\na: 1\n{{ end }}\n", "{{ if .x }}\na: 1@1\n{{ end }}\n"),
    ] {
        assert_eq!(ends(text), want, "{text}");
    }
}

#[test]
fn no_mark_stands_where_it_would_be_more_than_a_comment() {
    for text in [
        // Text that goes on, and words that may be a part of a longer value.
        "word\n\n",
        // Within an action.
        "{{ .x\n }}\n",
        "{{/* a: 1\n */}}\n",
        // The line's end is not printed.
        "a: {{ .x -}}\nb\n",
        // Separators.
        "--- # a: 1\n",
        // Nothing but actions.
        "{{ .x }}\n",
        "{{ define \"x\" }}\n{{ end }}\n",
    ] {
        assert_eq!(ends(text), text);
    }
}

#[test]
fn lines_that_an_action_gives_are_marked_too() {
    let marked = marked(&template("a:\n  {{- toYaml .x | nindent 2 }}\n"), 0, Extent::Lines);
    let want = "a: #⟦0:0⟧\n  {{- regexReplaceAll \"(\\\\S)\\n\" (toString (toYaml .x | nindent 2)) \"${1} #⟦0:1⟧\\n\" }} #⟦0:1⟧\n";
    assert_eq!(marked, want);
    assert!(template(&marked).problems().is_empty());
}

#[test]
fn marks_are_taken_off_and_only_the_last_of_a_line_count() {
    let mark = |line| Mark { file: 0, line };
    assert_eq!(strip("a: 1 #⟦0:4⟧ #⟦0:2⟧"), ("a: 1".into(), vec![mark(4), mark(2)]));
    assert_eq!(strip("a: b #⟦0:4⟧-c #⟦0:2⟧"), ("a: b-c".into(), vec![mark(2)]));
    assert_eq!(strip("a: b #⟦0:4⟧-c"), ("a: b-c".into(), vec![]));
    assert_eq!(strip("a: ⟦0:4⟧"), ("a: ⟦0:4⟧".into(), vec![]));
}

#[test]
fn a_document_counts_when_it_differs_in_single_lines_only() {
    let lines = |accepted: Option<Vec<Vec<Mark>>>| accepted.map(|lines| lines.iter().map(Vec::len).collect::<Vec<_>>());
    assert_eq!(lines(accept("a: 1\nb: 2", "a: 1 #⟦0:0⟧\nb: 2")), Some(vec![1, 0]));
    // A checksum that the marks change, and what it stands on.
    assert_eq!(lines(accept("a: 1\nsum: x\nb: 2", "a: 1 #⟦0:0⟧\nsum: y #⟦0:1⟧\nb: 2 #⟦0:2⟧")), Some(vec![1, 0, 1]));
    assert_eq!(lines(accept("a: 1\nb: 2", "a: 0 #⟦0:0⟧\nb: 0")), None);
    assert_eq!(lines(accept("a: 1\nb: 2", "a: 1 #⟦0:0⟧")), None);
}

/// Templates without actions, rendered to themselves.
struct Chart {
    folder: tempfile::TempDir,
    templates: Vec<(&'static str, Template)>,
}

impl Chart {
    fn new(templates: &[(&'static str, &str)]) -> Chart {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let templates = templates.iter().map(|(name, text)| (*name, template(text))).collect();
        Chart { folder, templates }
    }

    fn files(&self) -> Vec<TemplateFile<'_>> {
        self.templates
            .iter()
            .map(|(name, template)| TemplateFile { source: format!("c/{name}"), path: PathBuf::from(name), template })
            .collect()
    }

    fn clean(&self) -> Vec<Document> {
        let text = |template: &Template| template.source().text().to_string();
        self.templates.iter().map(|(name, t)| Document { source: format!("c/{name}"), text: text(t) }).collect()
    }

    /// Reads what stands in the folder; `refuses` gives helm's words for a text that it does not take.
    fn mark(&self, refuses: &dyn Fn(&str, &str) -> Option<String>) -> Result<Marks, String> {
        mark(self.folder.path(), &self.files(), &self.clean(), &|folder| {
            let mut documents = Vec::new();
            for (name, _) in &self.templates {
                let text = std::fs::read_to_string(folder.join(name)).expect("it was written");
                if let Some(words) = refuses(name, &text) {
                    return Err(words);
                }
                documents.push(Document { source: format!("c/{name}"), text });
            }
            Ok(documents)
        })
    }
}

#[test]
fn a_template_whose_marks_break_it_is_rendered_without() {
    let chart = Chart::new(&[("a.yaml", "a: 1\n"), ("b.yaml", "b: one\n  two: three\n"), ("bb.yaml", "c: 1\n")]);
    let marks = chart
        .mark(&|name, text| {
            let broken = name == "b.yaml" && text.contains('#');
            broken.then(|| "Error: YAML parse error on c/b.yaml: error converting".to_string())
        })
        .expect("it is rendered in the end");
    assert_eq!(marks.without, [1]);
    let counts: Vec<Vec<usize>> =
        marks.documents.iter().map(|d| d.as_ref().expect("accepted").iter().map(Vec::len).collect()).collect();
    assert_eq!(counts, [vec![1], vec![0, 0], vec![1]]);
    assert_eq!(marks.documents[2].as_ref().expect("accepted")[0], [Mark { file: 2, line: 0 }]);
}

#[test]
fn what_fails_without_a_name_ends() {
    let chart = Chart::new(&[("a.yaml", "a: 1\n")]);
    let failed = chart.mark(&|_, _| Some("Error: no memory".into()));
    assert_eq!(failed.expect_err("it never renders"), "Error: no memory");
}

#[test]
fn marks_behind_that_of_the_template_itself_are_of_lines_that_print_nothing() {
    let mark = |line| Mark { file: 0, line };
    let chart = Chart::new(&[("a.yaml", "a: 1\n")]);
    let mut marks = Marks { documents: vec![Some(vec![vec![mark(0), mark(1)]])], without: Vec::new() };
    marks.cut(&chart.clean(), &chart.files());
    assert_eq!(marks.documents[0].as_ref().expect("as before")[0], [mark(0)]);
}
