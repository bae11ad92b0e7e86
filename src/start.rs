//! The composition root: puts store, client, sync, gateway and loop together.

use crate::app::Model;
use crate::app::areas::Size;
use crate::app::overlay::Overlay;
use crate::app::state::{Prefs, Receipts};
use crate::cli::context::{Failure, STORE, Session};
use crate::cli::{
    Cli, Command, ConfigCommand, Global, account, chats, config_check, log, send, serve,
};
use crate::client::{Base, Client, Options, Secret, TokenSource};
use crate::config::{Bidi, Config, paths};
use crate::gateway::{self, User, demo};
use crate::model::{EmojiWidth, UserId};
use crate::runtime::terminal::{Tty, install_panic_hook, watch_for_the_end};
use crate::runtime::{Editor, Wiring, run};
use crate::store::Store;
use crate::sync;
use crate::ui::{ColorDepth, Theme};
use crossterm::event::EventStream;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const THEME: &str = include_str!("../assets/theme.toml");
/// A log larger than this is put aside at the next start.
const MAX_LOG: u64 = 1024 * 1024;
/// What is being written at the end may take this long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Carries out a command line.
///
/// # Errors
/// One line for the user, and the exit status.
pub fn main(cli: Cli) -> Result<(), Failure> {
    let shows_screen = matches!(cli.command, None | Some(Command::Demo { .. }));
    start_log(&cli.global, shows_screen)?;
    let Cli { global, command } = cli;
    match command {
        None => tui(&global),
        Some(Command::Demo { reset }) => demo(&global, reset),
        Some(Command::Serve(arguments)) => runtime()?.block_on(serve::run(&arguments)),
        Some(Command::Chats { json }) => {
            let session = Session::open(&global)?;
            runtime()?.block_on(chats::run(&session, json))
        }
        Some(Command::Log(arguments)) => {
            let session = Session::open(&global)?;
            runtime()?.block_on(log::run(&session, &arguments))
        }
        Some(Command::Send(arguments)) => {
            let session = Session::open(&global)?;
            runtime()?.block_on(send::run(&session, &arguments))
        }
        Some(Command::Config { command: ConfigCommand::Check }) => config_check::run(&global),
    }
}

/// Where asked for, and for the program with a screen below the data folder. Never text, names or tokens.
fn start_log(global: &Global, shows_screen: bool) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = match (&global.log, shows_screen) {
        (Some(path), _) => path.clone(),
        (None, false) => return Ok(()),
        (None, true) => {
            // Without a place for it, or on a full disk, the program runs all the same.
            let Ok(dir) = paths::data_dir(global.data_dir.clone()).map(|d| d.join("logs")) else {
                return Ok(());
            };
            let path = dir.join("skchat.log");
            if paths::make_dir(&dir).is_err() {
                return Ok(());
            }
            if std::fs::metadata(&path).is_ok_and(|m| m.len() > MAX_LOG) {
                let _ = std::fs::rename(&path, dir.join("skchat.log.old"));
            }
            path
        }
    };
    let path = &path;
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let file =
        file.map_err(|e| Failure::usage(format!("{} cannot be written: {e}", path.display())))?;
    tracing_subscriber::fmt()
        .with_writer(std::sync::Mutex::new(file))
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("the program cannot start its threads: {e}")))
}

/// A terminal that can show the program, or one clear line.
fn check_terminal() -> Result<Size, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::usage(
            "this needs a terminal; for scripts there are skchat chats, log and send",
        ));
    }
    if std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty()) {
        return Err(Failure::usage(
            "the terminal (TERM) cannot move its cursor; set TERM, or use skchat chats, log, send",
        ));
    }
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    Ok(Size { columns, rows })
}

fn tui(global: &Global) -> Result<(), Failure> {
    let file = paths::config_file(global.config.clone()).map_err(Failure::usage)?;
    let config = Config::load(&file).map_err(|e| Failure::usage(e.to_string()))?;
    let has_account = config.as_ref().is_some_and(|c| !c.accounts.is_empty());
    if !has_account && global.account.is_none() {
        check_terminal()?;
        return first_run(global, &file);
    }
    let session = Session::open(global)?;
    let size = check_terminal()?;
    let first_start = !session.dir.join(STORE).exists();
    let (_lock, store) = open_store(&session.dir)?;
    let client = session.client()?;
    let options = account::sync_options(&session.config, &session.account);
    let dir = session.dir.clone();
    let setting =
        Setting { config: session.config, me: session.me, demo: false, size, dir, first_start };
    runtime()?.block_on(converse(setting, client, store, options, None))
}

