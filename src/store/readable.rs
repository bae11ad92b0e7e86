//! Opens a store for reading, even where nothing can be written.
//!
//! SQLite keeps an index of the log next to the database, and recreates it if it is missing. On read-only media and in
//! another user's folder it cannot do that. Without a log no index is needed, and the database is opened as immutable.
//! With a log, a private copy of both is made, the log is written back into the copy, and the copy is read.

use super::{StoreError, file_state, prepare};
use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
use rusqlite::{Connection, OpenFlags};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How often copying starts over because another program has written meanwhile.
const MAX_COPIES: usize = 5;

/// How a store can be read.
pub(super) enum Readable {
    /// Alongside programs that write to it.
    Shared(PathBuf),
    /// As an immutable database.
    Unchanging(PathBuf),
    Copy(PrivateCopy),
}

impl Readable {
    /// Finds out how a store can be read.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn of(path: &Path) -> Result<Self, StoreError> {
        let shared = Self::Shared(path.to_owned());
        let read = shared.connect().and_then(|connection| {
            Ok(connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))?)
        });
        let Err(error) = read else { return Ok(shared) };
        let code = match &error {
            StoreError::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        };
        if !matches!(code, Some(CannotOpen | ReadOnly | PermissionDenied)) || !path.exists() {
            return Err(error);
        }
        if file_state::has_no_log(path) {
            return Ok(Self::Unchanging(path.to_owned()));
        }
        PrivateCopy::make(path).map(Self::Copy)
    }

    /// Opens a connection. A connection to a copy stays usable when the copy is removed.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let unchanging = |path: &Path| {
            Connection::open_with_flags(address(path), flags | OpenFlags::SQLITE_OPEN_URI)
        };
        let connection = match self {
            Self::Shared(path) => Connection::open_with_flags(path, flags),
            Self::Unchanging(path) => unchanging(path),
            Self::Copy(copy) => unchanging(&copy.database()),
        }?;
        prepare(&connection)?;
        Ok(connection)
    }
}

/// The URI of a database, by which SQLite treats it as immutable.
fn address(file: &Path) -> String {
    let mut address = String::from("file:");
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte));
            }
            other => address.push_str(&format!("%{other:02x}")),
        }
    }
    address + "?immutable=1"
}

/// A copy of a store in a folder of its own that is removed with it.
pub(super) struct PrivateCopy {
    folder: PathBuf,
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, "a copy of the store was not removed");
        }
    }
}

impl PrivateCopy {
    fn database(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    /// Copies the database and its log, and writes the log back into the copy.
    fn make(path: &Path) -> Result<Self, StoreError> {
        let failed = |e: io::Error| StoreError::Copy(e.to_string());
        let name = format!("skchat-{:016x}", getrandom::u64().unwrap_or(0));
        let folder = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        let copy = Self { folder };
        let log = file_state::with_suffix(path, "-wal");
        let copied_log = file_state::with_suffix(&copy.database(), "-wal");
        for _ in 0..MAX_COPIES {
            let before = (state(path), state(&log));
            std::fs::copy(path, copy.database()).map_err(failed)?;
            std::fs::copy(&log, &copied_log).map_err(failed)?;
            if before == (state(path), state(&log)) {
                copy.write_back()?;
                return Ok(copy);
            }
        }
        Err(StoreError::Copy("another program writes to it".to_owned()))
    }

    fn write_back(&self) -> Result<(), StoreError> {
        let file = self.database();
        // The copies have the modes of the originals.
        for suffix in ["", "-wal"] {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(file_state::with_suffix(&file, suffix), mode)
                .map_err(|e| StoreError::Copy(e.to_string()))?;
        }
        let connection = Connection::open(&file)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

/// The properties that change when a file is written.
fn state(path: &Path) -> Option<(u64, SystemTime)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_any_name_is_read_as_one_that_nobody_changes() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plain.db", "a b?c#d%41.db", "größe.db"] {
            let file = dir.path().join(name);
            let connection = Connection::open(&file).unwrap();
            connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)").unwrap();
            drop(connection);
            let connection = Readable::Unchanging(file).connect().unwrap();
            let x: i64 = connection.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(x, 7, "{name}");
        }
    }

    #[test]
    fn a_copy_has_what_is_in_the_log_and_is_removed_with_its_last_use() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let writer = Connection::open(&file).unwrap();
        let mode = "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)";
        writer.execute_batch(mode).unwrap();
        assert!(!file_state::has_no_log(&file));
        let copy = PrivateCopy::make(&file).unwrap();
        let folder = copy.folder.clone();
        let mode = std::fs::metadata(&folder).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
        let readable = Readable::Copy(copy);
        let connection = readable.connect().unwrap();
        drop(readable);
        assert!(!folder.exists());
        let x: i64 = connection.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(x, 7);
    }
}
