//! Whether the text that is being typed is code.

use super::{CODE, FENCE, TICK, read, ticks};
use crate::model::rich::Block;

/// Whether text that is typed after this text is code, provided that the code is ended later.
pub fn is_in_code(text: &str) -> bool {
    let fence = text.lines().map(ticks).max().unwrap_or_default().max(FENCE.len());
    let line = text.rsplit('\n').next().unwrap_or_default();
    let mut runs: Vec<usize> = line.split(|c| c != TICK).map(str::len).collect();
    runs.sort_unstable();
    runs.dedup();
    let row = |length: &usize| TICK.to_string().repeat(*length);
    let mut ends = vec![CODE.to_owned(), format!("\n{}", row(&fence))];
    ends.extend(runs.iter().filter(|length| **length > 0).take(4).map(row));
    // An end marker that ends no code is text itself, and comes last.
    ends.iter().any(|end| match read(&format!("{text}x{end}"), &[]).blocks.last() {
        Some(Block::Code { text, .. }) => text.ends_with('x'),
        Some(Block::Paragraph { spans, .. }) => {
            spans.last().is_some_and(|span| span.style.mono && span.text.ends_with('x'))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_beginning_of_code_is_code() {
        for text in [
            "`a ",
            "a (`` b` ",
            "```\n",
            "````md\n```\na ",
            "{code}a\n b ",
            "`a` `b ",
            "see\n```c++\n\n",
        ] {
            assert!(is_in_code(text), "{text:?}");
        }
        for text in [
            "",
            "it`s ",
            "`a` ",
            "```two words\n",
            "````md\n```\n````\na ",
            "{code}a{code} ",
            "a```\n",
        ] {
            assert!(!is_in_code(text), "{text:?}");
        }
    }
}
