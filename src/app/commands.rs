//! Slash commands: typed alternatives to the keys for the open chat.

pub mod literal;
mod people;

use super::action::Action;
use super::chat::alerts::{self, MuteFor};
use super::chat::{group, sending};
use super::model::Model;
use super::overlay::{
    Overlay, PeoplePicker, PickPurpose, Preview, Switcher, change_flag, find, resolve_join_url,
};
use crate::model::conversation::{FLAGS, FlagSpec};
use crate::model::{ChatRef, NotifyAbout, Outgoing, ThreadChange, ThreadFlag};

/// A slash command.
struct SlashCommand {
    pub name: &'static str,
    /// The arguments after its name; optional ones are in brackets.
    pub args: &'static str,
    pub help: &'static str,
    run: Run,
}

/// How a command is carried out.
enum Run {
    /// Runs the action with this name in the key table.
    Action(&'static str),
    /// Calls a function with its arguments.
    Function(fn(&mut Model, &ChatRef, &str) -> CommandResult),
    /// Calls the function if there are arguments, otherwise runs the action.
    Either(fn(&mut Model, &ChatRef, &str) -> CommandResult, &'static str),
    Flag(&'static FlagSpec),
}

/// Whether a command was written correctly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CommandResult {
    Done,
    WrongArgs,
}

const fn command(
    name: &'static str,
    args: &'static str,
    help: &'static str,
    run: Run,
) -> SlashCommand {
    SlashCommand { name, args, help, run }
}

const fn flag(at: usize) -> SlashCommand {
    let spec = &FLAGS[at];
    command(spec.command.name, "[on|off]", spec.command.help, Run::Flag(spec))
}

/// All commands, in the order in which help shows them.
const COMMANDS: [SlashCommand; 28] = [
    command("me", "TEXT", "Say what you are doing", Run::Function(emote)),
    command("open", "NAME", "Open a chat, or start one by id", Run::Function(open)),
    command("topic", "[TEXT]", "Set the topic (groups)", Run::Either(set_topic, "edit-topic")),
    flag(0),
    command("url", "", "Copy the join URL (groups)", Run::Action("copy-join-url")),
    flag(1),
    command("members", "", "Show the members and their roles (groups)", Run::Action("members")),
    command(
        "add",
        "[NAME, …]",
        "Add people by id or name (groups)",
        Run::Either(people::add, "add-members"),
    ),
    command("kick", "NAME, …", "Remove people by id or name (groups)", Run::Function(people::kick)),
    command(
        "role",
        "NAME admin|user",
        "Make someone admin or user (groups)",
        Run::Function(people::role),
    ),
    flag(2),
    command(
        "notify",
        "[all|mentions|nothing|1h|8h|tomorrow]",
        "Choose notifications here, or mute for a while",
        Run::Either(notify, "notifications"),
    ),
    flag(3),
    command("leave", "", "Leave this group", Run::Action("leave-group")),
    command("hide", "", "Hide this chat until a new message arrives", Run::Action("hide-group")),
    command("putaway", "", "Put this chat away, or bring it back", Run::Action("put-away")),
    command("forget", "", "Delete what is stored here of this chat", Run::Action("forget-chat")),
    command("delete", "", "Delete the history for your account", Run::Action("delete-history")),
    command("create", "[TOPIC]", "Create a group", Run::Either(create, "create-group")),
    command("join", "[URL]", "Join a group by its URL", Run::Either(join, "join-group")),
    command("settings", "", "Open the settings of this chat", Run::Action("settings")),
    command(
        "search",
        "[WORDS] [from:NAME] [in:CHAT] …",
        "Search all stored messages",
        Run::Function(search),
    ),
    command("preview", "TEXT", "Preview the text", Run::Function(preview)),
    command("read", "", "Mark this chat as read", Run::Action("mark-read")),
    command("unread", "", "Open the next chat with unread messages", Run::Action("next-unread")),
    command("inbox", "", "Show what is waiting in all chats", Run::Action("inbox")),
    command("help", "", "Show all keys", Run::Action("help")),
    command("quit", "", "Quit; drafts are kept", Run::Action("quit")),
];

impl SlashCommand {
    /// The command as written, with its arguments.
    pub fn usage(&self) -> String {
        if self.args.is_empty() {
            format!("/{}", self.name)
        } else {
            format!("/{} {}", self.name, self.args)
        }
    }
}

/// How each command is written, and what it does.
pub fn help() -> Vec<(String, &'static str)> {
    COMMANDS.iter().map(|command| (command.usage(), command.help)).collect()
}

/// Runs a line that began with a slash. If it is not a command, the user is asked before it is sent.
pub fn run(model: &mut Model, chat: &ChatRef, line: &str) -> Option<Action> {
    let (name, args) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let args = args.trim();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        literal::ask_unknown(model, name);
        return None;
    };
    let result = match command.run {
        Run::Function(run) => run(model, chat, args),
        Run::Either(run, _) if !args.is_empty() => run(model, chat, args),
        Run::Flag(spec) => set_flag(model, spec, args),
        Run::Action(_) if !args.is_empty() => CommandResult::WrongArgs,
        Run::Action(action) | Run::Either(_, action) => {
            clear(model);
            return Action::named(action);
        }
    };
    if result == CommandResult::WrongArgs {
        model.app.complain(&format!("Usage: {}", command.usage()));
    }
    None
}

/// Commands that need no open conversation.
const ALONE: [&str; 8] = ["open", "search", "create", "join", "unread", "inbox", "help", "quit"];

/// Runs a command while no conversation is open.
pub fn run_alone(model: &mut Model, line: &str) -> Option<Action> {
    let name = line.split_whitespace().next().unwrap_or_default();
    if !ALONE.contains(&name) {
        model.app.complain(&format!("/{name} needs an open chat: Ctrl-K finds one"));
        return None;
    }
    let account = model.app.current_account().id.clone();
    // None of these commands uses the conversation.
    let chat = ChatRef { account, conversation: "".into() };
    run(model, &chat, line)
}

/// Removes a command from the box after it was carried out.
fn clear(model: &mut Model) {
    model.app.notes.clear();
    model.app.with_open(|chat, env| {
        chat.composer.set_text("");
        chat.composer.told_typing = None;
        sending::draft_changed(chat, env.now.mono);
    });
}

fn emote(model: &mut Model, chat: &ChatRef, text: &str) -> CommandResult {
    if text.is_empty() {
        return CommandResult::WrongArgs;
    }
    let outgoing = Outgoing { text: text.to_owned(), emote: true, ..Outgoing::default() };
    model.app.with_chat(chat, |chat, env| sending::send(chat, env, outgoing));
    model.app.sort(&chat.account);
    CommandResult::Done
}

fn open(model: &mut Model, _: &ChatRef, name: &str) -> CommandResult {
    if name.is_empty() {
        return CommandResult::WrongArgs;
    }
    let found = find(&model.app, name);
    let same = found.iter().filter(|entry| entry.is_named(&model.app, name)).count();
    if same > 1 {
        clear(model);
        let switcher = Switcher::with_input(&model.app, name);
        model.overlays.push(Overlay::Switcher(switcher));
        return CommandResult::Done;
    }
    match found.into_iter().next() {
        Some(found) => {
            clear(model);
            model.open(&found.chat);
        }
        None => model.app.complain("There is no such chat or person"),
    }
    CommandResult::Done
}

fn set_topic(model: &mut Model, chat: &ChatRef, topic: &str) -> CommandResult {
    clear(model);
    model.app.with_chat(chat, |chat, env| group::set_topic(chat, env, topic));
    CommandResult::Done
}

fn set_flag(model: &mut Model, spec: &FlagSpec, args: &str) -> CommandResult {
    let to = match args.to_lowercase().as_str() {
        "on" => Some(!spec.command.inverts),
        "off" => Some(spec.command.inverts),
        "" => None,
        _ => return CommandResult::WrongArgs,
    };
    clear(model);
    let Some(chat) = model.app.open.clone() else { return CommandResult::Done };
    if spec.flag == ThreadFlag::Alerts && to != Some(false) {
        // Temporary muting is not the server's setting.
        let ended = model.app.with_open(alerts::unmute) == Some(true);
        if ended && model.app.opened().is_some_and(|chat| !chat.info.muted) {
            model.app.note(spec.done_text(true));
            return CommandResult::Done;
        }
    }
    if to.is_some() {
        // The command names the new state, so no question is needed.
        model.app.with_open(|chat, env| {
            if let Some(on) = group::wanted_flag(chat, env, spec.flag, to) {
                group::change(chat, env, ThreadChange::Flag(spec.flag, on));
            }
        });
    } else {
        let question = change_flag(&mut model.app, &chat, spec.flag, None);
        model.overlays.extend(question);
    }
    CommandResult::Done
}

fn notify(model: &mut Model, _: &ChatRef, args: &str) -> CommandResult {
    let about = match args.to_lowercase().as_str() {
        "all" => NotifyAbout::All,
        "mentions" => NotifyAbout::Mentions,
        "nothing" | "none" => NotifyAbout::Nothing,
        time => {
            let time = match time.strip_suffix('h').map(str::parse::<u16>) {
                Some(Ok(hours @ 1..=168)) => MuteFor::Hours(hours.into()),
                _ if time == "tomorrow" => MuteFor::Tomorrow,
                _ => return CommandResult::WrongArgs,
            };
            clear(model);
            model.app.with_open(|chat, env| alerts::mute(chat, env, time));
            return CommandResult::Done;
        }
    };
    clear(model);
    model.app.with_open(|chat, env| alerts::set_notify(chat, env, Some(about)));
    CommandResult::Done
}

fn create(model: &mut Model, _: &ChatRef, topic: &str) -> CommandResult {
    clear(model);
    let purpose = PickPurpose::Create { topic: topic.to_owned() };
    let picker = PeoplePicker::new(&model.app, purpose);
    model.overlays.push(Overlay::PeoplePicker(picker));
    CommandResult::Done
}

fn join(model: &mut Model, _: &ChatRef, url: &str) -> CommandResult {
    clear(model);
    resolve_join_url(&mut model.app, url);
    CommandResult::Done
}

fn search(model: &mut Model, _: &ChatRef, words: &str) -> CommandResult {
    clear(model);
    model.overlays.open_search(&mut model.app, None, words);
    CommandResult::Done
}

fn preview(model: &mut Model, _: &ChatRef, text: &str) -> CommandResult {
    if text.is_empty() {
        model.app.note("Alt-P previews the text in the box; or type /preview TEXT");
        return CommandResult::Done;
    }
    model.app.with_open(|chat, env| {
        chat.composer.set_text(text);
        sending::draft_changed(chat, env.now.mono);
    });
    model.overlays.push(Overlay::Preview(Preview));
    CommandResult::Done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::builtin_keymap;

    /// The action that a command runs, by its name in the key table.
    fn action_of(command: &SlashCommand) -> Option<&'static str> {
        match command.run {
            Run::Action(name) | Run::Either(_, name) => Some(name),
            Run::Flag(spec) => Some(spec.action),
            Run::Function(_) => None,
        }
    }

    #[test]
    fn every_command_stands_for_an_action_that_exists() {
        for name in COMMANDS.iter().filter_map(action_of) {
            assert!(Action::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_setting_of_a_conversation_is_reached_by_key_palette_and_command() {
        let keymap = builtin_keymap().unwrap();
        let settings =
            Action::names().filter(|name| matches!(Action::named(name), Some(Action::Thread(_))));
        for name in settings {
            let entry =
                keymap.entry(name).expect("a row in the key table, which the palette shows");
            assert!(!entry.keys.is_empty(), "{name} has no key");
            let command = COMMANDS.iter().find(|command| action_of(command) == Some(name));
            assert!(command.is_some(), "{name} has no command");
        }
    }
}
