//! A database that is written next to its final path, and moved there when it is complete.

use crate::store::file_state::{SUFFIXES, with_suffix};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Deletes the file unless it was kept.
pub struct NewFile {
    pub file: PathBuf,
    place: PathBuf,
    is_kept: bool,
}

impl NewFile {
    /// Where to write a database that does not exist yet. Deletes what a killed import has left behind.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn for_missing(place: &Path) -> io::Result<Option<Self>> {
        let file = with_suffix(place, ".new");
        let new = Self { file, place: place.to_owned(), is_kept: false };
        new.delete()?;
        Ok((!place.try_exists()?).then_some(new))
    }

    fn delete(&self) -> io::Result<()> {
        for suffix in SUFFIXES.into_iter().chain(["-journal"]) {
            match std::fs::remove_file(with_suffix(&self.file, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves the file to its final path, after it has reached the disk.
    ///
    /// # Errors
    /// Any I/O error; the file is deleted then.
    pub fn keep(mut self) -> Result<(), super::StoreError> {
        File::open(&self.file)?.sync_all()?;
        std::fs::rename(&self.file, &self.place)?;
        self.is_kept = true;
        if let Some(folder) = self.place.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // If this fails, the next import deletes it.
            let _ = self.delete();
        }
    }
}
