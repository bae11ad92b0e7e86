//! Typed text (`*bold* _italic_ ~strike~ {code}…{code} @Name`, backtick code) to formatted text and back (facts 4.1).
//!
//! The way back is checked by reading the result again: text that would not come out the same is not edited as typed.

mod in_code;

pub use in_code::is_in_code;

use super::id::UserId;
use super::rich::{Align, Block, Link, RichText, Span, SpanStyle, is_language};
use super::text::SafeText;
use serde::{Deserialize, Serialize};

const CODE: &str = "{code}";
/// The least number of backticks on the lines before and after code. The line before it may name the language; the one
/// after it has at least as many backticks.
const FENCE: &str = "```";
const TICK: char = '`';
/// Markers nested deeper than this are text.
const DEPTH: usize = 3;

/// Someone mentioned by name in the message box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub name: SafeText,
    pub id: UserId,
    /// The label after the `@` in the box, if the name alone is ambiguous.
    #[serde(default)]
    pub label: Option<SafeText>,
}

impl Mention {
    /// A person whose name is not ambiguous.
    pub fn by_name(name: SafeText, id: UserId) -> Self {
        Self { name, id, label: None }
    }

    /// The text after the `@` in the box.
    pub fn typed(&self) -> &SafeText {
        self.label.as_ref().unwrap_or(&self.name)
    }
}

/// Reads typed text. A marker needs white space, punctuation or the text's edge outside it, and something other than
/// white space inside; `mentions` are the names that may follow an `@`.
pub fn read(text: &str, mentions: &[Mention]) -> RichText {
    let mut reader = MarkupReader { mentions, blocks: Vec::new(), spans: Vec::new() };
    reader.run(text, SpanStyle::default(), None, 0);
    reader.end_paragraph();
    if reader.blocks.is_empty() {
        return RichText::plain("");
    }
    RichText { blocks: reader.blocks }
}

struct MarkupReader<'a> {
    mentions: &'a [Mention],
    blocks: Vec<Block>,
    spans: Vec<Span>,
}

impl MarkupReader<'_> {
    fn run(&mut self, text: &str, style: SpanStyle, before: Option<char>, depth: usize) {
        let mut before = before;
        let mut rest = text;
        let mut plain = String::new();
        let mut ends = MarkerEnds::default();
        let mut fences = Fences::default();
        while let Some(c) = rest.chars().next() {
            let tail = rest.get(c.len_utf8()..).unwrap_or_default();
            if depth == 0
                && c == '{'
                && let Some((code, after)) =
                    rest.strip_prefix(CODE).and_then(|inner| inner.split_once(CODE))
                && !code.is_empty()
            {
                self.push(&mut plain, style, None);
                self.code(code);
                (rest, before) = (after, Some('}'));
                continue;
            }
            if depth == 0
                && before.is_none_or(|c| c == '\n')
                && let Some((language, code, after)) = fences.read(rest)
            {
                if plain.ends_with('\n') {
                    plain.pop();
                }
                self.push(&mut plain, style, None);
                self.end_paragraph();
                let language = language.map(Box::from);
                self.blocks.push(Block::Code { text: SafeText::text(code), language });
                (rest, before) = (after.strip_prefix('\n').unwrap_or(after), Some('\n'));
                continue;
            }
            if before.is_none_or(outside) {
                if c == TICK
                    && let Some((code, after)) = in_ticks(rest)
                {
                    self.push(&mut plain, style, None);
                    let mono = SpanStyle { mono: true, ..style };
                    self.push(&mut code.to_owned(), mono, None);
                    (rest, before) = (after, Some(TICK));
                    continue;
                }
                if c == '@'
                    && let Some(mention) = self.mention(tail)
                {
                    let typed = mention.typed().to_string();
                    let mut name = mention.name.to_string();
                    let link = Some(Link::Mention(mention.id.clone()));
                    self.push(&mut plain, style, None);
                    self.push(&mut name, style, link);
                    rest = tail.get(typed.len()..).unwrap_or_default();
                    before = typed.chars().next_back();
                    continue;
                }
                let marked = style_of(c, style).filter(|_| depth < DEPTH);
                if let Some((inner_style, inner)) =
                    marked.and_then(|style| Some((style, ends.inside(tail, c)?)))
                {
                    self.push(&mut plain, style, None);
                    self.run(inner, inner_style, Some(c), depth + 1);
                    rest = tail.get(inner.len() + c.len_utf8()..).unwrap_or_default();
                    before = Some(c);
                    continue;
                }
            }
            plain.push(c);
            (rest, before) = (tail, Some(c));
        }
        self.push(&mut plain, style, None);
    }

    fn push(&mut self, text: &mut String, style: SpanStyle, link: Option<Link>) {
        if !text.is_empty() {
            self.spans.push(Span { text: SafeText::text(text), style, link });
            text.clear();
        }
    }

    /// Code of one line stays in its line; code of several lines becomes a block.
    fn code(&mut self, code: &str) {
        if code.contains('\n') {
            self.end_paragraph();
            self.blocks.push(Block::Code { text: SafeText::text(code), language: None });
        } else {
            let style = SpanStyle { mono: true, ..SpanStyle::default() };
            self.spans.push(Span { text: SafeText::text(code), style, link: None });
        }
    }

    fn end_paragraph(&mut self) {
        if !self.spans.is_empty() {
            let spans = std::mem::take(&mut self.spans);
            self.blocks.push(Block::Paragraph { align: Align::Left, spans });
        }
    }

    /// The longest name that occurs here as a whole.
    fn mention(&self, tail: &str) -> Option<&Mention> {
        let fits = self.mentions.iter().filter(|m| {
            tail.strip_prefix(m.typed().as_str())
                .is_some_and(|after| after.chars().next().is_none_or(|c| !c.is_alphanumeric()))
        });
        fits.filter(|m| !m.name.is_empty()).max_by_key(|m| m.typed().len())
    }
}

