//! Prints what faults cost: requests by the minute while something lasts, memory after answers made to fill it, and the
//! first sync of a very long list. Figures, not tests: nothing here passes or fails.
//!
//! `cargo build --release --bin skchat && cargo run --release --example outages`, with the name of a part for that
//! alone: `requests`, `all` (requests of every fault that the test has), `rates`, `memory` or `list`.

#[path = "../common/mod.rs"]
mod common;

use common::outages::{self, Outage, outages};
use common::rates::rates;
use common::scripted::{Asked, Reply, Script, Scripted, item, item_with};
use common::terminal::Terminal;
use common::{ANNA, JOE, write_config};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Faults of which the requests are printed: an outage, a pause that is asked for, a poll that fails, and sends that fail
/// in ten chats.
const SHOWN: [&str; 5] = [
    "503 on everything",
    "429 for half a minute",
    "503 on the poll",
    "503 on the poll and on sends",
    "429 on sends with a pause of nothing",
];
const GROUP: &str = "19:crowd@thread.skype";
/// Chats of the long list, and of each of its pages.
const CHATS: usize = 100_000;
const LIST_PAGE: usize = 100;

fn main() {
    let only = std::env::args().nth(1);
    let is_asked = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if is_asked("requests") {
        requests(|row| SHOWN.contains(&row.name));
    }
    if only.as_deref() == Some("all") {
        requests(|_| true);
    }
    if is_asked("rates") {
        println!("requests by the minute of an account of Microsoft Teams (personal):");
        for rate in paused().block_on(rates()) {
            println!("  {:<40} {:?}", rate.name, rate.counts);
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    if is_asked("memory") {
        println!("resident memory of the program, MiB:");
        for (name, size) in [("1 KiB", 1 << 10), ("3.9 MiB", 39 << 20), ("7 MiB", 7 << 20)] {
            let size = if name == "3.9 MiB" { size / 10 } else { size };
            a_large_message(&runtime, name, size);
        }
        messages_below(&runtime);
        a_crowd(&runtime);
    }
    if is_asked("list") {
        a_long_list(&runtime);
    }
}

/// A runtime whose clock only moves when it is told to.
fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

fn requests(chosen: impl Fn(&Outage) -> bool) {
    println!("requests by the minute, in ten chats:");
    for row in outages().into_iter().filter(chosen) {
        let counts = paused().block_on(outages::run(&row, 4)).counts;
        let waits = if row.queues { "a message waits in each" } else { "nothing waits" };
        println!("  {:<40} {counts:?} ({waits})", row.name);
    }
}

/// The program in a process of its own, with a server in this one.
struct Seen {
    terminal: Terminal,
    server: Scripted,
    runtime: tokio::runtime::Handle,
    _home: tempfile::TempDir,
}

impl Seen {
    fn start(runtime: &tokio::runtime::Runtime, script: impl FnOnce(&mut Script)) -> Self {
        let server = runtime.block_on(Scripted::start(script));
        let home = tempfile::tempdir().expect("a folder");
        write_config(home.path(), &server.origin);
        let terminal = Terminal::skchat(home.path(), &[], &[("TEST_TOKEN", "x")], 100, 30);
        Self { terminal, server, runtime: runtime.handle().clone(), _home: home }
    }

    fn change(&self, change: impl FnOnce(&mut Script)) {
        let _entered = self.runtime.enter();
        self.server.change(change);
    }

    /// A line of the status of its process, in MiB.
    fn memory(&self, line: &str) -> f64 {
        let pid = self.terminal.pid().as_raw_nonzero();
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let found = text.lines().find(|l| l.starts_with(line)).unwrap_or_default();
        let kib = found.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    /// Time of processors that it has used.
    fn cpu(&self) -> Duration {
        let pid = self.terminal.pid().as_raw_nonzero();
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = text.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|n| n.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 10)
    }

    fn print(&self, name: &str, before: f64) {
        let (now, peak) = (self.memory("VmRSS"), self.memory("VmHWM"));
        println!("  {name:<40} {before:.0} before, {now:.0} after, {peak:.0} at most");
    }
}

fn a_large_message(runtime: &tokio::runtime::Runtime, name: &str, size: usize) {
    let mut seen =
        Seen::start(runtime, |script| script.chat(JOE, vec![item(1, JOE, JOE, "small")]));
    seen.terminal.wait_for("live");
    seen.terminal.send("\x1b[1;3B");
    seen.terminal.wait_for("small");
    let before = seen.memory("VmRSS");
    let large = item_with(item(2, JOE, JOE, ""), &json!({ "content": "large ".repeat(size / 6) }));
    seen.change(|script| {
        let after = item(3, JOE, JOE, "after it");
        script.chat(JOE, vec![after.clone(), large.clone(), item(1, JOE, JOE, "small")]);
        script.event("NewMessage", &large);
        script.event("NewMessage", &after);
    });
    seen.terminal.wait_for("after it");
    seen.print(&format!("a message of {name}"), before);
}

/// Messages that arrive while one is scrolled up.
fn messages_below(runtime: &tokio::runtime::Runtime) {
    const COUNT: u64 = 10_100;
    let said = |n: u64| item(n, JOE, JOE, &format!("number {n}."));
    let mut seen = Seen::start(runtime, |script| {
        script.chat(JOE, (1..=100).rev().map(said).collect());
    });
    seen.terminal.wait_for("live");
    seen.terminal.send("\x1b[1;3B");
    // It opens where the new ones begin.
    seen.terminal.wait_for("below · Ctrl-End");
    let before = seen.memory("VmRSS");
    for last in (1_100..=COUNT).step_by(1_000) {
        // One answer does not hold more than so many.
        let polls = seen.server.count("POST", "/poll");
        seen.change(|script| {
            (last - 999..=last).for_each(|n| script.event("NewMessage", &said(n)));
        });
        runtime.block_on(seen.server.until("POST", "/poll", polls + 1));
    }
    // The unread messages are counted by hundreds at most, so the last ones do not change the screen.
    seen.terminal.wait_at_most(Duration::from_secs(3), |_| false);
    seen.print("10,000 messages below what is read", before);
}

/// A group of 100,000 members: memory, and how long a key takes in it.
fn a_crowd(runtime: &tokio::runtime::Runtime) {
    let member = |n: usize| json!({ "id": format!("8:live:person{n}"), "role": "User" });
    let mut members: Vec<Value> = (0..100_000).map(member).collect();
    members.push(json!({ "id": ANNA, "role": "Admin" }));
    let roster = json!({ "id": GROUP, "members": members, "properties": { "topic": "Crowd" } });
    let mut seen = Seen::start(runtime, |script| {
        script.chat(GROUP, vec![item(1, JOE, GROUP, "hello all")]);
        script.conversations[0]["threadProperties"] = json!({ "topic": "Crowd" });
        script.threads.insert(GROUP.into(), roster);
    });
    seen.terminal.wait_for("live");
    let before = seen.memory("VmRSS");
    seen.terminal.send("\x1b[1;3B");
    seen.terminal.wait_for("100001 members");
    seen.print("a group of 100,000 members", before);
    let mut times: Vec<Duration> = Vec::new();
    let mut typed = String::new();
    for c in "abcdefghij".chars().cycle().take(60) {
        typed.push(c);
        let wanted = format!("› {typed}");
        let sent = Instant::now();
        seen.terminal.send(&c.to_string());
        times.push(seen.terminal.wait_for(&wanted).saturating_duration_since(sent));
    }
    times.sort_unstable();
    let at =
        |hundredth: usize| times.get(times.len() * hundredth / 100).copied().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!("  key to screen in it: p50 {:.3} p95 {:.3} ms", ms(at(50)), ms(at(95)));
}

/// The page of the long list that a request asks for.
fn list_page(asked: &Asked) -> Option<Reply> {
    if asked.method != "GET" || !asked.path.ends_with("/conversations") {
        return None;
    }
    let from: usize = asked.value("syncState").and_then(|from| from.parse().ok()).unwrap_or(0);
    let chat = |n: usize| {
        let id = format!("8:live:friend{n}");
        let last = item((CHATS - n) as u64, &id, &id, &format!("hello {n}"));
        json!({
            "id": id, "version": last["version"].as_str().and_then(|v| v.parse::<u64>().ok()),
            "lastMessage": last, "properties": {}, "threadProperties": {},
        })
    };
    let to = (from + LIST_PAGE).min(CHATS);
    let page: Vec<Value> = (from..to).map(chat).collect();
    let mut metadata = json!({ "totalCount": page.len() });
    if to < CHATS {
        metadata["backwardLink"] = format!("https://h.example/x?syncState={to}").into();
    }
    Some(Reply::json(&json!({ "conversations": page, "_metadata": metadata })))
}

/// A first start with very many chats.
fn a_long_list(runtime: &tokio::runtime::Runtime) {
    let messages = |asked: &Asked| {
        let chat = asked.path.split("/conversations/").nth(1)?.strip_suffix("/messages")?;
        Some(Reply::page(&[item(1, chat, chat, "hello")], None))
    };
    let began = Instant::now();
    let seen = Seen::start(runtime, |script| {
        script.answer(move |asked| {
            if asked.method != "GET" {
                return None;
            }
            list_page(asked).or_else(|| messages(asked))
        });
    });
    let listed = seen.terminal.wait_for("friend0");
    let live = seen.terminal.wait_for("live");
    println!("first sync of {CHATS} chats:");
    println!(
        "  list shown after {:.2} s, live after {:.2} s",
        listed.saturating_duration_since(began).as_secs_f64(),
        live.saturating_duration_since(began).as_secs_f64()
    );
    let (mut most, mut before) = (0.0_f64, seen.cpu());
    let mut since = Instant::now();
    for _ in 0..30 {
        // The screen may stay as it is; this is a wait of a second.
        seen.terminal.wait_at_most(Duration::from_secs(1), |_| false);
        let (now, cpu) = (Instant::now(), seen.cpu());
        most = most.max(
            cpu.saturating_sub(before).as_secs_f64()
                / now.saturating_duration_since(since).as_secs_f64(),
        );
        (since, before) = (now, cpu);
    }
    let pages = seen.server.count("GET", "/conversations?");
    let fills = seen.server.count("GET", "/messages?");
    println!(
        "  in the next 30 s: at most {:.0} % of a core in any second, {pages} pages of the list, {fills} chats filled",
        most * 100.0
    );
    let (now, peak) = (seen.memory("VmRSS"), seen.memory("VmHWM"));
    println!("  resident memory {now:.0} MiB, {peak:.0} MiB at most");
}
