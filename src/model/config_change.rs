//! What has changed in the configuration file while the program runs.

use super::text::SafeText;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings and keys that have changed. Changes to accounts and services take effect at the next start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// Settings by name, with their values.
    pub settings: Vec<(String, toml::Value)>,
    /// All keys that the user has bound, by action.
    pub keys: Option<BTreeMap<String, Vec<String>>>,
    /// Something unknown in the file that does no harm.
    pub warning: Option<SafeText>,
    /// The file had an error when it was last read, and has none any more.
    #[serde(default)]
    pub repaired: bool,
}
