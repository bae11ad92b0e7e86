//! What the figures and the benchmarks read and draw.

#[path = "../common/fixture.rs"]
pub mod fixture;

use fixture::{App, direct};
use skchat::model::{Message, Placement};

/// 40 % Text, 35 % RichText, 25 % of the other types of the reference page.
pub fn corpus(messages: std::ops::Range<usize>) -> String {
    let rich = [
        "See <a href=\"https://docs.example/x?a=1&amp;b=2\">the plan</a> and <b raw_pre=\"*\" raw_post=\"*\">tell</b> me &amp; Joe",
        "<quote author=\"joe.4\" authorname=\"Joe\" timestamp=\"1600000000\"><legacyquote>[1600000000] Joe: </legacyquote>who?<legacyquote>\r\n\r\n&lt;&lt;&lt; </legacyquote></quote>I do <ss type=\"smile\">:)</ss>",
        "<at id=\"8:anna.7\">Anna</at>, <i>could</i> you <font color=\"#ff0000\">please</font> look?",
    ];
    let other = [
        (
            "ThreadActivity/TopicUpdate",
            "<topicupdate><eventtime>1</eventtime><initiator>8:joe.4</initiator><value>Team</value></topicupdate>",
        ),
        (
            "ThreadActivity/AddMember",
            "<addmember><eventtime>1</eventtime><initiator>8:joe.4</initiator><target>8:anna.7</target></addmember>",
        ),
        (
            "RichText/UriObject",
            "<URIObject type=\"Picture.1\" uri=\"https://a.example/1\"><Title/><OriginalName v=\"photo.jpg\"/><FileSize v=\"84\"/><a href=\"https://a.example/2\">x</a></URIObject>",
        ),
        (
            "Event/Call",
            "<partlist type=\"ended\" alt=\"\"><part identity=\"joe.4\"><name>Joe</name><duration>84</duration></part></partlist>",
        ),
        ("RichText/Contacts", "<contacts><c t=\"s\" s=\"joe.4\" f=\"Joe Bloggs\"/></contacts>"),
    ];
    let items: Vec<String> = messages
        .map(|n| {
            let (kind, content) = match n % 20 {
                0..=7 => ("Text", "A message for the team, not long and not short, number ".to_owned() + &n.to_string()),
                8..=14 => ("RichText", rich[n % rich.len()].to_owned()),
                _ => {
                    let (kind, content) = other[n % other.len()];
                    (kind, content.to_owned())
                }
            };
            let at = 1_600_000_000_000 + n as u64 * 1000;
            serde_json::json!({
                "id": at.to_string(), "version": at.to_string(), "type": "Message", "messagetype": kind,
                "content": content, "clientmessageid": (at - 1).to_string(), "imdisplayname": "Joe Bloggs",
                "composetime": "2020-09-13T12:26:40.000Z", "originalarrivaltime": "2020-09-13T12:26:40.000Z",
                "from": "https://h.example/v1/users/ME/contacts/8:joe.4",
                "conversationLink": "https://h.example/v1/users/ME/conversations/19:kitchen@thread.skype",
            })
            .to_string()
        })
        .collect();
    format!("{{\"messages\":[{}],\"_metadata\":{{}}}}", items.join(","))
}

/// The nth message of a conversation.
pub fn one(n: i64) -> Message {
    let words = format!("message {n} {}", "with some words in it ".repeat(1 + n as usize % 6));
    fixture::message(if n % 3 == 0 { "anna" } else { "joe" }, n, fixture::text(&words))
}

/// A conversation with so many messages in memory; scrolled up by a page, so that none are put away.
pub fn loaded(count: i64) -> App {
    let mut app = direct("joe").sized(120, 40).opened();
    app.messages(vec![one(0)], Placement::Event);
    app.model.app.with_open(|chat, _| {
        for n in 1..count {
            chat.timeline.upsert(one(n));
        }
    });
    app.layout();
    app.model.view.scroll(&mut app.model.app, -30);
    app
}
