//! XML records (`URIObject`, `partlist`, thread activities) as a tree, parsed leniently and within limits.

use super::entity;
use quick_xml::Reader;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 20_000;

/// An element. Names are in lower case; character references in the text are decoded. Parts that need
/// neither, which are nearly all, borrow from the XML.
#[derive(Debug, Default)]
pub struct Node<'a> {
    pub name: Cow<'a, str>,
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub text: Cow<'a, str>,
    pub children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// Parses `xml`; the result is a nameless root whose children are the top-level elements. Stops at the first error.
    pub fn parse(xml: &'a str) -> Self {
        let xml = without_byte_order_mark(xml);
        let mut reader = reader(xml);
        let mut stack = vec![Node::default()];
        let mut nodes = 0;
        while let Ok(event) = reader.read_event() {
            nodes += 1;
            if nodes > MAX_NODES {
                break;
            }
            match event {
                Event::Eof => break,
                Event::Start(tag) if stack.len() < MAX_DEPTH => {
                    let content = content_before(xml, position(&reader), ">", &tag);
                    stack.push(Node::open(content, tag.name().0.len()));
                }
                Event::Empty(tag) => {
                    if let Some(top) = stack.last_mut() {
                        let content = content_before(xml, position(&reader), "/>", &tag);
                        top.children.push(Node::open(content, tag.name().0.len()));
                    }
                }
                Event::End(tag) => close(&mut stack, &lower_case(tag.name().0)),
                Event::Text(text) => add(&mut stack, text.into_inner()),
                Event::CData(text) => add(&mut stack, text.into_inner()),
                Event::GeneralRef(name) => {
                    let text = entity::decode(&name);
                    add(&mut stack, text.unwrap_or_else(|| format!("&{};", &*name).into()));
                }
                _ => {}
            }
        }
        while stack.len() > 1 {
            fold(&mut stack);
        }
        stack.pop().unwrap_or_default()
    }

    /// The element of a tag. `content` is everything between its brackets; its first `name` bytes are the name.
    fn open(content: &'a str, name: usize) -> Self {
        Self {
            name: lower_case(content.get(..name).unwrap_or_default()),
            attributes: readable(Attributes::html(content, name)).collect(),
            ..Self::default()
        }
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The first element of that name at any depth.
    pub fn find(&self, name: &str) -> Option<&Self> {
        self.children.iter().find_map(|c| if c.name == name { Some(c) } else { c.find(name) })
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(k, _)| k == name).map(|(_, v)| &**v)
    }

    /// The text of this element and of all elements in it, in no particular order, in one line.
    pub fn whole_text(&self) -> String {
        fn collect<'n>(node: &'n Node<'_>, out: &mut Vec<&'n str>) {
            out.extend(node.text.split_whitespace());
            node.children.iter().for_each(|child| collect(child, out));
        }
        let mut words = Vec::new();
        collect(self, &mut words);
        words.join(" ")
    }

    pub fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

/// A tag's attributes with names in lower case and decoded values. Those that cannot be parsed are skipped.
pub fn attributes<'a>(
    tag: &'a BytesStart<'_>,
) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
    readable(tag.html_attributes())
}

fn readable(mut attributes: Attributes<'_>) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    attributes.with_checks(false);
    attributes.flatten().map(|attribute| {
        let value = match attribute.value {
            Cow::Borrowed(value) => entity::unescape(value),
            Cow::Owned(value) => Cow::Owned(entity::unescape(&value).into_owned()),
        };
        (lower_case(attribute.key.0), value)
    })
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Text without a byte order mark at its beginning. quick-xml skips the mark without counting it, so that a
/// [`position`] would not match the original text.
pub fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// Reads markup that may be broken.
pub fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

/// The number of bytes that have been read.
pub fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// The content of a tag as a part of the XML, which lives longer than the tag. It comes before `bracket`, which ends at
/// `end`.
fn content_before<'a>(xml: &'a str, end: usize, bracket: &str, tag: &BytesStart<'_>) -> &'a str {
    let to = end.saturating_sub(bracket.len());
    xml.get(to.saturating_sub(tag.len())..to).unwrap_or_default()
}

/// Adds text to the innermost open element.
fn add<'a>(stack: &mut [Node<'a>], text: Cow<'a, str>) {
    let Some(top) = stack.last_mut() else { return };
    if top.text.is_empty() {
        top.text = text;
    } else {
        top.text.to_mut().push_str(&text);
    }
}

fn fold(stack: &mut Vec<Node<'_>>) {
    if let Some(done) = stack.pop()
        && let Some(parent) = stack.last_mut()
    {
        parent.children.push(done);
    }
}

fn close(stack: &mut Vec<Node<'_>>, name: &str) {
    if let Some(depth) = stack.iter().rposition(|n| n.name == name)
        && depth > 0
    {
        while stack.len() > depth {
            fold(stack);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_whatever_its_spacing_and_case() {
        let root = Node::parse(
            "<URIObject TYPE=File.1 uri='u'>\n <Title/> <OriginalName v=\"a &amp; b\"/>x</URIObject>",
        );
        let object = root.child("uriobject").unwrap();
        assert_eq!(object.attribute("type"), Some("File.1"));
        assert_eq!(object.child("originalname").unwrap().attribute("v"), Some("a & b"));
        assert_eq!(object.trimmed(), "x");
    }

    #[test]
    fn names_and_attributes_are_found_wherever_a_tag_stands() {
        for before in ["", "\u{FEFF}", "\u{FEFF}text &amp; ", "<!-- é --><?x y?>", "<é>\r\n"] {
            for tag in ["<A B='é' c=d >", "<A B='é' c=d/>", "<A B='é' c=d />", "<A\nB='é'\tc=d>"]
            {
                let xml = format!("{before}{tag}");
                let root = Node::parse(&xml);
                let found = root.find("a").unwrap_or_else(|| panic!("{xml:?}: {root:?}"));
                let expected = (Some("é"), Some("d"));
                let of =
                    |name: &str| found.attribute(name).map(|value| value.trim_end_matches('/'));
                assert_eq!((of("b"), of("c")), expected, "{xml:?}");
            }
        }
    }

    #[test]
    fn broken_xml_gives_what_could_be_read() {
        let root = Node::parse("<a><b>1<c>2</b></a><");
        assert_eq!(root.find("c").unwrap().trimmed(), "2");
    }
}
