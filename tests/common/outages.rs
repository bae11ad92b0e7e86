//! Faults that last: what they are, and how many requests they cost. Shared by the test and the benchmark figures.

use super::clock::SteppedClock;
use super::scripted::{Asked, Reply, Scripted, item};
use super::{ANNA, Runner, Setup};
use std::time::Duration;
use tokio::time::Instant;

/// A fault that lasts, and what it may cost.
pub struct Outage {
    pub name: &'static str,
    pub answer: fn(&Asked) -> Option<Reply>,
    /// What the screen shows meanwhile.
    pub screen: &'static str,
    /// A message waits in each of ten chats.
    pub queues: bool,
}

/// How the screen names a pause that the server asked for.
const ASKED: &str = "asked for a pause";
/// Requests that any outage may cost in each minute, including the first.
pub const MAX: usize = 8;
/// The longest time without a request during an outage. The longest wait is a minute, but another request may go first,
/// so a minute by the clock can pass without one.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(100);

/// The longest time between two of these requests, where `start` and `end` count as well.
pub fn longest_silence(start: Instant, asked: &[Instant], end: Instant) -> Duration {
    let ends = asked.iter().copied().chain([end]);
    let starts = [start].into_iter().chain(asked.iter().copied());
    starts.zip(ends).map(|(from, to)| to.duration_since(from)).max().unwrap_or_default()
}

pub fn with_header(status: u16, name: &'static str, value: &str) -> Reply {
    Reply { headers: vec![(name, value.to_owned())], ..Reply::status(status, "{}") }
}

