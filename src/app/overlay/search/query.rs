//! Turns the input of the search box into a query for the store of each account.

use crate::app::account::Account;
use crate::app::fuzzy::part_of;
use crate::app::state::AppState;
use crate::model::fold::folded;
use crate::model::names::{SEPARATOR, likeness};
use crate::model::search::{Query, SearchInput};
use crate::model::{AccountId, ChatRef, ConversationId, SafeText, UserId, YOU};

/// The people that a `from:` value matches: the user, or people by part of their name or by id.
fn people(account: &Account, word: &str) -> Vec<UserId> {
    if word.eq_ignore_ascii_case("me") || word.eq_ignore_ascii_case("you") {
        return vec![account.me.clone()];
    }
    // A name with the id, as shown in lists, means one person.
    let is_label = |id: &UserId| likeness(&account.names.distinct(id)) == likeness(word);
    if word.contains(SEPARATOR.trim())
        && let Some((id, _)) = account.names.people().find(|(id, _)| is_label(id))
    {
        return vec![id.clone()];
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

/// The people whose names contain this term, if they are few: a term in many names says little.
fn named(account: &Account, term: &str) -> Vec<UserId> {
    const FEW: usize = 16;
    let is_me = term == folded(YOU);
    let fits = |(id, name): &(&UserId, &SafeText)| {
        (is_me && **id == account.me)
            || (term.chars().nth(1).is_some() && folded(name).contains(term))
    };
    let found: Vec<UserId> =
        account.names.people().filter(fits).map(|(id, _)| id.clone()).take(FEW + 1).collect();
    if found.len() > FEW { Vec::new() } else { found }
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

/// The queries for this input, one for each account that can have hits; none if the input is empty.
///
/// # Errors
/// When a filter is invalid. A name only has to be known to one account.
pub fn queries(
    app: &AppState,
    input: &str,
    here: Option<&ChatRef>,
) -> Result<Vec<(AccountId, Query)>, String> {
    let parsed = SearchInput::read(input, &app.prefs.zone);
    if let Some(wrong) = parsed.wrong {
        return Err(wrong);
    }
    if parsed.is_empty() {
        return Ok(Vec::new());
    }
    // A chat includes its archives.
    let chat = here.and_then(|here| app.accounts.chat(here));
    let archives: Vec<&AccountId> =
        chat.into_iter().flat_map(|chat| app.accounts.archives_of(chat)).map(|a| &a.id).collect();
    let accounts = app.accounts.iter().filter(|account| {
        here.is_none_or(|here| here.account == account.id || archives.contains(&&account.id))
    });
    let (mut found, mut wrong) = (Vec::new(), None);
    for account in accounts {
        match query(account, &parsed, here) {
            Ok(query) => found.push((account.id.clone(), query)),
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    match wrong {
        Some(why) if found.is_empty() => Err(why),
        _ => Ok(found),
    }
}

fn query(account: &Account, parsed: &SearchInput, here: Option<&ChatRef>) -> Result<Query, String> {
    let mut query = Query {
        terms: parsed.terms.clone(),
        named: parsed.terms.iter().map(|term| named(account, term)).collect(),
        before: parsed.before,
        after: parsed.after,
        link: parsed.link,
        file: parsed.file,
        ..Query::default()
    };
    for word in &parsed.from {
        let found = people(account, word);
        if found.is_empty() {
            return Err(format!("from: there is no person called \"{word}\""));
        }
        query.from.extend(found);
    }
    for word in &parsed.within {
        let found = chats(account, word);
        if found.is_empty() {
            return Err(format!("in: there is no chat called \"{word}\""));
        }
        query.within.extend(found);
    }
    if let Some(here) = here {
        query.within = vec![here.conversation.clone()];
    }
    Ok(query)
}
