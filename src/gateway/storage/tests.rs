//! What every backend has to do. A new one adds its own test that runs [`suite`].

use super::{
    Digest, MemberRow, MessageRow, NewMessage, ReadWindow, RegistrationRow, SqliteStorage, Storage,
    StorageTx, ThreadRow,
};
use crate::gateway::chat_key::ChatKey;
use crate::model::{Role, UserId};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

const ALL: ReadWindow = ReadWindow { first: 0, last: i64::MAX };

/// Runs the whole suite, each part on an empty storage.
fn suite(open: &dyn Fn() -> Box<dyn Storage>) {
    let parts: [fn(&dyn Storage); 11] = [
        ids_are_arrival_times_that_never_repeat,
        a_page_goes_downwards_and_changes_go_upwards,
        a_person_sees_their_own_part_of_a_group_only,
        a_leaver_keeps_what_there_was_and_nothing_moves_any_more,
        every_change_raises_the_version_of_those_it_concerns,
        a_repetition_is_the_same_in_all_parts_and_recent,
        properties_and_cleared_history_are_each_persons_own,
        members_are_listed_by_how_long_they_are_in,
        registrations_stay_until_they_end,
        an_attempt_that_fails_leaves_nothing_and_the_others_stay,
        a_transaction_that_fails_leaves_nothing,
    ];
    for part in parts {
        part(&*open());
    }
}

#[test]
fn sqlite_in_a_file_is_a_storage() {
    let dir = tempfile::tempdir().unwrap();
    let files = std::cell::Cell::new(0);
    suite(&|| {
        files.set(files.get() + 1);
        let path = dir.path().join(format!("{}.db", files.get()));
        Box::new(SqliteStorage::open(Some(&path)).unwrap())
    });
}

#[test]
fn sqlite_in_memory_is_a_storage() {
    suite(&|| Box::new(SqliteStorage::open(None).unwrap()));
}

fn user(name: &str) -> UserId {
    UserId::from(format!("8:{name}"))
}

fn pair() -> ChatKey {
    ChatKey::Pair([user("anna"), user("joe")])
}

fn write<T>(storage: &dyn Storage, work: impl Fn(&mut dyn StorageTx) -> T) -> T {
    let mut result = None;
    let done = storage.write(&mut |tx| {
        result = Some(work(tx));
        Ok(())
    });
    done.unwrap();
    result.unwrap()
}

fn read<T>(storage: &dyn Storage, work: impl Fn(&dyn StorageTx) -> T) -> T {
    let mut result = None;
    storage.read(&mut |tx| result = Some(work(tx))).unwrap();
    result.unwrap()
}

fn message(from: &str, text: &str) -> NewMessage {
    let mut body = Map::new();
    body.insert("messagetype".into(), "Text".into());
    body.insert("content".into(), text.into());
    NewMessage {
        sender: user(from),
        kind: "Text".into(),
        client_id: None,
        digest: None,
        reveals: None,
        body,
    }
}

fn post(storage: &dyn Storage, chat: &ChatKey, text: &str, now: i64) -> MessageRow {
    write(storage, |tx| tx.post_message(chat, message("anna", text), now).unwrap())
}

fn content(row: &MessageRow) -> String {
    let body: Value = serde_json::from_str(&row.body).unwrap();
    body["content"].as_str().unwrap().to_owned()
}

fn contents(rows: &[MessageRow]) -> Vec<String> {
    rows.iter().map(content).collect()
}

fn member(name: &str, role: Role) -> MemberRow {
    MemberRow { id: user(name), role }
}

/// A group of Anna (admin), made at time 100.
fn group(storage: &dyn Storage) -> ChatKey {
    let thread = ThreadRow {
        id: "19:team@thread.skype".into(),
        creator: "8:anna".into(),
        created: 100,
        version: 100,
        topic: "Team".into(),
        joining: false,
        history: true,
        code: "code".into(),
        more: Map::new(),
        member_count: 0,
    };
    write(storage, |tx| {
        tx.create_thread(&thread).unwrap();
        tx.add_members(&thread.id, &[member("anna", Role::Admin)], true, 100).unwrap();
    });
    ChatKey::Thread(thread.id)
}

fn add(storage: &dyn Storage, name: &str, history: bool, now: i64) {
    write(storage, |tx| {
        let new = [member(name, Role::User)];
        tx.add_members("19:team@thread.skype", &new, history, now).unwrap();
    });
}

fn version(storage: &dyn Storage, chat: &ChatKey, name: &str) -> i64 {
    read(storage, |tx| tx.participant(chat, &user(name)).unwrap().unwrap().version)
}

