//! The state that `update` owns, by area.

use super::compose::Compose;
use super::conversations::Conversations;
use super::group::{Group, Wish};
use super::keymap::{Context, Keymap};
use super::overlay::Overlay;
use super::timeline::Timeline;
use crate::model::{
    Clean, ClientMessageId, Conversation, ConversationId, Delivery, EditTarget, EmojiStyle,
    EmojiWidth, LinkState, Member, MessageKey, Names, Now, Outgoing, Role, ThreadFlag, Ticket,
    Timestamp, UserId,
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long a note stays in sight.
const TOAST: Duration = Duration::from_secs(5);
/// The second Ctrl-C has to come within this.
const INTERRUPT: Duration = Duration::from_secs(2);

/// What does not change while the program runs.
#[derive(Clone)]
pub struct Prefs {
    pub me: UserId,
    pub zone: TimeZone,
    pub keymap: Arc<Keymap>,
    /// Others are told that we type.
    pub typing: bool,
    pub receipts: Receipts,
    pub demo: bool,
    pub emoji: EmojiStyle,
    pub emoji_width: EmojiWidth,
    /// Right-to-left text is put into reading order here; otherwise the terminal does it.
    pub reorder: bool,
    /// Typed markers (`*bold*`) become formatting.
    pub markup: bool,
    /// The first client id of this run is this number, the next ones follow: random, so that runs do not collide.
    pub first_client_id: u64,
}

/// When others learn what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    /// After a second on the screen.
    Auto,
    /// When one answers.
    OnReply,
    /// When one says so.
    Manual,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Compose,
    List,
}

/// A note that goes away by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    pub text: Clean,
    pub until: Duration,
    pub bad: bool,
}

/// The connection, and since when on the monotonic clock.
#[derive(Clone, Debug)]
pub struct Link {
    pub state: LinkState,
    pub since: Duration,
    /// Since when nothing was heard; nothing while online.
    pub lost: Option<Duration>,
}

/// Whether someone is looking.
#[derive(Clone, Copy, Debug)]
pub struct ViewFocus {
    /// Terminals that cannot tell count as looked at.
    pub focused: bool,
    pub interrupted_at: Option<Duration>,
}

/// Counters for ids made here.
#[derive(Clone, Copy, Debug)]
pub struct Minted {
    pub ticket: u64,
    pub client_id: u64,
    pub queue: u64,
}

pub struct AppState {
    pub prefs: Prefs,
    pub clock: Now,
    pub link: Link,
    pub names: Names,
    pub conversations: Conversations,
    pub open: Option<ConversationId>,
    pub focus: Focus,
    pub view_focus: ViewFocus,
    pub overlay: Option<Overlay>,
    pub toasts: VecDeque<Toast>,
    pub minted: Minted,
    /// What was asked for and belongs to no conversation yet.
    pub wishes: Vec<(Ticket, Wish)>,
}

pub struct ConversationState {
    pub info: Conversation,
    pub timeline: Timeline,
    pub compose: Compose,
    pub older: Older,
    pub settings: BTreeMap<ThreadFlag, Setting>,
    pub group: Group,
    pub members: Vec<Member>,
    /// Who types, and until when that is believed.
    pub typing: Vec<(UserId, Duration)>,
    pub selected: Option<MessageKey>,
    /// Where a selection of several began; means nothing without `selected`.
    pub extended_from: Option<MessageKey>,
    /// The first message of the `2 new` line; stays until the chat is left or Esc at the bottom.
    pub new_from: Option<MessageKey>,
    /// The chat was opened with unread messages before its page was here.
    pub wants_new_line: bool,
    /// The newest message in sight and when it counts as read; no time once it was told.
    pub reading: Option<(MessageKey, Option<Duration>)>,
    /// The oldest message ever taken in, shown or not: what lies before it is asked for next.
    pub oldest: Option<MessageKey>,
    /// What was typed, of messages that are not accepted yet: to send again, or to put back into the box.
    pub unsent: HashMap<ClientMessageId, Outgoing>,
    /// Changes under way: what to undo when they are refused.
    pub pending: Vec<(Ticket, Pending)>,
    /// The steps of own messages of this run, for the inspector.
    pub deliveries: HashMap<ClientMessageId, Vec<(Timestamp, Delivery)>>,
    /// A message further back that older pages are being loaded for.
    pub sought: Option<Sought>,
}

