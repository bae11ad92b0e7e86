//! Maps roles to styles: sixteen colours of the terminal's own palette, none with `NO_COLOR`. Colour never carries
//! meaning alone.

use super::{palette, themes};
use crate::app::view::{FEW_HUES, HUES, Hue, Tone};
use crate::model::{Rgb, SpanStyle, SyntaxRole};
use ratatui::style::{Color, Modifier, ParseColorError, Style};
use std::collections::HashMap;

/// How many colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ColorDepth {
    None,
    Sixteen,
    Indexed,
    True,
}

impl ColorDepth {
    /// Whether there are more colours than the sixteen of the terminal's palette.
    pub fn has_shades(self) -> bool {
        matches!(self, Self::Indexed | Self::True)
    }
}

#[derive(Clone, Debug)]
pub struct Theme {
    /// Identifies a theme within a run.
    pub stamp: usize,
    /// The default colours of the screen; none if the terminal's own are used.
    pub screen: Style,
    /// Colours of people's names; empty if names are not coloured.
    pub names: Vec<Color>,
    /// Roles whose colours were not readable and were changed.
    pub lifted: Vec<String>,
    pub depth: ColorDepth,
    /// `<blink>` blinks; otherwise it is only emphasised.
    pub blink: bool,
    pub title: Style,
    pub rule: Style,
    pub dim: Style,
    pub unread: Style,
    pub badge: Style,
    pub mention: Style,
    pub current: Style,
    pub selected: Style,
    pub new: Style,
    pub me: Style,
    pub link: Style,
    pub mono: Style,
    pub good: Style,
    pub bad: Style,
    pub key: Style,
    pub demo: Style,
    /// Dark on light, regardless of the terminal's own colours: for QR codes.
    pub code: Style,
}

/// The roles that a theme can have a style for.
const ROLES: [&str; 17] = [
    "screen", "title", "rule", "dim", "unread", "badge", "mention", "current", "selected", "new",
    "me", "link", "mono", "good", "bad", "key", "demo",
];
/// Colours of names on terminals with sixteen colours. Those that have another meaning in the theme are left out.
const FEW_NAMES: [Color; 10] = [
    Color::Green,
    Color::Magenta,
    Color::Yellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightGreen,
    Color::Blue,
    Color::LightYellow,
    Color::LightCyan,
    Color::Gray,
];
/// The colour for names in a theme that does not colour them.
const NO_COLOR: &str = "none";

/// A theme as in its file.
#[derive(serde::Deserialize)]
struct ThemeTable {
    #[serde(default)]
    names: Vec<String>,
    #[serde(flatten)]
    roles: HashMap<String, StyleRole>,
}

impl ThemeTable {
    fn parse(table: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(table)
            .map_err(|e| e.message().lines().next().unwrap_or_default().to_owned())?;
        match read.roles.keys().find(|name| !ROLES.contains(&name.as_str())) {
            Some(unknown) => Err(format!("there is no role \"{unknown}\"")),
            None => Ok(read),
        }
    }
}

/// Reads styles and makes them readable.
struct StyleReader {
    depth: ColorDepth,
    /// The background of the screen.
    background: Option<Rgb>,
    lifted: Vec<String>,
}

impl StyleReader {
    fn read(&mut self, name: &str, role: &StyleRole) -> Result<Style, String> {
        let mut style = style_of(role, self.depth).map_err(|e| format!("{name}: {e}"))?;
        // With few colours, grey becomes dim text: the grey of the sixteen may be the background colour of a palette.
        let color = role.fg.as_ref().and_then(|fg| color(fg).ok());
        if !self.depth.has_shades() && role.bg.is_none() && palette::is_grey(color) {
            style = Style { fg: None, ..style }.add_modifier(Modifier::DIM);
        }
        let on = palette::rgb(style.bg).or(self.background);
        // Rules are not text.
        if name != "rule"
            && let (Some(text), Some(on)) = (palette::rgb(style.fg), on)
            && let Some(Rgb(r, g, b)) = palette::lifted(text, on)
        {
            style.fg = Some(Color::Rgb(r, g, b));
            self.lifted.push(name.to_owned());
        }
        Ok(style)
    }

    /// The style as the terminal can show it.
    fn fitted(&self, style: Style) -> Style {
        let fit = |color: Option<Color>| color.map(|color| palette::fitted(color, self.depth));
        Style { fg: fit(style.fg), bg: fit(style.bg), ..style }
    }

