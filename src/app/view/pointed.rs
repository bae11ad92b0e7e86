//! What is in a cell of the screen.

use super::layout::Rect;
use super::{PaneRow, RowAccount, RowKind, ViewState};
use crate::app::view::wrap::QUOTE_BAR;
use crate::model::text::width;
use crate::model::{ChatRef, Link, MessageKey, SafeText};

/// What the mouse points at.
#[derive(Clone, Debug, PartialEq)]
pub enum Pointed {
    /// The list, and the chat in that row of it.
    List(Option<ChatRef>),
    /// A message, and the link in that cell of it.
    Message {
        key: MessageKey,
        link: Option<SafeText>,
    },
    Box,
    /// The line between list and messages.
    Divider,
    /// A key in the footer, by the name of its action.
    Key(&'static str),
    Nothing,
}

impl ViewState {
    /// What is in this cell of the last frame that was laid out, ignoring dialogs.
    pub fn pointed(&self, column: u16, row: u16) -> Pointed {
        let Some(layout) = self.visible.layout else { return Pointed::Nothing };
        let is_in = |area: Option<Rect>| {
            area.filter(|area| {
                (area.x..area.x + area.width).contains(&column)
                    && (area.y..area.y + area.height).contains(&row)
            })
        };
        if let Some(area) = is_in(layout.list) {
            return Pointed::List(self.chat_in(usize::from(row - area.y)));
        }
        if let Some(area) = is_in(layout.messages) {
            return self.message_in(area, column, row).unwrap_or(Pointed::Nothing);
        }
        if is_in(layout.rule).is_some() {
            return Pointed::Divider;
        }
        if is_in(layout.compose).is_some() {
            return Pointed::Box;
        }
        if is_in(layout.footer).is_some() {
            let column = usize::from(column);
            let mut keys = self.visible.status.rows.footer_keys.iter();
            let key = keys.find(|key| key.columns.contains(&column));
            return key.map_or(Pointed::Nothing, |key| Pointed::Key(key.action));
        }
        Pointed::Nothing
    }

    /// The chat in a line of the list.
    fn chat_in(&self, line: usize) -> Option<ChatRef> {
        let mut at = 0;
        for row in &self.visible.list.rows {
            if matches!(row.account, RowAccount::Heading(_)) {
                if line == at {
                    return None;
                }
                at += 1;
            }
            at += 1 + usize::from(row.snippet.is_some());
            if line < at {
                return Some(row.chat.clone());
            }
        }
        None
    }

    fn message_in(&self, area: Rect, column: u16, row: u16) -> Option<Pointed> {
        let rows = &self.visible.messages.rows;
        // If the messages do not fill the pane, they are at the bottom.
        let free = usize::from(area.height).saturating_sub(rows.len());
        let row = rows.get(usize::from(row - area.y).checked_sub(free)?)?;
        let key = row.key.clone()?;
        let left = area.x + self.visible.messages.indent;
        let link = column.checked_sub(left).and_then(|column| link_at(row, usize::from(column)));
        Some(Pointed::Message { key, link })
    }
}

/// The link in a column of a row's text.
fn link_at(row: &PaneRow, column: usize) -> Option<SafeText> {
    let RowKind::Text { rows, index, .. } = &row.kind else { return None };
    let text = rows.get(*index)?;
    let mut end = text.quotes * QUOTE_BAR + text.indent;
    if column < end {
        return None;
    }
    let piece = text.pieces.iter().find(|piece| {
        end += width(&piece.text);
        column < end
    })?;
    match &piece.link {
        Some(Link::Url(url)) => Some(url.clone()),
        _ => None,
    }
}
