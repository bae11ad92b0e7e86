//! The message box: one conversation's draft and its cursor. Every deletion can be undone.

use super::completion::Completion;
use super::recall::Recall;
use super::suggestions::Suggestions;
use super::undo_history::UndoHistory;
use crate::app::action::Motion;
use crate::model::{Draft, EditTarget, QuoteOf, composer_markup, emoticon};
use std::time::Duration;
use unicode_segmentation::UnicodeSegmentation;

/// The service's own limit is near 28 KB; it refuses longer texts, and the user is told.
pub const MAX_TEXT: usize = 1024 * 1024;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Composer {
    pub draft: Draft,
    undo: UndoHistory,
    killed: String,
    /// The last change was a typed letter; the letters of a word are undone together.
    typing_run: bool,
    /// When (monotonic) the draft has to be saved; `None` if it is saved.
    pub save_by: Option<Duration>,
    /// The last completion that Tab inserted.
    pub completion: Option<Completion>,
    /// What is suggested for the word before the cursor.
    pub suggestions: Option<Suggestions>,
    /// The lines that were sent in this run, newest last.
    pub sent: Vec<String>,
    /// The state of recalling one of these lines, or an earlier message, into the box.
    pub recall: Option<Recall>,
    /// When others were last told that the user is typing.
    pub told_typing: Option<Duration>,
    /// The last key deleted to the start of the line: pressing it again empties the box.
    pub cleared_line: bool,
}

impl Composer {
    pub fn text(&self) -> &str {
        &self.draft.text
    }

    /// The text before the cursor.
    pub fn before_cursor(&self) -> &str {
        self.draft.text.get(..self.draft.cursor).unwrap_or_default()
    }

    /// Restores a stored draft, unless something was typed already.
    pub fn restore(&mut self, mut draft: Draft) {
        if self.draft.is_empty() && self.undo.is_empty() {
            self.undo = UndoHistory::of_saved(std::mem::take(&mut draft.undo));
            self.draft = draft;
            self.draft.cursor = floor(&self.draft.text, self.draft.cursor);
        }
    }

    /// The draft as it is saved: with the newest undo steps.
    pub fn to_save(&self) -> Draft {
        Draft { undo: self.undo.to_save(&self.draft.text), ..self.draft.clone() }
    }

    fn remember(&mut self, typing: bool) {
        if !(typing && self.typing_run) {
            self.undo.keep(&self.draft.text, self.draft.cursor);
        }
        self.typing_run = typing;
    }

    pub fn insert(&mut self, text: &str) {
        if self.draft.text.len() + text.len() > MAX_TEXT {
            return;
        }
        let is_typed = text.chars().count() == 1 && text != "\n";
        self.remember(is_typed);
        // A space is undone together with the word before it: undoing it alone would seem to do nothing.
        self.typing_run &= text != " ";
        self.draft.text.insert_str(self.draft.cursor, text);
        self.draft.cursor += text.len();
    }

    pub fn undo(&mut self) -> bool {
        let Some((text, cursor)) = self.undo.back(&self.draft.text) else { return false };
        self.draft.text = text;
        // The stored draft may be damaged.
        self.draft.cursor = floor(&self.draft.text, cursor);
        self.typing_run = false;
        true
    }

    /// Empties the box when a message is sent.
    pub fn take(&mut self) -> Draft {
        self.undo.clear();
        self.typing_run = false;
        self.save_by = None;
        self.told_typing = None;
        self.suggestions = None;
        std::mem::take(&mut self.draft)
    }

    /// Replaces the text, undoably.
    pub fn set_text(&mut self, text: &str) {
        self.remember(false);
        text.clone_into(&mut self.draft.text);
        self.draft.cursor = text.len();
    }

    /// Replaces the text without an undo step: the new text contains the old one, and undo must not remove it.
    pub fn put_back(&mut self, text: &str) {
        text.clone_into(&mut self.draft.text);
        self.draft.cursor = text.len();
        self.undo.clear();
        self.typing_run = false;
    }

