//! A4 documents of text and tables: forms, lists, receipts, reports.
//!
//! ```text
//! let mut paper = Paper::new("志愿服务记录簿", "普洱市志愿服务联合会", created);
//! paper.title("志愿服务记录簿")?;
//! paper.paragraph("单位名称：普洱市第二中学", Style::default())?;
//! let mut table = Table::new(&[2.0, 1.0]).head([Cell::new("姓名"), Cell::new("小时")]);
//! table.row([Cell::new("张三"), Cell::new("12").right()]);
//! paper.table(&table)?;
//! let bytes = paper.finish()?;
//! ```
//!
//! What is added goes below what stands there; a page that is full is followed by the next, tables repeat their head.
//! Sizes are in points, lengths in millimetres. Invariants as in [`super`]: nothing is cut off, and a character that no
//! font has is an error that names it and whom the text is about ([`Paper::about`]).

mod table;

use jiff::Timestamp;

use super::draw::{Colour, Item};
use super::face::POINT;
use super::layout::Size;
use super::text::{Fonts, Glyph, MissingGlyph, Weight, width, wrap};
use super::{RenderError, face, pdf};

pub use table::{Cell, Table};

/// Distance of baselines, in em.
const LEADING: f32 = 1.45;
/// Baseline to baseline minus one em, half above and half below.
const HALF_GAP: f32 = (LEADING - 1.0) / 2.0;
const INK: Colour = [0x1d, 0x1a, 0x18];
const GREY: Colour = [0x64, 0x5c, 0x56];
/// Margins: left and right, top, bottom.
const SIDE: f32 = 18.0;
const TOP: f32 = 16.0;
const BOTTOM: f32 = 18.0;

/// Where text stands between the margins or in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right.
    Right,
}

/// How a paragraph is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Size in points.
    pub size: f32,
    /// Bold.
    pub bold: bool,
    /// Where the lines stand.
    pub align: Align,
    /// Indent of the first line, in em; two is usual for running Chinese text.
    pub indent: f32,
    /// In grey, for what only explains.
    pub quiet: bool,
    /// Space below, in millimetres.
    pub after: f32,
}

impl Default for Style {
    fn default() -> Self {
        Self { size: 10.5, bold: false, align: Align::Left, indent: 0.0, quiet: false, after: 1.5 }
    }
}

/// An A4 document being written.
#[derive(Debug)]
pub struct Paper {
    title: String,
    author: String,
    created: Timestamp,
    fonts: Fonts,
    size: Size,
    owner: String,
    numbered: bool,
    pages: Vec<Vec<Item>>,
    /// Where the next thing goes, from the page's top.
    y: f32,
}

impl Paper {
    /// Upright A4. `title`, `author` and `created` stand in the file's description; see [`Self::title`] for the paper.
    pub fn new(title: impl Into<String>, author: impl Into<String>, created: Timestamp) -> Self {
        Self {
            title: title.into(),
            author: author.into(),
            created,
            fonts: Fonts::embedded(),
            size: Size { width: 210.0, height: 297.0 },
            owner: "本文档".into(),
            numbered: true,
            pages: vec![Vec::new()],
            y: TOP,
        }
    }

    /// Lying A4 instead. For the whole document, so before anything is added.
    #[must_use]
    pub fn landscape(mut self) -> Self {
        self.size = Size { width: self.size.height, height: self.size.width };
        self
    }

    /// Other faces than the embedded ones alone.
    #[must_use]
    pub fn with_fonts(mut self, fonts: Fonts) -> Self {
        self.fonts = fonts;
        self
    }

    /// Without 第 1 页 at the foot, for forms of one page.
    #[must_use]
    pub fn unnumbered(mut self) -> Self {
        self.numbered = false;
        self
    }

    /// Whom what follows is about, as errors name them: name and number, or a unit.
    pub fn about(&mut self, owner: impl Into<String>) {
        self.owner = owner.into();
    }

    /// Width between the margins, in millimetres.
    pub fn width(&self) -> f32 {
        self.size.width - 2.0 * SIDE
    }

    /// What is left of this page, in millimetres.
    pub fn room(&self) -> f32 {
        self.size.height - BOTTOM - self.y
    }

    /// The document's heading, large and in the middle.
    ///
    /// # Errors
    /// A character without a font.
    pub fn title(&mut self, text: &str) -> Result<(), RenderError> {
        let style = Style { size: 18.0, bold: true, align: Align::Centre, after: 3.0, ..Style::default() };
        self.paragraph(text, style)
    }

    /// A heading within the document; it stays with what follows if there is little room.
    ///
    /// # Errors
    /// A character without a font.
    pub fn heading(&mut self, text: &str) -> Result<(), RenderError> {
        if self.room() < 30.0 {
            self.page_break();
        }
        self.space(2.0);
        self.paragraph(text, Style { size: 12.0, bold: true, ..Style::default() })
    }

    /// A text, wrapped; line breaks in it are kept.
    ///
    /// # Errors
    /// A character without a font.
    pub fn paragraph(&mut self, text: &str, style: Style) -> Result<(), RenderError> {
        let em = style.size * POINT;
        let colour = if style.quiet { GREY } else { INK };
        let weight = if style.bold { Weight::Bold } else { Weight::Regular };
        for line in self.lines(text, weight, (self.width() / em, style.indent), "文字")? {
            if self.room() < LEADING * em {
                self.page_break();
            }
            let x = SIDE + line.indent * em + shift(style.align, self.width() - line.indent * em, &line.glyphs, em);
            self.write(x, self.y + HALF_GAP * em, style.size, colour, line.glyphs);
            self.y += LEADING * em;
        }
        self.y += style.after;
        Ok(())
    }

