//! The long form of the kill harness, and the one that kills at every write call.
//!
//! `cargo build --release --bin skchat && cargo run --release --example kills 1000 [SEED]`
//! `cargo run --release --example kills strace` (needs strace; every pwrite64, fsync and ftruncate in turn)

#[path = "../common/mod.rs"]
mod common;

use common::kill::{Harness, Tally};
use common::random::Random;
use common::terminal;
use std::process::ExitCode;

/// Calls that change files, and so the moments in which a kill may hurt.
const CALLS: [&str; 3] = ["pwrite64", "fsync", "ftruncate"];
/// A script with more of them than this has run away.
const MAX_CALLS: usize = 2_000;

fn at_random(kills: usize, deduplicate: bool, random: Random) -> Tally {
    let mut harness = Harness::new(&terminal::program("skchat"), deduplicate, random);
    harness.prepare();
    for n in 0..kills {
        harness.kill_once();
        if (n + 1) % 50 == 0 {
            harness.finish();
            println!("  {}", harness.tally);
        }
    }
    harness.finish();
    harness.tally
}

/// The same small script again and again, killed at the first call, at the second, and so on to the last.
fn at_every_call(call: &str) -> Tally {
    let random = Random::new(call);
    let mut harness = Harness::new(&terminal::program("skchat"), false, random);
    harness.prepare();
    for n in 1..=MAX_CALLS {
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:signal=KILL:when={n}");
        harness.below(&[
            "strace",
            "-D",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
        ]);
        let killed = harness.scripted();
        harness.finish();
        if !killed {
            break;
        }
    }
    harness.tally
}

fn main() -> ExitCode {
    let what = std::env::args().nth(1).unwrap_or_else(|| "100".to_owned());
    let tallies: Vec<(String, Tally)> = if what == "strace" {
        if std::process::Command::new("strace").arg("-V").output().is_err() {
            eprintln!("strace is missing");
            return ExitCode::from(2);
        }
        CALLS.iter().map(|call| (format!("at every {call}"), at_every_call(call))).collect()
    } else {
        let Ok(kills) = what.parse::<usize>() else {
            eprintln!("a number of kills, or strace");
            return ExitCode::from(2);
        };
        let seed = match std::env::args().nth(2).map(|text| text.parse::<u64>()) {
            Some(Ok(seed)) => Some(seed),
            Some(Err(_)) => {
                eprintln!("the seed is a number");
                return ExitCode::from(2);
            }
            None => None,
        };
        [true, false]
            .map(|deduplicate| {
                let server =
                    if deduplicate { "removes duplicates" } else { "does not remove duplicates" };
                let random = match seed {
                    Some(seed) => Random::of_seed(server, seed),
                    None => Random::new(server),
                };
                (format!("a server that {server}"), at_random(kills, deduplicate, random))
            })
            .into()
    };
    let mut code = ExitCode::SUCCESS;
    for (what, tally) in tallies {
        println!("{what}: {tally}");
        if !tally.is_clean() || tally.kills == 0 {
            println!("{tally:#?}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
