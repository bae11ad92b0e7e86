//! Desktop notifications: through an escape sequence of the terminal, the desktop's service over D-Bus, a program of
//! the user, or the bell.
//!
//! A program gets the text as arguments and never through a shell. Received text in a sequence cannot end it, because
//! [`SafeText`] holds no control characters.

mod session_bus;

use self::session_bus::SessionBus;
use super::clipboard::through_screen;
use crate::app::effect::{Alert, Notification, Outcome};
use crate::model::{DesktopWay, NotificationPreferences, SafeText};
use crate::process::{self, with_all_signals};
use base64::Engine;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc};

/// The time limit for a program.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many programs may run at once; beyond that, notifications are not passed to a program.
const MAX_PROGRAMS: usize = 4;

const BELL: &str = "\x07";

/// The multiplexer between the program and the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Multiplexer {
    #[default]
    None,
    Tmux,
    Screen,
    /// Does not pass on sequences.
    Zellij,
}

/// What the environment says about the terminal and the desktop around it.
#[derive(Clone, Debug, Default)]
pub struct NotifierHints {
    term: String,
    /// `TERM_PROGRAM`.
    program: String,
    is_kitty: bool,
    multiplexer: Multiplexer,
    /// There is a D-Bus session on the user's own machine, not at the other end of SSH.
    has_session_bus: bool,
}

impl NotifierHints {
    pub fn of_environment() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let multiplexer = match () {
            () if has("TMUX") => Multiplexer::Tmux,
            () if has("STY") => Multiplexer::Screen,
            () if has("ZELLIJ") => Multiplexer::Zellij,
            () => Multiplexer::None,
        };
        Self {
            term: var("TERM"),
            program: var("TERM_PROGRAM"),
            is_kitty: has("KITTY_WINDOW_ID"),
            multiplexer,
            has_session_bus: !has("SSH_CONNECTION")
                && (has("DBUS_SESSION_BUS_ADDRESS") || has_default_bus()),
        }
    }

    /// How notifications are shown with these preferences, in words for the user.
    pub fn description(&self, prefs: &NotificationPreferences) -> String {
        let way = match self.way(prefs) {
            Some(DesktopWay::Osc9) => Some("by the terminal (OSC 9)"),
            Some(DesktopWay::Osc777) => Some("by the terminal (OSC 777)"),
            Some(DesktopWay::Osc99) => Some("by the terminal (OSC 99)"),
            Some(DesktopWay::Dbus) => Some("by the desktop (D-Bus)"),
            Some(DesktopWay::Auto | DesktopWay::Off) | None => None,
        };
        let bell = self.rings(prefs).then_some("by the terminal's bell");
        let program = (!prefs.command.is_empty()).then_some("by a program");
        let ways: Vec<&str> = [way, bell, program].into_iter().flatten().collect();
        if ways.is_empty() { "not shown".to_owned() } else { ways.join(" and ") }
    }

    fn way(&self, prefs: &NotificationPreferences) -> Option<DesktopWay> {
        match prefs.desktop {
            DesktopWay::Auto => {
                let bus = self.has_session_bus.then_some(DesktopWay::Dbus);
                self.sequence().or(bus)
            }
            DesktopWay::Off => None,
            way => Some(way),
        }
    }

    /// Whether the bell rings with each notification. Multiplexers mark a window whose bell rang.
    fn rings(&self, prefs: &NotificationPreferences) -> bool {
        let is_needed = self.way(prefs).is_none() || self.multiplexer != Multiplexer::None;
        prefs.bell || (prefs.desktop == DesktopWay::Auto && is_needed)
    }

    /// The table of known terminals; `None` for all others. Inside a multiplexer, the terminal around it is not known:
    /// the environment may describe another one.
    fn sequence(&self) -> Option<DesktopWay> {
        let is = |names: &[&str]| names.iter().any(|name| self.term.starts_with(name));
        match self.program.as_str() {
            _ if self.multiplexer != Multiplexer::None => None,
            "iTerm.app" => Some(DesktopWay::Osc9),
            "WezTerm" | "ghostty" | "mintty" | "contour" | "WarpTerminal" => {
                Some(DesktopWay::Osc777)
            }
            _ if self.is_kitty || is(&["xterm-kitty"]) => Some(DesktopWay::Osc99),
            _ if is(&["foot", "rxvt-unicode", "xterm-ghostty", "wezterm", "contour"]) => {
                Some(DesktopWay::Osc777)
            }
            _ => None,
        }
    }
}

