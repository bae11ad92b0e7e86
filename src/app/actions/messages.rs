//! The message pane: scrolling, selecting, and what can be done with a message.

use super::links;
use crate::app::action::{MessagesAction, Scroll};
use crate::app::chat::{
    Chat, Env, Selection, Window, history, jump_to_quote, message_change, outbox, reading,
};
use crate::app::keymap::KeymapEntry;
use crate::app::model::Model;
use crate::app::overlay::{Confirm, Consent, Inspector, MessageMenu, Overlay, Prompt, Reactions};
use crate::app::pending::SourcePurpose;
use crate::app::state::Focus;
use crate::model::{Delivery, Message, MessageBody, MessageKey, MessageSource, SafeText};

pub fn act(model: &mut Model, action: MessagesAction) {
    let moves = matches!(
        action,
        MessagesAction::Scroll(_)
            | MessagesAction::FirstUnread
            | MessagesAction::FirstNotSent
            | MessagesAction::SelectUp
            | MessagesAction::SelectDown
            | MessagesAction::Extend { .. }
            | MessagesAction::AllLinks
            | MessagesAction::GoToDate
    );
    // A gap line is not a message: it only offers to fetch the missing ones.
    let on_gap = selected(model).is_some_and(|m| matches!(m.body, MessageBody::Gap { .. }));
    if on_gap && !moves {
        if action == MessagesAction::Menu {
            model.app.with_open(history::fill_selected_gap);
        }
        return;
    }
    let for_people = matches!(
        action,
        MessagesAction::Reply
            | MessagesAction::React
            | MessagesAction::Edit
            | MessagesAction::Delete
    );
    let why_not = selected(model).and_then(why_not_for_people).filter(|_| for_people);
    if let Some(why) = why_not {
        model.app.note(&format!("{why}: it can only be viewed and copied"));
        return;
    }
    match action {
        MessagesAction::Scroll(by) => scroll(model, by),
        MessagesAction::FirstUnread => first_unread(model),
        MessagesAction::FirstNotSent => first_not_sent(model),
        MessagesAction::SelectUp => select(model, true),
        MessagesAction::SelectDown => select(model, false),
        MessagesAction::Extend { up } => extend(model, up),
        MessagesAction::Menu => {
            if selected(model).is_some() {
                model.overlays.push(Overlay::MessageMenu(MessageMenu::default()));
            }
        }
        MessagesAction::Delete => ask_delete(model),
        MessagesAction::React => react(model),
        MessagesAction::Inspect => inspect(model),
        MessagesAction::Follow => {
            let found = model.app.with_open(jump_to_quote::begin).flatten();
            if let Some(key) = found {
                model.view.reveal(&mut model.app, &key);
            }
        }
        MessagesAction::Copy { with_name } => copy(model, with_name),
        MessagesAction::OpenLink => links::open(model),
        MessagesAction::CopyId => copy_id(model),
        MessagesAction::AllLinks => links::list_all(model),
        MessagesAction::GoToDate => {
            let prompt = model.app.open.clone().map(Prompt::date);
            model.overlays.extend(prompt);
        }
        MessagesAction::Reply => write_about(model, message_change::reply),
        MessagesAction::Edit => write_about(model, message_change::edit),
        MessagesAction::Retry => with_open(model, outbox::retry),
        MessagesAction::TakeBack => write_about(model, |chat, env| {
            if let Some(key) = chat.selected().map(|m| m.key.clone()) {
                outbox::take_back(chat, env, &key);
            }
        }),
        MessagesAction::MarkUnread => with_selected(model, reading::unread_from),
    }
}

/// Why a message cannot be replied to, reacted to or changed by anybody.
fn why_not_for_people(message: &Message) -> Option<&'static str> {
    match message.body {
        MessageBody::Deleted => Some("This message was deleted"),
        _ => message.body.is_system().then_some("This is a system message"),
    }
}

pub(super) fn selected(model: &Model) -> Option<&Message> {
    model.app.opened()?.selected()
}

