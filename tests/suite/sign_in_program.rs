//! Signing in with the built program: what it prints, where tokens may be, and kills at any moment of a renewal.

use crate::common;
use crate::common::random::Random;
use crate::common::terminal::NO_SESSION_BUS;
use crate::common::{ANNA, Gateway, PATIENCE};
use skchat::gateway::emulation::{
    CodeState, EmulatedService, EmulationOptions, IssuedTokens, RefreshState,
};
use skchat::model::UserId;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const KILLS: u64 = 100;
/// Homes in which programs are killed at the same time.
const HOMES: u64 = 5;

/// Kills a program after this many milliseconds, which are a random moment.
async fn kill_after(mut child: Child, milliseconds: u64) {
    let kill = move || {
        std::thread::park_timeout(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    tokio::task::spawn_blocking(kill).await.unwrap();
}

/// A gateway that emulates a service, and a home with an account there.
struct Home {
    gateway: Gateway,
    dir: TempDir,
}

impl Home {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With an emulated service that is changed like this.
    async fn with(change: impl Fn(&mut EmulationOptions) + Send + Sync + 'static) -> Self {
        let gateway = Gateway::configured(move |options| {
            let mut emulation = EmulationOptions::new(EmulatedService::TeamsFree);
            emulation.interval = 1;
            change(&mut emulation);
            options.emulates = Some(emulation);
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        // No test in this file is about the request budget.
        let config = format!(
            "[accounts.me]\nservice = \"play\"\n[services.play]\nbased_on = \"teams-free\"\norigin = \"{}\"\n\
             polling.budget = 0\n",
            gateway.origin
        );
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        Self { gateway, dir }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skchat"));
        command
            .args(arguments)
            .args(["--log".into(), self.dir.path().join("log.txt")])
            .env("SKCHAT_CONFIG", self.dir.path().join("config.toml"))
            .env("SKCHAT_DATA_DIR", self.dir.path().join("data"))
            .env("TZ", "UTC")
            .env("DBUS_SESSION_BUS_ADDRESS", NO_SESSION_BUS)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end, alongside the gateway.
    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Signs in with the program, and confirms its code. Returns what it printed.
    async fn login(&self) -> String {
        let mut child = self.command(&["login", "--agree"]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (mut printed, code) = tokio::task::spawn_blocking(move || {
            let mut printed = String::new();
            loop {
                let mut line = String::new();
                assert!(out.read_line(&mut line).unwrap() > 0, "no code was shown: {printed}");
                printed.push_str(&line);
                if let Some(code) = line.trim().strip_prefix("enter") {
                    return ((printed, out), code.trim().to_owned());
                }
            }
        })
        .await
        .unwrap();
        let approved = CodeState::Approved(UserId::new(ANNA));
        assert!(self.gateway.state.emulation().unwrap().authority.decide(&code, &approved));
        let done = tokio::task::spawn_blocking(move || {
            printed.1.read_to_string(&mut printed.0).unwrap();
            assert!(child.wait().unwrap().success(), "{}", printed.0);
            printed.0
        });
        tokio::time::timeout(PATIENCE, done).await.expect("the login ends").unwrap()
    }

    fn sign_in_file(&self) -> PathBuf {
        self.dir.path().join("data/accounts/me/sign-in.json")
    }

    fn tokens<T>(&self, work: impl FnOnce(&mut IssuedTokens) -> T) -> T {
        self.gateway.state.emulation().unwrap().authority.tokens(work)
    }

    fn end_tokens(&self) {
        self.tokens(|tokens| {
            tokens.end_skype();
            tokens.end_access();
        });
    }

    fn stored_refresh_token(&self) -> String {
        let text = std::fs::read(self.sign_in_file()).unwrap();
        let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
        file["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    /// Starts `skchat chats` and kills it, if it has not ended before.
    async fn killed(&self, moment: KillMoment) {
        let faults = self.gateway.state.faults();
        let (path, after) = match moment {
            KillMoment::After(after) => ("", after),
            KillMoment::AtTokens(after) => ("/oauth2/v2.0/token", after),
            KillMoment::AtExchange(after) => ("/authz", after),
        };
        // The exchange is first tried with the old access token.
        let wanted = faults.count("POST", path) + if path == "/authz" { 2 } else { 1 };
        let child = self.command(&["chats"]).spawn().unwrap();
        if !path.is_empty() {
            let arrived = faults.until("POST", path, wanted);
            tokio::time::timeout(PATIENCE, arrived).await.expect("the program renews its tokens");
        }
        kill_after(child, after).await;
    }
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_reads_sends_and_signs_out_and_tokens_are_in_one_private_file_only() {
    let home = Home::new().await;
    let before = text(&home.run(&["chats"]).await);
    assert!(before.contains("is not signed in: skchat login me"), "{before}");
    let doctor = text(&home.run(&["doctor"]).await);
    assert!(doctor.contains("FAIL  sign-in: not signed in"), "{doctor}");

    let login = home.login().await;
    assert!(login.contains("unofficial") && login.contains("signed in as 8:anna.7"), "{login}");
    let file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.sign_in_file()).unwrap()).unwrap();
    let tokens: Vec<String> = ["/refresh_token", "/access/token", "/skype/token"]
        .into_iter()
        .map(|path| file.pointer(path).unwrap().as_str().unwrap().to_owned())
        .collect();

    let mut printed = login;
    for arguments in [
        &["chats", "--json"][..],
        &["doctor"],
        &["doctor", "--json"],
        &["doctor", "--report"],
        &["log", "8:joe.4"],
        &["logout"],
    ] {
        printed.push_str(&text(&home.run(arguments).await));
    }
    assert!(printed.contains("PASS  gateway"), "{printed}");
    assert!(printed.contains("not tried on the real service"), "{printed}");
    let report = text(&home.run(&["doctor", "--report"]).await);
    for private in [ANNA, "anna", &home.gateway.address(), home.dir.path().to_str().unwrap()] {
        assert!(!report.contains(private), "{private}: {report}");
    }

    let mut all = Vec::new();
    files(home.dir.path(), &mut all);
    assert!(all.len() > 2, "files were written: {all:?}");
    for token in &tokens {
        assert!(!printed.contains(token.as_str()), "a token was printed");
        for path in &all {
            let found = contains(&std::fs::read(path).unwrap(), token);
            assert!(!found, "a token is in {} after signing out", path.display());
        }
    }
    let after = text(&home.run(&["chats"]).await);
    assert!(after.contains("not signed in"), "{after}");
}

/// Where in a renewal a program is killed.
#[derive(Clone, Copy, Debug)]
enum KillMoment {
    /// This many milliseconds after its start.
    After(u64),
    /// When the gateway has received the request for tokens, and this many milliseconds later.
    AtTokens(u64),
    /// The same for the exchange, which is sent with the new access token.
    AtExchange(u64),
}

impl KillMoment {
    fn random(random: &Random) -> Self {
        match random.below(3) {
            0 => Self::After(random.below(150)),
            1 => Self::AtTokens(random.below(12)),
            _ => Self::AtExchange(random.below(12)),
        }
    }
}

/// The results of a hundred kills.
#[derive(Debug, Default)]
struct KillCount {
    kept: u64,
    /// The service had replaced the refresh token, but the answer was not stored before the kill.
    answer_lost: u64,
}

/// With a service that accepts the last refresh token once more, no kill may end the sign-in. With one that does not,
/// exactly one kind of kill may: after the service has replaced the refresh token and before its answer is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_during_renewals_leave_the_account_signed_in_unless_an_answer_was_lost() {
    let random = Random::new("kills during renewals");
    let mut homes = tokio::task::JoinSet::new();
    for home in 0..HOMES {
        homes.spawn(killed_again_and_again(random.split(), home % 2 == 0));
    }
    let mut total = KillCount::default();
    for count in homes.join_all().await {
        total.kept += count.kept;
        total.answer_lost += count.answer_lost;
    }
    println!("{KILLS} kills: {total:?}");
    assert_eq!(total.kept + total.answer_lost, KILLS);
}

/// Kills a program during renewals.
async fn killed_again_and_again(random: Random, accepts_last_refresh: bool) -> KillCount {
    let home =
        Home::with(move |emulation| emulation.accepts_last_refresh = accepts_last_refresh).await;
    home.login().await;
    let mut count = KillCount::default();
    for _ in 0..KILLS / HOMES {
        home.end_tokens();
        let moment = KillMoment::random(&random);
        home.killed(moment).await;
        let stored = home.stored_refresh_token();
        let state = home.tokens(|tokens| tokens.refresh_state(&stored));
        assert_ne!(
            state,
            RefreshState::Replaced { access_was_used: true },
            "{moment:?}: the new access token was used before its refresh token was on disk"
        );
        home.end_tokens();
        let output = home.run(&["chats"]).await;
        let printed = text(&output);
        if output.status.success() {
            count.kept += 1;
            continue;
        }
        assert!(printed.contains("AADSTS70000): sign in again"), "{moment:?}: {printed}");
        assert!(!accepts_last_refresh, "{moment:?}: the token that was stored is accepted");
        let state = home.tokens(|tokens| tokens.refresh_state(&stored));
        assert_eq!(state, RefreshState::Replaced { access_was_used: false }, "{moment:?}");
        count.answer_lost += 1;
        home.login().await;
    }
    count
}

/// What `skchat chats` sends to a proxy first, for an account at `origin`.
fn asked_of_proxy(origin: &str, variable: &str, scheme: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    common::write_config(dir.path(), origin);
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_skchat"))
        .arg("chats")
        .env("SKCHAT_CONFIG", dir.path().join("config.toml"))
        .env("SKCHAT_DATA_DIR", dir.path().join("data"))
        .env("TEST_TOKEN", "canary")
        .env(variable, format!("{scheme}://{address}"))
        .env_remove("NO_PROXY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    proxy.set_nonblocking(true).unwrap();
    loop {
        if let Ok((mut stream, _)) = proxy.accept() {
            stream.set_nonblocking(false).unwrap();
            let mut first = [0; 256];
            let count = stream.read(&mut first).unwrap();
            // No proxy answers like this; the program ends with an error.
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
            child.kill().unwrap();
            child.wait().unwrap();
            return first[..count].to_vec();
        }
        if child.try_wait().unwrap().is_some() {
            return Vec::new();
        }
        std::thread::yield_now();
    }
}

#[test]
fn proxies_of_the_environment_are_used_but_never_for_this_machine() {
    let remote = "https://chat.invalid";
    let https = asked_of_proxy(remote, "HTTPS_PROXY", "http");
    assert!(https.starts_with(b"CONNECT chat.invalid:443"), "{}", String::from_utf8_lossy(&https));
    let socks = asked_of_proxy(remote, "ALL_PROXY", "socks5h");
    assert_eq!(socks.first(), Some(&5), "a SOCKS5 greeting");
    let local = asked_of_proxy("http://127.0.0.1:1", "ALL_PROXY", "http");
    assert!(local.is_empty(), "{}", String::from_utf8_lossy(&local));
    assert!(asked_of_proxy("http://localhost:1", "HTTP_PROXY", "http").is_empty());
    assert!(!https.windows(6).any(|part| part == b"canary"));
}
