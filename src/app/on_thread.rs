//! Settings of the open conversation: shown as changing until the server answers; its answer decides.

use super::Model;
use super::action::ThreadAction;
use super::effect::Effect;
use super::state::Setting;
use crate::model::{Request, ThreadFlag};

pub fn act(model: &mut Model, action: ThreadAction, effects: &mut Vec<Effect>) {
    match action {
        ThreadAction::Toggle(flag) => set(model, flag, None, effects),
    }
}

/// Sets a flag, or turns it round.
pub fn set(model: &mut Model, flag: ThreadFlag, to: Option<bool>, effects: &mut Vec<Effect>) {
    let me = model.app.me().clone();
    let ticket = model.app.ticket();
    let Some(conversation) = model.app.opened_mut() else {
        model.app.note("Open a conversation first");
        return;
    };
    if flag != ThreadFlag::Alerts && !conversation.info.is_group() {
        model.app.complain("Only groups have this setting");
        return;
    }
    // Whether we may is the server's decision; a role that may have changed meanwhile is not a reason to refuse here.
    let from = match (conversation.setting(flag), to) {
        (Setting::Changing { .. }, _) => {
            model.app.note("Still being saved");
            return;
        }
        // Said in words, it is the server's to decide even when it never told the present state.
        (Setting::Unknown, Some(on)) => !on,
        (Setting::Unknown, None) => {
            let role = conversation.my_role(&me);
            let why = if role.is_none() { "not loaded yet" } else { "the server did not say" };
            model.app.complain(&format!("This setting is not known: {why}"));
            return;
        }
        (Setting::Known(from), _) => from,
    };
    let on = to.unwrap_or(!from);
    if on == from {
        let state = if on { "on" } else { "off" };
        model.app.note(&format!("{} is already {state}", flag.label()));
        return;
    }
    conversation.settings.insert(flag, Setting::Changing { from, to: on, ticket });
    let id = conversation.info.id.clone();
    effects.push(Effect::Request(Box::new(Request::SetFlag {
        conversation: id,
        flag,
        on,
        ticket,
    })));
}
