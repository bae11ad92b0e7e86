//! Prints how fast the program is, seen from outside in a pseudo-terminal, beside a bare ratatui program in the same
//! run. Figures, not tests: nothing here passes or fails.
//!
//! `cargo build --release --examples --bin skchat && cargo run --release --example figures [-- [--peers] [PART]…]`
//!
//! With `--peers` other terminal chat clients that are installed are measured in the same run. The parts are `start`,
//! `keys`, `typing`, `slow-line`, `idle`, `memory`, `trickle`, `flood` and `burst`; without any, all are printed.

mod peers;
mod process;
#[path = "../common/terminal.rs"]
mod terminal;

use process::at_rest;
use skchat::client::{BaseUrl, Client, ClientOptions, Secret, TokenSource};
use skchat::gateway::{self, GatewayUser};
use skchat::model::{ClientMessageId, ConversationId, Outgoing, Point, Range, Timestamp, UserId};
use skchat::protocol::{decode, wire};
use skchat::store::{Batch, ConversationRow, CoverageUpdate, Store};
use std::cell::LazyCell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use terminal::{Speed, Terminal, program};

const ME: &str = "8:anna.7";
const PEER: &str = "8:joe.4";
/// Enough that the 99th percentile is more than the third worst key.
const KEYS: usize = 1_000;
/// What is measured, in this order.
const PARTS: [&str; 9] =
    ["start", "keys", "typing", "slow-line", "idle", "memory", "trickle", "flood", "burst"];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let (options, parts): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let with_peers = options.iter().any(|option| option == "--peers");
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("there is no part {unknown}; the parts are {}", PARTS.join(", "));
        std::process::exit(2);
    }
    println!("120x40, one machine, one run; medians unless said otherwise\n");
    let large = LazyCell::new(|| folder(&runtime, 100_000));
    for part in PARTS.iter().filter(|part| parts.is_empty() || parts.iter().any(|p| p == **part)) {
        match *part {
            "start" => starts(folder(&runtime, 1_000).path(), large.path()),
            "keys" => keys(large.path()),
            "typing" => typing(large.path(), with_peers),
            "slow-line" => slow_line(&runtime),
            "idle" => idle(&runtime),
            "memory" => memory(large.path()),
            "trickle" => trickle(&runtime),
            "flood" => flood(&runtime),
            "burst" => burst(&runtime),
            other => unreachable!("{other} is not measured"),
        }
    }
}

fn start(dir: &Path) -> Terminal {
    Terminal::skchat(dir, &[], &[("SKCHAT_TOKEN", "secret")], 120, 40)
}

fn write_config(dir: &Path, origin: &str) {
    write_accounts(dir, origin, &["home"]);
}

fn write_accounts(dir: &Path, origin: &str, names: &[&str]) {
    let account = |name: &&str| {
        format!(
            "[accounts.{name}]\nuser_id = \"{ME}\"\ngateway = \"{origin}/v1\"\ntoken = {{ env = \"SKCHAT_TOKEN\" }}\n"
        )
    };
    let accounts: String = names.iter().map(account).collect();
    let text = format!("{accounts}[reading]\nreceipts = \"never\"\n");
    std::fs::write(dir.join("config.toml"), text).expect("a folder that can be written");
}

