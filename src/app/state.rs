//! The state that `update` owns. The state of a conversation is in [`super::chat`].

mod modes;

use super::account::{Account, Accounts};
use super::attention::Attention;
use super::chat::{Anchor, Chat, Env, sending};
use super::conversations::Conversations;
use super::effect::Effect;
use super::figures::ShownFigures;
use super::ids::IdCounters;
use super::keymap::KeyState;
use super::notes::Notes;
use super::pending::PendingRequests;
use super::prefs::Prefs;
use crate::model::{AccountId, ChatRef, ListOrder, Now, Outbound, Request};
use std::time::Duration;

/// The second Ctrl-C has to be pressed within this time.
const INTERRUPT: Duration = Duration::from_secs(2);

/// A user who does nothing for this long counts as away.
pub const ABSENCE: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Compose,
    List,
}

/// Whether the user is present, and what is pending for them.
#[derive(Clone, Debug)]
pub struct Presence {
    /// True on terminals that do not report the focus.
    pub focused: bool,
    /// The terminal has reported the focus.
    pub reports_focus: bool,
    /// The user has done something in this run.
    pub acted: bool,
    /// The program was not used for [`ABSENCE`] before this run, and the user has not been told yet what is waiting.
    pub returns: bool,
    /// When (monotonic) the user did something last.
    pub acted_at: Duration,
    pub interrupted_at: Option<Duration>,
    /// When (monotonic) a waiting question opens by itself, unless a key is pressed before then.
    pub question_due: Option<Duration>,
    /// The clipboard's text was requested and has not arrived yet.
    pub pasting: Option<Pasting>,
    /// The figures of F12, while they are shown.
    pub figures: Option<ShownFigures>,
    /// New messages that will cause notifications.
    pub attention: Attention,
}

impl Presence {
    /// Whether the user is looking at the screen. If the terminal does not report the focus, a user who has done
    /// nothing for `idle` is assumed not to be.
    pub fn is_looking(&self, now: Duration, idle: Duration) -> bool {
        self.focused && (self.reports_focus || now < self.acted_at + idle)
    }
}

/// A request for the clipboard's text.
#[derive(Clone, Debug)]
pub struct Pasting {
    pub chat: Option<ChatRef>,
    /// How many actions the user had taken at that time.
    pub actions: u64,
}

pub struct AppState {
    pub prefs: Prefs,
    pub clock: Now,
    pub accounts: Accounts,
    pub open: Option<ChatRef>,
    pub focus: Focus,
    /// The chat that Enter opens while the list has the focus.
    pub marked: Option<ChatRef>,
    pub presence: Presence,
    pub notes: Notes,
    pub ids: IdCounters,
    pub keys: KeyState,
    /// Requests to sync that are not answered yet.
    pub pending: PendingRequests,
    /// The effects of the current input; [`super::update`] returns them.
    pub effects: Vec<Effect>,
}

impl AppState {
    pub fn new(prefs: Prefs, accounts: Accounts) -> Self {
        Self {
            ids: IdCounters::new(prefs.first_client_id),
            prefs,
            clock: Now::default(),
            accounts,
            open: None,
            focus: Focus::Compose,
            marked: None,
            presence: Presence {
                focused: true,
                reports_focus: false,
                acted: false,
                returns: false,
                acted_at: Duration::ZERO,
                interrupted_at: None,
                question_due: None,
                pasting: None,
                figures: None,
                attention: Attention::default(),
            },
            notes: Notes::default(),
            keys: KeyState::default(),
            pending: PendingRequests::default(),
            effects: Vec::new(),
        }
    }

    /// Sets the clock, before an input is applied.
    pub fn tick(&mut self, now: Now) {
        self.clock = now;
        self.notes.tick(now.mono);
    }

    pub fn opened(&self) -> Option<&Chat> {
        self.accounts.chat(self.open.as_ref()?)
    }

    /// Whether there is something to read in the open chat.
    pub fn shows_messages(&self) -> bool {
        self.opened().is_some_and(|chat| !chat.timeline.is_empty())
    }

