//! What is visible. [`ViewState::layout`] derives it from the state; drawing only paints the result.

mod bar;
pub mod bidi;
mod compose;
mod connection;
mod details;
mod footer;
mod highlight;
mod hues;
mod hyperlinks;
mod in_sight;
pub mod layout;
mod list;
mod pointed;
mod present;
mod rail;
mod rows;
mod scroll;
pub mod spelling;
mod status;
mod visible;
pub mod wrap;

pub use bar::{Bar, Label, Tone, whole_parts};
pub use compose::ComposeView;
pub use details::DetailRow;
pub use hues::{FEW_HUES, HUES, Hue};
pub use hyperlinks::{Hyperlink, links_in_sight};
pub use in_sight::{PresenceFact, presence_facts};
pub use list::{Badge, ListRow, RowAccount, RowSigns, SectionHeading, snippet};
pub use pointed::Pointed;
pub use rail::RailLabel;
pub use rows::{Glyph, PaneRow, RowKind, measured};
pub use status::{StatusInput, StatusView, status};
pub use visible::{DetailsView, ListView, MessagesView, StatusRows, Visible};

use super::chat::{Anchor, Older, Window};
use super::prefs::Prefs;
use super::state::{AppState, Focus};
use crate::model::code::{CodeBlock, SyntaxPart};
use crate::model::spelling::SpellingRequest;
use crate::model::{AccountId, ChatRef, Glyphs, MessageKey, SafeText, UserId};
use layout::{Layout, LayoutInput, ListStyle, Rect, Size};
use scroll::{RowCache, RowsStamp};
use serde::{Deserialize, Serialize};
use spelling::Spelling;
use std::time::Duration;

/// Text as it is sent to this terminal: emoji in the chosen style, right-to-left text in visual order if necessary.
pub fn shown(prefs: &Prefs, text: &SafeText) -> SafeText {
    let ui = &prefs.choices.ui;
    let text = crate::model::emoticon::text(text, ui.emoji, ui.emoji_width);
    if prefs.reorders() { bidi::line(&text) } else { text }
}

/// What turned out to be missing while a frame was derived. `update` decides what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Want {
    Older(ChatRef),
    /// The view is near the end of a loaded part of the past.
    Newer(ChatRef),
    /// The syntax of a code block.
    Highlight(CodeBlock),
    /// Which words of the message box are misspelt.
    Spelling(SpellingRequest),
    /// The number of messages and when they were written.
    Statistics(ChatRef),
    /// These people are visible, and their service says who is available.
    Presence {
        account: AccountId,
        people: Vec<UserId>,
    },
    /// These messages are on the screen: from the first visible one to the last one whose end is visible.
    Seen {
        chat: ChatRef,
        from: MessageKey,
        upto: MessageKey,
    },
}

pub struct ViewState {
    pub size: Size,
    /// The list is hidden, except while it has the focus.
    pub hide_list: bool,
    /// The edge of the list is being moved with the mouse.
    pub drags: bool,
    /// Only text is shown, on the whole screen, so that the terminal's own selection copies nothing else.
    pub bare: bool,
    pub visible: Visible,
    /// The index of the first chat shown, once the list was scrolled by wheel; `None` while it follows the open chat.
    pub list_from: Option<usize>,
    /// The message that was clicked last, and when (monotonic).
    pub clicked: Option<(MessageKey, Duration)>,
    pub spelling: Spelling,
    row_cache: RowCache,
    rows_of: Option<RowsStamp>,
    list_of: Option<list::ListStamp>,
    details_of: Option<details::DetailsStamp>,
}

impl ViewState {
    pub fn new(size: Size) -> Self {
        Self {
            size,
            hide_list: false,
            drags: false,
            bare: false,
            visible: Visible::default(),
            list_from: None,
            clicked: None,
            spelling: Spelling::default(),
            row_cache: RowCache::default(),
            rows_of: None,
            list_of: None,
            details_of: None,
        }
    }

    /// Drops all caches: the next frame is derived from scratch.
    pub fn forget(&mut self) {
        self.row_cache.forget();
        self.rows_of = None;
        self.list_of = None;
        self.details_of = None;
    }

    /// The width of the list after making it wider by `by` columns, limited so that list and messages stay readable.
    pub fn list_wider_by(&self, by: i16) -> Option<u16> {
        let rule = self.visible.layout.and_then(|layout| layout.rule)?;
        Some(layout::list_width(self.size, rule.x.saturating_add_signed(by)))
    }

    /// The rectangles and the message box for the current state.
    fn geometry(&self, app: &AppState) -> (Option<Layout>, ComposeView) {
        self.geometry_for(app, compose::recipient(app, self.size.columns))
    }

