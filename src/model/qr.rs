//! QR codes as text.

/// A QR code in half blocks, dark on light, with its quiet zone. Empty if the text is too long for a QR code.
pub fn rows(text: &str) -> Vec<String> {
    const QUIET: usize = 2;
    let Ok(code) = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L) else {
        return Vec::new();
    };
    let width = code.width();
    let colors = code.into_colors();
    let dark = |x: usize, y: usize| {
        let inside = |n: usize| n.checked_sub(QUIET).filter(|n| *n < width);
        let at = inside(x).zip(inside(y)).map(|(x, y)| y * width + x);
        at.and_then(|at| colors.get(at)).is_some_and(|c| *c == qrcode::Color::Dark)
    };
    let size = width + 2 * QUIET;
    (0..size)
        .step_by(2)
        .map(|y| {
            (0..size)
                .map(|x| match (dark(x, y), dark(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_edge() {
        let code = rows("https://join.example/AbC123");
        let width = code[0].chars().count();
        assert!(code.iter().all(|row| row.chars().count() == width));
        assert!(code[0].trim().is_empty(), "the quiet zone");
        // The finder pattern: seven dark modules in a row, at the left and at the right.
        assert!(
            code[1].trim().starts_with("█▀▀▀▀▀█") && code[1].trim().ends_with("█▀▀▀▀▀█"),
            "{code:#?}"
        );
        assert!(rows(&"x".repeat(8000)).is_empty());
    }
}
