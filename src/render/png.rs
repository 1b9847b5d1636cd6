//! One face of one card as a PNG picture with round corners, for screens and for checking.
//!
//! Modules of the code are whole pixels, whatever the resolution, so that the picture reads as well as print does.

use ab_glyph::{Font, GlyphId, OutlineCurve, Point, point};
use ab_glyph_rasterizer::Rasterizer;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageFormat, Rgba, RgbaImage};

use super::draw::{self, Colour, Frame, Item, Step, Text};
use super::pdf::THICKEN;
use super::text::Fonts;
use super::{CardData, CardDesign, RenderError, face, qr};

/// The resolution to use without a reason for another: ten pixels for a module of 0.42 mm (605 dpi).
pub const DOTS_PER_MM: f32 = 10.0 / 0.42;
/// The range of resolutions accepted, in dots per millimetre (about 100 to 1,270 dpi).
pub const RANGE: (f32, f32) = (4.0, 50.0);

/// The front of a card. `dots_per_mm` outside [`RANGE`] is brought into it.
///
/// # Errors
/// A card that cannot be drawn; see [`RenderError`].
pub fn front(card: &CardData, design: &CardDesign, dots_per_mm: f32) -> Result<Vec<u8>, RenderError> {
    let mut items = face::front_ground(design, card.star.min(5))?;
    items.append(&mut face::front(card, design)?);
    paint(&items, design, dots_per_mm)
}

/// The back, which is the same for every card.
///
/// # Errors
/// A design that cannot be drawn; see [`RenderError`].
pub fn back(design: &CardDesign, dots_per_mm: f32) -> Result<Vec<u8>, RenderError> {
    paint(&face::back(design)?, design, dots_per_mm)
}

fn paint(items: &[Item], design: &CardDesign, dots_per_mm: f32) -> Result<Vec<u8>, RenderError> {
    let scale = if dots_per_mm.is_finite() { dots_per_mm.clamp(RANGE.0, RANGE.1) } else { DOTS_PER_MM };
    let card = &design.template.card;
    let (width, height) = ((card.width * scale).round() as u32, (card.height * scale).round() as u32);
    let mut canvas = Canvas { pixels: RgbaImage::from_pixel(width, height, Rgba([255; 4])), scale };
    for item in items {
        match item {
            Item::Shape { path, colour } => canvas.shape(path, *colour),
            Item::Text(text) => canvas.text(text, &design.fonts),
            Item::Code { x, y, module, text } => canvas.code(*x, *y, *module, text)?,
            Item::Photo { frame, radius, photo } => {
                let picture = image::load_from_memory_with_format(photo.jpeg(), ImageFormat::Jpeg)
                    .map_err(|error| RenderError::Picture(error.to_string()))?;
                canvas.picture(*frame, *radius, &picture.into_rgba8());
            }
            Item::Logo { frame, logo } => canvas.picture(*frame, 0.0, logo.pixels()),
        }
    }
    canvas.round_corners(Frame { x: 0.0, y: 0.0, width: card.width, height: card.height }, card.radius);
    let mut out = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive);
    canvas.pixels.write_with_encoder(encoder).map_err(|error| RenderError::Picture(error.to_string()))?;
    Ok(with_resolution(out, scale))
}

struct Canvas {
    pixels: RgbaImage,
    /// Pixels in a millimetre.
    scale: f32,
}

impl Canvas {
    fn shape(&mut self, path: &[Step], colour: Colour) {
        let to = |x: f32, y: f32| point(x * self.scale, y * self.scale);
        let mut lines = Vec::with_capacity(path.len());
        let (mut start, mut at) = (point(0.0, 0.0), point(0.0, 0.0));
        for step in path {
            match *step {
                Step::Move(x, y) => {
                    start = to(x, y);
                    at = start;
                }
                Step::Line(x, y) => {
                    lines.push(OutlineCurve::Line(at, to(x, y)));
                    at = to(x, y);
                }
                Step::Cubic(a, b, c, d, x, y) => {
                    lines.push(OutlineCurve::Cubic(at, to(a, b), to(c, d), to(x, y)));
                    at = to(x, y);
                }
                Step::Close => {
                    lines.push(OutlineCurve::Line(at, start));
                    at = start;
                }
            }
        }
        self.fill(&lines, colour);
    }

