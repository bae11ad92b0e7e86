//! Dialogs above the panes.

mod search;
mod thread;

use super::Theme;
use super::paint;
use crate::app::Model;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::layout::Rect;
use crate::app::on_compose::{self, COMMANDS};
use crate::app::overlay::{self, Overlay, REACTIONS};
use crate::app::wrap::{break_lines, wrap};
use crate::model::text::{cut, fit, width};
use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// One line of a dialog: left, right, and how it looks.
struct Line {
    left: String,
    right: String,
    style: Style,
}

impl Line {
    fn new(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self { left: left.into(), right: right.into(), style: Style::new() }
    }

    fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// A dialog: title, a line that is typed into, lines, the marked one, a hint.
struct Dialog {
    title: String,
    input: Option<String>,
    lines: Vec<Line>,
    marked: Option<usize>,
    /// The line that has to be in sight, where it is not the marked one.
    focus: Option<usize>,
    scroll: usize,
    hint: String,
    wide: bool,
}

impl Dialog {
    /// A frame for something that paints its own inside.
    fn bare(title: String, hint: String) -> Self {
        Self {
            title,
            input: None,
            lines: Vec::new(),
            marked: None,
            focus: None,
            scroll: 0,
            hint,
            wide: true,
        }
    }
}

/// Paints the dialog; gives the place of the cursor in its input line.
pub fn draw(
    model: &Model,
    open: &Overlay,
    theme: &Theme,
    buffer: &mut Buffer,
) -> Option<(u16, u16)> {
    if *open == Overlay::Preview {
        preview(model, theme, buffer);
        return None;
    }
    if let Overlay::Search(search) = open {
        return Some(search::draw(model, search, theme, buffer));
    }
    let dialog = dialog(model, open, theme);
    let screen = Rect { x: 0, y: 0, width: buffer.area.width, height: buffer.area.height };
    let columns = if dialog.wide { 76 } else { 60 };
    let columns = columns.min(screen.width.saturating_sub(2)).max(screen.width.min(18));
    let fixed = 2 + u16::from(dialog.input.is_some()) * 2;
    let wanted = u16::try_from(dialog.lines.len()).unwrap_or(u16::MAX).saturating_add(fixed);
    let rows = wanted.clamp(3, screen.height.saturating_sub(2).max(3));
    let area = Rect {
        x: (screen.width - columns) / 2,
        y: screen.height.saturating_sub(rows) / 3,
        width: columns,
        height: rows.min(screen.height),
    };
    frame(&dialog, theme, area, buffer);
    let end = area.x + area.width - 1;
    let mut y = area.y + 1;
    let mut cursor = None;
    let last = area.y + area.height - 1;
    if let Some(input) = &dialog.input {
        let room = usize::from(area.width.saturating_sub(6));
        let skip = width(input).saturating_sub(room);
        let shown: String =
            if skip > 0 { input.chars().skip(skip).collect() } else { input.clone() };
        let x = paint::text(buffer, area.x + 2, y, end, "› ", theme.me);
        let x = paint::text(
            buffer,
            x,
            y,
            end,
            &crate::model::SafeText::line_as_is(&shown),
            Style::new(),
        );
        cursor = Some((x.min(end - 1), y));
        y += 2;
    }
    let room = usize::from(last.saturating_sub(y));
    let skip = match dialog.focus.or(dialog.marked) {
        Some(marked) => (marked + 1).saturating_sub(room),
        None => dialog.scroll.min(dialog.lines.len().saturating_sub(room)),
    };
    for (i, line) in dialog.lines.iter().enumerate().skip(skip).take(room) {
        let inner = usize::from(area.width.saturating_sub(4));
        let right_room = width(&line.right);
        let left_room = inner.saturating_sub(if right_room > 0 { right_room + 1 } else { 0 });
        let text = match right_room {
            0 => line.left.clone(),
            _ => format!("{} {}", fit(&line.left, left_room), line.right),
        };
        let style =
            if dialog.marked == Some(i) { line.style.patch(theme.selected) } else { line.style };
        let x = paint::text(buffer, area.x + 2, y, end - 1, &fit(&text, inner), style);
        debug_assert!(x <= end);
        y += 1;
    }
    cursor
}

/// How the text in the box will look, right above it.
fn preview(model: &Model, theme: &Theme, buffer: &mut Buffer) {
    let Some(layout) = model.view.visible.layout else { return };
    let (Some(below), Some(rich)) =
        (layout.divider.or(layout.compose), on_compose::preview(&model.app))
    else {
        return;
    };
    let width = below.width.min(80);
    let rows = wrap(&rich, usize::from(width.saturating_sub(4)));
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2).min(below.y);
    if height < 3 {
        return;
    }
    let area = Rect { x: below.x, y: below.y - height, width, height };
    let dialog = Dialog::bare("How it will look".into(), "Esc closes".into());
    frame(&dialog, theme, area, buffer);
    let inner = usize::from(height - 2);
    let skip = rows.len().saturating_sub(inner);
    for (y, row) in (area.y + 1..).zip(rows.iter().skip(skip)) {
        super::messages::draw_text(row, theme, area.x + 2, y, area.x + width - 2, false, buffer);
    }
}

