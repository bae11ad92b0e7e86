//! The message pane: scrolling, selecting, and what can be done with a message.

use super::action::{MessagesAction, Scroll};
use super::chat::Selection;
use super::effect::Effect;
use super::overlay::{Consent, Overlay};
use super::pending::{MessageChange, PendingRequest};
use super::state::{Focus, Older, Window};
use super::{Model, follow, on_compose, on_history, on_outbox, source};
use crate::model::request::Change;
use crate::model::{
    ClientMessageId, ConversationId, Delivery, EditTarget, Message, MessageBody, MessageKey,
    QuoteOf, Request, SafeText,
};

pub fn act(model: &mut Model, action: MessagesAction) {
    let moves = matches!(
        action,
        MessagesAction::Scroll(_)
            | MessagesAction::SelectUp
            | MessagesAction::SelectDown
            | MessagesAction::Extend { .. }
            | MessagesAction::AllLinks
    );
    // A line for missing messages is no message: all that can be done there is to fetch them.
    let on_gap = selected(model).is_some_and(|m| matches!(m.body, MessageBody::Gap { .. }));
    if on_gap && !moves {
        if action == MessagesAction::Menu {
            on_history::fill(model);
        }
        return;
    }
    match action {
        MessagesAction::Scroll(scroll) => go(model, scroll),
        MessagesAction::SelectUp => select(model, true),
        MessagesAction::SelectDown => select(model, false),
        MessagesAction::Extend { up } => extend(model, up),
        MessagesAction::Menu => {
            if selected(model).is_some() {
                model.app.overlay = Some(Overlay::Menu { marked: 0 });
            }
        }
        MessagesAction::Reply => reply(model),
        MessagesAction::Edit => source::edit(model),
        MessagesAction::Delete => ask_delete(model),
        MessagesAction::React => {
            if let Some(message) = selected(model).filter(|m| !m.key.is_unsent()) {
                let message = message.key.clone();
                model.app.overlay = Some(Overlay::Reactions { message, marked: 0 });
            }
        }
        MessagesAction::Inspect => source::inspect(model),
        MessagesAction::Follow => follow::quoted(model),
        MessagesAction::Copy { with_name } => copy(model, with_name),
        MessagesAction::OpenLink => open_link(model),
        MessagesAction::CopyId => copy_id(model),
        MessagesAction::AllLinks => all_links(model),
        MessagesAction::Retry => retry(model),
        MessagesAction::TakeBack => take_back(model),
        MessagesAction::MarkUnread => {
            if let Some(key) = selected(model).map(|m| m.key.clone()) {
                super::on_deadline::unread_from(model, &key);
            }
        }
    }
}

fn go(model: &mut Model, scroll: Scroll) {
    if matches!(
        model.app.overlay,
        Some(Overlay::Help { .. } | Overlay::Inspect { .. } | Overlay::Search(_))
    ) {
        super::on_overlay::step(
            model,
            match scroll {
                Scroll::PageUp => -10,
                Scroll::LineUp => -1,
                Scroll::PageDown => 10,
                Scroll::LineDown => 1,
                Scroll::Oldest => isize::MIN,
                Scroll::Newest => 1000,
            },
        );
        return;
    }
    let Some(id) = model.app.open.clone() else { return };
    if let Some(c) = model.app.opened_mut()
        && c.paging.window == (Window::Past { loading: true })
    {
        // An answer that never came may be asked for again; one that comes late names where it belongs.
        c.paging.window = Window::Past { loading: false };
    }
    if matches!(scroll, Scroll::PageUp | Scroll::LineUp | Scroll::Oldest) {
        forgive_older(model, &id);
    }
    // A page keeps one row in sight, so that the eye finds its place again.
    let page = (model.view.page(&model.app) - 1).max(1);
    match scroll {
        Scroll::PageUp => model.view.scroll(&model.app, -page),
        Scroll::PageDown => model.view.scroll(&model.app, page),
        Scroll::LineUp => model.view.scroll(&model.app, -1),
        Scroll::LineDown => model.view.scroll(&model.app, 1),
        Scroll::Oldest => model.view.to_top(&model.app),
        Scroll::Newest => on_history::to_newest(model, &id),
    }
}

/// What failed may be tried again.
pub fn forgive_older(model: &mut Model, id: &ConversationId) {
    if let Some(c) = model.app.conversations.get_mut(id)
        && matches!(c.paging.older, Older::Failed(_))
    {
        c.paging.older = Older::Unknown;
    }
}