    fn text(&mut self, text: &Text, fonts: &Fonts) {
        let em = text.size * self.scale;
        let (mut x, y) = (text.x * self.scale, text.y * self.scale);
        for glyph in &text.glyphs {
            let face = fonts.face(glyph.face);
            // The outline is in font units with y upwards; ab_glyph's own scaling is by line height, so it is done here.
            let unit = em / face.units_per_em;
            if let Some(outline) = face.font.outline(GlyphId(glyph.id)) {
                let shifts: &[f32] = if glyph.thicken { &[-THICKEN / 2.0, 0.0, THICKEN / 2.0] } else { &[0.0] };
                for shift in shifts {
                    let to = |p: Point| point(x + shift * em + p.x * unit, y - p.y * unit);
                    let curves: Vec<OutlineCurve> = outline
                        .curves
                        .iter()
                        .map(|curve| match *curve {
                            OutlineCurve::Line(a, b) => OutlineCurve::Line(to(a), to(b)),
                            OutlineCurve::Quad(a, b, c) => OutlineCurve::Quad(to(a), to(b), to(c)),
                            OutlineCurve::Cubic(a, b, c, d) => OutlineCurve::Cubic(to(a), to(b), to(c), to(d)),
                        })
                        .collect();
                    self.fill(&curves, text.colour);
                }
            }
            x += (glyph.advance + text.tracking) * em;
        }
    }

    /// Modules become whole pixels; the symbol stays centred where its millimetres are.
    fn code(&mut self, x: f32, y: f32, module: f32, text: &str) -> Result<(), RenderError> {
        let matrix = qr::matrix(text).map_err(|source| RenderError::CodeTooLarge { owner: "证卡".into(), source })?;
        let size = matrix.size() as u32;
        let dots = ((module * self.scale + 0.02).floor() as u32).max(1);
        let centre = |start: f32| (start + module * size as f32 / 2.0) * self.scale;
        let corner = |start: f32| (centre(start) - (dots * size) as f32 / 2.0).round().max(0.0) as u32;
        let (left, top) = (corner(x), corner(y));
        for (column, row, length) in matrix.runs() {
            for down in 0..dots {
                for across in 0..dots * length as u32 {
                    let (px, py) = (left + column as u32 * dots + across, top + row as u32 * dots + down);
                    if px < self.pixels.width() && py < self.pixels.height() {
                        self.pixels.put_pixel(px, py, Rgba([0, 0, 0, 255]));
                    }
                }
            }
        }
        Ok(())
    }

    fn picture(&mut self, frame: Frame, radius: f32, picture: &RgbaImage) {
        let to = |length: f32| (length * self.scale).round() as u32;
        let (left, top) = (to(frame.x), to(frame.y));
        let (width, height) = (to(frame.width).max(1), to(frame.height).max(1));
        let fitted = image::imageops::resize(picture, width, height, image::imageops::FilterType::CatmullRom);
        let inside = Frame { x: 0.0, y: 0.0, width: frame.width, height: frame.height };
        let mask = self.coverage(&draw::rectangle(inside, radius), width, height);
        for (x, y, pixel) in fitted.enumerate_pixels() {
            let shown = mask[(y * width + x) as usize] * f32::from(pixel[3]) / 255.0;
            self.blend(left + x, top + y, [pixel[0], pixel[1], pixel[2]], shown);
        }
    }

    /// Fills closed curves, rasterising no more than their bounds.
    fn fill(&mut self, curves: &[OutlineCurve], colour: Colour) {
        let (mut low, mut high) = (point(f32::MAX, f32::MAX), point(f32::MIN, f32::MIN));
        for curve in curves {
            for p in points(curve) {
                low = point(low.x.min(p.x), low.y.min(p.y));
                high = point(high.x.max(p.x), high.y.max(p.y));
            }
        }
        // Outside the picture nothing shows; the left and upper parts are kept, since coverage is summed from the left.
        let (width, height) = (self.pixels.width() as f32, self.pixels.height() as f32);
        if curves.is_empty() || low.x >= width || low.y >= height || high.x <= 0.0 || high.y <= 0.0 {
            return;
        }
        let origin = point(low.x.floor(), low.y.floor());
        let across = (high.x.ceil() - origin.x) as usize + 2;
        let down = (high.y.ceil() - origin.y) as usize + 2;
        let mut raster = Rasterizer::new(across, down);
        draw_curves(&mut raster, curves, origin);
        raster.for_each_pixel_2d(|x, y, shown| {
            let (px, py) = (origin.x + x as f32, origin.y + y as f32);
            if shown > 0.0 && px >= 0.0 && py >= 0.0 && px < width && py < height {
                self.blend(px as u32, py as u32, colour, shown.min(1.0));
            }
        });
    }

