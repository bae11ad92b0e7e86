//! Painting. [`Screen::draw`] turns what `layout` derived into cells and decides nothing.
//!
//! Accepts only cleaned text, and looks at every cell once more before it leaves: a control character cannot pass.

mod compose;
mod details;
mod list;
mod messages;
mod overlay;
mod paint;
mod status;
mod theme;

pub use theme::{ColorDepth, Theme};

use crate::app::Model;
use crate::app::layout::{Rect, SMALLEST};
use ratatui::Frame;
use ratatui::buffer::Buffer;

/// What was painted last, by pane: a pane whose stamp is the same is copied and not painted again.
#[derive(Default)]
pub struct Screen {
    list: Option<Painted<u64>>,
    messages: Option<Painted<u64>>,
    details: Option<Painted<u64>>,
}

struct Painted<S> {
    area: Rect,
    stamp: S,
    cells: Buffer,
}

impl Screen {
    /// Paints the model. A warm and a fresh screen paint equal cells.
    pub fn draw(&mut self, model: &Model, theme: &Theme, frame: &mut Frame<'_>) {
        let visible = &model.view.visible;
        let fits = frame.area().width >= SMALLEST.columns && frame.area().height >= SMALLEST.rows;
        let (Some(layout), true) = (visible.layout, fits) else {
            too_small(frame);
            return;
        };
        let buffer = frame.buffer_mut();
        if let Some(area) = layout.top {
            status::top(model, theme, area, buffer);
        }
        if let Some(area) = layout.list {
            pane(&mut self.list, area, visible.list_stamp, buffer, |b| {
                list::draw(model, theme, area, b);
            });
        }
        if let Some(area) = layout.rule {
            paint::vertical(buffer, area, theme.rule);
        }
        if let Some(area) = layout.header {
            status::header(model, theme, area, buffer);
        }
        if let Some(area) = layout.messages {
            pane(&mut self.messages, area, visible.rows_stamp, buffer, |b| {
                messages::draw(model, theme, area, b);
            });
        }
        if let (Some(area), Some(rule)) = (layout.details, layout.details_rule) {
            paint::vertical(buffer, rule, theme.rule);
            pane(&mut self.details, area, visible.details_stamp, buffer, |b| {
                details::draw(model, theme, area, b);
            });
        }
        if let Some(area) = layout.divider {
            let rules = [layout.rule, layout.details_rule];
            status::divider(model, theme, area, rules, buffer);
        }
        if let Some(area) = layout.banner {
            compose::banner(model, theme, area, buffer);
        }
        let mut cursor = layout.compose.and_then(|area| compose::draw(model, theme, area, buffer));
        if let Some(area) = layout.footer {
            status::footer(model, theme, area, layout.top.is_none(), buffer);
        }
        if let Some(open) = &model.app.overlay {
            let place = overlay::draw(model, open, theme, buffer);
            if !open.is_passive() {
                cursor = place;
            }
        }
        paint::guard(buffer);
        if let Some(at) = cursor {
            frame.set_cursor_position(at);
        }
    }
}

/// Copies a pane's cells when its stamp is the one they were painted for, else paints and keeps them.
fn pane(
    kept: &mut Option<Painted<u64>>,
    area: Rect,
    stamp: u64,
    buffer: &mut Buffer,
    paint: impl FnOnce(&mut Buffer),
) {
    let target = paint::rect(area);
    if let Some(known) = kept
        && known.area == area
        && known.stamp == stamp
    {
        paint::copy(&known.cells, buffer, target);
        return;
    }
    paint(buffer);
    let mut cells = Buffer::empty(target);
    paint::copy(buffer, &mut cells, target);
    *kept = Some(Painted { area, stamp, cells });
}

fn too_small(frame: &mut Frame<'_>) {
    let area = frame.area();
    let text = "skchat needs 20x5";
    let buffer = frame.buffer_mut();
    if area.width > 0 && area.height > 0 {
        buffer.set_stringn(0, 0, text, usize::from(area.width), ratatui::style::Style::default());
    }
}

#[cfg(test)]
mod tests;
