//! Spans are the product: every part of every scalar style leads to its own bytes.

use std::sync::Arc;

use kvlint::source::{FileId, SourceFile};
use kvlint::yaml::{self, Node, ScalarMap, Shape, Stream};
use proptest::prelude::*;

fn parse(text: &str) -> (Arc<SourceFile>, Stream) {
    let source = Arc::new(SourceFile::new(FileId(0), "t.yaml", text));
    let stream = yaml::parse(&source);
    (source, stream)
}

/// The file's text under a part of the value at `path`.
fn under(text: &str, path: &str, part: &str) -> String {
    let (source, stream) = parse(text);
    let tree = stream.documents[0].content.as_ref().expect("the document is valid").clone();
    let node = tree.root().at(path).expect("the path exists");
    let value = node.text().expect("a scalar");
    let at = value.find(part).unwrap_or_else(|| panic!("{part:?} is not in {value:?}"));
    source.slice(node.sub_span(at..at + part.len())).to_string()
}

#[test]
fn a_part_of_a_scalar_is_found_in_every_style() {
    let cases = [
        ("a: tcp://*:5557 # c\n", "5557", "5557"),
        ("a: 'it''s 5557'\n", "'", "''"),
        ("a: 'it''s 5557'\n", "5557", "5557"),
        ("a: \"x\\té 5557\"\n", "5557", "5557"),
        ("a: \"x\\té 5557\"\n", "\t", "\\t"),
        ("a: \"\\U0001F600 x\"\n", "😀", "\\U0001F600"),
        ("a: |\n  one\n  two \\\n    three\n", "three", "three"),
        ("a: |2-\n   one\n  two\n", "two", "two"),
        ("a: >\n  one\n  two\n\n  three\n", "two", "two"),
        ("a: >-\n  one\n  two\n", "one two", "one\n  two"),
        ("a: one\n  two\n  three\n", "three", "three"),
        ("a: \"one\n  two\\\n  three\"\n", "three", "three"),
        ("a: |\r\n  one\r\n  two\r\n", "two", "two"),
        ("\u{feff}a: |\n  é\n  two", "two", "two"),
    ];
    for (text, part, bytes) in cases {
        assert_eq!(under(text, "a", part), bytes, "{part:?} in {text:?}");
    }
}

#[test]
fn keys_and_values_have_their_own_spans() {
    let text = "a:\n  - b: &x {c: 1}\n    d: *x\n  -\n   e: [1,\n    2]\n";
    let (source, stream) = parse(text);
    let tree = stream.documents[0].content.clone().unwrap();
    let items = tree.root().get("a").unwrap().items();
    let d = items[0].get("d").unwrap();
    assert_eq!(source.slice(d.key_span().unwrap()), "d");
    assert_eq!(source.slice(d.span()), "{c: 1}", "an alias stands for the anchor's value");
    assert_eq!(source.slice(d.written_span()), "*x");
    assert_eq!(d.get("c").unwrap().as_int(), Some(1));
    assert_eq!(source.slice(items[1].get("e").unwrap().span()), "[1,\n    2]");
    assert_eq!(source.slice(items[0].span()), "b: &x {c: 1}\n    d: *x");
}

#[test]
fn an_empty_value_is_null_and_a_place_behind_the_colon() {
    let (_, stream) = parse("a:\nb: ~\nc: \"\"\n");
    let tree = stream.documents[0].content.clone().unwrap();
    let root = tree.root();
    assert!(root.get("a").unwrap().is_null() && root.get("b").unwrap().is_null());
    assert!(root.get("a").unwrap().span().is_empty());
    assert_eq!(root.get("c").unwrap().as_str(), Some(""));
}

