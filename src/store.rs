//! The cache on disk: raw conversations and messages, drafts and the outbox, in one SQLite file per account.
//!
//! Three threads own a connection each. One writes, one reads and one searches, so that opening a chat never waits for
//! a large write or for a search. Message bodies are kept as received. Knows nothing of the wire format or the screen.

mod ahead;
mod archive;
mod contact;
mod coverage;
mod drafts;
mod edits;
mod examine;
mod file_state;
mod forget;
mod history;
mod ids;
mod index;
mod items;
mod joined;
mod listing;
mod messages;
mod network;
mod new_chat;
mod outbox;
mod read;
mod read_only;
mod readable;
mod salvage;
mod schema;
mod search;
mod texts;
mod write;

pub use archive::{
    ArchiveBatch, ArchiveCounts, ArchiveMedia, ArchiveMessage, ArchiveSource, ArchiveStore,
    archive_owner, imported_range,
};
pub(crate) use coverage::OpenGap;
pub use forget::ForgetOutcome;
pub(crate) use forget::ForgottenMark;
pub use joined::{JoinedHistory, JoinedPage, OpenArchive, OpenArchives};
pub(crate) use joined::{SourcePage, join};
pub(crate) use listing::{CachedConversation, ConversationNumber};
pub use messages::ItemCompleter;
pub(crate) use network::{network_advice, network_file_system};
pub(crate) use outbox::{OutboxItem, OutboxState};
pub(crate) use read::PageOf;
pub(crate) use read_only::{ReadOnly, open_read_only};
pub(crate) use salvage::salvage;
pub(crate) use search::SearchHandle;
pub(crate) use write::{Applied, SyncToken};
pub use write::{Batch, ConversationRow, CoverageUpdate};

use readable::Readable;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, InterruptHandle};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Jobs that can be queued for a thread; callers wait when the queue is full.
const QUEUE: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the message store reports an error: {0}")]
    Sqlite(rusqlite::Error),
    #[error(
        "the message store is damaged; it was not changed, and skchat doctor --salvage copies what can be read"
    )]
    Damaged,
    #[error("the message store was written by a newer skchat (schema {0}); please update this one")]
    Newer(i64),
    #[error("the message store has to be upgraded, but the backup for this failed: {0}")]
    Backup(String),
    #[error("the message store was written by an older skchat; start this one once to upgrade it")]
    Older,
    #[error("a file error in the message store: {0}")]
    File(#[from] std::io::Error),
    #[error(
        "the message store cannot be written to, and copying it to read its log has failed: {0}"
    )]
    Copy(String),
    #[error("the message store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged,
            _ => Self::Sqlite(error),
        }
    }
}

type StoreJob = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the store. Clones share its threads, which end when the last clone is dropped: one writes, one reads,
/// and from the first search on, one searches.
#[derive(Clone)]
pub struct Store {
    writer: mpsc::Sender<StoreJob>,
    reader: mpsc::Sender<StoreJob>,
    searcher: Arc<Searcher>,
    latest_search: search::LatestSearch,
    ahead: Arc<ahead::ReadAhead>,
    path: Arc<Path>,
}

/// The thread that searches, on a connection of its own.
struct Searcher {
    file: Arc<Readable>,
    started: OnceLock<SearchThread>,
}

struct SearchThread {
    jobs: mpsc::Sender<StoreJob>,
    interrupt: Arc<OnceLock<InterruptHandle>>,
}

impl Searcher {
    fn jobs(&self) -> Result<&mpsc::Sender<StoreJob>, StoreError> {
        if let Some(started) = self.started.get() {
            return Ok(&started.jobs);
        }
        let file = Arc::clone(&self.file);
        let interrupt = Arc::new(OnceLock::new());
        let handle = Arc::clone(&interrupt);
        let jobs = serve_with("store-search", move || {
            let connection = file.connect()?;
            let _ = handle.set(connection.get_interrupt_handle());
            Ok(connection)
        })?;
        Ok(&self.started.get_or_init(|| SearchThread { jobs, interrupt }).jobs)
    }

    fn interrupt(&self) {
        if let Some(interrupt) = self.started.get().and_then(|started| started.interrupt.get()) {
            interrupt.interrupt();
        }
    }
}

