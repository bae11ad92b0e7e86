//! A fixture for the pure `update`: no gateway, no store, no clock. People say things, keys are pressed as text, and
//! the state, requests or the screen are inspected. Used by the unit tests of the crate, by tests and by benches.
//!
//! ```text
//! let mut app = chat("Team").message("joe", "hi").opened();
//! app.press("x enter");
//! assert!(app.screen().contains("Joe"));
//! ```
#![expect(dead_code, reason = "each test uses its own part of this")]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::{Frame, Terminal};
use skchat::app::chat::Chat;
use skchat::app::keymap::builtin_keymap;
use skchat::app::keymap::{Chord, Resolver};
use skchat::app::view::Want;
use skchat::app::view::layout::Size;
use skchat::app::{Account, Accounts, Action, ComposeAction, Effect, Input, Model, Prefs};
use skchat::app::{OverlayAction, keymap::Context, update};
use skchat::model::{
    AccountId, Arrival, ChatRef, ConnectionState, Conversation, ConversationId, Delivery, Delta,
    Inbound, Member, Message, MessageBody, MessageKey, NameSource, Now, Placement, Request,
    Response, RichText, Role, SafeText, ThreadFlag, ThreadSettings, Ticket, Timestamp, UserId,
};
use skchat::ui::{ColorDepth, Screen, Theme};
use std::sync::Arc;
use std::time::Duration;

pub const ACCOUNT: &str = "home";
/// The user's own id in the fixture's account.
pub const ME: &str = "8:anna.7";
/// The time of the first message; the others follow a minute apart.
pub const START: i64 = 1_700_000_000_000;

/// Everyone who occurs: short name, id, display name.
const PEOPLE: [(&str, &str, &str); 3] = [
    ("anna", ME, "Anna Lindqvist"),
    ("joe", "8:joe.4", "Joe Bloggs"),
    ("mia", "8:mia.tan", "Mia Tan"),
];

/// A person by short name or id.
pub fn person(name: &str) -> UserId {
    let known = PEOPLE.iter().find(|(short, ..)| *short == name);
    UserId::new(known.map_or(name, |(_, id, _)| id))
}

/// A conversation of the fixture's account.
pub fn chat_ref(id: &ConversationId) -> ChatRef {
    ChatRef { account: AccountId::new(ACCOUNT), conversation: id.clone() }
}

/// A message as the server sends it, sent `n` minutes after [`START`].
pub fn message(sender: &str, n: i64, body: MessageBody) -> Message {
    let at = Timestamp(START + n * 60_000);
    Message {
        key: MessageKey::server(at, &at.0.to_string()),
        client_id: None,
        sender: person(sender),
        sender_name: None,
        at,
        version: at.0.unsigned_abs(),
        body,
        edited: None,
        edit_of: None,
        mentions_me: false,
        reactions: Vec::new(),
        delivery: Delivery::Sent,
    }
}

pub fn text(words: &str) -> MessageBody {
    MessageBody::Text(RichText::plain(words))
}

/// The chord of a key such as `ctrl-k`, `enter`, `x`, as the terminal reports it.
pub fn key(chord: &str) -> KeyEvent {
    Chord::parse(chord).expect("a chord").event()
}

/// An app in which someone else has a one-to-one chat with the user.
pub fn direct(name: &str) -> App {
    App::new().with_direct(name)
}

/// An app with a group of Anna (admin), Joe and Mia.
pub fn chat(topic: &str) -> App {
    App::new().with_group(topic)
}

pub struct App {
    pub model: Model,
    pub now: Now,
    resolver: Resolver,
    screen: Screen,
    theme: Theme,
    /// The chat that new messages go to.
    current: Option<ConversationId>,
    said: i64,
    effects: Vec<Effect>,
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// 80x24, online, without any chat.
    pub fn new() -> Self {
        Self::with_prefs(|_| {})
    }

