//! Drafts, across restarts.

use crate::app::Effect;
use crate::fixture::{App, direct};
use crate::model::{ConversationId, Delta, Draft, Request, UndoStep};

fn saved(app: &mut App) -> Vec<Draft> {
    let saved = app.requests().into_iter().filter_map(|request| match request {
        Request::SaveDraft { draft, .. } => Some(draft),
        _ => None,
    });
    saved.collect()
}

fn restarted_with(draft: Draft, persist: bool) -> App {
    let app = App::with_prefs(|prefs| prefs.choices.drafts.persist = persist);
    let mut app = app.with_direct("joe").opened();
    app.effects();
    app.delta(Delta::Drafts(vec![(ConversationId::new("8:joe.4"), draft)]));
    app.layout();
    app
}

#[test]
fn undo_goes_on_after_a_restart_where_it_was() {
    let mut app = direct("joe").opened();
    app.effects();
    app.type_text("one two");
    app.press("ctrl-u ctrl-q");
    let draft = saved(&mut app).pop().expect("a saved draft");
    assert_eq!(draft.text, "");
    let text = serde_json::to_string(&draft).expect("JSON");
    let mut app = restarted_with(serde_json::from_str(&text).expect("the same draft"), true);
    app.press("alt-z");
    app.expect("one two");
    app.press("alt-z");
    app.expect("one");
}

#[test]
fn what_is_saved_for_undo_is_bounded() {
    let mut app = direct("joe").opened();
    app.effects();
    for _ in 0..40 {
        app.paste(&format!("{} ", "x".repeat(999)));
    }
    // Typed text is not saved a second time, but deleted text is.
    for _ in 0..40 {
        app.press("backspace ctrl-w");
        app.paste(&format!("{} ", "x".repeat(999)));
    }
    app.press("ctrl-q");
    let draft = saved(&mut app).pop().expect("a saved draft");
    let bytes: usize = draft.undo.iter().map(|step| step.text.len()).sum();
    assert!((15 * 1024..=16 * 1024).contains(&bytes), "{bytes}");
    assert_eq!(draft.text.len(), 40_000);
}

#[test]
fn a_damaged_undo_history_does_no_harm() {
    for (at, length, cursor, then) in [(0, 2, 1, "xü"), (1, 1, 0, "éx"), (0, 9, 0, "éx")] {
        let undo = vec![UndoStep { at, length, text: "ü".into(), cursor }];
        let draft = Draft { text: "é".into(), cursor: 2, undo, ..Draft::default() };
        let mut app = restarted_with(draft, true);
        app.press("alt-z x");
        app.expect(then);
    }
}

#[test]
fn drafts_that_are_not_to_be_kept_never_reach_the_disk_and_leave_it() {
    let mut app = restarted_with(Draft { text: "from before".into(), ..Draft::default() }, false);
    app.expect("from before");
    assert_eq!(saved(&mut app), [Draft::default()], "it is removed from the disk");
    app.type_text(" and more");
    app.press("ctrl-q");
    app.expect("Drafts are not saved");
    assert_eq!(app.effects(), []);
    app.press("ctrl-q");
    assert_eq!(app.effects(), [Effect::Quit]);
}
