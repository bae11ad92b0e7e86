//! Formatted text: what every body becomes after decoding, before it is wrapped to a width.

use super::body::Media;
use super::id::UserId;
use super::text::SafeText;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A message's text with its formatting. Lines inside a paragraph are separated by `\n` in the spans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RichText {
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    Paragraph {
        align: Align,
        spans: Vec<Span>,
    },
    Quote {
        from: Option<Box<Attribution>>,
        body: Vec<Block>,
    },
    /// Preformatted text: spaces are kept, long lines are broken anywhere.
    Code {
        text: SafeText,
        /// The programming language, as the markup names it.
        language: Option<Box<str>>,
    },
    /// A file beside a text.
    Media(Box<Media>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Align {
    #[default]
    Left,
    Centre,
}

/// Who is quoted, as the `quote` tag says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    pub name: SafeText,
    pub author: Option<UserId>,
    pub at: Option<Timestamp>,
    /// The quoted message's server id, where the tag carries it.
    pub message: Option<Box<str>>,
    /// Its client id (`cuid`).
    pub client_id: Option<Box<str>>,
    /// The conversation it was said in, where that is another one.
    pub conversation: Option<Box<str>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub text: SafeText,
    pub style: SpanStyle,
    pub link: Option<Link>,
}

/// Styles: one field for each formatting tag of the reference page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanStyle {
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    pub mono: bool,
    pub blink: bool,
    pub dim: bool,
    pub color: Option<Rgb>,
    /// Points, as in `<font size="24">`.
    pub size: Option<u8>,
    /// Its role in source code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syntax: Option<SyntaxRole>,
}

/// The role of a part of source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyntaxRole {
    Keyword,
    /// Text in quotes.
    Quoted,
    Number,
    Comment,
    Function,
    Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rgb(pub u8, pub u8, pub u8);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// A target that passed the scheme check: http, https or mailto.
    Url(SafeText),
    Mention(UserId),
    /// An emoticon's name; the text is the content of its tag.
    Emoticon(SafeText),
}

/// The host a link leads to, to be shown beside a label that says something else.
pub fn host(url: &str) -> &str {
    // Not `split_once`, which sets up a search of its own for each URL.
    let colons = url.bytes().enumerate().filter(|(_, byte)| *byte == b':');
    let mut after = colons.filter_map(|(at, _)| url.get(at..)?.strip_prefix("://"));
    let rest = after.next().unwrap_or(url);
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// The language that a tag's classes name: `language-rust`, or `rust` alone.
pub fn language_of(classes: &str) -> Option<Box<str>> {
    let classes: Vec<&str> = classes.split_whitespace().collect();
    let prefixed = |class: &&str| {
        let name = class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-"));
        name.filter(|name| is_language(name)).map(Box::from)
    };
    let named = classes.iter().find_map(prefixed);
    named.or_else(|| match classes.as_slice() {
        [only] if is_language(only) && !only.starts_with("lang") => Some(Box::from(*only)),
        _ => None,
    })
}

/// Whether a word can be the name of a programming language.
pub fn is_language(word: &str) -> bool {
    let may_have = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '_' | '.');
    (1..=MAX_LANGUAGE).contains(&word.len()) && word.chars().all(may_have)
}

/// The longest name of a language in bytes.
const MAX_LANGUAGE: usize = 24;

impl RichText {
    /// Literal text without any formatting.
    pub fn plain(text: &str) -> Self {
        Self::from_spans(vec![Span { text: SafeText::text(text), ..Span::default() }])
    }

    pub fn from_spans(spans: Vec<Span>) -> Self {
        Self { blocks: vec![Block::Paragraph { align: Align::Left, spans }] }
    }

    /// The text without formatting: what is searched, copied, and what scroll offsets count in.
    pub fn plain_text(&self) -> String {
        let mut out = String::new();
        plain(&self.blocks, &mut out);
        out
    }

    /// [`RichText::plain_text`] with a bar before each quoted line, as on the screen: quoted text is not taken for the
    /// sender's own words.
    pub fn quoted_text(&self) -> String {
        let parts = self.blocks.iter().map(|block| match block {
            Block::Quote { .. } => {
                let quote = RichText { blocks: vec![block.clone()] }.plain_text();
                quote.lines().map(|line| format!("┃ {line}")).collect::<Vec<_>>().join("\n")
            }
            other => RichText { blocks: vec![other.clone()] }.plain_text(),
        });
        parts.collect::<Vec<_>>().join("\n")
    }

    /// [`RichText::plain_text`] without what is quoted, unless there is nothing else.
    pub fn answer_text(&self) -> String {
        let is_quote = |block: &Block| matches!(block, Block::Quote { .. });
        if !self.blocks.iter().any(is_quote) {
            return self.plain_text();
        }
        let own = self.blocks.iter().filter(|block| !is_quote(block)).cloned();
        let own = RichText { blocks: own.collect() };
        if own.is_blank() { self.plain_text() } else { own.plain_text() }
    }

