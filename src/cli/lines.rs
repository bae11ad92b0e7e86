//! Output of commands: lines for people and JSON for scripts, from the same decoded messages as the screen.

use super::context::ExitError;
use crate::model::edits::{EditRole, Edits};
use crate::model::{
    ClientMessageId, Conversation, Member, Message, MessageBody, NameSource, Names,
    RawConversation, RawMessage, SafeText, Unread, UserId,
};
use crate::protocol::{decode, wire};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

/// A conversation's name as the screen shows it. Members come from a thread that was fetched or is stored.
pub fn title(
    conversation: &Conversation,
    names: &Names,
    thread: Option<&wire::WireThread>,
    me: &UserId,
) -> SafeText {
    let members = members(thread);
    let mut conversation = Cow::Borrowed(conversation);
    if !members.is_empty() {
        conversation.to_mut().listed.count = Some(members.len());
    }
    crate::model::title(&conversation, members, names, me)
}

/// The people whose names the title is made of.
pub fn title_people(
    conversation: &Conversation,
    thread: Option<&wire::WireThread>,
    me: &UserId,
) -> Vec<UserId> {
    if conversation.is_named_by_members() {
        crate::model::title_people(conversation, members(thread), me)
    } else {
        Vec::new()
    }
}

fn members(thread: Option<&wire::WireThread>) -> &[Member] {
    thread.map(|t| t.members.as_slice()).unwrap_or_default()
}

pub fn chat_json(conversation: &Conversation, name: &SafeText, unread: Unread) -> Value {
    let last_at = (conversation.activity.0 > 0).then(|| conversation.activity.rfc3339());
    json!({
        "id": conversation.id.as_str(),
        "name": name.as_str(),
        "kind": conversation.kind().word(),
        "unread": unread.messages,
        "last_at": last_at,
    })
}

/// Messages in order, with edits applied, and without signals.
pub fn merged(raw: Vec<RawMessage>, me: &UserId) -> Vec<(RawMessage, Message)> {
    // Pages may contain two versions of a message.
    let mut newest: HashMap<Arc<str>, RawMessage> = HashMap::new();
    for raw in raw {
        match newest.get(&raw.id) {
            Some(known) if known.version >= raw.version => {}
            _ => {
                newest.insert(raw.id.clone(), raw);
            }
        }
    }
    let mut edits = Edits::default();
    let mut shown = Vec::new();
    for raw in newest.into_values() {
        let mut message = decode::message(&raw, me);
        if edits.take(&mut message).role == EditRole::Shown {
            shown.push((raw, message));
        }
    }
    // Again, because an edit may have come after its original, or before it.
    shown.retain(|(_, message)| edits.is_shown(message));
    for (_, message) in &mut shown {
        edits.refold(message);
    }
    shown.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
    shown
}

pub fn learn(names: &mut Names, raw: &[RawMessage]) {
    for message in raw {
        for (id, source, name) in decode::names(message) {
            names.learn(&id, source, &name);
        }
    }
}

/// Learns the names in an item of the conversation list.
pub fn learn_listed(names: &mut Names, raw: &RawConversation, me: &UserId) {
    for (id, source, name) in decode::listed_names(raw, me) {
        names.learn(&id, source, &name);
    }
}

pub fn learn_thread(names: &mut Names, thread: &wire::WireThread) {
    for member in &thread.members {
        names.learn(&member.id, NameSource::Member, &member.name);
    }
}

/// The text of a message as the screen shows it. With `me`, the account is "You" in it.
pub fn shown_text(message: &Message, names: &Names, me: Option<&UserId>) -> String {
    text_with(message, me, &|id| names.distinct(id))
}

/// The text of a message with these names.
fn text_with(message: &Message, me: Option<&UserId>, name: &dyn Fn(&UserId) -> SafeText) -> String {
    match &message.body {
        MessageBody::Text(rich) => rich.quoted_text(),
        body => body.text(&|id| {
            if me == Some(id) { SafeText::line(crate::model::YOU) } else { name(id) }
        }),
    }
}

