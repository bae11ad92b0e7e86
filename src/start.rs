//! The composition root: puts store, client, sync, gateway and loop together.

use self::last_run::LastRun;
use crate::app::view::layout::Size;
use crate::cli::archives::{ArchiveAccount, chosen};
use crate::cli::context::{ExitError, Session};
use crate::cli::{
    self, Cli, Command, Global, chats, doctor, export, import, log, logout, send, serve,
};
use crate::client::Client;
use crate::config::{Config, paths};
use crate::model::{AccountId, EmojiWidth, UserId};
use crate::runtime::device::{self, Device};
use crate::runtime::joined_emoji::TerminalHints;
use crate::runtime::keys::Questions;
use crate::runtime::notifier::NotifierHints;
use crate::runtime::recording::{Recorder, RecordingHeader};
use crate::runtime::signals;
use crate::runtime::spelling::SpellChecker;
use crate::runtime::terminal::{Tty, install_command_panic_hook, install_panic_hook};
use crate::runtime::{Editor, Wiring, keys, run};
use crate::store::{OpenArchives, Store};
use crate::sync::{self, GlobalRequests, RunningAccount, RunningAccounts};
use crate::ui::ColorDepth;
use account_manager::{ManagerSetup, OpenAccounts};
use accounts::{OpenedAccount, OpenedAccounts};
use appearance::Appearance;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use threads::{background, converse, runtime};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

mod account_manager;
mod accounts;
mod appearance;
mod archives;
mod demo;
mod first_run;
mod imports;
mod last_run;
mod log_file;
mod login;
mod patience;
mod reload;
mod replay;
mod spelling;
mod themes;
mod threads;

/// How long to wait at the end for pending writes.
const PATIENCE: Duration = Duration::from_millis(600);
/// The program ends within this time, whatever happens.
const END: Duration = Duration::from_secs(4);

/// Carries out a command line.
///
/// # Errors
/// One line for the user, and the exit status.
pub fn main(cli: Cli) -> Result<(), ExitError> {
    install_command_panic_hook();
    let shows_screen = matches!(cli.command, None | Some(Command::Demo { .. }));
    let Cli { global, command } = cli;
    let for_screen_only =
        [(global.read_only, "--read-only"), (global.record.is_some(), "--record")];
    if let Some((_, flag)) = for_screen_only.iter().find(|(given, _)| *given && !shows_screen) {
        return Err(ExitError::usage(format!("{flag} cannot be used with this command")));
    }
    log_file::start(&global, shows_screen)?;
    if let Err(error) = crate::process::protect_memory() {
        tracing::warn!(%error, "memory is not excluded from core dumps");
    }
    match command {
        None => tui(&global),
        Some(Command::Demo { reset }) => demo::run(&global, reset),
        Some(Command::Serve(arguments)) => runtime()?.block_on(serve::run(&arguments)),
        Some(Command::Chats { json }) => {
            if let Some(archive) = chosen(&global)? {
                return chats::run_archive(&archive, json);
            }
            let session = Session::open(&global)?;
            runtime()?.block_on(chats::run(&session, json))
        }
        Some(Command::Log(arguments)) => {
            if let Some(archive) = chosen(&global)? {
                return log::run_archive(&global, &archive, &arguments);
            }
            let session = Session::open(&global)?;
            runtime()?.block_on(log::run(&global, &session, &arguments))
        }
        Some(Command::Export(arguments)) => export::run(&global, &arguments),
        Some(Command::Import(arguments)) => runtime()?.block_on(import::run(&global, &arguments)),
        Some(Command::Send(arguments)) => {
            let session = Session::open(&global)?;
            runtime()?.block_on(send::run(&session, &arguments))
        }
        Some(Command::Login(arguments)) => {
            let session = Session::of(&global, arguments.account(&global))?;
            runtime()?.block_on(login::run(&session, &arguments))
        }
        Some(Command::Logout(arguments)) => {
            let session = Session::of(&global, arguments.account(&global))?;
            runtime()?.block_on(logout::run(&session))
        }
        Some(Command::Replay(arguments)) => replay::run(&arguments),
        Some(Command::Doctor(arguments)) => {
            let session = Session::of(&global, global.account.as_deref())?;
            let prefs = &session.config.preferences;
            let shown = NotifierHints::of_environment().description(&prefs.notifications);
            let mut screen = vec![("notifications", Ok(shown))];
            let dictionaries = spelling::dictionaries(&prefs.ui).into_iter();
            screen.extend(dictionaries.map(|dictionary| ("spell check", dictionary)));
            runtime()?.block_on(doctor::run(&session, &arguments, screen))
        }
        Some(Command::Keys(arguments)) => cli::keys::run(&global, &arguments),
        Some(Command::Man { command }) => cli::manual::man(command.as_deref()),
        Some(Command::Completions { shell }) => cli::manual::completions(shell),
        Some(Command::Config { command }) => {
            cli::config(&global, &command, &themes::names(&global), spelling::dictionaries)
        }
    }
}

