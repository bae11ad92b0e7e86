//! Signing in, and staying signed in, against a gateway that emulates the services.

use crate::common::{ANNA, Gateway, JOE, MIA, PATIENCE, Runner, Setup, say_as};
use skchat::client::sign_in::{SignIn, SignInOutcome};
use skchat::client::{Client, ClientOptions, ErrorKind, NewMember, Secret, TokenSource};
use skchat::gateway::emulation::{CodeState, EmulatedService, EmulationOptions, IssuedTokens};
use skchat::gateway::fault::InjectedFault;
use skchat::model::{Availability, PollMode, Role, UserId};
use skchat::protocol::service::ServiceProfile;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const TOKEN: &str = "/oauth2/v2.0/token";
const EXCHANGE: &str = "/authz";

async fn emulating(kind: EmulatedService) -> Gateway {
    Gateway::configured(move |options| {
        options.emulates = Some(EmulationOptions { interval: 1, ..EmulationOptions::new(kind) });
    })
    .await
}

fn profile(gateway: &Gateway, based_on: &str) -> ServiceProfile {
    let text = format!("[mine]\nbased_on = \"{based_on}\"\norigin = \"{}\"", gateway.origin);
    let changes: BTreeMap<String, toml::Table> = toml::from_str(&text).unwrap();
    ServiceProfile::named("mine", &changes).unwrap()
}

fn sign_in_of(profile: &ServiceProfile, dir: &Path) -> Arc<SignIn> {
    Arc::new(SignIn::new(profile, dir).unwrap().unwrap())
}

/// Signs in as this user, and approves the code.
async fn signed_in(gateway: &Gateway, sign_in: &Arc<SignIn>, user: &str) -> UserId {
    let code = sign_in.request_code().await.unwrap();
    decide(gateway, &CodeState::Approved(UserId::new(user)));
    match sign_in.approval(&code, false, None).await.unwrap() {
        SignInOutcome::SignedIn(owner) => owner,
        SignInOutcome::ChooseTenant(tenants) => panic!("nothing is to be chosen from {tenants:?}"),
    }
}

fn decide(gateway: &Gateway, decision: &CodeState) {
    let authority = &gateway.state.emulation().unwrap().authority;
    let code = authority.waiting().pop().expect("a code was given out");
    assert!(authority.decide(&code, decision));
}

fn client(gateway: &Gateway, profile: &ServiceProfile, sign_in: &Arc<SignIn>) -> Client {
    Client::new(options(gateway, profile, sign_in))
}

fn options(gateway: &Gateway, profile: &ServiceProfile, sign_in: &Arc<SignIn>) -> ClientOptions {
    let token = TokenSource::SignIn(Arc::clone(sign_in));
    let mut options = ClientOptions::new(UserId::new(ANNA), gateway.base("/v1"), token);
    options.auth = profile.requests.auth;
    options.service = profile.clone();
    options
}

/// A gateway, and an account of Anna's that is signed in.
struct Live {
    gateway: Gateway,
    profile: ServiceProfile,
    sign_in: Arc<SignIn>,
    dir: tempfile::TempDir,
}

impl Live {
    async fn start(kind: EmulatedService, name: &str) -> Self {
        let gateway = emulating(kind).await;
        let profile = profile(&gateway, name);
        let dir = tempfile::tempdir().unwrap();
        let sign_in = sign_in_of(&profile, dir.path());
        assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
        Self { gateway, profile, sign_in, dir }
    }

    async fn free() -> Self {
        Self::start(EmulatedService::TeamsFree, "teams-free").await
    }

    fn client(&self) -> Client {
        client(&self.gateway, &self.profile, &self.sign_in)
    }

    fn options(&self) -> ClientOptions {
        options(&self.gateway, &self.profile, &self.sign_in)
    }

    fn refreshes(&self) -> usize {
        self.gateway.requests("POST", TOKEN)
    }
}

#[tokio::test]
async fn a_device_code_signs_in_to_a_personal_account() {
    let live = Live::free().await;
    live.client().conversations(10).await.unwrap();
    assert_eq!(
        live.gateway.requests("GET", "/api/chatsvc/consumer/v1/"),
        1,
        "from the service map"
    );
    assert_eq!(live.gateway.requests("POST", "/endpoints"), 0);
}

#[tokio::test]
async fn a_device_code_signs_in_to_a_work_account_whose_chat_host_is_in_the_service_map() {
    let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
    live.client().conversations(10).await.unwrap();
    assert_eq!(live.gateway.requests("GET", "/v1/users/ME/conversations"), 1);
}

#[tokio::test]
async fn next_week_nothing_has_to_be_done() {
    let live = Live::free().await;
    live.client().conversations(1).await.unwrap();
    let (asked, exchanged) = (live.refreshes(), live.gateway.requests("POST", EXCHANGE));
    let again = sign_in_of(&live.profile, live.dir.path());
    client(&live.gateway, &live.profile, &again).conversations(1).await.unwrap();
    assert_eq!(live.refreshes(), asked, "the stored tokens are used");
    assert_eq!(live.gateway.requests("POST", EXCHANGE), exchanged);
}

#[tokio::test]
async fn a_rejected_skype_token_is_exchanged_again_and_then_refreshed() {
    let live = Live::free().await;
    let client = live.client();
    client.conversations(1).await.unwrap();
    let authority = &live.gateway.state.emulation().unwrap().authority;
    let asked = live.refreshes();
    authority.tokens(IssuedTokens::end_skype);
    client.conversations(1).await.unwrap();
    assert_eq!(live.refreshes(), asked, "the access token was still valid");
    authority.tokens(|tokens| {
        tokens.end_skype();
        tokens.end_access();
    });
    client.conversations(1).await.unwrap();
    assert_eq!(live.refreshes(), asked + 1, "one refresh");
}