/// The number of backticks at the beginning of a text.
fn ticks(text: &str) -> usize {
    text.len() - text.trim_start_matches(TICK).len()
}

/// Code in backticks at the beginning of a text, and what follows it. It ends at as many backticks as began it, in the
/// same line; one space inside them at both ends is not part of the code.
fn in_ticks(text: &str) -> Option<(&str, &str)> {
    let count = Some(ticks(text)).filter(|count| *count > 0)?;
    let inner = text.get(count..)?;
    let mut at = 0;
    loop {
        let found = at + inner.get(at..)?.find([TICK, '\n'])?;
        let rest = inner.get(found..)?;
        let length = Some(ticks(rest)).filter(|length| *length > 0)?;
        at = found + length;
        if length != count {
            continue;
        }
        let after = inner.get(at..)?;
        let code = inner.get(..found)?;
        let is_alone = after.chars().next().is_none_or(|c| !c.is_alphanumeric());
        if !is_alone || code.trim().is_empty() {
            return None;
        }
        let padded = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
        return Some((padded.unwrap_or(code), after));
    }
}

/// The number of backticks for which a search for the end of the code has failed: there is no end for more of them
/// either, and nothing is read twice.
#[derive(Default)]
struct Fences(Option<usize>);

impl Fences {
    /// Code between two fences at the beginning of a text: its language, the code, and what follows.
    fn read<'a>(&mut self, text: &'a str) -> Option<(Option<&'a str>, &'a str, &'a str)> {
        let count = ticks(text);
        if count < FENCE.len() || self.0.is_some_and(|failed| count >= failed) {
            return None;
        }
        let (language, inner) = text.get(count..)?.split_once('\n')?;
        let language = language.trim();
        if !language.is_empty() && !is_language(language) {
            return None;
        }
        let mut at = 0;
        for line in inner.split_inclusive('\n') {
            if ticks(line) >= count && line.trim_start_matches(TICK).trim().is_empty() {
                let code = inner.get(..at)?.strip_suffix('\n')?;
                let after = inner.get(at + line.trim_end_matches('\n').len()..)?;
                let language = Some(language).filter(|language| !language.is_empty());
                return (!code.trim().is_empty()).then_some((language, code, after));
            }
            at += line.len();
        }
        self.0 = Some(count);
        None
    }
}

