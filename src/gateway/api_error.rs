//! Error answers: a status, an error code of the service, and a message (facts 6).

use super::storage::StorageError;

#[derive(Debug)]
pub struct ApiError {
    pub status: u16,
    pub code: u32,
    pub message: &'static str,
}

impl ApiError {
    const fn new(status: u16, code: u32, message: &'static str) -> Self {
        Self { status, code, message }
    }

    pub const fn bad(message: &'static str) -> Self {
        Self::new(400, 201, message)
    }
    pub const fn stale_sync_state() -> Self {
        Self::new(400, 230, "The sync state is not valid.")
    }
    pub const fn unauthorized() -> Self {
        Self::new(401, 911, "Authentication failed.")
    }
    pub const fn forbidden(message: &'static str) -> Self {
        Self::new(403, 403, message)
    }
    pub const fn no_endpoints() -> Self {
        Self::new(403, 209, "Endpoints are not available to this account.")
    }
    pub const fn not_a_member() -> Self {
        Self::forbidden("You are not a member of this conversation.")
    }
    pub const fn admins_only() -> Self {
        Self::forbidden("Only an admin may do that.")
    }
    pub const fn no_endpoint() -> Self {
        Self::new(404, 729, "You must create an endpoint before performing this operation.")
    }
    pub const fn no_subscription() -> Self {
        Self::new(404, 450, "Subscription requested could not be found.")
    }
    pub const fn no_conversation() -> Self {
        Self::new(404, 730, "The conversation does not exist.")
    }
    pub const fn not_found(message: &'static str) -> Self {
        Self::new(404, 404, message)
    }
    pub const fn no_person() -> Self {
        Self::not_found("There is no such person.")
    }
    pub const fn too_large(message: &'static str) -> Self {
        Self::new(413, 1003, message)
    }
    pub const fn too_slow() -> Self {
        Self::new(408, 408, "The body did not arrive in time.")
    }
    pub const fn no_such_method() -> Self {
        Self::new(405, 405, "This method is not allowed here.")
    }
    pub const fn wrong_host() -> Self {
        Self::new(421, 421, "This gateway does not serve that host.")
    }
    pub const fn foreign_origin() -> Self {
        Self::forbidden("Requests from web pages are refused.")
    }
    pub const fn failed_inside() -> Self {
        Self::new(500, 500, "The gateway could not carry out the request.")
    }
    pub const fn database_failed() -> Self {
        Self::new(500, 500, "The gateway's database failed.")
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "the gateway's database failed");
        Self::database_failed()
    }
}
