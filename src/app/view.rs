//! What is in sight. [`ViewState::layout`] derives it from the state; drawing only paints the result.
//!
//! The scroll position is a place in the text ([`Anchor`]), never a row, so that a resize or an older page above
//! changes nothing under the reader's eye.

mod details;
mod list;
mod present;
mod rows;
mod scroll;

pub use details::DetailRow;
pub use list::{Badge, ListRow};
pub use rows::{Glyph, PaneRow, RowKind, indent};

use super::bidi;
use super::layout::{self, Layout, LayoutInput, Size};
use super::state::{AppState, Focus, Older, Window};
use super::wrap::break_lines;
use crate::model::text::width;
use crate::model::{ConversationId, MessageKey};
use scroll::{RowCache, RowsStamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where the view of a conversation stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    #[default]
    Bottom,
    /// The top row: the row of the message's text that holds byte `offset`, or `lead` rows above its first one.
    /// Or `tail` rows below its last one.
    At { key: MessageKey, offset: usize, lead: usize, tail: usize },
}

/// What drawing found missing. `update` decides what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Want {
    Older(ConversationId),
    /// The end of a stretch of the past is near.
    Newer(ConversationId),
    /// The end of the conversation is on the screen.
    Seen {
        conversation: ConversationId,
        upto: MessageKey,
    },
}

/// The message box as it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComposeView {
    pub prompt: String,
    pub rows: Vec<String>,
    /// Column and row of the cursor inside the box, the prompt counted.
    pub cursor: (u16, u16),
}

/// Everything that is drawn, derived from the state.
#[derive(Default)]
pub struct Visible {
    pub layout: Option<Layout>,
    pub compose: ComposeView,
    pub rows: Vec<PaneRow>,
    /// Messages below the last row.
    pub below: usize,
    /// The day of the top row while the view is scrolled up and no line in sight above it says so.
    pub day: Option<String>,
    pub list: Vec<ListRow>,
    /// Unread messages in the part of the list that does not fit.
    pub list_below: u32,
    /// Change whenever the rows of the pane do.
    pub rows_stamp: u64,
    pub list_stamp: u64,
    pub details: Vec<DetailRow>,
    pub details_stamp: u64,
}

pub struct ViewState {
    pub size: Size,
    /// The list is put away; it comes back while it has the focus.
    pub hide_list: bool,
    /// Only text on the whole screen, so that the terminal's own selecting copies nothing else.
    pub bare: bool,
    /// The search that a hit was opened from: asking again begins there.
    pub last_search: Option<Box<super::search::Search>>,
    /// The search that the help lies on.
    pub under_help: Option<Box<super::search::Search>>,
    anchors: HashMap<ConversationId, Anchor>,
    row_cache: RowCache,
    pub visible: Visible,
    rows_of: Option<RowsStamp>,
    /// Which hint an empty pane shows.
    hint_of: Option<bool>,
    list_of: Option<list::ListStamp>,
    details_of: Option<details::DetailsStamp>,
}

