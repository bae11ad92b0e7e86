//! The objects that messages refer to.

use super::tree::Node;
use crate::model::{RawMessage, Timestamp};

/// The id of the object in a message's `URIObject` (facts 9.1); an export names the file by it.
pub fn media_object(raw: &RawMessage) -> Option<String> {
    let root = Node::parse(&raw.content);
    let object = root.find("uriobject")?;
    let of_uri = |uri: &str| {
        let (_, rest) = uri.split_once("/objects/")?;
        rest.split(['/', '?', '#']).next().map(str::to_owned)
    };
    let named = object.attribute("doc_id").map(str::to_owned);
    let uri = || object.attribute("uri").and_then(of_uri);
    named.filter(|id| !id.is_empty()).or_else(uri).filter(|id| !id.is_empty())
}

/// Whether a view of an object can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectState {
    Ready,
    /// The service is still preparing it.
    Preparing,
    /// It will never be available, or no longer exists.
    Gone,
    /// The service has found something harmful in it.
    Harmful,
}

/// The state in the answer about a view (facts 8.10).
pub fn object_state(json: &str) -> ObjectState {
    let json: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let word = |at: &str| {
        json.pointer(at).and_then(|word| word.as_str()).unwrap_or_default().to_ascii_lowercase()
    };
    if word("/scan/status").contains("malware") {
        return ObjectState::Harmful;
    }
    match word("/content_state").as_str() {
        "ready" => ObjectState::Ready,
        "expired" | "deleted" | "failed" => ObjectState::Gone,
        _ => ObjectState::Preparing,
    }
}

/// When an object expires, according to its data in an export (facts 9.1): RFC 3339 or milliseconds since 1970.
pub fn media_expiry(data: &str) -> Option<Timestamp> {
    let data: serde_json::Value = serde_json::from_str(data).ok()?;
    let expiry = data.get("expiry_date")?;
    match expiry.as_str() {
        Some(text) => Timestamp::parse(text).or_else(|| text.parse().ok().map(Timestamp)),
        None => expiry.as_f64().map(|ms| Timestamp(ms as i64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire;

    #[test]
    fn the_answer_about_a_view_says_whether_it_can_be_fetched() {
        let ready = r#"{"content_state":"ready","scan":{"status":"passed"},"view_location":"x"}"#;
        assert_eq!(object_state(ready), ObjectState::Ready);
        assert_eq!(object_state(r#"{"content_state":"expired"}"#), ObjectState::Gone);
        let harmful = r#"{"content_state":"ready","scan":{"status":"Malware"}}"#;
        assert_eq!(object_state(harmful), ObjectState::Harmful);
        for other in [r#"{"content_state":"processing"}"#, "{}", "x", "[1]"] {
            assert_eq!(object_state(other), ObjectState::Preparing, "{other}");
        }
    }

    #[test]
    fn an_object_is_named_by_its_id_or_by_its_address() {
        let object = |content: &str| {
            let item = serde_json::json!({ "id": "5", "content": content });
            media_object(&wire::raw_message(&item.to_string(), Some(&"8:joe".into())).unwrap())
        };
        let uri = r#"<URIObject uri="https://api.asm.skype.com/v1/objects/0-weu-d3-ab/views/x"/>"#;
        assert_eq!(object(uri).as_deref(), Some("0-weu-d3-ab"));
        assert_eq!(object(r#"<URIObject doc_id="0-a" uri="x"/>"#).as_deref(), Some("0-a"));
        assert_eq!(object("<URIObject/>"), None);
        assert_eq!(object("text"), None);
    }
}
