//! Puts an export into the store of an archive.

use super::pipeline::{self, ArchiveDecoder, DecodedPart};
use super::report::{ImportEnd, ImportReport};
use super::source::{ArchiveError, Export, ExportDocument};
use crate::model::{ImportProgress, Timestamp, UserId};
use crate::store::{ArchiveMedia, ArchiveSource, ArchiveStore};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

/// Capacity of the queue between two threads.
const QUEUE: usize = 2;

/// How an import is done.
pub struct ImportOptions<'a> {
    /// The owner of the archive, if the export does not say.
    pub owner: Option<UserId>,
    pub now: Timestamp,
    /// Set to true to end it; everything that was stored until then stays.
    pub cancel: &'a AtomicBool,
    pub progress: &'a mut dyn FnMut(&ImportProgress),
}

/// Imports an export into a store, which is created if need be. Messages that are already there stay, and a higher
/// version of a message replaces a lower one, so that importing again changes nothing.
///
/// # Errors
/// When a file cannot be read or the store cannot be written. What was stored until then stays, and the next import of
/// the same file continues there.
pub fn import(
    export: &Export,
    store: &Path,
    options: ImportOptions<'_>,
) -> Result<ImportReport, ArchiveError> {
    let mut run = ImportRun {
        store: ArchiveStore::open(store)?,
        report: ImportReport::of(export),
        progress: ImportProgress { size: export.size(), ..ImportProgress::default() },
        options,
    };
    run.store.put_media(&media(export))?;
    for document in &export.documents {
        run.document(document)?;
        if run.report.end == ImportEnd::Cancelled {
            break;
        }
    }
    run.store.close()?;
    Ok(run.report)
}

fn media(export: &Export) -> Vec<ArchiveMedia> {
    let item = |media: &super::source::MediaMember| ArchiveMedia {
        object: media.object.clone(),
        part: media.part.clone(),
        path: media.section.path.to_string_lossy().into_owned(),
        begins: media.section.offset,
        size: media.section.size,
    };
    export.media.iter().map(item).collect()
}

struct ImportRun<'a> {
    store: ArchiveStore,
    report: ImportReport,
    progress: ImportProgress,
    options: ImportOptions<'a>,
}

impl ImportRun<'_> {
    fn document(&mut self, document: &ExportDocument) -> Result<(), ArchiveError> {
        let section = &document.section;
        let path = section.path.to_string_lossy();
        let source = ArchiveSource {
            path: &path,
            begins: section.offset,
            size: section.size,
            imported_at: self.options.now,
        };
        let from = self.store.begin(&source)?;
        let owner = self.store.owner()?.or_else(|| self.options.owner.clone());
        if let Some(owner) = &owner {
            self.store.set_owner(owner)?;
        }
        let cancel = self.options.cancel;
        let before = self.progress.read;
        let is_complete = std::thread::scope(|scope| {
            let (pieces_out, pieces) = sync_channel(QUEUE);
            let (parts_out, parts) = sync_channel(QUEUE);
            let reader = scope.spawn(move || pipeline::read(document, from, cancel, &pieces_out));
            let decoder = ArchiveDecoder::new(owner);
            let decoding = scope.spawn(move || decoder.run(&pieces, &parts_out));
            let stored = self.store_parts(&parts, before);
            // Without a receiver, the threads before it end.
            drop(parts);
            let read = reader.join().map_err(|_| ArchiveError::Stopped)?;
            decoding.join().map_err(|_| ArchiveError::Stopped)?;
            read.and(stored)
        })?;
        self.progress.read = before + section.size;
        if cancel.load(Ordering::Relaxed) {
            self.report.end = ImportEnd::Cancelled;
        } else if !is_complete {
            self.report.end = ImportEnd::Cut;
        }
        let is_done = self.report.end != ImportEnd::Cancelled;
        self.store.end(is_done, &self.report.text())?;
        Ok(())
    }

    /// Stores a decoded part. Returns true if the document was complete.
    fn store_parts(
        &mut self,
        parts: &Receiver<DecodedPart>,
        before: u64,
    ) -> Result<bool, ArchiveError> {
        let mut is_complete = false;
        while let Ok(part) = parts.recv() {
            let counts = self.store.put(&part.batch)?;
            self.report.counts.new += counts.new;
            self.report.counts.changed += counts.changed;
            self.report.counts.unchanged += counts.unchanged;
            self.report.add(part.report);
            is_complete = part.is_complete;
            self.progress.read = before + part.read;
            self.progress.messages = self.report.read();
            (self.options.progress)(&self.progress);
        }
        Ok(is_complete)
    }
}

#[cfg(test)]
mod tests;