    pub fn with_prefs(change: impl FnOnce(&mut Prefs)) -> Self {
        let keymap = builtin_keymap().expect("the built-in key table");
        let mut prefs = Prefs::plain(Arc::new(keymap));
        change(&mut prefs);
        let account = Account::new(AccountId::new(ACCOUNT), UserId::new(ME));
        let accounts = Accounts::new(account, Vec::new());
        let size = Size { columns: 80, rows: 24 };
        let now = Now { wall: Timestamp(START), mono: Duration::from_secs(1) };
        let table = include_str!("../../assets/theme.toml");
        let theme = Theme::new(table, ColorDepth::True, false).expect("the built-in theme");
        let mut app = Self {
            model: Model::new(prefs, accounts, size),
            now,
            resolver: Resolver::default(),
            screen: Screen::default(),
            theme,
            current: None,
            said: 0,
            effects: Vec::new(),
        };
        app.delta(Delta::Connection(ConnectionState::Online));
        let names = PEOPLE
            .map(|(_, id, name)| (UserId::new(id), NameSource::Profile, SafeText::line(name)));
        app.delta(Delta::Names(names.into()));
        app
    }

    pub fn sized(mut self, columns: u16, rows: u16) -> Self {
        self.resize(columns, rows);
        self
    }

    /// Draws with this many colors; with all of them, blinking text blinks.
    pub fn in_colors(mut self, depth: ColorDepth) -> Self {
        let table = include_str!("../../assets/theme.toml");
        let blink = depth == ColorDepth::True;
        self.theme = Theme::new(table, depth, blink).expect("the built-in theme");
        self
    }

    pub fn with_direct(self, name: &str) -> Self {
        let mut conversation = Conversation::empty(person(name).as_str().into());
        conversation.activity = Timestamp(1);
        self.with_conversation(conversation)
    }

    pub fn with_group(self, topic: &str) -> Self {
        let id = format!("19:{}@thread.skype", topic.to_lowercase().replace(' ', "-"));
        let mut conversation = Conversation::empty(id.as_str().into());
        conversation.topic = Some(SafeText::line(topic));
        conversation.activity = Timestamp(2);
        let mut app = self.with_conversation(conversation);
        let settings = ThreadSettings {
            topic: Some(SafeText::line(topic)),
            flags: [(ThreadFlag::JoiningEnabled, false), (ThreadFlag::HistoryDisclosed, true)]
                .into(),
            ..ThreadSettings::default()
        };
        app.delta(Delta::Settings { conversation: id.as_str().into(), settings });
        app.members(&[("anna", Role::Admin), ("joe", Role::User), ("mia", Role::User)])
    }

    /// With these members in the current group.
    pub fn members(mut self, roles: &[(&str, Role)]) -> Self {
        let conversation = self.current.clone().expect("a group");
        let members = roles
            .iter()
            .map(|(name, role)| Member { id: person(name), role: *role, ..Member::default() })
            .collect();
        self.delta(Delta::Members { conversation, members });
        self
    }

    /// With another chat, which the next messages go to.
    pub fn with_conversation(mut self, conversation: Conversation) -> Self {
        self.current = Some(conversation.id.clone());
        self.delta(Delta::Conversations(vec![conversation]));
        self
    }

    /// Someone says something, now.
    pub fn message(mut self, sender: &str, words: &str) -> Self {
        self.say(sender, words);
        self
    }

    pub fn say(&mut self, sender: &str, words: &str) {
        self.said += 1;
        let message = message(sender, self.said, text(words));
        self.messages(vec![message], Placement::Event);
    }

    /// Messages come in, in the current chat: live, or as a page of its history.
    pub fn messages(&mut self, messages: Vec<Message>, placement: Placement) {
        let is_event = placement == Placement::Event;
        let arrival = if is_event { Arrival::Live } else { Arrival::History };
        self.arrive(messages, placement, arrival);
    }

    pub fn arrive(&mut self, messages: Vec<Message>, placement: Placement, arrival: Arrival) {
        let conversation = self.current.clone().expect("a chat");
        self.delta(Delta::Messages { conversation, messages, placement, arrival });
    }

