//! Dialogs: what is open above the panes, and what a line in it does.

use super::action::Action;
use super::keymap::Context;
use super::search::Search;
use super::state::AppState;
use super::thread_overlay::ThreadOverlay;
use crate::model::{
    ClientMessageId, ConversationId, ConversationKind, MessageKey, Outgoing, SafeText,
    ThreadChange, UserId,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The few keys to begin with, at the very first start. Takes no keys away: whatever is pressed is done.
    Welcome,
    Help {
        context: Context,
        scroll: usize,
    },
    /// What was found stands still while someone looks at it.
    Switcher {
        input: String,
        marked: usize,
        found: Vec<SwitcherEntry>,
    },
    Palette {
        input: String,
        marked: usize,
    },
    /// What can be done with the selected message.
    Menu {
        marked: usize,
    },
    Reactions {
        message: MessageKey,
        marked: usize,
    },
    Links {
        links: Vec<SafeText>,
        marked: usize,
    },
    /// How what is being written will look. Takes no keys away but Esc.
    Preview,
    /// Looking through everything stored.
    Search(Box<Search>),
    /// Settings of the open conversation, and what belongs to them.
    Thread(ThreadOverlay),
    /// All there is to know of one message.
    Inspect {
        lines: Vec<super::inspect::InspectorLine>,
        scroll: usize,
    },
    Confirm {
        question: SafeText,
        detail: SafeText,
        consent: Consent,
    },
}

/// What Enter in a question does.
#[derive(Clone, Debug, PartialEq)]
pub enum Consent {
    DeleteMessage(MessageKey),
    /// A change of a conversation that asks first.
    Change(ConversationId, ThreadChange),
    Remove(ConversationId, Vec<UserId>),
    Join(ConversationId),
    OpenLink(SafeText),
    /// Throws a message of the open chat away that was not sent.
    Discard(ClientMessageId),
    SendLiteral {
        conversation: ConversationId,
        outgoing: Outgoing,
    },
}

/// Reactions offered, with the wire's keys (facts 3.4).
pub const REACTIONS: [(&str, &str); 7] = [
    ("like", "👍"),
    ("heart", "❤"),
    ("laugh", "😆"),
    ("surprised", "😮"),
    ("sad", "😢"),
    ("angry", "😠"),
    ("yes", "✔"),
];

impl Overlay {
    /// Whether keys go on to what is below.
    pub fn is_passive(&self) -> bool {
        matches!(self, Self::Welcome | Self::Preview)
    }

    pub fn help(context: Context) -> Self {
        Self::Help { context, scroll: 0 }
    }

    pub fn switcher(app: &AppState) -> Self {
        Self::Switcher { input: String::new(), marked: 0, found: find(app, "") }
    }

    pub fn palette() -> Self {
        Self::Palette { input: String::new(), marked: 0 }
    }

    /// The line that is typed into, where there is one.
    pub fn input_mut(&mut self) -> Option<(&mut String, &mut usize)> {
        match self {
            Self::Switcher { input, marked, .. } | Self::Palette { input, marked } => {
                Some((input, marked))
            }
            Self::Search(search) => Some((&mut search.input, &mut search.marked)),
            _ => None,
        }
    }

    pub fn marked_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Switcher { marked, .. }
            | Self::Palette { marked, .. }
            | Self::Menu { marked }
            | Self::Reactions { marked, .. }
            | Self::Links { marked, .. } => Some(marked),
            Self::Thread(open) => open.marked_mut(),
            Self::Search(search) => Some(&mut search.marked),
            Self::Help { scroll, .. } | Self::Inspect { scroll, .. } => Some(scroll),
            Self::Welcome | Self::Preview | Self::Confirm { .. } => None,
        }
    }
}

/// A line of the switcher.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitcherEntry {
    pub id: ConversationId,
    pub name: SafeText,
    pub unread: u32,
    /// No such chat yet: opening it begins one.
    pub is_new: bool,
}

/// What the switcher offers: conversations by name, then known people without one, then the id itself. With nothing
/// typed the unread ones come first, so that Enter opens the next unread.
pub fn find(app: &AppState, input: &str) -> Vec<SwitcherEntry> {
    let input = input.trim().trim_start_matches('@');
    let mut found: Vec<(u32, SwitcherEntry)> = Vec::new();
    for c in app.conversations.shown(app.open.as_ref()) {
        let id = &c.info.id;
        if input.is_empty() && Some(id) == app.open.as_ref() {
            continue;
        }
        let name = app.title(c);
        let Some(score) = matches(&name, input).or_else(|| id_match(id.as_str(), input)) else {
            continue;
        };
        let unread = c.info.unread.messages;
        let score = match input {
            "" => u32::from(unread == 0),
            _ if id.as_str() == input => 0,
            _ => score * 2,
        };
        found.push((score, SwitcherEntry { id: id.clone(), name, unread, is_new: false }));
    }
    if !input.is_empty() {
        let mut people: Vec<(u32, SwitcherEntry)> = app
            .names
            .people()
            .filter(|(id, _)| *id != app.me() && id.as_str().starts_with("8:"))
            .filter_map(|(id, name)| {
                let found = SwitcherEntry {
                    id: ConversationId::new(id.as_str()),
                    name: name.clone(),
                    unread: 0,
                    is_new: true,
                };
                // After a conversation that fits as well.
                Some((matches(name, input)? * 2 + 1, found))
            })
            .filter(|(_, p)| found.iter().all(|(_, f)| f.id != p.id))
            .collect();
        people.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        found.extend(people);
        let id = ConversationId::new(input);
        let opens = matches!(
            id.kind(),
            ConversationKind::Direct | ConversationKind::Bot | ConversationKind::Phone
        );
        let complete =
            id.peer().is_some_and(|p| !p.bare().is_empty() && !input.contains(char::is_whitespace));
        if opens
            && complete
            && SafeText::line(input).as_str() == input
            && found.iter().all(|(_, f)| f.id != id)
        {
            found.push((
                0,
                SwitcherEntry { id, name: SafeText::line(input), unread: 0, is_new: true },
            ));
        }
    }
    found.sort_by_key(|(score, _)| *score);
    found.into_iter().map(|(_, f)| f).collect()
}

