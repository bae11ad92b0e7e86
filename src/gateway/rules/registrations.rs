//! Registrations and subscriptions of clients (facts 1.2). They run as changes, so that a client gets events for every
//! commit that it does not see when it reads after subscribing.

use super::super::api_error::ApiError;
use super::Work;
use crate::model::UserId;

/// How long a registration token is valid, in milliseconds.
const TOKEN_LIFE: i64 = 24 * 60 * 60 * 1_000;

/// A new registration.
pub struct Registered {
    pub endpoint: String,
    pub token: String,
    /// In milliseconds since 1970.
    pub expires: i64,
}

/// # Errors
/// If the user may not sign in.
pub fn register(work: &mut Work<'_>, me: &UserId) -> Result<Registered, ApiError> {
    let credential = work.directory.credential(me).ok_or(ApiError::unauthorized())?;
    let (row, gone) = work.hub.register(me.clone(), credential, TOKEN_LIFE, work.now);
    for endpoint in gone {
        work.store.end_registration(&endpoint)?;
    }
    work.store.save_registration(&row)?;
    Ok(Registered { endpoint: row.endpoint, token: row.token, expires: row.expires })
}

/// # Errors
/// If the user has no such endpoint.
pub fn subscribe(work: &mut Work<'_>, me: &UserId, endpoint: &str) -> Result<(), ApiError> {
    work.hub.subscribe(me, endpoint)?;
    Ok(work.store.note_subscribed(endpoint)?)
}

/// # Errors
/// If the user has no such endpoint.
pub fn end(work: &mut Work<'_>, me: &UserId, endpoint: &str) -> Result<(), ApiError> {
    work.hub.end(me, endpoint)?;
    Ok(work.store.end_registration(endpoint)?)
}
