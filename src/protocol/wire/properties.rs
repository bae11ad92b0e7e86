//! The properties of a message (facts 3.3, 3.4).

use crate::model::Timestamp;
use crate::protocol::lenient::{self, Text};
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The properties that affect how a message is shown. Lists are JSON, or JSON inside a string.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MessageProperties<'a> {
    #[serde(borrow)]
    pub edittime: Text<'a>,
    #[serde(borrow)]
    pub emotions: Option<&'a RawValue>,
    #[serde(borrow)]
    pub mentions: Option<&'a RawValue>,
    #[serde(borrow, rename = "importedBy")]
    pub imported_by: Option<&'a RawValue>,
    #[serde(borrow)]
    pub files: Option<&'a RawValue>,
    #[serde(borrow)]
    pub cards: Option<&'a RawValue>,
    #[serde(borrow)]
    pub links: Option<&'a RawValue>,
    #[serde(borrow)]
    pub subject: Text<'a>,
    #[serde(borrow)]
    pub title: Text<'a>,
    #[serde(borrow, rename = "call-log", alias = "callLog")]
    pub call_log: Option<&'a RawValue>,
    #[serde(borrow)]
    pub poll: Option<&'a RawValue>,
    #[serde(borrow, rename = "isserversidegenerated")]
    pub is_server_generated: Text<'a>,
}

/// The marks of deletion, in lower case.
const DELETION_MARKS: [&str; 5] =
    ["deletetime", "deletiontime", "harddeletetime", "isdelete", "isdeleted"];

impl<'a> MessageProperties<'a> {
    /// Reads properties as [`object_text`] gives them.
    pub fn read(json: &'a str) -> Self {
        if json.len() <= 2 {
            Self::default()
        } else {
            serde_json::from_str(json).unwrap_or_default()
        }
    }

    /// Whether there is anything that the decoder reads.
    pub fn matter(&self) -> bool {
        let lists = [self.emotions, self.mentions, self.files, self.cards, self.links];
        let objects = [self.call_log, self.poll];
        lists.iter().chain(&objects).any(Option::is_some)
            || [&self.edittime, &self.subject, &self.title, &self.is_server_generated]
                .iter()
                .any(|text| text.some().is_some())
    }

    /// Whether a message can have a mark of deletion: a quick look before all its fields are read.
    pub fn may_be_removed(item: &str) -> bool {
        static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("elet"));
        MARK.find(item.as_bytes()).is_some()
    }

    /// When a message was removed, as its fields or those of its properties say. Marks that are only a flag give the
    /// beginning of 1970.
    pub fn removed_at(json: &str) -> Option<Timestamp> {
        if !Self::may_be_removed(json) {
            return None;
        }
        let fields: HashMap<Cow<'_, str>, Text<'_>> = serde_json::from_str(json).ok()?;
        let marks = fields
            .iter()
            .filter(|(name, _)| DELETION_MARKS.iter().any(|mark| name.eq_ignore_ascii_case(mark)));
        marks.filter_map(|(_, value)| removal(value)).max()
    }
}

/// What a mark of deletion says: a time, a flag, or nothing.
fn removal(value: &Text<'_>) -> Option<Timestamp> {
    let at = Timestamp::parse(value.as_str()).filter(|at| at.0 > 0);
    at.or_else(|| (value.flag() == Some(true)).then_some(Timestamp(0)))
}

/// The text of an object: itself, JSON inside a string, or the first object of a list. Anything else is empty.
pub fn object_text(raw: &str) -> Cow<'_, str> {
    match raw.as_bytes().first() {
        Some(b'{') => Cow::Borrowed(raw),
        Some(b'"') => {
            let inner = lenient::unpacked(raw).into_owned();
            Cow::Owned(object_text(inner.trim()).into_owned())
        }
        Some(b'[') => {
            let items: Vec<Value> = serde_json::from_str(raw).unwrap_or_default();
            let object = items.iter().find(|item| item.is_object());
            Cow::Owned(object.map(Value::to_string).unwrap_or_default())
        }
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_read_as_object_list_or_text() {
        for (raw, text) in [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (r#""{\"a\":1}""#, r#"{"a":1}"#),
            (r#""[{\"a\":1}]""#, r#"{"a":1}"#),
            (r#"[7,{"a":1}]"#, r#"{"a":1}"#),
            ("[]", ""),
            ("null", ""),
            (r#""null""#, ""),
            (r#""rubbish""#, ""),
            (r#""""#, ""),
            ("", ""),
            ("5", ""),
        ] {
            assert_eq!(object_text(raw), text, "{raw}");
        }
    }

    #[test]
    fn every_form_of_a_mark_of_deletion_removes() {
        for mark in [
            r#"{"deletetime":1622540621409}"#,
            r#"{"deletetime":1622540621409.0}"#,
            r#"{"deletetime":"1622540621409"}"#,
            r#"{"deletetime":"1622540621409.0"}"#,
            r#"{"deletetime":"1622540621409.25"}"#,
            r#"{"deletetime":"2021-06-01T09:43:41.409Z"}"#,
            r#"{"deleteTime":1622540621409}"#,
            r#"{"deletionTime":"1622540621409"}"#,
            r#"{"deletiontime":1622540621}"#,
            r#"{"hardDeleteTime":"1622540621409"}"#,
            r#"{"harddeletetime":1622540621409}"#,
            r#"{"isdelete":true}"#,
            r#"{"isdelete":"true"}"#,
            r#"{"isDelete":"True"}"#,
            r#"{"isdelete":1}"#,
            r#"{"isDeleted":true}"#,
        ] {
            assert!(MessageProperties::removed_at(mark).is_some(), "{mark}");
        }
    }

    #[test]
    fn a_mark_that_says_nothing_removes_nothing() {
        for mark in [
            r#"{"deletetime":null}"#,
            r#"{"deletetime":""}"#,
            r#"{"deletetime":"0"}"#,
            r#"{"deletetime":0}"#,
            r#"{"deletetime":{}}"#,
            r#"{"deletionTime":"never"}"#,
            r#"{"isdelete":false}"#,
            r#"{"isdelete":"false"}"#,
            r#"{"isdelete":"0"}"#,
            r#"{"content":"deletetime"}"#,
            "{}",
            "",
        ] {
            assert!(MessageProperties::removed_at(mark).is_none(), "{mark}");
        }
    }
}
