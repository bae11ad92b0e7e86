//! The times of blocks: which of them a search has to read first, and which not at all.

use super::{BlockBuilder, GROUP_BLOCKS, UNSEALED};
use rusqlite::Connection;

/// Bytes of a block's times.
pub(super) const BYTES: i64 = 16;

/// A block, and the times of its newest and its oldest text. Ordered by the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct BlockTimes {
    pub newest: i64,
    pub oldest: i64,
    pub number: i64,
}

/// The times of a group's blocks.
#[derive(Default)]
pub(super) struct GroupTimes(Vec<u8>);

impl GroupTimes {
    pub fn add(&mut self, block: &BlockBuilder) {
        self.0.extend(block.newest.to_le_bytes());
        self.0.extend(block.oldest.to_le_bytes());
    }

    pub fn write(&self, c: &Connection, group: i64) -> rusqlite::Result<()> {
        c.prepare_cached("INSERT OR REPLACE INTO text_groups VALUES (?1, ?2)")?
            .execute(rusqlite::params![group, self.0])?;
        Ok(())
    }
}

/// Calls `take` with all blocks: those of groups, then those without a signature.
pub(in crate::store) fn block_times(
    c: &Connection,
    mut take: impl FnMut(BlockTimes),
) -> rusqlite::Result<()> {
    let mut query = c.prepare_cached("SELECT number, times FROM text_groups")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let group: i64 = row.get(0)?;
        if !(0..UNSEALED / GROUP_BLOCKS).contains(&group) {
            continue;
        }
        let first = group * GROUP_BLOCKS;
        let (times, _) = row.get_ref(1)?.as_blob()?.as_chunks::<8>();
        let (pairs, _) = times.as_chunks::<2>();
        for (number, [newest, oldest]) in (first..).zip(pairs) {
            let (newest, oldest) = (i64::from_le_bytes(*newest), i64::from_le_bytes(*oldest));
            take(BlockTimes { newest, oldest, number });
        }
    }
    let mut query =
        c.prepare_cached("SELECT newest, oldest, number FROM text_blocks WHERE number >= ?1")?;
    let mut rows = query.query([UNSEALED])?;
    while let Some(row) = rows.next()? {
        take(BlockTimes { newest: row.get(0)?, oldest: row.get(1)?, number: row.get(2)? });
    }
    Ok(())
}
