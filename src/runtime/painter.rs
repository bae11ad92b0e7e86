//! Sends the differences between two frames to the terminal.
//!
//! Ratatui's own diff compares every cell of the screen for every key; here, only rows that may have changed are
//! compared, the terminal moves rows itself if that is shorter, and rows stay correct whatever width the terminal gives
//! a cluster:
//!
//! If the terminal draws a cluster wider or narrower than counted, what a row shows depends on what it showed before:
//! parts stay, and the rest of the row is shifted. Therefore a row with anything but plain text is erased and painted
//! as a whole when something in it changes, and the cursor is placed after every cluster of disputed width. Then the
//! screen after any change is the same as after a complete redraw.

mod pen;
mod shift;

use super::terminfo::Signs;
use crate::app::view::Hyperlink;
use crate::model::text::is_narrow;
use crate::ui::ScreenFrame;
use pen::Pen;
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;
use shift::Shift;

/// Erasing the rest of a row is shorter than this many spaces.
const ERASED: usize = 4;

/// What the terminal shows.
#[derive(Default)]
pub struct Painter {
    shown: Rows,
    /// `None` if the cursor's state is not known.
    cursor: Option<CursorState>,
    /// The symbols that the terminal's font has.
    signs: Signs,
    /// The terminal supports links.
    hyperlinks: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CursorState {
    Hidden,
    At(u16, u16),
}

impl Painter {
    pub fn new(signs: Signs, hyperlinks: bool) -> Self {
        Self { signs, hyperlinks, ..Self::default() }
    }

    /// What the terminal shows is no longer known: the next frame is painted in full.
    pub fn forget(&mut self) {
        self.shown = Rows::default();
        self.cursor = None;
    }

    /// Writes what turns the last frame into this one, and returns how many cells had to be compared for that.
    pub fn paint(&mut self, frame: &ScreenFrame<'_>, out: &mut Vec<u8>) -> usize {
        let area = frame.cells.area;
        let start = out.len();
        let mut changed = frame.changed.to_vec();
        let is_first = self.shown.cells.area != area || changed.len() != usize::from(area.height);
        if is_first {
            changed = vec![true; usize::from(area.height)];
            self.shown = Rows::empty(area);
            self.cursor = None;
            Pen::new(out, area.width, self.signs).erase_screen();
        }
        let compared = usize::from(area.width) * changed.iter().filter(|row| **row).count();
        let links = if self.hyperlinks { frame.links } else { &[] };
        // On an empty screen there is nothing to move.
        let shift =
            (!is_first).then(|| Shift::between(&self.shown.cells, frame.cells, &changed)).flatten();
        if let Some(shift) = shift {
            self.paint_shifted(shift, (frame.cells, links), changed, out);
            let mut pen = Pen::new(out, area.width, self.signs);
            self.place_cursor(frame.cursor, true, &mut pen);
        } else {
            let mut pen = Pen::new(out, area.width, self.signs);
            self.shown.update((frame.cells, links), &changed, &mut pen);
            pen.finish();
            let wrote = pen.has_written_since(start);
            self.place_cursor(frame.cursor, wrote, &mut pen);
        }
        compared
    }

    /// Encodes the new rows with and without moving rows in the terminal, and sends the shorter version.
    fn paint_shifted(
        &mut self,
        shift: Shift,
        next: (&Buffer, &[Hyperlink]),
        mut changed: Vec<bool>,
        out: &mut Vec<u8>,
    ) {
        let columns = next.0.area.width;
        let mut moved = self.shown.clone();
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let mut pen = Pen::new(&mut without, columns, self.signs);
        self.shown.update(next, &changed, &mut pen);
        pen.finish();
        shift.apply(&mut moved.cells);
        shift.apply_to_rows(&mut moved.disputed);
        shift.apply_to_rows(&mut moved.links);
        // Everything beside the block has moved with it.
        let block = usize::from(shift.top)..usize::from(shift.bottom);
        changed.get_mut(block).unwrap_or_default().fill(true);
        let mut pen = Pen::new(&mut with, columns, self.signs);
        pen.scroll(shift.top, shift.bottom, shift.up);
        moved.update(next, &changed, &mut pen);
        pen.finish();
        if with.len() < without.len() {
            self.shown = moved;
            out.append(&mut with);
        } else {
            out.append(&mut without);
        }
    }