/// Whether the default socket of a D-Bus session exists, used if the environment has no address.
fn has_default_bus() -> bool {
    std::env::var_os("XDG_RUNTIME_DIR")
        .is_some_and(|folder| Path::new(&folder).join("bus").exists())
}

/// Shows notifications.
pub struct Notifier {
    hints: NotifierHints,
    programs: Arc<Semaphore>,
    bus: SessionBus,
}

impl Notifier {
    pub fn new(hints: NotifierHints) -> Self {
        Self { hints, programs: Arc::new(Semaphore::new(MAX_PROGRAMS)), bus: SessionBus::default() }
    }

    /// Carries out an alert: returns the bytes for the terminal, and starts everything else in the background.
    pub fn carry_out(
        &self,
        prefs: &NotificationPreferences,
        alert: &Alert,
        outcomes: &mpsc::Sender<Outcome>,
    ) -> Vec<u8> {
        match alert {
            Alert::Notify(new) => {
                self.run_command(prefs, new, outcomes);
                let mut sequence = self.sequence(prefs, new);
                if self.way(prefs) == Some(DesktopWay::Dbus) {
                    let has_rung = !sequence.is_empty();
                    let is_taken = self.bus.show(new, has_rung, outcomes);
                    if !is_taken && !has_rung {
                        sequence.extend_from_slice(BELL.as_bytes());
                    }
                }
                sequence
            }
            Alert::Withdraw(number) => {
                self.bus.withdraw(*number);
                self.withdrawal(prefs, *number)
            }
            Alert::Bell => BELL.as_bytes().to_vec(),
        }
    }

    /// The sequence that withdraws a notification, if the terminal supports that.
    fn withdrawal(&self, prefs: &NotificationPreferences, number: u64) -> Vec<u8> {
        match self.way(prefs) {
            Some(DesktopWay::Osc99) => {
                self.wrapped(&format!("\x1b]99;i=skchat-{number}:p=close;\x1b\\"))
            }
            _ => Vec::new(),
        }
    }

    /// The bytes for the terminal for a notification; empty if it gets none.
    fn sequence(&self, prefs: &NotificationPreferences, new: &Notification) -> Vec<u8> {
        let way = self.way(prefs);
        let mut bytes = way.map(|way| self.wrapped(&shown(way, new))).unwrap_or_default();
        if self.hints.rings(prefs) {
            bytes.extend_from_slice(BELL.as_bytes());
        }
        bytes
    }

    fn way(&self, prefs: &NotificationPreferences) -> Option<DesktopWay> {
        self.hints.way(prefs)
    }

    /// A sequence for the terminal around the multiplexer.
    fn wrapped(&self, sequence: &str) -> Vec<u8> {
        if sequence.is_empty() {
            return Vec::new();
        }
        match self.hints.multiplexer {
            // Needs `allow-passthrough` in tmux.
            Multiplexer::Tmux => {
                let doubled = sequence.replace('\x1b', "\x1b\x1b");
                format!("\x1bPtmux;{doubled}\x1b\\").into_bytes()
            }
            Multiplexer::Screen => through_screen(sequence),
            Multiplexer::None | Multiplexer::Zellij => sequence.as_bytes().to_vec(),
        }
    }

    /// Starts the user's program in the background. If it cannot be started, that is reported as an outcome.
    fn run_command(
        &self,
        prefs: &NotificationPreferences,
        new: &Notification,
        outcomes: &mpsc::Sender<Outcome>,
    ) {
        let Some((program, arguments)) = argv(&prefs.command, new) else { return };
        let Ok(permit) = Arc::clone(&self.programs).try_acquire_owned() else {
            tracing::info!("too many notification programs are running");
            return;
        };
        let outcomes = outcomes.clone();
        tokio::spawn(async move {
            let mut command = Command::from(process::command(&program));
            command.args(arguments).kill_on_drop(true);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            match with_all_signals(|| command.spawn()) {
                Ok(mut child) => {
                    let _ = tokio::time::timeout(PATIENCE, child.wait()).await;
                }
                Err(_) => {
                    // The loop may have ended in the meantime.
                    let _ = outcomes.send(Outcome::NotNotified { program }).await;
                }
            }
            drop(permit);
        });
    }
}

