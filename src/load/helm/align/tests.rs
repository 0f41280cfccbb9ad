use std::sync::Arc;

use super::super::template::Template;
use super::*;
use crate::source::{FileId, SourceFile};

fn template(id: u32, text: &str) -> Template {
    Template::parse(&Arc::new(SourceFile::new(FileId(id), format!("{id}"), text)))
}

/// What is known of a document: for each line the lines of the places from 1, `?` behind what is not certain, `-` for a
/// line of which nothing is known.
fn mapped(main: &str, helpers: &str, document: &str) -> String {
    let (main, helpers) = (template(0, main), template(1, helpers));
    assert_eq!((main.problems(), helpers.problems()), (&[][..], &[][..]));
    let defines = Defines::new([("c/templates/a.yaml", &main), ("c/templates/_h.tpl", &helpers)]);
    let alignment = Aligner::new(&main, &defines).align(document);
    assert_covers(&alignment, document);
    let number = |place: &Place| {
        let file = if place.span.file == FileId(0) { &main } else { &helpers };
        let line = file.source().line_index(place.span.start) + 1;
        let prefix = if place.span.file == FileId(0) { "" } else { "h" };
        format!("{prefix}{line}{}", if place.confidence >= Confidence::High { "" } else { "?" })
    };
    let line = |line: &LineOrigin| match line.places.as_slice() {
        [] => "-".to_string(),
        places => places.iter().map(number).collect::<Vec<_>>().join(">"),
    };
    alignment.lines.iter().map(line).collect::<Vec<_>>().join(" ")
}

/// Pieces follow each other without a gap, and there is one origin for each line.
#[track_caller]
fn assert_covers(alignment: &Alignment, document: &str) {
    assert_eq!(alignment.lines.len(), document.strip_suffix('\n').unwrap_or(document).split('\n').count());
    for pair in alignment.pieces.windows(2) {
        assert_eq!(pair[0].range.end, pair[1].range.start);
    }
}

/// The text of the template under the place of the only piece that a part of the document touches.
fn located(main: &str, helpers: &str, document: &str, part: &str) -> Vec<String> {
    let (main, helpers) = (template(0, main), template(1, helpers));
    let defines = Defines::new([("c/templates/a.yaml", &main), ("c/templates/_h.tpl", &helpers)]);
    let alignment = Aligner::new(&main, &defines).align(document);
    let start = document.find(part).expect("the part is there");
    let slice =
        |span: Span| if span.file == FileId(0) { main.source().slice(span) } else { helpers.source().slice(span) };
    let shown = |piece: Piece| {
        let inner = *piece.inner().expect("a place");
        slice(inner.expr.unwrap_or(inner.span)).to_string()
    };
    alignment.locate(start..start + part.len()).into_iter().map(shown).collect()
}

