//! Preferences that stay the same while the program runs, except for what the terminal reports.

use super::keymap::{KeyChoices, Keymap, KeymapError};
use crate::model::{
    Background, Bidi, Density, EmojiWidth, Glyphs, Preferences, Receipts, Timestamp,
};
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone)]
pub struct Prefs {
    pub zone: TimeZone,
    pub keymap: Arc<Keymap>,
    /// The keys that the user has bound, by action.
    pub key_changes: BTreeMap<String, Vec<String>>,
    pub demo: bool,
    /// Another instance is using the account: nothing can be sent, changed or saved.
    pub read_only: bool,
    /// The terminal distinguishes Shift-Enter from Enter.
    pub enhanced_keyboard: bool,
    /// The first client id of this run; the next ones are counted up from it. Random, so that runs do not collide.
    pub first_client_id: u64,
    /// The user's choices, with "auto" values of the configuration resolved: `ui.bidi` is never [`Bidi::Auto`],
    /// `ui.emoji_width` never [`EmojiWidth::Auto`].
    pub choices: Preferences,
    /// Increases whenever a choice changes: then everything derived from choices is derived again.
    pub revision: u64,
    /// Settings that were changed in this run and take effect from the next start, by name.
    pub from_next_start: Vec<(String, toml::Value)>,
    /// The names of the themes that can be chosen.
    pub themes: Vec<String>,
    pub background: Background,
}

impl Prefs {
    /// Minimal preferences: UTC, nothing is reported to others, no message is held back.
    pub fn plain(keymap: Arc<Keymap>) -> Self {
        let mut choices = Preferences::default();
        choices.ui.typing = false;
        choices.ui.bidi = Bidi::Reorder;
        choices.ui.emoji_width = EmojiWidth::Cluster;
        choices.reading.receipts = Receipts::Never;
        Self {
            zone: TimeZone::UTC,
            keymap,
            key_changes: BTreeMap::new(),
            demo: false,
            read_only: false,
            enhanced_keyboard: false,
            first_client_id: 1,
            choices,
            revision: 0,
            from_next_start: Vec::new(),
            themes: Vec::new(),
            background: Background::default(),
        }
    }

    /// The choices that the bindings are made from.
    pub fn key_choices(&self) -> KeyChoices {
        Self::key_choices_of(&self.choices, &self.key_changes)
    }

    fn key_choices_of(
        choices: &Preferences,
        changes: &BTreeMap<String, Vec<String>>,
    ) -> KeyChoices {
        let changes = changes.clone();
        KeyChoices { preset: choices.keys.preset, enter: choices.ui.enter, changes }
    }

    /// The bindings with these preferences and changes.
    ///
    /// # Errors
    /// When the user has bound a key twice, or has bound one that is not allowed with this preset.
    pub fn keymap_of(
        choices: &Preferences,
        changes: &BTreeMap<String, Vec<String>>,
    ) -> Result<Keymap, KeymapError> {
        Self::key_choices_of(choices, changes).keymap()
    }

    /// Whether right-to-left text is put into visual order here; otherwise the terminal does it.
    pub fn reorders(&self) -> bool {
        self.choices.ui.bidi == Bidi::Reorder
    }

    /// Text that names keys, with words for the arrows if symbols are limited to ASCII: they would be shown as letters.
    pub fn key_words<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const WORDS: [(&str, &str); 6] = [
            ("↑↓", "Up/Down"),
            ("←→", "Left/Right"),
            ("↑", "Up"),
            ("↓", "Down"),
            ("←", "Left"),
            ("→", "Right"),
        ];
        if self.choices.ui.glyphs != Glyphs::Ascii || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let replaced =
            WORDS.iter().fold(text.to_owned(), |text, (sign, word)| text.replace(sign, word));
        Cow::Owned(replaced)
    }

    /// The time of a moment, in the user's format.
    pub fn clock(&self, at: Timestamp) -> String {
        self.choices.ui.time.show(at, &self.zone)
    }

    /// The day of a moment, in the user's format.
    pub fn day_name(&self, at: Timestamp, now: Timestamp) -> String {
        self.choices.ui.date.day_name(at, now, &self.zone)
    }

    /// A short form for the conversation list: the time if it is today, otherwise as [`Timestamp::short`].
    pub fn short_time(&self, at: Timestamp, now: Timestamp) -> String {
        if now.day(&self.zone) <= at.day(&self.zone) {
            self.choices.ui.time.compact(at, &self.zone)
        } else {
            at.short(now, &self.zone)
        }
    }

    /// Whether blank lines and second lines are left out.
    pub fn is_compact(&self) -> bool {
        self.choices.ui.density == Density::Compact
    }

    /// When read receipts are sent to others.
    pub fn receipts(&self) -> Receipts {
        self.choices.reading.receipts
    }

    /// Whether the server is told what was read.
    pub fn reports_reading(&self) -> bool {
        self.receipts() != Receipts::Never && !self.read_only
    }
}
