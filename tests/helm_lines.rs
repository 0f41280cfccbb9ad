use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use kvlint::load::helm::align::{Aligner, Defines};
use kvlint::load::helm::lines::Share;
use kvlint::load::helm::markers::{self, Document, TemplateFile};
use kvlint::load::helm::template::Template;
use kvlint::source::SourceMap;

fn documents(text: &str) -> Vec<Document> {
    let mut out: Vec<Document> = Vec::new();
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim_end() == "---" && lines.peek().is_some_and(|l| l.starts_with("# Source: ")) {
            let s = lines.next().unwrap();
            out.push(Document { source: s["# Source: ".len()..].trim().into(), text: String::new() });
        } else if let Some(last) = out.last_mut() {
            last.text.push_str(line);
        }
    }
    out
}

fn copy(from: &Path, to: &Path) {
    for e in walkdir::WalkDir::new(from).into_iter().flatten() {
        let rel = e.path().strip_prefix(from).unwrap();
        if e.file_type().is_dir() {
            std::fs::create_dir_all(to.join(rel)).unwrap();
        } else {
            let _ = std::fs::copy(e.path(), to.join(rel));
        }
    }
}

fn name(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("Chart.yaml")).ok()?;
    text.lines().find_map(|l| l.strip_prefix("name:")).map(|n| n.trim().trim_matches(['"', '\'']).to_string())
}

fn collect(folder: &Path, prefix: &str, rel: &Path, out: &mut Vec<(String, PathBuf)>) {
    let Some(n) = name(folder) else { return };
    let prefix = format!("{prefix}{n}");
    for e in walkdir::WalkDir::new(folder.join("templates")).sort_by_file_name().into_iter().flatten() {
        if e.file_type().is_file() {
            let r = e.path().strip_prefix(folder).unwrap();
            out.push((format!("{prefix}/{}", r.display()), rel.join(r)));
        }
    }
    if let Ok(list) = std::fs::read_dir(folder.join("charts")) {
        let mut l: Vec<_> = list.flatten().map(|e| e.path()).collect();
        l.sort();
        for c in l {
            if c.is_dir() {
                collect(&c, &format!("{prefix}/charts/"), &rel.join("charts").join(c.file_name().unwrap()), out);
            }
        }
    }
}

