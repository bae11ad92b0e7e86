//! The commands, as a script sees them: output, exit status, one clear line for every mistake.

use crate::common::{ANNA, JOE};
use serde_json::Value;
use skchat::model::{ConversationId, UserId};
use skchat::protocol::{decode, wire};
use skchat::store::Batch;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// `skchat serve` on a free port, and a home for its users.
struct Served {
    process: Child,
    origin: String,
    dir: TempDir,
}

impl Served {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_skchat"))
            .args(["serve", "--listen", "127.0.0.1:0", "--db"])
            .arg(dir.path().join("gateway.db"))
            .args([
                "--user",
                "8:anna.7=anna-token",
                "--user",
                "8:joe.4=joe-token",
                "--user",
                "8:mia.tan=m=ia",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let origin = line.trim().strip_prefix("listening on ").expect("the agreed line").to_owned();
        Self { process, origin, dir }
    }

    fn skchat(&self, user: &str, token: &str, arguments: &[&str]) -> Output {
        self.with_input(user, token, arguments, "")
    }

    fn with_input(&self, user: &str, token: &str, arguments: &[&str], input: &str) -> Output {
        let config = self.dir.path().join(format!("{}.toml", user.replace(':', "-")));
        let text = format!(
            "[accounts.home]\nuser_id = \"{user}\"\ngateway = \"{o}/v1\"\nscheduler = \"{o}/scheduler\"\n\
             join = \"{o}/join\"\nprofiles = \"{o}/profiles\"\ntoken = {{ env = \"TEST_TOKEN\" }}\n",
            o = self.origin
        );
        std::fs::write(&config, text).unwrap();
        run(&config, self.dir.path(), token, arguments, input)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn run(config: &Path, data: &Path, token: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_skchat"))
        .args(arguments)
        .env("SKCHAT_CONFIG", config)
        .env("SKCHAT_DATA_DIR", data.join("data"))
        .env("TEST_TOKEN", token)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", err(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn scripts_send_list_and_read() {
    let served = Served::start();
    let id = out(&served.skchat(ANNA, "anna-token", &["send", JOE, "- milk *and* <b>eggs</b>"]));
    assert!(id.trim().bytes().all(|b| b.is_ascii_digit()), "{id}");
    out(&served.with_input(
        ANNA,
        "anna-token",
        &["send", "joe", "-", "--markup"],
        "*two*\nlines\n",
    ));
    out(&served.skchat(JOE, "joe-token", &["send", "8:anna.7", "ok"]));
    let log = lines(&out(&served.skchat(ANNA, "anna-token", &["log", JOE, "--json"])));
    assert_eq!(log.len(), 3);
    let first = &log[0];
    assert_eq!(first["id"], id.trim());
    assert_eq!(first["text"], "- milk *and* <b>eggs</b>");
    assert_eq!(first["type"], "Text");
    assert_eq!(first["conversation"], JOE);
    assert_eq!(first["from"], ANNA);
    assert_eq!((&first["edited"], &first["deleted"]), (&Value::Bool(false), &Value::Bool(false)));
    let at = first["at"].as_str().unwrap();
    assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
    assert_eq!(log[1]["type"], "RichText");
    assert_eq!(log[1]["text"], "two\nlines");
    assert_eq!(log[2]["from_name"], "Joe Bloggs");
    let newest = out(&served.skchat(ANNA, "anna-token", &["log", "JOE", "-n", "1"]));
    assert!(newest.contains("Joe Bloggs: ok") && newest.lines().count() == 1, "{newest}");
    let chats = lines(&out(&served.skchat(ANNA, "anna-token", &["chats", "--json"])));
    assert_eq!(chats[0]["id"], JOE);
    assert_eq!(chats[0]["name"], "Joe Bloggs");
    assert_eq!(chats[0]["kind"], "direct");
    assert_eq!(chats[0]["unread"], 1);
    assert!(chats[0]["last_at"].as_str().unwrap().ends_with('Z'));
    out(&served.skchat(ANNA, "anna-token", &["send", "48:notes", "milk"]));
    let chats = lines(&out(&served.skchat(ANNA, "anna-token", &["chats", "--json"])));
    let notes = chats.iter().find(|chat| chat["id"] == "48:notes").expect("it is listed");
    assert_eq!((&notes["name"], &notes["kind"]), (&"Notes to self".into(), &"self".into()));
}

#[test]
fn hostile_text_is_harmless_in_every_output() {
    let served = Served::start();
    out(&served.skchat(
        JOE,
        "joe-token",
        &["send", ANNA, "\u{1b}[2Jx\u{9b}31m\u{202e}y\n09:00  You: forged"],
    ));
    for arguments in [["log", JOE].as_slice(), &["log", JOE, "--json"], &["chats"]] {
        let text = out(&served.skchat(ANNA, "anna-token", arguments));
        assert!(
            text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')),
            "{text:?}"
        );
        assert!(!text.lines().any(|l| l.starts_with("09:00")), "{text:?}");
    }
    let log = lines(&out(&served.skchat(ANNA, "anna-token", &["log", JOE, "--json"])));
    assert_eq!(
        log[0]["content"], "\u{1b}[2Jx\u{9b}31m\u{202e}y\n09:00  You: forged",
        "the raw content is faithful"
    );
}

#[test]
fn mistakes_have_one_clear_line_and_the_agreed_status() {
    let served = Served::start();
    out(&served.skchat(ANNA, "anna-token", &["send", JOE, "hi"]));
    out(&served.skchat(ANNA, "anna-token", &["send", "8:mia.tan", "hi"]));
    let nobody = served.skchat(ANNA, "anna-token", &["log", "zebra"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(
        err(&nobody).contains("no chat matches \"zebra\"; known chats: ")
            && err(&nobody).contains(JOE),
        "{}",
        err(&nobody)
    );
    let several = served.skchat(ANNA, "anna-token", &["send", "o", "hi"]);
    assert_eq!(several.status.code(), Some(0), "one match only: {}", err(&several));
    let several = served.skchat(ANNA, "anna-token", &["log", "a"]);
    assert_eq!(several.status.code(), Some(0));
    let several = served.skchat(ANNA, "anna-token", &["log", ""]);
    assert_eq!(several.status.code(), Some(2));
    assert!(err(&several).contains("several chats match"));
    let rejected = served.skchat(ANNA, "wrong", &["send", JOE, "hi"]);
    assert_eq!(rejected.status.code(), Some(1));
    assert_eq!(err(&rejected), "skchat: not sent: the server rejects the token\n");
    let refused = served.skchat(ANNA, "anna-token", &["send", "19:none@thread.skype", "hi"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).starts_with("skchat: not sent: not found"), "{}", err(&refused));
    let no_terminal = served.skchat(ANNA, "anna-token", &[]);
    assert_eq!(no_terminal.status.code(), Some(2));
    assert_eq!(err(&no_terminal).lines().count(), 1);
    let dir = tempfile::tempdir().unwrap();
    let missing = run(&dir.path().join("none.toml"), dir.path(), "", &["chats"], "");
    assert_eq!(missing.status.code(), Some(2));
    let wrong = dir.path().join("wrong.toml");
    std::fs::write(&wrong, "[accounts.a]\nuser_id = \"8:a\"\ngateway = \"http://chat.example/v1\"\ntoken = { env = \"T\" }\n").unwrap();
    let checked = run(&wrong, dir.path(), "", &["config", "check"], "");
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        err(&checked).contains("wrong.toml:3: gateway \"http://chat.example/v1\": plain http"),
        "{}",
        err(&checked)
    );
}

#[test]
fn the_gateway_refuses_addresses_that_others_can_reach() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skchat"));
        command
            .args(["serve", "--db"])
            .arg(dir.path().join("g.db"))
            .args(arguments)
            .output()
            .unwrap()
    };
    let refused = run(&["--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("--allow-remote"));
    assert_eq!(run(&["--listen", "0.0.0.0:0", "--allow-remote"]).status.code(), Some(2));
    let users = dir.path().join("users");
    std::fs::write(&users, "8:a   secret   A B\n").unwrap();
    let wide = run(&["--users", users.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(wide.status.code(), Some(2));
    assert!(err(&wide).contains("chmod 600"));
}

#[test]
fn help_and_version_read_well() {
    let help = Command::new(env!("CARGO_BIN_EXE_skchat")).arg("--help").output().unwrap();
    let text = out(&help);
    for word in ["demo", "serve", "chats", "log", "send", "config", "--data-dir"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    let version =
        out(&Command::new(env!("CARGO_BIN_EXE_skchat")).arg("--version").output().unwrap());
    assert_eq!(version.trim(), concat!("skchat ", env!("CARGO_PKG_VERSION")));
}

/// Runs a command in a shell, with the program as `$0`.
fn shell(script: &str, config: &Path, data: &Path) -> Output {
    Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_skchat")])
        .env("SKCHAT_CONFIG", config)
        .env("SKCHAT_DATA_DIR", data.join("data"))
        .env("TEST_TOKEN", "anna-token")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let served = Served::start();
    for n in 0..3 {
        out(&served.skchat(ANNA, "anna-token", &["send", JOE, &format!("number {n}")]));
    }
    let config = served.dir.path().join("8-anna.7.toml");
    for command in [
        "log joe",
        "log joe --json",
        "chats",
        "chats --json",
        "send joe hello",
        "doctor",
        "doctor --history",
        "config check",
        "--help",
        "--version",
    ] {
        // The reader is gone before the first byte.
        let script = format!("\"$0\" {command} > >(exec true); sleep 0.2; true");
        let gone = shell(&script, &config, served.dir.path());
        assert_eq!(err(&gone), "", "{command}");
        let script = format!("set -o pipefail; {{ sleep 0.1; \"$0\" {command}; }} | true");
        let gone = shell(&script, &config, served.dir.path());
        assert_eq!((err(&gone), gone.status.code()), (String::new(), Some(0)), "{command}");
        // Nobody reads the error, either.
        let script = format!("\"$0\" {command} --account none 2>&-");
        let status = shell(&script, &config, served.dir.path()).status.code();
        assert!(status.is_some_and(|code| code < 100), "{command}: {status:?}");
    }
}

#[test]
fn send_prints_the_ids_as_json() {
    let served = Served::start();
    let sent = out(&served.skchat(ANNA, "anna-token", &["send", JOE, "hi", "--json"]));
    let sent = &lines(&sent)[0];
    let log = lines(&out(&served.skchat(ANNA, "anna-token", &["log", JOE, "--json"])));
    assert_eq!(sent["id"], log[0]["id"]);
    assert_eq!(sent["client_id"], log[0]["client_id"]);
    assert_eq!(sent["conversation"], JOE);
}

#[test]
fn config_check_lists_everything_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    let check = |text: &str| {
        std::fs::write(&config, text).unwrap();
        run(&config, dir.path(), "", &["config", "check"], "")
    };
    let good = "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"http://127.0.0.1:8080/v1\"\n";
    let wrong = check(&format!(
        "{good}tokn = {{ env = \"T\" }}\npoll = \"often\"\n[ui]\ntyping = \"yes\"\nemoji = \"big\"\ntheme = \"nope\"\n\
         [sending]\ngrace_seconds = 99\n[keys]\nsned = [\"f2\"]\nquit = [\"ctrl-i\"]\n"
    ));
    assert_eq!(wrong.status.code(), Some(1));
    let text = err(&wrong);
    for part in [
        ":1: account \"home\" has no token",
        ":4: unknown key \"accounts.home.tokn\"; did you mean \"token\"?",
        ":7: expected true or false, not \"yes\"",
        ":8: \"big\" is not one of",
        ":9: there is no theme \"nope\"; the known ones are auto, default",
        ":11: grace_seconds must be at most 60",
        ":13: there is no action \"sned\"; did you mean \"send\"?",
        ":14: ",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let text = check("[accounts.home]\n");
    for field in ["user_id", "gateway", "token"] {
        assert!(err(&text).contains(&format!("has no {field}")), "{}", err(&text));
    }
    // The token file is named as the user wrote it, with the home folder in place of ~.
    let text = check(&format!("{good}token = {{ file = \"~/no/such/file\" }}\n"));
    assert_eq!(text.status.code(), Some(1));
    let home = std::env::var("HOME").unwrap();
    let missing = format!(":4: the token file {home}/no/such/file does not exist");
    assert!(err(&text).contains(&missing), "{}", err(&text));
    // Services and files that are named elsewhere, in the order of their lines.
    let text = check(&format!(
        "{good}token = {{ command = [] }}\nca_file = \"/no/such.pem\"\nservice = \"mine\"\n[services.mine]\n\
         based_on = \"teams\"\n[services.other]\npolling.activ = 3\n[keys]\nsend = \"enter\"\n"
    ));
    let lines: Vec<String> = err(&text).lines().map(str::to_owned).collect();
    let parts = [
        ":4: the token command is empty",
        ":5: ca_file /no/such.pem does not exist",
        ": service \"mine\": there is no service \"teams\"",
        ":9: service \"other\": unknown field",
        ":12: expected a list such as [\"ctrl-k\"], not \"enter\"",
    ];
    let places: Vec<Option<usize>> =
        parts.iter().map(|part| lines.iter().position(|line| line.contains(part))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {lines:#?}");
    // A single unknown key is enough to fail.
    let text = check(&format!("{good}token = {{ env = \"T\" }}\ngatway = 1\n"));
    assert_eq!(text.status.code(), Some(1));
    assert!(err(&text).contains("did you mean \"gateway\"?"), "{}", err(&text));
    let fine = check(&format!("{good}token = {{ env = \"T\" }}\n"));
    assert!(out(&fine).ends_with("config.toml is fine; account: home\n"), "{}", out(&fine));
    let broken = check("[accounts");
    assert_eq!(broken.status.code(), Some(1));
    let none = run(&dir.path().join("none.toml"), dir.path(), "", &["config", "check"], "");
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn a_token_file_below_the_home_folder_is_found() {
    let served = Served::start();
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "anna-token\n").unwrap();
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let config = home.path().join("config.toml");
    let text = format!(
        "[accounts.home]\nuser_id = \"{ANNA}\"\ngateway = \"{}/v1\"\ntoken = {{ file = \"~/token\" }}\n",
        served.origin
    );
    std::fs::write(&config, text).unwrap();
    let sent = Command::new(env!("CARGO_BIN_EXE_skchat"))
        .args(["send", JOE, "hi"])
        .env("HOME", home.path())
        .env("SKCHAT_CONFIG", &config)
        .env("SKCHAT_DATA_DIR", home.path().join("data"))
        .output()
        .unwrap();
    out(&sent);
}

#[test]
fn config_init_creates_a_file_that_explains_itself_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("new/folder/config.toml");
    let init = || run(&config, dir.path(), "", &["config", "init"], "");
    assert!(out(&init()).starts_with("created "));
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("#[accounts.home]") && text.contains("#enter"), "{text}");
    std::fs::write(&config, "# mine\n").unwrap();
    let again = init();
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("already exists; nothing was changed"), "{}", err(&again));
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "# mine\n");
}

#[test]
fn help_of_a_command_keeps_its_own_options_apart() {
    let help =
        Command::new(env!("CARGO_BIN_EXE_skchat")).args(["send", "--help"]).output().unwrap();
    let text = out(&help);
    let (own, global) = text.split_once("Global options:").expect("a heading");
    assert!(own.contains("--json") && own.contains("--markup"), "{text}");
    assert!(!own.contains("--data-dir") && global.contains("--data-dir"), "{text}");
}

#[test]
fn doctor_counts_in_english() {
    let served = Served::start();
    let store = served.dir.path().join("data/accounts/home");
    std::fs::create_dir_all(&store).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = skchat::store::Store::open(&store.join("store.db")).unwrap();
        store.close().await.unwrap();
    });
    let text = out(&served.skchat(ANNA, "anna-token", &["doctor"]));
    assert!(text.contains("is sound; 0 messages in 0 conversations"), "{text}");
    let chat = ConversationId::new(JOE);
    let raw = wire::raw_message(
        "{\"id\":\"1\",\"messagetype\":\"Text\",\"originalarrivaltime\":\"1\",\"content\":\"hi\"}",
        Some(&chat),
    );
    let raw = raw.unwrap();
    let index = decode::indexed(&decode::message(&raw, &UserId::new(ANNA)));
    runtime.block_on(async {
        let store = skchat::store::Store::open(&store.join("store.db")).unwrap();
        let batch = Batch { messages: vec![(raw, index)], ..Batch::default() };
        store.apply(batch, UserId::new(ANNA)).await.unwrap();
        store.close().await.unwrap();
    });
    let text = out(&served.skchat(ANNA, "anna-token", &["doctor"]));
    assert!(text.contains("is sound; 1 message in 1 conversation,"), "{text}");
    assert!(text.contains("WARN  messages: never checked"), "{text}");
    assert!(text.contains("PASS  notifications: "), "{text}");
}

#[test]
fn a_recording_of_another_version_is_reported_with_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old.skrec");
    std::fs::write(&old, "{\"Start\":{\"skchat\":\"0.0.9\",\"format\":1}}\n").unwrap();
    let played = run(&dir.path().join("c"), dir.path(), "", &["replay", old.to_str().unwrap()], "");
    assert_eq!(played.status.code(), Some(1));
    let text = err(&played);
    assert!(text.contains("recorded by skchat 0.0.9 in format 1"), "{text}");
}

/// The table of the README: each status, and what it says.
fn documented_statuses() -> Vec<(i32, String)> {
    let readme = include_str!("../../README.md");
    let (_, table) = readme.split_once("| Exit status | |\n| --- | --- |\n").expect("the table");
    let rows = table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let parsed = rows.map(|row| {
        let (status, text) = row.split_once(" | ").expect("two columns");
        (status.parse().expect("a number"), text.to_owned())
    });
    parsed.collect()
}

#[test]
fn the_exit_statuses_are_those_of_the_readme_and_of_the_help() {
    let statuses = documented_statuses();
    assert_eq!(statuses.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [0, 1, 2]);
    let served = Served::start();
    let help = out(&served.skchat(ANNA, "anna-token", &["--help"]));
    let (_, help) = help.split_once("Exit status:").expect("in the help");
    for (status, text) in &statuses {
        let first = text.split([';', '(']).next().unwrap_or_default().trim();
        assert!(help.contains(&format!("  {status}  {first}")), "{first}: {help}");
    }
    for (expected, token, arguments) in [
        (0, "anna-token", &["chats"][..]),
        (0, "anna-token", &["send", JOE, "hi"]),
        (0, "anna-token", &["config", "check"]),
        (0, "anna-token", &["doctor"]),
        (0, "anna-token", &["--version"]),
        (1, "wrong", &["send", JOE, "hi"]),
        (1, "wrong", &["doctor"]),
        (1, "anna-token", &["replay", "no-such-file"]),
        (1, "anna-token", &["import", "no-such-file"]),
        (2, "anna-token", &["send"]),
        (2, "anna-token", &["--nonsense"]),
        (2, "anna-token", &["log", "zebra"]),
        (2, "anna-token", &["--account", "nobody", "chats"]),
        (2, "anna-token", &["--read-only", "chats"]),
        (2, "anna-token", &[]),
    ] {
        let output = served.skchat(ANNA, token, arguments);
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn missing_and_broken_dictionaries_are_named_by_config_check_and_doctor() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("dictionaries");
    std::fs::create_dir(&folder).unwrap();
    for (name, aff) in [("en_GB", "SET UTF-8\n"), ("bad", "SET UTF-8\nSFX A Y many\n")] {
        std::fs::write(folder.join(format!("{name}.aff")), aff).unwrap();
        std::fs::write(folder.join(format!("{name}.dic")), "1\nword\n").unwrap();
    }
    let config = dir.path().join("config.toml");
    let account = "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"http://127.0.0.1:1/v1\"\n\
                   token = { env = \"TEST_TOKEN\" }\n";
    let with = |languages: &str| {
        let ui = format!(
            "[ui]\nspelling = \"{languages}\"\nspelling_folder = \"{}\"\n",
            folder.display()
        );
        std::fs::write(&config, format!("{account}\n{ui}")).unwrap();
        let check = run(&config, dir.path(), "x", &["config", "check"], "");
        // There is no gateway, so doctor fails.
        let doctor = run(&config, dir.path(), "x", &["doctor"], "");
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        (check.status.code(), err(&check), doctor)
    };
    let (status, _, doctor) = with("en_GB");
    assert_eq!(status, Some(0));
    let used = format!("PASS  spell check: {}\n", folder.join("en_GB.dic").display());
    assert!(doctor.contains(&used), "{doctor}");
    let (status, problems, doctor) = with("en_GB, xx_YY, bad");
    assert_eq!(status, Some(1));
    for text in [&problems, &doctor] {
        assert!(text.contains("there is no dictionary xx_YY.aff with xx_YY.dic in "), "{text}");
        assert!(text.contains("/usr/share/hunspell"), "{text}");
        assert!(text.contains("bad.aff: ") && text.contains("line 2"), "{text}");
    }
    assert!(doctor.contains(&used) && doctor.contains("WARN  spell check: "), "{doctor}");
    let (status, problems, _) = with("../en");
    assert_eq!(status, Some(1));
    assert!(problems.contains("\"../en\" is not a language"), "{problems}");
}

#[test]
fn doctor_says_of_an_older_store_that_it_is_upgraded_and_salvages_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    let account = "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"http://127.0.0.1:1/v1\"\n\
                   token = { env = \"TEST_TOKEN\" }\n";
    std::fs::write(&config, account).unwrap();
    let folder = dir.path().join("data/accounts/home");
    std::fs::create_dir_all(&folder).unwrap();
    let store = folder.join("store.db");
    let older = rusqlite::Connection::open(&store).unwrap();
    older.execute_batch("CREATE TABLE messages (id TEXT); PRAGMA user_version = 1;").unwrap();
    drop(older);
    let before = std::fs::read(&store).unwrap();
    let doctor = run(&config, dir.path(), "x", &["doctor"], "");
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("  store: ")).unwrap_or_default();
    assert!(line.starts_with("WARN") && line.contains("upgraded at the next start"), "{text}");
    let salvaged = out(&run(&config, dir.path(), "x", &["doctor", "--salvage"], ""));
    assert!(salvaged.contains("start skchat to upgrade it"), "{salvaged}");
    assert_eq!(std::fs::read(&store).unwrap(), before);
}

#[test]
fn keys_are_listed_with_what_the_configuration_changes() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    let keys = |arguments: &[&str]| out(&run(&config, dir.path(), "", arguments, ""));
    // No configuration is needed.
    let table = keys(&["keys"]);
    for part in ["Anywhere\n", "In a dialog\n", "  switcher ", "Ctrl-K, Ctrl-T"] {
        assert!(table.contains(part), "{part} is missing in\n{table}");
    }
    assert_eq!(keys(&["keys", "--diff"]), "all keys are the built-in ones\n");
    assert_eq!(keys(&["keys", "--diff", "--json"]), "");
    std::fs::write(&config, "[keys]\nswitcher = [\"ctrl-t\"]\nnext-unread = []\n").unwrap();
    let changed = keys(&["keys", "--diff"]);
    assert_eq!(
        changed,
        "switcher: Ctrl-T (built in: Ctrl-K, Ctrl-T)\nnext-unread: none (built in: Alt-A, F8)\n"
    );
    let changed = lines(&keys(&["keys", "--diff", "--json"]));
    assert_eq!(changed.len(), 2);
    assert_eq!(changed[0]["action"], "switcher");
    assert_eq!(changed[0]["keys"], serde_json::json!(["Ctrl-T"]));
    assert_eq!(changed[0]["built_in"], serde_json::json!(["Ctrl-K", "Ctrl-T"]));
    assert!(lines(&keys(&["keys", "--json"])).len() > 100);
}

#[test]
fn the_manual_page_and_completions_know_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let printed = |arguments: &[&str]| run(&dir.path().join("none"), dir.path(), "", arguments, "");
    let help = out(&printed(&["--help"]));
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let commands: Vec<&str> = commands
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 12, "{help}");
    let page = out(&printed(&["man"]));
    assert!(page.starts_with(".ie") || page.contains(".TH skchat"), "{page}");
    for command in &commands {
        assert!(page.contains(command), "{command} is not in the page");
    }
    let of_send = out(&printed(&["man", "send"]));
    assert!(of_send.contains("skchat\\-send") && of_send.contains("markup"), "{of_send}");
    assert_eq!(printed(&["man", "nothing"]).status.code(), Some(2));
    for shell in ["bash", "zsh", "fish"] {
        let script = out(&printed(&["completions", shell]));
        for command in &commands {
            assert!(script.contains(command), "{command} is not in that for {shell}");
        }
    }
}
