use kvlint::load::kustomize::{Disk, Folder, Order, Workspace, build, emit};
use kvlint::source::SourceMap;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let folder = std::path::PathBuf::from(&args[1]);
    let mut sources = SourceMap::new();
    sources.add("<none>", "");
    let files = Disk;
    let mut ws = Workspace::new(&files, &mut sources);
    let root = Folder { canonical: folder.canonicalize().unwrap(), shown: folder.clone() };
    let built = build(&mut ws, &root, Order::Legacy);
    print!("{}", emit(&ws, &built.resources, args.len() > 2));
    let mut bad = false;
    for p in &built.log.problems {
        eprintln!("problem: {:?} {} {}", p.kind, p.message, p.is_fatal());
        bad |= p.is_fatal();
    }
    for m in &built.log.missing {
        eprintln!("missing: {}", m.reason);
    }
    std::process::exit(if bad {
        1
    } else if built.log.missing.is_empty() {
        0
    } else {
        2
    });
}
