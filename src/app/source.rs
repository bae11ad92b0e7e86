//! A message's source: edited as typed where that loses nothing, else as the server has it; or looked at.

use super::on_messages::selected;
use super::overlay::Overlay;
use super::pending::{PendingRequest, SourcePurpose};
use super::{Model, inspect, on_compose, on_messages};
use crate::model::{
    Block, ConversationId, MessageBody, MessageKey, QuoteOf, RawMessage, Request, RichText,
    SafeText, composer_markup,
};

/// Puts an own message into the box.
pub fn edit(model: &mut Model) {
    let Some(message) = selected(model) else { return };
    if message.sender != *model.app.me() {
        model.app.complain("Only own messages can be edited");
        return;
    }
    if super::on_outbox::has_not_left(&message.delivery) {
        on_messages::take_back(model);
        return;
    }
    let (MessageBody::Text(rich), false) = (&message.body, message.key.is_unsent()) else {
        model.app.complain("This message cannot be edited");
        return;
    };
    let key = message.key.clone();
    // What can be typed is edited as typed; anything else as the server has it, so that nothing is lost.
    let typed = split_quote(rich)
        .filter(|_| model.app.prefs.choices.sending.markup)
        .and_then(|(quote, rest)| Some((quote, composer_markup::write(&rest)?)));
    let Some((quote, (text, _))) = typed else {
        ask(model, key, SourcePurpose::Edit);
        return;
    };
    if let Some(conversation) = model.app.opened_mut() {
        conversation.selection = None;
        conversation.compose.begin_edit((&*key.id).into(), &text, quote, None);
    }
    on_compose::changed(model);
}

/// A reply's quote and what was answered; nothing when a quote cannot be written back as it stands.
fn split_quote(rich: &RichText) -> Option<(Option<QuoteOf>, RichText)> {
    let Some(Block::Quote { from: Some(from), body }) = rich.blocks.first() else {
        let quotes = rich.blocks.iter().any(|b| matches!(b, Block::Quote { .. }));
        return (!quotes).then(|| (None, rich.clone()));
    };
    let rest = RichText { blocks: rich.blocks.iter().skip(1).cloned().collect() };
    let plain = RichText::plain(&RichText { blocks: body.clone() }.plain_text());
    let simple = plain.blocks == *body && from.conversation.is_none() && from.client_id.is_none();
    let ((author, at), id) =
        from.author.clone().zip(from.at).zip(from.message.clone()).filter(|_| simple)?;
    let text = SafeText::text(&plain.plain_text());
    Some((Some(QuoteOf { author, name: from.name.clone(), at, id, text }), rest))
}

/// The source is in the store; an unsent message has none yet.
pub fn inspect(model: &mut Model) {
    let Some(key) = selected(model).map(|m| m.key.clone()) else { return };
    if let Some(id) = model.app.open.clone().filter(|_| key.is_unsent()) {
        came(model, &id, &key, &[], SourcePurpose::Inspect);
    } else {
        ask(model, key, SourcePurpose::Inspect);
    }
}

/// A message's source came: for looking at it, or for editing what cannot be typed.
pub fn came(
    model: &mut Model,
    id: &ConversationId,
    key: &MessageKey,
    items: &[RawMessage],
    purpose: SourcePurpose,
) {
    if model.app.open.as_ref() != Some(id) {
        return;
    }
    let Some(c) = model.app.opened() else { return };
    match purpose {
        SourcePurpose::Inspect => {
            let lines = inspect::lines(&model.app, c, key, items);
            let busy = model.app.overlay.as_ref().is_some_and(|o| !matches!(o, Overlay::Welcome));
            if !lines.is_empty() && !busy {
                model.app.overlay = Some(Overlay::Inspect { lines, scroll: 0 });
            }
        }
        SourcePurpose::Edit => {
            // The newest of the message and its edit records is what stands there now.
            let Some(item) = items.iter().max_by_key(|i| (i.at, i.version)) else {
                model.app.complain("This message is not stored and cannot be edited");
                return;
            };
            let (kind, content) = (item.kind.clone(), item.content.replace("\r\n", "\n"));
            let target: Box<str> = (&*key.id).into();
            if let Some(c) = model.app.opened_mut() {
                c.selection = None;
                c.compose.begin_edit(target, &content, None, Some(kind));
            }
            on_compose::changed(model);
        }
    }
}

/// Asks for a message's source.
fn ask(model: &mut Model, key: MessageKey, purpose: SourcePurpose) {
    if let Some(conversation) = model.app.open.clone() {
        let request = PendingRequest::Source {
            conversation: conversation.clone(),
            key: key.clone(),
            purpose,
        };
        let ticket = model.app.pending.add(request);
        model.app.request(Request::Source { conversation, key, ticket });
    }
}
