//! Wraps text to rows: the only wrapping engine, for all messages and for the message box.

use crate::model::text::{cluster_indices, cluster_width, clusters, is_narrow};
use crate::model::{Align, Block, Link, RichText, SafeText, Span, SpanStyle};
use std::ops::Range;
use unicode_linebreak::linebreaks;

/// A run of one style in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub text: String,
    pub style: SpanStyle,
    pub link: Option<Link>,
}

/// One row of a message's text.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TextRow {
    pub pieces: Vec<Piece>,
    /// Where it begins in the message's plain text.
    pub offset: usize,
    /// Cells to leave free before it.
    pub indent: usize,
    /// The number of quotes around it.
    pub quotes: usize,
}

/// Cells a quote's bar takes.
pub const QUOTE_BAR: usize = 2;
/// Text is never wrapped to fewer columns than this.
const NARROWEST: usize = 4;
/// Tabs advance to the next column that is a multiple of this.
const TAB_STOP: usize = 8;
/// Characters that are not shown at the end of a row.
const HANGING: [char; 3] = [' ', '\t', '\n'];

/// Wraps formatted text. No row is wider than `columns` (four at the least), and no character is lost but the
/// spaces at which a row ends.
pub fn wrap(rich: &RichText, columns: usize) -> Vec<TextRow> {
    let mut rows = Vec::new();
    let mut offset = 0;
    blocks(&rich.blocks, columns, 0, &mut offset, &mut rows);
    if rows.is_empty() {
        rows.push(TextRow::default());
    }
    rows
}

fn blocks(
    list: &[Block],
    columns: usize,
    quotes: usize,
    offset: &mut usize,
    rows: &mut Vec<TextRow>,
) {
    for (i, block) in list.iter().enumerate() {
        if i > 0 {
            *offset += 1;
        }
        match block {
            Block::Paragraph { align, spans } => {
                paragraph(spans, *align, columns, quotes, offset, rows);
            }
            Block::Quote { from, body } => {
                let inner = columns.saturating_sub(QUOTE_BAR).max(NARROWEST);
                let first = rows.len();
                if let Some(from) = from {
                    let name = format!("{}: ", from.name);
                    // The name is at the beginning of the quote's first line.
                    let style = SpanStyle { bold: true, ..SpanStyle::default() };
                    let label = Span { text: name.as_str().into(), style, link: None };
                    if let Some((Block::Paragraph { align, spans }, rest)) = body.split_first() {
                        let mut spans = spans.clone();
                        spans.insert(0, label);
                        paragraph(&spans, *align, inner, quotes + 1, offset, rows);
                        if !rest.is_empty() {
                            *offset += 1;
                            blocks(rest, inner, quotes + 1, offset, rows);
                        }
                    } else {
                        paragraph(&[label], Align::Left, inner, quotes + 1, offset, rows);
                        blocks(body, inner, quotes + 1, offset, rows);
                    }
                } else {
                    blocks(body, inner, quotes + 1, offset, rows);
                }
                if rows.len() == first {
                    rows.push(TextRow {
                        quotes: quotes + 1,
                        offset: *offset,
                        ..TextRow::default()
                    });
                }
            }
            Block::Code { text: code, .. } => {
                let style = SpanStyle { mono: true, ..SpanStyle::default() };
                let span = Span { text: code.clone(), style, link: None };
                paragraph(&[span], Align::Left, columns, quotes, offset, rows);
            }
            Block::Media(media) => {
                let link = media.link.clone().map(Link::Url);
                let text = SafeText::text(&media.text());
                let span = Span { text, style: SpanStyle::default(), link };
                paragraph(&[span], Align::Left, columns, quotes, offset, rows);
            }
        }
    }
}

