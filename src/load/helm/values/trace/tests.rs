//! Templates and values in, the value behind a place of the output out.

use std::sync::Arc;

use proptest::prelude::*;

use crate::load::helm::align::{Aligner, Defines};
use crate::load::helm::template::Template;
use crate::load::helm::values::{
    ChartTemplates, ChartTexts, Feeds, Question, Trace, Tracer, ValuePath, Values, outside_templates, unread_keys,
};
use crate::source::{SourceFile, SourceMap};
use crate::yaml;

struct Case {
    sources: SourceMap,
    templates: Vec<(String, Template)>,
    values: Values,
    texts: ChartTexts,
}

impl Case {
    fn new(values: &str, templates: &[(&str, &str)]) -> Case {
        let mut sources = SourceMap::new();
        let file: Arc<SourceFile> = sources.add("values.yaml", values);
        let templates: Vec<(String, Template)> = templates
            .iter()
            .map(|(name, text)| (format!("templates/{name}"), Template::parse(&sources.add(*name, *text))))
            .collect();
        let texts = ChartTexts { name: "c".into(), values: Some(file), ..ChartTexts::default() };
        let values = Values::compute(&texts, &[], &[]).unwrap();
        Case { sources, templates, values, texts }
    }

    fn tracer(&self) -> Tracer<'_> {
        let files = self.templates.iter().map(|(name, template)| (name.as_str(), template)).collect();
        let chart = ChartTemplates { scope: ValuePath::root(), files, library: false, chart: None };
        Tracer::new(vec![chart], &self.values, outside_templates(&self.texts))
    }

    /// Traces the place of a text in what the first template rendered to.
    fn trace(&self, document: &str, mark: &str) -> Trace {
        let defines = Defines::new(self.templates.iter().map(|(name, t)| (name.as_str(), t)));
        let alignment = Aligner::new(&self.templates[0].1, &defines).align(document);
        let at = document.find(mark).expect("the mark stands in the document");
        let piece = alignment.pieces.iter().find(|piece| piece.range.contains(&at)).expect("all bytes are mapped");
        let scope = ValuePath::root();
        let question = Question { scope: &scope, places: &piece.places, document, piece: piece.range.clone(), at };
        self.tracer().trace(&question)
    }

    fn feeds(&self, document: &str, mark: &str) -> String {
        match self.trace(document, mark).feeds {
            Feeds::Exact(fed) if fed.is_key => format!("key {}", fed.path),
            Feeds::Exact(fed) => fed.path.to_string(),
            Feeds::Several(fed) => fed.iter().map(|f| f.path.to_string()).collect::<Vec<_>>().join(" | "),
            Feeds::Literal => "literal".into(),
            Feeds::Unknown => "unknown".into(),
        }
    }

    fn unread(&self) -> Vec<String> {
        let file = self.texts.values.as_ref().unwrap();
        let tree = yaml::parse(file).documents[0].content.clone().unwrap();
        let meant = |m: Option<String>| m.map_or(String::new(), |m| format!(" ({m}?)"));
        let found = unread_keys(&self.tracer(), &tree);
        found.into_iter().map(|k| format!("{}{}", k.path, meant(k.meant))).collect()
    }
}

/// One template.
fn one(values: &str, template: &str) -> Case {
    Case::new(values, &[("a.yaml", template)])
}

#[test]
fn a_value_in_its_place_is_traced_through_functions() {
    let case = one(
        "image: {repo: vllm/vllm-openai, tag: v1}\nport: 5557\nname: Engine\n",
        "image: {{ .Values.image.repo }}:{{ $.Values.image.tag | default \"x\" }}\nport: {{ .Values.port | quote }}\nname: {{ index .Values \"name\" | lower }}\nfixed: text\nrelease: {{ .Release.Name }}\n",
    );
    let document = "image: vllm/vllm-openai:v1\nport: \"5557\"\nname: engine\nfixed: text\nrelease: r-name\n";
    assert_eq!(case.feeds(document, "vllm/"), "image.repo");
    assert_eq!(case.feeds(document, "v1"), "image.tag");
    assert_eq!(case.feeds(document, "5557"), "port");
    assert_eq!(case.feeds(document, "engine"), "name");
    assert_eq!(case.feeds(document, "text"), "literal");
    assert_eq!(case.feeds(document, "r-name"), "literal");
}

#[test]
fn the_values_decide_which_alternative_is_meant() {
    let template = "a: {{ default .Values.fallback .Values.own }}\nb: {{ coalesce .Values.own .Values.other }}\nc: {{ ternary .Values.fallback .Values.other .Values.flag }}\nd: {{ .Values.own | default \"fixed\" }}\n";
    let case = one("own: \"\"\nfallback: back\nother: else\nflag: true\n", template);
    let document = "a: back\nb: else\nc: back\nd: fixed\n";
    assert_eq!(case.feeds(document, "back\nb"), "fallback");
    assert_eq!(case.feeds(document, "else"), "other");
    assert_eq!(case.feeds(document, "back\nd"), "fallback");
    assert_eq!(case.feeds(document, "fixed"), "literal");
}

