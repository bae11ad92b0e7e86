//! The index of a tar file: where the content of each regular member lies. Nothing is ever extracted, and the name of a
//! member is a key to look it up by, never a path that is opened.

use crate::model::SafeText;
use std::io::{self, Read, Seek, SeekFrom};

const BLOCK: u64 = 512;
/// Longer names and extended headers do not occur in exports and are passed over.
const MAX_EXTENSION: u64 = 64 * 1024;

/// A regular file in a tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarMember {
    /// As it is in the tar, without a leading `./`.
    pub name: String,
    /// Where the content begins, in bytes from the start of the tar.
    pub offset: u64,
    /// Bytes of content that are present.
    pub size: u64,
    /// The tar ends before the content does.
    pub is_cut: bool,
}

/// An entry of a tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TarEntry {
    Member(TarMember),
    /// Not read; the name is cleaned for display.
    Skipped {
        name: SafeText,
        why: &'static str,
    },
}

/// Names and sizes that precede a header and replace those in it.
#[derive(Default)]
struct Extension {
    name: Option<String>,
    size: Option<u64>,
}

type TarBlock = [u8; BLOCK as usize];

fn field(block: &TarBlock, from: usize, length: usize) -> &[u8] {
    block.get(from..from + length).unwrap_or_default()
}

/// The bytes of a field up to the first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// A number in octal digits, or in base 256 if its first bit is set.
fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.first().is_some_and(|b| b & 0x80 != 0) {
        let first = u64::from(bytes.first()? & 0x3f);
        return bytes
            .iter()
            .skip(1)
            .try_fold(first, |n, b| n.checked_mul(256).map(|n| n + u64::from(*b)));
    }
    let text = text(bytes);
    let digits = text.trim_matches(' ');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Whether a block is a header: its checksum is that of its bytes.
fn is_header(block: &TarBlock) -> bool {
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, b)| if (148..156).contains(&at) { 32 } else { u64::from(*b) })
        .sum();
    block.first() != Some(&0) && number(field(block, 148, 8)) == Some(sum)
}

/// Whether a file begins like a tar.
pub fn begins(start: &[u8]) -> bool {
    let block: Option<&TarBlock> =
        start.get(..BLOCK as usize).and_then(|start| start.try_into().ok());
    block.is_some_and(|block| is_header(block) || field(block, 257, 5) == b"ustar")
}

fn name_of(block: &TarBlock) -> String {
    let name = text(field(block, 0, 100));
    let prefix = text(field(block, 345, 155));
    if field(block, 257, 6) == b"ustar\0" && !prefix.is_empty() {
        return format!("{prefix}/{name}");
    }
    name
}

/// Reads the records `LENGTH KEY=VALUE` of a PAX header.
fn read_pax(content: &[u8], extension: &mut Extension) {
    let mut rest = content;
    while let Some(blank) = rest.iter().position(|b| *b == b' ') {
        let length = std::str::from_utf8(rest.get(..blank).unwrap_or_default()).ok();
        let Some(length) = length.and_then(|l| l.parse::<usize>().ok()) else { return };
        let Some(record) = rest.get(blank + 1..length) else { return };
        let record = String::from_utf8_lossy(record);
        match record.trim_end_matches('\n').split_once('=') {
            Some(("path", path)) => extension.name = Some(path.to_owned()),
            Some(("size", size)) => extension.size = size.parse().ok(),
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// Why a member with this name is not read; `None` if it is read.
fn refused_name(name: &str) -> Option<&'static str> {
    let last = name.rsplit('/').next().unwrap_or_default();
    if name.starts_with(['/', '\\']) || name.get(1..3) == Some(":\\") {
        Some("its name is absolute")
    } else if name.split(['/', '\\']).any(|part| part == "..") {
        Some("its name leads outside the folder")
    } else if last.starts_with("._") {
        Some("it is a macOS companion file")
    } else {
        None
    }
}

/// Why a member of this type is not read; `None` for regular files.
fn refused_type(kind: u8) -> Option<&'static str> {
    match kind {
        b'0' | 0 | b'7' => None,
        b'1' | b'2' => Some("a link"),
        b'3' | b'4' => Some("a device"),
        b'5' => Some("a folder"),
        b'6' => Some("a pipe"),
        b'S' => Some("a sparse file"),
        _ => Some("a member of unknown type"),
    }
}

/// Walks over a tar of `length` bytes.
struct TarWalk<'a, R> {
    file: &'a mut R,
    length: u64,
    at: u64,
}

