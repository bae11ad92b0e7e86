//! Archives on the screen: along with the configured accounts, or alone if there are none.

use super::appearance::Appearance;
use super::last_run::LastRun;
use super::patience;
use super::{ManagerSetup, RunSetup, background, check_terminal, converse, terminal_failed};
use crate::cli::Global;
use crate::cli::archives::{self, ArchiveAccount};
use crate::cli::context::ExitError;
use crate::client::{BaseUrl, Client, ClientOptions, TokenSource};
use crate::config::{Config, paths};
use crate::model::SafeText;
use crate::runtime::signals;
use crate::store::{OpenArchive, OpenArchives, Store};
use crate::sync::{self, RunningAccount};

/// The archives that are shown along with the configured accounts; `--account` leaves them out.
pub fn beside(global: &Global) -> Result<Vec<ArchiveAccount>, ExitError> {
    if global.account.is_some() {
        return Ok(Vec::new());
    }
    let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
    Ok(archives::all(&data))
}

/// The archives that are shown alone: the one that `--account` names, or all if no account is configured.
pub fn alone(global: &Global, config: Option<&Config>) -> Result<Vec<ArchiveAccount>, ExitError> {
    let is_configured = |name: &str| config.is_some_and(|c| c.accounts.contains_key(name));
    match &global.account {
        Some(name) if is_configured(name) => Ok(Vec::new()),
        Some(name) => {
            let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
            Ok(archives::all(&data).into_iter().filter(|a| a.name == *name).collect())
        }
        None if config.is_some_and(|c| !c.accounts.is_empty()) => Ok(Vec::new()),
        None => beside(global),
    }
}

/// Shows archives without any other account.
pub fn run(
    global: &Global,
    config: Option<Config>,
    archives: Vec<ArchiveAccount>,
) -> Result<(), ExitError> {
    let size = check_terminal()?;
    let config = match config {
        Some(config) => config,
        None => Config::builtin().map_err(|e| ExitError::failed(e.to_string()))?,
    };
    let dir = archives.first().map(|archive| archive.dir.clone()).unwrap_or_default();
    let setup = RunSetup {
        config,
        accounts: archives.iter().map(|a| (a.account(), a.owner.clone())).collect(),
        archives,
        notices: Vec::new(),
        demo: false,
        size,
        dir,
        last_run: LastRun::Lately,
        record: global.record.clone(),
        read_only: true,
        imports: (!global.read_only).then(|| global.clone()),
    };
    signals::hold_stop_signal().map_err(|e| terminal_failed(&e))?;
    let background = background()?;
    let appearance = Appearance::of(global, &setup.config)?;
    let result = converse(&background, setup, appearance, Vec::new(), ManagerSetup::default());
    background.shutdown_background();
    result
}

/// Opens the stores of the archives. One that cannot be opened is left out, and the user is told why.
///
/// # Errors
/// When nothing would be left to show.
pub fn open(setup: &mut RunSetup) -> Result<Vec<Store>, ExitError> {
    // An older store is only upgraded if writing is allowed.
    let may_write = setup.imports.is_some();
    let mut stores = Vec::new();
    let mut first_error = None;
    for archive in std::mem::take(&mut setup.archives) {
        let path = archive.store();
        let opened = patience::opening(&archive.name, &path, || {
            if may_write { Store::open_archive(&path) } else { Store::open_read_only(&path) }
        });
        match opened {
            Ok(store) => {
                stores.push(store);
                setup.archives.push(archive);
            }
            Err(error) => {
                setup.accounts.retain(|(account, _)| *account != archive.account());
                setup.notices.push(format!("The archive {} was skipped: {error}", archive.name));
                first_error.get_or_insert_with(|| {
                    ExitError::failed(format!("{}: {error}", path.display()))
                });
            }
        }
    }
    match first_error {
        Some(error) if setup.accounts.is_empty() => Err(error),
        _ => Ok(stores),
    }
}

/// Starts showing an archive, both by itself and as earlier years of conversations in other accounts.
///
/// # Errors
/// None that depend on the archive.
pub fn start(
    archive: &ArchiveAccount,
    store: Store,
    open: &OpenArchives,
) -> Result<RunningAccount, ExitError> {
    let failed = |e: &dyn std::fmt::Display| ExitError::failed(e.to_string());
    // There is no network: this address is never contacted.
    let nowhere = BaseUrl::parse("http://127.0.0.1:9").map_err(|e| failed(&e))?;
    let token = TokenSource::Env(String::new());
    let client = Client::new(ClientOptions::new(archive.owner.clone(), nowhere, token));
    open.add(OpenArchive {
        name: SafeText::line(&archive.name),
        owner: archive.owner.clone(),
        store: store.clone(),
    });
    let account = archive.account();
    let (handle, deltas) =
        sync::start_offline(account.clone(), client, store, sync::SyncOptions::default());
    Ok(RunningAccount { account, handle, deltas })
}
