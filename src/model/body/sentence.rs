//! What changes of a conversation are called in a sentence.

use super::ThreadActivity;
use crate::model::UserId;
use crate::model::text::SafeText;

/// The names in a sentence about a change of a conversation.
struct Sentence<'a> {
    name: &'a dyn Fn(&UserId) -> SafeText,
}

impl Sentence<'_> {
    /// Who does something.
    fn subject(&self, who: &UserId) -> String {
        if who.as_str().is_empty() { "Someone".into() } else { (self.name)(who).to_string() }
    }

    /// To whom something is done: the user is `you` within a sentence.
    fn object(&self, who: &UserId) -> String {
        if who.as_str().is_empty() { "Someone".into() } else { (self.name)(who).replace_you() }
    }

    fn subjects(&self, ids: &[UserId]) -> String {
        ids.iter().map(|id| self.subject(id)).collect::<Vec<_>>().join(", ")
    }

    fn objects(&self, ids: &[UserId]) -> String {
        ids.iter().map(|id| self.object(id)).collect::<Vec<_>>().join(", ")
    }

    fn roles(&self, by: &UserId, targets: &[(UserId, bool)]) -> String {
        let role = |admin: bool| if admin { "an admin" } else { "a user" };
        let part = |(id, admin): &(UserId, bool)| {
            let who = match (id == by, self.object(id)) {
                (true, own) if own == "you" => "yourself".to_owned(),
                (true, _) => "themselves".to_owned(),
                (false, other) => other,
            };
            format!("{who} {}", role(*admin))
        };
        let parts: Vec<String> = targets.iter().map(part).collect();
        format!("{} made {}", self.subject(by), parts.join(", "))
    }
}

impl ThreadActivity {
    /// The sentence, with names from `name`.
    pub(super) fn text(&self, name: &dyn Fn(&UserId) -> SafeText) -> String {
        let say = Sentence { name };
        let nobody = |by: &UserId| by.as_str().is_empty();
        match self {
            Self::Topic { by, topic } if topic.is_empty() => {
                format!("{} removed the topic", say.subject(by))
            }
            Self::Topic { by, topic } => {
                format!("{} set the topic to \"{topic}\"", say.subject(by))
            }
            Self::Flag { by, flag, on } => {
                let phrases = flag.spec().activity.as_ref().map(|activity| activity.phrases);
                let [turned_on, turned_off] = phrases.unwrap_or_default();
                format!("{} {}", say.subject(by), if *on { turned_on } else { turned_off })
            }
            Self::Picture { by } => format!("{} changed the picture", say.subject(by)),
            Self::Added { by, targets } if nobody(by) && !targets.is_empty() => {
                format!("{} joined", say.subjects(targets))
            }
            Self::Added { by, targets } if targets.iter().all(|t| t == by) => {
                format!("{} joined", say.subject(by))
            }
            Self::Added { by, targets } => {
                // Who creates a group is among its first members.
                let others: Vec<UserId> = targets.iter().filter(|t| *t != by).cloned().collect();
                format!("{} added {}", say.subject(by), say.objects(&others))
            }
            Self::Removed { by, targets } if nobody(by) && !targets.is_empty() => {
                format!("{} left", say.subjects(targets))
            }
            Self::Removed { by, targets } if targets.iter().all(|t| t == by) => {
                format!("{} left", say.subject(by))
            }
            Self::Removed { by, targets } => {
                format!("{} removed {}", say.subject(by), say.objects(targets))
            }
            Self::Joined(people) => format!("{} joined", say.subjects(people)),
            Self::Left(people) => format!("{} left", say.subjects(people)),
            Self::Roles { by, targets } => say.roles(by, targets),
            Self::Did { by, what } => format!("{} {what}", say.subject(by)),
            Self::Other { by: Some(by), what } => format!("{}: {what}", say.subject(by)),
            Self::Other { by: None, what } => what.to_string(),
        }
    }
}
