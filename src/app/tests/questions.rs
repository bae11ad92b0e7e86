//! Actions that affect others or cannot be undone are confirmed first: with `y`, never with Enter alone.

use crate::fixture::{App, chat, direct, person};
use crate::model::request::Change;
use crate::model::{Delta, Fault, FaultKind, Request, Response, Role, ThreadChange, ThreadFlag};
use std::time::Duration;

fn changes(app: &mut App) -> Vec<ThreadChange> {
    let changes = app.requests().into_iter().filter_map(|request| match request {
        Request::Thread { change, .. } => Some(change),
        _ => None,
    });
    changes.collect()
}

/// The texts sent since the last call.
fn sent(app: &mut App) -> Vec<String> {
    let sent = app.requests().into_iter().filter_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.text),
        _ => None,
    });
    sent.collect()
}

#[test]
fn no_key_changes_a_setting_of_the_group_before_a_yes() {
    for keys in [
        "alt-j",
        "alt-h",
        "ctrl-x j",
        "ctrl-x h",
        "alt-i l",
        "alt-i h",
        "alt-i down enter",
        "alt-x l i n k enter",
    ] {
        let mut app = chat("Team").opened();
        app.press(keys);
        app.expect("y: yes · n or Esc: no");
        app.press("enter");
        assert_eq!(changes(&mut app), [], "{keys} and Enter");
        app.expect("Press y for yes or n for no");
        app.press("n");
        assert_eq!(changes(&mut app), [], "{keys} and n");
        app.expect_none("y: yes");
    }
    let mut app = chat("Team").opened();
    for line in ["/link", "/history"] {
        app.type_text(line);
        app.press("enter");
        app.expect("y: yes · n or Esc: no");
        app.press("esc");
        assert_eq!(changes(&mut app), [], "{line}");
    }
}

#[test]
fn typing_on_after_a_chord_by_mistake_is_not_a_yes() {
    // Esc and then "just say yes", too fast for the terminal to tell from Alt-J.
    let mut app = chat("Team").opened();
    app.press("alt-j");
    app.type_text("ust say yes");
    assert_eq!(changes(&mut app), []);
    app.expect("› st say yes");
}

#[test]
fn a_setting_that_was_changed_is_undone_with_one_key_while_the_offer_stands() {
    let mut app = chat("Team").opened();
    app.press("alt-j y");
    app.answer(Response::Done(Ok(())));
    app.expect("Joining by link is on · Alt-Z undoes it");
    app.press("alt-z");
    assert_eq!(changes(&mut app), [ThreadChange::Flag(ThreadFlag::JoiningEnabled, false)]);
    // The announcement arrives before the answer: the offer is the same.
    let mut app = chat("Team").opened();
    app.press("alt-h y");
    let conversation = app.open_chat().info.id.clone();
    let flag = ThreadFlag::HistoryDisclosed;
    app.delta(Delta::Flag { conversation, flag, on: false });
    app.expect("New members do not see the history · Alt-Z undoes it");
    app.effects();
    app.press("alt-z");
    assert_eq!(changes(&mut app), [ThreadChange::Flag(flag, true)]);
}

#[test]
fn without_the_offer_in_sight_undo_is_about_the_text() {
    for gone in ["typing", "time"] {
        let mut app = chat("Team").opened();
        app.type_text("word");
        app.press("alt-j y");
        app.answer(Response::Done(Ok(())));
        if gone == "typing" {
            app.type_text("s");
        } else {
            app.pass(Duration::from_secs(11));
        }
        app.press("alt-z alt-z");
        assert_eq!(changes(&mut app), [], "{gone}");
        app.expect_none("› word");
    }
}

#[test]
fn someone_elses_change_offers_nothing_to_undo() {
    let mut app = chat("Team").opened();
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Flag { conversation, flag: ThreadFlag::JoiningEnabled, on: true });
    app.press("alt-z");
    assert_eq!(changes(&mut app), []);
}

#[test]
fn personal_settings_change_at_once_and_say_so() {
    let mut app = chat("Team").opened();
    app.press("alt-m");
    app.answer(Response::Done(Ok(())));
    app.expect("Muted · Alt-Z undoes it");
}

#[test]
fn what_cannot_be_undone_is_not_done_by_enter() {
    for (keys, question) in [
        ("ctrl-x q", "Leave Team?"),
        ("ctrl-x d", "Delete the history of Team?"),
        ("alt-i q", "Leave Team?"),
        ("alt-i d", "Delete the history of Team?"),
        ("ctrl-x m down enter x", "Remove Joe Bloggs from the group?"),
        ("ctrl-x m enter o", "Give up your admin role?"),
        ("ctrl-x m down enter o", "Make Joe Bloggs an admin?"),
        ("ctrl-x m enter x", "Leave Team?"),
    ] {
        let mut app = chat("Team").opened();
        app.press(keys);
        app.expect(question);
        app.press("enter enter");
        app.expect(question);
        assert_eq!(changes(&mut app), [], "{keys}");
        app.press("y");
        assert_eq!(changes(&mut app).len(), 1, "{keys} and y");
    }
    let mut app = direct("joe").message("anna", "mine").opened();
    app.press("ctrl-up d enter");
    let deletes = |app: &mut App| {
        let requests = app.requests();
        requests.iter().any(|r| matches!(r, Request::Change { change: Change::Delete, .. }))
    };
    assert!(!deletes(&mut app));
    app.press("y");
    assert!(deletes(&mut app));
}

