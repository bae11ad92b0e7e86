//! Misspelt words in the message box, and how they are corrected.

use crate::app::Input;
use crate::app::effect::{Effect, Outcome};
use crate::fixture::{App, chat, rows_of};
use crate::model::SafeText;
use crate::model::spelling::{SpellingAnswer, SpellingLanguages, SpellingRequest, SpellingTask};
use crate::ui::{ColorDepth, Screen, Theme};
use ratatui::style::{Color, Modifier};

const RIGHT: [&str; 12] = [
    "see", "the", "word", "well", "known", "and", "it's", "please", "now", "hello", "good", "שלום",
];

fn checking() -> App {
    let english = SpellingLanguages::try_from("en_GB".to_owned()).unwrap();
    App::with_prefs(|prefs| prefs.choices.ui.spelling = english).with_group("Team").opened()
}

fn asked(app: &mut App) -> Vec<SpellingRequest> {
    let asked = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::Spelling(request) => Some(request),
        _ => None,
    });
    asked.collect()
}

fn answer(app: &mut App, answer: SpellingAnswer) {
    app.input(Input::Outcome(Outcome::Spelling(answer)));
}

/// Answers like a dictionary with few words; returns the words that were to be checked.
fn check(app: &mut App) -> Vec<String> {
    let mut all = Vec::new();
    app.layout();
    while let Some(SpellingRequest { number, task: SpellingTask::Check(words), .. }) =
        asked(app).pop()
    {
        let is_wrong = |word: &String| !RIGHT.contains(&word.to_lowercase().as_str());
        let wrong = words.iter().enumerate().filter(|(_, word)| is_wrong(word));
        let wrong = wrong.map(|(at, _)| at).collect();
        all.extend(words);
        answer(app, SpellingAnswer::Checked { number, wrong, trouble: None });
        app.layout();
    }
    all
}

/// Asks for suggestions and answers with these.
fn suggest(app: &mut App, word: &str, words: &[&str]) {
    app.press("alt-c");
    let Some(SpellingRequest { number, task: SpellingTask::Suggest(asked_for), .. }) =
        asked(app).pop()
    else {
        panic!("nothing was asked");
    };
    assert_eq!(asked_for, word);
    let words = words.iter().map(|word| SafeText::line(word)).collect();
    answer(app, SpellingAnswer::Suggested { number, is_right: false, words, trouble: None });
}

fn in_box(app: &App) -> &str {
    app.open_chat().composer.text()
}

/// The rows of the message box, each with a row below it in which `~` stands for underlined cells.
fn picture(app: &mut App) -> String {
    let buffer = app.buffer();
    let rows = rows_of(&buffer);
    let area = app.model.view.visible.layout.and_then(|layout| layout.compose).unwrap();
    let mut out = String::new();
    for y in area.y..area.y + area.height {
        let is_underlined = |x: u16| buffer[(x, y)].modifier.contains(Modifier::UNDERLINED);
        let marks: String =
            (0..buffer.area.width).map(|x| if is_underlined(x) { '~' } else { ' ' }).collect();
        out.push_str(&format!("{}\n{}\n", rows[usize::from(y)], marks.trim_end()));
    }
    out
}

