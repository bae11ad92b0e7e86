//! Members and settings of a conversation, and changing them. A change is shown as pending until the server answers;
//! the answer decides.

use super::change_words::{done_words, words};
use super::join_url::{self, JoinUrlState};
use super::{Chat, Env};
use crate::app::keymap::KeymapEntry;
use crate::app::notes::UndoOffer;
use crate::app::pending::{PendingRequest, PendingRequests};
use crate::model::{
    ChatAccess, Fault, Member, Names, Request, Role, SafeText, ThreadChange, ThreadFlag,
    ThreadSettings, Timestamp, Unread, UserId,
};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, Default)]
pub struct Group {
    pub members: Vec<Member>,
    pub settings: ThreadSettings,
    /// The two-state settings that the server has reported; missing ones are unknown.
    pub flags: BTreeMap<ThreadFlag, bool>,
    pub url: JoinUrlState,
    /// The join URL is to be copied as soon as the server confirms that joining is on.
    pub copy_url_when_on: bool,
    /// The results of the last changes, newest last.
    pub results: Vec<ChangeResult>,
}

impl Group {
    /// As reported by the conversation list.
    pub fn of(muted: bool, pinned: bool) -> Self {
        let flags = BTreeMap::from([(ThreadFlag::Alerts, !muted), (ThreadFlag::Pinned, pinned)]);
        Self { flags, ..Self::default() }
    }
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeResult {
    pub what: String,
    pub text: SafeText,
    pub at: Timestamp,
    pub accepted: bool,
}

/// A two-state setting as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagState {
    /// The state on the server, if known.
    pub known: Option<bool>,
    /// What it is being changed to.
    pub changing_to: Option<bool>,
}

impl FlagState {
    pub fn shown(self) -> Option<bool> {
        self.changing_to.or(self.known)
    }

    pub fn is_changing(self) -> bool {
        self.changing_to.is_some()
    }
}

/// Why the user cannot make a change, as far as the client knows; the server decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    NotAGroup,
    NotAMember,
    AdminsOnly,
    JoiningIsOff,
}

impl Blocked {
    /// In two words.
    pub fn short(self) -> &'static str {
        match self {
            Self::NotAGroup => "groups only",
            Self::NotAMember => "not a member",
            Self::AdminsOnly => "admins only",
            Self::JoiningIsOff => "link is off",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAGroup => "only groups have this setting",
            Self::NotAMember => "you are no longer a member",
            Self::AdminsOnly => "only admins can change this",
            Self::JoiningIsOff => "joining by link is off",
        })
    }
}

impl Chat {
    /// The state of a flag on the server, if known.
    pub fn known(&self, flag: ThreadFlag) -> Option<bool> {
        self.group.flags.get(&flag).copied()
    }

    /// Records the state of a flag on the server.
    pub fn know(&mut self, flag: ThreadFlag, on: bool) {
        if self.group.flags.get(&flag) != Some(&on) {
            self.group.flags.insert(flag, on);
        }
    }

    /// The state of a setting, with its pending change if there is one.
    pub fn flag(&self, pending: &PendingRequests, flag: ThreadFlag) -> FlagState {
        FlagState { known: self.known(flag), changing_to: pending.flag(&self.chat_ref(), flag) }
    }

    /// Why `me` cannot make this change; `None` if nothing is known to block it.
    pub fn blocked(&self, me: &UserId, change: &ThreadChange) -> Option<Blocked> {
        let own = match change {
            ThreadChange::Flag(flag, _) => flag.is_own(),
            ThreadChange::Clear => true,
            _ => false,
        };
        if own {
            return None;
        }
        if !self.info.is_group() {
            return Some(Blocked::NotAGroup);
        }
        if self.info.access.is_over() {
            return Some(Blocked::NotAMember);
        }
        let for_admins = match change {
            ThreadChange::Flag(..) => true,
            ThreadChange::Remove(who) => who != me,
            ThreadChange::Member(who, _) => self.group.members.iter().any(|m| m.id == *who),
            ThreadChange::Topic(_) | ThreadChange::Clear => false,
        };
        let is_user = self.my_role(me) == Some(Role::User);
        (for_admins && is_user).then_some(Blocked::AdminsOnly)
    }

    /// The members as they are listed: admins first, then by name.
    pub fn members_by_role(&self, names: &Names) -> Vec<&Member> {
        let mut list: Vec<&Member> = self.group.members.iter().collect();
        list.sort_by_cached_key(|m| (m.role == Role::User, names.of(&m.id), m.id.clone()));
        list
    }

