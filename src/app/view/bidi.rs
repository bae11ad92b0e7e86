//! Right-to-left text in visual order, for terminals that do not reorder it themselves.
//!
//! Works on rows after wrapping, so that every line is reordered by itself. Bidi controls never get here: they are
//! removed from all received text.

use super::wrap::{Piece, TextRow};
use crate::model::SafeText;
use crate::model::text::{cluster_indices, cluster_width, width};
use std::ops::Range;
use unicode_bidi::BidiInfo;
use unicode_bidi_mirroring::get_mirrored;

/// Whether any letter is read from the right: Hebrew, Arabic and related scripts, and their presentation forms.
fn has_rtl(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(
            |c| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}'),
        )
}

/// The clusters of a line in visual order: the offset of each in the text, and whether it is read from the right.
fn order(line: &str) -> Vec<(usize, &str, bool)> {
    let info = BidiInfo::new(line, None);
    let mut out = Vec::new();
    for paragraph in &info.paragraphs {
        let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let from = run.start;
            let rtl = levels.get(from).is_some_and(unicode_bidi::Level::is_rtl);
            let text = line.get(run).unwrap_or_default();
            let clusters = cluster_indices(text).map(|(at, c)| (from + at, c, rtl));
            let first = out.len();
            out.extend(clusters);
            if rtl {
                out.get_mut(first..).unwrap_or_default().reverse();
            }
        }
    }
    out
}

/// Brackets and similar characters are mirrored when they are read from the right.
fn push_cluster(out: &mut String, cluster: &str, rtl: bool) {
    if rtl {
        out.extend(cluster.chars().map(|c| get_mirrored(c).unwrap_or(c)));
    } else {
        out.push_str(cluster);
    }
}

/// One line in visual order.
pub fn line(text: &SafeText) -> SafeText {
    if !has_rtl(text) {
        return text.clone();
    }
    let mut shown = String::with_capacity(text.len());
    for (_, cluster, rtl) in order(text) {
        push_cluster(&mut shown, cluster, rtl);
    }
    SafeText::line(&shown)
}

/// A row's pieces in visual order, each cluster with its own style.
pub fn row(row: &mut TextRow) {
    let text: String = row.pieces.iter().map(|p| p.text.as_str()).collect();
    if !has_rtl(&text) {
        return;
    }
    let mut ends = Vec::with_capacity(row.pieces.len());
    let mut end = 0;
    for piece in &row.pieces {
        end += piece.text.len();
        ends.push(end);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut last = usize::MAX;
    for (at, cluster, rtl) in order(&text) {
        let from = ends.partition_point(|end| *end <= at);
        let Some(source) = row.pieces.get(from) else { continue };
        if last != from || pieces.is_empty() {
            pieces.push(Piece { text: String::new(), ..source.clone() });
            last = from;
        }
        if let Some(piece) = pieces.last_mut() {
            push_cluster(&mut piece.text, cluster, rtl);
        }
    }
    row.pieces = pieces;
}

/// A row of the message box in visual order, and the column of the cluster at byte `cursor`.
pub fn typed(row: &str, cursor: usize) -> (String, usize) {
    if !has_rtl(row) {
        return (row.to_owned(), width(row.get(..cursor).unwrap_or(row)));
    }
    let clusters = order(row);
    let mut shown = String::with_capacity(row.len());
    let mut column = None;
    let mut x = 0;
    for (at, cluster, rtl) in &clusters {
        if *at == cursor {
            column = Some(x);
        }
        push_cluster(&mut shown, cluster, *rtl);
        x += cluster_width(cluster);
    }
    // Behind the last letter, which is left of it if it is read from the right.
    let ends_left = clusters.iter().max_by_key(|(at, ..)| *at).is_some_and(|(.., rtl)| *rtl);
    (shown, column.unwrap_or(if ends_left { 0 } else { x }))
}

/// The columns of a part of a row, as [`typed`] shows it.
pub fn columns(row: &str, part: &Range<usize>) -> Vec<Range<usize>> {
    if !has_rtl(row) {
        let upto = |at: usize| width(row.get(..at).unwrap_or(row));
        return std::iter::once(upto(part.start)..upto(part.end)).collect();
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut x = 0;
    for (at, cluster, _) in order(row) {
        let end = x + cluster_width(cluster);
        if part.contains(&at) {
            match found.last_mut() {
                Some(last) if last.end == x => last.end = end,
                _ => found.push(x..end),
            }
        }
        x = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::wrap::wrap;
    use crate::model::RichText;
    use proptest::prelude::*;

    #[test]
    fn hebrew_is_turned_and_numbers_and_latin_are_not() {
        assert_eq!(&*line(&SafeText::line("שלום 10:30 ok (a)")), "ok (a) 10:30 םולש");
        assert_eq!(&*line(&SafeText::line("see שלום (כן) now")), "see (ןכ) םולש now");
        assert_eq!(&*line(&SafeText::line("plain")), "plain");
    }

    #[test]
    fn the_cursor_stands_on_the_letter_it_is_before() {
        assert_eq!(typed("אבג", 0), ("גבא".into(), 2));
        assert_eq!(typed("אבג", "אבג".len()).1, 0);
        assert_eq!(typed("ab", 1), ("ab".into(), 1));
    }

    proptest! {
        #[test]
        fn turning_loses_no_cluster_and_no_cell(text in "[a-z א-ת0-9().!あ]{0,40}") {
            let mut rows = wrap(&RichText::plain(&text), 12);
            for wrapped in &mut rows {
                let before: String = wrapped.pieces.iter().map(|p| p.text.as_str()).collect();
                row(wrapped);
                let after: String = wrapped.pieces.iter().map(|p| p.text.as_str()).collect();
                prop_assert_eq!(width(&after), width(&before));
                let sorted = |s: &str| {
                    let mut letters: Vec<char> = s.chars().filter(|c| c.is_alphanumeric()).collect();
                    letters.sort_unstable();
                    letters
                };
                prop_assert_eq!(sorted(&after), sorted(&before));
            }
        }
    }
}
