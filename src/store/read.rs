//! Queries: the conversation list, pages of messages, names and unread counts.

use super::ids::IdValue;
use super::items::ItemColumns;
use super::{Store, StoreError, coverage};
use crate::model::{
    ClientMessageId, ConversationId, Coverage, MessageKey, NameSource, RawMessage, Timestamp,
    UserId, text::SafeText,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A page of stored messages, newest first.
#[derive(Clone, Debug, Default)]
pub struct PageOf {
    pub messages: Vec<RawMessage>,
    /// Neither the store nor the server has anything older.
    pub reached_start: bool,
}

/// Whether a row `m` with an edit mark is a record of another stored message, and not shown itself. The rule is that of
/// [`crate::model::edits`].
macro_rules! is_edit_record {
    () => {
        "m.edit_of IS NOT NULL AND (EXISTS (SELECT 1 FROM messages o WHERE o.conversation = m.conversation \
         AND o.client_id = m.edit_of AND (+o.at, +o.number, +o.id) < (m.at, m.number, m.id) \
         AND (o.sender = m.sender OR m.number = 0 OR m.version <= m.number)) \
         OR EXISTS (SELECT 1 FROM messages o WHERE o.conversation = m.conversation \
         AND o.id = m.edit_of AND (+o.at, +o.number, +o.id) < (m.at, m.number, m.id) \
         AND (o.sender = m.sender OR m.number = 0 OR m.version <= m.number)) \
         OR EXISTS (SELECT 1 FROM messages o WHERE o.conversation = m.conversation \
         AND o.edit_of = m.edit_of AND (+o.at, +o.number, +o.id) < (m.at, m.number, m.id) \
         AND o.sender = m.sender))"
    };
}

pub(super) const IS_EDIT_RECORD: &str = is_edit_record!();

/// The columns of a row `m` that [`message`] reads. The last one is its place if it has an edit mark: few rows have
/// one, and SQLite takes longer to prepare the lookup of the original than to read a page.
pub(super) const MESSAGE: &str = "m.at, m.id, m.version, m.sender, m.client_id, m.kind, m.text, m.item, \
     CASE WHEN m.edit_of IS NOT NULL THEN m.place END";

/// Reads a row that begins with the columns of [`MESSAGE`].
pub(super) fn message(
    c: &Connection,
    row: &Row<'_>,
    conversation: &ConversationId,
) -> rusqlite::Result<RawMessage> {
    let (sender, kind) = (row.get_ref(3)?.as_str()?, row.get_ref(5)?.as_str()?);
    let IdValue(id): IdValue<String> = row.get(1)?;
    let client_id = row.get::<_, Option<IdValue<String>>>(4)?.map(|IdValue(id)| id);
    let at = row.get(0)?;
    let columns = ItemColumns {
        conversation: conversation.as_str(),
        id: &id,
        at,
        sender,
        client_id: client_id.as_deref(),
        kind,
        // If it was already damaged when the item was compressed, that does no harm here.
        text: &String::from_utf8_lossy(row.get_ref(6)?.as_bytes()?),
    };
    let json = columns.item(row.get_ref(7)?.as_blob()?)?;
    // Content and sender's name are not stored in columns: the decoder reads them from the item.
    Ok(RawMessage {
        id: id.into(),
        client_id: client_id.map(ClientMessageId::from),
        conversation: conversation.clone(),
        sender: UserId::new(sender),
        sender_name: None,
        at: Timestamp(at),
        version: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
        kind: kind.into(),
        content: "".into(),
        extras: true,
        original_is_stored: is_record(c, row.get(8)?)?,
        json,
    })
}

/// Whether the row at a place is an edit record; `None` means a row without an edit mark.
pub(super) fn is_record(c: &Connection, place: Option<i64>) -> rusqlite::Result<bool> {
    let Some(place) = place else { return Ok(false) };
    c.prepare_cached(concat!("SELECT ", is_edit_record!(), " FROM messages m WHERE m.place = ?1"))?
        .query_row([place], |row| row.get(0))
}

/// The number and `cleared_at` of a conversation.
pub(super) fn number(c: &Connection, id: &ConversationId) -> rusqlite::Result<Option<(i64, i64)>> {
    c.prepare_cached("SELECT number, cleared_at FROM conversations WHERE id = ?1")?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

pub(super) fn newest(
    c: &Connection,
    id: &ConversationId,
    limit: u32,
) -> rusqlite::Result<Vec<RawMessage>> {
    let Some((number, cleared)) = number(c, id)? else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {MESSAGE} FROM messages m WHERE conversation = ?1 AND at > ?2 ORDER BY at DESC, number DESC LIMIT ?3"
    );
    let mut query = c.prepare_cached(&sql)?;
    query.query_map(params![number, cleared, limit], |row| message(c, row, id))?.collect()
}

/// Whether there is nothing to show below the oldest stored message.
fn nothing_older(coverage: &Coverage, cleared: i64) -> bool {
    match coverage.ranges().iter().find(|range| range.hi.at.0 > cleared) {
        Some(lowest) => lowest.floor || (cleared > 0 && lowest.lo.at.0 <= cleared),
        None => cleared > 0,
    }
}

/// Stored messages after `key`, oldest first.
pub(super) fn after(
    c: &Connection,
    id: &ConversationId,
    key: &MessageKey,
    limit: u32,
) -> rusqlite::Result<Vec<RawMessage>> {
    let Some((number, cleared)) = number(c, id)? else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {MESSAGE} FROM messages m WHERE conversation = ?1 AND at > ?2 AND (at, number) > (?3, ?4) \
         ORDER BY at, number LIMIT ?5"
    );
    let mut query = c.prepare_cached(&sql)?;
    let order = i64::try_from(key.order).unwrap_or(i64::MAX);
    query
        .query_map(params![number, cleared, key.at.0, order, limit], |row| message(c, row, id))?
        .collect()
}