pub fn message_json(
    raw: &RawMessage,
    message: &Message,
    names: &Names,
    me: Option<&UserId>,
) -> Value {
    // Ids tell people apart in data, so names stay as they are.
    let text = text_with(message, me, &|id| names.of(id));
    let from_name = names.knows(&message.sender).then(|| names.of(&message.sender).to_string());
    let from_name = from_name.or_else(|| message.sender_name.as_ref().map(ToString::to_string));
    json!({
        "id": &*raw.id,
        "client_id": raw.client_id.as_ref().map(ClientMessageId::as_str),
        "conversation": raw.conversation.as_str(),
        "from": raw.sender.as_str(),
        "from_name": from_name,
        "at": raw.at.rfc3339(),
        "type": &*raw.kind,
        "text": text,
        "links": message.body.links().iter().map(SafeText::as_str).collect::<Vec<_>>(),
        "edited": message.shows_edited(),
        "deleted": message.body == MessageBody::Deleted,
        "content": &*raw.content,
    })
}

/// `2026-09-21 09:12  Grace: text`. Further lines of the text are indented, so that they do not look like messages.
pub fn message_line(
    message: &Message,
    names: &Names,
    me: Option<&UserId>,
    zone: &jiff::tz::TimeZone,
) -> String {
    let day = message.at.numeric_date(zone);
    let text = shown_text(message, names, me);
    let who = if message.body.is_system() {
        "—".to_owned()
    } else {
        match &message.sender_name {
            Some(name) if !names.knows(&message.sender) => format!("{name}:"),
            _ => format!("{}:", names.distinct(&message.sender)),
        }
    };
    let edited = if message.shows_edited() { " (edited)" } else { "" };
    let text = text.replace('\n', "\n    ");
    format!("{day} {}  {who} {text}{edited}", message.at.clock(zone))
}

/// JSON in one line, in which characters that could act on a terminal are written as `\\uXXXX`. On a terminal, also all
/// characters that the screen would not show as received: those it removes, and those it shows as a replacement.
pub fn json_line(value: &Value) -> String {
    escaped_json(value, std::io::stdout().is_terminal())
}

fn escaped_json(value: &Value, for_terminal: bool) -> String {
    let text = value.to_string();
    // Most lines have nothing that would be changed.
    if text.is_ascii() && !text.contains('\u{7f}') {
        return text;
    }
    let tricky = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        let changed = for_terminal
            && !cluster.is_ascii()
            && SafeText::line_as_is(cluster).as_str() != cluster;
        for c in cluster.chars() {
            if tricky(c) || (changed && !c.is_ascii()) {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                out.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            } else {
                out.push(c);
            }
        }
    }
    out
}

/// A line in which nothing acts on a terminal, although typed or received text may be part of it.
pub fn clean(line: &str) -> String {
    SafeText::text(line).as_str().to_owned()
}

/// A number and what is counted: `1 message`, `2 messages`.
pub fn count(n: impl TryInto<u64>, what: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// Writes one line to standard output; see `print`.
pub fn print_line(text: impl Into<String>) -> Result<(), ExitError> {
    print(std::iter::once(text.into())).map_err(|e| ExitError::failed(e.to_string()))
}

/// Writes one line for the user to standard error, cleaned, if anyone still reads it.
pub fn warn(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{}", clean(text));
}

/// Writes lines to standard output. It is not an error if the reader has closed it.
pub fn print(lines: impl Iterator<Item = String>) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let written =
        lines.into_iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    match written {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_a_terminal_shows_what_the_screen_would_remove() {
        let tricks = [
            "\u{9b}31m",
            "a\u{202e}b",
            "\u{200b}",
            "\u{e0041}",
            "\u{3164}",
            "\u{fff9}",
            "\u{2066}",
            "\u{ad}",
        ];
        for trick in tricks {
            let value = json!({ "text": trick });
            let line = escaped_json(&value, true);
            let back: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(back, value, "it is still the same JSON");
            assert_eq!(SafeText::line_as_is(&line).as_str(), line, "{line:?} acts on a terminal");
        }
        let long = format!("a{}", "\u{301}".repeat(40));
        let line = escaped_json(&json!(long), true);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), long);
        assert!(!line.contains('\u{301}'), "{line}");
        let plain = json!("Grüße 👨\u{200d}👩 中文");
        assert!(escaped_json(&plain, true).contains("Grüße"));
        assert!(escaped_json(&plain, true).contains("中文"));
    }
}
