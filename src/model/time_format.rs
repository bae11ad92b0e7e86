//! How times and dates are shown: `ui.time` and `ui.date`.

use super::text::width;
use super::time::Timestamp;
use jiff::Zoned;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The maximum width in cells of a time beside a message.
const MAX_TIME: usize = 12;
/// The maximum width in cells of a date.
const MAX_DATE: usize = 40;
/// The maximum width in cells of a time in the conversation list.
const MAX_COMPACT: u16 = 7;

/// A format with directives such as `%H`, as strftime has them, that can be applied to every moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomFormat {
    format: String,
    /// The width in cells of the longest result that was found.
    columns: u16,
}

impl CustomFormat {
    /// Checks a format on moments of all months, weekdays and parts of a day.
    fn new(format: &str, most: usize) -> Result<Self, String> {
        if !format.contains('%') {
            return Err("it has no directive such as %H".to_owned());
        }
        let mut columns = 0;
        let mut widest = String::new();
        // Names of zones have up to five letters.
        let zone = TimeZone::posix("ABCDE5").unwrap_or(TimeZone::UTC);
        // Steps of 25 hours and some minutes cover every hour and weekday within a year.
        for step in 0..360_i64 {
            let at = Timestamp(1_767_225_599_999 + step * 91_234_000);
            let text = formatted(format, &at.zoned(&zone))?;
            if text.chars().any(char::is_control) {
                return Err("it contains control characters".to_owned());
            }
            if width(&text) >= columns {
                (columns, widest) = (width(&text), text);
            }
        }
        match columns {
            0 => Err("it shows nothing".to_owned()),
            _ if columns > most => Err(format!("\"{widest}\" is wider than {most} cells")),
            _ => Ok(Self { format: format.to_owned(), columns: columns as u16 }),
        }
    }

    /// `None` if a directive does not fit this moment, or the result is wider than any that was tried.
    fn apply(&self, at: Timestamp, zone: &TimeZone) -> Option<String> {
        let text = formatted(&self.format, &at.zoned(zone)).ok()?;
        (width(&text) <= usize::from(self.columns)).then_some(text)
    }

    fn has_half_days(&self) -> bool {
        ["%I", "%-I", "%_I", "%l", "%p", "%P", "%r"].iter().any(|part| self.format.contains(part))
    }
}

fn formatted(format: &str, at: &Zoned) -> Result<String, String> {
    strtime::format(format, at).map_err(|_| match unknown_directive(format, at) {
        Some(directive) => format!("there is no directive {directive}"),
        None => "the % at its end needs a letter after it".to_owned(),
    })
}

/// The first directive that is not known: a percent sign, flags or a width, and a letter.
fn unknown_directive<'a>(format: &'a str, at: &Zoned) -> Option<&'a str> {
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        let from = rest.get(start..)?;
        let is_flag = |c: char| "-_0^#:.".contains(c) || c.is_ascii_digit();
        let letter = from.char_indices().skip(1).find(|(_, c)| !is_flag(*c));
        let (at_letter, letter) = letter?;
        let end = at_letter + letter.len_utf8();
        let directive = from.get(..end)?;
        if strtime::format(directive, at).is_err() {
            return Some(directive);
        }
        rest = from.get(end..)?;
    }
    None
}

/// How the time of a message is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TimeFormat {
    /// `15:04`.
    #[default]
    Hours24,
    /// `3:04pm`.
    Hours12,
    Custom(CustomFormat),
}

impl TimeFormat {
    /// The time in the reader's zone.
    pub fn show(&self, at: Timestamp, zone: &TimeZone) -> String {
        match self {
            Self::Hours24 => at.clock(zone),
            Self::Hours12 => at.half_day_clock(zone),
            Self::Custom(format) => format.apply(at, zone).unwrap_or_else(|| at.clock(zone)),
        }
    }