    /// Applies a change that the server has accepted.
    fn apply_change(&mut self, change: &ThreadChange, me: &UserId, now: Timestamp) {
        match change {
            ThreadChange::Flag(flag, on) => {
                self.know(*flag, *on);
                if *flag == ThreadFlag::Alerts {
                    self.info.muted = !on;
                } else if *flag == ThreadFlag::Pinned {
                    self.info.pinned = *on;
                } else if *flag == ThreadFlag::JoiningEnabled {
                    // The URL may change each time joining is turned on.
                    self.group.url = JoinUrlState::Unknown;
                }
            }
            ThreadChange::Topic(topic) => self.info.topic = Some(SafeText::line(topic)),
            ThreadChange::Member(who, role) => {
                match self.group.members.iter_mut().find(|m| m.id == *who) {
                    Some(member) => member.role = *role,
                    None => self.group.members.push(Member {
                        id: who.clone(),
                        role: *role,
                        ..Member::default()
                    }),
                }
                if who == me {
                    self.info.access = ChatAccess::Full;
                }
            }
            ThreadChange::Remove(who) => {
                self.group.members.retain(|m| m.id != *who);
                if who == me {
                    self.info.access = ChatAccess::Left;
                }
            }
            ThreadChange::Clear => {
                self.info.cleared_at = Some(now);
                self.timeline.clear_until(now);
                self.info.last = None;
                self.info.unread = Unread::default();
                self.drop_new_line();
            }
        }
    }

    fn note_result(
        &mut self,
        what: &str,
        done: String,
        now: Timestamp,
        result: &Result<(), Fault>,
    ) {
        const MAX_RESULTS: usize = 3;
        let text = match result {
            Ok(()) => done,
            // The server did not refuse: the connection broke, so its state has to be fetched.
            Err(fault) if fault.can_retry => format!("{what} is not confirmed: {}", fault.reason),
            Err(fault) => format!("{what} refused: {}", fault.reason),
        };
        let result = ChangeResult {
            what: what.to_owned(),
            text: SafeText::line(&text),
            at: now,
            accepted: result.is_ok(),
        };
        self.group.results.retain(|known| known.what != what);
        self.group.results.push(result);
        if self.group.results.len() > MAX_RESULTS {
            self.group.results.remove(0);
        }
    }
}

/// Asks the server for a change.
pub fn change(chat: &Chat, env: &mut Env<'_>, change: ThreadChange) {
    let conversation = chat.info.id.clone();
    let pending = PendingRequest::Thread { chat: chat.chat_ref(), change: change.clone() };
    env.ask(pending, |ticket| Request::Thread { conversation, change, ticket });
}

/// The new state of a flag: `to`, or else the opposite of the current state. If there is nothing to change, tells the
/// user why and returns `None`.
pub fn wanted_flag(
    chat: &Chat,
    env: &mut Env<'_>,
    flag: ThreadFlag,
    to: Option<bool>,
) -> Option<bool> {
    if !flag.is_own() && !chat.info.is_group() {
        env.complain("Only groups have this setting");
        return None;
    }
    let state = chat.flag(env.pending, flag);
    if state.is_changing() {
        env.note("The last change is still being saved");
        return None;
    }
    // The server decides whether it is allowed: the role known here may be out of date.
    match (to, state.known) {
        (Some(on), Some(known)) if on == known => {
            env.note(&format!("No change: {}", flag.spec().done_text(on)));
            None
        }
        (Some(on), _) => Some(on),
        (None, Some(known)) => Some(!known),
        (None, None) => {
            let role = chat.my_role(env.me);
            let why = if role.is_none() {
                "it has not been loaded"
            } else {
                "the server did not send it"
            };
            env.complain(&format!("This setting cannot be changed yet: {why}"));
            None
        }
    }
}

/// Tells the user that a setting was changed, and offers to undo it.
fn offer_undo(chat: &Chat, env: &mut Env<'_>, done: &str, back: ThreadChange) {
    let key = env.prefs.keymap.entry("undo").map(KeymapEntry::key).filter(|key| !key.is_empty());
    match key {
        Some(key) => {
            let offer = UndoOffer { chat: chat.chat_ref(), back };
            env.notes.offer(&format!("{done} · {key} undoes it"), offer);
        }
        None => env.note(done),
    }
}

/// The user has changed the flag.
fn flag_changed(chat: &Chat, env: &mut Env<'_>, flag: ThreadFlag, on: bool) {
    offer_undo(chat, env, flag.spec().done_text(on), ThreadChange::Flag(flag, !on));
}

/// The user has changed the topic; `before` is the old one.
fn topic_changed(chat: &Chat, env: &mut Env<'_>, before: &str) {
    offer_undo(chat, env, "The topic was changed", ThreadChange::Topic(before.to_owned()));
}

