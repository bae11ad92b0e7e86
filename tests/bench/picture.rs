//! Draws the pictures of the README: the demo and an imported decade in a real terminal, their screens as SVGs.
//!
//! `cargo build --release && cargo run --release --example picture` writes assets/screen.svg, assets/archive.svg and the
//! recorded session in assets/session.svg; with `--session` only the last one.
//! With a folder as its argument it draws nothing of these, but the demo at five sizes on a dark and on a light
//! background into that folder, to be looked at.

#[path = "session.rs"]
mod session;
#[path = "../common/terminal.rs"]
mod terminal;

use std::fmt::Write as _;
use terminal::{Terminal, program};

const COLUMNS: u16 = 100;
const ROWS: u16 = 30;
const CELL: (f32, f32) = (8.4, 18.0);
const DARK: Base = Base { front: "#d8dee9", back: "#1e2228" };
const LIGHT: Base = Base { front: "#24292f", back: "#fdfdfb" };

/// The colours of a terminal for text without any.
#[derive(Clone, Copy)]
struct Base {
    front: &'static str,
    back: &'static str,
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("--session") => {}
        Some(folder) => return sizes(folder),
        None => {
            archive();
            demo();
        }
    }
    write_svg("session.svg", &session::session());
}

/// The demo at five sizes, on both backgrounds.
fn sizes(folder: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    for (columns, rows) in [(60, 20), (80, 24), (100, 30), (120, 40), (200, 50)] {
        for (name, said, base) in [("dark", "15;0", DARK), ("light", "0;15", LIGHT)] {
            let data = tempfile::tempdir().expect("a folder");
            let env = [
                ("SKCHAT_DATA_DIR", data.path().to_str().expect("a readable path")),
                ("COLORTERM", "truecolor"),
                ("COLORFGBG", said),
            ];
            let mut terminal = Terminal::start(&program("skchat"), &["demo"], &env, columns, rows);
            terminal.wait_for("live");
            terminal.send("\x1b[1;3B");
            terminal.wait_for("1 new");
            terminal.send("And bring the blue folder");
            terminal.wait_for("blue folder");
            let svg =
                draw(terminal.seen.0.lock().expect("nobody panics with it").parser.screen(), base);
            let file = format!("{folder}/{columns}x{rows}-{name}.svg");
            std::fs::write(&file, svg).expect("the folder can be written");
            println!("drawn into {file}");
        }
    }
}

/// Where the demo keeps its data, and a terminal that says that its background is dark.
fn demo_env(data: &tempfile::TempDir) -> [(&str, &str); 2] {
    let folder = data.path().to_str().expect("a readable path");
    [("SKCHAT_DATA_DIR", folder), ("COLORFGBG", "15;0")]
}

fn demo() {
    let data = tempfile::tempdir().expect("a folder");
    let env = demo_env(&data);
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
    write("screen.svg", &terminal);
}

/// A chat of ten years, as a message each few days.
fn decade() -> String {
    const WORDS: [&str; 8] = [
        "Did you see the light over the harbour this morning?",
        "The bakery at the corner has closed. They were there for forty years.",
        "Train is late again, start without me",
        "I still have your umbrella, by the way",
        "Can you send me the recipe once more?",
        "Happy new year! May it be a quiet one.",
        "We finally painted the kitchen. It is very yellow now.",
        "Call you tonight?",
    ];
    let first = 1_155_000_000_000_u64;
    let messages: Vec<String> = (0..1_400_u64)
        .rev()
        .map(|n| {
            let id = first + n * 225_000_000 + n % 7 * 3_600_000;
            let (from, name) = if n % 3 == 0 { ("8:live:anna", "null") } else { ("8:joe", "\"Joe Bloggs\"") };
            let text = WORDS[usize::try_from(n * 5 % 8).unwrap_or(0)];
            format!(
                r#"{{"id":"{id}","displayName":{name},"messagetype":"Text","version":{id},"content":"{text}","from":"{from}"}}"#
            )
        })
        .collect();
    format!(
        r#"{{"userId":"8:live:anna","conversations":[{{"id":"8:joe","displayName":"Joe Bloggs","MessageList":[{}]}}]}}"#,
        messages.join(",")
    )
}

fn archive() {
    let data = tempfile::tempdir().expect("a folder");
    let export = data.path().join("messages.json");
    std::fs::write(&export, decade()).expect("a file");
    let folder = data.path().to_str().expect("a readable path");
    let config = data.path().join("none.toml");
    let env =
        [("SKCHAT_DATA_DIR", folder), ("SKCHAT_CONFIG", config.to_str().expect("a readable path"))];
    let imported = std::process::Command::new(program("skchat"))
        .args(["import", export.to_str().expect("a readable path")])
        .envs(env)
        .stdout(std::process::Stdio::null())
        .status();
    assert!(imported.is_ok_and(|status| status.success()));
    let mut terminal = Terminal::start(&program("skchat"), &[], &env, 120, ROWS);
    terminal.wait_for("Joe Bloggs");
    terminal.send("\x1b[1;3B");
    terminal.wait_for("First");
    terminal.send("\x07");
    terminal.wait_for("date");
    terminal.send("may 2011\r");
    terminal.wait_for("May 2011");
    // The last row is drawn last.
    terminal.wait_for("Esc back");
    write("archive.svg", &terminal);
}

fn write(name: &str, terminal: &Terminal) {
    let svg = draw(terminal.seen.0.lock().expect("nobody panics with it").parser.screen(), DARK);
    write_svg(name, &svg);
}

fn write_svg(name: &str, svg: &str) {
    let path = format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(path, svg).expect("assets can be written");
    println!("drawn into assets/{name}");
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

fn draw(screen: &vt100::Screen, base: Base) -> String {
    let Base { front: text_color, back: background } = base;
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (f32::from(columns) * CELL.0 + 24.0, f32::from(rows) * CELL.1 + 24.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <title>skchat in a terminal</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{background}\"/>\n"
    );
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { continue };
            if cell.is_wide_continuation() {
                continue;
            }
            let (mut front, mut back) =
                (color(cell.fgcolor(), text_color), color(cell.bgcolor(), background));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            let (x, y) = (12.0 + f32::from(column) * CELL.0, 12.0 + f32::from(row) * CELL.1);
            let cells = if cell.is_wide() { 2.0 } else { 1.0 };
            if back != background {
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
