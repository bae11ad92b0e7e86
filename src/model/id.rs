//! Identifiers. All are text on the wire and stay text here; only their beginning says what they name.

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(id: impl AsRef<str>) -> Self {
                Self(Arc::from(id.as_ref()))
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }
        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(Arc::from(id))
            }
        }
        impl From<Arc<str>> for $name {
            fn from(id: Arc<str>) -> Self {
                Self(id)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    };
}

text_id!(
    /// A conversation: `8:joe.4` (one person), `19:…@thread.skype` (a group), `28:…` (a bot), `48:notes` (to self).
    ConversationId
);
text_id!(
    /// A user's MRI with its prefix: `8:anna.7`, `28:bot`, `4:+44…`.
    UserId
);
text_id!(
    /// The sender's own key of a message (`clientmessageid`): up to 20 digits, may exceed `u64`, so it stays text.
    /// The same value on a retry means the same message (facts 3.1).
    ClientMessageId
);

/// The kind of a conversation, by its id. The prefixes are those of facts 3.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationKind {
    Direct,
    Group,
    Bot,
    Phone,
    Own,
    Other,
}

impl ConversationKind {
    /// The word used in `--json` output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Bot => "bot",
            Self::Phone => "phone",
            Self::Own => "self",
            Self::Other => "other",
        }
    }
}

/// Who or what a user id names, as its prefix says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    Person,
    Phone,
    Bot,
    /// A member of groups that does not represent anyone in particular.
    Ghost,
    /// No known prefix, or nothing after it.
    Other,
}

/// The prefixes of user ids (facts 3.6).
const USER_PREFIXES: [(&str, UserKind); 7] = [
    ("8:", UserKind::Person),
    ("1:", UserKind::Person),
    ("2:", UserKind::Person),
    ("gid:", UserKind::Person),
    ("4:", UserKind::Phone),
    ("28:", UserKind::Bot),
    ("29:", UserKind::Ghost),
];

/// The endings of group ids that mean a one-to-one chat, kept as a group of two (facts 3.6).
const ONE_TO_ONE_SUFFIXES: [&str; 2] = ["@unq.gbl.spaces", "@oneToOne.skype"];
const ONE_TO_ONE_PREFIX: &str = "19:uni01_";

/// Prefixes of machine-made names that nobody can read.
const MACHINE_MADE: [&str; 5] = ["orgid:", "acs:", "live:.cid.", "teamsvisitor:", "gid:"];

impl ConversationId {
    /// The id of the conversation with oneself.
    pub const NOTES: &str = "48:notes";
    /// Comes before the first message of a chain of replies: such an id is not a conversation of its own.
    const REPLY_CHAIN: &str = ";messageid=";

    pub fn kind(&self) -> ConversationKind {
        let id = self.as_str();
        if id == Self::NOTES {
            return ConversationKind::Own;
        }
        if self.is_thread() {
            let one_to_one = id.starts_with(ONE_TO_ONE_PREFIX)
                || ONE_TO_ONE_SUFFIXES.iter().any(|suffix| id.ends_with(suffix));
            return if one_to_one { ConversationKind::Direct } else { ConversationKind::Group };
        }
        match UserKind::of(id) {
            UserKind::Person => ConversationKind::Direct,
            UserKind::Bot => ConversationKind::Bot,
            UserKind::Phone => ConversationKind::Phone,
            UserKind::Ghost | UserKind::Other => ConversationKind::Other,
        }
    }

    /// Whether the server keeps it as a thread with members and settings: a group, or a chat of two kept like one.
    pub fn is_thread(&self) -> bool {
        self.as_str().starts_with("19:")
    }

    /// Whether this id names the same conversation for `other` as for `me`: a group is the same for all its members, a
    /// one-to-one chat only for the same person.
    pub fn is_same_for(&self, other: &UserId, me: &UserId) -> bool {
        let is_same_person =
            !me.as_str().is_empty() && me.as_str().eq_ignore_ascii_case(other.as_str());
        self.is_thread() || is_same_person
    }

    /// Virtual conversations (call logs, notifications) hold nothing a person wrote, and chains of replies are part of
    /// another one (facts 3.1, 3.6).
    pub fn is_virtual(&self) -> bool {
        (self.as_str().starts_with("48:") && self.as_str() != Self::NOTES)
            || self.as_str().contains(Self::REPLY_CHAIN)
    }

    /// The conversation itself, if the id names a chain of replies in a channel (facts 3.1).
    #[must_use]
    pub fn without_reply_chain(id: &str) -> &str {
        id.split_once(Self::REPLY_CHAIN).map_or(id, |(id, _)| id)
    }

    /// The two people whose ids a one-to-one thread of work accounts is made of (facts 3.6).
    pub fn pair(&self) -> Option<[UserId; 2]> {
        let both = self.as_str().strip_prefix("19:")?.strip_suffix("@unq.gbl.spaces")?;
        let (first, second) = both.split_once('_')?;
        let is_guid = |part: &str| {
            part.len() == 36 && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        };
        let user = |part: &str| UserId::from(format!("8:orgid:{part}"));
        (is_guid(first) && is_guid(second)).then(|| [user(first), user(second)])
    }

    /// The other person of a one-to-one conversation that is named by that person's id.
    pub fn peer(&self) -> Option<UserId> {
        UserKind::of(self.as_str()).is_addressable().then(|| UserId::new(self.as_str()))
    }
}

