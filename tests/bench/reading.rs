//! Prints how fast messages are read and drawn, in process and on one core. Figures, not tests.
//!
//! `cargo run --release --example reading` (after `.ci/run`, which installs SkPy to compare with)

#[path = "../common/fixture.rs"]
mod fixture;

use fixture::{App, direct};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use skchat::app::{Action, ComposeAction};
use skchat::model::{ConversationId, Message, Placement, SafeText, UserId};
use skchat::protocol::{decode, html, richtext, wire};
use std::hint::black_box;
use std::time::{Duration, Instant};

const MESSAGES: usize = 20_000;

fn main() {
    decoding();
    hostile();
    drawing();
}

/// 40 % Text, 35 % RichText, 25 % of the other types of the reference page.
fn corpus() -> String {
    let rich = [
        "See <a href=\"https://docs.example/x?a=1&amp;b=2\">the plan</a> and <b raw_pre=\"*\" raw_post=\"*\">tell</b> me &amp; Joe",
        "<quote author=\"joe.4\" authorname=\"Joe\" timestamp=\"1600000000\"><legacyquote>[1600000000] Joe: </legacyquote>who?<legacyquote>\r\n\r\n&lt;&lt;&lt; </legacyquote></quote>I do <ss type=\"smile\">:)</ss>",
        "<at id=\"8:anna.7\">Anna</at>, <i>could</i> you <font color=\"#ff0000\">please</font> look?",
    ];
    let other = [
        (
            "ThreadActivity/TopicUpdate",
            "<topicupdate><eventtime>1</eventtime><initiator>8:joe.4</initiator><value>Team</value></topicupdate>",
        ),
        (
            "ThreadActivity/AddMember",
            "<addmember><eventtime>1</eventtime><initiator>8:joe.4</initiator><target>8:anna.7</target></addmember>",
        ),
        (
            "RichText/UriObject",
            "<URIObject type=\"Picture.1\" uri=\"https://a.example/1\"><Title/><OriginalName v=\"photo.jpg\"/><FileSize v=\"84\"/><a href=\"https://a.example/2\">x</a></URIObject>",
        ),
        (
            "Event/Call",
            "<partlist type=\"ended\" alt=\"\"><part identity=\"joe.4\"><name>Joe</name><duration>84</duration></part></partlist>",
        ),
        ("RichText/Contacts", "<contacts><c t=\"s\" s=\"joe.4\" f=\"Joe Bloggs\"/></contacts>"),
    ];
    let items: Vec<String> = (0..MESSAGES)
        .map(|n| {
            let (kind, content) = match n % 20 {
                0..=7 => ("Text", "A message for the team, not long and not short, number ".to_owned() + &n.to_string()),
                8..=14 => ("RichText", rich[n % rich.len()].to_owned()),
                _ => {
                    let (kind, content) = other[n % other.len()];
                    (kind, content.to_owned())
                }
            };
            let at = 1_600_000_000_000 + n as u64 * 1000;
            serde_json::json!({
                "id": at.to_string(), "version": at.to_string(), "type": "Message", "messagetype": kind,
                "content": content, "clientmessageid": (at - 1).to_string(), "imdisplayname": "Joe Bloggs",
                "composetime": "2020-09-13T12:26:40.000Z", "originalarrivaltime": "2020-09-13T12:26:40.000Z",
                "from": "https://h.example/v1/users/ME/contacts/8:joe.4",
                "conversationLink": "https://h.example/v1/users/ME/conversations/19:kitchen@thread.skype",
            })
            .to_string()
        })
        .collect();
    format!("{{\"messages\":[{}],\"_metadata\":{{}}}}", items.join(","))
}

/// The processor time of this thread, which other programs on the machine do not change much.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a time since the start")
}

fn decoding() {
    let body = corpus();
    let me = UserId::new("8:anna.7");
    let chat = ConversationId::new("19:kitchen@thread.skype");
    let mut best = Duration::MAX;
    for _ in 0..7 {
        let start = processor_time();
        let page = wire::messages_page(&body, &chat, 1_000).expect("a page");
        let mut letters = 0;
        for raw in &page.items {
            let message = decode::message(raw, &me);
            letters += message.body.text(&|id| SafeText::line(id.bare())).len();
        }
        black_box(letters);
        assert_eq!(page.items.len(), MESSAGES);
        best = best.min(processor_time().saturating_sub(start));
    }
    let ours = MESSAGES as f64 / best.as_secs_f64();
    println!(
        "JSON bytes to typed message and plain text: {:.0} thousand a second of processor time",
        ours / 1000.0
    );
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/target/skpy-venv/bin/python");
    if !std::path::Path::new(&python).exists() {
        println!("  (SkPy is not there to compare with: .ci/run installs it)");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("corpus.json");
    std::fs::write(&file, &body).expect("a folder that can be written");
    let run = std::process::Command::new(python)
        .arg(format!("{root}/tests/interop/skpy_decode.py"))
        .arg(&file)
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&run.stdout);
    match said.trim().parse::<f64>() {
        Ok(theirs) => println!(
            "  SkPy 0.11 on the same corpus in the same run: {:.1} thousand; ratio {:.0}",
            theirs / 1000.0,
            ours / theirs
        ),
        Err(_) => println!("  SkPy did not run: {}", String::from_utf8_lossy(&run.stderr)),
    }
}

