//! Text on the screen: tabs, invisible characters, the words for days.

use crate::app::next_deadline;
use crate::fixture::direct;
use crate::model::Request;
use std::time::Duration;

#[test]
fn a_pasted_tab_is_aligned_in_the_box_and_sent_as_a_tab() {
    let mut app = direct("joe").opened();
    app.paste("name\tage\nAnna\t41");
    let screen = app.expect("name    age");
    assert!(screen.contains("Anna    41"), "{screen}");
    // The cursor stands behind the last figure.
    let cursor = app.model.view.visible.compose.cursor;
    assert_eq!(usize::from(cursor.0), " To Joe Bloggs › Anna    41".chars().count());
    app.press("enter");
    let sent = app.requests().into_iter().find_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.text),
        _ => None,
    });
    assert_eq!(sent.as_deref(), Some("name\tage\nAnna\t41"));
}

#[test]
fn what_is_copied_has_the_tabs_and_no_invisible_characters() {
    let mut app = direct("joe").message("joe", "a\tb\u{200E}c\u{FEFF}").opened();
    app.expect("a       bc");
    app.press("ctrl-up y");
    let copied = app.effects().into_iter().find_map(|effect| match effect {
        crate::app::Effect::Copy { text, .. } => Some(text),
        _ => None,
    });
    assert_eq!(copied.as_deref(), Some("a\tbc"));
}

#[test]
fn at_midnight_today_becomes_yesterday_by_itself() {
    let mut app = direct("joe").message("joe", "good night").opened();
    app.expect("─ Today ─");
    // Once the message counts as read nothing else is due: the program sleeps until then.
    app.pass(Duration::from_secs(2));
    let due = next_deadline(&app.model.app).expect("midnight");
    assert!(due > app.now.mono + Duration::from_secs(60 * 60), "{due:?}");
    app.pass(due.saturating_sub(app.now.mono));
    app.expect("─ Yesterday ─");
    let next = next_deadline(&app.model.app).expect("the next midnight");
    assert_eq!(next.saturating_sub(app.now.mono), Duration::from_secs(24 * 60 * 60));
}
