//! The rows of the message pane: each message is lines above (day, name), its wrapped text, and lines below.
//!
//! Works upward from the bottom or downward from the anchor and touches only what it shows.

use super::Anchor;
use crate::app::areas::{Rect, Size};
use crate::app::overlay::REACTIONS;
use crate::app::state::{AppState, ConversationState};
use crate::app::wrap::{Row, wrap};
use crate::model::{
    Align, Block, Clean, ConversationId, Delivery, Link, Message, MessageBody, MessageKey, RichText, Span, SpanStyle,
    UserId,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Cells left of a message's text: time and space. Narrow panes get less.
const INDENT: u16 = 8;
const NARROW_INDENT: u16 = 6;
/// Cells right of it: the delivery mark.
const MARGIN: u16 = 3;
/// A new name line after this pause.
const GROUP_PAUSE_MS: i64 = 5 * 60 * 1000;
/// From this height on a blank line stands between groups.
const ROOMY: u16 = 30;
const MAX_CACHED: usize = 4_000;

/// A row of the pane, ready to be painted.
#[derive(Clone, Debug, PartialEq)]
pub struct PaneRow {
    /// The message it belongs to.
    pub key: Option<MessageKey>,
    pub selected: bool,
    /// It calls me.
    pub mention: bool,
    pub kind: RowKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RowKind {
    Blank,
    Day(String),
    New(usize),
    Name { time: String, name: Clean, sender: UserId, mine: bool, glyph: Option<Glyph> },
    Text { time: Option<String>, rows: Arc<Vec<Row>>, index: usize, glyph: Option<Glyph>, system: bool },
    Reactions(Vec<(String, usize, bool)>),
    Failed(Clean),
}

/// How far an own message got, at the right edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Queued,
    Sending,
    Sent,
    Unconfirmed,
    Failed,
}

/// What the rows depend on; while it is equal they are not made again.
#[derive(Clone, PartialEq)]
pub struct Stamp {
    id: ConversationId,
    revision: u64,
    names: u64,
    anchor: Anchor,
    area: Rect,
    selected: Option<MessageKey>,
    new_from: Option<MessageKey>,
    today: i64,
}

impl Stamp {
    pub fn of(app: &AppState, c: &ConversationState, area: Rect, _size: Size, anchor: &Anchor) -> Self {
        Self {
            id: c.info.id.clone(),
            revision: c.timeline.revision(),
            names: app.names.revision(),
            anchor: anchor.clone(),
            area,
            selected: c.selected.clone(),
            new_from: c.new_from.clone(),
            today: app.clock.wall.day(&app.prefs.zone),
        }
    }
}

/// A conversation in a rectangle.
pub struct Pane<'a> {
    app: &'a AppState,
    conversation: &'a ConversationState,
    columns: usize,
    height: usize,
    roomy: bool,
}

impl<'a> Pane<'a> {
    pub fn new(app: &'a AppState, conversation: &'a ConversationState, area: Rect, size: Size) -> Self {
        let indent = if area.width < 40 { NARROW_INDENT } else { INDENT };
        Self {
            app,
            conversation,
            columns: usize::from(area.width.saturating_sub(indent + MARGIN)).max(4),
            height: usize::from(area.height),
            roomy: size.rows >= ROOMY,
        }
    }

    fn previous(&self, key: &MessageKey) -> Option<&'a Message> {
        self.conversation.timeline.before(key).next_back()
    }

    fn next(&self, key: &MessageKey) -> Option<&'a Message> {
        self.conversation.timeline.after(key).next()
    }
}

/// The cells left of the text in a pane of this width.
pub fn indent(width: u16) -> u16 {
    if width < 40 { NARROW_INDENT } else { INDENT }
}