/// 1 MiB of each pattern through the markup reader, the HTML reader and the sanitiser.
fn hostile() {
    let patterns = [
        "<b>",
        "</b>",
        "<",
        "<a \"",
        "<b",
        "&",
        "&lt",
        "&amp;lt;",
        "<quote>",
        "<i></b>",
        "<a href='x",
        "<center>",
        "<pre>\n",
        "<ss>",
        "<!--",
        "<![CDATA[",
        "<!doctype",
        "<x y=1>",
        "<at id=1>",
        "\n",
        "<b>\n</b>",
        "e\u{301}",
        "a\u{200d}",
        "\u{1b}[31m",
        "*",
        "http://",
        "http://a ",
        "http://a)",
        "<p>",
        "<table><tr><td>",
        "<blockquote>",
        "<font color=red>",
        "<div><span itemtype=\"x/Mention\">",
        "word ",
        "<a href=\"http://x.example\">y",
        "*a ",
        "{code}",
        "<ss type=x>",
        "_*~a ",
    ];
    let mut worst = [("", Duration::ZERO); 4];
    for pattern in patterns {
        let big = pattern.repeat((1 << 20) / pattern.len());
        let time = |work: &dyn Fn()| {
            let start = Instant::now();
            work();
            start.elapsed()
        };
        let times = [
            time(&|| {
                black_box(richtext::parse(&big));
            }),
            time(&|| {
                black_box(html::parse(&big, &[]));
            }),
            time(&|| {
                black_box(SafeText::text(&big));
            }),
            time(&|| {
                black_box(skchat::model::composer_markup::read(&big, &[]));
            }),
        ];
        for (worst, took) in worst.iter_mut().zip(times) {
            if took > worst.1 {
                *worst = (pattern, took);
            }
        }
    }
    println!("\n1 MiB of the worst of {} hostile patterns:", patterns.len());
    for (what, (pattern, took)) in
        ["RichText", "Teams HTML", "sanitiser", "typed markers"].iter().zip(worst)
    {
        println!("  {what:<14} {:>6.1} ms ({pattern:?})", took.as_secs_f64() * 1000.0);
    }
}

fn drawing() {
    println!();
    for count in [200, 200_000] {
        let mut app = loaded(count);
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal in memory");
        let mut frame = |app: &mut App| {
            let start = Instant::now();
            app.layout();
            app.draw(&mut terminal);
            start.elapsed()
        };
        frame(&mut app);
        let mut times = Vec::new();
        let mut keys = Vec::new();
        for n in 0..200i64 {
            app.messages(vec![one(count + n)], Placement::Event);
            times.push(frame(&mut app));
            app.action(Action::Compose(ComposeAction::Insert('x')));
            keys.push(frame(&mut app));
        }
        let mut resizes = Vec::new();
        for n in 0..60u16 {
            let columns = if n % 2 == 0 { 100 + n } else { 120 };
            let start = Instant::now();
            app.resize(columns, 40);
            app.layout();
            resizes.push(start.elapsed());
        }
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1000.0
        };
        println!(
            "120x40 with {count:>7} messages loaded: a new message {:.3} ms, a key {:.3} ms, a resize {:.3} ms (layout and draw; resize: layout)",
            median(&mut times),
            median(&mut keys),
            median(&mut resizes)
        );
    }
}

fn one(n: i64) -> Message {
    let words = format!("message {n} {}", "with some words in it ".repeat(1 + n as usize % 6));
    fixture::message(if n % 3 == 0 { "anna" } else { "joe" }, n, fixture::text(&words))
}

/// A conversation with so many messages in memory; scrolled up by a page, so that none are put away.
fn loaded(count: i64) -> App {
    let mut app = direct("joe").sized(120, 40).opened();
    app.messages(vec![one(0)], Placement::Event);
    app.model.app.with_open(|chat, _| {
        for n in 1..count {
            chat.timeline.upsert(one(n));
        }
    });
    app.layout();
    app.model.view.scroll(&mut app.model.app, -30);
    app
}
