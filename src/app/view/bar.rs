//! Styled text that is not part of a message: the content of bars and dialogs, and its tone.

use crate::model::Availability;
use crate::model::text::width;

/// The kind of a piece of text; the theme has a style for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Title,
    Dim,
    Good,
    Bad,
    /// New messages, notes, search matches.
    New,
    Unread,
    Key,
    Demo,
    Code,
    Rule,
}

impl Tone {
    /// The tone of a presence symbol.
    pub fn of(availability: Availability) -> Self {
        match availability {
            Availability::Available => Self::Good,
            Availability::Away => Self::New,
            Availability::Busy | Availability::DoNotDisturb => Self::Bad,
            Availability::Offline => Self::Dim,
        }
    }
}

/// A piece of text in one tone.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub text: String,
    pub tone: Tone,
}

impl Label {
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    pub fn width(&self) -> usize {
        width(&self.text)
    }
}

/// A row with labels at the left and at the right, cut so that both fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// The column in which the left labels begin.
    pub from: usize,
    pub left: Vec<Label>,
    pub right: Vec<Label>,
}

impl Bar {
    /// The columns up to the end of the left labels.
    pub fn left_width(&self) -> usize {
        self.from + self.left.iter().map(Label::width).sum::<usize>()
    }

    pub fn right_width(&self) -> usize {
        self.right.iter().map(Label::width).sum()
    }
}

/// As many parts of `text` as fit into `columns`; the last ones are dropped first.
pub fn whole_parts(text: &str, columns: usize) -> &str {
    let mut text = text;
    while width(text) > columns
        && let Some((shorter, _)) = text.rsplit_once(" · ")
    {
        text = shorter;
    }
    text
}
