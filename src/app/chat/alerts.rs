//! Which messages of a chat draw attention: the user's choices for it, which are stored on this machine.

use super::{Chat, Env};
use crate::app::prefs::Prefs;
use crate::model::{NotifyAbout, Request, Timestamp};

/// How long a chat is to be muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuteFor {
    Hours(i64),
    /// Until eight o'clock.
    Tomorrow,
}

const HOUR: i64 = 3_600_000;
const MORNING: i64 = 8 * HOUR;

impl Chat {
    /// Whether its messages draw no attention: by the setting on the server, for a while, or because it was put away.
    pub fn is_muted(&self) -> bool {
        self.info.muted || self.choices.muted_until.is_some() || self.choices.put_away
    }

    /// What notifications are about in this chat, muting aside.
    pub fn notifies_about(&self, configured: NotifyAbout) -> NotifyAbout {
        self.choices.notify.unwrap_or(configured)
    }
}

pub fn save(chat: &Chat, env: &mut Env<'_>) {
    let (conversation, choices) = (chat.info.id.clone(), chat.choices.clone());
    env.request(Request::SaveChoices { conversation, choices });
}

/// Chooses what notifications are about; `None` follows the configuration.
pub fn set_notify(chat: &mut Chat, env: &mut Env<'_>, about: Option<NotifyAbout>) {
    chat.choices.notify = about;
    save(chat, env);
    let configured = env.prefs.choices.notifications.about;
    env.note(&format!("Notifications here: {}", chat.notifies_about(configured).words()));
}

/// Mutes the chat for a while.
pub fn mute(chat: &mut Chat, env: &mut Env<'_>, time: MuteFor) {
    let (now, zone) = (env.now.wall, &env.prefs.zone);
    let until = match time {
        MuteFor::Hours(hours) => Timestamp(now.0.saturating_add(hours * HOUR)),
        MuteFor::Tomorrow => Timestamp(now.next_midnight(zone).0.saturating_add(MORNING)),
    };
    chat.choices.muted_until = Some(until);
    save(chat, env);
    env.note(&format!("Muted until {}", muted_words(until, now, env.prefs)));
}

/// When muting ends: the time, and the day if it is not today.
pub fn muted_words(until: Timestamp, now: Timestamp, prefs: &Prefs) -> String {
    let (zone, clock) = (&prefs.zone, prefs.clock(until));
    match until.day(zone) - now.day(zone) {
        0 => clock,
        1 => format!("tomorrow {clock}"),
        _ => format!("{} {clock}", until.date(zone)),
    }
}

/// Ends temporary muting; false if the chat is not temporarily muted.
pub fn unmute(chat: &mut Chat, env: &mut Env<'_>) -> bool {
    let was_muted = chat.choices.muted_until.take().is_some();
    if was_muted {
        save(chat, env);
    }
    was_muted
}
