//! A picture: a panel for each gateway, a line for each engine, a dot for each hop.

use std::fmt::Write as _;

use super::path::HopState;
use crate::display::visible;
use crate::lint::HopKind;

use super::{Note, Outcome, Row, UnitTrace, notes, summary};

const WIDTH: usize = 1120;
const MARGIN: usize = 24;
const ROW: usize = 34;
const NOTE: usize = 18;
const HEAD: usize = 74;
/// Where the line of an engine starts and ends.
const LINE: (usize, usize) = (330, 910);
/// The gateway's box.
const GATEWAY: (usize, usize) = (944, 152);
/// Characters that fit in the engine's column, in the gateway's box, in a note.
const ENGINE_CHARS: usize = 38;
const GATEWAY_CHARS: usize = 22;
const NOTE_CHARS: usize = 158;

const GREEN: &str = "#1a7f37";
const RED: &str = "#cf222e";
const AMBER: &str = "#bf8700";
const GREY: &str = "#8c959f";
const PALE: &str = "#d0d7de";
const INK: &str = "#1f2328";
const SOFT: &str = "#59636e";

/// The picture of every unit.
pub fn write(units: &[UnitTrace]) -> String {
    let mut body = String::new();
    let mut y = 76;
    let title = summary(units);
    for unit in units {
        for (gateway, assumed, rows) in unit.by_gateway() {
            y = panel(&mut body, y, &unit.root, gateway, assumed, &rows) + 20;
        }
    }
    let legend = y + 6;
    let height = legend + 34;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"{}\" font-family=\"-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\">\n\
         <title>{}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"12\" fill=\"#f6f8fa\"/>\n\
         <text x=\"{MARGIN}\" y=\"38\" font-size=\"19\" font-weight=\"600\" fill=\"{INK}\">KV events, hop by hop</text>\n\
         <text x=\"{MARGIN}\" y=\"60\" font-size=\"13\" fill=\"{SOFT}\">{}</text>\n",
        escaped(&title),
        escaped(&title),
        escaped(&title)
    );
    text.push_str(&body);
    legend_at(&mut text, legend);
    text.push_str("</svg>\n");
    text
}

/// One gateway with its engines; gives the bottom of the panel.
fn panel(text: &mut String, top: usize, root: &str, gateway: &str, assumed: bool, rows: &[&Row]) -> usize {
    let notes = notes(rows);
    let lines_end = top + HEAD + rows.len() * ROW;
    let bottom = lines_end + if notes.is_empty() { 10 } else { 26 + notes.len() * NOTE };
    let inner = WIDTH - 2 * MARGIN + 16;
    let left = MARGIN - 8;
    let _ = writeln!(
        text,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{inner}\" height=\"{}\" rx=\"10\" fill=\"#ffffff\" stroke=\"{PALE}\"/>",
        bottom - top
    );
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"{SOFT}\">{}</text>",
        MARGIN + 6,
        top + 24,
        escaped(&shortened(root, ENGINE_CHARS))
    );
    for (index, kind) in HopKind::ALL.into_iter().enumerate() {
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" font-size=\"12\" text-anchor=\"middle\" fill=\"{SOFT}\">{}</text>",
            x_of(index),
            top + 44,
            kind.as_str()
        );
    }
    gateway_box(text, top + HEAD - 18, lines_end - 6, gateway, assumed);
    for (index, row) in rows.iter().enumerate() {
        engine_line(text, top + HEAD + index * ROW, row, &notes);
    }
    if !notes.is_empty() {
        let _ = writeln!(
            text,
            "<line x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{PALE}\"/>",
            MARGIN + 6,
            WIDTH - MARGIN - 6,
            y = lines_end + 4
        );
    }
    for (index, note) in notes.iter().enumerate() {
        let y = lines_end + 24 + index * NOTE;
        let words = note_words(index + 1, note);
        let x = MARGIN + 6;
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\" font-size=\"11.5\" fill=\"{INK}\">{words}</text>");
    }
    bottom
}

