//! The members of a group. Typing filters the list; a member's details show what can be done with them.

use super::content::{Content, DialogLine, step};
use super::settings::name_and_id;
use super::{Dialog, DialogEnv, Next, Overlay, Person};
use crate::app::action::OverlayAction;
use crate::app::chat::Chat;
use crate::app::fuzzy::part_of;
use crate::app::keymap::KeymapEntry;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::shown;
use crate::model::{ChatRef, Member, Role, ThreadChange, UserId};

#[derive(Debug)]
pub struct Members {
    chat: ChatRef,
    input: String,
    marked: usize,
    /// The highlighted person, who stays highlighted when someone is renamed, joins or leaves.
    marked_person: Option<UserId>,
    /// The members that were picked with Tab.
    picked: Vec<UserId>,
}

impl Members {
    pub fn new(app: &AppState, chat: ChatRef) -> Self {
        let mut members =
            Self { chat, input: String::new(), marked: 0, marked_person: None, picked: Vec::new() };
        members.mark(app, 0);
        members
    }

    /// Highlights the row at this index.
    fn mark(&mut self, app: &AppState, index: usize) {
        self.marked = index;
        self.marked_person = self.list(app).get(index).map(|member| member.id.clone());
    }

    /// The index of the highlighted row.
    fn marked_in(&self, list: &[&Member]) -> usize {
        let known = self.marked_person.as_ref();
        let index = known.and_then(|who| list.iter().position(|member| member.id == *who));
        index.unwrap_or(self.marked.min(list.len().saturating_sub(1)))
    }

    /// The members whose name or id contains the input.
    fn list<'a>(&self, app: &'a AppState) -> Vec<&'a Member> {
        let Some(chat) = app.accounts.chat(&self.chat) else { return Vec::new() };
        let names = &app.accounts.of(chat).names;
        let mut list = chat.members_by_role(names);
        let input = self.input.trim();
        if !input.is_empty() {
            let fits = |text: &str| part_of(text, input).is_some();
            list.retain(|m| fits(&names.of(&m.id)) || fits(m.id.as_str()));
        }
        list
    }

    fn at(&self, app: &AppState) -> Option<UserId> {
        let list = self.list(app);
        Some(list.get(self.marked_in(&list))?.id.clone())
    }

    /// The picked members, else the highlighted one.
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
        let list = self.list(app);
        let (mut index, count) = (self.marked_in(&list), list.len());
        step(&mut index, by, count);
        self.mark(app, index);
    }
}

impl Dialog for Members {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let Some(chat) = app.accounts.chat(&self.chat) else {
            return Content::new("", Vec::new(), "");
        };
        let account = app.accounts.of(chat);
        let list = self.list(app);
        let marked = self.marked_in(&list);
        let lines = list.into_iter().map(|member| {
            let mark = if self.picked.contains(&member.id) { "[x] " } else { "" };
            let name = name_and_id(app, account, &member.id);
            DialogLine::new(format!("{mark}{name}"), role_or_saving(app, chat, member))
        });
        let title = format!("Members of {}", shown(&app.prefs, &account.title(chat)));
        let enter = match self.picked.len() {
            0 => "Enter details".to_owned(),
            n => format!("Enter for {n} picked"),
        };
        let add = app.prefs.keymap.entry("add-members").map(KeymapEntry::key).unwrap_or_default();
        let add = if add.is_empty() { add } else { format!(" · {add} adds") };
        let hint = format!("Type to filter · {enter} · Tab picks{add}");
        let empty =
            if self.input.trim().is_empty() { "Not loaded yet." } else { "No member matches." };
        let lines = lines.collect();
        Content::new(title, lines, hint).with_input(&self.input).with_marked(marked, empty)
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose => {
                let who = self.targets(env.app);
                if !who.is_empty() {
                    return Next::Push(Overlay::Person(Person::new(self.chat.clone(), who)));
                }
            }
            OverlayAction::Pick => self.pick(env.app),
            // A name does not begin with a space.
            OverlayAction::Type(' ') if self.input.is_empty() => self.pick(env.app),
            other => {
                if let Some(by) = other.step(env.page) {
                    self.step(by, env.app);
                } else if other.edit(&mut self.input) {
                    self.mark(env.app, 0);
                }
            }
        }
        Next::Stay
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
    let what = if who.len() == 1 { "the id" } else { "the ids" };
    app.with_chat(chat, |_, env| env.copy(what, ids.join("\n")));
}
