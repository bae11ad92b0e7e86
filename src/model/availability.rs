//! Whether people can be reached, according to their service.

use super::text::SafeText;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How a person can be reached (facts 8.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    Available,
    Away,
    Busy,
    DoNotDisturb,
    Offline,
}

impl Availability {
    /// The symbol beside a name: each has a different shape, for those who see no colours.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Available => "●",
            Self::Away => "◐",
            Self::Busy => "◆",
            Self::DoNotDisturb => "■",
            Self::Offline => "○",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Away => "away",
            Self::Busy => "busy",
            Self::DoNotDisturb => "do not disturb",
            Self::Offline => "offline",
        }
    }
}

/// What a service says about a person at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonPresence {
    /// `None`: the service does not say.
    pub availability: Option<Availability>,
    /// What the person is doing, in words; empty if that adds nothing.
    pub activity: SafeText,
    /// What the person has written for others to see; empty if there is nothing.
    pub note: SafeText,
    /// When the note ends; `None` if it does not.
    pub note_until: Option<Timestamp>,
    pub last_active: Option<Timestamp>,
}

impl PersonPresence {
    /// The availability and the activity in words; empty if nothing is known.
    pub fn words(&self) -> String {
        let availability = self.availability.map(Availability::words).unwrap_or_default();
        let parts = [availability, self.activity.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// The note, while it is valid.
    pub fn note_at(&self, now: Timestamp) -> Option<&SafeText> {
        let is_valid = self.note_until.is_none_or(|until| now < until);
        Some(&self.note).filter(|note| is_valid && !note.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_ends_when_its_author_said_so() {
        let note_until = Some(Timestamp(5_000));
        let presence = PersonPresence {
            note: SafeText::line("on a train"),
            note_until,
            ..PersonPresence::default()
        };
        assert_eq!(presence.note_at(Timestamp(4_999)).map(SafeText::as_str), Some("on a train"));
        assert_eq!(presence.note_at(Timestamp(5_000)), None);
        let endless = PersonPresence { note_until: None, ..presence };
        assert!(endless.note_at(Timestamp(i64::MAX)).is_some());
        assert_eq!(PersonPresence::default().note_at(Timestamp(0)), None);
    }
}
