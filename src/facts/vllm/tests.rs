//! What must hold for `vllm.yaml`.

use super::*;
use crate::facts::{Effect, check, parse_tag};

fn release(text: &str) -> Release {
    text.parse().unwrap()
}

#[test]
fn releases_are_in_order_and_end_with_the_newest() {
    for pair in TABLE.releases.windows(2) {
        assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
    }
    assert_eq!(TABLE.releases.first(), Some(&TABLE.oldest));
    assert_eq!(TABLE.releases.last(), Some(&TABLE.newest));
    assert!(TABLE.unexamined.iter().all(is_release));
    assert!(!is_release(&release("0.9.3")));
}

#[test]
fn every_boundary_in_the_table_is_a_real_release() {
    let rows = TABLE.behaviours.iter().flat_map(|behaviour| &behaviour.rows).map(|row| &row.releases);
    let env = TABLE.env.known.iter().map(|variable| &variable.releases);
    let flags = cli::flags().iter().map(|flag| &flag.releases);
    for range in rows.chain(env).chain(flags) {
        for end in [&range.since, &range.until].into_iter().flatten() {
            assert!(is_release(end), "{end} of {range}");
        }
    }
}

#[test]
fn rows_of_one_situation_do_not_overlap_and_have_sources() {
    for behaviour in &TABLE.behaviours {
        check::effects(&behaviour.id, &behaviour.rows);
    }
    for entry in &TABLE.entry_points {
        check::effects(&entry.id, &entry.positional_model);
        check::effects(&entry.id, &entry.model_flag);
    }
    for variable in &TABLE.env.known {
        check::values(&variable.name, &variable.defaults);
        check::effects(&variable.name, &variable.when_off);
    }
    check::effects("unread", &TABLE.env.unread);
    check::values("hash_seed_needed", &TABLE.hash_seed_needed);
    check::values("prefix_caching", &TABLE.prefix_caching.defaults);
    check::values("hybrid_models", &TABLE.prefix_caching.hybrid_models);
    check::disjoint("hash_algorithms", TABLE.hash_algorithms.iter().map(|row| &row.releases));
    check::disjoint("block_sizes", TABLE.block_sizes.iter().map(|row| &row.releases));
    check::disjoint("image", TABLE.images.entry_points.iter().map(|row| &row.releases));
    check::sources("documented", TABLE.env.documented.iter().map(|row| row.source.as_str()));
}

#[test]
fn names_stand_once() {
    check::unique("behaviours", TABLE.behaviours.iter().map(|row| row.id.as_str()));
    check::unique("entry_points", TABLE.entry_points.iter().map(|row| row.id.as_str()));
    let known = TABLE.env.known.iter().map(|row| row.name.as_str());
    check::unique("env", known.chain(TABLE.env.documented.iter().map(|row| row.name.as_str())));
}

#[test]
fn every_image_command_is_in_the_table() {
    for row in &TABLE.images.entry_points {
        assert!(entry_point(&row.entry_point).is_some(), "{}", row.entry_point);
    }
}

#[test]
fn a_default_is_among_the_accepted_values() {
    for row in &TABLE.hash_algorithms {
        assert!(row.values.contains(&row.default), "{}", row.releases);
    }
    for row in &TABLE.block_sizes {
        assert!(row.values.is_empty() || row.values.contains(&row.default), "{}", row.releases);
    }
    assert_eq!(default_block_size(), 16);
}

#[test]
fn only_docker_hub_has_upstreams_own_image() {
    assert_eq!(image_origin("vllm/vllm-openai"), Some(ImageOrigin::Upstream));
    assert_eq!(image_origin("docker.io/vllm/vllm-openai"), Some(ImageOrigin::Upstream));
    assert_eq!(image_origin("mirror.example.com/vllm/vllm-openai"), Some(ImageOrigin::Mirror));
    assert_eq!(image_origin("registry.cn-beijing.example.com/aibrix/vllm/vllm-openai"), Some(ImageOrigin::Mirror));
    assert_eq!(image_origin("aibrix/vllm-openai"), Some(ImageOrigin::Derived));
    assert_eq!(image_origin("localhost:5000/lmcache/vllm-openai"), Some(ImageOrigin::Derived));
    assert_eq!(image_origin("aibrix/vllm-mock"), None);
    assert_eq!(image_origin("nginx"), None);
}

#[test]
fn the_nixl_port_left_the_event_port_in_0_11_1() {
    assert_eq!(env_default(EnvRole::NixlPort, &release("0.11.0")), Some("5557"));
    assert_eq!(env_default(EnvRole::NixlPort, &release("0.11.1")), Some("5600"));
    assert_eq!(env_default(EnvRole::IntBlockHashes, &release("0.9.0")), None);
}

#[test]
fn documented_variables_are_never_read() {
    assert_eq!(option_by_env("VLLM_KV_EVENTS_ENDPOINT").unwrap().setting, Setting::Endpoint);
    assert!(is_unread_event_variable("VLLM_KV_EVENTS_WHATEVER"));
    assert!(!is_unread_event_variable("VLLM_KV_EVENTS_USE_INT_BLOCK_HASHES"));
    assert_eq!(unread_variable(&release("0.16.0")).unwrap().effect, Effect::Ignored);
    assert_eq!(unread_variable(&release("0.17.0")).unwrap().effect, Effect::IgnoredWithWarning);
}

#[test]
fn the_seeds_image_has_no_kv_events_at_all() {
    let seed = parse_tag("v0.7.1").unwrap();
    assert!(seed.exact && is_release(&seed.release));
    assert!(!events::publishing_releases().contains(&seed.release));
    assert_eq!(without_v1(&release("0.11.0")), Some(Effect::Crash));
}

#[test]
fn a_tag_tells_the_engines_release_only_where_something_names_the_engine() {
    for (name, tag) in [
        ("vllm/vllm-openai", "v0.11.0"),
        ("registry.example.com/team/vllm-custom", "v0.11.0"),
        ("registry.example.com/team/llm", "vllm-0.9.1"),
        ("lmsysorg/sglang", "v0.4.9.post3"),
        ("lmcache/vllm-openai", "lmcache-0.3.2-vllm-0.9.1"),
    ] {
        assert!(tag_tells_engine(name, tag), "{name}:{tag}");
    }
    for (name, tag) in [
        ("registry.example.com/team/assistant", "v0.3.1"),
        ("ghcr.io/llm-d/llm-d-cuda", "v0.3.0"),
        ("lmcache/vllm-openai", "v0.3.9"),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime", "0.6.1"),
        ("vllm.example.com/assistant", "v0.3.1"),
    ] {
        assert!(!tag_tells_engine(name, tag), "{name}:{tag}");
    }
}
