//! A walk through a conversation's history from newer to older messages. Decides which page to ask for next, how far
//! down everything has been read, and whether the history ends there. Pure; `Shared::next_page` makes the requests.
//!
//! A page is followed by its link. Where links lead nowhere new, or are missing on a page that need not be the last,
//! the walk goes on by time. The history is taken to end only if the server says so in a form that cannot be a slip
//! (facts 2.1): everything else leaves the end unknown, and it is asked for again later.

use crate::client::{Error, ErrorKind};
use crate::model::{ConversationId, Point, RawMessage, Timestamp};
use crate::protocol::wire::WirePage;
use std::collections::HashSet;
use std::sync::Arc;

/// Pages in a row that bring nothing new before another way is tried. Some have only signals, or only changed messages.
const MAX_IDLE: usize = 3;

/// The next page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextPage {
    Newest,
    /// The page that a `syncState` leads to.
    Link(String),
    Between(Timestamp, Timestamp),
}

/// What is known of the history below the pages that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastEnd {
    /// There may be more, and no way to it was found.
    Unknown,
    /// The server has nothing older.
    Floor,
}

/// What a page brought.
#[derive(Debug, Default)]
pub struct Step {
    /// Messages that no page before had.
    pub messages: Vec<RawMessage>,
    /// This page holds everything between these two points.
    pub span: Option<(Point, Point)>,
    /// The token for asking later what has changed since this page.
    pub sync_state: Option<String>,
}

pub struct Walk {
    id: ConversationId,
    next: Result<NextPage, PastEnd>,
    /// Everything from the start of the walk down to here has been read.
    reach: Option<Point>,
    /// How far down the pages reach that came since the last change of ways.
    chain: Option<Point>,
    /// The newest stored message below the start.
    below: Option<Point>,
    /// A page had that message. It may have been changed, and be on a page far above its place.
    has_below: bool,
    /// Messages at or above this point are of no interest.
    above: Option<Point>,
    seen: HashSet<(Arc<str>, u64)>,
    links: HashSet<String>,
    idle: usize,
    tried: TimeTried,
}

/// Which ways were tried besides links.
struct TimeTried {
    /// By an upper bound, from here.
    until: Option<Point>,
    /// Down from the newest page.
    newest: bool,
    /// By both bounds.
    window: bool,
}

/// What a page says about the end of the history.
struct PageSigns {
    by_time: bool,
    progress: bool,
    /// It holds a message at or below the place it was asked for, and nothing above that it was not asked for.
    answers: bool,
    is_last: bool,
    is_full: bool,
}

/// Whether the link alone may be the cause of an error: the conversation was readable a moment ago.
pub fn may_be_the_link(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Refused
            | ErrorKind::StaleSyncState
            | ErrorKind::Unsupported
            | ErrorKind::BadAnswer
            | ErrorKind::NotFound
            | ErrorKind::Forbidden
    )
}

impl Walk {
    /// From the newest message down. `below` is the newest stored one.
    pub fn from_newest(id: &ConversationId, below: Option<Point>) -> Self {
        Self {
            id: id.clone(),
            next: Ok(NextPage::Newest),
            reach: None,
            chain: None,
            below,
            has_below: false,
            above: None,
            seen: HashSet::new(),
            links: HashSet::new(),
            idle: 0,
            tried: TimeTried { until: None, newest: true, window: false },
        }
    }

    /// From a stored message down, by a link that leads to what is older than it, if one is known. `below` is the next
    /// stored message below it.
    pub fn below(
        id: &ConversationId,
        above: Point,
        link: Option<String>,
        below: Option<Point>,
    ) -> Self {
        let mut walk = Self::from_newest(id, below);
        (walk.reach, walk.chain, walk.above) = (Some(above), Some(above), Some(above));
        walk.tried.newest = false;
        match link {
            Some(link) => walk.follow(link),
            None => walk.go_by_time(),
        }
        walk
    }

    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// The next page to ask for, or what is known where the walk ended.
    pub fn next(&self) -> Result<&NextPage, PastEnd> {
        self.next.as_ref().map_err(|end| *end)
    }

    /// Everything from the start of the walk down to here has been read.
    pub fn reach(&self) -> Option<Point> {
        self.reach
    }

