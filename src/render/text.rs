//! Fonts and the setting of text: which face has a character, how wide a line is, how it shrinks and wraps.
//!
//! The embedded faces are Noto Sans SC regular and bold (assets/fonts/README.md). Further faces, asked in the order given,
//! cover what Noto lacks (Extension B and later); at a bold place their strokes are thickened. Sizes are in points,
//! widths in em; one em is the size.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ab_glyph::{Font, FontArc};

/// The largest font file accepted, in bytes.
const MAX_FONT_BYTES: u64 = 128 * 1024 * 1024;

static REGULAR: &[u8] = include_bytes!("../../assets/fonts/NotoSansSC-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../assets/fonts/NotoSansSC-Bold.ttf");

/// The faces to set text in. Cheap to clone.
#[derive(Clone)]
pub struct Fonts {
    faces: Arc<[Face]>,
}

impl Fonts {
    /// The two embedded faces alone.
    pub fn embedded() -> Self {
        static EMBEDDED: OnceLock<Fonts> = OnceLock::new();
        EMBEDDED.get_or_init(|| Self { faces: embedded_faces().into() }).clone()
    }

    /// The embedded faces and, for characters they lack, the font files `extra` in that order.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, or is no TrueType or OpenType font.
    pub fn load(extra: &[PathBuf]) -> Result<Self, FontError> {
        if extra.is_empty() {
            return Ok(Self::embedded());
        }
        let mut faces = embedded_faces();
        for path in extra {
            faces.push(read_face(path)?);
        }
        Ok(Self { faces: faces.into() })
    }

    /// Like [`Fonts::load`], from font files already in memory, each with a name for messages.
    ///
    /// # Errors
    /// Bytes that are no TrueType or OpenType font.
    pub fn with_faces(extra: Vec<(String, Vec<u8>)>) -> Result<Self, FontError> {
        let mut faces = embedded_faces();
        for (name, bytes) in extra {
            let font = FontArc::try_from_vec(bytes).map_err(|_| FontError::NotAFont { font: name.clone() })?;
            faces.push(Face::new(name, font));
        }
        Ok(Self { faces: faces.into() })
    }

    /// Whether every character of `text` can be printed.
    ///
    /// # Errors
    /// The first character that no face has, with `text` as the owner; [`super::check`] names the card instead.
    pub fn check(&self, text: &str) -> Result<(), MissingGlyph> {
        match text.chars().find(|&c| self.glyph(c, Weight::Regular).is_none()) {
            None => Ok(()),
            Some(character) => {
                Err(MissingGlyph { owner: format!("“{text}”"), field: "文字", text: text.to_owned(), character })
            }
        }
    }

    pub(super) fn face(&self, index: u8) -> &Face {
        &self.faces[usize::from(index)]
    }

    /// The glyph of `c`, from the first face that has it.
    pub(super) fn glyph(&self, c: char, weight: Weight) -> Option<Glyph> {
        if c.is_control() {
            return None;
        }
        let first = match weight {
            Weight::Regular => 0,
            Weight::Bold => 1,
        };
        std::iter::once(first).chain(2..self.faces.len()).find_map(|index| {
            let face = &self.faces[index];
            let id = face.font.glyph_id(c);
            (id.0 != 0).then(|| Glyph {
                face: u8::try_from(index).unwrap_or(u8::MAX),
                id: id.0,
                advance: face.font.h_advance_unscaled(id) / face.units_per_em,
                thicken: weight == Weight::Bold && index > 1,
                character: c,
            })
        })
    }

    /// Sets `text` on one line, or says which character is missing.
    pub(super) fn set(&self, text: &str, weight: Weight) -> Result<Vec<Glyph>, char> {
        text.chars().map(|c| self.glyph(c, weight).ok_or(c)).collect()
    }
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.faces.iter().map(|face| &face.name)).finish()
    }
}

/// Why a font file is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// The file is absent or may not be read.
    #[error("字体文件 {path} 读取失败（{reason}）：请检查配置中的字体路径")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is larger than 128 MiB.
    #[error("字体文件 {path} 超过 128 MB：请换用较小的字体文件")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is no TrueType or OpenType font.
    #[error("{font} 不是可用的 TrueType 或 OpenType 字体：请换用 .ttf 或 .otf 文件")]
    NotAFont {
        /// The file or name.
        font: String,
    },
}

/// A character that no loaded face can draw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{owner}的{field}中，“{}”（U+{:04X}）没有字体可以印出：请在配置的附加字体中加入含有该字的字体文件（例如花园明朝 HanaMinB.ttf），再打印", shown(*.character), u32::from(*.character))]
pub struct MissingGlyph {
    /// Whose card: name and number.
    pub owner: String,
    /// Which text, in Chinese.
    pub field: &'static str,
    /// The text the character stands in.
    pub text: String,
    /// The character.
    pub character: char,
}

/// A control character would break the message's line, so it is shown escaped.
fn shown(c: char) -> String {
    if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() }
}

/// Regular or bold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// One character set in one face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Glyph {
    pub face: u8,
    pub id: u16,
    /// Advance width in em.
    pub advance: f32,
    /// Drawn with thicker strokes, because the face has no bold.
    pub thicken: bool,
    pub character: char,
}

/// A font file.
pub(super) struct Face {
    pub name: String,
    pub font: FontArc,
    pub units_per_em: f32,
}

