use super::decoder::Decoder;
use super::{Report, TerminalEvent};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Decodes reads, each with the milliseconds that passed before it; nothing more arrives afterwards.
fn decode(reads: &[(u64, &[u8])]) -> Vec<TerminalEvent> {
    decode_with(Decoder::new(None), reads)
}

fn decode_with(mut decoder: Decoder, reads: &[(u64, &[u8])]) -> Vec<TerminalEvent> {
    let mut now = Instant::now();
    let mut out = Vec::new();
    for (wait, bytes) in reads {
        now += Duration::from_millis(*wait);
        while decoder.deadline().is_some_and(|due| due <= now) {
            decoder.expire(&mut out);
        }
        decoder.feed(bytes, now, &mut out);
    }
    let mut ends = 0;
    while decoder.deadline().is_some() {
        decoder.expire(&mut out);
        ends += 1;
        assert!(ends < 10, "it never ends");
    }
    out
}

/// Events as text, similar to the key table.
fn written(events: &[TerminalEvent]) -> String {
    let word = |event: &TerminalEvent| match event {
        TerminalEvent::Input(Event::Key(KeyEvent { code, modifiers, .. })) => {
            let code = match code {
                KeyCode::Char(c) => c.to_string(),
                KeyCode::F(n) => format!("F{n}"),
                other => format!("{other:?}"),
            };
            let held: String = [
                (KeyModifiers::CONTROL, "C-"),
                (KeyModifiers::ALT, "M-"),
                (KeyModifiers::SHIFT, "S-"),
            ]
            .iter()
            .filter(|(held, _)| modifiers.contains(*held))
            .map(|(_, word)| *word)
            .collect();
            held + &code
        }
        TerminalEvent::Input(Event::Paste(text)) => format!("paste{text:?}"),
        TerminalEvent::Input(Event::FocusGained) => "focus".into(),
        TerminalEvent::Input(Event::FocusLost) => "blur".into(),
        TerminalEvent::Input(Event::Mouse(mouse)) => format!("{:?}", mouse.kind),
        TerminalEvent::Burst(text) => format!("burst{text:?}"),
        TerminalEvent::Report(Report::EnhancedKeyboard) => "keyboard".into(),
        TerminalEvent::Report(Report::Position { row, column }) => format!("at{row},{column}"),
        other => format!("{other:?}"),
    };
    events.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn keys(bytes: &str) -> String {
    written(&decode(&[(0, bytes.as_bytes())]))
}

#[test]
fn the_keys_of_every_terminal_are_known() {
    for (bytes, expected) in [
        // xterm, VTE, foot, macOS Terminal
        ("\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "Up Down Right Left Home End"),
        ("\x1bOA\x1bOB\x1bOC\x1bOD\x1bOH\x1bOF", "Up Down Right Left Home End"),
        ("\x1bOP\x1bOQ\x1bOR\x1bOS", "F1 F2 F3 F4"),
        ("\x1b[15~\x1b[17~\x1b[18~\x1b[19~\x1b[20~", "F5 F6 F7 F8 F9"),
        ("\x1b[21~\x1b[23~\x1b[24~\x1b[25~\x1b[34~", "F10 F11 F12 F13 F20"),
        ("\x1b[2~\x1b[3~\x1b[5~\x1b[6~", "Insert Delete PageUp PageDown"),
        ("\x1b[1;2A\x1b[1;3A\x1b[1;5A\x1b[1;6A", "S-Up M-Up C-Up C-S-Up"),
        ("\x1b[1;9A\x1b[1;9B\x1b[5;9~\x1b[1;10A\x1b[1;17A", "M-Up M-Down M-PageUp M-S-Up"),
        ("\x1b[?0u\x1b[1;9A\x1b[97;9u", "keyboard"),
        ("\x1b[3;5~\x1b[5;3~\x1b[15;2~", "C-Delete M-PageUp S-F5"),
        ("\x1b[1;2P\x1b[1;5Q\x1b[1;2R\x1b[1;2S", "S-F1 C-F2 S-F3 S-F4"),
        ("\x1b[Z\x1b[1;2Z", "S-BackTab S-BackTab"),
        ("\x1b[I\x1b[O", "focus blur"),
        // Esc as the prefix of Alt: iTerm2, macOS Terminal, rxvt, tmux
        ("\x1b\x1b[A\x1b\x1bOA\x1b\x1b[5~", "M-Up M-Up M-PageUp"),
        ("\x1b\x1b[1;5C", "C-M-Right"),
        ("\x1ba\x1bé\x1b\x7f\x1b\r", "M-a M-é M-Backspace M-Enter"),
        // rxvt
        ("\x1b[7~\x1b[8~\x1b[11~\x1b[14~", "Home End F1 F4"),
        ("\x1b[a\x1b[d\x1bOa\x1bOd", "S-Up S-Left C-Up C-Left"),
        ("\x1b[5$\x1b[5^\x1b[5@", "S-PageUp C-PageUp C-S-PageUp"),
        ("\x1b\x1b[3^", "C-M-Delete"),
        // the keypad in application mode, and modifiers in front of its letter
        ("\x1bOM\x1bOj\x1bOk\x1bOp\x1bOy\x1bOX", "Enter * + 0 9 ="),
        ("\x1bO5A\x1bO1;2P", "C-Up S-F1"),
        // the Linux console
        ("\x1b[[A\x1b[[E", "F1 F5"),
        // modifyOtherKeys
        ("\x1b[27;2;13~\x1b[27;5;9~\x1b[27;6;107~", "S-Enter C-Tab C-S-k"),
        // kitty
        ("\x1b[13;2u\x1b[27u\x1b[9;5u\x1b[127;3u", "S-Enter Esc C-Tab M-Backspace"),
        ("\x1b[97;5u\x1b[97;6u\x1b[97:65;4u", "C-a C-a M-A"),
        ("\x1b[49:33;4u", "M-!"),
        ("\x1b[1083::107;5u", "C-k"),
        ("\x1b[1;1:1A\x1b[1;1:2A\x1b[1;1:3A\x1b[97;5:3u", "Up Up"),
        ("\x1b[57414u\x1b[57400u\x1b[57417u\x1b[57441;2u\x1b[97;9u", "Enter 1 Left"),
        ("\x1b[1;129A\x1b[97;69u", "Up C-a"),
        // the wheel and the left button; other reports of the mouse mean nothing
        ("\x1b[<64;10;5M\x1b[<65;10;5M\x1b[<80;1;1M", "ScrollUp ScrollDown ScrollUp"),
        ("\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<1;1;1M\x1b[<2;9;9M", "Down(Left) Up(Left)"),
        ("\x1b[<32;3;3M", "Drag(Left)"),
        ("\x1b[<4;1;1M\x1b[<35;3;3M\x1b[<128;3;3M", ""),
        ("\x1b[<0;0;1M\x1b[<0;1M\x1b[<M\x1b[<;;M\x1b[<0;99999;1Mx", "x"),
        ("\x1b[M !!x\x1b[32;10;10Mx", "x x"),
        // control characters
        ("\x00\x01\x08\x1a\x1c\x1f\x7f", "C-  C-a C-h C-z C-4 C-7 Backspace"),
        ("\t\r", "Tab Enter"),
        ("\n", "C-j"),
    ] {
        assert_eq!(keys(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn a_sequence_is_the_same_however_it_is_torn() {
    for sequence in [
        "\x1b[A",
        "\x1b\x1b[A",
        "\x1b\x1bOA",
        "\x1b\x1b[5~",
        "\x1b[1;5A",
        "\x1bOP",
        "\x1ba",
        "\x1b[13;2u",
        "\x1b[200~two\rlines\x1b[201~",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1bP>|XTerm(390)\x1b\\",
        "\x1b_Gi=1;OK\x1b\\",
        "\x1b]52;c;YQ==\x07",
        "\x1b[?62;4c",
        "\x1b[>41;390;0c",
        "\x1b[?2026;2$y",
        "👍",
        "é",
    ] {
        let whole = decode(&[(0, sequence.as_bytes()), (0, b"!")]);
        for at in 1..sequence.len() {
            let (head, tail) = sequence.as_bytes().split_at(at);
            let torn = decode(&[(0, head), (40, tail), (1, b"!")]);
            assert_eq!(written(&torn), written(&whole), "{sequence:?} torn at {at}");
        }
        let bytes: Vec<&[u8]> = sequence.as_bytes().chunks(1).collect();
        let mut reads: Vec<(u64, &[u8])> = bytes.into_iter().map(|b| (40, b)).collect();
        reads.push((1, b"!"));
        assert_eq!(written(&decode(&reads)), written(&whole), "{sequence:?} byte by byte");
    }
}

#[test]
fn esc_alone_is_a_key_after_a_moment() {
    assert_eq!(keys("\x1b"), "Esc");
    assert_eq!(keys("\x1b\x1b"), "Esc Esc");
    assert_eq!(written(&decode(&[(0, b"\x1b"), (200, b"j")])), "Esc j");
    assert_eq!(written(&decode(&[(0, b"\x1b"), (200, b"[A")])), "Esc [ A");
    for (bytes, expected) in [
        ("\x1b[", "M-["),
        ("\x1bO", "M-O"),
        ("\x1b]", "M-]"),
        ("\x1bP", "M-P"),
        ("\x1bX", "M-X"),
        ("\x1b_", "M-_"),
        ("\x1b\x1b[", "Esc M-["),
    ] {
        assert_eq!(
            written(&decode(&[(0, bytes.as_bytes()), (200, b"x")])),
            format!("{expected} x")
        );
    }
}

#[test]
fn answers_of_the_terminal_never_become_text() {
    for answer in [
        "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
        "\x1b]10;rgb:ffff/ffff/ffff\x07",
        "\x1b]4;1;rgb:cccc/0000/0000\x07",
        "\x1b]52;c;c2VjcmV0\x07",
        "\x1bP1$r0m\x1b\\",
        "\x1bP>|foot(1.16.2)\x1b\\",
        "\x1bP1+r524742=8\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b^private\x1b\\",
        "\x1bXstring\x1b\\",
        "\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c",
        "\x1b[>1;5202;0c",
        "\x1b[=00000000c",
        "\x1b[>4;2m",
        "\x1b[>0q",
        "\x1b[0n",
        "\x1b[?997;1n",
        "\x1b[?12;40R",
        "\x1b[12;40R",
        "\x1b[8;24;80t",
        "\x1b[4;600;800t",
        "\x1b[?2026;2$y",
        "\x1b[2;1$y",
        "\x1b[?1u",
        "\x1b[?1;2;4S",
        "\x1b[1;1:3R",
    ] {
        let events = decode(&[(0, answer.as_bytes()), (1, b"ok")]);
        let typed: Vec<TerminalEvent> =
            events.into_iter().filter(|event| !matches!(event, TerminalEvent::Report(_))).collect();
        assert_eq!(written(&typed), "o k", "{answer:?}");
        // An Esc that was pressed just before stays a key.
        let pressed = format!("\x1b{answer}");
        let events = decode(&[(0, pressed.as_bytes()), (1, b"ok")]);
        assert_eq!(events.first().map(|e| written(std::slice::from_ref(e))), Some("Esc".into()));
    }
}

#[test]
fn the_background_is_read_from_an_answer_however_it_is_torn_and_types_nothing() {
    for answer in ["\x1b]11;rgb:1c1c/2d2d/3e3e\x1b\\", "\x1b]11;rgb:1c/2d/3e\x07"] {
        let bytes = answer.as_bytes();
        for cut in 2..bytes.len() {
            let (before, after) = bytes.split_at(cut);
            let events = decode(&[(0, b"a"), (0, before), (20, after), (20, b"b")]);
            let expected = "a Report(Background(Rgb(28, 45, 62))) b";
            assert_eq!(written(&events), expected, "{answer:?} cut at {cut}");
        }
    }
    // Other answers, and one that is cut off by a key.
    for answer in ["\x1b]10;rgb:1/2/3\x07", "\x1bP11;rgb:1/2/3\x1b\\", "\x1b]11;pink\x07"] {
        assert_eq!(written(&decode(&[(0, answer.as_bytes()), (9, b"b")])), "b", "{answer:?}");
    }
    assert_eq!(written(&decode(&[(0, b"\x1b]11;rgb:1/2/3\rb")])), "Enter b");
    let long = format!("\x1b]11;rgb:1/2/3{}\x07", "0".repeat(5000));
    assert_eq!(written(&decode(&[(0, long.as_bytes()), (9, b"b")])), "b");
}

#[test]
fn a_cut_off_answer_does_not_swallow_a_key() {
    assert_eq!(written(&decode(&[(0, b"\x1b]11;rgb:12"), (600, b"hi")])), "h i");
    assert_eq!(keys("\x1b]11;rgb:12\x11"), "C-q");
    assert_eq!(keys("\x1b]11;rgb:12\x1b[A"), "Up");
    assert_eq!(keys("\x1b[12;3\x11"), "C-q");
    assert_eq!(keys("\x1b[12;3\x1bOP"), "F1");
    assert_eq!(written(&decode(&[(0, b"\x1b[12;3"), (300, b"hi")])), "h i");
}

#[test]
fn the_rest_of_a_report_is_not_typed_however_late_it_comes() {
    for (begun, rest, expected) in [
        ("\x1b[<64;1", "0;5M", "ScrollUp"),
        ("\x1b[<64;10;5", "M", "ScrollUp"),
        ("\x1b[<0;1;1", "m", "Up(Left)"),
        ("\x1b[<", "65;10;5M", "ScrollDown"),
        ("\x1b[", "<65;10;5M", "M-[ ScrollDown"),
        ("\x1b", "[<65;10;5M", "Esc ScrollDown"),
        ("\x1b[M", " !!", ""),
        ("\x1b[M ", "!!", ""),
        ("\x1b[?62;1;2", ";4c", ""),
        ("\x1b", "[?62;4c", "Esc"),
        ("\x1b[", ">41;390;0c", "M-["),
        ("\x1b[?2026;2", "$y", ""),
        ("\x1b[24;8", "0R", "at24,80"),
        ("\x1b]11;rgb:1e1e/", "1e1e/2e2e\x1b\\", ""),
        ("\x1b]11;rgb:1e1e/", "1e1e/2e2e\x07", ""),
        ("\x1bP>|XTerm", "(390)\x1b\\", ""),
        ("\x1b", "]11;rgb:1e1e/1e1e/2e2e\x1b\\", "Esc Report(Background(Rgb(30, 30, 46)))"),
        ("\x1b", "]10;rgb:1e1e/1e1e/2e2e\x1b\\", "Esc"),
        ("\x1b", "P>|foot(1.16.2)\x1b\\", "Esc"),
        ("\x1b_", "Gi=31;OK\x1b\\", "M-_"),
    ] {
        let reads: [(u64, &[u8]); 3] = [(0, begun.as_bytes()), (900, rest.as_bytes()), (1, b"ok")];
        let expected = format!("{expected} o k");
        assert_eq!(written(&decode(&reads)), expected.trim_start(), "{begun:?} {rest:?}");
        // Much later, the bytes are taken as they are.
        let reads: [(u64, &[u8]); 2] = [(0, begun.as_bytes()), (9_000, b"ok")];
        assert!(written(&decode(&reads)).ends_with("o k"), "{begun:?}");
    }
    // Text that is typed instead is kept.
    for (begun, typed, expected) in [
        ("\x1b[<64;1", "hi", "h i"),
        ("\x1b[<64;1", "5", "5"),
        ("\x1b[12;3", "M", "M"),
        ("\x1b", "[A", "Esc [ A"),
        ("\x1b", "[?", "Esc [ ?"),
        ("\x1b", "]1", "Esc ] 1"),
        ("\x1b]11;rgb:12", "hi", "h i"),
        ("\x1b]11;rgb:12", "\x07", "C-g"),
        ("\x1b]11;rgb:12", "a\x1b[A", "a Up"),
    ] {
        let reads: [(u64, &[u8]); 2] = [(0, begun.as_bytes()), (900, typed.as_bytes())];
        assert_eq!(written(&decode(&reads)), expected, "{begun:?} {typed:?}");
    }
}

#[test]
fn a_requested_position_report_is_not_a_key() {
    let mut decoder = Decoder::new(None);
    decoder.expect_position();
    let events = decode_with(decoder, &[(0, b"\x1b[1;3R\x1b[1;3R")]);
    assert_eq!(written(&events), "at1,3 M-F3");
}

#[test]
fn an_invalid_byte_does_not_swallow_a_key() {
    for wrong in
        [&b"\xff"[..], b"\xc3", b"\x80", b"\xe2\x82", b"\xf0\x9f\x91", b"\x9b", b"\xc0\xaf"]
    {
        for (next, expected) in
            [("a", "a"), ("é", "é"), ("\x1b[A", "Up"), ("\x11", "C-q"), ("\r", "Enter")]
        {
            let bytes = [wrong, next.as_bytes()].concat();
            assert_eq!(written(&decode(&[(0, &bytes)])), expected, "{bytes:?}");
            let torn = decode(&[(0, wrong), (10, next.as_bytes())]);
            assert_eq!(written(&torn), expected, "{bytes:?} torn");
            let late = decode(&[(0, wrong), (400, next.as_bytes())]);
            assert_eq!(written(&late), expected, "{bytes:?} late");
        }
    }
}

#[test]
fn a_paste_is_one_text_and_ends_by_itself() {
    assert_eq!(keys("\x1b[200~a\rb\x1b[Ac\x1b[201~d"), "paste\"a\\rb\\u{1b}[Ac\" d");
    let open = decode(&[(0, b"\x1b[200~half"), (100, b" and half"), (301, b"\x11")]);
    assert_eq!(written(&open), "paste\"half and half\" C-q");
    let torn = decode(&[(0, b"\x1b[200~text\x1b[20"), (301, b"\x11")]);
    assert_eq!(written(&torn), "paste\"text\" C-q");
    // An end marker that comes too late, or without a beginning, is ignored.
    assert_eq!(keys("\x1b[201~x"), "x");
}

#[test]
fn lines_without_brackets_are_one_text_and_typed_lines_are_keys() {
    assert_eq!(keys("one\rtwo\rthree\r"), "burst\"one\\rtwo\\rthree\\r\"");
    assert_eq!(keys("one\ntwo"), "burst\"one\\ntwo\"");
    let lines: [(u64, &[u8]); 3] = [(0, b"one\r"), (10, b"two\r"), (10, b"three\r")];
    assert_eq!(written(&decode(&lines)), "o n e burst\"\\rtwo\\rthree\\r\"");
    assert_eq!(keys("one\r"), "o n e Enter");
    let typed: [(u64, &[u8]); 4] = [(0, b"a"), (30, b"\r"), (30, b"b"), (30, b"\r")];
    assert_eq!(written(&decode(&typed)), "a Enter b Enter");
    assert_eq!(written(&decode(&[(0, b"one\r"), (100, b"two\r")])), "o n e Enter t w o Enter");
    // Lines in another encoding must not be split either.
    assert_eq!(keys("x\r").len(), "x Enter".len());
    let latin = decode(&[(0, b"caf\xe9\rau lait\r")]);
    assert!(matches!(latin.as_slice(), [TerminalEvent::Burst(_)]), "{}", written(&latin));
    let torn = decode(&[(0, b"one\r\xc3"), (10, b"\xa9t\xc3\xa9\r")]);
    assert_eq!(written(&torn), "o n e burst\"\\rété\\r\"");
    // A key ends it.
    assert_eq!(keys("one\rtwo\x11"), "burst\"one\\rtwo\" C-q");
    assert_eq!(keys("\r\r"), "Enter Enter");
    assert_eq!(keys("one\r\n"), "o n e Enter");
}

#[test]
fn text_around_a_tab_that_comes_at_once_is_one_text() {
    assert_eq!(keys("name\tage"), "burst\"name\\tage\"");
    assert_eq!(keys("a\t\tb\tc\x11"), "burst\"a\\t\\tb\\tc\" C-q");
    assert_eq!(keys("one\ttwo\r"), "burst\"one\\ttwo\\r\"");
    // The Tab key alone, and at either end of typed text.
    assert_eq!(keys("\t"), "Tab");
    assert_eq!(keys("\tx"), "Tab x");
    assert_eq!(keys("\thello"), "Tab h e l l o");
    assert_eq!(keys("\tname\tage"), "burst\"\\tname\\tage\"");
    assert_eq!(keys("\t\tlet x = compute();"), "burst\"\\t\\tlet x = compute();\"");
    assert_eq!(keys("x\t"), "x Tab");
    assert_eq!(keys("x\t\r"), "x Tab Enter");
    let typed: [(u64, &[u8]); 3] = [(0, b"x"), (30, b"\t"), (30, b"y")];
    assert_eq!(written(&decode(&typed)), "x Tab y");
}

#[test]
fn the_erase_character_of_the_terminal_is_backspace() {
    let events = decode_with(Decoder::new(Some(8)), &[(0, b"\x08\x1b\x08\x7f")]);
    assert_eq!(written(&events), "Backspace M-Backspace Backspace");
}

proptest! {
    #[test]
    fn any_bytes_end_and_leave_the_next_key_alone(
        reads in proptest::collection::vec(
            (0u64..400, proptest::collection::vec(
                prop_oneof![
                    any::<u8>(),
                    proptest::sample::select(b"\x1b[]OP_\\~;0123\r\nA".to_vec()),
                ],
                0..12,
            )),
            0..12,
        ),
    ) {
        let mut reads: Vec<(u64, &[u8])> =
            reads.iter().map(|(wait, bytes)| (*wait, bytes.as_slice())).collect();
        reads.push((1_000, b"\x11"));
        let events = decode(&reads);
        let quit = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::CONTROL);
        prop_assert_eq!(events.last(), Some(&TerminalEvent::Input(Event::Key(quit))));
    }
}
