//! Archives on the screen: the source of a message, its file, and a search through all accounts.

use crate::app::Effect;
use crate::fixture::{App, START, direct, message, text, ticket_of};
use crate::model::search::Hit;
use crate::model::{
    AccountId, Arrival, ChatRef, Conversation, Delta, ExportedFile, Fault, FaultKind, Findings,
    ImportNews, ImportOrigin, ImportProgress, Inbound, Media, MediaKind, Message, MessageBody,
    MessageKey, MessageSource, Placement, Request, Response, SafeText, Timestamp,
};

fn archive() -> AccountId {
    AccountId::of_archive("live-anna")
}

fn of_archive(app: &mut App, delta: Delta) {
    app.input(crate::app::Input::Delta(Inbound { account: archive(), delta }));
}

/// An app with an archive whose only chat is open and has these messages.
fn in_archive(messages: Vec<Message>) -> App {
    let mut app = App::new().with_account(&archive()).sized(100, 30);
    let mut conversation = Conversation::empty("8:joe.4".into());
    conversation.activity = Timestamp(START);
    let id = conversation.id.clone();
    of_archive(&mut app, Delta::Conversations(vec![conversation]));
    app.model.open(&ChatRef { account: archive(), conversation: id.clone() });
    let (placement, arrival) = (Placement::Newest, Arrival::History);
    of_archive(&mut app, Delta::Messages { conversation: id, messages, placement, arrival });
    app.layout();
    app.requests();
    app
}

fn picture(exported: ExportedFile) -> Message {
    let media = Media {
        kind: MediaKind::Image,
        name: SafeText::line("bread.jpg"),
        bytes: None,
        seconds: None,
        link: None,
        object: None,
        exported,
    };
    message("joe", 1, MessageBody::Media(media))
}

#[test]
fn the_details_of_a_message_name_the_export_it_came_from() {
    let mut app = in_archive(vec![message("joe", 1, text("hi"))]);
    app.press("ctrl-up v");
    let origin = ImportOrigin {
        archive: None,
        file: SafeText::line("/home/anna/8_live_anna_export.tar"),
        imported_at: Timestamp(START),
    };
    app.answer(Response::Source(MessageSource { items: Vec::new(), origin: Some(origin) }));
    app.expect_row("archive", "live-anna");
    app.expect_row("export", "/home/anna/8_live_anna_export.tar");
    app.expect_row("imported", "14 November 2023 22:13");
}

#[test]
fn a_file_of_the_export_is_opened_after_a_question() {
    let mut app = in_archive(vec![picture(ExportedFile::Here)]);
    app.expect("bread.jpg · in the export");
    app.press("ctrl-up o");
    app.expect("Open this file of the export?");
    assert_eq!(app.requests(), [], "nothing is copied before the answer");
    app.press("enter");
    app.answer(Response::FileCopy(Ok(SafeText::line("/tmp/skchat-1/0-weu-d3-ab.jpeg"))));
    let opened = Effect::OpenUrl(SafeText::line("/tmp/skchat-1/0-weu-d3-ab.jpeg"));
    assert!(app.effects().contains(&opened));
    app.press("ctrl-up o enter");
    let fault = Fault::new(FaultKind::NotFound, "the export was moved or deleted");
    app.answer(Response::FileCopy(Err(fault)));
    app.expect("Not opened: the export was moved or deleted");
}

#[test]
fn a_file_that_is_not_there_says_why() {
    for (state, word) in [
        (ExportedFile::Missing, "not in the export"),
        (ExportedFile::Expired, "expired"),
        (ExportedFile::Moved, "the export was moved or deleted"),
    ] {
        let mut app = in_archive(vec![picture(state)]);
        app.expect(&format!("bread.jpg · {word}"));
        app.press("ctrl-up o");
        app.expect(&format!("This file cannot be opened: {word}"));
        assert_eq!(app.requests(), []);
    }
}

fn hit(at: i64, words: &str) -> Hit {
    let key = MessageKey::server(Timestamp(at), &at.to_string());
    Hit::new("8:joe.4".into(), key, "8:joe.4".into(), words, &["oven".to_owned()])
}

fn found(hits: Vec<Hit>) -> Response {
    Response::Found(Ok(Findings { hits, ..Findings::default() }))
}

