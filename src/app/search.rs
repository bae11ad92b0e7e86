//! Looking through everything stored: what is typed becomes a question at every key, the newest hits come first.

use super::Model;
use super::overlay::{self, Overlay};
use super::pending::PendingRequest;
use super::state::AppState;
use super::{on_history, on_list};
use crate::model::search::{Hit, Query, SearchInput};
use crate::model::{ConversationId, Fault, Findings, Request, SafeText, UserId};

/// So near to the last hit the next ones are asked for.
const NEAR: usize = 20;

#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub input: String,
    /// Only in this chat.
    pub here: Option<ConversationId>,
    pub marked: usize,
    pub hits: Vec<Hit>,
    pub state: SearchState,
    /// Not all of the history is indexed yet.
    pub behind: bool,
    /// Where older hits begin.
    next: Option<i64>,
    /// Enter was pressed before the answer was there: its first hit is opened.
    opens_first: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchState {
    /// Nothing is asked.
    Idle,
    Asking,
    Answered,
    /// The query is not valid, or it failed; and why.
    Wrong(SafeText),
}

impl Search {
    pub fn new(here: Option<ConversationId>) -> Self {
        Self {
            input: String::new(),
            here,
            marked: 0,
            hits: Vec::new(),
            state: SearchState::Idle,
            behind: false,
            next: None,
            opens_first: false,
        }
    }

    /// More hits than those that were fetched.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

/// Everyone a word means: me, part of a name, part of an id.
fn people(app: &AppState, word: &str) -> Vec<UserId> {
    if word.eq_ignore_ascii_case("me") || word.eq_ignore_ascii_case("you") {
        return vec![app.me().clone()];
    }
    let fits = |name: &str| overlay::matches(name, word).is_some_and(|score| score < 4);
    let mut found: Vec<UserId> =
        app.names.people().filter(|(_, name)| fits(name)).map(|(id, _)| id.clone()).collect();
    let id = UserId::with_prefix(word);
    let by_id = app.names.people().map(|(known, _)| known).find(|known| **known == id);
    if let Some(known) = by_id.cloned().or_else(|| word.contains(':').then_some(id))
        && !found.contains(&known)
    {
        found.push(known);
    }
    found
}

/// Every conversation a word means.
fn chats(app: &AppState, word: &str) -> Vec<ConversationId> {
    let fits = |name: &str| overlay::matches(name, word).is_some_and(|score| score < 4);
    app.conversations
        .iter()
        .filter(|c| c.info.id.as_str() == word || fits(&app.title(c)))
        .map(|c| c.info.id.clone())
        .collect()
}

/// The question that a line means.
fn question(
    app: &AppState,
    input: &str,
    here: Option<&ConversationId>,
) -> Result<Option<Query>, String> {
    let parsed = SearchInput::read(input, &app.prefs.zone);
    if let Some(wrong) = parsed.wrong {
        return Err(wrong);
    }
    if parsed.is_empty() {
        return Ok(None);
    }
    let mut query = Query {
        terms: parsed.terms,
        before: parsed.before,
        after: parsed.after,
        link: parsed.link,
        file: parsed.file,
        ..Query::default()
    };
    for word in &parsed.from {
        let found = people(app, word);
        if found.is_empty() {
            return Err(format!("from: nobody is called {word}"));
        }
        query.from.extend(found);
    }
    for word in &parsed.within {
        let found = chats(app, word);
        if found.is_empty() {
            return Err(format!("in: no conversation is called {word}"));
        }
        query.within.extend(found);
    }
    if let Some(here) = here {
        query.within = vec![here.clone()];
    }
    Ok(Some(query))
}

/// Opens the search, with a line to begin with.
pub fn open(model: &mut Model, here: bool, input: &str) {
    let here = model.app.open.clone().filter(|_| here);
    let last = model.view.last_search.take().filter(|last| input.is_empty() && last.here == here);
    if let Some(last) = last {
        // Back from one hit to the others.
        model.app.overlay = Some(Overlay::Search(last));
        return;
    }
    let search = Search { input: input.to_owned(), ..Search::new(here) };
    model.app.overlay = Some(Overlay::Search(Box::new(search)));
    ask(model);
}

/// What is typed changed: the question is another one.
pub fn ask(model: &mut Model) {
    let Some(Overlay::Search(search)) = &model.app.overlay else { return };
    let asked = question(&model.app, &search.input, search.here.as_ref());
    // The answer to an earlier query is of no use any more.
    model.app.pending.give_up(|request| *request == PendingRequest::Search);
    let Some(Overlay::Search(search)) = &mut model.app.overlay else { return };
    search.marked = 0;
    search.opens_first = false;
    match asked {
        Ok(Some(query)) => {
            // The hits of the question before stay until the answer is there: nothing flickers.
            search.state = SearchState::Asking;
            let ticket = model.app.pending.add(PendingRequest::Search);
            model.app.request(Request::Search { query, below: None, ticket });
        }
        Ok(None) => {
            search.hits.clear();
            search.next = None;
            search.state = SearchState::Idle;
        }
        Err(wrong) => {
            search.hits.clear();
            search.next = None;
            search.state = SearchState::Wrong(SafeText::line(&wrong));
        }
    }
}

/// In this chat or in all of them.
pub fn turn_scope(model: &mut Model) {
    let open = model.app.open.clone();
    if let Some(Overlay::Search(search)) = &mut model.app.overlay {
        search.here = if search.here.is_some() { None } else { open };
    }
    ask(model);
}

/// Older hits, when the marked one is near the last.
pub fn more(model: &mut Model) {
    let Some(Overlay::Search(search)) = &model.app.overlay else { return };
    let near = search.marked + NEAR >= search.hits.len() && search.state == SearchState::Answered;
    let (Some(below), true) = (search.next, near) else { return };
    let asked = question(&model.app, &search.input, search.here.as_ref());
    let Some(Overlay::Search(search)) = &mut model.app.overlay else { return };
    if let Ok(Some(query)) = asked {
        search.state = SearchState::Asking;
        let below = Some(below);
        let ticket = model.app.pending.add(PendingRequest::Search);
        model.app.request(Request::Search { query, below, ticket });
    }
}

/// Hits of the newest query.
pub fn found(model: &mut Model, result: Result<Findings, Fault>) {
    let Some(Overlay::Search(search)) = &mut model.app.overlay else { return };
    match result {
        Ok(found) => {
            if !found.more {
                search.hits.clear();
            }
            search.hits.extend(found.hits);
            search.next = found.next;
            search.behind = found.behind;
            search.state = SearchState::Answered;
        }
        Err(fault) => search.state = SearchState::Wrong(fault.reason),
    }
    if std::mem::take(&mut search.opens_first) && !search.hits.is_empty() {
        let search = search.clone();
        model.app.overlay = None;
        choose(model, *search);
    }
}

/// Shows the marked hit in its place.
pub fn choose(model: &mut Model, mut search: Search) {
    let waits = search.state == SearchState::Asking && search.marked == 0;
    let Some(hit) = search.hits.get(search.marked).cloned().filter(|_| !waits) else {
        search.opens_first = waits;
        model.app.overlay = Some(Overlay::Search(Box::new(search)));
        return;
    };
    on_list::open(model, &hit.conversation);
    on_history::go_to(model, &hit.key);
    model.view.last_search = Some(Box::new(search));
}