/// A store with one conversation of so many messages, opened last, and a gateway that is not there.
fn folder(runtime: &tokio::runtime::Runtime, count: i64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    write_config(dir.path(), "http://127.0.0.1:9");
    let account = dir.path().join("accounts/home");
    std::fs::create_dir_all(&account).expect("a folder that can be written");
    let me = UserId::new(ME);
    let id = ConversationId::new(PEER);
    runtime.block_on(async {
        let store = Store::open(&account.join("store.db")).expect("a store");
        let first = 1_700_000_000_000i64;
        for chunk in 0..count / 1000 {
            let messages = (0..1000).map(|i| {
                let at = first + (chunk * 1000 + i) * 60_000;
                let from = if i % 3 == 0 { ME } else { PEER };
                let json = format!(
                    "{{\"id\":\"{at}\",\"version\":\"{at}\",\"clientmessageid\":\"{at}7\",\"messagetype\":\"Text\",\
                     \"originalarrivaltime\":\"{at}\",\"from\":\"https://h/v1/users/ME/contacts/{from}\",\
                     \"content\":\"message {} with a few more words in it\"}}",
                    chunk * 1000 + i
                );
                let raw = wire::raw_message(&json, Some(&id)).expect("a message");
                let index = decode::indexed(&decode::message(&raw, &me));
                (raw, index)
            });
            let messages: Vec<_> = messages.collect();
            let points = messages.iter().map(|(raw, _)| Point::from(&raw.key()));
            let (lo, hi) = points.clone().min().zip(points.max()).expect("messages");
            // From the message before on: the pages of one history.
            let lo = if chunk == 0 {
                lo
            } else {
                Point { at: Timestamp(lo.at.0 - 60_000), order: lo.order - 60_000 }
            };
            let coverage = CoverageUpdate::Range(Range { lo, hi, floor: chunk == 0 });
            let item = format!("{{\"id\":\"{PEER}\",\"version\":1}}");
            let raw = wire::raw_conversation(&item).expect("a conversation");
            let batch = Batch {
                conversations: vec![ConversationRow { raw, read_marker: None, cleared_at: None, complete: true, sync_token: None, is_over: false }],
                messages,
                coverage: vec![(id.clone(), coverage)],
                decoder: decode::DECODER_VERSION,
                ..Batch::default()
            };
            store.apply(batch, me.clone()).await.expect("stored");
        }
        store.set_last_open(&id).await.expect("stored");
        store.close().await.expect("stored");
    });
    dir
}

fn sorted(mut list: Vec<Duration>) -> Vec<Duration> {
    list.sort();
    list
}

fn at(list: &[Duration], share: f64) -> f64 {
    let index = ((list.len() as f64 - 1.0) * share).round() as usize;
    list.get(index).map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0)
}

