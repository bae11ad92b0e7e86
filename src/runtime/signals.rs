//! Signals that end the program, or stop it until it is continued. On Linux, one thread waits for the stop signal and
//! for a hang-up; elsewhere there are two.

use super::device;
use nix::sys::signal::{SigSet, Signal};
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// After a signal, the program ends within this time, whatever it is doing.
const END: Duration = Duration::from_millis(1500);
/// The exit status if the program had to be ended by force.
const FAILED: i32 = 1;
/// The process is stopped after this time, even if the loop has not released the terminal.
const RELEASE: Duration = Duration::from_secs(1);

/// Watches for signals that end the program. Cancels `stop`; if the program has not ended within 1.5 seconds, ends the
/// process.
///
/// # Errors
/// When signals cannot be watched.
pub fn watch_for_the_end(stop: &CancellationToken) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // All signals whose default action would end the process without restoring the terminal.
    for kind in [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
        SignalKind::interrupt(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
        SignalKind::alarm(),
    ] {
        let mut arrived = signal(kind)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            while arrived.recv().await.is_some() {
                // Ctrl-C is for the editor while it has the terminal.
                if kind != SignalKind::interrupt() || device::is_taken() {
                    stop.cancel();
                    end_within(END);
                    return;
                }
            }
        });
    }
    Ok(())
}

/// The terminal was closed, perhaps without a signal.
fn hung_up(stop: &CancellationToken) {
    stop.cancel();
    end_within(END);
}

/// Ends the process after this time, if it has not ended by itself.
pub fn end_within(time: Duration) {
    let end = move || {
        std::thread::sleep(time);
        device::restore();
        std::process::exit(FAILED);
    };
    let watch = std::thread::Builder::new().name("end".into()).spawn(end);
    if watch.is_err() {
        tracing::warn!("the exit of the program is not enforced");
    }
}

fn stop_signal() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGTSTP);
    set
}

/// The process is about to be stopped: the loop releases the terminal, and takes it again afterwards.
pub struct StopRequest {
    released: SyncSender<()>,
    continued: oneshot::Receiver<()>,
}

impl StopRequest {
    /// Reports that the terminal was released, and waits until the process continues.
    pub async fn stopped(self) {
        drop(self.released);
        // An error: the watcher is gone, so nothing will stop the process any more.
        let _ = self.continued.await;
    }
}

/// Holds SIGTSTP back, so that the terminal can be released before it takes effect. A handler would not work: the
/// system only stops a process that something can continue, and only if the signal has its default action.
///
/// To be called before any thread is started. Programs are started with [`crate::process::with_all_signals`], or they
/// would inherit this.
///
/// # Errors
/// When the system refuses it.
pub fn hold_stop_signal() -> io::Result<()> {
    Ok(stop_signal().thread_block()?)
}

/// Watches for SIGTSTP, which [`hold_stop_signal`] holds back, and for a terminal that was closed, which ends the
/// program as [`watch_for_the_end`] does.
///
/// # Errors
/// When the thread cannot be started.
pub fn watch_for_stops(stop: &CancellationToken) -> io::Result<mpsc::Receiver<StopRequest>> {
    let (requests, receiver) = mpsc::channel(1);
    let mut watch = Watch::new(stop.clone())?;
    std::thread::Builder::new().name("stop".into()).spawn(move || {
        let set = stop_signal();
        while watch.wait() {
            let (released, wait) = sync_channel(1);
            let (go_on, continued) = oneshot::channel();
            if requests.blocking_send(StopRequest { released, continued }).is_ok() {
                // Nothing is ever sent: the end of the channel is the answer.
                let _ = wait.recv_timeout(RELEASE);
            }
            if set.thread_unblock().is_ok() {
                // Returns when the process continues; at once if nothing could continue it.
                let _ = rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::TSTP,
                );
                let _ = set.thread_block();
            }
            let _ = go_on.send(());
        }
    })?;
    Ok(receiver)
}

/// Waits for the stop signal, and on Linux for a hang-up as well.
struct Watch {
    #[cfg(target_os = "linux")]
    signals: nix::sys::signalfd::SignalFd,
    #[cfg(target_os = "linux")]
    stop: CancellationToken,
}

#[cfg(target_os = "linux")]
impl Watch {
    fn new(stop: CancellationToken) -> io::Result<Self> {
        use nix::sys::signalfd::{SfdFlags, SignalFd};
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Self { signals: SignalFd::with_flags(&stop_signal(), flags)?, stop })
    }

    /// Waits for the stop signal; false if there will be no more.
    fn wait(&mut self) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let stdin = io::stdin();
        loop {
            // With no events requested, the terminal only reports a hang-up or an error.
            let mut fds = [
                PollFd::new(&stdin, PollFlags::empty()),
                PollFd::new(&self.signals, PollFlags::IN),
            ];
            let polled = poll(&mut fds, None);
            let [terminal, _] = fds.map(|fd| fd.revents());
            match polled {
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return false,
                Ok(_) if !terminal.is_empty() => {
                    hung_up(&self.stop);
                    return false;
                }
                Ok(_) => {}
            }
            match self.signals.read_signal() {
                Ok(Some(_)) => return true,
                Ok(None) => {}
                Err(_) => return false,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    fn new(stop: CancellationToken) -> io::Result<Self> {
        std::thread::Builder::new().name("hang-up".into()).spawn(move || {
            use rustix::event::{PollFd, PollFlags, poll};
            let stdin = io::stdin();
            let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
            while poll(&mut fds, None) == Err(rustix::io::Errno::INTR) {}
            hung_up(&stop);
        })?;
        Ok(Self {})
    }

    fn wait(&mut self) -> bool {
        stop_signal().wait().is_ok()
    }
}

/// Asks for the process and the others of its job to be stopped.
pub fn stop_group() {
    use rustix::process::{Signal, kill_current_process_group};
    let _ = kill_current_process_group(Signal::TSTP);
}
