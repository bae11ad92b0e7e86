//! The dialogs of conversation settings.

use super::{Dialog, Line};
use crate::app::AppState;
use crate::app::settings::{self, SettingRow};
use crate::app::thread_overlay::{AskFor, PickFor, ThreadOverlay};
use crate::app::wrap::break_lines;
use crate::model::text::{cut, fit};
use crate::model::{Role, UserId};
use crate::ui::Theme;

/// Cells of a row's label.
const LABEL: usize = 18;

pub fn dialog(
    app: &AppState,
    open: &ThreadOverlay,
    (columns, height): (usize, usize),
    theme: &Theme,
) -> Dialog {
    match open {
        ThreadOverlay::Settings { marked } => screen(app, *marked, columns, theme),
        ThreadOverlay::Members { marked, picked } => members(app, *marked, picked, theme),
        ThreadOverlay::Person { who } => person(app, who, theme),
        ThreadOverlay::Ask { what, input } => ask(what, input, theme),
        ThreadOverlay::Pick { purpose, input, marked, found, picked } => {
            let title = match purpose {
                PickFor::Add { .. } => "Add members".to_owned(),
                PickFor::Create { topic } if topic.is_empty() => "New group: who is in it?".into(),
                PickFor::Create { topic } => format!("New group {topic}: who is in it?"),
            };
            let chosen = |id: &UserId| picked.iter().find(|(p, _)| p == id).map(|(_, role)| *role);
            let lines = found.iter().map(|(id, name)| {
                let mark = match chosen(id) {
                    None => "[ ]",
                    Some(Role::User) => "[x]",
                    Some(Role::Admin) => "[A]",
                };
                Line::new(format!("{mark} {name}"), cut(id.as_str(), 28))
            });
            let mut lines: Vec<Line> = lines.collect();
            let marked = (!lines.is_empty()).then_some(*marked);
            if lines.is_empty() {
                let text = "Nobody found. A full id such as 8:joe.4 works, several too.";
                lines.push(Line::new(text, "").styled(theme.dim));
            }
            let count = match picked.len() {
                0 => "Tab picks, twice: as admin · Enter takes the marked one".to_owned(),
                n => format!("Tab picks, twice: as admin · Enter takes {n}"),
            };
            Dialog { input: Some(input.clone()), marked, ..plain(title, lines, &count) }
        }
        ThreadOverlay::Qr { url, rows } => {
            // All of the code or none of it; the address in any case.
            let address = break_lines(url, columns.max(4));
            let fits = rows.len() + address.len() + 3 <= height
                && rows.first().is_some_and(|row| row.chars().count() <= columns);
            let mut lines: Vec<Line> = if fits {
                rows.iter().map(|row| Line::new(row.clone(), "").styled(theme.code)).collect()
            } else {
                vec![Line::new("The window is too small for the code.", "").styled(theme.dim)]
            };
            lines.push(Line::new("", ""));
            lines.extend(address.into_iter().filter_map(|r| Some(Line::new(url.get(r)?, ""))));
            plain("Join URL".into(), lines, "copied · Enter copies again · Esc goes back")
        }
    }
}

fn plain(title: String, lines: Vec<Line>, hint: &str) -> Dialog {
    Dialog {
        title,
        input: None,
        lines,
        marked: None,
        focus: None,
        scroll: 0,
        hint: hint.to_owned(),
        wide: true,
    }
}

fn screen(app: &AppState, marked: usize, columns: usize, theme: &Theme) -> Dialog {
    let Some(c) = app.opened() else { return plain(String::new(), Vec::new(), "") };
    let rows = settings::rows(app, c);
    let mut lines: Vec<Line> = rows.iter().map(|r| row(r, columns, theme)).collect();
    let blocked = rows.iter().any(|r| r.blocked == Some("only admins may change this"));
    lines.push(Line::new("", ""));
    for (i, status) in settings::status(app, c).into_iter().enumerate() {
        let head = if i == 0 { "Server: " } else { "        " };
        lines.push(Line::new(format!("{head}{status}"), ""));
    }
    if c.info.left {
        lines.push(Line::new("You are not a member any more.", "").styled(theme.dim));
    } else if blocked {
        let text = "You are no admin: the grey rows are for admins to change.";
        lines.push(Line::new(text, "").styled(theme.dim));
    } else if c.my_role(app.me()) == Some(Role::Admin) {
        lines.push(Line::new("You are admin.", "").styled(theme.dim));
    }
    // The last row brings what stands below it into sight.
    let focus = if marked + 1 >= rows.len() { lines.len().saturating_sub(1) } else { marked };
    Dialog {
        marked: Some(marked),
        focus: Some(focus),
        ..plain(
            format!("Conversation settings ─ {}", app.title(c)),
            lines,
            "↑↓ move · Enter or letter changes · Esc closes",
        )
    }
}

