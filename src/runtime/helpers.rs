//! What works beside the loop and knows something of its own.

use super::notifier::{Notifier, NotifierHints};
use super::spelling::SpellChecker;

pub struct Helpers {
    pub notifier: Notifier,
    pub spelling: SpellChecker,
}

impl Helpers {
    pub fn new(spelling: SpellChecker) -> Self {
        Self { notifier: Notifier::new(NotifierHints::of_environment()), spelling }
    }
}
