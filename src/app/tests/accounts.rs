//! Several accounts at once: the list, the top bar, finding chats, and that nothing is sent through the wrong account.

use crate::app::view::RowAccount;
use crate::app::{Action, AppAction, ComposeAction, Effect, Input, ListAction};
use crate::fixture::{ACCOUNT, App, person};
use crate::model::{
    AccountId, ChatRef, ConnectionState, Delta, Outbound, Request, SafeText, SignInWay, Unread,
};
use proptest::prelude::*;

const WORK: &str = "work";

/// Two accounts with chats: the oldest one at home with Joe, then one at work with Mia, then one at home with Yan.
fn two() -> App {
    App::new()
        .beside(WORK)
        .with_direct_in(ACCOUNT, "joe", 1_000)
        .with_direct_in(WORK, "mia", 2_000)
        .with_direct_in(ACCOUNT, "8:yan", 3_000)
}

fn unread(app: &mut App, account: &str, name: &str, messages: u32) {
    let conversation = person(name).as_str().into();
    let unread = Unread { messages, mentions: 0 };
    app.delta_of(account, Delta::Unread { conversation, unread, read_marker: None });
}

/// The first words of the rows of the list, headings included.
fn list(app: &mut App) -> Vec<String> {
    let wide = app.screen();
    let rows = wide.lines().skip(1).map(|line| line.chars().take(22).collect::<String>());
    let first = |row: String| row.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    rows.map(first).filter(|words| !words.is_empty()).take(5).collect()
}

fn reference(account: &str, name: &str) -> ChatRef {
    let conversation = person(name).as_str().into();
    ChatRef { account: AccountId::new(account), conversation }
}

#[test]
fn each_account_has_a_section_and_a_key_lists_all_chats_by_activity() {
    let mut app = two();
    let by_account = list(&mut app);
    assert_eq!(by_account[..5], ["● home", "yan 1970", "Joe Bloggs", "● work", "Mia Tan"]);
    app.press("ctrl-x o");
    let by_activity = list(&mut app);
    assert_eq!(by_activity[..3], ["yan home", "Mia Tan", "Joe Blog…"]);
    app.press("ctrl-x o");
    assert_eq!(list(&mut app)[0], "● home");
}

#[test]
fn with_one_account_there_are_no_sections() {
    let mut app = App::new().with_direct("joe");
    assert_eq!(list(&mut app)[0], "Joe Bloggs");
    app.press("ctrl-x o");
    app.expect("There is only one account");
}

#[test]
fn the_order_by_activity_stands_still_while_the_list_has_the_focus() {
    let mut app = two();
    app.press("ctrl-x o");
    app.input(Input::Action(Action::App(AppAction::FocusNext)));
    let before = list(&mut app);
    let mut app = app.with_direct_in(WORK, "mia", 9_000);
    assert_eq!(list(&mut app), before);
    app.press("esc");
    assert_eq!(list(&mut app)[0], "Mia Tan");
}

#[test]
fn a_marked_chat_stays_in_sight_between_headings() {
    let mut app = (0..30).fold(App::new().beside(WORK).sized(80, 12), |app, n| {
        let account = if n < 15 { ACCOUNT } else { WORK };
        app.with_direct_in(account, &format!("8:person{n:02}"), 1_000 - n)
    });
    app.input(Input::Action(Action::App(AppAction::FocusNext)));
    for n in 0..30 {
        app.input(Input::Action(Action::List(ListAction::Down)));
        app.model.layout();
        let rows = &app.model.view.visible.list.rows;
        assert!(rows.iter().any(|row| row.marked), "step {n}: {rows:?}");
        assert!(
            rows.first().is_some_and(|row| matches!(row.account, RowAccount::Heading(_))),
            "step {n}"
        );
    }
}

#[test]
fn the_top_bar_has_the_unread_messages_of_each_account() {
    let mut app = two();
    unread(&mut app, WORK, "mia", 12);
    unread(&mut app, ACCOUNT, "joe", 3);
    app.expect("●home 3 ●work 12");
    let why = SafeText::line("the server cannot be reached");
    let (wait, attempt) = (std::time::Duration::from_secs(9), 1);
    app.delta_of(
        WORK,
        Delta::Connection(ConnectionState::Waiting { wait, attempt, why, asked: false }),
    );
    app.expect("●home 3 ○work 12");
    app.expect("live");
}

