//! Signing in while the program runs. What is stored can be read meanwhile.

use super::Shared;
use crate::client::{Client, Error};
use crate::model::{Fault, FaultKind, Response, SignInCode, Ticket, UserId};
use std::sync::Arc;

/// Asks for a code.
///
/// # Errors
/// If the token of the account comes from elsewhere, or the service gives out no code.
pub(super) async fn code(client: &Client) -> Result<SignInCode, Fault> {
    let Some(sign_in) = client.own_sign_in() else {
        let why = "the token of this account comes from elsewhere";
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
pub(super) async fn approved(
    client: &Client,
    names: bool,
    expected: Option<&UserId>,
) -> Result<(), Error> {
    let sign_in = client.own_sign_in().ok_or_else(Error::no_code)?;
    let code = sign_in.take_code().ok_or_else(Error::no_code)?;
    sign_in.approval(&code, names, expected).await.map(drop)
}

/// Waits until the user has confirmed the code, and connects.
pub(super) fn approval(shared: &Arc<Shared>, names: bool, ticket: Ticket) {
    let stop = shared.stop.clone();
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            result = approved(&shared.client, names, Some(&shared.me)) => {
                if result.is_ok() {
                    shared.client.signed_in_again();
                    shared.connection.retry_now();
                }
                let result = result.map_err(|e| Fault::from(&e));
                shared.respond(ticket, Response::Done(result)).await;
            }
        }
    });
}
