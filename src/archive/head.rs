//! The fields of an export and of its conversations other than the messages.

use crate::model::{ConversationId, RawConversation, SafeText, UserId, is_name};
use crate::protocol::wire;
use serde_json::{Value, json};

/// A conversation as an export describes it.
#[derive(Debug)]
pub struct ArchiveHead {
    pub raw: RawConversation,
    /// Its members, in the form of an answer to a request for the thread.
    pub thread_json: Option<String>,
    /// The other person of a one-to-one chat, and their name.
    pub peer: Option<(UserId, SafeText)>,
}

/// The owner of an export, from its `userId`. The prefix may be missing (facts 9.2).
pub fn owner(document: &[u8]) -> Option<UserId> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let id = document.get("userId")?.as_str()?.trim();
    (!id.is_empty()).then(|| UserId::with_prefix(id))
}

/// Reads the fields of a conversation; `None` if it has no id.
pub fn read(json: &[u8]) -> Option<ArchiveHead> {
    let text = String::from_utf8_lossy(json);
    let value: Value = serde_json::from_str(&text).ok()?;
    let raw = wire::raw_conversation(&text)?;
    let name = value.get("displayName").and_then(Value::as_str).map(SafeText::line);
    let peer = raw.id.peer().zip(name).filter(|(peer, name)| is_name(peer, name));
    let thread_json = thread(&raw.id, value.get("threadProperties"));
    Some(ArchiveHead { raw, thread_json, peer })
}

/// The fields as a conversation of `skchat export` has them.
pub fn of_name(id: &ConversationId, name: Option<&str>) -> Option<ArchiveHead> {
    let topic = name.filter(|_| id.peer().is_none());
    let json = json!({
        "id": id.as_str(), "displayName": name, "threadProperties": { "topic": topic },
    });
    read(json.to_string().as_bytes())
}

fn thread(id: &ConversationId, properties: Option<&Value>) -> Option<String> {
    let properties = properties?;
    let listed = match properties.get("members")? {
        // A list inside a string.
        Value::String(text) => serde_json::from_str(text).ok()?,
        list => list.clone(),
    };
    let members: Vec<Value> = listed.as_array()?.iter().filter_map(member).collect();
    if members.is_empty() {
        return None;
    }
    let known = ["topic", "picture", "creator", "createdat", "joiningenabled", "historydisclosed"];
    let fields =
        known.iter().filter_map(|key| Some(((*key).to_owned(), properties.get(key)?.clone())));
    let properties: serde_json::Map<String, Value> = fields.collect();
    Some(json!({ "id": id.as_str(), "members": members, "properties": properties }).to_string())
}

/// A member by its id. Newer exports have lists of names, which are of no use (facts 9.2).
fn member(item: &Value) -> Option<Value> {
    let fields = ["MemberMri", "memberMri", "mri", "id"];
    let id = item.as_str().or_else(|| fields.iter().find_map(|field| item.get(field)?.as_str()))?;
    id.contains(':').then(|| json!({ "id": id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_known_with_and_without_the_prefix() {
        assert_eq!(owner(br#"{"userId":"8:live:anna"}"#), Some("8:live:anna".into()));
        assert_eq!(owner(br#"{"userId":"live:anna"}"#), Some("8:live:anna".into()));
        assert_eq!(owner(br#"{"userId":null}"#), None);
        assert_eq!(owner(b"{"), None);
    }

    #[test]
    fn members_are_read_from_every_form_of_their_list() {
        let members = |list: &str| {
            let json = format!(
                r#"{{"id":"19:x@thread.skype","version":1594056032575.0,"threadProperties":{{"topic":"Crew","members":{list}}}}}"#
            );
            let head = read(json.as_bytes()).unwrap();
            assert_eq!(head.raw.version, 1_594_056_032_575);
            let thread = wire::thread(&head.thread_json?).unwrap();
            Some(thread.members.into_iter().map(|m| m.id.as_str().to_owned()).collect::<Vec<_>>())
        };
        let both = Some(vec!["8:anna".to_owned(), "8:joe".to_owned()]);
        assert_eq!(members(r#""[\"8:anna\",\"8:joe\"]""#), both);
        assert_eq!(members(r#"["8:anna","8:joe"]"#), both);
        assert_eq!(members(r#"[{"MemberMri":"8:anna"},{"MemberMri":"8:joe"}]"#), both);
        assert_eq!(members(r#"["Export Owner","Unknown User"]"#), None);
        assert_eq!(members("null"), None);
    }

    #[test]
    fn a_placeholder_is_not_a_name() {
        let peer = |name: &str| {
            read(
                format!(r#"{{"id":"8:joe","displayName":{name},"threadProperties":null}}"#)
                    .as_bytes(),
            )
            .unwrap()
            .peer
            .map(|(_, name)| name.to_string())
        };
        assert_eq!(peer("\"Joe Bloggs\"").as_deref(), Some("Joe Bloggs"));
        assert_eq!(peer("\"Unknown User\""), None);
        assert_eq!(peer("\"unknown_user_3fa9\""), None);
        assert_eq!(peer("null"), None);
    }
}
