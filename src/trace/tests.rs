//! What is written, with names that no format may take for its own marks.

use super::*;
use crate::load;

const EVIL: &str = "a\"b<c>|`d`&#;\\e";

fn hostile() -> Loaded {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  labels: {{model.aibrix.ai/name: x, model.aibrix.ai/kv-events-enabled: 'true'}}\nspec:\n  containers:\n    - name: vllm\n      image: vllm/vllm-openai:v0.12.0\n      args: [--kv-events-config, '{{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\", \"endpoint\": \"tcp://0.0.0.0:5557\"}}']\n",
        name = serde_json::Value::String(format!("{EVIL}\u{1b}[31m\n"))
    );
    load::from_texts(&[("dir/x.yaml".into(), text)])
}

fn written(format: TraceFormat) -> String {
    run(&hostile(), &Config::default(), &TraceOptions { format })
}

#[test]
fn no_format_lets_a_name_break_out() {
    for format in [TraceFormat::Text, TraceFormat::Markdown, TraceFormat::Mermaid, TraceFormat::Dot, TraceFormat::Svg] {
        let text = written(format);
        assert!(!text.contains('\u{1b}'), "{format:?}: {text}");
        assert!(text.contains('a'), "{format:?}");
    }
    assert!(written(TraceFormat::Svg).contains("a&quot;b&lt;c&gt;|`d`&amp;#;\\e"));
    assert!(written(TraceFormat::Dot).contains("a\\\"b<c>|`d`&#;\\\\e"));
    assert!(written(TraceFormat::Mermaid).contains("a#quot;b#lt;c#gt;|#96;d#96;#amp;#35;#59;#92;e"));
    assert!(written(TraceFormat::Markdown).contains("`a\"b<c>\\|'d'&#;\\e"));
}

#[test]
fn json_has_every_hop_with_rule_and_place() {
    let json: serde_json::Value = serde_json::from_str(&written(TraceFormat::Json)).unwrap();
    let path = &json["units"][0]["paths"][0];
    assert_eq!(path["state"], "broken");
    assert_eq!(path["gateway"]["assumed"], true);
    let hops = path["hops"].as_array().unwrap();
    assert_eq!(hops.len(), HopKind::ALL.len());
    assert_eq!(hops[1]["hop"], "bound");
    assert_eq!(hops[1]["rule"], "endpoint-connects");
    assert_eq!(hops[1]["place"]["line"], 10);
    assert_eq!(hops[5]["state"], "unknown");
}

#[test]
fn names_that_are_too_long_lose_their_middle_and_the_svg_is_well_formed() {
    let svg = written(TraceFormat::Svg);
    // Our own YAML reader does not read XML; balanced tags are a cheap stand-in.
    for tag in ["g", "text", "tspan", "title"] {
        let opened = svg.matches(&format!("<{tag}>")).count() + svg.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
}

#[test]
fn without_engines_there_is_nothing_to_trace() {
    let loaded =
        load::from_texts(&[("x.yaml".into(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n".into())]);
    let text = run(&loaded, &Config::default(), &TraceOptions::default());
    assert_eq!(text, "no engine here is meant for an AIBrix gateway\n");
}
