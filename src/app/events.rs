//! What happens without the user: changes from sync, answers, results of other programs, and time.

mod accounts;
mod attention;
mod became_thread;
mod configuration;
pub mod deadline;
mod deltas;
pub mod figures;
mod imports;
mod messages;
mod outcome;
mod responses;

pub use deltas::apply as delta;
pub use outcome::apply as outcome;

use super::actions;
use super::chat::{Chat, Env, history, reading, statistics};
use super::effect::Effect;
use super::model::Model;
use super::view::Want;
use crate::model::{EmojiWidth, Request};

/// Handles what a frame found missing. Every frame reports it; only the first report has an effect.
pub fn want(model: &mut Model, want: Want) {
    match want {
        Want::Older(chat) => {
            model.app.with_chat_quietly(&chat, history::load_older);
        }
        Want::Newer(chat) => {
            model.app.with_chat_quietly(&chat, history::load_newer);
        }
        Want::Highlight(code) => model.app.effects.push(Effect::Highlight(code)),
        Want::Spelling(request) => model.app.effects.push(Effect::Spelling(request)),
        Want::Statistics(chat) => {
            model.app.with_chat(&chat, statistics::ask);
        }
        Want::Presence { account: id, people } => {
            let account = model.app.accounts.get_mut(&id);
            if let Some(reachable) = account.and_then(|account| account.reachable.as_mut()) {
                reachable.reported.clone_from(&people);
                model.app.request(&id, Request::InSight { people });
            }
        }
        Want::Seen { chat, from, upto } => {
            let presence = &model.app.presence;
            // A chat that opened by itself does not count as read until the user has done something.
            if presence.focused && presence.acted {
                let seen =
                    |chat: &mut Chat, env: &mut Env<'_>| reading::seen(chat, env, &from, &upto);
                model.app.with_chat_quietly(&chat, seen);
            }
        }
    }
}

/// The terminal has reported how it draws joined emoji. If that differs from before, everything is laid out again.
pub fn emoji_width(model: &mut Model, width: EmojiWidth) {
    let ui = &mut model.app.prefs.choices.ui;
    if ui.emoji_width != width {
        ui.emoji_width = width;
        model.view.forget();
    }
}

/// The terminal gained or lost the focus.
pub fn focus(model: &mut Model, focused: bool) {
    model.app.presence.focused = focused;
    model.app.presence.reports_focus = true;
    model.app.with_open(|chat, _| reading::look_away(chat));
    if focused {
        actions::inbox::welcome_back(model);
    }
}
