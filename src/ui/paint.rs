//! Small things all panes paint with.

use crate::app::view::layout::Rect;
use crate::model::text::{cluster_width, head, width};
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

pub fn rect(area: Rect) -> ratatui::layout::Rect {
    ratatui::layout::Rect::new(area.x, area.y, area.width, area.height)
}

/// Writes text from a column on, at most up to `end`; gives the column after it.
pub fn text(buffer: &mut Buffer, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
    let mut x = x;
    for cluster in text.graphemes(true) {
        let cells = u16::try_from(cluster_width(cluster)).unwrap_or(0);
        if cells == 0 {
            continue;
        }
        if x + cells > end {
            break;
        }
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(cluster).set_style(style);
        }
        for hidden in x + 1..x + cells {
            if let Some(cell) = buffer.cell_mut((hidden, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
        x += cells;
    }
    x
}

/// Writes text so that it ends before column `end`; gives where it begins.
pub fn right(buffer: &mut Buffer, start: u16, y: u16, end: u16, shown: &str, style: Style) -> u16 {
    let room = usize::from(end.saturating_sub(start));
    let shown = head(shown, room);
    let x = end - u16::try_from(width(shown)).unwrap_or(0);
    text(buffer, x, y, end, shown, style);
    x
}

pub fn fill(buffer: &mut Buffer, area: Rect, style: Style) {
    buffer.set_style(rect(area), style);
}

/// Empties a rectangle.
pub fn clear(buffer: &mut Buffer, area: Rect) {
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}

pub fn horizontal(buffer: &mut Buffer, x: u16, y: u16, end: u16, symbol: &str, style: Style) {
    for x in x..end {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

pub fn vertical(buffer: &mut Buffer, area: Rect, style: Style) {
    for y in area.y..area.y + area.height {
        if let Some(cell) = buffer.cell_mut((area.x, y)) {
            cell.set_symbol("│").set_style(style);
        }
    }
}

pub fn copy(from: &Buffer, to: &mut Buffer, area: ratatui::layout::Rect) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let (Some(source), Some(target)) = (from.cell((x, y)), to.cell_mut((x, y))) {
                target.clone_from(source);
            }
        }
    }
}

/// The second line of defence: a cell that holds a control character shows U+FFFD.
pub fn guard(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        let harmless = match symbol.as_bytes() {
            [b] => (0x20..0x7f).contains(b),
            _ => !symbol.chars().any(char::is_control),
        };
        if !harmless {
            cell.set_symbol("\u{FFFD}");
        }
    }
}
