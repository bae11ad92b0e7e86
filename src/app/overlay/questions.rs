//! Questions that are asked before an action that affects others or cannot be undone.

use super::{Confirm, Consent, Next, Overlay};
use crate::app::chat::{group, listing};
use crate::app::state::AppState;
use crate::model::{ChatRef, Member, Role, SafeText, ThreadChange, ThreadFlag, UserId};

/// Changes a two-state setting, or toggles it if `to` is `None`. Asks first if everyone in the group shares it.
pub fn change_flag(
    app: &mut AppState,
    at: &ChatRef,
    flag: ThreadFlag,
    to: Option<bool>,
) -> Option<Overlay> {
    let on = app.with_chat(at, |chat, env| group::wanted_flag(chat, env, flag, to)).flatten()?;
    let Some(activity) = &flag.spec().activity else {
        app.with_chat(at, |chat, env| group::change(chat, env, ThreadChange::Flag(flag, on)));
        return None;
    };
    let [question, detail] = if on { activity.ask_on } else { activity.ask_off };
    let consent = Consent::Change(at.clone(), ThreadChange::Flag(flag, on));
    Some(Overlay::Confirm(Confirm::new(question, detail, consent)))
}

/// Asks for confirmation before leaving a group.
pub fn ask_leave(app: &mut AppState, chat: ChatRef) -> Option<Overlay> {
    let c = app.accounts.chat(&chat)?;
    let account = app.accounts.of(c);
    let leave = ThreadChange::Remove(account.me.clone());
    if let Some(why) = c.blocked(&account.me, &leave) {
        app.complain(&why.to_string());
        return None;
    }
    let back = if c.flag(&app.pending, ThreadFlag::JoiningEnabled).shown() == Some(true) {
        "Joining by link is on: you can come back with the link."
    } else {
        "Only an admin can add you again."
    };
    let question = format!("Leave {}?", account.title(c));
    let detail = format!(
        "You will receive no more messages. The history stored here stays readable. {back}"
    );
    Some(Overlay::Confirm(Confirm::new(&question, &detail, Consent::Change(chat, leave))))
}

/// Asks for confirmation before deleting the history.
pub fn ask_clear(app: &AppState, chat: ChatRef) -> Option<Overlay> {
    let c = app.accounts.chat(&chat)?;
    let question = format!("Delete the history of {}?", app.accounts.of(c).title(c));
    let detail =
        "For your account only, on all your devices. Others keep theirs. This cannot be undone.";
    let consent = Consent::Change(chat, ThreadChange::Clear);
    Some(Overlay::Confirm(Confirm::new(&question, detail, consent)))
}

/// Asks for confirmation before deleting everything that is stored of a chat.
pub fn ask_forget(app: &mut AppState, chat: ChatRef) -> Option<Overlay> {
    let c = app.accounts.chat(&chat)?;
    let account = app.accounts.of(c);
    let refusal = if app.prefs.read_only {
        Some("read-only: nothing is changed".to_owned())
    } else if account.id.archive().is_some() {
        Some("it belongs to an archive, which is read-only".to_owned())
    } else {
        listing::why_not_forget(c)
    };
    if let Some(why) = refusal {
        app.complain(&format!("Not forgotten: {why}"));
        return None;
    }
    let question = format!("Forget {}?", account.title(c));
    let archived = if app.accounts.archives_of(c).next().is_some() {
        " Messages stored in an archive are kept."
    } else {
        ""
    };
    let copies = match account.copies.as_slice() {
        [] => String::new(),
        [one] => format!(" {one}, a copy of everything from before an upgrade, is deleted too."),
        all => {
            let names = all.iter().map(SafeText::as_str).collect::<Vec<_>>().join(", ");
            format!(" {names}, copies of everything from before upgrades, are deleted too.")
        }
    };
    let detail = format!(
        "Its messages, draft, read state and choices, and the names of people who appear nowhere else, are deleted on this \
         computer. This cannot be undone. Nothing is changed on the service: if a new message arrives, the chat \
         comes back.{copies}{archived}"
    );
    Some(Overlay::Confirm(Confirm::new(&question, &detail, Consent::Forget(chat))))
}

