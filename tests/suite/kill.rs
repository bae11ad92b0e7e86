//! Kills the built program at random moments. The long form: `cargo run --release --example kills 1000`.

use crate::common::kill::Harness;
use crate::common::random::Random;
use std::path::Path;

const KILLS: usize = 25;

fn nothing_is_lost(deduplicate: bool) {
    let mut harness = Harness::new(
        Path::new(env!("CARGO_BIN_EXE_skchat")),
        deduplicate,
        Random::new(&format!("kills, deduplicate {deduplicate}")),
    );
    harness.prepare();
    for _ in 0..KILLS {
        harness.kill_once();
    }
    harness.finish();
    println!("server that removes duplicates: {deduplicate}: {}", harness.tally);
    assert!(harness.tally.is_clean(), "{:#?}", harness.tally);
    assert_eq!(harness.tally.kills, KILLS);
    assert!(harness.tally.acknowledged > 0);
}

#[test]
fn killed_at_random_moments_nothing_is_lost_or_sent_twice_with_a_server_that_removes_duplicates() {
    nothing_is_lost(true);
}

#[test]
fn killed_at_random_moments_nothing_is_lost_or_sent_twice_with_a_server_that_does_not() {
    nothing_is_lost(false);
}
