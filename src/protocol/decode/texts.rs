//! Messages of text: literal, or in Skype's markup.

use crate::model::{Align, Block, MediaKind, MessageBody, RichText, SafeText, Span};
use crate::protocol::wire::MessageExtras;
use crate::protocol::{entity, html, link, payload, richtext};

/// The content of `Text` is literal. On Teams hosts it contains the five XML entities, which are decoded (facts 7, row
/// 22).
pub(super) fn text(content: &str, extras: &MessageExtras<'_>) -> MessageBody {
    let decoded =
        if extras.is_of_teams() { entity::unescape_five(content) } else { content.into() };
    let rest = emote_text(&decoded, extras);
    // Most texts have no link.
    let mut spans = Vec::with_capacity(1);
    let span = Span { text: SafeText::text(rest.unwrap_or(&decoded)), ..Span::default() };
    link::linkify(span, &mut spans);
    let rich = RichText { blocks: vec![Block::Paragraph { align: Align::Left, spans }] };
    if rest.is_some() { MessageBody::Emote(rich) } else { MessageBody::Text(rich) }
}

/// Content without a truncated edit mark at its end.
fn without_cut_mark(content: &str) -> &str {
    // Searching forward is much faster, and few messages have the tag.
    if !content.contains("<e_m ") {
        return content;
    }
    match content.rsplit_once("<e_m ") {
        Some((before, mark)) if !mark.contains('>') => before,
        _ => content,
    }
}

/// The content of `RichText`: markup, or what some clients send instead.
pub(super) fn rich(
    content: &str,
    extras: &MessageExtras<'_>,
    mentioned: &richtext::MentionedPeople,
) -> MessageBody {
    let content = without_cut_mark(content);
    if let Some(rest) = emote_text(content, extras) {
        return MessageBody::Emote(richtext::parse(rest));
    }
    if let Some(poll) = payload::poll_in_text(content) {
        return poll;
    }
    let start = content.trim_start();
    if start.get(..10).is_some_and(|s| s.eq_ignore_ascii_case("<URIObject"))
        && let Some(body) = payload::uri_object(content, MediaKind::File)
    {
        return body;
    }
    if start.get(..14).is_some_and(|s| s.eq_ignore_ascii_case("<systemMessage")) {
        return super::system_line(None, content, "This chat was moved to a newer version");
    }
    if html::looks_like_html(content) {
        return MessageBody::Text(html::parse(content, mentioned));
    }
    let content = content.strip_prefix("Edited previous message: ").unwrap_or(content);
    if let Some(rich) = with_object(content, mentioned) {
        return MessageBody::Text(rich);
    }
    MessageBody::Text(richtext::parse_with(content, mentioned))
}

/// Text that contains a file: the file's label replaces it.
fn with_object(content: &str, mentioned: &richtext::MentionedPeople) -> Option<RichText> {
    const START: &str = "<uriobject";
    const END: &str = "</uriobject>";
    let begins = |at: &usize| {
        let tag = content.get(*at..at + START.len());
        tag.is_some_and(|tag| tag.eq_ignore_ascii_case(START))
    };
    let from = memchr::memchr_iter(b'<', content.as_bytes()).find(begins)?;
    let lower = content.to_ascii_lowercase();
    let to = lower.get(from..)?.find(END)? + from + END.len();
    let object = payload::uri_object(content.get(from..to)?, MediaKind::File)?;
    let mut blocks = richtext::parse_with(content.get(..from)?, mentioned).blocks;
    match object {
        MessageBody::Media(media) => blocks.push(Block::Media(Box::new(media))),
        MessageBody::Card(card) => blocks.extend(card.rich().blocks),
        MessageBody::Poll(poll) => blocks.extend(poll.rich().blocks),
        _ => return None,
    }
    blocks.extend(richtext::parse_with(content.get(to..)?, mentioned).blocks);
    Some(RichText { blocks })
}

/// The text of a `/me` message after the name (facts 3.1: `skypeemoteoffset`, in UTF-16 units as in the web client).
fn emote_text<'a>(content: &'a str, extras: &MessageExtras<'_>) -> Option<&'a str> {
    let offset = usize::try_from(extras.skypeemoteoffset.number()?).ok()?;
    let mut units = 0;
    let mut at = content.len();
    for (i, c) in content.char_indices() {
        if units >= offset {
            at = i;
            break;
        }
        units += c.len_utf16();
    }
    (offset > 0).then(|| content.get(at..).unwrap_or_default())
}
