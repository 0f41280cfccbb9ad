//! What the functions of Helm and sprig do to origins.
//!
//! A function that is not listed uses all its arguments and gives something new. Source: sprig 3.3 and `pkg/engine/funcs.go`
//! of helm 3.17.

use std::collections::BTreeSet;
use std::sync::Arc;

use smol_str::SmolStr;

use super::machine::Machine;
use super::sym::{Const, Made, Sym};
use crate::load::helm::template::Template;
use crate::load::helm::values::{Kind, Segment, ValuePath};
use crate::source::{FileId, SourceFile};

/// Texts with actions that a `tpl` is followed into.
const MOST_TEXTS: usize = 64;

impl Machine<'_, '_> {
    /// What a function gives.
    pub(super) fn call(&mut self, name: &str, arguments: &[Sym]) -> Sym {
        match (name, arguments) {
            ("include", [Sym::Const(Const::Text(name)), dot]) => self.include(name, dot),
            ("include", [Sym::Const(Const::BasePath(scope, path)), dot]) => self.include_file(scope, path, dot),
            ("tpl", [text, dot]) => self.tpl(text, dot),
            ("fail", _) => {
                arguments.iter().for_each(|a| self.consume(a));
                Sym::text("")
            }
            ("lookup" | "now" | "uuidv4" | "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii", _) => {
                arguments.iter().for_each(|a| self.consume(a));
                Sym::Other
            }
            _ => {
                let known = self.chosen(name, arguments);
                let known = known.or_else(|| self.of_collections(name, arguments));
                known.or_else(|| self.as_text(name, arguments)).unwrap_or_else(|| {
                    self.calls_any |= matches!(name, "include" | "tpl");
                    arguments.iter().for_each(|a| self.consume(a));
                    Sym::made(arguments)
                })
            }
        }
    }

    /// What a function gives that asks whether something is so.
    fn chosen(&mut self, name: &str, arguments: &[Sym]) -> Option<Sym> {
        Some(match (name, arguments) {
            ("default", [fallback, value]) => self.first(&[value.clone(), fallback.clone()], true),
            ("or" | "coalesce", values @ [_, ..]) => self.first(values, true),
            ("and", values @ [_, ..]) => self.first(values, false),
            ("ternary", [yes, no, test]) => {
                self.touch(test);
                match self.truth(test) {
                    Some(true) => yes.clone(),
                    Some(false) => no.clone(),
                    None => self.narrow(vec![yes.clone(), no.clone()]),
                }
            }
            ("not" | "empty", [value]) => {
                self.touch(value);
                match self.truth(value) {
                    Some(truth) => Sym::bool(!truth),
                    None => Sym::made([value]),
                }
            }
            ("eq" | "ne", values @ [_, _, ..]) => self.equal(values, name == "eq"),
            ("required", [_, value]) => {
                self.touch(value);
                value.clone()
            }
            ("kindIs", [Sym::Const(Const::Text(kind)), value]) => {
                self.touch(value);
                match self.kind(value) {
                    Some(found) => Sym::bool(found == kind.as_str()),
                    None => Sym::made([value]),
                }
            }
            ("kindOf" | "typeOf" | "typeIs" | "typeIsLike" | "len", _) => {
                arguments.iter().for_each(|a| self.touch(a));
                Sym::made(arguments)
            }
            _ => return None,
        })
    }

