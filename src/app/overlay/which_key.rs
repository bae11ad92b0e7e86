//! Shows what can follow the first of two keys, right above the message box. It takes no keys.

use super::content::{Content, DialogLine, DialogView, Extent};
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::text::width;
use std::time::Duration;

/// Users who know the second key press it before that.
pub const SHOWN_AFTER: Duration = Duration::from_millis(300);

/// The keys that can follow the first one in this place, if the second one has not come for a while.
pub fn which_key(app: &AppState, place: Context, size: Size, above: u16) -> Option<DialogView> {
    let (prefix, since) = app.keys.prefix.as_ref()?;
    if app.clock.mono < *since + SHOWN_AFTER {
        return None;
    }
    let columns = usize::from(size.columns.min(80).saturating_sub(4));
    let mut rows: Vec<String> = Vec::new();
    let places = app.prefs.keymap.places(place);
    for entry in app.prefs.keymap.entries() {
        if !entry.contexts.iter().any(|context| places.contains(context)) {
            continue;
        }
        let Some(key) = second_key(entry, prefix) else { continue };
        let word = entry.label.as_deref().unwrap_or(&entry.name);
        let item = format!("{key} {word}");
        match rows.last_mut() {
            Some(row) if width(row) + 3 + width(&item) <= columns => {
                row.push_str("   ");
                row.push_str(&item);
            }
            _ => rows.push(item),
        }
    }
    let lines = rows.into_iter().map(|row| DialogLine::new(row, "")).collect();
    let content = Content::new(format!("{prefix} and"), lines, "Esc cancels");
    Content { extent: Extent::AboveBox, ..content }.place(size, above)
}

/// The second key of an action that begins with this one.
fn second_key(entry: &KeymapEntry, prefix: &str) -> Option<String> {
    entry.keys.iter().find_map(|keys| match keys.as_slice() {
        [first, second] if first.short() == prefix => Some(second.short()),
        _ => None,
    })
}