fn x_of(hop: usize) -> usize {
    LINE.0 + hop * (LINE.1 - LINE.0) / (HopKind::ALL.len() - 1)
}

fn gateway_box(text: &mut String, top: usize, bottom: usize, gateway: &str, assumed: bool) {
    let (dash, fill) = if assumed { (" stroke-dasharray=\"5 4\"", "#ffffff") } else { ("", "#f3effe") };
    let (x, width) = GATEWAY;
    let middle = (top + bottom) / 2;
    let _ = writeln!(
        text,
        "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{}\" rx=\"8\" fill=\"{fill}\" stroke=\"#6b4fbb\"{dash}/>",
        bottom.saturating_sub(top)
    );
    let (namespace, name) = gateway.split_once('/').unwrap_or(("", gateway));
    let _ = writeln!(
        text,
        "<g text-anchor=\"middle\" fill=\"#3b2a73\"><title>{}</title>\
         <text x=\"{c}\" y=\"{}\" font-size=\"12.5\" font-weight=\"600\">{}</text>\
         <text x=\"{c}\" y=\"{}\" font-size=\"11\">{}</text></g>",
        escaped(gateway),
        middle,
        escaped(&shortened(name, GATEWAY_CHARS)),
        middle + 15,
        escaped(&if assumed { format!("{namespace}, elsewhere") } else { namespace.to_string() }),
        c = x + width / 2,
    );
}

fn engine_line(text: &mut String, y: usize, row: &Row, notes: &[Note<'_>]) {
    let _ = writeln!(
        text,
        "<g><title>{}</title><text x=\"{}\" y=\"{}\" font-size=\"13\" fill=\"{INK}\">{}</text></g>",
        escaped(&format!("{} ({}): {}", row.engine, row.engine_place, row.outcome.words())),
        MARGIN + 6,
        y + 4,
        escaped(&shortened(&row.engine, ENGINE_CHARS))
    );
    // Events get as far as the first hop that is broken.
    let stop = row.cells.iter().position(|c| matches!(c.state, HopState::Broken(_) | HopState::Off(_)));
    let end = stop.map_or(GATEWAY.0, x_of);
    let color = match row.outcome {
        Outcome::Delivers => GREEN,
        Outcome::Impaired => AMBER,
        Outcome::Unknown => GREY,
        Outcome::Broken | Outcome::Silent => PALE,
    };
    let strong = if row.outcome == Outcome::Broken { GREY } else { color };
    let _ = writeln!(
        text,
        "<line x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{PALE}\" stroke-width=\"2\" stroke-dasharray=\"2 4\"/>\
         <line x1=\"{}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\" stroke=\"{strong}\" stroke-width=\"2.5\"/>",
        LINE.0, GATEWAY.0, LINE.0
    );
    if stop.is_none() {
        let x = GATEWAY.0;
        let _ = writeln!(text, "<path d=\"M{} {} L{x} {y} L{} {} Z\" fill=\"{strong}\"/>", x - 9, y - 5, x - 9, y + 5);
    }
    for (index, cell) in row.cells.iter().enumerate() {
        let said = || notes.iter().position(|note| note.cell.says_the_same(cell)).map(|index| index + 1);
        let number = cell.state.reason().and_then(|_| said());
        dot(text, x_of(index), y, &cell.state, number);
    }
}

fn dot(text: &mut String, x: usize, y: usize, state: &HopState, number: Option<usize>) {
    let circle = |r: f32, fill: &str, stroke: &str| {
        format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"2\"/>")
    };
    let (shape, sign) = match state {
        HopState::Ok | HopState::Noted(_) => (
            circle(8.5, GREEN, "#ffffff"),
            format!(
                "<path d=\"M{} {y} l3 3.2 l5.2 -6.2\" fill=\"none\" stroke=\"#ffffff\" stroke-width=\"1.8\"/>",
                x as f32 - 4.0
            ),
        ),
        HopState::Moot => (circle(5.0, "#ffffff", PALE), String::new()),
        HopState::Off(_) => (circle(9.5, "#ffffff", PALE), number_at(x, y, number, GREY)),
        HopState::Broken(_) => (circle(10.0, RED, "#ffffff"), number_at(x, y, number, "#ffffff")),
        HopState::Impaired(_) => (circle(10.0, AMBER, "#ffffff"), number_at(x, y, number, "#ffffff")),
        HopState::Unknown(_) => (circle(9.5, "#ffffff", GREY), number_at(x, y, number, SOFT)),
    };
    let why = state.reason().map(|r| format!("<title>{}</title>", escaped(&r.words))).unwrap_or_default();
    let _ = writeln!(text, "<g>{why}{shape}{sign}</g>");
}

