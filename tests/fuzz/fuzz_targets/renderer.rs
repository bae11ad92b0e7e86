#![no_main]
#[path = "../../common/checks.rs"]
#[allow(dead_code, reason = "each target uses its own check")]
mod checks;
#[path = "../../common/fixture.rs"]
mod fixture;

libfuzzer_sys::fuzz_target!(|parts: (u8, u8, u8, u8, &str, &str)| {
    let (kind, columns, rows, depth, name, content) = parts;
    let kinds = ["Text", "RichText", "RichText/Html", "RichText/UriObject", "Event/Call", "ThreadActivity/AddMember"];
    let kind = kinds[usize::from(kind) % kinds.len()];
    let (columns, rows) = (u16::from(columns % 130) + 1, u16::from(rows % 45) + 1);
    checks::renderer_holds(kind, content, name, columns, rows, depth);
});
