//! The pane beside the messages on wide screens.

use super::Theme;
use super::paint;
use crate::app::view::layout::Rect;
use crate::app::view::{DetailRow, DetailsView};
use crate::model::text::{cut, cut_name, width};
use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// The width of a label in cells.
const LABEL: u16 = 11;

pub fn draw(view: &DetailsView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    paint::clear(buffer, area);
    let (x, end) = (area.x + 1, area.x + area.width);
    let room = usize::from(area.width.saturating_sub(2));
    for (y, row) in (area.y..area.y + area.height).zip(&view.rows) {
        match row {
            DetailRow::Blank => {}
            DetailRow::Title(title) => {
                paint::text(buffer, x, y, end, &cut_name(title, room), theme.title);
            }
            DetailRow::Heading(words) => {
                paint::text(buffer, x, y, end, words, theme.title);
            }
            DetailRow::Dim(text) => {
                paint::text(buffer, x, y, end, &cut(text, room), theme.dim);
            }
            DetailRow::Pair(label, value) => {
                paint::text(buffer, x, y, end, label, theme.dim);
                let room = room.saturating_sub(usize::from(LABEL));
                paint::text(buffer, x + LABEL, y, end, &cut(value, room), Style::new());
            }
            DetailRow::Item(name, right) => {
                let edge = paint::right(buffer, x, y, end.saturating_sub(1), right, theme.dim);
                let room = usize::from(edge.saturating_sub(x + 1));
                let name = cut_name(name, room);
                debug_assert!(width(&name) <= room);
                paint::text(buffer, x, y, edge, &name, Style::new());
            }
        }
    }
}
