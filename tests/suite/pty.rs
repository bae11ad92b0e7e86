//! The built binary in a real terminal: starts, sends, receives, resizes, gives the terminal back, survives a kill.

use crate::common::export;
use crate::common::session_bus::{Asked, Service, SessionBus};
use crate::common::terminal::{Terminal, size};
use portable_pty::{CommandBuilder, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn start(arguments: &[&str], data: &Path) -> Terminal {
    start_with(arguments, data, &[])
}

fn start_with(arguments: &[&str], data: &Path, env: &[(&str, &str)]) -> Terminal {
    let mut own = vec![("COLORTERM", "")];
    own.extend(env);
    Terminal::skchat(data, arguments, &own, 80, 24)
}

/// Every mode that was switched on is switched off after it.
fn assert_given_back(bytes: &str) {
    for mode in ["1049", "2004", "1004", "1000", "1006"] {
        let on = bytes
            .rfind(&format!("\u{1b}[?{mode}h"))
            .unwrap_or_else(|| panic!("{mode} was never on"));
        let off = bytes
            .rfind(&format!("\u{1b}[?{mode}l"))
            .unwrap_or_else(|| panic!("{mode} was never off"));
        assert!(off > on, "mode {mode} is still on");
    }
    assert!(bytes.rfind("\u{1b}[?25h") > bytes.rfind("\u{1b}[?25l"), "the cursor is hidden");
}

#[test]
fn the_demo_opens_answers_and_gives_the_terminal_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&["demo"], dir.path());
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.wait_for("DEMO");
    t.send("see you at nine\r");
    t.wait_for("see you at nine");
    t.wait_for("Joe Bloggs is typing");
    t.wait_for("Ha, exactly what I was going to say.");
    t.resize(120, 40);
    t.wait("two-line rows", |s| {
        s.parser.screen().contents().contains("Joe: Ha, exactly")
            || s.parser.screen().contents().contains("Ha, exactly what I wa")
    });
    t.send("\u{11}");
    assert_given_back(&t.end());
}

/// `skchat serve` on a free port.
struct Served(std::process::Child, String);

impl Served {
    fn start(dir: &Path) -> Self {
        use std::io::BufRead;
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_skchat"))
            .args(["serve", "--listen", "127.0.0.1:0", "--db"])
            .arg(dir.join("gateway.db"))
            .args(["--user", "8:anna.7=anna", "--user", "8:joe.4=joe"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().strip_prefix("listening on ").unwrap().to_owned())
    }

    fn client(&self, dir: &Path, user: &str, token: &str) -> Terminal {
        let home = dir.join(token);
        std::fs::create_dir_all(&home).unwrap();
        let config = format!(
            "[accounts.home]\nuser_id = \"{user}\"\ngateway = \"{o}/v1\"\nprofiles = \"{o}/profiles\"\n\
             token = {{ env = \"TEST_TOKEN\" }}\n",
            o = self.1
        );
        std::fs::write(home.join("config.toml"), config).unwrap();
        start_with(&[], &home, &[("TEST_TOKEN", token)])
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn two_people_chat_through_a_served_gateway_each_in_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let mut anna = served.client(dir.path(), "8:anna.7", "anna");
    let mut joe = served.client(dir.path(), "8:joe.4", "joe");
    anna.wait_for("live");
    joe.wait_for("live");
    anna.send("\u{b}8:joe.4\r");
    anna.wait_for("To Joe Bloggs");
    anna.send("Is this on?\r");
    joe.wait_for("1 unread");
    joe.send("\u{1b}a");
    joe.wait_for("Is this on?");
    joe.send("Loud and clear ");
    anna.wait_for("Joe Bloggs is typing");
    joe.send("👍\r");
    anna.wait_for("Loud and clear 👍");
    anna.send("\u{11}");
    joe.send("\u{3}\u{3}");
    assert_given_back(&anna.end());
    assert_given_back(&joe.end());
    let log = std::fs::read_to_string(dir.path().join("anna/logs/skchat.log")).unwrap();
    assert!(
        !log.contains("Is this on") && !log.contains("Joe Bloggs"),
        "no text and no names in the log"
    );
}

#[test]
fn all_accounts_that_can_be_used_are_started_and_account_narrows_them_to_one() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let home = dir.path().join("several");
    std::fs::create_dir_all(&home).unwrap();
    let account = |name: &str, user: &str, token: &str| {
        format!(
            "[accounts.{name}]\nuser_id = \"{user}\"\ngateway = \"{}/v1\"\ntoken = {{ env = \"{token}\" }}\n",
            served.1
        )
    };
    let (anna, joe) = (account("home", "8:anna.7", "ANNA"), account("other", "8:joe.4", "JOE"));
    let work = "[accounts.work]\nservice = \"teams-free\"\n";
    std::fs::write(home.join("config.toml"), format!("{anna}{joe}{work}")).unwrap();
    let tokens = [("ANNA", "anna"), ("JOE", "joe")];
    let mut all = start_with(&[], &home, &tokens);
    all.wait_for("●home ●other");
    all.wait_for("not signed in");
    all.send("\u{11}");
    assert_given_back(&all.end());
    let mut one = start_with(&["--account", "other"], &home, &tokens);
    let is_one = |screen: &str| screen.contains("live") && !screen.contains("●home");
    one.wait("one account", |s| is_one(&s.parser.screen().contents()));
    one.send("\u{11}");
    assert_given_back(&one.end());
}

#[test]
fn what_was_typed_is_there_again_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&["demo"], dir.path());
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.send("half a thought");
    t.wait_for("half a thought");
    // The draft is on disk half a second after the first key at the latest; reading it back needs the file only.
    let store = dir.path().join("demo/store.db");
    let until = Instant::now() + PATIENCE;
    loop {
        let found = rusqlite::Connection::open(&store).and_then(|c| {
            c.query_row(
                "SELECT count(*) FROM drafts WHERE draft LIKE '%half a thought%'",
                [],
                |row| row.get::<_, i64>(0),
            )
        });
        if found.is_ok_and(|n| n == 1) {
            break;
        }
        assert!(Instant::now() < until, "the draft never reached the disk");
        std::thread::yield_now();
    }
    t.signal(rustix::process::Signal::KILL);
    t.end();
    let t = start(&["demo"], dir.path());
    t.wait_for("half a thought");
}

