//! Details of one member of a group.

use super::content::{Content, DialogLine};
use super::members::{ask_remove, change_role, copy_ids};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::shown;
use crate::model::text::cut;
use crate::model::{ChatRef, Role, UserId};

#[derive(Debug)]
pub struct Person {
    chat: ChatRef,
    who: UserId,
}

impl Person {
    pub fn new(chat: ChatRef, who: UserId) -> Self {
        Self { chat, who }
    }
}

impl Dialog for Person {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let chat = app.accounts.chat(&self.chat);
        let member = chat.and_then(|c| c.group.members.iter().find(|m| m.id == self.who));
        let mut lines = vec![DialogLine::new("id", self.who.as_str())];
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
        let account = app.accounts.get(&self.chat.account).unwrap_or(app.current_account());
        let name = shown(&app.prefs, &account.name(&self.who));
        Content::new(name.as_str(), lines, "x remove · o role · y or Enter copies the id")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let who = std::slice::from_ref(&self.who);
        match action {
            OverlayAction::Type('x') => ask_remove(env.app, &self.chat, who),
            OverlayAction::Type('o') => change_role(env.app, &self.chat, who),
            OverlayAction::Type('y') | OverlayAction::Choose => {
                copy_ids(env.app, &self.chat, who);
                Next::Stay
            }
            _ => Next::Stay,
        }
    }
}
