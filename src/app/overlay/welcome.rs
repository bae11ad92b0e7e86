//! The most important keys, shown at the first start. It takes no keys: every key works as usual.

use super::content::{Content, DialogLine};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::keymap::KeymapEntry;
use crate::app::state::AppState;
use crate::app::view::layout::Size;

#[derive(Debug)]
pub struct Welcome;

impl Dialog for Welcome {
    /// Takes the keys from the key table, so that they are always correct.
    fn content(&self, app: &AppState, _: Size) -> Content {
        let lines = [
            ("send", "sends"),
            ("next-conversation", "opens the chat below (and ↑ the one above)"),
            ("switcher", "finds a chat or a person"),
            ("up", "selects a message (in an empty box)"),
            ("help", "shows all keys"),
        ];
        let keymap = &app.prefs.keymap;
        let lines = lines.iter().filter_map(|(name, what)| {
            let key = keymap.entry(name).map(KeymapEntry::key).filter(|key| !key.is_empty())?;
            Some(DialogLine::new(format!("{key:<9} {what}"), ""))
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
