//! Input from the terminal: keys, pastes, answers, and what the system reports about it.
//!
//! The bytes are read by the loop's own task, as soon as there are any, and decoded here. Crossterm's reader was used
//! before; these alternatives were considered when it could not be kept:
//!
//! - *A filter in front of crossterm's parser* is impossible without a second pseudo-terminal: crossterm reads the
//!   device itself. It also decides at the end of each read that an Esc is the Esc key, so sequences torn by a slow
//!   connection became text; it reads Esc Esc [ A as four keys, keeps a paste without its end open for ever, and needs
//!   a thread that takes keys away from an editor.
//! - *termwiz* and *terminput* parse well, but both also decide by the end of a buffer and not by time, both know
//!   nothing of lines that are pasted without brackets, and termwiz brings a terminal model of its own.
//! - *vte* parses what terminals are sent, not what they send: the forms of rxvt and of the Linux console mean
//!   something else there.
//!
//! With any of them, most of the work would have remained, so the decoder is our own: `sequence` and `csi` know the
//! byte sequences, `decoder` the time. Keys still use crossterm's types.

mod csi;
mod decoder;
mod late;
mod sequence;
#[cfg(test)]
mod tests;
mod text_run;

use super::device::Device;
use super::joined_emoji::{self, Answer, Probe};
use crate::model::{EmojiWidth, Rgb};
use crossterm::event::Event;
use decoder::Decoder;
use futures_util::{FutureExt, Stream, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::time::Instant;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// One thing the terminal or the system reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key, a paste, a new size, a change of the focus.
    Input(Event),
    /// Lines that arrived faster than anyone can type, without the markers of a paste.
    Burst(String),
    /// An answer of the terminal to a query of this program.
    Report(Report),
    /// The process was stopped by somebody else and continues: the terminal's modes may be lost.
    Continued,
}

/// Answers of the terminal. Those that nobody waits for are dropped by the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The terminal knows the kitty keyboard protocol.
    EnhancedKeyboard,
    /// Where the cursor is, counted from one.
    Position { row: u16, column: u16 },
    /// How joined emoji are drawn.
    EmojiWidth(EmojiWidth),
    /// The colour of the background.
    Background(Rgb),
}

/// What the terminal is asked at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Questions {
    /// How it draws joined emoji: [`joined_emoji::QUESTION`].
    pub emoji: bool,
    /// Its background: [`super::background::QUESTION`].
    pub background: bool,
}

/// Bytes taken in one read.
const READ: usize = 4096;

struct Source {
    /// Tokio's type for what is only read; the system makes no difference between a pipe and a terminal here.
    input: Receiver,
    buffer: Box<[u8; READ]>,
    decoder: Decoder,
    ready: VecDeque<TerminalEvent>,
    resized: Signal,
    continued: Signal,
    /// The terminal has no known size; the next position report gives it.
    size_unknown: bool,
    /// Whether an answer to how the terminal draws joined emoji is awaited.
    emoji: Probe,
    /// The terminal was asked for its background, and has not answered yet.
    asked_background: bool,
    device: Device,
}

/// The events of a terminal, beginning with its size. Nothing is read while nobody waits for an event. The terminal
/// will be asked these questions.
///
/// # Errors
/// When the terminal cannot be watched, or signals cannot.
pub fn events(
    device: &Device,
    questions: Questions,
) -> io::Result<impl Stream<Item = io::Result<TerminalEvent>> + Unpin + use<>> {
    let mut source = Source {
        input: Receiver::from_owned_fd_unchecked(device.input()?)?,
        buffer: Box::new([0; READ]),
        decoder: Decoder::new(device.erase()),
        ready: VecDeque::new(),
        resized: signal(SignalKind::window_change())?,
        continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        size_unknown: false,
        emoji: if questions.emoji { Probe::Asked } else { Probe::Closed },
        asked_background: questions.background,
        device: device.clone(),
    };
    // Read only after changes of the size are watched, or a resize in the first milliseconds would be lost.
    source.size();
    if source.ready.is_empty() {
        source.size_unknown = true;
        source.decoder.expect_position();
    }
    Ok(Box::pin(futures_util::stream::unfold(source, |mut source| async move {
        let event = source.next().await;
        event.map(|event| (event, source))
    })))
}

