//! Chats that are taken out of the list, and the order of pinned ones.

use crate::app::Input;
use crate::app::effect::{Alert, Effect};
use crate::fixture::{App, chat, direct};
use crate::model::{
    ChatAccess, ChatChoices, Conversation, Delta, Fault, FaultKind, Request, Response, Unread,
};
use std::time::Duration;

fn choices(app: &mut App) -> Vec<ChatChoices> {
    let saved = app.requests().into_iter().filter_map(|request| match request {
        Request::SaveChoices { choices, .. } => Some(choices),
        _ => None,
    });
    saved.collect()
}

/// The titles of the listed chats.
fn listed(app: &App) -> Vec<String> {
    let state = &app.model.app;
    state.shown_chats().map(|chat| state.accounts.of(chat).title(chat).to_string()).collect()
}

#[test]
fn a_hidden_chat_comes_back_with_the_next_message() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.press("ctrl-x x");
    app.expect("Hidden until a new message; Ctrl-K finds it, Ctrl-X x lists it again");
    assert!(choices(&mut app).iter().any(|choices| choices.hidden_at.is_some()));
    assert_eq!(listed(&app), Vec::<String>::new());
    app.say("joe", "something new");
    assert_eq!(listed(&app), ["Team"]);
}

#[test]
fn a_hidden_chat_is_found_and_can_be_listed_again() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.type_text("/hide");
    app.press("enter ctrl-k");
    app.type_text("team");
    app.press("enter");
    app.expect("To Team");
    app.press("ctrl-x x");
    app.expect("In the list again");
    assert_eq!(choices(&mut app).last(), Some(&ChatChoices::default()));
    assert_eq!(listed(&app), ["Team"]);
}

#[test]
fn hiding_a_chat_that_is_put_away_changes_nothing_and_names_the_way_back() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.press("ctrl-x A ctrl-k");
    app.type_text("team");
    app.press("enter");
    choices(&mut app);
    app.press("ctrl-x x");
    app.expect("This chat is put away; Ctrl-X A brings it back");
    assert!(choices(&mut app).is_empty());
    app.press("ctrl-x A");
    app.expect("In the list again");
    assert_eq!(listed(&app), ["Team"]);
}

#[test]
fn a_chat_that_was_put_away_stays_away_and_silent_whatever_is_said() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.press("ctrl-x A");
    app.expect("Put away; Ctrl-K finds it by its name, Ctrl-X A brings it back");
    app.pass(Duration::from_secs(60));
    app.input(Input::Focus(false));
    app.effects();
    let conversation = app.model.app.accounts.chats().next().unwrap().info.id.clone();
    app.say("joe", "something new");
    let unread = Unread { messages: 1, mentions: 1 };
    app.delta(Delta::Unread { conversation, unread, read_marker: None });
    app.pass(Duration::from_secs(1));
    assert!(!app.effects().iter().any(|effect| matches!(effect, Effect::Alert(Alert::Notify(_)))));
    assert_eq!((listed(&app), app.model.app.total_unread()), (Vec::new(), (0, 0)));
    app.press("ctrl-k");
    app.type_text("team");
    app.press("enter");
    app.expect("put away");
    app.press("ctrl-x A");
    app.expect("In the list again");
    app.expect_none("put away");
}

#[test]
fn choices_of_an_earlier_run_hide_the_same_chats() {
    let mut app = chat("Team").message("joe", "old");
    let chat = app.model.app.accounts.chats().next().unwrap();
    let (id, at) = (chat.info.id.clone(), chat.last_activity());
    let hidden = ChatChoices { hidden_at: Some(at), ..ChatChoices::default() };
    app.delta(Delta::Choices(vec![(id, hidden)]));
    assert_eq!(listed(&app), Vec::<String>::new());
}