/// Without any account: what to do, in three lines.
fn first_run(global: &Global, file: &Path) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    let text = format!(
        "\n  skchat {} — Skype's chat protocol in the terminal\n\n  \
         1  Look around with sample conversations   (nothing leaves this machine)\n  \
         2  How to add an account\n  q  Quit\n\n  Choose 1, 2 or q, Enter = 1: ",
        env!("CARGO_PKG_VERSION")
    );
    let _ = write!(out, "{text}");
    let _ = out.flush();
    loop {
        let mut line = String::new();
        match std::io::stdin().read_line(&mut line) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        match line.trim() {
            "" | "1" => return demo(global, false),
            "2" => {
                let _ = writeln!(
                    out,
                    "\n  Put this into {}, with your own id and gateway:\n\n    [accounts.home]\n    \
                     user_id = \"8:anna.7\"\n    gateway = \"http://127.0.0.1:8080/v1\"\n    \
                     token   = {{ file = \"/path/to/token\" }}\n\n  config.example.toml explains every line; \
                     skchat config check tells what is wrong.\n  skchat serve runs a gateway of your own.",
                    file.display()
                );
                return Ok(());
            }
            "q" | "Q" => return Ok(()),
            _ => {
                let _ = write!(out, "  1, 2 or q: ");
                let _ = out.flush();
            }
        }
    }
}

fn demo(global: &Global, reset: bool) -> Result<(), Failure> {
    let data = paths::data_dir(global.data_dir.clone()).map_err(Failure::usage)?;
    let size = check_terminal()?;
    let dir = data.join("demo");
    paths::make_dir(&dir).map_err(|e| Failure::failed(format!("{}: {e}", dir.display())))?;
    let lock = lock(&dir)?;
    if reset {
        for name in [STORE, "gateway.db"] {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(dir.join(format!("{name}{suffix}")));
            }
        }
    }
    let first_start = !dir.join(STORE).exists();
    let store = Store::open(&dir.join(STORE)).map_err(|e| Failure::failed(e.to_string()))?;
    // The user's keys and ways of showing hold here, too; the accounts have no part in it.
    let file = paths::config_file(global.config.clone()).ok();
    let own = file.map(|f| Config::load(&f)).transpose();
    let own = own.map_err(|e| Failure::usage(e.to_string()))?.flatten();
    let config = match own {
        Some(config) => config,
        None => Config::builtin().map_err(|e| Failure::failed(e.to_string()))?,
    };
    let me = UserId::new(demo::ME);
    let users = demo::users();
    runtime()?.block_on(async move {
        let _lock = lock;
        let fail = |e: &dyn std::fmt::Display| {
            Failure::failed(format!("the sample world cannot start: {e}"))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| fail(&e))?;
        let origin = format!("http://{}", listener.local_addr().map_err(|e| fail(&e))?);
        let options = demo_client(&origin, &me, &users)?;
        let db = Some(dir.join("gateway.db"));
        let world =
            gateway::open(gateway::Options { db, users, ..gateway::Options::default() }, origin)
                .map_err(|e| fail(&e))?;
        demo::seed(&world).map_err(Failure::failed)?;
        tokio::spawn(demo::answer(Arc::clone(&world)));
        let stop = CancellationToken::new();
        let served = tokio::spawn(gateway::serve(listener, world, stop.clone().cancelled_owned()));
        let sync_options =
            sync::Options { grace: account::grace(&config), ..sync::Options::default() };
        let setting = Setting { config, me, demo: true, size, dir, first_start };
        let result = converse(setting, Client::new(options), store, sync_options, None).await;
        stop.cancel();
        let _ = tokio::time::timeout(PATIENCE, served).await;
        result
    })
}

fn demo_client(origin: &str, me: &UserId, users: &[User]) -> Result<Options, Failure> {
    let base = |path: &str| {
        Base::parse(&format!("{origin}{path}")).map_err(|e| Failure::failed(e.to_string()))
    };
    let token = users.iter().find(|u| u.id == *me).map(|u| u.token.clone()).unwrap_or_default();
    let mut options =
        Options::new(me.clone(), base("/v1")?, TokenSource::Fixed(Secret::new(token)));
    options.scheduler = Some(base("/scheduler")?);
    options.join = Some(base("/join")?);
    options.profiles = Some(base("/profiles")?);
    Ok(options)
}

/// Opens the account's store, after its lock.
fn open_store(dir: &Path) -> Result<(File, Store), Failure> {
    paths::make_dir(dir).map_err(|e| Failure::failed(format!("{}: {e}", dir.display())))?;
    let lock = lock(dir)?;
    let file = dir.join(STORE);
    let store =
        Store::open(&file).map_err(|e| Failure::failed(format!("{}: {e}", file.display())))?;
    Ok((lock, store))
}

