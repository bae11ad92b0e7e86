//! The first start without an account: a demo, a sign-in, a gateway or an import, none of which needs an editor.

use super::{check_terminal, demo, login, runtime, tui};
use crate::cli::context::{ExitError, Session};
use crate::cli::login::LoginArgs;
use crate::cli::{Global, config_init, import};
use crate::client::BaseUrl;
use crate::config::edit::ConfigEdit;
use crate::config::paths;
use crate::model::NewAccount;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The service of work and school accounts.
const WORK: &str = "teams-work";

/// Asks what to do, and does it.
///
/// # Errors
/// When a file cannot be written, or the chosen action fails.
pub fn run(global: &Global, file: &Path) -> Result<(), ExitError> {
    check_terminal()?;
    say(&format!(
        "\n  skchat {} — Skype's chat protocol in the terminal\n\n  \
         1  Look around with sample conversations   (nothing leaves this machine)\n  \
         2  Microsoft Teams, a personal account     (unofficial; explained first)\n  \
         3  Microsoft Teams, a work or school account\n  \
         4  A gateway with an address and a token\n  \
         5  Import an export from Skype or Teams and read it here   (no account needed)\n  q  Quit\n\n",
        env!("CARGO_PKG_VERSION")
    ));
    loop {
        match ask("  Choose 1 to 5 or q, Enter = 1: ")?.as_deref() {
            None | Some("q" | "Q") => return Ok(()),
            Some("" | "1") => return demo::run(global, false),
            Some("2") => return with_sign_in(global, file, "teams-free"),
            Some("3") => return with_sign_in(global, file, WORK),
            Some("4") => return with_gateway(global, file),
            Some("5") => return import_first(global),
            Some(_) => {}
        }
    }
}

/// Writes the configuration of an account with a sign-in, and signs in.
fn with_sign_in(global: &Global, file: &Path, service: &str) -> Result<(), ExitError> {
    const NAME: &str = "me";
    let mut account =
        NewAccount { name: NAME.to_owned(), service: service.to_owned(), ..NewAccount::default() };
    if service == WORK {
        let tenant = answer(
            "\n  Your organisation's domain or tenant id; Enter: the one that your account belongs to: ",
            |text| {
                let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
                let is_tenant = text.chars().all(letters);
                if is_tenant {
                    Ok(())
                } else {
                    Err("this is not a domain or a tenant id".to_owned())
                }
            },
        )?;
        let Some(tenant) = tenant else { return Ok(()) };
        account.tenant = tenant;
    }
    add_account(file, &account)?;
    let session = Session::of(global, Some(NAME))?;
    runtime()?.block_on(login::run(&session, &LoginArgs::ask_everything()))?;
    tui(global)
}

/// Asks for a gateway, and writes its account with the token in a private file.
fn with_gateway(global: &Global, file: &Path) -> Result<(), ExitError> {
    const NAME: &str = "home";
    let Some(gateway) = answer("  Address, such as http://127.0.0.1:8080/v1: ", |text| {
        BaseUrl::parse(text).map(drop).map_err(|e| e.to_string())
    })?
    else {
        return Ok(());
    };
    let own_id = |text: &str| {
        let is_id = text.contains(':') && !text.contains(['"', '\\']);
        if is_id { Ok(()) } else { Err("an id has a prefix, such as 8:".to_owned()) }
    };
    let Some(user) = answer("  Your id there, such as 8:anna.7: ", own_id)? else { return Ok(()) };
    let not_empty = |text: &str| {
        if text.is_empty() { Err("the token is empty".to_owned()) } else { Ok(()) }
    };
    let hidden = hide_input();
    let token = answer("  Your token (it is not shown): ", not_empty);
    drop(hidden);
    say("\n");
    let Some(token) = token? else { return Ok(()) };
    let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
    let dir = paths::account_dir(&data, NAME);
    let token_file = dir.join("token");
    let failed = |e: std::io::Error| ExitError::failed(format!("{}: {e}", token_file.display()));
    paths::make_dir(&dir).map_err(failed)?;
    let mut out = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&token_file)
        .map_err(failed)?;
    writeln!(out, "{token}").map_err(failed)?;
    let account = NewAccount {
        name: NAME.to_owned(),
        gateway,
        user_id: user,
        token_file: token_file.display().to_string(),
        ..NewAccount::default()
    };
    add_account(file, &account)?;
    tui(global)
}

/// Asks for an export, imports it and shows it.
fn import_first(global: &Global) -> Result<(), ExitError> {
    let path = ask("\n  The .tar, the folder it was unpacked to, or messages.json: ")?;
    let Some(path) = path.filter(|path| !path.is_empty()) else { return Ok(()) };
    runtime()?.block_on(import::run(global, &import::ImportArgs::of(&path)))?;
    tui(global)
}

/// Adds an account to the configuration file, which is created with every setting explained if there is none.
fn add_account(file: &Path, account: &NewAccount) -> Result<(), ExitError> {
    if !file.exists() {
        config_init::create(file)?;
    }
    let edit = ConfigEdit::add(file, account).map_err(ExitError::failed)?;
    edit.write().map_err(ExitError::failed)?;
    say(&format!("\n  The account is in {}.\n", file.display()));
    Ok(())
}

/// Asks until the answer is valid; `None` at the end of the input or for `q`.
fn answer(
    question: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Option<String>, ExitError> {
    loop {
        let Some(text) = ask(question)?.filter(|text| text != "q") else { return Ok(None) };
        match check(&text) {
            Ok(()) => return Ok(Some(text)),
            Err(why) => say(&format!("  {why}; q quits\n")),
        }
    }
}

fn ask(question: &str) -> Result<Option<String>, ExitError> {
    say(question);
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let count = read.map_err(|e| ExitError::failed(e.to_string()))?;
    Ok((count > 0).then(|| line.trim().to_owned()))
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Typed characters are not echoed until this is dropped.
struct HiddenInput(Option<rustix::termios::Termios>);

fn hide_input() -> HiddenInput {
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).ok();
    if let Some(before) = &before {
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(&stdin, OptionalActions::Now, &hidden);
    }
    HiddenInput(before)
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
