//! The coverage of each conversation on disk: which parts of its history are stored.

use super::{Store, StoreError, SyncToken, read};
use crate::model::{ConversationId, Coverage, Gap, MessageKey, Point, Range, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

fn number_of(order: u64) -> i64 {
    i64::try_from(order).unwrap_or(i64::MAX)
}

pub(super) fn load(c: &Connection, conversation: i64) -> rusqlite::Result<Coverage> {
    let mut query = c.prepare_cached(
        "SELECT lo_at, lo_number, hi_at, hi_number, floor FROM ranges WHERE conversation = ?1 ORDER BY lo_at, lo_number",
    )?;
    let rows = query.query_map([conversation], |row| {
        let point = |at: i64, order: i64| Point { at: Timestamp(at), order: order.unsigned_abs() };
        Ok(Range {
            lo: point(row.get(0)?, row.get(1)?),
            hi: point(row.get(2)?, row.get(3)?),
            floor: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Replaces the stored coverage of a conversation.
pub(super) fn save(c: &Connection, conversation: i64, coverage: &Coverage) -> rusqlite::Result<()> {
    c.prepare_cached("DELETE FROM ranges WHERE conversation = ?1")?.execute([conversation])?;
    change(c, conversation, &Coverage::default(), coverage)
}

/// Writes only the ranges that changed: they are few, even if there are many ranges.
pub(super) fn change(
    c: &Connection,
    conversation: i64,
    before: &Coverage,
    after: &Coverage,
) -> rusqlite::Result<()> {
    let missing_in = |range: &Range, other: &Coverage| other.range_of(range.lo) != Some(range);
    let mut delete = c.prepare_cached(
        "DELETE FROM ranges WHERE conversation = ?1 AND lo_at = ?2 AND lo_number = ?3",
    )?;
    for range in before.ranges().iter().filter(|range| missing_in(range, after)) {
        delete.execute(params![conversation, range.lo.at.0, number_of(range.lo.order)])?;
    }
    let mut insert = c.prepare_cached("INSERT INTO ranges VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for range in after.ranges().iter().filter(|range| missing_in(range, before)) {
        insert.execute(params![
            conversation,
            range.lo.at.0,
            number_of(range.lo.order),
            range.hi.at.0,
            number_of(range.hi.order),
            range.floor
        ])?;
    }
    Ok(())
}

/// A gap that can be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenGap {
    pub conversation: ConversationId,
    pub gap: Gap,
    /// A key directly before the first message above the gap.
    pub above: MessageKey,
}

/// The open gaps of a conversation, newest first.
pub(super) fn open_gaps(c: &Connection, id: &ConversationId) -> rusqlite::Result<Vec<OpenGap>> {
    let Some((number, cleared)) = read::number(c, id)? else { return Ok(Vec::new()) };
    let coverage = load(c, number)?;
    let open = coverage.gaps().rev().filter(|gap| !gap.closed && gap.above.at.0 > cleared);
    let found = open.map(|gap| {
        let above = MessageKey { at: gap.above.at, order: gap.above.order, id: "".into() };
        OpenGap { conversation: id.clone(), gap, above }
    });
    Ok(found.collect())
}

impl Store {
    /// The token for asking the server what has changed since.
    pub async fn sync_token(&self, id: &ConversationId) -> Result<Option<SyncToken>, StoreError> {
        let id = id.clone();
        self.read(move |c| {
            c.prepare_cached("SELECT sync_state, sync_version FROM conversations WHERE id = ?1 AND sync_state <> ''")?
                .query_row([id.as_str()], |row| {
                    let version: i64 = row.get(1)?;
                    Ok(SyncToken { sync_state: row.get(0)?, version: version.unsigned_abs() })
                })
                .optional()
        })
        .await
    }

    pub async fn coverage(&self, id: &ConversationId) -> Result<Coverage, StoreError> {
        let id = id.clone();
        self.read(move |c| match read::number(c, &id)? {
            Some((number, _)) => load(c, number),
            None => Ok(Coverage::default()),
        })
        .await
    }

    /// The first open gap below a message.
    pub(crate) async fn gap_above(
        &self,
        id: &ConversationId,
        key: &MessageKey,
    ) -> Result<Option<OpenGap>, StoreError> {
        let (id, point) = (id.clone(), Point::from(key));
        self.read(move |c| {
            Ok(open_gaps(c, &id)?.into_iter().find(|found| found.gap.above <= point))
        })
        .await
    }

    /// The gap to fill next: one of `first`, or else of the most recently active conversation that has one. Gaps below
    /// the messages in `skip` are left out.
    pub(crate) async fn next_gap(
        &self,
        first: Option<ConversationId>,
        skip: Vec<(ConversationId, Point)>,
    ) -> Result<Option<OpenGap>, StoreError> {
        self.read(move |c| {
            let mut query = c.prepare_cached(
                "SELECT id FROM conversations WHERE number IN \
                 (SELECT conversation FROM ranges GROUP BY conversation HAVING count(*) > 1) ORDER BY activity DESC",
            )?;
            let rows = query.query_map([], |row| row.get::<_, String>(0))?;
            let ids: Vec<String> = rows.collect::<Result<_, _>>()?;
            let ids = first.into_iter().chain(ids.into_iter().map(ConversationId::from));
            for id in ids {
                let skipped =
                    |gap: &OpenGap| skip.iter().any(|(of, at)| *of == id && *at == gap.gap.above);
                if let Some(gap) = open_gaps(c, &id)?.into_iter().find(|gap| !skipped(gap)) {
                    return Ok(Some(gap));
                }
            }
            Ok(None)
        })
        .await
    }
}
