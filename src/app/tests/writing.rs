//! The message box, keys in two steps, and what cannot be written where.

use crate::fixture::{App, chat, direct, message, text};
use crate::model::{
    ChatAccess, ConversationId, Delta, MessageBody, Placement, Request, Response, SafeText,
    ThreadActivity, ThreadChange, ThreadFlag, Unread, UserId,
};
use std::time::Duration;

/// The texts sent since the last call.
fn sent(app: &mut App) -> Vec<String> {
    let sent = app.requests().into_iter().filter_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.text),
        _ => None,
    });
    sent.collect()
}

fn in_box(app: &App) -> String {
    app.open_chat().composer.text().to_owned()
}

#[test]
fn keys_in_the_box_leave_the_list_and_the_details_underived() {
    let mut app = direct("joe").message("joe", "hi").opened();
    app.type_text("a");
    let before = app.model.app.list_revision();
    app.type_text("bc @j :sm");
    app.press("backspace left right shift-left ctrl-w tab");
    assert_eq!(app.model.app.list_revision(), before);
    app.press("enter");
    assert!(app.model.app.list_revision() > before, "the message is in the list");
}

#[test]
fn a_letter_derives_the_message_box_only_unless_something_else_has_changed() {
    let mut app = direct("joe").message("joe", "hi").opened();
    // Let the first frames request what they find missing.
    app.press("x y");
    let box_only = |app: &mut App, keys: &str| {
        app.press(keys);
        app.model.derived_box_only
    };
    assert!(box_only(&mut app, "b"));
    assert!(box_only(&mut app, "backspace"));
    assert!(box_only(&mut app, "left"));
    assert!(!box_only(&mut app, "right space : s m"), "suggestions are open");
    assert!(!box_only(&mut app, "esc"), "they were closed");
    app.model.app.note("something happened");
    assert!(!box_only(&mut app, "c"), "a note is shown");
    app.pass(Duration::from_secs(60));
    app.layout();
    assert!(box_only(&mut app, "d"));
    let mut app = app.message("joe", "are you there?");
    assert!(!box_only(&mut app, "e"), "a message has arrived");
    assert!(box_only(&mut app, "f"));
    app.now.wall.0 += 24 * 3_600_000;
    assert!(!box_only(&mut app, "g"), "another day has begun");
}

#[test]
fn a_draft_that_is_saved_changes_nothing_on_the_screen_and_what_ends_meanwhile_does() {
    let mut app = direct("joe").message("joe", "hi").opened();
    let saves = |app: &mut App| {
        app.effects();
        app.pass(Duration::from_millis(500));
        let saved = app.requests().iter().any(|r| matches!(r, Request::SaveDraft { .. }));
        assert!(saved, "the draft");
        app.model.has_changed()
    };
    // Let the first frames request what they find missing, and what they show be read.
    app.press("x y");
    app.pass(Duration::from_secs(60));
    app.press("z");
    assert!(!saves(&mut app));
    app.delta(Delta::Typing {
        conversation: ConversationId::new("8:joe.4"),
        who: UserId::new("8:joe.4"),
        active: true,
    });
    app.press("z");
    assert!(!saves(&mut app), "typing goes on");
    app.expect("typing");
    app.press("z");
    app.now.mono += Duration::from_secs(60);
    assert!(saves(&mut app), "typing has ended");
    app.model.app.note("something happened");
    app.press("z");
    app.now.mono += Duration::from_secs(60);
    assert!(saves(&mut app), "the note has ended");
}

#[test]
fn a_command_without_arguments_is_not_run_with_text_after_it() {
    let without = crate::app::commands::help().into_iter().map(|(usage, _)| usage);
    let without: Vec<String> = without.filter(|usage| !usage.contains(' ')).collect();
    assert!(without.len() > 8, "{without:?}");
    for usage in without {
        let mut app = chat("Team").opened();
        let line = format!("{usage} now please");
        app.type_text(&line);
        app.press("enter");
        app.expect(&format!("Usage: {usage}"));
        assert_eq!(in_box(&app), line);
    }
}

