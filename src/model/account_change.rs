//! Changes of the configured accounts themselves: adding, renaming and removing them.

use super::text::SafeText;
use serde::{Deserialize, Serialize};

/// What is asked about the configured accounts. The account that is asked is the one that it is about.
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
    /// Writes a setting of the user, which concerns no account. The value is TOML; without one the setting is taken out,
    /// so that its default counts.
    Set {
        section: String,
        key: String,
        value: Option<String>,
    },
}

/// An account that is to be written to the configuration. What is empty is left to the service.
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
    /// Accounts of organisations.
    pub work: bool,
    /// The service says where it lives.
    pub has_address: bool,
}