/// A message looked for by what a quote says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    pub id: Option<Box<str>>,
    pub author: Option<UserId>,
    /// To the second, as quotes tell it.
    pub at: Option<Timestamp>,
    /// Pages that may still be asked for.
    pub pages: u32,
}

/// The part of the history above what is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Older {
    Unknown,
    Loading,
    Reached,
    Failed(Clean),
}

/// A two-state setting: what is shown, what the server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Unknown,
    Known(bool),
    Changing { from: bool, to: bool, ticket: Ticket },
}

impl Setting {
    pub fn shown(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Known(on) => Some(on),
            Self::Changing { to, .. } => Some(to),
        }
    }
}

/// A change of a message that waits for the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// With what was typed, so that a refusal does not lose it.
    Edit {
        target: EditTarget,
        text: String,
    },
    Delete,
    React,
}

impl ConversationState {
    pub fn new(info: Conversation) -> Self {
        let (muted, pinned) = (info.muted, info.pinned);
        Self {
            info,
            timeline: Timeline::default(),
            compose: Compose::default(),
            older: Older::Unknown,
            settings: BTreeMap::from([
                (ThreadFlag::Alerts, Setting::Known(!muted)),
                (ThreadFlag::Pinned, Setting::Known(pinned)),
            ]),
            group: Group::default(),
            members: Vec::new(),
            typing: Vec::new(),
            selected: None,
            extended_from: None,
            new_from: None,
            wants_new_line: false,
            reading: None,
            oldest: None,
            unsent: HashMap::new(),
            pending: Vec::new(),
            deliveries: HashMap::new(),
            sought: None,
        }
    }

    pub fn setting(&self, flag: ThreadFlag) -> Setting {
        self.settings.get(&flag).copied().unwrap_or(Setting::Unknown)
    }

    /// Notes a step of an own message. Only the newest messages' ways are kept.
    pub fn log_delivery(&mut self, id: &ClientMessageId, at: Timestamp, delivery: &Delivery) {
        const MOST: usize = 500;
        if self.deliveries.len() >= MOST && !self.deliveries.contains_key(id) {
            self.deliveries.clear();
        }
        let log = self.deliveries.entry(id.clone()).or_default();
        if log.last().is_none_or(|(_, last)| last != delivery) && log.len() < 50 {
            log.push((at, delivery.clone()));
        }
    }

    /// The server's word: ends whatever was being changed.
    pub fn know(&mut self, flag: ThreadFlag, on: bool) {
        self.settings.insert(flag, Setting::Known(on));
    }

    /// The first and the last selected message.
    pub fn selection(&self) -> Option<(&MessageKey, &MessageKey)> {
        let at = self.selected.as_ref()?;
        let from = self.extended_from.as_ref().unwrap_or(at);
        Some((at.min(from), at.max(from)))
    }

    pub fn my_role(&self, me: &UserId) -> Option<Role> {
        self.members.iter().find(|m| m.id == *me).map(|m| m.role)
    }

    /// The worst state of own messages, for the mark in the list.
    pub fn has_failed(&self) -> bool {
        self.timeline.iter().rev().take(50).any(|m| matches!(m.delivery, Delivery::Failed { .. }))
    }
}

impl AppState {
    pub fn new(prefs: Prefs) -> Self {
        Self {
            minted: Minted { ticket: 0, client_id: prefs.first_client_id, queue: 0 },
            prefs,
            clock: Now::default(),
            link: Link { state: LinkState::Connecting, since: Duration::ZERO, lost: None },
            names: Names::default(),
            conversations: Conversations::default(),
            open: None,
            focus: Focus::Compose,
            view_focus: ViewFocus { focused: true, interrupted_at: None },
            overlay: None,
            toasts: VecDeque::new(),
            wishes: Vec::new(),
        }
    }

