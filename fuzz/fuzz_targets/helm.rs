#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/checks.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod checks;

fuzz_target!(|data: &[u8]| checks::helm(data));
