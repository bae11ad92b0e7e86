//! The rows of the message pane: each message is lines above (day, name), its wrapped text, and lines below.
//!
//! Works upward from the bottom or downward from the anchor, and only lays out what is shown.

use super::bidi;
use super::highlight::HighlightedCode;
use super::hues::Hues;
use super::layout::Rect;
use super::present::presented;
use super::rows::{Pane, PaneRow, RowKind, count_new, lead, rows, tail};
use super::wrap::{TextRow, wrap};
use crate::app::chat::{Anchor, Chat, Selection};
use crate::app::state::AppState;
use crate::model::{ChatRef, Message, MessageKey};
use std::collections::HashMap;
use std::sync::Arc;

const MAX_CACHED: usize = 4_000;

/// What the rows depend on; they are derived again only if it changes.
#[derive(Clone, PartialEq)]
pub struct RowsStamp {
    chat: ChatRef,
    revision: u64,
    names: u64,
    anchor: Anchor,
    area: Rect,
    selection: Option<Selection>,
    new_from: Option<MessageKey>,
    today: i64,
    choices: u64,
    bare: bool,
}

impl RowsStamp {
    pub fn of(app: &AppState, c: &Chat, area: Rect, bare: bool) -> Self {
        Self {
            chat: c.chat_ref(),
            revision: c.timeline.revision(),
            names: app.accounts.of(c).names.revision(),
            anchor: c.anchor.clone(),
            area,
            selection: c.selection.clone(),
            new_from: c.reading.new_from.clone(),
            today: app.clock.wall.day(&app.prefs.zone),
            choices: app.prefs.revision,
            bare,
        }
    }
}

/// A message's rows.
pub(super) struct Laid {
    pub lead: Vec<RowKind>,
    pub text: Arc<Vec<TextRow>>,
    pub tail: Vec<RowKind>,
}

impl Laid {
    fn len(&self) -> usize {
        self.lead.len() + self.text.len() + self.tail.len()
    }
}

/// A row: the message and which of its rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: MessageKey,
    row: usize,
}

/// A cache of wrapped texts, valid for one conversation state at one width.
#[derive(Default)]
pub struct RowCache {
    valid_for: Option<(ChatRef, u64, u64, usize)>,
    texts: HashMap<MessageKey, Arc<Vec<TextRow>>>,
    /// The number in the line of new messages. Thousands of messages may have to be counted for it.
    new_messages: Option<usize>,
    /// Kept for the whole run.
    hues: Hues,
    /// Also kept for the whole run.
    pub code: HighlightedCode,
}

impl RowCache {
    /// Drops what can be derived again.
    pub fn forget(&mut self) {
        self.texts.clear();
        self.new_messages = None;
        self.valid_for = None;
    }

    fn refresh(&mut self, pane: &Pane<'_>) {
        let c = pane.chat;
        let stamp =
            (c.chat_ref(), c.timeline.revision(), pane.account.names.revision(), pane.columns);
        if self.valid_for.as_ref() != Some(&stamp) || self.texts.len() > MAX_CACHED {
            self.texts.clear();
            self.new_messages = None;
            self.valid_for = Some(stamp);
        }
    }

    fn lay(&mut self, pane: &Pane<'_>, message: &Message) -> Laid {
        let text = if let Some(rows) = self.texts.get(&message.key) {
            Arc::clone(rows)
        } else {
            let mut rich = presented(pane, message);
            if pane.app.prefs.choices.ui.highlight_code {
                self.code.apply(&mut rich);
            }
            let mut rows = wrap(&rich, pane.columns);
            if pane.app.prefs.reorders() {
                rows.iter_mut().for_each(bidi::row);
            }
            let rows = Arc::new(rows);
            self.texts.insert(message.key.clone(), Arc::clone(&rows));
            rows
        };
        let known = &mut self.new_messages;
        let count = || *known.get_or_insert_with(|| count_new(pane, message));
        Laid { lead: lead(pane, message, &mut self.hues, count), text, tail: tail(pane, message) }
    }

    /// The top row when the last message is at the bottom; `None` without messages.
    fn bottom(&mut self, pane: &Pane<'_>) -> Option<Place> {
        let mut room = pane.height;
        let mut top = None;
        for message in pane.chat.timeline.iter().rev() {
            let len = self.lay(pane, message).len();
            if len >= room {
                return Some(Place { key: message.key.clone(), row: len - room });
            }
            room -= len;
            top = Some(Place { key: message.key.clone(), row: 0 });
        }
        top
    }

