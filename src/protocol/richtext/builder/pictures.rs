//! Emoticons and flags in formatted text: the text shown for each, with a link to its name.

use super::super::open_tags::ElementKind;
use super::super::parts::attribute;
use super::{Builder, TagChange};
use crate::model::{Link, SafeText, Span};
use quick_xml::events::BytesStart;

impl Builder<'_> {
    pub(super) fn emoticon(&mut self, tag: &BytesStart<'_>, empty: bool, change: &mut TagChange) {
        let name = attribute(tag, "type").unwrap_or_default();
        // With `alt`, the text inside is a fallback for other clients.
        let alt = attribute(tag, "alt").filter(|alt| !alt.trim().is_empty());
        if let Some(alt) = alt.or_else(|| empty.then(|| format!("({name})"))) {
            self.push_emoticon(&name, &alt);
            change.kind = ElementKind::Silent { from: 0 };
        } else if !name.is_empty() {
            self.flush();
            change.link = Some(Link::Emoticon(SafeText::line(&name)));
            change.kind = ElementKind::Emoticon { name, from: self.spans.len() };
        }
    }

    pub(super) fn flag(&mut self, tag: &BytesStart<'_>, empty: bool) -> Option<Link> {
        let country = attribute(tag, "country").filter(|country| country.len() == 2)?;
        let name = format!("flag:{}", country.to_ascii_lowercase());
        if empty {
            self.push_emoticon(&name, &format!("({name})"));
        }
        Some(Link::Emoticon(SafeText::line(&name)))
    }

    fn push_emoticon(&mut self, name: &str, text: &str) {
        self.flush();
        let link = Some(Link::Emoticon(SafeText::line(name)));
        self.spans.push(Span { text: SafeText::line(text), style: self.style, link });
    }
}
