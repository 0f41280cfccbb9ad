use crate::edit::Value;
use crate::facts::aibrix;
use crate::k8s::schema::{self, ProblemKind};
use crate::lint::prelude::*;
use crate::yaml::{Node, Scalar};

/// Longer text is not repeated in a message.
const QUOTED: usize = 40;

pub fn check(cx: &mut ResourceContext<'_>) {
    let resource = cx.resource;
    let misfits = cx.misfits();
    let secret = resource.kind() == "Secret";
    for problem in &misfits.problems {
        let span = schema::place(resource, problem.node);
        let (found, expected) = match &problem.what {
            ProblemKind::WrongType { found, expected } | ProblemKind::BadValue { found, expected } => (found, expected),
            ProblemKind::TooMany => {
                cx.report(span, "further problems of this object are not told")
                    .severity(Severity::Info)
                    .note("they are when those above are mended");
                continue;
            }
            ProblemKind::TooDeep | ProblemKind::TooBig | ProblemKind::Undecodable(_) => {
                cx.report(span, format!("the fields below this are not checked: {}", problem.what))
                    .severity(Severity::Info)
                    .note("real objects stay far below this limit");
                continue;
            }
            ProblemKind::UnknownField { .. } | ProblemKind::Missing { .. } => continue,
        };
        let field = schema::short_path(&problem.path);
        let written = resource.tree().source().slice(span);
        let short = !secret && written.len() <= QUOTED && !written.contains('\n');
        let report = cx.report(span, format!("`{field}` must be {expected}, not {found}"));
        // `yes`, `0777` and the like are not what they look like.
        let report = if short && found.starts_with(['b', 'i', 'n']) && !found.contains(&format!("`{written}`")) {
            report.label(format!("Kubernetes reads `{written}` as {found}"))
        } else {
            report.label(format!("{expected} belongs here"))
        };
        let help_is_quotes = problem.help.as_deref() == Some("quote it");
        let help = problem.help.as_ref().map(|help| match () {
            () if short && help == "quote it" => format!("quote it: `\"{written}\"`"),
            () => help.to_string(),
        });
        let report = report.help(help);
        // The one label whose meaning is known.
        let label = &aibrix::table().labels.enabled;
        let is_label = problem.path.ends_with(&format!("[\"{}\"]", label.key)) && problem.path.contains("labels");
        let node = resource.tree().node(problem.node);
        let meant = match node.as_bool() {
            _ if !is_label => text_meant(node).filter(|_| help_is_quotes && !secret).map(str::to_string),
            Some(true) => label.value.clone(),
            Some(false) => Some("false".to_string()),
            None => node.text().map(str::to_string),
        };
        let report = match meant.filter(|_| node.scalar().is_some()) {
            Some(text) => report.mend(format!("write \"{text}\", with quotes"), Applicability::Safe, |changes| {
                changes.replace(node, Value::String(text))
            }),
            None => report,
        };
        report.note(if misfits.custom {
            "the API server or the kind's controller refuses the object"
        } else {
            "the API server refuses the object, so `kubectl apply` fails"
        });
    }
}

/// The text that was meant by a value without quotes, where all readers of YAML take the value for what it looks like. `yes`, `0777`,
/// `1e3` and `1_000` are other things to other readers.
fn text_meant(node: Node<'_>) -> Option<&str> {
    let text = node.text()?;
    let number = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let plain = digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'));
    match node.scalar()? {
        Scalar::Bool(_) => matches!(text, "true" | "false").then_some(text),
        Scalar::Int(_) | Scalar::UInt(_) | Scalar::Float(_) => plain.then_some(text),
        Scalar::Null | Scalar::Str(_) => None,
    }
}
