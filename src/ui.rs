//! Painting. [`Screen::draw`] turns what `layout` derived into cells and decides nothing.
//!
//! Accepts only cleaned text, and looks at every cell once more before it leaves: a control character cannot pass.

mod bar;
mod compose;
mod details;
mod dialog;
mod list;
mod messages;
mod paint;
mod theme;

pub use theme::{ColorDepth, Theme};

use crate::app::Model;
use crate::app::view::Visible;
use crate::app::view::layout::{Layout, Rect, SMALLEST};
use ratatui::Frame;
use ratatui::buffer::Buffer;

/// The cells of each pane as painted last: a pane whose stamp has not changed is copied and not painted again.
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
        let (Some(layout), true) = (&visible.layout, fits) else {
            too_small(frame);
            return;
        };
        let buffer = frame.buffer_mut();
        self.draw_panes(visible, layout, theme, buffer, model.view.bare);
        let status = &visible.status;
        for (bar, area) in [
            (&status.top, layout.top),
            (&status.header, layout.header),
            (&status.banner, layout.banner),
            (&status.footer, layout.footer),
        ] {
            if let Some(area) = area {
                bar::draw(bar, theme, area, buffer);
            }
        }
        if let Some(area) = layout.divider {
            let rules = [layout.rule, layout.details_rule];
            bar::divider(&status.divider, theme, area, rules, buffer);
        }
        let mut cursor =
            layout.compose.and_then(|area| compose::draw(&visible.compose, theme, area, buffer));
        if let Some(dialog) = &model.dialog {
            let place = dialog::draw(dialog, theme, buffer);
            if dialog.takes_keys {
                cursor = place;
            }
        }
        paint::guard(buffer);
        if let Some(at) = cursor {
            frame.set_cursor_position(at);
        }
    }

    fn draw_panes(
        &mut self,
        visible: &Visible,
        layout: &Layout,
        theme: &Theme,
        buffer: &mut Buffer,
        bare: bool,
    ) {
        if let Some(area) = layout.list {
            pane(&mut self.list, area, visible.list.stamp, buffer, |b| {
                list::draw(&visible.list, layout.wide_list, theme, area, b);
            });
        }
        if let Some(area) = layout.rule {
            paint::vertical(buffer, area, theme.rule);
        }
        if let Some(area) = layout.messages {
            pane(&mut self.messages, area, visible.messages.stamp, buffer, |b| {
                messages::draw(&visible.messages, bare, theme, area, b);
            });
        }
        if let (Some(area), Some(rule)) = (layout.details, layout.details_rule) {
            paint::vertical(buffer, rule, theme.rule);
            pane(&mut self.details, area, visible.details.stamp, buffer, |b| {
                details::draw(&visible.details, theme, area, b);
            });
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
