//! The spell checker, with its own tiny dictionaries.

use super::*;
use crate::model::spelling::SpellingLanguages;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const AFF: &str = "SET UTF-8\nTRY esianrtolcdugmphbyfvkwz\nSFX S Y 1\nSFX S 0 s .\n";
const DIC: &str = "5\nthe\nword/S\ndon't\ncafé\nreceive\n";

fn write(dir: &Path, name: &str, aff: impl AsRef<[u8]>, dic: impl AsRef<[u8]>) {
    std::fs::write(dir.join(format!("{name}.aff")), aff).unwrap();
    std::fs::write(dir.join(format!("{name}.dic")), dic).unwrap();
}

fn choice(dir: &Path, languages: &str) -> SpellingChoice {
    SpellingChoice {
        languages: SpellingLanguages::try_from(languages.to_owned()).unwrap(),
        folder: dir.display().to_string(),
    }
}

/// The words that are misspelt, and why a dictionary cannot be used.
fn checked(
    checker: &SpellChecker,
    choice: &SpellingChoice,
    words: &[&str],
) -> (Vec<String>, Option<String>) {
    let task = SpellingTask::Check(words.iter().map(|word| (*word).to_owned()).collect());
    let answer = checker.answer(SpellingRequest { number: 7, choice: choice.clone(), task });
    let Some(SpellingAnswer::Checked { number: 7, wrong, trouble }) = answer else {
        panic!("{answer:?}");
    };
    let wrong = wrong.into_iter().map(|at| words[at].to_owned()).collect();
    (wrong, trouble.map(|trouble| trouble.to_string()))
}

fn suggested(checker: &SpellChecker, choice: &SpellingChoice, word: &str) -> (bool, Vec<String>) {
    checker.last.store(3, Ordering::Relaxed);
    let task = SpellingTask::Suggest(word.to_owned());
    let answer = checker.answer(SpellingRequest { number: 3, choice: choice.clone(), task });
    let Some(SpellingAnswer::Suggested { number: 3, is_right, words, .. }) = answer else {
        panic!("{answer:?}");
    };
    (is_right, words.iter().map(SafeText::to_string).collect())
}

#[test]
fn nothing_is_loaded_before_the_first_word_and_nothing_is_kept_after_spell_check_is_off() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    let checker = SpellChecker::new(dir.path().join("words.txt"));
    assert!(checker.loaded.lock().unwrap().is_none());
    let english = choice(dir.path(), "en_GB");
    let words = ["The", "words", "teh", "don't", "café", "cafe"];
    assert_eq!(checked(&checker, &english, &words), (vec!["teh".into(), "cafe".into()], None));
    assert!(checker.loaded.lock().unwrap().is_some());
    let task = SpellingTask::Unload;
    checker.answer(SpellingRequest { number: 8, choice: SpellingChoice::default(), task });
    assert!(checker.loaded.lock().unwrap().is_none());
}

#[test]
fn a_word_that_one_of_several_languages_knows_is_right() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    write(dir.path(), "de_DE", "SET UTF-8\n", "1\nWort\n");
    let checker = SpellChecker::new(dir.path().join("words.txt"));
    let words = ["word", "Wort", "Wrot"];
    let both = choice(dir.path(), "en_GB, de_DE");
    assert_eq!(checked(&checker, &both, &words).0, ["Wrot"]);
    // The current choice counts, not what was loaded before.
    assert_eq!(checked(&checker, &choice(dir.path(), "de_DE"), &words).0, ["word", "Wrot"]);
}

#[test]
fn words_in_letters_that_no_dictionary_has_are_not_misspelt() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    let checker = SpellChecker::new(dir.path().join("words.txt"));
    let words = ["мир", "שלום", "naïve"];
    assert_eq!(checked(&checker, &choice(dir.path(), "en_GB"), &words).0, ["naïve"]);
}