impl ViewState {
    pub fn new(size: Size) -> Self {
        Self {
            size,
            hide_list: false,
            bare: false,
            last_search: None,
            under_help: None,
            anchors: HashMap::new(),
            row_cache: RowCache::default(),
            visible: Visible::default(),
            rows_of: None,
            hint_of: None,
            list_of: None,
            details_of: None,
        }
    }

    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }

    pub fn anchor(&self, id: &ConversationId) -> Anchor {
        self.anchors.get(id).cloned().unwrap_or_default()
    }

    pub fn is_at_bottom(&self, id: &ConversationId) -> bool {
        self.anchor(id) == Anchor::Bottom
    }

    pub fn to_bottom(&mut self, id: &ConversationId) {
        self.anchors.remove(id);
    }

    fn set_anchor(&mut self, id: &ConversationId, anchor: Anchor) {
        match anchor {
            Anchor::Bottom => self.to_bottom(id),
            at @ Anchor::At { .. } => {
                self.anchors.insert(id.clone(), at);
            }
        }
    }

    /// Rectangles and message box for the state as it is.
    fn geometry(&self, app: &AppState) -> (Option<Layout>, ComposeView) {
        let compose = compose_view(app, self.size.columns);
        let draft = app.opened().map(|c| &c.compose.draft);
        let wishes = LayoutInput {
            list_focused: app.focus == Focus::List,
            hide_list: self.hide_list,
            bare: self.bare,
            compose_rows: u16::try_from(compose.rows.len()).unwrap_or(layout::MAX_COMPOSE),
            banner: draft.is_some_and(|d| d.reply.is_some() || d.edit.is_some()),
        };
        (layout::split(self.size, wishes), compose)
    }

    /// Derives what is visible. Touches only its own caches; never the anchor, never the state.
    pub fn layout(&mut self, app: &AppState) -> Vec<Want> {
        let (layout, compose) = self.geometry(app);
        self.visible.layout = layout;
        self.visible.compose = compose;
        let Some(layout) = layout else { return Vec::new() };
        if let Some(area) = layout.list {
            let stamp = list::ListStamp::of(app, area, layout.wide_list);
            if self.list_of.as_ref() != Some(&stamp) {
                let (rows, below) = list::rows(app, area, layout.wide_list);
                self.visible.list = rows;
                self.visible.list_below = below;
                self.visible.list_stamp += 1;
                self.list_of = Some(stamp);
            }
        }
        if let Some(area) = layout.details {
            let stamp = details::DetailsStamp::of(app, area);
            if self.details_of.as_ref() != Some(&stamp) {
                let rows = details::rows(app, area);
                if rows != self.visible.details {
                    self.visible.details = rows;
                    self.visible.details_stamp += 1;
                }
                self.details_of = Some(stamp);
            }
        }
        let (Some(area), Some(conversation)) = (layout.messages, app.opened()) else {
            let hint = app.conversations.is_empty();
            if self.rows_of.take().is_some()
                || !self.visible.rows.is_empty()
                || self.hint_of != Some(hint)
            {
                self.visible.rows.clear();
                self.visible.rows_stamp += 1;
                self.hint_of = Some(hint);
            }
            self.visible.below = 0;
            self.visible.day = None;
            return Vec::new();
        };
        let id = &conversation.info.id;
        let anchor = self.anchor(id);
        let stamp = RowsStamp::of(app, conversation, area, self.bare, &anchor);
        if self.rows_of.as_ref() != Some(&stamp) {
            let pane = rows::Pane::new(app, conversation, area, self.size, self.bare);
            let (rows, below) = self.row_cache.fill(&pane, &anchor);
            self.visible.rows = rows;
            self.visible.below = below;
            self.visible.day = match (&anchor, rows::day_of(&self.visible.rows, &pane)) {
                (Anchor::At { .. }, day) => day,
                (Anchor::Bottom, _) => None,
            };
            self.visible.rows_stamp += 1;
            self.rows_of = Some(stamp);
        }
        self.wants(app, area)
    }

    fn wants(&self, app: &AppState, area: layout::Rect) -> Vec<Want> {
        let Some(conversation) = app.opened() else { return Vec::new() };
        let mut wants = Vec::new();
        let id = conversation.info.id.clone();
        // One screen of messages above the top row is kept loaded, so that PageUp does not wait.
        let top = self.visible.rows.iter().find_map(|row| row.key.as_ref());
        let near_start = match top {
            Some(top) => {
                conversation.timeline.before(top).rev().take(usize::from(area.height)).count()
            }
            None => 0,
        } < usize::from(area.height);
        let has_any = conversation.paging.oldest.is_some() || !conversation.timeline.is_empty();
        if near_start && conversation.paging.older == Older::Unknown && has_any {
            wants.push(Want::Older(id.clone()));
        }
        let past = conversation.paging.window == (Window::Past { loading: false });
        if past && self.visible.below < usize::from(area.height) {
            wants.push(Want::Newer(id.clone()));
        }
        if self.visible.below == 0
            && conversation.paging.window == Window::Live
            && app.overlay.is_none()
            && let Some(last) = conversation.timeline.iter().rev().find(|m| !m.key.is_unsent())
        {
            wants.push(Want::Seen { conversation: id, upto: last.key.clone() });
        }
        wants
    }

    /// Moves the open conversation's view by rows; negative is up.
    pub fn scroll(&mut self, app: &AppState, rows: isize) {
        self.with_pane(app, |cache, pane, anchor| cache.scroll(pane, anchor, rows));
    }

    pub fn to_top(&mut self, app: &AppState) {
        self.with_pane(app, |cache, pane, _| cache.top(pane));
    }

    /// Moves as little as needed to bring a whole message into sight.
    pub fn reveal(&mut self, app: &AppState, key: &MessageKey) {
        self.with_pane(app, |cache, pane, anchor| cache.reveal(pane, anchor, key));
    }

    /// Holds what is in sight where it is, also when the end is in sight: more is coming below.
    pub fn pin(&mut self, app: &AppState) {
        self.with_pane(app, RowCache::pin);
    }

    /// Whether a message taller than the pane goes on above it, or below it.
    pub fn goes_on(&mut self, app: &AppState, key: &MessageKey, up: bool) -> bool {
        let mut on = false;
        self.with_pane(app, |cache, pane, anchor| {
            on = cache.goes_on(pane, anchor, key, up);
            anchor.clone()
        });
        on
    }

    /// Rows of the message pane.
    pub fn page(&self, app: &AppState) -> isize {
        let height = self.geometry(app).0.and_then(|a| a.messages).map_or(1, |a| a.height);
        isize::try_from(height).unwrap_or(1)
    }

    fn with_pane(
        &mut self,
        app: &AppState,
        work: impl FnOnce(&mut RowCache, &rows::Pane<'_>, &Anchor) -> Anchor,
    ) {
        let (Some(layout), _) = self.geometry(app) else { return };
        let (Some(area), Some(conversation)) = (layout.messages, app.opened()) else { return };
        let id = conversation.info.id.clone();
        let anchor = self.anchor(&id);
        let pane = rows::Pane::new(app, conversation, area, self.size, self.bare);
        let next = work(&mut self.row_cache, &pane, &anchor);
        self.set_anchor(&id, next);
    }
}

