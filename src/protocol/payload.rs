//! XML and JSON records inside `content`: files, contacts, places, calls, thread activities (facts 3.7).

use super::tree::Node;
use super::{link, richtext};
use crate::model::{Call, CallState, Clean, MediaKind, MessageBody, ThreadActivity, UserId};
use serde_json::Value;

/// A `URIObject`: branches on its `type` attribute, not on the messagetype (facts 7, row 14).
pub fn uri_object(content: &str, fallback: MediaKind) -> Option<MessageBody> {
    let root = Node::parse(content);
    let object = root.find("uriobject")?;
    let kind = match object.attribute("type").unwrap_or_default() {
        t if t.starts_with("Picture") => MediaKind::Image,
        t if t.starts_with("Video") => MediaKind::Video,
        t if t.starts_with("Audio") => MediaKind::Voice,
        t if t.starts_with("SWIFT") => MediaKind::Card,
        t if t.contains("Recording") => MediaKind::Recording,
        t if t.starts_with("File") => MediaKind::File,
        _ => fallback,
    };
    let value =
        |name: &str| object.child(name).and_then(|n| n.attribute("v")).filter(|v| !v.is_empty());
    let title = || {
        let title = object.child("title").map(Node::trimmed).unwrap_or_default();
        let title = title.strip_prefix("Title: ").unwrap_or(title);
        (!title.is_empty()).then_some(title)
    };
    let name = value("originalname").map(str::to_owned).or_else(|| title().map(str::to_owned));
    Some(MessageBody::Media {
        kind,
        name: Clean::line(&name.unwrap_or_default()),
        bytes: value("filesize").and_then(|v| v.trim().parse().ok()),
        link: object.find("a").and_then(|a| a.attribute("href")).and_then(link::safe_target),
    })
}

/// `<files>`: several attachments in one message.
pub fn files(content: &str) -> Option<MessageBody> {
    let root = Node::parse(content);
    let files = root.find("files")?;
    let names: Vec<&str> = files.all("file").map(Node::trimmed).collect();
    let sizes = files.all("file").filter_map(|f| f.attribute("size")?.parse::<u64>().ok());
    Some(MessageBody::Media {
        kind: MediaKind::File,
        name: Clean::line(&names.join(", ")),
        bytes: sizes.reduce(u64::saturating_add),
        link: None,
    })
}

/// `<contacts>`: names of people, or phone numbers.
pub fn contacts(content: &str) -> Option<MessageBody> {
    let root = Node::parse(content);
    let contacts = root.find("contacts")?;
    let names = contacts.all("c").map(|c| {
        let pick = |key| c.attribute(key).filter(|v| !v.is_empty());
        Clean::line(pick("f").or_else(|| pick("s")).or_else(|| pick("p")).unwrap_or("someone"))
    });
    Some(MessageBody::Contacts(names.collect()))
}

pub fn location(content: &str) -> Option<MessageBody> {
    let root = Node::parse(content);
    let place = root.find("location")?;
    let anchor = place.find("a");
    let address =
        [place.attribute("address"), place.attribute("pointofinterest"), anchor.map(Node::trimmed)];
    let address = address.into_iter().flatten().find(|a| !a.is_empty()).unwrap_or("Unknown place");
    Some(MessageBody::Location {
        address: Clean::line(address),
        link: anchor.and_then(|a| a.attribute("href")).and_then(link::safe_target),
    })
}

/// `<partlist>`: a call began, ended or was missed.
pub fn call(content: &str) -> MessageBody {
    let root = Node::parse(content);
    let list = root.find("partlist");
    let state = match list.and_then(|l| l.attribute("type")) {
        Some("ended") => CallState::Ended,
        Some("missed") => CallState::Missed,
        _ if root.child("ended").is_some() => CallState::Ended,
        _ => CallState::Started,
    };
    let lengths = list.into_iter().flat_map(|l| l.all("part")).filter_map(|p| p.child("duration"));
    let seconds = lengths
        .filter_map(|d| d.trimmed().parse::<f64>().ok())
        .fold(None, |max: Option<f64>, s| Some(max.map_or(s, |m| m.max(s))));
    MessageBody::Call(Call { state, seconds: seconds.map(|s| s.max(0.0) as u32) })
}

