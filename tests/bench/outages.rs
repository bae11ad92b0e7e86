//! Prints what faults cost: requests by the minute while something lasts, and memory after answers made to fill it.
//! Figures, not tests: nothing here passes or fails.
//!
//! `cargo run --release --example outages`

#[path = "../common/mod.rs"]
mod common;

use common::outages::{self, outages};
use common::scripted::{Scripted, item, item_with};
use common::{ANNA, JOE, Runner, Setup};
use serde_json::json;

fn main() {
    let paused = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    println!("requests by the minute, with ten chats that wait to be sent:");
    for row in outages() {
        let counts = paused().block_on(outages::run(&row, 3)).counts;
        println!("  {:<34} {counts:?}", row.name);
    }
    println!("resident memory of program, server and screen together, MiB:");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, size) in [("a message of 1 KiB", 1 << 10), ("a message of 7 MiB", 7 << 20)] {
        runtime.block_on(bomb(name, size));
    }
}

/// A line of `/proc/self/status` in MiB.
fn memory(line: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = text.lines().find(|l| l.starts_with(line)).unwrap_or_default().to_owned();
    found.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

async fn bomb(name: &str, size: usize) {
    let server = Scripted::start(|script| script.chat(JOE, vec![item(1, JOE, JOE, "small")])).await;
    let mut anna = Runner::launch(server.options(ANNA), &Setup::default());
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("small").await;
    let before = memory("VmRSS");
    let large = item_with(item(2, JOE, JOE, ""), &json!({ "content": "large ".repeat(size / 6) }));
    server.change(|script| script.event("NewMessage", &large));
    server.change(|script| script.event("NewMessage", &item(3, JOE, JOE, "after it")));
    anna.wait_for("after it").await;
    println!(
        "  {name:<34} {before:.0} before, {:.0} after, {:.0} at most",
        memory("VmRSS"),
        memory("VmHWM")
    );
    anna.quit().await;
}
