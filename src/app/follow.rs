//! From a quote to the message it quotes, which may have to be fetched first.

use super::chat::Selection;
use super::state::{Older, Sought};
use super::{Model, on_messages};
use crate::model::{ConversationId, MessageBody, MessageKey};

/// Pages of history that are loaded to find a quoted message.
const PAGES: u32 = 200;

/// Goes to the message that the selected one quotes.
pub fn quoted(model: &mut Model) {
    let Some(message) = on_messages::selected(model) else { return };
    let quoted = match &message.body {
        MessageBody::Text(rich) => rich.quoted(),
        _ => None,
    };
    let Some(quoted) = quoted.filter(|q| q.message.is_some() || q.at.is_some()) else {
        model.app.note("This message quotes nothing that can be found");
        return;
    };
    let sought = Sought {
        id: quoted.message.clone(),
        author: quoted.author.clone(),
        at: quoted.at,
        pages: PAGES,
    };
    let Some(id) = model.app.open.clone() else { return };
    if let Some(c) = model.app.opened_mut() {
        c.paging.sought = Some(sought);
    }
    seek(model, &id);
}

/// Goes on looking for a message; more of the history is asked for as long as it may help.
pub fn seek(model: &mut Model, id: &ConversationId) {
    let is_open = model.app.open.as_ref() == Some(id);
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    let Some(sought) = c.paging.sought.clone() else { return };
    if !is_open {
        c.paging.sought = None;
        return;
    }
    let is_it = |key: &MessageKey, sender: &crate::model::UserId| match (&sought.id, sought.at) {
        (Some(wanted), _) => *key.id == **wanted,
        (None, Some(at)) => {
            key.at.0 / 1000 == at.0 / 1000 && sought.author.as_ref().is_none_or(|a| a == sender)
        }
        (None, None) => false,
    };
    let found = c.timeline.iter().rev().find(|m| is_it(&m.key, &m.sender)).map(|m| m.key.clone());
    if let Some(key) = found {
        c.paging.sought = None;
        c.selection = Some(Selection::one(key.clone()));
        model.view.reveal(&model.app, &key);
        return;
    }
    // Before its own time there is no use in looking.
    let oldest =
        c.paging.oldest.as_ref().or_else(|| c.timeline.first().map(|m| &m.key)).map(|k| k.at);
    let passed = sought.at.zip(oldest).is_some_and(|(at, oldest)| oldest.0 / 1000 < at.0 / 1000);
    if passed || sought.pages == 0 || c.paging.older == Older::Reached {
        c.paging.sought = None;
        model.app.note("The quoted message is not in the history");
        return;
    }
    c.paging.sought = Some(Sought { pages: sought.pages - 1, ..sought });
    on_messages::forgive_older(model, id);
    model.app.note("Looking for the quoted message…");
    on_messages::load_older(model, id);
}
