//! Nothing lost: gaps, search, the outbox and read marks against the real gateway and over restarts. What keys and
//! deltas do to the screen is tested in `src/app/tests`.

use crate::common::*;
use skchat::gateway::fault::InjectedFault;
use skchat::model::Receipts;
use skchat::model::{ConversationId, ReadMarker, Timestamp};
use std::path::Path;
use std::time::Duration;

/// Texts that the server holds of a conversation, oldest first.
async fn texts(gateway: &Gateway, user: &str, id: &str) -> Vec<String> {
    let page = gateway.client(user).messages(&ConversationId::new(id), 200).await.unwrap();
    page.items.iter().rev().map(|m| m.content.to_string()).collect()
}

/// The numbers of the `filler` messages in sight.
fn fillers(screen: &str) -> Vec<u32> {
    let numbers =
        screen.lines().filter_map(|l| l.split("  filler ").nth(1)?.get(..3)?.parse().ok());
    numbers.collect()
}

fn at(dir: &Path) -> Setup<'_> {
    Setup { dir: Some(dir), receipts: Receipts::Never, ..Setup::default() }
}

const MISSING: &str = "messages missing";
const TROUBLE: InjectedFault = InjectedFault::Status { code: 503, error: 0, retry_after: None };

/// Anna has read "old"; while she is away, `count` messages come, and the server answers only the first page of them.
async fn interrupted(gateway: &Gateway, dir: &Path, count: usize) -> Runner {
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "old").await;
    let mut anna = Runner::with(gateway, at(dir)).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("old").await;
    anna.quit().await;
    for i in 0..count {
        say_as(&joe, ANNA, &format!("missed {i:03}.")).await;
    }
    gateway.state.faults().add_after("GET", "/messages", 1, 100_000, TROUBLE);
    let mut anna = Runner::with(gateway, at(dir)).await;
    anna.wait_for("missed").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for(&format!("missed {:03}.", count - 1)).await;
    anna
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_leaves_a_gap_line_and_no_seamless_join() {
    let gateway = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mut anna = interrupted(&gateway, dir.path(), 80).await;
    anna.resize(80, 90).await;
    let screen = anna.wait_for(MISSING).await;
    let line = |text: &str| screen.lines().position(|l| l.contains(text)).unwrap();
    assert!(line("old") < line(MISSING) && line(MISSING) < line("missed 030."), "{screen}");
    assert!(!screen.contains("missed 029."), "{screen}");
    gateway.state.faults().clear();
    let screen = anna.wait_gone(MISSING).await;
    for i in 0..80 {
        assert!(screen.contains(&format!("missed {i:03}.")), "{i} is missing\n{screen}");
    }
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_stays_a_gap_over_a_restart() {
    let gateway = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let anna = interrupted(&gateway, dir.path(), 80).await;
    anna.quit().await;
    let mut anna = Runner::with(&gateway, Setup { size: (80, 90), ..at(dir.path()) }).await;
    anna.wait_for(MISSING).await;
    gateway.state.faults().clear();
    anna.wait_gone(MISSING).await;
    anna.wait_for("missed 000.").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_message_that_is_edited_does_not_look_like_a_neighbour() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    let first = say_as(&joe, ANNA, "the very first").await;
    for n in 0..120 {
        say_as(&joe, ANNA, &format!("filler {n:03}.")).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut anna = Runner::with(&gateway, Setup { size: (80, 200), ..at(dir.path()) }).await;
    anna.wait_for("live").await;
    // Not opened yet: the newest page is stored, and then a change to a message far above it.
    let outgoing = skchat::model::Outgoing { text: "changed".into(), ..Default::default() };
    let change = skchat::model::request::Change::Edit(outgoing);
    joe.change(&ConversationId::new(ANNA), &first, &change, "", Timestamp(0)).await.unwrap();
    gateway.state.faults().add("GET", "/messages", 100_000, TROUBLE);
    anna.press(&["alt-down", "ctrl-end"]).await;
    anna.wait_for("filler 119.").await;
    let screen = anna.wait_for(MISSING).await;
    let line = |text: &str| screen.lines().position(|l| l.contains(text)).unwrap();
    assert!(line("changed") < line(MISSING) && line(MISSING) < line("filler 070."), "{screen}");
    gateway.state.faults().clear();
    anna.wait_for("filler 000.").await;
    anna.wait_gone(MISSING).await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_read_is_found_offline_and_opens_in_its_place() {
    let gateway = Gateway::start().await;
    let (joe, mia) = (gateway.client(JOE), gateway.client(MIA));
    say_as(&joe, ANNA, "Der Ofen ist in der Küche, 日本語").await;
    for n in 0..300 {
        say_as(&joe, ANNA, &format!("filler {n:03}.")).await;
    }
    say_as(&mia, ANNA, "no kitchen here: https://oven.example/x").await;
    let dir = tempfile::tempdir().unwrap();
    let mut anna = Runner::with(&gateway, Setup { size: (90, 30), ..at(dir.path()) }).await;
    anna.wait_for("live").await;
    anna.open("joe").await;
    anna.wait_for("filler").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("filler 299.").await;
    anna.press_until("ctrl-home", "the first message", |s| s.contains("Der Ofen")).await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("filler 299.").await;
    anna.quit().await;
    let stopped = gateway.stop().await;
    // Offline, from the first character on, whatever the case, accents or script.
    let gateway = stopped.start_again().await;
    let options = gateway.options(ANNA);
    let _stopped = gateway.stop().await;
    let mut anna = Runner::launch(options, &Setup { size: (90, 30), ..at(dir.path()) });
    anna.wait_for("filler").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("filler 299.").await;
    for (typed, found) in [
        ("k", "2 found"),
        ("ku", "1 found"),
        ("KUCHE", "1 found"),
        ("語", "1 found"),
        ("kitchen", "1 found"),
        ("filler", "60+ found"),
        ("\"filler 12\"", "10 found"),
        ("lle 123", "1 found"),
        ("from:mia k", "1 found"),
        ("from:me k", "0 found"),
        ("in:joe k", "1 found"),
        ("has:link", "1 found"),
        ("k after:2999", "0 found"),
        ("k before:soon", "before: needs a date"),
        ("from:nobody", "from: there is no person called \"nobody\""),
        ("xyzzy", "Nothing found."),
    ] {
        anna.press(&["ctrl-r"]).await;
        anna.wait_for("Search everywhere").await;
        anna.paste(typed).await;
        anna.wait_for(found).await;
        anna.press(&["esc"]).await;
        anna.wait_gone("Search everywhere").await;
    }
    anna.press(&["ctrl-r"]).await;
    anna.wait_for("Search everywhere").await;
    anna.type_text("kuch").await;
    let screen = anna.wait_for("1 found").await;
    assert!(
        screen.contains("Joe Bloggs") && screen.contains("Der Ofen ist in der Küche"),
        "{screen}"
    );
    anna.press(&["enter"]).await;
    let screen = anna.wait_for("filler 000.").await;
    assert!(screen.contains("Der Ofen") && !screen.contains("filler 299."), "{screen}");
    anna.wait_for("more below").await;
    // From there down to the newest, without a jump.
    anna.press(&["esc"]).await;
    for _ in 0..60 {
        let before = anna.screen();
        if before.contains("filler 299.") {
            break;
        }
        let last = fillers(&before).pop().unwrap();
        let moved = |s: &str| fillers(s) != fillers(&before);
        let after = anna.press_until("pagedown", "the next page", moved).await;
        let first = fillers(&after)[0];
        assert!(first <= last + 1, "{last} {first}\n{after}");
    }
    anna.wait_for("filler 299.").await;
    anna.wait_gone("more below").await;
    // From one hit back to the others, and Enter before the answer has arrived.
    anna.press(&["ctrl-r"]).await;
    anna.wait_for("› kuch").await;
    anna.press(&["f1"]).await;
    anna.wait_for("─ Help ─").await;
    anna.press(&["esc"]).await;
    anna.wait_for("› kuch").await;
    anna.press(&["ctrl-u"]).await;
    anna.paste("FROM:mia kitchen").await;
    anna.press(&["enter"]).await;
    anna.wait_for("To Mia Tan").await;
    anna.open("joe").await;
    anna.wait_for("filler").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("filler 299.").await;
    // In the open chat only, and Tab widens it.
    anna.press(&["ctrl-f"]).await;
    anna.wait_for("Search in Joe Bloggs").await;
    anna.type_text("kitchen").await;
    anna.wait_for("Nothing found.").await;
    anna.press(&["tab"]).await;
    anna.wait_for("1 found").await;
    anna.press(&["enter"]).await;
    anna.wait_for("To Mia Tan").await;
    anna.wait_for("no kitchen here").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_messages_are_kept_over_a_restart_and_leave_in_order() {
    let gateway = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let setup = |seconds| Setup { grace: Duration::from_secs(seconds), ..at(dir.path()) };
    let mut anna = Runner::with(&gateway, setup(60)).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.say("one").await;
    anna.wait_for("sent in 60s").await;
    anna.say("taken back").await;
    anna.press(&["alt-z"]).await;
    anna.wait_for("› taken back").await;
    // Quitting mentions messages that have not been sent.
    anna.press(&["ctrl-q"]).await;
    anna.wait_for("press again to quit").await;
    let held = gateway.client(JOE).messages(&ConversationId::new(ANNA), 10).await;
    assert!(held.map_or(true, |page| page.items.is_empty()), "nothing has left");
    anna.quit().await;
    let mut anna = Runner::with(&gateway, setup(1)).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.wait_for("› taken back").await;
    anna.press(&["ctrl-u"]).await;
    anna.say("two").await;
    anna.wait_until("both sent", |s| {
        s.lines().any(|l| l.contains("two") && l.trim_end().ends_with('✓'))
    })
    .await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["one", "two"]);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_goes_back_into_the_box_and_is_sent_from_there() {
    let gateway = Gateway::start().await;
    let refused = InjectedFault::Status { code: 400, error: 201, retry_after: None };
    let setup = Setup { receipts: Receipts::Never, ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.paste("first try").await;
    // The typing signal must be through before the fault is set.
    gateway.until("POST", "/messages", 1).await;
    gateway.state.faults().add("POST", "/messages", 1, refused);
    anna.press(&["enter"]).await;
    anna.wait_for("not sent: the server does not know this address").await;
    anna.press(&["ctrl-up", "e"]).await;
    anna.wait_for("› first try").await;
    anna.wait_gone("not sent").await;
    anna.say("!").await;
    anna.wait_until("it sent", |s| {
        s.lines().any(|l| l.contains("first try!") && l.trim_end().ends_with('✓'))
    })
    .await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["first try!"]);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_reading_is_shown() {
    let (gateway, crew, mut anna) = crew().await;
    anna.say("who is there?").await;
    anna.wait_until("the sent mark", |s| {
        s.lines().any(|l| l.contains("who is there?") && l.ends_with(" ✓"))
    })
    .await;
    let joe = gateway.client(JOE);
    let id = ConversationId::new(&crew);
    let newest = joe.messages(&id, 1).await.unwrap().items[0].at;
    let read_marker = ReadMarker { arrival: newest, read_at: newest, client_id: None };
    joe.mark_read(&id, &read_marker).await.unwrap();
    anna.wait_until("the read mark", |s| {
        s.lines().any(|l| l.contains("who is there?") && l.ends_with("✓✓"))
    })
    .await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_is_marked_unread_is_unread_for_the_server_and_after_a_restart() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(say_as(&joe, ANNA, text).await);
    }
    let dir = tempfile::tempdir().unwrap();
    let setup = || Setup { dir: Some(dir.path()), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("3 unread").await;
    anna.press(&["alt-a"]).await;
    anna.wait_gone("3 unread").await;
    anna.press(&["ctrl-up", "up", "u"]).await;
    anna.wait_for("2 unread").await;
    anna.wait_for("2 new").await;
    let told = async {
        loop {
            let raw = gateway.client(ANNA).conversation(&ConversationId::new(JOE)).await.unwrap();
            if raw.json.contains(&format!("\"consumptionhorizon\":\"{};", ids[0])) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the server has the earlier mark");
    anna.quit().await;
    // Opened by itself it is not read yet; with the first key it is.
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("live").await;
    let polls = gateway.requests("POST", "/poll");
    gateway.until("POST", "/poll", polls + 2).await;
    assert!(anna.screen().contains("2 unread"), "{}", anna.screen());
    anna.press(&["esc"]).await;
    anna.wait_gone("2 unread").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_message_blocks_its_own_chat_only() {
    let gateway = Gateway::start().await;
    let mut anna =
        Runner::with(&gateway, Setup { receipts: Receipts::Never, ..Setup::default() }).await;
    anna.wait_for("live").await;
    gateway.state.faults().add("POST", "/8:joe.4/messages", 100_000, TROUBLE);
    anna.open("8:joe.4").await;
    anna.say("stuck one").await;
    anna.say("stuck two").await;
    anna.wait_for("2 unsent").await;
    anna.open("8:mia.tan").await;
    anna.say("free").await;
    anna.wait_until("the other chat's message", |s| {
        s.lines().any(|l| l.contains("free") && l.trim_end().ends_with('✓'))
    })
    .await;
    assert!(anna.screen().contains("2 unsent"), "{}", anna.screen());
    gateway.state.faults().clear();
    anna.wait_gone("unsent").await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["stuck one", "stuck two"]);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_first_message_does_not_mark_the_end_of_the_history() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    let first = say_as(&joe, ANNA, "the very first").await;
    for n in 0..120 {
        say_as(&joe, ANNA, &format!("filler {n:03}.")).await;
    }
    let outgoing = skchat::model::Outgoing { text: "changed".into(), ..Default::default() };
    let change = skchat::model::request::Change::Edit(outgoing);
    joe.change(&ConversationId::new(ANNA), &first, &change, "", Timestamp(0)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut anna = Runner::with(&gateway, at(dir.path())).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down", "ctrl-end"]).await;
    anna.wait_for("filler 119.").await;
    let screen = anna
        .press_until("ctrl-home", "the first message", |s| s.contains("changed (edited)"))
        .await;
    assert!(!screen.contains("in between"), "{screen}");
    anna.quit().await;
}