    /// What a function gives that makes dicts and lists, or looks into them.
    fn of_collections(&mut self, name: &str, arguments: &[Sym]) -> Option<Sym> {
        Some(match (name, arguments) {
            ("dict", _) => self.dict(arguments),
            ("list" | "tuple", _) => Sym::List(Arc::new(arguments.to_vec())),
            ("index", [start, keys @ ..]) => keys.iter().fold(start.clone(), |value, key| self.entry(&value, key)),
            ("get", [value, key]) => self.entry(value, key),
            ("dig", [keys @ .., fallback, value]) => {
                let found = keys.iter().fold(value.clone(), |value, key| self.entry(&value, key));
                self.touch(&found);
                match self.exists(&found) {
                    Some(true) => found,
                    Some(false) => fallback.clone(),
                    None => self.narrow(vec![found, fallback.clone()]),
                }
            }
            ("hasKey", [value, key]) => {
                let found = self.entry(value, key);
                self.touch(&found);
                match self.exists(&found) {
                    Some(exists) => Sym::bool(exists),
                    None => Sym::made([&found]),
                }
            }
            ("set", [value, key, new]) => self.set(value, key, new),
            ("deepCopy" | "mustDeepCopy", [value]) => value.clone(),
            ("omit" | "pick", [value, keys @ ..]) => {
                keys.iter().for_each(|k| self.consume(k));
                value.clone()
            }
            ("merge" | "mustMerge" | "mergeOverwrite" | "mustMergeOverwrite", values @ [_, ..]) => {
                self.narrow(values.to_vec())
            }
            ("keys", [value]) => {
                let keys = self.items(value).into_iter().map(|(key, _)| key).collect();
                Sym::List(Arc::new(keys))
            }
            ("values", [value]) => {
                let items = self.items(value).into_iter().map(|(_, item)| item).collect();
                Sym::List(Arc::new(items))
            }
            ("sortAlpha", [Sym::List(_)]) => arguments[0].clone(),
            ("first" | "mustFirst" | "last" | "mustLast", [value]) => self.end(value, name.ends_with("irst")),
            ("concat", lists) => {
                let items = lists.iter().flat_map(|list| self.items(list)).map(|(_, item)| item).collect();
                Sym::List(Arc::new(items))
            }
            ("append" | "mustAppend" | "push" | "mustPush", [list, item]) => {
                let items = self.items(list).into_iter().map(|(_, item)| item).chain([item.clone()]).collect();
                Sym::List(Arc::new(items))
            }
            ("prepend" | "mustPrepend", [list, item]) => {
                let items = self.items(list).into_iter().map(|(_, item)| item);
                Sym::List(Arc::new([item.clone()].into_iter().chain(items).collect()))
            }
            _ => return None,
        })
    }

    /// What a function gives that writes values as text or reads them back.
    fn as_text(&mut self, name: &str, arguments: &[Sym]) -> Option<Sym> {
        Some(match (name, arguments) {
            ("toYaml" | "toYamlPretty" | "mustToYaml" | "toJson" | "mustToJson", [value]) => {
                self.consume(value);
                match value {
                    Sym::Value(path) => Sym::Yaml(path.clone()),
                    _ => Sym::made([value]),
                }
            }
            ("fromYaml" | "fromJson" | "fromYamlArray" | "fromJsonArray", [Sym::Yaml(path)]) => {
                Sym::Value(path.clone())
            }
            ("quote" | "squote" | "toString" | "nindent" | "indent" | "trim", [.., value]) => {
                arguments.iter().for_each(|a| self.consume(a));
                value.verbatim()
            }
            // The usual way to get rid of the line break behind YAML.
            ("trimSuffix" | "trimPrefix", [Sym::Const(_), value @ Sym::Yaml(_)]) => value.clone(),
            ("int" | "int64", [value]) => {
                self.consume(value);
                self.number(value)
            }
            ("print", parts) => self.print(parts),
            ("printf", [Sym::Const(Const::Text(format)), parts @ ..]) => self.printf(format, parts),
            _ => return None,
        })
    }

    /// The first value that `if` takes for `wanted`, else the last: `or`, `default` and `coalesce` want what is true, `and`
    /// what is false.
    fn first(&mut self, values: &[Sym], wanted: bool) -> Sym {
        let mut ways = Vec::new();
        for (i, value) in values.iter().enumerate() {
            let last = i + 1 == values.len();
            if !last {
                self.touch(value);
            }
            let truth = self.truth(value);
            if truth == Some(!wanted) && !last {
                continue;
            }
            ways.push(value.clone());
            if truth == Some(wanted) {
                break;
            }
        }
        self.narrow(ways)
    }