#[test]
fn misspelt_words_are_underlined_but_not_the_one_that_is_being_typed() {
    let mut app = checking();
    app.type_text("see teh word wel");
    check(&mut app);
    insta::assert_snapshot!(picture(&mut app), @"
     To Team › see teh word wel
                   ~~~
    ");
    app.type_text(" now");
    check(&mut app);
    insta::assert_snapshot!(picture(&mut app), @"
     To Team › see teh word wel now
                   ~~~      ~~~
    ");
    // With the cursor away from its end, the word is not being typed.
    app.press("backspace backspace backspace backspace left");
    check(&mut app);
    insta::assert_snapshot!(picture(&mut app), @"
     To Team › see teh word wel
                   ~~~      ~~~
    ");
}

#[test]
fn nothing_is_asked_and_nothing_is_marked_while_spell_check_is_off() {
    let mut app = chat("Team").opened();
    app.type_text("see teh word ");
    assert_eq!(asked(&mut app), []);
    assert!(!picture(&mut app).contains('~'));
    app.press("alt-c");
    assert_eq!(asked(&mut app), []);
    app.expect("Spell check is off: F10");
}

#[test]
fn a_word_is_asked_for_once_and_one_request_at_a_time() {
    let mut app = checking();
    app.type_text("see teh ");
    let first = asked(&mut app);
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0].task, SpellingTask::Check(vec!["see".into()]));
    let number = first[0].number;
    answer(&mut app, SpellingAnswer::Checked { number, wrong: Vec::new(), trouble: None });
    assert_eq!(check(&mut app), ["teh"]);
    app.type_text("teh see ");
    assert_eq!(check(&mut app), Vec::<String>::new());
    // An answer that is not waited for changes nothing.
    answer(&mut app, SpellingAnswer::Checked { number: 99, wrong: vec![0], trouble: None });
    assert_eq!(picture(&mut app).matches("~~~").count(), 2);
}

#[test]
fn a_paste_of_ten_thousand_words_asks_for_what_is_in_sight() {
    let mut app = checking();
    app.paste(&"see teh wrod ".repeat(3_334));
    app.press("y");
    let asked = check(&mut app);
    assert_eq!(asked.len(), 3, "{asked:?}");
    let letter = |n: u32| char::from(b'a' + u8::try_from(n % 26).unwrap());
    let word = |n: u32| ['x', letter(n), letter(n / 26), letter(n / 676), ' '];
    let distinct: String = (0..10_000).flat_map(word).collect();
    app.press("ctrl-u ctrl-u");
    app.paste(&distinct);
    app.press("y");
    let asked = check(&mut app);
    assert!((1..400).contains(&asked.len()), "{}", asked.len());
}

#[test]
fn words_are_underlined_with_every_number_of_colours_and_never_in_reverse() {
    for depth in [ColorDepth::None, ColorDepth::Sixteen, ColorDepth::Indexed, ColorDepth::True] {
        let mut app = checking();
        app.type_text("teh ");
        check(&mut app);
        let theme = Theme::new(include_str!("../../../assets/theme.toml"), depth, false).unwrap();
        let mut screen = Screen::default();
        let buffer = screen.paint(&app.model, &theme).cells;
        let area = app.model.view.visible.layout.and_then(|layout| layout.compose).unwrap();
        let cell = &buffer[(area.x + 11, area.y)];
        assert_eq!(cell.symbol(), "t", "{depth:?}");
        assert_eq!((cell.modifier, cell.fg), (Modifier::UNDERLINED, Color::Reset), "{depth:?}");
    }
}

#[test]
fn marks_stand_below_their_words_in_wrapped_wide_and_right_to_left_text() {
    let mut app = checking().sized(40, 12);
    app.type_text("日本 teh שלום wrod שלןם well-konwn abcdefghijklmnopqrstuvwxyz and ");
    check(&mut app);
    insta::assert_snapshot!(picture(&mut app), @"
     To Team › 日 本  teh םולש wrod םןלש
                    ~~~      ~~~~ ~~~~
               well-konwn
                    ~~~~~
               abcdefghijklmnopqrstuvwxyz
               ~~~~~~~~~~~~~~~~~~~~~~~~~~
               and
    ");
}

#[test]
fn the_key_offers_words_of_which_enter_takes_one_and_undo_gives_the_old_one_back() {
    let mut app = checking();
    app.type_text("see teh word ");
    check(&mut app);
    suggest(&mut app, "teh", &["the", "tea"]);
    let screen = app.screen();
    for text in ["Spelling", "the", "tea", "Add to dictionary", "Ignore for now"] {
        assert!(screen.contains(text), "{text}\n{screen}");
    }
    app.press("down enter");
    assert_eq!(in_box(&app), "see tea word ");
    app.press("alt-z");
    assert_eq!(in_box(&app), "see teh word ");
    app.expect_none("Ignore for now");
    suggest(&mut app, "teh", &["the", "tea"]);
    app.press("esc");
    app.expect_none("Ignore for now");
    assert_eq!(in_box(&app), "see teh word ");
    suggest(&mut app, "teh", &["the", "tea"]);
    app.press("tab");
    assert_eq!(in_box(&app), "see the word ");
    // Pressing Tab again goes through them.
    app.press("tab");
    assert_eq!(in_box(&app), "see tea word ");
    app.press("tab");
    assert_eq!(in_box(&app), "see the word ");
}

#[test]
fn the_word_at_the_cursor_comes_first_then_the_nearest_before_it() {
    let mut app = checking();
    app.type_text("teh word wrod and konwn");
    check(&mut app);
    suggest(&mut app, "konwn", &["known"]);
    app.press("enter");
    assert_eq!(in_box(&app), "teh word wrod and known");
    check(&mut app);
    app.type_text(" ");
    check(&mut app);
    suggest(&mut app, "wrod", &["word"]);
    app.press("enter");
    assert_eq!(in_box(&app), "teh word word and known ");
    suggest(&mut app, "teh", &["the"]);
    app.press("enter");
    assert_eq!(in_box(&app), "the word word and known ");
    app.press("end");
    check(&mut app);
    app.press("alt-c");
    assert_eq!(asked(&mut app), []);
    app.expect("There is no misspelt word in the box");
}

#[test]
fn suggestions_that_come_after_the_user_has_gone_on_are_dropped() {
    let mut app = checking();
    app.type_text("teh");
    app.press("alt-c");
    let request = asked(&mut app).pop().unwrap();
    app.press("enter");
    let words = vec![SafeText::line("the")];
    let late =
        SpellingAnswer::Suggested { number: request.number, is_right: false, words, trouble: None };
    answer(&mut app, late);
    app.expect_none("Ignore for now");
    app.type_text("well");
    app.press("alt-c");
    let request = asked(&mut app).pop().unwrap();
    let right = SpellingAnswer::Suggested {
        number: request.number,
        is_right: true,
        words: Vec::new(),
        trouble: None,
    };
    answer(&mut app, right);
    app.expect("There is no misspelt word in the box");
}

#[test]
fn where_the_word_at_the_cursor_is_right_the_nearest_misspelt_one_is_meant() {
    let mut app = checking();
    app.type_text("see teh word");
    check(&mut app);
    app.press("alt-c");
    let request = asked(&mut app).pop().unwrap();
    assert_eq!(request.task, SpellingTask::Suggest("word".into()));
    let (number, words) = (request.number, Vec::new());
    answer(&mut app, SpellingAnswer::Suggested { number, is_right: true, words, trouble: None });
    let request = asked(&mut app).pop().unwrap();
    assert_eq!(request.task, SpellingTask::Suggest("teh".into()));
}

#[test]
fn learnt_and_ignored_words_are_right_and_the_text_stays() {
    let mut app = checking();
    app.type_text("teh wrod ");
    check(&mut app);
    suggest(&mut app, "wrod", &[]);
    app.press("enter");
    let learnt = asked(&mut app).pop().unwrap();
    assert_eq!(learnt.task, SpellingTask::Learn("wrod".into()));
    app.expect("\"wrod\" is in your dictionary now");
    suggest(&mut app, "teh", &["the"]);
    app.press("up enter");
    assert_eq!(asked(&mut app), []);
    assert_eq!(in_box(&app), "teh wrod ");
    assert!(!picture(&mut app).contains('~'));
    answer(&mut app, SpellingAnswer::NotAdded { why: "words.txt: no space".into() });
    app.expect("The word is accepted only until skchat ends: words.txt: no space");
}

#[test]
fn a_suggestion_keeps_the_apostrophe_that_was_typed() {
    let mut app = checking();
    app.type_text("dno’t ");
    assert_eq!(check(&mut app), ["dno't"]);
    suggest(&mut app, "dno't", &["don't"]);
    app.press("enter");
    assert_eq!(in_box(&app), "don’t ");
}

#[test]
fn a_dictionary_that_is_missing_is_said_once_and_again_after_another_choice() {
    let mut app = checking();
    let trouble = || Some(SafeText::line("No dictionary en_GB.dic in /usr/share/hunspell"));
    let say = |app: &mut App| {
        app.layout();
        let number = asked(app).pop().unwrap().number;
        answer(app, SpellingAnswer::Checked { number, wrong: Vec::new(), trouble: trouble() });
    };
    app.type_text("teh ");
    say(&mut app);
    app.expect("No dictionary en_GB.dic");
    app.press("esc");
    app.model.app.notes.clear();
    app.type_text("wrod ");
    say(&mut app);
    app.expect_none("No dictionary en_GB.dic");
    app.model.app.prefs.choices.ui.spelling =
        SpellingLanguages::try_from("en_US".to_owned()).unwrap();
    say(&mut app);
    app.expect("No dictionary en_GB.dic");
    // Without languages the dictionaries are freed, once.
    app.model.app.prefs.choices.ui.spelling = SpellingLanguages::default();
    app.layout();
    let tasks: Vec<SpellingTask> = asked(&mut app).into_iter().map(|r| r.task).collect();
    assert_eq!(tasks, [SpellingTask::Unload]);
    app.type_text("konwn ");
    assert_eq!(asked(&mut app), []);
}

#[test]
fn markup_that_is_edited_as_it_is_is_not_checked() {
    let mut app = checking();
    app.model.app.with_open(|chat, _| {
        let kind = Some("RichText/Html".into());
        chat.composer.begin_edit("1".into(), "<b>teh</b> wrod", None, kind);
    });
    assert_eq!(check(&mut app), Vec::<String>::new());
}
