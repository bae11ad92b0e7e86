//! Positions and counts in a conversation's history: the messages next to a moment, and the number in each month.

use super::ids::IdValue;
use super::read::{IS_EDIT_RECORD, number};
use super::{Store, StoreError};
use crate::model::date::Month;
use crate::model::{ChatStatistics, ConversationId, MessageKey, Neighbors, Timestamp};
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Rows, params};
use std::collections::{BTreeMap, HashSet};

/// The nearest message before a moment, or the nearest at or after it.
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
            let IdValue(id): IdValue<String> = row.get(1)?;
            Ok(MessageKey::server(Timestamp(row.get(0)?), &id))
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

/// Messages of one store in time order, with what distinguishes them.
struct MessageTimes<'a> {
    rows: Rows<'a>,
    next: Option<(i64, i64, String)>,
}

impl<'a> MessageTimes<'a> {
    fn new(rows: Rows<'a>) -> rusqlite::Result<Self> {
        let mut times = Self { rows, next: None };
        times.step()?;
        Ok(times)
    }

    fn step(&mut self) -> rusqlite::Result<()> {
        self.next = match self.rows.next()? {
            Some(row) => {
                let IdValue(id) = row.get(2)?;
                Some((row.get(0)?, row.get(1)?, id))
            }
            None => None,
        };
        Ok(())
    }
}

/// Counts the messages of a conversation in several stores by month. A message that several of them have counts once.
pub(super) fn statistics(
    connections: &[Connection],
    id: &ConversationId,
    zone: &TimeZone,
) -> rusqlite::Result<ChatStatistics> {
    let (mut statements, mut records) = (Vec::new(), HashSet::new());
    // With several stores, message ids are needed to recognise duplicates; otherwise, reading an index is enough.
    let id_column = if connections.len() > 1 { "id" } else { "''" };
    let times = format!(
        "SELECT at, number, {id_column} FROM messages WHERE conversation = ?1 AND at > ?2 ORDER BY at, number"
    );
    let edits = format!(
        "SELECT m.at, m.id FROM messages m WHERE m.conversation = ?1 AND m.at > ?2 \
         AND m.edit_of IS NOT NULL AND ({IS_EDIT_RECORD})"
    );
    for c in connections {
        let Some(bound) = number(c, id)? else { continue };
        let mut query = c.prepare(&edits)?;
        let rows =
            query.query_map(<[i64; 2]>::from(bound), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for record in rows {
            let (at, IdValue(id)): (i64, IdValue<String>) = record?;
            records.insert((at, id));
        }
        statements.push((c.prepare(&times)?, bound));
    }
    let mut stores = Vec::new();
    for (statement, bound) in &mut statements {
        stores.push(MessageTimes::new(statement.query(<[i64; 2]>::from(*bound))?)?);
    }
    let mut counted = MonthCounter::new(zone);
    while let Some(next) = stores.iter().filter_map(|times| times.next.clone()).min() {
        counted.add(Timestamp(next.0));
        for times in &mut stores {
            if times.next.as_ref() == Some(&next) {
                times.step()?;
            }
        }
    }
    Ok(counted.without(records.into_iter().map(|(at, _)| Timestamp(at))))
}

/// Counts messages that come in time order.
struct MonthCounter<'a> {
    zone: &'a TimeZone,
    months: BTreeMap<Month, u64>,
    period: Option<(Timestamp, Timestamp)>,
    month: Month,
    end: Timestamp,
}

impl<'a> MonthCounter<'a> {
    fn new(zone: &'a TimeZone) -> Self {
        let (month, end) = (Month { year: 0, month: 1 }, Timestamp(i64::MIN));
        Self { zone, months: BTreeMap::new(), period: None, month, end }
    }

    fn add(&mut self, at: Timestamp) {
        self.period = Some((self.period.map_or(at, |(first, _)| first), at));
        if at >= self.end {
            self.month = Month::of(at, self.zone);
            self.end = self.month.end(self.zone);
        }
        *self.months.entry(self.month).or_default() += 1;
    }

    /// The counts without messages that are not shown themselves.
    fn without(mut self, hidden: impl Iterator<Item = Timestamp>) -> ChatStatistics {
        for at in hidden {
            if let Some(count) = self.months.get_mut(&Month::of(at, self.zone)) {
                *count = count.saturating_sub(1);
            }
        }
        let months = self.months.into_iter().filter(|(_, count)| *count > 0).collect();
        ChatStatistics { period: self.period, months }
    }
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
}