    /// Opens the current chat.
    pub fn opened(mut self) -> Self {
        let chat = self.current.as_ref().map(chat_ref).expect("a chat");
        self.model.open(&chat);
        self.effects.append(&mut self.model.app.effects);
        self
    }

    pub fn delta(&mut self, delta: Delta) {
        self.delta_of(ACCOUNT, delta);
    }

    /// Something comes from the sync of this account.
    pub fn delta_of(&mut self, account: &str, delta: Delta) {
        self.input(Input::Delta(Inbound { account: AccountId::new(account), delta }));
    }

    /// Adds an account of the same user, which is online.
    pub fn beside(mut self, account: &str) -> Self {
        let me = UserId::new(ME);
        self.model.app.accounts.add(Account::new(AccountId::new(account), me));
        self.delta_of(account, Delta::Connection(ConnectionState::Online));
        let names = PEOPLE
            .map(|(_, id, name)| (UserId::new(id), NameSource::Profile, SafeText::line(name)));
        self.delta_of(account, Delta::Names(names.into()));
        self
    }

    /// With a one-to-one chat in this account, which was active at `at`.
    pub fn with_direct_in(mut self, account: &str, name: &str, at: i64) -> Self {
        let mut conversation = Conversation::empty(person(name).as_str().into());
        conversation.activity = Timestamp(at);
        self.delta_of(account, Delta::Conversations(vec![conversation]));
        self
    }

    pub fn input(&mut self, input: Input) {
        let effects = update(&mut self.model, input, self.now);
        self.effects.extend(effects);
    }

    pub fn action(&mut self, action: Action) {
        self.input(Input::Action(action));
    }

    /// Time passes, and what is due happens.
    pub fn pass(&mut self, time: Duration) {
        self.now.mono += time;
        self.now.wall.0 += i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.input(Input::Deadline);
    }

    /// Presses keys, separated by spaces: `ctrl-k`, `enter`, `x`.
    pub fn press(&mut self, chords: &str) {
        for chord in chords.split_whitespace() {
            self.key(&key(chord));
        }
    }

