//! Several accounts at once in the whole program: each has a gateway of its own.

use crate::common::{ANNA, Gateway, JOE, MIA, Runner, Setup, say_as};
use skchat::client::Client;

/// How many messages the gateway was sent.
fn sent(gateway: &Gateway) -> usize {
    gateway.requests("POST", "/messages")
}

#[tokio::test]
async fn an_outage_of_one_account_touches_no_other() {
    let (home, work) = (Gateway::start().await, Gateway::start().await);
    say_as(&home.client(JOE), ANNA, "from home").await;
    say_as(&work.client(MIA), ANNA, "from work").await;
    let accounts = vec![("home", home.options(ANNA)), ("work", work.options(ANNA))];
    let setup = Setup { size: (100, 24), ..Setup::default() };
    let mut program = Runner::launch_all(accounts, &setup);
    program
        .wait_until("both are online", |screen| {
            screen.contains("●home") && screen.contains("●work") && screen.contains("Mia")
        })
        .await;
    program.open("Joe").await;
    program.wait_for("from home").await;

    let stopped = home.stop().await;
    program.wait_for("○home").await;
    let before = sent(&work);
    program.say("waits for home").await;
    program.wait_for("1 unsent").await;

    program.open("Mia").await;
    program.wait_for("from work").await;
    program.say("goes through work").await;
    work.until("POST", "/messages", before + 1).await;
    say_as(&work.client(MIA), ANNA, "and back").await;
    program.wait_for("and back").await;
    let messages = work.client(MIA).messages(&ANNA.into(), 20).await.unwrap();
    let texts: Vec<String> = messages.items.iter().map(|raw| raw.content.to_string()).collect();
    assert!(texts.iter().any(|text| text.contains("goes through work")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("waits for home")), "{texts:?}");

    let home = stopped.start_again().await;
    program
        .wait_until("home is back", |screen| screen.contains("●home") && !screen.contains("unsent"))
        .await;
    let messages = home.client(JOE).messages(&ANNA.into(), 20).await.unwrap();
    let texts: Vec<String> = messages.items.iter().map(|raw| raw.content.to_string()).collect();
    assert!(texts.iter().any(|text| text.contains("waits for home")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("goes through work")), "{texts:?}");
    program.quit().await;
}

#[tokio::test]
async fn accounts_at_one_service_do_not_share_a_budget_of_requests() {
    let gateway = Gateway::start().await;
    let client = |who| {
        let mut options = gateway.options(who);
        options.service.polling.budget = 8;
        Client::new(options)
    };
    let (anna, mia) = (client(ANNA), client(MIA));
    while anna.budget_left().is_some_and(|(left, _)| left > 3) {
        anna.conversations(10).await.unwrap();
    }
    // What is left is for the user: requests for news wait now.
    tokio::select! {
        biased;
        _ = anna.conversations(10) => panic!("more than the budget was sent"),
        answer = mia.conversations(10) => drop(answer.unwrap()),
    }
    assert_eq!(anna.budget_left(), Some((3, 8)));
    assert!(mia.budget_left().is_some_and(|(left, _)| left > 3), "{:?}", mia.budget_left());
}