    /// The link to what is older than the last page.
    pub fn link(&self) -> Option<&str> {
        match &self.next {
            Ok(NextPage::Link(link)) => Some(link),
            _ => None,
        }
    }

    /// Takes the answer to the request.
    pub fn take(&mut self, page: WirePage<RawMessage>) -> Step {
        let Ok(request) = self.next.clone() else { return Step::default() };
        let WirePage { items, older, is_last, is_full, sync_state, .. } = page;
        let items = items.into_iter().filter(|raw| raw.conversation == self.id);
        let items: Vec<RawMessage> = items.collect();
        let linked = matches!(request, NextPage::Link(_));
        let (by_time, heeded) = match &request {
            NextPage::Between(_, end) => (true, items.iter().all(|raw| raw.at <= *end)),
            _ => (false, true),
        };
        let points = || items.iter().map(|raw| Point::from(&raw.key()));
        // The very last page reaches down to the beginning, also past changed messages.
        let lo = lowest(&items, linked && !is_last).filter(|_| heeded);
        let hi = points().max();
        let reached = |point: Point| self.reach.is_some_and(|reach| point <= reach);
        let answers = heeded && points().any(reached);
        self.has_below |= points().any(|point| Some(point) == self.below);
        let skips = linked && lo.is_some_and(|lo| self.skips_stored(lo));
        let connects = if by_time {
            hi.zip(self.chain).is_some_and(|(hi, chain)| hi >= chain)
        } else {
            !skips
        };
        let progress = connects && lo.is_some_and(|lo| self.chain.is_none_or(|end| lo < end));
        let span = lo.zip(hi).filter(|_| !linked).and_then(|(lo, hi)| self.span(lo, hi));
        let messages: Vec<RawMessage> = items
            .into_iter()
            .filter(|raw| self.above.is_none_or(|above| Point::from(&raw.key()) < above))
            .filter(|raw| heeded && self.seen.insert((raw.id.clone(), raw.version)))
            .collect();
        if progress {
            self.chain = lo;
            self.reach = self.reach.map_or(lo, |reach| lo.map(|lo| lo.min(reach)));
        }
        self.idle = if progress || !messages.is_empty() { 0 } else { self.idle + 1 };
        self.decide(
            older.filter(|_| !skips),
            &PageSigns { by_time, progress, answers, is_last, is_full },
        );
        Step { messages, span, sync_state }
    }

    /// Takes an error instead of the answer. Returns true if the walk goes on another way.
    pub fn take_error(&mut self, error: &Error) -> bool {
        match &self.next {
            Ok(NextPage::Link(_)) if may_be_the_link(error.kind) => self.go_by_time(),
            Ok(NextPage::Between(..))
                if matches!(
                    error.kind,
                    ErrorKind::Refused | ErrorKind::StaleSyncState | ErrorKind::Unsupported
                ) =>
            {
                self.go_by_time();
            }
            _ => return false,
        }
        true
    }

    /// A page that was not reached by a link is one piece of the history; nothing above the start is claimed.
    fn span(&self, lo: Point, hi: Point) -> Option<(Point, Point)> {
        match self.above {
            Some(above) => (lo < above).then(|| (lo, hi.min(above))),
            None => Some((lo, hi)),
        }
    }

    /// Whether a page that a link led to reaches past the stored message below the start, and no page had that message: then
    /// the link may have passed over others, too.
    fn skips_stored(&self, lo: Point) -> bool {
        !self.has_below
            && self
                .below
                .is_some_and(|below| lo < below && self.chain.is_none_or(|chain| below < chain))
    }

    fn decide(&mut self, older: Option<String>, signs: &PageSigns) {
        // A page by time that ignores the bounds has links that lead elsewhere.
        let usable =
            |link: &String| (!signs.by_time || signs.progress) && !self.links.contains(link);
        match older.filter(usable) {
            Some(link) if self.idle <= MAX_IDLE => self.follow(link),
            None if self.is_end(signs) => self.next = Err(PastEnd::Floor),
            Some(_) | None => self.go_by_time(),
        }
    }

    /// Whether a page without a usable link proves that there is nothing older.
    fn is_end(&self, signs: &PageSigns) -> bool {
        if signs.by_time {
            // The server was asked for what is older than a message, and gave that message and nothing else.
            return signs.answers && !signs.progress && !signs.is_full;
        }
        // Enough for a conversation that is new here. Where more of the history is at stake, it is confirmed by time.
        signs.is_last && self.below.is_none() && self.above.is_none()
    }

