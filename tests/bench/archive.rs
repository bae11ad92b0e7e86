//! Prints how long an export of a million messages takes to import, search, open and write out again, and the memory it
//! takes. Figures, not tests.
//!
//! `cargo build --release --example archive --bin skchat && target/release/examples/archive [FOLDER]`
//!
//! A FOLDER keeps the generated files for the next run.

#[path = "../common/terminal.rs"]
mod terminal;

use skchat::archive::{Export, ImportOptions, import};
use skchat::model::search::Query;
use skchat::model::{Timestamp, UserId};
use skchat::protocol::decode;
use skchat::store::Store;
use skchat::sync::decode_stored;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use terminal::{Terminal, program};

const MESSAGES: u64 = 1_000_000;
const CHATS: u64 = 1_000;
const FIRST: u64 = 1_400_000_000_000;
/// Files in the large tar, and bytes of each.
const FILES: u64 = 20_000;
const FILE_BYTES: u64 = 100_000;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }
}

/// The nth word of a made-up language.
fn word(n: u64) -> String {
    const HEADS: [&str; 12] = ["b", "d", "f", "g", "k", "l", "m", "n", "r", "s", "t", "st"];
    const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ä", "é", "ou"];
    let mut rest = n.wrapping_mul(2_654_435_761) % 1_000_003;
    let mut out = String::new();
    for _ in 0..2 + n % 2 {
        out.push_str(HEADS[usize::try_from(rest % 12).unwrap_or(0)]);
        out.push_str(VOWELS[usize::try_from(rest / 12 % 8).unwrap_or(0)]);
        rest = rest / 96 + n;
    }
    out
}

fn sentence(random: &mut Random) -> String {
    let words: Vec<String> = (0..3 + random.below(14))
        .map(|_| {
            let most = 1 + random.below(30_000);
            word(random.below(most))
        })
        .collect();
    words.join(" ")
}

/// One message of a chat, with the fields that real exports have.
fn message(chat: &str, id: u64, random: &mut Random) -> String {
    let mine = random.below(3) == 0;
    let (name, from) =
        if mine { ("null", "8:live:anna") } else { ("\"Joe Bloggs\"", "8:live:joe") };
    let content = match random.below(12) {
        0 => format!("<b>{}</b> {}", word(random.below(300)), sentence(random)),
        1 => format!("{} &lt;3 <ss type=\\\"smile\\\">:)</ss>", sentence(random)),
        2 => format!(
            "<quote author=\\\"live:joe\\\" authorname=\\\"Joe\\\" timestamp=\\\"{}\\\"><legacyquote>[1] Joe: </legacyquote>{}</quote>{}",
            id / 1_000,
            sentence(random),
            sentence(random)
        ),
        _ => sentence(random),
    };
    let properties = match random.below(20) {
        0 => {
            "{\"emotions\":[{\"key\":\"heart\",\"users\":[{\"mri\":\"8:live:joe\",\"time\":1594000000000,\"value\":\"1594000000000\"}]}]}"
        }
        1 => {
            "{\"urlpreviews\":\"[{\\\"key\\\":\\\"https://example.org/\\\",\\\"value\\\":{\\\"url\\\":\\\"https://example.org/\\\",\\\"size\\\":\\\"0\\\",\\\"status_code\\\":\\\"206\\\",\\\"content_type\\\":\\\"text/html\\\",\\\"site\\\":\\\"example.org\\\",\\\"category\\\":\\\"generic\\\",\\\"title\\\":\\\"An example\\\",\\\"description\\\":\\\"of a page that somebody sent\\\"}}]\"}"
        }
        _ => "null",
    };
    let time = Timestamp(i64::try_from(id).unwrap_or(0)).rfc3339();
    format!(
        "{{\"id\":\"{id}\",\"displayName\":{name},\"originalarrivaltime\":\"{time}\",\"messagetype\":\"RichText\",\"version\":{id},\
         \"content\":\"{content}\",\"conversationid\":\"{chat}\",\"from\":\"{from}\",\"properties\":{properties},\"amsreferences\":null}}"
    )
}

