//! Conversation settings and groups against the real gateway: what must agree with the server and with other users.
//! What keys and answers do to the screen is tested in `src/app/tests/groups.rs`.

use crate::common::*;
use skchat::model::{ConversationId, Role, ThreadFlag, UserId};

/// A row of the settings: its label, and something in it.
fn row(screen: &str, label: &str, value: &str) -> bool {
    screen.lines().any(|line| line.contains(label) && line.contains(value))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_changed_from_the_screen_and_the_server_holds_it() {
    let (gateway, crew, mut anna) = crew().await;
    let id = ConversationId::new(&crew);
    let server = gateway.client(ANNA);
    anna.press(&["alt-i"]).await;
    let screen = anna.wait_for("Chat settings ─ Kitchen crew").await;
    for label in [
        "Topic",
        "Joining by link",
        "Join URL",
        "History for new members",
        "Members",
        "Alerts",
        "Created by",
    ] {
        assert!(screen.contains(label), "{label} is missing in\n{screen}");
    }
    anna.wait_for("You are an admin.").await;
    anna.press(&["l", "y"]).await;
    anna.wait_until("joining on", |s| {
        row(s, "Joining by link", "[x] on") && s.contains("link saved")
    })
    .await;
    anna.wait_until("the address", |s| row(s, "Join URL", "/join/")).await;
    anna.press(&["h", "y"]).await;
    anna.wait_until("history hidden", |s| {
        row(s, "History for new members", "[ ] hidden") && !s.contains("saving")
    })
    .await;
    anna.press(&["n"]).await;
    anna.wait_until("muted", |s| row(s, "Alerts", "[ ] off") && s.contains("alerts saved")).await;
    anna.press(&["p"]).await;
    anna.wait_until("pinned", |s| row(s, "Pinned", "[x] yes") && s.contains("pin saved")).await;
    anna.press(&["t"]).await;
    anna.wait_for("Everyone in the group sees it").await;
    anna.press(&["ctrl-u"]).await;
    anna.type_text("Oven <day> & more").await;
    anna.press(&["enter"]).await;
    anna.wait_until("the topic", |s| {
        row(s, "Topic", "Oven <day> & more") && s.contains("topic saved")
    })
    .await;
    let thread = server.thread(&id).await.unwrap().settings;
    assert_eq!(thread.topic.as_deref(), Some("Oven <day> & more"));
    let flags = [(ThreadFlag::JoiningEnabled, true), (ThreadFlag::HistoryDisclosed, false)];
    assert_eq!(thread.flags, flags.into());
    let raw = server.conversation(&id).await.unwrap().json;
    assert!(raw.contains("\"alerts\":\"false\"") && raw.contains("\"favorite\":\"true\""), "{raw}");
    // The address: copied, and as a code.
    anna.press(&["u"]).await;
    anna.wait_for("█▀▀▀▀▀█").await;
    assert!(anna.wait_copied().await.contains("/join/"));
    anna.press(&["esc"]).await;
    anna.wait_for("Chat settings").await;
    anna.press(&["esc"]).await;
    anna.wait_for("set the topic to \"Oven <day> & more\"").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_changing_the_same_thing_end_at_the_servers_word() {
    let (gateway, crew, mut anna) = crew().await;
    let id = ConversationId::new(&crew);
    gateway.client(ANNA).put_member(&id, &UserId::new(JOE), Role::Admin).await.unwrap();
    let mut joe = Runner::start(&gateway, JOE).await;
    joe.wait_for("live").await;
    joe.open("Kitchen").await;
    joe.wait_for("3 members").await;
    for _ in 0..3 {
        anna.press(&["alt-j", "y"]).await;
        joe.press(&["alt-j", "y", "alt-h", "y"]).await;
        anna.press(&["alt-h", "y"]).await;
    }
    anna.press(&["alt-i"]).await;
    joe.press(&["alt-i"]).await;
    anna.wait_until("rest", |s| s.contains("Chat settings") && !s.contains("saving")).await;
    joe.wait_until("rest", |s| s.contains("Chat settings") && !s.contains("saving")).await;
    // The final state, set by a third party, is shown on both screens.
    let server = gateway.client(ANNA);
    for on in [true, false, true] {
        server.set_flag(&id, ThreadFlag::JoiningEnabled, on).await.unwrap();
    }
    server.set_topic(&id, "Third hand").await.unwrap();
    for runner in [&mut anna, &mut joe] {
        runner
            .wait_until("the server's state", |s| {
                row(s, "Joining by link", "[x] on") && row(s, "Topic", "Third hand")
            })
            .await;
        runner.press(&["esc"]).await;
        runner.wait_for("▌Third hand").await;
        runner.wait_for("link on").await;
    }
    anna.quit().await;
    joe.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_added_promoted_and_removed_several_at_a_time() {
    let (gateway, crew, mut anna) = crew().await;
    let id = ConversationId::new(&crew);
    anna.press(&["ctrl-x", "a"]).await;
    anna.wait_for("Add members").await;
    anna.paste("8:one.1, 8:two.2").await;
    anna.wait_for("8:two.2").await;
    anna.press(&["tab", "down", "tab", "tab"]).await;
    anna.wait_until("both picked", |s| s.contains("[x]") && s.contains("[A]")).await;
    anna.press(&["enter"]).await;
    anna.wait_for("You added two.2").await;
    anna.press(&["ctrl-x", "m"]).await;
    anna.wait_until("both are in", |s| {
        s.contains("Members of Kitchen crew")
            && row(s, "8:one.1", "user")
            && row(s, "8:two.2", "admin")
    })
    .await;
    // Admins first: Anna, then two.2. Joe becomes one, and is shown in full.
    anna.press(&["down", "down", "enter"]).await;
    let screen = anna.wait_for("o role · y or Enter copies the id").await;
    for field in ["id", "role", "cid", "userLink"] {
        assert!(row(&screen, field, ""), "{field} is missing in\n{screen}");
    }
    anna.press(&["esc"]).await;
    anna.wait_for("Members of").await;
    anna.press(&["esc"]).await;
    anna.wait_gone("Members of").await;
    anna.say("/role Joe admin").await;
    anna.wait_for("You made Joe Bloggs an admin").await;
    anna.say("/kick 8:one.1 8:two.2").await;
    anna.wait_for("Remove 2 people from the group?").await;
    anna.press(&["y"]).await;
    anna.wait_for("You removed two.2").await;
    anna.say("/add 8:zed.9").await;
    anna.wait_for("You added zed.9").await;
    let members = gateway.client(ANNA).thread(&id).await.unwrap().members;
    let joe = members.iter().find(|m| m.id.as_str() == JOE).unwrap();
    assert_eq!((members.len(), joe.role), (4, Role::Admin));
    anna.say("/members").await;
    anna.wait_for("Members of Kitchen crew").await;
    anna.press(&["enter", "x"]).await;
    anna.wait_for("Leave Kitchen crew?").await;
    anna.press(&["n"]).await;
    anna.wait_gone("Leave Kitchen crew?").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_created_and_opened_left_and_joined_again_by_its_link() {
    let gateway = Gateway::start().await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["ctrl-x", "g"]).await;
    anna.wait_for("Topic (optional)").await;
    anna.type_text("Garden").await;
    anna.press(&["enter"]).await;
    anna.wait_for("choose members").await;
    anna.type_text("8:joe.4").await;
    anna.wait_for("[ ]").await;
    anna.press(&["enter"]).await;
    anna.wait_for("To Garden").await;
    anna.wait_for("2 members").await;
    anna.say("/link on").await;
    anna.wait_for("link on").await;
    anna.press(&["ctrl-x", "u"]).await;
    let url = anna.wait_copied().await;
    let mut mia = Runner::start(&gateway, MIA).await;
    mia.wait_for("live").await;
    mia.press(&["ctrl-x", "l"]).await;
    mia.wait_for("A join URL such as").await;
    mia.paste(&url).await;
    mia.press(&["enter"]).await;
    mia.wait_for("Its members will see that you joined").await;
    mia.press(&["enter"]).await;
    mia.wait_for("To Garden").await;
    mia.wait_for("3 members").await;
    anna.wait_for("Mia Tan joined").await;
    mia.press(&["ctrl-x", "q"]).await;
    mia.wait_for("Leave Garden?").await;
    mia.press(&["y"]).await;
    mia.wait_for("no longer a member").await;
    anna.wait_for("Mia Tan left").await;
    // A closed link says so.
    anna.say("/link off").await;
    anna.wait_for("You turned joining by link off").await;
    mia.press(&["ctrl-x", "l"]).await;
    mia.wait_for("A join URL such as").await;
    mia.paste(&url).await;
    mia.press(&["enter"]).await;
    mia.wait_for("This link is not valid").await;
    anna.quit().await;
    mia.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_history_is_gone_for_this_account_only() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "old words").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("old words").await;
    anna.press(&["alt-i"]).await;
    let screen = anna.wait_for("Chat settings").await;
    assert!(!screen.contains("Topic") && screen.contains("Alerts"), "only what applies: {screen}");
    anna.press(&["d"]).await;
    anna.wait_for("For your account only").await;
    anna.press(&["y"]).await;
    anna.wait_gone("old words").await;
    say_as(&joe, ANNA, "new words").await;
    anna.wait_for("new words").await;
    let page = joe.messages(&ConversationId::new(ANNA), 50).await.unwrap();
    assert_eq!(page.items.len(), 2, "the other side keeps everything");
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_services_are_named_and_a_topic_that_is_too_long_is_refused() {
    let gateway = Gateway::start().await;
    let crew = group(&gateway, "Kitchen crew").await;
    let mut options = gateway.options(ANNA);
    options.scheduler = None;
    options.join = None;
    let mut anna = Runner::launch(options, &Setup::default());
    anna.wait_for("live").await;
    anna.open("Kitchen").await;
    anna.wait_for("3 members").await;
    gateway
        .client(ANNA)
        .set_flag(&ConversationId::new(&crew), ThreadFlag::JoiningEnabled, true)
        .await
        .unwrap();
    anna.wait_for("link on").await;
    anna.press(&["alt-i"]).await;
    anna.wait_until("a clear line", |s| row(s, "Join URL", "join URLs need scheduler")).await;
    anna.press(&["esc"]).await;
    anna.say("/join https://join.example/x").await;
    anna.wait_for("joining by URL needs join").await;
    anna.press(&["alt-t"]).await;
    anna.wait_for("Everyone in the group").await;
    anna.paste(&"x".repeat(11_000)).await;
    anna.press(&["enter"]).await;
    anna.wait_for("topic: ").await;
    anna.wait_for("▌Kitchen crew").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_chat_that_is_opened_again_has_its_history_and_old_copies_are_gone() {
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "the soup is ready").await;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("store.db.v3");
    std::fs::write(&copy, "a copy with the soup").unwrap();
    let mut anna =
        Runner::with(&gateway, Setup { dir: Some(dir.path()), ..Setup::default() }).await;
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.wait_for("the soup is ready").await;
    anna.wait_for("To Joe Bloggs").await;
    anna.press(&["ctrl-x", "A"]).await;
    anna.wait_for("Put away").await;
    anna.open(JOE).await;
    anna.press(&["ctrl-x", "F"]).await;
    let question = anna.wait_for("Forget Joe Bloggs?").await;
    assert!(question.contains("store.db.v3"), "{question}");
    anna.press(&["y"]).await;
    anna.wait_until("forgotten", |s| s.contains("Forgotten") && !s.contains("soup")).await;
    assert!(!copy.exists());
    anna.open(JOE).await;
    anna.wait_for("the soup is ready").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_group_stays_away_over_a_new_connection_until_one_is_added_again() {
    let (gateway, crew, mut anna) = crew().await;
    let id = ConversationId::new(&crew);
    let server = gateway.client(ANNA);
    server.put_member(&id, &UserId::new(JOE), Role::Admin).await.unwrap();
    anna.press(&["ctrl-x", "q", "y"]).await;
    anna.wait_for("no longer a member").await;
    anna.press(&["ctrl-x", "F"]).await;
    anna.wait_for("Forget Kitchen crew?").await;
    anna.press(&["y"]).await;
    anna.wait_until("forgotten", |s| s.contains("Forgotten") && !s.contains("Kitchen crew")).await;
    // The whole list is read again.
    gateway.state.forget_endpoints();
    say_as(&gateway.client(JOE), ANNA, "are you there?").await;
    let screen = anna.wait_for("Joe Bloggs").await;
    assert!(!screen.contains("Kitchen crew"), "{screen}");
    let joe = gateway.client(JOE);
    joe.put_member(&id, &UserId::new(ANNA), Role::User).await.unwrap();
    say_as(&joe, &crew, "welcome back").await;
    anna.wait_for("Kitchen crew").await;
    anna.quit().await;
}
