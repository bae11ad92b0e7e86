//! The lines that `skchat export --format json` and `skchat log --json` write, read back.

use crate::model::{ConversationId, UserId};
use crate::protocol::wire::JsonText;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// A message as a line. The items as received are only in what `export` writes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageLine<'a> {
    #[serde(borrow)]
    conversation: JsonText<'a>,
    #[serde(borrow)]
    conversation_name: JsonText<'a>,
    #[serde(borrow)]
    owner: JsonText<'a>,
    #[serde(borrow)]
    id: JsonText<'a>,
    #[serde(borrow)]
    client_id: JsonText<'a>,
    #[serde(borrow)]
    from: JsonText<'a>,
    #[serde(borrow)]
    from_name: JsonText<'a>,
    #[serde(borrow)]
    at: JsonText<'a>,
    #[serde(borrow, rename = "type")]
    kind: JsonText<'a>,
    #[serde(borrow)]
    content: JsonText<'a>,
    edited: bool,
    deleted: bool,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    edits: Vec<&'a RawValue>,
}

/// What a line says.
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
/// When it is no such line.
pub fn read(line: &str) -> Result<ReadLine, &'static str> {
    let line: MessageLine<'_> = serde_json::from_str(line.trim()).map_err(|_| "it is no JSON")?;
    let conversation = line.conversation.some().ok_or("it has no conversation")?;
    if line.id.some().is_none() || line.at.some().is_none() {
        return Err("it has no id or no time");
    }
    let owned = |text: &JsonText<'_>| text.some().map(str::to_owned);
    let item = line.item.map_or_else(|| item_of(&line), |item| item.get().to_owned());
    let edits = line.edits.iter().map(|edit| edit.get().to_owned());
    Ok(ReadLine {
        conversation: conversation.into(),
        conversation_name: owned(&line.conversation_name),
        owner: line.owner.some().map(UserId::new),
        from: line.from.as_str().into(),
        from_name: owned(&line.from_name),
        items: std::iter::once(item).chain(edits).collect(),
    })
}

/// A message item of a line that does not have the one that was received.
fn item_of(line: &MessageLine<'_>) -> String {
    let time = |is: bool| is.then(|| line.at.as_str());
    json!({
        "id": line.id.as_str(),
        "clientmessageid": line.client_id.some(),
        "originalarrivaltime": line.at.as_str(),
        "messagetype": line.kind.as_str(),
        "content": line.content.as_str(),
        "from": line.from.as_str(),
        "imdisplayname": line.from_name.some(),
        "conversationid": line.conversation.as_str(),
        "properties": { "edittime": time(line.edited), "deletetime": time(line.deleted) },
    })
    .to_string()
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
    fn an_export_is_no_line() {
        for text in
            [r#"{"userId":"8:a","conversations":[]}"#, "[", "", r#"{"conversation":"8:joe"}"#]
        {
            assert!(!is_line(text), "{text}");
        }
    }
}