#[test]
fn a_chat_and_what_ctrl_k_finds_are_named_with_their_account() {
    let mut app = two().with_direct_in(ACCOUNT, "mia", 500);
    app.model.open(&reference(WORK, "mia"));
    app.expect("Mia Tan · work");
    app.model.open(&reference(ACCOUNT, "joe"));
    app.press("ctrl-k m i a");
    let screen = app.screen();
    let found: Vec<&str> =
        screen.lines().filter(|line| line.contains("Mia Tan") && line.contains('│')).collect();
    assert!(found.iter().any(|line| line.trim_end().contains("home")), "{screen}");
    assert!(found.iter().any(|line| line.trim_end().contains("work")), "{screen}");
}

#[test]
fn an_id_starts_a_chat_in_either_account() {
    let mut app = two();
    app.model.open(&reference(ACCOUNT, "joe"));
    app.press("ctrl-k");
    app.type_text("8:new.person");
    app.press("down enter");
    let opened = app.model.app.open.clone().expect("a chat");
    assert_eq!(opened, reference(WORK, "8:new.person"));
}

#[test]
fn signing_in_begins_with_the_account_that_is_signed_out() {
    let mut app = two();
    app.model.open(&reference(ACCOUNT, "joe"));
    let (why, way) = (SafeText::line("the sign-in has ended"), SignInWay::Personal);
    app.delta_of(WORK, Delta::Connection(ConnectionState::SignedOut { why, way }));
    app.press("ctrl-x s enter");
    app.effects();
    app.press("y");
    let asked = app.effects().into_iter().find_map(|effect| match effect {
        Effect::Request(outbound) => Some(outbound.account.clone()),
        _ => None,
    });
    assert_eq!(asked, Some(AccountId::new(WORK)));
}

/// Every account has chats with the same two people, so that chats differ only in their account.
fn chats() -> Vec<ChatRef> {
    let accounts = [ACCOUNT, WORK, "club"];
    let people = ["8:xaver", "8:yvonne"];
    accounts.iter().flat_map(|a| people.iter().map(|p| reference(a, p))).collect()
}

/// The letter that is only ever typed in this chat.
fn letter(chat: &ChatRef) -> char {
    let at = chats().iter().position(|c| c == chat).unwrap_or(usize::MAX);
    ['a', 'b', 'c', 'd', 'e', 'f'].get(at).copied().unwrap_or('?')
}

/// The text that a request carries, if it is one of the open chat.
fn carried(outbound: &Outbound) -> Option<(ChatRef, String)> {
    let (conversation, text) = match &outbound.request {
        Request::Send { conversation, outgoing, .. } => (conversation, outgoing.text.clone()),
        Request::SaveDraft { conversation, draft } => (conversation, draft.text.clone()),
        _ => return None,
    };
    let account = outbound.account.clone();
    Some((ChatRef { account, conversation: conversation.clone() }, text))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// In accounts whose chats have the same ids, text typed in one account is only sent through that account.
    #[test]
    fn what_is_typed_in_one_account_leaves_through_no_other(
        steps in proptest::collection::vec(0u8..14, 1..150),
    ) {
        let mut app = App::new().beside(WORK).beside("club");
        for (n, chat) in (0i64..).zip(chats()) {
            app = app.with_direct_in(chat.account.as_str(), chat.conversation.as_str(), 1_000 - n);
        }
        app.effects();
        for (n, step) in (0i64..).zip(steps) {
            let open = app.model.app.open.clone();
            match step {
                0..=4 => {
                    if let Some(chat) = &open {
                        let insert = ComposeAction::Insert(letter(chat));
                        app.input(Input::Action(Action::Compose(insert)));
                    }
                }
                5 | 6 => app.input(Input::Action(Action::Compose(ComposeAction::Send))),
                7 => app.input(Input::Action(Action::List(ListAction::Next))),
                8 => app.input(Input::Action(Action::List(ListAction::Previous))),
                9 => app.press("ctrl-x o"),
                10 => {
                    app.press("ctrl-k");
                    app.type_text(if n % 2 == 0 { "xaver" } else { "yvonne" });
                    app.press("down enter");
                }
                11 => app.input(Input::Action(Action::Compose(ComposeAction::Undo))),
                12 => app.input(Input::Action(Action::App(AppAction::Escape))),
                _ => {
                    let all = chats();
                    if let Some(chat) = all.get(usize::try_from(n).unwrap_or(0) % all.len()) {
                        let (account, id) = (chat.account.clone(), chat.conversation.clone());
                        app = app.with_direct_in(account.as_str(), id.as_str(), 2_000 + n);
                    }
                }
            }
            for effect in app.effects() {
                let Effect::Request(outbound) = effect else { continue };
                let Some((chat, text)) = carried(&outbound) else { continue };
                let wrong = text.chars().find(|c| *c != letter(&chat));
                prop_assert_eq!(wrong, None, "{:?} of {:?}", text, chat);
            }
        }
    }
}
