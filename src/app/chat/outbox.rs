//! Own messages in the outbox: each step it reports, and taking back messages that have not been sent.

use super::sending::{self, own_message};
use super::{Chat, Env};
use crate::model::{
    ClientMessageId, Delivery, Draft, Fault, Message, MessageKey, Outgoing, Request, Timestamp,
};
use std::time::Duration;

/// Adds a message that was waiting in the outbox when the program started.
pub fn waiting(
    chat: &mut Chat,
    env: &mut Env<'_>,
    client_id: ClientMessageId,
    outgoing: Outgoing,
    queued_at: Timestamp,
    delivery: Delivery,
) {
    let queue = env.ids.stored_queue();
    let message = own_message(env.me, queue, &client_id, &outgoing, queued_at, delivery);
    if message.delivery == Delivery::Held {
        hold(chat, env, client_id.clone());
    }
    if chat.timeline.of_client_id(&client_id).is_none() {
        if message.delivery != Delivery::Sent {
            chat.sending.unsent.insert(client_id, outgoing);
        }
        chat.timeline.upsert(message);
    }
}

fn hold(chat: &mut Chat, env: &Env<'_>, client_id: ClientMessageId) {
    let until = env.now.mono + env.prefs.choices.sending.grace();
    chat.sending.held.push((client_id, until));
}

/// Whether a message can still be taken back before it is sent.
pub fn is_holding(chat: &Chat, now: Duration) -> bool {
    chat.sending.held.iter().any(|(_, until)| *until > now)
}

/// The delivery of an own message has changed. `sent` is the place the server gave it.
pub fn delivery_of(
    chat: &mut Chat,
    env: &mut Env<'_>,
    client_id: &ClientMessageId,
    delivery: Delivery,
    sent: Option<&MessageKey>,
) {
    if let Some(key) = sent {
        chat.timeline.confirm_at(client_id, key);
    }
    chat.sending.held.retain(|(held, _)| held != client_id);
    if delivery == Delivery::Held {
        hold(chat, env, client_id.clone());
    }
    let Some(key) = chat.timeline.of_client_id(client_id).map(|m| m.key.clone()) else { return };
    if delivery == Delivery::Sent {
        chat.sending.unsent.remove(client_id);
    }
    chat.sending.log_delivery(client_id, env.now.wall, &delivery);
    // A message with a place on the server was accepted; late reports cannot change that.
    if key.is_unsent() || delivery == Delivery::Sent {
        chat.timeline.update(&key, |m| m.delivery = delivery);
    }
    chat.follow_selection();
}

/// Whether a message can still be taken out of the outbox.
pub fn has_not_left(delivery: &Delivery) -> bool {
    matches!(
        delivery,
        Delivery::Saving | Delivery::Held | Delivery::Queued | Delivery::Failed { .. }
    )
}

/// Whether it never reached the disk and exists only on the screen.
fn is_only_here(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Failed { can_retry: false, .. })
}

impl Chat {
    /// The first message that was not sent, or not confirmed.
    pub fn first_not_sent(&self) -> Option<&Message> {
        self.unsent().filter(|m| matches!(m.delivery, Delivery::Failed { .. })).last()
    }

    /// How many messages wait behind an unconfirmed one, so that their order is kept.
    pub fn waiting_for_decision(&self) -> usize {
        let mut waiting = 0;
        let mut behind = 0;
        for message in self.unsent() {
            if message.delivery.is_not_confirmed() {
                behind = waiting;
            }
            waiting += usize::from(matches!(message.delivery, Delivery::Held | Delivery::Queued));
        }
        behind
    }

    /// Messages without a place on the server, newest first. They are the end of the timeline.
    fn unsent(&self) -> impl Iterator<Item = &Message> {
        self.timeline.iter().rev().take_while(|m| m.key.is_unsent())
    }

    /// Whether a message exists only on the screen, because it could not be saved.
    pub fn has_unsaved(&self) -> bool {
        self.sending.unsent.keys().any(|id| self.is_only_here(id))
    }

    fn is_only_here(&self, id: &ClientMessageId) -> bool {
        self.timeline.of_client_id(id).is_some_and(|m| is_only_here(&m.delivery))
    }
}

/// The draft with a message's text above the text in the box.
fn joined(draft: &Draft, outgoing: &Outgoing) -> Draft {
    let text = &outgoing.text;
    let text = if outgoing.emote { format!("/me {text}") } else { text.clone() };
    let text = if draft.text.is_empty() { text } else { format!("{text}\n{}", draft.text) };
    Draft {
        cursor: text.len(),
        text,
        reply: draft.reply.clone().or_else(|| outgoing.reply.clone()),
        edit: None,
        undo: Vec::new(),
    }
}

