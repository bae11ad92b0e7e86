use super::*;
use crate::model::{CallState, ConversationId, ThreadActivity};
use crate::protocol::wire;

fn me() -> UserId {
    UserId::new("8:anna.7")
}

fn read(kind: &str, content: &str) -> Message {
    read_with(kind, content, "{}")
}

fn read_with(kind: &str, content: &str, extra: &str) -> Message {
    let mut json: serde_json::Value = serde_json::from_str(extra).unwrap();
    json["id"] = "1451606400000".into();
    json["from"] = "https://h.example/v1/users/ME/contacts/8:joe.4".into();
    json["messagetype"] = kind.into();
    json["content"] = content.into();
    let raw = wire::raw_message(&json.to_string(), Some(&ConversationId::new("8:joe.4"))).unwrap();
    message(&raw, &me())
}

fn line(message: &Message) -> String {
    message.body.text(&|id: &UserId| SafeText::line(id.bare()))
}

#[test]
fn text_is_literal_and_rich_text_is_not() {
    assert_eq!(line(&read("Text", "a &amp; <b>b</b>")), "a &amp; <b>b</b>");
    assert_eq!(line(&read("RichText", "a &amp; <b>b</b>")), "a & b");
}

#[test]
fn every_message_type_of_the_reference_page_has_a_line() {
    let file = r#"<URIObject type="File.1" uri="https://api.asm.skype.com/v1/objects/0-..." url_thumbnail="x">
        <Title>Title: file.txt</Title><Description>Description: file.txt</Description>
        <FileSize v="84"/><OriginalName v="file.txt"/><a href="https://login.skype.com/...">x</a></URIObject>"#;
    let photo = r#"<URIObject type="Picture.1" uri="u"><Title/><Description/><OriginalName v="photo.jpg"/>
        <a href="https://api.asm.skype.com/s/i?0-...">x</a><meta type="photo" originalName="photo.jpg"/></URIObject>"#;
    let files = r#"<files alt="sent files &quot;file1.txt&quot;"><file size="84" index="0" tid="1">file1.txt</file>
        <file size="105" index="1" tid="2">file2.txt</file></files>"#;
    let place = r#"<location latitude="51000000" longitude="-10000" address="Unknown address" pointOfInterest="">
        <a href="https://www.bing.com/maps/...">Unknown address</a></location>"#;
    assert_eq!(
        line(&read(
            "RichText/Contacts",
            r#"<contacts><c t="s" s="joe.4" f="Joe Bloggs"/></contacts>"#
        )),
        "[contact] Joe Bloggs"
    );
    assert_eq!(line(&read("RichText/Location", place)), "[location] Unknown address");
    assert_eq!(line(&read("RichText/Media_GenericFile", file)), "[file] file.txt · 84 B");
    assert_eq!(line(&read("RichText/UriObject", photo)), "[image] photo.jpg");
    assert_eq!(line(&read("RichText/Files", files)), "[file] file1.txt, file2.txt · 189 B");
    assert_eq!(read("Control/Typing", "").body, MessageBody::Hidden);
    assert_eq!(read("Control/ClearTyping", "").body, MessageBody::Hidden);
    let call = r#"<partlist type="started" alt=""><part identity="joe.4"><name>Joe Bloggs</name></part></partlist>"#;
    assert_eq!(line(&read("Event/Call", call)), "Call started · Joe Bloggs");
    let change = |tag: &str, by: &str, rest: &str| {
        format!(
            "<{tag}>\n  <eventtime>1451606400000</eventtime>\n  <initiator>{by}</initiator>\n  {rest}\n</{tag}>"
        )
    };
    let say = |kind: &str, xml: String| line(&read(&format!("ThreadActivity/{kind}"), &xml));
    assert_eq!(
        say("TopicUpdate", change("topicupdate", "8:joe.4", "<value>Team &amp; chat</value>")),
        "joe.4 set the topic to \"Team & chat\""
    );
    assert_eq!(
        say(
            "JoiningEnabledUpdate",
            change("joiningenabledupdate", "8:anna.7", "<value>true</value>")
        ),
        "anna.7 turned joining by link on"
    );
    assert_eq!(
        say(
            "HistoryDisclosedUpdate",
            change("historydisclosedupdate", "8:joe.4", "<value>false</value>")
        ),
        "joe.4 hid history from new members"
    );
    assert_eq!(
        say("AddMember", change("addmember", "8:anna.7", "<target>8:joe.4</target>")),
        "anna.7 added joe.4"
    );
    assert_eq!(
        say(
            "RoleUpdate",
            change("roleupdate", "8:anna.7", "<target><id>8:joe.4</id><role>admin</role></target>")
        ),
        "anna.7 made joe.4 an admin"
    );
    assert_eq!(
        say("DeleteMember", change("deletemember", "8:anna.7", "<target>8:joe.4</target>")),
        "anna.7 removed joe.4"
    );
}

#[test]
fn an_unknown_type_shows_its_name_and_text() {
    assert_eq!(
        line(&read("RichText/Hologram", "<h>hello</h> <b>you</b>")),
        "[RichText/Hologram] hello you"
    );
    assert_eq!(
        line(&read("ThreadActivity/Strange", "<x><initiator>8:joe.4</initiator></x>"))
            .split(':')
            .next(),
        Some("joe.4")
    );
    assert_eq!(
        line(&read("RichText/Contacts", "no xml at all")),
        "[RichText/Contacts] no xml at all"
    );
}

#[test]
fn calls_tell_their_length() {
    let ended = r#"<partlist type="ended" alt="" callId="1"><part identity="8:a"><name>A</name><duration>84.82</duration></part></partlist>"#;
    let MessageBody::Call(call) = read("Event/Call", ended).body else { panic!("not a call") };
    assert_eq!((call.state, call.seconds), (CallState::Ended, Some(84)));
}

