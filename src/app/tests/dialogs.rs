//! Stacked dialogs: Esc goes back to the dialog below, which is as it was left.

use crate::fixture::{App, chat, direct};

/// The highlighted row of the dialog, without its frame.
fn marked(app: &mut App) -> String {
    let view = app.model.view.visible.layout.expect("a frame");
    let dialog = app.model.dialog.as_ref().map(|dialog| &dialog.lines);
    let Some(crate::app::overlay::DialogBody::Lines(lines)) = dialog else {
        panic!("no dialog at {view:?}")
    };
    let line = lines.iter().find(|line| line.marked).expect("a marked line");
    line.left.iter().map(|label| label.text.as_str()).collect()
}

#[test]
fn a_search_that_is_opened_again_starts_over_with_the_first_letter() {
    use crate::model::search::Hit;
    use crate::model::{Findings, Request, Response};
    let mut app = chat("Team").message("joe", "the oven").opened();
    app.press("ctrl-r");
    app.type_text("oven");
    let id = app.open_chat().info.id.clone();
    let message = app.open_chat().timeline.iter().next().unwrap();
    let hit =
        Hit::new(id, message.key.clone(), message.sender.clone(), "the oven", &["oven".into()]);
    let hits = vec![hit];
    app.answer(Response::Found(Ok(Findings { hits, ..Findings::default() })));
    app.press("enter ctrl-r");
    app.expect("› oven");
    let asked = |app: &mut App| app.requests().iter().any(|r| matches!(r, Request::Search { .. }));
    assert!(!asked(&mut app), "the hits are still there");
    app.expect("1 found");
    app.type_text("k");
    app.expect_none("› oven");
    app.expect("› k");
    assert!(asked(&mut app));
    app.type_text("ey");
    app.expect("› key");
    // The input is kept once it was edited, and then letters are added.
    app.press("esc ctrl-r");
    app.type_text("oven");
    app.press("backspace");
    app.expect("› ove");
}

#[test]
fn some_commands_need_no_open_conversation() {
    let mut app = direct("joe");
    app.type_text("/");
    app.expect("/open NAME, /search WORDS");
    app.type_text("open joe");
    app.press("enter");
    assert_eq!(app.open_chat().info.id.as_str(), "8:joe.4");
    let mut app = direct("joe");
    app.type_text("/topic New");
    app.press("enter");
    app.expect("/topic needs an open chat");
    app.type_text("x");
    app.expect("Open a chat first");
    app.type_text("/search oven");
    app.press("enter");
    app.expect("Search everywhere");
}

#[test]
fn help_at_eighty_by_twenty_four_reaches_its_last_line_and_its_first_again() {
    let mut app = chat("Team").opened();
    app.press("f1");
    app.expect("Send the message");
    for _ in 0..40 {
        app.press("pagedown");
    }
    app.expect("Pinned to the top");
    for _ in 0..40 {
        app.press("pageup");
    }
    app.expect("Send the message");
}

#[test]
fn the_first_and_the_last_line_are_one_key_away() {
    for (keys, last) in [("f1", "Pinned to the top"), ("alt-x", "Suspend to the shell")] {
        let mut app = chat("Team").opened();
        app.press(keys);
        app.expect("Send the message");
        app.press("end");
        app.expect_none("Send the message");
        if keys == "f1" {
            app.expect(last);
        }
        app.press("home");
        app.expect("Send the message");
    }
}

#[test]
fn help_scrolls_line_by_line_with_the_arrow_keys() {
    let mut app = chat("Team").opened();
    app.press("f1 down down down");
    app.expect_none("Send the message");
    app.press("up up up");
    app.expect("Send the message");
}

#[test]
fn the_inspector_scrolls_back_at_once_after_page_down_past_its_end() {
    let long = "a long message that takes many rows in a low window. ".repeat(20);
    let mut app = direct("joe").message("joe", &long).sized(80, 12).opened();
    app.press("ctrl-up v");
    app.answer(crate::model::Response::Source(crate::model::MessageSource::default()));
    app.layout();
    let first = app.expect("Message");
    for _ in 0..20 {
        app.press("pagedown");
    }
    let end = app.screen();
    assert_ne!(first, end);
    app.press("up");
    assert_ne!(app.screen(), end, "one key goes one line back");
}

#[test]
fn back_from_the_members_the_settings_stand_on_the_row_they_were_left_on() {
    let mut app = chat("Team").opened();
    app.press("alt-i m");
    app.expect("Members of Team");
    app.press("down esc");
    app.expect("Chat settings");
    assert!(marked(&mut app).starts_with("m  Members"), "{}", marked(&mut app));
}

#[test]
fn a_no_to_leaving_goes_back_to_the_settings() {
    let mut app = chat("Team").opened();
    app.press("alt-i q");
    app.expect("Leave Team?");
    app.press("n");
    app.expect("Chat settings");
    assert!(marked(&mut app).starts_with("q  Leave"), "{}", marked(&mut app));
    app.press("esc");
    app.expect_none("Chat settings");
}

#[test]
fn a_dialog_opened_from_the_chat_goes_back_to_the_chat() {
    let mut app = chat("Team").message("joe", "see https://a.example").opened();
    for (keys, title) in [
        ("alt-i", "Chat settings"),
        ("ctrl-x m", "Members of Team"),
        ("ctrl-x q", "Leave Team?"),
        ("ctrl-x a", "Add members"),
        ("alt-t", "Everyone in the group"),
        ("ctrl-k", "Find a chat"),
        ("ctrl-r", "Search everywhere"),
        ("alt-x", "All actions"),
        ("f1", "Help"),
    ] {
        app.press(keys);
        app.expect(title);
        app.press("esc");
        app.expect_none(title);
        assert!(app.model.overlays.is_empty(), "{title} goes back to the chat");
    }
}

#[test]
fn three_dialogs_deep_each_esc_closes_one() {
    let mut app = chat("Team").opened();
    app.press("alt-i m down enter");
    app.expect("x remove · o role");
    app.press("f1");
    app.expect("In a dialog");
    app.press("esc");
    app.expect("x remove · o role");
    app.press("esc");
    app.expect("Members of Team");
    assert!(marked(&mut app).contains("Joe Bloggs"), "{}", marked(&mut app));
    app.press("esc");
    app.expect("Chat settings");
    app.press("esc");
    assert!(app.model.overlays.is_empty());
}

#[test]
fn a_dialog_that_is_resized_keeps_its_marked_row_in_sight() {
    let mut app = chat("Team").opened();
    app.press("alt-i q n");
    app.resize(60, 10);
    app.expect("q  Leave");
    app.resize(120, 40);
    app.expect("q  Leave");
}
