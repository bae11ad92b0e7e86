//! The message pane.

use super::Theme;
use super::paint;
use crate::app::view::layout::Rect;
use crate::app::view::wrap::{QUOTE_BAR, TextRow};
use crate::app::view::{Glyph, MessagesView, PaneRow, RailLabel, RowKind, measured};
use crate::model::Link;
use crate::model::text::{cut, cut_name, width};
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

pub fn draw(view: &MessagesView, bare: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    paint::clear(buffer, area);
    if let Some(lines) = view.hint {
        hint(lines, theme, area, buffer);
        return;
    }
    // If the messages do not fill the pane, they are at the bottom, next to the box.
    let rows = &view.rows;
    let free = area.height.saturating_sub(u16::try_from(rows.len()).unwrap_or(area.height));
    for (y, row) in (area.y + free..area.y + area.height).zip(rows) {
        if bare {
            draw_bare(row, theme, area, y, buffer);
        } else {
            draw_row(row, view.indent, theme, area, y, buffer);
        }
    }
    view.rail.iter().for_each(|label| draw_label(label, theme, area, buffer));
}

/// Draws a label of the timeline if the text beside it leaves room, also on the rule above a day. The label of the
/// view's position moves to the row below or above if necessary.
fn draw_label(label: &RailLabel, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let end = area.x + area.width;
    let columns = u16::try_from(width(&label.text)).unwrap_or(u16::MAX);
    // One cell before the label and one at the edge stay free.
    let from = end.saturating_sub(columns.saturating_add(2)).max(area.x);
    let is_free = |y: u16| {
        let mut cells = (from..end).filter_map(|x| buffer.cell((x, y)));
        cells.all(|cell| matches!(cell.symbol(), " " | "─"))
    };
    let mut rows = vec![Some(label.row)];
    if label.is_here {
        rows.extend([label.row.checked_add(1), label.row.checked_sub(1)]);
    }
    let rows = rows.into_iter().flatten().filter(|row| *row < area.height);
    let Some(y) = rows.map(|row| area.y + row).find(|y| is_free(*y)) else { return };
    let style = if label.is_here { theme.current } else { theme.dim };
    paint::text(buffer, from, y, end, &" ".repeat(usize::from(end - from)), Style::new());
    paint::text(buffer, from + 1, y, end, &label.text, style);
}

fn hint(lines: &[&str], theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.y + area.height.saturating_sub(count) / 2;
    for (y, line) in (top..).zip(lines) {
        let line = cut(line, usize::from(area.width.saturating_sub(2)));
        let x = area.x + area.width.saturating_sub(u16::try_from(width(&line)).unwrap_or(0)) / 2;
        paint::text(buffer, x, y, area.x + area.width, &line, theme.dim);
    }
}

/// A row without anything beside its text.
fn draw_bare(row: &PaneRow, theme: &Theme, area: Rect, y: u16, buffer: &mut Buffer) {
    let end = area.x + area.width;
    match &row.kind {
        RowKind::Blank => {}
        RowKind::New(count) => {
            paint::text(buffer, area.x, y, end, &format!("{count} new"), theme.new);
        }
        RowKind::Reactions(list) => {
            let shown: Vec<String> = list.iter().map(|(s, n, _)| format!("{s} {n}")).collect();
            paint::text(buffer, area.x, y, end, &shown.join("  "), Style::new());
        }
        RowKind::Failed(reason) => {
            paint::text(buffer, area.x, y, end, reason, theme.bad);
        }
        RowKind::Day(name) => {
            paint::text(buffer, area.x, y, end, name, theme.dim);
        }
        RowKind::Name { time, name, hue, mine } => {
            // Reversed, which no message text can be: without a gutter, names must be distinguishable from text.
            let style = if *mine { theme.me } else { theme.name(*hue) };
            let style = style.add_modifier(Modifier::REVERSED);
            paint::text(buffer, area.x, y, end, &format!("{time} {name}"), style);
        }
        RowKind::Text { rows, index, system, .. } => {
            if let Some(text) = rows.get(*index) {
                draw_text(text, theme, area.x, y, end, *system, buffer);
            }
        }
    }
}

