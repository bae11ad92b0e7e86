//! Painting. [`Screen::paint`] turns what `layout` derived into cells and decides nothing.
//!
//! Accepts only cleaned text, and looks at every new cell once more before it leaves: a control character cannot pass.
//!
//! The cells of the last frame are kept. Only a pane, bar or box that has changed is painted again, and only its rows
//! are reported as changed: a typed key costs the row of the message box, whatever the size of the terminal.

mod bar;
mod compose;
mod details;
mod dialog;
mod list;
mod messages;
mod paint;
mod palette;
mod theme;
mod themes;

pub use theme::{ColorDepth, Theme};
pub use themes::Themes;

use crate::app::Model;
use crate::app::overlay::DialogView;
use crate::app::view::layout::{Layout, ListStyle, Rect, SMALLEST, Size};
use crate::app::view::{Bar, ComposeView, Hyperlink, StatusView, Visible, links_in_sight};
use ratatui::Frame;
use ratatui::buffer::Buffer;

/// The cells of the last frame, and what they were painted from.
#[derive(Default)]
pub struct Screen {
    /// Everything but the dialog: the whole frame where there is none.
    below: Buffer,
    /// The frame with the dialog; empty while there is none.
    with_dialog: Buffer,
    painted: Option<Painted>,
    /// The area that a dialog covered in the last frame.
    covered: Option<Rect>,
    changed: ChangedRows,
    /// The links of the message pane, and those of them that no dialog covers.
    links: Vec<Hyperlink>,
    uncovered: Vec<Hyperlink>,
}

/// A frame as it goes to the terminal.
#[derive(Clone, Copy)]
pub struct ScreenFrame<'a> {
    pub cells: &'a Buffer,
    /// For each row whether it may differ from the frame before.
    pub changed: &'a [bool],
    /// The links in it, from the top.
    pub links: &'a [Hyperlink],
    /// Column and row of the cursor; `None` hides it.
    pub cursor: Option<(u16, u16)>,
}

/// What the cells below the dialog were painted from.
struct Painted {
    theme: usize,
    /// The frame was behind a dialog.
    behind: bool,
    size: Size,
    layout: Layout,
    bare: bool,
    list: u64,
    messages: u64,
    details: u64,
    status: StatusView,
    status_stamp: u64,
    compose: ComposeView,
    cursor: Option<(u16, u16)>,
}

/// The rows that differ from the frame before.
#[derive(Default)]
struct ChangedRows(Vec<bool>);

impl ChangedRows {
    fn reset(&mut self, rows: u16, changed: bool) {
        self.0.clear();
        self.0.resize(usize::from(rows), changed);
    }

    fn add(&mut self, area: Rect) {
        let from = usize::from(area.y);
        self.0.iter_mut().skip(from).take(usize::from(area.height)).for_each(|row| *row = true);
    }

    fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0u16..).zip(&self.0).filter_map(|(y, changed)| changed.then_some(y))
    }
}