    fn equal(&mut self, values: &[Sym], wanted: bool) -> Sym {
        values.iter().for_each(|v| self.consume(v));
        let known: Option<Vec<Const>> = values.iter().map(|v| self.value(v)).collect();
        match known.as_deref() {
            Some([first, rest @ ..]) => Sym::bool(rest.iter().any(|r| same(first, r)) == wanted),
            _ => Sym::made(values),
        }
    }

    fn dict(&mut self, arguments: &[Sym]) -> Sym {
        let mut entries = std::collections::BTreeMap::new();
        for pair in arguments.chunks(2) {
            match pair {
                [Sym::Const(Const::Text(key)), value] => _ = entries.insert(key.clone(), value.clone()),
                [Sym::Const(Const::Text(key))] => _ = entries.insert(key.clone(), Sym::text("")),
                _ => {
                    arguments.iter().for_each(|a| self.consume(a));
                    return Sym::Unknown;
                }
            }
        }
        Sym::Dict(Arc::new(entries))
    }

    fn set(&mut self, value: &Sym, key: &Sym, new: &Sym) -> Sym {
        match (value, key) {
            (Sym::Dict(entries), Sym::Const(Const::Text(key))) => {
                let mut entries = entries.as_ref().clone();
                entries.insert(key.clone(), new.clone());
                Sym::Dict(Arc::new(entries))
            }
            _ => {
                self.consume(new);
                self.consume(key);
                if matches!(value, Sym::Scope(_) | Sym::Value(_)) {
                    return value.clone();
                }
                self.consume(value);
                Sym::Unknown
            }
        }
    }

    fn end(&mut self, value: &Sym, first: bool) -> Sym {
        match value {
            Sym::List(items) => {
                let item = if first { items.first() } else { items.last() };
                // What a sorted or joined list starts with is not known unless there is only one.
                match items.as_slice() {
                    [_] => item.cloned().unwrap_or(Sym::NIL),
                    _ => self.narrow(items.to_vec()),
                }
            }
            Sym::Value(path) => {
                let known = self.library.values.get(path).filter(|_| self.decides && path.is_exact());
                let segments = known.map(|leaf| leaf.segments()).unwrap_or_default();
                let segment = if first { segments.first() } else { segments.last() };
                Sym::Value(path.then(segment.cloned().unwrap_or(Segment::Any)))
            }
            _ => {
                self.consume(value);
                Sym::made([value])
            }
        }
    }

    fn number(&mut self, value: &Sym) -> Sym {
        let known = match self.value(value) {
            Some(Const::Number(n) | Const::Text(n)) => n.parse::<i64>().ok(),
            Some(Const::Nil) => Some(0),
            _ => None,
        };
        let value_of = known.map(|n| Const::Number(n.to_string().into()));
        match (value, value_of) {
            (Sym::Value(path), value) => {
                Sym::Made(Arc::new(Made { from: [path.clone()].into(), verbatim: true, value }))
            }
            (Sym::Const(_), Some(number)) => Sym::Const(number),
            _ => Sym::made([value]),
        }
    }

    fn print(&mut self, parts: &[Sym]) -> Sym {
        parts.iter().for_each(|p| self.consume(p));
        if let [Sym::Const(Const::BasePath(scope, path)), rest @ ..] = parts
            && let Some(text) = constant(rest)
        {
            return Sym::Const(Const::BasePath(scope.clone(), format!("{path}{text}").into()));
        }
        match (constant(parts), parts) {
            (Some(text), _) => Sym::text(&text),
            (None, [one]) => one.verbatim(),
            _ => Sym::made(parts),
        }
    }