#[test]
fn what_a_killed_one_left_on_the_alternate_screen_does_not_show_through() {
    let dir = tempfile::tempdir().unwrap();
    let t = start(&["demo"], dir.path());
    t.wait_for("DEMO");
    let seen = t.seen.0.lock().unwrap();
    let mut left = vt100::Parser::new(NonZero::new(24).unwrap(), NonZero::new(80).unwrap(), 0);
    left.process(b"\x1b[?1049h\x1b[1;41m\x1b[H");
    left.process("left over ".repeat(8 * 24).as_bytes());
    left.process(&seen.bytes);
    let (over, fresh) = (left.screen().contents(), seen.parser.screen().contents());
    let (colours, wanted) =
        (left.screen().contents_formatted(), seen.parser.screen().contents_formatted());
    drop(seen);
    assert_eq!(over, fresh);
    assert_eq!(colours, wanted);
}

#[test]
fn signals_end_it_with_the_terminal_given_back_and_the_draft_kept() {
    use rustix::process::Signal;
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::ALARM] {
        let dir = tempfile::tempdir().unwrap();
        let mut t = start(&["demo"], dir.path());
        t.wait_for("To Joe Bloggs");
        t.wait_for("live");
        t.send("unsaved");
        t.wait_for("unsaved");
        t.signal(signal);
        assert_given_back(&t.end());
        let t = start(&["demo"], dir.path());
        t.wait_for("unsaved");
    }
}

#[test]
fn a_second_one_on_the_same_data_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(&["demo"], dir.path());
    first.wait_for("live");
    let mut second = start(&["demo"], dir.path());
    second.wait_for("another skchat is open on");
    assert_eq!(second.exit_code(), 1);
}

#[test]
fn without_an_account_its_questions_lead_to_a_configured_account_and_its_screen() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&[], dir.path());
    t.wait_for("1  Look around with sample conversations");
    t.send("4\r");
    t.wait_for("Address");
    // Nothing listens there.
    t.send("http://127.0.0.1:1/v1\r");
    t.wait_for("Your id there");
    t.send("anna\r");
    t.wait_for("an id has a prefix");
    t.send("8:anna.7\r");
    t.wait_for("Your token");
    t.send("canary-token\r");
    t.wait_for("offline");
    let shown = String::from_utf8_lossy(&t.seen.0.lock().unwrap().bytes).into_owned();
    assert!(!shown.contains("canary"), "the token is not shown");
    let config = std::fs::read_to_string(dir.path().join("config.toml")).unwrap();
    assert!(config.contains("\n[accounts.home]\nuser_id = \"8:anna.7\"") && config.contains("# "));
    assert!(!config.contains("canary"));
    let token = dir.path().join("accounts/home/token");
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "canary-token\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&token.metadata().unwrap().permissions());
    assert_eq!(mode & 0o077, 0);
    t.send("\u{11}");
    assert_eq!(t.exit_code(), 0);
    let mut t = start_with(&["demo"], dir.path(), &[("TERM", "dumb")]);
    t.wait_for("TERM");
    assert_eq!(t.exit_code(), 2);
}

