//! Turns bytes of the terminal into events. The decoder has no clock: [`Decoder::deadline`] returns the time at which
//! [`Decoder::expire`] has to decide what an unfinished sequence means.

use super::super::background;
use super::late::GivenUp;
use super::sequence::{Parsed, SequenceMeaning, Unfinished, parse};
use super::text_run::{has_inner_tab, is_break, is_torn, text_run};
use super::{Report, TerminalEvent};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use std::time::{Duration, Instant};

/// How long the rest of a sequence may take after its Esc. A slow connection tears sequences apart by tens of
/// milliseconds; a person takes longer to press the next key.
const ESCAPE: Duration = Duration::from_millis(75);
/// How long a sequence that has begun, or a character of several bytes, may take between two pieces.
const SEQUENCE: Duration = Duration::from_millis(250);
/// The longest pause inside an answer of the terminal (OSC, DCS, APC).
const CONTROL_STRING: Duration = Duration::from_millis(500);
/// A paste whose end marker is missing ends after this pause.
const PASTE: Duration = Duration::from_millis(300);
/// Text that follows a line break within this time was pasted, not typed.
const BURST: Duration = Duration::from_millis(20);
/// The most bytes of a paste; more is dropped. The message box accepts less and says so.
const MAX_PASTE: usize = 2 * 1024 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";

enum Mode {
    Keys,
    /// Inside an answer of the terminal; holds its beginning if it is an OSC.
    ControlString(Option<Vec<u8>>),
    /// Between the markers of a bracketed paste.
    Paste(Vec<u8>),
    /// After text and a line break: more text makes it a burst.
    AfterLine,
    /// Lines, or text around a tab, that arrived too fast to be typed.
    Burst(Vec<u8>),
}

/// The state between two reads.
pub struct Decoder {
    mode: Mode,
    /// Bytes that are not decoded yet.
    buffer: Vec<u8>,
    /// What is missing after the first bytes of the buffer.
    unfinished: Option<Unfinished>,
    /// A report whose rest did not arrive in time, but may still come.
    given_up: Option<GivenUp>,
    last: Instant,
    /// What the terminal's backspace key sends according to its settings, if not DEL.
    erase: Option<u8>,
    /// The number of expected cursor position reports. Any others may be F3 with a modifier, which looks the same.
    expected_positions: usize,
    /// The terminal supports the kitty protocol, in which Super is a separate modifier.
    knows_super: bool,
}

impl Decoder {
    /// `erase` is the erase character of the terminal's settings.
    pub fn new(erase: Option<u8>) -> Self {
        Self {
            mode: Mode::Keys,
            buffer: Vec::new(),
            unfinished: None,
            given_up: None,
            last: Instant::now(),
            erase,
            expected_positions: 0,
            knows_super: false,
        }
    }

    /// The next cursor position report is an answer, not a key.
    pub fn expect_position(&mut self) {
        self.expected_positions += 1;
    }

    /// Decodes what was read; adds the events to `out`.
    pub fn feed(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<TerminalEvent>) {
        self.last = now;
        match self.given_up.take().and_then(|given_up| given_up.with_rest(bytes, now)) {
            Some(whole) => self.buffer.extend(whole),
            None => self.buffer.extend_from_slice(bytes),
        }
        self.decode(out);
    }

    /// When [`Self::expire`] is due, unless more bytes arrive first.
    pub fn deadline(&self) -> Option<Instant> {
        let wait = match (&self.mode, self.unfinished) {
            (Mode::ControlString(_), _) => CONTROL_STRING,
            (Mode::Paste(_), _) => PASTE,
            (Mode::AfterLine | Mode::Burst(_), _) => BURST,
            (Mode::Keys, Some(Unfinished::Escape)) => ESCAPE,
            (Mode::Keys, Some(Unfinished::Sequence)) => SEQUENCE,
            (Mode::Keys, None) => return None,
        };
        Some(self.last + wait)
    }