pub fn outages() -> Vec<Outage> {
    let all = |name, answer, screen| Outage { name, answer, screen, queues: true };
    let poll = |name, answer| Outage { name, answer, screen: "offline", queues: false };
    let sends = |name, answer| Outage { name, answer, screen: "10 unsent", queues: true };
    let offline = |name, answer| Outage { name, answer, screen: "offline", queues: true };
    vec![
        all("503 on everything", |_| Some(Reply::status(503, "")), "offline"),
        all("500 on everything", |_| Some(Reply::status(500, "{}")), "offline"),
        all("429 without a pause", |_| Some(with_header(429, "retry-after", "0")), ASKED),
        all(
            "429 until a date that is past",
            |_| Some(with_header(429, "retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")),
            ASKED,
        ),
        all(
            "503 with a pause of a second",
            |_| Some(with_header(503, "retry-after", "1")),
            "offline",
        ),
        all("429 for half a minute", |_| Some(with_header(429, "retry-after", "30")), ASKED),
        all("a web page", |_| Some(Reply::status(200, "<html>sign in</html>")), "offline"),
        all("502 on everything", |_| Some(Reply::status(502, "<html>bad</html>")), "offline"),
        all("408 on everything", |_| Some(Reply::status(408, "")), "offline"),
        poll("403 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(403, "{}"))),
        poll("404 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(404, "{}"))),
        poll("404 and 729 on the poll", |a| {
            a.is("POST", "/poll").then(|| Reply::status(404, "{\"errorCode\":729}"))
        }),
        poll("503 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(503, ""))),
        poll("500 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(500, ""))),
        poll("502 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(502, ""))),
        poll("a web page on the poll", |a| {
            a.is("POST", "/poll").then(|| Reply::status(200, "<html>sign in</html>"))
        }),
        Outage {
            name: "429 on the poll",
            answer: |a| a.is("POST", "/poll").then(|| with_header(429, "retry-after", "0")),
            screen: ASKED,
            queues: false,
        },
        Outage {
            name: "cut off answers on the poll",
            answer: |a| a.is("POST", "/poll").then(|| Reply::status(200, "{\"eventMess")),
            screen: "live",
            queues: false,
        },
        poll("answers that are cut off", |a| {
            let is = a.method == "GET" || a.is("POST", "/poll");
            is.then(|| Reply::status(200, "{\"convers"))
        }),
        poll("409 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(409, "{}"))),
        poll("400 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(400, "{}"))),
        poll("403 on subscriptions and the poll", |a| {
            let is = a.is("POST", "/poll") || a.is("POST", "/subscriptions");
            is.then(|| Reply::status(403, "{}"))
        }),
        poll("404 and 729 on the poll, 503 on registrations", |a| match a {
            a if a.is("POST", "/poll") => Some(Reply::status(404, "{\"errorCode\":729}")),
            a if a.path.ends_with("/endpoints") => Some(Reply::status(503, "")),
            _ => None,
        }),
        offline("503 on the poll and on sends", |a| {
            let is = a.is("POST", "/poll") || a.is("POST", "/messages");
            is.then(|| Reply::status(503, ""))
        }),
        offline("403 on the poll, 503 on sends", |a| match a {
            a if a.is("POST", "/poll") => Some(Reply::status(403, "{}")),
            a if a.is("POST", "/messages") => Some(Reply::status(503, "")),
            _ => None,
        }),
        sends("503 on sends", |a| a.is("POST", "/messages").then(|| Reply::status(503, ""))),
        Outage {
            name: "401 on sends",
            answer: |a| a.is("POST", "/messages").then(|| Reply::status(401, "{}")),
            screen: "signed out",
            queues: true,
        },
        Outage {
            name: "401 on everything",
            answer: |_| Some(Reply::status(401, "{}")),
            screen: "signed out",
            queues: true,
        },
        sends("429 on sends without a pause", |a| {
            a.is("POST", "/messages").then(|| Reply::status(429, "{}"))
        }),
        sends("429 on sends with a pause of nothing", |a| {
            a.is("POST", "/messages").then(|| with_header(429, "retry-after", "0"))
        }),
        sends("429 on sends until a date that is past", |a| {
            a.is("POST", "/messages")
                .then(|| with_header(429, "retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"))
        }),
        sends("429 on sends until a date of the server", |a| {
            a.is("POST", "/messages").then(|| Reply {
                headers: vec![
                    ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT".to_owned()),
                    ("date", "Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
                ],
                ..Reply::status(429, "{}")
            })
        }),
    ]
}

/// The kinds of requests since `start`, with the second of each.
fn kinds(server: &Scripted, start: Instant) -> String {
    let mut text = String::new();
    for asked in all_asked(server, start) {
        let second = asked.at.duration_since(start).as_secs_f32();
        text.push_str(&format!("\n  {second:>6.1} {} {}", asked.method, asked.path));
    }
    text
}

fn all_asked(server: &Scripted, start: Instant) -> Vec<Asked> {
    let methods = ["GET", "POST", "PUT", "DELETE"];
    let mut all: Vec<Asked> = methods.iter().flat_map(|method| server.asked(method, "/")).collect();
    all.retain(|asked| asked.at >= start);
    all.sort_by_key(|asked| asked.at);
    all
}

/// When requests were made since `start`, without polls that the fault does not affect: they are open most of the time.
fn counted_requests(row: &Outage, server: &Scripted, start: Instant) -> Vec<Instant> {
    let all = all_asked(server, start).into_iter();
    let counts = |asked: &Asked| !asked.is("POST", "/poll") || (row.answer)(asked).is_some();
    all.filter(counts).map(|asked| asked.at).collect()
}

fn by_minute(counted: &[Instant], start: Instant, minutes: u64) -> Vec<usize> {
    let minute = |at: &Instant| at.duration_since(start).as_secs() / 60;
    (0..minutes).map(|n| counted.iter().filter(|at| minute(at) == n).count()).collect()
}

/// What a fault costs.
pub struct Cost {
    /// Requests of each minute.
    pub counts: Vec<usize>,
    /// The longest time without one.
    pub silence: Duration,
    /// All requests, for debugging.
    pub requests: String,
    /// The last screen.
    pub screen: String,
}

/// Ten chats, with a message that waits in each, while the fault lasts.
pub async fn run(row: &Outage, minutes: u64) -> Cost {
    let clock = SteppedClock::start();
    let server = Scripted::start(|script| {
        script.poll_wait = Some(Duration::from_secs(30));
        for n in 0..10 {
            script.chat(
                &format!("8:friend.{n}"),
                vec![item(n, &format!("8:friend.{n}"), &format!("8:friend.{n}"), "hi")],
            );
        }
    })
    .await;
    let mut options = server.options(ANNA);
    // Longer than the server holds a poll, so that a healthy poll is not a failure.
    options.poll_timeout = Duration::from_secs(40);
    let dir = tempfile::tempdir().unwrap();
    let backoff = (Duration::from_secs(1), Duration::from_secs(60));
    let setup = Setup {
        backoff,
        dir: Some(dir.path()),
        receipts: skchat::model::Receipts::Never,
        ..Setup::default()
    };
    let mut anna = Runner::launch(options, &setup);
    anna.passes(&clock, "live").await;
    // Requests for opening a chat are not part of the outage.
    for _ in 0..10 {
        anna.press(&["alt-down"]).await;
        anna.passes(&clock, "To friend").await;
        clock.pass(Duration::from_secs(2)).await;
    }
    let answer = row.answer;
    server.change(|script| script.answer(answer));
    let start = Instant::now();
    for n in 0..if row.queues { 10 } else { 0 } {
        anna.press(&["ctrl-k"]).await;
        anna.type_text(&format!("friend.{n}")).await;
        anna.press(&["enter"]).await;
        anna.passes(&clock, &format!("To friend.{n}")).await;
        anna.paste(&format!("queued {n}")).await;
        anna.passes(&clock, &format!("queued {n}")).await;
        anna.press(&["enter"]).await;
        clock.pass(Duration::from_millis(500)).await;
    }
    clock.pass(Duration::from_secs(60 * minutes)).await;
    let counted = counted_requests(row, &server, start);
    let counts = by_minute(&counted, start, minutes);
    let silence = longest_silence(start, &counted, Instant::now());
    let requests = kinds(&server, start);
    // A poll that was open before the fault may just have been answered.
    clock.pass_until(Duration::from_secs(60), || anna.screen().contains(row.screen)).await;
    let screen = anna.screen();
    anna.end(&clock).await;
    Cost { counts, silence, requests, screen }
}
