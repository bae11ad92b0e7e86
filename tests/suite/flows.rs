//! The whole program driven by keys against the real gateway.

use crate::common::*;
use skchat::gateway::fault::InjectedFault;
use skchat::model::PollMode;
use skchat::model::Receipts;
use skchat::model::{ConversationId, UserId};

/// What the server holds of a conversation, oldest first.
async fn texts(gateway: &Gateway, user: &str, id: &str) -> Vec<String> {
    let page = gateway.client(user).messages(&ConversationId::new(id), 200).await.unwrap();
    page.items.iter().rev().map(|m| m.content.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_chat() {
    let gateway = Gateway::start().await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    let mut joe = Runner::start(&gateway, JOE).await;
    anna.wait_for("live").await;
    joe.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.wait_for("To Joe Bloggs").await;
    anna.say("Lunch at noon?").await;
    anna.wait_for("✓").await;
    joe.wait_for("Anna Lindqvist").await;
    joe.press(&["alt-down"]).await;
    joe.wait_for("Lunch at noon?").await;
    joe.type_text("Yes").await;
    anna.wait_for("Joe Bloggs is typing…").await;
    joe.press(&["enter"]).await;
    let screen = anna.wait_for("        Yes").await;
    assert!(!screen.contains("typing…"), "a message ends the typing line");
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["Lunch at noon?", "Yes"]);
    anna.quit().await;
    joe.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intervals_serve_where_there_is_no_long_poll() {
    let gateway = Gateway::with(false, true).await;
    let mut anna =
        Runner::with(&gateway, Setup { receipts: Receipts::Never, ..Setup::default() }).await;
    anna.wait_for("live").await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "first").await;
    anna.open("8:joe.4").await;
    anna.wait_for("first").await;
    say_as(&joe, ANNA, "second").await;
    anna.wait_for("second").await;
    // Quiet conversations cost one list request per interval and nothing else.
    let pages = gateway.requests("GET", "/messages");
    let lists = gateway.requests("GET", "/users/ME/conversations");
    gateway.until("GET", "/users/ME/conversations", lists + 4).await;
    // One page may still have been in progress; four intervals that asked for messages would be four.
    let log = gateway.state.faults().log();
    assert!(gateway.requests("GET", "/messages") <= pages + 1, "{log:#?}");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_typed_offline_leaves_once_when_the_gateway_is_back() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "before the storm").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("before the storm").await;
    let stopped = gateway.stop().await;
    anna.wait_for("offline").await;
    anna.say("into the dark").await;
    anna.wait_until("the queued mark", |s| {
        s.lines().any(|l| {
            l.contains("into the dark")
                && (l.trim_end().ends_with('·') || l.trim_end().ends_with('↑'))
        })
    })
    .await;
    let gateway = stopped.start_again().await;
    anna.wait_until("the sent mark", |s| {
        s.lines().any(|l| l.contains("into the dark") && l.trim_end().ends_with('✓'))
    })
    .await;
    anna.wait_for("live").await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["before the storm", "into the dark"]);
    assert_eq!(anna.screen().matches("into the dark").count(), 1);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_sends_nothing_twice() {
    for deduplicates in [true, false] {
        let gateway = Gateway::with(true, deduplicates).await;
        let mut anna = Runner::start(&gateway, ANNA).await;
        anna.wait_for("live").await;
        anna.open("8:joe.4").await;
        gateway.state.faults().add("POST", "/messages", 1, InjectedFault::LostAck);
        anna.press(&["alt-x", "esc"]).await;
        anna.paste("only once").await;
        anna.press(&["enter"]).await;
        anna.wait_until("the sent mark", |s| {
            s.lines().any(|l| l.contains("only once") && l.trim_end().ends_with('✓'))
        })
        .await;
        anna.say("and then").await;
        anna.wait_until("the second one", |s| {
            s.lines().any(|l| l.contains("and then") && l.trim_end().ends_with('✓'))
        })
        .await;
        assert_eq!(
            texts(&gateway, ANNA, JOE).await,
            ["only once", "and then"],
            "deduplicates: {deduplicates}"
        );
        anna.quit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn toggles_change_the_group_and_a_refusal_is_shown_with_its_reason() {
    let gateway = Gateway::start().await;
    let id = group(&gateway, "Kitchen crew").await;
    let mut anna = Runner::with(&gateway, Setup { size: (120, 40), ..Setup::default() }).await;
    let wide = Setup { size: (120, 40), user: JOE, ..Setup::default() };
    let mut joe = Runner::with(&gateway, wide).await;
    // The pane at the right shows them.
    let shows = |link: &'static str, history: &'static str| {
        move |screen: &str| {
            let row = |name: &str, value: &str| {
                screen.lines().any(|line| line.contains(name) && line.trim_end().ends_with(value))
            };
            row("Join link", link) && row("History", history)
        }
    };
    anna.wait_for("live").await;
    joe.wait_for("live").await;
    anna.open("kitchen").await;
    anna.wait_until("link off", shows("off", "visible")).await;
    joe.open("kitchen").await;
    joe.wait_until("link off", shows("off", "visible")).await;
    anna.press(&["alt-j", "y"]).await;
    anna.wait_until("link on", shows("on", "visible")).await;
    joe.wait_until("link on", shows("on", "visible")).await;
    joe.wait_for("Anna Lindqvist turned joining by link on").await;
    anna.press(&["ctrl-x", "h", "y"]).await;
    joe.wait_until("history off", shows("on", "hidden")).await;
    joe.press(&["alt-h", "y"]).await;
    joe.wait_for("history stays off: not allowed").await;
    joe.wait_until("history off", shows("on", "hidden")).await;
    let thread = gateway.client(ANNA).thread(&ConversationId::new(&id)).await.unwrap();
    assert_eq!(thread.settings.flags.get(&skchat::model::ThreadFlag::JoiningEnabled), Some(&true));
    assert_eq!(
        thread.settings.flags.get(&skchat::model::ThreadFlag::HistoryDisclosed),
        Some(&false)
    );
    joe.type_text("/link off").await;
    joe.press(&["enter"]).await;
    joe.wait_for("link stays on: not allowed").await;
    anna.quit().await;
    joe.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_messages_are_edited_deleted_and_reacted_to() {
    let gateway = Gateway::start().await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    let mut joe = Runner::start(&gateway, JOE).await;
    anna.wait_for("live").await;
    joe.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.say("teh plan").await;
    anna.wait_for("✓").await;
    joe.wait_for("Anna Lindqvist").await;
    joe.press(&["alt-down"]).await;
    joe.wait_for("teh plan").await;
    anna.press(&["up", "e"]).await;
    anna.wait_for("editing: teh plan").await;
    anna.press(&["ctrl-u"]).await;
    anna.say("the plan").await;
    anna.wait_for("the plan (edited)").await;
    joe.wait_for("the plan (edited)").await;
    joe.press(&["up", "+"]).await;
    joe.wait_for("React").await;
    joe.press(&["2"]).await;
    anna.wait_for("❤\u{fe0f} 1").await;
    // Only the sender can edit or delete.
    joe.press(&["up", "e"]).await;
    joe.wait_for("Only your own messages can be edited").await;
    joe.press(&["esc"]).await;
    anna.press(&["up", "d"]).await;
    anna.wait_for("Delete this message for everyone?").await;
    anna.press(&["y"]).await;
    anna.wait_for("— message removed —").await;
    joe.wait_for("— message removed —").await;
    anna.quit().await;
    joe.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_carries_a_quote_and_a_copy_reaches_the_clipboard() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "Where is the <key>?").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("Where is the <key>?").await;
    anna.wait_for("To Joe Bloggs").await;
    anna.press(&["up", "y"]).await;
    anna.wait_for("Sent to the terminal: 19 characters").await;
    anna.press(&["r"]).await;
    anna.wait_for("↳").await;
    assert_eq!(anna.copied(), ["Where is the <key>?"]);
    anna.wait_for("replying to Joe Bloggs: Where is the <key>?").await;
    anna.say("Under the mat").await;
    anna.wait_for("┃ Joe Bloggs: Where is the <key>?").await;
    anna.wait_for("✓").await;
    let stored = texts(&gateway, JOE, ANNA).await;
    assert!(
        stored[1].starts_with("<quote author=\"joe.4\" authorname=\"Joe Bloggs\""),
        "{stored:?}"
    );
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_loaded_page_by_page_and_nothing_moves_while_reading() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    for i in 0..230 {
        say_as(&joe, ANNA, &format!("line number {i:03}.")).await;
    }
    let mut anna =
        Runner::with(&gateway, Setup { receipts: Receipts::Never, ..Setup::default() }).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for(" new ═").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("line number 229.").await;
    for _ in 0..40 {
        anna.press(&["ctrl-home"]).await;
        let before = anna.screen();
        if before.contains("line number 000.") {
            break;
        }
        anna.wait_until("the view to move up", |s| s != before).await;
    }
    anna.wait_for("line number 000.").await;
    anna.press(&["pagedown"]).await;
    let reading = anna.wait_gone("line number 000.").await;
    let first = reading.lines().find(|l| l.contains("line number")).unwrap().to_owned();
    say_as(&joe, ANNA, "news from below").await;
    let after = anna.wait_until("one more below", |s| s.contains("↓ ") && s != reading).await;
    assert_eq!(after.lines().find(|l| l.contains("line number")).unwrap(), first);
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("news from below").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_larger_than_a_page_that_came_while_away_is_complete() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "old").await;
    let dir = tempfile::tempdir().unwrap();
    let setup = || Setup { dir: Some(dir.path()), size: (80, 200), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("old").await;
    anna.quit().await;
    for i in 0..130 {
        say_as(&joe, ANNA, &format!("missed {i:03}.")).await;
    }
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("missed 129.").await;
    let screen = anna.wait_for("missed 000.").await;
    for i in 0..130 {
        assert!(screen.contains(&format!("missed {i:03}.")), "{i} is missing");
    }
    assert!(screen.contains("old"));
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_registration_was_gone_is_repaired() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "one").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("one").await;
    gateway.state.forget_endpoints();
    say_as(&joe, ANNA, "two").await;
    anna.wait_for("two").await;
    say_as(&joe, ANNA, "three").await;
    anna.wait_for("three").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seeing_the_end_of_a_chat_clears_its_badge_and_tells_the_server() {
    let gateway = Gateway::start().await;
    let last = say_as(&gateway.client(JOE), ANNA, "hello").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("1 unread").await;
    anna.press(&["alt-a"]).await;
    anna.wait_for("1 new").await;
    anna.wait_gone("1 unread").await;
    let told = tokio::time::timeout(PATIENCE, async {
        loop {
            let raw = gateway.client(ANNA).conversation(&ConversationId::new(JOE)).await.unwrap();
            if raw.json.contains(&format!("\"consumptionhorizon\":\"{last};")) {
                return;
            }
        }
    });
    told.await.expect("the read marker reaches the server");
    anna.press(&["alt-a"]).await;
    anna.wait_for("No unread messages").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_are_reported_and_change_nothing() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "still here").await;
    let dir = tempfile::tempdir().unwrap();
    let setup = || Setup { dir: Some(dir.path()), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("still here").await;
    anna.quit().await;
    let cases = [
        (InjectedFault::Html, "web page"),
        (InjectedFault::BrokenJson, "not JSON"),
        (InjectedFault::ErrorInside, "does not know"),
        (InjectedFault::Status { code: 503, error: 0, retry_after: None }, "is having problems"),
        (
            InjectedFault::Status { code: 429, error: 800, retry_after: Some(60) },
            "asked for a pause",
        ),
        (InjectedFault::Redirect("http://127.0.0.1:9/evil".into()), "the server redirects to"),
    ];
    for (fault, told) in cases {
        gateway.state.faults().add("GET", "/users/ME/conversations", 1000, fault.clone());
        let mut anna = Runner::with(&gateway, setup()).await;
        let screen = anna.wait_for(told).await;
        let is_offline = screen.contains("offline") || screen.contains("asked for a pause");
        assert!(is_offline, "{fault:?}\n{screen}");
        anna.wait_for("still here").await;
        anna.quit().await;
        gateway.state.faults().clear();
    }
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("live").await;
    anna.wait_for("still here").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_is_reported_as_such_and_f5_tries_again() {
    let gateway = Gateway::start().await;
    gateway.state.faults().add(
        "POST",
        "/endpoints",
        2,
        InjectedFault::Status { code: 401, error: 911, retry_after: None },
    );
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("signed out").await;
    gateway.state.faults().clear();
    anna.press(&["f5"]).await;
    anna.wait_for("live").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_stay_with_their_chat_and_survive_a_restart() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "hi from joe").await;
    say_as(&gateway.client(MIA), ANNA, "hi from mia").await;
    let dir = tempfile::tempdir().unwrap();
    let setup = || Setup { dir: Some(dir.path()), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("live").await;
    anna.open("joe").await;
    anna.wait_for("hi from joe").await;
    anna.type_text("half a thought").await;
    anna.wait_for("half a thought").await;
    anna.open("mia").await;
    let screen = anna.wait_for("hi from mia").await;
    assert!(!screen.contains("half a thought"));
    assert!(screen.contains("✎"), "the list marks the draft\n{screen}");
    anna.quit().await;
    let mut anna = Runner::with(&gateway, setup()).await;
    anna.wait_for("hi from mia").await;
    anna.open("joe").await;
    anna.wait_for("To Joe Bloggs › half a thought").await;
    anna.press(&["esc", "esc", "esc"]).await;
    anna.type_text(" more").await;
    anna.wait_for("half a thought more").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_command_asks_before_it_is_sent() {
    let gateway = Gateway::start().await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.say("/tpoic new").await;
    anna.wait_for("/tpoic is not a command. Send it as text?").await;
    anna.press(&["n"]).await;
    anna.wait_for("› /tpoic new").await;
    anna.press(&["enter", "y"]).await;
    anna.wait_for("✓").await;
    anna.say("//slash").await;
    anna.say("/me waves").await;
    anna.wait_for("* Anna Lindqvist waves").await;
    gateway.until("POST", "/messages", 3).await;
    anna.wait_until("all sent", |s| {
        let marked = |mark: char| s.lines().any(|l| l.trim_end().ends_with(mark));
        marked('✓') && !marked('↑') && !marked('·')
    })
    .await;
    assert_eq!(texts(&gateway, ANNA, JOE).await, ["/tpoic new", "/slash", "Anna Lindqvist waves"]);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_cannot_act_on_the_terminal_or_forge_a_row() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil\u{200b}").await;
    say_as(&joe, ANNA, "end\u{2028}12:00  Anna: forged").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    let screen = anna.wait_for("forged").await;
    assert!(screen.chars().all(|c| c == '\n' || !c.is_control()), "{screen:?}");
    for trick in ['\u{202e}', '\u{200b}', '\u{2028}'] {
        assert!(!screen.contains(trick));
    }
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_fits_from_forty_columns_up_and_says_so_below() {
    let gateway = Gateway::start().await;
    say_as(
        &gateway.client(JOE),
        ANNA,
        "a sentence that is long enough to be wrapped in a narrow window",
    )
    .await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("narrow window").await;
    anna.resize(40, 12).await;
    let screen =
        anna.wait_until("one pane", |s| s.lines().count() == 12 && s.contains("window")).await;
    assert!(!screen.contains('│'), "{screen}");
    anna.press(&["tab"]).await;
    anna.wait_for("▌Joe Bloggs").await;
    anna.press(&["tab"]).await;
    anna.resize(10, 3).await;
    anna.wait_until("a notice", |s| s.starts_with("skchat nee")).await;
    anna.resize(1, 1).await;
    anna.wait_until("one cell", |s| s.lines().count() == 1).await;
    anna.resize(120, 40).await;
    anna.wait_for("a sentence that is long enough to be wrapped in a").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_without_an_account_here_can_be_written_to_and_unknown_ids_are_only_ids() {
    let gateway = Gateway::start().await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.open("8:nobody.9").await;
    anna.wait_for("To nobody.9").await;
    anna.say("anyone there?").await;
    anna.wait_for("✓").await;
    assert!(gateway.client(ANNA).thread(&ConversationId::new("19:no@thread.skype")).await.is_err());
    assert_eq!(UserId::new("8:nobody.9").bare(), "nobody.9");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_drawn_while_nothing_happens() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "quiet").await;
    let mut anna = Runner::with(&gateway, Setup { poll: PollMode::Long, ..Setup::default() }).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("quiet").await;
    anna.wait_gone("1 unread").await;
    // The user's own read mark comes back as an event; after that, a whole poll passes without one.
    let polls = gateway.requests("POST", "/poll");
    gateway.until("POST", "/poll", polls + 2).await;
    let frames = anna.frames.load(std::sync::atomic::Ordering::SeqCst);
    let polls = gateway.requests("POST", "/poll");
    gateway.until("POST", "/poll", polls + 1).await;
    assert_eq!(anna.frames.load(std::sync::atomic::Ordering::SeqCst), frames);
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_messages_are_copied_and_the_bare_view_shows_only_text() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    for text in ["one", "two", "three"] {
        say_as(&joe, ANNA, text).await;
    }
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("three").await;
    anna.wait_for("To Joe Bloggs").await;
    anna.press(&["ctrl-up", "shift-up", "y"]).await;
    anna.wait_for("Sent to the terminal: 2 messages, 9 characters").await;
    assert_eq!(anna.copied(), ["two\nthree"]);
    anna.press(&["shift-up", "shift-down", "shift-down", "y"]).await;
    anna.wait_for("Sent to the terminal: 5 characters").await;
    anna.press(&["esc", "alt-l"]).await;
    let screen = anna.wait_gone("To Joe Bloggs").await;
    assert!(screen.contains("\none\ntwo\nthree\n"), "{screen}");
    assert!(!screen.contains('│') && !screen.contains('─'), "{screen}");
    anna.type_text("x").await;
    anna.wait_for("To Joe Bloggs › x").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_taller_than_the_screen_is_read_by_selecting() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "before").await;
    let tall: Vec<String> = (1..=60).map(|n| format!("line {n}.")).collect();
    say_as(&joe, ANNA, &tall.join("\n")).await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    // It opens at its beginning, because it is new.
    anna.wait_for("line 3.").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("line 60.").await;
    anna.press(&["ctrl-up"]).await;
    for _ in 0..40 {
        anna.press(&["up"]).await;
    }
    // When reading back, the header says which day it is.
    let screen = anna.wait_for("line 3.").await;
    assert!(screen.contains(" · Today"), "{screen}");
    for _ in 0..5 {
        anna.press(&["up"]).await;
    }
    anna.wait_for("before").await;
    for _ in 0..70 {
        anna.press(&["down"]).await;
    }
    anna.wait_for("line 60.").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_editor_gives_its_text_to_the_chat_it_was_opened_in() {
    let gateway = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let script = "printf 'b\\r\\033[31m\\n' >> \"$0\"";
    let editor = ["sh", "-c", script];
    let setup = Setup { dir: Some(dir.path()), editor: &editor, ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup).await;
    anna.wait_for("live").await;
    anna.open("8:joe.4").await;
    anna.type_text("a").await;
    anna.press(&["alt-e"]).await;
    anna.wait_for("To Joe Bloggs › ab[31m").await;
    anna.quit().await;
    let broken = ["no-such-editor"];
    let setup = Setup { dir: Some(dir.path()), editor: &broken, ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup).await;
    anna.wait_for("✎").await;
    anna.open("8:joe.4").await;
    anna.wait_for("ab[31m").await;
    anna.press(&["alt-e"]).await;
    anna.wait_for("not edited: no-such-editor cannot be started").await;
    anna.wait_for("ab[31m").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_markers_and_names_go_out_as_tags_after_a_look_at_them() {
    let (gateway, crew, mut anna) = crew().await;
    anna.type_text("*now* @mi").await;
    anna.press(&["tab"]).await;
    anna.wait_for("@Mia Tan").await;
    anna.press(&["alt-p"]).await;
    let screen = anna.wait_for("Preview").await;
    assert!(screen.contains("now Mia Tan"), "{screen}");
    anna.type_text("please").await;
    anna.wait_for("now Mia Tan please").await;
    anna.press(&["enter"]).await;
    anna.wait_for("✓").await;
    anna.wait_gone("Preview").await;
    let sent = texts(&gateway, ANNA, &crew).await;
    assert_eq!(
        sent.last().unwrap(),
        "<b raw_pre=\"*\" raw_post=\"*\">now</b> <at id=\"8:mia.tan\">Mia Tan</at> please"
    );
    let mut mia = Runner::start(&gateway, MIA).await;
    mia.wait_for("@1").await;
    anna.quit().await;
    mia.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn editing_keeps_what_cannot_be_typed() {
    let gateway = Gateway::start().await;
    let anna_client = gateway.client(ANNA);
    let rich = "<font color=\"#ff0000\">red</font> and <u>under</u> <ss type=\"smile\">:)</ss>";
    send_raw(&anna_client, JOE, "RichText", rich).await;
    let quoting = "<quote author=\"joe.4\" authorname=\"Joe\" timestamp=\"1600000000\" messageid=\"1600000000000\">\
                   <legacyquote>[1600000000] Joe: </legacyquote>who?<legacyquote>\r\n\r\n&lt;&lt;&lt; </legacyquote>\
                   </quote>me *not bold*".replace('*', "");
    send_raw(&anna_client, JOE, "RichText", &quoting).await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("me not bold").await;
    // The quote stays with the reply that is edited.
    anna.press(&["ctrl-up", "e"]).await;
    anna.wait_for("editing: me not bold").await;
    anna.type_text("!").await;
    anna.press(&["enter"]).await;
    anna.wait_for("me not bold! (edited)").await;
    // Colours and the like are edited as they are on the wire.
    anna.press(&["ctrl-up", "up", "e"]).await;
    anna.wait_for("editing the markup").await;
    anna.type_text(" <b>more</b>").await;
    anna.press(&["enter"]).await;
    anna.wait_for("red and under 🙂 more (edited)").await;
    let sent = texts(&gateway, ANNA, JOE).await;
    assert_eq!(sent[0], format!("{rich} <b>more</b>"));
    assert_eq!(sent[1], format!("{quoting}!"));
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_leads_to_its_message_far_back_and_the_inspector_shows_everything() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    let first = say_as(&joe, ANNA, "the very first").await;
    for n in 0..180 {
        say_as(&joe, ANNA, &format!("filler {n}")).await;
    }
    let quote = format!(
        "<quote author=\"joe.4\" authorname=\"Joe\" timestamp=\"{}\" messageid=\"{first}\">the very first</quote>really?",
        first.parse::<u64>().unwrap() / 1000
    );
    send_raw(&joe, ANNA, "RichText", &quote).await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for(" new ═").await;
    anna.press(&["ctrl-end"]).await;
    anna.wait_for("really?").await;
    anna.press(&["ctrl-up", "g"]).await;
    anna.wait_until("the quoted message, selected", |s| {
        s.contains("filler 0") && s.lines().any(|l| l.contains('▌') && l.contains("the very first"))
    })
    .await;
    anna.press(&["v"]).await;
    let screen = anna.wait_for("8:joe.4)").await;
    assert!(screen.contains(&first) && screen.contains("client id"), "{screen}");
    assert!(screen.contains("\"contenttype\":\"text\""), "{screen}");
    anna.press(&["esc"]).await;
    anna.wait_gone("client id").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_marks_are_given_when_one_answers_or_says_so() {
    for (receipts, by_answer) in [(Receipts::OnReply, true), (Receipts::Manual, false)] {
        let gateway = Gateway::start().await;
        let joe = gateway.client(JOE);
        say_as(&joe, ANNA, "are you there?").await;
        let mut anna = Runner::with(&gateway, Setup { receipts, ..Setup::default() }).await;
        anna.wait_for("live").await;
        anna.press(&["alt-down"]).await;
        anna.wait_for("are you there?").await;
        anna.wait_for("1 unread").await;
        let told = || gateway.requests("PUT", "/conversations/");
        assert_eq!(told(), 0, "looking at it tells nothing");
        if by_answer {
            anna.say("yes").await;
        } else {
            anna.press(&["ctrl-x", "r"]).await;
        }
        anna.wait_gone("1 unread").await;
        gateway.until("PUT", "/conversations/", 1).await;
        let raw = gateway.client(ANNA).conversation(&ConversationId::new(JOE)).await.unwrap().json;
        assert!(raw.contains("consumptionhorizon"), "{raw}");
        anna.quit().await;
    }
}