#[test]
fn dictionaries_in_other_encodings_are_read_and_unknown_ones_are_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "fr", "SET ISO8859-1\n", b"2\ncaf\xe9\n\xe9t\xe9\n");
    write(dir.path(), "pl", "# rules\nSET ISO8859-2\r\n", b"1\n\xbfaba\n");
    write(dir.path(), "ru", "SET KOI8-R\n", b"1\n\xcd\xc9\xd2\n");
    write(dir.path(), "old", "TRY a\n", b"1\ncaf\xe9\n");
    write(dir.path(), "xx", "SET EBCDIC-9\n", b"1\na\n");
    let checker = SpellChecker::new(dir.path().join("words.txt"));
    let wrong =
        |language: &str, words: &[&str]| checked(&checker, &choice(dir.path(), language), words);
    assert_eq!(wrong("fr", &["café", "été", "cafe"]), (vec!["cafe".into()], None));
    assert_eq!(wrong("pl", &["żaba", "zaba"]), (vec!["zaba".into()], None));
    assert_eq!(wrong("ru", &["мир", "мыр"]), (vec!["мыр".into()], None));
    assert_eq!(wrong("old", &["café", "cafe"]), (vec!["cafe".into()], None));
    let (none, trouble) = wrong("xx", &["cafe"]);
    assert_eq!(none, Vec::<String>::new());
    let trouble = trouble.unwrap();
    assert!(trouble.contains("xx.aff") && trouble.contains("\"ebcdic-9\""), "{trouble}");
}

#[test]
fn a_missing_dictionary_and_a_broken_one_are_said_and_the_others_work() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    write(dir.path(), "bad", "SET UTF-8\nSFX S Y many\n", DIC);
    let checker = SpellChecker::new(dir.path().join("words.txt"));
    let (wrong, trouble) = checked(&checker, &choice(dir.path(), "en_GB, xx_YY"), &["teh"]);
    assert_eq!(wrong, ["teh"]);
    let trouble = trouble.unwrap();
    assert!(trouble.contains("xx_YY.dic"), "{trouble}");
    assert!(trouble.contains(&dir.path().display().to_string()), "{trouble}");
    let (wrong, trouble) = checked(&checker, &choice(dir.path(), "bad"), &["teh"]);
    assert_eq!(wrong, Vec::<String>::new());
    let trouble = trouble.unwrap();
    assert!(trouble.contains("bad.aff") && trouble.contains("line 2"), "{trouble}");
}

#[test]
fn the_folders_and_the_language_of_the_environment_are_used() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    write(dir.path(), "fr", AFF, DIC);
    let places = |language: Option<&str>| dictionaries::Places {
        folders: vec![dir.path().join("nowhere"), dir.path().to_owned()],
        language: language.map(str::to_owned),
    };
    let names = |languages: &str, language: Option<&str>| -> Vec<Result<String, _>> {
        let choice = choice(dir.path(), languages);
        let files = dictionaries::files(&choice, &places(language));
        let name = |(_, dic): (PathBuf, PathBuf)| dic.file_stem().unwrap().to_str().unwrap().into();
        files.into_iter().map(|found| found.map(name)).collect()
    };
    let found = |name: &str| vec![Ok(name.to_owned())];
    assert_eq!(names("en_GB", None), found("en_GB"));
    assert_eq!(names("en-GB", None), found("en_GB"));
    assert_eq!(names("en", None), found("en_GB"));
    assert_eq!(names("auto", Some("en_GB")), found("en_GB"));
    assert_eq!(names("auto", Some("fr_FR")), found("fr"));
    assert_eq!(names("auto, fr", Some("fr_FR")), found("fr"), "each dictionary once");
    assert_eq!(names("auto", None), [Err(dictionaries::DictionaryTrouble::NoLanguage)]);
    let missing = names("en_US", Some("en_GB")).remove(0).unwrap_err();
    let text = missing.full();
    assert!(text.contains("en_US.dic") && text.contains("nowhere, "), "{text}");
}