    /// Types text letter by letter.
    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
    }

    fn key(&mut self, event: &KeyEvent) {
        if let Some(action) = self.model.key_action(&mut self.resolver, event) {
            self.action(action);
        }
        self.layout();
    }

    pub fn paste(&mut self, text: &str) {
        let text = text.to_owned();
        self.action(match self.model.context() {
            Context::Overlay => Action::Overlay(OverlayAction::Paste(text)),
            _ => Action::Compose(ComposeAction::Paste(text)),
        });
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.input(Input::Resize(Size { columns, rows }));
    }

    /// Derives a frame, and acts on what was found missing.
    pub fn layout(&mut self) {
        let wants = self.model.layout();
        if self.model.derived_box_only {
            self.derive_all_again();
        }
        for want in wants {
            self.input(Input::Want(want));
        }
    }

    /// A layout of only the message box must not leave anything behind that a full one would have changed.
    fn derive_all_again(&mut self) {
        let visible = |model: &Model| {
            let visible = &model.view.visible;
            let (list, messages) = (&visible.list, &visible.messages);
            (
                (visible.layout, visible.compose.clone(), visible.status.rows.clone()),
                (list.rows.clone(), list.below, visible.details.rows.clone()),
                (messages.rows.clone(), messages.rail.clone(), messages.day.clone()),
                (messages.below, messages.is_cut, messages.hint, messages.indent),
                model.dialog.is_some(),
            )
        };
        let before = visible(&self.model);
        let wants = self.model.layout_all();
        assert!(before == visible(&self.model), "more than the message box had changed");
        // What is in sight is reported again in every frame.
        let is_said = |want: &Want| matches!(want, Want::Seen { .. });
        assert!(wants.iter().all(is_said), "something is missing that was not asked for");
    }

    /// The screen as cells.
    pub fn buffer(&mut self) -> Buffer {
        self.layout();
        let size = self.model.view.size;
        let mut terminal =
            Terminal::new(TestBackend::new(size.columns, size.rows)).expect("in memory");
        self.draw(&mut terminal);
        terminal.backend().buffer().clone()
    }

    /// Draws the frame that was last laid out.
    pub fn draw(&mut self, terminal: &mut Terminal<TestBackend>) {
        let draw = |frame: &mut Frame<'_>| self.screen.draw(&self.model, &self.theme, frame);
        terminal.draw(draw).expect("in memory");
    }

    /// The screen as text, without spaces at the ends of its rows.
    pub fn screen(&mut self) -> String {
        rows_of(&self.buffer()).join("\n")
    }

    /// The screen, which must show this.
    pub fn expect(&mut self, text: &str) -> String {
        let screen = self.screen();
        assert!(screen.contains(text), "{text:?} is missing in\n{screen}");
        screen
    }

    /// The screen must not show this.
    pub fn expect_none(&mut self, text: &str) {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} stands in\n{screen}");
    }

    /// Whether a row of the screen has both texts.
    pub fn has_row(&mut self, label: &str, value: &str) -> bool {
        self.screen().lines().any(|line| line.contains(label) && line.contains(value))
    }

    /// A row of the screen must have both texts.
    pub fn expect_row(&mut self, label: &str, value: &str) {
        assert!(self.has_row(label, value), "{label}: {value} is missing in\n{}", self.screen());
    }

    /// What was copied since the last check.
    pub fn copied(&mut self) -> Vec<String> {
        let copied = self.effects().into_iter().filter_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text),
            _ => None,
        });
        copied.collect()
    }

    /// The open chat.
    pub fn open_chat(&self) -> &Chat {
        self.model.app.opened().expect("an open chat")
    }

    /// The effects since the last check.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The requests since the last check.
    pub fn requests(&mut self) -> Vec<Request> {
        let requests = self.effects().into_iter().filter_map(|effect| match effect {
            Effect::Request(outbound) => Some(outbound.request),
            _ => None,
        });
        requests.collect()
    }

    /// With another account of the same person, without any chat.
    pub fn with_account(mut self, id: &AccountId) -> Self {
        let known =
            self.model.app.accounts.iter().map(|a| Account::new(a.id.clone(), a.me.clone()));
        let mut accounts = known.chain([Account::new(id.clone(), UserId::new(ME))]);
        let first = accounts.next().expect("the first account");
        self.model.app.accounts = Accounts::new(first, accounts.collect());
        self
    }

    /// Answers the last request that carried a ticket.
    pub fn answer(&mut self, response: Response) {
        let requests = self.requests();
        let ticket = requests.iter().rev().find_map(ticket_of).expect("a request with a ticket");
        self.delta(Delta::Response { ticket, response });
    }
}

/// The ticket of a request that has one.
pub fn ticket_of(request: &Request) -> Option<Ticket> {
    match request {
        Request::Search { ticket, .. }
        | Request::Change { ticket, .. }
        | Request::Thread { ticket, .. }
        | Request::JoinUrl { ticket, .. }
        | Request::Create { ticket, .. }
        | Request::Resolve { ticket, .. }
        | Request::SignInCode { ticket }
        | Request::SignInApproval { ticket, .. }
        | Request::SignInTenant { ticket, .. }
        | Request::Source { ticket, .. }
        | Request::ExportedFile { ticket, .. }
        | Request::Download { ticket, .. }
        | Request::Neighbors { ticket, .. }
        | Request::Accounts { ticket, .. }
        | Request::Figures { ticket }
        | Request::Forget { ticket, .. }
        | Request::Statistics { ticket, .. } => Some(*ticket),
        _ => None,
    }
}

/// The rows of a screen as text, without spaces at their ends.
pub fn rows_of(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width).map(|row| {
        let cells = row.iter().map(ratatui::buffer::Cell::symbol);
        cells.collect::<String>().trim_end().to_owned()
    });
    rows.collect()
}
