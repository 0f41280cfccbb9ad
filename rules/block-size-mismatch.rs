use crate::events::{Engine, Gateway, Publisher};
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::fix::gateway;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for gateway in model.gateways.iter().filter(|g| g.sync().known() == Some(&true)) {
        let Some((&bytes, place)) = gateway.block_size().known_at() else { continue };
        let engines: Vec<_> = model
            .publishers
            .iter()
            .filter(|p| p.engine() == Engine::Vllm && p.publishing() == Publishing::On)
            .filter_map(|p| Some((p, p.block_size().known_at().map(|(tokens, span)| (*tokens, span))?)))
            .collect();
        let odd: Vec<_> =
            engines.iter().filter(|(_, (tokens, _))| aibrix::matching_block_size(*tokens) != Some(bytes)).collect();
        let same = odd.windows(2).all(|pair| pair[0].1.0 == pair[1].1.0);
        if odd.len() == engines.len() && same {
            if let Some((publisher, engine)) = odd.first() {
                in_gateway(cx, gateway, (bytes, place), publisher, *engine);
            }
        } else {
            // Other engines fit, or all differ: the gateway has one size, so engines have to follow.
            for (publisher, engine) in odd {
                in_engine(cx, (bytes, place), publisher, *engine);
            }
        }
    }
}

/// No engine fits: the gateway's value is the one to edit.
fn in_gateway(
    cx: &mut UnitContext<'_>,
    found: &Gateway<'_>,
    (bytes, place): (u32, Span),
    publisher: &Publisher<'_>,
    (tokens, engine): (u32, Span),
) {
    let variable = aibrix::variable("block_size");
    let name = found.names(variable).first().copied().unwrap_or_default();
    let written = found.variable(variable).is_some();
    let Some(right) = aibrix::matching_block_size(tokens) else { return };
    let message =
        format!("the gateway hashes blocks of {bytes} bytes, and the engine's blocks of {tokens} tokens are {right}");
    cx.report(place, message)
        .label(if written { "bytes, not tokens".to_string() } else { format!("{name} is {bytes} by default") })
        .related(engine, engine_label(publisher, tokens))
        .help(format!("set {name} to \"{right}\""))
        .mend(
            format!("set {name} to \"{right}\""),
            if certainty(publisher) == Certainty::Certain { Applicability::Safe } else { Applicability::Unsafe },
            |changes| gateway::set(found, variable, &right.to_string(), changes),
        )
        .note(why())
        .observed(certainty(publisher));
}

/// Some engines fit and this one does not.
fn in_engine(
    cx: &mut UnitContext<'_>,
    (bytes, place): (u32, Span),
    publisher: &Publisher<'_>,
    (tokens, engine): (u32, Span),
) {
    let factor = aibrix::table().bytes_per_token.value;
    let flag = &cli::flag_for(Role::BlockSize).name;
    let message = format!("the engine's blocks of {tokens} tokens do not fit the gateway's {bytes} bytes");
    cx.report(engine, message)
        .label(engine_label(publisher, tokens))
        .related(place, format!("the gateway hashes blocks of {bytes} bytes"))
        .help(format!("give every engine `{flag}` of {}, or the gateway another size", bytes / factor.max(1)))
        .note(why())
        .observed(certainty(publisher));
}

fn engine_label(publisher: &Publisher<'_>, tokens: u32) -> String {
    if publisher.number(Role::BlockSize).is_absent() {
        format!("blocks of {tokens} tokens by default")
    } else {
        format!("blocks of {tokens} tokens")
    }
}

/// A model or a backend may choose another size where none is written.
fn certainty(publisher: &Publisher<'_>) -> Certainty {
    if publisher.number(Role::BlockSize).is_absent() { Certainty::Likely } else { Certainty::Certain }
}

fn why() -> String {
    let factor = aibrix::table().bytes_per_token.value;
    format!(
        "the gateway counts {factor} bytes for each token; with another size events arrive and no hash ever matches"
    )
}
