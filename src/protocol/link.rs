//! Link targets: which may be followed, what their host is, and where they stand in plain text.

pub use crate::model::rich::host;
use crate::model::{Link, SafeText, Span};

/// The target, if its scheme is one we open: http, https or mailto.
pub fn safe_target(raw: &str) -> Option<SafeText> {
    let raw = raw.trim();
    let lower = raw.get(..8.min(raw.len())).unwrap_or(raw).to_ascii_lowercase();
    let known = ["http://", "https://", "mailto:"].iter().any(|s| lower.starts_with(s));
    let clean = SafeText::line(raw);
    let known = known && !host(raw).trim_start_matches("mailto:").is_empty();
    (known && clean.as_str() == raw && !raw.contains(' ')).then_some(clean)
}

/// Splits a span's text so that web addresses in it become links.
pub fn linkify(span: Span, out: &mut Vec<Span>) {
    if span.link.is_some() || !span.text.contains("://") {
        out.push(span);
        return;
    }
    let text = span.text.to_string();
    let mut rest = text.as_str();
    let mut plain_end = 0;
    let part = |text: &str, link: Option<Link>| Span {
        text: SafeText::text(text),
        link,
        style: span.style,
    };
    while let Some(found) = find_url(rest, plain_end) {
        let (start, end) = found;
        let url = rest.get(start..end).unwrap_or_default();
        match safe_target(url) {
            Some(target) => {
                if start > 0 {
                    out.push(part(rest.get(..start).unwrap_or_default(), None));
                }
                out.push(part(url, Some(Link::Url(target))));
                rest = rest.get(end..).unwrap_or_default();
                plain_end = 0;
            }
            None => plain_end = end,
        }
    }
    if !rest.is_empty() {
        out.push(part(rest, None));
    }
}

/// Byte range of the first `http://` or `https://` address at or after `from`.
fn find_url(text: &str, from: usize) -> Option<(usize, usize)> {
    let tail = text.get(from..)?;
    let starts = [tail.find("https://"), tail.find("http://")];
    let start = from + starts.into_iter().flatten().min()?;
    let rest = text.get(start..)?;
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
        .unwrap_or(rest.len());
    let mut url = rest.get(..end)?;
    while let Some(last) = url.chars().last() {
        let unbalanced = last == ')' && url.matches('(').count() < url.matches(')').count();
        if unbalanced || matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | ']' | '}') {
            url = url.strip_suffix(last)?;
        } else {
            break;
        }
    }
    Some((start, start + url.len().max(1)))
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
