//! Going to the message that another one quotes, loading more of the history until it is found.

use super::history::{self, Older, Sought};
use super::{Chat, Env, Selection};
use crate::model::{Message, MessageBody, MessageKey};

/// Pages of history that are loaded to find a quoted message.
const MAX_PAGES: u32 = 200;

/// Starts looking for the message that the selected one quotes. Returns it if it is loaded.
pub fn begin(chat: &mut Chat, env: &mut Env<'_>) -> Option<MessageKey> {
    let quoted = match &chat.selected()?.body {
        MessageBody::Text(rich) => rich.quoted(),
        _ => None,
    };
    let Some(quoted) = quoted.filter(|q| q.message.is_some() || q.at.is_some()) else {
        env.note("This message does not quote another one");
        return None;
    };
    chat.paging.sought = Some(Sought {
        id: quoted.message.clone(),
        author: quoted.author.clone(),
        at: quoted.at,
        pages: MAX_PAGES,
    });
    go_on(chat, env)
}

/// Continues after a page was loaded, and requests more of the history as long as that may help. Returns the message,
/// selected, once it is loaded.
pub fn go_on(chat: &mut Chat, env: &mut Env<'_>) -> Option<MessageKey> {
    let sought = chat.paging.sought.take()?;
    let found = chat.timeline.iter().rev().find(|m| is_it(m, &sought)).map(|m| m.key.clone());
    if let Some(key) = found {
        chat.selection = Some(Selection::one(key.clone()));
        return Some(key);
    }
    // Pages older than the message's own time cannot contain it.
    let oldest = chat.paging.oldest.as_ref().or_else(|| chat.timeline.first().map(|m| &m.key));
    let passed = sought.at.zip(oldest).is_some_and(|(at, oldest)| oldest.at.0 / 1000 < at.0 / 1000);
    if passed || sought.pages == 0 || chat.paging.older == Older::Reached {
        env.note("The quoted message is not in the history");
        return None;
    }
    chat.paging.sought = Some(Sought { pages: sought.pages - 1, ..sought });
    chat.forgive_older();
    env.note("Looking for the quoted message…");
    history::load_older(chat, env);
    None
}

fn is_it(message: &Message, sought: &Sought) -> bool {
    match (&sought.id, sought.at) {
        (Some(wanted), _) => *message.key.id == **wanted,
        (None, Some(at)) => {
            message.key.at.0 / 1000 == at.0 / 1000
                && sought.author.as_ref().is_none_or(|author| *author == message.sender)
        }
        (None, None) => false,
    }
}
