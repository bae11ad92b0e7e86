//! Registering a client, its subscription, and the end of both (facts 1.2). They run as changes, so that whoever has
//! subscribed then hears of every commit that the pages do not show yet.

use super::super::api_error::ApiError;
use super::Work;
use crate::model::UserId;

/// How long a registration token can be used, in milliseconds.
const TOKEN_LIFE: i64 = 24 * 60 * 60 * 1_000;

/// What a client is told of its registration.
pub struct Registered {
    pub endpoint: String,
    pub token: String,
    /// In milliseconds since 1970.
    pub expires: i64,
}

/// # Errors
/// When the user is not one who may sign in.
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
/// When the user has no such endpoint.
pub fn subscribe(work: &mut Work<'_>, me: &UserId, endpoint: &str) -> Result<(), ApiError> {
    work.hub.subscribe(me, endpoint)?;
    Ok(work.store.note_subscribed(endpoint)?)
}

/// # Errors
/// When the user has no such endpoint.
pub fn end(work: &mut Work<'_>, me: &UserId, endpoint: &str) -> Result<(), ApiError> {
    work.hub.end(me, endpoint)?;
    Ok(work.store.end_registration(endpoint)?)
}
