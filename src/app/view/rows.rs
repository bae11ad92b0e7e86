//! The rows of a message: above its text, beside it, and below it.

use super::hues::{Hue, Hues};
use super::layout::{Rect, Size};
use super::scroll::Laid;
use super::wrap::{TextRow, break_lines};
use super::{MessagesView, shown};
use crate::app::account::Account;
use crate::app::chat::Chat;
use crate::app::chat::Selection;
use crate::app::prefs::Prefs;
use crate::app::state::AppState;
use crate::model::text::width;
use crate::model::{
    Delivery, EmojiStyle, Message, MessageBody, MessageKey, SafeText, UserId, emoticon,
};
use std::sync::Arc;

/// Panes below this width show times in a shorter form.
const NARROW: u16 = 40;
/// Cells right of the text: the delivery mark.
const MARGIN: u16 = 3;
/// Text is at most this wide: longer lines are hard to follow.
const MEASURE: u16 = 100;
/// After a pause of this length the name is shown again.
const GROUP_PAUSE_MS: i64 = 5 * 60 * 1000;
/// From this height on there is a blank line between groups.
const ROOMY: u16 = 30;
/// From this height on there is a blank line before a day and before new messages.
const SPACED: u16 = 20;

/// A row of the pane, ready to be painted.
#[derive(Clone, Debug, PartialEq)]
pub struct PaneRow {
    /// The message it belongs to.
    pub key: Option<MessageKey>,
    pub selected: bool,
    /// The message mentions the user.
    pub mention: bool,
    pub kind: RowKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RowKind {
    Blank,
    Day(String),
    New(usize),
    Name {
        time: String,
        name: SafeText,
        hue: Hue,
        mine: bool,
    },
    Text {
        time: Option<String>,
        rows: Arc<Vec<TextRow>>,
        index: usize,
        glyph: Option<Glyph>,
        system: bool,
    },
    Reactions(Vec<(String, usize, bool)>),
    /// A row of the reason why the message was not sent, and of the keys for handling it.
    Failed(String),
}

/// The delivery state of an own message, at the right edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// On disk: held back, or waiting for its turn.
    Queued,
    Sending,
    Sent,
    /// Someone else has read it.
    Read,
    Unconfirmed,
    Failed,
}

/// A conversation in a rectangle.
pub struct Pane<'a> {
    pub app: &'a AppState,
    pub account: &'a Account,
    pub chat: &'a Chat,
    pub columns: usize,
    pub height: usize,
    /// Times are shown in a shorter form.
    narrow: bool,
    /// There are blank lines between groups.
    roomy: bool,
    /// There are blank lines before rules.
    spaced: bool,
}

impl<'a> Pane<'a> {
    pub fn new(app: &'a AppState, chat: &'a Chat, area: Rect, size: Size, bare: bool) -> Self {
        let indent = indent(&app.prefs, area.width, bare);
        // In bare mode, the text is there to be copied, and gets the whole width.
        let width = if bare { area.width } else { measured(area.width, indent) };
        let beside = if bare { 0 } else { indent + MARGIN };
        let comfortable = !app.prefs.is_compact();
        Self {
            app,
            account: app.accounts.of(chat),
            chat,
            columns: usize::from(width.saturating_sub(beside)).max(4),
            height: usize::from(area.height),
            narrow: area.width < NARROW,
            roomy: comfortable && size.rows >= ROOMY,
            spaced: comfortable && size.rows >= SPACED,
        }
    }

    pub fn previous(&self, key: &MessageKey) -> Option<&'a Message> {
        self.chat.timeline.before(key).next_back()
    }

    /// The time of a message, padded to the same width as all others.
    fn time(&self, message: &Message) -> String {
        let prefs = &self.app.prefs;
        let time = &prefs.choices.ui.time;
        let (shown, columns) = if self.narrow {
            (time.compact(message.at, &prefs.zone), time.compact_columns())
        } else {
            (time.show(message.at, &prefs.zone), time.columns())
        };
        let free = usize::from(columns).saturating_sub(width(&shown));
        format!("{:free$}{shown}", "")
    }

    pub fn next(&self, key: &MessageKey) -> Option<&'a Message> {
        self.chat.timeline.after(key).next()
    }
}

