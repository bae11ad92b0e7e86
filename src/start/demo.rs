//! `skchat demo`: the program over a gateway of its own with sample people.

use super::last_run::LastRun;
use super::{
    LiveAccount, ManagerSetup, PATIENCE, RunSetup, background, check_terminal, converse,
    terminal_failed,
};
use crate::cli::Global;
use crate::cli::context::{ExitError, STORE, hide_tokens, lock};
use crate::client::{BaseUrl, Client, ClientOptions, Secret, TokenSource};
use crate::config::{Config, paths};
use crate::gateway::{self, GatewayOptions, GatewayUser, demo};
use crate::model::{AccountId, UserId};
use crate::runtime::signals;
use crate::store::Store;
use crate::sync;
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
    let store = Store::open(&dir.join(STORE)).map_err(|e| ExitError::failed(e.to_string()))?;
    let config = config(global)?;
    let record = global.record.clone();
    let me = UserId::new(demo::ME);
    let users = demo::users();
    let background = background()?;
    let fail = |e: &dyn std::fmt::Display| {
        ExitError::failed(format!("the sample gateway cannot start: {e}"))
    };
    let listener =
        background.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(|e| fail(&e))?;
    let origin = format!("http://{}", listener.local_addr().map_err(|e| fail(&e))?);
    let options = demo_client(&origin, &me, &users)?;
    let db = Some(dir.join("gateway.db"));
    let stop = CancellationToken::new();
    let served = {
        let _inside = background.enter();
        let options = GatewayOptions { db, users, ..GatewayOptions::default() };
        let gateway = gateway::open(options).map_err(|e| fail(&e))?;
        demo::seed(&gateway).map_err(ExitError::failed)?;
        tokio::spawn(demo::answer(Arc::clone(&gateway)));
        tokio::spawn(gateway::serve(listener, gateway, stop.clone().cancelled_owned()))
    };
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
    let result = converse(&background, setup, vec![live], manager);
    stop.cancel();
    let _ = background.block_on(async { tokio::time::timeout(PATIENCE, served).await });
    drop(lock);
    background.shutdown_background();
    result
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
