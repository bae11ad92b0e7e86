//! Which words of a text that is being written are checked.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Marks the line before and after a block of code.
const FENCE: &str = "```";
const CODE: &str = "{code}";
/// Formatting markers around a word.
const MARKERS: [char; 3] = ['*', '_', '~'];
/// Commands whose arguments are text.
const WITH_TEXT: [&str; 3] = ["me", "topic", "create"];

/// A word to be checked, by its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedWord {
    pub whole: Range<usize>,
    /// The parts between hyphens, if there are several: the word is correct if the whole is, or if all the parts are.
    pub parts: Vec<Range<usize>>,
}

/// The words to be checked in a part of a text, including those that only begin or end in it. Addresses, names after
/// `@`, commands, emoji, code, quoted lines, and words with digits or in capitals are not checked.
pub fn words_in(text: &str, place: &Range<usize>) -> Vec<CheckedWord> {
    let mut words = Vec::new();
    let mut is_code = false;
    let mut fence: Option<usize> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let ticks = line.len() - line.trim_start_matches('`').len();
        let is_fence = match fence {
            Some(ticks_before) => {
                let closes =
                    ticks >= ticks_before && line.trim_start_matches('`').trim().is_empty();
                if closes {
                    fence = None;
                }
                true
            }
            None if ticks >= FENCE.len() => {
                fence = Some(ticks);
                true
            }
            None => false,
        };
        if !is_fence {
            let is_here = start < place.end.max(place.start + 1) && end >= place.start;
            is_code = read_line(line, start, is_code, is_here.then_some((place, &mut words)));
        }
        if start > place.end {
            break;
        }
        start = end;
    }
    words.retain(|word: &CheckedWord| {
        word.whole.start <= place.end && word.whole.end >= place.start
    });
    words
}

/// Reads a line that begins at `start`, in code between `{code}` or not. Returns whether its end is in such code. Words
/// are only looked for where they are asked for.
fn read_line(
    line: &str,
    start: usize,
    mut is_code: bool,
    words: Option<(&Range<usize>, &mut Vec<CheckedWord>)>,
) -> bool {
    let Some((place, words)) = words else {
        return is_code ^ (line.matches(CODE).count() % 2 == 1);
    };
    let is_quoted = line.trim_start().starts_with('>');
    let from = if start == 0 && !is_code { after_command(line) } else { 0 };
    let mut at = 0;
    for part in line.split(CODE) {
        if !is_code && !is_quoted && at + part.len() > from {
            for range in outside_backticks(part) {
                let range = (at + range.start).max(from)..at + range.end;
                if let Some(prose) = line.get(range.clone()) {
                    read_prose(prose, start + range.start, place, words);
                }
            }
        }
        at += part.len() + CODE.len();
        is_code = !is_code;
    }
    // The last part has no marker after it.
    !is_code
}

/// Where the text begins in a line that is a command.
fn after_command(line: &str) -> usize {
    let Some(command) = line.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
        return 0;
    };
    let name = command.split_whitespace().next().unwrap_or_default();
    if WITH_TEXT.contains(&name) { 1 + name.len() } else { line.len() }
}

/// The parts of a line that are not code in backticks.
fn outside_backticks(line: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(open) = line.get(at..).and_then(|rest| rest.find('`')) {
        let open = at + open;
        let rest = line.get(open..).unwrap_or_default();
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        at = open + ticks;
        if let Some(end) = closing(line, at, ticks) {
            parts.push(from..open);
            (from, at) = (end, end);
        }
    }
    parts.push(from..line.len());
    parts
}

/// The end of code that began before `at` with this many backticks.
fn closing(line: &str, at: usize, ticks: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let rest = line.get(at..)?;
        let run = at + rest.find('`')?;
        let rest = line.get(run..)?;
        let length = rest.len() - rest.trim_start_matches('`').len();
        at = run + length;
        if length == ticks {
            return Some(at);
        }
    }
}

/// Finds the words of text without code that begins at `start`, but only those in this place: the line may be long.
fn read_prose(prose: &str, start: usize, place: &Range<usize>, words: &mut Vec<CheckedWord>) {
    let mut after_name = false;
    let mut at = 0;
    for token in prose.split_inclusive(char::is_whitespace) {
        let begin = at;
        at += token.len();
        if start + begin > place.end {
            break;
        }
        let token = token.trim_end();
        if token.is_empty() {
            continue;
        }
        let bare = token.trim_matches(MARKERS);
        if bare.trim_start_matches(['(', '"']).starts_with('@') {
            after_name = ends_open(token);
            continue;
        }
        // The rest of a name: "@Joe Bloggs".
        if after_name && bare.starts_with(char::is_uppercase) {
            after_name = ends_open(token);
            continue;
        }
        after_name = false;
        if start + at >= place.start && is_prose(bare) {
            let marks = token.len() - token.trim_start_matches(MARKERS).len();
            compounds(bare, start + begin + marks, words);
        }
    }
}

/// Whether a name can continue after this.
fn ends_open(token: &str) -> bool {
    token.ends_with(char::is_alphanumeric)
}

