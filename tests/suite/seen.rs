//! Services whose answer to a message does not prove that it arrives: it counts as sent when a page shows it.

use crate::common::{ANNA, Gateway, JOE, PATIENCE, Runner, Setup, say_as};
use skchat::gateway::fault::InjectedFault;
use skchat::model::{ClientMessageId, ConversationId, Outgoing, PollMode};
use std::time::Duration;

fn setup(seconds: u64) -> Setup<'static> {
    let seen_within = Some(Duration::from_secs(seconds));
    Setup { poll: PollMode::Interval, seen_within, ..Setup::default() }
}

async fn with_joe(seconds: u64) -> (Gateway, Runner) {
    let gateway = Gateway::with(false, true).await;
    say_as(&gateway.client(JOE), ANNA, "hello").await;
    let mut program = Runner::with(&gateway, setup(seconds)).await;
    program.wait_for("Joe Bloggs").await;
    program.open("Joe").await;
    program.wait_for("hello").await;
    (gateway, program)
}

/// The row of the screen with this text.
fn row<'a>(screen: &'a str, text: &str) -> &'a str {
    screen.lines().find(|line| line.contains(text)).unwrap_or_default()
}

/// How many messages with this text Joe has received.
async fn received(gateway: &Gateway, text: &str) -> usize {
    let page = gateway.client(JOE).messages(&ConversationId::new(ANNA), 50).await.unwrap();
    page.items.iter().filter(|raw| raw.content.contains(text)).count()
}

async fn until_received(gateway: &Gateway, text: &str) {
    let received = async { while received(gateway, text).await == 0 {} };
    tokio::time::timeout(PATIENCE, received).await.expect("the message arrives");
}

#[tokio::test]
async fn an_accepted_message_is_on_its_way_until_a_page_shows_it() {
    let (gateway, mut program) = with_joe(60).await;
    // Anna cannot read the chat for now; Joe can.
    let down = InjectedFault::Status { code: 503, error: 0, retry_after: None };
    gateway.state.faults().add("GET", "joe.4/messages", 100_000, down);
    program.say("is it there").await;
    until_received(&gateway, "is it there").await;
    let waits = |screen: &str| row(screen, "is it there").contains('↑');
    program.wait_until("the message is on its way", waits).await;
    gateway.state.faults().clear();
    program.press(&["f5"]).await;
    let arrived = |screen: &str| row(screen, "is it there").contains('✓');
    program.wait_until("a page has shown the message", arrived).await;
    assert_eq!(received(&gateway, "is it there").await, 1, "sent once");
    program.quit().await;
}

#[tokio::test]
async fn an_accepted_message_that_never_comes_is_said_and_not_sent_again_unasked() {
    let (gateway, mut program) = with_joe(2).await;
    let body = r#"{"OriginalArrivalTime":1700000000123}"#.to_owned();
    let accepted = InjectedFault::Json { code: 201, body };
    gateway.state.faults().add("POST", "/messages", 100_000, accepted);
    program.say("into the void").await;
    program.wait_for("not confirmed").await;
    gateway.state.faults().clear();
    program.press(&["f5"]).await;
    say_as(&gateway.client(JOE), ANNA, "still there?").await;
    program.wait_for("still there?").await;
    assert_eq!(received(&gateway, "into the void").await, 0);
    program.quit().await;
}

#[tokio::test]
async fn a_conflict_that_names_the_client_id_is_a_success() {
    let gateway = Gateway::start().await;
    let client = gateway.client(ANNA);
    let body = r#"{"errorCode":8400,"message":"duplicate"}"#.to_owned();
    gateway.state.faults().add("POST", "/messages", 1, InjectedFault::Json { code: 409, body });
    let id = ClientMessageId::from("8472635198472635".to_owned());
    let outgoing = Outgoing { text: "once".into(), ..Outgoing::default() };
    let to = ConversationId::new(JOE);
    client.send(&to, &outgoing, &id, "").await.expect("the message is there already");
    let body = r#"{"errorCode":1,"message":"something else"}"#.to_owned();
    gateway.state.faults().add("POST", "/messages", 1, InjectedFault::Json { code: 409, body });
    client.send(&to, &outgoing, &id, "").await.expect_err("any other conflict");
}
