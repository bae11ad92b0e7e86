//! `ThreadActivity/…`: changes of a conversation, in XML or JSON (facts 3.7).

use crate::model::conversation::FlagSpec;
use crate::model::{SafeText, ThreadActivity, UserId};
use crate::protocol::richtext;
use crate::protocol::tree::Node;
use serde_json::Value;

/// Decodes a thread activity. `kind` is the part of the messagetype after the slash.
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
        "TopicUpdate" => ThreadActivity::Topic { by, topic: SafeText::line(value) },
        "PictureUpdate" => ThreadActivity::Picture { by },
        "AddMember" | "LegacyMemberAdded" => ThreadActivity::Added { by, targets: people() },
        "DeleteMember" => ThreadActivity::Removed { by, targets: people() },
        "RoleUpdate" => {
            let role = |t: &Node| {
                let role = t.child("role").map(Node::trimmed).unwrap_or_default();
                let id = UserId::with_prefix(t.child("id").unwrap_or(t).trimmed());
                (id, role.eq_ignore_ascii_case("admin"))
            };
            ThreadActivity::Roles { by, targets: node.all("target").map(role).collect() }
        }
        _ => match (FlagSpec::of_activity(kind), action_phrase(kind, on)) {
            (Some(spec), _) => ThreadActivity::Flag { by, flag: spec.flag, on },
            (None, Some(what)) => ThreadActivity::Did { by, what: what.into() },
            (None, None) => other(Some(by), kind, content),
        },
    }
}

/// The rest of a sentence about the initiator, for kinds without further details.
fn action_phrase(kind: &str, on: bool) -> Option<&'static str> {
    Some(match kind {
        "ModeratedThreadUpdate" if on => "made this a moderated group",
        "ModeratedThreadUpdate" => "ended the moderation of this group",
        "LegacyMemberUpgraded" => "came over from an older version",
        "CallStarted" => "started a call",
        "CallEnded" => "ended the call",
        "CallRecordingFinished" => "recorded the call",
        "TabUpdated" => "changed a tab",
        _ => return None,
    })
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
        Some((UserId::with_prefix(d.child("id")?.trimmed()), name))
    });
    let initiator = node.child("initiator").zip(node.child("detailedinitiatorinfo"));
    let initiator = initiator.and_then(|(id, info)| {
        let name = SafeText::line(info.child("friendlyname")?.trimmed());
        Some((UserId::with_prefix(id.trimmed()), name))
    });
    details.chain(initiator).filter(|(_, name)| !name.is_empty()).collect()
}

fn json_names(content: &str) -> Vec<(UserId, SafeText)> {
    let json: Value = serde_json::from_str(content).unwrap_or_default();
    let members = json.get("members").and_then(Value::as_array);
    let named = members.into_iter().flatten().filter_map(|m| {
        let name = ["friendlyname", "friendlyName"].iter().find_map(|key| m.get(key)?.as_str())?;
        Some((UserId::with_prefix(m.get("id")?.as_str()?), SafeText::line(name)))
    });
    named.filter(|(_, name)| !name.is_empty()).collect()
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
        (k, Some(by)) if k.contains("Topic") => ThreadActivity::Topic {
            by,
            topic: SafeText::line(text("newValue").unwrap_or_default()),
        },
        (kind, Some(by)) if action_phrase(kind, false).is_some() => {
            ThreadActivity::Did { by, what: action_phrase(kind, false).unwrap_or_default().into() }
        }
        ("CallStarted", None) => ThreadActivity::Other { by: None, what: "Call started".into() },
        ("CallEnded", None) => ThreadActivity::Other { by: None, what: "Call ended".into() },
        (_, by) => other(by, kind, ""),
    }
}

fn other(by: Option<UserId>, kind: &str, content: &str) -> ThreadActivity {
    let text = richtext::strip_record(content);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = if text.is_empty() { format!("[{kind}]") } else { format!("[{kind}] {text}") };
    ThreadActivity::Other { by, what: SafeText::line(&what) }
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
                assert_eq!(thread_activity(activity.kind, &xml), announced);
            }
        }
    }
}
