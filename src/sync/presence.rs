//! Asks now and then which of the people in sight are available (facts 8.12).
//!
//! The app says who is in sight; nobody else is asked for. These requests come after all others, and stop while the
//! user is away or the service refuses.

use super::Shared;
use crate::client::{ErrorKind, if_all_is_well};
use crate::model::{Delta, UserId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Time without a key press after which the user counts as idle, then as away.
const IDLE: Duration = Duration::from_secs(180);
const AWAY: Duration = Duration::from_secs(1_800);
/// Between two requests while the user is active, and while idle.
const ACTIVE_WAIT: Duration = Duration::from_secs(120);
const IDLE_WAIT: Duration = Duration::from_secs(300);
/// Between two requests when there are people in sight who were not asked for.
const NEWCOMER_WAIT: Duration = Duration::from_secs(15);
/// How long after a refusal the next attempt is made.
const ASK_AGAIN: Duration = Duration::from_secs(3_600);
/// An answer older than this is no longer shown.
const OUTDATED: Duration = Duration::from_secs(600);

/// The people in sight, as the app reported them last.
#[derive(Default)]
pub struct PeopleInSight {
    people: Mutex<Vec<UserId>>,
    changed: Notify,
}

impl PeopleInSight {
    pub fn set(&self, people: Vec<UserId>) {
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) = people;
        self.changed.notify_one();
    }

    fn get(&self) -> Vec<UserId> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// When to ask. Pure: times are counted from any fixed moment.
#[derive(Default)]
struct PresencePlan {
    /// The last request, and for whom.
    asked: Option<(Duration, BTreeSet<UserId>)>,
    /// The last answer that is shown.
    answered: Option<Duration>,
}

impl PresencePlan {
    /// When to ask for these people; `None` if there is nobody to ask for, or if the user, who was last active at
    /// `active`, is away.
    fn due(&self, people: &[UserId], active: Duration, now: Duration) -> Option<Duration> {
        let quiet = now.saturating_sub(active);
        if people.is_empty() || quiet >= AWAY {
            return None;
        }
        let Some((last, known)) = &self.asked else { return Some(now) };
        let wait = match quiet {
            _ if people.iter().any(|id| !known.contains(id)) => NEWCOMER_WAIT,
            quiet if quiet < IDLE => ACTIVE_WAIT,
            _ => IDLE_WAIT,
        };
        Some(*last + wait)
    }

    /// When what is known is too old to be shown.
    fn outdated(&self) -> Option<Duration> {
        self.answered.map(|last| last + OUTDATED)
    }
}

/// Asks while this is allowed, and tells the app.
pub async fn watch(shared: Arc<Shared>) {
    loop {
        shared.connection.until_online().await;
        if shared.client.may_ask_for_presence().await {
            // The app reports who is in sight from now on.
            shared.send(Delta::Presence(Vec::new())).await;
            ask_until_refused(&shared).await;
            shared.send(Delta::Presence(Vec::new())).await;
        }
        // The user may have agreed when signing in again.
        let came_online = shared.connection.came_online();
        let _ = tokio::time::timeout(ASK_AGAIN, came_online).await;
    }
}

async fn ask_until_refused(shared: &Shared) {
    let (sight, activity) = (&shared.activity.in_sight, &shared.activity);
    let mut plan = PresencePlan::default();
    loop {
        shared.connection.until_online().await;
        let people = sight.get();
        let (due, outdated) = (plan.due(&people, activity.last(), activity.now()), plan.outdated());
        let next = due.into_iter().chain(outdated).min();
        let wait = next.map(|at| at.saturating_sub(activity.now()));
        if wait.is_none_or(|wait| !wait.is_zero()) {
            tokio::select! {
                () = tokio::time::sleep(wait.unwrap_or(AWAY)) => {}
                () = sight.changed.notified() => {}
                () = activity.seen() => {}
            }
            continue;
        }
        if due.is_none_or(|due| due > activity.now()) {
            plan.answered = None;
            shared.send(Delta::Presence(Vec::new())).await;
            continue;
        }
        match if_all_is_well(shared.client.presences(&people)).await {
            Ok(found) => {
                plan.answered = Some(activity.now());
                shared.send(Delta::Presence(found)).await;
            }
            Err(error) if error.kind == ErrorKind::Unsupported => return,
            Err(error) => tracing::info!(kind = ?error.kind, "presence could not be read"),
        }
        plan.asked = Some((activity.now(), people.into_iter().collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn people(ids: &[&str]) -> Vec<UserId> {
        ids.iter().map(|id| UserId::new(*id)).collect()
    }

    /// Requests in an hour that begins `quiet` after the user's last key press, or in which the user is always active.
    fn per_hour(quiet: Option<u64>) -> usize {
        let start = seconds(100_000);
        let end = start + seconds(3_600);
        let (mut plan, who) = (PresencePlan::default(), people(&["8:joe.4"]));
        let (mut now, mut requests) = (start, 0);
        loop {
            let active = quiet.map_or(now, |quiet| start.saturating_sub(seconds(quiet)));
            match plan.due(&who, active, now).filter(|due| *due < end) {
                None => return requests,
                Some(due) if due > now => now = due,
                Some(_) => {
                    plan.asked = Some((now, who.iter().cloned().collect()));
                    requests += 1;
                }
            }
        }
    }

    #[test]
    fn few_requests_of_the_budget_are_spent_and_none_in_the_background() {
        let [in_use, idle, away] = [per_hour(None), per_hour(Some(200)), per_hour(Some(2_000))];
        println!("requests for presence an hour: {in_use} in use, {idle} idle, {away} away");
        assert_eq!((in_use, away), (30, 0));
        // Half an hour after the last key press, nothing is asked any more.
        assert_eq!(idle, 6);
    }

    #[test]
    fn people_who_come_into_sight_are_asked_for_soon_but_not_at_once() {
        let (mut plan, now) = (PresencePlan::default(), seconds(1_000));
        assert_eq!(plan.due(&people(&["8:a"]), now, now), Some(now));
        plan.asked = Some((now, people(&["8:a", "8:b"]).into_iter().collect()));
        assert_eq!(plan.due(&people(&["8:b"]), now, now), Some(now + ACTIVE_WAIT));
        assert_eq!(plan.due(&people(&["8:b", "8:c"]), now, now), Some(now + NEWCOMER_WAIT));
        assert_eq!(plan.due(&[], now, now), None);
        assert_eq!(plan.due(&people(&["8:a"]), now, now + AWAY), None);
    }

    #[test]
    fn what_is_shown_gets_too_old_also_while_requests_fail() {
        let (mut plan, now) = (PresencePlan::default(), seconds(1_000));
        plan.answered = Some(now);
        plan.asked = Some((now + ACTIVE_WAIT, BTreeSet::new()));
        assert_eq!(plan.outdated(), Some(now + OUTDATED));
        plan.answered = None;
        assert_eq!(plan.outdated(), None);
    }
}
