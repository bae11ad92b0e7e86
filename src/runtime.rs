//! The loop: keys, sync and time go into `update`, frames come out. Event-driven: without events there are no wake-ups.
//!
//! Typing never waits behind a burst: keys are taken first, a key is drawn at once, and what the network brings is
//! drawn at once after a rest, and at most every 16 ms in a steady stream.

pub mod background;
pub mod clipboard;
pub mod device;
mod effects;
mod event_loop;
mod frames;
mod helpers;
mod highlight;
mod hyperlinks;
mod input;
pub mod joined_emoji;
pub mod keys;
mod meter;
pub mod notifier;
mod pace;
pub mod painter;
pub mod recording;
pub mod signals;
pub mod spelling;
pub mod terminal;
pub mod terminfo;

use crate::app::effect::Outcome;
use crate::app::view::layout::Size;
use crate::app::{Input, Model, next_deadline};
use crate::model::{Inbound, Outbound};
use crate::ui::{ScreenFrame, Themes};
use event_loop::EventLoop;
use futures_util::Stream;
use helpers::Helpers;
use keys::{Keys, TerminalEvent};
use signals::StopRequest;
use spelling::SpellChecker;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use effects::{Editor, open_url};
use recording::Recorder;

/// Results of other programs (editor, clipboard) that may wait for the loop.
const OUTCOMES: usize = 8;

