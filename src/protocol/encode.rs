//! Bodies of requests (facts 3.2, 4.1, 4.3, 5).

pub mod markup;

use super::entity::escape;
use super::service::NewChatProfile;
use crate::model::{
    ClientMessageId, ConversationId, Outgoing, QuoteOf, Role, ThreadFlag, Timestamp, UserId,
    composer_markup,
};
use serde_json::{Map, Value, json};

/// A new message: `Text` for plain text, `RichText` if there are tags. Unset fields are left out.
pub fn message(outgoing: &Outgoing, client_id: &ClientMessageId, my_name: &str) -> Value {
    let mut body = body(outgoing, my_name);
    body.insert("clientmessageid".into(), client_id.as_str().into());
    Value::Object(body)
}

/// The new text of an existing message.
pub fn edit(outgoing: &Outgoing, my_name: &str) -> Value {
    Value::Object(body(outgoing, my_name))
}

fn body(outgoing: &Outgoing, my_name: &str) -> Map<String, Value> {
    let (kind, content) = content(outgoing, my_name);
    let mut body = Map::new();
    body.insert("contenttype".into(), "text".into());
    body.insert("messagetype".into(), kind.into());
    body.insert("content".into(), content.into());
    if !outgoing.mentions.is_empty() && kind != "Text" {
        body.insert("Has-Mentions".into(), "true".into());
    }
    if !my_name.is_empty() {
        body.insert("imdisplayname".into(), my_name.into());
    }
    if outgoing.emote {
        // A string, because a number crashes a plugin of Pidgin.
        let offset = my_name.encode_utf16().count() + 1;
        body.insert("skypeemoteoffset".into(), offset.to_string().into());
    }
    body
}

fn content<'a>(outgoing: &'a Outgoing, my_name: &str) -> (&'a str, String) {
    let text = &outgoing.text;
    if let Some(kind) = &outgoing.source {
        // Markup that was received and edited as such. Line breaks of literal text stay as they were typed.
        let content = if &**kind == "Text" { text.clone() } else { crlf(text) };
        return (kind, content);
    }
    if outgoing.emote {
        return ("Text", format!("{my_name} {text}"));
    }
    let written = if outgoing.markup {
        markup::write(&composer_markup::read(text, &outgoing.mentions))
    } else {
        escape(text)
    };
    match &outgoing.reply {
        Some(quote) => ("RichText", format!("{}{}", quote_tag(quote), crlf(&written))),
        None if written == escape(text) => ("Text", text.clone()),
        None => ("RichText", crlf(&written)),
    }
}

fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// A `quote` tag, with fallback lines for clients that do not know it.
fn quote_tag(quote: &QuoteOf) -> String {
    let seconds = quote.at.0 / 1000;
    let author = quote.author.without_prefix();
    format!(
        "<quote author=\"{}\" authorname=\"{}\" timestamp=\"{seconds}\" messageid=\"{}\">\
         <legacyquote>[{seconds}] {}: </legacyquote>{}<legacyquote>\r\n\r\n&lt;&lt;&lt; </legacyquote></quote>",
        escape(author),
        escape(&quote.name),
        escape(&quote.id),
        escape(&quote.name),
        crlf(&escape(&quote.text)),
    )
}

pub fn typing(active: bool) -> Value {
    let kind = if active { "Control/Typing" } else { "Control/ClearTyping" };
    json!({ "messagetype": kind, "contenttype": "text", "content": "" })
}

/// A property under its own name. For group properties the name is given as well, because sources disagree on whether
/// it belongs in the body or the query (facts 7, row 2).
pub fn property(flag: ThreadFlag, on: bool) -> Value {
    let name = flag.property();
    if flag.is_own() {
        json!({ name: if on { "true" } else { "false" } })
    } else {
        json!({ "name": name, name: on })
    }
}

pub(crate) fn read_marker(text: &str) -> Value {
    json!({ "consumptionhorizon": text })
}

pub(crate) fn emotion(key: &str, at: Timestamp, on: bool) -> Value {
    if on {
        json!({ "emotions": { "key": key, "value": at.0 } })
    } else {
        json!({ "emotions": { "key": key } })
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::User => "User",
    }
}

/// A new group; without a topic the property is left out.
pub(crate) fn thread<'a>(members: impl Iterator<Item = (&'a UserId, Role)>, topic: &str) -> Value {
    let members: Vec<Value> =
        members.map(|(id, role)| json!({ "id": id.as_str(), "role": role_word(role) })).collect();
    let mut body = json!({ "members": members });
    if !topic.is_empty() {
        body["properties"] = json!({ "topic": topic });
    }
    body
}

/// A new thread for a one-to-one conversation.
pub(crate) fn chat_of_two(me: &UserId, other: &UserId, new: &NewChatProfile) -> Value {
    let member = |id: &UserId, role: &str| json!({ "id": id.as_str(), "role": role });
    let members = [member(me, &new.own_role), member(other, role_word(Role::User))];
    json!({ "members": members, "properties": new.properties })
}

pub(crate) fn topic(topic: &str) -> Value {
    json!({ "name": "topic", "topic": topic })
}

pub(crate) fn member(role: Role) -> Value {
    json!({ "role": role_word(role) })
}

pub(crate) fn create_join_url(base: &str, id: &ConversationId) -> Value {
    json!({ "baseDomain": base, "threadId": id.as_str() })
}

pub(crate) fn resolve_join_url(code: &str) -> Value {
    json!({ "shortId": code, "type": "wl" })
}