/// A message's rows.
struct Laid {
    lead: Vec<RowKind>,
    text: Arc<Vec<Row>>,
    tail: Vec<RowKind>,
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

/// Wrapped texts, valid for one conversation state at one width.
#[derive(Default)]
pub struct Layout {
    valid_for: Option<(ConversationId, u64, u64, usize)>,
    texts: HashMap<MessageKey, Arc<Vec<Row>>>,
}

impl Layout {
    fn refresh(&mut self, pane: &Pane<'_>) {
        let c = pane.conversation;
        let stamp = (c.info.id.clone(), c.timeline.revision(), pane.app.names.revision(), pane.columns);
        if self.valid_for.as_ref() != Some(&stamp) || self.texts.len() > MAX_CACHED {
            self.texts.clear();
            self.valid_for = Some(stamp);
        }
    }

    fn lay(&mut self, pane: &Pane<'_>, message: &Message) -> Laid {
        let text = match self.texts.get(&message.key) {
            Some(rows) => Arc::clone(rows),
            None => {
                let rows = Arc::new(wrap(&presented(pane.app, message), pane.columns));
                self.texts.insert(message.key.clone(), Arc::clone(&rows));
                rows
            }
        };
        Laid { lead: lead(pane, message), text, tail: tail(pane, message) }
    }

    /// The place of the top row when the end is at the bottom; `None` without messages.
    fn bottom(&mut self, pane: &Pane<'_>) -> Option<Place> {
        let mut room = pane.height;
        let mut top = None;
        for message in pane.conversation.timeline.iter().rev() {
            let len = self.lay(pane, message).len();
            if len >= room {
                return Some(Place { key: message.key.clone(), row: len - room });
            }
            room -= len;
            top = Some(Place { key: message.key.clone(), row: 0 });
        }
        top
    }

    /// The top row that an anchor means; what would leave rows free at the bottom is the bottom.
    fn resolve(&mut self, pane: &Pane<'_>, anchor: &Anchor) -> Option<Place> {
        let bottom = self.bottom(pane)?;
        let Anchor::At { key, offset, lead } = anchor else { return Some(bottom) };
        let message = pane.conversation.timeline.from(key).next();
        let Some(message) = message else { return Some(bottom) };
        let laid = self.lay(pane, message);
        let row = if message.key != *key {
            0
        } else if *lead > 0 {
            laid.lead.len().saturating_sub(*lead)
        } else {
            let inside = laid.text.iter().rposition(|row| row.offset <= *offset).unwrap_or(0);
            laid.lead.len() + inside
        };
        Some(Place { key: message.key.clone(), row }.min(bottom))
    }

