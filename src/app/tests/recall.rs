//! Recalling what was sent.

use crate::fixture::{App, chat, direct, message, text};
use crate::model::{Placement, Request};

fn in_box(app: &App) -> String {
    app.open_chat().composer.text().to_owned()
}

fn say(app: &mut App, line: &str) {
    app.type_text(line);
    app.press("esc enter");
}

#[test]
fn sent_lines_come_back_newest_first_and_the_draft_after_them() {
    let mut app = direct("joe").opened();
    say(&mut app, "one");
    say(&mut app, "two");
    say(&mut app, "two");
    app.type_text("half");
    for (key, becomes) in [
        ("alt-,", "two"),
        ("alt-,", "one"),
        ("alt-,", "one"),
        ("alt-.", "two"),
        ("ctrl-down", "half"),
        ("alt-.", "half"),
    ] {
        app.press(key);
        assert_eq!(in_box(&app), becomes, "{key}");
    }
    // A recalled line can be changed and sent, and undo restores the draft.
    app.press("alt-, alt-z");
    assert_eq!(in_box(&app), "half");
    app.press("alt-, alt-,");
    app.type_text("!");
    app.press("enter");
    let sent = app.requests().into_iter().filter_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.text),
        _ => None,
    });
    assert_eq!(sent.last().as_deref(), Some("one!"));
}

#[test]
fn commands_and_own_messages_of_earlier_runs_are_recalled_too() {
    let mut app = chat("Team").opened();
    let earlier = [message("anna", 1, text("from before")), message("joe", 2, text("not mine"))];
    app.messages(earlier.into(), Placement::Newest);
    say(&mut app, "/notify all");
    app.press("alt-,");
    assert_eq!(in_box(&app), "/notify all");
    app.press("alt-,");
    assert_eq!(in_box(&app), "from before");
    app.press("alt-,");
    assert_eq!(in_box(&app), "from before");
}

#[test]
fn where_nothing_was_sent_or_a_message_is_edited_the_text_stays() {
    let mut app = direct("joe").opened();
    app.type_text("half");
    app.press("alt-, alt-.");
    assert_eq!(in_box(&app), "half");
    app.expect("Nothing sent here yet");
    let mut app = direct("joe").opened();
    app.messages(vec![message("anna", 1, text("mine"))], Placement::Newest);
    app.press("ctrl-up e");
    assert_eq!(in_box(&app), "mine");
    app.press("alt-,");
    app.expect("A message is being edited");
    assert_eq!(in_box(&app), "mine");
}