#[tokio::test]
async fn when_the_grant_has_ended_the_user_is_asked_to_sign_in_again() {
    let live = Live::free().await;
    let client = live.client();
    client.conversations(1).await.unwrap();
    let end = |live: &Live| {
        live.gateway.state.emulation().unwrap().authority.tokens(|tokens| {
            tokens.end_skype();
            tokens.end_access();
            tokens.end_refresh();
        });
    };
    end(&live);
    let error = client.conversations(1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::SignedOut);
    assert_eq!(error.message, "the sign-in has ended (AADSTS70000): sign in again");
    signed_in(&live.gateway, &live.sign_in, ANNA).await;
    live.client().conversations(1).await.unwrap();
}

#[tokio::test]
async fn many_tasks_of_two_processes_refresh_once() {
    let live = Live::free().await;
    live.gateway.state.emulation().unwrap().authority.tokens(|tokens| {
        tokens.end_skype();
        tokens.end_access();
    });
    let asked = live.refreshes();
    let other = sign_in_of(&live.profile, live.dir.path());
    let mut all = tokio::task::JoinSet::new();
    for sign_in in [&live.sign_in, &other] {
        let client = Arc::new(client(&live.gateway, &live.profile, sign_in));
        for _ in 0..4 {
            let client = Arc::clone(&client);
            all.spawn(async move { client.conversations(1).await.map(drop) });
        }
    }
    for done in all.join_all().await {
        done.unwrap();
    }
    assert_eq!(live.refreshes(), asked + 1);
}

#[tokio::test]
async fn a_declined_or_expired_code_ends_the_wait_with_words() {
    let gateway = emulating(EmulatedService::TeamsFree).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-free"), dir.path());
    let code = sign_in.request_code().await.unwrap();
    decide(&gateway, &CodeState::Declined);
    let declined = sign_in.approval(&code, false, None).await.unwrap_err();
    assert_eq!(declined.message, "the sign-in was declined in the browser");
    let code = sign_in.request_code().await.unwrap();
    let body =
        r#"{"error":"expired_token","error_codes":[70020],"error_description":"AADSTS70020"}"#;
    let fault = InjectedFault::Json { code: 400, body: body.into() };
    gateway.state.faults().add("POST", TOKEN, 1, fault);
    let expired = sign_in.approval(&code, false, None).await.unwrap_err();
    assert_eq!(expired.message, "the code has expired; ask for a new one");
}

#[tokio::test]
async fn lost_answers_and_slow_down_do_not_end_the_wait() {
    let gateway = emulating(EmulatedService::TeamsFree).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-free"), dir.path());
    let code = sign_in.request_code().await.unwrap();
    let faults = gateway.state.faults();
    faults.add("POST", TOKEN, 1, InjectedFault::Status { code: 503, error: 0, retry_after: None });
    faults.add("POST", TOKEN, 1, InjectedFault::Html);
    decide(&gateway, &CodeState::Approved(UserId::new(ANNA)));
    assert_eq!(
        sign_in.approval(&code, false, None).await.unwrap(),
        SignInOutcome::SignedIn(UserId::new(ANNA))
    );
}

#[tokio::test]
async fn a_policy_of_an_organisation_is_final_and_said_in_words() {
    let gateway = emulating(EmulatedService::TeamsWork).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-work"), dir.path());
    let code = sign_in.request_code().await.unwrap();
    let body = r#"{"error":"invalid_grant","error_codes":[53003],"error_description":"AADSTS53003: EwAcanary"}"#;
    gateway.state.faults().add(
        "POST",
        TOKEN,
        1,
        InjectedFault::Json { code: 400, body: body.into() },
    );
    let error = sign_in.approval(&code, false, None).await.unwrap_err();
    assert!(error.message.contains("organisation") && error.message.contains("AADSTS53003"));
    assert!(!error.message.contains("canary"));
    assert_eq!(gateway.requests("POST", TOKEN), 1, "not tried again");
}

#[tokio::test]
async fn the_older_form_is_used_where_the_newer_one_is_refused() {
    let gateway = emulating(EmulatedService::TeamsFree).await;
    let dir = tempfile::tempdir().unwrap();
    let profile = profile(&gateway, "teams-free");
    let sign_in = sign_in_of(&profile, dir.path());
    let body = r#"{"error":"invalid_scope","error_codes":[70011]}"#;
    let fault = InjectedFault::Json { code: 400, body: body.into() };
    gateway.state.faults().add("POST", "/oauth2/v2.0/devicecode", 1, fault);
    assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
    assert_eq!(gateway.requests("POST", "/common/oauth2/token"), 1);
    assert_eq!(gateway.requests("POST", "/consumers/oauth2/v2.0/token"), 1, "buys the token");
    client(&gateway, &profile, &sign_in).conversations(1).await.unwrap();
}

#[tokio::test]
async fn a_token_of_another_user_is_not_accepted() {
    let live = Live::free().await;
    let code = live.sign_in.request_code().await.unwrap();
    decide(&live.gateway, &CodeState::Approved(UserId::new(JOE)));
    let anna = UserId::new(ANNA);
    let error = live.sign_in.approval(&code, false, Some(&anna)).await.unwrap_err();
    assert!(error.message.contains("another user"), "{}", error.message);
    live.client().conversations(1).await.unwrap();
}

