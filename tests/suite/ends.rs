//! The program ends, whatever its terminal, its token and its server are doing, and keeps what was typed.

use crate::common::terminal::{Speed, Terminal};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The documented limit.
const END: Duration = Duration::from_secs(2);
const SIGNALS: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

fn start(arguments: &[&str], data: &Path) -> Terminal {
    let env = [("COLORTERM", ""), ("TEST_TOKEN", "anna")];
    Terminal::skchat(data, arguments, &env, 80, 24)
}

fn write_config(data: &Path, gateway: &str, token: &str) {
    let text = format!(
        "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"{gateway}/v1\"\ntoken = {token}\n"
    );
    std::fs::write(data.join("config.toml"), text).unwrap();
}

/// Sends a signal and returns the exit status.
fn end_by(t: &mut Terminal, signal: Signal) -> u32 {
    let asked = Instant::now();
    t.signal(signal);
    let status = t.exit_code_within(END);
    assert!(asked.elapsed() < END);
    status
}

#[test]
fn a_signal_ends_it_when_the_terminal_is_not_read_and_the_draft_is_kept() {
    for signal in SIGNALS {
        let dir = tempfile::tempdir().unwrap();
        let mut t = start(&["demo"], dir.path());
        t.wait_for("To Joe Bloggs");
        t.wait_for("live");
        t.send("unsaved");
        t.wait_for("unsaved");
        t.set_speed(Speed::Stopped);
        // Each of these paints the whole screen, until the terminal takes no more.
        for _ in 0..100 {
            t.send("\u{c}");
        }
        assert_eq!(end_by(&mut t, signal), 0, "{signal:?}");
        let mut t = start(&["demo"], dir.path());
        t.wait_for("› unsaved");
        t.send("\u{11}");
        t.wait_end();
    }
}

#[test]
fn quitting_does_not_wait_for_a_terminal_that_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&["demo"], dir.path());
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.set_speed(Speed::Stopped);
    for _ in 0..100 {
        t.send("\u{c}");
    }
    t.send("\u{11}");
    assert_eq!(t.exit_code_within(END), 0);
}

#[test]
fn a_signal_ends_it_while_the_token_file_is_a_pipe_without_a_writer() {
    for signal in SIGNALS {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("token");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        write_config(
            dir.path(),
            "http://127.0.0.1:9",
            &format!("{{ file = \"{}\" }}", fifo.display()),
        );
        let mut t = start(&[], dir.path());
        t.wait_for("F1");
        assert_eq!(end_by(&mut t, signal), 0, "{signal:?}");
    }
}

/// A server that takes requests and answers with `answer`, then sends nothing more and keeps the connection open.
fn half_server(answer: &'static [u8]) -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (asked, requests) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut buffer = [0; 1024];
            if stream.read(&mut buffer).is_ok() && stream.write_all(answer).is_ok() {
                asked.send(()).ok();
            }
            open.push(stream);
        }
    });
    (origin, requests)
}

#[test]
fn a_signal_ends_it_while_half_a_request_is_open() {
    let half: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"con";
    for answer in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nconte", half] {
        for signal in SIGNALS {
            let dir = tempfile::tempdir().unwrap();
            let (origin, requests) = half_server(answer);
            write_config(dir.path(), &origin, "{ env = \"TEST_TOKEN\" }");
            let mut t = start(&[], dir.path());
            t.wait_for("F1");
            requests.recv_timeout(Duration::from_secs(20)).expect("a request");
            assert_eq!(end_by(&mut t, signal), 0, "{signal:?}");
        }
    }
}

#[test]
fn a_slow_terminal_shows_the_last_of_many_states_soon() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&["demo"], dir.path());
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.set_speed(Speed::Slow(10_000));
    let before = t.sent().len();
    for turn in 0..60 {
        t.send(if turn % 2 == 0 { "\u{1b}[1;3B" } else { "\u{1b}[1;3A" });
    }
    t.send("the last");
    let asked = Instant::now();
    t.wait_for("› the last");
    let (time, bytes) = (asked.elapsed(), t.sent().len() - before);
    println!("shown after {time:?}, {bytes} bytes");
    assert!(time < END, "{time:?}, {bytes} bytes");
    t.send("\u{11}");
    assert_eq!(t.exit_code_within(END), 0);
    t.wait_end();
    let sent = t.sent();
    assert!(sent.rfind("\u{1b}[?1049l") > sent.rfind("\u{1b}[?1049h"), "not given back");
}

