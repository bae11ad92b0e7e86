//! Input from the terminal: keys, pastes, answers, and the system's reports about the terminal.
//!
//! The bytes are read by the event loop's own task, as soon as there are any, and decoded here. Crossterm's reader was
//! used before; these alternatives were considered when it had to be replaced:
//!
//! - *A filter in front of crossterm's parser* is impossible without a second pseudo-terminal: crossterm reads the
//!   device itself. It also decides at the end of each read that an Esc is the Esc key, so sequences torn by a slow
//!   connection became text; it reads Esc Esc [ A as four keys, never ends a paste whose end marker is missing, and
//!   needs a thread that takes keys away from an editor.
//! - *termwiz* and *terminput* parse well, but both also decide by the end of a buffer and not by time, neither
//!   recognises lines pasted without brackets, and termwiz comes with its own terminal model.
//! - *vte* parses output to terminals, not input from them: the sequences of rxvt and the Linux console mean something
//!   else there.
//!
//! With any of them, most of the work would have remained, so the decoder is our own: `sequence` and `csi` handle the
//! byte sequences, `decoder` the timing. Keys still use crossterm's types.

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

/// An event reported by the terminal or the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key, a paste, a new size, a change of the focus.
    Input(Event),
    /// Lines that arrived faster than anyone can type, without paste markers.
    Burst(String),
    /// An answer of the terminal to a query of this program.
    Report(Report),
    /// The process was stopped from outside and continues: the terminal's modes may be lost.
    Continued,
}

/// Answers of the terminal. Those that are not waited for are dropped by the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The terminal supports the kitty keyboard protocol.
    EnhancedKeyboard,
    /// The cursor position, counted from one.
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
    /// Tokio's type for read-only descriptors; the system does not distinguish a pipe from a terminal here.
    input: Receiver,
    buffer: Box<[u8; READ]>,
    decoder: Decoder,
    ready: VecDeque<TerminalEvent>,
    resized: Signal,
    continued: Signal,
    /// The terminal's size is unknown; the next position report provides it.
    size_unknown: bool,
    /// Whether the answer about joined emoji is awaited.
    emoji: Probe,
    /// The terminal was asked for its background, and has not answered yet.
    asked_background: bool,
    device: Device,
}

/// The events of a terminal, beginning with its size. Nothing is read unless an event is awaited. The terminal will be
/// asked these questions.
///
/// # Errors
/// When the terminal or the signals cannot be watched.
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
    // Read the size only after resizes are watched, or one in the first milliseconds would be lost.
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
                // Only the first answer, and only to our own question, counts.
                TerminalEvent::Report(Report::Background(_))
                    if !std::mem::take(&mut self.asked_background) => {}
                other => self.ready.push_back(other),
            }
        }
    }

    /// Takes a position report as the answer to our own question. Any other is dropped.
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

/// The events of a terminal for the event loop: taken one at a time, and put back if they are not used.
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

    /// Whether no other program has the terminal.
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

    /// The next event, `None` when the terminal is gone. While another program has the terminal, this waits forever.
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
