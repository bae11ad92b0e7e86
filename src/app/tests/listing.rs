//! Chats that are taken out of the list, and the order of pinned ones.

use crate::app::Input;
use crate::app::effect::Effect;
use crate::fixture::{App, chat};
use crate::model::{ChatChoices, Conversation, Delta, Request, Unread};
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
    app.expect("Hidden until something new is said; Ctrl-K finds it by its name");
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
    assert!(!app.effects().iter().any(|effect| matches!(effect, Effect::Notify(_))));
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
    // New messages do not move them.
    app.press("esc");
    app.say("joe", "in d");
    assert_eq!(listed(&app), ["a", "b", "c", "d"]);
    app.press("tab down down down shift-up");
    app.expect("Only pinned chats can be moved");
}
