//! Adding, renaming and removing accounts: the dialogs and the requests.

use crate::app::action::AppAction;
use crate::app::overlay::{Overlay, SignInDialog};
use crate::fixture::{ACCOUNT, App, chat};
use crate::model::{
    AccountChange, ConnectionState, Delta, Fault, FaultKind, NewAccount, Request, Response,
    SafeText, ServiceChoice, UserId,
};

const WORK: &str = "work";

fn choice(name: &str, signs_in: bool, work: bool) -> ServiceChoice {
    let title = SafeText::line(&format!("Service {name}"));
    ServiceChoice { name: name.into(), title, signs_in, work, has_address: signs_in }
}

/// The last change of the accounts that was requested.
fn asked(app: &mut App) -> AccountChange {
    let changes = app.requests().into_iter().filter_map(|request| match request {
        Request::Accounts { change, .. } => Some(change),
        _ => None,
    });
    changes.last().expect("a change of the accounts")
}

/// The dialog for adding an account, with these services to choose from.
fn adding() -> App {
    let mut app = chat("Team").message("joe", "hi").opened();
    app.press("ctrl-x c a");
    let choices = vec![
        choice("personal", true, false),
        choice("org", true, true),
        choice("own", false, false),
    ];
    app.answer(Response::Services(Ok(choices)));
    app.expect("Service personal");
    app.requests();
    app
}

#[test]
fn a_new_account_is_asked_for_and_leads_to_its_sign_in() {
    let mut app = adding();
    app.press("enter");
    app.expect("Name of the account");
    app.press("enter");
    let wanted =
        NewAccount { name: "me".into(), service: "personal".into(), ..NewAccount::default() };
    app.delta_of("me", Delta::Joined { me: UserId::new("") });
    let requests = app.requests();
    let ticket = requests.iter().rev().find_map(crate::fixture::ticket_of).expect("a ticket");
    assert!(requests.contains(&Request::Accounts { change: AccountChange::Add(wanted), ticket }));
    app.delta(Delta::Response { ticket, response: Response::Done(Ok(())) });
    app.expect("Sign in");
    app.expect("unofficial");
    app.requests();
    // A user who does not agree does not keep the account.
    app.press("esc");
    app.expect("hi");
    app.expect("Not added: \"me\"");
    assert_eq!(asked(&mut app), AccountChange::Remove);
}

/// The request for consent to the sign-in of an account that was added just now.
fn asked_for_consent() -> App {
    let mut app = adding();
    app.press("enter enter");
    app.delta_of("me", Delta::Joined { me: UserId::new("") });
    app.answer(Response::Done(Ok(())));
    app.expect("unofficial");
    app.requests();
    app
}

#[test]
fn whoever_quits_or_goes_elsewhere_at_the_consent_does_not_keep_the_account() {
    let mut app = asked_for_consent();
    app.press("ctrl-q");
    assert_eq!(asked(&mut app), AccountChange::Remove);
    let mut app = asked_for_consent();
    let elsewhere = app.open_chat().chat_ref();
    app.model.open(&elsewhere);
    app.expect("Not added: \"me\"");
    app.action(crate::app::Action::App(AppAction::Redraw));
    assert_eq!(asked(&mut app), AccountChange::Remove);
}

#[test]
fn the_sign_ins_of_two_accounts_are_two_dialogs() {
    let mut app = asked_for_consent();
    let sign_in = |name: &str| {
        let id = crate::model::AccountId::new(name);
        Overlay::SignIn(SignInDialog::of_new(id, false))
    };
    app.model.overlays.push(sign_in("me"));
    app.model.overlays.push(sign_in("other"));
    app.press("esc");
    app.expect("Not added: \"other\"");
    app.expect("unofficial");
    app.press("esc");
    app.expect("Not added: \"me\"");
    app.expect_none("unofficial");
}

#[test]
fn a_new_account_stays_if_the_user_agreed_and_stopped_later() {
    let mut app = adding();
    app.press("enter enter");
    app.delta_of("me", Delta::Joined { me: UserId::new("") });
    app.answer(Response::Done(Ok(())));
    app.press("y");
    app.requests();
    app.press("esc");
    app.expect("\"me\" is not signed in yet. To sign in, press Ctrl-X c, then s");
    assert_eq!(app.requests(), []);
}

#[test]
fn a_known_account_stays_whatever_is_answered_before_its_sign_in() {
    let mut app = App::new().beside(WORK);
    let why = SafeText::line("nobody has signed in yet");
    let state = ConnectionState::SignedOut { why, way: crate::model::SignInWay::Work };
    app.delta_of(WORK, Delta::Connection(state));
    app.press("ctrl-x c down s");
    app.requests();
    app.press("esc esc");
    assert_eq!(app.requests(), []);
}

