//! Accounts: which account a conversation belongs to, and how its service is accessed.

use super::id::ConversationId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Names an account: the `NAME` of `[accounts.NAME]`. Unique within the configuration, and the name of its folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(Arc<str>);

impl AccountId {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Names an archive. No name from the configuration can contain the slash.
    pub fn of_archive(name: &str) -> Self {
        Self(format!("{ARCHIVE}{name}").into())
    }

    /// The name of an archive: a read-only account of what was imported. `None` for any other account.
    pub fn archive(&self) -> Option<&str> {
        self.0.strip_prefix(ARCHIVE)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The beginning of an archive's id.
const ARCHIVE: &str = "archive/";

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A conversation of one account. Two accounts may be members of the same group: these are two references.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChatRef {
    pub account: AccountId,
    pub conversation: ConversationId,
}

/// How the chat hosts expect the Skype token (facts 1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthStyle {
    /// Exchanged for a registration token first.
    #[default]
    Registration,
    SkypeToken,
    Bearer,
}

/// How an account that is signed out can sign in again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignInWay {
    /// The user has to renew the token that the configuration names.
    #[default]
    Token,
    /// The program can sign in to a personal account.
    Personal,
    /// The program can sign in to an account of an organisation.
    Work,
}

/// How changes are fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PollMode {
    /// Long poll where the server offers it, otherwise intervals.
    #[default]
    Auto,
    Long,
    Interval,
}
