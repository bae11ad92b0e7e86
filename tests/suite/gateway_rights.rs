//! What the gateway accepts and refuses: repeated requests, limits, and the rights of members, leavers and newcomers.

use crate::common::served::Connection;
use crate::common::{ANNA, Gateway, JOE, MIA, group, say_as, token};
use serde_json::{Value, json};
use std::collections::HashSet;

const KIB: usize = 1024;

/// A user's connection, and requests in JSON.
struct Caller(Connection);

impl Caller {
    async fn new(gateway: &Gateway, user: &str) -> Self {
        let credential = format!("Authentication: skypetoken={}", token(user));
        Self(Connection::open(&gateway.address(), credential).await.unwrap())
    }

    async fn ask(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.0.ask(method, path, &body).await.unwrap();
        (answer.status, answer.json())
    }

    async fn status(&mut self, method: &str, path: &str, body: Value) -> u16 {
        self.ask(method, path, body).await.0
    }

    /// Sends fields of a message; returns its id.
    async fn send(&mut self, to: &str, fields: Value) -> Option<i64> {
        let (_, answer) = self.ask("POST", &messages(to), fields).await;
        answer["OriginalArrivalTime"].as_i64()
    }

    /// Everything that can be read of a chat, over all its pages, newest first.
    async fn read(&mut self, chat: &str) -> Vec<Value> {
        let first = format!("{}?startTime=0&pageSize=200&view=x", messages(chat));
        self.pages(&first, "messages").await
    }

    async fn pages(&mut self, first: &str, list: &str) -> Vec<Value> {
        let mut path = first.to_owned();
        let mut all = Vec::new();
        loop {
            let answer = self.0.ask("GET", &path, "").await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert!(answer.body.len() < 3 * KIB * KIB, "{} bytes in a page", answer.body.len());
            let page = answer.json();
            all.extend(page[list].as_array().unwrap().iter().cloned());
            let Some(next) = page["_metadata"]["backwardLink"].as_str() else { return all };
            path = next.split_once("/v1/").map(|(_, rest)| format!("/v1/{rest}")).unwrap();
        }
    }
}

fn messages(chat: &str) -> String {
    format!("/v1/users/ME/conversations/{chat}/messages")
}

fn contents(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|m| m["content"].as_str()).collect()
}

