//! Kills the built program, again and again, and counts what was lost. Shared by the tests and the long form.
//!
//! A person types messages and drafts into the real program in a pseudo-terminal, over a connection that breaks and a
//! server that answers wrongly; at some moment the program is killed and started again. What it had reported as being
//! on disk must be there, once, and in order.

use super::random::Random;
use super::terminal::Terminal;
use super::{ANNA, Gateway, JOE, token};
use skchat::gateway::fault::InjectedFault;
use skchat::model::ConversationId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A draft that was on the screen for this long must be there again.
const DRAFT: Duration = Duration::from_millis(500);

/// The results of all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub kills: usize,
    /// Messages that were reported as being on disk.
    pub acknowledged: usize,
    pub lost: Vec<String>,
    pub duplicated: Vec<String>,
    pub out_of_order: usize,
    /// Drafts that had been typed long enough.
    pub drafts: usize,
    pub drafts_lost: Vec<String>,
}

impl Tally {
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty()
            && self.duplicated.is_empty()
            && self.out_of_order == 0
            && self.drafts_lost.is_empty()
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} kills, {} messages said to be on disk: {} lost, {} duplicated, {} out of order; {} drafts: {} lost",
            self.kills,
            self.acknowledged,
            self.lost.len(),
            self.duplicated.len(),
            self.out_of_order,
            self.drafts,
            self.drafts_lost.len()
        )
    }
}

/// Waits for a random moment, which does not depend on what the program does.
fn some_time(random: &Random, most: u64) -> Duration {
    let time = Duration::from_millis(random.below(most));
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
    time
}

/// Forwards bytes to the gateway, and breaks connections off in the middle of answers.
pub struct Proxy {
    pub port: u16,
    /// Out of a hundred pieces of an answer.
    breaks: Arc<AtomicU32>,
}

impl Proxy {
    /// How many of a hundred pieces of an answer are cut off.
    pub fn set_breaks(&self, breaks: u32) {
        self.breaks.store(breaks, Ordering::Relaxed);
    }

    /// `random` decides where connections break; each connection has a sequence of its own.
    pub async fn start(gateway: u16, random: Random) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let breaks = Arc::new(AtomicU32::new(0));
        let chance = Arc::clone(&breaks);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (chance, random) = (Arc::clone(&chance), random.split());
                tokio::spawn(async move {
                    let _ = carry(client, gateway, &chance, &random).await;
                });
            }
        });
        Self { port, breaks }
    }
}

async fn carry(
    mut client: TcpStream,
    gateway: u16,
    breaks: &AtomicU32,
    random: &Random,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", gateway)).await?;
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            count = client.read(&mut up) => match count? {
                0 => return Ok(()),
                n => server.write_all(&up[..n]).await?,
            },
            count = server.read(&mut down) => match count? {
                0 => return Ok(()),
                n => {
                    if random.below(100) < u64::from(breaks.load(Ordering::Relaxed)) {
                        // Half of it, then a reset.
                        client.write_all(&down[..n / 2]).await?;
                        client.set_zero_linger()?;
                        return Ok(());
                    }
                    client.write_all(&down[..n]).await?;
                }
            },
        }
    }
}

/// The person, the program and the server.
pub struct Harness {
    runtime: tokio::runtime::Runtime,
    random: Random,
    gateway: Gateway,
    proxy: Proxy,
    dir: tempfile::TempDir,
    program: PathBuf,
    /// In front of the program: `strace` with its arguments.
    wrapper: Vec<String>,
    typed: usize,
    /// In the order typed; true once it was reported as being on disk.
    said: Vec<(String, bool)>,
    /// What must be in the message box at the next start.
    draft: Option<String>,
    pub tally: Tally,
}

