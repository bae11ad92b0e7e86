//! The loop: keys, sync and time go into `update`, frames come out. Event-driven: nothing happens, nothing wakes.
//!
//! Typing never waits behind a burst: keys are taken first, a key is drawn at once, and what the network brings is
//! drawn at most every 16 ms.

mod effects;
mod input;
pub mod recording;
pub mod terminal;
mod width_safe_backend;

use crate::app::effect::Outcome;
use crate::app::keymap::Resolver;
use crate::app::view::layout::Size;
use crate::app::{Action, Effect, Input, Model, next_deadline, update};
use crate::model::{Inbound, Now, Outbound, Timestamp};
use crate::ui::{Screen, Theme};
use crossterm::event::Event;
use futures_util::{Stream, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use effects::{Editor, open_url};
use input::input_of;
use recording::{Recorder, RecordingEntry};

/// Between two frames that only the network asked for.
const FRAME: Duration = Duration::from_millis(16);
/// Deltas taken in one turn, and the time they may take.
const BURST: usize = 256;
const BURST_TIME: Duration = Duration::from_millis(4);
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

struct Clock(Instant);

impl Clock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
            mono: self.0.elapsed(),
        }
    }

    fn at(&self, mono: Duration) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.0 + mono)
    }
}

/// What the loop remembers between two turns.
struct EventLoop {
    clock: Clock,
    screen: Screen,
    resolver: Resolver,
    /// Requests that sync had no room for; in order, and never dropped.
    waiting: VecDeque<Outbound>,
    last_draw: Duration,
    frame_due: Option<Duration>,
    title: String,
    /// For what runs beside the loop.
    outcomes: mpsc::Sender<Outcome>,
    recorder: Option<Recorder>,
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
    let requests = wiring.requests.clone();
    let (outcomes_in, outcomes) = mpsc::channel(OUTCOMES);
    let mut event_loop = EventLoop {
        clock: Clock(Instant::now()),
        screen: Screen::default(),
        resolver: Resolver::default(),
        waiting: VecDeque::new(),
        last_draw: Duration::ZERO,
        frame_due: Some(Duration::ZERO),
        title: String::new(),
        outcomes: outcomes_in,
        recorder: None,
    };
    let result = run_loop(model, theme, wiring, outcomes, &mut event_loop).await;
    // Whatever ended it; the first time it may only have been asked whether that is meant.
    for _ in 0..2 {
        let quit = Input::Action(Action::App(crate::app::AppAction::Quit));
        let last = event_loop.feed(model, quit);
        let (_, ends) = event_loop.split_effects(last);
        if ends {
            break;
        }
    }
    flush(event_loop.waiting, &requests).await;
    result
}

