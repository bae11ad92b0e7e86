//! Top bar, the open conversation's header, the rule above the box, and the footer.

use super::Theme;
use super::paint;
use crate::app::keymap::Context;
use crate::app::layout::Rect;
use crate::app::overlay::{self, Overlay};
use crate::app::state::Window;
use crate::app::{Focus, Model};
use crate::model::text::{cut, width};
use crate::model::{ConnectionState, MessageBody, ThreadFlag};
use ratatui::buffer::Buffer;
use ratatui::style::Style;

pub fn top(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let end = area.x + area.width;
    let (text, style) = connection(model, theme);
    // Program, account and counts keep their room; the reason of a trouble gets what is left.
    let room = usize::from(area.width.saturating_sub(if area.width < 60 { 20 } else { 26 }));
    let mut edge = paint::right(buffer, area.x, area.y, end - 1, &shorter(&text, room), style);
    let (unread, mentions) = model.app.total_unread();
    let mut counts = Vec::new();
    if unread > 0 {
        let more = if model.app.unread_is_capped() { "+" } else { "" };
        counts.push(format!("{unread}{more} unread"));
    }
    if mentions > 0 {
        counts.push(format!("{mentions} @"));
    }
    let unsent = model.app.total_unsent();
    if unsent > 0 {
        counts.push(format!("{unsent} unsent"));
    }
    if !counts.is_empty() {
        edge = paint::right(buffer, area.x, area.y, edge.saturating_sub(1), "│", theme.rule);
        let text = counts.join(" · ");
        edge = paint::right(buffer, area.x, area.y, edge.saturating_sub(1), &text, theme.unread);
    }
    let edge = edge.saturating_sub(1);
    let mut x = paint::text(buffer, area.x + 1, area.y, edge, "skchat", theme.title);
    x = paint::text(buffer, x, area.y, edge, "  ", Style::new());
    let dot = if model.app.connection.state == ConnectionState::Online {
        ("●", theme.good)
    } else {
        ("○", theme.dim)
    };
    x = paint::text(buffer, x, area.y, edge, dot.0, dot.1);
    let me = model.app.names.of(model.app.me());
    let room = usize::from(edge.saturating_sub(x + 1)).min(30);
    x = paint::text(buffer, x + 1, area.y, edge, &cut(&me, room), Style::new());
    if model.app.prefs.demo {
        paint::text(buffer, x + 2, area.y, edge, " DEMO ", theme.demo);
    }
}

/// A connection's words in fewer columns: the reason in their middle is cut first.
fn shorter(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if let Some((head, rest)) = text.split_once(": ")
        && let Some((why, retry)) = rest.rsplit_once(" · ")
    {
        let fixed = width(head) + width(retry) + 5;
        if columns > fixed + 6 {
            return format!("{head}: {} · {retry}", cut(why, columns - fixed));
        }
        let without = format!("{head} · {retry}");
        return if width(&without) <= columns { without } else { cut(head, columns) };
    }
    cut(text, columns)
}

/// The truth about the connection, in one place and in words.
fn connection(model: &Model, theme: &Theme) -> (String, Style) {
    match &model.app.connection.state {
        ConnectionState::Online => ("live".into(), theme.good),
        ConnectionState::ReadOnly => {
            ("read-only: what is stored · F5 looks again".into(), theme.new)
        }
        ConnectionState::Connecting => ("connecting…".into(), theme.dim),
        ConnectionState::Waiting { why, .. } => {
            let retry = match model.app.retry_in() {
                Some(seconds) if seconds > 0 => format!("retry in {seconds}s"),
                _ => "retrying".into(),
            };
            let since = match model.app.lost_for() {
                Some(seconds @ 1..=99) => format!(" {seconds}s"),
                Some(seconds @ 100..) => format!(" {} min", seconds / 60),
                _ => String::new(),
            };
            (format!("offline{since}: {} · {retry}", cut(why, 40)), theme.bad)
        }
        ConnectionState::SignedOut { why } => {
            (format!("signed out: {} · F5 tries again", cut(why, 40)), theme.bad)
        }
    }
}

