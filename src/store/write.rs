//! Writing: one transaction per batch. An older version of a message never replaces a newer one.

use super::messages::ItemCompleter;
use super::texts::TextWriter;
use super::{Store, StoreError, coverage, edits, forget, listing, messages, read};
use crate::model::{
    ClientMessageId, ConversationId, Coverage, Indexed, NameSource, Point, Range, RawConversation,
    RawMessage, ReadMarker, SafeText, Timestamp, Unread, UserId,
};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};

/// A conversation to store, with what the decoder read from it.
#[derive(Clone, Debug)]
pub struct ConversationRow {
    pub raw: RawConversation,
    pub read_marker: Option<ReadMarker>,
    pub cleared_at: Option<Timestamp>,
    /// All its messages up to `raw.version` are in this batch or already stored.
    pub complete: bool,
    /// The new token for asking the server what has changed since; `None` keeps the old one.
    pub sync_token: Option<SyncToken>,
    /// This account has left it, or it no longer exists.
    pub is_over: bool,
}

/// A position in a server's record of a conversation's changes (facts 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncToken {
    pub sync_state: String,
    /// The highest version seen at that time. Later changes have higher ones.
    pub version: u64,
}

/// The content of one answer of the server, which is stored completely or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub conversations: Vec<ConversationRow>,
    pub messages: Vec<(RawMessage, Indexed)>,
    pub names: Vec<(UserId, NameSource, SafeText)>,
    /// How the coverage of conversations changes. A message that is not covered by an entry is a range of its own.
    pub coverage: Vec<(ConversationId, CoverageUpdate)>,
    pub decoder: u32,
    /// Completes items that lack fields which are stored, and vice versa.
    pub completion: Option<ItemCompleter>,
}

/// How a batch changes a conversation's coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverageUpdate {
    /// Everything that the server has in this range is stored after the batch.
    Range(Range),
    /// The messages directly follow the newest range, because every change is received as an event.
    Append,
}

/// What a batch changed.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub unread: Vec<(ConversationId, Unread, Option<ReadMarker>)>,
    /// Messages of the batch as they are stored, where that differs: completed by what was stored before.
    pub completed: Vec<RawMessage>,
    /// Coverages that changed.
    pub coverages: Vec<(ConversationId, Coverage)>,
    /// Messages of the batch that are edits of other stored ones: their conversation and id.
    pub edit_records: Vec<(ConversationId, Box<str>)>,
    /// Forgotten conversations in which the batch had nothing new. Nothing of them was stored.
    pub forgotten: HashSet<ConversationId>,
}

pub(super) fn begin(c: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    c.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// The number of a conversation, which is added if it is unknown, and whether it was added.
pub(super) fn ensure(c: &Connection, id: &ConversationId) -> rusqlite::Result<(i64, bool)> {
    if let Some((number, _)) = read::number(c, id)? {
        return Ok((number, false));
    }
    let json = serde_json::json!({ "id": id.as_str() }).to_string();
    c.prepare_cached(
        "INSERT INTO conversations (id, json, version, activity) VALUES (?1, ?2, 0, 0)",
    )?
    .execute(params![id.as_str(), json])?;
    Ok((c.last_insert_rowid(), true))
}

fn put_conversation(tx: &Transaction<'_>, row: &ConversationRow) -> rusqlite::Result<()> {
    let (number, _) = ensure(tx, &row.raw.id)?;
    let version = if row.complete { i64::try_from(row.raw.version).unwrap_or(i64::MAX) } else { 0 };
    tx.prepare_cached(
        "UPDATE conversations SET json = ?2, version = max(version, ?3), activity = max(activity, ?4), \
         cleared_at = max(cleared_at, ?5) WHERE number = ?1",
    )?
    .execute(params![
        number,
        &*row.raw.json,
        version,
        row.raw.activity.0,
        row.cleared_at.map_or(0, |t| t.0)
    ])?;
    if let Some(read_marker) = &row.read_marker {
        put_read_marker(tx, number, read_marker, false)?;
    }
    if let Some(sync_token) = &row.sync_token {
        let version = i64::try_from(sync_token.version).unwrap_or(i64::MAX);
        tx.prepare_cached(
            "UPDATE conversations SET sync_state = ?2, sync_version = ?3 WHERE number = ?1",
        )?
        .execute(params![number, sync_token.sync_state, version])?;
    }
    Ok(())
}

/// A read marker only replaces one that was set earlier (facts 3.5).
fn put_read_marker(
    tx: &Transaction<'_>,
    number: i64,
    new: &ReadMarker,
    unsent: bool,
) -> rusqlite::Result<bool> {
    let old: String = tx
        .prepare_cached("SELECT horizon FROM conversations WHERE number = ?1")?
        .query_row([number], |row| row.get(0))?;
    if ReadMarker::parse(&old).is_some_and(|old| old.read_at >= new.read_at) {
        return Ok(false);
    }
    tx.prepare_cached(
        "UPDATE conversations SET horizon = ?2, horizon_unsent = ?3 WHERE number = ?1",
    )?
    .execute(params![number, new.text(), unsent])?;
    Ok(true)
}

/// Removes one of the user's messages from the outbox when the server's copy of it has arrived.
fn confirm(tx: &Transaction<'_>, raw: &RawMessage, index: &Indexed) -> rusqlite::Result<()> {
    // A message that was edited in place may have nothing but the edit mark with its client id.
    let client_id = raw.client_id.as_ref().map(ClientMessageId::as_str);
    let Some(client_id) = client_id.or(index.edit_of.as_deref()) else { return Ok(()) };
    tx.prepare_cached("DELETE FROM outbox WHERE client_id = ?1 AND conversation = ?2")?
        .execute(params![client_id, raw.conversation.as_str()])?;
    Ok(())
}

pub(super) fn put_name(
    tx: &Connection,
    id: &UserId,
    source: NameSource,
    name: &SafeText,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO names VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET rank = ?2, name = ?3 WHERE ?2 >= rank",
    )?
    .execute(params![id.as_str(), source as i64, name.as_str()])?;
    Ok(())
}

