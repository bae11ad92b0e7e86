//! The content of a dialog, and the visible part of it.

use crate::app::view::layout::{Rect, Size};
use crate::app::view::wrap::{TextRow, break_lines};
use crate::app::view::{Label, Tone, whole_parts};
use crate::model::SafeText;
use crate::model::text::{tail, width};

/// A dialog ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct DialogView {
    pub area: Rect,
    pub title: String,
    pub input: Option<InputView>,
    /// The area of the lines.
    pub body: Rect,
    /// Whether a rule separates the input from the lines.
    pub ruled: bool,
    pub lines: DialogBody,
    pub hint: String,
    pub takes_keys: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DialogBody {
    /// The visible lines.
    Lines(Vec<DialogLine>),
    /// Formatted text.
    Text(Vec<TextRow>),
}

/// The input line: as much of the end of the input as fits, and a note at its right.
#[derive(Clone, Debug, PartialEq)]
pub struct InputView {
    pub text: String,
    pub note: String,
    /// Typing replaces the input.
    pub is_selected: bool,
}

/// One line: labels at the left, a short text at the right.
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

    /// A line with the same tone on both sides.
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

/// The width of a dialog with two columns, if the screen is wide enough.
const BROAD: u16 = 150;

/// The size of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Narrow,
    Wide,
    /// Room for two columns of text.
    Broad,
    /// The whole screen, up to 100 columns.
    Full,
    /// Right above the message box.
    AboveBox,
}

/// Which of the lines are visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The lines around the highlighted one, with every line up to `last`.
    Marked { at: usize, last: usize },
    /// Starts at this line.
    Scroll(usize),
}

/// Everything a dialog shows.
#[derive(Clone, Debug)]
pub struct Content {
    pub title: String,
    pub input: Option<(String, String)>,
    /// Typing replaces the input.
    pub selects_input: bool,
    pub lines: Vec<DialogLine>,
    pub text: Option<Vec<TextRow>>,
    pub position: Position,
    /// The number of lines per entry, which are only shown together.
    pub step: usize,
    /// The number of entries, if they have different numbers of lines.
    pub entries: Option<usize>,
    pub hint: String,
    pub extent: Extent,
}

impl Content {
    pub fn new(title: impl Into<String>, lines: Vec<DialogLine>, hint: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            input: None,
            selects_input: false,
            lines,
            text: None,
            position: Position::Scroll(0),
            step: 1,
            entries: None,
            hint: hint.into(),
            extent: Extent::Wide,
        }
    }

    pub fn narrow(self) -> Self {
        Self { extent: Extent::Narrow, ..self }
    }

    pub fn broad(self) -> Self {
        Self { extent: Extent::Broad, ..self }
    }

    /// Adds an input line.
    pub fn with_input(self, input: &str) -> Self {
        Self { input: Some((input.to_owned(), String::new())), ..self }
    }

    /// Highlights one line. If there are no lines, shows `empty` instead.
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

    /// Adds entries of several lines and highlights one of them. If there are none, shows `empty` instead.
    pub fn with_entries(
        mut self,
        entries: Vec<Vec<DialogLine>>,
        marked: usize,
        empty: &str,
    ) -> Self {
        if entries.is_empty() {
            return self.with_marked(marked, empty);
        }
        let (count, marked) = (entries.len(), marked.min(entries.len() - 1));
        let at: usize = entries.iter().take(marked).map(Vec::len).sum();
        let rows = entries.get(marked).map_or(1, Vec::len).max(1);
        self.lines = entries.into_iter().flatten().collect();
        for line in self.lines.iter_mut().skip(at).take(rows) {
            line.marked = true;
        }
        let position = Position::Marked { at, last: at + rows - 1 };
        Self { position, entries: Some(count), ..self }
    }

    pub fn scrolled(self, from: usize) -> Self {
        Self { position: Position::Scroll(from), ..self }
    }

    fn ruled(&self) -> bool {
        self.extent == Extent::Full
    }

    /// The dialog's rectangle. A dialog with [`Extent::AboveBox`] ends at row `above`.
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
            Extent::Narrow | Extent::Wide | Extent::Broad => {
                let width = fit(match self.extent {
                    Extent::Broad => BROAD,
                    Extent::Wide => 76,
                    _ => 60,
                });
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

    /// The number of rows available for lines.
    fn room(&self, area: Rect) -> usize {
        let taken = 2 + if self.input.is_some() { 2 } else { 0 };
        usize::from(area.height.saturating_sub(taken))
    }

    /// The largest scroll offset at this size.
    pub fn max_scroll(&self, size: Size) -> usize {
        let room = self.area(size, size.rows).map_or(0, |area| self.room(area));
        self.lines.len().saturating_sub(room)
    }

    /// By how many entries a page moves: one less than are visible at this size.
    pub fn page(&self, size: Size) -> isize {
        let room = self.area(size, size.rows).map_or(0, |area| self.room(area));
        let visible = match self.entries {
            Some(entries) => room * entries / self.lines.len().max(1),
            None => room / self.step.max(1),
        };
        let entries = visible.saturating_sub(1).max(1);
        isize::try_from(entries).unwrap_or(1)
    }

    /// The dialog ready to be drawn; `None` if there is no room for it.
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
        let is_selected = self.selects_input;
        let input = self
            .input
            .map(|(text, note)| InputView { is_selected, ..input_view(&text, note, area.width) });
        let top = if input.is_some() { 3 } else { 1 };
        let takes_keys = self.extent != Extent::AboveBox;
        let lines = match self.text {
            // Show the end if the input is too long: the user is typing there.
            Some(rows) => {
                let skip = rows.len().saturating_sub(room);
                DialogBody::Text(rows.into_iter().skip(skip).collect())
            }
            None => DialogBody::Lines(self.lines.into_iter().skip(skip).take(room).collect()),
        };
        let hint = whole_parts(&self.hint, usize::from(area.width.saturating_sub(6))).to_owned();
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
            hint,
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
    InputView { text: tail(&text, room).to_owned(), note, is_selected: false }
}

