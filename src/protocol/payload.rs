//! XML and JSON records in `content`: files, contacts, locations, calls and thread activities (facts 3.7).

mod activity;
mod call;
mod card;
mod poll;
mod words;

pub use activity::{activity_names, thread_activity};
pub use call::{call, call_names, is_call, log_entry};
pub use card::{card_object, cards, swift};
pub use poll::{poll, poll_in_text, poll_object};
pub use words::readable;

use super::tree::Node;
use super::{entity, link, richtext};
use crate::model::{ExportedFile, Media, MediaKind, MessageBody, RichText, SafeText};

/// A `URIObject`. Its kind is determined by its `type`, not by the messagetype (facts 7, row 14).
pub fn uri_object(content: &str, fallback: MediaKind) -> Option<MessageBody> {
    let root = Node::parse(content);
    let object = root.find("uriobject")?;
    let kind = object.attribute("type").unwrap_or_default();
    if kind.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("poll"))
        && let Some(poll) = poll(object)
    {
        return Some(poll);
    }
    if object.find("swift").is_some()
        && let Some(card) = swift(object)
    {
        return Some(card);
    }
    let kind = match kind {
        // A call recording has the type of a video, but calling it a recording says more.
        _ if matches!(fallback, MediaKind::Recording | MediaKind::Transcript) => fallback,
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
    let status = object.find("recordingstatus").and_then(|n| n.attribute("status"));
    let name = match (name, status) {
        (None, Some(status)) if status != "Success" => Some("in progress".to_owned()),
        (name, _) => name,
    };
    let milliseconds = object
        .attribute("duration_ms")
        .or_else(|| object.find("duration").and_then(|n| n.attribute("v")))
        .and_then(|v| v.trim().parse::<f64>().ok());
    let target = |n: &Node<'_>| n.attribute("href").and_then(link::safe_target);
    let recorded = || {
        let content = object.find("recordingcontent")?;
        content.all("item").find_map(|i| i.attribute("uri").and_then(link::safe_target))
    };
    Some(MessageBody::Media(Media {
        kind,
        name: SafeText::line(&name.unwrap_or_default()),
        bytes: value("filesize").and_then(|v| v.trim().parse().ok()).filter(|bytes| *bytes > 0),
        seconds: milliseconds.map(|ms| (ms / 1000.0).max(0.0) as u32),
        link: object
            .find("a")
            .and_then(target)
            .or_else(recorded)
            .or_else(|| object.attribute("uri").and_then(link::safe_target)),
        object: object
            .attribute("uri")
            .and_then(link::safe_target)
            .filter(|uri| uri.contains("/objects/")),
        exported: ExportedFile::Unknown,
    }))
}

/// `<videomessage>` and `<audiomessage>`: old recorded messages with a link to a public page.
pub fn message_record(content: &str, kind: MediaKind) -> Option<MessageBody> {
    let root = Node::parse(content);
    let record = root.find("videomessage").or_else(|| root.find("audiomessage"))?;
    Some(MessageBody::Media(Media {
        kind,
        name: SafeText::line(record.trimmed()),
        bytes: None,
        seconds: None,
        link: record.attribute("publiclink").and_then(link::safe_target),
        object: None,
        exported: ExportedFile::Unknown,
    }))
}

/// `<sms>`: a text message to telephones.
pub fn sms(content: &str) -> Option<MessageBody> {
    let root = Node::parse(content);
    let sms = root.find("sms")?;
    let chunks = sms.find("body").into_iter().flat_map(|body| body.all("chunk"));
    let text: String = chunks.map(|c| &*c.text).collect();
    let text =
        if text.is_empty() { sms.attribute("alt").unwrap_or_default().to_owned() } else { text };
    let targets = sms.find("targets").into_iter().flat_map(|t| t.all("target"));
    let to: Vec<&str> = targets.map(Node::trimmed).filter(|t| !t.is_empty()).collect();
    let label = if to.is_empty() { "SMS".to_owned() } else { format!("SMS to {}", to.join(", ")) };
    Some(MessageBody::Labelled { label: SafeText::line(&label), text: RichText::plain(&text) })
}

