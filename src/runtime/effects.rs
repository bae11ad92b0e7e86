//! Effects outside the terminal: the editor, the clipboard program, the program that opens links. By argv, never a
//! shell.

use super::signals::with_all_signals;
use crate::app::effect::Outcome;
use crate::model::{ChatRef, SafeText};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

/// A clipboard program that has not answered by then is not waited for.
const CLIPBOARD: Duration = Duration::from_secs(2);
/// More than this is no text to be pasted into a message.
const MAX_PASTE: u64 = 1024 * 1024;

/// The user's editor, and the private folder in which the text lies meanwhile.
#[derive(Clone, Debug)]
pub struct Editor {
    pub command: Vec<String>,
    pub dir: PathBuf,
}

/// Opens a checked target with the desktop's program; gives its name when it cannot be started.
pub fn open_url(url: &SafeText) -> Result<(), &'static str> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // The scheme check guarantees that the target is no option; a dash in front would be refused here all the same.
    if url.starts_with('-') || !spawn(Command::new(program).arg(url.as_str()), None) {
        return Err(program);
    }
    Ok(())
}

/// Which clipboard the desktop has.
enum Desktop {
    Mac,
    Wayland,
    X11,
}

fn desktop() -> Option<Desktop> {
    let has = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if cfg!(target_os = "macos") {
        Some(Desktop::Mac)
    } else if has("WAYLAND_DISPLAY") {
        Some(Desktop::Wayland)
    } else if has("DISPLAY") {
        Some(Desktop::X11)
    } else {
        None
    }
}

/// Hands text to a clipboard program where a display is there; gives the program's name when it was started.
/// OSC 52 goes to the terminal beside it.
pub fn to_clipboard_program(text: String) -> Option<&'static str> {
    let (program, arguments): (_, &[&str]) = match desktop()? {
        Desktop::Mac => ("pbcopy", &[]),
        Desktop::Wayland => ("wl-copy", &[]),
        Desktop::X11 => ("xclip", &["-selection", "clipboard"]),
    };
    spawn(Command::new(program).args(arguments), Some(text)).then_some(program)
}

/// Asks a clipboard program for its text; the answer comes as an outcome.
pub fn from_clipboard_program(outcomes: &mpsc::Sender<Outcome>) {
    let outcomes = outcomes.clone();
    tokio::spawn(async move {
        let text = tokio::time::timeout(CLIPBOARD, clipboard_text()).await;
        let text = text.unwrap_or_else(|_| Err("the clipboard program does not answer".into()));
        // The loop may have ended meanwhile.
        let _ = outcomes.send(Outcome::Pasted(text)).await;
    });
}

async fn clipboard_text() -> Result<String, SafeText> {
    let (program, arguments): (_, &[&str]) = match desktop() {
        Some(Desktop::Mac) => ("pbpaste", &[]),
        Some(Desktop::Wayland) => ("wl-paste", &["--no-newline", "--type", "text"]),
        Some(Desktop::X11) => ("xclip", &["-selection", "clipboard", "-out"]),
        None => return Err("no desktop clipboard here; paste with the terminal's own keys".into()),
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let missing =
        || SafeText::line(&format!("{program} is missing; it is needed for the clipboard"));
    let mut child = with_all_signals(|| command.spawn()).map_err(|_| missing())?;
    let mut bytes = Vec::new();
    if let Some(out) = child.stdout.take() {
        let read = out.take(MAX_PASTE + 1).read_to_end(&mut bytes).await;
        read.map_err(|_| SafeText::line("the clipboard cannot be read"))?;
    }
    if bytes.len() as u64 > MAX_PASTE {
        return Err("the text is too long to be pasted".into());
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err("the clipboard holds no text; pictures and files cannot be sent".into()),
    }
}

/// Has the text edited in the user's editor; it comes back as an outcome, and the terminal is free again then.
pub fn edit_outside(
    editor: &Editor,
    chat: ChatRef,
    text: String,
    outcomes: &mpsc::Sender<Outcome>,
) {
    let (editor, outcomes) = (editor.clone(), outcomes.clone());
    tokio::spawn(async move {
        let edited = run_editor(&editor, &text).await;
        let text = edited.map_err(|why| SafeText::line(&format!("not edited: {why}")));
        let _ = outcomes.send(Outcome::EditedOutside { chat, text }).await;
    });
}

async fn run_editor(editor: &Editor, text: &str) -> Result<String, String> {
    let (program, arguments) = editor.command.split_first().ok_or("no editor is set (EDITOR)")?;
    let number = getrandom::u64().map_err(|_| "no random numbers")?;
    let path = editor.dir.join(format!("edit-{number:016x}.txt"));
    write_new(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).arg(&path).kill_on_drop(true);
    let status = match with_all_signals(|| command.spawn()) {
        Ok(mut child) => child.wait().await,
        Err(e) => Err(e),
    };
    let result = match status {
        Err(e) => Err(format!("{program} cannot be started: {e}")),
        Ok(status) if !status.success() => Err(format!("{program} ended with {status}")),
        Ok(_) => tokio::fs::read_to_string(&path).await.map_err(|e| e.to_string()),
    };
    // Only what came back whole is taken away; anything else stays readable in its private folder.
    if result.is_ok() || status_failed_untouched(&path, text) {
        let _ = tokio::fs::remove_file(&path).await;
    }
    let mut edited = result?;
    // Editors end the last line.
    if edited.ends_with('\n') && !text.ends_with('\n') {
        edited.pop();
    }
    Ok(edited)
}

fn status_failed_untouched(path: &Path, text: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|now| now == text)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Starts a program beside the loop and waits for it elsewhere; false when it cannot be started.
fn spawn(command: &mut Command, input: Option<String>) -> bool {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let command = command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null());
    let child = with_all_signals(|| command.spawn());
    let Ok(mut child) = child else {
        tracing::info!("a helper program could not be started");
        return false;
    };
    std::thread::spawn(move || {
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
            let _ = pipe.write_all(text.as_bytes());
        }
        let _ = child.wait();
    });
    true
}