#[test]
fn accounts_are_shown_with_the_names_of_their_owners() {
    let mut app = App::new();
    let me = UserId::new("8:orgid:6c0b3e0e-4d2a-4a52-9c4e-2f3f0a1b2c3d");
    app.delta_of(WORK, Delta::Joined { me: me.clone() });
    app.press("ctrl-x c");
    app.expect("orgid:6c0b3e0e");
    let name = SafeText::line("Anna at work");
    app.delta_of(WORK, Delta::Names(vec![(me, crate::model::NameSource::Profile, name)]));
    app.layout();
    app.expect("Anna at work");
    app.expect_none("orgid:6c0b3e0e");
    app.expect("Anna Lindqvist (anna.7)");
}

#[test]
fn an_organisation_and_a_gateway_are_asked_for_where_they_are_needed() {
    let mut app = adding();
    app.press("down enter enter");
    app.expect("Organisation");
    app.type_text("example.org");
    app.press("enter");
    let AccountChange::Add(new) = asked(&mut app) else { panic!("an account is added") };
    assert_eq!((new.name.as_str(), new.tenant.as_str()), ("work", "example.org"));

    let mut app = adding();
    app.press("down down enter enter");
    app.expect("Address of the gateway");
    app.press("enter");
    app.expect("An address is needed");
    app.type_text("http://127.0.0.1:1/v1");
    app.press("enter");
    app.type_text("anna");
    app.press("enter");
    app.expect("An id has a prefix");
    app.press("ctrl-u");
    app.type_text("8:anna.7");
    app.press("enter");
    app.type_text("~/token");
    app.press("enter");
    let AccountChange::Add(new) = asked(&mut app) else { panic!("an account is added") };
    assert_eq!((new.user_id.as_str(), new.token_file.as_str()), ("8:anna.7", "~/token"));
}

#[test]
fn a_refused_account_can_be_corrected() {
    let mut app = adding();
    app.press("enter enter");
    let why = Fault::new(FaultKind::Invalid, "an account \"me\" already exists");
    app.answer(Response::Done(Err(why)));
    app.expect("an account \"me\" already exists");
    app.press("enter");
    app.type_text("2");
    app.press("enter");
    let AccountChange::Add(new) = asked(&mut app) else { panic!("an account is added") };
    assert_eq!(new.name, "me2");
}

#[test]
fn an_account_is_renamed_and_removed_after_a_question_but_never_the_only_one() {
    let mut app = App::new().beside(WORK).with_direct_in(WORK, "mia", 1_000);
    app.press("ctrl-x c down r");
    app.expect("Rename the account");
    app.type_text("2");
    app.press("enter");
    assert_eq!(asked(&mut app), AccountChange::Rename { to: "work2".into() });
    app.press("d");
    app.expect("Remove the account \"work\"?");
    app.press("enter");
    assert_eq!(app.requests(), [], "Enter is no answer");
    app.press("y");
    assert_eq!(asked(&mut app), AccountChange::Remove);
    app.delta_of(WORK, Delta::Left);
    app.press("d");
    app.expect("This is the only account");
}

#[test]
fn an_account_that_leaves_takes_its_open_chat_along_and_the_only_one_stays() {
    let mut app = chat("Team").message("joe", "hi").opened().beside(WORK);
    app.delta_of(ACCOUNT, Delta::Left);
    app.expect_none("hi");
    app.delta_of(WORK, Delta::Left);
    app.layout();
    assert_eq!(app.model.app.accounts.iter().count(), 1);
}

#[test]
fn an_account_that_was_signed_out_gets_its_owner_and_keeps_its_place() {
    let mut app = App::new();
    app.delta_of("me", Delta::Joined { me: UserId::new("") });
    app.delta_of("me", Delta::Joined { me: UserId::new("8:anna.7") });
    app.delta_of("me", Delta::Joined { me: UserId::new("8:joe.4") });
    let owners: Vec<&str> =
        app.model.app.accounts.iter().skip(1).map(|account| account.me.as_str()).collect();
    assert_eq!(owners, ["8:anna.7"], "a known owner is not replaced");
}

#[test]
fn nothing_can_be_changed_in_a_read_only_run() {
    let mut app = App::new();
    app.model.app.prefs.read_only = true;
    app.press("ctrl-x c");
    app.expect("in a read-only run");
    app.model.app.prefs.read_only = false;
    app.model.app.prefs.demo = true;
    app.press("ctrl-x c");
    app.expect("The demo has no accounts to change");
}

#[test]
fn the_accounts_on_the_screen() {
    let mut app = App::new().beside(WORK);
    app.delta_of("me", Delta::Joined { me: UserId::new("") });
    app.press("ctrl-x c");
    insta::assert_snapshot!(app.screen());
}
