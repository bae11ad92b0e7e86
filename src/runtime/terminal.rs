//! The terminal: taken, drawn to, and given back whatever happens.

use super::Surface;
use super::width_safe_backend::{WholeRows, WidthSafeBackend};
use crate::app::view::layout::Size;
use base64::Engine as _;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A frame larger than this is wrapped so that the terminal shows it in one piece.
const SYNCHRONIZED: usize = 4096;
/// OSC 52 is cut by many terminals above this.
const MAX_OSC52: usize = 74_000;

/// Whether there is something to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);

fn take(explicit_bidi: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    // The title is pushed, so that the shell's own comes back.
    // Without 1007 the wheel would arrive as arrow keys and select messages.
    // Without autowrap a cluster that is drawn wider than counted cannot reach the next row.
    write!(io::stdout(), "\x1b[22;2t\x1b[?1007l\x1b[?7l")?;
    if explicit_bidi {
        // BDSM: what is sent stands in the order it is to be seen in.
        write!(io::stdout(), "\x1b[8l")?;
    }
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        // A program that was killed leaves this screen as it was, with its colours.
        SetAttribute(Attribute::Reset),
        Clear(ClearType::All),
        EnableBracketedPaste,
        EnableFocusChange
    )
}

/// Gives the terminal back. May be called any number of times, from anywhere.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = disable_raw_mode();
    let mut bytes: Vec<u8> = Vec::new();
    let _ = execute!(
        bytes,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    // Synchronized output off in case a frame was cut short, autowrap on, attributes off, title popped.
    bytes.extend_from_slice(b"\x1b[?2026l\x1b[?7h\x1b[8h\x1b[0m\x1b[23;2t");
    let mut out = io::stdout();
    if out.write_all(&bytes).and_then(|()| out.flush()).is_err()
        && let Ok(mut tty) = std::fs::OpenOptions::new().write(true).open("/dev/tty")
    {
        let _ = tty.write_all(&bytes);
    }
}

/// A panic of the loop gives the terminal back first and then prints one fixed line: its message could hold text of
/// others. One of a background task is told by whoever waits for it, and the screen stays. To be called on the
/// loop's thread.
pub fn install_panic_hook() {
    let loop_thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != loop_thread {
            let place =
                info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
            tracing::error!(place, "a background task stopped unexpectedly");
            return;
        }
        restore();
        let place =
            info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
        let _ = writeln!(
            io::stderr(),
            "skchat stopped unexpectedly{place}. Drafts and unsent messages are kept; please report this line."
        );
    }));
}

/// Bytes of a frame, gathered until it is complete.
#[derive(Clone, Default)]
struct Gathered(Rc<RefCell<Vec<u8>>>);

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Only [`Tty::send`] sends: a frame leaves in one write.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The real terminal; gives it back when dropped.
pub struct Tty {
    /// The terminal is told not to reorder right-to-left text.
    explicit_bidi: bool,
    terminal: Terminal<WidthSafeBackend<CrosstermBackend<Gathered>>>,
    rows: WholeRows,
    gathered: Gathered,
}

impl Tty {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(explicit_bidi: bool) -> io::Result<Self> {
        let (gathered, rows) = (Gathered::default(), WholeRows::default());
        let backend = CrosstermBackend::new(gathered.clone());
        let terminal = Terminal::new(WidthSafeBackend::new(backend, rows.clone()))?;
        take(explicit_bidi)?;
        Ok(Self { explicit_bidi, terminal, rows, gathered })
    }

    fn send(&mut self) -> io::Result<()> {
        let mut bytes = self.gathered.0.borrow_mut();
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.len() > SYNCHRONIZED {
            bytes.splice(0..0, *b"\x1b[?2026h");
            bytes.extend_from_slice(b"\x1b[?2026l");
        }
        let mut out = io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
        bytes.clear();
        Ok(())
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        restore();
    }
}

impl Surface for Tty {
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(|frame| {
            paint(frame);
            self.rows.keep(frame.buffer_mut());
        })?;
        self.send()
    }

    fn invalidate(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where its cursor is and wait for the answer; a resize forgets the old
        // frame without asking anything.
        let size = self.terminal.size()?;
        write!(self.gathered, "\x1b[2J")?;
        self.terminal.resize(ratatui::layout::Rect::new(0, 0, size.width, size.height))
    }

    fn copy(&mut self, text: &str) -> io::Result<bool> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        if encoded.len() > MAX_OSC52 {
            return Ok(false);
        }
        write!(self.gathered, "\x1b]52;c;{encoded}\x07")?;
        self.send()?;
        Ok(true)
    }

    fn release(&mut self) {
        restore();
    }

    fn retake(&mut self) -> io::Result<Size> {
        take(self.explicit_bidi)?;
        self.invalidate()?;
        let (columns, rows) = crossterm::terminal::size()?;
        Ok(Size { columns, rows })
    }

    fn stop(&mut self) {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::STOP);
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        write!(self.gathered, "\x1b]2;{title}\x07")?;
        self.send()
    }
}

/// Watches for the end: signals, and a terminal that was closed without one. Cancels `stop`; when the loop does not
/// answer within a second and a half, ends the process.
pub fn watch_for_the_end(stop: &CancellationToken) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in
        [SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit(), SignalKind::interrupt()]
    {
        let mut arrived = signal(kind)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            while arrived.recv().await.is_some() {
                // Ctrl-C in an editor that has the terminal meanwhile is for the editor.
                if kind != SignalKind::interrupt() || TAKEN.load(Ordering::SeqCst) {
                    end(&stop);
                    return;
                }
            }
        });
    }
    let stop = stop.clone();
    std::thread::Builder::new().name("hang-up".into()).spawn(move || {
        use rustix::event::{PollFd, PollFlags, poll};
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
        // Without events asked for, poll only returns on hang-up or error: no wake-ups while all is well.
        while poll(&mut fds, None) == Err(rustix::io::Errno::INTR) {}
        end(&stop);
    })?;
    Ok(())
}

fn end(stop: &CancellationToken) {
    stop.cancel();
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(1500));
        restore();
        std::process::exit(1);
    });
}
