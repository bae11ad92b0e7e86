//! Searches the stored messages of all accounts, or of one chat, while the user types; newest hits first.

mod again;
mod hits;
mod query;

use super::content::{Content, DialogLine, Extent, Position, step};
use super::{Dialog, DialogEnv, Next};
use crate::app::account::Account;
use crate::app::action::OverlayAction;
use crate::app::pending::PendingRequest;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::{Label, Tone, shown};
use crate::model::search::{Query, SearchPosition};
use crate::model::text::{cut, head, width};
use crate::model::{AccountId, ChatRef, Fault, Findings, Request, SafeText};
use hits::{AccountHit, SearchedAccounts};
use query::queries;

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
    /// The hits shown: those of the accounts, or those of the previous search until there are any.
    hits: Vec<AccountHit>,
    accounts: SearchedAccounts,
    state: SearchState,
    /// Enter was pressed before the answer arrived: open the first hit when it does.
    opens_first: bool,
    /// The input is from the last search: typing replaces it.
    is_from_before: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SearchState {
    /// The input is empty.
    Idle,
    Asking,
    Answered,
    /// Why the query is invalid or has failed.
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
            accounts: SearchedAccounts::default(),
            state: SearchState::Idle,
            opens_first: false,
            is_from_before: false,
        };
        search.ask(app);
        search
    }

    /// The search is opened again.
    #[must_use]
    pub fn again(self) -> Self {
        Self { is_from_before: !self.input.is_empty(), ..self }
    }

    /// Edits the input; false if it is not an editing key. The first letter replaces the input of the last search, and
    /// the first key that deletes clears it.
    fn edit(&mut self, action: &OverlayAction) -> bool {
        let mut input = if self.is_from_before { String::new() } else { self.input.clone() };
        if !action.edit(&mut input) {
            return false;
        }
        self.input = input;
        self.is_from_before = false;
        true
    }

    /// Sends the query again after the input has changed.
    fn ask(&mut self, app: &mut AppState) {
        let queries = queries(app, &self.input, self.here.as_ref());
        // The answers to an earlier query are no longer needed.
        app.pending.give_up(|request| matches!(request, PendingRequest::Search(_)));
        self.marked = 0;
        self.opens_first = false;
        match queries {
            Ok(queries) if !queries.is_empty() => {
                // Keep the previous hits until an answer arrives, to avoid flicker.
                self.state = SearchState::Asking;
                for (account, query) in &queries {
                    request(app, account, query.clone(), None);
                }
                self.accounts = SearchedAccounts::new(queries);
                return;
            }
            Ok(_) => self.state = SearchState::Idle,
            Err(why) => self.state = SearchState::Failed(SafeText::line(&why)),
        }
        self.hits.clear();
        self.accounts = SearchedAccounts::default();
    }

    /// Requests older hits if the highlighted one is near the last.
    fn more(&mut self, app: &mut AppState) {
        let near = self.marked + NEAR >= self.hits.len() && self.state == SearchState::Answered;
        if !near {
            return;
        }
        for (account, query, below) in self.accounts.ask_for_more() {
            self.state = SearchState::Asking;
            request(app, &account, query, Some(below));
        }
    }

    /// Takes an account's hits for the newest query. Opens the first one of all accounts if Enter was pressed before
    /// they arrived.
    pub fn found(
        &mut self,
        app: &AppState,
        account: &AccountId,
        result: Result<Findings, Fault>,
    ) -> Next {
        self.accounts.take(account, result);
        // The highlight stays on its hit when others come before it.
        let marked = self.hits.get(self.marked).filter(|_| self.marked > 0).cloned();
        self.hits = self.accounts.merged();
        let place = marked.and_then(|marked| self.hits.iter().position(|hit| *hit == marked));
        self.marked = place.unwrap_or(self.marked).min(self.hits.len().saturating_sub(1));
        if self.accounts.is_waiting() {
            return Next::Stay;
        }
        self.state = match self.accounts.failed() {
            Some(reason) => SearchState::Failed(reason),
            None => SearchState::Answered,
        };
        if std::mem::take(&mut self.opens_first) { self.choose(app) } else { Next::Stay }
    }

    /// Opens the highlighted hit in its chat.
    fn choose(&mut self, app: &AppState) -> Next {
        if self.state == SearchState::Asking && self.marked == 0 {
            self.opens_first = true;
            return Next::Stay;
        }
        let Some(AccountHit { account, hit }) = self.hits.get(self.marked) else {
            return Next::Stay;
        };
        let account = app.accounts.get(account).unwrap_or(app.accounts.first());
        Next::Open(account.chat_ref(&hit.conversation), Some(hit.key.clone()))
    }

    /// The number of hits found so far.
    fn count(&self) -> String {
        let count = match self.state {
            SearchState::Idle | SearchState::Failed(_) => String::new(),
            SearchState::Asking if self.hits.is_empty() => "searching…".to_owned(),
            _ if self.accounts.has_more() => format!("{}+ found", self.hits.len()),
            _ => format!("{} found", self.hits.len()),
        };
        if self.accounts.is_behind() { format!("{count} · still indexing") } else { count }
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

    /// The lines shown if there are no hits.
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
                "in:kitchen       chat",
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
        let lines = if has_hits {
            let hits = self.hits.iter().enumerate();
            hits.flat_map(|(i, hit)| {
                let terms = self.accounts.terms(&hit.account);
                rows(app, hit, terms, self.here.is_none(), columns)
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
            selects_input: self.is_from_before,
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
                    self.is_from_before = false;
                    self.more(env.app);
                } else if self.edit(&other) {
                    self.ask(env.app);
                }
            }
        }
        Next::Stay
    }
}