fn starts(small: &Path, large: &Path) {
    let once = |dir: &Path, text: &str| {
        let terminal = start(dir);
        terminal.after_start(terminal.wait_for(text))
    };
    let bare = || {
        let terminal = Terminal::start(&program("bare"), &[], &[], 120, 40);
        terminal.after_start(terminal.wait_for("line 003"))
    };
    let (mut few, mut many, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..11 {
        few.push(once(small, "message 999 "));
        many.push(once(large, "message 99999 "));
        floor.push(bare());
    }
    let (few, many, floor) = (sorted(few), sorted(many), sorted(floor));
    println!("newest page on screen, 1,000 messages stored   {:7.2} ms", at(&few, 0.5));
    println!("newest page on screen, 100,000 messages stored {:7.2} ms", at(&many, 0.5));
    println!(
        "  ratio 100,000 / 1,000                        {:7.2}",
        at(&many, 0.5) / at(&few, 0.5)
    );
    println!("bare ratatui, first screen                     {:7.2} ms", at(&floor, 0.5));
    println!(
        "  ratio of 1,000 stored to bare                {:7.2}",
        at(&few, 0.5) / at(&floor, 0.5)
    );
}

/// The bytes that a terminal was sent so far.
fn bytes_sent(terminal: &Terminal) -> usize {
    terminal.seen.0.lock().expect("nobody panics with it").bytes.len()
}

/// Key written to its character on the screen, one at a time.
fn echo(terminal: &mut Terminal, keys: usize, prefix: &str) -> (Vec<Duration>, f64) {
    let mut times = Vec::with_capacity(keys);
    let mut sent_back = 0;
    let mut mark = bytes_sent(terminal);
    let mut typed = String::new();
    for i in 0..keys {
        let c = char::from(b'a' + u8::try_from(i % 26).unwrap_or(0));
        typed.push(c);
        if typed.len() > 40 {
            sent_back += bytes_sent(terminal) - mark;
            terminal.send(&"\x7f".repeat(40));
            typed.clear();
            terminal.wait("an empty line", |s| {
                s.parser.screen().contents().lines().any(|l| l.trim_end() == prefix.trim_end())
            });
            mark = bytes_sent(terminal);
            typed.push(c);
        }
        let wanted = format!("{prefix}{typed}");
        let sent = Instant::now();
        terminal.send(&c.to_string());
        let shown = terminal.wait(&wanted, |s| s.parser.screen().contents().contains(&wanted));
        times.push(shown.saturating_duration_since(sent));
    }
    sent_back += bytes_sent(terminal) - mark;
    (sorted(times), sent_back as f64 / keys as f64)
}

fn keys(large: &Path) {
    let mut ours = start(large);
    ours.wait_for("message 99999 ");
    let mut bare = Terminal::start(&program("bare"), &[], &[], 120, 40);
    bare.wait_for("line 003");
    echo(&mut ours, 50, " To joe.4 › ");
    echo(&mut bare, 50, "> ");
    // Leftovers of the warm-up are part of the lines that are waited for.
    ours.send(&"\x7f".repeat(60));
    bare.send(&"\x7f".repeat(60));
    ours.wait("an empty line", |s| {
        s.parser.screen().contents().lines().any(|l| l.trim_end() == " To joe.4 ›")
    });
    bare.wait("an empty line", |s| {
        s.parser.screen().contents().lines().any(|l| l.trim_end() == ">")
    });
    let (times, bytes) = echo(&mut ours, KEYS, " To joe.4 › ");
    let (floor, floor_bytes) = echo(&mut bare, KEYS, "> ");
    println!(
        "\nkey to screen, 100,000 messages: p50 {:.3} p95 {:.3} p99 {:.3} ms, {bytes:.0} bytes a key",
        at(&times, 0.5),
        at(&times, 0.95),
        at(&times, 0.99)
    );
    println!(
        "key to screen, bare ratatui:     p50 {:.3} p95 {:.3} p99 {:.3} ms, {floor_bytes:.0} bytes a key",
        at(&floor, 0.5),
        at(&floor, 0.95),
        at(&floor, 0.99)
    );
    println!("  ratio of p50                   {:.2}", at(&times, 0.5) / at(&floor, 0.5));
    let mut pages = Vec::new();
    for _ in 0..100 {
        let before = ours.seen.0.lock().expect("nobody panics with it").parser.screen().contents();
        let sent = Instant::now();
        ours.send("\x1b[5~");
        let shown = ours.wait("another page", |s| s.parser.screen().contents() != before);
        pages.push(shown.saturating_duration_since(sent));
    }
    let pages = sorted(pages);
    println!(
        "PageUp through 100 pages:        p50 {:.3} p95 {:.3} ms",
        at(&pages, 0.5),
        at(&pages, 0.95)
    );
}

/// Nanoseconds that each thread of a process has computed.
fn computed(pid: u32) -> std::collections::HashMap<std::ffi::OsString, u64> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a running program");
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        Some((task.file_name(), text.split(' ').next()?.parse::<u64>().ok()?))
    };
    tasks.flatten().filter_map(of).collect()
}

/// A program that receives keys at a typist's pace, and what they have cost so far.
struct Typed {
    terminal: Terminal,
    /// The prompt before the typed text.
    prompt: &'static str,
    /// From the key to the screen.
    times: Vec<Duration>,
    /// Time that the processor worked.
    computed: Duration,
    /// What was sent to the terminal.
    bytes: usize,
}

impl Typed {
    fn new(terminal: Terminal, prompt: &'static str) -> Self {
        Self { terminal, prompt, times: Vec::new(), computed: Duration::ZERO, bytes: 0 }
    }

    fn pid(&self) -> u32 {
        self.terminal.child.process_id().expect("running")
    }

    /// In milliseconds.
    fn percentile(&self, share: f64) -> f64 {
        at(&sorted(self.times.clone()), share)
    }

    /// What a key costs: milliseconds of processor time of a thousand, and bytes of one.
    fn costs(&self) -> (f64, f64) {
        let keys = self.times.len() as f64;
        (self.computed.as_secs_f64() * 1e6 / keys, self.bytes as f64 / keys)
    }
}