fn paragraph(
    spans: &[Span],
    align: Align,
    columns: usize,
    quotes: usize,
    offset: &mut usize,
    rows: &mut Vec<TextRow>,
) {
    let text: String = spans.iter().map(|s| s.text.as_str()).collect();
    let mut runs: Vec<(Range<usize>, &Span)> = Vec::with_capacity(spans.len());
    let mut at = 0;
    for span in spans {
        runs.push((at..at + span.text.len(), span));
        at += span.text.len();
    }
    let mut first_run = 0;
    for range in break_lines(&text, columns.max(NARROWEST)) {
        // Runs before the row are never needed again.
        while runs
            .get(first_run)
            .is_some_and(|(run, _)| run.end <= range.start && run.end < text.len())
        {
            first_run += 1;
        }
        let visible = text.get(range.clone()).unwrap_or_default().trim_end_matches(HANGING);
        let shown = range.start..range.start + visible.len();
        let mut pieces = Vec::new();
        let mut column = 0;
        for (run, span) in runs.iter().skip(first_run) {
            if run.start >= shown.end {
                break;
            }
            let part = run.start.max(shown.start)..run.end.min(shown.end);
            if let Some(text) = text.get(part).filter(|t| !t.is_empty()) {
                pieces.push(Piece {
                    text: expand_tabs(text, &mut column),
                    style: span.style,
                    link: span.link.clone(),
                });
            }
        }
        let indent = match align {
            Align::Left => 0,
            Align::Centre => columns.saturating_sub(column) / 2,
        };
        rows.push(TextRow { pieces, offset: *offset + range.start, indent, quotes });
    }
    *offset += text.len();
}

/// Byte ranges of the rows of a text, line breaks included at their ends. Rows break where Unicode allows a line break
/// (UAX 14), and elsewhere only where a word is wider than a row. A slash counts as a letter, and a URL as one word:
/// terminals only open a URL that is in one row. Cells are counted as in [`cluster_width`].
pub fn break_lines(text: &str, columns: usize) -> Vec<Range<usize>> {
    // Most texts fit in one row. For those, the Unicode tables are not needed.
    let fits = text.len() <= columns && text.chars().all(is_narrow);
    if fits { std::iter::once(0..text.len()).collect() } else { break_long(text, columns) }
}

fn break_long(text: &str, columns: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut start = 0;
    let mut used = 0;
    let slashes_as_letters = text.replace('/', "x");
    let mut breaks = linebreaks(&slashes_as_letters).map(|(at, _)| at).peekable();
    // The last place where the row may end.
    let mut chance: Option<usize> = None;
    let mut word = 0;
    for (at, cluster) in cluster_indices(text) {
        let end = at + cluster.len();
        if cluster.contains('\n') {
            rows.push(start..end);
            (start, used, chance, word) = (end, 0, None, end);
            continue;
        }
        while breaks.next_if(|brk| *brk < at).is_some() {}
        let in_url = || text.get(word..at).is_some_and(|word| word.contains("://"));
        if at > start && breaks.peek() == Some(&at) && !in_url() {
            chance = Some(at);
        }
        if matches!(cluster, " " | "\t") {
            word = end;
            // Spaces may extend beyond the edge, where they are not drawn.
            used = after(used, cluster);
            continue;
        }
        let cells = cluster_width(cluster);
        if used + cells > columns && at > start {
            // A tab may be wider in its new row than it was.
            let begun = |brk| clusters(text.get(brk..at).unwrap_or_default()).fold(0, after);
            let brk = chance.filter(|brk| begun(*brk) + cells <= columns).unwrap_or(at);
            rows.push(start..brk);
            (start, used, chance) = (brk, begun(brk), None);
        }
        used += cells;
    }
    rows.push(start..text.len());
    rows
}

/// The column after a cluster that begins in this column.
fn after(column: usize, cluster: &str) -> usize {
    match cluster {
        "\t" => (column / TAB_STOP + 1) * TAB_STOP,
        _ => column + cluster_width(cluster),
    }
}

