//! Writes the JSON of the reference page for one viewer. The sender's fields are stored as JSON text and copied as they
//! are; the server's own fields are added.

use super::chat_key::ChatKey;
use super::events::{MessageEvent, WrittenMessage};
use super::hub::QueuedEvent;
use super::objects;
use super::rules::conversations::OwnConversation;
use super::rules::threads::{Thread, UNIQUE};
use super::state::GatewayState;
use super::storage::MessageRow;
use crate::model::{Role, Timestamp, UserId};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The capabilities of a thread on the reference page.
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

/// The user for whom JSON is written.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    pub user: &'a UserId,
    /// The origin of links.
    pub origin: &'a str,
}

pub fn rfc3339(ms: i64) -> String {
    Timestamp(ms).rfc3339()
}

/// Appends `text` as a JSON string.
fn push_string(out: &mut String, text: &str) {
    let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Appends a field to an unclosed object.
fn push_field(out: &mut String, name: &str, text: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, name);
    out.push(':');
    push_string(out, text);
}

/// Adds a field whose value is JSON text to an object.
fn with_raw(object: &Value, name: &str, raw: &str) -> String {
    let mut out = object.to_string();
    out.pop();
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(&mut out, name);
    out.push(':');
    out.push_str(raw);
    out.push('}');
    out
}

/// A message for `viewer`, without the closing brace.
fn open_message(row: &MessageRow, chat: &ChatKey, viewer: Viewer<'_>) -> String {
    let conversation = chat.seen_by(viewer.user);
    let is_activity = row.kind.starts_with("ThreadActivity/");
    let from = if is_activity { conversation.as_str() } else { row.sender.as_str() };
    let home = format!("{}/v1/users/ME", viewer.origin);
    let mut out = String::with_capacity(row.body.len() + 512);
    let body = row.body.strip_suffix('}').unwrap_or("{");
    if body.contains(objects::ORIGIN) {
        out.push_str(&body.replace(objects::ORIGIN, viewer.origin));
    } else {
        out.push_str(body);
    }
    push_field(&mut out, "id", &row.id.to_string());
    push_field(&mut out, "version", &row.version.to_string());
    push_field(&mut out, "originalarrivaltime", &rfc3339(row.id));
    push_field(&mut out, "type", "Message");
    push_field(&mut out, "from", &format!("{home}/contacts/{from}"));
    push_field(&mut out, "conversationLink", &format!("{home}/conversations/{conversation}"));
    out
}

/// A message on a page.
pub fn message(row: &MessageRow, chat: &ChatKey, viewer: Viewer<'_>) -> String {
    let mut out = open_message(row, chat, viewer);
    out.push('}');
    out
}

/// A message in an event.
fn event_message(event: &MessageEvent, viewer: Viewer<'_>, conversation: &str) -> WrittenMessage {
    let home = format!("{}/v1/users/ME/conversations", viewer.origin);
    let id = event.row.id;
    let mut out = open_message(&event.row, &event.chat, viewer);
    push_field(&mut out, "ackrequired", &format!("{home}/ALL/messages/{id}/ack"));
    push_field(&mut out, "counterpartymessageid", &id.to_string());
    if let Some(topic) = &event.topic {
        push_field(&mut out, "threadtopic", topic);
    }
    out.push_str(",\"isactive\":true}");
    WrittenMessage {
        origin: viewer.origin.to_owned(),
        conversation: conversation.to_owned(),
        resource: out,
        link: format!("{home}/{conversation}/messages/{id}"),
    }
}

/// The event of a message, for the answer to a poll.
pub fn message_event(event: &QueuedEvent, message: &MessageEvent, viewer: Viewer<'_>) -> String {
    let conversation = message.chat.seen_by(viewer.user);
    message.written(
        viewer.origin,
        &conversation,
        || event_message(message, viewer, &conversation),
        |written| self::event(event, &written.link, &written.resource),
    )
}

/// An event in the answer to a poll. `resource` is JSON text.
pub fn event(event: &QueuedEvent, link: &str, resource: &str) -> String {
    let mut out = String::with_capacity(resource.len() + link.len() + 160);
    let _ = write!(out, "{{\"id\":{}", event.id);
    push_field(&mut out, "type", "EventMessage");
    push_field(&mut out, "resourceType", event.body().resource_type());
    push_field(&mut out, "time", &rfc3339(event.at));
    push_field(&mut out, "resourceLink", link);
    out.push_str(",\"resource\":");
    out.push_str(resource);
    out.push('}');
    out
}

