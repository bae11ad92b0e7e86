//! Prints how fast messages are read and drawn, in process and on one core. Figures, not tests.
//!
//! `cargo run --release --example reading [PART]` (after `.ci/run`, which installs SkPy to compare with); the parts are
//! decoding, hostile and drawing.

mod material;

use material::fixture::App;
use material::{corpus, loaded, one};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use skchat::app::{Action, ComposeAction};
use skchat::model::{ConversationId, Placement, SafeText, UserId};
use skchat::protocol::{decode, html, richtext, wire};
use std::hint::black_box;
use std::time::{Duration, Instant};

const MESSAGES: usize = 20_000;
/// The most messages that the service puts into a page (facts 2.1).
const PAGE: usize = 200;

fn main() {
    let chosen = std::env::args().nth(1);
    let parts: [(&str, fn()); 3] =
        [("decoding", decoding), ("hostile", hostile), ("drawing", drawing)];
    for (name, part) in parts {
        if chosen.as_deref().is_none_or(|chosen| chosen == name) {
            part();
        }
    }
}

/// The processor time of this thread, which other programs on the machine do not change much.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a time since the start")
}

fn decoding() {
    let pages = (0..MESSAGES).step_by(PAGE).map(|first| corpus(first..first + PAGE));
    let pages: Vec<String> = pages.collect();
    let me = UserId::new("8:anna.7");
    let chat = ConversationId::new("19:kitchen@thread.skype");
    let mut best = Duration::MAX;
    for _ in 0..7 {
        let start = processor_time();
        let (mut letters, mut count) = (0, 0);
        for body in &pages {
            let page = wire::messages_page(body, &chat, PAGE as u32).expect("a page");
            for raw in &page.items {
                let message = decode::message(raw, &me);
                letters += message.body.text(&|id| SafeText::line(id.bare())).len();
            }
            count += page.items.len();
        }
        black_box(letters);
        assert_eq!(count, MESSAGES);
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
    std::fs::write(&file, pages.join("\n")).expect("a folder that can be written");
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
        "<ss type=\"x\">:)</ss>",
        "<at id=\"8:x\">x</at>",
        "<a href=\"http://x.example\">y</a>",
        "<b>x</b>",
        "<p>x</p>",
        "<quote>x</quote>",
        "<pre>x</pre>",
        "<pre>x\ny</pre>",
        "<center>x</center>",
        "<font color=\"#ff0000\">x</font>",
        "<li>x</li>",
        "<img alt=\"x\">",
        "<i alt=\"x\"/>",
        "<br>",
        "<hr>",
        "<legacyquote>x</legacyquote>",
        "<p style=\"color:red\">x</p>",
        "<flag country=\"ua\"/>",
        "<x>",
        "</x>",
        "_*~a ",
    ];
    let mut worst = [("", Duration::ZERO); 4];
    for pattern in patterns {
        let big = pattern.repeat((1 << 20) / pattern.len());
        let once = |work: &dyn Fn()| {
            let start = Instant::now();
            work();
            start.elapsed()
        };
        let time = |work: &dyn Fn()| (0..3).map(|_| once(work)).min().unwrap_or_default();
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
    println!("\n1 MiB of the worst of {} hostile patterns, best of three:", patterns.len());
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