    fn place_cursor(&mut self, at: Option<(u16, u16)>, wrote: bool, pen: &mut Pen<'_>) {
        let wanted = at.map_or(CursorState::Hidden, |(x, y)| CursorState::At(x, y));
        let before = self.cursor.replace(wanted);
        match wanted {
            CursorState::Hidden if before != Some(wanted) => pen.raw(b"\x1b[?25l"),
            CursorState::At(x, y) if wrote || before != Some(wanted) => {
                pen.go_to(x, y);
                if !matches!(before, Some(CursorState::At(..))) {
                    pen.raw(b"\x1b[?25h");
                }
            }
            _ => {}
        }
    }
}

/// The rows that the terminal shows.
#[derive(Clone, Default)]
struct Rows {
    cells: Buffer,
    /// For each row whether it holds more than plain text.
    disputed: Vec<bool>,
    /// The links of each row.
    links: Vec<Vec<Hyperlink>>,
}

impl Rows {
    fn empty(area: Rect) -> Self {
        let height = usize::from(area.height);
        let links = vec![Vec::new(); height];
        Self { cells: Buffer::empty(area), disputed: vec![false; height], links }
    }

    /// Writes the rows that differ, and stores them.
    fn update<'a>(
        &mut self,
        (next, links): (&Buffer, &'a [Hyperlink]),
        changed: &[bool],
        pen: &mut Pen<'a>,
    ) {
        let columns = usize::from(next.area.width).max(1);
        let rows = self.cells.content.chunks_mut(columns).zip(next.content.chunks(columns));
        let rows = rows.zip(self.disputed.iter_mut().zip(&mut self.links)).zip(changed);
        for (y, (((old, new), (was_disputed, linked)), changed)) in (0u16..).zip(rows) {
            if !changed {
                continue;
            }
            let links = in_row(links, y);
            let has_same_links = same_links(linked, links);
            if old == new && has_same_links {
                continue;
            }
            pen.begin_row(links);
            let is_disputed = new.iter().any(|cell| !is_plain(cell.symbol()));
            if is_disputed || *was_disputed || !has_same_links {
                whole_row(y, new, pen);
            } else {
                differences(y, old, new, pen);
            }
            *was_disputed = is_disputed;
            if !has_same_links {
                *linked = links.to_vec();
            }
            old.clone_from_slice(new);
        }
    }
}

/// The links of one row.
fn in_row(links: &[Hyperlink], y: u16) -> &[Hyperlink] {
    let from = links.partition_point(|link| link.row < y);
    let to = links.partition_point(|link| link.row <= y);
    links.get(from..to).unwrap_or_default()
}

/// Whether two rows, which may be at different heights, have the same links.
fn same_links(one: &[Hyperlink], other: &[Hyperlink]) -> bool {
    let what = |link: &Hyperlink| (link.columns.clone(), link.id, link.url.clone());
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| what(a) == what(b))
}

/// The number of cells up to the last one that is not empty.
fn filled(row: &[Cell]) -> usize {
    row.iter().rposition(|cell| *cell != Cell::EMPTY).map_or(0, |last| last + 1)
}

