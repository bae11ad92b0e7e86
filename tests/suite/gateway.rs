//! The gateway against the reference page: plain requests in its shapes, and the client's methods for each operation.

use crate::common::*;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use skchat::client::{ErrorKind, NewMember};
use skchat::gateway::fault::InjectedFault;
use skchat::model::AuthStyle;
use skchat::model::{ConversationId, ReadMarker, Role, ThreadFlag, UserId};

/// A plain request with the Skype token.
async fn ask(
    gateway: &Gateway,
    user: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let (status, _, body) = ask_with(gateway, user, method, path, body).await;
    (status, body)
}

async fn ask_with(
    gateway: &Gateway,
    user: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, reqwest::header::HeaderMap, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client
        .request(method, format!("{}{path}", gateway.origin))
        .header("Authentication", format!("skypetoken={}", token(user)));
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    (status, headers, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_details_have_every_field_of_the_reference_page() {
    let gateway = Gateway::start().await;
    let id = group(&gateway, "Team chat").await;
    say_as(&gateway.client(ANNA), &id, "A message for the team.").await;
    say_as(&gateway.client(JOE), ANNA, "Hi!").await;
    let view = "startTime=0&view=msnp24Equivalent&targetType=Passport|Skype|Lync|Thread";
    let (status, list) =
        ask(&gateway, ANNA, Method::GET, &format!("/v1/users/ME/conversations?{view}"), None).await;
    assert_eq!(status, StatusCode::OK);
    let metadata = &list["_metadata"];
    assert_eq!(metadata["totalCount"], 2);
    assert!(metadata.get("backwardLink").is_none(), "nothing is older");
    for link in ["forwardLink", "syncState"] {
        let link = metadata[link].as_str().unwrap();
        assert!(
            link.starts_with(&format!("{}/v1/users/ME/conversations?syncState=", gateway.origin)),
            "{link}"
        );
        assert!(link.ends_with("&view=msnp24Equivalent"));
    }
    let items = list["conversations"].as_array().unwrap();
    assert_eq!(items[0]["id"], JOE, "most recently active first");
    assert_eq!(items[0]["targetLink"], format!("{}/v1/users/ME/contacts/{JOE}", gateway.origin));
    assert_eq!(items[0]["type"], "Conversation");
    assert!(items[0]["version"].is_u64());
    let team = &items[1];
    assert_eq!(
        team["messages"],
        format!("{}/v1/users/ME/conversations/{id}/messages", gateway.origin)
    );
    assert_eq!(team["targetLink"], format!("{}/v1/threads/{id}", gateway.origin));
    assert_eq!(team["threadProperties"]["topic"], "Team chat");
    assert!(team["threadProperties"]["lastjoinat"].is_string());
    assert!(team["threadProperties"]["version"].is_string());
    let newest = &team["lastMessage"];
    for field in [
        "clientmessageid",
        "composetime",
        "content",
        "conversationLink",
        "from",
        "id",
        "messagetype",
        "originalarrivaltime",
        "type",
        "version",
    ] {
        assert!(newest[field].is_string(), "{field} is missing in {newest}");
    }
    assert_eq!(newest["from"], format!("{}/v1/users/ME/contacts/{ANNA}", gateway.origin));
    let (_, one) =
        ask(&gateway, ANNA, Method::GET, &format!("/v1/users/ME/conversations/{id}"), None).await;
    assert_eq!(&one, team);
    let (_, thread) = ask(&gateway, ANNA, Method::GET, &format!("/v1/threads/{id}"), None).await;
    assert_eq!(thread["type"], "Thread");
    assert_eq!(thread["properties"]["topic"], "Team chat");
    assert_eq!(thread["properties"]["joiningenabled"], "false");
    assert_eq!(thread["properties"]["historydisclosed"], "true");
    assert_eq!(thread["properties"]["capabilities"].as_array().unwrap().len(), 12);
    let member = &thread["members"][0];
    for field in [
        "capabilities",
        "cid",
        "friendlyName",
        "id",
        "linkedMri",
        "role",
        "type",
        "userLink",
        "userTile",
    ] {
        assert!(member.get(field).is_some(), "{field} is missing in {member}");
    }
    assert_eq!(member["role"], "Admin");
    assert_eq!(thread["members"][1]["role"], "User");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_state_gives_what_is_new_first_and_then_the_next_older_page() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    for i in 0..25 {
        say_as(&joe, ANNA, &i.to_string()).await;
    }
    let contents = |page: &Value| -> Vec<String> {
        let items = page["messages"].as_array().unwrap();
        items.iter().map(|m| m["content"].as_str().unwrap().to_owned()).collect()
    };
    let numbers =
        |range: std::ops::Range<i32>| range.rev().map(|i| i.to_string()).collect::<Vec<_>>();
    let path = format!(
        "/v1/users/ME/conversations/{JOE}/messages?startTime=0&pageSize=10&view=msnp24Equivalent"
    );
    let (_, first) = ask(&gateway, ANNA, Method::GET, &path, None).await;
    assert_eq!(contents(&first), numbers(15..25));
    let next = |page: &Value| {
        let link = page["_metadata"]["syncState"].as_str().unwrap();
        link.strip_prefix(&gateway.origin).unwrap().to_owned()
    };
    assert!(first["_metadata"]["backwardLink"].is_string());
    say_as(&joe, ANNA, "new 1").await;
    say_as(&joe, ANNA, "new 2").await;
    let (_, second) = ask(&gateway, ANNA, Method::GET, &next(&first), None).await;
    let mut expected = vec!["new 2".to_owned(), "new 1".to_owned()];
    expected.extend(numbers(7..15));
    assert_eq!(contents(&second), expected);
    let (_, third) = ask(&gateway, ANNA, Method::GET, &next(&second), None).await;
    assert_eq!(contents(&third), numbers(0..7));
    assert!(third["_metadata"].get("backwardLink").is_none(), "the beginning is reached");
    let (_, rest) = ask(&gateway, ANNA, Method::GET, &next(&third), None).await;
    assert_eq!(contents(&rest), Vec::<String>::new());
    let stale = format!("/v1/users/ME/conversations/{JOE}/messages?syncState=zz");
    let (status, body) = ask(&gateway, ANNA, Method::GET, &stale, None).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!(230)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_query_parameters_act() {
    let gateway = Gateway::start().await;
    let id = group(&gateway, "Team").await;
    say_as(&gateway.client(JOE), ANNA, "hi").await;
    let ids = async |query: &str| -> Vec<String> {
        let (_, list) =
            ask(&gateway, ANNA, Method::GET, &format!("/v1/users/ME/conversations?{query}"), None)
                .await;
        let items = list["conversations"].as_array().unwrap();
        items.iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("targetType=Thread").await, [id]);
    assert_eq!(ids("targetType=Skype|Hologram").await, [JOE]);
    assert_eq!(ids("targetType=Hologram").await.len(), 2, "unknown kinds are ignored");
    assert_eq!(ids("startTime=99999999999999").await.len(), 0);
    assert_eq!(ids("startTime=&pageSize=x").await.len(), 2, "what is no number is ignored");
    assert_eq!(ids("pageSize=1").await, [JOE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_answers_as_the_page_says_and_the_same_client_id_is_the_same_message() {
    let gateway = Gateway::start().await;
    let path = format!("/v1/users/ME/conversations/{JOE}/messages");
    let body = json!({ "contenttype": "text", "messagetype": "Text", "content": "Hi!", "clientmessageid": "18446744073709551999" });
    let (status, headers, sent) =
        ask_with(&gateway, ANNA, Method::POST, &path, Some(body.clone())).await;
    assert_eq!(status, StatusCode::CREATED);
    let arrival = sent["OriginalArrivalTime"].as_i64().unwrap();
    let location = headers["location"].to_str().unwrap();
    assert!(location.ends_with(&format!("/messages/{arrival}")), "{location}");
    let (_, again) = ask(&gateway, ANNA, Method::POST, &path, Some(body)).await;
    assert_eq!(again["OriginalArrivalTime"], arrival);
    for bad in [
        json!({ "content": 7 }),
        json!({ "messagetype": "" }),
        json!([1]),
        json!({ "messagetype": "ThreadActivity/TopicUpdate", "content": "<x/>" }),
    ] {
        let (status, answer) = ask(&gateway, ANNA, Method::POST, &path, Some(bad.clone())).await;
        assert!(
            status.is_client_error() && answer["errorCode"].is_u64(),
            "{bad} gave {status} {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_but_the_resolve_call_needs_a_credential_and_a_known_host() {
    let gateway = Gateway::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = async |method: Method, path: &str, header: (&str, &str)| {
        let url = format!("{}{path}", gateway.origin);
        let request = client
            .request(method, url)
            .header(header.0, header.1)
            .body("{\"shortId\":\"x\",\"type\":\"wl\"}");
        request.send().await.unwrap().status().as_u16()
    };
    let none = ("X-Nothing", "1");
    for path in
        ["/v1/users/ME/conversations", "/v1/threads/19:x@thread.skype", "/v1/no/such/path", "/"]
    {
        assert_eq!(status(Method::GET, path, none).await, 401, "{path}");
    }
    for path in
        ["/scheduler/threads", "/profiles/v2/profiles", "/v1/meetings", "/v1/users/ME/endpoints"]
    {
        assert_eq!(status(Method::POST, path, none).await, 401, "{path}");
    }
    assert_eq!(
        status(Method::POST, "/join/api/v2/conversation/", none).await,
        404,
        "no such link, but no credential asked"
    );
    let list = "/v1/users/ME/conversations";
    let anna = token(ANNA);
    for (name, value) in [
        ("Authentication", format!("skypetoken={anna}")),
        ("X-Skypetoken", anna.clone()),
        ("Authorization", format!("Bearer {anna}")),
    ] {
        assert_eq!(status(Method::GET, list, (name, &value)).await, 200, "{name}");
    }
    assert_eq!(status(Method::GET, list, ("Authentication", "skypetoken=")).await, 401);
    assert_eq!(
        status(Method::GET, list, ("RegistrationToken", "registrationToken=unknown")).await,
        404
    );
    let with_token = |name: &'static str, value: &'static str| {
        client
            .get(format!("{}{list}", gateway.origin))
            .header("X-Skypetoken", &anna)
            .header(name, value)
    };
    assert_eq!(with_token("Host", "evil.example").send().await.unwrap().status(), 421);
    assert_eq!(with_token("Origin", "https://evil.example").send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_may_what_members_may_and_admins_the_rest() {
    let gateway = Gateway::start().await;
    let id = ConversationId::new(group(&gateway, "Rules").await);
    let (anna, joe) = (gateway.client(ANNA), gateway.client(JOE));
    let zoe = UserId::new("8:zoe.1");
    joe.set_topic(&id, "Any member may").await.unwrap();
    joe.put_member(&id, &zoe, Role::User).await.unwrap();
    let refused = |result: Result<(), skchat::client::Error>| {
        assert_eq!(result.unwrap_err().kind, ErrorKind::Forbidden);
    };
    refused(joe.set_flag(&id, ThreadFlag::JoiningEnabled, true).await);
    refused(joe.set_flag(&id, ThreadFlag::HistoryDisclosed, false).await);
    refused(joe.remove_member(&id, &zoe).await);
    refused(joe.put_member(&id, &UserId::new(MIA), Role::Admin).await);
    refused(joe.put_member(&id, &UserId::new("8:new.1"), Role::Admin).await);
    anna.put_member(&id, &UserId::new(JOE), Role::Admin).await.unwrap();
    joe.remove_member(&id, &zoe).await.unwrap();
    joe.remove_member(&id, &UserId::new(JOE)).await.unwrap();
    assert_eq!(joe.thread(&id).await.unwrap_err().kind, ErrorKind::Forbidden);
    say_as(&anna, id.as_str(), "he is gone").await;
    let own = joe.messages(&id, 50).await.unwrap();
    assert!(own.items.iter().all(|m| &*m.content != "he is gone"), "up to leaving and no further");
    assert_eq!(own.items.len(), 7);
    let page = anna.messages(&id, 50).await.unwrap();
    let kinds: Vec<&str> = page.items.iter().rev().map(|m| &*m.kind).collect();
    assert_eq!(
        kinds,
        [
            "ThreadActivity/AddMember",
            "ThreadActivity/TopicUpdate",
            "ThreadActivity/TopicUpdate",
            "ThreadActivity/AddMember",
            "ThreadActivity/RoleUpdate",
            "ThreadActivity/DeleteMember",
            "ThreadActivity/DeleteMember",
            "Text"
        ]
    );
    // Nobody can edit or delete what the server wrote, not even the person who caused it.
    let first = &page.items.last().unwrap().id;
    let path = format!("/v1/users/ME/conversations/{}/messages/{first}", id.as_str());
    let (status, _) = ask(&gateway, ANNA, Method::DELETE, &path, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_by_link_and_hidden_history() {
    let gateway = Gateway::start().await;
    let anna = gateway.client(ANNA);
    let member = NewMember { id: UserId::new(MIA), role: Role::User };
    let id = anna.create_thread(&[member], "Open house").await.unwrap();
    let secret = say_as(&anna, id.as_str(), "before you came").await;
    let path = "/scheduler/threads";
    let body = json!({ "baseDomain": "https://join.skype.com/launch/", "threadId": id.as_str() });
    let (status, _) = ask(&gateway, ANNA, Method::POST, path, Some(body.clone())).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "joining is off");
    anna.set_flag(&id, ThreadFlag::JoiningEnabled, true).await.unwrap();
    anna.set_flag(&id, ThreadFlag::HistoryDisclosed, false).await.unwrap();
    let (_, answer) = ask(&gateway, ANNA, Method::POST, path, Some(body)).await;
    for field in ["Blob", "Id", "JoinUrl", "ThreadId"] {
        assert!(answer[field].is_string(), "{field} is missing in {answer}");
    }
    let url = anna.join_url(&id).await.unwrap();
    assert!(url.starts_with(&format!("{}/join/", gateway.origin)), "{url}");
    let joe = gateway.client(JOE);
    assert_eq!(joe.resolve_join(&url).await.unwrap(), id);
    let code = url.rsplit('/').next().unwrap();
    let (_, resolved) = ask(
        &gateway,
        JOE,
        Method::POST,
        "/join/api/v2/conversation/",
        Some(json!({ "shortId": code, "type": "wl" })),
    )
    .await;
    assert_eq!(resolved["Action"], "Chat");
    assert_eq!(resolved["Resource"], id.as_str());
    assert_eq!(resolved["FlowId"], "1");
    let (_, meeting) =
        ask(&gateway, ANNA, Method::POST, "/v1/meetings", Some(json!({ "threadId": id.as_str() })))
            .await;
    assert_eq!(meeting["url"], url.as_str());
    joe.put_member(&id, &UserId::new(JOE), Role::User).await.unwrap();
    let page = joe.messages(&id, 50).await.unwrap();
    assert!(page.items.iter().all(|m| !m.content.contains("before you came")));
    // Neither a reaction nor an edit reveals a message that must not be read.
    let path = format!(
        "/v1/users/ME/conversations/{}/messages/{secret}/properties?name=emotions",
        id.as_str()
    );
    let (status, _) = ask(
        &gateway,
        JOE,
        Method::PUT,
        &path,
        Some(json!({ "emotions": { "key": "like", "value": 1 } })),
    )
    .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    joe.subscribe().await.unwrap();
    let path = format!("/v1/users/ME/conversations/{}/messages/{secret}", id.as_str());
    ask(
        &gateway,
        ANNA,
        Method::PUT,
        &path,
        Some(json!({ "content": "still secret", "messagetype": "Text" })),
    )
    .await;
    say_as(&anna, id.as_str(), "hello joe").await;
    let events = joe.poll(Some(0)).await.unwrap();
    assert!(events.events.iter().any(|e| e.resource.contains("hello joe")));
    assert!(events.events.iter().all(|e| !e.resource.contains("still secret")));
    anna.set_flag(&id, ThreadFlag::JoiningEnabled, false).await.unwrap();
    assert!(joe.resolve_join(&url).await.is_err(), "a closed link leads nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_deletes_and_reactions_keep_the_id_and_raise_the_version() {
    let gateway = Gateway::start().await;
    let joe = gateway.client(JOE);
    let id = say_as(&joe, ANNA, "teh").await;
    let path = format!("/v1/users/ME/conversations/{ANNA}/messages/{id}");
    let (_, edited) = ask(
        &gateway,
        JOE,
        Method::PUT,
        &path,
        Some(json!({ "content": "the", "messagetype": "Text" })),
    )
    .await;
    assert!(edited["edittime"].is_i64());
    let other = format!("/v1/users/ME/conversations/{JOE}/messages/{id}");
    let (status, _) =
        ask(&gateway, ANNA, Method::PUT, &other, Some(json!({ "content": "forged" }))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let react = format!("{other}/properties?name=emotions");
    ask(
        &gateway,
        ANNA,
        Method::PUT,
        &react,
        Some(json!({ "emotions": { "key": "heart", "value": 5 } })),
    )
    .await;
    let page = gateway.client(ANNA).messages(&ConversationId::new(JOE), 10).await.unwrap();
    let message = &page.items[0];
    assert_eq!((&*message.id, &*message.content), (id.as_str(), "the"));
    assert!(message.version > id.parse().unwrap());
    assert!(message.json.contains("\"heart\"") && message.json.contains("\"edittime\""));
    let (_, deleted) = ask(&gateway, JOE, Method::DELETE, &path, None).await;
    assert!(deleted["deletetime"].is_i64());
    let page = gateway.client(ANNA).messages(&ConversationId::new(JOE), 10).await.unwrap();
    assert_eq!(&*page.items[0].content, "");
    // A sender cannot write messages that only the server writes.
    let body = json!({ "content": "x", "properties": { "emotions": [{ "key": "like", "users": [{ "mri": ANNA }] }], "edittime": 1 } });
    ask(
        &gateway,
        JOE,
        Method::POST,
        &format!("/v1/users/ME/conversations/{ANNA}/messages"),
        Some(body),
    )
    .await;
    let page = gateway.client(ANNA).messages(&ConversationId::new(JOE), 10).await.unwrap();
    assert!(!page.items[0].json.contains("emotions") && !page.items[0].json.contains("edittime"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_hides_the_history_for_one_account_only() {
    let gateway = Gateway::start().await;
    let (anna, joe) = (gateway.client(ANNA), gateway.client(JOE));
    say_as(&joe, ANNA, "old").await;
    anna.clear(&ConversationId::new(JOE)).await.unwrap();
    assert!(anna.messages(&ConversationId::new(JOE), 10).await.unwrap().items.is_empty());
    assert_eq!(joe.messages(&ConversationId::new(ANNA), 10).await.unwrap().items.len(), 1);
    let raw = anna.conversation(&ConversationId::new(JOE)).await.unwrap();
    assert!(raw.json.contains("\"clearedat\":\"") && raw.json.contains("\"lastMessage\":{}"));
    say_as(&joe, ANNA, "new").await;
    assert_eq!(anna.messages(&ConversationId::new(JOE), 10).await.unwrap().items.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_horizons_profiles_and_bad_values() {
    let gateway = Gateway::start().await;
    let (anna, joe) = (gateway.client(ANNA), gateway.client(JOE));
    let last: i64 = say_as(&joe, ANNA, "hi").await.parse().unwrap();
    let id = ConversationId::new(JOE);
    let read_marker = ReadMarker::parse(&format!("{last};{last};0")).unwrap();
    anna.mark_read(&id, &read_marker).await.unwrap();
    anna.set_flag(&id, ThreadFlag::Alerts, false).await.unwrap();
    let raw = anna.conversation(&id).await.unwrap();
    assert!(
        raw.json.contains(&format!("\"consumptionhorizon\":\"{last};{last};0\""))
            && raw.json.contains("\"alerts\":\"false\"")
    );
    let path = format!("/v1/users/ME/conversations/{JOE}/properties?name=consumptionhorizon");
    let (status, _) =
        ask(&gateway, ANNA, Method::PUT, &path, Some(json!({ "consumptionhorizon": "..." }))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let names = anna.profiles(&[UserId::new(JOE), UserId::new("8:nobody")]).await.unwrap();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].1.as_str(), "Joe Bloggs");
    let team = group(&gateway, "Team").await;
    // The page names the property in the body, clients in the query: both are accepted.
    let (status, _) = ask(
        &gateway,
        ANNA,
        Method::PUT,
        &format!("/v1/threads/{team}/properties"),
        Some(json!({ "name": "topic", "topic": "In the body" })),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let (_, answer) =
        ask(&gateway, ANNA, Method::GET, &format!("/v1/threads/{team}/consumptionhorizons"), None)
            .await;
    assert_eq!(answer["consumptionhorizons"].as_array().unwrap().len(), 3);
    let thread = anna.thread(&ConversationId::new(&team)).await.unwrap();
    assert_eq!(thread.settings.topic.as_deref(), Some("In the body"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_signing_in_works_and_a_restart_means_registering_again() {
    let gateway = Gateway::start().await;
    for auth in [AuthStyle::Registration, AuthStyle::SkypeToken, AuthStyle::Bearer] {
        let client = gateway.client_with(ANNA, auth);
        client.conversations(10).await.unwrap();
        client.subscribe().await.unwrap();
        gateway.state.forget_endpoints();
        client.conversations(10).await.unwrap();
        assert_eq!(client.poll(None).await.unwrap_err().kind, ErrorKind::EndpointGone, "{auth:?}");
        client.subscribe().await.unwrap();
        say_as(&gateway.client(JOE), ANNA, "ping").await;
        assert_eq!(client.poll(Some(0)).await.unwrap().events.len(), 1, "{auth:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_to_the_configured_origin_and_nowhere_else() {
    let gateway = Gateway::start().await;
    let other = Gateway::start().await;
    let faults = gateway.state.faults();
    faults.add(
        "GET",
        "/conversations",
        100,
        InjectedFault::Redirect(format!("{}/v1/users/ME/conversations", other.origin)),
    );
    let client = gateway.client(ANNA);
    assert_eq!(client.conversations(10).await.unwrap_err().kind, ErrorKind::Refused);
    faults.clear();
    faults.add(
        "POST",
        "/endpoints",
        1,
        InjectedFault::Redirect(format!("{}/v1/users/ME/endpoints", other.origin)),
    );
    assert!(gateway.client(ANNA).conversations(10).await.is_err());
    assert_eq!(other.state.faults().log(), Vec::<String>::new(), "the other server heard nothing");
}
