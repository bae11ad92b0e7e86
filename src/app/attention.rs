//! New messages to notify about: collected for a moment, and notified about once per burst.

use crate::model::{ChatRef, MessageKey, SafeText};
use std::collections::HashMap;
use std::time::Duration;

/// How long messages are collected. In that time it may turn out that they were read on another device.
const COLLECT: Duration = Duration::from_millis(400);
/// Messages of one chat that follow each other within this time are one burst.
const BURST: Duration = Duration::from_secs(20);
/// A burst that lasts longer causes another notification.
const LONGEST_BURST: Duration = Duration::from_secs(300);
/// Finished bursts are forgotten when there are more than this.
const MAX_BURSTS: usize = 64;
/// How many notifications about one chat (the newest ones) can be withdrawn.
const MAX_SHOWN: usize = 16;

/// A message that may be worth a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshMessage {
    pub key: MessageKey,
    /// The message mentions the user or contains a keyword.
    pub is_for_me: bool,
    /// The sender and the text, in one line.
    pub text: SafeText,
}

/// The messages of one chat that the next notification is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshMessages {
    pub chat: ChatRef,
    pub count: usize,
    /// The last message; once there are messages for the user, the last of those.
    pub last: FreshMessage,
}

#[derive(Clone, Debug)]
struct Burst {
    began: Duration,
    last: Duration,
    newest: MessageKey,
    /// The burst contained a message for the user.
    was_for_me: bool,
    /// The numbers of the notifications about this chat that are believed to be still shown.
    shown: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Attention {
    waiting: Vec<FreshMessages>,
    /// When (monotonic) the collected messages are notified about.
    pub due: Option<Duration>,
    bursts: HashMap<ChatRef, Burst>,
    shown: u64,
    /// The user was told that the notification program cannot be started.
    pub told_of_program: bool,
    /// The user knows that nothing on the D-Bus session shows notifications.
    pub told_of_service: bool,
}

impl Attention {
    /// Whether this message of the chat was taken before.
    pub fn knows(&self, chat: &ChatRef, key: &MessageKey) -> bool {
        self.bursts.get(chat).is_some_and(|burst| *key <= burst.newest)
    }

    /// Takes a message. In a burst, only the first message and the first one for the user cause notifications.
    pub fn take(&mut self, chat: &ChatRef, message: FreshMessage, now: Duration) {
        if let Some(waiting) = self.waiting.iter_mut().find(|new| new.chat == *chat) {
            waiting.count += 1;
            if message.is_for_me || !waiting.last.is_for_me {
                waiting.last = message.clone();
            }
            self.extend_burst(chat, &message, now);
            return;
        }
        let goes_on = self.bursts.get(chat).is_some_and(|burst| {
            now < burst.last + BURST
                && now < burst.began + LONGEST_BURST
                && (burst.was_for_me || !message.is_for_me)
        });
        if goes_on {
            self.extend_burst(chat, &message, now);
            return;
        }
        self.forget_old(now);
        let shown = self.bursts.remove(chat).map(|burst| burst.shown).unwrap_or_default();
        let burst = Burst {
            began: now,
            last: now,
            newest: message.key.clone(),
            was_for_me: message.is_for_me,
            shown,
        };
        self.bursts.insert(chat.clone(), burst);
        self.waiting.push(FreshMessages { chat: chat.clone(), count: 1, last: message });
        self.due.get_or_insert(now + COLLECT);
    }

    fn extend_burst(&mut self, chat: &ChatRef, message: &FreshMessage, now: Duration) {
        if let Some(burst) = self.bursts.get_mut(chat) {
            burst.last = now;
            burst.newest = burst.newest.clone().max(message.key.clone());
            burst.was_for_me |= message.is_for_me;
        }
    }

    fn forget_old(&mut self, now: Duration) {
        if self.bursts.len() >= MAX_BURSTS {
            self.bursts.retain(|_, burst| now < burst.last + LONGEST_BURST);
        }
    }

    /// The collected messages, once they have been collected for long enough.
    pub fn collected(&mut self, now: Duration) -> Vec<FreshMessages> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.due = None;
        std::mem::take(&mut self.waiting)
    }

    /// Registers a notification about these chats; returns its number.
    pub fn show(&mut self, chats: &[FreshMessages]) -> u64 {
        self.shown += 1;
        for new in chats {
            if let Some(burst) = self.bursts.get_mut(&new.chat) {
                if burst.shown.len() >= MAX_SHOWN {
                    burst.shown.remove(0);
                }
                burst.shown.push(self.shown);
            }
        }
        self.shown
    }

    /// The messages of a chat were read, here or elsewhere. Returns the numbers of the notifications that no longer
    /// announce anything.
    pub fn read(&mut self, chat: &ChatRef) -> Vec<u64> {
        self.waiting.retain(|new| new.chat != *chat);
        let burst = self.bursts.get_mut(chat);
        let mut numbers = burst.map(|burst| std::mem::take(&mut burst.shown)).unwrap_or_default();
        numbers.retain(|number| !self.bursts.values().any(|burst| burst.shown.contains(number)));
        numbers
    }
}
