//! Inspects the files of a store before SQLite opens them.
//!
//! SQLite treats an empty or missing database as a new one and deletes the log next to it, although the log may hold
//! all messages. So this is checked first.

use super::StoreError;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The files of a database: itself, its log, and the index of the log.
pub(super) const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Creates the file for this user only, before SQLite creates it for everybody; the log and its index get the same
/// mode. If others can read an existing file, their access is removed.
///
/// # Errors
/// Any I/O error.
pub(super) fn make_private(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    // An existing file is not opened: closing it would release this process's locks on it.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    for suffix in SUFFIXES {
        let path = with_suffix(file, suffix);
        let Ok(data) = std::fs::metadata(&path) else { continue };
        let mode = data.permissions().mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode & 0o600))?;
        }
    }
    Ok(())
}

/// Bytes before the first frame of a log.
const LOG_HEADER: usize = 32;
/// Bytes before the page in a frame of a log.
const FRAME_HEADER: usize = 24;

/// Whether the database is empty or missing although its log has pages: the database was truncated.
pub(super) fn is_cut_off(file: &Path) -> bool {
    length(file) == 0 && length(&with_suffix(file, "-wal")) > (LOG_HEADER + FRAME_HEADER) as u64
}

/// Whether everything is in the database itself.
pub(super) fn has_no_log(file: &Path) -> bool {
    length(&with_suffix(file, "-wal")) == 0
}

/// Refuses a store whose database was truncated.
///
/// # Errors
/// [`StoreError::Damaged`], before anything was opened or changed.
pub(super) fn check(file: &Path) -> Result<(), StoreError> {
    if is_cut_off(file) { Err(StoreError::Damaged) } else { Ok(()) }
}

/// Writes the pages of a log into a database file, up to the last complete transaction.
pub(super) fn write_back(log: &Path, database: &Path) -> std::io::Result<()> {
    let mut log = std::io::BufReader::new(File::open(log)?);
    let mut header = [0; LOG_HEADER];
    log.read_exact(&mut header)?;
    let size = number(&header, 8);
    // The file format allows these sizes; 1 means 65,536 in the database's header only.
    if !size.is_power_of_two() || !(512..=65_536).contains(&size) {
        return Ok(());
    }
    let page_size = usize::try_from(size).unwrap_or(0);
    let salts = header.get(16..24).map(<[u8]>::to_vec);
    let mut database = std::fs::OpenOptions::new().write(true).open(database)?;
    let mut transaction: Vec<(u32, Vec<u8>)> = Vec::new();
    loop {
        let mut frame = vec![0; FRAME_HEADER + page_size];
        if log.read_exact(&mut frame).is_err() {
            return Ok(());
        }
        // Frames from an earlier use of the file have other salts.
        if frame.get(8..16).map(<[u8]>::to_vec) != salts {
            return Ok(());
        }
        let (page, pages_after) = (number(&frame, 0), number(&frame, 4));
        transaction.push((page, frame.split_off(FRAME_HEADER)));
        if pages_after == 0 {
            continue;
        }
        for (page, content) in transaction.drain(..) {
            let Some(before) = page.checked_sub(1) else { continue };
            database.seek(SeekFrom::Start(u64::from(before) * u64::from(size)))?;
            database.write_all(&content)?;
        }
    }
}

/// The big-endian number in four bytes at an offset; 0 beyond the end.
fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}
