//! Searches all stored messages while the user types; the newest hits come first.

use super::content::{Content, DialogLine, Extent, Position, step};
use super::{Dialog, DialogEnv, Next};
use crate::app::account::Account;
use crate::app::action::OverlayAction;
use crate::app::fuzzy::part_of;
use crate::app::pending::PendingRequest;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::{Label, Tone, shown};
use crate::model::search::{Hit, Query, SearchInput};
use crate::model::text::{cut, head, width};
use crate::model::{ChatRef, ConversationId, Fault, Findings, Request, SafeText, UserId};

/// More hits are requested when the highlighted one is this close to the last.
const NEAR: usize = 20;
/// The number of rows per hit.
const ROWS: usize = 2;

#[derive(Debug)]
pub struct Search {
    input: String,
    /// Searches only this chat.
    pub here: Option<ChatRef>,
    marked: usize,
    hits: Vec<Hit>,
    state: SearchState,
    /// Part of the history is not indexed yet.
    behind: bool,
    /// Where the older hits begin.
    next: Option<i64>,
    /// Enter was pressed before the answer arrived: open the first hit when it does.
    opens_first: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SearchState {
    /// The input is empty.
    Idle,
    Asking,
    Answered,
    /// Why the query is not valid or failed.
    Failed(SafeText),
}

impl Search {
    /// Starts a search with this input.
    pub fn begin(app: &mut AppState, here: Option<ChatRef>, input: &str) -> Self {
        let mut search = Self {
            input: input.to_owned(),
            here,
            marked: 0,
            hits: Vec::new(),
            state: SearchState::Idle,
            behind: false,
            next: None,
            opens_first: false,
        };
        search.ask(app);
        search
    }

    /// Sends the query again after the input has changed.
    fn ask(&mut self, app: &mut AppState) {
        let query = query(app, &self.input, self.here.as_ref());
        // The answer to an earlier query is no longer needed.
        app.pending.give_up(|request| *request == PendingRequest::Search);
        self.marked = 0;
        self.opens_first = false;
        match query {
            Ok(Some(query)) => {
                // Keep the previous hits until the answer arrives, to avoid flicker.
                self.request(app, query, None);
                return;
            }
            Ok(None) => self.state = SearchState::Idle,
            Err(why) => self.state = SearchState::Failed(SafeText::line(&why)),
        }
        self.hits.clear();
        self.next = None;
    }

    fn request(&mut self, app: &mut AppState, query: Query, below: Option<i64>) {
        self.state = SearchState::Asking;
        let account = self.account(app).id.clone();
        let ticket = app.pending.add(PendingRequest::Search);
        app.request(&account, Request::Search { query, below, ticket });
    }

