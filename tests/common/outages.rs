//! Faults that last: what they are, and how many requests they cost. Shared by the test and the figures.

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
    /// Requests in the first minute, in which ten chats are opened and written in, and in each later one.
    pub first: usize,
    pub later: usize,
}

pub fn with_header(status: u16, name: &'static str, value: &str) -> Reply {
    Reply { headers: vec![(name, value.to_owned())], ..Reply::status(status, "{}") }
}

pub fn outages() -> Vec<Outage> {
    let all = |name, answer, screen| Outage { name, answer, screen, first: 8, later: 8 };
    let poll = |name, answer| Outage { name, answer, screen: "offline", first: 45, later: 12 };
    vec![
        all("503 on everything", |_| Some(Reply::status(503, "")), "offline"),
        all("500 on everything", |_| Some(Reply::status(500, "{}")), "offline"),
        all("429 without a pause", |_| Some(with_header(429, "retry-after", "0")), "offline"),
        all(
            "429 until a date that is past",
            |_| Some(with_header(429, "retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")),
            "offline",
        ),
        all(
            "503 with a pause of a second",
            |_| Some(with_header(503, "retry-after", "1")),
            "offline",
        ),
        all("429 for half a minute", |_| Some(with_header(429, "retry-after", "30")), "offline"),
        all("a web page", |_| Some(Reply::status(200, "<html>sign in</html>")), "offline"),
        poll("403 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(403, "{}"))),
        poll("404 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(404, "{}"))),
        poll("404 and 729 on the poll", |a| {
            a.is("POST", "/poll").then(|| Reply::status(404, "{\"errorCode\":729}"))
        }),
        poll("503 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(503, ""))),
        poll("500 on the poll", |a| a.is("POST", "/poll").then(|| Reply::status(500, ""))),
    ]
}

/// Requests by the minute since `start`.
pub fn by_minute(server: &Scripted, start: Instant, minutes: u64) -> Vec<usize> {
    let all = ["GET", "POST", "PUT", "DELETE"].iter().flat_map(|method| server.asked(method, "/"));
    let at: Vec<u64> = all
        .filter(|asked| asked.at >= start)
        .map(|asked| asked.at.duration_since(start).as_secs() / 60)
        .collect();
    (0..minutes).map(|minute| at.iter().filter(|at| **at == minute).count()).collect()
}

pub const MINUTES: u64 = 3;

/// Ten chats with a message that waits, while the fault lasts. The requests of each minute, and the last screen.
pub async fn run(row: &Outage) -> (Vec<usize>, String) {
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
    let options = server.options(ANNA);
    let dir = tempfile::tempdir().unwrap();
    let backoff = (Duration::from_secs(1), Duration::from_secs(60));
    let mut anna =
        Runner::launch(options, &Setup { backoff, dir: Some(dir.path()), ..Setup::default() });
    anna.passes(&clock, "live").await;
    let answer = row.answer;
    server.change(|script| script.answer(answer));
    let start = Instant::now();
    // Ten chats with a message that waits.
    for n in 0..10 {
        anna.press(&["alt-down"]).await;
        anna.passes(&clock, "To friend").await;
        anna.paste(&format!("queued {n}")).await;
        anna.passes(&clock, &format!("queued {n}")).await;
        anna.press(&["enter"]).await;
        clock.pass(Duration::from_millis(500)).await;
    }
    clock.pass(Duration::from_secs(60 * MINUTES)).await;
    let counts = by_minute(&server, start, MINUTES);
    let screen = anna.screen();
    anna.end(&clock).await;
    (counts, screen)
}