#[test]
fn a_shortcode_becomes_its_emoji_when_its_end_is_typed() {
    for (typed, becomes) in [
        (":smile:", "😄"),
        ("ok :+1:", "ok 👍"),
        (":tongueout:", "😛"),
        ("12:30:45", "12:30:45"),
        ("a:smile:", "a:smile:"),
        (":nosuchthing:", ":nosuchthing:"),
        ("{code}:smile:{code}", "{code}:smile:{code}"),
        ("it`s :smile:", "it`s 😄"),
        ("`a :smile:", "`a :smile:"),
    ] {
        let mut app = direct("joe").opened();
        app.type_text(typed);
        assert_eq!(in_box(&app), becomes);
    }
    let mut app = direct("joe").opened();
    app.type_text(":smile:");
    app.press("alt-z");
    assert_eq!(in_box(&app), ":smile:", "undo gives the letters back");
    app.paste(" :smile:");
    assert_eq!(in_box(&app), ":smile: :smile:", "pasted text stays as it is");
}

#[test]
fn tab_on_a_word_that_asks_for_it_never_moves_the_focus() {
    for word in [":s", ":", "@", "@jo", ":nosuch", "@nobody", "/t", "/nosuch"] {
        let mut app = chat("Team").opened();
        app.type_text(word);
        app.press("tab");
        app.type_text("x");
        assert!(in_box(&app).ends_with('x'), "{word}: {}", in_box(&app));
        app.expect("Alt-Enter new line");
    }
    let mut app = chat("Team").opened();
    app.type_text("done :)");
    app.press("tab");
    app.expect("Enter open");
}

#[test]
fn deleting_to_the_start_of_the_line_twice_empties_the_box() {
    let mut app = direct("joe").opened();
    app.paste("one\ntwo\nthree");
    app.press("up ctrl-u");
    assert_eq!(in_box(&app), "one\n\nthree");
    app.press("ctrl-u");
    assert_eq!(in_box(&app), "");
    app.press("alt-z");
    assert_eq!(in_box(&app), "one\n\nthree");
    app.press("ctrl-u x ctrl-u");
    assert_eq!(in_box(&app), "one\n\nthree", "another key came between");
}

#[test]
fn the_first_of_two_keys_shows_what_can_follow_after_a_moment() {
    let mut app = chat("Team").opened();
    app.press("ctrl-x");
    app.expect_none("u URL");
    app.pass(Duration::from_millis(301));
    let screen = app.expect("u URL");
    for item in ["m members", "a add", "q leave", "d delete history", "Esc cancels"] {
        assert!(screen.contains(item), "{item} is missing in\n{screen}");
    }
    app.press("m");
    app.expect_none("u URL");
    app.expect("Members of Team");
    app.press("esc ctrl-x z");
    app.expect("No action is bound to Ctrl-X z");
    assert_eq!(in_box(&app), "");
    app.pass(Duration::from_secs(6));
    app.press("ctrl-x");
    app.pass(Duration::from_millis(301));
    app.press("esc");
    app.expect_none("u URL");
    app.expect_none("No action is bound");
}

#[test]
fn what_can_follow_fits_at_forty_columns() {
    let mut app = chat("Team").opened().sized(40, 15);
    app.press("ctrl-x");
    app.pass(Duration::from_millis(301));
    let screen = app.expect("u URL");
    assert!(screen.contains("x hide"), "{screen}");
}

#[test]
fn a_page_in_a_list_is_what_is_visible_of_it() {
    for keys in ["f1", "alt-x"] {
        let mut app = chat("Team").opened();
        app.press(keys);
        let before = app.screen();
        app.press("pagedown pagedown");
        let after = app.screen();
        assert_ne!(before, after, "{keys}");
        app.press("pageup pageup");
        assert_eq!(app.screen(), before, "{keys}");
    }
}

#[test]
fn a_group_without_members_is_not_created() {
    let mut app = chat("Team").opened();
    app.press("ctrl-x g enter");
    app.type_text("nobody at all");
    app.press("enter");
    app.expect("Nobody found with that name");
    let asked = app.requests();
    assert!(!asked.iter().any(|r| matches!(r, Request::Create { .. })), "{asked:?}");
}

#[test]
fn a_draft_that_servers_may_refuse_says_so_and_asks() {
    let mut app = direct("joe").opened();
    app.paste(&"x".repeat(30_000));
    app.press("y");
    app.expect("This message is 30 kB; servers may refuse more than 28 kB");
    app.press("enter");
    app.expect("Send it?");
    app.press("enter n");
    assert_eq!(sent(&mut app), Vec::<String>::new());
    assert_eq!(in_box(&app).len(), 30_000);
    app.press("enter y");
    assert_eq!(sent(&mut app).len(), 1);
}

