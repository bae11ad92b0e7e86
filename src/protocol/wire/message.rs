//! Message items: what is read when they arrive, and what the decoder reads later from the stored JSON.

use super::repeated::RepeatedTexts;
use super::{MessageProperties, conversation_named, conversation_of_link, last_segment};
use super::{names, properties};
use crate::model::{ClientMessageId, ConversationId, RawMessage, Timestamp, UserId};
use crate::protocol::lenient::{MaybeText, Text};
use crate::protocol::payload;
use crate::protocol::service::ENTITY_TEXT_HOST_LABEL;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// A message item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireMessage<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    clientmessageid: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    composetime: Text<'a>,
    #[serde(borrow)]
    originalarrivaltime: Text<'a>,
    #[serde(borrow)]
    from: MaybeText<'a>,
    #[serde(borrow, rename = "conversationLink")]
    conversation_link: Text<'a>,
    #[serde(borrow, alias = "conversationId", alias = "threadid")]
    conversationid: Text<'a>,
    #[serde(borrow, rename = "originalArrivalTime", alias = "OriginalArrivalTime")]
    arrival_time: Text<'a>,
    #[serde(borrow)]
    content: MaybeText<'a>,
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
    messagetype: Text<'a>,
    #[serde(borrow)]
    skypeeditedid: Text<'a>,
    #[serde(borrow)]
    skypeemoteoffset: Text<'a>,
    #[serde(borrow, rename = "properties")]
    raw_properties: Option<&'a RawValue>,
}

/// Fields of an item that are nearly always strings, as raw JSON for items where they are not.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OtherForms<'a> {
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// What the decoder reads of an item in addition to the fields of a [`RawMessage`], if the item has any of it
/// ([`RawMessage::extras`]).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MessageExtras<'a> {
    #[serde(borrow)]
    pub skypeeditedid: Text<'a>,
    #[serde(borrow)]
    pub skypeemoteoffset: Text<'a>,
    #[serde(borrow, rename = "conversationLink")]
    conversation_link: Text<'a>,
    #[serde(borrow, rename = "properties")]
    raw_properties: Option<&'a RawValue>,
}

impl<'a> MessageExtras<'a> {
    /// Reads the stored item of a message.
    pub fn read(raw: &'a RawMessage) -> Self {
        if raw.extras {
            serde_json::from_str(&raw.json).unwrap_or_default()
        } else {
            Self::default()
        }
    }

    /// The properties as JSON, to be read by [`MessageProperties::read`].
    pub fn properties(&self) -> Cow<'a, str> {
        properties::object_text(self.raw_properties.map_or("", RawValue::get))
    }

    /// Whether the message comes from a Teams host, where plain text is escaped (facts 7, row 22).
    pub fn is_of_teams(&self) -> bool {
        is_of_teams(self.conversation_link.as_str())
    }
}

/// Whether a link leads to a Teams host.
fn is_of_teams(link: &str) -> bool {
    // Few links contain the label at all, and checking for it is quicker than finding the host.
    link.contains(ENTITY_TEXT_HOST_LABEL)
        && crate::model::rich::host(link).split('.').any(|label| label == ENTITY_TEXT_HOST_LABEL)
}

/// Reads a message item. `None` if it is not an object or has no id or no time, so that it could not be told apart from
/// others.
pub fn raw_message(json: &str, conversation: Option<&ConversationId>) -> Option<RawMessage> {
    let item: WireMessage<'_> = serde_json::from_str(json).ok()?;
    let conversation = item.conversation().or_else(|| conversation.cloned())?;
    item.raw(json, conversation, &mut RepeatedTexts::default())
}

