//! One connection a line.

use std::fmt::Write as _;
use std::path::Path;

use crate::display::{shown, visible};
use crate::k8s::reach::End;

use super::{UnitReach, explain, words};

/// The lines of every unit; several units get a heading each.
pub fn write(units: &[UnitReach<'_>]) -> String {
    let mut text = String::new();
    for unit in units {
        if units.len() > 1 {
            let _ = writeln!(text, "# {}", visible::line(&shown(Path::new(&unit.unit.title()))));
        }
        if let Some(other) = unit.reach.other_policy {
            let _ = writeln!(text, "# {} is not taken into account", visible::line(&other.title()));
        }
        if unit.options.explain {
            explain::write(unit, &mut text);
            continue;
        }
        // A name is written a thousand times; making it harmless once is enough.
        let mut last: Option<(End, String)> = None;
        unit.each(|c| {
            if last.as_ref().is_none_or(|(end, _)| end != c.from) {
                last = Some((c.from.clone(), visible::line(&c.from.to_string()).into_owned()));
            }
            if let Some((_, from)) = &last {
                text.push_str(from);
            }
            let _ = writeln!(text, " => {} : {}", visible::line(&c.to.to_string()), words(c.certain, c.possible));
        });
    }
    text
}
