//! The sample people answer, until a real person takes over the role of one.

use crate::common::{ANNA, JOE, MIA, PATIENCE, say_as};
use skchat::client::{BaseUrl, Client, ClientOptions, Secret, TokenSource};
use skchat::gateway::{self, demo};
use skchat::model::{ConversationId, UserId};
use std::collections::HashMap;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn scripted_people_answer_and_fall_silent_once_a_real_client_registers_as_them() {
    let users = demo::users();
    let tokens: HashMap<String, String> =
        users.iter().map(|u| (u.id.as_str().to_owned(), u.token.clone())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let options = gateway::GatewayOptions { users, ..gateway::GatewayOptions::default() };
    let state = gateway::open(options).unwrap();
    demo::seed(&state).unwrap();
    tokio::spawn(demo::answer(state.clone()));
    tokio::spawn(gateway::serve(listener, state, std::future::pending()));
    let client = |id: &str| {
        let base = BaseUrl::parse(&format!("{origin}/v1")).unwrap();
        let token = TokenSource::Fixed(Secret::new(tokens[id].clone()));
        Client::new(ClientOptions::new(UserId::new(id), base, token))
    };
    let anna = client(ANNA);
    let count = async |with: &str, from: &str| {
        let page = anna.messages(&ConversationId::new(with), 100).await.unwrap();
        page.items.iter().filter(|m| m.sender.as_str() == from).count()
    };
    anna.subscribe().await.unwrap();
    let mut seen = 0;
    let mut answered_by = async |who: &str| {
        let wait = tokio::time::timeout(PATIENCE, async {
            loop {
                for event in anna.poll(Some(seen)).await.unwrap().events {
                    seen = seen.max(event.id);
                    let sent = event.resource.contains(&format!("/contacts/{who}\""));
                    if sent && event.resource.contains("\"messagetype\":\"Text\"") {
                        return;
                    }
                }
            }
        });
        wait.await.unwrap_or_else(|_| panic!("{who} never answered"));
    };
    say_as(&anna, JOE, "anyone?").await;
    answered_by(JOE).await;
    let before = count(JOE, JOE).await;
    client(JOE).subscribe().await.unwrap();
    say_as(&anna, JOE, "still there?").await;
    // Mia answers messages sent after it, so Joe would have answered by then.
    say_as(&anna, MIA, "and you?").await;
    answered_by(MIA).await;
    assert_eq!(count(JOE, JOE).await, before, "a real client speaks for itself");
}
