//! What the user can choose in the configuration file, accounts and keys aside.
//!
//! Each setting is declared only here: the configuration reads these structs, the app keeps them, a recording contains
//! them.

use super::notifications::NotificationPreferences;
use super::rich::Rgb;
use super::spelling::{SpellingChoice, SpellingLanguages};
use super::time_format::{DateFormat, TimeFormat};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// All preferences, by section of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    pub ui: UiPreferences,
    pub reading: ReadingPreferences,
    pub sending: SendingPreferences,
    pub drafts: DraftPreferences,
    pub notifications: NotificationPreferences,
    pub links: LinkPreferences,
    pub keys: KeyPreferences,
}

/// `[ui]`: the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UiPreferences {
    /// Others are told that the user is typing.
    pub typing: bool,
    pub enter: Enter,
    /// `<blink>` really blinks; otherwise it is bold.
    pub blink: bool,
    pub emoji: EmojiStyle,
    pub emoji_width: EmojiWidth,
    pub bidi: Bidi,
    pub list: ListOrder,
    /// Columns of the list; 0 for a width that fits the screen.
    pub list_width: u16,
    /// Clicks and the wheel are used; otherwise the terminal selects text with the mouse.
    pub mouse: bool,
    /// People, emoji and commands are suggested while they are typed.
    pub suggestions: bool,
    /// The syntax of code blocks is shown, where their language is named.
    pub highlight_code: bool,
    /// The languages in which the message box is checked for misspelt words.
    pub spelling: SpellingLanguages,
    /// A folder with dictionaries, looked in before the usual ones.
    pub spelling_folder: String,
    /// The name of the theme.
    pub theme: String,
    /// How the times of messages are shown.
    pub time: TimeFormat,
    /// How days are shown.
    pub date: DateFormat,
    pub density: Density,
    pub glyphs: Glyphs,
}

impl Default for UiPreferences {
    fn default() -> Self {
        Self {
            typing: true,
            enter: Enter::default(),
            blink: false,
            emoji: EmojiStyle::default(),
            emoji_width: EmojiWidth::default(),
            bidi: Bidi::default(),
            list: ListOrder::default(),
            list_width: 0,
            mouse: true,
            suggestions: true,
            highlight_code: true,
            spelling: SpellingLanguages::default(),
            spelling_folder: String::new(),
            theme: "auto".to_owned(),
            time: TimeFormat::default(),
            date: DateFormat::default(),
            density: Density::default(),
            glyphs: Glyphs::default(),
        }
    }
}

impl UiPreferences {
    /// The dictionaries that are used.
    pub fn spelling_choice(&self) -> SpellingChoice {
        SpellingChoice { languages: self.spelling.clone(), folder: self.spelling_folder.clone() }
    }
}

/// `[reading]`: what others are told about reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadingPreferences {
    pub receipts: Receipts,
}

/// `[links]`: opening links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkPreferences {
    /// Hosts whose links are opened without a question; `*.example.org` stands for all hosts below `example.org`.
    pub trusted_hosts: Vec<String>,
    /// Whether the terminal gets the links of messages, so that it can open them itself.
    pub hyperlinks: Hyperlinks,
}

/// Whether links are written to the terminal (OSC 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hyperlinks {
    /// Only in terminals that are known to support links.
    #[default]
    Auto,
    On,
    Off,
}

impl LinkPreferences {
    /// Whether a link is opened without a question: over https only, and only where there is no doubt about its host.
    pub fn trusts(&self, url: &str) -> bool {
        let Some((scheme, rest)) = url.split_once("://") else { return false };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Programs disagree about what else could be there, such as a backslash or a user name.
        let is_certain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let is_plain = host.chars().all(is_certain) && port.bytes().all(|b| b.is_ascii_digit());
        let host = host.to_ascii_lowercase();
        let is_trusted = |trusted: &String| {
            let trusted = trusted.trim().to_ascii_lowercase();
            match trusted.strip_prefix("*.") {
                Some(domain) => {
                    let before = host.strip_suffix(domain);
                    !domain.is_empty() && before.is_some_and(|before| before.ends_with('.'))
                }
                None => !host.is_empty() && host == trusted,
            }
        };
        scheme.eq_ignore_ascii_case("https")
            && is_plain
            && self.trusted_hosts.iter().any(is_trusted)
    }
}

