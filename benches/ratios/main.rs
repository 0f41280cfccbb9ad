//! How long a run takes, as ratios measured in one go on one machine: `cargo bench`.
//!
//! Each figure is the median of several child processes, so that memory and caches of one do not help another. The
//! children are this program again: `lint DIR` does a whole run, `parse DIR` only reads and parses the same files;
//! `rules DIR` times each rule, `shapes` takes the figures of single large files alone.

mod generate;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use kvlint::config::Config;
use kvlint::load::{self, Inputs};
use kvlint::source::{FileId, SourceFile};
use kvlint::{lint, yaml};

const RUNS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["parse", folder] => parse_only(Path::new(folder)),
        ["lint", folder] => lint_all(Path::new(folder)),
        ["rules", folder] => each_rule(Path::new(folder)),
        ["shapes"] => shapes(tempfile::tempdir().expect("a temporary folder").path()),
        _ => compare(),
    }
}

/// Reads and parses every file, one after another, and keeps the trees as any reader of them would.
fn parse_only(folder: &Path) {
    let start = Instant::now();
    let mut nodes = 0;
    let mut kept = Vec::new();
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    for entry in files.filter(|e| e.file_type().is_file()) {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let source = Arc::new(SourceFile::new(FileId(0), entry.path(), text));
        let stream = yaml::parse(&source);
        nodes += stream.documents.iter().filter_map(|d| d.content.as_ref().ok()).map(|t| t.len()).sum::<usize>();
        kept.push((source, stream));
    }
    std::mem::forget(kept);
    finish(start, nodes);
}

/// What `kvlint DIR` does, without printing the findings.
fn lint_all(folder: &Path) {
    let start = Instant::now();
    let inputs = Inputs { paths: vec![folder.to_path_buf()], ..Inputs::default() };
    let loaded = load::load(&inputs).expect("the generated folder is there");
    // For whoever looks for where the time goes: `… lint DIR`.
    eprintln!("loading took {:?}", start.elapsed());
    let outcome = lint::lint(&loaded, &Config::default(), None);
    let count = outcome.diagnostics.len();
    // As the program does: what was read is left to the system.
    std::mem::forget(loaded);
    finish(start, count);
}

/// How long each rule takes alone, the slowest first; the model of the units is made each time.
fn each_rule(folder: &Path) {
    let inputs = Inputs { paths: vec![folder.to_path_buf()], ..Inputs::default() };
    let loaded = load::load(&inputs).expect("the folder is there");
    let mut times: Vec<(f64, &str)> = Vec::new();
    for rule in lint::RULES {
        let start = Instant::now();
        let found = lint::lint(&loaded, &Config::default(), Some(&[rule.name])).diagnostics.len();
        times.push((start.elapsed().as_secs_f64() * 1e3, rule.name));
        assert!(found < usize::MAX);
    }
    times.sort_by(|a, b| b.0.total_cmp(&a.0));
    times.iter().for_each(|(time, name)| println!("{time:8.2} ms  {name}"));
}

fn finish(start: Instant, count: usize) {
    let elapsed = start.elapsed();
    println!("{} {} {count}", elapsed.as_nanos(), peak_kilobytes());
}

/// The largest resident size so far, as Linux tells it; 0 elsewhere.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}

struct Figure {
    milliseconds: f64,
    kilobytes: u64,
}

