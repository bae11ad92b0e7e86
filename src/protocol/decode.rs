//! [`RawMessage`] to [`Message`]: never fails, the worst case is `Unknown`.

use super::wire;
use super::{entity, html, link, payload, richtext};
use crate::model::{
    Align, Block, Clean, Conversation, ConversationKind, Delivery, Horizon, Indexed, MediaKind,
    Message, MessageBody, NameSource, RawConversation, RawMessage, Reaction, RichText, Span,
    ThreadActivity, Timestamp, UserId, conversation::Snippet,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Rises with every change of what is derived, so that the store can index old rows again.
pub const DECODER_VERSION: u32 = 1;

/// Reads a message. `me` decides what mentions me.
pub fn message(raw: &RawMessage, me: &UserId) -> Message {
    let item: wire::Message<'_> = serde_json::from_str(&raw.json).unwrap_or_default();
    let mut body = body(raw, &item);
    let edit_of = item.skypeeditedid.some().map(Into::into);
    let time = |t: &super::lenient::Text<'_>| t.some().and_then(Timestamp::parse);
    let deleted = time(&item.properties.deletetime).is_some();
    let edited = time(&item.properties.edittime);
    let is_text = matches!(body, MessageBody::Text(_));
    if deleted || (is_text && raw.content.is_empty() && (edit_of.is_some() || edited.is_some())) {
        body = MessageBody::Deleted;
    }
    let mentions_me = matches!(&body, MessageBody::Text(rich) if rich.mentions(me));
    Message {
        key: raw.key(),
        client_id: raw.client_id.clone(),
        sender: raw.sender.clone(),
        sender_name: raw.sender_name.as_deref().map(Clean::line),
        at: raw.at,
        version: raw.version,
        edited: edited.or_else(|| edit_of.is_some().then_some(raw.at)),
        body,
        edit_of,
        mentions_me,
        reactions: reactions(&item),
        delivery: Delivery::Sent,
    }
}

/// What the store keeps beside the raw message.
pub fn indexed(message: &Message) -> Indexed {
    let nameless = |id: &UserId| Clean::line(id.bare());
    let counts = message.edit_of.is_none()
        && !message.body.is_system()
        && !matches!(message.body, MessageBody::Hidden | MessageBody::Deleted)
        && !message.sender.as_str().is_empty();
    Indexed {
        text: message.body.text(&nameless),
        edit_of: message.edit_of.clone(),
        counts,
        mentions_me: message.mentions_me,
    }
}

/// Names that a message brings along: its sender's, and those in a thread activity.
pub fn names(raw: &RawMessage) -> Vec<(UserId, NameSource, Clean)> {
    let mut names = Vec::new();
    if let Some(name) = raw.sender_name.as_deref()
        && !raw.sender.as_str().is_empty()
        && !raw.kind.starts_with("ThreadActivity")
    {
        names.push((raw.sender.clone(), NameSource::Message, Clean::line(name)));
    }
    if raw.kind.starts_with("ThreadActivity") && raw.content.contains("riendlyName") {
        let found = payload::activity_names(&raw.content);
        names.extend(found.into_iter().map(|(id, name)| (id, NameSource::Profile, name)));
    }
    names
}

/// A typing signal: who, and whether they type or stopped.
pub fn typing(raw: &RawMessage) -> Option<bool> {
    match &*raw.kind {
        "Control/Typing" => Some(true),
        "Control/ClearTyping" => Some(false),
        _ => None,
    }
}

fn body(raw: &RawMessage, item: &wire::Message<'_>) -> MessageBody {
    let content = &*raw.content;
    let kind = &*raw.kind;
    let known = match kind {
        "Text" | "" => Some(text(content, raw, item)),
        "RichText" => Some(rich(content, raw, item)),
        "RichText/Html" => Some(MessageBody::Text(html::parse(content))),
        "RichText/Contacts" => payload::contacts(content),
        "RichText/Location" => payload::location(content),
        "RichText/Files" => payload::files(content),
        "RichText/Media_GenericFile" => payload::uri_object(content, MediaKind::File),
        "RichText/UriObject" => payload::uri_object(content, MediaKind::Image),
        "RichText/Media_Video" | "RichText/Media_FlikMsg" => {
            payload::uri_object(content, MediaKind::Video)
        }
        "RichText/Media_AudioMsg" => payload::uri_object(content, MediaKind::Voice),
        "RichText/Media_Card" => payload::uri_object(content, MediaKind::Card),
        "RichText/Media_CallRecording" | "RichText/Media_LocalRecording" => {
            payload::uri_object(content, MediaKind::Recording)
        }
        "Event/Call" => Some(payload::call(content)),
        "ThreadActivity/MemberConsumptionHorizonUpdate"
        | "Translation"
        | "RichText/Media_Album" => Some(MessageBody::Hidden),
        "Nudge" => Some(MessageBody::Thread(ThreadActivity::Other {
            by: Some(raw.sender.clone()),
            what: Clean::line("nudge"),
        })),
        _ if kind.starts_with("Control/") || kind.starts_with("Signal/") => {
            Some(MessageBody::Hidden)
        }
        _ => kind
            .strip_prefix("ThreadActivity/")
            .map(|kind| MessageBody::Thread(payload::thread_activity(kind, content))),
    };
    known.unwrap_or_else(|| MessageBody::Unknown {
        kind: Clean::line(kind),
        text: RichText::plain(&one_line(&richtext::strip(content))),
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Text` is literal. On Teams hosts the five XML entities occur in it and are decoded (facts 7, row 22).
fn text(content: &str, raw: &RawMessage, item: &wire::Message<'_>) -> MessageBody {
    let teams = item.conversation_link.as_str().contains(".teams.");
    let decoded = if teams { entity::unescape(content) } else { content.into() };
    let rest = emote_text(&decoded, raw, item);
    let mut spans = Vec::new();
    let span = Span { text: Clean::text(rest.unwrap_or(&decoded)), ..Span::default() };
    link::linkify(span, &mut spans);
    let rich = RichText { blocks: vec![Block::Paragraph { align: Align::Left, spans }] };
    if rest.is_some() { MessageBody::Emote(rich) } else { MessageBody::Text(rich) }
}

fn rich(content: &str, raw: &RawMessage, item: &wire::Message<'_>) -> MessageBody {
    if let Some(rest) = emote_text(content, raw, item) {
        return MessageBody::Emote(richtext::parse(rest));
    }
    let start = content.trim_start();
    if start.get(..10).is_some_and(|s| s.eq_ignore_ascii_case("<URIObject"))
        && let Some(body) = payload::uri_object(content, MediaKind::File)
    {
        return body;
    }
    if html::looks_like_html(content) {
        return MessageBody::Text(html::parse(content));
    }
    let content = content.strip_prefix("Edited previous message: ").unwrap_or(content);
    MessageBody::Text(richtext::parse(content))
}

/// The text after the name of a `/me` (facts 3.1: `skypeemoteoffset`, in UTF-16 units as the web client counts).
fn emote_text<'a>(
    content: &'a str,
    _raw: &RawMessage,
    item: &wire::Message<'_>,
) -> Option<&'a str> {
    let offset = usize::try_from(item.skypeemoteoffset.number()?).ok()?;
    let mut units = 0;
    let mut at = content.len();
    for (i, c) in content.char_indices() {
        if units >= offset {
            at = i;
            break;
        }
        units += c.len_utf16();
    }
    (offset > 0).then(|| content.get(at..).unwrap_or_default())
}

/// `emotions`: a list, or the list as a JSON string; the last word of a user on a key wins (facts 3.4).
fn reactions(item: &wire::Message<'_>) -> Vec<Reaction> {
    #[derive(Deserialize)]
    struct Emotion<'a> {
        #[serde(borrow, default)]
        key: super::lenient::Text<'a>,
        #[serde(borrow, default, deserialize_with = "super::lenient::items")]
        users: Vec<&'a serde_json::value::RawValue>,
    }
    #[derive(Deserialize)]
    struct User<'a> {
        #[serde(borrow)]
        mri: super::lenient::Text<'a>,
    }
    let Some(raw) = item.properties.emotions.map(serde_json::value::RawValue::get) else {
        return Vec::new();
    };
    let unpacked: String;
    let list = if raw.starts_with('"') {
        unpacked = serde_json::from_str(raw).unwrap_or_default();
        unpacked.as_str()
    } else {
        raw
    };
    let emotions: Vec<Emotion<'_>> = serde_json::from_str(list).unwrap_or_default();
    let mut by_key: BTreeMap<String, Vec<UserId>> = BTreeMap::new();
    for emotion in &emotions {
        let Some(key) = emotion.key.some().filter(|k| *k != "reactionsConsumptionHorizon") else {
            continue;
        };
        let users = by_key.entry(key.to_owned()).or_default();
        for user in &emotion.users {
            if let Ok(user) = serde_json::from_str::<User<'_>>(user.get())
                && let Some(id) = user.mri.some().map(UserId::new)
                && !users.contains(&id)
            {
                users.push(id);
            }
        }
    }
    by_key
        .into_iter()
        .filter(|(_, users)| !users.is_empty())
        .map(|(key, users)| Reaction { key: Clean::line(&key), users })
        .collect()
}

/// Reads a conversation item. Unread counts are the store's business and stay zero here.
pub fn conversation(raw: &RawConversation, me: &UserId) -> Conversation {
    let item: wire::Conversation<'_> = serde_json::from_str(&raw.json).unwrap_or_default();
    let properties = &item.properties;
    let thread = &item.thread_properties;
    let topic = thread.topic.as_ref().map(|t| Clean::line(&entity::unescape(t.as_str())));
    let last = item.last_message.and_then(|m| wire::raw_message(m.get(), Some(&raw.id)));
    let last = last.map(|m| message(&m, me)).filter(|m| !matches!(m.body, MessageBody::Hidden));
    let nameless = |id: &UserId| Clean::line(id.bare());
    let left = match (thread.lastleaveat.number(), thread.lastjoinat.number()) {
        (Some(left), joined) => left > joined.unwrap_or(0),
        _ => false,
    };
    Conversation {
        id: raw.id.clone(),
        topic: topic.filter(|_| raw.id.kind() == ConversationKind::Group),
        version: raw.version,
        activity: raw.activity,
        horizon: properties.consumptionhorizon.some().and_then(Horizon::parse),
        cleared_at: properties.clearedat.some().and_then(Timestamp::parse),
        muted: properties.alerts.flag() == Some(false),
        left,
        last: last.map(|m| Snippet {
            sender: m.sender.clone(),
            text: Clean::line(&one_line(&m.body.text(&nameless))),
            system: m.body.is_system(),
        }),
        unread: crate::model::Unread::default(),
    }
}

#[cfg(test)]
mod tests;
