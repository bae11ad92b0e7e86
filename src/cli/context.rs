//! What every command needs: errors with exit statuses, the configured account, and the lock on it.

use super::{FAILED, Global, USAGE, account};
use crate::client::Client;
use crate::client::sign_in::SignIn;
use crate::config::{AccountConfig, Config, paths};
use crate::model::UserId;
use crate::protocol::service::ServiceProfile;
use crate::sync::SyncOptions;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An error with its exit status.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExitError {
    pub status: u8,
    pub message: String,
}

impl ExitError {
    pub fn usage(message: impl Into<String>) -> Self {
        Self { status: USAGE, message: message.into() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self { status: FAILED, message: message.into() }
    }
}

/// The account that a command works with.
pub struct Session {
    /// The account's name in the configuration.
    pub name: String,
    pub config: Config,
    pub account: AccountConfig,
    pub me: UserId,
    /// The folder of the account, which need not exist.
    pub dir: PathBuf,
}

/// The name of an account, and the account, or why it cannot be used.
pub type NamedSession = (String, Result<Session, ExitError>);

impl Session {
    /// The configured account, signed in.
    ///
    /// # Errors
    /// When there is no configuration or no such account, or it is not signed in.
    pub fn open(global: &Global) -> Result<Self, ExitError> {
        Self::of(global, global.account.as_deref())?.signed_in()
    }

    /// The account, unless nobody has signed in to it.
    ///
    /// # Errors
    /// Says what to do.
    pub fn signed_in(self) -> Result<Self, ExitError> {
        if self.me.as_str().is_empty() {
            return Err(ExitError::failed(format!(
                "the account \"{name}\" is not signed in: skchat login {name}",
                name = self.name
            )));
        }
        Ok(self)
    }

    /// A configured account, which need not be signed in.
    ///
    /// # Errors
    /// When there is no configuration or no such account.
    pub fn of(global: &Global, account: Option<&str>) -> Result<Self, ExitError> {
        let config = Self::config(global)?;
        let found = config.account(account).map_err(|e| ExitError::usage(e.to_string()))?;
        let (name, account) = found.ok_or_else(|| ExitError::usage("there is no account"))?;
        Self::of_account(global, config, name, account)
    }

    /// All configured accounts, the default one first, or the one that `--account` names, signed in or not. One that
    /// cannot be used is an error of its own.
    ///
    /// # Errors
    /// When there is no configuration.
    pub fn all(global: &Global, config: Option<Config>) -> Result<Vec<NamedSession>, ExitError> {
        let config = Self::usable(config, global)?;
        let is_asked = |name: &String| global.account.as_ref().is_none_or(|asked| asked == name);
        let mut names: Vec<String> =
            config.accounts.keys().filter(|n| is_asked(n)).cloned().collect();
        names.sort_by_key(|name| config.default_account.as_ref() != Some(name));
        if names.is_empty() {
            // The error says which name is not known.
            let found = config.account(global.account.as_deref());
            let found = found.map_err(|e| ExitError::usage(e.to_string()))?;
            let (name, account) = found.ok_or_else(|| ExitError::usage("there is no account"))?;
            let session = Self::of_account(global, config, name.clone(), account)?;
            return Ok(vec![(name, Ok(session))]);
        }
        let sessions = names.into_iter().map(|name| {
            let account = config.accounts.get(&name).cloned().unwrap_or_default();
            let session = Self::of_account(global, config.clone(), name.clone(), account);
            (name, session)
        });
        Ok(sessions.collect())
    }

    /// An account of a configuration that was already read. Prints nothing, so that it can be used behind a screen.
    ///
    /// # Errors
    /// When there is no such account, or it is not configured properly.
    pub fn of_name(global: &Global, config: Config, name: &str) -> Result<Self, ExitError> {
        hide_tokens(&config);
        let found = config.account(Some(name)).map_err(|e| ExitError::usage(e.to_string()))?;
        let (name, account) = found.ok_or_else(|| ExitError::usage("there is no account"))?;
        Self::of_account(global, config, name, account)
    }

    /// The configuration; its warnings are printed.
    fn config(global: &Global) -> Result<Config, ExitError> {
        let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
        let config = Config::load(&file).map_err(|e| ExitError::usage(e.to_string()))?;
        Self::usable(config, global)
    }

    /// A configuration that was read already, if it has accounts; its warnings are printed.
    fn usable(config: Option<Config>, global: &Global) -> Result<Config, ExitError> {
        let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
        let config = config.ok_or_else(|| {
            ExitError::usage(format!(
                "there is no configuration at {}; skchat config init creates it",
                file.display()
            ))
        })?;
        hide_tokens(&config);
        for warning in &config.warnings {
            super::lines::warn(&format!("warning: {warning}"));
        }
        if config.accounts.is_empty() {
            return Err(ExitError::usage(format!("{} has no account", file.display())));
        }
        Ok(config)
    }

    fn of_account(
        global: &Global,
        config: Config,
        name: String,
        account: AccountConfig,
    ) -> Result<Self, ExitError> {
        let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
        let dir = paths::account_dir(&data, &name);
        let options = account::client_options(&config, &name, &account, &dir)
            .map_err(|e| ExitError::usage(e.to_string()))?;
        let me = options.user;
        Ok(Self { name, config, account, me, dir })
    }

    /// How the account signs in; `None` if its token comes from elsewhere.
    ///
    /// # Errors
    /// When the profile of its service is wrong; [`Session::of`] has checked that already.
    pub fn sign_in(&self) -> Result<Option<Arc<SignIn>>, ExitError> {
        account::sign_in(&self.config, &self.name, &self.account, &self.dir)
            .map_err(|e| ExitError::usage(e.to_string()))
    }

    /// The profile of the account's service.
    ///
    /// # Errors
    /// As [`Session::sign_in`].
    pub fn service(&self) -> Result<ServiceProfile, ExitError> {
        account::service(&self.config, &self.name, &self.account)
            .map_err(|e| ExitError::usage(e.to_string()))
    }

    /// A client for the account.
    ///
    /// # Errors
    /// When an address in the configuration is wrong; [`Session::open`] has checked that already.
    pub fn client(&self) -> Result<Client, ExitError> {
        let options = account::client_options(&self.config, &self.name, &self.account, &self.dir)
            .map_err(|e| ExitError::usage(e.to_string()))?;
        Ok(Client::new(options))
    }

    /// Options of the account's sync.
    ///
    /// # Errors
    /// When the profile of its service is wrong; [`Session::open`] has checked that already.
    pub fn sync_options(&self) -> Result<SyncOptions, ExitError> {
        let service = self.service()?;
        Ok(account::sync_options(&self.config, &self.account, &service))
    }
}

/// Hides the variables that hold tokens from the programs that are started.
pub fn hide_tokens(config: &Config) {
    let names = config.accounts.values().filter_map(|account| account.token.as_ref()?.env.clone());
    crate::process::hide_variables(names);
}

/// The file that holds an account's messages.
pub const STORE: &str = "store.db";

/// Locks an account's folder, so that only one program writes to it. The lock is held until the file is closed.
///
/// # Errors
/// When another program has the lock, or the lock file cannot be created.
pub fn lock(dir: &Path) -> Result<File, ExitError> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|e| ExitError::failed(format!("{}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ExitError::failed(format!(
            "another skchat is open on {}; skchat --read-only shows what is stored, and skchat chats, log and send still work",
            dir.display()
        ))),
        Err(std::fs::TryLockError::Error(e)) => {
            Err(ExitError::failed(format!("{}: {e}", path.display())))
        }
    }
}