    /// The maximum number of cells that [`TimeFormat::show`] takes.
    pub fn columns(&self) -> u16 {
        match self {
            Self::Hours24 => 5,
            Self::Hours12 => MAX_COMPACT,
            // If a directive does not fit, the time is shown with 24 hours.
            Self::Custom(format) => format.columns.max(5),
        }
    }

    /// The time in few cells, for the conversation list and narrow panes.
    pub fn compact(&self, at: Timestamp, zone: &TimeZone) -> String {
        match self {
            Self::Custom(format) if format.columns <= MAX_COMPACT => self.show(at, zone),
            _ if self.compact_columns() > 5 => at.half_day_clock(zone),
            _ => at.clock(zone),
        }
    }

    /// The maximum number of cells that [`TimeFormat::compact`] takes.
    pub fn compact_columns(&self) -> u16 {
        match self {
            Self::Hours12 => MAX_COMPACT,
            Self::Custom(format) if format.columns <= MAX_COMPACT => format.columns.max(5),
            Self::Custom(format) if format.has_half_days() => MAX_COMPACT,
            Self::Hours24 | Self::Custom(_) => 5,
        }
    }
}

impl TryFrom<String> for TimeFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.trim() {
            "24h" => Ok(Self::Hours24),
            "12h" => Ok(Self::Hours12),
            format => CustomFormat::new(format, MAX_TIME).map(Self::Custom).map_err(|why| {
                format!("time is \"24h\", \"12h\" or a format such as \"%H:%M:%S\", not \"{text}\": {why}")
            }),
        }
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hours24 => "24h",
            Self::Hours12 => "12h",
            Self::Custom(format) => &format.format,
        })
    }
}

impl From<TimeFormat> for String {
    fn from(format: TimeFormat) -> Self {
        format.to_string()
    }
}

/// How a day that is neither today nor yesterday is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DateFormat {
    /// `Monday 21 September`, with the year if it is another one.
    #[default]
    Long,
    /// `Mon 21 Sep`, with the year if it is another one.
    Short,
    /// `2026-09-21`.
    Iso,
    Custom(CustomFormat),
}

impl DateFormat {
    /// The day in the reader's zone.
    pub fn day_name(&self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
        if (0..=1).contains(&(now.day(zone) - at.day(zone))) {
            return at.day_name(now, zone);
        }
        match self {
            Self::Long => at.day_name(now, zone),
            Self::Short => at.short_day_name(now, zone),
            Self::Iso => at.numeric_date(zone),
            Self::Custom(format) => {
                format.apply(at, zone).unwrap_or_else(|| at.day_name(now, zone))
            }
        }
    }
}

impl TryFrom<String> for DateFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.trim() {
            "long" => Ok(Self::Long),
            "short" => Ok(Self::Short),
            "iso" => Ok(Self::Iso),
            format => CustomFormat::new(format, MAX_DATE).map(Self::Custom).map_err(|why| {
                format!("date is \"long\", \"short\", \"iso\" or a format such as \"%d.%m.%Y\", not \"{text}\": {why}")
            }),
        }
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Long => "long",
            Self::Short => "short",
            Self::Iso => "iso",
            Self::Custom(format) => &format.format,
        })
    }
}

