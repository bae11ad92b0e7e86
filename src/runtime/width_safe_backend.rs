//! A backend that places the cursor itself after every cluster whose width terminals dispute.
//!
//! Crossterm's backend moves the cursor only when a cell is not the one right of the last. Where a terminal draws a
//! joined emoji or a composed letter wider or narrower than counted, the rest of the row would be shifted.

use crate::model::text::width;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::collections::HashMap;

pub struct WidthSafeBackend<B> {
    inner: B,
    /// Where disputed clusters stand that are counted as several cells: what a terminal drew in the cells behind
    /// their first one has to be written over when they go away.
    wide: HashMap<(u16, u16), u16>,
}

impl<B> WidthSafeBackend<B> {
    pub fn new(inner: B) -> Self {
        Self { inner, wide: HashMap::new() }
    }
}

/// A cluster of several characters: how wide it is drawn depends on the terminal.
fn is_disputed(symbol: &str) -> bool {
    symbol.len() > 1 && symbol.chars().nth(1).is_some()
}

impl<B: Backend> Backend for WidthSafeBackend<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let blank = Cell::default();
        // Each call begins by placing the cursor.
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        for (x, y, cell) in content {
            let disputed = is_disputed(cell.symbol());
            let cells = u16::try_from(width(cell.symbol())).unwrap_or(1).max(1);
            run.push((x, y, cell));
            if let Some(before) = self.wide.remove(&(x, y)) {
                // What belongs there now comes after this and stands.
                run.extend((cells..before).map(|n| (x + n, y, &blank)));
            }
            if disputed {
                if cells > 1 {
                    self.wide.insert((x, y), cells);
                }
                self.inner.draw(run.drain(..))?;
            }
        }
        if run.is_empty() { Ok(()) } else { self.inner.draw(run.into_iter()) }
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
        self.wide.clear();
        self.inner.clear()
    }
    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
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
    use ratatui::Terminal;
    use ratatui::backend::CrosstermBackend;
    use ratatui::layout::Rect;
    use ratatui::{TerminalOptions, Viewport};

    fn bytes(text: &str) -> String {
        let mut sink = Vec::new();
        {
            let backend = WidthSafeBackend::new(CrosstermBackend::new(&mut sink));
            let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 1));
            let mut terminal =
                Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
            terminal
                .draw(|frame| {
                    frame.buffer_mut().set_string(0, 0, text, ratatui::style::Style::default());
                })
                .unwrap();
        }
        String::from_utf8(sink).unwrap()
    }

    #[test]
    fn after_a_disputed_cluster_the_cursor_is_placed() {
        let family = bytes("a👨\u{200D}👩\u{200D}👧b");
        let (_, after) = family.split_once("👧").unwrap();
        let place = after.find("\u{1b}[1;4H").expect("placed in the fourth column");
        assert!(place < after.find('b').unwrap(), "{after:?}");
        let accent = bytes("e\u{301}x");
        let (_, after) = accent.split_once('\u{301}').unwrap();
        assert!(after.find("\u{1b}[1;2H").unwrap() < after.find('x').unwrap(), "{after:?}");
    }

    #[test]
    fn a_flag_that_goes_away_leaves_no_half_of_it() {
        let mut sink = Vec::new();
        let mark = {
            let backend = WidthSafeBackend::new(CrosstermBackend::new(&mut sink));
            let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 1));
            let mut terminal =
                Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
            let style = ratatui::style::Style::default();
            for text in ["a🇩🇪b", "x"] {
                terminal.draw(|frame| frame.buffer_mut().set_string(0, 0, text, style)).unwrap();
            }
            "b"
        };
        let bytes = String::from_utf8(sink).unwrap();
        let (_, second) = bytes.split_once(mark).unwrap();
        // Columns one to four: the new letter, both cells of the flag, and what stood behind it.
        assert!(second.contains("\u{1b}[1;1Hx   "), "{second:?}");
    }

    #[test]
    fn plain_text_is_one_run() {
        let plain = bytes("abc");
        assert!(plain.contains("abc"), "{plain:?}");
    }
}
