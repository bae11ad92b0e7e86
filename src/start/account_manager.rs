//! Changes of accounts while the program runs: signing in, adding, renaming and removing, without a restart.

use super::accounts::{self, OpenedAccount};
use crate::cli::Global;
use crate::cli::config_init;
use crate::cli::context::Session;
use crate::config::edit::ConfigEdit;
use crate::config::paths;
use crate::model::{
    AccountChange, AccountId, Delta, Fault, FaultKind, NewAccount, Outbound, Request, Response,
    ServiceChoice, Ticket, UserId,
};
use crate::protocol::service::{AccountKind, ServiceProfile, built_in_names};
use crate::store::{OpenArchives, Store};
use crate::sync::{self, AccountJoiner, RunningAccount};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How many requests can be queued.
pub const QUEUE: usize = 16;
/// How long sync may take to store pending writes before its account is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The open files of each account.
#[derive(Clone, Default)]
pub struct OpenAccounts(Arc<Mutex<HashMap<AccountId, OpenFiles>>>);

/// The store of an account, and the lock on its folder.
struct OpenFiles {
    store: Store,
    _lock: Option<File>,
}

impl OpenAccounts {
    pub fn insert(&self, account: &AccountId, store: Store, lock: Option<File>) {
        self.map(|open| open.insert(account.clone(), OpenFiles { store, _lock: lock }));
    }

    fn take(&self, account: &AccountId) -> Option<OpenFiles> {
        self.map(|open| open.remove(account))
    }

    pub fn stores(&self) -> Vec<Store> {
        self.map(|open| open.values().map(|files| files.store.clone()).collect())
    }

    fn map<T>(&self, f: impl FnOnce(&mut HashMap<AccountId, OpenFiles>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The accounts that the manager starts with: the open ones, and those that are not signed in.
#[derive(Default)]
pub struct ManagerSetup {
    pub open: OpenAccounts,
    pub signed_out: Vec<Session>,
}

impl ManagerSetup {
    /// Carries out requests about accounts, one at a time, until all senders are gone.
    pub fn serve(
        self,
        global: Global,
        joiner: AccountJoiner,
        archives: OpenArchives,
        requests: mpsc::Receiver<Outbound>,
    ) -> JoinHandle<()> {
        let parts = ManagerParts { global, joiner, open: self.open, archives };
        serve(parts, self.signed_out, requests)
    }
}

fn serve(
    parts: ManagerParts,
    waiting: Vec<Session>,
    mut requests: mpsc::Receiver<Outbound>,
) -> JoinHandle<()> {
    let (signed_in, mut events) = mpsc::channel(QUEUE);
    let manager = AccountManager { parts, signed_in };
    // The future is boxed: it is large, rarely used, and would be copied several times on its way to the runtime.
    tokio::spawn(async move {
        for session in waiting {
            let name = session.name.clone();
            if let Err(why) = Box::pin(manager.show(session)).await {
                tracing::warn!(account = name, "an account cannot be shown");
                manager.complain(&name, &why).await;
            }
        }
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Outbound { account, request: Request::Accounts { change, ticket } }) => {
                        let response = Box::pin(manager.carry_out(&account, change)).await;
                        manager.respond(account, ticket, response).await;
                    }
                    Some(_) => {}
                    None => return,
                },
                Some(account) = events.recv() => Box::pin(manager.go_live(account)).await,
            }
        }
    })
}

/// What the account manager works with.
struct ManagerParts {
    global: Global,
    joiner: AccountJoiner,
    open: OpenAccounts,
    /// Archives that may hold earlier years of conversations.
    archives: OpenArchives,
}

struct AccountManager {
    parts: ManagerParts,
    /// Accounts that were just signed in to.
    signed_in: mpsc::Sender<AccountId>,
}

type Done = Result<(), String>;