impl<R: Read + Seek> TarWalk<'_, R> {
    fn block(&mut self) -> io::Result<Option<TarBlock>> {
        if self.at.saturating_add(BLOCK) > self.length {
            return Ok(None);
        }
        let mut block = [0; BLOCK as usize];
        self.file.seek(SeekFrom::Start(self.at))?;
        self.file.read_exact(&mut block)?;
        Ok(Some(block))
    }

    /// The content of an extended header, if it is of a reasonable size.
    fn content(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        if size <= MAX_EXTENSION {
            self.file.seek(SeekFrom::Start(self.at + BLOCK))?;
            self.file.by_ref().take(size).read_to_end(&mut content)?;
        }
        Ok(content)
    }

    /// Skips a header and its content.
    fn pass(&mut self, size: u64) {
        let padded = size.div_ceil(BLOCK).saturating_mul(BLOCK);
        self.at = self.at.saturating_add(BLOCK).saturating_add(padded);
    }

    /// Skips to the next block that is a header, so that the rest of a damaged tar is still read.
    fn find_header(&mut self) -> io::Result<()> {
        while let Some(block) = self.block()? {
            if is_header(&block) && field(&block, 257, 5) == b"ustar" {
                return Ok(());
            }
            self.at += BLOCK;
        }
        self.at = self.length;
        Ok(())
    }

    fn member(
        &mut self,
        block: &TarBlock,
        extension: Extension,
        size: u64,
    ) -> io::Result<TarEntry> {
        let name = extension.name.unwrap_or_else(|| name_of(block));
        let name = name.trim_start_matches("./").to_owned();
        let kind = block.get(156).copied().unwrap_or_default();
        let offset = self.at + BLOCK;
        let here = size.min(self.length.saturating_sub(offset));
        let why = refused_type(kind).or_else(|| refused_name(&name));
        // Links and devices have no content, whatever size they claim.
        self.pass(if matches!(kind, b'1'..=b'6') { 0 } else { size });
        if why.is_some() && self.at > self.length {
            // A size that does not fit must not hide what comes after.
            self.at = offset;
            self.find_header()?;
        }
        Ok(match why {
            Some(why) => TarEntry::Skipped { name: SafeText::line(&name), why },
            None => TarEntry::Member(TarMember { name, offset, size: here, is_cut: here < size }),
        })
    }
}

/// Reports everything in a tar, in its order. Stops when `found` returns false.
///
/// # Errors
/// If the file cannot be read. Its content is never an error.
pub fn index(
    file: &mut (impl Read + Seek),
    length: u64,
    found: &mut dyn FnMut(TarEntry) -> bool,
) -> io::Result<()> {
    let mut walk = TarWalk { file, length, at: 0 };
    let mut extension = Extension::default();
    let mut empty = 0;
    while let Some(block) = walk.block()? {
        if block.iter().all(|b| *b == 0) {
            empty += 1;
            if empty == 2 {
                return Ok(());
            }
            walk.at += BLOCK;
            continue;
        }
        empty = 0;
        let size = number(field(&block, 124, 12)).filter(|_| is_header(&block));
        let Some(size) = size else {
            let why = "the tar is damaged here";
            walk.find_header()?;
            extension = Extension::default();
            if !found(TarEntry::Skipped { name: SafeText::default(), why }) {
                return Ok(());
            }
            continue;
        };
        match block.get(156) {
            Some(b'L') => {
                let name = walk.content(size)?;
                extension.name = (!name.is_empty()).then(|| text(&name));
                walk.pass(size);
            }
            Some(b'x') => {
                read_pax(&walk.content(size)?, &mut extension);
                walk.pass(size);
            }
            Some(b'g' | b'K') => walk.pass(size),
            _ => {
                let extension = std::mem::take(&mut extension);
                let size = extension.size.unwrap_or(size);
                if !found(walk.member(&block, extension, size)?) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