#[test]
fn dialogs_and_sizes_on_a_slow_terminal_show_their_last_state_soon() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&["demo"], dir.path());
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.send("\u{1b}[27u");
    t.set_speed(Speed::Slow(10_000));
    // Frame by frame, each of these would take twenty seconds. `figures` measures them in an optimised build.
    let soon = |t: &Terminal, what: &str, text: &str| {
        let asked = Instant::now();
        t.wait_for(text);
        let time = asked.elapsed();
        println!("{what}: shown after {time:?}");
        assert!(time < 3 * END, "{what}: {time:?}");
    };
    for _ in 0..20 {
        t.send("\u{1b}xchat\u{1b}[B\u{15}\u{1b}[27u");
    }
    t.send("\u{1b}xpreview");
    soon(&t, "the palette", "› preview");
    t.send("\u{15}\u{1b}[27u\u{1b}OP");
    for page in 0..60 {
        t.send(if page % 3 == 2 { "\u{1b}[5~" } else { "\u{1b}[6~" });
    }
    t.send("\u{1b}[F");
    soon(&t, "the help", "Symbols");
    t.send("\u{1b}[27u");
    for n in 0..30 {
        t.resize(70 + n % 20, 20 + n % 10);
    }
    t.resize(90, 28);
    t.send("the last");
    soon(&t, "the sizes", "› the last");
    t.send("\u{11}");
    assert_eq!(t.exit_code_within(END), 0);
}

fn run(data: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_skchat"));
    command.args(arguments).env("SKCHAT_DATA_DIR", data).env("TEST_TOKEN", "anna");
    command.env("SKCHAT_CONFIG", data.join("config.toml"));
    command
}

#[test]
fn a_full_output_is_a_failure_but_not_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    write_config(dir.path(), "http://127.0.0.1:9", "{ env = \"TEST_TOKEN\" }");
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [
        ["config", "check"].as_slice(),
        &["--help"],
        &["--version"],
        &["doctor"],
        &["doctor", "--salvage"],
        &["no-such-command"],
        &["--account", "nobody", "chats"],
    ] {
        let with_output = run(dir.path(), arguments).stdout(full()).status().unwrap();
        let code = with_output.code();
        assert!(matches!(code, Some(1 | 2)), "{arguments:?} ended with {code:?}");
        let without = run(dir.path(), arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(without.code(), code, "{arguments:?}");
    }
}

#[test]
fn what_was_typed_on_the_command_line_does_not_act_on_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    write_config(dir.path(), "http://127.0.0.1:9", "{ env = \"TEST_TOKEN\" }");
    let trick = "\u{1b}]0;title\u{7}\u{1b}[31m\u{9b}2J\u{202e}evil\nskchat: fine";
    let missing = format!("/nowhere/{trick}");
    for arguments in [
        ["--config", missing.as_str(), "chats"].as_slice(),
        &["--account", trick, "chats"],
        &["--data-dir", trick, "--account", trick, "doctor"],
        &[trick],
        &["config", trick],
        &["log", trick, "--no-such", trick],
        &["replay", trick],
        &["serve", "--listen", trick],
    ] {
        let output = run(dir.path(), arguments).output().unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}");
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!text.contains(acts), "{arguments:?}: {text:?}");
        }
    }
}

#[test]
fn a_program_that_is_started_does_not_get_the_token_and_nobody_gets_the_memory() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let account = dir.path().join("accounts/home");
    std::fs::create_dir_all(&account).unwrap();
    std::fs::set_permissions(&account, std::fs::Permissions::from_mode(0o755)).unwrap();
    let seen = dir.path().join("environment");
    let editor = dir.path().join("editor");
    std::fs::write(&editor, format!("#!/bin/sh\nenv > {}\n", seen.display())).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    write_config(dir.path(), "http://127.0.0.1:9", "{ env = \"TEST_TOKEN\" }");
    let env =
        [("EDITOR", editor.to_str().unwrap()), ("VISUAL", ""), ("TEST_TOKEN", "canary-token")];
    let mut t = Terminal::skchat(dir.path(), &[], &env, 80, 24);
    t.wait_for("F1");
    let pid = t.pid().as_raw_nonzero();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let mode = std::fs::metadata(&account).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "the folder was narrowed");
    t.send("\u{b}8:joe.4\r");
    t.wait_for("To ");
    t.send("\u{1b}e");
    let until = Instant::now() + Duration::from_secs(20);
    while !std::fs::read_to_string(&seen).is_ok_and(|text| text.contains("SKCHAT_CONFIG")) {
        assert!(Instant::now() < until, "the editor was not started");
        std::thread::yield_now();
    }
    let text = std::fs::read_to_string(&seen).unwrap();
    assert!(!text.contains("canary") && !text.contains("TEST_TOKEN"), "{text}");
    // Until this, keys go to the editor.
    t.wait("the terminal taken again", |s| {
        String::from_utf8_lossy(&s.bytes).matches("\u{1b}[?1049h").count() == 2
    });
    t.send("\u{11}");
    t.wait_end();
}
