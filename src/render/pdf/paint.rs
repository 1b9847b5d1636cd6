//! A display list as a PDF content stream. Units inside are millimetres with the origin at the card's bottom left; the
//! form that carries the stream scales them.

use flate2::{Compress, Compression, FlushCompress};

use super::super::draw::{self, Colour, Item, Step, Text};
use super::super::layout::Mark;
use super::super::{RenderError, qr};
use super::content::Content;
use super::fonts::Embedded;

/// PDF units (1/72 inch) in a millimetre.
const UNITS: f32 = 72.0 / 25.4;
/// How much strokes are thickened where a face has no bold, in em.
pub(in super::super) const THICKEN: f32 = 0.03;

/// Millimetres as PDF units, to a thousandth.
pub(super) fn millimetres(length: f32) -> f32 {
    round(length * UNITS)
}

/// The factor between the two.
pub(super) fn scale() -> f32 {
    UNITS
}

/// Paints `items` of a card or page `height` millimetres high.
pub(super) fn content(items: &[Item], height: f32, fonts: &Embedded) -> Result<Vec<u8>, RenderError> {
    let mut painter = Painter { content: Content::with_capacity(16 * 1024), height, fill: None, tracking: 0.0 };
    for item in items {
        match item {
            Item::Shape { path, colour } => {
                painter.fill(*colour);
                painter.path(path);
                painter.content.op(&[], "f");
            }
            Item::Text(text) => painter.text(text, fonts),
            Item::Code { x, y, module, text } => painter.code(*x, *y, *module, text)?,
            Item::Photo { frame, radius, .. } => {
                painter.content.op(&[], "q");
                painter.path(&draw::rectangle(*frame, *radius));
                painter.content.op(&[], "W n");
                painter.image(frame.x, frame.y, frame.width, frame.height, "P");
                painter.content.op(&[], "Q");
            }
            Item::Logo { frame, .. } => {
                painter.content.op(&[], "q");
                painter.image(frame.x, frame.y, frame.width, frame.height, "L");
                painter.content.op(&[], "Q");
            }
        }
    }
    Ok(painter.content.finish())
}

/// Strokes the cut marks of a page `height` millimetres high.
pub(super) fn marks(marks: &[Mark], height: f32) -> Vec<u8> {
    let mut content = Content::with_capacity(64 * marks.len() + 64);
    content.op(&[0.25 / UNITS], "w");
    content.op(&[0.0], "G");
    for mark in marks {
        content.op(&[round(mark.from.x), round(height - mark.from.y)], "m");
        content.op(&[round(mark.to.x), round(height - mark.to.y)], "l");
    }
    content.op(&[], "S");
    content.finish()
}

/// Deflates one stream after another with one set of tables.
///
/// Level 4: a third less work than the usual 6 for codes 2 % larger.
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::new(4), true))
    }

    pub(super) fn deflate(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.reset();
        let mut out = Vec::with_capacity(bytes.len() / 2 + 128);
        loop {
            let read = self.0.total_in() as usize;
            match self.0.compress_vec(&bytes[read..], &mut out, FlushCompress::Finish) {
                Ok(flate2::Status::StreamEnd) => break,
                Ok(_) => out.reserve(out.capacity()),
                Err(_) => unreachable!("deflate into memory has nothing to refuse"),
            }
        }
        out.shrink_to_fit();
        out
    }
}

struct Painter {
    content: Content,
    height: f32,
    fill: Option<Colour>,
    tracking: f32,
}

impl Painter {
    fn fill(&mut self, colour: Colour) {
        if self.fill != Some(colour) {
            self.content.op(&components(colour), "rg");
            self.fill = Some(colour);
        }
    }

    fn y(&self, y: f32) -> f32 {
        round(self.height - y)
    }

    fn path(&mut self, path: &[Step]) {
        for step in path {
            match *step {
                Step::Move(x, y) => self.content.op(&[round(x), self.y(y)], "m"),
                Step::Line(x, y) => self.content.op(&[round(x), self.y(y)], "l"),
                Step::Cubic(a, b, c, d, x, y) => {
                    let points = [round(a), self.y(b), round(c), self.y(d), round(x), self.y(y)];
                    self.content.op(&points, "c");
                }
                Step::Close => self.content.op(&[], "h"),
            }
        }
    }

    fn text(&mut self, text: &Text, fonts: &Embedded) {
        if text.glyphs.is_empty() {
            return;
        }
        self.fill(text.colour);
        let baseline = self.y(text.y);
        let size = round(text.size);
        self.content.op(&[], "BT");
        let tracking = round(text.tracking * text.size);
        if tracking != self.tracking {
            self.content.op(&[tracking], "Tc");
            self.tracking = tracking;
        }
        self.content.op(&[1.0, 0.0, 0.0, 1.0, round(text.x), baseline], "Tm");
        // A run a face: the pen goes on from where the last run left it.
        for run in text.glyphs.chunk_by(|a, b| a.face == b.face && a.thicken == b.thicken) {
            let codes = run.iter().map(|glyph| fonts.code(glyph.face, glyph.id));
            self.content.named(&Embedded::name(run[0].face), &[size], "Tf");
            if run[0].thicken {
                self.content.op(&components(text.colour), "RG");
                self.content.op(&[round(THICKEN * text.size)], "w");
                self.content.op(&[2.0], "Tr");
                self.content.show(codes);
                self.content.op(&[0.0], "Tr");
            } else {
                self.content.show(codes);
            }
        }
        self.content.op(&[], "ET");
    }

    fn code(&mut self, x: f32, y: f32, module: f32, text: &str) -> Result<(), RenderError> {
        let matrix = qr::matrix(text).map_err(|source| RenderError::CodeTooLarge { owner: "证卡".into(), source })?;
        // Inside, a module is one unit and y runs downwards, so every run is four small integers.
        self.content.op(&[], "q");
        self.content.op(&[0.0], "g");
        let y = self.height - y;
        self.content.op(&[module, 0.0, 0.0, -module, round(x), round(y)], "cm");
        for (x, y, length) in matrix.runs() {
            self.content.op(&[x as f32, y as f32, length as f32, 1.0], "re");
        }
        self.content.op(&[], "f");
        self.content.op(&[], "Q");
        Ok(())
    }

    /// An image fills the unit square, so the matrix is its place. The caller saves the state.
    fn image(&mut self, x: f32, y: f32, width: f32, height: f32, name: &str) {
        let bottom = self.y(y + height);
        self.content.op(&[round(width), 0.0, 0.0, round(height), round(x), bottom], "cm");
        self.content.named(name, &[], "Do");
    }
}

fn components(colour: Colour) -> [f32; 3] {
    colour.map(|component| round(f32::from(component) / 255.0))
}

fn round(value: f32) -> f32 {
    (value * 1000.0).round() / 1000.0
}