#[test]
fn merge_keys_bring_entries_in_and_say_from_where() {
    let text = "base: &b {x: 1, y1: 2}\nd:\n  <<: *b\n  x: 3\ne:\n  x: 3\n  <<: *b\n";
    let (source, stream) = parse(text);
    let tree = stream.documents[0].content.clone().unwrap();
    let d = tree.root().get("d").unwrap();
    assert_eq!(d.get("x").unwrap().as_int(), Some(3));
    assert_eq!(source.slice(d.entry("y1").unwrap().merged.unwrap()), "<<");
    assert_eq!(tree.root().at("e.x").unwrap().as_int(), Some(1), "a merge that comes last overrides, as in go-yaml");
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let (source, stream) = parse("a: 1\n---\nb: [1\nc: 2\n---\nd: 3 # kept\n");
    assert_eq!(stream.documents.len(), 3);
    let error = stream.documents[1].content.as_ref().unwrap_err();
    assert!(source.line_column(error.span.start).line >= 3, "{error:?}");
    assert!(stream.documents[2].content.is_ok());
    assert_eq!(source.slice(stream.comments[0].span), "# kept");
    assert!(stream.comments[0].trailing);
}

#[test]
fn what_kubernetes_reader_passes_over_moves_no_span() {
    let cases = [
        // Text of several lines need not be indented deeper.
        ("a:\n  b: \"two\n  lines\"\n  c: here\n", "a.b", "two lines", "lines"),
        ("a:\n  b: 'two\nlines'\n  c: here\n", "a.b", "two lines", "lines"),
        ("a:\n  - b: \"two\n\tlines\"\n  - 1\nc: here\n", "c", "here", "here"),
        // Tabs in brackets, and a comment behind a quote.
        ("a: {\n\tb: \"x\", # \"c: {\n\t\td: [ 1,\n\t2]\n\t}\nc: here\n", "c", "here", "here"),
        ("a:\n  b: \"y\"#é\n  c: [z]#d\n", "a.b", "y", "y"),
    ];
    for (text, path, value, part) in cases {
        let (source, stream) = parse(text);
        let tree = stream.documents[0].content.clone().unwrap_or_else(|e| panic!("{text:?}: {}", e.message));
        let node = tree.root().at(path).unwrap();
        assert_eq!(node.text(), Some(value), "{text:?}");
        let at = value.find(part).unwrap();
        assert_eq!(source.slice(node.sub_span(at..at + part.len())), part, "{text:?}");
        assert_eq!(stream.documents[0].oddities, [], "{text:?}");
    }
    let (source, stream) = parse("a: \"y\"#é\nb: 1 # c\n");
    let comments: Vec<&str> = stream.comments.iter().map(|c| source.slice(c.span)).collect();
    assert_eq!(comments, ["#é", "# c"]);
}

#[test]
fn a_mistake_is_shown_where_it_was_made() {
    let cases = [
        ("a:\n  name x\n  labels:\n    y: z\n", "name x", "write `name: x`"),
        ("a:\n  - image x\n    name: z\n", "image x", "write `image: x`"),
        ("a:\n  labels\n  b: c\n", "labels", "write `labels:`"),
        ("a: b\n  c: d\n", ":", "starts a mapping"),
        ("a: \"x\nb: \"y\"\n", "\"", "not closed on its line"),
        ("a: 'it's'\nb: c\n", "s'", "text follows the closing quote"),
        // A tab outside of brackets is one for Kubernetes, too.
        ("a:\n\tb: c\n", "\t", "indented with spaces"),
    ];
    for (text, bytes, words) in cases {
        let (source, stream) = parse(text);
        let error = stream.documents[0].content.clone().expect_err(text);
        assert_eq!(source.slice(error.span), bytes, "{text:?}: {}", error.message);
        assert!(error.message.contains(words), "{text:?}: {}", error.message);
    }
}