impl Harness {
    pub fn new(program: &Path, deduplicate: bool, random: Random) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (gateway, proxy) = runtime.block_on(async {
            let gateway = Gateway::with(true, deduplicate).await;
            super::say_as(&gateway.client(JOE), ANNA, "hello").await;
            let port = gateway.origin.rsplit(':').next().unwrap().parse().unwrap();
            let proxy = Proxy::start(port, random.split()).await;
            (gateway, proxy)
        });
        let dir = tempfile::tempdir().unwrap();
        let origin = format!("http://127.0.0.1:{}", proxy.port);
        super::write_config(dir.path(), &origin);
        Self {
            runtime,
            random,
            gateway,
            proxy,
            dir,
            program: program.to_owned(),
            wrapper: Vec::new(),
            typed: 0,
            said: Vec::new(),
            draft: None,
            tally: Tally::default(),
        }
    }

    /// Runs the program under another one, such as `strace`.
    pub fn below(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
    }

    fn start(&self) -> Terminal {
        let config = self.dir.path().join("config.toml");
        let token = token(ANNA);
        let env = [
            ("SKCHAT_CONFIG", config.to_str().unwrap()),
            ("SKCHAT_DATA_DIR", self.dir.path().to_str().unwrap()),
            ("TEST_TOKEN", token.as_str()),
        ];
        let own = self.program.to_str().unwrap().to_owned();
        let mut words = self.wrapper.clone();
        words.push(own);
        let (program, arguments) = words.split_first().unwrap();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Terminal::start(Path::new(program), &arguments, &env, 80, 50)
    }

    /// Some trouble for the next minutes.
    fn trouble(&self) {
        let faults = self.gateway.state.faults();
        faults.clear();
        let status = |code, retry_after| InjectedFault::Status { code, error: 0, retry_after };
        for _ in 0..self.random.below(4) {
            let fault = match self.random.below(5) {
                0 | 1 => InjectedFault::LostAck,
                2 => status(503, None),
                3 => status(429, Some(1)),
                _ => InjectedFault::Html,
            };
            faults.add(
                "POST",
                "/messages",
                1 + usize::try_from(self.random.below(2)).unwrap(),
                fault,
            );
        }
        if self.random.below(3) == 0 {
            faults.add("GET", "/messages", 1, status(502, None));
        }
        self.proxy.breaks.store(u32::try_from(self.random.below(12)).unwrap(), Ordering::Relaxed);
    }

    fn calm(&self) {
        self.gateway.state.faults().clear();
        self.proxy.breaks.store(0, Ordering::Relaxed);
    }

    /// The first start: the chat is opened, so that every later start opens it by itself.
    pub fn prepare(&mut self) {
        let mut t = self.start();
        t.wait_for("live");
        t.send("\x1b[1;3B");
        t.wait_for("To Joe Bloggs ›");
        t.wait_for("hello");
        t.send("\x11");
        t.wait_end();
    }

    /// Whether the program was still running when the condition came to hold; false if it ended first.
    fn until(t: &Terminal, what: &str, is_so: impl Fn(&str) -> bool) -> bool {
        let mut ended = false;
        t.wait(what, |seen| {
            ended = seen.ended;
            is_so(&seen.parser.screen().contents()) || ended
        });
        !ended
    }

    /// Starts, checks the draft, and types: messages, then a draft. Ends where the program does, or before the kill.
    fn session(&mut self, messages: u64) -> (Terminal, Option<(String, Instant)>) {
        let mut t = self.start();
        if !Self::until(&t, "the chat", |s| s.contains("To Joe Bloggs ›")) {
            return (t, None);
        }
        if let Some(draft) = self.draft.take() {
            self.tally.drafts += 1;
            let wanted = draft.clone();
            let found = t.wait_at_most(Duration::from_secs(10), |seen| {
                seen.ended || seen.parser.screen().contents().contains(&format!("› {wanted}"))
            });
            if !found {
                self.tally.drafts_lost.push(draft);
            }
        }
        t.send("\x15\x15");
        for _ in 0..messages {
            self.typed += 1;
            let text = format!("message {:05}.", self.typed);
            self.said.push((text.clone(), false));
            t.send(&text);
            if !Self::until(&t, &text, |s| s.contains(&format!("› {text}"))) {
                return (t, None);
            }
            t.send("\r");
            let marked = |s: &str| {
                s.lines().any(|line| {
                    line.contains(&text)
                        && !line.contains('›')
                        && line.trim_end().ends_with(['·', '↑', '✓', '?', '!'])
                })
            };
            if !Self::until(&t, "its mark", marked) {
                return (t, None);
            }
            if let Some(last) = self.said.last_mut() {
                last.1 = true;
            }
            self.tally.acknowledged += 1;
        }
        let draft = format!("draft {:05}", self.typed);
        t.send(&draft);
        if !Self::until(&t, &draft, |s| s.contains(&format!("› {draft}"))) {
            return (t, None);
        }
        (t, Some((draft, Instant::now())))
    }

    /// One run that is killed at a random moment.
    pub fn kill_once(&mut self) {
        self.trouble();
        let messages = 1 + self.random.below(3);
        if self.random.below(4) == 0 {
            // In the middle of typing or sending.
            let mut t = self.start();
            if Self::until(&t, "the chat", |s| s.contains("To Joe Bloggs ›")) {
                self.draft = None;
                t.send("\x15\x15");
                for _ in 0..messages {
                    self.typed += 1;
                    let text = format!("message {:05}.", self.typed);
                    self.said.push((text.clone(), false));
                    // Lines that come all at once are a paste.
                    t.send(&text);
                    if !Self::until(&t, &text, |s| s.contains(&format!("› {text}"))) {
                        break;
                    }
                    t.send("\r");
                }
                some_time(&self.random, 60);
            }
            drop(t);
        } else {
            let (t, typed) = self.session(messages);
            some_time(&self.random, 1100);
            // What was typed long enough before must be there again.
            self.draft = typed.filter(|(_, at)| at.elapsed() >= DRAFT).map(|(draft, _)| draft);
            drop(t);
        }
        self.tally.kills += 1;
    }

    /// A run with a message and a draft in which the wrapper is expected to kill the program; false if it did not.
    pub fn scripted(&mut self) -> bool {
        self.calm();
        self.draft = None;
        let (t, typed) = self.session(1);
        let killed = t.wait_at_most(Duration::from_millis(700), |seen| seen.ended);
        drop(t);
        if killed {
            self.tally.kills += 1;
        } else if let Some((draft, _)) = typed {
            self.draft = Some(draft);
        }
        killed
    }

    /// Lets everything arrive, and counts.
    pub fn finish(&mut self) {
        self.calm();
        let wrapper = std::mem::take(&mut self.wrapper);
        let mut t = self.start();
        let is_sent = |screen: &str| {
            screen.contains("live")
                && screen.contains("To Joe Bloggs ›")
                && !screen.contains("unsent")
        };
        // If nothing is known of the server yet, the person decides about a message that is not confirmed.
        let asks = |screen: &str| screen.contains("behind an unconfirmed one");
        let mut decided = 0;
        loop {
            let came = t.wait_at_most(Duration::from_secs(120), |seen| {
                let screen = seen.parser.screen().contents();
                is_sent(&screen) || asks(&screen) || screen.contains("not confirmed")
            });
            let screen = t.seen.0.lock().unwrap().parser.screen().contents();
            if is_sent(&screen) {
                break;
            }
            decided += 1;
            assert!(came && decided < 20, "not everything can be sent:\n{screen}");
            t.send("\x18!");
            t.wait_for("Esc back");
            t.send("R");
            t.wait_at_most(Duration::from_secs(2), |seen| {
                is_sent(&seen.parser.screen().contents())
            });
        }
        t.send("\x11");
        t.wait_end();
        self.wrapper = wrapper;
        let held = self.runtime.block_on(all(&self.gateway));
        let mut last = 0;
        for text in &held {
            let Some(number) =
                text.strip_prefix("message ").and_then(|n| n.trim_end_matches('.').parse().ok())
            else {
                continue;
            };
            let number: usize = number;
            self.tally.out_of_order += usize::from(number < last);
            last = last.max(number);
        }
        self.tally.lost.clear();
        self.tally.duplicated.clear();
        for (text, on_disk) in &self.said {
            match held.iter().filter(|h| *h == text).count() {
                0 if *on_disk => self.tally.lost.push(text.clone()),
                0 | 1 => {}
                _ => self.tally.duplicated.push(text.clone()),
            }
        }
    }
}

/// Everything the server holds of the chat, oldest first.
async fn all(gateway: &Gateway) -> Vec<String> {
    let client = gateway.client(ANNA);
    let id = ConversationId::new(JOE);
    let mut page = client.messages(&id, 200).await.unwrap();
    let mut found = std::collections::BTreeMap::new();
    loop {
        let before = found.len();
        found.extend(page.items.drain(..).map(|raw| (raw.key(), raw.content.to_string())));
        match page.older.take() {
            Some(link) if found.len() > before => {
                page = client.messages_next(&id, &link, 200).await.unwrap();
            }
            _ => return found.into_values().collect(),
        }
    }
}
