//! Changes of a conversation in words: while they are under way, and when the server has answered.

use crate::model::{Names, Role, ThreadChange, UserId};

/// A short description of a change, for the line that reports its result.
pub fn words(names: &Names, me: &UserId, change: &ThreadChange) -> String {
    match change {
        ThreadChange::Flag(flag, _) => flag.label().to_owned(),
        ThreadChange::Topic(_) => "topic".to_owned(),
        ThreadChange::Member(who, Role::Admin) => format!("{} as admin", names.distinct(who)),
        ThreadChange::Member(who, Role::User) => format!("{} as user", names.distinct(who)),
        ThreadChange::Remove(who) if who == me => "leaving".to_owned(),
        ThreadChange::Remove(who) => format!("removing {}", names.distinct(who)),
        ThreadChange::Clear => "deleting the history".to_owned(),
    }
}

/// The words for a change that the server has accepted.
pub fn done_words(names: &Names, me: &UserId, change: &ThreadChange) -> String {
    match change {
        ThreadChange::Member(who, Role::Admin) => format!("{} is an admin", names.distinct(who)),
        ThreadChange::Member(who, Role::User) => format!("{} is a user", names.distinct(who)),
        ThreadChange::Remove(who) if who == me => "you have left the group".to_owned(),
        ThreadChange::Remove(who) => format!("{} removed", names.distinct(who)),
        ThreadChange::Clear => "history deleted".to_owned(),
        ThreadChange::Flag(..) | ThreadChange::Topic(_) => {
            format!("{} saved", words(names, me, change))
        }
    }
}
