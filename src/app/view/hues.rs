//! Which colour each person's name has in a chat.
//!
//! A person's preferred colour is derived from their id, so it is the same in every chat and every run. If somebody
//! else in the chat has it already, they get the next free one. People who wrote before the chat was opened are
//! assigned theirs in order of id and not of messages, so that this, too, is the same in the next run.

use crate::app::chat::Chat;
use crate::model::{ChatRef, Message, UserId};
use std::collections::{BTreeSet, HashMap};

/// How many colours a full palette has, and the palette of a terminal with sixteen colours.
pub const HUES: u8 = 12;
pub const FEW_HUES: u8 = 6;
/// How many of the newest messages are searched for senders when a chat is opened.
const LOOKED_THROUGH: usize = 200;

/// The number of a person's colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hue {
    /// Below [`HUES`].
    pub of_many: u8,
    /// Below [`FEW_HUES`].
    pub of_few: u8,
}

/// The colours of a run. Nobody's colour changes while the program runs.
#[derive(Default)]
pub struct Hues(HashMap<ChatRef, ChatHues>);

impl Hues {
    /// The colour of the sender of a message in a chat. The user's own name has a colour of the theme.
    pub fn of(&mut self, chat: &Chat, me: &UserId, message: &Message) -> Hue {
        if message.sender == *me {
            return Hue::default();
        }
        let hues = self.0.entry(chat.chat_ref()).or_insert_with(|| ChatHues::of(chat, me));
        hues.assign(&message.sender)
    }
}

#[derive(Default)]
struct ChatHues {
    people: HashMap<UserId, Hue>,
    many: TakenHues,
    few: TakenHues,
}

impl ChatHues {
    fn of(chat: &Chat, me: &UserId) -> Self {
        let messages = chat.timeline.iter().rev().take(LOOKED_THROUGH);
        let senders = messages.map(|message| &message.sender);
        let people: BTreeSet<&UserId> = senders.filter(|sender| *sender != me).collect();
        let mut hues = Self::default();
        for who in people {
            hues.assign(who);
        }
        hues
    }

    fn assign(&mut self, who: &UserId) -> Hue {
        if let Some(hue) = self.people.get(who) {
            return *hue;
        }
        // FNV-1a: the same in every run and build.
        let hash = who
            .as_str()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let hash = hash ^ hash >> 16;
        let hue = Hue {
            of_many: self.many.take((hash % u32::from(HUES)) as u8, HUES),
            of_few: self.few.take((hash % u32::from(FEW_HUES)) as u8, FEW_HUES),
        };
        self.people.insert(who.clone(), hue);
        hue
    }
}

/// A bit for each colour that somebody has.
#[derive(Default)]
struct TakenHues(u16);

impl TakenHues {
    /// The preferred colour, or the next free one; the preferred one again if none is free.
    fn take(&mut self, preferred: u8, count: u8) -> u8 {
        let mut order = (0..count).map(|step| (preferred + step) % count);
        let free = order.find(|hue| self.0 & 1 << hue == 0).unwrap_or(preferred);
        self.0 |= 1 << free;
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hue(hues: &mut ChatHues, n: u32) -> Hue {
        hues.assign(&UserId::new(format!("8:person.{n}")))
    }

    proptest! {
        #[test]
        fn any_twelve_people_have_twelve_colours(people: [u32; 12]) {
            let mut hues = ChatHues::default();
            let distinct: BTreeSet<u32> = people.into();
            let of_many: BTreeSet<u8> = people.iter().map(|n| hue(&mut hues, *n).of_many).collect();
            prop_assert_eq!(of_many.len(), distinct.len());
            prop_assert!(of_many.iter().all(|hue| *hue < HUES));
            let again: BTreeSet<u8> = people.iter().map(|n| hue(&mut hues, *n).of_many).collect();
            prop_assert_eq!(again, of_many);
        }
    }

    #[test]
    fn six_people_have_six_of_few_colours_and_more_share_them() {
        let mut hues = ChatHues::default();
        let few: BTreeSet<u8> = (0..6).map(|n| hue(&mut hues, n).of_few).collect();
        assert_eq!(few.len(), 6);
        assert!((6..200).all(|n| hue(&mut hues, n).of_few < FEW_HUES));
        let shared: BTreeSet<u8> = (6..200).map(|n| hue(&mut hues, n).of_many).collect();
        assert_eq!(shared.len(), usize::from(HUES), "the rest is spread over all of them");
    }

    #[test]
    fn the_first_in_a_chat_has_the_colour_that_they_have_everywhere() {
        let alone = |n: u32| hue(&mut ChatHues::default(), n);
        let mut hues = ChatHues::default();
        assert_eq!(hue(&mut hues, 5), alone(5));
        assert_eq!(alone(7), alone(7));
    }
}
