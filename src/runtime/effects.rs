//! Effects outside the terminal: the editor, and the program that opens links. By argv, never a
//! shell.

use crate::app::effect::Outcome;
use crate::model::{ChatRef, SafeText};
use crate::process::{self, with_all_signals};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::sync::mpsc;

/// The user's editor, and the private folder for the text being edited.
#[derive(Clone, Debug)]
pub struct Editor {
    pub command: Vec<String>,
    pub dir: PathBuf,
}

/// Opens a checked target with the desktop's program; the error is its name if it cannot be started.
pub fn open_url(url: &SafeText) -> Result<(), &'static str> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // The scheme check guarantees that the target is not an option; a leading dash is refused here anyway.
    if url.starts_with('-') || !spawn(process::command(program).arg(url.as_str())) {
        return Err(program);
    }
    Ok(())
}

/// Opens the text in the user's editor. The result arrives as an outcome, once the editor has released the terminal.
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
    let mut command = tokio::process::Command::from(process::command(program));
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
    // The file is removed only if it was read completely; otherwise it stays in its private folder.
    if result.is_ok() || status_failed_untouched(&path, text) {
        let _ = tokio::fs::remove_file(&path).await;
    }
    let mut edited = result?;
    // Editors add a line break to the last line.
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

/// Starts a program and waits for it in the background; false if it cannot be started.
fn spawn(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = with_all_signals(|| command.spawn());
    let Ok(mut child) = child else {
        tracing::info!("a helper program could not be started");
        return false;
    };
    std::thread::spawn(move || {
        let _ = child.wait();
    });
    true
}
