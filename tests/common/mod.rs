//! What the tests share: a gateway on a free port, and the whole program on a screen in memory.
#![expect(dead_code, reason = "each test file uses its own part of this")]

pub mod checks;
pub mod clock;
pub mod export;
pub mod fixture;
pub mod kill;
pub mod outages;
pub mod random;
pub mod rates;
pub mod scripted;
pub mod served;
pub mod session_bus;
pub mod terminal;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use fixture::key;
use skchat::app::keymap::builtin_keymap;
use skchat::app::view::layout::Size;
use skchat::app::{Account, Accounts, Model, Prefs};
use skchat::client::{BaseUrl, Client, ClientOptions, Secret, TokenSource};
use skchat::gateway::{self, GatewayState, GatewayUser};
use skchat::model::{AccountId, AuthStyle, DesktopWay, PollMode, Receipts, UserId};
use skchat::runtime::keys::TerminalEvent;
pub use skchat::runtime::recording::picture;
use skchat::runtime::spelling::SpellChecker;
use skchat::runtime::{Editor, Surface, Wiring, run};
use skchat::store::Store;
use skchat::sync;
use skchat::ui::{ColorDepth, ScreenFrame, Themes};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const ANNA: &str = "8:anna.7";
pub const JOE: &str = "8:joe.4";
pub const MIA: &str = "8:mia.tan";
/// Longer than anything takes on a slow machine: a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway for one test.
pub struct Gateway {
    pub state: Arc<GatewayState>,
    pub origin: String,
    port: u16,
    stop: CancellationToken,
    task: JoinHandle<()>,
    dir: Arc<TempDir>,
    configure: Configure,
}

/// What a test changes in the options of its gateway.
type Configure = Arc<dyn Fn(&mut gateway::GatewayOptions) + Send + Sync>;

pub fn users() -> Vec<GatewayUser> {
    [(ANNA, "Anna Lindqvist"), (JOE, "Joe Bloggs"), (MIA, "Mia Tan")]
        .into_iter()
        .map(|(id, name)| GatewayUser { id: UserId::new(id), token: token(id), name: name.into() })
        .collect()
}

pub fn token(id: &str) -> String {
    format!("token-of-{id}")
}

impl Gateway {
    pub async fn start() -> Self {
        Self::with(true, true).await
    }

    pub async fn with(long_poll: bool, deduplicate: bool) -> Self {
        Self::configured(move |options| {
            options.long_poll = long_poll;
            options.deduplicate = deduplicate;
        })
        .await
    }

