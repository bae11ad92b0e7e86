//! A short session with the demo as an animated SVG: a chat is opened, answered, reacted in and searched. One file with
//! styles of CSS; where these are not followed it shows its first screen.
//!
//! Each row of the screen is drawn once for every content that it has, and shown while it has that one.

use super::terminal::{Seen, Terminal, program};
use super::{CELL, COLUMNS, DARK, ROWS, color, escape};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How long a letter that is typed stays alone.
const LETTER: u32 = 70;

/// Screens with how long each is shown, in milliseconds.
struct Recording {
    terminal: Terminal,
    /// The rows of each screen as SVG.
    screens: Vec<(Vec<String>, u32)>,
}

impl Recording {
    fn show(&mut self, milliseconds: u32) {
        let seen = self.terminal.seen.0.lock().expect("nobody panics with it");
        self.screens.push((rows(seen.parser.screen()), milliseconds));
    }

    /// Presses keys, waits for a text and shows it.
    fn press(&mut self, keys: &str, text: &str, milliseconds: u32) {
        self.terminal.send(keys);
        self.terminal.wait_for(text);
        self.at_rest();
        self.show(milliseconds);
    }

    fn type_text(&mut self, text: &str, before: &str) {
        let mut typed = before.to_owned();
        for letter in text.chars() {
            typed.push(letter);
            self.terminal.send(letter.encode_utf8(&mut [0; 4]));
            if letter != ' ' {
                self.terminal.wait_for(&typed);
            }
            self.show(LETTER);
        }
    }

    /// Lets the rest of a screen arrive.
    fn at_rest(&self) {
        self.terminal.wait_at_most(Duration::from_millis(200), |_| false);
    }

    /// Waits for a text that may not come, or may be gone already.
    fn wait_a_while(&self, text: &str) {
        let has = |seen: &Seen| seen.parser.screen().contents().contains(text);
        self.terminal.wait_at_most(Duration::from_secs(4), has);
    }
}

/// The animation.
pub fn session() -> String {
    let data = tempfile::tempdir().expect("a folder");
    let terminal =
        Terminal::start(&program("skchat"), &["demo"], &super::demo_env(&data), COLUMNS, ROWS);
    let mut recording = Recording { terminal, screens: Vec::new() };
    recording.terminal.wait_for("Getting started");
    recording.press("\x1b", "live", 1_500);
    recording.press("\x1b[1;3B", "1 new", 2_000);
    recording.press("\x1b[A", "r reply", 900);
    recording.press("r", "replying to", 900);
    recording.type_text("It is behind the *tea*, I think.", "› ");
    recording.press("\r", "It is behind the tea", 500);
    recording.wait_a_while("is typing");
    recording.show(1_000);
    recording.wait_a_while("list.");
    recording.show(1_500);
    recording.press("\x1b[A", "react", 700);
    recording.press("+", "React", 900);
    recording.press("1", "👍 1", 1_800);
    recording.press("\x1b", "› ", 300);
    recording.press("\x12", "Search", 700);
    recording.type_text("oven", "› ");
    recording.at_rest();
    recording.show(2_500);
    recording.press("\r", "oven", 3_000);
    svg(&recording.screens)
}

/// Each row of a screen: runs of one style.
fn rows(screen: &vt100::Screen) -> Vec<String> {
    let (rows, columns) = screen.size();
    (0..rows.get()).map(|row| row_of(screen, row, columns.get())).collect()
}

