//! The messages of a conversation, oldest first and page by page, with edits applied: a conversation of a million
//! messages needs no more memory than a small one.

use crate::cli::context::ExitError;
use crate::model::edits::{EditRole, Edits};
use crate::model::{
    ConversationId, EmojiStyle, EmojiWidth, Message, MessageKey, RawMessage, Timestamp, UserId,
};
use crate::protocol::decode;
use crate::store::{JoinedPage, ReadOnly, SourcePage, StoreError, join};
use crate::sync::decode_stored;
use std::cmp::Reverse;

/// Rows that are read at once.
const PAGE: u32 = 2_000;

/// A message that is shown.
pub struct ShownMessage {
    pub raw: RawMessage,
    pub message: Message,
    /// It comes from an archive, although the account is not one.
    pub is_archived: bool,
}

pub struct Pages<'a> {
    /// The account's own store, then those of archives with earlier years.
    stores: Vec<&'a ReadOnly>,
    chat: &'a ConversationId,
    me: &'a UserId,
    emoji: EmojiStyle,
    /// All edit records and deletion notices of the conversation, which are few.
    records: Vec<RawMessage>,
    edits: Edits,
    next: Option<MessageKey>,
    until: Timestamp,
}

fn failed(error: &StoreError) -> ExitError {
    ExitError::failed(error.to_string())
}

impl<'a> Pages<'a> {
    pub fn new(
        stores: Vec<&'a ReadOnly>,
        chat: &'a ConversationId,
        me: &'a UserId,
        emoji: EmojiStyle,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Self, ExitError> {
        let mut records: Vec<RawMessage> = Vec::new();
        for store in &stores {
            let found = store.edit_records(chat).map_err(|e| failed(&e))?;
            records.extend(found.into_iter().map(decode_stored));
        }
        records.sort_by_key(|raw| (raw.key(), Reverse(raw.version)));
        records.dedup_by_key(|raw| raw.key());
        let mut edits = Edits::default();
        for raw in &records {
            edits.take(&mut decode::message(raw, me));
        }
        let before = Timestamp(since.0.saturating_sub(1));
        let next = Some(MessageKey { at: before, order: u64::MAX, id: "".into() });
        Ok(Self { stores, chat, me, emoji, records, edits, next, until })
    }

    /// The next messages that are shown; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Vec<ShownMessage>>, ExitError> {
        let Some(after) = self.next.take() else { return Ok(None) };
        let mut sources = Vec::new();
        for store in &self.stores {
            let messages = store.after(self.chat, &after, PAGE).map_err(|e| failed(&e))?;
            sources.push(SourcePage { is_last: messages.len() < PAGE as usize, messages });
        }
        let JoinedPage { messages: rows, archived, is_last } = join(sources, false);
        let last = rows.last().map(RawMessage::key);
        self.next = last.filter(|last| !is_last && last.at < self.until);
        // Only the records and this page: the originals of other pages need no room.
        let mut edits = self.edits.clone();
        let mut page = Vec::with_capacity(rows.len());
        for row in rows.into_iter().filter(|row| row.at < self.until) {
            let is_archived = archived.contains(&row.key());
            let raw = decode_stored(row);
            let mut message = decode::message(&raw, self.me);
            if edits.take(&mut message).role == EditRole::Shown {
                edits.refold(&mut message);
                message.body.show_emoji(self.emoji, EmojiWidth::Cluster);
                page.push(ShownMessage { raw, message, is_archived });
            }
        }
        Ok(Some(page))
    }

    /// The records that edit a message.
    pub fn edits_of(&self, raw: &RawMessage) -> Vec<RawMessage> {
        let names = |record: &&RawMessage| {
            let message = decode::message(record, self.me);
            let by_id = message.edit_of.as_ref().is_some_and(|mark| {
                *mark.id == *raw.id
                    || raw.client_id.as_ref().is_some_and(|id| id.as_str() == &*mark.id)
            });
            record.id != raw.id && record.sender == raw.sender && by_id
        };
        self.records.iter().filter(names).cloned().collect()
    }
}
