//! The search: a line that is typed into, and two rows for each hit with what was found set off.

use crate::app::Model;
use crate::app::layout::Rect;
use crate::app::search::{Search, SearchState};
use crate::model::search::Hit;
use crate::model::text::{cut, width};
use crate::ui::{Theme, paint};
use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// Rows a hit takes.
const ROWS: usize = 2;

/// Paints it; gives the place of the cursor.
pub fn draw(model: &Model, search: &Search, theme: &Theme, buffer: &mut Buffer) -> (u16, u16) {
    let screen = Rect { x: 0, y: 0, width: buffer.area.width, height: buffer.area.height };
    let columns = 100.min(screen.width.saturating_sub(2)).max(screen.width.min(18));
    let rows = screen.height.saturating_sub(2).max(3).min(screen.height);
    let area = Rect {
        x: (screen.width - columns) / 2,
        y: (screen.height - rows) / 2,
        width: columns,
        height: rows,
    };
    let here = search.here.as_ref().and_then(|id| model.app.conversations.get(id));
    let title = match here {
        // What was never fetched cannot be found.
        Some(c) if !c.paging.coverage.reached_start() => {
            format!("Search in {} (older messages are on the server only)", model.app.title(c))
        }
        Some(c) => format!("Search in {}", model.app.title(c)),
        None => "Search everywhere".to_owned(),
    };
    let other = if here.is_some() { "Tab: everywhere" } else { "Tab: this chat" };
    let hint = format!("Enter opens · {other} · Esc closes");
    super::frame(&super::Dialog::bare(title, hint), theme, area, buffer);
    let (left, end) = (area.x + 2, area.x + area.width - 2);
    let y = area.y + 1;
    let told = told(search);
    let told_width = u16::try_from(width(&told)).unwrap_or(u16::MAX);
    let edge = if end > left + told_width + 12 {
        paint::right(buffer, left, y, end, &told, theme.dim).saturating_sub(1)
    } else {
        end
    };
    let x = paint::text(buffer, left, y, edge, "› ", theme.key);
    let input = crate::model::SafeText::line_as_is(&search.input);
    let room = usize::from(edge.saturating_sub(x + 1));
    let shown = crate::model::text::tail(&input, room);
    let x = paint::text(buffer, x, y, edge, shown, Style::new());
    if area.height < 5 {
        return (x, y);
    }
    paint::horizontal(buffer, area.x + 1, y + 1, area.x + area.width - 1, "─", theme.rule);
    let hits = Rect { x: left, y: y + 2, width: end - left, height: area.height.saturating_sub(4) };
    if let SearchState::Wrong(why) = &search.state {
        paint::text(buffer, hits.x, hits.y, end, why, theme.bad);
    } else if search.hits.is_empty() {
        empty(search, theme, hits, buffer);
    } else {
        list(model, search, theme, hits, buffer);
    }
    (x, y)
}

/// How many there are, as far as that is known.
fn told(search: &Search) -> String {
    let count = match search.state {
        SearchState::Idle | SearchState::Wrong(_) => String::new(),
        SearchState::Asking if search.hits.is_empty() => "searching…".to_owned(),
        _ if search.has_more() => format!("{}+ found", search.hits.len()),
        _ => format!("{} found", search.hits.len()),
    };
    if search.behind { format!("{count} · still indexing") } else { count }
}

fn empty(search: &Search, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines: &[&str] = match search.state {
        SearchState::Idle => &[
            "Any part of a word, in everything that was ever read here.",
            "",
            "\"two words\"      as they stand together",
            "from:joe         who wrote it; from:me",
            "in:kitchen       in which conversation",
            "before:2024-05   after:2023-12-31",
            "has:link         has:file",
        ],
        SearchState::Answered => &["Nothing found."],
        _ => &[],
    };
    for (y, line) in (area.y..area.y + area.height).zip(lines) {
        paint::text(buffer, area.x, y, area.x + area.width, line, theme.dim);
    }
}

fn list(model: &Model, search: &Search, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let room = (usize::from(area.height) / ROWS).max(1);
    let skip = (search.marked + 1).saturating_sub(room);
    for (i, hit) in search.hits.iter().enumerate().skip(skip).take(room) {
        let y = area.y + u16::try_from((i - skip) * ROWS).unwrap_or(0);
        let marked = i == search.marked;
        if marked {
            let bar =
                Rect { x: area.x, y, width: area.width, height: 2.min(area.y + area.height - y) };
            paint::fill(buffer, bar, theme.selected);
        }
        row(model, hit, marked, theme, Rect { y, ..area }, buffer);
    }
}

fn row(model: &Model, hit: &Hit, marked: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let app = &model.app;
    let end = area.x + area.width;
    let on = |style: Style| if marked { style.patch(theme.selected) } else { style };
    let zone = &app.prefs.zone;
    let day = hit.key.at.day_name(app.clock.wall, zone);
    let when = format!("{day} {}", hit.key.at.clock(zone));
    let edge = paint::right(buffer, area.x, area.y, end, &when, on(theme.dim)).saturating_sub(1);
    let who = app.name_of(&hit.sender);
    let x = paint::text(buffer, area.x, area.y, edge, &who, on(theme.unread));
    if let Some(c) = app.conversations.get(&hit.conversation) {
        let title = app.title(c);
        let chat = if title == who { String::new() } else { format!("  in {title}") };
        let room = usize::from(edge.saturating_sub(x));
        paint::text(buffer, x, area.y, edge, &cut(&chat, room), on(theme.dim));
    }
    let y = area.y + 1;
    let mut x = area.x + 2;
    let mut at = 0;
    for range in &hit.marks {
        let before = hit.text.get(at..range.start).unwrap_or_default();
        x = paint::text(buffer, x, y, end, before, on(Style::new()));
        let found = hit.text.get(range.clone()).unwrap_or_default();
        x = paint::text(buffer, x, y, end, found, on(theme.new));
        at = range.end;
    }
    paint::text(buffer, x, y, end, hit.text.get(at..).unwrap_or_default(), on(Style::new()));
    if width(&hit.text) > usize::from(end - area.x - 2) {
        paint::right(buffer, area.x, y, end, "…", on(Style::new()));
    }
}
