//! What is typed, as request JSON (facts 3.2, 4.1, 4.3, 5).

use super::entity::escape;
use crate::model::{ClientMessageId, Outgoing, QuoteOf, ThreadFlag, Timestamp};
use serde_json::{Map, Value, json};

/// A new message. Plain text goes out as `Text`, anything with tags as `RichText`. Unset fields are left out.
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
    if !my_name.is_empty() {
        body.insert("imdisplayname".into(), my_name.into());
    }
    if outgoing.emote {
        body.insert("skypeemoteoffset".into(), (my_name.encode_utf16().count() + 1).into());
    }
    body
}

fn content(outgoing: &Outgoing, my_name: &str) -> (&'static str, String) {
    let text = &outgoing.text;
    match (&outgoing.reply, outgoing.emote, outgoing.markup) {
        (_, true, _) => ("Text", format!("{my_name} {text}")),
        (Some(quote), ..) => {
            ("RichText", format!("{}{}", quote_tag(quote), rich(text, outgoing.markup)))
        }
        (None, _, true) => {
            let rich = markup(text);
            if rich == escape(text) { ("Text", text.clone()) } else { ("RichText", crlf(&rich)) }
        }
        (None, ..) => ("Text", text.clone()),
    }
}

fn rich(text: &str, marked: bool) -> String {
    crlf(&if marked { markup(text) } else { escape(text) })
}

fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// The `quote` tag with the fallback lines for clients that do not know it.
fn quote_tag(quote: &QuoteOf) -> String {
    let seconds = quote.at.0 / 1000;
    let author = quote.author.as_str().strip_prefix("8:").unwrap_or(quote.author.as_str());
    format!(
        "<quote author=\"{}\" authorname=\"{}\" timestamp=\"{seconds}\" messageid=\"{}\">\
         <legacyquote>[{seconds}] {}: </legacyquote>{}<legacyquote>\r\n\r\n&lt;&lt;&lt; </legacyquote></quote>",
        escape(author),
        escape(&quote.name),
        escape(&quote.id),
        escape(&quote.name),
        rich(&quote.text, false),
    )
}

/// Typed markers to tags: `*bold*`, `_italic_`, `~strike~`, `{code}…{code}`. A marker needs white space, punctuation
/// or the text's edge outside it, and something other than white space inside (facts 4.1).
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("{code}")
            && let Some((code, after)) = tail.split_once("{code}")
        {
            out.push_str("<pre raw_pre=\"{code}\" raw_post=\"{code}\">");
            out.push_str(&escape(code));
            out.push_str("</pre>");
            rest = after;
            before = Some('}');
            continue;
        }
        let tag = match c {
            '*' => Some("b"),
            '_' => Some("i"),
            '~' => Some("s"),
            _ => None,
        };
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        if let Some(tag) = tag
            && before.is_none_or(outside)
            && let Some(inner) = marked(tail, c)
        {
            let inner_tags = markup(inner);
            out.extend([
                format!("<{tag} raw_pre=\"{c}\" raw_post=\"{c}\">"),
                inner_tags,
                format!("</{tag}>"),
            ]);
            rest = tail.get(inner.len() + 1..).unwrap_or_default();
            before = Some(c);
            continue;
        }
        out.push_str(&escape(rest.get(..c.len_utf8()).unwrap_or_default()));
        before = Some(c);
        rest = tail;
    }
    out
}

/// The text up to the closing marker, if there is one on the same line.
fn marked(tail: &str, marker: char) -> Option<&str> {
    if tail.starts_with([' ', '\n', marker]) {
        return None;
    }
    // Long paragraphs with many lone markers would be searched again and again without this limit.
    let line = tail.split('\n').next()?;
    let line = line.char_indices().nth(2000).map_or(line, |(i, _)| line.get(..i).unwrap_or(line));
    for (at, _) in line.match_indices(marker) {
        let inner = line.get(..at)?;
        let next = line.get(at + 1..)?.chars().next();
        if !inner.ends_with(' ') && next.is_none_or(outside) {
            return Some(inner);
        }
    }
    None
}

fn outside(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | '.' | ';' | ':' | '?' | '!' | '(' | ')' | '*' | '_' | '~')
}

pub fn typing(active: bool) -> Value {
    let kind = if active { "Control/Typing" } else { "Control/ClearTyping" };
    json!({ "messagetype": kind, "contenttype": "text", "content": "" })
}

/// A property under its own name, beside `name` itself: the page says body, the clients say query (facts 7, row 2).
pub fn property(flag: ThreadFlag, on: bool) -> Value {
    let name = flag.property();
    match flag {
        ThreadFlag::Alerts => json!({ name: if on { "true" } else { "false" } }),
        _ => json!({ "name": name, name: on }),
    }
}

pub fn horizon(text: &str) -> Value {
    json!({ "consumptionhorizon": text })
}

pub fn emotion(key: &str, at: Timestamp, on: bool) -> Value {
    if on {
        json!({ "emotions": { "key": key, "value": at.0 } })
    } else {
        json!({ "emotions": { "key": key } })
    }
}

/// The body that registers an endpoint; an empty one is refused (facts 1.2).
pub fn register() -> Value {
    json!({ "endpointFeatures": "Agent" })
}

pub fn subscribe() -> Value {
    json!({
        "channelType": "httpLongPoll",
        "template": "raw",
        "interestedResources": [
            "/v1/threads/ALL",
            "/v1/users/ME/contacts/ALL",
            "/v1/users/ME/conversations/ALL/messages",
            "/v1/users/ME/conversations/ALL/properties",
        ],
    })
}

pub fn message_properties() -> Value {
    json!({ "supportsMessageProperties": true })
}

pub fn profiles<'a>(mris: impl Iterator<Item = &'a str>) -> Value {
    json!({ "mris": mris.collect::<Vec<_>>(), "locale": "en-US" })
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn typed_markers_become_tags() {
        assert_eq!(markup("*a* b_c_d"), "<b raw_pre=\"*\" raw_post=\"*\">a</b> b_c_d");
        assert_eq!(markup("2 * 3 * 4"), "2 * 3 * 4");
        assert!(markup("_a *b*_").contains("<i raw_pre=\"_\" raw_post=\"_\">a <b"));
        assert!(
            markup("{code}*x* <y>{code}")
                .contains("<pre raw_pre=\"{code}\" raw_post=\"{code}\">*x* &lt;y&gt;</pre>")
        );
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
        assert_eq!(body["skypeemoteoffset"], 5);
    }

    proptest! {
        #[test]
        fn markers_never_lose_letters(text in "[a-c*_~ .{}\\n]{0,40}") {
            let shown = richtext::strip(&markup(&text));
            let letters = |s: &str| s.chars().filter(char::is_ascii_lowercase).collect::<String>();
            prop_assert_eq!(letters(&shown), letters(&text.replace("{code}", "")) );
        }
    }
}