/// Keys at a typist's pace, whether the program is ready or not, and what they cost. The speed of a machine changes from
/// one minute to the next, so the programs take turns.
fn typing(large: &Path, with_peers: bool) {
    const ROUNDS: usize = 3;
    let ours = start(large);
    ours.wait_for("message 99999 ");
    // After the first frame the store is examined, which is no part of what a key costs.
    at_rest(ours.child.process_id().expect("running"));
    let bare = Terminal::start(&program("bare"), &[], &[], 120, 40);
    bare.wait_for("line 003");
    let mut programs = vec![Typed::new(ours, " To joe.4 › "), Typed::new(bare, "> ")];
    let started = if with_peers { peers::start() } else { Vec::new() };
    let (peers, theirs): (Vec<_>, Vec<_>) = started.into_iter().unzip();
    programs.extend(theirs);
    for _ in 0..ROUNDS {
        programs.iter_mut().for_each(typist);
    }
    let [ours, bare, others @ ..] = programs.as_slice() else { return };
    println!();
    for (what, typed) in [("skchat", ours), ("bare ratatui", bare)] {
        let (cpu, bytes) = typed.costs();
        println!(
            "typed every 25 to 55 ms, {what:<13} p50 {:.3} p95 {:.3} ms, {cpu:.0} ms of processor time per 1,000 keys, {bytes:.0} bytes a key",
            typed.percentile(0.5),
            typed.percentile(0.95)
        );
    }
    println!(
        "  ratio of p50 {:.2}, of processor time {:.2}",
        ours.percentile(0.5) / bare.percentile(0.5),
        ours.costs().0 / bare.costs().0
    );
    if with_peers {
        peers::print(ours.percentile(0.5), peers.iter().zip(others));
    }
}

/// Deletes what is in the box, and waits until it is empty.
fn delete_all(terminal: &mut Terminal, prefix: &str) {
    terminal.send(&"\x7f".repeat(60));
    terminal.wait("an empty line", |s| {
        s.parser.screen().contents().lines().any(|l| l.trim_end().ends_with(prefix.trim_end()))
    });
}

/// Types for a while.
fn typist(program: &mut Typed) {
    const KEYS: usize = 200;
    let (pid, prefix) = (program.pid(), program.prompt);
    let terminal = &mut program.terminal;
    // A draft of an earlier run may stand there.
    delete_all(terminal, prefix);
    let mut typed = String::new();
    let (before, bytes) = (computed(pid), bytes_sent(terminal));
    for i in 0..KEYS {
        let c = char::from(b'a' + u8::try_from(i % 26).unwrap_or(0));
        // A line of the box at most.
        if typed.len() == 60 {
            delete_all(terminal, prefix);
            typed.clear();
        }
        typed.push(c);
        let wanted = format!("{prefix}{typed}");
        let sent = Instant::now();
        terminal.send(&c.to_string());
        let shown = terminal.wait(&wanted, |s| s.parser.screen().contents().contains(&wanted));
        let took = shown.saturating_duration_since(sent);
        program.times.push(took);
        let pause = Duration::from_millis(25 + u64::try_from(i * 7 % 31).unwrap_or(0));
        std::thread::sleep(pause.saturating_sub(took));
    }
    // Threads that ended meanwhile are left out.
    let since = |(thread, time): (_, u64)| time - before.get(&thread).copied().unwrap_or(0);
    program.computed += Duration::from_nanos(computed(pid).into_iter().map(since).sum());
    program.bytes += bytes_sent(terminal) - bytes;
}

/// What a terminal is sent where bytes are dear: a new message on a full screen, and many chats in a row over a line of
/// 10 kB/s.
fn slow_line(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().expect("a folder");
    let (world, mut terminal) = live(runtime, dir.path());
    let client = peer(&world.origin);
    for n in 0..60 {
        runtime.block_on(say(
            &client,
            format!("line {n:03} of a chat that fills the screen"),
            10 + n,
        ));
    }
    terminal.wait_for("line 059");
    let mut costs = Vec::new();
    for n in 60..80 {
        let before = bytes_sent(&terminal);
        runtime.block_on(say(
            &client,
            format!("line {n:03} of a chat that fills the screen"),
            10 + n,
        ));
        terminal.wait_for(&format!("line {n:03}"));
        // What else a message changes, such as a receipt, comes a little later.
        std::thread::sleep(Duration::from_millis(60));
        costs.push(bytes_sent(&terminal) - before);
    }
    costs.sort_unstable();
    println!(
        "\na new message on a full screen: {} bytes (median), {} at most",
        costs.get(costs.len() / 2).copied().unwrap_or_default(),
        costs.last().copied().unwrap_or_default()
    );
    terminal.set_speed(Speed::Slow(10_000));
    // What is read next is still read at full speed.
    terminal.send("x");
    terminal.wait_for("› x");
    terminal.send("\x7f");
    for page in 0..60 {
        // Two up and one down, so that every page differs from the one before.
        terminal.send(if page % 3 == 2 { "\x1b[6~" } else { "\x1b[5~" });
    }
    terminal.send("the end");
    let asked = Instant::now();
    let shown = terminal.wait("the end", |s| {
        let screen = s.parser.screen().contents();
        screen.contains("› the end") && screen.contains(" below")
    });
    println!(
        "60 pages up and down over 10 kB/s: the last screen stands {:.2} s after the last key",
        shown.saturating_duration_since(asked).as_secs_f64()
    );
    slow_dialogs(&mut terminal);
    world.stop.cancel();
}

