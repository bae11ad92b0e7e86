//! Identifies a chat: a group, a pair of people, or the notes of one person. Each participant knows it by an id of
//! their own.

use crate::model::{ConversationId, UserId};

/// The maximum length of an id in bytes.
const MAX_ID: usize = 256;
/// Prefixes of people and bots (facts 3.6).
const PEOPLE: [&str; 5] = ["8:", "28:", "4:", "1:", "2:"];

/// Whether an id is safe to use in URLs, markup and chat keys.
fn is_plain(id: &str) -> bool {
    let special = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '|' | '/' | '?' | '#' | '\\' | '<' | '>' | '"' | '&')
    };
    id.len() <= MAX_ID && !id.contains(special)
}

/// Whether this is the id of a person or a bot.
pub fn is_person_id(id: &str) -> bool {
    let named = PEOPLE.iter().any(|p| id.strip_prefix(p).is_some_and(|rest| !rest.is_empty()));
    named && is_plain(id)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatKey {
    Thread(String),
    Pair([UserId; 2]),
    Notes(UserId),
}

impl ChatKey {
    /// The chat that `me` refers to by this conversation id; `None` if the id is not valid.
    pub fn of(me: &UserId, id: &str) -> Option<Self> {
        if id.starts_with("19:") && is_plain(id) {
            return Some(Self::Thread(id.to_owned()));
        }
        if id == ConversationId::NOTES || id == me.as_str() {
            return Some(Self::Notes(me.clone()));
        }
        is_person_id(id).then(|| Self::Pair([me.clone(), UserId::new(id)]))
    }

    /// The key in the database, the same for all participants.
    pub fn key(&self) -> String {
        match self {
            Self::Thread(id) => id.clone(),
            Self::Notes(me) => format!("{}|{}", ConversationId::NOTES, me.as_str()),
            Self::Pair([a, b]) => {
                let (a, b) = if a <= b { (a, b) } else { (b, a) };
                format!("{}|{}", a.as_str(), b.as_str())
            }
        }
    }

    /// The participants that follow from the key. The members of a group are stored separately.
    pub fn people(&self) -> &[UserId] {
        match self {
            Self::Thread(_) => &[],
            Self::Notes(me) => std::slice::from_ref(me),
            Self::Pair(both) => both,
        }
    }

    /// The conversation id by which `viewer` knows the chat.
    pub fn seen_by(&self, viewer: &UserId) -> String {
        match self {
            Self::Thread(id) => id.clone(),
            Self::Notes(_) => ConversationId::NOTES.to_owned(),
            Self::Pair([a, b]) => if a == viewer { b } else { a }.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_a_chat_or_nothing() {
        let me = UserId::new("8:me");
        let key = |id: &str| ChatKey::of(&me, id).map(|chat| chat.key());
        assert_eq!(key("8:joe.4").as_deref(), Some("8:joe.4|8:me"));
        assert_eq!(key("8:live:.cid.1f").as_deref(), Some("8:live:.cid.1f|8:me"));
        assert_eq!(key("48:notes"), key("8:me"));
        assert_eq!(key("19:a@thread.v2").as_deref(), Some("19:a@thread.v2"));
        let long = format!("8:{}", "x".repeat(300));
        for bad in
            ["", "8:", "joe", "48:calllogs", "8:a|8:b", "8:a b", "8:a/b", "19:\n", "8:<b>", &long]
        {
            assert_eq!(key(bad), None, "{bad}");
        }
    }
}
