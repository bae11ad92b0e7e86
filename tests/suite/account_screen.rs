//! Accounts that are added, signed in to, renamed and removed in the running program, by its keys.

use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, JOE, say_as, token};
use skchat::gateway::emulation::{CodeState, EmulatedService, EmulationOptions};
use skchat::model::UserId;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A home with an account at one gateway, and a service that another gateway emulates.
struct Home {
    dir: tempfile::TempDir,
    own: Gateway,
    emulation: Gateway,
}

const COMMENT: &str = "# My own comment, which stays.";

impl Home {
    async fn new() -> Self {
        let own = Gateway::start().await;
        let emulation = Gateway::configured(|options| {
            let emulation = EmulationOptions::new(EmulatedService::TeamsFree);
            options.emulates = Some(EmulationOptions { interval: 1, ..emulation });
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "{COMMENT}\n[accounts.home]\nuser_id = \"{ANNA}\"\ngateway = \"{}/v1\"\ntoken = {{ env = \"TEST_TOKEN\" }}\n\n\
             [services.play]\nbased_on = \"teams-free\"\norigin = \"{}\"\npolling.budget = 0\nabout.title = \"An emulated service\"\n",
            own.origin, emulation.origin
        );
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        Self { dir, own, emulation }
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("config.toml")).unwrap()
    }

    fn account(&self, name: &str) -> PathBuf {
        self.dir.path().join("accounts").join(name)
    }

    fn start(&self, arguments: &[&str]) -> Terminal {
        self.start_with(arguments, &[])
    }

    fn start_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> Terminal {
        let own = token(ANNA);
        let mut env = vec![("TEST_TOKEN", own.as_str())];
        env.extend(more);
        Terminal::skchat(self.dir.path(), arguments, &env, 100, 30)
    }

    /// Confirms the code that is pending.
    fn approve(&self) {
        let authority = &self.emulation.state.emulation().unwrap().authority;
        let code = authority.waiting().pop().expect("a code was given out");
        assert!(authority.decide(&code, &CodeState::Approved(UserId::new(ANNA))));
    }
}