    fn anchor_of(&mut self, pane: &Pane<'_>, place: &Place) -> Anchor {
        let Some(message) = pane.conversation.timeline.get(&place.key) else { return Anchor::Bottom };
        let laid = self.lay(pane, message);
        let key = place.key.clone();
        match place.row.checked_sub(laid.lead.len()) {
            None => Anchor::At { key, offset: 0, lead: laid.lead.len() - place.row },
            Some(row) => {
                let row = laid.text.get(row.min(laid.text.len().saturating_sub(1)));
                Anchor::At { key, offset: row.map_or(0, |r| r.offset), lead: 0 }
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
            let message = pane.conversation.timeline.get(&place.key)?;
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
        let (Some(top), Some(bottom)) = (self.resolve(pane, anchor), self.bottom(pane)) else { return Anchor::Bottom };
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

    pub fn top(&mut self, pane: &Pane<'_>) -> Anchor {
        self.refresh(pane);
        let first = pane.conversation.timeline.first().map(|m| Place { key: m.key.clone(), row: 0 });
        match (first, self.bottom(pane)) {
            (Some(first), Some(bottom)) if first < bottom => self.anchor_of(pane, &first),
            _ => Anchor::Bottom,
        }
    }

    pub fn reveal(&mut self, pane: &Pane<'_>, anchor: &Anchor, key: &MessageKey) -> Anchor {
        self.refresh(pane);
        let (Some(top), Some(message)) = (self.resolve(pane, anchor), pane.conversation.timeline.get(key)) else {
            return anchor.clone();
        };
        let len = self.lay(pane, message).len();
        let first = Place { key: key.clone(), row: 0 };
        let last = Place { key: key.clone(), row: len.saturating_sub(1) };
        let end = self.down(pane, top.clone(), pane.height.saturating_sub(1));
        let hidden_below = end.is_some_and(|end| last > end);
        let target = if first < top && len < pane.height {
            first
        } else if first < top && last < top {
            // Taller than the pane and above: its end first, reading upward.
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

    /// The rows in sight, and how many messages follow below them.
    pub fn fill(&mut self, pane: &Pane<'_>, anchor: &Anchor) -> (Vec<PaneRow>, usize) {
        self.refresh(pane);
        let Some(top) = self.resolve(pane, anchor) else { return (Vec::new(), 0) };
        let mut out = Vec::with_capacity(pane.height);
        let mut skip = top.row;
        let mut last = None;
        for message in pane.conversation.timeline.from(&top.key) {
            if out.len() >= pane.height {
                break;
            }
            let laid = self.lay(pane, message);
            let room = pane.height - out.len();
            out.extend(rows(pane, message, &laid).skip(skip).take(room));
            skip = 0;
            last = Some(message.key.clone());
        }
        let below = last.map_or(0, |key| pane.conversation.timeline.after(&key).take(1000).count());
        (out, below)
    }
}

fn rows<'a>(pane: &'a Pane<'_>, message: &'a Message, laid: &'a Laid) -> impl Iterator<Item = PaneRow> + 'a {
    let selected = pane.conversation.selected.as_ref() == Some(&message.key);
    let system = message.body.is_system();
    let mark = glyph(pane, message);
    let named = laid.lead.iter().any(|k| matches!(k, RowKind::Name { .. }));
    let time = (!named && shows_minute(pane, message)).then(|| message.at.clock(&pane.app.prefs.zone));
    let last = laid.text.len().saturating_sub(1);
    let text = (0..laid.text.len()).map(move |index| RowKind::Text {
        time: if index == 0 { time.clone() } else { None },
        rows: Arc::clone(&laid.text),
        index,
        glyph: if index == last { mark } else { None },
        system,
    });
    laid.lead.iter().cloned().chain(text).chain(laid.tail.iter().cloned()).map(move |kind| PaneRow {
        key: Some(message.key.clone()),
        selected: selected && !matches!(kind, RowKind::Day(_) | RowKind::New(_) | RowKind::Blank),
        mention: message.mentions_me && !matches!(kind, RowKind::Day(_) | RowKind::New(_) | RowKind::Blank),
        kind,
    })
}

/// A continuation shows its minute when it is another than the one above.
fn shows_minute(pane: &Pane<'_>, message: &Message) -> bool {
    message.body.is_system()
        || pane.previous(&message.key).is_none_or(|p| p.at.0 / 60_000 != message.at.0 / 60_000)
}

fn lead(pane: &Pane<'_>, message: &Message) -> Vec<RowKind> {
    let zone = &pane.app.prefs.zone;
    let previous = pane.previous(&message.key);
    let mut lead = Vec::new();
    let new_day = previous.is_none_or(|p| p.at.day(zone) != message.at.day(zone));
    if new_day {
        lead.push(RowKind::Day(message.at.day_name(pane.app.clock.wall, zone)));
    }
    let is_new = pane.conversation.new_from.as_ref() == Some(&message.key);
    if is_new {
        let count = pane.conversation.timeline.from(&message.key).filter(|m| m.sender != *pane.app.me()).count();
        lead.push(RowKind::New(count));
    }
    if message.body.is_system() {
        return lead;
    }
    let new_group = new_day
        || is_new
        || previous.is_none_or(|p| {
            p.body.is_system() || p.sender != message.sender || message.at.0 - p.at.0 > GROUP_PAUSE_MS
        });
    if new_group {
        if pane.roomy && lead.is_empty() {
            lead.push(RowKind::Blank);
        }
        let mine = message.sender == *pane.app.me();
        let known = pane.app.names.knows(&message.sender);
        let name = match (&message.sender_name, mine) {
            (Some(name), false) if !known && !name.is_empty() => name.clone(),
            _ if message.sender.as_str().is_empty() => Clean::line("unknown sender"),
            _ => pane.app.name_of(&message.sender),
        };
        lead.push(RowKind::Name {
            time: message.at.clock(zone),
            name,
            sender: message.sender.clone(),
            mine,
            glyph: None,
        });
    }
    lead
}

fn tail(pane: &Pane<'_>, message: &Message) -> Vec<RowKind> {
    let mut tail = Vec::new();
    if !message.reactions.is_empty() {
        let list = message.reactions.iter().map(|r| {
            let known = REACTIONS.iter().find(|(key, _)| *key == r.key.as_str());
            let shown = known.map_or_else(|| format!("({})", r.key), |(_, glyph)| (*glyph).to_owned());
            (shown, r.users.len(), r.users.contains(pane.app.me()))
        });
        tail.push(RowKind::Reactions(list.collect()));
    }
    if let Delivery::Failed { reason, .. } = &message.delivery {
        tail.push(RowKind::Failed(reason.clone()));
    }
    tail
}

/// The mark of an own message; of a run that arrived only the last one has it.
fn glyph(pane: &Pane<'_>, message: &Message) -> Option<Glyph> {
    if message.sender != *pane.app.me() || message.body.is_system() {
        return None;
    }
    match message.delivery {
        Delivery::Saving => None,
        Delivery::Queued => Some(Glyph::Queued),
        Delivery::Sending => Some(Glyph::Sending),
        Delivery::Unconfirmed => Some(Glyph::Unconfirmed),
        Delivery::Failed { .. } => Some(Glyph::Failed),
        Delivery::Sent => {
            let next = pane.next(&message.key);
            let run_goes_on =
                next.is_some_and(|n| n.sender == message.sender && n.delivery == Delivery::Sent && !n.body.is_system());
            (!run_goes_on).then_some(Glyph::Sent)
        }
    }
}

/// A message as formatted text.
fn presented(app: &AppState, message: &Message) -> RichText {
    let name = |id: &UserId| app.name_of(id);
    let dim = SpanStyle { dim: true, ..SpanStyle::default() };
    let mut rich = match &message.body {
        MessageBody::Text(rich) => rich.clone(),
        MessageBody::Emote(rich) => {
            let mut rich = rich.clone();
            let who = match &message.sender_name {
                Some(own) if !app.names.knows(&message.sender) => own.clone(),
                _ => app.names.of(&message.sender),
            };
            let span = Span {
                text: Clean::text(&format!("* {who} ")),
                style: SpanStyle { italic: true, ..SpanStyle::default() },
                link: None,
            };
            match rich.blocks.first_mut() {
                Some(Block::Paragraph { spans, .. }) => spans.insert(0, span),
                _ => rich.blocks.insert(0, Block::Paragraph { align: Align::Left, spans: vec![span] }),
            }
            rich
        }
        MessageBody::Deleted => {
            RichText::from_spans(vec![Span { text: "— message removed —".into(), style: dim, link: None }])
        }
        MessageBody::Unknown { .. } | MessageBody::Thread(_) | MessageBody::Call(_) | MessageBody::Hidden => {
            let text = Clean::text(&message.body.text(&name));
            RichText::from_spans(vec![Span { text, style: dim, link: None }])
        }
        body => {
            let link = body.links().into_iter().next().map(Link::Url);
            RichText::from_spans(vec![Span {
                text: Clean::text(&body.text(&name)),
                style: SpanStyle::default(),
                link,
            }])
        }
    };
    if message.edited.is_some() && !matches!(message.body, MessageBody::Deleted) {
        let span = Span { text: " (edited)".into(), style: dim, link: None };
        match rich.blocks.last_mut() {
            Some(Block::Paragraph { spans, .. }) => spans.push(span),
            _ => rich.blocks.push(Block::Paragraph { align: Align::Left, spans: vec![span] }),
        }
    }
    rich
}
