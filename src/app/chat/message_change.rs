//! Changing a message that the server already has: editing, deleting, reacting. Also quoting one in a reply.

use super::outbox::{self, has_not_left};
use super::{Chat, Env, completion, sending};
use crate::app::pending::{MessageChange, PendingRequest, SourcePurpose};
use crate::model::request::Change;
use crate::model::{
    Block, EditTarget, EmojiStyle, Fault, Mention, Message, MessageBody, MessageKey, Outgoing,
    QuoteOf, RawMessage, Request, RichText, SafeText, Timestamp, UserId, composer_markup, emoticon,
};

/// The usual reactions, by their keys on the wire (facts 3.4).
pub const REACTIONS: [&str; 6] = ["like", "heart", "laugh", "surprised", "sad", "angry"];

/// Asks the server to change a message.
pub fn change(chat: &Chat, env: &mut Env<'_>, key: &MessageKey, change: Change) {
    let pending = match &change {
        Change::Edit(outgoing) => {
            let target = EditTarget {
                id: (&*key.id).into(),
                was: outgoing.text.clone(),
                source: outgoing.source.clone(),
                before: String::new(),
                reply: outgoing.reply.clone(),
            };
            MessageChange::Edit { target, text: outgoing.text.clone() }
        }
        Change::Delete => MessageChange::Delete,
        Change::React { .. } => MessageChange::React,
    };
    let pending = PendingRequest::Message { chat: chat.chat_ref(), change: pending };
    let (conversation, message) = (chat.info.id.clone(), (&*key.id).into());
    env.ask(pending, |ticket| Request::Change { conversation, message, change, ticket });
}

/// The server refused a change, or could not be reached.
pub fn not_changed(chat: &mut Chat, env: &mut Env<'_>, change: MessageChange, fault: &Fault) {
    let what = match change {
        MessageChange::Edit { target, text } => {
            // The text goes back into the box, or into its undo history if something new was typed.
            if chat.composer.draft.is_empty() {
                chat.composer.begin_edit(target.id, &text, target.reply, target.source);
            } else {
                let now = chat.composer.text().to_owned();
                chat.composer.set_text(&text);
                chat.composer.set_text(&now);
            }
            "The message was not changed"
        }
        MessageChange::Delete => "The message was not deleted",
        MessageChange::React => "The reaction was not added",
    };
    env.complain(&format!("{what}: {}", fault.reason));
}

/// Reacts with the emoji of a key; the same reaction again takes it back. Clients use different keys for the same
/// picture, so all reactions of this account that look the same are taken back, each by its key on the server.
pub fn react(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey, reaction: &str) {
    let Some(message) = chat.timeline.get(key) else { return };
    let picture = emoticon::shown(reaction, "", EmojiStyle::Glyph);
    let same =
        |key: &str| key == reaction || emoticon::shown(key, "", EmojiStyle::Glyph) == picture;
    let own = message.reactions.iter().filter(|r| same(&r.key) && r.users.contains(env.me));
    let mut changes: Vec<Change> =
        own.map(|r| Change::React { key: r.key.to_string(), on: false }).collect();
    if changes.is_empty() {
        changes.push(Change::React { key: reaction.to_owned(), on: true });
    }
    for one in changes {
        change(chat, env, key, one);
    }
    chat.selection = None;
}

/// The text and origin of a message, for quoting it.
fn quote_of(env: &Env<'_>, message: &Message) -> QuoteOf {
    let text = match &message.body {
        // A quote inside the quoted message is dropped: the reply is to what this person wrote.
        MessageBody::Text(rich) => {
            let own = rich.blocks.iter().filter(|b| !matches!(b, Block::Quote { .. }));
            RichText { blocks: own.cloned().collect() }.plain_text()
        }
        body => body.text(&|id| env.name(id)),
    };
    QuoteOf {
        author: message.sender.clone(),
        name: env.name(&message.sender),
        at: message.at,
        id: (&*message.key.id).into(),
        text: SafeText::text(&text),
    }
}

