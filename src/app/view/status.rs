//! The contents of the top bar, the open chat's header, the rule above the box, the line above it, and the footer.

use super::bar::{Bar, Label, Tone, whole_parts};
use super::compose::banner;
use super::connection::connection;
use super::footer::{FooterKey, footer};
use super::in_sight::{availability_in, presence_words};
use super::layout::Layout;
use super::shown;
use crate::app::account::Account;
use crate::app::chat::alerts::muted_words;
use crate::app::chat::{Chat, Window};
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::{AppState, Focus};
use crate::model::text::{cut, cut_name, width};
use crate::model::{
    ChatAccess, ConnectionState, Message, MessageBody, SafeText, conversation::FLAGS, emoticon,
};

/// The reason of a problem leaves at least this many cells for the account's name.
const KEPT_NAME: usize = 8;
/// A name that would be cut to less than this is left out of the top bar.
const LEAST_NAME: usize = 4;

/// All rows that show the state of the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusView {
    pub top: Bar,
    pub header: Bar,
    pub divider: Bar,
    pub banner: Bar,
    pub footer: Bar,
    pub footer_keys: Vec<FooterKey>,
}

/// What the rows depend on besides the state.
pub struct StatusInput<'a> {
    pub layout: &'a Layout,
    pub context: Context,
    /// Only text is shown, on the whole screen.
    pub bare: bool,
    /// The number of messages below the last visible row.
    pub below: usize,
    /// The day of the top row, while the view is scrolled up.
    pub day: Option<&'a str>,
    /// The actions that can be done with the selected message, by name.
    pub fitting: &'a [String],
    /// Enter chooses something in the dialog that is open.
    pub chooses: bool,
    /// A question that waits to be opened.
    pub question: Option<&'a str>,
}

pub fn status(app: &AppState, input: &StatusInput<'_>) -> StatusView {
    let columns = |area: Option<super::layout::Rect>| area.map(|a| usize::from(a.width));
    let opened = app.opened();
    let mut view = StatusView::default();
    if let Some(columns) = columns(input.layout.top) {
        view.top = top(app, columns);
    }
    if let (Some(columns), Some(chat)) = (columns(input.layout.header), opened) {
        view.header = header(app, chat, input.day, columns);
    }
    if let Some(columns) = columns(input.layout.divider) {
        view.divider = divider(app, opened, input, columns);
    }
    if let (Some(columns), Some(chat)) = (columns(input.layout.banner), opened) {
        view.banner = banner(app.accounts.of(chat), chat, columns);
    }
    if let Some(columns) = columns(input.layout.footer) {
        (view.footer, view.footer_keys) = footer(app, input, columns);
    }
    view
}

fn top(app: &AppState, columns: usize) -> Bar {
    let account = app.current_account();
    let mut bar = Bar::default();
    let accounts = accounts(app, columns / 2);
    let counts = counts(app);
    if accounts.is_some() || !counts.is_empty() {
        bar.right.extend(accounts.unwrap_or(vec![Label::new(counts, Tone::Unread)]));
        bar.right.push(Label::new(" │ ", Tone::Rule));
    }
    // Account and counts keep their room; the reason of a problem gets what is left.
    let room = columns.saturating_sub(if columns < 60 { 20 } else { 18 });
    // The beginning of a long reason is enough: notices give it in full. If the service has asked for a pause, no words
    // can be left out.
    let kept = match account.connection.state {
        ConnectionState::Waiting { asked: true, .. } => 10,
        _ => width(&account.own_name()).min(KEPT_NAME) + 5,
    };
    let room = room.min(columns.saturating_sub(bar.right_width() + kept).max(31));
    let label = match account.id.archive() {
        Some(name) => Label::new(format!("archive {}", cut(name, 20)), Tone::New),
        None => connection(app, &account.connection, room),
    };
    bar.right.push(label);
    bar.right.push(Label::new(" ", Tone::Plain));
    let (dot, tone) = if account.connection.state == ConnectionState::Online {
        ("●", Tone::Good)
    } else {
        ("○", Tone::Dim)
    };
    let me = account.own_name();
    let room = columns.saturating_sub(bar.right_width() + 12).min(30);
    let kept = width(&me).min(KEPT_NAME);
    if room < kept && columns >= bar.right_width() + kept + 4 {
        // The name of the program is left out before that of the account.
        let room = columns.saturating_sub(bar.right_width() + 4);
        let name = Label::new(format!(" {}", cut(&me, room)), Tone::Plain);
        bar.left = vec![Label::new(" ", Tone::Plain), Label::new(dot, tone), name];
        return bar;
    }
    bar.left = vec![
        Label::new(" skchat", Tone::Title),
        Label::new("  ", Tone::Plain),
        Label::new(dot, tone),
        Label::new(format!(" {}", cut(&me, room)), Tone::Plain),
    ];
    if room < width(&me).min(LEAST_NAME) {
        // What is left of the name would be meaningless.
        let has_room = columns > bar.right_width() + width(" skchat");
        bar.left.truncate(usize::from(has_room));
        return bar;
    }
    if app.prefs.demo {
        bar.left.push(Label::new("  ", Tone::Plain));
        bar.left.push(Label::new(" DEMO ", Tone::Demo));
    }
    bar
}

