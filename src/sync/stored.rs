//! Answers to requests that need nothing but the store.

use super::Shared;
use crate::model::search::{Hit, Query, SearchPosition};
use crate::model::{
    AccountFigures, ConversationId, Delta, Fault, FaultKind, Findings, MessageBody, MessageKey,
    MessageSource, Response, SafeText, Ticket, Timestamp,
};
use crate::protocol::decode;
use crate::store::{ForgetOutcome, SearchHandle};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Hits per page of a search.
const HITS: usize = 60;

pub async fn search(
    shared: &Shared,
    handle: SearchHandle,
    query: Query,
    below: Option<SearchPosition>,
    ticket: Ticket,
) {
    let result = match shared.store.search(handle, query, below, HITS).await {
        Ok(None) => return,
        Ok(Some(mut found)) => {
            for hit in found.hits.iter_mut().filter(|hit| hit.is_system) {
                hit.body = body(shared, hit).await.map(Box::new);
            }
            let more = below.is_some();
            Ok(Findings { hits: found.hits, next: found.next, more, behind: found.behind })
        }
        Err(error) => Err(Fault::from(&error)),
    };
    shared.respond(ticket, Response::Found(result)).await;
}

/// What a stored message says.
async fn body(shared: &Shared, hit: &Hit) -> Option<MessageBody> {
    let stored = shared.store.with_edits(&hit.conversation, &hit.key.id).await.ok()?;
    let raw = super::decode_stored(stored.into_iter().next()?);
    Some(decode::message(&raw, &shared.me).body)
}

/// Records the open chat for the next start, and that it is no longer forgotten. After it is shown, because the writer
/// may be busy. Returns whether it was forgotten: then its history has to be fetched again.
pub async fn opened(shared: &Shared, id: &ConversationId) -> bool {
    if let Err(error) = shared.store.set_last_open(id).await {
        tracing::warn!(%error, "the open chat was not recorded");
    }
    let was_forgotten = shared.store.remember(id).await;
    was_forgotten.unwrap_or_else(|error| {
        tracing::warn!(%error, "a chat could not be marked as not forgotten");
        false
    })
}

/// Tells the app which copies of the store upgrades have left.
pub async fn report_copies(shared: &Shared) {
    let copies = shared.store.copies().await;
    if !copies.is_empty() {
        send_copies(shared, &copies).await;
    }
}

async fn send_copies(shared: &Shared, names: &[String]) {
    let names = names.iter().map(|name| SafeText::line(name)).collect();
    shared.send(Delta::StoreCopies(names)).await;
}

/// Deletes the copies of the store, which still hold what was forgotten.
async fn delete_copies(shared: &Shared) {
    if shared.store.copies().await.is_empty() {
        return;
    }
    let left = shared.store.delete_copies().await;
    if !left.is_empty() {
        let names = left.join(", ");
        shared
            .notice(&format!(
                "{names} could not be deleted: the forgotten conversation is still in it"
            ))
            .await;
    }
    send_copies(shared, &left).await;
}

/// Deletes everything stored of a conversation.
pub async fn forget(shared: &Shared, conversation: &ConversationId, is_over: bool, ticket: Ticket) {
    let _delivery = shared.deltas.delivery.write().await;
    let result = match shared.store.forget(conversation, is_over, shared.me.clone()).await {
        Ok(ForgetOutcome::Forgotten) => {
            shared.history.lists.filled(conversation);
            shared.history.caught_up(conversation);
            shared.activity.close_chat(conversation);
            delete_copies(shared).await;
            Ok(())
        }
        Ok(ForgetOutcome::HasUnsent(count)) => {
            let messages = if count == 1 { "message has" } else { "messages have" };
            let why = format!("{count} {messages} not been sent; send or discard them first");
            Err(Fault::new(FaultKind::Refused, &why))
        }
        Err(error) => Err(Fault::from(&error)),
    };
    shared.respond(ticket, Response::Done(result)).await;
}

/// Sends a message as it was received, and its edit records.
pub async fn source(
    shared: &Shared,
    conversation: &ConversationId,
    key: &MessageKey,
    ticket: Ticket,
) {
    let (stored, origin) = shared.joined(conversation).source(&key.id).await;
    let items = stored.into_iter().map(super::decode_stored).collect();
    shared.respond(ticket, Response::Source(MessageSource { items, origin })).await;
}

pub async fn neighbors(
    shared: &Shared,
    conversation: &ConversationId,
    at: Timestamp,
    ticket: Ticket,
) {
    let found = shared.joined(conversation).neighbors(at).await;
    shared.respond(ticket, Response::Neighbors(found)).await;
}

/// How the connection is doing.
pub async fn figures(shared: &Shared, ticket: Ticket) {
    let polled = shared.connection.polled_ago();
    let figures = AccountFigures { polled, budget: shared.client.budget_left() };
    shared.respond(ticket, Response::Figures(figures)).await;
}

/// Counts a conversation's messages, which may take a while.
pub async fn statistics(
    shared: Arc<Shared>,
    conversation: ConversationId,
    zone: TimeZone,
    ticket: Ticket,
) {
    match shared.joined(&conversation).statistics(&zone).await {
        Ok(counted) => shared.respond(ticket, Response::Statistics(counted)).await,
        Err(error) => tracing::warn!(%error, "messages were not counted"),
    }
}
