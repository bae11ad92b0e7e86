//! The suggestions for the word being typed, right above the message box. They do not take the focus.

use super::content::{Content, DialogLine, DialogView, Extent};
use crate::app::chat::suggestions::IN_SIGHT;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::{Tone, shown};

/// The suggestions of the open chat, if there are any.
pub fn suggestions(app: &AppState, size: Size, above: u16) -> Option<DialogView> {
    let composer = &app.opened()?.composer;
    let open = composer.suggestions.as_ref().filter(|open| open.are_shown(composer))?;
    let visible = open.found.iter().enumerate().skip(open.first_shown()).take(IN_SIGHT);
    let lines = visible.map(|(at, entry)| DialogLine {
        right_tone: Tone::Dim,
        marked: open.marked == Some(at),
        ..DialogLine::new(
            shown(&app.prefs, &entry.label).as_str(),
            shown(&app.prefs, &entry.detail).as_str(),
        )
    });
    let kind = match open.word.chars().next() {
        _ if open.are_about_spelling() => "Spelling",
        Some('/') => "Commands",
        Some('#') => "Chats",
        Some(':') => "Emoji",
        _ => "People",
    };
    let title = match open.found.len() {
        count if count > IN_SIGHT => format!("{kind}, {count}"),
        _ => kind.to_owned(),
    };
    let hint = if open.marked.is_some() {
        "Tab or Enter takes it · Esc closes"
    } else {
        "Tab takes the first · ↑↓ choose · Esc closes"
    };
    let content = Content::new(title, lines.collect(), hint);
    Content { extent: Extent::AboveBox, ..content }.place(size, above)
}