/// Each account with its unread messages, and whether it is online; `None` for one account or if they do not fit.
fn accounts(app: &AppState, columns: usize) -> Option<Vec<Label>> {
    let live = || app.accounts.iter().filter(|account| account.id.archive().is_none());
    if live().count() < 2 {
        return None;
    }
    let mut bar = Bar::default();
    for account in live() {
        let (dot, tone) = match account.connection.state {
            ConnectionState::Online => ("●", Tone::Good),
            ConnectionState::SignedOut { .. } => ("○", Tone::Bad),
            _ => ("○", Tone::Dim),
        };
        let space = if bar.right.is_empty() { "" } else { " " };
        bar.right.push(Label::new(format!("{space}{dot}"), tone));
        let name = cut(account.label(), 12);
        bar.right.push(match account.unread() {
            (0, _) => Label::new(name, Tone::Dim),
            (unread, 0) => Label::new(format!("{name} {unread}"), Tone::Unread),
            (unread, _) => Label::new(format!("{name} {unread} @"), Tone::Unread),
        });
    }
    let unsent = app.total_unsent();
    if unsent > 0 {
        bar.right.push(Label::new(format!(" · {unsent} unsent"), Tone::Unread));
    }
    (bar.right_width() <= columns).then_some(bar.right)
}