#[test]
fn the_first_run_signs_in_to_an_organisation_only_after_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(&[], dir.path());
    t.wait_for("Choose 1 to 5");
    t.send("3\r");
    t.wait_for("domain or tenant id");
    t.send("no domain!\r");
    t.wait_for("this is not a domain or a tenant id");
    t.send("example.org\r");
    t.wait_for("Sign in? Type yes");
    t.send("no\r");
    assert_eq!(t.exit_code(), 1);
    let config = std::fs::read_to_string(dir.path().join("config.toml")).unwrap();
    let account = "[accounts.me]\nservice = \"teams-work\"\ntenant = \"example.org\"\n";
    assert!(config.contains(account), "{config}");
}

#[test]
fn ctrl_q_at_the_consent_ends_the_program_before_anything_was_asked_of_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    service.set_nonblocking(true).unwrap();
    let config = format!(
        "[accounts.me]\nservice = \"play\"\n[services.play]\nbased_on = \"teams-free\"\norigin = \"http://{}\"\n",
        service.local_addr().unwrap()
    );
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let mut t = start(&[], dir.path());
    t.wait_for("Ctrl-X s");
    t.send("\u{18}s");
    t.wait_for("This is unofficial");
    t.send("\u{11}");
    assert_given_back(&t.end());
    assert_eq!(t.exit_code(), 0);
    let asked = service.accept().map(drop).map_err(|e| e.kind());
    assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock), "nobody has connected");
    assert!(!dir.path().join("accounts/me/sign-in.json").exists());
}

#[test]
fn the_first_run_imports_an_export_and_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("messages.json");
    std::fs::write(&file, export::sample(export::Dialect::Skype2025).json).unwrap();
    let mut t = start(&[], dir.path());
    t.wait_for("Choose 1 to 5");
    t.send("5\r");
    t.wait_for("The .tar, the folder");
    t.send(&format!("{}\r", file.display()));
    t.wait_for("archive");
    t.wait_for("Joe Bloggs");
    t.send("\u{11}");
    assert_eq!(t.exit_code(), 0);
}

#[test]
fn no_color_means_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start_with(&["demo"], dir.path(), &[("NO_COLOR", "1")]);
    t.wait_for("live");
    t.send("\u{11}");
    let bytes = t.end();
    let colours = bytes.split("\u{1b}[").filter(|s| {
        let code = s.split('m').next().unwrap_or_default();
        code.split(';').any(|c| matches!(c.parse::<u32>(), Ok(30..=37 | 38 | 40..=48 | 90..=107)))
            && s.contains('m')
    });
    assert_eq!(colours.count(), 0);
}

/// A program made by the test, in a folder that comes first in PATH.
fn script(dir: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let path = bin.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

fn wait_for_file(path: &Path, text: &str) {
    let until = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(path).is_ok_and(|t| t == text) {
        assert!(Instant::now() < until, "{} never held {text:?}", path.display());
        std::thread::yield_now();
    }
}

/// The demo after a message, `copy me`, was sent and copied.
fn copying_in_the_demo(dir: &Path, env: &[(&str, &str)]) -> Terminal {
    let mut t = start_with(&["demo"], dir, env);
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.send("copy me\r");
    t.wait("the sent mark", |s| {
        s.parser.screen().contents().lines().any(|l| l.contains("copy me") && l.contains('✓'))
    });
    t.send("\u{1b}[1;5A");
    t.wait_for("Esc back");
    t.send("y");
    t
}

/// Waits until the terminal is asked to copy it.
fn wait_for_osc52(t: &Terminal) {
    // base64 of the text
    t.wait("OSC 52", |s| {
        String::from_utf8_lossy(&s.bytes).contains("\u{1b}]52;c;Y29weSBtZQ==\u{7}")
    });
}

#[test]
fn copying_tells_the_terminal_and_the_clipboard_program_and_pasting_asks_it() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("clipboard");
    let text = format!(
        "case \"$*\" in *-out*) printf 'from the\\ndesktop' ;; *) cat > {} ;; esac",
        kept.display()
    );
    let path = script(dir.path(), "xclip", &text);
    let env = [
        ("PATH", path.as_str()),
        ("DISPLAY", ":99"),
        ("WAYLAND_DISPLAY", ""),
        ("TMUX", ""),
        ("STY", ""),
    ];
    let mut t = copying_in_the_demo(dir.path(), &env);
    t.wait_for("Copied 7 characters (xclip)");
    wait_for_file(&kept, "copy me");
    wait_for_osc52(&t);
    t.send("\u{1b}");
    t.wait("the box again", |s| !s.parser.screen().contents().contains("Esc back"));
    t.send("\u{16}");
    t.wait_for("from the");
    t.wait_for("desktop");
    t.send("\u{11}");
    assert_given_back(&t.end());
}

