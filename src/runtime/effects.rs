//! Effects outside the terminal: the clipboard program and the program that opens links. By argv, never a shell.

use crate::model::Clean;
use std::io::Write;
use std::process::{Command, Stdio};

/// Opens a checked target with the desktop's program.
pub fn open_url(url: &Clean) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // The scheme check guarantees that the target is no option; a dash in front would be refused here all the same.
    if url.starts_with('-') {
        return;
    }
    spawn(Command::new(program).arg(url.as_str()), None);
}

/// Hands text to a clipboard program where a display is there; OSC 52 goes to the terminal beside it.
pub fn to_clipboard_program(text: String) {
    let has = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let mut command = if cfg!(target_os = "macos") {
        Command::new("pbcopy")
    } else if has("WAYLAND_DISPLAY") {
        Command::new("wl-copy")
    } else if has("DISPLAY") {
        let mut command = Command::new("xclip");
        command.args(["-selection", "clipboard"]);
        command
    } else {
        return;
    };
    spawn(&mut command, Some(text));
}

/// Starts a program beside the loop and waits for it elsewhere.
fn spawn(command: &mut Command, input: Option<String>) {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let child = command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        tracing::info!("a helper program could not be started");
        return;
    };
    std::thread::spawn(move || {
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
            let _ = pipe.write_all(text.as_bytes());
        }
        let _ = child.wait();
    });
}
