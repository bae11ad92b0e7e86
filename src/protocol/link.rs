//! Links: which targets may be opened, and addresses in plain text.

pub use crate::model::rich::host;
use crate::model::{Link, SafeText, Span};

/// The maximum number of `a` tags that become links in one text, and of addresses that do in one span. The longest
/// message that the services accept, 28 kB, has room for a third as many; a hostile text must not become 100,000 spans.
pub const MAX_LINKS: usize = 10_000;

/// The target as safe text, if it may be opened: only http, https and mailto.
pub fn safe_target(raw: &str) -> Option<SafeText> {
    let raw = raw.trim();
    let begins = |scheme: &&str| {
        raw.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let known = ["http://", "https://", "mailto:"].iter().any(begins);
    let clean = SafeText::line(raw);
    let known = known && !host(raw).trim_start_matches("mailto:").is_empty();
    (known && clean.as_str() == raw && !raw.contains(' ')).then_some(clean)
}

/// Splits a span so that web addresses in its text become links. After [`MAX_LINKS`] links, the rest stays plain text.
pub fn linkify(span: Span, out: &mut Vec<Span>) {
    // Few spans have a colon, and a single byte is found faster than `://`.
    let may_have_address =
        memchr::memchr(b':', span.text.as_bytes()).is_some() && span.text.contains("://");
    if span.link.is_some() || !may_have_address {
        out.push(span);
        return;
    }
    let text = span.text.to_string();
    let mut rest = text.as_str();
    let (mut plain_end, mut left) = (0, MAX_LINKS);
    let part = |text: &str, link: Option<Link>| Span {
        text: SafeText::text(text),
        link,
        style: span.style,
    };
    while left > 0 {
        let Some((start, end)) = find_url(rest, plain_end) else { break };
        let url = rest.get(start..end).unwrap_or_default();
        match safe_target(url) {
            Some(target) => {
                if start > 0 {
                    out.push(part(rest.get(..start).unwrap_or_default(), None));
                }
                let text = if target.as_str() == url { target.clone() } else { url.into() };
                out.push(Span { text, link: Some(Link::Url(target)), style: span.style });
                rest = rest.get(end..).unwrap_or_default();
                plain_end = 0;
                left -= 1;
            }
            None => plain_end = end,
        }
    }
    if !rest.is_empty() {
        out.push(part(rest, None));
    }
}

/// The byte range of the first `http://` or `https://` address at or after `from`.
///
/// The linkify crate is not used, because it does not recognise hosts with an underscore or IPv6 addresses, and because
/// it treats an ideographic space as a part of the address.
fn find_url(text: &str, from: usize) -> Option<(usize, usize)> {
    let tail = text.get(from..)?;
    let start = tail.match_indices("://").find_map(|(at, _)| {
        let before = tail.get(..at)?.as_bytes();
        let scheme = ["https", "http"].iter().find(|scheme| {
            let begin = before.len().checked_sub(scheme.len());
            begin.is_some_and(|b| {
                before.get(b..).is_some_and(|s| s.eq_ignore_ascii_case(scheme.as_bytes()))
            })
        })?;
        Some(at - scheme.len())
    })?;
    let rest = tail.get(start..)?;
    let end = rest.find(ends_address).unwrap_or(rest.len());
    let url = without_punctuation(rest.get(..end)?);
    Some((from + start, from + start + url.len().max(1)))
}

/// A character that is never part of an address typed into text: space, quotation marks, brackets of any script, and
/// the punctuation of scripts that write no space after it.
fn ends_address(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, '\t'..='\r' | ' ' | '<' | '>' | '"' | '`');
    }
    c.is_whitespace()
        || matches!(c, '«' | '»' | '‹' | '›' | '\u{FFFD}')
        // Mathematical, editorial and ornamental brackets and quotation marks.
        || matches!(c, '\u{2045}' | '\u{2046}' | '\u{207D}' | '\u{207E}' | '\u{208D}' | '\u{208E}' | '\u{2308}'..='\u{230B}')
        || matches!(c, '\u{2329}' | '\u{232A}' | '\u{275B}'..='\u{2760}' | '\u{2768}'..='\u{2775}' | '\u{27E6}'..='\u{27EF}')
        || matches!(c, '\u{2983}'..='\u{2998}' | '\u{29D8}'..='\u{29DB}' | '\u{29FC}' | '\u{29FD}' | '\u{2E02}'..='\u{2E0D}')
        || matches!(c, '\u{2E1C}' | '\u{2E1D}' | '\u{2E20}'..='\u{2E29}' | '\u{2E42}' | '\u{2E55}'..='\u{2E5C}')
        || matches!(c, '\u{2018}'..='\u{201F}' | '\u{2039}' | '\u{203A}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{301F}')
        || matches!(c, '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF65}')
        || matches!(c, '—' | '―' | '\u{2E3A}' | '\u{2E3B}' | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE4F}')
}

