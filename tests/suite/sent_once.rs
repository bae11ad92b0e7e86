//! A message is sent once, whatever the clocks say and whatever happens to the answer: one table row each, with what
//! the screen says and how many copies the server holds.

use crate::common::clock::SteppedClock;
use crate::common::scripted::{Asked, Reply, Scripted};
use crate::common::*;
use serde_json::{Value, json};
use skchat::model::{PollMode, Receipts, Timestamp};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A server whose answers to sends get lost.
#[derive(Default)]
struct World {
    /// Newest first.
    messages: Vec<Value>,
    /// Sends so far, by their text.
    sent: Vec<String>,
    /// This many answers to sends get lost from now on.
    lost: usize,
    /// Lost messages are not stored either.
    drops: bool,
    /// Pages have no client ids.
    silent: bool,
    /// Pages do not show messages that this account has sent.
    lags: bool,
    /// How far the server's clock is behind ours, in milliseconds.
    behind: i64,
    /// It does not report its clock.
    no_date: bool,
    /// This many messages from Joe follow each message of the user whose answer gets lost.
    newer: usize,
    /// The answers to the next sends, and whether the message is stored.
    answers: VecDeque<(Reply, bool)>,
}

impl World {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() - self.behind
    }

    fn add(&mut self, from: &str, text: &str, client_id: &Value) -> i64 {
        let newest = self.messages.first().and_then(|m| m["id"].as_str()?.parse::<i64>().ok());
        let at = self.now().max(newest.unwrap_or(0) + 1);
        self.messages.insert(
            0,
            json!({
                "id": at.to_string(), "version": at.to_string(), "messagetype": "Text", "content": text,
                "from": format!("https://h.example/v1/users/ME/contacts/{from}"),
                "clientmessageid": client_id,
                "conversationLink": format!("https://h.example/v1/users/ME/conversations/{JOE}"),
                "originalarrivaltime": Timestamp(at).rfc3339(),
            }),
        );
        at
    }

    fn page(&self, asked: &Asked) -> Reply {
        let mine = |m: &Value| m["from"].as_str().is_some_and(|from| from.ends_with(ANNA));
        let shown = self.messages.iter().filter(|m| !(self.lags && mine(m)));
        let skip = asked.value("syncState").map_or(0, |state| state.parse().unwrap_or(0));
        let all: Vec<Value> = shown
            .cloned()
            .map(|mut m| {
                if self.silent {
                    m.as_object_mut().unwrap().remove("clientmessageid");
                }
                m
            })
            .collect();
        let page: Vec<Value> = all.iter().skip(skip).take(50).cloned().collect();
        let older = (skip + 50 < all.len()).then(|| (skip + 50).to_string());
        Reply::page(&page, older.as_deref())
    }

    fn send(&mut self, asked: &Asked) -> Reply {
        let text = asked.body["content"].as_str().unwrap_or_default().to_owned();
        self.sent.push(text.clone());
        if let Some((reply, is_kept)) = self.answers.pop_front() {
            if is_kept {
                self.add(ANNA, &text, &asked.body["clientmessageid"]);
            }
            return reply;
        }
        let is_lost = self.lost > 0;
        self.lost = self.lost.saturating_sub(1);
        if is_lost && self.drops {
            return Reply::status(502, "");
        }
        let at = self.add(ANNA, &text, &asked.body["clientmessageid"]);
        if is_lost {
            for n in 0..self.newer {
                self.add(JOE, &format!("newer {n:03}"), &json!(n.to_string()));
            }
            return Reply::status(502, "");
        }
        Reply::status(201, &json!({ "OriginalArrivalTime": at }).to_string())
    }

    fn answer(&mut self, asked: &Asked) -> Option<Reply> {
        let is_signal =
            asked.body["messagetype"].as_str().is_some_and(|t| t.starts_with("Control"));
        if asked.is("POST", "/messages") && !is_signal {
            Some(self.send(asked))
        } else if asked.is("GET", &format!("/{JOE}/messages")) {
            Some(self.page(asked))
        } else if asked.is("GET", "/conversations") && !asked.path.contains(JOE) {
            let last = self.messages.first().cloned().unwrap_or_default();
            let chat = json!({ "id": JOE, "version": last["version"], "lastMessage": last });
            Some(Reply::json(&json!({ "conversations": [chat], "_metadata": {} })))
        } else {
            None
        }
    }

    /// The `Date` of every answer.
    fn date(&self) -> String {
        if self.no_date {
            return "none".to_owned();
        }
        let now = jiff::Timestamp::from_millisecond(self.now()).unwrap();
        now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn copies(&self, text: &str) -> usize {
        self.messages.iter().filter(|m| m["content"] == text).count()
    }
}

