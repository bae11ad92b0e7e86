//! The loop: keys, sync and time go into `update`, frames come out. Event-driven: nothing happens, nothing wakes.
//!
//! Typing never waits behind a burst: keys are taken first, a key is drawn at once, and what the network brings is
//! drawn at most every 16 ms.

mod effects;
pub mod terminal;

use crate::app::keymap::Resolver;
use crate::app::{Action, ComposeAction, Effect, Input, Model, OverlayAction, areas::Size, update};
use crate::model::{Delta, Now, Request, Timestamp};
use crate::ui::{Screen, Theme};
use crossterm::event::{Event, KeyEventKind, MouseEventKind};
use futures_util::{Stream, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use effects::open_url;

/// Between two frames that only the network asked for.
const FRAME: Duration = Duration::from_millis(16);
/// Deltas taken in one turn, and the time they may take.
const BURST: usize = 256;
const BURST_TIME: Duration = Duration::from_millis(4);

/// Where frames go, and what else the program wants of a terminal.
pub trait Surface {
    /// Paints a frame and sends it out in one write.
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()>;
    /// The next frame is painted in full.
    fn invalidate(&mut self) -> io::Result<()>;
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Gives the terminal back, stops the process, and takes the terminal again.
    fn suspend(&mut self) -> io::Result<()>;
    fn set_title(&mut self, title: &str) -> io::Result<()>;
}

/// What the loop talks to.
pub struct Wiring<S, E> {
    pub surface: S,
    pub events: E,
    pub deltas: mpsc::Receiver<Delta>,
    pub requests: mpsc::Sender<Request>,
    pub stop: CancellationToken,
}

struct Clock(Instant);

impl Clock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { wall: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)), mono: self.0.elapsed() }
    }

    fn at(&self, mono: Duration) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.0 + mono)
    }
}

/// Runs until the user quits or `stop` is cancelled.
///
/// # Errors
/// When the terminal cannot be written or read any more.
pub async fn run<S, E>(model: &mut Model, theme: &Theme, wiring: Wiring<S, E>) -> io::Result<()>
where
    S: Surface,
    E: Stream<Item = io::Result<Event>> + Unpin,
{
    let Wiring { mut surface, mut events, mut deltas, requests, stop } = wiring;
    let clock = Clock(Instant::now());
    let mut screen = Screen::default();
    let mut resolver = Resolver::default();
    // Effects that sync had no room for; in order, and never dropped.
    let mut waiting: VecDeque<Request> = VecDeque::new();
    let mut last_draw = Duration::ZERO;
    let mut frame_due: Option<Duration> = Some(Duration::ZERO);
    let mut title = String::new();
    let mut sync_is_there = true;
    model.app.clock = clock.now();
    loop {
        let wake = [frame_due, model.app.next_deadline()].into_iter().flatten().min();
        let mut effects = Vec::new();
        let mut from_user = false;
        tokio::select! { biased;
            () = stop.cancelled() => break,
            event = events.next() => {
                let Some(event) = event else { break };
                from_user = true;
                if let Some(input) = input_of(event?, &mut resolver, model) {
                    effects.extend(update(model, input, clock.now()));
                }
            }
            permit = requests.reserve(), if !waiting.is_empty() => {
                match (permit, waiting.pop_front()) {
                    (Ok(permit), Some(request)) => permit.send(request),
                    _ => waiting.clear(),
                }
                continue;
            }
            delta = deltas.recv(), if sync_is_there => {
                match delta {
                    Some(delta) => {
                        effects.extend(update(model, Input::Delta(delta), clock.now()));
                        let until = Instant::now() + BURST_TIME;
                        for _ in 0..BURST {
                            let Ok(delta) = deltas.try_recv() else { break };
                            effects.extend(update(model, Input::Delta(delta), clock.now()));
                            if Instant::now() >= until {
                                break;
                            }
                        }
                    }
                    None => sync_is_there = false,
                }
            }
            () = sleep_until(wake.map(|w| clock.at(w))) => {
                let now = clock.now();
                if model.app.next_deadline().is_some_and(|d| d <= now.mono) {
                    effects.extend(update(model, Input::Deadline, now));
                    frame_due.get_or_insert(now.mono);
                }
            }
        }
        let now = clock.now();
        let due = if from_user { now.mono } else { frame_due.unwrap_or(last_draw + FRAME).min(now.mono + FRAME) };
        if due <= now.mono {
            draw(model, theme, &mut surface, &mut screen, &mut effects, &clock)?;
            (last_draw, frame_due) = (clock.now().mono, None);
            set_title(model, &mut surface, &mut title)?;
        } else {
            frame_due = Some(due);
        }
        for effect in effects {
            match effect {
                Effect::Quit => {
                    flush(waiting, &requests).await;
                    return Ok(());
                }
                Effect::Request(request) => {
                    waiting.push_back(request);
                }
                Effect::Redraw => {
                    surface.invalidate()?;
                    frame_due = Some(clock.now().mono);
                }
                Effect::Suspend => {
                    surface.suspend()?;
                    frame_due = Some(clock.now().mono);
                }
                Effect::Copy(text) => {
                    surface.copy(&text)?;
                    effects::to_clipboard_program(text);
                }
                Effect::OpenUrl(url) => open_url(&url),
            }
        }
        while let Some(request) = waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(request)) = requests.try_send(request) {
                waiting.push_front(request);
                break;
            }
        }
    }
    // Stopped from outside: what was being written is saved like on quitting.
    let effects = update(model, Input::Action(Action::App(crate::app::AppAction::Quit)), clock.now());
    waiting.extend(effects.into_iter().filter_map(|e| match e {
        Effect::Request(request) => Some(request),
        _ => None,
    }));
    flush(waiting, &requests).await;
    Ok(())
}

