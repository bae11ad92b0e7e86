//! Checks the whole file in the background after startup, so that damage that no query at startup came across is
//! reported before another query does.

use super::read::{MESSAGE, message};
use super::{Store, StoreError, open_to_read, texts};
use crate::model::ConversationId;
use rusqlite::Connection;
use rusqlite::types::{Type, ValueRef};
use tokio::sync::Semaphore;

/// Stores are checked one after another: each check takes several MiB of memory, and reads the disk all the time.
static TURN: Semaphore = Semaphore::const_new(1);

fn tables(c: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = c.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// Checks the structure of every page of a table.
fn is_sound(c: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = format!("PRAGMA quick_check('{table}')");
    let word: String = c.query_row(&sql, [], |row| row.get(0))?;
    Ok(word == "ok")
}

/// Reads every string of a table: SQLite itself does not check that it is UTF-8.
fn is_text(c: &Connection, table: &str) -> rusqlite::Result<bool> {
    let mut query = c.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = query.column_count();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            let value = row.get_ref(column)?;
            let is_readable = match value {
                ValueRef::Text(bytes) => std::str::from_utf8(bytes).is_ok(),
                value => value.data_type() != Type::Text,
            };
            if !is_readable {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Reads every message with its item.
fn are_items_readable(c: &Connection) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {MESSAGE}, c.id AS conversation_id FROM messages m JOIN conversations c ON c.number = m.conversation"
    );
    let mut query = c.prepare(&sql)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        message(c, row, &ConversationId::new(row.get_ref("conversation_id")?.as_str()?))?;
    }
    Ok(())
}

fn examine(c: &Connection) -> Result<(), StoreError> {
    for table in tables(c)? {
        if !is_sound(c, &table)? || !is_text(c, &table)? {
            return Err(StoreError::Damaged);
        }
    }
    if texts::are_sound(c)? { Ok(are_items_readable(c)?) } else { Err(StoreError::Damaged) }
}

impl Store {
    /// Reads the whole file, on a connection of its own. Ends early when the future is dropped.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a page or a string cannot be read.
    pub(crate) async fn examine(&self) -> Result<(), StoreError> {
        let turn = TURN.acquire().await;
        let connection = open_to_read(&self.path)?;
        let interrupt = connection.get_interrupt_handle();
        let _ends_early = DropGuard(|| interrupt.interrupt());
        let examined = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            examine(&connection)
        });
        examined.await.unwrap_or(Err(StoreError::Closed))
    }
}

struct DropGuard<F: Fn()>(F);

impl<F: Fn()> Drop for DropGuard<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn damaged_by(sql: &str) -> Result<(), StoreError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let store = Store::open(&file).unwrap();
        store.examine().await.unwrap();
        let other = Connection::open(&file).unwrap();
        other.execute_batch(sql).unwrap();
        store.examine().await
    }

    #[tokio::test]
    async fn a_store_is_checked_only_after_the_check_of_another_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let store = Store::open(&file).unwrap();
        let other = TURN.acquire().await.unwrap();
        let mut check = std::pin::pin!(store.examine());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(check.as_mut().poll(&mut context).is_pending());
        // It has not begun, so it finds what is damaged now.
        let damage = "INSERT INTO meta VALUES (CAST(x'80' AS TEXT), '')";
        Connection::open(&file).unwrap().execute_batch(damage).unwrap();
        drop(other);
        assert!(matches!(check.await, Err(StoreError::Damaged)));
    }

    #[tokio::test]
    async fn text_that_is_not_utf_8_is_found_in_every_table() {
        for (table, columns) in [
            ("names", "'8:joe', 1, CAST(x'ff' AS TEXT)"),
            ("drafts", "'8:joe', CAST(x'c328' AS TEXT)"),
            ("meta", "CAST(x'80' AS TEXT), ''"),
        ] {
            let sql = format!("INSERT INTO {table} VALUES ({columns})");
            assert!(matches!(damaged_by(&sql).await, Err(StoreError::Damaged)), "{table}");
        }
        damaged_by("INSERT INTO meta VALUES ('a', 'ä\u{10FFFF}')").await.unwrap();
    }

    #[tokio::test]
    async fn a_block_of_the_search_index_that_cannot_be_read_is_found() {
        for sql in [
            "INSERT INTO text_blocks VALUES (1 << 40, 1, 1, x'0202')",
            "INSERT INTO text_groups VALUES (0, x'00')",
        ] {
            assert!(matches!(damaged_by(sql).await, Err(StoreError::Damaged)), "{sql}");
        }
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_read_is_found() {
        let with_item = |item: &str| {
            format!(
                "INSERT INTO conversations (number, id, json, version, activity) VALUES (1, '8:joe', '{{}}', 1, 1);
                 INSERT INTO messages VALUES (1, 1, 16, 16, '16', 16, '8:joe', NULL, 'Text', 'one', NULL, 1, 0, 0, 0, \
                 1, 1, {item})"
            )
        };
        damaged_by(&with_item("x'007b7d'")).await.unwrap();
        for item in ["x''", "x'077b7d'", "x'00ff'", "x'01ff'", "x'01ffffff7f00'"] {
            let found = damaged_by(&with_item(item)).await;
            assert!(matches!(found, Err(StoreError::Damaged)), "{item}");
        }
    }

    #[tokio::test]
    async fn a_page_of_zeros_is_found_wherever_it_is() {
        use std::os::unix::fs::FileExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let store = Store::open(&file).unwrap();
        let insert = "INSERT INTO meta SELECT value, hex(zeroblob(1500)) FROM generate";
        let rows = "WITH RECURSIVE generate (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM generate LIMIT 60)";
        let other = Connection::open(&file).unwrap();
        other.execute_batch(&format!("{rows} {insert}")).unwrap();
        drop(other);
        store.close().await.unwrap();
        drop(store);
        let sound = std::fs::read(&file).unwrap();
        let pages = sound.len() / 4096;
        assert!(pages > 40, "{pages}");
        for page in 1..pages {
            let bytes = &sound[page * 4096..(page + 1) * 4096];
            if bytes.iter().all(|byte| *byte == 0) {
                continue;
            }
            std::fs::write(&file, &sound).unwrap();
            let damaged = std::fs::File::options().write(true).open(&file).unwrap();
            damaged.write_all_at(&[0; 4096], (page * 4096) as u64).unwrap();
            let found = match Store::open(&file) {
                Ok(store) => store.examine().await,
                Err(error) => Err(error),
            };
            assert!(matches!(found, Err(StoreError::Damaged)), "page {page}: {found:?}");
        }
    }
}
