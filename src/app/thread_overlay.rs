//! The dialogs of conversation settings: the settings themselves, members, a person, questions, picking people, a QR
//! code. What Enter and letters do in them.

use super::Model;
use super::effect::Effect;
use super::group::JoinUrlState;
use super::overlay::{Consent, Overlay};
use super::settings::{self, RowId};
use super::state::AppState;
use super::{members, on_thread};
use crate::model::{Role, SafeText, ThreadChange, UserId};

#[derive(Clone, Debug, PartialEq)]
pub enum ThreadOverlay {
    Settings {
        marked: usize,
    },
    /// `picked` are the targets of the next change, where there are several.
    Members {
        marked: usize,
        picked: Vec<UserId>,
    },
    /// A member's own page.
    Person {
        who: UserId,
    },
    /// One line to be typed.
    Ask {
        what: AskFor,
        input: String,
    },
    /// People to be picked.
    Pick {
        purpose: PickFor,
        input: String,
        marked: usize,
        found: Vec<(UserId, SafeText)>,
        picked: Vec<(UserId, Role)>,
    },
    /// The join address, to be read by a telephone.
    Qr {
        url: SafeText,
        rows: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum AskFor {
    /// `back`: from the settings, and back to them. `was`: the topic that the question was asked about.
    Topic {
        back: bool,
        was: String,
    },
    NewGroup,
    JoinUrl,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PickFor {
    /// `back`: from the list of members, and back to it.
    Add {
        back: bool,
    },
    Create {
        topic: String,
    },
}

impl ThreadOverlay {
    pub fn marked_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Settings { marked }
            | Self::Members { marked, .. }
            | Self::Pick { marked, .. } => Some(marked),
            _ => None,
        }
    }

    pub fn input_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Ask { input, .. } | Self::Pick { input, .. } => Some(input),
            _ => None,
        }
    }

    /// What Esc leads back to.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Members { .. }
            | Self::Qr { .. }
            | Self::Ask { what: AskFor::Topic { back: true, .. }, .. } => {
                Some(Self::Settings { marked: 0 })
            }
            Self::Person { .. } | Self::Pick { purpose: PickFor::Add { back: true }, .. } => {
                Some(Self::Members { marked: 0, picked: Vec::new() })
            }
            _ => None,
        }
    }
}

/// How many lines can be marked.
pub fn lines(app: &AppState, open: &ThreadOverlay) -> usize {
    match open {
        ThreadOverlay::Settings { .. } => app.opened().map_or(0, |c| settings::rows(app, c).len()),
        ThreadOverlay::Members { .. } => app.opened().map_or(0, |c| c.group.members.len()),
        ThreadOverlay::Pick { found, .. } => found.len(),
        _ => 0,
    }
}

/// People that could be added: known ones by name, then ids as typed, several at once where there are several.
pub fn people(app: &AppState, purpose: &PickFor, input: &str) -> Vec<(UserId, SafeText)> {
    let input = input.trim();
    let taken = |id: &UserId| {
        id == app.me()
            || (matches!(purpose, PickFor::Add { .. })
                && app.opened().is_some_and(|c| c.group.members.iter().any(|m| m.id == *id)))
    };
    let mut found: Vec<(u32, UserId, SafeText)> = app
        .names
        .people()
        .filter(|(id, _)| !taken(id) && is_person(id))
        .filter_map(|(id, name)| {
            let by_id = (input.len() > 2 && id.as_str().contains(input)).then_some(3);
            let score = super::overlay::matches(name, input).or(by_id)?;
            Some((score, id.clone(), name.clone()))
        })
        .collect();
    found.sort_by(|a, b| (a.0, &a.2, &a.1).cmp(&(b.0, &b.2, &b.1)));
    let mut people: Vec<(UserId, SafeText)> =
        found.into_iter().map(|(_, id, name)| (id, name)).collect();
    for word in input.split([' ', ',', ';']).filter(|w| !w.is_empty()) {
        let id = UserId::new(word);
        if is_person(&id) && !taken(&id) && people.iter().all(|(known, _)| *known != id) {
            people.push((id.clone(), app.names.of(&id)));
        }
    }
    people
}

