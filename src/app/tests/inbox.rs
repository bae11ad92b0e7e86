//! The inbox: what is waiting in all chats, and dealing with it there.

use crate::app::Input;
use crate::fixture::{App, chat, message, person, text};
use crate::model::request::Change;
use crate::model::{
    Conversation, Delivery, Delta, MessageBody, Placement, ReadMarker, Request, SafeText,
    ThreadActivity, Timestamp, Unread,
};
use std::time::Duration;

/// A chat with unread messages that has not been opened yet.
fn unread(app: App, id: &str, at: i64, messages: u32, mentions: u32) -> App {
    let mut conversation = Conversation::empty(id.into());
    conversation.topic = Some(SafeText::line(&format!("Chat {at}")));
    conversation.activity = Timestamp(at);
    conversation.unread = Unread { messages, mentions };
    app.with_conversation(conversation)
}

fn sent(app: &mut App) -> Vec<(String, String)> {
    let sent = app.requests().into_iter().filter_map(|request| match request {
        Request::Send { conversation, outgoing, .. } => {
            Some((conversation.as_str().to_owned(), outgoing.text))
        }
        _ => None,
    });
    sent.collect()
}

/// Two chats with unread messages beside an open one.
fn two() -> App {
    let app = chat("Team").message("joe", "hello").opened();
    let app = unread(app, "19:b@thread.skype", 2_000, 3, 1);
    unread(app, "19:a@thread.skype", 1_000, 2, 0)
}

#[test]
fn unread_chats_stand_oldest_first_and_are_dealt_with_in_place() {
    let mut app = two();
    app.press("alt-n");
    let screen = app.expect("Inbox, 2");
    let at = |words: &str| screen.find(words).unwrap_or_else(|| panic!("{words}\n{screen}"));
    assert!(at("2 unread") < at("@1 · 3 unread"), "{screen}");
    app.requests();
    app.press("m");
    let read = app.requests().into_iter().find_map(|request| match request {
        Request::MarkRead { conversation, read_marker, .. } => Some((conversation, read_marker)),
        _ => None,
    });
    let (conversation, marker) = read.expect("a read marker");
    assert_eq!((conversation.as_str(), marker.arrival), ("19:a@thread.skype", Timestamp(1_000)));
    app.expect("Inbox, 1");
    app.press("r");
    app.type_text("/leave");
    app.press("enter");
    app.expect("Commands work in the message box of the chat");
    app.press("ctrl-u");
    app.type_text("on my way");
    app.press("enter");
    assert_eq!(sent(&mut app), [("19:b@thread.skype".to_owned(), "on my way".to_owned())]);
    app.expect("Inbox, 1");
    app.press("n");
    app.expect("Notifications: Chat 2000");
    app.press("esc enter");
    app.expect("To Chat 2000");
}

#[test]
fn an_answer_leaves_a_draft_alone() {
    let mut app = two();
    app.press("alt-n enter");
    app.type_text("half a thought");
    app.press("alt-up alt-n r");
    app.expect("There is a draft in this chat");
    app.press("esc");
    assert_eq!(sent(&mut app), []);
}

#[test]
fn reactions_go_to_the_last_message() {
    let mut app = chat("Other").opened();
    app = app.with_group("Team");
    app.say("joe", "hello");
    let id = app.model.app.accounts.chats().find(|c| !c.timeline.is_empty()).unwrap();
    let conversation = id.info.id.clone();
    let unread = Unread { messages: 1, mentions: 0 };
    app.delta(Delta::Unread { conversation, unread, read_marker: None });
    app.press("alt-n +");
    app.requests();
    app.press("1");
    let asked = app.requests();
    let is_like = |r: &Request| matches!(r, Request::Change { change: Change::React { key, on: true }, .. } if key == "like");
    assert!(asked.iter().any(is_like), "{asked:?}");
    app.expect("Inbox, 1");
}