#[test]
fn hostile_documents_end_in_an_error() {
    let deep = format!("a: {}", "[".repeat(10_000));
    let bomb = (1..10).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_string(), |text, i| {
        let before = format!("*a{}", i - 1);
        text + &format!("a{i}: &a{i} [{}]\n", [before.as_str(); 10].join(","))
    });
    for text in [deep.as_str(), bomb.as_str(), "a: &a [*a]", "a: *nope", "a: \"x", "{{ x }}: {{ y }}: z"] {
        let (_, stream) = parse(text);
        assert!(stream.documents[0].content.is_err(), "{}", &text[..text.len().min(40)]);
    }
}

#[test]
fn text_inside_a_scalar_is_parsed_with_spans_of_the_file() {
    let text = "args:\n  - '{\"enable\":true,\n     \"it''s\": \"tcp://*:5557\"}'\n";
    let (source, stream) = parse(text);
    let tree = stream.documents[0].content.clone().unwrap();
    let scalar = tree.root().get("args").unwrap().items()[0];
    let inner = yaml::parse_embedded(&source, scalar.text().unwrap(), scalar.scalar_map()).unwrap();
    let entry = inner.root().entry("it's").unwrap();
    assert_eq!(source.slice(entry.key.span()), "\"it''s\"");
    assert_eq!(source.slice(entry.value.sub_span(8..12)), "5557");
}

#[test]
fn pieces_of_rewritten_text_lead_to_the_file() {
    let map = ScalarMap::identity(FileId(0), 100, 20);
    // `ab'c d'` became `abc d`.
    let word = map.pieces(5, 5..12, [(0, 5, 2), (2, 8, 3)]);
    assert_eq!((word.span(0..2).start, word.span(2..5).end), (105, 111));
    assert_eq!(word.span(1..3).start, 106);
}

fn every_scalar(node: Node<'_>, visit: &mut impl FnMut(Node<'_>)) {
    match node.shape() {
        Shape::Scalar => visit(node),
        Shape::Sequence => node.items().into_iter().for_each(|n| every_scalar(n, visit)),
        Shape::Mapping => node.written_entries().into_iter().for_each(|e| {
            every_scalar(e.key, visit);
            every_scalar(e.value, visit);
        }),
    }
}

proptest! {
    /// Any text at all: no panic, and every span lies in the file on character boundaries.
    #[test]
    fn spans_stay_in_bounds(text in "([a-c:\\-\\[\\]{},'\"|>&*#\\\\ é\n\t]|--- ?|<<: |: ){0,60}") {
        let (source, stream) = parse(&text);
        for document in &stream.documents {
            let Ok(tree) = &document.content else { continue };
            every_scalar(tree.root(), &mut |node| {
                let span = node.written_span();
                assert!(source.text().get(span.start as usize..span.end as usize).is_some());
                let value = node.text().unwrap();
                for (i, c) in value.char_indices() {
                    let part = node.sub_span(i..i + c.len_utf8());
                    assert!(source.text().get(part.start as usize..part.end as usize).is_some(), "{part:?} in {text:?}");
                }
            });
        }
    }

    /// A value written in any style comes back, and each word's span holds that word.
    #[test]
    fn words_are_found_where_they_stand(words in prop::collection::vec("[a-z0-9]{1,8}", 1..8), style in 0..5) {
        let value = match style {
            0 => words.join(" "),
            1 => format!("'{}'", words.join("''")),
            2 => format!("\"{}\"", words.join("\\n")),
            3 => format!("|\n    {}\n", words.join("\n    ")),
            _ => format!(">-\n    {}\n", words.join("\n    ")),
        };
        let text = format!("k:\n  v: {value}\n");
        let (source, stream) = parse(&text);
        let tree = stream.documents[0].content.clone().unwrap();
        let node = tree.root().at("k.v").unwrap();
        let decoded = node.text().unwrap();
        let mut at = 0;
        for word in &words {
            at += decoded[at..].find(word.as_str()).unwrap();
            prop_assert_eq!(source.slice(node.sub_span(at..at + word.len())), word);
            at += word.len();
        }
    }
}