/// The path of a conversation.
pub fn conversation_path(id: &str) -> String {
    format!("/v1/users/ME/conversations/{id}")
}

/// A conversation as the reference page shows it.
pub fn conversation(conversation: &OwnConversation, viewer: Viewer<'_>) -> String {
    let OwnConversation { chat, place, last, thread } = conversation;
    let (origin, id) = (viewer.origin, &place.seen_as);
    let mut properties = place.properties.clone();
    if place.cleared_at > 0 {
        properties.insert("clearedat".into(), place.cleared_at.to_string().into());
    }
    let target = match thread {
        Some(_) => format!("{origin}/v1/threads/{id}"),
        None => format!("{origin}/v1/users/ME/contacts/{id}"),
    };
    let mut item = json!({
        "id": id,
        "messages": format!("{origin}{}/messages", conversation_path(id)),
        "properties": properties,
        "targetLink": target,
        "type": "Conversation",
        "version": place.version,
    });
    if let Some(thread) = thread {
        let mut p = Map::new();
        p.insert("lastjoinat".into(), place.joined.to_string().into());
        if place.left > 0 {
            p.insert("lastleaveat".into(), place.left.to_string().into());
        }
        p.insert("topic".into(), thread.topic.as_str().into());
        p.insert("version".into(), thread.version.to_string().into());
        p.insert("membercount".into(), thread.member_count.to_string().into());
        p.insert("createdat".into(), thread.created.to_string().into());
        p.insert("creator".into(), thread.creator.as_str().into());
        if let Some(unique) = thread.more.get(UNIQUE) {
            p.insert(UNIQUE.into(), unique.clone());
        }
        item["threadProperties"] = Value::Object(p);
    }
    let last = last.as_ref().map_or_else(|| "{}".to_owned(), |row| message(row, chat, viewer));
    with_raw(&item, "lastMessage", &last)
}

/// A group with its members.
pub fn thread(thread: &Thread, gateway: &GatewayState, origin: &str) -> String {
    let Thread { row, members } = thread;
    let mut list = String::from("[");
    for member in members {
        if list.len() > 1 {
            list.push(',');
        }
        let id = member.id.as_str();
        list.push_str("{\"capabilities\":[],\"cid\":0,\"linkedMri\":\"\",\"userTile\":\"\"");
        push_field(&mut list, "friendlyName", gateway.member_name(&member.id));
        push_field(&mut list, "id", id);
        push_field(&mut list, "role", if member.role == Role::Admin { "Admin" } else { "User" });
        push_field(&mut list, "type", "ThreadMember");
        push_field(&mut list, "userLink", &format!("{origin}/v1/users/{id}"));
        list.push('}');
    }
    list.push(']');
    let mut properties = Map::new();
    properties.insert("capabilities".into(), CAPABILITIES.into_iter().map(Value::from).collect());
    properties.insert("createdat".into(), row.created.to_string().into());
    properties.insert("creator".into(), row.creator.as_str().into());
    properties.insert("creatorcid".into(), "0".into());
    properties.insert("historydisclosed".into(), row.history.to_string().into());
    properties.insert("joiningenabled".into(), row.joining.to_string().into());
    properties.insert("topic".into(), row.topic.as_str().into());
    for (name, value) in &row.more {
        properties.insert(name.clone(), value.clone());
    }
    let item = json!({
        "id": row.id,
        "messages": format!("{origin}{}/messages", conversation_path(&row.id)),
        "properties": properties,
        "type": "Thread",
        "version": row.version,
    });
    with_raw(&item, "members", &list)
}

/// The link of a page.
pub struct PageLink<'a> {
    pub origin: &'a str,
    pub path: &'a str,
    pub sync_state: &'a str,
    /// The query parameter `view` of the request.
    pub view: &'a str,
    pub has_older: bool,
}

/// A page of a list. The items are JSON text. The last page has no `backwardLink`.
pub fn page(name: &str, items: &[String], link: &PageLink<'_>) -> String {
    let view = percent_encoding::utf8_percent_encode(link.view, percent_encoding::NON_ALPHANUMERIC);
    let PageLink { origin, path, sync_state, .. } = link;
    let url = format!("{origin}{path}?syncState={sync_state}&view={view}");
    let mut metadata = json!({ "forwardLink": url, "syncState": url, "totalCount": items.len() });
    if link.has_older {
        metadata["backwardLink"] = url.into();
    }
    let mut out = format!("{{\"_metadata\":{metadata},\"{name}\":[");
    let _ = write!(out, "{}]}}", items.join(","));
    out
}
