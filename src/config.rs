//! The configuration file: defaults, reading, and complaints that name file and line.
//!
//! Never written by the program. What is wrong in a value is an error; an unknown key is a warning with the nearest
//! known name.

mod keys;
mod names;
pub mod paths;

pub use keys::{builtin_keymap, keymap_with};

use crate::app::keymap::Keymap;
use crate::model::preferences::{
    DraftPreferences, ReadingPreferences, SendingPreferences, UiPreferences,
};
use crate::model::{AuthStyle, PollMode, Preferences};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// A mistake in the configuration, in one line for the user.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.line {
            Some(line) => write!(f, "{file}:{line}: {}", self.message),
            None => write!(f, "{file}: {}", self.message),
        }
    }
}

/// The file as a whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    default_account: Option<String>,
    accounts: BTreeMap<String, AccountConfig>,
    ui: UiPreferences,
    reading: ReadingPreferences,
    sending: SendingPreferences,
    drafts: DraftPreferences,
    keys: BTreeMap<String, Vec<String>>,
}

/// `[accounts.NAME]`.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountConfig {
    pub user_id: String,
    pub gateway: String,
    pub scheduler: Option<String>,
    pub join: Option<String>,
    pub profiles: Option<String>,
    #[serde(default)]
    pub auth: AuthStyle,
    pub token: Token,
    #[serde(default)]
    pub poll: PollMode,
    #[serde(default = "default_poll_seconds")]
    pub poll_seconds: u64,
}

fn default_poll_seconds() -> u64 {
    2
}

/// Where the token comes from: exactly one of the three.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Token {
    pub env: Option<String>,
    pub file: Option<PathBuf>,
    pub command: Option<Vec<String>>,
}

/// A message that waits longer looks lost.
const MAX_GRACE_SECONDS: u64 = 60;

/// A configuration that was read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub accounts: BTreeMap<String, AccountConfig>,
    pub default_account: Option<String>,
    pub preferences: Preferences,
    pub keymap: Keymap,
    /// The user's part of `keymap`: action to keys.
    pub key_changes: BTreeMap<String, Vec<String>>,
    /// Unknown keys and the like; the program runs all the same.
    pub warnings: Vec<String>,
    file: PathBuf,
    lines: HashMap<String, usize>,
}

fn token_is_empty(token: &Token) -> bool {
    let empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
    empty(&token.env)
        || token.file.as_ref().is_some_and(|f| f.as_os_str().is_empty())
        || token.command.as_ref().is_some_and(|c| c.first().is_none_or(String::is_empty))
}

/// What the reader says of its own types means nothing to who wrote the file.
fn in_our_words(message: &str) -> String {
    message
        .replace(
            "expected struct Token",
            "expected { env = \"…\" }, { file = \"…\" } or { command = [\"…\"] }",
        )
        .replace("wanted string or table", "expected a word in quotes")
}

/// Notes the line of every key of the file, by its path.
fn collect_lines(
    table: &DeTable<'_>,
    path: &str,
    line_of: &dyn Fn(usize) -> usize,
    out: &mut HashMap<String, usize>,
) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        out.insert(path.clone(), line_of(key.span().start));
        if let DeValue::Table(inner) = value.get_ref() {
            collect_lines(inner, &path, line_of, out);
        }
    }
}

