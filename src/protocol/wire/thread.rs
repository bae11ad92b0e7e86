//! A group's members and properties.

use super::{WireError, names};
use crate::model::conversation::FlagSpec;
use crate::model::{
    ConversationId, Member, ReadMarker, Role, SafeText, ThreadFlag, ThreadSettings, Timestamp,
    UserId,
};
use crate::protocol::entity;
use crate::protocol::lenient::{self, Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Reads the answer to `GET /threads/ID/consumptionhorizons`: the arrival of the last message that each member has
/// read. Members without one (`0;0;0`) are left out.
pub fn read_receipts(body: &str) -> Result<Vec<(UserId, Timestamp)>, WireError> {
    #[derive(Deserialize)]
    struct ReceiptsAnswer<'a> {
        #[serde(borrow, default, deserialize_with = "lenient::items")]
        consumptionhorizons: Vec<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ReceiptItem<'a> {
        #[serde(borrow)]
        id: Text<'a>,
        #[serde(borrow)]
        consumptionhorizon: Text<'a>,
    }
    let body: ReceiptsAnswer<'_> = serde_json::from_str(body).map_err(|_| WireError::NotJson)?;
    let read = body.consumptionhorizons.iter().filter_map(|raw| {
        let item: ReceiptItem<'_> = serde_json::from_str(raw.get()).ok()?;
        let marker = ReadMarker::parse(item.consumptionhorizon.as_str())?;
        Some((UserId::new(item.id.some()?), marker.arrival))
    });
    Ok(read.collect())
}

/// A group's members and settings.
#[derive(Debug, Default, PartialEq)]
pub struct WireThread {
    pub members: Vec<Member>,
    /// Whether the item says who the members are.
    pub lists_members: bool,
    pub settings: ThreadSettings,
}

#[derive(Deserialize)]
struct ThreadBody<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    members: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ThreadBodyProperties<'a> {
    #[serde(borrow)]
    topic: Option<Text<'a>>,
    #[serde(borrow)]
    creator: Text<'a>,
    #[serde(borrow)]
    createdat: Text<'a>,
    #[serde(borrow)]
    picture: Text<'a>,
    #[serde(borrow, deserialize_with = "lenient::items")]
    capabilities: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireMember<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, rename = "friendlyName")]
    friendly_name: Text<'a>,
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    cid: Text<'a>,
    #[serde(borrow, rename = "linkedMri")]
    linked_mri: Text<'a>,
    #[serde(borrow, rename = "userTile")]
    user_tile: Text<'a>,
    #[serde(borrow, rename = "userLink")]
    user_link: Text<'a>,
    #[serde(borrow, deserialize_with = "lenient::items")]
    capabilities: Vec<&'a RawValue>,
}

/// The id of the group that a thread item describes.
pub fn thread_id(body: &str) -> Option<ConversationId> {
    #[derive(Deserialize)]
    struct ThreadHead<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }
    let head: ThreadHead<'_> = serde_json::from_str(body).ok()?;
    let id = head.id.some().map(entity::unescape)?;
    Some(ConversationId::new(ConversationId::without_reply_chain(&id)))
}

/// Reads the answer to `GET /threads/ID`, or the item of a `ThreadUpdate`.
pub fn thread(body: &str) -> Result<WireThread, WireError> {
    let body: ThreadBody<'_> = serde_json::from_str(body).map_err(|_| WireError::NotJson)?;
    if body.id.some().is_none() {
        return Err(WireError::Missing("id"));
    }
    let list: Option<Vec<&RawValue>> =
        body.members.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let lists_members = list.is_some();
    let list = list.unwrap_or_default();
    let members = list.iter().filter_map(|raw| {
        let member: WireMember<'_> = serde_json::from_str(raw.get()).ok()?;
        Some(Member {
            id: UserId::new(member.id.some()?),
            name: SafeText::line(&name_of(raw, &member)),
            role: Role::parse(member.role.as_str()),
            details: details(&member),
        })
    });
    let p: ThreadBodyProperties<'_> = object(body.properties);
    let flags = flags(body.properties);
    let creator =
        p.creator.some().map(|c| UserId::with_prefix(c.split(';').next().unwrap_or_default()));
    let capabilities = words(&p.capabilities);
    let picture = p.picture.some().map(|u| SafeText::line(u.strip_prefix("URL@").unwrap_or(u)));
    Ok(WireThread {
        members: members.collect(),
        lists_members,
        settings: ThreadSettings {
            topic: p.topic.as_ref().map(|t| SafeText::line(&entity::unescape(t.as_str()))),
            flags,
            creator,
            created: p.createdat.some().and_then(Timestamp::parse),
            picture,
            capabilities,
        },
    })
}

/// A member's `friendlyName`, or whatever else names that person.
fn name_of(raw: &RawValue, member: &WireMember<'_>) -> String {
    match member.friendly_name.some() {
        Some(name) => entity::unescape(name).into_owned(),
        None => serde_json::from_str(raw.get())
            .ok()
            .and_then(|item| names::of_person(&item))
            .unwrap_or_default(),
    }
}

/// Reads a JSON object; anything else gives the default.
fn object<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// The two-state settings among the properties of a group.
fn flags(properties: Option<&RawValue>) -> BTreeMap<ThreadFlag, bool> {
    let properties: HashMap<Cow<'_, str>, Text<'_>> = object(properties);
    let flag = |(name, value): (&Cow<'_, str>, &Text<'_>)| {
        Some((FlagSpec::of_property(name)?.flag, value.flag()?))
    };
    properties.iter().filter_map(flag).collect()
}

fn words(items: &[&RawValue]) -> Vec<SafeText> {
    let read = items.iter().filter_map(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok());
    read.map(|text| SafeText::line(text.as_str())).collect()
}

fn details(member: &WireMember<'_>) -> Vec<(Cow<'static, str>, SafeText)> {
    let capabilities: Vec<String> =
        words(&member.capabilities).iter().map(ToString::to_string).collect();
    let capabilities = capabilities.join(", ");
    let fields = [
        ("cid", member.cid.as_str()),
        ("linkedMri", member.linked_mri.as_str()),
        ("userTile", member.user_tile.as_str()),
        ("userLink", member.user_link.as_str()),
        ("capabilities", capabilities.as_str()),
    ];
    let filled = fields.into_iter().filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| (Cow::Borrowed(name), SafeText::line(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_marks_that_say_nothing_or_cannot_be_read_are_left_out() {
        let body = r#"{"id":"19:x","version":"1","consumptionhorizons":[
            {"id":"8:joe.4","consumptionhorizon":"1461605505609;1461605570732;104","messageVisibilityTime":1},
            {"id":"8:mia","consumptionhorizon":"0;0;0"}, {"consumptionhorizon":"5;5;5"}, 7]}"#;
        let read = read_receipts(body).unwrap();
        assert_eq!(read, [(UserId::new("8:joe.4"), Timestamp(1_461_605_505_609))]);
        assert!(read_receipts("<html>").is_err());
    }
}
