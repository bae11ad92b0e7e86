//! One step of the undo history of a message box.

use serde::{Deserialize, Serialize, Serializer};

/// Turns a text into the previous one: the `length` bytes at `at` are replaced by `text`, and the cursor goes to the
/// byte `cursor`. As JSON it is an array, `[at, length, text, cursor]`, to keep a history of single letters small.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "(usize, usize, String, usize)")]
pub struct UndoStep {
    pub at: usize,
    pub length: usize,
    pub text: String,
    pub cursor: usize,
}

impl From<(usize, usize, String, usize)> for UndoStep {
    fn from((at, length, text, cursor): (usize, usize, String, usize)) -> Self {
        Self { at, length, text, cursor }
    }
}

impl Serialize for UndoStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.at, self.length, &self.text, self.cursor).serialize(serializer)
    }
}

impl UndoStep {
    /// The step from `newer` back to `older`, with the cursor as it was there.
    pub fn between(older: &str, cursor: usize, newer: &str) -> Self {
        let same = |(old, new): &(u8, u8)| old == new;
        // Equal bytes begin a character in both texts or in neither.
        let mut at = older.bytes().zip(newer.bytes()).take_while(same).count();
        while !older.is_char_boundary(at) {
            at -= 1;
        }
        let (old_rest, new_rest) = (rest(older, at), rest(newer, at));
        let backwards = old_rest.bytes().rev().zip(new_rest.bytes().rev());
        let mut end = old_rest.len() - backwards.take_while(same).count();
        while !old_rest.is_char_boundary(end) {
            end += 1;
        }
        let text = old_rest.get(..end).unwrap_or_default().to_owned();
        Self { at, length: (new_rest.len() + end) - old_rest.len(), text, cursor }
    }

    /// The text before this step; `None` if the step is not one of this text.
    pub fn applied_to(&self, newer: &str) -> Option<String> {
        let kept = newer.get(..self.at)?;
        let after = newer.get(self.at.checked_add(self.length)?..)?;
        Some([kept, &self.text, after].concat())
    }
}

fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_step_holds_only_what_differs() {
        let step = UndoStep::between("one two three", 7, "one three");
        assert_eq!(step, UndoStep { at: 5, length: 0, text: "wo t".into(), cursor: 7 });
        assert_eq!(serde_json::to_string(&step).unwrap(), r#"[5,0,"wo t",7]"#);
    }

    proptest! {
        #[test]
        fn a_step_leads_from_any_text_to_any_other(older in "[aéあ👨‍\n]{0,8}", newer in "[aéあ👨‍\n]{0,8}") {
            let step = UndoStep::between(&older, 0, &newer);
            prop_assert_eq!(step.applied_to(&newer), Some(older));
            let json = serde_json::to_string(&step).unwrap();
            prop_assert_eq!(serde_json::from_str::<UndoStep>(&json).unwrap(), step);
        }

        #[test]
        fn a_step_of_another_text_is_refused_or_harmless(text in ".{0,6}", at in 0_usize..9, length: usize) {
            let step = UndoStep { at, length, text: "x".into(), cursor: 3 };
            if let Some(older) = step.applied_to(&text) {
                prop_assert!(older.contains('x'));
            }
        }
    }
}