/// Dialogs and sizes that change faster than a line of 10 kB/s can show.
fn slow_dialogs(terminal: &mut Terminal) {
    let stands = |terminal: &mut Terminal, what: &str, text: &str| {
        let asked = Instant::now();
        let shown = terminal.wait_for(text);
        println!(
            "{what} over 10 kB/s: the last screen stands {:.2} s after it",
            shown.saturating_duration_since(asked).as_secs_f64()
        );
    };
    // The time depends on how far the current frame is when the last key comes, so one run says little.
    let palette = (0..5).map(|_| slow_palette(terminal)).collect();
    let palette = sorted(palette);
    println!(
        "the palette opened 20 times and typed in over 10 kB/s: the last screen stands {:.2} s after it (median of five; {:.2} s at most)",
        at(&palette, 0.5) / 1000.0,
        at(&palette, 1.0) / 1000.0
    );
    terminal.send("\x1bOP");
    for page in 0..60 {
        terminal.send(if page % 3 == 2 { "\x1b[5~" } else { "\x1b[6~" });
    }
    terminal.send("\x1b[F");
    stands(terminal, "60 pages of the help", "Symbols");
    terminal.send("\x1b[27u");
    for n in 0..30 {
        terminal.resize(100 + n % 20, 30 + n % 10);
    }
    terminal.resize(110, 36);
    terminal.send(" again");
    stands(terminal, "30 changes of the size", "› the end again");
}

/// The time from the last key to the palette's last screen.
fn slow_palette(terminal: &mut Terminal) -> Duration {
    for _ in 0..20 {
        terminal.send("\x1bx");
        terminal.send("chat");
        terminal.send("\x1b[B\x1b[B\x15");
        terminal.send("\x1b[27u");
    }
    terminal.send("\x1bx");
    terminal.send("preview");
    let asked = Instant::now();
    let shown = terminal.wait_for("› preview");
    terminal.send("\x15\x1b[27u");
    terminal.wait("the palette closed", |s| !s.parser.screen().contents().contains("› preview"));
    shown.saturating_duration_since(asked)
}

struct GatewayState {
    origin: String,
    stop: tokio_util::sync::CancellationToken,
}

fn world(runtime: &tokio::runtime::Runtime) -> GatewayState {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let user = |id: &str| GatewayUser {
            id: UserId::new(id),
            token: if id == ME { "secret" } else { "other" }.into(),
            name: String::new(),
        };
        let options = gateway::GatewayOptions {
            users: vec![user(ME), user(PEER)],
            ..gateway::GatewayOptions::default()
        };
        let world = gateway::open(options).expect("a gateway");
        let stop = tokio_util::sync::CancellationToken::new();
        tokio::spawn(gateway::serve(listener, world, stop.clone().cancelled_owned()));
        GatewayState { origin, stop }
    })
}

fn peer(origin: &str) -> Arc<Client> {
    let base = BaseUrl::parse(&format!("{origin}/v1")).expect("an address");
    Arc::new(Client::new(ClientOptions::new(
        UserId::new(PEER),
        base,
        TokenSource::Fixed(Secret::new("other")),
    )))
}

async fn say(client: &Client, text: String, number: usize) {
    let outgoing = Outgoing { text, ..Outgoing::default() };
    let id = ClientMessageId::from(format!("{number}"));
    client.send(&ConversationId::new(ME), &outgoing, &id, "").await.expect("sent");
}

