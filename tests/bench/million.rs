//! Prints how fast search, opening and storing are with a million messages in one conversation. Figures, not tests.
//!
//! `cargo build --release --examples --bin skchat && cargo run --release --example million [FOLDER] [MESSAGES]`
//!
//! A FOLDER keeps the generated store for the next run. MESSAGES is how many are generated, such as 10000000.

mod process;
#[path = "../common/terminal.rs"]
mod terminal;

use process::{at_rest, resident};
use skchat::model::fold::folded;
use skchat::model::search::Query;
use skchat::model::{ConversationId, MessageKey, Point, Range, Timestamp, UserId};
use skchat::protocol::{decode, wire};
use skchat::store::{Batch, ConversationRow, CoverageUpdate, Store};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use terminal::Terminal;

const ME: &str = "8:anna.7";
const PEER: &str = "8:joe.4";
const MESSAGES: u64 = 1_000_000;
const FIRST: i64 = 1_500_000_000_000;
/// Words of the generated language.
const WORDS: u64 = 30_000;

/// How many messages there are in this run.
fn messages() -> u64 {
    std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(MESSAGES)
}

/// Milliseconds between two messages.
fn step() -> i64 {
    // They end in the past, however many there are.
    let times_a_million = i64::try_from(messages() / MESSAGES).unwrap_or(1).max(1);
    240_000 / times_a_million
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// Few words are most of what is said: the nth is about n times rarer than the first.
    fn rank(&mut self) -> u64 {
        let share = self.below(1 << 24) as f64 / f64::from(1 << 24);
        ((WORDS as f64).powf(share) as u64).min(WORDS - 1)
    }
}

/// The nth word: syllables, now and then with an accent, and some in other scripts.
fn word(n: u64) -> String {
    const HEADS: [&str; 16] =
        ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "st", "br", "ch"];
    const VOWELS: [&str; 10] = ["a", "e", "i", "o", "u", "ä", "é", "ou", "ei", "a"];
    const HAN: [&str; 8] = ["日", "本", "語", "東", "京", "今", "天", "気"];
    if n % 50 == 49 {
        let at = |n: u64| HAN[usize::try_from(n % 8).unwrap_or(0)];
        return format!("{}{}{}", at(n), at(n / 8), at(n / 64));
    }
    let mut rest = n.wrapping_mul(2_654_435_761) % 1_000_003;
    let mut out = String::new();
    for _ in 0..1 + n % 3 + u64::from(n > 200) {
        out.push_str(HEADS[usize::try_from(rest % 16).unwrap_or(0)]);
        out.push_str(VOWELS[usize::try_from(rest / 16 % 10).unwrap_or(0)]);
        rest /= 160;
        if rest == 0 {
            rest = n + 7;
        }
    }
    out
}

fn sentence(random: &mut Random) -> String {
    let length = 3 + random.below(14);
    let words: Vec<String> = (0..length).map(|_| word(random.rank())).collect();
    words.join(" ")
}

fn row(n: u64, random: &mut Random) -> (skchat::model::RawMessage, skchat::model::Indexed) {
    let id = ConversationId::new(PEER);
    let at = FIRST + i64::try_from(n).unwrap_or(0) * step();
    let from = if n.is_multiple_of(3) { ME } else { PEER };
    let json = format!(
        "{{\"id\":\"{at}\",\"version\":\"{at}\",\"clientmessageid\":\"{at}7\",\"messagetype\":\"Text\",\
         \"originalarrivaltime\":\"{at}\",\"from\":\"https://h/v1/users/ME/contacts/{from}\",\"content\":\"{}\"}}",
        sentence(random)
    );
    let raw = wire::raw_message(&json, Some(&id)).expect("a message");
    let index = decode::indexed(&decode::message(&raw, &UserId::new(ME)));
    (raw, index)
}

async fn fill(store: &Store) {
    let mut random = Random(0x5eed);
    let item = format!("{{\"id\":\"{PEER}\",\"version\":1}}");
    for first in (0..messages()).step_by(2_000) {
        let messages: Vec<_> = (first..first + 2_000).map(|n| row(n, &mut random)).collect();
        let points = messages.iter().map(|(raw, _)| Point::from(&raw.key()));
        let lo = points.clone().min().expect("messages");
        // From the message before on: the pages of one history.
        let lo = if first == 0 {
            lo
        } else {
            Point { at: Timestamp(lo.at.0 - step()), order: lo.order - step().unsigned_abs() }
        };
        let range = Range { lo, hi: points.max().expect("messages"), floor: first == 0 };
        let raw = wire::raw_conversation(&item).expect("a conversation");
        let batch = Batch {
            conversations: vec![ConversationRow {
                raw,
                read_marker: None,
                cleared_at: None,
                complete: true,
                sync_token: None,
                is_over: false,
            }],
            messages,
            coverage: vec![(ConversationId::new(PEER), CoverageUpdate::Range(range))],
            decoder: decode::DECODER_VERSION,
            ..Batch::default()
        };
        store.apply(batch, UserId::new(ME)).await.expect("stored");
    }
    store.set_last_open(&ConversationId::new(PEER)).await.expect("stored");
    store.close().await.expect("stored");
}

fn at(list: &[Duration], share: f64) -> f64 {
    let index = ((list.len() as f64 - 1.0) * share).round() as usize;
    list.get(index).map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0)
}

