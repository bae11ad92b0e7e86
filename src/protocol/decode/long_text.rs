//! Texts too long for anybody to read to the end. Drawing one of several megabytes takes many times its size in memory,
//! so only its beginning is decoded; all of it is stored.

use crate::model::{Align, Block, MessageBody, SafeText, Span, SpanStyle, human_size};

/// The maximum number of bytes of a text that are shown: about a hundred book pages.
const MAX_SHOWN: usize = 256 * 1024;

/// The part of a text that is shown, and the number of bytes after it.
pub(super) fn shown_part(content: &str) -> (&str, usize) {
    if content.len() <= MAX_SHOWN {
        return (content, 0);
    }
    let boundary = (0..=MAX_SHOWN).rev().find(|at| content.is_char_boundary(*at)).unwrap_or(0);
    let shown = content.get(..boundary).unwrap_or_default();
    // Not in the middle of a word.
    let end = shown.rfind(char::is_whitespace).filter(|end| *end > 0).unwrap_or(shown.len());
    let shown = shown.get(..end).unwrap_or(shown);
    (shown, content.len() - shown.len())
}

/// Adds a note to a text saying how many of its bytes are not shown.
pub(super) fn with_rest(mut body: MessageBody, rest: usize) -> MessageBody {
    if rest > 0
        && let MessageBody::Text(rich)
        | MessageBody::Emote(rich)
        | MessageBody::Unknown { text: rich, .. } = &mut body
    {
        let text =
            format!("… {} more of this message is stored but not shown", human_size(rest as u64));
        let style = SpanStyle { dim: true, ..SpanStyle::default() };
        let span = Span { text: SafeText::line(&text), style, link: None };
        rich.blocks.push(Block::Paragraph { align: Align::Left, spans: vec![span] });
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_megabytes_shows_its_beginning_and_says_how_much_is_left() {
        let item = |kind: &str, content: &str| {
            let item = serde_json::json!({
                "id": "1600000000000", "messagetype": kind, "content": content, "from": "8:joe.4",
                "conversationid": "8:joe.4",
            });
            let raw = crate::protocol::wire::raw_message(&item.to_string(), None).unwrap();
            let body = crate::protocol::decode::message(&raw, &"8:anna.7".into()).body;
            body.text(&|id| SafeText::line(id.bare()))
        };
        for kind in ["Text", "RichText", "RichText/Html", "Unheard/Of"] {
            for word in ["wörd ", "漢", "<b>x</b>"] {
                let shown = item(kind, &word.repeat((3 << 20) / word.len()));
                assert!(shown.len() <= MAX_SHOWN + 100, "{kind}: {}", shown.len());
                assert!(shown.len() > MAX_SHOWN / 10, "{kind}: {}", shown.len());
                assert!(shown.ends_with("more of this message is stored but not shown"), "{kind}");
            }
        }
        assert!(item("Text", &"words".repeat(50_000)).ends_with("words"), "this is not too long");
    }
}