fn frame(dialog: &Dialog, theme: &Theme, area: Rect, buffer: &mut Buffer) {
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
    paint::text(
        buffer,
        left + 2,
        top,
        right,
        &format!(" {} ", cut(&dialog.title, room)),
        theme.title,
    );
    if !dialog.hint.is_empty() {
        paint::text(
            buffer,
            left + 2,
            bottom,
            right,
            &format!(" {} ", cut(&dialog.hint, room)),
            theme.dim,
        );
    }
}

fn dialog(model: &Model, open: &Overlay, theme: &Theme) -> Dialog {
    let app = &model.app;
    let simple = |title: &str, lines: Vec<Line>, marked: usize, hint: &str| Dialog {
        title: title.to_owned(),
        input: None,
        lines,
        marked: Some(marked),
        focus: None,
        scroll: 0,
        hint: hint.to_owned(),
        wide: false,
    };
    match open {
        Overlay::Welcome | Overlay::Preview | Overlay::Search(_) => welcome(app),
        Overlay::Thread(open) => {
            let height = usize::from(model.view.size.rows.saturating_sub(2));
            thread::dialog(app, open, (columns_of(model), height), theme)
        }
        Overlay::Inspect { lines, scroll } => inspector(lines, *scroll, columns_of(model), theme),
        Overlay::Help { context, scroll } => help(model, *context, *scroll, theme),
        Overlay::Switcher { input, marked, found } => {
            let lines = found.iter().map(|f| {
                let right = match (f.is_new, f.unread) {
                    (true, _) => format!("new chat · {}", cut(f.id.as_str(), 20)),
                    (false, 0) => String::new(),
                    (false, n) => format!("{n} unread"),
                };
                Line::new(f.name.as_str(), right)
            });
            let mut dialog = simple(
                "Find a conversation or a person",
                lines.collect(),
                *marked,
                "Enter opens · an id (8:name) starts a chat · > actions",
            );
            if dialog.lines.is_empty() {
                dialog.lines.push(
                    Line::new("Nothing found. A full id such as 8:joe.4 starts a new chat.", "")
                        .styled(theme.dim),
                );
                dialog.marked = None;
            }
            dialog.input = Some(input.clone());
            dialog
        }
        Overlay::Palette { input, marked } => {
            let lines = overlay::palette(app, input)
                .iter()
                .map(|e| Line::new(e.help.as_str(), e.key()))
                .collect();
            let mut dialog = simple("All actions", lines, *marked, "Enter does it");
            dialog.input = Some(input.clone());
            dialog.wide = true;
            dialog
        }
        Overlay::Menu { marked } => {
            let lines = overlay::menu(app)
                .iter()
                .map(|(e, _)| Line::new(e.help.as_str(), e.key()))
                .collect();
            simple("Message", lines, *marked, "Enter or the key does it")
        }
        Overlay::Reactions { marked, .. } => {
            let lines = REACTIONS
                .iter()
                .enumerate()
                .map(|(i, (key, glyph))| Line::new(format!("{} {glyph}  {key}", i + 1), ""));
            simple("React", lines.collect(), *marked, "the same again takes it back")
        }
        Overlay::Links { links, marked } => {
            let lines = links
                .iter()
                .enumerate()
                .map(|(i, url)| Line::new(format!("{} {url}", i + 1), ""))
                .collect();
            let mut dialog = simple("Links", lines, *marked, "Enter or a number");
            dialog.wide = true;
            dialog
        }
        Overlay::Confirm { question, detail, .. } => {
            let columns = columns_of(model);
            let most = usize::from(model.view.size.rows.saturating_sub(6)).max(1);
            let rows = break_lines(detail, columns);
            let more = rows.len().saturating_sub(most);
            let shown = rows.into_iter().take(most).filter_map(|r| detail.get(r));
            let mut lines: Vec<Line> =
                shown.map(|r| Line::new(r.trim_end_matches('\n'), "").styled(theme.dim)).collect();
            if more > 0 {
                lines.push(Line::new(format!("… and {more} more lines"), "").styled(theme.bad));
            }
            let mut dialog = simple(question, lines, 0, "Enter or y: yes · n or Esc: no");
            dialog.wide = true;
            dialog.marked = None;
            dialog
        }
    }
}

