//! What is known of how much was written in a conversation. Sync counts it: once each time the conversation is opened, and
//! again when older messages come.

use super::{Chat, Env};
use crate::app::pending::PendingRequest;
use crate::model::{ChatStatistics, Request};

#[derive(Debug, Default)]
pub struct Statistics {
    /// It was asked for since the chat was opened.
    pub is_asked: bool,
    pub counted: Option<ChatStatistics>,
}

/// Asks for them once.
pub fn ask(chat: &mut Chat, env: &mut Env<'_>) {
    if std::mem::replace(&mut chat.paging.statistics.is_asked, true) {
        return;
    }
    let (conversation, zone) = (chat.info.id.clone(), env.prefs.zone.clone());
    let pending = PendingRequest::Statistics(chat.chat_ref());
    env.ask(pending, |ticket| Request::Statistics { conversation, zone, ticket });
}

/// Whether what was counted lacks messages that are loaded.
pub fn is_outdated(chat: &Chat) -> bool {
    let Some((first, _)) = chat.paging.statistics.counted.as_ref().and_then(|c| c.period) else {
        return false;
    };
    chat.timeline.first().is_some_and(|message| message.key.at < first)
}
