//! Properties of the reducer for any input: text stays where it was typed, and clock jumps have no other effects.

use crate::app::view::layout::Size;
use crate::app::{Action, AppAction, ComposeAction, Effect, Input, ListAction, next_deadline};
use crate::fixture::{self, App};
use crate::model::{
    Arrival, ClientMessageId, ConversationId, Delivery, Delta, Draft, Fault, FaultKind, Inbound,
    Message, MessageKey, Placement, Receipts, Request, Timestamp,
};
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

const CHATS: [&str; 2] = ["8:xaver", "8:yvonne"];

fn app(grace_seconds: u64) -> App {
    let app = App::with_prefs(|prefs| {
        prefs.choices.ui.typing = true;
        prefs.choices.reading.receipts = Receipts::Auto;
        prefs.choices.sending.grace_seconds = grace_seconds;
    });
    CHATS.iter().fold(app, |app, chat| app.with_direct(chat))
}

fn message(chat: &str, n: i64) -> Message {
    let at = Timestamp(fixture::START + n);
    Message {
        key: MessageKey::server(at, &at.0.to_string()),
        at,
        version: 1,
        ..fixture::message(chat, 0, fixture::text("from someone"))
    }
}

/// The letter that is only ever typed under a chat's prompt.
fn letter(chat: &ConversationId) -> char {
    if chat.as_str() == CHATS[0] { 'x' } else { 'y' }
}

/// The state of the disk after the requests, in order.
#[derive(Default)]
struct Disk {
    drafts: HashMap<ConversationId, Draft>,
    outbox: Vec<(ConversationId, ClientMessageId)>,
}