fn scroll(model: &mut Model, by: Scroll) {
    model.app.with_open(|chat, _| {
        history::ask_again(chat);
        if matches!(by, Scroll::PageUp | Scroll::HalfUp | Scroll::LineUp | Scroll::Oldest) {
            chat.forgive_older();
        }
    });
    // A page overlaps by one row, so that the reader keeps the place.
    let page = (model.view.page(&model.app) - 1).max(1);
    let app = &mut model.app;
    match by {
        Scroll::PageUp => model.view.scroll(app, -page),
        Scroll::PageDown => model.view.scroll(app, page),
        Scroll::HalfUp => model.view.scroll(app, -((page + 1) / 2)),
        Scroll::HalfDown => model.view.scroll(app, (page + 1) / 2),
        Scroll::LineUp => model.view.scroll(app, -1),
        Scroll::LineDown => model.view.scroll(app, 1),
        Scroll::Oldest => model.view.to_top(app),
        Scroll::Newest => {
            app.with_open(history::to_newest);
            note_skipped(model);
        }
    }
    if model.app.prefs.keymap.is_modal() {
        take_selection_along(model, by);
    }
}

/// As in vim, the selection moves to the first or last line along with the view.
fn take_selection_along(model: &mut Model, by: Scroll) {
    model.app.with_open(|chat, _| {
        let wanted = match by {
            Scroll::Oldest => chat.timeline.first(),
            Scroll::Newest => chat.timeline.last(),
            _ => return,
        };
        if chat.selection.is_some() {
            chat.selection = wanted.map(|message| Selection::one(message.key.clone()));
        }
    });
}

/// Tells the user, at the end of the chat, that skipped messages stay unread and how to get to them.
pub fn note_skipped(model: &mut Model) {
    if !model.app.prefs.receipts().by_looking() {
        return;
    }
    let Some(first) = model.view.first_at_bottom(&model.app) else { return };
    let key = |name: &str| {
        let entry = model.app.prefs.keymap.entry(name);
        entry.map(KeymapEntry::key).unwrap_or_default()
    };
    let (back, read) = (key("first-unread"), key("mark-read"));
    let me = &model.app.current_account().me;
    match model.app.opened().map_or(0, |chat| chat.unseen_before(&first, me)) {
        0 => {}
        1 => model.app.note(&format!("1 unread above · {back} shows it")),
        n => {
            model
                .app
                .note(&format!("{n} unread above · {back} shows them · {read} marks all read"));
        }
    }
}

fn first_unread(model: &mut Model) {
    let wanted = model.app.with_open(|chat, env| {
        if chat.paging.window != Window::Live {
            history::to_newest(chat, env);
        }
        chat.selection = None;
        chat.want_first_unread(env.me, env.now.mono)
    });
    if wanted == Some(true) {
        model.go_to_new();
    } else if wanted == Some(false) {
        model.app.note("No unread messages here");
    }
}

/// Selects the first message that needs a decision of the user.
fn first_not_sent(model: &mut Model) {
    let found = model.app.with_open(|chat, env| {
        let key = chat.first_not_sent()?.key.clone();
        history::select(chat, env, &key).then_some(key)
    });
    if let Some(key) = found.flatten() {
        model.app.set_focus(Focus::Compose);
        model.view.reveal(&mut model.app, &key);
    } else {
        super::inbox::none_failed(model);
    }
}

/// Moves the selection. Without one, selects the last visible message; moving below the last message ends it.
fn select(model: &mut Model, up: bool) {
    model.app.stop_writing();
    let in_sight = model.view.visible.messages.rows.iter().rev().find_map(|row| row.key.clone());
    model.app.set_focus(Focus::Compose);
    // A message that is taller than the pane is scrolled first.
    if let Some(key) = selected(model).map(|m| m.key.clone())
        && model.view.goes_on(&model.app, &key, up)
    {
        model.view.scroll(&mut model.app, if up { -1 } else { 1 });
        return;
    }
    let next = model.app.with_open(|chat, _| {
        let timeline = &chat.timeline;
        let next = match (chat.selection.as_ref().map(|s| &s.at), up) {
            (None, true) => in_sight
                .filter(|key| timeline.get(key).is_some())
                .or_else(|| timeline.last().map(|m| m.key.clone())),
            (None, false) => None,
            (Some(key), true) => {
                let above = timeline.before(key).next_back();
                Some(above.map_or_else(|| key.clone(), |m| m.key.clone()))
            }
            (Some(key), false) => timeline.after(key).next().map(|m| m.key.clone()),
        };
        chat.selection = next.clone().map(Selection::one);
        next
    });
    if let Some(key) = next.flatten() {
        model.view.reveal(&mut model.app, &key);
    }
}