fn live(runtime: &tokio::runtime::Runtime, dir: &Path) -> (GatewayState, Terminal) {
    let world = world(runtime);
    write_config(dir, &world.origin);
    runtime.block_on(say(&peer(&world.origin), "hello there".into(), 0));
    let mut terminal = start(dir);
    terminal.wait_for("live");
    terminal.send("\x1b[1;3B");
    terminal.wait_for("hello there");
    (world, terminal)
}

/// How often each thread was switched away from: what wakes up must sleep again.
fn switches(pid: u32) -> std::collections::HashMap<std::ffi::OsString, u64> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a running program");
    let of = |text: String| {
        let lines = text.lines().filter(|l| l.contains("ctxt_switches"));
        lines.filter_map(|l| l.rsplit(char::is_whitespace).next()?.parse::<u64>().ok()).sum::<u64>()
    };
    tasks
        .flatten()
        .filter_map(|t| {
            Some((t.file_name(), of(std::fs::read_to_string(t.path().join("status")).ok()?)))
        })
        .collect()
}

/// Here time itself is what is measured: first what was started has to come to rest, then ten seconds count.
fn idle(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().expect("a folder");
    let (world, terminal) = live(runtime, dir.path());
    let pid = terminal.child.process_id().expect("running");
    std::thread::sleep(Duration::from_secs(12));
    let bytes = bytes_sent(&terminal);
    let before = switches(pid);
    std::thread::sleep(Duration::from_secs(10));
    // Threads that ended meanwhile woke up once for it.
    let after = switches(pid);
    let woke: u64 = before.iter().map(|(thread, n)| after.get(thread).map_or(1, |m| m - n)).sum();
    let drawn = bytes_sent(&terminal) - bytes;
    println!("\nten idle seconds with an open long poll: {woke} wake-ups, {drawn} bytes");
    world.stop.cancel();
}

fn memory(large: &Path) {
    let empty = tempfile::tempdir().expect("a folder");
    write_config(empty.path(), "http://127.0.0.1:9");
    let rests_with = |dir: &Path, shown: &str| {
        let terminal = start(dir);
        terminal.wait_for(shown);
        terminal.wait_for("offline");
        at_rest(terminal.child.process_id().expect("running"))
    };
    let (_, without) = rests_with(empty.path(), "offline");
    let (threads, with) = rests_with(large, "message 99999 ");
    println!(
        "{threads} threads at rest; resident memory: {without:.1} MiB empty, {with:.1} MiB with 100,000 stored messages ({:+.1})",
        with - without
    );
    let several = tempfile::tempdir().expect("a folder");
    let names = ["home", "work", "club"];
    write_accounts(several.path(), "http://127.0.0.1:9", &names);
    for name in names {
        let account = several.path().join("accounts").join(name);
        std::fs::create_dir_all(&account).expect("a folder that can be written");
        std::fs::copy(large.join("accounts/home/store.db"), account.join("store.db"))
            .expect("a copy of the store");
    }
    let (threads, three) = rests_with(several.path(), "message 99999 ");
    println!(
        "three such accounts: {threads} threads at rest, {three:.1} MiB ({:+.1} for each further one)",
        (three - with) / 2.0
    );
}

/// Types 150 letters at the pace of a fast typist; how long each took to be shown, sorted.
fn type_some(terminal: &mut Terminal) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut typed = String::new();
    for i in 0..150u8 {
        if i % 50 == 0 {
            // The text has to stay in one row. The answer to Ctrl-U is not waited for.
            terminal.send("\x15");
            typed.clear();
            std::thread::sleep(Duration::from_millis(40));
        }
        let c = char::from(b'a' + i % 26);
        typed.push(c);
        let key = Instant::now();
        terminal.send(&c.to_string());
        let wanted = format!("› {typed}");
        let shown = terminal.wait(&wanted, |s| s.parser.screen().contents().contains(&wanted));
        times.push(shown.saturating_duration_since(key));
        // The pace of a fast typist; nothing is waited for.
        std::thread::sleep(Duration::from_millis(40));
    }
    sorted(times)
}