/// A terminal that can show the program, or an error in one line.
fn check_terminal() -> Result<Size, ExitError> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(ExitError::usage(
            "this needs a terminal; for scripts there are skchat chats, log and send",
        ));
    }
    if std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty()) {
        return Err(ExitError::usage(
            "the terminal (TERM) cannot move its cursor; set TERM, or use skchat chats, log, send",
        ));
    }
    Ok(device::size().unwrap_or_default())
}

fn tui(global: &Global) -> Result<(), ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    let config = Config::load(&file).map_err(|e| ExitError::usage(e.to_string()))?;
    let has_account = config.as_ref().is_some_and(|c| !c.accounts.is_empty());
    let alone = archives::alone(global, config.as_ref())?;
    if !alone.is_empty() {
        return archives::run(global, config, alone);
    }
    if !has_account && global.account.is_none() {
        return first_run::run(global, &file);
    }
    let size = check_terminal()?;
    // Opening a store starts threads.
    signals::hold_stop_signal().map_err(|e| terminal_failed(&e))?;
    let OpenedAccounts { accounts, signed_out, notices } = accounts::open(global, config)?;
    let background = background()?;
    let archives = archives::beside(global)?;
    let owners = accounts.iter().map(OpenedAccount::owner);
    let owners = owners.chain(signed_out.iter().map(|s| (AccountId::new(&s.name), s.me.clone())));
    let owners = owners.chain(archives.iter().map(|a| (a.account(), a.owner.clone()))).collect();
    let last_run = LastRun::of_all(accounts.iter().map(|account| account.last_run));
    let open = OpenAccounts::default();
    let (mut live, mut first) = (Vec::new(), None);
    for account in accounts {
        open.insert(&account.live.account, account.live.store.clone(), account.lock);
        live.push(account.live);
        first.get_or_insert((account.session.config, account.session.dir));
    }
    let first = first.or_else(|| signed_out.first().map(|s| (s.config.clone(), s.dir.clone())));
    let (config, dir) = first.ok_or_else(|| ExitError::usage("there is no account"))?;
    let manager = ManagerSetup { open, signed_out };
    let setup = RunSetup {
        config,
        accounts: owners,
        archives,
        notices,
        demo: false,
        size,
        dir,
        last_run,
        record: global.record.clone(),
        read_only: global.read_only,
        imports: (!global.read_only).then(|| global.clone()),
    };
    let appearance = Appearance::of(global, &setup.config)?;
    let result = converse(&background, setup, appearance, live, manager);
    // Do not wait for threads that are blocked by a name server or a file.
    background.shutdown_background();
    result
}

fn terminal_failed(error: &std::io::Error) -> ExitError {
    ExitError::failed(format!("the terminal failed: {error}"))
}

/// What the loop is started with.
struct RunSetup {
    config: Config,
    /// All accounts with the user's own id in each, the archives last.
    accounts: Vec<(AccountId, UserId)>,
    /// The archives among them.
    archives: Vec<ArchiveAccount>,
    /// What to tell the user at the start.
    notices: Vec<String>,
    demo: bool,
    size: Size,
    /// The first account's private folder.
    dir: PathBuf,
    last_run: LastRun,
    /// Where the run is recorded.
    record: Option<PathBuf>,
    /// Another instance may have the account: nothing is written.
    read_only: bool,
    /// Exports can be imported, with these options.
    imports: Option<Global>,
}