pub fn header(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(c) = model.app.opened() else { return };
    let end = area.x + area.width;
    let mut parts = Vec::new();
    let mut members = None;
    if c.info.is_group() {
        if c.info.left {
            parts.push("not a member any more".to_owned());
        } else if !c.group.members.is_empty() {
            members = Some(format!("{} members", c.group.members.len()));
        }
        for flag in [ThreadFlag::JoiningEnabled, ThreadFlag::HistoryDisclosed] {
            let word = |on: bool| if on { "on" } else { "off" };
            let state = model.app.flag(c, flag);
            if let Some(on) = state.shown() {
                let more = if state.is_changing() { "…" } else { "" };
                parts.push(format!("{} {}{more}", flag.label(), word(on)));
            }
        }
    }
    if c.info.muted {
        parts.push("muted".into());
    }
    let title = model.app.title(c);
    let room = usize::from(area.width.saturating_sub(3));
    let flags = parts.join(" · ");
    // The settings matter more than the number of members, and the name more than all of it.
    let right =
        match members {
            Some(members)
                if width(&members) + 3 + width(&flags) + width(&title).min(16) <= room =>
            {
                if flags.is_empty() { members } else { format!("{members} · {flags}") }
            }
            _ => flags,
        };
    let right = cut(&right, room.saturating_sub(width(&title).min(8) + 1));
    let edge = paint::right(buffer, area.x, area.y, end - 1, &right, theme.dim);
    let room = usize::from(edge.saturating_sub(area.x + 2));
    let x = paint::text(buffer, area.x + 1, area.y, edge, &cut(&title, room), theme.title);
    // While reading back, the day stays in sight.
    if let Some(day) = &model.view.visible.day {
        let day = format!(" · {day}");
        if x.saturating_add(u16::try_from(width(&day)).unwrap_or(u16::MAX)) < edge {
            paint::text(buffer, x, area.y, edge, &day, theme.dim);
        }
    }
}

/// The rule above the box carries what is passing: a note, who types, what waits below.
pub fn divider(
    model: &Model,
    theme: &Theme,
    area: Rect,
    rules: [Option<Rect>; 2],
    buffer: &mut Buffer,
) {
    let end = area.x + area.width;
    paint::horizontal(buffer, area.x, area.y, end, "─", theme.rule);
    for rule in rules.into_iter().flatten() {
        paint::text(buffer, rule.x, area.y, end, "┴", theme.rule);
    }
    let mut edge = end - 1;
    let below = model.view.visible.below;
    let past = model.app.opened().is_some_and(|c| c.paging.window != Window::Live);
    if (below > 0 || past) && model.app.open.is_some() {
        let count = match below {
            // How many there are is not known: they are in the store.
            _ if past => "more".to_owned(),
            1000.. => "999+".to_owned(),
            few => few.to_string(),
        };
        edge = paint::right(
            buffer,
            area.x,
            area.y,
            edge,
            &format!(" ↓ {count} below · C-End "),
            theme.new,
        )
        .saturating_sub(1);
    }
    let text = match model.app.toasts.back() {
        Some(toast) => {
            Some((toast.text.to_string(), if toast.bad { theme.bad } else { theme.new }))
        }
        None => held(model)
            .map(|t| (t, theme.new))
            .or_else(|| selected(model).or_else(|| typing(model)).map(|t| (t, theme.dim))),
    };
    if let Some((text, style)) = text {
        let room = usize::from(edge.saturating_sub(area.x + 3));
        paint::text(
            buffer,
            area.x + 2,
            area.y,
            edge,
            &format!(" {} ", cut(&text, room.saturating_sub(2))),
            style,
        );
    }
}

/// For how long the last message can still be taken back, and how.
fn held(model: &Model) -> Option<String> {
    let seconds = model.app.held_for()?;
    let key = model.app.prefs.keymap.entry("undo").map(crate::app::keymap::KeymapEntry::key)?;
    Some(format!("leaves in {seconds}s · {key} takes it back"))
}

