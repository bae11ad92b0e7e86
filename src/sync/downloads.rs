//! Pictures and files that the service holds (facts 8.10): each is fetched into a private copy for another program.
//!
//! A copy gets its name when it is complete, so an interrupted download leaves nothing behind.

use super::archive_files;
use super::{Shared, wall_clock};
use crate::archive::media;
use crate::client::{Error, ErrorKind, for_user};
use crate::model::{
    ConversationId, Delta, DownloadProgress, ExportedFile, Fault, FaultKind, MediaKind, ObjectFile,
    Request, Response, SafeText, Ticket,
};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The app is told how much has arrived this often.
const TELL: Duration = Duration::from_millis(200);

/// File extensions by the content type that the service reports.
const EXTENSIONS: [(&str, &str); 15] = [
    ("image/jpeg", "jpeg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/bmp", "bmp"),
    ("image/heic", "heic"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/ogg", "ogg"),
    ("audio/wav", "wav"),
    ("audio/aac", "aac"),
    ("application/pdf", "pdf"),
];

/// The downloads that are running, and the copies that are complete.
#[derive(Default)]
pub struct Downloads(Mutex<DownloadsState>);

#[derive(Default)]
struct DownloadsState {
    running: HashMap<Ticket, CancellationToken>,
    /// By address.
    done: HashMap<SafeText, PathBuf>,
}

impl Downloads {
    fn state(&self) -> MutexGuard<'_, DownloadsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, ticket: Ticket) {
        if let Some(stop) = self.state().running.remove(&ticket) {
            stop.cancel();
        }
    }
}

/// Carries out the app's requests about files, concurrently with everything else.
pub fn take(shared: &Arc<Shared>, request: Request) {
    match request {
        Request::ExportedFile { conversation, key, ticket } => {
            tokio::spawn(archive_files::copy(Arc::clone(shared), conversation, key, ticket));
        }
        Request::Download { conversation, file, ticket } => {
            begin(shared, conversation, file, ticket);
        }
        Request::CancelDownload { ticket } => shared.activity.downloads.cancel(ticket),
        _ => {}
    }
}

/// Fetches a file, unless it is cancelled or sync ends.
fn begin(shared: &Arc<Shared>, conversation: ConversationId, file: ObjectFile, ticket: Ticket) {
    let stop = shared.stop.child_token();
    shared.activity.downloads.state().running.insert(ticket, stop.clone());
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let copied = tokio::select! {
            () = stop.cancelled() => None,
            copied = copy(&shared, &conversation, &file, ticket, &stop) => Some(copied),
        };
        shared.activity.downloads.state().running.remove(&ticket);
        if let Some(copied) = copied {
            let answer = copied.map(|path| SafeText::line(&path.to_string_lossy()));
            shared.respond(ticket, Response::FileCopy(answer)).await;
        }
    });
}

/// The existing copy, one from an export, or a new one from the service.
async fn copy(
    shared: &Arc<Shared>,
    conversation: &ConversationId,
    file: &ObjectFile,
    ticket: Ticket,
    stop: &CancellationToken,
) -> Result<PathBuf, Fault> {
    let done = shared.activity.downloads.state().done.get(&file.url).cloned();
    if let Some(done) = done
        && tokio::fs::try_exists(&done).await.unwrap_or(false)
    {
        return Ok(done);
    }
    if let Some(path) = exported(shared, conversation, file, stop.clone()).await {
        return Ok(path);
    }
    let mut stream = for_user(shared.client.object(file)).await.map_err(|e| not_fetched(&e))?;
    let mut part = PartialCopy::begin(shared, ticket).await.map_err(|e| not_written(&e))?;
    let mut progress = DownloadProgress { received: 0, size: stream.size };
    let mut told: Option<Instant> = None;
    while let Some(bytes) = stream.next().await.map_err(|e| not_fetched(&e))? {
        part.file.write_all(bytes.as_ref()).await.map_err(|e| not_written(&e))?;
        progress.received += bytes.as_ref().len() as u64;
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            shared.send(Delta::Download { ticket, progress }).await;
            told = Some(Instant::now());
        }
    }
    let name = media::plain_name(
        file.object().unwrap_or_default(),
        extension(file, stream.content_type.as_deref()),
    );
    let path = part.complete(&name).await.map_err(|e| not_written(&e))?;
    shared.activity.downloads.state().done.insert(file.url.clone(), path.clone());
    Ok(path)
}