    fn account<'a>(&self, app: &'a AppState) -> &'a Account {
        let here = self.here.as_ref().and_then(|chat| app.accounts.get(&chat.account));
        here.unwrap_or(app.current_account())
    }

    /// Requests older hits if the highlighted one is near the last.
    fn more(&mut self, app: &mut AppState) {
        let near = self.marked + NEAR >= self.hits.len() && self.state == SearchState::Answered;
        let Some(below) = self.next.filter(|_| near) else { return };
        if let Ok(Some(query)) = query(app, &self.input, self.here.as_ref()) {
            self.request(app, query, Some(below));
        }
    }

    /// Takes the hits of the newest query. Opens the first one if Enter was pressed before they arrived.
    pub fn found(&mut self, app: &AppState, result: Result<Findings, Fault>) -> Next {
        match result {
            Ok(found) => {
                if !found.more {
                    self.hits.clear();
                }
                self.hits.extend(found.hits);
                self.next = found.next;
                self.behind = found.behind;
                self.state = SearchState::Answered;
            }
            Err(fault) => self.state = SearchState::Failed(fault.reason),
        }
        if std::mem::take(&mut self.opens_first) { self.choose(app) } else { Next::Stay }
    }

    /// Opens the highlighted hit in its chat.
    fn choose(&mut self, app: &AppState) -> Next {
        if self.state == SearchState::Asking && self.marked == 0 {
            self.opens_first = true;
            return Next::Stay;
        }
        let account = self.account(app);
        let hit = self.hits.get(self.marked);
        hit.map_or(Next::Stay, |hit| {
            Next::Open(account.chat_ref(&hit.conversation), Some(hit.key.clone()))
        })
    }

    /// The number of hits, as far as it is known.
    fn count(&self) -> String {
        let count = match self.state {
            SearchState::Idle | SearchState::Failed(_) => String::new(),
            SearchState::Asking if self.hits.is_empty() => "searching…".to_owned(),
            _ if self.next.is_some() => format!("{}+ found", self.hits.len()),
            _ => format!("{} found", self.hits.len()),
        };
        if self.behind { format!("{count} · still indexing") } else { count }
    }

    fn title(&self, app: &AppState) -> String {
        match self.here.as_ref().and_then(|here| app.accounts.chat(here)) {
            None => "Search everywhere".to_owned(),
            Some(chat) => {
                let title = shown(&app.prefs, &app.accounts.of(chat).title(chat));
                // Only stored messages can be found.
                let more = if chat.paging.coverage.reached_start() {
                    ""
                } else {
                    " (older messages are on the server only)"
                };
                format!("Search in {title}{more}")
            }
        }
    }

    /// The lines shown in place of hits.
    fn instead(&self) -> Vec<DialogLine> {
        match &self.state {
            SearchState::Failed(why) => vec![DialogLine::toned(why.as_str(), "", Tone::Bad)],
            SearchState::Answered => vec![DialogLine::dim("Nothing found.")],
            SearchState::Asking => Vec::new(),
            SearchState::Idle => [
                "Finds any part of a word in all stored messages.",
                "",
                "\"two words\"      exact phrase",
                "from:joe         sender; from:me for your own messages",
                "in:kitchen       conversation",
                "before:2024-05   after:2023-12-31",
                "has:link         has:file",
            ]
            .map(DialogLine::dim)
            .into(),
        }
    }
}

impl Dialog for Search {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let other = if self.here.is_some() { "Tab: everywhere" } else { "Tab: this chat" };
        let hint = format!("Enter opens · {other} · Esc closes");
        let has_hits = !self.hits.is_empty() && !matches!(self.state, SearchState::Failed(_));
        let columns = usize::from(size.columns.saturating_sub(2).min(100).saturating_sub(4));
        let account = self.account(app);
        let lines = if has_hits {
            let hits = self.hits.iter().enumerate();
            hits.flat_map(|(i, hit)| {
                rows(app, account, hit, columns)
                    .map(|row| DialogLine { marked: i == self.marked, ..row })
            })
            .collect()
        } else {
            self.instead()
        };
        let at = self.marked * ROWS;
        Content {
            input: Some((self.input.clone(), self.count())),
            position: Position::Marked { at, last: at + ROWS - 1 },
            step: ROWS,
            extent: Extent::Full,
            ..Content::new(self.title(app), lines, hint)
        }
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose => return self.choose(env.app),
            OverlayAction::Pick => {
                self.here = if self.here.is_some() { None } else { env.app.open.clone() };
                self.ask(env.app);
            }
            other => {
                if let Some(by) = other.step(env.page) {
                    step(&mut self.marked, by, self.hits.len());
                    self.more(env.app);
                } else if other.edit(&mut self.input) {
                    self.ask(env.app);
                }
            }
        }
        Next::Stay
    }
}

