//! The dialog on top.

use super::Theme;
use super::bar::labels;
use super::messages::draw_text;
use super::paint;
use crate::app::overlay::{DialogBody, DialogLine, DialogView, InputView};
use crate::app::view::layout::Rect;
use crate::model::text::{cut, width};
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

/// Paints a dialog; returns the cursor position in its input line.
pub fn draw(dialog: &DialogView, theme: &Theme, buffer: &mut Buffer) -> Option<(u16, u16)> {
    frame(dialog, theme, buffer);
    let cursor = dialog.input.as_ref().map(|view| input(view, dialog.area, theme, buffer));
    let body = dialog.body;
    if dialog.ruled && dialog.area.height >= 5 {
        let (left, right) = (dialog.area.x + 1, dialog.area.x + dialog.area.width - 1);
        paint::horizontal(buffer, left, dialog.area.y + 2, right, "─", theme.rule);
    }
    match &dialog.lines {
        DialogBody::Lines(lines) => {
            for (y, row) in (body.y..).zip(lines) {
                line(row, theme, Rect { y, height: 1, ..body }, buffer);
            }
        }
        DialogBody::Text(rows) => {
            for (y, row) in (body.y..).zip(rows) {
                draw_text(row, theme, body.x, y, body.x + body.width, false, buffer);
            }
        }
    }
    cursor
}

fn frame(dialog: &DialogView, theme: &Theme, buffer: &mut Buffer) {
    let area = dialog.area;
    paint::clear(buffer, area);
    let (left, right) = (area.x, area.x + area.width - 1);
    let (top, bottom) = (area.y, area.y + area.height - 1);
    for (y, a, b) in [(top, "┌", "┐"), (bottom, "└", "┘")] {
        paint::horizontal(buffer, left, y, right, "─", theme.rule);
        paint::text(buffer, left, y, right + 1, a, theme.rule);
        paint::text(buffer, right, y, right + 1, b, theme.rule);
    }
    for y in top + 1..bottom {
        paint::text(buffer, left, y, right, "│", theme.rule);
        paint::text(buffer, right, y, right + 1, "│", theme.rule);
    }
    let room = usize::from(area.width.saturating_sub(6));
    for (text, y, style) in [(&dialog.title, top, theme.title), (&dialog.hint, bottom, theme.dim)] {
        if !text.is_empty() {
            paint::text(buffer, left + 2, y, right, &format!(" {} ", cut(text, room)), style);
        }
    }
}

/// Paints the input line; returns the position after its last letter.
fn input(view: &InputView, area: Rect, theme: &Theme, buffer: &mut Buffer) -> (u16, u16) {
    let (y, end) = (area.y + 1, area.x + area.width - 2);
    paint::right(buffer, area.x, y, end, &view.note, theme.dim);
    let x = paint::text(buffer, area.x + 2, y, end, "› ", theme.me);
    let style = if view.is_selected { theme.selected } else { Style::new() };
    let x = paint::text(buffer, x, y, end, &view.text, style);
    (x.min(end), y)
}

fn line(row: &DialogLine, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let end = area.x + area.width;
    let mut edge = end;
    let used: usize = row.left.iter().map(|label| width(&label.text)).sum();
    if !row.right.is_empty() {
        let style = theme.tone(row.right_tone);
        // The right text may take half of the row, or more if the left side leaves room.
        let columns = usize::from(area.width);
        let most = (columns / 2).max(columns.saturating_sub(used + 1));
        let right = cut(&row.right, most);
        edge = paint::right(buffer, area.x, area.y, end, &right, style).saturating_sub(1);
    }
    let room = usize::from(edge.saturating_sub(area.x));
    if let ([only], true) = (row.left.as_slice(), used > room) {
        let text = cut(&only.text, room);
        paint::text(buffer, area.x, area.y, edge, &text, theme.tone(only.tone));
    } else {
        labels(&row.left, theme, area.x, area.y, edge, buffer);
    }
    if row.marked {
        // Dim text would be hard to read on the highlight.
        paint::fill(buffer, area, theme.selected.remove_modifier(Modifier::DIM));
    }
}