#[test]
fn pinned_chats_are_moved_among_each_other_and_stay_above_the_others() {
    let pinned = |app: App, name: &str, is_pinned| {
        let id = format!("19:{name}@thread.skype");
        let mut conversation = Conversation::empty(id.as_str().into());
        conversation.topic = Some(name.into());
        conversation.activity.0 = 1_000;
        conversation.pinned = is_pinned;
        app.with_conversation(conversation)
    };
    let mut app = App::new();
    for (name, is_pinned) in [("a", true), ("b", true), ("c", true), ("d", false)] {
        app = pinned(app, name, is_pinned);
    }
    assert_eq!(listed(&app), ["a", "b", "c", "d"]);
    app.press("alt-down tab");
    app.press("shift-down");
    assert_eq!(listed(&app), ["b", "a", "c", "d"]);
    app.press("shift-down shift-down shift-down");
    assert_eq!(listed(&app), ["b", "c", "a", "d"]);
    app.press("shift-up shift-up shift-up");
    assert_eq!(listed(&app), ["a", "b", "c", "d"]);
    // New messages do not move pinned chats.
    app.press("esc");
    app.say("joe", "in d");
    assert_eq!(listed(&app), ["a", "b", "c", "d"]);
    app.press("tab down down down shift-up");
    app.expect("Only pinned chats can be moved");
}

/// How many requests to forget a chat were made since the last call.
fn forgets(app: &mut App) -> usize {
    app.requests().iter().filter(|request| matches!(request, Request::Forget { .. })).count()
}

#[test]
fn a_group_that_was_left_is_forgotten_after_a_question_and_comes_back_with_something_new() {
    let mut app = direct("mia").with_group("Team").message("joe", "old words").opened();
    let conversation = app.open_chat().info.id.clone();
    app.press("ctrl-x F");
    app.expect("Not forgotten: leave or hide the chat first");
    app.delta(Delta::Access { conversation: conversation.clone(), access: ChatAccess::Left });
    app.press("x");
    app.expect("Ctrl-X F forgets it");
    app.press("ctrl-x F");
    app.expect("Forget Team?");
    app.expect("Nothing is changed on the service");
    app.press("enter");
    assert_eq!(forgets(&mut app), 0, "Enter is not enough");
    app.press("y");
    app.answer(Response::Done(Ok(())));
    app.expect("Forgotten: deleted from the message store");
    app.expect_none("Team");
    assert_eq!(app.model.app.open, None);
    // A late answer about the chat does not bring it back.
    app.delta(Delta::Access { conversation: conversation.clone(), access: ChatAccess::Left });
    app.delta(Delta::Members { conversation, members: Vec::new() });
    assert_eq!(listed(&app).len(), 1);
    app = app.with_group("Team");
    assert_eq!(listed(&app).len(), 2);
}

#[test]
fn the_question_before_forgetting_names_the_copies_that_are_deleted_too() {
    let mut app = chat("Team").message("joe", "old words").sized(100, 30).opened();
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Access { conversation, access: ChatAccess::Left });
    app.press("ctrl-x F");
    app.expect_none("upgrade");
    app.press("esc");
    app.delta(Delta::StoreCopies(vec!["store.db.v3".into()]));
    app.press("ctrl-x F");
    app.expect("store.db.v3, a copy of everything");
    app.press("esc");
    app.delta(Delta::StoreCopies(vec!["store.db.v2".into(), "store.db.v3".into()]));
    app.press("ctrl-x F");
    app.expect("store.db.v2, store.db.v3, copies of");
}

#[test]
fn a_chat_with_an_unsent_message_is_not_forgotten() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.type_text("wait");
    app.press("enter ctrl-x x ctrl-k");
    app.type_text("team");
    app.press("enter");
    app.requests();
    app.type_text("/forget");
    app.press("enter");
    app.expect("Not forgotten: a message has not been sent; send or discard it first");
    assert_eq!(forgets(&mut app), 0);
}

#[test]
fn a_chat_that_the_store_does_not_forget_stays_and_says_why() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.press("ctrl-x A ctrl-k");
    app.type_text("team");
    app.press("enter");
    app.type_text("/forget");
    app.press("enter y");
    app.answer(Response::Done(Err(Fault::new(FaultKind::Store, "the disk is full"))));
    app.expect("Not forgotten: the disk is full");
    app.press("ctrl-k");
    app.type_text("team");
    app.expect("Team");
}

#[test]
fn the_settings_offer_to_forget_what_was_left() {
    let mut app = chat("Team").message("joe", "old").opened();
    app.press("alt-i");
    app.expect_none("what is stored here");
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Access { conversation, access: ChatAccess::Gone });
    app.expect_row("Forget", "what is stored here");
    app.press("f");
    app.expect("Forget Team?");
    app.press("n");
    assert_eq!(forgets(&mut app), 0);
}
