//! `skchat send`: sends one message.

use super::chats;
use super::context::{ExitError, Session};
use super::lines;
use crate::client::{Client, Error, ErrorKind};
use crate::model::{ClientMessageId, ConversationId, NameSource, Names, Outgoing};
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::time::Duration;

const PAGE: u32 = 50;
/// The waits before the list is asked for a thread whose id the service did not return.
const NOT_LISTED_YET: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

#[derive(Debug, Args)]
pub struct SendArgs {
    /// An id, or part of a name
    chat: String,
    /// The text, or - for standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// Print the ids of the message as a JSON object
    #[arg(long)]
    json: bool,
    /// Turn *bold* _italic_ ~strike~ {code}…{code} into formatting
    #[arg(long)]
    markup: bool,
}

/// Sends the text and prints the message's id.
///
/// # Errors
/// When it is refused, the gateway cannot be reached, or the outcome is not known.
pub async fn run(session: &Session, arguments: &SendArgs) -> Result<(), ExitError> {
    let text = if arguments.text == "-" { standard_input()? } else { arguments.text.clone() };
    if text.trim().is_empty() {
        return Err(ExitError::usage("there is no text to send"));
    }
    let client = session.client()?;
    let id = if chats::is_full_id(&arguments.chat) {
        ConversationId::new(&arguments.chat)
    } else {
        let known = chats::list(session, &client, false).await?;
        if let Some(why) = &known.offline {
            return Err(ExitError::failed(format!("not sent: {why}")));
        }
        chats::choose(&known, &arguments.chat)?.conversation.id.clone()
    };
    let id = thread_for(&client, id).await?;
    let outgoing = Outgoing { text, markup: arguments.markup, ..Outgoing::default() };
    let random =
        getrandom::u64().map_err(|_| ExitError::failed("the system provides no random numbers"))?;
    let client_id = ClientMessageId::from(random.to_string());
    let name = my_name(session, &client).await;
    match client.send(&id, &outgoing, &client_id, &name).await {
        Ok(sent) => report(arguments, &id, &client_id, sent.key.map(|key| key.id.to_string())),
        Err(error) if error.outcome_unknown => {
            let found = confirm(&client, &id, &client_id, &error).await?;
            report(arguments, &id, &client_id, Some(found))
        }
        Err(error) if error.kind == ErrorKind::NotFound && id.peer().is_some() => {
            let whom = id.as_str();
            Err(ExitError::failed(format!("not sent: {whom} is unknown on this server: {error}")))
        }
        Err(error) => Err(ExitError::failed(format!("not sent: {error}"))),
    }
}

/// The thread to send to, where the service takes no messages under the id of a person (facts 8.7).
async fn thread_for(client: &Client, id: ConversationId) -> Result<ConversationId, ExitError> {
    let Some(person) = client.needs_thread(&id) else { return Ok(id) };
    let not_sent = |error: Error| ExitError::failed(format!("not sent: {error}"));
    if let Some(thread) = client.find_chat_with(&person, PAGE, |_| true).await.map_err(not_sent)? {
        return Ok(thread);
    }
    if let Some(thread) = client.create_chat_with(&person).await.map_err(not_sent)? {
        return Ok(thread);
    }
    for wait in NOT_LISTED_YET {
        tokio::time::sleep(wait).await;
        if let Some(thread) =
            client.find_chat_with(&person, PAGE, |_| true).await.map_err(not_sent)?
        {
            return Ok(thread);
        }
    }
    Err(ExitError::failed(
        "not sent: the service created the conversation, but it is not in your chat list yet; try again in a moment",
    ))
}

/// Prints the message's id, or its client id where the server did not name one.
fn report(
    arguments: &SendArgs,
    conversation: &ConversationId,
    client_id: &ClientMessageId,
    id: Option<String>,
) -> Result<(), ExitError> {
    if !arguments.json {
        return lines::print_line(id.unwrap_or_else(|| client_id.as_str().to_owned()));
    }
    lines::print_line(lines::json_line(&json!({
        "id": id,
        "client_id": client_id.as_str(),
        "conversation": conversation.as_str(),
    })))
}

/// Looks on the server for a message whose outcome is unknown; returns its id.
async fn confirm(
    client: &Client,
    id: &ConversationId,
    client_id: &ClientMessageId,
    error: &Error,
) -> Result<String, ExitError> {
    if let Ok(page) = client.messages(id, 100).await
        && let Some(found) = page.items.iter().find(|raw| raw.client_id.as_ref() == Some(client_id))
    {
        return Ok(found.id.to_string());
    }
    Err(ExitError::failed(format!("not confirmed: {error}; it may have been sent")))
}

async fn my_name(session: &Session, client: &Client) -> String {
    let mut names = Names::default();
    for (id, name) in client.profiles(std::slice::from_ref(&session.me)).await.unwrap_or_default() {
        names.learn(&id, NameSource::Profile, &name);
    }
    if names.knows(&session.me) {
        names.of(&session.me).to_string()
    } else {
        session.me.bare().to_owned()
    }
}

fn standard_input() -> Result<String, ExitError> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| ExitError::failed(format!("standard input cannot be read: {e}")))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
