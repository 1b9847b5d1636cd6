//! The card's template: where everything stands, how large and in what colour (`templates/cards/standard.toml`).
//!
//! Millimetres from the card's top left, points for type. The file is embedded; another can take its place by
//! configuration. Unknown or missing keys are refused, so a slip of the pen is found before a thousand cards are printed.

use serde::{Deserialize, Deserializer};

use super::draw::{Colour, Step};

static STANDARD: &str = include_str!("../../templates/cards/standard.toml");

/// Sizes, places and colours of both faces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub(super) card: Card,
    pub(super) colour: Colours,
    pub(super) front: Front,
    pub(super) back: Back,
}

impl Template {
    /// The template that comes with the program.
    pub fn standard() -> Self {
        Self::parse(STANDARD).expect("the embedded template is sound")
    }

    /// Reads a template.
    ///
    /// # Errors
    /// Text that is not TOML of this shape, or a code panel whose modules would be under 0.40 mm.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let template: Self = toml::from_str(text).map_err(|error| TemplateError::Malformed(error.to_string()))?;
        let code = &template.front.code;
        if code.side > code.max_side || code.max_side > template.card.height - 4.0 || code.side < 15.0 {
            return Err(TemplateError::CodePanel);
        }
        Ok(template)
    }
}

/// Why a template is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not TOML of the right shape.
    #[error("证卡版式文件有误：请对照 templates/cards/standard.toml 修改。{0}")]
    Malformed(String),
    /// `front.code`: `side` under 15 mm or over `max_side`, or `max_side` larger than the card.
    #[error("证卡版式中的二维码尺寸有误：side 至少 15 毫米且不大于 max_side，max_side 不得超出证卡")]
    CodePanel,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Card {
    pub width: f32,
    pub height: f32,
    pub radius: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Colours {
    pub ground: Hex,
    pub ink: Hex,
    pub muted: Hex,
    pub accent: Hex,
    pub gold: Hex,
    pub outline: Hex,
    pub panel: Hex,
    pub initial: Hex,
    pub hairline: Hex,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Front {
    #[serde(default)]
    pub ornament: Vec<Ornament>,
    pub title: Title,
    pub logo: Logo,
    pub stars: Stars,
    pub star_label: StarLabel,
    pub rule: Bar,
    pub photo: PhotoPlace,
    pub name: Name,
    pub number: Labelled,
    pub unit: Unit,
    pub validity: Labelled,
    pub code: Code,
    pub foot: Foot,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Back {
    #[serde(default)]
    pub ornament: Vec<Ornament>,
    pub heading: Heading,
    pub rule: Bar,
    pub duties: Duties,
    pub sections: Sections,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ornament {
    pub colour: Hex,
    #[serde(deserialize_with = "path")]
    pub path: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Title {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub tracking: f32,
    /// With a logo, the title shrinks to what the logo leaves of this.
    pub width: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Logo {
    pub x: f32,
    pub y: f32,
    pub height: f32,
    pub width: f32,
    pub gap: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stars {
    pub right: f32,
    pub y: f32,
    pub height: f32,
    pub gap: f32,
    pub line: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StarLabel {
    pub right: f32,
    pub y: f32,
    pub size: f32,
    pub tracking: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bar {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhotoPlace {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    pub radius: f32,
    pub initial_size: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub size: f32,
    pub min_size: f32,
    pub two_line_min_size: f32,
    pub height: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labelled {
    pub x: f32,
    /// Top of the label where it stands above its value, the common baseline where it stands before it.
    pub y: f32,
    pub label: String,
    pub label_size: f32,
    pub gap: f32,
    pub size: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unit {
    pub x: f32,
    pub y: f32,
    pub label: String,
    pub label_size: f32,
    pub gap: f32,
    pub size: f32,
    pub min_size: f32,
    pub lines: usize,
    pub three_line_min_size: f32,
    pub leading: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    pub right: f32,
    pub bottom: f32,
    /// Side of the panel, quiet zone included, wherever the modules stay at 0.40 mm or more.
    pub side: f32,
    /// What a larger symbol may grow to.
    pub max_side: f32,
    pub radius: f32,
    pub line: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Foot {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub width: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heading {
    pub text: String,
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub tracking: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Duties {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub size: f32,
    pub number_width: f32,
    pub pitch: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sections {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub bottom: f32,
    pub size: f32,
    pub label_width: f32,
    pub leading: f32,
    pub gap: f32,
    pub incentive_label: String,
    pub lost_label: String,
    pub contact_label: String,
    pub line: f32,
}

/// `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hex(pub Colour);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match value {
            Some(value) => Ok(Self([(value >> 16) as u8, (value >> 8) as u8, value as u8])),
            None => Err(serde::de::Error::custom(format!("颜色应写作 #rrggbb，而不是 {text}"))),
        }
    }
}

/// Absolute `M`, `L`, `C` and `Z` of the SVG path syntax, separated by spaces.
fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut words = text.split_ascii_whitespace();
    let mut steps = Vec::new();
    while let Some(command) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse::<f32>().ok()).filter(|n| n.is_finite());
        let step = match command {
            "M" => number().zip(number()).map(|(x, y)| Step::Move(x, y)),
            "L" => number().zip(number()).map(|(x, y)| Step::Line(x, y)),
            "C" => (|| Some(Step::Cubic(number()?, number()?, number()?, number()?, number()?, number()?)))(),
            "Z" => Some(Step::Close),
            _ => None,
        };
        steps.push(step.ok_or_else(|| serde::de::Error::custom(format!("路径在 {command} 处有误")))?);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = STANDARD.replacen("tracking", "traking", 1);
        assert!(matches!(Template::parse(&text), Err(TemplateError::Malformed(_))));
    }

    #[test]
    fn a_bad_colour_is_refused() {
        let text = STANDARD.replacen("#b3261e", "red", 1);
        assert!(matches!(Template::parse(&text), Err(TemplateError::Malformed(_))));
    }

    #[test]
    fn a_bad_path_is_refused() {
        let text = STANDARD.replacen("M -4 42.5", "M -4 Q", 1);
        assert!(matches!(Template::parse(&text), Err(TemplateError::Malformed(_))));
    }

    #[test]
    fn a_code_too_large_for_the_card_is_refused() {
        let text = STANDARD.replacen("max_side = 28.0", "max_side = 60.0", 1);
        assert_eq!(Template::parse(&text), Err(TemplateError::CodePanel));
    }
}
