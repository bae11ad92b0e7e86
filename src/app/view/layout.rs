//! Divides the terminal into rectangles. Drawing and the mouse use the same ones, so they cannot disagree.

/// Columns and rows of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

/// The smallest terminal that is supported.
pub const SMALLEST: Size = Size { columns: 20, rows: 5 };
/// Below this width there is one pane: list or messages.
const TWO_PANES: u16 = 60;
/// From this width on, the list shows a second line with the last message.
const WIDE: u16 = 100;
/// From this width on, a third pane describes the conversation.
const THREE_PANES: u16 = 110;
const DETAILS: u16 = 29;
const LIST: u16 = 21;
/// The width of the list on a wide screen is a fifth of it, but at least this.
const WIDE_LIST: u16 = 28;
const WIDEST_LIST: u16 = 38;
/// The least width of list and messages when the user moves the rule between them.
const LEAST_LIST: u16 = 14;
const LEAST_MESSAGES: u16 = 36;
/// Below this height there is no top bar.
const TOP_BAR: u16 = 15;
pub const MAX_COMPOSE: u16 = 8;

/// How the list shows a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListStyle {
    /// One line, with a count or the time.
    #[default]
    Narrow,
    /// One line, with count and time beside each other.
    OneLine,
    /// A second line with the last message.
    TwoLines,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub top: Option<Rect>,
    pub list: Option<Rect>,
    pub list_style: ListStyle,
    /// The vertical rule between list and messages.
    pub rule: Option<Rect>,
    /// Name and settings of the open conversation.
    pub header: Option<Rect>,
    pub messages: Option<Rect>,
    /// Details of the conversation, on wide screens, and the rule left of them.
    pub details: Option<Rect>,
    pub details_rule: Option<Rect>,
    /// The horizontal rule above the message box.
    pub divider: Option<Rect>,
    /// Reply or edit, above the box.
    pub banner: Option<Rect>,
    pub compose: Option<Rect>,
    pub footer: Option<Rect>,
}

/// What the layout depends on besides the size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayoutInput {
    pub list_focused: bool,
    pub hide_list: bool,
    /// The width of the list that the user has chosen, used when it is beside the messages.
    pub list_width: Option<u16>,
    /// Messages and a footer, nothing else.
    pub bare: bool,
    /// One line per conversation at every width.
    pub compact: bool,
    /// The number of rows that the message box needs.
    pub compose_rows: u16,
    pub banner: bool,
}

/// The width of the list, limited so that neither it nor the messages become too narrow to read.
pub fn list_width(size: Size, wanted: u16) -> u16 {
    let most = size.columns.saturating_sub(1 + LEAST_MESSAGES).max(LEAST_LIST);
    wanted.clamp(LEAST_LIST, most)
}

/// Divides the screen; `None` when it is too small.
pub fn split(size: Size, input: LayoutInput) -> Option<Layout> {
    if size.columns < SMALLEST.columns || size.rows < SMALLEST.rows {
        return None;
    }
    let mut layout = Layout::default();
    let full = |y: u16, height: u16| Rect { x: 0, y, width: size.columns, height };
    let mut top = 0;
    let mut bottom = size.rows;
    if size.rows >= TOP_BAR {
        layout.top = Some(full(0, 1));
        top = 1;
    }
    bottom -= 1;
    layout.footer = Some(full(bottom, 1));
    if input.bare {
        layout.top = None;
        layout.messages = Some(full(0, bottom));
        return Some(layout);
    }
    // The messages keep at least two rows and their header.
    let room = bottom - top;
    let compose = input.compose_rows.clamp(1, MAX_COMPOSE).min(room.saturating_sub(3).max(1));
    bottom -= compose;
    layout.compose = Some(full(bottom, compose));
    if input.banner && bottom - top >= 5 {
        bottom -= 1;
        layout.banner = Some(full(bottom, 1));
    }
    if bottom - top >= 3 {
        bottom -= 1;
        layout.divider = Some(full(bottom, 1));
    }
    let height = bottom - top;
    let one_pane = size.columns < TWO_PANES || input.hide_list;
    let chosen = input.list_width.filter(|_| !one_pane).map(|width| list_width(size, width));
    let is_wide = size.columns >= WIDE && chosen.is_none_or(|width| width > LIST);
    layout.list_style = match (is_wide, input.compact) {
        (false, _) => ListStyle::Narrow,
        (true, true) => ListStyle::OneLine,
        (true, false) => ListStyle::TwoLines,
    };
    let list_width = match (one_pane, chosen) {
        (true, _) => size.columns,
        (false, Some(width)) => width,
        (false, None) if is_wide => (size.columns / 5).clamp(WIDE_LIST, WIDEST_LIST),
        (false, None) => LIST,
    };
    let mut x = 0;
    if !one_pane || input.list_focused {
        layout.list = Some(Rect { x: 0, y: top, width: list_width, height });
    }
    if !one_pane {
        layout.rule = Some(Rect { x: list_width, y: top, width: 1, height });
        x = list_width + 1;
    }
    if !one_pane || !input.list_focused {
        let mut width = size.columns - x;
        if !one_pane
            && size.columns >= THREE_PANES
            && height >= 10
            && width > LEAST_MESSAGES + DETAILS
        {
            width -= DETAILS + 1;
            layout.details_rule = Some(Rect { x: x + width, y: top, width: 1, height });
            layout.details = Some(Rect { x: x + width + 1, y: top, width: DETAILS, height });
        }
        if height >= 3 {
            layout.header = Some(Rect { x, y: top, width, height: 1 });
            layout.messages = Some(Rect { x, y: top + 1, width, height: height - 1 });
        } else {
            layout.messages = Some(Rect { x, y: top, width, height });
        }
    }
    Some(layout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_list_grows_with_a_wide_screen_up_to_a_limit() {
        let list = |columns| {
            let layout = split(Size { columns, rows: 40 }, LayoutInput::default()).unwrap();
            layout.list.unwrap().width
        };
        assert_eq!([80, 100, 140, 160, 190, 300].map(list), [21, 28, 28, 32, 38, 38]);
    }

    proptest! {
        #[test]
        fn areas_stay_on_the_screen_and_never_overlap(
            columns in 20u16..300, rows in 5u16..200, compose_rows in 0u16..30, banner: bool, list_focused: bool, hide_list: bool, bare: bool, compact: bool, list_width: Option<u16>,
        ) {
            let size = Size { columns, rows };
            let a = split(size, LayoutInput { list_focused, hide_list, list_width, bare, compact, compose_rows, banner }).unwrap();
            let parts = [a.top, a.list, a.rule, a.header, a.messages, a.details_rule, a.details, a.divider, a.banner, a.compose, a.footer];
            let parts: Vec<Rect> = parts.into_iter().flatten().collect();
            for (i, p) in parts.iter().enumerate() {
                prop_assert!(p.x + p.width <= columns && p.y + p.height <= rows, "{:?}", p);
                prop_assert!(p.width > 0 && p.height > 0, "{:?}", p);
                for q in parts.iter().skip(i + 1) {
                    let apart = p.x + p.width <= q.x || q.x + q.width <= p.x || p.y + p.height <= q.y || q.y + q.height <= p.y;
                    prop_assert!(apart, "{:?} {:?}", p, q);
                }
            }
        }
    }
}