#[test]
fn dot_and_variables_are_followed_through_with_and_range() {
    let case = one(
        "engine:\n  image: img\n  ports:\n  - {name: kv, port: 5557}\n  - {name: replay, port: 5558}\n",
        "{{- $e := .Values.engine }}\n{{- with $e }}\nimage: {{ .image }}\n{{- end }}\nports:\n{{- range $i, $p := $e.ports }}\n- name: {{ $p.name }}\n  containerPort: {{ .port }}\n{{- end }}\n",
    );
    let document = "image: img\nports:\n- name: kv\n  containerPort: 5557\n- name: replay\n  containerPort: 5558\n";
    assert_eq!(case.feeds(document, "img"), "engine.image");
    assert_eq!(case.feeds(document, "kv"), "engine.ports[0].name");
    assert_eq!(case.feeds(document, "5558"), "engine.ports[1].port");
}

#[test]
fn items_with_the_same_text_are_several() {
    let case = one("ports: [{p: 1}, {p: 1}]\n", "{{- range .Values.ports }}\n- {{ .p }}\n{{- end }}\n");
    assert_eq!(case.feeds("- 1\n- 1\n", "1"), "ports[0].p | ports[1].p");
}

#[test]
fn keys_of_a_mapping_are_what_range_prints() {
    let case = one(
        "env: {BLOCK_SIZE: \"16\", LEVEL: info}\n",
        "env:\n{{- range $k, $v := .Values.env }}\n- name: {{ $k }}\n  value: {{ $v | quote }}\n{{- end }}\n",
    );
    let document = "env:\n- name: BLOCK_SIZE\n  value: \"16\"\n- name: LEVEL\n  value: \"info\"\n";
    assert_eq!(case.feeds(document, "BLOCK"), "key env.BLOCK_SIZE");
    assert_eq!(case.feeds(document, "16"), "env.BLOCK_SIZE");
    assert_eq!(case.feeds(document, "info"), "env.LEVEL");
}

#[test]
fn an_include_is_followed_with_what_it_is_given() {
    let case = Case::new(
        "engine: {port: 5557}\nother: {port: 1}\nlabels: {}\n",
        &[
            ("a.yaml", "port: {{ include \"c.port\" (dict \"spec\" .Values.engine \"root\" $) }}\n"),
            ("_helpers.tpl", "{{- define \"c.port\" -}}\n{{- with .spec }}{{ .port }}{{- end }}\n{{- end }}\n"),
        ],
    );
    let trace = case.trace("port: 5557\n", "5557");
    let Feeds::Exact(fed) = &trace.feeds else { panic!("{trace:?}") };
    assert_eq!(fed.path, ValuePath::dotted("engine.port"));
    let chain: Vec<&str> = trace.chain.iter().map(|span| case.sources.slice(*span)).collect();
    assert_eq!(chain, ["{{ include \"c.port\" (dict \"spec\" .Values.engine \"root\" $) }}", "{{ .port }}"]);
}

#[test]
fn a_line_of_written_out_yaml_leads_to_its_own_value() {
    let case = one(
        "resources:\n  limits: {nvidia.com/gpu: 1, memory: 8Gi}\n  requests: {memory: 4Gi}\n",
        "spec:\n  resources:\n    {{- toYaml .Values.resources | nindent 4 }}\n  x: 1\n",
    );
    let document = "spec:\n  resources:\n    limits:\n      memory: 8Gi\n      nvidia.com/gpu: 1\n    requests:\n      memory: 4Gi\n  x: 1\n";
    assert_eq!(case.feeds(document, "8Gi"), "resources.limits.memory");
    assert_eq!(case.feeds(document, "4Gi"), "resources.requests.memory");
    assert_eq!(case.feeds(document, "nvidia"), "key resources.limits[nvidia.com/gpu]");
}

#[test]
fn conditions_around_a_place_are_told() {
    let case = one(
        "kv: {enabled: true}\nmode: zmq\nport: 5557\n",
        "{{- if .Values.kv.enabled }}\n{{- if eq .Values.mode \"zmq\" }}\nport: {{ .Values.port }}\n{{- end }}\n{{- end }}\n",
    );
    let trace = case.trace("port: 5557\n", "port");
    assert_eq!(trace.feeds, Feeds::Literal);
    let shown: Vec<(&str, String)> =
        trace.switches.iter().map(|s| (case.sources.slice(s.span), s.values[0].to_string())).collect();
    assert_eq!(shown, [(".Values.kv.enabled", "kv.enabled".into()), ("eq .Values.mode \"zmq\"", "mode".into())]);
}

