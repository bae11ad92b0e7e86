//! Pages that misbehave, and the number of requests that they cost.

use crate::common::scripted::{Home, Reply, Script, Scripted, item, item_with};
use crate::common::*;
use serde_json::{Value, json};
use skchat::model::Receipts;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;

const PAGES: &str = "/conversations/8:joe.4/messages";

fn at(dir: &Path) -> Setup<'_> {
    Setup { dir: Some(dir), receipts: Receipts::Never, ..Setup::default() }
}

/// Messages with these numbers, newest first.
fn items(numbers: std::ops::Range<u64>) -> Vec<Value> {
    numbers.rev().map(|n| item(n * 1_000, JOE, JOE, &format!("word {n}."))).collect()
}

/// Answers for pages of the chat with Joe: the first one, and those that a link leads to.
fn paged(script: &mut Script, first: Reply, next: impl Fn(&str) -> Reply + Send + 'static) {
    script.answer(move |asked| {
        if !asked.is("GET", PAGES) {
            return None;
        }
        Some(match asked.value("syncState") {
            Some(link) => next(&link),
            None => first.clone(),
        })
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_repeats_ends_the_log_with_few_requests() {
    let server = Scripted::start(|script| {
        script.chat(JOE, items(1..31));
        paged(script, Reply::page(&items(1..31), Some("again")), |_| {
            Reply::page(&items(1..31), Some("again"))
        });
    })
    .await;
    let log = Home::new().log_of(&server.origin, &["log", JOE, "-n", "500", "--json"]).await;
    assert_eq!(log.len(), 30);
    let requests = server.count("GET", PAGES);
    assert!(requests <= 1 + 5, "{requests} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_and_one_of_typing_records_go_on() {
    let typing = item_with(item(40_000, JOE, JOE, ""), &json!({ "messagetype": "Control/Typing" }));
    let server = Scripted::start(|script| {
        script.chat(JOE, items(20..30));
        paged(script, Reply::page(&items(20..30), Some("empty")), move |link| match link {
            "empty" => Reply::page(&[], Some("typing")),
            "typing" => Reply::page(std::slice::from_ref(&typing), Some("older")),
            _ => Reply::page(&items(1..20), None),
        });
    })
    .await;
    let log = Home::new().log_of(&server.origin, &["log", JOE, "-n", "500", "--json"]).await;
    assert_eq!(log.len(), 29);
    assert_eq!(log[0], "word 1.");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_on_the_second_page_keeps_the_first_and_says_so() {
    for reply in [
        Reply::status(404, "{}"),
        Reply::status(400, r#"{"errorCode":230}"#),
        Reply::status(500, "{}"),
    ] {
        let server = Scripted::start(|script| {
            script.chat(JOE, items(20..30));
            let reply = reply.clone();
            paged(script, Reply::page(&items(20..30), Some("older")), move |_| reply.clone());
        })
        .await;
        let home = Home::new();
        let (out, err) = home.command(&server.origin, &["log", JOE, "-n", "500"]).await;
        assert_eq!(out.lines().count(), 10, "{out}{err}");
        assert!(err.contains("older messages could not be fetched"), "{err}");
        // The program becomes live with the first page.
        let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
        anna.wait_for("live").await;
        anna.open("joe").await;
        anna.wait_for("word 29.").await;
        server.change(|s| s.event("NewMessage", &item(90_000, JOE, JOE, "still here")));
        anna.wait_for("still here").await;
        anna.quit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_many_missed_messages_are_shown_before_the_older_pages_come() {
    let server = Scripted::start(|script| script.chat(JOE, items(1..11))).await;
    let home = Home::new();
    let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
    anna.wait_for("live").await;
    anna.open("joe").await;
    anna.wait_for("word 10.").await;
    anna.quit().await;
    // 250 more, and all pages but the newest are slow.
    let slow = Arc::new(Notify::new());
    let held = Arc::clone(&slow);
    server.change(|script| {
        script.chat(JOE, items(211..261));
        paged(script, Reply::page(&items(211..261), Some("1")), move |link| {
            let last = 211 - 50 * link.parse::<u64>().unwrap_or(4).min(4);
            let next = (last > 11).then(|| ((211 - last) / 50 + 1).to_string());
            Reply::page(&items(last..last + 50), next.as_deref()).held_until(&held)
        });
    });
    let mut anna = Runner::launch(server.options(ANNA), &at(&home.dir()));
    anna.wait_for("word 211.").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("word 260.").await;
    assert_eq!(server.count("GET", "syncState=2"), 0, "the second page has not come");
    for _ in 0..40 {
        slow.notify_one();
        tokio::task::yield_now().await;
    }
    anna.quit().await;
}