    /// Stores text for yanking.
    pub fn keep(&mut self, text: &str) {
        text.clone_into(&mut self.killed);
    }

    /// Removes the quote of a reply, or ends the edit.
    pub fn drop_banner(&mut self) -> bool {
        self.drop_edit() || self.draft.reply.take().is_some()
    }

    /// Replaces the text between `from` and the cursor with `text`.
    pub fn replace_before_cursor(&mut self, from: usize, text: &str) {
        self.remember(false);
        let cursor = self.draft.cursor;
        if self.draft.text.get(from..cursor).is_some() {
            self.draft.text.replace_range(from..cursor, text);
            self.draft.cursor = from + text.len();
        }
    }

    /// Puts the text of an existing message into the box; the previous text comes back afterwards. `quote` stays with
    /// the message; with `source`, the text is the message's content on the wire, of that messagetype.
    pub fn begin_edit(
        &mut self,
        id: Box<str>,
        text: &str,
        quote: Option<QuoteOf>,
        source: Option<Box<str>>,
    ) {
        self.drop_edit();
        let before = std::mem::take(&mut self.draft.text);
        let reply = self.draft.reply.take();
        self.undo.clear();
        self.typing_run = false;
        text.clone_into(&mut self.draft.text);
        self.draft.cursor = text.len();
        self.draft.edit = Some(EditTarget { id, was: text.to_owned(), source, before, reply });
        self.draft.reply = quote;
    }

    /// Ends an edit: restores the previous text, followed by the edited text if it was changed.
    pub fn drop_edit(&mut self) -> bool {
        let Some(edit) = self.draft.edit.take() else { return false };
        self.remember(false);
        let edited = std::mem::replace(&mut self.draft.text, edit.before);
        if edited != edit.was {
            if !self.draft.text.is_empty() {
                self.draft.text.push('\n');
            }
            self.draft.text.push_str(&edited);
        }
        self.draft.cursor = self.draft.text.len();
        self.draft.reply = edit.reply;
        true
    }

    /// Removes and returns a finished edit with its text and its quote; restores the previous text.
    pub fn finish_edit(&mut self) -> Option<(EditTarget, String, Option<QuoteOf>)> {
        let edit = self.draft.edit.take()?;
        let quote = self.draft.reply.take();
        let text = std::mem::replace(&mut self.draft.text, edit.before.clone());
        self.draft.cursor = edit.before.len();
        self.draft.reply.clone_from(&edit.reply);
        self.undo.clear();
        self.typing_run = false;
        Some((edit, text, quote))
    }

    pub fn go(&mut self, motion: Motion) {
        self.typing_run = false;
        self.draft.cursor = self.target(motion);
    }

    /// Moves the cursor to a place in the text.
    pub fn go_to(&mut self, at: usize) {
        self.typing_run = false;
        self.draft.cursor = floor(&self.draft.text, at);
    }

