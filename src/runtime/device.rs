//! The terminal as a device: reopened, so that it can be read and written without blocking, and restored from anywhere.

use crate::app::view::layout::Size;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, SpecialCodeIndex, Termios};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait for the terminal to accept the last bytes.
const LAST_WRITE: Duration = Duration::from_millis(300);
/// Ends a control string, such as a title, that was cut off.
const END_OF_STRING: &[u8] = b"\x1b\\";
/// Switches off everything that was switched on (mouse and focus reports, bracketed paste, the alternate screen, a
/// hidden cursor, a frame that was cut short, explicit ordering of text) and restores autowrap, the wheel, attributes
/// and the title.
const GIVE_BACK: &[u8] =
    b"\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[?2026l\x1b[?7h\x1b[8h\x1b[?1007r\x1b[0m\x1b[23;2t";
/// Resets the keyboard mode of the alternate screen.
const POP_KEYBOARD: &[u8] = b"\x1b[<u";
/// Ends a link (OSC 8) that was left open by a frame that was cut short.
const END_OF_LINK: &[u8] = b"\x1b]8;;\x1b\\";

/// Whether the terminal is taken and has to be restored.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether links are written to the terminal.
static LINKED: AtomicBool = AtomicBool::new(false);
/// Whether the keyboard mode was changed.
static ENHANCED: AtomicBool = AtomicBool::new(false);
/// The device that [`restore`] restores.
static HELD: OnceLock<Device> = OnceLock::new();

/// The terminal of standard input and output. Clones share it.
#[derive(Clone)]
pub struct Device(Arc<Ends>);

struct Ends {
    input: OwnedFd,
    output: OwnedFd,
    /// The modes before the terminal was taken.
    original: Mutex<Termios>,
    /// The terminal could not be opened again: these are standard input and output, which other programs share.
    shared: bool,
}

impl Device {
    /// Reopens the terminal of standard input and output, because non-blocking mode is a property of the open file,
    /// which is shared with the shell and every program that is started.
    ///
    /// # Errors
    /// When standard input is not a terminal, or the system has no file descriptors left.
    pub fn open() -> io::Result<Self> {
        let original = rustix::termios::tcgetattr(io::stdin())?;
        let (input, own_input) = reopen(io::stdin().as_fd(), OFlags::RDONLY)?;
        let (output, own_output) = reopen(io::stdout().as_fd(), OFlags::WRONLY)?;
        let shared = !(own_input && own_output);
        let ends = Ends { input, output, original: Mutex::new(original), shared };
        let device = Self(Arc::new(ends));
        let _ = HELD.set(device.clone());
        Ok(device)
    }

    /// A handle to read from.
    ///
    /// # Errors
    /// When the system has no file descriptors left.
    pub fn input(&self) -> io::Result<OwnedFd> {
        self.0.input.try_clone()
    }

    /// A handle to write to.
    ///
    /// # Errors
    /// When the system has no file descriptors left.
    pub fn output(&self) -> io::Result<OwnedFd> {
        self.0.output.try_clone()
    }

    /// The size; `None` if the terminal has no known size, as over a serial line.
    pub fn size(&self) -> Option<Size> {
        size_of(&self.0.output)
    }

    /// The character of the backspace key according to the terminal's settings.
    pub fn erase(&self) -> Option<u8> {
        let original = self.0.original.lock().unwrap_or_else(PoisonError::into_inner);
        let erase = original.special_codes[SpecialCodeIndex::VERASE];
        (erase != 0).then_some(erase)
    }