impl Face {
    fn new(name: String, font: FontArc) -> Self {
        let units_per_em = font.units_per_em().unwrap_or(1000.0);
        Self { name, font, units_per_em }
    }
}

fn embedded_faces() -> Vec<Face> {
    [("NotoSansSC-Regular", REGULAR), ("NotoSansSC-Bold", BOLD)]
        .map(|(name, bytes)| {
            let font = FontArc::try_from_slice(bytes).expect("the embedded faces are fonts");
            Face::new(name.to_owned(), font)
        })
        .into()
}

fn read_face(path: &Path) -> Result<Face, FontError> {
    let unreadable = |error: std::io::Error| FontError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FONT_BYTES {
        return Err(FontError::TooLarge { path: path.to_owned() });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let font = FontArc::try_from_vec(bytes).map_err(|_| FontError::NotAFont { font: path.display().to_string() })?;
    let name = path.file_stem().map_or_else(|| "Extra".to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(Face::new(name, font))
}

/// The width of a line in em, `tracking` em between characters.
pub(super) fn width(glyphs: &[Glyph], tracking: f32) -> f32 {
    let gaps = glyphs.len().saturating_sub(1) as f32;
    glyphs.iter().map(|glyph| glyph.advance).sum::<f32>() + gaps * tracking
}

/// Breaks `glyphs` into lines at most `limit` em wide, by the usual rules: no closing mark at the start of a line, no
/// opening mark at its end, Latin words and numbers whole unless one alone is too wide.
pub(super) fn wrap(glyphs: &[Glyph], limit: f32) -> Vec<&[Glyph]> {
    // Widths add up in floating point, so a line that fits exactly is given a hair.
    let limit = limit + 1e-3;
    let mut lines = Vec::new();
    let mut rest = trim(glyphs);
    while !rest.is_empty() {
        let mut end = 0;
        let mut breakable = 0;
        let mut used = 0.0;
        while end < rest.len() && used + rest[end].advance <= limit {
            used += rest[end].advance;
            end += 1;
            if end == rest.len() || may_break(rest[end - 1].character, rest[end].character) {
                breakable = end;
            }
        }
        let cut = if breakable > 0 { breakable } else { end.max(1) };
        lines.push(trim(&rest[..cut]));
        rest = trim(&rest[cut..]);
    }
    lines
}

/// Like [`wrap`] with lines of about the same width, if they number at most `most`.
pub(super) fn wrap_evenly(glyphs: &[Glyph], limit: f32, most: usize) -> Option<Vec<&[Glyph]>> {
    let count = wrap(glyphs, limit).len();
    if count > most || wrap(glyphs, limit).iter().any(|line| width(line, 0.0) > limit + 1e-2) {
        return None;
    }
    // The narrowest measure that still needs no more lines.
    let (mut low, mut high) = (limit / 4.0, limit);
    while high - low > 0.25 {
        let middle = (low + high) / 2.0;
        if wrap(glyphs, middle).len() <= count { high = middle } else { low = middle }
    }
    Some(wrap(glyphs, high))
}

fn trim(glyphs: &[Glyph]) -> &[Glyph] {
    let blank = |glyph: &Glyph| glyph.character.is_whitespace();
    let start = glyphs.iter().position(|glyph| !blank(glyph)).unwrap_or(glyphs.len());
    let end = glyphs.iter().rposition(|glyph| !blank(glyph)).map_or(start, |last| last + 1);
    &glyphs[start..end]
}

fn may_break(before: char, after: char) -> bool {
    const NOT_FIRST: &str = "，。、；：！？）》」』】〕”’·…—%,.;:!?)]}";
    const NOT_LAST: &str = "（《「『【〔“‘([{□☐☑";
    let in_word = |c: char| c.is_ascii_alphanumeric() || "-_./@+".contains(c);
    let forbidden = NOT_FIRST.contains(after) || NOT_LAST.contains(before);
    let inside_word = in_word(before) && in_word(after);
    !forbidden && !inside_word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, limit: f32) -> Vec<String> {
        let fonts = Fonts::embedded();
        let glyphs = fonts.set(text, Weight::Regular).unwrap();
        wrap(&glyphs, limit).iter().map(|line| line.iter().map(|glyph| glyph.character).collect()).collect()
    }

    #[test]
    fn closing_marks_do_not_start_a_line() {
        assert_eq!(lines("一二三四，五六", 4.0), ["一二三", "四，五六"]);
    }

    #[test]
    fn opening_marks_do_not_end_a_line() {
        assert_eq!(lines("一二三（四）", 4.0), ["一二三", "（四）"]);
    }

    #[test]
    fn numbers_stay_whole() {
        assert_eq!(lines("电话0879-2123456", 7.0), ["电话", "0879-2123456"]);
    }

    #[test]
    fn a_word_wider_than_the_line_is_broken_rather_than_lost() {
        let all = lines("abcdefghijklmnop", 3.0);
        assert!(all.len() > 1);
        assert_eq!(all.concat(), "abcdefghijklmnop");
    }

    #[test]
    fn even_lines_keep_every_character() {
        let fonts = Fonts::embedded();
        let glyphs = fonts.set("普洱市思茅区思茅镇平原社区居民委员会", Weight::Regular).unwrap();
        let even = wrap_evenly(&glyphs, 11.0, 2).unwrap();
        assert_eq!(even.iter().map(|line| line.len()).collect::<Vec<_>>(), [9, 9]);
        assert!(wrap_evenly(&glyphs, 8.0, 2).is_none());
    }
}
