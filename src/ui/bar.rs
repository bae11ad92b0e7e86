//! Rows with labels at the left and at the right.

use super::Theme;
use super::paint;
use crate::app::view::layout::Rect;
use crate::app::view::{Bar, Label};
use crate::model::text::width;
use ratatui::buffer::Buffer;

/// Paints a bar in the first row of an area.
pub fn draw(bar: &Bar, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let end = area.x + area.width;
    let right: usize = bar.right.iter().map(|label| width(&label.text)).sum();
    let edge = end.saturating_sub(u16::try_from(right).unwrap_or(u16::MAX)).max(area.x);
    let from = area.x.saturating_add(u16::try_from(bar.from).unwrap_or(u16::MAX));
    labels(&bar.left, theme, from, area.y, edge, buffer);
    labels(&bar.right, theme, edge, area.y, end, buffer);
}

/// The rule above the box: a bar on a horizontal line at which the vertical rules end.
pub fn divider(
    bar: &Bar,
    theme: &Theme,
    area: Rect,
    rules: [Option<Rect>; 2],
    buffer: &mut Buffer,
) {
    let end = area.x + area.width;
    paint::horizontal(buffer, area.x, area.y, end, "─", theme.rule);
    for rule in rules.into_iter().flatten() {
        paint::text(buffer, rule.x, area.y, end, "┴", theme.rule);
    }
    draw(bar, theme, area, buffer);
}

/// Paints labels one after the other; returns the column after them.
pub fn labels(
    labels: &[Label],
    theme: &Theme,
    x: u16,
    y: u16,
    end: u16,
    buffer: &mut Buffer,
) -> u16 {
    labels
        .iter()
        .fold(x, |x, label| paint::text(buffer, x, y, end, &label.text, theme.tone(label.tone)))
}
