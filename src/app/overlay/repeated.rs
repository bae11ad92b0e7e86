//! Which dialogs a key would open a second time on top of themselves.

use super::{Overlay, OverlayStack};

impl Overlay {
    /// Whether two of this kind would be the same: those that a key opens, and not what a dialog asks.
    fn is_unique(&self) -> bool {
        !matches!(
            self,
            Self::Confirm(_) | Self::Prompt(_) | Self::PeoplePicker(_) | Self::Person(_)
        )
    }

    /// Whether it is the same dialog, about the same account.
    fn is_like(&self, other: &Self) -> bool {
        if let (Self::SignIn(this), Self::SignIn(other)) = (self, other) {
            return this.account() == other.account();
        }
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl OverlayStack {
    /// Opens a dialog. One that is on top already, about the same account, is not opened a second time.
    pub fn push(&mut self, overlay: Overlay) {
        let is_open = self.top().is_some_and(|top| overlay.is_unique() && top.is_like(&overlay));
        if !is_open {
            self.stack.push(overlay);
        }
    }
}
