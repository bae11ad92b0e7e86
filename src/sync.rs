//! Connects client and store: keeps the cache up to date, sends queued messages, and reports changes to the app.
//!
//! [`start`] spawns the poller, the outbox, a task that executes the app's requests, and background tasks: filling
//! gaps, reindexing, and fetching read receipts and presence. All of them send to the app through one bounded channel,
//! and wait when it is full. Knows nothing of the screen.

mod access;
mod account_queue;
mod accounts;
mod activity;
mod apply;
mod archive_files;
mod attempts;
mod backfill;
mod catch_up;
mod connection;
mod contact;
mod downloads;
mod events;
mod fault;
mod fetch;
mod flow;
mod history;
mod list;
mod offline;
mod outbox;
mod people;
mod poller;
mod presence;
mod read_receipts;
mod received;
mod reindex;
mod requests;
mod schedule;
mod sign_in;
mod signed_out;
mod snapshot;
mod stored;
mod threads;
mod walk;

pub use accounts::{AccountJoiner, GlobalRequests, RunningAccount, RunningAccounts};
pub use apply::decode_stored;
pub use offline::start_offline;
pub use schedule::PollIntervals;
pub use signed_out::start_signed_out;
pub use snapshot::FIRST_PAGE;

use crate::client::Client;
use crate::model::{
    AccountId, ConversationId, Delta, Inbound, Names, Outbound, PollMode, Response, SafeText,
    Ticket, Timestamp, UserId,
};
use crate::store::{JoinedHistory, OpenArchives, Store};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{RwLock, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Capacity of the channel to the app.
const DELTAS: usize = 256;
/// Capacity of the channel from the app; what does not fit is kept by the runtime.
const REQUESTS: usize = 256;

/// The network waits at most this long for the first frame.
const FIRST_FRAME: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct SyncOptions {
    pub poll: PollMode,
    pub interval: Duration,
    /// How often to look for news where there is no long poll; `None` for `interval`, always.
    pub intervals: Option<PollIntervals>,
    /// First and longest wait between two attempts.
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    /// Messages requested at once.
    pub page: u32,
    /// How long a message is held back before it is sent, so that it can be cancelled.
    pub grace: Duration,
    /// A message counts as sent only when a page shows it; if none does within this time, the user is asked. `None` for
    /// services whose answer is reliable.
    pub seen_within: Option<Duration>,
    /// Cancelled when the first frame is on the screen. The network, and work that only the next start needs, wait for
    /// that.
    pub shown: Option<CancellationToken>,
    /// Archives that may hold earlier years of the account's conversations.
    pub archives: OpenArchives,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            poll: PollMode::Auto,
            interval: Duration::from_secs(2),
            intervals: None,
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(60),
            page: 100,
            grace: Duration::ZERO,
            seen_within: None,
            shown: None,
            archives: OpenArchives::default(),
        }
    }
}

/// The state shared by all tasks of an account.
struct Shared {
    client: Client,
    store: Store,
    me: UserId,
    options: SyncOptions,
    deltas: DeltaSender,
    people: people::PeopleState,
    stop: CancellationToken,
    connection: connection::ConnectionSignals,
    history: history::HistoryState,
    /// When to ask how far others have read.
    receipts: read_receipts::ReceiptTracker,
    held: outbox::HeldMessages,
    activity: activity::UserActivity,
}

/// Where the deltas of an account go.
struct DeltaSender {
    account: AccountId,
    channel: mpsc::Sender<Inbound>,
    /// Shared while something is stored and reported to the app, exclusive while a conversation is forgotten: what was
    /// stored of it before is also reported before, so that it does not come back.
    delivery: RwLock<()>,
}

impl DeltaSender {
    fn new(account: AccountId, channel: mpsc::Sender<Inbound>) -> Self {
        Self { account, channel, delivery: RwLock::default() }
    }

    /// Sends a delta to the app, and waits while the channel is full. If the app is gone, nobody needs it.
    async fn send(&self, delta: Delta) {
        let _ = self.channel.send(Inbound { account: self.account.clone(), delta }).await;
    }
}

/// The running sync. Dropping it without [`Handle::stop`] leaves the tasks to end when the runtime does.
pub struct Handle {
    pub requests: mpsc::Sender<Outbound>,
    stop: CancellationToken,
    /// Cancelled when all requests have been executed, at least the part that concerns the disk.
    drained: CancellationToken,
    tasks: TaskTracker,
}

impl Handle {
    /// Executes the requests that were sent, so that drafts are saved and messages queued, and then stops all tasks. Waits
    /// at most `patience` for each of the two. All other senders of requests must have been dropped.
    pub async fn stop(self, patience: Duration) {
        drop(self.requests);
        if tokio::time::timeout(patience, self.drained.cancelled()).await.is_err() {
            tracing::warn!("not all requests were executed");
        }
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("sync did not stop in time");
        }
    }
}