/// The widest part of the box that the recipient's name may take.
const PROMPT_SHARE: u16 = 3;

fn compose_view(app: &AppState, columns: u16) -> ComposeView {
    let Some(conversation) = app.opened() else {
        return ComposeView { rows: vec![String::new()], ..ComposeView::default() };
    };
    let draft = &conversation.compose.draft;
    let title = app.title(conversation);
    let most = usize::from(columns / PROMPT_SHARE).max(8);
    let name = crate::model::text::cut(&title, most.saturating_sub(7));
    let prompt = format!(" To {name} › ");
    let left = width(&prompt);
    let columns = usize::from(columns).saturating_sub(left + 1).max(4);
    let ranges = break_lines(&draft.text, columns);
    let mut cursor = (0, 0);
    let mut rows = Vec::with_capacity(ranges.len());
    for (i, range) in ranges.iter().enumerate() {
        let row = draft.text.get(range.clone()).unwrap_or_default();
        let last = i + 1 == ranges.len();
        let here = range.start <= draft.cursor && (draft.cursor < range.end || last);
        let at = draft.cursor.saturating_sub(range.start);
        let clean = crate::model::SafeText::line_as_is(row);
        let (shown, column) = if app.prefs.reorders() {
            bidi::typed(clean.trim_end_matches('\n'), at)
        } else {
            let before = row.get(..at).unwrap_or_default();
            (clean.trim_end_matches('\n').to_owned(), width(before))
        };
        if here {
            cursor = (left + column.min(columns), i);
        }
        rows.push(shown);
    }
    // The box shows at most its rows, with the cursor's among them.
    let most = usize::from(layout::MAX_COMPOSE);
    let skip = (cursor.1 + 1).saturating_sub(most);
    let rows: Vec<String> = rows.into_iter().skip(skip).take(most).collect();
    let column = u16::try_from(cursor.0).unwrap_or(0);
    ComposeView { prompt, rows, cursor: (column, u16::try_from(cursor.1 - skip).unwrap_or(0)) }
}

#[cfg(test)]
mod tests;
