//! Nothing lost: gaps, search, taking back, read marks and unread counts, by keys against the real gateway.

mod common;

use common::*;
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
async fn a_gap_stays_a_gap_over_a_restart_and_enter_fills_it() {
    let gateway = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let anna = interrupted(&gateway, dir.path(), 80).await;
    anna.quit().await;
    let mut anna = Runner::with(&gateway, Setup { size: (80, 90), ..at(dir.path()) }).await;
    anna.wait_for(MISSING).await;
    anna.press(&["ctrl-up"]).await;
    for _ in 0..50 {
        anna.press(&["up"]).await;
    }
    anna.wait_for("Messages are missing here").await;
    gateway.state.faults().clear();
    anna.press(&["enter"]).await;
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
    // Not opened yet: the newest page is stored, and then a change of something far above it.
    let outgoing = skchat::model::Outgoing { text: "changed".into(), ..Default::default() };
    let change = skchat::model::request::Change::Edit(outgoing);
    joe.change(&ConversationId::new(ANNA), &first, &change, "", Timestamp(0)).await.unwrap();
    gateway.state.faults().add("GET", "/messages", 100_000, TROUBLE);
    anna.press(&["alt-down"]).await;
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
    anna.wait_for("filler 299.").await;
    anna.press_until("ctrl-home", "the first message", |s| s.contains("Der Ofen")).await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("filler 299.").await;
    anna.quit().await;
    let stopped = gateway.stop().await;
    // Offline, from the first character on, whatever case, accent or script.
    let gateway = stopped.start_again().await;
    let options = gateway.options(ANNA);
    let _stopped = gateway.stop().await;
    let mut anna = Runner::launch(options, &Setup { size: (90, 30), ..at(dir.path()) });
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
        ("k before:soon", "before: wants a date"),
        ("from:nobody", "from: nobody is called nobody"),
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
    // From one hit back to the others, and Enter before the answer is there.
    anna.press(&["ctrl-r"]).await;
    anna.wait_for("› kuch").await;
    anna.press(&["f1"]).await;
    anna.wait_for("Help (").await;
    anna.press(&["esc"]).await;
    anna.wait_for("› kuch").await;
    anna.press(&["ctrl-u"]).await;
    anna.paste("FROM:mia kitchen").await;
    anna.press(&["enter"]).await;
    anna.wait_for("To Mia Tan").await;
    anna.open("joe").await;
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
async fn what_is_sent_while_reading_far_back_is_at_the_newest_end() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "needle").await;
    for n in 0..200 {
        say_as(&joe, ANNA, &format!("filler {n:03}.")).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut anna = Runner::with(&gateway, at(dir.path())).await;
    anna.wait_for("live").await;
    anna.open("joe").await;
    anna.wait_for("filler 199.").await;
    anna.press_until("ctrl-home", "the first message", |s| s.contains("needle")).await;
    anna.open("8:mia.tan").await;
    anna.open("joe").await;
    anna.wait_for("filler 199.").await;
    anna.press(&["ctrl-f"]).await;
    anna.wait_for("Search in Joe Bloggs").await;
    anna.type_text("needle").await;
    anna.wait_for("1 found").await;
    anna.press(&["enter"]).await;
    anna.wait_for("more below").await;
    // What arrives meanwhile is not shown as a neighbour of what is read.
    say_as(&joe, ANNA, "fresh").await;
    anna.press(&["esc"]).await;
    anna.type_text("answer").await;
    assert!(!anna.screen().contains("fresh"));
    anna.press(&["enter"]).await;
    let screen =
        anna.wait_until("both at the end", |s| s.contains("fresh") && s.contains("answer")).await;
    assert!(screen.contains("filler 199."), "{screen}");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_message_can_be_taken_back_and_otherwise_leaves() {
    let gateway = Gateway::start().await;
    let setup = Setup { grace: Duration::from_secs(60), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.say("too fast").await;
    anna.wait_for("leaves in 60s · M-z takes it back").await;
    anna.press(&["alt-z"]).await;
    anna.wait_for("To Joe Bloggs › too fast").await;
    anna.wait_gone("takes it back").await;
    // Another undo must not take it away again, and Alt-Z right after Enter means what was sent just now.
    anna.press(&["alt-z"]).await;
    anna.press(&["enter"]).await;
    anna.wait_for("takes it back").await;
    anna.type_text("newer").await;
    anna.press(&["enter", "alt-z"]).await;
    // Typed after it, so that its being there says that both keys were taken.
    anna.type_text("!").await;
    let back = |s: &str| {
        s.contains("› newer") && s.contains('!') && !s.lines().any(|l| l.contains("  newer"))
    };
    let screen = anna.wait_until("the newest one back in the box", back).await;
    assert!(screen.contains("too fast"), "{screen}");
    anna.press(&["ctrl-u", "backspace", "ctrl-u"]).await;
    // Discarded at once, and not for ever.
    anna.press(&["ctrl-up", "d"]).await;
    anna.wait_gone("too fast").await;
    anna.wait_for("Discarded").await;
    anna.press(&["ctrl-y"]).await;
    anna.wait_for("To Joe Bloggs › too fast").await;
    anna.press(&["enter"]).await;
    anna.wait_for("takes it back").await;
    // Quitting says that it has not left.
    anna.press(&["ctrl-q"]).await;
    anna.wait_for("once more quits").await;
    let held = gateway.client(JOE).messages(&ConversationId::new(ANNA), 10).await;
    assert!(held.map_or(true, |page| page.items.is_empty()), "nothing has left");
    anna.quit().await;
    let setup = Setup { grace: Duration::from_secs(1), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.say("one").await;
    anna.say("two").await;
    anna.wait_until("both sent", |s| {
        s.lines().any(|l| l.contains("two") && l.trim_end().ends_with('✓'))
    })
    .await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["one", "two"]);
    // Then it is too late, and the text is not doubled into the box.
    anna.press(&["alt-z"]).await;
    let screen = anna.wait_for("To Joe Bloggs ›").await;
    assert!(!screen.contains("› two"), "{screen}");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_edited_discarded_or_sent_again_and_blocks_nobody() {
    let gateway = Gateway::start().await;
    let refused = InjectedFault::Status { code: 400, error: 201, retry_after: None };
    let mut anna =
        Runner::with(&gateway, Setup { receipts: Receipts::Never, ..Setup::default() }).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    let failing = || gateway.state.faults().add("POST", "/messages", 1, refused.clone());
    anna.paste("first try").await;
    for (turn, key) in ["e", "x"].into_iter().enumerate() {
        // The typing signal of this turn has to be through before the fault stands ready.
        gateway.until("POST", "/messages", 2 * turn + 1).await;
        failing();
        anna.press(&["enter"]).await;
        anna.wait_for("not sent: the server refused").await;
        anna.press(&["ctrl-up", key]).await;
        anna.wait_for("› first try").await;
        anna.wait_gone("not sent").await;
        anna.type_text("!").await;
    }
    gateway.until("POST", "/messages", 5).await;
    failing();
    anna.press(&["enter"]).await;
    anna.wait_for("not sent: the server refused").await;
    // A failed one does not hold up the next.
    anna.paste("second").await;
    anna.press(&["enter"]).await;
    anna.wait_until("the second one", |s| {
        s.lines().any(|l| l.contains("second") && l.trim_end().ends_with('✓'))
    })
    .await;
    anna.press(&["ctrl-up", "d"]).await;
    anna.wait_for("Discard this message? It was not sent").await;
    anna.press(&["y"]).await;
    anna.wait_gone("first try").await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["second"]);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_reading_is_shown_and_who_it_was() {
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
    anna.say("and now?").await;
    anna.wait_until("the older one keeps its mark", |s| {
        s.lines().any(|l| l.contains("who is there?") && l.ends_with("✓✓"))
            && s.lines().any(|l| l.contains("and now?") && l.ends_with(" ✓"))
    })
    .await;
    anna.press(&["ctrl-up", "up"]).await;
    anna.wait_for("read by 1").await;
    anna.press(&["v"]).await;
    let screen = anna.wait_for("read by      Joe Bloggs").await;
    assert!(screen.contains("accepted by the server"), "{screen}");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_marked_unread_from_a_message_on_and_stays_so() {
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
    // Longer than it takes to count as read.
    let polls = gateway.requests("POST", "/poll");
    gateway.until("POST", "/poll", polls + 2).await;
    assert!(anna.screen().contains("2 unread"), "{}", anna.screen());
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
async fn with_receipts_never_reading_counts_here_and_is_told_to_nobody() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "hello").await;
    let dir = tempfile::tempdir().unwrap();
    let mut anna = Runner::with(&gateway, at(dir.path())).await;
    anna.wait_for("1 unread").await;
    anna.press(&["alt-a"]).await;
    anna.wait_gone("1 unread").await;
    anna.quit().await;
    let mut anna = Runner::with(&gateway, at(dir.path())).await;
    anna.wait_for("live").await;
    assert!(!anna.screen().contains("1 unread"));
    assert_eq!(gateway.requests("PUT", "/conversations/"), 0);
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
async fn a_changed_first_message_is_no_end_of_the_history_of_its_own() {
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
    anna.press(&["alt-down"]).await;
    anna.wait_for("filler 119.").await;
    let screen = anna
        .press_until("ctrl-home", "the first message", |s| s.contains("changed (edited)"))
        .await;
    assert!(!screen.contains("in between"), "{screen}");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_here_is_not_told_to_be_read() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "old").await;
    let dir = tempfile::tempdir().unwrap();
    let setup = || Setup { dir: Some(dir.path()), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_gone("1 unread").await;
    anna.quit().await;
    for n in 0..80 {
        say_as(&joe, ANNA, &format!("missed {n:03}.")).await;
    }
    gateway.state.faults().add_after("GET", "/messages", 1, 100_000, TROUBLE);
    let told = gateway.requests("PUT", "/conversations/");
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("missed 079.").await;
    anna.press(&["esc"]).await;
    // Several times as long as it takes to count as read.
    let asked = gateway.requests("GET", "/messages");
    gateway.until("GET", "/messages", asked + 12).await;
    assert_eq!(gateway.requests("PUT", "/conversations/"), told, "{}", anna.screen());
    gateway.state.faults().clear();
    gateway.until("PUT", "/conversations/", told + 1).await;
    anna.wait_gone("unread │").await;
    anna.quit().await;
}
