//! Links in formatted text: their targets, and the host that is shown behind a label.

use super::super::open_tags::ElementKind;
use super::super::parts::attribute;
use super::{Builder, TagChange};
use crate::model::{Link, SafeText, Span, SpanStyle};
use crate::protocol::link::{self, MAX_LINKS};
use quick_xml::events::BytesStart;

impl Builder<'_> {
    /// Begins a link. After [`MAX_LINKS`] of them only the labels are kept.
    pub(super) fn anchor(&mut self, tag: &BytesStart<'_>, change: &mut TagChange) {
        if self.anchors >= MAX_LINKS {
            return;
        }
        let href = attribute(tag, "href").unwrap_or_default();
        if let Some(target) = link::safe_target(&href) {
            self.anchors += 1;
            change.link = Some(Link::Url(target.clone()));
            self.flush();
            change.kind = ElementKind::Anchor { target, label_from: self.spans.len() };
        }
    }

    /// Inserts the host of a link after its label, unless the label is the address itself.
    pub(super) fn show_host(&mut self, target: &SafeText, label_from: usize) {
        let label: String = self.spans.iter().skip(label_from).map(|s| s.text.as_str()).collect();
        let bare = |s: &str| s.trim().trim_end_matches('/').to_ascii_lowercase();
        let address = bare(target);
        let label = bare(&label);
        let same = address == label
            || ["https://", "http://", "mailto:"]
                .iter()
                .any(|p| address.strip_prefix(p) == Some(&label));
        if same || label.is_empty() {
            if label.is_empty() {
                // The label is only white space, so the address is inserted.
                self.spans.iter_mut().skip(label_from).for_each(|span| span.link = None);
                self.spans.push(Span {
                    text: target.clone(),
                    style: self.style,
                    link: Some(Link::Url(target.clone())),
                });
            }
            return;
        }
        // The host is inserted before trailing white space, which is not part of the link.
        let is_label = |span: &Span| !span.text.trim().is_empty();
        let end = self.spans.iter().rposition(is_label).map_or(self.spans.len(), |last| last + 1);
        self.spans.iter_mut().skip(end).for_each(|span| span.link = None);
        let style = SpanStyle { dim: true, ..SpanStyle::default() };
        let host = link::host(target.strip_prefix("mailto:").unwrap_or(target));
        let text = SafeText::line(host);
        let text = SafeText::text(&format!(" [{text}]"));
        self.spans.insert(end, Span { text, style, link: Some(Link::Url(target.clone())) });
    }
}
