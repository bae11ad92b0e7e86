//! Writing to a person where the service wants a thread for it, driven by keys.

use crate::common::{ANNA, Gateway, JOE, MIA, PATIENCE, Runner, Setup, say_as};
use skchat::client::{Client, ClientOptions, Secret, TokenSource};
use skchat::gateway::emulation::{EmulatedService, EmulationOptions};
use skchat::gateway::fault::InjectedFault;
use skchat::model::{AuthStyle, PollMode, UserId};
use skchat::protocol::service::ServiceProfile;
use std::collections::BTreeMap;
use std::path::Path;

async fn emulating(change: impl Fn(&mut EmulationOptions) + Send + Sync + 'static) -> Gateway {
    Gateway::configured(move |options| {
        let mut emulation = EmulationOptions::new(EmulatedService::TeamsWork);
        change(&mut emulation);
        options.emulates = Some(emulation);
    })
    .await
}

fn options(gateway: &Gateway, user: &str) -> ClientOptions {
    let emulation = gateway.state.emulation().unwrap();
    let user = UserId::new(user);
    let token =
        emulation.authority.tokens(|tokens| tokens.skype(&user, emulation.options.skype_life));
    let token = TokenSource::Fixed(Secret::new(token));
    let mut options = ClientOptions::new(user, gateway.base("/v1"), token);
    options.service = ServiceProfile::named("teams-work", &BTreeMap::new()).unwrap();
    options.service.polling.budget = 0;
    options.auth = AuthStyle::SkypeToken;
    options.profiles = Some(gateway.base("/profiles"));
    options
}

fn program(gateway: &Gateway, dir: &Path) -> Runner {
    let setup = Setup { poll: PollMode::Interval, dir: Some(dir), ..Setup::default() };
    Runner::launch(options(gateway, ANNA), &setup)
}

/// The texts that a person finds in the threads of the list, each with the thread it is in.
async fn found_by(gateway: &Gateway, user: &str) -> Vec<(String, String)> {
    let client = Client::new(options(gateway, user));
    let mut found = Vec::new();
    for chat in client.conversations(50).await.unwrap().items {
        let page = client.messages(&chat.id, 50).await.unwrap();
        let texts = page.items.iter().filter(|raw| raw.sender != UserId::new(user));
        let texts = texts.filter(|raw| !raw.kind.starts_with("ThreadActivity"));
        found.extend(texts.map(|raw| (chat.id.as_str().to_owned(), raw.content.to_string())));
    }
    found
}