    /// One line with a text at each end, or several spread evenly: 单位名称 … 日期.
    ///
    /// # Errors
    /// A character without a font; texts that together are wider than the page.
    pub fn line(&mut self, texts: &[&str], size: f32) -> Result<(), RenderError> {
        let em = size * POINT;
        let mut set = Vec::new();
        for text in texts {
            set.push(self.set(text, Weight::Regular, "文字")?);
        }
        let used: f32 = set.iter().map(|glyphs| width(glyphs, 0.0) * em).sum();
        let gap = (self.width() - used) / (set.len().max(2) - 1) as f32;
        if gap < 0.0 {
            return Err(self.too_long("文字", &texts.join(" ")));
        }
        if self.room() < LEADING * em {
            self.page_break();
        }
        let mut x = SIDE;
        for glyphs in set {
            let advance = width(&glyphs, 0.0) * em + gap;
            self.write(x, self.y + HALF_GAP * em, size, INK, glyphs);
            x += advance;
        }
        self.y += LEADING * em + 1.0;
        Ok(())
    }

    /// A thin rule from margin to margin.
    pub fn rule(&mut self) {
        let (y, width) = (self.y + 1.0, self.width());
        self.push(face::bar(SIDE, y, width, 0.2, INK));
        self.y += 3.0;
    }

    /// White, in millimetres.
    pub fn space(&mut self, height: f32) {
        self.y += height;
    }

    /// Goes on with the next page.
    pub fn page_break(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    /// The document.
    ///
    /// # Errors
    /// A font that cannot be embedded.
    pub fn finish(mut self) -> Result<Vec<u8>, RenderError> {
        let words = self.pages.iter().flatten().any(|item| matches!(item, Item::Text(_)));
        // A file without any glyph would need no font; every page here has one.
        if self.numbered || !words {
            let count = self.pages.len();
            for index in 0..count {
                let glyphs = self.set(&format!("第 {} 页　共 {count} 页", index + 1), Weight::Regular, "页码")?;
                let x = (self.size.width - width(&glyphs, 0.0) * 8.0 * POINT) / 2.0;
                let foot = face::write(x, self.size.height - 11.0, 8.0, 0.0, GREY, glyphs);
                self.pages[index].push(foot);
            }
        }
        pdf::pages(&self.pages, self.size, &self.fonts, [&self.title, &self.author], self.created)
    }

    /// Sets one line, or says whose character has no font. ☐ and ☑ are boxes; the tick is drawn by [`Self::write`].
    fn set(&self, text: &str, weight: Weight, field: &'static str) -> Result<Vec<Glyph>, RenderError> {
        let glyph = |c: char| match c {
            '☐' | '☑' => self.fonts.glyph('□', weight).map(|glyph| Glyph { character: c, ..glyph }),
            c => self.fonts.glyph(c, weight),
        };
        text.chars().map(|c| glyph(c).ok_or(c)).collect::<Result<_, _>>().map_err(|character| {
            let (owner, text) = (self.owner.clone(), text.to_owned());
            RenderError::MissingGlyph(MissingGlyph { owner, field, text, character })
        })
    }

    /// Breaks a text into lines of at most `measure.0` em, the first of each paragraph indented by `measure.1` em.
    fn lines(
        &self,
        text: &str,
        weight: Weight,
        measure: (f32, f32),
        field: &'static str,
    ) -> Result<Vec<Line>, RenderError> {
        let (limit, indent) = measure;
        let mut lines = Vec::new();
        for paragraph in text.replace("\r\n", "\n").split('\n') {
            let glyphs = self.set(paragraph, weight, field)?;
            let Some(first) = wrap(&glyphs, limit - indent).first().map(|line| line.to_vec()) else {
                lines.push(Line { glyphs: Vec::new(), indent: 0.0 });
                continue;
            };
            let taken = glyphs.iter().take_while(|glyph| glyph.character.is_whitespace()).count() + first.len();
            let rest = wrap(&glyphs[taken.min(glyphs.len())..], limit);
            lines.push(Line { glyphs: first, indent });
            lines.extend(rest.into_iter().map(|line| Line { glyphs: line.to_vec(), indent: 0.0 }));
        }
        Ok(lines)
    }

    /// Writes a line whose em square has its top left at (`x`, `top`), with ticks in its ticked boxes.
    fn write(&mut self, x: f32, top: f32, size: f32, colour: Colour, glyphs: Vec<Glyph>) {
        let mut ticks = Vec::new();
        let mut at = x;
        for glyph in &glyphs {
            if glyph.character == '☑' {
                ticks.push(at);
            }
            at += glyph.advance * size * POINT;
        }
        if !glyphs.is_empty() {
            self.push(face::write(x, top, size, 0.0, colour, glyphs));
        }
        for at in ticks {
            if let Some(tick) = self.fonts.glyph('√', Weight::Bold) {
                self.push(face::write(
                    at + 0.1 * size * POINT,
                    top - 0.08 * size * POINT,
                    size,
                    0.0,
                    colour,
                    vec![tick],
                ));
            }
        }
    }

    fn push(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    fn too_long(&self, field: &'static str, text: &str) -> RenderError {
        RenderError::TextTooLong { owner: self.owner.clone(), field, text: text.to_owned() }
    }
}

/// A line set, and how far its first character stands in, in em.
#[derive(Debug)]
struct Line {
    glyphs: Vec<Glyph>,
    indent: f32,
}

/// How far a line stands from the left of `room` millimetres.
fn shift(align: Align, room: f32, glyphs: &[Glyph], em: f32) -> f32 {
    let free = room - width(glyphs, 0.0) * em;
    match align {
        Align::Left => 0.0,
        Align::Centre => free / 2.0,
        Align::Right => free,
    }
}