fn readable(storage: &dyn Storage, chat: &ChatKey, name: &str) -> Vec<String> {
    read(storage, |tx| {
        let window = tx.participant(chat, &user(name)).unwrap().unwrap().window;
        let rows = tx.messages_before(chat, window, i64::MAX, 100).unwrap();
        assert!(rows.iter().all(|row| window.contains(row)));
        contents(&rows)
    })
}

fn ids_are_arrival_times_that_never_repeat(storage: &dyn Storage) {
    assert!(read(storage, |tx| tx.is_empty().unwrap()));
    let ids: Vec<i64> =
        [50, 50, 40, 60].iter().map(|now| post(storage, &pair(), "x", *now).id).collect();
    assert_eq!(ids, [50, 51, 52, 60]);
    assert!(!read(storage, |tx| tx.is_empty().unwrap()));
    let row = read(storage, |tx| tx.message(&pair(), 51).unwrap().unwrap());
    assert_eq!((row.id, row.version, row.kind.as_str(), row.reveals), (51, 51, "Text", 51));
    assert!(row.body.contains("\"composetime\":\"1970-01-01T00:00:00.051Z\""), "{}", row.body);
    assert!(read(storage, |tx| tx.message(&pair(), 99).unwrap().is_none()));
    let notes = ChatKey::Notes(user("anna"));
    assert_eq!(post(storage, &notes, "own", 50).id, 50, "ids are unique in their chat only");
}

fn a_page_goes_downwards_and_changes_go_upwards(storage: &dyn Storage) {
    for i in 1..=5 {
        post(storage, &pair(), &i.to_string(), i);
    }
    let before = |window, before, limit| {
        contents(&read(storage, |tx| tx.messages_before(&pair(), window, before, limit).unwrap()))
    };
    assert_eq!(before(ALL, i64::MAX, 2), ["5", "4"]);
    assert_eq!(before(ALL, 4, 2), ["3", "2"]);
    assert_eq!(before(ReadWindow { first: 2, last: 3 }, i64::MAX, 9), ["3", "2"]);
    let seen = read(storage, |tx| tx.last_change(&pair()).unwrap());
    write(storage, |tx| {
        let mut body = message("anna", "two").body;
        body.insert("edited".into(), json!(true));
        let row = tx.update_message(&pair(), 2, &body, 9).unwrap();
        assert_eq!((row.id, row.version), (2, 9));
    });
    post(storage, &pair(), "6", 10);
    let changed = |window, since, limit| {
        contents(&read(storage, |tx| tx.messages_changed(&pair(), window, since, limit).unwrap()))
    };
    assert_eq!(changed(ALL, seen, 9), ["two", "6"]);
    assert_eq!(changed(ALL, seen, 1), ["two"]);
    assert_eq!(changed(ReadWindow { first: 3, last: i64::MAX }, seen, 9), ["6"]);
    assert!(read(storage, |tx| tx.last_change(&pair()).unwrap()) > seen);
}

fn a_person_sees_their_own_part_of_a_group_only(storage: &dyn Storage) {
    let chat = group(storage);
    let secret = post(storage, &chat, "secret", 200).id;
    add(storage, "joe", false, 200);
    add(storage, "mia", true, 200);
    write(storage, |tx| {
        // An edit in the old way shows the content of the message that it edits.
        let edit = NewMessage { reveals: Some(secret), ..message("anna", "secret, edited") };
        tx.post_message(&chat, edit, 300).unwrap();
    });
    post(storage, &chat, "for all", 400);
    assert_eq!(readable(storage, &chat, "joe"), ["for all"]);
    assert_eq!(readable(storage, &chat, "mia"), ["for all", "secret, edited", "secret"]);
    let everyone: HashSet<UserId> = ["anna", "joe", "mia", "zoe"].map(user).into();
    let readers = |among: &HashSet<UserId>, reveals| {
        let mut found = read(storage, |tx| tx.readers(&chat, among, reveals).unwrap());
        found.sort();
        found
    };
    assert_eq!(readers(&everyone, secret), [user("anna"), user("mia")]);
    assert_eq!(readers(&everyone, i64::MAX), [user("anna"), user("joe"), user("mia")]);
    assert_eq!(readers(&[user("joe")].into(), i64::MAX), [user("joe")]);
    let crowd: HashSet<UserId> =
        (0..100).map(|i| user(&format!("x{i}"))).chain([user("mia")]).collect();
    assert_eq!(readers(&crowd, secret), [user("mia")], "the same for many");
    assert_eq!(read(storage, |tx| tx.present(&chat).unwrap()).len(), 3);
}

