//! What is stored can be viewed where nothing can be written: on read-only media, and in another user's folder.

use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, JOE, say_as, token, write_config};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user without rights; every system knows this number.
const NOBODY: u32 = 65_534;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A copy of Anna's files that can be read by all and written by none.
struct Place {
    root: tempfile::TempDir,
    program: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        for dir in ["data/accounts/home", "data/accounts", "data"] {
            set_mode(&self.root.path().join(dir), 0o755);
        }
    }
}

impl Place {
    fn of(data: &Path, files: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("skchat");
        std::fs::copy(env!("CARGO_BIN_EXE_skchat"), &program).unwrap();
        let account = root.path().join("data/accounts/home");
        std::fs::create_dir_all(&account).unwrap();
        std::fs::copy(data.join("config.toml"), root.path().join("data/config.toml")).unwrap();
        for file in files {
            std::fs::copy(data.join("accounts/home").join(file), account.join(file)).unwrap();
            set_mode(&account.join(file), 0o444);
        }
        std::fs::create_dir(root.path().join("tmp")).unwrap();
        set_mode(&root.path().join("tmp"), 0o777);
        set_mode(&root.path().join("data/config.toml"), 0o444);
        for dir in ["data/accounts/home", "data/accounts", "data", ""] {
            set_mode(&root.path().join(dir), 0o555);
        }
        Self { root, program }
    }

    fn env(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.root.path().join(name).to_str().unwrap().to_owned();
        vec![
            ("SKCHAT_CONFIG".into(), path("data/config.toml")),
            ("SKCHAT_DATA_DIR".into(), path("data")),
            ("TMPDIR".into(), path("tmp")),
            ("HOME".into(), path("tmp")),
            ("TEST_TOKEN".into(), token(ANNA)),
        ]
    }

    /// The program on a terminal, as a user who may write nothing here: root could write everywhere.
    fn start(&self) -> Terminal {
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let program = self.program.to_str().unwrap();
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        let other = ["setpriv", &user, &group, "--clear-groups"];
        let mut words: Vec<&str> = Vec::new();
        if rustix::process::geteuid().is_root() {
            words.extend(other);
        }
        words.extend([program, "--read-only"]);
        Terminal::start(Path::new(words[0]), &words[1..], &env, 80, 24)
    }

    fn command(&self, arguments: &[&str]) -> (String, String) {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(self.env());
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.root.path().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn looks(place: &Place, name: &str) {
    let before = place.files("data/accounts/home");
    let mut t = place.start();
    t.wait_for("read-only");
    t.wait_for("hello Anna");
    t.send("\u{12}hello");
    t.wait_for("1 found");
    t.send("\u{1b}");
    t.wait("the chat again", |s| !s.parser.screen().contents().contains("found"));
    t.send("\u{11}");
    let sent = t.end();
    let after = sent.rsplit("\u{1b}[?1049l").next().unwrap_or_default();
    assert!(!after.contains("skchat"), "{name}: it ends with a warning: {after}");
    let (out, err) = place.command(&["doctor", "--history"]);
    assert!(out.contains("Joe Bloggs"), "{name}: {out}{err}");
    assert_eq!(place.files("data/accounts/home"), before, "{name}");
    assert_eq!(place.files("data"), ["accounts", "config.toml"], "{name}");
    assert_eq!(place.files("tmp"), [""; 0], "{name}: no copy is left behind");
}

#[test]
fn read_only_shows_what_is_stored_where_nothing_can_be_written() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gateway = runtime.block_on(async {
        let gateway = Gateway::start().await;
        say_as(&gateway.client(JOE), ANNA, "hello Anna").await;
        gateway
    });
    let home = tempfile::tempdir().unwrap();
    write_config(home.path(), &gateway.origin);
    let token = token(ANNA);
    let mut t = Terminal::skchat(home.path(), &[], &[("TEST_TOKEN", &*token)], 80, 24);
    t.wait_for("live");
    t.send("\x1b[1;3B");
    t.wait_for("hello Anna");
    // While it runs, everything is in the log.
    let log = std::fs::metadata(home.path().join("accounts/home/store.db-wal")).unwrap();
    assert!(log.len() > 0);
    looks(&Place::of(home.path(), &["store.db", "store.db-wal"]), "with a log");
    let all = ["store.db", "store.db-wal", "store.db-shm"];
    looks(&Place::of(home.path(), &all), "with a log and its index");
    t.send("\x11");
    t.wait_end();
    looks(&Place::of(home.path(), &["store.db"]), "without a log");
    drop(gateway);
}
