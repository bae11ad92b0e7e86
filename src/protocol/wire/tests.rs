use super::*;
use crate::model::{Role, ThreadFlag, Timestamp};

const TEAM: &str = "19:team@thread.skype";

fn message(json: &str) -> RawMessage {
    raw_message(json, Some(&TEAM.into())).unwrap()
}

#[test]
fn the_reference_pages_message_reads() {
    let m = message(
        r#"{"clientmessageid":"1451606399999","composetime":"2016-01-01T00:00:00.000Z","content":"A message for the team.",
        "conversationLink":"https://h.example/v1/users/ME/conversations/19:a0b1c2...d3e4f5@thread.skype",
        "from":"https://h.example/v1/users/ME/contacts/8:anna.7","id":"1451606400000","messagetype":"Text",
        "originalarrivaltime":"2016-01-01T00:00:00.000Z","type":"Message","version":"1451606400000"}"#,
    );
    assert_eq!(&*m.id, "1451606400000");
    assert_eq!(m.at, Timestamp(1_451_606_400_000));
    assert_eq!(m.sender.as_str(), "8:anna.7");
    assert_eq!(m.conversation.as_str(), "19:a0b1c2...d3e4f5@thread.skype");
    assert_eq!(m.client_id.unwrap().as_str(), "1451606399999");
    assert_eq!(&*m.content, "A message for the team.");
}