const POD: &str = "\
{{- if .Values.enabled }}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Values.name }}
  {{- with .Values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    {{- include \"labels\" . | nindent 4 }}
spec:
  containers:
    {{- range $name, $image := .Values.containers }}
    - name: {{ $name }}
      image: {{ $image | quote }}
      ports: [{containerPort: 5557}]
    {{- else }}
    - name: none
    {{- end }}
{{- end }}
---
kind: Service
spec:
  port: {{ .Values.port | default 8000 }}
";

const LABELS: &str = "\
{{- define \"labels\" -}}
app: {{ .Chart.Name }}
{{ include \"more\" . }}
{{- end }}

{{- define \"more\" }}tier: backend{{ end }}
";

#[test]
fn actions_trims_branches_loops_and_includes() {
    let document = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  annotations:\n    one: two\n    three:\n    - four\n  \
                    labels:\n    app: c\n    tier: backend\nspec:\n  containers:\n    - name: a\n      image: \"i:1\"\n      \
                    ports: [{containerPort: 5557}]\n    - name: b\n      image: \"j\"\n      ports: [{containerPort: 5557}]\n";
    assert_eq!(mapped(POD, LABELS, document), "2 3 4 5 7 8 8 8 10 11>h2 11>h3>h6 12 13 15 16 17 15 16 17");
}

#[test]
fn each_document_of_a_template_is_found_by_itself() {
    assert_eq!(mapped(POD, LABELS, "kind: Service\nspec:\n  port: 8000\n"), "23 24 25");
}

#[test]
fn blanks_around_a_document_do_not_matter() {
    assert_eq!(mapped(POD, LABELS, "\n\nkind: Service\nspec:\n  port: 8000\n\n"), "- - 23 24 25 -");
}

#[test]
fn a_template_without_actions_is_itself() {
    let text = "# a\na: 1\n\nb: 2\n---\nc: 3\n";
    assert_eq!(mapped(text, "", "# a\na: 1\n\nb: 2"), "1 2 3 4");
    assert_eq!(mapped(text, "", "c: 3"), "6");
}

#[test]
fn the_same_text_in_two_arms_is_not_certain() {
    let text = "a: first\n{{ if .x }}\nkind: Something\n{{ else }}\nkind: Something\n{{ end }}\nb: last\n";
    let document = "a: first\n\nkind: Something\n\nb: last\n";
    let found = mapped(text, "", document);
    assert!(found.starts_with("1 ") && found.ends_with(" 7") && found.contains('?'), "{found}");
}

#[test]
fn a_default_that_the_values_may_spell_out_is_not_certain() {
    let text =
        "modes:\n{{- if .m }}\n{{- toYaml .m | nindent 2 }}\n{{- else }}\n  - ReadWriteOnce\n{{- end }}\nsize: 1Gi\n";
    assert_eq!(mapped(text, "", "modes:\n  - ReadWriteOnce\nsize: 1Gi\n"), "1 5? 7");
    assert_eq!(mapped(text, "", "modes:\n  - ReadWriteMany\nsize: 1Gi\n"), "1 3 7");
}

#[test]
fn arms_that_exclude_each_other_are_told_apart_by_what_surrounds_them() {
    let text = "{{ if .x }}\nalpha-of-one-arm: 1\nshared: text of both arms\n{{ else }}\nshared: text of both arms\nomega-of-the-other: 1\n{{ end }}\n";
    assert_eq!(mapped(text, "", "alpha-of-one-arm: 1\nshared: text of both arms\n"), "2 3");
    assert_eq!(mapped(text, "", "shared: text of both arms\nomega-of-the-other: 1\n"), "5 6");
}

#[test]
fn a_place_is_the_literal_bytes_or_the_expression() {
    let text = "endpoint: \"tcp://*:{{ .Values.kv.port }}\"\nargs: [--port, 5556]\n";
    let document = "endpoint: \"tcp://*:5557\"\nargs: [--port, 5556]\n";
    assert_eq!(located(text, "", document, "5557"), [".Values.kv.port"]);
    assert_eq!(located(text, "", document, "5556"), ["5556"]);
    assert_eq!(located(text, "", document, "tcp://*:5557"), ["tcp://*:", ".Values.kv.port"]);
}

/// Whether each part of a document's last line is certain.
fn certain(main: &str, document: &str) -> Vec<(String, bool)> {
    let main = template(0, main);
    let alignment = Aligner::new(&main, &Defines::default()).align(document);
    let start = document.rfind('\n').map_or(0, |at| at + 1);
    let shown = |piece: Piece| {
        let place = *piece.inner().expect("a place");
        (document[piece.range].to_string(), place.confidence >= Confidence::High)
    };
    alignment.locate(start..document.len()).into_iter().map(shown).collect()
}

#[test]
fn a_part_is_certain_when_its_ends_are() {
    let parts = |list: &[(&str, bool)]| list.iter().map(|(text, sure)| (text.to_string(), *sure)).collect::<Vec<_>>();
    assert_eq!(
        certain("image: {{ .repository }}:{{ .tag }}\n", "image: vllm:v1"),
        parts(&[("image: ", true), ("vllm", true), (":", true), ("v1", true)])
    );
    // Which of the two has the dash is not told.
    let found = certain("name: {{ .a }}-{{ .b }}\n", "name: one-two-three");
    let dashes: Vec<bool> = found.iter().skip(1).map(|(_, sure)| *sure).collect();
    assert!(found[0].1 && dashes.contains(&false), "{found:?}");
    let whole = |(text, sure): &(String, bool)| !(*sure && text.contains("two"));
    assert!(found.iter().all(whole), "{found:?}");
}

#[test]
fn a_format_tells_its_arguments_apart() {
    let text = "a: {{ printf \"%s-%d\" .Values.name (int .Values.port) | quote }}\n";
    assert_eq!(located(text, "", "a: \"engine-5557\"", "engine"), [".Values.name"]);
    assert_eq!(located(text, "", "a: \"engine-5557\"", "5557"), ["int .Values.port"]);
}

#[test]
fn variables_and_dot_lead_to_what_they_were_set_to() {
    let helpers = "{{ define \"affinity\" }}\npodAffinity: {}\nzone: west\n{{ end }}";
    let text = "{{- $name := \"engine-name\" }}\nname: {{ $name }}\n{{- with include \"affinity\" . }}\naffinity:\n  {{- trim . | nindent 2 }}\n{{- end }}\n";
    let document = "name: engine-name\naffinity:\n  podAffinity: {}\n  zone: west\n";
    assert_eq!(mapped(text, helpers, document), "2 4 5>h2 5>h3");
    assert_eq!(located(text, helpers, document, "engine-name"), ["\"engine-name\""]);
    assert_eq!(located(text, helpers, document, "west"), ["west"]);
}

#[test]
fn lines_of_a_value_belong_to_the_action_that_prints_it() {
    let text = "data:\n  a.sh: |\n{{ .Files.Get \"a.sh\" | indent 4 }}\nkind: ConfigMap\n";
    assert_eq!(
        mapped(text, "", "data:\n  a.sh: |\n    #!/bin/sh\n    \n    kind: no\nkind: ConfigMap\n"),
        "1 2 3 3 3 4"
    );
}

#[test]
fn the_definition_that_helm_reads_last_counts() {
    let (deep, flat) =
        (template(1, "{{ define \"n\" }}deep: 1{{ end }}"), template(2, "{{ define \"n\" }}flat: 1{{ end }}"));
    let defines = Defines::new([("c/templates/_a.tpl", &flat), ("c/charts/d/templates/_a.tpl", &deep)]);
    assert_eq!(defines.get("n").expect("it is there").0.source().id(), FileId(2));
}

#[test]
fn a_template_that_was_edited_since_gives_no_certain_line() {
    let document = "kind: Service\nmetadata:\n  name: added-since\nspec:\n  port: 8000\n";
    assert_eq!(mapped(POD, LABELS, document), "23? - - 24? 25?");
    assert_eq!(mapped("a: 1\n", "", "entirely: different\n"), "-");
}

#[test]
fn definitions_that_include_each_other_end() {
    let helpers = "{{ define \"a\" }}x{{ include \"b\" . }}{{ end }}{{ define \"b\" }}y{{ include \"a\" . }}{{ end }}";
    assert!(
        !mapped("v: {{ include \"a\" . }}\nlast: line of it\n", helpers, "v: xyxyxyxyxyz\nlast: line of it\n")
            .is_empty()
    );
}

#[test]
fn names_made_of_names_stay_small() {
    let mut text = String::from("{{ $v0 := .x }}");
    for i in 1..90 {
        text.push_str(&format!("{{{{ $v{i} := printf \"%s%s\" $v{} $v{} }}}}", i - 1, i - 1));
    }
    text.push_str("kind: {{ $v89 }}\n");
    for _ in 0..60 {
        text.push_str("{{ with printf \"%s%s\" . . }}");
    }
    text.push_str("name: {{ . }}");
    text.push_str(&"{{ end }}".repeat(60));
    assert!(mapped(&text, "", "kind: Pod\nname: some-name").starts_with("1 "));
}

#[test]
fn an_empty_range_in_a_range_ends() {
    let text = "{{ range .a }}{{ range .b }}{{ end }}{{ end }}kind: Pod of some length\n";
    assert_eq!(mapped(text, "", "kind: Pod of some length"), "1");
}

mod random {
    //! Templates put together at random, printed by a small renderer that knows where each line comes from.

    use proptest::prelude::*;

    use super::*;

    /// A part of a template.
    #[derive(Clone, Debug)]
    enum Part {
        /// A line of text.
        Line,
        /// A line with a value in it.
        Hole(String),
        /// Lines in an `if`: whether they are printed, and those of its `else`.
        If(bool, Vec<Part>, Option<Vec<Part>>),
        /// Lines in a `range`: how often.
        Range(usize, Vec<Part>),
        /// `toYaml` of these lines.
        Lines(Vec<String>),
        /// Lines of a `define`.
        Include(usize),
    }

    fn value() -> impl Strategy<Value = String> {
        "[a-z0-9]{1,12}(: [a-z]{1,6})?"
    }

    fn part() -> impl Strategy<Value = Part> {
        let leaf = prop_oneof![
            4 => Just(Part::Line),
            2 => value().prop_map(Part::Hole),
            1 => prop::collection::vec(value(), 1..4).prop_map(Part::Lines),
            1 => (1..3usize).prop_map(Part::Include),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let list = || prop::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                (any::<bool>(), list(), prop::option::of(list())).prop_map(|(on, a, b)| Part::If(on, a, b)),
                (0..3usize, list()).prop_map(|(times, body)| Part::Range(times, body)),
            ]
        })
    }

    /// The template, its helpers, and the document, with the line in the template of each of its lines.
    #[derive(Default)]
    struct Written {
        template: Vec<String>,
        helpers: String,
        names: usize,
    }

    /// Whether a `range` has a round.
    fn loops(parts: &[Part]) -> bool {
        parts.iter().any(|part| match part {
            Part::Range(times, _) => *times > 0,
            Part::If(_, body, other) => loops(body) || other.as_deref().is_some_and(loops),
            _ => false,
        })
    }

    impl Written {
        /// A line that stands nowhere else.
        fn name(&mut self) -> String {
            self.names += 1;
            format!("key{}of{:x}", self.names, (self.names as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40)
        }

        /// Writes parts into the template, and gives what they print with the line of each.
        fn write(&mut self, parts: &[Part]) -> Vec<(String, usize)> {
            let mut out = Vec::new();
            for part in parts {
                let line = self.template.len();
                match part {
                    Part::Line => {
                        let text = format!("{}: literal", self.name());
                        self.template.push(text.clone());
                        out.push((text, line));
                    }
                    Part::Hole(value) => {
                        let name = self.name();
                        self.template.push(format!("{name}: {{{{ .Values.x }}}}"));
                        out.push((format!("{name}: {value}"), line));
                    }
                    Part::Lines(values) => {
                        self.template.push("{{- toYaml .Values.y | nindent 2 }}".into());
                        out.extend(values.iter().map(|value| (format!("  {value}"), line)));
                    }
                    Part::Include(count) => {
                        let name = self.name();
                        self.template.push(format!("{{{{- include \"{name}\" . | nindent 4 }}}}"));
                        let body: Vec<String> = (0..*count).map(|_| format!("{}: in a helper", self.name())).collect();
                        self.helpers.push_str(&format!("{{{{ define \"{name}\" }}}}{}{{{{ end }}}}", body.join("\n")));
                        out.extend(body.into_iter().map(|text| (format!("    {text}"), line)));
                    }
                    Part::If(on, body, other) => {
                        self.template.push("{{- if .Values.z }}".into());
                        let first = self.write(body);
                        let mut second = Vec::new();
                        if let Some(other) = other {
                            self.template.push("{{- else }}".into());
                            second = self.write(other);
                        }
                        self.template.push("{{- end }}".into());
                        out.extend(if *on { first } else { second });
                    }
                    Part::Range(times, body) => {
                        self.template.push("{{- range .Values.w }}".into());
                        let once = self.write(body);
                        self.template.push("{{- end }}".into());
                        out.extend((0..*times).flat_map(|_| once.clone()));
                    }
                }
            }
            out
        }
    }

    proptest! {
        /// The promise that everything rests on: what is mapped with high confidence is right.
        #[test]
        fn a_certain_line_is_right(parts in prop::collection::vec(part(), 1..8)) {
            let mut written = Written::default();
            written.template.push("kind: Pod".into());
            let mut printed = vec![("kind: Pod".to_string(), 0)];
            printed.extend(written.write(&parts));
            let text = written.template.join("\n") + "\n";
            let (main, helpers) = (template(0, &text), template(1, &written.helpers));
            prop_assert!(main.problems().is_empty() && helpers.problems().is_empty());
            let defines = Defines::new([("c/templates/a.yaml", &main), ("c/templates/_h.tpl", &helpers)]);
            let document: String = printed.iter().map(|(line, _)| format!("{line}\n")).collect();
            let alignment = Aligner::new(&main, &defines).align(&document);
            prop_assert!(alignment.is_exact, "{text}\n---\n{document}");
            for (line, (printed, truth)) in alignment.lines.iter().zip(&printed) {
                let place = line.places.first().expect("an exact document has places");
                if line.confidence >= Confidence::High {
                    prop_assert_eq!(main.source().line_index(place.span.start), *truth, "{}\n{}\n---\n{}", printed, text, document);
                }
                // What one line of the template says is certain, but where a loop prints: a value of many lines that says the same is
                // hardly less likely there.
                if !loops(&parts) && printed.ends_with(": literal") && !printed.starts_with(' ') {
                    prop_assert_eq!(line.confidence, Confidence::High, "{}\n{}\n---\n{}", printed, text, document);
                }
            }
        }

        #[test]
        fn any_template_and_any_document_end(
            text in "(\\{\\{-? |[ -]?-?\\}\\}|if .a|else|end|range .b|include \"x\" \\.|[ \n\":.$()|a-c]|---\n){0,40}",
            document in "([ \n\":a-c-]|---\n){0,60}",
        ) {
            let main = template(0, &text);
            let helpers = template(1, "{{ define \"x\" }}a\n b{{ include \"x\" . }}{{ end }}");
            let defines = Defines::new([("c/templates/a.yaml", &main), ("c/templates/_h.tpl", &helpers)]);
            assert_covers(&Aligner::new(&main, &defines).align(&document), &document);
        }
    }
}
