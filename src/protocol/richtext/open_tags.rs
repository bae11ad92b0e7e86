//! The tags that are open while markup is read, and what each of them changed.

use super::tag::{TAG_COUNT, Tag};
use crate::model::{Link, SafeText, SpanStyle};

/// Tags nested deeper than this are not opened: their text is kept without their formatting.
const MAX_OPEN: usize = 1_000;

/// What an open tag changed, to be undone by its end.
pub struct Open {
    pub tag: Tag,
    pub style: SpanStyle,
    pub link: Option<Link>,
    pub kind: ElementKind,
}

pub enum ElementKind {
    Style,
    /// An `a`, with the target and where its label began.
    Anchor {
        target: SafeText,
        label_from: usize,
    },
    Centre,
    Quote,
    /// A `pre`, and where its text began: several lines become a block of their own.
    Pre {
        from: usize,
        /// The language that it or a `code` in it names.
        language: Option<Box<str>>,
    },
    /// Its content, from this span on, is not shown if the tag has an end.
    Silent {
        from: usize,
    },
    /// An emoticon, and where its text began.
    Emoticon {
        name: String,
        from: usize,
    },
    /// A block with lines of its own.
    Block,
}

/// The tags that are open, outermost first.
pub struct OpenTags {
    stack: Vec<Open>,
    /// How often each tag is open, so that an end without a start needs no search.
    counts: [u32; TAG_COUNT],
    /// Tags that were not opened because too many are; their ends are skipped.
    skipped: usize,
}

impl OpenTags {
    pub fn new() -> Self {
        Self { stack: Vec::new(), counts: [0; TAG_COUNT], skipped: 0 }
    }

    pub fn holds(&self, tag: Tag) -> bool {
        self.counts.get(tag.number()).is_some_and(|count| *count > 0)
    }

    /// Whether too many tags are open to open another one.
    pub fn is_full(&self) -> bool {
        self.stack.len() >= MAX_OPEN
    }

    /// Does not open a tag; its end is skipped, too.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Opens a tag; gives it back when too many are open.
    pub fn push(&mut self, open: Open) -> Option<Open> {
        if self.is_full() {
            self.skip();
            return Some(open);
        }
        if let Some(count) = self.counts.get_mut(open.tag.number()) {
            *count += 1;
        }
        self.stack.push(open);
        None
    }

    pub fn pop(&mut self) -> Option<Open> {
        let open = self.stack.pop()?;
        if let Some(count) = self.counts.get_mut(open.tag.number()) {
            *count -= 1;
        }
        Some(open)
    }

    /// Sets the language of the innermost open tag if it is a `pre` without one.
    pub fn name_language(&mut self, language: impl FnOnce() -> Option<Box<str>>) {
        if let Some(ElementKind::Pre { language: known @ None, .. }) =
            self.stack.last_mut().map(|open| &mut open.kind)
        {
            *known = language();
        }
    }

    /// Whether an end belongs to a tag that was not opened.
    pub fn skip_end(&mut self) -> bool {
        let skipped = self.skipped > 0;
        self.skipped = self.skipped.saturating_sub(1);
        skipped
    }
}
