//! What an answer that reports an error says: its code, and the server's own words.
//!
//! Services put both in many forms (facts 6): at the top, in an object or a list, in JSON inside a string, or in a web
//! page. The words are for people, so ids, tokens and addresses are left out.

use crate::model::SafeText;
use crate::model::text::cut;
use crate::protocol::entity;
use crate::protocol::lenient::Text;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The deepest nesting of envelopes, each of which counts for its object and its string; no service nests more.
const DEEPEST: usize = 8;
/// The maximum width of the words in columns.
const LONGEST: usize = 120;
/// Replaces a word that is left out.
const LEFT_OUT: &str = "…";

/// The error code in an answer: `errorCode` as number or text, at the top, in `error`, or in JSON inside `message`.
pub fn error_code(body: &str) -> Option<u32> {
    code_within(body, 0)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorAnswer<'a> {
    #[serde(borrow, rename = "errorCode", alias = "ErrorCode")]
    code: Text<'a>,
    /// Of the inner object only: elsewhere it may mean something else.
    #[serde(borrow, rename = "code")]
    inner_code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

fn code_within(body: &str, depth: usize) -> Option<u32> {
    if depth > DEEPEST {
        return None;
    }
    let answer: ErrorAnswer<'_> = serde_json::from_str(body.trim()).ok()?;
    let number = |code: &Text<'_>| code.number().and_then(|n| u32::try_from(n).ok());
    let message = answer.message.as_str().trim();
    let in_message = || code_within(message, depth + 1).filter(|_| message.starts_with('{'));
    let error = answer.error.map(RawValue::get).filter(|error| error.starts_with('{'));
    let in_error = || code_within(error?, depth + 1);
    in_message()
        .or_else(in_error)
        .or_else(|| number(&answer.code))
        .or_else(|| number(&answer.inner_code).filter(|_| depth > 0))
}

/// The server's own words in an answer that reports an error: at most a line.
pub fn error_text(body: &str) -> Option<SafeText> {
    let words = words_within(body, 0)?;
    let words = without_ids(&SafeText::line(&words));
    let is_said = words.chars().any(char::is_alphabetic);
    is_said.then(|| SafeText::line(&cut(&words, LONGEST)))
}

/// The words in a text that may itself be JSON or a web page.
fn words_within(text: &str, depth: usize) -> Option<String> {
    let text = text.trim();
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        return words_of(&json, depth + 1);
    }
    match text.chars().next()? {
        '{' | '[' | '"' => None,
        '<' => words_of_page(text),
        _ => text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
    }
}

fn words_of(json: &Value, depth: usize) -> Option<String> {
    const NAMES: [&str; 14] = [
        "message",
        "Message",
        "errorMessage",
        "ErrorMessage",
        "error_description",
        "errorDescription",
        "detail",
        "description",
        "reason",
        "text",
        "title",
        "error",
        "errors",
        "status",
    ];
    if depth > DEEPEST {
        return None;
    }
    match json {
        Value::String(text) => words_within(text, depth),
        Value::Array(items) => items.iter().find_map(|item| words_of(item, depth + 1)),
        Value::Object(fields) => {
            NAMES.iter().filter_map(|name| fields.get(*name)).find_map(|v| words_of(v, depth + 1))
        }
        _ => None,
    }
}

