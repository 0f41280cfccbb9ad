use std::path::PathBuf;

use super::*;
use crate::config::Config;
use crate::lint::{self, Fix, Label, Severity};
use crate::load::from_texts;
use crate::source::FileId;

/// A fix made by hand: the first `from` of a file becomes `to`, as long as it is there.
#[derive(Clone, Copy)]
struct Order {
    rule: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn order(rule: &'static str, from: &'static str, to: &'static str) -> Order {
    Order { rule, file: "a.yaml", from, to }
}

/// Loads the texts with what is laid over them, lints, and adds a finding for each order that has something to do. Orders with
/// one rule's name are one fix.
fn state(texts: &[(&str, &str)], orders: &[Order], over: &Overlay) -> State {
    let read = |(name, text): &(&str, &str)| {
        let new = over.get(Path::new(name)).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        (PathBuf::from(name), new.unwrap_or_else(|| (*text).to_string()))
    };
    let loaded = from_texts(&texts.iter().map(read).collect::<Vec<_>>());
    let mut outcome = lint::lint(&loaded, &Config::default(), None);
    let mut found: Vec<Diagnostic> = Vec::new();
    for order in orders {
        let Some(file) = loaded.sources.files().iter().find(|f| f.path() == Path::new(order.file)) else { continue };
        let Some(start) = file.text().find(order.from) else { continue };
        let span = Span::new(file.id(), start as u32, (start + order.from.len()) as u32);
        let edit = Edit { span, replacement: order.to.to_string() };
        match found.iter_mut().find(|d| d.rule == order.rule) {
            Some(d) => d.fix.as_mut().unwrap().edits.push(edit),
            None => found.push(finding(order.rule, span, vec![edit])),
        }
    }
    outcome.diagnostics.extend(found);
    State { loaded, outcome, all: None }
}

fn finding(rule: &'static str, span: Span, edits: Vec<Edit>) -> Diagnostic {
    let title = format!("write `{}`", edits[0].replacement);
    Diagnostic {
        rule,
        severity: Severity::Warning,
        message: "it stands here".into(),
        primary: Label { span, text: String::new() },
        related: Vec::new(),
        help: None,
        notes: Vec::new(),
        fix: Some(Fix { title, applicability: Applicability::Safe, edits }),
        rendered: Vec::new(),
    }
}

fn run(texts: &[(&str, &str)], orders: &[Order]) -> Fixed {
    let mut reload = |over: &Overlay| Some(state(texts, orders, over));
    let first = state(texts, orders, &Overlay::default());
    fix(first, Overlay::default(), Applicability::Safe, &|_| true, &mut reload)
}

/// What one file becomes.
fn text(text: &str, orders: &[Order]) -> String {
    let fixed = run(&[("a.yaml", text)], orders);
    assert_eq!(fixed.end, End::Settled);
    fixed.changes.first().map_or(text.to_string(), |c| c.after.clone())
}

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

#[test]
fn of_two_fixes_for_the_same_bytes_the_first_is_made_and_the_other_has_its_turn() {
    let text =
        |body: &str, orders: &[Order]| text(&format!("{HEAD}data: {{k: {body}}}\n"), orders)[HEAD.len()..].to_string();
    // The first by place: it takes the text of the second away.
    assert_eq!(text("abcd", &[order("x", "bcd", "y"), order("y", "abc", "x")]), "data: {k: xd}\n");
    // At one place the rule's name decides; the other finds its text again and is made in the next round.
    assert_eq!(text("ab", &[order("y", "ab", "abab"), order("x", "ab", "q")]), "data: {k: q}\n");
    // Neighbours are no conflict.
    assert_eq!(text("abcd", &[order("x", "ab", "p"), order("y", "cd", "q")]), "data: {k: pq}\n");
}

#[test]
fn a_fix_of_several_edits_is_made_whole_or_not_at_all() {
    let texts = [("a.yaml", &*format!("{HEAD}data: {{k: ab}}\n")), ("b.yaml", &*format!("{HEAD}data: {{k: ab}}\n"))];
    let b = Order { file: "b.yaml", ..order("two", "ab", "cd") };
    let fixed = run(&texts, &[order("one", "ab", "x"), order("two", "k", "l"), b]);
    // `one` and the first edit of `two` are neighbours, not rivals.
    assert_eq!(
        fixed.changes.iter().map(|c| &c.after[HEAD.len()..]).collect::<Vec<_>>(),
        ["data: {l: x}\n", "data: {k: cd}\n"]
    );
    assert_eq!(fixed.together, [[PathBuf::from("a.yaml"), PathBuf::from("b.yaml")]]);
    // Where they are rivals, no part of the later one is made: in the next round it has an edit in one file alone.
    let b = Order { from: "{k", to: "{l", ..b };
    let fixed = run(&texts, &[order("one", "{k: ab", "{m: x"), order("two", "k: a", "l: y"), b]);
    assert_eq!(fixed.made.iter().map(|m| m.rule).collect::<Vec<_>>(), ["one", "two"]);
    assert!(fixed.together.is_empty());
}

#[test]
fn a_fix_that_breaks_the_syntax_is_taken_back_and_the_others_are_made() {
    let before = format!("{HEAD}data:\n  one: a\n  two: b\n  three: c\n  four: d\n");
    let orders = [order("one", "one: a", "one: A"), order("bad", "b\n", "\"\n"), order("four", "four: d", "four: D")];
    let fixed = run(&[("a.yaml", &before)], &orders);
    assert_eq!(fixed.changes[0].after, before.replace("one: a", "one: A").replace("four: d", "four: D"));
    let [discarded] = fixed.discarded.as_slice() else { panic!("{:?}", fixed.discarded) };
    assert_eq!((discarded.rule, discarded.place.as_str()), ("bad", "a.yaml:6:8"));
    assert!(discarded.why.contains("could not be read any more"), "{}", discarded.why);
    assert_eq!((fixed.end, fixed.made.len()), (End::Settled, 2));
}

#[test]
fn a_fix_that_brings_an_error_is_taken_back_and_said_with_the_error() {
    let before = format!("{HEAD}data:\n  one: a\n  two: b\n");
    let fixed = run(&[("a.yaml", &before)], &[order("same", "two", "one"), order("other", ": a", ": A")]);
    assert_eq!(fixed.changes[0].after, before.replace(": a", ": A"));
    assert!(fixed.discarded[0].why.starts_with("it brings error[duplicate-key]"), "{:?}", fixed.discarded);
}

#[test]
fn an_error_that_was_there_is_not_brought_by_a_fix_that_moves_it() {
    let before = format!("{HEAD}data:\n  zero: x\n  one: a\n  one: b\n");
    let fixed = run(&[("a.yaml", &before)], &[order("longer", "zero: x", "first: v\n  second: w")]);
    assert_eq!(fixed.discarded, []);
    assert!(fixed.changes[0].after.contains("second: w\n  one: a"));
}

#[test]
fn two_fixes_that_need_each_other_are_made_though_a_third_is_bad() {
    // Each of the two alone doubles a key.
    let before = format!("{HEAD}data:\n  one: a\n  two: b\n  three: c\n");
    let orders =
        [order("first", "one: a", "two: A"), order("second", "two: b", "one: B"), order("third", "c\n", "'\n")];
    let fixed = run(&[("a.yaml", &before)], &orders);
    assert_eq!(fixed.discarded.iter().map(|d| d.rule).collect::<Vec<_>>(), ["third"]);
    assert_eq!(fixed.changes[0].after, before.replace("one: a\n  two: b", "two: A\n  one: B"));
}

#[test]
fn a_fix_that_needs_a_later_one_is_made_beside_it() {
    let before = format!("{HEAD}data:\n  one: a\n  two: b\n  three: c\n  four: d\n");
    let orders = [
        order("1", "one: a", "two: A"),
        order("2", "two: b", "zwei: B"),
        order("3", "three", "four"),
        order("4", ": d", ": D"),
    ];
    let fixed = run(&[("a.yaml", &before)], &orders);
    assert_eq!(fixed.discarded.iter().map(|d| d.rule).collect::<Vec<_>>(), ["3"]);
    assert!(fixed.changes[0].after.ends_with("data:\n  two: A\n  zwei: B\n  three: c\n  four: D\n"));
}

#[test]
fn fixes_that_bring_each_other_back_end() {
    let before = format!("{HEAD}data: {{k: a}}\n");
    let fixed = run(&[("a.yaml", &before)], &[order("there", "k: a", "k: b"), order("back", "k: b", "k: a")]);
    assert_eq!(fixed.end, End::Circle);
    assert_eq!(fixed.made.len(), ROUNDS);
}

#[test]
fn more_than_ten_fixes_that_meet_at_one_place_are_all_made() {
    let before = format!("{HEAD}data:\n  last: z\n");
    let names: Vec<&'static str> = vec!["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
    let reload = |over: &Overlay| {
        let mut state = state(&[("a.yaml", &before)], &[], over);
        let file = Arc::clone(&state.loaded.sources.files()[0]);
        let at = Span::new(file.id(), file.text().len() as u32, file.text().len() as u32);
        for name in names.iter().filter(|name| !file.text().contains(&format!("  {name}: "))) {
            let edits = vec![Edit { span: at, replacement: format!("  {name}: x\n") }];
            state.outcome.diagnostics.push(finding(name, at, edits));
        }
        Some(state)
    };
    let first = reload(&Overlay::default()).unwrap();
    let fixed = fix(first, Overlay::default(), Applicability::Safe, &|_| true, &mut { reload });
    assert_eq!((fixed.end, fixed.made.len()), (End::Settled, names.len()));
}

#[test]
fn what_is_said_twice_is_done_once() {
    let before = format!("{HEAD}data: {{k: a}}\n");
    let insert = |rule| order(rule, "k: a", "k: a, l: b");
    let fixed = run(&[("a.yaml", &before)], &[insert("x"), insert("y")]);
    assert_eq!(fixed.changes[0].after, format!("{HEAD}data: {{k: a, l: b}}\n"));
    assert_eq!((fixed.made.len(), fixed.made[0].findings), (1, 2));
}

proptest::proptest! {
    /// A place that no edit touches is found again after the edits, with the same bytes.
    #[test]
    fn places_move_with_their_bytes(
        text in "[a-z]{1,30}",
        cuts in proptest::collection::vec((0..30u32, 0..4u32, "[A-Z]{0,3}"), 0..5),
        at in 0..30u32,
        len in 0..5u32,
    ) {
        let size = text.len() as u32;
        let of = |start: u32, end: u32| Span::new(FileId(0), start.min(size), end.min(size));
        let place = of(at, at + len);
        let mut edits: Vec<Edit> = Vec::new();
        for (start, len, replacement) in cuts {
            let span = of(start, start + len);
            let free = edits.iter().all(|e: &Edit| !touch(e.span, span)) && !touch(place, span);
            if free {
                edits.push(Edit { span, replacement });
            }
        }
        let after = apply_to(&text, &edits).unwrap();
        let moved = Moves::of(&edits).forward(place);
        proptest::prop_assert_eq!(
            &after[moved.start as usize..moved.end as usize],
            &text[place.start as usize..place.end as usize]
        );
    }
}