impl AccountManager {
    async fn carry_out(&self, account: &AccountId, change: AccountChange) -> Response {
        let done = match change {
            AccountChange::ListServices => {
                let listed = self.blocking(|global| services(&global)).await;
                return Response::Services(listed.map_err(|why| fault(&why)));
            }
            AccountChange::Add(new) => self.add(new).await,
            AccountChange::Rename { to } => self.rename(account, &to).await,
            AccountChange::Remove => self.remove(account).await,
            AccountChange::Set { section, key, value } => {
                let write = move |global: Global| {
                    let file = paths::config_file(global.config.clone())?;
                    ConfigEdit::set(&file, &section, &key, value.as_deref())?.write()
                };
                self.blocking(write).await
            }
        };
        Response::Done(done.map_err(|why| fault(&why)))
    }

    async fn respond(&self, account: AccountId, ticket: Ticket, response: Response) {
        self.parts.joiner.report(account, Delta::Response { ticket, response }).await;
    }

    async fn complain(&self, name: &str, why: &str) {
        let text = crate::model::SafeText::line(&format!("{name}: {why}"));
        self.parts.joiner.report(AccountId::new(name), Delta::Notice(text)).await;
    }

    /// Runs work that reads and writes files.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Global) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let global = self.parts.global.clone();
        let done = tokio::task::spawn_blocking(move || work(global)).await;
        done.unwrap_or_else(|_| Err("the change stopped unexpectedly".to_owned()))
    }

    async fn add(&self, new: NewAccount) -> Done {
        let name = new.name.clone();
        let session = self
            .blocking(move |global| {
                let file = paths::config_file(global.config.clone())?;
                if !file.exists() {
                    config_init::create(&file).map_err(|e| e.message)?;
                }
                let edit = ConfigEdit::add(&file, &new)?;
                // Its service and addresses are checked before anything is written.
                let checked = Session::of_name(&global, edit.config()?, &name);
                let session = checked.map_err(|e| e.message)?;
                edit.write()?;
                Ok(session)
            })
            .await?;
        self.show(session).await
    }

    /// Starts an account, or shows it as signed out.
    async fn show(&self, session: Session) -> Done {
        let account = AccountId::new(&session.name);
        if session.me.as_str().is_empty() {
            let client = session.client().map_err(|e| e.message)?;
            let (handle, deltas, signed_in) = sync::start_signed_out(account.clone(), client);
            let me = UserId::new("");
            self.parts.joiner.report(account.clone(), Delta::Joined { me }).await;
            self.parts
                .joiner
                .join(RunningAccount { account: account.clone(), handle, deltas })
                .await;
            let events = self.signed_in.clone();
            tokio::spawn(async move {
                if signed_in.await.is_ok() {
                    let _ = events.send(account).await;
                }
            });
            return Ok(());
        }
        let opened = self
            .blocking(move |global| accounts::open_one(&global, session).map_err(|e| e.message))
            .await?;
        let OpenedAccount { session, mut live, lock, .. } = opened;
        live.options.archives = self.parts.archives.clone();
        self.parts.open.insert(&account, live.store.clone(), lock);
        let (handle, deltas) = sync::start(account.clone(), live.client, live.store, live.options);
        self.parts.joiner.report(account.clone(), Delta::Joined { me: session.me }).await;
        self.parts.joiner.join(RunningAccount { account, handle, deltas }).await;
        Ok(())
    }

    /// Starts an account that was signed out, now that its owner is known.
    async fn go_live(&self, account: AccountId) {
        self.close(&account).await;
        if let Err(why) = self.show_again(&account).await {
            self.complain(account.as_str(), &why).await;
        }
    }

    async fn show_again(&self, account: &AccountId) -> Done {
        let name = account.as_str().to_owned();
        let session = self.blocking(move |global| session_of(&global, &name)).await?;
        self.show(session).await
    }

    /// Stops the sync of an account after it has stored everything, and closes its store.
    async fn close(&self, account: &AccountId) {
        if let Some(handle) = self.parts.joiner.leave(account.clone()).await {
            handle.stop(PATIENCE).await;
        }
        if let Some(files) = self.parts.open.take(account) {
            let _ = tokio::time::timeout(PATIENCE, files.store.close()).await;
        }
    }

    async fn rename(&self, account: &AccountId, to: &str) -> Done {
        let (from, to) = (account.as_str().to_owned(), to.to_owned());
        let (old_name, new_name) = (from.clone(), to.clone());
        let (edit, folders) = self
            .blocking(move |global| {
                let file = paths::config_file(global.config.clone())?;
                let data = paths::data_dir(global.data_dir.clone())?;
                let folders =
                    (paths::account_dir(&data, &old_name), paths::account_dir(&data, &new_name));
                let edit =
                    ConfigEdit::rename(&file, &old_name, &new_name, (&folders.0, &folders.1))?;
                if folders.1.exists() {
                    return Err(format!("there is a folder {} already", folders.1.display()));
                }
                Ok((edit, folders))
            })
            .await?;
        self.close(account).await;
        let moved = self.blocking(move |_| moved(&edit, &folders)).await;
        let shown = if moved.is_ok() { AccountId::new(&to) } else { account.clone() };
        let started = self.show_again(&shown).await;
        if moved.is_ok() {
            self.parts.joiner.report(account.clone(), Delta::Left).await;
        }
        moved.and(started)
    }

    async fn remove(&self, account: &AccountId) -> Done {
        let name = account.as_str().to_owned();
        let session = self
            .blocking(move |global| {
                let file = paths::config_file(global.config.clone())?;
                let session = session_of(&global, &name);
                ConfigEdit::remove(&file, &name)?.write()?;
                Ok(session)
            })
            .await?;
        self.close(account).await;
        self.parts.joiner.report(account.clone(), Delta::Left).await;
        let Some(sign_in) = session?.sign_in().map_err(|e| e.message)? else { return Ok(()) };
        let failed = |e: crate::client::Error| format!("its tokens were not deleted: {e}");
        sign_in.sign_out().await.map(drop).map_err(failed)
    }
}

