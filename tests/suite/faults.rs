//! Wrong answers, limits and outages: one table row each, with what must be on the screen, what must be stored, and how
//! many requests it may cost.

use crate::common::clock::SteppedClock;
use crate::common::outages::{self, Cost, LONGEST_SILENCE, MAX, Outage, outages, with_header};
use crate::common::rates;
use crate::common::scripted::{Asked, Reply, Scripted, item, item_with};
use crate::common::*;
use serde_json::{Value, json};
use skchat::model::{ConversationId, Receipts};
use skchat::store::Store;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const MISSING: &str = "messages missing";
/// All messages of a chat with Joe that the server holds, and those that were there at the first start.
const COUNT: u64 = 250;
const BEFORE: u64 = 20;

fn setup(dir: &Path) -> Setup<'_> {
    Setup { dir: Some(dir), receipts: Receipts::Never, ..Setup::default() }
}

/// Numbers of the stored messages, oldest first, and the number of open and closed gaps.
async fn stored(dir: &Path) -> (Vec<u64>, usize, usize) {
    let store = Store::open(&dir.join("store.db")).unwrap();
    let id = ConversationId::new(JOE);
    let rows = store.newest(&id, 10_000).await.unwrap();
    let number = |id: &str| id.parse::<u64>().unwrap() - fixture::START.unsigned_abs();
    let mut numbers: Vec<u64> = rows.iter().map(|raw| number(&raw.id)).collect();
    numbers.sort_unstable();
    let coverage = store.coverage(&id).await.unwrap();
    let closed = coverage.gaps().filter(|gap| gap.closed).count();
    (numbers, coverage.gaps().count() - closed, closed)
}

fn said(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.rev().map(|n| item(n, JOE, JOE, &format!("said {n:03}."))).collect()
}

/// How a server answers a request for a page of messages that begins below `end`.
#[derive(Clone, Copy)]
struct OddPages {
    name: &'static str,
    /// `_metadata` of a page that ends above the message `lowest`.
    metadata: fn(lowest: u64) -> Option<Value>,
    /// What a link leads to, other than an older page.
    link: fn() -> Option<Reply>,
}

const NO_LINK: fn() -> Option<Reply> = || None;

fn odd_pages() -> Vec<OddPages> {
    let odd = |name, metadata| OddPages { name, metadata, link: NO_LINK };
    // The link itself is right; what it leads to is not.
    let leads = |name, link| OddPages {
        name,
        metadata: |lowest| Some(json!({ "backwardLink": format!("?syncState={lowest}") })),
        link,
    };
    vec![
        odd("no metadata", |_| None),
        odd("metadata of another type", |_| Some(json!("none"))),
        odd("metadata without a link", |_| Some(json!({}))),
        odd("an empty link", |_| Some(json!({ "backwardLink": "" }))),
        odd("null for a link", |_| Some(json!({ "backwardLink": null }))),
        odd("a link to a file", |_| Some(json!({ "backwardLink": "file:///etc/hostname" }))),
        odd("a link without a state", |_| {
            Some(json!({ "backwardLink": "https://evil.example/v1/x?startTime=0" }))
        }),
        odd("a link that is not UTF-8", |_| {
            Some(json!({ "backwardLink": "https://h.example/?syncState=%ff%fe" }))
        }),
        odd("a link to itself", |lowest| {
            let own = lowest + 50;
            Some(json!({ "backwardLink": format!("https://h.example/?syncState={own}") }))
        }),
        odd("links in a circle", |lowest| {
            let next = if lowest > 160 { lowest } else { COUNT + 1 };
            Some(json!({ "backwardLink": format!("https://h.example/?syncState={next}") }))
        }),
        leads("a link that is refused", || Some(Reply::status(400, "{\"errorCode\":230}"))),
        leads("a link to nothing", || Some(Reply::status(404, "{}"))),
        odd("a number for a link", |_| Some(json!({ "backwardLink": 7 }))),
        odd("a link far down", |_| Some(json!({ "backwardLink": "?syncState=3" }))),
        odd("an object for a link", |_| Some(json!({ "backwardLink": { "a": 7 } }))),
        odd("an array of links", |lowest| {
            Some(json!({ "backwardLink": [format!("?syncState={lowest}")] }))
        }),
        odd("a list for metadata", |_| Some(json!([]))),
        odd("a link with control characters", |_| {
            Some(json!({ "backwardLink": "https://h.example/?syncState=\u{0}\r\n\u{1b}[2J" }))
        }),
        odd("a link of many bytes", |_| {
            Some(json!({ "backwardLink": format!("?syncState={}", "x".repeat(300_000)) }))
        }),
        odd("a link that is no address", |_| Some(json!({ "backwardLink": "http://[::" }))),
        odd("a link to the newest page", |_| {
            Some(json!({ "backwardLink": format!("?syncState={}", COUNT + 1) }))
        }),
        leads("a link to an empty list", || Some(Reply::status(200, "{\"messages\":[]}"))),
        leads("a link to null", || Some(Reply::status(200, "{\"messages\":null}"))),
        leads("a link to nothing at all", || Some(Reply::status(200, ""))),
        leads("a link to other things", || {
            Some(Reply::status(200, "{\"messages\":[null,1,\"a\",{},[]]}"))
        }),
        leads("a link that leads to another host", || {
            Some(with_header(302, "location", "http://127.0.0.2:9/"))
        }),
        leads("a link to a web page", || Some(Reply::status(200, "<html>hello</html>"))),
    ]
}

