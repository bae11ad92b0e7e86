//! What the properties of a message carry besides its text: a subject, files, cards and links (facts 3.4).

use super::properties::list;
use crate::model::{
    Align, Block, Card, ExportedFile, Link, Media, MediaKind, MessageBody, RichText, SafeText,
    Span, SpanStyle,
};
use crate::protocol::wire::MessageProperties;
use crate::protocol::{entity, link, payload};
use serde_json::Value;

/// The maximum number of files and links that are shown for one message.
const MAX: usize = 50;

/// What is shown in addition to the text.
#[derive(Default)]
pub struct Attached {
    /// Subject and title, each once.
    headings: Vec<SafeText>,
    files: Vec<Media>,
    card: Option<Card>,
    /// Label and target.
    links: Vec<(SafeText, SafeText)>,
}

impl Attached {
    pub fn read(properties: &MessageProperties<'_>) -> Self {
        let mut headings: Vec<SafeText> = Vec::new();
        for text in [&properties.subject, &properties.title] {
            let heading = SafeText::line(entity::unescape(text.as_str()).trim());
            if !heading.is_empty() && !headings.contains(&heading) {
                headings.push(heading);
            }
        }
        let read = |raw: Option<&serde_json::value::RawValue>| {
            raw.map_or_else(Vec::new, |raw| list(raw.get()))
        };
        Self {
            headings,
            files: read(properties.files).iter().take(MAX).filter_map(file).collect(),
            card: payload::cards(&read(properties.cards)),
            links: read(properties.links).iter().take(MAX).filter_map(preview).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.headings.is_empty()
            && self.files.is_empty()
            && self.card.is_none()
            && self.links.is_empty()
    }

    /// The body together with what is attached. A body that is an object of its own, such as a picture or a poll, stays
    /// as it is.
    pub fn added_to(self, body: MessageBody) -> MessageBody {
        if self.is_empty() {
            return body;
        }
        let mut rich = match body {
            MessageBody::Text(rich) if rich.is_blank() => RichText::default(),
            MessageBody::Text(rich) => rich,
            MessageBody::Unknown { text, .. } if text.is_blank() => RichText::default(),
            MessageBody::Media(media) if media.name.is_empty() && media.link.is_none() => {
                RichText::default()
            }
            other => return other,
        };
        let Self { headings, mut files, card, links } = self;
        let alone = rich.blocks.is_empty() && headings.is_empty() && links.is_empty();
        match (card, files.pop()) {
            (Some(card), None) if alone => return MessageBody::Card(card),
            (None, Some(file)) if alone && files.is_empty() => return MessageBody::Media(file),
            (card, last) => {
                let cards = card.into_iter().flat_map(|card| card.rich().blocks);
                files.extend(last);
                rich.blocks.extend(files.into_iter().map(Box::new).map(Block::Media).chain(cards));
            }
        }
        let shown = rich.plain_text();
        let is_said = |heading: &SafeText| shown.contains(heading.as_str());
        let headings = headings.into_iter().filter(|heading| !is_said(heading));
        let headings: Vec<Block> = headings.map(heading).collect();
        rich.blocks.splice(0..0, headings);
        let known = rich.links();
        let is_linked = |url: &SafeText| known.contains(url) || shown.contains(url.as_str());
        let links = links.into_iter().filter(|(_, url)| !is_linked(url));
        rich.blocks.extend(links.map(|(label, url)| linked(label, url)));
        MessageBody::Text(rich)
    }
}

fn heading(text: SafeText) -> Block {
    let style = SpanStyle { bold: true, ..SpanStyle::default() };
    Block::Paragraph { align: Align::Left, spans: vec![Span { text, style, link: None }] }
}

fn linked(label: SafeText, url: SafeText) -> Block {
    let span = Span { text: label, link: Some(Link::Url(url)), ..Span::default() };
    Block::Paragraph { align: Align::Left, spans: vec![span] }
}

/// A string of an item: the first of these fields that has one. Names are compared without case.
fn text<'a>(item: &'a Value, names: &[&str]) -> Option<&'a str> {
    let fields = item.as_object()?;
    names.iter().find_map(|name| {
        let same = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        same.filter_map(|(_, value)| value.as_str()).map(str::trim).find(|text| !text.is_empty())
    })
}

/// A shared file: `fileName` and its address.
fn file(item: &Value) -> Option<Media> {
    let info = item.get("fileInfo").unwrap_or(&Value::Null);
    let url = text(info, &["shareUrl", "fileUrl"])
        .and_then(link::safe_target)
        .or_else(|| {
            text(item, &["shareUrl", "objectUrl", "fileUrl", "url"]).and_then(link::safe_target)
        })
        .or_else(|| text(item, &["baseUrl"]).and_then(link::safe_target));
    let from_url = || {
        let path = url.as_ref()?.split(['?', '#']).next()?.trim_end_matches('/');
        let name = path.rsplit('/').next()?;
        Some(percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned())
    };
    let name = text(item, &["fileName", "title", "name", "originalName"]).map(str::to_owned);
    let name = name.or_else(from_url)?;
    let size = ["fileSize", "size"].iter().find_map(|key| {
        let value = item.get(*key).or_else(|| info.get(*key))?;
        value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
    });
    Some(Media {
        kind: MediaKind::File,
        name: SafeText::line(&name),
        bytes: size.filter(|bytes| *bytes > 0),
        seconds: None,
        link: url,
        object: None,
        exported: ExportedFile::Unknown,
    })
}

/// A link with its preview: `url`, and a title.
fn preview(item: &Value) -> Option<(SafeText, SafeText)> {
    let url = text(item, &["url", "key", "href"]).and_then(link::safe_target)?;
    let described = ["preview", "value"].iter().find_map(|key| text(item.get(*key)?, &["title"]));
    let label = described.or_else(|| text(item, &["title"])).map(SafeText::line);
    Some((label.unwrap_or_else(|| url.clone()), url))
}