fn flood(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().expect("a folder");
    let (world, mut terminal) = live(runtime, dir.path());
    let quiet = type_some(&mut terminal);
    let origin = world.origin.clone();
    let sent = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let flood = runtime.spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(8));
        let clients: Vec<_> = (0..8).map(|_| peer(&origin)).collect();
        for round in 0..1000 {
            tick.tick().await;
            let all = clients
                .iter()
                .enumerate()
                .map(|(i, c)| say(c, format!("flood {}", round * 8 + i), 10 + round * 8 + i));
            futures_util::future::join_all(all).await;
            counter.fetch_add(8, std::sync::atomic::Ordering::Relaxed);
        }
    });
    terminal.wait_for("flood ");
    let began = (Instant::now(), sent.load(std::sync::atomic::Ordering::Relaxed));
    let pid = terminal.child.process_id().expect("running");
    let work = || computed(pid).values().sum::<u64>() as f64 / 1e9;
    let worked = work();
    let times = type_some(&mut terminal);
    let seconds = began.0.elapsed().as_secs_f64();
    let rate = (sent.load(std::sync::atomic::Ordering::Relaxed) - began.1) as f64 / seconds;
    let share = (work() - worked) / seconds * 100.0;
    println!(
        "while {rate:.0} messages a second arrive: key p50 {:.2} p95 {:.2} max {:.2} ms (p50 {:.2} p95 {:.2} before), \
         {share:.0} % of a core",
        at(&times, 0.5),
        at(&times, 0.95),
        at(&times, 1.0),
        at(&quiet, 0.5),
        at(&quiet, 0.95),
    );
    flood.abort();
    world.stop.cancel();
}

/// Ten messages a second: from handing one to the gateway to its text on the screen, the sender's request included.
fn trickle(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().expect("a folder");
    let (world, terminal) = live(runtime, dir.path());
    let client = peer(&world.origin);
    let mut times = Vec::new();
    for n in 0..50 {
        let text = format!("drop {n:03}");
        let sent = Instant::now();
        runtime.block_on(say(&client, text.clone(), 10 + n));
        let shown = terminal.wait_for(&text);
        times.push(shown.saturating_duration_since(sent));
        // Ten a second.
        std::thread::sleep(Duration::from_millis(100).saturating_sub(sent.elapsed()));
    }
    let times = sorted(times);
    println!(
        "ten messages a second: sent to on screen p50 {:.1} p95 {:.1} ms",
        at(&times, 0.5),
        at(&times, 0.95)
    );
    world.stop.cancel();
}

/// 10,000 messages that came while the program was away, taken in at once.
fn burst(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().expect("a folder");
    let (world, mut terminal) = live(runtime, dir.path());
    terminal.send("\x11");
    let _ = terminal.child.wait();
    let origin = world.origin.clone();
    runtime.block_on(async {
        let clients: Vec<_> = (0..8).map(|_| peer(&origin)).collect();
        for round in 0..1250 {
            let all = clients
                .iter()
                .enumerate()
                .map(|(i, c)| say(c, format!("burst {:05}", round * 8 + i), 10 + round * 8 + i));
            futures_util::future::join_all(all).await;
        }
    });
    let mut terminal = start(dir.path());
    terminal.wait_for("hello there");
    let mut worst = Duration::ZERO;
    let mut typed = String::new();
    let done = loop {
        let c = char::from(b'a' + u8::try_from(typed.len() % 26).unwrap_or(0));
        typed.push(c);
        let key = Instant::now();
        terminal.send(&c.to_string());
        let wanted = format!("› {typed}");
        let shown = terminal.wait(&wanted, |s| s.parser.screen().contents().contains(&wanted));
        worst = worst.max(shown.saturating_duration_since(key));
        let seen = terminal.seen.0.lock().expect("nobody panics with it");
        if seen.parser.screen().contents().contains("burst 0999") {
            break seen.last;
        }
        drop(seen);
        // A pace, as above.
        std::thread::sleep(Duration::from_millis(20));
    };
    println!(
        "10,000 messages missed while away: shown {:.2} s after exec, slowest key meanwhile {:.1} ms",
        terminal.after_start(done).as_secs_f64(),
        worst.as_secs_f64() * 1000.0
    );
    world.stop.cancel();
}
