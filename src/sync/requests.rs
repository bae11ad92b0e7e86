//! Executes the app's requests. What only needs the store is done in order, what needs the network concurrently.

use super::catch_up::News;
use super::outbox::{self, OutboxCommand};
use super::{Shared, archive_files, downloads, sign_in, snapshot, stored, threads, wall_clock};
use crate::client::{Error, for_user, if_all_is_well};
use crate::model::{
    Arrival, ConversationId, Coverage, Delta, Draft, Fault, FaultKind, MessageKey, Outbound,
    Placement, RawMessage, ReadMarker, Request, Response, Ticket,
};
use crate::protocol::decode;
use crate::store::{JoinedHistory, JoinedPage, StoreError};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Requests that use the network at the same time.
const PARALLEL: usize = 5;
/// Changes that can be queued.
const CHANGES: usize = 256;
/// Messages on each side of a position that is opened.
const AROUND: u32 = 60;

pub async fn run(
    shared: Arc<Shared>,
    mut requests: mpsc::Receiver<Outbound>,
    outbox: mpsc::Sender<OutboxCommand>,
) {
    let slots = Arc::new(Semaphore::new(PARALLEL));
    // Changes of messages and settings reach the server in the order they were made.
    let (changes, mut ordered) = mpsc::channel::<Request>(CHANGES);
    spawn(&shared, &slots, move |shared| async move {
        while let Some(request) = ordered.recv().await {
            execute(&shared, request).await;
        }
    });
    let dispatcher = Dispatcher { shared, slots, changes, outbox };
    while let Some(Outbound { request, .. }) = requests.recv().await {
        if request.is_caused_by_user() {
            dispatcher.shared.activity.touch();
        }
        dispatcher.dispatch(request).await;
    }
}

/// Decides for each request whether it is executed here in order, in the queue of changes, or concurrently.
struct Dispatcher {
    shared: Arc<Shared>,
    slots: Arc<Semaphore>,
    changes: mpsc::Sender<Request>,
    outbox: mpsc::Sender<OutboxCommand>,
}

impl Dispatcher {
    async fn dispatch(&self, request: Request) {
        let shared = &self.shared;
        match request {
            Request::SaveDraft { conversation, draft } => {
                self.save_draft(conversation, draft).await;
            }
            Request::Send { conversation, client_id, outgoing } => {
                // Here, in order with drafts: it deletes the draft, which must not be one that is saved later.
                if outbox::enqueue(shared, &conversation, &client_id, &outgoing).await {
                    self.send_to_outbox(OutboxCommand::Wake { conversation }).await;
                }
            }
            Request::Resend { conversation, client_id } => {
                self.send_to_outbox(OutboxCommand::Resend { conversation, client_id }).await;
            }
            Request::Discard { conversation, client_id, draft } => {
                // Here for the same reason.
                outbox::cancel(shared, conversation.clone(), client_id, draft).await;
                self.send_to_outbox(OutboxCommand::Wake { conversation }).await;
            }
            Request::InSight { people } => shared.activity.in_sight.set(people),
            Request::RetryNow => shared.connection.retry_now(),
            Request::Open { conversation } => self.open(conversation).await,
            // These only read the store, and must not wait for requests that use the network.
            Request::Around { conversation, key } => around(shared, &conversation, &key).await,
            Request::Newer { conversation, after } => newer(shared, &conversation, &after).await,
            Request::Source { conversation, key, ticket } => {
                stored::source(shared, &conversation, &key, ticket).await;
            }
            Request::ExportedFile { .. }
            | Request::Download { .. }
            | Request::CancelDownload { .. } => downloads::take(shared, request),
            // In order with drafts, which must not be saved after it.
            Request::Forget { conversation, is_over, ticket } => {
                stored::forget(shared, &conversation, is_over, ticket).await;
            }
            Request::Neighbors { conversation, at, ticket } => {
                stored::neighbors(shared, &conversation, at, ticket).await;
            }
            Request::Figures { ticket } => stored::figures(shared, ticket).await,
            Request::Statistics { conversation, zone, ticket } => {
                tokio::spawn(stored::statistics(Arc::clone(shared), conversation, zone, ticket));
            }
            Request::Search { query, below, ticket } => {
                // Not limited like other requests, because a new search cancels the one before.
                let handle = shared.store.begin_search();
                let shared = Arc::clone(shared);
                tokio::spawn(
                    async move { stored::search(&shared, handle, query, below, ticket).await },
                );
            }
            // It may wait for many minutes, and must not keep others waiting.
            Request::SignInApproval { names, ticket } => {
                sign_in::go_on(shared, sign_in::SignInWait::Approval { names }, ticket);
            }
            Request::SignInTenant { tenant, ticket } => {
                sign_in::go_on(shared, sign_in::SignInWait::Tenant(tenant), ticket);
            }
            change @ (Request::Change { .. } | Request::Thread { .. }) => self.queue(change).await,
            other => self.spawn(move |shared| async move { execute(&shared, other).await }),
        }
    }

