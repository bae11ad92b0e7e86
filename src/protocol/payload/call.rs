//! Calls: `<partlist>`, JSON, and entries of the call log (facts 3.7).

use crate::model::{Call, CallPerson, CallState, MessageBody, SafeText, Timestamp, UserId};
use crate::protocol::tree::Node;
use serde_json::Value;

/// The maximum number of people of a call that are read.
const MAX_PEOPLE: usize = 500;

/// Whether the content of a text message is a call: some services send calls as HTML.
pub fn is_call(content: &str) -> bool {
    let start = content.trim_start();
    [
        "<partlist",
        "<calleventtype",
        "<ended/>",
        "<ended />",
        "<started/>",
        "<started />",
        "<missed/>",
        "<missed />",
    ]
    .iter()
    .any(|tag| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag)))
}

/// A call in XML or JSON. If it is empty, only the caller is known.
pub fn call(content: &str, sender: &UserId) -> MessageBody {
    let json: Option<Value> = serde_json::from_str(content).ok().filter(Value::is_object);
    let mut call = json.map_or_else(|| from_xml(content), |json| from_json(&json));
    if call.people.is_empty() && sender.is_addressable() {
        call.people.push(CallPerson { id: sender.clone(), name: SafeText::default() });
    }
    MessageBody::Call(call)
}

fn state(word: &str) -> Option<CallState> {
    let word = word.to_ascii_lowercase();
    let states = [
        ("missed", CallState::Missed),
        ("noanswer", CallState::Missed),
        ("declined", CallState::Declined),
        ("rejected", CallState::Declined),
        ("ended", CallState::Ended),
        ("accepted", CallState::Ended),
        ("started", CallState::Started),
    ];
    states.iter().find(|(known, _)| word.contains(known)).map(|(_, state)| *state)
}

fn from_xml(content: &str) -> Call {
    let root = Node::parse(content);
    let list = root.find("partlist");
    let typed = list.and_then(|l| l.attribute("type")).and_then(state);
    let event = root.find("calleventtype").and_then(|n| state(n.trimmed()));
    let tags = [
        ("ended", CallState::Ended),
        ("missed", CallState::Missed),
        ("declined", CallState::Declined),
        ("started", CallState::Started),
    ];
    let tag = tags.iter().find(|(name, _)| root.find(name).is_some()).map(|(_, state)| *state);
    // A list without a type means that a call began (facts 3.7).
    let otherwise = if list.is_some() { CallState::Started } else { CallState::Unknown };
    let parts = || root.find("partlist").unwrap_or(&root).all("part").take(MAX_PEOPLE);
    let lengths = parts().filter_map(|p| p.child("duration"));
    let seconds = lengths
        .filter_map(|d| d.trimmed().parse::<f64>().ok())
        .fold(None, |max: Option<f64>, s| Some(max.map_or(s, |m| m.max(s))));
    let person = |part: &Node<'_>| {
        let id = part.attribute("identity").map(str::trim).filter(|id| !id.is_empty());
        let name = part.child("displayname").or_else(|| part.child("name")).map(Node::whole_text);
        CallPerson {
            id: id.map_or_else(|| UserId::new(""), UserId::with_prefix),
            name: SafeText::line(&name.unwrap_or_default()),
        }
    };
    Call {
        state: typed.or(event).or(tag).unwrap_or(otherwise),
        seconds: seconds.map(|s| s.max(0.0) as u32),
        people: parts().map(person).filter(is_someone).collect(),
    }
}

fn is_someone(person: &CallPerson) -> bool {
    !person.id.as_str().is_empty() || !person.name.is_empty()
}

/// A call as JSON: a message of the kind `Media_Calling`, or an entry of the call log.
fn from_json(json: &Value) -> Call {
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let keys = ["callState", "callEventType", "eventType", "state", "status", "type"];
    let known = keys.iter().find_map(|key| state(text(key)?));
    let time = |key: &str| text(key).and_then(Timestamp::parse).map(|at| at.0);
    let lasted = time("connectTime").or_else(|| time("startTime")).zip(time("endTime"));
    let lasted = lasted.map(|(from, to)| (to - from) / 1000);
    let duration = json.get("duration").and_then(|d| {
        d.as_f64().or_else(|| d.as_str()?.trim().parse().ok()).map(|seconds| seconds as i64)
    });
    let seconds = duration.or(lasted).filter(|s| *s > 0 && known != Some(CallState::Missed));
    let lists = ["participants", "participantList", "members", "parts"];
    let lists = lists.iter().filter_map(|key| json.get(*key)?.as_array()).flatten();
    let own = ["originatorParticipant", "targetParticipant", "originator", "target", "initiator"];
    let own = own.iter().filter_map(|key| json.get(*key));
    let mut people: Vec<CallPerson> = Vec::new();
    for found in lists.chain(own).take(MAX_PEOPLE).filter_map(person) {
        match people.iter_mut().find(|p| p.id == found.id) {
            Some(known) if known.name.is_empty() => known.name = found.name,
            Some(_) => {}
            None => people.push(found),
        }
    }
    let state = known.unwrap_or(CallState::Unknown);
    Call { state, seconds: seconds.and_then(|s| u32::try_from(s).ok()), people }
}

fn person(value: &Value) -> Option<CallPerson> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| value.get(*key)?.as_str());
    let id = value.as_str().or_else(|| text(&["id", "mri", "identity", "userId"]));
    let id = id.map(str::trim).filter(|id| !id.is_empty() && !id.contains(' '));
    let name = text(&["displayName", "name", "friendlyName"]).unwrap_or_default();
    let id = id.map_or_else(|| UserId::new(""), UserId::with_prefix);
    Some(CallPerson { id, name: SafeText::line(name) }).filter(is_someone)
}

/// An entry of the call log, in `properties` (facts 3.4).
pub fn log_entry(json: &str) -> Option<MessageBody> {
    let json: Value = serde_json::from_str(json).ok()?;
    let entry = if let Value::Array(list) = &json { list.first()? } else { &json };
    let is_entry =
        ["callState", "callDirection", "startTime"].iter().any(|k| entry.get(*k).is_some());
    is_entry.then(|| MessageBody::Call(from_json(entry)))
}

/// The names that a call gives the people in it.
pub fn call_names(body: &MessageBody) -> Vec<(UserId, SafeText)> {
    let MessageBody::Call(call) = body else { return Vec::new() };
    let named = call.people.iter().filter(|p| !p.name.is_empty() && !p.id.as_str().is_empty());
    named.map(|p| (p.id.clone(), p.name.clone())).collect()
}
