//! `ThreadActivity/…`: changes of a conversation, in XML or JSON (facts 3.7).

use super::words;
use crate::model::conversation::FlagSpec;
use crate::model::{SafeText, ThreadActivity, UserId};
use crate::protocol::entity;
use crate::protocol::tree::Node;
use serde_json::Value;

/// The maximum number of people in one activity.
const MAX_PEOPLE: usize = 1_000;
/// Elements and fields that hold no text for people.
const SILENT: [&str; 12] = [
    "eventtime",
    "initiator",
    "detailedinitiatorinfo",
    "detailedtargetinfo",
    "rosterversion",
    "target",
    "id",
    "role",
    "callid",
    "etag",
    "version",
    "type",
];

/// What an activity says, in XML or JSON.
#[derive(Default)]
struct Announced {
    by: Option<UserId>,
    /// The people concerned, and whether they are admins now.
    targets: Vec<(UserId, bool)>,
    value: Option<String>,
    /// Any other readable text in it.
    words: String,
}

/// Decodes a thread activity. `kind` is the part of the messagetype after the slash. If the content does not say who
/// did it, `sender` did.
pub fn thread_activity(kind: &str, content: &str, sender: &UserId) -> ThreadActivity {
    let json: Option<Value> = serde_json::from_str(content).ok().filter(Value::is_object);
    let is_json = json.is_some();
    let said = json.map_or_else(|| from_xml(content), |json| from_json(&json));
    let by = said.by.clone().or_else(|| sender.is_addressable().then(|| sender.clone()));
    let nobody = || UserId::new("");
    let people = || said.targets.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let value = said.value.as_deref().unwrap_or_default();
    let has_targets = !said.targets.is_empty();
    match kind {
        "MemberJoined" if has_targets => return ThreadActivity::Joined(people()),
        "MemberLeft" if has_targets => return ThreadActivity::Left(people()),
        "AddMember" | "LegacyMemberAdded" | "MemberJoined" if has_targets || by.is_some() => {
            let by = said
                .by
                .clone()
                .unwrap_or_else(|| if has_targets { nobody() } else { by.unwrap_or_else(nobody) });
            return ThreadActivity::Added { by, targets: people() };
        }
        "DeleteMember" | "MemberLeft" if has_targets || by.is_some() => {
            let by = said
                .by
                .clone()
                .unwrap_or_else(|| if has_targets { nobody() } else { by.unwrap_or_else(nobody) });
            return ThreadActivity::Removed { by, targets: people() };
        }
        "RoleUpdate" if has_targets => {
            return ThreadActivity::Roles { by: by.unwrap_or_else(nobody), targets: said.targets };
        }
        "PictureUpdate" => return ThreadActivity::Picture { by: by.unwrap_or_else(nobody) },
        _ => {}
    }
    let is_topic = kind == "TopicUpdate" || (is_json && kind.contains("Topic"));
    if is_topic && said.value.is_some() {
        let by = by.unwrap_or_else(nobody);
        // The topic was escaped once more than the XML around it.
        return ThreadActivity::Topic { by, topic: SafeText::line(&entity::unescape(value)) };
    }
    let on = value.eq_ignore_ascii_case("true");
    if let Some(spec) = FlagSpec::of_activity(kind).filter(|_| said.value.is_some()) {
        return ThreadActivity::Flag { by: by.unwrap_or_else(nobody), flag: spec.flag, on };
    }
    match (action_phrase(kind, on), by) {
        (Some(what), Some(by)) => ThreadActivity::Did { by, what: what.into() },
        (Some(_), None) if kind == "CallStarted" => bare("Call started"),
        (Some(_), None) if kind == "CallEnded" => bare("Call ended"),
        (Some(what), None) => ThreadActivity::Did { by: nobody(), what: what.into() },
        (None, by) => other(by, kind, &said),
    }
}

fn bare(what: &str) -> ThreadActivity {
    ThreadActivity::Other { by: None, what: what.into() }
}

/// A kind without a sentence of its own: its name, and the readable text in it.
fn other(by: Option<UserId>, kind: &str, said: &Announced) -> ThreadActivity {
    let kind = kind.split_whitespace().next().unwrap_or("activity");
    let value = words::readable(said.value.as_deref().unwrap_or_default());
    let text = if value.is_empty() { &said.words } else { &value };
    let what = format!("[{kind}] {text}");
    ThreadActivity::Other { by, what: SafeText::line(what.trim_end()) }
}

/// The rest of a sentence about the initiator, for kinds without further details.
fn action_phrase(kind: &str, on: bool) -> Option<&'static str> {
    Some(match kind {
        "ModeratedThreadUpdate" if on => "made this a moderated group",
        "ModeratedThreadUpdate" => "ended the moderation of this group",
        "LegacyMemberUpgraded" => "moved here from an older version",
        "CallStarted" => "started a call",
        "CallEnded" => "ended the call",
        "CallRecordingFinished" => "recorded the call",
        "TabUpdated" => "changed a tab",
        _ => return None,
    })
}

