//! Highlights code on a separate thread. The grammars are loaded when the first block arrives.
//!
//! Grammars are regular expressions written for editors, and the text is untrusted. So the time for a block is limited:
//! what is not done by then stays plain. Single lines are short enough to end soon after.

use crate::app::effect::Outcome;
use crate::model::SyntaxRole;
use crate::model::code::{CodeBlock, SyntaxPart};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use tokio::sync::mpsc;

/// Time limit for one block.
const MAX_TIME: Duration = Duration::from_millis(500);

/// The roles of grammar scopes: the first entry that is a prefix counts.
const ROLES: [(&str, SyntaxRole); 18] = [
    ("comment", SyntaxRole::Comment),
    ("string", SyntaxRole::Quoted),
    ("constant.character", SyntaxRole::Quoted),
    ("constant.numeric", SyntaxRole::Number),
    ("constant.language", SyntaxRole::Number),
    ("keyword.operator", SyntaxRole::Keyword),
    ("keyword", SyntaxRole::Keyword),
    ("storage", SyntaxRole::Keyword),
    ("variable.language", SyntaxRole::Keyword),
    ("entity.name.function", SyntaxRole::Function),
    ("entity.name.macro", SyntaxRole::Function),
    ("variable.function", SyntaxRole::Function),
    ("support.function", SyntaxRole::Function),
    ("support.macro", SyntaxRole::Function),
    ("entity.name", SyntaxRole::Type),
    ("entity.other.attribute-name", SyntaxRole::Function),
    ("support.type", SyntaxRole::Type),
    ("support.class", SyntaxRole::Type),
];

/// Names of languages that the grammars do not list.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("csharp", "cs"),
    ("golang", "go"),
    ("typescript", "js"),
    ("ts", "js"),
    ("jsx", "js"),
    ("tsx", "js"),
    ("shell", "sh"),
    ("console", "sh"),
    ("objectivec", "m"),
    ("zsh", "sh"),
];

struct Grammars {
    set: SyntaxSet,
    roles: Vec<(Scope, SyntaxRole)>,
}

static GRAMMARS: LazyLock<Grammars> = LazyLock::new(|| {
    let role = |(name, role): &(&str, SyntaxRole)| Some((Scope::new(name).ok()?, *role));
    Grammars {
        set: SyntaxSet::load_defaults_newlines(),
        roles: ROLES.iter().filter_map(role).collect(),
    }
});

/// Blocks are highlighted one at a time, so that a screen full of them uses one core and not all.
static TURN: Mutex<()> = Mutex::new(());

/// Highlights a block in the background. The result arrives as an outcome.
pub fn start(block: CodeBlock, outcomes: &mpsc::Sender<Outcome>) {
    let outcomes = outcomes.clone();
    tokio::task::spawn_blocking(move || {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = parts(&block.language, &block.text, Instant::now() + MAX_TIME);
        let _ = outcomes.blocking_send(Outcome::Highlighted { number: block.number, parts });
    });
}

fn grammar(language: &str) -> Option<&'static SyntaxReference> {
    let language = language.to_ascii_lowercase();
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == language);
    GRAMMARS.set.find_syntax_by_token(other.map_or(&language, |(_, name)| name))
}

/// The parts of a text that are found in time.
fn parts(language: &str, text: &str, until: Instant) -> Vec<SyntaxPart> {
    let Some(grammar) = grammar(language).filter(|_| CodeBlock::is_fit(text)) else {
        return Vec::new();
    };
    let (mut state, mut stack) = (ParseState::new(grammar), ScopeStack::new());
    let mut parts: Vec<SyntaxPart> = Vec::new();
    let mut push = |length: usize, role| match parts.last_mut() {
        Some((last, known)) if *known == role => *last += length,
        _ if length > 0 => parts.push((length, role)),
        _ => {}
    };
    for line in text.split_inclusive('\n') {
        if Instant::now() >= until {
            break;
        }
        let Ok(changes) = state.parse_line(line, &GRAMMARS.set) else { break };
        let mut from = 0;
        for (at, change) in changes {
            push(at.saturating_sub(from), role(&stack));
            from = at.max(from);
            if stack.apply(&change).is_err() {
                return parts;
            }
        }
        push(line.len().saturating_sub(from), role(&stack));
    }
    parts
}

/// The role of the innermost scope that has one.
fn role(stack: &ScopeStack) -> Option<SyntaxRole> {
    stack.scopes.iter().rev().find_map(|scope| {
        let role = GRAMMARS.roles.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope));
        role.map(|(_, role)| *role)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highlighted(language: &str, text: &str) -> Vec<(String, Option<SyntaxRole>)> {
        let mut rest = text;
        let parts = parts(language, text, Instant::now() + Duration::from_secs(60)).into_iter();
        let named = parts.map(|(length, role)| {
            let (part, after) = rest.split_at(length);
            rest = after;
            (part.trim().to_owned(), role)
        });
        named.filter(|(part, _)| !part.is_empty()).collect()
    }

    #[test]
    fn keywords_texts_numbers_and_comments_of_named_languages_are_found() {
        let cases = [
            (
                "rust",
                "fn main() { let x = 12; } // done",
                ["fn", "let"].as_slice(),
                "12",
                "// done",
            ),
            ("Python", "def a():\n    return 7 # why", &["def", "return"], "7", "# why"),
            ("csharp", "class A { int b = 3; } /* c */", &["class"], "3", "/* c */"),
            ("js", "function f() { return 1 } // x", &["function", "return"], "1", "// x"),
        ];
        for (language, text, keywords, number, comment) in cases {
            let found = highlighted(language, text);
            let has = |part: &str, role| {
                found.iter().any(|(text, of)| *of == Some(role) && text.contains(part))
            };
            for keyword in keywords {
                assert!(has(keyword, SyntaxRole::Keyword), "{language}: {keyword} in {found:?}");
            }
            assert!(has(number, SyntaxRole::Number), "{language}: {found:?}");
            assert!(has(comment, SyntaxRole::Comment), "{language}: {found:?}");
        }
        let json = highlighted("json", "{\"a\": \"b\"}");
        assert!(
            json.iter().any(|(text, role)| text.contains('b') && *role == Some(SyntaxRole::Quoted))
        );
    }

    #[test]
    fn an_unknown_language_is_plain_and_time_that_is_up_leaves_the_rest_plain() {
        assert!(highlighted("klingon", "fn main() {}").is_empty());
        assert!(parts("rust", "fn main() {}", Instant::now()).is_empty());
    }

    #[test]
    fn hostile_text_in_any_language_ends_and_the_parts_never_exceed_it() {
        let unit = [
            "((((((",
            "\"\\\"",
            "/*",
            "<a ",
            "aaaaaaaaaaaaaaaaaaaaaaaa!",
            "${`",
            "\t {",
            "é\u{301}",
        ];
        for language in ["rust", "html", "markdown", "php", "perl", "js", "tex", "c++", "yaml"] {
            for unit in unit {
                let line = unit.repeat(CodeBlock::MAX_LINE_BYTES / unit.len());
                let until = Instant::now() + Duration::from_millis(1);
                let parts = parts(language, &line, until);
                let length: usize = parts.iter().map(|(length, _)| length).sum();
                assert!(length <= line.len(), "{language}: {unit}");
            }
        }
    }

    #[test]
    fn every_role_and_every_other_name_exists() {
        assert_eq!(GRAMMARS.roles.len(), ROLES.len());
        for (_, name) in OTHER_NAMES {
            assert!(grammar(name).is_some(), "{name}");
        }
    }
}
