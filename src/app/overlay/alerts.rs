//! Notifications of one chat: which messages they are about, and temporary muting.

use super::content::{Content, DialogLine, step};
use super::questions::change_flag;
use super::reactions::digit;
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::Chat;
use crate::app::chat::alerts::{self, MuteFor, muted_words};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::{ChatRef, NotifyAbout, ThreadFlag};

#[derive(Debug)]
pub struct Alerts {
    chat: ChatRef,
    marked: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AlertChoice {
    About(Option<NotifyAbout>),
    Mute(MuteFor),
    MuteForGood,
    Unmute,
}

impl AlertChoice {
    const ALL: [Self; 9] = [
        Self::About(None),
        Self::About(Some(NotifyAbout::All)),
        Self::About(Some(NotifyAbout::Mentions)),
        Self::About(Some(NotifyAbout::Nothing)),
        Self::Mute(MuteFor::Hours(1)),
        Self::Mute(MuteFor::Hours(8)),
        Self::Mute(MuteFor::Tomorrow),
        Self::MuteForGood,
        Self::Unmute,
    ];

    fn words(self, app: &AppState) -> String {
        let configured = app.prefs.choices.notifications.about;
        match self {
            Self::About(None) => format!("As configured: {}", configured.words()),
            Self::About(Some(NotifyAbout::All)) => "All messages".into(),
            Self::About(Some(NotifyAbout::Mentions)) => "Mentions and keywords only".into(),
            Self::About(Some(NotifyAbout::Nothing)) => "Nothing".into(),
            Self::Mute(MuteFor::Hours(1)) => "Mute for 1 hour".into(),
            Self::Mute(MuteFor::Hours(hours)) => format!("Mute for {hours} hours"),
            Self::Mute(MuteFor::Tomorrow) => "Mute until tomorrow morning".into(),
            Self::MuteForGood => "Mute for good, on all your devices".into(),
            Self::Unmute => "Unmute".into(),
        }
    }

    /// The text at its right: whether it is the current state.
    fn state(self, app: &AppState, chat: &Chat) -> String {
        let now = app.clock.wall;
        let until = chat.choices.muted_until;
        let is_now = match self {
            Self::About(about) => about == chat.choices.notify,
            Self::MuteForGood => chat.info.muted,
            Self::Unmute => {
                let words = until.map(|until| muted_words(until, now, &app.prefs));
                return words.map(|words| format!("muted until {words}")).unwrap_or_default();
            }
            Self::Mute(_) => false,
        };
        if is_now { "✓".into() } else { String::new() }
    }
}

/// The choices that are available now.
fn choices(chat: &Chat) -> impl Iterator<Item = AlertChoice> + use<> {
    let is_muted = chat.is_muted();
    AlertChoice::ALL.into_iter().filter(move |c| *c != AlertChoice::Unmute || is_muted)
}

impl Alerts {
    pub fn new(chat: ChatRef) -> Self {
        Self { chat, marked: 0 }
    }

    fn carry_out(&self, choice: AlertChoice, app: &mut AppState) {
        let set_flag = |app: &mut AppState, on| {
            let is_muted = app.accounts.chat(&self.chat).is_some_and(|chat| chat.info.muted);
            if is_muted == on {
                // It only affects the user's own account, so no confirmation is needed.
                change_flag(app, &self.chat, ThreadFlag::Alerts, Some(on));
            }
        };
        match choice {
            AlertChoice::About(about) => {
                app.with_chat(&self.chat, |chat, env| alerts::set_notify(chat, env, about));
            }
            AlertChoice::Mute(time) => {
                app.with_chat(&self.chat, |chat, env| alerts::mute(chat, env, time));
            }
            AlertChoice::MuteForGood => {
                app.with_chat(&self.chat, alerts::unmute);
                set_flag(app, false);
            }
            AlertChoice::Unmute => {
                if app.with_chat(&self.chat, alerts::unmute) == Some(true) {
                    app.note("Alerts are on");
                }
                set_flag(app, true);
            }
        }
    }
}

impl Dialog for Alerts {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let Some(chat) = app.accounts.chat(&self.chat) else {
            return Content::new("", Vec::new(), "");
        };
        let lines = (1..).zip(choices(chat)).map(|(n, choice)| {
            DialogLine::new(format!("{n}  {}", choice.words(app)), choice.state(app, chat))
        });
        let title = format!("Notifications: {}", app.accounts.of(chat).title(chat));
        Content::new(title, lines.collect(), "Enter or the number chooses · Esc closes")
            .narrow()
            .with_marked(self.marked, "")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let Some(chat) = env.app.accounts.chat(&self.chat) else { return Next::Close };
        let mut choices = choices(chat);
        let chosen = match action {
            OverlayAction::Choose => choices.nth(self.marked),
            OverlayAction::Type(c) => digit(c).and_then(|at| choices.nth(at)),
            other => {
                let by = other.step_or_tab(env.page).unwrap_or(0);
                step(&mut self.marked, by, choices.count());
                None
            }
        };
        let Some(choice) = chosen else { return Next::Stay };
        self.carry_out(choice, env.app);
        Next::Close
    }
}
