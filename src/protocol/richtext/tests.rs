use super::*;
use crate::model::{Align, Block, Link, Rgb};
use crate::protocol::link::MAX_LINKS;
use proptest::prelude::*;
use std::time::Instant;

/// The styles as text: one letter per style, then the text.
fn picture(markup: &str) -> String {
    fn draw(blocks: &[Block], out: &mut String) {
        for block in blocks {
            match block {
                Block::Paragraph { align, spans } => {
                    if *align == Align::Centre {
                        out.push_str("=centre=");
                    }
                    for span in spans {
                        let s = span.style;
                        let marks = [
                            (s.bold, 'b'),
                            (s.italic, 'i'),
                            (s.underline, 'u'),
                            (s.strike, 's'),
                            (s.mono, 'm'),
                            (s.blink, 'k'),
                            (s.dim, 'd'),
                        ];
                        let marks: String = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
                        let color = s
                            .color
                            .map(|Rgb(r, g, b)| format!("#{r:02x}{g:02x}{b:02x}"))
                            .unwrap_or_default();
                        let size = s.size.map(|s| format!("@{s}")).unwrap_or_default();
                        let link = match &span.link {
                            Some(Link::Url(u)) => format!("->{u}"),
                            Some(Link::Emoticon(name)) => format!(":{name}"),
                            Some(Link::Mention(id)) => format!("@{}", id.as_str()),
                            None => String::new(),
                        };
                        out.push_str(&format!(
                            "[{marks}{color}{size}{link}|{}]",
                            span.text.as_str()
                        ));
                    }
                }
                Block::Quote { from, body } => {
                    let name = from.as_ref().map_or("?", |f| f.name.as_str());
                    out.push_str(&format!("{{{name}: "));
                    draw(body, out);
                    out.push('}');
                }
                Block::Code { text: code, .. } => out.push_str(&format!("`{}`", code.as_str())),
                Block::Media(media) => out.push_str(&media.text()),
            }
        }
    }
    let mut out = String::new();
    draw(&parse(markup).blocks, &mut out);
    out
}

#[test]
fn every_tag_of_the_reference_page_has_its_style() {
    assert_eq!(picture("<b>Bold</b>"), "[b|Bold]");
    assert_eq!(picture("<i>Italic</i>"), "[i|Italic]");
    assert_eq!(picture("<u>Underline</u>"), "[u|Underline]");
    assert_eq!(picture("<s>Strikethrough</s>"), "[s|Strikethrough]");
    assert_eq!(picture("<font color=\"#ff0000\">Colour</font>"), "[#ff0000|Colour]");
    assert_eq!(picture("<font size=\"24\">Size</font>"), "[@24|Size]");
    assert_eq!(picture("<blink>Blink</blink>"), "[k|Blink]");
    assert_eq!(picture("<center>Centre</center>"), "=centre=[|Centre]");
    assert_eq!(
        picture("<a href=\"http://google.com\">http://google.com</a>"),
        "[->http://google.com|http://google.com]"
    );
    assert_eq!(
        picture("<a href=\"http://google.com\">Custom link</a>"),
        "[->http://google.com|Custom link][d->http://google.com| [google.com]]"
    );
    assert_eq!(picture("<pre>a  b</pre>"), "[m|a  b]");
}

#[test]
fn nested_crossed_and_upper_case_tags_combine() {
    assert_eq!(picture("<B>x<I>y</B>z</I>"), "[b|x][bi|y][|z]");
    assert_eq!(picture("<b raw_pre=\"*\" raw_post=\"*\">x</b>y</u>"), "[b|x][|y]");
}