impl Disk {
    /// Carries out requests; returns the answers to the program.
    fn take(&mut self, effects: Vec<Effect>) -> Result<Vec<Delta>, TestCaseError> {
        let mut answers = Vec::new();
        for effect in effects {
            let Effect::Request(request) = effect else { continue };
            let only = |chat: &ConversationId, text: &str| {
                let wrong = text.chars().find(|c| *c != letter(chat) && *c != '\n');
                prop_assert_eq!(wrong, None, "{:?} of {:?}", text, chat);
                Ok(())
            };
            match request.request {
                Request::SaveDraft { conversation, draft } => {
                    only(&conversation, &draft.text)?;
                    self.drafts.insert(conversation, draft);
                }
                Request::Send { conversation, client_id, outgoing } => {
                    only(&conversation, &outgoing.text)?;
                    self.drafts.remove(&conversation);
                    self.outbox.push((conversation.clone(), client_id.clone()));
                    let delivery = Delivery::Held;
                    answers.push(Delta::Delivery { conversation, client_id, delivery, sent: None });
                }
                Request::Discard { conversation, client_id, draft } => {
                    let before = self.outbox.len();
                    self.outbox.retain(|(_, id)| *id != client_id);
                    let gone = self.outbox.len() < before;
                    if let Some(draft) = draft.filter(|_| gone) {
                        only(&conversation, &draft.text)?;
                        self.drafts.insert(conversation.clone(), draft);
                    }
                    let late = || Err(Fault::new(FaultKind::AlreadySent, "too late"));
                    let result = if gone { Ok(()) } else { late() };
                    answers.push(Delta::Discarded { conversation, client_id, result });
                }
                _ => {}
            }
        }
        Ok(answers)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Text typed while X was named in the prompt is only ever in X's draft, X's outbox or X's timeline.
    #[test]
    fn text_typed_to_one_person_reaches_no_one_else(steps in proptest::collection::vec(0u8..16, 1..120)) {
        let mut app = app(5);
        app.effects();
        let mut disk = Disk::default();
        for (n, step) in (0i64..).zip(steps) {
            app.now.mono += Duration::from_millis(130);
            app.now.wall = Timestamp(fixture::START + 500_000 + n);
            let open = app.model.app.open.clone();
            let action = |a| Input::Action(Action::Compose(a));
            let input = match step {
                0..=4 => match &open {
                    Some(chat) => action(ComposeAction::Insert(letter(&chat.conversation))),
                    None => Input::Action(Action::List(ListAction::Next)),
                },
                5 => action(ComposeAction::Newline),
                6 | 7 => action(ComposeAction::Send),
                8 => Input::Action(Action::List(ListAction::Next)),
                9 => Input::Action(Action::List(ListAction::Previous)),
                10 => {
                    let chat = CHATS[usize::from(n % 2 == 0)];
                    let (conversation, messages) = (chat.into(), vec![message(chat, n)]);
                    let (placement, arrival) = (Placement::Event, Arrival::Live);
                    inbound(Delta::Messages { conversation, messages, placement, arrival })
                }
                11 => action(ComposeAction::Undo),
                12 => Input::Action(Action::App(AppAction::Escape)),
                13 => Input::Deadline,
                14 => Input::Resize(Size { columns: 20 + u16::from(step), rows: 10 }),
                // Killed and started again: only the state of the disk is left.
                _ => {
                    let now = app.now;
                    app = super::any_order::app(5);
                    app.now = now;
                    let drafts = disk.drafts.iter().map(|(id, d)| (id.clone(), d.clone())).collect();
                    app.delta(Delta::Drafts(drafts));
                    app.effects();
                    disk.outbox.clear();
                    continue;
                }
            };
            app.input(input);
            let mut answers = disk.take(app.effects())?;
            while let Some(answer) = answers.pop() {
                app.delta(answer);
                answers.extend(disk.take(app.effects())?);
            }
            app.model.layout();
            for c in app.model.app.accounts.chats() {
                let own = letter(&c.info.id);
                prop_assert!(c.composer.text().chars().all(|l| l == own || l == '\n'));
            }
        }
    }

    /// A wall clock that jumps by years in both directions moves no message and no deadline.
    #[test]
    fn a_clock_that_jumps_changes_no_order_and_no_deadline(jumps in proptest::collection::vec(any::<i32>(), 1..30)) {
        let mut app = app(5);
        app.press("alt-down");
        let mut sent = 0;
        for (n, jump) in (0i64..).zip(jumps) {
            app.now.mono += Duration::from_millis(50);
            app.now.wall = Timestamp(fixture::START + i64::from(jump) * 1_000_000);
            app.press("x");
            if n % 3 == 0 {
                app.press("enter");
                sent += 1;
            }
            app.input(Input::Deadline);
            let due = next_deadline(&app.model.app);
            let latest = app.now.mono + Duration::from_secs(2 * 24 * 3600);
            prop_assert!(due.is_none_or(|due| due <= latest), "{:?}", due);
        }
        let keys: Vec<&MessageKey> = app.open_chat().timeline.iter().map(|m| &m.key).collect();
        prop_assert_eq!(keys.len(), sent);
        let queue: Vec<u64> = keys.iter().map(|k| k.order).collect();
        prop_assert!(queue.windows(2).all(|pair| pair[0] < pair[1]), "in the order typed: {:?}", queue);
    }
}

fn inbound(delta: Delta) -> Input {
    Input::Delta(Inbound { account: crate::model::AccountId::new(fixture::ACCOUNT), delta })
}

#[test]
fn a_drafts_name_in_the_prompt_is_where_enter_sends_it() {
    let mut app = app(0);
    app.press("alt-down x");
    let named = app.model.view.visible.compose.prompt.clone();
    let chat = app.open_chat();
    let title = app.model.app.accounts.of(chat).title(chat);
    let open = chat.info.id.clone();
    assert!(named.contains(title.as_str()), "{named}");
    app.press("enter");
    let sent = app.requests().into_iter().find_map(|request| match request {
        Request::Send { conversation, .. } => Some(conversation),
        _ => None,
    });
    assert_eq!(sent, Some(open));
}
