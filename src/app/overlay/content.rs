//! What a dialog shows, and the part of it that is in sight.

use crate::app::view::layout::{Rect, Size};
use crate::app::view::wrap::TextRow;
use crate::app::view::{Label, Tone};
use crate::model::SafeText;
use crate::model::text::{tail, width};

/// A dialog as it is painted.
#[derive(Clone, Debug, PartialEq)]
pub struct DialogView {
    pub area: Rect,
    pub title: String,
    pub input: Option<InputView>,
    /// Where the lines begin.
    pub body: Rect,
    /// A rule stands between input and lines.
    pub ruled: bool,
    pub lines: DialogBody,
    pub hint: String,
    pub takes_keys: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DialogBody {
    /// The lines in sight.
    Lines(Vec<DialogLine>),
    /// Formatted text.
    Text(Vec<TextRow>),
}

/// The line that is typed into: the end of it that fits, and what is said at its right.
#[derive(Clone, Debug, PartialEq)]
pub struct InputView {
    pub text: String,
    pub note: String,
}

/// One line: pieces at its left, a short text at its right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DialogLine {
    pub left: Vec<Label>,
    pub right: String,
    pub right_tone: Tone,
    pub marked: bool,
}

impl DialogLine {
    pub fn new(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::toned(left, right, Tone::Plain)
    }

    /// Both sides in one tone.
    pub fn toned(left: impl Into<String>, right: impl Into<String>, tone: Tone) -> Self {
        Self {
            left: vec![Label::new(left, tone)],
            right: right.into(),
            right_tone: tone,
            marked: false,
        }
    }

    pub fn dim(left: impl Into<String>) -> Self {
        Self::toned(left, "", Tone::Dim)
    }
}

/// How much of the screen a dialog takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Narrow,
    Wide,
    /// As much as there is.
    Full,
    /// Right above the message box.
    AboveBox,
}

/// Which of the lines are in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The marked line, with everything up to `last` in sight.
    Marked { at: usize, last: usize },
    /// From this line on.
    Scroll(usize),
}

/// Everything a dialog has to show.
#[derive(Clone, Debug)]
pub struct Content {
    pub title: String,
    pub input: Option<(String, String)>,
    pub lines: Vec<DialogLine>,
    pub text: Option<Vec<TextRow>>,
    pub position: Position,
    /// Lines that belong together, so that none of them is in sight without the others.
    pub step: usize,
    pub hint: String,
    pub extent: Extent,
}

