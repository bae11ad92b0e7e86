//! Archives in trouble: a full disk, a kill at any moment, messages that are too large. What was there before is still
//! there afterwards, and the same command imports the rest.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_skchat");
const CHATS: usize = 12;
const MESSAGES: usize = 900;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn archive(&self) -> PathBuf {
        self.0.path().join("data/archives/live-anna")
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("SKCHAT_CONFIG", self.0.path().join("config.toml"))
            .env("SKCHAT_DATA_DIR", self.0.path().join("data"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(PROGRAM, arguments).output().unwrap()
    }

    fn import(&self, path: &Path) -> String {
        let output = self.run(&["import", path.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Imports while no file may grow beyond this many blocks of the shell.
    fn import_with_little_room(&self, path: &Path, blocks: u32) -> Output {
        let line = format!("ulimit -f {blocks}; exec {PROGRAM} import {}", path.display());
        self.command("sh", &["-c", &line]).output().unwrap()
    }

    fn log(&self, chat: &str) -> Vec<Value> {
        let output = self.run(&["log", chat, "-n", "5000", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// All messages of the archive.
    fn export(&self) -> Vec<u8> {
        let output = self.run(&["export", "--all", "--format", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The files of the archive that hold messages.
    fn stores(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.archive()).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("store")).collect();
        names.sort();
        names
    }
}

fn message(chat: &str, n: usize, content: &str) -> String {
    let id = 1_500_000_000_000_u64 + n as u64 * 60_000;
    format!(
        r#"{{"id":"{id}","messagetype":"Text","version":{id},"content":"{content}","conversationid":"{chat}","from":"{chat}"}}"#
    )
}

fn export(chats: &[(String, Vec<String>)]) -> String {
    let chats: Vec<String> = chats
        .iter()
        .map(|(id, list)| format!(r#"{{"id":"{id}","MessageList":[{}]}}"#, list.join(",")))
        .collect();
    format!(r#"{{"userId":"8:live:anna","conversations":[{}]}}"#, chats.join(","))
}

/// An export of a few megabytes.
fn large() -> String {
    let words = "words of a message that is as long as many are ".repeat(4);
    let chats: Vec<(String, Vec<String>)> = (0..CHATS)
        .map(|chat| {
            let id = format!("8:friend{chat}");
            let list = (0..MESSAGES).rev().map(|n| message(&id, n, &format!("{words}{n}")));
            let list = list.collect();
            (id, list)
        })
        .collect();
    export(&chats)
}

fn small() -> String {
    export(&[("8:joe".to_owned(), vec![message("8:joe", 1, "before the trouble")])])
}

#[test]
fn a_full_disk_leaves_nothing_of_a_new_archive() {
    let home = Home::new();
    let path = home.file("large.json", &large());
    let output = home.import_with_little_room(&path, 1_000);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("nothing was stored"), "{error}");
    assert_eq!(home.stores(), [] as [String; 0]);
    let summary = home.import(&path);
    assert!(summary.contains("10,800 new"), "{summary}");
    assert_eq!(home.stores(), ["store.db"]);
}

#[test]
fn a_full_disk_leaves_an_archive_as_it_was() {
    // Too little for the first pages that are written, and for the last ones.
    for blocks in [500, 12_000] {
        let home = Home::new();
        home.import(&home.file("small.json", &small()));
        let before = home.export();
        let path = home.file("large.json", &large());
        let output = home.import_with_little_room(&path, blocks);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{blocks}: {error}");
        assert!(error.contains("the archive was not changed"), "{error}");
        assert_eq!(home.export(), before, "{blocks}");
        assert!(home.import(&path).contains("10,800 new"), "{blocks}");
        assert_eq!(home.log("8:joe").len(), 1);
        assert_eq!(home.log("8:friend11").len(), MESSAGES);
    }
}

/// Kills an import once one of the archive's files has this many bytes. False if it ended before.
fn kill_at(home: &Home, path: &Path, bytes: u64) -> bool {
    let mut command = home.command(PROGRAM, &["import", path.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let files = ["store.db.new", "store.db-wal"].map(|name| home.archive().join(name));
    let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |data| data.len());
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if files.iter().any(|file| length(file) >= bytes) {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_kill_at_any_moment_costs_nothing_that_the_same_command_does_not_bring() {
    let expected = CHATS * MESSAGES;
    for is_new in [true, false] {
        let home = Home::new();
        if !is_new {
            home.import(&home.file("small.json", &small()));
        }
        let path = home.file("large.json", &large());
        let mut kills = 0;
        for bytes in [1, 60_000, 400_000, 1_500_000, 3_000_000] {
            kills += usize::from(kill_at(&home, &path, bytes));
            let is_there = home.archive().join("store.db").exists();
            assert!(is_there || is_new);
            if is_there {
                home.run(&["chats"]).status.success().then_some(()).unwrap();
            }
            if !is_new {
                assert_eq!(home.log("8:joe").len(), 1, "killed at {bytes}");
            }
        }
        assert!(kills >= 2, "{kills}");
        home.import(&path);
        let counted: usize = (0..CHATS).map(|n| home.log(&format!("8:friend{n}")).len()).sum();
        assert_eq!(counted, expected);
        assert!(home.import(&path).contains("0 new, 0 changed"));
        assert_eq!(home.stores(), ["store.db"]);
    }
}

#[test]
fn a_message_that_is_too_large_costs_only_itself() {
    let home = Home::new();
    let huge = message("8:joe", 2, &"x".repeat(17 * 1024 * 1024));
    let list = vec![message("8:joe", 1, "first"), huge, message("8:joe", 3, "last")];
    let summary = home.import(&home.file("huge.json", &export(&[("8:joe".to_owned(), list)])));
    assert!(summary.contains("2 new") && summary.contains("1 item cannot be read"), "{summary}");
    let texts: Vec<String> = home.log("8:joe").iter().map(|m| m["text"].to_string()).collect();
    assert_eq!(texts, ["\"first\"", "\"last\""]);
}

#[test]
fn many_conversations_are_as_good_as_few() {
    let home = Home::new();
    let chats: Vec<(String, Vec<String>)> = (0..3_000)
        .map(|n| (format!("8:friend{n}"), vec![message(&format!("8:friend{n}"), n, "hi")]))
        .collect();
    let summary = home.import(&home.file("many.json", &export(&chats)));
    assert!(summary.contains("3,000 messages in 3,000 conversations"), "{summary}");
    assert_eq!(home.log("8:friend2999").len(), 1);
}
