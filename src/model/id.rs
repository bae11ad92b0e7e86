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

/// What the id says a conversation is. The prefixes are those of facts 3.6.
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

impl ConversationId {
    pub fn kind(&self) -> ConversationKind {
        let id = self.as_str();
        let one_to_one = id.ends_with("@unq.gbl.spaces") || id.ends_with("@oneToOne.skype");
        match id.split_once(':').map_or("", |(prefix, _)| prefix) {
            "19" if one_to_one => ConversationKind::Direct,
            "8" | "1" | "2" | "gid" => ConversationKind::Direct,
            "19" => ConversationKind::Group,
            "28" => ConversationKind::Bot,
            "4" => ConversationKind::Phone,
            "48" if id == "48:notes" => ConversationKind::Own,
            _ => ConversationKind::Other,
        }
    }

    /// Virtual conversations (call logs, notifications) hold nothing a person wrote (facts 3.6).
    pub fn is_virtual(&self) -> bool {
        self.as_str().starts_with("48:") && self.as_str() != "48:notes"
    }

    /// The other person of a one-to-one conversation that is named by that person's id.
    pub fn peer(&self) -> Option<UserId> {
        match self.kind() {
            ConversationKind::Direct | ConversationKind::Bot | ConversationKind::Phone
                if !self.as_str().starts_with("19:") =>
            {
                Some(UserId::new(self.as_str()))
            }
            _ => None,
        }
    }
}

impl UserId {
    /// Makes a full id of one that some XML attributes give without its prefix (`joe.4`; facts 3.6).
    pub fn with_prefix(id: &str) -> Self {
        let id = id.trim();
        let known = ["8:", "28:", "29:", "1:", "2:", "4:", "gid:", "19:", "48:", "guest:"];
        if known.iter().any(|prefix| id.starts_with(prefix)) {
            Self::new(id)
        } else {
            Self(Arc::from(format!("8:{id}")))
        }
    }

    /// The id without its prefix, for people of whom no name is known.
    pub fn bare(&self) -> &str {
        let id = self.as_str();
        id.split_once(':').map_or(id, |(_, rest)| rest)
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
}