/// Whether something between spaces is text, and not an address, path, emoji, name or number.
fn is_prose(token: &str) -> bool {
    let inner = token.trim_matches(|c: char| !c.is_alphanumeric());
    let has_inner = |sign: char| inner.contains(sign);
    let is_camel = || {
        inner.chars().zip(inner.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase())
    };
    !inner.is_empty()
        && !token.starts_with([':', '#', '$', '\\', '/'])
        && !token.contains("://")
        && !['@', '/', '\\', '_', '=', '.', ':', '<', '{', '~', '*'].into_iter().any(has_inner)
        && !token.chars().any(|c| c.is_ascii_digit() || c.is_numeric())
        && !is_camel()
}

/// The words of a token, those with hyphens as one.
fn compounds(token: &str, start: usize, words: &mut Vec<CheckedWord>) {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (at, word) in token.unicode_word_indices() {
        let place = start + at..start + at + word.len();
        let joins = |last: &Range<usize>| {
            let between = token.get(last.end - start..at);
            matches!(between, Some("-" | "\u{2010}" | "\u{2011}"))
        };
        if !parts.last().is_some_and(joins) {
            push(&mut parts, token, start, words);
        }
        parts.push(place);
    }
    push(&mut parts, token, start, words);
}

fn push(parts: &mut Vec<Range<usize>>, token: &str, start: usize, words: &mut Vec<CheckedWord>) {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
    let whole = first.start..last.end;
    let text = token.get(whole.start - start..whole.end - start).unwrap_or_default();
    let parts = std::mem::take(parts);
    if is_word(text) {
        let parts = if parts.len() > 1 { parts } else { Vec::new() };
        words.push(CheckedWord { whole, parts });
    }
}

/// Whether a word is one that dictionaries may know: several letters, not all of them capitals.
fn is_word(word: &str) -> bool {
    let letters = || word.chars().filter(|c| c.is_alphabetic());
    let is_ideograph = |c: char| matches!(c, '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..);
    letters().nth(1).is_some()
        && !letters().all(char::is_uppercase)
        && !word.chars().any(is_ideograph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<&str> {
        let found = words_in(text, &(0..text.len()));
        found.into_iter().map(|word| text.get(word.whole).unwrap()).collect()
    }

    #[test]
    fn words_of_text_are_checked_with_apostrophes_and_hyphens() {
        assert_eq!(
            words("Don't stop, it’s a well-known (truth)… \"quoted\"!"),
            ["Don't", "stop", "it’s", "well-known", "truth", "quoted"]
        );
        assert_eq!(words("*bold* _slanted_ ~gone~ re-"), ["bold", "slanted", "gone", "re"]);
        assert_eq!(words("Привет, мир! שלום עולם"), ["Привет", "мир", "שלום", "עולם"]);
        assert_eq!(words("naïve cafe\u{301}"), ["naïve", "cafe\u{301}"]);
        assert_eq!(words_in("well-known", &(0..10))[0].parts, [0..4, 5..10]);
    }

    #[test]
    fn what_is_not_prose_is_not_checked() {
        for text in [
            "https://exmaple.org/pth www.exmaple.org anna@exmaple.org exmaple.org",
            "@Joe Bloggs",
            "@mia",
            ":smlie: :smlie",
            "#genral",
            "src/mian.rs snake_caes camelCaes $HMOE",
            "mp3x 2nd 10kgg",
            "NASAA HTTPX",
            "a I",
            "日本語 안녕하세요",
            "/open genral",
            "{code}teh{code} `teh` ``a ` teh``",
            "{code}teh\nteh",
            "```\nteh\n``\n```` \n",
            "```rust\nteh",
            "> teh words of somebody",
        ] {
            assert_eq!(words(text), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(words("/me wvaes"), ["wvaes"]);
        assert_eq!(words("//hello there"), Vec::<&str>::from(["there"]));
        assert_eq!(words("@Joe Bloggs, hello"), ["hello"]);
        assert_eq!(words("```\na\n```\nafter `x` it"), ["after", "it"]);
        assert_eq!(words("{code}a{code} after a ` tick"), ["after", "tick"]);
    }

    #[test]
    fn only_the_words_of_a_part_are_looked_for_and_what_stands_before_it_counts() {
        let text = "one two three\nfour five\n";
        let part = |range: Range<usize>| -> Vec<&str> {
            words_in(text, &range).into_iter().map(|word| text.get(word.whole).unwrap()).collect()
        };
        assert_eq!(part(4..7), ["two"]);
        assert_eq!(part(5..6), ["two"]);
        assert_eq!(part(14..23), ["four", "five"]);
        let code = "{code}\nteh\n{code}\nteh";
        assert_eq!(words_in(code, &(7..10)), []);
        assert_eq!(words_in(code, &(18..21)).len(), 1);
    }

    proptest! {
        #[test]
        fn every_word_is_a_part_of_the_text(text in "([a-zé' `>/@:\\-\\n日]|\\{code\\}|```){0,60}", from in 0usize..60, length in 0usize..60) {
            for word in words_in(&text, &(from..from + length)) {
                prop_assert!(text.get(word.whole.clone()).is_some_and(|word| !word.is_empty()));
                for part in word.parts {
                    prop_assert!(text.get(part.clone()).is_some());
                    prop_assert!(word.whole.start <= part.start && part.end <= word.whole.end);
                }
            }
        }
    }
}
