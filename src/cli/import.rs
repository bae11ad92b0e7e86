//! `skchat import`: puts an export of Skype or Teams into an archive.

use super::Global;
use super::archives::{self, ArchiveAccount};
use super::context::{ExitError, lock};
use crate::archive::report::ImportEnd;
use crate::archive::{Export, ImportOptions, ImportReport, import};
use crate::config::paths;
use crate::model::{ImportProgress, SafeText, Timestamp, UserId};
use clap::Args;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Time between two lines of progress.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The export: a .tar, the folder it was unpacked to, its messages.json, or the output of skchat export --format json
    path: PathBuf,
    /// Name of the archive [default: made from the owner's id]
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// Owner of the export, such as 8:live:anna, if the export does not say
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
}

impl ImportArgs {
    /// Imports this export into its owner's archive.
    pub fn of(path: &str) -> Self {
        Self { path: path.into(), into: None, owner: None }
    }
}

/// An import that can begin: its archive is locked.
pub struct PreparedImport {
    pub archive: ArchiveAccount,
    path: PathBuf,
    export: Export,
    _lock: std::fs::File,
}

/// Looks at an export, and makes and locks the archive that it goes into.
///
/// # Errors
/// When there is nothing to import, or the archive is another person's or in use.
pub fn prepare(global: &Global, arguments: &ImportArgs) -> Result<PreparedImport, ExitError> {
    let export = Export::open(&arguments.path).map_err(|e| ExitError::failed(e.to_string()))?;
    let archive = archive(global, arguments, &export)?;
    let folders = archive.dir.parent().into_iter().chain([archive.dir.as_path()]);
    for folder in folders {
        paths::make_private_dir(folder)
            .map_err(|e| ExitError::failed(format!("{}: {e}", folder.display())))?;
    }
    let lock = lock(&archive.dir)?;
    Ok(PreparedImport { archive, path: arguments.path.clone(), export, _lock: lock })
}

impl PreparedImport {
    /// Imports, and keeps the report in the archive's folder. Blocks until it is done.
    ///
    /// # Errors
    /// When a file cannot be read, or the disk is full.
    pub fn run(
        &self,
        cancel: &AtomicBool,
        progress: &mut dyn FnMut(&ImportProgress),
    ) -> Result<ImportReport, ExitError> {
        let owner = Some(self.archive.owner.clone()).filter(|owner| !owner.as_str().is_empty());
        let now = Timestamp(jiff::Timestamp::now().as_millisecond());
        let options = ImportOptions { owner, now, cancel, progress };
        let store = self.archive.store();
        let report = import(&self.export, &store, options).map_err(|error| {
            let kept =
                if store.exists() { "the archive was not changed" } else { "nothing was stored" };
            ExitError::failed(format!("{error}; {kept}"))
        })?;
        if let Err(error) = self.keep(&report) {
            tracing::warn!(%error, "the report of an import was not saved");
        }
        Ok(report)
    }

    fn report_file(&self) -> PathBuf {
        self.archive.dir.join("report.txt")
    }

    fn keep(&self, report: &ImportReport) -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let text = format!("{}\n{}", crate::archive::source::shown(&self.path), report.text());
        let mut options = std::fs::OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        options.open(self.report_file())?.write_all(text.as_bytes())
    }

    /// The text that is printed at the end.
    pub fn summary(&self, report: &ImportReport) -> String {
        let mut text = format!("Archive {}\n{}", self.archive.name, report.summary());
        let file = self.report_file();
        if file.exists() {
            text.push_str(&format!("The report is in {}\n", file.display()));
        }
        text
    }
}

/// Imports an export, shows the progress, and prints and keeps the report.
///
/// # Errors
/// When there is nothing to import, the archive is another person's, or the disk is full.
pub async fn run(global: &Global, arguments: &ImportArgs) -> Result<(), ExitError> {
    let prepared = Arc::new(prepare(global, arguments)?);
    let cancel = Arc::new(AtomicBool::new(false));
    let (flag, import) = (Arc::clone(&cancel), Arc::clone(&prepared));
    let mut task = tokio::task::spawn_blocking(move || {
        let mut meter = Meter::new();
        let result = import.run(&flag, &mut |progress| meter.show(progress));
        meter.end();
        result
    });
    let failed = |e: std::io::Error| ExitError::failed(format!("signals cannot be received: {e}"));
    let mut interrupted = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(failed)?;
    let result = loop {
        tokio::select! {
            result = &mut task => break result,
            _ = interrupted.recv() => cancel.store(true, Ordering::Relaxed),
            _ = terminated.recv() => cancel.store(true, Ordering::Relaxed),
        }
    };
    let report = result.map_err(|_| ExitError::failed("the import stopped unexpectedly"))??;
    print!("{}", prepared.summary(&report));
    match report.end {
        ImportEnd::Cancelled => Err(ExitError::failed("cancelled; what was read is kept")),
        ImportEnd::Complete | ImportEnd::Cut => Ok(()),
    }
}

/// The archive that an export goes into: the one named, or its owner's.
fn archive(
    global: &Global,
    arguments: &ImportArgs,
    export: &Export,
) -> Result<ArchiveAccount, ExitError> {
    let data = paths::data_dir(global.data_dir.clone()).map_err(ExitError::usage)?;
    let given = arguments.owner.as_deref().map(UserId::with_prefix);
    let owner = export.owner().or(given);
    let name = match &arguments.into {
        Some(name) if archives::is_name(name) => name.clone(),
        Some(_) => {
            return Err(ExitError::usage("an archive name may have only letters, digits, - and _"));
        }
        None => name_of(owner.as_ref()),
    };
    let known = archives::all(&data).into_iter().find(|archive| archive.name == name);
    let known_owner = known.map(|archive| archive.owner).filter(|id| !id.as_str().is_empty());
    if let (Some(known), Some(owner)) = (&known_owner, &owner)
        && known != owner
    {
        return Err(ExitError::usage(format!(
            "the archive {name} belongs to {}, but this export belongs to {}; choose another name with --into",
            SafeText::line(known.as_str()),
            SafeText::line(owner.as_str())
        )));
    }
    let dir = archives::folder(&data).join(&name);
    let owner = owner.or(known_owner).unwrap_or_else(|| UserId::new(""));
    Ok(ArchiveAccount { name, dir, owner })
}

fn name_of(owner: Option<&UserId>) -> String {
    let Some(owner) = owner else { return "archive".to_owned() };
    let letters = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = owner.bare().chars().map(letters).take(64).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "archive".to_owned() } else { name.to_owned() }
}

/// Shows how far an import is, on a terminal.
struct Meter {
    began: Instant,
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Meter {
    fn new() -> Self {
        Self { began: Instant::now(), shown: None, is_terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, progress: &ImportProgress) {
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE);
        if self.is_terminal && is_due {
            self.shown = Some(Instant::now());
            eprint!("\r\x1b[K{}  Ctrl-C stops", progress.line(self.began.elapsed()));
            let _ = std::io::stderr().flush();
        }
    }

    fn end(&self) {
        if self.shown.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_called_after_its_owner() {
        let name = |id: &str| name_of(Some(&UserId::new(id)));
        assert_eq!(name("8:live:.cid.1f"), "live-.cid.1f");
        assert_eq!(name("8:../../x"), "-..-x");
        assert_eq!(name_of(None), "archive");
        assert!(archives::is_name(&name("8:live:anna")));
    }
}
