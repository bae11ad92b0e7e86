//! The state of the event loop between two turns, and the steps of one turn.

use super::frames::FrameSchedule;
use super::helpers::Helpers;
use super::input::{EventReaction, reaction};
use super::keys::{Keys, TerminalEvent};
use super::meter::KeyMeter;
use super::recording::{self, Recorder, RecordingEntry};
use super::signals::StopRequest;
use super::{Editor, Surface, clipboard, effects, highlight, open_url};
use crate::app::effect::Outcome;
use crate::app::keymap::Resolver;
use crate::app::view::Want;
use crate::app::{Action, AppAction, ComposeAction, Effect, Input, Model, next_deadline, update};
use crate::model::{Inbound, Now, Outbound, Timestamp};
use crate::ui::{Screen, Themes};
use crossterm::event::Event;
use futures_util::Stream;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The most deltas per turn, and the time they may take.
const BURST: usize = 256;
const BURST_TIME: Duration = Duration::from_millis(4);
/// How long queued keys are processed before a frame is drawn.
const BACKLOG_TIME: Duration = Duration::from_millis(50);

pub struct Clock(Instant);

impl Clock {
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
            mono: self.0.elapsed(),
        }
    }

    pub fn at(&self, mono: Duration) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.0 + mono)
    }
}

pub struct EventLoop<'a, S> {
    pub surface: S,
    themes: &'a Themes,
    editor: Editor,
    pub clock: Clock,
    screen: Screen,
    pub resolver: Resolver,
    /// Requests that are waiting for room in sync's queue, in order. They are never dropped.
    pub waiting: VecDeque<Outbound>,
    pub frames: FrameSchedule,
    title: String,
    /// For the results of background work.
    outcomes: mpsc::Sender<Outcome>,
    recorder: Option<Recorder>,
    helpers: Helpers,
}

impl<'a, S: Surface> EventLoop<'a, S> {
    pub fn new(
        surface: S,
        themes: &'a Themes,
        editor: Editor,
        outcomes: mpsc::Sender<Outcome>,
        helpers: Helpers,
        recorder: Option<Recorder>,
        shown: CancellationToken,
    ) -> Self {
        Self {
            surface,
            themes,
            editor,
            clock: Clock(Instant::now()),
            screen: Screen::default(),
            resolver: Resolver::default(),
            waiting: VecDeque::new(),
            frames: FrameSchedule::new(shown),
            title: String::new(),
            outcomes,
            recorder,
            helpers,
        }
    }

    /// Sets the model's clock for the first time. The first frame is delayed for a moment, so that it shows messages.
    pub fn start(&mut self, model: &mut Model) {
        model.app.clock = self.clock.now();
        self.record(&RecordingEntry::Clock(model.app.clock));
        self.frames.wait_for_messages(model.app.clock.mono);
    }

