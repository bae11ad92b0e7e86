//! How an account of a service signs in, as data (facts 8.1 to 8.5).

use serde::{Deserialize, Serialize};

/// Sign-in by device code, and the exchange of its token for a Skype token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInProfile {
    /// Scheme and host of the sign-in service.
    pub authority: String,
    /// The value of `{tenant}` in the paths.
    pub tenant: String,
    pub device_code_path: String,
    pub token_path: String,
    pub client_id: String,
    pub scope: String,
    /// The scope of the token for the profile service; empty if the service needs none.
    pub names_scope: String,
    /// Where the access token is exchanged for a Skype token (facts 8.4).
    pub exchange: String,
    pub accounts: AccountKind,
    /// Lists the organisations that an account belongs to (facts 8.5); empty if the service has no such list.
    #[serde(default)]
    pub tenants: String,
    pub fallback: Option<SignInFallback>,
    pub service_map: ServiceMap,
}

/// The older form of the device-code sign-in (facts 8.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInFallback {
    pub tenant: String,
    pub device_code_path: String,
    pub token_path: String,
    pub resource: String,
}

/// Which names of the service map are used (facts 8.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceMap {
    /// The chat service, the preferred name first.
    pub chat: Vec<String>,
    /// What is added to an address of the map.
    pub chat_path: String,
    /// The profile service.
    pub profiles: Vec<String>,
    pub profiles_path: String,
    /// The presence service (facts 8.12).
    pub presence: Vec<String>,
    pub presence_path: String,
}

/// Which kind of account a service signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    Personal,
    Work,
}