fn is_person(id: &UserId) -> bool {
    ["8:", "28:", "4:", "1:", "2:"]
        .iter()
        .any(|prefix| id.as_str().strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
}

/// After typing: what is found is found anew.
pub fn edited(app: &AppState, open: &mut ThreadOverlay) {
    if let ThreadOverlay::Pick { purpose, input, marked, found, .. } = open {
        *found = people(app, purpose, input);
        *marked = 0;
    }
}

/// Enter.
pub fn choose(model: &mut Model, open: ThreadOverlay) {
    match open {
        ThreadOverlay::Settings { marked } => {
            let row = model
                .app
                .opened()
                .and_then(|c| settings::rows(&model.app, c).into_iter().nth(marked));
            // What is changed on the screen stays on the screen.
            model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Settings { marked }));
            if let Some(row) = row {
                use_row(model, &row);
            }
        }
        ThreadOverlay::Members { marked, .. } => {
            let who = model
                .app
                .opened()
                .and_then(|c| Some(settings::members(&model.app, c).get(marked)?.id.clone()));
            model.app.overlay = who.map(|who| Overlay::Thread(ThreadOverlay::Person { who }));
        }
        ThreadOverlay::Person { who } => {
            model
                .app
                .effects
                .push(Effect::Copy { what: "the id".into(), text: who.as_str().to_owned() });
            model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Person { who }));
        }
        ThreadOverlay::Ask { what, input } => answer(model, &what, &input),
        ThreadOverlay::Pick { purpose, input, marked, found, picked } => {
            let mut chosen = picked;
            if chosen.is_empty() {
                chosen.extend(found.get(marked).map(|(id, _)| (id.clone(), Role::User)));
            }
            if chosen.is_empty() && matches!(purpose, PickFor::Add { .. }) {
                model.app.note("Nobody with that name; a full id such as 8:joe.4 can be added");
                model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Pick {
                    purpose,
                    input,
                    marked,
                    found,
                    picked: Vec::new(),
                }));
                return;
            }
            match purpose {
                PickFor::Add { .. } => {
                    on_thread::put(model, &chosen);
                    model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Members {
                        marked: 0,
                        picked: Vec::new(),
                    }));
                }
                PickFor::Create { topic } => on_thread::create(model, &topic, chosen),
            }
        }
        ThreadOverlay::Qr { url, rows } => {
            model
                .app
                .effects
                .push(Effect::Copy { what: "the join URL".into(), text: url.to_string() });
            model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Qr { url, rows }));
        }
    }
}

fn answer(model: &mut Model, what: &AskFor, input: &str) {
    match what {
        AskFor::Topic { back, was } => {
            if *back {
                model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Settings { marked: 0 }));
            }
            if input == was {
                // Nothing was changed here, whatever the others did meanwhile.
                return;
            }
            let now = model.app.opened().and_then(|c| c.info.topic.clone()).unwrap_or_default();
            if now.as_str() == was {
                on_thread::set_topic(model, input);
            } else if let Some(c) = model.app.opened() {
                let topic = SafeText::line(input).to_string();
                model.app.overlay = Some(Overlay::Confirm {
                    question: SafeText::line(
                        "Someone changed the topic meanwhile. Replace theirs?",
                    ),
                    detail: SafeText::text(&format!("theirs: {now}\nyours: {topic}")),
                    consent: Consent::Change(c.info.id.clone(), ThreadChange::Topic(topic)),
                });
            }
        }
        AskFor::NewGroup => {
            let topic = input.to_owned();
            on_thread::pick(model, PickFor::Create { topic });
        }
        AskFor::JoinUrl => on_thread::resolve(model, input),
    }
}

fn use_row(model: &mut Model, row: &settings::SettingRow) {
    if let Some(why) = row.blocked {
        model.app.complain(&format!("{}: {why}", row.label));
        return;
    }
    match row.id {
        RowId::Topic => on_thread::ask_topic(model, true),
        RowId::Flag(flag) => on_thread::set(model, flag, None),
        RowId::Url => {
            let url = model.app.opened().map(|c| c.group.url.clone());
            match url {
                Some(JoinUrlState::Known(url)) => {
                    let rows = super::qr::rows(&url);
                    let text = url.to_string();
                    model.app.effects.push(Effect::Copy { what: "the join URL".into(), text });
                    model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Qr { url, rows }));
                }
                _ => on_thread::fetch_url(model),
            }
        }
        RowId::Members => {
            let members = ThreadOverlay::Members { marked: 0, picked: Vec::new() };
            model.app.overlay = Some(Overlay::Thread(members));
        }
        RowId::Picture | RowId::Creator | RowId::Created | RowId::Capabilities => {
            model
                .app
                .effects
                .push(Effect::Copy { what: row.label.to_lowercase(), text: row.value.clone() });
        }
        RowId::Leave => on_thread::ask_leave(model),
        RowId::Clear => on_thread::ask_clear(model),
    }
}