#[test]
fn a_place_that_the_values_rule_out_is_no_place() {
    let case = one(
        "flag: false\na: x\nb: x\n",
        "{{ if .Values.flag }}\nv: {{ .Values.a }}\n{{ else }}\nv: {{ .Values.b }}\n{{ end }}\n",
    );
    let trace = case.trace("v: x\n", "x");
    // Both arms explain the text; the aligner takes one, and values may exclude it.
    assert!(matches!(&trace.feeds, Feeds::Exact(fed) if fed.path == ValuePath::dotted("b")) || trace.chain.is_empty());
    let dead: Vec<_> = case.tracer().dead_arms().into_iter().map(|tag| case.sources.slice(tag).to_string()).collect();
    assert_eq!(dead, ["{{ if .Values.flag }}"]);
}

#[test]
fn a_value_that_is_changed_while_rendering_is_not_claimed() {
    let case =
        one("a: {x: one}\nb: {x: two}\n", "{{- $_ := mergeOverwrite .Values.a .Values.b }}\nx: {{ .Values.a.x }}\n");
    assert_eq!(case.feeds("x: two\n", "two"), "a.x");
    assert!(matches!(case.trace("x: two\n", "two").feeds, Feeds::Several(_)));
}

#[test]
fn a_key_that_no_template_names_is_unread() {
    let case = one(
        "image: {repo: a, tga: b}\nenabled: true\ndead: {x: 1, y: 2}\nlist: [{name: a, typo: 1}, {name: b, typo: 2}]\nglobal: {any: 1}\n",
        "{{ if .Values.enabled }}\nimage: {{ .Values.image.repo }}:{{ .Values.image.tag | default \"x\" }}\n{{ range .Values.list }}\n- {{ .name }}\n{{ end }}{{ end }}",
    );
    assert_eq!(case.unread(), ["image.tga (tag?)", "dead", "list[0].typo"]);
}

#[test]
fn whatever_uses_a_mapping_as_a_whole_reads_all_of_it() {
    for template in [
        "{{ toYaml .Values }}",
        "{{ .Values | toJson | sha256sum }}",
        "{{ range $k, $v := .Values }}{{ $k }}{{ end }}",
        "{{ range $k, $v := .Values }}{{ $v | quote }}{{ end }}",
        "{{ include .Values.a . }}",
        "{{ include \"not.here\" . }}",
        "{{ tpl (index .Values .Release.Name) . }}{{ tpl (.Files.Get \"x\") . | quote }}{{ include \"not.here\" $ }}",
        "{{ $v := .Values }}{{ print $v }}",
        "{{ $d := dict \"v\" .Values }}{{ $d.v | toYaml }}",
        "{{ template \"not.here\" . }}",
        "{{ if .Values.a.b }}{{ end }}{{ with .Values }}{{ . | join \",\" }}{{ end }}",
        "{{ merge (dict) .Values | toYaml }}",
        "{{ range keys .Values }}{{ index $.Values . }}{{ end }}",
        "{{ .Values.AsMap | toYaml }}",
        "{{ .Values.YAML }}",
        "{{ deepCopy .Values | mergeOverwrite (dict \"x\" 1) | toYaml }}",
        "{{ omit .Values \"b\" | toYaml }}",
        "{{ (.Values | toYaml | fromYaml).a }}",
    ] {
        let case = one("a: {b: 1}\nc: [1]\n", template);
        assert_eq!(case.unread(), Vec::<String>::new(), "{template}");
    }
}

#[test]
fn a_mapping_of_which_only_the_presence_counts_is_read() {
    assert_eq!(one("a: {b: 1}\n", "{{ if .Values.a }}x{{ end }}").unread(), Vec::<String>::new());
    assert_eq!(one("a: {b: 1, c: 2}\n", "{{ with .Values.a }}{{ .c }}{{ end }}").unread(), ["a.b"]);
    assert_eq!(
        one("a: {b: 1}\nk: b\n", "{{ if hasKey .Values.a .Values.k }}x{{ end }}").unread(),
        Vec::<String>::new()
    );
    assert_eq!(one("a: {b: 1}\n", "{{ dig \"b\" 2 .Values.a }}").unread(), Vec::<String>::new());
}

#[test]
fn templates_in_values_are_read_too() {
    let template = "{{ range .Values.extra }}{{ tpl . $ }}{{ end }}";
    assert_eq!(one("extra: ['{{ .Values.host }}']\nhost: h\n", template).unread(), Vec::<String>::new());
    assert_eq!(one("extra: ['plain']\nhost: h\n", template).unread(), ["host"]);
}