#[tokio::test]
async fn a_service_map_that_names_a_foreign_host_is_refused() {
    let gateway = emulating(EmulatedService::TeamsFree).await;
    let decoy = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-free"), dir.path());
    let body = format!(
        r#"{{"skypeToken":{{"skypetoken":"t","expiresIn":86398,"skypeid":"anna.7"}},"regionGtms":{{"chatServiceAfd":"{}"}}}}"#,
        decoy.origin
    );
    gateway.state.faults().add("POST", EXCHANGE, 1, InjectedFault::Json { code: 200, body });
    let code = sign_in.request_code().await.unwrap();
    decide(&gateway, &CodeState::Approved(UserId::new(ANNA)));
    let error = sign_in.approval(&code, false, None).await.unwrap_err();
    assert!(error.message.contains("does not belong to the service"), "{}", error.message);
    assert_eq!(decoy.state.faults().log(), Vec::<String>::new());
}

#[tokio::test]
async fn an_exchange_that_refuses_the_kind_of_account_says_which_service_it_needs() {
    let gateway = emulating(EmulatedService::TeamsFree).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-free"), dir.path());
    let code = sign_in.request_code().await.unwrap();
    let body = r#"{"message":"Guest user OID is missing. User is not redeemed"}"#;
    let fault = InjectedFault::Json { code: 401, body: body.into() };
    gateway.state.faults().add("POST", EXCHANGE, 1, fault);
    decide(&gateway, &CodeState::Approved(UserId::new(ANNA)));
    let error = sign_in.approval(&code, false, None).await.unwrap_err();
    assert!(error.message.contains("teams-free") && error.message.contains("teams-work"));
}

