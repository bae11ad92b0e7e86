//! Stopping and continuing, in a real shell with job control and without it.

use crate::common::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_skchat");

fn start(program: &str, arguments: &[&str], data: &Path) -> Terminal {
    let config = data.join("config.toml");
    let env = [
        ("COLORTERM", ""),
        ("PS1", "ready> "),
        ("SKCHAT_DATA_DIR", data.to_str().unwrap()),
        ("SKCHAT_CONFIG", config.to_str().unwrap()),
    ];
    Terminal::start(Path::new(program), arguments, &env, 80, 24)
}

/// A shell with job control that runs the demo; and the program's process.
fn in_a_shell(data: &Path) -> (Terminal, Pid) {
    let mut t = start("/bin/bash", &["--norc", "--noprofile", "-i"], data);
    t.wait_for("ready>");
    let file = data.join("pid");
    t.send(&format!("sh -c 'echo $$ > {}; exec {PROGRAM} demo'\r", file.display()));
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    let pid = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    (t, Pid::from_raw(pid).unwrap())
}

fn state(pid: Pid) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))
        .unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("State:"));
    line.unwrap_or("gone").trim().to_owned()
}

fn wait_for_state(pid: Pid, letter: char) {
    let until = Instant::now() + Duration::from_secs(20);
    while !state(pid).starts_with(letter) {
        assert!(Instant::now() < until, "it was never {letter}, but {}", state(pid));
        std::thread::yield_now();
    }
}

/// How often something was sent to the terminal.
fn count(t: &Terminal, what: &str) -> usize {
    t.sent().matches(what).count()
}

/// The prompt of the shell is back on its own screen.
fn wait_for_the_shell(t: &Terminal) {
    t.wait("the shell", |s| {
        let screen = s.parser.screen();
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("ready>")
    });
}

#[test]
fn ctrl_z_gives_the_terminal_back_to_the_shell_and_fg_brings_everything_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut t, pid) = in_a_shell(dir.path());
    for turn in 1..=3 {
        t.send("x");
        t.wait_for(&format!("› {}", "x".repeat(turn)));
        t.send("\u{1a}");
        wait_for_the_shell(&t);
        wait_for_state(pid, 'T');
        assert_eq!(count(&t, "\u{1b}[?1049l"), turn);
        assert_eq!((count(&t, "\u{1b}[?1007s"), count(&t, "\u{1b}[?1007r")), (turn, turn));
        // The shell has its own modes again: what is typed is echoed.
        t.send("echo ok-$((40+2))\r");
        t.wait_for("ok-42");
        t.resize(100, 30);
        t.send("fg\r");
        t.wait("the screen again", |s| {
            let screen = s.parser.screen();
            screen.alternate_screen()
                && screen.contents().contains(&format!("› {}", "x".repeat(turn)))
        });
    }
    t.send("\u{11}");
    wait_for_the_shell(&t);
}

#[test]
fn stopped_from_outside_it_comes_back_in_raw_mode_with_the_draft() {
    for signal in [Signal::TSTP, Signal::STOP] {
        let dir = tempfile::tempdir().unwrap();
        let (mut t, pid) = in_a_shell(dir.path());
        t.send("still here");
        t.wait_for("still here");
        kill_process(pid, signal).unwrap();
        wait_for_state(pid, 'T');
        t.wait("the shell", |s| s.parser.screen().contents().contains("ready>"));
        if signal == Signal::TSTP {
            wait_for_the_shell(&t);
        }
        // Someone changed the screen meanwhile.
        t.send("clear\r");
        t.wait("a clear screen", |s| !s.parser.screen().contents().contains("Joe"));
        t.send("fg\r");
        t.wait("the screen again", |s| {
            let screen = s.parser.screen();
            screen.alternate_screen()
                && screen.contents().contains("› still here")
                && screen.contents().contains("live")
                && !screen.contents().contains("ready>")
        });
        // A line discipline that is not raw would echo this and turn it into a signal.
        t.send(" and there\u{1b}\u{3}");
        t.wait_for("› still here and there");
        t.send("\u{11}");
        wait_for_the_shell(&t);
    }
}

/// The names of the threads that do not block a signal.
fn threads_open_to(pid: Pid, signal: Signal) -> Vec<String> {
    let threads = format!("/proc/{}/task", pid.as_raw_nonzero());
    let threads = std::fs::read_dir(threads).unwrap();
    let statuses =
        threads.filter_map(|t| std::fs::read_to_string(t.unwrap().path().join("status")).ok());
    let field = |status: &str, name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().trim().to_owned()
    };
    let is_open = |status: &String| {
        let held = u64::from_str_radix(&field(status, "SigBlk:"), 16).unwrap();
        held & (1 << (signal.as_raw() - 1)) == 0
    };
    statuses.filter(is_open).map(|status| field(&status, "Name:")).collect()
}

/// A thread that does not block it would let the signal stop the program before the terminal is given back.
#[test]
fn every_thread_holds_the_stop_signal_back_whatever_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "secret").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = format!(
        "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"http://127.0.0.1:9/v1\"\ntoken = {{ file = \"{}\" }}\n",
        token.display()
    );
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    for (arguments, shown) in [
        (&["demo"][..], "To Joe Bloggs"),
        (&[], "offline"),
        // What the previous run has stored.
        (&["--read-only"], "read-only"),
    ] {
        let mut t = start(PROGRAM, arguments, dir.path());
        t.wait_for(shown);
        assert_eq!(threads_open_to(t.pid(), Signal::TSTP), Vec::<String>::new(), "{arguments:?}");
        t.send("\u{11}");
        t.wait_end();
    }
}

#[test]
fn where_nobody_can_continue_it_ctrl_z_does_not_stop_it() {
    let alone: (&str, Vec<&str>) = (PROGRAM, vec!["demo"]);
    let line = format!("{PROGRAM} demo; echo done");
    let in_a_line = ("/bin/sh", vec!["-c", line.as_str()]);
    for (program, arguments) in [alone, in_a_line] {
        let dir = tempfile::tempdir().unwrap();
        let mut t = start(program, &arguments, dir.path());
        t.wait_for("To Joe Bloggs");
        t.wait_for("live");
        t.send("\u{1a}");
        t.wait("the terminal given back and taken again", |s| {
            let bytes = String::from_utf8_lossy(&s.bytes);
            bytes.rfind("\u{1b}[?1049h") > bytes.rfind("\u{1b}[?1049l")
                && bytes.contains("\u{1b}[?1049l")
        });
        t.send("it goes on");
        t.wait_for("› it goes on");
        t.send("\u{11}");
        t.wait_end();
    }
}