/// Writes the cells in which two rows of plain text differ.
fn differences(y: u16, old: &[Cell], new: &[Cell], pen: &mut Pen<'_>) {
    let (before, after) = (filled(old), filled(new));
    let erases = before >= after + ERASED;
    let end = if erases { after } else { before.max(after) };
    for (x, (was, is)) in old.iter().zip(new).enumerate().take(end) {
        if was == is {
            continue;
        }
        let column = u16::try_from(x).unwrap_or(u16::MAX);
        let between = pen.gap(column, y).and_then(|gap| new.get(x - usize::from(gap)..x));
        match between {
            Some(cells) if cells.iter().all(|cell| pen.matches(cell)) => {
                for cell in cells {
                    pen.put(cell, 1);
                }
            }
            _ => pen.go_to(column, y),
        }
        pen.put(is, 1);
    }
    if erases {
        pen.go_to(u16::try_from(after).unwrap_or(u16::MAX), y);
        pen.erase_rest_of_row();
    }
}

/// Erases a row and writes all of it.
fn whole_row(y: u16, cells: &[Cell], pen: &mut Pen<'_>) {
    pen.go_to(0, y);
    pen.erase_row();
    let (mut next, mut spilled) = (0, 0);
    for (x, cell) in (0u16..).zip(cells) {
        let hidden = x < next;
        if hidden || (x >= spilled && *cell == Cell::EMPTY) {
            continue;
        }
        let width = cell.cell_width().max(1);
        next = x + width;
        pen.go_to(x, y);
        pen.put(cell, width);
        if let Some(most) = most_cells(cell.symbol()) {
            // Spaces overwrite what a terminal may have drawn beyond the counted cells.
            spilled = spilled.max(x.saturating_add(most));
            pen.forget_position();
        }
    }
}

/// Whether a symbol is one narrow character in every terminal.
fn is_plain(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return symbol.is_empty() };
    is_narrow(c)
}

