//! Deserialises JSON of the server into raw model types: field names, forms of values, and what may be missing.

mod answers;
mod conversation;
mod failure;
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
pub use partial::completed;
pub use presence::presences;
pub(crate) use properties::MessageProperties;
pub use thread::{WireThread, read_receipts, thread, thread_id};

use super::cursor::Cursor;
use super::endpoint;
use super::lenient::{self, Text};
use super::payload;
use super::service::ENTITY_TEXT_HOST_LABEL;
use crate::model::{
    ClientMessageId, ConversationId, RawConversation, RawMessage, Timestamp, UserId,
};
use repeated::RepeatedTexts;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// Memory for at most so many items of a page is reserved before they are read.
const MOST_RESERVED: u32 = 200;

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
    /// `syncState` of the older page; `None` if there is no link, or none that can be followed.
    pub older: Option<String>,
    /// The server says that nothing older follows: there is metadata without a link, and the page is not full. A link
    /// that is missing otherwise proves nothing.
    pub is_last: bool,
    /// It has as many items as were asked for, including those that could not be read.
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
    // The page is this conversation's, also where an item names another one: the sender's, or all of them.
    let mut repeated = RepeatedTexts::default();
    read_page(body, "messages", size, |list| {
        let (json, item) = list.value::<WireMessage<'_>>()?;
        Some(message_of(json, &item, &mut repeated, |_| Some(conversation.clone())))
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
            let items = items.insert(Vec::with_capacity(size.min(MOST_RESERVED) as usize));
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

/// A message item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireMessage<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub clientmessageid: Text<'a>,
    #[serde(borrow)]
    pub version: Text<'a>,
    #[serde(borrow)]
    pub composetime: Text<'a>,
    #[serde(borrow)]
    pub originalarrivaltime: Text<'a>,
    #[serde(borrow)]
    pub from: Option<&'a RawValue>,
    #[serde(borrow, rename = "conversationLink")]
    pub conversation_link: Text<'a>,
    #[serde(borrow, alias = "conversationId", alias = "threadid")]
    pub conversationid: Text<'a>,
    #[serde(borrow, rename = "originalArrivalTime", alias = "OriginalArrivalTime")]
    pub arrival_time: Text<'a>,
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub imdisplayname: Text<'a>,
    #[serde(borrow, rename = "imDisplayName")]
    pub im_display_name: Text<'a>,
    /// In exports (facts 9.2).
    #[serde(borrow, rename = "displayName")]
    pub display_name: Text<'a>,
    #[serde(borrow, rename = "fromDisplayNameInToken")]
    pub token_name: Text<'a>,
    #[serde(borrow, rename = "fromGivenNameInToken")]
    pub given_name: Text<'a>,
    #[serde(borrow, rename = "fromFamilyNameInToken")]
    pub family_name: Text<'a>,
    #[serde(borrow)]
    pub messagetype: Text<'a>,
    #[serde(borrow)]
    pub skypeeditedid: Text<'a>,
    #[serde(borrow)]
    pub skypeemoteoffset: Text<'a>,
    /// See [`WireMessage::properties`].
    #[serde(borrow, rename = "properties")]
    raw_properties: Option<&'a RawValue>,
}

/// Reads a message item. `None` if it is not an object or has no id or no time, so that it could not be told apart from
/// others.
pub fn raw_message(json: &str, conversation: Option<&ConversationId>) -> Option<RawMessage> {
    let named = |item: &WireMessage<'_>| item.conversation().or_else(|| conversation.cloned());
    let item: WireMessage<'_> = serde_json::from_str(json).ok()?;
    message_of(json, &item, &mut RepeatedTexts::default(), named)
}

fn message_of(
    json: &str,
    item: &WireMessage<'_>,
    repeated: &mut RepeatedTexts,
    conversation: impl FnOnce(&WireMessage<'_>) -> Option<ConversationId>,
) -> Option<RawMessage> {
    let time = |t: &Text<'_>| t.some().and_then(Timestamp::parse);
    let times = [&item.originalarrivaltime, &item.composetime, &item.id, &item.version];
    let at = times.into_iter().find_map(time).or_else(|| time(&item.arrival_time))?;
    // Without any id the time stands for it: the service makes ids of times, too.
    let id = item.id.some().or_else(|| item.clientmessageid.some());
    let id = id.map_or_else(|| at.0.to_string().into(), Arc::from);
    let conversation = conversation(item)?;
    let properties = item.properties();
    let properties = MessageProperties::read(&properties);
    let sender = sender(item, &properties, repeated);
    let name = names::of_sender(item, &sender);
    Some(RawMessage {
        id,
        client_id: item.clientmessageid.some().map(ClientMessageId::new),
        sender_name: name.map(|name| repeated.get(&name)),
        sender,
        at,
        version: item.version.number().or_else(|| item.id.number()).unwrap_or(0),
        kind: repeated.get(item.messagetype.as_str()),
        content: content(item.content, item.messagetype.as_str()).into(),
        conversation,
        extras: item.has_extras() || properties.matter() || MessageProperties::may_be_removed(json),
        original_is_stored: false,
        json: json.into(),
    })
}

impl<'a> WireMessage<'a> {
    /// The conversation that the item names.
    fn conversation(&self) -> Option<ConversationId> {
        let linked = self.conversation_link.some().and_then(conversation_of_link);
        linked.or_else(|| self.conversationid.some().and_then(conversation_named))
    }

    fn has_extras(&self) -> bool {
        self.skypeeditedid.some().is_some()
            || self.skypeemoteoffset.some().is_some()
            || self.is_of_teams()
    }

    /// The properties as JSON, to be read by [`MessageProperties::read`].
    pub fn properties(&self) -> Cow<'a, str> {
        properties::object_text(self.raw_properties.map_or("", RawValue::get))
    }

    /// Whether the message comes from a Teams host, where plain text is escaped (facts 7, row 22).
    pub fn is_of_teams(&self) -> bool {
        let host = crate::model::rich::host(self.conversation_link.as_str());
        host.split('.').any(|label| label == ENTITY_TEXT_HOST_LABEL)
    }
}

/// The content, which is usually a string, but may be missing, an object with `text`, or any JSON (facts 3.1). Where it
/// should be text, only the words of an object are.
fn content<'a>(raw: Option<&'a RawValue>, kind: &str) -> Cow<'a, str> {
    let Some(value) = raw else { return Cow::Borrowed("") };
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'"') => lenient::string(value),
        Some(b'{') => {
            #[derive(Default, Deserialize)]
            #[serde(default)]
            struct Object<'a> {
                #[serde(borrow)]
                text: Text<'a>,
            }
            match serde_json::from_str::<Object<'_>>(raw) {
                Ok(object) if object.text.some().is_some() => object.text.0,
                _ => words_or_json(raw, kind),
            }
        }
        Some(b'[') => words_or_json(raw, kind),
        _ if raw == "null" => Cow::Borrowed(""),
        _ => Cow::Borrowed(raw),
    }
}

