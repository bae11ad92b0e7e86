//! Recording every input of the loop, and playing a recording again: the same inputs at the same times give the same
//! frames.
//!
//! A recording is JSON, one entry per line: the initial state, then inputs, layouts and frames in the order in which
//! they happened. It contains what was typed and received; [`write_redacted`] makes one that does not.

mod redact;

pub use redact::Redactor;

use crate::app::view::layout::Size;
use crate::app::{Input, Model, update};
use crate::model::{
    AccountId, Background, NotificationPreferences, Now, Preferences, SafeText, UserId,
};
use crate::ui::{ColorDepth, Screen, Themes};
use ratatui::buffer::Buffer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

/// Increased when older recordings can no longer be played.
pub const FORMAT: u32 = 3;
/// How many lines may wait for the disk before the recording ends.
const WAITING: usize = 8_192;

/// The part of the program's initial state that the screen depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingHeader {
    pub skchat: String,
    pub format: u32,
    /// The running accounts by name, each with the user's own id.
    pub accounts: Vec<(AccountId, UserId)>,
    /// IANA name of the time zone.
    pub zone: String,
    pub size: Size,
    pub depth: ColorDepth,
    #[serde(default)]
    pub background: Background,
    pub demo: bool,
    pub read_only: bool,
    pub first_client_id: u64,
    /// Whether the welcome dialog of the first start is shown.
    pub welcome: bool,
    /// Whether the program had not been used for hours.
    #[serde(default)]
    pub returns: bool,
    pub warning: Option<String>,
    /// The user's changes of the key table.
    pub keys: BTreeMap<String, Vec<String>>,
    pub preferences: Preferences,
}

/// One line of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordingEntry {
    Start(Box<RecordingHeader>),
    /// The time before the first input.
    Clock(Now),
    Input(Now, Box<Input>),
    /// A layout was derived; its requests follow as inputs.
    Layout,
    /// Columns, rows, and a hash of all cells.
    Frame(u16, u16, u64),
}

/// Writes a recording, on a separate thread.
pub struct Recorder {
    lines: Option<SyncSender<String>>,
    writer: Option<std::thread::JoinHandle<()>>,
}