/// Where frames go, and what else the program does with a terminal. Only [`Surface::ready`] waits for the terminal.
pub trait Surface {
    /// Sends out a frame. Not to be called while the surface is busy.
    fn draw(&mut self, frame: &ScreenFrame<'_>) -> io::Result<()>;
    /// The bytes of the last frame.
    fn frame_bytes(&self) -> usize {
        0
    }
    /// The terminal has not taken the last frame yet.
    fn is_busy(&self) -> bool {
        false
    }
    /// Waits until the terminal has taken what was sent. May be dropped at any moment.
    fn ready(&mut self) -> impl Future<Output = io::Result<()>> {
        std::future::ready(Ok(()))
    }
    /// The next frame has this size.
    fn resize(&mut self, _size: Size) -> io::Result<()> {
        Ok(())
    }
    /// The next frame is painted in full.
    fn invalidate(&mut self);
    /// Copies text to the terminal's clipboard; false if it is too long for that.
    fn copy(&mut self, text: &str) -> io::Result<bool>;
    /// Gives the terminal back, for another program.
    fn release(&mut self);
    /// Takes the terminal again, or sets its modes again, and returns its size; the next frame is painted in full.
    fn retake(&mut self) -> io::Result<Size>;
    /// Asks the system to stop the process and its group, which comes back as a [`StopRequest`].
    fn stop(&mut self);
    /// The terminal knows the kitty keyboard protocol: switches it on.
    fn enhance_keyboard(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Asks the terminal to report the mouse, or not to.
    fn set_mouse(&mut self, _on: bool) -> io::Result<()> {
        Ok(())
    }
    /// Sends a notification to the terminal, which does not appear in the frame.
    fn alert(&mut self, _sequence: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn set_title(&mut self, title: &str) -> io::Result<()>;
}

/// What the loop talks to.
pub struct Wiring<S, E> {
    pub surface: S,
    /// What the terminal reports. Nothing may be read from it while nobody polls: another program may have the
    /// terminal.
    pub events: E,
    /// Signals that are to stop the process.
    pub stops: mpsc::Receiver<StopRequest>,
    pub deltas: mpsc::Receiver<Inbound>,
    pub requests: mpsc::Sender<Outbound>,
    pub stop: CancellationToken,
    /// Cancelled when the first frame has been sent.
    pub shown: CancellationToken,
    pub editor: Editor,
    pub spelling: SpellChecker,
    /// Where every input is recorded, if that was requested.
    pub recorder: Option<Recorder>,
}

/// What reaches the loop besides keys.
struct Arrivals {
    deltas: mpsc::Receiver<Inbound>,
    outcomes: mpsc::Receiver<Outcome>,
    stops: mpsc::Receiver<StopRequest>,
    /// Whether sync and the watcher of signals still run.
    sync_runs: bool,
    can_stop: bool,
}

/// Runs until the user quits or `stop` is cancelled. Whatever ends it, drafts are handed to sync before it returns.
///
/// # Errors
/// When the terminal cannot be written or read any more.
pub async fn run<S, E>(model: &mut Model, themes: &Themes, wiring: Wiring<S, E>) -> io::Result<()>
where
    S: Surface,
    E: Stream<Item = io::Result<TerminalEvent>> + Unpin,
{
    let Wiring { surface, events, stops, deltas, requests, stop, shown, .. } = wiring;
    let (editor, spelling, recorder) = (wiring.editor, wiring.spelling, wiring.recorder);
    let (outcomes_in, outcomes) = mpsc::channel(OUTCOMES);
    let mut arrivals = Arrivals { deltas, outcomes, stops, sync_runs: true, can_stop: true };
    let mut keys = Keys::new(events);
    let helpers = Helpers::new(spelling);
    let mut event_loop =
        EventLoop::new(surface, themes, editor, outcomes_in, helpers, recorder, shown);
    let result = tokio::select! { biased;
        () = stop.cancelled() => Ok(()),
        result = run_loop(model, &mut event_loop, &mut keys, &mut arrivals, &requests) => result,
    };
    event_loop.quit(model);
    flush(event_loop.into_waiting(), &requests).await;
    match result {
        // A closed terminal is a normal end.
        Err(error) if device::is_gone(&error) => Ok(()),
        other => other,
    }
}

async fn run_loop<S, E>(
    model: &mut Model,
    event_loop: &mut EventLoop<'_, S>,
    keys: &mut Keys<E>,
    arrivals: &mut Arrivals,
    requests: &mpsc::Sender<Outbound>,
) -> io::Result<()>
where
    S: Surface,
    E: Stream<Item = io::Result<TerminalEvent>> + Unpin,
{
    event_loop.start(model);
    loop {
        // Nothing is drawn while another program has the terminal, or while the terminal is behind.
        let busy = event_loop.surface.is_busy();
        let frame = event_loop.frames.due.filter(|_| keys.is_open() && !busy);
        let wake = [frame, next_deadline(&model.app)].into_iter().flatten().min();
        let mut effects = Vec::new();
        let mut from_user = false;
        tokio::select! { biased;
            event = keys.next() => {
                let Some(event) = event else { return Ok(()) };
                from_user = true;
                event_loop.take_events(model, event?, keys, &mut effects)?;
            }
            request = arrivals.stops.recv(), if arrivals.can_stop => {
                from_user = true;
                match request {
                    Some(request) => event_loop.stop_for(model, request, keys).await?,
                    None => arrivals.can_stop = false,
                }
            }
            Some(outcome) = arrivals.outcomes.recv() => {
                from_user = true;
                // The other outcomes may come while the editor still has the terminal.
                if !keys.is_open() && matches!(outcome, Outcome::EditedOutside { .. }) {
                    event_loop.retake(model)?;
                    keys.open();
                }
                effects.extend(event_loop.feed(model, Input::Outcome(outcome)));
            }
            sent = event_loop.surface.ready(), if busy => {
                sent?;
                if event_loop.frames.due.is_none() {
                    continue;
                }
            }
            permit = requests.reserve(), if !event_loop.waiting.is_empty() => {
                match (permit, event_loop.waiting.pop_front()) {
                    (Ok(permit), Some(request)) => permit.send(request),
                    _ => event_loop.waiting.clear(),
                }
                continue;
            }
            delta = arrivals.deltas.recv(), if arrivals.sync_runs => {
                match delta {
                    Some(delta) => {
                        event_loop.take_burst(model, delta, &mut arrivals.deltas, &mut effects);
                    }
                    None => arrivals.sync_runs = false,
                }
                // A steady stream must not delay what is due.
                event_loop.expire(model, &mut effects);
            }
            () = sleep_until(wake.map(|w| event_loop.clock.at(w))) => event_loop.expire(model, &mut effects),
        }
        let (on_screen, quit) = event_loop.split_effects(effects);
        if quit {
            return Ok(());
        }
        if model.has_changed() {
            event_loop.schedule_frame(model, from_user);
        }
        event_loop.draw_if_due(model, keys.is_open())?;
        for effect in on_screen {
            event_loop.carry_out(model, effect, keys)?;
        }
        event_loop.send_waiting(requests);
    }
}

/// Sends the last requests; sync stores drafts and messages before it stops.
async fn flush(waiting: VecDeque<Outbound>, requests: &mpsc::Sender<Outbound>) {
    for request in waiting {
        let sent = tokio::time::timeout(Duration::from_millis(500), requests.send(request)).await;
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