/// A page of at most 50 of the messages up to `COUNT`, as such a server returns it.
fn odd_page(pages: OddPages, heeds_bounds: bool, asked: &Asked) -> Option<Reply> {
    if !asked.is("GET", &format!("/{JOE}/messages")) {
        return None;
    }
    let state = asked.value("syncState").and_then(|state| state.parse::<u64>().ok());
    if state.is_some()
        && let Some(reply) = (pages.link)()
    {
        return Some(reply);
    }
    let bound = asked.value("endTime").filter(|_| heeds_bounds);
    let end = bound.map(|end| end.parse::<u64>().unwrap() - fixture::START.unsigned_abs() + 1);
    let below = state.or(end).unwrap_or(COUNT + 1).min(COUNT + 1);
    let lowest = below.saturating_sub(50).max(1);
    let mut body = json!({ "messages": said(lowest..=below - 1) });
    if let Some(metadata) = (pages.metadata)(lowest) {
        body["_metadata"] = metadata;
    }
    Some(Reply::json(&body))
}

async fn history_row(pages: OddPages, heeds_bounds: bool) {
    let name = format!("{}, bounds are heeded: {heeds_bounds}", pages.name);
    println!("{name}");
    let dir = tempfile::tempdir().unwrap();
    let server = Scripted::start(|script| script.chat(JOE, said(1..=BEFORE))).await;
    let mut anna = Runner::launch(server.options(ANNA), &setup(dir.path()));
    anna.wait_for("live").await;
    anna.press(&["alt-down", "ctrl-end"]).await;
    anna.wait_for("said 020.").await;
    anna.quit().await;
    server.change(|script| {
        script.chat(JOE, said(BEFORE + 1..=COUNT));
        script.answer(move |asked| odd_page(pages, heeds_bounds, asked));
    });
    let before = server.count("GET", "/messages");
    let size = (80, 300);
    let mut anna = Runner::launch(server.options(ANNA), &Setup { size, ..setup(dir.path()) });
    anna.wait_for("said 250.").await;
    anna.wait_for("live").await;
    if heeds_bounds {
        let screen = anna.wait_gone(MISSING).await;
        let screen =
            if screen.contains("said 021.") { screen } else { anna.wait_for("said 021.").await };
        assert!(!screen.contains("nothing in between"), "{name}\n{screen}");
    } else {
        let screen = anna.wait_for(MISSING).await;
        assert!(screen.contains("said 020.") && screen.contains("said 201."), "{name}\n{screen}");
    }
    let requests = server.count("GET", "/messages") - before;
    anna.quit().await;
    let (numbers, open, closed) = stored(dir.path()).await;
    assert_eq!(closed, 0, "{name}");
    assert_eq!(open, usize::from(!heeds_bounds), "{name}: {numbers:?}");
    if heeds_bounds {
        assert_eq!(numbers, (1..=COUNT).collect::<Vec<_>>(), "{name}");
    }
    assert!(requests <= 30, "{name}: {requests} requests");
    if !heeds_bounds {
        let history = history_of_doctor(dir.path(), &server.origin);
        assert!(history.contains("unknown, will be requested again: after "), "{name}\n{history}");
        assert!(!history.contains("not kept by the server"), "{name}\n{history}");
    }
}