impl Config {
    /// The configuration of someone without a file.
    ///
    /// # Errors
    /// Never with the built-in key table, which a test reads.
    pub fn builtin() -> Result<Self, ConfigError> {
        Self::parse("", Path::new("(built-in)"))
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or holds a value that makes no sense.
    pub fn load(file: &Path) -> Result<Option<Self>, ConfigError> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text, file).map(Some),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(ConfigError {
                file: file.into(),
                line: None,
                message: format!("cannot be read: {e}"),
            }),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let line_of = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
        let error = |e: &toml::de::Error| ConfigError {
            file: file.into(),
            line: e.span().map(|s| line_of(s.start)),
            message: in_our_words(e.message().lines().next().unwrap_or("not valid TOML")),
        };
        let tree = DeTable::parse(text).map_err(|e| error(&e))?;
        let mut lines = HashMap::new();
        collect_lines(tree.get_ref(), "", &line_of, &mut lines);
        let mut unknown = Vec::new();
        let reader = toml::Deserializer::parse(text).map_err(|e| error(&e))?;
        let parsed: ConfigFile =
            serde_ignored::deserialize(reader, |path| unknown.push(path.to_string()))
                .map_err(|e| error(&e))?;
        let mut warnings: Vec<String> = unknown
            .iter()
            .map(|path| {
                let line = lines.get(path).copied().unwrap_or(1);
                let hint = names::did_you_mean(path)
                    .map(|n| format!("; did you mean \"{n}\"?"))
                    .unwrap_or_default();
                format!("{}:{line}: unknown key \"{path}\"{hint}", file.display())
            })
            .collect();
        let line = |key: String| lines.get(&key).copied().unwrap_or(1);
        for name in parsed.keys.keys() {
            if let Some(message) = keys::unknown_action(name) {
                warnings.push(format!(
                    "{}:{}: {message}",
                    file.display(),
                    line(format!("keys.{name}"))
                ));
            }
        }
        warnings.sort();
        let keymap =
            keys::with_changes(&parsed.keys, parsed.ui.enter).map_err(|(action, message)| {
                ConfigError {
                    file: file.into(),
                    line: lines.get(&format!("keys.{action}")).copied(),
                    message,
                }
            })?;
        let preferences = Preferences {
            ui: parsed.ui,
            reading: parsed.reading,
            sending: parsed.sending,
            drafts: parsed.drafts,
        };
        let mut config = Self {
            accounts: parsed.accounts,
            default_account: parsed.default_account,
            preferences,
            keymap,
            key_changes: parsed.keys,
            warnings,
            file: file.into(),
            lines,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&mut self) -> Result<(), ConfigError> {
        if self.preferences.sending.grace_seconds > MAX_GRACE_SECONDS {
            let message = format!("grace_seconds is at most {MAX_GRACE_SECONDS}");
            return Err(self.error("sending.grace_seconds", &message));
        }
        for (name, account) in &self.accounts {
            let key = |field: &str| format!("accounts.{name}.{field}");
            let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || name.starts_with('.') || !name.chars().all(letters) {
                let message = format!(
                    "\"{name}\" cannot name an account: it names a folder; use letters, digits, - and _"
                );
                return Err(self.error(&format!("accounts.{name}"), &message));
            }
            if token_is_empty(&account.token) {
                return Err(self.error(&key("token"), "token names nothing"));
            }
            let token = &account.token;
            let ways = usize::from(token.env.is_some())
                + usize::from(token.file.is_some())
                + usize::from(token.command.is_some());
            if ways != 1 {
                let message =
                    "token must be one of { env = \"…\" }, { file = \"…\" }, { command = [\"…\"] }";
                return Err(self.error(&key("token"), message));
            }
            if !account.user_id.contains(':') {
                let message =
                    format!("user_id \"{}\" lacks its prefix, such as 8:", account.user_id);
                return Err(self.error(&key("user_id"), &message));
            }
            if account.poll_seconds == 0 {
                return Err(self.error(&key("poll_seconds"), "poll_seconds must be at least 1"));
            }
        }
        if self.accounts.len() > 1 && self.default_account.is_none() {
            self.warnings.push(format!(
                "{}: several accounts and no default_account: --account NAME is needed",
                self.file.display()
            ));
        }
        if let Some(name) = &self.default_account
            && !self.accounts.contains_key(name)
        {
            return Err(self.error("default_account", &format!("there is no account \"{name}\"")));
        }
        Ok(())
    }

    /// An error about a key of this file.
    pub fn error(&self, key: &str, message: &str) -> ConfigError {
        let mut key = key;
        let mut line = self.lines.get(key);
        while let (None, Some((parent, _))) = (line, key.rsplit_once('.')) {
            key = parent;
            line = self.lines.get(key);
        }
        ConfigError { file: self.file.clone(), line: line.copied(), message: message.to_owned() }
    }

    /// The account asked for, the default one, or the only one.
    ///
    /// # Errors
    /// When there is no such account, or several and none is the default.
    pub fn account(
        &self,
        name: Option<&str>,
    ) -> Result<Option<(String, AccountConfig)>, ConfigError> {
        let name = match (
            name.map(str::to_owned).or_else(|| self.default_account.clone()),
            self.accounts.len(),
        ) {
            (Some(name), _) => name,
            (None, 0) => return Ok(None),
            (None, 1) => self.accounts.keys().next().cloned().unwrap_or_default(),
            (None, _) => {
                return Err(self.error(
                    "default_account",
                    "several accounts: set default_account or give --account",
                ));
            }
        };
        let account = self.accounts.get(&name).cloned();
        let account = account
            .ok_or_else(|| self.error("accounts", &format!("there is no account \"{name}\"")))?;
        Ok(Some((name, account)))
    }
}

#[cfg(test)]
mod tests;
