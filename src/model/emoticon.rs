//! Emoticons: from the names on the wire (`<ss type="smile">`, reaction keys, `<flag country="gb">`) to what is shown.

use super::preferences::{EmojiStyle, EmojiWidth};
use super::rich::{Block, Link, RichText, Span};
use super::text::{SafeText, is_narrow};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

const TABLE: &str = include_str!("../../assets/emoticons.tsv");
/// Names that many programs share, the shortcodes of GitHub; made by `build.rs`.
const SHORTCODES: &str = include_str!(concat!(env!("OUT_DIR"), "/shortcodes.tsv"));

#[derive(Clone, Copy)]
struct EmoticonEntry {
    name: &'static str,
    glyph: &'static str,
    ascii: &'static str,
}

static ENTRIES: LazyLock<Vec<EmoticonEntry>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let (name, glyph, ascii) = (columns.next()?, columns.next()?, columns.next()?);
            Some(EmoticonEntry { name, glyph, ascii })
        })
        .collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, EmoticonEntry>> =
    LazyLock::new(|| ENTRIES.iter().map(|e| (e.name, *e)).collect());

/// The first name of a glyph is its canonical one.
static BY_GLYPH: LazyLock<HashMap<&'static str, EmoticonEntry>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for entry in ENTRIES.iter() {
        map.entry(entry.glyph).or_insert(*entry);
    }
    map
});

/// The emoji whose names begin with `prefix`, each once, with that name: those that many programs share (the shortcodes
/// of GitHub), the shortest name first, then those of the wire in the order of the table.
pub fn named(prefix: &str) -> Vec<(&'static str, &'static str)> {
    let mut shared: Vec<(&'static str, &'static str)> =
        shared_names().filter(|(name, _)| name.starts_with(prefix)).collect();
    shared.sort_by_key(|(name, _)| (name.len(), *name));
    let own = own_names().filter(|(name, _)| name.starts_with(prefix));
    let mut seen = HashSet::new();
    shared.into_iter().chain(own).filter(|(_, glyph)| seen.insert(*glyph)).collect()
}

/// The key of an emoji as a reaction: its name on the wire, or else its code points and a name (facts 3.4).
pub fn reaction_key(name: &str, glyph: &str) -> String {
    let bare = glyph.trim_end_matches('\u{FE0F}');
    if let Some(entry) = BY_GLYPH.get(glyph).or_else(|| BY_GLYPH.get(bare)) {
        return entry.name.to_owned();
    }
    let points: Vec<String> = glyph.chars().map(|c| format!("{:x}", u32::from(c))).collect();
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    format!("{}_{}", points.join("-"), letters.collect::<String>())
}

/// All names of emoji, each with its emoji.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    shared_names().chain(own_names())
}

fn shared_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHORTCODES.lines().filter_map(|line| line.split_once('\t'))
}

fn own_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ENTRIES.iter().map(|entry| (entry.name, entry.glyph))
}

/// The emoji with this name: one of the shortcodes that many programs share, or a name of the wire.
pub fn of_shortcode(name: &str) -> Option<&'static str> {
    static SHARED: LazyLock<HashMap<&'static str, &'static str>> =
        LazyLock::new(|| shared_names().collect());
    SHARED.get(name).copied().or_else(|| BY_NAME.get(name).map(|entry| entry.glyph))
}

/// The emoticon that is typed as this face, such as `:)`.
pub fn of_ascii(face: &str) -> Option<&'static str> {
    ENTRIES.iter().find(|e| e.ascii == face).map(|e| e.glyph)
}

