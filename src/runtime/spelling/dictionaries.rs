//! Hunspell dictionaries: where they are, and how they are read. A dictionary has two files: `en_GB.aff` contains the
//! rules, `en_GB.dic` the words.

use crate::model::spelling::{SpellingChoice, SpellingLanguages};
use encoding_rs::{Encoding, UTF_8};
use spellbook::Dictionary;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Larger files are not dictionaries.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Where dictionaries are on most systems.
const USUAL: [&str; 7] = [
    "/usr/share/hunspell",
    "/usr/share/myspell/dicts",
    "/usr/share/myspell",
    "/usr/local/share/hunspell",
    "/opt/homebrew/share/hunspell",
    "/run/current-system/sw/share/hunspell",
    "/Library/Spelling",
];
/// Hunspell's names for encodings that are registered under other names.
const OTHER_ENCODINGS: [(&str, &str); 3] = [
    ("microsoft-cp1251", "windows-1251"),
    ("tis620-2533", "tis-620"),
    ("iso8859-10", "iso-8859-10"),
];

/// Where dictionaries are searched for, and the language that "auto" stands for.
#[derive(Clone, Debug, Default)]
pub struct Places {
    pub folders: Vec<PathBuf>,
    pub language: Option<String>,
}

impl Places {
    /// The places in this environment. `first` is the user's own folder, unless it is empty.
    pub fn of_environment(first: &str) -> Self {
        let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = var("HOME").map(PathBuf::from);
        let mut folders: Vec<PathBuf> = Vec::new();
        if !first.is_empty() {
            let own = Path::new(first);
            let below = own.strip_prefix("~").ok().zip(home.as_ref());
            folders.push(below.map_or_else(|| own.to_owned(), |(rest, home)| home.join(rest)));
        }
        let split = |value: OsString| std::env::split_paths(&value).collect::<Vec<PathBuf>>();
        folders.extend(var("DICPATH").map(split).unwrap_or_default());
        let own_data = var("XDG_DATA_HOME").map(PathBuf::from);
        let own_data = own_data.or_else(|| Some(home.as_ref()?.join(".local/share")));
        let data = own_data.into_iter().chain(var("XDG_DATA_DIRS").map(split).unwrap_or_default());
        folders.extend(data.map(|folder| folder.join("hunspell")));
        folders.extend(home.map(|home| home.join("Library/Spelling")));
        folders.extend(USUAL.map(PathBuf::from));
        let mut seen = HashSet::new();
        folders.retain(|folder| folder.is_absolute() && seen.insert(folder.clone()));
        let languages = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(var);
        let language = languages.and_then(|language| language_of(language.to_str()?));
        Self { folders, language }
    }

    /// The two files of a language's dictionary: with this name or, if the name has no region, with any region.
    fn find(&self, language: &str) -> Option<(PathBuf, PathBuf)> {
        let names = [language.to_owned(), language.replace('-', "_"), language.replace('_', "-")];
        let exact = self
            .folders
            .iter()
            .find_map(|folder| names.iter().find_map(|name| both_files(folder, name)));
        if exact.is_some() || language.contains(['_', '-']) {
            return exact;
        }
        self.folders.iter().find_map(|folder| self::of_any_region(folder, language))
    }
}

/// The language in the value of a variable such as `LANG`.
fn language_of(value: &str) -> Option<String> {
    let name = value.split(['.', '@', ':']).next().unwrap_or_default();
    (!matches!(name, "" | "C" | "POSIX")).then(|| name.to_owned())
}

fn both_files(folder: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let file = |extension: &str| folder.join(format!("{name}.{extension}"));
    let (aff, dic) = (file("aff"), file("dic"));
    (aff.is_file() && dic.is_file()).then_some((aff, dic))
}

fn of_any_region(folder: &Path, language: &str) -> Option<(PathBuf, PathBuf)> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let names = entries.filter_map(|entry| {
        let path = entry.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        let rest = name.strip_prefix(language)?;
        let is_one = path.extension()? == "dic" && rest.starts_with(['_', '-']);
        is_one.then_some(name)
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.iter().find_map(|name| both_files(folder, name))
}

/// Why a language is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DictionaryTrouble {
    /// The choice is "auto", and the environment names no language.
    NoLanguage,
    Missing {
        language: String,
        folders: Vec<PathBuf>,
    },
    Broken {
        file: PathBuf,
        why: String,
    },
}

impl DictionaryTrouble {
    /// A short description, for a line on the screen.
    pub fn brief(&self) -> String {
        match self {
            Self::Missing { language, folders } => {
                let others = folders.len().saturating_sub(1);
                let first = folders.iter().find(|folder| folder.is_dir()).or(folders.first());
                let first = first.map(|folder| folder.display().to_string()).unwrap_or_default();
                format!(
                    "No dictionary {language}.dic in {first} or {others} other folders, which \
                     skchat doctor lists"
                )
            }
            _ => self.full(),
        }
    }

    /// A full description.
    pub fn full(&self) -> String {
        match self {
            Self::NoLanguage => {
                "spelling is \"auto\", but LANG names no language; name one, such as \"en_GB\""
                    .to_owned()
            }
            Self::Missing { language, folders } => {
                let mut text =
                    format!("there is no dictionary {language}.aff with {language}.dic in");
                for (at, folder) in folders.iter().enumerate() {
                    let sign = if at == 0 { "" } else { "," };
                    let _ = write!(text, "{sign} {}", folder.display());
                }
                text
            }
            Self::Broken { file, why } => format!("{}: {why}", file.display()),
        }
    }
}

