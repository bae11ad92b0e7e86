//! Pictures and other files of an export: read at their offsets, and copied to the folder that was asked for.

use super::new_file;
use crate::cli::context::ExitError;
use crate::model::{Message, MessageBody, RawMessage};
use crate::protocol::media_object;
use crate::store::{ArchiveMedia, ReadOnly};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Endings that a written file may have; anything else becomes `bin`.
const ENDINGS: [&str; 24] = [
    "jpg", "jpeg", "png", "gif", "webp", "bmp", "heic", "mp4", "mov", "webm", "mp3", "m4a", "ogg",
    "wav", "aac", "pdf", "txt", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip",
];

/// Where the file of a message is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MediaState {
    /// The message has none, or nobody asked.
    #[default]
    None,
    /// Written to this path, relative to the output where that is possible.
    Here(String),
    NotInExport,
}

impl MediaState {
    /// The path, if a browser shows it as a picture.
    pub fn picture(&self) -> Option<&str> {
        let Self::Here(path) = self else { return None };
        let ending = path.rsplit('.').next().unwrap_or_default();
        ["jpg", "jpeg", "png", "gif", "webp", "bmp"].contains(&ending).then_some(path)
    }

    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Here(path) => Some(path),
            _ => None,
        }
    }
}

/// The folder that media are written to.
pub struct MediaFolder {
    folder: Option<PathBuf>,
    /// How the output refers to it.
    prefix: String,
    known: HashMap<String, MediaState>,
}

impl MediaFolder {
    pub fn new(folder: Option<&Path>, output: Option<&Path>) -> io::Result<Self> {
        let mut prefix = String::new();
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
            prefix = reference(folder, output).to_string_lossy().into_owned();
        }
        Ok(Self { folder: folder.map(Path::to_owned), prefix, known: HashMap::new() })
    }

    /// Writes the file of a message, once.
    pub fn take(
        &mut self,
        store: &ReadOnly,
        raw: &RawMessage,
        message: &Message,
    ) -> Result<MediaState, ExitError> {
        let Some(folder) = &self.folder else { return Ok(MediaState::None) };
        if !matches!(message.body, MessageBody::Media(_)) {
            return Ok(MediaState::None);
        }
        let Some(object) = media_object(raw) else { return Ok(MediaState::NotInExport) };
        if let Some(known) = self.known.get(&object) {
            return Ok(known.clone());
        }
        let parts = store.media(&object).map_err(|e| ExitError::failed(e.to_string()))?;
        let main = parts.iter().find(|part| part.part.starts_with("1."));
        let main = main.or_else(|| parts.iter().find(|part| part.part != "json"));
        let state = match main {
            None => MediaState::NotInExport,
            Some(part) => {
                let name = file_name(part);
                match copy(part, &folder.join(&name)) {
                    Ok(()) => MediaState::Here(format!("{}/{name}", self.prefix)),
                    // The export was moved or cut.
                    Err(error) if is_about_source(&error) => MediaState::NotInExport,
                    Err(error) => {
                        return Err(ExitError::failed(format!("a file was not written: {error}")));
                    }
                }
            }
        };
        self.known.insert(object, state.clone());
        Ok(state)
    }
}

fn is_about_source(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

/// The folder as seen from the output.
fn reference(folder: &Path, output: Option<&Path>) -> PathBuf {
    let Some(output) = output else { return folder.to_owned() };
    let beside = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    let absolute = |path: &Path| std::fs::canonicalize(path);
    let beside = absolute(beside.unwrap_or(Path::new(".")));
    match (absolute(folder), beside) {
        (Ok(folder), Ok(beside)) => {
            folder.strip_prefix(&beside).map_or_else(|_| folder.clone(), Path::to_owned)
        }
        _ => folder.to_owned(),
    }
}

/// A plain name: letters of the object's id, and an ending that is known.
fn file_name(media: &ArchiveMedia) -> String {
    let letters = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    let object: String = media.object.chars().filter(letters).take(100).collect();
    let ending = media.part.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|known| **known == ending).unwrap_or(&"bin");
    format!("{}.{ending}", object.trim_start_matches('-'))
}

/// Copies a part of an export. A file that is there already is left as it is.
fn copy(media: &ArchiveMedia, target: &Path) -> io::Result<()> {
    let mut source = File::open(&media.path)?;
    source.seek(SeekFrom::Start(media.begins))?;
    let mut file = match new_file(target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    };
    let copied = io::copy(&mut source.take(media.size), &mut file);
    let complete = copied.and_then(|copied| {
        let missing = || io::Error::from(io::ErrorKind::UnexpectedEof);
        if copied == media.size { Ok(()) } else { Err(missing()) }
    });
    if complete.is_err() {
        let _ = std::fs::remove_file(target);
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_a_plain_name_whatever_the_export_says() {
        let name = |object: &str, part: &str| {
            file_name(&ArchiveMedia {
                object: object.into(),
                part: part.into(),
                path: String::new(),
                begins: 0,
                size: 0,
            })
        };
        assert_eq!(name("0-weu-d3-ab", "1.JPEG"), "0-weu-d3-ab.jpeg");
        assert_eq!(name("../../etc/x", "1.sh"), "etcx.bin");
        assert_eq!(name("-rf", "1"), "rf.bin");
    }
}
