//! The configured accounts, opened for the program: all of them, or the one that `--account` names.

use super::LiveAccount;
use super::last_run::LastRun;
use super::patience;
use crate::cli::Global;
use crate::cli::context::{ExitError, STORE, Session, lock};
use crate::config::{Config, paths};
use crate::model::{AccountId, UserId};
use crate::store::Store;
use std::fs::File;
use std::path::Path;

/// The accounts that can be used or signed in to. There is at least one.
pub struct OpenedAccounts {
    pub accounts: Vec<OpenedAccount>,
    /// The accounts that are not signed in to. They are shown nevertheless.
    pub signed_out: Vec<Session>,
    /// Why other accounts cannot be used, one line each.
    pub notices: Vec<String>,
}

pub struct OpenedAccount {
    pub session: Session,
    pub live: LiveAccount,
    /// When the account was last used.
    pub last_run: LastRun,
    /// Keeps other processes from writing to the store; `None` if it is opened read-only.
    pub lock: Option<File>,
}

impl OpenedAccount {
    /// The account, and the user's id in it.
    pub fn owner(&self) -> (AccountId, UserId) {
        (self.live.account.clone(), self.session.me.clone())
    }
}

/// Opens the accounts of a configuration. A problem with one account does not keep the others from starting.
///
/// # Errors
/// When there is no configuration, or none of the accounts can be used.
pub fn open(global: &Global, config: Option<Config>) -> Result<OpenedAccounts, ExitError> {
    let mut opened =
        OpenedAccounts { accounts: Vec::new(), signed_out: Vec::new(), notices: Vec::new() };
    let mut first_error = None;
    for (name, session) in Session::all(global, config)? {
        let session = match session {
            Ok(session) if session.me.as_str().is_empty() && !global.read_only => {
                opened.notices.push(format!("{name}: not signed in; Ctrl-X s signs in"));
                opened.signed_out.push(session);
                continue;
            }
            Ok(session) => session.signed_in(),
            Err(error) => Err(error),
        };
        let opens = |session: Session| {
            let file = session.dir.join(STORE);
            patience::opening(&name, &file, || open_one(global, session))
        };
        match session.and_then(opens) {
            Ok(account) => {
                let me = account.session.me.clone();
                account.live.store.read_ahead(me, crate::sync::FIRST_PAGE);
                opened.accounts.push(account);
            }
            Err(error) => {
                tracing::warn!(account = name, "an account cannot be used");
                opened.notices.push(format!("{name}: {error}"));
                first_error.get_or_insert(error);
            }
        }
    }
    let is_empty = opened.accounts.is_empty() && opened.signed_out.is_empty();
    match first_error.filter(|_| is_empty) {
        Some(error) => Err(error),
        None => Ok(opened),
    }
}

/// Opens one account, after locking it.
///
/// # Errors
/// When another program has locked it, or its store cannot be opened.
pub fn open_one(global: &Global, session: Session) -> Result<OpenedAccount, ExitError> {
    let last_run = LastRun::of(&session.dir);
    let (lock, store) = if global.read_only {
        (None, open_store_read_only(&session.dir)?)
    } else {
        open_store(&session.dir).map(|(lock, store)| (Some(lock), store))?
    };
    let account = AccountId::new(&session.name);
    let (client, options) = (session.client()?, session.sync_options()?);
    let live = LiveAccount { account, client, store, options };
    Ok(OpenedAccount { session, live, last_run, lock })
}

/// Opens the account's store, after locking it.
fn open_store(dir: &Path) -> Result<(File, Store), ExitError> {
    paths::make_private_dir(dir)
        .map_err(|e| ExitError::failed(format!("{}: {e}", dir.display())))?;
    let lock = lock(dir)?;
    let file = dir.join(STORE);
    let store =
        Store::open(&file).map_err(|e| ExitError::failed(format!("{}: {e}", file.display())))?;
    Ok((lock, store))
}

/// Opens the account's store read-only, while another program has its lock.
fn open_store_read_only(dir: &Path) -> Result<Store, ExitError> {
    let file = dir.join(STORE);
    Store::open_read_only(&file).map_err(|e| ExitError::failed(format!("{}: {e}", file.display())))
}