#[test]
fn keys_that_are_there_for_others_are_read() {
    let case = Case::new(
        "spare: 1\ndead: 2\n# for your own templates: {{ .Values.context.name }}\ncontext: {}\n",
        &[("a.yaml", "x: {{ tpl \"y\" . }}\n"), ("_h.tpl", "{{ define \"unused\" }}{{ .Values.spare }}{{ end }}")],
    );
    assert_eq!(case.unread(), ["dead"]);
}

#[test]
fn a_template_that_includes_itself_ends() {
    let case = Case::new(
        "a: {b: 1}\nc: 2\n",
        &[
            ("a.yaml", "{{ include \"r\" (dict \"v\" .Values.a) }}\n"),
            (
                "_h.tpl",
                "{{ define \"r\" }}{{ .v.b }}{{ include \"r\" (dict \"v\" .v \"up\" .) }}{{ include \"r\" (dict \"v\" .v \"down\" .) }}{{ end }}",
            ),
        ],
    );
    assert_eq!(case.unread(), ["c"]);
}

/// Pieces of templates, valid or not.
fn pieces() -> impl Strategy<Value = String> {
    let operand = prop_oneof![
        Just(".".to_string()),
        Just("$".into()),
        Just(".Values".into()),
        Just(".Values.a".into()),
        Just("$x".into()),
        Just(".Values.a.b".into()),
        Just(".Values.c".into()),
        Just("\"a\"".into()),
        Just("1".into()),
        Just("nil".into()),
        Just("(dict \"a\" .Values \"b\" .)".into()),
        Just("(list . $ 1)".into()),
        Just("(include \"t\" .)".into()),
        Just("(keys .Values.a)".into()),
    ];
    let function = prop_oneof![
        Just("index"),
        Just("toYaml"),
        Just("default"),
        Just("tpl"),
        Just("include \"t\""),
        Just("set"),
        Just("merge"),
        Just("get"),
        Just("dig"),
        Just("hasKey"),
        Just("first"),
        Just("concat"),
        Just("ternary"),
        Just("print"),
        Just("printf \"%s\""),
        Just("quote"),
        Just("eq"),
        Just("and"),
        Just("or"),
        Just("unset"),
        Just("append"),
        Just("fromYaml"),
        Just("kindIs \"map\""),
        Just("omit"),
        Just("coalesce"),
        Just("int"),
    ];
    let call =
        (function, proptest::collection::vec(operand.clone(), 0..4)).prop_map(|(f, a)| format!("{f} {}", a.join(" ")));
    let pipeline = prop_oneof![operand, call.clone(), (call.clone(), call).prop_map(|(a, b)| format!("{a} | {b}"))];
    let open = (
        prop_oneof![Just("if"), Just("with"), Just("range"), Just("range $x, $y :="), Just("with $x :=")],
        pipeline.clone(),
    );
    prop_oneof![
        3 => pipeline.clone().prop_map(|p| format!("{{{{ {p} }}}}")),
        1 => pipeline.clone().prop_map(|p| format!("{{{{ $x := {p} }}}}")),
        1 => pipeline.clone().prop_map(|p| format!("{{{{ $x = {p} }}}}")),
        1 => pipeline.prop_map(|p| format!("{{{{ template \"t\" {p} }}}}")),
        2 => open.prop_map(|(k, p)| format!("{{{{ {k} {p} }}}}")),
        2 => Just("{{ end }}".into()),
        1 => Just("{{ else }}".into()),
        1 => Just("{{ define \"t\" }}".into()),
        1 => Just("\nkey: ".into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_template_makes_it_panic_or_run_on(
        body in proptest::collection::vec(pieces(), 0..14),
        helper in proptest::collection::vec(pieces(), 0..8),
        values in prop_oneof![Just("a: {b: 1}\nc: [1, 2]\n"), Just("a: '{{ .Values.c }}'\nc: {a: {a: x}}\n"), Just("a:\n")],
    ) {
        let helper = format!("{{{{ define \"t\" }}}}{}{{{{ end }}}}", helper.concat());
        let case = Case::new(values, &[("a.yaml", &body.concat()), ("_h.tpl", &helper)]);
        case.unread();
        case.tracer().dead_arms();
        let document = "key: 1\nkey: x\n";
        let defines = Defines::new(case.templates.iter().map(|(name, t)| (name.as_str(), t)));
        let alignment = Aligner::new(&case.templates[0].1, &defines).align(document);
        let tracer = case.tracer();
        let scope = ValuePath::root();
        for piece in &alignment.pieces {
            let (places, piece) = (&piece.places, piece.range.clone());
            tracer.leaf(&Question { scope: &scope, places, document, at: piece.start, piece });
        }
    }
}
