//! Items of the conversation list (facts 3.5).

use super::{names, raw_message};
use crate::model::{ConversationId, RawConversation, UserId, UserKind};
use crate::protocol::entity;
use crate::protocol::lenient::{self, Text};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The maximum number of members of an item that are read.
const MAX_MEMBERS: usize = 1_000;

/// A conversation item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireConversation<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub version: Text<'a>,
    #[serde(borrow, rename = "lastMessage")]
    pub last_message: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "lenient::object_or_default")]
    pub properties: ConversationProperties<'a>,
    #[serde(borrow, rename = "threadProperties", deserialize_with = "lenient::object_or_default")]
    pub thread_properties: ThreadProperties<'a>,
    #[serde(borrow)]
    pub members: Option<&'a RawValue>,
    /// Some services use this name: the other person's name in a one-to-one chat.
    #[serde(borrow, alias = "displayName", alias = "chatTitle")]
    pub title: Text<'a>,
    #[serde(borrow, rename = "isOneOnOne")]
    pub one_on_one: Text<'a>,
}

/// This account's own properties of a conversation (facts 3.5).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConversationProperties<'a> {
    #[serde(borrow)]
    pub consumptionhorizon: Text<'a>,
    #[serde(borrow)]
    pub clearedat: Text<'a>,
    #[serde(borrow)]
    pub alerts: Text<'a>,
    #[serde(borrow)]
    pub favorite: Text<'a>,
    /// The thread behind a one-to-one chat.
    #[serde(borrow)]
    pub onetoonethreadid: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ThreadProperties<'a> {
    #[serde(borrow)]
    pub topic: Option<Text<'a>>,
    #[serde(borrow)]
    pub lastjoinat: Text<'a>,
    #[serde(borrow)]
    pub lastleaveat: Text<'a>,
    #[serde(borrow)]
    pub members: Option<&'a RawValue>,
    #[serde(borrow)]
    pub membercount: Text<'a>,
    #[serde(borrow)]
    pub uniquerosterthread: Text<'a>,
    #[serde(borrow, rename = "productThreadType")]
    pub product_type: Text<'a>,
    /// A meeting, as JSON text with a `subject`.
    #[serde(borrow)]
    pub meeting: Option<&'a RawValue>,
}

/// A person in the list of members that a conversation item may have: an id, or an object with one.
pub(crate) struct ListedMember {
    pub id: UserId,
    pub name: Option<String>,
}

impl WireConversation<'_> {
    /// The members that the item names: a list, or JSON text of one (facts 3.5).
    pub fn listed_members(&self) -> Vec<ListedMember> {
        let lists = [self.thread_properties.members, self.members];
        let raw = lists.into_iter().flatten().map(|raw| lenient::unpacked(raw.get()));
        let items =
            raw.flat_map(|list| serde_json::from_str::<Vec<Value>>(&list).unwrap_or_default());
        let id = |text: &str| {
            let id = UserId::new(text.trim());
            matches!(id.kind(), UserKind::Person | UserKind::Phone | UserKind::Bot).then_some(id)
        };
        let read = |item: Value| {
            let own = item.as_str().and_then(id);
            let key = ["id", "mri", "MemberMri", "userMri"]
                .iter()
                .find_map(|key| item.get(*key)?.as_str());
            let id = own.or_else(|| id(key?))?;
            Some(ListedMember { name: names::of_person(&item), id })
        };
        items.take(MAX_MEMBERS).filter_map(read).collect()
    }

    /// The topic, the subject of a meeting, or the service's name for the conversation.
    pub fn topic(&self) -> Option<Cow<'_, str>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Meeting<'a> {
            #[serde(borrow)]
            subject: Text<'a>,
        }
        let topic = self.thread_properties.topic.as_ref();
        if let Some(topic) = topic.and_then(Text::some) {
            return Some(entity::unescape(topic));
        }
        let meeting = self.thread_properties.meeting.map(|raw| lenient::unpacked(raw.get()));
        let meeting = meeting.unwrap_or_default();
        let subject = serde_json::from_str::<Meeting<'_>>(&meeting).unwrap_or_default().subject;
        let other = subject.some().or_else(|| self.title.some());
        let other = other.map(|text| Cow::Owned(entity::unescape(text).into_owned()));
        other.or_else(|| topic.map(|_| Cow::Borrowed("")))
    }

    /// Whether it is a one-to-one chat, where the item says so.
    pub fn one_to_one(&self) -> Option<bool> {
        let thread = &self.thread_properties;
        let typed = thread.product_type.some().filter(|kind| kind.starts_with("OneToOne"));
        let flags = [thread.uniquerosterthread.flag(), self.one_on_one.flag()];
        flags
            .contains(&Some(true))
            .then_some(true)
            .or(typed.map(|_| true))
            .or(self.one_on_one.flag())
    }
}

/// Reads a conversation item; `None` if it has no id.
pub fn raw_conversation(json: &str) -> Option<RawConversation> {
    let item: WireConversation<'_> = serde_json::from_str(json).ok()?;
    let id = ConversationId::new(item.id.some()?);
    let last = item.last_message.and_then(|m| raw_message(m.get(), Some(&id)));
    let version = item.version.number().unwrap_or(0);
    let activity = last.map(|m| m.at).unwrap_or_default();
    Some(RawConversation { id, version, activity, json: json.into() })
}
