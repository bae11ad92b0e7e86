use super::*;
use proptest::prelude::*;

/// What is found, as lines, when the document comes in pieces of `piece` bytes.
fn lines(json: &[u8], piece: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut sink = |found: Found<'_>| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        out.push(match found {
            Found::Document(json) => format!("document {}", text(json)),
            Found::Conversation { .. } => "conversation".to_owned(),
            Found::Head { json, is_last, .. } => {
                format!("{} {}", if is_last { "end" } else { "head" }, text(json))
            }
            Found::Message { json: message, offset } => {
                let at = usize::try_from(offset).unwrap();
                assert_eq!(json.get(at..at + message.len()), Some(message));
                format!("message {}", text(message))
            }
            Found::Broken { why, .. } => format!("broken: {why}"),
        });
    };
    let mut scanner = Scanner::default();
    for chunk in json.chunks(piece) {
        scanner.feed(chunk, &mut sink);
    }
    scanner.finish(&mut sink);
    out
}

fn messages(json: &str) -> Vec<String> {
    let found = lines(json.as_bytes(), json.len().max(1));
    found.iter().filter_map(|line| line.strip_prefix("message ").map(str::to_owned)).collect()
}

const EXPORT: &str = r#"{"userId":"8:anna","exportDate":"2020","conversations":[
    {"id":"8:joe","displayName":"Joe","MessageList":[{"id":"2","content":"a \"}] {"},
     {"id":"1","properties":{"x":[1,{"y":null}]}}],"version":5.0},
    {"id":"19:x","messages":null,"MessageList":[]}],"last":true}"#;

#[test]
fn messages_are_cut_out_of_what_stands_around_them() {
    let found = lines(EXPORT.as_bytes(), EXPORT.len());
    assert_eq!(
        found,
        [
            r#"document {"userId":"8:anna","exportDate":"2020"}"#,
            "conversation",
            r#"head {"id":"8:joe","displayName":"Joe"}"#,
            r#"message {"id":"2","content":"a \"}] {"}"#,
            r#"message {"id":"1","properties":{"x":[1,{"y":null}]}}"#,
            r#"end {"id":"8:joe","displayName":"Joe","MessageList":[],"version":5.0}"#,
            "conversation",
            r#"head {"id":"19:x","messages":null}"#,
            r#"end {"id":"19:x","messages":null,"MessageList":[]}"#,
            r#"document {"userId":"8:anna","exportDate":"2020","conversations":[],"last":true}"#,
        ]
    );
}

#[test]
fn it_makes_no_difference_in_what_pieces_a_document_comes() {
    let whole = lines(EXPORT.as_bytes(), EXPORT.len());
    for piece in 1..40 {
        assert_eq!(lines(EXPORT.as_bytes(), piece), whole, "pieces of {piece}");
    }
}

#[test]
fn every_message_before_a_cut_is_found() {
    let all = messages(EXPORT);
    let end_of = |message: &str| EXPORT.find(message).unwrap() + message.len();
    for cut in 0..EXPORT.len() {
        let whole: Vec<&String> = all.iter().filter(|m| end_of(m) <= cut).collect();
        let found = messages(EXPORT.get(..cut).unwrap());
        assert_eq!(found.iter().collect::<Vec<_>>(), whole, "cut at {cut}");
    }
}

