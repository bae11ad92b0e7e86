//! Requests to sync that are not answered yet: one registry, by ticket.
//!
//! Answers are matched to their requests here. If a ticket is not in the registry, the request was already answered or
//! given up, and the answer is ignored.

use crate::model::date::Period;
use crate::model::{
    AccountId, ChatRef, EditTarget, ImportProgress, MessageKey, ThreadChange, ThreadFlag, Ticket,
};
use std::collections::HashMap;
use std::time::Duration;

/// What a request was for, as needed to handle its answer.
#[derive(Clone, Debug, PartialEq)]
pub enum PendingRequest {
    /// A change of a conversation or its members.
    Thread {
        chat: ChatRef,
        change: ThreadChange,
    },
    /// A change of a message.
    Message {
        chat: ChatRef,
        change: MessageChange,
    },
    /// The URL with which others can join.
    JoinUrl {
        chat: ChatRef,
        /// Copy it to the clipboard when it arrives.
        copy: bool,
    },
    /// The stored source of a message.
    Source {
        chat: ChatRef,
        key: MessageKey,
        purpose: SourcePurpose,
    },
    CreateGroup {
        account: AccountId,
    },
    /// Which group a join URL belongs to.
    ResolveJoinUrl {
        account: AccountId,
    },
    JoinGroup(ChatRef),
    /// Everything stored of a conversation is deleted.
    Forget(ChatRef),
    /// A code for signing in.
    SignInCode(AccountId),
    /// The user's confirmation of that code.
    SignInApproval(AccountId),
    /// Hits in this account.
    Search(AccountId),
    /// A private copy of a file, to be opened.
    FileCopy,
    /// The messages next to a date.
    Date {
        chat: ChatRef,
        period: Period,
    },
    /// How many messages a conversation has.
    Statistics(ChatRef),
    /// The figures of the connection.
    Figures,
    /// A change of the accounts.
    Account {
        account: AccountId,
        task: AccountTask,
    },
}

/// What was requested about the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountTask {
    /// The list of services, for the dialog that adds an account.
    List,
    Add {
        name: String,
        signs_in: bool,
        /// The account belongs to an organisation.
        work: bool,
    },
    Rename {
        to: String,
    },
    Remove,
    /// Removes an account that was added but is not wanted.
    TakeBack,
    /// Writes a setting to the configuration file.
    Setting {
        name: String,
        /// It is in force already.
        live: bool,
        /// The user is not told that it is saved.
        quiet: bool,
    },
}

/// A change of a message, with what is needed if it is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageChange {
    /// Keeps what was typed, so that a refusal does not lose it.
    Edit {
        target: EditTarget,
        text: String,
    },
    Delete,
    React,
}

/// What a message's source was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourcePurpose {
    Inspect,
    Edit,
}

/// An import, and when (monotonic) it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningImport {
    pub began: Duration,
    pub progress: ImportProgress,
}

#[derive(Clone, Debug, Default)]
pub struct PendingRequests {
    requests: HashMap<Ticket, Asked>,
    /// The import that is running.
    pub import: Option<RunningImport>,
    last: u64,
    revision: u64,
    /// How many actions the user has taken in this run.
    actions: u64,
}

#[derive(Clone, Debug)]
struct Asked {
    request: PendingRequest,
    /// How many actions the user had taken at the time of the request.
    actions: u64,
}

impl PendingRequests {
    /// Increases with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Registers a request. Its answer carries the ticket.
    pub fn add(&mut self, request: PendingRequest) -> Ticket {
        self.revision += 1;
        self.last += 1;
        let ticket = Ticket(self.last);
        self.requests.insert(ticket, Asked { request, actions: self.actions });
        ticket
    }

    /// Counts an action of the user.
    pub fn count_action(&mut self) {
        self.actions += 1;
    }

    /// How many actions the user has taken in this run.
    pub fn actions(&self) -> u64 {
        self.actions
    }

    /// Whether the user has done something since the request was made.
    pub fn acted_since(&self, ticket: Ticket) -> bool {
        self.requests.get(&ticket).is_some_and(|asked| asked.actions < self.actions)
    }