/// Starts syncing an account. The first deltas come from the store, so that the first screen needs no network.
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
        main.send(Delta::ObjectHosts(main.client.object_hosts())).await;
        let (pending, rest) = snapshot::send(&main).await;
        let execute = Box::pin(requests::run(Arc::clone(&main), requested, outbox_sender));
        tracker.spawn(guarded(Arc::clone(&main), async move {
            // Also after a panic, so that `stop` does not wait in vain.
            let _done = all_done.drop_guard();
            execute.await;
        }));
        first_frame(&main).await;
        stored::report_copies(&main).await;
        tracker.spawn(guarded(
            Arc::clone(&main),
            outbox::run(Arc::clone(&main), outbox_receiver, pending),
        ));
        // The user's requests are carried out meanwhile.
        snapshot::send_rest(&main, rest).await;
        tracker.spawn(guarded(Arc::clone(&main), backfill::run(Arc::clone(&main))));
        tracker.spawn(guarded(Arc::clone(&main), reindex::run(Arc::clone(&main))));
        tracker.spawn(guarded(Arc::clone(&main), examine(Arc::clone(&main))));
        tracker.spawn(guarded(Arc::clone(&main), read_receipts::watch(Arc::clone(&main))));
        tracker.spawn(guarded(Arc::clone(&main), presence::watch(Arc::clone(&main))));
        guarded(Arc::clone(&main), poller::run(Arc::clone(&main))).await;
    });
    (handle, receiver)
}

/// Waits for the first frame, but not long: there may be no terminal of a known size yet.
async fn first_frame(shared: &Shared) {
    let Some(shown) = &shared.options.shown else { return };
    tokio::select! {
        () = shown.cancelled() => {}
        () = shared.stop.cancelled() => {}
        () = tokio::time::sleep(FIRST_FRAME) => {}
    }
}

/// Checks the whole store for damage, and the file system it is on, and reports what is wrong.
async fn examine(shared: Arc<Shared>) {
    if let Some(kind) = shared.store.network_file_system().await {
        shared.notice(&crate::store::network_advice(kind)).await;
    }
    if let Err(error) = shared.store.examine().await {
        tracing::error!(%error, "the store was examined");
        shared.notice(&error.to_string()).await;
    }
}

/// Creates the channels and the shared state, for [`start`] and [`start_offline`].
fn prepare(
    account: AccountId,
    client: Client,
    store: Store,
    options: SyncOptions,
) -> (Handle, Arc<Shared>, mpsc::Receiver<Outbound>, mpsc::Receiver<Inbound>) {
    client.set_backoff(options.backoff_base, options.backoff_cap);
    let (deltas, receiver) = mpsc::channel(DELTAS);
    let (requests, requested) = mpsc::channel(REQUESTS);
    let stop = CancellationToken::new();
    let deltas = DeltaSender::new(account, deltas);
    let shared = Arc::new(Shared {
        me: client.user().clone(),
        client,
        store,
        options,
        deltas,
        people: people::PeopleState::default(),
        stop: stop.clone(),
        connection: connection::ConnectionSignals::default(),
        history: history::HistoryState::default(),
        receipts: read_receipts::ReceiptTracker::default(),
        held: outbox::HeldMessages::default(),
        activity: activity::UserActivity::default(),
    });
    let handle =
        Handle { requests, stop, drained: CancellationToken::new(), tasks: TaskTracker::new() };
    (handle, shared, requested, receiver)
}

/// Runs a task until it ends or sync stops. If it panics, the user is informed.
fn guarded(
    shared: Arc<Shared>,
    task: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send {
    // Boxed at once: tasks are large, and moving them around would delay the first frame.
    let task = Box::pin(task);
    async move {
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
}

impl Shared {
    async fn send(&self, delta: Delta) {
        self.deltas.send(delta).await;
    }

    /// Answers the request with this ticket.
    async fn respond(&self, ticket: Ticket, response: Response) {
        self.send(Delta::Response { ticket, response }).await;
    }

    async fn notice(&self, text: &str) {
        self.send(Delta::Notice(SafeText::line(text))).await;
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Names> {
        self.people.names()
    }

    /// The display name that is sent with the user's messages; the id, if no name is known.
    fn my_name(&self) -> String {
        let names = self.names();
        if names.knows(&self.me) { names.of(&self.me).to_string() } else { self.me.bare().into() }
    }

    /// The stored history of a conversation, with the parts that archives have.
    fn joined(&self, id: &ConversationId) -> JoinedHistory {
        JoinedHistory::new(&self.store, &self.options.archives, id, &self.me)
    }

    /// The chat on the screen.
    fn open_chat(&self) -> Option<ConversationId> {
        self.activity.open_chat()
    }

    fn set_open_chat(&self, id: &ConversationId) {
        self.activity.set_open_chat(id);
    }

    /// The wait before the next attempt after `attempt` failed ones.
    fn backoff(&self, attempt: u32) -> Duration {
        let (base, cap) = (self.options.backoff_base, self.options.backoff_cap);
        crate::client::backoff(base, cap, attempt)
    }
}

/// The wall clock: for display and for limiting how far back is searched, never for waiting.
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
