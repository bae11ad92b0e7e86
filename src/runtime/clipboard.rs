//! The clipboard: the desktop's through a program, tmux's through tmux, the terminal's through OSC 52.
//!
//! A program reports whether it has accepted the text. A terminal does not: OSC 52 may be disabled or unknown.

use crate::app::effect::Outcome;
use crate::model::SafeText;
use crate::process::{self, with_all_signals};
use base64::Engine;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::mpsc;

/// How long to wait for a program.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most bytes that are pasted into a message.
const MAX_PASTE: u64 = 1024 * 1024;
/// The longest text in base64 that terminals are known to accept.
const MAX_OSC52: usize = 100_000;
/// GNU screen passes on strings of at most this length.
const SCREEN_PIECE: usize = 76;

/// A program and its arguments.
type Argv = (&'static str, &'static [&'static str]);

fn has(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|v| !v.is_empty())
}

/// The clipboards that can be reached through a program: for each, the commands to try in order.
fn copiers() -> Vec<&'static [Argv]> {
    let mut ways: Vec<&'static [Argv]> = Vec::new();
    if has("TMUX") {
        // tmux before 3.2 cannot pass the text on to its terminal.
        ways.push(&[("tmux", &["load-buffer", "-w", "-"]), ("tmux", &["load-buffer", "-"])]);
    }
    if cfg!(target_os = "macos") {
        ways.push(&[("pbcopy", &[])]);
    } else if has("WAYLAND_DISPLAY") {
        ways.push(&[("wl-copy", &[])]);
    } else if has("DISPLAY") {
        ways.push(&[("xclip", &["-selection", "clipboard"])]);
    }
    ways
}

/// The command that prints the clipboard's text.
fn paster() -> Option<Argv> {
    if cfg!(target_os = "macos") {
        Some(("pbpaste", &[]))
    } else if has("WAYLAND_DISPLAY") {
        Some(("wl-paste", &["--no-newline", "--type", "text"]))
    } else if has("DISPLAY") {
        Some(("xclip", &["-selection", "clipboard", "-out"]))
    } else if has("TMUX") {
        Some(("tmux", &["save-buffer", "-"]))
    } else {
        None
    }
}

/// The sequence that makes the terminal copy text; `None` if the text is too long for that. GNU screen has to be told
/// to pass it on.
pub fn osc52(text: &str) -> Option<Vec<u8>> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    if encoded.len() > MAX_OSC52 {
        return None;
    }
    let sequence = format!("\u{1b}]52;c;{encoded}\u{7}");
    Some(if has("STY") { through_screen(&sequence) } else { sequence.into_bytes() })
}

/// A sequence for the terminal around GNU screen, in pieces that it passes on.
pub fn through_screen(sequence: &str) -> Vec<u8> {
    let pieces = sequence.as_bytes().chunks(SCREEN_PIECE);
    pieces.flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect()
}

/// Copies text with the available clipboard programs; the result arrives as an outcome. False if there are none.
pub fn copy(what: &str, text: String, terminal: bool, outcomes: &mpsc::Sender<Outcome>) -> bool {
    let ways = copiers();
    if ways.is_empty() {
        return false;
    }
    let (what, outcomes) = (what.to_owned(), outcomes.clone());
    tokio::spawn(async move {
        let mut taken = Vec::new();
        for way in ways {
            for (program, arguments) in way {
                if feed(program, arguments, &text).await {
                    taken.push(*program);
                    break;
                }
            }
        }
        let program = (!taken.is_empty()).then(|| taken.join(" and "));
        // The loop may have ended in the meantime.
        let _ = outcomes.send(Outcome::Copied { what, terminal, program }).await;
    });
    true
}

/// Passes text to a program; returns whether the program has accepted it.
async fn feed(program: &str, arguments: &[&str], text: &str) -> bool {
    let mut command = Command::from(process::command(program));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = with_all_signals(|| command.spawn()) else {
        tracing::info!("a clipboard program could not be started");
        return false;
    };
    let fed = async {
        let mut pipe = child.stdin.take()?;
        pipe.write_all(text.as_bytes()).await.ok()?;
        drop(pipe);
        child.wait().await.ok()
    };
    let status = tokio::time::timeout(PATIENCE, fed).await;
    matches!(status, Ok(Some(status)) if status.success())
}

/// Asks a clipboard program for its text; the answer arrives as an outcome.
pub fn paste(outcomes: &mpsc::Sender<Outcome>) {
    let outcomes = outcomes.clone();
    tokio::spawn(async move {
        let text = tokio::time::timeout(PATIENCE, clipboard_text()).await;
        let text = text.unwrap_or_else(|_| Err("the clipboard program does not answer".into()));
        // The loop may have ended in the meantime.
        let _ = outcomes.send(Outcome::Pasted(text)).await;
    });
}

async fn clipboard_text() -> Result<String, SafeText> {
    let (program, arguments) =
        paster().ok_or("There is no desktop clipboard here; paste with the terminal's own keys")?;
    let mut command = Command::from(process::command(program));
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let missing = || SafeText::line(&format!("{program} is not installed; the clipboard needs it"));
    let mut child = with_all_signals(|| command.spawn()).map_err(|_| missing())?;
    let mut bytes = Vec::new();
    if let Some(out) = child.stdout.take() {
        let read = out.take(MAX_PASTE + 1).read_to_end(&mut bytes).await;
        read.map_err(|_| SafeText::line("The clipboard cannot be read"))?;
    }
    if bytes.len() as u64 > MAX_PASTE {
        return Err("The text on the clipboard is too long to be pasted".into());
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err("The clipboard holds no text; pictures and files cannot be sent".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screen_gets_pieces_that_it_passes_on_whole() {
        let sequence = format!("\u{1b}]52;c;{}\u{7}", "QUJD".repeat(60));
        let wrapped = through_screen(&sequence);
        let wrapped = String::from_utf8(wrapped).unwrap();
        let pieces: Vec<&str> = wrapped.split_terminator("\u{1b}\\").collect();
        assert!(pieces.len() > 3 && pieces.iter().all(|p| p.starts_with("\u{1b}P")));
        let joined: String = pieces.iter().filter_map(|p| p.strip_prefix("\u{1b}P")).collect();
        assert_eq!(joined, sequence);
    }
}
