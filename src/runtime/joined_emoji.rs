//! Whether the terminal draws joined emoji as one picture: by asking it, and by a table of known terminals.
//!
//! At the start one joined emoji is written and erased again, with a query for the cursor position in between. Nothing
//! waits for the answer: frames are drawn by the table, and the whole screen again if the answer differs.
//!
//! The answer counts if it is read within [`LIMIT`] of the question: over a slower connection, drawing the whole screen
//! twice would be costly, and a late answer may belong to another program's question. Late answers are dropped and
//! never treated as text, and the table stays; `ui.emoji_width` chooses the width without asking.

use std::time::{Duration, Instant};

use crate::app::view::layout::Size;
use crate::model::EmojiWidth;
use crate::runtime::terminfo::has_plain_font;

/// Where the emoji is written, counted from one. In the first row the answer could be a key: F3 with a modifier.
pub const ROW: u16 = 2;
/// Writes a woman, a skin tone, a joiner and a microscope, asks where the cursor is, and erases the row.
pub const QUESTION: &str = "\x1b[2;1H\u{1F469}\u{1F3FD}\u{200D}\u{1F52C}\x1b[6n\x1b[2;1H\x1b[2K";
/// How long after the question an answer counts.
pub const LIMIT: Duration = Duration::from_millis(100);
/// The smallest terminal in which to ask: those that draw every part need seven columns.
const LEAST: Size = Size { columns: 10, rows: ROW };

/// The width according to the cursor's column after the emoji: one picture takes two cells.
pub fn width_for(column: u16) -> EmojiWidth {
    if column == 3 { EmojiWidth::Cluster } else { EmojiWidth::Sum }
}

/// What a position report in [`ROW`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The terminal draws joined emoji with this width.
    Width(EmojiWidth),
    /// The answer to our question, after its [`LIMIT`].
    Late,
    /// The answer to another question.
    Unasked,
}

/// A question that was sent, and whether an answer to it still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Nothing was asked, or the answer has arrived.
    Closed,
    /// Asked; the terminal has not been read since. An answer found by the first read is in time, however long the rest
    /// of the start takes.
    Asked,
    /// Asked, and the terminal is being read. An answer counts until this time.
    Open { until: Instant },
}

impl Probe {
    /// The terminal is being read from now on.
    pub fn begin(&mut self, now: Instant) {
        if *self == Self::Asked {
            *self = Self::Open { until: now + LIMIT };
        }
    }

    /// Takes a position report in [`ROW`] as an answer, and closes the question.
    pub fn answer(&mut self, column: u16, now: Instant) -> Answer {
        let answer = match *self {
            Self::Closed => Answer::Unasked,
            Self::Open { until } if now > until => Answer::Late,
            Self::Asked | Self::Open { .. } => Answer::Width(width_for(column)),
        };
        *self = Self::Closed;
        answer
    }
}

/// What the environment says about the terminal.
#[derive(Default)]
pub struct TerminalHints {
    term: String,
    /// `TERM_PROGRAM`.
    program: String,
    /// `KONSOLE_VERSION`, such as 230801.
    konsole: u32,
    /// Inside tmux, GNU screen or Zellij. Then, variables of the terminal around them mean nothing.
    is_multiplexed: bool,
}