fn apply(c: &mut Connection, mut batch: Batch, me: &UserId) -> rusqlite::Result<Applied> {
    let tx = begin(c)?;
    let mut touched: Vec<ConversationId> = Vec::new();
    let mut stored =
        Applied { forgotten: forget::take_out(&tx, &mut batch)?, ..Applied::default() };
    let mut texts = TextWriter::default();
    let mut activity: HashMap<i64, Timestamp> = HashMap::new();
    for row in &batch.conversations {
        put_conversation(&tx, row)?;
        touched.push(row.raw.id.clone());
    }
    let mut last: Option<(ConversationId, i64)> = None;
    for (raw, index) in &batch.messages {
        let number = match &last {
            Some((id, number)) if *id == raw.conversation => *number,
            _ => ensure(&tx, &raw.conversation)?.0,
        };
        if last.as_ref().is_none_or(|(id, _)| *id != raw.conversation) {
            last = Some((raw.conversation.clone(), number));
            if !touched.contains(&raw.conversation) {
                touched.push(raw.conversation.clone());
            }
        }
        let completed = match batch.completion {
            Some(completion) => messages::completed(&tx, number, raw, completion, me)?,
            None => None,
        };
        let (raw, index) = completed.as_ref().map_or((raw, index), |(raw, index)| (raw, index));
        messages::put(&tx, number, raw, index, batch.decoder, &mut texts)?;
        let newest: &mut Timestamp = activity.entry(number).or_default();
        *newest = raw.at.max(*newest);
        if raw.sender == *me {
            confirm(&tx, raw, index)?;
        }
        stored.completed.extend(completed.map(|(raw, _)| raw));
    }
    texts.write(&tx)?;
    for (number, at) in activity {
        tx.prepare_cached(
            "UPDATE conversations SET activity = max(activity, ?2) WHERE number = ?1",
        )?
        .execute(params![number, at.0])?;
    }
    for (raw, _) in batch.messages.iter().filter(|(_, index)| index.edit_of.is_some()) {
        if edits::is_stored_record(&tx, &raw.conversation, &raw.id)? {
            stored.edit_records.push((raw.conversation.clone(), (&*raw.id).into()));
        }
    }
    for (id, source, name) in &batch.names {
        put_name(&tx, id, *source, name)?;
    }
    for (id, _) in &batch.coverage {
        if !touched.contains(id) {
            touched.push(id.clone());
        }
    }
    for id in touched {
        stored
            .coverages
            .extend(update_coverage(&tx, &batch, &id)?.map(|coverage| (id.clone(), coverage)));
        let (unread, read_marker) = listing::unread(&tx, &id, me)?;
        stored.unread.push((id, unread, read_marker));
    }
    tx.commit()?;
    Ok(stored)
}

/// Updates the coverage of a conversation after a batch. Returns it if it changed.
fn update_coverage(
    tx: &Transaction<'_>,
    batch: &Batch,
    id: &ConversationId,
) -> rusqlite::Result<Option<Coverage>> {
    let (number, _) = ensure(tx, id)?;
    let before = coverage::load(tx, number)?;
    let mut after = before.clone();
    let points: Vec<Point> = batch
        .messages
        .iter()
        .filter(|(raw, _)| raw.conversation == *id)
        .map(|(raw, _)| Point::from(&raw.key()))
        .collect();
    for (_, coverage) in batch.coverage.iter().filter(|(covered, _)| covered == id) {
        match coverage {
            CoverageUpdate::Range(range) => after.add(*range),
            CoverageUpdate::Append => {
                let top = after.top();
                let newer = points.iter().filter(|point| top.is_none_or(|top| **point > top));
                if let Some(newest) = newer.max() {
                    after.follow(*newest);
                }
            }
        }
    }
    for point in points {
        if !after.covers(point) {
            after.add(Range::alone(point));
        }
    }
    if after == before {
        return Ok(None);
    }
    coverage::change(tx, number, &before, &after)?;
    Ok(Some(after))
}