#[test]
fn what_was_not_sent_and_what_changed_in_groups_is_there_too() {
    let mut app = chat("Team").opened();
    let mut failed = message("anna", 1, text("lost words"));
    failed.delivery = Delivery::Failed { reason: SafeText::line("refused"), can_retry: true };
    app.messages(vec![failed], Placement::Newest);
    app = app.with_group("Other");
    let activity = ThreadActivity::Added { by: person("mia"), targets: vec![person("joe")] };
    app.messages(vec![message("mia", 5, MessageBody::Thread(activity))], Placement::Newest);
    let other =
        app.model.app.accounts.chats().find(|c| app.model.app.open.as_ref() != Some(&c.chat_ref()));
    let conversation = other.unwrap().info.id.clone();
    let read_marker =
        Some(ReadMarker { arrival: Timestamp(1), read_at: Timestamp(1), client_id: None });
    app.delta(Delta::Unread { conversation, unread: Unread::default(), read_marker });
    app.press("alt-n");
    app.expect_row("! Team", "not sent");
    app.expect("lost words");
    app.expect_row("· Other", "changed");
    app.press("m");
    app.expect("R sends the message again");
    app.press("enter");
    app.expect("To Team");
}

#[test]
fn muted_chats_are_there_only_with_mentions() {
    let mut app = two();
    for _ in 0..2 {
        app.press("alt-n n 5 esc");
    }
    app.press("alt-n down n 5 esc");
    app.press("alt-n");
    app.expect("Inbox, 1");
    app.expect("@1 · 3 unread");
    let mut app = chat("Team").opened();
    app.press("alt-n");
    app.expect("Nothing is waiting");
}

#[test]
fn a_user_who_returns_after_hours_is_told_once_what_is_waiting() {
    let mut app = two();
    app.press("a");
    app.pass(Duration::from_secs(3 * 60 * 60));
    app.input(Input::Focus(true));
    app.expect("5 messages arrived while you were away · Alt-N shows them");
    app.press("esc");
    app.input(Input::Focus(true));
    app.expect_none("while you were away");
    // The key that was pressed is still typed.
    app.pass(Duration::from_secs(3 * 60 * 60));
    app.press("b");
    app.expect("while you were away");
    assert_eq!(app.open_chat().composer.text(), "ab");
}

#[test]
fn ten_thousand_chats_are_worked_off_in_parts() {
    let mut app = chat("Team").opened();
    let conversations = (0..10_000).map(|n| {
        let mut conversation = Conversation::empty(format!("19:{n}@thread.skype").as_str().into());
        conversation.activity = Timestamp(1_000 + n);
        conversation.unread = Unread { messages: 1, mentions: 0 };
        conversation
    });
    app.delta(Delta::Conversations(conversations.collect()));
    app.press("alt-n");
    app.expect("Inbox, 300 and 9700 more");
    app.press("pagedown end up");
    app.press("m");
    app.expect("Inbox, 299 and 9700 more");
    for (columns, rows) in [(20, 5), (40, 10), (120, 40)] {
        app.resize(columns, rows);
        app.screen();
    }
}

#[test]
fn a_user_who_starts_the_program_after_hours_is_told_once_what_is_waiting() {
    let mut app = two();
    app.model.app.presence.returns = true;
    app.press("a");
    app.expect("5 messages arrived while you were away · Alt-N shows them");
    app.pass(Duration::from_secs(20));
    app.press("b");
    app.expect_none("while you were away");
    app.expect("› ab");
    // Messages that arrive a minute later were not missed.
    let mut app = two();
    app.model.app.presence.returns = true;
    app.pass(Duration::from_secs(90));
    app.press("a");
    app.expect_none("while you were away");
}

#[test]
fn an_empty_inbox_stays_until_it_is_closed_so_that_no_key_reaches_the_box() {
    let mut app = two();
    app.press("alt-n m m");
    app.expect("Nothing is waiting.");
    app.press("m r + n j k");
    app.expect("Nothing is waiting.");
    app.press("esc");
    app.expect_none("Inbox");
    assert_eq!(app.open_chat().composer.text(), "");
}

#[test]
fn an_entry_that_was_read_elsewhere_says_so_and_keeps_its_place() {
    let mut app = two();
    app.press("alt-n");
    let (conversation, unread) = ("19:a@thread.skype".into(), Unread::default());
    app.delta(Delta::Unread { conversation, unread, read_marker: None });
    app.expect_row("Chat 1000", "read");
    app.expect_none("0 unread");
    app.press("m");
    app.expect("Inbox, 1");
    app.expect("3 unread");
}