impl Content {
    pub fn new(title: impl Into<String>, lines: Vec<DialogLine>, hint: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            input: None,
            lines,
            text: None,
            position: Position::Scroll(0),
            step: 1,
            hint: hint.into(),
            extent: Extent::Wide,
        }
    }

    pub fn narrow(self) -> Self {
        Self { extent: Extent::Narrow, ..self }
    }

    /// With a line that is typed into.
    pub fn with_input(self, input: &str) -> Self {
        Self { input: Some((input.to_owned(), String::new())), ..self }
    }

    /// With one line marked. Without lines none is; `empty` stands there instead.
    pub fn with_marked(mut self, marked: usize, empty: &str) -> Self {
        if self.lines.is_empty() {
            if !empty.is_empty() {
                self.lines.push(DialogLine::dim(empty));
            }
            return self;
        }
        let at = marked.min(self.lines.len() - 1);
        if let Some(line) = self.lines.get_mut(at) {
            line.marked = true;
        }
        Self { position: Position::Marked { at, last: at }, ..self }
    }

    pub fn scrolled(self, from: usize) -> Self {
        Self { position: Position::Scroll(from), ..self }
    }

    fn ruled(&self) -> bool {
        self.extent == Extent::Full
    }

    /// The dialog's rectangle. `above` is where one that stands above the message box ends.
    fn area(&self, size: Size, above: u16) -> Option<Rect> {
        let (columns, rows) = (size.columns, size.rows);
        let fixed = 2 + if self.input.is_some() { 2 } else { 0 };
        let count = self.text.as_ref().map_or(self.lines.len(), Vec::len);
        let wanted = u16::try_from(count).unwrap_or(u16::MAX).saturating_add(fixed);
        let most = rows.saturating_sub(2).max(3);
        let fit = |most: u16| most.min(columns.saturating_sub(2)).max(columns.min(18));
        let place = |width: u16, height: u16, y: u16| {
            let height = height.min(rows);
            Some(Rect { x: (columns - width) / 2, y, width, height })
        };
        match self.extent {
            Extent::Narrow | Extent::Wide => {
                let width = fit(if self.extent == Extent::Wide { 76 } else { 60 });
                let height = wanted.clamp(3, most);
                place(width, height, rows.saturating_sub(height) / 3)
            }
            Extent::Full => place(fit(100), most, rows.saturating_sub(most) / 2),
            Extent::AboveBox => {
                let (width, height) = (columns.min(80), wanted.min(above));
                (height >= 3).then_some(Rect { x: 0, y: above - height, width, height })
            }
        }
    }

    /// Rows that lines can be shown in.
    fn room(&self, area: Rect) -> usize {
        let taken = 2 + if self.input.is_some() { 2 } else { 0 };
        usize::from(area.height.saturating_sub(taken))
    }

    /// How far it can be scrolled at this size.
    pub fn max_scroll(&self, size: Size) -> usize {
        let room = self.area(size, size.rows).map_or(0, |area| self.room(area));
        self.lines.len().saturating_sub(room)
    }

    /// The dialog as it is painted; `None` when there is no room for it.
    pub fn place(self, size: Size, above: u16) -> Option<DialogView> {
        let area = self.area(size, above)?;
        let room = self.room(area);
        let count = self.text.as_ref().map_or(self.lines.len(), Vec::len);
        let skip = match self.position {
            Position::Marked { last, .. } => {
                let steps = (room / self.step).max(1);
                ((last / self.step) + 1).saturating_sub(steps) * self.step
            }
            Position::Scroll(from) => from.min(count.saturating_sub(room)),
        };
        let ruled = self.ruled();
        let input = self.input.map(|(text, note)| input_view(&text, note, area.width));
        let top = if input.is_some() { 3 } else { 1 };
        let takes_keys = self.extent != Extent::AboveBox;
        let lines = match self.text {
            // Of a text that is too long its end matters: that is being written.
            Some(rows) => {
                let skip = rows.len().saturating_sub(room);
                DialogBody::Text(rows.into_iter().skip(skip).collect())
            }
            None => DialogBody::Lines(self.lines.into_iter().skip(skip).take(room).collect()),
        };
        Some(DialogView {
            body: Rect {
                x: area.x + 2,
                y: area.y + top,
                width: area.width.saturating_sub(4),
                height: u16::try_from(room).unwrap_or(u16::MAX),
            },
            area,
            title: self.title,
            input,
            ruled,
            lines,
            hint: self.hint,
            takes_keys,
        })
    }
}

fn input_view(text: &str, note: String, columns: u16) -> InputView {
    const BESIDE: usize = 7;
    let columns = usize::from(columns);
    let note = if columns > width(&note) + 12 + BESIDE { note } else { String::new() };
    let room = columns.saturating_sub(BESIDE + width(&note));
    let text = SafeText::line_as_is(text);
    InputView { text: tail(&text, room).to_owned(), note }
}

/// Moves a mark by lines; it stays among `count` of them.
pub fn step(marked: &mut usize, by: isize, count: usize) {
    *marked = marked.saturating_add_signed(by).min(count.saturating_sub(1));
}

/// Columns of text in a wide dialog.
pub fn wide_columns(size: Size) -> usize {
    usize::from(size.columns.saturating_sub(2)).clamp(18, 76).saturating_sub(5)
}
