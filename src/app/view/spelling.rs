//! Misspelt words in the message box. Visible words that are not checked yet are requested, and not marked until then.

use super::compose::ComposeView;
use crate::app::chat::composer::Composer;
use crate::app::state::{AppState, Focus};
use crate::model::spelling::{
    CheckedWord, SpellingChoice, SpellingRequest, SpellingTask, as_in_dictionaries, words_in,
};
use crate::model::{ChatRef, Draft};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The most words whose spelling is remembered. Beyond that, all are forgotten: a box shows far fewer.
const MAX_WORDS: usize = 4_000;
/// The most words that are ignored in a run.
const MAX_IGNORED: usize = 1_000;
/// Longer texts are not checked.
const MAX_TEXT: usize = 256 * 1024;

/// A misspelt word for which suggestions were requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubtfulWord {
    pub number: u64,
    pub chat: ChatRef,
    /// Where it begins in the box.
    pub from: usize,
    pub word: String,
}

/// What is known of the words in the message box.
#[derive(Default)]
pub struct Spelling {
    choice: SpellingChoice,
    /// Whether a word is right.
    words: HashMap<Box<str>, bool>,
    ignored: HashSet<Box<str>>,
    /// The words that were requested last, until the answer arrives.
    asked: Option<(u64, Vec<Box<str>>)>,
    last: u64,
    /// The user was told why a dictionary cannot be used.
    told: bool,
    pub doubtful: Option<DoubtfulWord>,
}

impl Spelling {
    fn request(&mut self, task: SpellingTask) -> SpellingRequest {
        self.last += 1;
        SpellingRequest { number: self.last, choice: self.choice.clone(), task }
    }

    /// Adopts the user's choice. Returns the request that follows from it.
    fn follow(&mut self, choice: &SpellingChoice) -> Option<SpellingRequest> {
        if self.choice == *choice {
            return None;
        }
        let was_on = !self.choice.languages.are_none();
        self.choice = choice.clone();
        self.words.clear();
        self.asked = None;
        self.doubtful = None;
        self.told = false;
        (was_on && choice.languages.are_none()).then(|| self.request(SpellingTask::Unload))
    }

    /// Marks the misspelt words of the box; returns the request that is needed.
    pub(super) fn mark(
        &mut self,
        app: &AppState,
        compose: &mut ComposeView,
    ) -> Option<SpellingRequest> {
        let ui = &app.prefs.choices.ui;
        if ui.spelling.are_none() && self.choice.languages.are_none() {
            return None;
        }
        let unload = self.follow(&ui.spelling_choice());
        if ui.spelling.are_none() {
            return unload;
        }
        let draft = &app.opened()?.composer.draft;
        let types = app.focus == Focus::Compose && !app.is_normal();
        let place = compose.places.first()?.start..compose.places.last()?.end;
        let (mut wrong, mut missing) = (Vec::new(), Vec::new());
        for word in checked_words(draft, &place) {
            if types && is_being_typed(draft, word.whole.end) {
                continue;
            }
            self.judge(&draft.text, &word, &mut wrong, &mut missing);
        }
        compose.mark(&draft.text, &wrong, app.prefs.reorders());
        // One request at a time, so that no queue builds up.
        if missing.is_empty() || self.asked.is_some() {
            return None;
        }
        if self.words.len() + missing.len() > MAX_WORDS {
            self.words.clear();
        }
        let task = SpellingTask::Check(missing.iter().map(ToString::to_string).collect());
        let request = self.request(task);
        self.asked = Some((request.number, missing));
        Some(request)
    }

    /// Adds the misspelt parts of a word to `wrong`, or the unknown ones to `missing`.
    fn judge(
        &self,
        text: &str,
        word: &CheckedWord,
        wrong: &mut Vec<Range<usize>>,
        missing: &mut Vec<Box<str>>,
    ) {
        let mut known = |place: &Range<usize>| {
            let key = key(text, place);
            let is_right = self.is_right(&key);
            if is_right.is_none() && !missing.contains(&key) {
                missing.push(key);
            }
            is_right.unwrap_or(true)
        };
        if known(&word.whole) {
            return;
        }
        if word.parts.is_empty() {
            wrong.push(word.whole.clone());
        }
        wrong.extend(word.parts.iter().filter(|part| !known(part)).cloned());
    }