    fn printf(&mut self, format: &str, parts: &[Sym]) -> Sym {
        parts.iter().for_each(|p| self.consume(p));
        let plain = !format.replace("%s", "").contains('%') && format.matches("%s").count() == parts.len();
        if plain && let [Sym::Const(Const::BasePath(scope, path)), rest @ ..] = parts {
            let rest: Option<Vec<String>> = rest.iter().map(|p| constant(std::slice::from_ref(p))).collect();
            if let (Some(rest), Some(after)) = (rest, format.strip_prefix("%s")) {
                let text = rest.iter().fold(after.to_string(), |text, part| text.replacen("%s", part, 1));
                return Sym::Const(Const::BasePath(scope.clone(), format!("{path}{text}").into()));
            }
        }
        let texts: Option<Vec<String>> = parts.iter().map(|p| constant(std::slice::from_ref(p))).collect();
        match texts {
            Some(texts) if plain => {
                let mut pieces = format.split("%s");
                let mut text = pieces.next().unwrap_or_default().to_string();
                for (part, piece) in texts.iter().zip(pieces) {
                    text.push_str(part);
                    text.push_str(piece);
                }
                Sym::text(&text)
            }
            // The text of the only value stands in it.
            _ => match parts {
                [one @ Sym::Value(_)] if plain || format == "%v" || format == "%d" => one.verbatim(),
                _ => Sym::made(parts),
            },
        }
    }

    /// `include (print $.Template.BasePath "/configmap.yaml") .`: another file of the chart.
    fn include_file(&mut self, scope: &ValuePath, path: &SmolStr, dot: &Sym) -> Sym {
        let Some(template) = path.strip_prefix('/').and_then(|name| self.library.file(scope, name)) else {
            self.consume(dot);
            return Sym::Unknown;
        };
        let name: SmolStr = format!("{scope}{path}").into();
        self.inner(&name, dot, template.source(), template.nodes())
    }

    /// A template in a value: it may read whatever it is given.
    fn tpl(&mut self, text: &Sym, dot: &Sym) -> Sym {
        self.consume(text);
        let mut from = BTreeSet::new();
        let literal = match text {
            Sym::Const(Const::Text(text)) => vec![text.to_string()],
            _ => Vec::new(),
        };
        let known = text.collect(&mut from);
        let values = self.library.values;
        let mut texts = literal;
        for path in &from {
            values.texts_below(path, &mut texts);
        }
        texts.retain(|text| text.contains("{{"));
        if !known || texts.len() > MOST_TEXTS {
            self.calls_any = true;
            self.consume(dot);
            return Sym::Unknown;
        }
        let mut parts = vec![text.verbatim()];
        for text in &texts {
            let source = Arc::new(SourceFile::new(FileId(u32::MAX), "tpl", text.as_str()));
            let template = Template::parse(&source);
            if !template.problems().is_empty() || !template.definitions().is_empty() {
                self.calls_any = true;
                self.consume(dot);
                return Sym::Unknown;
            }
            parts.push(self.inner(&format!("tpl {text}").into(), dot, &source, template.nodes()));
        }
        match parts.as_slice() {
            [one] => one.clone(),
            _ => Sym::made(&parts),
        }
    }

    /// Whether `if` takes it for true. Only where the values decide.
    pub(super) fn truth(&self, value: &Sym) -> Option<bool> {
        if !self.decides {
            return None;
        }
        match value {
            Sym::Const(Const::Nil) => Some(false),
            Sym::Const(Const::Bool(b)) => Some(*b),
            Sym::Const(Const::Number(n)) => n.parse::<f64>().ok().map(|n| n != 0.0),
            Sym::Const(Const::Text(text)) => Some(!text.is_empty()),
            Sym::Const(Const::BasePath(..)) | Sym::Scope(_) => Some(true),
            Sym::Value(path) if path.is_root() => Some(true),
            Sym::Value(path) => {
                let sure = path.is_exact() && !self.is_changed(path);
                sure.then(|| self.library.values.get(path).is_some_and(|leaf| leaf.is_truthy()))
            }
            Sym::Key(path) => match path.segments().last() {
                Some(Segment::Key(key)) => Some(!key.is_empty()),
                Some(Segment::Index(index)) => Some(*index != 0),
                _ => None,
            },
            Sym::Dict(entries) => (!entries.is_empty()).then_some(true),
            Sym::List(items) => Some(!items.is_empty()),
            Sym::OneOf(ways) => {
                let mut truths = ways.iter().map(|way| self.truth(way));
                let first = truths.next()??;
                truths.all(|t| t == Some(first)).then_some(first)
            }
            Sym::Made(made) => {
                made.value.clone().and_then(|v| self.truth(&Sym::Const(v))).or_else(|| {
                    // Quotes and blanks make a text longer, never empty.
                    let only = made.from.iter().next().filter(|_| made.verbatim && made.from.len() == 1)?;
                    self.truth(&Sym::Value(only.clone())).filter(|t| *t)
                })
            }
            Sym::Yaml(_) | Sym::Other | Sym::Meta(..) | Sym::Files(..) | Sym::Unknown => None,
        }
    }

