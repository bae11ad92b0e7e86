//! Archives: read-only accounts that `skchat import` makes. They exist alongside the configured accounts, in folders of
//! their own below the data folder, so that the configuration file, which is never written, need not name them.

use super::Global;
use super::context::{ExitError, STORE};
use crate::config::{Config, paths};
use crate::model::{AccountId, ConversationId, SafeText, UserId};
use crate::store::{self, ReadOnly};
use std::path::{Path, PathBuf};

/// An archive on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveAccount {
    pub name: String,
    pub dir: PathBuf,
    /// The owner of the exports in it; empty if they do not say.
    pub owner: UserId,
}

impl ArchiveAccount {
    pub fn store(&self) -> PathBuf {
        self.dir.join(STORE)
    }

    pub fn account(&self) -> AccountId {
        AccountId::of_archive(&self.name)
    }
}

/// The folder that holds all archives.
pub fn folder(data: &Path) -> PathBuf {
    data.join("archives")
}

/// All archives, by name. Folders without a store are skipped.
pub fn all(data: &Path) -> Vec<ArchiveAccount> {
    let entries = std::fs::read_dir(folder(data)).into_iter().flatten().filter_map(Result::ok);
    let archive = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_str().filter(|name| is_name(name))?.to_owned();
        let dir = entry.path();
        let owner = store::archive_owner(&dir.join(STORE)).ok()?;
        Some(ArchiveAccount { name, dir, owner })
    };
    let mut found: Vec<ArchiveAccount> = entries.filter_map(archive).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Whether this can be an archive's name, which is also the name of a folder.
pub fn is_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(letters)
}

/// The archive that a command works with: the one that `--account` names if no configured account has that name, or the
/// only one if there is no configured account at all.
///
/// # Errors
/// When the configuration cannot be read, or there are several archives and nothing else.
pub fn chosen(global: &Global) -> Result<Option<ArchiveAccount>, ExitError> {
    let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
    let config = config(global)?;
    let mut archives = all(&data);
    if let Some(name) = &global.account {
        let is_configured = config.is_some_and(|config| config.accounts.contains_key(name));
        return Ok(archives.into_iter().find(|a| a.name == *name && !is_configured));
    }
    if config.is_some_and(|config| !config.accounts.is_empty()) {
        return Ok(None);
    }
    match archives.len() {
        0 | 1 => Ok(archives.pop()),
        _ => {
            let names: Vec<&str> = archives.iter().map(|a| a.name.as_str()).collect();
            Err(ExitError::usage(format!(
                "there are several archives; choose one with --account: {}",
                SafeText::line(&names.join(", "))
            )))
        }
    }
}

/// The archives that have a conversation which an account continues. One that cannot be read is left out with a
/// warning.
///
/// # Errors
/// When there is no place for the data folder.
pub fn earlier_years(
    global: &Global,
    conversation: &ConversationId,
    me: &UserId,
) -> Result<Vec<ReadOnly>, ExitError> {
    let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
    let archives = all(&data).into_iter().filter(|a| conversation.is_same_for(&a.owner, me));
    let opened = archives.filter_map(|archive| match store::open_read_only(&archive.store()) {
        Ok(store) => Some(store),
        Err(error) => {
            let name = SafeText::line(&archive.name);
            super::lines::warn(&format!("skchat: the archive {name} was skipped: {error}"));
            None
        }
    });
    Ok(opened.collect())
}

/// The configuration, if there is one.
///
/// # Errors
/// When it cannot be read.
pub fn config(global: &Global) -> Result<Option<Config>, ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    Config::load(&file).map_err(|e| ExitError::usage(e.to_string()))
}