#[test]
fn over_ssh_without_a_clipboard_program_copying_is_left_to_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let env = [
        ("SSH_CONNECTION", "127.0.0.1 50000 127.0.0.1 22"),
        ("SSH_TTY", "/dev/pts/0"),
        ("DISPLAY", ""),
        ("WAYLAND_DISPLAY", ""),
        ("TMUX", ""),
        ("STY", ""),
    ];
    let mut t = copying_in_the_demo(dir.path(), &env);
    // Nobody can know whether the terminal has taken it.
    t.wait_for("Sent to the terminal");
    wait_for_osc52(&t);
    t.send("\u{11}");
    assert_given_back(&t.end());
}

#[test]
fn a_long_message_is_written_in_the_editor_which_has_the_terminal_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    // The editor reads a key itself: none may be taken away from it.
    let text = "echo editor is here; read line; printf '%s\\nsecond line\\n' \"$line\" >> \"$1\"";
    let path = script(dir.path(), "my-editor", text);
    let env = [("PATH", path.as_str()), ("VISUAL", ""), ("EDITOR", "my-editor")];
    let mut t = start_with(&["demo"], dir.path(), &env);
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.send("first ");
    t.wait_for("› first");
    t.send("\u{1b}e");
    t.wait_for("editor is here");
    t.send("typed in the editor\r");
    t.wait_for("first typed in the editor");
    t.wait_for("second line");
    t.send("!\u{11}");
    assert_given_back(&t.end());
    let left: Vec<_> = std::fs::read_dir(dir.path().join("demo"))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("edit-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_terminal_that_closes_without_a_signal_ends_it_with_the_draft_kept() {
    let dir = tempfile::tempdir().unwrap();
    // A session leader that ignores SIGHUP passes that on to its child: only the dead terminal itself can tell.
    let pair = native_pty_system().openpty(size(80, 24)).unwrap();
    let mut command = CommandBuilder::new("sh");
    let line = format!("trap '' HUP; exec {} demo", env!("CARGO_BIN_EXE_skchat"));
    command.args(["-c", &line]);
    command.env("TERM", "xterm-256color");
    command.env("SKCHAT_DATA_DIR", dir.path());
    command.env("SKCHAT_CONFIG", dir.path().join("config.toml"));
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let master = pair.master;
    // One thread owns every handle of the terminal, so that its end closes it.
    let (done, closed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = master.try_clone_reader().unwrap();
        let mut input = master.take_writer().unwrap();
        let mut parser =
            vt100::Parser::new(NonZero::new(24).unwrap(), NonZero::new(80).unwrap(), 0);
        let mut buffer = [0; 4096];
        for (wait, then) in [("live", "unsaved words"), ("unsaved words", "")] {
            while !parser.screen().contents().contains(wait) {
                let count = reader.read(&mut buffer).unwrap();
                parser.process(&buffer[..count]);
            }
            input.write_all(then.as_bytes()).unwrap();
        }
        drop((reader, input, master));
        done.send(()).ok();
    });
    closed.recv_timeout(PATIENCE).expect("the words are on the screen");
    let closed = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(closed.elapsed() < Duration::from_secs(5), "it outlives its terminal");
        std::thread::yield_now();
    }
    let t = start(&["demo"], dir.path());
    t.wait_for("unsaved words");
}

/// The parameters of every SGR sequence that was sent.
fn styles(bytes: &str) -> Vec<Vec<u32>> {
    let sequences = bytes.split("\u{1b}[").filter_map(|rest| {
        let (code, _) = rest.split_once('m')?;
        code.split(';').map(|n| n.parse().ok()).collect::<Option<Vec<u32>>>()
    });
    sequences.collect()
}

