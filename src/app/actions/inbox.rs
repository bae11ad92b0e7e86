//! The inbox: opened by its key, and mentioned to a user who returns after an absence.

use crate::app::keymap::KeymapEntry;
use crate::app::model::Model;
use crate::app::overlay::{Inbox, Overlay};
use crate::app::state::ABSENCE;
use std::time::Duration;

/// How long after the start the user is told what arrived before it. Later messages are seen as they arrive.
const RETURN: Duration = Duration::from_secs(60);

pub fn open(model: &mut Model) {
    match Inbox::new(&model.app) {
        Some(inbox) => model.overlays.push(Overlay::Inbox(inbox)),
        None => match model.app.total_unsent() {
            0 => model.app.note("Nothing is waiting"),
            unsent => {
                model.app.note(&format!("Nothing needs your attention; {}", on_their_way(unsent)));
            }
        },
    }
}

/// Says that no message of the open chat has failed, and how many are still to be sent.
pub fn none_failed(model: &mut Model) {
    match model.app.opened().map_or(0, |chat| chat.sending.unsent.len()) {
        0 => model.app.note("No message here needs your attention: all were sent"),
        unsent => {
            let waiting = on_their_way(unsent);
            model.app.note(&format!("No message here has failed; {waiting}"));
        }
    }
}

/// How many messages are still to be sent.
fn on_their_way(unsent: usize) -> String {
    let plural = if unsent == 1 { " still" } else { "s still" };
    format!("{unsent} message{plural} to be sent")
}

/// Tells a user who returns after hours what is waiting: in a note and not a dialog, so that it is not in the way.
pub fn welcome_back(model: &mut Model) {
    let app = &mut model.app;
    let (now, presence) = (app.clock.mono, &mut app.presence);
    presence.returns &= now <= RETURN;
    let was_away = presence.returns || presence.acted && now >= presence.acted_at + ABSENCE;
    let (unread, _) = app.total_unread();
    if !was_away || unread == 0 {
        return;
    }
    // Do not say it again with the next key.
    app.presence.acted_at = app.clock.mono;
    app.presence.returns = false;
    let messages = if unread == 1 { "1 message".to_owned() } else { format!("{unread} messages") };
    let key = app.prefs.keymap.entry("inbox").map(KeymapEntry::key).unwrap_or_default();
    app.note(&format!("{messages} arrived while you were away · {key} shows them"));
}