#[test]
fn suggestions_are_few_clean_and_none_for_a_right_or_a_very_long_word() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    write(
        dir.path(),
        "odd",
        "SET UTF-8\nREP 1\nREP teh t\u{1b}[31m\u{202e}he\n",
        "1\nt\u{1b}[31m\u{202e}he\n",
    );
    let checker = SpellChecker::new(dir.path().join("words.txt"));
    let english = choice(dir.path(), "en_GB");
    assert_eq!(suggested(&checker, &english, "teh"), (false, vec!["the".into()]));
    assert_eq!(suggested(&checker, &english, "recieve"), (false, vec!["receive".into()]));
    assert_eq!(suggested(&checker, &english, "words"), (true, Vec::new()));
    let long = "x".repeat(SpellingTask::MAX_TO_SUGGEST + 1);
    assert_eq!(suggested(&checker, &english, &long), (false, Vec::new()));
    for word in suggested(&checker, &choice(dir.path(), "odd"), "teh").1 {
        assert!(!word.contains(['\u{1b}', '\u{202e}']), "{word:?}");
    }
    // A request that was followed by another one needs no answer.
    let task = SpellingTask::Suggest("teh".into());
    checker.last.store(5, Ordering::Relaxed);
    assert_eq!(checker.answer(SpellingRequest { number: 4, choice: english, task }), None);
}

#[test]
fn a_learnt_word_is_right_at_once_and_in_the_next_run_and_the_list_is_private() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "en_GB", AFF, DIC);
    let own_words = dir.path().join("words.txt");
    let checker = SpellChecker::new(own_words.clone());
    let english = choice(dir.path(), "en_GB");
    let learn = |checker: &SpellChecker, word: &str| {
        let task = SpellingTask::Learn(word.to_owned());
        checker.answer(SpellingRequest { number: 1, choice: english.clone(), task })
    };
    assert_eq!(checked(&checker, &english, &["frobnicate"]).0, ["frobnicate"]);
    assert_eq!(learn(&checker, "frobnicate"), None);
    assert_eq!(learn(&checker, "Zürich"), None);
    let words = ["frobnicate", "Frobnicate", "Zürich", "frob"];
    assert_eq!(checked(&checker, &english, &words).0, ["frob"]);
    assert_eq!(checked(&SpellChecker::new(own_words.clone()), &english, &words).0, ["frob"]);
    assert_eq!(std::fs::read_to_string(&own_words).unwrap(), "frobnicate\nZürich\n");
    assert_eq!(std::fs::metadata(&own_words).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&own_words, "edited").unwrap();
    assert_eq!(learn(&checker, "byhand"), None);
    assert_eq!(std::fs::read_to_string(&own_words).unwrap(), "edited\nbyhand\n");
    let nowhere = SpellChecker::new(dir.path().join("gone/words.txt"));
    let Some(SpellingAnswer::NotAdded { why }) = learn(&nowhere, "frob") else { panic!() };
    assert!(why.contains("gone/words.txt"), "{why}");
}

#[test]
fn a_request_during_which_a_dictionary_panics_is_answered() {
    let request = |task| SpellingRequest { number: 4, choice: SpellingChoice::default(), task };
    let check = failure(&request(SpellingTask::Check(vec!["word".into()])));
    let Some(SpellingAnswer::Checked { number: 4, wrong, trouble: Some(_) }) = check else {
        panic!("{check:?}");
    };
    assert_eq!(wrong, [0usize; 0]);
    let suggest = failure(&request(SpellingTask::Suggest("wrod".into())));
    assert!(matches!(suggest, Some(SpellingAnswer::Suggested { number: 4, .. })), "{suggest:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever a dictionary contains, it is either read or refused with an error that names the file.
    #[test]
    fn any_files_are_read_or_refused(aff in "(SET|SFX|PFX|REP|FLAG|TRY|COMPOUNDRULE|AF|[A-Za-z0-9 /.]){0,12}(\\n[A-Z0-9 a-z]{0,9}){0,6}", dic in "[0-9a-z/\\n ]{0,40}") {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "any", &aff, &dic);
        let loaded = dictionaries::load(&dir.path().join("any.aff"), &dir.path().join("any.dic"));
        match loaded {
            Ok(loaded) => prop_assert!(!loaded.knows("word") || loaded.suggest("wrod").len() < 100),
            Err(trouble) => prop_assert!(trouble.full().contains("any.")),
        }
    }
}
