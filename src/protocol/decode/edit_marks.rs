//! What a message says about its own editing.

use super::MessageProperties;
use crate::model::{RawMessage, Timestamp};

/// Whether content may have the tag that says when it was edited. Searching forward is much faster than searching for
/// the last one, and few messages have it.
pub fn has_edit_tag(content: &str) -> bool {
    content.contains("<e_m")
}

/// An attribute of the tag that the service put at the end of edited content (facts 9.3).
fn edit_tag<'a>(content: &'a str, attribute: &str) -> Option<&'a str> {
    let tag = has_edit_tag(content).then(|| content.rsplit_once("<e_m")).flatten()?.1;
    let tag = tag.split('>').next()?;
    let value = tag.split_once(&format!(" {attribute}=\""))?.1;
    value.split('"').next().filter(|value| !value.is_empty())
}

/// When content was edited, according to that tag; its `ts` is in seconds.
pub fn edit_tag_time(content: &str) -> Option<Timestamp> {
    let seconds: i64 = edit_tag(content, "ts")?.parse().ok()?;
    Timestamp::parse(&seconds.checked_mul(1_000)?.to_string())
}

/// The message that this one is a copy of, made by the service when it was edited (facts 9.3).
pub fn copy_of<'a>(raw: &'a RawMessage, properties: &MessageProperties<'_>) -> Option<&'a str> {
    let is_made = properties.is_server_generated.flag() == Some(true);
    is_made.then(|| edit_tag(&raw.content, "ts_ms")).flatten().filter(|id| **id != *raw.id)
}

/// Whether an edit mark names the message that carries it: that message was edited in place (facts 3.3).
pub fn is_own_id(raw: &RawMessage, mark: &str) -> bool {
    *raw.id == *mark || raw.client_id.as_ref().is_some_and(|id| id.as_str() == mark)
}

/// When a message with an edit mark was edited: its version, if it was changed in place, else its arrival.
pub fn changed_at(raw: &RawMessage) -> Timestamp {
    let changed = (raw.version > raw.key().order)
        .then(|| Timestamp::parse(&raw.version.to_string()))
        .flatten();
    changed.filter(|at| *at > raw.at).unwrap_or(raw.at)
}