fn fault(why: &str) -> Fault {
    Fault::new(FaultKind::Invalid, why)
}

fn session_of(global: &Global, name: &str) -> Result<Session, String> {
    let file = paths::config_file(global.config.clone())?;
    let config = crate::config::Config::load(&file).map_err(|e| e.to_string())?;
    let config = config.ok_or_else(|| format!("{} is gone", file.display()))?;
    Session::of_name(global, config, name).map_err(|e| e.message)
}

/// Moves the folder of an account and writes the configuration with the new name, or does neither.
fn moved(edit: &ConfigEdit, (from, to): &(PathBuf, PathBuf)) -> Done {
    let rename = |from: &Path, to: &Path| {
        if from.exists() { std::fs::rename(from, to) } else { Ok(()) }
    };
    rename(from, to).map_err(|e| format!("{} cannot be renamed: {e}", from.display()))?;
    edit.write().inspect_err(|_| {
        // The configuration was not changed, so move the folder back.
        let _ = rename(to, from);
    })
}

/// The built-in services and those of the configuration, in the order in which they are offered.
fn services(global: &Global) -> Result<Vec<ServiceChoice>, String> {
    let file = paths::config_file(global.config.clone())?;
    let config = crate::config::Config::load(&file).map_err(|e| e.to_string())?;
    let changes = config.map(|config| config.services).unwrap_or_default();
    let own = changes.keys().map(String::as_str);
    let mut names: Vec<&str> = own.chain(built_in_names()).collect();
    names.sort_by_key(|name| match *name {
        "teams-free" => 0,
        "teams-work" => 1,
        "local" => 2,
        "skype" => 4,
        _ => 3,
    });
    names.dedup();
    let choice = |name: &&str| {
        let profile = ServiceProfile::named(name, &changes).ok()?;
        let sign_in = profile.sign_in.as_ref();
        Some(ServiceChoice {
            name: (*name).to_owned(),
            title: crate::model::SafeText::line(&profile.about.title),
            signs_in: sign_in.is_some(),
            work: sign_in.is_some_and(|s| s.accounts == AccountKind::Work),
            has_address: sign_in.is_some() || !profile.bases.chat.is_empty(),
        })
    };
    Ok(names.iter().filter_map(choice).collect())
}
