//! The JSON of the reference page, made from database rows for one viewer, and small things the handlers share.

use super::chat_key::ChatKey;
use super::rows::{MessageRow, ThreadRow};
use crate::model::UserId;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What a thread lets its members do, as the reference page lists it.
const CAPABILITIES: [&str; 12] = [
    "AddMember",
    "ChangeTopic",
    "ChangePicture",
    "EditMsg",
    "CallP2P",
    "SendText",
    "SendSms",
    "SendFileP2P",
    "SendContacts",
    "SendVideoMsg",
    "SendMediaMsg",
    "ChangeModerated",
];

pub fn rfc3339(ms: i64) -> String {
    crate::model::Timestamp(ms).rfc3339()
}

/// 32 random bytes in hex.
pub fn random_token() -> String {
    let mut bytes = [0u8; 32];
    // Without randomness there is no secret: better no service than a guessable one.
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes.iter().fold(String::with_capacity(64), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// A join code: 16 letters and digits.
pub fn random_code() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let token = random_token();
    let pairs = token.as_bytes().chunks(4).map(|c| {
        c.iter().fold(0usize, |acc, d| acc * 16 + (*d as char).to_digit(16).unwrap_or(0) as usize)
    });
    pairs.map(|n| LETTERS.get(n % LETTERS.len()).map_or('x', |b| *b as char)).collect()
}

/// A message as `viewer` sees it. What was sent is kept; the server's own fields are laid over it.
pub fn message(row: &MessageRow, space: &ChatKey, viewer: &UserId, origin: &str) -> Value {
    let mut item = row.body.clone();
    let conversation = space.seen_by(viewer);
    let is_activity = row.kind().starts_with("ThreadActivity/");
    let from = if is_activity { conversation.clone() } else { row.sender.clone() };
    let arrival = rfc3339(row.id);
    item.entry("composetime").or_insert_with(|| arrival.clone().into());
    item.insert("id".into(), row.id.to_string().into());
    item.insert("version".into(), row.version.to_string().into());
    item.insert("originalarrivaltime".into(), arrival.into());
    item.insert("type".into(), "Message".into());
    item.insert("from".into(), format!("{origin}/v1/users/ME/contacts/{from}").into());
    item.insert(
        "conversationLink".into(),
        format!("{origin}/v1/users/ME/conversations/{conversation}").into(),
    );
    Value::Object(item)
}

/// Extra fields of a message inside an event.
pub fn event_message(mut message: Value, origin: &str, topic: Option<&str>) -> Value {
    let id = message["id"].as_str().unwrap_or_default().to_owned();
    message["ackrequired"] =
        format!("{origin}/v1/users/ME/conversations/ALL/messages/{id}/ack").into();
    message["isactive"] = true.into();
    message["counterpartymessageid"] = id.into();
    if let Some(topic) = topic {
        message["threadtopic"] = topic.into();
    }
    message
}

pub fn thread(row: &ThreadRow, origin: &str) -> Value {
    let members: Vec<Value> = row
        .members
        .iter()
        .map(|m| {
            json!({
                "capabilities": [],
                "cid": 0,
                "friendlyName": m.name,
                "id": m.id,
                "linkedMri": "",
                "role": if m.admin { "Admin" } else { "User" },
                "type": "ThreadMember",
                "userLink": format!("{origin}/v1/users/{}", m.id),
                "userTile": "",
            })
        })
        .collect();
    let mut properties = Map::new();
    properties.insert("capabilities".into(), CAPABILITIES.into_iter().map(Value::from).collect());
    properties.insert("createdat".into(), row.created.to_string().into());
    properties.insert("creator".into(), row.creator.clone().into());
    properties.insert("creatorcid".into(), "0".into());
    properties.insert("historydisclosed".into(), row.history.to_string().into());
    properties.insert("joiningenabled".into(), row.joining.to_string().into());
    properties.insert("topic".into(), row.topic.clone().into());
    for (name, value) in &row.more {
        properties.insert(name.clone(), value.clone());
    }
    json!({
        "id": row.id,
        "members": members,
        "messages": format!("{origin}/v1/users/ME/conversations/{}/messages", row.id),
        "properties": properties,
        "type": "Thread",
        "version": row.version,
    })
}

/// The `_metadata` of a page. `path` starts at the origin; without an older page there is no `backwardLink`.
pub fn metadata(
    origin: &str,
    path: &str,
    token: &str,
    has_older: bool,
    count: usize,
    view: &str,
) -> Value {
    let view: String =
        percent_encoding::utf8_percent_encode(view, percent_encoding::NON_ALPHANUMERIC).to_string();
    let link = format!("{origin}{path}?syncState={token}&view={view}");
    let mut metadata = json!({ "forwardLink": link, "syncState": link, "totalCount": count });
    if has_older {
        metadata["backwardLink"] = link.into();
    }
    metadata
}

/// Escapes text for the XML of an activity.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
