//! A message is sent once, whatever the clocks say and whatever becomes of the answer: a table row each, with what the
//! screen says and how many copies the server holds.

mod common;

use common::scripted::{Asked, Reply, Scripted};
use common::*;
use serde_json::{Value, json};
use skchat::model::{Receipts, Timestamp};
use std::sync::{Arc, Mutex};

/// A server whose answers to sends get lost.
#[derive(Default)]
struct World {
    /// Newest first.
    messages: Vec<Value>,
    /// Sends so far, by their text.
    sent: Vec<String>,
    /// So many answers to sends get lost from now on.
    lost: usize,
    /// What is lost is not kept either.
    drops: bool,
    /// Pages have no client ids.
    silent: bool,
    /// Pages do not show what this account has sent.
    lags: bool,
    /// How far the server's clock is behind ours, in milliseconds.
    behind: i64,
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
        let skip = asked.value("syncState").map_or(0, |state| state.parse::<usize>().unwrap());
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
        let is_lost = self.lost > 0;
        self.lost = self.lost.saturating_sub(1);
        if is_lost && self.drops {
            return Reply::status(502, "");
        }
        let at = self.add(ANNA, &text, &asked.body["clientmessageid"]);
        if is_lost {
            return Reply::status(502, "");
        }
        Reply::status(201, &json!({ "OriginalArrivalTime": at }).to_string())
    }

    fn answer(&mut self, asked: &Asked) -> Option<Reply> {
        let is_signal =
            asked.body["messagetype"].as_str().is_some_and(|t| t.starts_with("Control"));
        let reply = if asked.is("POST", "/messages") && !is_signal {
            self.send(asked)
        } else if asked.is("GET", &format!("/{JOE}/messages")) {
            self.page(asked)
        } else if asked.is("GET", "/conversations") && !asked.path.contains(JOE) {
            let last = self.messages.first().cloned().unwrap_or_default();
            let chat = json!({ "id": JOE, "version": 7, "lastMessage": last });
            Reply::json(&json!({ "conversations": [chat], "_metadata": {} }))
        } else {
            return None;
        };
        let date = jiff::Timestamp::from_millisecond(self.now())
            .unwrap()
            .to_zoned(jiff::tz::TimeZone::UTC);
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Some(Reply { headers: vec![("date", date)], ..reply })
    }

    fn copies(&self, text: &str) -> usize {
        self.messages.iter().filter(|m| m["content"] == text).count()
    }
}

/// Anna in the chat with Joe.
async fn opened(world: World) -> (Arc<Mutex<World>>, Scripted, Runner) {
    let world = Arc::new(Mutex::new(world));
    world.lock().unwrap().add(JOE, "hello there", &json!("1"));
    let held = Arc::clone(&world);
    let server =
        Scripted::start(|script| script.answer(move |asked| held.lock().unwrap().answer(asked)))
            .await;
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

const NOT_CONFIRMED: &str = "not confirmed: R sends again";

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
async fn where_it_cannot_be_told_the_user_decides() {
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
        // What follows in the chat waits, so that the order stays.
        anna.say("another").await;
        anna.wait_for("2 unsent").await;
        assert_eq!(world.lock().unwrap().sent.len(), 1, "{name}");
        // The user has it sent again.
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
