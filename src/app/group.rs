//! What is known of a conversation's settings beside its two-state ones, and the changes under way.

use super::state::{AppState, ConversationState, FlagState};
use crate::model::{
    ConversationId, Fault, Role, SafeText, ThreadChange, ThreadFlag, ThreadSettings, Ticket,
    Timestamp,
};

#[derive(Clone, Debug, Default)]
pub struct Group {
    pub thread: ThreadSettings,
    pub url: JoinUrlState,
    /// It is wanted on the clipboard as soon as it is here.
    pub url_wanted: bool,
    /// Changes that wait for the server; the two-state ones are in `settings`.
    pub pending: Vec<(Ticket, ThreadChange)>,
    /// The server's last words on changes, the newest last.
    pub last: Vec<ChangeResult>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeResult {
    pub what: String,
    pub text: SafeText,
    pub at: Timestamp,
    pub taken: bool,
}

/// The address under which others join; asked for when it is to be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum JoinUrlState {
    #[default]
    Unknown,
    Loading,
    Known(SafeText),
    Failed(SafeText),
}

/// Something asked for that belongs to no conversation here yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// A new group with so many others in it.
    Create,
    /// What a join address leads to.
    Resolve,
    Join(ConversationId),
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
        ThreadChange::Member(who, _) => c.members.iter().any(|m| m.id == *who),
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
    /// Whether a change like this waits for the server.
    pub fn is_changing(&self, is_it: impl Fn(&ThreadChange) -> bool) -> bool {
        self.group.pending.iter().any(|(_, change)| is_it(change))
            || self.settings.iter().any(|(flag, setting)| match setting {
                FlagState::Changing { to, .. } => is_it(&ThreadChange::Flag(*flag, *to)),
                _ => false,
            })
    }

    /// Carries a change out that the server has taken.
    pub fn apply_change(
        &mut self,
        change: &ThreadChange,
        me: &crate::model::UserId,
        now: Timestamp,
    ) {
        match change {
            // The two-state settings know their own old and new state.
            ThreadChange::Flag(..) => {}
            ThreadChange::Topic(topic) => self.info.topic = Some(SafeText::line(topic)),
            ThreadChange::Member(who, role) => {
                match self.members.iter_mut().find(|m| m.id == *who) {
                    Some(member) => member.role = *role,
                    None => self.members.push(crate::model::Member {
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
                self.members.retain(|m| m.id != *who);
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
        self.group.last.retain(|known| known.what != what);
        self.group.last.push(said);
        if self.group.last.len() > MOST {
            self.group.last.remove(0);
        }
    }
}
