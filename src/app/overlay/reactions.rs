//! Chooses a reaction: one used before, a usual one, or any emoji by its name. Choosing the same one again removes it.

use super::content::{Content, DialogLine, step};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::Chat;
use crate::app::chat::message_change::{REACTIONS, react};
use crate::app::chat::suggestions::find_emoji;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::shown;
use crate::model::text::fit;
use crate::model::{ChatRef, EmojiStyle, MessageKey, SafeText, UserId, emoticon};
use std::collections::HashSet;

/// How many recently used reactions are listed above the usual ones.
const RECENT: usize = 5;
/// How many loaded messages are searched for own reactions.
const LOOK_BACK: usize = 500;

#[derive(Debug)]
pub struct Reactions {
    chat: ChatRef,
    message: MessageKey,
    input: String,
    marked: usize,
}

/// A reaction that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OfferedReaction {
    /// Its key on the wire.
    key: String,
    picture: SafeText,
    name: String,
}

impl OfferedReaction {
    fn of_key(key: &str) -> Self {
        let picture = emoticon::shown(key, "", EmojiStyle::Glyph);
        let name = key.split_once('_').map_or(key, |(_, name)| name);
        Self { key: key.to_owned(), picture, name: name.to_owned() }
    }
}

impl Reactions {
    pub fn new(chat: ChatRef, message: MessageKey) -> Self {
        Self { chat, message, input: String::new(), marked: 0 }
    }

    fn offered(&self, app: &AppState) -> Vec<OfferedReaction> {
        if !self.input.trim().is_empty() {
            let prefix = self.input.trim().trim_matches(':').to_lowercase();
            let found = find_emoji(&prefix).into_iter().map(|(name, glyph)| OfferedReaction {
                key: emoticon::reaction_key(name, glyph),
                picture: SafeText::line(glyph),
                name: name.to_owned(),
            });
            // Not every emoji can be encoded as a key.
            let bare = |glyph: &str| glyph.replace('\u{FE0F}', "");
            let reads_back = |one: &OfferedReaction| {
                bare(&OfferedReaction::of_key(&one.key).picture) == bare(&one.picture)
            };
            return found.filter(reads_back).collect();
        }
        let Some(chat) = app.accounts.chat(&self.chat) else { return Vec::new() };
        let account = app.accounts.of(chat);
        let usual = REACTIONS.into_iter();
        // Own reactions to this message come last, so that they can be taken back.
        let (here, elsewhere) = own_reactions(chat, &account.me, &self.message);
        let recent = account.recent_reactions.iter().rev().map(String::as_str);
        let mut seen = HashSet::new();
        let mut unseen = |key: &&str| seen.insert(emoticon::shown(key, "", EmojiStyle::Glyph));
        let mut keys: Vec<&str> =
            recent.chain(elsewhere).filter(&mut unseen).take(RECENT).collect();
        keys.extend(usual.chain(here).filter(&mut unseen));
        keys.into_iter().map(OfferedReaction::of_key).collect()
    }

    fn choose(&self, app: &mut AppState, at: usize) -> Next {
        let Some(chosen) = self.offered(app).into_iter().nth(at) else { return Next::Stay };
        app.with_chat(&self.chat, |chat, env| react(chat, env, &self.message, &chosen.key));
        if let Some(account) = app.accounts.get_mut(&self.chat.account) {
            account.recent_reactions.retain(|key| *key != chosen.key);
            account.recent_reactions.push(chosen.key);
            let too_many = account.recent_reactions.len().saturating_sub(RECENT);
            account.recent_reactions.drain(..too_many);
        }
        Next::Close
    }
}

/// The keys of own reactions to this message, and to others, newest first.
fn own_reactions<'a>(
    chat: &'a Chat,
    me: &UserId,
    message: &MessageKey,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    for known in chat.timeline.iter().rev().take(LOOK_BACK) {
        let own = known.reactions.iter().filter(|reaction| reaction.users.contains(me));
        let list = if known.key == *message { &mut here } else { &mut elsewhere };
        list.extend(own.map(|reaction| &*reaction.key));
    }
    (here, elsewhere)
}

impl Dialog for Reactions {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let chat = app.accounts.chat(&self.chat);
        let me = chat.map(|chat| &app.accounts.of(chat).me);
        let message = chat.and_then(|chat| chat.timeline.get(&self.message));
        let is_mine = |picture: &SafeText| {
            let reactions = message.into_iter().flat_map(|message| &message.reactions);
            let mine = reactions.filter(|r| me.is_some_and(|me| r.users.contains(me)));
            mine.into_iter().any(|r| emoticon::shown(&r.key, "", EmojiStyle::Glyph) == *picture)
        };
        let lines = (1..).zip(self.offered(app)).map(|(n, one)| {
            let number =
                if self.input.is_empty() && n < 10 { format!("{n} ") } else { "  ".to_owned() };
            let picture = fit(&shown(&app.prefs, &one.picture), 2);
            let right = if is_mine(&one.picture) { "yours" } else { "" };
            DialogLine::new(format!("{number}{picture}  {}", one.name), right)
        });
        let hint = "type a name · choosing the same one again removes it";
        Content::new("React", lines.collect(), hint)
            .narrow()
            .with_input(&self.input)
            .with_marked(self.marked, "No emoji with that name.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose => return self.choose(env.app, self.marked),
            OverlayAction::Type(c) if self.input.is_empty() && digit(c).is_some() => {
                return digit(c).map_or(Next::Stay, |at| self.choose(env.app, at));
            }
            other => {
                if let Some(by) = other.step_or_tab(env.page) {
                    let count = self.offered(env.app).len();
                    step(&mut self.marked, by, count);
                } else if other.edit(&mut self.input) {
                    self.marked = 0;
                }
            }
        }
        Next::Stay
    }
}

/// The index of the line with this digit.
pub fn digit(c: char) -> Option<usize> {
    let n = usize::try_from(c.to_digit(10)?).ok()?;
    n.checked_sub(1)
}
