//! Kustomizations and configurations: paths that lead out, patterns that explode, roots that grow.

use std::fs;

use support::folder_of_bytes as folder;
use support::manifests::SILENT;

use crate::run;

#[test]
fn paths_of_a_kustomization_lead_to_no_secret() {
    let outer = folder(&[
        ("secret.txt", b"TOP-SECRET"),
        ("other/secret.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: TOP-SECRET}\n"),
        ("work/pod.yaml", SILENT.as_bytes()),
        ("work/kustomization.yaml", b""),
    ]);
    let work = outer.path().join("work");
    let absolute = outer.path().join("secret.txt").display().to_string();
    let escapes = [
        "configMapGenerator: [{name: a, files: [../secret.txt]}]",
        &format!("configMapGenerator: [{{name: a, files: [{absolute}]}}]"),
        "configMapGenerator: [{name: a, envs: [../secret.txt]}]",
        "secretGenerator: [{name: a, files: [x=./../work/../secret.txt]}]",
        "resources: [../other/secret.yaml]",
        "resources: [../../../../../../../../etc/passwd]",
        "resources: [../../../../../../../../etc]",
        "patches: [{path: ../other/secret.yaml}]",
        "replacements: [{path: ../secret.txt}]",
        "configurations: [../secret.txt]",
        "crds: [../secret.txt]",
        "openapi: {path: ../secret.txt}",
        "helmGlobals: {chartHome: ../other}",
        "resources: [file:///etc/passwd, 'https://127.0.0.1:1/x.yaml', 'git::ssh://127.0.0.1/x']",
        #[cfg(unix)]
        "configMapGenerator: [{name: a, files: [link.txt]}]",
        #[cfg(unix)]
        "resources: [link.yaml]",
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret.txt", work.join("link.txt")).expect("a link");
        std::os::unix::fs::symlink("../other/secret.yaml", work.join("link.yaml")).expect("a link");
    }
    for escape in escapes {
        fs::write(work.join("kustomization.yaml"), format!("{escape}\n")).expect("a file");
        for way in [&["build", "."][..], &["build", "--origins"], &["--format=text"], &["--format=json"], &["units"]] {
            let ran = run(&work, way);
            assert!(!ran.said().contains("TOP-SECRET") && !ran.said().contains("root:"), "{escape}: {}", ran.said());
        }
        run(&work, &["--fix", "--unsafe-fixes", "."]);
        assert_eq!(fs::read(outer.path().join("secret.txt")).expect("the secret"), b"TOP-SECRET");
    }
}

#[test]
fn patterns_that_explode_are_refused_or_end() {
    let patterns = [
        "(a*)*$",
        "((a{1000}){1000}){1000}",
        "(x+x+)+y",
        "[",
        "(?P<x>",
        "\\\\p{L}{500}{500}",
        "(?=a)",
        &"(".repeat(20_000),
        &"a|".repeat(100_000),
    ];
    for pattern in patterns {
        let kustomization = format!(
            "resources: [pod.yaml]\npatches:\n- target: {{kind: Pod, name: '{pattern}'}}\n  patch: '[{{\"op\": \"add\", \"path\": \"/metadata/x\", \"value\": 1}}]'\n"
        );
        let pod = SILENT.replace("name: llama\n", &format!("name: {}\n", "x".repeat(200)));
        let dir = folder(&[("kustomization.yaml", kustomization.as_bytes()), ("pod.yaml", pod.as_bytes())]);
        for way in [&["build"][..], &["--format=concise"]] {
            run(dir.path(), way);
        }
    }
    let globs = [
        "{a,b}".repeat(2000),
        "**/".repeat(10_000),
        "[".into(),
        "{{{{".into(),
        "*".repeat(100_000),
        "[!a-".into(),
        "../../**".into(),
        "/etc/**".into(),
    ];
    for glob in globs {
        let quoted = serde_json::to_string(&glob).expect("text");
        for config in [
            format!("exclude: [{quoted}]\n"),
            format!("overrides: [{{files: [{quoted}], rules: {{labelled-but-silent: off}}}}]\n"),
            format!("roots: [{quoted}]\n"),
        ] {
            let dir = folder(&[("kvlint.yaml", config.as_bytes()), ("pod.yaml", SILENT.as_bytes())]);
            let ran = run(dir.path(), &["--format=concise"]);
            assert!(ran.out.lines().all(|l| l.len() < 500_000), "{:.300}", ran.said());
        }
    }
}

#[test]
fn kustomizations_that_use_each_other_and_grow_end() {
    let level = |i: usize| format!("resources: [{}]\n", vec![format!("../b{}", i - 1); 4].join(", "));
    let mut files: Vec<(String, String)> =
        vec![("b0/kustomization.yaml".into(), "resources: [p.yaml]\n".into()), ("b0/p.yaml".into(), SILENT.into())];
    files.extend((1..15).map(|i| (format!("b{i}/kustomization.yaml"), level(i))));
    let components = |i: usize| {
        format!(
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../c{0}, ../c{0}, ../c{0}]\n",
            i - 1
        )
    };
    files.push((
        "c0/kustomization.yaml".into(),
        "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: xxxxxxxx\n".into(),
    ));
    files.extend((1..15).map(|i| (format!("c{i}/kustomization.yaml"), components(i))));
    files.push(("top/kustomization.yaml".into(), "resources: [../b0]\ncomponents: [../c14]\n".into()));
    files.push(("self/kustomization.yaml".into(), "resources: [., ../loop]\n".into()));
    files.push(("loop/kustomization.yaml".into(), "resources: [../self]\n".into()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let dir = folder(&files);
    run(dir.path(), &["--format=concise"]);
    for root in ["b14", "top", "self"] {
        run(dir.path(), &["build", root]);
    }
}
