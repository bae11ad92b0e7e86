//! What the user has chosen about notifications: in the configuration, and for a single conversation.

use super::fold::folded;
use super::time::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `[notifications]`: what draws attention outside the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationPreferences {
    pub desktop: DesktopWay,
    /// A program and its arguments. `{title}` and `{text}` in them are replaced; without them both are appended.
    pub command: Vec<String>,
    /// The terminal's bell rings with each notification.
    pub bell: bool,
    pub show: NotificationDetail,
    /// For conversations without a choice of their own.
    pub about: NotifyAbout,
    /// Words that count like a mention.
    pub keywords: Vec<String>,
    pub quiet_hours: QuietHours,
    /// Notifications in the demo, too.
    pub demo: bool,
}

/// What shows a notification: the terminal, asked by an escape sequence, or the desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DesktopWay {
    /// An escape sequence in known terminals; in others the desktop's service, or the bell if there is none.
    #[default]
    Auto,
    Osc9,
    Osc777,
    Osc99,
    /// The notification service of the desktop, over D-Bus.
    Dbus,
    Off,
}

/// How much a notification says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationDetail {
    /// Only that there is a new message.
    Nothing,
    /// The name of the conversation.
    #[default]
    Name,
    /// The name of the conversation, who wrote, and the text.
    Text,
}

/// Which messages of a conversation are notified about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotifyAbout {
    #[default]
    All,
    /// Those that mention the user or contain a keyword.
    Mentions,
    Nothing,
}

impl NotifyAbout {
    /// The words for the user.
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "all messages",
            Self::Mentions => "mentions and keywords",
            Self::Nothing => "nothing",
        }
    }
}

/// The hours of the day without notifications: `22:00-07:00`, or empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuietHours(Option<(u16, u16)>);

impl QuietHours {
    /// Whether a moment is within these hours. The end is not included; they may go past midnight.
    pub fn contain(self, at: Timestamp, zone: &TimeZone) -> bool {
        let Some((from, to)) = self.0 else { return false };
        let minute = at.minute_of_day(zone);
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

impl TryFrom<String> for QuietHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        let minute = |time: &str| {
            let (hours, minutes) = time.trim().split_once(':')?;
            let digits = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
            let (hours, minutes) = Some((hours, minutes))
                .filter(|(hours, minutes)| digits(hours) && digits(minutes))?;
            let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
            (hours <= 24 && minutes < 60 && hours * 60 + minutes <= 24 * 60)
                .then_some(hours * 60 + minutes)
        };
        let hours = text.split_once(['-', '–']);
        let hours = hours.and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        match hours {
            Some((from, to)) if from != to => Ok(Self(Some((from, to)))),
            _ => Err(format!("quiet_hours is \"{text}\", not two times such as \"22:00-07:00\"")),
        }
    }
}

impl From<QuietHours> for String {
    fn from(hours: QuietHours) -> Self {
        hours.to_string()
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((from, to)) = self.0 else { return Ok(()) };
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Whether a text contains one of these words, regardless of case and accents. A word may have spaces. In scripts that
/// are written without spaces, a part of a longer word counts.
pub fn has_keyword(text: &str, keywords: &[String]) -> bool {
    /// Scripts without spaces between words begin here.
    const UNSPACED: char = '\u{2E80}';
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c < UNSPACED);
    if keywords.is_empty() {
        return false;
    }
    let text = folded(text);
    let is_in = |keyword: &str| {
        text.match_indices(keyword).any(|(at, found)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
            let begins = !(joins(before) && joins(found.chars().next()));
            begins && !(joins(after) && joins(found.chars().next_back()))
        })
    };
    let keywords = keywords.iter().map(|keyword| folded(keyword.trim()));
    keywords.filter(|keyword| !keyword.is_empty()).any(|keyword| is_in(&keyword))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Result<QuietHours, String> {
        QuietHours::try_from(text.to_owned())
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_end_on_the_minute() {
        let at = |clock: &str| Timestamp::parse(&format!("2026-09-22T{clock}:00Z")).unwrap();
        let is_quiet =
            |text: &str, clock: &str| hours(text).unwrap().contain(at(clock), &TimeZone::UTC);
        for clock in ["22:00", "23:59", "00:00", "06:59"] {
            assert!(is_quiet("22:00-07:00", clock), "{clock}");
        }
        for clock in ["07:00", "12:00", "21:59"] {
            assert!(!is_quiet("22:00 - 7:00", clock), "{clock}");
        }
        assert!(is_quiet("12:30-13:00", "12:30") && !is_quiet("12:30-13:00", "13:00"));
        assert!(is_quiet("22:00-24:00", "23:59") && !is_quiet("", "23:59"));
        assert_eq!(hours("9:05–17:00").unwrap().to_string(), "09:05-17:00");
    }

    #[test]
    fn quiet_hours_that_are_no_hours_are_refused() {
        for text in [
            "22",
            "22:00",
            "25:00-7:00",
            "24:01-7:00",
            "1:60-2:00",
            "7:00-7:00",
            "a-b",
            "+1:00-2:00",
        ] {
            assert!(hours(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_keyword_is_a_whole_word_in_any_case() {
        let has = |text: &str, word: &str| has_keyword(text, &[word.to_owned()]);
        assert!(has("The ÜBER-release, today", "release") && has("Über alles", "uber"));
        assert!(has("go to the big river.", "Big River") && has("C++ it is", "c++"));
        assert!(has("明日会議があります", "会議"));
        for (text, word) in [("category", "cat"), ("concat", "cat"), ("text", ""), ("text", "  ")] {
            assert!(!has(text, word), "{text}: {word}");
        }
    }
}
