//! What goes wrong with files, disks, environments and second instances, in the built program; and recordings.

use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, JOE, say_as, token, write_config};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_skchat");

/// A gateway, and Anna's folder.
struct Place {
    runtime: tokio::runtime::Runtime,
    gateway: Gateway,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let gateway = runtime.block_on(async {
            let gateway = Gateway::start().await;
            say_as(&gateway.client(JOE), ANNA, "hello Anna").await;
            gateway
        });
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), &gateway.origin);
        Self { runtime, gateway, dir }
    }

    fn joe_says(&self, text: &str) {
        self.runtime.block_on(say_as(&self.gateway.client(JOE), ANNA, text));
    }

    fn env(&self) -> Vec<(String, String)> {
        vec![
            ("SKCHAT_CONFIG".into(), self.dir.path().join("config.toml").to_str().unwrap().into()),
            ("SKCHAT_DATA_DIR".into(), self.dir.path().to_str().unwrap().into()),
            ("TEST_TOKEN".into(), token(ANNA)),
        ]
    }

    /// Switches spell check on, with a dictionary of these words in a folder of this name.
    fn check_spelling(&self, folder: &str, words: &str) {
        let folder = self.dir.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("en_GB.aff"), "SET UTF-8\nTRY flah\n").unwrap();
        std::fs::write(folder.join("en_GB.dic"), words).unwrap();
        let config = self.dir.path().join("config.toml");
        let before = std::fs::read_to_string(&config).unwrap();
        let folder = folder.display();
        let ui = format!("[ui]\nspelling = \"en_GB\"\nspelling_folder = \"{folder}\"\n");
        std::fs::write(&config, format!("{before}\n{ui}")).unwrap();
    }

    fn start_as(&self, program: &str, arguments: &[&str]) -> Terminal {
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        Terminal::start(Path::new(program), arguments, &env, 80, 24)
    }

    fn start(&self, arguments: &[&str]) -> Terminal {
        self.start_as(PROGRAM, arguments)
    }

    /// Started, with the chat with Joe on the screen.
    fn open(&self, arguments: &[&str]) -> Terminal {
        let mut t = self.start(arguments);
        t.wait_for("live");
        t.send("\x1b[1;3B");
        t.wait_for("To Joe Bloggs ›");
        t.wait_for("hello Anna");
        t
    }

    fn command(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM).args(arguments).envs(self.env()).output().unwrap()
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("accounts/home/store.db")
    }
}

