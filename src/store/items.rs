//! How the item of a message is stored: compressed with LZ4; the dictionary is made of the other columns of its row.
//!
//! Items are short and hardly repeat themselves. But most of an item is also in the other columns of its row, or is the
//! same in all items: field names, parts of addresses. LZ4 with a dictionary of both shrinks an item to between a
//! quarter and a tenth in a few microseconds, and is safe Rust.
//!
//! A stored item begins with the number of its format. A format is never changed, because stores hold items in it.

use rusqlite::ffi;

/// The item, uncompressed.
const PLAIN: u8 = 0;
/// The size of the item ([`push_varint`]), then an LZ4 block with the dictionary of [`ItemColumns::dictionary`].
const LZ4: u8 = 1;

/// LZ4 expands one byte to at most this many.
const MAX_RATIO: usize = 255;

/// What items have in common, in lines; a column of the row comes after each line but the last. Frequent parts come
/// last, where LZ4 looks first.
const COMMON: &str = include_str!("../../assets/items-1.txt");

/// The columns of a message's row that its item is likely to repeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemColumns<'a> {
    pub conversation: &'a str,
    pub id: &'a str,
    /// When the message arrived, in milliseconds.
    pub at: i64,
    pub sender: &'a str,
    pub client_id: Option<&'a str>,
    pub kind: &'a str,
    pub text: &'a str,
}

impl ItemColumns<'_> {
    /// Fields that some items have, then an item as servers usually write it.
    fn dictionary(&self) -> Vec<u8> {
        let Self { conversation, id, sender, kind, text, .. } = *self;
        let client_id = self.client_id.unwrap_or_default();
        let at = jiff::Timestamp::from_millisecond(self.at);
        let at = at.map(|at| format!("{at:.3}")).unwrap_or_default();
        let columns = [id, &at, kind, id, &at, client_id, conversation, text, conversation, sender];
        let size = COMMON.len() + columns.iter().map(|column| column.len()).sum::<usize>();
        let mut dictionary = Vec::with_capacity(size);
        for (line, column) in COMMON.lines().zip(columns.into_iter().chain([""])) {
            dictionary.extend(line.as_bytes());
            dictionary.extend(column.as_bytes());
        }
        dictionary
    }

    /// An item as it is stored.
    pub fn compressed(&self, item: &str) -> Vec<u8> {
        let mut stored = vec![LZ4];
        push_varint(&mut stored, u64::try_from(item.len()).unwrap_or(u64::MAX));
        stored.extend(lz4_flex::block::compress_with_dict(item.as_bytes(), &self.dictionary()));
        if stored.len() > item.len() {
            stored.clear();
            stored.push(PLAIN);
            stored.extend(item.as_bytes());
        }
        stored
    }

    /// The item, as it was passed to [`ItemColumns::compressed`].
    ///
    /// # Errors
    /// If the item is damaged.
    pub fn item(&self, stored: &[u8]) -> rusqlite::Result<Box<str>> {
        let bytes = match stored.split_first() {
            Some((&PLAIN, item)) => Some(item.to_vec()),
            Some((&LZ4, rest)) => self.decompressed(rest),
            _ => None,
        };
        let item = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        item.map(Into::into).ok_or_else(damaged)
    }

    fn decompressed(&self, mut stored: &[u8]) -> Option<Vec<u8>> {
        let size = usize::try_from(take_varint(&mut stored)?).ok()?;
        if size > stored.len().saturating_mul(MAX_RATIO) {
            return None;
        }
        let item = lz4_flex::block::decompress_with_dict(stored, size, &self.dictionary()).ok()?;
        (item.len() == size).then_some(item)
    }
}

fn damaged() -> rusqlite::Error {
    let error = ffi::Error::new(ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(error, Some("an item cannot be decompressed".to_owned()))
}

/// Appends a number: seven bits a byte, the lowest first, and the highest bit of all bytes but the last set.
pub(super) fn push_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(u8::try_from(value & 0x7F).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    to.push(u8::try_from(value).unwrap_or_default());
}

/// Takes a number from the beginning of `from`; `None` if it does not end.
pub(super) fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: ItemColumns<'_> = ItemColumns {
        conversation: "8:live:anna",
        id: "1484062846218",
        at: 1_484_062_846_206,
        sender: "8:live:anna",
        client_id: Some("2041829910233"),
        kind: "RichText",
        text: "Tea at five?",
    };

    const ITEM: &str = concat!(
        r#"{"id":"1484062846218","originalarrivaltime":"2017-01-10T15:40:46.206Z","messagetype":"RichText","#,
        r#""version":"1484062846218","composetime":"2017-01-10T15:40:46.180Z","clientmessageid":"2041829910233","#,
        r#""conversationLink":"https://db5-client-s.gateway.messenger.live.com/v1/users/ME/conversations/8:live:anna","#,
        r#""content":"Tea at <b>five</b>?","type":"Message","conversationid":"8:live:anna","from":"https://db5-client-s"#,
        r#".gateway.messenger.live.com/v1/users/ME/contacts/8:live:anna","imdisplayname":"Anna"}"#,
    );

    #[test]
    fn an_item_takes_a_fifth_of_its_size() {
        let stored = COLUMNS.compressed(ITEM);
        assert_eq!(&*COLUMNS.item(&stored).unwrap(), ITEM);
        assert!(stored.len() * 5 < ITEM.len(), "{} of {}", stored.len(), ITEM.len());
    }

    #[test]
    fn what_an_earlier_version_of_this_program_stored_can_be_read() {
        let stored = concat!(
            "01f1030fdc018a30313830380202fb00009401045c080fdc0118426462352d41000f3c011a0509040c410100580109e001bf3c623e66",
            "6976653c2f623ee701300faf00240feb011160416e6e61227d",
        );
        let pairs = stored.as_bytes().chunks(2);
        let pairs = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
        let stored: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        assert_eq!(&*COLUMNS.item(&stored).unwrap(), ITEM);
    }

    proptest! {
        #[test]
        fn every_item_is_read_as_it_was_written(
            item in ".{0,300}",
            text in ".{0,80}",
            at in proptest::num::i64::ANY,
            repeated in 0usize..400,
        ) {
            let item = item.repeat(1 + repeated);
            let columns = ItemColumns { at, text: &text, ..COLUMNS };
            prop_assert_eq!(&*columns.item(&columns.compressed(&item)).unwrap(), item.as_str());
        }

        #[test]
        fn damaged_bytes_are_an_error_or_another_text(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
            place in 0usize..40,
        ) {
            let _ = COLUMNS.item(&bytes);
            let mut stored = COLUMNS.compressed(ITEM);
            let place = place % stored.len();
            stored.splice(place..place, bytes);
            let _ = COLUMNS.item(&stored);
        }
    }

    #[test]
    fn a_size_that_is_too_large_is_damage() {
        let mut stored = vec![LZ4];
        push_varint(&mut stored, u64::MAX / 2);
        stored.extend([0; 40]);
        assert!(COLUMNS.item(&stored).is_err());
        assert!(COLUMNS.item(&[]).is_err());
        assert!(COLUMNS.item(&[9, b'{', b'}']).is_err());
    }
}
