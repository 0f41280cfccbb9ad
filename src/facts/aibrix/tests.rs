//! What must hold for `aibrix.yaml`.

use super::*;
use crate::facts::check;

#[test]
fn names_stand_once_and_rows_have_sources() {
    let names = TABLE.variables.iter().flat_map(|variable| &variable.names).map(|row| row.name.as_str());
    check::unique("names", names.chain(TABLE.never_read.iter().map(|row| row.name.as_str())));
    check::unique("ids", TABLE.variables.iter().map(|variable| variable.id.as_str()));
    check::unique("capabilities", TABLE.capabilities.iter().map(|row| row.id.as_str()));
    for variable in &TABLE.variables {
        check::disjoint(&variable.id, variable.names.iter().map(|row| &row.releases));
        check::sources(&variable.id, variable.names.iter().map(|row| row.source.as_str()));
    }
    check::sources("never_read", TABLE.never_read.iter().map(|row| row.source.as_str()));
    check::effects("bool_invalid", &TABLE.bool_invalid);
    check::effects("redis", &TABLE.redis.missing);
    check::disjoint("decoders", TABLE.decoders.iter().map(|row| &row.releases));
    assert_eq!(TABLE.releases.last(), Some(&TABLE.newest));
}

#[test]
fn ids_that_rows_name_exist() {
    for id in &TABLE.documented.gateway_variables {
        variable(id);
    }
    for id in ["sync_exists", "decodes_arrays", "reaches_router", "works_end_to_end", "standalone_flag"] {
        capability(id);
    }
}

#[test]
fn the_switch_has_another_name_in_0_4() {
    let sync = variable("kv_event_sync");
    let name = |release| names_for(sync, Some(&release))[0].name.as_str();
    assert_eq!(name(Release::new(0, 4, 1)), "AIBRIX_KV_EVENT_SYNC_ENABLED");
    assert_eq!(name(Release::new(0, 5, 0)), "AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED");
    assert!(names_for(sync, Some(&Release::new(0, 3, 0))).is_empty());
    assert_eq!(names_for(sync, None)[0].name, "AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED", "newest first");
}

#[test]
fn synchronisation_has_four_prerequisites() {
    let ids: Vec<_> = prerequisites().map(|variable| variable.id.as_str()).collect();
    assert_eq!(ids, ["kv_event_sync", "remote_tokenizer", "tokenizer_type", "tokenizer_endpoint"]);
}

#[test]
fn booleans_are_read_as_go_reads_them() {
    assert_eq!(parse_bool("True"), Some(true));
    assert_eq!(parse_bool("0"), Some(false));
    for text in ["yes", "on", "enabled", " true", "tRUE", ""] {
        assert_eq!(parse_bool(text), None, "{text:?}");
    }
}

#[test]
fn no_gateway_before_0_6_decodes_and_none_before_0_7_works() {
    assert!(decoder(&Release::new(0, 5, 0)).is_none());
    let decoder = decoder(&Release::new(0, 6, 0)).unwrap();
    assert!(decoder.vllm.contains(&Release::new(0, 23, 0)) && !decoder.vllm.contains(&Release::new(0, 24, 0)));
    assert!(!can("works_end_to_end", &Release::new(0, 6, 0)));
    assert!(can("works_end_to_end", &Release::new(0, 7, 0)));
}

#[test]
fn the_decoders_and_vllms_encoding_agree() {
    for row in &TABLE.decoders {
        for release in super::super::vllm::table().releases.iter() {
            let encoding = super::super::vllm::events::event_encoding(release);
            assert_eq!(row.vllm.contains(release), encoding == Some(row.encoding), "vLLM {release}");
        }
    }
}

#[test]
fn a_block_of_16_tokens_is_64_bytes() {
    assert_eq!(matching_block_size(16), Some(64));
    assert_ne!(variable("block_size").installed_default.as_deref(), Some("64"), "the install needs a change");
}

#[test]
fn names_that_no_release_reads_are_found() {
    assert!(matches!(name("AIBRIX_REMOTE_TOKENIZER_ENGINE"), Some(NameMatch::Never(_))));
    assert!(matches!(name("AIBRIX_USE_REMOTE_TOKENIZER"), Some(NameMatch::Read(v, _)) if v.id == "remote_tokenizer"));
    assert!(name("PATH").is_none());
}

#[test]
fn what_parse_bool_refuses_may_still_be_meant() {
    for text in ["yes", "on", "enabled", " true", "TrUe", "True\n"] {
        assert_eq!((parse_bool(text), meant_bool(text)), (None, Some(true)), "{text:?}");
    }
    for text in ["no", "off", "FALSe"] {
        assert_eq!(meant_bool(text), Some(false), "{text:?}");
    }
    // What is accepted needs no guess, and what is neither has none.
    for text in ["true", "0", "", "maybe"] {
        assert_eq!(meant_bool(text), None, "{text:?}");
    }
}
