//! What is known of a conversation's settings beside its two-state ones, and the changes under way.

use super::state::{AppState, ConversationState};
use crate::model::{
    Fault, Member, Role, SafeText, ThreadChange, ThreadFlag, ThreadSettings, Timestamp,
};
use std::collections::BTreeMap;

/// Members and settings of a conversation.
/// Members and settings.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub members: Vec<Member>,
    pub settings: ThreadSettings,
    /// The two-state settings as far as the server said; a missing one is not known.
    pub flags: BTreeMap<ThreadFlag, bool>,
    pub url: JoinUrlState,
    /// What came of the last changes, the newest last.
    pub results: Vec<ChangeResult>,
}

impl Group {
    /// As the conversation list tells it.
    pub fn of(muted: bool, pinned: bool) -> Self {
        let flags = BTreeMap::from([(ThreadFlag::Alerts, !muted), (ThreadFlag::Pinned, pinned)]);
        Self { flags, ..Self::default() }
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeResult {
    pub what: String,
    pub text: SafeText,
    pub at: Timestamp,
    pub taken: bool,
}

/// The address under which others join; fetched when it is to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum JoinUrlState {
    #[default]
    Unknown,
    Known(SafeText),
    Failed(SafeText),
}

/// A two-state setting as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagState {
    /// What the server holds, as far as it said.
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

impl AppState {
    /// A setting of a conversation, with a change of it that is under way.
    pub fn flag(&self, c: &ConversationState, flag: ThreadFlag) -> FlagState {
        FlagState { known: c.known(flag), changing_to: self.pending.flag(&c.info.id, flag) }
    }

    /// Whether a change like this of a conversation waits for the server.
    pub fn is_changing(
        &self,
        c: &ConversationState,
        is_it: impl Fn(&ThreadChange) -> bool,
    ) -> bool {
        self.pending.is_changing(&c.info.id, is_it)
    }
}

/// Why a change is not for us to make, as far as can be told here; the server decides.
pub fn blocked(
    app: &AppState,
    c: &ConversationState,
    change: &ThreadChange,
) -> Option<&'static str> {
    let own = matches!(
        change,
        ThreadChange::Flag(ThreadFlag::Alerts | ThreadFlag::Pinned, _) | ThreadChange::Clear
    );
    if own {
        return None;
    }
    if !c.info.is_group() {
        return Some("only groups have this");
    }
    if c.info.left {
        return Some("you are not a member any more");
    }
    let for_admins = match change {
        ThreadChange::Flag(..) => true,
        ThreadChange::Remove(who) => who != app.me(),
        ThreadChange::Member(who, _) => c.group.members.iter().any(|m| m.id == *who),
        ThreadChange::Topic(_) | ThreadChange::Clear => false,
    };
    let is_user = c.my_role(app.me()) == Some(Role::User);
    (for_admins && is_user).then_some("only admins may change this")
}

/// A change in a few words, for the line that tells what became of it.
pub fn words(app: &AppState, change: &ThreadChange) -> String {
    match change {
        ThreadChange::Flag(flag, _) => flag.label().to_owned(),
        ThreadChange::Topic(_) => "topic".to_owned(),
        ThreadChange::Member(who, Role::Admin) => format!("{} as admin", app.names.of(who)),
        ThreadChange::Member(who, Role::User) => format!("{} as user", app.names.of(who)),
        ThreadChange::Remove(who) if who == app.me() => "leaving".to_owned(),
        ThreadChange::Remove(who) => format!("removing {}", app.names.of(who)),
        ThreadChange::Clear => "deleting the history".to_owned(),
    }
}

impl ConversationState {
    /// Carries a change out that the server has taken.
    pub fn apply_change(
        &mut self,
        change: &ThreadChange,
        me: &crate::model::UserId,
        now: Timestamp,
    ) {
        match change {
            ThreadChange::Flag(flag, on) => {
                self.know(*flag, *on);
                match flag {
                    ThreadFlag::Alerts => self.info.muted = !on,
                    ThreadFlag::Pinned => self.info.pinned = *on,
                    ThreadFlag::JoiningEnabled => self.group.url = JoinUrlState::Unknown,
                    ThreadFlag::HistoryDisclosed => {}
                }
            }
            ThreadChange::Topic(topic) => self.info.topic = Some(SafeText::line(topic)),
            ThreadChange::Member(who, role) => {
                match self.group.members.iter_mut().find(|m| m.id == *who) {
                    Some(member) => member.role = *role,
                    None => self.group.members.push(crate::model::Member {
                        id: who.clone(),
                        role: *role,
                        ..crate::model::Member::default()
                    }),
                }
                if who == me {
                    self.info.left = false;
                }
            }
            ThreadChange::Remove(who) => {
                self.group.members.retain(|m| m.id != *who);
                if who == me {
                    self.info.left = true;
                }
            }
            ThreadChange::Clear => {
                self.info.cleared_at = Some(now);
                self.timeline.clear_until(now);
                self.info.last = None;
            }
        }
    }

    /// Notes what became of a change.
    pub fn note_change(&mut self, what: &str, now: Timestamp, result: &Result<(), Fault>) {
        const MOST: usize = 3;
        let text = match result {
            Ok(()) => format!("{what} saved"),
            // Nobody said no: the connection broke, and the next look at the server tells.
            Err(fault) if fault.can_retry => format!("{what} not confirmed: {}", fault.reason),
            Err(fault) => format!("{what} refused: {}", fault.reason),
        };
        let said = ChangeResult {
            what: what.to_owned(),
            text: SafeText::line(&text),
            at: now,
            taken: result.is_ok(),
        };
        self.group.results.retain(|known| known.what != what);
        self.group.results.push(said);
        if self.group.results.len() > MOST {
            self.group.results.remove(0);
        }
    }
}
