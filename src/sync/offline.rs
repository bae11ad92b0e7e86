//! Read-only mode: shows a store that another process may be writing to, and does not use the network. Requests that
//! would change something are refused.

use super::requests::{self, send_stored};
use super::{Handle, Shared, SyncOptions, archive_files, prepare, snapshot, stored};
use crate::client::Client;
use crate::model::{
    AccountId, ConnectionState, ConversationId, Delta, Fault, FaultKind, Inbound, MessageKey,
    Outbound, Placement, Request, Response,
};
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::mpsc;

const WHY: &str = "read-only: nothing is sent or changed";

/// Starts without the network. The store must have been opened by `Store::open_read_only`; the client is not used.
pub fn start_offline(
    account: AccountId,
    client: Client,
    store: Store,
    options: SyncOptions,
) -> (Handle, mpsc::Receiver<Inbound>) {
    let (handle, shared, requested, receiver) = prepare(account, client, store, options);
    let all_done = handle.drained.clone();
    handle.tasks.spawn(async move {
        let _done = all_done.drop_guard();
        shared.send(Delta::Connection(ConnectionState::ReadOnly)).await;
        let (_, rest) = snapshot::send(&shared).await;
        let list = Arc::clone(&shared);
        let listed = async move { snapshot::send_rest(&list, rest).await };
        tokio::spawn(super::guarded(Arc::clone(&shared), listed));
        let examined = super::examine(Arc::clone(&shared));
        tokio::spawn(super::guarded(Arc::clone(&shared), examined));
        run(&shared, requested).await;
    });
    (handle, receiver)
}

async fn run(shared: &Arc<Shared>, mut requests: mpsc::Receiver<Outbound>) {
    while let Some(Outbound { request, .. }) = requests.recv().await {
        match request {
            Request::Open { conversation } => {
                shared.set_open_chat(&conversation);
                snapshot::show_stored(shared, &conversation).await;
            }
            Request::Older { conversation, before } => {
                older(shared, &conversation, &before).await;
            }
            Request::Around { conversation, key } => {
                requests::around(shared, &conversation, &key).await;
            }
            Request::Newer { conversation, after } => {
                requests::newer(shared, &conversation, &after).await;
            }
            Request::Search { query, below, ticket } => {
                let handle = shared.store.begin_search();
                let shared = Arc::clone(shared);
                tokio::spawn(async move {
                    stored::search(&shared, handle, query, below, ticket).await;
                });
            }
            Request::Source { conversation, key, ticket } => {
                stored::source(shared, &conversation, &key, ticket).await;
            }
            Request::ExportedFile { conversation, key, ticket } => {
                tokio::spawn(archive_files::copy(Arc::clone(shared), conversation, key, ticket));
            }
            Request::Neighbors { conversation, at, ticket } => {
                stored::neighbors(shared, &conversation, at, ticket).await;
            }
            Request::Figures { ticket } => stored::figures(shared, ticket).await,
            Request::Statistics { conversation, zone, ticket } => {
                tokio::spawn(stored::statistics(Arc::clone(shared), conversation, zone, ticket));
            }
            // Both show what another process or an import has stored meanwhile.
            Request::RetryNow => show_again(shared, shared.open_chat()).await,
            Request::Resync { conversation } => show_again(shared, Some(conversation)).await,
            other => refuse(shared, other).await,
        }
    }
}

/// Sends everything stored again, and a chat of it.
async fn show_again(shared: &Arc<Shared>, chat: Option<ConversationId>) {
    snapshot::send_all(shared).await;
    if let Some(chat) = chat {
        snapshot::show_stored(shared, &chat).await;
    }
}

/// Sends stored messages before `before`. There is no server that could have more.
async fn older(shared: &Shared, conversation: &ConversationId, before: &MessageKey) {
    let limit = shared.options.page;
    let history = shared.joined(conversation);
    let mut own = shared.store.before(conversation, before, limit).await.unwrap_or_default();
    own.reached_start = own.messages.len() < limit as usize;
    let page = history.before(own, before, limit).await;
    let placement = Placement::Older { before: before.into(), reached_start: page.is_last };
    send_stored(shared, conversation, &history, page, placement).await;
}

fn fault() -> Fault {
    Fault::new(FaultKind::ReadOnly, WHY)
}

/// Refuses a request that would change something. Requests that nobody waits for are dropped.
async fn refuse(shared: &Shared, request: Request) {
    match request {
        Request::Change { ticket, .. }
        | Request::Thread { ticket, .. }
        | Request::Forget { ticket, .. }
        | Request::SignInApproval { ticket, .. }
        | Request::SignInTenant { ticket, .. } => {
            shared.respond(ticket, Response::Done(Err(fault()))).await;
        }
        Request::Create { ticket, .. } => {
            shared.respond(ticket, Response::Created(Err(fault()))).await;
        }
        Request::Resolve { ticket, .. } => {
            shared.respond(ticket, Response::Resolved(Err(fault()))).await;
        }
        Request::SignInCode { ticket } => {
            shared.respond(ticket, Response::SignInCode(Err(fault()))).await;
        }
        Request::JoinUrl { ticket, .. } => {
            shared.respond(ticket, Response::JoinUrl(Err(fault()))).await;
        }
        Request::Download { ticket, .. } => {
            shared.respond(ticket, Response::FileCopy(Err(fault()))).await;
        }
        Request::Discard { conversation, client_id, .. } => {
            let result = Err(fault());
            shared.send(Delta::Discarded { conversation, client_id, result }).await;
        }
        Request::Send { .. } | Request::Resend { .. } => shared.notice(WHY).await,
        Request::MarkRead { .. }
        | Request::InSight { .. }
        | Request::Refresh { .. }
        | Request::Typing { .. }
        | Request::SaveDraft { .. }
        | Request::SaveChoices { .. }
        | Request::Import { .. }
        | Request::CancelImport
        | Request::CancelDownload { .. }
        | Request::Accounts { .. }
        | Request::Fill { .. }
        // Those that only read are handled by the caller.
        | Request::Open { .. }
        | Request::Older { .. }
        | Request::Around { .. }
        | Request::Newer { .. }
        | Request::Search { .. }
        | Request::Source { .. }
        | Request::ExportedFile { .. }
        | Request::Neighbors { .. }
        | Request::Figures { .. }
        | Request::Statistics { .. }
        | Request::RetryNow
        | Request::Resync { .. } => {}
    }
}