fn row(row: &SettingRow, columns: usize, theme: &Theme) -> Line {
    let key = row.key.map_or_else(|| " ".to_owned(), String::from);
    let right = if row.saving {
        "saving ↑".to_owned()
    } else {
        row.blocked.unwrap_or(row.does).to_owned()
    };
    let room = columns.saturating_sub(LABEL + 3 + crate::model::text::width(&right) + 1);
    let value = cut(&crate::model::SafeText::line(&row.value), room.max(8));
    let line = Line::new(format!("{key}  {}{value}", fit(row.label, LABEL)), right);
    if row.blocked.is_some() { line.styled(theme.dim) } else { line }
}

fn members(app: &AppState, marked: usize, picked: &[UserId], theme: &Theme) -> Dialog {
    let Some(c) = app.opened() else { return plain(String::new(), Vec::new(), "") };
    let list = settings::members(app, c);
    let mut lines: Vec<Line> = list
        .iter()
        .map(|m| {
            let mark = if picked.contains(&m.id) { "[x] " } else { "" };
            let saving = app.is_changing(c, |change| {
                use crate::model::ThreadChange::{Member, Remove};
                matches!(change, Member(who, _) | Remove(who) if *who == m.id)
            });
            let role = match (saving, m.role) {
                (true, _) => "saving ↑",
                (false, Role::Admin) => "admin",
                (false, Role::User) => "user",
            };
            Line::new(format!("{mark}{}", settings::name_and_id(app, &m.id)), role)
        })
        .collect();
    let marked = (!lines.is_empty()).then_some(marked);
    if lines.is_empty() {
        lines.push(Line::new("Not loaded yet.", "").styled(theme.dim));
    }
    Dialog {
        marked,
        ..plain(
            format!("Members of {}", app.title(c)),
            lines,
            "a add · x remove · o role · y id · Space picks · Enter shows",
        )
    }
}

fn person(app: &AppState, who: &UserId, theme: &Theme) -> Dialog {
    let member = app.opened().and_then(|c| c.group.members.iter().find(|m| m.id == *who));
    let mut lines = vec![Line::new("id", who.as_str())];
    match member {
        Some(member) => {
            let role = if member.role == Role::Admin { "admin" } else { "user" };
            lines.push(Line::new("role", role));
            if !member.name.is_empty() {
                lines.push(Line::new("friendlyName", member.name.as_str()));
            }
            for (name, value) in &member.details {
                lines.push(Line::new(name.as_ref(), cut(value, 56)));
            }
        }
        None => lines.push(Line::new("Not a member any more.", "").styled(theme.dim)),
    }
    plain(app.name_of(who).to_string(), lines, "x remove · o role · y or Enter copies the id")
}

fn ask(what: &AskFor, input: &str, theme: &Theme) -> Dialog {
    let (title, text, hint) = match what {
        AskFor::Topic { .. } => (
            "Topic",
            "Everyone in the group sees it; empty takes it away.",
            "Enter saves · Esc leaves it",
        ),
        AskFor::NewGroup => (
            "New group",
            "Its topic, or nothing for now; who is in it comes next.",
            "Enter goes on · Esc drops it",
        ),
        AskFor::JoinUrl => (
            "Join a group",
            "Its URL, such as https://join.skype.com/CODE",
            "Enter asks where it leads · Esc drops it",
        ),
    };
    Dialog {
        input: Some(input.to_owned()),
        ..plain(title.into(), vec![Line::new(text, "").styled(theme.dim)], hint)
    }
}
