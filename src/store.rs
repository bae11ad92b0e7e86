//! The cache on disk: raw conversations and messages, drafts and the outbox, in one SQLite file an account.
//!
//! Two threads own a connection each: one writes, one reads, so that opening a chat never waits for a burst being
//! stored. Message bodies are kept as received. Knows nothing of the wire format or the screen.

mod outbox;
mod read;
mod schema;
mod write;

pub use outbox::{OutboxItem, OutboxState};
pub use read::{CachedConversation, PageOf, Snapshot};
pub use write::{Batch, ConversationRow, Stored};

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait for a thread before the asker waits, too.
const QUEUE: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the message store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the message store was written by a newer skchat (schema {0}); please update this one")]
    Newer(i64),
    #[error("the message store is closed")]
    Closed,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle; clones share the two threads, which end with the last one.
#[derive(Clone)]
pub struct Store {
    writer: mpsc::Sender<Job>,
    reader: mpsc::Sender<Job>,
}

impl Store {
    /// Opens or creates the file, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or has a newer schema. Nothing is ever deleted.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut writer = Connection::open(path)?;
        prepare(&writer)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "journal_size_limit", 4 * 1024 * 1024)?;
        schema::migrate(&mut writer)?;
        let reader = open_to_read(path)?;
        Ok(Self { writer: serve("store-writer", writer)?, reader: serve("store-reader", reader)? })
    }

    /// Brings the write-ahead log into the file, so that the next start need not read it.
    ///
    /// # Errors
    /// When the disk fails; nothing is lost then, the log stays.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.write(|c| c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))).await
    }

    async fn run<T: Send + 'static>(
        queue: &mpsc::Sender<Job>,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The asker may be gone; then nobody wants the answer.
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

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        Self::run(&self.writer, work).await
    }
}

/// A connection that cannot write, for commands that run beside the program.
///
/// # Errors
/// When there is no such file, or it cannot be read.
pub fn open_read_only(path: &Path) -> Result<ReadOnly, StoreError> {
    let connection = open_to_read(path)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > schema::VERSION {
        return Err(StoreError::Newer(version));
    }
    Ok(ReadOnly { connection })
}

/// See [`open_read_only`].
pub struct ReadOnly {
    connection: Connection,
}

fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Before anything else: several instances that start together would fail without it.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cache_size", -2048)
}

fn serve(name: &str, mut connection: Connection) -> Result<mpsc::Sender<Job>, StoreError> {
    let (sender, mut jobs) = mpsc::channel::<Job>(QUEUE);
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        })
        .map_err(|_| StoreError::Closed)?;
    Ok(sender)
}