    pub fn opened(&self) -> Option<&ConversationState> {
        self.conversations.get(self.open.as_ref()?)
    }

    pub fn opened_mut(&mut self) -> Option<&mut ConversationState> {
        self.conversations.get_mut(self.open.as_ref()?)
    }

    pub fn me(&self) -> &UserId {
        &self.prefs.me
    }

    /// Which keys work now.
    pub fn context(&self) -> Context {
        match (&self.overlay, self.focus) {
            (Some(overlay), _) if !overlay.is_passive() => Context::Overlay,
            (_, Focus::List) => Context::List,
            (_, Focus::Compose) if self.opened().is_some_and(|c| c.selected.is_some()) => {
                Context::Selection
            }
            (_, Focus::Compose) => Context::Compose,
        }
    }

    pub fn ticket(&mut self) -> Ticket {
        self.minted.ticket += 1;
        Ticket(self.minted.ticket)
    }

    pub fn client_id(&mut self) -> ClientMessageId {
        let id = self.minted.client_id;
        self.minted.client_id = id.wrapping_add(1);
        ClientMessageId::from(id.to_string())
    }

    pub fn note(&mut self, text: &str) {
        self.toast(text, false);
    }

    pub fn complain(&mut self, text: &str) {
        self.toast(text, true);
    }

    fn toast(&mut self, text: &str, bad: bool) {
        let toast = Toast { text: Clean::line(text), until: self.clock.mono + TOAST, bad };
        self.toasts.clear();
        self.toasts.push_back(toast);
    }

    pub fn interrupted(&self) -> bool {
        self.view_focus.interrupted_at.is_some_and(|at| self.clock.mono <= at + INTERRUPT)
    }

    pub fn note_interrupt(&mut self) {
        self.view_focus.interrupted_at = Some(self.clock.mono);
        self.note("Ctrl-C again quits; drafts are saved");
    }

    /// The name to show for a person; `You` for oneself.
    pub fn name_of(&self, who: &UserId) -> Clean {
        if who == self.me() { Clean::line("You") } else { self.shown(&self.names.of(who)) }
    }

    /// Text as this terminal is to get it.
    pub fn shown(&self, text: &Clean) -> Clean {
        let text = crate::model::emoticon::text(text, self.prefs.emoji, self.prefs.emoji_width);
        if self.prefs.reorder { super::bidi::line(&text) } else { text }
    }

    /// A conversation's name: its topic, its members, the other person, or the id.
    pub fn title(&self, conversation: &ConversationState) -> Clean {
        if let Some(topic) = conversation.info.shown_topic() {
            return self.shown(topic);
        }
        let id = &conversation.info.id;
        if let Some(peer) = id.peer() {
            return self.shown(&self.names.of(&peer));
        }
        let others = conversation.members.iter().filter(|m| m.id != *self.me());
        let people = others
            .filter(|m| !m.id.as_str().starts_with("28:") && !m.id.as_str().starts_with("29:"));
        let names: Vec<String> = people.take(4).map(|m| self.names.of(&m.id).to_string()).collect();
        match (names.is_empty(), id.as_str()) {
            (false, _) => Clean::line(&names.join(", ")),
            (true, "48:notes") => Clean::line("Notes to self"),
            (true, _) if conversation.info.is_group() => Clean::line("Group without a topic"),
            (true, id) => Clean::line(id),
        }
    }

    /// Unread messages and mentions of all conversations that are not muted.
    pub fn total_unread(&self) -> (u32, u32) {
        self.conversations
            .iter()
            .filter(|c| !c.info.muted)
            .fold((0, 0), |(m, n), c| (m + c.info.unread.messages, n + c.info.unread.mentions))
    }

    /// Own messages that have not arrived yet.
    pub fn total_unsent(&self) -> usize {
        self.conversations.iter().map(|c| c.unsent.len()).sum()
    }

    /// The order of the list stands still while someone moves in it.
    pub fn freeze_list(&mut self) {
        let frozen = self.focus == Focus::List;
        self.conversations.freeze(frozen);
    }
}
