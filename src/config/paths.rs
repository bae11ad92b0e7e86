//! Where things are on disk. Folders are made with mode 0700, and narrowed to it where they hold messages.

use directories::ProjectDirs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "skchat")
}

/// Expands `~/` at the beginning of a path. A shell does that for arguments, but nobody does it in a configuration
/// file.
pub fn expand_home(path: &Path) -> PathBuf {
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    match path.strip_prefix("~") {
        Ok(rest) => home().map_or_else(|| path.to_owned(), |home| home.join(rest)),
        Err(_) => path.to_owned(),
    }
}

/// The configuration file: the flag, else the environment, else the usual place.
///
/// # Errors
/// When there is neither, and no home folder.
pub fn config_file(flag: Option<PathBuf>) -> Result<PathBuf, String> {
    flag.or_else(|| from_env("SKCHAT_CONFIG"))
        .map(|path| expand_home(&path))
        .or_else(|| project().map(|p| p.config_dir().join("config.toml")))
        .ok_or_else(|| "there is no home folder; use --config FILE".to_owned())
}

/// The folder that holds all state.
///
/// # Errors
/// When there is neither flag nor environment, and no home folder.
pub fn data_dir(flag: Option<PathBuf>) -> Result<PathBuf, String> {
    flag.or_else(|| from_env("SKCHAT_DATA_DIR"))
        .map(|path| expand_home(&path))
        .or_else(|| project().map(|p| p.data_dir().to_owned()))
        .ok_or_else(|| "there is no home folder; use --data-dir DIR".to_owned())
}

fn from_env(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// Creates a folder and its parents, for this user only.
///
/// # Errors
/// The error of the system.
pub fn make_dir(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a private folder. Removes the access of others from an existing one.
///
/// # Errors
/// The error of the system.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    make_dir(path)?;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o777 == mode & 0o700 {
        return Ok(());
    }
    tracing::warn!("a private folder was open to other users; its permissions were restricted");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700))
}

/// The folder of one account.
pub fn account_dir(data: &Path, name: &str) -> PathBuf {
    data.join("accounts").join(name)
}