/// Who wrote the selected message, and on which day.
fn selected(model: &Model) -> Option<String> {
    let c = model.app.opened()?;
    let message = c.timeline.get(c.selected()?)?;
    let zone = &model.app.prefs.zone;
    let day = message.at.day_name(model.app.clock.wall, zone);
    if matches!(message.body, MessageBody::Gap { .. }) {
        return Some("Here messages are missing".to_owned());
    }
    let name = model.app.name_of(&message.sender);
    let readers = match c.readers(message.key.at) {
        n if n > 0 && message.sender == *model.app.me() => format!(" · read by {n}"),
        _ => String::new(),
    };
    Some(format!("{name}, {day} {}{readers}", message.at.clock(zone)))
}

fn typing(model: &Model) -> Option<String> {
    let c = model.app.opened()?;
    let names: Vec<String> =
        c.typing.iter().map(|(who, _)| model.app.names.of(who).to_string()).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is typing…")),
        [one, two] => Some(format!("{one} and {two} are typing…")),
        many => Some(format!("{} people are typing…", many.len())),
    }
}

/// The actions a place offers in its footer, in this order; those that do not fit are left out from the end.
fn offered(context: Context, bare: bool) -> &'static [&'static str] {
    match context {
        _ if bare => &["bare-view"],
        Context::Compose | Context::Global => &[
            "send",
            "newline",
            "previous-conversation",
            "switcher",
            "next-unread",
            "select-message",
            "help",
            "search",
            "quit",
        ],
        Context::Selection => &[
            "message-menu",
            "select-up",
            "take-back",
            "retry",
            "reply",
            "react",
            "copy",
            "open-link",
            "view",
            "edit",
            "go-to-quoted",
            "delete-message",
            "mark-unread",
        ],
        Context::List => &["list-open", "switcher", "next-unread", "help", "quit"],
        Context::Overlay => &["choose"],
    }
}

pub fn footer(
    model: &Model,
    theme: &Theme,
    area: Rect,
    with_connection: bool,
    buffer: &mut Buffer,
) {
    let mut end = area.x + area.width;
    if with_connection {
        let (text, style) = connection(model, theme);
        let room = usize::from(area.width / 2);
        end = paint::right(buffer, area.x, area.y, end - 1, &shorter(&text, room), style)
            .saturating_sub(1);
    }
    let mut x = area.x + 1;
    let keymap = &model.app.prefs.keymap;
    let context = model.app.context();
    let fitting: Vec<&str> = match context {
        // Only what can be done with this message.
        Context::Selection => {
            overlay::menu(&model.app).iter().map(|(entry, _)| entry.name.as_str()).collect()
        }
        _ => Vec::new(),
    };
    // The way out keeps its place, whatever else there is.
    let esc = match (context, model.app.focus) {
        (Context::Overlay, _) => Some("close"),
        _ if model.view.bare => Some("back"),
        (Context::Selection, _) | (_, Focus::List) => Some("back"),
        _ => None,
    };
    let room = end.saturating_sub(if esc.is_some() { 10 } else { 0 });
    for name in offered(context, model.view.bare) {
        let always = matches!(*name, "message-menu" | "select-up");
        if context == Context::Selection && !always && !fitting.contains(name) {
            continue;
        }
        let Some(entry) = keymap.entry(name) else { continue };
        let Some(label) = entry.label.as_ref().map(|label| format!("{label}  ")) else { continue };
        let key = match *name {
            "previous-conversation" => "M-↑↓".to_owned(),
            "select-up" => "↑↓".to_owned(),
            _ => entry.key(),
        };
        let nothing_to_choose =
            matches!(model.app.overlay, Some(Overlay::Help { .. } | Overlay::Inspect { .. }));
        if key.is_empty() || (*name == "choose" && nothing_to_choose) {
            continue;
        }
        let needed = u16::try_from(width(&key) + 1 + width(label.trim_end())).unwrap_or(u16::MAX);
        if x.saturating_add(needed) > room {
            break;
        }
        x = paint::text(buffer, x, area.y, end, &key, theme.key);
        x = paint::text(buffer, x + 1, area.y, end, &label, theme.dim);
    }
    if let Some(esc) = esc.filter(|_| x + 8 <= end) {
        x = paint::text(buffer, x, area.y, end, "Esc", theme.key);
        paint::text(buffer, x + 1, area.y, end, esc, theme.dim);
    }
}
