//! Formatted text to `RichText` markup: the reader's counterpart, for every tag it knows (facts 4.1).

use crate::model::{Align, Attribution, Block, Link, Rgb, RichText, Span, SpanStyle};
use crate::protocol::entity::escape;

/// Writes markup that reads back as the same text.
pub fn write(rich: &RichText) -> String {
    let mut out = String::new();
    blocks(&rich.blocks, &mut out);
    out
}

fn blocks(list: &[Block], out: &mut String) {
    let mut after_paragraph = false;
    for block in list {
        match block {
            Block::Paragraph { align, spans } => {
                let centred = *align == Align::Centre;
                // Two paragraphs come from what stood between them and is gone: a line break keeps them apart.
                if after_paragraph && !centred {
                    out.push('\n');
                }
                out.push_str(if centred { "<center>" } else { "" });
                for item in spans {
                    span(item, out);
                }
                out.push_str(if centred { "</center>" } else { "" });
                after_paragraph = !centred;
            }
            Block::Quote { from, body } => {
                out.push_str("<quote");
                if let Some(from) = from {
                    attribution(from, out);
                }
                out.push('>');
                blocks(body, out);
                out.push_str("</quote>");
                after_paragraph = false;
            }
            Block::Code(code) => {
                out.push_str("<pre raw_pre=\"{code}\" raw_post=\"{code}\">");
                out.push_str(&escape(code));
                out.push_str("</pre>");
                after_paragraph = false;
            }
        }
    }
}

fn attribution(from: &Attribution, out: &mut String) {
    let author = from.author.as_ref().map(|a| a.as_str().trim_start_matches("8:").to_owned());
    let seconds = from.at.map(|at| (at.0 / 1000).to_string());
    for (name, value) in [
        ("author", author.as_deref()),
        ("authorname", Some(from.name.as_str())),
        ("conversation", from.conversation.as_deref()),
        ("timestamp", seconds.as_deref()),
        ("messageid", from.message.as_deref()),
        ("cuid", from.client_id.as_deref()),
    ] {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            out.push_str(&format!(" {name}=\"{}\"", escape(value)));
        }
    }
}

fn span(span: &Span, out: &mut String) {
    let mut s = span.style;
    if s.mono && span.text.contains('\n') {
        // Read again it is a block of its own, which has no other style.
        s = SpanStyle { mono: true, ..SpanStyle::default() };
    }
    // The host beside a label is made by the reader.
    if s.dim && matches!(span.link, Some(Link::Url(_))) {
        return;
    }
    let mut open = String::new();
    let mut close = String::new();
    let mut tag = |start: String, end: &str| {
        open.push_str(&start);
        close.insert_str(0, end);
    };
    for (on, name, marker) in
        [(s.bold, "b", "*"), (s.italic, "i", "_"), (s.strike, "s", "~"), (s.mono, "pre", "{code}")]
    {
        if on {
            let end = format!("</{name}>");
            tag(format!("<{name} raw_pre=\"{marker}\" raw_post=\"{marker}\">"), &end);
        }
    }
    if s.underline {
        tag("<u>".into(), "</u>");
    }
    if s.blink {
        tag("<blink>".into(), "</blink>");
    }
    if let Some(Rgb(r, g, b)) = s.color {
        tag(format!("<font color=\"#{r:02x}{g:02x}{b:02x}\">"), "</font>");
    }
    if let Some(size) = s.size {
        tag(format!("<font size=\"{size}\">"), "</font>");
    }
    match &span.link {
        // White space is no label.
        Some(Link::Url(_)) if span.text.trim().is_empty() => {}
        Some(Link::Url(url)) => tag(format!("<a href=\"{}\">", escape(url)), "</a>"),
        Some(Link::Mention(id)) => tag(format!("<at id=\"{}\">", escape(id.as_str())), "</at>"),
        Some(Link::Emoticon(name)) => match name.strip_prefix("flag:") {
            Some(country) => tag(format!("<flag country=\"{}\">", escape(country)), "</flag>"),
            None => tag(format!("<ss type=\"{}\">", escape(name)), "</ss>"),
        },
        None => {}
    }
    out.push_str(&open);
    out.push_str(&escape(&span.text));
    out.push_str(&close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::richtext;
    use proptest::prelude::*;

    #[test]
    fn every_known_tag_is_written_back_as_it_was_read() {
        for markup in [
            "<b>b</b><i>i</i><u>u</u><s>s</s><blink>k</blink>",
            "<font color=\"#ff8000\">c</font><font size=\"24\">z</font>",
            "left<center>middle</center>right",
            "<a href=\"https://a.example/?x=1&amp;y\">label</a> https://b.example",
            "<pre>one line</pre> and <pre>two\n  lines</pre>",
            "<at id=\"8:joe.4\">Joe</at> <at id=\"*\">all</at>",
            "<quote author=\"joe.4\" authorname=\"Joe &amp; co\" timestamp=\"1600000000\" messageid=\"5\" cuid=\"7\">q</quote>a",
            "<ss type=\"smile\">:)</ss> <flag country=\"gb\">(flag:gb)</flag>",
            "a &lt;b&gt; &amp;amp; \"'",
        ] {
            let read = richtext::parse(markup);
            assert_eq!(richtext::parse(&write(&read)), read, "{markup}");
        }
    }

    proptest! {
        #[test]
        fn reading_and_writing_back_is_a_fixed_point(
            markup in "(<b>|</b>|<i>|</i>|<u>|<center>|</center>|<font size=\"9\">|</font>|<quote authorname=\"J\">|</quote>|<pre>|</pre>|<at id=\"8:a\">|</at>|<ss type=\"hi\">|</ss>|[a-c ]|&lt;|\n){0,18}"
        ) {
            let once = write(&richtext::parse(&markup));
            let twice = write(&richtext::parse(&once));
            prop_assert_eq!(twice, once);
        }
    }
}