#[test]
fn missing_and_odd_fields_cost_nothing() {
    let m = message(
        r#"{"id":1451606400000,"version":1451606400001,"content":null,"from":"","properties":"garbage"}"#,
    );
    assert_eq!((&*m.id, m.version, &*m.content), ("1451606400000", 1_451_606_400_001, ""));
    assert_eq!(m.sender.as_str(), "");
    assert_eq!(m.conversation.as_str(), TEAM);
    assert_eq!(&*message(r#"{"id":"1","content":{"text":"hi"}}"#).content, "hi");
    let card = r#"{"id":"1","messagetype":"RichText/Media_Card","content":{"type":"card"}}"#;
    assert_eq!(&*message(card).content, r#"{"type":"card"}"#);
    let words =
        r#"{"id":"1","messagetype":"Text","content":{"type":"x","body":[{"text":"one"},"two"]}}"#;
    assert_eq!(&*message(words).content, "one\ntwo");
    assert_eq!(&*message(r#"{"id":"1","content":["one","two"]}"#).content, "one\ntwo");
    assert_eq!(&*message(r#"{"id":"1","content":{"type":"card"}}"#).content, "");
    assert_eq!(&*message(r#"{"id":"1","content":42}"#).content, "42");
    assert_eq!(message(r#"{"id":"1","from":{"id":"8:joe.4"}}"#).sender.as_str(), "8:joe.4");
    assert_eq!(message(r#"{"id":"1","from":42}"#).sender.as_str(), "");
    assert_eq!(message(r#"{"id":"1","from":"https://evil.example/8:anna.7"}"#).sender.as_str(), "");
}

#[test]
fn one_bad_item_costs_that_item_only() {
    let body = r#"{"messages":[{"id":"2"},"nonsense",{"id":"\ud800"},{"no":"id"},{"id":"1"}],"_metadata":{"syncState":"https://h/x?syncState=abc&view=v"}}"#;
    let page = messages_page(body, &TEAM.into(), 100).unwrap();
    assert_eq!(page.items.len(), 2);
    assert_eq!(page.bad, 3);
    assert_eq!(page.sync_state.as_deref(), Some("abc"));
    assert_eq!(page.older, None);
}

#[test]
fn only_a_page_with_metadata_and_room_left_can_be_the_last() {
    let page = |metadata: &str, size| {
        let body = format!(r#"{{"messages":[{{"id":"2"}},null]{metadata}}}"#);
        let page = messages_page(&body, &TEAM.into(), size).unwrap();
        (page.is_last, page.is_full, page.older)
    };
    let link = |link: &str| format!(r#","_metadata":{{"backwardLink":{link}}}"#);
    assert_eq!(page(r#","_metadata":{}"#, 3), (true, false, None));
    assert_eq!(page(r#","_metadata":{"syncState":"x"}"#, 2), (false, true, None));
    let to = r#""https://h/x?syncState=ab""#;
    assert_eq!(page(&link(to), 3), (false, false, Some("ab".into())));
    for odd in [String::new(), r#","_metadata":[]"#.into(), link(r#""""#), link(r#""file:///x""#)] {
        assert_eq!(page(&odd, 3), (false, false, None), "{odd}");
    }
}

#[test]
fn a_page_without_its_list_or_metadata() {
    let team = TEAM.into();
    assert!(messages_page("<html>", &team, 100).is_err());
    assert!(messages_page(r#"{"errorCode":201}"#, &team, 100).is_err());
    assert!(messages_page(r#"{"messages":{}}"#, &team, 100).is_err());
    assert!(messages_page(r#"{"messages":[]}"#, &team, 100).unwrap().items.is_empty());
    assert!(messages_page(r#"{"messages":[],"_metadata":7}"#, &team, 100).unwrap().older.is_none());
}

#[test]
fn the_reference_pages_thread_reads() {
    let body = r#"{"id":"19:a@thread.skype","members":[{"capabilities":[],"cid":0,"friendlyName":"","id":"8:anna.7",
        "linkedMri":"","role":"Admin","type":"ThreadMember"},{"id":"8:joe.4","role":"User"}, 7],
        "properties":{"capabilities":["AddMember",7],"createdat":"1451606400000","creator":"8:anna.7","creatorcid":"0",
        "historydisclosed":"true","joiningenabled":false,"picture":"URL@https://p.example/x","topic":"Team &amp; chat"}}"#;
    let t = thread(body).unwrap();
    assert_eq!(t.members.len(), 2);
    assert_eq!(t.members[0].role, Role::Admin);
    assert_eq!(t.settings.flags.get(&ThreadFlag::JoiningEnabled), Some(&false));
    assert_eq!(t.settings.flags.get(&ThreadFlag::HistoryDisclosed), Some(&true));
    assert_eq!(t.settings.topic.as_deref(), Some("Team & chat"));
    assert_eq!(t.settings.picture.as_deref(), Some("https://p.example/x"));
}

#[test]
fn events_come_in_order() {
    assert!(events("{\"eventMessages\":[]}").complete);
    let body = r#"{"eventMessages":[{"id":1001,"resourceType":"NewMessage","resource":{"id":"2"}},{"id":"1000","resourceType":"X","resource":{}}]}"#;
    let read = events(body);
    let ids: Vec<u64> = read.events.iter().map(|e| e.id).collect();
    assert_eq!((ids.as_slice(), read.complete), (&[1000, 1001][..], true));
}

#[test]
fn an_answer_that_may_have_hidden_events_is_not_complete() {
    let deep = format!("{{\"eventMessages\":[{}{}]}}", "[".repeat(500), "]".repeat(500));
    for odd in [
        "",
        "{}",
        "[]",
        "null",
        "7",
        "<html>",
        "[{\"eventMessages\":[]}]",
        "{\"eventMessages\":null}",
        "{\"eventMessages\":{}}",
        "{\"eventMessages\":\"[]\"}",
        "{\"events\":[]}",
        "{\"eventMessages\":[],\"eventMessages\":[]}",
        "{\"eventMessages\":[null]}",
        "{\"eventMessages\":[{\"id\":3}]}",
        "{\"eventMessages\":[{\"id\":3,\"resource\":{},\"resource\":{}}]}",
        "{\"eventMessages\":[]",
        "{\"eventMessages\":[]}{}",
        "{\0\"\0e\0",
        deep.as_str(),
    ] {
        assert!(!events(odd).complete, "{odd}");
        assert!(events(odd).events.is_empty(), "{odd}");
    }
    // A bad item does not affect the others.
    let mixed = r#"{"eventMessages":[7,{"id":5,"resourceType":"NewMessage","resource":{}}]}"#;
    assert_eq!((events(mixed).events.len(), events(mixed).complete), (1, false));
}

#[test]
fn a_link_names_the_conversation_of_what_it_leads_to() {
    let base = "https://h.example/v1/users/ME/conversations";
    for (link, id) in [
        (format!("{base}/19:team@thread.skype/messages/1700000000000"), Some(TEAM)),
        (format!("{base}/19:team@thread.skype"), Some(TEAM)),
        (format!("{base}/19%3Ateam%40thread.skype/messages/1?x=1"), Some(TEAM)),
        (format!("{base}/19:team@thread.skype;messageid=17/messages/18"), Some(TEAM)),
        (format!("{base}/ALL/messages/1"), None),
        (format!("{base}/"), None),
        (TEAM.to_owned(), Some(TEAM)),
        (String::new(), None),
    ] {
        assert_eq!(conversation_of_link(&link), id.map(Into::into), "{link}");
    }
}

#[test]
fn error_codes_of_every_dress() {
    assert_eq!(
        error_code(r#"{"errorCode":729,"message":"You must create an endpoint"}"#),
        Some(729)
    );
    assert_eq!(error_code(r#"{"errorCode":"404","message":"{\"errorCode\":729}"}"#), Some(729));
    assert_eq!(error_code("<html>"), None);
    assert_eq!(
        sent(r#"{"OriginalArrivalTime":1451606400000}"#),
        Some(Timestamp(1_451_606_400_000))
    );
    assert_eq!(sent("{}"), None);
}

#[test]
fn profiles_of_both_services_read() {
    let people = profiles(r#"{"profiles":{"8:joe.4":{"profile":{"displayName":"Joe"}}}}"#).unwrap();
    assert_eq!(people[0].1.as_str(), "Joe");
    let people = profiles(r#"{"value":[{"mri":"8:joe.4","displayName":"Joe"}]}"#).unwrap();
    assert_eq!(people[0].0.as_str(), "8:joe.4");
}

#[test]
fn items_that_say_little_have_a_place() {
    let seconds = "1610047995";
    for (json, id, at) in [
        // No id at all: the time is used instead.
        (
            r#"{"content":"x","originalarrivaltime":"2021-01-07T19:33:15.931Z"}"#,
            "1610047995931",
            1_610_047_995_931,
        ),
        (
            r#"{"content":"x","composetime":"2021-01-07T19:33:15.931Z"}"#,
            "1610047995931",
            1_610_047_995_931,
        ),
        (
            r#"{"content":"x","originalArrivalTime":1610047995931}"#,
            "1610047995931",
            1_610_047_995_931,
        ),
        (r#"{"content":"x","version":"1610047995931"}"#, "1610047995931", 1_610_047_995_931),
        // No time: the id is one.
        (r#"{"id":"1610047995931"}"#, "1610047995931", 1_610_047_995_931),
        (r#"{"id":"abc","version":1610047995931}"#, "abc", 1_610_047_995_931),
        (r#"{"clientmessageid":"77","composetime":"1610047995931.0"}"#, "77", 1_610_047_995_931),
        // Seconds.
        (r#"{"id":"1610047995"}"#, seconds, 1_610_047_995_000),
        (r#"{"id":"1","originalarrivaltime":"1610047995"}"#, "1", 1_610_047_995_000),
        (r#"{"id":"1","originalarrivaltime":1610047995}"#, "1", 1_610_047_995_000),
    ] {
        let m = message(json);
        assert_eq!((&*m.id, m.at), (id, Timestamp(at)), "{json}");
    }
    for nothing in ["{}", r#"{"content":"x"}"#, r#"{"id":"abc"}"#, "[]", "null"] {
        assert!(raw_message(nothing, Some(&TEAM.into())).is_none(), "{nothing}");
    }
}

#[test]
fn an_item_belongs_to_its_page_and_an_event_to_what_it_names() {
    let link = "https://h.example/v1/users/ME/conversations/";
    for named in [
        format!("\"conversationLink\":\"{link}8:anna.7\""),
        format!("\"conversationLink\":\"{link}ALL\""),
        format!("\"conversationLink\":\"{link}{TEAM};messageid=1610047995931\""),
        "\"conversationid\":\"19:other@thread.skype\"".to_owned(),
        "\"x\":1".to_owned(),
    ] {
        let body = format!("{{\"messages\":[{{\"id\":\"5\",{named}}}],\"_metadata\":{{}}}}");
        let page = messages_page(&body, &TEAM.into(), 10).unwrap();
        assert_eq!(page.items[0].conversation.as_str(), TEAM, "{named}");
    }
    let event = |json: String| raw_message(&json, None).map(|raw| raw.conversation);
    let all =
        |more: &str| event(format!("{{\"id\":\"5\",\"conversationLink\":\"{link}ALL\"{more}}}"));
    assert_eq!(all(""), None);
    assert_eq!(all(",\"conversationid\":\"8:joe.4\""), Some("8:joe.4".into()));
    assert_eq!(all(",\"conversationId\":\"8:joe.4\""), Some("8:joe.4".into()));
    let chain =
        format!("{{\"id\":\"5\",\"conversationLink\":\"{link}19:c@thread.tacv2;messageid=7\"}}");
    assert_eq!(event(chain), Some("19:c@thread.tacv2".into()));
    assert!(ConversationId::new("19:c@thread.tacv2;messageid=7").is_virtual());
    let thread = thread_id("{\"id\":\"19:c@thread.tacv2;messageid=7\"}");
    assert_eq!(thread, Some("19:c@thread.tacv2".into()));
}
