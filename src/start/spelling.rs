//! What can be said about spell check outside of the program: which dictionaries it uses, and what is wrong with others.

use crate::model::UiPreferences;
use crate::runtime::spelling::dictionaries::{Places, files, load};

/// The dictionaries of the configuration, each as its file or as what is wrong with it; nothing while spell check is off.
pub fn dictionaries(ui: &UiPreferences) -> Vec<Result<String, String>> {
    let choice = ui.spelling_choice();
    let found = files(&choice, &Places::of_environment(&choice.folder)).into_iter();
    let read = found.map(|found| {
        let (aff, dic) = found.map_err(|trouble| trouble.full())?;
        load(&aff, &dic).map_err(|trouble| trouble.full())?;
        Ok(dic.display().to_string())
    });
    read.collect()
}
