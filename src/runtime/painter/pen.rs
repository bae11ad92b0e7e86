//! A backend that writes what every terminal understands.
//!
//! Crossterm writes each colour as `38;5;n`, which terminals of sixteen colours and fewer do not know: they show
//! nothing, or blinking text. Here the sixteen colours have their own codes, and every change of style is written in
//! full, so that it does not depend on what stood before.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use std::io::{self, Write};

pub struct AnsiBackend<W> {
    out: W,
    /// The font of the terminal lacks signs that others have.
    plain_font: bool,
}

impl<W: Write> AnsiBackend<W> {
    pub fn new(out: W, plain_font: bool) -> Self {
        Self { out, plain_font }
    }

    fn style(&mut self, fg: Color, bg: Color, modifier: Modifier) -> io::Result<()> {
        write!(self.out, "\x1b[0")?;
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
            if modifier.contains(flag) {
                write!(self.out, ";{code}")?;
            }
        }
        self.color(fg, 30)?;
        self.color(bg, 40)?;
        write!(self.out, "m")
    }

    /// One colour; `base` is 30 for the text and 40 for what is behind it.
    fn color(&mut self, color: Color, base: u8) -> io::Result<()> {
        let number = match color {
            Color::Reset => return Ok(()),
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
            Color::Indexed(n) => return write!(self.out, ";{};5;{n}", base + 8),
            Color::Rgb(r, g, b) => return write!(self.out, ";{};2;{r};{g};{b}", base + 8),
        };
        write!(self.out, ";{}", base + number)
    }
}

/// The replacement for a sign that the fonts of the Linux console lack.
fn in_plain_font(symbol: &str) -> &str {
    match symbol {
        "✓" => "v",
        "▎" | "┃" => "|",
        "⏎" | "‹" => "<",
        "›" | "↳" => ">",
        "✎" => "~",
        "↥" => "^",
        "●" => "*",
        "○" => "o",
        "…" => ".",
        "┄" | "—" | "–" => "-",
        "•" => "·",
        other => other,
    }
}

impl<W: Write> Backend for AnsiBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let plain = (Color::Reset, Color::Reset, Modifier::empty());
        let mut style = plain;
        let mut next = None;
        for (x, y, cell) in content {
            if next != Some((x, y)) {
                write!(self.out, "\x1b[{};{}H", y + 1, x + 1)?;
            }
            next = Some((x + 1, y));
            let wanted = (cell.fg, cell.bg, cell.modifier);
            if wanted != style {
                self.style(cell.fg, cell.bg, cell.modifier)?;
                style = wanted;
            }
            let symbol = cell.symbol();
            let symbol = if self.plain_font { in_plain_font(symbol) } else { symbol };
            self.out.write_all(symbol.as_bytes())?;
        }
        if style == plain { Ok(()) } else { write!(self.out, "\x1b[0m") }
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        (0..n).try_for_each(|_| self.out.write_all(b"\n"))
    }
    fn hide_cursor(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x1b[?25l")
    }
    fn show_cursor(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x1b[?25h")
    }
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Asking would mean waiting for the terminal.
        Err(io::ErrorKind::Unsupported.into())
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let at = position.into();
        write!(self.out, "\x1b[{};{}H", at.y + 1, at.x + 1)
    }
    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }
    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.out.write_all(match clear_type {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[0J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[0K",
        })
    }
    fn size(&self) -> io::Result<Size> {
        crossterm::terminal::size().map(|(width, height)| Size { width, height })
    }
    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn bytes(style: Style, symbol: &str, plain_font: bool) -> String {
        let mut out = Vec::new();
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_style(style);
        AnsiBackend::new(&mut out, plain_font).draw([(2, 1, &cell)].into_iter()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_sixteen_colours_have_their_own_codes() {
        let red = Style::new().fg(Color::Red).bg(Color::White).add_modifier(Modifier::BOLD);
        assert_eq!(bytes(red, "x", false), "\u{1b}[2;3H\u{1b}[0;1;31;107mx\u{1b}[0m");
        let light = Style::new().fg(Color::LightGreen);
        assert_eq!(bytes(light, "x", false), "\u{1b}[2;3H\u{1b}[0;92mx\u{1b}[0m");
        assert_eq!(bytes(Style::new(), "x", false), "\u{1b}[2;3Hx");
        let indexed = Style::new().fg(Color::Indexed(208));
        assert!(bytes(indexed, "x", false).contains("\u{1b}[0;38;5;208m"));
    }

    #[test]
    fn the_linux_console_gets_signs_that_its_fonts_have() {
        for (sign, plain) in [("✓", "v"), ("▎", "|"), ("⏎", "<"), ("│", "│"), ("é", "é")]
        {
            assert_eq!(bytes(Style::new(), sign, true), format!("\u{1b}[2;3H{plain}"));
            assert_eq!(bytes(Style::new(), sign, false), format!("\u{1b}[2;3H{sign}"));
        }
    }
}
