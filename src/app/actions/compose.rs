//! The message box: typing, editing, sending.

use super::{messages, spelling, suggestions};
use crate::app::action::{Action, ComposeAction, MessagesAction, Motion, OverlayAction};
use crate::app::actions;
use crate::app::chat::Chat;
use crate::app::chat::composer::{Composer, MAX_TEXT};
use crate::app::chat::{completion, group, message_change, outbox, recall, sending};
use crate::app::commands;
use crate::app::commands::literal::{self, CommandLike, looks_like_command};
use crate::app::effect::Effect;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::model::Model;
use crate::app::overlay::{Confirm, Consent, Overlay, Prompt};
use crate::app::state::{Focus, Pasting};
use crate::model::text::can_be_typed;
use crate::model::{ChatAccess, Outgoing};

/// A paste of more lines or bytes needs confirmation.
const ASK_LINES: usize = 20;
const ASK_BYTES: usize = 10_000;

pub fn act(model: &mut Model, action: ComposeAction) -> Option<Action> {
    let types = matches!(action, ComposeAction::Insert(_) | ComposeAction::Paste(_));
    if types {
        begin_typing(model);
    }
    if model.app.opened().is_none() {
        if matches!(action, ComposeAction::Insert('/')) {
            model.overlays.push(Prompt::command());
        } else if types {
            let prefs = &model.app.prefs;
            let note = prefs.key_words("Open a chat first: Alt-↓, or Ctrl-K to find one");
            model.app.notes.note(&note);
        }
        return None;
    }
    // With modes, letters would also change the box while the list has the focus or a message is selected.
    let changes = matches!(
        action,
        ComposeAction::Delete(_) | ComposeAction::DeleteLine | ComposeAction::Yank
    );
    if changes && matches!(model.context(), Context::List | Context::Selection) {
        return None;
    }
    match model.app.opened().map(|chat| &chat.info.access) {
        Some(ChatAccess::Left) if writes(&action) => {
            note_with_forget(model, "Not a member: you cannot write here");
            return None;
        }
        Some(ChatAccess::Gone) if writes(&action) => {
            note_with_forget(model, "No longer on the service");
            return None;
        }
        _ => {}
    }
    match action {
        ComposeAction::Send => return submit(model),
        ComposeAction::Undo => undo(model),
        ComposeAction::Move(motion) => go(model, motion),
        ComposeAction::PasteClipboard => {
            let (chat, actions) = (model.app.open.clone(), model.app.pending.actions());
            model.app.presence.pasting = Some(Pasting { chat, actions });
            model.app.effects.push(Effect::PasteClipboard);
        }
        ComposeAction::EditOutside => edit_outside(model),
        ComposeAction::Respell => spelling::respell(model),
        ComposeAction::Paste(text) => paste(model, &text),
        ComposeAction::Insert(c) => {
            edit(model, |composer| {
                composer.insert(c.encode_utf8(&mut [0; 4]));
                if c == ':' {
                    composer.finish_shortcode();
                }
            });
            suggestions::renew(model);
        }
        ComposeAction::Recall { older } => {
            model.app.notes.take_offer();
            model.app.with_open(|chat, env| recall::step(chat, env, older));
        }
        ComposeAction::Newline => edit(model, |composer| composer.insert("\n")),
        ComposeAction::Delete(motion) => {
            edit(model, |composer| composer.delete(motion));
            if motion == Motion::Left {
                suggestions::renew(model);
            }
        }
        ComposeAction::DeleteLine => edit(model, Composer::delete_line),
        ComposeAction::Yank => edit(model, Composer::yank),
    }
    None
}

/// Shows a note about a chat that is over, with the key that forgets it.
fn note_with_forget(model: &mut Model, text: &str) {
    let key = model.app.prefs.keymap.entry("forget-chat").map(KeymapEntry::key);
    let key = key.filter(|key| !key.is_empty());
    model.app.note(&format!("{text}; {} forgets it", key.unwrap_or_else(|| "/forget".into())));
}

/// Whether an action puts something into the box or sends it.
fn writes(action: &ComposeAction) -> bool {
    !matches!(
        action,
        ComposeAction::Undo
            | ComposeAction::Move(_)
            | ComposeAction::Delete(_)
            | ComposeAction::DeleteLine
    )
}

/// Typing always goes to the box, regardless of what was selected or focused before.
fn begin_typing(model: &mut Model) {
    model.view.bare = false;
    model.app.write();
    if model.app.focus == Focus::List {
        model.app.set_focus(Focus::Compose);
    }
    if model.app.opened().is_some_and(|chat| chat.selection.is_some()) {
        model.app.with_open(|chat, _| chat.selection = None);
    }
}

/// Changes the text in the box. From then on the undo key undoes changes of the text again.
fn edit(model: &mut Model, change: impl FnOnce(&mut Composer)) {
    model.app.notes.take_offer();
    model.app.with_open_box(|chat, env| {
        change(&mut chat.composer);
        sending::draft_changed(chat, env.now.mono);
        sending::report_typing(chat, env);
        if let Some(size) = sending::too_long(chat.composer.text()) {
            env.note(&size);
        }
    });
}

/// The clipboard's text has arrived; it is only inserted where it was requested.
pub fn paste_clipboard(model: &mut Model, text: String) {
    let Some(Pasting { chat, actions }) = model.app.presence.pasting.take() else { return };
    if model.overlays.takes_keys() {
        actions::carry_out(model, Action::Overlay(OverlayAction::Paste(text)));
        return;
    }
    if chat != model.app.open {
        model.app.complain("Not pasted: another chat is open now");
        return;
    }
    let text = pasted(&text);
    if is_large(&text) && model.app.opened().is_some_and(|chat| fits(chat, &text)) {
        let acted = model.app.pending.actions() > actions;
        if let Some(question) = paste_question(model, text) {
            model.ask_later(question, acted);
        }
        return;
    }
    actions::carry_out(model, Action::Compose(ComposeAction::Paste(text)));
}

