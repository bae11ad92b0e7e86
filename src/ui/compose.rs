//! The message box and the line above it.

use super::Theme;
use super::paint;
use crate::app::layout::Rect;
use crate::app::{Focus, Model};
use crate::model::SafeText;
use crate::model::text::{cut, width};
use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// Paints the box; gives where the cursor belongs.
pub fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let view = &model.view.visible.compose;
    let end = area.x + area.width;
    if model.app.open.is_none() {
        paint::text(buffer, area.x + 1, area.y, end, "No conversation is open", theme.dim);
        return None;
    }
    let edits = model.app.opened().is_some_and(|c| c.compose.draft.edit.is_some());
    let style = if edits { theme.new } else { theme.me };
    paint::text(buffer, area.x, area.y, end, &view.prompt, style);
    let left = area.x + u16::try_from(width(&view.prompt)).unwrap_or(0);
    // The box may be shorter than its rows: the cursor's row is always in it.
    let height = usize::from(area.height);
    let at = usize::from(view.cursor.1);
    let skip = (at + 1).saturating_sub(height);
    for (i, row) in view.rows.iter().skip(skip).take(height).enumerate() {
        paint::text(buffer, left, area.y + u16::try_from(i).unwrap_or(0), end, row, Style::new());
    }
    let selecting = model.app.opened().is_some_and(|c| c.selection.is_some());
    if selecting || model.app.focus == Focus::List {
        return None;
    }
    let y = area.y + u16::try_from(at - skip).unwrap_or(0);
    Some(((area.x + view.cursor.0).min(end.saturating_sub(1)), y))
}

pub fn banner(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(draft) = model.app.opened().map(|c| &c.compose.draft) else { return };
    let room = usize::from(area.width.saturating_sub(2));
    let text = match (&draft.reply, &draft.edit) {
        (_, Some(edit)) => {
            let was = SafeText::line(&one_line(&edit.was));
            let what = match edit.source.as_deref() {
                Some(kind) if kind != "Text" => "editing the markup, tags and all",
                _ => "editing",
            };
            let hint = " · Esc ends the edit, keeps the text";
            format!("{}{hint}", cut(&format!("{what}: {was}"), room.saturating_sub(width(hint))))
        }
        (Some(quote), None) => {
            let hint = " · Esc drops the quote";
            let text = format!("↳ replying to {}: {}", quote.name, one_line(&quote.text));
            format!("{}{hint}", cut(&text, room.saturating_sub(width(hint))))
        }
        (None, None) => return,
    };
    paint::text(buffer, area.x + 1, area.y, area.x + area.width, &cut(&text, room), theme.dim);
}

fn one_line(text: &str) -> String {
    text.split_whitespace().take(30).collect::<Vec<_>>().join(" ")
}
