//! The floor of the bench: the least a ratatui program does. A list of lines, an echoed input line, drawn on each key.

use crossterm::event::{Event, KeyCode, KeyModifiers, read};
use ratatui::layout::{Constraint, Layout};
use ratatui::widgets::{List, Paragraph};

fn main() -> std::io::Result<()> {
    let mut terminal = ratatui::init();
    let mut input = String::new();
    loop {
        terminal.draw(|frame| {
            let [list, line] =
                Layout::vertical([Constraint::Min(1), Constraint::Length(1)]).areas(frame.area());
            let rows = (0..list.height)
                .map(|i| format!("line {i:03} of a list that fills the screen with some text"));
            frame.render_widget(List::new(rows), list);
            frame.render_widget(Paragraph::new(format!("> {input}")), line);
            frame.set_cursor_position((2 + u16::try_from(input.len()).unwrap_or(0), line.y));
        })?;
        match read()? {
            Event::Key(key) if key.modifiers == KeyModifiers::CONTROL => break,
            Event::Key(key) => match key.code {
                KeyCode::Char(c) => input.push(c),
                KeyCode::Backspace => drop(input.pop()),
                _ => {}
            },
            _ => {}
        }
    }
    ratatui::restore();
    Ok(())
}
