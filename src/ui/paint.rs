//! Drawing primitives for all panes.

use crate::app::view::layout::Rect;
use crate::model::text::{cluster_width, clusters, head, is_narrow, width};
use ratatui::buffer::{Buffer, Cell, CellDiffOption, CellWidth};
use ratatui::style::{Color, Modifier, Style};
use std::num::NonZeroU16;

pub fn rect(area: Rect) -> ratatui::layout::Rect {
    ratatui::layout::Rect::new(area.x, area.y, area.width, area.height)
}

/// Puts a cluster into a cell. If ratatui counts a different width, ours is used.
fn put(cell: &mut Cell, cluster: &str, cells: u16, style: Style) {
    // Some terminals join a joiner with whatever is drawn next to it.
    let symbol = if cluster == "\t" { " " } else { cluster.trim_end_matches('\u{200D}') };
    let option = match NonZeroU16::new(cells) {
        Some(cells) if symbol.cell_width() != cells.get() => CellDiffOption::ForcedWidth(cells),
        _ => CellDiffOption::None,
    };
    cell.reset();
    cell.set_symbol(symbol).set_style(style).set_diff_option(option);
}

/// Writes text from a column on, at most up to `end`; returns the column after it.
pub fn text(buffer: &mut Buffer, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
    let mut x = x;
    if text.chars().all(is_narrow) {
        for c in text.chars().take(usize::from(end.saturating_sub(x))) {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_char(c).set_style(style);
            }
            x += 1;
        }
        return x;
    }
    for cluster in clusters(text) {
        let cells = u16::try_from(cluster_width(cluster)).unwrap_or(0);
        if cells == 0 {
            continue;
        }
        if x + cells > end {
            break;
        }
        if let Some(cell) = buffer.cell_mut((x, y)) {
            put(cell, cluster, cells, style);
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

/// Writes text so that it ends before column `end`; returns the column where it begins.
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
            put(cell, symbol, 1, style);
        }
    }
}

pub fn vertical(buffer: &mut Buffer, area: Rect, style: Style) {
    for y in area.y..area.y + area.height {
        if let Some(cell) = buffer.cell_mut((area.x, y)) {
            put(cell, "│", 1, style);
        }
    }
}

/// Copies a row of one buffer to another of the same size.
pub fn copy_row(from: &Buffer, to: &mut Buffer, y: u16) {
    let row = row_range(from, y);
    if let (Some(source), Some(target)) = (from.content.get(row.clone()), to.content.get_mut(row)) {
        target.clone_from_slice(source);
    }
}

/// Dims a row behind a dialog.
pub fn dim_row(buffer: &mut Buffer, y: u16) {
    let range = row_range(buffer, y);
    for cell in buffer.content.get_mut(range).unwrap_or_default() {
        cell.modifier.remove(Modifier::BOLD);
        cell.modifier.insert(Modifier::DIM);
    }
}

/// Gives the cells of a row the screen's colours where they have none of their own.
pub fn apply_screen_style(buffer: &mut Buffer, y: u16, screen: Style) {
    if screen.fg.is_none() && screen.bg.is_none() {
        return;
    }
    let range = row_range(buffer, y);
    for cell in buffer.content.get_mut(range).unwrap_or_default() {
        if cell.fg == Color::Reset {
            cell.fg = screen.fg.unwrap_or(Color::Reset);
        }
        if cell.bg == Color::Reset {
            cell.bg = screen.bg.unwrap_or(Color::Reset);
        }
    }
}

fn row_range(buffer: &Buffer, y: u16) -> std::ops::Range<usize> {
    let columns = usize::from(buffer.area.width);
    let start = usize::from(y) * columns;
    start..start + columns
}

/// The second line of defence: a cell of this row that holds a control character shows U+FFFD, and a wide cluster that
/// is partly covered is removed, or what covers it would be left out.
pub fn guard(buffer: &mut Buffer, y: u16) {
    let range = row_range(buffer, y);
    let mut rest = buffer.content.get_mut(range).unwrap_or_default();
    while let Some((cell, after)) = rest.split_first_mut() {
        if !is_harmless(cell.symbol()) {
            put(cell, "\u{FFFD}", 1, Style::new());
        }
        let behind = match cell.symbol().len() {
            0 | 1 => 0,
            _ => usize::from(cell.cell_width()).saturating_sub(1),
        };
        let whole =
            after.get(..behind).is_some_and(|hidden| hidden.iter().all(|c| c.symbol() == " "));
        if !whole {
            put(cell, " ", 1, Style::new());
        }
        rest = after;
    }
}

fn is_harmless(symbol: &str) -> bool {
    match symbol.as_bytes() {
        [b] => (0x20..0x7f).contains(b),
        _ => !symbol.chars().any(char::is_control),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SafeText;
    use proptest::prelude::*;
    use ratatui::layout::Rect as Area;

    proptest! {
        #[test]
        fn our_width_of_any_cluster_is_ratatuis_width_of_its_cell(raw in any::<String>()) {
            let line = SafeText::line(&raw);
            for cluster in clusters(&line) {
                let mut buffer = Buffer::empty(Area::new(0, 0, 8, 1));
                let x = text(&mut buffer, 0, 0, 8, cluster, Style::new());
                prop_assert_eq!(usize::from(x), cluster_width(cluster), "{:?}", cluster);
                let cell = buffer.cell((0, 0)).unwrap();
                prop_assert_eq!(cell.cell_width(), x.max(1), "{:?}", cluster);
            }
        }
    }

    #[test]
    fn our_width_of_every_character_is_ratatuis_width_of_its_cell() {
        for c in ('\0'..='\u{3FFFF}').chain('\u{E0000}'..='\u{E0FFF}') {
            for raw in [format!("{c}"), format!("क{c}"), format!("👍{c}"), format!("ｶ{c}x")] {
                let line = SafeText::line(&raw);
                let mut buffer = Buffer::empty(Area::new(0, 0, 20, 1));
                let end = text(&mut buffer, 0, 0, 20, &line, Style::new());
                assert_eq!(usize::from(end), width(&line), "{raw:?}");
                let mut x = 0;
                while x < end {
                    let cells = buffer.cell((x, 0)).unwrap().cell_width();
                    assert!(cells > 0, "{raw:?}");
                    x += cells;
                }
                assert_eq!(x, end, "{raw:?}");
            }
        }
    }

    #[test]
    fn a_wide_letter_that_a_border_covers_half_of_goes_away() {
        let mut buffer = Buffer::empty(Area::new(0, 0, 4, 1));
        text(&mut buffer, 0, 0, 4, "あい", Style::new());
        text(&mut buffer, 1, 0, 4, "│", Style::new());
        guard(&mut buffer, 0);
        assert_eq!(buffer, Buffer::with_lines([" │い"]));
    }
}