    fn geometry_for(&self, app: &AppState, recipient: String) -> (Option<Layout>, ComposeView) {
        let compose = compose::view(app, recipient, self.size.columns);
        let draft = app.opened().map(|c| &c.composer.draft);
        let input = LayoutInput {
            list_focused: app.focus == Focus::List,
            hide_list: self.hide_list,
            list_width: Some(app.prefs.choices.ui.list_width).filter(|width| *width > 0),
            bare: self.bare,
            compact: app.prefs.is_compact(),
            compose_rows: u16::try_from(compose.rows.len()).unwrap_or(layout::MAX_COMPOSE),
            banner: draft.is_some_and(|d| d.reply.is_some() || d.edit.is_some()),
        };
        (layout::split(self.size, input), compose)
    }

    /// Derives only the message box, after a change that only affects its text. `None` if the box needs more or fewer
    /// rows than before, so that everything moves.
    pub fn layout_box(&mut self, app: &AppState) -> Option<Vec<Want>> {
        // The recipient was not renamed since the last layout.
        let recipient = self.visible.compose.recipient.clone();
        let (layout, mut compose) = self.geometry_for(app, recipient);
        if layout != self.visible.layout {
            return None;
        }
        let spelling = self.spelling.mark(app, &mut compose).map(Want::Spelling);
        self.visible.compose = compose;
        Some(spelling.into_iter().collect())
    }

    /// Derives what is visible. Changes only its own caches, never the anchor or the state. Nothing counts as seen
    /// while a dialog is open (`covered`).
    pub fn layout(&mut self, app: &AppState, covered: bool) -> Vec<Want> {
        let (layout, mut compose) = self.geometry(app);
        let spelling = self.spelling.mark(app, &mut compose).map(Want::Spelling);
        self.visible.layout = layout;
        self.visible.compose = compose;
        let Some(layout) = layout else { return spelling.into_iter().collect() };
        if let Some(area) = layout.list {
            self.layout_list(app, area, layout.list_style == ListStyle::TwoLines);
        }
        if let Some(area) = layout.details {
            self.layout_details(app, area);
        }
        let listed = layout.list.map_or(&[][..], |_| self.visible.list.rows.as_slice());
        let mut wants = in_sight::wants(app, listed);
        wants.extend(spelling);
        let Some(area) = layout.messages else { return wants };
        self.layout_messages(app, area);
        rail::update(&mut self.visible.messages, app, area, self.bare);
        let code = self.row_cache.code.take_missing().into_iter().map(Want::Highlight);
        wants.extend(self.wants(app, area, covered));
        wants.extend(code);
        wants
    }

    /// The syntax of a code block was found: the messages are laid out again.
    pub fn highlighted(&mut self, number: u64, parts: Vec<SyntaxPart>) {
        if self.row_cache.code.insert(number, parts) {
            self.row_cache.forget();
            self.rows_of = None;
        }
    }

    fn layout_list(&mut self, app: &AppState, area: Rect, two_lines: bool) {
        let stamp = list::ListStamp::of(app, area, self.list_from);
        if self.list_of.as_ref() != Some(&stamp) {
            let (rows, below) = list::rows(app, area, two_lines, self.list_from);
            if (&rows, below) != (&self.visible.list.rows, self.visible.list.below) {
                self.visible.list.rows = rows;
                self.visible.list.below = below;
                self.visible.list.stamp += 1;
            }
            self.list_of = Some(stamp);
        }
    }

    fn layout_details(&mut self, app: &AppState, area: Rect) {
        let stamp = details::DetailsStamp::of(app, area);
        if self.details_of.as_ref() != Some(&stamp) {
            let rows = details::rows(app, area);
            if rows != self.visible.details.rows {
                self.visible.details.rows = rows;
                self.visible.details.stamp += 1;
            }
            self.details_of = Some(stamp);
        }
    }

    fn layout_messages(&mut self, app: &AppState, area: Rect) {
        let Some(chat) = app.opened() else {
            let none = app.shown_chats().next().is_none();
            let hint: &[&str] = match app.prefs.choices.ui.glyphs {
                _ if none => &NO_CHATS,
                Glyphs::Ascii => &NO_CHAT_OPEN_ASCII,
                _ => &NO_CHAT_OPEN,
            };
            if self.rows_of.take().is_some() || self.visible.messages.hint != Some(hint) {
                self.visible.messages.rows.clear();
                self.visible.messages.hint = Some(hint);
                self.visible.messages.stamp += 1;
            }
            self.visible.messages.below = 0;
            self.visible.messages.is_cut = false;
            self.visible.messages.day = None;
            return;
        };
        let stamp = RowsStamp::of(app, chat, area, self.bare);
        if self.rows_of.as_ref() == Some(&stamp) {
            return;
        }
        let pane = rows::Pane::new(app, chat, area, self.size, self.bare);
        self.visible.messages.indent = rows::indent(&app.prefs, area.width, self.bare);
        let (rows, below, is_cut) = self.row_cache.fill(&pane, &chat.anchor);
        self.visible.messages.is_cut = is_cut;
        self.visible.messages.hint = rows.is_empty().then_some(&NOTHING_SAID[..]);
        self.visible.messages.rows = rows;
        self.visible.messages.below = below;
        self.visible.messages.day = match chat.anchor {
            Anchor::At { .. } => rows::day_of(&self.visible.messages.rows, &pane),
            Anchor::Bottom => None,
        };
        self.visible.messages.stamp += 1;
        self.rows_of = Some(stamp);
    }