/// An invitation to a scheduled call: its subject, or else its text.
pub fn call_invite(content: &str) -> MessageBody {
    let root = Node::parse(content);
    let object = root.find("uriobject");
    let subject = object.and_then(|o| o.attribute("subject")).unwrap_or_default();
    let link = object.and_then(|o| o.find("a")).and_then(|a| a.attribute("href"));
    let text = match (subject.is_empty(), link.and_then(link::safe_target)) {
        (true, _) => richtext::parse(content),
        (false, None) => RichText::plain(subject),
        (false, Some(target)) => {
            richtext::parse(&format!("{}\n{}", entity::escape(subject), entity::escape(&target)))
        }
    };
    MessageBody::Labelled { label: "call invitation".into(), text }
}

/// A notice of the service's own bot: the first text in its JSON.
pub fn notice(content: &str) -> MessageBody {
    let text = first_words(content).unwrap_or_else(|| richtext::strip(content));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    MessageBody::Labelled { label: "notice".into(), text: RichText::plain(&text) }
}

/// The first human-readable text in JSON.
pub fn first_words(json: &str) -> Option<String> {
    serde_json::from_str(json).ok().and_then(|json| words_of(&json, 0))
}

fn words_of(json: &serde_json::Value, depth: usize) -> Option<String> {
    const KEYS: [&str; 4] = ["title", "text", "subtitle", "value"];
    if depth > 8 {
        return None;
    }
    match json {
        serde_json::Value::Object(map) => {
            let own = KEYS.iter().find_map(|key| map.get(*key)?.as_str());
            own.map(str::to_owned).or_else(|| map.values().find_map(|v| words_of(v, depth + 1)))
        }
        serde_json::Value::Array(list) => list.iter().find_map(|v| words_of(v, depth + 1)),
        _ => None,
    }
}

/// All human-readable text in JSON, each on a line of its own.
pub fn all_words(json: &str) -> String {
    let mut lines = Vec::new();
    if let Ok(json) = serde_json::from_str(json) {
        collect_words(&json, true, 0, &mut lines);
    }
    lines.join("\n")
}

/// Adds the human-readable text in JSON. `is_shown` says whether a string here is meant for people.
fn collect_words(json: &serde_json::Value, is_shown: bool, depth: usize, lines: &mut Vec<String>) {
    const KEYS: [&str; 10] = [
        "title", "text", "subtitle", "value", "content", "body", "message", "caption", "summary",
        "html",
    ];
    if depth > 8 {
        return;
    }
    match json {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let is_shown = KEYS.iter().any(|known| key.eq_ignore_ascii_case(known));
                collect_words(value, is_shown, depth + 1, lines);
            }
        }
        serde_json::Value::Array(list) => {
            for value in list {
                collect_words(value, is_shown, depth + 1, lines);
            }
        }
        serde_json::Value::String(text) if is_shown && !text.trim().is_empty() => {
            lines.push(text.clone());
        }
        _ => {}
    }
}

/// Media of which only the kind is known.
pub fn nameless(kind: MediaKind) -> MessageBody {
    MessageBody::Media(Media {
        kind,
        name: SafeText::default(),
        bytes: None,
        seconds: None,
        link: None,
        object: None,
        exported: ExportedFile::Unknown,
    })
}

/// `<files>`: several attachments in one message.
pub fn files(content: &str) -> Option<MessageBody> {
    let root = Node::parse(content);
    let files = root.find("files")?;
    let names: Vec<&str> = files.all("file").map(Node::trimmed).collect();
    let sizes = files.all("file").filter_map(|f| f.attribute("size")?.parse::<u64>().ok());
    Some(MessageBody::Media(Media {
        kind: MediaKind::File,
        name: SafeText::line(&names.join(", ")),
        bytes: sizes.reduce(u64::saturating_add),
        seconds: None,
        link: None,
        object: None,
        exported: ExportedFile::Unknown,
    }))
}

/// `<contacts>`: names of people, or phone numbers.
pub fn contacts(content: &str) -> Option<MessageBody> {
    let root = Node::parse(content);
    let contacts = root.find("contacts")?;
    let names = contacts.all("c").map(|c| {
        let pick = |key| c.attribute(key).filter(|v| !v.is_empty());
        SafeText::line(pick("f").or_else(|| pick("s")).or_else(|| pick("p")).unwrap_or("someone"))
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
        address: SafeText::line(address),
        link: anchor.and_then(|a| a.attribute("href")).and_then(link::safe_target),
    })
}
