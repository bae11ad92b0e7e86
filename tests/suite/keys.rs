//! The byte streams of terminals, typed into the built program.

use crate::common::terminal::{Seen, Terminal};
use std::path::Path;
use std::time::{Duration, Instant};

fn start(data: &Path, columns: u16, rows: u16) -> Terminal {
    // These would reveal which terminal the tests run in.
    let hints = ["COLORTERM", "TMUX", "STY", "ZELLIJ", "TERM_PROGRAM", "KONSOLE_VERSION"];
    Terminal::skchat(data, &["demo"], &hints.map(|name| (name, "")), columns, rows)
}

fn demo(data: &Path) -> Terminal {
    let t = start(data, 80, 24);
    t.wait_for("To Joe Bloggs ›");
    t.wait_for("live");
    t
}

/// Waits until the box holds this text, and nothing else, in its first row.
fn wait_for_box(t: &Terminal, text: &str) {
    let wanted = format!("› {text}");
    t.wait(&wanted, |s| {
        let screen = s.parser.screen().contents();
        screen
            .lines()
            .any(|line| line.contains('›') && line.trim_end().ends_with(wanted.trim_end()))
    });
}

#[test]
fn alt_arrows_of_every_kind_switch_chats() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    for down in ["\u{1b}\u{1b}[B", "\u{1b}\u{1b}OB", "\u{1b}[1;3B", "\u{1b}[1;33B"] {
        t.send(down);
        t.wait("another chat", |s| {
            let screen = s.parser.screen().contents();
            screen.contains("›") && !screen.contains("To Joe Bloggs ›")
        });
        t.send("\u{1b}\u{1b}[A");
        t.wait_for("To Joe Bloggs ›");
    }
    t.send("\u{1b}\u{1b}[5~ok");
    wait_for_box(&t, "ok");
}

#[test]
fn esc_and_a_character_in_one_moment_are_two_keys_unless_alt_is_bound() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    // The way a vi user quits.
    for (line, typed) in
        [("\u{1b}:q\r", ":q"), ("\u{1b}:wq!\r", ":wq!"), ("\u{1b}/quti\r", "/quti")]
    {
        t.send(line);
        t.wait_for("n or Esc: no");
        t.send("n");
        wait_for_box(&t, typed);
        t.send("\u{15}\u{15}");
        wait_for_box(&t, "");
    }
    t.send("\u{1b}ZZ");
    wait_for_box(&t, "ZZ");
    let screen = t.seen.0.lock().unwrap().parser.screen().contents();
    assert!(!screen.lines().any(|line| line.contains('✓') && line.contains('q')), "{screen}");
    // Where Alt is bound it is one key, and with the kitty protocol it always is.
    t.send("\u{1b}x");
    t.wait_for("All actions");
    t.send("\u{1b}");
    wait_for_box(&t, "ZZ");
    t.send("\u{1b}[?0u\u{1b}:q");
    wait_for_box(&t, "ZZq");
}

#[test]
fn a_sequence_that_is_torn_apart_is_put_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    for sequence in ["\u{1b}[1;3B", "\u{1b}\u{1b}[B", "\u{1b}\u{1b}OB"] {
        for byte in sequence.bytes() {
            t.send_bytes(&[byte]);
            // The terminal is slow: there is nothing on the screen to wait for.
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv_timeout(Duration::from_millis(40));
        }
        t.wait("another chat", |s| !s.parser.screen().contents().contains("To Joe Bloggs ›"));
        t.send("\u{1b}[1;3A");
        t.wait_for("To Joe Bloggs ›");
        wait_for_box(&t, "");
    }
}

#[test]
fn answers_of_the_terminal_and_wrong_bytes_never_reach_the_box() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    for answer in [
        "\u{1b}]11;rgb:1e1e/1e1e/2e2e\u{1b}\\",
        "\u{1b}]52;c;c2VjcmV0\u{7}",
        "\u{1b}P>|XTerm(390)\u{1b}\\",
        "\u{1b}_Gi=31;OK\u{1b}\\",
        "\u{1b}[>41;390;0c",
        "\u{1b}[?62;4c",
        "\u{1b}[1;3R",
        "\u{1b}[12;40R",
        "\u{1b}[?2026;2$y",
    ] {
        t.send(answer);
    }
    t.send_bytes(b"\xffa\xc3b\x80c");
    wait_for_box(&t, "abc");
}