/// The body that registers an endpoint; an empty one is refused (facts 1.2).
pub(crate) fn register() -> Value {
    json!({ "endpointFeatures": "Agent" })
}

/// The body that asks the middle tier for the names of people (facts 8.9).
pub(crate) fn short_profiles<'a>(who: impl Iterator<Item = &'a str>) -> Value {
    who.collect()
}

/// The body that asks for the presence of people (facts 8.12).
pub(crate) fn presence_of<'a>(who: impl Iterator<Item = &'a str>) -> Value {
    who.map(|id| json!({ "mri": id, "source": "ups" })).collect()
}

/// The body that subscribes to events of these resources (facts 2.2).
pub(crate) fn subscribe(resources: &[String]) -> Value {
    json!({
        "channelType": "httpLongPoll",
        "template": "raw",
        "interestedResources": resources,
    })
}

pub(crate) fn message_properties() -> Value {
    json!({ "supportsMessageProperties": true })
}

pub fn profiles<'a>(mris: impl Iterator<Item = &'a str>) -> Value {
    json!({ "mris": mris.collect::<Vec<_>>(), "locale": "en-US" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mention;
    use crate::protocol::richtext;
    use proptest::prelude::*;

    #[test]
    fn plain_text_goes_out_verbatim() {
        let out = Outgoing { text: "a < b & *c*".into(), ..Outgoing::default() };
        let body = message(&out, &"77".into(), "Anna");
        assert_eq!(body["messagetype"], "Text");
        assert_eq!(body["content"], "a < b & *c*");
        assert_eq!(body["clientmessageid"], "77");
    }

    fn marked(text: &str) -> String {
        let out = Outgoing { text: text.into(), markup: true, ..Outgoing::default() };
        message(&out, &"1".into(), "")["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn typed_markers_become_tags() {
        assert_eq!(marked("*a* b_c_d"), "<b raw_pre=\"*\" raw_post=\"*\">a</b> b_c_d");
        assert_eq!(marked("2 * 3 < 4"), "2 * 3 < 4", "nothing marked goes out as Text, literally");
        assert!(
            marked("{code}*x* <y>{code}")
                .contains("<pre raw_pre=\"{code}\" raw_post=\"{code}\">*x* &lt;y&gt;</pre>")
        );
    }

    #[test]
    fn mentioned_people_are_sent_with_their_ids() {
        let joe = Mention::by_name("Joe B".into(), "8:joe.4".into());
        let out = Outgoing {
            text: "hi @Joe B & co".into(),
            markup: true,
            mentions: vec![joe],
            ..Outgoing::default()
        };
        let body = message(&out, &"1".into(), "");
        assert_eq!(body["content"], "hi <at id=\"8:joe.4\">Joe B</at> &amp; co");
        assert_eq!(body["Has-Mentions"], "true");
    }

    #[test]
    fn source_goes_out_as_it_stands() {
        let text = "<font color=\"#ff0000\">x</font>\ny".to_owned();
        let out = Outgoing { text, source: Some("RichText".into()), ..Outgoing::default() };
        let body = edit(&out, "");
        assert_eq!(body["messagetype"], "RichText");
        assert_eq!(body["content"], "<font color=\"#ff0000\">x</font>\r\ny");
    }

    #[test]
    fn a_reply_is_read_back_as_a_quote() {
        let out = Outgoing {
            text: "yes & no".into(),
            reply: Some(QuoteOf {
                author: "8:joe.4".into(),
                name: "Joe \"B\"".into(),
                at: Timestamp(1_451_606_400_000),
                id: "1451606400000".into(),
                text: "is it <b>?".into(),
            }),
            ..Outgoing::default()
        };
        let body = message(&out, &"77".into(), "Anna");
        let back = richtext::parse(body["content"].as_str().unwrap());
        assert_eq!(back.plain_text(), "Joe \"B\": is it <b>?\nyes & no");
    }

    #[test]
    fn an_emote_carries_the_name_and_its_length() {
        let out = Outgoing { text: "waves".into(), emote: true, ..Outgoing::default() };
        let body = message(&out, &"1".into(), "Änna");
        assert_eq!(body["content"], "Änna waves");
        assert_eq!(body["skypeemoteoffset"], "5");
    }

    proptest! {
        #[test]
        fn markers_never_lose_letters(text in "[a-c*_~ .{}\\n]{0,40}") {
            let shown = richtext::strip(&marked(&text));
            let letters = |s: &str| s.chars().filter(char::is_ascii_lowercase).collect::<String>();
            prop_assert_eq!(letters(&shown), letters(&text.replace("{code}", "")) );
        }

        /// Content that is read, offered to be edited as typed, and written back unchanged reads the same again.
        #[test]
        fn an_edit_without_a_change_changes_nothing(content in "(<b>|</b>|<i>|</i>|<s>|</s>|<pre>|</pre>|[a-c]| |&amp;|\\r\\n|<at id=\"8:a\">Al</at>|\\*|_){0,14}") {
            let before = richtext::parse(&content);
            if let Some((text, mentions)) = composer_markup::write(&before, &|_| None) {
                let out = Outgoing { text, mentions, markup: true, ..Outgoing::default() };
                let body = edit(&out, "");
                let sent = body["content"].as_str().unwrap();
                let after = if body["messagetype"] == "Text" {
                    crate::model::RichText::plain(sent)
                } else {
                    richtext::parse(sent)
                };
                prop_assert_eq!(after.plain_text(), before.plain_text());
                prop_assert_eq!(composer_markup::write(&after, &|_| None), composer_markup::write(&before, &|_| None));
            }
        }
    }
}
