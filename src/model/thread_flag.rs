//! Settings with two states, of a group or of this account: one table from which everything about them is derived.

use serde::{Deserialize, Serialize};

/// A setting with two states. The first two are the group's, the others this account's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ThreadFlag {
    /// Anyone with the link can join.
    JoiningEnabled,
    /// New members see what was said before they came.
    HistoryDisclosed,
    /// New messages draw attention.
    Alerts,
    /// `favorite`: above the others in the list.
    Pinned,
}

/// The description of a two-state setting: reading and writing it, its announcements, rows, header, keys and slash
/// commands are derived from it.
#[derive(Debug)]
pub struct FlagSpec {
    pub flag: ThreadFlag,
    /// The property's name on the wire (facts 3.5, 5).
    pub property: &'static str,
    /// How a change of it is announced to all members. `None`: it is this account's own and not the group's.
    pub activity: Option<FlagActivity>,
    /// What notes and the header call it.
    pub label: &'static str,
    /// What the settings call it.
    pub title: &'static str,
    /// What the details pane calls it; empty where it has no row there.
    pub short_title: &'static str,
    /// What on and off mean, in the settings and in the details pane.
    pub words: [&'static str; 2],
    pub short_words: [&'static str; 2],
    /// The note after it was turned on, and off.
    pub done: [&'static str; 2],
    /// Its letter in the settings.
    pub key: char,
    /// The action that toggles it, by its name in the key table.
    pub action: &'static str,
    pub command: FlagCommand,
}

/// The thread activity that announces a change of a group's two-state setting (facts 3.7).
#[derive(Debug)]
pub struct FlagActivity {
    /// The part of the `messagetype` after `ThreadActivity/`.
    pub kind: &'static str,
    /// The tag that encloses its content.
    pub tag: &'static str,
    /// What the person who turned it on, or off, did.
    pub phrases: [&'static str; 2],
    /// The question before it is turned on, and what that means for the group.
    pub ask_on: [&'static str; 2],
    /// The same before it is turned off.
    pub ask_off: [&'static str; 2],
}

/// The slash command of a two-state setting.
#[derive(Debug)]
pub struct FlagCommand {
    pub name: &'static str,
    pub help: &'static str,
    /// Its `on` turns the setting off: `/mute on` turns alerts off.
    pub inverts: bool,
}

/// All two-state settings, in the order in which they are shown.
pub const FLAGS: [FlagSpec; 4] = [
    FlagSpec {
        flag: ThreadFlag::JoiningEnabled,
        property: "joiningenabled",
        activity: Some(FlagActivity {
            kind: "JoiningEnabledUpdate",
            tag: "joiningenabledupdate",
            phrases: ["turned joining by link on", "turned joining by link off"],
            ask_on: [
                "Turn joining by link on for everyone?",
                "Anyone who has the link can join the group.",
            ],
            ask_off: [
                "Turn joining by link off for everyone?",
                "The link stops working. Turning it on again may create another link.",
            ],
        }),
        label: "link",
        title: "Joining by link",
        short_title: "Join link",
        words: ["on", "off"],
        short_words: ["on", "off"],
        done: ["Joining by link is on", "Joining by link is off"],
        key: 'l',
        action: "toggle-joining",
        command: FlagCommand {
            name: "link",
            help: "Turn joining by link on or off (groups)",
            inverts: false,
        },
    },
    FlagSpec {
        flag: ThreadFlag::HistoryDisclosed,
        property: "historydisclosed",
        activity: Some(FlagActivity {
            kind: "HistoryDisclosedUpdate",
            tag: "historydisclosedupdate",
            phrases: ["made history visible to new members", "hid history from new members"],
            ask_on: [
                "Show the history to new members?",
                "People who join from now on can read earlier messages.",
            ],
            ask_off: [
                "Hide the history from new members?",
                "People who join from now on see only later messages.",
            ],
        }),
        label: "history",
        title: "History for new members",
        short_title: "History",
        words: ["visible", "hidden"],
        short_words: ["visible", "hidden"],
        done: ["New members see the history", "New members do not see the history"],
        key: 'h',
        action: "toggle-history",
        command: FlagCommand {
            name: "history",
            help: "Show the history to new members, or hide it (groups)",
            inverts: false,
        },
    },
    FlagSpec {
        flag: ThreadFlag::Alerts,
        property: "alerts",
        activity: None,
        label: "alerts",
        title: "Alerts",
        short_title: "Alerts",
        words: ["on", "off (muted)"],
        short_words: ["on", "off"],
        done: ["Alerts are on", "Muted"],
        key: 'n',
        action: "toggle-alerts",
        command: FlagCommand { name: "mute", help: "Mute or unmute", inverts: true },
    },
    FlagSpec {
        flag: ThreadFlag::Pinned,
        property: "favorite",
        activity: None,
        label: "pin",
        title: "Pinned to the top",
        short_title: "",
        words: ["yes", "no"],
        short_words: ["yes", "no"],
        done: ["Pinned to the top", "No longer pinned"],
        key: 'p',
        action: "toggle-pin",
        command: FlagCommand { name: "pin", help: "Pin to the top, or unpin", inverts: false },
    },
];

impl FlagSpec {
    /// Whether it is this account's own and not the group's.
    pub fn is_own(&self) -> bool {
        self.activity.is_none()
    }

    /// The note after it was turned on or off.
    pub fn done_text(&self, on: bool) -> &'static str {
        let [turned_on, turned_off] = self.done;
        if on { turned_on } else { turned_off }
    }

    /// The group's setting with this property on the wire.
    pub fn of_property(name: &str) -> Option<&'static Self> {
        FLAGS.iter().find(|spec| !spec.is_own() && spec.property == name)
    }

    /// The setting whose change an activity of this kind announces.
    pub fn of_activity(kind: &str) -> Option<&'static Self> {
        let is_kind = |spec: &&Self| spec.activity.as_ref().is_some_and(|a| a.kind == kind);
        FLAGS.iter().find(is_kind)
    }
}

impl ThreadFlag {
    pub fn spec(self) -> &'static FlagSpec {
        let [joining, history, alerts, pinned] = &FLAGS;
        match self {
            Self::JoiningEnabled => joining,
            Self::HistoryDisclosed => history,
            Self::Alerts => alerts,
            Self::Pinned => pinned,
        }
    }

    /// The property's name on the wire.
    pub fn property(self) -> &'static str {
        self.spec().property
    }

    /// Whether it is this account's own and not the group's.
    pub fn is_own(self) -> bool {
        self.spec().is_own()
    }

    /// What notes and the header call it.
    pub fn label(self) -> &'static str {
        self.spec().label
    }
}