/// Writes an export; the first chat has a fifth of all messages.
fn generate(path: &Path, messages: u64) -> std::io::Result<()> {
    let mut random = Random(0x5eed);
    let mut out = BufWriter::new(File::create(path)?);
    write!(
        out,
        "{{\"userId\":\"8:live:anna\",\"exportDate\":\"2025-05-05T10:00\",\"conversations\":["
    )?;
    let large = messages / 5;
    let other = (messages - large) / (CHATS - 1);
    for chat in 0..CHATS {
        let id = if chat == 0 { "8:live:joe".to_owned() } else { format!("8:live:friend{chat}") };
        let count = if chat == 0 { large } else { other };
        let comma = if chat == 0 { "" } else { "," };
        write!(
            out,
            "{comma}{{\"id\":\"{id}\",\"displayName\":\"{}\",\"version\":1,\"properties\":{{\"conversationblocked\":false}},\
             \"threadProperties\":null,\"MessageList\":[",
            word(chat)
        )?;
        for n in (0..count).rev() {
            let at = FIRST + n * (350_000_000_000 / count.max(1)) + chat;
            let comma = if n == 0 { "" } else { "," };
            write!(out, "{}{comma}", message(&id, at, &mut random))?;
        }
        write!(out, "]}}")?;
    }
    write!(out, "]}}")?;
    out.flush()
}

/// A tar with many files, whose contents are holes.
fn large_tar(path: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let step = 512 + FILE_BYTES.div_ceil(512) * 512;
    for n in 0..FILES {
        let mut block = [0u8; 512];
        let mut put = |at: usize, text: &str| {
            for (target, byte) in block.iter_mut().skip(at).zip(text.bytes()) {
                *target = byte;
            }
        };
        put(0, &format!("media/0-weu-d3-{n:032x}.1.jpeg"));
        put(124, &format!("{FILE_BYTES:011o}"));
        put(148, "        ");
        put(156, "0");
        put(257, "ustar");
        let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
        for (target, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0").bytes()) {
            *target = byte;
        }
        out.seek(SeekFrom::Start(n * step))?;
        out.write_all(&block)?;
    }
    out.flush()?;
    out.get_ref().set_len(FILES * step + 1_024)
}

/// The most memory this process has had, in MB.
fn peak() -> u64 {
    memory("/proc/self/status", "VmHWM:")
}

/// A figure of the status of a process, in MB.
fn memory(status: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}

fn megabytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len() / 1_048_576)
}

fn import_all(path: &Path, store: &Path) {
    let cancel = AtomicBool::new(false);
    let mut progress = |_: &skchat::model::ImportProgress| {};
    let now = Timestamp(0);
    let options = ImportOptions { owner: None, now, cancel: &cancel, progress: &mut progress };
    let began = Instant::now();
    let export = Export::open(path).expect("an export");
    let report = import(&export, store, options).expect("imported");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "import of {} messages, {} MB: {seconds:.2} s, {:.0} a second, peak {} MB; store {} MB ({} new, {} already there)",
        report.read(),
        megabytes(path),
        report.read() as f64 / seconds,
        peak(),
        megabytes(store),
        report.counts.new,
        report.counts.unchanged,
    );
}