fn id_match(id: &str, input: &str) -> Option<u32> {
    (id == input || (input.len() >= 3 && id.contains(input))).then_some(3)
}

/// How well a name fits: 0 begins with it, 1 a word begins with it, 2 contains it, 4 has its letters in order.
pub fn matches(name: &str, input: &str) -> Option<u32> {
    let (name, input) = (name.to_lowercase(), input.to_lowercase());
    if name.starts_with(&input) {
        return Some(0);
    }
    if name.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(&input)) {
        return Some(1);
    }
    if name.contains(&input) {
        return Some(2);
    }
    let mut letters = name.chars();
    input.chars().all(|c| letters.any(|l| l == c)).then_some(4)
}

/// The palette's lines: name, keys, help, for everything that makes sense outside a dialog.
pub fn palette<'a>(app: &'a AppState, input: &str) -> Vec<&'a super::keymap::KeymapEntry> {
    let table = app.prefs.keymap.entries();
    let selecting = app.opened().is_some_and(|c| c.selection.is_some());
    let mut found: Vec<(u32, &super::keymap::KeymapEntry)> = table
        .iter()
        .filter(|e| {
            let fits = match e.context {
                Context::Overlay => false,
                // Of a message that is not selected there is nothing to be done.
                Context::Selection => selecting,
                _ => true,
            };
            fits && !matches!(e.name.as_str(), "palette" | "interrupt")
        })
        .filter_map(|e| Some((matches(&e.help, input).or_else(|| matches(&e.name, input))?, e)))
        .collect();
    found.sort_by_key(|(score, _)| *score);
    found.into_iter().map(|(_, e)| e).collect()
}

/// The actions of a message that make sense for the selected one.
pub fn menu(app: &AppState) -> Vec<(&super::keymap::KeymapEntry, Action)> {
    use super::action::MessagesAction as M;
    use crate::model::Delivery;
    let Some(conversation) = app.opened() else { return Vec::new() };
    let Some(message) = conversation.selected().and_then(|key| conversation.timeline.get(key))
    else {
        return Vec::new();
    };
    let mine = message.sender == *app.me();
    let failed = matches!(message.delivery, Delivery::Failed { .. });
    let not_left = super::on_outbox::has_not_left(&message.delivery);
    if matches!(message.body, crate::model::MessageBody::Gap { .. }) {
        return Vec::new();
    }
    let on_server = !message.key.is_unsent();
    let person =
        !message.body.is_system() && !matches!(message.body, crate::model::MessageBody::Deleted);
    let fits = |action: &Action| match action {
        Action::Messages(M::Reply | M::React) => on_server && person,
        Action::Messages(M::Edit | M::Delete) => mine && person && (on_server || not_left),
        Action::Messages(M::MarkUnread) => on_server,
        Action::Messages(M::Copy { .. } | M::CopyId | M::Inspect) => true,
        Action::Messages(M::Follow) => {
            matches!(&message.body, crate::model::MessageBody::Text(rich) if rich.quoted().is_some())
        }
        Action::Messages(M::OpenLink) => !message.body.links().is_empty(),
        Action::Messages(M::Retry) => failed || message.delivery == Delivery::Unconfirmed,
        Action::Messages(M::TakeBack) => not_left,
        _ => false,
    };
    let table = app.prefs.keymap.entries().iter().filter(|e| e.context == Context::Selection);
    table.filter_map(|e| Some((e, Action::named(&e.name)?))).filter(|(_, a)| fits(a)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_from_best_to_loosest() {
        assert_eq!(matches("Kitchen crew", "kit"), Some(0));
        assert_eq!(matches("Kitchen crew", "crew"), Some(1));
        assert_eq!(matches("Kitchen crew", "tch"), Some(2));
        assert_eq!(matches("Kitchen crew", "kcw"), Some(4));
        assert_eq!(matches("Kitchen crew", "xyz"), None);
        assert_eq!(matches("Äpfel", "äp"), Some(0));
    }
}
