//! `skchat serve` as a program: its files, its users, its log, and its exit.

use crate::common::served::{Connection, Served, write_users};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_skchat");
/// Two seconds, and some more for a busy machine.
const END: Duration = Duration::from_secs(4);

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_users(dir.path(), ["anna.7", "joe.4"].map(str::to_owned).into_iter());
    dir
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

fn widen(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs `serve` where it must refuse, and returns what it says.
fn refused(dir: &Path, more: &[&str]) -> String {
    let child = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--db"])
        .arg(dir.join("gateway.db"))
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let Output { status, stderr, stdout } = child.wait_with_output().unwrap();
    assert!(
        !status.success() && stdout.is_empty(),
        "it opened: {}",
        String::from_utf8_lossy(&stdout)
    );
    String::from_utf8(stderr).unwrap()
}

#[test]
fn the_database_is_narrowed_and_links_are_refused() {
    let dir = folder();
    let db = dir.path().join("gateway.db");
    drop(Served::start(Path::new(PROGRAM), dir.path(), &[]));
    widen(&db, 0o664);
    drop(Served::start(Path::new(PROGRAM), dir.path(), &[]));
    assert_eq!(mode(&db), 0o600);
    let users = dir.path().join("users");
    widen(&users, 0o640);
    let users = users.to_str().unwrap();
    let said = refused(dir.path(), &["--users", users]);
    assert!(said.contains("chmod 600"), "{said}");
    let other = folder();
    symlink(&db, other.path().join("gateway.db")).unwrap();
    let said = refused(other.path(), &["--user", "8:anna.7=secret-1"]);
    assert!(said.contains("symbolic link"), "{said}");
    let other = folder();
    let link = other.path().join("link");
    symlink(other.path().join("users"), &link).unwrap();
    let said = refused(other.path(), &["--users", link.to_str().unwrap()]);
    assert!(said.contains("symbolic link"), "{said}");
    let said = refused(other.path(), &["--users", other.path().to_str().unwrap()]);
    assert!(said.contains("not a regular file"), "{said}");
    let said = refused(other.path(), &["--users", "/no/such/file"]);
    assert!(said.contains("does not exist"), "{said}");
}

#[test]
fn what_is_wrong_with_users_and_flags_is_said() {
    let dir = folder();
    let file = dir.path().join("wrong");
    for (text, expected) in [
        ("8:anna.7 Anna Lindqvist\n", "wrong:1: the token looks like a name"),
        ("8:anna.7 secret-1\n8:anna.7 secret-2\n", "wrong:2: this id occurs twice"),
        ("\n", "wrong: it contains no users"),
    ] {
        std::fs::write(&file, text).unwrap();
        widen(&file, 0o600);
        let said = refused(dir.path(), &["--users", file.to_str().unwrap()]);
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("secret-"), "tokens are not for the screen: {said}");
    }
    for (flags, expected) in [
        (["--user", "anna=secret-1"].as_slice(), "8:anna.7=secret"),
        (&["--user", "8:a=x", "--user", "8:a=y"], "occurs twice"),
        (&["--public-url", "chat.example"], "scheme and host"),
        (&["--public-url", "https://chat.example/path"], "scheme and host"),
        (&["--max-connections", "1"], "--max-connections"),
    ] {
        let said = refused(dir.path(), flags);
        assert!(said.contains(expected), "{flags:?}: {said}");
    }
    // None of these left a database behind that others could read.
    assert!(
        !dir.path().join("gateway.db").exists() || mode(&dir.path().join("gateway.db")) == 0o600
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_and_a_poll_do_not_hold_up_the_end() {
    let dir = folder();
    let mut served = Served::start(Path::new(PROGRAM), dir.path(), &[]);
    let mut half = Connection::signed_in(&served.address, "anna.7").await.unwrap();
    half.write(b"POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    let mut half_head = Connection::signed_in(&served.address, "anna.7").await.unwrap();
    half_head.write(b"GET /v1/us").await.unwrap();
    let mut polling = Connection::signed_in(&served.address, "joe.4").await.unwrap();
    polling.subscribe().await.unwrap();
    let poll = tokio::spawn(async move { polling.poll(0).await });
    let mut resting = Connection::signed_in(&served.address, "anna.7").await.unwrap();
    assert_eq!(resting.ask("GET", "/v1/users/ME/conversations", "").await.unwrap().status, 200);
    let started = Instant::now();
    let pid = Pid::from_raw(served.id().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let status = tokio::task::spawn_blocking(move || served.wait()).await.unwrap();
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < END, "{:?}", started.elapsed());
    assert_eq!(poll.await.unwrap().unwrap().status, 200, "the poll was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_who_signed_in_and_what_was_refused_and_no_secrets() {
    let dir = folder();
    let log = dir.path().join("serve.log");
    let served = Served::start(Path::new(PROGRAM), dir.path(), &["--log", log.to_str().unwrap()]);
    let mut anna = Connection::signed_in(&served.address, "anna.7").await.unwrap();
    let body = "{\"content\":\"between us\",\"messagetype\":\"Text\"}";
    let path = "/v1/users/ME/conversations/8:joe.4/messages";
    assert_eq!(anna.ask("POST", path, body).await.unwrap().status, 201);
    let mut guesser =
        Connection::open(&served.address, "X-Skypetoken: guessed-it".into()).await.unwrap();
    assert_eq!(guesser.ask("GET", path, "").await.unwrap().status, 401);
    let foreign = "Origin: https://evil.example\r\nAuthentication: skypetoken=token-of-anna.7";
    let mut page = Connection::open(&served.address, foreign.into()).await.unwrap();
    assert_eq!(page.ask("GET", path, "").await.unwrap().status, 403);
    drop(served);
    let text = std::fs::read_to_string(&log).unwrap();
    for expected in
        ["gateway listening", "signed in user=\"8:anna.7\"", "why=\"wrong token\"", "web pages"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    for secret in ["token-of", "guessed-it", "between us"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert_eq!(mode(&log), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loopback_address_that_it_listens_on_is_answered_for() {
    let dir = folder();
    let served = Served::start_on("127.0.0.9:0", Path::new(PROGRAM), dir.path(), &[]);
    let mut anna = Connection::signed_in(&served.address, "anna.7").await.unwrap();
    assert_eq!(anna.ask("GET", "/v1/users/ME/conversations", "").await.unwrap().status, 200);
    assert!(served.address.starts_with("127.0.0.9:"));
}

#[test]
fn sending_to_an_unknown_person_says_so() {
    let dir = folder();
    let served = Served::start(Path::new(PROGRAM), dir.path(), &[]);
    let config = dir.path().join("config.toml");
    let text = format!(
        "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"http://{}/v1\"\ntoken = {{ env = \"TEST_TOKEN\" }}\n",
        served.address
    );
    std::fs::write(&config, text).unwrap();
    let send = |to: &str| {
        Command::new(PROGRAM)
            .args(["send", to, "hello?"])
            .env("SKCHAT_CONFIG", &config)
            .env("SKCHAT_DATA_DIR", dir.path())
            .env("TEST_TOKEN", "token-of-anna.7")
            .output()
            .unwrap()
    };
    let Output { status, stderr, stdout } = send("8:no.body");
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && stdout.is_empty());
    assert!(said.contains("8:no.body is unknown on this server"), "{said}");
    assert!(send("8:joe.4").status.success());
}
