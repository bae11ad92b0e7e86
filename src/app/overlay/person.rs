//! Details of one member of a group, or what can be done with several.

use super::content::{Content, DialogLine};
use super::members::copy_ids;
use super::questions::{ask_remove, ask_role};
use super::settings::name_and_id;
use super::{Dialog, DialogEnv, Next};
use crate::app::account::Account;
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::shown;
use crate::model::text::cut;
use crate::model::{ChatRef, Role, UserId};

#[derive(Debug)]
pub struct Person {
    chat: ChatRef,
    who: Vec<UserId>,
}

impl Person {
    pub fn new(chat: ChatRef, who: Vec<UserId>) -> Self {
        Self { chat, who }
    }

    fn details(&self, app: &AppState, who: &UserId) -> Vec<DialogLine> {
        let chat = app.accounts.chat(&self.chat);
        let member = chat.and_then(|c| c.group.members.iter().find(|m| m.id == *who));
        let mut lines = vec![DialogLine::new("id", who.as_str())];
        match member {
            Some(member) => {
                let role = if member.role == Role::Admin { "admin" } else { "user" };
                lines.push(DialogLine::new("role", role));
                if !member.name.is_empty() {
                    lines.push(DialogLine::new("friendlyName", member.name.as_str()));
                }
                for (name, value) in &member.details {
                    lines.push(DialogLine::new(name.as_ref(), cut(value, 56)));
                }
            }
            None => lines.push(DialogLine::dim("No longer a member.")),
        }
        lines
    }
}

impl Dialog for Person {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let account: &Account =
            app.accounts.get(&self.chat.account).unwrap_or(app.current_account());
        let (title, lines) = if let [one] = self.who.as_slice() {
            (shown(&app.prefs, &account.name(one)).to_string(), self.details(app, one))
        } else {
            let line = |who| DialogLine::new(name_and_id(app, account, who), "");
            (format!("{} people", self.who.len()), self.who.iter().map(line).collect())
        };
        let copies = if self.who.len() == 1 { "the id" } else { "the ids" };
        Content::new(title, lines, format!("x remove · o role · y or Enter copies {copies}"))
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