fn left() -> App {
    let mut app = chat("Team").message("joe", "words to keep").opened();
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Access { conversation, access: ChatAccess::Left });
    app
}

#[test]
fn a_group_that_was_left_takes_no_text() {
    let mut app = left();
    app.expect("You are no longer a member of this group");
    app.type_text("hello");
    app.paste("pasted");
    app.press("alt-enter enter");
    assert_eq!(in_box(&app), "");
    assert_eq!(sent(&mut app), Vec::<String>::new());
    app.expect("cannot write here");
}

#[test]
fn a_chat_that_takes_no_messages_says_why_and_keeps_the_draft_until_it_does() {
    let mut app = chat("Team").message("joe", "words to keep").opened();
    let conversation = app.open_chat().info.id.clone();
    let access = |access| Delta::Access { conversation: conversation.clone(), access };
    let why = SafeText::line("you are not a member of this conversation (403, error 7100)");
    app.delta(access(ChatAccess::ReadOnly(why)));
    app.expect("You cannot write here: you are not");
    app.expect("read-only");
    app.type_text("hello");
    app.press("enter enter");
    app.expect("the text stays here: you are not a member");
    assert_eq!(in_box(&app), "hello");
    assert_eq!(sent(&mut app), Vec::<String>::new());
    // Commands are not messages.
    app.press("ctrl-u");
    app.type_text("/help");
    app.press("enter esc");
    assert_eq!(in_box(&app), "");
    app.delta(access(ChatAccess::Full));
    app.type_text("hello");
    app.press("enter");
    assert_eq!(sent(&mut app), ["hello"]);
}

#[test]
fn a_chat_that_is_gone_says_so_and_its_history_stays() {
    let mut app = chat("Team").message("joe", "words to keep").opened();
    app.type_text("a draft");
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Access { conversation, access: ChatAccess::Gone });
    app.expect("no longer exists");
    app.expect("words to keep");
    app.press("enter");
    app.expect("No longer on the service");
    assert_eq!(in_box(&app), "a draft");
    assert_eq!(sent(&mut app), Vec::<String>::new());
}

#[test]
fn a_group_that_was_left_can_be_hidden_and_is_found_by_its_name() {
    let mut app = left().with_direct("joe");
    app.press("ctrl-x x");
    app.expect("The group is hidden; Ctrl-K finds it by its name");
    assert!(app.requests().iter().any(|r| matches!(r, Request::SaveChoices { .. })));
    app.press("esc");
    app.expect_none("Team");
    app.press("ctrl-k");
    app.type_text("team");
    app.press("enter");
    app.expect("words to keep");
}

#[test]
fn a_deleted_history_takes_the_badge_with_it() {
    for is_left in [false, true] {
        let mut app = if is_left { left() } else { chat("Team").message("joe", "old").opened() };
        let conversation = app.open_chat().info.id.clone();
        let unread = Unread { messages: 7, mentions: 2 };
        app.delta(Delta::Unread { conversation, unread, read_marker: None });
        app.pass(Duration::from_secs(120));
        app.expect("7 unread");
        app.press("alt-i d y");
        app.answer(Response::Done(Ok(())));
        app.expect_none("7 unread");
        app.expect_none("2 @");
        // A group that was left and is empty is not listed any more.
        app = app.with_direct("joe").opened();
        app.press("esc");
        assert_eq!(app.screen().contains("Team"), !is_left, "{}", app.screen());
    }
}

#[test]
fn nothing_but_reading_is_done_with_a_line_of_the_system() {
    let mut app = chat("Team").opened();
    let by = crate::fixture::person("anna");
    let activity = ThreadActivity::Flag { by, flag: ThreadFlag::JoiningEnabled, on: true };
    let line = message("anna", 1, MessageBody::Thread(activity));
    app.messages(vec![line, message("joe", 0, text("hi"))], Placement::Event);
    app.press("ctrl-up");
    let screen = app.screen();
    let divider = screen.lines().find(|line| line.starts_with("──")).expect("the rule");
    assert!(!divider.contains("Anna") && !divider.contains("8:"), "{divider}");
    for key in ["+", "a", "r", "e", "d"] {
        app.press(key);
        app.expect("it can only be viewed and copied");
        assert!(app.model.overlays.is_empty(), "{key}");
    }
    let changes = app.requests().into_iter().filter(|r| {
        matches!(r, Request::Change { .. } | Request::Thread { change: ThreadChange::Clear, .. })
    });
    assert_eq!(changes.count(), 0);
}
