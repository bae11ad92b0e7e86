//! Correcting misspelt words of the message box.

use crate::app::action::{Action, AppAction};
use crate::app::chat::suggestions::{Suggestions, WithWord};
use crate::app::chat::{completion, sending};
use crate::app::effect::Effect;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::model::Model;
use crate::app::view::spelling::DoubtfulWord;
use crate::model::SafeText;
use crate::model::spelling::SpellingAnswer;

/// Asks for suggestions for the misspelt word at the cursor, or the nearest one.
pub fn respell(model: &mut Model) {
    if model.app.prefs.choices.ui.spelling.are_none() {
        let name = Action::name_of(&Action::App(AppAction::Preferences)).unwrap_or_default();
        let key = model.app.prefs.keymap.entry(name).map(KeymapEntry::key).unwrap_or_default();
        model
            .app
            .note(&format!("Spell check is off: {key} sets ui.spelling, for example to en_GB"));
        return;
    }
    let Some(chat) = model.app.opened() else { return };
    let at = chat.chat_ref();
    let Some(place) = model.view.spelling.doubtful_word(&chat.composer) else {
        model.app.note("There is no misspelt word in the box");
        return;
    };
    let word = chat.composer.text().get(place.clone()).unwrap_or_default().to_owned();
    model.app.write();
    model.app.with_open_box(|chat, _| chat.composer.go_to(place.end));
    let request = model.view.spelling.suggestions_for(at, place.start, &word);
    model.app.effects.push(Effect::Spelling(request));
}

/// The dictionaries have answered.
pub fn answer(model: &mut Model, answer: SpellingAnswer) {
    let trouble = match answer {
        SpellingAnswer::Checked { number, wrong, trouble } => {
            model.view.spelling.checked(number, &wrong);
            trouble
        }
        SpellingAnswer::Suggested { number, is_right, words, trouble } => {
            let doubtful = model.view.spelling.doubtful.take_if(|asked| asked.number == number);
            if let Some(doubtful) = doubtful {
                suggest(model, &doubtful, is_right, &words);
            }
            trouble
        }
        SpellingAnswer::NotAdded { why } => {
            model.app.complain(&format!("The word is accepted only until skchat ends: {why}"));
            None
        }
    };
    if let Some(trouble) = model.view.spelling.news(trouble) {
        model.app.complain(&trouble);
    }
}

/// Shows suggestions, unless the user has moved on in the meantime.
fn suggest(model: &mut Model, doubtful: &DoubtfulWord, is_right: bool, words: &[SafeText]) {
    let is_there = model.context() == Context::Compose
        && model.app.opened().is_some_and(|chat| {
            let before = chat.composer.before_cursor();
            chat.chat_ref() == doubtful.chat && before.get(doubtful.from..) == Some(&doubtful.word)
        });
    if !is_there {
        return;
    }
    if is_right {
        // The user may have meant another word: ask again.
        model.view.spelling.is_right_after_all(&doubtful.word);
        respell(model);
        return;
    }
    model.app.with_open_box(|chat, _| {
        let found = Suggestions::for_misspelt(doubtful.from, &doubtful.word, words);
        chat.composer.suggestions = Some(found);
    });
}

/// Takes the chosen suggestion for a misspelt word; false if none are shown.
pub fn take_marked(model: &mut Model) -> bool {
    let taken = model.app.with_open_box(|chat, env| {
        let open = chat.composer.suggestions.as_ref()?;
        if !open.are_about_spelling() || !open.are_shown(&chat.composer) {
            return None;
        }
        let instead = open.found.get(open.marked.unwrap_or(0)).and_then(|entry| entry.instead);
        let word = open.word.clone();
        if instead.is_some() {
            chat.composer.suggestions = None;
        } else {
            completion::take_suggestion(chat);
            sending::draft_changed(chat, env.now.mono);
        }
        Some((instead, word))
    });
    let Some((instead, word)) = taken.flatten() else { return false };
    match instead {
        Some(WithWord::Learn) => {
            let request = model.view.spelling.learn(&word);
            model.app.effects.push(Effect::Spelling(request));
            model.app.note(&format!("\"{word}\" is in your dictionary now"));
        }
        Some(WithWord::Ignore) => {
            model.view.spelling.ignore(&word);
            model.app.note(&format!("\"{word}\" is ignored until skchat ends"));
        }
        None => {}
    }
    true
}
