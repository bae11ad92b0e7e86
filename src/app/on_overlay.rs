//! Dialogs: moving in them, typing into them, and what Enter does.

use super::action::OverlayAction;
use super::effect::Effect;
use super::overlay::{self, Consent, Overlay, REACTIONS};
use super::thread_overlay::{self, ThreadOverlay};
use super::{Action, Model, on_compose, on_list, on_messages, on_outbox, on_thread, search};
use crate::model::ThreadChange;
use crate::model::request::Change;

pub fn act(model: &mut Model, action: OverlayAction) {
    match action {
        OverlayAction::Up => step(model, -1),
        OverlayAction::Down => step(model, 1),
        OverlayAction::Pick => {
            if let Some(Overlay::Thread(open)) = &mut model.app.overlay {
                thread_overlay::turn_pick(open);
            } else if matches!(model.app.overlay, Some(Overlay::Search(_))) {
                search::turn_scope(model);
            } else {
                step(model, 1);
            }
        }
        OverlayAction::Choose => choose(model),
        OverlayAction::Erase => edit(model, |input| {
            input.pop();
        }),
        OverlayAction::Clear => edit(model, String::clear),
        OverlayAction::Paste(text) => {
            let line = crate::model::SafeText::line(&text);
            edit(model, |input| input.push_str(&line));
        }
        OverlayAction::Type(c) => typed(model, c),
    }
}

/// How many lines can be marked.
fn lines(model: &Model) -> usize {
    match &model.app.overlay {
        Some(Overlay::Switcher { found, .. }) => found.len(),
        Some(Overlay::Palette { input, .. }) => overlay::palette(&model.app, input).len(),
        Some(Overlay::Menu { .. }) => overlay::menu(&model.app).len(),
        Some(Overlay::Reactions { .. }) => REACTIONS.len(),
        Some(Overlay::Links { links, .. }) => links.len(),
        // Its last screenful is found while it is painted; this only keeps the number from running away.
        Some(Overlay::Thread(open)) => thread_overlay::lines(&model.app, open),
        Some(Overlay::Help { .. }) => model.app.prefs.keymap.entries().len(),
        Some(Overlay::Inspect { .. }) => usize::MAX,
        Some(Overlay::Search(search)) => search.hits.len(),
        _ => 0,
    }
}

pub fn step(model: &mut Model, by: isize) {
    let count = lines(model);
    if let Some(marked) = model.app.overlay.as_mut().and_then(Overlay::marked_mut) {
        *marked = marked.saturating_add_signed(by).min(count.saturating_sub(1));
    }
    search::more(model);
}

fn edit(model: &mut Model, change: impl FnOnce(&mut String)) {
    if let Some(Overlay::Thread(open)) = &model.app.overlay {
        let mut open = open.clone();
        if let Some(input) = open.input_mut() {
            change(input);
            thread_overlay::edited(&model.app, &mut open);
        }
        model.app.overlay = Some(Overlay::Thread(open));
        return;
    }
    if let Some((input, marked)) = model.app.overlay.as_mut().and_then(Overlay::input_mut) {
        change(input);
        *marked = 0;
    }
    if let Some(Overlay::Switcher { input, .. }) = &model.app.overlay {
        let fresh = overlay::find(&model.app, &input.clone());
        if let Some(Overlay::Switcher { found, .. }) = &mut model.app.overlay {
            *found = fresh;
        }
    }
    search::ask(model);
}

