//! One message of an export: read by the decoder of live messages, after repairing what that decoder cannot read.

use crate::model::{ConversationId, RawMessage, UserId};
use crate::protocol::wire;
use serde_json::Value;
use std::borrow::Cow;

/// Prefix of the id of a person of whom an export gives only the name, as in the decoder's handling of reactions.
const NAME_ONLY: &str = "name:";

/// Reads a message of a conversation.
///
/// # Errors
/// Says why it cannot be read.
pub fn read(
    json: &[u8],
    conversation: Option<&ConversationId>,
) -> Result<RawMessage, &'static str> {
    let text = String::from_utf8_lossy(json);
    let text = without_lone_surrogates(&text);
    if let Some(raw) = wire::raw_message(&text, conversation) {
        return Ok(raw);
    }
    let repaired = repaired(&text).ok_or("this is not JSON")?;
    wire::raw_message(&repaired, conversation).ok_or("it lacks an id, a time or a conversation")
}

/// The sender of a message whose item does not name one (facts 9.2): the other person of a one-to-one chat, or in a
/// group someone of whom only the name is known.
pub fn sender_by_name(raw: &RawMessage) -> Option<UserId> {
    let name = raw.sender_name.as_deref().map(str::trim).filter(|name| !name.is_empty())?;
    Some(raw.conversation.peer().unwrap_or_else(|| UserId::from(format!("{NAME_ONLY}{name}"))))
}

/// Rewrites JSON that a strict parser rejects: control characters in strings, repeated keys.
fn repaired(text: &str) -> Option<String> {
    let cleaned: String = text.chars().map(|c| if c < ' ' { ' ' } else { c }).collect();
    let value: Value = serde_json::from_str(&cleaned).ok()?;
    value.is_object().then(|| value.to_string())
}

/// Replaces halves of a surrogate pair, which no string can hold, by U+FFFD.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let is_half = |n: u32| (0xd800..0xe000).contains(&n);
    let mut out = String::new();
    let (mut kept, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let slash = at + found;
        at = slash + 2;
        let Some(first) = unit(bytes, slash).filter(|n| is_half(*n)) else { continue };
        let second = unit(bytes, slash + 6).filter(|n| (0xdc00..0xe000).contains(n));
        if first < 0xdc00 && second.is_some() {
            at = slash + 12;
            continue;
        }
        at = slash + 6;
        out.push_str(text.get(kept..slash).unwrap_or_default());
        out.push_str("\\ufffd");
        kept = at;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

/// The number of the escape `\uXXXX` that begins here.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &[u8]) -> Result<String, &'static str> {
        read(json, Some(&"8:joe".into())).map(|raw| raw.content.to_string())
    }

    #[test]
    fn what_a_strict_parser_refuses_is_repaired() {
        let item =
            |content: &[u8]| [br#"{"id":"5","content":""#.as_slice(), content, b"\"}"].concat();
        assert_eq!(content(&item(br"a\ud800b")).unwrap(), "a\u{fffd}b");
        assert_eq!(content(&item(br"\udc00\ud83d\ude00")).unwrap(), "\u{fffd}😀");
        assert_eq!(content(&item(br"\ude00\ud83d")).unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(content(&item(br"\\ud800")).unwrap(), "\\ud800");
        assert_eq!(content(&item(b"a\xff")).unwrap(), "a\u{fffd}");
        assert_eq!(content(&item(b"a\nb")).unwrap(), "a b");
        assert_eq!(content(br#"{"id":"5","content":"a","content":"b"}"#).unwrap(), "b");
    }

    #[test]
    fn what_cannot_be_repaired_is_refused_with_a_reason() {
        assert_eq!(content(br#"{"id":"5",}"#), Err("this is not JSON"));
        assert_eq!(content(br#"{"id":"5","version":NaN}"#), Err("this is not JSON"));
        assert!(content(br#"{"content":"x"}"#).unwrap_err().contains("lacks an id"));
    }

    #[test]
    fn a_sender_of_whom_only_the_name_is_known_is_the_peer_or_called_by_the_name() {
        let raw = |conversation: &str| {
            let json = br#"{"id":"5","from":null,"displayName":"Joe Bloggs"}"#;
            read(json, Some(&conversation.into())).unwrap()
        };
        assert_eq!(sender_by_name(&raw("8:joe")), Some("8:joe".into()));
        assert_eq!(sender_by_name(&raw("19:x@thread.v2")), Some("name:Joe Bloggs".into()));
    }
}