#[test]
fn a_tag_that_is_nested_too_deeply_keeps_its_text_and_takes_its_own_end() {
    let deep = |outer: &str, inner: &str| {
        let (begin, end) =
            (format!("<{outer}>").repeat(1_000), format!("</{outer}>").repeat(1_000));
        picture(&format!("{begin}{inner}{end}after"))
    };
    assert_eq!(deep("b", "<i>x</i><font color=red>y</font>"), "[b|xy][|after]");
    assert_eq!(deep("b", "<span style=\"display:none\">x</span><big>y</big>"), "[b|xy][|after]");
    assert_eq!(deep("b", "<pre>x</pre><u/>y"), "[b|xy][|after]");
    assert_eq!(deep("pre", "<pre>x</pre>y"), "[m|xy][|after]");
    assert_eq!(deep("b", "<at id=\"8:a\">x</at><ss type=\"y\">y</ss>"), "[b|xy][|after]");
    assert_eq!(deep("b", "<ss type=\"y\" alt=\"x\">z</ss>"), "[b:y|x][b|z][|after]");
    assert_eq!(deep("b", "<li>x</li>"), "[b|* x][|after]");
    assert_eq!(deep("b", "x<p>y</p>"), "[b|x\ny][|after]");
}

#[test]
fn an_emoticon_in_another_one_is_the_outer_one() {
    assert_eq!(picture("<ss type=\"a\"><ss type=\"b\">:)</ss></ss>"), "[:a|:)]");
    assert_eq!(picture("<ss type=\"a\"><flag country=\"ua\"/></ss>"), "[:a|(flag:ua)]");
}

#[test]
fn anything_but_a_tag_is_text() {
    assert_eq!(picture("a < b && I <3 you"), "[|a < b && I <3 you]");
    assert_eq!(picture("Vec<String> x</String>"), "[|Vec<String> x</String>]");
    assert_eq!(picture("&amp;lt; &#39; &nope;"), "[|&lt; ' &nope;]");
    assert_eq!(picture("<b>open"), "[b|open]");
    // The placeholder for a stray bracket is never shown, and one that was sent does not turn into a bracket.
    assert_eq!(picture("a&<x; <&lt;< &#60;<b>y</b>"), "[|a&<x; <<< <][b|y]");
    assert_eq!(picture("\u{FDD0} < <b>y</b>"), "[|\u{FFFD} < ][b|y]");
}

#[test]
fn a_quote_drops_its_fallback_lines() {
    let markup = "<quote author=\"joe.4\" authorname=\"Joe\" timestamp=\"1451606400\"><legacyquote>[12:00:00] Joe: \
        </legacyquote>first<legacyquote>\r\n\r\n&lt;&lt;&lt; </legacyquote></quote>second";
    assert_eq!(picture(markup), "{Joe: [|first]}[|second]");
}

#[test]
fn mentions_edit_marks_and_emoticons() {
    assert_eq!(
        picture(
            "<at id=\"8:joe.4\">Joe</at> <ss type=\"smile\">:)</ss><e_m ts=\"1\" a=\"x\">gone</e_m>"
        ),
        "[@8:joe.4|Joe][| ][:smile|:)]"
    );
}

#[test]
fn a_script_link_is_only_text() {
    assert_eq!(picture("<a href=\"javascript:x\">click</a>"), "[|click]");
}

#[test]
fn a_text_of_nothing_but_links_keeps_every_label_and_has_a_limit_of_links() {
    let many = (0..MAX_LINKS + 100).map(|n| format!("<a href=\"http://x.example/{n}\">y</a>"));
    let rich = parse(&many.collect::<String>());
    assert_eq!(rich.links().len(), MAX_LINKS);
    let labels = rich.plain_text().replace(" [x.example]", "");
    assert_eq!(labels, "y".repeat(MAX_LINKS + 100));
}

#[test]
fn hostile_markup_is_read_in_linear_time() {
    let patterns = [
        "<b>",
        "</b>",
        "<",
        "<a \"",
        "<b",
        "&",
        "&lt",
        "<quote>",
        "<i></b>",
        "<a href='x",
        "<center>",
    ];
    for pattern in patterns {
        let big = pattern.repeat(256 * 1024 / pattern.len());
        let start = Instant::now();
        parse(&big);
        // A quadratic reader needs minutes for this; the bound is loose so that a slow machine passes.
        assert!(start.elapsed().as_secs() < 20, "{pattern} took {:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn any_text_parses_and_letters_outside_tags_survive(raw in "[a-z<>&/\"'= ;#x0-9\\n]{0,200}") {
        parse(&raw);
    }

    #[test]
    fn escaped_text_comes_back_whole(raw in "[ -~äöあ]{0,80}") {
        prop_assert_eq!(parse(&entity::escape(&raw)).plain_text(), raw);
    }
}