/// What `skchat doctor --history` prints about the store of a run.
fn history_of_doctor(dir: &Path, origin: &str) -> String {
    let account = dir.join("accounts/home");
    std::fs::create_dir_all(&account).unwrap();
    // What was last written may be in the log next to it.
    for name in ["store.db", "store.db-wal"].iter().filter(|name| dir.join(name).exists()) {
        std::fs::copy(dir.join(name), account.join(name)).unwrap();
    }
    write_config(dir, origin);
    let mut doctor = std::process::Command::new(env!("CARGO_BIN_EXE_skchat"));
    doctor.args(["doctor", "--history"]).env("SKCHAT_DATA_DIR", dir).env("TEST_TOKEN", "x");
    let output = doctor.env("SKCHAT_CONFIG", dir.join("config.toml")).output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_page_of_a_history_loses_nothing() {
    for pages in odd_pages() {
        for heeds_bounds in [true, false] {
            history_row(pages, heeds_bounds).await;
        }
    }
}

/// Answers to a poll in which the event of a message gets lost.
fn odd_polls() -> Vec<(&'static str, Vec<u8>)> {
    let message = item(30, JOE, JOE, "the lost one");
    let event = |id: u64, resource: &Value| json!({ "id": id, "type": "EventMessage", "resourceType": "NewMessage", "resource": resource });
    let deep = format!("{{\"eventMessages\":[{}{}]}}", "[".repeat(300), "]".repeat(300));
    let doubled = format!("{{\"eventMessages\":[{}],\"eventMessages\":[]}}", event(1000, &message));
    let utf16: Vec<u8> =
        "{\"eventMessages\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("nothing", Vec::new()),
        ("an empty object", b"{}".to_vec()),
        ("an empty array", b"[]".to_vec()),
        ("an array", json!([event(1000, &message)]).to_string().into_bytes()),
        ("null for a list", b"{\"eventMessages\":null}".to_vec()),
        ("another name", json!({ "events": [event(1000, &message)] }).to_string().into_bytes()),
        ("too deep", deep.into_bytes()),
        ("doubled keys", doubled.into_bytes()),
        ("UTF-16", utf16),
        ("a list for an event list that is text", b"{\"eventMessages\":\"[]\"}".to_vec()),
        ("an object for a list", json!({ "eventMessages": { "0": event(1000, &message) } }).to_string().into_bytes()),
        ("another case", json!({ "EventMessages": [event(1000, &message)] }).to_string().into_bytes()),
        ("an error inside", b"{\"errorCode\":500,\"message\":\"later\"}".to_vec()),
        ("a number", b"1".to_vec()),
        ("zero bytes", vec![0; 64]),
        ("two answers", b"{\"eventMessages\":[]}{\"eventMessages\":[]}".to_vec()),
        ("a resource that is text", json!({ "eventMessages": [{ "id": 1000, "type": "EventMessage", "resourceType": "NewMessage", "resource": message.to_string() }] }).to_string().into_bytes()),
        ("items that are text", b"{\"eventMessages\":[\"a\",1,true]}".to_vec()),
        ("an id of another type", json!({ "eventMessages": [{ "id": {}, "resourceType": "NewMessage", "resource": {} }] }).to_string().into_bytes()),
        ("cut off", b"{\"eventMessages\":[{\"id\":1000,".to_vec()),
        ("an item that is null", b"{\"eventMessages\":[null]}".to_vec()),
        ("an item without its resource", b"{\"eventMessages\":[{\"id\":1000}]}".to_vec()),
        (
            "a message with only an id",
            json!({ "eventMessages": [event(1000, &json!({ "id": message["id"], "conversationLink": message["conversationLink"] }))] })
                .to_string()
                .into_bytes(),
        ),
        (
            "a message that is an array",
            json!({ "eventMessages": [event(1000, &json!([]))] }).to_string().into_bytes(),
        ),
        (
            "a jump in the ids",
            json!({ "eventMessages": [
                { "id": 1000, "resourceType": "X", "resource": {} },
                { "id": 1002, "resourceType": "X", "resource": {} },
            ] })
            .to_string()
            .into_bytes(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_answer_to_a_poll_loses_no_message() {
    for (name, body) in odd_polls() {
        let server = Scripted::start(|script| script.chat(JOE, said(1..=BEFORE))).await;
        let mut anna = Runner::launch(server.options(ANNA), &Setup::default());
        anna.wait_for("live").await;
        anna.press(&["alt-down", "ctrl-end"]).await;
        anna.wait_for("said 020.").await;
        server.until("POST", "/poll", 1).await;
        // The message is there for lists and pages; its event is in an answer that cannot be read, once.
        let mut once = Some(String::from_utf8_lossy(&body).into_owned());
        server.change(|script| {
            let mut all = said(1..=BEFORE);
            all.insert(0, item(30, JOE, JOE, "the lost one"));
            script.chat(JOE, all);
            script.answer(move |asked| {
                let body = if asked.is("POST", "/poll") { once.take() } else { None };
                body.map(|body| Reply::status(200, &body))
            });
        });
        let screen = anna.wait_for("the lost one").await;
        assert_eq!(screen.matches("the lost one").count(), 1, "{name}\n{screen}");
        anna.wait_for("live").await;
        let lists = server.asked("GET", "/conversations").len();
        assert!(lists <= 12, "{name}: {lists} requests");
        anna.quit().await;
    }
}

/// Runs some of the table's rows.
async fn cost_few_requests(chosen: impl Fn(&Outage) -> bool) {
    for row in outages().into_iter().filter(chosen) {
        let Cost { counts, silence, requests, screen } = outages::run(&row, 2).await;
        println!("{}: {counts:?} requests a minute, at most {silence:?} without one", row.name);
        let few = counts.iter().all(|count| *count <= MAX);
        assert!(few, "{}: {counts:?}{requests}\n{screen}", row.name);
        let goes_on = silence <= LONGEST_SILENCE;
        assert!(goes_on, "{}: {silence:?}{requests}\n{screen}", row.name);
        // Between two attempts the status line may say that it is connecting.
        let between = ["connecting", "trying again"].iter().any(|text| screen.contains(text));
        let is_told = screen.contains(row.screen) || between;
        assert!(is_told, "{}\n{screen}", row.name);
        let unsent = screen.contains("10 unsent");
        assert_eq!(unsent, row.queues, "{}: nothing is lost\n{screen}", row.name);
    }
}

fn is_of_sends(row: &Outage) -> bool {
    row.name.contains("sends")
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_few_requests_however_many_chats_wait() {
    cost_few_requests(|row| row.queues && !is_of_sends(row)).await;
}

#[tokio::test(start_paused = true)]
async fn sends_that_fail_cost_few_requests_with_all_that_they_lead_to() {
    cost_few_requests(is_of_sends).await;
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_cost_few_requests_with_all_that_they_lead_to() {
    cost_few_requests(|row| !row.queues).await;
}

#[tokio::test(start_paused = true)]
async fn a_live_service_gets_few_requests_in_use_idle_away_and_during_an_outage() {
    let most = [15, 10, 6, MAX];
    for (rate, most) in rates::rates().await.into_iter().zip(most) {
        println!("{}: {:?} requests a minute, {:?}", rate.name, rate.counts, rate.silence);
        let few = rate.counts.iter().all(|count| *count <= most);
        assert!(few && rate.silence <= LONGEST_SILENCE, "{}: {:?}", rate.name, rate.counts);
    }
}

/// Five requests in any second are answered; any more get a 429.
fn quota(recent: &Arc<Mutex<Vec<Instant>>>) -> Option<Reply> {
    let now = Instant::now();
    let mut recent = recent.lock().unwrap();
    recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
    if recent.len() >= 5 {
        return Some(with_header(429, "retry-after", "1"));
    }
    recent.push(now);
    None
}

#[tokio::test(start_paused = true)]
async fn with_a_quota_a_session_goes_on_where_it_was_and_is_soon_live() {
    let clock = SteppedClock::start();
    let recent = Arc::new(Mutex::new(Vec::new()));
    let server = Scripted::start(|script| {
        script.poll_wait = Some(Duration::from_secs(30));
        for n in 0..120 {
            let id = format!("8:friend.{n}");
            script.chat(&id, vec![item(n, &id, &id, "hi")]);
        }
        script.answer(move |_| quota(&recent));
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let backoff = (Duration::from_secs(1), Duration::from_secs(60));
    let start = Instant::now();
    let mut anna = Runner::launch(server.options(ANNA), &Setup { backoff, ..setup(dir.path()) });
    anna.passes(&clock, "live").await;
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let registrations = server.asked("POST", "/endpoints").into_iter();
    let registered = registrations.filter(|asked| asked.path.ends_with("/endpoints")).count();
    assert!(registered <= 2, "{registered}");
    // All of them are filled in the end, at the pace that was learnt.
    let filled = || (0..120).all(|n| server.count("GET", &format!("/8:friend.{n}/messages")) > 0);
    assert!(clock.pass_until(Duration::from_secs(300), filled).await);
    anna.end(&clock).await;
}

#[tokio::test(start_paused = true)]
async fn a_429_without_a_time_stops_everything_for_longer_and_longer_and_the_screen_says_so() {
    let clock = SteppedClock::start();
    let server = Scripted::start(|script| script.chat(JOE, said(1..=BEFORE))).await;
    let dir = tempfile::tempdir().unwrap();
    let backoff = (Duration::from_secs(1), Duration::from_secs(60));
    let poll = skchat::model::PollMode::Interval;
    let setup = Setup { poll, backoff, ..setup(dir.path()) };
    let mut anna = Runner::launch(server.options_without_events(ANNA), &setup);
    anna.passes(&clock, "live").await;
    anna.press(&["alt-down"]).await;
    anna.passes(&clock, "To joe.4").await;
    clock.pass(Duration::from_secs(5)).await;
    let refuse = |asked: &Asked| {
        let is_any = ["GET", "POST", "PUT"].contains(&asked.method.as_str());
        is_any.then(|| Reply::status(429, "{\"errorCode\":429}"))
    };
    server.change(|script| script.answer(refuse));
    let start = Instant::now();
    anna.passes(&clock, "asked for a pause: next try in").await;
    anna.say("not lost").await;
    // It waits, whatever the user does.
    for _ in 0..20 {
        anna.press(&["f5"]).await;
        clock.pass(Duration::from_secs(60)).await;
    }
    let times: Vec<u64> = ["GET", "POST", "PUT"]
        .iter()
        .flat_map(|method| server.asked(method, "/"))
        .filter(|asked| asked.at >= start)
        .map(|asked| asked.at.duration_since(start).as_secs())
        .collect();
    // After 30, 60, 120, 240 and 480 seconds.
    assert!((5..=7).contains(&times.len()), "{times:?}");
    let screen = anna.screen();
    assert!(screen.contains("min") && screen.contains("not lost"), "{screen}");
    server.change(|script| script.answer(|_| None));
    // The longest pause is ten minutes.
    let is_live = || anna.screen().contains("live");
    assert!(clock.pass_until(Duration::from_secs(660), is_live).await, "{}", anna.screen());
    let sent = || server.asked("POST", "/messages").iter().any(|a| a.body["content"] == "not lost");
    assert!(clock.pass_until(Duration::from_secs(60), sent).await);
    anna.end(&clock).await;
}

#[tokio::test(start_paused = true)]
async fn a_frozen_connection_is_reported_within_forty_seconds_and_a_fresh_one_is_tried() {
    let clock = SteppedClock::start();
    let never = Arc::new(tokio::sync::Notify::new());
    let server = Scripted::start(|script| {
        script.poll_wait = Some(Duration::from_secs(30));
        script.chat(JOE, said(1..=BEFORE));
    })
    .await;
    let mut options = server.options(ANNA);
    options.poll_timeout = Duration::from_secs(40);
    let dir = tempfile::tempdir().unwrap();
    let backoff = (Duration::from_secs(1), Duration::from_secs(60));
    let mut anna = Runner::launch(options, &Setup { backoff, ..setup(dir.path()) });
    anna.passes(&clock, "live").await;
    let frozen = Arc::clone(&never);
    server.change(|script| {
        script.answer(move |_| Some(Reply::status(200, "{}").held_until(&frozen)));
    });
    let froze = Instant::now();
    anna.passes(&clock, "no answer within 40 s").await;
    assert!(froze.elapsed() <= Duration::from_secs(75), "{:?}", froze.elapsed());
    let polls = server.count("POST", "/poll");
    server.change(|script| script.answer(|_| None));
    anna.passes(&clock, "live").await;
    assert!(server.count("POST", "/poll") > polls);
    anna.end(&clock).await;
}

/// The program with a token that it reads from a file; and the path of that file.
fn with_token_file(server: &Scripted, dir: &Path) -> (Runner, std::path::PathBuf) {
    let file = dir.join("token");
    std::fs::write(&file, "old").unwrap();
    let mut options = server.options(ANNA);
    options.poll_timeout = Duration::from_secs(40);
    let source = skchat::client::TokenFile { path: file.clone(), shared: true };
    options.token = skchat::client::TokenSource::File(source);
    let backoff = (Duration::from_secs(1), Duration::from_secs(60));
    (Runner::launch(options, &Setup { backoff, ..setup(dir) }), file)
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_reported_at_once_and_retried_automatically() {
    let clock = SteppedClock::start();
    let server = Scripted::start(|script| {
        script.poll_wait = Some(Duration::from_secs(30));
        script.chat(JOE, said(1..=BEFORE));
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let (mut anna, file) = with_token_file(&server, dir.path());
    anna.passes(&clock, "live").await;
    server.change(|script| {
        script.answer(|_| Some(Reply::status(401, "{\"message\":\"Token expired\"}")));
        script.event("X", &json!({}));
    });
    let began = Instant::now();
    anna.passes(&clock, "signed out").await;
    anna.passes(&clock, "write a new token to").await;
    assert!(began.elapsed() <= Duration::from_secs(35), "{:?}", began.elapsed());
    // It was a temporary fault.
    let before = server.count("POST", "/");
    clock.pass(Duration::from_secs(120)).await;
    let requests = server.count("POST", "/") - before;
    assert!((1..=16).contains(&requests), "{requests} requests in two minutes");
    server.change(|script| script.answer(|_| None));
    std::fs::write(&file, "new").unwrap();
    let began = Instant::now();
    anna.passes(&clock, "live").await;
    assert!(began.elapsed() <= Duration::from_secs(8), "{:?}", began.elapsed());
    anna.end(&clock).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_of_a_send_is_in_the_status_at_once_with_what_to_do() {
    let server = Scripted::start(|script| {
        script.poll_wait = Some(Duration::from_secs(30));
        script.chat(JOE, said(1..=BEFORE));
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let (mut anna, file) = with_token_file(&server, dir.path());
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("To joe").await;
    server.change(|script| {
        script.answer(|asked| {
            let is_send = asked.is("POST", &format!("/{JOE}/messages"));
            is_send.then(|| Reply::status(401, "{\"message\":\"Token expired\"}"))
        });
    });
    let began = Instant::now();
    anna.say("not yet").await;
    anna.wait_for("signed out: write a new token").await;
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    // Messages are still received.
    server.change(|script| script.event("NewMessage", &item(30, JOE, JOE, "still heard")));
    anna.wait_for("still heard").await;
    server.change(|script| script.answer(|_| None));
    std::fs::write(&file, "new").unwrap();
    let sent = |s: &str| s.lines().any(|l| l.contains("not yet") && l.trim_end().ends_with('✓'));
    anna.wait_until("it to be sent", sent).await;
    anna.wait_for("live").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_names_no_conversation_is_placed_by_the_link_of_its_event() {
    let all = "https://h.example/v1/users/ME/conversations/ALL";
    let link = format!("https://h.example/v1/users/ME/conversations/{JOE}/messages/1");
    let server = Scripted::start(|script| script.chat(JOE, said(1..=BEFORE))).await;
    let mut anna = Runner::launch(server.options(ANNA), &Setup::default());
    anna.wait_for("live").await;
    anna.press(&["alt-down", "ctrl-end"]).await;
    anna.wait_for("said 020.").await;
    for (n, named) in [(30, json!(all)), (31, Value::Null), (32, json!(""))] {
        let text = format!("from everywhere {n}");
        let fields = json!({ "conversationLink": named });
        let message = item_with(item(n, JOE, JOE, &text), &fields);
        server.change(|script| script.event_with_link("NewMessage", &link, &message));
        anna.wait_for(&text).await;
    }
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_can_be_placed_nowhere_is_counted_by_doctor() {
    let all = "https://h.example/v1/users/ME/conversations/ALL";
    let server = Scripted::start(|script| script.chat(JOE, said(1..=BEFORE))).await;
    let dir = tempfile::tempdir().unwrap();
    let account = dir.path().join("accounts/home");
    std::fs::create_dir_all(&account).unwrap();
    let mut anna = Runner::launch(server.options(ANNA), &setup(&account));
    anna.wait_for("live").await;
    anna.press(&["alt-down", "ctrl-end"]).await;
    anna.wait_for("said 020.").await;
    let nowhere = item_with(item(30, JOE, JOE, "lost"), &json!({ "conversationLink": all }));
    server.change(|script| script.event_with_link("NewMessage", all, &nowhere));
    let link = format!("https://h.example/v1/users/ME/conversations/{JOE}/messages/1");
    let placed = item(31, JOE, JOE, "after it");
    server.change(|script| script.event_with_link("NewMessage", &link, &placed));
    anna.wait_for("after it").await;
    anna.quit().await;
    let config = dir.path().join("config.toml");
    let text = format!(
        "[accounts.home]\nuser_id = \"{ANNA}\"\ngateway = \"http://127.0.0.1:9/v1\"\ntoken = {{ env = \"SKCHAT_TOKEN\" }}\n"
    );
    std::fs::write(&config, text).unwrap();
    let doctor = std::process::Command::new(env!("CARGO_BIN_EXE_skchat"))
        .args(["doctor", "--config"])
        .arg(&config)
        .arg("--data-dir")
        .arg(dir.path())
        .env("SKCHAT_TOKEN", "secret")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    let expected = "1 item of the server could not be placed in any conversation";
    assert!(said.contains(expected), "{said}{}", String::from_utf8_lossy(&doctor.stderr));
    assert!(said.contains("PASS  messages: last checked at 20"), "{said}");
}