fn typed(model: &mut Model, c: char) {
    match &mut model.app.overlay {
        Some(Overlay::Switcher { input, .. }) if input.is_empty() && c == '>' => {
            model.app.overlay = Some(Overlay::palette());
        }
        Some(Overlay::Confirm { .. }) => match c {
            'y' | 'Y' => choose(model),
            'n' | 'N' => model.app.overlay = None,
            _ => {}
        },
        Some(Overlay::Links { marked, .. } | Overlay::Reactions { marked, .. }) => {
            if let Some(n) = c.to_digit(10).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0)
            {
                *marked = n - 1;
                if n <= lines(model) {
                    choose(model);
                }
            }
        }
        Some(Overlay::Thread(_)) => thread_overlay::typed(model, c),
        // The keys of the message work in its menu, too.
        Some(Overlay::Menu { .. }) => {
            let pressed =
                overlay::menu(&model.app).into_iter().find(|(e, _)| e.key() == c.to_string());
            if let Some((_, action)) = pressed {
                model.app.overlay = None;
                super::on_action(model, action);
            }
        }
        Some(Overlay::Help { .. } | Overlay::Inspect { .. }) => match c {
            'q' | '?' | 'v' => model.app.overlay = None,
            'j' => step(model, 1),
            'k' => step(model, -1),
            _ => {}
        },
        _ => edit(model, |input| input.push(c)),
    }
}

fn choose(model: &mut Model) {
    let Some(open) = model.app.overlay.take() else { return };
    match open {
        Overlay::Switcher { input, marked, found } => {
            if let Some(chosen) = found.get(marked) {
                on_list::open(model, &chosen.id);
            } else {
                model.app.overlay = Some(Overlay::Switcher { input, marked, found });
                model.app.note("No conversation or person with that name; a full id (8:name) starts a new chat");
            }
        }
        Overlay::Palette { input, marked } => {
            let chosen = overlay::palette(&model.app, &input).get(marked).map(|e| e.name.clone());
            if let Some(action) = chosen.and_then(|name| Action::named(&name)) {
                super::on_action(model, action);
            }
        }
        Overlay::Menu { marked } => {
            let chosen =
                overlay::menu(&model.app).into_iter().nth(marked).map(|(_, action)| action);
            if let Some(action) = chosen {
                super::on_action(model, action);
            }
        }
        Overlay::Reactions { message, marked } => react(model, &message, marked),
        Overlay::Links { links, marked } => {
            model.app.overlay = links.into_iter().nth(marked).map(on_messages::confirm_link);
        }
        Overlay::Confirm { consent, .. } => consented(model, consent),
        Overlay::Thread(open) => thread_overlay::choose(model, open),
        Overlay::Search(open) => search::choose(model, *open),
        Overlay::Help { .. } | Overlay::Inspect { .. } | Overlay::Welcome | Overlay::Preview => {}
    }
}

/// The same reaction again takes it back.
fn react(model: &mut Model, key: &crate::model::MessageKey, marked: usize) {
    let me = model.app.me().clone();
    let Some((name, _)) = REACTIONS.get(marked) else { return };
    let Some(message) = model.app.opened().and_then(|c| c.timeline.get(key)) else { return };
    let has = message.reactions.iter().any(|r| r.key.as_str() == *name && r.users.contains(&me));
    on_messages::change(model, key, Change::React { key: name, on: !has });
    if let Some(c) = model.app.opened_mut() {
        c.selection = None;
    }
}

fn consented(model: &mut Model, consent: Consent) {
    match consent {
        Consent::DeleteMessage(key) => {
            on_messages::change(model, &key, Change::Delete);
            if let Some(c) = model.app.opened_mut() {
                c.selection = None;
            }
        }
        Consent::Change(id, change) => on_thread::change(model, &id, change),
        Consent::Remove(id, who) => {
            for who in who {
                on_thread::change(model, &id, ThreadChange::Remove(who));
            }
            let members = ThreadOverlay::Members { marked: 0, picked: Vec::new() };
            model.app.overlay = Some(Overlay::Thread(members));
        }
        Consent::Join(id) => on_thread::join(model, &id),
        Consent::Discard(client_id) => {
            on_outbox::throw_away(model, client_id);
        }
        Consent::OpenLink(url) => model.app.effects.push(Effect::OpenUrl(url)),
        Consent::SendLiteral { conversation, outgoing } => {
            // Only while its text is still in that conversation's box.
            let same = model
                .app
                .conversations
                .get(&conversation)
                .is_some_and(|c| c.compose.text() == outgoing.text);
            if same {
                on_compose::send(model, &conversation, outgoing);
            }
        }
    }
}
