//! Signing in again while the program runs. What is stored can be read meanwhile.

use super::Shared;
use crate::client::Error;
use crate::model::{Fault, FaultKind, Response, SignInCode, Ticket};
use std::sync::Arc;

/// Asks for a code.
pub async fn code(shared: &Arc<Shared>, ticket: Ticket) {
    let Some(sign_in) = shared.client.own_sign_in() else {
        let fault =
            Fault::new(FaultKind::Unsupported, "the token of this account comes from elsewhere");
        shared.respond(ticket, Response::SignInCode(Err(fault))).await;
        return;
    };
    let result = sign_in.request_code().await.map(|pending| {
        let grant = &pending.grant;
        let code = SignInCode {
            user_code: grant.user_code.clone(),
            address: grant.address.clone(),
            minutes: grant.life.as_secs().div_ceil(60),
        };
        sign_in.keep_code(pending);
        code
    });
    shared.respond(ticket, Response::SignInCode(result.map_err(|e| Fault::from(&e)))).await;
}

/// Waits until the user has confirmed the code, and connects.
pub fn approval(shared: &Arc<Shared>, names: bool, ticket: Ticket) {
    let stop = shared.stop.clone();
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            result = approved(&shared, names) => {
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

async fn approved(shared: &Shared, names: bool) -> Result<(), Error> {
    let sign_in = shared.client.own_sign_in().ok_or_else(Error::no_code)?;
    let code = sign_in.take_code().ok_or_else(Error::no_code)?;
    sign_in.approval(&code, names, Some(&shared.me)).await.map(drop)
}