/// What someone types, key by key.
fn keystrokes() -> Vec<String> {
    let mut random = Random(0xbeef);
    let mut lines: Vec<String> = Vec::new();
    for _ in 0..60 {
        lines.push(word(random.rank()));
    }
    for _ in 0..30 {
        lines.push(word(random.below(WORDS)));
        lines.push(format!("{} {}", word(random.rank()), word(random.rank())));
        lines.push(format!("{} {}", word(random.below(300)), word(random.below(WORDS))));
    }
    let fixed = [
        "zzyzx",
        "qqq",
        "nothing like it",
        "京",
        "天気",
        "ä",
        "uo",
        "from:me bra",
        "12345",
        "e a o u",
    ];
    lines.extend(fixed.map(str::to_owned));
    let mut typed = Vec::new();
    for line in lines {
        let ends = line.char_indices().map(|(i, c)| i + c.len_utf8());
        typed.extend(ends.filter_map(|end| line.get(..end)).map(str::to_owned));
    }
    typed
}

async fn searches(store: &Store) {
    let mut times: Vec<(Duration, String)> = Vec::new();
    let mut hits = 0;
    for line in keystrokes() {
        let mut query = Query::default();
        for part in line.split(' ').filter(|part| !part.is_empty()) {
            match part {
                "from:me" => query.from.push(UserId::new(ME)),
                part => query.terms.push(folded(part)),
            }
        }
        let began = Instant::now();
        let found = store
            .search(store.begin_search(), query, None, 60)
            .await
            .expect("an answer")
            .expect("the newest");
        times.push((began.elapsed(), line));
        hits += found.hits.len();
    }
    times.sort();
    let sorted: Vec<Duration> = times.iter().map(|(t, _)| *t).collect();
    println!(
        "search, {} keystrokes, {hits} hits: p50 {:.2} p95 {:.2} p99 {:.2} max {:.2} ms",
        sorted.len(),
        at(&sorted, 0.5),
        at(&sorted, 0.95),
        at(&sorted, 0.99),
        at(&sorted, 1.0)
    );
    for (time, line) in times.iter().rev().take(5) {
        println!("  slow: {:.2} ms {line:?}", time.as_secs_f64() * 1000.0);
    }
    let oldest =
        MessageKey::server(Timestamp(FIRST + step() * 5), &(FIRST + step() * 5).to_string());
    let began = Instant::now();
    let (page, _) = store.around(&ConversationId::new(PEER), &oldest, 60).await.expect("a page");
    println!(
        "a place at the other end of the history, {} messages: {:.2} ms",
        page.messages.len(),
        began.elapsed().as_secs_f64() * 1000.0
    );
}

fn opens(dir: &Path) {
    let text = format!(
        "[accounts.home]\nuser_id = \"{ME}\"\ngateway = \"http://127.0.0.1:9/v1\"\ntoken = {{ env = \"SKCHAT_TOKEN\" }}\n"
    );
    std::fs::write(dir.join("config.toml"), text).expect("a folder that can be written");
    let mut random = Random(0x5eed);
    let mut last = String::new();
    for _ in 0..messages() {
        last = sentence(&mut random);
    }
    let tail: String = last.split(' ').next_back().unwrap_or_default().to_owned();
    let mut times = Vec::new();
    let (mut rest, mut memory) = (0.0f64, 0.0f64);
    for turn in 0..7 {
        let mut terminal = Terminal::skchat(dir, &[], &[("SKCHAT_TOKEN", "secret")], 120, 40);
        let shown = terminal.wait("the newest message", |s| {
            let screen = s.parser.screen().contents();
            screen.contains("To joe.4") && screen.contains(&tail)
        });
        times.push(terminal.after_start(shown));
        if turn == 6 {
            (_, rest) = at_rest(terminal.child.process_id().expect("running"));
            terminal.send("\x12br");
            terminal.wait_for("60+ found");
            memory = resident(terminal.child.process_id().expect("running"));
        }
    }
    times.sort();
    println!(
        "program start to the end of the conversation on screen: median {:.1} ms, max {:.1} ms",
        at(&times, 0.5),
        at(&times, 1.0)
    );
    println!("resident memory with it open: {rest:.1} MiB at rest, {memory:.1} MiB after a search");
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let kept = std::env::args().skip(1).find(|argument| argument.parse::<u64>().is_err());
    let kept = kept.map(PathBuf::from);
    let own = tempfile::tempdir().expect("a folder");
    let dir = kept.unwrap_or_else(|| own.path().to_owned());
    let account = dir.join("accounts/home");
    std::fs::create_dir_all(&account).expect("a folder that can be written");
    let file = account.join("store.db");
    let fresh = !file.exists();
    runtime.block_on(async {
        let store = Store::open(&file).expect("a store");
        if fresh {
            let began = Instant::now();
            fill(&store).await;
            let seconds = began.elapsed().as_secs_f64();
            println!(
                "{} received messages made, decoded, stored and indexed in {seconds:.1} s: 10,000 in {:.2} s",
                if messages() == MESSAGES { "a million".to_owned() } else { messages().to_string() },
                seconds * 10_000.0 / messages() as f64
            );
        }
        let bytes = std::fs::metadata(&file).map_or(0, |m| m.len());
        println!("store: {} MiB", bytes / 1024 / 1024);
        searches(&store).await;
    });
    opens(&dir);
}
