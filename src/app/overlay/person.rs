//! Details of one member of a group, or what can be done with several.

use super::content::{Content, DialogLine, wide_columns};
use super::members::copy_ids;
use super::questions::{ask_remove, ask_role};
use super::settings::name_and_id;
use super::{Dialog, DialogEnv, Next};
use crate::app::account::Account;
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::{presence_facts, shown};
use crate::model::text::{cut, width};
use crate::model::{ChatRef, Role, ThreadChange, UserId};

#[derive(Debug)]
pub struct Person {
    chat: ChatRef,
    who: Vec<UserId>,
}

impl Person {
    pub fn new(chat: ChatRef, who: Vec<UserId>) -> Self {
        Self { chat, who }
    }

    fn details(&self, app: &AppState, who: &UserId, columns: usize) -> Vec<DialogLine> {
        let chat = app.accounts.chat(&self.chat);
        let member = chat.and_then(|c| c.group.members.iter().find(|m| m.id == *who));
        let mut lines = vec![DialogLine::new("id", who.as_str())];
        let account = app.accounts.get(&self.chat.account);
        let facts = account.map(|account| presence_facts(app, account, who)).unwrap_or_default();
        for fact in facts {
            let room = columns.saturating_sub(width(fact.label) + 1);
            lines.push(DialogLine::new(fact.label, cut(&fact.value, room)));
        }
        match member {
            Some(member) => {
                let role = if member.role == Role::Admin { "admin" } else { "user" };
                lines.push(DialogLine::new("role", role));
                if !member.name.is_empty() {
                    lines.push(DialogLine::new("friendlyName", member.name.as_str()));
                }
                for (name, value) in &member.details {
                    let room = columns.saturating_sub(width(name) + 1);
                    lines.push(DialogLine::new(name.as_ref(), cut(value, room)));
                }
            }
            None => lines.push(DialogLine::dim("No longer a member.")),
        }
        lines
    }

    /// The keys of the actions that the user may take.
    fn hint(&self, app: &AppState, account: &Account) -> String {
        let chat = app.accounts.chat(&self.chat);
        let may = |change: &dyn Fn(&UserId) -> ThreadChange| {
            let blocked = |who: &UserId| chat?.blocked(&account.me, &change(who));
            self.who.iter().all(|who| blocked(who).is_none())
        };
        let is_me = self.who == [account.me.clone()];
        let mut parts = Vec::new();
        if may(&|who| ThreadChange::Remove(who.clone())) {
            parts.push(if is_me { "x leave" } else { "x remove" });
        }
        if may(&|who| ThreadChange::Member(who.clone(), Role::Admin)) {
            parts.push("o role");
        }
        parts.push(if self.who.len() == 1 {
            "y or Enter copies the id"
        } else {
            "y or Enter copies the ids"
        });
        parts.join(" · ")
    }
}

impl Dialog for Person {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let account: &Account =
            app.accounts.get(&self.chat.account).unwrap_or(app.current_account());
        let (title, lines) = if let [one] = self.who.as_slice() {
            (
                shown(&app.prefs, &account.name(one)).to_string(),
                self.details(app, one, wide_columns(size)),
            )
        } else {
            let line = |who| DialogLine::new(name_and_id(app, account, who), "");
            (format!("{} people", self.who.len()), self.who.iter().map(line).collect())
        };
        Content::new(title, lines, self.hint(app, account))
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Type('x') => ask_remove(env.app, &self.chat, &self.who),
            OverlayAction::Type('o') => ask_role(env.app, &self.chat, &self.who),
            OverlayAction::Type('y') | OverlayAction::Choose => {
                copy_ids(env.app, &self.chat, &self.who);
                Next::Stay
            }
            _ => Next::Stay,
        }
    }
}
