//! Writing and sending. A draft belongs to its chat, which determines the destination.

use super::completion;
use super::{Chat, Env, history, reading};
use crate::model::{
    Attribution, Block, ClientMessageId, Delivery, Draft, Message, MessageBody, MessageKey,
    Outgoing, Request, RichText, Timestamp, UserId, composer_markup,
};
use std::collections::HashMap;
use std::time::Duration;

/// A draft is saved this long after the first unsaved key, even while the user goes on typing.
const SAVE_AFTER: Duration = Duration::from_millis(400);
/// How often others are told that the user is typing (facts 3.2).
const TYPING_EVERY: Duration = Duration::from_secs(5);

/// The largest message that servers are known to accept (facts 3.2: about 28 KB).
const LONGEST: usize = 28_000;

/// The warning for a text that servers may refuse.
pub fn too_long(text: &str) -> Option<String> {
    let kilobytes = |bytes: usize| bytes.div_ceil(1000);
    (text.len() > LONGEST).then(|| {
        let (now, most) = (kilobytes(text.len()), kilobytes(LONGEST));
        format!("This message is {now} kB; servers may refuse more than {most} kB")
    })
}

/// Own messages that are not accepted yet.
#[derive(Debug, Default)]
pub struct Sending {
    /// The typed text of messages that are not accepted yet: to send it again, or to put it back into the box.
    pub unsent: HashMap<ClientMessageId, Outgoing>,
    /// The delivery steps of own messages of this run, for the inspector.
    pub deliveries: HashMap<ClientMessageId, Vec<(Timestamp, Delivery)>>,
    /// Own messages that go back into the box once the store has removed them.
    pub taking_back: Vec<ClientMessageId>,
    /// Messages that can still be taken back, and until when (monotonic).
    pub held: Vec<(ClientMessageId, Duration)>,
}

impl Sending {
    /// Records a delivery step of an own message. Only the steps of the newest messages are kept.
    pub fn log_delivery(&mut self, id: &ClientMessageId, at: Timestamp, delivery: &Delivery) {
        const MAX_MESSAGES: usize = 500;
        const MAX_STEPS: usize = 50;
        if self.deliveries.len() >= MAX_MESSAGES && !self.deliveries.contains_key(id) {
            self.deliveries.clear();
        }
        let log = self.deliveries.entry(id.clone()).or_default();
        if log.last().is_none_or(|(_, last)| last != delivery) && log.len() < MAX_STEPS {
            log.push((at, delivery.clone()));
        }
    }
}

/// The draft changed: it has to be saved soon.
pub fn draft_changed(chat: &mut Chat, now: Duration) {
    chat.composer.save_by.get_or_insert(now + SAVE_AFTER);
}

/// Saves the draft if it is due, or in any case with `all`.
pub fn save_draft(chat: &mut Chat, env: &mut Env<'_>, all: bool) {
    if chat.composer.save_by.is_some_and(|by| all || by <= env.now.mono) {
        chat.composer.save_by = None;
        if env.prefs.choices.drafts.persist {
            let (conversation, draft) = (chat.info.id.clone(), chat.composer.to_save());
            env.request(Request::SaveDraft { conversation, draft });
        }
    }
}

/// Puts a draft from the disk into the box. If drafts are not to be kept on disk, removes it from there.
pub fn restore_draft(chat: &mut Chat, env: &mut Env<'_>, draft: Draft) {
    chat.composer.restore(draft);
    if !env.prefs.choices.drafts.persist {
        let conversation = chat.info.id.clone();
        env.request(Request::SaveDraft { conversation, draft: Draft::default() });
    }
}

/// Tells others that the user is typing, or no longer is, if the user allows that.
pub fn report_typing(chat: &mut Chat, env: &mut Env<'_>) {
    if !env.prefs.choices.ui.typing {
        return;
    }
    let text = chat.composer.text();
    if text.is_empty() || chat.composer.draft.edit.is_some() {
        stop_typing(chat, env);
        return;
    }
    let due = |told: Duration| env.now.mono >= told + TYPING_EVERY;
    if !text.starts_with('/') && chat.composer.told_typing.is_none_or(due) {
        chat.composer.told_typing = Some(env.now.mono);
        env.request(Request::Typing { conversation: chat.info.id.clone(), active: true });
    }
}

/// Ends the user's typing signal if others still show it.
pub fn stop_typing(chat: &mut Chat, env: &mut Env<'_>) {
    if chat.composer.told_typing.take().is_some() {
        env.request(Request::Typing { conversation: chat.info.id.clone(), active: false });
    }
}

/// A message made from typed text, with the people it mentions.
pub fn typed_message(chat: &Chat, env: &Env<'_>, text: String) -> Outgoing {
    let markup = env.prefs.choices.sending.markup;
    let mentions =
        if markup { completion::mentioned(chat, env.me, env.names, &text) } else { Vec::new() };
    Outgoing { text, markup, mentions, ..Outgoing::default() }
}

/// Moves the text from the box into the timeline, as a message that is being saved.
pub fn send(chat: &mut Chat, env: &mut Env<'_>, outgoing: Outgoing) {
    if reading::by_answering(env) {
        reading::answered(chat, env);
    }
    // A note about an earlier action would look as if it were about this message.
    env.notes.clear();
    history::to_newest(chat, env);
    let client_id = env.ids.client_id();
    let queue = env.ids.queue();
    let at = env.now.wall;
    chat.composer.take();
    chat.reading.new_from = None;
    chat.reading.wants_new_line = false;
    chat.reading.kept_unread = false;
    chat.timeline.upsert(own_message(env.me, queue, &client_id, &outgoing, at, Delivery::Saving));
    chat.sending.log_delivery(&client_id, at, &Delivery::Saving);
    chat.sending.unsent.insert(client_id.clone(), outgoing.clone());
    env.request(Request::Send { conversation: chat.info.id.clone(), client_id, outgoing });
}

/// An own message that the server has not placed yet.
pub fn own_message(
    me: &UserId,
    queue: u64,
    client_id: &ClientMessageId,
    outgoing: &Outgoing,
    at: Timestamp,
    delivery: Delivery,
) -> Message {
    let mut blocks = Vec::new();
    if let Some(quote) = &outgoing.reply {
        blocks.push(Block::Quote {
            from: Some(Box::new(Attribution {
                name: quote.name.clone(),
                author: Some(quote.author.clone()),
                at: Some(quote.at),
                message: Some(quote.id.clone()),
                client_id: None,
                conversation: None,
            })),
            body: RichText::plain(&quote.text).blocks,
        });
    }
    blocks.extend(if outgoing.markup {
        composer_markup::read(&outgoing.text, &outgoing.mentions).blocks
    } else {
        RichText::plain(&outgoing.text).blocks
    });
    let rich = RichText { blocks };
    Message {
        key: MessageKey::unsent(queue, client_id),
        client_id: Some(client_id.clone()),
        sender: me.clone(),
        sender_name: None,
        at,
        version: 0,
        body: if outgoing.emote { MessageBody::Emote(rich) } else { MessageBody::Text(rich) },
        edited: None,
        edit_of: None,
        mentions_me: false,
        reactions: Vec::new(),
        delivery,
    }
}