#[tokio::test]
async fn an_outage_of_the_exchange_keeps_a_skype_token_that_is_still_valid() {
    let gateway = Gateway::configured(|options| {
        let skype_life = Duration::from_secs(200);
        let emulation = EmulationOptions::new(EmulatedService::TeamsFree);
        options.emulates = Some(EmulationOptions { interval: 1, skype_life, ..emulation });
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let profile = profile(&gateway, "teams-free");
    let sign_in = sign_in_of(&profile, dir.path());
    signed_in(&gateway, &sign_in, ANNA).await;
    let down = InjectedFault::Status { code: 503, error: 0, retry_after: None };
    gateway.state.faults().add("POST", EXCHANGE, 100, down);
    client(&gateway, &profile, &sign_in).conversations(1).await.unwrap();
    assert!(gateway.requests("POST", EXCHANGE) > 1, "it tried to renew ahead of the end");
}

#[tokio::test]
async fn signing_out_deletes_the_tokens_and_keeps_the_owner() {
    let live = Live::free().await;
    assert!(live.sign_in.sign_out().await.unwrap());
    let status = live.sign_in.status().await.unwrap();
    assert_eq!((status.signed_in, status.user), (false, Some(UserId::new(ANNA))));
    let text = std::fs::read_to_string(live.dir.path().join("sign-in.json")).unwrap();
    assert!(!text.contains("M.C5") && !text.contains("EwA") && !text.contains("eyJ"), "{text}");
    let error = live.client().conversations(1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::SignedOut);
}

#[tokio::test]
async fn names_are_looked_up_only_with_consent_and_a_refusal_signs_nobody_out() {
    let live = Live::free().await;
    let joe = [UserId::new(JOE)];
    let mut options = live.options();
    options.profiles = Some(live.gateway.base("/api/mt/beta"));
    let without = Client::new(options.clone());
    assert_eq!(without.profiles(&joe).await.unwrap(), []);
    assert_eq!(live.gateway.requests("POST", "fetchShortProfile"), 0, "nothing was asked");

    let code = live.sign_in.request_code().await.unwrap();
    decide(&live.gateway, &CodeState::Approved(UserId::new(ANNA)));
    live.sign_in.approval(&code, true, None).await.unwrap();
    let with = Client::new(options);
    let names = with.profiles(&joe).await.unwrap();
    assert_eq!(names.first().map(|(_, name)| name.as_str()), Some("Joe Bloggs"));

    let refused = InjectedFault::Json { code: 401, body: r#"{"status":401}"#.into() };
    live.gateway.state.faults().add("POST", "fetchShortProfile", 1, refused);
    assert_eq!(with.profiles(&joe).await.unwrap_err().kind, ErrorKind::Unsupported);
    with.conversations(1).await.unwrap();
    let asked = live.gateway.requests("POST", "fetchShortProfile");
    assert_eq!(with.profiles(&joe).await.unwrap(), [], "it is left alone for a while");
    assert_eq!(live.gateway.requests("POST", "fetchShortProfile"), asked);
}

#[tokio::test]
async fn work_accounts_look_up_names_with_their_access_token() {
    let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
    let client = live.client();
    client.conversations(1).await.unwrap();
    let names = client.profiles(&[UserId::new(JOE)]).await.unwrap();
    assert_eq!(names.first().map(|(_, name)| name.as_str()), Some("Joe Bloggs"));
}

/// Signs in again as Anna, with the consent to ask services other than the chat service.
async fn agree(live: &Live) {
    let code = live.sign_in.request_code().await.unwrap();
    decide(&live.gateway, &CodeState::Approved(UserId::new(ANNA)));
    live.sign_in.approval(&code, true, None).await.unwrap();
}

const PRESENCE: &str = "/getpresence";

#[tokio::test]
async fn presence_is_asked_only_with_consent_and_with_both_tokens() {
    let live = Live::free().await;
    let mia = UserId::new(MIA);
    let busy = r#"{"availability":"Busy","activity":"InACall","note":{"message":"<p>later</p>"}}"#;
    let emulation = live.gateway.state.emulation().unwrap();
    emulation.set_presence(&mia, serde_json::from_str(busy).unwrap());
    let mut options = live.options();
    options.presence = Some(live.gateway.base("/ups/global/v1"));
    let who = [mia, UserId::new(JOE), UserId::new("8:nobody")];
    let without = Client::new(options.clone());
    assert_eq!(without.presences(&who).await.unwrap_err().kind, ErrorKind::Unsupported);
    assert_eq!(live.gateway.requests("POST", PRESENCE), 0, "nothing was asked");

    agree(&live).await;
    let with = Client::new(options);
    let found = with.presences(&who).await.unwrap();
    assert_eq!(found.len(), 2, "of a stranger nothing is known: {found:?}");
    assert_eq!(found[0].1.words(), "busy, in a call");
    assert_eq!(found[0].1.note.as_str(), "later");
    assert_eq!(found[1].1.availability, Some(Availability::Offline), "who publishes nothing");
    // Without the tokens the service says nothing.
    let bare = reqwest::Client::new()
        .post(format!("{}/ups/global/v1/presence{PRESENCE}", live.gateway.origin));
    assert_eq!(bare.body("[]").send().await.unwrap().status().as_u16(), 401);
}

#[tokio::test]
async fn a_refusal_of_presence_signs_nobody_out_and_is_not_repeated_for_a_while() {
    for code in [401, 403, 404, 302] {
        let live = Live::free().await;
        agree(&live).await;
        let mut options = live.options();
        options.presence = Some(live.gateway.base("/ups/global/v1"));
        let client = Client::new(options);
        let who = [UserId::new(JOE)];
        let refused = InjectedFault::Json { code, body: "{}".into() };
        live.gateway.state.faults().add("POST", PRESENCE, 1, refused);
        for _ in 0..3 {
            let error = client.presences(&who).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported, "{code}");
        }
        assert_eq!(live.gateway.requests("POST", PRESENCE), 1, "{code}");
        client.conversations(1).await.unwrap();
    }
}

/// A service about people.
#[derive(Clone, Copy, Debug, PartialEq)]
enum About {
    Names,
    Presence,
}

impl About {
    async fn ask(self, client: &Client) -> Result<usize, ErrorKind> {
        let who = [UserId::new(JOE)];
        let found = match self {
            Self::Names => client.profiles(&who).await.map(|found| found.len()),
            Self::Presence => client.presences(&who).await.map(|found| found.len()),
        };
        found.map_err(|error| error.kind)
    }

    fn path(self) -> &'static str {
        match self {
            Self::Names => "fetchShortProfile",
            Self::Presence => PRESENCE,
        }
    }
}

/// One service about people asks for a pause of ten minutes, or fails.
async fn holds_up_nothing_else(busy: About, other: About) {
    for (code, error) in [(429, 429), (503, 0)] {
        let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
        let client = live.client();
        client.conversations(1).await.unwrap();
        let budget = client.budget_left().unwrap().1;
        let pause = InjectedFault::Status { code, error, retry_after: Some(600) };
        live.gateway.state.faults().add("POST", busy.path(), 9, pause);
        for _ in 0..3 {
            let asked = busy.ask(&client).await;
            let Err(ErrorKind::RetryAfter(wait)) = asked else { panic!("{asked:?}") };
            assert!(
                wait > Duration::from_secs(590) && wait <= Duration::from_secs(600),
                "{wait:?}"
            );
        }
        assert_eq!(live.gateway.requests("POST", busy.path()), 1, "it is left alone");
        let members = [NewMember { id: UserId::new(JOE), role: Role::User }];
        let group = client.create_thread(&members, "Team").await.unwrap();
        say_as(&client, group.as_str(), "soup is ready").await;
        client.messages(&group, 10).await.unwrap();
        assert_eq!(other.ask(&client).await, Ok(1));
        assert_eq!(client.budget_left().unwrap().1, budget, "the account may do as much as before");
    }
}

#[tokio::test]
async fn a_429_of_the_presence_service_holds_up_nothing_else() {
    holds_up_nothing_else(About::Presence, About::Names).await;
}

#[tokio::test]
async fn a_429_of_the_profile_service_holds_up_nothing_else() {
    holds_up_nothing_else(About::Names, About::Presence).await;
}

/// Fetches the picture of the sample data.
async fn picture(live: &Live, client: &Client) -> Result<usize, skchat::client::Error> {
    let url = format!("{}/v1/objects/0-oven", live.gateway.origin);
    let (url, kind) = (url.as_str().into(), skchat::model::MediaKind::Image);
    let file = skchat::model::ObjectFile { url, kind, name: "".into(), label: "".into() };
    let mut stream = client.object(&file).await?;
    let mut length = 0;
    while let Some(part) = stream.next().await? {
        length += part.as_ref().len();
    }
    Ok(length)
}

#[tokio::test]
async fn work_accounts_fetch_files_with_a_token_of_their_own_and_personal_ones_with_the_skype_token()
 {
    let length = include_bytes!("../../assets/demo/old-oven.png").len();
    for (kind, name, refreshes) in [
        (EmulatedService::TeamsWork, "teams-work", 1),
        (EmulatedService::TeamsFree, "teams-free", 0),
    ] {
        let live = Live::start(kind, name).await;
        let client = live.client();
        client.conversations(1).await.unwrap();
        let before = live.refreshes();
        for _ in 0..2 {
            assert_eq!(picture(&live, &client).await.unwrap(), length, "{name}");
        }
        assert_eq!(live.refreshes(), before + refreshes, "{name}: it is bought once");
        assert_eq!(live.gateway.requests("POST", "skypetokenauth"), 0, "{name}");
        // If the token for files is refused, that says nothing about the sign-in.
        live.gateway.state.objects().accept(skchat::gateway::objects::ObjectAuth::Nothing);
        assert_eq!(picture(&live, &client).await.unwrap_err().kind, ErrorKind::Forbidden, "{name}");
        client.conversations(1).await.unwrap();
    }
}

#[tokio::test]
async fn work_accounts_ask_for_presence_at_the_address_of_the_service_map() {
    let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
    let found = live.client().presences(&[UserId::new(JOE)]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(live.gateway.requests("POST", "/presence/v1/presence/getpresence"), 1);
}

#[tokio::test]
async fn the_program_shows_who_is_available_and_asks_about_nobody_out_of_sight() {
    let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
    let away = r#"{"availability":"Away","activity":"BeRightBack"}"#;
    let emulation = live.gateway.state.emulation().unwrap();
    emulation.set_presence(&UserId::new(JOE), serde_json::from_str(away).unwrap());
    let mut options = live.options();
    without_budget(&mut options);
    let setup = Setup { poll: PollMode::Interval, ..Setup::default() };
    let mut program = Runner::launch(options, &setup);
    program.wait_for("live").await;
    assert_eq!(live.gateway.requests("POST", PRESENCE), 0, "nobody is in sight");
    program.open(JOE).await;
    let screen = program.wait_for("away, back soon").await;
    assert!(screen.contains(" ◐"), "{screen}");
    assert_eq!(live.gateway.requests("POST", PRESENCE), 1);
    program.quit().await;
}

#[tokio::test]
async fn many_people_are_asked_for_in_batches() {
    let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
    let who: Vec<UserId> = (0..1_400).map(|n| UserId::new(format!("8:p{n}"))).collect();
    assert_eq!(live.client().presences(&who).await.unwrap(), []);
    assert_eq!(live.gateway.requests("POST", PRESENCE), 3);
}

#[tokio::test]
async fn a_presence_address_of_a_foreign_host_gets_nothing_and_the_chats_go_on() {
    let decoy = Gateway::start().await;
    let live = Live::start(EmulatedService::TeamsWork, "teams-work").await;
    live.gateway.state.emulation().unwrap().authority.tokens(IssuedTokens::end_skype);
    let body = format!(
        r#"{{"tokens":{{"skypeToken":"{}","expiresIn":3600}},"regionGtms":{{"chatService":"{}","unifiedPresence":"{}/presence"}}}}"#,
        live.gateway
            .state
            .emulation()
            .unwrap()
            .authority
            .tokens(|t| t.skype(&UserId::new(ANNA), PATIENCE)),
        live.gateway.origin,
        decoy.origin,
    );
    let renewed = InjectedFault::Json { code: 200, body };
    live.gateway.state.faults().add("POST", EXCHANGE, 1, renewed);
    let client = live.client();
    client.conversations(1).await.unwrap();
    let error = client.presences(&[UserId::new(JOE)]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert_eq!(decoy.state.faults().log(), Vec::<String>::new(), "no request, and no token");
}

#[tokio::test]
async fn a_bare_404_of_the_preferred_host_changes_to_the_other_one_for_the_session() {
    let live = Live::free().await;
    let client = live.client();
    let gone = InjectedFault::Json { code: 404, body: "{}".into() };
    live.gateway.state.faults().add("GET", "/api/chatsvc/", 1, gone);
    client.conversations(1).await.unwrap();
    client.conversations(1).await.unwrap();
    let paths = live.gateway.state.faults().log();
    let lists: Vec<&String> = paths
        .iter()
        .filter(|line| line.contains("GET") && line.contains("/conversations"))
        .collect();
    assert_eq!(lists.len(), 3, "{lists:?}");
    assert!(lists[0].contains("/api/chatsvc/consumer/v1/"));
    assert!(lists[1..].iter().all(|line| line.contains("GET /v1/")), "{lists:?}");
}

#[tokio::test]
async fn old_groups_are_found_because_the_product_header_is_sent() {
    let live = Live::free().await;
    let client = live.client();
    let members = [NewMember { id: UserId::new(JOE), role: Role::User }];
    let group = client.create_thread(&members, "Old friends").await.unwrap();
    assert!(group.as_str().ends_with("@thread.skype"), "{group:?}");
    let thread = client.thread(&group).await.unwrap();
    assert!(thread.members.iter().all(|member| member.name.is_empty()), "ids only");
}

/// The request budget of a live service would be used up by a test's short intervals.
fn without_budget(options: &mut ClientOptions) {
    options.service.polling.budget = 0;
}

fn end_everything(live: &Live) {
    live.gateway.state.emulation().unwrap().authority.tokens(|tokens| {
        tokens.end_skype();
        tokens.end_access();
        tokens.end_refresh();
    });
}

#[tokio::test]
async fn a_running_program_goes_on_when_the_user_signs_in_with_another_process() {
    let live = Live::free().await;
    let mut options = live.options();
    without_budget(&mut options);
    let setup = Setup { poll: PollMode::Interval, ..Setup::default() };
    let mut program = Runner::launch(options, &setup);
    program.wait_for("live").await;
    end_everything(&live);
    program.wait_for("signed out").await;
    signed_in(&live.gateway, &sign_in_of(&live.profile, live.dir.path()), ANNA).await;
    program.wait_for("live").await;
    program.quit().await;
}

/// Joe, who has a token without having signed in.
fn joe(live: &Live) -> Client {
    let (joe, emulation) = (UserId::new(JOE), live.gateway.state.emulation().unwrap());
    let token =
        emulation.authority.tokens(|tokens| tokens.skype(&joe, emulation.options.skype_life));
    let token = TokenSource::Fixed(Secret::new(token));
    let mut options = ClientOptions::new(joe, live.gateway.base("/v1"), token);
    options.auth = live.profile.requests.auth;
    options.service = live.profile.clone();
    Client::new(options)
}

#[tokio::test]
async fn a_running_program_notices_that_another_process_has_signed_out() {
    let live = Live::free().await;
    let joe = joe(&live);
    let anna = NewMember { id: UserId::new(ANNA), role: Role::User };
    let crew = joe.create_thread(&[anna], "Crew").await.unwrap();
    say_as(&joe, crew.as_str(), "read me").await;
    let mut options = live.options();
    without_budget(&mut options);
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { poll: PollMode::Interval, dir: Some(dir.path()), ..Setup::default() };
    let mut program = Runner::launch(options, &setup);
    program.wait_for("live").await;
    program.open("Crew").await;
    program.wait_for("read me").await;
    // The token that the program has in memory would be accepted for another day.
    assert!(sign_in_of(&live.profile, live.dir.path()).sign_out().await.unwrap());
    program.wait_for("signed out elsewhere · Ctrl-X s signs in").await;
    let asked = live.gateway.requests("", "/v1/");
    program.say("keep me").await;
    let screen = program.wait_for("keep me").await;
    assert!(screen.contains("read me"), "the history stays readable:\n{screen}");
    program.wait_for("1 unsent").await;
    assert_eq!(
        live.gateway.requests("", "/v1/"),
        asked,
        "nothing is sent with a token that was deleted"
    );
    signed_in(&live.gateway, &sign_in_of(&live.profile, live.dir.path()), ANNA).await;
    program.wait_for("live").await;
    program.wait_gone("1 unsent").await;
    program.quit().await;
}

#[tokio::test]
async fn a_401_that_passes_is_tried_again_without_the_user() {
    let live = Live::free().await;
    let mut options = live.options();
    without_budget(&mut options);
    let rejected = InjectedFault::Status { code: 401, error: 911, retry_after: None };
    live.gateway.state.faults().add("GET", "/conversations", 6, rejected);
    let setup = Setup { poll: PollMode::Interval, ..Setup::default() };
    let mut program = Runner::launch(options, &setup);
    program.wait_for("live").await;
    program.quit().await;
}

#[tokio::test]
async fn a_refresh_token_that_was_refused_is_not_sent_again_and_again() {
    let live = Live::free().await;
    let client = live.client();
    end_everything(&live);
    let asked = live.refreshes();
    for _ in 0..5 {
        let error = client.conversations(1).await.unwrap_err();
        assert_eq!(error.message, "the sign-in has ended (AADSTS70000): sign in again");
    }
    assert_eq!(live.refreshes(), asked + 1);
}

#[tokio::test]
async fn a_message_does_not_wait_for_background_requests_that_are_over_the_budget() {
    let live = Live::free().await;
    let mut options = live.options();
    options.service.polling.budget = 7;
    let client = Arc::new(Client::new(options));
    let members = [NewMember { id: UserId::new(JOE), role: Role::User }];
    let group = client.create_thread(&members, "Team").await.unwrap();
    let down = InjectedFault::Status { code: 503, error: 0, retry_after: None };
    client.conversations(1).await.unwrap();
    // After a failure, one request at a time is sent; this one has to wait for the budget of its class.
    // Both hosts of the service fail.
    live.gateway.state.faults().add("GET", "/conversations", 2, down);
    client.conversations(1).await.unwrap_err();
    let background = Arc::clone(&client);
    let waiting = tokio::spawn(async move { background.conversations(1).await.map(drop) });
    let sent = tokio::time::timeout(PATIENCE, say_as(&client, group.as_str(), "hi")).await;
    assert!(sent.is_ok(), "the message waits for a request that waits for the budget");
    assert!(!waiting.is_finished());
    waiting.abort();
}

/// An exchange that gives Anna a Skype token and this path for the chat service.
fn exchange_that_leads_to(live: &Live, path: &str) -> InjectedFault {
    let hour = Duration::from_secs(3_600);
    let authority = &live.gateway.state.emulation().unwrap().authority;
    let token = authority.tokens(|tokens| tokens.skype(&UserId::new(ANNA), hour));
    let body = format!(
        r#"{{"skypeToken":{{"skypetoken":"{token}","expiresIn":3600,"skypeid":"anna.7"}},"regionGtms":{{"chatServiceAfd":"{}{path}"}}}}"#,
        live.gateway.origin
    );
    InjectedFault::Json { code: 200, body }
}

#[tokio::test]
async fn a_token_of_another_region_and_an_account_that_moved_take_a_new_service_map() {
    for (code, error) in [(401, 912), (404, 752), (404, 8_003)] {
        let live = Live::free().await;
        let client = live.client();
        client.conversations(1).await.unwrap();
        let faults = live.gateway.state.faults();
        let exchanged = live.gateway.requests("POST", EXCHANGE);
        let wrong = InjectedFault::Status { code, error, retry_after: None };
        faults.add("GET", "/api/chatsvc/consumer/v1/", 1, wrong);
        // The old Skype token does not lead to the other region.
        faults.add("POST", EXCHANGE, 1, exchange_that_leads_to(&live, ""));
        client.conversations(1).await.unwrap();
        client.conversations(1).await.unwrap();
        assert_eq!(live.gateway.requests("POST", EXCHANGE), exchanged + 1, "{error}");
        let log = faults.log();
        let lists = log.iter().filter(|line| line.ends_with("/users/ME/conversations"));
        let lists: Vec<&str> = lists.map(String::as_str).collect();
        let (old, new) = (
            "GET /api/chatsvc/consumer/v1/users/ME/conversations",
            "GET /v1/users/ME/conversations",
        );
        assert_eq!(lists, [old, old, new, new], "{error}");
    }
}

#[tokio::test]
async fn an_account_that_moved_where_its_service_map_does_not_lead_is_not_asked_for_again_at_once()
{
    let live = Live::free().await;
    let client = live.client();
    client.conversations(1).await.unwrap();
    let moved = InjectedFault::Status { code: 404, error: 752, retry_after: None };
    live.gateway.state.faults().add("GET", "/conversations", 100, moved);
    let error = client.conversations(1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Moved);
    assert!(error.message.contains("does not say where"), "{}", error.message);
    assert!(live.gateway.requests("GET", "/conversations") <= 3);
}

#[tokio::test]
async fn an_exchange_that_has_too_many_requests_is_left_alone_by_all_tasks() {
    let live = Live::free().await;
    live.client().conversations(1).await.unwrap();
    // Each time, a new program that has only the stored token, which has expired.
    for (code, seconds) in [(429, 25), (503, 0)] {
        let exchanged = live.gateway.requests("POST", EXCHANGE);
        let busy = InjectedFault::Status { code, error: 429, retry_after: None };
        live.gateway.state.faults().add("POST", EXCHANGE, 100, busy);
        live.gateway.state.emulation().unwrap().authority.tokens(IssuedTokens::end_skype);
        let sign_in = sign_in_of(&live.profile, live.dir.path());
        let client = Arc::new(client(&live.gateway, &live.profile, &sign_in));
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let client = Arc::clone(&client);
            all.spawn(async move { client.conversations(1).await.unwrap_err().kind });
        }
        let mut held = 0;
        for kind in all.join_all().await {
            match kind {
                ErrorKind::RetryAfter(wait) => {
                    held += 1;
                    assert!(wait >= Duration::from_secs(seconds), "{wait:?}");
                }
                other => assert_eq!((code, other), (503, ErrorKind::Unavailable)),
            }
        }
        assert!(held >= 9, "{held}");
        assert_eq!(live.gateway.requests("POST", EXCHANGE), exchanged + 1, "{code}");
        live.gateway.state.faults().clear();
    }
}

#[tokio::test]
async fn a_sign_in_that_was_confirmed_survives_an_exchange_that_cannot_answer_at_first() {
    let gateway = emulating(EmulatedService::TeamsFree).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-free"), dir.path());
    let down = InjectedFault::Status { code: 503, error: 0, retry_after: None };
    gateway.state.faults().add("POST", EXCHANGE, 1, down);
    assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
    assert_eq!(gateway.requests("POST", EXCHANGE), 2);
}

const CONTOSO: &str = "aaaaaaaa-4d2a-4a52-9c4e-2f3f0a1b2c3d";
const FABRIKAM: &str = "bbbbbbbb-4d2a-4a52-9c4e-2f3f0a1b2c3d";

/// A gateway whose work accounts belong to these organisations.
async fn of_organisations(tenants: &'static [(&str, &str)]) -> Gateway {
    Gateway::configured(|options| {
        let own = |(id, name): &(&str, &str)| ((*id).to_owned(), (*name).to_owned());
        let tenants = Some(tenants.iter().map(own).collect());
        let emulation = EmulationOptions::new(EmulatedService::TeamsWork);
        options.emulates = Some(EmulationOptions { interval: 1, tenants, ..emulation });
    })
    .await
}

#[tokio::test]
async fn a_work_account_of_several_organisations_signs_in_where_the_user_chooses_and_stays_there() {
    let gateway = of_organisations(&[(CONTOSO, "Contoso"), (FABRIKAM, "Fabrikam")]).await;
    let dir = tempfile::tempdir().unwrap();
    let profile = profile(&gateway, "teams-work");
    let sign_in = sign_in_of(&profile, dir.path());
    let code = sign_in.request_code().await.unwrap();
    decide(&gateway, &CodeState::Approved(UserId::new(ANNA)));
    let outcome = sign_in.approval(&code, false, None).await.unwrap();
    let SignInOutcome::ChooseTenant(tenants) = outcome else { panic!("{outcome:?}") };
    assert_eq!(
        tenants.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
        ["Contoso", "Fabrikam"]
    );
    assert_eq!(gateway.requests("POST", EXCHANGE), 0, "nothing was exchanged for no organisation");
    // One that does not know the account is refused; then another one can be chosen.
    let refused = sign_in.choose_tenant("elsewhere.example", None).await.unwrap_err();
    assert!(refused.message.contains("tenant"), "{}", refused.message);
    assert_eq!(sign_in.choose_tenant(FABRIKAM, None).await.unwrap(), UserId::new(ANNA));
    client(&gateway, &profile, &sign_in).conversations(1).await.unwrap();
    // Later renewals go there, too, even those of another run.
    gateway.state.emulation().unwrap().authority.tokens(|tokens| {
        tokens.end_skype();
        tokens.end_access();
    });
    let path = format!("/{FABRIKAM}/oauth2/v2.0/token");
    let before = gateway.requests("POST", &path);
    let again = sign_in_of(&profile, dir.path());
    client(&gateway, &profile, &again).conversations(1).await.unwrap();
    assert_eq!(gateway.requests("POST", &path), before + 1);
}

#[tokio::test]
async fn the_tokens_of_a_choice_are_kept_where_they_cannot_be_stored() {
    let gateway = of_organisations(&[(CONTOSO, "Contoso"), (FABRIKAM, "Fabrikam")]).await;
    let dir = tempfile::tempdir().unwrap();
    let account = dir.path().join("account");
    let sign_in = sign_in_of(&profile(&gateway, "teams-work"), &account);
    let code = sign_in.request_code().await.unwrap();
    decide(&gateway, &CodeState::Approved(UserId::new(ANNA)));
    let outcome = sign_in.approval(&code, false, None).await.unwrap();
    assert!(matches!(outcome, SignInOutcome::ChooseTenant(_)), "{outcome:?}");
    // Neither the lock nor the tokens can be written where a folder is in the way.
    for blocked in ["sign-in.lock", "sign-in.json"] {
        let path = account.join(blocked);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir_all(path.join("in the way")).unwrap();
        let error = sign_in.choose_tenant(FABRIKAM, None).await.unwrap_err();
        assert!(error.message.contains("the sign-in cannot be"), "{blocked}: {}", error.message);
        std::fs::remove_dir_all(&path).unwrap();
    }
    assert_eq!(sign_in.choose_tenant(FABRIKAM, None).await.unwrap(), UserId::new(ANNA));
    assert!(sign_in.status().await.unwrap().signed_in);
}

#[tokio::test]
async fn a_work_account_of_one_organisation_is_asked_nothing_and_a_tenant_of_the_user_is_kept() {
    let gateway = of_organisations(&[(CONTOSO, "Contoso")]).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-work"), dir.path());
    assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
    let listed = gateway.requests("GET", "/users/tenants");
    assert_eq!(listed, 1);
    let dir = tempfile::tempdir().unwrap();
    let mut own = profile(&gateway, "teams-work");
    own.sign_in.as_mut().unwrap().tenant = CONTOSO.to_owned();
    let sign_in = sign_in_of(&own, dir.path());
    assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
    assert_eq!(gateway.requests("GET", "/users/tenants"), listed, "nothing is open");
}

#[tokio::test]
async fn a_personal_account_at_the_work_sign_in_is_told_which_one_it_needs() {
    let gateway = of_organisations(&[]).await;
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&profile(&gateway, "teams-work"), dir.path());
    let code = sign_in.request_code().await.unwrap();
    decide(&gateway, &CodeState::Approved(UserId::new(ANNA)));
    let error = sign_in.approval(&code, false, None).await.unwrap_err();
    assert!(error.message.contains("personal sign-in (service teams-free)"), "{}", error.message);
}

#[tokio::test]
async fn a_list_of_organisations_that_cannot_be_read_or_leads_elsewhere_stops_no_sign_in() {
    let decoy = Gateway::start().await;
    for fault in [
        InjectedFault::Html,
        InjectedFault::Status { code: 500, error: 0, retry_after: None },
        InjectedFault::Redirect(format!("{}/users/tenants", decoy.origin)),
    ] {
        let gateway = emulating(EmulatedService::TeamsWork).await;
        gateway.state.faults().add("GET", "/users/tenants", 1, fault);
        let dir = tempfile::tempdir().unwrap();
        let sign_in = sign_in_of(&profile(&gateway, "teams-work"), dir.path());
        assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
    }
    let gateway = emulating(EmulatedService::TeamsWork).await;
    let mut foreign = profile(&gateway, "teams-work");
    foreign.sign_in.as_mut().unwrap().tenants = format!("{}/users/tenants", decoy.origin);
    let dir = tempfile::tempdir().unwrap();
    let sign_in = sign_in_of(&foreign, dir.path());
    assert_eq!(signed_in(&gateway, &sign_in, ANNA).await, UserId::new(ANNA));
    assert_eq!(decoy.state.faults().log(), Vec::<String>::new(), "no token was sent there");
}

/// A page of messages whose link to older ones leads to another origin.
fn page_that_leads_to(origin: &str) -> InjectedFault {
    let body = format!(
        r#"{{"messages":[{{"id":"1700000000000","originalarrivaltime":"2023-11-14T22:13:20.000Z","messagetype":"Text","content":"<URIObject uri=\"{origin}/object\" url_thumbnail=\"{origin}/thumbnail\"/>","from":"{origin}/v1/users/ME/contacts/8:joe.4","conversationLink":"{origin}/v1/users/ME/conversations/8:joe.4"}}],"_metadata":{{"backwardLink":"{origin}/v1/users/ME/conversations/8:joe.4/messages?syncState=x","syncState":"{origin}/next"}}}}"#
    );
    InjectedFault::Json { code: 200, body }
}

#[tokio::test]
async fn no_token_reaches_another_origin_by_a_redirect_a_link_or_a_picture() {
    let live = Live::free().await;
    let decoy = Gateway::start().await;
    let faults = live.gateway.state.faults();
    let mut options = live.options();
    without_budget(&mut options);
    options.profiles = Some(live.gateway.base("/api/mt/beta"));
    let client = Client::new(options);
    client.conversations(1).await.unwrap();

    let to = |path: &str| InjectedFault::Redirect(format!("{}{path}", decoy.origin));
    faults.add("GET", "/conversations", 1, to("/v1/users/ME/conversations"));
    client.conversations(1).await.unwrap_err();
    faults.add("GET", "/messages", 1, page_that_leads_to(&decoy.origin));
    let chat = skchat::model::ConversationId::new(JOE);
    let page = client.messages(&chat, 10).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let link = page.older.expect("a link to older messages");
    let _ = client.messages_next(&chat, &link, 10).await;

    let code = live.sign_in.request_code().await.unwrap();
    decide(&live.gateway, &CodeState::Approved(UserId::new(ANNA)));
    live.sign_in.approval(&code, true, None).await.unwrap();
    faults.add("POST", "fetchShortProfile", 1, to("/users/fetchShortProfile"));
    let _ = client.profiles(&[UserId::new(JOE)]).await;
    for path in [TOKEN, EXCHANGE] {
        live.gateway.state.emulation().unwrap().authority.tokens(|tokens| {
            tokens.end_skype();
            tokens.end_access();
        });
        faults.add("POST", path, 1, to("/oauth2/v2.0/token"));
        let _ = client.conversations(1).await;
    }
    assert_eq!(decoy.state.faults().log(), Vec::<String>::new(), "nothing was asked there");
}
