//! From answers of the server to rows in the store to deltas for the app. Applied first, told afterwards; when the
//! store fails the deltas still go, with a warning.

use super::Shared;
use crate::model::{
    Arrival, Conversation, ConversationId, Delta, MessageBody, NameSource, Placement,
    RawConversation, RawMessage, ThreadFlag, UserId, text::SafeText,
};
use crate::protocol::{decode, wire};
use crate::store::{Applied, Batch, ConversationRow, CoverageUpdate, OutboxItem, SyncToken};
use std::sync::Arc;

/// A conversation on its way in.
pub struct IncomingConversation {
    pub raw: RawConversation,
    /// All its messages are stored after this.
    pub complete: bool,
    /// See [`ConversationRow::sync_token`].
    pub sync_token: Option<SyncToken>,
}

impl IncomingConversation {
    /// IncomingConversation in a list; its messages are another matter.
    pub fn listed(raw: RawConversation) -> Self {
        Self { raw, complete: false, sync_token: None }
    }
}

/// Messages of one conversation on their way in.
pub struct IncomingMessages {
    pub conversation: ConversationId,
    pub messages: Vec<RawMessage>,
    pub placement: Placement,
    pub arrival: Arrival,
    /// Which part of the history is stored with them.
    pub coverage: Option<CoverageUpdate>,
}

/// Reads a stored row's content again from the item as received.
pub fn decode_stored(row: RawMessage) -> RawMessage {
    wire::raw_message(&row.json, Some(&row.conversation)).unwrap_or(row)
}

/// Sends what the store holds: names, list, drafts, the last open chat and the outbox. Gives the outbox's items.
pub async fn send_snapshot(shared: &Arc<Shared>) -> Vec<OutboxItem> {
    let snapshot = match shared.store.snapshot(shared.me.clone()).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            shared.notice(&error.to_string()).await;
            return Vec::new();
        }
    };
    for (id, source, name) in &snapshot.names {
        shared.names().learn(id, *source, name);
    }
    shared.send(Delta::Names(snapshot.names)).await;
    let conversations = snapshot.conversations.iter().map(|cached| {
        let mut conversation = decode::conversation(&cached.raw, &shared.me);
        conversation.unread = cached.unread;
        conversation.read_marker = cached.read_marker.clone().or(conversation.read_marker);
        if cached.cleared_at.0 > 0 {
            conversation.cleared_at = Some(cached.cleared_at);
        }
        if let Some(last) = &cached.last {
            let message = decode::message(&decode_stored(last.clone()), &shared.me);
            conversation.last = snippet(&message).or(conversation.last);
        }
        conversation
    });
    shared.send(Delta::Conversations(conversations.collect())).await;
    shared.send(Delta::Drafts(snapshot.drafts)).await;
    let open =
        snapshot.last_open.filter(|id| snapshot.conversations.iter().any(|c| c.raw.id == *id));
    if let Some(id) = open {
        shared.send(Delta::LastOpen(id)).await;
    }
    for item in &snapshot.outbox {
        shared
            .send(Delta::Outbox {
                conversation: item.conversation.clone(),
                client_id: item.client_id.clone(),
                outgoing: item.outgoing.clone(),
                queued_at: item.queued_at,
                delivery: item.delivery(),
            })
            .await;
    }
    snapshot.outbox
}

fn snippet(message: &crate::model::Message) -> Option<crate::model::conversation::Snippet> {
    if matches!(message.body, MessageBody::Hidden) || message.edit_of.is_some() {
        return None;
    }
    let nameless = |id: &UserId| SafeText::line(id.bare());
    let text = message.body.text(&nameless);
    let text: Vec<&str> = text.split_whitespace().collect();
    Some(crate::model::conversation::Snippet {
        sender: message.sender.clone(),
        text: SafeText::line(&text.join(" ")),
        system: message.body.is_system(),
    })
}