/// Moves the highlight by `by` lines and keeps it within `count` lines.
pub fn step(marked: &mut usize, by: isize, count: usize) {
    *marked = marked.saturating_add_signed(by).min(count.saturating_sub(1));
}

/// Lines for text that may be too long for one row, with a short text at the right of the first one. If there is not
/// enough room for both, the short text gets a separate row.
pub fn wrapped(left: &str, right: &str, columns: usize) -> Vec<DialogLine> {
    const LEAST: usize = 16;
    let beside = columns.saturating_sub(width(right) + 1);
    let is_apart = beside < LEAST.min(width(left));
    let rows = break_lines(left, if is_apart { columns } else { beside });
    let rows = rows.into_iter().filter_map(|row| left.get(row));
    let mut lines: Vec<DialogLine> = rows.map(|row| DialogLine::new(row.trim_end(), "")).collect();
    if is_apart {
        let rows = break_lines(right, columns).into_iter().filter_map(|row| right.get(row));
        lines.extend(rows.map(|row| DialogLine::new("", row.trim_end())));
    } else if let Some(first) = lines.first_mut() {
        right.clone_into(&mut first.right);
    }
    lines
}

/// An explanation, in as many lines as it needs.
pub fn dim_lines(text: &str, columns: usize) -> Vec<DialogLine> {
    let rows = break_lines(text, columns).into_iter().filter_map(|row| text.get(row));
    rows.map(|row| DialogLine::dim(row.trim_end())).collect()
}

/// The number of text columns in a narrow dialog.
pub fn narrow_columns(size: Size) -> usize {
    usize::from(size.columns.saturating_sub(2)).clamp(18, 60).saturating_sub(5)
}

/// The number of text columns in a wide dialog.
pub fn wide_columns(size: Size) -> usize {
    usize::from(size.columns.saturating_sub(2)).clamp(18, 76).saturating_sub(5)
}

/// The number of text columns in a broad dialog.
pub fn broad_columns(size: Size) -> usize {
    usize::from(size.columns.saturating_sub(2)).clamp(18, usize::from(BROAD)).saturating_sub(5)
}

/// Two lists of lines side by side, each in a column of the given width in cells.
pub fn beside(first: Vec<DialogLine>, second: Vec<DialogLine>, columns: usize) -> Vec<DialogLine> {
    const GAP: usize = 3;
    let rows = first.len().max(second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let row = |_| {
        let mut left = in_cells(first.next().unwrap_or_default(), columns);
        left.push(Label::new(" ".repeat(GAP), Tone::Plain));
        left.extend(in_cells(second.next().unwrap_or_default(), columns));
        DialogLine { left, ..DialogLine::default() }
    };
    (0..rows).map(row).collect()
}

/// The labels of a line, padded to the given width in cells.
fn in_cells(line: DialogLine, columns: usize) -> Vec<Label> {
    let used = line.left.iter().map(Label::width).sum::<usize>() + width(&line.right);
    let mut labels = line.left;
    labels.push(Label::new(" ".repeat(columns.saturating_sub(used)), Tone::Plain));
    labels.push(Label::new(line.right, line.right_tone));
    labels
}
