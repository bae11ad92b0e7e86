//! Colours of a theme as the terminal can show them, and whether they are readable.

use super::ColorDepth;
use crate::model::Rgb;
use ratatui::style::Color;

/// The least contrast of text with its background, by the formula of WCAG. Below it text is hard to read.
pub const LEAST_CONTRAST: f64 = 3.0;
/// The levels of the colour cube of 256 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// The sixteen colours as most terminals show them.
const SIXTEEN: [(Color, Rgb); 16] = [
    (Color::Black, Rgb(0, 0, 0)),
    (Color::Red, Rgb(205, 0, 0)),
    (Color::Green, Rgb(0, 205, 0)),
    (Color::Yellow, Rgb(205, 205, 0)),
    (Color::Blue, Rgb(0, 0, 238)),
    (Color::Magenta, Rgb(205, 0, 205)),
    (Color::Cyan, Rgb(0, 205, 205)),
    (Color::Gray, Rgb(229, 229, 229)),
    (Color::DarkGray, Rgb(127, 127, 127)),
    (Color::LightRed, Rgb(255, 0, 0)),
    (Color::LightGreen, Rgb(0, 255, 0)),
    (Color::LightYellow, Rgb(255, 255, 0)),
    (Color::LightBlue, Rgb(92, 92, 255)),
    (Color::LightMagenta, Rgb(255, 0, 255)),
    (Color::LightCyan, Rgb(0, 255, 255)),
    (Color::White, Rgb(255, 255, 255)),
];

fn distance(a: Rgb, b: Rgb) -> u32 {
    let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    part(a.0, b.0) + part(a.1, b.1) + part(a.2, b.2)
}

/// A colour of a theme at this depth. The terminal's own named colours stay as they are.
pub fn fitted(color: Color, depth: ColorDepth) -> Color {
    let Color::Rgb(r, g, b) = color else { return color };
    match depth {
        ColorDepth::None | ColorDepth::True => color,
        ColorDepth::Indexed => {
            let near = |v: u8| {
                let levels = LEVELS.iter().enumerate();
                levels.min_by_key(|(_, level)| level.abs_diff(v)).map_or(0, |(at, _)| at)
            };
            Color::Indexed((16 + 36 * near(r) + 6 * near(g) + near(b)) as u8)
        }
        ColorDepth::Sixteen => {
            let nearest = SIXTEEN.iter().min_by_key(|(_, rgb)| distance(*rgb, Rgb(r, g, b)));
            nearest.map_or(color, |(color, _)| *color)
        }
    }
}

/// Whether a colour is a grey between black and white.
pub fn is_grey(color: Option<Color>) -> bool {
    rgb(color).is_some_and(|Rgb(r, g, b)| {
        let (least, most) = (r.min(g).min(b), r.max(g).max(b));
        most - least < 48 && (48..=208).contains(&most)
    })
}

/// Colours at this depth: no two alike, and none of the reserved ones.
pub fn fitted_apart(colors: &[Color], reserved: &[Color], depth: ColorDepth) -> Vec<Color> {
    if depth != ColorDepth::Indexed {
        return colors.iter().map(|color| fitted(*color, depth)).collect();
    }
    let level = |at: u8| LEVELS.get(usize::from(at)).copied().unwrap_or_default();
    let cube = |n: u8| Rgb(level(n / 36), level(n / 6 % 6), level(n % 6));
    let mut taken: Vec<Color> = Vec::with_capacity(colors.len());
    for color in colors {
        let nearest = rgb(Some(*color)).and_then(|wanted| {
            let free = (0..216).filter(|n| {
                let color = Color::Indexed(16 + n);
                !taken.contains(&color) && !reserved.contains(&color)
            });
            free.min_by_key(|n| distance(cube(*n), wanted))
        });
        taken.push(nearest.map_or(*color, |n| Color::Indexed(16 + n)));
    }
    taken
}

fn luminance(Rgb(r, g, b): Rgb) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// The contrast of two colours, from 1 to 21.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The colour moved away from the background until it is readable; `None` if it already is.
pub fn lifted(text: Rgb, background: Rgb) -> Option<Rgb> {
    if contrast(text, background) >= LEAST_CONTRAST {
        return None;
    }
    let to_white = contrast(Rgb(255, 255, 255), background);
    let target = if to_white >= contrast(Rgb(0, 0, 0), background) { 255u32 } else { 0 };
    let mixed = |share: u32| {
        let part = |v: u8| ((u32::from(v) * (20 - share) + target * share) / 20) as u8;
        Rgb(part(text.0), part(text.1), part(text.2))
    };
    (1..=20).map(mixed).find(|color| contrast(*color, background) >= LEAST_CONTRAST)
}

/// Whether text on this background should be light rather than dark.
pub fn is_dark(background: Rgb) -> bool {
    contrast(background, Rgb(255, 255, 255)) >= contrast(background, Rgb(0, 0, 0))
}

/// A background that stands out from this one a little, for selected items.
pub fn raised(background: Rgb) -> Rgb {
    let target = if is_dark(background) { 255u32 } else { 0 };
    let part = |v: u8| ((u32::from(v) * 86 + target * 14) / 100) as u8;
    Rgb(part(background.0), part(background.1), part(background.2))
}

/// The components of a colour, if they are known.
pub fn rgb(color: Option<Color>) -> Option<Rgb> {
    match color? {
        Color::Rgb(r, g, b) => Some(Rgb(r, g, b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_lifted_colour_can_be_read_on_any_background(text: (u8, u8, u8), back: (u8, u8, u8)) {
            let (text, back) = (Rgb(text.0, text.1, text.2), Rgb(back.0, back.1, back.2));
            let shown = lifted(text, back).unwrap_or(text);
            prop_assert!(contrast(shown, back) >= LEAST_CONTRAST);
        }
    }

    #[test]
    fn colours_are_fitted_to_what_the_terminal_can_show() {
        let orange = Color::Rgb(255, 135, 0);
        assert_eq!(fitted(orange, ColorDepth::True), orange);
        assert_eq!(fitted(orange, ColorDepth::Indexed), Color::Indexed(208));
        assert_eq!(fitted(Color::Rgb(250, 5, 5), ColorDepth::Sixteen), Color::LightRed);
        assert_eq!(fitted(Color::Cyan, ColorDepth::Indexed), Color::Cyan);
        let near = [orange, Color::Rgb(255, 136, 1), Color::Rgb(250, 130, 0), Color::Green];
        let apart = fitted_apart(&near, &[], ColorDepth::Indexed);
        assert_eq!(apart.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        assert_eq!((apart[0], apart[3]), (Color::Indexed(208), Color::Green));
        assert!(is_grey(Some(Color::Rgb(138, 138, 138))) && !is_grey(Some(orange)));
        assert!(!is_grey(Some(Color::Rgb(20, 20, 20))) && !is_grey(Some(Color::Cyan)));
    }
}
