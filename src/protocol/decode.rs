//! Decodes a [`RawMessage`] into a [`Message`]. Never fails: what is not understood becomes `Unknown`.

mod attached;
mod conversation;
mod edit_marks;
mod long_text;
mod properties;
mod texts;

pub use conversation::{conversation, listed_names, one_to_one_thread, snippet};

use super::wire::{MessageExtras, MessageProperties};
use super::{html, lenient, payload, richtext};
use crate::model::{
    Delivery, EditMark, EmojiStyle, EmojiWidth, Indexed, MediaKind, Message, MessageBody,
    NameSource, RawMessage, RichText, SafeText, ThreadActivity, Timestamp, UserId,
};
use attached::Attached;
use edit_marks::{changed_at, copy_of, edit_tag_time, has_edit_tag, is_own_id};
use long_text::{shown_part, with_rest};
use properties::{mentioned, reactions};
use std::borrow::Cow;
use texts::{rich, text};

/// Increase this whenever the result of decoding changes, so that the store indexes old rows again.
pub const DECODER_VERSION: u32 = 8;

/// Decodes a message. `me` is this account, for recognising mentions of it.
pub fn message(raw: &RawMessage, me: &UserId) -> Message {
    let extras = MessageExtras::read(raw);
    let json = extras.properties();
    let properties = MessageProperties::read(&json);
    let copied = copy_of(raw, &properties);
    let mark = extras.skypeeditedid.some().filter(|mark| *mark != "0").or(copied);
    let edited = properties.edittime.some().and_then(Timestamp::parse).filter(|at| at.0 > 0);
    let (removed_at, attached) = if raw.extras {
        let removed_at = MessageProperties::removed_at(&raw.json);
        let removed_at = removed_at.or_else(|| MessageProperties::removed_at(&json));
        (removed_at, Attached::read(&properties))
    } else {
        (None, Attached::default())
    };
    let read = body(raw, &extras, &properties);
    let marks = Marks { removed_at, edited, is_edited: mark.is_some() || edited.is_some() };
    let body = if copied.is_some() && is_blank(&raw.content) {
        // A copy of an edited message that has no text says nothing (facts 9.3).
        MessageBody::Hidden
    } else if is_removed(raw, &read, &marks, attached.is_empty()) {
        MessageBody::Deleted
    } else {
        never_blank(attached.added_to(read))
    };
    let mentions_me = matches!(&body, MessageBody::Text(rich) if rich.mentions(me));
    Message {
        key: raw.key(),
        client_id: raw.client_id.clone(),
        sender: raw.sender.clone(),
        sender_name: raw.sender_name.as_deref().map(SafeText::line),
        at: raw.at,
        version: raw.version,
        edited: edited
            .or_else(|| mark.is_some().then(|| changed_at(raw)))
            .or_else(|| edit_tag_time(&raw.content)),
        body,
        edit_of: mark
            .filter(|mark| !is_own_id(raw, mark))
            .map(|mark| EditMark { id: mark.into(), is_stored: raw.original_is_stored }),
        mentions_me,
        reactions: reactions(&properties),
        delivery: Delivery::Sent,
    }
}

/// What a message says about changes to itself.
struct Marks {
    removed_at: Option<Timestamp>,
    edited: Option<Timestamp>,
    /// The message has an edit mark of either kind.
    is_edited: bool,
}

/// Whether a message was removed: by a mark, unless a later edit brought it back, or by an edit that left nothing
/// (facts 3.3).
fn is_removed(raw: &RawMessage, read: &MessageBody, marks: &Marks, nothing_attached: bool) -> bool {
    let blank = is_blank(&raw.content);
    if let Some(removed) = marks.removed_at {
        return blank || removed.0 == 0 || marks.edited.is_none_or(|edited| edited <= removed);
    }
    if matches!(read, MessageBody::Hidden | MessageBody::Thread(_) | MessageBody::Deletes(_)) {
        return false;
    }
    // Content that consists only of an edit mark, or of an object that was emptied.
    let only_a_mark = || {
        matches!(read, MessageBody::Text(rich) if rich.blocks.is_empty())
            && has_edit_tag(&raw.content)
    };
    if (blank && !raw.content.trim().is_empty()) || only_a_mark() {
        return true;
    }
    let is_text = matches!(&*raw.kind, "Text" | "RichText" | "RichText/Html");
    blank
        && nothing_attached
        && (marks.is_edited || (is_text && raw.version > raw.key().order && raw.key().order > 0))
}

