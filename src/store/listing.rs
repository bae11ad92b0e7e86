//! The conversation list as it is stored, and everything else that the first screen needs.

use super::ids::IdValue;
use super::read::{MESSAGE, is_record, message, meta, names, number};
use super::{OutboxItem, Store, StoreError, edits, outbox};
use crate::model::{
    ChatChoices, ConversationId, Draft, NameSource, RawConversation, RawMessage, ReadMarker,
    Timestamp, Unread, UnreadRow, UserId, text::SafeText,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;

/// Conversations in the first part of the list: more than a screen shows, and few enough to be read at once.
const FIRST_PART: usize = 1_000;

/// A conversation as received, with what the store knows about it.
#[derive(Clone, Debug)]
pub struct CachedConversation {
    pub raw: RawConversation,
    pub read_marker: Option<ReadMarker>,
    pub cleared_at: Timestamp,
    pub unread: Unread,
    /// The newest stored message that is not an edit record, followed by its edit records.
    pub last: Vec<RawMessage>,
}

/// A conversation's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConversationNumber(i64);

/// Everything that the first screen needs.
pub struct Snapshot {
    /// The first part of the list: the most recently active conversations, the one that was open last, and those that have
    /// a draft, an unsent message or a choice of the user.
    pub conversations: Vec<CachedConversation>,
    /// All others, most recently active first.
    pub rest: Vec<ConversationNumber>,
    pub names: Vec<(UserId, NameSource, SafeText)>,
    pub drafts: Vec<(ConversationId, Draft)>,
    pub outbox: Vec<OutboxItem>,
    pub last_open: Option<ConversationId>,
    pub choices: Vec<(ConversationId, ChatChoices)>,
}

impl Snapshot {
    /// The conversation to open again: the one that was open last, if it is in the list. A thread that a conversation has
    /// just become may not be in the list yet; an unsent message in it is enough.
    pub fn to_open(&self) -> Option<&ConversationId> {
        self.last_open.as_ref().filter(|id| {
            self.conversations.iter().any(|listed| listed.raw.id == **id)
                || self.outbox.iter().any(|item| item.conversation == **id)
        })
    }
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
    Ok((unread_after(c, number, read_marker.as_ref(), cleared, me)?, read_marker))
}

fn unread_after(
    c: &Connection,
    number: i64,
    read_marker: Option<&ReadMarker>,
    cleared: i64,
    me: &UserId,
) -> rusqlite::Result<Unread> {
    let from = read_marker.map_or(0, |h| h.arrival.0).max(cleared);
    let client = read_marker.and_then(|h| h.client_id.as_ref());
    let client = client.map(|id| IdValue(id.as_str()));
    // Up to 1,000 rows are read for each conversation of the first screen. SQLite compares the texts and returns two
    // numbers a row, which is quicker than copying the texts.
    let mut query = c.prepare_cached(
        "SELECT m.at, (m.sender = ?3) + 2 * m.counts + 4 * (m.mentions != 0) + 8 * ifnull(m.client_id = ?4, 0), \
         CASE WHEN m.counts AND m.edit_of IS NOT NULL THEN m.place END FROM messages m \
         WHERE m.conversation = ?1 AND m.at > ?2 ORDER BY m.at DESC, m.number DESC LIMIT 1000",
    )?;
    let values = params![number, from, me.as_str(), client];
    let mut rows = query.query_map(values, |row| {
        let marks: u8 = row.get(1)?;
        let has = |mark: u8| marks & mark != 0;
        Ok(UnreadRow {
            at: Timestamp(row.get(0)?),
            mine: has(1),
            counts: has(2) && !is_record(c, row.get(2)?)?,
            mentions_me: has(4),
            is_read_marker: has(8),
        })
    })?;
    let mut failed = None;
    let good = std::iter::from_fn(|| rows.next()?.map_err(|error| failed = Some(error)).ok());
    let counted = crate::model::unread(read_marker, good);
    failed.map_or(Ok(counted), Err)
}

/// All conversations, most recently active first.
fn by_activity(c: &Connection) -> rusqlite::Result<Vec<ConversationNumber>> {
    let mut query =
        c.prepare_cached("SELECT number FROM conversations ORDER BY activity DESC, number")?;
    query.query_map([], |row| row.get(0).map(ConversationNumber))?.collect()
}

fn cached(
    c: &Connection,
    number: ConversationNumber,
    me: &UserId,
) -> rusqlite::Result<Option<CachedConversation>> {
    let ConversationNumber(number) = number;
    let row = c
        .prepare_cached(
            "SELECT id, json, version, activity, cleared_at, horizon FROM conversations WHERE number = ?1",
        )?
        .query_row([number], |row| {
            let raw = RawConversation {
                id: ConversationId::from(row.get::<_, String>(0)?),
                json: row.get::<_, String>(1)?.into(),
                version: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                activity: Timestamp(row.get(3)?),
            };
            Ok((raw, Timestamp(row.get(4)?), row.get::<_, String>(5)?))
        })
        .optional()?;
    let Some((raw, cleared_at, read_marker)) = row else { return Ok(None) };
    let read_marker = ReadMarker::parse(&read_marker);
    let unread = unread_after(c, number, read_marker.as_ref(), cleared_at.0, me)?;
    let last = match last_shown(c, number, cleared_at, &raw.id)? {
        Some(last) => edits::of_message(c, number, last)?,
        None => Vec::new(),
    };
    Ok(Some(CachedConversation { raw, read_marker, cleared_at, unread, last }))
}

/// The newest message of a conversation that is not an edit record.
fn last_shown(
    c: &Connection,
    number: i64,
    cleared_at: Timestamp,
    id: &ConversationId,
) -> rusqlite::Result<Option<RawMessage>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM messages m WHERE m.conversation = ?1 AND m.at > ?2 \
         ORDER BY m.at DESC, m.number DESC"
    );
    let mut query = c.prepare_cached(&sql)?;
    let mut rows = query.query([number, cleared_at.0])?;
    while let Some(row) = rows.next()? {
        let raw = message(c, row, id)?;
        if !raw.original_is_stored {
            return Ok(Some(raw));
        }
    }
    Ok(None)
}

