//! The timeline beside the messages while the view is scrolled up: years and months of the conversation from top to
//! bottom, and the position of the view.

use super::layout::{Layout, Rect};
use super::{MessagesView, Want};
use crate::app::chat::{Anchor, Chat};
use crate::app::state::AppState;
use crate::model::ChatStatistics;
use crate::model::date::Month;

/// The least distance in rows between two labels.
const STEP: i32 = 2;
/// In a smaller pane (columns, rows), the messages need all the room.
const SMALLEST: (u16, u16) = (48, 8);

/// A label in a row of the message pane, at its right edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailLabel {
    pub row: u16,
    pub text: String,
    /// It marks the position of the view.
    pub is_here: bool,
}

/// Requests the message counts that the labels and the details pane are made from, if they are needed.
pub fn want(chat: &Chat, layout: Option<Layout>) -> Option<Want> {
    let is_needed = layout.is_some_and(|layout| layout.details.is_some()) || !chat.is_at_bottom();
    let is_asked = chat.paging.statistics.is_asked;
    (is_needed && !is_asked).then(|| Want::Statistics(chat.chat_ref()))
}

/// Updates the labels of the message pane, after its rows.
pub fn update(messages: &mut MessagesView, app: &AppState, area: Rect, bare: bool) {
    let top = messages.rows.iter().find_map(|row| row.key.as_ref()).map(|key| key.at);
    let has_room = !bare && area.width >= SMALLEST.0 && area.height >= SMALLEST.1;
    let chat = app.opened().filter(|chat| has_room && matches!(chat.anchor, Anchor::At { .. }));
    let rail = chat.and_then(|chat| {
        let counted = chat.paging.statistics.counted.as_ref()?;
        Some(labels(counted, Month::of(top?, &app.prefs.zone), area.height))
    });
    let rail = rail.unwrap_or_default();
    if messages.rail != rail {
        messages.rail = rail;
        messages.stamp += 1;
    }
}

/// The labels for a pane of this height, whose top row is from the month `here`.
fn labels(counted: &ChatStatistics, here: Month, height: u16) -> Vec<RailLabel> {
    let ends = (counted.months.first(), counted.months.last());
    let (Some((first, _)), Some((last, _))) = ends else { return Vec::new() };
    let (first, last) = (first.number().min(here.number()), last.number().max(here.number()));
    let span = last - first;
    if span == 0 {
        return Vec::new();
    }
    let rows = i32::from(height) - 1;
    let row_of = |month: i32| (month - first) * rows / span;
    let text = format!("‹ {} {}", here.short_name(), here.year);
    let mut labels = vec![(row_of(here.number()), text, true)];
    let mut add = |month: i32, text: String| {
        let row = row_of(month);
        if labels.iter().all(|(taken, ..)| (taken - row).abs() >= STEP) {
            labels.push((row, text, false));
        }
    };
    // Every year, or every second, fifth and so on if there is no room for all.
    let has_room = |years: &i32| years * 12 * rows / span >= STEP;
    let every = [1, 2, 5, 10, 20, 50].into_iter().find(has_room).unwrap_or(100);
    add(first, Month::from_number(first).year.to_string());
    for year in first.div_euclid(12) + 1..=last.div_euclid(12) {
        if year % every == 0 {
            add(year * 12, year.to_string());
        }
    }
    for every in [1, 3] {
        if every * rows / span < STEP {
            continue;
        }
        for month in (first..=last).filter(|month| month % every == 0 && month % 12 != 0) {
            add(month, Month::from_number(month).short_name().to_owned());
        }
        break;
    }
    labels.sort_by_key(|(row, ..)| *row);
    let label =
        |(row, text, is_here)| RailLabel { row: u16::try_from(row).unwrap_or(0), text, is_here };
    labels.into_iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(first: (i16, i8), last: (i16, i8)) -> ChatStatistics {
        let month = |(year, month)| (Month { year, month }, 1);
        ChatStatistics { months: vec![month(first), month(last)], ..ChatStatistics::default() }
    }

    fn rail(first: (i16, i8), last: (i16, i8), here: (i16, i8), height: u16) -> String {
        let here = Month { year: here.0, month: here.1 };
        let labels = labels(&counted(first, last), here, height);
        let texts: Vec<String> = labels.iter().map(|l| format!("{}:{}", l.row, l.text)).collect();
        texts.join(" ")
    }

    #[test]
    fn years_stand_where_there_is_room_and_months_where_there_is_more() {
        assert_eq!(
            rail((2006, 3), (2016, 8), (2011, 5), 22),
            "0:2006 3:2008 5:2009 7:2010 10:‹ May 2011 13:2013 15:2014 17:2015 19:2016"
        );
        assert_eq!(
            rail((2006, 1), (2016, 1), (2006, 1), 11),
            "0:‹ Jan 2006 2:2008 4:2010 6:2012 8:2014 10:2016"
        );
        assert_eq!(
            rail((2015, 11), (2016, 3), (2016, 3), 9),
            "0:2015 2:Dec 4:2016 6:Feb 8:‹ Mar 2016"
        );
        assert_eq!(rail((2016, 3), (2016, 3), (2016, 3), 20), "");
    }

    proptest! {
        #[test]
        fn labels_stay_in_the_pane_and_apart(
            first in 1970 * 12..2100 * 12i32, span in 0..2_000i32, here in 0..2_000i32, height in 8u16..100,
        ) {
            let month = |number: i32| { let m = Month::from_number(number); (m.year, m.month) };
            let here = Month::from_number(first + here.min(span));
            let labels = labels(&counted(month(first), month(first + span)), here, height);
            prop_assert!(labels.iter().all(|label| label.row < height));
            prop_assert!(labels.windows(2).all(|pair| pair[0].row + 2 <= pair[1].row), "{:?}", labels);
            prop_assert_eq!(labels.iter().filter(|label| label.is_here).count(), usize::from(span > 0));
        }
    }
}
