//! Settings and members of the open conversation, new groups, joining: shown as changing until the server answers;
//! its answer decides.

use super::Model;
use super::action::ThreadAction;
use super::effect::Effect;
use super::group::{JoinUrlState, Wish, blocked};
use super::overlay::{Consent, Overlay};
use super::state::FlagState;
use super::thread_overlay::{AskFor, PickFor, ThreadOverlay};
use crate::model::{ConversationId, Request, Role, SafeText, ThreadChange, ThreadFlag, UserId};

pub fn act(model: &mut Model, action: ThreadAction, effects: &mut Vec<Effect>) {
    if model.app.open.is_none() && !matches!(action, ThreadAction::Create | ThreadAction::Join) {
        model.app.note("Open a conversation first");
        return;
    }
    match action {
        ThreadAction::Toggle(flag) => set(model, flag, None, effects),
        ThreadAction::Settings => show(model, ThreadOverlay::Settings { marked: 0 }, effects),
        ThreadAction::EditTopic => ask_topic(model, false),
        ThreadAction::CopyUrl => copy_url(model, effects),
        ThreadAction::Members => {
            if is_group(model) {
                show(model, ThreadOverlay::Members { marked: 0, picked: Vec::new() }, effects);
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
pub fn show(model: &mut Model, overlay: ThreadOverlay, effects: &mut Vec<Effect>) {
    model.app.overlay = Some(Overlay::Thread(overlay));
    fetch_url(model, effects);
    if let Some(conversation) = model.app.open.clone() {
        effects.push(Effect::Request(Box::new(Request::Refresh { conversation })));
    }
}

/// [`fetch_url`] while it is to be seen or waited for.
pub fn fetch_url_if_wanted(model: &mut Model, effects: &mut Vec<Effect>) {
    let seen = matches!(model.app.overlay, Some(Overlay::Thread(_)));
    if seen || model.app.opened().is_some_and(|c| c.group.url_wanted) {
        fetch_url(model, effects);
    }
}

/// Asks for the join address where there is one and it is not known.
pub fn fetch_url(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(c) = model.app.opened_mut() else { return };
    let open = c.setting(ThreadFlag::JoiningEnabled) == FlagState::Known(true);
    if c.info.is_group()
        && open
        && matches!(c.group.url, JoinUrlState::Unknown | JoinUrlState::Failed(_))
    {
        c.group.url = JoinUrlState::Loading;
        let conversation = c.info.id.clone();
        effects.push(Effect::Request(Box::new(Request::JoinUrl { conversation })));
    }
}

fn copy_url(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(c) = model.app.opened() else { return };
    if !c.info.is_group() {
        model.app.complain("Only groups have a join URL");
        return;
    }
    match (&c.group.url, c.setting(ThreadFlag::JoiningEnabled).shown()) {
        (_, Some(false)) => model.app.note("Joining by link is off: Alt-J turns it on"),
        (JoinUrlState::Known(url), _) => {
            effects.push(Effect::Copy { what: "the join URL".into(), text: url.to_string() });
        }
        _ => {
            model.app.note("The join URL is being asked for…");
            if let Some(c) = model.app.opened_mut() {
                c.group.url_wanted = true;
            }
            fetch_url(model, effects);
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
    let back = if c.setting(ThreadFlag::JoiningEnabled).shown() == Some(true) {
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
pub fn set(model: &mut Model, flag: ThreadFlag, to: Option<bool>, effects: &mut Vec<Effect>) {
    let me = model.app.me().clone();
    let ticket = model.app.ticket();
    let Some(conversation) = model.app.opened_mut() else {
        model.app.note("Open a conversation first");
        return;
    };
    if !flag.is_own() && !conversation.info.is_group() {
        model.app.complain("Only groups have this setting");
        return;
    }
    // Whether we may is the server's decision; a role that may have changed meanwhile is not a reason to refuse here.
    let from = match (conversation.setting(flag), to) {
        (FlagState::Changing { .. }, _) => {
            model.app.note("Still being saved");
            return;
        }
        // Said in words, it is the server's to decide even when it never told the present state.
        (FlagState::Unknown, Some(on)) => !on,
        (FlagState::Unknown, None) => {
            let role = conversation.my_role(&me);
            let why = if role.is_none() { "not loaded yet" } else { "the server did not say" };
            model.app.complain(&format!("This setting is not known: {why}"));
            return;
        }
        (FlagState::Known(from), _) => from,
    };
    let on = to.unwrap_or(!from);
    if on == from {
        let state = if on { "on" } else { "off" };
        model.app.note(&format!("{} is already {state}", flag.label()));
        return;
    }
    conversation.settings.insert(flag, FlagState::Changing { from, to: on, ticket });
    let conversation = conversation.info.id.clone();
    let change = ThreadChange::Flag(flag, on);
    effects.push(Effect::Request(Box::new(Request::Thread { conversation, change, ticket })));
}

/// Asks the server for any other change of a conversation.
pub fn change(
    model: &mut Model,
    id: &ConversationId,
    change: ThreadChange,
    effects: &mut Vec<Effect>,
) {
    let ticket = model.app.ticket();
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    c.group.pending.push((ticket, change.clone()));
    let conversation = id.clone();
    effects.push(Effect::Request(Box::new(Request::Thread { conversation, change, ticket })));
}

/// The open conversation's topic. One line, as long as it needs to be.
pub fn set_topic(model: &mut Model, topic: &str, effects: &mut Vec<Effect>) {
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
        change(model, &id, ThreadChange::Topic(topic), effects);
    }
}

/// Adds people, or gives members a role, one request each.
pub fn put(model: &mut Model, people: &[(UserId, Role)], effects: &mut Vec<Effect>) {
    let Some(id) = model.app.open.clone() else { return };
    for (who, role) in people {
        change(model, &id, ThreadChange::Member(who.clone(), *role), effects);
    }
}

/// Asks for a new group.
pub fn create(
    model: &mut Model,
    topic: &str,
    members: Vec<(UserId, Role)>,
    effects: &mut Vec<Effect>,
) {
    let ticket = model.app.ticket();
    model.app.wishes.push((ticket, Wish::Create));
    model.app.note("The group is being created…");
    let topic = SafeText::line(topic).to_string();
    effects.push(Effect::Request(Box::new(Request::Create { topic, members, ticket })));
}

/// Asks what a join address leads to.
pub fn resolve(model: &mut Model, url: &str, effects: &mut Vec<Effect>) {
    let url = url.trim();
    let code = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if code.is_empty() || url.contains(char::is_whitespace) {
        model.app.complain("A join URL looks like https://join.skype.com/CODE");
        return;
    }
    let ticket = model.app.ticket();
    model.app.wishes.push((ticket, Wish::Resolve));
    model.app.note("Asking where the link leads…");
    effects.push(Effect::Request(Box::new(Request::Resolve { url: url.to_owned(), ticket })));
}

/// Joins the group that a link led to.
pub fn join(model: &mut Model, id: &ConversationId, effects: &mut Vec<Effect>) {
    let ticket = model.app.ticket();
    let me = model.app.me().clone();
    model.app.wishes.push((ticket, Wish::Join(id.clone())));
    let change = ThreadChange::Member(me, Role::User);
    let conversation = id.clone();
    effects.push(Effect::Request(Box::new(Request::Thread { conversation, change, ticket })));
}