fn a_leaver_keeps_what_there_was_and_nothing_moves_any_more(storage: &dyn Storage) {
    let chat = group(storage);
    let (id, joe) = ("19:team@thread.skype", user("joe"));
    add(storage, "joe", true, 200);
    post(storage, &chat, "before", 300);
    let member_version = version(storage, &chat, "joe");
    write(storage, |tx| tx.remove_member(id, &joe).unwrap());
    let left_version = version(storage, &chat, "joe");
    assert!(left_version > member_version);
    post(storage, &chat, "after", 400);
    assert_eq!(readable(storage, &chat, "joe"), ["before"]);
    assert_eq!(version(storage, &chat, "joe"), left_version);
    let place = read(storage, |tx| tx.participant(&chat, &joe).unwrap().unwrap());
    assert!(!place.is_present() && place.left == 300 && place.joined == 200);
    let list = read(storage, |tx| tx.conversations(&joe).unwrap());
    assert_eq!(list[0].activity, 300);
    assert_eq!(read(storage, |tx| tx.thread(id).unwrap().unwrap().member_count), 1);
    write(storage, |tx| tx.remove_member(id, &joe).unwrap());
    assert_eq!(read(storage, |tx| tx.thread(id).unwrap().unwrap().member_count), 1);
    add(storage, "joe", true, 500);
    let place = read(storage, |tx| tx.participant(&chat, &joe).unwrap().unwrap());
    assert!(place.is_present() && place.joined == 500 && place.version > left_version);
    assert_eq!(readable(storage, &chat, "joe"), ["after", "before"]);
}

fn every_change_raises_the_version_of_those_it_concerns(storage: &dyn Storage) {
    post(storage, &pair(), "1", 100);
    let mut seen = (version(storage, &pair(), "anna"), version(storage, &pair(), "joe"));
    // All at the same time, as it happens in a busy chat.
    let change = |what: usize| {
        write(storage, |tx| match what {
            0 => drop(tx.post_message(&pair(), message("joe", "2"), 100).unwrap()),
            1 => drop(tx.update_message(&pair(), 100, &message("anna", "!").body, 100).unwrap()),
            2 => tx.clear_history(&pair(), &user("anna")).unwrap(),
            _ => tx.set_property(&pair(), &user("anna"), "alerts", "false", 100).unwrap(),
        });
        (version(storage, &pair(), "anna"), version(storage, &pair(), "joe"))
    };
    for what in [0, 1, 2, 3, 0, 3, 1] {
        let now = change(what);
        assert!(now.0 > seen.0, "change {what}");
        assert_eq!(now.1 > seen.1, what < 2, "change {what}");
        seen = now;
    }
}

fn a_repetition_is_the_same_in_all_parts_and_recent(storage: &dyn Storage) {
    let digest = |n: u8| Some(Digest::from([n; 16]));
    let sent = |from: &str, client_id: &str, n| NewMessage {
        client_id: Some(client_id.into()),
        digest: digest(n),
        ..message(from, "x")
    };
    let id = write(storage, |tx| tx.post_message(&pair(), sent("anna", "7", 1), 100).unwrap().id);
    let found = |message: NewMessage, since| {
        read(storage, |tx| tx.repeated(&pair(), &message, since).unwrap())
    };
    assert_eq!(found(sent("anna", "7", 1), 100), Some(id));
    assert_eq!(found(sent("anna", "7", 1), 101), None, "too long ago");
    assert_eq!(found(sent("anna", "7", 2), 0), None, "another text");
    assert_eq!(found(sent("anna", "8", 1), 0), None, "another client id");
    assert_eq!(found(sent("joe", "7", 1), 0), None, "another sender");
    let second = write(storage, |tx| tx.post_message(&pair(), sent("anna", "7", 2), 200).unwrap());
    let newest = read(storage, |tx| tx.message_of_client(&pair(), &user("anna"), "7").unwrap());
    assert_eq!(newest.unwrap().id, second.id);
    assert!(
        read(storage, |tx| tx.message_of_client(&pair(), &user("joe"), "7").unwrap()).is_none()
    );
}

