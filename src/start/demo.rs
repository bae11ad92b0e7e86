//! `skchat demo`: the program with its own gateway and sample people.

use super::appearance::Appearance;
use super::last_run::LastRun;
use super::{
    LiveAccount, ManagerSetup, PATIENCE, RunSetup, background, check_terminal, converse,
    terminal_failed,
};
use crate::cli::Global;
use crate::cli::context::{ExitError, STORE, hide_tokens, lock};
use crate::client::{BaseUrl, Client, ClientOptions, Secret, TokenSource};
use crate::config::{Config, paths};
use crate::gateway::{self, GatewayOptions, GatewayState, GatewayUser, demo};
use crate::model::{AccountId, UserId};
use crate::runtime::signals;
use crate::store::Store;
use crate::sync;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub fn run(global: &Global, reset: bool) -> Result<(), ExitError> {
    if global.read_only {
        return Err(ExitError::usage(
            "--read-only does not work with the demo, only with an account",
        ));
    }
    let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
    let size = check_terminal()?;
    signals::hold_stop_signal().map_err(|e| terminal_failed(&e))?;
    let dir = data.join("demo");
    paths::make_private_dir(&dir)
        .map_err(|e| ExitError::failed(format!("{}: {e}", dir.display())))?;
    let lock = lock(&dir)?;
    if reset {
        for name in [STORE, "gateway.db"] {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(dir.join(format!("{name}{suffix}")));
            }
        }
    }
    let last_run = LastRun::of(&dir);
    let config = config(global)?;
    let record = global.record.clone();
    let me = UserId::new(demo::ME);
    let users = demo::users();
    let background = background()?;
    let listener =
        background.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(no_gateway)?;
    let origin = format!("http://{}", listener.local_addr().map_err(no_gateway)?);
    let options = demo_client(&origin, &me, &users)?;
    let stop = CancellationToken::new();
    // The store is opened while the sample data is written.
    let (store, appearance, gateway) = std::thread::scope(|scope| {
        let gateway = scope.spawn(|| sample_gateway(&dir, users));
        (Store::open(&dir.join(STORE)), Appearance::of(global, &config), gateway.join())
    });
    let store = store.map_err(|e| ExitError::failed(e.to_string()))?;
    let appearance = appearance?;
    let gateway = gateway.map_err(|_| no_gateway("it stopped unexpectedly"))??;
    background.spawn(demo::answer(Arc::clone(&gateway)));
    let served =
        background.spawn(gateway::serve(listener, gateway, stop.clone().cancelled_owned()));
    let sync_options = sync::SyncOptions {
        grace: config.preferences.sending.grace(),
        ..sync::SyncOptions::default()
    };
    let setup = RunSetup {
        config,
        accounts: vec![(AccountId::new("demo"), me)],
        archives: Vec::new(),
        notices: Vec::new(),
        demo: true,
        size,
        dir,
        last_run,
        record,
        read_only: false,
        imports: None,
    };
    let (account, client) = (AccountId::new("demo"), Client::new(options));
    let live = LiveAccount { account, client, store, options: sync_options };
    let manager = ManagerSetup::default();
    manager.open.insert(&live.account, live.store.clone(), None);
    let result = converse(&background, setup, appearance, vec![live], manager);
    stop.cancel();
    let _ = background.block_on(async { tokio::time::timeout(PATIENCE, served).await });
    drop(lock);
    background.shutdown_background();
    result
}

fn no_gateway(error: impl std::fmt::Display) -> ExitError {
    ExitError::failed(format!("the sample gateway cannot start: {error}"))
}

/// Opens the gateway, and fills it with the sample data if it is new.
fn sample_gateway(dir: &Path, users: Vec<GatewayUser>) -> Result<Arc<GatewayState>, ExitError> {
    let db = Some(dir.join("gateway.db"));
    let options = GatewayOptions { db, users, ..GatewayOptions::default() };
    let gateway = gateway::open(options).map_err(no_gateway)?;
    demo::seed(&gateway).map_err(ExitError::failed)?;
    Ok(gateway)
}

/// The demo uses the user's keys and display settings, but not the accounts.
fn config(global: &Global) -> Result<Config, ExitError> {
    let file = paths::config_file(global.config.clone()).ok();
    let own = file.map(|f| Config::load(&f)).transpose();
    match own.map_err(|e| ExitError::usage(e.to_string()))?.flatten() {
        Some(config) => {
            hide_tokens(&config);
            Ok(config)
        }
        None => Config::builtin().map_err(|e| ExitError::failed(e.to_string())),
    }
}

fn demo_client(
    origin: &str,
    me: &UserId,
    users: &[GatewayUser],
) -> Result<ClientOptions, ExitError> {
    let base = |path: &str| {
        BaseUrl::parse(&format!("{origin}{path}")).map_err(|e| ExitError::failed(e.to_string()))
    };
    let token = users.iter().find(|u| u.id == *me).map(|u| u.token.clone()).unwrap_or_default();
    let mut options =
        ClientOptions::new(me.clone(), base("/v1")?, TokenSource::Fixed(Secret::new(token)));
    options.scheduler = Some(base("/scheduler")?);
    options.join = Some(base("/join")?);
    options.profiles = Some(base("/profiles")?);
    Ok(options)
}