/// Asks for confirmation before removing people.
pub fn ask_remove(app: &mut AppState, at: &ChatRef, who: &[UserId]) -> Next {
    let Some(chat) = app.accounts.chat(at) else { return Next::Stay };
    let account = app.accounts.of(chat);
    if who == [account.me.clone()] {
        return ask_leave(app, at.clone()).map_or(Next::Stay, Next::Push);
    }
    let who: Vec<UserId> = who.iter().filter(|id| **id != account.me).cloned().collect();
    let Some(first) = who.first() else { return Next::Stay };
    if let Some(why) = chat.blocked(&account.me, &ThreadChange::Remove(first.clone())) {
        app.complain(&format!("Cannot remove: {why}"));
        return Next::Stay;
    }
    let question = match who.as_slice() {
        [one] => format!("Remove {} from the group?", account.names.distinct(one)),
        many => format!("Remove {} people from the group?", many.len()),
    };
    let detail = if let [_] = who.as_slice() {
        "They will not see new messages any more.".to_owned()
    } else {
        format!("{} will not see new messages any more.", names(app, at, &who))
    };
    let consent = Consent::Remove(at.clone(), who);
    Next::Push(Overlay::Confirm(Confirm::new(&question, &detail, consent)))
}

fn names(app: &AppState, at: &ChatRef, who: &[UserId]) -> String {
    let account = app.accounts.get(&at.account).unwrap_or(app.current_account());
    let names: Vec<String> = who.iter().map(|id| account.names.distinct(id).to_string()).collect();
    names.join(", ")
}

/// Asks before making the people admins or, if all of them are admins already, users.
pub fn ask_role(app: &mut AppState, at: &ChatRef, who: &[UserId]) -> Next {
    let Some(chat) = app.accounts.chat(at) else { return Next::Stay };
    let me = app.accounts.of(chat).me.clone();
    let chosen: Vec<&Member> = chat.group.members.iter().filter(|m| who.contains(&m.id)).collect();
    let all_admins = chosen.iter().all(|m| m.role == Role::Admin);
    let role = if all_admins { Role::User } else { Role::Admin };
    let changed: Vec<UserId> = chosen
        .iter()
        .filter(|m| m.role != role && (m.id != me || who.len() == 1))
        .map(|m| m.id.clone())
        .collect();
    let Some(first) = changed.first() else { return Next::Stay };
    if let Some(why) = chat.blocked(&me, &ThreadChange::Member(first.clone(), role)) {
        app.complain(&format!("Cannot change the role: {why}"));
        return Next::Stay;
    }
    Next::Push(Overlay::Confirm(role_question(app, at, changed, role)))
}

/// The question asked before changing roles.
pub fn role_question(app: &AppState, at: &ChatRef, who: Vec<UserId>, role: Role) -> Confirm {
    let me = app.accounts.get(&at.account).map(|account| account.me.clone());
    let of_all = names(app, at, &who);
    let (question, detail) = match (who.as_slice(), role) {
        ([one], Role::User) if Some(one) == me.as_ref() => (
            "Give up your admin role?".to_owned(),
            "Only another admin can give it back to you.".to_owned(),
        ),
        ([_], Role::Admin) => (
            format!("Make {of_all} an admin?"),
            "Admins change settings and roles, and remove people.".to_owned(),
        ),
        ([_], Role::User) => (
            format!("Take the admin role from {of_all}?"),
            "They stay a member of the group.".to_owned(),
        ),
        (many, Role::Admin) => (format!("Make {} people admins?", many.len()), of_all),
        (many, Role::User) => (format!("Take the admin role from {} people?", many.len()), of_all),
    };
    let roles = who.into_iter().map(|id| (id, role)).collect();
    Confirm::new(&question, &detail, Consent::Roles(at.clone(), roles))
}
