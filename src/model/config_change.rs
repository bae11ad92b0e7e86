//! What has changed in the configuration file while the program runs.

use super::text::SafeText;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings and keys that are not as before. Accounts and services of the file count from the next start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// Settings by name, with their values.
    pub settings: Vec<(String, toml::Value)>,
    /// All keys that the user has bound, by action.
    pub keys: Option<BTreeMap<String, Vec<String>>>,
    /// Something in the file that is not known, but does no harm.
    pub warning: Option<SafeText>,
    /// Something was wrong with the file when it was read last, and nothing is any more.
    #[serde(default)]
    pub repaired: bool,
}