    /// Whether there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        fn blank(blocks: &[Block]) -> bool {
            blocks.iter().all(|block| match block {
                Block::Paragraph { spans, .. } => spans.iter().all(|s| s.text.trim().is_empty()),
                Block::Quote { from, body } => from.is_none() && blank(body),
                Block::Code { text, .. } => text.trim().is_empty(),
                Block::Media(_) => false,
            })
        }
        blank(&self.blocks)
    }

    pub fn has_file(&self) -> bool {
        self.blocks.iter().any(|block| matches!(block, Block::Media(_)))
    }

    /// Link targets in reading order, each once.
    pub fn links(&self) -> Vec<SafeText> {
        let mut all = Vec::new();
        collect_links(&self.blocks, &mut all);
        let mut known = HashSet::new();
        all.into_iter().filter(|url| known.insert(*url)).cloned().collect()
    }

    /// Who is quoted first, where anyone is.
    pub fn quoted(&self) -> Option<&Attribution> {
        self.blocks.iter().find_map(|block| match block {
            Block::Quote { from, .. } => from.as_deref(),
            _ => None,
        })
    }

    pub fn has_emoticons(&self) -> bool {
        fn any(blocks: &[Block]) -> bool {
            blocks.iter().any(|block| match block {
                Block::Paragraph { spans, .. } => {
                    spans.iter().any(|span| matches!(span.link, Some(Link::Emoticon(_))))
                }
                Block::Quote { body, .. } => any(body),
                Block::Code { .. } | Block::Media(_) => false,
            })
        }
        any(&self.blocks)
    }

    /// Whether someone is mentioned, by name or with everyone.
    pub fn mentions(&self, who: &UserId) -> bool {
        self.has_mention(&|id| id == who || id.as_str() == "*")
    }

    /// Whether a mention in it is of exactly this id.
    pub fn names(&self, who: &UserId) -> bool {
        self.has_mention(&|id| id == who)
    }

    fn has_mention(&self, is_it: &dyn Fn(&UserId) -> bool) -> bool {
        self.blocks.iter().any(|block| match block {
            Block::Paragraph { spans, .. } => {
                spans.iter().any(|span| matches!(&span.link, Some(Link::Mention(id)) if is_it(id)))
            }
            // Being quoted is not being mentioned.
            Block::Quote { .. } | Block::Code { .. } | Block::Media(_) => false,
        })
    }
}

fn plain(blocks: &[Block], out: &mut String) {
    for (i, block) in blocks.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        match block {
            Block::Paragraph { spans, .. } => {
                out.reserve(spans.iter().map(|span| span.text.len()).sum());
                out.extend(spans.iter().map(|span| span.text.as_str()));
            }
            Block::Quote { from, body } => {
                if let Some(from) = from {
                    out.push_str(&from.name);
                    out.push_str(": ");
                }
                plain(body, out);
            }
            Block::Code { text, .. } => out.push_str(text),
            Block::Media(media) => out.push_str(&media.text()),
        }
    }
}

fn collect_links<'a>(blocks: &'a [Block], out: &mut Vec<&'a SafeText>) {
    for block in blocks {
        match block {
            Block::Paragraph { spans, .. } => {
                out.extend(spans.iter().filter_map(|span| match &span.link {
                    Some(Link::Url(url)) => Some(url),
                    _ => None,
                }));
            }
            Block::Quote { body, .. } => collect_links(body, out),
            Block::Code { .. } => {}
            Block::Media(media) => out.extend(&media.link),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_code_is_taken_only_where_it_is_named() {
        let of = |classes: &str| language_of(classes).map(String::from);
        assert_eq!(of("language-rust").as_deref(), Some("rust"));
        assert_eq!(of("hljs lang-c++ x").as_deref(), Some("c++"));
        assert_eq!(of("C#").as_deref(), Some("C#"));
        for none in ["", "a b", "language-", "language-<b>", "x y language-\u{1b}[1m"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(of(&"x".repeat(25)), None);
    }

    #[test]
    fn a_link_that_occurs_twice_is_listed_once_and_in_reading_order() {
        let link = |url: &str| Span { link: Some(Link::Url(url.into())), ..Span::default() };
        let inner = RichText::from_spans(vec![link("https://b"), link("https://a")]);
        let mut rich = RichText::from_spans(vec![link("https://a"), link("https://c")]);
        rich.blocks.push(Block::Quote { from: None, body: inner.blocks });
        let links: Vec<String> = rich.links().iter().map(ToString::to_string).collect();
        assert_eq!(links, ["https://a", "https://c", "https://b"]);
    }
}
