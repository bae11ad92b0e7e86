//! A page that opens offline in any browser: no script, nothing from the network, and only the markup of messages that
//! the decoder knows.

use super::media::MediaView;
use super::{ExportChat, ExportItem, ExportWriter};
use crate::model::{Block, Link, MessageBody, RichText, Span};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\"/>
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:\"/>
<meta name=\"viewport\" content=\"width=device-width\"/>
<title>Conversations</title>
<style>
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font-size: 1rem; border-top: 1px solid #8886; padding-top: .6rem; margin: 1.6rem 0 .6rem; color: #888; }
article { margin: .15rem 0 .15rem 3.4rem; }
article > time { float: left; margin-left: -3.4rem; color: #888; font-variant-numeric: tabular-nums; }
article > div { white-space: pre-wrap; overflow-wrap: anywhere; }
b.name { color: #06a; }
b.me { color: #083; }
.system, .note { color: #888; font-style: italic; }
blockquote { margin: .2rem 0; padding-left: .7rem; border-left: 3px solid #8888; color: #777; }
pre { margin: .2rem 0; white-space: pre-wrap; }
img { display: block; max-width: 100%; max-height: 24rem; }
@media (prefers-color-scheme: dark) { b.name { color: #6bf; } b.me { color: #6c8; } }
</style>
</head>
<body>
";

pub struct Html;

/// Text in which nothing is markup.
fn escaped(text: &str) -> Cow<'_, str> {
    super::escaped(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    })
}

/// A path as a relative URL: every byte but those of plain names is percent-encoded.
fn url(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn span(span: &Span, out: &mut String) {
    let tags = super::style_tags(span.style);
    for tag in &tags {
        let _ = write!(out, "<{tag}>");
    }
    match &span.link {
        Some(Link::Url(target)) => {
            let target = escaped(target);
            let text = escaped(&span.text);
            let _ = write!(out, "<a href=\"{target}\" rel=\"noreferrer\">{text}</a>");
        }
        _ => out.push_str(&escaped(&span.text)),
    }
    for tag in tags.iter().rev() {
        let _ = write!(out, "</{tag}>");
    }
}

fn blocks(list: &[Block], out: &mut String) {
    for (at, block) in list.iter().enumerate() {
        match block {
            Block::Paragraph { spans, .. } => {
                if at > 0 && matches!(list.get(at - 1), Some(Block::Paragraph { .. })) {
                    out.push('\n');
                }
                for part in spans {
                    span(part, out);
                }
            }
            Block::Quote { from, body } => {
                out.push_str("<blockquote>");
                if let Some(from) = from {
                    let _ = write!(out, "<b>{}</b>: ", escaped(&from.name));
                }
                blocks(body, out);
                out.push_str("</blockquote>");
            }
            other @ Block::Media(_) => {
                let text = RichText { blocks: vec![other.clone()] }.plain_text();
                out.push_str(&escaped(&text));
            }
            Block::Code { text: code, .. } => {
                // A line break right after the tag is not part of the text.
                let _ = write!(out, "<pre>\n{}</pre>", escaped(code));
            }
        }
    }
}

fn rich(text: &RichText) -> String {
    let mut out = String::new();
    blocks(&text.blocks, &mut out);
    out
}

impl ExportWriter for Html {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(HEAD.as_bytes())
    }

    fn chat(&mut self, chat: &ExportChat<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<h1>{}</h1>", escaped(chat.title))
    }

    fn day(&mut self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<h2>{}</h2>", escaped(name))
    }

    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let message = item.message;
        write!(
            out,
            "<article><time datetime=\"{}\">{}</time>",
            message.at.rfc3339(),
            message.at.clock(chat.zone)
        )?;
        let sender = chat.sender(message);
        if let Some(name) = &sender {
            let class = if message.sender == *chat.me { "name me" } else { "name" };
            write!(out, "<b class=\"{class}\">{}</b>", escaped(name))?;
        }
        let class = if sender.is_some() { "" } else { " class=\"system\"" };
        let shown;
        let text = if let MessageBody::Text(text) = &message.body {
            Cow::Owned(rich(text))
        } else {
            shown = chat.text(message);
            escaped(&shown)
        };
        let edited =
            if message.shows_edited() { " <span class=\"note\">(edited)</span>" } else { "" };
        write!(out, "<div{class}>{text}{edited}</div>")?;
        media(item.media.view(), out)?;
        writeln!(out, "</article>")
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"</body>\n</html>\n")
    }
}

fn media(view: MediaView<'_>, out: &mut dyn Write) -> io::Result<()> {
    match view {
        MediaView::Picture(path) => {
            write!(out, "<div><img src=\"{}\" alt=\"\" loading=\"lazy\"/></div>", url(path))
        }
        MediaView::File(path) => write!(out, "<div><a href=\"{}\">file</a></div>", url(path)),
        MediaView::Missing(why) => write!(out, "<div class=\"note\">{}</div>", escaped(why)),
        MediaView::None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SafeText;

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        assert_eq!(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
        let span = Span {
            text: SafeText::text("<b>"),
            link: Some(Link::Url(SafeText::line("https://a.example/?\"onload=x"))),
            ..Span::default()
        };
        let html = rich(&RichText::from_spans(vec![span]));
        assert_eq!(
            html,
            "<a href=\"https://a.example/?&quot;onload=x\" rel=\"noreferrer\">&lt;b&gt;</a>"
        );
        assert_eq!(url("a b/\"x.png"), "a%20b/%22x.png");
    }
}
