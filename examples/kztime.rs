use std::time::Instant;
fn main() {
    let root = std::env::args().nth(1).unwrap();
    let mut files = vec![];
    for e in walkdir::WalkDir::new(&root).into_iter().flatten() {
        if e.path().extension().is_some_and(|x| x == "yaml" || x == "yml") {
            files.push(std::fs::read_to_string(e.path()).unwrap());
        }
    }
    for _ in 0..3 {
        let t = Instant::now();
        let mut map = kvlint::source::SourceMap::new();
        for f in &files {
            let s = map.add("x", f.as_str());
            std::hint::black_box(kvlint::yaml::parse(&s));
        }
        let parse = t.elapsed();
        let t = Instant::now();
        let loaded =
            kvlint::load::load(&kvlint::load::Inputs { paths: vec![root.clone().into()], ..Default::default() })
                .unwrap();
        let load = t.elapsed();
        let t = Instant::now();
        let out = kvlint::lint::lint(&loaded, &kvlint::config::Config::default(), None);
        println!(
            "parse {parse:?} load {load:?} lint {:?} ({} findings, {} units, {} objects)",
            t.elapsed(),
            out.diagnostics.len(),
            loaded.units.len(),
            loaded.units.iter().map(|u| u.resources.len()).sum::<usize>()
        );
    }
}