impl Shared {
    /// Stores an answer and tells the app.
    pub(super) async fn ingest(
        &self,
        conversations: Vec<IncomingConversation>,
        incoming: Vec<IncomingMessages>,
    ) -> bool {
        let mut decoded: Vec<Conversation> =
            conversations.iter().map(|seen| decode::conversation(&seen.raw, &self.me)).collect();
        let mut batch = Batch { decoder: decode::DECODER_VERSION, ..Batch::default() };
        for (seen, conversation) in conversations.into_iter().zip(&decoded) {
            batch.conversations.push(ConversationRow {
                raw: seen.raw,
                read_marker: conversation.read_marker.clone(),
                cleared_at: conversation.cleared_at,
                complete: seen.complete,
                sync_token: seen.sync_token,
            });
        }
        let mut pages = Vec::new();
        for IncomingMessages { conversation, messages, placement, arrival, coverage } in incoming {
            batch.coverage.extend(coverage.map(|coverage| (conversation.clone(), coverage)));
            let mut shown = Vec::with_capacity(messages.len());
            for raw in messages {
                if decode::typing(&raw).is_some() {
                    continue;
                }
                let message = decode::message(&raw, &self.me);
                for (id, source, name) in decode::names(&raw) {
                    if self.names().learn(&id, source, &name) {
                        batch.names.push((id, source, name));
                    }
                }
                batch.messages.push((raw, decode::indexed(&message)));
                shown.push(message);
            }
            pages.push((conversation, shown, placement, arrival));
        }
        let names = batch.names.clone();
        let (stored, saved) = match self.store.apply(batch, self.me.clone()).await {
            Ok(stored) => (stored, true),
            Err(error) => {
                tracing::error!(%error, "a batch was not stored");
                self.notice(&format!("{error}; messages are shown but not kept")).await;
                (Applied::default(), false)
            }
        };
        if !names.is_empty() {
            self.send(Delta::Names(names)).await;
        }
        for conversation in &mut decoded {
            if let Some((_, unread, read_marker)) =
                stored.unread.iter().find(|(id, ..)| *id == conversation.id)
            {
                conversation.unread = *unread;
                conversation.read_marker = read_marker.clone().or(conversation.read_marker.take());
            }
        }
        if !decoded.is_empty() {
            self.send(Delta::Conversations(decoded)).await;
        }
        // Before the messages: no two of them are ever shown as neighbours that are none.
        for (conversation, coverage) in stored.coverages {
            if coverage.gaps().any(|gap| !gap.closed) {
                self.history.gaps.notify_one();
            }
            self.send(Delta::Coverage { conversation, coverage }).await;
        }
        for (conversation, messages, placement, arrival) in pages {
            let flags: Vec<(ThreadFlag, bool)> = if arrival == Arrival::Live {
                messages.iter().filter_map(announced_flag).collect()
            } else {
                Vec::new()
            };
            self.send(Delta::Messages {
                conversation: conversation.clone(),
                messages,
                placement,
                arrival,
            })
            .await;
            for (flag, on) in flags {
                self.send(Delta::Flag { conversation: conversation.clone(), flag, on }).await;
            }
        }
        for (conversation, unread, read_marker) in stored.unread {
            self.send(Delta::Unread { conversation, unread, read_marker }).await;
        }
        saved
    }

    /// Takes names in from a look-up or a member list.
    pub(super) async fn learn_names(&self, found: Vec<(UserId, NameSource, SafeText)>) {
        let fresh: Vec<_> = found
            .into_iter()
            .filter(|(id, source, name)| self.names().learn(id, *source, name))
            .collect();
        if fresh.is_empty() {
            return;
        }
        let batch = Batch { names: fresh.clone(), ..Batch::default() };
        if let Err(error) = self.store.apply(batch, self.me.clone()).await {
            tracing::error!(%error, "names were not stored");
        }
        self.send(Delta::Names(fresh)).await;
    }

    /// Takes a thread's members and settings in.
    pub(super) async fn send_thread(&self, id: &ConversationId, thread: wire::Thread) {
        let names =
            thread.members.iter().map(|m| (m.id.clone(), NameSource::Member, m.name.clone()));
        self.learn_names(names.filter(|(_, _, name)| !name.is_empty()).collect()).await;
        self.send(Delta::Members { conversation: id.clone(), members: thread.members }).await;
        self.send(Delta::Settings { conversation: id.clone(), settings: thread.settings }).await;
    }
}

/// The flag that a thread activity announces.
fn announced_flag(message: &crate::model::Message) -> Option<(ThreadFlag, bool)> {
    use crate::model::ThreadActivity;
    match &message.body {
        MessageBody::Thread(ThreadActivity::Joining { open, .. }) => {
            Some((ThreadFlag::JoiningEnabled, *open))
        }
        MessageBody::Thread(ThreadActivity::History { disclosed, .. }) => {
            Some((ThreadFlag::HistoryDisclosed, *disclosed))
        }
        _ => None,
    }
}