    /// Switches to raw mode. From now on, [`restore`] restores the terminal.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn take(&self) -> io::Result<()> {
        let mut original = self.0.original.lock().unwrap_or_else(PoisonError::into_inner);
        // If the terminal is already taken, its current modes are not those of the shell.
        if !TAKEN.load(Ordering::SeqCst) {
            *original = rustix::termios::tcgetattr(&self.0.input)?;
        }
        let mut raw = original.clone();
        raw.make_raw();
        if self.0.shared {
            self.set_blocking(false)?;
        }
        TAKEN.store(true, Ordering::SeqCst);
        rustix::termios::tcsetattr(&self.0.input, OptionalActions::Now, &raw)?;
        Ok(())
    }

    fn set_blocking(&self, blocking: bool) -> io::Result<()> {
        for fd in [&self.0.input, &self.0.output] {
            let mut flags = rustix::fs::fcntl_getfl(fd)?;
            flags.set(OFlags::NONBLOCK, !blocking);
            rustix::fs::fcntl_setfl(fd, flags)?;
        }
        Ok(())
    }

    /// Writes as much as the terminal accepts within this time.
    fn write_within(&self, mut bytes: &[u8], time: Duration) {
        let until = Instant::now() + time;
        while !bytes.is_empty() {
            match rustix::io::write(&self.0.output, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    let left = until.saturating_duration_since(Instant::now());
                    let Ok(left) = rustix::event::Timespec::try_from(left) else { return };
                    let mut fds = [PollFd::new(&self.0.output, PollFlags::OUT)];
                    if !matches!(poll(&mut fds, Some(&left)), Ok(1..)) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    fn give_back(&self) {
        let original = self.0.original.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = rustix::termios::tcsetattr(&self.0.input, OptionalActions::Now, &original);
        drop(original);
        let links = LINKED.load(Ordering::SeqCst);
        let bytes = last_bytes(links, ENHANCED.swap(false, Ordering::SeqCst));
        self.write_within(&bytes, LAST_WRITE);
        if self.0.shared {
            let _ = self.set_blocking(true);
        }
    }
}

/// The bytes that restore the terminal. First they end a sequence that was cut short, then what it may have begun.
fn last_bytes(links: bool, enhanced: bool) -> Vec<u8> {
    let mut bytes = END_OF_STRING.to_vec();
    if links {
        bytes.extend_from_slice(END_OF_LINK);
    }
    if enhanced {
        bytes.extend_from_slice(POP_KEYBOARD);
    }
    bytes.extend_from_slice(GIVE_BACK);
    bytes
}

/// Restores the terminal, without waiting if it does not read. May be called any number of times, from any thread.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst)
        && let Some(device) = HELD.get()
    {
        device.give_back();
    }
}

/// Whether the program has taken the terminal.
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Notes that links are written to the terminal; [`restore`] ends one that is open.
pub fn set_linked() {
    LINKED.store(true, Ordering::SeqCst);
}

/// Notes that the keyboard mode was changed; [`restore`] resets it. False if it was changed before.
pub fn set_enhanced() -> bool {
    !ENHANCED.swap(true, Ordering::SeqCst)
}

/// The size of the terminal that standard output goes to.
pub fn size() -> Option<Size> {
    size_of(io::stdout())
}

fn size_of(fd: impl AsFd) -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(fd).ok()?;
    let size = Size { columns: size.ws_col, rows: size.ws_row };
    (size.columns > 0 && size.rows > 0).then_some(size)
}

/// Whether an error means that the terminal was closed.
pub fn is_gone(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let number = error.raw_os_error();
    [Errno::IO, Errno::PIPE, Errno::NXIO, Errno::NODEV, Errno::BADF]
        .iter()
        .any(|errno| number == Some(errno.raw_os_error()))
}

/// Reopens the terminal behind a descriptor in non-blocking mode. If that is impossible, returns the descriptor itself,
/// with false.
fn reopen(fd: BorrowedFd<'_>, direction: OFlags) -> io::Result<(OwnedFd, bool)> {
    let flags = direction | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |path: &std::ffi::CStr| rustix::fs::open(path, flags, Mode::empty());
    // The name does not exist in some containers, and after `su` the device belongs to another user; the process's own
    // terminal can always be opened.
    let named = rustix::termios::ttyname(fd, Vec::new()).and_then(|name| open(&name));
    match named.or_else(|_| open(c"/dev/tty")) {
        Ok(own) => Ok((own, true)),
        Err(_) => Ok((fd.try_clone_to_owned()?, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_a_frame_that_was_cut_short_is_ended_before_the_screen_is_left() {
        let text = |links| String::from_utf8(last_bytes(links, true)).unwrap();
        let with = text(true);
        assert!(with.starts_with("\u{1b}\\\u{1b}]8;;\u{1b}\\"), "the string it is in ends first");
        assert!(with.find("]8;;") < with.find("[?1049l"));
        assert!(!text(false).contains("]8;"), "only where the terminal knows links");
    }
}
