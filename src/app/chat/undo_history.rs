//! The undo history of one message box.

use crate::model::UndoStep;
use std::collections::VecDeque;

/// If there are more steps, the oldest are forgotten.
const MAX_STEPS: usize = 200;
/// The most bytes of text in the steps that are saved.
const MAX_SAVED: usize = 16 * 1024;

/// The texts before the current one. The last one is kept whole, each of the others as its difference from the text
/// after it: the history is saved with the draft, several times a second while the user types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UndoHistory {
    steps: VecDeque<UndoStep>,
    /// The last text, and the byte offset of its cursor. The steps go back from it, or from the current text if it is
    /// `None`.
    last: Option<(String, usize)>,
}

impl UndoHistory {
    pub fn of_saved(steps: Vec<UndoStep>) -> Self {
        Self { steps: steps.into(), last: None }
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.last.is_none()
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a text that is about to be changed.
    pub fn keep(&mut self, text: &str, cursor: usize) {
        if let Some((older, at)) = self.last.replace((text.to_owned(), cursor)) {
            if self.steps.len() >= MAX_STEPS {
                self.steps.pop_front();
            }
            self.steps.push_back(UndoStep::between(&older, at, text));
        }
    }

    /// The text before the current one, and where its cursor was. Steps that do not fit the current text are forgotten.
    pub fn back(&mut self, text: &str) -> Option<(String, usize)> {
        if let Some(last) = self.last.take() {
            return Some(last);
        }
        let step = self.steps.pop_back()?;
        let older = step.applied_to(text);
        if older.is_none() {
            self.clear();
        }
        older.map(|older| (older, step.cursor))
    }

    /// The newest steps back from the current text, oldest first, up to the limit of what is saved.
    pub fn to_save(&self, text: &str) -> Vec<UndoStep> {
        let last = self.last.as_ref().map(|(older, at)| UndoStep::between(older, *at, text));
        let mut left = MAX_SAVED;
        let is_saved = |step: &&UndoStep| {
            let fits = step.text.len() < left;
            left = left.saturating_sub(step.text.len() + 1);
            fits
        };
        let newest = last.iter().chain(self.steps.iter().rev()).take_while(is_saved);
        let mut steps: Vec<UndoStep> = newest.cloned().collect();
        steps.reverse();
        steps
    }
}