/// A demo in which a scientist was sent as an emoji of three parts. `answer` is what the terminal has answered by the
/// time the program reads it.
fn demo_with_joined_emoji(data: &Path, answer: &str) -> Terminal {
    let mut t = start(data, 80, 24);
    t.send(answer);
    // No answer is needed for the first frame.
    t.wait_for("To Joe Bloggs ›");
    t.wait_for("live");
    assert!(t.sent().contains(skchat::runtime::joined_emoji::QUESTION));
    assert!(!t.seen.0.lock().unwrap().parser.screen().contents().contains('🔬'), "it stays");
    t.send("\u{1F469}\u{1F3FD}\u{200D}\u{1F52C} lab\r");
    t.wait("the message", |s| {
        s.parser.screen().contents().lines().any(|l| l.contains(" lab") && l.contains('✓'))
    });
    t
}

/// Waits until the parts of the emoji are drawn separately, or as one.
fn wait_for_parts(t: &Terminal, apart: bool) {
    t.wait(if apart { "parts" } else { "one picture" }, |s| {
        s.parser.screen().contents().contains("👩🔬 lab") == apart
    });
}

#[test]
fn a_terminal_that_answers_at_once_shows_how_it_draws_joined_emoji_and_types_nothing_by_it() {
    for (answer, apart) in [("\u{1b}[2;3R", false), ("\u{1b}[2;7R", true)] {
        let dir = tempfile::tempdir().unwrap();
        let mut t = demo_with_joined_emoji(dir.path(), answer);
        wait_for_parts(&t, apart);
        t.send("draft");
        wait_for_box(&t, "draft");
        // A second answer belongs to somebody else's question.
        t.send("\u{1b}[2;3R\u{1b}[2;9Red");
        wait_for_box(&t, "drafted");
        wait_for_parts(&t, apart);
    }
}

#[test]
fn an_answer_that_comes_late_is_typed_nowhere_and_changes_nothing() {
    // Where the user may be meanwhile, how that shows, and whether the answer arrives byte by byte.
    for (keys, shows, torn) in
        [("\u{1b}x", "All actions", false), ("\u{12}", "exact phrase", true), ("", "lab", true)]
    {
        let dir = tempfile::tempdir().unwrap();
        // Without an answer it is drawn in a way that is right in every terminal.
        let mut t = demo_with_joined_emoji(dir.path(), "");
        // Seconds after the question: somebody has answered the message.
        t.wait_for("Ha, exactly what I was going to say.");
        t.send(keys);
        t.wait_for(shows);
        let cleared = |s: &Seen| String::from_utf8_lossy(&s.bytes).matches("\u{1b}[2J").count();
        let before = cleared(&t.seen.0.lock().unwrap());
        if torn {
            for byte in b"\x1b[2;3R" {
                t.send_bytes(&[*byte]);
            }
        } else {
            t.send("\u{1b}[2;3R");
        }
        t.send("z");
        t.wait("only what was typed", |s| {
            let screen = s.parser.screen().contents();
            let mut inputs = screen.lines().filter_map(|line| line.split_once("› z"));
            inputs.any(|(_, after)| after.is_empty() || after.starts_with("  "))
        });
        t.send("\u{8}\u{1b}");
        t.wait_for("lab");
        wait_for_parts(&t, true);
        assert_eq!(cleared(&t.seen.0.lock().unwrap()), before, "nothing is drawn anew");
        t.send("\u{11}");
        t.wait_end();
    }
}

#[test]
fn a_width_that_was_chosen_is_not_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), "[ui]\nemoji_width = \"cluster\"\n").unwrap();
    let mut t = demo(dir.path());
    t.send("\u{1b}[2;9Rok");
    wait_for_box(&t, "ok");
    t.send("\u{11}");
    assert!(!t.end().contains("\u{1b}[6n"));
}

#[test]
fn a_paste_without_its_end_ends_by_itself_and_ctrl_q_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    t.send("\u{1b}[200~half a paste");
    wait_for_box(&t, "half a paste");
    t.send("\u{11}");
    assert_eq!(t.exit_code(), 0);
}

#[test]
fn a_tab_that_comes_at_once_with_text_is_text_unless_it_completes_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    t.send("name\tage\tplace");
    wait_for_box(&t, "name    age     place");
    t.send("\u{15}\u{15}");
    wait_for_box(&t, "");
    t.send("\tled");
    wait_for_box(&t, "led");
    t.send("\u{15}\u{15}");
    wait_for_box(&t, "");
    t.send("well @jo\thello");
    wait_for_box(&t, "well @Joe Bloggs hello");
    t.send("\u{11}");
    t.wait_end();
}