    /// Ends the current mode, which has waited long enough.
    pub fn expire(&mut self, out: &mut Vec<TerminalEvent>) {
        match std::mem::replace(&mut self.mode, Mode::Keys) {
            // An Esc at the end may still begin the string terminator or a key.
            Mode::ControlString(_) => {
                // At most an Esc is left in the buffer.
                if self.buffer.is_empty() {
                    self.given_up = Some(GivenUp::control_string(self.last));
                }
            }
            Mode::Paste(mut text) => {
                let rest = std::mem::take(&mut self.buffer);
                text.extend_from_slice(&rest);
                let torn = (1..PASTE_END.len())
                    .rev()
                    .find(|n| PASTE_END.get(..*n).is_some_and(|start| text.ends_with(start)));
                text.truncate(text.len() - torn.unwrap_or(0));
                out.push(paste(&text));
            }
            Mode::AfterLine => self.break_keys(out),
            Mode::Burst(text) => out.push(burst(&text)),
            Mode::Keys => self.give_up(out),
        }
        self.decode(out);
    }

    /// Decides what an unfinished sequence was: keys if it is just Esc and an introducer, else nothing.
    fn give_up(&mut self, out: &mut Vec<TerminalEvent>) {
        let bytes = std::mem::take(&mut self.buffer);
        let what = self.unfinished.take();
        self.given_up = what.map(|what| GivenUp::sequence(&bytes, what, self.last));
        if what != Some(Unfinished::Escape) {
            return;
        }
        let mut rest = bytes.as_slice();
        while let Some((0x1b, after)) = rest.split_first() {
            rest = match after.split_first() {
                Some((c, after)) if *c != 0x1b => {
                    out.push(key(KeyCode::Char(char::from(*c)), KeyModifiers::ALT));
                    after
                }
                _ => {
                    out.push(key(KeyCode::Esc, KeyModifiers::NONE));
                    after
                }
            };
        }
    }