/// The full user id in the text of an element or field; `None` if it cannot be one.
fn user(text: &str) -> Option<UserId> {
    let text = text.trim();
    let fits = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '<');
    fits.then(|| UserId::with_prefix(text))
}

fn from_xml(content: &str) -> Announced {
    let root = Node::parse(content);
    let empty = Node::default();
    let node = root.children.first().unwrap_or(&empty);
    // Some services put the elements side by side, without a parent element.
    let node = if SILENT.contains(&&*node.name) { &root } else { node };
    let target = |t: &Node<'_>| {
        let role = t.child("role").map(Node::trimmed).unwrap_or_default();
        let id = t.child("id").unwrap_or(t);
        Some((user(id.trimmed())?, role.eq_ignore_ascii_case("admin")))
    };
    let is_word = |n: &&Node<'_>| !SILENT.contains(&&*n.name) && n.name != "value";
    let others: Vec<String> = node.children.iter().filter(is_word).map(Node::whole_text).collect();
    Announced {
        by: node.child("initiator").and_then(|n| user(&n.whole_text())),
        targets: node.all("target").take(MAX_PEOPLE).filter_map(target).collect(),
        value: node.child("value").map(literal),
        words: words::readable(&others.join(" ")),
    }
}

/// The text of a value as it was given.
fn literal(value: &Node<'_>) -> String {
    if value.children.is_empty() { value.trimmed().to_owned() } else { value.whole_text() }
}

fn from_json(json: &Value) -> Announced {
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let person = |value: &Value| {
        let id = value
            .as_str()
            .or_else(|| value.get("id")?.as_str())
            .or_else(|| value.get("mri")?.as_str());
        let role = value.get("role").and_then(Value::as_str).unwrap_or_default();
        Some((user(id?)?, role.eq_ignore_ascii_case("admin")))
    };
    let by = ["initiator", "user", "actor", "from"].iter().find_map(|key| person(json.get(*key)?));
    let lists = ["members", "targets", "participants"];
    let lists = lists.iter().filter_map(|key| json.get(*key)?.as_array()).flatten();
    let one = json.get("target").into_iter();
    let value = text("newValue").or_else(|| text("value")).or_else(|| text("topic"));
    let flag = json.get("value").and_then(Value::as_bool).map(|on| on.to_string());
    Announced {
        by: by.map(|(id, _)| id),
        targets: lists.chain(one).take(MAX_PEOPLE).filter_map(person).collect(),
        value: value.map(|text| entity::unescape(text).into_owned()).or(flag),
        words: String::new(),
    }
}

/// Names in the activity itself (`detailedtargetinfo`; facts 3.7).
pub fn activity_names(content: &str) -> Vec<(UserId, SafeText)> {
    if content.trim_start().starts_with('{') {
        return json_names(content);
    }
    let root = Node::parse(content);
    let Some(node) = root.children.first() else { return Vec::new() };
    let details = node.all("detailedtargetinfo").filter_map(|d| {
        let name = SafeText::line(d.child("friendlyname")?.trimmed());
        Some((user(d.child("id")?.trimmed())?, name))
    });
    let initiator = node.child("initiator").zip(node.child("detailedinitiatorinfo"));
    let initiator = initiator.and_then(|(id, info)| {
        let name = SafeText::line(info.child("friendlyname")?.trimmed());
        Some((user(id.trimmed())?, name))
    });
    details.chain(initiator).filter(|(_, name)| !name.is_empty()).collect()
}

fn json_names(content: &str) -> Vec<(UserId, SafeText)> {
    let json: Value = serde_json::from_str(content).unwrap_or_default();
    let members = json.get("members").and_then(Value::as_array);
    let named = members.into_iter().flatten().filter_map(|m| {
        let name = ["friendlyname", "friendlyName", "displayName"];
        let name = name.iter().find_map(|key| m.get(*key)?.as_str())?;
        Some((user(m.get("id")?.as_str()?)?, SafeText::line(&entity::unescape(name))))
    });
    named.filter(|(_, name)| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conversation::FLAGS;
    use crate::protocol::{encode, wire};

    #[test]
    fn every_group_setting_of_the_table_is_written_read_and_announced() {
        for spec in FLAGS.iter().filter(|spec| !spec.is_own()) {
            for on in [true, false] {
                let written = encode::property(spec.flag, on);
                assert_eq!(written.get(spec.property), Some(&Value::Bool(on)));
                let item = serde_json::json!({ "id": "19:a@thread.skype", "properties": written });
                let read = wire::thread(&item.to_string()).unwrap().settings.flags;
                assert_eq!(read, [(spec.flag, on)].into());
                let activity = spec.activity.as_ref().unwrap();
                let xml = format!("<a><initiator>8:joe.4</initiator><value>{on}</value></a>");
                let by = UserId::new("8:joe.4");
                let announced = ThreadActivity::Flag { by, flag: spec.flag, on };
                assert_eq!(thread_activity(activity.kind, &xml, &UserId::new("")), announced);
            }
        }
    }
}
