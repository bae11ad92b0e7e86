//! Settings and members of the open conversation, new groups, joining: shown as changing until the server answers;
//! its answer decides.

use super::Model;
use super::action::ThreadAction;
use super::effect::Effect;
use super::group::{JoinUrlState, blocked};
use super::overlay::{Consent, Overlay};
use super::pending::PendingRequest;
use super::thread_overlay::{AskFor, PickFor, ThreadOverlay};
use crate::model::{ConversationId, Request, Role, SafeText, ThreadChange, ThreadFlag, UserId};

pub fn act(model: &mut Model, action: ThreadAction) {
    if model.app.open.is_none() && !matches!(action, ThreadAction::Create | ThreadAction::Join) {
        model.app.note("Open a conversation first");
        return;
    }
    match action {
        ThreadAction::Toggle(flag) => set(model, flag, None),
        ThreadAction::Settings => show(model, ThreadOverlay::Settings { marked: 0 }),
        ThreadAction::EditTopic => ask_topic(model, false),
        ThreadAction::CopyUrl => copy_url(model),
        ThreadAction::Members => {
            if is_group(model) {
                show(model, ThreadOverlay::Members { marked: 0, picked: Vec::new() });
            }
        }
        ThreadAction::AddMembers => {
            if is_group(model) {
                pick(model, PickFor::Add { back: false });
            }
        }
        ThreadAction::Leave => ask_leave(model),
        ThreadAction::Clear => ask_clear(model),
        ThreadAction::Create => ask(model, AskFor::NewGroup, String::new()),
        ThreadAction::Join => ask(model, AskFor::JoinUrl, String::new()),
    }
}

fn is_group(model: &mut Model) -> bool {
    let group = model.app.opened().is_some_and(|c| c.info.is_group());
    if !group {
        model.app.complain("Only groups have members");
    }
    group
}

/// Opens a part of the settings; what it shows is asked for again, so that it is the server's truth.
pub fn show(model: &mut Model, overlay: ThreadOverlay) {
    model.app.overlay = Some(Overlay::Thread(overlay));
    fetch_url(model);
    if let Some(conversation) = model.app.open.clone() {
        model.app.request(Request::Refresh { conversation });
    }
}

/// [`fetch_url`] while the settings are on the screen.
pub fn fetch_url_if_wanted(model: &mut Model) {
    if matches!(model.app.overlay, Some(Overlay::Thread(_))) {
        fetch_url(model);
    }
}

/// Asks for the join URL where there is one and it is not known.
pub fn fetch_url(model: &mut Model) {
    let Some(c) = model.app.opened() else { return };
    let open = c.info.is_group() && c.known(ThreadFlag::JoiningEnabled) == Some(true);
    let missing = matches!(c.group.url, JoinUrlState::Unknown | JoinUrlState::Failed(_));
    let id = c.info.id.clone();
    if open && missing {
        request_url(model, &id, false);
    }
}

/// Asks for the join URL, or adds to a request under way that it is to be copied.
fn request_url(model: &mut Model, id: &ConversationId, copy: bool) {
    if model.app.pending.wants_join_url(id, copy) {
        return;
    }
    let conversation = id.clone();
    let request = PendingRequest::JoinUrl { conversation: conversation.clone(), copy };
    let ticket = model.app.pending.add(request);
    model.app.request(Request::JoinUrl { conversation, ticket });
}

fn copy_url(model: &mut Model) {
    let Some(c) = model.app.opened() else { return };
    if !c.info.is_group() {
        model.app.complain("Only groups have a join URL");
        return;
    }
    match (&c.group.url, model.app.flag(c, ThreadFlag::JoiningEnabled).shown()) {
        (_, Some(false)) => model.app.note("Joining by link is off: Alt-J turns it on"),
        (JoinUrlState::Known(url), _) => {
            model
                .app
                .effects
                .push(Effect::Copy { what: "the join URL".into(), text: url.to_string() });
        }
        _ => {
            let id = c.info.id.clone();
            model.app.note("Fetching the join URL…");
            request_url(model, &id, true);
        }
    }
}

pub fn ask(model: &mut Model, what: AskFor, input: String) {
    model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Ask { what, input }));
}

pub fn ask_topic(model: &mut Model, back: bool) {
    let Some(c) = model.app.opened() else { return };
    if let Some(why) = blocked(&model.app, c, &ThreadChange::Topic(String::new())) {
        model.app.complain(&format!("The topic cannot be changed: {why}"));
        return;
    }
    let now = c.info.shown_topic().map(ToString::to_string).unwrap_or_default();
    ask(model, AskFor::Topic { back, was: now.clone() }, now);
}

pub fn pick(model: &mut Model, purpose: PickFor) {
    let found = super::thread_overlay::people(&model.app, &purpose, "");
    model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Pick {
        purpose,
        input: String::new(),
        marked: 0,
        found,
        picked: Vec::new(),
    }));
}

