//! The pictures and files that messages refer to, as data (facts 8.10).

use super::{ProfileList, ProfileText};
use crate::model::MediaKind;
use serde::{Deserialize, Serialize};

/// How objects are fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectProfile {
    /// The scope of the token that the hosts take; empty where the Skype token will do.
    pub scope: ProfileText,
    /// A view of an object, below its address.
    pub view: ProfileText,
    /// Tells whether a view can be fetched yet.
    pub status: ProfileText,
    /// Gives a cookie for the Skype token; below the origin of the object.
    pub cookie: ProfileText,
    /// The views of each kind, the preferred one first.
    pub pictures: ProfileList,
    pub videos: ProfileList,
    pub sounds: ProfileList,
    pub files: ProfileList,
    /// Objects larger than this many megabytes are not fetched.
    pub most_megabytes: u64,
}

impl ObjectProfile {
    /// The views of an object of this kind.
    pub fn views(&self, kind: MediaKind) -> &[String] {
        match kind {
            MediaKind::Image => &self.pictures,
            MediaKind::Video | MediaKind::Recording => &self.videos,
            MediaKind::Voice => &self.sounds,
            MediaKind::File | MediaKind::Card | MediaKind::Transcript => &self.files,
        }
    }
}
