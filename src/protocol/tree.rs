//! XML records (`URIObject`, `partlist`, thread activities) as a tree, parsed leniently and within limits.

use super::entity;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 20_000;

/// An element. Names are in lower case; character references in the text are decoded.
#[derive(Debug, Default)]
pub struct Node {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// Parses `xml`; the result is a nameless root whose children are the elements at the top. Stops at the first error.
    pub fn parse(xml: &str) -> Node {
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let mut stack = vec![Node::default()];
        let mut nodes = 0;
        while let Ok(event) = reader.read_event() {
            nodes += 1;
            if nodes > MAX_NODES {
                break;
            }
            match event {
                Event::Eof => break,
                Event::Start(tag) if stack.len() < MAX_DEPTH => stack.push(Node::open(&tag)),
                Event::Empty(tag) => {
                    if let Some(top) = stack.last_mut() {
                        top.children.push(Node::open(&tag));
                    }
                }
                Event::End(tag) => close(&mut stack, &tag.name().0.to_ascii_lowercase()),
                Event::Text(text) => {
                    if let Some(top) = stack.last_mut() {
                        top.text.push_str(&text);
                    }
                }
                Event::CData(text) => {
                    if let Some(top) = stack.last_mut() {
                        top.text.push_str(&text);
                    }
                }
                Event::GeneralRef(name) => {
                    if let Some(top) = stack.last_mut() {
                        match entity::decode(&name) {
                            Some(text) => top.text.push_str(&text),
                            None => top.text.extend(["&", &*name, ";"]),
                        }
                    }
                }
                _ => {}
            }
        }
        while stack.len() > 1 {
            fold(&mut stack);
        }
        stack.pop().unwrap_or_default()
    }

    fn open(tag: &BytesStart<'_>) -> Node {
        Node {
            name: tag.name().0.to_ascii_lowercase(),
            attributes: attributes(tag)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            ..Node::default()
        }
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The first element of that name at any depth.
    pub fn find(&self, name: &str) -> Option<&Node> {
        self.children.iter().find_map(|c| if c.name == name { Some(c) } else { c.find(name) })
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// The text of this element and of all elements in it, in no exact order, in one line.
    pub fn whole_text(&self) -> String {
        fn collect<'a>(node: &'a Node, out: &mut Vec<&'a str>) {
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
    let mut attributes = tag.html_attributes();
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

fn fold(stack: &mut Vec<Node>) {
    if let Some(done) = stack.pop()
        && let Some(parent) = stack.last_mut()
    {
        parent.children.push(done);
    }
}

fn close(stack: &mut Vec<Node>, name: &str) {
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
    fn broken_xml_gives_what_could_be_read() {
        let root = Node::parse("<a><b>1<c>2</b></a><");
        assert_eq!(root.find("c").unwrap().trimmed(), "2");
    }
}
