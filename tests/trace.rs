//! Traces and lists of connections as they are printed, on real trees.

use std::path::{Path, PathBuf};

use kvlint::config::Config;
use kvlint::load::{self, Inputs, Loaded};
use kvlint::reach::{self, ReachFormat, ReachOptions};
use kvlint::trace::{self, TraceFormat, TraceOptions};

fn loaded(path: &str) -> Loaded {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    load::load(&Inputs { paths: vec![root], ..Default::default() }).unwrap()
}

/// `KVLINT_TRACE=path cargo test --test trace show -- --nocapture` writes every format to target/trace.
#[test]
fn show() {
    let Some(path) = std::env::var_os("KVLINT_TRACE") else { return };
    let loaded = load::load(&Inputs { paths: vec![PathBuf::from(path)], ..Default::default() }).unwrap();
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/trace");
    std::fs::create_dir_all(&out).unwrap();
    for (format, name) in [
        (TraceFormat::Text, "trace.txt"),
        (TraceFormat::Json, "trace.json"),
        (TraceFormat::Markdown, "trace.md"),
        (TraceFormat::Mermaid, "trace.mmd"),
        (TraceFormat::Dot, "trace.dot"),
        (TraceFormat::Svg, "trace.svg"),
    ] {
        let text = trace::run(&loaded, &Config::default(), &TraceOptions { format });
        std::fs::write(out.join(name), text).unwrap();
    }
    for (format, explain, name) in [
        (ReachFormat::Text, false, "reach.txt"),
        (ReachFormat::Text, true, "explain.txt"),
        (ReachFormat::Json, false, "reach.json"),
        (ReachFormat::Dot, false, "reach.dot"),
    ] {
        let options = ReachOptions { format, explain, ..Default::default() };
        std::fs::write(out.join(name), reach::run(&loaded, &Config::default(), &options)).unwrap();
    }
}

#[test]
fn every_hop_of_the_samples_is_fine() {
    let text = trace::run(&loaded("testdata/samples"), &Config::default(), &TraceOptions::default());
    assert!(!text.contains("BROKEN") && !text.contains('?') && !text.contains('!'), "{text}");
    assert!(text.contains("3 paths: 1 without events, 2 ok"), "{text}");
}
