//! Writing and sending. A draft belongs to its conversation, and the destination is taken from there.

use super::action::{ComposeAction, Motion};
use super::effect::Effect;
use super::overlay::Overlay;
use super::state::{AppState, Focus};
use super::{Model, complete, on_messages, on_outbox, slash};
use crate::model::request::Change;
use crate::model::{
    Attribution, Block, ConversationId, Delivery, Message, MessageBody, MessageKey, Outgoing,
    Receipts, Request, RichText, Timestamp, composer_markup,
};
use std::time::Duration;

/// A draft is on disk this long after the first unsaved key, also while typing goes on.
const SAVE_AFTER: Duration = Duration::from_millis(300);
/// How often the others hear that we type (facts 3.2).
const TYPING_EVERY: Duration = Duration::from_secs(5);

/// The slash commands and what they do.
pub const COMMANDS: [(&str, &str); 23] = [
    ("me", "Say what you do"),
    ("open", "Open a conversation, or a new one by id"),
    ("topic", "Set the topic (groups)"),
    ("link", "Joining by link on or off (groups)"),
    ("url", "Copy the join URL (groups)"),
    ("history", "History shown to new members on or off (groups)"),
    ("members", "Members and their roles (groups)"),
    ("add", "Add people by id or name (groups)"),
    ("kick", "Remove people by id or name (groups)"),
    ("role", "Make someone admin or user: /role name admin (groups)"),
    ("mute", "Mute or unmute"),
    ("pin", "Pin to the top, or unpin"),
    ("leave", "Leave this group"),
    ("delete", "Delete the history for this account"),
    ("create", "Create a group: /create topic"),
    ("join", "Join a group by its URL"),
    ("settings", "All settings of this conversation"),
    ("search", "Look through everything stored: /search words from:name in:chat"),
    ("preview", "How the text in the box will look"),
    ("read", "Mark this conversation as read"),
    ("unread", "The next conversation with unread messages"),
    ("help", "All keys"),
    ("quit", "Quit; drafts are kept"),
];

pub fn act(model: &mut Model, action: ComposeAction) {
    // Typing always types, whatever was selected or focused before.
    if matches!(action, ComposeAction::Insert(_) | ComposeAction::Paste(_)) {
        model.view.bare = false;
        if model.app.focus == Focus::List {
            model.app.focus = Focus::Compose;
            model.app.freeze_list();
        }
        if let Some(c) = model.app.opened_mut() {
            c.selection = None;
        }
    }
    let Some(conversation) = model.app.opened_mut() else {
        if matches!(action, ComposeAction::Insert(_) | ComposeAction::Paste(_)) {
            model.app.note("Open a conversation first: Alt-Down, or Ctrl-K to find one");
        }
        return;
    };
    let compose = &mut conversation.compose;
    match action {
        ComposeAction::Insert(c) => compose.insert(c.encode_utf8(&mut [0; 4])),
        ComposeAction::Paste(text) => {
            let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
            let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
            if compose.text().len() + text.len() > super::compose::MAX_TEXT {
                model.app.complain("The text is too long to be pasted");
                return;
            }
            compose.insert(&text);
        }
        ComposeAction::Newline => compose.insert("\n"),
        ComposeAction::Undo => {
            // With nothing to undo in an empty box, what was just sent comes back, as long as it has not left.
            if !compose.undo() {
                if compose.draft.is_empty() {
                    on_outbox::take_back_last(model);
                }
                return;
            }
        }
        ComposeAction::Move(Motion::Up) if compose.is_on_first_line() => {
            if compose.text().is_empty() {
                on_messages::act(model, super::MessagesAction::SelectUp);
            } else {
                compose.go(Motion::LineStart);
            }
            return;
        }
        ComposeAction::Move(motion) => {
            let at_end = motion == Motion::Down && compose.is_on_last_line();
            let before = compose.draft.cursor;
            compose.go(if at_end { Motion::LineEnd } else { motion });
            // The cursor is kept with the text.
            if compose.draft.cursor != before && !compose.draft.is_empty() {
                changed(model);
            }
            return;
        }
        ComposeAction::Delete(motion) => compose.delete(motion),
        ComposeAction::Yank => compose.yank(),
        ComposeAction::PasteClipboard => {
            model.app.effects.push(Effect::PasteClipboard);
            return;
        }
        ComposeAction::EditOutside => {
            let (conversation, text) = (conversation.info.id.clone(), compose.text().to_owned());
            model.app.effects.push(Effect::EditOutside { conversation, text });
            return;
        }
        ComposeAction::Send => {
            submit(model);
            return;
        }
    }
    changed(model);
    tell_typing(model);
}

/// The open conversation's draft changed: it has to be saved soon.
pub fn changed(model: &mut Model) {
    let by = model.app.clock.mono + SAVE_AFTER;
    if let Some(c) = model.app.opened_mut() {
        c.compose.save_by.get_or_insert(by);
    }
}