/// A `ThreadActivity/…` with XML content. `kind` is the part after the slash.
pub fn thread_activity(kind: &str, content: &str) -> ThreadActivity {
    if content.trim_start().starts_with('{') {
        return json_activity(kind, content);
    }
    let root = Node::parse(content);
    let empty = Node::default();
    let node = root.children.first().unwrap_or(&empty);
    let by = node.child("initiator").map(|n| UserId::with_prefix(n.trimmed()));
    let value = node.child("value").map(Node::trimmed).unwrap_or_default();
    let on = value.eq_ignore_ascii_case("true");
    let people = || -> Vec<UserId> {
        node.all("target")
            .map(|t| UserId::with_prefix(t.child("id").unwrap_or(t).trimmed()))
            .collect()
    };
    let Some(by) = by else { return other(None, kind, content) };
    match kind {
        "TopicUpdate" => ThreadActivity::Topic { by, topic: Clean::line(value) },
        "JoiningEnabledUpdate" => ThreadActivity::Joining { by, open: on },
        "HistoryDisclosedUpdate" => ThreadActivity::History { by, disclosed: on },
        "PictureUpdate" => ThreadActivity::Picture { by },
        "AddMember" => ThreadActivity::Added { by, targets: people() },
        "DeleteMember" => ThreadActivity::Removed { by, targets: people() },
        "RoleUpdate" => {
            let role = |t: &Node| {
                let role = t.child("role").map(Node::trimmed).unwrap_or_default();
                let id = UserId::with_prefix(t.child("id").unwrap_or(t).trimmed());
                (id, role.eq_ignore_ascii_case("admin"))
            };
            ThreadActivity::Roles { by, targets: node.all("target").map(role).collect() }
        }
        _ => other(Some(by), kind, content),
    }
}

/// Names that come with the activity itself (`detailedtargetinfo`; facts 3.7).
pub fn activity_names(content: &str) -> Vec<(UserId, Clean)> {
    let root = Node::parse(content);
    let Some(node) = root.children.first() else { return Vec::new() };
    let details = node.all("detailedtargetinfo").filter_map(|d| {
        let name = Clean::line(d.child("friendlyname")?.trimmed());
        Some((UserId::with_prefix(d.child("id")?.trimmed()), name))
    });
    let initiator = node.child("initiator").zip(node.child("detailedinitiatorinfo"));
    let initiator = initiator.and_then(|(id, info)| {
        let name = Clean::line(info.child("friendlyname")?.trimmed());
        Some((UserId::with_prefix(id.trimmed()), name))
    });
    details.chain(initiator).filter(|(_, name)| !name.is_empty()).collect()
}

fn json_activity(kind: &str, content: &str) -> ThreadActivity {
    let Ok(json) = serde_json::from_str::<Value>(content) else {
        return other(None, kind, content);
    };
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let by = text("initiator").or_else(|| text("user")).map(UserId::with_prefix);
    let members = json.get("members").and_then(Value::as_array);
    let targets: Vec<UserId> = members
        .into_iter()
        .flatten()
        .filter_map(|m| m.get("id").and_then(Value::as_str).map(UserId::with_prefix))
        .collect();
    match (kind, by) {
        ("MemberJoined", Some(by)) => ThreadActivity::Added { by, targets },
        ("MemberLeft", Some(by)) => ThreadActivity::Removed { by, targets },
        (k, Some(by)) if k.contains("Topic") => {
            ThreadActivity::Topic { by, topic: Clean::line(text("newValue").unwrap_or_default()) }
        }
        (_, by) => other(by, kind, ""),
    }
}

fn other(by: Option<UserId>, kind: &str, content: &str) -> ThreadActivity {
    let text = richtext::strip(content);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = if text.is_empty() { format!("[{kind}]") } else { format!("[{kind}] {text}") };
    ThreadActivity::Other { by, what: Clean::line(&what) }
}
