//! How the gateway is reached: connections and their limits, links, endpoints and how they expire, the shapes that
//! other clients know, and errors.

use crate::common::served::Connection;
use crate::common::{ANNA, Gateway, JOE, PATIENCE, group, say_as, token};
use serde_json::{Value, json};
use skchat::gateway::{GatewayOptions, Origin};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

const LIST: &str = "/v1/users/ME/conversations";

fn credential(user: &str) -> String {
    format!("Authentication: skypetoken={}", token(user))
}

async fn caller(gateway: &Gateway, user: &str) -> Connection {
    Connection::open(&gateway.address(), credential(user)).await.unwrap()
}

/// Limits that are short enough for a test.
fn short_limits(options: &mut GatewayOptions) {
    options.limits.connections = 16;
    options.limits.head = Duration::from_millis(400);
    options.limits.body = Duration::from_millis(400);
    options.limits.idle = Duration::from_secs(3);
}

/// A connection that never sends anything, and how it ends.
async fn ends(mut connection: Connection) -> Duration {
    let started = Instant::now();
    tokio::time::timeout(PATIENCE, connection.closed()).await.expect("the gateway closes it");
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_and_a_resting_connection_end_in_time() {
    let gateway = Gateway::configured(short_limits).await;
    let silent = caller(&gateway, ANNA).await;
    let mut half_head = caller(&gateway, ANNA).await;
    half_head.write(b"GET /v1/users/ME/conv").await.unwrap();
    let mut resting = caller(&gateway, ANNA).await;
    assert_eq!(resting.ask("GET", LIST, "").await.unwrap().status, 200);
    let (silent, half_head, resting) = tokio::join!(ends(silent), ends(half_head), ends(resting));
    for short in [silent, half_head] {
        assert!(short < Duration::from_millis(2_500), "{short:?}");
    }
    assert!(resting >= Duration::from_millis(2_500), "{resting:?}");
    let mut half_body = caller(&gateway, ANNA).await;
    let head = format!(
        "POST {LIST}/{JOE}/messages HTTP/1.1\r\nHost: {}\r\n{}\r\nContent-Length: 500\r\n\r\n{{",
        gateway.address(),
        credential(ANNA)
    );
    half_body.write(head.as_bytes()).await.unwrap();
    let answer = half_body.answer().await.unwrap();
    assert_eq!((answer.status, answer.json()["errorCode"].as_u64()), (408, Some(408)));
    let mut waiting = caller(&gateway, ANNA).await;
    waiting.subscribe().await.unwrap();
    let answer = waiting.poll(0).await.unwrap();
    assert_eq!(answer.status, 200, "a poll may take longer than any of these");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_cannot_shut_out_the_users() {
    let gateway = Gateway::configured(|options| {
        short_limits(options);
        options.limits.head = Duration::from_secs(60);
        options.limits.idle = Duration::from_secs(60);
    })
    .await;
    let mut anna = caller(&gateway, ANNA).await;
    anna.subscribe().await.unwrap();
    let mut strangers = Vec::new();
    for _ in 0..100 {
        let mut stranger = TcpStream::connect(gateway.address()).await.unwrap();
        stranger.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        strangers.push(stranger);
    }
    // New users get in, and users who were in still are.
    let mut joe = caller(&gateway, JOE).await;
    assert_eq!(joe.ask("GET", LIST, "").await.unwrap().status, 200);
    say_as(&gateway.client(JOE), ANNA, "still there?").await;
    assert!(anna.poll(0).await.unwrap().body.contains("still there?"));
    // The first strangers were dropped to make room.
    let mut first = strangers.remove(0);
    let mut rest = [0; 16];
    let read = tokio::time::timeout(PATIENCE, first.read(&mut rest)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_cannot_take_all_connections() {
    let gateway = Gateway::configured(|options| {
        short_limits(options);
        options.limits.idle = Duration::from_secs(60);
    })
    .await;
    let mut many = Vec::new();
    for _ in 0..40 {
        let mut one = caller(&gateway, ANNA).await;
        assert_eq!(one.ask("GET", LIST, "").await.unwrap().status, 200);
        many.push(one);
    }
    let mut joe = caller(&gateway, JOE).await;
    assert_eq!(joe.ask("GET", LIST, "").await.unwrap().status, 200);
    let mut open = 0;
    for mut one in many {
        open += usize::from(one.ask("GET", LIST, "").await.is_ok());
    }
    assert!((1..=4).contains(&open), "a quarter of sixteen: {open}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_guesses_tokens_waits_and_others_do_not() {
    let gateway = Gateway::start().await;
    let mut guesser =
        Connection::open(&gateway.address(), "X-Skypetoken: guess".into()).await.unwrap();
    let started = Instant::now();
    for _ in 0..3 {
        assert_eq!(guesser.ask("GET", LIST, "").await.unwrap().status, 401);
    }
    assert!(started.elapsed() >= Duration::from_millis(700), "100, 200 and 400 ms");
    let guess = tokio::spawn(async move { guesser.ask("GET", LIST, "").await });
    assert_eq!(caller(&gateway, ANNA).await.ask("GET", LIST, "").await.unwrap().status, 200);
    assert!(!guess.is_finished(), "the guess is still waiting");
    assert_eq!(guess.await.unwrap().unwrap().status, 401);
}

/// Forwards bytes to the gateway, from a port of its own.
async fn tunnel(to: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let to = to.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    at
}

/// All links in an answer.
fn links(body: &str) -> Vec<&str> {
    body.split('"').filter(|part| part.starts_with("http")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_where_the_caller_came_from_in_pages_and_in_events() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    let through = tunnel(gateway.address()).await;
    let mut anna = Connection::open(&through, credential(ANNA)).await.unwrap();
    anna.subscribe().await.unwrap();
    say_as(&gateway.client(JOE), &team, "hello").await;
    let events = anna.poll(0).await.unwrap().body;
    let ack = links(&events).into_iter().find(|link| link.ends_with("/ack")).unwrap();
    let path = ack.strip_prefix(&format!("http://{through}")).unwrap().to_owned();
    assert_eq!(anna.ask("POST", &path, "").await.unwrap().status, 200);
    let mut all = events;
    for path in [LIST, &format!("/v1/threads/{team}"), &format!("{LIST}/{team}/messages")] {
        all.push_str(&anna.ask("GET", path, "").await.unwrap().body);
    }
    assert!(links(&all).len() > 20);
    for link in links(&all) {
        assert!(link.starts_with(&format!("http://{through}/v1/")), "{link}");
    }
    // A client that does not come through the tunnel gets links of the gateway itself.
    let direct = caller(&gateway, ANNA).await.ask("GET", LIST, "").await.unwrap().body;
    assert!(links(&direct).iter().all(|link| link.starts_with(&gateway.origin)));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_secure_behind_a_proxy_and_as_given_with_a_public_url() {
    let proxied = Gateway::configured(|options| options.behind_proxy = true).await;
    let named = Gateway::configured(|options| {
        options.public_url = Origin::parse("https://chat.example:8443");
    })
    .await;
    let headers = |user| format!("{}\r\nX-Forwarded-Proto: https", credential(user));
    for (gateway, origin) in [
        (&proxied, format!("https://{}", proxied.address())),
        (&named, "https://chat.example:8443".into()),
    ] {
        let mut anna = Connection::open(&gateway.address(), headers(ANNA)).await.unwrap();
        let answer = anna.ask("POST", "/v1/users/ME/endpoints", "{}").await.unwrap();
        let location = answer.header("location").unwrap();
        assert!(location.starts_with(&format!("{origin}/v1/users/ME/endpoints/%7B")), "{location}");
        anna.subscribe().await.unwrap();
        say_as(&gateway.client(JOE), ANNA, "hello").await;
        let events = anna.poll(0).await.unwrap().body;
        assert!(links(&events).iter().all(|link| link.starts_with(&origin)), "{events}");
        let own_page = format!("{}\r\nOrigin: {origin}", headers(ANNA));
        let mut page = Connection::open(&gateway.address(), own_page).await.unwrap();
        assert_eq!(page.ask("GET", LIST, "").await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_nobody_polls_loses_its_events_and_its_client_is_told() {
    let gateway =
        Gateway::configured(|options| options.endpoint_patience = Duration::from_secs(1)).await;
    let joe = gateway.client(JOE);
    let (mut careful, mut careless) = (caller(&gateway, ANNA).await, caller(&gateway, ANNA).await);
    let mut busy = caller(&gateway, ANNA).await;
    for endpoint in [&mut careful, &mut careless, &mut busy] {
        endpoint.subscribe().await.unwrap();
    }
    say_as(&joe, ANNA, "first").await;
    assert!(careful.poll(0).await.unwrap().body.contains("first"));
    // A waiting poll counts as polling, for as long as it waits.
    let mut ack = 1_000;
    let until = Instant::now() + Duration::from_millis(2_200);
    while Instant::now() < until {
        let answer = busy.poll(ack).await.unwrap();
        assert_eq!(answer.status, 200);
        say_as(&joe, ANNA, "second").await;
        ack += 1;
    }
    let told = careful.poll(1_000).await.unwrap();
    assert_eq!((told.status, told.json()["errorCode"].as_u64()), (404, Some(450)));
    assert_eq!(careful.ask("GET", LIST, "").await.unwrap().status, 200, "still registered");
    // A client that never acknowledges could do nothing with that: it continues with new events.
    let poll = "/v1/users/ME/endpoints/SELF/subscriptions/0/poll";
    let answer = tokio::spawn(async move { careless.ask("POST", poll, "").await.unwrap() });
    gateway.until("POST", "/subscriptions/0/poll", gateway.requests("POST", "/0/poll")).await;
    let wait = tokio::time::timeout(PATIENCE, async {
        while !answer.is_finished() {
            say_as(&joe, ANNA, "third").await;
        }
        answer.await.unwrap()
    });
    let events = wait.await.unwrap();
    assert!(
        events.status == 200 && events.body.contains("third") && !events.body.contains("second")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_an_endpoint_ends_it_at_once_with_the_poll_that_waits() {
    let gateway = Gateway::configured(|options| options.poll_wait = PATIENCE).await;
    let mut polling = caller(&gateway, ANNA).await;
    let answer = polling.ask("POST", "/v1/users/ME/endpoints", "{}").await.unwrap();
    let location =
        answer.header("location").unwrap().strip_prefix(&gateway.origin).unwrap().to_owned();
    let registered = answer.header("set-registrationtoken").unwrap();
    let registered = registered.split(';').next().unwrap().to_owned();
    let mut polling =
        Connection::open(&gateway.address(), format!("RegistrationToken: {registered}"))
            .await
            .unwrap();
    polling.ask("POST", "/v1/users/ME/endpoints/SELF/subscriptions", "{}").await.unwrap();
    let poll = tokio::spawn(async move {
        let answer = polling.poll(0).await.unwrap();
        (answer, polling)
    });
    gateway.until("POST", "/subscriptions/0/poll", 1).await;
    let mut other = caller(&gateway, ANNA).await;
    let mut stranger = caller(&gateway, JOE).await;
    assert_eq!(stranger.ask("DELETE", &location, "").await.unwrap().status, 404);
    assert_eq!(other.ask("DELETE", &location, "").await.unwrap().status, 200);
    let (answer, mut polling) = poll.await.unwrap();
    assert_eq!((answer.status, answer.json()["errorCode"].as_u64()), (404, Some(729)));
    assert_eq!(polling.ask("GET", LIST, "").await.unwrap().status, 404, "the token has ended, too");
    assert_eq!(other.ask("DELETE", &location, "").await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_outlive_a_restart_but_not_a_change_of_the_token() {
    let gateway = Gateway::start().await;
    let mut clients = Vec::new();
    for user in [ANNA, ANNA, JOE] {
        let mut client = caller(&gateway, user).await;
        let answer = client.ask("POST", "/v1/users/ME/endpoints", "{}").await.unwrap();
        let token =
            answer.header("set-registrationtoken").unwrap().split(';').next().unwrap().to_owned();
        let token = format!("RegistrationToken: {token}");
        let mut client = Connection::open(&gateway.address(), token.clone()).await.unwrap();
        client.ask("POST", "/v1/users/ME/endpoints/SELF/subscriptions", "{}").await.unwrap();
        clients.push(token);
    }
    let restarted = gateway.stop().await;
    let gateway = restarted
        .start_configured(|options| {
            for user in &mut options.users {
                if user.id.as_str() == JOE {
                    user.token = "changed".into();
                }
            }
        })
        .await;
    let open =
        async |i: usize| Connection::open(&gateway.address(), clients[i].clone()).await.unwrap();
    let (mut careful, mut careless, mut joe) = (open(0).await, open(1).await, open(2).await);
    for client in [&mut careful, &mut careless] {
        assert_eq!(client.ask("GET", LIST, "").await.unwrap().status, 200);
    }
    let answer = joe.ask("GET", LIST, "").await.unwrap();
    assert_eq!((answer.status, answer.json()["errorCode"].as_u64()), (404, Some(729)));
    // A client that acknowledges is told that events may be missing; one that does not continues.
    let answer = careful.poll(1_000).await.unwrap();
    assert_eq!((answer.status, answer.json()["errorCode"].as_u64()), (404, Some(450)));
    say_as(&gateway.client(ANNA), "48:notes", "after the restart").await;
    let poll = "/v1/users/ME/endpoints/SELF/subscriptions/0/poll";
    let answer = careless.ask("POST", poll, "").await.unwrap();
    assert!(answer.body.contains("after the restart"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_clients_find_the_paths_and_shapes_that_they_know() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Team").await;
    say_as(&gateway.client(JOE), ANNA, "hi").await;
    let mut anna = caller(&gateway, ANNA).await;
    anna.subscribe().await.unwrap();
    let own = "/v1/users/ME";
    for (method, path, status) in [
        ("PUT", format!("{own}/endpoints/SELF/presenceDocs/endpointMessagingService"), 200),
        ("PUT", format!("{own}/presenceDocs/anyName"), 200),
        ("GET", format!("{own}/presenceDocs/messagingService?view=expanded"), 200),
        ("POST", format!("{own}/endpoints/SELF/active"), 201),
        ("POST", format!("{own}/contacts"), 200),
        ("PUT", format!("{own}/contacts/{JOE}"), 200),
        ("DELETE", format!("{own}/contacts/{JOE}"), 200),
        ("GET", format!("{LIST}/?startTime=0"), 200),
        ("GET", format!("/v1/threads/{team}/?view=msnp24Equivalent"), 200),
        ("GET", "/v1/ng/ping".into(), 200),
    ] {
        let answer = anna.ask(method, &path, "{}").await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let own_properties = anna.ask("GET", "/v1/users/ME/properties", "").await.unwrap().json();
    assert_eq!(own_properties["primaryMemberName"], "anna.7");
    let details: Value =
        serde_json::from_str(own_properties["userDetails"].as_str().unwrap()).unwrap();
    assert_eq!(details["name"], "Anna Lindqvist");
    let contacts = anna.ask("GET", "/v1/users/ME/contacts", "").await.unwrap().json();
    assert_eq!(
        (contacts["contacts"][0]["id"].as_str(), contacts["contacts"].as_array().unwrap().len()),
        (Some(JOE), 1)
    );
    let presence = format!("/v1/users/ME/contacts/ALL/presenceDocs/messagingService?cMri={JOE}");
    assert_eq!(anna.ask("GET", &presence, "").await.unwrap().json(), json!({ "Responses": [] }));
    let mut nobody = Connection::open(&gateway.address(), "X: 1".into()).await.unwrap();
    assert_eq!(nobody.ask("GET", "/v1/ng/ping", "").await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_link_in_a_browser_says_what_it_is_and_how_to_join() {
    let gateway = Gateway::start().await;
    let team = group(&gateway, "Secret plans").await;
    let mut anna = caller(&gateway, ANNA).await;
    let path = format!("/v1/threads/{team}/properties?name=joiningenabled");
    anna.ask("PUT", &path, "{\"joiningenabled\":true}").await.unwrap();
    let asked = json!({ "threadId": team, "baseDomain": "x" }).to_string();
    let url = anna.ask("POST", "/scheduler/threads", &asked).await.unwrap().json();
    let url = url["JoinUrl"].as_str().unwrap().to_owned();
    let code = url.rsplit('/').next().unwrap();
    let mut browser =
        Connection::open(&gateway.address(), "Accept: text/html".into()).await.unwrap();
    let page = browser.ask("GET", &format!("/join/{code}"), "").await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.header("content-security-policy").is_some());
    assert!(page.body.contains("skchat") && page.body.contains(&format!("/join {url}")));
    assert!(!page.body.contains("Secret plans"), "what the group is about is for its members");
    let nowhere = browser.ask("GET", "/join/x%3Cscript%3E", "").await.unwrap();
    assert!(nowhere.status == 404 && !nowhere.body.contains("<script"), "{}", nowhere.body);
    for path in ["/join/api/v2/conversation", "/join/api/v2/conversation/"] {
        let body = json!({ "shortId": code, "type": "wl" }).to_string();
        let answer = browser.ask("POST", path, &body).await.unwrap();
        assert_eq!(answer.json()["Resource"], team.as_str(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_json_with_a_code() {
    let gateway = Gateway::start().await;
    let large = "x".repeat(9 * 1024 * 1024);
    let messages = format!("{LIST}/{JOE}/messages");
    let cases: Vec<(&str, String, &str, u16)> = vec![
        ("GET", format!("{LIST}/%FF"), "", 400),
        ("GET", format!("{LIST}?startTime=0&startTime=1"), "", 400),
        ("PUT", format!("{LIST}/{JOE}/properties?name=alerts&name=hidden"), "{}", 400),
        ("POST", messages.clone(), "{", 400),
        ("POST", messages.clone(), "\u{1}", 400),
        ("POST", messages.clone(), &large, 413),
        ("PATCH", messages, "{}", 405),
        ("GET", "/v1/threads".into(), "", 405),
        ("GET", "/scheduler/threads".into(), "", 405),
        ("GET", "/v1/no/such/path".into(), "", 404),
        ("GET", "/".into(), "", 404),
        ("POST", "/v1/threads".into(), "{\"members\":[],\"members\":[]}", 400),
    ];
    for (method, path, body, expected) in cases {
        let mut anna = caller(&gateway, ANNA).await;
        let answer = anna.ask(method, &path, body).await.unwrap();
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.body);
        assert!(answer.json()["errorCode"].is_u64(), "{method} {path}: {}", answer.body);
        // Without credentials nothing is revealed about what exists.
        let mut nobody = Connection::open(&gateway.address(), "X: 1".into()).await.unwrap();
        if let Ok(answer) = nobody.ask(method, &path, body).await {
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
            assert_eq!(answer.json()["errorCode"], 911);
        }
    }
}
