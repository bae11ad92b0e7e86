//! Text in the message box that looks like a command: it is only sent as text after confirmation.

use super::COMMANDS;
use crate::app::chat::sending;
use crate::app::keymap::KeymapEntry;
use crate::app::model::Model;
use crate::app::overlay::{Confirm, Consent, Overlay};
use crate::model::{Outgoing, emoticon};

/// Commands of vi and its relatives, typed out of habit.
const EDITOR: [&str; 36] = [
    "bd", "bn", "bp", "close", "cq", "e", "edit", "exit", "help", "ls", "noh", "only", "q", "qa",
    "qall", "quit", "quita", "quitall", "r", "read", "set", "sp", "split", "tabe", "tabnew", "vs",
    "vsp", "vsplit", "w", "wa", "wall", "wq", "wqa", "wqall", "write", "x",
];
/// A slash command that is this similar to the input is suggested ([`strsim::normalized_damerau_levenshtein`]).
const SIMILAR: f64 = 0.6;

/// The kinds of text that are probably not meant as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLike {
    /// A slash at the beginning of an edited message.
    Slash,
    /// A slash after white space, which is not a command.
    Indented,
    /// The fullwidth slash of an input method.
    Wide,
    /// `:q` and the like.
    Editor,
}

/// Whether text that is not a slash command looks like a command.
pub fn looks_like_command(text: &str) -> Option<CommandLike> {
    let trimmed = text.trim_start();
    if trimmed.len() < text.len() && trimmed.starts_with('/') && !trimmed.starts_with("//") {
        return Some(CommandLike::Indented);
    }
    if trimmed.starts_with('／') && !trimmed.starts_with("／／") {
        return Some(CommandLike::Wide);
    }
    let command = trimmed.strip_prefix([':', '：'])?;
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    if word.starts_with('%') {
        return Some(CommandLike::Editor);
    }
    let name = word.trim_end_matches('!');
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic());
    let is_editors = EDITOR.contains(&name.to_ascii_lowercase().as_str());
    let alone = rest.trim().is_empty();
    // An unfinished `:smile` is probably a typo, too; `:p` and `:o` are faces.
    let unfinished = alone && name.len() > 1 && emoticon::of_ascii(trimmed.trim_end()).is_none();
    (is_name && (is_editors || unfinished)).then_some(CommandLike::Editor)
}

/// Asks before an unknown slash command is sent as text.
pub fn ask_unknown(model: &mut Model, name: &str) {
    let near = COMMANDS
        .iter()
        .map(|c| (strsim::normalized_damerau_levenshtein(name, c.name), c.name))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let known: Vec<String> = COMMANDS.iter().map(|c| format!("/{}", c.name)).collect();
    let mut detail = near.map(|(_, n)| format!("Did you mean /{n}?\n")).unwrap_or_default();
    detail.push_str(&format!("Commands: {}. Two slashes send one as text.", known.join(" ")));
    ask(model, &format!("/{name} is not a command. Send it as text?"), &detail);
}

/// Asks before text that looks like a command is sent.
pub fn ask_like(model: &mut Model, kind: CommandLike) {
    match kind {
        CommandLike::Slash => ask(
            model,
            "This looks like a command. Replace the message with it?",
            "You are editing a message. Press n to keep the text in the box.",
        ),
        CommandLike::Indented => ask(
            model,
            "A command begins with a slash, not a space. Send this as text?",
            "Press n to keep the text in the box.",
        ),
        CommandLike::Wide => ask(
            model,
            "A command begins with a plain slash (/). Send this as text?",
            "Press n to keep the text in the box.",
        ),
        CommandLike::Editor => {
            let quit =
                model.app.prefs.keymap.entry("quit").map(KeymapEntry::key).unwrap_or_default();
            let detail = format!("{quit} quits. Press n to keep the text in the box.");
            ask(model, "This looks like an editor command. Send it as text?", &detail);
        }
    }
}

/// Asks before sending text that the server may refuse because of its size.
pub fn ask_long(model: &mut Model, size: &str) {
    ask(model, &format!("{size}. Send it?"), "Press n to keep the text in the box.");
}

/// Asks before sending a name that several people share, which mentions none of them.
pub fn ask_without_mention(model: &mut Model, name: &str) {
    let question = format!("Several people here are called {name}. Send it without a mention?");
    let key = model.app.prefs.keymap.entry("focus-next").map(KeymapEntry::key).unwrap_or_default();
    ask(model, &question, &format!("Press n, then {key} after @{name} to choose one of them."));
}

/// Asks whether to send the text in the box, or to save it as the edit of a message.
fn ask(model: &mut Model, question: &str, detail: &str) {
    let consent = model.app.with_open(|chat, env| {
        let text = chat.composer.text().to_owned();
        if chat.composer.draft.edit.is_some() {
            return Consent::EditLiteral(chat.chat_ref(), text);
        }
        let reply = chat.composer.draft.reply.clone();
        let outgoing = Outgoing { reply, ..sending::typed_message(chat, env, text) };
        Consent::SendLiteral(chat.chat_ref(), outgoing)
    });
    if let Some(consent) = consent {
        model.overlays.push(Overlay::Confirm(Confirm::new(question, detail, consent)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_editors_are_known_and_faces_and_sentences_are_not() {
        for text in [":q", ":WQ", ":q!", ":w file", ":%s/a/b/", ":x", ":foo", " :q", ":quit "] {
            assert_eq!(looks_like_command(text), Some(CommandLike::Editor), "{text:?}");
        }
        assert_eq!(looks_like_command("：wq"), Some(CommandLike::Editor));
        for text in ["／kick joe", " ／leave"] {
            assert_eq!(looks_like_command(text), Some(CommandLike::Wide), "{text:?}");
        }
        for text in [" /quit", "\t/leave now"] {
            assert_eq!(looks_like_command(text), Some(CommandLike::Indented), "{text:?}");
        }
        for text in [
            ":)",
            ":p",
            ":D",
            ":-)",
            ":o",
            ":smile:",
            ": q",
            "a :q",
            ":3",
            ":p yes",
            ":",
            "",
            "see :help",
            "10:30",
            " //x",
            ":) /x",
            "::",
            "／／x",
        ] {
            assert_eq!(looks_like_command(text), None, "{text:?}");
        }
    }
}
