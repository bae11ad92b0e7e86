//! The part of Markdown that cards use: links, bold words, and date functions.

use crate::model::{Align, Block, Link, RichText, SafeText, Span, SpanStyle};
use crate::protocol::{entity, link};

/// Text with `[label](address)` and `**bold**`. What is not understood stays as it was typed.
pub fn parse(text: &str) -> RichText {
    let text = entity::unescape(text);
    let text = with_dates(&text);
    let mut spans = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, label, url, after)) = next_link(rest) {
        words(before, &mut spans);
        let label = SafeText::text(label);
        spans.push(Span { text: label, link: Some(Link::Url(url)), ..Span::default() });
        rest = after;
    }
    words(rest, &mut spans);
    RichText { blocks: vec![Block::Paragraph { align: Align::Left, spans }] }
}

/// The first link: the text before it, its label, its address, and the text after it.
fn next_link(text: &str) -> Option<(&str, &str, SafeText, &str)> {
    for (middle, _) in text.match_indices("](").take(50) {
        let (head, tail) = (text.get(..middle)?, text.get(middle + 2..)?);
        let (Some(open), Some(close)) = (head.rfind('['), tail.find(')')) else { continue };
        let address = tail.get(..close)?.split(' ').next().unwrap_or_default();
        let label = head.get(open + 1..)?;
        if let Some(url) = link::safe_target(address).filter(|_| !label.trim().is_empty()) {
            return Some((head.get(..open)?, label, url, tail.get(close + 1..)?));
        }
    }
    None
}

/// Text with bold words and addresses in it.
fn words(text: &str, spans: &mut Vec<Span>) {
    let parts: Vec<&str> = text.split("**").collect();
    // An unpaired marker is just two asterisks.
    if parts.len().is_multiple_of(2) || parts.len() == 1 {
        if !text.is_empty() {
            link::linkify(Span { text: SafeText::text(text), ..Span::default() }, spans);
        }
        return;
    }
    for (i, part) in parts.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
        let style = SpanStyle { bold: i % 2 == 1, ..SpanStyle::default() };
        link::linkify(Span { text: SafeText::text(part), style, link: None }, spans);
    }
}

/// Replaces `{{DATE(2017-02-14T06:08:39Z, SHORT)}}` with the day or time itself.
fn with_dates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{") {
        let Some((call, after)) = tail.split_once("}}") else { break };
        out.push_str(before);
        let argument = |name: &str| call.trim().strip_prefix(name)?.strip_suffix(')');
        let moment = |text: &str| text.split(',').next().unwrap_or_default().trim().to_owned();
        match (argument("DATE("), argument("TIME(")) {
            (Some(date), _) => {
                out.push_str(moment(date).split('T').next().unwrap_or_default());
            }
            (None, Some(time)) => {
                let moment = moment(time);
                let clock = moment.split_once('T').map_or(moment.as_str(), |(_, clock)| clock);
                out.push_str(clock.get(..5).unwrap_or(clock));
            }
            (None, None) => out.push_str(call.trim()),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_bold_words_and_dates_are_read() {
        for (text, plain) in [
            ("see [the plan](https://a.example/x) now", "see the plan now"),
            ("**Due:** {{DATE(2017-02-14T06:08:39Z, SHORT)}}", "Due: 2017-02-14"),
            ("at {{TIME(2017-02-14T06:08:39Z)}}", "at 06:08"),
            ("2 ** 3", "2 ** 3"),
            ("[x](javascript:alert)", "[x](javascript:alert)"),
            ("a [b] (c)", "a [b] (c)"),
            ("{{open", "{{open"),
            ("Tom &amp; Ann", "Tom & Ann"),
        ] {
            assert_eq!(parse(text).plain_text(), plain, "{text}");
        }
        let links = parse("[a](https://a.example) and https://b.example").links();
        assert_eq!(links.len(), 2);
    }
}
