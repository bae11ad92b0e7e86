//! The files of messages: whether an export that was imported has them, and copies of them.

use super::source::FileSection;
use crate::model::{ExportedFile, Timestamp};
use crate::protocol::media_expiry;
use crate::store::ArchiveMedia;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// File extensions that a written file may have; anything else becomes `bin`.
const EXTENSIONS: [&str; 24] = [
    "jpg", "jpeg", "png", "gif", "webp", "bmp", "heic", "mp4", "mov", "webm", "mp3", "m4a", "ogg",
    "wav", "aac", "pdf", "txt", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip",
];
/// The data of an object is small; anything beyond this is not read.
const MAX_DATA: u64 = 64 * 1024;
/// The maximum length of a file name without its extension.
const MAX_NAME: usize = 100;

/// Finds the file of an object among its parts in the exports. It is returned with [`ExportedFile::Here`] only.
pub fn find(parts: &[ArchiveMedia], now: Timestamp) -> (ExportedFile, Option<&ArchiveMedia>) {
    let main = parts.iter().find(|part| part.part.starts_with("1."));
    let main = main.or_else(|| parts.iter().find(|part| part.part != "json"));
    if let Some(main) = main {
        let end = main.begins.saturating_add(main.size);
        let is_there = std::fs::metadata(&main.path).is_ok_and(|file| file.len() >= end);
        let file = is_there.then_some(main);
        return (if is_there { ExportedFile::Here } else { ExportedFile::Moved }, file);
    }
    let data = parts.iter().find(|part| part.part == "json").and_then(data);
    match data.and_then(|data| media_expiry(&data)) {
        Some(expiry) if expiry <= now => (ExportedFile::Expired, None),
        _ => (ExportedFile::Missing, None),
    }
}

/// The data of an object, as the export has it.
fn data(part: &ArchiveMedia) -> Option<String> {
    let mut text = String::new();
    section(part).open(0).ok()?.take(MAX_DATA).read_to_string(&mut text).ok()?;
    Some(text)
}

fn section(media: &ArchiveMedia) -> FileSection {
    FileSection {
        path: PathBuf::from(&media.path),
        offset: media.begins,
        size: media.size,
        is_cut: false,
    }
}

/// The name of a copy of a file.
pub fn file_name(media: &ArchiveMedia) -> String {
    plain_name(&media.object, media.part.rsplit('.').next().unwrap_or_default())
}

/// A plain name: letters of the object's id, and a known extension.
pub fn plain_name(object: &str, extension: &str) -> String {
    let letters = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    let object: String = object.chars().filter(letters).take(MAX_NAME).collect();
    let extension = extension.to_ascii_lowercase();
    let extension = EXTENSIONS.iter().find(|known| **known == extension).unwrap_or(&"bin");
    format!("{}.{extension}", object.trim_start_matches('-'))
}

/// Copies a file out of an export.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] or [`io::ErrorKind::UnexpectedEof`] when the export was moved or cut; others come from
/// writing.
pub fn copy(media: &ArchiveMedia, out: &mut impl Write) -> io::Result<()> {
    let mut source = section(media)
        .open(0)
        .map_err(|error| io::Error::new(io::ErrorKind::NotFound, error.to_string()))?;
    let copied = io::copy(&mut source, out)?;
    if copied == media.size { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: &str, path: &str, size: u64) -> ArchiveMedia {
        ArchiveMedia {
            object: "0-weu-d3-ab".into(),
            part: part.into(),
            path: path.into(),
            begins: 0,
            size,
        }
    }

    #[test]
    fn a_file_gets_a_plain_name_whatever_the_export_says() {
        let name = |object: &str, extension: &str| {
            file_name(&ArchiveMedia { object: object.into(), ..part(extension, "", 0) })
        };
        assert_eq!(name("0-weu-d3-ab", "1.JPEG"), "0-weu-d3-ab.jpeg");
        assert_eq!(name("../../etc/x", "1.sh"), "etcx.bin");
        assert_eq!(name("-rf", "1"), "rf.bin");
    }

    #[test]
    fn it_is_known_why_a_file_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.json");
        let path = path.to_str().unwrap();
        let now = Timestamp::parse("2025-05-05T00:00:00Z").unwrap();
        let data = |text: &str| {
            std::fs::write(path, text).unwrap();
            part("json", path, text.len() as u64)
        };
        assert_eq!(find(&[], now).0, ExportedFile::Missing);
        let old = data(r#"{"expiry_date":"2020-01-01T00:00:00Z","filename":"image.png"}"#);
        assert_eq!(find(std::slice::from_ref(&old), now).0, ExportedFile::Expired);
        let picture = part("1.png", path, 3);
        assert_eq!(find(&[old, picture.clone()], now), (ExportedFile::Here, Some(&picture)));
        let cut = part("1.png", path, 3_000);
        assert_eq!(find(&[cut], now), (ExportedFile::Moved, None));
        for text in [r#"{"expiry_date":"2030-01-01T00:00:00Z"}"#, r#"{"expiry_date":null}"#, "x"] {
            assert_eq!(find(&[data(text)], now).0, ExportedFile::Missing, "{text}");
        }
        std::fs::remove_file(path).unwrap();
        assert_eq!(find(&[picture], now), (ExportedFile::Moved, None));
    }
}