/// Runs code that waits for the terminal on a separate thread, next to the gateways.
async fn on_screen<T: Send + 'static>(
    terminal: Terminal,
    work: impl FnOnce(&mut Terminal) -> T + Send + 'static,
) -> (Terminal, T) {
    let run = move || {
        let mut terminal = terminal;
        let result = work(&mut terminal);
        (terminal, result)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

const ACCOUNTS: &str = "\u{18}c";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_account_is_added_signed_in_to_renamed_and_removed_without_a_restart() {
    let home = Home::new().await;
    let (screen, ()) = on_screen(home.start(&[]), |t| {
        t.wait_for("live");
        t.send(ACCOUNTS);
        t.wait_for("Accounts");
        t.send("a");
        t.wait_for("An emulated service");
        // In the list it comes after the two services of Microsoft and the gateway by address.
        t.send("\u{1b}[B\u{1b}[B\u{1b}[B\r");
        t.wait_for("Name of the account");
        t.send("\r");
        t.wait_for("unofficial");
        t.send("y");
        t.wait_for("Waiting for you to confirm it");
    })
    .await;
    assert!(home.config().contains("[accounts.me]\nservice = \"play\""), "{}", home.config());
    home.approve();
    let (screen, ()) = on_screen(screen, |t| {
        t.wait_for("●home ●me");
    })
    .await;
    say_as(&home.own.client(JOE), ANNA, "still here").await;
    let (screen, ()) = on_screen(screen, |t| {
        t.wait_for("●home 1 ●me");
        t.send(ACCOUNTS);
        t.wait_for("r: rename");
        t.send("\u{1b}[Br");
        t.wait_for("Rename the account");
        t.send("\u{15}private\r");
        t.wait_for("●private");
    })
    .await;
    let config = home.config();
    assert!(config.contains("[accounts.private]\nservice = \"play\""), "{config}");
    assert!(!config.contains("accounts.me]") && config.contains("default_account = \"home\""));
    assert!(home.account("private").join("sign-in.json").exists() && !home.account("me").exists());
    let (mut screen, ()) = on_screen(screen, |t| {
        t.send("d");
        t.wait_for("Remove the account \"private\"?");
        t.send("y");
        t.wait_for("\"private\" was removed");
        t.wait("one account", |s| !s.parser.screen().contents().contains("●private"));
        t.send("\u{11}");
    })
    .await;
    let code = tokio::task::spawn_blocking(move || screen.exit_code()).await.unwrap();
    assert_eq!(code, 0);
    let config = home.config();
    assert!(config.starts_with(COMMENT) || config.contains(COMMENT), "{config}");
    assert!(!config.contains("accounts.private"), "{config}");
    let tokens = std::fs::read_to_string(home.account("private").join("sign-in.json")).unwrap();
    assert!(!tokens.contains("EwA") && !tokens.contains("M.C5"), "the tokens are deleted");
    assert!(home.account("private").join("store.db").exists(), "its messages stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_signed_in_is_shown_and_goes_live_after_a_sign_in_elsewhere() {
    let home = Home::new().await;
    let text = format!("{}[accounts.second]\nservice = \"play\"\n", home.config());
    std::fs::write(home.dir.path().join("config.toml"), text).unwrap();
    // Even alone, it leads to the screen and not to an error.
    let (alone, ()) = on_screen(home.start(&["--account", "second"]), |t| {
        t.wait_for("Ctrl-X s signs in");
        t.send("\u{11}");
    })
    .await;
    drop(alone);
    let (screen, ()) = on_screen(home.start(&[]), |t| {
        t.wait_for("●home ○second");
    })
    .await;
    let (login, ()) = on_screen(home.start(&["login", "second", "--agree"]), |t| {
        t.wait_for("Waiting until you have confirmed it");
    })
    .await;
    home.approve();
    let (_login, ()) = on_screen(login, |t| {
        t.wait_for("is signed in as");
    })
    .await;
    let (_screen, live) = on_screen(screen, |t| {
        t.wait_at_most(Duration::from_secs(30), |s| {
            s.parser.screen().contents().contains("●home ●second")
        })
    })
    .await;
    assert!(live, "it goes live when another process has signed in");
}

/// A program that notes its arguments, its environment and the command line of its parent, and prints a line.
fn spy(dir: &Path, name: &str, prints: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(name);
    let script = format!(
        "#!/bin/sh\n{{ echo \"{name} ran:\" \"$@\"; tr '\\0' '\\n' < /proc/$PPID/cmdline; env; }} >> \"$SPY_LOG\"\necho {prints}\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_the_arguments_or_the_environment_of_any_program_that_is_started() {
    let home = Home::new().await;
    let bin = home.dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["xdg-open", "wl-copy", "editor"] {
        spy(&bin, name, "done");
    }
    spy(&bin, "token-source", &token(JOE));
    let more = format!(
        "[accounts.second]\nservice = \"play\"\n[accounts.third]\nuser_id = \"{JOE}\"\ngateway = \"{}/v1\"\ntoken = {{ command = [\"{}\"] }}\n",
        home.own.origin,
        bin.join("token-source").display()
    );
    let text = format!("{}{more}", home.config());
    std::fs::write(home.dir.path().join("config.toml"), text).unwrap();
    let log = home.dir.path().join("spy.txt");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let spied = [
        ("PATH", path.as_str()),
        ("SPY_LOG", log.to_str().unwrap()),
        ("WAYLAND_DISPLAY", "spy"),
        ("EDITOR", "editor"),
    ];
    let spied_log = log.clone();
    let ran = move |name: &str| {
        let text = std::fs::read_to_string(&spied_log).unwrap_or_default();
        text.contains(&format!("{name} ran:"))
    };
    let (screen, ()) = on_screen(home.start_with(&[], &spied), move |t| {
        t.wait_for("●third");
        t.send("\u{18}sy");
        t.wait_for("Waiting for you to confirm it");
        t.send("\rc");
        let both = || ran("xdg-open") && ran("wl-copy");
        t.wait_at_most(Duration::from_secs(20), |_| both());
        assert!(both(), "the page is opened and the code copied");
    })
    .await;
    home.approve();
    let spied_log = log.clone();
    let (_screen, ()) = on_screen(screen, move |t| {
        t.wait_for("●second");
        t.send(&format!("\u{b}{JOE}\r"));
        t.wait_for("To ");
        t.send("\u{18}\u{5}");
        let ran = || std::fs::read_to_string(&spied_log).unwrap().contains("editor ran:");
        t.wait_at_most(Duration::from_secs(20), |_| ran());
        assert!(ran(), "the editor is started");
    })
    .await;
    let seen = std::fs::read_to_string(&log).unwrap();
    assert!(seen.contains("token-source ran:"), "{seen}");
    let file = std::fs::read_to_string(home.account("second").join("sign-in.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let stored = ["/refresh_token", "/access/token", "/skype/token"].map(|path| {
        file.pointer(path).and_then(|token| token.as_str()).expect("a token").to_owned()
    });
    for secret in stored.into_iter().chain([token(ANNA), token(JOE)]) {
        assert!(!seen.contains(&secret), "a program was given a token");
    }
}
