//! Settings and members of a conversation: the requests to the server, and what its answers change on the screen.

use crate::fixture::{App, chat, person};
use crate::model::{
    ChatAccess, Delta, Fault, FaultKind, Member, Message, MessageBody, Request, Response, Role,
    SafeText, ThreadActivity, ThreadChange, ThreadFlag,
};

fn refused() -> Response {
    Response::Done(Err(Fault::new(FaultKind::NotAllowed, "not allowed (403)")))
}

fn saved() -> Response {
    Response::Done(Ok(()))
}

/// The changes requested from the server since the last call.
fn changes(app: &mut App) -> Vec<ThreadChange> {
    let changes = app.requests().into_iter().filter_map(|request| match request {
        Request::Thread { change, .. } => Some(change),
        _ => None,
    });
    changes.collect()
}

/// Announces that someone else has changed the topic of the open group.
fn topic_becomes(app: &mut App, topic: &str) {
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Topic { conversation, topic: SafeText::line(topic) });
    app.layout();
}

#[test]
fn a_refused_flag_goes_back_with_the_servers_reason() {
    for (key, label, before, word) in [
        ("l", "Joining by link", "[ ] off", "link"),
        ("h", "History for new members", "[x] visible", "history"),
        ("n", "Alerts", "[x] on", "alerts"),
        ("p", "Pinned", "[ ] no", "pin"),
    ] {
        let mut app = chat("Team").opened();
        let is_shared = matches!(key, "l" | "h");
        let change = |app: &mut App| {
            app.press(key);
            if is_shared {
                app.press("y");
            }
        };
        app.press("alt-i");
        change(&mut app);
        app.expect_row(label, "saving ↑");
        app.answer(refused());
        app.expect_row(label, before);
        app.expect(&format!("{word} refused: not allowed (403)"));
        change(&mut app);
        app.answer(saved());
        app.expect(&format!("{word} saved"));
        assert!(!app.has_row(label, before), "{}", app.screen());
    }
}

#[test]
fn a_refused_topic_goes_back_and_a_refused_leaving_leaves_nobody_out() {
    let mut app = chat("Team").opened();
    app.press("alt-i t");
    app.type_text("!!");
    app.press("enter");
    app.expect_row("Topic", "Team!!");
    app.answer(refused());
    app.expect("topic refused");
    app.expect_row("Topic", "Team ");
    for key in ["q", "d"] {
        app.press(key);
        app.expect("─ y: yes · n or Esc: no");
        app.press("y");
        app.answer(refused());
        app.expect("not allowed (403)");
        app.expect("Chat settings");
    }
    app.expect_none("no longer a member");
}

#[test]
fn a_non_admin_sees_grey_rows_and_who_is_allowed() {
    let mut app = chat("Team").members(&[("anna", Role::User), ("joe", Role::Admin)]).opened();
    app.press("alt-i");
    app.expect("You are not an admin: only admins can change the dimmed rows.");
    app.press("l");
    app.expect("Joining by link: only admins can change this");
    app.press("m enter o");
    app.expect("Cannot change the role: only admins can change this");
    assert_eq!(changes(&mut app), [], "nothing was asked of the server");
    // The direct key sends the request, and the server's answer decides.
    app.press("esc esc esc alt-j y");
    assert_eq!(changes(&mut app), [ThreadChange::Flag(ThreadFlag::JoiningEnabled, true)]);
}

#[test]
fn a_refusal_says_who_is_allowed_if_the_role_explains_it() {
    let mut app = chat("Team").members(&[("anna", Role::User), ("joe", Role::Admin)]).opened();
    app.press("alt-j y");
    app.answer(refused());
    app.expect("link stays off: not allowed (403); only admins can change this");
}

#[test]
fn a_topic_that_someone_else_changed_meanwhile_is_not_taken_back_unasked() {
    let mut app = chat("Team").opened();
    app.press("alt-t");
    topic_becomes(&mut app, "Theirs");
    // Nothing was typed: the other person's topic stays.
    app.press("enter");
    assert_eq!(changes(&mut app), []);
    app.expect_none("Everyone in the group");
    app.press("alt-t");
    app.expect("› Theirs");
    topic_becomes(&mut app, "Newer");
    app.type_text("!");
    app.press("enter");
    app.expect("Someone else has changed the topic");
    assert_eq!(changes(&mut app), []);
    app.press("y");
    assert_eq!(changes(&mut app), [ThreadChange::Topic("Theirs!".into())]);
}