#[test]
fn a_message_with_broken_brackets_or_quotes_costs_only_itself() {
    let list = |broken: &str| {
        format!(
            r#"{{"conversations":[{{"id":"8:joe","MessageList":[{{"id":"1","content":"a"}},{broken},{{"id":"3","content":"c"}}]}},{{"id":"8:mia","MessageList":[{{"id":"4"}}]}}]}}"#
        )
    };
    let good = [r#"{"id":"1","content":"a"}"#, r#"{"id":"3","content":"c"}"#, r#"{"id":"4"}"#];
    for broken in [
        r#"{"id":"2","content":"b"#,
        r#"{"id":"2","content":"b","#,
        r#"{"id":"2","content":b"}"#,
        r#"{"id":"2"},"content":"b"}"#,
        r#"{"id":"2","x":[1,2}"#,
        r#"{"id":"2","x":{"y":1}"#,
        r#"{"id":"2"}]"#,
        r#"{"id" "2"}"#,
        r#"{"id":"2""content":"b"}"#,
        "{]",
        "7",
        "",
    ] {
        let found = messages(&list(broken));
        for message in good {
            assert!(found.iter().any(|m| m == message), "{broken}: {message} in {found:?}");
        }
    }
}

#[test]
fn deep_values_and_large_messages_cost_only_themselves() {
    let deep = format!(r#"{{"id":"2","x":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    let large = format!(r#"{{"id":"2","content":"{}"}}"#, "x".repeat(17 * 1024 * 1024));
    for odd in [deep.as_str(), large.as_str()] {
        let json = format!(
            r#"{{"conversations":[{{"id":"8:joe","MessageList":[{{"id":"1"}},{odd},{{"id":"3"}}]}}]}}"#
        );
        let mut ids = Vec::new();
        let mut scanner = Scanner::default();
        for chunk in json.as_bytes().chunks(1 << 20) {
            scanner.feed(chunk, &mut |found| {
                if let Found::Message { json, .. } = found {
                    ids.push(json.get(7).copied());
                }
            });
        }
        assert!(scanner.finish(&mut |_| {}));
        assert_eq!((ids.first(), ids.last()), (Some(&Some(b'1')), Some(&Some(b'3'))));
    }
}

#[test]
fn a_scan_that_continues_at_a_conversation_finds_the_rest() {
    let mut starts = Vec::new();
    let mut scanner = Scanner::default();
    scanner.feed(EXPORT.as_bytes(), &mut |found| {
        if let Found::Conversation { offset } = found {
            starts.push(offset);
        }
    });
    let from = starts[1];
    let mut heads = Vec::new();
    let mut scanner = Scanner::at_conversation(from);
    scanner.feed(&EXPORT.as_bytes()[from as usize..], &mut |found| match found {
        Found::Conversation { offset } => assert_eq!(offset, from),
        Found::Head { json, is_last: true, .. } => {
            heads.push(String::from_utf8_lossy(json).into_owned());
        }
        _ => {}
    });
    assert_eq!(heads, [r#"{"id":"19:x","messages":null,"MessageList":[]}"#]);
}

#[test]
fn a_list_of_messages_and_other_documents_are_followed() {
    assert_eq!(messages(r#"{"messages":[{"id":"1"},{"id":"2"}]}"#).len(), 2);
    let found = lines(br#"[{"id":"1","content":"x"}]"#, 100);
    assert_eq!(found[1], r#"end {"id":"1","content":"x"}"#);
    for odd in [
        "",
        "null",
        "<html>",
        "\u{feff}{}",
        "{",
        "[",
        "]",
        "}{",
        "\"",
        "[[[",
        "{\"conversations\":{}}",
    ] {
        assert_eq!(messages(odd), Vec::<String>::new(), "{odd}");
    }
}

proptest! {
    /// Whatever the bytes, splitting them makes no difference, and nothing is found that is not there.
    #[test]
    fn any_bytes_are_scanned_the_same_in_any_pieces(
        bytes in proptest::collection::vec(prop_oneof![
            Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b':'), Just(b','), Just(b'\\'), Just(b'1'), Just(b' '),
        ], 0..200), piece in 1usize..30, front in any::<bool>(),
    ) {
        let mut json = Vec::new();
        if front {
            json.extend_from_slice(br#"{"conversations":[{"id":"8:a","MessageList":[{"id":"1"}"#);
        }
        json.extend_from_slice(&bytes);
        let broken_at_chunk = |line: &String| line.starts_with("broken");
        let whole: Vec<String> = lines(&json, json.len().max(1)).into_iter().filter(|l| !broken_at_chunk(l)).collect();
        let pieces: Vec<String> = lines(&json, piece).into_iter().filter(|l| !broken_at_chunk(l)).collect();
        prop_assert_eq!(whole, pieces);
    }
}
