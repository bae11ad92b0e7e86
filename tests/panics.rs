//! What a crash prints and logs: never the message of the panic, which can hold a token or somebody's words. The test
//! program starts itself again to crash, so it has its own `main`.

use skchat::client::Secret;
use skchat::runtime::terminal::{install_command_panic_hook, install_panic_hook};
use std::process::Command;

/// Tells the second process how to crash.
const CRASH: &str = "SKCHAT_TEST_CRASH";
const CANARY: &str = "canary-token-and-words";

fn main() {
    match std::env::var(CRASH) {
        Ok(where_it_crashes) => crash(&where_it_crashes),
        Err(_) => no_crash_prints_what_the_panic_says(),
    }
}

fn crash(where_it_crashes: &str) {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(std::io::stderr)
        .init();
    let secret = Secret::new(CANARY);
    let panic = move || -> () { panic!("{secret:?} {CANARY}") };
    match where_it_crashes {
        "command" => {
            install_command_panic_hook();
            panic();
        }
        "loop" => {
            install_panic_hook();
            panic();
        }
        _ => {
            install_panic_hook();
            let ended = std::thread::spawn(panic).join();
            assert!(ended.is_err(), "the task panicked");
        }
    }
}

fn no_crash_prints_what_the_panic_says() {
    let program = std::env::current_exe().expect("this program has a path");
    for (where_it_crashes, ends_well) in [("command", false), ("loop", false), ("task", true)] {
        let output = Command::new(&program)
            .env(CRASH, where_it_crashes)
            .env("RUST_BACKTRACE", "0")
            .output()
            .expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.success(), ends_well, "{where_it_crashes}: {said}");
        assert!(said.contains("stopped unexpectedly"), "{where_it_crashes}: {said}");
        assert!(said.contains("panics.rs:"), "the place is told, {where_it_crashes}: {said}");
        assert!(!said.contains("canary"), "{where_it_crashes}: {said}");
    }
    println!("three crashes said where they happened, and nothing of what the panics said");
}