    /// `None` while the word was not checked.
    fn is_right(&self, word: &str) -> Option<bool> {
        let is_long = word.chars().count() > SpellingTask::MAX_LETTERS;
        if is_long || self.ignored.contains(word) {
            return Some(true);
        }
        self.words.get(word).copied()
    }

    /// Keeps an answer: the words with these indices in the request are misspelt.
    pub fn checked(&mut self, number: u64, wrong: &[usize]) {
        let Some((_, words)) = self.asked.take_if(|(asked, _)| *asked == number) else { return };
        for (at, word) in words.into_iter().enumerate() {
            // Words that were learnt in the meantime stay right.
            self.words.entry(word).or_insert(!wrong.contains(&at));
        }
    }

    /// Why a dictionary cannot be used, if it was not reported yet.
    pub fn news<T>(&mut self, trouble: Option<T>) -> Option<T> {
        let trouble = trouble.filter(|_| !self.told);
        self.told |= trouble.is_some();
        trouble
    }

    /// The word that the user may want to correct: the one at the cursor unless it is right, else the nearest misspelt
    /// one, preferably before the cursor.
    pub fn doubtful_word(&self, composer: &Composer) -> Option<Range<usize>> {
        let draft = &composer.draft;
        let cursor = draft.cursor;
        let words = checked_words(draft, &(0..draft.text.len()));
        let is_there = |word: &CheckedWord| (word.whole.start..=word.whole.end).contains(&cursor);
        let (mut misspelt, mut asked) = (Vec::new(), Vec::new());
        for word in &words {
            let known = misspelt.len();
            asked.clear();
            self.judge(&draft.text, word, &mut misspelt, &mut asked);
            // The whole word is known to be right.
            let is_right = self.is_right(&key(&draft.text, &word.whole)) == Some(true);
            if is_there(word) && misspelt.len() == known && !is_right {
                return Some(word.whole.clone());
            }
        }
        let after = misspelt.iter().find(|word| word.end >= cursor);
        let at = misspelt.iter().find(|word| (word.start..=word.end).contains(&cursor));
        let before = misspelt.iter().rev().find(|word| word.end < cursor);
        at.or(before).or(after).cloned()
    }

    /// A request for suggestions.
    pub fn suggestions_for(&mut self, chat: ChatRef, from: usize, word: &str) -> SpellingRequest {
        let request = self.request(SpellingTask::Suggest(as_in_dictionaries(word)));
        let word = word.to_owned();
        self.doubtful = Some(DoubtfulWord { number: request.number, chat, from, word });
        request
    }

    /// The dictionaries have said that a word is right.
    pub fn is_right_after_all(&mut self, word: &str) {
        self.words.insert(as_in_dictionaries(word).into(), true);
    }

    /// Makes the word count as right, in this run and in later ones. Returns the request that stores it.
    pub fn learn(&mut self, word: &str) -> SpellingRequest {
        let word = as_in_dictionaries(word);
        self.words.insert(word.as_str().into(), true);
        self.request(SpellingTask::Learn(word))
    }

    /// Makes the word count as right in this run.
    pub fn ignore(&mut self, word: &str) {
        if self.ignored.len() >= MAX_IGNORED {
            self.ignored.clear();
        }
        self.ignored.insert(as_in_dictionaries(word).into());
    }
}

/// Whether a word that ends here is still being typed: the cursor is behind it, or behind its apostrophe or hyphen.
fn is_being_typed(draft: &Draft, end: usize) -> bool {
    let upto = draft.text.get(end..draft.cursor);
    upto.is_some_and(|upto| matches!(upto, "" | "'" | "\u{2019}" | "-"))
}

fn key(text: &str, place: &Range<usize>) -> Box<str> {
    as_in_dictionaries(text.get(place.clone()).unwrap_or_default()).into()
}

/// The words in a part of the box. Markup that is being edited in its source form is not checked.
fn checked_words(draft: &Draft, place: &Range<usize>) -> Vec<CheckedWord> {
    let source = draft.edit.as_ref().and_then(|edit| edit.source.as_deref());
    if draft.text.len() > MAX_TEXT || source.is_some_and(|kind| kind != "Text") {
        return Vec::new();
    }
    words_in(&draft.text, place)
}