/// A copy of the file that an archive has for this conversation.
async fn exported(
    shared: &Arc<Shared>,
    conversation: &ConversationId,
    file: &ObjectFile,
    stop: CancellationToken,
) -> Option<PathBuf> {
    let object = file.object()?.to_owned();
    let parts = shared.joined(conversation).media(vec![object]).await.into_iter().next()?;
    let shared = Arc::clone(shared);
    // Looks at files on disk.
    let copied = tokio::task::spawn_blocking(move || match media::find(&parts, wall_clock()) {
        (ExportedFile::Here, Some(part)) => {
            let folder = shared.activity.copies.folder().ok()?;
            archive_files::copy_to(part, &folder, &stop).ok()
        }
        _ => None,
    });
    copied.await.ok()?
}

fn not_fetched(error: &Error) -> Fault {
    let ErrorKind::RetryAfter(wait) = error.kind else { return Fault::from(error) };
    let seconds = wait.as_secs_f64().ceil();
    let when = if seconds < 100.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} minutes", (seconds / 60.0).ceil())
    };
    Fault::new(FaultKind::RateLimited, format!("{}; try again in {when}", error.message))
}

fn not_written(error: &io::Error) -> Fault {
    Fault::new(FaultKind::Other, format!("the copy could not be written: {error}"))
}

/// The extension by which a program is chosen. For a file the name is the better source, for anything else the service.
fn extension<'a>(file: &'a ObjectFile, content_type: Option<&str>) -> &'a str {
    let content = content_type.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let by_content = EXTENSIONS.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(content));
    let by_content = by_content.map(|(_, extension)| *extension);
    let by_name = file.name.rsplit_once('.').map(|(_, extension)| extension);
    let found = match file.kind {
        MediaKind::File => by_name.or(by_content),
        _ => by_content.or(by_name),
    };
    found.unwrap_or_default()
}

/// A copy that is being written. It is deleted unless it is completed.
struct PartialCopy {
    file: tokio::fs::File,
    /// `None` once it has its name.
    path: Option<PathBuf>,
    folder: PathBuf,
}

impl PartialCopy {
    async fn begin(shared: &Arc<Shared>, ticket: Ticket) -> io::Result<Self> {
        let shared = Arc::clone(shared);
        let begun = tokio::task::spawn_blocking(move || {
            let folder = shared.activity.copies.folder()?;
            let path = folder.join(format!("{}.part", ticket.0));
            let file = tokio::fs::File::from_std(private_file(&path)?);
            // Created here, so that it is also deleted if nobody waits for it any more.
            Ok(Self { file, path: Some(path), folder })
        });
        begun.await.map_err(io::Error::other)?
    }

    async fn complete(mut self, name: &str) -> io::Result<PathBuf> {
        self.file.flush().await?;
        let path = self.folder.join(name);
        if let Some(part) = &self.path {
            tokio::fs::rename(part, &path).await?;
        }
        self.path = None;
        Ok(path)
    }
}

impl Drop for PartialCopy {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_copy_fits_what_it_is() {
        let of = |kind, name: &str, content: Option<&str>| {
            let url = "https://h.example/v1/objects/0-a".into();
            let file = ObjectFile { url, kind, name: name.into(), label: SafeText::default() };
            media::plain_name("0-a", extension(&file, content))
        };
        assert_eq!(of(MediaKind::Image, "bread.jpg", Some("image/png")), "0-a.png");
        assert_eq!(of(MediaKind::Image, "bread.jpg", None), "0-a.jpg");
        assert_eq!(of(MediaKind::File, "plan.docx", Some("application/pdf")), "0-a.docx");
        assert_eq!(of(MediaKind::File, "plan", Some("application/pdf; x=1")), "0-a.pdf");
        assert_eq!(of(MediaKind::File, "run.sh", Some("text/x-sh")), "0-a.bin");
        assert_eq!(of(MediaKind::Voice, "", Some("audio/mp4")), "0-a.m4a");
    }
}
