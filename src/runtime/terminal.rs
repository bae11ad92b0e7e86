//! The terminal of the event loop: taken over, drawn to, and restored whatever happens.
//!
//! Nothing here waits for the terminal. Bytes that it does not accept yet are kept, and while there are any, no frame
//! is drawn: a terminal that is slower than the program shows the newest state next and skips those in between.

use super::Surface;
use super::background;
use super::device::{self, Device};
use super::joined_emoji;
use super::keys::Questions;
use super::pace::TerminalPace;
use super::painter::Painter;
use super::terminfo;
use crate::app::view::layout::Size;
use crate::model::{Glyphs, Hyperlinks};
use crate::ui::ScreenFrame;
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use tokio::net::unix::pipe::Sender;

/// A frame larger than this is wrapped so that the terminal shows it in one piece.
const SYNCHRONIZED: usize = 4096;
/// If more than this is waiting for the terminal, no notification is added.
const MAX_UNSENT: usize = 256 * 1024;
/// How long to wait before writing again to a terminal that cannot be watched.
const NEXT_TRY: Duration = Duration::from_millis(50);
/// Saves the title and the mode of the wheel, which would be sent as arrow keys and select messages.
const SAVE: &[u8] = b"\x1b[22;2t\x1b[?1007s";
/// BDSM: text is sent in visual order.
const EXPLICIT_BIDI: &[u8] = b"\x1b[8l";
/// The alternate screen, cleared of the colours and text that a killed program may have left there. Then the wheel; no
/// autowrap, so that a cluster that is drawn wider than counted cannot reach the next row; bracketed paste, and focus
/// reports.
const MODES: &[u8] = b"\x1b[?1049h\x1b[0m\x1b[2J\x1b[?1007l\x1b[?7l\x1b[?2004h\x1b[?1004h";
/// Mouse reports in decimal numbers: clicks, the wheel, and moves while a button is held.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// Asks for the kitty keyboard protocol; terminals without it do not answer.
const ASK_KEYBOARD: &[u8] = b"\x1b[?u";
/// Distinguishes keys that are ambiguous otherwise, and adds their equivalents on a Latin keyboard.
const PUSH_KEYBOARD: &[u8] = b"\x1b[>5u";
/// Asks for the size: the cursor stops at the last column and row, so its position is the size.
const ASK_SIZE: &[u8] = b"\x1b[999;999H\x1b[6n";

/// A panic of the loop restores the terminal first and then prints a fixed line: its message could contain text of
/// others. A panic of a background task is reported by its owner, and the screen stays. To be called on the loop's
/// thread.
pub fn install_panic_hook() {
    let loop_thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != loop_thread {
            let place =
                info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
            tracing::error!(place, "a background task stopped unexpectedly");
            return;
        }
        device::restore();
        let place =
            info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
        let _ = writeln!(
            io::stderr(),
            "skchat stopped unexpectedly{place}. Drafts and unsent messages are kept; please report this line."
        );
    }));
}

/// A panic of a command prints a fixed line, for the same reason.
pub fn install_command_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place =
            info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
        let _ =
            writeln!(io::stderr(), "skchat stopped unexpectedly{place}. Please report this line.");
    }));
}

/// The real terminal, which is restored when this is dropped.
pub struct Tty {
    device: Device,
    output: OwnedFd,
    /// The terminal is told not to reorder right-to-left text.
    explicit_bidi: bool,
    /// The terminal supports the kitty keyboard protocol.
    enhanced_keyboard: bool,
    /// The terminal reports the mouse.
    mouse: bool,
    painter: Painter,
    size: Size,
    /// Bytes of a frame, collected until it is complete, so that it is sent in one piece.
    gathered: Vec<u8>,
    /// The size of the last frame in bytes.
    frame_bytes: usize,
    /// Bytes that the terminal has not accepted yet.
    unsent: Vec<u8>,
    pace: TerminalPace,
}