/// Begins a reply to the selected message.
pub fn reply(chat: &mut Chat, env: &mut Env<'_>) {
    let Some(message) = chat.selected().filter(|m| !m.key.is_unsent()) else { return };
    let quote = quote_of(env, message);
    chat.selection = None;
    chat.composer.drop_edit();
    chat.composer.draft.reply = Some(quote);
    sending::draft_changed(chat, env.now.mono);
}

/// Puts the selected message into the box: as it would be typed if nothing is lost, otherwise in the server's format.
pub fn edit(chat: &mut Chat, env: &mut Env<'_>) {
    let Some(message) = chat.selected() else { return };
    let key = message.key.clone();
    if message.sender != *env.me {
        env.complain("Only your own messages can be edited");
        return;
    }
    if has_not_left(&message.delivery) {
        outbox::take_back(chat, env, &key);
        return;
    }
    let (MessageBody::Text(rich), false) = (&message.body, key.is_unsent()) else {
        env.complain("This message cannot be edited");
        return;
    };
    let people = completion::people(chat, env.me, env.names);
    let label_of =
        |id: &UserId| people.iter().find_map(|m| m.label.clone().filter(|_| m.id == *id));
    // People who have left cannot be mentioned by name.
    let all_here = |mentions: &[Mention]| {
        mentions.iter().all(|m| people.iter().any(|p| p.id == m.id && *p.typed() == *m.typed()))
    };
    let typed = split_quote(rich)
        .filter(|_| env.prefs.choices.sending.markup)
        .and_then(|(quote, rest)| Some((quote, composer_markup::write(&rest, &label_of)?)))
        .filter(|(_, (_, mentions))| all_here(mentions));
    let Some((quote, (text, _))) = typed else {
        ask_source(chat, env, key, SourcePurpose::Edit);
        return;
    };
    chat.selection = None;
    chat.composer.begin_edit((&*key.id).into(), &text, quote, None);
    sending::draft_changed(chat, env.now.mono);
}

/// The quote and the text of a reply; `None` if the quote cannot be written back unchanged.
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

/// Asks for a message's stored source.
pub fn ask_source(chat: &Chat, env: &mut Env<'_>, key: MessageKey, purpose: SourcePurpose) {
    let pending = PendingRequest::Source { chat: chat.chat_ref(), key: key.clone(), purpose };
    let conversation = chat.info.id.clone();
    env.ask(pending, |ticket| Request::Source { conversation, key, ticket });
}

/// Edits the stored source of a message that cannot be edited as it would be typed.
pub fn edit_source(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey, items: &[RawMessage]) {
    // The newest of the message and its edit records is the current version.
    let Some(item) = items.iter().max_by_key(|i| (i.at, i.version)) else {
        env.complain("This message is not stored and cannot be edited");
        return;
    };
    let content = item.content.replace("\r\n", "\n");
    chat.selection = None;
    chat.composer.begin_edit((&*key.id).into(), &content, None, Some((&*item.kind).into()));
    sending::draft_changed(chat, env.now.mono);
}

/// Sends the edit in the box, if it changed anything.
pub fn submit_edit(chat: &mut Chat, env: &mut Env<'_>, text: String) -> bool {
    let Some((edit, _, reply)) = chat.composer.finish_edit() else { return false };
    let key = MessageKey::server(Timestamp(0), &edit.id);
    sending::draft_changed(chat, env.now.mono);
    if edit.was != text {
        let outgoing =
            Outgoing { reply, source: edit.source, ..sending::typed_message(chat, env, text) };
        change(chat, env, &key, Change::Edit(outgoing));
    }
    true
}

/// The selected messages as text, and their number.
pub fn selected_text(chat: &Chat, env: &Env<'_>, with_names: bool) -> Option<(usize, String)> {
    let (first, last) = chat.selection.as_ref()?.bounds();
    let chosen = chat.timeline.from(first).take_while(|m| m.key <= *last);
    let lines: Vec<String> = chosen
        .map(|message| {
            let text = message.body.copied(&|id| env.name(id));
            if with_names && !message.body.is_system() {
                let at = env.prefs.clock(message.at);
                format!("[{at}] {}: {text}", env.name(&message.sender))
            } else {
                text
            }
        })
        .collect();
    Some((lines.len(), lines.join("\n")))
}
