//! Imports that are started on the screen. They run in the background; the archive joins the list when it is complete.

use super::archives;
use crate::cli::Global;
use crate::cli::import::{self, ImportArgs, PreparedImport};
use crate::config::paths;
use crate::model::{AccountId, Delta, ImportNews, Request, SafeText};
use crate::store::{OpenArchives, Store};
use crate::sync::AccountJoiner;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Time between two reports of progress.
const PAUSE: Duration = Duration::from_millis(200);
/// How many requests can be queued.
pub const QUEUE: usize = 8;

/// What imports need.
#[derive(Clone)]
pub struct Imports {
    pub global: Global,
    /// Where new archives are added.
    pub archives: OpenArchives,
    pub joiner: AccountJoiner,
}

/// Carries out imports, one export at a time, until all senders are gone. `shown` are the archives on the screen.
pub fn serve(imports: Imports, mut shown: Vec<AccountId>, mut requests: mpsc::Receiver<Request>) {
    tokio::spawn(async move {
        let cancel = Arc::new(AtomicBool::new(false));
        let mut running: Option<tokio::task::JoinHandle<Option<AccountId>>> = None;
        loop {
            let request = tokio::select! {
                request = requests.recv() => request,
                Some(added) = ended(&mut running) => {
                    shown.extend(added);
                    continue;
                }
            };
            match request {
                None => break,
                Some(Request::CancelImport) => cancel.store(true, Ordering::Relaxed),
                Some(Request::Import { path }) if running.is_none() => {
                    cancel.store(false, Ordering::Relaxed);
                    let cancel = Arc::clone(&cancel);
                    let task = run(imports.clone(), path, shown.clone(), cancel);
                    running = Some(tokio::spawn(task));
                }
                Some(_) => {}
            }
        }
        // The completed part is kept, if there is still time for it.
        cancel.store(true, Ordering::Relaxed);
    });
}

/// Waits for the running import; `None` if there is none.
async fn ended(
    running: &mut Option<tokio::task::JoinHandle<Option<AccountId>>>,
) -> Option<Option<AccountId>> {
    let added = running.as_mut()?.await.ok().flatten();
    *running = None;
    Some(added)
}

/// A path as people paste it: in quotes, or with a tilde.
fn pasted(path: &str) -> std::path::PathBuf {
    let path = path.trim();
    let quotes = ['\'', '"'];
    let inner = quotes.iter().find_map(|q| path.strip_prefix(*q)?.strip_suffix(*q));
    paths::expand_home(Path::new(inner.unwrap_or(path)))
}

/// Imports one export. Returns the archive if it was not shown before.
async fn run(
    imports: Imports,
    path: String,
    shown: Vec<AccountId>,
    cancel: Arc<AtomicBool>,
) -> Option<AccountId> {
    let Imports { global, archives, joiner } = imports;
    // It is not known yet which archive it is.
    let nobody = AccountId::of_archive("");
    let arguments = ImportArgs::of(&pasted(&path).to_string_lossy());
    let prepared = tokio::task::spawn_blocking(move || import::prepare(&global, &arguments)).await;
    let prepared = match prepared {
        Ok(Ok(prepared)) => Arc::new(prepared),
        Ok(Err(error)) => return failed(&joiner, nobody, &error.message).await,
        Err(_) => return failed(&joiner, nobody, "the import stopped unexpectedly").await,
    };
    let account = prepared.archive.account();
    let (task, reports, of) = (Arc::clone(&prepared), joiner.clone(), account.clone());
    let imported = tokio::task::spawn_blocking(move || {
        let mut reported: Option<Instant> = None;
        task.run(&cancel, &mut |progress| {
            if reported.is_none_or(|at| at.elapsed() >= PAUSE) {
                reported = Some(Instant::now());
                let delta = Delta::Import(ImportNews::Progress(*progress));
                reports.try_report(of.clone(), delta);
            }
        })
    });
    let report = match imported.await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => return failed(&joiner, account, &error.message).await,
        Err(_) => return failed(&joiner, account, "the import stopped unexpectedly").await,
    };
    let is_new = !shown.contains(&account);
    let text = match show(&prepared, is_new, &archives, &joiner).await {
        Ok(()) => prepared.summary(&report),
        Err(why) => format!("{}It is shown at the next start: {why}\n", prepared.summary(&report)),
    };
    joiner.report(account.clone(), Delta::Import(ImportNews::Done(SafeText::text(&text)))).await;
    is_new.then_some(account)
}

/// Shows the archive on the screen, or updates it there.
async fn show(
    prepared: &PreparedImport,
    is_new: bool,
    open: &OpenArchives,
    joiner: &AccountJoiner,
) -> Result<(), String> {
    let archive = &prepared.archive;
    let account = archive.account();
    if is_new {
        let store = Store::open_archive(&archive.store()).map_err(|error| error.to_string())?;
        let running = archives::start(archive, store, open).map_err(|error| error.message)?;
        joiner.report(account, Delta::Joined { me: archive.owner.clone() }).await;
        joiner.join(running).await;
    } else {
        joiner.request(account, Request::RetryNow).await;
    }
    Ok(())
}

async fn failed(joiner: &AccountJoiner, account: AccountId, why: &str) -> Option<AccountId> {
    let why = SafeText::line(why);
    joiner.report(account, Delta::Import(ImportNews::Failed(why))).await;
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_was_pasted() {
        assert_eq!(pasted(" '/tmp/my export.tar' "), Path::new("/tmp/my export.tar"));
        assert_eq!(pasted("\"/tmp/a\""), Path::new("/tmp/a"));
        assert_eq!(pasted("/tmp/it's"), Path::new("/tmp/it's"));
    }
}