/// The cells left of the text in a pane of this width: a mark, the time, and space.
pub fn indent(prefs: &Prefs, width: u16, bare: bool) -> u16 {
    let time = &prefs.choices.ui.time;
    match (bare, width) {
        (true, _) => 0,
        (false, ..NARROW) => time.compact_columns() + 2,
        (false, _) => time.columns() + 3,
    }
}

/// The cells used in a pane of this width: the text, which begins after `indent`, and its delivery mark.
pub fn measured(width: u16, indent: u16) -> u16 {
    width.min(indent + MEASURE + MARGIN)
}

/// The day of the first row, unless that row or the one below it shows the day.
pub fn day_of(rows: &[PaneRow], pane: &Pane<'_>) -> Option<String> {
    let first = rows.first().filter(|row| !matches!(row.kind, RowKind::Day(_)))?;
    let message = pane.chat.timeline.get(first.key.as_ref()?)?;
    Some(pane.app.prefs.day_name(message.at, pane.app.clock.wall))
}

/// The first visible message, and the last one whose end is visible.
pub fn whole(view: &MessagesView, chat: &Chat) -> Option<(MessageKey, MessageKey)> {
    let mut keys: Vec<&MessageKey> = view.rows.iter().filter_map(|row| row.key.as_ref()).collect();
    keys.dedup();
    if view.is_cut {
        keys.pop();
    }
    let is_gap = |key: &MessageKey| {
        chat.timeline.get(key).is_none_or(|m| matches!(m.body, MessageBody::Gap { .. }))
    };
    let upto = keys.iter().rev().find(|key| !key.is_unsent() && !is_gap(key))?;
    Some(((*keys.first()?).clone(), (*upto).clone()))
}

/// A message's rows in order.
pub fn rows<'a>(
    pane: &'a Pane<'_>,
    message: &'a Message,
    laid: &'a Laid,
) -> impl Iterator<Item = PaneRow> + 'a {
    let selection = pane.chat.selection.as_ref().map(Selection::bounds);
    let selected = selection.is_some_and(|(first, last)| (first..=last).contains(&&message.key));
    let system = message.body.is_system();
    let mark = glyph(pane, message);
    let named = laid.lead.iter().any(|k| matches!(k, RowKind::Name { .. }));
    let time = (!named && shows_time(message)).then(|| pane.time(message));
    let last = laid.text.len().saturating_sub(1);
    let text = (0..laid.text.len()).map(move |index| RowKind::Text {
        time: if index == 0 { time.clone() } else { None },
        rows: Arc::clone(&laid.text),
        index,
        glyph: if index == last { mark } else { None },
        system,
    });
    laid.lead.iter().cloned().chain(text).chain(laid.tail.iter().cloned()).map(move |kind| {
        PaneRow {
            key: Some(message.key.clone()),
            selected: selected
                && !matches!(kind, RowKind::Day(_) | RowKind::New(_) | RowKind::Blank),
            mention: message.mentions_me
                && !matches!(kind, RowKind::Day(_) | RowKind::New(_) | RowKind::Blank),
            kind,
        }
    })
}

/// A message without a name line shows its time, even if it is in the same minute as the one above: otherwise two
/// messages would look like two lines of one.
fn shows_time(message: &Message) -> bool {
    !matches!(message.body, MessageBody::Gap { .. })
}

/// How many messages of others are below the line of new messages; `first` is the first of them.
pub fn count_new(pane: &Pane<'_>, first: &Message) -> usize {
    let is_new = |m: &&Message| m.sender != pane.account.me && !m.body.is_system();
    pane.chat.timeline.from(&first.key).filter(is_new).count()
}

