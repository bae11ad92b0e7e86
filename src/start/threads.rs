//! The threads of the program: one for the screen, one for everything else, and those of the stores.

use super::appearance::Appearance;
use super::{LiveAccount, ManagerSetup, RunSetup, show};
use crate::cli::context::ExitError;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a thread waits for more blocking work. There is some at the start, and rarely any later.
const KEEP_ALIVE: Duration = Duration::from_millis(200);

/// The threads of a command without a screen.
pub fn runtime() -> Result<Runtime, ExitError> {
    threads(2)
}

/// The thread of everything except the screen: network, sync, signals. It never waits for the disk either, so one is
/// enough.
pub fn background() -> Result<Runtime, ExitError> {
    threads(1)
}

fn threads_failed(error: &std::io::Error) -> ExitError {
    ExitError::failed(format!("the program cannot start its threads: {error}"))
}

fn threads(count: usize) -> Result<Runtime, ExitError> {
    let failed = |e| threads_failed(&e);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .thread_keep_alive(KEEP_ALIVE)
        .enable_all()
        .build()
        .map_err(failed)?;
    {
        // A file that reaches the size limit must not end the program: with a handler for the signal, the write fails
        // instead.
        use tokio::signal::unix::{SignalKind, signal};
        let _inside = runtime.enter();
        let raw = rustix::process::Signal::XFSZ.as_raw();
        drop(signal(SignalKind::from_raw(raw)).map_err(failed)?);
    }
    Ok(runtime)
}

/// Runs the screen on this thread, which reads the terminal itself: no other thread has to wake up between a key and
/// its frame. Everything else runs in the background.
pub fn converse(
    background: &Runtime,
    setup: RunSetup,
    appearance: Appearance,
    live: Vec<LiveAccount>,
    manager: ManagerSetup,
) -> Result<(), ExitError> {
    let screen = tokio::runtime::Builder::new_current_thread().enable_all().build();
    screen.map_err(|e| threads_failed(&e))?.block_on(show(
        background.handle(),
        setup,
        appearance,
        live,
        manager,
    ))
}
