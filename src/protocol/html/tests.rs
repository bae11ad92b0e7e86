use super::*;

fn read(html: &str) -> RichText {
    parse(html, &[("0".to_owned(), UserId::new("8:joe.4"))])
}

#[test]
fn a_teams_body_reads_as_text_with_styles_and_links() {
    let rich = read(
        "<div><p>Hello <strong>all</strong> &amp; <a href=\"https://x.example\">here</a></p><ul><li>one</li></ul></div>",
    );
    assert_eq!(rich.plain_text(), "Hello all & here\n* one");
    assert_eq!(rich.links().len(), 1);
}

#[test]
fn a_tower_of_tags_is_stripped_and_nothing_is_lost() {
    let tower = format!("{}end", "<div>".repeat(5000));
    assert_eq!(read(&tower).plain_text(), "end");
}

#[test]
fn a_reply_quotes_its_message_and_a_mention_keeps_its_person() {
    let rich = read(
        "<blockquote itemscope itemtype=\"http://schema.skype.com/Reply\" itemid=\"1600000000000\">\
         <strong itemprop=\"mri\" itemid=\"8:mia.tan\">Mia</strong><span itemprop=\"time\" itemid=\"1600000000000\">\
         </span><p itemprop=\"preview\">Who &amp; when?</p></blockquote><p>Ask \
         <span itemtype=\"http://schema.skype.com/Mention\" itemscope itemid=\"0\">Joe</span>, <u>now</u> \
         <span class=\"animated-emoticon-20-smile\" type=\"(smile)\"><img itemid=\"smile\" \
         itemtype=\"http://schema.skype.com/Emoji\" alt=\"x\"></span></p>",
    );
    let from = rich.quoted().unwrap();
    assert_eq!(from.name.as_str(), "Mia");
    assert_eq!(from.message.as_deref(), Some("1600000000000"));
    assert_eq!(from.author, Some(UserId::new("8:mia.tan")));
    assert_eq!(rich.plain_text(), "Mia: Who & when?\nAsk Joe, now x");
    assert!(rich.mentions(&UserId::new("8:joe.4")));
    let Some(Block::Paragraph { spans, .. }) = rich.blocks.last() else { panic!("no text") };
    assert!(spans.iter().any(|s| s.style.underline && s.text.as_str() == "now"));
    assert!(
        spans.iter().any(|s| matches!(&s.link, Some(Link::Emoticon(n)) if n.as_str() == "smile"))
    );
}

#[test]
fn tables_code_and_pictures_stay_readable() {
    let table =
        read("<table><tr><td>a</td><td>bb</td></tr><tr><td>ccc</td><td>d</td></tr></table>");
    let text = table.plain_text();
    assert!(text.lines().all(|line| line.chars().count() < 40), "{text}");
    assert!(text.contains("ccc") && text.contains("bb"), "{text}");
    let code = read("<pre class=\"language-rust\"><code>fn a() {\n    b();\n}</code></pre>");
    assert_eq!(code.plain_text(), "fn a() {\n    b();\n}");
    let [Block::Code { language: Some(language), .. }] = &code.blocks[..] else {
        panic!("{code:?}")
    };
    assert_eq!(&**language, "rust");
    let line = read("<pre class=\"language-rust\">let x = 1;</pre>");
    assert!(matches!(&line.blocks[..], [Block::Code { language: Some(_), .. }]), "{line:?}");
    let between = read(
        "<p>Like <b>this</b>:</p><pre><code class=\"language-c++\"><span>int</span> a;<br>b &lt; c;</code></pre><p>end</p>",
    );
    assert_eq!(between.plain_text(), "Like this:\nint a;\nb < c;\nend");
    let is_cpp =
        |block: &Block| matches!(block, Block::Code { language: Some(l), .. } if &**l == "c++");
    assert!(between.blocks.iter().any(is_cpp), "{between:?}");
    let image = read(
        "<p><img src=\"https://api.example/v1/objects/0/views/imgo\" itemtype=\"http://schema.skype.com/AMSImage\"></p><hr><p>x</p>",
    );
    assert_eq!(image.plain_text(), "[image]\n\n———\n\nx");
    assert_eq!(image.links().len(), 1);
}

#[test]
fn code_without_an_end_is_text_and_costs_no_more_than_its_length() {
    let open = read("<p>a</p><pre class=\"language-rust\">fn a<br>b");
    assert!(open.plain_text().contains("fn a"), "{open:?}");
    let many = "<pre>".repeat(12_000);
    let begun = std::time::Instant::now();
    read(&many);
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn a_byte_order_mark_before_a_quote_or_code_changes_nothing() {
    for html in ["<blockquote>quoted</blockquote><p>own</p>", "<pre>a\nb</pre><p>own</p>"] {
        assert_eq!(read(&format!("\u{FEFF}{html}")), read(html), "{html}");
    }
}
