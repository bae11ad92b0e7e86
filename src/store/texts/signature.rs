//! Signatures of groups of blocks: which grams occur in which block.
//!
//! A gram is hashed to one of [`BITS`] bits, so a block may seem to contain a gram that it does not. The signature of a
//! group is a table with a row for each bit, and in it a bit for each block. A search reads one row per gram in every
//! group. Rows are stored in parts of [`ROWS`], the same part of all groups side by side.

use crate::model::fold::each_gram;
use rusqlite::{Connection, params};

/// The rows of a signature.
const BITS: usize = 16_384;
/// Rows in one record of the table: two records fit on a page.
const ROWS: usize = 60;
/// Words per row: a bit for each block of the group.
const WORDS: usize = 4;
/// Where the number of the part begins in a record's key.
const PART_SHIFT: u32 = 32;

/// FNV-1a, with its bits mixed: it is the same in every version and on every machine.
pub(in crate::store) fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    }
    mixed(hash)
}

fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ (hash >> 32)
}

/// The row of a gram, a sender and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Bit(usize);

fn bit(hash: u64) -> Bit {
    Bit(usize::try_from(hash).unwrap_or(0) % BITS)
}

impl Bit {
    pub fn gram(gram: &str) -> Self {
        bit(hash(gram.as_bytes()))
    }
    /// Of the id hash of a sender.
    pub fn sender(id: u32) -> Self {
        bit(mixed(u64::from(id) | 1 << 40))
    }
    /// Of the id hash of a conversation.
    pub fn conversation(id: u32) -> Self {
        bit(mixed(u64::from(id) | 1 << 41))
    }
    pub fn link() -> Self {
        bit(mixed(1 << 42))
    }
    pub fn file() -> Self {
        bit(mixed(1 << 43))
    }
}

/// The signature of a group.
pub(super) struct Signature(Vec<u64>);

impl Signature {
    pub fn new() -> Self {
        Self(vec![0; BITS * WORDS])
    }

    /// Adds an entry of the block with this number in the group.
    pub fn add(&mut self, block: i64, entry: &super::TextEntry<'_>) {
        let word = usize::try_from(block / 64).unwrap_or(0);
        let mut set = |bit: Bit| {
            if let Some(bits) = self.0.get_mut(bit.0 * WORDS + word) {
                *bits |= 1u64 << (block % 64);
            }
        };
        each_gram(std::str::from_utf8(entry.text).unwrap_or_default(), |gram| {
            set(Bit::gram(gram));
        });
        set(Bit::sender(entry.sender));
        set(Bit::conversation(entry.conversation));
        if entry.has_link() {
            set(Bit::link());
        }
        if entry.has_file() {
            set(Bit::file());
        }
    }

    pub fn write(&self, c: &Connection, group: i64) -> rusqlite::Result<()> {
        let mut insert =
            c.prepare_cached("INSERT OR REPLACE INTO text_signatures VALUES (?1, ?2)")?;
        for (part, rows) in (0i64..).zip(self.0.chunks(ROWS * WORDS)) {
            let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
            insert.execute(params![part << PART_SHIFT | group, bytes])?;
        }
        Ok(())
    }
}

/// The row of a bit in every group: a bit for each block, in the order of their numbers. Nothing
/// is known about blocks beyond its end.
pub(in crate::store) fn row(c: &Connection, bit: Bit) -> rusqlite::Result<Vec<u64>> {
    const BYTES: usize = WORDS * 8;
    let part = i64::try_from(bit.0 / ROWS).unwrap_or_default();
    let at = bit.0 % ROWS * BYTES;
    let mut query =
        c.prepare_cached("SELECT key, bits FROM text_signatures WHERE key BETWEEN ?1 AND ?2")?;
    let first = part << PART_SHIFT;
    let mut rows = query.query([first, first | ((1 << PART_SHIFT) - 1)])?;
    let mut all: Vec<u64> = Vec::new();
    while let Some(row) = rows.next()? {
        let group = usize::try_from(row.get::<_, i64>(0)? - first).unwrap_or(usize::MAX);
        // A part that is missing or damaged says nothing about its group.
        if group * WORDS > all.len() + MAX_MISSING {
            continue;
        }
        all.resize(group * WORDS, u64::MAX);
        let bytes = row.get_ref(1)?.as_blob()?.get(at..at + BYTES).unwrap_or_default();
        let (words, _) = bytes.as_chunks::<8>();
        all.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
    }
    Ok(all)
}

/// How many numbers in a row may be missing; a group beyond that is damage.
const MAX_MISSING: usize = 4096;

#[cfg(test)]
mod tests {
    use super::super::GROUP_BLOCKS;
    use super::*;

    #[test]
    fn a_row_has_a_bit_for_each_block_of_a_group() {
        assert_eq!(i64::try_from(WORDS * 64).unwrap(), GROUP_BLOCKS);
        let last = super::super::TextEntry {
            at: 1,
            place: 1,
            conversation: 1,
            sender: 2,
            flags: 0,
            text: "no".as_bytes(),
        };
        let mut signature = Signature::new();
        signature.add(GROUP_BLOCKS - 1, &last);
        let ones: u32 = signature.0.iter().map(|word| word.count_ones()).sum();
        // "n", "o", "no", its sender and its conversation.
        assert_eq!(ones, 5);
    }
}