    pub async fn configured(
        configure: impl Fn(&mut gateway::GatewayOptions) + Send + Sync + 'static,
    ) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self::on(0, dir, Arc::new(configure)).await
    }

    async fn on(port: u16, dir: Arc<TempDir>, configure: Configure) -> Self {
        let listener = bind(port).await;
        let port = listener.local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let mut options = gateway::GatewayOptions {
            db: Some(dir.path().join("gateway.db")),
            users: users(),
            poll_wait: Duration::from_secs(2),
            ..gateway::GatewayOptions::default()
        };
        configure(&mut options);
        let state = gateway::open(options).unwrap();
        let stop = CancellationToken::new();
        let serving = gateway::serve(listener, state.clone(), stop.clone().cancelled_owned());
        let ended = stop.clone();
        let task = tokio::spawn(async move {
            // Idle kept-alive connections would delay a graceful shutdown.
            tokio::select! {
                result = serving => result.unwrap(),
                () = async { ended.cancelled().await; tokio::task::yield_now().await; } => {}
            }
        });
        Self { state, origin, port, stop, task, dir, configure }
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops it; the database remains.
    pub async fn stop(self) -> Stopped {
        self.stop.cancel();
        self.task.await.unwrap();
        Stopped { port: self.port, dir: self.dir, configure: self.configure }
    }

    pub fn base(&self, path: &str) -> BaseUrl {
        BaseUrl::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    pub fn options(&self, user: &str) -> ClientOptions {
        let token = TokenSource::Fixed(Secret::new(token(user)));
        let mut options = ClientOptions::new(UserId::new(user), self.base("/v1"), token);
        options.scheduler = Some(self.base("/scheduler"));
        options.join = Some(self.base("/join"));
        options.profiles = Some(self.base("/profiles"));
        options.timeout = Duration::from_secs(5);
        options.poll_timeout = Duration::from_secs(7);
        options
    }

    pub fn client(&self, user: &str) -> Client {
        Client::new(self.options(user))
    }

    pub fn client_with(&self, user: &str, auth: AuthStyle) -> Client {
        let mut options = self.options(user);
        options.auth = auth;
        Client::new(options)
    }

    /// Requests so far whose method and path contain these.
    pub fn requests(&self, method: &str, path: &str) -> usize {
        self.state.faults().count(method, path)
    }

    /// Waits until there are this many of them.
    pub async fn until(&self, method: &str, path: &str, count: usize) {
        let wait = tokio::time::timeout(PATIENCE, async {
            self.state.faults().until(method, path, count).await;
        });
        wait.await.unwrap_or_else(|_| panic!("waited for {count} times {method} {path}"));
    }
}

async fn bind(port: u16) -> TcpListener {
    let bound = tokio::time::timeout(PATIENCE, async {
        loop {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => return listener,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    bound.await.expect("the port is free")
}

/// A stopped gateway, which can be started again.
pub struct Stopped {
    port: u16,
    dir: Arc<TempDir>,
    configure: Configure,
}

impl Stopped {
    /// Starts on the same port, with the same database.
    pub async fn start_again(self) -> Gateway {
        Gateway::on(self.port, self.dir, self.configure).await
    }

    /// The same, with other options.
    pub async fn start_configured(
        self,
        configure: impl Fn(&mut gateway::GatewayOptions) + Send + Sync + 'static,
    ) -> Gateway {
        Gateway::on(self.port, self.dir, Arc::new(configure)).await
    }
}

/// A screen in memory that reports every frame.
struct Memory {
    shown: watch::Sender<String>,
    copied: Arc<std::sync::Mutex<Vec<String>>>,
    size: watch::Receiver<(u16, u16)>,
    frames: Arc<AtomicU64>,
}

impl Surface for Memory {
    fn draw(&mut self, frame: &ScreenFrame<'_>) -> io::Result<()> {
        self.frames.fetch_add(1, Ordering::SeqCst);
        self.shown.send_replace(picture(frame.cells));
        Ok(())
    }
    fn invalidate(&mut self) {}
    fn copy(&mut self, text: &str) -> io::Result<bool> {
        self.copied.lock().unwrap().push(text.to_owned());
        Ok(true)
    }
    fn release(&mut self) {}
    fn retake(&mut self) -> io::Result<Size> {
        let (columns, rows) = *self.size.borrow();
        Ok(Size { columns, rows })
    }
    fn stop(&mut self) {}
    fn set_title(&mut self, _title: &str) -> io::Result<()> {
        Ok(())
    }
}

/// How a program under test is started.
pub struct Setup<'a> {
    pub user: &'a str,
    pub poll: PollMode,
    pub size: (u16, u16),
    pub dir: Option<&'a Path>,
    pub receipts: Receipts,
    pub editor: &'a [&'a str],
    /// How long a message can be cancelled before it is sent.
    pub grace: Duration,
    /// First and longest wait between two attempts.
    pub backoff: (Duration, Duration),
    /// Accepted messages have to be seen in a page.
    pub seen_within: Option<Duration>,
    /// How often the list is asked for where there is no long poll.
    pub intervals: Option<sync::PollIntervals>,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            user: ANNA,
            poll: PollMode::Auto,
            size: (80, 24),
            dir: None,
            receipts: Receipts::Auto,
            editor: &[],
            grace: Duration::ZERO,
            backoff: (Duration::from_millis(100), Duration::from_millis(500)),
            seen_within: None,
            intervals: None,
        }
    }
}

/// The whole program: real loop, real sync, real store, real sockets; only the terminal is in memory.
pub struct Runner {
    keys: mpsc::Sender<io::Result<Event>>,
    shown: watch::Receiver<String>,
    size: watch::Sender<(u16, u16)>,
    copied: Arc<std::sync::Mutex<Vec<String>>>,
    pub frames: Arc<AtomicU64>,
    task: JoinHandle<()>,
    _dir: Option<TempDir>,
}

impl Runner {
    #[expect(clippy::unused_async, reason = "reads like everything else that starts")]
    pub async fn start(gateway: &Gateway, user: &str) -> Self {
        Self::launch(gateway.options(user), &Setup { user, ..Setup::default() })
    }

    #[expect(clippy::unused_async, reason = "reads like everything else that starts")]
    pub async fn with(gateway: &Gateway, setup: Setup<'_>) -> Self {
        Self::launch(gateway.options(setup.user), &setup)
    }

    pub fn launch(options: ClientOptions, setup: &Setup<'_>) -> Self {
        Self::launch_all(vec![("home", options)], setup)
    }

