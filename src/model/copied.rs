//! Messages as they are copied: plain text in which a label is followed by the address it leads to.

use super::body::MessageBody;
use super::id::UserId;
use super::rich::{Block, Link, RichText, Span};
use super::text::SafeText;

impl MessageBody {
    /// The text to copy.
    pub fn copied(&self, name: &dyn Fn(&UserId) -> SafeText) -> String {
        match self {
            Self::Text(rich) | Self::Emote(rich) => rich.copied(),
            Self::Labelled { label, text } => format!("[{label}] {}", text.copied()),
            Self::Card(card) => card.rich().copied(),
            Self::Poll(poll) => poll.rich().copied(),
            body => {
                let mut text = body.text(name);
                for link in body.links() {
                    if !text.contains(link.as_str()) {
                        text.push_str(&format!(" ({link})"));
                    }
                }
                text
            }
        }
    }
}

impl RichText {
    /// The plain text, with the addresses of links whose label is something else.
    pub fn copied(&self) -> String {
        let mut out = String::new();
        blocks(&self.blocks, &mut out);
        out
    }
}

fn blocks(list: &[Block], out: &mut String) {
    for (i, block) in list.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        match block {
            Block::Paragraph { spans: list, .. } => spans(list, out),
            Block::Quote { from, body } => {
                if let Some(from) = from {
                    out.push_str(&format!("{}: ", from.name));
                }
                blocks(body, out);
            }
            Block::Code { text, .. } => out.push_str(text),
            Block::Media(media) => {
                out.push_str(&media.text());
                if let Some(link) = &media.link {
                    out.push_str(&format!(" ({link})"));
                }
            }
        }
    }
}

/// The address of a link follows its label once, however many pieces the label has.
fn spans(list: &[Span], out: &mut String) {
    let mut label = String::new();
    for (i, span) in list.iter().enumerate() {
        out.push_str(&span.text);
        let Some(Link::Url(url)) = &span.link else { continue };
        label.push_str(&span.text);
        if list.get(i + 1).is_some_and(|next| next.link == span.link) {
            continue;
        }
        if !is_same(&label, url) {
            out.push_str(&format!(" ({url})"));
        }
        label.clear();
    }
}

/// Whether a label is the address itself, as people write it.
fn is_same(label: &str, url: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('/').to_lowercase();
        let rest = ["https://", "http://", "mailto:"].iter().find_map(|s| text.strip_prefix(s));
        rest.map(str::to_owned).unwrap_or(text)
    };
    bare(label) == bare(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Align, SpanStyle};

    fn link(text: &str, url: &str) -> Span {
        Span { text: text.into(), link: Some(Link::Url(url.into())), ..Span::default() }
    }

    fn copied(spans: Vec<Span>) -> String {
        RichText::from_spans(spans).copied()
    }

    #[test]
    fn a_label_is_followed_by_its_address_and_an_address_stands_once() {
        let see = || Span { text: "see ".into(), ..Span::default() };
        assert_eq!(
            copied(vec![see(), link("here", "https://a.example/x")]),
            "see here (https://a.example/x)"
        );
        for own in ["https://a.example/x", "a.example/x", "https://A.example/x/"] {
            assert_eq!(copied(vec![see(), link(own, "https://a.example/x")]), format!("see {own}"));
        }
        let bold = SpanStyle { bold: true, ..SpanStyle::default() };
        let second = Span { style: bold, ..link("bold", "https://a.example") };
        assert_eq!(
            copied(vec![link("very ", "https://a.example"), second]),
            "very bold (https://a.example)"
        );
    }

    #[test]
    fn a_label_in_a_quote_has_its_address_too() {
        let spans = vec![link("here", "https://a.example")];
        let inner = Block::Paragraph { align: Align::Left, spans };
        let rich = RichText { blocks: vec![Block::Quote { from: None, body: vec![inner] }] };
        assert_eq!(rich.copied(), "here (https://a.example)");
    }
}