/// What an emoticon is shown as: from the table, from a name that contains its code point (`1f600_grinning`), or the
/// text inside its tag. Tone and variant suffixes of names are ignored (facts 3.4, 4.1).
pub fn shown(name: &str, inner: &str, style: EmojiStyle) -> SafeText {
    let base = name.strip_suffix("MSER").unwrap_or(name);
    let base = base.split_once("-tone").map_or(base, |(base, _)| base);
    if let Some(entry) = BY_NAME.get(base.to_ascii_lowercase().as_str()) {
        return match style {
            EmojiStyle::Glyph => SafeText::line(entry.glyph),
            EmojiStyle::Short => SafeText::line(&format!("({})", entry.name)),
            EmojiStyle::Ascii => SafeText::line(entry.ascii),
        };
    }
    if let Some(country) = base.strip_prefix("flag:") {
        let letters = country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic());
        let glyph = (letters && style == EmojiStyle::Glyph).then(|| flag(country));
        return glyph.unwrap_or_else(|| SafeText::line(&format!("({base})")));
    }
    if let Some((glyph, word)) = coded(base) {
        return match style {
            EmojiStyle::Glyph => glyph,
            EmojiStyle::Short | EmojiStyle::Ascii => SafeText::line(&format!("({word})")),
        };
    }
    match inner.trim() {
        // Keys of custom pictures have a location after a semicolon.
        "" => SafeText::line(&format!("({})", name.split(';').next().unwrap_or(name))),
        inner => SafeText::line(inner),
    }
}

/// `1f44d_thumbsup`: a code point in hex, or several with hyphens between them, and a word. Skin tones are ignored.
fn coded(name: &str) -> Option<(SafeText, &str)> {
    let (hex, word) = name.split_once('_')?;
    let points: Vec<u32> =
        hex.split('-').map(|part| u32::from_str_radix(part, 16).ok()).collect::<Option<_>>()?;
    let is_tone = |point: &u32| (0x1F3FB..=0x1F3FF).contains(point);
    let first = points.first().filter(|point| **point >= 0x2000)?;
    let rest = points.iter().skip(1).filter(|point| !is_tone(point));
    let glyph: String =
        std::iter::once(first).chain(rest).filter_map(|p| char::from_u32(*p)).collect();
    let glyph = SafeText::line(&glyph);
    (!glyph.contains('\u{FFFD}') && !glyph.is_empty()).then_some((glyph, word))
}

fn flag(country: &str) -> SafeText {
    let indicator = |b: u8| char::from_u32(0x1F1E6 + u32::from(b.to_ascii_uppercase() - b'A'));
    SafeText::line(&country.bytes().filter_map(indicator).collect::<String>())
}

impl RichText {
    /// Replaces every emoticon with the form in which it is shown, and every emoji where the style is not glyphs.
    pub fn show_emoji(&mut self, style: EmojiStyle, width: EmojiWidth) {
        blocks(&mut self.blocks, style, width);
    }
}

fn blocks(list: &mut [Block], style: EmojiStyle, width: EmojiWidth) {
    for block in list {
        match block {
            Block::Paragraph { spans, .. } => {
                for span in spans {
                    show(span, style, width);
                }
            }
            Block::Quote { body, .. } => blocks(body, style, width),
            Block::Code { text: code, .. } => *code = text(code, EmojiStyle::Glyph, width),
            Block::Media(_) => {}
        }
    }
}

fn show(span: &mut Span, style: EmojiStyle, width: EmojiWidth) {
    if let Some(Link::Emoticon(name)) = &span.link {
        span.text = text(&shown(name, &span.text, style), EmojiStyle::Glyph, width);
    } else {
        let changed = text(&span.text, style, width);
        if changed != span.text {
            span.text = changed;
        }
    }
}

/// Any text as it is sent to the terminal.
pub fn text(raw: &SafeText, style: EmojiStyle, width: EmojiWidth) -> SafeText {
    let is_text = |c: char| c.is_ascii() || is_narrow(c);
    if raw.chars().all(is_text) || (style == EmojiStyle::Glyph && width != EmojiWidth::Sum) {
        return raw.clone();
    }
    let mut out = String::with_capacity(raw.len());
    for cluster in raw.graphemes(true) {
        let bare = cluster.trim_end_matches('\u{FE0F}');
        let known = BY_GLYPH.get(cluster).or_else(|| BY_GLYPH.get(bare));
        match (style, known) {
            (EmojiStyle::Short, Some(entry)) => out.extend(["(", entry.name, ")"]),
            (EmojiStyle::Ascii, Some(entry)) => out.push_str(entry.ascii),
            _ if width == EmojiWidth::Sum => out.extend(cluster.chars().filter(|c| !joins(*c))),
            _ => out.push_str(cluster),
        }
    }
    SafeText::text(&out)
}