/// Pasted text with the line breaks and characters that the box accepts.
fn pasted(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| can_be_typed(*c)).collect()
}

fn is_large(text: &str) -> bool {
    text.lines().count() > ASK_LINES || text.len() > ASK_BYTES
}

fn fits(chat: &Chat, text: &str) -> bool {
    chat.composer.text().len() + text.len() <= MAX_TEXT
}

fn paste(model: &mut Model, text: &str) {
    let text = pasted(text);
    if model.app.opened().is_some_and(|chat| !fits(chat, &text)) {
        model.app.complain("The text is too long to paste");
    } else if is_large(&text) {
        let question = paste_question(model, text);
        model.overlays.extend(question.map(Overlay::Confirm));
    } else {
        edit(model, |composer| composer.insert(&text));
    }
}

/// A large text may have been pasted by mistake: shows its beginning before it is put into the box.
fn paste_question(model: &Model, text: String) -> Option<Confirm> {
    let chat = model.app.opened().map(Chat::chat_ref)?;
    let lines = match text.lines().count() {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let question = format!("Paste {lines} ({} kB)?", text.len().div_ceil(1000));
    let first: Vec<String> =
        text.lines().take(ASK_LINES).map(|line| line.chars().take(200).collect()).collect();
    Some(Confirm::new(&question, &first.join("\n"), Consent::Paste(chat, text)))
}

/// Undoes the change of a setting while the note about it is visible, otherwise the last change of the text. If the box
/// is empty and there is nothing to undo, takes back the last message if it has not been sent yet.
fn undo(model: &mut Model) {
    if let Some(offer) = model.app.notes.take_offer() {
        model.app.with_chat(&offer.chat, |chat, env| {
            group::change(chat, env, offer.back);
        });
        return;
    }
    if model.overlays.takes_keys() {
        return;
    }
    model.app.with_open(|chat, env| {
        if chat.composer.undo() {
            sending::draft_changed(chat, env.now.mono);
            sending::report_typing(chat, env);
        } else if chat.composer.draft.is_empty() {
            outbox::take_back_last(chat, env);
        }
    });
}

fn go(model: &mut Model, motion: Motion) {
    let Some(chat) = model.app.opened() else { return };
    let composer = &chat.composer;
    if motion == Motion::Up && composer.text().is_empty() {
        messages::act(model, MessagesAction::SelectUp);
        return;
    }
    let motion = match motion {
        Motion::Up if composer.is_on_first_line() => Motion::LineStart,
        Motion::Down if composer.is_on_last_line() => Motion::LineEnd,
        other => other,
    };
    model.app.with_open_box(|chat, env| {
        let before = chat.composer.draft.cursor;
        chat.composer.go(motion);
        // The cursor is kept with the text.
        if chat.composer.draft.cursor != before && !chat.composer.draft.is_empty() {
            sending::draft_changed(chat, env.now.mono);
        }
    });
}

fn edit_outside(model: &mut Model) {
    let Some(chat) = model.app.opened() else { return };
    let (chat, text) = (chat.chat_ref(), chat.composer.text().to_owned());
    model.app.effects.push(Effect::EditOutside { chat, text });
}

/// Enter: submits an edit, a command, or a message.
fn submit(model: &mut Model) -> Option<Action> {
    let chat = model.app.opened()?;
    let at = chat.chat_ref();
    let text = chat.composer.text();
    if text.trim().is_empty() {
        if chat.composer.draft.edit.is_some() {
            model.app.note("A message cannot be made empty; select it and press d to delete it");
        }
        return None;
    }
    // Pasted text often ends with a line break, which is not meant to be sent.
    let text = text.trim_end_matches('\n').to_owned();
    if let Some(edit) = &chat.composer.draft.edit {
        let is_command = |text: &str| text.starts_with('/') && !text.starts_with("//");
        let slipped = is_command(&text) && !is_command(&edit.was);
        if let Some(kind) = slipped.then_some(CommandLike::Slash).or(looks_like_command(&text)) {
            literal::ask_like(model, kind);
        } else {
            model.app.with_open(|chat, env| message_change::submit_edit(chat, env, text));
        }
        return None;
    }
    if let Some(kind) = looks_like_command(&text) {
        literal::ask_like(model, kind);
        return None;
    }
    let is_command = text.starts_with('/') && !text.starts_with("//");
    if let ChatAccess::ReadOnly(why) = &chat.info.access
        && !is_command
    {
        let note = format!("Not sent, the text stays here: {why}");
        model.app.complain(&note);
        return None;
    }
    if let Some(size) = sending::too_long(&text) {
        literal::ask_long(model, &size);
        return None;
    }
    model.app.with_open(|chat, _| recall::remember(&mut chat.composer.sent, &text));
    let text = match text.strip_prefix('/') {
        Some(command) if !command.starts_with('/') => return commands::run(model, &at, command),
        Some(literal) => literal.to_owned(),
        None => text,
    };
    let shared = model.app.with_open(|chat, env| {
        let markup = env.prefs.choices.sending.markup;
        completion::ambiguous(chat, env.me, env.names, &text).filter(|_| markup)
    });
    if let Some(name) = shared.flatten() {
        literal::ask_without_mention(model, &name);
        return None;
    }
    model.overlays.drop_passive();
    model.app.with_open(|chat, env| {
        let reply = chat.composer.draft.reply.clone();
        let outgoing = Outgoing { reply, ..sending::typed_message(chat, env, text) };
        sending::send(chat, env, outgoing);
    });
    model.app.sort(&at.account);
    None
}
