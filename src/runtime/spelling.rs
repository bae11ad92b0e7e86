//! Checks words on a separate thread. Dictionaries are loaded when the first words arrive, and freed when spell
//! checking is turned off.

pub mod dictionaries;

use crate::app::effect::Outcome;
use crate::model::SafeText;
use crate::model::spelling::{SpellingAnswer, SpellingChoice, SpellingRequest, SpellingTask};
use dictionaries::{DictionaryTrouble, LoadedDictionary, Places, load_all};
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Dictionaries are asked for suggestions one after the other until this time is up.
const MAX_TIME: Duration = Duration::from_secs(1);
/// At most this much of the user's word list is read.
const MAX_OWN_BYTES: u64 = 1024 * 1024;

/// Finds misspelt words.
#[derive(Clone)]
pub struct SpellChecker {
    /// The file of the user's own words, one per line.
    own_words: PathBuf,
    loaded: Arc<Mutex<Option<Loaded>>>,
    /// Suggestions are searched for one word at a time.
    turn: Arc<Mutex<()>>,
    /// The number of the last request for suggestions: earlier ones no longer need an answer.
    last: Arc<AtomicU64>,
}

struct Loaded {
    choice: SpellingChoice,
    dictionaries: Arc<Vec<LoadedDictionary>>,
    own: HashSet<String>,
    trouble: Option<SafeText>,
}

impl Loaded {
    fn new(choice: &SpellingChoice, own_words: &PathBuf) -> Self {
        let (dictionaries, troubles) = load_all(choice, &Places::of_environment(&choice.folder));
        let trouble = (!troubles.is_empty()).then(|| {
            let texts: Vec<String> = troubles.iter().map(DictionaryTrouble::brief).collect();
            SafeText::line(&texts.join(" · "))
        });
        let own = read_own(own_words);
        Self { choice: choice.clone(), dictionaries: Arc::new(dictionaries), own, trouble }
    }

    /// Whether a word is right, or in a script that no dictionary has.
    fn is_right(&self, word: &str) -> bool {
        let mut can_tell = false;
        for dictionary in self.dictionaries.iter().filter(|d| d.has_letters_of(word)) {
            can_tell = true;
            if dictionary.knows(word) {
                return true;
            }
        }
        !can_tell || self.own.contains(word) || self.own.contains(&word.to_lowercase())
    }
}

impl SpellChecker {
    pub fn new(own_words: PathBuf) -> Self {
        Self { own_words, loaded: Arc::default(), turn: Arc::default(), last: Arc::default() }
    }

    /// Carries out a request in the background. The answer arrives as an outcome.
    pub fn start(&self, request: SpellingRequest, outcomes: &mpsc::Sender<Outcome>) {
        if matches!(request.task, SpellingTask::Suggest(_)) {
            self.last.store(request.number, Ordering::Relaxed);
        }
        let (checker, outcomes) = (self.clone(), outcomes.clone());
        // Not a thread of the runtime, which would wait for it at the end of the program.
        let thread = std::thread::Builder::new().name("spelling".to_owned());
        let started = thread.spawn(move || {
            let failed = failure(&request);
            // A panic in a dictionary must not leave the words unanswered for the rest of the run.
            let answered = catch_unwind(AssertUnwindSafe(|| checker.answer(request)));
            if let Some(answer) = answered.unwrap_or(failed) {
                let _ = outcomes.blocking_send(Outcome::Spelling(answer));
            }
        });
        if let Err(error) = started {
            tracing::warn!(%error, "spelling cannot be checked");
        }
    }

