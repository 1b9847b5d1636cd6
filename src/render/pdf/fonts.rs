//! Fonts in the document: each face reduced to the glyphs used, with the widths and the map back to Unicode that
//! searching and copying need (also beyond the BMP).
//!
//! printpdf embeds a font as it is given, so the face is reduced here and handed over with its widths and metrics.

use std::collections::BTreeMap;

use printpdf::{
    Codepoint, FontId, FontMetrics, Op, ParsedFont, PdfFont, PdfFontHandle, PdfFontMetricsStub, Pt, TextItem,
};
use sha2::{Digest, Sha256};
use subsetter::GlyphRemapper;

use super::super::RenderError;
use super::super::draw::Item;
use super::super::text::{Face, Fonts};

/// What widths and metrics are given in: PDF's own 1/1000 em, whatever the font file counts in, so that printpdf has
/// nothing to convert and to cut off.
const UNITS_PER_EM: u16 = 1000;

/// The faces of one document.
pub(super) struct Embedded {
    faces: BTreeMap<u8, Subset>,
}

/// One face, reduced.
struct Subset {
    /// Glyph number in the original → number in the subset.
    codes: BTreeMap<u16, u16>,
    /// By number in the subset, from 1.
    characters: Vec<char>,
    font: ParsedFont,
}

impl Embedded {
    /// Reduces every face of `fonts` to what `items` use of it.
    pub(super) fn subset<'a>(fonts: &Fonts, items: impl Iterator<Item = &'a Item>) -> Result<Self, RenderError> {
        let mut used: BTreeMap<u8, BTreeMap<u16, char>> = BTreeMap::new();
        for item in items {
            if let Item::Text(text) = item {
                for glyph in &text.glyphs {
                    // Two characters may share a glyph; the lower is what copying gives.
                    let character = used.entry(glyph.face).or_default().entry(glyph.id).or_insert(glyph.character);
                    *character = glyph.character.min(*character);
                }
            }
        }
        let subset = |(face, glyphs)| Ok((face, reduce(fonts.face(face), &glyphs)?));
        Ok(Self { faces: used.into_iter().map(subset).collect::<Result<_, RenderError>>()? })
    }

    /// The resource name of a face.
    pub(super) fn name(face: u8) -> String {
        format!("F{face}")
    }

    /// The code that shows glyph `id` of `face`.
    pub(super) fn code(&self, face: u8, id: u16) -> u16 {
        self.faces.get(&face).and_then(|subset| subset.codes.get(&id)).copied().unwrap_or(0)
    }

    /// The faces as printpdf keeps them, under their resource names.
    pub(super) fn fonts(&self) -> impl Iterator<Item = (FontId, PdfFont)> {
        self.faces.iter().map(|(&face, subset)| (FontId(Self::name(face)), PdfFont::new(subset.font.clone())))
    }

    /// Text that shows every glyph of every face once.
    pub(super) fn specimen(&self) -> Vec<Op> {
        let mut ops = vec![Op::StartTextSection];
        for (&face, subset) in &self.faces {
            let glyph = |(code, character): (u16, &char)| Codepoint::with_cid(code, 0.0, character.to_string());
            let glyphs = (1u16..).zip(&subset.characters).map(glyph).collect();
            ops.push(Op::SetFont { font: PdfFontHandle::External(FontId(Self::name(face))), size: Pt(1.0) });
            ops.push(Op::ShowText { items: vec![TextItem::GlyphIds(glyphs)] });
        }
        ops.push(Op::EndTextSection);
        ops
    }
}

fn reduce(face: &Face, glyphs: &BTreeMap<u16, char>) -> Result<Subset, RenderError> {
    use ab_glyph::{Font, GlyphId};

    let refuse = |reason: String| RenderError::FontNotEmbeddable { font: face.name.clone(), reason };
    let data = face.font.font_data();
    let mut remapper = GlyphRemapper::new();
    let codes: BTreeMap<u16, u16> = glyphs.keys().map(|&id| (id, remapper.remap(id))).collect();
    let subset = subsetter::subset(data, 0, &remapper).map_err(|error| refuse(error.to_string()))?;
    let parsed = ttf_parser::Face::parse(data, 0).map_err(|error| refuse(error.to_string()))?;

    let thousandth = f32::from(UNITS_PER_EM) / face.units_per_em;
    let of = |value: i16| (f32::from(value) * thousandth).round() as i16;
    let advance = |id: u16| (face.font.h_advance_unscaled(GlyphId(id)) * thousandth).round() as u16;
    // Numbers in the subset rise with those in the original, so this is their order too.
    let widths = (1u16..).zip(glyphs.keys().map(|&id| advance(id))).collect();
    let name = format!("{}+{}", tag(&subset), plain_name(&face.name));
    let metrics = FontMetrics { ascent: of(parsed.ascender()), descent: of(parsed.descender()) };
    // No map from characters: the glyphs are shown by number.
    let characters = BTreeMap::new();
    let mut font = ParsedFont::with_glyph_data(subset, 0, Some(name), characters, widths, UNITS_PER_EM, metrics);
    let bounds = parsed.global_bounding_box();
    font.pdf_font_metrics = PdfFontMetricsStub {
        units_per_em: UNITS_PER_EM,
        x_min: of(bounds.x_min),
        y_min: of(bounds.y_min),
        x_max: of(bounds.x_max),
        y_max: of(bounds.y_max),
        caret_slope_rise: 1000,
        caret_slope_run: (-parsed.italic_angle().to_radians().tan() * 1000.0).round() as i16,
        us_weight_class: parsed.weight().to_number(),
    };
    Ok(Subset { codes, characters: glyphs.values().copied().collect(), font })
}

/// Six capital letters from the subset's content.
fn tag(program: &[u8]) -> String {
    Sha256::digest(program).iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}

/// A name without what a PDF name cannot hold plainly.
fn plain_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect()
}
