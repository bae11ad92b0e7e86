//! When to look for news if the server does not hold polls (facts 8.8). Pure: times are counted from any fixed moment.
//!
//! The conversation list is the heartbeat: it names the chats that have changed, and only those are read. An edit or a
//! reaction to an older message may not move the list, so the newest page of the open chat is read now and then, and
//! the whole list once in a while.

use std::time::Duration;

/// After this long without a key press the user counts as idle, and then as away.
const IDLE: Duration = Duration::from_secs(180);
const AWAY: Duration = Duration::from_secs(1_800);
/// Between two looks at the open chat.
const OPEN_CHAT: Duration = Duration::from_secs(30);
/// Between two looks at the whole list.
const WHOLE_LIST: Duration = Duration::from_secs(300);

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollStep {
    List,
    WholeList,
    OpenChat,
}

/// Between two looks at the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollIntervals {
    pub active: Duration,
    pub idle: Duration,
    pub away: Duration,
    /// Whether edits and reactions have to be looked for in the open chat.
    pub reads_open_chat: bool,
}

impl PollIntervals {
    /// The same interval whatever the user does, and only the list.
    pub fn steady(interval: Duration) -> Self {
        Self { active: interval, idle: interval, away: interval, reads_open_chat: false }
    }
}

/// The plan of one account.
#[derive(Clone, Debug)]
pub struct PollSchedule {
    intervals: PollIntervals,
    list: Duration,
    whole: Duration,
    open: Duration,
}

impl PollSchedule {
    /// A plan that begins after everything has been read at `now`.
    pub fn new(intervals: PollIntervals, now: Duration) -> Self {
        Self { intervals, list: now, whole: now, open: now }
    }

    /// What is next, and when, if the user was last active at `active`.
    pub fn next(&self, active: Duration, now: Duration) -> (PollStep, Duration) {
        let quiet = now.saturating_sub(active);
        let between = self.between(quiet);
        let list = self.list + between;
        let look =
            if list >= self.whole + WHOLE_LIST { PollStep::WholeList } else { PollStep::List };
        let open = self.open + OPEN_CHAT.max(between);
        if self.intervals.reads_open_chat && quiet < AWAY && open < list {
            return (PollStep::OpenChat, open);
        }
        (look, list)
    }

    fn between(&self, quiet: Duration) -> Duration {
        match quiet {
            quiet if quiet < IDLE => self.intervals.active,
            quiet if quiet < AWAY => self.intervals.idle,
            _ => self.intervals.away,
        }
    }

    /// Records a look that was taken at `now`.
    pub fn looked(&mut self, look: PollStep, now: Duration) {
        match look {
            PollStep::List => self.list = now,
            PollStep::WholeList => (self.list, self.whole) = (now, now),
            PollStep::OpenChat => self.open = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAMS: PollIntervals = PollIntervals {
        active: Duration::from_secs(6),
        idle: Duration::from_secs(20),
        away: Duration::from_secs(60),
        reads_open_chat: true,
    };

    const START: Duration = Duration::from_secs(100_000);

    /// Looks in an hour that begins `quiet` after the last key press, with a key press every `key` seconds in it.
    fn hour(quiet: u64, key: Option<u64>) -> Vec<(PollStep, Duration)> {
        let mut schedule = PollSchedule::new(TEAMS, START);
        let (mut now, mut looks) = (START, Vec::new());
        loop {
            let active = match key {
                Some(every) => {
                    let passed = (now.saturating_sub(START)).as_secs();
                    START + Duration::from_secs(passed - passed % every)
                }
                None => START.saturating_sub(Duration::from_secs(quiet)),
            };
            let (look, at) = schedule.next(active, now);
            now = at.max(now);
            if now.saturating_sub(START) >= Duration::from_secs(3_600) {
                return looks;
            }
            schedule.looked(look, now);
            looks.push((look, now));
        }
    }

    /// Looks per minute, of those that were taken within the first `minutes`.
    fn per_minute(looks: &[(PollStep, Duration)], minutes: u64) -> usize {
        let end = START + Duration::from_secs(minutes * 60);
        looks.iter().filter(|(_, at)| *at <= end).count() / minutes as usize
    }

    #[test]
    fn requests_a_minute_stay_within_the_budget_in_use_idle_and_away() {
        let (busy, idle, away) = (hour(0, Some(30)), hour(200, None), hour(2_000, None));
        let rates = [per_minute(&busy, 59), per_minute(&idle, 20), per_minute(&away, 59)];
        let [in_use, in_idle, in_background] = rates;
        println!(
            "requests a minute: {in_use} in use, {in_idle} idle, {in_background} in the background"
        );
        assert_eq!(rates, [12, 5, 1], "{busy:?}");
    }

    #[test]
    fn the_whole_list_is_read_every_five_minutes_and_the_open_chat_only_while_somebody_is_there() {
        let busy = hour(0, Some(30));
        let count = |looks: &[(PollStep, Duration)], what| {
            looks.iter().filter(|(look, _)| *look == what).count()
        };
        assert!((10..=13).contains(&count(&busy, PollStep::WholeList)), "{busy:?}");
        assert!(count(&busy, PollStep::OpenChat) > 90);
        assert_eq!(count(&hour(2_000, None), PollStep::OpenChat), 0);
    }

    #[test]
    fn a_steady_interval_only_reads_the_list() {
        let two = PollIntervals::steady(Duration::from_secs(2));
        let schedule = PollSchedule::new(two, Duration::ZERO);
        assert_eq!(
            schedule.next(Duration::ZERO, Duration::from_secs(1)),
            (PollStep::List, Duration::from_secs(2))
        );
    }
}
