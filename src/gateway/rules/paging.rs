//! Pages of lists: their size, and the sync state for the next one (facts 2.1).

use super::super::api_error::ApiError;
use std::fmt::Write as _;

const MAX_PAGE: usize = 200;
/// Maximum size of the items of a page in bytes, unless there is only one: clients limit the size of answers.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// A request for a page of a list.
#[derive(Default)]
pub struct PageQuery {
    /// Lower bound, in milliseconds.
    pub start: Option<i64>,
    /// Upper bound, as on Teams.
    pub end: Option<i64>,
    size: Option<usize>,
    pub sync_state: Option<String>,
}

impl PageQuery {
    /// `size` is limited to what a page can hold.
    pub fn new(
        start: Option<i64>,
        end: Option<i64>,
        size: Option<i64>,
        sync_state: Option<String>,
    ) -> Self {
        let size = size.and_then(|size| usize::try_from(size).ok()).map(|s| s.clamp(1, MAX_PAGE));
        Self { start, end, size, sync_state }
    }

    pub fn size_or(&self, default: usize) -> usize {
        self.size.unwrap_or(default)
    }
}

/// The content of a `syncState`: which changes and which older items the caller has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// The last change that was received.
    pub high: i64,
    /// The lowest message id (or activity) that was received.
    pub low: i64,
    /// Orders conversations of the same activity.
    pub row: i64,
    /// The lower bound of the first page.
    pub start: i64,
    pub page: usize,
    /// The requested kinds of conversations, one bit each; 0 for all.
    pub targets: u8,
}

impl SyncState {
    /// An opaque string.
    pub fn encode(self) -> String {
        let Self { high, low, row, start, page, targets } = self;
        let text = format!("{high}:{low}:{row}:{start}:{page}:{targets}");
        text.bytes().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }

    /// # Errors
    /// If the string was not made by [`SyncState::encode`].
    pub fn decode(hex: &str) -> Result<Self, ApiError> {
        const STALE: ApiError = ApiError::stale_sync_state();
        let bytes: Option<Vec<u8>> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(hex.get(i * 2..i * 2 + 2)?, 16).ok())
            .collect();
        let text = bytes.and_then(|b| String::from_utf8(b).ok()).ok_or(STALE)?;
        let parts: Option<Vec<i64>> = text.split(':').map(|p| p.parse().ok()).collect();
        let (high, low, row, start, page, targets) = match parts.as_deref() {
            Some([high, low, row, start, page, targets]) => {
                (*high, *low, *row, *start, *page, *targets)
            }
            // An older form without the kinds.
            Some([high, low, row, start, page]) => (*high, *low, *row, *start, *page, 0),
            _ => return Err(STALE),
        };
        let page = usize::try_from(page).map_err(|_| STALE)?.clamp(1, MAX_PAGE);
        let targets = u8::try_from(targets).map_err(|_| STALE)?;
        Ok(Self { high, low, row, start, page, targets })
    }
}

/// The bytes that are left on a page.
pub struct PageRoom(usize);

impl PageRoom {
    pub fn new() -> Self {
        Self(MAX_PAGE_BYTES)
    }

    /// Removes items that do not fit, but never the first item of a page. Returns true if any were removed.
    pub fn cut<T>(&mut self, items: &mut Vec<T>, size: impl Fn(&T) -> usize) -> bool {
        let fits = items.iter().take_while(|item| {
            let size = size(item);
            let takes = size <= self.0 || self.0 == MAX_PAGE_BYTES;
            self.0 = if takes { self.0.saturating_sub(size) } else { 0 };
            takes
        });
        let count = fits.count();
        let cut = count < items.len();
        items.truncate(count);
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_state_comes_back_as_it_went_out() {
        let state = SyncState { high: 7, low: i64::MAX, row: 3, start: -1, page: 30, targets: 9 };
        assert_eq!(SyncState::decode(&state.encode()).unwrap(), state);
        let older = "373a353a333a303a3330"; // 7:5:3:0:30
        let state = SyncState { high: 7, low: 5, row: 3, start: 0, page: 30, targets: 0 };
        assert_eq!(SyncState::decode(older).unwrap(), state);
        for bad in ["", "zz", "3", "373a", "373a353a333a303a33303a333a33", "é0"] {
            assert!(SyncState::decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_holds_what_fits_and_at_least_one_item() {
        let mut room = PageRoom::new();
        let mut items = vec![5 * MAX_PAGE_BYTES, 1];
        assert!(room.cut(&mut items, |size| *size));
        assert_eq!(items.len(), 1);
        let mut more = vec![1];
        assert!(room.cut(&mut more, |size| *size));
        assert!(more.is_empty());
        let mut room = PageRoom::new();
        let mut items = vec![1000; 100];
        assert!(!room.cut(&mut items, |size| *size));
        assert_eq!(items.len(), 100);
    }
}