/// A dictionary, and the scripts that its words are written in.
pub struct LoadedDictionary {
    words: Dictionary,
    scripts: HashSet<u32>,
}

impl LoadedDictionary {
    /// Whether the dictionary can know a word, because it has words in the same script.
    pub fn has_letters_of(&self, word: &str) -> bool {
        word.chars().filter(|c| c.is_alphabetic()).all(|c| self.scripts.contains(&script(c)))
    }

    pub fn knows(&self, word: &str) -> bool {
        self.words.check(word)
    }

    /// Suggestions for a word, the likeliest first.
    pub fn suggest(&self, word: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.words.suggest(word, &mut found);
        found
    }
}

/// A number for the script of a letter: its Unicode block, with all Latin blocks as one.
fn script(c: char) -> u32 {
    match u32::from(c) {
        0..=0x36F | 0x1E00..=0x1EFF => 0,
        other => other >> 7,
    }
}

/// Loads the dictionaries of a choice, and returns what is wrong with the others.
pub fn load_all(
    choice: &SpellingChoice,
    places: &Places,
) -> (Vec<LoadedDictionary>, Vec<DictionaryTrouble>) {
    let (mut loaded, mut troubles) = (Vec::new(), Vec::new());
    for found in files(choice, places) {
        match found.and_then(|(aff, dic)| load(&aff, &dic)) {
            Ok(dictionary) => loaded.push(dictionary),
            Err(trouble) => troubles.push(trouble),
        }
    }
    (loaded, troubles)
}

/// The files of the dictionaries of a choice, each once.
pub fn files(
    choice: &SpellingChoice,
    places: &Places,
) -> Vec<Result<(PathBuf, PathBuf), DictionaryTrouble>> {
    let mut found: Vec<Result<(PathBuf, PathBuf), DictionaryTrouble>> = Vec::new();
    for name in choice.languages.names() {
        let is_auto = SpellingLanguages::is_auto(name);
        let language = if is_auto { places.language.clone() } else { Some(name.clone()) };
        let files = language.ok_or(DictionaryTrouble::NoLanguage).and_then(|language| {
            // If the language was not chosen explicitly, a dictionary of another region is better than none.
            let base = language.split(['_', '-']).next().unwrap_or_default().to_owned();
            let near = || Some(base).filter(|_| is_auto).and_then(|base| places.find(&base));
            places.find(&language).or_else(near).ok_or_else(|| DictionaryTrouble::Missing {
                language,
                folders: places.folders.clone(),
            })
        });
        if !found.contains(&files) {
            found.push(files);
        }
    }
    found
}

/// Reads a dictionary.
///
/// # Errors
/// What is wrong with one of its files.
pub fn load(aff: &Path, dic: &Path) -> Result<LoadedDictionary, DictionaryTrouble> {
    let rules = read(aff)?;
    let encoding = encoding(&rules).map_err(|why| broken(aff, &why))?;
    let decode = |bytes: &[u8]| encoding.decode(bytes).0.into_owned();
    let text = decode(&read(dic)?);
    let words = Dictionary::new(&decode(&rules), &text).map_err(|error| {
        let file = if error.to_string().contains(".dic") { dic } else { aff };
        broken(file, &error.to_string())
    })?;
    // Every dictionary has a few letters of other scripts, as unit symbols.
    let mut counts = std::collections::HashMap::new();
    for c in text.lines().filter_map(|line| line.split('/').next()).flat_map(str::chars) {
        if c.is_alphabetic() {
            *counts.entry(script(c)).or_insert(0_u32) += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let scripts = counts.into_iter().filter(|(_, count)| *count >= most / 1000);
    Ok(LoadedDictionary { words, scripts: scripts.map(|(script, _)| script).collect() })
}

fn broken(file: &Path, why: &str) -> DictionaryTrouble {
    DictionaryTrouble::Broken { file: file.to_owned(), why: why.to_owned() }
}

fn read(file: &Path) -> Result<Vec<u8>, DictionaryTrouble> {
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| {
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(())
    });
    opened.map_err(|error| broken(file, &error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(broken(file, "the file is too large"));
    }
    Ok(bytes)
}

/// The encoding in the `SET` line of the rules; ISO 8859-1 if there is none, as in Hunspell.
fn encoding(rules: &[u8]) -> Result<&'static Encoding, String> {
    let rules = rules.strip_prefix(b"\xEF\xBB\xBF".as_slice()).unwrap_or(rules);
    let name = rules.split(|byte| *byte == b'\n').find_map(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.next().filter(|word| *word == b"SET")?;
        words.next().map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
    });
    let Some(name) = name else { return Ok(encoding_rs::WINDOWS_1252) };
    if name == "utf-8" {
        return Ok(UTF_8);
    }
    let other = OTHER_ENCODINGS.iter().find(|(theirs, _)| *theirs == name);
    let label = other.map_or(name.as_str(), |(_, ours)| ours);
    Encoding::for_label(label.as_bytes())
        .ok_or_else(|| format!("its encoding \"{name}\" is not known"))
}