fn properties_and_cleared_history_are_each_persons_own(storage: &dyn Storage) {
    let horizon = "consumptionhorizon";
    write(storage, |tx| tx.set_property(&pair(), &user("anna"), "alerts", "false", 50).unwrap());
    assert!(read(storage, |tx| tx.conversations(&user("anna")).unwrap()).is_empty(), "no message");
    post(storage, &pair(), "old", 100);
    write(storage, |tx| {
        tx.set_property(&pair(), &user("anna"), horizon, "1;2;3", 100).unwrap();
        tx.clear_history(&pair(), &user("anna")).unwrap();
    });
    post(storage, &pair(), "new", 200);
    assert_eq!(readable(storage, &pair(), "anna"), ["new"]);
    assert_eq!(readable(storage, &pair(), "joe"), ["new", "old"]);
    let place = read(storage, |tx| tx.participant(&pair(), &user("anna")).unwrap().unwrap());
    assert_eq!(place.properties["alerts"], "false");
    assert_eq!((place.properties[horizon].as_str(), place.cleared_at), (Some("1;2;3"), 100));
    assert_eq!((place.seen_as.as_str(), place.role), ("8:joe", Some(Role::User)));
    let marks = read(storage, |tx| tx.read_marks(&pair()).unwrap());
    let marks: Vec<_> = marks.iter().map(|m| (m.user.as_str(), m.horizon.as_deref())).collect();
    assert_eq!(marks, [("8:anna", Some("1;2;3")), ("8:joe", None)]);
    assert!(read(storage, |tx| tx.participant(&pair(), &user("mia")).unwrap()).is_none());
    let list = read(storage, |tx| tx.conversations(&user("joe")).unwrap());
    assert_eq!(list.iter().map(|e| e.seen_as.as_str()).collect::<Vec<_>>(), ["8:anna"]);
}

fn members_are_listed_by_how_long_they_are_in(storage: &dyn Storage) {
    let chat = group(storage);
    let id = "19:team@thread.skype";
    let new = ["zoe", "joe", "bea"].map(|name| member(name, Role::User));
    write(storage, |tx| {
        tx.add_members(id, &new, true, 200).unwrap();
        tx.remove_member(id, &user("zoe")).unwrap();
        tx.add_members(id, &[member("zoe", Role::User)], true, 300).unwrap();
        tx.set_role(id, &user("joe"), Role::Admin).unwrap();
        tx.set_role(id, &user("nobody"), Role::Admin).unwrap();
    });
    let expected = [
        member("anna", Role::Admin),
        member("joe", Role::Admin),
        member("bea", Role::User),
        member("zoe", Role::User),
    ];
    assert_eq!(read(storage, |tx| tx.members(id).unwrap()), expected);
    let mut thread = read(storage, |tx| tx.thread_of_code("code").unwrap().unwrap());
    assert_eq!((thread.member_count, thread.topic.as_str(), thread.version), (4, "Team", 100));
    thread.topic = "Crew".into();
    thread.more.insert("picture".into(), "URL@https://example.org/p".into());
    write(storage, |tx| tx.save_thread(&thread, 100).unwrap());
    let saved = read(storage, |tx| tx.thread(id).unwrap().unwrap());
    assert_eq!((saved.topic.as_str(), saved.version, saved.more), ("Crew", 101, thread.more));
    assert_eq!(saved.member_count, 4);
    assert!(read(storage, |tx| tx.thread_of_code("other").unwrap()).is_none());
    assert_eq!(chat.seen_by(&user("joe")), id);
}

fn registrations_stay_until_they_end(storage: &dyn Storage) {
    let row = |endpoint: &str| RegistrationRow {
        endpoint: endpoint.into(),
        user: user("anna"),
        token: format!("token of {endpoint}"),
        credential: [7; 16],
        expires: 900,
        subscribed: false,
    };
    write(storage, |tx| {
        tx.save_registration(&row("{a}")).unwrap();
        tx.save_registration(&row("{b}")).unwrap();
        tx.note_subscribed("{b}").unwrap();
        tx.end_registration("{a}").unwrap();
        tx.end_registration("{c}").unwrap();
    });
    let kept = read(storage, |tx| tx.registrations().unwrap());
    assert_eq!(kept, [RegistrationRow { subscribed: true, ..row("{b}") }]);
}

fn an_attempt_that_fails_leaves_nothing_and_the_others_stay(storage: &dyn Storage) {
    let done = storage.write(&mut |tx| {
        for (text, keep) in [("1", true), ("2", false), ("3", true)] {
            tx.attempt(&mut |tx| {
                tx.post_message(&pair(), message("anna", text), 100).unwrap();
                keep
            })?;
        }
        Ok(())
    });
    done.unwrap();
    assert_eq!(readable(storage, &pair(), "anna"), ["3", "1"]);
}