    fn spawn<F, T>(&self, task: T)
    where
        T: FnOnce(Arc<Shared>) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        spawn(&self.shared, &self.slots, task);
    }

    async fn send_to_outbox(&self, command: OutboxCommand) {
        // Fails only when sync stops.
        let _ = self.outbox.send(command).await;
    }

    async fn save_draft(&self, conversation: ConversationId, draft: Draft) {
        if let Err(error) = self.shared.store.save_draft(conversation, draft).await {
            self.shared.notice(&format!("the draft was not saved: {error}")).await;
        }
    }

    async fn open(&self, conversation: ConversationId) {
        let shared = &self.shared;
        shared.set_open_chat(&conversation);
        // The stored page is sent in order, so that it cannot arrive after that of a chat that is opened later.
        snapshot::show_stored(shared, &conversation).await;
        shared.receipts.check_soon();
        shared.history.gaps.notify_one();
        let was_forgotten = stored::opened(shared, &conversation).await;
        self.spawn(move |shared| async move {
            if shared.connection.is_online() && !shared.has_not_begun(&conversation).await {
                shared.fill_now(&conversation, was_forgotten).await;
                if !shared.history.refusals.is_parked(&conversation) {
                    refresh_thread(&shared, &conversation).await;
                }
            }
        });
    }

    /// Queues a change.
    async fn queue(&self, change: Request) {
        let Err(error) = self.changes.try_send(change) else { return };
        if let Request::Change { ticket, .. } | Request::Thread { ticket, .. } = error.into_inner()
        {
            let result = Err(Fault::new(FaultKind::Busy, "too many changes are waiting"));
            self.shared.respond(ticket, Response::Done(result)).await;
        }
    }
}

fn spawn<F, T>(shared: &Arc<Shared>, slots: &Arc<Semaphore>, task: T)
where
    T: FnOnce(Arc<Shared>) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let (shared, slots) = (Arc::clone(shared), Arc::clone(slots));
    tokio::spawn(async move {
        let stop = shared.stop.clone();
        let Ok(_slot) = slots.acquire_owned().await else { return };
        tokio::select! {
            () = stop.cancelled() => {}
            () = for_user(task(shared)) => {}
        }
    });
}

pub(super) async fn send_coverage(
    shared: &Shared,
    id: &ConversationId,
    coverage: Result<Coverage, StoreError>,
) {
    if let Ok(coverage) = coverage {
        shared.send(Delta::Coverage { conversation: id.clone(), coverage }).await;
    }
}

/// Decodes stored rows and sends them to the app.
pub(super) async fn send_stored(
    shared: &Shared,
    id: &ConversationId,
    history: &JoinedHistory,
    page: JoinedPage,
    placement: Placement,
) {
    let JoinedPage { messages: rows, archived, .. } = page;
    let rows: Vec<RawMessage> = rows.into_iter().map(super::decode_stored).collect();
    let mut messages: Vec<_> = rows.iter().map(|raw| decode::message(raw, &shared.me)).collect();
    archive_files::complete(shared, history, &archived, &rows, &mut messages).await;
    shared
        .send(Delta::Messages {
            conversation: id.clone(),
            messages,
            placement,
            arrival: Arrival::History,
        })
        .await;
}

pub(super) async fn around(shared: &Shared, id: &ConversationId, key: &MessageKey) {
    let history = shared.joined(id);
    match history.around(key, AROUND).await {
        Ok((found, at_end)) => {
            let placement =
                Placement::Around { place: key.into(), reached_start: found.is_last, at_end };
            send_coverage(shared, id, history.coverage().await).await;
            send_stored(shared, id, &history, found, placement).await;
        }
        Err(error) => {
            shared.notice(&error.to_string()).await;
            let placement =
                Placement::Around { place: key.into(), reached_start: false, at_end: false };
            send_stored(shared, id, &history, JoinedPage::default(), placement).await;
        }
    }
}

pub(super) async fn newer(shared: &Shared, id: &ConversationId, after: &MessageKey) {
    let history = shared.joined(id);
    match history.after(after, AROUND).await {
        Ok(page) => {
            let placement = Placement::Newer { after: after.into(), at_end: page.is_last };
            send_stored(shared, id, &history, page, placement).await;
        }
        Err(error) => shared.notice(&error.to_string()).await,
    }
}

/// Fetches a page of a gap because the user asked for it; the backfill continues.
async fn fill(shared: &Shared, id: &ConversationId, above: &MessageKey) {
    let gap = shared.store.gap_above(id, above).await;
    let filled = match gap {
        Ok(Some(gap)) => shared.fill_gap(&gap).await.map(drop),
        // Below the gap are messages of an archive, of which the account's own store knows nothing.
        Ok(None) if !shared.joined(id).is_own_only() => shared.fetch_below(id, above).await,
        _ => return,
    };
    match filled {
        Ok(()) => shared.history.gaps.notify_one(),
        Err(error) => {
            shared.notice(&format!("Missing messages were not fetched: {}", error.message)).await;
        }
    }
}