/// One program on one account: the lock is held as long as the file is open.
fn lock(dir: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|e| Failure::failed(format!("{}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failure::failed(format!(
            "another skchat is open on {}; skchat chats, log and send work beside it",
            dir.display()
        ))),
        Err(std::fs::TryLockError::Error(e)) => {
            Err(Failure::failed(format!("{}: {e}", path.display())))
        }
    }
}

/// What the loop is started with.
struct Setting {
    config: Config,
    me: UserId,
    demo: bool,
    size: Size,
    /// The account's private folder.
    dir: PathBuf,
    /// There was no store here before.
    first_start: bool,
}

/// The user's editor, by its words: a program and its arguments, never a shell.
fn editor_command() -> Vec<String> {
    let var = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let line = var("VISUAL").or_else(|| var("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    line.split_whitespace().map(str::to_owned).collect()
}

/// Preferences of a run.
///
/// # Errors
/// When the system has no random numbers.
fn prefs(setting: &Setting) -> Result<Prefs, Failure> {
    // Random, so that two runs never use the same client id; below 2^62, so that counting up never wraps.
    let random =
        getrandom::u64().map_err(|_| Failure::failed("the system gives no random numbers"))?;
    Ok(Prefs {
        me: setting.me.clone(),
        zone: jiff::tz::TimeZone::system(),
        keymap: Arc::new(setting.config.keymap.clone()),
        typing: setting.config.ui.typing,
        receipts: match setting.config.reading.receipts {
            crate::config::Receipts::Auto => Receipts::Auto,
            crate::config::Receipts::OnReply => Receipts::OnReply,
            crate::config::Receipts::Manual => Receipts::Manual,
            crate::config::Receipts::Never => Receipts::Never,
        },
        demo: setting.demo,
        emoji: account::emoji(&setting.config.ui),
        emoji_width: match setting.config.ui.emoji_width {
            crate::config::EmojiWidth::Cluster => EmojiWidth::Cluster,
            crate::config::EmojiWidth::Sum => EmojiWidth::Sum,
        },
        reorder: reorders(setting.config.ui.bidi),
        markup: setting.config.sending.markup,
        grace: Duration::from_secs(setting.config.sending.grace_seconds),
        read_only: false,
        first_client_id: random >> 2 | 1 << 61,
    })
}

async fn converse(
    setting: Setting,
    client: Client,
    store: Store,
    options: sync::Options,
    stop: Option<CancellationToken>,
) -> Result<(), Failure> {
    let prefs = prefs(&setting)?;
    let theme =
        Theme::new(THEME, color_depth(), setting.config.ui.blink).map_err(Failure::failed)?;
    let stop = stop.unwrap_or_default();
    let (handle, deltas) = sync::start(client, store.clone(), options);
    let mut model = Model::new(prefs, setting.size);
    if setting.first_start {
        model.app.overlay = Some(Overlay::Card);
    }
    for warning in setting.config.warnings.iter().take(1) {
        model.app.complain(warning);
    }
    install_panic_hook();
    let failed = |e: std::io::Error| Failure::failed(format!("the terminal failed: {e}"));
    let result = {
        let surface = Tty::new(model.app.prefs.reorder).map_err(failed)?;
        watch_for_the_end(&stop).map_err(failed)?;
        let wiring = Wiring {
            surface,
            open_events: EventStream::new,
            deltas,
            requests: handle.requests.clone(),
            stop,
            editor: Editor { command: editor_command(), dir: setting.dir.clone() },
        };
        run(&mut model, &theme, wiring).await
    };
    handle.stop(PATIENCE).await;
    if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, store.close()).await {
        tracing::warn!(%error, "the store's log was not written back");
    }
    result.map_err(failed)
}

/// Whether right-to-left text is put into order here. The terminals that do it themselves and cannot be told not to
/// are known by what they put into the environment.
fn reorders(bidi: Bidi) -> bool {
    let has = |name: &str| std::env::var_os(name).is_some();
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v.starts_with(value));
    match bidi {
        Bidi::Reorder => true,
        Bidi::Terminal => false,
        Bidi::Auto => {
            !has("KONSOLE_VERSION")
                && !is("TERM_PROGRAM", "Apple_Terminal")
                && !is("TERM", "mlterm")
        }
    }
}

/// What the terminal says it can show; `NO_COLOR` wins.
fn color_depth() -> ColorDepth {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    if !var("NO_COLOR").is_empty() {
        ColorDepth::None
    } else if matches!(var("COLORTERM").as_str(), "truecolor" | "24bit") {
        ColorDepth::True
    } else if var("TERM").contains("256color") {
        ColorDepth::Indexed
    } else {
        ColorDepth::Sixteen
    }
}