/// Asks for older messages, unless they are on their way or there are none.
pub fn load_older(model: &mut Model, id: &ConversationId) {
    let Some(conversation) = model.app.conversations.get_mut(id) else { return };
    // A message that is not sent yet stands before nothing.
    let Some(first) = conversation.start() else { return };
    if conversation.paging.older != Older::Unknown {
        return;
    }
    conversation.paging.older = Older::Loading;
    model.app.request(Request::Older { conversation: id.clone(), before: first });
}

pub fn selected(model: &Model) -> Option<&Message> {
    let conversation = model.app.opened()?;
    conversation.timeline.get(conversation.selected()?)
}

/// Moves the selection; from nothing, to the last message in sight. Below the last one it ends.
fn select(model: &mut Model, up: bool) {
    let in_sight = model.view.visible.rows.iter().rev().find_map(|row| row.key.clone());
    model.app.focus = Focus::Compose;
    model.app.freeze_list();
    // Inside a message taller than the pane the text moves first.
    if let Some(key) = model.app.opened().and_then(|c| c.selected().cloned())
        && model.view.goes_on(&model.app, &key, up)
    {
        model.view.scroll(&model.app, if up { -1 } else { 1 });
        return;
    }
    let Some(conversation) = model.app.opened_mut() else { return };
    let timeline = &conversation.timeline;
    let next: Option<MessageKey> = match (conversation.selected(), up) {
        (None, true) => in_sight
            .filter(|k| timeline.get(k).is_some())
            .or_else(|| timeline.last().map(|m| m.key.clone())),
        (None, false) => None,
        (Some(key), true) => {
            Some(timeline.before(key).next_back().map_or_else(|| key.clone(), |m| m.key.clone()))
        }
        (Some(key), false) => timeline.after(key).next().map(|m| m.key.clone()),
    };
    conversation.selection = next.clone().map(Selection::one);
    if let Some(key) = next {
        model.view.reveal(&model.app, &key);
    }
}

/// One more message; back over the first one it becomes fewer again.
fn extend(model: &mut Model, up: bool) {
    let Some(conversation) = model.app.opened_mut() else { return };
    let Some(at) = conversation.selected().cloned() else { return };
    let timeline = &conversation.timeline;
    let next = if up { timeline.before(&at).next_back() } else { timeline.after(&at).next() };
    let Some(next) = next.map(|m| m.key.clone()) else { return };
    if let Some(selection) = &mut conversation.selection {
        selection.from.get_or_insert(at);
        selection.at = next.clone();
    }
    model.view.reveal(&model.app, &next);
}

/// Text and origin of a message, for quoting it.
fn quote_of(model: &Model, message: &Message) -> QuoteOf {
    let name = model.app.names.of(&message.sender);
    let text = match &message.body {
        // A quote in a quote is dropped: what is answered is what this person wrote.
        MessageBody::Text(rich) => {
            let own = rich
                .blocks
                .iter()
                .filter(|b| !matches!(b, crate::model::Block::Quote { .. }))
                .cloned();
            crate::model::RichText { blocks: own.collect() }.plain_text()
        }
        body => body.text(&|id| model.app.names.of(id)),
    };
    QuoteOf {
        author: message.sender.clone(),
        name,
        at: message.at,
        id: (&*message.key.id).into(),
        text: SafeText::text(&text),
    }
}

fn reply(model: &mut Model) {
    let Some(message) = selected(model).filter(|m| !m.key.is_unsent()) else { return };
    let quote = quote_of(model, message);
    if let Some(conversation) = model.app.opened_mut() {
        conversation.selection = None;
        conversation.compose.drop_edit();
        conversation.compose.draft.reply = Some(quote);
    }
    on_compose::changed(model);
}

fn ask_delete(model: &mut Model) {
    let Some(message) = selected(model) else { return };
    if let Some(client_id) =
        message.client_id.clone().filter(|_| on_outbox::has_not_left(&message.delivery))
    {
        if matches!(message.delivery, Delivery::Saving | Delivery::Held) {
            // There is no time for a question.
            on_outbox::throw_away(model, client_id);
            return;
        }
        let text = message.body.text(&|id| model.app.names.of(id));
        model.app.overlay = Some(Overlay::Confirm {
            question: SafeText::line("Throw this message away? It was not sent"),
            detail: SafeText::line(&text),
            consent: Consent::Discard(client_id),
        });
        return;
    }
    if message.sender == *model.app.me() && message.key.is_unsent() {
        model.app.complain("It is on its way; once it has arrived it can be deleted");
        return;
    }
    if message.sender != *model.app.me() {
        model.app.complain("Only own messages can be deleted");
        return;
    }
    let text = message.body.text(&|id| model.app.names.of(id));
    model.app.overlay = Some(Overlay::Confirm {
        question: SafeText::line("Delete this message for everyone?"),
        detail: SafeText::line(&text),
        consent: Consent::DeleteMessage(message.key.clone()),
    });
}

