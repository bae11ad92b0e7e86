//! The configuration file: defaults, reading, and errors that name file and line.
//!
//! [`edit`] changes the accounts and settings in it when the user asks for that; nothing else is written. An invalid
//! value is an error; an unknown key is a warning with the nearest known name.

pub mod edit;
mod examine;
mod keys;
mod names;
pub mod paths;
mod zone;

pub use keys::{ActionKeys, action_keys};
pub use zone::local_zone;

use crate::app::keymap::{KeyChoices, Keymap};
use crate::model::preferences::{
    DraftPreferences, LinkPreferences, ReadingPreferences, SendingPreferences, UiPreferences,
};
use crate::model::setting::SETTINGS;
use crate::model::{
    AuthStyle, ConfigChange, KeyPreset, NotificationPreferences, PollMode, Preferences, SafeText,
};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A mistake in the configuration, in one line for the user.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl ConfigError {
    /// The file's name, the line, and the mistake.
    pub fn brief(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        match self.line {
            Some(line) => format!("{name}:{line}: {}", self.message),
            None => format!("{name}: {}", self.message),
        }
    }

    /// Its line in the file, from one.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
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
    keyring: KeyringUse,
    accounts: BTreeMap<String, AccountConfig>,
    services: BTreeMap<String, toml::Table>,
    ui: UiPreferences,
    reading: ReadingPreferences,
    sending: SendingPreferences,
    drafts: DraftPreferences,
    notifications: NotificationPreferences,
    links: LinkPreferences,
    keys: KeySection,
}

/// `[keys]`: a preset, and actions with the keys that replace their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KeySection {
    preset: KeyPreset,
    changes: BTreeMap<String, Vec<String>>,
}

/// Where tokens of a sign-in are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyringUse {
    /// In the system's keyring where there is one and this build can use it, else in a private file.
    #[default]
    Auto,
    /// In a private file.
    Never,
}

/// `[accounts.NAME]`. What is missing comes from the profile of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AccountConfig {
    /// The name of a service profile.
    pub service: Option<String>,
    /// The organisation to sign in at: its id or one of its domains.
    pub tenant: Option<String>,
    pub user_id: Option<String>,
    pub gateway: Option<String>,
    pub scheduler: Option<String>,
    pub join: Option<String>,
    pub profiles: Option<String>,
    pub auth: Option<AuthStyle>,
    pub token: Option<Token>,
    /// Certificates to trust in addition to those of the system, in PEM form.
    pub ca_file: Option<PathBuf>,
    pub poll: Option<PollMode>,
    pub poll_seconds: Option<u64>,
}

/// Where the token comes from: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Token {
    pub env: Option<String>,
    pub file: Option<PathBuf>,
    pub command: Option<Vec<String>>,
    /// Others may read or replace the file.
    pub allow_access_by_others: bool,
}

/// A configuration that was read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub accounts: BTreeMap<String, AccountConfig>,
    /// `[services.NAME]`: changes of service profiles, and new ones.
    pub services: BTreeMap<String, toml::Table>,
    pub default_account: Option<String>,
    pub keyring: KeyringUse,
    pub preferences: Preferences,
    pub keymap: Arc<Keymap>,
    /// What `keymap` is made from.
    pub key_choices: KeyChoices,
    /// Unknown keys and the like; the program still runs.
    pub warnings: Vec<String>,
    file: PathBuf,
    lines: HashMap<String, usize>,
}

/// The file name of a configuration that has no file.
const BUILT_IN: &str = "(built-in)";

/// The content of a file; `None` if there is none.
fn read(file: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(ConfigError {
            file: file.into(),
            line: None,
            message: format!("cannot be read: {e}"),
        }),
    }
}

impl Config {
    /// The configuration without a file.
    ///
    /// # Errors
    /// Never with the built-in key table, which a test reads.
    pub fn builtin() -> Result<Self, ConfigError> {
        Self::parse("", Path::new(BUILT_IN))
    }

    /// What is kept of it to notice changes; `None` if it was not read from a file.
    pub fn live(&self) -> Option<LiveConfig> {
        (self.file != Path::new(BUILT_IN)).then(|| LiveConfig {
            file: self.file.clone(),
            preferences: self.preferences.clone(),
            keys: self.key_choices.changes.clone(),
            warnings: self.warnings.clone(),
        })
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or holds a value that makes no sense; names the first such place.
    pub fn load(file: &Path) -> Result<Option<Self>, ConfigError> {
        read(file)?.map(|text| Self::parse(&text, file)).transpose()
    }

    /// Reads a file and returns it with everything that is wrong in it; `None` if there is no file.
    ///
    /// # Errors
    /// When it cannot be read or is not TOML.
    pub fn examine(file: &Path) -> Result<Option<(Self, Vec<ConfigError>)>, ConfigError> {
        read(file)?.map(|text| examine::examine(&text, file)).transpose()
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let (config, problems) = examine::examine(text, file)?;
        let more = problems.len().saturating_sub(1);
        match problems.into_iter().next() {
            None => Ok(config),
            Some(first) if more == 0 => Err(first),
            Some(mut first) => {
                first.message.push_str(&format!(" (and {more} more: skchat config check)"));
                Err(first)
            }
        }
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
                    "several accounts: set default_account or use --account",
                ));
            }
        };
        let account = self.accounts.get(&name).cloned();
        let account = account.ok_or_else(|| {
            let known: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
            let known = known.join(", ");
            let message = match known.as_str() {
                "" => format!("there is no account \"{name}\""),
                known => format!("there is no account \"{name}\"; the accounts are: {known}"),
            };
            // No line: the name may come from the command line.
            ConfigError { file: self.file.clone(), line: None, message }
        })?;
        Ok(Some((name, account)))
    }
}

/// What can change in a configuration file while the program runs, as last read.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    pub file: PathBuf,
    preferences: Preferences,
    keys: BTreeMap<String, Vec<String>>,
    warnings: Vec<String>,
}

impl LiveConfig {
    /// Whether something in the file is not known.
    pub fn has_warnings(&self) -> bool {
        !self.warnings.is_empty()
    }

    /// The differences in a newer version of the file. From then on, that version is the current one.
    pub fn change_to(&mut self, newer: &Config) -> ConfigChange {
        let settings = SETTINGS.iter().filter_map(|spec| {
            let (old, new) = (self.preferences.setting(spec), newer.preferences.setting(spec));
            new.filter(|new| old.as_ref() != Some(new)).map(|new| (spec.name(), new))
        });
        let keys = &newer.key_choices.changes;
        let warning = newer.warnings.iter().find(|warning| !self.warnings.contains(warning));
        let change = ConfigChange {
            settings: settings.collect(),
            keys: (self.keys != *keys).then(|| keys.clone()),
            warning: warning.map(|warning| SafeText::line(warning)),
            repaired: false,
        };
        self.preferences = newer.preferences.clone();
        self.keys.clone_from(keys);
        self.warnings.clone_from(&newer.warnings);
        change
    }
}

#[cfg(test)]
mod tests;
