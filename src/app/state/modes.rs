//! The two modes of a modal key preset.

use super::AppState;

impl AppState {
    /// Whether letters are keys and not text.
    pub fn is_normal(&self) -> bool {
        self.keys.normal && self.prefs.keymap.is_modal()
    }

    /// Switches to typing letters as text.
    pub fn write(&mut self) {
        self.keys.normal = false;
    }

    /// With a modal preset, makes letters keys. Returns whether they were text before.
    pub fn stop_writing(&mut self) -> bool {
        self.prefs.keymap.is_modal() && !std::mem::replace(&mut self.keys.normal, true)
    }
}
