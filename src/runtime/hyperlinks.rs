//! Whether the terminal supports links (OSC 8), by a table of known terminals. Others may show the sequence as text.

use crate::model::Hyperlinks;

/// Whether links are written to the terminal of this environment.
pub fn are_written(chosen: Hyperlinks) -> bool {
    match chosen {
        Hyperlinks::On => true,
        Hyperlinks::Off => false,
        Hyperlinks::Auto => are_known(&|name| std::env::var(name).unwrap_or_default()),
    }
}

/// Kitty, iTerm2, WezTerm, Ghostty, foot, Contour, Alacritty, VS Code, VTE since 0.50 and Windows Terminal support
/// links. Inside tmux, GNU screen and Zellij, support is uncertain.
fn are_known(var: &dyn Fn(&str) -> String) -> bool {
    if ["TMUX", "STY", "ZELLIJ"].iter().any(|name| !var(name).is_empty()) {
        return false;
    }
    let (term, program) = (var("TERM"), var("TERM_PROGRAM"));
    let programs = ["iTerm.app", "WezTerm", "ghostty", "contour", "vscode"];
    let terms = ["xterm-kitty", "xterm-ghostty", "wezterm", "foot", "contour", "alacritty"];
    programs.contains(&program.as_str())
        || terms.iter().any(|known| term == *known || term.starts_with(&format!("{known}-")))
        || var("VTE_VERSION").parse::<u32>().is_ok_and(|version| version >= 5000)
        || !var("WT_SESSION").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_for_terminals_that_are_known_to_have_them() {
        let known = |set: &[(&str, &str)]| {
            are_known(&|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
            })
        };
        assert!(known(&[("TERM", "xterm-kitty")]));
        assert!(known(&[("TERM", "foot-extra")]));
        assert!(known(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")]));
        assert!(known(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")]));
        assert!(!known(&[("TERM", "xterm-256color")]));
        assert!(!known(&[("TERM", "linux")]));
        assert!(!known(&[("TERM", "xterm-256color"), ("VTE_VERSION", "4800")]));
        assert!(!known(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x"), ("VTE_VERSION", "7600")]));
    }
}
