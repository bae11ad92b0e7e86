//! Spell check: what the user chose, what is asked of the dictionaries, and what they answer. The work is done
//! elsewhere, because a dictionary takes a while to load.

mod words;

pub use words::{CheckedWord, words_in};

use super::text::SafeText;
use serde::{Deserialize, Serialize};

/// The language of the environment.
const AUTO: &str = "auto";

/// The languages that are checked, such as `en_GB`; none while spell check is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpellingLanguages(Vec<String>);

impl SpellingLanguages {
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The languages as the user named them.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether a name stands for the language of the environment.
    pub fn is_auto(name: &str) -> bool {
        name == AUTO
    }
}

impl TryFrom<String> for SpellingLanguages {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        if matches!(names.as_slice(), [only] if only == "off") {
            return Ok(Self::default());
        }
        // A name becomes part of a file's name.
        let is_name = |name: &String| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        match names.iter().find(|name| !is_name(name)) {
            Some(name) => Err(format!(
                "\"{name}\" is not a language; write \"en_GB\", \"en_US, de_DE\", \"auto\" or \"\""
            )),
            None => Ok(Self(names)),
        }
    }
}

impl From<SpellingLanguages> for String {
    fn from(languages: SpellingLanguages) -> Self {
        languages.0.join(", ")
    }
}

/// What decides which dictionaries are used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpellingChoice {
    pub languages: SpellingLanguages,
    /// A folder that is looked in before the usual ones; empty for none.
    pub folder: String,
}

/// Something that is asked of the dictionaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpellingRequest {
    /// Identifies the request in this run. The answer has this number and no words, because words are different in a
    /// recording whose text was made unreadable.
    pub number: u64,
    pub choice: SpellingChoice,
    pub task: SpellingTask,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpellingTask {
    /// Which of these words are misspelt.
    Check(Vec<String>),
    /// What could be meant by this word.
    Suggest(String),
    /// The word is correct from now on, in every run.
    Learn(String),
    /// Spell check is off: frees the dictionaries.
    Unload,
}

impl SpellingTask {
    /// Longer words are taken to be correct.
    pub const MAX_LETTERS: usize = 64;
    /// For longer words nothing is suggested: it takes too long.
    pub const MAX_TO_SUGGEST: usize = 24;
    /// The maximum number of words that are suggested. With the two other choices, all are in sight at once.
    pub const MAX_SUGGESTED: usize = 6;
}

/// What the dictionaries answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpellingAnswer {
    /// Which of the words are misspelt, by their place in the request.
    Checked {
        number: u64,
        wrong: Vec<usize>,
        /// What keeps a dictionary from being used.
        trouble: Option<SafeText>,
    },
    Suggested {
        number: u64,
        /// The word is not misspelt.
        is_right: bool,
        words: Vec<SafeText>,
        trouble: Option<SafeText>,
    },
    /// A word could not be added to the user's list.
    NotAdded { why: SafeText },
}

/// A word as dictionaries have it.
pub fn as_in_dictionaries(word: &str) -> String {
    word.replace('\u{2019}', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_names_and_never_paths() {
        let parse = |text: &str| SpellingLanguages::try_from(text.to_owned());
        let written = |text: &str| parse(text).map(String::from);
        assert_eq!(written(" en_US,de_DE ,"), Ok("en_US, de_DE".into()));
        assert_eq!(written("off"), Ok(String::new()));
        assert!(parse("").unwrap().are_none());
        for text in ["../en", "en/GB", "/usr/share", ".", "en GB", "en_GB, \u{1b}[m"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