fn all_cached(
    c: &Connection,
    numbers: &[ConversationNumber],
    me: &UserId,
) -> rusqlite::Result<Vec<CachedConversation>> {
    numbers.iter().filter_map(|number| cached(c, *number, me).transpose()).collect()
}

/// All conversations, most recently active first.
pub(super) fn conversations(
    c: &Connection,
    me: &UserId,
) -> rusqlite::Result<Vec<CachedConversation>> {
    // One lock for all the queries.
    let c = c.unchecked_transaction()?;
    all_cached(&c, &by_activity(&c)?, me)
}

/// What the user has chosen for conversations. An unreadable choice is ignored.
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

fn drafts(c: &Connection) -> rusqlite::Result<Vec<(ConversationId, Draft)>> {
    let mut query = c.prepare("SELECT conversation, draft FROM drafts")?;
    let drafts = query.query_map([], |row| {
        let draft: String = row.get(1)?;
        let id = ConversationId::from(row.get::<_, String>(0)?);
        Ok((id, serde_json::from_str(&draft).unwrap_or_default()))
    })?;
    drafts.collect()
}

pub(super) fn snapshot(c: &Connection, me: &UserId) -> rusqlite::Result<Snapshot> {
    // One lock for all the queries.
    let c = c.unchecked_transaction()?;
    let (drafts, outbox, choices) = (drafts(&c)?, outbox::all(&c)?, choices(&c)?);
    let last_open = meta(&c, "last_open")?.map(ConversationId::from);
    let mut rest = by_activity(&c)?;
    let mut first: Vec<ConversationNumber> = rest.drain(..rest.len().min(FIRST_PART)).collect();
    let mut wanted = HashSet::new();
    let named = drafts.iter().map(|(id, _)| id).chain(choices.iter().map(|(id, _)| id));
    let named = named.chain(outbox.iter().map(|item| &item.conversation)).chain(&last_open);
    for id in named.filter(|_| !rest.is_empty()) {
        wanted.extend(number(&c, id)?.map(|(number, _)| ConversationNumber(number)));
    }
    first.extend(rest.extract_if(.., |number| wanted.contains(number)));
    let conversations = all_cached(&c, &first, me)?;
    Ok(Snapshot { conversations, rest, names: names(&c)?, drafts, outbox, last_open, choices })
}

impl Store {
    /// Some of the conversations that a snapshot has left out for now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) async fn cached_conversations(
        &self,
        numbers: Vec<ConversationNumber>,
        me: UserId,
    ) -> Result<Vec<CachedConversation>, StoreError> {
        self.read(move |c| {
            let c = c.unchecked_transaction()?;
            all_cached(&c, &numbers, &me)
        })
        .await
    }

    /// Stores what the user has chosen for a conversation.
    pub async fn save_choices(
        &self,
        id: &ConversationId,
        choices: ChatChoices,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c| {
            let json = serde_json::to_string(&choices).unwrap_or_default();
            c.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('choices:' || ?1, ?2)")?
                .execute([id.as_str(), &json])?;
            c.prepare_cached("DELETE FROM meta WHERE key = 'hidden:' || ?1")?
                .execute([id.as_str()])?;
            Ok(())
        })
        .await
    }

    pub async fn set_last_open(&self, id: &ConversationId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c| {
            c.prepare_cached("INSERT INTO meta VALUES ('last_open', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1")?
                .execute([id.as_str()])?;
            Ok(())
        })
        .await
    }
}
