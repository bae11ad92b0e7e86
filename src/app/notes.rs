//! Notes to the user that go away by themselves.

use crate::model::{ChatRef, SafeText, ThreadChange};
use std::time::Duration;

/// How long a note stays visible.
const LASTS: Duration = Duration::from_secs(5);
/// How long a note with an offer to undo stays visible.
const OFFER_LASTS: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub text: SafeText,
    /// When (monotonic) the note goes away.
    pub until: Duration,
    /// Whether the note is about something that went wrong.
    pub bad: bool,
    /// What the undo key does while the note is visible.
    pub offer: Option<UndoOffer>,
}

/// A change of a setting that can be undone with one key.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoOffer {
    pub chat: ChatRef,
    /// The change that restores the previous state.
    pub back: ThreadChange,
}

/// The visible note. A new one replaces it.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    current: Option<Note>,
    now: Duration,
}

impl Notes {
    /// Sets the clock, before an input is applied.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
    }

    /// Drops the note when its time is up.
    pub fn expire(&mut self) {
        let now = self.now;
        self.current = self.current.take().filter(|note| note.until > now);
    }

    pub fn current(&self) -> Option<&Note> {
        self.current.as_ref()
    }

    pub fn clear(&mut self) {
        self.current = None;
    }

    /// Shows a note.
    pub fn note(&mut self, text: &str) {
        self.show(text, false);
    }

    /// Shows a note about something that can be undone with one key while the note is visible.
    pub fn offer(&mut self, text: &str, offer: UndoOffer) {
        let until = self.now + OFFER_LASTS;
        let text = SafeText::line(text);
        self.current = Some(Note { text, until, bad: false, offer: Some(offer) });
    }

    /// Takes the offer, and the note with it.
    pub fn take_offer(&mut self) -> Option<UndoOffer> {
        self.current.as_ref()?.offer.as_ref()?;
        self.current.take()?.offer
    }

    /// Shows a note about something that went wrong.
    pub fn complain(&mut self, text: &str) {
        self.show(text, true);
    }

    fn show(&mut self, text: &str, bad: bool) {
        let until = self.now + LASTS;
        self.current = Some(Note { text: SafeText::line(text), until, bad, offer: None });
    }
}
