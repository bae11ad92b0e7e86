//! Joins client and store: keeps the cache up to date, sends what is queued, and tells the app what changed.
//!
//! [`start`] spawns the poller, the outbox, one task that carries out requests of the app, and three that tidy up in the
//! background (gaps, index, read marks of others). All speak to
//! the app through one bounded channel; when the app is behind, they wait. Knows nothing of the screen.

mod apply;
mod backfill;
mod backoff;
mod catch_up;
mod connection;
mod fault;
mod fetch;
mod history;
mod offline;
mod outbox;
mod poller;
mod read_receipts;
mod reindex;
mod requests;
mod threads;

pub use apply::decode_stored;
pub use offline::start_offline;

use crate::client::Client;
use crate::model::{
    AccountId, ConversationId, Delta, Inbound, Names, Outbound, PollMode, Response, SafeText,
    Ticket, Timestamp, UserId,
};
use crate::store::Store;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Deltas that may wait for the app before sync waits for it.
const DELTAS: usize = 256;
/// Requests that may wait for sync before the app keeps them.
const REQUESTS: usize = 256;

#[derive(Clone, Debug)]
pub struct SyncOptions {
    pub poll: PollMode,
    pub interval: Duration,
    /// First and longest wait between two tries.
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    /// Messages in one request.
    pub page: u32,
    /// How long a message is held back before it leaves, so that it can be taken back.
    pub grace: Duration,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            poll: PollMode::Auto,
            interval: Duration::from_secs(2),
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(60),
            page: 100,
            grace: Duration::ZERO,
        }
    }
}

/// What all tasks of an account share.
struct Shared {
    account: AccountId,
    client: Client,
    store: Store,
    me: UserId,
    options: SyncOptions,
    deltas: mpsc::Sender<Inbound>,
    names: Mutex<Names>,
    stop: CancellationToken,
    connection: connection::ConnectionSignals,
    history: history::HistoryState,
    /// The chat on the screen: what is missing in it comes first.
    open: Mutex<Option<ConversationId>>,
    /// When to ask how far others have read.
    receipts: read_receipts::ReceiptTracker,
    held: outbox::HeldMessages,
}

/// The running sync. Dropping it without [`Handle::stop`] leaves the tasks to end when the runtime does.
pub struct Handle {
    pub requests: mpsc::Sender<Outbound>,
    stop: CancellationToken,
    /// All requests handed over before the end are carried out as far as the disk is concerned.
    drained: CancellationToken,
    tasks: TaskTracker,
}

impl Handle {
    /// Ends all tasks, after the requests that were handed over: drafts are saved, messages queued. Waits at most
    /// `patience` for them, and as long again for the tasks. All other senders of requests must be gone.
    pub async fn stop(self, patience: Duration) {
        drop(self.requests);
        if tokio::time::timeout(patience, self.drained.cancelled()).await.is_err() {
            tracing::warn!("not every request was carried out");
        }
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("sync did not stop in time");
        }
    }
}

/// Starts syncing an account. The first deltas are what the store holds, so that the first screen needs no network.
pub fn start(
    account: AccountId,
    client: Client,
    store: Store,
    options: SyncOptions,
) -> (Handle, mpsc::Receiver<Inbound>) {
    let (handle, shared, requested, receiver) = prepare(account, client, store, options);
    let (tasks, drained) = (handle.tasks.clone(), handle.drained.clone());
    let (outbox_sender, outbox_receiver) = mpsc::channel(REQUESTS);
    let main = shared;
    let tracker = tasks.clone();
    let all_done = drained;
    tasks.spawn(async move {
        let pending = apply::send_snapshot(&main).await;
        tracker.spawn(guarded(
            Arc::clone(&main),
            outbox::run(Arc::clone(&main), outbox_receiver, pending),
        ));
        let execute = requests::run(Arc::clone(&main), requested, outbox_sender);
        tracker.spawn(guarded(Arc::clone(&main), async move {
            // Also on a panic, so that nobody waits for what will not come.
            let _done = all_done.drop_guard();
            execute.await;
        }));
        tracker.spawn(guarded(Arc::clone(&main), backfill::run(Arc::clone(&main))));
        tracker.spawn(guarded(Arc::clone(&main), reindex::run(Arc::clone(&main))));
        tracker.spawn(guarded(Arc::clone(&main), read_receipts::watch(Arc::clone(&main))));
        guarded(Arc::clone(&main), poller::run(Arc::clone(&main))).await;
    });
    (handle, receiver)
}

/// What [`start`] and [`start_offline`] have in common: channels, and what all tasks share.
fn prepare(
    account: AccountId,
    client: Client,
    store: Store,
    options: SyncOptions,
) -> (Handle, Arc<Shared>, mpsc::Receiver<Outbound>, mpsc::Receiver<Inbound>) {
    let (deltas, receiver) = mpsc::channel(DELTAS);
    let (requests, requested) = mpsc::channel(REQUESTS);
    let stop = CancellationToken::new();
    let shared = Arc::new(Shared {
        account,
        me: client.user().clone(),
        client,
        store,
        options,
        deltas,
        names: Mutex::default(),
        stop: stop.clone(),
        connection: connection::ConnectionSignals::default(),
        history: history::HistoryState::default(),
        open: Mutex::default(),
        receipts: read_receipts::ReceiptTracker::default(),
        held: outbox::HeldMessages::default(),
    });
    let handle =
        Handle { requests, stop, drained: CancellationToken::new(), tasks: TaskTracker::new() };
    (handle, shared, requested, receiver)
}

/// Runs a task until it ends or sync stops; a task that panics is told to the user and not silently dead.
async fn guarded(shared: Arc<Shared>, task: impl Future<Output = ()> + Send + 'static) {
    let stop = shared.stop.clone();
    let run = tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = task => {}
        }
    });
    if let Err(error) = run.await
        && error.is_panic()
    {
        shared.notice("a background task stopped unexpectedly; please restart skchat").await;
    }
}

impl Shared {
    /// Tells the app; waits while it is behind. When it is gone there is nobody to tell.
    async fn send(&self, delta: Delta) {
        let _ = self.deltas.send(Inbound { account: self.account.clone(), delta }).await;
    }

    /// Answers the request with this ticket.
    async fn respond(&self, ticket: Ticket, response: Response) {
        self.send(Delta::Response { ticket, response }).await;
    }

    async fn notice(&self, text: &str) {
        self.send(Delta::Notice(SafeText::line(text))).await;
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name that goes out with own messages.
    fn my_name(&self) -> String {
        self.names().of(&self.me).to_string()
    }

    /// The chat on the screen.
    fn open_chat(&self) -> Option<ConversationId> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_open_chat(&self, id: &ConversationId) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
    }

    /// The wait before an attempt (from 1) after failed ones.
    fn backoff(&self, attempt: u32) -> Duration {
        let (base, cap) = (self.options.backoff_base, self.options.backoff_cap);
        backoff::wait(base, cap, attempt, backoff::random())
    }
}

/// The wall clock, for what is shown and for bounding look-backs; never for waiting.
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