    fn blend(&mut self, x: u32, y: u32, colour: Colour, shown: f32) {
        if x < self.pixels.width() && y < self.pixels.height() {
            let pixel = self.pixels.get_pixel_mut(x, y);
            for (old, new) in pixel.0.iter_mut().zip(colour) {
                *old = (f32::from(*old) + (f32::from(new) - f32::from(*old)) * shown).round() as u8;
            }
        }
    }

    /// How much of each pixel lies inside a path that starts at (0, 0), row by row.
    fn coverage(&self, path: &[Step], width: u32, height: u32) -> Vec<f32> {
        let mut mask = Canvas { pixels: RgbaImage::from_pixel(width, height, Rgba([0, 0, 0, 255])), scale: self.scale };
        mask.shape(path, [255; 3]);
        mask.pixels.pixels().map(|pixel| f32::from(pixel[0]) / 255.0).collect()
    }

    /// Makes what lies outside the card transparent, and white for viewers that do not know transparency.
    fn round_corners(&mut self, card: Frame, radius: f32) {
        let (width, height) = self.pixels.dimensions();
        let mask = self.coverage(&draw::rectangle(card, radius), width, height);
        // Only the corners are touched: elsewhere rounding of the size may leave an edge pixel half covered.
        let reach = (radius * self.scale).ceil() as u32;
        for (x, y, pixel) in self.pixels.enumerate_pixels_mut() {
            if (x < reach || x >= width - reach) && (y < reach || y >= height - reach) {
                let shown = mask[(y * width + x) as usize];
                pixel[3] = (shown * 255.0).round() as u8;
                if pixel[3] == 0 {
                    *pixel = Rgba([255, 255, 255, 0]);
                }
            }
        }
    }
}

fn points(curve: &OutlineCurve) -> impl Iterator<Item = Point> {
    let points = match *curve {
        OutlineCurve::Line(a, b) => [a, b, a, b],
        OutlineCurve::Quad(a, b, c) => [a, b, c, c],
        OutlineCurve::Cubic(a, b, c, d) => [a, b, c, d],
    };
    points.into_iter()
}

fn draw_curves(raster: &mut Rasterizer, curves: &[OutlineCurve], origin: Point) {
    let to = |p: Point| point(p.x - origin.x, p.y - origin.y);
    for curve in curves {
        match *curve {
            OutlineCurve::Line(a, b) => raster.draw_line(to(a), to(b)),
            OutlineCurve::Quad(a, b, c) => raster.draw_quad(to(a), to(b), to(c)),
            OutlineCurve::Cubic(a, b, c, d) => raster.draw_cubic(to(a), to(b), to(c), to(d)),
        }
    }
}

/// Adds the resolution (PNG chunk `pHYs`) after the header, so that the picture prints at the card's size.
fn with_resolution(png: Vec<u8>, dots_per_mm: f32) -> Vec<u8> {
    /// Signature and IHDR, which are always this long.
    const HEAD: usize = 8 + 12 + 13;
    let per_metre = ((dots_per_mm * 1000.0).round() as u32).to_be_bytes();
    let mut body = b"pHYs".to_vec();
    body.extend(per_metre);
    body.extend(per_metre);
    body.push(1);
    let mut crc = flate2::Crc::new();
    crc.update(&body);
    let mut out = png[..HEAD].to_vec();
    out.extend((body.len() as u32 - 4).to_be_bytes());
    out.extend(&body);
    out.extend(crc.sum().to_be_bytes());
    out.extend(&png[HEAD..]);
    out
}
