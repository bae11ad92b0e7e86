//! Items that lack fields which another copy of the same message has, such as an event with only an id. Missing fields
//! are taken from the other copy, so that they are never lost.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The fields that identify and place a message. No later version of a message loses these.
const IDENTITY: [&str; 12] = [
    "from",
    "messagetype",
    "imdisplayname",
    "imDisplayName",
    "clientmessageid",
    "originalarrivaltime",
    "composetime",
    "conversationLink",
    "conversationid",
    "contenttype",
    "type",
    "id",
];
/// Marks of a removed message (facts 3.3). Its text is gone for good.
const REMOVED: [&str; 4] = ["deletetime", "deletionTime", "hardDeleteTime", "isdelete"];

/// An item of a message completed by an older copy of it. `None` if the older one has nothing to add.
///
/// Who sent it, what it is and where it belongs are always kept. Content and everything else are taken over only if the
/// newer item has no content and is not marked as removed.
pub fn completed(newer: &str, older: &str) -> Option<String> {
    let mut fields: Fields<'_> = serde_json::from_str(newer).ok()?;
    let older: Fields<'_> = serde_json::from_str(older).ok()?;
    let takes_content = !has(&fields, "content") && !is_removed(&fields);
    let before = fields.len();
    let mut filled = false;
    for (name, value) in older.iter().filter(|(_, value)| !is_blank(value)) {
        let is_identity = IDENTITY.contains(&name.as_str());
        // An empty list of properties is information, an empty sender is not.
        let is_missing = match fields.get(name) {
            Some(known) if is_identity => is_blank(known) || known.get() == "\"\"",
            Some(known) => is_blank(known),
            None => true,
        };
        if is_missing && (is_identity || takes_content) && value.get() != "\"\"" {
            fields.insert(name.clone(), value);
            filled = true;
        }
    }
    (filled || fields.len() > before).then(|| serde_json::to_string(&fields).ok()).flatten()
}

fn is_blank(value: &RawValue) -> bool {
    value.get() == "null"
}

fn has(fields: &Fields<'_>, name: &str) -> bool {
    fields.get(name).is_some_and(|value| !is_blank(value))
}

fn is_removed(fields: &Fields<'_>) -> bool {
    let marked = |fields: &Fields<'_>| REMOVED.iter().any(|mark| has(fields, mark));
    let properties = fields.get("properties").map(|raw| raw.get());
    let inner = properties.and_then(|json| serde_json::from_str::<Fields<'_>>(json).ok());
    marked(fields) || inner.is_some_and(|inner| marked(&inner)) || has(fields, "skypeeditedid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn merged(newer: &Value, older: &Value) -> Option<Value> {
        let text = completed(&newer.to_string(), &older.to_string())?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn whole() -> Value {
        json!({
            "id": "5", "version": "5", "from": "8:joe.4", "messagetype": "Text", "content": "hi",
            "clientmessageid": "77", "skypeemoteoffset": 3,
        })
    }

    #[test]
    fn an_item_with_only_an_id_keeps_everything_of_the_stored_one() {
        let mut expected = whole();
        expected["version"] = "6".into();
        assert_eq!(merged(&json!({ "id": "5", "version": "6" }), &whole()), Some(expected));
        // A number that is too large for our types stays as it is.
        let text =
            completed("{\"id\":\"5\"}", "{\"clientmessageid\":99999999999999999999}").unwrap();
        assert!(text.contains("99999999999999999999"), "{text}");
    }

    #[test]
    fn new_content_takes_nothing_but_the_identity_from_the_stored_one() {
        let newer = json!({ "id": "5", "from": "", "messagetype": null, "content": "no emote" });
        let merged = merged(&newer, &whole()).unwrap();
        assert_eq!((&merged["from"], &merged["messagetype"]), (&json!("8:joe.4"), &json!("Text")));
        assert_eq!(merged["content"], "no emote");
        assert_eq!(merged.get("skypeemoteoffset"), None);
    }

    #[test]
    fn removed_text_does_not_come_back() {
        for newer in [
            json!({ "id": "5", "properties": { "deletetime": 7 } }),
            json!({ "id": "5", "isdelete": true }),
            json!({ "id": "5", "content": "" }),
        ] {
            let text = merged(&newer, &whole()).unwrap();
            assert!(text.get("content").is_none_or(|c| c == ""), "{text}");
        }
    }

    #[test]
    fn a_whole_item_is_left_as_it_is() {
        assert_eq!(merged(&whole(), &json!({ "id": "5" })), None);
        assert_eq!(merged(&whole(), &whole()), None);
        assert_eq!(completed("7", "{}"), None);
        assert_eq!(completed("{}", "[]"), None);
    }

    proptest::proptest! {
        /// Each field of the newer item is absent, null, empty or new.
        #[test]
        fn no_partial_item_overwrites_text_sender_or_kind(
            kinds in proptest::collection::vec(0..4_u8, 4),
        ) {
            let names = ["from", "messagetype", "clientmessageid", "content"];
            let mut newer = json!({ "id": "5", "version": "6" });
            for (name, kind) in names.into_iter().zip(&kinds) {
                match kind {
                    0 => {}
                    1 => newer[name] = Value::Null,
                    2 => newer[name] = "".into(),
                    _ => newer[name] = format!("new {name}").into(),
                }
            }
            let merged = merged(&newer, &whole()).unwrap_or(newer);
            for (name, kind) in names.into_iter().zip(&kinds) {
                let expected = match kind {
                    3 => json!(format!("new {name}")),
                    // Text may have been emptied; a sender may not.
                    2 if name == "content" => json!(""),
                    _ => whole()[name].clone(),
                };
                proptest::prop_assert_eq!(&merged[name], &expected, "{}", name);
            }
        }
    }
}