fn a_transaction_that_fails_leaves_nothing(storage: &dyn Storage) {
    let failed = storage.write(&mut |tx| {
        tx.post_message(&pair(), message("anna", "lost"), 100)?;
        Err(super::StorageError::NewerVersion(9))
    });
    assert!(failed.is_err());
    assert!(read(storage, |tx| tx.is_empty().unwrap()));
    assert_eq!(post(storage, &pair(), "kept", 100).id, 100);
}

#[test]
fn reading_a_file_does_not_wait_for_a_change_and_does_not_see_half_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let storage = SqliteStorage::open(Some(&dir.path().join("gateway.db"))).unwrap();
    let count =
        || read(&storage, |tx| tx.messages_before(&pair(), ALL, i64::MAX, 9).unwrap().len());
    let done = storage.write(&mut |tx| {
        tx.post_message(&pair(), message("anna", "1"), 100)?;
        assert_eq!(count(), 0);
        Ok(())
    });
    done.unwrap();
    assert_eq!(count(), 1);
}

#[test]
fn a_database_of_version_1_is_taken_over_with_everything_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.db");
    let fill = r#"
        UPDATE counter SET value = 40;
        INSERT INTO threads VALUES ('19:t@thread.skype', '8:anna', 100, 150, 'Team', 1, 0, 'code', '{"picture":"p"}');
        INSERT INTO members VALUES ('19:t@thread.skype', '8:anna', 1), ('19:t@thread.skype', '8:mia', 0);
        INSERT INTO messages VALUES
            ('19:t@thread.skype', 110, '8:anna', '5', 130, 12, '{"messagetype":"Text","content":"hi","clientmessageid":"5"}'),
            ('19:t@thread.skype', 120, '8:anna', NULL, 120, 13, '{"messagetype":"ThreadActivity/DeleteMember","content":"<x/>"}'),
            ('8:anna|8:joe', 90, '8:joe', NULL, 90, 9, '{"messagetype":"Text","content":"psst","composetime":"then"}');
        INSERT INTO views VALUES
            ('8:anna', '19:t@thread.skype', '19:t@thread.skype', '{"alerts":"false"}', 110, 100, 0, 0, 120, 131, 14),
            ('8:mia', '19:t@thread.skype', '19:t@thread.skype', '{}', 0, 115, 0, 115, 120, 120, 13),
            ('8:joe', '19:t@thread.skype', '19:t@thread.skype', '{}', 0, 100, 120, 0, 120, 121, 15),
            ('8:anna', '8:anna|8:joe', '8:joe', '{}', 0, 90, 0, 0, 90, 90, 9),
            ('8:joe', '8:anna|8:joe', '8:anna', '{}', 0, 90, 0, 0, 90, 90, 9);
    "#;
    super::sqlite::version_1(&path, fill);
    let storage = SqliteStorage::open(Some(&path)).unwrap();
    let storage: &dyn Storage = &storage;
    let chat = ChatKey::Thread("19:t@thread.skype".into());
    assert_eq!(readable(storage, &chat, "anna"), ["<x/>"]);
    assert_eq!(readable(storage, &chat, "mia"), ["<x/>"]);
    assert_eq!(readable(storage, &chat, "joe"), ["<x/>", "hi"]);
    assert_eq!(readable(storage, &pair(), "anna"), ["psst"]);
    let row = read(storage, |tx| tx.message(&chat, 110).unwrap().unwrap());
    assert_eq!((row.kind.as_str(), row.version, row.reveals), ("Text", 130, 110));
    assert!(row.body.contains("\"composetime\":\"1970-01-01T00:00:00.110Z\""), "{}", row.body);
    assert!(read(storage, |tx| tx.message_of_client(&chat, &user("anna"), "5").unwrap()).is_some());
    let members = [member("anna", Role::Admin), member("mia", Role::User)];
    assert_eq!(read(storage, |tx| tx.members("19:t@thread.skype").unwrap()), members);
    let joe = read(storage, |tx| tx.participant(&chat, &user("joe")).unwrap().unwrap());
    assert!(!joe.is_present() && joe.version == 121);
    let thread = read(storage, |tx| tx.thread_of_code("code").unwrap().unwrap());
    assert_eq!((thread.member_count, thread.joining, thread.history), (2, true, false));
    let list = read(storage, |tx| tx.conversations(&user("anna")).unwrap());
    assert_eq!(list.iter().map(|e| e.activity).collect::<Vec<_>>(), [120, 90]);
    assert_eq!(post(storage, &chat, "new", 50).id, 121);
    drop(SqliteStorage::open(Some(&path)).unwrap());
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.db");
    super::sqlite::version_1(&path, "");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStorage::open(Some(&path)).err().unwrap().to_string();
    assert_eq!(error, "the gateway's database is from a newer version (99)");
}