    fn record(&mut self, entry: &RecordingEntry) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(entry);
        }
    }

    /// Applies an input. Everything reaches the model through this method.
    pub fn feed(&mut self, model: &mut Model, input: Input) -> Vec<Effect> {
        let now = self.clock.now();
        if self.recorder.is_some() {
            self.record(&RecordingEntry::Input(now, Box::new(input.clone())));
        }
        update(model, input, now)
    }

    /// Feeds the result of an effect. Its own effects can only be requests.
    fn feed_outcome(&mut self, model: &mut Model, outcome: Outcome) {
        let effects = self.feed(model, Input::Outcome(outcome));
        self.split_effects(effects);
        self.frames.due = Some(self.clock.now().mono);
    }

    /// Applies changes of the terminal to the surface.
    fn follow_terminal(&mut self, model: &Model, input: &Input) -> io::Result<()> {
        match *input {
            Input::Resize(size) => return self.surface.resize(size),
            // The terminal may have moved the text to the right of an emoji.
            Input::EmojiWidth(width) if model.app.prefs.choices.ui.emoji_width != width => {
                self.surface.invalidate();
            }
            _ => {}
        }
        Ok(())
    }

    /// Processes all available events of the terminal, so that queued keys need only one frame. Ends early if something
    /// has to be done before the next key.
    pub fn take_events<E>(
        &mut self,
        model: &mut Model,
        first: TerminalEvent,
        keys: &mut Keys<E>,
        effects: &mut Vec<Effect>,
    ) -> io::Result<()>
    where
        E: Stream<Item = io::Result<TerminalEvent>> + Unpin,
    {
        let now = Instant::now();
        let until = now + BACKLOG_TIME;
        let measures = model.app.presence.figures.is_some();
        let mut next = Some(first);
        let mut is_first = true;
        while let Some(event) = next {
            let is_key = matches!(event, TerminalEvent::Input(Event::Key(_)));
            match reaction(event, &mut self.resolver, model) {
                EventReaction::Feed(input) => {
                    if measures && is_key {
                        self.frames.meter.key(now);
                    }
                    self.follow_terminal(model, &input)?;
                    if !is_first && needs_layout(&input) {
                        effects.extend(self.layout_undrawn(model));
                    }
                    is_first = false;
                    effects.extend(self.feed(model, *input));
                }
                EventReaction::PutBack(events) => keys.put_back(events.into_iter()),
                EventReaction::EnhanceKeyboard => {
                    self.surface.enhance_keyboard()?;
                    effects.extend(self.feed(model, Input::EnhancedKeyboard));
                }
                EventReaction::SetModes if keys.is_open() => self.retake(model)?,
                EventReaction::SetModes | EventReaction::Nothing => {}
            }
            let stays = effects.iter().all(|effect| matches!(effect, Effect::Request(_)));
            if !stays || Instant::now() >= until {
                return Ok(());
            }
            next = keys.next_ready().transpose()?;
        }
        Ok(())
    }

    /// Derives the layout that the next key depends on, without drawing it, so nothing is fetched for it and nothing in
    /// it counts as read. The next frame requests what is missing; what a layout reports only once is requested here.
    fn layout_undrawn(&mut self, model: &mut Model) -> Vec<Effect> {
        self.record(&RecordingEntry::Layout);
        let wants = model.layout();
        // The next frame has to derive again what was derived here.
        model.changed(model.derived_box_only);
        let once = |want: &Want| matches!(want, Want::Highlight(_) | Want::Spelling(_));
        let once = wants.into_iter().filter(once);
        once.flat_map(|want| self.feed(model, Input::Want(want))).collect()
    }

    /// Releases the terminal while the process is stopped. If nothing could continue the process, the system does not
    /// stop it, and this returns at once.
    pub async fn stop_for<E>(
        &mut self,
        model: &mut Model,
        request: StopRequest,
        keys: &mut Keys<E>,
    ) -> io::Result<()>
    where
        E: Stream<Item = io::Result<TerminalEvent>> + Unpin,
    {
        // If another program has the terminal, it is stopped as well, and keeps it.
        let ours = keys.is_open();
        if ours {
            self.surface.release();
        }
        request.stopped().await;
        if ours { self.retake(model) } else { Ok(()) }
    }

    /// Applies all deltas that have arrived, up to a limit, so that a burst needs only one frame.
    pub fn take_burst(
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

    /// Feeds a deadline input, if a deadline has passed.
    pub fn expire(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let now = self.clock.now().mono;
        if next_deadline(&model.app).is_some_and(|due| due <= now) {
            effects.extend(self.feed(model, Input::Deadline));
            self.frames.due = self.frames.due.or(model.has_changed().then_some(now));
        }
    }

    /// Queues requests; returns the effects that the loop carries out itself, and whether to end.
    pub fn split_effects(&mut self, effects: Vec<Effect>) -> (Vec<Effect>, bool) {
        let mut on_screen = Vec::new();
        let mut quit = false;
        for effect in effects {
            match effect {
                Effect::Request(request) => self.waiting.push_back(*request),
                Effect::Highlight(code) => highlight::start(code, &self.outcomes),
                Effect::Spelling(request) => self.helpers.spelling.start(request, &self.outcomes),
                Effect::Quit => quit = true,
                other => on_screen.push(other),
            }
        }
        (on_screen, quit)
    }

    /// Schedules a frame: at once for the user's input, at a limited rate for the network.
    pub fn schedule_frame(&mut self, model: &Model, from_user: bool) {
        self.frames.schedule(self.clock.now().mono, from_user, model.app.shows_messages());
    }

    /// Draws a frame if one is due, the program owns the terminal, and the terminal has taken the last one.
    pub fn draw_if_due(&mut self, model: &mut Model, owns_terminal: bool) -> io::Result<()> {
        let is_due = self.frames.due.is_some_and(|due| due <= self.clock.now().mono);
        let can_draw = owns_terminal && !self.surface.is_busy();
        if is_due && can_draw { self.draw(model) } else { Ok(()) }
    }

    fn draw(&mut self, model: &mut Model) -> io::Result<()> {
        let measures = model.app.presence.figures.is_some();
        if measures {
            let figures = self.frames.meter.figures();
            self.feed(model, Input::Figures(figures));
        }
        self.record(&RecordingEntry::Layout);
        for want in model.layout() {
            let effects = self.feed(model, Input::Want(want));
            self.split_effects(effects);
        }
        let theme = self.themes.of_prefs(&model.app.prefs);
        let frame = self.screen.paint(model, theme);
        self.surface.draw(&frame)?;
        if measures {
            self.frames.meter.frame(Instant::now(), self.surface.frame_bytes());
        } else {
            self.frames.meter = KeyMeter::default();
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&recording::frame(frame.cells));
        }
        self.frames.drawn(self.clock.now().mono);
        if model.derived_box_only { Ok(()) } else { self.set_title(model) }
    }

    fn set_title(&mut self, model: &Model) -> io::Result<()> {
        let app = &model.app;
        let (unread, _) = app.total_unread();
        let title = app.opened().map(|chat| format!(" – {}", app.accounts.of(chat).title(chat)));
        let name = title.unwrap_or_default();
        let count = if unread > 0 { format!("({unread}) ") } else { String::new() };
        let title = format!("{count}skchat{name}");
        if self.title != title {
            self.surface.set_title(&title)?;
            self.title = title;
        }
        Ok(())
    }

    /// Takes the terminal back from another program. A resize in the meantime was reported to that program.
    pub fn retake(&mut self, model: &mut Model) -> io::Result<()> {
        let size = self.surface.retake()?;
        let effects = self.feed(model, Input::Resize(size));
        self.split_effects(effects);
        self.frames.due = Some(self.clock.now().mono);
        Ok(())
    }

    /// Carries out effects on the terminal and on other programs.
    pub fn carry_out<E>(
        &mut self,
        model: &mut Model,
        effect: Effect,
        keys: &mut Keys<E>,
    ) -> io::Result<()>
    where
        E: Stream<Item = io::Result<TerminalEvent>> + Unpin,
    {
        match effect {
            Effect::Redraw => {
                self.surface.invalidate();
                self.frames.due = Some(self.clock.now().mono);
            }
            Effect::Mouse(on) => self.surface.set_mouse(on)?,
            Effect::Suspend => self.surface.stop(),
            Effect::Copy { what, text } => {
                let terminal = self.surface.copy(&text)?;
                if !clipboard::copy(&what, text, terminal, &self.outcomes) {
                    self.feed_outcome(model, Outcome::Copied { what, terminal, program: None });
                }
            }
            Effect::PasteClipboard => clipboard::paste(&self.outcomes),
            Effect::EditOutside { chat, text } => {
                keys.close();
                self.surface.release();
                effects::edit_outside(&self.editor, chat, text, &self.outcomes);
            }
            Effect::OpenUrl(url) => {
                if let Err(program) = open_url(&url) {
                    let program = program.to_owned();
                    self.feed_outcome(model, Outcome::NotOpened { program });
                }
            }
            Effect::Alert(alert) => {
                let prefs = &model.app.prefs.choices.notifications;
                let sequence = self.helpers.notifier.carry_out(prefs, &alert, &self.outcomes);
                if keys.is_open() {
                    self.surface.alert(&sequence)?;
                }
            }
            // Removed by `split_effects`.
            Effect::Request(_) | Effect::Highlight(_) | Effect::Spelling(_) | Effect::Quit => {}
        }
        Ok(())
    }

    /// Hands requests to sync while it has room for them.
    pub fn send_waiting(&mut self, requests: &mpsc::Sender<Outbound>) {
        while let Some(request) = self.waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(request)) = requests.try_send(request) {
                self.waiting.push_front(request);
                break;
            }
        }
    }

    /// Returns the remaining requests, and restores the terminal.
    pub fn into_waiting(self) -> VecDeque<Outbound> {
        self.waiting
    }

    /// Quits, whatever ended the loop, so that drafts are saved. At the first attempt, the app may just ask for
    /// confirmation.
    pub fn quit(&mut self, model: &mut Model) {
        for _ in 0..2 {
            let effects = self.feed(model, Input::Action(Action::App(AppAction::Quit)));
            let (_, ends) = self.split_effects(effects);
            if ends {
                return;
            }
        }
    }
}

/// Whether the effect of an input may depend on the layout. Edits of the text in the box do not.
fn needs_layout(input: &Input) -> bool {
    use ComposeAction::{Delete, DeleteLine, Insert, Newline, Paste, Yank};
    let Input::Action(Action::Compose(action)) = input else { return true };
    !matches!(action, Insert(_) | Paste(_) | Newline | Delete(_) | DeleteLine | Yank)
}