fn number_at(x: usize, y: usize, number: Option<usize>, color: &str) -> String {
    number.map_or(String::new(), |number| {
        format!(
            "<text x=\"{x}\" y=\"{}\" font-size=\"10.5\" font-weight=\"700\" text-anchor=\"middle\" fill=\"{color}\">{number}</text>",
            y + 4
        )
    })
}

/// A note below a panel, as markup.
fn note_words(number: usize, note: &Note<'_>) -> String {
    let Some(reason) = note.reason() else { return String::new() };
    let rule = reason.rule.map(|rule| format!("{rule}: ")).unwrap_or_default();
    let place = note.place().map(|p| format!("{}:{}", p.path, p.line)).unwrap_or_default();
    let color = match note.cell.state {
        HopState::Broken(_) => RED,
        HopState::Impaired(_) => AMBER,
        _ => SOFT,
    };
    let place = shortened(&place, NOTE_CHARS / 3);
    let room = NOTE_CHARS.saturating_sub(rule.len() + place.chars().count());
    // Blanks at the ends of parts are dropped by some renderers, so parts are moved apart.
    format!(
        "<tspan font-weight=\"700\" fill=\"{color}\">{number}</tspan><tspan dx=\"7\" font-weight=\"600\">{}</tspan>\
         <tspan dx=\"{}\">{}</tspan><tspan dx=\"8\" fill=\"{SOFT}\">{}</tspan>",
        escaped(rule.trim_end()),
        if rule.is_empty() { 7 } else { 4 },
        escaped(&shortened(&reason.words, room.max(40))),
        escaped(&place)
    )
}

fn legend_at(text: &mut String, y: usize) {
    let mut x = MARGIN + 8;
    for (color, fill, words) in [
        (GREEN, GREEN, "ok"),
        (RED, RED, "broken"),
        (AMBER, AMBER, "events may be lost"),
        (GREY, "#ffffff", "the manifests don't tell"),
        (PALE, "#ffffff", "nothing is sent"),
    ] {
        let _ = writeln!(
            text,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"6\" fill=\"{fill}\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"{SOFT}\">{words}</text>",
            x + 13,
            y + 4
        );
        x += 34 + words.len() * 7;
    }
}

/// Text that fits: its middle is left out.
fn shortened(text: &str, room: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= room {
        return text.to_string();
    }
    let head = room.saturating_sub(1) * 3 / 5;
    let tail = room.saturating_sub(1) - head;
    let start: String = chars.iter().take(head).collect();
    let end: String = chars.iter().skip(chars.len() - tail).collect();
    format!("{start}…{end}")
}

fn escaped(text: &str) -> String {
    let mut found = String::new();
    for c in visible::line(text).chars() {
        match c {
            '&' => found.push_str("&amp;"),
            '<' => found.push_str("&lt;"),
            '>' => found.push_str("&gt;"),
            '"' => found.push_str("&quot;"),
            '\'' => found.push_str("&#39;"),
            // Not a character of XML.
            '\u{fffe}' | '\u{ffff}' => found.push(char::REPLACEMENT_CHARACTER),
            _ => found.push(c),
        }
    }
    found
}