    fn wants(&self, app: &AppState, area: Rect, covered: bool) -> Vec<Want> {
        let Some(c) = app.opened() else { return Vec::new() };
        let mut wants = Vec::new();
        let chat = c.chat_ref();
        wants.extend(rail::want(c, self.visible.layout));
        // One screen of messages above the top row is kept loaded, so that PageUp does not wait.
        let height = usize::from(area.height);
        let top = self.visible.messages.rows.iter().find_map(|row| row.key.as_ref());
        let above = top.map_or(0, |top| c.timeline.before(top).rev().take(height).count());
        let has_any = c.paging.oldest.is_some() || !c.timeline.is_empty();
        if above < height && c.paging.older == Older::Unknown && has_any {
            wants.push(Want::Older(chat.clone()));
        }
        let past = c.paging.window == (Window::Past { loading: false });
        if past && self.visible.messages.below < height {
            wants.push(Want::Newer(chat.clone()));
        }
        if c.paging.window == Window::Live
            && !covered
            && let Some((from, upto)) = rows::whole(&self.visible.messages, c)
        {
            wants.push(Want::Seen { chat, from, upto });
        }
        wants
    }

    /// Moves the view to the line above new messages, unless all of them fit below it.
    pub fn show_new(&mut self, app: &mut AppState) {
        self.move_anchor(app, RowCache::at_new_line);
    }

    /// The first visible message when the view is at the end.
    pub fn first_at_bottom(&mut self, app: &AppState) -> Option<MessageKey> {
        self.with_pane(app, RowCache::first_at_bottom).flatten()
    }

    /// Moves the open chat's view by rows; negative is up.
    pub fn scroll(&mut self, app: &mut AppState, rows: isize) {
        self.move_anchor(app, |cache, pane| cache.scroll(pane, &pane.chat.anchor, rows));
    }

    pub fn to_top(&mut self, app: &mut AppState) {
        self.move_anchor(app, RowCache::top);
    }

    /// Scrolls as little as needed to show a whole message.
    pub fn reveal(&mut self, app: &mut AppState, key: &MessageKey) {
        self.move_anchor(app, |cache, pane| cache.reveal(pane, &pane.chat.anchor, key));
    }

    /// Scrolls to a message, with some of the messages before it.
    pub fn show_in_place(&mut self, app: &mut AppState, key: &MessageKey) {
        app.set_anchor(Anchor::Bottom);
        self.reveal(app, key);
        let above = self.page(app) / 3;
        if !app.opened().is_some_and(super::chat::Chat::is_at_bottom) {
            self.scroll(app, -above);
        }
    }

    /// Fixes the view where it is, even at the end, before messages are added below.
    pub fn pin(&mut self, app: &mut AppState) {
        self.move_anchor(app, |cache, pane| cache.pin(pane, &pane.chat.anchor));
    }

    /// Whether a message that is taller than the pane continues above or below it.
    pub fn goes_on(&mut self, app: &AppState, key: &MessageKey, up: bool) -> bool {
        self.with_pane(app, |cache, pane| cache.goes_on(pane, &pane.chat.anchor, key, up))
            .unwrap_or(false)
    }

    /// Rows of the message pane.
    pub fn page(&self, app: &AppState) -> isize {
        let height = self.geometry(app).0.and_then(|a| a.messages).map_or(1, |a| a.height);
        isize::try_from(height).unwrap_or(1)
    }

    fn move_anchor(
        &mut self,
        app: &mut AppState,
        work: impl FnOnce(&mut RowCache, &rows::Pane<'_>) -> Anchor,
    ) {
        if let Some(next) = self.with_pane(app, work) {
            app.set_anchor(next);
        }
    }

    fn with_pane<T>(
        &mut self,
        app: &AppState,
        work: impl FnOnce(&mut RowCache, &rows::Pane<'_>) -> T,
    ) -> Option<T> {
        let area = self.geometry(app).0?.messages?;
        let pane = rows::Pane::new(app, app.opened()?, area, self.size, self.bare);
        Some(work(&mut self.row_cache, &pane))
    }
}

/// The texts for an empty pane.
const NO_CHATS: [&str; 3] =
    ["No chats yet.", "Ctrl-K and an id such as 8:joe.4 starts one.", "F1 shows all keys."];
const NO_CHAT_OPEN: [&str; 3] =
    ["Alt-↓ opens the first chat.", "Ctrl-K finds one by name.", "F1 shows all keys."];
const NO_CHAT_OPEN_ASCII: [&str; 3] =
    ["Alt-Down opens the first chat.", "Ctrl-K finds one by name.", "F1 shows all keys."];
const NOTHING_SAID: [&str; 1] = ["Nothing here yet. Write the first message below."];

#[cfg(test)]
mod tests;
