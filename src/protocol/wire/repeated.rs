//! Strings that many items of a page have in common.

use std::sync::Arc;

/// The maximum number of strings that are kept for reuse.
const MAX: usize = 16;

/// Senders, their names and types of messages, each kept once instead of once per item.
#[derive(Default)]
pub struct RepeatedTexts(Vec<Arc<str>>);

impl RepeatedTexts {
    /// The string as a shared one, if it has occurred lately.
    pub fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| known.as_ref() == text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        if self.0.len() == MAX {
            self.0.clear();
        }
        self.0.push(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_more_texts_than_fit_are_still_right() {
        let mut texts = RepeatedTexts::default();
        let first = texts.get("8:joe.4");
        assert!(Arc::ptr_eq(&first, &texts.get("8:joe.4")));
        for number in 0..3 * MAX {
            let id = format!("8:live:{number}");
            assert_eq!(*texts.get(&id), *id);
        }
        assert_eq!(*texts.get("8:joe.4"), *"8:joe.4");
        assert!(texts.0.len() <= MAX);
    }
}
