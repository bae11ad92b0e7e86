//! The containers of an export: a tar, a folder, or a single document. They are only read.

use super::scan::{Found, Scanner};
use super::tar::{self, TarEntry};
use crate::model::{SafeText, UserId};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How many of the members that are not read are listed.
const MAX_SKIPPED: usize = 200;
/// A longer first line is not one that `skchat export` wrote.
const MAX_FIRST_LINE: u64 = 16 * 1024 * 1024;

/// How many bytes are searched for the owner.
const MAX_BEFORE_OWNER: u64 = 1024 * 1024;

/// Why there is nothing to import. The messages are for the user, and clean.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{path} cannot be read: {error}")]
    Unreadable { path: SafeText, error: io::Error },
    #[error("{path} {what}")]
    Unusable { path: SafeText, what: &'static str },
    #[error("{0}")]
    Store(#[from] crate::store::StoreError),
    #[error("the import stopped unexpectedly")]
    Stopped,
}

impl ArchiveError {
    fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable { path: shown(path), error }
    }

    fn unusable(path: &Path, what: &'static str) -> Self {
        Self::Unusable { path: shown(path), what }
    }
}

/// A path as it can be printed.
pub fn shown(path: &Path) -> SafeText {
    SafeText::line(&path.to_string_lossy())
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSection {
    pub path: PathBuf,
    /// Where it begins, in bytes.
    pub offset: u64,
    pub size: u64,
    /// The file ends before the section does.
    pub is_cut: bool,
}

impl FileSection {
    /// Reads the section from `from` bytes after its beginning.
    ///
    /// # Errors
    /// When the file is gone or cannot be read.
    pub fn open(&self, from: u64) -> Result<io::Take<File>, ArchiveError> {
        let unreadable = |error| ArchiveError::unreadable(&self.path, error);
        let mut file = File::open(&self.path).map_err(unreadable)?;
        let start = self.offset.saturating_add(from.min(self.size));
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        Ok(file.take(self.size.saturating_sub(from)))
    }
}

/// A document that holds messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportDocument {
    pub section: FileSection,
    pub form: DocumentForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentForm {
    /// `messages.json` of an export, or a list of messages.
    Json,
    /// One message per line, as `skchat export --format json` and `skchat log --json` write them.
    Lines,
}

/// A picture or another file in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaMember {
    /// The id of the object that messages refer to.
    pub object: String,
    /// The rest of the name: `1.jpeg`, `json`.
    pub part: String,
    pub section: FileSection,
}

/// An export and what is in it.
#[derive(Clone, Debug, Default)]
pub struct Export {
    pub documents: Vec<ExportDocument>,
    pub media: Vec<MediaMember>,
    /// Members that are not read, and why.
    pub skipped: Vec<(SafeText, &'static str)>,
    pub skipped_count: usize,
}

impl Export {
    /// Reads what is in a tar, a folder or a single document.
    ///
    /// # Errors
    /// When it cannot be read, or is not an export. The error says what it is instead, where the first bytes show that.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let unreadable = |error| ArchiveError::unreadable(path, error);
        // An absolute path is still right when media are read later.
        let full = std::fs::canonicalize(path).map_err(unreadable)?;
        let kind = std::fs::metadata(&full).map_err(unreadable)?;
        let export = if kind.is_dir() {
            Self::of_folder(&full).map_err(unreadable)?
        } else if kind.is_file() {
            Self::of_file(&full, path)?
        } else {
            return Err(ArchiveError::unusable(path, "is neither a file nor a folder"));
        };
        if export.documents.is_empty() && export.media.is_empty() {
            return Err(ArchiveError::unusable(path, "contains no messages.json and no media"));
        }
        Ok(export)
    }

    /// Bytes of all documents.
    pub fn size(&self) -> u64 {
        self.documents.iter().map(|document| document.section.size).sum()
    }

