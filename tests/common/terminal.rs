//! A program in a pseudo-terminal, seen from outside: shared by tests, the kill harness, the screenshot and benches.
#![expect(dead_code, reason = "each program uses its own part of this")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Replaces the address of the session's D-Bus: no test may use the keyring of the person who runs it.
pub const NO_SESSION_BUS: &str = "unix:path=/nonexistent/bus";

pub struct Seen {
    pub parser: vt100::Parser,
    /// Everything sent to the terminal.
    pub bytes: Vec<u8>,
    pub last: Instant,
    /// The program has closed the terminal.
    pub ended: bool,
}

/// How fast a terminal takes what is sent to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    Full,
    /// Bytes a second.
    Slow(u32),
    Stopped,
}

pub struct Terminal {
    speed: Arc<(Mutex<Speed>, Condvar)>,
    pub child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    input: Box<dyn Write + Send>,
    pub seen: Arc<(Mutex<Seen>, Condvar)>,
    /// When the program was executed.
    started: Instant,
}

/// A program of this build: `skchat` itself, or an example by its name.
pub fn program(name: &str) -> PathBuf {
    let examples = std::env::current_exe().expect("this program has a path");
    let examples = examples.parent().expect("it lies in a folder");
    if name == "skchat" {
        examples.parent().expect("below the build").join(name)
    } else {
        examples.join(name)
    }
}

pub fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// Starts skchat with its configuration and data in `home`.
    pub fn skchat(
        home: &Path,
        arguments: &[&str],
        env: &[(&str, &str)],
        columns: u16,
        rows: u16,
    ) -> Self {
        let config = home.join("config.toml");
        let mut own = vec![
            ("SKCHAT_CONFIG", config.to_str().expect("a readable path")),
            ("SKCHAT_DATA_DIR", home.to_str().expect("a readable path")),
        ];
        own.extend(env);
        Self::start(&program("skchat"), arguments, &own, columns, rows)
    }

    pub fn start(
        program: &Path,
        arguments: &[&str],
        env: &[(&str, &str)],
        columns: u16,
        rows: u16,
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("TZ", "UTC");
        command.env("DBUS_SESSION_BUS_ADDRESS", NO_SESSION_BUS);
        for (name, value) in env {
            command.env(name, value);
        }
        let parser = vt100::Parser::new(
            NonZero::new(rows.max(1)).expect("rows"),
            NonZero::new(columns.max(1)).expect("columns"),
            0,
        );
        let seen = Seen { parser, bytes: Vec::new(), last: Instant::now(), ended: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let shared = Arc::clone(&seen);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts; build it first");
        drop(pair.slave);
        let speed = Arc::new((Mutex::new(Speed::Full), Condvar::new()));
        let pace = Arc::clone(&speed);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            loop {
                let most = wait_for_pace(&pace).min(buffer.len());
                let Ok(count @ 1..) = reader.read(&mut buffer[..most]) else { break };
                // The time that this process spends on the bytes does not count.
                let now = Instant::now();
                let (lock, changed) = &*shared;
                let mut seen = lock.lock().expect("nobody panics with it");
                seen.parser.process(&buffer[..count]);
                seen.bytes.extend_from_slice(&buffer[..count]);
                seen.last = now;
                changed.notify_all();
            }
            let (lock, changed) = &*shared;
            lock.lock().expect("nobody panics with it").ended = true;
            changed.notify_all();
        });
        let input = pair.master.take_writer().expect("a writer");
        Self { speed, child, master: pair.master, input, seen, started }
    }

    /// How long after its start something happened.
    pub fn after_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.started)
    }

    pub fn send(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).expect("the program reads");
    }

    /// Bytes that are not text.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).expect("the program reads");
    }

    /// From now on, the terminal takes what is sent to it at this speed.
    pub fn set_speed(&self, speed: Speed) {
        *self.speed.0.lock().expect("nobody panics with it") = speed;
        self.speed.1.notify_all();
    }

    /// Waits until a condition holds; returns when it did.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut(&Seen) -> bool) -> Instant {
        let (lock, changed) = &*self.seen;
        let until = Instant::now() + Duration::from_secs(60);
        let mut seen = lock.lock().expect("nobody panics with it");
        while !is_so(&seen) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited for {what}; the screen was\n{}",
                seen.parser.screen().contents()
            );
            seen = changed.wait_timeout(seen, left).expect("nobody panics with it").0;
        }
        seen.last
    }

    /// Waits until a condition holds, and gives up after a while; returns whether it came to hold.
    pub fn wait_at_most(&self, time: Duration, is_so: impl Fn(&Seen) -> bool) -> bool {
        let (lock, changed) = &*self.seen;
        let until = Instant::now() + time;
        let mut seen = lock.lock().expect("nobody panics with it");
        while !is_so(&seen) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            seen = changed.wait_timeout(seen, left).expect("nobody panics with it").0;
        }
        true
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut seen = self.seen.0.lock().expect("nobody panics with it");
        let (height, width) = (NonZero::new(rows), NonZero::new(columns));
        seen.parser.screen_mut().set_size(height.expect("rows"), width.expect("columns"));
        drop(seen);
        self.master.resize(size(columns, rows)).expect("a terminal that is there");
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let id = self.child.process_id().expect("it runs");
        rustix::process::Pid::from_raw(id.cast_signed()).expect("a process")
    }

    pub fn signal(&self, name: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), name).expect("it runs");
    }

    /// Everything sent to the terminal so far.
    pub fn sent(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().expect("nobody panics with it").bytes)
            .into_owned()
    }

    /// Waits for the end and returns everything sent to the terminal.
    pub fn end(&mut self) -> String {
        self.wait_end();
        self.sent()
    }

    /// Waits, with a limit, until the process is gone.
    pub fn exit_code(&mut self) -> u32 {
        self.exit_code_within(Duration::from_secs(20))
    }

    pub fn exit_code_within(&mut self, time: Duration) -> u32 {
        let until = Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.exit_code();
            }
            assert!(Instant::now() < until, "the process did not end within {time:?}");
            std::thread::yield_now();
        }
    }

    /// Waits for the program to close the terminal, and for its end.
    pub fn wait_end(&mut self) {
        self.wait("the end", |seen| seen.ended);
        let _ = self.child.wait();
    }

    pub fn wait_for(&self, text: &str) -> Instant {
        self.wait(text, |seen| seen.parser.screen().contents().contains(text))
    }
}

/// Waits until a terminal of this speed takes something; returns how much.
fn wait_for_pace(pace: &(Mutex<Speed>, Condvar)) -> usize {
    const TURNS: u32 = 50;
    let (lock, changed) = pace;
    let mut speed = lock.lock().expect("nobody panics with it");
    loop {
        match *speed {
            Speed::Full => return usize::MAX,
            Speed::Stopped => speed = changed.wait(speed).expect("nobody panics with it"),
            Speed::Slow(bytes) => {
                let turn = Duration::from_secs(1) / TURNS;
                let (now, waited) =
                    changed.wait_timeout(speed, turn).expect("nobody panics with it");
                if waited.timed_out() {
                    return (bytes / TURNS).max(1) as usize;
                }
                speed = now;
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.set_speed(Speed::Full);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