/// Whether content is empty, or nothing but tags of edit marks and of objects without attributes.
fn is_blank(content: &str) -> bool {
    const OBJECT: &str = "uriobject";
    let mut rest = content.trim_start();
    while let Some(tag) = rest.strip_prefix('<') {
        let name = tag.trim_start_matches('/');
        let begins = |start: &str| {
            name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start))
        };
        let is_mark = begins("e_m");
        // Few tags begin like one of these, so there is rarely a need to look for its end.
        if !is_mark && !begins(OBJECT) {
            break;
        }
        let Some((tag, after)) = tag.split_once('>') else { break };
        if !is_mark && !tag.trim_matches('/').trim_end().eq_ignore_ascii_case(OBJECT) {
            break;
        }
        rest = after.trim_start();
    }
    rest.is_empty()
}

/// An empty row looks like a mistake, so a message without any text is labelled as empty.
fn never_blank(body: MessageBody) -> MessageBody {
    match body {
        MessageBody::Text(rich) if rich.is_blank() => {
            MessageBody::Unknown { kind: "empty message".into(), text: RichText::default() }
        }
        other => other,
    }
}

/// What the store keeps in addition to the raw message.
pub fn indexed(message: &Message) -> Indexed {
    let nameless = |id: &UserId| SafeText::line(id.bare());
    let counts = !message.body.is_system()
        && !matches!(
            message.body,
            MessageBody::Hidden | MessageBody::Deleted | MessageBody::Deletes(_)
        )
        && !message.sender.as_str().is_empty();
    let gone = matches!(message.body, MessageBody::Deleted);
    // The text as it is shown, so that searching for an emoji finds the emoticon.
    let mut body = Cow::Borrowed(&message.body);
    if message.body.has_emoticons() {
        body.to_mut().show_emoji(EmojiStyle::Glyph, EmojiWidth::Cluster);
    }
    Indexed {
        text: if gone { String::new() } else { body.text(&nameless) },
        edit_of: message.edit_of.as_ref().map(|mark| mark.id.clone()),
        counts,
        mentions_me: message.mentions_me,
        link: !message.body.links().is_empty(),
        file: message.body.has_file(),
    }
}

/// Names contained in a message: its sender's, and those in a thread activity.
pub fn names(raw: &RawMessage) -> Vec<(UserId, NameSource, SafeText)> {
    let mut names = Vec::new();
    if let Some(name) = raw.sender_name.as_deref()
        && !raw.sender.as_str().is_empty()
        && !raw.kind.starts_with("ThreadActivity")
    {
        names.push((raw.sender.clone(), NameSource::Message, SafeText::line(name)));
    }
    let brings = ["riendlyName", "riendlyname"].iter().any(|key| raw.content.contains(key));
    if raw.kind.starts_with("ThreadActivity") && brings {
        let found = payload::activity_names(&raw.content);
        names.extend(found.into_iter().map(|(id, name)| (id, NameSource::Profile, name)));
    }
    let calls = matches!(&*raw.kind, "Event/Call" | "RichText/Media_Calling")
        || (raw.kind.starts_with("RichText") && payload::is_call(&raw.content));
    if calls {
        let found = payload::call_names(&payload::call(&raw.content, &raw.sender));
        names.extend(found.into_iter().map(|(id, name)| (id, NameSource::Message, name)));
    }
    names
}

/// Whether the sender started or stopped typing; `None` for any other message.
pub fn typing(raw: &RawMessage) -> Option<bool> {
    match &*raw.kind {
        "Control/Typing" => Some(true),
        "Control/ClearTyping" => Some(false),
        _ => None,
    }
}

/// Whether the message only announces that someone has read further; how far has to be fetched (facts 3.5).
pub(crate) fn is_read_mark(raw: &RawMessage) -> bool {
    &*raw.kind == "ThreadActivity/MemberConsumptionHorizonUpdate"
}

fn body(
    raw: &RawMessage,
    extras: &MessageExtras<'_>,
    properties: &MessageProperties<'_>,
) -> MessageBody {
    let kind = &*raw.kind;
    let (content, rest) = match kind {
        "" | "Text" | "RichText" | "RichText/Html" => shown_part(&raw.content),
        _ => (&*raw.content, 0),
    };
    with_rest(body_of(raw, content, extras, properties), rest)
}