impl Source {
    /// The next event; `None` when the terminal is gone.
    async fn next(&mut self) -> Option<io::Result<TerminalEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            self.emoji.begin(Instant::now());
            let deadline = self.decoder.deadline();
            tokio::select! { biased;
                // After a read that does not fill the buffer, Tokio does not try another one.
                count = self.input.read(&mut *self.buffer) => match count {
                    Ok(0) => return None,
                    Ok(count) => self.feed(count),
                    // The terminal was closed.
                    Err(e) if super::device::is_gone(&e) => return None,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Some(Err(e)),
                },
                _ = self.resized.recv() => self.size(),
                _ = self.continued.recv() => self.ready.push_back(TerminalEvent::Continued),
                () = until(deadline) => self.expire(),
            }
        }
    }

    /// Decodes the first `count` bytes of the buffer.
    fn feed(&mut self, count: usize) {
        let mut events = Vec::new();
        let bytes = self.buffer.get(..count).unwrap_or_default();
        self.decoder.feed(bytes, Instant::now(), &mut events);
        self.add(events);
    }

    /// Decides what an unfinished sequence means, unless the rest has arrived in the meantime.
    fn expire(&mut self) {
        if let Ok(count @ 1..) = rustix::io::read(&self.input, self.buffer.as_mut_slice()) {
            self.feed(count);
            return;
        }
        let mut events = Vec::new();
        self.decoder.expire(&mut events);
        self.add(events);
    }

    fn add(&mut self, events: Vec<TerminalEvent>) {
        for event in events {
            match event {
                TerminalEvent::Report(Report::Position { row, column }) => {
                    self.take_position(row, column);
                }
                // Nobody else's answer counts, and no second one.
                TerminalEvent::Report(Report::Background(_))
                    if !std::mem::take(&mut self.asked_background) => {}
                other => self.ready.push_back(other),
            }
        }
    }

    /// Takes a position report for the answer to a question of ours. Any other is dropped.
    fn take_position(&mut self, row: u16, column: u16) {
        let answer = match row {
            joined_emoji::ROW => self.emoji.answer(column, Instant::now()),
            _ => Answer::Unasked,
        };
        match answer {
            Answer::Width(width) => {
                self.ready.push_back(TerminalEvent::Report(Report::EmojiWidth(width)));
            }
            Answer::Unasked if self.size_unknown => {
                self.size_unknown = false;
                self.ready.push_back(TerminalEvent::Input(Event::Resize(column, row)));
            }
            Answer::Late | Answer::Unasked => {}
        }
    }

    /// Reports the size, if the terminal has one.
    fn size(&mut self) {
        if let Some(size) = self.device.size() {
            self.size_unknown = false;
            let resize = Event::Resize(size.columns, size.rows);
            self.ready.push_back(TerminalEvent::Input(resize));
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The events of a terminal as the loop takes them: one at a time, and put back when they are not used up.
pub struct Keys<E> {
    events: E,
    put_back: VecDeque<TerminalEvent>,
    /// Another program has the terminal.
    paused: bool,
    /// The terminal is gone.
    ended: bool,
}

impl<E: Stream<Item = io::Result<TerminalEvent>> + Unpin> Keys<E> {
    pub fn new(events: E) -> Self {
        Self { events, put_back: VecDeque::new(), paused: false, ended: false }
    }

    /// Whether the terminal is ours.
    pub fn is_open(&self) -> bool {
        !self.paused
    }

    /// Leaves the keys to another program.
    pub fn close(&mut self) {
        self.paused = true;
    }

    pub fn open(&mut self) {
        self.paused = false;
    }

    /// The next event, `None` when the terminal is gone. While another program has it, this waits for ever.
    pub async fn next(&mut self) -> Option<io::Result<TerminalEvent>> {
        if self.paused {
            return std::future::pending().await;
        }
        if let Some(event) = self.put_back.pop_front() {
            return Some(Ok(event));
        }
        if self.ended {
            return None;
        }
        let event = self.events.next().await;
        self.ended = event.is_none();
        event
    }

    /// The next event if there is one already.
    pub fn next_ready(&mut self) -> Option<io::Result<TerminalEvent>> {
        self.next().now_or_never().flatten()
    }

    /// Puts events back; `next` returns them first.
    pub fn put_back(&mut self, events: impl DoubleEndedIterator<Item = TerminalEvent>) {
        for event in events.rev() {
            self.put_back.push_front(event);
        }
    }
}
