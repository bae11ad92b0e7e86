//! Reindexing: rows that an older decoder wrote are decoded and indexed again in the background.
//!
//! The progress is kept in `meta`. Reindexing goes from the newest message down, a few hundred rows at a time, and
//! resumes after a restart.

use super::read::{MESSAGE, message, meta};
use super::texts::{self, TextWriter};
use super::write::begin;
use super::{Store, StoreError, messages};
use crate::model::fold::GRAMS_VERSION;
use crate::model::{ConversationId, Indexed, RawMessage};
use rusqlite::{Connection, params};

const BELOW: &str = "index_below";
const DECODER: &str = "index_decoder";
const GRAMS: &str = "index_grams";

/// Rows to decode again.
#[derive(Clone, Debug)]
pub struct Unindexed {
    pub messages: Vec<RawMessage>,
    /// The place of the last one; the next rows are below it.
    below: i64,
}

fn set_meta(c: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    )?
    .execute([key, value])?;
    Ok(())
}

fn below(c: &Connection) -> rusqlite::Result<i64> {
    Ok(meta(c, BELOW)?.and_then(|text| text.parse().ok()).unwrap_or(i64::MIN))
}

/// Whether some rows still have to be indexed.
pub(super) fn is_incomplete(c: &Connection) -> rusqlite::Result<bool> {
    let below = below(c)?;
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM messages WHERE place < ?1)")?
        .query_row([below], |row| row.get(0))
}

impl Store {
    /// Starts over from the newest row if another version of the decoder or of the index wrote the rows.
    pub(crate) async fn check_index(&self, decoder: u32) -> Result<(), StoreError> {
        self.write(move |c| {
            let tx = begin(c)?;
            let known = |key| -> rusqlite::Result<Option<u32>> {
                Ok(meta(&tx, key)?.and_then(|text| text.parse().ok()))
            };
            let other_grams = known(GRAMS)?.is_some_and(|version| version != GRAMS_VERSION);
            if other_grams {
                texts::clear(&tx)?;
                tx.execute_batch("UPDATE messages SET indexed = 0")?;
            }
            if other_grams || known(DECODER)?.is_some_and(|version| version != decoder) {
                set_meta(&tx, BELOW, &i64::MAX.to_string())?;
            }
            set_meta(&tx, GRAMS, &GRAMS_VERSION.to_string())?;
            set_meta(&tx, DECODER, &decoder.to_string())?;
            tx.commit()
        })
        .await
    }

    /// Records that all rows are up to date.
    pub(crate) async fn finish_index(&self) -> Result<(), StoreError> {
        self.write(|c| set_meta(c, BELOW, &i64::MIN.to_string())).await
    }

    /// The next rows to decode again; `None` when all are done.
    pub(crate) async fn next_unindexed(&self, limit: u32) -> Result<Option<Unindexed>, StoreError> {
        self.read(move |c| {
            let from = below(c)?;
            let sql = format!(
                "SELECT {MESSAGE}, c.id AS conversation_id, m.place AS place FROM messages m \
                 JOIN conversations c ON c.number = m.conversation WHERE m.place < ?1 ORDER BY m.place DESC LIMIT ?2"
            );
            let mut query = c.prepare_cached(&sql)?;
            let rows = query.query_map(params![from, limit], |row| {
                let id = ConversationId::from(row.get::<_, String>("conversation_id")?);
                Ok((message(c, row, &id)?, row.get::<_, i64>("place")?))
            })?;
            let rows: Vec<(RawMessage, i64)> = rows.collect::<Result<_, _>>()?;
            let Some(below) = rows.last().map(|(_, place)| *place) else { return Ok(None) };
            Ok(Some(Unindexed { messages: rows.into_iter().map(|(raw, _)| raw).collect(), below }))
        })
        .await
    }

    /// Stores rows that were decoded again.
    pub(crate) async fn reindex(
        &self,
        rows: Vec<(RawMessage, Indexed)>,
        done: &Unindexed,
        decoder: u32,
    ) -> Result<(), StoreError> {
        let below = done.below;
        self.write(move |c| {
            let tx = begin(c)?;
            let mut texts = TextWriter::default();
            for (raw, index) in &rows {
                if let Some((number, _)) = super::read::number(&tx, &raw.conversation)? {
                    messages::put(&tx, number, raw, index, decoder, &mut texts)?;
                }
            }
            texts.write(&tx)?;
            set_meta(&tx, BELOW, &below.to_string())?;
            tx.commit()
        })
        .await
    }
}