pub fn ask_leave(model: &mut Model) {
    let me = model.app.me().clone();
    let Some(c) = model.app.opened() else { return };
    if let Some(why) = blocked(&model.app, c, &ThreadChange::Remove(me)) {
        model.app.complain(why);
        return;
    }
    let back = if model.app.flag(c, ThreadFlag::JoiningEnabled).shown() == Some(true) {
        "Joining by link is on: with the link you can come back."
    } else {
        "Only an admin can bring you back."
    };
    let title = model.app.title(c);
    model.app.overlay = Some(Overlay::Confirm {
        question: SafeText::line(&format!("Leave {title}?")),
        detail: SafeText::line(&format!(
            "You get no more messages; what you have read stays readable here. {back}"
        )),
        consent: Consent::Change(c.info.id.clone(), ThreadChange::Remove(model.app.me().clone())),
    });
}

pub fn ask_clear(model: &mut Model) {
    let Some(c) = model.app.opened() else { return };
    model.app.overlay = Some(Overlay::Confirm {
        question: SafeText::line(&format!("Delete the history of {}?", model.app.title(c))),
        detail: "For this account only, on all its devices; the others keep theirs. It cannot be undone.".into(),
        consent: Consent::Change(c.info.id.clone(), ThreadChange::Clear),
    });
}

/// Sets a flag, or turns it round.
pub fn set(model: &mut Model, flag: ThreadFlag, to: Option<bool>) {
    let Some(c) = model.app.opened() else {
        model.app.note("Open a conversation first");
        return;
    };
    if !flag.is_own() && !c.info.is_group() {
        model.app.complain("Only groups have this setting");
        return;
    }
    let state = model.app.flag(c, flag);
    if state.is_changing() {
        model.app.note("Still being saved");
        return;
    }
    // Whether we may is the server's decision; a role that may have changed meanwhile is no reason to refuse here.
    let on = match (to, state.known) {
        (Some(on), Some(known)) if on == known => {
            let word = if on { "on" } else { "off" };
            model.app.note(&format!("{} is already {word}", flag.label()));
            return;
        }
        (Some(on), _) => on,
        (None, Some(known)) => !known,
        (None, None) => {
            let role = c.my_role(model.app.me());
            let why = if role.is_none() { "not loaded yet" } else { "the server did not say" };
            model.app.complain(&format!("This setting is not known: {why}"));
            return;
        }
    };
    let id = c.info.id.clone();
    change(model, &id, ThreadChange::Flag(flag, on));
}

/// Asks the server for a change of a conversation.
pub fn change(model: &mut Model, id: &ConversationId, change: ThreadChange) {
    let conversation = id.clone();
    let request = PendingRequest::Thread { conversation: id.clone(), change: change.clone() };
    let ticket = model.app.pending.add(request);
    model.app.conversations.touch();
    model.app.request(Request::Thread { conversation, change, ticket });
}

/// The open conversation's topic. One line, as long as it needs to be.
pub fn set_topic(model: &mut Model, topic: &str) {
    let topic = SafeText::line(topic).to_string();
    let Some(c) = model.app.opened() else { return };
    if let Some(why) = blocked(&model.app, c, &ThreadChange::Topic(String::new())) {
        model.app.complain(&format!("The topic cannot be changed: {why}"));
        return;
    }
    let same = c.info.topic.as_deref().unwrap_or_default() == topic;
    let id = c.info.id.clone();
    if same {
        model.app.note("The topic is the same");
    } else {
        change(model, &id, ThreadChange::Topic(topic));
    }
}

/// Adds people, or gives members a role, one request each.
pub fn put(model: &mut Model, people: &[(UserId, Role)]) {
    let Some(id) = model.app.open.clone() else { return };
    for (who, role) in people {
        change(model, &id, ThreadChange::Member(who.clone(), *role));
    }
}

/// Asks for a new group.
pub fn create(model: &mut Model, topic: &str, members: Vec<(UserId, Role)>) {
    let ticket = model.app.pending.add(PendingRequest::CreateGroup);
    model.app.note("The group is being created…");
    let topic = SafeText::line(topic).to_string();
    model.app.request(Request::Create { topic, members, ticket });
}

/// Asks what a join address leads to.
pub fn resolve(model: &mut Model, url: &str) {
    let url = url.trim();
    let code = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if code.is_empty() || url.contains(char::is_whitespace) {
        model.app.complain("A join URL looks like https://join.skype.com/CODE");
        return;
    }
    let ticket = model.app.pending.add(PendingRequest::ResolveJoinUrl);
    model.app.note("Asking where the link leads…");
    model.app.request(Request::Resolve { url: url.to_owned(), ticket });
}

/// Joins the group that a link led to.
pub fn join(model: &mut Model, id: &ConversationId) {
    let ticket = model.app.pending.add(PendingRequest::JoinGroup(id.clone()));
    let me = model.app.me().clone();
    let change = ThreadChange::Member(me, Role::User);
    let conversation = id.clone();
    model.app.request(Request::Thread { conversation, change, ticket });
}
