//! Accounts: who the user is to a service, the connection to it, and everything known through it.

use super::chat::Chat;
use super::conversations::{Conversations, Totals};
use super::reachable::ReachablePeople;
use crate::model::{
    AccountId, Availability, ChatRef, ConnectionState, Names, ObjectHosts, PersonPresence,
    SafeText, UserId, title,
};
use std::collections::HashMap;
use std::time::Duration;

/// The state of the connection, and when (monotonic) it was last set.
#[derive(Clone, Debug)]
pub struct Connection {
    pub state: ConnectionState,
    pub since: Duration,
    /// When (monotonic) the connection was lost; `None` while online.
    pub lost: Option<Duration>,
}

impl Connection {
    fn new() -> Self {
        Self { state: ConnectionState::Connecting, since: Duration::ZERO, lost: None }
    }

    /// Sets the state. True if the connection is back.
    pub fn set(&mut self, state: ConnectionState, now: Duration) -> bool {
        let came_online = state == ConnectionState::Online && self.state != ConnectionState::Online;
        self.lost = match (&state, self.lost) {
            (ConnectionState::Online, _) => None,
            (_, Some(known)) => Some(known),
            (ConnectionState::Connecting, None) if self.state != ConnectionState::Online => None,
            (_, None) => Some(now),
        };
        self.state = state;
        self.since = now;
        came_online
    }

    /// Seconds since the connection was lost.
    pub fn lost_for(&self, now: Duration) -> Option<u64> {
        self.lost.map(|since| now.saturating_sub(since).as_secs())
    }

    /// Seconds until the next attempt to connect.
    pub fn retry_in(&self, now: Duration) -> Option<u64> {
        match &self.state {
            ConnectionState::Waiting { wait, .. } => {
                let left = (self.since + *wait).saturating_sub(now);
                Some(left.as_secs_f64().ceil() as u64)
            }
            _ => None,
        }
    }

    /// The next full second of the countdown to the next attempt, while it runs.
    pub fn next_tick(&self, now: Duration) -> Option<Duration> {
        let ConnectionState::Waiting { wait, .. } = &self.state else { return None };
        let past = now.saturating_sub(self.since);
        (past < *wait).then(|| self.since + Duration::from_secs(past.as_secs() + 1))
    }
}

pub struct Account {
    pub id: AccountId,
    pub me: UserId,
    pub connection: Connection,
    pub names: Names,
    /// `None` if the service does not say who is available, or the user has not agreed to asking it.
    pub reachable: Option<ReachablePeople>,
    /// The hosts of the files that can be fetched through the account.
    pub objects: ObjectHosts,
    /// The names of the copies of its store that upgrades have left behind.
    pub copies: Vec<SafeText>,
    pub conversations: Conversations,
    /// The keys of the reactions that were chosen in this run, newest last.
    pub recent_reactions: Vec<String>,
}

impl Account {
    pub fn new(id: AccountId, me: UserId) -> Self {
        Self {
            conversations: Conversations::new(id.clone()),
            id,
            me,
            connection: Connection::new(),
            names: Names::default(),
            reachable: None,
            objects: ObjectHosts::default(),
            copies: Vec::new(),
            recent_reactions: Vec::new(),
        }
    }

    /// The account's name: the one in the configuration, or that of the archive.
    pub fn label(&self) -> &str {
        self.id.archive().unwrap_or(self.id.as_str())
    }

    /// Unread messages and mentions of chats that are not muted.
    pub fn unread(&self) -> (u32, u32) {
        let totals = self.conversations.totals();
        (totals.unread, totals.mentions)
    }

    /// Refers to a conversation of this account.
    pub fn chat_ref(&self, id: &crate::model::ConversationId) -> ChatRef {
        ChatRef { account: self.id.clone(), conversation: id.clone() }
    }

    /// The user's own name; the account's name while its owner is not known.
    pub fn own_name(&self) -> SafeText {
        let is_known = !self.me.as_str().is_empty();
        if is_known { self.names.of(&self.me) } else { SafeText::line(self.label()) }
    }

    /// The name to show for a person; `You` for the user.
    pub fn name(&self, who: &UserId) -> SafeText {
        if *who == self.me { SafeText::line(crate::model::YOU) } else { self.names.of(who) }
    }

    /// The name to show in lists, unambiguous if several people share it; `You` for the user.
    pub fn distinct_name(&self, who: &UserId) -> SafeText {
        if *who == self.me { self.name(who) } else { self.names.distinct(who) }
    }

    /// What the service says about a person, while online.
    pub fn presence(&self, who: &UserId) -> Option<&PersonPresence> {
        let is_online = self.connection.state == ConnectionState::Online;
        self.reachable.as_ref().filter(|_| is_online)?.get(who)
    }

    pub fn availability(&self, who: &UserId) -> Option<Availability> {
        self.presence(who)?.availability
    }

