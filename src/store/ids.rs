//! Message ids in columns. Nearly all of them are numbers, which take half the space when they are stored as such.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// An id, or a client id, as the value of a column: a number if the id is written exactly like it, otherwise a string.
/// Two ids are equal if and only if their values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdValue<T>(pub T);

impl ToSql for IdValue<&str> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match number(self.0) {
            Some(number) => ToSqlOutput::from(number),
            None => ToSqlOutput::from(self.0),
        })
    }
}

impl FromSql for IdValue<String> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self(number.to_string())),
            ValueRef::Text(_) => Ok(Self(value.as_str()?.to_owned())),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

fn number(id: &str) -> Option<i64> {
    let is_written_like_a_number = match id.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_written_like_a_number.then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    fn stored(c: &Connection, id: &str) -> (String, String) {
        c.query_row("SELECT ?1, typeof(?1)", [IdValue(id)], |row| {
            Ok((row.get::<_, IdValue<String>>(0)?.0, row.get(1)?))
        })
        .unwrap()
    }

    #[test]
    fn an_id_is_a_number_only_if_nothing_of_it_is_lost() {
        let c = Connection::open_in_memory().unwrap();
        for id in ["0", "7", "1484062846218", "9223372036854775807"] {
            assert_eq!(stored(&c, id), (id.to_owned(), "integer".to_owned()));
        }
        for id in
            ["", "00", "07", "-1", "+1", " 1", "1 ", "9223372036854775808", "1e3", "1~8:joe", "٣"]
        {
            assert_eq!(stored(&c, id), (id.to_owned(), "text".to_owned()));
        }
    }

    proptest! {
        #[test]
        fn every_id_is_read_as_it_was_written(id in "[0-9]{0,22}|.{0,12}") {
            let c = Connection::open_in_memory().unwrap();
            prop_assert_eq!(stored(&c, &id).0, id);
        }
    }
}
