//! Places and numbers of a conversation's history: the messages next to a moment, and how many there are in each month.

use super::read::{IS_EDIT_RECORD, number};
use super::{Store, StoreError, open_to_read};
use crate::model::date::Month;
use crate::model::{ChatStatistics, ConversationId, MessageKey, Neighbors, Timestamp};
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// The nearest message before a moment, or at and after it.
fn nearest(
    c: &Connection,
    conversation: i64,
    cleared: i64,
    at: Timestamp,
    is_after: bool,
) -> rusqlite::Result<Option<MessageKey>> {
    let (comparison, order) = if is_after { (">=", "") } else { ("<", "DESC") };
    let sql = format!(
        "SELECT m.at, m.id FROM messages m WHERE m.conversation = ?1 AND m.at > ?2 AND m.at {comparison} ?3 \
         AND NOT ({IS_EDIT_RECORD}) ORDER BY m.at {order}, m.number {order} LIMIT 1"
    );
    c.prepare_cached(&sql)?
        .query_row(params![conversation, cleared, at.0], |row| {
            Ok(MessageKey::server(Timestamp(row.get(0)?), &row.get::<_, String>(1)?))
        })
        .optional()
}

fn neighbors(c: &Connection, id: &ConversationId, at: Timestamp) -> rusqlite::Result<Neighbors> {
    let Some((number, cleared)) = number(c, id)? else { return Ok(Neighbors::default()) };
    Ok(Neighbors {
        before: nearest(c, number, cleared, at, false)?,
        after: nearest(c, number, cleared, at, true)?,
    })
}

/// Counts messages by month. Goes through an index only, and through the few rows with an edit mark.
fn statistics(
    c: &Connection,
    id: &ConversationId,
    zone: &TimeZone,
) -> rusqlite::Result<ChatStatistics> {
    let Some((number, cleared)) = number(c, id)? else { return Ok(ChatStatistics::default()) };
    let mut months: BTreeMap<Month, u64> = BTreeMap::new();
    let mut period: Option<(Timestamp, Timestamp)> = None;
    let (mut month, mut end) = (Month { year: 0, month: 1 }, Timestamp(i64::MIN));
    let mut query = c.prepare(
        "SELECT at FROM messages WHERE conversation = ?1 AND at > ?2 ORDER BY at, number",
    )?;
    let mut rows = query.query(params![number, cleared])?;
    while let Some(row) = rows.next()? {
        let at = Timestamp(row.get(0)?);
        period = Some((period.map_or(at, |(first, _)| first), at));
        if at >= end {
            month = Month::of(at, zone);
            end = month.end(zone);
        }
        *months.entry(month).or_default() += 1;
    }
    let sql = format!(
        "SELECT m.at FROM messages m WHERE m.conversation = ?1 AND m.at > ?2 AND m.edit_of IS NOT NULL AND ({IS_EDIT_RECORD})"
    );
    let mut query = c.prepare(&sql)?;
    let mut rows = query.query(params![number, cleared])?;
    while let Some(row) = rows.next()? {
        if let Some(count) = months.get_mut(&Month::of(Timestamp(row.get(0)?), zone)) {
            *count = count.saturating_sub(1);
        }
    }
    let months = months.into_iter().filter(|(_, count)| *count > 0).collect();
    Ok(ChatStatistics { period, months })
}

impl Store {
    /// The stored messages next to a moment.
    pub(crate) async fn neighbors(
        &self,
        id: &ConversationId,
        at: Timestamp,
    ) -> Result<Neighbors, StoreError> {
        let id = id.clone();
        self.read(move |c| neighbors(c, &id, at)).await
    }

    /// Counts the stored messages of a conversation, on a connection of its own: a large one takes a while, and opening a
    /// chat must not wait for it.
    pub async fn statistics(
        &self,
        id: &ConversationId,
        zone: &TimeZone,
    ) -> Result<ChatStatistics, StoreError> {
        let connection = open_to_read(&self.path)?;
        let (id, zone) = (id.clone(), zone.clone());
        let counted = tokio::task::spawn_blocking(move || statistics(&connection, &id, &zone));
        Ok(counted.await.map_err(|_| StoreError::Closed)??)
    }
}