/// Extends the selection by one message, or shrinks it when moving back.
fn extend(model: &mut Model, up: bool) {
    let next = model.app.with_open(|chat, _| {
        let selection = chat.selection.as_mut()?;
        let timeline = &chat.timeline;
        let next = if up {
            timeline.before(&selection.at).next_back()
        } else {
            timeline.after(&selection.at).next()
        };
        let next = next?.key.clone();
        let at = std::mem::replace(&mut selection.at, next.clone());
        selection.from.get_or_insert(at);
        Some(next)
    });
    if let Some(key) = next.flatten() {
        model.view.reveal(&mut model.app, &key);
    }
}

fn react(model: &mut Model) {
    let message = selected(model).filter(|m| !m.key.is_unsent()).map(|m| m.key.clone());
    if let (Some(message), Some(chat)) = (message, model.app.open.clone()) {
        model.overlays.push(Overlay::Reactions(Reactions::new(chat, message)));
    }
}

/// Shows the details of the message. Its source is in the store; an unsent message has none yet.
fn inspect(model: &mut Model) {
    let Some(chat) = model.app.opened() else { return };
    let Some(key) = chat.selected().map(|m| m.key.clone()) else { return };
    if key.is_unsent() {
        let inspector = Inspector::new(&model.app, chat, &key, &MessageSource::default());
        model.overlays.extend(inspector.map(Overlay::Inspector));
    } else {
        model.app.with_open(|chat, env| {
            message_change::ask_source(chat, env, key, SourcePurpose::Inspect);
        });
    }
}

fn ask_delete(model: &mut Model) {
    let Some(at) = model.app.open.clone() else { return };
    let Some(message) = selected(model) else { return };
    let (key, client_id) = (message.key.clone(), message.client_id.clone());
    let account = model.app.current_account();
    let text = message.body.text(&|id| account.names.of(id));
    let mine = message.sender == account.me;
    let confirm = match client_id.filter(|_| outbox::has_not_left(&message.delivery)) {
        // The message will be sent too soon to ask a question first.
        Some(client_id) if matches!(message.delivery, Delivery::Saving | Delivery::Held) => {
            model.app.with_open(|chat, env| outbox::discard(chat, env, client_id));
            return;
        }
        Some(client_id) => {
            let question = "Discard this unsent message?";
            Confirm::new(question, &one_line(&text), Consent::Discard(at, client_id))
        }
        None if !mine => {
            model.app.complain("Only your own messages can be deleted");
            return;
        }
        None if key.is_unsent() => {
            model.app.complain("This message is still being sent; delete it once it has arrived");
            return;
        }
        None => {
            let question = "Delete this message for everyone?";
            Confirm::new(question, &one_line(&text), Consent::DeleteMessage(at, key))
        }
    };
    model.overlays.push(Overlay::Confirm(confirm));
}

fn one_line(text: &str) -> SafeText {
    SafeText::line(text)
}

fn copy(model: &mut Model, with_names: bool) {
    model.app.with_open(|chat, env| {
        let Some((count, text)) = message_change::selected_text(chat, env, with_names) else {
            return;
        };
        let characters = text.chars().count();
        let what = match count {
            1 => format!("{characters} characters"),
            n => format!("{n} messages, {characters} characters"),
        };
        env.copy(&what, text);
    });
}

fn copy_id(model: &mut Model) {
    model.app.with_open(|chat, env| {
        let Some(message) = chat.selected() else { return };
        match message.body.links().into_iter().next() {
            Some(link) => env.copy("the link", link.as_str()),
            None => env.copy("the id", &*message.key.id),
        }
    });
}

/// Begins a reply or an edit. If it is refused, the message stays selected, and letters stay keys.
fn write_about(model: &mut Model, work: impl FnOnce(&mut Chat, &mut Env<'_>)) {
    let was_selected = selected(model).is_some();
    with_open(model, work);
    if was_selected && selected(model).is_none() {
        model.app.write();
    }
}

fn with_selected(model: &mut Model, work: impl FnOnce(&mut Chat, &mut Env<'_>, &MessageKey)) {
    let Some(key) = selected(model).map(|m| m.key.clone()) else { return };
    model.app.with_open(|chat, env| work(chat, env, &key));
}

fn with_open(model: &mut Model, work: impl FnOnce(&mut Chat, &mut Env<'_>)) {
    model.app.with_open(work);
}