/// Hands the last requests over; sync stores drafts and messages before it stops.
async fn flush(waiting: VecDeque<Request>, requests: &mpsc::Sender<Request>) {
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

fn draw<S: Surface>(
    model: &mut Model,
    theme: &Theme,
    surface: &mut S,
    screen: &mut Screen,
    effects: &mut Vec<Effect>,
    clock: &Clock,
) -> io::Result<()> {
    for want in model.view.settle(&model.app) {
        effects.extend(update(model, Input::Want(want), clock.now()));
    }
    surface.draw(&mut |frame| screen.draw(model, theme, frame))
}

fn set_title<S: Surface>(model: &Model, surface: &mut S, shown: &mut String) -> io::Result<()> {
    let (unread, _) = model.app.total_unread();
    let name = model.app.opened().map(|c| format!(" – {}", model.app.title(c))).unwrap_or_default();
    let count = if unread > 0 { format!("({unread}) ") } else { String::new() };
    let title = format!("{count}skchat{name}");
    if *shown != title {
        surface.set_title(&title)?;
        *shown = title;
    }
    Ok(())
}

/// A terminal event as an input; `None` for what means nothing.
fn input_of(event: Event, resolver: &mut Resolver, model: &Model) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let app = &model.app;
            resolver.resolve(&app.prefs.keymap, app.context(), &key).map(Input::Action)
        }
        Event::Paste(text) => Some(Input::Action(match model.app.overlay {
            Some(_) => Action::Overlay(OverlayAction::Paste(text)),
            None => Action::Compose(ComposeAction::Paste(text)),
        })),
        Event::Resize(columns, rows) => Some(Input::Resize(Size { columns, rows })),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(mouse) => {
            use crate::app::MessagesAction::Scroll;
            use crate::app::action::Scroll as By;
            match mouse.kind {
                MouseEventKind::ScrollUp => Some(Input::Action(Action::Messages(Scroll(By::LineUp)))),
                MouseEventKind::ScrollDown => Some(Input::Action(Action::Messages(Scroll(By::LineDown)))),
                _ => None,
            }
        }
        Event::Key(_) => None,
    }
}
