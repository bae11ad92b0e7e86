//! How many messages a conversation has. Sync counts them each time the conversation is opened, and again when older
//! messages arrive. New messages are added here.

use super::{Chat, Env};
use crate::app::pending::PendingRequest;
use crate::model::date::Month;
use crate::model::{ChatStatistics, Message, Request};
use jiff::tz::TimeZone;

#[derive(Debug, Default)]
pub struct Statistics {
    /// The counts were requested since the chat was opened.
    pub is_asked: bool,
    pub counted: Option<ChatStatistics>,
}

/// Asks for the counts, once.
pub fn ask(chat: &mut Chat, env: &mut Env<'_>) {
    if std::mem::replace(&mut chat.paging.statistics.is_asked, true) {
        return;
    }
    let (conversation, zone) = (chat.info.id.clone(), env.prefs.zone.clone());
    let pending = PendingRequest::Statistics(chat.chat_ref());
    env.ask(pending, |ticket| Request::Statistics { conversation, zone, ticket });
}

/// Takes the counts, and adds the messages that have arrived in the meantime.
pub fn take(chat: &mut Chat, mut counted: ChatStatistics, zone: &TimeZone) {
    let newest = chat.timeline.iter().rev();
    let mut late: Vec<&Message> = newest
        .take_while(|message| message.key.is_unsent() || is_newer(&counted, message))
        .collect();
    late.reverse();
    for message in late {
        add(&mut counted, message, zone);
    }
    chat.paging.statistics.counted = Some(counted);
}

/// Adds a message that has just arrived.
pub fn count(chat: &mut Chat, message: &Message, zone: &TimeZone) {
    if let Some(counted) = &mut chat.paging.statistics.counted {
        add(counted, message, zone);
    }
}

fn is_newer(counted: &ChatStatistics, message: &Message) -> bool {
    counted.period.is_none_or(|(_, last)| message.key.at > last)
}

fn add(counted: &mut ChatStatistics, message: &Message, zone: &TimeZone) {
    let at = message.key.at;
    if message.key.is_unsent() || message.edit_of.is_some() || !is_newer(counted, message) {
        return;
    }
    counted.period = Some((counted.period.map_or(at, |(first, _)| first), at));
    let month = Month::of(at, zone);
    match counted.months.last_mut() {
        Some((last, count)) if *last == month => *count += 1,
        _ => counted.months.push((month, 1)),
    }
}

/// Whether the counts lack messages that are loaded.
pub fn is_outdated(chat: &Chat) -> bool {
    let Some((first, _)) = chat.paging.statistics.counted.as_ref().and_then(|c| c.period) else {
        return false;
    };
    chat.timeline.first().is_some_and(|message| message.key.at < first)
}
