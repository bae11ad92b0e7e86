//! Writes cells as bytes that every terminal understands.
//!
//! The sixteen colours have their own codes: terminals with at most sixteen colours do not support `38;5;n` and show
//! nothing, or blinking text. Each frame begins and ends with plain text and places the cursor before it writes, so
//! that a byte that was lost, or written by another program, spoils at most one frame.

use super::super::terminfo::Signs;
use crate::app::view::Hyperlink;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use std::io::Write;

/// Moving over up to this many cells costs more bytes than writing them again.
const NEAR: u16 = 3;

/// Colours and attributes of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
struct CellStyle {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: CellStyle =
    CellStyle { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

impl CellStyle {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

/// Writes one frame.
pub struct Pen<'a> {
    out: &'a mut Vec<u8>,
    columns: u16,
    /// The symbols that the terminal's font has.
    signs: Signs,
    /// The cursor position, if all terminals agree on it.
    at: Option<(u16, u16)>,
    style: CellStyle,
    /// The links of the row that is being written.
    links: &'a [Hyperlink],
    /// The link that is currently open in the terminal.
    link: Option<&'a Hyperlink>,
}

impl<'a> Pen<'a> {
    pub fn new(out: &'a mut Vec<u8>, columns: u16, signs: Signs) -> Self {
        Self { out, columns, signs, at: None, style: PLAIN, links: &[], link: None }
    }

    /// Sets the links of the row that is written next.
    pub fn begin_row(&mut self, links: &'a [Hyperlink]) {
        self.links = links;
    }

    /// Makes the text that is written next a link, or ends the open link.
    fn set_link(&mut self, wanted: Option<&'a Hyperlink>) {
        let name = |link: &'a Hyperlink| (link.id, &link.url);
        if self.link.map(name) == wanted.map(name) {
            return;
        }
        self.link = wanted;
        match wanted {
            Some(link) => self.print(format_args!("\x1b]8;id={:x};{}\x1b\\", link.id, link.url)),
            None => self.raw(b"\x1b]8;;\x1b\\"),
        }
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn print(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = self.out.write_fmt(arguments);
    }

    /// Whether the output has grown beyond a length.
    pub fn has_written_since(&self, length: usize) -> bool {
        self.out.len() > length
    }

    /// The number of cells from the cursor to a cell right of it, if it is so near that the cells between should be
    /// rewritten instead of moving.
    pub fn gap(&self, x: u16, y: u16) -> Option<u16> {
        let (at, row) = self.at?;
        let gap = x.checked_sub(at)?;
        (row == y && (1..=NEAR).contains(&gap)).then_some(gap)
    }

    /// Whether a cell can be written without a change of colours.
    pub fn matches(&self, cell: &Cell) -> bool {
        CellStyle::of(cell) == self.style
    }

    pub fn go_to(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((before, row)) if row == y && before < x => {
                self.print(format_args!("\x1b[{}C", x - before));
            }
            _ => self.print(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.at = Some((x, y));
    }

    /// Makes the next cell be placed by its row and column.
    pub fn forget_position(&mut self) {
        self.at = None;
    }

    /// Writes a cell at the cursor, which moves on by `cells`.
    pub fn put(&mut self, cell: &Cell, cells: u16) {
        self.set(CellStyle::of(cell));
        if !self.links.is_empty() || self.link.is_some() {
            let x = self.at.map(|(x, _)| x);
            let is_here = |link: &&Hyperlink| x.is_some_and(|x| link.columns.contains(&x));
            self.set_link(self.links.iter().find(is_here));
        }
        let symbol = cell.symbol();
        let symbol = shown(symbol, self.signs);
        self.out.extend_from_slice(symbol.as_bytes());
        // At the last column, terminals differ in where the cursor stays.
        self.at =
            self.at.map(|(x, y)| (x.saturating_add(cells), y)).filter(|(x, _)| *x < self.columns);
    }

    pub fn erase_rest_of_row(&mut self) {
        self.set_link(None);
        self.set(PLAIN);
        self.raw(b"\x1b[K");
    }

    pub fn erase_row(&mut self) {
        self.set_link(None);
        self.set(PLAIN);
        self.raw(b"\x1b[2K");
    }

    pub fn erase_screen(&mut self) {
        self.set_link(None);
        self.set(PLAIN);
        self.raw(b"\x1b[2J");
    }

    /// Moves the rows from `top` up to but excluding `bottom` up by `up` rows, or down if negative; the rows that
    /// become free are empty. The sequences have been supported since the VT100.
    pub fn scroll(&mut self, top: u16, bottom: u16, up: i32) {
        self.set_link(None);
        self.set(PLAIN);
        self.print(format_args!("\x1b[{};{}r", top + 1, bottom));
        let (row, step): (u16, &[u8]) = if up > 0 { (bottom, b"\n") } else { (top + 1, b"\x1bM") };
        self.print(format_args!("\x1b[{row};1H"));
        for _ in 0..up.unsigned_abs() {
            self.raw(step);
        }
        self.raw(b"\x1b[r");
        self.at = None;
    }

    /// Ends the frame with plain text.
    pub fn finish(&mut self) {
        self.set_link(None);
        self.set(PLAIN);
    }

    /// Changes colours and attributes with as few codes as possible.
    fn set(&mut self, wanted: CellStyle) {
        let now = self.style;
        if now == wanted {
            return;
        }
        self.style = wanted;
        if wanted == PLAIN {
            self.raw(b"\x1b[0m");
            return;
        }
        let stays = |now: Color, wanted: Color| now == wanted || wanted != Color::Reset;
        let adds = wanted.modifier.contains(now.modifier)
            && stays(now.fg, wanted.fg)
            && stays(now.bg, wanted.bg);
        let from = if adds { now } else { PLAIN };
        let mut separator = "\x1b[";
        if !adds {
            self.print(format_args!("{separator}0"));
            separator = ";";
        }
        for (flag, code) in [
            (Modifier::BOLD, 1),
            (Modifier::DIM, 2),
            (Modifier::ITALIC, 3),
            (Modifier::UNDERLINED, 4),
            (Modifier::SLOW_BLINK, 5),
            (Modifier::RAPID_BLINK, 6),
            (Modifier::REVERSED, 7),
            (Modifier::HIDDEN, 8),
            (Modifier::CROSSED_OUT, 9),
        ] {
            if wanted.modifier.contains(flag) && !from.modifier.contains(flag) {
                self.print(format_args!("{separator}{code}"));
                separator = ";";
            }
        }
        for (color, before, base) in [(wanted.fg, from.fg, 30), (wanted.bg, from.bg, 40)] {
            if color != before {
                self.color(separator, color, base);
                separator = ";";
            }
        }
        self.raw(b"m");
    }

    /// Writes the code of a colour; `base` is 30 for the text and 40 for the background.
    fn color(&mut self, separator: &str, color: Color, base: u8) {
        let number = match color {
            Color::Reset => 9,
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 60,
            Color::LightRed => 61,
            Color::LightGreen => 62,
            Color::LightYellow => 63,
            Color::LightBlue => 64,
            Color::LightMagenta => 65,
            Color::LightCyan => 66,
            Color::White => 67,
            Color::Indexed(n) => {
                self.print(format_args!("{separator}{};5;{n}", base + 8));
                return;
            }
            Color::Rgb(r, g, b) => {
                self.print(format_args!("{separator}{};2;{r};{g};{b}", base + 8));
                return;
            }
        };
        self.print(format_args!("{separator}{}", base + number));
    }
}

/// The replacement for a symbol that the font lacks, of the same width.
fn shown(symbol: &str, signs: Signs) -> &str {
    match signs {
        _ if symbol.len() == 1 => symbol,
        Signs::All => symbol,
        Signs::Console => in_plain_font(symbol),
        Signs::Ascii => in_ascii(symbol),
    }
}

/// The replacement for a symbol that the fonts of the Linux console lack.
fn in_plain_font(symbol: &str) -> &str {
    match symbol {
        "✓" => "v",
        "▎" | "┃" => "|",
        "⏎" | "‹" => "<",
        "›" | "↳" => ">",
        "✎" | "◐" | "…" => "~",
        "↥" => "^",
        "▤" => "#",
        "●" => "*",
        "○" => "o",
        "◆" => "+",
        "■" => "x",
        "┄" | "—" | "–" => "-",
        "•" => "·",
        other => other,
    }
}

/// The replacement for a line or symbol that is not ASCII. Letters of messages stay as they are.
fn in_ascii(symbol: &str) -> &str {
    match in_plain_font(symbol) {
        "─" => "-",
        "═" => "=",
        "│" | "▌" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => "+",
        "·" => ".",
        "↑" => "^",
        "↓" => "v",
        "←" => "<",
        "→" => ">",
        "×" => "x",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn written(cells: &[(Style, &str)], signs: Signs) -> String {
        let mut out = Vec::new();
        let mut pen = Pen::new(&mut out, 80, signs);
        pen.go_to(2, 1);
        for (style, symbol) in cells {
            let mut cell = Cell::default();
            cell.set_symbol(symbol).set_style(*style);
            pen.put(&cell, 1);
        }
        pen.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_sixteen_colours_have_their_own_codes() {
        let red = Style::new().fg(Color::Red).bg(Color::White).add_modifier(Modifier::BOLD);
        assert_eq!(written(&[(red, "x")], Signs::All), "\u{1b}[2;3H\u{1b}[1;31;107mx\u{1b}[0m");
        let light = Style::new().fg(Color::LightGreen);
        assert_eq!(written(&[(light, "x")], Signs::All), "\u{1b}[2;3H\u{1b}[92mx\u{1b}[0m");
        assert_eq!(written(&[(Style::new(), "x")], Signs::All), "\u{1b}[2;3Hx");
        let indexed = Style::new().fg(Color::Indexed(208));
        assert!(written(&[(indexed, "x")], Signs::All).contains("\u{1b}[38;5;208m"));
    }

    #[test]
    fn a_change_of_style_is_written_as_the_difference_unless_something_ends() {
        let red = Style::new().fg(Color::Red);
        let bold = red.add_modifier(Modifier::BOLD);
        let cells = [(red, "a"), (bold, "b"), (bold, "c"), (red, "d")];
        let expected = "\u{1b}[2;3H\u{1b}[31ma\u{1b}[1mbc\u{1b}[0;31md\u{1b}[0m";
        assert_eq!(written(&cells, Signs::All), expected);
    }

    #[test]
    fn the_linux_console_gets_signs_that_its_fonts_have() {
        for (sign, plain) in [("✓", "v"), ("▎", "|"), ("⏎", "<"), ("│", "│"), ("é", "é")]
        {
            assert_eq!(
                written(&[(Style::new(), sign)], Signs::Console),
                format!("\u{1b}[2;3H{plain}")
            );
            assert_eq!(written(&[(Style::new(), sign)], Signs::All), format!("\u{1b}[2;3H{sign}"));
        }
    }

    #[test]
    fn without_the_glyphs_everything_that_frames_the_texts_is_ascii() {
        let signs = "─│┌┐└┘┬┴═▌▎┃✓·↑↓←→✎↥▤●○◐◆■…┄—–•›‹↳⏎×";
        for sign in signs.chars() {
            let written = written(&[(Style::new(), &sign.to_string())], Signs::Ascii);
            assert!(written.is_ascii(), "{sign}: {written:?}");
        }
        assert!(written(&[(Style::new(), "é")], Signs::Ascii).ends_with('é'), "letters stay");
    }
}
