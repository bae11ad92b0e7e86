//! Settings and members of the open chat, new groups, joining.

use crate::app::action::ThreadAction;
use crate::app::chat::{alerts, join_url, listing};
use crate::app::model::Model;
use crate::app::overlay::{
    Alerts, Members, Overlay, PeoplePicker, PickPurpose, Prompt, Settings, ask_clear, ask_forget,
    ask_leave, change_flag,
};
use crate::model::{ChatRef, Request, ThreadFlag};

pub fn act(model: &mut Model, action: ThreadAction) {
    match action {
        ThreadAction::Create => return model.overlays.push(Prompt::new_group()),
        ThreadAction::Join => return model.overlays.push(Prompt::join_url()),
        _ => {}
    }
    let Some(chat) = model.app.open.clone() else {
        model.app.note("Open a chat first");
        return;
    };
    let opened = match action {
        ThreadAction::Toggle(ThreadFlag::Alerts)
            if model.app.with_open(alerts::unmute) == Some(true) =>
        {
            model.app.note("Alerts are on");
            None
        }
        ThreadAction::Notifications => Some(Overlay::Alerts(Alerts::new(chat))),
        ThreadAction::Toggle(flag) => change_flag(&mut model.app, &chat, flag, None),
        ThreadAction::CopyUrl => {
            model.app.with_open(join_url::copy);
            None
        }
        ThreadAction::Settings => {
            refresh(model);
            Some(Overlay::Settings(Settings::new(chat)))
        }
        ThreadAction::EditTopic => Prompt::topic(&mut model.app, chat),
        ThreadAction::Members => members(model, chat),
        ThreadAction::AddMembers => is_group(model)
            .then(|| PeoplePicker::new(&model.app, PickPurpose::Add(chat)))
            .map(Overlay::PeoplePicker),
        ThreadAction::Leave => ask_leave(&mut model.app, chat),
        ThreadAction::Clear => ask_clear(&model.app, chat),
        ThreadAction::Forget => ask_forget(&mut model.app, chat),
        ThreadAction::Hide | ThreadAction::PutAway => {
            let away = action == ThreadAction::PutAway;
            let work = if away { listing::put_away } else { listing::hide };
            if model.app.with_open(work) == Some(true) {
                let note = model.app.notes.current().map(|note| note.text.to_string());
                model.app.close_chat();
                model.app.note(&note.unwrap_or_default());
            }
            None
        }
        ThreadAction::Create | ThreadAction::Join => None,
    };
    model.overlays.extend(opened);
}

fn members(model: &mut Model, chat: ChatRef) -> Option<Overlay> {
    if !is_group(model) {
        return None;
    }
    refresh(model);
    Some(Overlay::Members(Members::new(&model.app, chat)))
}

fn is_group(model: &mut Model) -> bool {
    let group = model.app.opened().is_some_and(|c| c.info.is_group());
    if !group {
        model.app.complain("Only groups have members");
    }
    group
}

/// Fetches the settings again, so that they match the server's.
fn refresh(model: &mut Model) {
    model.app.with_open(|chat, env| {
        join_url::fetch(chat, env);
        env.request(Request::Refresh { conversation: chat.info.id.clone() });
    });
}