fn draw_row(row: &PaneRow, indent: u16, theme: &Theme, area: Rect, y: u16, buffer: &mut Buffer) {
    let end = area.x + area.width;
    let left = area.x + indent;
    let edge = area.x + measured(area.width, indent);
    match &row.kind {
        RowKind::Blank => {}
        RowKind::Day(name) => ruled(buffer, area, y, ("─", theme.rule), (name, theme.dim)),
        RowKind::New(count) => {
            let word = format!("{count} new");
            ruled(buffer, area, y, ("═", theme.new), (&word, theme.new));
        }
        RowKind::Name { time, name, hue, mine } => {
            paint::text(buffer, area.x + 1, y, left, time, theme.dim);
            let style = if *mine { theme.me } else { theme.name(*hue) };
            let room = usize::from(end.saturating_sub(left + 3));
            paint::text(buffer, left, y, end, &cut_name(name, room), style);
        }
        RowKind::Text { time, rows, index, glyph, system } => {
            if let Some(time) = time {
                let style = theme.dim.add_modifier(Modifier::DIM);
                paint::text(buffer, area.x + 1, y, left, time, style);
            }
            if let Some(text) = rows.get(*index) {
                draw_text(text, theme, left, y, edge - 1, *system, buffer);
            }
            mark(*glyph, theme, edge, y, buffer);
        }
        RowKind::Reactions(list) => {
            let mut x = left;
            for (shown, count, mine) in list {
                let style = if *mine {
                    Style::new().add_modifier(Modifier::REVERSED)
                } else {
                    Style::new()
                };
                x = paint::text(buffer, x, y, end, &format!("{shown} {count}"), style);
                x = paint::text(buffer, x, y, end, "  ", Style::new());
            }
        }
        RowKind::Failed(reason) => {
            paint::text(buffer, left, y, end, reason, theme.bad);
        }
    }
    if row.mention {
        paint::text(buffer, area.x, y, end, "▎", theme.mention);
    }
    if row.selected {
        paint::text(buffer, area.x, y, end, "▌", theme.current);
        let body = Rect { x: left, y, width: end - left, height: 1 };
        paint::fill(buffer, body, theme.selected);
    }
}

pub fn draw_text(
    row: &TextRow,
    theme: &Theme,
    left: u16,
    y: u16,
    end: u16,
    system: bool,
    buffer: &mut Buffer,
) {
    let mut x = left;
    for _ in 0..row.quotes {
        paint::text(buffer, x, y, end, "┃ ", theme.dim);
        x += QUOTE_BAR as u16;
    }
    x += u16::try_from(row.indent).unwrap_or(0);
    for piece in &row.pieces {
        let is_link = matches!(piece.link, Some(Link::Url(_)));
        let mut style = theme.span(piece.style, is_link);
        if matches!(piece.link, Some(Link::Mention(_))) {
            style = style.add_modifier(Modifier::BOLD);
        }
        if row.quotes > 0 || system {
            style = theme.dim.patch(style);
        }
        x = paint::text(buffer, x, y, end, &piece.text, style);
    }
}

fn mark(glyph: Option<Glyph>, theme: &Theme, end: u16, y: u16, buffer: &mut Buffer) {
    let (symbol, style) = match glyph {
        None => return,
        Some(Glyph::Queued) => ("·", theme.dim),
        Some(Glyph::Sending) => ("↑", theme.dim),
        Some(Glyph::Sent) => ("✓", theme.good),
        Some(Glyph::Read) => ("✓✓", theme.good),
        Some(Glyph::Unconfirmed) => ("?", theme.new),
        Some(Glyph::Failed) => ("!", theme.bad),
    };
    paint::right(buffer, end.saturating_sub(3), y, end.saturating_sub(1), symbol, style);
}

/// A rule across the pane with a word in its middle.
fn ruled(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    (symbol, line): (&str, Style),
    (word, style): (&str, Style),
) {
    let end = area.x + area.width;
    paint::horizontal(buffer, area.x, y, end, symbol, line);
    let word = cut(&format!(" {word} "), usize::from(area.width));
    let x = area.x + area.width.saturating_sub(u16::try_from(width(&word)).unwrap_or(0)) / 2;
    paint::text(buffer, x, y, end, &word, style);
}
