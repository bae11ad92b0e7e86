//! The most important keys, shown at the first start. The dialog takes no keys: every key works as usual.

use super::content::{Content, DialogLine, wide_columns};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::keymap::KeymapEntry;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;

#[derive(Debug)]
pub struct Welcome;

impl Welcome {
    /// Whether enough of the screen stays visible beside it.
    pub fn fits(size: Size) -> bool {
        size.columns >= 90 && size.rows >= 30
    }
}

impl Dialog for Welcome {
    /// Takes the keys from the key table, so that they are always correct.
    fn content(&self, app: &AppState, size: Size) -> Content {
        const KEY: usize = 10;
        let columns = wide_columns(size).min(55).saturating_sub(KEY);
        let lines = [
            ("send", "sends"),
            ("next-conversation", "opens the chat below (and ↑ the one above)"),
            ("switcher", "finds a chat or a person"),
            ("up", "selects a message (in an empty box)"),
            ("help", "shows all keys"),
        ];
        let keymap = &app.prefs.keymap;
        let lines = lines.iter().flat_map(|(name, what)| {
            let key = keymap.entry(name).map(KeymapEntry::key).filter(|key| !key.is_empty());
            let mut key = key.unwrap_or_default();
            let rows = if key.is_empty() { Vec::new() } else { break_lines(what, columns) };
            let rows = rows.into_iter().filter_map(|row| what.get(row));
            let line =
                |row: &str| DialogLine::new(format!("{:<KEY$}{row}", std::mem::take(&mut key)), "");
            rows.map(line).collect::<Vec<_>>()
        });
        Content::new("Getting started", lines.collect(), "Esc closes this").narrow()
    }

    fn act(&mut self, _: OverlayAction, _: &mut DialogEnv<'_>) -> Next {
        Next::Close
    }

    fn is_passive(&self) -> bool {
        true
    }
}
