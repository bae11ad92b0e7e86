//! The content of the store for the app, as the program starts or an archive is opened. A long list comes in parts, so
//! that the most recently active conversations are shown at once.

use super::apply::decode_stored;
use super::{Shared, requests};
use crate::model::edits::Edits;
use crate::model::{
    Conversation, ConversationId, Coverage, Delta, Message, Placement, RawMessage, Timestamp,
    UserId,
};
use crate::protocol::decode;
use crate::store::{CachedConversation, ConversationNumber, JoinedPage, OutboxItem, StoreError};
use std::sync::Arc;

/// The most threads whose stored members are sent at the start, because the conversations are named after them.
const MAX_STORED_ROSTERS: usize = 300;

/// Messages sent to the app when a chat is opened.
pub const FIRST_PAGE: u32 = 60;

/// Conversations in each part of the list after the first.
const NEXT_PARTS: usize = 10_000;

/// The conversations that have not been sent yet, and how many of their stored members still may be.
#[derive(Default)]
pub struct ListRest {
    numbers: Vec<ConversationNumber>,
    rosters: usize,
}

/// Sends the content of the store to the app: names, the first part of the list, drafts, the last open chat with its
/// newest page, and the outbox. Returns the items of the outbox, and the rest of the list, which may take long.
pub async fn send(shared: &Arc<Shared>) -> (Vec<OutboxItem>, ListRest) {
    let snapshot = match shared.store.snapshot(shared.me.clone()).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            shared.notice(&error.to_string()).await;
            return (Vec::new(), ListRest::default());
        }
    };
    for (id, source, name) in &snapshot.names {
        shared.names().learn(id, *source, name);
    }
    let open = snapshot.to_open().cloned();
    let mut rosters = MAX_STORED_ROSTERS;
    let list = async {
        shared.send(Delta::Names(snapshot.names)).await;
        send_conversations(shared, &snapshot.conversations, &mut rosters).await;
        shared.send(Delta::Drafts(snapshot.drafts)).await;
        shared.send(Delta::Choices(snapshot.choices)).await;
        if let Some(id) = &open {
            shared.send(Delta::LastOpen(id.clone())).await;
        }
    };
    // The app will ask for the open chat, but may still be preparing the screen. It is read while the list is sent.
    let stored = async {
        match &open {
            Some(id) => Some(StoredChat::read(shared, id).await),
            None => None,
        }
    };
    let (stored, ()) = tokio::join!(stored, list);
    if let (Some(id), Some(stored)) = (&open, stored) {
        stored.send(shared, id).await;
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
    (snapshot.outbox, ListRest { numbers: snapshot.rest, rosters })
}

/// What a conversation is opened with.
struct StoredChat {
    page: JoinedPage,
    coverage: Result<Coverage, StoreError>,
    read_receipts: Vec<(UserId, Timestamp)>,
    thread: Option<String>,
}

impl StoredChat {
    async fn read(shared: &Arc<Shared>, id: &ConversationId) -> Self {
        let history = shared.joined(id);
        // Read together: the store need not wake this task in between, and one frame shows everything.
        let (page, coverage, read_receipts, thread) = tokio::join!(
            history.newest(FIRST_PAGE),
            history.coverage(),
            shared.store.read_receipts(id),
            shared.store.thread_json(id)
        );
        let (read_receipts, thread) = (read_receipts.unwrap_or_default(), thread.ok().flatten());
        Self { page, coverage, read_receipts, thread }
    }

    async fn send(self, shared: &Arc<Shared>, id: &ConversationId) {
        let Self { page, coverage, read_receipts, thread } = self;
        let history = shared.joined(id);
        requests::send_coverage(shared, id, coverage).await;
        requests::send_stored(shared, id, &history, page, Placement::Newest).await;
        if !read_receipts.is_empty() {
            shared.send(Delta::ReadReceipts { conversation: id.clone(), read_receipts }).await;
        }
        if let Some(thread) = thread {
            shared.send_stored_thread(id, &thread).await;
        }
    }
}

/// Sends what is stored of a conversation: its newest page, how far others have read, and its members.
pub(super) async fn show_stored(shared: &Arc<Shared>, id: &ConversationId) {
    StoredChat::read(shared, id).await.send(shared, id).await;
}

/// Sends the rest of the list, part by part.
pub async fn send_rest(shared: &Arc<Shared>, rest: ListRest) {
    let ListRest { numbers, mut rosters } = rest;
    for part in numbers.chunks(NEXT_PARTS) {
        match shared.store.cached_conversations(part.to_vec(), shared.me.clone()).await {
            Ok(conversations) => send_conversations(shared, &conversations, &mut rosters).await,
            Err(error) => {
                shared.notice(&error.to_string()).await;
                break;
            }
        }
    }
}

/// Sends everything at once.
pub async fn send_all(shared: &Arc<Shared>) {
    let (_, rest) = send(shared).await;
    send_rest(shared, rest).await;
}

/// Sends a part of the stored list, and the stored members of at most this many conversations named after them.
async fn send_conversations(
    shared: &Arc<Shared>,
    stored: &[CachedConversation],
    rosters: &mut usize,
) {
    let conversations: Vec<Conversation> =
        stored.iter().map(|cached| conversation(cached, &shared.me)).collect();
    let unnamed = conversations.iter().filter(|c| c.is_named_by_members()).take(*rosters);
    let unnamed: Vec<ConversationId> = unnamed.map(|c| c.id.clone()).collect();
    *rosters -= unnamed.len();
    shared.send(Delta::Conversations(conversations)).await;
    for id in unnamed {
        shared.send_cached_thread(&id).await;
    }
}

fn conversation(cached: &CachedConversation, me: &UserId) -> Conversation {
    let mut conversation = decode::conversation(&cached.raw, me);
    conversation.unread = cached.unread;
    conversation.read_marker = cached.read_marker.clone().or(conversation.read_marker);
    if cached.cleared_at.0 > 0 {
        conversation.cleared_at = Some(cached.cleared_at);
    }
    let last = last_message(&cached.last, me);
    conversation.last = last.as_ref().and_then(decode::snippet).or(conversation.last);
    conversation
}

/// The last message of a conversation, from its stored row and the rows of its edits.
pub fn last_message(rows: &[RawMessage], me: &UserId) -> Option<Message> {
    let mut edits = Edits::default();
    let read = rows.iter().map(|row| {
        let mut message = decode::message(&decode_stored(row.clone()), me);
        edits.take(&mut message);
        message
    });
    let mut last = read.collect::<Vec<_>>().into_iter().next()?;
    edits.refold(&mut last);
    Some(last)
}