    /// Removes and returns a request that was answered; `None` if it is no longer pending.
    pub fn take(&mut self, ticket: Ticket) -> Option<PendingRequest> {
        self.revision += 1;
        self.requests.remove(&ticket).map(|asked| asked.request)
    }

    /// Gives up requests; their answers will be ignored.
    pub fn give_up(&mut self, which: impl Fn(&PendingRequest) -> bool) {
        self.revision += 1;
        self.requests.retain(|_, asked| !which(&asked.request));
    }

    /// Gives up changes of a conversation.
    pub fn give_up_thread(&mut self, at: &ChatRef, which: impl Fn(&ThreadChange) -> bool) {
        self.give_up(|request| match request {
            PendingRequest::Thread { chat, change } => chat == at && which(change),
            _ => false,
        });
    }

    pub fn any(&self, which: impl Fn(&PendingRequest) -> bool) -> bool {
        self.requests.values().any(|asked| which(&asked.request))
    }

    /// The pending changes of a conversation, oldest first.
    pub fn thread_changes(&self, at: &ChatRef) -> Vec<&ThreadChange> {
        let mut found: Vec<(&Ticket, &ThreadChange)> = self
            .requests
            .iter()
            .filter_map(|(ticket, asked)| match &asked.request {
                PendingRequest::Thread { chat, change } if chat == at => Some((ticket, change)),
                _ => None,
            })
            .collect();
        found.sort_by_key(|(ticket, _)| **ticket);
        found.into_iter().map(|(_, change)| change).collect()
    }

    /// Whether the join URL of a conversation is being fetched; with `copy` it will be copied when it arrives.
    pub fn wants_join_url(&mut self, at: &ChatRef, copy: bool) -> bool {
        let found = self.requests.values_mut().find_map(|asked| match &mut asked.request {
            PendingRequest::JoinUrl { chat, copy } if chat == at => Some(copy),
            _ => None,
        });
        if let Some(known) = found {
            *known |= copy;
            return true;
        }
        false
    }

    /// Whether such a change of a conversation is pending.
    pub fn is_changing(&self, at: &ChatRef, is_it: impl Fn(&ThreadChange) -> bool) -> bool {
        self.any(|request| match request {
            PendingRequest::Thread { chat, change } => chat == at && is_it(change),
            _ => false,
        })
    }

    /// What a flag is being changed to.
    pub fn flag(&self, at: &ChatRef, flag: ThreadFlag) -> Option<bool> {
        self.thread_changes(at).into_iter().rev().find_map(|change| match change {
            ThreadChange::Flag(changing, on) if *changing == flag => Some(*on),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat() -> ChatRef {
        ChatRef { account: AccountId::new("home"), conversation: "19:a@thread.skype".into() }
    }

    fn topic(text: &str) -> PendingRequest {
        PendingRequest::Thread { chat: chat(), change: ThreadChange::Topic(text.to_owned()) }
    }

    #[test]
    fn a_second_answer_under_one_ticket_finds_nothing() {
        let mut pending = PendingRequests::default();
        let ticket = pending.add(topic("a"));
        assert_eq!(pending.take(ticket), Some(topic("a")));
        assert_eq!(pending.take(ticket), None);
    }

    #[test]
    fn changes_of_a_conversation_are_listed_in_the_order_they_were_made() {
        let mut pending = PendingRequests::default();
        let texts = ["a", "b", "c", "d", "e"];
        for text in texts {
            pending.add(topic(text));
        }
        let expected = texts.map(|text| ThreadChange::Topic(text.to_owned()));
        assert_eq!(pending.thread_changes(&chat()), expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_answer_to_a_request_that_was_given_up_finds_nothing() {
        let mut pending = PendingRequests::default();
        let search = pending.add(PendingRequest::Search(AccountId::new("home")));
        let ticket = pending.add(topic("a"));
        pending.give_up(|request| matches!(request, PendingRequest::Search(_)));
        assert_eq!(pending.take(search), None);
        assert!(pending.take(ticket).is_some());
    }
}