impl Store {
    /// Opens or creates the file, and upgrades its schema.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a database, or has a newer schema. Nothing is ever deleted.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        file_state::check(path)?;
        file_state::make_private(path)?;
        let mut writer = Connection::open(path)?;
        prepare(&writer)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "journal_size_limit", 4 * 1024 * 1024)?;
        schema::migrate(&mut writer, Some(path))?;
        new_chat::finish_moves(&writer)?;
        probe(&writer)?;
        Self::with(Some(writer), path)
    }

    /// Opens an existing file without writing to it, even while another process does.
    ///
    /// # Errors
    /// When there is no such file, or its schema is of another version.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        // Check it before anything else.
        drop(open_read_only(path)?);
        Self::with(None, path)
    }

    /// Opens the store of an archive without writing to it, after upgrading its schema where that is older.
    ///
    /// # Errors
    /// As `Store::open_read_only`.
    pub fn open_archive(path: &Path) -> Result<Self, StoreError> {
        match Self::open_read_only(path) {
            Err(StoreError::Older) => {
                ArchiveStore::open(path)?.close()?;
                Self::open_read_only(path)
            }
            opened => opened,
        }
    }

    /// Starts the threads. Without a writer, every write fails as on a read-only database.
    fn with(writer: Option<Connection>, path: &Path) -> Result<Self, StoreError> {
        let (readable, writer) = if let Some(writer) = writer {
            // A writable file can be read alongside its writer.
            (Readable::Shared(path.to_owned()), writer)
        } else {
            let readable = Readable::of(path)?;
            let reader = readable.connect()?;
            (readable, reader)
        };
        let readable = Arc::new(readable);
        let file = Arc::clone(&readable);
        Ok(Self {
            // It opens its connection in its own thread, so that the start need not wait for it.
            reader: serve_with("store-reader", move || file.connect())?,
            writer: serve_with("store-writer", || Ok(writer))?,
            searcher: Arc::new(Searcher { file: readable, started: OnceLock::new() }),
            latest_search: search::LatestSearch::default(),
            ahead: Arc::default(),
            path: path.into(),
        })
    }

    /// The network file system that the store is on, if it is on one. See [`network_file_system`].
    pub(crate) async fn network_file_system(&self) -> Option<&'static str> {
        let folder = self.path.parent()?.to_owned();
        tokio::task::spawn_blocking(move || network_file_system(&folder)).await.ok()?
    }

    /// Writes the write-ahead log back into the file, so that the next start need not read it.
    ///
    /// # Errors
    /// When writing fails; nothing is lost, because the log stays.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.write(|c| c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))).await
    }

    async fn run<T: Send + 'static>(
        queue: &mpsc::Sender<StoreJob>,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let job: StoreJob = Box::new(move |connection| {
            // The receiver may be gone; then nobody needs the answer.
            let _ = answer.send(work(connection));
        });
        queue.send(job).await.map_err(|_| StoreError::Closed)?;
        Ok(wait.await.map_err(|_| StoreError::Closed)??)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        Self::run(&self.reader, work).await
    }

    /// Does work on files next to the store, on the thread that reads it. `None` if the store is closed.
    pub(crate) async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.read(move |_| Ok(work())).await.ok()
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ahead.forget();
        Self::run(&self.writer, work).await
    }
}

/// Reads all columns that every start needs, so that a damaged file is reported before anything else happens.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    for (column, table) in
        [("json", "conversations"), ("name", "names"), ("draft", "drafts"), ("outgoing", "outbox")]
    {
        let sql = format!("SELECT total(length({column})) FROM {table}");
        connection.query_row(&sql, [], |_| Ok(()))?;
    }
    Ok(())
}

fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    Readable::of(path)?.connect()
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Before anything else: without this, instances that start at the same moment fail.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Query plans do not depend on bound values. Otherwise SQLite would prepare statements anew for each of them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -2048)
}

/// Starts a thread that first opens its connection. Without one, all jobs are dropped.
fn serve_with(
    name: &str,
    open: impl FnOnce() -> Result<Connection, StoreError> + Send + 'static,
) -> Result<mpsc::Sender<StoreJob>, StoreError> {
    let (sender, mut jobs) = mpsc::channel::<StoreJob>(QUEUE);
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            let mut connection = match open() {
                Ok(connection) => connection,
                Err(error) => {
                    tracing::error!(%error, "a thread of the message store cannot open its connection");
                    return;
                }
            };
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        })
        .map_err(|_| StoreError::Closed)?;
    Ok(sender)
}

#[cfg(test)]
mod tests;
