//! Turns the blocks without a signature into a group with one.

use super::signature::Signature;
use super::times::GroupTimes;
use super::{
    BLOCK_BYTES, BlockBuilder, BlockReader, ENTRY_BYTES, GROUP_BLOCKS, TextEntry, UNSEALED,
};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Makes a group if there are enough blocks for one. `last` is the number of the last block.
pub(super) fn seal_if_many(c: &Connection, last: i64) -> rusqlite::Result<()> {
    if last - UNSEALED + 1 >= GROUP_BLOCKS { seal(c) } else { Ok(()) }
}

fn seal(c: &Connection) -> rusqlite::Result<()> {
    let mut query =
        c.prepare_cached("SELECT entries FROM text_blocks WHERE number >= ?1 ORDER BY number")?;
    let blocks = query.query_map([UNSEALED], |row| row.get::<_, Vec<u8>>(0))?;
    let blocks: Vec<Vec<u8>> = blocks.collect::<Result<_, _>>()?;
    // Keep only the newest text of a changed message.
    let mut newest: HashMap<i64, TextEntry<'_>> = HashMap::new();
    for entry in blocks.iter().flat_map(|block| BlockReader::new(block)) {
        newest.insert(entry.place, entry);
    }
    let mut entries: Vec<TextEntry<'_>> = newest.into_values().collect();
    entries.sort_unstable_by_key(|entry| (entry.at, entry.place));
    c.prepare_cached("DELETE FROM text_blocks WHERE number >= ?1")?.execute([UNSEALED])?;
    write_group(c, next_group(c)?, &entries)
}

fn next_group(c: &Connection) -> rusqlite::Result<i64> {
    let last: Option<i64> = c
        .prepare_cached(
            "SELECT number FROM text_blocks WHERE number < ?1 ORDER BY number DESC LIMIT 1",
        )?
        .query_row([UNSEALED], |row| row.get(0))
        .optional()?;
    Ok(last.map_or(0, |last| last / GROUP_BLOCKS + 1))
}

fn write_group(c: &Connection, group: i64, entries: &[TextEntry<'_>]) -> rusqlite::Result<()> {
    let bytes: usize = entries.iter().map(|entry| entry.text.len() + ENTRY_BYTES).sum();
    let most = BLOCK_BYTES.max(bytes.div_ceil(usize::try_from(GROUP_BLOCKS).unwrap_or(1)));
    let (mut signature, mut times) = (Signature::new(), GroupTimes::default());
    let (mut block, mut number) = (BlockBuilder::default(), 0);
    for entry in entries {
        // The last one takes what is left.
        if block.is_full(entry, most) && number < GROUP_BLOCKS - 1 {
            block.write(c, group * GROUP_BLOCKS + number)?;
            times.add(&block);
            block = BlockBuilder::default();
            number += 1;
        }
        block.push(entry);
        signature.add(number, entry);
    }
    block.write(c, group * GROUP_BLOCKS + number)?;
    times.add(&block);
    times.write(c, group)?;
    signature.write(c, group)
}