#[test]
fn flags_of_the_screen_are_refused_elsewhere() {
    let place = Place::new();
    for arguments in [&["--read-only", "send", "joe", "nope"][..], &["--record", "x", "chats"]] {
        let refused = place.command(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(text(&refused.stderr).contains("cannot be used with this command"));
    }
    assert_eq!(place.gateway.requests("POST", "/8:joe.4/messages"), 0);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_recording_plays_the_same_frames_and_a_redacted_one_says_nothing() {
    let place = Place::new();
    place.check_spelling("folder-of-hanna", "1\nhalf\n");
    let (file, secretless) =
        (place.dir.path().join("run.jsonl"), place.dir.path().join("redacted.jsonl"));
    let (file, secretless) = (file.to_str().unwrap(), secretless.to_str().unwrap());
    let mut t = place.open(&["--record", file]);
    t.send("a *secret* word\r");
    t.wait_for("✓");
    place.joe_says("Vertraulich 機密 👩🏽\u{200D}🔬🙂 https://oven.example/private");
    t.wait_for("Vertraulich");
    t.send("\x12vertr");
    t.wait_for("1 found");
    t.send("\x1b");
    t.wait("the chat again", |s| !s.parser.screen().contents().contains("found"));
    // The terminal reports late that it draws joined emoji as one.
    t.send("\x1b[2;3R");
    t.send("\x1b[5~halff a draft");
    t.wait("the misspelt word to be underlined", |s| {
        let screen = s.parser.screen();
        let cells = (0..80).filter_map(|x| screen.cell(22, x)).filter(|cell| cell.underline());
        cells.map(vt100::Cell::contents).collect::<String>() == "halff"
    });
    t.send("\x01\x1bc");
    t.wait_for("Ignore for now");
    t.send("\r");
    t.wait_for("half a draft");
    t.send("\x11");
    t.wait_end();
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let played = place.command(&["replay", file]);
    let told = text(&played.stdout);
    assert!(played.status.success(), "{told}{}", text(&played.stderr));
    assert!(told.contains("frames: all as recorded"), "{told}");
    // A reader that goes away ends it silently.
    let mut child = Command::new(PROGRAM)
        .args(["replay", file, "--until", "3"])
        .envs(place.env())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let gone = child.wait_with_output().unwrap();
    assert_eq!((gone.status.code(), text(&gone.stderr)), (Some(0), String::new()));
    let frames: usize =
        told.split(", ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(frames > 10, "{told}");
    // The screen as it was after this many inputs: nothing at first, all of it in the end.
    let inputs: usize = told.split(' ').next().unwrap().parse().unwrap();
    let after = |inputs: usize| {
        text(&place.command(&["replay", file, "--until", &inputs.to_string()]).stdout)
    };
    let (first, last) = (after(1), after(inputs));
    assert!(first.contains("1 input, ") && !first.contains("Vertraulich"), "{first}");
    assert!(!first.contains("half a draft"), "{first}");
    assert!(last.contains(&format!("{inputs} inputs, ")), "{last}");
    assert!(last.contains("Vertraulich") && last.contains("half a draft"), "{last}");
    let redacted = place.command(&["replay", file, "--redact", secretless]);
    assert!(redacted.status.success(), "{}", text(&redacted.stderr));
    let played = place.command(&["replay", secretless]);
    assert!(text(&played.stdout).contains("all as recorded"), "{}", text(&played.stderr));
    let content = std::fs::read_to_string(secretless).unwrap();
    for word in [
        "secret",
        "Vertraulich",
        "機密",
        "private",
        "oven",
        "Joe",
        "Bloggs",
        "joe.4",
        "anna.7",
        "half a draft",
        "hanna",
    ] {
        assert!(!content.contains(word), "{word}");
    }
    // A recording never overwrites another one.
    let refused = place.command(&["replay", file, "--redact", secretless]);
    assert!(!refused.status.success());
    // A frame that differs is reported.
    let forged = std::fs::read_to_string(file).unwrap().replacen("hello Anna", "hello Hanna", 9);
    std::fs::write(secretless, forged).unwrap();
    let played = place.command(&["replay", secretless]);
    assert_eq!(played.status.code(), Some(1));
    assert!(text(&played.stderr).contains("not as recorded"), "{}", text(&played.stderr));
    std::fs::write(secretless, "no recording").unwrap();
    assert!(text(&place.command(&["replay", secretless]).stderr).contains("it is not a recording"));
}

#[test]
fn a_second_instance_says_so_and_can_look_without_writing() {
    let place = Place::new();
    let first = place.open(&[]);
    let second = place.start(&[]);
    second.wait_for("another skchat is open on");
    second.wait_for("--read-only");
    let mut looking = place.start(&["--read-only"]);
    looking.wait_for("read-only");
    looking.wait_for("hello Anna");
    looking.send("x");
    looking.wait_for("nothing can be sent or changed");
    looking.send("\x12hello");
    looking.wait_for("1 found");
    looking.send("\x1b");
    looking.wait("the chat again", |s| !s.parser.screen().contents().contains("found"));
    place.joe_says("while you look");
    first.wait_for("while you look");
    looking.send("\x1b[15~");
    looking.wait_for("while you look");
    looking.send("\x11");
    looking.wait_end();
    drop(first);
    // Without another instance, it can look, too.
    let looking = place.start(&["--read-only"]);
    looking.wait_for("while you look");
}

#[test]
fn a_damaged_store_is_reported_kept_and_salvaged() {
    let place = Place::new();
    let mut t = place.open(&[]);
    t.send("half a draft");
    t.wait_for("half a draft");
    t.send("\x11");
    t.wait_end();
    let doctor = place.command(&["doctor"]);
    let told = text(&doctor.stdout);
    assert!(doctor.status.success(), "{told}{}", text(&doctor.stderr));
    assert!(told.contains("PASS  store:") && told.contains("PASS  gateway:"), "{told}");
    let history = text(&place.command(&["doctor", "--history"]).stdout);
    assert!(history.contains("Joe Bloggs  8:joe.4"), "{history}");
    assert!(history.contains("1 message,") && history.contains("from the beginning"), "{history}");
    // The first page still says that it is a database; a table's page does not.
    let mut bytes = std::fs::read(place.store()).unwrap();
    bytes[..16].copy_from_slice(b"no sqlite format");
    std::fs::write(place.store(), &bytes).unwrap();
    let t = place.start(&[]);
    t.wait_for("the message store is damaged");
    t.wait_for("doctor --salvage");
    assert_eq!(std::fs::read(place.store()).unwrap(), bytes, "it is left as it is");
    let doctor = place.command(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(text(&doctor.stdout).contains("FAIL  store:"));
    let saved = place.command(&["doctor", "--salvage"]);
    let told = text(&saved.stdout);
    assert!(
        told.contains("recovered 1 message in 1 conversation, 1 draft"),
        "{told}{}",
        text(&saved.stderr)
    );
    let account = place.dir.path().join("accounts/home");
    assert_eq!(std::fs::read(account.join("store.damaged-1.db")).unwrap(), bytes);
    let left = |end: &str| account.join(format!("store.salvaged.{end}")).exists();
    assert!(!left("db") && !left("scratch"), "nothing is left lying about");
    // A sound store is left alone.
    let again = place.command(&["doctor", "--salvage"]);
    assert!(text(&again.stdout).contains("the store is sound; nothing was done"));
    // Truncated in the middle, or all rubbish: what can be read is kept, the rest is fetched.
    let sound = std::fs::read(place.store()).unwrap();
    for broken in [sound[..sound.len() / 2].to_vec(), vec![0x5a; 50_000]] {
        std::fs::write(place.store(), broken).unwrap();
        let saved = place.command(&["doctor", "--salvage"]);
        assert!(saved.status.success(), "{}", text(&saved.stderr));
    }
    std::fs::write(place.store(), &sound).unwrap();
    let t = place.start(&[]);
    t.wait_for("hello Anna");
    t.wait_for("› half a draft");
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_alone() {
    let place = Place::new();
    let mut t = place.open(&[]);
    t.send("\x11");
    t.wait_end();
    let connection = rusqlite::Connection::open(place.store()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.close().unwrap();
    let before = std::fs::read(place.store()).unwrap();
    let t = place.start(&[]);
    t.wait_for("written by a newer skchat (schema 99)");
    assert_eq!(std::fs::read(place.store()).unwrap(), before);
}

#[test]
fn on_a_full_disk_nothing_is_called_queued_and_the_text_stays() {
    let place = Place::new();
    let mut t = place.open(&[]);
    t.send("\x11");
    t.wait_end();
    // No file may grow over 200 KiB (sh counts half KiBs): the store's log has no room for many messages.
    let line = format!("ulimit -f 400; exec {PROGRAM}");
    let mut t = place.start_as("sh", &["-c", &line]);
    t.wait_for("hello Anna");
    t.wait_for("To Joe Bloggs ›");
    for n in 0..30 {
        t.send(&format!("\x1b[200~{}kept {n:02}.\x1b[201~\r", "filler ".repeat(1_300)));
        t.wait_for(&format!("kept {n:02}."));
        let failed = t.wait_at_most(Duration::from_millis(300), |s| {
            s.parser.screen().contents().contains("not sent:")
        });
        if failed {
            break;
        }
    }
    t.wait_for("not sent:");
    let screen = t.seen.0.lock().unwrap().parser.screen().contents();
    let marks = |mark: char| screen.lines().filter(|l| l.trim_end().ends_with(mark)).count();
    // The list and the message itself.
    assert_eq!((marks('!'), marks('·')), (1, 0), "{screen}");
    assert!(screen.contains("kept "), "{screen}");
    // It would be lost, which is reported before the program ends.
    t.send("\x11");
    t.wait_for("press again to quit");
    t.send("\x11");
    t.wait_end();
}

#[test]
fn without_a_home_or_with_one_that_cannot_be_written_it_ends_with_one_line() {
    let bare = |arguments: &[&str], env: &[(&str, &str)]| {
        let mut command = Command::new(PROGRAM);
        command.env_clear().envs(env.iter().copied()).args(arguments);
        command.output().unwrap()
    };
    let nowhere = bare(&["chats"], &[("HOME", "")]);
    // Some systems know a home anyway: then the configuration is what is missing.
    assert_eq!(nowhere.status.code(), Some(2), "{}", text(&nowhere.stderr));
    assert_eq!(text(&nowhere.stderr).lines().count(), 1, "{}", text(&nowhere.stderr));
    let place = Place::new();
    let config = place.dir.path().join("config.toml");
    let t = place.start(&["--config", config.to_str().unwrap(), "--data-dir", "/dev/null/x"]);
    t.wait_for("/dev/null/x");
    t.wait("the end", |s| s.ended);
    let screen = t.seen.0.lock().unwrap().parser.screen().contents();
    assert!(screen.starts_with("skchat: ") && !screen.contains("panicked"), "{screen}");
}