    /// Starts the program with several accounts, by name.
    pub fn launch_all(accounts: Vec<(&str, ClientOptions)>, setup: &Setup<'_>) -> Self {
        let own = if setup.dir.is_none() { Some(tempfile::tempdir().unwrap()) } else { None };
        let dir = setup.dir.or_else(|| own.as_ref().map(TempDir::path)).unwrap();
        let first_frame = CancellationToken::new();
        let sync_options = sync::SyncOptions {
            poll: setup.poll,
            interval: Duration::from_millis(150),
            intervals: setup.intervals,
            backoff_base: setup.backoff.0,
            backoff_cap: setup.backoff.1,
            page: 50,
            grace: setup.grace,
            seen_within: setup.seen_within,
            shown: Some(first_frame.clone()),
            ..sync::SyncOptions::default()
        };
        let (mut running, mut shown_accounts) = (Vec::new(), Vec::new());
        for (n, (name, options)) in accounts.into_iter().enumerate() {
            let file = if n == 0 { "store.db".to_owned() } else { format!("{name}.db") };
            let store = Store::open(&dir.join(file)).unwrap();
            clock::wait_for(&store);
            let account = AccountId::new(name);
            shown_accounts.push(Account::new(account.clone(), options.user.clone()));
            let client = Client::new(options);
            let (handle, deltas) =
                sync::start(account.clone(), client, store, sync_options.clone());
            running.push(sync::RunningAccount { account, handle, deltas });
        }
        let (handle, deltas, _) =
            sync::RunningAccounts::join(running, &[], sync::GlobalRequests::default());
        let (columns, rows) = setup.size;
        let mut prefs = Prefs::plain(Arc::new(builtin_keymap().unwrap()));
        prefs.first_client_id = getrandom::u64().unwrap() >> 2;
        prefs.choices.ui.typing = true;
        // Not on the desktop of the person who runs the tests.
        prefs.choices.notifications.desktop = DesktopWay::Off;
        prefs.choices.reading.receipts = setup.receipts;
        prefs.choices.sending.grace_seconds = setup.grace.as_secs();
        let themes = Themes::built_in(ColorDepth::True, false).unwrap();
        let (keys, events) = mpsc::channel::<io::Result<Event>>(256);
        let (shown_sender, shown) = watch::channel(String::new());
        let (size, size_receiver) = watch::channel(setup.size);
        let copied = Arc::new(std::sync::Mutex::new(Vec::new()));
        let frames = Arc::new(AtomicU64::new(0));
        let surface = Memory {
            shown: shown_sender,
            copied: Arc::clone(&copied),
            size: size_receiver,
            frames: Arc::clone(&frames),
        };
        let events = Box::pin(futures_util::stream::unfold(events, |mut events| async move {
            let event = events.recv().await?;
            Some((event.map(TerminalEvent::Input), events))
        }));
        let (_stops, stops) = mpsc::channel(1);
        let editor = Editor {
            command: setup.editor.iter().map(|word| (*word).to_owned()).collect(),
            dir: dir.to_owned(),
        };
        let spelling = SpellChecker::new(dir.join("words.txt"));
        let requests = handle.requests.clone();
        let task = tokio::spawn(async move {
            let accounts = Accounts::new(shown_accounts.remove(0), shown_accounts);
            let mut model = Model::new(prefs, accounts, Size { columns, rows });
            let stop = CancellationToken::new();
            let wiring = Wiring {
                surface,
                events,
                stops,
                deltas,
                requests,
                stop,
                shown: first_frame,
                editor,
                spelling,
                recorder: None,
            };
            run(&mut model, &themes, wiring).await.unwrap();
            handle.stop(PATIENCE).await;
        });
        Self { keys, shown, size, copied, frames, task, _dir: own }
    }

