//! Arguments in, exit code out.
fn main() {
    let paths = std::env::args().skip(1).map(Into::into).collect();
    let loaded = kvlint::load::load(&kvlint::load::Inputs { paths, ..Default::default() }).unwrap();
    let config = kvlint::config::Config::default();
    let outcome = kvlint::lint::lint(&loaded, &config, None);
    for d in &outcome.diagnostics {
        let f = loaded.sources.file(d.primary.span.file);
        let at = loaded.sources.line_column(d.primary.span);
        println!("{}:{}:{}: {}[{}] {}", f.path().display(), at.line, at.column, d.severity, d.rule, d.message);
    }
    println!("{} units, {:?}", loaded.units.len(), outcome.failures);
}