/// The program and its arguments.
fn argv(command: &[String], new: &Notification) -> Option<(String, Vec<String>)> {
    let (program, rest) = command.split_first().filter(|(program, _)| !program.is_empty())?;
    let (title, text) = (argument(&new.title), argument(&new.text));
    let mut arguments: Vec<String> = rest.iter().map(|word| filled(word, &title, &text)).collect();
    if !rest.iter().any(|word| word.contains("{title}") || word.contains("{text}")) {
        arguments.extend([title, text]);
    }
    Some((program.clone(), arguments))
}

/// A word of the command with its placeholders filled in. Placeholders in the inserted text are not replaced.
fn filled(word: &str, title: &str, text: &str) -> String {
    let parts = word.split("{title}").map(|part| part.replace("{text}", text));
    parts.collect::<Vec<_>>().join(title)
}

/// Received text as an argument: it must not be mistaken for an option.
fn argument(text: &SafeText) -> String {
    let text = without_markup(text);
    if text.starts_with('-') { format!(" {text}") } else { text }
}

/// Notification services interpret tags and entities: their characters are replaced with lookalikes.
fn without_markup(text: &SafeText) -> String {
    text.replace('<', "‹").replace('>', "›").replace('&', "＆")
}

/// The sequence that shows a notification.
fn shown(way: DesktopWay, new: &Notification) -> String {
    let (title, text) = (without_markup(&new.title), without_markup(&new.text));
    match way {
        // Begins with a name: terminals would take a leading number as another command.
        DesktopWay::Osc9 if title == "skchat" => format!("\x1b]9;skchat: {text}\x07"),
        DesktopWay::Osc9 => format!("\x1b]9;skchat: {title}: {text}\x07"),
        DesktopWay::Osc777 => {
            // A semicolon ends the title.
            let title = title.replace(';', ",");
            format!("\x1b]777;notify;{title};{text}\x07")
        }
        DesktopWay::Osc99 => {
            let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
            let (id, title, text) = (new.number, encode(&title), encode(&text));
            format!(
                "\x1b]99;i=skchat-{id}:d=0:e=1;{title}\x1b\\\x1b]99;i=skchat-{id}:d=1:e=1:p=body;{text}\x1b\\"
            )
        }
        DesktopWay::Auto | DesktopWay::Dbus | DesktopWay::Off => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(title: &str, text: &str) -> Notification {
        Notification { number: 7, title: SafeText::line(title), text: SafeText::line(text) }
    }

    fn notifier(term: &str, program: &str, multiplexer: Multiplexer) -> Notifier {
        let hints = NotifierHints {
            term: term.into(),
            program: program.into(),
            multiplexer,
            ..NotifierHints::default()
        };
        Notifier::new(hints)
    }

    fn sent(notifier: &Notifier, desktop: DesktopWay, new: &Notification) -> String {
        let prefs = NotificationPreferences { desktop, ..NotificationPreferences::default() };
        String::from_utf8(notifier.sequence(&prefs, new)).unwrap()
    }

    #[test]
    fn each_terminal_gets_the_sequence_that_it_knows_and_others_the_bell() {
        let auto = |term: &str, program: &str| {
            sent(&notifier(term, program, Multiplexer::None), DesktopWay::Auto, &new("Joe", "Hi"))
        };
        let rxvt = "\x1b]777;notify;Joe;Hi\x07";
        assert_eq!(auto("xterm-256color", "iTerm.app"), "\x1b]9;skchat: Joe: Hi\x07");
        assert_eq!(auto("xterm-256color", "WezTerm"), rxvt);
        assert_eq!(auto("rxvt-unicode-256color", ""), rxvt);
        assert_eq!(auto("foot-extra", ""), rxvt);
        let kitty =
            "\x1b]99;i=skchat-7:d=0:e=1;Sm9l\x1b\\\x1b]99;i=skchat-7:d=1:e=1:p=body;SGk=\x1b\\";
        assert_eq!(auto("xterm-kitty", ""), kitty);
        for term in ["xterm-256color", "linux", "alacritty", ""] {
            assert_eq!(auto(term, ""), BELL, "{term}");
        }
    }

    #[test]
    fn the_description_names_every_way_that_is_used() {
        let words = |term: &str, multiplexer, desktop, bell, command: &[&str]| {
            let command = command.iter().map(|&word| word.to_owned()).collect();
            let prefs = NotificationPreferences {
                desktop,
                command,
                bell,
                ..NotificationPreferences::default()
            };
            notifier(term, "", multiplexer).hints.description(&prefs)
        };
        let none = Multiplexer::None;
        assert_eq!(words("foot", none, DesktopWay::Auto, false, &[]), "by the terminal (OSC 777)");
        assert_eq!(words("xterm", none, DesktopWay::Auto, false, &[]), "by the terminal's bell");
        let both = words("xterm", Multiplexer::Tmux, DesktopWay::Dbus, true, &["show"]);
        assert_eq!(both, "by the desktop (D-Bus) and by the terminal's bell and by a program");
        assert_eq!(words("foot", none, DesktopWay::Off, false, &[]), "not shown");
    }

    #[test]
    fn a_multiplexer_gets_the_bell_and_passes_on_what_was_chosen() {
        let tmux = notifier("tmux-256color", "tmux", Multiplexer::Tmux);
        assert_eq!(sent(&tmux, DesktopWay::Auto, &new("Joe", "Hi")), BELL);
        let passed = "\x1bPtmux;\x1b\x1b]9;skchat: Joe: Hi\x07\x1b\\";
        assert_eq!(sent(&tmux, DesktopWay::Osc9, &new("Joe", "Hi")), passed);
        assert_eq!(sent(&tmux, DesktopWay::Off, &new("Joe", "Hi")), "");
        let screen = notifier("screen", "", Multiplexer::Screen);
        let passed = "\x1bP\x1b]9;skchat: Joe: Hi\x07\x1b\\";
        assert_eq!(sent(&screen, DesktopWay::Osc9, &new("Joe", "Hi")), passed);
    }

    #[test]
    fn in_an_unknown_terminal_the_desktop_shows_it_and_a_multiplexer_rings_as_well() {
        let way = |term: &str, multiplexer, desktop| {
            let mut notifier = notifier(term, "", multiplexer);
            notifier.hints.has_session_bus = true;
            let prefs = NotificationPreferences { desktop, ..NotificationPreferences::default() };
            let sent = String::from_utf8(notifier.sequence(&prefs, &new("Joe", "Hi"))).unwrap();
            (notifier.way(&prefs), sent)
        };
        let (dbus, auto) = (Some(DesktopWay::Dbus), DesktopWay::Auto);
        assert_eq!(way("xterm-256color", Multiplexer::None, auto), (dbus, String::new()));
        assert_eq!(way("tmux-256color", Multiplexer::Tmux, auto), (dbus, BELL.into()));
        assert_eq!(way("foot", Multiplexer::None, auto).0, Some(DesktopWay::Osc777));
        assert_eq!(way("foot", Multiplexer::Tmux, DesktopWay::Dbus), (dbus, String::new()));
        assert_eq!(way("linux", Multiplexer::None, DesktopWay::Off), (None, String::new()));
    }

    #[test]
    fn received_text_neither_ends_a_sequence_nor_becomes_markup_or_an_option() {
        let evil = new("a;b\x1b]0;x\x07", "\x1b\\<b>&\u{9c}\r\nend");
        for way in [DesktopWay::Osc9, DesktopWay::Osc777, DesktopWay::Osc99] {
            let sequence = shown(way, &evil);
            let inner = sequence.replace("\x1b]99;", "").replace("\x1b\\", "");
            let inner = inner.trim_start_matches("\x1b]").trim_end_matches('\x07');
            assert!(!inner.contains(|c: char| c.is_control() || c == '<' || c == '&'), "{inner:?}");
        }
        assert_eq!(shown(DesktopWay::Osc777, &new("a;b", "c;d")), "\x1b]777;notify;a,b;c;d\x07");
        assert_eq!(shown(DesktopWay::Osc9, &new("4;1;50", "x")), "\x1b]9;skchat: 4;1;50: x\x07");
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let run = |command: &[&str], new: &Notification| argv(&words(command), new).unwrap().1;
        assert_eq!(run(&["n"], &new("--help", "-u <b>")), words(&[" --help", " -u ‹b›"]));
        assert_eq!(
            run(&["n", "-t", "{title}: {text}"], &new("{text}", "$(x)")),
            words(&["-t", "{text}: $(x)"])
        );
        assert_eq!(argv(&[], &new("a", "b")), None);
    }

    #[test]
    fn of_the_terminals_only_kitty_takes_a_notification_back() {
        let prefs = NotificationPreferences::default();
        let back = |term: &str| notifier(term, "", Multiplexer::None).withdrawal(&prefs, 7);
        assert_eq!(back("xterm-kitty"), b"\x1b]99;i=skchat-7:p=close;\x1b\\");
        assert!(back("foot").is_empty() && back("xterm").is_empty());
    }
}
