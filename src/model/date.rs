//! Dates as people type them, and months of the calendar.

use super::time::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};

/// A day, month or year in the reader's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    pub first: Timestamp,
    /// The first moment after it.
    pub next: Timestamp,
    /// Its name: `9 March 2016`, `March 2016`, `2016`.
    pub name: String,
}

/// How much of a date was given.
#[derive(Clone, Copy)]
enum Precision {
    Day,
    Month,
    Year,
}

/// Reads a date in any common form: `2016`, `2016-03`, `9.3.2016`, `3/9/2016`, `9 March 2016`, `mar 2016`, `yesterday`,
/// `friday`, `3 weeks ago`. A form without a year means the last such day or month. In `3/9/2016` the day comes first
/// unless only the other order is possible.
pub fn period(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Period> {
    let today = zone.to_datetime(instant(now)).date();
    let text = text.trim().to_lowercase();
    let (date, precision) = relative(&text, today)
        .or_else(|| with_names(&text, today))
        .or_else(|| in_numbers(&text))?;
    let (first, length, form) = match precision {
        Precision::Day => (date, 1.day(), "%-d %B %Y"),
        Precision::Month => (date.first_of_month(), 1.month(), "%B %Y"),
        Precision::Year => (date.first_of_year(), 1.year(), "%Y"),
    };
    let next = first.checked_add(length).ok()?;
    let name = first.strftime(form).to_string();
    Some(Period { first: midnight(first, zone)?, next: midnight(next, zone)?, name })
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = date.to_zoned(zone.clone()).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// `today`, `friday`, `last month`, `3 weeks ago`.
fn relative(text: &str, today: Date) -> Option<(Date, Precision)> {
    let ago = |span: Span| today.checked_sub(span).ok();
    let unit = |name: &str, count: i64| {
        let span = Span::new();
        Some(match name.trim_end_matches('s') {
            "day" => (ago(span.try_days(count).ok()?)?, Precision::Day),
            "week" => (ago(span.try_weeks(count).ok()?)?, Precision::Day),
            "month" => (ago(span.try_months(count).ok()?)?, Precision::Month),
            "year" => (ago(span.try_years(count).ok()?)?, Precision::Year),
            _ => return None,
        })
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["today"] => Some((today, Precision::Day)),
        ["yesterday"] => unit("day", 1),
        ["this", name] => unit(name, 0),
        ["last", name] if unit(name, 1).is_some() => unit(name, 1),
        ["a" | "an" | "one", name, "ago"] => unit(name, 1),
        [count, name, "ago"] => unit(name, count.parse().ok()?),
        ["last", name] | [name] => {
            let weekday = weekday(name)?;
            // The last one that is over: on a Friday, `friday` is a week ago.
            Some((today.nth_weekday(-1, weekday).ok()?, Precision::Day))
        }
        _ => None,
    }
}

/// The only name in a list that begins like this, with three letters at least.
fn named<T: Copy>(text: &str, names: &[(&str, T)]) -> Option<T> {
    let found = names.iter().find(|(name, _)| text.len() >= 3 && name.starts_with(text));
    found.map(|(_, value)| *value)
}

fn weekday(text: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    named(text, &NAMES)
}

fn month(text: &str) -> Option<i8> {
    const NAMES: [(&str, i8); 13] = [
        ("january", 1),
        ("february", 2),
        ("march", 3),
        ("april", 4),
        ("may", 5),
        ("june", 6),
        ("july", 7),
        ("august", 8),
        ("sept", 9),
        ("september", 9),
        ("october", 10),
        ("november", 11),
        ("december", 12),
    ];
    named(text, &NAMES)
}

/// Day, month and year in any order, with the month by its name. Without a year it is the last such day.
fn with_names(text: &str, today: Date) -> Option<(Date, Precision)> {
    let (mut day, mut the_month, mut year) = (None, None, None);
    let words = text.split(|c: char| c.is_whitespace() || ",.-/".contains(c));
    for word in words.filter(|word| !word.is_empty() && !["of", "the"].contains(word)) {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if let Some(number) = month(word) {
            the_month.replace(number).is_none().then_some(())?;
        } else if weekday(word).is_some() {
            // `Friday 4 March`: the date says it already.
        } else if let (4, Ok(number)) = (word.len(), word.parse::<i16>()) {
            year.replace(number).is_none().then_some(())?;
        } else if let (Ok(number), "" | "st" | "nd" | "rd" | "th") =
            (digits.parse::<i8>(), word.strip_prefix(digits).unwrap_or_default())
        {
            day.replace(number).is_none().then_some(())?;
        } else {
            return None;
        }
    }
    let the_month = the_month?;
    let precision = if day.is_some() { Precision::Day } else { Precision::Month };
    let of = |year: i16| Date::new(year, the_month, day.unwrap_or(1)).ok();
    let date = match year {
        Some(year) => of(year)?,
        // The 29th of February does not come every year.
        None => (0..8).filter_map(|back| of(today.year() - back)).find(|date| *date <= today)?,
    };
    is_plausible(date).then_some((date, precision))
}

/// Years, months and days in digits.
fn in_numbers(text: &str) -> Option<(Date, Precision)> {
    let parts: Vec<&str> =
        text.split(['-', '.', '/', ' ']).filter(|part| !part.is_empty()).collect();
    let number = |part: &str| part.parse::<i16>().ok();
    let short = |part: &str| (part.len() <= 2).then(|| part.parse::<i8>().ok()).flatten();
    let (date, precision) = match parts.as_slice() {
        [all] if all.len() == 8 => {
            let (year, rest) = all.split_at_checked(4)?;
            let (month, day) = rest.split_at_checked(2)?;
            (Date::new(number(year)?, short(month)?, short(day)?).ok()?, Precision::Day)
        }
        [year] if year.len() == 4 => (Date::new(number(year)?, 1, 1).ok()?, Precision::Year),
        [year, month] if year.len() == 4 => {
            (Date::new(number(year)?, short(month)?, 1).ok()?, Precision::Month)
        }
        [month, year] if year.len() == 4 => {
            (Date::new(number(year)?, short(month)?, 1).ok()?, Precision::Month)
        }
        [year, month, day] if year.len() == 4 => {
            (Date::new(number(year)?, short(month)?, short(day)?).ok()?, Precision::Day)
        }
        [one, other, year] if year.len() == 4 => {
            let (year, one, other) = (number(year)?, short(one)?, short(other)?);
            let date = Date::new(year, other, one).or_else(|_| Date::new(year, one, other));
            (date.ok()?, Precision::Day)
        }
        _ => return None,
    };
    is_plausible(date).then_some((date, precision))
}

/// No message is older than the epoch that its time is counted from.
fn is_plausible(date: Date) -> bool {
    (1970..=2200).contains(&date.year())
}

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Month {
    pub year: i16,
    /// From 1 to 12.
    pub month: i8,
}

impl Month {
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let date = zone.to_datetime(instant(at)).date();
        Self { year: date.year(), month: date.month() }
    }

    /// When the month after it begins; the end of time if there is none.
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        let next = Self::from_number(self.number() + 1);
        let date = Date::new(next.year, next.month, 1).ok();
        date.and_then(|date| midnight(date, zone)).unwrap_or(Timestamp(i64::MAX))
    }

    /// Counts months, so that neighbours differ by one.
    pub fn number(self) -> i32 {
        i32::from(self.year) * 12 + i32::from(self.month) - 1
    }

    pub fn from_number(number: i32) -> Self {
        let year = i16::try_from(number.div_euclid(12)).unwrap_or(i16::MAX);
        Self { year, month: i8::try_from(number.rem_euclid(12) + 1).unwrap_or(1) }
    }

    /// `Mar`.
    pub fn short_name(self) -> &'static str {
        const NAMES: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let at = usize::try_from(self.month - 1).unwrap_or(0);
        NAMES.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        // A Thursday.
        Timestamp::parse("2026-11-26T10:00:00Z").unwrap()
    }

    fn name(text: &str) -> Option<String> {
        period(text, now(), &TimeZone::UTC).map(|period| period.name)
    }

    #[test]
    fn common_forms_of_a_date_are_read() {
        let same_day = [
            "2016-03-09",
            "2016-3-9",
            "2016/03/09",
            "20160309",
            "9.3.2016",
            "09.03.2016",
            "9/3/2016",
            "9 March 2016",
            "March 9, 2016",
            "mar 9 2016",
            "9th of March 2016",
            "wed 9 mar 2016",
            " 9-Mar-2016 ",
            "2016 march 9",
        ];
        for text in same_day {
            assert_eq!(name(text).as_deref(), Some("9 March 2016"), "{text}");
        }
        for text in ["2016-03", "3/2016", "03.2016", "March 2016", "MAR 2016", "2016 mar"] {
            assert_eq!(name(text).as_deref(), Some("March 2016"), "{text}");
        }
        for (text, expected) in [
            ("2016", "2016"),
            ("3/31/2016", "31 March 2016"),
            ("today", "26 November 2026"),
            ("yesterday", "25 November 2026"),
            ("3 days ago", "23 November 2026"),
            ("2 weeks ago", "12 November 2026"),
            ("last month", "October 2026"),
            ("a year ago", "2025"),
            ("10 years ago", "2016"),
            ("friday", "20 November 2026"),
            ("last thu", "19 November 2026"),
            ("24 december", "24 December 2025"),
            ("march", "March 2026"),
            ("29 feb", "29 February 2024"),
            ("sept 2019", "September 2019"),
        ] {
            assert_eq!(name(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_date_is_not_guessed() {
        for text in [
            "",
            "soon",
            "13",
            "2016-13",
            "31.2.2016",
            "ma",
            "0016",
            "99999 years ago",
            "9 9 march",
            "12:30",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_ends_where_the_next_begins_in_the_zone_of_the_reader() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let march = period("2016-03", now(), &zone).unwrap();
        assert_eq!(march.first.rfc3339(), "2016-02-29T23:00:00.000Z");
        assert_eq!(march.next.rfc3339(), "2016-03-31T22:00:00.000Z");
        let month = Month::of(march.first, &zone);
        assert_eq!((month, month.end(&zone)), (Month { year: 2016, month: 3 }, march.next));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            if let Some(period) = period(&text, now(), &TimeZone::UTC) {
                prop_assert!(period.first < period.next);
            }
        }
    }
}
