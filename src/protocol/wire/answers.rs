//! Answers other than lists of conversations and messages: events, profiles, sent messages, join URLs and errors.

use super::{WireError, names};
use crate::model::{ConversationId, SafeText, Timestamp, UserId};
use crate::protocol::lenient::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One event of a long poll.
#[derive(Debug)]
pub struct PolledEvent {
    pub id: u64,
    pub resource_type: String,
    /// Where the resource is, such as `…/conversations/ID/messages/MID`; empty where that is not said.
    pub link: String,
    pub resource: String,
}

/// The answer to a poll.
#[derive(Debug, Default)]
pub struct PolledEvents {
    /// Sorted by id, because servers disagree on the order (facts 2.2).
    pub events: Vec<PolledEvent>,
    /// The answer had a list of events and every item of it could be read. Otherwise events may be lost.
    pub complete: bool,
    /// An empty object or list, or nothing at all, which some servers send for "no events" (facts 2.2).
    pub is_empty_form: bool,
}

/// Reads the answer to a poll. An empty answer may mean that there are no events (facts 2.2), or it may be a wrong one.
pub fn events(body: &str) -> PolledEvents {
    #[derive(Deserialize)]
    struct PollAnswer<'a> {
        #[serde(borrow, rename = "eventMessages")]
        events: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct PollItem<'a> {
        #[serde(borrow, default)]
        id: Text<'a>,
        #[serde(borrow, default, rename = "resourceType")]
        resource_type: Text<'a>,
        #[serde(borrow, default, rename = "resourceLink")]
        link: Text<'a>,
        #[serde(borrow)]
        resource: &'a RawValue,
    }
    let Ok(answer) = serde_json::from_str::<PollAnswer<'_>>(body) else {
        let is_empty_form = matches!(body.trim(), "" | "{}" | "[]");
        return PolledEvents { is_empty_form, ..PolledEvents::default() };
    };
    let read = |raw: &&RawValue| {
        let item: PollItem<'_> = serde_json::from_str(raw.get()).ok()?;
        Some(PolledEvent {
            id: item.id.number().unwrap_or(0),
            resource_type: item.resource_type.as_str().to_owned(),
            link: item.link.as_str().to_owned(),
            resource: item.resource.get().to_owned(),
        })
    };
    let mut events: Vec<PolledEvent> = answer.events.iter().filter_map(read).collect();
    let complete = events.len() == answer.events.len();
    events.sort_by_key(|e| e.id);
    PolledEvents { events, complete, is_empty_form: false }
}

/// Reads display names from the answer of a profile service, in any form (facts 5).
pub fn profiles(body: &str) -> Result<Vec<(UserId, SafeText)>, WireError> {
    let json: serde_json::Value = serde_json::from_str(body).map_err(|_| WireError::NotJson)?;
    if let Some(map) = json.get("profiles").and_then(|p| p.as_object()) {
        let names = map.iter().filter_map(|(mri, entry)| {
            let name = names::of_person(entry.get("profile").unwrap_or(entry))
                .or_else(|| names::of_person(entry))?;
            Some((UserId::new(mri), SafeText::line(&name)))
        });
        return Ok(names.collect());
    }
    let list = json.get("value").unwrap_or(&json).as_array();
    let list = list.ok_or(WireError::Missing("profiles"))?;
    let names = list.iter().filter_map(|entry| {
        let id = ["mri", "id", "username"].iter().find_map(|key| entry.get(*key)?.as_str())?;
        Some((UserId::with_prefix(id), SafeText::line(&names::of_person(entry)?)))
    });
    Ok(names.collect())
}

/// The join URL of a group, from the scheduler's answer.
pub fn join_url(body: &str) -> Result<SafeText, WireError> {
    let url = member_of(body, "JoinUrl")?;
    Ok(SafeText::line(&url))
}

/// The conversation that a join URL leads to.
pub fn resolved_join_url(body: &str) -> Result<ConversationId, WireError> {
    member_of(body, "Resource").map(ConversationId::from)
}

/// A string in an object; an empty one counts as missing.
fn member_of(body: &str, name: &'static str) -> Result<String, WireError> {
    let answer: serde_json::Value = serde_json::from_str(body).map_err(|_| WireError::NotJson)?;
    let text = answer.get(name).and_then(|v| v.as_str()).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or(WireError::Missing(name))
}

/// The arrival time in the answer to a sent message (facts 3.2). It may be missing.
pub fn sent(body: &str) -> Option<Timestamp> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct SentAnswer<'a> {
        #[serde(borrow, rename = "OriginalArrivalTime")]
        upper: Text<'a>,
        #[serde(borrow)]
        originalarrivaltime: Text<'a>,
    }
    let body: SentAnswer<'_> = serde_json::from_str(body).ok()?;
    let text = body.upper.some().or_else(|| body.originalarrivaltime.some())?;
    Timestamp::parse(text).filter(|at| at.0 > 0)
}