    /// Replaces `:name:`, whose end was just typed, with its emoji, except in code and in markup.
    pub fn finish_shortcode(&mut self) {
        let before = self.before_cursor();
        let Some(open) = before.strip_suffix(':') else { return };
        let Some(from) = open.rfind(':') else { return };
        let name = open.get(from + 1..).unwrap_or_default();
        let outside = open.get(..from).unwrap_or_default();
        let is_word = outside.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == ':');
        let is_markup = self.draft.edit.as_ref().is_some_and(|edit| edit.source.is_some());
        if is_word || is_markup {
            return;
        }
        if let Some(glyph) = emoticon::of_shortcode(name)
            && !composer_markup::is_in_code(outside)
        {
            self.replace_before_cursor(from, glyph);
        }
    }

    /// Deletes from the cursor to the end of the motion. Deleting to the start of the line twice in a row empties the
    /// box. Words and lines can be yanked back.
    pub fn delete(&mut self, motion: Motion) {
        if motion == Motion::LineStart && self.cleared_line && !self.draft.text.is_empty() {
            self.killed = self.draft.text.clone();
            self.set_text("");
            return;
        }
        self.cleared_line = motion == Motion::LineStart;
        let mut target = self.target(motion);
        if motion == Motion::NextWord {
            // The last word of a line is deleted without the line break.
            let line_end = self.target(Motion::LineEnd);
            target = if line_end > self.draft.cursor { target.min(line_end) } else { target };
        }
        let (from, to) = (target.min(self.draft.cursor), target.max(self.draft.cursor));
        if from == to {
            return;
        }
        self.remember(false);
        let gone: String = self.draft.text.drain(from..to).collect();
        self.draft.cursor = from;
        if !matches!(motion, Motion::Left | Motion::Right) {
            self.killed = gone;
        }
    }

    /// Deletes the line at the cursor, with its line break; it can be yanked back.
    pub fn delete_line(&mut self) {
        let (start, end) = (self.target(Motion::LineStart), self.target(Motion::LineEnd));
        let length = self.draft.text.len();
        // The last line is deleted with the line break before it.
        let start = if end == length { start.saturating_sub(1) } else { start };
        let end = (end + 1).min(length);
        if start < end {
            self.remember(false);
            self.killed = self.draft.text.drain(start..end).collect();
            self.draft.cursor = start.min(self.draft.text.len());
            self.draft.cursor = self.target(Motion::LineStart);
        }
    }

    pub fn yank(&mut self) {
        let killed = self.killed.clone();
        if !killed.is_empty() {
            self.insert(&killed);
        }
    }

    pub fn is_on_first_line(&self) -> bool {
        !self.before_cursor().contains('\n')
    }

    pub fn is_on_last_line(&self) -> bool {
        !self.after().contains('\n')
    }

    fn after(&self) -> &str {
        self.draft.text.get(self.draft.cursor..).unwrap_or_default()
    }

    fn target(&self, motion: Motion) -> usize {
        let (before, after, cursor) = (self.before_cursor(), self.after(), self.draft.cursor);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line_end = cursor + after.find('\n').unwrap_or(after.len());
        match motion {
            Motion::Left => cursor - before.graphemes(true).next_back().map_or(0, str::len),
            Motion::Right => cursor + after.graphemes(true).next().map_or(0, str::len),
            Motion::LineStart => line_start,
            Motion::LineEnd => line_end,
            Motion::WordLeft => {
                let start = before.unicode_word_indices().next_back().map_or(0, |(i, _)| i);
                start.min(before.trim_end().len())
            }
            Motion::WordRight => after
                .unicode_word_indices()
                .next()
                .map_or(cursor + after.len(), |(i, w)| cursor + i + w.len()),
            Motion::NextWord => {
                let mut starts = after.unicode_word_indices().map(|(i, _)| i);
                starts.find(|i| *i > 0).map_or(cursor + after.len(), |i| cursor + i)
            }
            Motion::Up => self.other_line(line_start, line_start.checked_sub(1)),
            Motion::Down => {
                let next = (line_end < self.draft.text.len()).then(|| {
                    let rest = self.draft.text.get(line_end + 1..).unwrap_or_default();
                    line_end + 1 + rest.find('\n').unwrap_or(rest.len())
                });
                self.other_line(line_start, next)
            }
        }
    }

    /// The place in the line that ends at `end`, as many clusters from its start as the cursor is in its own line.
    fn other_line(&self, line_start: usize, end: Option<usize>) -> usize {
        let Some(end) = end else { return self.draft.cursor };
        let column = self
            .draft
            .text
            .get(line_start..self.draft.cursor)
            .unwrap_or_default()
            .graphemes(true)
            .count();
        let start = self.draft.text.get(..end).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
        let line = self.draft.text.get(start..end).unwrap_or_default();
        line.grapheme_indices(true).nth(column).map_or(end, |(i, _)| start + i)
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(text: &str) -> Composer {
        let mut composer = Composer::default();
        text.chars().for_each(|c| composer.insert(&c.to_string()));
        composer
    }

    #[test]
    fn words_are_deleted_and_yanked_back_and_undone() {
        let mut composer = typed("one two three");
        composer.delete(Motion::WordLeft);
        assert_eq!(composer.text(), "one two ");
        composer.yank();
        assert_eq!(composer.text(), "one two three");
        composer.delete(Motion::LineStart);
        assert_eq!(composer.text(), "");
        assert!(composer.undo());
        assert_eq!(composer.text(), "one two three");
    }

    #[test]
    fn a_line_is_deleted_with_its_break_and_the_last_word_of_one_without_it() {
        let mut composer = typed("one\ntwo three\nfour");
        composer.delete_line();
        assert_eq!((composer.text(), composer.draft.cursor), ("one\ntwo three", 4));
        composer.go(Motion::NextWord);
        composer.delete(Motion::NextWord);
        assert_eq!(composer.text(), "one\ntwo ");
        composer.go(Motion::Up);
        composer.go(Motion::LineStart);
        composer.delete(Motion::NextWord);
        assert_eq!(composer.text(), "\ntwo ");
        composer.delete_line();
        assert_eq!(composer.text(), "two ");
        composer.delete_line();
        composer.delete_line();
        assert_eq!(composer.text(), "");
        composer.undo();
        assert_eq!(composer.text(), "two ");
    }

    #[test]
    fn undo_takes_back_a_word_at_a_time() {
        let mut composer = typed("ab cd  e\nf");
        for before in ["ab cd  e\n", "ab cd  e", "ab cd  ", "ab cd ", "ab ", ""] {
            assert!(composer.undo());
            assert_eq!(composer.text(), before);
        }
        assert!(!composer.undo());
    }

    #[test]
    fn up_and_down_keep_the_column_in_wide_text() {
        let mut composer = typed("あいう\nx\nabcdef");
        composer.go(Motion::Up);
        assert_eq!(composer.draft.cursor, "あいう\nx".len());
        composer.go(Motion::Up);
        assert_eq!(composer.draft.cursor, "あ".len());
    }

    #[test]
    fn one_press_moves_over_a_whole_family() {
        let mut composer = typed("x");
        composer.insert("👨‍👩‍👧");
        composer.go(Motion::Left);
        assert_eq!(composer.draft.cursor, 1);
    }

    #[test]
    fn an_edit_gives_the_half_written_text_back_however_it_ends() {
        let mut composer = typed("half a thought");
        composer.begin_edit("1".into(), "old message", None, None);
        assert_eq!(composer.text(), "old message");
        assert!(composer.drop_banner());
        assert_eq!(composer.text(), "half a thought");
        composer.begin_edit("1".into(), "old message", None, None);
        composer.insert("!");
        assert!(composer.drop_banner());
        assert_eq!(composer.text(), "half a thought\nold message!");
        composer.set_text("half a thought");
        composer.begin_edit("1".into(), "old message", None, None);
        let (edit, text, _) = composer.finish_edit().unwrap();
        assert_eq!(
            (&*edit.id, text.as_str(), composer.text()),
            ("1", "old message", "half a thought")
        );
    }

    proptest! {
        #[test]
        fn any_keys_keep_the_cursor_on_a_boundary(keys in proptest::collection::vec(0u8..14, 0..60)) {
            let motions = [Motion::Left, Motion::Right, Motion::Up, Motion::Down, Motion::WordLeft, Motion::WordRight, Motion::LineStart, Motion::LineEnd];
            let mut composer = Composer::default();
            for key in keys {
                match key {
                    0..=7 => composer.go(motions[key as usize]),
                    8 => composer.insert("あ"),
                    9 => composer.insert("e\u{301}"),
                    10 => composer.insert("\n"),
                    11 => composer.delete(Motion::Left),
                    12 => composer.delete(Motion::WordRight),
                    _ => { composer.undo(); }
                }
                prop_assert!(composer.draft.text.is_char_boundary(composer.draft.cursor));
            }
        }
    }
}