    /// The owner of the export, if the beginning of its first document says so.
    pub fn owner(&self) -> Option<UserId> {
        let document = self.documents.first()?;
        let mut start = Vec::new();
        document.section.open(0).ok()?.take(MAX_BEFORE_OWNER).read_to_end(&mut start).ok()?;
        match document.form {
            DocumentForm::Lines => {
                let line = start.split(|b| *b == b'\n').next()?;
                super::lines::read(&String::from_utf8_lossy(line)).ok()?.owner
            }
            DocumentForm::Json => {
                let mut owner = None;
                Scanner::default().feed(&start, &mut |found| {
                    if let Found::Document(json) = found {
                        owner = owner.take().or_else(|| super::head::owner(json));
                    }
                });
                owner
            }
        }
    }

    fn of_file(full: &Path, path: &Path) -> Result<Self, ArchiveError> {
        let unreadable = |error| ArchiveError::unreadable(path, error);
        let mut file = File::open(full).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut start = [0; 512];
        let read = read_start(&mut file, &mut start).map_err(unreadable)?;
        let start = start.get(..read).unwrap_or_default();
        let whole = FileSection { path: full.to_owned(), offset: 0, size, is_cut: false };
        match kind_of(start) {
            FileKind::Tar => Self::of_tar(&mut file, &whole).map_err(unreadable),
            FileKind::Json => {
                let form = form_of(&whole)?;
                let documents = vec![ExportDocument { section: whole, form }];
                Ok(Self { documents, ..Self::default() })
            }
            FileKind::Other(what) => Err(ArchiveError::unusable(path, what)),
        }
    }

    fn of_tar(file: &mut File, whole: &FileSection) -> io::Result<Self> {
        let mut export = Self::default();
        tar::index(file, whole.size, &mut |entry| {
            match entry {
                TarEntry::Member(member) => {
                    let section = FileSection {
                        path: whole.path.clone(),
                        offset: member.offset,
                        size: member.size,
                        is_cut: member.is_cut,
                    };
                    export.add(&member.name, section);
                }
                TarEntry::Skipped { name, why } => export.skip(name, why),
            }
            true
        })?;
        Ok(export)
    }

    /// A folder with the content of an export, or a folder that contains such a folder.
    fn of_folder(folder: &Path) -> io::Result<Self> {
        let mut export = Self::default();
        let mut folders = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let mut entries: Vec<_> = std::fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
            entries.sort_by_key(std::fs::DirEntry::file_name);
            for entry in entries {
                let kind = entry.file_type()?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if kind.is_dir() && depth < 2 {
                    folders.push((entry.path(), depth + 1));
                } else if kind.is_file() && !name.starts_with("._") {
                    let size = entry.metadata()?.len();
                    let section =
                        FileSection { path: entry.path(), offset: 0, size, is_cut: false };
                    let below = folder.file_name().unwrap_or_default().to_string_lossy();
                    export.add(&format!("{below}/{name}"), section);
                }
            }
        }
        Ok(export)
    }

    fn skip(&mut self, name: SafeText, why: &'static str) {
        self.skipped_count += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push((name, why));
        }
    }

    /// Adds a member, whose name says what it is.
    fn add(&mut self, name: &str, section: FileSection) {
        let mut parts = name.rsplit('/');
        let file = parts.next().unwrap_or_default();
        let folder = parts.next().unwrap_or_default();
        if file.eq_ignore_ascii_case("messages.json") {
            self.documents.push(ExportDocument { section, form: DocumentForm::Json });
        } else if folder.eq_ignore_ascii_case("media") {
            match file.split_once('.') {
                Some((object, part)) if !object.is_empty() => self.media.push(MediaMember {
                    object: object.to_owned(),
                    part: part.to_owned(),
                    section,
                }),
                _ => self.skip(SafeText::line(name), "its name is not an object name"),
            }
        } else if file.eq_ignore_ascii_case("endpoints.json") {
            self.skip(SafeText::line(name), "it describes devices");
        } else {
            self.skip(SafeText::line(name), "it is not part of an export");
        }
    }
}

/// Reads as much as there is, up to the length of the buffer.
fn read_start(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
}