#[test]
fn edits_and_deletes_of_both_dialects() {
    let edited = read_with("Text", "new", r#"{"properties":{"edittime":"1451606500000"}}"#);
    assert_eq!(edited.edited, Some(Timestamp(1_451_606_500_000)));
    assert_eq!(
        read_with("Text", "", r#"{"properties":{"deletetime":1622540621409.0}}"#).body,
        MessageBody::Deleted
    );
    let record = read_with(
        "RichText",
        "Edited previous message: new<e_m ts=\"1\"/>",
        r#"{"skypeeditedid":"77"}"#,
    );
    assert_eq!(record.edit_of.as_ref().map(|mark| &*mark.id), Some("77"));
    assert_eq!(line(&record), "new");
    assert_eq!(read_with("Text", "", r#"{"skypeeditedid":"77"}"#).body, MessageBody::Deleted);
    let reaction_only = read_with("Text", "x", r#"{"properties":{"emotions":[]}}"#);
    assert_eq!(reaction_only.edited, None);
}

#[test]
fn reactions_as_list_and_as_text() {
    let list = r#"[{"key":"heart","users":[{"mri":"8:joe.4","time":1,"value":"1"},{"mri":"8:joe.4"}]},{"key":"like","users":[]},{"key":"reactionsConsumptionHorizon","users":[{"mri":"8:a"}]}]"#;
    let plain = format!(r#"{{"properties":{{"emotions":{list}}}}}"#);
    let text = format!(r#"{{"properties":{{"emotions":{}}}}}"#, serde_json::Value::from(list));
    for extra in [plain, text] {
        let got = read_with("Text", "x", &extra).reactions;
        assert_eq!(got.len(), 1);
        assert_eq!((got[0].key.as_str(), got[0].users.len()), ("heart", 1));
    }
}

#[test]
fn a_me_message_drops_the_name_and_a_mention_calls_me() {
    let emote = read_with("Text", "Joe waves", r#"{"skypeemoteoffset":"4"}"#);
    assert!(matches!(&emote.body, MessageBody::Emote(rich) if rich.plain_text() == "waves"));
    assert!(read("RichText", "<at id=\"8:anna.7\">Anna</at> hi").mentions_me);
    assert!(
        !read("RichText", "<quote author=\"x\"><at id=\"8:anna.7\">Anna</at></quote> hi")
            .mentions_me
    );
}

#[test]
fn only_what_people_write_counts() {
    assert!(indexed(&read("Text", "x")).counts);
    assert!(!indexed(&read("Event/Call", "<partlist/>")).counts);
    assert!(!indexed(&read_with("Text", "", r#"{"skypeeditedid":"1"}"#)).counts);
    assert!(!indexed(&read("Control/Typing", "")).counts);
}

#[test]
fn a_file_in_the_properties_is_found_as_a_file_and_stands_in_the_preview() {
    let extra = r#"{"properties":{"files":"[{\"fileName\":\"budget.xlsx\",\"objectUrl\":\"https://f.example/b\"}]"}}"#;
    for content in ["", "<p>the numbers</p>"] {
        let message = read_with("RichText/Html", content, extra);
        let index = indexed(&message);
        assert!(index.file && index.link && index.counts, "{content}");
        assert!(line(&message).ends_with("[file] budget.xlsx"), "{content}");
    }
    let mut item: serde_json::Value = serde_json::from_str(extra).unwrap();
    item["id"] = "1451606400000".into();
    item["messagetype"] = "RichText/Html".into();
    let chat = serde_json::json!({ "id": "19:a@thread.skype", "lastMessage": item }).to_string();
    let raw = wire::raw_conversation(&chat).unwrap();
    assert_eq!(&*conversation(&raw, &me()).last.unwrap().text, "[file] budget.xlsx");
}

#[test]
fn member_lists_with_details_bring_names() {
    let xml = "<addmember><eventtime>1</eventtime><initiator>8:a</initiator><detailedinitiatorinfo><friendlyName>Ada</friendlyName></detailedinitiatorinfo>\
        <target>8:b</target><detailedtargetinfo><id>8:b</id><friendlyName>Bo</friendlyName></detailedtargetinfo><target>8:c</target></addmember>";
    let MessageBody::Thread(ThreadActivity::Added { targets, .. }) =
        read("ThreadActivity/AddMember", xml).body
    else {
        panic!("not added")
    };
    assert_eq!(targets.len(), 2);
    let names = payload::activity_names(xml);
    assert_eq!(names.len(), 2);
}

#[test]
fn long_lists_of_people_are_read_in_linear_time() {
    const COUNT: usize = 40_000;
    // Enough mentions and links to fill the longest text that is shown.
    const SHOWN: usize = 7_000;
    let start = std::time::Instant::now();
    let list = |item: fn(usize) -> String| (0..COUNT).map(item).collect::<Vec<_>>().join(",");
    let mentions = list(|n| format!(r#"{{"itemid":{n},"mri":"8:p{n}"}}"#));
    let users = list(|n| format!(r#"{{"mri":"8:p{}"}}"#, n / 2));
    let extra = format!(
        r#"{{"properties":{{"mentions":[{mentions}],"emotions":[{{"key":"like","users":[{users}]}}]}}}}"#
    );
    let words = (0..SHOWN).map(|n| format!("<at id='{n}'>P</at> https://{n} "));
    let content = words.collect::<Vec<_>>().join(",");
    let message = read_with("RichText", &content, &extra);
    assert_eq!(message.reactions[0].users.len(), COUNT / 2);
    assert_eq!(message.body.links().len(), SHOWN);
    // Quadratic reading needs far more than this; the bound is loose so that a slow machine passes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