fn counts(app: &AppState) -> String {
    let (unread, mentions) = app.total_unread();
    let unsent = app.total_unsent();
    let more = if app.unread_is_capped() { "+" } else { "" };
    let counts = [
        (unread > 0).then(|| format!("{unread}{more} unread")),
        (mentions > 0).then(|| format!("{mentions} @")),
        (unsent > 0).then(|| format!("{unsent} unsent")),
    ];
    counts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn header(app: &AppState, chat: &Chat, day: Option<&str>, columns: usize) -> Bar {
    let title = shown(&app.prefs, &app.accounts.of(chat).title(chat));
    let room = columns.saturating_sub(3);
    let facts = header_facts(app, chat, width(&title), room);
    let facts = cut(&facts, room.saturating_sub(width(&title).min(8) + 1));
    let availability = availability_in(app, chat);
    let sign = availability.map(|a| Label::new(format!(" {}", a.sign()), Tone::of(a)));
    let room = columns.saturating_sub(width(&facts) + sign.as_ref().map_or(0, Label::width) + 3);
    let title = cut_name(&title, room);
    let mut bar = Bar {
        from: 0,
        left: vec![Label::new(format!(" {title}"), Tone::Title)],
        right: vec![Label::new(facts, Tone::Dim), Label::new(" ", Tone::Plain)],
    };
    bar.left.extend(sign);
    // An archive is named in the top bar.
    let account = app.account_tag(chat).filter(|_| chat.account.archive().is_none());
    if let Some(account) = account.map(|name| format!(" · {}", cut(name, 16)))
        && bar.left_width() + width(&account) + bar.right_width() < columns
    {
        bar.left.push(Label::new(account, Tone::Dim));
    }
    // While the view is scrolled up, the day stays visible.
    if let Some(day) = day.map(|day| format!(" · {day}"))
        && bar.left_width() + width(&day) + bar.right_width() < columns
    {
        bar.left.push(Label::new(day, Tone::Dim));
    }
    bar
}

/// The people, and what is unusual about the chat, which takes precedence. The name takes precedence over both.
fn header_facts(app: &AppState, chat: &Chat, title: usize, room: usize) -> String {
    let mut facts = Vec::new();
    match &chat.info.access {
        ChatAccess::Left => facts.push("no longer a member".to_owned()),
        ChatAccess::Gone => facts.push("no longer exists".to_owned()),
        ChatAccess::ReadOnly(_) => facts.push("read-only".to_owned()),
        ChatAccess::Full => {}
    }
    if chat.info.is_group() {
        for spec in FLAGS.iter().filter(|f| !f.is_own()) {
            let state = chat.flag(&app.pending, spec.flag);
            if let (true, Some(on)) = (state.is_changing(), state.shown()) {
                facts.push(format!("{} {}…", spec.label, if on { "on" } else { "off" }));
            }
        }
    }
    if chat.choices.put_away {
        facts.push("put away".into());
    }
    match chat.choices.muted_until {
        Some(until) if !chat.info.muted => {
            let words = muted_words(until, app.clock.wall, &app.prefs);
            facts.push(format!("muted until {words}"));
        }
        _ if chat.info.muted => facts.push("muted".into()),
        _ => {}
    }
    let facts = facts.join(" · ");
    let separator = if facts.is_empty() { "" } else { " · " };
    let room = room.saturating_sub(title.min(16) + 1 + width(separator) + width(&facts));
    let people = if chat.info.access.is_over() {
        None
    } else {
        people(app, chat, title, room).or_else(|| presence_words(app, chat, room))
    };
    people.map_or_else(|| facts.clone(), |people| format!("{people}{separator}{facts}"))
}

/// How many people are in a group, and their names if all fit beside the title.
fn people(app: &AppState, chat: &Chat, title: usize, room: usize) -> Option<String> {
    /// A longer list of names is not worth reading.
    const MAX: usize = 8;
    let members = &chat.group.members;
    if !chat.info.is_group() || members.is_empty() {
        return None;
    }
    let plural = if members.len() == 1 { "" } else { "s" };
    let count = format!("{} member{plural}", members.len());
    let account = app.accounts.of(chat);
    // Without a topic, the title is made of the names.
    if members.len() <= MAX && chat.info.shown_topic().is_some() {
        let others = members.iter().filter(|member| member.id != account.me);
        let names: Vec<String> =
            others.map(|member| account.distinct_name(&member.id).to_string()).collect();
        let names = shown(&app.prefs, &SafeText::line(&names.join(", ")));
        let all = format!("{names} · {count}");
        if !names.is_empty() && width(&all) + title.saturating_sub(16) <= room {
            return Some(all);
        }
    }
    (width(&count) <= room).then_some(count)
}

/// The rule above the box shows what is temporary: a note, a waiting question, who is typing, how many messages are
/// below.
fn divider(app: &AppState, opened: Option<&Chat>, input: &StatusInput<'_>, columns: usize) -> Bar {
    let mut bar = Bar::default();
    let past = opened.is_some_and(|c| c.paging.window != Window::Live);
    let count = match input.below {
        // Their number is not known: they are in the store.
        _ if past => "more".to_owned(),
        1000.. => "999+".to_owned(),
        few => few.to_string(),
    };
    if (input.below > 0 || past) && opened.is_some() {
        bar.right.push(Label::new(format!(" ↓ {count} below · Ctrl-End "), Tone::New));
        bar.right.push(Label::new("─", Tone::Rule));
    }
    let has_below = !bar.right.is_empty();
    if let Some(mode) = mode(app, input.context) {
        bar.right.push(Label::new(format!(" {mode} "), Tone::Title));
        bar.right.push(Label::new("─", Tone::Rule));
    }
    let passing = app
        .notes
        .current()
        .filter(|_| input.context != Context::Overlay)
        .map(|note| Label::new(note.text.as_str(), if note.bad { Tone::Bad } else { Tone::New }))
        .or_else(|| Some(Label::new(waiting(app, input.question?)?, Tone::New)))
        .or_else(|| Some(Label::new(held(app)?, Tone::New)))
        .or_else(|| Some(Label::new(selected(app, opened?)?, Tone::Dim)))
        .or_else(|| Some(Label::new(undecided(app, opened?)?, Tone::Bad)))
        .or_else(|| Some(Label::new(typing(app, opened?)?, Tone::Dim)));
    if let Some(Label { text, tone }) = passing {
        let room = |bar: &Bar| columns.saturating_sub(bar.right_width().max(1) + 5);
        let is_cut = width(whole_parts(&text, room(&bar))) > room(&bar);
        if let Some(below) = bar.right.first_mut().filter(|_| is_cut && has_below) {
            below.text = format!(" ↓ {count} ");
        }
        let room = room(&bar);
        let text = cut(whole_parts(&text, room), room);
        // The text is shown below the pane that it is about, if it fits there.
        let from = match (app.focus, input.layout.messages) {
            (Focus::Compose, Some(area)) => usize::from(area.x),
            _ => 0,
        };
        bar.from = if width(&text) + from <= room { from } else { 0 };
        bar.left = vec![Label::new("──", Tone::Rule), Label::new(format!(" {text} "), tone)];
    }
    bar
}

/// The current mode, with a modal preset.
fn mode(app: &AppState, context: Context) -> Option<&'static str> {
    match context {
        Context::Overlay => None,
        _ if !app.prefs.keymap.is_modal() => None,
        Context::Compose | Context::Global => Some("INSERT"),
        Context::Normal | Context::Selection | Context::List => Some("NORMAL"),
    }
}

