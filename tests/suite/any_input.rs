//! Properties of reading and drawing, over random and malicious input. The fuzz targets in `tests/fuzz` call the same
//! checks.

use crate::common::checks;
use proptest::prelude::*;

/// Pieces of markup and of what people hide in it, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "(<b>|</b>|<i>|</i>|<u>|</u>|<s>|<pre>|</pre>|<center>|</center>|<blink>)",
        "(<font color=\"#0f0\">|<font size=\"20\">|</font>|<a href=\"https://a.example/x\">|</a>|<at id=\"8:joe.4\">|</at>)",
        "(<quote authorname=\"J\">|</quote>|<legacyquote>|</legacyquote>|<ss type=\"smile\">|</ss>|<flag country=\"gb\"/>|<e_m/>)",
        "(<URIObject type=\"File.1\">|</URIObject>|<OriginalName v=\"x\"/>|<partlist>|<p>|<div>|</div>|<table><tr><td>|<li>|<img alt=\"x\">)",
        "(&lt;|&amp;|&#27;|&#x202e;|&nope;|&|<|>|<!--|-->|<!\\[CDATA\\[|\\]\\]>)",
        "(\u{1b}\\[31m|\u{9b}|\u{202e}|\u{200b}|\u{e0041}|\u{7}|\r\n|\n|\t)",
        "(👨\u{200d}👩\u{200d}👧|🇬🇧|❤\u{fe0f}|e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}|あ|한|שלום|مرحبا|क्षि)",
        "(\\*|_|~|\\{code\\}|@Joe|https://b.example|word |a|1)",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "Text",
        "RichText",
        "RichText/Html",
        "RichText/UriObject",
        "RichText/Media_Card",
        "RichText/Contacts",
        "RichText/Location",
        "RichText/Files",
        "RichText/Sms",
        "Event/Call",
        "ThreadActivity/AddMember",
        "ThreadActivity/TopicUpdate",
        "ThreadActivity/MemberJoined",
        "Poll",
        "Notice",
        "Hologram/Wave",
    ])
}

proptest! {
    #[test]
    fn any_markup_reads_safely_and_is_written_back_without_loss(text in pieces()) {
        checks::markup_holds(&text);
    }

    #[test]
    fn cleaning_leaves_nothing_that_acts(text in pieces()) {
        checks::sanitiser_holds(&text);
    }

    #[test]
    fn any_item_reads(kind in kind(), content in pieces(), item in pieces()) {
        checks::decoder_holds(kind, &content, &item);
    }

    #[test]
    fn every_row_is_exactly_as_wide_as_the_screen(
        kind in kind(), content in pieces(), name in pieces(), columns in 1u16..130, rows in 1u16..45, depth: u8,
    ) {
        checks::renderer_holds(kind, &content, &name, columns, rows, depth);
    }
}