    /// The other person of a one-to-one chat.
    pub fn partner(&self, chat: &Chat) -> Option<UserId> {
        if chat.info.is_group() {
            return None;
        }
        let others = || chat.group.members.iter().map(|m| &m.id).filter(|id| **id != self.me);
        let one = |mut people: Box<dyn Iterator<Item = &UserId> + '_>| {
            people.next().cloned().filter(|_| people.next().is_none())
        };
        let listed = || one(Box::new(chat.info.listed.others.iter()));
        chat.info.id.peer().or_else(|| one(Box::new(others()))).or_else(listed)
    }

    /// Increases with every change of names and of who is available.
    pub fn people_revision(&self) -> u64 {
        self.names.revision() + self.reachable.as_ref().map_or(0, ReachablePeople::revision)
    }

    /// The title of a conversation.
    pub fn title(&self, chat: &Chat) -> SafeText {
        title(&chat.info, &chat.group.members, &self.names, &self.me)
    }
}

/// All accounts, in the order in which they are shown. There is at least one.
pub struct Accounts {
    first: Account,
    others: Vec<Account>,
    /// The order of the list while it is held.
    held: Vec<ChatRef>,
}

impl Accounts {
    pub fn new(first: Account, others: Vec<Account>) -> Self {
        Self { first, others, held: Vec::new() }
    }

    /// The two-person thread that is the conversation with a person, if nothing is known under the person's own id
    /// (facts 8.7).
    pub fn thread_of(&self, chat: &ChatRef) -> Option<ChatRef> {
        let person = chat.conversation.peer()?;
        let known = self.chat(chat);
        if known.is_some_and(|chat| chat.info.version > 0 || !chat.is_empty()) {
            return None;
        }
        let mut chats = self.get(&chat.account)?.conversations.iter();
        chats.find(|chat| chat.is_thread_with(&person)).map(Chat::chat_ref)
    }

    /// Whether there is more than one account.
    pub fn has_several(&self) -> bool {
        !self.others.is_empty()
    }

    pub fn first(&self) -> &Account {
        &self.first
    }

    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    pub fn get(&self, id: &AccountId) -> Option<&Account> {
        self.iter().find(|account| account.id == *id)
    }

    pub fn get_mut(&mut self, id: &AccountId) -> Option<&mut Account> {
        self.iter_mut().find(|account| account.id == *id)
    }

    /// Adds an account. It replaces the entry with its id if the owner of that one was not known.
    pub fn add(&mut self, account: Account) {
        match self.get_mut(&account.id) {
            Some(known) if known.me.as_str().is_empty() => *known = account,
            Some(_) => {}
            None => self.others.push(account),
        }
    }

    /// Removes an account, unless it is the only one.
    pub fn remove(&mut self, id: &AccountId) {
        self.held.retain(|chat| chat.account != *id);
        if self.first.id != *id {
            self.others.retain(|account| account.id != *id);
        } else if !self.others.is_empty() {
            self.first = self.others.remove(0);
        }
    }

    /// The chat of another account that continues a chat of an archive, if it is listed. If its history was deleted,
    /// the archive's chat stays separate.
    pub fn successor(&self, chat: &ChatRef) -> Option<&Chat> {
        let archive = self.get(&chat.account).filter(|account| account.id.archive().is_some())?;
        let live = self.iter().filter(|account| account.id.archive().is_none());
        let same = live.filter(|account| chat.conversation.is_same_for(&archive.me, &account.me));
        let mut chats = same.filter_map(|account| account.conversations.get(&chat.conversation));
        chats.find(|chat| chat.is_listed() && chat.info.cleared_at.is_none())
    }

    /// The archives that hold earlier years of a chat.
    pub fn archives_of(&self, chat: &Chat) -> impl Iterator<Item = &Account> {
        let id = chat.info.id.clone();
        let account = self.of(chat);
        let can_have = account.id.archive().is_none() && chat.info.cleared_at.is_none();
        let archives = self.iter().filter(move |other| can_have && other.id.archive().is_some());
        archives.filter(move |archive| {
            id.is_same_for(&archive.me, &account.me) && archive.conversations.get(&id).is_some()
        })
    }

    /// The account of a chat.
    pub fn of(&self, chat: &Chat) -> &Account {
        self.get(&chat.account).unwrap_or(&self.first)
    }

    pub fn chat(&self, chat: &ChatRef) -> Option<&Chat> {
        self.get(&chat.account)?.conversations.get(&chat.conversation)
    }

    /// Sorts chats of all accounts by activity, pinned ones first. While the order is held, they keep their places.
    pub fn sort_by_activity(&self, chats: &mut [&Chat]) {
        if self.held.is_empty() {
            chats.sort_by_cached_key(|c| c.sort_key());
            return;
        }
        let places: HashMap<&ChatRef, usize> =
            self.held.iter().enumerate().map(|(at, chat)| (chat, at)).collect();
        chats.sort_by_cached_key(|c| places.get(&c.chat_ref()).copied().unwrap_or(usize::MAX));
    }

    /// Holds the order of the list; with no chats, releases it.
    pub fn hold_order(&mut self, chats: Vec<ChatRef>) {
        self.held = chats;
    }

    /// Updates the records of changed chats: see [`Conversations::settle`].
    pub fn settle(&mut self) {
        self.iter_mut().for_each(|account| account.conversations.settle());
    }

    /// Sums over the chats of all accounts.
    pub fn totals(&self) -> Totals {
        self.iter()
            .map(|account| account.conversations.totals())
            .fold(Totals::default(), Totals::plus)
    }

    /// All chats, account by account, each in the order of its list.
    pub fn chats(&self) -> impl Iterator<Item = &Chat> {
        self.iter().flat_map(|account| account.conversations.iter())
    }
}