    pub(super) fn is_changed(&self, path: &ValuePath) -> bool {
        self.known.is_some_and(|known| known.is_changed(path))
    }

    /// Whether there is such a value.
    fn exists(&self, value: &Sym) -> Option<bool> {
        if !self.decides {
            return None;
        }
        match value {
            Sym::Value(path) if path.is_exact() && !self.is_changed(path) => {
                Some(self.library.values.get(path).is_some())
            }
            Sym::Const(Const::Nil) => Some(false),
            Sym::Const(_) => Some(true),
            _ => None,
        }
    }

    /// The value itself, where it is a scalar and known.
    fn value(&self, value: &Sym) -> Option<Const> {
        if !self.decides {
            return None;
        }
        match value {
            Sym::Const(constant) => Some(constant.clone()),
            Sym::Value(path) if path.is_exact() && !path.is_root() && !self.is_changed(path) => {
                let Some(leaf) = self.library.values.get(path) else { return Some(Const::Nil) };
                let text = leaf.text();
                Some(match leaf.kind() {
                    Kind::Null => Const::Nil,
                    Kind::Bool => Const::Bool(leaf.is_truthy()),
                    Kind::Number => Const::Number(text?.into()),
                    Kind::Text => Const::Text(text?.into()),
                    Kind::List | Kind::Table => return None,
                })
            }
            Sym::Key(path) => match path.segments().last()? {
                Segment::Key(key) => Some(Const::Text(key.clone())),
                Segment::Index(index) => Some(Const::Number(index.to_string().into())),
                Segment::Any => None,
            },
            Sym::Made(made) => made.value.clone(),
            _ => None,
        }
    }

    /// Go's kind of a value.
    fn kind(&self, value: &Sym) -> Option<&'static str> {
        if !self.decides {
            return None;
        }
        match value {
            Sym::Value(path) if path.is_exact() && !path.is_root() && !self.is_changed(path) => {
                let Some(leaf) = self.library.values.get(path) else { return Some("invalid") };
                Some(match leaf.kind() {
                    Kind::Null => "invalid",
                    Kind::Bool => "bool",
                    // Files give floats, arguments integers.
                    Kind::Number => leaf.place().span().map(|_| "float64")?,
                    Kind::Text => "string",
                    Kind::List => "slice",
                    Kind::Table => "map",
                })
            }
            Sym::Dict(_) => Some("map"),
            Sym::List(_) => Some("slice"),
            Sym::Const(Const::Text(_)) => Some("string"),
            Sym::Const(Const::Bool(_)) => Some("bool"),
            Sym::Const(Const::Nil) => Some("invalid"),
            _ => None,
        }
    }
}

/// `eq` of Go's templates; values of different types are an error there.
fn same(a: &Const, b: &Const) -> bool {
    match (a, b) {
        (Const::Number(a), Const::Number(b)) => match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => a == b,
        },
        _ => a == b,
    }
}

/// The text of parts that the template gives.
fn constant(parts: &[Sym]) -> Option<String> {
    let text = |part: &Sym| match part {
        Sym::Const(Const::Text(text) | Const::Number(text)) => Some(text.to_string()),
        Sym::Const(Const::Bool(b)) => Some(b.to_string()),
        _ => None,
    };
    // `print` puts blanks between operands that are no strings.
    let plain = parts.len() < 2 || parts.iter().all(|p| matches!(p, Sym::Const(Const::Text(_))));
    parts.iter().map(text).collect::<Option<Vec<_>>>().filter(|_| plain).map(|texts| texts.concat())
}