/// A waiting question, and the key that opens it.
fn waiting(app: &AppState, question: &str) -> Option<String> {
    let key = app.prefs.keymap.entry("answer").map(KeymapEntry::key)?;
    Some(format!("{question} {key} opens the question"))
}

/// How long the last message can still be taken back, and with which key.
fn held(app: &AppState) -> Option<String> {
    let seconds = app.held_for()?;
    let key = app.prefs.keymap.entry("undo").map(KeymapEntry::key)?;
    Some(format!("sent in {seconds}s · {key} takes it back"))
}

/// Says that messages wait until the user has decided about one, which may be far above.
fn undecided(app: &AppState, chat: &Chat) -> Option<String> {
    let key = app.prefs.keymap.entry("first-not-sent").map(KeymapEntry::key)?;
    match chat.waiting_for_decision() {
        0 => None,
        1 => Some(format!("1 message is waiting behind an unconfirmed one · {key} shows it")),
        n => Some(format!("{n} messages are waiting behind an unconfirmed one · {key} shows it")),
    }
}

/// Who wrote the selected message, and on which day.
fn selected(app: &AppState, chat: &Chat) -> Option<String> {
    let message = chat.selected()?;
    if matches!(message.body, MessageBody::Gap { .. }) {
        return Some("Messages are missing here".to_owned());
    }
    let account = app.accounts.of(chat);
    let day = app.prefs.day_name(message.at, app.clock.wall);
    let readers = match chat.readers(message.key.at) {
        n if n > 0 && message.sender == account.me => format!(" · read by {n}"),
        _ => String::new(),
    };
    let clock = app.prefs.clock(message.at);
    if message.body.is_system() {
        return Some(format!("{day} {clock}"));
    }
    let name = shown(&app.prefs, &account.distinct_name(&message.sender));
    Some(format!("{name}, {day} {clock}{readers}{}", reacted(app, account, message)))
}

/// Who reacted to a message: as many people as there is room for.
fn reacted(app: &AppState, account: &Account, message: &Message) -> String {
    const MAX: usize = 3;
    let mut out = String::new();
    for reaction in message.reactions.iter().filter(|reaction| !reaction.users.is_empty()) {
        let picture = emoticon::shown(&reaction.key, "", app.prefs.choices.ui.emoji);
        let people =
            reaction.users.iter().take(MAX).map(|id| account.distinct_name(id).to_string());
        let people = people.collect::<Vec<_>>().join(", ");
        let more = match reaction.users.len().saturating_sub(MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        out.push_str(&format!(" · {} {people}{more}", shown(&app.prefs, &picture)));
    }
    out
}

fn typing(app: &AppState, chat: &Chat) -> Option<String> {
    let account: &Account = app.accounts.of(chat);
    let names: Vec<SafeText> =
        chat.typing.iter().map(|(who, _)| account.names.distinct(who)).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is typing…")),
        [one, two] => Some(format!("{one} and {two} are typing…")),
        many => Some(format!("{} people are typing…", many.len())),
    }
}
