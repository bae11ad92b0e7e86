//! The settings of the configuration file as a list: the meaning of each, what it can be, and whether a change takes
//! effect at once. Values are those of the file.

use super::preferences::Preferences;
use toml::{Table, Value};

/// A setting of the user.
#[derive(Debug)]
pub struct SettingSpec {
    /// The section of the configuration file, and the key in it.
    pub section: &'static str,
    pub key: &'static str,
    pub meaning: &'static str,
    pub kind: SettingKind,
    /// A change takes effect at once, and not at the next start.
    pub live: bool,
}

/// What a setting can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    Switch,
    Choice(&'static [&'static str]),
    /// A number of seconds up to this one.
    Seconds(i64),
    /// A number of cells up to this one.
    Columns(i64),
    Text,
    /// The name of a theme.
    Theme,
    /// Words, separated by commas.
    Words,
    /// A program and its arguments, separated by spaces.
    Command,
}

const fn live(
    section: &'static str,
    key: &'static str,
    kind: SettingKind,
    meaning: &'static str,
) -> SettingSpec {
    SettingSpec { section, key, meaning, kind, live: true }
}

const fn later(
    section: &'static str,
    key: &'static str,
    kind: SettingKind,
    meaning: &'static str,
) -> SettingSpec {
    SettingSpec { section, key, meaning, kind, live: false }
}

use SettingKind::{Choice, Columns, Command, Seconds, Switch, Text, Theme, Words};

/// The longest grace period: a message that waits longer looks lost.
pub const MAX_GRACE_SECONDS: i64 = 60;

/// More columns than any screen leaves for the list.
pub const MAX_LIST_WIDTH: i64 = 500;

/// All settings, in the order of the example file.
pub const SETTINGS: [SettingSpec; 32] = [
    live("ui", "typing", Switch, "others see when you are typing"),
    live(
        "ui",
        "enter",
        Choice(&["send", "newline"]),
        "what Enter does; Alt-Enter does the opposite",
    ),
    later("ui", "blink", Switch, "<blink> really blinks"),
    later("ui", "emoji", Choice(&["glyph", "short", "ascii"]), "emoji as pictures, (smile) or :)"),
    later("ui", "bidi", Choice(&["auto", "reorder", "terminal"]), "order of right-to-left text"),
    live("ui", "list", Choice(&["accounts", "activity"]), "the list with several accounts"),
    live(
        "ui",
        "list_width",
        Columns(MAX_LIST_WIDTH),
        "width of the list; 0 fits the screen; its edge can be dragged",
    ),
    live("ui", "mouse", Switch, "use mouse clicks and the wheel"),
    live("ui", "suggestions", Switch, "people, emoji and commands are suggested while you type"),
    live("ui", "highlight_code", Switch, "colours for code with a named language"),
    live(
        "ui",
        "spelling",
        Text,
        "languages whose misspelt words are underlined: en_GB; en_US, de_DE; or auto",
    ),
    live(
        "ui",
        "spelling_folder",
        Text,
        "a folder with Hunspell dictionaries, before the usual ones",
    ),
    live(
        "ui",
        "theme",
        Theme,
        "colours; \"auto\" fits the terminal's background, \"default\" uses its sixteen colours",
    ),
    live("ui", "time", Text, "times of messages: 24h, 12h, or a format such as %H:%M:%S"),
    live("ui", "date", Text, "days: long, short, iso, or a format such as %d.%m.%Y"),
    live(
        "ui",
        "density",
        Choice(&["comfortable", "compact"]),
        "blank lines between messages, and two lines per chat",
    ),
    later(
        "ui",
        "glyphs",
        Choice(&["auto", "unicode", "ascii"]),
        "characters for lines and symbols",
    ),
    later("ui", "emoji_width", Choice(&["auto", "cluster", "sum"]), "joined emoji as one picture"),
    live(
        "reading",
        "receipts",
        Choice(&["auto", "on-reply", "manual", "never"]),
        "when others learn what you have read",
    ),
    later(
        "sending",
        "grace_seconds",
        Seconds(MAX_GRACE_SECONDS),
        "seconds before a message is sent",
    ),
    live("sending", "markup", Switch, "*bold*, _italic_ and @Name become formatting"),
    live("drafts", "persist", Switch, "unsent text is saved on disk"),
    live(
        "notifications",
        "desktop",
        Choice(&["auto", "osc9", "osc777", "osc99", "dbus", "off"]),
        "what shows notifications: the terminal or the desktop",
    ),
    live(
        "notifications",
        "command",
        Command,
        "a program that gets the title and text as arguments",
    ),
    live("notifications", "bell", Switch, "the bell rings with each notification"),
    live("notifications", "show", Choice(&["name", "text", "nothing"]), "what notifications say"),
    live(
        "notifications",
        "about",
        Choice(&["all", "mentions", "nothing"]),
        "for chats without a choice of their own",
    ),
    live("notifications", "keywords", Words, "words that count like a mention"),
    live("notifications", "quiet_hours", Text, "hours without notifications: 22:00-07:00"),
    live("links", "trusted_hosts", Words, "hosts whose https links open without asking"),
    later(
        "links",
        "hyperlinks",
        Choice(&["auto", "on", "off"]),
        "the terminal gets the links of messages, and can open them itself",
    ),
    live(
        "keys",
        "preset",
        Choice(&["default", "readline", "vim", "emacs"]),
        "the keys of actions that you have not bound; vim begins in INSERT mode",
    ),
];

