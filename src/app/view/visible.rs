//! The result of a layout.

use super::layout::Layout;
use super::{ComposeView, DetailRow, ListRow, PaneRow, RailLabel, StatusView};

/// Everything that is drawn except dialogs, derived from the state.
#[derive(Default)]
pub struct Visible {
    /// `None` while the terminal is too small.
    pub layout: Option<Layout>,
    pub list: ListView,
    pub messages: MessagesView,
    pub details: DetailsView,
    pub compose: ComposeView,
    pub status: StatusRows,
}

/// The bars around the panes. The stamp changes whenever they do.
#[derive(Default)]
pub struct StatusRows {
    pub rows: StatusView,
    pub stamp: u64,
}

/// The conversation list. The stamp changes whenever anything else in it does.
#[derive(Default)]
pub struct ListView {
    pub rows: Vec<ListRow>,
    /// Unread messages in the part of the list that does not fit.
    pub below: u32,
    pub stamp: u64,
}

/// The message pane. The stamp changes whenever anything else in it does.
#[derive(Default)]
pub struct MessagesView {
    pub rows: Vec<PaneRow>,
    /// Cells left of the text.
    pub indent: u16,
    /// The text shown while there are no rows.
    pub hint: Option<&'static [&'static str]>,
    /// The number of messages below the last row, including one that is only partly visible.
    pub below: usize,
    /// The last visible message continues below the pane.
    pub is_cut: bool,
    /// The day of the top row, while the view is scrolled up and no visible line shows it.
    pub day: Option<String>,
    /// The timeline at the right edge while the view is scrolled up.
    pub rail: Vec<RailLabel>,
    pub stamp: u64,
}

/// The pane beside the messages. The stamp changes whenever its rows do.
#[derive(Default)]
pub struct DetailsView {
    pub rows: Vec<DetailRow>,
    pub stamp: u64,
}
