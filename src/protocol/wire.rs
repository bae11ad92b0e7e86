//! Deserialises JSON of the server into raw model types: field names, forms of values, and what may be missing.

mod answers;
mod conversation;
mod failure;
mod message;
mod names;
mod partial;
mod presence;
mod properties;
mod repeated;
mod thread;

pub use super::lenient::Text as JsonText;
pub use answers::{PolledEvent, PolledEvents, events, profiles, sent};
pub(crate) use answers::{join_url, resolved_join_url};
pub(crate) use conversation::WireConversation;
pub use conversation::raw_conversation;
pub use failure::{error_code, error_text};
pub(crate) use message::MessageExtras;
use message::WireMessage;
pub use message::raw_message;
pub use partial::completed;
pub use presence::presences;
pub(crate) use properties::MessageProperties;
pub use thread::{WireThread, read_receipts, thread, thread_id};

use super::cursor::Cursor;
use super::endpoint;
use super::lenient::Text;
use crate::model::{ConversationId, RawConversation, RawMessage};
use repeated::RepeatedTexts;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Memory for at most this many items of a page is reserved before they are read.
const MAX_RESERVED: u32 = 200;

/// An answer that does not have the expected form. Never contains anything of the answer.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the answer is not JSON")]
    NotJson,
    #[error("the answer has no \"{0}\"")]
    Missing(&'static str),
}

/// `_metadata`, whose links may be missing (facts 2.1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow, rename = "backwardLink")]
    backward_link: Option<Text<'a>>,
    #[serde(borrow, rename = "syncState")]
    sync_state: Text<'a>,
}

/// One page of a list.
#[derive(Debug)]
pub struct WirePage<T> {
    pub items: Vec<T>,
    /// `syncState` of the older page; `None` if there is no link, or if it cannot be followed.
    pub older: Option<String>,
    /// The server says that nothing older follows: there is metadata without a link, and the page is not full.
    /// Otherwise a missing link proves nothing.
    pub is_last: bool,
    /// The page has as many items as were asked for, including those that could not be read.
    pub is_full: bool,
    /// `syncState` for asking again later.
    pub sync_state: Option<String>,
    /// The number of items that could not be read.
    pub bad: usize,
}

/// Reads a page of messages.
///
/// `size` is the number of items that were asked for.
pub fn messages_page(
    body: &str,
    conversation: &ConversationId,
    size: u32,
) -> Result<WirePage<RawMessage>, WireError> {
    // The page belongs to this conversation, even if an item names another one: the sender's, or all of them.
    let mut repeated = RepeatedTexts::default();
    read_page(body, "messages", size, |list| {
        list.with_value(|json, item: &WireMessage<'_>| {
            item.raw(json, conversation.clone(), &mut repeated)
        })
    })
}

/// Reads a page of the conversation list; `size` as above.
pub(crate) fn conversations_page(
    body: &str,
    size: u32,
) -> Result<WirePage<RawConversation>, WireError> {
    read_page(body, "conversations", size, |list| {
        let (json, IgnoredAny) = list.value()?;
        Some(raw_conversation(json))
    })
}

/// Reads a page. `read` reads an item of the list. It returns `None` if the item is of another type, which is then
/// skipped, and `Some(None)` if the item lacks something that is needed.
fn read_page<'a, T>(
    body: &'a str,
    name: &'static str,
    size: u32,
    mut read: impl FnMut(&mut Cursor<'a>) -> Option<Option<T>>,
) -> Result<WirePage<T>, WireError> {
    let mut cursor = Cursor::new(body);
    let (mut items, mut count) = (None, 0);
    let mut metadata = Metadata::default();
    let mut has_metadata = false;
    let members = cursor.object(|member, value| match member {
        _ if member == name && value.is_at('[') => {
            count = 0;
            let items = items.insert(Vec::with_capacity(size.min(MAX_RESERVED) as usize));
            value.list(|item| {
                count += 1;
                match read(item) {
                    Some(read) => items.extend(read),
                    None => item.skip_value()?,
                }
                Some(())
            })
        }
        "_metadata" if value.is_at('{') => match value.value() {
            Some((_, read)) => {
                (metadata, has_metadata) = (read, true);
                Some(())
            }
            None => value.skip_value(),
        },
        _ => value.skip_value(),
    });
    if members.is_none() || !cursor.is_at_end() {
        return Err(WireError::NotJson);
    }
    let items: Vec<T> = items.ok_or(WireError::Missing(name))?;
    let is_full = count >= size as usize;
    let unlinked = has_metadata && metadata.backward_link.is_none();
    let Metadata { backward_link, sync_state } = metadata;
    let older = backward_link.unwrap_or_default();
    Ok(WirePage {
        bad: count - items.len(),
        items,
        older: older.some().and_then(endpoint::sync_state_of),
        is_last: unlinked && !is_full,
        is_full,
        sync_state: sync_state.some().and_then(endpoint::sync_state_of),
    })
}

/// The conversation that a link to it, or to something in it, leads to. `ALL` is not a conversation.
pub fn conversation_of_link(link: &str) -> Option<ConversationId> {
    let after = link.split_once("/conversations/").map(|(_, after)| after);
    match after.map(|after| after.split(['/', '?', '#']).next().unwrap_or_default()) {
        Some(segment) => conversation_named(&last_segment(segment)?),
        None => conversation_named(&last_segment(link)?),
    }
}

/// A conversation by its id, without the root of a thread of replies (facts 3.1).
fn conversation_named(id: &str) -> Option<ConversationId> {
    let id = id.split(';').next().unwrap_or_default();
    (!id.is_empty() && !id.eq_ignore_ascii_case("ALL")).then(|| ConversationId::new(id))
}

/// The last path segment of a URL, decoded.
pub(crate) fn last_segment(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let segment = path.trim_end_matches('/').rsplit('/').next()?;
    Some(percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests;