/// The user's editor as a program and its arguments, never as a shell command.
fn editor_command() -> Vec<String> {
    let var = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let line = var("VISUAL").or_else(|| var("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    line.split_whitespace().map(str::to_owned).collect()
}

/// An account with a server.
struct LiveAccount {
    account: AccountId,
    client: Client,
    store: Store,
    options: sync::SyncOptions,
}

/// Starts the sync of all accounts.
fn start_accounts(
    setup: &RunSetup,
    live: Vec<LiveAccount>,
    opened: Vec<Store>,
    shown: &CancellationToken,
    archives: &OpenArchives,
) -> Result<Vec<RunningAccount>, ExitError> {
    let mut running = Vec::new();
    for LiveAccount { account, client, store, mut options } in live {
        options.shown = Some(shown.clone());
        options.archives = archives.clone();
        let begin = if setup.read_only { sync::start_offline } else { sync::start };
        let (handle, deltas) = begin(account.clone(), client, store, options);
        running.push(RunningAccount { account, handle, deltas });
    }
    for (archive, store) in setup.archives.iter().zip(opened) {
        running.push(archives::start(archive, store, archives)?);
    }
    Ok(running)
}

/// What to ask this terminal.
fn questions(device: &Device, emoji_width: EmojiWidth, depth: ColorDepth) -> Questions {
    let can_ask = TerminalHints::of_environment().should_ask(device.size().unwrap_or_default());
    Questions {
        emoji: can_ask && emoji_width == EmojiWidth::Auto,
        background: can_ask && depth.has_shades(),
    }
}

fn record(path: &Path, header: &RecordingHeader) -> Result<Recorder, ExitError> {
    Recorder::create(path, header.clone()).map_err(|e| {
        ExitError::usage(format!("the recording {} cannot be written: {e}", path.display()))
    })
}

async fn show(
    background: &Handle,
    mut setup: RunSetup,
    appearance: Appearance,
    live: Vec<LiveAccount>,
    manager: ManagerSetup,
) -> Result<(), ExitError> {
    let opened = archives::open(&mut setup)?;
    let Appearance { mut prefs, depth, themes, problems } = appearance;
    prefs.demo = setup.demo;
    prefs.read_only = setup.read_only;
    let notices = [setup.notices.as_slice(), problems.as_slice()].concat();
    let header = replay::header(&setup, &prefs, depth);
    let recorder = setup.record.as_deref().map(|path| record(path, &header)).transpose()?;
    let (stop, shown) = (CancellationToken::new(), CancellationToken::new());
    let open = manager.open.clone();
    let (imports_in, import_requests) = mpsc::channel(imports::QUEUE);
    let (accounts_in, account_requests) = mpsc::channel(account_manager::QUEUE);
    let writes = setup.imports.is_some();
    let global = GlobalRequests {
        imports: writes.then_some(imports_in),
        accounts: (writes && !setup.read_only).then_some(accounts_in),
    };
    let archives = OpenArchives::default();
    let mut changes = None;
    let (handle, deltas) = {
        let _inside = background.enter();
        let running = start_accounts(&setup, live, opened, &shown, &archives)?;
        let (handle, deltas, joiner) = RunningAccounts::join(running, &notices, global);
        if let Some((account, _)) = setup.accounts.first() {
            reload::watch(&setup.config, account.clone(), joiner.clone());
        }
        if let Some(global) = setup.imports.clone() {
            let known = setup.archives.iter().map(ArchiveAccount::account).collect();
            let (global_of, joins, opened) = (global.clone(), joiner.clone(), archives.clone());
            changes = Some(manager.serve(global_of, joins, opened, account_requests));
            imports::serve(imports::Imports { global, archives, joiner }, known, import_requests);
        }
        (handle, deltas)
    };
    let mut model = replay::first_model(prefs, &header).map_err(ExitError::failed)?;
    install_panic_hook();
    let result = {
        let device = Device::open().map_err(|e| terminal_failed(&e))?;
        let stops = signals::watch_for_stops(&stop).map_err(|e| terminal_failed(&e))?;
        {
            let _inside = background.enter();
            signals::watch_for_the_end(&stop).map_err(|e| terminal_failed(&e))?;
        }
        let ui = &setup.config.preferences.ui;
        let questions = questions(&device, ui.emoji_width, depth);
        let events = keys::events(&device, questions).map_err(|e| terminal_failed(&e))?;
        let links = setup.config.preferences.links.hyperlinks;
        let surface =
            Tty::new(device, model.app.prefs.reorders(), questions, ui.mouse, links, ui.glyphs)
                .map_err(|e| terminal_failed(&e))?;
        let wiring = Wiring {
            surface,
            events,
            stops,
            deltas,
            requests: handle.requests.clone(),
            stop,
            shown,
            editor: Editor { command: editor_command(), dir: setup.dir.clone() },
            spelling: SpellChecker::new(spelling::own_words(&setup.dir, setup.demo)),
            recorder,
        };
        run(&mut model, &themes, wiring).await
    };
    signals::end_within(END);
    handle.stop(PATIENCE).await;
    if let Some(changes) = changes {
        // Completes a change of the accounts that was requested last.
        let _ = tokio::time::timeout(PATIENCE, changes).await;
    }
    close_stores(&open, setup.read_only).await;
    result.map_err(|e| terminal_failed(&e))
}

/// Writes the logs of the stores back.
async fn close_stores(open: &OpenAccounts, read_only: bool) {
    // A read-only store has nothing to write back.
    for store in open.stores().iter().filter(|_| !read_only) {
        if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, store.close()).await {
            tracing::warn!(%error, "the store's log was not written back");
        }
    }
}