/// The rows above a message's text: day, new line, name. `count` is only called if the line of new messages is one of
/// them, and returns its number ([`count_new`]).
pub fn lead(
    pane: &Pane<'_>,
    message: &Message,
    hues: &mut Hues,
    count: impl FnOnce() -> usize,
) -> Vec<RowKind> {
    let zone = &pane.app.prefs.zone;
    let previous = pane.previous(&message.key);
    let mut lead = Vec::new();
    let new_day = previous.is_none_or(|p| p.at.day(zone) != message.at.day(zone));
    let is_new = pane.chat.reading.new_from.as_ref() == Some(&message.key);
    if pane.spaced && previous.is_some() && (new_day || is_new) {
        lead.push(RowKind::Blank);
    }
    if new_day {
        lead.push(RowKind::Day(pane.app.prefs.day_name(message.at, pane.app.clock.wall)));
    }
    if is_new {
        lead.push(RowKind::New(count()));
    }
    if message.body.is_system() {
        return lead;
    }
    let new_group = new_day
        || is_new
        || previous.is_none_or(|p| {
            p.body.is_system()
                || p.sender != message.sender
                || message.at.0 - p.at.0 > GROUP_PAUSE_MS
        });
    if new_group {
        if pane.roomy && lead.is_empty() {
            lead.push(RowKind::Blank);
        }
        let mine = message.sender == pane.account.me;
        let known = pane.account.names.knows(&message.sender);
        let name = match (&message.sender_name, mine) {
            (Some(name), false) if !known && !name.is_empty() => name.clone(),
            _ if message.sender.as_str().is_empty() => SafeText::line("unknown sender"),
            // In a chat of two, the title says who the other person is.
            _ if !pane.chat.info.is_group() => {
                shown(&pane.app.prefs, &pane.account.name(&message.sender))
            }
            _ => shown(&pane.app.prefs, &pane.account.distinct_name(&message.sender)),
        };
        lead.push(RowKind::Name {
            time: pane.time(message),
            name,
            hue: hues.of(pane.chat, &pane.account.me, message),
            mine,
        });
    }
    lead
}

/// The rows below a message's text: reactions, and why it was not sent.
pub fn tail(pane: &Pane<'_>, message: &Message) -> Vec<RowKind> {
    let mut tail = Vec::new();
    if !message.reactions.is_empty() {
        tail.push(RowKind::Reactions(reactions(pane, message)));
    }
    if let Delivery::Failed { reason, .. } = &message.delivery {
        let again = if message.delivery.is_not_confirmed() { "" } else { " · R resends" };
        let text = format!("{}{again} · x moves it to the box", crate::model::failure(reason));
        let lines = break_lines(&text, pane.columns);
        let lines = lines.into_iter().filter_map(|line| text.get(line));
        tail.extend(lines.map(|line| RowKind::Failed(line.trim_end().to_owned())));
    }
    tail
}

/// Reactions as they are shown: the picture, how many people chose it, and whether the user did. Keys with the same
/// picture, such as `like` and `yes-tone1`, are merged.
fn reactions(pane: &Pane<'_>, message: &Message) -> Vec<(String, usize, bool)> {
    let ui = &pane.app.prefs.choices.ui;
    let mut shown: Vec<(String, Vec<&UserId>)> = Vec::new();
    for reaction in &message.reactions {
        let picture = emoticon::shown(&reaction.key, "", ui.emoji);
        let picture = emoticon::text(&picture, EmojiStyle::Glyph, ui.emoji_width).to_string();
        match shown.iter_mut().find(|(known, _)| *known == picture) {
            Some((_, users)) => {
                let more = reaction.users.iter().filter(|id| !users.contains(id));
                let more: Vec<&UserId> = more.collect();
                users.extend(more);
            }
            None => shown.push((picture, reaction.users.iter().collect())),
        }
    }
    let me = &pane.account.me;
    shown.into_iter().map(|(picture, users)| (picture, users.len(), users.contains(&me))).collect()
}

/// The mark of an own message; in a run of delivered messages, only the last one has it.
fn glyph(pane: &Pane<'_>, message: &Message) -> Option<Glyph> {
    if message.sender != pane.account.me || message.body.is_system() {
        return None;
    }
    match message.delivery {
        Delivery::Saving => None,
        Delivery::Held | Delivery::Queued => Some(Glyph::Queued),
        Delivery::Sending => Some(Glyph::Sending),
        Delivery::Unconfirmed => Some(Glyph::Unconfirmed),
        Delivery::Failed { .. } => Some(Glyph::Failed),
        Delivery::Sent => {
            let is_read = |m: &Message| pane.chat.readers(m.key.at) > 0;
            let next = pane.next(&message.key);
            let run_goes_on = next.is_some_and(|n| {
                n.sender == message.sender
                    && n.delivery == Delivery::Sent
                    && !n.body.is_system()
                    && is_read(n) == is_read(message)
            });
            let mark = if is_read(message) { Glyph::Read } else { Glyph::Sent };
            (!run_goes_on).then_some(mark)
        }
    }
}
