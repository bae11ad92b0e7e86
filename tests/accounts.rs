//! Several accounts at once in the whole program: each has a gateway of its own.

mod common;

use common::{ANNA, Gateway, JOE, MIA, Runner, Setup, say_as};

/// How often the gateway was sent a message.
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