/// The style a marker stands for, unless it is already in effect.
fn style_of(marker: char, style: SpanStyle) -> Option<SpanStyle> {
    match marker {
        '*' if !style.bold => Some(SpanStyle { bold: true, ..style }),
        '_' if !style.italic => Some(SpanStyle { italic: true, ..style }),
        '~' if !style.strike => Some(SpanStyle { strike: true, ..style }),
        _ => None,
    }
}

/// For each marker, how much text remained where a search for its end failed: there is no end before that point, and
/// nothing is read twice.
#[derive(Default)]
struct MarkerEnds([Option<usize>; 3]);

impl MarkerEnds {
    /// The text up to the closing marker, if there is one on the same line.
    fn inside<'a>(&mut self, tail: &'a str, marker: char) -> Option<&'a str> {
        let failed = match marker {
            '*' => self.0.first_mut()?,
            '_' => self.0.get_mut(1)?,
            _ => self.0.get_mut(2)?,
        };
        if failed.is_some_and(|left| tail.len() > left) || tail.starts_with([' ', '\n', marker]) {
            return None;
        }
        let mut previous = marker;
        for (at, c) in tail.char_indices() {
            if c == '\n' {
                *failed = Some(tail.len() - at);
                return None;
            }
            if c == marker && !previous.is_whitespace() {
                let after = tail.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
                if after.is_none_or(outside) {
                    return tail.get(..at);
                }
            }
            previous = c;
        }
        *failed = Some(0);
        None
    }
}

fn outside(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | '.' | ';' | ':' | '?' | '!' | '(' | ')' | '*' | '_' | '~')
}

/// Formatted text as it would be typed, with the people it mentions; `None` if part of it cannot be typed. `label_of`
/// gives the label of someone whose name is ambiguous.
pub fn write(
    rich: &RichText,
    label_of: &dyn Fn(&UserId) -> Option<SafeText>,
) -> Option<(String, Vec<Mention>)> {
    // Backticks are what people type, but they do not make code everywhere.
    let mut ways = ["`", CODE].into_iter();
    ways.find_map(|code_mark| {
        let (text, mentions) = write_with(rich, code_mark, label_of)?;
        (flat(&read(&text, &mentions)) == flat(rich)).then_some((text, mentions))
    })
}

fn write_with(
    rich: &RichText,
    code_mark: &str,
    label_of: &dyn Fn(&UserId) -> Option<SafeText>,
) -> Option<(String, Vec<Mention>)> {
    let mut out = String::new();
    let mut mentions = Vec::new();
    let mut after_fence = false;
    for block in &rich.blocks {
        match block {
            Block::Code { text, language: None } => out.extend([CODE, text, CODE]),
            Block::Code { text, language: Some(language) } => {
                if !out.is_empty() {
                    out.push('\n');
                }
                let inside = text.lines().map(ticks).max().unwrap_or(0);
                let fence = "`".repeat(FENCE.len().max(inside + 1));
                out.extend([&fence, &**language, "\n", text, "\n", &fence]);
            }
            Block::Paragraph { align: Align::Left, spans } => {
                if after_fence {
                    out.push('\n');
                }
                for span in spans.iter().filter(|s| !s.text.is_empty()) {
                    out.push_str(&write_span(span, code_mark, label_of, &mut mentions)?);
                }
            }
            Block::Paragraph { .. } | Block::Quote { .. } | Block::Media(_) => return None,
        }
        after_fence = matches!(block, Block::Code { language: Some(_), .. });
    }
    Some((out, mentions))
}

/// A span with its markers; `None` when it is a link or emoticon, which nobody can type.
fn write_span(
    span: &Span,
    code_mark: &str,
    label_of: &dyn Fn(&UserId) -> Option<SafeText>,
    mentions: &mut Vec<Mention>,
) -> Option<String> {
    let mut text = span.text.to_string();
    match &span.link {
        Some(Link::Mention(id)) => {
            let mention = Mention { name: span.text.clone(), id: id.clone(), label: label_of(id) };
            text = format!("@{}", mention.typed());
            mentions.push(mention);
        }
        Some(Link::Url(url)) if *url == span.text => {}
        Some(_) => return None,
        None => {}
    }
    let s = span.style;
    for (on, marker) in [(s.mono, code_mark), (s.bold, "*"), (s.italic, "_"), (s.strike, "~")] {
        if on {
            text = format!("{marker}{text}{marker}");
        }
    }
    Some(text)
}