/// `[keys]`: what keys do. The keys of single actions are the other entries of this section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyPreferences {
    pub preset: KeyPreset,
}

/// The keys that an action has unless the user has bound others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPreset {
    #[default]
    Default,
    /// As in readline and the shells that use it.
    Readline,
    /// Two modes: letters are text in one, and keys in the other.
    Vim,
    Emacs,
}

impl KeyPreset {
    /// What the configuration file calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Readline => "readline",
            Self::Vim => "vim",
            Self::Emacs => "emacs",
        }
    }
}

/// `[sending]`: how messages are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendingPreferences {
    /// Typed markers (`*bold*`) become formatting.
    pub markup: bool,
    /// Seconds that a message is held back before it is sent, so that it can be taken back.
    pub grace_seconds: u64,
}

impl Default for SendingPreferences {
    fn default() -> Self {
        Self { markup: true, grace_seconds: 0 }
    }
}

impl SendingPreferences {
    /// [`SendingPreferences::grace_seconds`] as a duration.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }
}

/// `[drafts]`: text that is not sent yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftPreferences {
    /// Drafts are saved on disk, with their undo history; otherwise they last until the program ends.
    pub persist: bool,
}

impl Default for DraftPreferences {
    fn default() -> Self {
        Self { persist: true }
    }
}

/// What Enter does in the message box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enter {
    #[default]
    Send,
    Newline,
}

/// How emoticons and emoji are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmojiStyle {
    /// The Unicode picture.
    #[default]
    Glyph,
    /// `(smile)`
    Short,
    /// `:)`
    Ascii,
}

/// Whether the terminal draws joined emoji as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmojiWidth {
    /// The terminal is asked at the start.
    #[default]
    Auto,
    /// A cluster is one picture, as wide as `unicode-width` says.
    Cluster,
    /// Joined emoji are shown as their parts, which have the same width in every terminal.
    Sum,
}

/// Which symbols the terminal's font has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Glyphs {
    /// Decided by the name of the terminal.
    #[default]
    Auto,
    Unicode,
    /// Lines and symbols are drawn with ASCII. Text stays as it is.
    Ascii,
}

/// What is known of the terminal's background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    #[default]
    Unknown,
    /// As the environment says.
    Dark,
    Light,
    /// As the terminal says.
    Color(Rgb),
}

/// Who puts right-to-left text into reading order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bidi {
    /// Decided at the start, by a table of known terminals.
    #[default]
    Auto,
    Terminal,
    Reorder,
}

/// How much space there is between items on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Density {
    /// Blank lines between groups of messages if the screen is tall, and the last message of each chat in the list if
    /// it is wide.
    #[default]
    Comfortable,
    /// No blank lines, and one line per chat.
    Compact,
}

/// How the conversation list shows the chats of several accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListOrder {
    /// One section per account.
    #[default]
    Accounts,
    /// All chats in one list, the most recently active first.
    Activity,
}

/// When others learn what was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Receipts {
    /// After a second on the screen.
    #[default]
    Auto,
    /// When the user answers.
    OnReply,
    /// When the user asks for it.
    Manual,
    /// Never; what was on the screen counts as read here only.
    Never,
}

impl Receipts {
    /// Whether looking at a message counts as reading it.
    pub fn by_looking(self) -> bool {
        matches!(self, Self::Auto | Self::Never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_whose_host_is_certain_are_trusted() {
        let hosts = ["Example.org", "*.intra.example", "*.", ""].map(str::to_owned);
        let links = LinkPreferences { trusted_hosts: hosts.into(), ..LinkPreferences::default() };
        for url in [
            "https://example.org",
            "HTTPS://EXAMPLE.ORG/a?b#c",
            "https://example.org:8443/x",
            "https://wiki.intra.example/",
            "https://a.b.intra.example",
        ] {
            assert!(links.trusts(url), "{url}");
        }
        for url in [
            "http://example.org",
            "https://www.example.org",
            "https://example.org.evil.example",
            "https://evilexample.org",
            "https://intra.example",
            "https://evilintra.example",
            "https://example.org@evil.example",
            "https://evil.example\\@example.org",
            "https://evil.example#@example.org",
            "https://example.org:80:90",
            "https://ex\u{e4}mple.org",
            "https://example.org%2eevil.example",
            "https:///example.org",
            "mailto:a@example.org",
            "example.org",
            "",
        ] {
            assert!(!links.trusts(url), "{url}");
        }
    }
}
