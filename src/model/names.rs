//! Display names of people, where the best known source wins, and of conversations.

use super::conversation::{Conversation, Member};
use super::fold::folded;
use super::id::{ConversationKind, UserId, UserKind};
use super::text::SafeText;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where a name was seen, worst first (facts 5, "Names, in order").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NameSource {
    /// `imdisplayname` of a message: what the sender said at that time.
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
    /// The people of each name, by the [`likeness`] of the name.
    bearers: HashMap<String, Vec<UserId>>,
    revision: u64,
}

impl Names {
    /// Adds a name. Ignores what is not a name ([`is_name`]) and names from a worse source than the known one. True if
    /// the shown name changes.
    pub fn learn(&mut self, who: &UserId, source: NameSource, name: &SafeText) -> bool {
        if !is_name(who, name) {
            return false;
        }
        match self.known.get(who) {
            Some((known, old)) if *known > source || old == name => false,
            old => {
                let before = old.and_then(|(_, old)| self.bearers.get_mut(&likeness(old)));
                if let Some(people) = before {
                    people.retain(|id| id != who);
                }
                self.bearers.entry(likeness(name)).or_default().push(who.clone());
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

    /// Whether a name alone is ambiguous: someone else who is known has the same one, or it looks like something that
    /// only this program writes.
    pub fn is_shared(&self, who: &UserId) -> bool {
        let name = self.of(who);
        // Someone without a known name is shown by an id, which may look like the name of someone else.
        pretends(&name) || (who.is_addressable() && self.others(&name, who).next().is_some())
    }

    /// The name to show in lists and where people are chosen: followed by the id when several people have the name.
    pub fn distinct(&self, who: &UserId) -> SafeText {
        if self.is_shared(who) { self.label(who) } else { self.of(who) }
    }

    /// The name with enough of the id to tell the person from everyone else of that name: `Bob · bob.2`.
    pub fn label(&self, who: &UserId) -> SafeText {
        let name = self.of(who);
        let short = id_word(who);
        let is_unclear = self.others(&name, who).any(|other| id_word(other) == short);
        let id = if is_unclear { who.as_str() } else { &short };
        SafeText::line(&format!("{name}{SEPARATOR}{id}"))
    }

    /// The other people with this name. System lines may name a thread as their sender, and exports may know only the
    /// name of a person.
    fn others(&self, name: &str, who: &UserId) -> impl Iterator<Item = &UserId> {
        let bearers = self.bearers.get(&likeness(name)).into_iter().flatten();
        bearers.filter(move |id| *id != who && id.is_addressable())
    }

    /// Increases with every change.
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

/// Words that exports and clients use for unknown names.
const PLACEHOLDERS: [&str; 4] = ["unknown user", "unknown", "export owner", "skype user"];

/// How exports begin the names of people who are gone.
const UNKNOWN: &str = "unknown_user_";

/// Whether a string is somebody's name, not that person's id, a number made by a service, or a word for a missing name.
pub fn is_name(who: &UserId, text: &str) -> bool {
    let text = text.trim();
    let same = |id: &str| text.eq_ignore_ascii_case(id);
    let bare = who.bare();
    let is_guid = text.len() == 36
        && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && text.bytes().filter(|b| *b == b'-').count() == 4;
    !(text.is_empty()
        || same(who.as_str())
        // A word that differs from the id only in letter case may be how people write their own name.
        || text == bare
        || (same(bare) && !text.chars().all(char::is_alphabetic))
        || UserId::is_machine_made_text(text)
        || is_guid
        || text.get(..UNKNOWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(UNKNOWN))
        || PLACEHOLDERS.iter().any(|placeholder| same(placeholder)))
}

/// The number of members named in the title of a group without a topic; the others are counted.
const TITLE_NAMES: usize = 2;

/// The name of a conversation everywhere: its topic, the other person, its first members, or its kind.
///
/// `members` may be empty if they are not known; then the people that the list knows of are named. Bots and ghosts are
/// only named if there is nobody else.
pub fn title(
    conversation: &Conversation,
    members: &[Member],
    names: &Names,
    me: &UserId,
) -> SafeText {
    let topic = conversation.shown_topic();
    if let Some(topic) = topic.filter(|_| conversation.is_group()) {
        return topic.clone();
    }
    let id = &conversation.id;
    if let Some(peer) = id.peer() {
        return names.distinct(&peer);
    }
    let people = title_people(conversation, members, me);
    let of_members = members.len().max(conversation.listed.count.unwrap_or(0)).saturating_sub(1);
    match (conversation.kind(), people.as_slice()) {
        (ConversationKind::Own, _) => SafeText::line("Notes to self"),
        (ConversationKind::Direct, [other, ..]) if names.knows(other) => names.distinct(other),
        (ConversationKind::Direct, others) => match (topic, others) {
            (Some(topic), _) => topic.clone(),
            (None, [other, ..]) => names.distinct(other),
            (None, []) => SafeText::line("One-to-one chat"),
        },
        (ConversationKind::Group, []) => SafeText::line("Group without a topic"),
        (ConversationKind::Group, others) => {
            // People with a known name come first.
            let (known, unknown): (Vec<&UserId>, Vec<&UserId>) =
                others.iter().partition(|id| names.knows(id));
            let first = known.into_iter().chain(unknown).take(TITLE_NAMES);
            let first: Vec<String> = first.map(|id| names.distinct(id).to_string()).collect();
            let more = others.len().max(of_people(members, of_members)).saturating_sub(first.len());
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            SafeText::line(&format!("{}{more}", first.join(", ")))
        }
        _ => SafeText::line(id.as_str()),
    }
}

/// How many others there are: the list's count, where the members are not known.
fn of_people(members: &[Member], counted: usize) -> usize {
    if members.is_empty() { counted } else { 0 }
}

/// The others in a conversation, from its members or else from what the list says.
pub fn title_people(conversation: &Conversation, members: &[Member], me: &UserId) -> Vec<UserId> {
    let listed = conversation.listed.others.iter();
    let mut others: Vec<&UserId> = members.iter().map(|m| &m.id).filter(|id| *id != me).collect();
    if others.is_empty() {
        others = listed.filter(|id| *id != me).collect();
    }
    let is_person = |id: &&&UserId| !matches!(id.kind(), UserKind::Bot | UserKind::Ghost);
    let people: Vec<UserId> = others.iter().filter(is_person).map(|id| (*id).clone()).collect();
    if people.is_empty() { others.into_iter().cloned().collect() } else { people }
}

/// The name of this account on its own screen.
pub const YOU: &str = "You";

impl SafeText {
    /// A name as the object of a sentence: `Joe added you`.
    pub(super) fn replace_you(&self) -> String {
        if self.as_str() == YOU { "you".to_owned() } else { self.to_string() }
    }
}

/// Separates a name from the person's id.
pub const SEPARATOR: &str = " · ";

/// A name as people compare names at a glance: without case, accents and forms of letters, and with single spaces.
pub fn likeness(name: &str) -> String {
    folded(name).split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a name looks like a name with an id, or like [`YOU`].
pub fn pretends(name: &str) -> bool {
    name.contains(SEPARATOR.trim()) || likeness(name) == likeness(YOU)
}

/// The part of an id that is enough to tell people apart.
fn id_word(who: &UserId) -> String {
    if who.is_machine_made() { tail(who) } else { who.bare().to_owned() }
}

fn tail(who: &UserId) -> String {
    let bare = who.bare();
    bare.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect()
}

/// The id without its prefix; of unreadable ids, only enough to tell people apart.
fn nameless(who: &UserId) -> SafeText {
    if who.is_machine_made() {
        SafeText::line(&format!("Someone ({})", tail(who)))
    } else {
        SafeText::line(who.bare())
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
    fn people_of_one_name_are_told_apart_as_long_as_there_are_several() {
        let [one, other] = ["8:bob.1", "8:bob.2"].map(UserId::new);
        let mut names = Names::default();
        names.learn(&one, NameSource::Profile, &"Bob".into());
        assert_eq!(&*names.distinct(&one), "Bob");
        names.learn(&other, NameSource::Profile, &"BOB".into());
        assert_eq!(&*names.distinct(&one), "Bob · bob.1");
        assert_eq!(&*names.distinct(&other), "BOB · bob.2");
        assert_eq!(&*names.of(&other), "BOB");
        names.learn(&other, NameSource::Member, &"Robert".into());
        assert_eq!(&*names.distinct(&one), "Bob");
        assert_eq!(&*names.distinct(&other), "Robert");
        names.learn(&other, NameSource::Member, &"Robert".into());
        assert_eq!(&*names.distinct(&other), "Robert");
    }

    #[test]
    fn names_that_look_equal_are_told_apart() {
        for (first, second) in [
            ("Bob", "BOB"),
            ("Bob Smith", "Bob  Smith"),
            ("Bob Smith", "Bob\u{a0}Smith"),
            ("Bob", "Bo\u{200b}b"),
            ("Zoë", "Zoe"),
            ("Zoë", "Zoe\u{308}"),
            ("Bob", "Ｂｏｂ"),
            ("ﾀﾛｳ", "タロウ"),
        ] {
            let [one, other] = ["8:one", "8:other"].map(UserId::new);
            let mut names = Names::default();
            names.learn(&one, NameSource::Profile, &SafeText::line(first));
            names.learn(&other, NameSource::Profile, &SafeText::line(second));
            assert!(names.distinct(&one).ends_with(" · one"), "{first:?} {second:?}");
            assert!(names.distinct(&other).ends_with(" · other"), "{first:?} {second:?}");
        }
    }

    #[test]
    fn no_name_passes_for_the_label_of_someone_else() {
        let mut names = Names::default();
        for (id, name) in [
            ("8:bob.1", "Bob"),
            ("8:bob.2", "Bob"),
            ("8:eve", "Bob · bob.1"),
            ("8:mallory", "you"),
            ("28:bob.1", "Bob"),
            ("8:orgid:11111111-2222-4333-8444-000000000000", "Kim"),
            ("8:orgid:99999999-2222-4333-8444-000000000000", "Kim"),
        ] {
            names.learn(&id.into(), NameSource::Profile, &name.into());
        }
        let shown: Vec<SafeText> =
            names.people().map(|(id, _)| names.distinct(id)).chain([YOU.into()]).collect();
        let different: std::collections::HashSet<String> =
            shown.iter().map(|name| likeness(name)).collect();
        assert_eq!(different.len(), shown.len(), "{shown:?}");
        assert_eq!(&*names.distinct(&"8:bob.2".into()), "Bob · bob.2");
        // A thread is not somebody else.
        names.learn(&"19:a@thread.skype".into(), NameSource::Message, &"Mia".into());
        names.learn(&"8:mia".into(), NameSource::Profile, &"Mia".into());
        assert_eq!(&*names.distinct(&"8:mia".into()), "Mia");
        assert_eq!(&*names.distinct(&"19:a@thread.skype".into()), "Mia");
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
        assert_eq!(called("19:uni01_a@thread.v2", None, &[]), "One-to-one chat");
        assert_eq!(called("19:a@oneToOne.skype", Some("Old topic"), &all[..2]), "Joe");
        assert_eq!(called("19:a@unq.gbl.spaces", None, &all[2..3]), "bot");
        assert_eq!(called("19:a@thread.skype", None, &all[..1]), "Group without a topic");
        assert_eq!(called("19:uni01_a@thread.v2", None, &all[..2]), "Joe");
        assert_eq!(called("8:joe.4", None, &[]), "Joe");
        assert_eq!(called("28:weather", None, &[]), "weather");
        assert_eq!(called("48:notes", None, &[]), "Notes to self");
        assert_eq!(called("48:calllogs", None, &[]), "48:calllogs");
    }

    #[test]
    fn a_group_without_a_topic_is_named_after_two_members_and_counts_the_others() {
        let me = UserId::new("8:anna.7");
        let mut names = Names::default();
        for (id, name) in [("8:mia.tan", "Mia"), ("8:joe.4", "Joe"), ("8:kim", "Kim")] {
            names.learn(&id.into(), NameSource::Member, &name.into());
        }
        let member = |id: &str| Member { id: id.into(), ..Member::default() };
        let members = |ids: &[&str]| ids.iter().map(|id| member(id)).collect::<Vec<_>>();
        let group = Conversation::empty("19:a@thread.v2".into());
        let called = |ids: &[&str]| title(&group, &members(ids), &names, &me).to_string();
        assert_eq!(called(&["8:anna.7", "8:mia.tan", "8:joe.4"]), "Mia, Joe");
        assert_eq!(called(&["8:mia.tan", "8:joe.4", "8:kim"]), "Mia, Joe +1");
        assert_eq!(
            called(&["8:orgid:1", "8:mia.tan", "8:joe.4", "8:kim", "8:anna.7"]),
            "Mia, Joe +2"
        );
        assert_eq!(called(&["8:anna.7"]), "Group without a topic");
        // Before its members are known.
        let mut listed = group.clone();
        listed.listed.others = vec!["8:mia.tan".into()];
        listed.listed.count = Some(5);
        assert_eq!(&*title(&listed, &[], &names, &me), "Mia +3");
        listed.listed.count = None;
        assert_eq!(&*title(&listed, &[], &names, &me), "Mia");
        // By its members and not by its id.
        let mut meeting = Conversation::empty("19:uni01_a@thread.v2".into());
        let three = members(&["8:anna.7", "8:mia.tan", "8:joe.4"]);
        meeting.listed.count = Some(3);
        assert_eq!(&*title(&meeting, &three, &names, &me), "Mia, Joe");
        meeting.topic = Some("Lunch".into());
        assert_eq!(&*title(&meeting, &three, &names, &me), "Lunch");
    }

    #[test]
    fn an_id_or_a_placeholder_is_not_a_name() {
        for (who, text) in [
            ("8:anna.7", "anna.7"),
            ("8:anna.7", "8:anna.7"),
            ("8:anna.7", "Anna.7"),
            ("8:anna.7", " anna.7 "),
            ("8:anna.7", ""),
            ("8:anna.7", "orgid:6d2ac0be-1111-4222-8333-444455556666"),
            ("8:anna.7", "6d2ac0be-1111-4222-8333-444455556666"),
            ("8:anna.7", "8:live:.cid.1f2e3d4c5b6a7988"),
            ("8:live:.cid.1f2e", "live:.cid.1f2e"),
            ("28:bot", "bot"),
            ("8:anna.7", "Unknown User"),
            ("8:anna.7", "unknown_user_1f2e"),
            ("8:anna.7", "Export Owner"),
        ] {
            assert!(!is_name(&who.into(), text), "{text}");
            assert!(!Names::default().learn(&who.into(), NameSource::Member, &text.into()));
        }
        for (who, text) in [
            ("8:anna.7", "Anna Lindqvist"),
            ("8:anna.7", "anna"),
            ("8:live:joe", "joe"),
            ("8:joe.4", "anna.7"),
            ("8:joe.4", "4:2"),
            ("28:bot", "Weather Bot"),
        ] {
            assert!(is_name(&who.into(), text), "{text}");
        }
    }
}