    /// The top row for an anchor. If that would leave rows free at the bottom, it is the one for the bottom.
    fn resolve(&mut self, pane: &Pane<'_>, anchor: &Anchor) -> Option<Place> {
        let bottom = self.bottom(pane)?;
        let Anchor::At { key, offset, lead, tail } = anchor else { return Some(bottom) };
        let message = pane.chat.timeline.from(key).next();
        let Some(message) = message else { return Some(bottom) };
        let laid = self.lay(pane, message);
        let row = if message.key != *key {
            0
        } else if *lead > 0 {
            laid.lead.len().saturating_sub(*lead)
        } else {
            let inside = laid.text.iter().rposition(|row| row.offset <= *offset).unwrap_or(0);
            (laid.lead.len() + inside + tail).min(laid.len() - 1)
        };
        Some(Place { key: message.key.clone(), row }.min(bottom))
    }

    fn anchor_of(&mut self, pane: &Pane<'_>, place: &Place) -> Anchor {
        let Some(message) = pane.chat.timeline.get(&place.key) else {
            return Anchor::Bottom;
        };
        let laid = self.lay(pane, message);
        let key = place.key.clone();
        match place.row.checked_sub(laid.lead.len()) {
            None => Anchor::At { key, offset: 0, lead: laid.lead.len() - place.row, tail: 0 },
            Some(row) => {
                let last = laid.text.len().saturating_sub(1);
                let offset = laid.text.get(row.min(last)).map_or(0, |r| r.offset);
                Anchor::At { key, offset, lead: 0, tail: row.saturating_sub(last) }
            }
        }
    }

    fn up(&mut self, pane: &Pane<'_>, from: Place, rows: usize) -> Place {
        let mut place = from;
        let mut left = rows;
        loop {
            if place.row >= left {
                place.row -= left;
                return place;
            }
            left -= place.row;
            place.row = 0;
            let Some(previous) = pane.previous(&place.key) else { return place };
            let len = self.lay(pane, previous).len();
            place = Place { key: previous.key.clone(), row: len };
        }
    }

    fn down(&mut self, pane: &Pane<'_>, from: Place, rows: usize) -> Option<Place> {
        let mut place = from;
        let mut left = rows;
        loop {
            let message = pane.chat.timeline.get(&place.key)?;
            let len = self.lay(pane, message).len();
            if place.row + left < len {
                place.row += left;
                return Some(place);
            }
            left -= len - place.row;
            place = Place { key: pane.next(&place.key)?.key.clone(), row: 0 };
        }
    }

    pub fn scroll(&mut self, pane: &Pane<'_>, anchor: &Anchor, rows: isize) -> Anchor {
        self.refresh(pane);
        let (Some(top), Some(bottom)) = (self.resolve(pane, anchor), self.bottom(pane)) else {
            return Anchor::Bottom;
        };
        let next = if rows < 0 {
            Some(self.up(pane, top, rows.unsigned_abs()))
        } else {
            self.down(pane, top, rows.unsigned_abs())
        };
        match next {
            Some(next) if next < bottom => self.anchor_of(pane, &next),
            _ => Anchor::Bottom,
        }
    }

    /// The anchor of the current top row.
    pub fn pin(&mut self, pane: &Pane<'_>, anchor: &Anchor) -> Anchor {
        self.refresh(pane);
        match self.resolve(pane, anchor) {
            Some(top) => self.anchor_of(pane, &top),
            None => Anchor::Bottom,
        }
    }

    /// The anchor of the first loaded row.
    pub fn top(&mut self, pane: &Pane<'_>) -> Anchor {
        self.refresh(pane);
        let first = pane.chat.timeline.first().map(|m| Place { key: m.key.clone(), row: 0 });
        match (first, self.bottom(pane)) {
            (Some(first), Some(bottom)) if first < bottom => self.anchor_of(pane, &first),
            _ => Anchor::Bottom,
        }
    }

