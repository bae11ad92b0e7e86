//! The members of a group: adds and removes members and changes their roles.

use super::content::{Content, DialogLine, step};
use super::settings::{ask_leave, by_letter, name_and_id};
use super::{
    Confirm, Consent, Dialog, DialogEnv, Next, Overlay, PeoplePicker, Person, PickPurpose,
};
use crate::app::action::OverlayAction;
use crate::app::chat::{Chat, group};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::shown;
use crate::model::{ChatRef, Member, Role, ThreadChange, UserId};

#[derive(Debug)]
pub struct Members {
    chat: ChatRef,
    marked: usize,
    /// The members that the next change applies to. If empty, it applies to the highlighted one.
    picked: Vec<UserId>,
}

impl Members {
    pub fn new(chat: ChatRef) -> Self {
        Self { chat, marked: 0, picked: Vec::new() }
    }

    fn list<'a>(&self, app: &'a AppState) -> Vec<&'a Member> {
        let Some(chat) = app.accounts.chat(&self.chat) else { return Vec::new() };
        chat.members_by_role(&app.accounts.of(chat).names)
    }

    fn at(&self, app: &AppState) -> Option<UserId> {
        Some(self.list(app).get(self.marked)?.id.clone())
    }

    /// The members that the next change applies to: the picked ones, else the highlighted one.
    fn targets(&self, app: &AppState) -> Vec<UserId> {
        if self.picked.is_empty() {
            self.at(app).into_iter().collect()
        } else {
            self.picked.clone()
        }
    }

    fn pick(&mut self, app: &AppState) {
        if let Some(who) = self.at(app) {
            match self.picked.iter().position(|p| *p == who) {
                Some(known) => {
                    self.picked.remove(known);
                }
                None => self.picked.push(who),
            }
        }
        self.step(1, app);
    }

    fn step(&mut self, by: isize, app: &AppState) {
        let count = self.list(app).len();
        step(&mut self.marked, by, count);
    }

    fn letter(&mut self, letter: char, app: &mut AppState) -> Next {
        match letter {
            'a' => {
                let purpose = PickPurpose::Add(self.chat.clone());
                return Next::Push(Overlay::PeoplePicker(PeoplePicker::new(app, purpose)));
            }
            'x' => return ask_remove(app, &self.chat, &self.targets(app)),
            'o' => return change_role(app, &self.chat, &self.targets(app)),
            'y' => copy_ids(app, &self.chat, &self.targets(app)),
            ' ' => self.pick(app),
            other => self.step(by_letter(other), app),
        }
        Next::Stay
    }
}

impl Dialog for Members {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let Some(chat) = app.accounts.chat(&self.chat) else {
            return Content::new("", Vec::new(), "");
        };
        let account = app.accounts.of(chat);
        let lines = self.list(app).into_iter().map(|member| {
            let mark = if self.picked.contains(&member.id) { "[x] " } else { "" };
            let name = name_and_id(app, account, &member.id);
            DialogLine::new(format!("{mark}{name}"), role_or_saving(app, chat, member))
        });
        let title = format!("Members of {}", shown(&app.prefs, &account.title(chat)));
        let hint = "a add · x remove · o role · y id · Space pick · Enter details";
        Content::new(title, lines.collect(), hint).with_marked(self.marked, "Not loaded yet.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose => self.at(env.app).map_or(Next::Stay, |who| {
                Next::Push(Overlay::Person(Person::new(self.chat.clone(), who)))
            }),
            OverlayAction::Type(letter) => self.letter(letter, env.app),
            other => {
                self.step(other.step_or_tab().unwrap_or(0), env.app);
                Next::Stay
            }
        }
    }
}

fn role_or_saving(app: &AppState, chat: &Chat, member: &Member) -> &'static str {
    let saving = app.pending.is_changing(&chat.chat_ref(), |change| match change {
        ThreadChange::Member(who, _) | ThreadChange::Remove(who) => *who == member.id,
        _ => false,
    });
    match member.role {
        _ if saving => "saving ↑",
        Role::Admin => "admin",
        Role::User => "user",
    }
}

/// Copies the ids, one per line.
pub fn copy_ids(app: &mut AppState, chat: &ChatRef, who: &[UserId]) {
    let ids: Vec<&str> = who.iter().map(UserId::as_str).collect();
    app.with_chat(chat, |_, env| env.copy("the id", ids.join("\n")));
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
    let names: Vec<String> = who.iter().map(|id| account.names.of(id).to_string()).collect();
    let question = format!("Remove {} from the group?", names.join(", "));
    let detail = "They will not see new messages any more.";
    let consent = Consent::Remove(at.clone(), who);
    Next::Push(Overlay::Confirm(Confirm::new(&question, detail, consent)))
}

/// Makes the people admins; if all of them are admins already, makes them users. Asks for confirmation before changing
/// the user's own role.
pub fn change_role(app: &mut AppState, at: &ChatRef, who: &[UserId]) -> Next {
    let Some(chat) = app.accounts.chat(at) else { return Next::Stay };
    let me = app.accounts.of(chat).me.clone();
    let chosen: Vec<&Member> = chat.group.members.iter().filter(|m| who.contains(&m.id)).collect();
    let all_admins = chosen.iter().all(|m| m.role == Role::Admin);
    let role = if all_admins { Role::User } else { Role::Admin };
    let changed: Vec<(UserId, Role)> = chosen
        .iter()
        .filter(|m| m.role != role && (m.id != me || who.len() == 1))
        .map(|m| (m.id.clone(), role))
        .collect();
    let Some((first, role)) = changed.first().cloned() else { return Next::Stay };
    if let Some(why) = chat.blocked(&me, &ThreadChange::Member(first.clone(), role)) {
        app.complain(&format!("Cannot change the role: {why}"));
        return Next::Stay;
    }
    if first == me {
        let question = "Give up your admin role?";
        let detail = "Only another admin can give it back to you.";
        let consent = Consent::Change(at.clone(), ThreadChange::Member(me, role));
        return Next::Push(Overlay::Confirm(Confirm::new(question, detail, consent)));
    }
    app.with_chat(at, |chat, env| group::put_members(chat, env, &changed));
    Next::Stay
}