fn text(content: &str) -> Value {
    json!({ "messagetype": "Text", "content": content })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_is_one_message_and_anything_else_is_another() {
    let gateway = Gateway::start().await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    let fields = |kind: &str, content: &str| json!({ "messagetype": kind, "content": content, "clientmessageid": "7" });
    let first = anna.send(JOE, fields("Text", "one")).await;
    let second = anna.send(JOE, fields("Text", "two")).await;
    let rich = anna.send(JOE, fields("RichText", "one")).await;
    let elsewhere = anna.send(MIA, fields("Text", "one")).await;
    assert_eq!(anna.send(JOE, fields("Text", "one")).await, first, "sent again");
    assert_eq!(anna.send(JOE, fields("Text", "two")).await, second);
    let path = format!("{}/{}", messages(JOE), first.unwrap());
    assert_eq!(anna.status("PUT", &path, text("edited")).await, 200);
    assert_eq!(anna.send(JOE, fields("Text", "one")).await, first, "also after an edit");
    let ids: HashSet<_> = [first, second, rich].into();
    assert_eq!(ids.len(), 3);
    assert_eq!(anna.read(JOE).await.len(), 3);
    assert_eq!(anna.read(MIA).await.len(), 1);
    assert!(elsewhere.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_texts_with_client_ids_from_the_clock_are_all_there() {
    let gateway = Gateway::start().await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    let seed: u64 = getrandom::u64().unwrap();
    println!("seed {seed}");
    let mut random = seed;
    for i in 0..1_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let client_id = (1_700_000_000 + i / 250 + (random >> 33) % 1_000).to_string();
        let fields = json!({ "messagetype": "Text", "content": i.to_string(), "clientmessageid": client_id });
        assert!(anna.send(JOE, fields).await.is_some());
    }
    let kept = anna.read(JOE).await;
    let kept: HashSet<&str> = contents(&kept).into_iter().collect();
    assert_eq!(kept.len(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_and_what_just_fits_is_taken() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    let thread = |name: &str| format!("/v1/threads/{team}/properties?name={name}");
    let own = format!("/v1/users/ME/conversations/{team}/properties?name=alertmatches");
    let long = |n: usize| "x".repeat(n);
    let members = |n: usize| {
        let others = (1..n).map(|i| json!({ "id": format!("8:m.{i}"), "role": "User" }));
        let all: Vec<Value> =
            std::iter::once(json!({ "id": ANNA, "role": "Admin" })).chain(others).collect();
        json!({ "members": all })
    };
    let cases = [
        ("PUT", own.clone(), json!({ "alertmatches": long(4 * KIB) }), 200),
        ("PUT", own, json!({ "alertmatches": long(4 * KIB + 1) }), 413),
        ("PUT", thread("topic"), json!({ "topic": long(KIB) }), 200),
        ("PUT", thread("topic"), json!({ "topic": long(KIB + 1) }), 413),
        ("PUT", thread("picture"), json!({ "picture": long(4 * KIB) }), 200),
        ("PUT", thread("picture"), json!({ "picture": long(4 * KIB + 1) }), 413),
        ("PUT", thread("capabilities"), json!({ "capabilities": vec!["x"; 64] }), 200),
        ("PUT", thread("capabilities"), json!({ "capabilities": vec!["x"; 65] }), 413),
        ("PUT", thread("capabilities"), json!({ "capabilities": [long(65)] }), 413),
        ("PUT", thread("capabilities"), json!({ "capabilities": [{ "x": 1 }] }), 413),
        ("PUT", thread("capabilities"), json!({ "capabilities": "all" }), 400),
        ("POST", messages(&team), text(&long(127 * KIB)), 201),
        ("POST", messages(&team), text(&long(128 * KIB)), 413),
        (
            "POST",
            messages(&team),
            json!({ "content": "x", "properties": { "cards": long(128 * KIB) } }),
            413,
        ),
        ("POST", "/v1/threads".into(), members(2_000), 201),
        ("POST", "/v1/threads".into(), members(2_001), 413),
        ("PUT", format!("/v1/threads/{team}/members/8:{}", long(300)), Value::Null, 400),
    ];
    for (i, (method, path, body, expected)) in cases.into_iter().enumerate() {
        let (status, answer) = anna.ask(method, &path, body).await;
        assert_eq!(status, expected, "case {i}: {answer}");
        assert!(status < 400 || answer["errorCode"].is_u64(), "case {i}: {answer}");
    }
    // A group of two thousand is full.
    let (_, list) = anna.ask("GET", "/v1/users/ME/conversations?pageSize=1", Value::Null).await;
    let crowd = list["conversations"][0]["id"].as_str().unwrap().to_owned();
    let more = json!({ "members": [{ "id": JOE, "role": "User" }] });
    assert_eq!(anna.status("POST", &format!("/v1/threads/{crowd}/members"), more).await, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_have_a_bounded_number_of_kinds_and_one_for_each_person_and_kind() {
    let gateway = Gateway::start().await;
    let (mut anna, mut joe) = (Caller::new(&gateway, ANNA).await, Caller::new(&gateway, JOE).await);
    let id = anna.send(JOE, text("react to this")).await.unwrap();
    let path = |other: &str| format!("{}/{id}/properties?name=emotions", messages(other));
    let emotion = |key: &str| json!({ "emotions": { "key": key, "value": 1 } });
    for i in 0..64 {
        assert_eq!(joe.status("PUT", &path(ANNA), emotion(&format!("kind-{i}"))).await, 200);
    }
    assert_eq!(joe.status("PUT", &path(ANNA), emotion("one-more")).await, 413);
    assert_eq!(joe.status("PUT", &path(ANNA), emotion("kind-3")).await, 200, "once more the same");
    assert_eq!(anna.status("PUT", &path(JOE), emotion("kind-3")).await, 200, "somebody else, too");
    assert_eq!(joe.status("PUT", &path(ANNA), emotion("")).await, 400);
    assert_eq!(joe.status("PUT", &path(ANNA), emotion(&"x".repeat(65))).await, 400);
    assert_eq!(joe.status("DELETE", &path(ANNA), emotion("kind-0")).await, 200);
    assert_eq!(joe.status("PUT", &path(ANNA), emotion("one-more")).await, 200, "room again");
    let message = &anna.read(JOE).await[0];
    let emotions = message["properties"]["emotions"].as_array().unwrap();
    assert_eq!(emotions.len(), 64);
    let three = emotions.iter().find(|e| e["key"] == "kind-3").unwrap();
    assert_eq!(three["users"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_small_and_complete_whatever_is_in_them() {
    let gateway = Gateway::start().await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    let large = "x".repeat(120 * KIB);
    for i in 0..40 {
        assert!(anna.send(JOE, text(&format!("{i} {large}"))).await.is_some());
        assert!(anna.send(&format!("8:p.{i}"), text(&format!("{i} {large}"))).await.is_some());
    }
    let numbers = |list: &[Value]| -> Vec<String> {
        contents(list).iter().map(|c| c.split(' ').next().unwrap().to_owned()).collect()
    };
    let expected: Vec<String> = (0..40).rev().map(|i| i.to_string()).collect();
    assert_eq!(numbers(&anna.read(JOE).await), expected);
    let list = anna.pages("/v1/users/ME/conversations?pageSize=100", "conversations").await;
    let ids: HashSet<&str> = list.iter().filter_map(|c| c["id"].as_str()).collect();
    assert_eq!((list.len(), ids.len()), (41, 41));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_keeps_its_kinds_over_its_pages() {
    let gateway = Gateway::start().await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    for i in 0..3 {
        group(&gateway, &format!("Team {i}")).await;
        anna.send(&format!("8:p.{i}"), text("hi")).await;
    }
    let first = "/v1/users/ME/conversations?pageSize=1&targetType=Thread";
    let list = anna.pages(first, "conversations").await;
    let ids: Vec<&str> = list.iter().filter_map(|c| c["id"].as_str()).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| id.starts_with("19:")), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_keeps_and_deletes_what_there_was_until_then() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    let (mut anna, mut joe) = (Caller::new(&gateway, ANNA).await, Caller::new(&gateway, JOE).await);
    anna.send(&team, text("before")).await;
    let member = format!("/v1/threads/{team}/members/{JOE}");
    assert_eq!(joe.status("DELETE", &member, Value::Null).await, 200);
    anna.send(&team, text("after")).await;
    let kept = joe.read(&team).await;
    assert!(contents(&kept).contains(&"before") && !contents(&kept).contains(&"after"));
    assert_eq!(joe.status("POST", &messages(&team), text("hello?")).await, 403);
    assert_eq!(joe.status("GET", &format!("/v1/threads/{team}"), Value::Null).await, 403);
    let horizon = json!({ "consumptionhorizon": "1;2;3" });
    let own = format!("/v1/users/ME/conversations/{team}/properties?name=consumptionhorizon");
    assert_eq!(joe.status("PUT", &own, horizon).await, 200, "the own list is still one's own");
    assert_eq!(joe.status("DELETE", &messages(&team), Value::Null).await, 200);
    assert!(joe.read(&team).await.is_empty());
    assert_eq!(anna.status("PUT", &member, Value::Null).await, 200);
    anna.send(&team, text("welcome back")).await;
    assert!(contents(&joe.read(&team).await).contains(&"welcome back"));
    let mut stranger = Caller::new(&gateway, MIA).await;
    stranger.status("DELETE", &format!("/v1/threads/{team}/members/{MIA}"), Value::Null).await;
    let other = gateway.client(ANNA).create_thread(&[], "Other").await.unwrap();
    assert_eq!(stranger.status("GET", &messages(other.as_str()), Value::Null).await, 403);
    assert_eq!(stranger.status("GET", &messages("19:none@thread.skype"), Value::Null).await, 404);
}

/// Ids and roles, the longest member first.
async fn members(caller: &mut Caller, team: &str) -> Vec<(String, String)> {
    let (_, thread) = caller.ask("GET", &format!("/v1/threads/{team}"), Value::Null).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    thread["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| (text(&member["id"]), text(&member["role"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_last_admin_leaves_the_longest_member_becomes_one() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    let (mut anna, mut joe, mut mia) = (
        Caller::new(&gateway, ANNA).await,
        Caller::new(&gateway, JOE).await,
        Caller::new(&gateway, MIA).await,
    );
    let member = |id: &str| format!("/v1/threads/{team}/members/{id}");
    // Joe comes back, and has then been in the group for a shorter time than Mia.
    assert_eq!(joe.status("DELETE", &member(JOE), Value::Null).await, 200);
    assert_eq!(anna.status("PUT", &member(JOE), json!({ "role": "User" })).await, 200);
    assert_eq!(anna.status("DELETE", &member(ANNA), Value::Null).await, 200);
    let expected = [(MIA, "Admin"), (JOE, "User")].map(|(id, role)| (id.into(), role.into()));
    assert_eq!(members(&mut mia, &team).await, expected);
    let lines = joe.read(&team).await;
    assert!(lines[0]["messagetype"] == "ThreadActivity/RoleUpdate", "{}", lines[0]);
    assert!(lines[0]["content"].as_str().unwrap().contains(&format!("<id>{MIA}</id>")));
    // The very last member leaves nobody behind.
    assert_eq!(joe.status("DELETE", &member(JOE), Value::Null).await, 200);
    assert_eq!(mia.status("DELETE", &member(MIA), Value::Null).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_change_only_where_that_is_asked_for() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    let (mut anna, mut joe) = (Caller::new(&gateway, ANNA).await, Caller::new(&gateway, JOE).await);
    let member = |id: &str| format!("/v1/threads/{team}/members/{id}");
    let (user, admin) = (json!({ "role": "User" }), json!({ "role": "Admin" }));
    let before = members(&mut anna, &team).await;
    for body in [Value::Null, json!({}), json!({ "role": null })] {
        assert_eq!(joe.status("PUT", &member(ANNA), body).await, 200);
    }
    let again = json!({ "members": [{ "id": ANNA, "role": "User" }, { "id": JOE }] });
    assert_eq!(joe.status("POST", &format!("/v1/threads/{team}/members"), again).await, 201);
    // As a client does when it opens the join link of a group it is in.
    assert_eq!(anna.status("PUT", &member(ANNA), user.clone()).await, 200);
    assert_eq!(members(&mut anna, &team).await, before);
    assert_eq!(anna.status("PUT", &member(JOE), json!("Admin")).await, 400);
    assert_eq!(joe.status("PUT", &member(MIA), admin.clone()).await, 403);
    assert_eq!(anna.status("PUT", &member(JOE), admin).await, 200);
    assert_eq!(joe.status("PUT", &member(ANNA), user).await, 200, "an admin may, if asked");
    let roles: Vec<String> = members(&mut anna, &team).await.into_iter().map(|m| m.1).collect();
    assert_eq!(roles, ["User", "Admin", "User"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_makes_no_other_kind_of_message_of_it() {
    let gateway = Gateway::start().await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    let fields = |kind: &str, content: &str| json!({ "messagetype": kind, "content": content });
    let id = anna.send(JOE, fields("Text", "plain")).await.unwrap();
    let card = anna.send(JOE, fields("RichText/Media_Card", "<URIObject/>")).await.unwrap();
    let path = |id: i64| format!("{}/{id}", messages(JOE));
    for (id, kind, expected) in [
        (id, "RichText", 200),
        (id, "RichText/Media_Card", 400),
        (id, "Event/Call", 400),
        (id, "Control/Typing", 400),
        (id, "ThreadActivity/TopicUpdate", 403),
        (card, "Text", 400),
        (card, "RichText/Media_Card", 200),
    ] {
        assert_eq!(anna.status("PUT", &path(id), fields(kind, "new")).await, expected, "{kind}");
    }
    assert_eq!(anna.status("PUT", &path(id), json!({ "content": "kept" })).await, 200);
    assert_eq!(anna.status("PUT", &path(id), json!({ "messagetype": "Text" })).await, 400);
    let kept = anna.read(JOE).await;
    assert_eq!(
        (kept[1]["messagetype"].as_str(), kept[1]["content"].as_str()),
        (Some("RichText"), Some("kept"))
    );
    // The same applies to the old way of editing.
    let named = |kind: &str| json!({ "messagetype": kind, "content": "x", "skypeeditedid": "55" });
    let mut first = fields("Text", "first");
    first["clientmessageid"] = "55".into();
    anna.send(JOE, first).await.unwrap();
    assert_eq!(anna.status("POST", &messages(JOE), named("Event/Call")).await, 400);
    assert_eq!(anna.status("POST", &messages(JOE), named("RichText")).await, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_in_the_old_way_shows_newcomers_nothing_of_before() {
    let gateway = Gateway::start().await;
    let (mut anna, mut joe) = (Caller::new(&gateway, ANNA).await, Caller::new(&gateway, JOE).await);
    let team = gateway.client(ANNA).create_thread(&[], "Team").await.unwrap();
    let team = team.as_str();
    let hidden = json!({ "historydisclosed": "false" });
    let path = format!("/v1/threads/{team}/properties?name=historydisclosed");
    assert_eq!(anna.status("PUT", &path, hidden).await, 200);
    let mut secret = text("the plan is secret");
    secret["clientmessageid"] = "77".into();
    anna.send(team, secret).await.unwrap();
    let member = format!("/v1/threads/{team}/members/{JOE}");
    assert_eq!(anna.status("PUT", &member, Value::Null).await, 200);
    joe.0.subscribe().await.unwrap();
    let edit = json!({ "messagetype": "Text", "content": "the plan is very secret", "skypeeditedid": "77" });
    anna.send(team, edit).await.unwrap();
    anna.send(team, text("hello Joe")).await.unwrap();
    let events = joe.0.poll(0).await.unwrap().body;
    assert!(events.contains("hello Joe") && !events.contains("secret"), "{events}");
    let seen = joe.read(team).await;
    assert!(contents(&seen).iter().all(|content| !content.contains("secret")));
    assert_eq!(contents(&anna.read(team).await).iter().filter(|c| c.contains("secret")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_named_by_its_id_or_its_senders_client_id_and_by_nothing_else() {
    let gateway = Gateway::start().await;
    let (mut anna, mut joe) = (Caller::new(&gateway, ANNA).await, Caller::new(&gateway, JOE).await);
    let mut fields = text("mine");
    fields["clientmessageid"] = "mine-1".into();
    let id = anna.send(JOE, fields).await.unwrap();
    let path = |name: &str| format!("{}/{name}", messages(JOE));
    for bad in
        [format!("{id}junk"), format!("+{id}"), format!("{id}.0"), "0x1".into(), "mine".into()]
    {
        assert_eq!(anna.status("PUT", &path(&bad), text("x")).await, 404, "{bad}");
    }
    assert_eq!(anna.status("PUT", &path(&id.to_string()), text("a")).await, 200);
    assert_eq!(anna.status("PUT", &path("mine-1"), text("b")).await, 200);
    let others = format!("{}/mine-1", messages(ANNA));
    assert_eq!(joe.status("PUT", &others, text("c")).await, 404, "it is not Joe's name for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_moderated_group_admins_write() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    let (mut anna, mut joe) = (Caller::new(&gateway, ANNA).await, Caller::new(&gateway, JOE).await);
    let own = joe.send(&team, text("while one may")).await.unwrap();
    let path = format!("/v1/threads/{team}/properties?name=moderatedthread");
    assert_eq!(anna.status("PUT", &path, json!({ "moderatedthread": true })).await, 200);
    let edit = format!("{}/{own}", messages(&team));
    assert_eq!(joe.status("POST", &messages(&team), text("and now?")).await, 403);
    assert_eq!(joe.status("PUT", &edit, text("changed")).await, 403);
    assert_eq!(joe.status("DELETE", &edit, Value::Null).await, 200, "one's own may go");
    assert_eq!(anna.status("POST", &messages(&team), text("news")).await, 201);
    assert_eq!(anna.status("PUT", &path, json!({ "moderatedthread": false })).await, 200);
    assert_eq!(joe.status("POST", &messages(&team), text("again")).await, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_people_are_known_there_are_no_others() {
    let gateway = Gateway::configured(|options| options.known_people_only = true).await;
    let team = group(&gateway, "Team").await;
    let mut anna = Caller::new(&gateway, ANNA).await;
    let nobody = "8:no.body";
    for (method, path, body) in [
        ("POST", messages(nobody), text("hello?")),
        ("GET", format!("/v1/users/ME/conversations/{nobody}"), Value::Null),
        (
            "PUT",
            format!("/v1/users/ME/conversations/{nobody}/properties?name=alerts"),
            json!({ "alerts": "false" }),
        ),
        ("PUT", format!("/v1/threads/{team}/members/{nobody}"), Value::Null),
        ("POST", format!("/v1/threads/{team}/members"), json!({ "members": [{ "id": nobody }] })),
        (
            "POST",
            "/v1/threads".into(),
            json!({ "members": [{ "id": ANNA, "role": "Admin" }, { "id": nobody }] }),
        ),
    ] {
        assert_eq!(anna.status(method, &path, body).await, 404, "{method} {path}");
    }
    say_as(&gateway.client(ANNA), JOE, "you are").await;
    assert_eq!(anna.status("POST", &messages("48:notes"), text("so am I")).await, 201);
    // A conversation that has not begun is still one: clients open it to write the first message.
    let mia = format!("/v1/users/ME/conversations/{MIA}");
    let (status, conversation) = anna.ask("GET", &mia, Value::Null).await;
    assert_eq!((status, conversation["id"].as_str()), (200, Some(MIA)));
    assert!(anna.read(MIA).await.is_empty());
    let (_, list) = anna.ask("GET", "/v1/users/ME/conversations", Value::Null).await;
    assert!(list["conversations"].as_array().unwrap().iter().all(|c| c["id"] != MIA));
}
