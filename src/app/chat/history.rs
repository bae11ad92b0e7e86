//! Which part of the history is loaded; adding messages to it: live, as pages, or around a search hit.

use super::{Anchor, Chat, Env, Selection, Statistics, statistics};
use crate::model::{
    Arrival, Coverage, Message, MessageBody, MessageKey, Placement, Point, Request, SafeText,
    Timestamp, UserId,
};

/// The most messages of the open chat that stay loaded; older ones are dropped while the view is at the bottom.
const KEEP_OPEN: usize = 20_000;
/// While the view is further up: how many messages below it stay loaded, and how many there may be before the rest are
/// dropped.
const KEEP_BELOW: usize = 1_000;
const MAX_BELOW: usize = 2_000;
/// The messages below the view are counted again after this many more have been loaded.
const COUNT_BELOW: usize = 250;
/// Messages of a closed chat that stay loaded.
const KEEP_CLOSED: usize = 200;

/// Which part of the history is loaded, and what is being fetched of the rest.
#[derive(Debug, Default)]
pub struct Paging {
    pub older: Older,
    /// The oldest message ever received, shown or not: the next page is requested before it.
    pub oldest: Option<MessageKey>,
    /// In a window of the past: its newest message, shown or not.
    pub newest: Option<MessageKey>,
    /// The newest message that arrived while a window of the past was open, and was not added to it.
    pub beyond: Option<Message>,
    /// An older message that is being searched for by loading older pages.
    pub sought: Option<Sought>,
    /// How many messages were loaded when those below the view were last counted.
    loaded_at_count: usize,
    /// Which parts of the history are stored.
    pub coverage: Coverage,
    pub window: Window,
    pub statistics: Statistics,
}

/// The part of the history above what is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Older {
    #[default]
    Unknown,
    Loading,
    Reached,
    Failed(SafeText),
}

/// Which part of the stored history is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Up to the newest message.
    #[default]
    Live,
    /// A place in the past is being loaded from the store.
    Opening(MessageKey),
    /// A part of the past; newer messages are in the store.
    Past { loading: bool },
}

/// A quoted message that is searched for by the data of the quote.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    pub id: Option<Box<str>>,
    pub author: Option<UserId>,
    /// Precise to the second, as in quotes.
    pub at: Option<Timestamp>,
    /// How many pages may still be requested.
    pub pages: u32,
}

impl Chat {
    /// The oldest message that is or was loaded. Nothing before it is loaded.
    pub fn start(&self) -> Option<MessageKey> {
        let first = self.timeline.first().map(|m| m.key.clone()).filter(|key| !key.is_unsent());
        self.paging.oldest.clone().into_iter().chain(first).min()
    }

    /// The last loaded message that was sent.
    fn end(&self) -> Option<MessageKey> {
        let last = self.timeline.iter().rev().map(|m| &m.key).find(|key| !key.is_unsent());
        last.cloned().into_iter().chain(self.paging.newest.clone()).max()
    }

    /// The window after a request for its end: messages that arrived in the meantime may be missing from it.
    fn window_at(&mut self, at_end: bool) -> Window {
        let end = self.end();
        let is_beyond = |message: &Message| end.as_ref().is_none_or(|end| message.key > *end);
        let missed = self.paging.beyond.as_ref().is_some_and(is_beyond);
        if at_end && !missed {
            self.paging.beyond = None;
            self.paging.newest = None;
            return Window::Live;
        }
        Window::Past { loading: false }
    }

    /// Unloads all messages except unsent ones.
    fn unload(&mut self) {
        self.timeline.unload();
        let Paging { coverage, beyond, statistics, .. } = std::mem::take(&mut *self.paging);
        *self.paging = Paging { beyond, coverage, statistics, ..Paging::default() };
        self.selection = None;
        self.reading.new_from = None;
    }

    /// Drops what a closed chat does not need; true if the view has to go back to the bottom.
    pub fn trim_closed(&mut self) -> bool {
        if self.paging.window != Window::Live {
            self.unload();
            return true;
        }
        let trimmed = self.timeline.keep_newest(KEEP_CLOSED);
        if trimmed {
            self.paging.older = Older::Unknown;
            self.paging.oldest = None;
        }
        trimmed
    }

    /// Allows a failed request to be tried again.
    pub fn forgive_older(&mut self) {
        if matches!(self.paging.older, Older::Failed(_)) {
            self.paging.older = Older::Unknown;
        }
    }

    /// Drops messages far below the visible ones. They are in the store, and loaded again when the view comes near.
    fn unload_far_below(&mut self) {
        let Anchor::At { key, .. } = &self.anchor else { return };
        // Counting takes time, so it is not done for each event.
        let loaded = self.timeline.len();
        let counted = self.paging.loaded_at_count;
        if (counted..counted + COUNT_BELOW).contains(&loaded) {
            return;
        }
        self.paging.loaded_at_count = loaded;
        let below = || self.timeline.after(key).skip(KEEP_BELOW);
        let far = self.timeline.after(key).nth(MAX_BELOW).is_some();
        if !far || self.paging.window != Window::Live || below().any(|m| m.key.is_unsent()) {
            return;
        }
        let gone: Vec<MessageKey> = below().map(|m| m.key.clone()).collect();
        let mut last = None;
        for key in &gone {
            last = self.timeline.remove(key).or(last);
        }
        self.paging.window = Window::Past { loading: false };
        self.paging.newest = None;
        self.paging.beyond = last;
    }