/// Sends a change of a message of the open conversation.
pub fn change(model: &mut Model, key: &MessageKey, change: Change) {
    let Some(conversation) = model.app.open.clone() else { return };
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
    let request = PendingRequest::Message { conversation: conversation.clone(), change: pending };
    let ticket = model.app.pending.add(request);
    model.app.request(Request::Change { conversation, message: (&*key.id).into(), change, ticket });
}

fn copy(model: &mut Model, with_name: bool) {
    let app = &model.app;
    let Some(conversation) = app.opened() else { return };
    let Some((first, last)) = conversation.selection.as_ref().map(Selection::bounds) else {
        return;
    };
    let chosen = conversation.timeline.from(first).take_while(|m| m.key <= *last);
    let lines: Vec<String> = chosen
        .map(|message| {
            let text = message.body.text(&|id| app.names.of(id));
            if with_name && !message.body.is_system() {
                let at = message.at.clock(&app.prefs.zone);
                format!("[{at}] {}: {text}", app.names.of(&message.sender))
            } else {
                text
            }
        })
        .collect();
    let text = lines.join("\n");
    let characters = text.chars().count();
    let what = match lines.len() {
        1 => format!("{characters} characters"),
        n => format!("{n} messages, {characters} characters"),
    };
    model.app.effects.push(Effect::Copy { what, text });
}

fn open_link(model: &mut Model) {
    let links = selected(model).map(|m| m.body.links()).unwrap_or_default();
    model.app.overlay = match links.len() {
        0 => {
            model.app.note("This message has no link");
            None
        }
        1 => links.into_iter().next().map(confirm_link),
        _ => Some(Overlay::Links { links, marked: 0 }),
    };
}

fn copy_id(model: &mut Model) {
    let Some(message) = selected(model) else { return };
    let link = message.body.links().into_iter().next();
    let (what, text) = match link {
        Some(link) => ("link", link.to_string()),
        None => ("id", message.key.id.to_string()),
    };
    model.app.effects.push(Effect::Copy { what: format!("the {what}"), text });
}

/// Newest first, each once.
fn all_links(model: &mut Model) {
    const MOST: usize = 200;
    let Some(conversation) = model.app.opened() else { return };
    let mut links: Vec<SafeText> = Vec::new();
    for link in conversation.timeline.iter().rev().flat_map(|m| m.body.links()) {
        if links.len() >= MOST {
            break;
        }
        if !links.contains(&link) {
            links.push(link);
        }
    }
    if links.is_empty() {
        model.app.note("No links in what is loaded of this conversation");
    } else {
        model.app.overlay = Some(Overlay::Links { links, marked: 0 });
    }
}

/// The whole address is shown before anything is opened.
pub fn confirm_link(url: SafeText) -> Overlay {
    Overlay::Confirm {
        question: SafeText::line("Open this address?"),
        detail: url.clone(),
        consent: Consent::OpenLink(url),
    }
}

/// The selected message, when it was not sent.
fn failed(model: &Model) -> Option<(ConversationId, ClientMessageId, bool)> {
    let message = selected(model)?;
    let Delivery::Failed { can_retry, .. } = message.delivery else { return None };
    Some((model.app.open.clone()?, message.client_id.clone()?, can_retry))
}

fn retry(model: &mut Model) {
    if selected(model).is_some_and(|m| m.delivery == Delivery::Unconfirmed) {
        model.app.request(Request::RetryNow);
        model.app.note("Looking once more whether it arrived…");
        return;
    }
    let Some((conversation, client_id, on_disk)) = failed(model) else { return };
    let mut outgoing = None;
    if let Some(c) = model.app.opened_mut() {
        outgoing = c.sending.unsent.get(&client_id).cloned();
        if let Some(key) = c.selection.take().map(|selection| selection.at) {
            let delivery = if on_disk { Delivery::Queued } else { Delivery::Saving };
            c.timeline.update(&key, |m| m.delivery = delivery);
        }
    }
    // What never reached the disk is handed over again, under the same id.
    model.app.request(match outgoing.filter(|_| !on_disk) {
        Some(outgoing) => Request::Send { conversation, client_id, outgoing },
        None => Request::Resend { conversation, client_id },
    });
}

/// Puts a message that was not sent back into the box, above what is there.
pub fn take_back(model: &mut Model) {
    if let Some(key) = selected(model).map(|m| m.key.clone()) {
        on_outbox::take_back(model, &key);
    }
}
