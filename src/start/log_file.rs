//! The log of a run.

use crate::cli::Global;
use crate::cli::context::ExitError;
use crate::config::paths;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

/// A log larger than this is renamed at the next start.
const MAX_LOG: u64 = 1024 * 1024;

/// Starts the log at the place the user has chosen; with a screen, by default in the data folder. The log never
/// contains text, names or tokens.
pub fn start(global: &Global, shows_screen: bool) -> Result<(), ExitError> {
    let path = match (&global.log, shows_screen) {
        (Some(path), _) => path.clone(),
        (None, false) => return Ok(()),
        (None, true) => {
            // The program runs without a log if there is no place for one, or the disk is full.
            let Ok(dir) = paths::data_dir(global.data_dir.clone()).map(|d| d.join("logs")) else {
                return Ok(());
            };
            let path = dir.join("skchat.log");
            if paths::make_dir(&dir).is_err() {
                return Ok(());
            }
            if std::fs::metadata(&path).is_ok_and(|m| m.len() > MAX_LOG) {
                let _ = std::fs::rename(&path, dir.join("skchat.log.old"));
            }
            path
        }
    };
    let path = &path;
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let file = match file {
        Ok(file) => file,
        // The log was not asked for, and the folder may be read-only.
        Err(_) if global.log.is_none() => return Ok(()),
        Err(e) => {
            return Err(ExitError::usage(format!("{} cannot be written: {e}", path.display())));
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::sync::Mutex::new(file))
        .with_ansi(false)
        // A full disk must not write to the screen.
        .log_internal_errors(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    Ok(())
}
