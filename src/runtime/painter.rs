//! A backend that keeps rows right whatever width the terminal gives a cluster.
//!
//! If the terminal draws a cluster wider or narrower than it is counted, what a row shows depends on what it showed
//! before: parts stay, and the rest of the row is shifted. Therefore a row with anything but plain text is erased and
//! painted as a whole when something in it changes, and the cursor is placed after every cluster of disputed width. The
//! screen after any change is then the same as after a complete redraw.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Size};
use std::cell::RefCell;
use std::rc::Rc;

/// The rows of the next frame that may have to be painted as a whole.
#[derive(Clone, Default)]
pub struct WholeRows(Rc<RefCell<Vec<WholeRow>>>);

#[derive(Default)]
struct WholeRow {
    /// The new row; empty if painting the differences is enough.
    cells: Vec<Cell>,
    /// It holds more than plain text.
    is_disputed: bool,
    /// The row on the terminal holds more than plain text.
    was_disputed: bool,
}

impl WholeRows {
    /// Keeps what is needed of a frame. To be called with each, before it is drawn.
    pub fn keep(&self, next: &Buffer) {
        let columns = usize::from(next.area.width).max(1);
        let mut rows = self.0.borrow_mut();
        rows.resize_with(usize::from(next.area.height), WholeRow::default);
        for (row, cells) in rows.iter_mut().zip(next.content.chunks(columns)) {
            row.is_disputed = cells.iter().any(|cell| !is_plain(cell.symbol()));
            row.cells.clear();
            if row.is_disputed || row.was_disputed {
                row.cells.extend_from_slice(cells);
            }
        }
    }

    fn forget(&self) {
        for row in self.0.borrow_mut().iter_mut() {
            row.was_disputed = false;
        }
    }
}

pub struct WidthSafeBackend<B> {
    inner: B,
    rows: WholeRows,
}

impl<B> WidthSafeBackend<B> {
    pub fn new(inner: B, rows: WholeRows) -> Self {
        Self { inner, rows }
    }
}

/// Whether it is one narrow character in every terminal: western letters, and the signs of the program's own frame.
fn is_plain(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return symbol.is_empty() };
    matches!(c,
        ' '..='~' | '\u{A1}'..='\u{A8}' | '\u{AA}'..='\u{AC}' | '\u{AF}'..='\u{2FF}'
        | '\u{370}'..='\u{482}' | '\u{48A}'..='\u{52F}' | '\u{1E00}'..='\u{1EFF}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{203A}' | '\u{2190}'..='\u{2193}'
        | '\u{2500}'..='\u{259F}' | '●' | '○' | '⏎' | '✓')
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

impl<B: Backend> WidthSafeBackend<B> {
    fn paint_row(&mut self, y: u16, cells: &[Cell]) -> Result<(), B::Error> {
        self.inner.set_cursor_position(Position { x: 0, y })?;
        self.inner.clear_region(ClearType::CurrentLine)?;
        // Each call of draw begins by placing the cursor.
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        let (mut next, mut spilled) = (0, 0);
        for (x, cell) in (0u16..).zip(cells) {
            let hidden = x < next;
            if hidden || (x >= spilled && *cell == Cell::EMPTY) {
                continue;
            }
            run.push((x, y, cell));
            next = x + cell.cell_width().max(1);
            if let Some(most) = most_cells(cell.symbol()) {
                // Spaces overwrite what a terminal may have drawn beyond the counted cells.
                spilled = spilled.max(x.saturating_add(most));
                self.inner.draw(run.drain(..))?;
            }
        }
        if run.is_empty() { Ok(()) } else { self.inner.draw(run.into_iter()) }
    }
}

impl<B: Backend> Backend for WidthSafeBackend<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let rows = self.rows.clone();
        let mut rows = rows.0.borrow_mut();
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        let mut whole: Vec<u16> = Vec::new();
        for (x, y, cell) in content {
            if rows.get(usize::from(y)).is_none_or(|row| row.cells.is_empty()) {
                run.push((x, y, cell));
            } else if whole.last() != Some(&y) {
                whole.push(y);
            }
        }
        if !run.is_empty() {
            self.inner.draw(run.into_iter())?;
        }
        for y in whole {
            if let Some(row) = rows.get_mut(usize::from(y)) {
                self.paint_row(y, &row.cells)?;
                row.was_disputed = row.is_disputed;
            }
        }
        Ok(())
    }

    fn append_lines(&mut self, n: u16) -> Result<(), Self::Error> {
        self.inner.append_lines(n)
    }
    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.hide_cursor()
    }
    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.show_cursor()
    }
    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.inner.get_cursor_position()
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.inner.set_cursor_position(position)
    }
    fn clear(&mut self) -> Result<(), Self::Error> {
        self.rows.forget();
        self.inner.clear()
    }
    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        if clear_type == ClearType::All {
            self.rows.forget();
        }
        self.inner.clear_region(clear_type)
    }
    fn size(&self) -> Result<Size, Self::Error> {
        self.inner.size()
    }
    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.inner.window_size()
    }
    fn flush(&mut self) -> Result<(), Self::Error> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::{Action, MessagesAction, Scroll};
    use crate::fixture::{App, direct, message, text};
    use crate::model::Placement;
    use crate::runtime::ansi_backend::AnsiBackend;
    use crate::ui::{ColorDepth, Screen, Theme};
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
    use std::io::Write;
    use std::num::NonZero;

    /// What was written.
    #[derive(Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A screen of a fixed size and the bytes that are sent to it.
    struct Drawn {
        terminal: Terminal<WidthSafeBackend<AnsiBackend<Sink>>>,
        rows: WholeRows,
        sink: Sink,
    }

    impl Drawn {
        fn new(columns: u16, height: u16) -> Self {
            let (sink, rows) = (Sink::default(), WholeRows::default());
            let backend =
                WidthSafeBackend::new(AnsiBackend::new(sink.clone(), false), rows.clone());
            let viewport = Viewport::Fixed(Rect::new(0, 0, columns, height));
            let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
            Self { terminal, rows, sink }
        }

        /// The bytes of one frame.
        fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> Vec<u8> {
            self.terminal
                .draw(|frame| {
                    paint(frame);
                    self.rows.keep(frame.buffer_mut());
                })
                .unwrap();
            std::mem::take(&mut *self.sink.0.borrow_mut())
        }

        fn line(&mut self, text: &str) -> String {
            let bytes = self.draw(|frame| {
                frame.buffer_mut().set_string(0, 0, text, Style::default());
            });
            String::from_utf8(bytes).unwrap()
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
    fn a_row_that_held_a_flag_is_painted_anew_and_a_plain_one_is_not() {
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
            for turn in turns {
                app.action(Action::Messages(MessagesAction::Scroll(scrolls[turn])));
                app.model.layout();
                let frame = |drawn: &mut Drawn| drawn.draw(|f| Screen::default().draw(&app.model, &theme, f));
                seen.process(&frame(&mut drawn));
                let mut fresh = size();
                fresh.process(&frame(&mut Drawn::new(46, 13)));
                prop_assert_eq!(cells(&seen), cells(&fresh));
            }
        }
    }
}