pub(super) async fn refresh_thread(shared: &Arc<Shared>, id: &ConversationId) {
    if let Some(peer) = id.peer() {
        shared.fetch_names(vec![peer]).await;
        return;
    }
    if id.is_thread()
        && let Err(error) = shared.fetch_thread(id).await
    {
        tracing::info!(kind = ?error.kind, "a thread was not fetched");
        shared.reading_refused(id, &error).await;
    }
}

async fn execute(shared: &Arc<Shared>, request: Request) {
    match request {
        Request::Older { conversation, before } => shared.load_older(&conversation, before).await,
        Request::Change { conversation, message, change, ticket } => {
            let name = shared.my_name();
            let result =
                shared.client.change(&conversation, &message, &change, &name, wall_clock()).await;
            if result.is_ok() && !shared.connection.has_events() {
                resync(shared, &conversation).await;
            }
            done(shared, ticket, result).await;
        }
        Request::Thread { conversation, change, ticket } => {
            let result = threads::change(shared, &conversation, &change).await;
            done(shared, ticket, result).await;
            threads::refresh_after(shared, &conversation, &change).await;
        }
        Request::Refresh { conversation } => refresh_thread(shared, &conversation).await,
        Request::JoinUrl { conversation, ticket } => {
            threads::join_url(shared, &conversation, ticket).await;
        }
        Request::Create { topic, members, ticket } => {
            threads::create(shared, &topic, members, ticket).await;
        }
        Request::Resolve { url, ticket } => threads::resolve(shared, &url, ticket).await,
        Request::MarkRead { conversation, read_marker, back, tell: report } => {
            mark_read(shared, conversation, read_marker, back, report).await;
        }
        Request::Typing { conversation, active } => {
            // A person without a thread yet cannot get the signal.
            if shared.connection.is_online()
                && shared.needs_thread(&conversation).await.is_none()
                && let Err(error) =
                    if_all_is_well(shared.client.typing(&conversation, active)).await
            {
                tracing::debug!(kind = ?error.kind, "the typing signal was not sent");
            }
        }
        Request::SignInCode { ticket } => {
            let code = sign_in::code(&shared.client).await;
            shared.respond(ticket, Response::SignInCode(code)).await;
        }
        Request::Resync { conversation } => resync(shared, &conversation).await,
        Request::SaveChoices { conversation, choices } => {
            if let Err(error) = shared.store.save_choices(&conversation, choices).await {
                shared
                    .notice(&format!(
                        "this choice could not be saved and lasts until you quit: {error}"
                    ))
                    .await;
            }
        }
        Request::Fill { conversation, above } => fill(shared, &conversation, &above).await,
        // Executed by the dispatcher.
        Request::SignInApproval { .. }
        | Request::SignInTenant { .. }
        | Request::SaveDraft { .. }
        | Request::Send { .. }
        | Request::Resend { .. }
        | Request::Discard { .. }
        | Request::Forget { .. }
        | Request::RetryNow
        | Request::InSight { .. }
        | Request::Search { .. }
        | Request::Around { .. }
        | Request::Newer { .. }
        | Request::Source { .. }
        | Request::ExportedFile { .. }
        | Request::Download { .. }
        | Request::CancelDownload { .. }
        | Request::Neighbors { .. }
        | Request::Statistics { .. }
        | Request::Figures { .. }
        | Request::Import { .. }
        | Request::CancelImport
        | Request::Accounts { .. }
        | Request::Open { .. } => {}
    }
}

async fn mark_read(
    shared: &Shared,
    conversation: ConversationId,
    read_marker: ReadMarker,
    back: bool,
    report: bool,
) {
    let me = shared.me.clone();
    match shared.store.mark_read(&conversation, read_marker, back, report, me).await {
        Ok((read_marker, unread)) => {
            let read_marker = Some(read_marker);
            shared.send(Delta::Unread { conversation, unread, read_marker }).await;
            if report && shared.connection.is_online() {
                shared.flush_read_markers().await;
            }
        }
        Err(error) => {
            tracing::error!(%error, "a read marker was not stored");
            shared.notice(&format!("what you have read could not be saved: {error}")).await;
        }
    }
}

async fn resync(shared: &Arc<Shared>, id: &ConversationId) {
    if shared.has_not_begun(id).await {
        return;
    }
    let result = match shared.client.conversation(id).await {
        Ok(raw) => shared.catch_up(raw, News::above_stored(Arrival::CatchUp)).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        shared.notice(&format!("not fetched: {}", error.message)).await;
    }
    refresh_thread(shared, id).await;
}

async fn done(shared: &Arc<Shared>, ticket: Ticket, result: Result<(), Error>) {
    let result = result.map_err(|e| Fault::from(&e));
    shared.respond(ticket, Response::Done(result)).await;
}