impl TerminalHints {
    pub fn of_environment() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let has = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            term: var("TERM"),
            program: var("TERM_PROGRAM"),
            konsole: var("KONSOLE_VERSION").parse().unwrap_or(0),
            is_multiplexed: ["TMUX", "STY", "ZELLIJ"].iter().any(has),
        }
    }

    /// The table of known terminals. Joined emoji are one picture in Konsole since 23.08, iTerm2, WezTerm, Ghostty,
    /// Contour and foot; xterm, VTE, Alacritty, st, PuTTY, Terminal.app, the Linux console, tmux and GNU screen draw
    /// the parts, some of them only those with skin tones. Parts are drawn correctly everywhere, so unknown terminals
    /// get them.
    pub fn width(&self) -> EmojiWidth {
        let draws_one = !self.is_multiplexed
            && (self.konsole >= 230_800
                || matches!(
                    self.program.as_str(),
                    "iTerm.app" | "WezTerm" | "ghostty" | "contour"
                )
                || ["foot", "xterm-ghostty", "wezterm", "contour"]
                    .iter()
                    .any(|name| self.term == *name || self.term.starts_with(&format!("{name}-"))));
        if draws_one { EmojiWidth::Cluster } else { EmojiWidth::Sum }
    }

    /// Whether to ask a terminal of this size. Terminals without UTF-8 could mistake the emoji's bytes for control
    /// characters.
    pub fn should_ask(&self, size: Size) -> bool {
        let is_old = has_plain_font(&self.term) || self.term.starts_with("vt");
        !is_old && size.columns >= LEAST.columns && size.rows >= LEAST.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_terminals_need_no_answer() {
        use EmojiWidth::{Cluster, Sum};
        for (term, program, konsole, is_multiplexed, width) in [
            ("xterm-256color", "", 0, false, Sum),
            ("xterm-256color", "iTerm.app", 0, false, Cluster),
            ("xterm-256color", "WezTerm", 0, false, Cluster),
            ("xterm-256color", "Apple_Terminal", 0, false, Sum),
            ("xterm-256color", "", 230_801, false, Cluster),
            ("xterm-256color", "", 220_400, false, Sum),
            ("tmux-256color", "tmux", 0, true, Sum),
            ("tmux-256color", "tmux", 230_801, true, Sum),
            ("screen.xterm-256color", "WezTerm", 0, true, Sum),
            ("foot", "", 0, false, Cluster),
            ("foot-extra", "", 0, false, Cluster),
            ("footloose", "", 0, false, Sum),
            ("xterm-ghostty", "ghostty", 0, false, Cluster),
            ("linux", "", 0, false, Sum),
            ("", "", 0, false, Sum),
        ] {
            let (term, program) = (term.to_owned(), program.to_owned());
            let hints = TerminalHints { term, program, konsole, is_multiplexed };
            assert_eq!(hints.width(), width, "{} {} {konsole}", hints.term, hints.program);
        }
    }

    #[test]
    fn one_that_is_too_small_or_knows_no_letters_is_not_asked() {
        let hints =
            |term: &str| TerminalHints { term: term.to_owned(), ..TerminalHints::default() };
        let size = |columns, rows| Size { columns, rows };
        assert!(hints("xterm").should_ask(size(80, 24)));
        assert!(hints("xterm").should_ask(size(10, 2)));
        for (term, columns, rows) in [
            ("xterm", 80, 1),
            ("xterm", 9, 24),
            ("xterm", 0, 0),
            ("linux", 80, 24),
            ("linux-16color", 80, 24),
            ("screen.linux", 80, 24),
            ("vt220", 80, 24),
        ] {
            assert!(!hints(term).should_ask(size(columns, rows)), "{term} {columns}x{rows}");
        }
    }

    #[test]
    fn an_answer_counts_for_a_tenth_of_a_second_and_once() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        for (millis, expected) in [
            (0, Answer::Width(EmojiWidth::Cluster)),
            (99, Answer::Width(EmojiWidth::Cluster)),
            (100, Answer::Width(EmojiWidth::Cluster)),
            (101, Answer::Late),
            (60_000, Answer::Late),
        ] {
            let mut probe = Probe::Asked;
            probe.begin(start);
            assert_eq!(probe.answer(3, after(millis)), expected, "{millis} ms");
            assert_eq!(
                probe.answer(3, after(millis)),
                Answer::Unasked,
                "a second one after {millis} ms"
            );
        }
    }

    #[test]
    fn a_slow_start_takes_nothing_from_the_time_to_answer() {
        let start = Instant::now();
        let later = start + Duration::from_secs(5);
        let mut probe = Probe::Asked;
        probe.begin(later);
        // Reading continues; the limit does not move.
        probe.begin(later + LIMIT / 2);
        assert_eq!(probe, Probe::Open { until: later + LIMIT });
        assert_eq!(probe.answer(7, later + LIMIT), Answer::Width(EmojiWidth::Sum));
        let mut unasked = Probe::Closed;
        unasked.begin(start);
        assert_eq!(unasked.answer(3, start), Answer::Unasked);
    }

    #[test]
    fn two_cells_are_one_picture() {
        assert_eq!(width_for(3), EmojiWidth::Cluster);
        for column in [1, 2, 4, 5, 7, 9] {
            assert_eq!(width_for(column), EmojiWidth::Sum, "{column}");
        }
    }
}
