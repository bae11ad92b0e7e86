//! Draws the picture of the README: the demo in a real terminal, its screen as an SVG.
//!
//! `cargo build --release && cargo run --release --example picture` writes assets/screen.svg.

#[path = "../common/terminal.rs"]
mod terminal;

use std::fmt::Write as _;
use terminal::{Terminal, program};

const COLUMNS: u16 = 100;
const ROWS: u16 = 30;
const CELL: (f32, f32) = (8.4, 18.0);

fn main() {
    let data = tempfile::tempdir().expect("a folder");
    let env = [("SKCHAT_DATA_DIR", data.path().to_str().expect("a readable path"))];
    let mut terminal = Terminal::start(&program("skchat"), &["demo"], &env, COLUMNS, ROWS);
    terminal.wait_for("live");
    terminal.send("\x1b[1;3B");
    terminal.wait_for("1 new");
    terminal.send("It is behind the *tea*, I think. Look there first?\r");
    terminal.wait_for("is typing");
    terminal.send("And bring the blue folder");
    let drawn = terminal.wait_for("blue folder");
    println!(
        "the screen was ready {:.1} s after the start",
        terminal.after_start(drawn).as_secs_f64()
    );
    let svg = draw(terminal.seen.0.lock().expect("nobody panics with it").parser.screen());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/screen.svg");
    std::fs::write(path, svg).expect("assets can be written");
    println!("{COLUMNS}x{ROWS} cells drawn into assets/screen.svg");
}

/// A cell's colours as SVG, the terminal's own sixteen in the tones of a dark theme.
fn color(color: vt100::Color, default: &str) -> String {
    const NAMED: [&str; 16] = [
        "#3b4252", "#e06c75", "#8fbf7f", "#e5c07b", "#6f9fd8", "#c28fd0", "#5fb8c0", "#d8dee9",
        "#5c6370", "#f08a92", "#a8d49a", "#f0d59a", "#8fb8ea", "#d6a8e2", "#84d0d8", "#eceff4",
    ];
    match color {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Idx(i) if i < 16 => NAMED[usize::from(i)].to_owned(),
        vt100::Color::Idx(i) => {
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * u32::from(n) };
            let i = i.saturating_sub(16);
            format!("rgb({},{},{})", step(i / 36), step(i / 6 % 6), step(i % 6))
        }
        vt100::Color::Rgb(r, g, b) => format!("rgb({r},{g},{b})"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn draw(screen: &vt100::Screen) -> String {
    let (width, height) = (f32::from(COLUMNS) * CELL.0 + 24.0, f32::from(ROWS) * CELL.1 + 24.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <title>skchat in a terminal</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1e2228\"/>\n"
    );
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let Some(cell) = screen.cell(row, column) else { continue };
            if cell.is_wide_continuation() {
                continue;
            }
            let (mut front, mut back) =
                (color(cell.fgcolor(), "#d8dee9"), color(cell.bgcolor(), "#1e2228"));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            let (x, y) = (12.0 + f32::from(column) * CELL.0, 12.0 + f32::from(row) * CELL.1);
            let cells = if cell.is_wide() { 2.0 } else { 1.0 };
            if back != "#1e2228" {
                let wide = CELL.0 * cells;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{}\" fill=\"{back}\"/>",
                    CELL.1
                );
            }
            let text = cell.contents();
            if text.trim().is_empty() {
                continue;
            }
            let mut style = String::new();
            for (on, attribute) in [
                (cell.bold(), " font-weight=\"bold\""),
                (cell.italic(), " font-style=\"italic\""),
                (cell.dim(), " opacity=\"0.6\""),
                (cell.underline(), " text-decoration=\"underline\""),
            ] {
                if on {
                    style.push_str(attribute);
                }
            }
            let baseline = y + 13.5;
            let text = escape(text);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{baseline:.1}\" fill=\"{front}\"{style}>{text}</text>"
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