impl Recorder {
    /// Begins a recording in a new file that only this user can read.
    ///
    /// # Errors
    /// When the file exists already, or cannot be created.
    pub fn create(path: &Path, header: RecordingHeader) -> std::io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let write = move || {
            let mut out = BufWriter::new(file);
            while let Ok(line) = waiting.recv() {
                let mut next = Some(line);
                while let Some(line) = next {
                    if writeln!(out, "{line}").is_err() {
                        return;
                    }
                    next = waiting.try_recv().ok();
                }
                if out.flush().is_err() {
                    return;
                }
            }
        };
        let writer = std::thread::Builder::new().name("recorder".into()).spawn(write)?;
        let mut recorder = Self { lines: Some(lines), writer: Some(writer) };
        recorder.note(&RecordingEntry::Start(Box::new(header)));
        Ok(recorder)
    }

    /// Adds an entry. If the disk cannot keep up, the recording ends: one with a gap could not be played.
    pub fn note(&mut self, entry: &RecordingEntry) {
        let Some(lines) = &self.lines else { return };
        let Ok(line) = serde_json::to_string(entry) else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = lines.try_send(line) {
            tracing::warn!("the recording ends here: the disk is too slow");
            self.lines = None;
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// FNV-1a: the same on every machine.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// The entry for a frame as it was painted.
pub fn frame(buffer: &Buffer) -> RecordingEntry {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for cell in &buffer.content {
        cell.symbol().hash(&mut hash);
        cell.style().hash(&mut hash);
    }
    RecordingEntry::Frame(buffer.area.width, buffer.area.height, hash.finish())
}

/// Plays entries into a model.
pub struct Player {
    model: Model,
    themes: Themes,
    screen: Screen,
    pub inputs: usize,
    pub frames: usize,
    /// The frames, counted from one, that differ from the recording.
    pub differing: Vec<usize>,
}

impl Player {
    pub fn new(model: Model, themes: Themes) -> Self {
        Self {
            model,
            themes,
            screen: Screen::default(),
            inputs: 0,
            frames: 0,
            differing: Vec::new(),
        }
    }

    /// Plays one entry; for a frame entry, returns the one of this replay.
    pub fn play(&mut self, entry: &RecordingEntry) -> Option<RecordingEntry> {
        match entry {
            RecordingEntry::Start(_) => {}
            RecordingEntry::Clock(now) => self.model.app.clock = *now,
            RecordingEntry::Input(now, input) => {
                self.inputs += 1;
                update(&mut self.model, (**input).clone(), *now);
            }
            RecordingEntry::Layout => {
                self.model.layout();
            }
            RecordingEntry::Frame(..) => {
                self.frames += 1;
                let painted = frame(
                    self.screen
                        .paint(&self.model, self.themes.of_prefs(&self.model.app.prefs))
                        .cells,
                );
                if painted != *entry {
                    self.differing.push(self.frames);
                }
                return Some(painted);
            }
        }
        None
    }

    /// The current screen of the replay, as lines.
    pub fn picture(&mut self) -> String {
        self.model.layout();
        picture(self.screen.paint(&self.model, self.themes.of_prefs(&self.model.app.prefs)).cells)
    }
}

/// The cells of a buffer as lines, without trailing spaces.
pub fn picture(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for row in buffer.content.chunks(width) {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in row {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            hidden = crate::model::text::width(cell.symbol()).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Reads a recording line by line; also returns whether its last line was cut off because the program was killed.
///
/// # Errors
/// When the file cannot be read, or is not a recording.
pub fn read(path: &Path) -> Result<(RecordingHeader, Vec<RecordingEntry>, bool), String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let mut lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let header = match serde_json::from_slice(first) {
        Ok(RecordingEntry::Start(header)) if header.format == FORMAT => *header,
        _ => return Err(not_ours(first)),
    };
    let mut entries = Vec::new();
    let mut broken = None;
    for (n, line) in lines.enumerate() {
        if let Some(at) = broken {
            return Err(format!("line {at} cannot be read"));
        }
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            // The program was killed while writing this line, unless more lines follow.
            Err(_) => broken = Some(n + 2),
        }
    }
    Ok((header, entries, broken.is_some()))
}

/// Why a recording with this first line cannot be played. The header of another version may have other fields, but it
/// names the version.
fn not_ours(first: &[u8]) -> String {
    let line: serde_json::Value = serde_json::from_slice(first).unwrap_or_default();
    let header = line.get("Start");
    let format = header.and_then(|h| h.get("format")).and_then(serde_json::Value::as_u64);
    let skchat = header.and_then(|h| h.get("skchat")).and_then(serde_json::Value::as_str);
    match (skchat, format) {
        (Some(_), Some(format)) if format == u64::from(FORMAT) => {
            "its first line is damaged".to_owned()
        }
        (Some(skchat), Some(format)) => format!(
            "it was recorded by skchat {} in format {format}; this is skchat {}, which plays format {FORMAT}",
            SafeText::line(skchat),
            env!("CARGO_PKG_VERSION")
        ),
        _ => "it is not a recording made with --record".to_owned(),
    }
}

/// Writes a recording of the same length without readable text: letters and digits are replaced, widths and the
/// equality of ids are kept. A search by name finds other names in it.
///
/// # Errors
/// When an entry cannot be converted, which would be a bug, or the file cannot be written.
pub fn write_redacted(
    path: &Path,
    header: &RecordingHeader,
    entries: &[RecordingEntry],
    mut player: Player,
    redactor: &Redactor,
) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut out = BufWriter::new(file.map_err(|e| e.to_string())?);
    let put = |entry: &RecordingEntry, out: &mut BufWriter<File>| {
        let line = serde_json::to_string(entry).map_err(|e| e.to_string())?;
        writeln!(out, "{line}").map_err(|e| e.to_string())
    };
    put(&RecordingEntry::Start(Box::new(header.clone())), &mut out)?;
    for entry in entries {
        let entry = match entry {
            RecordingEntry::Input(now, input) => {
                RecordingEntry::Input(*now, Box::new(redactor.turn(&**input)?))
            }
            other => other.clone(),
        };
        let painted = player.play(&entry);
        put(painted.as_ref().unwrap_or(&entry), &mut out)?;
    }
    out.flush().map_err(|e| e.to_string())
}

/// The header of a redacted recording.
pub fn redacted_header(
    header: &RecordingHeader,
    redactor: &Redactor,
) -> Result<RecordingHeader, String> {
    let accounts = redactor.turn(&header.accounts)?;
    // Keywords, the command and the folder are typed text; no frame depends on them.
    let mut preferences = header.preferences.clone();
    preferences.notifications = NotificationPreferences::default();
    preferences.ui.spelling_folder = String::new();
    Ok(RecordingHeader { accounts, preferences, warning: None, ..header.clone() })
}
