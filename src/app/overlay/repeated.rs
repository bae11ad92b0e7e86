//! Which dialogs a key would open a second time on top of themselves.

use super::Overlay;

impl Overlay {
    /// Whether two of this kind would be the same: those that a key opens, and not what a dialog asks.
    pub(super) fn is_unique(&self) -> bool {
        !matches!(
            self,
            Self::Confirm(_) | Self::Prompt(_) | Self::PeoplePicker(_) | Self::Person(_)
        )
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