impl Store {
    pub async fn apply(&self, batch: Batch, me: UserId) -> Result<Applied, StoreError> {
        self.write(move |c| apply(c, batch, &me)).await
    }

    /// Moves the user's own read marker, to an earlier place only with `back`. With `report` it is marked to be sent to
    /// the server. Returns the resulting marker and the unread count.
    pub async fn mark_read(
        &self,
        id: &ConversationId,
        read_marker: ReadMarker,
        back: bool,
        report: bool,
        me: UserId,
    ) -> Result<(ReadMarker, Unread), StoreError> {
        let id = id.clone();
        self.write(move |c| {
            let tx = begin(c)?;
            if forget::is_forgotten(&tx, &id)? {
                return Ok((read_marker, Unread::default()));
            }
            let (number, _) = ensure(&tx, &id)?;
            let old: String = tx
                .prepare_cached("SELECT horizon FROM conversations WHERE number = ?1")?
                .query_row([number], |row| row.get(0))?;
            let mut read_marker = read_marker;
            // The new marker must be later than the old one, whose time may be in the future by another device's clock.
            if let Some(old) = ReadMarker::parse(&old) {
                if old.arrival >= read_marker.arrival && !back {
                    return Ok((old, listing::unread(&tx, &id, &me)?.0));
                }
                read_marker.read_at =
                    read_marker.read_at.max(Timestamp(old.read_at.0.saturating_add(1)));
            }
            put_read_marker(&tx, number, &read_marker, report)?;
            let (unread, _) = listing::unread(&tx, &id, &me)?;
            tx.commit()?;
            Ok((read_marker, unread))
        })
        .await
    }

    /// Read markers that have not been sent to the server.
    pub(crate) async fn unsent_read_markers(
        &self,
    ) -> Result<Vec<(ConversationId, ReadMarker)>, StoreError> {
        self.write(|c| {
            let mut query =
                c.prepare_cached("SELECT id, horizon FROM conversations WHERE horizon_unsent = 1")?;
            let rows = query.query_map([], |row| {
                Ok((ConversationId::from(row.get::<_, String>(0)?), row.get::<_, String>(1)?))
            })?;
            let rows: Vec<(ConversationId, String)> = rows.collect::<Result<_, _>>()?;
            Ok(rows.into_iter().filter_map(|(id, h)| Some((id, ReadMarker::parse(&h)?))).collect())
        })
        .await
    }

    pub(crate) async fn read_marker_sent(
        &self,
        id: &ConversationId,
        read_marker: &ReadMarker,
    ) -> Result<(), StoreError> {
        let (id, text) = (id.clone(), read_marker.text());
        self.write(move |c| {
            c.prepare_cached(
                "UPDATE conversations SET horizon_unsent = 0 WHERE id = ?1 AND horizon = ?2",
            )?
            .execute(params![id.as_str(), text])?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn save_thread(
        &self,
        id: &ConversationId,
        json: String,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c| {
            let tx = begin(c)?;
            if forget::is_forgotten(&tx, &id)? {
                return Ok(());
            }
            let (number, _) = ensure(&tx, &id)?;
            tx.prepare_cached("UPDATE conversations SET thread_json = ?2 WHERE number = ?1")?
                .execute(params![number, json])?;
            tx.commit()
        })
        .await
    }

    /// Counts items of the server that could not be placed in any conversation, for `doctor`.
    pub(crate) async fn count_unplaced(&self, more: usize) -> Result<(), StoreError> {
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        self.write(move |c| {
            c.prepare_cached(
                "INSERT INTO meta VALUES ('unplaced', ?1) \
                 ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + ?1",
            )?
            .execute([more])?;
            Ok(())
        })
        .await
    }

    /// Stores how far other members have read, to be shown offline.
    pub(crate) async fn save_read_receipts(
        &self,
        id: &ConversationId,
        read: &[(UserId, Timestamp)],
    ) -> Result<(), StoreError> {
        let (id, json) = (id.clone(), serde_json::to_string(read).unwrap_or_default());
        self.write(move |c| {
            c.prepare_cached("UPDATE conversations SET others_read = ?2 WHERE id = ?1")?
                .execute(params![id.as_str(), json])?;
            Ok(())
        })
        .await
    }
}
