//! Lists in the properties of a message: mentions and reactions (facts 3.4).

use crate::model::{Reaction, SafeText, UserId};
use crate::protocol::lenient::{self, Text, unpacked};
use crate::protocol::wire::MessageProperties;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};

/// `properties.mentions`, a list or the list as a JSON string: the people that numbers in mention tags refer to, sorted
/// by number. If a number occurs twice, the first one counts.
pub fn mentioned(properties: &MessageProperties<'_>) -> Vec<(String, UserId)> {
    #[derive(Deserialize)]
    struct MentionItem<'a> {
        #[serde(borrow, default)]
        itemid: Text<'a>,
        #[serde(borrow, default)]
        mri: Text<'a>,
    }
    let Some(list) = properties.mentions.map(|raw| unpacked(raw.get())) else {
        return Vec::new();
    };
    let items: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
    let read = items.iter().filter_map(|raw| {
        let one: MentionItem<'_> = serde_json::from_str(raw.get()).ok()?;
        Some((one.itemid.as_str().to_owned(), UserId::new(one.mri.some()?)))
    });
    let mut people: Vec<(String, UserId)> = read.collect();
    people.sort_by(|(a, _), (b, _)| a.cmp(b));
    people.dedup_by(|(later, _), (first, _)| later == first);
    people
}

/// A list that may be JSON inside a string; a single object is a list of one, anything else is empty.
pub fn list(raw: &str) -> Vec<Value> {
    match serde_json::from_str(&unpacked(raw)) {
        Ok(Value::Array(items)) => items,
        Ok(object @ Value::Object(_)) => vec![object],
        _ => Vec::new(),
    }
}

/// `emotions`, a list or the list as a JSON string. A person who occurs twice under one key counts once.
pub fn reactions(properties: &MessageProperties<'_>) -> Vec<Reaction> {
    #[derive(Deserialize)]
    struct Emotion<'a> {
        #[serde(borrow, default)]
        key: Text<'a>,
        #[serde(borrow, default, deserialize_with = "lenient::items")]
        users: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct ReactionUser<'a> {
        #[serde(borrow, default)]
        mri: Text<'a>,
        #[serde(borrow, default, rename = "DisplayName")]
        name: Text<'a>,
    }
    let Some(raw) = properties.emotions.map(RawValue::get) else { return Vec::new() };
    let list = unpacked(raw);
    let emotions: Vec<Emotion<'_>> = serde_json::from_str(&list).unwrap_or_default();
    let mut by_key: BTreeMap<&str, Vec<UserId>> = BTreeMap::new();
    for emotion in &emotions {
        let Some(key) = emotion.key.some().filter(|k| *k != "reactionsConsumptionHorizon") else {
            continue;
        };
        let users = emotion.users.iter().filter_map(|raw| {
            let user: ReactionUser<'_> = serde_json::from_str(raw.get()).ok()?;
            // Exports from Teams give only people's names (facts 9.3).
            let by_name = || user.name.some().map(|name| UserId::from(format!("name:{name}")));
            user.mri.some().map(UserId::new).or_else(by_name)
        });
        by_key.entry(key).or_default().extend(users);
    }
    let reactions = by_key.into_iter().map(|(key, mut users)| {
        let mut known = HashSet::new();
        users.retain(|id| known.insert(id.clone()));
        Reaction { key: SafeText::line(key), users }
    });
    reactions.filter(|reaction| !reaction.users.is_empty()).collect()
}
