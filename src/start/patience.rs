//! Explains delays on the terminal before there is a screen: an older store is upgraded when it is opened.

use crate::store::{StoreError, open_read_only};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Work that is done within this time needs no explanation.
const QUICK: Duration = Duration::from_millis(500);

/// Smaller stores open at once, even if they are upgraded.
const LARGE: u64 = 4 * 1024 * 1024;

/// Opens the store of the account `name`. If that takes long, prints a line that says why.
pub fn opening<T>(name: &str, file: &Path, open: impl FnOnce() -> T) -> T {
    let bytes = std::fs::metadata(file).map_or(0, |found| found.len());
    if bytes < LARGE || !std::io::stderr().is_terminal() {
        return open();
    }
    let line = || {
        let size = bytes / (1024 * 1024);
        match open_read_only(file) {
            Err(StoreError::Older) => format!(
                "skchat: upgrading the message store of {name} ({size} MiB) once; this may take a minute. A copy is kept beside it."
            ),
            _ => format!("skchat: opening the message store of {name} ({size} MiB)…"),
        }
    };
    unless_quick(QUICK, || crate::cli::lines::warn(&line()), open)
}

/// Runs `work`, and calls `say` if that takes longer than `quick`.
fn unless_quick<T>(quick: Duration, say: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(quick) == Err(RecvTimeoutError::Timeout) {
                say();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_work_is_explained_while_it_is_done_and_quick_work_is_not() {
        let (said, heard) = channel();
        // The work only ends once `say` was called.
        let result = unless_quick(Duration::ZERO, || said.send(()).unwrap(), || heard.recv());
        assert_eq!(result, Ok(()));
        let (said, heard) = channel::<()>();
        unless_quick(Duration::from_secs(3600), || said.send(()).unwrap(), || ());
        assert!(heard.try_recv().is_err());
    }
}