#[test]
fn changing_your_own_role_asks_first() {
    let mut app = chat("Team").opened();
    app.press("ctrl-x m enter o");
    app.expect("Give up your admin role?");
    app.press("n esc");
    app.expect("Members of Team");
    assert_eq!(changes(&mut app), []);
    // All three picked: the others become admins, and the user stays one.
    app.press("tab tab tab enter o");
    app.expect("Make 2 people admins?");
    assert_eq!(changes(&mut app), []);
    app.press("y");
    let asked = changes(&mut app);
    let admin = |name: &str| ThreadChange::Member(person(name), Role::Admin);
    assert_eq!(asked, [admin("joe"), admin("mia")]);
}

#[test]
fn a_wrong_name_stops_the_whole_command_and_keeps_its_line() {
    let mut app = chat("Team").opened();
    for line in ["/add 8:zed.9 nobody", "/kick Joe, nobody", "/role nobody admin"] {
        app.type_text(line);
        app.press("enter");
        app.expect("Nobody here is called nobody");
        app.expect(&format!("› {line}"));
        assert_eq!(changes(&mut app), []);
        app.press("ctrl-u");
    }
}

#[test]
fn a_group_one_was_put_out_of_stays_readable_and_says_so() {
    let mut app = chat("Team").message("joe", "words to keep").opened();
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Access { conversation, access: ChatAccess::Left });
    let screen = app.expect("no longer a member");
    assert!(screen.contains("words to keep"), "{screen}");
    app.press("alt-i");
    app.expect("You are no longer a member.");
    app.press("t");
    app.expect("Topic: you are no longer a member");
    assert_eq!(changes(&mut app), []);
}

#[test]
fn a_thousand_members_are_counted_and_scrolled_through() {
    let mut app = chat("Crowd").opened();
    let mut members: Vec<Member> = (0..1000)
        .map(|n| Member { id: person(&format!("8:p{n:04}")), ..Member::default() })
        .collect();
    members.push(Member { id: person("anna"), role: Role::Admin, ..Member::default() });
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Members { conversation, members: members.into_iter().collect() });
    app.expect("1001 members");
    app.press("alt-i");
    app.expect_row("Members", "1001 · 1 admin");
    app.press("m");
    app.expect("8:p0000");
    app.press(&"down ".repeat(30));
    app.expect("8:p0029");
}

#[test]
fn an_odd_topic_is_shown_as_text_in_one_row_or_not_at_all() {
    let mut app = chat("Team").opened();
    topic_becomes(&mut app, "<b>a</b>\u{1b}[31m\nsecond");
    app.expect("<b>a</b>\u{FFFD}[31m second");
    topic_becomes(&mut app, "");
    let screen = app.screen();
    assert!(!screen.contains("<b>"), "{screen}");
}

#[test]
fn the_join_url_is_fetched_once_joining_is_confirmed_and_copied_then() {
    for refused_first in [false, true] {
        let mut app = chat("Team").opened();
        app.press("alt-j y ctrl-x u");
        assert_eq!(changes(&mut app), [ThreadChange::Flag(ThreadFlag::JoiningEnabled, true)]);
        let conversation = app.open_chat().info.id.clone();
        if refused_first {
            let flag = ThreadFlag::JoiningEnabled;
            app.delta(Delta::Flag { conversation, flag, on: false });
            assert_eq!(app.requests(), []);
            continue;
        }
        let sender = person("anna");
        let (flag, on) = (ThreadFlag::JoiningEnabled, true);
        let activity = ThreadActivity::Flag { by: sender, flag, on };
        let line = Message { ..crate::fixture::message("anna", 1, MessageBody::Thread(activity)) };
        app.messages(vec![line], crate::model::Placement::Event);
        app.delta(Delta::Flag { conversation, flag: ThreadFlag::JoiningEnabled, on: true });
        app.answer(Response::JoinUrl(Ok(SafeText::line("https://join.example/AbC"))));
        assert_eq!(app.copied(), ["https://join.example/AbC"]);
    }
}
