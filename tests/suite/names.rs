//! What people and conversations are called: the same on the screen, in `chats` and in `log`, whatever the server says.

use crate::common::scripted::{Home, Reply, Script, Scripted, item, item_with};
use crate::common::*;
use serde_json::{Value, json};
use skchat::model::Receipts;
use std::path::Path;

fn at(dir: &Path) -> Setup<'_> {
    Setup { dir: Some(dir), receipts: Receipts::Never, size: (140, 30), ..Setup::default() }
}

/// The name that `chats` gives a conversation.
async fn called(home: &Home, origin: &str, id: &str) -> String {
    let (out, err) = home.command(origin, &["chats", "--json"]).await;
    let chats = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let chat = chats.into_iter().find(|chat| chat["id"] == id);
    chat.unwrap_or_else(|| panic!("{id} is not listed: {out}{err}"))["name"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The conversation list on the screen has this name, and `chats` says the same: in a new home, alongside the store,
/// and without the network.
async fn is_called(script: impl FnOnce(&mut Script), id: &str, name: &str, opened: bool) {
    let server = Scripted::start(script).await;
    assert_eq!(called(&Home::new(), &server.origin, id).await, name, "in a fresh home");
    let home = Home::new();
    let dir = home.dir();
    let options = || {
        let mut options = server.options(ANNA);
        options.profiles = Some(skchat::client::BaseUrl::parse(&server.origin).unwrap());
        options
    };
    let mut anna = Runner::launch(options(), &at(&dir));
    anna.wait_for("live").await;
    anna.wait_for(name).await;
    if opened {
        anna.open(name).await;
        anna.wait_until("the name above the chat", |s| s.matches(name).count() > 1).await;
    }
    anna.quit().await;
    assert_eq!(called(&home, &server.origin, id).await, name, "beside the store");
    let offline = options();
    drop(server);
    assert_eq!(called(&home, "http://127.0.0.1:1", id).await, name, "without the network");
    let mut anna = Runner::launch(offline, &at(&dir));
    anna.wait_for(name).await;
    anna.quit().await;
}

fn members(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "id": id, "role": "User" })).collect()
}

const PAIR: &str = "19:1f2e3d@oneToOne.skype";

