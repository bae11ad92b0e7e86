//! Files of messages in archives: whether the export has them, and copies of them for other programs. No network
//! access: the addresses in old messages lead nowhere, and would tell the service what is being read.

use super::{Shared, wall_clock};
use crate::archive::media;
use crate::model::{
    ConversationId, ExportedFile, Fault, FaultKind, Message, MessageBody, MessageKey, RawMessage,
    Response, SafeText, Ticket,
};
use crate::protocol::media_object;
use crate::store::{ArchiveMedia, JoinedHistory};
use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The private folder that copies are written to. It is deleted with all its contents when the account's sync ends.
#[derive(Default)]
pub struct CopiedFiles(Mutex<Option<PathBuf>>);

impl CopiedFiles {
    pub(super) fn folder(&self) -> io::Result<PathBuf> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.as_ref().filter(|folder| folder.is_dir()) {
            return Ok(folder.clone());
        }
        let number = getrandom::u64().map_err(|_| io::Error::other("no random numbers"))?;
        let folder = std::env::temp_dir().join(format!("skchat-{number:016x}"));
        // Fails if somebody else has created it.
        DirBuilder::new().mode(0o700).create(&folder)?;
        *known = Some(folder.clone());
        Ok(folder)
    }
}

impl Drop for CopiedFiles {
    fn drop(&mut self) {
        let known = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.take() {
            // Anything that cannot be deleted is left to the system, which empties this folder now and then.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Records for each file in messages from archives whether the export has it, and removes the addresses that lead to
/// the network. `archived` holds those messages if the account itself is not an archive.
pub async fn complete(
    shared: &Shared,
    history: &JoinedHistory,
    archived: &HashSet<MessageKey>,
    rows: &[RawMessage],
    messages: &mut [Message],
) {
    let is_archive = shared.deltas.account.archive().is_some();
    if !is_archive && archived.is_empty() {
        return;
    }
    let mut objects = HashMap::new();
    for (row, message) in rows.iter().zip(&mut *messages) {
        let is_archived = is_archive || archived.contains(&message.key);
        if let MessageBody::Media(media) = &mut message.body
            && is_archived
        {
            (media.link, media.object) = (None, None);
            media.exported = ExportedFile::Missing;
            objects.extend(media_object(row).map(|object| (message.key.clone(), object)));
        }
    }
    let (keys, objects): (Vec<MessageKey>, Vec<String>) = objects.into_iter().unzip();
    let parts = history.media(objects).await;
    // Looks at files on disk.
    let states = tokio::task::spawn_blocking(move || {
        let states = parts.iter().map(|parts| media::find(parts, wall_clock()).0);
        keys.into_iter().zip(states).collect::<HashMap<MessageKey, ExportedFile>>()
    });
    let states = states.await.unwrap_or_default();
    for message in messages {
        if let (MessageBody::Media(media), Some(state)) =
            (&mut message.body, states.get(&message.key))
        {
            media.exported = *state;
        }
    }
}

/// Copies the file of a message, and reports where the copy is.
pub async fn copy(
    shared: Arc<Shared>,
    conversation: ConversationId,
    key: MessageKey,
    ticket: Ticket,
) {
    let history = shared.joined(&conversation);
    let (row, _) = history.source(&key.id).await;
    let row = row.into_iter().next().map(super::decode_stored);
    let object = row.as_ref().and_then(media_object);
    let parts = history.media(object.into_iter().collect()).await;
    let parts = parts.into_iter().next().unwrap_or_default();
    let files = Arc::clone(&shared);
    let copied = tokio::task::spawn_blocking(move || match media::find(&parts, wall_clock()) {
        (_, Some(part)) => {
            let failed = |error: io::Error| Fault::new(FaultKind::Other, error.to_string());
            let folder = files.activity.copies.folder();
            folder.and_then(|folder| copy_to(part, &folder, &files.stop)).map_err(failed)
        }
        (state, None) => Err(Fault::new(FaultKind::NotFound, state.word())),
    });
    let copied = copied
        .await
        .unwrap_or_else(|_| Err(Fault::new(FaultKind::Other, "it stopped unexpectedly")));
    let answer = copied.map(|path| SafeText::line(&path.to_string_lossy()));
    shared.respond(ticket, Response::FileCopy(answer)).await;
}

/// A copy under the file's own name, unless there is one already. It gets the name when it is complete, and a cancelled
/// copy leaves nothing behind.
pub(super) fn copy_to(
    part: &ArchiveMedia,
    folder: &Path,
    stop: &CancellationToken,
) -> io::Result<PathBuf> {
    let path = folder.join(media::file_name(part));
    if path.try_exists()? {
        return Ok(path);
    }
    let begun = unfinished_name(folder)?;
    let copied = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&begun)?;
        media::copy(part, &mut Stoppable { file: &mut file, stop })?;
        std::fs::rename(&begun, &path)
    })();
    if copied.is_err() {
        let _ = std::fs::remove_file(&begun);
    }
    copied.map(|()| path)
}

/// A new name for an incomplete copy.
fn unfinished_name(folder: &Path) -> io::Result<PathBuf> {
    let number = getrandom::u64().map_err(io::Error::other)?;
    Ok(folder.join(format!("{number:016x}.part")))
}

/// Refuses further writes once it is stopped.
struct Stoppable<'a> {
    file: &'a mut File,
    stop: &'a CancellationToken,
}

impl io::Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("the copy was stopped"));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_is_private_and_goes_when_sync_ends() {
        let dir = tempfile::tempdir().unwrap();
        let export = dir.path().join("export.tar");
        std::fs::write(&export, b"before picture after").unwrap();
        let part = ArchiveMedia {
            object: "0-weu-d3-ab".into(),
            part: "1.jpeg".into(),
            path: export.to_str().unwrap().into(),
            begins: 7,
            size: 7,
        };
        let files = CopiedFiles::default();
        let folder = files.folder().unwrap();
        let stop = CancellationToken::new();
        let stopped = CancellationToken::new();
        stopped.cancel();
        assert!(copy_to(&part, &folder, &stopped).is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing of it stays");
        let copy = copy_to(&part, &folder, &stop).unwrap();
        assert_eq!(copy, copy_to(&part, &files.folder().unwrap(), &stop).unwrap());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert_eq!(std::fs::read(&copy).unwrap(), b"picture");
        assert!(copy.ends_with("0-weu-d3-ab.jpeg"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&copy)), (0o700, 0o600));
        let cut = ArchiveMedia { part: "1.png".into(), size: 700, ..part };
        assert!(copy_to(&cut, &folder, &stop).is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "half a file is none");
        drop(files);
        assert!(!folder.exists());
    }
}