fn words_or_json<'a>(raw: &'a str, kind: &str) -> Cow<'a, str> {
    let is_text = matches!(kind, "" | "Text" | "RichText" | "RichText/Html");
    if is_text && !payload::is_call(raw) {
        payload::all_words(raw).into()
    } else {
        Cow::Borrowed(raw)
    }
}

/// The sender: the last segment of `…/contacts/ID`, a bare id, or the `id` of an object. Anything else gives an empty id,
/// so that it is never mistaken for this account.
fn sender(
    item: &WireMessage<'_>,
    properties: &MessageProperties<'_>,
    repeated: &mut RepeatedTexts,
) -> UserId {
    let from = item.from.map_or("", RawValue::get);
    let id = match from.as_bytes().first() {
        Some(b'"') => item.from.and_then(|from| sender_id(&lenient::string(from), repeated)),
        Some(b'{') => {
            #[derive(Default, Deserialize)]
            #[serde(default)]
            struct From<'a> {
                #[serde(borrow)]
                id: Text<'a>,
            }
            let text = serde_json::from_str::<From<'_>>(from).unwrap_or_default().id;
            sender_id(text.as_str(), repeated)
        }
        _ => None,
    };
    id.or_else(|| imported_by(properties)).unwrap_or_else(|| UserId::new(""))
}

fn sender_id(from: &str, repeated: &mut RepeatedTexts) -> Option<UserId> {
    if let Some((before, id)) = from.rsplit_once('/') {
        let is_plain = !id.is_empty() && !id.contains(['?', '#', '%']);
        if is_plain && before.ends_with("/contacts") {
            return Some(repeated.get(id).into());
        }
        let (_, id) = from.rsplit_once("/contacts/")?;
        return last_segment(id).filter(|id| !id.is_empty()).map(UserId::from);
    }
    (from.contains(':')).then(|| repeated.get(from.trim()).into())
}

/// The original sender of a message that was moved from Skype to Teams.
fn imported_by(properties: &MessageProperties<'_>) -> Option<UserId> {
    #[derive(Deserialize)]
    struct Imported<'a> {
        #[serde(borrow, rename = "RawValue")]
        raw: Text<'a>,
    }
    let raw = properties.imported_by?.get();
    let imported: Imported<'_> = serde_json::from_str(raw).ok()?;
    imported.raw.some().map(UserId::new)
}

/// The conversation that a link to it, or to something in it, leads to. `ALL` stands for none of them.
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