fn body_of(
    raw: &RawMessage,
    content: &str,
    extras: &MessageExtras<'_>,
    properties: &MessageProperties<'_>,
) -> MessageBody {
    let kind = &*raw.kind;
    if let Some(body) = of_properties(properties) {
        return body;
    }
    let is_text = matches!(kind, "" | "Text" | "RichText");
    if (!is_text && kind.contains("ncrypt"))
        || raw.conversation.as_str().ends_with("@encrypted.skype")
    {
        return MessageBody::Text(RichText::plain("Encrypted message"));
    }
    let known = match kind {
        "Text" | "" => Some(text(content, extras)),
        "RichText" | "RichText/Html" if payload::is_call(content) => {
            Some(payload::call(content, &raw.sender))
        }
        "RichText" => Some(rich(content, extras, &mentioned(properties))),
        "RichText/Html" => Some(MessageBody::Text(html::parse(content, &mentioned(properties)))),
        "RichText/Contacts" => payload::contacts(content),
        "RichText/Location" => payload::location(content),
        "RichText/Files" => payload::files(content),
        "RichText/Sms" => payload::sms(content),
        "RichText/ScheduledCallInvite" => Some(payload::call_invite(content)),
        "Poll" | "RichText/Media_Poll" => payload::poll_object(content)
            .or_else(|| payload::uri_object(content, MediaKind::Card))
            .or_else(|| payload::poll(&super::tree::Node::parse(content))),
        "Event/Call" | "RichText/Media_Calling" => Some(payload::call(content, &raw.sender)),
        "Event/SkypeVideoMessage" => payload::message_record(content, MediaKind::Video),
        "Event/SkypeAudioMessage" => payload::message_record(content, MediaKind::Voice),
        "PopCard" | "Notice" => Some(payload::notice(content)),
        "MessageDelete" => Some(deletion_notice(content)),
        "InviteFreeRelationshipChanged/Initialized" => {
            Some(system_line(None, content, "Contact request"))
        }
        "Nudge" => Some(MessageBody::Thread(ThreadActivity::Did {
            by: raw.sender.clone(),
            what: "nudged".into(),
        })),
        _ if is_signal(kind) => Some(MessageBody::Hidden),
        _ => media(kind, content).or_else(|| {
            let kind = kind.strip_prefix("ThreadActivity/")?;
            Some(MessageBody::Thread(payload::thread_activity(kind, content, &raw.sender)))
        }),
    };
    known.unwrap_or_else(|| {
        let (part, rest) = shown_part(content);
        with_rest(unknown(kind, part), rest)
    })
}

/// The body that a message has by its properties alone: an entry of the call log, or a poll.
fn of_properties(properties: &MessageProperties<'_>) -> Option<MessageBody> {
    let unpacked = |raw: &serde_json::value::RawValue| lenient::unpacked(raw.get()).into_owned();
    let call = properties.call_log.map(unpacked).and_then(|json| payload::log_entry(&json));
    let poll = || properties.poll.map(unpacked).and_then(|json| payload::poll_object(&json));
    call.or_else(poll)
}

/// A message of an unknown type: the name of the type, and the words in the content.
fn unknown(kind: &str, content: &str) -> MessageBody {
    let trimmed = content.trim();
    let is_json = trimmed.starts_with(['{', '[']) && trimmed.ends_with(['}', ']']);
    let text = if is_json {
        payload::first_words(content).unwrap_or_default()
    } else {
        richtext::strip_record(content)
    };
    MessageBody::Unknown {
        kind: SafeText::line(kind),
        text: RichText::plain(&payload::readable(&text)),
    }
}

/// Types that are meant for programs and are not shown (facts 3.7).
fn is_signal(kind: &str) -> bool {
    kind.starts_with("Control/")
        || kind.starts_with("Signal/")
        || matches!(
            kind,
            "ThreadActivity/MemberConsumptionHorizonUpdate"
                | "Translation"
                | "RichText/Media_Album"
                | "Event/BingBot"
        )
}

/// Files and other media. The kind is determined by the type of the object inside, or else by the messagetype.
fn media(kind: &str, content: &str) -> Option<MessageBody> {
    let fallback = match kind {
        "RichText/Media_GenericFile" => MediaKind::File,
        "RichText/UriObject" => MediaKind::Image,
        "RichText/Media_Video" | "RichText/Media_FlikMsg" => MediaKind::Video,
        "RichText/Media_AudioMsg" => MediaKind::Voice,
        "RichText/Media_CallRecording"
        | "RichText/Media_LocalRecording"
        | "RichText/Media_Call" => MediaKind::Recording,
        "RichText/Media_CallTranscript" => MediaKind::Transcript,
        // On Teams the content is the card itself.
        "RichText/Media_Card" if content.trim_start().starts_with(['{', '[']) => {
            return payload::card_object(content);
        }
        "RichText/Media_Card" => MediaKind::Card,
        _ => return None,
    };
    let read = payload::uri_object(content, fallback);
    // A record without an object: only its kind can be shown.
    read.or_else(|| content.trim_start().starts_with('{').then(|| payload::nameless(fallback)))
}

/// A system line with the text of a record, or with `otherwise` if there is none.
fn system_line(by: Option<UserId>, content: &str, otherwise: &str) -> MessageBody {
    let text = one_line(&richtext::strip_record(content));
    let what = SafeText::line(if text.is_empty() { otherwise } else { &text });
    MessageBody::Thread(ThreadActivity::Other { by, what })
}

/// A deletion notice. The id of the deleted message is the first long number.
fn deletion_notice(content: &str) -> MessageBody {
    let id = content.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() >= 10);
    id.map_or(MessageBody::Hidden, |id| MessageBody::Deletes(id.into()))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
