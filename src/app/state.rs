//! The state that `update` owns, by area. What belongs to one conversation is in [`super::chat`].

pub use super::chat::{ConversationState, Older, Sought, Window};
use super::conversations::Conversations;
use super::effect::Effect;
use super::keymap::{Context, Keymap};
use super::overlay::Overlay;
use super::pending::PendingRequests;
use crate::model::{
    Bidi, ClientMessageId, ConnectionState, ConversationId, Names, Now, Preferences, Receipts,
    Request, SafeText, UserId,
};
use jiff::tz::TimeZone;
use std::collections::VecDeque;
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
    pub demo: bool,
    /// Another instance has the account: nothing can be sent, changed or saved.
    pub read_only: bool,
    /// The first client id of this run is this number, the next ones follow: random, so that runs do not collide.
    pub first_client_id: u64,
    /// What the user chose. `ui.bidi` is decided: never [`Bidi::Auto`].
    pub choices: Preferences,
}

impl Prefs {
    /// The plainest there are: UTC, nobody is told anything, nothing is held back.
    pub fn plain(me: UserId, keymap: Arc<Keymap>) -> Self {
        let mut choices = Preferences::default();
        choices.ui.typing = false;
        choices.ui.bidi = Bidi::Reorder;
        choices.reading.receipts = Receipts::Never;
        Self {
            me,
            zone: TimeZone::UTC,
            keymap,
            demo: false,
            read_only: false,
            first_client_id: 1,
            choices,
        }
    }

    /// Right-to-left text is put into reading order here; otherwise the terminal does it.
    pub fn reorders(&self) -> bool {
        self.choices.ui.bidi == Bidi::Reorder
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Compose,
    List,
}

/// A note that goes away by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    pub text: SafeText,
    pub until: Duration,
    pub bad: bool,
}

/// The connection, and since when on the monotonic clock.
#[derive(Clone, Debug)]
pub struct Connection {
    pub state: ConnectionState,
    pub since: Duration,
    /// Since when nothing was heard; nothing while online.
    pub lost: Option<Duration>,
}

/// Whether someone is looking.
#[derive(Clone, Copy, Debug)]
pub struct ViewFocus {
    /// Terminals that cannot tell count as looked at.
    pub focused: bool,
    /// The user has done something in this run.
    pub acted: bool,
    pub interrupted_at: Option<Duration>,
}

/// Counters for ids made here.
#[derive(Clone, Copy, Debug)]
pub struct IdCounters {
    pub client_id: u64,
    pub queue: u64,
}

pub struct AppState {
    pub prefs: Prefs,
    pub clock: Now,
    pub connection: Connection,
    pub names: Names,
    pub conversations: Conversations,
    pub open: Option<ConversationId>,
    pub focus: Focus,
    pub view_focus: ViewFocus,
    pub overlay: Option<Overlay>,
    pub toasts: VecDeque<Toast>,
    pub ids: IdCounters,
    /// What the input at hand is to bring about; [`super::update`] returns it.
    pub effects: Vec<Effect>,
    /// What was asked of sync and is not answered yet.
    pub pending: PendingRequests,
}

impl AppState {
    pub fn new(prefs: Prefs) -> Self {
        Self {
            ids: IdCounters { client_id: prefs.first_client_id, queue: 0 },
            prefs,
            clock: Now::default(),
            connection: Connection {
                state: ConnectionState::Connecting,
                since: Duration::ZERO,
                lost: None,
            },
            names: Names::default(),
            conversations: Conversations::default(),
            open: None,
            focus: Focus::Compose,
            view_focus: ViewFocus { focused: true, acted: false, interrupted_at: None },
            overlay: None,
            toasts: VecDeque::new(),
            effects: Vec::new(),
            pending: PendingRequests::default(),
        }
    }

