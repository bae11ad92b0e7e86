//! Detects whether a frame is the last one moved up or down, so that the terminal can move the rows itself.

use ratatui::buffer::{Buffer, Cell};
use std::hash::{DefaultHasher, Hash, Hasher};

/// If fewer rows differ, moving rows is not considered.
const FEWEST: usize = 6;

/// A block of rows, most of which are some rows higher or lower in the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// The first row of the block, and the row after its last one.
    pub top: u16,
    pub bottom: u16,
    /// By how many rows it moves up; negative is down.
    pub up: i32,
}

impl Shift {
    /// The shift that makes the most rows equal, compared from the leftmost column in which the frames differ.
    pub fn between(old: &Buffer, new: &Buffer, changed: &[bool]) -> Option<Self> {
        let columns = usize::from(new.area.width).max(1);
        let rows = || old.content.chunks(columns).zip(new.content.chunks(columns));
        let differing: Vec<usize> = rows()
            .zip(changed)
            .enumerate()
            .filter(|(_, ((old, new), changed))| **changed && old != new)
            .map(|(y, _)| y)
            .collect();
        if differing.len() < FEWEST {
            return None;
        }
        let left = rows()
            .zip(changed)
            .filter(|(_, changed)| **changed)
            .filter_map(|((old, new), _)| old.iter().zip(new).position(|(a, b)| a != b))
            .min()?;
        let mut text = String::new();
        let mut hashes = |buffer: &Buffer| -> Vec<Option<u64>> {
            let rows = buffer.content.chunks(columns);
            rows.map(|row| hash(row.get(left..)?, &mut text)).collect()
        };
        let (before, after) = (hashes(old), hashes(new));
        let (first, last) = (*differing.first()?, *differing.last()?);
        let most = i32::try_from(last - first).ok()?;
        let matching = |up: i32| {
            let pairs = (first..=last).filter_map(move |y| {
                let from = usize::try_from(i32::try_from(y).ok()? + up).ok()?;
                (first..=last).contains(&from).then_some((y, from))
            });
            pairs.filter(|(y, from)| {
                let wanted = after.get(*y).copied().flatten();
                wanted.is_some() && wanted == before.get(*from).copied().flatten()
            })
        };
        let candidates = (-most..=most).filter(|up| *up != 0);
        let up = candidates.max_by_key(|up| matching(*up).count())?;
        let pairs: Vec<(usize, usize)> = matching(up).collect();
        if pairs.len() * 3 < differing.len() {
            return None;
        }
        let top = pairs.iter().map(|(y, from)| *y.min(from)).min()?;
        let bottom = pairs.iter().map(|(y, from)| *y.max(from)).max()? + 1;
        Some(Self { top: u16::try_from(top).ok()?, bottom: u16::try_from(bottom).ok()?, up })
    }

    /// Moves the rows of a buffer as the terminal does.
    pub fn apply(self, buffer: &mut Buffer) {
        let columns = usize::from(buffer.area.width);
        let (top, bottom) = (usize::from(self.top), usize::from(self.bottom));
        let by = usize::try_from(self.up.unsigned_abs()).unwrap_or(0).min(bottom - top) * columns;
        let Some(block) = buffer.content.get_mut(top * columns..bottom * columns) else { return };
        let kept = block.len() - by;
        if self.up > 0 {
            block.rotate_left(by);
            block.iter_mut().skip(kept).for_each(Cell::reset);
        } else {
            block.rotate_right(by);
            block.iter_mut().take(by).for_each(Cell::reset);
        }
    }

    /// Moves one value per row in the same way.
    pub fn apply_to_rows<T: Default>(self, rows: &mut [T]) {
        let by = usize::try_from(self.up.unsigned_abs()).unwrap_or(0);
        let Some(block) = rows.get_mut(usize::from(self.top)..usize::from(self.bottom)) else {
            return;
        };
        let by = by.min(block.len());
        let kept = block.len() - by;
        if self.up > 0 {
            block.rotate_left(by);
            block.iter_mut().skip(kept).for_each(|row| *row = T::default());
        } else {
            block.rotate_right(by);
            block.iter_mut().take(by).for_each(|row| *row = T::default());
        }
    }
}

/// Hashes a row; `None` for an empty row, which equals any other and says nothing about a shift. `text` is a reused
/// buffer: hashing the text of the whole row at once costs less than hashing each cell. A style is only hashed where it
/// begins.
fn hash(row: &[Cell], text: &mut String) -> Option<u64> {
    if row.iter().all(|cell| *cell == Cell::EMPTY) {
        return None;
    }
    text.clear();
    let mut hasher = DefaultHasher::new();
    let mut style = None;
    for cell in row {
        text.push_str(cell.symbol());
        let own = Some((cell.fg, cell.bg, cell.modifier));
        if style != own {
            style = own;
            (text.len(), own).hash(&mut hasher);
        }
    }
    hasher.write(text.as_bytes());
    Some(hasher.finish())
}
