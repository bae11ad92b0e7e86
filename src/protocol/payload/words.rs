//! The human-readable part of unknown content.

use crate::model::UserId;
use base64::Engine as _;

/// Numbers of at least this many digits are times or ids.
const LONG_NUMBER: usize = 8;
/// Words of at least this many characters can be keys or encoded data.
const LONG_WORD: usize = 24;

/// Text in one line, without what is meant for programs: ids, times, keys, addresses of objects, JSON.
pub fn readable(text: &str) -> String {
    if text.trim_start().starts_with(['{', '[']) && text.trim_end().ends_with(['}', ']']) {
        return String::new();
    }
    let words = text.split_whitespace().filter(|word| !is_for_programs(word));
    words.collect::<Vec<_>>().join(" ")
}

fn is_for_programs(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    let is_number =
        digits >= LONG_NUMBER && bare.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ+".contains(&b));
    let is_hex =
        bare.len() >= 16 && digits > 0 && bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let id = UserId::new(word);
    is_number
        || is_hex
        || word.contains(['{', '}'])
        || id.is_addressable()
        || ["19:", "48:"].iter().any(|prefix| word.starts_with(prefix))
        || id.is_machine_made()
        || (bare.len() >= LONG_WORD && is_packed(bare))
        || is_padded(word)
}

/// Whether a word ends like base64 data and can be decoded as such, however short it is.
fn is_padded(word: &str) -> bool {
    word.len() >= 8
        && word.ends_with('=')
        && base64::engine::general_purpose::STANDARD.decode(word).is_ok()
}

/// Whether a word is base64 data rather than a word of a language.
fn is_packed(word: &str) -> bool {
    let in_alphabet = |b: u8| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b);
    let mixed = word.bytes().any(|b| b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_lowercase());
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    let decodes = || base64::engine::general_purpose::STANDARD.decode(word).is_ok();
    word.bytes().all(in_alphabet) && mixed && (has_digit || decodes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_what_is_for_programs_goes() {
        for (text, read) in [
            ("hello you", "hello you"),
            ("key QUJDREVGRw== for a=b", "key for a=b"),
            ("at 1600000000000 by 8:joe.4 in 19:a@thread.v2", "at by in"),
            ("00000000-0000-4000-8000-0000000000a7 joined", "joined"),
            ("{\"a\":1}", ""),
            ("[1,2]", ""),
            ("3 of 12 rooms in 2026", "3 of 12 rooms in 2026"),
            ("R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=", ""),
            ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffahrtsgesellschaft"),
            ("8:orgid:abc live:.cid.1f2e", ""),
        ] {
            assert_eq!(readable(text), read, "{text}");
        }
    }
}