/// A server for Anna's chat with Joe.
async fn serve(world: World) -> (Arc<Mutex<World>>, Scripted) {
    let world = Arc::new(Mutex::new(world));
    world.lock().unwrap().add(JOE, "hello there", &json!("1"));
    let (held, clock) = (Arc::clone(&world), Arc::clone(&world));
    let server = Scripted::start(|script| {
        script.answer(move |asked| held.lock().unwrap().answer(asked));
        script.date = Some(Box::new(move || clock.lock().unwrap().date()));
    })
    .await;
    (world, server)
}

/// Anna in the chat with Joe.
async fn opened(world: World) -> (Arc<Mutex<World>>, Scripted, Runner) {
    let (world, server) = serve(world).await;
    let setup = Setup { receipts: Receipts::Never, ..Setup::default() };
    let mut anna = Runner::launch(server.options(ANNA), &setup);
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("hello there").await;
    (world, server, anna)
}

async fn shown_sent(anna: &mut Runner, text: &str) {
    let sent = |s: &str| s.lines().any(|l| l.contains(text) && l.trim_end().ends_with('✓'));
    anna.wait_until(&format!("{text} to be sent"), sent).await;
}

const NOT_CONFIRMED: &str = "not confirmed: R resends";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_in_the_pages_and_nothing_is_sent_twice() {
    for behind in [0, 20 * 60_000, -20 * 60_000] {
        let (world, _server, mut anna) =
            opened(World { lost: 1, behind, ..World::default() }).await;
        anna.say("only once").await;
        shown_sent(&mut anna, "only once").await;
        assert_eq!(world.lock().unwrap().copies("only once"), 1, "{behind}");
        anna.quit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_clock_a_message_is_found_below_many_newer_ones() {
    const YEARS: i64 = 3 * 365 * 86_400_000;
    for behind in [0, 20 * 60_000, -20 * 60_000, YEARS, -YEARS] {
        for no_date in [false, true] {
            let world = World { lost: 1, newer: 150, behind, no_date, ..World::default() };
            let (world, server, mut anna) = opened(world).await;
            anna.say("only once").await;
            // Three pages of newer messages, and then the one that has it.
            server.until("GET", "syncState=150", 1).await;
            anna.wait_gone("unsent").await;
            let (sends, copies) = {
                let world = world.lock().unwrap();
                (world.sent.len(), world.copies("only once"))
            };
            assert_eq!((sends, copies), (1, 1), "{behind} behind, no date: {no_date}");
            anna.quit().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_unknown_whether_it_was_sent_the_user_decides() {
    for (name, world) in [
        ("no client ids", World { lost: 1, silent: true, ..World::default() }),
        ("reads lag", World { lost: 1, lags: true, ..World::default() }),
        ("nothing known of the server", World { lost: 1, drops: true, ..World::default() }),
    ] {
        let (world, _server, mut anna) = opened(world).await;
        let before = world.lock().unwrap().copies("is it there?");
        assert_eq!(before, 0);
        anna.say("is it there?").await;
        let screen = anna.wait_for(NOT_CONFIRMED).await;
        assert!(!screen.contains("not sent"), "{name}\n{screen}");
        assert_eq!(world.lock().unwrap().sent.len(), 1, "{name}");
        // Later messages in the chat wait, so that the order is kept.
        anna.say("another").await;
        anna.wait_for("2 unsent").await;
        assert_eq!(world.lock().unwrap().sent.len(), 1, "{name}");
        // The user asks for it to be sent again.
        anna.press(&["ctrl-up", "up", "R"]).await;
        anna.wait_gone(NOT_CONFIRMED).await;
        shown_sent(&mut anna, "another").await;
        let sent = world.lock().unwrap().sent.clone();
        assert_eq!(sent, ["is it there?", "is it there?", "another"], "{name}");
        anna.quit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_reads_are_known_to_follow_writes_a_lost_message_is_sent_again() {
    let (world, _server, mut anna) = opened(World::default()).await;
    anna.say("first").await;
    shown_sent(&mut anna, "first").await;
    let lose_one = |world: &mut World| (world.lost, world.drops) = (1, true);
    lose_one(&mut world.lock().unwrap());
    anna.say("second").await;
    shown_sent(&mut anna, "second").await;
    let copies = |text: &str| world.lock().unwrap().copies(text);
    assert_eq!((copies("first"), copies("second")), (1, 1));
    anna.quit().await;
}

/// An answer that reports an error.
fn failure(status: u16, code: u32, words: &str) -> Reply {
    Reply::status(status, &json!({ "errorCode": code, "message": words }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_says_why_in_words_and_is_not_sent_again() {
    let nested = json!({ "errorCode": 206, "message": "8:joe.4 has blocked you" }).to_string();
    let envelope = json!({ "error": { "code": 284, "message": "Gone since 1700000000000" } });
    for (answer, words) in [
        (failure(429, 804, ""), vec!["has not accepted your contact request yet"]),
        (
            failure(403, 206, &nested),
            vec!["not accepted in this conversation", "… has blocked you"],
        ),
        (
            Reply::status(400, &envelope.to_string()),
            vec!["this person cannot receive messages", "Gone since …"],
        ),
        (failure(403, 403, "Forbidden by policy"), vec!["not allowed", "Forbidden by policy"]),
        (failure(200, 206, "Not today"), vec!["not accepted in this", "Not today"]),
        (Reply::status(400, "<html><title>No bots</title></html>"), vec!["refused", "No bots"]),
        (Reply::status(404, ""), vec!["not found (404)"]),
        (Reply::status(413, "{}"), vec!["the message is too large"]),
    ] {
        let name = format!("{answer:?}");
        let world = World { answers: [(answer, false)].into(), ..World::default() };
        let (world, _server, mut anna) = opened(world).await;
        anna.resize(300, 24).await;
        anna.say("is this fine?").await;
        let screen = anna.wait_for("not sent").await;
        assert!(words.iter().all(|word| screen.contains(word)), "{name}\n{screen}");
        assert!(
            !screen.contains("8:joe.4 has") && !screen.contains("17000000"),
            "{name}\n{screen}"
        );
        assert_eq!(world.lock().unwrap().sent.len(), 1, "{name}");
        anna.quit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_where_the_server_asks_for_a_pause_in_an_answer_that_looks_like_success() {
    let clock = SteppedClock::start();
    for code in [800, 803, 820, 899, 429] {
        let answers = [(failure(200, code, "Slow down"), false), (failure(429, code, ""), false)];
        let (world, server) = serve(World { answers: answers.into(), ..World::default() }).await;
        server.change(|script| script.poll_wait = Some(Duration::from_secs(30)));
        let dir = tempfile::tempdir().unwrap();
        let backoff = (Duration::from_secs(1), Duration::from_secs(60));
        let receipts = Receipts::Never;
        let setup = Setup { receipts, backoff, dir: Some(dir.path()), ..Setup::default() };
        let mut anna = Runner::launch(server.options(ANNA), &setup);
        anna.passes(&clock, "live").await;
        anna.press(&["alt-down"]).await;
        anna.passes(&clock, "hello there").await;
        let began = Instant::now();
        anna.paste("in a while").await;
        anna.passes(&clock, "in a while").await;
        anna.press(&["enter"]).await;
        anna.passes(&clock, "unsent").await;
        anna.passes(&clock, "✓").await;
        assert!(began.elapsed() > Duration::from_secs(30), "{code}: {:?}", began.elapsed());
        let (sends, copies) = {
            let world = world.lock().unwrap();
            (world.sent.len(), world.copies("in a while"))
        };
        assert_eq!((sends, copies), (3, 1), "{code}");
        anna.end(&clock).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_names_no_id_gets_it_from_the_next_page_or_event() {
    for (status, body) in [
        (201, ""),
        (201, "{}"),
        (201, "null"),
        (200, "[]"),
        (201, "{\"OriginalArrivalTime\":0}"),
        (201, "{\"OriginalArrivalTime\":\"0\"}"),
        (201, "{\"OriginalArrivalTime\":null}"),
    ] {
        for by_event in [false, true] {
            let name = format!("{status} {body}, by event: {by_event}");
            let answers = [(Reply::status(status, body), true)].into();
            let (world, server) = serve(World { answers, ..World::default() }).await;
            let poll = if by_event { PollMode::Long } else { PollMode::Interval };
            let setup = Setup { receipts: Receipts::Never, poll, ..Setup::default() };
            let mut anna = Runner::launch(server.options(ANNA), &setup);
            anna.wait_for("live").await;
            anna.press(&["alt-down"]).await;
            anna.wait_for("hello there").await;
            anna.say("without an id").await;
            server.until("POST", &format!("/{JOE}/messages"), 1).await;
            shown_sent(&mut anna, "without an id").await;
            let echo = world.lock().unwrap().messages[0].clone();
            if by_event {
                server.change(|script| script.event("NewMessage", &echo));
            }
            // It can be edited only when its id is known.
            let id = echo["id"].as_str().unwrap();
            let path = format!("/{JOE}/messages/{id}");
            anna.press(&["ctrl-up"]).await;
            anna.press_until("e", "editing", |s| s.contains("editing:")).await;
            anna.type_text(" now").await;
            anna.press(&["enter"]).await;
            server.until("PUT", &path, 1).await;
            assert_eq!(world.lock().unwrap().sent.len(), 1, "{name}");
            anna.quit().await;
        }
    }
}
