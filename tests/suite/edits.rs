//! Edits, end to end: on the screen, after a restart, in `log` and in the search, whatever form the server sends.

use crate::common::scripted::{Home, Scripted, item, item_with};
use crate::common::*;
use serde_json::{Value, json};
use skchat::model::Receipts;
use skchat::model::fold::folded;
use skchat::model::search::Query;
use skchat::protocol::{decode, wire};
use skchat::store::Store;
use std::path::Path;

fn at(dir: &Path) -> Setup<'_> {
    Setup { dir: Some(dir), receipts: Receipts::Never, ..Setup::default() }
}

/// An edited message as a server has it that changes messages in place and marks them.
fn edited(item: &Value, mark: &str, text: &str) -> Value {
    let version = item["id"].as_str().unwrap().parse::<u64>().unwrap() + 5_000;
    let change = json!({ "version": version.to_string(), "skypeeditedid": mark, "content": text });
    item_with(item.clone(), &change)
}

/// Whether a stored message is found by a word in it.
async fn finds(dir: &Path, word: &str) -> bool {
    let store = Store::open(&dir.join("store.db")).unwrap();
    let query = Query { terms: vec![folded(word)], ..Query::default() };
    let found = store.search(store.begin_search(), query, None, 10).await.unwrap().unwrap();
    !found.hits.is_empty()
}

/// An address at which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn an_own_message_that_the_server_edits_in_place_stays_in_every_form_of_the_answer() {
    for (name, change) in [
        ("own client id", json!({})),
        ("no client id", json!({ "clientmessageid": null })),
        ("by its id", json!({ "clientmessageid": null, "skypeeditedid": "1700000000001" })),
        ("unknown mark", json!({ "clientmessageid": null, "skypeeditedid": "31415926" })),
        ("another client id", json!({ "clientmessageid": "5550001" })),
    ] {
        let first = item(1, ANNA, JOE, "my frist words");
        let last = item(2, JOE, JOE, "and mine");
        let server = Scripted::start(|s| s.chat(JOE, vec![last.clone(), first.clone()])).await;
        let home = Home::new();
        let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
        anna.wait_for("live").await;
        anna.open("joe").await;
        anna.wait_for("my frist words").await;
        // Received live.
        let new = item_with(edited(&first, "91", "my first words"), &change);
        server.change(|s| {
            s.chat(JOE, vec![last.clone(), new.clone()]);
            s.event("MessageUpdate", &new);
        });
        let screen = anna.wait_for("my first words (edited)").await;
        assert!(!screen.contains("frist"), "{name}\n{screen}");
        anna.quit().await;
        // After a restart, without the network and with it.
        let nowhere = server.options(ANNA);
        drop(server);
        let mut anna = Runner::launch(nowhere, &at(&home.dir()));
        anna.wait_for("my first words (edited)").await;
        anna.quit().await;
        assert_eq!(home.log(NOWHERE, JOE).await, ["my first words", "and mine"], "{name}");
        assert!(finds(&home.dir(), "first").await, "{name}");
        assert!(!finds(&home.dir(), "frist").await, "{name}");
        // A new home that has never seen the first form.
        let server = Scripted::start(|s| s.chat(JOE, vec![last.clone(), new.clone()])).await;
        let home = Home::new();
        let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
        anna.wait_for("live").await;
        anna.open("joe").await;
        anna.wait_for("my first words (edited)").await;
        anna.quit().await;
        assert!(finds(&home.dir(), "first").await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_original_comes_later_or_never_is_shown_until_then() {
    let edit = item_with(
        item(50, JOE, JOE, "the second wording"),
        &json!({ "clientmessageid": null, "skypeeditedid": "91" }),
    );
    let between = item(20, JOE, JOE, "between");
    let first = item(1, JOE, JOE, "the first wording");
    let server = Scripted::start(|s| {
        s.chat(JOE, vec![edit.clone(), between.clone(), item(0, JOE, JOE, "earliest")]);
    })
    .await;
    let home = Home::new();
    let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
    anna.wait_for("live").await;
    anna.open("joe").await;
    let screen = anna.wait_for("the second wording (edited)").await;
    let line = |s: &str, text: &str| s.lines().position(|l| l.contains(text)).unwrap();
    assert!(line(&screen, "between") < line(&screen, "second"), "{screen}");
    // The original arrives: it has the new text, in its own place, and the edit is no longer a message.
    server.change(|s| s.event("NewMessage", &first));
    let moved = |s: &str| {
        let at = |text: &str| s.lines().position(|l| l.contains(text) && !l.contains('›'));
        at("second wording").zip(at("between")).is_some_and(|(edit, other)| edit < other)
    };
    anna.wait_until("the edit in its original's place", moved).await;
    anna.quit().await;
    assert_eq!(home.log(NOWHERE, JOE).await, ["earliest", "the second wording", "between"]);
    assert!(!finds(&home.dir(), "first").await);
    let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
    anna.wait_until("the same after a restart", moved).await;
    assert_eq!(anna.screen().matches("second wording").count(), 1, "{}", anna.screen());
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_of_another_author_changes_nothing_and_an_empty_edit_removes() {
    let mine = item(1, ANNA, JOE, "as I said it");
    let forged = item_with(
        item(50, JOE, JOE, "as Joe would have it"),
        &json!({ "clientmessageid": null, "skypeeditedid": "91" }),
    );
    let server = Scripted::start(|s| s.chat(JOE, vec![forged.clone(), mine.clone()])).await;
    let home = Home::new();
    let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
    anna.wait_for("live").await;
    anna.open("joe").await;
    let screen = anna.wait_for("as I said it").await;
    assert!(!screen.contains("Joe would have it"), "{screen}");
    let removed = edited(&mine, "91", "");
    server.change(|s| {
        s.chat(JOE, vec![forged.clone(), removed.clone()]);
        s.event("MessageUpdate", &removed);
    });
    anna.wait_for("message removed").await;
    anna.quit().await;
    assert_eq!(home.log(NOWHERE, JOE).await, ["[message removed]"]);
    let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
    anna.wait_for("message removed").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_in_the_list_and_the_unread_count_know_an_edited_message() {
    let old = item(1, JOE, JOE, "old");
    let last = item(60_000, JOE, JOE, "the frist");
    let id = last["id"].as_str().unwrap().to_owned();
    let new = edited(&last, &id, "the first");
    let server = Scripted::start(|s| {
        s.chat(JOE, vec![new.clone(), old.clone()]);
        s.conversations[0]["properties"]["consumptionhorizon"] =
            format!("{0};{0};0", old["id"].as_str().unwrap()).into();
    })
    .await;
    let home = Home::new();
    let dir = &home.dir();
    let setup = || Setup { size: (140, 30), ..at(dir) };
    for _ in 0..2 {
        let mut anna = Runner::launch(server.options(ANNA), &setup());
        anna.wait_for("live").await;
        let screen = anna.wait_for("1 unread").await;
        assert!(screen.contains("the first"), "{screen}");
        anna.quit().await;
    }
    let store = Store::open(&dir.join("store.db")).unwrap();
    let snapshot = store.snapshot(ANNA.into()).await.unwrap();
    let raw = wire::raw_message(&snapshot.conversations[0].last[0].json, None).unwrap();
    assert!(decode::indexed(&decode::message(&raw, &ANNA.into())).counts);
}