pub(super) fn before(
    c: &Connection,
    id: &ConversationId,
    key: &MessageKey,
    limit: u32,
) -> rusqlite::Result<PageOf> {
    let Some((number, cleared)) = number(c, id)? else { return Ok(PageOf::default()) };
    let sql = format!(
        "SELECT {MESSAGE} FROM messages m WHERE conversation = ?1 AND at > ?2 AND (at, number) < (?3, ?4) \
         ORDER BY at DESC, number DESC LIMIT ?5"
    );
    let mut query = c.prepare_cached(&sql)?;
    let order = i64::try_from(key.order).unwrap_or(i64::MAX);
    let messages: Vec<RawMessage> = query
        .query_map(params![number, cleared, key.at.0, order, limit], |row| message(c, row, id))?
        .collect::<Result<_, _>>()?;
    let reached_start =
        messages.len() < limit as usize && nothing_older(&coverage::load(c, number)?, cleared);
    Ok(PageOf { messages, reached_start })
}

pub(super) fn names(c: &Connection) -> rusqlite::Result<Vec<(UserId, NameSource, SafeText)>> {
    let mut query = c.prepare_cached("SELECT id, rank, name FROM names")?;
    let rows = query.query_map([], |row| {
        let name: String = row.get(2)?;
        Ok((
            UserId::from(row.get::<_, String>(0)?),
            NameSource::from_rank(row.get(1)?),
            SafeText::line(&name),
        ))
    })?;
    rows.collect()
}

pub(super) fn thread_json(c: &Connection, id: &ConversationId) -> rusqlite::Result<Option<String>> {
    let json: Option<String> = c
        .prepare_cached("SELECT thread_json FROM conversations WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    Ok(json.filter(|json| !json.is_empty()))
}

pub(super) fn meta(c: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    c.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

impl Store {
    /// The given conversations that are not stored.
    pub(crate) async fn unknown(
        &self,
        ids: Vec<ConversationId>,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.read(move |c| {
            let mut unknown = Vec::new();
            for id in ids {
                if number(c, &id)?.is_none() {
                    unknown.push(id);
                }
            }
            Ok(unknown)
        })
        .await
    }

    /// The newest stored messages, newest first.
    pub async fn newest(
        &self,
        id: &ConversationId,
        limit: u32,
    ) -> Result<Vec<RawMessage>, StoreError> {
        if let Some(page) = self.ahead.newest(id, limit).await {
            return Ok(page);
        }
        let id = id.clone();
        self.read(move |c| newest(c, &id, limit)).await
    }

    /// Stored messages before `key`, newest first.
    pub async fn before(
        &self,
        id: &ConversationId,
        key: &MessageKey,
        limit: u32,
    ) -> Result<PageOf, StoreError> {
        let (id, key) = (id.clone(), key.clone());
        self.read(move |c| before(c, &id, &key, limit)).await
    }

    /// Stored messages after `key`, oldest first.
    pub async fn after(
        &self,
        id: &ConversationId,
        key: &MessageKey,
        limit: u32,
    ) -> Result<Vec<RawMessage>, StoreError> {
        let (id, key) = (id.clone(), key.clone());
        self.read(move |c| after(c, &id, &key, limit)).await
    }

    /// The version of each conversation up to which its messages are stored.
    pub async fn versions(&self) -> Result<Vec<(ConversationId, u64)>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT id, version FROM conversations")?;
            let rows = query.query_map([], |row| {
                let version: i64 = row.get(1)?;
                Ok((
                    ConversationId::from(row.get::<_, String>(0)?),
                    u64::try_from(version).unwrap_or(0),
                ))
            })?;
            rows.collect()
        })
        .await
    }

    /// How far other members have read, as last received.
    pub(crate) async fn read_receipts(
        &self,
        id: &ConversationId,
    ) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
        let id = id.clone();
        self.read(move |c| {
            let json: Option<String> = c
                .prepare_cached("SELECT others_read FROM conversations WHERE id = ?1")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
        })
        .await
    }

    /// The last answer to a request for the thread.
    pub(crate) async fn thread_json(
        &self,
        id: &ConversationId,
    ) -> Result<Option<String>, StoreError> {
        let id = id.clone();
        self.read(move |c| thread_json(c, &id)).await
    }
}
