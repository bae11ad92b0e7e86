//! Changes of the configured accounts themselves: adding, renaming and removing them.

use super::text::SafeText;
use serde::{Deserialize, Serialize};

/// A request about the configured accounts. It goes to the account that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// The services that an account can be added for.
    ListServices,
    Add(NewAccount),
    /// Gives the account another name.
    Rename {
        to: String,
    },
    /// Takes the account out of the configuration and deletes its tokens. Its messages stay on disk.
    Remove,
    /// Writes a setting of the user, which concerns no account. The value is TOML; without one the setting is removed,
    /// so that its default applies.
    Set {
        section: String,
        key: String,
        value: Option<String>,
    },
}

/// An account that is to be written to the configuration. Empty fields are left to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAccount {
    pub name: String,
    pub service: String,
    /// The id or a domain of an organisation.
    pub tenant: String,
    /// The address of a gateway, the user's id there, and the file that holds the token.
    pub gateway: String,
    pub user_id: String,
    pub token_file: String,
}

/// A service that an account can be added for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceChoice {
    pub name: String,
    pub title: SafeText,
    /// The program signs in; otherwise the user has a token from elsewhere.
    pub signs_in: bool,
    /// The service is for accounts of organisations.
    pub work: bool,
    /// The address of the service is known.
    pub has_address: bool,
}
