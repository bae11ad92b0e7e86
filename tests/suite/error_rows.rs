//! Every row of the tables of errors (facts 6 and 8.10): the answer, the words on the screen, and what happens next.

use crate::common::clock::SteppedClock;
use crate::common::scripted::{Reply, Scripted, item};
use crate::common::{ANNA, Gateway, JOE, Runner, Setup, say_as};
use serde_json::json;
use skchat::gateway::fault::InjectedFault;
use skchat::model::PollMode;
use skchat::sync::PollIntervals;
use std::time::Duration;

/// An answer of the server.
struct Answer {
    status: u16,
    body: &'static str,
}

const fn answer(status: u16, body: &'static str) -> Answer {
    Answer { status, body }
}

impl Answer {
    fn fault(&self) -> InjectedFault {
        if self.status == 429 {
            let body: serde_json::Value = serde_json::from_str(self.body).unwrap_or_default();
            let error = body["errorCode"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            // Without a time the pause would be longer than a test.
            return InjectedFault::Status { code: 429, error, retry_after: Some(1) };
        }
        InjectedFault::Json { code: self.status, body: self.body.to_owned() }
    }

    fn row(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}

/// What is shown when the list cannot be read. All of these go away by themselves once the server answers again.
const LIST_ROWS: &[(Answer, &str)] = &[
    (answer(401, r#"{"errorCode":911,"message":"Authentication failed."}"#), "signed out"),
    (answer(401, r#"{"errorCode":912,"message":""}"#), "signed out"),
    (answer(401, "<html><body>Sign in</body></html>"), "signed out"),
    (answer(401, ""), "signed out"),
    (
        answer(429, r#"{"errorCode":429,"message":"API calls quota exceeded!"}"#),
        "asked for a pause",
    ),
    (answer(429, r#"{"errorCode":19000}"#), "asked for a pause"),
    (
        answer(429, r#"{"errorCode":803,"message":"Login Rate limit exceeded"}"#),
        "asked for a pause",
    ),
    (
        answer(429, r#"{"errorCode":800,"message":"Command Rate limit exceeded"}"#),
        "asked for a pause",
    ),
    (answer(500, ""), "offline: the server is having problems"),
    (answer(503, "<html>Service Unavailable</html>"), "offline: the server is having problems"),
    (answer(502, "{}"), "offline: the server is having problems"),
    (answer(408, ""), "offline: the server asks us to try again"),
    (answer(200, "<html>Welcome to this hotel</html>"), "offline: the answer is a web page"),
    (answer(200, r#"{"conversations":["#), "offline: the answer is not JSON"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_list_is_shown_as_words_and_leaves_the_history_readable() {
    let mut rows = tokio::task::JoinSet::new();
    for (answer, words) in LIST_ROWS {
        rows.spawn(async move {
            let gateway = Gateway::start().await;
            say_as(&gateway.client(JOE), ANNA, "readable history").await;
            let setup = Setup { poll: PollMode::Interval, size: (110, 24), ..Setup::default() };
            let mut anna = Runner::with(&gateway, setup).await;
            anna.wait_for("live").await;
            anna.open("Joe").await;
            anna.wait_for("readable history").await;
            gateway.state.faults().add("GET", "/users/ME/conversations", 1_000, answer.fault());
            let row = answer.row();
            let screen = anna.wait_until(&row, |screen| screen.contains(words)).await;
            assert!(screen.contains("readable history"), "{row}\n{screen}");
            gateway.state.faults().clear();
            anna.wait_until(&row, |screen| screen.contains("live")).await;
            anna.quit().await;
        });
    }
    rows.join_all().await;
}

/// What a row means for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is shown as not sent with these words, and not sent again.
    Refused(&'static str),
    /// The same, and the chat is read-only until a message is accepted there.
    ReadOnly(&'static str),
    /// It counts as sent although the server did not store a message for it.
    Sent,
    /// It is sent again, and arrives.
    SentLater,
    /// It may have arrived: it is looked for, and the user decides.
    Asked,
}

const SEND_ROWS: &[(Answer, Fate)] = &[
    (answer(403, r#"{"errorCode":7100}"#), Fate::ReadOnly("not a member of this conversation")),
    (answer(403, r#"{"errorCode":7000}"#), Fate::ReadOnly("not allowed here")),
    (answer(403, ""), Fate::ReadOnly("not allowed")),
    (answer(403, r#"{"errorCode":804}"#), Fate::Refused("not accepted your contact request")),
    (answer(429, r#"{"errorCode":804}"#), Fate::Refused("not accepted your contact request")),
    (answer(404, r#"{"errorCode":"ThreadNotFound","message":""}"#), Fate::Refused("not found")),
    (answer(404, r#"{"errorCode":"SoftDeleted"}"#), Fate::Refused("not found")),
    (answer(404, r#"{"errorCode":730}"#), Fate::Refused("not found")),
    (answer(404, r#"{"errorCode":8002}"#), Fate::Refused("not found")),
    (answer(400, r#"{"errorCode":201,"message":"To field is invalid"}"#), Fate::Refused("address")),
    (answer(400, r#"{"errorCode":1000}"#), Fate::Refused("does not understand")),
    (answer(400, r#"{"errorCode":1102}"#), Fate::Refused("does not understand")),
    (answer(400, r#"{"errorCode":1003}"#), Fate::Refused("too large")),
    (answer(413, r#"{"errorCode":1003}"#), Fate::Refused("too large")),
    (answer(400, ""), Fate::Refused("the server refused")),
    (answer(200, r#"{"errorCode":206,"message":""}"#), Fate::Refused("not accepted")),
    (answer(409, r#"{"errorCode":8400,"message":"duplicate"}"#), Fate::Sent),
    (answer(429, r#"{"errorCode":800}"#), Fate::SentLater),
    (answer(429, ""), Fate::SentLater),
    (answer(503, ""), Fate::Asked),
    (answer(409, ""), Fate::Asked),
    (answer(404, r#"{"errorCode":729,"message":"You must create an endpoint"}"#), Fate::SentLater),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_a_message_is_shown_as_words_and_nothing_is_lost() {
    let mut rows = tokio::task::JoinSet::new();
    for (answer, fate) in SEND_ROWS {
        rows.spawn(send_row(answer, *fate));
    }
    rows.join_all().await;
}

async fn send_row(answer: &Answer, fate: Fate) {
    let row = answer.row();
    let gateway = Gateway::start().await;
    say_as(&gateway.client(JOE), ANNA, "hello Anna").await;
    let setup = Setup { size: (140, 24), ..Setup::default() };
    let mut anna = Runner::with(&gateway, setup).await;
    anna.wait_for("live").await;
    anna.open("Joe").await;
    anna.wait_for("hello Anna").await;
    let before = gateway.requests("POST", "/messages");
    anna.type_text(TEXT).await;
    // The typing signal goes to the same path.
    gateway.until("POST", "/messages", before + 1).await;
    gateway.state.faults().add("POST", "/messages", 1, answer.fault());
    anna.press(&["enter"]).await;
    gateway.until("POST", "/messages", before + 2).await;
    let shows_text = |screen: &str| screen.contains(TEXT);
    let is_sent = |screen: &str| shows_text(screen) && screen.contains('✓');
    match fate {
        Fate::Refused(words) => {
            anna.wait_until(&row, |screen| shows_text(screen) && screen.contains(words)).await;
            // Another message is sent, so this one would have been sent, too.
            anna.say("the next one").await;
            anna.wait_until(&row, is_sent).await;
            assert_eq!(arrived(&gateway, "the next one").await, 1, "{row}");
            assert_eq!(arrived(&gateway, TEXT).await, 0, "{row}");
        }
        Fate::ReadOnly(words) => {
            let is_told = |screen: &str| {
                shows_text(screen)
                    && screen.contains("You cannot write here: ")
                    && screen.contains(words)
            };
            anna.wait_until(&row, is_told).await;
            // Text written there stays in the box, and costs no request.
            anna.say("the next one").await;
            let screen = anna.wait_for("the text stays here").await;
            assert!(screen.contains("› the next one"), "{row}\n{screen}");
            assert_eq!(arrived(&gateway, "the next one").await, 0, "{row}");
            // The refusal may have been lifted: the user can try, and then the chat is as before.
            anna.press(&["ctrl-x", "!"]).await;
            anna.press(&["R"]).await;
            anna.wait_until(&row, is_sent).await;
            assert_eq!(arrived(&gateway, TEXT).await, 1, "{row}: once");
            anna.press(&["esc", "enter"]).await;
            anna.wait_gone("› the next one").await;
            let is_through = |line: &str| line.contains("the next one") && line.contains('✓');
            anna.wait_until(&row, |screen| screen.lines().any(is_through)).await;
            assert_eq!(arrived(&gateway, "the next one").await, 1, "{row}");
        }
        Fate::Sent => {
            anna.wait_until(&row, is_sent).await;
            assert_eq!(arrived(&gateway, TEXT).await, 0, "{row}: it was not sent again");
        }
        Fate::Asked => {
            let is_asked = |screen: &str| screen.contains("not confirmed: R resends");
            anna.wait_until(&row, |screen| shows_text(screen) && is_asked(screen)).await;
            assert_eq!(arrived(&gateway, TEXT).await, 0, "{row}: it was not sent again");
        }
        Fate::SentLater => {
            anna.wait_until(&row, is_sent).await;
            assert_eq!(arrived(&gateway, TEXT).await, 1, "{row}: once");
        }
    }
    anna.quit().await;
}

const TEXT: &str = "a message that matters";

/// How often Joe has received this text.
async fn arrived(gateway: &Gateway, text: &str) -> usize {
    let messages = gateway.client(JOE).messages(&ANNA.into(), 20).await.unwrap();
    messages.items.iter().filter(|raw| raw.content.contains(text)).count()
}

/// Answers that concern the endpoint and not the user: the connection recovers by itself.
#[tokio::test(flavor = "multi_thread")]
async fn endpoint_and_sync_state_errors_are_recovered_silently() {
    for (method, path, wrong) in [
        ("POST", "/users/ME/endpoints", answer(403, r#"{"errorCode":209,"message":"forbidden"}"#)),
        (
            "POST",
            "/poll",
            answer(
                404,
                r#"{"errorCode":450,"message":"Subscription requested could not be found."}"#,
            ),
        ),
        ("POST", "/poll", answer(404, r#"{"errorCode":404,"message":"{\"errorCode\":729}"}"#)),
        ("POST", "/poll", answer(403, "")),
        (
            "GET",
            "/users/ME/conversations",
            answer(400, r#"{"errorCode":230,"message":"invalid sync state"}"#),
        ),
    ] {
        let row = wrong.row();
        let gateway = Gateway::start().await;
        gateway.state.faults().add(method, path, 1, wrong.fault());
        let mut anna = Runner::start(&gateway, ANNA).await;
        anna.wait_until(&row, |screen| screen.contains("live")).await;
        say_as(&gateway.client(JOE), ANNA, "arrives all the same").await;
        anna.wait_until(&row, |screen| screen.contains("1 unread")).await;
        anna.quit().await;
    }
}

const GROUP: &str = "19:team@thread.skype";

/// A group that is open on the screen of a user who presses a key now and then.
struct OpenGroup {
    clock: SteppedClock,
    server: Scripted,
    anna: Runner,
}

impl OpenGroup {
    async fn start() -> Self {
        let clock = SteppedClock::start();
        let server = Scripted::start(|script| {
            script.chat(JOE, vec![item(1, JOE, JOE, "hello")]);
            script.chat(GROUP, vec![item(2, JOE, GROUP, "words to keep")]);
            let thread = json!({
                "id": GROUP,
                "members": [{ "id": ANNA, "role": "User" }, { "id": JOE, "role": "User" }],
                "properties": { "topic": "Team" },
            });
            script.threads.insert(GROUP.to_owned(), thread);
        })
        .await;
        let seconds = Duration::from_secs;
        let intervals = PollIntervals {
            active: seconds(6),
            idle: seconds(20),
            away: seconds(60),
            reads_open_chat: true,
        };
        let setup = Setup {
            poll: PollMode::Interval,
            intervals: Some(intervals),
            backoff: (seconds(1), seconds(60)),
            size: (110, 24),
            ..Setup::default()
        };
        let mut anna = Runner::launch(server.options_without_events(ANNA), &setup);
        anna.passes(&clock, "live").await;
        anna.press(&["alt-down"]).await;
        anna.passes(&clock, "words to keep").await;
        anna.passes(&clock, "To Team").await;
        Self { clock, server, anna }
    }

    /// Five minutes of use. Returns how often the group was asked for.
    async fn use_it(&mut self) -> usize {
        let before = self.server.count("GET", GROUP);
        for _ in 0..30 {
            self.anna.press(&["a"]).await;
            self.clock.pass(Duration::from_secs(10)).await;
        }
        self.server.count("GET", GROUP) - before
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_gone_says_so_and_is_not_asked_for_until_the_list_shows_a_change() {
    for (status, body, words) in [
        (404, r#"{"errorCode":"ThreadNotFound","message":""}"#, "no longer exists"),
        (404, r#"{"errorCode":"SoftDeleted"}"#, "no longer exists"),
        (404, r#"{"errorCode":730}"#, "no longer exists"),
        (404, r#"{"errorCode":8002}"#, "no longer exists"),
        (403, r#"{"errorCode":7100}"#, "no longer a member"),
    ] {
        let mut group = OpenGroup::start().await;
        let read = group.use_it().await;
        assert!(read >= 5, "the open chat is read: {read}");
        group.anna.press(&["ctrl-u"]).await;
        group.server.change(|script| {
            script.answer(move |asked| {
                let is_group = asked.method == "GET" && asked.path.contains(GROUP);
                is_group.then(|| Reply::status(status, body))
            });
        });
        group.anna.passes(&group.clock, words).await;
        assert!(group.anna.screen().contains("words to keep"), "{}", group.anna.screen());
        assert_eq!(group.use_it().await, 0, "{body}");
        // The rest of the account continues.
        group.server.change(|script| script.chat(JOE, vec![item(9, JOE, JOE, "still here")]));
        group.anna.passes(&group.clock, "1 unread").await;
        // It is there again, with something new.
        group.server.change(|script| {
            script.answer(|_| None);
            script.chat(GROUP, vec![item(10, JOE, GROUP, "welcome back")]);
        });
        group.anna.passes(&group.clock, "welcome back").await;
        group.anna.passes(&group.clock, "To Team").await;
        group.anna.end(&group.clock).await;
    }
}
