//! Polls (facts 3.7): the question and its answers. Votes are not counted.

use crate::model::{MessageBody, Poll, SafeText};
use crate::protocol::tree::Node;
use serde_json::Value;

/// The maximum number of answers that are shown.
const MAX_ANSWERS: usize = 100;
/// Names for the title or question, best first.
const QUESTIONS: [&str; 6] =
    ["question", "title", "pollquestion", "subject", "name", "description"];
/// All options in one string: percent-encoded, with bars between them.
const ENCODED: &str = "optionsencoded";

/// A poll in an element: `<URIObject type="poll.1">`, the content of a `Poll`, or any element with `optionsEncoded`.
pub fn poll(object: &Node<'_>) -> Option<MessageBody> {
    let value = |node: &Node<'_>| {
        let text = node.attribute("v").filter(|v| !v.is_empty()).unwrap_or_else(|| node.trimmed());
        let text = text.strip_prefix("Title: ").unwrap_or(text);
        let text = text.strip_prefix("Description: ").unwrap_or(text);
        SafeText::line(text)
    };
    let holder = holder(object);
    let own = |name: &str| {
        let values = [Some(object), holder].into_iter().flatten().filter_map(|n| n.attribute(name));
        values.filter(|value| !value.is_empty()).map(SafeText::line).next()
    };
    let inner = |name: &str| object.find(name).map(value).filter(|text| !text.is_empty());
    let question = QUESTIONS.iter().find_map(|name| own(name).or_else(|| inner(name)));
    let encoded = own(ENCODED).or_else(|| inner(ENCODED));
    let answers = if let Some(encoded) = encoded {
        options(&encoded)
    } else {
        let lists = ["answers", "options"].iter().find_map(|name| object.find(name));
        let items = lists.into_iter().flat_map(|list| &list.children);
        items.map(value).filter(|text| !text.is_empty()).take(MAX_ANSWERS).collect()
    };
    asked(question, answers)
}

/// The first element with `optionsEncoded`.
fn holder<'a>(node: &'a Node<'a>) -> Option<&'a Node<'a>> {
    let found = node.children.iter().find(|child| child.attribute(ENCODED).is_some());
    found.or_else(|| node.children.iter().find_map(holder))
}

/// A poll that is an element in a text: any element with `optionsEncoded`.
pub fn poll_in_text(content: &str) -> Option<MessageBody> {
    if !content.contains("optionsEncoded") && !content.contains(ENCODED) {
        return None;
    }
    let root = Node::parse(content);
    let holder = holder(&root);
    match holder {
        Some(node) => poll(node).or_else(|| poll(&root)).map(|poll| beside(&root, node, poll)),
        None => root.find(ENCODED).and_then(|_| poll(&root)),
    }
}

/// A poll with the text around its element, which is put before the question.
fn beside(root: &Node<'_>, element: &Node<'_>, poll: MessageBody) -> MessageBody {
    let (all, own) = (root.whole_text(), element.whole_text());
    let around = if own.is_empty() { all } else { all.replacen(&own, " ", 1) };
    let around = SafeText::line(around.split_whitespace().collect::<Vec<_>>().join(" ").as_str());
    match poll {
        MessageBody::Poll(poll) if !around.is_empty() => {
            let question = SafeText::line(format!("{around} {}", poll.question).trim_end());
            MessageBody::Poll(Poll { question, ..poll })
        }
        other => other,
    }
}

/// A poll as JSON: `question` or `title`, and `options` or `optionsEncoded`.
pub fn poll_object(json: &str) -> Option<MessageBody> {
    let json: Value = serde_json::from_str(json).ok()?;
    let json = json.get("poll").filter(|poll| poll.is_object()).unwrap_or(&json);
    let fields = json.as_object()?;
    let field = |name: &str| {
        let mut named = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value)
    };
    let question = QUESTIONS.iter().find_map(|name| Some(SafeText::line(field(name)?.as_str()?)));
    let answers = if let Some(encoded) = field(ENCODED).and_then(Value::as_str) {
        options(encoded)
    } else {
        let list = field("options").or_else(|| field("answers")).or_else(|| field("choices"));
        let items = list.and_then(Value::as_array).into_iter().flatten().take(MAX_ANSWERS);
        let text = |item: &Value| {
            let text = item.as_str().or_else(|| {
                ["text", "title", "name", "value", "option"]
                    .iter()
                    .find_map(|key| item.get(*key)?.as_str())
            });
            text.map(SafeText::line).filter(|text| !text.is_empty())
        };
        items.filter_map(text).collect()
    };
    asked(question, answers)
}

fn asked(question: Option<SafeText>, answers: Vec<SafeText>) -> Option<MessageBody> {
    let question = match question {
        Some(question) => question,
        None if answers.is_empty() => return None,
        None => SafeText::default(),
    };
    Some(MessageBody::Poll(Poll { question, answers }))
}

/// `Yes|No%20way|Tea%7Ccoffee`: split first, then decoded.
fn options(encoded: &str) -> Vec<SafeText> {
    let decoded = |option: &str| {
        SafeText::line(percent_encoding::percent_decode_str(option).decode_utf8_lossy().trim())
    };
    let options = encoded.split('|').map(decoded).filter(|option| !option.is_empty());
    options.take(MAX_ANSWERS).collect()
}
