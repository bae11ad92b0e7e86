//! The hits of several accounts as one list, newest first.

use crate::model::search::{Hit, Query, SearchPosition};
use crate::model::{AccountId, Fault, Findings, SafeText, Timestamp};
use std::cmp::Reverse;

/// A hit, and its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountHit {
    pub account: AccountId,
    pub hit: Hit,
}

/// What one account has found.
#[derive(Debug)]
struct SearchedAccount {
    account: AccountId,
    query: Query,
    hits: Vec<Hit>,
    /// Where older hits begin.
    next: Option<SearchPosition>,
    is_waiting: bool,
    /// Part of the history is not indexed yet.
    behind: bool,
    failed: Option<SafeText>,
}

/// The progress of the search in each account.
#[derive(Debug, Default)]
pub struct SearchedAccounts(Vec<SearchedAccount>);

impl SearchedAccounts {
    pub fn new(queries: Vec<(AccountId, Query)>) -> Self {
        let searched = |(account, query)| SearchedAccount {
            account,
            query,
            hits: Vec::new(),
            next: None,
            is_waiting: true,
            behind: false,
            failed: None,
        };
        Self(queries.into_iter().map(searched).collect())
    }

    /// Takes an answer, unless the account is not waiting for one.
    pub fn take(&mut self, account: &AccountId, result: Result<Findings, Fault>) {
        let known = self.0.iter_mut().find(|known| known.account == *account && known.is_waiting);
        let Some(known) = known else { return };
        known.is_waiting = false;
        match result {
            Ok(found) => {
                if !found.more {
                    known.hits.clear();
                }
                known.hits.extend(found.hits);
                known.next = found.next;
                known.behind = found.behind;
            }
            Err(fault) => {
                known.next = None;
                known.failed = Some(fault.reason);
            }
        }
    }

    /// Hits older than this are not shown yet: an account with more hits to come may have newer ones.
    fn frontier(&self) -> Option<Timestamp> {
        let with_more = self.0.iter().filter(|known| known.next.is_some());
        with_more.filter_map(|known| known.hits.last()).map(|hit| hit.key.at).max()
    }

    /// The hits in order. A hit that several accounts have is listed once, for the first of them.
    pub fn merged(&self) -> Vec<AccountHit> {
        let frontier = self.frontier();
        let hits = self.0.iter().flat_map(|known| {
            let hit = |hit: &Hit| AccountHit { account: known.account.clone(), hit: hit.clone() };
            known.hits.iter().map(hit)
        });
        let mut hits: Vec<AccountHit> =
            hits.filter(|found| frontier.is_none_or(|at| found.hit.key.at >= at)).collect();
        hits.sort_by_key(|found| Reverse(found.hit.key.clone()));
        hits.dedup_by(|a, b| {
            a.hit.key == b.hit.key
                && a.hit.conversation == b.hit.conversation
                && a.hit.sender == b.hit.sender
        });
        hits
    }

    /// The accounts whose older hits come next, and where those begin. They are marked as waiting.
    pub fn ask_for_more(&mut self) -> Vec<(AccountId, Query, SearchPosition)> {
        let Some(frontier) = self.frontier() else { return Vec::new() };
        let mut asked = Vec::new();
        for known in self.0.iter_mut().filter(|known| !known.is_waiting) {
            let is_next = known.hits.last().is_some_and(|hit| hit.key.at >= frontier);
            if let Some(below) = known.next.filter(|_| is_next) {
                known.is_waiting = true;
                asked.push((known.account.clone(), known.query.clone(), below));
            }
        }
        asked
    }

    pub fn is_waiting(&self) -> bool {
        self.0.iter().any(|known| known.is_waiting)
    }

    pub fn has_more(&self) -> bool {
        self.0.iter().any(|known| known.next.is_some())
    }

    pub fn is_behind(&self) -> bool {
        self.0.iter().any(|known| known.behind)
    }

    /// The terms searched for in an account.
    pub fn terms(&self, account: &AccountId) -> &[String] {
        let known = self.0.iter().find(|known| known.account == *account);
        known.map_or(&[], |known| known.query.terms.as_slice())
    }

    /// Why the search has failed; `None` unless it has failed in every account.
    pub fn failed(&self) -> Option<SafeText> {
        let mut reasons = self.0.iter().map(|known| known.failed.clone());
        let first = reasons.next()??;
        reasons.all(|reason| reason.is_some()).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageKey;

    fn hit(at: i64) -> Hit {
        let key = MessageKey::server(Timestamp(at), &at.to_string());
        Hit::new("8:joe".into(), key, "8:joe".into(), "word", &["word".to_owned()])
    }

    fn place(at: i64) -> SearchPosition {
        SearchPosition { at, place: 1 }
    }

    fn found(times: &[i64], next: Option<SearchPosition>, more: bool) -> Findings {
        let hits = times.iter().map(|at| hit(*at)).collect();
        Findings { hits, next, more, behind: false }
    }

    fn two() -> (SearchedAccounts, AccountId, AccountId) {
        let (live, archive) = (AccountId::new("home"), AccountId::of_archive("old"));
        let queries = [&live, &archive].map(|id| (id.clone(), Query::default()));
        (SearchedAccounts::new(queries.into()), live, archive)
    }

    fn times(searched: &SearchedAccounts) -> Vec<i64> {
        searched.merged().iter().map(|found| found.hit.key.at.0).collect()
    }

    #[test]
    fn hits_of_two_accounts_stand_in_one_order_whatever_comes_first() {
        let (mut searched, live, archive) = two();
        searched.take(&archive, Ok(found(&[50, 30], None, false)));
        assert!(searched.is_waiting());
        searched.take(&live, Ok(found(&[90, 40, 20], None, false)));
        assert_eq!(times(&searched), [90, 50, 40, 30, 20]);
        assert!(!searched.is_waiting() && !searched.has_more());
    }

    #[test]
    fn what_could_have_newer_hits_before_it_waits_for_them() {
        let (mut searched, live, archive) = two();
        searched.take(&live, Ok(found(&[90, 80], Some(place(7)), false)));
        searched.take(&archive, Ok(found(&[85, 10], None, false)));
        assert_eq!(times(&searched), [90, 85, 80]);
        assert_eq!(searched.ask_for_more(), [(live.clone(), Query::default(), place(7))]);
        assert_eq!(searched.ask_for_more(), [], "it is asked already");
        searched.take(&live, Ok(found(&[70, 5], None, true)));
        assert_eq!(times(&searched), [90, 85, 80, 70, 10, 5]);
    }

    #[test]
    fn a_message_that_both_have_is_shown_once() {
        let (mut searched, live, archive) = two();
        searched.take(&archive, Ok(found(&[50], None, false)));
        searched.take(&live, Ok(found(&[50], None, false)));
        assert_eq!(searched.merged().iter().map(|f| &f.account).collect::<Vec<_>>(), [&live]);
    }

    #[test]
    fn an_account_that_cannot_be_searched_hides_no_hits_of_others() {
        let (mut searched, live, archive) = two();
        let fault = Fault::new(crate::model::FaultKind::Store, "damaged");
        searched.take(&live, Err(fault.clone()));
        assert_eq!(searched.failed(), None);
        searched.take(&archive, Ok(found(&[50], None, false)));
        assert_eq!((times(&searched), searched.failed()), (vec![50], None));
        let (mut searched, live, archive) = two();
        searched.take(&live, Err(fault.clone()));
        searched.take(&archive, Err(fault));
        assert_eq!(searched.failed().as_deref(), Some("damaged"));
    }
}