#[test]
fn a_terminal_of_few_colours_gets_no_codes_it_does_not_know() {
    for (term, has_colours) in
        [("linux", true), ("xterm-16color", true), ("screen", true), ("vt100", false)]
    {
        let dir = tempfile::tempdir().unwrap();
        let env = [("TERM", term), ("NO_COLOR", ""), ("STY", "1.pts"), ("COLORTERM", "")];
        let mut t = start_with(&["demo"], dir.path(), &env);
        t.wait_for("live");
        t.send("\u{11}");
        let bytes = t.end();
        let styles = styles(&bytes);
        assert!(!styles.iter().any(|s| s.contains(&38) || s.contains(&48)), "{term}");
        let coloured = styles.iter().flatten().any(|n| matches!(n, 30..=37 | 40..=47 | 90..=107));
        assert_eq!(coloured, has_colours, "{term}");
        if term == "linux" {
            assert!(!bytes.contains(['✓', '▎', '⏎']), "signs that its fonts lack");
        }
    }
}

/// The demo with notifications, in a terminal of which only the environment given here is known. A message was sent,
/// and the window loses the focus before the answer.
fn about_to_notify(dir: &Path, config: &str, env: &[(&str, &str)]) -> Terminal {
    const UNKNOWN: [&str; 6] =
        ["TERM_PROGRAM", "KITTY_WINDOW_ID", "SSH_CONNECTION", "TMUX", "STY", "ZELLIJ"];
    let config = format!("[notifications]\ndemo = true\n{config}");
    std::fs::write(dir.join("config.toml"), config).unwrap();
    let unknown = UNKNOWN.map(|name| (name, ""));
    let env: Vec<(&str, &str)> = unknown.into_iter().chain(env.iter().copied()).collect();
    let mut t = start_with(&["demo"], dir, &env);
    t.wait_for("To Joe Bloggs");
    t.wait_for("live");
    t.send("see you at nine\r\u{1b}[O");
    t
}

#[test]
fn a_message_out_of_sight_reaches_the_terminal_and_the_program_as_arguments() {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("told");
    let text = format!("printf '%s\\n' \"$#\" \"$@\" > {}", told.display());
    let path = script(dir.path(), "my-notify", &text);
    let env = [("PATH", path.as_str()), ("TERM_PROGRAM", "WezTerm")];
    let mut t = about_to_notify(dir.path(), "command = [\"my-notify\", \"--\"]\n", &env);
    t.wait("the notification", |s| {
        let sent = String::from_utf8_lossy(&s.bytes);
        sent.contains("\u{1b}]777;notify;Joe Bloggs;New message\u{7}")
    });
    wait_for_file(&told, "3\n--\nJoe Bloggs\nNew message\n");
    t.wait_for("Ha, exactly what I was going to say.");
    t.send("\u{11}");
    assert_given_back(&t.end());
}

#[test]
fn a_message_out_of_sight_reaches_the_desktop_which_takes_it_back_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let desktop = SessionBus::start(dir.path(), Service::Shows);
    let address = desktop.address();
    let env = [("DBUS_SESSION_BUS_ADDRESS", address.as_str())];
    let mut t = about_to_notify(dir.path(), "", &env);
    let shown = Asked::Show { title: "Joe Bloggs".into(), text: "New message".into() };
    assert_eq!(desktop.asked(), shown);
    t.wait_for("Ha, exactly what I was going to say.");
    t.send("\u{1b}[I");
    assert_eq!(desktop.asked(), Asked::Close(7));
    t.send("\u{11}");
    let sent = t.end();
    assert!(!sent.contains("\u{1b}]777") && !sent.contains("\u{1b}]99;"));
    assert_given_back(&sent);
}

#[test]
fn a_setting_changed_on_the_screen_is_added_to_the_file_and_the_rest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let mut t = served.client(dir.path(), "8:anna.7", "anna");
    t.wait_for("live");
    let file = dir.path().join("anna/config.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    t.send("\u{1b}[21~");
    t.wait_for("Settings");
    t.send("ui.mouse");
    t.wait_for("› ui.mouse");
    t.send("\r");
    t.wait_for("ui.mouse is saved in your configuration");
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(after.starts_with(&before) && after.ends_with("[ui]\nmouse = false\n"), "{after}");
    t.send("\u{1b}");
    t.send("\u{11}");
    t.wait_end();
    let sent = t.sent();
    assert!(sent.rfind("\u{1b}[?1000l") > sent.rfind("\u{1b}[?1000h"), "the mouse is given back");
}