/// Asks for an unsent message to be put back into the box. The store moves it there in one step, so that it is never in
/// both places or in neither; until the store answers, the message stays in the timeline.
pub fn take_back(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey) {
    let Some(message) = chat.timeline.get(key).filter(|m| has_not_left(&m.delivery)) else {
        if key.is_unsent() {
            env.note("It is already being sent");
        }
        return;
    };
    let Some(client_id) = message.client_id.clone() else { return };
    let Some(outgoing) = chat.sending.unsent.get(&client_id).cloned() else { return };
    chat.selection = None;
    if chat.is_only_here(&client_id) {
        chat.sending.taking_back.push(client_id.clone());
        taken_out(chat, env, &client_id, Ok(()));
        return;
    }
    if chat.sending.taking_back.contains(&client_id) {
        return;
    }
    chat.sending.taking_back.push(client_id.clone());
    chat.composer.drop_edit();
    let draft = joined(&chat.composer.draft, &outgoing);
    let draft = Some(draft).filter(|_| env.prefs.choices.drafts.persist);
    env.request(Request::Discard { conversation: chat.info.id.clone(), client_id, draft });
}

/// Puts the last unsent message back into the box.
pub fn take_back_last(chat: &mut Chat, env: &mut Env<'_>) {
    let last = {
        let mut unsent = chat.timeline.iter().rev().take_while(|m| m.key.is_unsent());
        let waits =
            |d: &Delivery| matches!(d, Delivery::Saving | Delivery::Held | Delivery::Queued);
        unsent.find(|m| waits(&m.delivery)).map(|m| m.key.clone())
    };
    if let Some(key) = last {
        take_back(chat, env, &key);
    }
}

/// Discards an unsent message.
pub fn discard(chat: &mut Chat, env: &mut Env<'_>, client_id: ClientMessageId) {
    chat.selection = None;
    if let Some(outgoing) = chat.sending.unsent.get(&client_id) {
        chat.composer.keep(&outgoing.text);
    }
    env.note("Discarded; Ctrl-Y puts the text back into the box");
    if chat.is_only_here(&client_id) {
        taken_out(chat, env, &client_id, Ok(()));
        return;
    }
    let conversation = chat.info.id.clone();
    env.request(Request::Discard { conversation, client_id, draft: None });
}

/// A message was removed from the outbox, or was sent in the meantime.
pub fn taken_out(
    chat: &mut Chat,
    env: &mut Env<'_>,
    client_id: &ClientMessageId,
    result: Result<(), Fault>,
) {
    let wanted_back = chat.sending.taking_back.iter().position(|waiting| waiting == client_id);
    if let Some(at) = wanted_back {
        chat.sending.taking_back.remove(at);
    }
    // A message that never reached the disk is not in the outbox.
    if let Err(fault) = result
        && !chat.is_only_here(client_id)
    {
        env.complain(&format!(
            "Not taken back: {}; d on the message deletes it for everyone",
            fault.reason
        ));
        return;
    }
    chat.sending.held.retain(|(held, _)| held != client_id);
    let outgoing = chat.sending.unsent.remove(client_id);
    if let Some(key) = chat.timeline.of_client_id(client_id).map(|m| m.key.clone())
        && key.is_unsent()
    {
        chat.timeline.remove(&key);
    }
    if let (Some(_), Some(outgoing)) = (wanted_back, outgoing) {
        chat.composer.drop_edit();
        let draft = joined(&chat.composer.draft, &outgoing);
        chat.composer.put_back(&draft.text);
        chat.composer.draft.reply = draft.reply;
        chat.composer.save_by.get_or_insert(env.now.mono);
        sending::save_draft(chat, env, false);
    }
}

/// Sends the selected message again, if it was not sent.
pub fn retry(chat: &mut Chat, env: &mut Env<'_>) {
    let Some(message) = chat.selected() else { return };
    if message.delivery == Delivery::Unconfirmed {
        env.request(Request::RetryNow);
        env.note("Checking again whether it was sent…");
        return;
    }
    let Delivery::Failed { can_retry: on_disk, .. } = message.delivery else { return };
    let (key, Some(client_id)) = (message.key.clone(), message.client_id.clone()) else { return };
    chat.selection = None;
    let delivery = if on_disk { Delivery::Queued } else { Delivery::Saving };
    chat.timeline.update(&key, |m| m.delivery = delivery);
    let conversation = chat.info.id.clone();
    // A message that never reached the disk is submitted again under the same id.
    let outgoing = chat.sending.unsent.get(&client_id).filter(|_| !on_disk).cloned();
    env.request(match outgoing {
        Some(outgoing) => Request::Send { conversation, client_id, outgoing },
        None => Request::Resend { conversation, client_id },
    });
}
