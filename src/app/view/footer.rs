//! The footer: the keys that can be pressed in the current context.

use super::bar::{Bar, Label, Tone};
use super::connection::connection;
use super::status::StatusInput;
use crate::app::keymap::Context;
use crate::app::notes::Note;
use crate::app::state::{AppState, Focus};
use crate::model::text::{cut, width};
use std::ops::Range;

/// The actions in the footer of a context, in order; those that do not fit are dropped from the end.
fn offered(context: Context, bare: bool) -> &'static [&'static str] {
    match context {
        _ if bare => &["bare-view"],
        Context::Compose | Context::Global => &[
            "send",
            "newline",
            "previous-conversation",
            "switcher",
            "next-unread",
            "select-message",
            "search",
        ],
        Context::Normal => &[
            "insert",
            "select-up",
            "search-here",
            "palette",
            "newest",
            "next-conversation",
            "switcher",
            "next-unread",
        ],
        Context::Selection => &[
            "message-menu",
            "select-up",
            "take-back",
            "retry",
            "reply",
            "react",
            "copy",
            "open-link",
            "view",
            "edit",
            "go-to-quoted",
            "delete-message",
            "mark-unread",
        ],
        Context::List => &["list-open", "switcher", "next-unread"],
        Context::Overlay => &["choose"],
    }
}

/// The actions that the footer shows everywhere and at every width.
const KEPT: [&str; 2] = ["help", "quit"];

/// A key in the footer: its columns, and the name of its action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FooterKey {
    pub columns: Range<usize>,
    pub action: &'static str,
}

/// The keys that can be pressed in the current context, and the columns of each.
pub(super) fn footer(
    app: &AppState,
    input: &StatusInput<'_>,
    columns: usize,
) -> (Bar, Vec<FooterKey>) {
    let offered_with_name =
        |name: &'static str| offer(app, input, name).map(|(key, label)| (name, key, label));
    let kept: Vec<(&str, String, String)> =
        KEPT.iter().filter_map(|name| offered_with_name(name)).collect();
    let last: usize = kept.iter().map(|(_, key, label)| width(key) + width(label) + 3).sum();
    // Room is reserved for the key that goes back.
    let esc = match (input.context, app.focus) {
        (Context::Overlay, _) => Some("close"),
        _ if input.bare => Some("back"),
        (Context::Selection, _) | (_, Focus::List) => Some("back"),
        (Context::Compose, _) if app.prefs.keymap.is_modal() => Some("NORMAL"),
        _ => None,
    };
    // A dialog may cover the rule that shows notes.
    if let (Context::Overlay, Some(note)) = (input.context, app.notes.current()) {
        return (of_note(note, columns), Vec::new());
    }
    let mut bar = Bar::default();
    if input.layout.top.is_none() {
        let room = columns.saturating_sub(last + 2).min(columns / 2);
        let connection = connection(app, &app.current_account().connection, room);
        if connection.width() > 0 && connection.width() <= room {
            bar.right = vec![connection, Label::new(" ", Tone::Plain)];
        }
    }
    let taken = if bar.right.is_empty() { 0 } else { bar.right_width() + 1 };
    let end = columns.saturating_sub(taken);
    let room = end.saturating_sub(last + if esc.is_some() { 10 } else { 0 });
    // If nothing else fits, there are no margins.
    let (margin, gap) = if last + 1 > end { ("", " ") } else { (" ", "  ") };
    let mut used = 1;
    bar.left.push(Label::new(margin, Tone::Plain));
    let mut shown = Vec::new();
    for name in offered(input.context, input.bare) {
        let Some((name, key, label)) = offered_with_name(name) else { continue };
        if used + width(&key) + 1 + width(&label) > room {
            break;
        }
        used += width(&key) + width(&label) + 3;
        shown.push((name, key, label));
    }
    let esc = esc.filter(|_| used + last + 8 <= end);
    let esc = esc.map(|label| ("escape", "Esc".to_owned(), label.to_owned()));
    let mut keys = Vec::new();
    for (action, key, label) in shown.into_iter().chain(kept).chain(esc) {
        let from = bar.left_width();
        keys.push(FooterKey { columns: from..from + width(&key) + 1 + width(&label), action });
        bar.left.push(Label::new(key, Tone::Key));
        let gap = if action == "escape" { "" } else { gap };
        bar.left.push(Label::new(format!(" {label}{gap}"), Tone::Dim));
    }
    (bar, keys)
}

/// A note in place of the keys, except for the one that closes the dialog.
fn of_note(note: &Note, columns: usize) -> Bar {
    const CLOSE: [&str; 2] = ["Esc", " close "];
    let tone = if note.bad { Tone::Bad } else { Tone::New };
    let room = columns.saturating_sub(2);
    let mut bar = Bar {
        left: vec![Label::new(format!(" {}", cut(&note.text, room)), tone)],
        ..Bar::default()
    };
    let [key, word] = CLOSE;
    if bar.left_width() + 2 + width(key) + width(word) <= columns {
        bar.right = vec![Label::new(key, Tone::Key), Label::new(word, Tone::Dim)];
    }
    bar
}

/// An action's key and label, if it is available here.
fn offer(app: &AppState, input: &StatusInput<'_>, name: &str) -> Option<(String, String)> {
    let always = matches!(name, "message-menu" | "select-up" | "help" | "quit");
    // For a selected message, only the actions that apply to it.
    if input.context == Context::Selection && !always && !input.fitting.iter().any(|f| f == name) {
        return None;
    }
    if name == "choose" && !input.chooses {
        return None;
    }
    let keymap = &app.prefs.keymap;
    let entry = if input.context == Context::Normal && !KEPT.contains(&name) {
        keymap.entry_in(input.context, name)
    } else {
        keymap.entry(name)
    }?;
    let label = entry.label.clone()?;
    let key = match name {
        "previous-conversation" if entry.key() == "Alt-↑" => "Alt-↑↓".to_owned(),
        "select-up" if input.context == Context::Normal => entry.key(),
        "select-up" => "↑↓".to_owned(),
        _ => entry.key(),
    };
    let key = app.prefs.key_words(&key).into_owned();
    (!key.is_empty()).then_some((key, label))
}
