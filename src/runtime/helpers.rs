//! Background workers with a state of their own.

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