#[derive(Debug, PartialEq, Eq)]
enum FileKind {
    Tar,
    Json,
    /// Not usable, and why.
    Other(&'static str),
}

/// What a file is, by its first bytes.
fn kind_of(start: &[u8]) -> FileKind {
    const KNOWN: [(&[u8], &str); 10] = [
        (b"\x1f\x8b", "is compressed with gzip: unpack it first (gunzip)"),
        (b"PK\x03\x04", "is a zip file: unpack it first and give the folder"),
        (b"7z\xbc\xaf", "is a 7z file: unpack it first and give the folder"),
        (b"\xfd7zXZ", "is compressed with xz: unpack it first (unxz)"),
        (b"BZh", "is compressed with bzip2: unpack it first (bunzip2)"),
        (b"\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it first (unzstd)"),
        (b"Rar!", "is a rar file: unpack it first and give the folder"),
        (b"SQLite format 3", "is the database of an old Skype version, not an export"),
        (b"\xff\xfe", "is in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"),
        (b"\xfe\xff", "is in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"),
    ];
    if start.is_empty() {
        return FileKind::Other("is empty");
    }
    if let Some((_, what)) = KNOWN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return FileKind::Other(what);
    }
    if tar::begins(start) {
        return FileKind::Tar;
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let mut visible = text.iter().filter(|b| !b.is_ascii_whitespace());
    match (visible.next(), visible.next()) {
        (Some(b'{' | b'['), Some(0)) => {
            FileKind::Other("is in UTF-16: convert it to UTF-8 first (iconv -f UTF-16LE -t UTF-8)")
        }
        (Some(b'{' | b'['), _) => FileKind::Json,
        (Some(b'<'), _) => FileKind::Other("is a web page, not an export"),
        _ => FileKind::Other("is not an export: it is neither a tar file nor JSON"),
    }
}

/// Whether a document is an export or has one message per line.
fn form_of(section: &FileSection) -> Result<DocumentForm, ArchiveError> {
    let mut first = Vec::new();
    let mut reader = BufReader::new(section.open(0)?.take(MAX_FIRST_LINE));
    reader
        .read_until(b'\n', &mut first)
        .map_err(|error| ArchiveError::unreadable(&section.path, error))?;
    let is_line = super::lines::is_line(&String::from_utf8_lossy(&first));
    Ok(if is_line { DocumentForm::Lines } else { DocumentForm::Json })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(files: &[(&str, &[u8])]) -> Result<Export, ArchiveError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Export::open(dir.path())
    }

    #[test]
    fn a_folder_gives_its_messages_and_media_also_from_one_folder_deeper() {
        for front in ["", "8_live_anna_export/"] {
            let name = |rest: &str| format!("{front}{rest}");
            let found = export(&[
                (&name("messages.json"), b"{}"),
                (&name("endpoints.json"), b"{}"),
                (&name("._messages.json"), b"x"),
                (&name("media/0-weu-d1-ab.1.jpeg"), b"pic"),
                (&name("media/0-weu-d1-ab.json"), b"{}"),
            ])
            .unwrap();
            assert_eq!(found.documents.len(), 1);
            let media: Vec<(&str, &str)> =
                found.media.iter().map(|m| (m.object.as_str(), m.part.as_str())).collect();
            assert_eq!(media, [("0-weu-d1-ab", "1.jpeg"), ("0-weu-d1-ab", "json")]);
        }
    }

    #[test]
    fn what_is_not_an_export_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = |content: &[u8]| {
            let path = dir.path().join("export\u{1b}[31m.tar");
            std::fs::write(&path, content).unwrap();
            let text = Export::open(&path).unwrap_err().to_string();
            assert!(!text.contains('\u{1b}'), "{text:?}");
            text
        };
        assert!(error(b"").ends_with("is empty"));
        assert!(error(b"\x1f\x8b\x08abc").contains("gunzip"));
        assert!(error(b"PK\x03\x04abc").contains("zip"));
        assert!(error(b"\xff\xfe{\0").contains("UTF-16"));
        assert!(error(b"{\0\"\0").contains("UTF-16"));
        assert!(error(b"<html>").contains("web page"));
        assert!(error(b"hello").contains("neither a tar file nor JSON"));
        assert!(error(&[0; 1024]).contains("neither"));
        assert!(export(&[("notes.txt", b"x")]).unwrap_err().to_string().contains("messages.json"));
        assert!(Export::open(Path::new("/dev/null")).unwrap_err().to_string().contains("neither"));
        assert!(Export::open(&dir.path().join("none")).unwrap_err().to_string().contains("read"));
    }
}
