//! The reducer under anything: what is typed stays where it was typed, and a clock that jumps changes nothing else.

use super::keymap::Keymap;
use super::*;
use crate::model::{
    Conversation, ConversationId, Delivery, Delta, Draft, Fault, Message, MessageBody, MessageKey,
    Page, Receipts, Request, RichText, SafeText, Timestamp, UserId,
};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const CHATS: [&str; 2] = ["8:xaver", "8:yvonne"];

fn model(grace: Duration) -> Model {
    let mut prefs = Prefs::plain(UserId::new("8:anna.7"), Arc::new(Keymap::default()));
    prefs.choices.ui.typing = true;
    prefs.choices.reading.receipts = Receipts::Auto;
    prefs.choices.sending.grace_seconds = grace.as_secs();
    let mut model = Model::new(prefs, Size { columns: 80, rows: 24 });
    let list = CHATS.map(|id| {
        let mut conversation = Conversation::empty(id.into());
        conversation.activity = Timestamp(1);
        conversation
    });
    update(&mut model, Input::Delta(Delta::Conversations(list.into())), Now::default());
    model
}

fn message(chat: &str, n: i64) -> Message {
    let at = Timestamp(1_700_000_000_000 + n);
    Message {
        key: MessageKey::server(at, &at.0.to_string()),
        client_id: None,
        sender: UserId::new(chat),
        sender_name: None,
        at,
        version: 1,
        body: MessageBody::Text(RichText::plain("from someone")),
        edited: None,
        edit_of: None,
        mentions_me: false,
        reactions: Vec::new(),
        delivery: Delivery::Sent,
    }
}

/// The letter that is only ever typed under a chat's prompt.
fn letter(chat: &ConversationId) -> char {
    if chat.as_str() == CHATS[0] { 'x' } else { 'y' }
}

/// What lies on the disk, as the requests say in their order.
#[derive(Default)]
struct Disk {
    drafts: HashMap<ConversationId, Draft>,
    outbox: Vec<(ConversationId, crate::model::ClientMessageId)>,
}

