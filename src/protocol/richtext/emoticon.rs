//! The content of an emoticon's tag (facts 4.1).

use crate::model::{Link, SafeText, Span};

/// The spans inside an emoticon's tag. The picture replaces its shortcut, but not words that are in the tag only
/// because its end is missing. `outer` is the link around it; without `ended`, the end is missing.
pub fn of_text(name: &str, spans: Vec<Span>, outer: Option<&Link>, ended: bool) -> Vec<Span> {
    let link = Some(Link::Emoticon(SafeText::line(name)));
    // Nearly always it is a shortcut alone, which has the link already.
    if let [only] = spans.as_slice()
        && ended
        && only.link == link
        && !only.text.trim().is_empty()
        && split(&only.text).1.is_empty()
    {
        return spans;
    }
    let is_blank = spans.iter().all(|span| span.text.trim().is_empty());
    if is_blank {
        let mut spans = spans;
        for span in &mut spans {
            span.link = outer.cloned();
        }
        if ended {
            let style = spans.first().map(|span| span.style).unwrap_or_default();
            spans.push(Span { text: SafeText::line(&format!("({name})")), style, link });
        }
        return spans;
    }
    let mut out = Vec::with_capacity(spans.len() + 1);
    let mut found = false;
    for span in spans {
        if found || span.text.trim().is_empty() {
            out.push(Span { link: outer.cloned(), ..span });
            continue;
        }
        found = true;
        let (first, rest) = split(&span.text);
        let link = if ended || is_shortcut(first, name) { link.clone() } else { outer.cloned() };
        out.push(Span { text: SafeText::text(first), style: span.style, link });
        if !rest.is_empty() {
            let link = outer.cloned();
            out.push(Span { text: SafeText::text(rest), style: span.style, link });
        }
    }
    out
}

/// The shortcut at the beginning, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let start = text.len() - text.trim_start().len();
    let words = text.get(start..).unwrap_or_default();
    let end = match words.find(')').filter(|_| words.starts_with('(')) {
        Some(close) => close + 1,
        None => words.find(char::is_whitespace).unwrap_or(words.len()),
    };
    text.split_at_checked(start + end).unwrap_or((text, ""))
}

/// Whether a text is what people type for an emoticon: `:)`, `(y)` or its name, but not a word.
fn is_shortcut(text: &str, name: &str) -> bool {
    let text = text.trim();
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    text.eq_ignore_ascii_case(name) || (text.starts_with('(') && text.ends_with(')')) || letters < 3
}
