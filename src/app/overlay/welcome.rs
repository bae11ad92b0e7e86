//! The few keys to begin with, at the very first start. Takes no keys away: whatever is pressed is done.

use super::content::{Content, DialogLine};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::keymap::KeymapEntry;
use crate::app::state::AppState;
use crate::app::view::layout::Size;

#[derive(Debug)]
pub struct Welcome;

impl Dialog for Welcome {
    /// From the key table, so that they are true.
    fn content(&self, app: &AppState, _: Size) -> Content {
        let lines = [
            ("send", "sends"),
            ("next-conversation", "opens the chat below (and ↑ the one above)"),
            ("switcher", "finds a chat or a person"),
            ("up", "in an empty box selects a message"),
            ("help", "shows all keys"),
        ];
        let keymap = &app.prefs.keymap;
        let lines = lines.iter().filter_map(|(name, what)| {
            let key = keymap.entry(name).map(KeymapEntry::key).filter(|key| !key.is_empty())?;
            Some(DialogLine::new(format!("{key:<6} {what}"), ""))
        });
        let hint = "Esc closes this · C- Ctrl, M- Alt";
        Content::new("Getting started", lines.collect(), hint).narrow()
    }

    fn act(&mut self, _: OverlayAction, _: &mut DialogEnv<'_>) -> Next {
        Next::Close
    }

    fn is_passive(&self) -> bool {
        true
    }
}