fn row_of(screen: &vt100::Screen, row: u16, columns: u16) -> String {
    let mut svg = String::new();
    let mut run: Option<(u16, String, String)> = None;
    let y = f32::from(row).mul_add(CELL.1, 12.0);
    let end = |run: &mut Option<(u16, String, String)>, svg: &mut String| {
        let Some((from, text, style)) = run.take() else { return };
        let kept = text.trim_end();
        if kept.is_empty() {
            return;
        }
        let x = f32::from(from).mul_add(CELL.0, 12.0);
        let length = kept.chars().count() as f32 * CELL.0;
        let fixed = if kept.is_ascii() && kept.len() > 1 {
            format!(" textLength=\"{length:.1}\"")
        } else {
            String::new()
        };
        let (baseline, text) = (y + 13.5, escape(kept));
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{baseline:.1}\"{fixed}{style}>{text}</text>");
    };
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation())
        else {
            continue;
        };
        let (mut front, mut back) =
            (color(cell.fgcolor(), DARK.front), color(cell.bgcolor(), DARK.back));
        if cell.inverse() {
            std::mem::swap(&mut front, &mut back);
        }
        if back != DARK.back {
            let x = f32::from(column).mul_add(CELL.0, 12.0);
            let wide = if cell.is_wide() { CELL.0 * 2.0 } else { CELL.0 };
            let rect = format!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"18\" fill=\"{back}\"/>"
            );
            // Below the text that is drawn after it.
            end(&mut run, &mut svg);
            svg.push_str(&rect);
        }
        let mut style = String::new();
        for (on, attribute) in [
            (front != DARK.front, format!(" fill=\"{front}\"")),
            (cell.bold(), " font-weight=\"bold\"".to_owned()),
            (cell.italic(), " font-style=\"italic\"".to_owned()),
            (cell.dim(), " opacity=\"0.6\"".to_owned()),
            (cell.underline(), " text-decoration=\"underline\"".to_owned()),
        ] {
            if on {
                style.push_str(&attribute);
            }
        }
        let text = if cell.contents().is_empty() { " " } else { cell.contents() };
        let is_plain = text.is_ascii();
        let goes_on = run.as_ref().is_some_and(|(_, known, of)| {
            is_plain && known.is_ascii() && (text == " " || *of == style) && back == DARK.back
        });
        match &mut run {
            Some((_, known, _)) if goes_on => known.push_str(text),
            _ => {
                end(&mut run, &mut svg);
                if text != " " {
                    run = Some((column, text.to_owned(), style));
                }
            }
        }
    }
    end(&mut run, &mut svg);
    svg
}

/// All screens one after the other, again and again.
fn svg(screens: &[(Vec<String>, u32)]) -> String {
    let total: u32 = screens.iter().map(|(_, time)| time).sum();
    let (width, height) =
        (f32::from(COLUMNS).mul_add(CELL.0, 24.0), f32::from(ROWS).mul_add(CELL.1, 24.0));
    let (mut css, mut body) = (String::new(), String::new());
    let mut named: HashMap<String, String> = HashMap::new();
    for row in 0..usize::from(ROWS) {
        let mut contents: Vec<&String> = Vec::new();
        for (rows, _) in screens {
            if !rows[row].is_empty() && !contents.contains(&&rows[row]) {
                contents.push(&rows[row]);
            }
        }
        for content in contents {
            let is_first = screens[0].0[row] == *content;
            let Some(frames) = keyframes(screens, row, content, total) else {
                let _ = writeln!(body, "<g>{content}</g>");
                continue;
            };
            let number = named.len();
            let name = named.entry(frames).or_insert_with_key(|frames| {
                let name = format!("k{number}");
                let start = if is_first { "visible" } else { "hidden" };
                let _ = writeln!(
                    css,
                    "@keyframes {name}{{{frames}}}.{name}{{visibility:{start};animation-name:{name}}}"
                );
                name
            });
            let _ = writeln!(body, "<g class=\"{name}\">{content}</g>");
        }
    }
    let seconds = f64::from(total) / 1_000.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, monospace\" font-size=\"14\" \
         fill=\"{front}\">\n<title>A session with skchat: opening a chat, a reply, a reaction, a search</title>\n\
         <style>\ntext{{white-space:pre}}rect{{shape-rendering:crispEdges}}\ng{{animation:{seconds:.2}s step-end infinite}}\n@media (prefers-reduced-motion:reduce){{g{{animation:none}}}}\n{css}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{back}\"/>\n{body}</svg>\n",
        front = DARK.front,
        back = DARK.back,
    )
}

/// When a row has this content; `None` if always.
fn keyframes(
    screens: &[(Vec<String>, u32)],
    row: usize,
    content: &str,
    total: u32,
) -> Option<String> {
    let (mut frames, mut at, mut before) = (String::new(), 0, None);
    let mut changes = 0;
    for (rows, time) in screens {
        let is_shown = rows[row] == content;
        if before != Some(is_shown) {
            let percent = f64::from(at) * 100.0 / f64::from(total);
            let value = if is_shown { "visible" } else { "hidden" };
            let _ = write!(frames, "{percent:.3}%{{visibility:{value}}}");
            changes += 1;
        }
        before = Some(is_shown);
        at += time;
    }
    (changes > 1).then_some(frames)
}