#[test]
fn lines_that_come_at_once_are_one_text_and_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    t.send("first line\rsecond line\rthird line\r");
    t.wait_for("third line");
    wait_for_box(&t, "first line");
    t.wait("no message", |s| {
        let screen = s.parser.screen().contents();
        !screen.lines().any(|line| line.contains("line") && line.contains('✓'))
    });
    t.send("\r");
    t.wait("one message", |s| {
        let screen = s.parser.screen().contents();
        screen.lines().filter(|line| line.contains("line") && line.contains('✓')).count() == 1
    });
}

#[test]
fn reports_of_the_mouse_act_however_they_are_torn_and_type_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    for byte in b"\x1b[<0;3;3M\x1b[<0;3;3m" {
        t.send_bytes(&[*byte]);
    }
    t.wait_for("To Kitchen crew ›");
    // A sequence that is cut off takes no key with it.
    t.send("\u{1b}[<0;3\u{1b}[1;3A");
    t.wait_for("To Joe Bloggs ›");
    t.send("\u{1b}[<0;3;3");
    t.send("M");
    t.wait_for("To Kitchen crew ›");
    t.send("\u{1b}s");
    t.wait("the terminal's own mouse", |s| {
        let bytes = String::from_utf8_lossy(&s.bytes);
        bytes.rfind("\u{1b}[?1000l") > bytes.rfind("\u{1b}[?1000h")
    });
    // The terminal sent this before it received that.
    t.send("\u{1b}[<0;3;2M\u{1b}[<64;9;9Mok");
    wait_for_box(&t, "ok");
    t.wait_for("To Kitchen crew ›");
    t.send("\u{11}");
    t.wait_end();
}

#[test]
fn a_terminal_with_the_kitty_protocol_has_shift_enter() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = demo(dir.path());
    assert!(t.sent().contains("\u{1b}[?u"));
    assert!(!t.sent().contains("\u{1b}[>5u"));
    t.send("\u{1b}[?0u");
    t.wait("the protocol", |s| String::from_utf8_lossy(&s.bytes).contains("\u{1b}[>5u"));
    t.send("one\u{1b}[13;2utwo");
    t.wait_for("two");
    wait_for_box(&t, "one");
    t.send("\u{1b}[113;5u");
    let sent = t.end();
    assert!(sent.rfind("\u{1b}[<u") > sent.rfind("\u{1b}[>5u"), "the keyboard is given back");
    assert!(sent.rfind("\u{1b}[<u") < sent.rfind("\u{1b}[?1049l"), "on the screen it was taken on");
}

#[test]
fn a_resize_in_the_first_milliseconds_is_noticed() {
    for turn in 0..8_u16 {
        let dir = tempfile::tempdir().unwrap();
        let mut t = start(dir.path(), 80, 24);
        let until = Instant::now() + Duration::from_millis(u64::from(turn) * 4);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        t.resize(100, 30);
        t.wait("all of it", |s| {
            let screen = s.parser.screen().contents();
            screen.lines().count() == 30 && screen.lines().last().is_some_and(|l| l.contains("F1"))
        });
    }
}

#[test]
fn a_terminal_without_a_size_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(dir.path(), 0, 0);
    t.wait("the question", |s| String::from_utf8_lossy(&s.bytes).contains("\u{1b}[6n"));
    t.resize(80, 24);
    t.wait_for("To Joe Bloggs ›");
    // A terminal that never has a size answers instead.
    let dir = tempfile::tempdir().unwrap();
    let mut t = start(dir.path(), 0, 0);
    t.wait("the question", |s| String::from_utf8_lossy(&s.bytes).contains("\u{1b}[6n"));
    t.send("\u{1b}[24;80R");
    t.wait("a frame", |s| String::from_utf8_lossy(&s.bytes).contains("Joe"));
    t.send("\u{11}");
    t.wait_end();
}

#[test]
fn the_configuration_counts_when_it_changes_on_disk_and_a_broken_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, "[ui]\nmouse = true\n").unwrap();
    let mut t = demo(dir.path());
    // Written in place, as by a shell.
    std::fs::write(&config, "[keys]\npreset = \"vim\"\n").unwrap();
    t.wait_for("INSERT");
    t.send("hello\u{1b}");
    t.wait_for("NORMAL");
    std::fs::write(&config, "[keys]\npreset = \"vim\"\n[ui]\nmouse = maybe\n").unwrap();
    t.wait_for("config.toml:4:");
    t.send("a!");
    t.wait_for("INSERT");
    wait_for_box(&t, "hello!");
    // Replaced, as by an editor.
    let fresh = dir.path().join("config.new");
    std::fs::write(&fresh, "[keys]\npreset = \"default\"\n").unwrap();
    std::fs::rename(&fresh, &config).unwrap();
    t.wait_for("Your configuration file is valid again · Read: keys.preset");
    t.send("jk");
    wait_for_box(&t, "hello!jk");
}
