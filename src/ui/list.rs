//! The conversation list.

use super::Theme;
use super::paint;
use crate::app::view::layout::Rect;
use crate::app::view::{Badge, ListRow, ListView, RowAccount, SectionHeading, Tone};
use crate::model::text::{cut, cut_name};
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

/// The width of an account's name beside a chat, in cells.
const ACCOUNT: usize = 6;
/// The cells of a presence symbol and of the space before it.
const SIGN: usize = 2;
/// The cells right of a chat's symbols: the time or a count, with spaces around it. Longer ones move the symbols.
const SIGNS: u16 = 7;
/// The same if time and count are beside each other.
const WIDE_SIGNS: u16 = 11;

pub fn draw(view: &ListView, wide: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    paint::clear(buffer, area);
    let end = area.x + area.width;
    let mut y = area.y;
    if view.rows.is_empty() {
        paint::text(buffer, area.x + 1, y, end, "No chats yet", theme.dim);
        paint::text(buffer, area.x + 1, y + 1, end, "Ctrl-K finds people", theme.dim);
        return;
    }
    for row in &view.rows {
        if y >= area.y + area.height {
            break;
        }
        if let RowAccount::Heading(heading) = &row.account {
            draw_heading(heading, theme, Rect { y, height: 1, ..area }, buffer);
            y += 1;
            if y >= area.y + area.height {
                break;
            }
        }
        draw_row(row, theme, area.x, y, end, wide, buffer);
        y += 1;
        if let Some(snippet) = &row.snippet {
            if y >= area.y + area.height {
                break;
            }
            if row.current {
                paint::text(buffer, area.x, y, end, "▌", theme.current);
            }
            let room = usize::from(area.width.saturating_sub(3));
            paint::text(buffer, area.x + 3, y, end, &cut(snippet, room), theme.dim);
            y += 1;
        }
    }
    if view.below > 0 {
        let text = format!("↓ {} more unread", view.below);
        paint::text(buffer, area.x + 1, area.y + area.height - 1, end, &text, theme.new);
    }
}

fn draw_heading(heading: &SectionHeading, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (dot, style) = if heading.online { ("●", theme.good) } else { ("○", theme.dim) };
    let mut edge = (area.x + area.width).saturating_sub(1);
    if heading.unread > 0 {
        let unread = heading.unread.to_string();
        edge = paint::right(buffer, area.x, area.y, edge, &unread, theme.dim).saturating_sub(1);
    }
    paint::text(buffer, area.x, area.y, edge, dot, style);
    let room = usize::from(edge.saturating_sub(area.x + 2));
    paint::text(buffer, area.x + 2, area.y, edge, &cut(&heading.name, room), theme.title);
}

fn draw_row(
    row: &ListRow,
    theme: &Theme,
    x: u16,
    y: u16,
    end: u16,
    wide: bool,
    buffer: &mut Buffer,
) {
    if row.current {
        paint::text(buffer, x, y, end, "▌", theme.current);
    }
    let (mark, style) = badge(row, theme);
    let is_filled = style.bg.is_some() || style.add_modifier.contains(Modifier::REVERSED);
    let mark = if wide && is_filled { format!(" {mark} ") } else { mark };
    let mut edge = end.saturating_sub(1);
    if wide && !row.time.is_empty() {
        edge = paint::right(buffer, x, y, edge, &format!("{:>5}", row.time), theme.dim)
            .saturating_sub(1);
    }
    if !mark.is_empty() {
        edge = paint::right(buffer, x, y, edge, &mark, style).saturating_sub(1);
    } else if !wide && !row.time.is_empty() {
        edge = paint::right(buffer, x, y, edge, &row.time, theme.dim).saturating_sub(1);
    }
    let mut style = match (row.current, row.unread, row.signs.muted) {
        (_, _, true) => theme.dim,
        (true, _, _) => theme.current,
        _ if row.chat.account.archive().is_some() => theme.dim,
        (_, true, _) => theme.unread,
        _ => Style::new(),
    };
    if row.marked {
        style = style.add_modifier(Modifier::REVERSED);
    }
    // Symbols are aligned at the right, so that names begin in one column.
    let signs = [(row.signs.is_archived, "▤"), (row.signs.pinned, "↥"), (row.signs.muted, "m")];
    let signs: String = signs.iter().filter(|(is_so, _)| *is_so).map(|(_, sign)| *sign).collect();
    if !signs.is_empty() {
        let column = end.saturating_sub(if wide { WIDE_SIGNS } else { SIGNS });
        edge = paint::right(buffer, x, y, edge.min(column), &signs, theme.dim).saturating_sub(1);
    }
    if let RowAccount::Beside(account) = &row.account {
        let account = cut(account, ACCOUNT);
        edge = paint::right(buffer, x, y, edge, &account, theme.dim).saturating_sub(1);
    }
    let room = usize::from(edge.saturating_sub(x + 1));
    let Some(availability) = row.signs.presence.filter(|_| room > 2 * SIGN) else {
        paint::text(buffer, x + 1, y, edge, &cut_name(&row.title, room), style);
        return;
    };
    let name = cut_name(&row.title, room - SIGN);
    let after = paint::text(buffer, x + 1, y, edge, &name, style);
    let tone = theme.tone(Tone::of(availability));
    paint::text(buffer, after + 1, y, edge, availability.sign(), tone);
}

fn badge(row: &ListRow, theme: &Theme) -> (String, Style) {
    let capped = |n: u32| if n > 99 { "99+".to_owned() } else { n.to_string() };
    match row.badge {
        Badge::Failed => ("!".into(), filled(theme.bad)),
        Badge::Mentions(n) => (format!("@{}", capped(n)), filled(theme.mention)),
        Badge::Draft => ("✎".into(), theme.me),
        Badge::Unread(n) if row.signs.muted => (capped(n), theme.dim),
        Badge::Unread(n) => (capped(n), theme.badge),
        Badge::None => (String::new(), Style::new()),
    }
}

/// A style that colours the background of the cell and not the letter.
fn filled(style: Style) -> Style {
    style.add_modifier(Modifier::REVERSED)
}
