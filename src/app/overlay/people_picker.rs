//! Picks people to add to a group, or to create one with.

use super::content::{Content, DialogLine, step};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::group;
use crate::app::fuzzy::Ranker;
use crate::app::pending::PendingRequest;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::text::cut;
use crate::model::{ChatRef, Request, Role, SafeText, UserId};
use std::cmp::Reverse;

#[derive(Debug)]
pub struct PeoplePicker {
    purpose: PickPurpose,
    input: String,
    marked: usize,
    found: Vec<(UserId, SafeText)>,
    picked: Vec<(UserId, Role)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PickPurpose {
    Add(ChatRef),
    Create { topic: String },
}

impl PeoplePicker {
    pub fn new(app: &AppState, purpose: PickPurpose) -> Self {
        let found = people(app, &purpose, "");
        Self { purpose, input: String::new(), marked: 0, found, picked: Vec::new() }
    }

    /// Cycles the highlighted person through not picked, picked, and picked as admin.
    fn pick(&mut self) {
        let Some((who, _)) = self.found.get(self.marked) else { return };
        match self.picked.iter_mut().find(|(id, _)| id == who) {
            None => self.picked.push((who.clone(), Role::User)),
            Some((_, role)) if *role == Role::User => *role = Role::Admin,
            Some(_) => self.picked.retain(|(id, _)| id != who),
        }
    }

    fn choose(&self, app: &mut AppState) -> Next {
        let mut chosen = self.picked.clone();
        if chosen.is_empty() {
            chosen.extend(self.found.get(self.marked).map(|(id, _)| (id.clone(), Role::User)));
        }
        match &self.purpose {
            _ if self.picked.is_empty() && self.input.trim().is_empty() => {
                app.note("Type a name or an id, or pick people with Tab");
                return Next::Stay;
            }
            _ if chosen.is_empty() => {
                app.note("Nobody found with that name; you can enter a full id such as 8:joe.4");
                return Next::Stay;
            }
            PickPurpose::Add(chat) => {
                app.with_chat(chat, |chat, env| group::put_members(chat, env, &chosen));
            }
            PickPurpose::Create { topic } => {
                let account = app.current_account().id.clone();
                let pending = PendingRequest::CreateGroup { account: account.clone() };
                let ticket = app.pending.add(pending);
                app.note("Creating the group…");
                let topic = SafeText::line(topic).to_string();
                app.request(&account, Request::Create { topic, members: chosen, ticket });
            }
        }
        Next::Close
    }
}

impl Dialog for PeoplePicker {
    fn content(&self, _: &AppState, _: Size) -> Content {
        let title = match &self.purpose {
            PickPurpose::Add(_) => "Add members".to_owned(),
            PickPurpose::Create { topic } if topic.is_empty() => "New group: choose members".into(),
            PickPurpose::Create { topic } => {
                format!("New group {}: choose members", SafeText::line(topic))
            }
        };
        let role = |id: &UserId| self.picked.iter().find(|(p, _)| p == id).map(|(_, role)| *role);
        let lines = self.found.iter().map(|(id, name)| {
            let mark = match role(id) {
                None => "[ ]",
                Some(Role::User) => "[x]",
                Some(Role::Admin) => "[A]",
            };
            DialogLine::new(format!("{mark} {name}"), cut(id.as_str(), 28))
        });
        let does = match &self.purpose {
            PickPurpose::Add(_) => "adds",
            PickPurpose::Create { .. } => "creates the group with",
        };
        let hint = match self.picked.len() {
            0 if self.found.is_empty() => "Esc cancels".to_owned(),
            0 if self.input.trim().is_empty() => "Tab: pick, twice: as admin".to_owned(),
            0 => format!("Tab: pick, twice: as admin · Enter {does} the highlighted person"),
            n => format!("Tab: pick, twice: as admin · Enter {does} {n}"),
        };
        Content::new(title, lines.collect(), hint).with_input(&self.input).with_marked(
            self.marked,
            "Nobody found. You can enter one or more full ids such as 8:joe.4.",
        )
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose => return self.choose(env.app),
            OverlayAction::Pick => self.pick(),
            other => {
                if let Some(by) = other.step(env.page) {
                    step(&mut self.marked, by, self.found.len());
                } else if other.edit(&mut self.input) {
                    self.found = people(env.app, &self.purpose, &self.input);
                    self.marked = 0;
                }
            }
        }
        Next::Stay
    }
}

/// People who can be added: known people whose name or id matches, then the full ids in the input.
fn people(app: &AppState, purpose: &PickPurpose, input: &str) -> Vec<(UserId, SafeText)> {
    let input = input.trim();
    let account = app.current_account();
    let group = match purpose {
        PickPurpose::Add(chat) => app.accounts.chat(chat),
        PickPurpose::Create { .. } => None,
    };
    let taken = |id: &UserId| {
        *id == account.me || group.is_some_and(|c| c.group.members.iter().any(|m| m.id == *id))
    };
    let mut ranker = Ranker::new(input);
    let known = account.names.people().filter(|(id, _)| !taken(id) && id.is_addressable());
    let mut found: Vec<(Reverse<u32>, SafeText, UserId)> = known
        .filter_map(|(id, name)| {
            let by_id = (input.len() > 2 && id.as_str().contains(input)).then_some(1);
            let rank = ranker.rank(name).or(by_id)?;
            Some((Reverse(rank), name.clone(), id.clone()))
        })
        .collect();
    found.sort();
    let mut people: Vec<(UserId, SafeText)> =
        found.into_iter().map(|(_, _, id)| (id.clone(), account.names.distinct(&id))).collect();
    for word in input.split([' ', ',', ';']).filter(|w| !w.is_empty()) {
        let id = UserId::new(word);
        if id.is_addressable() && !taken(&id) && people.iter().all(|(known, _)| *known != id) {
            people.push((id.clone(), account.names.distinct(&id)));
        }
    }
    people
}
