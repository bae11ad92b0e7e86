//! What happens without the user: changes from sync, answers, results of other programs, and time.

pub mod deadline;
mod deltas;
mod messages;
mod outcome;
mod responses;

pub use deltas::apply as delta;
pub use outcome::apply as outcome;

use super::chat::{history, reading};
use super::model::Model;
use super::view::Want;

/// What a frame found missing. It is reported with every frame; the first report acts, the rest are ignored.
pub fn want(model: &mut Model, want: Want) {
    match want {
        Want::Older(chat) => {
            model.app.with_chat(&chat, history::load_older);
        }
        Want::Newer(chat) => {
            model.app.with_chat(&chat, history::load_newer);
        }
        Want::Seen { chat, from, upto } => {
            let presence = model.app.presence;
            // A chat that opened by itself is read once someone does something.
            if presence.focused && presence.acted {
                model.app.with_chat(&chat, |chat, env| reading::seen(chat, env, &from, &upto));
            }
        }
    }
}

/// The terminal gained or lost the focus.
pub fn focus(model: &mut Model, focused: bool) {
    model.app.presence.focused = focused;
    model.app.with_open(|chat, _| reading::look_away(chat));
}