/// A part of a row that begins in this column, with spaces in place of tabs. Moves the column to its end.
pub fn expand_tabs(text: &str, column: &mut usize) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in clusters(text) {
        let next = after(*column, cluster);
        if cluster == "\t" {
            out.extend(std::iter::repeat_n(' ', next - *column));
        } else {
            out.push_str(cluster);
        }
        *column = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::width;
    use proptest::prelude::*;

    fn lines(text: &str, columns: usize) -> Vec<String> {
        wrap(&RichText::plain(text), columns)
            .iter()
            .map(|row| row.pieces.iter().map(|p| p.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn words_break_at_spaces_and_long_ones_anywhere() {
        assert_eq!(lines("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(lines("abcdefghijkl mn", 5), ["abcde", "fghij", "kl mn"]);
        assert_eq!(lines("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(lines("", 5), [""]);
    }

    #[test]
    fn wide_characters_break_between_each_other() {
        assert_eq!(lines("ありがとう", 5), ["あり", "がと", "う"]);
        assert_eq!(lines("x ありがとう", 6), ["x あり", "がとう"]);
    }

    #[test]
    fn rows_break_where_the_script_allows_it() {
        assert_eq!(lines("a well-known fact", 10), ["a well-", "known fact"]);
        assert_eq!(lines("これは、はい。", 8), ["これは、", "はい。"]);
        assert_eq!(lines("see https://a.example/b-c?d", 24), ["see", "https://a.example/b-c?d"]);
        assert_eq!(lines("https://a.example/b-c", 12), ["https://a.ex", "ample/b-c"]);
        assert_eq!(lines("/pin and /leave", 10), ["/pin and", "/leave"]);
    }

    #[test]
    fn tabs_lead_to_the_next_eighth_column() {
        assert_eq!(
            lines("a\tb\n1234567\tc\n12345678\td\nあ\te", 30),
            ["a       b", "1234567 c", "12345678        d", "あ      e",]
        );
        assert_eq!(lines("one\ttwo three\tfour", 18), ["one     two three", "four"]);
        // A tab stop behind the edge, and a row that begins in the middle of a word.
        assert_eq!(lines("abcdefg\th", 7), ["abcdefg", "h"]);
        assert_eq!(lines("\t\tabc", 12), ["", "abc"]);
        // No line break is allowed before the bracket, and the tab before it grows in the next row.
        for row in lines("あああ aa\t)a", 11) {
            assert!(width(&row) <= 11, "{row:?}");
        }
        let code = RichText {
            blocks: vec![Block::Code { text: "x\t= 1\nlong\t= 2".into(), language: None }],
        };
        let rows = wrap(&code, 20);
        let texts: Vec<&str> = rows.iter().map(|r| r.pieces[0].text.as_str()).collect();
        assert_eq!(texts, ["x       = 1", "long    = 2"]);
        assert_eq!(code.plain_text(), "x\t= 1\nlong\t= 2");
    }

    #[test]
    fn leading_and_inner_spaces_stay() {
        assert_eq!(lines("  a   b", 10), ["  a   b"]);
    }

    #[test]
    fn a_tab_that_grows_in_its_new_row_does_not_make_it_too_wide() {
        let text = "कक क\te👍👍\t)";
        for range in break_lines(text, 6) {
            let row = expand_tabs(text.get(range).unwrap().trim_end_matches(HANGING), &mut 0);
            assert!(width(&row) <= 6, "{row:?}");
        }
    }

    #[test]
    fn a_row_knows_where_its_text_begins() {
        let rows = wrap(&RichText::plain("one two three"), 5);
        assert_eq!(rows.iter().map(|r| r.offset).collect::<Vec<_>>(), [0, 4, 8]);
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_no_character_is_lost(text in "([a-zäあ👍 \\n\\t)]|e\u{301}|क्ष|কো){0,80}", columns in 4usize..30) {
            let ranges = break_lines(&text, columns);
            let joined: String = ranges.iter().map(|r| text.get(r.clone()).unwrap()).collect();
            prop_assert_eq!(&joined, &text);
            for range in ranges {
                let row = text.get(range).unwrap().trim_end_matches(HANGING);
                let row = expand_tabs(row, &mut 0);
                prop_assert!(width(&row) <= columns, "{:?}", row);
            }
        }

        #[test]
        fn a_short_text_is_broken_as_a_long_one(text in "[a-zé/:─● ]{0,20}", columns in 4usize..30) {
            prop_assert_eq!(break_lines(&text, columns), break_long(&text, columns));
        }

        #[test]
        fn offsets_follow_the_plain_text(text in "[a-z \\n]{0,60}", columns in 4usize..20) {
            let rich = RichText::plain(&text);
            let plain = rich.plain_text();
            for row in wrap(&rich, columns) {
                let shown: String = row.pieces.iter().map(|p| p.text.as_str()).collect();
                prop_assert!(plain.get(row.offset..).unwrap().starts_with(&shown));
            }
        }
    }
}
