//! How messages are shown: every kind of body as formatted text.

use super::rows::Pane;
use crate::app::account::Account;
use crate::model::{
    Align, Block, Link, Message, MessageBody, RichText, SafeText, Span, SpanStyle, UserId,
};

/// A message as formatted text.
pub fn presented(pane: &Pane<'_>, message: &Message) -> RichText {
    let (account, ui) = (pane.account, &pane.app.prefs.choices.ui);
    let name = |id: &UserId| account.distinct_name(id);
    let dim = SpanStyle { dim: true, ..SpanStyle::default() };
    let mut rich = match &message.body {
        MessageBody::Text(rich) => {
            let mut rich = rich.clone();
            tell_quoted_apart(account, &mut rich);
            rich
        }
        MessageBody::Emote(rich) => {
            let mut rich = rich.clone();
            let who = match &message.sender_name {
                Some(own) if !account.names.knows(&message.sender) => own.clone(),
                _ => account.names.distinct(&message.sender),
            };
            let span = Span {
                text: SafeText::text(&format!("* {who} ")),
                style: SpanStyle { italic: true, ..SpanStyle::default() },
                link: None,
            };
            put_first(&mut rich, span);
            rich
        }
        MessageBody::Deleted => RichText::from_spans(vec![Span {
            text: "— message removed —".into(),
            style: dim,
            link: None,
        }]),
        MessageBody::Card(card) => card.rich(),
        MessageBody::Poll(poll) => poll.rich(),
        MessageBody::Labelled { label, text } => {
            let mut rich = text.clone();
            let label = SafeText::text(&format!("[{label}] "));
            put_first(&mut rich, Span { text: label, style: dim, link: None });
            rich
        }
        MessageBody::Gap { closed } => {
            let text = if *closed {
                "┄┄ the server no longer has the messages in between ┄┄"
            } else {
                "┄┄ messages missing · Enter fetches them ┄┄"
            };
            let span = Span { text: text.into(), style: dim, link: None };
            RichText { blocks: vec![Block::Paragraph { align: Align::Centre, spans: vec![span] }] }
        }
        MessageBody::Unknown { .. }
        | MessageBody::Thread(_)
        | MessageBody::Call(_)
        | MessageBody::Deletes(_)
        | MessageBody::Hidden => {
            let text = SafeText::text(&message.body.text(&name));
            RichText::from_spans(vec![Span { text, style: dim, link: None }])
        }
        body => {
            let link = body.links().into_iter().next().map(Link::Url);
            RichText::from_spans(vec![Span {
                text: SafeText::text(&body.text(&name)),
                style: SpanStyle::default(),
                link,
            }])
        }
    };
    rich.show_emoji(ui.emoji, ui.emoji_width);
    if message.shows_edited() {
        let span = Span { text: " (edited)".into(), style: dim, link: None };
        match rich.blocks.last_mut() {
            Some(Block::Paragraph { spans, .. }) => spans.push(span),
            _ => rich.blocks.push(Block::Paragraph { align: Align::Left, spans: vec![span] }),
        }
    }
    rich
}

/// Adds the ids of quoted people whose names are shared by others.
fn tell_quoted_apart(account: &Account, rich: &mut RichText) {
    for block in &mut rich.blocks {
        if let Block::Quote { from: Some(from), .. } = block
            && let Some(author) = from.author.as_ref().filter(|id| **id != account.me)
            && account.names.is_shared(author)
        {
            from.name = account.names.label(author);
        }
    }
}

fn put_first(rich: &mut RichText, span: Span) {
    match rich.blocks.first_mut() {
        Some(Block::Paragraph { spans, .. }) => spans.insert(0, span),
        _ => rich.blocks.insert(0, Block::Paragraph { align: Align::Left, spans: vec![span] }),
    }
}
