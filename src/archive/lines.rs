//! Reads back the lines that `skchat export --format json` and `skchat log --json` write.

use crate::model::{ConversationId, UserId};
use crate::protocol::wire::JsonText;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The fields of a line. The items as received are only in what `export` writes.
struct MessageLine<'a>(HashMap<String, &'a RawValue>);

impl<'a> MessageLine<'a> {
    /// A field as a string; empty if it is missing.
    fn text(&self, field: &str) -> JsonText<'a> {
        let value = self.0.get(field).map(|value| serde_json::from_str(value.get()));
        value.and_then(Result::ok).unwrap_or_default()
    }

    fn owned(&self, field: &str) -> Option<String> {
        self.text(field).some().map(str::to_owned)
    }

    /// The items of a list.
    fn list(&self, field: &str) -> Vec<&'a RawValue> {
        let value = self.0.get(field).map(|value| serde_json::from_str(value.get()));
        value.and_then(Result::ok).unwrap_or_default()
    }

    /// The item as it was received, or one with the same content.
    fn item(&self) -> String {
        match self.0.get("item") {
            Some(item) if item.get() != "null" => item.get().to_owned(),
            _ => self.new_item(),
        }
    }

    fn new_item(&self) -> String {
        let at = self.owned("at");
        let time_if = |field: &str| at.clone().filter(|_| self.text(field).flag() == Some(true));
        json!({
            "id": self.owned("id"),
            "clientmessageid": self.owned("client_id"),
            "originalarrivaltime": at,
            "messagetype": self.text("type").as_str(),
            "content": self.text("content").as_str(),
            "from": self.text("from").as_str(),
            "imdisplayname": self.owned("from_name"),
            "conversationid": self.owned("conversation"),
            "properties": { "edittime": time_if("edited"), "deletetime": time_if("deleted") },
        })
        .to_string()
    }
}

/// What is in a line.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadLine {
    pub conversation: ConversationId,
    pub conversation_name: Option<String>,
    pub owner: Option<UserId>,
    /// The sender and the name shown for them.
    pub from: UserId,
    pub from_name: Option<String>,
    /// The message, and edit records of it.
    pub items: Vec<String>,
}

/// Whether a document begins with such a line.
pub fn is_line(first: &str) -> bool {
    read(first).is_ok()
}

/// Reads a line.
///
/// # Errors
/// When it is not such a line.
pub fn read(line: &str) -> Result<ReadLine, &'static str> {
    let fields = serde_json::from_str(line.trim()).map_err(|_| "this is not JSON")?;
    let line = MessageLine(fields);
    let conversation = line.owned("conversation").ok_or("it names no conversation")?;
    if line.owned("id").is_none() || line.owned("at").is_none() {
        return Err("it lacks an id or a time");
    }
    let edits = line.list("edits").into_iter().map(|edit| edit.get().to_owned());
    Ok(ReadLine {
        conversation: ConversationId::new(&conversation),
        conversation_name: line.owned("conversation_name"),
        owner: line.text("owner").some().map(UserId::new),
        from: line.text("from").as_str().into(),
        from_name: line.owned("from_name"),
        items: std::iter::once(line.item()).chain(edits).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_becomes_an_item() {
        let line = r#"{"id":"5","client_id":null,"conversation":"8:joe","from":"8:joe","from_name":"Joe",
            "at":"2016-01-01T00:00:00.000Z","type":"Text","text":"hi","links":[],"edited":true,"deleted":false,"content":"hi"}"#;
        let read = read(line).unwrap();
        assert_eq!((read.conversation.as_str(), read.from_name.as_deref()), ("8:joe", Some("Joe")));
        let raw = super::super::item::read(read.items[0].as_bytes(), None).unwrap();
        assert_eq!((&*raw.content, raw.at.0), ("hi", 1_451_606_400_000));
        let message = crate::protocol::decode::message(&raw, &"8:anna".into());
        assert!(message.edited.is_some());
    }

    #[test]
    fn an_export_is_not_a_line() {
        for text in
            [r#"{"userId":"8:a","conversations":[]}"#, "[", "", r#"{"conversation":"8:joe"}"#]
        {
            assert!(!is_line(text), "{text}");
        }
    }
}
