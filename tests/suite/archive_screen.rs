//! Archives on the screen of the built program, driven by keys: imports at the first start and alongside a live
//! account, and an archive shown together with the live conversation that continues it, also in `log` and in `export`.

use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, JOE, PATIENCE, say_as, token};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_skchat");
const OLD: u64 = 260;

/// An export of the chat with Joe: messages of the years 2010 to 2015, newest first.
fn export() -> String {
    let message = |n: u64| {
        let id = 1_262_304_000_000 + n * 600_000_000;
        let words = if n == 7 { "the sourdough of old".to_owned() } else { format!("year-{n}.") };
        format!(
            r#"{{"id":"{id}","messagetype":"Text","version":{id},"content":"{words}","from":"{JOE}"}}"#
        )
    };
    let list: Vec<String> = (0..OLD).rev().map(message).collect();
    format!(
        r#"{{"userId":"{ANNA}","conversations":[{{"id":"{JOE}","displayName":"Joe","MessageList":[{}]}}]}}"#,
        list.join(",")
    )
}

fn environment(home: &Path) -> Vec<(String, String)> {
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    [
        ("SKCHAT_CONFIG", path("config.toml")),
        ("SKCHAT_DATA_DIR", path("data")),
        ("TEST_TOKEN", token(ANNA)),
        ("TZ", "UTC".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn run(home: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    let output = command.args(arguments).envs(environment(home)).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn texts(lines: &str) -> Vec<String> {
    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    lines.lines().map(|line| read(line)["text"].as_str().unwrap().to_owned()).collect()
}

fn start(home: &Path) -> Terminal {
    let own = environment(home);
    let own: Vec<(&str, &str)> = own.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Terminal::start(Path::new(PROGRAM), &[], &own, 100, 30)
}

#[test]
fn the_first_run_imports_an_export_and_later_ones_are_imported_from_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    std::fs::write(home.join("my export.json"), export()).unwrap();
    let newer = format!(
        r#"{{"userId":"{ANNA}","conversations":[{{"id":"{JOE}","MessageList":[{{"id":"1600000000000","messagetype":"Text","version":1600000000000,"content":"much later","from":"{JOE}"}}]}}]}}"#
    );
    std::fs::write(home.join("newer.json"), newer).unwrap();
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let mut t = start(home);
    t.wait_for("5  Import an export from Skype or Teams");
    t.send("5\r");
    t.wait_for("or messages.json:");
    t.send(&format!("{}\r", path("my export.json")));
    t.wait_for("▤");
    t.send("\u{b}Joe");
    t.wait_for("› Joe");
    t.send("\r");
    t.wait_for(&format!("year-{}.", OLD - 1));
    // A file that is not an export is reported, and nothing changes.
    t.send("\u{18}i");
    t.wait_for("Path of the .tar");
    t.send(&format!("{}\r", path("none.tar")));
    t.wait_for("Not imported");
    t.send("\u{1b}");
    // The open chat continues with what a newer export adds. Paths are pasted in quotes.
    t.send("\u{18}i");
    t.wait_for("Path of the .tar");
    t.send(&format!("'{}'\r", path("newer.json")));
    t.wait_for("1 new, 0 changed, 0 already there");
    t.send("\u{1b}");
    t.wait_for("much later");
    t.send("\u{11}");
    assert_eq!(t.exit_code(), 0);
    assert!(home.join("data/archives/anna.7/report.txt").exists());
    assert!(!home.join("config.toml").exists(), "the configuration is the user's");
}

/// The archive's years on the screen above the live messages, by scrolling, by date and by search.
fn read_on_the_screen(home: &Path) {
    let mut t = start(home);
    t.wait_for("live");
    t.send("\u{b}Joe");
    t.wait_for("› Joe");
    t.send("\r");
    t.wait_for("live word 3");
    // Before the archive joins, the program has reached the start of what the server has.
    for _ in 0..3 {
        t.send("\u{1b}[5~");
    }
    t.send("\u{18}i");
    t.wait_for("Path of the .tar");
    t.send(&format!("{}\r", home.join("export.json").to_str().unwrap()));
    t.wait_for(&format!("{OLD} new, 0 changed"));
    t.send("\u{1b}");
    t.wait("one marked row", |seen| {
        let text = seen.parser.screen().contents();
        text.matches('▤').count() == 1 && !text.contains("Esc closes")
    });
    // Scrolling up leads from the live messages into the archive.
    let newest = format!("year-{}.", OLD - 1);
    let screen = |t: &Terminal| t.seen.0.lock().unwrap().parser.screen().contents();
    for _ in 0..20 {
        let before = screen(&t);
        if before.contains(&newest) {
            break;
        }
        t.send("\u{1b}[5~");
        t.wait("another page", |s| s.parser.screen().contents() != before);
    }
    t.wait_for(&newest);
    // A date of the archive.
    t.send("\u{7}");
    t.wait_for("date");
    t.send("2010-01\r");
    t.wait_for("year-1.");
    // Everything of the archive is found, and is read in the same chat.
    t.send("\u{12}sourdough");
    t.wait_for("1 found");
    t.send("\r");
    t.wait_for("the sourdough of old");
    t.send("v");
    t.wait_for("export.json");
    t.send("\u{1b}");
    t.send("\u{11}");
    t.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_and_its_live_successor_are_one_conversation_everywhere() {
    let gateway = Gateway::start().await;
    for n in 1..=3 {
        say_as(&gateway.client(JOE), ANNA, &format!("live word {n}")).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_owned();
    let origin = &gateway.origin;
    let config = format!(
        "[accounts.home]\nuser_id = \"{ANNA}\"\ngateway = \"{origin}/v1\"\nprofiles = \"{origin}/profiles\"\n\
         token = {{ env = \"TEST_TOKEN\" }}\n"
    );
    std::fs::write(home.join("config.toml"), config).unwrap();
    std::fs::write(home.join("export.json"), export()).unwrap();
    let work = tokio::task::spawn_blocking(move || {
        read_on_the_screen(&home);
        let log = texts(&run(&home, &["log", "Joe", "-n", "10", "--json"]));
        assert_eq!(log.len(), 10);
        assert_eq!(log.last().unwrap(), "live word 3");
        assert_eq!(log.first().unwrap(), &format!("year-{}.", OLD - 7));
        for format in ["json", "txt", "html", "md", "csv"] {
            let all = run(&home, &["export", "Joe", "--format", format]);
            let place =
                |words: &str| all.find(words).unwrap_or_else(|| panic!("{words}: {format}"));
            assert!(place("the sourdough of old") < place("live word 1"), "{format}");
            assert!(place("live word 1") < place("live word 3"), "{format}");
        }
        let lines = texts(&run(&home, &["export", "Joe", "--format", "json"]));
        assert_eq!(lines.len() as u64, OLD + 3);
        let of_archive =
            run(&home, &["export", "--account", "anna.7", "--all", "--format", "json"]);
        assert_eq!(texts(&of_archive).len() as u64, OLD);
    });
    tokio::time::timeout(PATIENCE * 6, work).await.expect("in time").unwrap();
}

#[test]
fn an_archive_that_cannot_be_opened_is_left_out_and_the_others_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    std::fs::write(home.join("export.json"), export()).unwrap();
    run(home, &["import", home.join("export.json").to_str().unwrap()]);
    let archives = home.join("data/archives");
    let sound = std::fs::read_dir(&archives).unwrap().next().unwrap().unwrap().path();
    let broken = archives.join("broken");
    std::fs::create_dir(&broken).unwrap();
    for entry in std::fs::read_dir(&sound).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), broken.join(entry.file_name())).unwrap();
    }
    // As a newer skchat would have written it.
    let store = rusqlite::Connection::open(broken.join("store.db")).unwrap();
    store.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let mut t = start(home);
    t.wait_for("The archive broken was skipped");
    t.wait_for(&format!("year-{}.", OLD - 1));
    t.send("\u{11}");
    t.wait_end();
    // If it is the only one, that ends the program.
    std::fs::remove_dir_all(&sound).unwrap();
    let mut t = start(home);
    assert!(t.end().contains("newer skchat"));
}
