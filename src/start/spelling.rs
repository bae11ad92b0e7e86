//! The files used for spell checking: the dictionaries, what is wrong with others, and the user's own words.

use crate::model::UiPreferences;
use crate::runtime::spelling::dictionaries::{Places, files, load};
use std::path::{Path, PathBuf};

/// The file with the words that the user has added to the dictionary: in the data folder, shared by all accounts; for
/// the demo, in its own folder. `dir` is the folder of the first account.
pub fn own_words(dir: &Path, demo: bool) -> PathBuf {
    // An account's folder is two levels below the data folder.
    let data = dir.parent().and_then(Path::parent).filter(|_| !demo);
    data.unwrap_or(dir).join("words.txt")
}

/// The configured dictionaries, each as its file or as what is wrong with it; empty while spell checking is off.
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