/// A letter.
pub fn typed(model: &mut Model, letter: char) {
    let Some(Overlay::Thread(open)) = model.app.overlay.clone() else { return };
    match open {
        ThreadOverlay::Settings { .. } => {
            let Some(c) = model.app.opened() else { return };
            let rows = settings::rows(&model.app, c);
            let Some(at) = rows.iter().position(|row| row.key == Some(letter)) else {
                step_by_letter(model, letter);
                return;
            };
            model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Settings { marked: at }));
            if let Some(row) = rows.into_iter().nth(at) {
                use_row(model, &row);
            }
        }
        ThreadOverlay::Members { marked, picked } => {
            let Some(c) = model.app.opened() else { return };
            let at = settings::members(&model.app, c).get(marked).map(|m| m.id.clone());
            let targets =
                if picked.is_empty() { at.clone().into_iter().collect() } else { picked.clone() };
            match letter {
                'a' => on_thread::pick(model, PickFor::Add { back: true }),
                'x' => members::remove(model, &targets),
                'o' => members::turn_role(model, &targets),
                'y' => {
                    let ids: Vec<&str> = targets.iter().map(UserId::as_str).collect();
                    model
                        .app
                        .effects
                        .push(Effect::Copy { what: "the id".into(), text: ids.join("\n") });
                }
                ' ' => {
                    let mut picked = picked;
                    if let Some(who) = at {
                        match picked.iter().position(|p| *p == who) {
                            Some(known) => {
                                picked.remove(known);
                            }
                            None => picked.push(who),
                        }
                    }
                    let marked = marked + 1;
                    let last = lines(&model.app, &open_members(marked)).saturating_sub(1);
                    let members = ThreadOverlay::Members { marked: marked.min(last), picked };
                    model.app.overlay = Some(Overlay::Thread(members));
                }
                other => step_by_letter(model, other),
            }
        }
        ThreadOverlay::Person { who } => match letter {
            'x' => members::remove(model, &[who]),
            'o' => members::turn_role(model, &[who]),
            'y' => {
                model
                    .app
                    .effects
                    .push(Effect::Copy { what: "the id".into(), text: who.as_str().to_owned() });
            }
            _ => {}
        },
        ThreadOverlay::Ask { .. } | ThreadOverlay::Pick { .. } => {
            if let Some(Overlay::Thread(open)) = &mut model.app.overlay {
                if let Some(input) = open.input_mut() {
                    input.push(letter);
                }
                let mut open = open.clone();
                edited(&model.app, &mut open);
                model.app.overlay = Some(Overlay::Thread(open));
            }
        }
        ThreadOverlay::Qr { .. } => {}
    }
}

fn open_members(marked: usize) -> ThreadOverlay {
    ThreadOverlay::Members { marked, picked: Vec::new() }
}

fn step_by_letter(model: &mut Model, letter: char) {
    match letter {
        'j' => super::on_overlay::step(model, 1),
        'k' => super::on_overlay::step(model, -1),
        _ => {}
    }
}

/// In the picker: not picked, picked, picked as admin, and round again.
pub fn turn_pick(open: &mut ThreadOverlay) {
    let ThreadOverlay::Pick { marked, found, picked, .. } = open else { return };
    let Some((who, _)) = found.get(*marked) else { return };
    match picked.iter().position(|(id, _)| id == who) {
        None => picked.push((who.clone(), Role::User)),
        Some(at) if picked.get(at).is_some_and(|(_, role)| *role == Role::User) => {
            if let Some((_, role)) = picked.get_mut(at) {
                *role = Role::Admin;
            }
        }
        Some(at) => {
            picked.remove(at);
        }
    }
}