async fn reading(store: &Path) {
    let me = UserId::new("8:live:anna");
    let began = Instant::now();
    let opened = Store::open_archive(store).expect("a store");
    let list = opened.snapshot(me.clone()).await.expect("read");
    println!(
        "list of {} chats: {:.1} ms",
        list.conversations.len(),
        began.elapsed().as_secs_f64() * 1e3
    );
    let began = Instant::now();
    let rows = opened.newest(&"8:live:joe".into(), 60).await.expect("read");
    let shown: Vec<_> =
        rows.into_iter().map(|row| decode::message(&decode_stored(row), &me)).collect();
    println!("largest chat, newest {}: {:.1} ms", shown.len(), began.elapsed().as_secs_f64() * 1e3);
    let mut times = Vec::new();
    let mut random = Random(0xbeef);
    for n in 0..40u64 {
        let term = if n % 4 == 0 { word(random.below(30_000)) } else { word(random.below(500)) };
        let term = if n % 7 == 0 { "no such thing at all".to_owned() } else { term };
        let query = Query { terms: vec![skchat::model::fold::folded(&term)], ..Query::default() };
        let handle = opened.begin_search();
        let began = Instant::now();
        let page = opened.search(handle, query, None, 60).await.expect("searched");
        let hits = page.map_or(0, |page| page.hits.len());
        times.push((began.elapsed().as_secs_f64() * 1e3, hits));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: f64| times.get((39.0 * share) as usize).map_or(0.0, |time| time.0);
    println!(
        "first page of hits in 40 searches: median {:.0} ms, p90 {:.0} ms, max {:.0} ms",
        at(0.5),
        at(0.9),
        at(1.0)
    );
}

fn exporting(folder: &Path) {
    let program = PathBuf::from("target/release/skchat");
    if !program.exists() {
        println!("export: not measured, {} is not built", program.display());
        return;
    }
    let data = folder.join("data");
    let run = |arguments: &[&str]| {
        let status = Command::new(&program)
            .args(arguments)
            .env("SKCHAT_CONFIG", folder.join("none.toml"))
            .env("SKCHAT_DATA_DIR", &data)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{arguments:?}");
    };
    let small = folder.join("hundred.json");
    generate(&small, 100_000).expect("generated");
    run(&["import", &small.to_string_lossy()]);
    for format in ["html", "md", "txt", "json", "csv"] {
        let began = Instant::now();
        run(&["export", "--all", "--format", format]);
        println!("export of 100,000 messages as {format}: {:.2} s", began.elapsed().as_secs_f64());
    }
}

/// An export of a million chats with a message each: what it takes to import it, and to show the list.
fn many_chats(folder: &Path) -> std::io::Result<()> {
    let export = folder.join("chats.json");
    let mut random = Random(0xc4a7);
    let mut out = BufWriter::new(File::create(&export)?);
    write!(out, "{{\"userId\":\"8:live:anna\",\"conversations\":[")?;
    for n in 0..MESSAGES {
        let comma = if n == 0 { "" } else { "," };
        let id = format!("8:live:friend{n}");
        let message = message(&id, FIRST + n * 300_000, &mut random);
        write!(
            out,
            "{comma}{{\"id\":\"{id}\",\"displayName\":\"Friend {n}\",\"MessageList\":[{message}]}}"
        )?;
    }
    write!(out, "]}}")?;
    out.flush()?;
    let data = folder.join("many");
    let archive = data.join("archives/anna");
    std::fs::create_dir_all(&archive)?;
    import_all(&export, &archive.join("store.db"));
    let env = [("SKCHAT_CONFIG", folder.join("none.toml")), ("SKCHAT_DATA_DIR", data)];
    let env = env.each_ref().map(|(name, path)| (*name, path.to_str().unwrap_or_default()));
    let began = Instant::now();
    let terminal = Terminal::start(&program("skchat"), &[], &env, 120, 40);
    let shown = terminal.wait("the newest chat", |s| {
        s.parser.screen().contents().contains(&format!("Friend {}", MESSAGES - 1))
    });
    let shown = terminal.after_start(shown);
    let status = format!("/proc/{}/status", terminal.child.process_id().unwrap_or(0));
    let resident = || memory(&status, "VmRSS:");
    // The rest of the list comes in parts of some MB, several a second.
    let (mut last, mut since) = (resident(), Instant::now());
    while since.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(100));
        let now = resident();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    println!(
        "list of {MESSAGES} chats in the program: shown after {:.2} s, all of it after {:.0} s; {last} MB resident, {} MB at most",
        shown.as_secs_f64(),
        since.duration_since(began).as_secs_f64(),
        memory(&status, "VmHWM:")
    );
    Ok(())
}

fn main() {
    let kept = std::env::args().nth(1).map(PathBuf::from);
    let folder = kept.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("skchat-archive-{}", std::process::id()))
    });
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut text = String::new();
    let _ = write!(text, "{MESSAGES} messages in {CHATS} chats");
    println!("{text}");
    let export = folder.join("messages.json");
    if !export.exists() {
        generate(&export, MESSAGES).expect("generated");
    }
    let store = folder.join("store.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", store.display()));
    }
    import_all(&export, &store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    runtime.expect("a runtime").block_on(reading(&store));
    import_all(&export, &store);
    let tar = folder.join("large.tar");
    large_tar(&tar).expect("generated");
    for time in ["first", "second"] {
        let began = Instant::now();
        let found = Export::open(&tar).expect("a tar").media.len();
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "list of a tar of {} MB with {found} files, {time} time: {seconds:.2} s",
            megabytes(&tar)
        );
    }
    exporting(&folder);
    many_chats(&folder).expect("generated");
    if kept.is_none() {
        let _ = std::fs::remove_dir_all(&folder);
    }
}
