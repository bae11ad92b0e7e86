//! The text of the messages reaches the clipboard, however it is drawn.

use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, JOE, say_as, token, write_config};
use base64::Engine;
use std::os::unix::fs::PermissionsExt;

/// A message as Joe sends it, and what is copied from it.
fn messages() -> [(String, String); 4] {
    let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
    let long = words.join(" ");
    let unbroken = format!("https://oven.example/{}", "a1b2c3".repeat(40));
    [
        // Harmless invisible characters are not copied; emoji keep what joins them.
        (
            "in\u{200B}visi\u{200E}ble\u{FEFF} \u{1F469}\u{1F3FD}\u{200D}\u{1F52C} e\u{301}".into(),
            "invisible \u{1F469}\u{1F3FD}\u{200D}\u{1F52C} e\u{301}".into(),
        ),
        ("name\tage\nAnna\t41".into(), "name\tage\nAnna\t41".into()),
        (long.clone(), long),
        (unbroken.clone(), unbroken),
    ]
}

struct Place {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    gateway: Gateway,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let gateway = runtime.block_on(Gateway::start());
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), &gateway.origin);
        let bin = dir.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        // In one step, so that nobody reads half of it.
        let kept = dir.path().join("kept");
        let text = format!("#!/bin/sh\ncat > {0}.part && mv {0}.part {0}\n", kept.display());
        let program = bin.join("xclip");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir, runtime, gateway }
    }

    fn joe_says(&self, text: &str) {
        self.runtime.block_on(say_as(&self.gateway.client(JOE), ANNA, text));
    }

    /// Anna's terminal with the chat open, narrow enough for long lines to be broken.
    fn open(&self, last: &str) -> Terminal {
        let path = |name: &str| self.dir.path().join(name).to_str().unwrap().to_owned();
        let token = token(ANNA);
        let programs = format!("{}:{}", path("bin"), std::env::var("PATH").unwrap());
        let env = [
            ("TEST_TOKEN", token.as_str()),
            ("PATH", programs.as_str()),
            ("DISPLAY", ":99"),
            ("WAYLAND_DISPLAY", ""),
            ("TMUX", ""),
            ("STY", ""),
        ];
        let mut t = Terminal::skchat(self.dir.path(), &[], &env, 70, 24);
        t.wait_for("live");
        t.send("\u{1b}[1;3B");
        t.wait_for("To Joe Bloggs ›");
        t.send("\u{1b}[1;5F");
        t.wait_for(last);
        t
    }

    /// Waits until both the program and the terminal were given this text.
    fn wait_for(&self, t: &Terminal, text: &str) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let sequence = format!("\u{1b}]52;c;{encoded}\u{7}");
        t.wait("OSC 52", |s| String::from_utf8_lossy(&s.bytes).contains(&sequence));
        let kept = self.dir.path().join("kept");
        t.wait("the clipboard program", |_| {
            std::fs::read_to_string(&kept).is_ok_and(|kept| kept == text)
        });
    }
}

#[test]
fn each_message_is_copied_as_it_was_written_and_several_line_by_line() {
    let place = Place::new();
    let messages = messages();
    for (said, _) in &messages {
        place.joe_says(said);
    }
    place.joe_says("the last one");
    let mut t = place.open("the last one");
    t.send("\u{1b}[1;5A");
    t.wait_for("Esc back");
    for (_, copied) in messages.iter().rev() {
        t.send("ky");
        place.wait_for(&t, copied);
    }
    // All of them at once, from the first down to the last.
    t.send("\u{1b}[1;2B".repeat(messages.len()).as_str());
    t.send("y");
    let all: Vec<&str> = messages.iter().map(|(_, copied)| copied.as_str()).collect();
    place.wait_for(&t, &format!("{}\nthe last one", all.join("\n")));
    t.wait_for("Copied 5 messages, ");
    t.send("\u{11}");
    t.wait_end();
}