/// Columns of text in a wide dialog.
fn columns_of(model: &Model) -> usize {
    usize::from(model.view.size.columns.saturating_sub(2)).clamp(18, 76).saturating_sub(5)
}

/// Labelled lines, wrapped; what is very long is cut.
fn inspector(
    items: &[crate::app::inspect::InspectorLine],
    scroll: usize,
    columns: usize,
    theme: &Theme,
) -> Dialog {
    const MOST: usize = 400;
    const LABEL: usize = 13;
    let mut lines = Vec::new();
    for (label, value) in items {
        let rows = break_lines(value, columns.saturating_sub(LABEL).max(4));
        let count = rows.len();
        for (i, range) in rows.into_iter().take(MOST).enumerate() {
            let text = value.get(range).unwrap_or_default().trim_end_matches('\n');
            let label = if i == 0 { *label } else { "" };
            let line = Line::new(format!("{label:<LABEL$}{text}"), "");
            lines.push(if *label == *"item" { line.styled(theme.dim) } else { line });
        }
        if count > MOST {
            lines.push(Line::new(format!("{:LABEL$}… and {} more lines", "", count - MOST), ""));
        }
    }
    Dialog {
        title: "Message".into(),
        input: None,
        lines,
        marked: None,
        focus: None,
        scroll,
        hint: "↑↓ PgUp PgDn move · Esc closes".into(),
        wide: true,
    }
}

/// The first keys to know, from the table, so that they are true.
fn welcome(app: &crate::app::AppState) -> Dialog {
    let keymap = &app.prefs.keymap;
    let lines = [
        ("send", "sends"),
        ("next-conversation", "opens the chat below (and ↑ the one above)"),
        ("switcher", "finds a chat or a person"),
        ("up", "in an empty box selects a message"),
        ("help", "shows all keys"),
    ];
    let lines = lines.iter().filter_map(|(name, what)| {
        let key = keymap.entry(name).map(KeymapEntry::key).filter(|key| !key.is_empty())?;
        Some(Line::new(format!("{key:<6} {what}"), ""))
    });
    Dialog {
        title: "To begin with".into(),
        input: None,
        lines: lines.collect(),
        marked: None,
        focus: None,
        scroll: 0,
        hint: "Esc closes this · C- Ctrl, M- Alt".into(),
        wide: false,
    }
}

/// The keys of this place first, then those that work anywhere, then the rest.
fn help(model: &Model, context: Context, scroll: usize, theme: &Theme) -> Dialog {
    let entries = model.app.prefs.keymap.entries();
    let mut order = vec![context];
    for (_, other) in Context::ALL {
        if !order.contains(&other) && other != Context::Overlay {
            order.push(other);
        }
    }
    let mut lines = Vec::new();
    for place in order {
        let here: Vec<&KeymapEntry> =
            entries.iter().filter(|e| e.context == place && !e.keys.is_empty()).collect();
        if here.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::new("", ""));
        }
        lines.push(Line::new(place.heading(), "").styled(theme.title));
        lines.extend(here.iter().map(|e| Line::new(e.help.as_str(), e.all_keys())));
    }
    lines.push(Line::new("", ""));
    lines.push(Line::new("Commands", "").styled(theme.title));
    for (name, what) in &COMMANDS {
        lines.push(Line::new(*what, format!("/{name}")));
    }
    lines.push(Line::new("Send text that begins with a slash", "//text"));
    Dialog {
        title: "Help (C- Ctrl, M- Alt, S- Shift)".into(),
        input: None,
        lines,
        marked: None,
        focus: None,
        scroll,
        hint: "↑↓ PgUp PgDn move · Esc closes".into(),
        wide: true,
    }
}