impl Disk {
    /// Takes requests in; gives what comes back to the program.
    fn take(&mut self, effects: Vec<Effect>) -> Result<Vec<Delta>, TestCaseError> {
        let mut answers = Vec::new();
        for effect in effects {
            let Effect::Request(request) = effect else { continue };
            let only = |chat: &ConversationId, text: &str| {
                let wrong = text.chars().find(|c| *c != letter(chat) && *c != '\n');
                prop_assert_eq!(wrong, None, "{:?} of {:?}", text, chat);
                Ok(())
            };
            match *request {
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
                    let result = if gone {
                        Ok(())
                    } else {
                        Err(Fault::new(crate::model::FaultKind::AlreadySent, "too late"))
                    };
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
    fn what_is_typed_to_someone_reaches_nobody_else(steps in proptest::collection::vec(0u8..16, 1..120)) {
        let mut model = model(Duration::from_secs(5));
        let mut disk = Disk::default();
        let mut mono = Duration::ZERO;
        for (n, step) in (0i64..).zip(steps) {
            mono += Duration::from_millis(130);
            let now = Now { wall: Timestamp(1_700_000_500_000 + n), mono };
            let open = model.app.open.clone();
            let action = |a| Input::Action(Action::Compose(a));
            let input = match step {
                0..=4 => match &open {
                    Some(chat) => action(ComposeAction::Insert(letter(chat))),
                    None => Input::Action(Action::List(ListAction::Next)),
                },
                5 => action(ComposeAction::Newline),
                6 | 7 => action(ComposeAction::Send),
                8 => Input::Action(Action::List(ListAction::Next)),
                9 => Input::Action(Action::List(ListAction::Previous)),
                10 => Input::Delta(Delta::Messages {
                    conversation: CHATS[usize::from(n % 2 == 0)].into(),
                    messages: vec![message(CHATS[usize::from(n % 2 == 0)], n)],
                    page: Page::Live,
                }),
                11 => action(ComposeAction::Undo),
                12 => Input::Action(Action::App(AppAction::Escape)),
                13 => Input::Deadline,
                14 => Input::Resize(Size { columns: 20 + u16::from(step), rows: 10 }),
                // Killed and started again: what is on the disk is all there is.
                _ => {
                    model = super::tests::model(Duration::from_secs(5));
                    let drafts = disk.drafts.iter().map(|(id, d)| (id.clone(), d.clone())).collect();
                    update(&mut model, Input::Delta(Delta::Drafts(drafts)), now);
                    disk.outbox.clear();
                    continue;
                }
            };
            let mut answers = disk.take(update(&mut model, input, now))?;
            while let Some(answer) = answers.pop() {
                let effects = update(&mut model, Input::Delta(answer), now);
                answers.extend(disk.take(effects)?);
            }
            model.view.layout(&model.app);
            for chat in CHATS.map(ConversationId::new) {
                let Some(c) = model.app.conversations.get(&chat) else { continue };
                prop_assert!(c.compose.text().chars().all(|l| l == letter(&chat) || l == '\n'));
            }
        }
    }

    /// A wall clock that jumps by years in both directions moves no message and no deadline.
    #[test]
    fn a_clock_that_jumps_changes_no_order_and_no_deadline(jumps in proptest::collection::vec(any::<i32>(), 1..30)) {
        let mut model = model(Duration::from_secs(5));
        let mut mono = Duration::from_secs(1);
        let mut sent = 0;
        for (n, jump) in (0i64..).zip(jumps) {
            mono += Duration::from_millis(50);
            let wall = Timestamp(1_700_000_000_000 + i64::from(jump) * 1_000_000);
            let now = Now { wall, mono };
            if n == 0 {
                update(&mut model, Input::Action(Action::List(ListAction::Next)), now);
            }
            update(&mut model, Input::Action(Action::Compose(ComposeAction::Insert('x'))), now);
            if n % 3 == 0 {
                update(&mut model, Input::Action(Action::Compose(ComposeAction::Send)), now);
                sent += 1;
            }
            update(&mut model, Input::Deadline, now);
            model.view.layout(&model.app);
            let due = model.app.next_deadline();
            prop_assert!(due.is_none_or(|due| due <= mono + Duration::from_secs(2 * 24 * 3600)), "{:?}", due);
        }
        let c = model.app.opened().unwrap();
        let keys: Vec<&MessageKey> = c.timeline.iter().map(|m| &m.key).collect();
        prop_assert_eq!(keys.len(), sent);
        let queue: Vec<u64> = keys.iter().map(|k| k.order).collect();
        prop_assert!(queue.windows(2).all(|pair| pair[0] < pair[1]), "in the order typed: {:?}", queue);
    }
}

#[test]
fn a_drafts_name_in_the_prompt_is_where_enter_sends_it() {
    let mut model = model(Duration::ZERO);
    let now = Now { wall: Timestamp(1_700_000_000_000), mono: Duration::from_secs(1) };
    update(&mut model, Input::Action(Action::List(ListAction::Next)), now);
    update(&mut model, Input::Action(Action::Compose(ComposeAction::Insert('x'))), now);
    model.view.layout(&model.app);
    let named = model.view.visible.compose.prompt.clone();
    let title = model.app.title(model.app.opened().unwrap());
    assert!(named.contains(title.as_str()), "{named}");
    let effects = update(&mut model, Input::Action(Action::Compose(ComposeAction::Send)), now);
    let to = effects.iter().find_map(|effect| match effect {
        Effect::Request(request) => match &**request {
            Request::Send { conversation, .. } => Some(conversation.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(to, model.app.open);
    assert_eq!(SafeText::line(&title), title);
}

fn page(chat: &str, numbers: std::ops::Range<i64>, page: Page) -> Input {
    let messages = numbers.map(|n| message(chat, n)).collect();
    Input::Delta(Delta::Messages { conversation: chat.into(), messages, page })
}

fn requests(effects: Vec<Effect>) -> Vec<Request> {
    let requests = effects.into_iter().filter_map(|effect| match effect {
        Effect::Request(request) => Some(*request),
        _ => None,
    });
    requests.collect()
}

fn opened(chat: &str) -> (Model, Now) {
    let mut model = model(Duration::ZERO);
    let now = Now { wall: Timestamp(1_700_000_000_000), mono: Duration::from_secs(1) };
    while model.app.open != Some(chat.into()) {
        update(&mut model, Input::Action(Action::List(ListAction::Next)), now);
    }
    (model, now)
}

fn numbers(model: &Model) -> Vec<i64> {
    model.app.opened().unwrap().timeline.iter().map(|m| m.at.0 - 1_700_000_000_000).collect()
}

#[test]
fn before_an_unsent_message_nothing_is_asked_for() {
    let (mut model, now) = opened(CHATS[0]);
    update(&mut model, Input::Action(Action::Compose(ComposeAction::Insert('x'))), now);
    update(&mut model, Input::Action(Action::Compose(ComposeAction::Send)), now);
    let asked = requests(update(&mut model, Input::Want(view::Want::Older(CHATS[0].into())), now));
    assert_eq!(asked, []);
    update(&mut model, page(CHATS[0], 50..60, Page::Newest), now);
    let asked = requests(update(&mut model, Input::Want(view::Want::Older(CHATS[0].into())), now));
    assert!(
        matches!(&asked[..], [Request::Older { before, .. }] if !before.is_unsent()),
        "{asked:?}"
    );
}

#[test]
fn a_page_that_comes_late_is_not_put_beside_another_window() {
    let (mut model, now) = opened(CHATS[0]);
    let chat = ConversationId::new(CHATS[0]);
    update(&mut model, page(CHATS[0], 900..910, Page::Newest), now);
    let place = message(CHATS[0], 100).key;
    on_history::go_to(&mut model, &place);
    let effects = std::mem::take(&mut model.app.effects);
    assert!(matches!(&requests(effects)[..], [Request::Around { .. }]));
    // An answer for another place is not the one.
    let around = |n: i64| Page::Around {
        place: (&message(CHATS[0], n).key).into(),
        reached_start: false,
        at_end: false,
    };
    update(&mut model, page(CHATS[0], 200..203, around(200)), now);
    assert_eq!(numbers(&model), (900..910).collect::<Vec<_>>());
    update(&mut model, page(CHATS[0], 98..103, around(100)), now);
    assert_eq!(numbers(&model), (98..103).collect::<Vec<_>>());
    update(&mut model, Input::Want(view::Want::Older(chat.clone())), now);
    // Back at the newest end, the older page of the past arrives.
    update(&mut model, Input::Action(Action::App(AppAction::Escape)), now);
    update(&mut model, Input::Action(Action::App(AppAction::Escape)), now);
    update(&mut model, page(CHATS[0], 900..910, Page::Newest), now);
    let late = Page::Older { before: (&message(CHATS[0], 98).key).into(), reached_start: false };
    update(&mut model, page(CHATS[0], 90..98, late), now);
    assert_eq!(numbers(&model), (900..910).collect::<Vec<_>>());
}

#[test]
fn what_arrives_while_the_past_is_read_is_fetched_before_the_window_is_called_live() {
    let (mut model, now) = opened(CHATS[0]);
    let chat = ConversationId::new(CHATS[0]);
    update(&mut model, page(CHATS[0], 900..910, Page::Newest), now);
    on_history::go_to(&mut model, &message(CHATS[0], 100).key);
    model.app.effects.clear();
    let place = (&message(CHATS[0], 100).key).into();
    let around = Page::Around { place, reached_start: false, at_end: false };
    update(&mut model, page(CHATS[0], 98..103, around), now);
    update(&mut model, Input::Want(view::Want::Newer(chat.clone())), now);
    update(&mut model, page(CHATS[0], 911..912, Page::Live), now);
    // Read before the last one was stored, told after it.
    let newer = Page::Newer { after: (&message(CHATS[0], 102).key).into(), at_end: true };
    update(&mut model, page(CHATS[0], 103..105, newer), now);
    assert_eq!(numbers(&model), (98..105).collect::<Vec<_>>());
    let asked = requests(update(&mut model, Input::Want(view::Want::Newer(chat)), now));
    assert!(matches!(&asked[..], [Request::Newer { .. }]), "{asked:?}");
    let newer = Page::Newer { after: (&message(CHATS[0], 104).key).into(), at_end: true };
    update(&mut model, page(CHATS[0], 911..912, newer), now);
    assert_eq!(model.app.opened().unwrap().paging.window, chat::Window::Live);
}
