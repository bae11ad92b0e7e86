//! Pictures and other files of an export: read at their offsets, and copied to the folder that was asked for.

use super::new_file;
use crate::archive::media;
use crate::cli::context::ExitError;
use crate::model::{ExportedFile, Message, MessageBody, RawMessage, Timestamp};
use crate::protocol::media_object;
use crate::store::{ArchiveMedia, ReadOnly};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// What happened to the file of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MediaState {
    /// The message has none, or its account is not an archive.
    #[default]
    None,
    /// Written to this path, relative to the output where that is possible.
    Written(String),
    /// Not written: nobody asked for it, or it is not there.
    Left(ExportedFile),
}

/// How a format shows the file of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaView<'a> {
    None,
    /// The path of a picture that a browser shows.
    Picture(&'a str),
    File(&'a str),
    /// Why there is no file.
    Missing(&'static str),
}

impl MediaState {
    pub fn view(&self) -> MediaView<'_> {
        let path = match self {
            Self::Written(path) => path,
            Self::None | Self::Left(ExportedFile::Here) => return MediaView::None,
            Self::Left(why) => return MediaView::Missing(why.word()),
        };
        let ending = path.rsplit('.').next().unwrap_or_default();
        if ["jpg", "jpeg", "png", "gif", "webp", "bmp"].contains(&ending) {
            MediaView::Picture(path)
        } else {
            MediaView::File(path)
        }
    }

    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Written(path) => Some(path),
            _ => None,
        }
    }

    /// The state as a word, for people and tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "",
            Self::Written(_) => ExportedFile::Here.word(),
            Self::Left(state) => state.word(),
        }
    }
}

/// The folder that media are written to.
pub struct MediaFolder {
    folder: Option<PathBuf>,
    /// How the output refers to it.
    prefix: String,
    known: HashMap<String, MediaState>,
    now: Timestamp,
}

impl MediaFolder {
    pub fn new(folder: Option<&Path>, output: Option<&Path>, now: Timestamp) -> io::Result<Self> {
        let mut prefix = String::new();
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
            prefix = reference(folder, output).to_string_lossy().into_owned();
        }
        Ok(Self { folder: folder.map(Path::to_owned), prefix, known: HashMap::new(), now })
    }

    /// What happened to the file of a message from an archive, which is written once if there is a folder.
    pub fn take(
        &mut self,
        stores: &[&ReadOnly],
        raw: &RawMessage,
        message: &Message,
    ) -> Result<MediaState, ExitError> {
        if !matches!(message.body, MessageBody::Media(_)) {
            return Ok(MediaState::None);
        }
        let Some(object) = media_object(raw) else {
            return Ok(MediaState::Left(ExportedFile::Missing));
        };
        if let Some(known) = self.known.get(&object) {
            return Ok(known.clone());
        }
        let mut parts = Vec::new();
        for store in stores {
            parts = store.media(&object).map_err(|e| ExitError::failed(e.to_string()))?;
            if !parts.is_empty() {
                break;
            }
        }
        let state = match (media::find(&parts, self.now), &self.folder) {
            ((_, Some(part)), Some(folder)) => self.write(folder, part)?,
            ((state, _), _) => MediaState::Left(state),
        };
        self.known.insert(object, state.clone());
        Ok(state)
    }

    /// Writes a file. An existing file is left as it is.
    fn write(&self, folder: &Path, part: &ArchiveMedia) -> Result<MediaState, ExitError> {
        let name = media::file_name(part);
        let target = folder.join(&name);
        let written = match new_file(&target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(mut file) => {
                let copied = media::copy(part, &mut file);
                if copied.is_err() {
                    let _ = std::fs::remove_file(&target);
                }
                copied
            }
        };
        match written {
            Ok(()) => Ok(MediaState::Written(format!("{}/{name}", self.prefix))),
            // The export was moved or cut.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Ok(MediaState::Left(ExportedFile::Moved))
            }
            Err(error) => Err(ExitError::failed(format!("a file was not written: {error}"))),
        }
    }
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