    fn mark_gaps(&mut self) {
        self.timeline.mark_gaps(&self.paging.coverage);
    }

    /// Whether a message belongs to the loaded part. Other messages are in the store; next to the loaded ones they
    /// would look like neighbours.
    fn belongs(&self, key: &MessageKey, placement: Placement) -> bool {
        let is_new = self.timeline.get(key).is_none();
        match (placement, &self.paging.window) {
            (Placement::Around { .. }, _) => true,
            (_, Window::Opening(_)) => false,
            (Placement::Event | Placement::Gap, _)
                if is_new && self.start().is_some_and(|start| *key < start) =>
            {
                false
            }
            (Placement::Newer { .. }, _) => true,
            (_, Window::Past { .. }) => !is_new || self.end().is_some_and(|last| *key < last),
            (Placement::Gap, Window::Live) => !self.timeline.is_empty(),
            _ => true,
        }
    }
}

/// Whether a page is still wanted. A late answer is for a place that is no longer the end of the loaded part, where its
/// messages would wrongly look like neighbours.
pub fn is_wanted(chat: &mut Chat, placement: Placement) -> bool {
    let is =
        |key: Option<MessageKey>, place: Point| key.is_some_and(|key| Point::from(&key) == place);
    match (placement, &chat.paging.window) {
        (Placement::Around { place, .. }, Window::Opening(key)) => place == Point::from(key),
        (Placement::Newer { after, .. }, Window::Past { loading: true }) => is(chat.end(), after),
        (Placement::Around { .. } | Placement::Newer { .. }, _) => false,
        (Placement::Older { before, .. }, _) => {
            let loading = chat.paging.older == Older::Loading;
            let wanted = loading && is(chat.start(), before);
            if loading && !wanted {
                // The loaded part now begins elsewhere, so the page is requested again.
                chat.paging.older = Older::Unknown;
            }
            wanted
        }
        _ => true,
    }
}

/// Adds a page that [`is_wanted`]. Returns the message to show to the user, if the page was fetched for that.
pub fn take(
    chat: &mut Chat,
    env: &mut Env<'_>,
    messages: Vec<Message>,
    placement: Placement,
    arrival: Arrival,
    is_open: bool,
) -> Option<MessageKey> {
    let at_bottom = chat.is_at_bottom();
    let wanted = match (placement, chat.paging.window.clone()) {
        (Placement::Around { .. }, Window::Opening(key)) => {
            if messages.is_empty() {
                // The place is not available: keep what is loaded.
                chat.paging.window = Window::Past { loading: false };
                return None;
            }
            chat.unload();
            Some(key)
        }
        _ => None,
    };
    let before = chat.paging.oldest.clone();
    let end = chat.timeline.iter().rev().find(|m| !m.key.is_unsent()).map(|m| m.key.at);
    let theirs = messages.iter().any(|m| m.sender != *env.me && !m.body.is_system());
    for message in messages {
        if arrival != Arrival::History {
            chat.typing.retain(|(who, _)| *who != message.sender);
        }
        take_one(chat, env, message, placement);
    }
    match placement {
        Placement::Older { reached_start, .. } => {
            let moved = chat.paging.oldest != before;
            chat.paging.older = match (reached_start, moved) {
                (true, _) => Older::Reached,
                (false, true) => Older::Unknown,
                // The server said there is more but sent nothing new: asking again at once would never end.
                (false, false) => Older::Failed(SafeText::line("the server sent nothing older")),
            };
            if statistics::is_outdated(chat) {
                chat.paging.statistics.is_asked = false;
            }
        }
        Placement::Around { reached_start, at_end, .. } => {
            chat.paging.older = if reached_start { Older::Reached } else { Older::Unknown };
            chat.paging.window = chat.window_at(at_end);
        }
        Placement::Newer { at_end, .. } => chat.paging.window = chat.window_at(at_end),
        Placement::Newest | Placement::Event | Placement::Gap => {}
    }
    if is_open {
        let is_unseen = match arrival {
            Arrival::Live => !at_bottom,
            Arrival::CatchUp => true,
            Arrival::History => false,
        };
        if let Some(end) = end.filter(|_| arrival == Arrival::CatchUp && at_bottom && theirs) {
            chat.draw_missed_line(env.me, end, env.now.mono);
        }
        chat.draw_new_line_for(env.me, is_unseen && theirs);
    }
    let limit = if is_open { KEEP_OPEN } else { KEEP_CLOSED };
    let keeps_place =
        (is_open && !at_bottom) || chat.paging.window != Window::Live || wanted.is_some();
    if !keeps_place && chat.timeline.keep_newest(limit) {
        chat.paging.older = Older::Unknown;
        chat.paging.oldest = None;
    }
    if is_open && !at_bottom && matches!(placement, Placement::Event) {
        chat.unload_far_below();
    }
    chat.mark_gaps();
    chat.follow_selection();
    wanted
}