    fn follow(&mut self, link: String) {
        self.links.insert(link.clone());
        self.next = Ok(NextPage::Link(link));
    }

    /// Asks for what is older than the place that was reached: by an upper bound in time; then down from the newest page,
    /// where the walk began further down; then by both bounds.
    fn go_by_time(&mut self) {
        self.idle = 0;
        let Some(reach) = self.reach else {
            self.next = Err(PastEnd::Unknown);
            return;
        };
        self.chain = Some(reach);
        // One more, so that the message at that place is in the answer, whether the bound is included or not: an answer
        // without it does not answer this question.
        let end = Timestamp(reach.at.0.saturating_add(1));
        self.next = if self.tried.until != Some(reach) {
            self.tried.until = Some(reach);
            Ok(NextPage::Between(Timestamp(0), end))
        } else if !std::mem::replace(&mut self.tried.newest, true) {
            self.chain = None;
            Ok(NextPage::Newest)
        } else if let Some(below) = self.below
            && !std::mem::replace(&mut self.tried.window, true)
        {
            Ok(NextPage::Between(below.at, end))
        } else {
            Err(PastEnd::Unknown)
        };
    }
}

/// How far down a page of messages reaches without a gap. A page that continues from a `syncState` may also contain
/// changed messages from anywhere (facts 2.1): then only unchanged messages show how far it reaches.
fn lowest(page: &[RawMessage], continued: bool) -> Option<Point> {
    let as_posted = |raw: &&RawMessage| raw.key().order == 0 || raw.version <= raw.key().order;
    let counts = page.iter().filter(|raw| !continued || as_posted(raw));
    counts.map(|raw| Point::from(&raw.key())).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire;

    const CHAT: &str = "8:joe.4";

    fn raw(id: i64, version: i64) -> RawMessage {
        let json = format!(r#"{{"id":"{id}","version":"{version}","conversationid":"{CHAT}"}}"#);
        wire::raw_message(&json, None).unwrap()
    }

    fn point(id: i64) -> Point {
        Point { at: Timestamp(id), order: id.unsigned_abs() }
    }

    #[test]
    fn a_page_of_a_sync_state_reaches_as_far_as_its_messages_as_posted() {
        assert_eq!(lowest(&[raw(30, 30), raw(20, 99), raw(25, 25)], false), Some(point(20)));
        assert_eq!(lowest(&[], false), None);
        // The changed message may come from anywhere: what is between it and the others is not known.
        assert_eq!(lowest(&[raw(30, 30), raw(2, 99), raw(25, 25)], true), Some(point(25)));
        assert_eq!(lowest(&[raw(2, 99), raw(3, 98)], true), None);
        let json =
            r#"{"id":"abc","version":"99","originalarrivaltime":"20","conversationid":"8:joe.4"}"#;
        let odd = wire::raw_message(json, None).unwrap();
        assert_eq!(lowest(&[odd], true).map(|p| p.at), Some(Timestamp(20)));
    }

    /// What a server does wrong with the links of its pages.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Links {
        Right,
        /// `_metadata` is missing, or the link is empty, null or leads to no page.
        Unusable,
        /// There is metadata, as on a last page, although the page is full.
        Absent,
        ToItself,
        /// Back to the newest page after this many.
        Cycle(i64),
        /// Signals only, for this many pages, between two pages of messages.
        Idle(i64),
        /// To a page far down, past messages that no page had.
        TooFar,
        Refused,
    }

    /// What it does with bounds in time.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Bounds {
        Heeded,
        EndNotIncluded,
        Ignored,
        Refused,
        /// An empty page, whatever the bounds are.
        Empty,
    }

    /// A server with the messages 1 to `count`, of which a page holds at most `cap`.
    struct OddServer {
        count: i64,
        cap: i64,
        size: i64,
        links: Links,
        bounds: Bounds,
    }

    impl OddServer {
        /// The page from `hi` down.
        fn page(&self, hi: i64, lo: i64, turn: i64) -> WirePage<RawMessage> {
            let length = self.cap.min(self.size);
            let from = (hi - length + 1).max(lo).max(1);
            let idle = matches!(self.links, Links::Idle(n) if turn % (n + 1) > 0);
            let items: Vec<_> =
                if idle { Vec::new() } else { (from..=hi).rev().map(|n| raw(n, n)).collect() };
            let next = if idle { hi } else { from - 1 };
            let more = next >= lo.max(1);
            let older = match self.links {
                Links::Right | Links::Refused | Links::Idle(_) => {
                    more.then(|| format!("{next}:{}", turn + 1))
                }
                Links::Unusable | Links::Absent => None,
                Links::ToItself => Some(format!("{hi}:{turn}")),
                Links::TooFar => Some(format!("3:{}", turn + 1)),
                Links::Cycle(n) if turn >= n => Some(format!("{}:0", self.count)),
                Links::Cycle(_) => Some(format!("{next}:{}", turn + 1)),
            };
            let is_full = i64::try_from(items.len()).unwrap() >= self.size;
            let says_last = match self.links {
                Links::Unusable => false,
                Links::Absent => true,
                _ => older.is_none(),
            };
            let is_last = says_last && !is_full;
            WirePage { items, older, is_last, is_full, sync_state: None, bad: 0 }
        }

        fn answer(&self, request: &NextPage) -> Result<WirePage<RawMessage>, Error> {
            let refused = || Err(Error::of_kind(ErrorKind::Refused, false));
            match request {
                NextPage::Newest => Ok(self.page(self.count, 1, 0)),
                NextPage::Link(_) if self.links == Links::Refused => refused(),
                NextPage::Link(link) => {
                    let (hi, turn) = link.split_once(':').unwrap();
                    Ok(self.page(hi.parse().unwrap(), 1, turn.parse().unwrap()))
                }
                NextPage::Between(lo, hi) => match self.bounds {
                    Bounds::Heeded => Ok(self.page(hi.0.min(self.count), lo.0, 0)),
                    Bounds::EndNotIncluded => Ok(self.page((hi.0 - 1).min(self.count), lo.0, 0)),
                    Bounds::Ignored => Ok(self.page(self.count, 1, 0)),
                    Bounds::Refused => refused(),
                    Bounds::Empty => Ok(self.page(0, 1, 0)),
                },
            }
        }
    }

    /// Walks until the place `until` or the end. Returns the walk, what it read, and the number of requests.
    fn walked(mut walk: Walk, server: &OddServer, until: i64) -> (Walk, Vec<i64>, usize) {
        let (mut ids, mut requests) = (Vec::new(), 0);
        while let Ok(request) = walk.next() {
            let request = request.clone();
            requests += 1;
            assert!(requests < 200, "it does not end: {:?} {:?}", server.links, server.bounds);
            match server.answer(&request) {
                Ok(page) => {
                    let step = walk.take(page);
                    ids.extend(step.messages.iter().map(|raw| raw.at.0));
                }
                Err(error) => assert!(walk.take_error(&error)),
            }
            if walk.reach().is_some_and(|reach| reach <= point(until)) {
                break;
            }
        }
        ids.sort_unstable();
        (walk, ids, requests)
    }

    fn servers() -> impl Iterator<Item = OddServer> {
        let links = [
            Links::Right,
            Links::Unusable,
            Links::Absent,
            Links::ToItself,
            Links::Cycle(0),
            Links::Cycle(2),
            Links::Idle(1),
            Links::Idle(2),
            Links::Idle(9),
            Links::TooFar,
            Links::Refused,
        ];
        let bounds = [
            Bounds::Heeded,
            Bounds::EndNotIncluded,
            Bounds::Ignored,
            Bounds::Refused,
            Bounds::Empty,
        ];
        let shapes = [(250, 100), (250, 50), (250, 30), (101, 100), (100, 100), (10, 100)];
        links.into_iter().flat_map(move |links| {
            bounds.into_iter().flat_map(move |bounds| {
                shapes.into_iter().map(move |(count, cap)| OddServer {
                    count,
                    cap,
                    size: 100,
                    links,
                    bounds,
                })
            })
        })
    }

    #[test]
    fn no_odd_page_is_the_end_of_what_lies_above_a_stored_message() {
        for server in servers() {
            let case = (server.links, server.bounds, server.count, server.cap);
            // Message 5 is stored, and what came after it was missed.
            let walk = Walk::from_newest(&CHAT.into(), Some(point(5)));
            let (walk, ids, requests) = walked(walk, &server, 5);
            let all = walk.reach().is_some_and(|reach| reach <= point(5));
            assert!(all || walk.next() == Err(PastEnd::Unknown), "{case:?}: {:?}", walk.next());
            if all {
                assert!((6..=server.count).all(|n| ids.contains(&n)), "{case:?}");
            }
            let works = matches!(server.bounds, Bounds::Heeded | Bounds::EndNotIncluded)
                || matches!(server.links, Links::Right | Links::Idle(1 | 2));
            assert!(all || !works, "{case:?}");
            let pages = usize::try_from(server.count / server.cap.min(100)).unwrap() + 1;
            assert!(requests <= 4 * pages + 5, "{case:?}: {requests}");
        }
    }

    #[test]
    fn a_walk_down_from_a_stored_message_finds_a_way_or_leaves_the_end_open() {
        for server in servers().filter(|server| server.count > 100) {
            let case = (server.links, server.bounds, server.count, server.cap);
            for (link, below) in [(None, Some(5)), (Some("39:7"), Some(5)), (Some("39:7"), None)] {
                if server.links == Links::TooFar && below.is_none() {
                    // Without a stored message below nothing shows that the link passed over others.
                    continue;
                }
                let above = point(40);
                let link = link.map(str::to_owned);
                let walk = Walk::below(&CHAT.into(), above, link, below.map(point));
                let (walk, ids, requests) = walked(walk, &server, below.unwrap_or(0));
                let reach = walk.reach().unwrap();
                let floor = walk.next() == Err(PastEnd::Floor);
                assert!(!floor || reach == point(1), "{case:?}: {reach:?}");
                assert!((reach.at.0..40).all(|n| ids.contains(&n)), "{case:?}: {reach:?}");
                assert!(!ids.contains(&40) && !ids.contains(&41), "{case:?}");
                if matches!(server.bounds, Bounds::Heeded | Bounds::EndNotIncluded) {
                    let wanted = below.unwrap_or(1);
                    assert!(reach <= point(wanted), "{case:?}: {reach:?}");
                    assert!(below.is_some() || floor, "{case:?}");
                }
                assert!(requests < 60, "{case:?}: {requests}");
            }
        }
    }

    #[test]
    fn a_server_that_keeps_nothing_older_is_believed_when_it_is_asked_by_time() {
        // What is stored below is older than what the server still has.
        let server = OddServer {
            count: 50,
            cap: 100,
            size: 100,
            links: Links::Right,
            bounds: Bounds::Heeded,
        };
        let walk = Walk::from_newest(&CHAT.into(), Some(point(-9)));
        let (walk, ids, requests) = walked(walk, &server, -9);
        assert_eq!((walk.next(), ids.len(), requests), (Err(PastEnd::Floor), 50, 2));
        // A new conversation needs no second request.
        let walk = Walk::from_newest(&CHAT.into(), None);
        let (walk, _, requests) = walked(walk, &server, -9);
        assert_eq!((walk.next(), requests), (Err(PastEnd::Floor), 1));
    }

    #[test]
    fn what_a_page_by_both_bounds_holds_at_its_lower_end_is_a_piece_of_its_own() {
        let mut walk = Walk::below(&CHAT.into(), point(90), None, Some(point(5)));
        let error = Error::of_kind(ErrorKind::Refused, false);
        assert!(walk.take_error(&error));
        assert_eq!(walk.next(), Ok(&NextPage::Newest));
        assert!(!walk.take_error(&error), "that is an error of the conversation");
        let page = |items: Vec<RawMessage>| WirePage {
            items,
            older: None,
            is_last: false,
            is_full: true,
            sync_state: None,
            bad: 0,
        };
        assert_eq!(walk.take(page(vec![raw(120, 120), raw(91, 91)])).span, None);
        assert_eq!(walk.next(), Ok(&NextPage::Between(Timestamp(5), Timestamp(91))));
        // Oldest first: it begins below and ends in the middle.
        let step = walk.take(page((5..=40).map(|n| raw(n, n)).collect()));
        assert_eq!(step.span, Some((point(5), point(40))));
        assert_eq!((walk.reach(), walk.next()), (Some(point(90)), Err(PastEnd::Unknown)));
    }
}