    /// The colours of names: no two alike, and none that has another meaning.
    fn names(&mut self, names: &[String], reserved: &[Color]) -> Result<Vec<Color>, String> {
        let mut colors = Vec::new();
        for name in names.iter().filter(|name| *name != NO_COLOR) {
            let role = StyleRole { fg: Some(name.clone()), bg: None, attributes: Vec::new() };
            colors.extend(self.read("names", &role)?.fg);
        }
        match self.depth {
            ColorDepth::Sixteen if !colors.is_empty() => {
                let free = FEW_NAMES.into_iter().filter(|color| !reserved.contains(color));
                Ok(free.take(usize::from(FEW_HUES)).collect())
            }
            depth => Ok(palette::fitted_apart(&colors, reserved, depth)),
        }
    }
}

#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct StyleRole {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    attributes: Vec<String>,
}

impl Theme {
    /// Reads a theme. Roles without a style are as in the built-in theme, or plain if the theme has its own background.
    ///
    /// # Errors
    /// A message that names the role and what is wrong with it.
    pub fn new(table: &str, depth: ColorDepth, blink: bool) -> Result<Self, String> {
        Self::on(table, depth, blink, None)
    }

    /// A theme without its background: everything is on the terminal's own, which is known, and is readable on it.
    ///
    /// # Errors
    /// As [`Theme::new`].
    pub fn on(
        table: &str,
        depth: ColorDepth,
        blink: bool,
        background: Option<Rgb>,
    ) -> Result<Self, String> {
        let built_in = ThemeTable::parse(themes::DEFAULT)?;
        let read = if table == themes::DEFAULT { None } else { Some(ThemeTable::parse(table)?) };
        let own = read.as_ref().unwrap_or(&built_in);
        let mut reader = StyleReader { depth, background, lifted: Vec::new() };
        let screen = match own.roles.get("screen") {
            // With sixteen colours, the terminal's own default colours are used.
            Some(role) if depth != ColorDepth::Sixteen && background.is_none() => {
                let on = style_of(role, depth).map_err(|e| format!("screen: {e}"))?;
                reader.background = palette::rgb(on.bg);
                let style = reader.read("screen", role)?;
                reader.fitted(style)
            }
            _ => Style::new(),
        };
        let mut style = |name: &str| {
            let role = own.roles.get(name).or_else(|| built_in.roles.get(name));
            let role = role.ok_or_else(|| format!("the theme lacks \"{name}\""))?;
            let style = reader.read(name, role)?;
            Ok::<_, String>(reader.fitted(style))
        };
        let theme = Self {
            stamp: 0,
            screen,
            names: Vec::new(),
            lifted: Vec::new(),
            depth,
            blink,
            title: style("title")?,
            rule: style("rule")?,
            dim: style("dim")?,
            unread: style("unread")?,
            badge: style("badge")?,
            mention: style("mention")?,
            current: style("current")?,
            selected: style("selected")?,
            new: style("new")?,
            me: style("me")?,
            link: style("link")?,
            mono: style("mono")?,
            good: style("good")?,
            bad: style("bad")?,
            key: style("key")?,
            demo: style("demo")?,
            code: match depth {
                ColorDepth::None => Style::new().add_modifier(Modifier::REVERSED),
                ColorDepth::Sixteen => Style::new().fg(Color::Black).bg(Color::White),
                _ => Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231)),
            },
        };
        let selected = match background {
            Some(on) => {
                let Rgb(r, g, b) = palette::raised(on);
                reader.fitted(Style::new().bg(Color::Rgb(r, g, b)))
            }
            None => theme.selected,
        };
        let names = if own.names.is_empty() { &built_in.names } else { &own.names };
        let reserved = [theme.me, theme.bad, theme.link].map(|style| style.fg);
        let names = reader.names(names, &reserved.into_iter().flatten().collect::<Vec<_>>())?;
        reader.lifted.dedup();
        Ok(Self { names, selected, lifted: reader.lifted, ..theme })
    }

    /// The style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Title => self.title,
            Tone::Dim => self.dim,
            Tone::Good => self.good,
            Tone::Bad => self.bad,
            Tone::New => self.new,
            Tone::Unread => self.unread,
            Tone::Key => self.key,
            Tone::Demo => self.demo,
            Tone::Code => self.code,
            Tone::Rule => self.rule,
        }
    }

    /// The style of a person's name.
    pub fn name(&self, hue: Hue) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let at = if self.names.len() < usize::from(HUES) { hue.of_few } else { hue.of_many };
        let at = usize::from(at) % self.names.len().max(1);
        self.names.get(at).map_or(bold, |color| bold.fg(*color))
    }

    /// The style of a span of a message.
    pub fn span(&self, span: SpanStyle, is_link: bool) -> Style {
        let mut style = Style::new();
        if is_link {
            style = style.patch(self.link);
        }
        if span.mono {
            style = style.patch(self.mono);
        }
        if span.dim {
            style = style.patch(self.dim);
        }
        if let Some(role) = span.syntax {
            style = self.syntax(role);
        }
        if let Some(color) = span.color.and_then(|c| self.color(c)) {
            style = style.fg(color);
        }
        let large = span.size.is_some_and(|s| s >= 14);
        let small = span.size.is_some_and(|s| s > 0 && s <= 8);
        for (on, modifier) in [
            (span.bold || large, Modifier::BOLD),
            (span.italic, Modifier::ITALIC),
            (span.underline, Modifier::UNDERLINED),
            (span.strike, Modifier::CROSSED_OUT),
            (span.blink && self.blink, Modifier::SLOW_BLINK),
            (span.blink && !self.blink, Modifier::BOLD),
            (small, Modifier::DIM),
        ] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        style
    }

    /// The style of a misspelt word: an attribute that every terminal has, and not a colour, which could be mistaken
    /// for another meaning.
    pub fn misspelt() -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }

    /// The style of a part of source code. The colours are those of other roles, so that every theme has them.
    fn syntax(&self, role: SyntaxRole) -> Style {
        let colored = |style: Style| Style { fg: style.fg, ..Style::new() };
        match role {
            SyntaxRole::Keyword => colored(self.me).add_modifier(Modifier::BOLD),
            SyntaxRole::Quoted => colored(self.good),
            SyntaxRole::Number => colored(self.new),
            SyntaxRole::Comment => self.dim,
            SyntaxRole::Function => colored(self.link),
            SyntaxRole::Type => colored(self.mention),
        }
    }

    /// A colour as the terminal can show it.
    fn color(&self, Rgb(r, g, b): Rgb) -> Option<Color> {
        match self.depth {
            ColorDepth::None => None,
            ColorDepth::True => {
                let (r, g, b) = readable(r, g, b);
                Some(Color::Rgb(r, g, b))
            }
            ColorDepth::Indexed => {
                let (r, g, b) = readable(r, g, b);
                let step = |v: u8| u16::from(v) * 5 / 255;
                Some(Color::Indexed((16 + 36 * step(r) + 6 * step(g) + step(b)) as u8))
            }
            ColorDepth::Sixteen => {
                let on = |v: u8| v >= 100;
                Some(match (on(r), on(g), on(b)) {
                    (true, false, false) => Color::Red,
                    (false, true, false) => Color::Green,
                    (true, true, false) => Color::Yellow,
                    (false, false, true) => Color::Blue,
                    (true, false, true) => Color::Magenta,
                    (false, true, true) => Color::Cyan,
                    // Black or white on an unknown background may vanish: the terminal's own colour does not.
                    _ => return None,
                })
            }
        }
    }
}