fn take_one(chat: &mut Chat, env: &Env<'_>, message: Message, placement: Placement) {
    if message.sender == *env.me
        && let Some(client_id) = &message.client_id
    {
        chat.sending.unsent.remove(client_id);
    }
    statistics::count(chat, &message, &env.prefs.zone);
    let key = &message.key;
    if !chat.belongs(key, placement) {
        let newer = chat.paging.beyond.as_ref().is_none_or(|beyond| *key > beyond.key);
        if chat.paging.window != Window::Live && newer {
            chat.paging.beyond = Some(message);
        }
        return;
    }
    let goes_on = matches!(placement, Placement::Around { .. } | Placement::Newer { .. });
    if goes_on && chat.paging.newest.as_ref().is_none_or(|newest| key > newest) {
        chat.paging.newest = Some(key.clone());
    }
    // Messages that are not shown count as loaded, too, or a page of signals would be requested again and again.
    if chat.paging.oldest.as_ref().is_none_or(|oldest| key < oldest) && !key.is_unsent() {
        chat.paging.oldest = Some(key.clone());
    }
    if chat.info.cleared_at.is_none_or(|at| key.at > at) {
        chat.timeline.upsert(message);
    }
}

/// Adds to the parts of the history known to be stored. Ranges only grow, so the order in which two tasks report them
/// does not matter.
pub fn take_coverage(chat: &mut Chat, coverage: &Coverage) {
    coverage.ranges().iter().for_each(|range| chat.paging.coverage.add(*range));
    chat.mark_gaps();
    chat.follow_selection();
}

/// Selects a loaded message; false if it is no longer shown.
pub fn select(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey) -> bool {
    if chat.timeline.get(key).is_none() {
        env.note("That message is no longer shown");
        return false;
    }
    chat.selection = Some(Selection::one(key.clone()));
    true
}

/// Goes to a message anywhere in the history; true if it is loaded and can be shown at once.
pub fn go_to(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey) -> bool {
    if chat.timeline.get(key).is_some() && !matches!(chat.paging.window, Window::Opening(_)) {
        return select(chat, env, key);
    }
    chat.paging.window = Window::Opening(key.clone());
    let conversation = chat.info.id.clone();
    env.request(Request::Around { conversation, key: key.clone() });
    false
}

/// Goes back to the newest message, which may have to be loaded again.
pub fn to_newest(chat: &mut Chat, env: &mut Env<'_>) {
    chat.anchor = super::Anchor::Bottom;
    if chat.paging.window == Window::Live {
        return;
    }
    chat.unload();
    env.request(Request::Open { conversation: chat.info.id.clone() });
}

/// Shows the newest messages if a place is not available and nothing else is loaded.
pub fn leave_empty_past(chat: &mut Chat, env: &mut Env<'_>) {
    if matches!(chat.paging.window, Window::Past { .. }) && chat.end().is_none() {
        to_newest(chat, env);
    }
}

/// Asks for older messages, unless they were requested already or there are none.
pub fn load_older(chat: &mut Chat, env: &mut Env<'_>) {
    // Nothing comes before an unsent message.
    let Some(before) = chat.start() else { return };
    if chat.paging.older != Older::Unknown {
        return;
    }
    chat.paging.older = Older::Loading;
    env.request(Request::Older { conversation: chat.info.id.clone(), before });
}

/// Asks for the messages that follow a loaded part of the past.
pub fn load_newer(chat: &mut Chat, env: &mut Env<'_>) {
    let (Window::Past { loading: false }, Some(after)) = (&chat.paging.window, chat.end()) else {
        return;
    };
    chat.paging.window = Window::Past { loading: true };
    env.request(Request::Newer { conversation: chat.info.id.clone(), after });
}

/// A newer page that never arrived may be requested again; a late answer says where it belongs.
pub fn ask_again(chat: &mut Chat) {
    if chat.paging.window == (Window::Past { loading: true }) {
        chat.paging.window = Window::Past { loading: false };
    }
}

/// Fetches what is missing at the selected gap line, if one is selected.
pub fn fill_selected_gap(chat: &mut Chat, env: &mut Env<'_>) {
    let Some(line) = chat.selected() else { return };
    let MessageBody::Gap { closed } = line.body else { return };
    if closed {
        env.note("The server no longer has the messages in between");
        return;
    }
    let above = chat.timeline.after(&line.key).next().map(|m| m.key.clone());
    if let Some(above) = above {
        env.request(Request::Fill { conversation: chat.info.id.clone(), above });
        env.note("Fetching the missing messages…");
    }
}
