//! Who people are: names, and the members of threads that are named after them.

use super::Shared;
use crate::client::Error;
use crate::model::{Conversation, ConversationId, NameSource, Names, UserId};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most threads in a row whose members are fetched because a conversation is named after them.
const MAX_ROSTERS: usize = 50;
/// The most people that are looked up with one request (facts 8.9).
const MAX_PROFILES: usize = 100;
/// Members of larger groups are not looked up: their names come with messages.
const SMALL_GROUP: usize = 100;

/// What is known of people, and what is missing.
#[derive(Default)]
pub struct PeopleState {
    names: Mutex<Names>,
    rosters: Mutex<Rosters>,
}

/// Threads that are named after their members.
#[derive(Default)]
struct Rosters {
    wanted: BTreeSet<ConversationId>,
    /// Those whose members are known, or cannot be fetched.
    done: BTreeSet<ConversationId>,
}

impl PeopleState {
    pub fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rosters(&self) -> MutexGuard<'_, Rosters> {
        self.rosters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records which of these conversations are named after members who are not known.
    pub fn want(&self, conversations: &[Conversation]) {
        let mut rosters = self.rosters();
        for conversation in conversations.iter().filter(|c| c.is_named_by_members()) {
            if !rosters.done.contains(&conversation.id) {
                rosters.wanted.insert(conversation.id.clone());
            }
        }
    }

    /// Records that a thread's members are known, or cannot be fetched.
    pub fn has_roster(&self, id: &ConversationId) {
        let mut rosters = self.rosters();
        rosters.wanted.remove(id);
        rosters.done.insert(id.clone());
    }

    /// Whether there are threads whose members have to be fetched.
    pub fn misses_members(&self) -> bool {
        !self.rosters().wanted.is_empty()
    }

    fn wanted(&self) -> Vec<ConversationId> {
        self.rosters().wanted.iter().take(MAX_ROSTERS).cloned().collect()
    }
}

/// The most names that are looked up at once for the conversation list.
const MAX_NAMES: usize = 500;

impl Shared {
    /// Fetches what is needed to name conversations: the members of threads without a topic, and the names of this
    /// account and of the other person in each one-to-one chat.
    pub(super) async fn fetch_missing_names(&self) {
        for id in self.people.wanted() {
            match self.fetch_thread(&id).await {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    tracing::info!(kind = ?error.kind, "a thread was not fetched");
                    break;
                }
                Err(_) => self.people.has_roster(&id),
            }
        }
        let conversations = self.store.versions().await.unwrap_or_default();
        let peers = conversations.iter().filter_map(|(id, _)| id.peer());
        let missing: Vec<UserId> = {
            let names = self.names();
            let all = std::iter::once(self.me.clone()).chain(peers);
            all.filter(|id| !names.knows(id)).take(MAX_NAMES).collect()
        };
        self.fetch_names(missing).await;
    }

    /// Fetches the names of these people that are not known.
    pub(super) async fn fetch_names(&self, who: Vec<UserId>) {
        let missing: Vec<UserId> = {
            let names = self.names();
            who.into_iter().filter(|id| !names.knows(id)).collect()
        };
        for chunk in missing.chunks(MAX_PROFILES) {
            match self.client.profiles(chunk).await {
                Ok(found) => {
                    let names = found
                        .into_iter()
                        .map(|(id, name)| (id, NameSource::Profile, name))
                        .collect();
                    self.learn_names(names).await;
                }
                Err(error) => {
                    tracing::info!(kind = ?error.kind, "names were not looked up");
                    return;
                }
            }
        }
    }

    /// Fetches a thread's members and settings, and the names that the members come without.
    pub(super) async fn fetch_thread(&self, id: &ConversationId) -> Result<(), Error> {
        let (json, thread) = self.client.thread_with_json(id).await?;
        if let Err(error) = self.store.save_thread(id, json).await {
            tracing::error!(%error, "a thread was not stored");
        }
        let members: Vec<UserId> = thread.members.iter().map(|m| m.id.clone()).collect();
        self.send_thread(id, thread).await;
        if members.len() <= SMALL_GROUP {
            self.fetch_names(members).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_wanted_once_and_only_where_a_name_is_made_of_them() {
        let people = PeopleState::default();
        let chat = |id: &str, topic: Option<&str>| {
            let mut chat = Conversation::empty(id.into());
            chat.topic = topic.map(Into::into);
            chat
        };
        let list = [
            chat("19:a@thread.skype", Some("Kitchen")),
            chat("19:b@thread.skype", None),
            chat("19:c@oneToOne.skype", Some("ignored")),
            chat("8:joe.4", None),
        ];
        people.want(&list);
        assert_eq!(people.wanted(), ["19:b@thread.skype".into(), "19:c@oneToOne.skype".into()]);
        people.has_roster(&"19:b@thread.skype".into());
        people.want(&list);
        assert_eq!(people.wanted(), ["19:c@oneToOne.skype".into()]);
    }
}
