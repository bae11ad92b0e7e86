//! The message box as rows of text, and the row above it.

use super::bar::{Bar, Label, Tone};
use super::wrap::{break_lines, expand_tabs};
use super::{bidi, layout, shown};
use crate::app::account::Account;
use crate::app::chat::Chat;
use crate::app::state::{AppState, Focus};
use crate::model::text::{cut, cut_name, is_narrow, width};
use crate::model::{ChatAccess, SafeText};
use std::ops::Range;

/// The message box as it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComposeView {
    /// The name of the conversation, cut to the room in the prompt.
    pub recipient: String,
    pub prompt: String,
    pub rows: Vec<String>,
    /// The range of each row in the text.
    pub places: Vec<Range<usize>>,
    /// The cells of misspelt words: the row, and its columns.
    pub misspelt: Vec<(usize, Range<u16>)>,
    /// Column and row of the cursor inside the box, including the prompt.
    pub cursor: (u16, u16),
    pub shows_cursor: bool,
    /// An existing message is being edited.
    pub editing: bool,
}

impl ComposeView {
    /// Marks the words of the text at these places.
    pub(super) fn mark(&mut self, text: &str, words: &[Range<usize>], reorders: bool) {
        for (row, place) in self.places.iter().enumerate() {
            let of_row = |at: usize| {
                let before = text.get(place.start..at.clamp(place.start, place.end));
                shown_row(before.unwrap_or_default())
            };
            for word in words.iter().filter(|w| w.start < place.end && w.end > place.start) {
                let (before, upto) = (of_row(word.start), of_row(word.end));
                let columns = if reorders {
                    let shown = shown_row(text.get(place.clone()).unwrap_or_default());
                    bidi::columns(&shown, &(before.len()..upto.len()))
                } else {
                    std::iter::once(width(&before)..width(&upto)).collect()
                };
                let columns = columns.into_iter().map(|range| {
                    let end = u16::try_from(range.end).unwrap_or(u16::MAX);
                    (row, u16::try_from(range.start).unwrap_or(u16::MAX)..end)
                });
                self.misspelt.extend(columns);
            }
        }
    }
}

/// A row of the message box, or its beginning, as it is drawn.
fn shown_row(typed: &str) -> String {
    if typed.chars().all(is_narrow) {
        return typed.to_owned();
    }
    SafeText::line_as_is(&expand_tabs(typed.trim_end_matches('\n'), &mut 0)).to_string()
}

/// The recipient's name takes at most this part of the box (one divided by it).
const PROMPT_SHARE: u16 = 3;

/// The name of the open chat in the prompt, on a screen with this many columns.
pub(super) fn recipient(app: &AppState, columns: u16) -> String {
    let Some(chat) = app.opened() else { return String::new() };
    let title = shown(&app.prefs, &app.accounts.of(chat).title(chat));
    let most = usize::from(columns / PROMPT_SHARE).max(8);
    cut_name(&title, most.saturating_sub(7))
}

/// The box of the open chat, called `recipient`, on a screen with this many columns.
pub(super) fn view(app: &AppState, recipient: String, columns: u16) -> ComposeView {
    let Some(chat) = app.opened() else {
        return ComposeView { rows: vec![String::new()], ..ComposeView::default() };
    };
    let draft = &chat.composer.draft;
    let closed = closed_words(&chat.info.access).filter(|_| draft.is_empty());
    let prompt = match closed {
        Some(words) => cut(&format!(" {words}"), usize::from(columns.saturating_sub(2)).max(4)),
        None => format!(" To {recipient} › "),
    };
    let left = width(&prompt);
    let columns = usize::from(columns).saturating_sub(left + 1).max(4);
    let ranges = break_lines(&draft.text, columns);
    let mut cursor = (0, 0);
    let mut rows = Vec::with_capacity(ranges.len());
    for (i, range) in ranges.iter().enumerate() {
        let row = draft.text.get(range.clone()).unwrap_or_default();
        let last = i + 1 == ranges.len();
        let here = range.start <= draft.cursor && (draft.cursor < range.end || last);
        let before = row.get(..draft.cursor.saturating_sub(range.start)).unwrap_or_default();
        let (clean, before) = (shown_row(row), shown_row(before));
        let (text, column) = if app.prefs.reorders() {
            bidi::typed(&clean, before.len())
        } else {
            (clean, width(&before))
        };
        if here {
            cursor = (left + column.min(columns), i);
        }
        rows.push(text);
    }
    // If the text has more rows than the box, the cursor's row stays visible.
    let most = usize::from(layout::MAX_COMPOSE);
    let skip = (cursor.1 + 1).saturating_sub(most);
    let rows: Vec<String> = rows.into_iter().skip(skip).take(most).collect();
    let places = ranges.into_iter().skip(skip).take(most).collect();
    let column = u16::try_from(cursor.0).unwrap_or(0);
    ComposeView {
        recipient,
        prompt,
        rows,
        places,
        misspelt: Vec::new(),
        cursor: (column, u16::try_from(cursor.1 - skip).unwrap_or(0)),
        shows_cursor: chat.selection.is_none()
            && app.focus == Focus::Compose
            && !chat.info.access.is_over()
            && !(app.is_normal() && draft.text.is_empty()),
        editing: draft.edit.is_some(),
    }
}

/// Why nothing can be written here; `None` if it can.
fn closed_words(access: &ChatAccess) -> Option<String> {
    match access {
        ChatAccess::Full => None,
        ChatAccess::ReadOnly(why) => Some(format!("You cannot write here: {why}")),
        ChatAccess::Left => Some("You are no longer a member of this group".to_owned()),
        ChatAccess::Gone => Some("No longer on the service; its history stays here".to_owned()),
    }
}

/// The end of the row above the box during a reply.
const REMOVES: &str = " · Esc removes the quote";

/// What is being replied to or edited.
pub(super) fn banner(account: &Account, chat: &Chat, columns: usize) -> Bar {
    let draft = &chat.composer.draft;
    let room = columns.saturating_sub(2);
    let (text, hint) = match (&draft.reply, &draft.edit) {
        (_, Some(edit)) => {
            let what = match edit.source.as_deref() {
                Some(kind) if kind != "Text" => "editing the markup with its tags",
                _ => "editing",
            };
            let was = SafeText::line(&first_words(&edit.was));
            (format!("{what}: {was}"), " · Esc stops editing, keeps the text")
        }
        (Some(quote), None) => {
            let is_shared = quote.author != account.me && account.names.is_shared(&quote.author);
            let name = Some(account.names.label(&quote.author)).filter(|_| is_shared);
            let name = name.as_ref().unwrap_or(&quote.name);
            let text = format!("↳ replying to {name}: {}", first_words(&quote.text));
            // The name takes precedence over the hint.
            let fits = width("↳ replying to ") + width(name) + width(REMOVES) < room;
            (text, if fits { REMOVES } else { "" })
        }
        (None, None) => return Bar::default(),
    };
    let text = format!("{}{hint}", cut(&text, room.saturating_sub(width(hint))));
    let left = vec![Label::new(format!(" {}", cut(&text, room)), Tone::Dim)];
    Bar { left, ..Bar::default() }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(30).collect::<Vec<_>>().join(" ")
}
