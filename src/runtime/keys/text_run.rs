//! Finding text among the bytes of a terminal.

pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// The text at the front: printable characters, tabs and line breaks, and bytes of other encodings. An incomplete
/// character at the end is left out.
pub(super) fn text_run(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .position(|b| *b == 0x7f || *b < 0x20 && !matches!(b, b'\r' | b'\n' | b'\t'))
        .unwrap_or(bytes.len());
    let run = bytes.get(..end).unwrap_or_default();
    if end < bytes.len() {
        return run;
    }
    let from = end.saturating_sub(3);
    let torn = (from..end).find(|at| {
        let tail = run.get(*at..).unwrap_or_default();
        !tail.is_empty() && is_torn(tail)
    });
    run.get(..torn.unwrap_or(end)).unwrap_or_default()
}

/// The most text that can arrive at once after the Tab key if it was typed, even over a slow connection.
const TYPED_AFTER_TAB: usize = 15;

/// Whether text arrived at once before and after a tab. It may be pasted, or typed over a slow connection. A leading
/// tab may be the key, if little text follows it.
pub(super) fn has_inner_tab(run: &[u8]) -> bool {
    let is_text = |b: &u8| !is_break(*b) && *b != b'\t';
    if let Some((b'\t', rest)) = run.split_first() {
        let text = rest.iter().skip_while(|b| **b == b'\t').take_while(|b| is_text(b)).count();
        return text > TYPED_AFTER_TAB || has_inner_tab(rest);
    }
    let after = run.iter().skip_while(|b| !is_text(b)).skip_while(|b| **b != b'\t');
    run.first().is_some_and(is_text) && after.into_iter().any(is_text)
}

/// Whether the bytes are empty, or an incomplete character.
pub(super) fn is_torn(bytes: &[u8]) -> bool {
    bytes.is_empty()
        || std::str::from_utf8(bytes)
            .is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
}
