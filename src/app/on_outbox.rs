//! Own messages on their way: each step the outbox reports, and taking back what has not left.

use super::Model;
use super::on_history::follow_selection;
use super::{on_compose, on_deadline};
use crate::model::{
    ClientMessageId, ConversationId, Delivery, Draft, Fault, MessageKey, Outgoing, Request,
    Timestamp,
};

/// A message that was waiting in the outbox when the program started.
pub fn waiting(
    model: &mut Model,
    id: &ConversationId,
    client_id: ClientMessageId,
    outgoing: Outgoing,
    queued_at: Timestamp,
    delivery: Delivery,
) {
    let me = model.app.me().clone();
    model.app.ids.queue += 1;
    let queue = model.app.ids.queue;
    let message = on_compose::own_message(&me, queue, &client_id, &outgoing, queued_at, delivery);
    let until = model.app.clock.mono + model.app.prefs.choices.sending.grace();
    let c = model.app.conversations.ensure(id);
    if message.delivery == Delivery::Held {
        c.sending.held.push((client_id.clone(), until));
    }
    if c.timeline.of_client_id(&client_id).is_none() {
        if message.delivery != Delivery::Sent {
            c.sending.unsent.insert(client_id, outgoing);
        }
        c.timeline.upsert(message);
    }
}

pub fn delivery_of(
    model: &mut Model,
    id: &ConversationId,
    client_id: &ClientMessageId,
    delivery: Delivery,
    sent: Option<MessageKey>,
) {
    let is_open = model.app.open.as_ref() == Some(id);
    let now = model.app.clock;
    let grace = model.app.prefs.choices.sending.grace();
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    if let Some(key) = sent {
        c.timeline.confirm_at(client_id, &key);
    }
    c.sending.held.retain(|(held, _)| held != client_id);
    if delivery == Delivery::Held {
        c.sending.held.push((client_id.clone(), now.mono + grace));
    }
    let Some(key) = c.timeline.of_client_id(client_id).map(|m| m.key.clone()) else { return };
    let failed = matches!(delivery, Delivery::Failed { .. });
    if delivery == Delivery::Sent {
        c.sending.unsent.remove(client_id);
    }
    c.log_delivery(client_id, now.wall, &delivery);
    // What has its place on the server was accepted, whatever is said late.
    if key.is_unsent() || delivery == Delivery::Sent {
        c.timeline.update(&key, |m| m.delivery = delivery);
    }
    follow_selection(c);
    if failed && !is_open {
        let title = model.app.conversations.get(id).map(|c| model.app.title(c)).unwrap_or_default();
        model.app.complain(&format!("A message to {title} was not sent"));
    }
}

/// Whether a message can still be taken out of the outbox.
pub fn has_not_left(delivery: &Delivery) -> bool {
    matches!(
        delivery,
        Delivery::Saving | Delivery::Held | Delivery::Queued | Delivery::Failed { .. }
    )
}

/// The draft with what was typed of a message above what stands in the box.
fn joined(draft: &Draft, outgoing: &Outgoing) -> Draft {
    let text = &outgoing.text;
    let text = if outgoing.emote { format!("/me {text}") } else { text.clone() };
    let text = if draft.text.is_empty() { text } else { format!("{text}\n{}", draft.text) };
    Draft {
        cursor: text.len(),
        text,
        reply: draft.reply.clone().or_else(|| outgoing.reply.clone()),
        edit: None,
    }
}

/// Asks for a message that has not left to go back into the box. The store moves it there in one step, so that it is
/// never in both places or in none; until it answers the message stays where it is.
pub fn take_back(model: &mut Model, key: &MessageKey) {
    let Some(c) = model.app.opened_mut() else { return };
    let Some(message) = c.timeline.get(key).filter(|m| has_not_left(&m.delivery)) else {
        if key.is_unsent() {
            model.app.note("It is on its way already");
        }
        return;
    };
    let Some(client_id) = message.client_id.clone() else { return };
    let Some(outgoing) = c.sending.unsent.get(&client_id).cloned() else { return };
    let conversation = c.info.id.clone();
    c.selection = None;
    if matches!(message.delivery, Delivery::Failed { can_retry: false, .. }) {
        // It never reached the disk: only the screen has it.
        c.sending.taking_back.push(client_id.clone());
        taken_out(model, &conversation, &client_id, Ok(()));
        return;
    }
    if c.sending.taking_back.contains(&client_id) {
        return;
    }
    c.sending.taking_back.push(client_id.clone());
    c.compose.drop_edit();
    let draft = Some(joined(&c.compose.draft, &outgoing));
    model.app.request(Request::Discard { conversation, client_id, draft });
}

/// Throws a message of the open chat away that has not left.
pub fn throw_away(model: &mut Model, client_id: ClientMessageId) {
    let Some(c) = model.app.opened_mut() else { return };
    c.selection = None;
    let conversation = c.info.id.clone();
    if let Some(outgoing) = c.sending.unsent.get(&client_id) {
        c.compose.keep(&outgoing.text.clone());
    }
    model.app.note("Thrown away; Ctrl-Y puts the text into the box");
    let Some(c) = model.app.opened_mut() else { return };
    let delivery = c.timeline.of_client_id(&client_id).map(|m| &m.delivery);
    if matches!(delivery, Some(Delivery::Failed { can_retry: false, .. })) {
        // It never reached the disk: only the screen has it.
        taken_out(model, &conversation, &client_id, Ok(()));
        return;
    }
    let draft = None;
    model.app.request(Request::Discard { conversation, client_id, draft });
}

/// The last message of the open chat that has not left goes back into the box; false when there is none.
pub fn take_back_last(model: &mut Model) -> bool {
    let key = model.app.opened().and_then(|c| {
        let mut unsent = c.timeline.iter().rev().take_while(|m| m.key.is_unsent());
        let last = unsent
            .find(|m| matches!(m.delivery, Delivery::Saving | Delivery::Held | Delivery::Queued));
        last.map(|m| m.key.clone())
    });
    let Some(key) = key else { return false };
    take_back(model, &key);
    true
}

/// A message is out of the outbox, or has left meanwhile.
pub fn taken_out(
    model: &mut Model,
    id: &ConversationId,
    client_id: &ClientMessageId,
    result: Result<(), Fault>,
) {
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    let wanted_back = c.sending.taking_back.iter().position(|waiting| waiting == client_id);
    if let Some(at) = wanted_back {
        c.sending.taking_back.remove(at);
    }
    let only_here = c
        .timeline
        .of_client_id(client_id)
        .is_some_and(|m| matches!(m.delivery, Delivery::Failed { can_retry: false, .. }));
    // What the disk never had is not there to be taken out.
    if let Err(fault) = result
        && !only_here
    {
        model.app.complain(&format!("Not taken back: {}; d deletes it for everyone", fault.reason));
        return;
    }
    c.sending.held.retain(|(held, _)| held != client_id);
    let outgoing = c.sending.unsent.remove(client_id);
    if let Some(key) = c.timeline.of_client_id(client_id).map(|m| m.key.clone())
        && key.is_unsent()
    {
        c.timeline.remove(&key);
    }
    if let (Some(_), Some(outgoing)) = (wanted_back, outgoing) {
        c.compose.drop_edit();
        let draft = joined(&c.compose.draft, &outgoing);
        c.compose.put_back(&draft.text);
        c.compose.draft.reply = draft.reply;
        let by = model.app.clock.mono;
        c.compose.save_by.get_or_insert(by);
        on_deadline::save_drafts(model, false);
    }
}
