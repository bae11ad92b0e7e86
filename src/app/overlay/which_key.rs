//! Shows what can follow the first key of a pair, right above the message box. The dialog takes no keys.

use super::content::{Content, DialogLine, DialogView, Extent};
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::text::{cut, width};
use std::time::Duration;

/// Users who know the second key press it before this delay.
pub const SHOWN_AFTER: Duration = Duration::from_millis(300);

/// Cells between two keys, if there is room.
const GAP: usize = 3;
/// The gap, and the cells of a word, if there is less room.
const SMALLER: [(usize, usize); 4] = [(2, usize::MAX), (2, 9), (1, 7), (1, 4)];
/// Rows of the frame.
const FRAME: usize = 2;

/// The keys that can follow the first one in this place, if the second one was not pressed for a while.
pub fn which_key(app: &AppState, place: Context, size: Size, above: u16) -> Option<DialogView> {
    let (prefix, since) = app.keys.prefix.as_ref()?;
    if app.clock.mono < *since + SHOWN_AFTER {
        return None;
    }
    let columns = usize::from(size.columns.min(80).saturating_sub(4));
    let places = app.prefs.keymap.places(place);
    let entries = app.prefs.keymap.entries().iter();
    let here = entries.filter(|entry| entry.contexts.iter().any(|place| places.contains(place)));
    let items: Vec<(String, &str)> = here
        .filter_map(|entry| {
            let word = entry.label.as_deref().unwrap_or(&entry.name);
            Some((app.prefs.key_words(&second_key(entry, prefix)?).into_owned(), word))
        })
        .collect();
    // On a small screen, showing all keys takes precedence over whole words, and over what is below.
    let mut above = above;
    let mut rows = rows(&items, GAP, usize::MAX, columns);
    for (gap, letters) in SMALLER {
        if rows.len() + FRAME <= usize::from(above) {
            break;
        }
        above = size.rows;
        rows = self::rows(&items, gap, letters, columns);
    }
    let lines = rows.into_iter().map(|row| DialogLine::new(row, "")).collect();
    let content = Content::new(format!("{prefix} and"), lines, "Esc cancels");
    Content { extent: Extent::AboveBox, ..content }.place(size, above)
}

/// Keys with their words, as many in a row as fit.
fn rows(items: &[(String, &str)], gap: usize, letters: usize, columns: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for (key, word) in items {
        let item = format!("{key} {}", cut(word, letters));
        match rows.last_mut() {
            Some(row) if width(row) + gap + width(&item) <= columns => {
                row.push_str(&" ".repeat(gap));
                row.push_str(&item);
            }
            _ => rows.push(item),
        }
    }
    rows
}

/// The second key of an action that begins with this one.
fn second_key(entry: &KeymapEntry, prefix: &str) -> Option<String> {
    entry.keys.iter().find_map(|keys| match keys.as_slice() {
        [first, second] if first.short() == prefix => Some(second.short()),
        _ => None,
    })
}