impl Tty {
    /// Takes the terminal and asks it these questions. `mouse` turns on mouse reports; `links`, the links of messages.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn new(
        device: Device,
        explicit_bidi: bool,
        questions: Questions,
        mouse: bool,
        links: Hyperlinks,
        glyphs: Glyphs,
    ) -> io::Result<Self> {
        let size = device.size().unwrap_or_default();
        let links = super::hyperlinks::are_written(links);
        if links {
            device::set_linked();
        }
        let term = std::env::var("TERM").unwrap_or_default();
        let output = device.output()?;
        let mut tty = Self {
            device,
            output,
            explicit_bidi,
            enhanced_keyboard: false,
            mouse,
            painter: Painter::new(terminfo::Signs::of(&term, glyphs), links),
            size,
            gathered: Vec::new(),
            frame_bytes: 0,
            unsent: Vec::new(),
            pace: TerminalPace::default(),
        };
        tty.take(true)?;
        tty.gathered.write_all(ASK_KEYBOARD)?;
        if size == Size::default() {
            tty.gathered.write_all(ASK_SIZE)?;
        }
        if questions.background {
            tty.gathered.write_all(background::QUESTION)?;
        }
        if questions.emoji {
            tty.gathered.write_all(joined_emoji::QUESTION.as_bytes())?;
        }
        tty.send()?;
        Ok(tty)
    }

    /// Sets all modes. With `save`, first saves those of the terminal.
    fn take(&mut self, save: bool) -> io::Result<()> {
        self.device.take()?;
        if save {
            self.gathered.write_all(SAVE)?;
        }
        if self.explicit_bidi {
            self.gathered.write_all(EXPLICIT_BIDI)?;
        }
        self.gathered.write_all(MODES)?;
        if self.mouse {
            self.gathered.write_all(MOUSE_ON)?;
        }
        if self.enhanced_keyboard && device::set_enhanced() {
            self.gathered.write_all(PUSH_KEYBOARD)?;
        }
        Ok(())
    }

    /// Writes as many of the collected bytes as the terminal accepts.
    fn send(&mut self) -> io::Result<()> {
        let wrapped = self.gathered.len() > SYNCHRONIZED;
        if wrapped {
            self.unsent.extend_from_slice(b"\x1b[?2026h");
        }
        self.unsent.append(&mut self.gathered);
        if wrapped {
            self.unsent.extend_from_slice(b"\x1b[?2026l");
        }
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            let rest = self.unsent.get(written..).unwrap_or_default();
            if rest.is_empty() {
                self.pace.emptied(Instant::now());
                break Ok(());
            }
            match rustix::io::write(&self.output, rest) {
                Ok(count) => {
                    written += count;
                    self.pace.wrote(count, Instant::now());
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.pace.blocked(Instant::now());
                    break Ok(());
                }
                Err(e) => break Err(e.into()),
            }
        };
        self.unsent.drain(..written);
        result
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        device::restore();
    }
}

impl Surface for Tty {
    fn draw(&mut self, frame: &ScreenFrame<'_>) -> io::Result<()> {
        if self.size == Size::default() {
            self.painter.forget();
            return Ok(());
        }
        self.painter.paint(frame, &mut self.gathered);
        self.frame_bytes = self.gathered.len();
        self.send()
    }

    fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    fn is_busy(&self) -> bool {
        !self.unsent.is_empty() || self.pace.next(Instant::now()).is_some()
    }

    async fn ready(&mut self) -> io::Result<()> {
        loop {
            self.write()?;
            if self.unsent.is_empty() {
                break;
            }
            // Watch it only now, or the terminal would wake the program each time it has read a frame. Tokio's type for
            // write-only descriptors: the system does not distinguish a pipe from a terminal here.
            match self.output.try_clone().and_then(Sender::from_owned_fd_unchecked) {
                Ok(output) => output.writable().await?,
                // The system has no file descriptors left for now.
                Err(_) => tokio::time::sleep(NEXT_TRY).await,
            }
        }
        if let Some(next) = self.pace.next(Instant::now()) {
            tokio::time::sleep_until(next.into()).await;
        }
        Ok(())
    }

    fn resize(&mut self, size: Size) -> io::Result<()> {
        if self.size == size {
            return Ok(());
        }
        self.size = size;
        self.invalidate();
        Ok(())
    }

    fn invalidate(&mut self) {
        self.painter.forget();
    }

    fn copy(&mut self, text: &str) -> io::Result<bool> {
        let Some(sequence) = super::clipboard::osc52(text) else { return Ok(false) };
        self.gathered.write_all(&sequence)?;
        self.send()?;
        Ok(true)
    }

    fn release(&mut self) {
        // The rest of the frame is no longer needed: the next one is painted in full.
        self.unsent.clear();
        self.gathered.clear();
        self.pace.reset();
        device::restore();
    }

    fn stop(&mut self) {
        super::signals::stop_group();
    }

    fn retake(&mut self) -> io::Result<Size> {
        self.take(!device::is_taken())?;
        if let Some(size) = self.device.size() {
            self.size = size;
        }
        self.invalidate();
        Ok(self.size)
    }

    fn enhance_keyboard(&mut self) -> io::Result<()> {
        self.enhanced_keyboard = true;
        if device::set_enhanced() {
            self.gathered.write_all(PUSH_KEYBOARD)?;
            self.send()?;
        }
        Ok(())
    }

    fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        self.gathered.write_all(if on { MOUSE_ON } else { MOUSE_OFF })?;
        self.send()
    }

    fn alert(&mut self, sequence: &[u8]) -> io::Result<()> {
        // A terminal that has stopped reading would not show notifications, and they would pile up.
        if !sequence.is_empty() && self.unsent.len() < MAX_UNSENT {
            self.gathered.write_all(sequence)?;
            self.send()?;
        }
        Ok(())
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        write!(self.gathered, "\x1b]2;{title}\x07")?;
        self.send()
    }
}
