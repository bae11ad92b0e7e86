//! Character references, decoded once and leniently: what cannot be decoded is kept as it is (facts 4.3).
//!
//! The names come from quick-xml. Its own `unescape` is not used, because it fails at the first stray `&`.

use std::borrow::Cow;

/// The text of `&name;`, given without `&` and `;`.
pub fn decode(name: &str) -> Option<Cow<'static, str>> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(|c| Cow::Owned(c.to_string()));
    }
    if name == "nbsp" {
        return Some(Cow::Borrowed(" "));
    }
    quick_xml::escape::resolve_html5_entity(name).map(Cow::Borrowed)
}

/// Decodes every reference in an attribute value or a plain body.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // References are short. Without this limit, a text full of `&` would take quadratic time.
        let end = after.bytes().take(33).position(|b| b == b';');
        let decoded = end.and_then(|end| Some((decode(after.get(..end)?)?, after.get(end + 1..)?)));
        if let Some((text, tail)) = decoded {
            out.push_str(&text);
            rest = tail;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The five references of XML in plain text, and nothing else (facts 7, row 22).
pub fn unescape_five(raw: &str) -> Cow<'_, str> {
    const FIVE: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let known = FIVE.iter().find_map(|(name, text)| Some((*text, tail.strip_prefix(name)?)));
        let (text, after) = known.unwrap_or_else(|| ("&", tail.get(1..).unwrap_or_default()));
        out.push_str(text);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Escapes text and attribute values. quick-xml's own function also escapes carriage returns, which must stay as they
/// are in messages (facts 4.3).
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_references_decode_once_and_the_rest_stays() {
        assert_eq!(
            unescape("a &lt; b &amp;lt; &#39;&#x1F600; & &nope; &"),
            "a < b &lt; '😀 & &nope; &"
        );
        assert_eq!(unescape("&eacute;&nbsp;x"), "é x");
    }

    #[test]
    fn escaping_is_undone_by_unescaping() {
        let text = "<b a='1'> & \"x\"";
        assert_eq!(unescape(&escape(text)), text);
    }
}