async fn until_found(gateway: &Gateway, user: &str, count: usize) -> Vec<(String, String)> {
    let search = async {
        loop {
            let found = found_by(gateway, user).await;
            if found.len() >= count {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, search).await.expect("the messages arrive")
}

/// The threads of one account.
async fn threads(gateway: &Gateway, user: &str) -> usize {
    let page = Client::new(options(gateway, user)).conversations(50).await.unwrap();
    page.items.iter().filter(|chat| chat.id.is_thread()).count()
}

fn is_sent(screen: &str, text: &str) -> bool {
    screen.lines().any(|line| line.contains(text) && line.contains('✓'))
}

#[tokio::test]
async fn the_first_message_to_a_person_creates_a_thread_and_the_next_ones_go_there() {
    let gateway = emulating(|_| {}).await;
    let dir = tempfile::tempdir().unwrap();
    let mut anna = program(&gateway, dir.path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("hello Joe").await;
    anna.wait_until("the message is sent", |screen| is_sent(screen, "hello Joe")).await;
    anna.say("how are you").await;
    let screen = anna.wait_until("both are", |screen| is_sent(screen, "how are you")).await;
    assert!(screen.contains("To joe.4 ›"), "the chat is named after the person:\n{screen}");
    assert_eq!(gateway.requests("POST", "/threads"), 1);
    assert_eq!(gateway.requests("POST", "/conversations/8%3A"), 0);
    let found = until_found(&gateway, JOE, 2).await;
    assert!(found.iter().all(|(id, _)| id.starts_with("19:uni01_")), "{found:?}");
    // Opened again by the person's id, it is the same chat.
    anna.open(MIA).await;
    anna.wait_gone("how are you").await;
    anna.open(JOE).await;
    anna.wait_for("how are you").await;
    anna.say("third").await;
    anna.wait_until("the third is sent", |screen| is_sent(screen, "third")).await;
    assert_eq!(gateway.requests("POST", "/threads"), 1);
    anna.quit().await;
    assert_eq!(threads(&gateway, ANNA).await, 1);
}

#[tokio::test]
async fn a_thread_whose_creation_was_not_answered_is_found_and_not_created_again() {
    let gateway = emulating(|_| {}).await;
    let dir = tempfile::tempdir().unwrap();
    let faults = gateway.state.faults();
    faults.add("POST", "/threads", 1, InjectedFault::LostAck);
    // Until the program ends, the list does not show it either.
    let down = InjectedFault::Status { code: 503, error: 0, retry_after: None };
    let mut anna = program(&gateway, dir.path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    faults.add_after("GET", "/users/ME/conversations", 1, 100_000, down);
    anna.say("not lost").await;
    gateway.until("POST", "/threads", 1).await;
    anna.press(&["ctrl-q", "ctrl-q"]).await;
    anna.ended().await;
    faults.clear();
    assert_eq!(found_by(&gateway, JOE).await, []);
    let mut anna = program(&gateway, dir.path());
    assert_eq!(until_found(&gateway, JOE, 1).await.len(), 1);
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.wait_until("the message is sent", |screen| is_sent(screen, "not lost")).await;
    anna.quit().await;
    assert_eq!(until_found(&gateway, JOE, 1).await.len(), 1);
    assert_eq!(threads(&gateway, ANNA).await, 1);
}

#[tokio::test]
async fn a_message_that_was_moved_to_its_thread_but_not_sent_is_sent_after_the_next_start() {
    let gateway = emulating(|_| {}).await;
    let dir = tempfile::tempdir().unwrap();
    let down = InjectedFault::Status { code: 429, error: 0, retry_after: Some(1) };
    gateway.state.faults().add("POST", "/messages", 100_000, down);
    let mut anna = program(&gateway, dir.path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("moved").await;
    gateway.until("POST", "/messages", 1).await;
    anna.type_text("a draft").await;
    anna.press(&["ctrl-q", "ctrl-q"]).await;
    anna.ended().await;
    gateway.state.faults().clear();
    let mut anna = program(&gateway, dir.path());
    let screen = anna.wait_until("it is sent", |screen| is_sent(screen, "moved")).await;
    assert!(screen.contains("a draft"), "{screen}");
    anna.quit().await;
    assert_eq!(until_found(&gateway, JOE, 1).await.len(), 1);
    assert_eq!(gateway.requests("POST", "/threads"), 1);
}

#[tokio::test]
async fn a_service_that_does_not_name_the_new_thread_is_asked_for_its_list() {
    let gateway = emulating(|emulation| emulation.names_new_chats = false).await;
    let dir = tempfile::tempdir().unwrap();
    let mut anna = program(&gateway, dir.path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("found by the list").await;
    anna.wait_until("it is sent", |screen| is_sent(screen, "found by the list")).await;
    assert_eq!(gateway.requests("POST", "/threads"), 1);
    anna.quit().await;
    assert_eq!(until_found(&gateway, JOE, 1).await.len(), 1);
}

#[tokio::test]
async fn two_who_write_to_each_other_at_the_same_time_have_one_thread() {
    let gateway = emulating(|_| {}).await;
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut anna = program(&gateway, dirs[0].path());
    let setup = Setup {
        user: JOE,
        poll: PollMode::Interval,
        dir: Some(dirs[1].path()),
        ..Setup::default()
    };
    let mut joe = Runner::launch(options(&gateway, JOE), &setup);
    anna.wait_for("live").await;
    joe.wait_for("live").await;
    anna.open(JOE).await;
    joe.open(ANNA).await;
    anna.say("from Anna").await;
    joe.say("from Joe").await;
    for program in [&mut anna, &mut joe] {
        let both = |screen: &str| screen.contains("from Anna") && screen.contains("from Joe");
        program.wait_until("both messages", both).await;
    }
    anna.quit().await;
    joe.quit().await;
    assert_eq!(threads(&gateway, ANNA).await, 1);
}

#[tokio::test]
async fn a_thread_that_the_service_refuses_to_create_fails_the_message_and_keeps_it() {
    let gateway = emulating(|_| {}).await;
    let dir = tempfile::tempdir().unwrap();
    let refused = InjectedFault::Status { code: 403, error: 0, retry_after: None };
    gateway.state.faults().add("POST", "/threads", 1, refused);
    let mut anna = program(&gateway, dir.path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("try again").await;
    anna.wait_for("not sent").await;
    assert_eq!(found_by(&gateway, JOE).await, []);
    // When sent again, it succeeds.
    anna.press(&["up"]).await;
    anna.wait_for("R again").await;
    anna.type_text("R").await;
    anna.wait_until("it is sent", |screen| is_sent(screen, "try again")).await;
    anna.quit().await;
    assert_eq!(until_found(&gateway, JOE, 1).await.len(), 1);
}

#[tokio::test]
async fn a_thread_that_was_not_found_is_read_again_when_something_new_is_said_in_it() {
    let gateway = emulating(|_| {}).await;
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut anna = program(&gateway, dirs[0].path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("before").await;
    anna.wait_until("it is sent", |screen| is_sent(screen, "before")).await;
    let found = until_found(&gateway, JOE, 1).await;
    let thread = found[0].0.clone();
    // Only the page of the thread is missing; the list still has it.
    let body = r#"{"errorCode":"ThreadNotFound","message":""}"#.to_owned();
    let gone = InjectedFault::Json { code: 404, body };
    gateway.state.faults().add("GET", "/messages", 100_000, gone);
    anna.quit().await;
    let mut anna = program(&gateway, dirs[1].path());
    anna.wait_for("live").await;
    anna.press(&["alt-down"]).await;
    anna.wait_for("no longer exists").await;
    gateway.state.faults().clear();
    say_as(&Client::new(options(&gateway, JOE)), &thread, "after").await;
    let screen = anna.wait_for("after").await;
    assert!(screen.contains("before") && !screen.contains("no longer exists"), "{screen}");
    anna.say("still here").await;
    anna.wait_until("it is sent", |screen| is_sent(screen, "still here")).await;
    anna.quit().await;
}

#[tokio::test]
async fn a_person_in_the_list_of_teams_leads_to_the_thread_that_is_named_for_them() {
    let gateway = emulating(|_| {}).await;
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut anna = program(&gateway, dirs[0].path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("first").await;
    anna.wait_until("it is sent", |screen| is_sent(screen, "first")).await;
    anna.quit().await;
    let thread = until_found(&gateway, JOE, 1).await[0].0.clone();
    // A migrated chat: the list has the person, who was last written to in Skype, and names the thread.
    let item = format!(
        r#"{{"conversations":[{{"id":"{JOE}","version":1500000000000,"properties":{{"onetoonethreadid":"{thread}"}},
        "lastMessage":{{"id":"1500000000000","originalarrivaltime":"2017-07-14T02:40:00Z","messagetype":"Text",
        "content":"years ago","from":"{JOE}"}}}}],"_metadata":{{"totalCount":1}}}}"#
    );
    let list = InjectedFault::Json { code: 200, body: item };
    gateway.state.faults().add("GET", "/users/ME/conversations", 1, list);
    let mut anna = program(&gateway, dirs[1].path());
    anna.wait_for("live").await;
    anna.open(JOE).await;
    anna.say("second").await;
    anna.wait_until("it is sent", |screen| is_sent(screen, "second")).await;
    anna.quit().await;
    let found = until_found(&gateway, JOE, 2).await;
    assert!(found.iter().all(|(id, _)| *id == thread), "{found:?}");
    assert_eq!(gateway.requests("POST", "/threads"), 1);
    assert_eq!(gateway.requests("POST", "/conversations/8%3A"), 0);
}

#[tokio::test]
async fn a_service_that_is_played_with_sample_chats_writes_html_in_threads_of_two() {
    let users = skchat::gateway::demo::users();
    let me = users.first().unwrap().id.clone();
    let gateway = Gateway::configured(move |options| {
        options.emulates = Some(EmulationOptions::new(EmulatedService::TeamsWork));
        options.users.clone_from(&users);
    })
    .await;
    skchat::gateway::demo::seed(&gateway.state).unwrap();
    let client = Client::new(options(&gateway, me.as_str()));
    let mut kinds = std::collections::BTreeSet::new();
    for chat in client.conversations(100).await.unwrap().items {
        assert!(chat.id.is_thread(), "{:?}", chat.id);
        let page = client.messages(&chat.id, 50).await.unwrap();
        kinds.extend(page.items.iter().map(|raw| raw.kind.to_string()));
    }
    assert!(kinds.contains("RichText/Html") && !kinds.contains("Text"), "{kinds:?}");
}