impl SettingSpec {
    /// `ui.mouse`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// The value after this one, for settings that have few.
    pub fn next(&self, value: &Value) -> Option<Value> {
        match (self.kind, value) {
            (Switch, Value::Boolean(on)) => Some(Value::Boolean(!on)),
            (Choice(all), Value::String(now)) => {
                let at = all.iter().position(|one| one == now).map_or(0, |at| at + 1);
                all.get(at % all.len()).map(|next| Value::from(*next))
            }
            _ => None,
        }
    }

    /// The value that was typed.
    ///
    /// # Errors
    /// A line for the user if the text is not a valid value.
    pub fn typed(&self, text: &str) -> Result<Value, String> {
        let words = |separator: fn(char) -> bool| {
            let words = text.split(separator).map(str::trim).filter(|word| !word.is_empty());
            Value::Array(words.map(Value::from).collect())
        };
        match self.kind {
            Seconds(most) | Columns(most) => {
                let number = text.trim().parse::<i64>().ok().filter(|n| (0..=most).contains(n));
                let number = number.ok_or_else(|| format!("enter a number from 0 to {most}"))?;
                Ok(Value::Integer(number))
            }
            Words => Ok(words(|c| c == ',')),
            Command => Ok(words(char::is_whitespace)),
            Switch | Choice(_) | Text | Theme => Ok(Value::from(text.trim())),
        }
    }
}

/// A value as it is typed and shown.
pub fn written(value: &Value, kind: SettingKind) -> String {
    match value {
        Value::Boolean(on) => if *on { "on" } else { "off" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(if kind == Words { ", " } else { " " })
        }
        other => other.to_string(),
    }
}

impl Preferences {
    /// The value of a setting.
    pub fn setting(&self, spec: &SettingSpec) -> Option<Value> {
        let all = Table::try_from(self).ok()?;
        all.get(spec.section)?.get(spec.key).cloned()
    }

    /// The same preferences with another value of a setting.
    ///
    /// # Errors
    /// A line for the user when the setting cannot have that value.
    pub fn with_setting(&self, spec: &SettingSpec, value: &Value) -> Result<Self, String> {
        let mut all = Table::try_from(self).map_err(|e| e.to_string())?;
        let section = all.get_mut(spec.section).and_then(Value::as_table_mut);
        section.ok_or("there is no such section")?.insert(spec.key.to_owned(), value.clone());
        let parsed: Result<Self, _> = all.try_into();
        parsed.map_err(|e| e.message().lines().next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preference_is_in_the_list_with_values_that_it_can_have() {
        let defaults = Preferences::default();
        let all = Table::try_from(&defaults).unwrap();
        let count: usize = all.values().map(|section| section.as_table().unwrap().len()).sum();
        // `notifications.demo` is for trying things out.
        assert_eq!(SETTINGS.len(), count - 1);
        for spec in &SETTINGS {
            let mut value = defaults.setting(spec).unwrap_or_else(|| panic!("{}", spec.name()));
            let choices = if let Choice(all) = spec.kind { all.len() } else { 2 };
            for _ in 0..choices {
                let Some(next) = spec.next(&value) else { break };
                let changed = defaults.with_setting(spec, &next).unwrap();
                assert_eq!(changed.setting(spec), Some(next.clone()), "{}", spec.name());
                value = next;
            }
            assert_eq!(defaults.setting(spec).unwrap(), value, "{} comes round", spec.name());
        }
    }

    #[test]
    fn what_is_typed_reads_back_and_nonsense_is_refused() {
        let spec = |key: &str| SETTINGS.iter().find(|spec| spec.key == key).unwrap();
        let typed = |key: &str, text: &str| {
            let value = spec(key).typed(text)?;
            let changed = Preferences::default().with_setting(spec(key), &value)?;
            Ok::<_, String>(written(&changed.setting(spec(key)).unwrap(), spec(key).kind))
        };
        assert_eq!(typed("keywords", " deploy,Anna ,, "), Ok("deploy, Anna".into()));
        assert_eq!(typed("command", "notify-send  --"), Ok("notify-send --".into()));
        assert_eq!(typed("time", "12h"), Ok("12h".into()));
        assert_eq!(typed("date", " %d.%m."), Ok("%d.%m.".into()));
        assert_eq!(typed("quiet_hours", "22:00-7:00"), Ok("22:00-07:00".into()));
        assert_eq!(typed("grace_seconds", "5"), Ok("5".into()));
        for (key, text) in [
            ("time", "%"),
            ("date", "tomorrow"),
            ("quiet_hours", "late"),
            ("grace_seconds", "61"),
            ("grace_seconds", "x"),
        ] {
            assert!(typed(key, text).is_err(), "{key} = {text}");
        }
    }
}
