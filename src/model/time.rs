//! Time. The wall clock is for showing only; every wait and deadline is on the monotonic one.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Milliseconds since 1970 in UTC, as the protocol counts.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Timestamp(pub i64);

/// The two clocks as read once for one input.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq)]
pub struct Now {
    /// For display only.
    pub wall: Timestamp,
    /// Since the program started; deadlines are on this one.
    pub mono: Duration,
}

/// Numbers that are seconds and not milliseconds: from 2001 on in seconds, early 1970 in milliseconds.
const SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;

impl Timestamp {
    /// Reads RFC 3339 with any number of fraction digits, or milliseconds as digits, which may have decimals. Numbers
    /// of ten digits that would lie in the spring of 1970 are seconds (facts 3.1).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
            if decimals.contains('.') {
                return None;
            }
            let number: i64 = whole.parse().ok()?;
            let at = if SECONDS.contains(&number) { number * 1000 } else { number };
            return Some(Self(at)).filter(|t| t.is_sane());
        }
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|t| Self(t.as_millisecond()))
            .filter(|t| t.is_sane())
    }

    /// From 1970 to the year 9999: other times are not valid for a message.
    fn is_sane(self) -> bool {
        (0..=253_402_300_799_999).contains(&self.0)
    }

    fn utc(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The moment in a zone.
    pub fn zoned(self, zone: &TimeZone) -> jiff::Zoned {
        self.utc().to_zoned(zone.clone())
    }

    /// RFC 3339 in UTC with milliseconds and `Z`.
    pub fn rfc3339(self) -> String {
        self.utc().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// Hours and minutes in the reader's zone, always five cells.
    pub fn clock(self, zone: &TimeZone) -> String {
        let at = zone.to_datetime(self.utc());
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// Hours from 1 to 12 and minutes in the reader's zone, with the half of the day.
    pub fn half_day_clock(self, zone: &TimeZone) -> String {
        let at = zone.to_datetime(self.utc());
        let half = if at.hour() < 12 { "am" } else { "pm" };
        format!("{}:{:02}{half}", (at.hour() + 11) % 12 + 1, at.minute())
    }

    /// The minute of the day in the reader's zone, from 0 to 1439.
    pub fn minute_of_day(self, zone: &TimeZone) -> u16 {
        let at = zone.to_datetime(self.utc());
        u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0)
    }

    /// The calendar day in the reader's zone, counted so that neighbouring days differ by one.
    pub fn day(self, zone: &TimeZone) -> i64 {
        let offset = zone.to_offset(self.utc()).seconds();
        self.0.saturating_add(i64::from(offset) * 1000).div_euclid(86_400_000)
    }

    /// `Today`, `Yesterday`, `Monday 21 September`, and with the year where it is not the current one.
    pub fn day_name(self, now: Timestamp, zone: &TimeZone) -> String {
        match now.day(zone) - self.day(zone) {
            0 => "Today".into(),
            1 => "Yesterday".into(),
            _ => {
                let at = zone.to_datetime(self.utc());
                let same_year = at.year() == zone.to_datetime(now.utc()).year();
                at.strftime(if same_year { "%A %-d %B" } else { "%A %-d %B %Y" }).to_string()
            }
        }
    }

    /// `Mon 21 Sep`, and with the year where it is not the current one.
    pub fn short_day_name(self, now: Timestamp, zone: &TimeZone) -> String {
        let at = zone.to_datetime(self.utc());
        let same_year = at.year() == zone.to_datetime(now.utc()).year();
        at.strftime(if same_year { "%a %-d %b" } else { "%a %-d %b %Y" }).to_string()
    }

    /// `Monday 21 September 2026`.
    pub fn date_name(self, zone: &TimeZone) -> String {
        zone.to_datetime(self.utc()).strftime("%A %-d %B %Y").to_string()
    }

    /// `9 March 2016`.
    pub fn date(self, zone: &TimeZone) -> String {
        zone.to_datetime(self.utc()).strftime("%-d %B %Y").to_string()
    }

    /// `2016-03-09`.
    pub fn numeric_date(self, zone: &TimeZone) -> String {
        zone.to_datetime(self.utc()).strftime("%Y-%m-%d").to_string()
    }

    /// At most five cells for the conversation list: `12:03` today, `Sun` this week, `4 Aug`, `2019`.
    pub fn short(self, now: Timestamp, zone: &TimeZone) -> String {
        let at = zone.to_datetime(self.utc());
        let age = now.day(zone) - self.day(zone);
        match age {
            i64::MIN..=0 => self.clock(zone),
            1..=6 => at.strftime("%a").to_string(),
            7..=300 => at.strftime("%-d%b").to_string(),
            _ => at.strftime("%Y").to_string(),
        }
    }

    /// The wall time of the next midnight in the reader's zone.
    #[must_use]
    pub fn next_midnight(self, zone: &TimeZone) -> Timestamp {
        let tomorrow = zone.to_datetime(self.utc()).date().tomorrow().ok();
        tomorrow
            .and_then(|day| day.to_zoned(zone.clone()).ok())
            .map_or(Timestamp(self.0 + 86_400_000), |at| Timestamp(at.timestamp().as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_wire_reads() {
        for text in [
            "2016-01-01T00:00:00.000Z",
            "2016-01-01T00:00:00Z",
            "2016-01-01T00:00:00.0000000Z",
            "1451606400000",
            "1451606400000.0",
            "1451606400000.25",
            "1451606400",
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp(1_451_606_400_000)), "{text}");
        }
        for text in ["yesterday", "", ".", ".5", "1.x", "99999999999999999999", "-1"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        assert_eq!(Timestamp::parse("50"), Some(Timestamp(50)));
        assert_eq!(Timestamp(1_451_606_400_072).rfc3339(), "2016-01-01T00:00:00.072Z");
    }

    #[test]
    fn days_have_names_relative_to_now() {
        let utc = TimeZone::UTC;
        let now = Timestamp::parse("2026-09-22T10:00:00Z").unwrap();
        let name = |t: &str| Timestamp::parse(t).unwrap().day_name(now, &utc);
        assert_eq!(name("2026-09-22T00:00:00Z"), "Today");
        assert_eq!(name("2026-09-21T23:59:59Z"), "Yesterday");
        assert_eq!(name("2026-09-14T12:00:00Z"), "Monday 14 September");
        assert_eq!(name("2016-01-01T12:00:00Z"), "Friday 1 January 2016");
        let short = |t: &str| Timestamp::parse(t).unwrap().short(now, &utc);
        assert_eq!(short("2026-09-22T09:05:00Z"), "09:05");
        assert_eq!(short("2026-09-20T09:05:00Z"), "Sun");
        assert_eq!(short("2026-08-04T09:05:00Z"), "4Aug");
        assert_eq!(short("2019-08-04T09:05:00Z"), "2019");
    }
}