fn tell_typing(model: &mut Model) {
    if !model.app.prefs.choices.ui.typing {
        return;
    }
    let now = model.app.clock.mono;
    let Some(c) = model.app.opened_mut() else { return };
    let conversation = c.info.id.clone();
    let text = c.compose.text();
    if text.is_empty() || c.compose.draft.edit.is_some() {
        if c.compose.told_typing.take().is_some() {
            model.app.request(Request::Typing { conversation, active: false });
        }
        return;
    }
    if !text.starts_with('/') && c.compose.told_typing.is_none_or(|told| now >= told + TYPING_EVERY)
    {
        c.compose.told_typing = Some(now);
        model.app.request(Request::Typing { conversation, active: true });
    }
}

/// Enter: an edit, a command, or a message.
fn submit(model: &mut Model) {
    let Some(c) = model.app.opened_mut() else { return };
    let text = c.compose.text().to_owned();
    if text.trim().is_empty() {
        if c.compose.draft.edit.is_some() {
            model.app.note("A message cannot be changed into nothing; d on the message deletes it");
        }
        return;
    }
    // Pasted lines end with a line break that nobody means to send.
    let text = text.trim_end_matches('\n').to_owned();
    let conversation = c.info.id.clone();
    if let Some((edit, _, reply)) = c.compose.finish_edit() {
        let key = MessageKey::server(Timestamp(0), &edit.id);
        changed(model);
        if edit.was != text {
            let mut outgoing = typed_message(&model.app, &conversation, text);
            outgoing.reply = reply;
            outgoing.source = edit.source;
            on_messages::change(model, &key, Change::Edit(outgoing));
        }
        return;
    }
    if let Some(command) = text.strip_prefix('/')
        && !command.starts_with('/')
    {
        slash::run(model, &conversation, command);
        return;
    }
    let literal = text.strip_prefix('/').filter(|t| t.starts_with('/')).map(str::to_owned);
    let reply = c.compose.draft.reply.clone();
    let mut outgoing = typed_message(&model.app, &conversation, literal.unwrap_or(text));
    outgoing.reply = reply;
    if model.app.overlay == Some(Overlay::Preview) {
        model.app.overlay = None;
    }
    send(model, &conversation, outgoing);
}

/// A message of typed text, with the people it mentions.
pub fn typed_message(app: &AppState, conversation: &ConversationId, text: String) -> Outgoing {
    let c = app.conversations.get(conversation);
    let mentions =
        c.filter(|_| app.prefs.choices.sending.markup).map(|c| complete::mentioned(app, c, &text));
    Outgoing {
        text,
        markup: app.prefs.choices.sending.markup,
        mentions: mentions.unwrap_or_default(),
        ..Outgoing::default()
    }
}

/// The text in the box as it will look.
pub fn preview(app: &AppState) -> Option<RichText> {
    let c = app.opened()?;
    let edit = c.compose.draft.edit.as_ref();
    if !app.prefs.choices.sending.markup || edit.is_some_and(|e| e.source.is_some()) {
        return Some(RichText::plain(c.compose.text()));
    }
    Some(composer_markup::read(c.compose.text(), &complete::mentioned(app, c, c.compose.text())))
}

/// Takes the text out of the box and shows it as a message that is being saved.
pub fn send(model: &mut Model, conversation: &ConversationId, outgoing: Outgoing) {
    if model.app.prefs.choices.reading.receipts == Receipts::OnReply
        && model.app.open.as_ref() == Some(conversation)
    {
        super::on_deadline::read_all(model);
    }
    super::on_history::to_newest(model, conversation);
    let client_id = model.app.client_id();
    model.app.ids.queue += 1;
    let queue = model.app.ids.queue;
    let me = model.app.me().clone();
    let at = model.app.clock.wall;
    let Some(c) = model.app.conversations.get_mut(conversation) else { return };
    c.compose.take();
    c.reading.new_from = None;
    c.reading.wants_new_line = false;
    c.reading.kept_unread = false;
    c.timeline.upsert(own_message(&me, queue, &client_id, &outgoing, at, Delivery::Saving));
    c.log_delivery(&client_id, at, &Delivery::Saving);
    c.sending.unsent.insert(client_id.clone(), outgoing.clone());
    model.app.conversations.sort();
    model.view.to_bottom(conversation);
    model.app.request(Request::Send { conversation: conversation.clone(), client_id, outgoing });
}

/// An own message that the server has not placed yet.
pub fn own_message(
    me: &crate::model::UserId,
    queue: u64,
    client_id: &crate::model::ClientMessageId,
    outgoing: &Outgoing,
    at: Timestamp,
    delivery: Delivery,
) -> Message {
    let mut blocks = Vec::new();
    if let Some(quote) = &outgoing.reply {
        blocks.push(Block::Quote {
            from: Some(Attribution {
                name: quote.name.clone(),
                author: Some(quote.author.clone()),
                at: Some(quote.at),
                message: Some(quote.id.clone()),
                client_id: None,
                conversation: None,
            }),
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