    fn decode(&mut self, out: &mut Vec<TerminalEvent>) {
        self.unfinished = None;
        loop {
            let goes_on = match &mut self.mode {
                Mode::Keys => self.keys(out),
                Mode::ControlString(_) => self.control_string(out),
                Mode::Paste(_) => self.paste(out),
                Mode::AfterLine => self.after_line(out),
                Mode::Burst(_) => self.burst(out),
            };
            if !goes_on {
                return;
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.buffer.drain(..count.min(self.buffer.len()));
    }

    /// Decodes one key, or one stretch of text. False when more bytes are needed.
    fn keys(&mut self, out: &mut Vec<TerminalEvent>) -> bool {
        if self.buffer.is_empty() {
            return false;
        }
        let run = text_run(&self.buffer);
        if has_inner_tab(run) {
            let length = run.len();
            self.mode = Mode::Burst(run.to_vec());
            self.take(length);
            return true;
        }
        let first_break = run.iter().position(|b| is_break(*b)).unwrap_or(run.len());
        if first_break > 0 && first_break < run.len() {
            let after = run.get(first_break..).unwrap_or_default();
            if after.iter().any(|b| !is_break(*b)) {
                let length = run.len();
                self.mode = Mode::Burst(run.to_vec());
                self.take(length);
                return true;
            }
            let ends_here = is_torn(self.buffer.get(run.len()..).unwrap_or_default());
            self.text(first_break, out);
            if ends_here {
                self.mode = Mode::AfterLine;
            } else {
                self.break_keys(out);
            }
            return true;
        }
        if first_break > 0 {
            self.text(first_break, out);
            return true;
        }
        match parse(&self.buffer) {
            Parsed::Unfinished(what) => {
                self.unfinished = Some(what);
                false
            }
            Parsed::Complete(length, meaning) => {
                let is_osc = self.buffer.get(1) == Some(&b']');
                self.take(length);
                if meaning == SequenceMeaning::StringStart {
                    self.mode = Mode::ControlString(is_osc.then(Vec::new));
                } else {
                    self.emit(meaning, out);
                }
                true
            }
        }
    }

    /// The first bytes of the buffer, which are valid text, as keys.
    fn text(&mut self, length: usize, out: &mut Vec<TerminalEvent>) {
        let text: Vec<u8> = self.buffer.drain(..length).collect();
        // Invalid bytes are not keys.
        for c in text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
            let code = if c == '\t' { KeyCode::Tab } else { KeyCode::Char(c) };
            out.push(key(code, KeyModifiers::NONE));
        }
    }

    /// The line breaks at the front of the buffer as keys.
    fn break_keys(&mut self, out: &mut Vec<TerminalEvent>) {
        while let Some(b @ (b'\r' | b'\n')) = self.buffer.first().copied() {
            // Pasted Windows lines end with both.
            let both = self.buffer.starts_with(b"\r\n");
            self.take(if both { 2 } else { 1 });
            out.push(match b {
                b'\r' => key(KeyCode::Enter, KeyModifiers::NONE),
                _ => key(KeyCode::Char('j'), KeyModifiers::CONTROL),
            });
        }
    }

    /// Handles line breaks at the front of the buffer that followed text.
    fn after_line(&mut self, out: &mut Vec<TerminalEvent>) -> bool {
        let run = text_run(&self.buffer);
        let goes_on = run.iter().any(|b| !is_break(*b));
        if !goes_on && is_torn(self.buffer.get(run.len()..).unwrap_or_default()) {
            return false;
        }
        if goes_on {
            let length = run.len();
            self.mode = Mode::Burst(run.to_vec());
            self.take(length);
        } else {
            self.break_keys(out);
            self.mode = Mode::Keys;
        }
        true
    }

    fn burst(&mut self, out: &mut Vec<TerminalEvent>) -> bool {
        let run = text_run(&self.buffer);
        let Mode::Burst(text) = &mut self.mode else { return true };
        append(text, run);
        let length = run.len();
        self.take(length);
        // Anything but text ends it.
        if is_torn(&self.buffer) {
            return false;
        }
        if let Mode::Burst(text) = std::mem::replace(&mut self.mode, Mode::Keys) {
            out.push(burst(&text));
        }
        true
    }

    fn paste(&mut self, out: &mut Vec<TerminalEvent>) -> bool {
        let Mode::Paste(text) = &mut self.mode else { return true };
        let end = self.buffer.windows(PASTE_END.len()).position(|w| w == PASTE_END);
        let Some(end) = end else {
            // The marker may be incomplete.
            let kept = self.buffer.len().min(PASTE_END.len() - 1);
            let length = self.buffer.len() - kept;
            append(text, self.buffer.get(..length).unwrap_or_default());
            self.take(length);
            return false;
        };
        append(text, self.buffer.get(..end).unwrap_or_default());
        out.push(paste(text));
        self.mode = Mode::Keys;
        self.take(end + PASTE_END.len());
        true
    }

    /// Takes an answer of the terminal up to its end, and drops it if it is not waited for. Answers contain no control
    /// characters: one is a key, and the answer was cut off or was not an answer.
    fn control_string(&mut self, out: &mut Vec<TerminalEvent>) -> bool {
        let end = self.buffer.iter().position(|b| *b < 0x20);
        let text = self.buffer.get(..end.unwrap_or(self.buffer.len())).unwrap_or_default();
        if let Mode::ControlString(Some(begun)) = &mut self.mode {
            let room = background::LONGEST.saturating_sub(begun.len());
            begun.extend_from_slice(text.get(..room).unwrap_or(text));
        }
        let Some(end) = end else {
            self.buffer.clear();
            return false;
        };
        self.take(end);
        let length = match (self.buffer.first(), self.buffer.get(1)) {
            (Some(0x1b), None) => return false,
            (Some(0x1b), Some(b'\\')) => 2,
            (Some(0x07), _) => 1,
            _ => 0,
        };
        self.take(length);
        let mode = std::mem::replace(&mut self.mode, Mode::Keys);
        if let (Mode::ControlString(Some(text)), 1..) = (mode, length) {
            let color = background::answer(&text);
            out.extend(color.map(|color| TerminalEvent::Report(Report::Background(color))));
        }
        true
    }

    fn emit(&mut self, meaning: SequenceMeaning, out: &mut Vec<TerminalEvent>) {
        match meaning {
            SequenceMeaning::Nothing | SequenceMeaning::StringStart => {}
            // Super and Hyper are for the window manager: nothing is bound to them, and they type nothing. Without the
            // kitty protocol, this bit is Meta, which iTerm2 sends for arrows with its Option key.
            SequenceMeaning::Key(code, held)
                if held.contains(KeyModifiers::SUPER)
                    && !self.knows_super
                    && !matches!(code, KeyCode::Char(_)) =>
            {
                out.push(key(code, (held - KeyModifiers::SUPER) | KeyModifiers::ALT));
            }
            SequenceMeaning::Key(_, held)
                if held.intersects(KeyModifiers::SUPER | KeyModifiers::HYPER) => {}
            SequenceMeaning::Key(code, modifiers) => out.push(key(code, modifiers)),
            SequenceMeaning::Control(byte, modifiers) => {
                let code = if self.erase == Some(byte) { 0x7f } else { byte };
                out.push(control(code, modifiers));
            }
            SequenceMeaning::Focus(true) => out.push(TerminalEvent::Input(Event::FocusGained)),
            SequenceMeaning::Focus(false) => out.push(TerminalEvent::Input(Event::FocusLost)),
            SequenceMeaning::Mouse { kind, column, row } => {
                let mouse = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
                out.push(TerminalEvent::Input(Event::Mouse(mouse)));
            }
            SequenceMeaning::PasteStart => self.mode = Mode::Paste(Vec::new()),
            SequenceMeaning::Keyboard => {
                self.knows_super = true;
                out.push(TerminalEvent::Report(Report::EnhancedKeyboard));
            }
            SequenceMeaning::Position { row, column } => {
                let modifiers = super::sequence::modifiers(column).filter(|_| column <= 16);
                let is_key = self.expected_positions == 0 && row == 1;
                if let Some(modifiers) = modifiers.filter(|_| is_key) {
                    out.push(key(KeyCode::F(3), modifiers));
                } else {
                    self.expected_positions = self.expected_positions.saturating_sub(1);
                    out.push(TerminalEvent::Report(Report::Position { row, column }));
                }
            }
        }
    }
}

fn append(text: &mut Vec<u8>, more: &[u8]) {
    let room = MAX_PASTE.saturating_sub(text.len());
    text.extend_from_slice(more.get(..room).unwrap_or(more));
}

fn paste(text: &[u8]) -> TerminalEvent {
    TerminalEvent::Input(Event::Paste(String::from_utf8_lossy(text).into_owned()))
}

fn burst(text: &[u8]) -> TerminalEvent {
    TerminalEvent::Burst(String::from_utf8_lossy(text).into_owned())
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> TerminalEvent {
    TerminalEvent::Input(Event::Key(KeyEvent::new(code, modifiers)))
}

/// The key that sends a control character.
fn control(byte: u8, modifiers: KeyModifiers) -> TerminalEvent {
    let letter = |c: u8| (KeyCode::Char(char::from(c)), modifiers | KeyModifiers::CONTROL);
    let (code, modifiers) = match byte {
        b'\r' => (KeyCode::Enter, modifiers),
        b'\t' => (KeyCode::Tab, modifiers),
        0x7f => (KeyCode::Backspace, modifiers),
        0 => letter(b' '),
        0x01..=0x1a => letter(byte - 1 + b'a'),
        _ => letter(byte.wrapping_sub(0x1c).wrapping_add(b'4')),
    };
    key(code, modifiers)
}