/// The median of several children.
fn measure(mode: &str, folder: &Path, threads: usize) -> Figure {
    let this = std::env::current_exe().expect("the path of this program");
    let mut figures: Vec<(u64, u64)> = (0..RUNS)
        .map(|_| {
            let output = Command::new(&this)
                .args([mode, &folder.display().to_string()])
                .env("RAYON_NUM_THREADS", threads.to_string())
                .output()
                .expect("a child runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let mut words = text.split_whitespace().map(|w| w.parse().unwrap_or(0));
            (words.next().unwrap_or(0), words.next().unwrap_or(0))
        })
        .collect();
    figures.sort_unstable();
    let (nanoseconds, kilobytes) = figures[RUNS / 2];
    Figure { milliseconds: nanoseconds as f64 / 1e6, kilobytes }
}

/// Wall time of a whole process, median of many.
fn start_up(program: &Path, args: &[&str], folder: &Path) -> f64 {
    let mut times: Vec<f64> = (0..51)
        .map(|_| {
            let start = Instant::now();
            let mut command = Command::new(program);
            command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().expect("the program runs");
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn compare() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let mut trees = Vec::new();
    for count in [1, 100, 1_000, 10_000] {
        let folder = temporary.path().join(count.to_string());
        let bytes = generate::tree(&folder, count);
        trees.push((count, bytes, folder));
    }
    // What was just written goes to the disk first; writing it back would compete with what is measured.
    let _ = Command::new("sync").status();
    println!(
        "{:>7} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}",
        "files", "KiB", "parse ms", "run 1T ms", "run 2T ms", "run/parse", "1T/2T"
    );
    let mut whole = Vec::new();
    for (count, bytes, folder) in &trees {
        let parse = measure("parse", folder, 1);
        let one = measure("lint", folder, 1);
        let two = measure("lint", folder, 2);
        println!(
            "{count:>7} {:>10} {:>10.2} {:>10.2} {:>10.2} {:>8.2} {:>8.2}",
            bytes / 1024,
            parse.milliseconds,
            one.milliseconds,
            two.milliseconds,
            one.milliseconds / parse.milliseconds,
            one.milliseconds / two.milliseconds
        );
        whole.push((*count, one));
    }
    let of = |count: usize| &whole.iter().find(|(c, _)| *c == count).expect("measured").1;
    println!("time of 10000 files / 1000 files: {:.2}", of(10_000).milliseconds / of(1_000).milliseconds);
    println!(
        "peak memory of 10000 files / 1000 files: {:.2} ({} MiB)",
        of(10_000).kilobytes as f64 / of(1_000).kilobytes.max(1) as f64,
        of(10_000).kilobytes / 1024
    );
    let empty = temporary.path().join("empty");
    std::fs::create_dir_all(&empty).expect("a folder");
    let kvlint = start_up(Path::new(env!("CARGO_BIN_EXE_kvlint")), &["."], &empty);
    let nothing = start_up(Path::new("true"), &[], &empty);
    println!("an empty folder / the process `true`: {:.2} ({kvlint:.2} ms / {nothing:.2} ms)", kvlint / nothing);
    shapes(temporary.path());
    hooks(temporary.path(), &trees.last().expect("four trees").2);
}

/// What many findings in one document, and many suppressions in one file, cost: both must grow as the text does.
fn shapes(temporary: &Path) {
    let time = |name: &str, generate: &dyn Fn(&Path)| {
        let folder = temporary.join(name);
        generate(&folder);
        measure("lint", &folder, 1).milliseconds
    };
    let list = time("list", &|folder| generate::faulty(folder, 300, true));
    let split = time("split", &|folder| generate::faulty(folder, 300, false));
    println!(
        "a List of 300 objects with fixes / documents of their own: {:.2} ({list:.1} ms / {split:.1} ms)",
        list / split
    );
    let more = time("long-list", &|folder| generate::faulty(folder, 1200, true));
    println!("a List of 1200 objects with fixes / of 300: {:.2} ({more:.1} ms / {list:.1} ms)", more / list);
    let few = time("suppressed", &|folder| generate::suppressed(folder, 5_000));
    let many = time("more-suppressed", &|folder| generate::suppressed(folder, 20_000));
    println!("20,000 suppressions in one file / 5,000: {:.2} ({many:.1} ms / {few:.1} ms)", many / few);
}

/// What a hook takes for one changed file of a large repository, beside what its unit alone takes.
fn hooks(temporary: &Path, plain: &Path) {
    hook("one of 10,000 plain manifests", plain, "team-07/model-01007", "team-07/model-01007/deployment.yaml");
    let overlays = temporary.join("overlays");
    generate::overlays(&overlays, 10_000);
    let (root, file) = ("team-07/model-01007/overlays/prod", "team-07/model-01007/base/deployment.yaml");
    hook("one of 10,000 files in Kustomize trees", &overlays, root, file);
}

/// The unit alone lies in a folder of its own, so that nothing is around it.
fn hook(what: &str, repository: &Path, unit: &str, file: &str) {
    for arguments in [&["init", "--quiet"][..], &["add", "."]] {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(repository).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(git.status().expect("git runs").success(), "git {arguments:?}");
    }
    let model = Path::new(file).ancestors().nth(2).expect("a team");
    let alone = tempfile::tempdir().expect("a temporary folder");
    let copied = Command::new("cp").arg("-R").arg(repository.join(model)).arg(alone.path()).status();
    assert!(copied.expect("cp runs").success());
    let top = model.parent().unwrap_or(Path::new(""));
    let unit = alone.path().join(Path::new(unit).strip_prefix(top).expect("the unit is the team's"));
    let program = Path::new(env!("CARGO_BIN_EXE_kvlint"));
    let alone = start_up(program, &[&unit.display().to_string()], &unit);
    let changed = start_up(program, &["--whole-unit", file], repository);
    println!("hook for {what} / its unit alone: {:.2} ({changed:.2} ms / {alone:.2} ms)", changed / alone);
}