impl From<DateFormat> for String {
    fn from(format: DateFormat) -> Self {
        format.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Result<TimeFormat, String> {
        TimeFormat::try_from(text.to_owned())
    }

    fn date(text: &str) -> Result<DateFormat, String> {
        DateFormat::try_from(text.to_owned())
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_directive_that_is_not_known_is_named() {
        let wrong = |format: &str| TimeFormat::try_from(format.to_owned()).unwrap_err();
        assert!(wrong("%H:%!").ends_with("there is no directive %!"), "{}", wrong("%H:%!"));
        assert!(wrong("%-Ö").ends_with("there is no directive %-Ö"), "{}", wrong("%-Ö"));
        assert!(
            wrong("%H %").ends_with("the % at its end needs a letter after it"),
            "{}",
            wrong("%H %")
        );
    }

    #[test]
    fn times_are_shown_in_24_or_12_hours_or_as_the_user_writes() {
        let shown = |format: &str, clock: &str| {
            let format = time(format).unwrap();
            let at = at(&format!("2026-09-22T{clock}:07Z"));
            let (full, compact) =
                (format.show(at, &TimeZone::UTC), format.compact(at, &TimeZone::UTC));
            assert!(width(&full) <= usize::from(format.columns()), "{full}");
            assert!(width(&compact) <= usize::from(format.compact_columns()), "{compact}");
            (full, compact)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(shown("24h", "09:05"), pair("09:05", "09:05"));
        assert_eq!(shown("12h", "00:05"), pair("12:05am", "12:05am"));
        assert_eq!(shown("12h", "12:00"), pair("12:00pm", "12:00pm"));
        assert_eq!(shown(" 12h ", "21:05"), pair("9:05pm", "9:05pm"));
        assert_eq!(shown("%H:%M:%S", "21:05"), pair("21:05:07", "21:05"));
        assert_eq!(shown("%I.%M %p", "21:05"), pair("09.05 PM", "9:05pm"));
        assert_eq!(shown("%Hh%M", "21:05"), pair("21h05", "21h05"));
    }

    #[test]
    fn days_are_named_as_the_user_chose_and_today_stays_today() {
        let now = at("2026-09-22T10:00:00Z");
        let shown = |format: &str, day: &str| {
            date(format).unwrap().day_name(at(&format!("{day}T12:00:00Z")), now, &TimeZone::UTC)
        };
        for format in ["long", "short", "iso", "%d.%m.%Y"] {
            assert_eq!(shown(format, "2026-09-22"), "Today");
            assert_eq!(shown(format, "2026-09-21"), "Yesterday");
        }
        assert_eq!(shown("long", "2026-09-14"), "Monday 14 September");
        assert_eq!(shown("short", "2026-09-14"), "Mon 14 Sep");
        assert_eq!(shown("short", "2016-01-01"), "Fri 1 Jan 2016");
        assert_eq!(shown("iso", "2026-09-14"), "2026-09-14");
        assert_eq!(shown("%d.%m.%Y", "2026-09-14"), "14.09.2026");
    }

    #[test]
    fn a_format_that_cannot_be_shown_is_refused_with_the_reason() {
        for (text, why) in [
            ("13h", "no directive"),
            ("", "no directive"),
            ("%", "%"),
            ("%!", "!"),
            ("%H%n%M", "control characters"),
            ("%A %B %d %H:%M", "wider than 12 cells"),
            ("%%%%%%%%%%%%%%%%%%%%%%%%%%", "wider than 12 cells"),
        ] {
            let error = time(text).unwrap_err();
            assert!(error.starts_with("time is \"24h\"") && error.contains(why), "{error}");
        }
        assert!(date("tomorrow").unwrap_err().contains("no directive"));
        assert!(date("%").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_format_or_refused_and_what_is_accepted_never_fails(
            text in "(%[-_0^#]?[0-9]{0,3}[:.]?[a-zA-Z%]|\\PC){0,5}",
            ms in 0i64..253_402_300_799_999,
            offset in -12i8..=12,
        ) {
            let zone = TimeZone::fixed(jiff::tz::offset(offset));
            if let Ok(format) = time(&text) {
                let shown = format.show(Timestamp(ms), &zone);
                prop_assert!(width(&shown) <= usize::from(format.columns()), "{:?}", shown);
                prop_assert_eq!(time(&format.to_string()).unwrap(), format);
            }
            if let Ok(format) = date(&text) {
                let shown = format.day_name(Timestamp(ms), Timestamp(0), &zone);
                prop_assert!(width(&shown) <= MAX_DATE, "{:?}", shown);
            }
        }
    }
}