/// An address without trailing punctuation, and without closing brackets that are not opened in it.
fn without_punctuation(url: &str) -> &str {
    const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
    if url.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '/') {
        return url;
    }
    let count = |wanted: char| url.chars().filter(|c| *c == wanted).count();
    // Numbers of closing brackets without an opening one. Counted once, so that the time stays linear.
    let mut unopened = BRACKETS.map(|(open, close)| count(close).saturating_sub(count(open)));
    let mut end = url.len();
    for (at, c) in url.char_indices().rev() {
        let bracket = BRACKETS.iter().zip(&mut unopened).find(|((_, close), _)| *close == c);
        match bracket {
            Some((_, left)) if *left > 0 => *left -= 1,
            None if is_punctuation(c) => {}
            _ => break,
        }
        end = at;
    }
    url.get(..end).unwrap_or_default()
}

/// Punctuation that may occur inside an address but at its end belongs to the sentence: Latin, Arabic, Armenian,
/// Ethiopic, Greek, Hebrew, Indic, Tibetan, Khmer, Burmese and others.
fn is_punctuation(c: char) -> bool {
    matches!(c,
        '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '…' | '–' | '·' | '・' | '•' | '‥' | '‼' | '⁇' | '⁈' | '⁉' | '¡' | '¿'
        | '\u{37E}' | '\u{387}' | '\u{55A}'..='\u{55F}' | '\u{589}' | '\u{5C3}' | '\u{60C}' | '\u{61B}' | '\u{61F}'
        | '\u{6D4}' | '\u{964}' | '\u{965}' | '\u{E2F}' | '\u{E5A}' | '\u{F08}'..='\u{F14}' | '\u{104A}' | '\u{104B}'
        | '\u{1361}'..='\u{1368}' | '\u{17D4}'..='\u{17D6}' | '\u{2E2E}' | '\u{203D}' | '\u{203B}'
        // N'Ko, Mongolian, Cham, Javanese, Balinese, Lepcha, Ol Chiki, Lisu, Vai, Saurashtra, Meetei Mayek, Syriac.
        | '\u{7F8}' | '\u{7F9}' | '\u{700}'..='\u{70C}' | '\u{1802}'..='\u{1805}' | '\u{1808}' | '\u{1809}'
        | '\u{1AA8}'..='\u{1AAB}' | '\u{1B5A}' | '\u{1B5B}' | '\u{1B5D}'..='\u{1B5F}' | '\u{1C3B}'..='\u{1C3F}'
        | '\u{1C7E}' | '\u{1C7F}' | '\u{A4FE}' | '\u{A4FF}' | '\u{A60D}'..='\u{A60F}' | '\u{A8CE}' | '\u{A8CF}'
        | '\u{A9C7}'..='\u{A9C9}' | '\u{AA5D}'..='\u{AA5F}' | '\u{ABEB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        linkify(Span { text: text.into(), ..Span::default() }, &mut out);
        let whole: String = out.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(whole, text, "no text is lost");
        out.iter()
            .filter_map(|s| match &s.link {
                Some(Link::Url(u)) => Some(u.to_string()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn addresses_end_before_punctuation() {
        assert_eq!(
            links("see https://a.example/x_(y), and (http://b.example)."),
            ["https://a.example/x_(y)", "http://b.example"]
        );
        assert_eq!(links("https:// http://"), Vec::<String>::new());
    }

    #[test]
    fn brackets_belong_to_an_address_that_opens_them() {
        assert_eq!(
            links("[see https://a.example/x[1]] or {https://b.example/{id}}, (https://c.example)"),
            ["https://a.example/x[1]", "https://b.example/{id}", "https://c.example"]
        );
        assert_eq!(
            links("https://[::1]/x https://a_b.example/\u{3000}後"),
            ["https://[::1]/x", "https://a_b.example/"]
        );
    }

    #[test]
    fn addresses_end_before_the_punctuation_of_any_script() {
        for after in [
            "。",
            "、",
            "，x",
            "）",
            "」です",
            "』",
            "】",
            "！",
            "？",
            "；",
            "：",
            "”",
            "“x",
            "’",
            "…",
            "—",
            "—and so on",
            "―x",
            "・",
            "–",
            "»",
            "›",
            "।",
            "؟",
            "،",
            "។",
            "။",
            "።",
            "\u{3000}x",
            "〉",
            "｣",
            "･",
            "…)",
            ".”",
            "`",
            "`, x",
            "⟩",
            "⟨x",
            "⸥",
            "❞",
            "⁆",
            "〛",
            "﹂",
            "＂",
            "„x",
            "‚x",
            "〟",
            "᠃",
            "꧉",
            "܀",
            "‽",
            "꘎",
            "᭞",
        ] {
            let text = format!("（https://a.example/b?c=d{after}");
            assert_eq!(links(&text), ["https://a.example/b?c=d"], "{after}");
        }
        // Letters of any script are part of an address, and so is punctuation inside it.
        assert_eq!(links("https://例え.example/パス・x"), ["https://例え.example/パス・x"]);
        assert_eq!(links("https://a.example/a–b…c"), ["https://a.example/a–b…c"]);
    }

    #[test]
    fn a_scheme_in_capital_letters_is_a_link() {
        assert_eq!(
            links("HTTPS://A.example and Http://b.example/X."),
            ["HTTPS://A.example", "Http://b.example/X"]
        );
    }

    #[test]
    fn hostile_text_is_searched_in_linear_time() {
        for pattern in ["http://a ", "https://a ", "://", "http://", "http://a)", ")", "https://(a"]
        {
            let text = format!("https://a{}", pattern.repeat(256 * 1024 / pattern.len()));
            let start = std::time::Instant::now();
            linkify(Span { text: text.as_str().into(), ..Span::default() }, &mut Vec::new());
            // A quadratic search needs more than this; the bound is loose so that a slow machine passes.
            assert!(start.elapsed().as_secs() < 2, "{pattern} took {:?}", start.elapsed());
        }
    }

    #[test]
    fn a_text_of_nothing_but_addresses_keeps_every_letter_and_has_a_limit_of_links() {
        let text = "http://a ".repeat(MAX_LINKS + 100);
        let mut out = Vec::new();
        linkify(Span { text: text.as_str().into(), ..Span::default() }, &mut out);
        let all: String = out.iter().map(|span| span.text.as_str()).collect();
        assert_eq!(all, text);
        assert_eq!(out.iter().filter(|span| span.link.is_some()).count(), MAX_LINKS);
    }

    #[test]
    fn only_three_schemes_are_followed() {
        assert!(safe_target("HTTPS://x.example").is_some());
        assert!(safe_target("mailto:a@b.example").is_some());
        for bad in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "skype:joe",
            "http://x\u{202e}y",
            "http://a b",
            "-x",
        ] {
            assert!(safe_target(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_host_is_what_follows_the_at_sign() {
        assert_eq!(host("https://bank.example@evil.example/x"), "evil.example");
    }
}