impl WireMessage<'_> {
    /// The conversation that the item names.
    fn conversation(&self) -> Option<ConversationId> {
        let linked = self.conversation_link.some().and_then(conversation_of_link);
        linked.or_else(|| self.conversationid.some().and_then(conversation_named))
    }

    /// The message in a conversation; `json` is the text of the item. `None` without a time.
    pub fn raw(
        &self,
        json: &str,
        conversation: ConversationId,
        repeated: &mut RepeatedTexts,
    ) -> Option<RawMessage> {
        let at = self.time()?;
        // Without any id, the time is used: the service makes ids from times, too.
        let id = self.id.some().or_else(|| self.clientmessageid.some());
        let id = id.map_or_else(|| at.0.to_string().into(), Arc::from);
        let other = self.other_forms(json);
        let properties = properties::object_text(self.raw_properties.map_or("", RawValue::get));
        let properties = MessageProperties::read(&properties);
        let sender = self.sender(other.from, &properties, repeated);
        let name = names::of_sender(self, other.from, &sender);
        Some(RawMessage {
            id,
            client_id: self.clientmessageid.some().map(ClientMessageId::new),
            sender_name: name.map(|name| repeated.get(&name)),
            sender,
            at,
            version: self.version.number().or_else(|| self.id.number()).unwrap_or(0),
            kind: repeated.get(self.messagetype.as_str()),
            content: match &self.content {
                MaybeText::Text(text) => (&**text).into(),
                MaybeText::Missing => "".into(),
                MaybeText::Other => content_in(other.content, self.messagetype.as_str()).into(),
            },
            conversation,
            extras: self.has_extras()
                || properties.matter()
                || MessageProperties::may_be_removed(json),
            original_is_stored: false,
            json: json.into(),
        })
    }

    fn time(&self) -> Option<Timestamp> {
        let times = [
            &self.originalarrivaltime,
            &self.composetime,
            &self.id,
            &self.version,
            &self.arrival_time,
        ];
        times.into_iter().find_map(|time| time.some().and_then(Timestamp::parse))
    }

    fn other_forms<'j>(&self, json: &'j str) -> OtherForms<'j> {
        let are_other = [&self.from, &self.content].iter().any(|field| field.is_other());
        if are_other {
            serde_json::from_str(json).unwrap_or_default()
        } else {
            OtherForms::default()
        }
    }

    fn has_extras(&self) -> bool {
        self.skypeeditedid.some().is_some()
            || self.skypeemoteoffset.some().is_some()
            || is_of_teams(self.conversation_link.as_str())
    }

    /// The sender: the last segment of `…/contacts/ID`, a bare id, or the `id` of an object, which is `other`. Anything
    /// else gives an empty id, so that it is never mistaken for this account.
    fn sender(
        &self,
        other: Option<&RawValue>,
        properties: &MessageProperties<'_>,
        repeated: &mut RepeatedTexts,
    ) -> UserId {
        #[derive(Deserialize)]
        struct From<'a> {
            #[serde(borrow, default)]
            id: Text<'a>,
        }
        let id = match &self.from {
            MaybeText::Text(from) => sender_id(from, repeated),
            MaybeText::Missing => None,
            MaybeText::Other => other.and_then(|from| {
                let from: From<'_> = serde_json::from_str(from.get()).ok()?;
                sender_id(from.id.as_str(), repeated)
            }),
        };
        id.or_else(|| imported_by(properties)).unwrap_or_else(|| UserId::new(""))
    }
}

/// Content that is not a string: an object with `text`, or any JSON (facts 3.1). Where text is expected, only the words
/// of an object are used.
fn content_in<'a>(raw: Option<&'a RawValue>, kind: &str) -> Cow<'a, str> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow, default)]
        text: Text<'a>,
    }
    let raw = raw.map_or("", RawValue::get);
    match raw.as_bytes().first() {
        Some(b'{') => match serde_json::from_str::<Object<'_>>(raw) {
            Ok(object) if object.text.some().is_some() => object.text.0,
            _ => words_or_json(raw, kind),
        },
        Some(b'[') => words_or_json(raw, kind),
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

fn sender_id(from: &str, repeated: &mut RepeatedTexts) -> Option<UserId> {
    if let Some(slash) = from.bytes().rposition(|byte| byte == b'/') {
        let (before, id) = (from.get(..slash)?, from.get(slash + 1..)?);
        let is_plain = !id.is_empty() && !id.bytes().any(|byte| matches!(byte, b'?' | b'#' | b'%'));
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
