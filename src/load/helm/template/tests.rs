use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::source::{FileId, SourceFile};

fn parse(text: &str) -> Template {
    Template::parse(&Arc::new(SourceFile::new(FileId(0), "t.yaml", text)))
}

/// A template in one line: the kinds of its nodes and the text of each part, as the spans give it.
fn shown(text: &str) -> String {
    let template = parse(text);
    assert_eq!(template.problems(), [], "{text}");
    let mut out = String::new();
    nodes(&template, template.nodes(), &mut out);
    out
}

fn nodes(t: &Template, list: &[Node], out: &mut String) {
    for (i, node) in list.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        node_shown(t, node, out);
    }
}

fn node_shown(t: &Template, node: &Node, out: &mut String) {
    let slice = |span| t.source().slice(span);
    match node {
        Node::Text(text) => {
            let _ = write!(out, "{:?}", slice(text.kept));
        }
        Node::Comment(_) => out.push_str("comment"),
        Node::Action(action) => pipeline(t, &action.pipeline, out),
        Node::Branch(branch) => {
            let _ = write!(out, "{:?}", branch.control);
            for arm in &branch.arms {
                out.push('[');
                if let Some(condition) = &arm.pipeline {
                    pipeline(t, condition, out);
                }
                out.push_str(": ");
                nodes(t, &arm.body, out);
                out.push(']');
            }
        }
        Node::Define(define) => {
            let _ = write!(out, "Define({})[", define.name.text);
            nodes(t, &define.body, out);
            out.push(']');
        }
        Node::Block(block) => {
            let _ = write!(out, "Block({}, ", block.name.text);
            pipeline(t, &block.pipeline, out);
            out.push_str(")[");
            nodes(t, &block.body, out);
            out.push(']');
        }
        Node::Call(call) => {
            let _ = write!(out, "Call({}", call.name.text);
            if let Some(context) = &call.pipeline {
                out.push_str(", ");
                pipeline(t, context, out);
            }
            out.push(')');
        }
        Node::Break(_) => out.push_str("break"),
        Node::Continue(_) => out.push_str("continue"),
        Node::Broken(tag) => {
            let _ = write!(out, "broken<{}>", slice(tag.span));
        }
    }
}

fn pipeline(t: &Template, p: &Pipeline, out: &mut String) {
    out.push('{');
    if let Some(declaration) = &p.declaration {
        for variable in &declaration.variables {
            assert_eq!(t.source().slice(variable.span), variable.name);
            let _ = write!(out, "{} ", variable.name);
        }
        out.push_str(if declaration.assigns { "= " } else { ":= " });
    }
    for (i, command) in p.commands.iter().enumerate() {
        if i > 0 {
            out.push_str(" | ");
        }
        for (j, argument) in command.arguments.iter().enumerate() {
            if j > 0 {
                out.push(' ');
            }
            expr(t, argument, out);
        }
    }
    out.push('}');
}

fn names(t: &Template, path: &[Ident], out: &mut String) {
    for name in path {
        assert_eq!(t.source().slice(name.span), name.name);
        let _ = write!(out, ".{}", name.name);
    }
}

fn expr(t: &Template, e: &Expr, out: &mut String) {
    match e {
        Expr::Dot(_) => out.push('.'),
        Expr::Nil(_) => out.push_str("nil"),
        Expr::Bool { value, .. } => {
            let _ = write!(out, "{value}");
        }
        Expr::Field { path, .. } => names(t, path, out),
        Expr::Variable { name, path, .. } => {
            out.push_str(&name.name);
            names(t, path, out);
        }
        Expr::Chain { base, path, .. } => {
            expr(t, base, out);
            names(t, path, out);
        }
        Expr::Parenthesis { span, pipeline: inner } => {
            assert!(t.source().slice(*span).starts_with('(') && t.source().slice(*span).ends_with(')'));
            pipeline(t, inner, out);
        }
        Expr::Function(name) => out.push_str(&name.name),
        Expr::String { value, .. } => {
            let _ = write!(out, "{:?}", value.as_str());
        }
        Expr::Number(text) | Expr::Char(text) => out.push_str(&text.name),
    }
}

