//! The message box.

use super::Theme;
use super::paint;
use crate::app::view::ComposeView;
use crate::app::view::layout::Rect;
use crate::model::text::width;
use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// Paints the box; returns the cursor position.
pub fn draw(
    view: &ComposeView,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<(u16, u16)> {
    let end = area.x + area.width;
    if view.prompt.is_empty() {
        paint::text(buffer, area.x + 1, area.y, end, "No chat is open", theme.dim);
        return None;
    }
    let style = if view.editing { theme.new } else { theme.me };
    paint::text(buffer, area.x, area.y, end, &view.prompt, style);
    let left = area.x + u16::try_from(width(&view.prompt)).unwrap_or(0);
    // The box may have room for fewer rows: the cursor's row is always visible.
    let height = usize::from(area.height);
    let at = usize::from(view.cursor.1);
    let skip = (at + 1).saturating_sub(height);
    for (y, row) in (area.y..).zip(view.rows.iter().skip(skip).take(height)) {
        paint::text(buffer, left, y, end, row, Style::new());
    }
    let in_sight = |row: usize| row.checked_sub(skip).filter(|y| *y < height);
    for (row, columns) in &view.misspelt {
        let Some(y) = in_sight(*row).and_then(|y| u16::try_from(y).ok()) else { continue };
        let from = left.saturating_add(columns.start).min(end);
        let width = left.saturating_add(columns.end).min(end) - from;
        paint::fill(buffer, Rect { x: from, y: area.y + y, width, height: 1 }, Theme::misspelt());
    }
    let y = area.y + u16::try_from(at - skip).unwrap_or(0);
    let x = (area.x + view.cursor.0).min(end.saturating_sub(1));
    view.shows_cursor.then_some((x, y))
}
