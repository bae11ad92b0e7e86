//! Keeps dialogs from being opened a second time on top of themselves.

use super::{Overlay, OverlayStack};

impl Overlay {
    /// Whether two dialogs of this kind would be the same: true for those opened by a key, but not for questions.
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
    /// Opens a dialog, unless the same one, about the same account, is on top already.
    pub fn push(&mut self, overlay: Overlay) {
        let is_open = self.top().is_some_and(|top| overlay.is_unique() && top.is_like(&overlay));
        if !is_open {
            self.stack.push(overlay);
        }
    }
}