#[test]
fn text_and_trims() {
    assert_eq!(shown("a {{ .x }} b"), r#""a " {.x} " b""#);
    assert_eq!(shown("a \n{{- .x -}}\n b"), r#""a" {.x} "b""#);
    assert_eq!(shown("a {{-3}}"), r#""a " {-3}"#);
    assert_eq!(shown("a {{- -3 -}} \n {{- 4 }}"), r#""a" {-3} "" {4}"#);
    assert_eq!(shown("a {{- /* }} */ -}} b{{/**/}}"), r#""a" comment "b" comment"#);
    assert_eq!(shown("} }} {"), r#""} }} {""#);
    assert_eq!(shown(""), "");
}

#[test]
fn operands_and_pipelines() {
    assert_eq!(shown("{{.Values.a.b}}"), "{.Values.a.b}");
    assert_eq!(shown("{{ $.Values.a }}"), "{$.Values.a}");
    assert_eq!(shown("{{ $x.a }}{{$}}{{ . }}"), "{$x.a} {$} {.}");
    assert_eq!(shown("{{ (index .Values \"a\").b.c }}"), "{{index .Values \"a\"}.b.c}");
    assert_eq!(
        shown("{{ a.b | c 1 -2.5e3 0x1F 'q' nil true `r\"\n`}}"),
        "{a.b | c 1 -2.5e3 0x1F 'q' nil true \"r\\\"\\n\"}"
    );
    assert_eq!(shown(r#"{{ "a\n\"\x41\101\u00e9" }}"#), r#"{"a\n\"AAé"}"#);
    assert_eq!(shown("{{ printf \"%s}}\" .x|quote }}"), "{printf \"%s}}\" .x | quote}");
    assert_eq!(shown("{{ a (b (c .) | d) }}"), "{a {b {c .} | d}}");
    assert_eq!(shown("{{\n  a\n  | b\n}}"), "{a | b}");
    assert_eq!(shown("{{ .5 }}{{ .a | }}"), "{.5} {.a}");
}

#[test]
fn variables() {
    assert_eq!(shown("{{ $x := .a }}{{ $x = 1 }}{{ $x | f }}"), "{$x := .a} {$x = 1} {$x | f}");
    assert_eq!(shown("{{$x:=.a}}"), "{$x := .a}");
    assert_eq!(shown("{{ range $k, $v := .m }}{{ $k }}{{ end }}"), "Range[{$k $v := .m}: {$k}]");
    assert_eq!(shown("{{ range $v := .m }}{{ end }}"), "Range[{$v := .m}: ]");
    assert_eq!(shown("{{ with $x := .m }}{{ end }}"), "With[{$x := .m}: ]");
}

#[test]
fn control_structures() {
    assert_eq!(shown("{{ if .a }}1{{ else if .b }}2{{ else }}3{{ end }}4"), r#"If[{.a}: "1"][{.b}: "2"][: "3"] "4""#);
    assert_eq!(shown("{{ with .a }}1{{ else with .b }}2{{ end }}"), r#"With[{.a}: "1"][{.b}: "2"]"#);
    assert_eq!(
        shown("{{ range . }}{{ if . }}{{ break }}{{ end }}{{continue}}{{ else }}n{{ end }}"),
        r#"Range[{.}: If[{.}: break] continue][: "n"]"#
    );
    assert_eq!(
        shown("{{ define \"a\" }}x{{ end }}{{ template \"a\" . }}{{template `a`}}"),
        r#"Define(a)["x"] Call(a, {.}) Call(a)"#
    );
    assert_eq!(shown("{{ if .x }}{{ block \"b\" .y }}z{{ end }}{{ end }}"), r#"If[{.x}: Block(b, {.y})["z"]]"#);
}

#[test]
fn named_templates_are_found_in_blocks_too() {
    let template = parse("{{ define \"a\" }}{{ end }}{{ if 1 }}{{ block \"b\" . }}{{ end }}{{ end }}");
    let names: Vec<&str> = template.definitions().iter().map(|d| d.name.text.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

/// What is wrong and where: the text under the problem's span, and the message.
fn problems(text: &str) -> Vec<(String, String)> {
    let template = parse(text);
    template.problems().iter().map(|p| (template.source().slice(p.span).to_string(), p.message.clone())).collect()
}

#[track_caller]
fn refused(text: &str, at: &str, message: &str) {
    let found = problems(text);
    assert!(found.iter().any(|(slice, m)| slice == at && m == message), "{text}: {found:?}");
}

#[test]
fn mistakes_have_their_place() {
    refused("a{{ }}b", "", "the action has no value");
    refused("{{ | .a }}", "|", "`|` is not expected here");
    refused("{{ (a }}", "", "a parenthesis is not closed");
    refused("{{ a) }}", ")", "a parenthesis is closed that was not opened");
    refused("{{ .a | 1 }}", "1", "a value can't be passed to something that is not a function");
    refused("{{ \"a }}\nb", "\"a }}", "the string is not closed");
    refused("{{ 1.b }}", "1.b", "this is not a number");
    refused("{{ nil.b }}", "nil.b", "a literal has no fields");
    refused("{{ $x+1 }}", "$x+", "`+` can't follow a name without a blank");
    refused("{{ end }}", "{{ end }}", "`end` without anything to end");
    refused("{{ else }}", "{{ else }}", "`else` without `if`, `with` or `range`");
    refused("{{ if .a }}x", "{{ if .a }}", "there is no `end` for this");
    refused("{{ if .a }}{{ else }}{{ else }}{{ end }}", "{{ else }}", "there is an `else` already");
    refused("{{ break }}", "{{ break }}", "`break` outside `range`");
    refused("{{ template .a }}", ".a", "`template` needs a quoted name");
    refused("{{ define \"a\" . }}{{ end }}", ".", "nothing can follow the name of a `define`");
    refused("{{/* a", "{{/*", "the comment is not closed");
    refused("{{/* a */ b }}", "{{/* a */", "`}}` must follow the end of a comment");
    refused("{{ \"\\q\" }}", "\"\\q\"", "the string has an escape that does not exist");
    refused("{{ $a, $b := .x }}", ",", "there are too many variables for this");
    refused("{{ .a", "", "the action is not closed");
    refused("{{ with .a }}{{ else if .b }}{{ end }}", "if .b", "nothing can follow `else`");
}

#[test]
fn what_follows_a_mistake_is_still_read() {
    let template = parse("{{ if ( }}a{{ end }}{{ .x \"}}b{{ .y }}");
    let mut out = String::new();
    nodes(&template, template.nodes(), &mut out);
    assert_eq!(out, r#"If[: "a"] broken<{{ .x "}}> "b" {.y}"#);
    assert_eq!(template.problems().len(), 2);
}

#[test]
fn nesting_is_bounded() {
    let deep = "{{ if 1 }}".repeat(5000) + &"{{ end }}".repeat(5000);
    assert!(problems(&deep).iter().any(|(_, message)| message.contains("nested deeper")));
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(problems(&deep).iter().any(|(_, message)| message.contains("nested deeper")));
}

/// The spans of texts and tags, in the order of the tree.
fn leaves(list: &[Node], out: &mut Vec<crate::source::Span>) {
    for node in list {
        match node {
            Node::Text(text) => out.push(text.span),
            Node::Comment(tag) | Node::Break(tag) | Node::Continue(tag) | Node::Broken(tag) => out.push(tag.span),
            Node::Action(action) => out.push(action.tag.span),
            Node::Call(call) => out.push(call.tag.span),
            Node::Branch(branch) => {
                for arm in &branch.arms {
                    out.push(arm.tag.span);
                    leaves(&arm.body, out);
                }
                out.extend(branch.end.map(|tag| tag.span));
            }
            Node::Define(Define { tag, body, end, .. }) | Node::Block(Block { tag, body, end, .. }) => {
                out.push(tag.span);
                leaves(body, out);
                out.extend(end.map(|tag| tag.span));
            }
        }
    }
}

/// Checks that every byte of a file stands in one text or tag, in the order of the tree.
#[track_caller]
fn assert_complete(template: &Template) {
    let mut spans = Vec::new();
    leaves(template.nodes(), &mut spans);
    let mut at = 0;
    for span in spans {
        assert_eq!(span.start, at);
        at = span.end;
    }
    assert_eq!(at as usize, template.source().text().len());
}

proptest! {
    #[test]
    fn any_text_is_read_whole(text in "(\\{\\{-? ?|[ -]?-?\\}\\}|if|else|end|range|define|block|template|/\\*|\\*/|[ \n\"`'.$()|:=,é]|\\PC){0,60}") {
        assert_complete(&parse(&text));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        assert_complete(&parse(&text));
    }
}

fn templates_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
        let path = entry.path();
        let inside = path.components().any(|part| part.as_os_str() == "templates");
        let chart = path.ancestors().any(|folder| folder.join("Chart.yaml").is_file());
        if entry.file_type().is_file() && inside && chart {
            found.push(path.to_path_buf());
        }
    }
}

#[test]
fn real_charts_are_read_without_a_problem() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut found = Vec::new();
    templates_below(&corpus, &mut found);
    if found.is_empty() {
        println!("skipped: there are no charts at {}", corpus.display());
        return;
    }
    for path in &found {
        let text = std::fs::read_to_string(path).unwrap();
        let template = parse(&text);
        assert_eq!(template.problems(), [], "{}", path.display());
        assert_complete(&template);
    }
}
