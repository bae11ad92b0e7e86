//! What an operation on a chat may use besides the chat itself.

use crate::app::effect::Effect;
use crate::app::ids::IdCounters;
use crate::app::notes::Notes;
use crate::app::pending::{PendingRequest, PendingRequests};
use crate::app::prefs::Prefs;
use crate::model::{AccountId, Names, Now, Outbound, Request, SafeText, Ticket, UserId};

pub struct Env<'a> {
    pub account: &'a AccountId,
    pub me: &'a UserId,
    pub names: &'a Names,
    pub prefs: &'a Prefs,
    pub now: Now,
    pub ids: &'a mut IdCounters,
    pub pending: &'a mut PendingRequests,
    pub notes: &'a mut Notes,
    pub effects: &'a mut Vec<Effect>,
}

impl Env<'_> {
    /// Sends sync a request that has no answer.
    pub fn request(&mut self, request: Request) {
        let account = self.account.clone();
        self.effects.push(Effect::Request(Box::new(Outbound { account, request })));
    }

    /// Sends a request to sync and registers it, so that its answer is recognised.
    pub fn ask(
        &mut self,
        pending: PendingRequest,
        request: impl FnOnce(Ticket) -> Request,
    ) -> Ticket {
        let ticket = self.pending.add(pending);
        self.request(request(ticket));
        ticket
    }

    /// Puts text on the clipboard; `what` names it for the user.
    pub fn copy(&mut self, what: &str, text: impl Into<String>) {
        self.effects.push(Effect::Copy { what: what.to_owned(), text: text.into() });
    }

    pub fn note(&mut self, text: &str) {
        self.notes.note(text);
    }

    pub fn complain(&mut self, text: &str) {
        self.notes.complain(text);
    }

    /// The name of a person, as others see it.
    pub fn name(&self, who: &UserId) -> SafeText {
        self.names.of(who)
    }
}