/// The requests to sync, each with the account that it goes to.
fn asked_of_accounts(app: &mut App) -> Vec<(AccountId, Request)> {
    let effects = app.effects().into_iter();
    let asked = effects.filter_map(|effect| match effect {
        Effect::Request(outbound) => Some((outbound.account.clone(), outbound.request)),
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_search_everywhere_looks_through_archives_too_and_opens_the_hit_where_it_is() {
    let mut app = direct("joe").with_account(&archive()).sized(100, 30);
    app.press("ctrl-r");
    app.type_text("oven");
    let asked = asked_of_accounts(&mut app);
    let ticket = |of_archive: bool| {
        let mut mine = asked.iter().rev().filter(|(id, _)| id.archive().is_some() == of_archive);
        mine.find_map(|(_, request)| ticket_of(request)).unwrap()
    };
    let live =
        Delta::Response { ticket: ticket(false), response: found(vec![hit(START, "new oven")]) };
    app.delta(live);
    app.expect("new oven");
    let old = found(vec![hit(1_300_000_000_000, "old oven")]);
    of_archive(&mut app, Delta::Response { ticket: ticket(true), response: old });
    let screen = app.expect("old oven");
    let row = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
    assert!(row("new oven") < row("old oven"), "newest first:\n{screen}");
    app.expect("· archive");
    app.press("down enter");
    assert_eq!(app.model.app.open.as_ref().map(|open| open.account.clone()), Some(archive()));
    let place = app.requests().into_iter().find_map(|request| match request {
        Request::Around { key, .. } => Some(key.at),
        _ => None,
    });
    assert_eq!(place, Some(Timestamp(1_300_000_000_000)));
}

#[test]
fn a_name_that_one_account_knows_is_searched_there_and_one_that_none_knows_is_said() {
    let mut app = direct("joe").with_account(&archive()).sized(100, 30);
    let names =
        vec![("8:old.1".into(), crate::model::NameSource::Message, SafeText::line("Oldrich"))];
    of_archive(&mut app, Delta::Names(names));
    app.press("ctrl-r");
    app.type_text("from:oldrich");
    let asked = app.effects().into_iter().rev().find_map(|effect| match effect {
        Effect::Request(outbound) if matches!(outbound.request, Request::Search { .. }) => {
            Some(outbound.account.clone())
        }
        _ => None,
    });
    assert_eq!(asked, Some(archive()));
    app.press("ctrl-u");
    app.type_text("from:nobody");
    app.expect("from: there is no person called \"nobody\"");
}

fn import_news(app: &mut App, news: ImportNews) {
    of_archive(app, Delta::Import(news));
}

#[test]
fn an_export_is_imported_from_the_palette_with_progress_and_a_report() {
    let mut app = direct("joe").sized(100, 30);
    app.press("alt-x");
    app.type_text("import an export");
    app.press("enter");
    app.expect("Path of the .tar");
    app.press("enter");
    app.expect_none("Path of the .tar");
    app.press("ctrl-x i");
    app.type_text("/tmp/export.tar");
    app.press("enter");
    let asked = Request::Import { path: "/tmp/export.tar".to_owned() };
    assert!(app.requests().contains(&asked));
    app.expect("Looking at the export");
    app.pass(std::time::Duration::from_secs(3));
    let progress = ImportProgress { read: 450, size: 1_000, messages: 450_000 };
    import_news(&mut app, ImportNews::Progress(progress));
    app.expect("45 %  450,000 messages  150,000 a second  about 3 s left");
    app.press("x");
    assert!(app.requests().contains(&Request::CancelImport));
    // The new account arrives before the report.
    of_archive(&mut app, Delta::Joined { me: crate::fixture::person("anna") });
    let mut conversation = Conversation::empty("8:old.1".into());
    conversation.activity = Timestamp(START);
    of_archive(&mut app, Delta::Conversations(vec![conversation]));
    import_news(
        &mut app,
        ImportNews::Done("Archive live-anna\n9 messages in 1 conversations\n".into()),
    );
    app.expect("9 messages in 1 conversations");
    app.press("esc");
    app.expect("old.1");
}

#[test]
fn a_hidden_import_says_when_it_has_ended_and_can_be_looked_at_again() {
    let mut app = direct("joe").sized(100, 30);
    app.press("ctrl-x i");
    app.type_text("/tmp/a");
    app.press("enter esc");
    app.press("ctrl-x i");
    app.expect("Looking at the export");
    app.press("esc");
    import_news(&mut app, ImportNews::Done("Archive a\n9 messages in 1 conversations\n".into()));
    app.expect("Imported: 9 messages in 1 conversations");
    app.press("ctrl-x i");
    app.type_text("/tmp/none");
    app.press("enter");
    import_news(&mut app, ImportNews::Failed("/tmp/none cannot be read".into()));
    app.expect("Not imported: /tmp/none cannot be read");
}

/// An app with a chat with Joe, and an archive of `owner` that has such a chat, too.
fn joined(owner: &str) -> App {
    let mut app = direct("joe").message("joe", "the newest").opened().sized(100, 30);
    of_archive(&mut app, Delta::Joined { me: crate::fixture::person(owner) });
    let mut conversation = Conversation::empty("8:joe.4".into());
    conversation.activity = Timestamp(1_300_000_000_000);
    of_archive(&mut app, Delta::Conversations(vec![conversation]));
    app
}

fn archived_chat() -> ChatRef {
    ChatRef { account: archive(), conversation: "8:joe.4".into() }
}

#[test]
fn a_chat_and_the_archive_of_its_earlier_years_are_one_row_that_is_marked() {
    let mut app = joined("anna");
    app.expect_row("Joe Bloggs", "▤");
    let screen = app.screen();
    assert_eq!(screen.matches("▤").count(), 1, "{screen}");
    assert_eq!(app.model.app.shown_chats().count(), 1);
    app.model.open(&archived_chat());
    assert!(!app.model.app.is_in_archive(), "the chat that can be written in is opened");
    app.press("ctrl-k");
    app.type_text("joe");
    let screen = app.expect("with archive");
    assert_eq!(screen.matches("archive").count(), 1, "{screen}");
}

#[test]
fn a_one_to_one_chat_of_another_person_stays_one_of_its_own_and_a_group_does_not() {
    let mut app = joined("mia");
    assert_eq!(app.model.app.shown_chats().count(), 2);
    app.model.open(&archived_chat());
    assert!(app.model.app.is_in_archive());
    let mut app = crate::fixture::chat("Bread").opened();
    of_archive(&mut app, Delta::Joined { me: crate::fixture::person("mia") });
    let mut conversation = Conversation::empty("19:bread@thread.skype".into());
    conversation.activity = Timestamp(1_300_000_000_000);
    of_archive(&mut app, Delta::Conversations(vec![conversation]));
    assert_eq!(app.model.app.shown_chats().count(), 1);
}

#[test]
fn an_archive_of_a_chat_whose_history_was_deleted_stays_in_the_list() {
    let mut app = joined("anna");
    let mut conversation = Conversation::empty("8:joe.4".into());
    (conversation.activity, conversation.version) = (Timestamp(START), 9);
    conversation.cleared_at = Some(Timestamp(START));
    app.delta(Delta::Conversations(vec![conversation]));
    assert_eq!(app.model.app.shown_chats().count(), 2);
    app.model.open(&archived_chat());
    assert!(app.model.app.is_in_archive());
}

#[test]
fn an_archive_that_joins_later_goes_on_above_the_start_of_the_chat() {
    let mut app = direct("joe").message("joe", "the newest").opened().sized(100, 30);
    app.layout();
    let first = app.open_chat().start().unwrap();
    let reached = Placement::Older { before: (&first).into(), reached_start: true };
    app.messages(Vec::new(), reached);
    app.layout();
    app.requests();
    of_archive(&mut app, Delta::Joined { me: crate::fixture::person("anna") });
    let mut conversation = Conversation::empty("8:joe.4".into());
    conversation.activity = Timestamp(1_300_000_000_000);
    of_archive(&mut app, Delta::Conversations(vec![conversation]));
    app.layout();
    let asks = |request: &Request| matches!(request, Request::Older { .. });
    assert!(app.requests().iter().any(asks));
    let old = Message { sender: "8:old.1".into(), ..message("joe", -9_000_000, text("long ago")) };
    app.messages(vec![old], Placement::Older { before: (&first).into(), reached_start: true });
    app.expect("long ago");
    let names =
        vec![("8:old.1".into(), crate::model::NameSource::Message, SafeText::line("Oldrich"))];
    of_archive(&mut app, Delta::Names(names));
    assert_eq!(&*app.model.app.current_account().name(&"8:old.1".into()), "Oldrich");
}

#[test]
fn a_hit_of_the_archive_opens_in_the_chat_that_goes_on_with_it_also_from_a_search_there() {
    for here in [false, true] {
        let mut app = joined("anna");
        app.press(if here { "ctrl-r tab" } else { "ctrl-r" });
        app.type_text("oven");
        let asked = asked_of_accounts(&mut app);
        for of_archived in [false, true] {
            let mut mine =
                asked.iter().rev().filter(|(id, _)| id.archive().is_some() == of_archived);
            let ticket = mine.find_map(|(_, request)| ticket_of(request)).unwrap();
            let hits =
                if of_archived { vec![hit(1_300_000_000_000, "old oven")] } else { Vec::new() };
            let delta = Delta::Response { ticket, response: found(hits) };
            if of_archived { of_archive(&mut app, delta) } else { app.delta(delta) }
        }
        app.expect("old oven");
        app.press("enter");
        assert!(!app.model.app.is_in_archive());
        let asked = app.effects().into_iter().find_map(|effect| match effect {
            Effect::Request(outbound) => match outbound.request {
                Request::Around { key, .. } => Some((outbound.account.clone(), key.at.0)),
                _ => None,
            },
            _ => None,
        });
        let home = AccountId::new(crate::fixture::ACCOUNT);
        assert_eq!(asked, Some((home, 1_300_000_000_000)), "here: {here}");
    }
}

#[test]
fn the_details_of_a_message_say_whether_it_is_of_the_account_or_of_an_archive() {
    let mut app = joined("anna");
    app.press("ctrl-up v");
    app.answer(Response::Source(MessageSource::default()));
    app.expect_row("account", "home");
    app.press("esc esc ctrl-up v");
    let origin = ImportOrigin {
        archive: Some(SafeText::line("live-anna")),
        file: SafeText::line("/home/anna/export.tar"),
        imported_at: Timestamp(START),
    };
    app.answer(Response::Source(MessageSource { items: Vec::new(), origin: Some(origin) }));
    app.expect_row("archive", "live-anna");
    app.expect_row("export", "/home/anna/export.tar");
}
