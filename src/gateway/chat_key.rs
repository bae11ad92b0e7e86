//! Where messages live: a group, a pair of people, or one person's notes. Each person sees it under an id of their own.

use crate::model::UserId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatKey {
    Thread(String),
    Pair([UserId; 2]),
    Notes(UserId),
}

impl ChatKey {
    /// What `me` means by this conversation id; `None` for an id that names nothing.
    pub fn of(me: &UserId, id: &str) -> Option<Self> {
        if id.starts_with("19:") {
            return Some(Self::Thread(id.to_owned()));
        }
        if id == "48:notes" || id == me.as_str() {
            return Some(Self::Notes(me.clone()));
        }
        let person = ["8:", "28:", "4:", "1:", "2:"]
            .iter()
            .any(|p| id.strip_prefix(p).is_some_and(|r| !r.is_empty()));
        person.then(|| Self::Pair([me.clone(), UserId::new(id)]))
    }

    /// The key in the database, the same for everyone in it.
    pub fn key(&self) -> String {
        match self {
            Self::Thread(id) => id.clone(),
            Self::Notes(me) => format!("48:notes|{}", me.as_str()),
            Self::Pair([a, b]) => {
                let (a, b) = if a <= b { (a, b) } else { (b, a) };
                format!("{}|{}", a.as_str(), b.as_str())
            }
        }
    }

    /// Those who are in it by its very key; who is in a group is kept with the group.
    pub fn people(&self) -> &[UserId] {
        match self {
            Self::Thread(_) => &[],
            Self::Notes(me) => std::slice::from_ref(me),
            Self::Pair(both) => both,
        }
    }

    /// The conversation id that `viewer` knows it by.
    pub fn seen_by(&self, viewer: &UserId) -> String {
        match self {
            Self::Thread(id) => id.clone(),
            Self::Notes(_) => "48:notes".to_owned(),
            Self::Pair([a, b]) => if a == viewer { b } else { a }.as_str().to_owned(),
        }
    }
}