/// Characters that join several into one picture: joiners, variation selectors, skin tones, the keycap.
fn joins(c: char) -> bool {
    matches!(c, '\u{200D}' | '\u{FE0E}' | '\u{FE0F}' | '\u{20E3}' | '\u{1F3FB}'..='\u{1F3FF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::cluster_width;

    #[test]
    fn no_emoticon_is_a_sign_that_stands_for_itself() {
        for glyph in BY_GLYPH.keys() {
            assert!(!glyph.chars().all(|c| c.is_ascii() || is_narrow(c)), "{glyph}");
        }
    }

    #[test]
    fn names_codes_flags_and_unknown_ones_have_a_form_in_every_style() {
        use EmojiStyle::{Ascii, Glyph, Short};
        let all = |name: &str, inner: &str| {
            [Glyph, Short, Ascii].map(|style| shown(name, inner, style).to_string())
        };
        assert_eq!(all("smile", ":-)"), ["🙂", "(smile)", ":)"]);
        assert_eq!(all("yes-tone3", "(y)")[1], "(yes)");
        assert_eq!(all("1f680_rocketship", ""), ["🚀", "(rocketship)", "(rocketship)"]);
        assert_eq!(all("flag:gb", ""), ["🇬🇧", "(flag:gb)", "(flag:gb)"]);
        assert_eq!(all("nosuchthing", "(hug me)"), ["(hug me)", "(hug me)", "(hug me)"]);
        assert_eq!(all("nosuchthing", ""), ["(nosuchthing)"; 3]);
        assert_eq!(all("1b_escape", "x"), ["x", "x", "x"]);
        assert_eq!(all("1f44d-1f3fb_thumbsup", "")[0], "👍");
        assert_eq!(all("1f44d_thumbsup-tone1", "")[0], "👍");
    }

    #[test]
    fn the_table_is_whole_and_every_glyph_is_one_cluster() {
        assert!(ENTRIES.len() > 100);
        assert_eq!(ENTRIES.len(), BY_NAME.len(), "a name stands there once");
        for entry in ENTRIES.iter() {
            assert_eq!(entry.glyph.graphemes(true).count(), 1, "{}", entry.name);
            assert!(!entry.ascii.is_empty() && entry.ascii.is_ascii(), "{}", entry.name);
            assert_eq!(SafeText::line(entry.glyph).as_str(), entry.glyph, "{}", entry.name);
        }
    }

    #[test]
    fn shortcodes_and_names_of_the_wire_are_found_the_shortest_first() {
        for (name, glyph) in [("smile", "😄"), ("+1", "👍"), ("heart", "❤\u{FE0F}"), ("tada", "🎉")]
        {
            assert_eq!(of_shortcode(name), Some(glyph), "{name}");
        }
        assert_eq!(of_shortcode("tongueout"), Some("😛"));
        assert_eq!(of_shortcode("nosuchthing"), None);
        assert_eq!(named("smile").first(), Some(&("smile", "😄")));
        assert!(named("s").len() > 20);
    }

    #[test]
    fn typed_emoji_follow_the_style_too() {
        let smile = SafeText::line("ok 🙂!");
        assert_eq!(text(&smile, EmojiStyle::Ascii, EmojiWidth::Cluster).as_str(), "ok :)!");
        assert_eq!(text(&smile, EmojiStyle::Glyph, EmojiWidth::Cluster), smile);
    }

    #[test]
    fn with_summed_widths_no_cluster_is_in_dispute() {
        let family = SafeText::line("👨\u{200D}👩\u{200D}👧 👍🏽 ❤\u{FE0F} 1\u{FE0F}\u{20E3}");
        let apart = text(&family, EmojiStyle::Glyph, EmojiWidth::Sum);
        assert_eq!(apart.as_str(), "👨👩👧 👍 ❤ 1");
        for cluster in apart.graphemes(true) {
            let sum: usize =
                cluster.chars().map(|c| cluster_width(c.encode_utf8(&mut [0; 4]))).sum();
            assert_eq!(cluster_width(cluster), sum, "{cluster}");
        }
    }
}