    /// Asks something of sync.
    pub fn request(&mut self, request: Request) {
        self.effects.push(Effect::Request(Box::new(request)));
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
            (_, Focus::Compose) if self.opened().is_some_and(|c| c.selection.is_some()) => {
                Context::Selection
            }
            (_, Focus::Compose) => Context::Compose,
        }
    }

    pub fn client_id(&mut self) -> ClientMessageId {
        let id = self.ids.client_id;
        self.ids.client_id = id.wrapping_add(1);
        ClientMessageId::from(id.to_string())
    }

    pub fn note(&mut self, text: &str) {
        self.toast(text, false);
    }

    pub fn complain(&mut self, text: &str) {
        self.toast(text, true);
    }

    fn toast(&mut self, text: &str, bad: bool) {
        let toast = Toast { text: SafeText::line(text), until: self.clock.mono + TOAST, bad };
        self.toasts.clear();
        self.toasts.push_back(toast);
    }

    pub fn interrupted(&self) -> bool {
        self.view_focus.interrupted_at.is_some_and(|at| self.clock.mono <= at + INTERRUPT)
    }

    pub fn note_interrupt(&mut self) {
        self.view_focus.interrupted_at = Some(self.clock.mono);
        if self.prefs.read_only {
            self.note("Ctrl-C again quits");
        } else {
            self.note("Ctrl-C again quits; drafts are saved");
        }
    }

    /// The name to show for a person; `You` for oneself.
    pub fn name_of(&self, who: &UserId) -> SafeText {
        if who == self.me() { SafeText::line("You") } else { self.shown(&self.names.of(who)) }
    }

    /// Text as this terminal is to get it.
    pub fn shown(&self, text: &SafeText) -> SafeText {
        let text = crate::model::emoticon::text(
            text,
            self.prefs.choices.ui.emoji,
            self.prefs.choices.ui.emoji_width,
        );
        if self.prefs.reorders() { super::bidi::line(&text) } else { text }
    }

    /// A conversation's name: its topic, its members, the other person, or the id.
    pub fn title(&self, conversation: &ConversationState) -> SafeText {
        if let Some(topic) = conversation.info.shown_topic() {
            return self.shown(topic);
        }
        let id = &conversation.info.id;
        if let Some(peer) = id.peer() {
            return self.shown(&self.names.of(&peer));
        }
        let others = conversation.group.members.iter().filter(|m| m.id != *self.me());
        let people = others
            .filter(|m| !m.id.as_str().starts_with("28:") && !m.id.as_str().starts_with("29:"));
        let names: Vec<String> = people.take(4).map(|m| self.names.of(&m.id).to_string()).collect();
        match (names.is_empty(), id.as_str()) {
            (false, _) => SafeText::line(&names.join(", ")),
            (true, "48:notes") => SafeText::line("Notes to self"),
            (true, _) if conversation.info.is_group() => SafeText::line("Group without a topic"),
            (true, id) => SafeText::line(id),
        }
    }

    /// Unread messages and mentions of all conversations that are not muted.
    pub fn total_unread(&self) -> (u32, u32) {
        self.conversations
            .iter()
            .filter(|c| !c.info.muted)
            .fold((0, 0), |(m, n), c| (m + c.info.unread.messages, n + c.info.unread.mentions))
    }

    /// Whether counting stopped somewhere: there are at least so many.
    pub fn unread_is_capped(&self) -> bool {
        let cap = u32::try_from(crate::model::unread::COUNT_CAP).unwrap_or(u32::MAX);
        self.conversations.iter().any(|c| !c.info.muted && c.info.unread.messages >= cap)
    }

    /// Own messages that have not arrived yet.
    pub fn total_unsent(&self) -> usize {
        self.conversations.iter().map(|c| c.sending.unsent.len()).sum()
    }

    /// The order of the list stands still while someone moves in it.
    pub fn freeze_list(&mut self) {
        let frozen = self.focus == Focus::List;
        self.conversations.freeze(frozen);
    }
}