impl UserKind {
    fn of(id: &str) -> Self {
        let known = USER_PREFIXES.iter().find_map(|(prefix, kind)| {
            id.strip_prefix(prefix).filter(|rest| !rest.is_empty()).map(|_| *kind)
        });
        known.unwrap_or(Self::Other)
    }

    /// Whether one can write to it or add it to a group: a person, a telephone or a bot.
    pub fn is_addressable(self) -> bool {
        matches!(self, Self::Person | Self::Phone | Self::Bot)
    }
}

impl UserId {
    pub fn kind(&self) -> UserKind {
        UserKind::of(self.as_str())
    }

    /// See [`UserKind::is_addressable`].
    pub fn is_addressable(&self) -> bool {
        self.kind().is_addressable()
    }

    /// Completes an id that some XML attributes give without its prefix (`joe.4`; facts 3.6).
    pub fn with_prefix(id: &str) -> Self {
        let id = id.trim();
        if Self::has_prefix(id) { Self::new(id) } else { ["8:", id].concat().into() }
    }

    fn has_prefix(id: &str) -> bool {
        let users = USER_PREFIXES.iter().map(|(prefix, _)| *prefix);
        users.chain(["19:", "48:", "guest:"]).any(|prefix| id.starts_with(prefix))
    }

    /// [`UserId::is_machine_made`] for a string that may be an id with or without its prefix.
    pub fn is_machine_made_text(text: &str) -> bool {
        let is_made = |id: &str| MACHINE_MADE.iter().any(|made| id.starts_with(made));
        let Some(colon) = text.bytes().position(|byte| byte == b':') else { return false };
        let rest = text.get(colon + 1..).unwrap_or_default();
        is_made(text) || (is_made(rest) && Self::has_prefix(text))
    }

    /// The form that [`UserId::with_prefix`] completes: an id of Skype's own without its prefix.
    pub fn without_prefix(&self) -> &str {
        self.as_str().strip_prefix("8:").unwrap_or(self.as_str())
    }

    /// The id without any prefix, for people of whom no name is known.
    pub fn bare(&self) -> &str {
        let id = self.as_str();
        // The prefix is short: a plain loop is faster than setting up a search.
        let colon = id.bytes().position(|byte| byte == b':');
        colon.and_then(|colon| id.get(colon + 1..)).unwrap_or(id)
    }

    /// Whether the part after the prefix is a number made by a service and not a name that someone chose.
    pub fn is_machine_made(&self) -> bool {
        let id = self.as_str();
        MACHINE_MADE.iter().any(|made| self.bare().starts_with(made) || id.starts_with(made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_tells_the_kind() {
        let kind = |id: &str| ConversationId::new(id).kind().word();
        assert_eq!(kind("8:joe.4"), "direct");
        assert_eq!(kind("8:live:.cid.1f"), "direct");
        assert_eq!(kind("19:ab@thread.skype"), "group");
        assert_eq!(kind("19:ab@unq.gbl.spaces"), "direct");
        assert_eq!(kind("19:uni01_ab@thread.v2"), "direct");
        assert_eq!(kind("19:ab@thread.v2"), "group");
        assert_eq!(kind("29:ghost"), "other");
        assert_eq!(kind("8:"), "other");
        assert_eq!(kind("28:bot"), "bot");
        assert_eq!(kind("4:+4420"), "phone");
        assert_eq!(kind("48:notes"), "self");
        assert_eq!(kind("48:calllogs"), "other");
        assert_eq!(kind("garbage"), "other");
    }

    #[test]
    fn a_bare_name_gets_the_usual_prefix() {
        assert_eq!(UserId::with_prefix("joe.4").as_str(), "8:joe.4");
        assert_eq!(UserId::with_prefix("28:bot").as_str(), "28:bot");
        assert_eq!(UserId::with_prefix("live:joe").as_str(), "8:live:joe");
    }

    #[test]
    fn only_people_telephones_and_bots_can_be_written_to() {
        for id in [
            "8:joe.4",
            "8:live:.cid.1f",
            "1:a@b.example",
            "2:a@b.example",
            "gid:7",
            "4:+44",
            "28:bot",
        ] {
            assert!(UserId::new(id).is_addressable(), "{id}");
            assert_eq!(ConversationId::new(id).peer(), Some(UserId::new(id)), "{id}");
        }
        for id in [
            "29:ghost",
            "19:ab@thread.skype",
            "19:ab@unq.gbl.spaces",
            "48:notes",
            "8:",
            "28:",
            "joe",
            "",
        ] {
            assert!(!UserId::new(id).is_addressable(), "{id}");
            assert_eq!(ConversationId::new(id).peer(), None, "{id}");
        }
    }

    #[test]
    fn a_prefix_that_was_taken_away_comes_back() {
        for id in ["8:joe.4", "8:live:joe", "28:bot", "4:+44", "1:a@b.example"] {
            let id = UserId::new(id);
            assert_eq!(UserId::with_prefix(id.without_prefix()), id);
        }
    }

    #[test]
    fn ids_made_by_machines_are_told_from_names() {
        let made = |id: &str| UserId::new(id).is_machine_made();
        assert!(made("8:live:.cid.1f") && made("8:orgid:a-b") && made("gid:7"));
        assert!(!made("8:joe.4") && !made("8:live:joe") && !made("28:bot"));
        let made = UserId::is_machine_made_text;
        assert!(
            made("8:live:.cid.1f") && made("live:.cid.1f") && made("orgid:a-b") && made("gid:7")
        );
        assert!(!made("joe.4") && !made("live:joe") && !made("Joe: orgid:1") && !made(""));
    }
}
