//! The schema and its migrations, one step per version. Steps are only added, and none changes message bodies.
//!
//! Before an existing file is migrated, a copy of it (`store.db.v1`) is made and kept.

mod steps;

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub const VERSION: i64 = 4;
/// A version beyond this means damage, not a newer skchat.
const HIGHEST_VERSION: i64 = 9_999;

/// The version of a database's schema; 0 if there is none.
///
/// # Errors
/// [`StoreError::Newer`] if this program is too old for it, [`StoreError::Damaged`] if it is not a version at all.
pub fn version(connection: &Connection) -> Result<i64, StoreError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0..=VERSION => Ok(version),
        newer if (VERSION..=HIGHEST_VERSION).contains(&newer) => Err(StoreError::Newer(newer)),
        _ => Err(StoreError::Damaged),
    }
}

/// The path of the copy that is made before a migration.
fn backup_path(file: &Path, version: i64) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".v{version}"));
    PathBuf::from(name)
}

/// The names of the copies next to a database, including incomplete ones.
pub fn copies(file: &Path) -> Vec<String> {
    let Some(own) = file.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let is_copy = |name: &str| {
        let version = name.strip_prefix(own).and_then(|rest| rest.strip_prefix(".v"));
        let version = version.map(|version| version.strip_suffix(".half").unwrap_or(version));
        version.is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()))
    };
    let entries = file.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    let names = entries.into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut copies: Vec<String> = names.filter(|name| is_copy(name)).collect();
    copies.sort_unstable();
    copies
}

/// Copies the database before a migration. A copy that exists already is older, and is kept.
fn back_up(connection: &Connection, file: &Path, version: i64) -> Result<(), StoreError> {
    let copy = backup_path(file, version);
    if copy.exists() {
        return Ok(());
    }
    // Renamed when it is complete, so that an incomplete copy is never mistaken for a backup.
    let mut half = copy.as_os_str().to_owned();
    half.push(".half");
    let half = PathBuf::from(half);
    let failed = |error: &dyn std::fmt::Display| StoreError::Backup(error.to_string());
    let _ = std::fs::remove_file(&half);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&half)
        .map_err(|e| failed(&e))?;
    let made = connection.execute("VACUUM INTO ?1", [half.to_string_lossy().as_ref()]);
    if let Err(error) = made {
        let _ = std::fs::remove_file(&half);
        return Err(match StoreError::from(error) {
            StoreError::Damaged => StoreError::Damaged,
            error => failed(&error),
        });
    }
    std::fs::rename(&half, &copy).map_err(|e| failed(&e))
}

/// Migrates a database to the current version, in one transaction. `file` is its path, for the backup copy.
pub fn migrate(connection: &mut Connection, file: Option<&Path>) -> Result<(), StoreError> {
    let version = version(connection)?;
    if version == VERSION {
        return Ok(());
    }
    if let Some(file) = file.filter(|_| version > 0) {
        back_up(connection, file, version)?;
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have taken the steps meanwhile.
    let taken = usize::try_from(self::version(&tx)?).unwrap_or(0);
    for step in steps::STEPS.iter().skip(taken) {
        step(&tx)?;
    }
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    if version > 0 {
        release_pages(connection)?;
    }
    Ok(())
}

/// Shrinks the file if much of it is unused.
fn release_pages(connection: &Connection) -> rusqlite::Result<()> {
    let count = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    if count("freelist_count")? > count("page_count")? / 8
        && let Err(error) = connection.execute_batch("VACUUM")
    {
        // There may be no room for it, or another process is reading the store. The unused space is used later.
        tracing::warn!(%error, "unused pages of the message store were not released");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::coverage;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, None).unwrap();
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(matches!(migrate(&mut connection, None), Err(StoreError::Newer(_))));
    }

    #[test]
    fn a_file_of_the_first_version_is_copied_and_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let mut connection = Connection::open(&file).unwrap();
        let tx = connection.transaction().unwrap();
        steps::first(&tx).unwrap();
        tx.execute_batch(
            "INSERT INTO conversations (number, id, json, version, activity, reached_start) VALUES (1, '8:joe', '{}', 3, 9, 1);
             INSERT INTO messages VALUES (1, 160, 160, '160', 160, '8:joe', '1', 'Text', 'two', NULL, 1, 0, 1, '{}');
             INSERT INTO messages VALUES (1, 160, 161, '161', 161, '8:joe', '2', 'Text', 'three', NULL, 1, 0, 1, '{}');
             INSERT INTO messages VALUES (1, 16, 16, '16', 16, '8:joe', '3', 'Text', 'one', NULL, 1, 0, 1, '{}');
             PRAGMA user_version = 1;",
        )
        .unwrap();
        tx.commit().unwrap();
        migrate(&mut connection, Some(&file)).unwrap();
        let places: Vec<(i64, String)> = connection
            .prepare("SELECT place, text FROM messages ORDER BY place")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(places, [(1, "one".into()), (10, "two".into()), (11, "three".into())]);
        let coverage = coverage::load(&connection, 1).unwrap();
        assert!(coverage.reached_start());
        assert_eq!(coverage.top().unwrap().order, 161);
        let copy = Connection::open(backup_path(&file, 1)).unwrap();
        let count: i64 =
            copy.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
        let version: i64 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!((count, version), (3, 1));
        let mode = std::fs::metadata(backup_path(&file, 1)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
