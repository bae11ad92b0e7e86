//! Signing in again: the dialogs and the requests.

use crate::fixture::{App, chat};
use crate::model::{
    ConnectionState, Delta, Fault, FaultKind, Request, Response, SafeText, SignInCode,
    SignInTenant, SignInWay,
};

fn signed_out(way: SignInWay) -> App {
    let mut app = chat("Team").message("joe", "hi").opened();
    let why = SafeText::line("the sign-in has ended");
    app.delta(Delta::Connection(ConnectionState::SignedOut { why, way }));
    app
}

fn code() -> SignInCode {
    let line = SafeText::line;
    SignInCode {
        user_code: line("RR5YAE2T"),
        address: line("https://chat.example/link"),
        minutes: 15,
    }
}

fn last_request(app: &mut App) -> Request {
    app.requests().pop().expect("a request")
}

fn respond(app: &mut App, to: &Request, response: Response) {
    let ticket = crate::fixture::ticket_of(to).expect("a ticket");
    app.delta(Delta::Response { ticket, response });
}

#[test]
fn a_signed_out_account_says_which_keys_sign_in_and_keeps_its_history() {
    let mut app = signed_out(SignInWay::Personal);
    app.expect("Ctrl-X s signs in");
    app.expect("hi");
}

#[test]
fn nothing_is_asked_of_the_service_before_the_user_agrees() {
    let mut app = signed_out(SignInWay::Personal);
    app.press("ctrl-x s");
    app.expect("unofficial");
    app.requests();
    app.press("enter down");
    assert_eq!(app.requests(), []);
    app.press("n y");
    app.answer(Response::SignInCode(Ok(code())));
    app.expect("RR5YAE2T");
    app.expect("https://chat.example/link");
    let approval = last_request(&mut app);
    assert!(matches!(approval, Request::SignInApproval { names: true, .. }), "{approval:?}");
    respond(&mut app, &approval, Response::Done(Ok(())));
    app.expect_none("RR5YAE2T");
    app.expect("Signed in");
}

#[test]
fn a_refusal_is_shown_with_its_reason_and_a_new_code_can_be_asked_for() {
    let mut app = signed_out(SignInWay::Work);
    app.press("ctrl-x s y");
    app.answer(Response::SignInCode(Ok(code())));
    let why = "your organisation does not allow this sign-in (AADSTS53003)";
    app.answer(Response::Done(Err(Fault::new(FaultKind::SignedOut, why))));
    app.expect("AADSTS53003");
    app.press("enter");
    assert!(matches!(last_request(&mut app), Request::SignInCode { .. }));
}

#[test]
fn a_token_from_the_configuration_is_renewed_there() {
    let mut app = signed_out(SignInWay::Token);
    app.expect("F5 tries again");
    app.press("ctrl-x s");
    app.expect("renew it there");
}

#[test]
fn what_to_know_before_a_sign_in_on_the_screen() {
    let mut app = signed_out(SignInWay::Personal);
    app.press("ctrl-x s");
    insta::assert_snapshot!(app.screen());
}

#[test]
fn the_code_of_a_sign_in_on_the_screen() {
    let mut app = signed_out(SignInWay::Personal);
    app.press("ctrl-x s y");
    app.answer(Response::SignInCode(Ok(code())));
    insta::assert_snapshot!(app.screen());
}

#[test]
fn a_sign_in_that_has_ended_on_the_screen() {
    let mut app = signed_out(SignInWay::Personal);
    insta::assert_snapshot!(app.screen());
}

#[test]
fn a_service_that_asks_for_a_pause_on_the_screen() {
    let mut app = chat("Team").message("joe", "hi").opened();
    let why = SafeText::line("too many requests (429)");
    let wait = std::time::Duration::from_secs(42);
    let waiting = ConnectionState::Waiting { wait, attempt: 1, why, asked: true };
    app.delta(Delta::Connection(waiting));
    insta::assert_snapshot!(app.screen());
    app.pass(std::time::Duration::from_secs(2));
    app.expect("The service asked for a pause: next try in 40 s");
    let mut app = app.sized(46, 16);
    app.expect("asked to wait 40 s");
}

#[test]
fn an_organisation_that_forbids_the_sign_in_on_the_screen() {
    let mut app = signed_out(SignInWay::Work);
    app.press("ctrl-x s y");
    let words = "your organisation does not allow this sign-in (AADSTS53003); only its administrators can change that";
    let refused = Fault::new(FaultKind::SignedOut, words);
    app.answer(Response::SignInCode(Err(refused)));
    insta::assert_snapshot!(app.screen());
}

#[test]
fn an_account_of_several_organisations_is_asked_for_one() {
    let mut app = signed_out(SignInWay::Work);
    app.press("ctrl-x s y");
    app.answer(Response::SignInCode(Ok(code())));
    let tenant = |id: &str, name: &str| SignInTenant { id: id.into(), name: SafeText::line(name) };
    app.answer(Response::SignInTenants(vec![tenant("a-1", "Contoso"), tenant("b-2", "Fabrikam")]));
    insta::assert_snapshot!(app.screen());
    app.requests();
    app.press("down enter");
    let request = last_request(&mut app);
    assert!(matches!(&request, Request::SignInTenant { tenant, .. } if tenant == "b-2"));
    app.expect("Signing in to Fabrikam");
    respond(&mut app, &request, Response::Done(Ok(())));
    app.expect("Signed in");
}

#[test]
fn an_account_that_was_signed_out_elsewhere_says_so_and_how_to_go_on() {
    let mut app = signed_out(SignInWay::Personal);
    let (why, way) = (SafeText::line("signed out elsewhere"), SignInWay::Personal);
    app.delta(Delta::Connection(ConnectionState::SignedOut { why, way }));
    app.layout();
    app.expect("signed out elsewhere · Ctrl-X s signs in");
    app.expect("hi");
    insta::assert_snapshot!(app.screen());
}

#[test]
fn after_a_failure_in_one_organisation_another_one_can_be_chosen_without_a_new_code() {
    let mut app = signed_out(SignInWay::Work);
    app.press("ctrl-x s y");
    app.answer(Response::SignInCode(Ok(code())));
    let tenant = |id: &str, name: &str| SignInTenant { id: id.into(), name: SafeText::line(name) };
    let both = vec![tenant("a-1", "Contoso"), tenant("b-2", "")];
    app.answer(Response::SignInTenants(both));
    app.expect("Contoso");
    app.expect("b-2");
    app.press("enter");
    app.answer(Response::Done(Err(Fault::new(FaultKind::Store, "the disk is full"))));
    app.expect("the disk is full");
    app.press("enter");
    app.expect("In which organisation?");
    app.press("down enter");
    let chosen = last_request(&mut app);
    assert!(
        matches!(&chosen, Request::SignInTenant { tenant, .. } if tenant == "b-2"),
        "{chosen:?}"
    );
}