    pub fn reveal(&mut self, pane: &Pane<'_>, anchor: &Anchor, key: &MessageKey) -> Anchor {
        self.refresh(pane);
        let (Some(top), Some(message)) = (self.resolve(pane, anchor), pane.chat.timeline.get(key))
        else {
            return anchor.clone();
        };
        let len = self.lay(pane, message).len();
        let first = Place { key: key.clone(), row: 0 };
        let last = Place { key: key.clone(), row: len.saturating_sub(1) };
        let end = self.down(pane, top.clone(), pane.height.saturating_sub(1));
        let hidden_below = end.is_some_and(|end| last > end);
        let target = if first < top && hidden_below {
            // The message fills the pane: the view stays where it is in the message.
            return anchor.clone();
        } else if first < top && len < pane.height {
            first
        } else if first < top && last < top {
            // The message is above and taller than the pane: show its end first, because the user is reading upward.
            self.up(pane, last, pane.height.saturating_sub(1))
        } else if hidden_below {
            let lowest = self.up(pane, last, pane.height.saturating_sub(1));
            if len < pane.height { lowest } else { lowest.max(top).min(first) }
        } else {
            return anchor.clone();
        };
        match self.bottom(pane) {
            Some(bottom) if target < bottom => self.anchor_of(pane, &target),
            _ => Anchor::Bottom,
        }
    }

    /// Whether a message taller than the pane continues above or below it.
    pub fn goes_on(
        &mut self,
        pane: &Pane<'_>,
        anchor: &Anchor,
        key: &MessageKey,
        up: bool,
    ) -> bool {
        self.refresh(pane);
        let (Some(top), Some(message)) = (self.resolve(pane, anchor), pane.chat.timeline.get(key))
        else {
            return false;
        };
        let len = self.lay(pane, message).len();
        let first = Place { key: key.clone(), row: 0 };
        let last = Place { key: key.clone(), row: len.saturating_sub(1) };
        let end = self.down(pane, top.clone(), pane.height.saturating_sub(1));
        let in_sight = last >= top && end.as_ref().is_none_or(|end| first <= *end);
        let hidden = if up { first < top } else { end.is_some_and(|end| last > end) };
        len > pane.height && in_sight && hidden
    }

    /// The anchor at the line above new messages, with a few of the rows before it.
    pub fn at_new_line(&mut self, pane: &Pane<'_>) -> Anchor {
        const BEFORE: usize = 2;
        self.refresh(pane);
        let line = pane.chat.reading.new_from.as_ref().and_then(|key| pane.chat.timeline.get(key));
        let (Some(message), Some(bottom)) = (line, self.bottom(pane)) else {
            return pane.chat.anchor.clone();
        };
        let lead = self.lay(pane, message).lead;
        let row = lead.iter().position(|kind| matches!(kind, RowKind::New(_))).unwrap_or(0);
        let line = Place { key: message.key.clone(), row };
        let top = self.up(pane, line, if pane.height > 3 * BEFORE { BEFORE } else { 0 });
        if top < bottom { self.anchor_of(pane, &top) } else { Anchor::Bottom }
    }

    /// The first visible message when the view is at the bottom.
    pub fn first_at_bottom(&mut self, pane: &Pane<'_>) -> Option<MessageKey> {
        self.refresh(pane);
        self.bottom(pane).map(|place| place.key)
    }

    /// The visible rows, how many messages follow below them, and whether the last one continues below.
    pub fn fill(&mut self, pane: &Pane<'_>, anchor: &Anchor) -> (Vec<PaneRow>, usize, bool) {
        self.refresh(pane);
        let Some(top) = self.resolve(pane, anchor) else { return (Vec::new(), 0, false) };
        let mut out = Vec::with_capacity(pane.height);
        let mut skip = top.row;
        let mut last = None;
        let mut cut = false;
        for message in pane.chat.timeline.from(&top.key) {
            if out.len() >= pane.height {
                break;
            }
            let laid = self.lay(pane, message);
            let room = pane.height - out.len();
            cut = laid.len() - skip.min(laid.len()) > room;
            out.extend(rows(pane, message, &laid).skip(skip).take(room));
            skip = 0;
            last = Some(message.key.clone());
        }
        // A message has not been seen until its end is visible.
        let below = last.map_or(0, |key| pane.chat.timeline.after(&key).take(1000).count());
        (out, below + usize::from(cut), cut)
    }
}
