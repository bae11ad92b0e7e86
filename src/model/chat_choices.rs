//! What the user has chosen for a single conversation, on this machine only: the server knows nothing of it.

use super::notifications::NotifyAbout;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatChoices {
    /// A group that was left is not listed.
    pub hidden: bool,
    /// Not listed while its last message is not later than this.
    pub hidden_at: Option<Timestamp>,
    /// Not listed and silent until the user brings it back.
    pub put_away: bool,
    /// Its place among the pinned conversations, if the user has moved one.
    pub pin_place: Option<u32>,
    /// `None`: as configured.
    pub notify: Option<NotifyAbout>,
    /// Muted for a while. The state on the server is a setting of its own.
    pub muted_until: Option<Timestamp>,
}
