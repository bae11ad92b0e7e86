//! Items of the conversation list.

use super::{message, names, one_line};
use crate::model::{
    ChatAccess, Conversation, ConversationId, ConversationKind, ListedPeople, Message, MessageBody,
    NameSource, RawConversation, RawMessage, ReadMarker, SafeText, Timestamp, UserId,
    conversation::Snippet,
};
use crate::protocol::wire::{self, WireConversation};

/// Decodes a conversation item. Unread counts are computed by the store and are zero here.
pub fn conversation(raw: &RawConversation, me: &UserId) -> Conversation {
    let item: WireConversation<'_> = serde_json::from_str(&raw.json).unwrap_or_default();
    let properties = &item.properties;
    let thread = &item.thread_properties;
    let last = last_message(raw, &item);
    let left = match (thread.lastleaveat.number(), thread.lastjoinat.number()) {
        (Some(left), joined) => left > joined.unwrap_or(0),
        _ => false,
    };
    let topic = item.topic().filter(|_| raw.id.is_thread());
    Conversation {
        id: raw.id.clone(),
        topic: topic.map(|topic| SafeText::line(&topic)),
        version: raw.version,
        activity: raw.activity,
        read_marker: properties.consumptionhorizon.some().and_then(ReadMarker::parse),
        cleared_at: properties.clearedat.some().and_then(Timestamp::parse),
        muted: properties.alerts.flag() == Some(false),
        pinned: properties.favorite.flag() == Some(true),
        access: if left { ChatAccess::Left } else { ChatAccess::Full },
        last: last.as_ref().and_then(|raw| snippet(&message(raw, me))),
        unread: crate::model::Unread::default(),
        listed: listed(raw, &item, last.as_ref(), me),
    }
}

/// The thread behind a one-to-one chat that is listed under a person's id, if the item names it (facts 3.5).
pub fn one_to_one_thread(raw: &RawConversation) -> Option<ConversationId> {
    let item: WireConversation<'_> = serde_json::from_str(&raw.json).unwrap_or_default();
    let thread = item.properties.onetoonethreadid.some().map(ConversationId::new);
    thread.filter(ConversationId::is_thread)
}

fn last_message(raw: &RawConversation, item: &WireConversation<'_>) -> Option<RawMessage> {
    wire::raw_message(item.last_message?.get(), Some(&raw.id))
}

/// A message as a line in a list; `None` for signals.
pub fn snippet(message: &Message) -> Option<Snippet> {
    if matches!(message.body, MessageBody::Hidden | MessageBody::Deletes(_)) {
        return None;
    }
    let nameless = |id: &UserId| SafeText::line(id.bare());
    Some(Snippet {
        sender: message.sender.clone(),
        text: SafeText::line(&one_line(&message.body.preview(&nameless))),
        system: message.body.is_system().then(|| message.body.clone()),
    })
}

/// Who is in a thread, as far as the item says: its members, the people its id is made of, or the sender of the last
/// message.
fn listed(
    raw: &RawConversation,
    item: &WireConversation<'_>,
    last: Option<&RawMessage>,
    me: &UserId,
) -> ListedPeople {
    if !raw.id.is_thread() {
        return ListedPeople::default();
    }
    let members = item.listed_members();
    let count = item.thread_properties.membercount.number().and_then(|n| usize::try_from(n).ok());
    let count = count.or_else(|| members.iter().any(|m| m.id == *me).then_some(members.len()));
    let mut others: Vec<UserId> = members.into_iter().map(|m| m.id).collect();
    if others.is_empty() {
        others.extend(raw.id.pair().filter(|pair| pair.contains(me)).into_iter().flatten());
    }
    if others.is_empty() {
        let senders = last.map(|m| m.sender.clone()).filter(UserId::is_addressable);
        others.extend(senders);
    }
    others.retain(|id| id != me);
    ListedPeople { others, count: count.filter(|n| *n > 0), one_to_one: item.one_to_one() }
}

/// Names in a conversation item: those of listed members, of people in the last message, and that of the other person
/// in a one-to-one chat.
pub fn listed_names(raw: &RawConversation, me: &UserId) -> Vec<(UserId, NameSource, SafeText)> {
    let item: WireConversation<'_> = serde_json::from_str(&raw.json).unwrap_or_default();
    let mut found = Vec::new();
    if let Some(last) = last_message(raw, &item) {
        found.extend(names(&last));
    }
    let members = item.listed_members().into_iter();
    let named = members.filter_map(|m| Some((m.id, NameSource::Message, SafeText::line(&m.name?))));
    found.extend(named);
    let read = conversation(raw, me);
    let other = read.id.peer().or_else(|| match read.listed.others.as_slice() {
        [other] if read.kind() == ConversationKind::Direct => Some(other.clone()),
        _ => None,
    });
    if let (Some(other), Some(title)) = (other, item.title.some()) {
        let title = crate::protocol::entity::unescape(title);
        found.push((other, NameSource::Message, SafeText::line(&title)));
    }
    found
}
