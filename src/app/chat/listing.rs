//! Taking a chat out of the list and bringing it back. The choice is stored on this machine.

use super::{Chat, Env, alerts};
use crate::app::keymap::KeymapEntry;
use crate::app::pending::PendingRequest;
use crate::model::Request;

fn key(env: &Env<'_>, action: &str) -> String {
    env.prefs.keymap.entry(action).map(KeymapEntry::key).unwrap_or_default()
}

/// Hides a left group for good, any other chat until something new is said; brings a hidden chat back, but not one that
/// is put away. Returns true if it was hidden.
pub fn hide(chat: &mut Chat, env: &mut Env<'_>) -> bool {
    if chat.choices.put_away {
        let back = key(env, "put-away");
        env.note(&format!("This chat is put away; {back} brings it back"));
        return false;
    }
    let find = key(env, "switcher");
    if chat.is_hidden() {
        bring_back(chat, env);
        return false;
    }
    if chat.info.access.is_over() {
        chat.choices.hidden = true;
        env.note(&format!("The group is hidden; {find} finds it by its name"));
    } else {
        chat.choices.hidden_at = Some(chat.last_activity());
        let back = key(env, "hide-group");
        env.note(&format!("Hidden until a new message; {find} finds it, {back} lists it again"));
    }
    alerts::save(chat, env);
    true
}

/// Puts the chat away, or brings it back. True if it is put away now.
pub fn put_away(chat: &mut Chat, env: &mut Env<'_>) -> bool {
    if chat.choices.put_away {
        bring_back(chat, env);
        return false;
    }
    chat.choices.put_away = true;
    alerts::save(chat, env);
    let (find, back) = (key(env, "switcher"), key(env, "put-away"));
    env.note(&format!("Put away; {find} finds it by its name, {back} brings it back"));
    true
}

/// Why a chat cannot be forgotten. Only chats that are over or that the user has hidden can be.
pub fn why_not_forget(chat: &Chat) -> Option<String> {
    if !chat.may_be_forgotten() {
        return Some("leave or hide the chat first".to_owned());
    }
    match chat.sending.unsent.len() {
        0 => None,
        1 => Some("a message has not been sent; send or discard it first".to_owned()),
        n => Some(format!("{n} messages have not been sent; send or discard them first")),
    }
}

/// Deletes everything that is stored of a chat.
pub fn forget(chat: &mut Chat, env: &mut Env<'_>) {
    let conversation = chat.info.id.clone();
    let is_over = chat.info.access.is_over();
    let pending = PendingRequest::Forget(chat.chat_ref());
    env.ask(pending, |ticket| Request::Forget { conversation, is_over, ticket });
}

fn bring_back(chat: &mut Chat, env: &mut Env<'_>) {
    chat.choices.hidden = false;
    chat.choices.hidden_at = None;
    chat.choices.put_away = false;
    alerts::save(chat, env);
    env.note("In the list again");
}

/// Sets the place of a pinned chat among the pinned ones.
pub fn set_pin_place(chat: &mut Chat, env: &mut Env<'_>, place: u32) {
    if chat.choices.pin_place != Some(place) {
        chat.choices.pin_place = Some(place);
        alerts::save(chat, env);
    }
}
