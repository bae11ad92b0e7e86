//! `skchat login`: consent, the code, and waiting for the user, on a plain terminal.

use crate::cli::context::{ExitError, Session};
use crate::cli::login::{
    LoginArgs, code_text, names_text, notice_text, tenant_meant, tenants_text,
};
use crate::client::sign_in::{PendingCode, SignIn, SignInOutcome};
use crate::config::paths;
use crate::model::{SafeText, SignInTenant, UserId};
use crate::runtime::open_url;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

/// How often the keyboard is checked while waiting.
const KEYBOARD: Duration = Duration::from_millis(200);

/// Signs in.
///
/// # Errors
/// When the account has no sign-in, the user does not agree, or the service refuses.
pub async fn run(session: &Session, arguments: &LoginArgs) -> Result<(), ExitError> {
    let name = &session.name;
    let sign_in = session.sign_in()?.ok_or_else(|| {
        ExitError::usage(format!(
            "\"{name}\" cannot sign in: its service has no sign-in, or its token comes from the configuration"
        ))
    })?;
    let service = session.service()?;
    print(&notice_text(&service));
    if !arguments.agree && !asked("Sign in? Type yes to go on: ", "yes")? {
        return Err(ExitError::failed("nothing was done"));
    }
    let can_look_up = service.sign_in.as_ref().is_some_and(|s| !s.names_scope.is_empty());
    let names = match arguments.names {
        _ if !can_look_up => false,
        Some(names) => names,
        None if arguments.agree => false,
        None => {
            print(&names_text());
            asked("Look up names and availability? y or n [n]: ", "y")?
        }
    };
    paths::make_dir(&session.dir)
        .map_err(|e| ExitError::failed(format!("{}: {e}", session.dir.display())))?;
    let failed = |e: crate::client::Error| ExitError::failed(e.with_causes());
    let code = sign_in.request_code().await.map_err(failed)?;
    let is_terminal = std::io::stdout().is_terminal();
    print(&code_text(&code, is_terminal));
    let expected = (!session.me.as_str().is_empty()).then_some(&session.me);
    let owner = match wait(&sign_in, &code, names, expected).await? {
        SignInOutcome::SignedIn(owner) => owner,
        SignInOutcome::ChooseTenant(tenants) => {
            let tenant = chosen(&tenants, arguments.tenant.as_deref())?;
            sign_in.choose_tenant(&tenant, expected).await.map_err(failed)?
        }
    };
    println!("\n  \"{name}\" is signed in as {}.", SafeText::line(owner.as_str()));
    Ok(())
}

/// Waits for the approval, and in the meantime for lines typed by the user.
async fn wait(
    sign_in: &Arc<SignIn>,
    code: &PendingCode,
    names: bool,
    expected: Option<&UserId>,
) -> Result<SignInOutcome, ExitError> {
    let approval = sign_in.approval(code, names, expected);
    tokio::pin!(approval);
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        print("  Enter opens the page, c copies the code, q stops (each with Enter).\n");
    }
    let mut keyboard = tokio::time::interval(KEYBOARD);
    loop {
        tokio::select! {
            outcome = &mut approval => return outcome.map_err(|e| ExitError::failed(e.with_causes())),
            _ = keyboard.tick(), if interactive => {
                match line_if_there() {
                    Some(line) if line == "q" => return Err(ExitError::failed("stopped; nothing was stored")),
                    Some(line) if line == "c" => copy(code),
                    Some(_) => open(code),
                    None => {}
                }
            }
        }
    }
}

/// The organisation that the arguments name, or that the user chooses.
fn chosen(tenants: &[SignInTenant], named: Option<&str>) -> Result<String, ExitError> {
    print(&tenants_text(tenants));
    if let Some(named) = named {
        let none = || ExitError::usage(format!("the account does not belong to \"{named}\""));
        return tenant_meant(tenants, named).ok_or_else(none);
    }
    if !std::io::stdin().is_terminal() {
        return Err(ExitError::usage("name one of them with --tenant, and sign in again"));
    }
    loop {
        print("  Sign in to which one? A number, or q to stop: ");
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        let count = read.map_err(|e| ExitError::failed(e.to_string()))?;
        if count == 0 || line.trim() == "q" {
            return Err(ExitError::failed("stopped; nothing was stored"));
        }
        if let Some(tenant) = tenant_meant(tenants, &line) {
            return Ok(tenant);
        }
    }
}

fn open(code: &PendingCode) {
    let address = &code.grant.address;
    let is_page = address.starts_with("https://") || address.starts_with("http://127.0.0.1:");
    match is_page.then(|| open_url(address)) {
        Some(Ok(())) => print("  The page is being opened.\n"),
        Some(Err(program)) => print(&format!("  {program} cannot be started.\n")),
        None => print("  This is not the address of a web page, so it is not opened.\n"),
    }
}

/// Copies the code to the terminal's clipboard (OSC 52). Terminals do not say whether that has worked.
fn copy(code: &PendingCode) {
    let encoded = BASE64_STANDARD.encode(code.grant.user_code.as_bytes());
    print(&format!("\x1b]52;c;{encoded}\x07  The code is sent to the terminal's clipboard.\n"));
}

/// Asks a question. Returns whether the answer is the expected one.
fn asked(question: &str, expected: &str) -> Result<bool, ExitError> {
    if !std::io::stdin().is_terminal() {
        return Err(ExitError::usage("this asks questions: run it in a terminal, or give --agree"));
    }
    print(question);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| ExitError::failed(e.to_string()))?;
    Ok(line.trim().eq_ignore_ascii_case(expected))
}

/// A line that the user has typed, without waiting for one.
fn line_if_there() -> Option<String> {
    let stdin = std::io::stdin();
    let ready = {
        let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
        poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    };
    if !ready.is_ok_and(|count| count > 0) {
        return None;
    }
    let mut line = String::new();
    stdin.read_line(&mut line).ok().map(|_| line.trim().to_owned())
}

fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