impl Screen {
    /// Paints what has changed since the last call. A warm and a fresh screen paint equal cells.
    pub fn paint(&mut self, model: &Model, theme: &Theme) -> ScreenFrame<'_> {
        let size = model.view.size;
        let visible = &model.view.visible;
        let fits = size.columns >= SMALLEST.columns && size.rows >= SMALLEST.rows;
        let (Some(layout), true) = (&visible.layout, fits) else {
            self.paint_too_small(size);
            let (cells, changed) = (&self.below, &self.changed.0);
            return ScreenFrame { cells, changed, links: &[], cursor: None };
        };
        let behind = model.dialog.as_ref().is_some_and(|dialog| dialog.takes_keys);
        let last = self.painted.take().filter(|last| {
            last.theme == theme.stamp
                && last.size == size
                && last.layout == *layout
                && last.bare == model.view.bare
        });
        self.changed.reset(size.rows, last.is_none());
        if last.is_none() {
            self.below = empty(size);
            self.with_dialog = Buffer::default();
            self.covered = None;
            self.links.clear();
        }
        let mut cursor = self.paint_below(visible, layout, theme, model.view.bare, last.as_ref());
        // What is behind a dialog is dimmed, and that changes every row once.
        if last.as_ref().is_some_and(|last| last.behind != behind) {
            self.changed.reset(size.rows, true);
        }
        let status = match last {
            Some(last) if last.status_stamp == visible.status.stamp => last.status,
            _ => visible.status.rows.clone(),
        };
        self.painted = Some(Painted {
            theme: theme.stamp,
            behind,
            size,
            layout: *layout,
            bare: model.view.bare,
            list: visible.list.stamp,
            messages: visible.messages.stamp,
            details: visible.details.stamp,
            status,
            status_stamp: visible.status.stamp,
            compose: visible.compose.clone(),
            cursor,
        });
        // The rows of a dialog are built anew in every frame.
        let dialog = model.dialog.as_ref();
        let area = dialog.map(|dialog| dialog.area);
        for area in [self.covered, area].into_iter().flatten() {
            self.changed.add(area);
        }
        self.covered = area;
        for y in self.changed.iter() {
            paint::guard(&mut self.below, y);
            paint::apply_screen_style(&mut self.below, y, theme.screen);
        }
        let Some(dialog) = dialog else {
            self.with_dialog = Buffer::default();
            let (cells, changed) = (&self.below, &self.changed.0);
            return ScreenFrame { cells, changed, links: &self.links, cursor };
        };
        let place = self.paint_dialog(dialog, theme);
        if dialog.takes_keys {
            cursor = place;
        }
        self.uncover(dialog.area);
        let (cells, changed) = (&self.with_dialog, &self.changed.0);
        ScreenFrame { cells, changed, links: &self.uncovered, cursor }
    }

    /// Paints a dialog over a copy of what is below it, and returns the position of its cursor.
    fn paint_dialog(&mut self, dialog: &DialogView, theme: &Theme) -> Option<(u16, u16)> {
        if self.with_dialog.area != self.below.area {
            self.with_dialog = self.below.clone();
        }
        for y in self.changed.iter() {
            paint::copy_row(&self.below, &mut self.with_dialog, y);
            if dialog.takes_keys {
                paint::dim_row(&mut self.with_dialog, y);
            }
        }
        let cursor = dialog::draw(dialog, theme, &mut self.with_dialog);
        for y in dialog.area.y..dialog.area.y.saturating_add(dialog.area.height) {
            paint::guard(&mut self.with_dialog, y);
            paint::apply_screen_style(&mut self.with_dialog, y, theme.screen);
        }
        cursor
    }

    /// Paints the model into a frame of ratatui.
    pub fn draw(&mut self, model: &Model, theme: &Theme, frame: &mut Frame<'_>) {
        let painted = self.paint(model, theme);
        let buffer = frame.buffer_mut();
        if buffer.area == painted.cells.area {
            buffer.content.clone_from(&painted.cells.content);
        }
        if let Some(at) = painted.cursor {
            frame.set_cursor_position(at);
        }
    }

    /// Paints the parts that differ from what was painted last, and returns the position of the cursor.
    fn paint_below(
        &mut self,
        visible: &Visible,
        layout: &Layout,
        theme: &Theme,
        bare: bool,
        last: Option<&Painted>,
    ) -> Option<(u16, u16)> {
        let Self { below, changed, links, .. } = self;
        if let Some(area) = layout.list
            && last.is_none_or(|last| last.list != visible.list.stamp)
        {
            list::draw(&visible.list, layout.list_style != ListStyle::Narrow, theme, area, below);
            changed.add(area);
        }
        if let Some(area) = layout.messages
            && last.is_none_or(|last| last.messages != visible.messages.stamp)
        {
            messages::draw(&visible.messages, bare, theme, area, below);
            *links = links_in_sight(&visible.messages, area, bare);
            changed.add(area);
        }
        if let Some(area) = layout.details
            && last.is_none_or(|last| last.details != visible.details.stamp)
        {
            details::draw(&visible.details, theme, area, below);
            changed.add(area);
        }
        if last.is_none() {
            for rule in [layout.rule, layout.details_rule].into_iter().flatten() {
                paint::vertical(below, rule, theme.rule);
            }
        }
        if last.is_none_or(|last| last.status_stamp != visible.status.stamp) {
            Self::paint_bars(&visible.status.rows, layout, theme, last, below, changed);
        }
        let area = layout.compose?;
        if let Some(last) = last.filter(|last| last.compose == visible.compose) {
            return last.cursor;
        }
        paint::clear(below, area);
        changed.add(area);
        compose::draw(&visible.compose, theme, area, below)
    }

    /// Paints the bars that differ from what was painted last.
    fn paint_bars(
        status: &StatusView,
        layout: &Layout,
        theme: &Theme,
        last: Option<&Painted>,
        below: &mut Buffer,
        changed: &mut ChangedRows,
    ) {
        let painted = last.map(|last| &last.status);
        for (bar, before, area) in [
            (&status.top, painted.map(|s| &s.top), layout.top),
            (&status.header, painted.map(|s| &s.header), layout.header),
            (&status.banner, painted.map(|s| &s.banner), layout.banner),
            (&status.footer, painted.map(|s| &s.footer), layout.footer),
        ] {
            if let Some(area) = changed_area(bar, before, area) {
                paint::clear(below, area);
                bar::draw(bar, theme, area, below);
                changed.add(area);
            }
        }
        let before = painted.map(|s| &s.divider);
        if let Some(area) = changed_area(&status.divider, before, layout.divider) {
            paint::clear(below, area);
            let rules = [layout.rule, layout.details_rule];
            bar::divider(&status.divider, theme, area, rules, below);
            changed.add(area);
        }
    }

    /// Finds the links that a dialog in this area leaves visible.
    fn uncover(&mut self, area: Rect) {
        let is_covered = |link: &&Hyperlink| {
            let columns = &link.columns;
            (area.y..area.y + area.height).contains(&link.row)
                && columns.start < area.x + area.width
                && area.x < columns.end
        };
        self.uncovered.clear();
        self.uncovered.extend(self.links.iter().filter(|link| !is_covered(link)).cloned());
    }

    fn paint_too_small(&mut self, size: Size) {
        self.painted = None;
        self.covered = None;
        self.changed.reset(size.rows, true);
        self.below = empty(size);
        if size.columns > 0 && size.rows > 0 {
            let text = "skchat needs 20x5";
            let style = ratatui::style::Style::default();
            self.below.set_stringn(0, 0, text, usize::from(size.columns), style);
        }
    }
}

/// The area of a bar if it has to be painted.
fn changed_area(bar: &Bar, before: Option<&Bar>, area: Option<Rect>) -> Option<Rect> {
    area.filter(|_| before != Some(bar))
}

fn empty(size: Size) -> Buffer {
    Buffer::empty(ratatui::layout::Rect::new(0, 0, size.columns, size.rows))
}

#[cfg(test)]
mod tests;