    fn answer(&self, request: SpellingRequest) -> Option<SpellingAnswer> {
        let SpellingRequest { number, choice, task } = request;
        match task {
            SpellingTask::Check(words) => self.with_loaded(&choice, |loaded| {
                let wrong = words.iter().enumerate().filter(|(_, word)| !loaded.is_right(word));
                let wrong = wrong.map(|(at, _)| at).collect();
                Some(SpellingAnswer::Checked { number, wrong, trouble: loaded.trouble.clone() })
            }),
            SpellingTask::Suggest(word) => self.suggest(number, &choice, &word),
            SpellingTask::Learn(word) => {
                self.with_loaded(&choice, |loaded| loaded.own.insert(word.clone()));
                let error = self.write_own(&word).err()?;
                let text = format!("{}: {error}", self.own_words.display());
                Some(SpellingAnswer::NotAdded { why: SafeText::line(&text) })
            }
            SpellingTask::Unload => {
                *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = None;
                None
            }
        }
    }

    /// Runs `work` with the dictionaries of a choice, which are loaded first if necessary.
    fn with_loaded<T>(&self, choice: &SpellingChoice, work: impl FnOnce(&mut Loaded) -> T) -> T {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // The dictionaries of another choice are freed before new ones are read.
        let fitting = loaded.take().filter(|loaded| loaded.choice == *choice);
        let mut now = fitting.unwrap_or_else(|| Loaded::new(choice, &self.own_words));
        let result = work(&mut now);
        *loaded = Some(now);
        result
    }

    fn suggest(&self, number: u64, choice: &SpellingChoice, word: &str) -> Option<SpellingAnswer> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.last.load(Ordering::Relaxed) != number {
            return None;
        }
        // Searching for suggestions takes a while; checking can continue in the meantime.
        let (is_right, dictionaries, trouble) = self.with_loaded(choice, |loaded| {
            (loaded.is_right(word), loaded.dictionaries.clone(), loaded.trouble.clone())
        });
        let mut words: Vec<SafeText> = Vec::new();
        if !is_right && word.chars().count() <= SpellingTask::MAX_TO_SUGGEST {
            words = suggestions(&dictionaries, word, Instant::now() + MAX_TIME);
        }
        Some(SpellingAnswer::Suggested { number, is_right, words, trouble })
    }

    fn write_own(&self, word: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true).mode(0o600);
        let mut file = options.open(&self.own_words)?;
        // A list that was edited by hand may lack its last line break.
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(-1)).is_ok() {
            file.read_exact(&mut last)?;
        }
        let before = if last == [b'\n'] { "" } else { "\n" };
        file.write_all(format!("{before}{word}\n").as_bytes())
    }
}

/// The answer to a request during which a dictionary panicked.
fn failure(request: &SpellingRequest) -> Option<SpellingAnswer> {
    let number = request.number;
    let trouble = Some("A dictionary cannot be used: reading it failed".into());
    match request.task {
        SpellingTask::Check(_) => {
            Some(SpellingAnswer::Checked { number, wrong: Vec::new(), trouble })
        }
        SpellingTask::Suggest(_) => {
            let words = Vec::new();
            Some(SpellingAnswer::Suggested { number, is_right: false, words, trouble })
        }
        SpellingTask::Learn(_) | SpellingTask::Unload => None,
    }
}

/// The suggestions of the dictionaries, alternating: with several languages, the best of each come first.
fn suggestions(dictionaries: &[LoadedDictionary], word: &str, until: Instant) -> Vec<SafeText> {
    let mut lists = Vec::new();
    for dictionary in dictionaries.iter().filter(|d| d.has_letters_of(word)) {
        if Instant::now() < until {
            lists.push(dictionary.suggest(word));
        }
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut words: Vec<SafeText> = Vec::new();
    for at in 0..longest {
        for text in lists.iter().filter_map(|list| list.get(at)) {
            let text = SafeText::line(text);
            if words.len() < SpellingTask::MAX_SUGGESTED
                && !text.is_empty()
                && !words.contains(&text)
            {
                words.push(text);
            }
        }
    }
    words
}

fn read_own(file: &PathBuf) -> HashSet<String> {
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(file) {
        // A list that cannot be read is treated as empty.
        let _ = file.take(MAX_OWN_BYTES).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests;