/// Sends the query to the sync of an account.
fn request(app: &mut AppState, account: &AccountId, query: Query, below: Option<SearchPosition>) {
    let ticket = app.pending.add(PendingRequest::Search(account.clone()));
    app.request(account, Request::Search { query, below, ticket });
}

/// The account of a hit, if that may be unclear.
fn account_label(app: &AppState, account: &Account) -> String {
    match account.id.archive() {
        Some(_) => "  · archive".to_owned(),
        None if app.accounts.iter().filter(|a| a.id.archive().is_none()).count() > 1 => {
            format!("  · {}", SafeText::line(account.id.as_str()))
        }
        None => String::new(),
    }
}

/// Two rows for a hit: sender, conversation, account and time, then the text around the match.
fn rows(
    app: &AppState,
    found: &AccountHit,
    terms: &[String],
    names_account: bool,
    columns: usize,
) -> [DialogLine; ROWS] {
    let hit = &found.hit;
    let account = app.accounts.get(&found.account).unwrap_or(app.accounts.first());
    let day = app.prefs.day_name(hit.key.at, app.clock.wall);
    let when = format!("{day} {}", app.prefs.clock(hit.key.at));
    let chat = account.conversations.get(&hit.conversation);
    let title = chat.map(|chat| shown(&app.prefs, &account.title(chat)));
    // Most system messages are sent by the conversation itself.
    let is_system = hit.is_system || hit.sender.as_str() == hit.conversation.as_str();
    let who = match &title {
        Some(title) if is_system => title.clone(),
        _ => shown(&app.prefs, &account.distinct_name(&hit.sender)),
    };
    let mut first = DialogLine {
        left: vec![Label::new(who.as_str(), Tone::Unread)],
        right_tone: Tone::Dim,
        ..DialogLine::default()
    };
    let place = title.filter(|title| *title != who).map(|title| format!("  in {title}"));
    let of = if names_account { account_label(app, account) } else { String::new() };
    let room = columns.saturating_sub(width(&who) + width(&when) + width(&of) + 1);
    let place = cut(&place.unwrap_or_default(), room);
    first.left.push(Label::new(format!("{place}{of}"), Tone::Dim));
    first.right = when;
    let mut second =
        DialogLine { left: vec![Label::new("  ", Tone::Plain)], ..DialogLine::default() };
    let (text, marks) = hit.named(&|id| account.distinct_name(id), terms);
    let is_cut = width(&text) + 2 > columns;
    let mut room = columns.saturating_sub(2 + usize::from(is_cut));
    let mut at = 0;
    let mut add = |piece: &str, tone| {
        let piece = head(piece, room);
        room = room.saturating_sub(width(piece));
        second.left.push(Label::new(piece, tone));
    };
    for range in &marks {
        add(text.get(at..range.start).unwrap_or_default(), Tone::Plain);
        add(text.get(range.clone()).unwrap_or_default(), Tone::New);
        at = range.end;
    }
    add(text.get(at..).unwrap_or_default(), Tone::Plain);
    if is_cut {
        if let Some(last) = second.left.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        second.left.push(Label::new("…", Tone::Plain));
    }
    [first, second]
}
