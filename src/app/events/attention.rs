//! Which new messages cause notifications: those that arrive live in a chat that the user is not looking at.
//!
//! Nothing is shown from here: notifications leave as effects, after messages have been collected for a moment.

use crate::app::attention::{FreshMessage, FreshMessages};
use crate::app::chat::Chat;
use crate::app::effect::{Alert, Effect, Notification};
use crate::app::model::Model;
use crate::app::state::AppState;
use crate::model::text::cut;
use crate::model::{
    ChatRef, Message, MessageBody, NotificationDetail, NotifyAbout, SafeText, UserId, has_keyword,
};
use std::time::Duration;

/// On a terminal that does not report its focus, a user who has not pressed a key for this long is not looking.
const IDLE: Duration = Duration::from_secs(120);
/// The longest text of a notification, in cells.
const LONGEST: usize = 200;

/// Messages arrived live, and are not in the timeline yet.
pub fn arrived(model: &mut Model, at: &ChatRef, messages: &[Message]) {
    let app = &model.app;
    let prefs = &app.prefs.choices.notifications;
    if (app.prefs.demo && !prefs.demo) || is_in_sight(app, at) {
        return;
    }
    let Some(account) = app.accounts.get(&at.account) else { return };
    let chat = account.conversations.get(&at.conversation);
    let about = chat.map_or(prefs.about, |chat| about(app, chat));
    let mut new = Vec::new();
    for message in messages.iter().filter(|m| is_news(app, at, chat, m, &account.me)) {
        let text = message.body.preview(&|id| account.names.of(id));
        let is_for_me = message.mentions_me || has_keyword(&text, &prefs.keywords);
        let is_wanted = match about {
            NotifyAbout::All => true,
            NotifyAbout::Mentions => is_for_me,
            NotifyAbout::Nothing => false,
        };
        if is_wanted {
            let is_group = chat.is_some_and(|chat| chat.info.is_group());
            let text = line(&account.names.of(&message.sender), &text, is_group);
            new.push(FreshMessage { key: message.key.clone(), is_for_me, text });
        }
    }
    let now = model.app.clock.mono;
    for message in new {
        model.app.presence.attention.take(at, message, now);
    }
}

/// What notifications are about in a chat, by the user's choice.
fn about(app: &AppState, chat: &Chat) -> NotifyAbout {
    let configured = app.prefs.choices.notifications.about;
    if chat.is_muted() { NotifyAbout::Nothing } else { chat.notifies_about(configured) }
}

/// Whether a chat was silenced since its messages arrived.
fn is_silenced(app: &AppState, chat: &ChatRef) -> bool {
    let chat = app.accounts.chat(chat);
    chat.is_some_and(|chat| about(app, chat) == NotifyAbout::Nothing)
}

/// Whether the user is looking at a chat.
fn is_in_sight(app: &AppState, chat: &ChatRef) -> bool {
    app.open.as_ref() == Some(chat) && app.presence.is_looking(app.clock.mono, IDLE)
}

/// Whether a message is news to the user: not an edit, a reaction, a signal, a message of their own, or one that was
/// read elsewhere.
fn is_news(
    app: &AppState,
    at: &ChatRef,
    chat: Option<&Chat>,
    message: &Message,
    me: &UserId,
) -> bool {
    let is_changed =
        message.edited.is_some() || message.edit_of.is_some() || message.is_changed_in_place();
    let says_something = !message.body.is_system()
        && !matches!(
            message.body,
            MessageBody::Hidden | MessageBody::Deleted | MessageBody::Deletes(_)
        );
    let is_known = chat.is_some_and(|chat| {
        let read = chat.info.read_marker.as_ref().is_some_and(|m| m.arrival >= message.key.at);
        let cleared = chat.info.cleared_at.is_some_and(|cleared| cleared >= message.key.at);
        read || cleared || chat.timeline.get(&message.key).is_some()
    });
    message.sender != *me
        && !is_changed
        && says_something
        && !is_known
        && !app.presence.attention.knows(at, &message.key)
}

fn line(sender: &SafeText, text: &str, is_group: bool) -> SafeText {
    let text = text.split_whitespace().take(LONGEST).collect::<Vec<_>>().join(" ");
    let name = sender.split_whitespace().next().unwrap_or_default();
    let line = if is_group { format!("{name}: {text}") } else { text };
    SafeText::line(&cut(&SafeText::line(&line), LONGEST))
}

/// The messages have been collected: notifies about those that are still unread.
pub fn expire(model: &mut Model) {
    let app = &mut model.app;
    let mut new = app.presence.attention.collected(app.clock.mono);
    new.retain(|new| {
        is_unread(app, new) && !is_silenced(app, &new.chat) && !is_in_sight(app, &new.chat)
    });
    let (zone, wall) = (&app.prefs.zone, app.clock.wall);
    if new.is_empty() || app.prefs.choices.notifications.quiet_hours.contain(wall, zone) {
        return;
    }
    let (title, text) = words(app, &new);
    let number = app.presence.attention.show(&new);
    app.effects.push(Effect::Alert(Alert::Notify(Notification { number, title, text })));
}

fn is_unread(app: &AppState, new: &FreshMessages) -> bool {
    let marker = app.accounts.chat(&new.chat).and_then(|chat| chat.info.read_marker.as_ref());
    marker.is_none_or(|marker| marker.arrival < new.last.key.at)
}

fn words(app: &AppState, new: &[FreshMessages]) -> (SafeText, SafeText) {
    let detail = app.prefs.choices.notifications.show;
    let count: usize = new.iter().map(|new| new.count).sum();
    let messages =
        if count == 1 { "New message".to_owned() } else { format!("{count} new messages") };
    let name = |new: &FreshMessages| {
        let chat = app.accounts.chat(&new.chat);
        chat.map(|chat| app.accounts.of(chat).title(chat)).filter(|title| !title.is_empty())
    };
    let skchat = || SafeText::line("skchat");
    let (title, text) = match (new, detail) {
        (_, NotificationDetail::Nothing) => (skchat(), messages),
        ([one], NotificationDetail::Name) => {
            let is_for_me = if one.last.is_for_me { " · for you" } else { "" };
            (name(one).unwrap_or_else(skchat), format!("{messages}{is_for_me}"))
        }
        ([one], NotificationDetail::Text) => {
            let more = if one.count > 1 { format!(" · {messages}") } else { String::new() };
            (name(one).unwrap_or_else(skchat), format!("{}{more}", one.last.text))
        }
        (several, _) => {
            let names: Vec<SafeText> = several.iter().filter_map(name).collect();
            let names: Vec<&str> = names.iter().map(SafeText::as_str).collect();
            (skchat(), format!("{messages}: {}", names.join(", ")))
        }
    };
    let text = SafeText::line(&text);
    (title, SafeText::line(&cut(&text, LONGEST)))
}

/// Everything in a chat was read, here or elsewhere.
pub fn read(model: &mut Model, chat: &ChatRef) {
    for number in model.app.presence.attention.read(chat) {
        model.app.effects.push(Effect::Alert(Alert::Withdraw(number)));
    }
}