#[test]
fn a_command_that_removes_people_asks_and_keeps_its_line_until_the_yes() {
    let mut app = chat("Team").opened();
    app.type_text("/kick Joe");
    app.press("enter enter n");
    assert_eq!(changes(&mut app), []);
    app.expect("› /kick Joe");
    app.press("enter y");
    assert_eq!(changes(&mut app), [ThreadChange::Remove(person("joe"))]);
    app.expect_none("/kick Joe");
    app.type_text("/role Anna user");
    app.press("enter");
    app.expect("Give up your admin role?");
    app.press("y");
    assert_eq!(changes(&mut app), [ThreadChange::Member(person("anna"), Role::User)]);
}

#[test]
fn a_command_that_says_what_is_to_be_needs_no_question() {
    let mut app = chat("Team").opened();
    app.type_text("/link on");
    app.press("enter");
    assert_eq!(changes(&mut app), [ThreadChange::Flag(ThreadFlag::JoiningEnabled, true)]);
}

#[test]
fn what_looks_like_a_command_is_never_sent_by_enter_alone() {
    for line in ["/tpoic new", ":q", ":wq!", " /quit", "/etc/passwd", "/", ":%s/a/b/"] {
        let mut app = chat("Team").opened();
        app.type_text(line);
        app.press("enter enter enter");
        assert_eq!(sent(&mut app), Vec::<String>::new(), "{line}");
        app.press("n");
        app.expect(&format!("› {}", line.trim_end()));
        app.press("enter y");
        assert_eq!(sent(&mut app), [line]);
    }
    let mut app = chat("Team").opened();
    app.type_text("/tpoic new");
    app.press("enter");
    app.expect("Did you mean /topic?");
    for line in [":)", ":p", "it is 10:30", "see :q"] {
        let mut app = chat("Team").opened();
        app.type_text(line);
        app.press("enter");
        assert_eq!(sent(&mut app), [line]);
    }
}

#[test]
fn a_message_is_not_changed_into_a_command_by_enter_alone() {
    let mut app = direct("joe").message("anna", "hello").opened();
    app.press("ctrl-up e ctrl-u");
    app.type_text("/leave");
    app.press("enter enter");
    app.expect("Replace the message with it?");
    let edits = |app: &mut App| {
        let requests = app.requests();
        requests.iter().any(|r| matches!(r, Request::Change { change: Change::Edit(_), .. }))
    };
    assert!(!edits(&mut app));
    app.press("y");
    assert!(edits(&mut app));
}

#[test]
fn typing_in_the_member_list_filters_it() {
    let mut app = chat("Team").opened();
    app.press("ctrl-x m");
    app.type_text("oxya");
    app.expect("No member matches.");
    assert_eq!(changes(&mut app), []);
    app.press("ctrl-u");
    app.type_text("joe");
    let screen = app.expect("Joe Bloggs (8:joe.4)");
    assert!(!screen.contains("Mia Tan (8"), "{screen}");
    app.press("enter");
    app.expect("x remove · o role");
    app.press("esc esc ctrl-x m ctrl-x a");
    app.expect("Add members");
    app.press("esc");
    app.expect("Members of Team");
}

#[test]
fn a_refused_change_offers_nothing() {
    let mut app = chat("Team").opened();
    app.press("alt-j y");
    app.answer(Response::Done(Err(Fault::new(FaultKind::NotAllowed, "not allowed (403)"))));
    app.press("alt-z");
    assert_eq!(changes(&mut app), []);
}

#[test]
fn a_topic_that_was_changed_by_mistake_is_undone_with_one_key() {
    // Esc and then "that is fine", too fast for the terminal to tell from Alt-T.
    let mut app = chat("Team").opened();
    app.press("alt-t");
    app.type_text("hat");
    app.press("enter");
    app.answer(Response::Done(Ok(())));
    app.expect("The topic was changed · Alt-Z undoes it");
    app.press("alt-z");
    assert_eq!(changes(&mut app), [ThreadChange::Topic("Team".into())]);
}

#[test]
fn enter_on_an_untouched_list_of_people_adds_no_one() {
    for keys in ["ctrl-x a enter", "ctrl-x g enter enter"] {
        let mut app = chat("Team").members(&[("anna", Role::Admin)]).opened();
        app.press(keys);
        app.expect("Type a name or an id, or pick people with Tab");
        let asked = app.requests();
        let adds = |r: &Request| matches!(r, Request::Create { .. } | Request::Thread { .. });
        assert!(!asked.iter().any(adds), "{asked:?}");
        app.type_text("joe");
        app.press("enter");
        assert!(app.requests().iter().any(adds), "{keys}");
    }
}
