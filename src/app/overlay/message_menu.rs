//! The actions for the selected message.

use super::content::{Content, narrow_columns, step, wrapped};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::{Action, MessagesAction as M, OverlayAction};
use crate::app::chat::outbox::has_not_left;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::{Delivery, MessageBody};

#[derive(Debug, Default)]
pub struct MessageMenu {
    marked: usize,
}

/// The actions that apply to the selected message.
pub fn fitting_actions(app: &AppState) -> Vec<(&KeymapEntry, Action)> {
    let Some(message) = app.opened().and_then(|chat| chat.selected()) else { return Vec::new() };
    if matches!(message.body, MessageBody::Gap { .. }) {
        return Vec::new();
    }
    let mine = message.sender == app.current_account().me;
    let failed = matches!(message.delivery, Delivery::Failed { .. });
    let not_left = has_not_left(&message.delivery);
    let on_server = !message.key.is_unsent();
    let person = !message.body.is_system() && !matches!(message.body, MessageBody::Deleted);
    let fits = |action: &Action| match action {
        Action::Messages(M::Reply | M::React) => on_server && person,
        Action::Messages(M::Edit | M::Delete) => mine && person && (on_server || not_left),
        Action::Messages(M::MarkUnread) => on_server,
        Action::Messages(M::Copy { .. } | M::CopyId | M::Inspect) => true,
        Action::Messages(M::Follow) => {
            matches!(&message.body, MessageBody::Text(rich) if rich.quoted().is_some())
        }
        Action::Messages(M::OpenLink) => !message.body.links().is_empty(),
        Action::Messages(M::Retry) => failed || message.delivery == Delivery::Unconfirmed,
        Action::Messages(M::TakeBack) => not_left,
        _ => false,
    };
    let table = app.prefs.keymap.entries().iter();
    let table = table.filter(|e| e.contexts.contains(&Context::Selection));
    table.filter_map(|e| Some((e, Action::named(&e.name)?))).filter(|(_, a)| fits(a)).collect()
}

impl Dialog for MessageMenu {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = narrow_columns(size);
        let entries = fitting_actions(app);
        let lines = entries.iter().map(|(e, _)| wrapped(&e.help, &e.key(), columns)).collect();
        Content::new("Message", Vec::new(), "Enter or the key runs it · Esc closes")
            .narrow()
            .with_entries(lines, self.marked, "This message no longer exists.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let found = fitting_actions(env.app);
        let chosen = match action {
            OverlayAction::Choose => found.into_iter().nth(self.marked),
            // The keys for a selected message also work in its menu.
            OverlayAction::Type(letter) => {
                found.into_iter().find(|(entry, _)| entry.key() == letter.to_string())
            }
            other => {
                let by = other.step_or_tab(env.page).unwrap_or(0);
                step(&mut self.marked, by, found.len());
                None
            }
        };
        chosen.map_or(Next::Stay, |(_, action)| Next::Do(action))
    }
}
