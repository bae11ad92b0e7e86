//! Queries: the conversation list, pages of messages, names and unread counts.

use super::{OutboxItem, Store, StoreError, coverage, edits, outbox};
use crate::model::{
    ChatChoices, ClientMessageId, ConversationId, Coverage, Draft, MessageKey, NameSource,
    RawConversation, RawMessage, ReadMarker, Timestamp, Unread, UnreadRow, UserId, text::SafeText,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A conversation as received, with what the store knows about it.
#[derive(Clone, Debug)]
pub struct CachedConversation {
    pub raw: RawConversation,
    pub read_marker: Option<ReadMarker>,
    pub cleared_at: Timestamp,
    pub unread: Unread,
    /// The newest stored message that is no edit record, and then the edit records of it.
    pub last: Vec<RawMessage>,
}

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

pub(super) const MESSAGE: &str = concat!(
    "m.at, m.id, m.version, m.sender, m.client_id, m.kind, m.json, (",
    is_edit_record!(),
    ") AS is_record"
);

pub(super) fn message(
    row: &Row<'_>,
    conversation: &ConversationId,
) -> rusqlite::Result<RawMessage> {
    let json: String = row.get("json")?;
    let client_id: Option<String> = row.get("client_id")?;
    // Content and sender's name are not stored in columns: the decoder reads them from the item.
    Ok(RawMessage {
        id: row.get::<_, String>("id")?.into(),
        client_id: client_id.map(ClientMessageId::from),
        conversation: conversation.clone(),
        sender: UserId::from(row.get::<_, String>("sender")?),
        sender_name: None,
        at: Timestamp(row.get("at")?),
        version: u64::try_from(row.get::<_, i64>("version")?).unwrap_or(0),
        kind: row.get::<_, String>("kind")?.into(),
        content: "".into(),
        extras: true,
        original_is_stored: row.get("is_record")?,
        json: json.into(),
    })
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
    query.query_map(params![number, cleared, limit], |row| message(row, id))?.collect()
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
        .query_map(params![number, cleared, key.at.0, order, limit], |row| message(row, id))?
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
        .query_map(params![number, cleared, key.at.0, order, limit], |row| message(row, id))?
        .collect::<Result<_, _>>()?;
    let reached_start =
        messages.len() < limit as usize && nothing_older(&coverage::load(c, number)?, cleared);
    Ok(PageOf { messages, reached_start })
}

/// Counts unread messages; the rule is [`crate::model::unread()`].
pub(super) fn unread(
    c: &Connection,
    id: &ConversationId,
    me: &UserId,
) -> rusqlite::Result<(Unread, Option<ReadMarker>)> {
    let row = c
        .prepare_cached("SELECT number, horizon, cleared_at FROM conversations WHERE id = ?1")?
        .query_row([id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    let Some((number, read_marker, cleared)) = row else { return Ok((Unread::default(), None)) };
    let read_marker = ReadMarker::parse(&read_marker);
    let from = read_marker.as_ref().map_or(0, |h| h.arrival.0).max(cleared);
    let client = read_marker.as_ref().and_then(|h| h.client_id.clone());
    let mut query = c.prepare_cached(concat!(
        "SELECT m.at, m.sender, m.counts AND NOT (",
        is_edit_record!(),
        "), m.mentions, m.client_id FROM messages m \
         WHERE m.conversation = ?1 AND m.at > ?2 ORDER BY m.at DESC, m.number DESC LIMIT 1000",
    ))?;
    let rows = query.query_map(params![number, from], |row| {
        let client_id: Option<String> = row.get(4)?;
        Ok(UnreadRow {
            at: Timestamp(row.get(0)?),
            mine: row.get::<_, String>(1)? == me.as_str(),
            counts: row.get(2)?,
            mentions_me: row.get(3)?,
            is_read_marker: client
                .as_ref()
                .is_some_and(|c| client_id.as_deref() == Some(c.as_str())),
        })
    })?;
    let rows: Vec<UnreadRow> = rows.collect::<Result<_, _>>()?;
    Ok((crate::model::unread(read_marker.as_ref(), rows.into_iter()), read_marker))
}

pub(super) fn conversations(
    c: &Connection,
    me: &UserId,
) -> rusqlite::Result<Vec<CachedConversation>> {
    // One lock for all the queries.
    let c = c.unchecked_transaction()?;
    let c = &*c;
    let mut query = c.prepare_cached(
        "SELECT id, json, version, activity, cleared_at FROM conversations ORDER BY activity DESC",
    )?;
    let rows = query.query_map([], |row| {
        let id = ConversationId::from(row.get::<_, String>(0)?);
        let raw = RawConversation {
            id,
            json: row.get::<_, String>(1)?.into(),
            version: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            activity: Timestamp(row.get(3)?),
        };
        Ok((raw, Timestamp(row.get(4)?)))
    })?;
    let rows: Vec<(RawConversation, Timestamp)> = rows.collect::<Result<_, _>>()?;
    let sql = format!(
        "SELECT {MESSAGE} FROM messages m JOIN conversations c ON m.conversation = c.number WHERE c.id = ?1 \
         AND m.at > c.cleared_at AND NOT ({IS_EDIT_RECORD}) ORDER BY m.at DESC, m.number DESC LIMIT 1"
    );
    rows.into_iter()
        .map(|(raw, cleared_at)| {
            let (unread, read_marker) = unread(c, &raw.id, me)?;
            let last = c
                .prepare_cached(&sql)?
                .query_row([raw.id.as_str()], |row| message(row, &raw.id))
                .optional()?;
            let last = match last {
                Some(last) => edits::with_edits(c, &raw.id, &last.id)?,
                None => Vec::new(),
            };
            Ok(CachedConversation { raw, read_marker, cleared_at, unread, last })
        })
        .collect()
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

/// What the user has chosen for conversations. A choice that cannot be read counts as none.
fn choices(c: &Connection) -> rusqlite::Result<Vec<(ConversationId, ChatChoices)>> {
    let mut query =
        c.prepare("SELECT substr(key, 9), value FROM meta WHERE key LIKE 'choices:%'")?;
    let rows = query.query_map([], |row| {
        let (id, json): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((ConversationId::from(id), serde_json::from_str(&json).unwrap_or_default()))
    })?;
    let mut all: Vec<(ConversationId, ChatChoices)> = rows.collect::<Result<_, _>>()?;
    // Where the first versions kept hidden groups.
    let mut query = c.prepare("SELECT value FROM meta WHERE key LIKE 'hidden:%'")?;
    let hidden = query.query_map([], |row| row.get::<_, String>(0).map(ConversationId::from))?;
    for id in hidden {
        let id = id?;
        if !all.iter().any(|(known, _)| *known == id) {
            all.push((id, ChatChoices { hidden: true, ..ChatChoices::default() }));
        }
    }
    Ok(all)
}

/// Everything that the first screen needs.
pub struct Snapshot {
    pub conversations: Vec<CachedConversation>,
    pub names: Vec<(UserId, NameSource, SafeText)>,
    pub drafts: Vec<(ConversationId, Draft)>,
    pub outbox: Vec<OutboxItem>,
    pub last_open: Option<ConversationId>,
    pub choices: Vec<(ConversationId, ChatChoices)>,
}

impl Store {
    /// Those of these conversations that are not stored.
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

    pub async fn snapshot(&self, me: UserId) -> Result<Snapshot, StoreError> {
        self.read(move |c| {
            let mut query = c.prepare("SELECT conversation, draft FROM drafts")?;
            let drafts = query.query_map([], |row| {
                let draft: String = row.get(1)?;
                let id = ConversationId::from(row.get::<_, String>(0)?);
                Ok((id, serde_json::from_str(&draft).unwrap_or_default()))
            })?;
            Ok(Snapshot {
                conversations: conversations(c, &me)?,
                names: names(c)?,
                drafts: drafts.collect::<Result<_, _>>()?,
                outbox: outbox::all(c)?,
                last_open: meta(c, "last_open")?.map(ConversationId::from),
                choices: choices(c)?,
            })
        })
        .await
    }

    /// The newest stored messages, newest first.
    pub async fn newest(
        &self,
        id: &ConversationId,
        limit: u32,
    ) -> Result<Vec<RawMessage>, StoreError> {
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