#[tokio::test(flavor = "multi_thread")]
async fn a_one_to_one_thread_is_called_by_the_other_member_whose_name_a_message_brings() {
    let said = item_with(item(1, JOE, PAIR, "hello"), &json!({ "imdisplayname": "Joe Bloggs" }));
    let answered = item_with(item(2, ANNA, PAIR, "hi"), &json!({ "imdisplayname": "Anna" }));
    let script = |script: &mut Script| {
        script.chat(PAIR, vec![answered, said]);
        let roster = json!({ "id": PAIR, "members": members(&[ANNA, JOE]), "properties": {} });
        script.threads.insert(PAIR.into(), roster);
    };
    is_called(script, PAIR, "Joe Bloggs", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_to_one_thread_is_called_by_a_profile_where_messages_bring_ids_only() {
    let id = "19:uni01_zzz@thread.v2";
    let short = json!({ "imdisplayname": "joe.4" });
    let script = |script: &mut Script| {
        script.chat(id, vec![item_with(item(1, JOE, id, "hello"), &short)]);
        let roster = json!({ "id": id, "members": members(&[JOE, ANNA]), "properties": {} });
        script.threads.insert(id.into(), roster);
        script.profiles.insert(JOE.into(), "Joe &amp; Bloggs".into());
    };
    is_called(script, id, "Joe & Bloggs", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_refuses_its_members_is_called_by_who_wrote_in_it() {
    let id = "19:uni01_yyy@thread.v2";
    let token = json!({ "fromGivenNameInToken": "Joe", "fromFamilyNameInToken": "Bloggs" });
    let script = |script: &mut Script| {
        script.chat(id, vec![item_with(item(1, JOE, id, "hello"), &token)]);
    };
    is_called(script, id, "Joe Bloggs", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_names_people_by_the_thread_properties_and_by_the_ids_in_its_own_id() {
    let joe = "8:orgid:11111111-2222-4333-8444-555555555555";
    let me = ANNA;
    let id = "19:abc@unq.gbl.spaces";
    let script = |script: &mut Script| {
        script.chat(id, vec![item(2, me, id, "hi")]);
        script.conversations[0]["threadProperties"] = json!({
            "members": json!([me, { "id": joe, "friendlyName": "Joe Bloggs" }]).to_string(),
            "uniquerosterthread": "true",
        });
    };
    is_called(script, id, "Joe Bloggs", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_without_a_topic_are_called_by_their_members_before_they_are_opened() {
    let id = "19:team@thread.v2";
    let kim = "8:kim.9";
    let script = |script: &mut Script| {
        script.chat(id, vec![item(1, ANNA, id, "hi all")]);
        let all = members(&[ANNA, MIA, JOE, kim, "8:lee"]);
        script.threads.insert(id.into(), json!({ "id": id, "members": all, "properties": {} }));
        for (id, name) in [(MIA, "Mia"), (JOE, "Joe"), (kim, "Kim")] {
            script.profiles.insert(id.into(), name.into());
        }
    };
    is_called(script, id, "Mia, Joe +2", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_of_three_is_a_group_whatever_its_id_says() {
    let id = "19:uni01_three@thread.v2";
    let script = |script: &mut Script| {
        script.chat(id, vec![item(1, ANNA, id, "hi both")]);
        let all = json!([
            { "id": ANNA }, { "id": MIA, "friendlyName": "Mia" }, { "id": JOE, "displayName": "Joe" },
        ]);
        script.threads.insert(id.into(), json!({ "id": id, "members": all, "properties": {} }));
    };
    is_called(script, id, "Mia, Joe", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_meetings_name_their_groups_and_decode_entities() {
    for (id, properties, name) in [
        ("19:a@thread.skype", json!({ "topic": "Tom &amp; Ann" }), "Tom & Ann"),
        (
            "19:meeting_b@thread.v2",
            json!({ "topic": "", "meeting": "{\"subject\":\"Weekly &quot;sync&quot;\"}" }),
            "Weekly \"sync\"",
        ),
    ] {
        let script = |script: &mut Script| {
            script.chat(id, vec![item(1, ANNA, id, "hi")]);
            script.conversations[0]["threadProperties"] = properties;
        };
        is_called(script, id, name, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_of_a_gateway_see_each_others_names_although_their_clients_send_ids() {
    let gateway = Gateway::start().await;
    // As a program that does not know its own name does.
    for (from, to) in [(ANNA, JOE), (JOE, ANNA)] {
        let body = json!({ "messagetype": "Text", "content": "good morning", "imdisplayname": &from[2..] });
        let path = format!("{}/v1/users/ME/conversations/{to}/messages", gateway.origin);
        let authentication = format!("skypetoken={}", token(from));
        let http = reqwest::Client::new();
        let sent = http.post(path).header("Authentication", authentication);
        let sent = sent.header("content-type", "application/json").body(body.to_string());
        assert!(sent.send().await.unwrap().status().is_success());
    }
    let mut joe = Runner::start(&gateway, JOE).await;
    joe.wait_for("live").await;
    joe.wait_for("Anna Lindqvi").await;
    joe.open("anna").await;
    let screen = joe.wait_for("Anna Lindqvist").await;
    assert!(!screen.contains("anna.7"), "{screen}");
    let mut anna = Runner::start(&gateway, ANNA).await;
    anna.wait_for("live").await;
    anna.open("joe").await;
    anna.wait_for("good morning").await;
    anna.say("and what do you cook?").await;
    let screen = joe.wait_for("and what do you cook?").await;
    assert!(screen.contains("Anna Lindqvist") && !screen.contains("anna.7"), "{screen}");
    // The configuration of `write_config` has no line for names.
    let home = Home::new();
    let (out, err) = home.command_as(&gateway.origin, &token(ANNA), &["chats"]).await;
    assert!(out.contains("Joe Bloggs"), "{out}{err}");
    let (out, err) = home.command_as(&gateway.origin, &token(ANNA), &["log", "Joe"]).await;
    assert!(out.contains("Joe Bloggs: good morning"), "{out}{err}");
    assert!(out.contains("Anna Lindqvist: and what do you cook?"), "{out}{err}");
    anna.quit().await;
    joe.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_update_without_members_keeps_them() {
    let id = "19:team@thread.skype";
    let server = Scripted::start(|script| {
        script.chat(id, vec![item(1, ANNA, id, "hi")]);
        script.conversations[0]["threadProperties"] = json!({ "topic": "Team" });
        let roster = json!({ "id": id, "members": members(&[ANNA, JOE, MIA]), "properties": { "topic": "Team" } });
        script.threads.insert(id.into(), roster);
    })
    .await;
    let home = Home::new();
    let dir = home.dir();
    let mut anna = Runner::launch(server.options(ANNA), &at(&dir));
    anna.wait_for("live").await;
    anna.open("Team").await;
    anna.wait_for("3 members").await;
    server.change(|s| {
        s.event("ThreadUpdate", &json!({ "id": id, "properties": { "topic": "Crew" } }));
        s.answer(|asked| asked.is("GET", "/threads/").then(|| Reply::status(500, "{}")));
    });
    let screen = anna.wait_for("Crew").await;
    assert!(screen.contains("3 members"), "{screen}");
    anna.quit().await;
    let mut anna = Runner::launch(server.options(ANNA), &at(&dir));
    anna.wait_for("3 members").await;
    anna.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_itself_did_is_of_you_on_the_screen_and_in_the_log() {
    let id = "19:team@thread.skype";
    let line = |n: u64, kind: &str, content: &str| {
        let kind = format!("ThreadActivity/{kind}");
        item_with(item(n, id, id, content), &json!({ "messagetype": kind }))
    };
    let topic = format!(
        "<topicupdate><eventtime>1</eventtime><initiator>{ANNA}</initiator><value>Soup</value></topicupdate>"
    );
    let removed =
        format!("<deletemember><initiator>{JOE}</initiator><target>{ANNA}</target></deletemember>");
    let named =
        item_with(item(3, ANNA, id, "hello"), &json!({ "imdisplayname": "Anna Lindqvist" }));
    let server = Scripted::start(|script| {
        let lines = vec![named, line(2, "DeleteMember", &removed), line(1, "TopicUpdate", &topic)];
        script.chat(id, lines);
        script.conversations[0]["threadProperties"] = json!({ "topic": "Soup" });
    })
    .await;
    let home = Home::new();
    let dir = home.dir();
    let mut anna = Runner::launch(server.options(ANNA), &at(&dir));
    anna.wait_for("live").await;
    anna.open("Soup").await;
    anna.wait_for("You set the topic to \"Soup\"").await;
    anna.wait_for("removed you").await;
    anna.quit().await;
    for arguments in [&["log", "Soup"][..], &["log", "Soup", "--json"]] {
        let (out, err) = home.command(&server.origin, arguments).await;
        let quoted = out.replace("\\\"", "\"");
        assert!(quoted.contains("You set the topic to \"Soup\""), "{out}{err}");
        assert!(out.contains("removed you"), "{out}{err}");
        // The sender is named even if it is the user, because a log is read by others, too.
        assert!(out.contains("Anna Lindqvist"), "{out}{err}");
    }
}
