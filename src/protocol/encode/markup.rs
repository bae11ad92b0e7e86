//! Writes formatted text as `RichText` markup, the counterpart of [`richtext`](crate::protocol::richtext) (facts 4.1).

use crate::model::{Align, Attribution, Block, Link, Rgb, RichText, Span, UserId};
use crate::protocol::entity::escape;
use crate::protocol::richtext::{Meaning, TAGS};

/// Writes markup that parses to the same text.
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
                // Something between two paragraphs was dropped: a line break keeps them apart.
                if after_paragraph && !centred {
                    out.push('\n');
                }
                out.push_str(if centred { "<center>" } else { "" });
                linked(spans, out);
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
            Block::Code { text, language: None } => {
                out.push_str("<pre raw_pre=\"{code}\" raw_post=\"{code}\">");
                out.push_str(&escape(text));
                out.push_str("</pre>");
                after_paragraph = false;
            }
            Block::Code { text, language: Some(language) } => {
                let name = escape(language);
                out.push_str(&format!(
                    "<pre class=\"language-{name}\" raw_pre=\"```{name}\n\" raw_post=\"\n```\">"
                ));
                out.push_str(&escape(text));
                out.push_str("</pre>");
                after_paragraph = false;
            }
            Block::Media(media) => {
                if after_paragraph {
                    out.push('\n');
                }
                out.push_str(&escape(&media.text()));
                after_paragraph = true;
            }
        }
    }
}

fn attribution(from: &Attribution, out: &mut String) {
    let author = from.author.as_ref().map(UserId::without_prefix);
    let seconds = from.at.map(|at| (at.0 / 1000).to_string());
    for (name, value) in [
        ("author", author),
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

/// Writes spans. Neighbours with the same address become one link.
fn linked(spans: &[Span], out: &mut String) {
    let mut open: Option<&Link> = None;
    for item in spans {
        let link = item.link.as_ref().filter(|link| matches!(link, Link::Url(_)));
        // The host after a label was inserted by the parser. It is not written, and ends the link.
        let made = item.style.dim && link.is_some();
        if open.is_some() && (made || open != link) {
            out.push_str("</a>");
            open = None;
        }
        if made {
            continue;
        }
        if let (None, Some(Link::Url(url))) = (open, link) {
            out.push_str(&format!("<a href=\"{}\">", escape(url)));
            open = link;
        }
        span(item, out);
    }
    if open.is_some() {
        out.push_str("</a>");
    }
}

fn span(span: &Span, out: &mut String) {
    let s = span.style;
    let mut open = String::new();
    let mut close = String::new();
    let mut tag = |start: String, end: &str| {
        open.push_str(&start);
        close.insert_str(0, end);
    };
    for (names, meaning) in TAGS {
        let (on, marker) = match meaning {
            Meaning::Style { field, typed } => (*field(&mut s.clone()), *typed),
            Meaning::Pre => (s.mono, Some("{code}")),
            _ => continue,
        };
        if let Some(name) = names.first().filter(|_| on) {
            let raw =
                marker.map(|m| format!(" raw_pre=\"{m}\" raw_post=\"{m}\"")).unwrap_or_default();
            tag(format!("<{name}{raw}>"), &format!("</{name}>"));
        }
    }
    if let Some(Rgb(r, g, b)) = s.color {
        tag(format!("<font color=\"#{r:02x}{g:02x}{b:02x}\">"), "</font>");
    }
    if let Some(size) = s.size {
        tag(format!("<font size=\"{size}\">"), "</font>");
    }
    match &span.link {
        Some(Link::Mention(id)) => tag(format!("<at id=\"{}\">", escape(id.as_str())), "</at>"),
        Some(Link::Emoticon(name)) => match name.strip_prefix("flag:") {
            Some(country) => tag(format!("<flag country=\"{}\">", escape(country)), "</flag>"),
            None => tag(format!("<ss type=\"{}\">", escape(name)), "</ss>"),
        },
        // Written by `linked`.
        Some(Link::Url(_)) | None => {}
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
            "<a href=\"https://a.example/?x=1&amp;y\">la<b>be</b>l</a> https://b.example",
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

    #[test]
    fn every_style_of_the_tag_table_is_written_back_by_the_name_it_is_read_by() {
        let mut styles = 0;
        for (names, meaning) in TAGS {
            let Meaning::Style { field, .. } = meaning else { continue };
            for name in *names {
                let read = richtext::parse(&format!("<{name}>x</{name}>"));
                let written = write(&read);
                assert!(written.contains(&format!("</{}>", names[0])), "{name}: {written}");
                let Some(Block::Paragraph { spans, .. }) = read.blocks.first() else {
                    panic!("{name} is no style of a text")
                };
                assert!(*field(&mut spans[0].style.clone()), "{name}");
                assert_eq!(richtext::parse(&written), read, "{name}");
            }
            styles += 1;
        }
        assert!(styles >= 5, "the table has its styles");
    }

    /// Well-formed markup of the known tags, nested in any way.
    fn tree() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[a-c &]{1,6}".prop_map(|text| escape(&text)),
            Just("a\nb".to_owned()),
            Just("<pre>one  line</pre>".to_owned()),
            Just("<pre>two\n  lines</pre>".to_owned()),
            Just("<ss type=\"smile\">:)</ss>".to_owned()),
            Just("<flag country=\"gb\">(flag:gb)</flag>".to_owned()),
            Just("<at id=\"8:joe.4\">Joe</at>".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let tags = [
                ("<b>", "</b>"),
                ("<i>", "</i>"),
                ("<u>", "</u>"),
                ("<s>", "</s>"),
                ("<blink>", "</blink>"),
                ("<font color=\"#ff8000\">", "</font>"),
                ("<font size=\"24\">", "</font>"),
                (
                    "<quote author=\"joe.4\" authorname=\"Joe\" timestamp=\"1600000000\">",
                    "</quote>",
                ),
            ];
            (proptest::collection::vec(inner, 1..4), proptest::sample::select(tags.to_vec()))
                .prop_map(|(parts, (open, close))| format!("{open}{}{close}", parts.concat()))
        })
    }

    proptest! {
        #[test]
        fn reading_and_writing_back_is_a_fixed_point(parts in proptest::collection::vec(tree(), 1..4)) {
            let read = richtext::parse(&parts.concat());
            prop_assert_eq!(richtext::parse(&write(&read)), read);
        }
    }
}
