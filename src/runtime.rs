//! The loop: keys, sync and time go into `update`, frames come out. Event-driven: nothing happens, nothing wakes.
//!
//! Typing never waits behind a burst: keys are taken first, a key is drawn at once, and what the network brings is
//! drawn at most every 16 ms.

mod effects;
mod event_loop;
mod input;
pub mod recording;
pub mod terminal;
mod width_safe_backend;

use crate::app::view::layout::Size;
use crate::app::{Input, Model, next_deadline};
use crate::model::{Inbound, Outbound};
use crate::ui::Theme;
use crossterm::event::Event;
use event_loop::EventLoop;
use futures_util::{Stream, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use effects::{Editor, open_url};
use input::input_of;
use recording::Recorder;

/// Results of other programs (editor, clipboard) that may wait for the loop.
const OUTCOMES: usize = 8;

/// Where frames go, and what else the program wants of a terminal.
pub trait Surface {
    /// Paints a frame and sends it out in one write.
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()>;
    /// The next frame is painted in full.
    fn invalidate(&mut self) -> io::Result<()>;
    /// Hands text to the terminal's clipboard; false when it is too long for that.
    fn copy(&mut self, text: &str) -> io::Result<bool>;
    /// Gives the terminal back, for another program.
    fn release(&mut self);
    /// Takes it again and gives its size; the next frame is painted in full.
    fn retake(&mut self) -> io::Result<Size>;
    /// Stops the process until the shell continues it.
    fn stop(&mut self);
    fn set_title(&mut self, title: &str) -> io::Result<()>;
}

/// What the loop talks to.
pub struct Wiring<S, F> {
    pub surface: S,
    /// Opens the stream of keys. While another program has the terminal there is none: one that exists would take
    /// keys away from it even when nobody polls it.
    pub open_events: F,
    pub deltas: mpsc::Receiver<Inbound>,
    pub requests: mpsc::Sender<Outbound>,
    pub stop: CancellationToken,
    pub editor: Editor,
    /// Where every input is recorded, when that was asked for.
    pub recorder: Option<Recorder>,
}

/// The keys of the terminal. While another program has the terminal there is no stream of them.
struct Keys<F, E> {
    open: F,
    events: Option<E>,
}

impl<F, E> Keys<F, E>
where
    F: FnMut() -> E,
    E: Stream<Item = io::Result<Event>> + Unpin,
{
    fn is_open(&self) -> bool {
        self.events.is_some()
    }

    fn close(&mut self) {
        self.events = None;
    }

    fn open(&mut self) {
        self.events = Some((self.open)());
    }

    /// The next event, `None` when the terminal is gone. While the stream is closed it waits for ever.
    async fn next(&mut self) -> Option<io::Result<Event>> {
        match &mut self.events {
            Some(events) => events.next().await,
            None => std::future::pending().await,
        }
    }
}

/// Runs until the user quits or `stop` is cancelled. Whatever ends it, drafts are handed to sync before it returns.
///
/// # Errors
/// When the terminal cannot be written or read any more.
pub async fn run<S, F, E>(model: &mut Model, theme: &Theme, wiring: Wiring<S, F>) -> io::Result<()>
where
    S: Surface,
    F: FnMut() -> E,
    E: Stream<Item = io::Result<Event>> + Unpin,
{
    let Wiring { surface, open_events, mut deltas, requests, stop, editor, recorder } = wiring;
    let (outcomes_in, mut outcomes) = mpsc::channel(OUTCOMES);
    let mut keys = Keys { open: open_events, events: None };
    let mut event_loop = EventLoop::new(surface, theme, editor, outcomes_in, recorder);
    let result = tokio::select! { biased;
        () = stop.cancelled() => Ok(()),
        result = run_loop(
            model, &mut event_loop, &mut keys, &mut deltas, &mut outcomes, &requests,
        ) => result,
    };
    event_loop.quit(model);
    flush(event_loop.into_waiting(), &requests).await;
    result
}

async fn run_loop<S, F, E>(
    model: &mut Model,
    event_loop: &mut EventLoop<'_, S>,
    keys: &mut Keys<F, E>,
    deltas: &mut mpsc::Receiver<Inbound>,
    outcomes: &mut mpsc::Receiver<crate::app::effect::Outcome>,
    requests: &mpsc::Sender<Outbound>,
) -> io::Result<()>
where
    S: Surface,
    F: FnMut() -> E,
    E: Stream<Item = io::Result<Event>> + Unpin,
{
    let mut sync_runs = true;
    keys.open();
    event_loop.start(model);
    loop {
        // Nothing is drawn while another program has the terminal.
        let frame = event_loop.frame_due.filter(|_| keys.is_open());
        let wake = [frame, next_deadline(&model.app)].into_iter().flatten().min();
        let mut effects = Vec::new();
        let mut from_user = false;
        tokio::select! { biased;
            event = keys.next() => {
                let Some(event) = event else { return Ok(()) };
                from_user = true;
                if let Some(input) = input_of(event?, &mut event_loop.resolver, model) {
                    effects.extend(event_loop.feed(model, input));
                }
            }
            Some(outcome) = outcomes.recv() => {
                from_user = true;
                if !keys.is_open() {
                    event_loop.retake(model)?;
                    keys.open();
                }
                effects.extend(event_loop.feed(model, Input::Outcome(outcome)));
            }
            permit = requests.reserve(), if !event_loop.waiting.is_empty() => {
                match (permit, event_loop.waiting.pop_front()) {
                    (Ok(permit), Some(request)) => permit.send(request),
                    _ => event_loop.waiting.clear(),
                }
                continue;
            }
            delta = deltas.recv(), if sync_runs => {
                match delta {
                    Some(delta) => event_loop.take_burst(model, delta, deltas, &mut effects),
                    None => sync_runs = false,
                }
                // A steady stream must not put off what is due.
                event_loop.expire(model, &mut effects);
            }
            () = sleep_until(wake.map(|w| event_loop.clock.at(w))) => event_loop.expire(model, &mut effects),
        }
        let (on_screen, quit) = event_loop.split_effects(effects);
        if quit {
            return Ok(());
        }
        event_loop.schedule_frame(from_user);
        event_loop.draw_if_due(model, keys.is_open())?;
        for effect in on_screen {
            event_loop.carry_out(model, effect, keys)?;
        }
        event_loop.send_waiting(requests);
    }
}

/// Hands the last requests over; sync stores drafts and messages before it stops.
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