/// A piece of text of one style and link; code blocks and quotes have no style.
type StyleRun = (Option<SpanStyle>, Option<Link>, String);

/// Runs of equal style and link; an address that is its own label is plain text.
fn flat(rich: &RichText) -> Vec<StyleRun> {
    let mut runs: Vec<StyleRun> = Vec::new();
    for block in &rich.blocks {
        match block {
            Block::Paragraph { spans, .. } => {
                spans.iter().filter(|s| !s.text.is_empty()).for_each(|s| push_run(&mut runs, s));
            }
            Block::Code { text, .. } => runs.push((None, None, text.to_string())),
            Block::Quote { .. } | Block::Media(_) => runs.push((None, None, String::new())),
        }
    }
    runs
}

fn push_run(runs: &mut Vec<StyleRun>, span: &Span) {
    let is_own_label = |link: &Link| matches!(link, Link::Url(url) if *url == span.text);
    let link = span.link.clone().filter(|link| !is_own_label(link));
    match runs.last_mut() {
        Some((style, known, text))
            if *style == Some(span.style) && *known == link && link.is_none() =>
        {
            text.push_str(&span.text);
        }
        _ => runs.push((Some(span.style), link, span.text.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(text: &str, mentions: &[Mention]) -> String {
        let mut out = String::new();
        for block in read(text, mentions).blocks {
            match block {
                Block::Paragraph { spans, .. } => {
                    for span in spans {
                        let s = span.style;
                        let marks =
                            [(s.bold, 'b'), (s.italic, 'i'), (s.strike, 's'), (s.mono, 'm')];
                        let marks: String = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
                        let at = if span.link.is_some() { "@" } else { "" };
                        out.push_str(&format!("[{marks}{at}|{}]", span.text.as_str()));
                    }
                }
                Block::Code { text, .. } => out.push_str(&format!("`{}`", text.as_str())),
                Block::Quote { .. } | Block::Media(_) => out.push('>'),
            }
        }
        out
    }

    #[test]
    fn fences_on_lines_of_their_own_make_code_with_a_language_and_are_written_back() {
        for (typed, language, code) in
            [("```rust\nfn *a*\n```", Some("rust"), "fn *a*"), ("```\na\n\nb\n```", None, "a\n\nb")]
        {
            let rich = read(typed, &[]);
            let expected = Block::Code { text: code.into(), language: language.map(Box::from) };
            assert_eq!(rich.blocks, [expected]);
        }
        let typed = "see\n```c++\nint a;\nint b;\n```\nthere";
        let rich = read(typed, &[]);
        assert_eq!(rich.blocks.len(), 3);
        let (written, _) = write(&rich, &|_| None).unwrap();
        assert_eq!(read(&written, &[]), rich);
        for (typed, code, after) in [
            ("```md\n# a\n```rust\nb\n```\nend", "# a\n```rust\nb", "end"),
            ("````md\n```\nb\n```\n````", "```\nb\n```", ""),
            ("```\na ```\n``\n  ```\n````  \nend", "a ```\n``\n  ```", "end"),
        ] {
            let rich = read(typed, &[]);
            let Block::Code { text, .. } = &rich.blocks[0] else { panic!("{typed}: {rich:?}") };
            assert_eq!(text.as_str(), code);
            assert_eq!(rich.plain_text().trim_start_matches(code).trim(), after, "{typed}");
        }
        let inner = Block::Code { text: "```\nx\n```".into(), language: Some("md".into()) };
        let rich = RichText { blocks: vec![inner] };
        assert_eq!(write(&rich, &|_| None).unwrap().0, "````md\n```\nx\n```\n````");
        for text in ["```", "```rust", "a ```b\nc\n```", "```two words\nc\n```", "```x\nno end"] {
            assert!(matches!(read(text, &[]).blocks[..], [Block::Paragraph { .. }]), "{text}");
        }
    }

    #[test]
    fn markers_are_styles_where_they_stand_alone() {
        assert_eq!(picture("*a* b_c_d", &[]), "[b|a][| b_c_d]");
        assert_eq!(picture("2 * 3 * 4 ~gone~!", &[]), "[|2 * 3 * 4 ][s|gone][|!]");
        assert_eq!(picture("_a *b*_", &[]), "[i|a ][bi|b]");
        assert_eq!(picture("{code}*x* <y>{code} z", &[]), "[m|*x* <y>][| z]");
        assert_eq!(picture("see {code}a\n  b{code}", &[]), "[|see ]`a\n  b`");
        assert_eq!(picture("*a\nb*", &[]), "[|*a\nb*]");
    }

    #[test]
    fn backticks_in_a_line_make_code_where_they_stand_alone() {
        for (typed, expected) in [
            ("run `a *b* @x` now", "[|run ][m|a *b* @x][| now]"),
            ("`a`, (`b`)", "[m|a][|, (][m|b][|)]"),
            ("`` a`b ``", "[m|a`b]"),
            ("*see `x*y` there*", "[b|see ][bm|x*y][b| there]"),
            ("it`s and `t", "[|it`s and `t]"),
            ("a`b`", "[|a`b`]"),
            ("`a`b", "[|`a`b]"),
            ("`a\nb`", "[|`a\nb`]"),
            ("` ` `` ``` `", "[|` ][m|`` ```]"),
        ] {
            assert_eq!(picture(typed, &[]), expected, "{typed}");
        }
        for typed in ["run `a b` now", "`a`\n`b`"] {
            let rich = read(typed, &[]);
            let (written, _) = write(&rich, &|_| None).unwrap();
            assert_eq!(read(&written, &[]), rich, "{written}");
        }
        assert_eq!(write(&read("run `a` now", &[]), &|_| None).unwrap().0, "run `a` now");
        let inside = read("x{code}y{code}z", &[]);
        assert_eq!(write(&inside, &|_| None).unwrap().0, "x{code}y{code}z");
    }

    #[test]
    fn many_beginnings_of_code_without_an_end_are_read_quickly() {
        let begun = std::time::Instant::now();
        for unit in ["```a\n", "`a ", "``` ` ``\n", "`` a ` "] {
            read(&unit.repeat(60_000), &[]);
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_name_after_an_at_calls_the_longest_that_fits() {
        let people = [("Joe", "8:j"), ("Joe Bloggs", "8:joe.4")]
            .map(|(name, id)| Mention::by_name(SafeText::line(name), UserId::new(id)));
        assert_eq!(picture("hi @Joe Bloggs, @Joel", &people), "[|hi ][@|Joe Bloggs][|, @Joel]");
        assert_eq!(picture("joe@Joe", &people), "[|joe@Joe]");
    }

    #[test]
    fn a_label_calls_the_person_it_stands_for_and_only_the_name_is_sent() {
        let people = [("8:bob", "Bob · bob"), ("8:bob.2", "Bob · bob.2")].map(|(id, label)| {
            let label = Some(SafeText::line(label));
            Mention { name: "Bob".into(), id: UserId::new(id), label }
        });
        let rich = read("hi @Bob · bob.2!", &people);
        assert_eq!(picture("hi @Bob · bob.2!", &people), "[|hi ][@|Bob][|!]");
        let label_of = |id: &UserId| people.iter().find(|m| m.id == *id)?.label.clone();
        let (typed, mentions) = write(&rich, &label_of).unwrap();
        assert_eq!((typed.as_str(), mentions[0].id.as_str()), ("hi @Bob · bob.2!", "8:bob.2"));
    }

    #[test]
    fn what_cannot_be_typed_is_not_offered() {
        let literal = RichText::plain("*not bold*");
        assert_eq!(write(&literal, &|_| None), None);
        let coloured = SpanStyle { underline: true, ..SpanStyle::default() };
        let span = Span { text: "x".into(), style: coloured, link: None };
        assert_eq!(write(&RichText::from_spans(vec![span]), &|_| None), None);
    }

    proptest! {
        #[test]
        fn what_is_offered_reads_back_the_same(text in "[a-c*_~` .@\\n{}]{0,40}|([a-c ]|\\{code\\}|\\*){0,30}") {
            let rich = read(&text, &[]);
            if let Some((typed, _)) = write(&rich, &|_| None) {
                prop_assert_eq!(flat(&read(&typed, &[])), flat(&rich));
            }
        }
    }
}