/// The title of a web page, or else its text.
fn words_of_page(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let between = |open: &str, close: &str| {
        let start = lower.find(open)?;
        let start = start + lower.get(start..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find(close)?;
        let text = without_tags(page.get(start..end)?);
        (!text.is_empty()).then_some(text)
    };
    let said = between("<title", "</title")
        .or_else(|| between("<h1", "</h1"))
        .or_else(|| between("<body", "</body"));
    said.or_else(|| Some(without_tags(page)).filter(|text| !text.is_empty()))
}

fn without_tags(text: &str) -> String {
    let mut said = String::new();
    for part in text.split('<') {
        // The part before the first tag has no `>`.
        let words = part.split_once('>').map_or(part, |(_, words)| words);
        said.push_str(words);
        said.push(' ');
    }
    entity::unescape(&said).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without the words that identify somebody or give access.
fn without_ids(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut is_token = false;
    for word in text.split_whitespace() {
        let said = if std::mem::take(&mut is_token) || is_id(word) {
            LEFT_OUT.to_owned()
        } else {
            site_of(word)
        };
        is_token = word.trim_end_matches(':').eq_ignore_ascii_case("bearer");
        if said != LEFT_OUT || words.last().is_none_or(|last| last != LEFT_OUT) {
            words.push(said);
        }
    }
    words.join(" ")
}

/// Only the site of an address.
fn site_of(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let site = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if site.len() == rest.len() { word.to_owned() } else { format!("{scheme}://{site}/{LEFT_OUT}") }
}

fn is_id(word: &str) -> bool {
    if word.contains("://") {
        // Its path is left out anyway.
        return false;
    }
    let lower = word.to_ascii_lowercase();
    let marks = ["token=", "key=", "eyj", "@thread", "live:", "orgid:", "secret=", "password="];
    if marks.iter().any(|mark| lower.contains(mark)) {
        return true;
    }
    // Part by part, because ids can be in quotes and brackets.
    let is_part = |c: char| c.is_alphanumeric() || "-_.:@+/=%".contains(c);
    word.split(|c| !is_part(c)).any(is_id_part)
}

fn is_id_part(part: &str) -> bool {
    let part = part.trim_matches(|c: char| ".:/-".contains(c));
    let digits = part.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let has_digit = digits > 0;
    let length = part.chars().count();
    // Such as `8:joe.4`, but not 12:30.
    let is_person = part.split_once(':').is_some_and(|(kind, name)| {
        (1..=2).contains(&kind.len())
            && kind.bytes().all(|b| b.is_ascii_digit())
            && name.chars().any(|c| c.is_alphabetic() || c == '+')
    });
    let is_mail =
        part.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    is_person || is_mail || digits >= 8 || (has_digit && length >= 20) || length >= 40
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> String {
        error_text(body).map_or_else(String::new, |text| text.to_string())
    }

    #[test]
    fn the_reason_is_found_in_every_envelope() {
        for body in [
            r#"{"errorCode":201,"message":"Not a member"}"#,
            r#"{"ErrorCode":201,"Message":"Not a member"}"#,
            r#"{"message":"{\"errorCode\":201,\"message\":\"Not a member\"}"}"#,
            r#"{"errorCode":403,"message":"{\"subCode\":1,\"details\":null,\"errorCode\":201,\"message\":\"Not a member\"}"}"#,
            r#"{"message":"{\"error\":{\"code\":\"201\",\"message\":\"Not a member\"}}"}"#,
            r#"{"error":{"code":201,"message":"Not a member"}}"#,
            r#"{"error":{"code":"Forbidden","errorCode":"201","message":"Not a member"}}"#,
            r#"{"error":{"message":"{\"errorCode\":201,\"message\":\"Not a member\"}"}}"#,
            r#" {"message":" {\"errorCode\":201,\"message\":\" Not a member \"} "}"#,
        ] {
            assert_eq!((error_code(body), &*said(body)), (Some(201), "Not a member"), "{body}");
        }
        for (body, words) in [
            (r#"{"status":{"code":40300,"text":"No such thing."}}"#, "No such thing."),
            (r#"{"error":"invalid_grant","error_description":"It expired"}"#, "It expired"),
            (r#"{"error":"invalid_grant"}"#, "invalid_grant"),
            (r#"{"errors":[{"code":1},{"message":"Two"}]}"#, "Two"),
            (r#"{"title":"Bad","detail":"Because"}"#, "Because"),
            (r#"{"type":"about:blank","title":"Bad","status":400}"#, "Bad"),
            (
                "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>",
                "502 Bad Gateway",
            ),
            ("<HTML><BODY CLASS=x><H1>Down &amp; out</H1><p>y", "Down & out"),
            ("<p>Only <b>words</b></p>", "Only words"),
            ("upstream connect error\nmore", "upstream connect error"),
            ("\"just a string\"", "just a string"),
            (r#"{"message":"a\u001b[31mred\nline"}"#, "a\u{fffd}[31mred"),
        ] {
            assert_eq!(said(body), words, "{body}");
        }
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "7",
            r#"{"message":null}"#,
            r#"{"message":"{\"a\":1}"}"#,
            "{\"mess",
            "<br>",
            r#"{"message":"8:joe.4"}"#,
        ] {
            assert_eq!(said(body), "", "{body}");
        }
    }

    #[test]
    fn the_reason_has_no_ids_no_tokens_and_no_addresses() {
        for (words, shown) in [
            ("User 8:live:.cid.12ab is not in 19:ab_c@thread.skype", "User … is not in …"),
            ("('8:joe.4') cannot be reached", "… cannot be reached"),
            ("28:f9c6d1a7-0000-4000-8000-aaaabbbbcccc is a bot", "… is a bot"),
            ("Trace f9c6d1a7-0000-4000-8000-aaaabbbbcccc at 1700000000000", "Trace … at …"),
            ("Bearer abc was rejected", "Bearer … was rejected"),
            ("skypetoken=abc is old", "… is old"),
            ("eyJhbGciOiJIUzI1NiJ9.e30.x is no token", "… is no token"),
            ("write to joe@example.org", "write to …"),
            (
                "see https://h.example/v1/users/8:joe.4?x=1 for more",
                "see https://h.example/… for more",
            ),
            ("Wait until 12:30, error 803.", "Wait until 12:30, error 803."),
            ("It's the user's own: nothing at stake", "It's the user's own: nothing at stake"),
        ] {
            let body = serde_json::json!({ "message": words }).to_string();
            assert_eq!(said(&body), shown, "{words}");
        }
    }
}
