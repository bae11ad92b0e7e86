//! Display names of people, of which the best source known wins, and of conversations.

use super::conversation::{Conversation, Member};
use super::id::{ConversationKind, UserId, UserKind};
use super::text::SafeText;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where a name was seen, worst first (facts 5, "Names, in order").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NameSource {
    /// `imdisplayname` of a message: the sender's own word at that time.
    Message = 1,
    Profile = 2,
    /// `friendlyName` of a thread's member.
    Member = 3,
}

impl NameSource {
    pub fn from_rank(rank: i64) -> Self {
        match rank {
            3 => Self::Member,
            2 => Self::Profile,
            _ => Self::Message,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Names {
    known: HashMap<UserId, (NameSource, SafeText)>,
    revision: u64,
}

impl Names {
    /// Takes a name in; empty ones and those of a worse source than the one known are passed over.
    /// True when what is shown changes.
    pub fn learn(&mut self, who: &UserId, source: NameSource, name: &SafeText) -> bool {
        if name.is_empty() {
            return false;
        }
        match self.known.get(who) {
            Some((known, old)) if *known > source || old == name => false,
            _ => {
                self.known.insert(who.clone(), (source, name.clone()));
                self.revision += 1;
                true
            }
        }
    }

    /// The name to show; without any, the id without its prefix.
    pub fn of(&self, who: &UserId) -> SafeText {
        self.known.get(who).map_or_else(|| nameless(who), |(_, name)| name.clone())
    }

    /// Rises with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn knows(&self, who: &UserId) -> bool {
        self.known.contains_key(who)
    }

    /// Everyone with a name, in no particular order.
    pub fn people(&self) -> impl Iterator<Item = (&UserId, &SafeText)> {
        self.known.iter().map(|(id, (_, name))| (id, name))
    }
}

/// Members who are named in the title of a group without a topic.
const TITLE_NAMES: usize = 4;

/// What a conversation is called everywhere: its topic, the other person, its first members, or what it is.
///
/// `members` may be empty where they are not known. Bots and ghosts among them are not named.
pub fn title(
    conversation: &Conversation,
    members: &[Member],
    names: &Names,
    me: &UserId,
) -> SafeText {
    if let Some(topic) = conversation.shown_topic() {
        return topic.clone();
    }
    let id = &conversation.id;
    if let Some(peer) = id.peer() {
        return names.of(&peer);
    }
    let is_named =
        |m: &&Member| m.id != *me && !matches!(m.id.kind(), UserKind::Bot | UserKind::Ghost);
    let others = members.iter().filter(is_named).take(TITLE_NAMES);
    let others: Vec<String> = others.map(|m| names.of(&m.id).to_string()).collect();
    match id.kind() {
        _ if !others.is_empty() => SafeText::line(&others.join(", ")),
        ConversationKind::Own => SafeText::line("Notes to self"),
        ConversationKind::Group => SafeText::line("Group without a topic"),
        _ => SafeText::line(id.as_str()),
    }
}

/// The id without its prefix; of ids that no one can read, only so much that people stay apart.
fn nameless(who: &UserId) -> SafeText {
    let bare = who.bare();
    let tail: String = bare.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    if who.is_machine_made() {
        SafeText::line(&format!("Someone ({tail})"))
    } else {
        SafeText::line(bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_better_source_wins_and_a_worse_one_does_not() {
        let joe = UserId::new("8:joe.4");
        let mut names = Names::default();
        assert_eq!(&*names.of(&joe), "joe.4");
        assert!(names.learn(&joe, NameSource::Profile, &"Joe Bloggs".into()));
        assert!(!names.learn(&joe, NameSource::Message, &"joey".into()));
        assert!(!names.learn(&joe, NameSource::Member, &"".into()));
        assert_eq!(&*names.of(&joe), "Joe Bloggs");
    }

    #[test]
    fn a_conversation_is_called_by_its_topic_its_people_or_what_it_is() {
        let me = UserId::new("8:anna.7");
        let mut names = Names::default();
        for (id, name) in [("8:joe.4", "Joe"), ("8:mia.tan", "Mia"), ("8:anna.7", "Anna")] {
            names.learn(&id.into(), NameSource::Profile, &name.into());
        }
        let member = |id: &str| Member { id: id.into(), ..Member::default() };
        let all = ["8:anna.7", "8:joe.4", "28:bot", "29:ghost", "8:mia.tan"].map(member);
        let called = |id: &str, topic: Option<&str>, members: &[Member]| {
            let mut conversation = Conversation::empty(id.into());
            conversation.topic = topic.map(SafeText::from);
            title(&conversation, members, &names, &me).to_string()
        };
        assert_eq!(called("19:a@thread.skype", Some("Kitchen"), &all), "Kitchen");
        assert_eq!(called("19:a@thread.skype", Some(""), &all), "Joe, Mia");
        assert_eq!(called("19:a@thread.skype", None, &all[..1]), "Group without a topic");
        assert_eq!(called("19:uni01_a@thread.v2", None, &all[..2]), "Joe");
        assert_eq!(called("8:joe.4", None, &[]), "Joe");
        assert_eq!(called("28:weather", None, &[]), "weather");
        assert_eq!(called("48:notes", None, &[]), "Notes to self");
        assert_eq!(called("48:calllogs", None, &[]), "48:calllogs");
    }
}
