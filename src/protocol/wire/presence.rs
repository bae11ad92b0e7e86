//! Answers of the presence service (facts 8.12).

use super::WireError;
use crate::model::{Availability, PersonPresence, SafeText, Timestamp, UserId};
use crate::protocol::html;
use crate::protocol::lenient::{self, Items, Text};
use serde::Deserialize;

/// The longest note that is read, in bytes.
const LONGEST_NOTE: usize = 4_096;

/// Reads who is available. People of whom the service says nothing are left out.
///
/// # Errors
/// If the answer holds no list.
pub fn presences(body: &str) -> Result<Vec<(UserId, PersonPresence)>, WireError> {
    /// The list is bare in answers, and in an object in events.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct PresenceList<'a> {
        #[serde(borrow)]
        presence: Items<'a>,
        #[serde(borrow)]
        value: Items<'a>,
    }
    let bare: Items<'_> = serde_json::from_str(body).map_err(|_| WireError::NotJson)?;
    let list = if let Some(list) = bare.0 {
        list
    } else {
        let named: PresenceList<'_> = serde_json::from_str(body).unwrap_or_default();
        named.presence.0.or(named.value.0).ok_or(WireError::Missing("presence"))?
    };
    Ok(list.iter().filter_map(|item| person(item.get())).collect())
}

fn person(item: &str) -> Option<(UserId, PersonPresence)> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct PersonItem<'a> {
        #[serde(borrow)]
        mri: Text<'a>,
        #[serde(borrow, deserialize_with = "lenient::object_or_default")]
        presence: PresenceBody<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct PresenceBody<'a> {
        #[serde(borrow)]
        availability: Text<'a>,
        #[serde(borrow)]
        activity: Text<'a>,
        #[serde(borrow, rename = "lastActiveTime")]
        last_active: Text<'a>,
        #[serde(borrow, deserialize_with = "lenient::object_or_default")]
        note: NoteBody<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct NoteBody<'a> {
        #[serde(borrow)]
        message: Text<'a>,
        #[serde(borrow)]
        expiry: Text<'a>,
    }
    let PersonItem { mri, presence } = serde_json::from_str(item).ok()?;
    let id = UserId::new(mri.some()?);
    let found = PersonPresence {
        availability: availability(presence.availability.as_str()),
        activity: SafeText::line(activity(presence.activity.as_str())),
        note: note(presence.note.message.as_str()),
        note_until: presence.note.expiry.some().and_then(Timestamp::parse),
        last_active: presence.last_active.some().and_then(Timestamp::parse).filter(|t| t.0 > 0),
    };
    (found != PersonPresence::default()).then_some((id, found))
}

/// Idle people are shown as away, because that is what it means to somebody who waits for an answer.
fn availability(word: &str) -> Option<Availability> {
    Some(match word.to_ascii_lowercase().as_str() {
        "available" => Availability::Available,
        "availableidle" | "away" | "berightback" => Availability::Away,
        "busy" | "busyidle" => Availability::Busy,
        "donotdisturb" => Availability::DoNotDisturb,
        "offline" => Availability::Offline,
        _ => return None,
    })
}

/// The words of an activity that says more than the availability.
fn activity(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "inacall" => "in a call",
        "inameeting" | "inaconferencecall" => "in a meeting",
        "presenting" => "presenting",
        "berightback" => "back soon",
        "outofoffice" => "out of office",
        "offwork" => "off work",
        "focusing" => "focusing",
        _ => "",
    }
}

/// A note in one line. Notes can be HTML, with an empty element that marks them as pinned.
fn note(message: &str) -> SafeText {
    if message.len() > LONGEST_NOTE {
        return SafeText::default();
    }
    let text = if message.contains('<') {
        html::parse(message, &[]).plain_text()
    } else {
        message.to_owned()
    };
    SafeText::line(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_available_is_read_with_words_note_and_time() {
        let body = r#"[{"mri":"8:live:joe","presence":{"availability":"Busy","activity":"InACall","deviceType":"Desktop",
            "lastActiveTime":"2026-11-26T09:41:00.000Z","note":{"message":"<p>on a <b>train</b></p><pinnednote></pinnednote>",
            "expiry":"2026-11-27T00:00:00Z"},"calendarData":{}},"etag":"1","status":20000}]"#;
        let found = presences(body).unwrap();
        let [(id, joe)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((id.as_str(), joe.availability), ("8:live:joe", Some(Availability::Busy)));
        assert_eq!((joe.words().as_str(), joe.note.as_str()), ("busy, in a call", "on a train"));
        assert_eq!(joe.last_active, Timestamp::parse("2026-11-26T09:41:00Z"));
        assert_eq!(joe.note_until, Timestamp::parse("2026-11-27T00:00:00Z"));
    }

    #[test]
    fn every_availability_is_known_in_any_case() {
        let word = |word: &str| {
            let body = format!(
                r#"[{{"mri":"8:a","presence":{{"availability":"{word}","activity":"x"}}}}]"#
            );
            presences(&body).unwrap().first().and_then(|(_, found)| found.availability)
        };
        for (name, expected) in [
            ("Available", Availability::Available),
            ("AvailableIdle", Availability::Away),
            ("Away", Availability::Away),
            ("BeRightBack", Availability::Away),
            ("Busy", Availability::Busy),
            ("BusyIdle", Availability::Busy),
            ("DoNotDisturb", Availability::DoNotDisturb),
            ("donotdisturb", Availability::DoNotDisturb),
            ("Offline", Availability::Offline),
        ] {
            assert_eq!(word(name), Some(expected), "{name}");
        }
        assert_eq!(word("PresenceUnknown"), None);
        assert_eq!(word(""), None);
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_the_rest_is_kept() {
        let body = r#"[null, 5, {}, {"mri":"8:a"}, {"mri":"8:b","presence":null,"status":40400},
            {"mri":"8:c","presence":{"availability":5,"note":"text","lastActiveTime":{}}},
            {"mri":"8:d","presence":{"availability":"Away","note":[],"lastActiveTime":""}}]"#;
        let found = presences(body).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, UserId::new("8:d"));
        assert_eq!(presences(r#"{"presence":[]}"#).unwrap(), []);
        assert!(presences("{}").is_err() && presences("<html>").is_err());
    }
}
