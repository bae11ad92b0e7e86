//! The files of the gateway. They contain messages and tokens, so only this user may access them.

use crate::cli::context::ExitError;
use crate::cli::lines;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Permission bits of other users.
const OTHERS: u32 = 0o077;

/// Appends a suffix to the name of a file.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn fail(path: &Path, error: &dyn std::fmt::Display) -> ExitError {
    ExitError::failed(format!("{}: {error}", path.display()))
}

/// Opens or creates a file for this user only. Symbolic links are refused, because they may lead to any file.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.mode(0o600).custom_flags(flags.bits().cast_signed()).open(path);
    let file = file.map_err(|error| {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink());
        if is_link {
            io::Error::other("it is a symbolic link, which is not followed")
        } else {
            error
        }
    })?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// Creates the database file if it is missing, and removes the permissions of other users.
pub fn make_private(db: &Path) -> Result<(), ExitError> {
    for suffix in ["", "-wal", "-shm"] {
        let path = beside(db, suffix);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(suffix.is_empty());
        let file = match open(&path, &mut options) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => continue,
            Err(error) => return Err(fail(&path, &error)),
        };
        let mode = file.metadata().map_err(|e| fail(&path, &e))?.mode();
        if mode & OTHERS != 0 {
            let narrow = Permissions::from_mode(mode & 0o700);
            file.set_permissions(narrow).map_err(|e| fail(&path, &e))?;
            lines::warn(&format!(
                "{}: other users had access to it; its permissions were restricted",
                path.display()
            ));
        }
    }
    Ok(())
}

/// Locks the database: clients of one gateway would not get the messages of another.
pub fn lock(db: &Path) -> Result<File, ExitError> {
    let path = beside(db, ".lock");
    let mut options = OpenOptions::new();
    let file = open(&path, options.create(true).truncate(false).write(true));
    let file = file.map_err(|e| fail(&path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(ExitError::failed(format!("another gateway already serves {}", db.display())))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(fail(&path, &e)),
    }
}

/// Reads a file with secrets.
///
/// # Errors
/// Like [`read_private_if_there`], and if the file is missing.
pub fn read_private(path: &Path) -> Result<String, ExitError> {
    let text = read_private_if_there(path)?;
    text.ok_or_else(|| ExitError::usage(format!("{} does not exist", path.display())))
}

/// Reads a file with secrets; `None` if it is missing.
///
/// # Errors
/// If other users can read it, it is a symbolic link, or it is not text.
pub fn read_private_if_there(path: &Path) -> Result<Option<String>, ExitError> {
    let cannot = |e: io::Error| ExitError::usage(format!("{} cannot be read: {e}", path.display()));
    let mut file = match open(path, OpenOptions::new().read(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error)),
    };
    if file.metadata().map_err(cannot)?.mode() & OTHERS != 0 {
        return Err(ExitError::usage(format!(
            "{} can be read by others; chmod 600 fixes that",
            path.display()
        )));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(cannot)?;
    Ok(Some(text))
}

/// Writes a new file with secrets.
///
/// # Errors
/// If it exists already or cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<(), ExitError> {
    use std::io::Write;
    let mut options = OpenOptions::new();
    let file = open(path, options.write(true).create_new(true));
    let wrote = file.and_then(|mut file| file.write_all(text.as_bytes()));
    wrote.map_err(|e| fail(path, &e))
}
