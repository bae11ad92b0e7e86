#![no_main]
#[path = "../../common/checks.rs"]
#[allow(dead_code, reason = "each target uses its own check")]
mod checks;
#[path = "../../common/fixture.rs"]
mod fixture;

libfuzzer_sys::fuzz_target!(|text: &str| checks::sanitiser_holds(text));