/// Two rows for a hit: sender, conversation and time, then the text around the match.
fn rows(app: &AppState, account: &Account, hit: &Hit, columns: usize) -> [DialogLine; ROWS] {
    let zone = &app.prefs.zone;
    let day = hit.key.at.day_name(app.clock.wall, zone);
    let when = format!("{day} {}", hit.key.at.clock(zone));
    let chat = account.conversations.get(&hit.conversation);
    let title = chat.map(|chat| shown(&app.prefs, &account.title(chat)));
    // System lines are sent by the conversation.
    let is_system = hit.sender.as_str() == hit.conversation.as_str();
    let who = match &title {
        Some(title) if is_system => title.clone(),
        _ => shown(&app.prefs, &account.distinct_name(&hit.sender)),
    };
    let mut first = DialogLine {
        left: vec![Label::new(who.as_str(), Tone::Unread)],
        right_tone: Tone::Dim,
        ..DialogLine::default()
    };
    if let Some(title) = title.filter(|title| *title != who) {
        let room = columns.saturating_sub(width(&who) + width(&when) + 1);
        first.left.push(Label::new(cut(&format!("  in {title}"), room), Tone::Dim));
    }
    first.right = when;
    let mut second =
        DialogLine { left: vec![Label::new("  ", Tone::Plain)], ..DialogLine::default() };
    let is_cut = width(&hit.text) + 2 > columns;
    let mut room = columns.saturating_sub(2 + usize::from(is_cut));
    let mut at = 0;
    let mut add = |text: &str, tone| {
        let text = head(text, room);
        room = room.saturating_sub(width(text));
        second.left.push(Label::new(text, tone));
    };
    for range in &hit.marks {
        add(hit.text.get(at..range.start).unwrap_or_default(), Tone::Plain);
        add(hit.text.get(range.clone()).unwrap_or_default(), Tone::New);
        at = range.end;
    }
    add(hit.text.get(at..).unwrap_or_default(), Tone::Plain);
    if is_cut {
        if let Some(last) = second.left.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        second.left.push(Label::new("…", Tone::Plain));
    }
    [first, second]
}

/// The people that a `from:` value matches: the user, or people by part of their name, or by id.
fn people(account: &Account, word: &str) -> Vec<UserId> {
    if word.eq_ignore_ascii_case("me") || word.eq_ignore_ascii_case("you") {
        return vec![account.me.clone()];
    }
    let fits = |name: &str| part_of(name, word).is_some();
    let people = account.names.people();
    let mut found: Vec<UserId> =
        people.filter(|(_, name)| fits(name)).map(|(id, _)| id.clone()).collect();
    let id = UserId::with_prefix(word);
    let by_id = account.names.people().map(|(known, _)| known).find(|known| **known == id);
    if let Some(known) = by_id.cloned().or_else(|| word.contains(':').then_some(id))
        && !found.contains(&known)
    {
        found.push(known);
    }
    found
}

/// The conversations that an `in:` value matches.
fn chats(account: &Account, word: &str) -> Vec<ConversationId> {
    let fits = |name: &str| part_of(name, word).is_some();
    let chats = account.conversations.iter();
    chats
        .filter(|c| c.info.id.as_str() == word || fits(&account.title(c)))
        .map(|c| c.info.id.clone())
        .collect()
}

/// The query for this input; `None` if the input is empty.
fn query(app: &AppState, input: &str, here: Option<&ChatRef>) -> Result<Option<Query>, String> {
    let parsed = SearchInput::read(input, &app.prefs.zone);
    if let Some(wrong) = parsed.wrong {
        return Err(wrong);
    }
    if parsed.is_empty() {
        return Ok(None);
    }
    let account = here.and_then(|chat| app.accounts.get(&chat.account));
    let account = account.unwrap_or(app.current_account());
    let mut query = Query {
        terms: parsed.terms,
        before: parsed.before,
        after: parsed.after,
        link: parsed.link,
        file: parsed.file,
        ..Query::default()
    };
    for word in &parsed.from {
        let found = people(account, word);
        if found.is_empty() {
            return Err(format!("from: nobody matches {word}"));
        }
        query.from.extend(found);
    }
    for word in &parsed.within {
        let found = chats(account, word);
        if found.is_empty() {
            return Err(format!("in: no conversation matches {word}"));
        }
        query.within.extend(found);
    }
    if let Some(here) = here {
        query.within = vec![here.conversation.clone()];
    }
    Ok(Some(query))
}
