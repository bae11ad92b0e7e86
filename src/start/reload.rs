//! Reads the configuration file again when it changes on disk.
//!
//! Linux reports changes of the folder (inotify), so nothing is polled. Elsewhere, they take effect at the next start.

use crate::config::{Config, LiveConfig};
use crate::model::{AccountId, ConfigChange, Delta, SafeText};
use crate::sync::AccountJoiner;

/// Watches a configuration's file, if it has one, until the program ends.
pub fn watch(config: &Config, account: AccountId, joiner: AccountJoiner) {
    let Some(read) = config.live() else { return };
    let had_trouble = read.has_warnings();
    let watcher = Reloader { read, account, joiner, had_trouble };
    #[cfg(target_os = "linux")]
    tokio::spawn(linux::run(watcher));
    #[cfg(not(target_os = "linux"))]
    drop(watcher);
}

/// The configuration that was read last, and the receivers of changes.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is watched there"))]
struct Reloader {
    read: LiveConfig,
    account: AccountId,
    joiner: AccountJoiner,
    /// Whether there was something wrong with the file when it was last read.
    had_trouble: bool,
}

#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is watched there"))]
impl Reloader {
    /// Reads the file and reports the differences. A missing file changes nothing: it may be about to be replaced.
    async fn read_again(&mut self) {
        let file = self.read.file.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || Config::load(&file)).await else {
            return;
        };
        let change = match read {
            Ok(None) => return,
            Err(error) => {
                self.had_trouble = true;
                Err(SafeText::line(&error.brief()))
            }
            Ok(Some(newer)) => {
                let mut change = self.read.change_to(&newer);
                let is_well = !self.read.has_warnings();
                change.repaired = std::mem::replace(&mut self.had_trouble, !is_well) && is_well;
                if change == ConfigChange::default() {
                    return;
                }
                Ok(change)
            }
        };
        self.joiner.report(self.account.clone(), Delta::Configuration(change)).await;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Reloader;
    use rustix::fs::inotify;
    use rustix::io::Errno;
    use std::collections::BTreeSet;
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::time::Duration;
    use tokio::net::unix::pipe::Receiver;

    /// Editors write a file in several steps.
    const QUIET: Duration = Duration::from_millis(100);

    pub async fn run(mut reloader: Reloader) {
        if let Err(error) = reload(&mut reloader).await {
            tracing::warn!(%error, "changes to the configuration file are no longer noticed");
        }
    }

    async fn reload(reloader: &mut Reloader) -> io::Result<()> {
        let file = reloader.read.file.clone();
        let descriptor = watch(&file)?;
        loop {
            descriptor.readable().await?;
            let mut is_changed = has_changed(&descriptor, &file)?;
            // A failed read tells the runtime to wait again; if there is more to read by now, it counts as a change.
            is_changed |= descriptor.try_read(&mut [0; 4096]).is_ok();
            if is_changed {
                tokio::time::sleep(QUIET).await;
                // Events that arrived in the meantime belong to the same change.
                let _ = has_changed(&descriptor, &file)?;
                reloader.read_again().await;
            }
        }
    }

    /// Watches the folder of a file and, if it is a link, that of its target. The file itself cannot be watched:
    /// editors replace it.
    fn watch(file: &Path) -> io::Result<Receiver> {
        let events = inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::CREATE;
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let descriptor = inotify::init(flags)?;
        for folder in targets(file).iter().filter_map(|target| target.parent()) {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            inotify::add_watch(&descriptor, folder, events)?;
        }
        // Tokio's type for read-only descriptors.
        Receiver::from_owned_fd_unchecked(descriptor)
    }

    /// A file and, if it is a link, its target.
    fn targets(file: &Path) -> BTreeSet<PathBuf> {
        let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        BTreeSet::from([file.to_owned(), target])
    }

    /// Reads all events. True if the file changed.
    fn has_changed(descriptor: impl AsFd, file: &Path) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(descriptor, &mut buffer);
        let mut is_changed = false;
        loop {
            let (name, is_new) = match reader.next() {
                Ok(event) => (
                    event.file_name().map(|name| name.to_bytes().to_vec()),
                    event.events().contains(inotify::ReadFlags::CREATE),
                ),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(is_changed),
                Err(error) => return Err(error.into()),
            };
            // A link is complete when it is created; a file is complete when it has been written.
            if is_new && !file.is_symlink() {
                continue;
            }
            let targets = targets(file);
            let mut names = targets.iter().filter_map(|target| target.file_name());
            is_changed |= name.is_some_and(|name| names.any(|ours| ours.as_bytes() == name));
        }
    }
}