    /// Waits until the screen shows `text`; if it never does, the panic contains the last screen.
    pub async fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(&format!("{text:?} to appear"), |screen| screen.contains(text)).await
    }

    pub async fn wait_gone(&mut self, text: &str) -> String {
        self.wait_until(&format!("{text:?} to go away"), |screen| !screen.contains(text)).await
    }

    pub async fn wait_until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let mut shown = self.shown.clone();
        let found = tokio::time::timeout(PATIENCE, shown.wait_for(|screen| is_so(screen))).await;
        let found = found.ok().and_then(Result::ok).map(|screen| screen.clone());
        match found {
            Some(screen) => screen,
            None => panic!("waited for {what}; the screen was\n{}", self.screen()),
        }
    }

    /// Presses a key repeatedly until the screen is as wanted: what the key leads to may have to be loaded first.
    pub async fn press_until(
        &mut self,
        chord: &str,
        what: &str,
        is_so: impl Fn(&str) -> bool,
    ) -> String {
        let mut shown = self.shown.clone();
        for _ in 0..400 {
            self.press(&[chord]).await;
            let turn = shown.wait_for(|screen| is_so(screen));
            if let Ok(found) = tokio::time::timeout(Duration::from_millis(50), turn).await {
                return found.unwrap().clone();
            }
        }
        panic!("pressed {chord} for {what}; the screen was\n{}", self.screen());
    }

    pub fn screen(&self) -> String {
        self.shown.borrow().clone()
    }

    pub fn copied(&self) -> Vec<String> {
        self.copied.lock().unwrap().clone()
    }

    /// Waits until something was copied, and returns the last of it.
    pub async fn wait_copied(&mut self) -> String {
        let copied = Arc::clone(&self.copied);
        self.wait_until("something to be copied", |_| !copied.lock().unwrap().is_empty()).await;
        self.copied().pop().unwrap()
    }

    pub async fn type_text(&self, text: &str) {
        for c in text.chars() {
            self.send(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))).await;
        }
    }

    /// Presses keys such as `"ctrl-k"`, `"enter"`.
    pub async fn press(&self, chords: &[&str]) {
        for chord in chords {
            self.send(Event::Key(key(chord))).await;
        }
    }

    pub async fn paste(&self, text: &str) {
        self.send(Event::Paste(text.into())).await;
    }

    pub async fn resize(&self, columns: u16, rows: u16) {
        self.size.send_replace((columns, rows));
        self.send(Event::Resize(columns, rows)).await;
    }

    async fn send(&self, event: Event) {
        self.keys.send(Ok(event)).await.unwrap();
    }

    pub async fn say(&self, text: &str) {
        self.type_text(text).await;
        self.press(&["enter"]).await;
    }

    /// Opens a conversation by its name or id.
    pub async fn open(&mut self, name: &str) {
        self.press(&["ctrl-k"]).await;
        self.wait_for("Find a chat").await;
        self.type_text(name).await;
        self.wait_for(&format!("› {name}")).await;
        self.press(&["enter"]).await;
        self.wait_gone("Find a chat").await;
    }

    /// Waits until the screen shows `text`, while the clock is moved on.
    pub async fn passes(&mut self, clock: &clock::SteppedClock, text: &str) {
        let shown = self.shown.clone();
        let is_so = || shown.borrow().contains(text);
        let is_so = clock.pass_until(Duration::from_secs(300), is_so).await;
        assert!(is_so, "waited for {text:?}; the screen was\n{}", self.screen());
    }

    /// Quits, while the clock is moved on.
    pub async fn end(self, clock: &clock::SteppedClock) {
        // The program asks about messages that have not been sent.
        self.press(&["ctrl-q"]).await;
        clock.pass(Duration::from_secs(1)).await;
        if !self.task.is_finished() {
            self.press(&["ctrl-q"]).await;
        }
        assert!(clock.pass_until(PATIENCE, || self.task.is_finished()).await, "quits");
    }

    /// Waits until the program has ended, after it was told to.
    pub async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.task).await.expect("ends").unwrap();
    }

    pub async fn quit(self) {
        self.press(&["ctrl-q"]).await;
        tokio::time::timeout(PATIENCE, self.task).await.expect("quits").unwrap();
    }
}

/// Sends a message as someone, without a screen.
pub async fn say_as(client: &Client, to: &str, text: &str) -> String {
    use skchat::model::{ClientMessageId, ConversationId, Outgoing};
    let outgoing = Outgoing { text: text.into(), ..Outgoing::default() };
    let id = ClientMessageId::from(getrandom::u64().unwrap().to_string());
    let sent = client.send(&ConversationId::new(to), &outgoing, &id, "").await.unwrap();
    sent.key.unwrap().id.to_string()
}

/// A group of Anna (admin), Joe and Mia.
pub async fn group(gateway: &Gateway, topic: &str) -> String {
    use skchat::client::NewMember;
    use skchat::model::Role;
    let member = |id: &str| NewMember { id: UserId::new(id), role: Role::User };
    let id = gateway.client(ANNA).create_thread(&[member(JOE), member(MIA)], topic).await.unwrap();
    id.as_str().to_owned()
}

/// Anna in a group of three that she has open: returns the gateway, the group, and her program.
pub async fn crew() -> (Gateway, String, Runner) {
    let gateway = Gateway::start().await;
    let crew = group(&gateway, "Kitchen crew").await;
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.open("Kitchen").await;
    anna.wait_for("3 members").await;
    (gateway, crew, anna)
}

/// Sends content of a messagetype unchanged.
pub async fn send_raw(client: &Client, to: &str, kind: &str, content: &str) {
    use skchat::model::{ClientMessageId, ConversationId, Outgoing};
    let outgoing =
        Outgoing { text: content.into(), source: Some(kind.into()), ..Outgoing::default() };
    let id = ClientMessageId::from(getrandom::u64().unwrap().to_string());
    client.send(&ConversationId::new(to), &outgoing, &id, "").await.unwrap();
}

/// Anna's account with the token in `TEST_TOKEN`, for the built program.
pub fn write_config(dir: &Path, origin: &str) {
    let config = format!(
        "[accounts.home]\nuser_id = \"{ANNA}\"\ngateway = \"{origin}/v1\"\n\
         token = {{ env = \"TEST_TOKEN\" }}\n"
    );
    std::fs::write(dir.join("config.toml"), config).unwrap();
}
