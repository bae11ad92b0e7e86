//! Kills the built program while the first message to a person creates its thread: between the request for the thread,
//! the move of the message there, and its sending.

use crate::common::random::Random;
use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, PATIENCE};
use skchat::client::{Client, ClientOptions, Secret, TokenSource};
use skchat::gateway::emulation::{EmulatedService, EmulationOptions};
use skchat::model::{AuthStyle, UserId};
use skchat::protocol::service::ServiceProfile;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

const KILLS: u64 = 16;
const CTRL_K: &str = "\u{b}";
const CTRL_Q: &str = "\u{11}";

fn token(gateway: &Gateway, user: &str) -> String {
    let emulation = gateway.state.emulation().unwrap();
    emulation
        .authority
        .tokens(|tokens| tokens.skype(&UserId::new(user), emulation.options.skype_life))
}

/// Anna's program, where a message to a person needs a thread.
fn start(gateway: &Gateway, home: &Path) -> Terminal {
    let text = format!(
        "[accounts.me]\nservice = \"threads\"\nuser_id = \"{ANNA}\"\ngateway = \"{}/v1\"\n\
         token = {{ env = \"TEST_TOKEN\" }}\n[services.threads]\nbased_on = \"local\"\n\
         requests.auth = \"skypetoken\"\npolling.mode = \"interval\"\nnew_chats.thread = true\n\
         [services.threads.new_chats.properties]\nthreadType = \"chat\"\nfixedRoster = \"true\"\n\
         uniquerosterthread = \"true\"\n",
        gateway.origin
    );
    std::fs::write(home.join("config.toml"), text).unwrap();
    let token = token(gateway, ANNA);
    Terminal::skchat(home, &[], &[("TEST_TOKEN", token.as_str())], 80, 24)
}

fn person(n: u64) -> String {
    format!("8:person.{n}")
}

/// The threads that a person finds in the list, and other people's texts in them.
async fn found_by(gateway: &Gateway, user: &str) -> (usize, Vec<String>) {
    let token = TokenSource::Fixed(Secret::new(token(gateway, user)));
    let mut options = ClientOptions::new(UserId::new(user), gateway.base("/v1"), token);
    options.service = ServiceProfile::named("teams-work", &BTreeMap::new()).unwrap();
    options.service.polling.budget = 0;
    options.auth = AuthStyle::SkypeToken;
    let client = Client::new(options);
    let (mut threads, mut texts) = (0, Vec::new());
    for chat in client.conversations(50).await.unwrap().items {
        threads += 1;
        let page = client.messages(&chat.id, 50).await.unwrap();
        let said = page.items.iter().filter(|raw| !raw.kind.starts_with("ThreadActivity"));
        texts.extend(said.map(|raw| raw.content.to_string()));
    }
    (threads, texts)
}

async fn until_arrived(gateway: &Gateway, n: u64) {
    let search = async { while found_by(gateway, &person(n)).await.1.is_empty() {} };
    tokio::time::timeout(PATIENCE, search).await.expect("the message arrives after the next start");
}

/// Writes the first message to a person.
fn write(anna: &mut Terminal, n: u64) {
    anna.send(CTRL_K);
    anna.send(&person(n));
    anna.wait_for(&format!("person.{n}"));
    anna.send("\r");
    anna.wait_for(&format!("To person.{n}"));
    anna.send(&format!("hello {n}\r"));
}

/// Sends a first message without interruption, and waits until the program knows that the pages of this server show
/// sent messages. Before that, it does not resend an interrupted message by itself, but leaves it to the user.
async fn prove_reads(gateway: &Gateway, anna: &mut Terminal, home: &Path) {
    tokio::task::block_in_place(|| write(anna, KILLS));
    until_arrived(gateway, KILLS).await;
    let store = home.join("accounts/me/store.db");
    let is_proven = || {
        let read_only = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let store = rusqlite::Connection::open_with_flags(&store, read_only).ok()?;
        let query = "SELECT value FROM meta WHERE key = 'reads_follow_writes'";
        let value: String = store.query_row(query, [], |row| row.get(0)).ok()?;
        Some(value == "yes")
    };
    let until = Instant::now() + PATIENCE;
    while is_proven() != Some(true) {
        assert!(Instant::now() < until, "the program never knew that the pages show what was sent");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_the_first_message_makes_its_thread_it_arrives_once_in_one_thread() {
    let random = Random::new("kills while a thread is made");
    let gateway = Gateway::configured(|options| {
        options.emulates = Some(EmulationOptions::new(EmulatedService::TeamsWork));
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let mut moments = BTreeMap::<&str, u64>::new();
    for n in 0..KILLS {
        let mut anna = start(&gateway, home.path());
        tokio::task::block_in_place(|| anna.wait_for("live"));
        if n == 0 {
            prove_reads(&gateway, &mut anna, home.path()).await;
        } else {
            // Something left behind by the previous kill.
            until_arrived(&gateway, n - 1).await;
        }
        let (what, path) = match random.below(2) {
            0 => ("at the request for the thread", "/threads"),
            _ => ("at the sending", "/messages"),
        };
        *moments.entry(what).or_default() += 1;
        let before = gateway.requests("POST", path);
        tokio::task::block_in_place(|| write(&mut anna, n));
        gateway.until("POST", path, before + 1).await;
        let after = Duration::from_millis(random.below(30));
        tokio::task::block_in_place(|| {
            std::thread::park_timeout(after);
            anna.signal(rustix::process::Signal::KILL);
            anna.end();
        });
    }
    let mut anna = start(&gateway, home.path());
    until_arrived(&gateway, KILLS - 1).await;
    tokio::task::block_in_place(|| {
        anna.wait_for("live");
        anna.wait("nothing is unsent", |s| !s.parser.screen().contents().contains("unsent"));
        anna.send(CTRL_Q);
        anna.end();
    });
    println!("{KILLS} kills: {moments:?}");
    for n in 0..=KILLS {
        let (threads, texts) = found_by(&gateway, &person(n)).await;
        assert_eq!((threads, texts.len()), (1, 1), "person {n} finds {texts:?}");
        assert!(texts[0].contains(&format!("hello {n}")), "{texts:?}");
    }
}