/// Keeps a colour away from both ends of brightness, where it could vanish in the background.
fn readable(r: u8, g: u8, b: u8) -> (u8, u8, u8) {
    let light = (u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1000;
    let toward = |v: u8, target: u32, share: u32| {
        ((u32::from(v) * (100 - share) + target * share) / 100) as u8
    };
    match light {
        0..=69 => (toward(r, 160, 50), toward(g, 160, 50), toward(b, 160, 50)),
        196..=255 => (toward(r, 120, 50), toward(g, 120, 50), toward(b, 120, 50)),
        _ => (r, g, b),
    }
}

/// A colour by name or as `#rrggbb`. Ratatui tries many spellings of names before it reads digits, and each start reads
/// dozens of colours.
fn color(text: &str) -> Result<Color, ParseColorError> {
    let digits = text.strip_prefix('#').filter(|rest| rest.len() == 6 && !rest.starts_with('+'));
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(rgb) => Ok(Color::from_u32(rgb)),
        None => text.parse(),
    }
}

fn style_of(role: &StyleRole, depth: ColorDepth) -> Result<Style, String> {
    let mut style = Style::new();
    let color = |name: &Option<String>| -> Result<Option<Color>, String> {
        name.as_ref().map(|n| color(n).map_err(|_| format!("\"{n}\" is not a colour"))).transpose()
    };
    if depth != ColorDepth::None {
        if let Some(fg) = color(&role.fg)? {
            style = style.fg(fg);
        }
        if let Some(bg) = color(&role.bg)? {
            style = style.bg(bg);
        }
    }
    for attribute in &role.attributes {
        style = style.add_modifier(match attribute.as_str() {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            other => return Err(format!("\"{other}\" is not an attribute")),
        });
    }
    Ok(style)
}