async fn run_loop<S, F, E>(
    model: &mut Model,
    theme: &Theme,
    wiring: Wiring<S, F>,
    mut outcomes: mpsc::Receiver<Outcome>,
    event_loop: &mut EventLoop,
) -> io::Result<()>
where
    S: Surface,
    F: FnMut() -> E,
    E: Stream<Item = io::Result<Event>> + Unpin,
{
    let Wiring { mut surface, mut open_events, mut deltas, requests, stop, editor, recorder } =
        wiring;
    event_loop.recorder = recorder;
    let mut sync_is_there = true;
    let mut events = Some(open_events());
    model.app.clock = event_loop.clock.now();
    event_loop.note(&RecordingEntry::Clock(model.app.clock));
    loop {
        // Nothing is drawn while another program has the terminal.
        let frame = event_loop.frame_due.filter(|_| events.is_some());
        let wake = [frame, next_deadline(&model.app)].into_iter().flatten().min();
        let mut effects = Vec::new();
        let mut from_user = false;
        tokio::select! { biased;
            () = stop.cancelled() => return Ok(()),
            event = next_of(&mut events) => {
                let Some(event) = event else { return Ok(()) };
                from_user = true;
                if let Some(input) = input_of(event?, &mut event_loop.resolver, model) {
                    effects.extend(event_loop.feed(model, input));
                }
            }
            Some(outcome) = outcomes.recv() => {
                from_user = true;
                if events.is_none() {
                    event_loop.resized(model, surface.retake()?);
                    events = Some(open_events());
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
            delta = deltas.recv(), if sync_is_there => {
                match delta {
                    Some(delta) => event_loop.take_burst(model, delta, &mut deltas, &mut effects),
                    None => sync_is_there = false,
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
        let now = event_loop.clock.now().mono;
        let due = if from_user {
            now
        } else {
            event_loop.frame_due.unwrap_or(event_loop.last_draw + FRAME).min(now + FRAME)
        };
        event_loop.frame_due = Some(due);
        if due <= now && events.is_some() {
            event_loop.draw(model, theme, &mut surface)?;
        }
        for effect in on_screen {
            match effect {
                Effect::Redraw => {
                    surface.invalidate()?;
                    event_loop.frame_due = Some(event_loop.clock.now().mono);
                }
                Effect::Suspend => {
                    drop(events.take());
                    surface.release();
                    surface.stop();
                    event_loop.resized(model, surface.retake()?);
                    events = Some(open_events());
                }
                Effect::Copy { what, text } => {
                    let terminal = surface.copy(&text)?;
                    let program = effects::to_clipboard_program(text);
                    let program = program.map(str::to_owned);
                    event_loop
                        .feed(model, Input::Outcome(Outcome::Copied { what, terminal, program }));
                    event_loop.frame_due = Some(event_loop.clock.now().mono);
                }
                Effect::PasteClipboard => effects::from_clipboard_program(&event_loop.outcomes),
                Effect::EditOutside { chat, text } => {
                    events = None;
                    surface.release();
                    effects::edit_outside(&editor, chat, text, &event_loop.outcomes);
                }
                Effect::OpenUrl(url) => {
                    if let Err(program) = open_url(&url) {
                        let program = program.to_owned();
                        event_loop.feed(model, Input::Outcome(Outcome::NotOpened { program }));
                        event_loop.frame_due = Some(event_loop.clock.now().mono);
                    }
                }
                Effect::Request(_) | Effect::Quit => {}
            }
        }
        while let Some(request) = event_loop.waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(request)) = requests.try_send(request) {
                event_loop.waiting.push_front(request);
                break;
            }
        }
    }
}

/// The next key; never, while another program has the terminal.
async fn next_of<E: Stream + Unpin>(events: &mut Option<E>) -> Option<E::Item> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

impl EventLoop {
    fn note(&mut self, entry: &RecordingEntry) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(entry);
        }
    }

    /// The one way by which anything reaches the model.
    fn feed(&mut self, model: &mut Model, input: Input) -> Vec<Effect> {
        let now = self.clock.now();
        if self.recorder.is_some() {
            self.note(&RecordingEntry::Input(now, Box::new(input.clone())));
        }
        update(model, input, now)
    }

    /// Takes what waits, up to a limit, so that a burst costs one frame.
    fn take_burst(
        &mut self,
        model: &mut Model,
        first: Inbound,
        deltas: &mut mpsc::Receiver<Inbound>,
        effects: &mut Vec<Effect>,
    ) {
        effects.extend(self.feed(model, Input::Delta(first)));
        let until = Instant::now() + BURST_TIME;
        for _ in 0..BURST {
            let Ok(delta) = deltas.try_recv() else { break };
            effects.extend(self.feed(model, Input::Delta(delta)));
            if Instant::now() >= until {
                break;
            }
        }
    }

    fn expire(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let now = self.clock.now().mono;
        if next_deadline(&model.app).is_some_and(|due| due <= now) {
            effects.extend(self.feed(model, Input::Deadline));
            self.frame_due.get_or_insert(now);
        }
    }

    /// Puts requests into the queue; gives what the loop itself carries out, and whether to end.
    fn split_effects(&mut self, effects: Vec<Effect>) -> (Vec<Effect>, bool) {
        let mut on_screen = Vec::new();
        let mut quit = false;
        for effect in effects {
            match effect {
                Effect::Request(request) => self.waiting.push_back(*request),
                Effect::Quit => quit = true,
                other => on_screen.push(other),
            }
        }
        (on_screen, quit)
    }

    /// The terminal was away: a resize meanwhile was told to nobody.
    fn resized(&mut self, model: &mut Model, size: Size) {
        self.feed(model, Input::Resize(size));
        self.frame_due = Some(self.clock.now().mono);
    }

    fn draw<S: Surface>(
        &mut self,
        model: &mut Model,
        theme: &Theme,
        surface: &mut S,
    ) -> io::Result<()> {
        self.note(&RecordingEntry::Layout);
        for want in model.layout() {
            let effects = self.feed(model, Input::Want(want));
            self.waiting.extend(effects.into_iter().filter_map(|effect| match effect {
                Effect::Request(request) => Some(*request),
                _ => None,
            }));
        }
        let mut painted = None;
        let recording = self.recorder.is_some();
        surface.draw(&mut |frame| {
            self.screen.draw(model, theme, frame);
            if recording {
                painted = Some(recording::frame(frame.buffer_mut()));
            }
        })?;
        if let Some(painted) = painted {
            self.note(&painted);
        }
        self.last_draw = self.clock.now().mono;
        self.frame_due = None;
        set_title(model, surface, &mut self.title)
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

fn set_title<S: Surface>(model: &Model, surface: &mut S, shown: &mut String) -> io::Result<()> {
    let app = &model.app;
    let (unread, _) = app.total_unread();
    let title = app.opened().map(|chat| format!(" – {}", app.accounts.of(chat).title(chat)));
    let name = title.unwrap_or_default();
    let count = if unread > 0 { format!("({unread}) ") } else { String::new() };
    let title = format!("{count}skchat{name}");
    if *shown != title {
        surface.set_title(&title)?;
        *shown = title;
    }
    Ok(())
}