/// Sets the topic, as one line.
pub fn set_topic(chat: &Chat, env: &mut Env<'_>, topic: &str) {
    let topic = SafeText::line(topic).to_string();
    if let Some(why) = chat.blocked(env.me, &ThreadChange::Topic(String::new())) {
        env.complain(&format!("The topic cannot be changed: {why}"));
    } else if chat.info.topic.as_deref().unwrap_or_default() == topic {
        env.note("The topic is unchanged");
    } else {
        change(chat, env, ThreadChange::Topic(topic));
    }
}

/// Adds people, or gives members a role, one request each.
pub fn put_members(chat: &Chat, env: &mut Env<'_>, people: &[(UserId, Role)]) {
    for (who, role) in people {
        change(chat, env, ThreadChange::Member(who.clone(), *role));
    }
}

/// The server has answered a change.
pub fn changed(
    chat: &mut Chat,
    env: &mut Env<'_>,
    change: &ThreadChange,
    result: &Result<(), Fault>,
) {
    let what = words(env.names, env.me, change);
    let topic = chat.info.topic.clone().unwrap_or_default();
    if result.is_ok() {
        chat.apply_change(change, env.me, env.now.wall);
    }
    let done = done_words(env.names, env.me, change);
    chat.note_result(&what, done, env.now.wall, result);
    if matches!(change, ThreadChange::Flag(ThreadFlag::JoiningEnabled, _)) {
        join_url::joining_settled(chat, env);
    }
    match (change, result) {
        (ThreadChange::Remove(who), Ok(())) if who == env.me => {
            env.note("You have left the group; its history stays readable here");
        }
        (ThreadChange::Flag(flag, on), Ok(())) => flag_changed(chat, env, *flag, *on),
        (ThreadChange::Topic(_), Ok(())) => topic_changed(chat, env, &topic),
        (_, Ok(())) => {}
        (ThreadChange::Flag(flag, to), Err(fault)) => {
            let state = if chat.known(*flag).unwrap_or(!to) { "on" } else { "off" };
            let is_user = chat.my_role(env.me) == Some(Role::User);
            let not_allowed = !flag.is_own() && !fault.can_retry && is_user;
            let who =
                if not_allowed { format!("; {}", Blocked::AdminsOnly) } else { String::new() };
            env.complain(&format!("{what} stays {state}: {}{who}", fault.reason));
        }
        (_, Err(fault)) => env.complain(&format!("{what}: {}", fault.reason)),
    }
}

/// The server has announced a flag. If it is the user's own change, this counts as its answer.
pub fn flag_announced(chat: &mut Chat, env: &mut Env<'_>, flag: ThreadFlag, on: bool) {
    let ours = chat.flag(env.pending, flag).changing_to == Some(on);
    env.pending.give_up_thread(
        &chat.chat_ref(),
        |change| matches!(change, ThreadChange::Flag(changing, _) if *changing == flag),
    );
    if ours {
        let done = format!("{} saved", flag.label());
        chat.note_result(flag.label(), done, env.now.wall, &Ok(()));
        flag_changed(chat, env, flag, on);
    }
    chat.know(flag, on);
    if flag == ThreadFlag::JoiningEnabled {
        chat.group.url = JoinUrlState::Unknown;
        join_url::joining_settled(chat, env);
    }
}

/// The server has announced a topic, set by the user or by anybody else.
pub fn topic_announced(chat: &mut Chat, env: &mut Env<'_>, topic: SafeText) {
    let at = chat.chat_ref();
    let ours = |change: &ThreadChange| matches!(change, ThreadChange::Topic(own) if *own == *topic);
    if env.pending.is_changing(&at, ours) {
        chat.note_result("topic", "topic saved".to_owned(), env.now.wall, &Ok(()));
        let before = chat.info.topic.clone().unwrap_or_default();
        topic_changed(chat, env, &before);
    }
    env.pending.give_up_thread(&at, |change| matches!(change, ThreadChange::Topic(_)));
    chat.info.topic = Some(topic);
}

/// Takes the settings as the server has them.
pub fn take_settings(chat: &mut Chat, env: &mut Env<'_>, settings: ThreadSettings) {
    for (flag, on) in &settings.flags {
        chat.know(*flag, *on);
    }
    // An answer to a request from before the change must not bring the old topic back.
    let changing = env
        .pending
        .is_changing(&chat.chat_ref(), |change| matches!(change, ThreadChange::Topic(_)));
    if let Some(topic) = settings.topic.clone().filter(|_| !changing) {
        chat.info.topic = Some(topic);
    }
    chat.group.settings = settings;
}