    /// Whether the open chat belongs to an archive, which is read-only.
    pub fn is_in_archive(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.account.archive().is_some())
    }

    /// The account of the open chat; the first one while none is open.
    pub fn current_account(&self) -> &Account {
        let open = self.open.as_ref().and_then(|open| self.accounts.get(&open.account));
        open.unwrap_or(self.accounts.first())
    }

    /// Runs `work` on a chat.
    pub fn with_chat<T>(
        &mut self,
        chat: &ChatRef,
        work: impl FnOnce(&mut Chat, &mut Env<'_>) -> T,
    ) -> Option<T> {
        self.with_account(&chat.account, |account, env| {
            account.get_mut(&chat.conversation).map(|chat| work(chat, env))
        })?
    }

    /// Runs `work` on a chat, which is created if it is not known.
    pub fn with_new_chat<T>(
        &mut self,
        chat: &ChatRef,
        work: impl FnOnce(&mut Chat, &mut Env<'_>) -> T,
    ) -> Option<T> {
        self.with_account(&chat.account, |account, env| {
            work(account.ensure(&chat.conversation), env)
        })
    }

    /// Runs `work` on the open chat.
    pub fn with_open<T>(&mut self, work: impl FnOnce(&mut Chat, &mut Env<'_>) -> T) -> Option<T> {
        let open = self.open.clone()?;
        self.with_chat(&open, work)
    }

    /// Runs `work` on the open chat, for changes in its box. The list does not show the draft of the open chat, so it
    /// need not be derived again for every key.
    pub fn with_open_box<T>(
        &mut self,
        work: impl FnOnce(&mut Chat, &mut Env<'_>) -> T,
    ) -> Option<T> {
        let open = self.open.clone()?;
        self.with_chat_quietly(&open, work)
    }

    /// Runs `work` on a chat, for changes that do not show in the list.
    pub fn with_chat_quietly<T>(
        &mut self,
        chat: &ChatRef,
        work: impl FnOnce(&mut Chat, &mut Env<'_>) -> T,
    ) -> Option<T> {
        let with_env = |account: &mut Conversations, env: &mut Env<'_>| {
            account.get_quietly(&chat.conversation).map(|chat| work(chat, env))
        };
        self.with_account(&chat.account, with_env)?
    }

    /// Scrolls the open chat. Does not change what the list shows.
    pub fn set_anchor(&mut self, anchor: Anchor) {
        let Some(open) = &self.open else { return };
        let account = self.accounts.get_mut(&open.account);
        if let Some(chat) = account.and_then(|a| a.conversations.get_quietly(&open.conversation)) {
            chat.anchor = anchor;
        }
    }

    /// Runs `work` on every chat of any account in which something happens by itself, such as saving the draft, for
    /// changes that do not show in the list.
    pub fn with_timed(&mut self, mut work: impl FnMut(&mut Chat, &mut Env<'_>)) {
        let Self { accounts, prefs, clock, ids, pending, notes, effects, .. } = self;
        for account in accounts.iter_mut() {
            let mut env = Env {
                account: &account.id,
                me: &account.me,
                names: &account.names,
                prefs,
                now: *clock,
                ids,
                pending,
                notes,
                effects,
            };
            account.conversations.timed_mut().for_each(|chat| work(chat, &mut env));
        }
    }

    fn with_account<T>(
        &mut self,
        id: &AccountId,
        work: impl FnOnce(&mut Conversations, &mut Env<'_>) -> T,
    ) -> Option<T> {
        let Self { accounts, prefs, clock, ids, pending, notes, effects, .. } = self;
        let account = accounts.get_mut(id)?;
        let mut env = Env {
            account: &account.id,
            me: &account.me,
            names: &account.names,
            prefs,
            now: *clock,
            ids,
            pending,
            notes,
            effects,
        };
        Some(work(&mut account.conversations, &mut env))
    }

    /// Sends an account's sync a request that has no answer.
    pub fn request(&mut self, account: &AccountId, request: Request) {
        let account = account.clone();
        self.effects.push(Effect::Request(Box::new(Outbound { account, request })));
    }

    /// Sends the same request to every account's sync.
    pub fn request_all(&mut self, request: &Request) {
        let ids: Vec<AccountId> = self.accounts.iter().map(|a| a.id.clone()).collect();
        for id in &ids {
            self.request(id, request.clone());
        }
    }

    pub fn note(&mut self, text: &str) {
        self.notes.note(text);
    }

    pub fn complain(&mut self, text: &str) {
        self.notes.complain(text);
    }

    pub fn interrupted(&self) -> bool {
        self.presence.interrupted_at.is_some_and(|at| self.clock.mono <= at + INTERRUPT)
    }

    pub fn note_interrupt(&mut self) {
        self.presence.interrupted_at = Some(self.clock.mono);
        if self.prefs.read_only {
            self.note("Ctrl-C again quits");
        } else {
            let is_kept = self.prefs.choices.drafts.persist;
            let drafts = if is_kept { "drafts are saved" } else { "drafts are not saved" };
            self.note(&format!("Ctrl-C again quits; {drafts}"));
        }
    }

    /// The chats in the list, in order.
    pub fn shown_chats(&self) -> impl Iterator<Item = &Chat> {
        // A chat of an archive and the chat that continues it are one conversation.
        let is_alone = |chat: &&Chat| {
            let chat = chat.chat_ref();
            self.open.as_ref() == Some(&chat) || self.accounts.successor(&chat).is_none()
        };
        let mut chats: Vec<&Chat> = Vec::new();
        for account in self.accounts.iter() {
            let open = self.open.as_ref().filter(|open| open.account == account.id);
            let shown = account.conversations.shown(open.map(|open| &open.conversation));
            if account.id.archive().is_none() {
                chats.extend(shown);
            } else {
                chats.extend(shown.filter(is_alone));
            }
        }
        if self.accounts.has_several() && self.prefs.choices.ui.list == ListOrder::Activity {
            self.accounts.sort_by_activity(&mut chats);
        }
        chats.into_iter()
    }

    /// The name of a chat's account, if there are several.
    pub fn account_tag(&self, chat: &Chat) -> Option<&str> {
        self.accounts.has_several().then(|| self.accounts.of(chat).label())
    }

    /// Increases with every change that may show in the list.
    pub fn list_revision(&self) -> u64 {
        let names = self.accounts.iter().map(Account::people_revision);
        let chats = self.accounts.iter().map(|a| a.conversations.revision());
        names.chain(chats).sum::<u64>() + self.pending.revision()
    }

    /// Unread messages and mentions of all conversations that are not muted.
    pub fn total_unread(&self) -> (u32, u32) {
        let totals = self.accounts.totals();
        (totals.unread, totals.mentions)
    }

    /// Whether a count reached its cap, so that the total is a lower bound.
    pub fn unread_is_capped(&self) -> bool {
        self.accounts.totals().capped > 0
    }

    /// The number of own messages that the server has not accepted yet.
    pub fn total_unsent(&self) -> usize {
        self.accounts.totals().unsent
    }

    /// For how many seconds the last message of the open chat can still be taken back.
    pub fn held_for(&self) -> Option<u64> {
        let (_, until) = self.opened()?.sending.held.last()?;
        let left = until.saturating_sub(self.clock.mono);
        (!left.is_zero()).then(|| left.as_secs_f64().ceil() as u64)
    }

    /// Moves the focus. The order of the list is frozen while the list has the focus.
    pub fn set_focus(&mut self, focus: Focus) {
        self.focus = focus;
        let frozen = focus == Focus::List;
        self.accounts.iter_mut().for_each(|account| account.conversations.freeze(frozen));
        self.hold_list_order();
    }

    /// Holds the order of the list as it is now while the list has the focus.
    pub fn hold_list_order(&mut self) {
        self.accounts.hold_order(Vec::new());
        if self.focus == Focus::List {
            let order = self.shown_chats().map(Chat::chat_ref).collect();
            self.accounts.hold_order(order);
        }
    }

    /// Sorts an account's list after a change.
    pub fn sort(&mut self, account: &AccountId) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.conversations.sort();
        }
    }

    /// Opens a chat, after saving the draft of the one that was open.
    pub fn open_chat(&mut self, chat: &ChatRef) {
        let chat = &self.accounts.thread_of(chat).unwrap_or_else(|| chat.clone());
        self.notes.clear();
        self.marked = None;
        if self.open.as_ref() == Some(chat) {
            self.set_focus(Focus::Compose);
            return;
        }
        self.close_chat();
        let opened = self.with_new_chat(chat, |chat, env| {
            chat.reading.begin(chat.info.unread.messages > 0, env.now.mono);
            chat.draw_new_line(env.me);
            chat.paging.statistics.is_asked = false;
            env.request(Request::Open { conversation: chat.info.id.clone() });
        });
        if opened.is_some() {
            self.open = Some(chat.clone());
        }
        self.set_focus(Focus::Compose);
    }

    /// Closes the open chat, so that none is open.
    pub fn close_chat(&mut self) {
        self.with_timed(|chat, env| sending::save_draft(chat, env, true));
        let Some(open) = self.open.take() else { return };
        self.with_chat(&open, |chat, env| {
            chat.selection = None;
            chat.reading.end();
            sending::stop_typing(chat, env);
            if chat.trim_closed() {
                chat.anchor = Anchor::Bottom;
            }
        });
    }
}