/// The most cells that a terminal may draw a cluster in; `None` if all terminals agree on its width.
fn most_cells(symbol: &str) -> Option<u16> {
    let mut chars = symbol.chars();
    let first = chars.next()?;
    if chars.next().is_none() && (first.is_alphanumeric() || is_plain(symbol)) {
        return None;
    }
    let cells = symbol.chars().map(|c| if matches!(c, '\u{300}'..='\u{36F}') { 1 } else { 2 });
    Some(cells.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::{Action, MessagesAction, Scroll};
    use crate::fixture::{App, direct, message, text};
    use crate::model::Placement;
    use crate::ui::{ColorDepth, Screen, Theme};
    use proptest::prelude::*;
    use ratatui::style::Style;
    use std::num::NonZero;

    /// A painter for a screen of a fixed size.
    struct Drawn {
        painter: Painter,
        columns: u16,
        height: u16,
    }

    impl Drawn {
        fn new(columns: u16, height: u16) -> Self {
            let mut drawn = Self { painter: Painter::default(), columns, height };
            // The first frame erases the screen.
            drawn.buffer(&Buffer::empty(Rect::new(0, 0, columns, height)));
            drawn
        }

        /// The bytes of one frame.
        fn frame(&mut self, frame: &ScreenFrame<'_>) -> Vec<u8> {
            let mut out = Vec::new();
            self.painter.paint(frame, &mut out);
            out
        }

        fn buffer(&mut self, cells: &Buffer) -> Vec<u8> {
            let changed = vec![true; usize::from(cells.area.height)];
            self.frame(&ScreenFrame { cells, changed: &changed, links: &[], cursor: None })
        }

        fn lines(&mut self, texts: &[&str]) -> String {
            let mut cells = Buffer::empty(Rect::new(0, 0, self.columns, self.height));
            for (y, text) in (0u16..).zip(texts) {
                cells.set_string(0, y, text, Style::default());
            }
            String::from_utf8(self.buffer(&cells)).unwrap()
        }

        fn line(&mut self, text: &str) -> String {
            self.lines(&[text])
        }
    }

    #[test]
    fn after_a_disputed_cluster_the_cursor_is_placed() {
        let family = Drawn::new(20, 1).line("a👨\u{200D}👩\u{200D}👧b");
        let (_, after) = family.split_once("👧").unwrap();
        let place = after.find("\u{1b}[1;4H").expect("placed in the fourth column");
        assert!(place < after.find('b').unwrap(), "{after:?}");
        let accent = Drawn::new(20, 1).line("e\u{301}x");
        let (_, after) = accent.split_once('\u{301}').unwrap();
        assert!(after.find("\u{1b}[1;2H").unwrap() < after.find('x').unwrap(), "{after:?}");
    }

    #[test]
    fn a_row_that_held_a_flag_is_repainted_and_a_plain_one_is_not() {
        let mut drawn = Drawn::new(20, 1);
        drawn.line("a🇩🇪b");
        assert!(drawn.line("axb").contains("\u{1b}[2K"));
        let plain = drawn.line("ayb");
        assert!(plain.contains("\u{1b}[1;2Hy") && !plain.contains("\u{1b}[2K"), "{plain:?}");
    }

    #[test]
    fn what_a_terminal_draws_too_wide_is_written_over() {
        let family = Drawn::new(20, 1).line("👨\u{200D}👩\u{200D}👧");
        let (_, after) = family.split_once("👧").unwrap();
        assert!(after.contains("\u{1b}[1;3H        "), "{after:?}");
    }

    #[test]
    fn rows_that_move_are_moved_by_the_terminal() {
        let text = |n: usize| format!("{n} {}", "words that stay the same ".repeat(3));
        let page = |from: usize| (from..from + 12).map(text).collect::<Vec<_>>();
        let mut drawn = Drawn::new(90, 14);
        let mut seen = vt100::Parser::new(NonZero::new(14).unwrap(), NonZero::new(90).unwrap(), 0);
        for (from, lines) in [0, 1, 4, 2, 3].map(|from| (from, page(from))) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let bytes = drawn.lines(&lines);
            seen.process(bytes.as_bytes());
            assert!(from == 0 || bytes.len() < 300, "{} bytes", bytes.len());
            let expected: Vec<String> =
                lines.iter().map(|line| line.trim_end().to_owned()).collect();
            let rows: Vec<String> = seen.screen().rows(0, 90).take(12).collect();
            assert_eq!(rows, expected);
        }
    }

    #[test]
    fn an_unchanged_frame_writes_nothing() {
        let mut drawn = Drawn::new(20, 2);
        drawn.lines(&["abc", "def"]);
        assert_eq!(drawn.lines(&["abc", "def"]), "");
    }

    #[test]
    fn a_typed_key_costs_its_row_of_the_box_and_ten_bytes() {
        let theme = Theme::new(include_str!("../../assets/theme.toml"), ColorDepth::Sixteen, false)
            .unwrap();
        let mut app = polyglot();
        app.resize(120, 40);
        let (mut screen, mut painter) = (Screen::default(), Painter::default());
        let mut paint = |app: &mut App| {
            app.layout();
            let mut out = Vec::new();
            let frame = screen.paint(&app.model, &theme);
            let compared = painter.paint(&frame, &mut out);
            (compared, out.len())
        };
        let (all, _) = paint(&mut app);
        assert_eq!(all, 120 * 40);
        app.press("a");
        paint(&mut app);
        for key in ["b", "c", "d", "e"] {
            let rows = app.model.view.visible.messages.stamp;
            app.press(key);
            let (compared, bytes) = paint(&mut app);
            assert!(compared <= 120, "{compared} cells were compared");
            assert!(bytes <= 10, "{bytes} bytes were written");
            assert_eq!(
                app.model.view.visible.messages.stamp, rows,
                "no row of messages was laid out"
            );
        }
    }

    /// A frame with one text, in which these columns are a link.
    fn linked(painter: &mut Painter, text: &str, columns: std::ops::Range<u16>) -> String {
        let mut cells = Buffer::empty(Rect::new(0, 0, 20, 2));
        cells.set_string(0, 1, text, Style::default());
        let url = "https://example.org".into();
        let links = [Hyperlink { row: 1, columns, id: 0x2a, url }];
        let links = if links[0].columns.is_empty() { &[][..] } else { &links[..] };
        let mut out = Vec::new();
        let frame = ScreenFrame { cells: &cells, changed: &[true; 2], links, cursor: None };
        painter.paint(&frame, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_link_is_opened_before_its_cells_and_closed_after_them() {
        let mut painter = Painter::new(Signs::All, true);
        let bytes = linked(&mut painter, "see this page", 4..8);
        let (_, after) =
            bytes.split_once("\u{1b}]8;id=2a;https://example.org\u{1b}\\this").unwrap();
        let closed = after.find("\u{1b}]8;;\u{1b}\\").unwrap();
        assert!(closed < after.find("page").unwrap(), "{bytes:?}");
        assert_eq!(linked(&mut painter, "see this page", 4..8), "");
        // The text stays the same, but the link is another one.
        let bytes = linked(&mut painter, "see this page", 9..13);
        assert!(bytes.contains("example.org\u{1b}\\page\u{1b}]8;;"), "{bytes:?}");
        // Only a letter changes: it belongs to the link as well.
        let bytes = linked(&mut painter, "see this pane", 9..13);
        assert!(bytes.contains("example.org\u{1b}\\n\u{1b}]8;;"), "{bytes:?}");
        assert!(!linked(&mut painter, "see this pane", 0..0).contains("example.org"));
        let mut other = Painter::new(Signs::All, false);
        assert!(!linked(&mut other, "see this page", 4..8).contains("]8;"), "not known there");
    }

    #[test]
    fn plain_text_is_one_run() {
        let plain = Drawn::new(20, 1).line("abc");
        assert!(plain.contains("abc"), "{plain:?}");
    }

    /// Joe writes in many languages and all kinds of clusters, at several indents.
    fn polyglot() -> App {
        let mut app = direct("joe").sized(46, 13).opened();
        let texts = include_str!("../../tests/fixtures/languages.txt");
        let lines: Vec<&str> =
            texts.lines().filter_map(|line| line.split_once('\t')).map(|(_, text)| text).collect();
        let said = (0i64..).zip(&lines).map(|(n, line)| {
            let shift = usize::try_from(n % 5).unwrap_or(0);
            message("joe", n, text(&format!("{}{line}", "x".repeat(shift))))
        });
        app.messages(said.collect(), Placement::Newest);
        app.model.layout();
        app
    }

    /// Every cell with its style; one that was never written is a space.
    fn cells(seen: &vt100::Parser) -> Vec<String> {
        let screen = seen.screen();
        let (rows, columns) = (13, 46);
        let row = |y: u16| {
            let cell = |x| {
                let cell = screen.cell(y, x).unwrap();
                let text = if cell.has_contents() { cell.contents() } else { " " };
                format!("{text}{:?}{}{}", cell.fgcolor(), cell.bold(), cell.inverse())
            };
            (0..columns).map(cell).collect::<String>()
        };
        (0..rows).map(row).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn after_any_scrolling_the_screen_is_what_a_redraw_gives(
            turns in proptest::collection::vec(0usize..5, 1..30),
        ) {
            let scrolls =
                [Scroll::LineUp, Scroll::LineUp, Scroll::PageUp, Scroll::LineDown, Scroll::PageDown];
            let theme = Theme::new(include_str!("../../assets/theme.toml"), ColorDepth::Sixteen, false).unwrap();
            let size = || vt100::Parser::new(NonZero::new(13).unwrap(), NonZero::new(46).unwrap(), 0);
            let (mut app, mut drawn, mut seen) = (polyglot(), Drawn::new(46, 13), size());
            let mut screen = Screen::default();
            for turn in turns {
                app.action(Action::Messages(MessagesAction::Scroll(scrolls[turn])));
                app.model.layout();
                seen.process(&drawn.frame(&screen.paint(&app.model, &theme)));
                let mut fresh = size();
                fresh.process(&Drawn::new(46, 13).frame(&Screen::default().paint(&app.model, &theme)));
                prop_assert_eq!(cells(&seen), cells(&fresh));
            }
        }
    }
}