#[test]
fn measure() {
    let Ok(list) = std::env::var("CHARTS") else { return };
    let mut grand = Share::default();
    for chart in list.split(',') {
        let (chart, values) = chart.split_once('+').unwrap_or((chart, ""));
        let chart = Path::new(chart);
        let render = |d: &Path| -> Result<Vec<Document>, String> {
            let mut c = Command::new("/tmp/hv/bin/helm");
            c.env("HOME", "/tmp/hh").arg("template").arg("rel").arg(d);
            for v in values.split('+').filter(|v| !v.is_empty()) {
                c.arg("-f").arg(v);
            }
            let o = c.output().unwrap();
            if o.status.success() {
                Ok(documents(&String::from_utf8_lossy(&o.stdout)))
            } else {
                Err(String::from_utf8_lossy(&o.stderr).into_owned())
            }
        };
        let clean = match render(chart) {
            Ok(c) => c,
            Err(e) => {
                println!("{}: NOT RENDERED {}", chart.display(), e.lines().next().unwrap_or(""));
                continue;
            }
        };
        let mut found = Vec::new();
        collect(chart, "", Path::new(""), &mut found);
        let mut map = SourceMap::new();
        let templates: Vec<Template> = found
            .iter()
            .map(|(_, p)| {
                let text = String::from_utf8_lossy(&std::fs::read(chart.join(p)).unwrap_or_default()).into_owned();
                Template::parse(&map.add(p, text))
            })
            .collect();
        for t in &templates {
            for p in t.problems() {
                println!("PROBLEM {:?} {}", t.source().path(), p.message);
            }
        }
        let files: Vec<TemplateFile> = found
            .iter()
            .zip(&templates)
            .map(|((s, p), t)| TemplateFile { source: s.clone(), path: p.clone(), template: t })
            .collect();
        let defines = Defines::new(files.iter().map(|f| (f.source.as_str(), f.template)));
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join(chart.file_name().unwrap());
        copy(chart, &to);
        let marks = markers::mark(&to, &files, &clean, &render);
        let marks = match marks {
            Ok(m) => m,
            Err(e) => {
                println!("MARKS FAILED {}", e.lines().next().unwrap_or(""));
                markers::Marks { documents: vec![None; clean.len()], without: vec![] }
            }
        };
        let mut share = Share::default();
        let start = std::time::Instant::now();
        let mut aligners: HashMap<&str, Aligner> = HashMap::new();
        let mut slow = (0.0, String::new());
        for (i, d) in clean.iter().enumerate() {
            let Some(f) = files.iter().find(|f| f.source == d.source) else { continue };
            let a = aligners.entry(&f.source).or_insert_with(|| Aligner::new(f.template, &defines));
            let t0 = std::time::Instant::now();
            let al = a.align(&d.text);
            let t = t0.elapsed().as_secs_f64();
            if t > slow.0 {
                slow = (t, d.source.clone());
            }
            let m = marks.documents[i].as_deref();
            let wrong = share.add(d, &al, &files, m);
            let lines: Vec<&str> = d.text.lines().collect();
            if !al.is_exact {
                println!("  RELAXED {} doc {i}", d.source);
                if std::env::var("SHOW").is_ok() {
                    let mut last = 0;
                    for p in &al.pieces {
                        if p.range.start > last || p.places.is_empty() {
                            println!(
                                "     at line {} {:?}",
                                d.text[..p.range.start].lines().count(),
                                &d.text[last..p.range.start]
                            );
                        }
                        last = p.range.end;
                        let pl: Vec<String> = p
                            .places
                            .iter()
                            .map(|p| {
                                let s = map.file(p.span.file);
                                format!("{}:{}", s.path().display(), s.line_index(p.span.start) + 1)
                            })
                            .collect();
                        println!("        {:?} {:?}", &d.text[p.range.clone()], pl);
                    }
                }
            }
            if al.lines.iter().any(|l| l.confidence == kvlint::load::helm::align::Confidence::File) {
                println!("  NO WAY for part of {} doc {i}", d.source);
            }
            if std::env::var("SHOW").is_ok() {
                for (n, l) in al.lines.iter().enumerate() {
                    if l.confidence < kvlint::load::helm::align::Confidence::High {
                        let at: Vec<String> = l
                            .places
                            .iter()
                            .map(|p| {
                                let s = map.file(p.span.file);
                                format!("{}:{}", s.path().display(), s.line_index(p.span.start) + 1)
                            })
                            .collect();
                        println!(
                            "  {:?} {}:{} `{}` {:?}",
                            l.confidence,
                            d.source,
                            n + 1,
                            lines.get(n).unwrap_or(&""),
                            at
                        );
                    }
                }
            }
            for w in wrong {
                if !w.trusted && std::env::var("ALL").is_err() {
                    continue;
                }
                let at: Vec<String> = w
                    .places
                    .iter()
                    .map(|p| {
                        let s = map.file(p.span.file);
                        format!("{}:{}:{:?}", s.path().display(), s.line_index(p.span.start) + 1, p.confidence)
                    })
                    .collect();
                let ms: Vec<String> =
                    w.marks.iter().rev().map(|m| format!("{}:{}", files[m.file].path.display(), m.line + 1)).collect();
                println!(
                    "  WRONG {}{} line {} `{}`: {:?} but marks {:?}",
                    if w.trusted { "HIGH " } else { "medium " },
                    d.source,
                    w.line + 1,
                    lines.get(w.line).unwrap_or(&""),
                    at,
                    ms
                );
            }
        }
        println!(
            "{}: {} | medium checked {} right {} wrong | rejected docs {} of {} | without marks {} | {:.2}s slowest {:.2} {}",
            chart.display(),
            share.summary(),
            share.medium_right,
            share.medium_wrong,
            marks.documents.iter().filter(|d| d.is_none()).count(),
            clean.len(),
            marks.without.len(),
            start.elapsed().as_secs_f64(),
            slow.0,
            slow.1
        );
        grand.lines += share.lines;
        grand.high += share.high;
        grand.medium += share.medium;
        grand.file += share.file;
        grand.right += share.right;
        grand.wrong += share.wrong;
    }
    println!("TOTAL {}", grand.summary());
}
