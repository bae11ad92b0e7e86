//! Signing in while the program runs. What is stored can be read meanwhile.

use super::Shared;
use crate::client::sign_in::SignInOutcome;
use crate::client::{Client, Error};
use crate::model::{Fault, FaultKind, Response, SignInCode, Ticket, UserId};
use std::sync::Arc;

/// Asks for a code.
///
/// # Errors
/// If the token of the account comes from elsewhere, or the service gives out no code.
pub(super) async fn code(client: &Client) -> Result<SignInCode, Fault> {
    let Some(sign_in) = client.own_sign_in() else {
        let why = "the token of this account does not come from a sign-in";
        return Err(Fault::new(FaultKind::Unsupported, why));
    };
    let pending = sign_in.request_code().await.map_err(|e| Fault::from(&e))?;
    let grant = &pending.grant;
    let code = SignInCode {
        user_code: grant.user_code.clone(),
        address: grant.address.clone(),
        minutes: grant.life.as_secs().div_ceil(60),
    };
    sign_in.keep_code(pending);
    Ok(code)
}

/// Waits until the user has confirmed the code that was given out last. `expected` is the owner of what is stored, if
/// that is known.
///
/// # Errors
/// If there is no code, or the sign-in fails.
async fn approved(
    client: &Client,
    names: bool,
    expected: Option<&UserId>,
) -> Result<SignInOutcome, Error> {
    let sign_in = client.own_sign_in().ok_or_else(Error::no_code)?;
    let code = sign_in.take_code().ok_or_else(Error::no_code)?;
    sign_in.approval(&code, names, expected).await
}

/// Goes on with a sign-in in the organisation that the user has chosen.
///
/// # Errors
/// If no sign-in waits for that, or it fails.
async fn chosen(
    client: &Client,
    tenant: &str,
    expected: Option<&UserId>,
) -> Result<SignInOutcome, Error> {
    let sign_in = client.own_sign_in().ok_or_else(Error::no_code)?;
    sign_in.choose_tenant(tenant, expected).await.map(SignInOutcome::SignedIn)
}

/// What the app is told about a sign-in.
pub(super) fn response(result: Result<SignInOutcome, Error>) -> Response {
    match result {
        Ok(SignInOutcome::SignedIn(_)) => Response::Done(Ok(())),
        Ok(SignInOutcome::ChooseTenant(tenants)) => Response::SignInTenants(tenants),
        Err(error) => Response::Done(Err(Fault::from(&error))),
    }
}

/// See [`SignInWait`].
///
/// # Errors
/// See [`approved`] and [`chosen`].
pub(super) async fn waited(
    client: &Client,
    with: SignInWait,
    expected: Option<&UserId>,
) -> Result<SignInOutcome, Error> {
    match with {
        SignInWait::Approval { names } => approved(client, names, expected).await,
        SignInWait::Tenant(tenant) => chosen(client, &tenant, expected).await,
    }
}

/// What a sign-in waits for.
pub(super) enum SignInWait {
    /// The user's confirmation of the code. Names may be looked up or not.
    Approval { names: bool },
    /// A token for this organisation.
    Tenant(String),
}

/// Waits until the user is signed in, and connects.
pub(super) fn go_on(shared: &Arc<Shared>, with: SignInWait, ticket: Ticket) {
    let stop = shared.stop.clone();
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            result = waited(&shared.client, with, Some(&shared.me)) => {
                if matches!(result, Ok(SignInOutcome::SignedIn(_))) {
                    shared.client.signed_in_again();
                    shared.connection.retry_now();
                }
                shared.respond(ticket, response(result)).await;
            }
        }
    });
}
