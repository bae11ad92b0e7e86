//! A conversation named by a person's id becomes a thread with its own id (facts 8.7).

use crate::app::chat::{Chat, Env};
use crate::app::model::Model;
use crate::model::{ChatRef, ListedPeople, Message, Request, UserId};
use std::mem::take;

/// Moves unsent messages and the contents of the box from one chat to the other, and opens it if the first one is open.
pub fn apply(model: &mut Model, from: &ChatRef, to: &ChatRef, with: UserId) {
    let app = &mut model.app;
    let was_open = app.open.as_ref() == Some(from);
    let moved = app.with_chat(from, |chat, _| Unsent::take_from(chat));
    app.with_new_chat(to, |chat, env| {
        if chat.info.version == 0 {
            let others = vec![with];
            chat.info.listed = ListedPeople { others, count: Some(2), one_to_one: Some(true) };
        }
        if let Some(moved) = moved {
            moved.put_into(chat, env);
        }
        if was_open {
            chat.reading.begin(chat.info.unread.messages > 0, env.now.mono);
            chat.draw_new_line(env.me);
            env.request(Request::Open { conversation: chat.info.id.clone() });
        }
    });
    if app.marked.as_ref() == Some(from) {
        app.marked = Some(to.clone());
    }
    if was_open {
        app.with_chat(from, |chat, _| chat.reading.end());
        app.open = Some(to.clone());
    }
    app.sort(&to.account);
}

/// What a chat holds that is not on the server.
struct Unsent {
    messages: Vec<Message>,
    sending: crate::app::chat::Sending,
    composer: crate::app::chat::composer::Composer,
    selection: Option<crate::app::chat::Selection>,
}

impl Unsent {
    fn take_from(chat: &mut Chat) -> Self {
        let unsent = chat.timeline.iter().filter(|message| message.key.is_unsent());
        let messages: Vec<Message> = unsent.cloned().collect();
        for message in &messages {
            chat.timeline.remove(&message.key);
        }
        Self {
            messages,
            sending: take(&mut *chat.sending),
            composer: take(&mut *chat.composer),
            selection: chat.selection.take(),
        }
    }

    fn put_into(self, chat: &mut Chat, env: &mut Env<'_>) {
        for message in self.messages {
            chat.timeline.upsert(message);
        }
        let sending = &mut *chat.sending;
        sending.unsent.extend(self.sending.unsent);
        sending.deliveries.extend(self.sending.deliveries);
        sending.taking_back.extend(self.sending.taking_back);
        sending.held.extend(self.sending.held);
        chat.selection = chat.selection.take().or(self.selection);
        if chat.composer.draft.is_empty() {
            *chat.composer = self.composer;
        } else if !self.composer.text().is_empty() {
            // Both texts are kept: Ctrl-Y brings the other one back.
            chat.composer.keep(self.composer.text());
        }
        chat.composer.save_by.get_or_insert(env.now.mono);
        chat.follow_selection();
    }
}
