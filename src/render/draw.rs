//! The display list: what a face consists of, in millimetres from the card's top left, y downwards.
//!
//! Only these few kinds exist, so that each painter stays small and both draw the same thing. Shapes are filled, never
//! stroked: an outline is the area between two paths.

use std::f32::consts::PI;

use super::photo::{Photo, Picture};
use super::text::Glyph;

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// One thing to paint; later ones cover earlier ones.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Shape {
        path: Vec<Step>,
        colour: Colour,
    },
    Text(Text),
    /// A QR symbol; (`x`, `y`) is its first module, the quiet zone lies outside. The painter makes the matrix, since most
    /// of the time is spent there and painters know how to share it out.
    Code {
        x: f32,
        y: f32,
        module: f32,
        text: String,
    },
    Photo {
        frame: Frame,
        radius: f32,
        photo: Photo,
    },
    Logo {
        frame: Frame,
        logo: Picture,
    },
}

/// One line of text.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// Left end of the line.
    pub x: f32,
    /// Baseline.
    pub y: f32,
    /// Size of the em, in millimetres.
    pub size: f32,
    /// Extra space between characters, in em.
    pub tracking: f32,
    pub colour: Colour,
    pub glyphs: Vec<Glyph>,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Move(f32, f32),
    Line(f32, f32),
    Cubic(f32, f32, f32, f32, f32, f32),
    Close,
}

/// A rectangle, with round corners if `radius` is above zero.
pub(super) fn rectangle(frame: Frame, radius: f32) -> Vec<Step> {
    let Frame { x, y, width, height } = frame;
    let (right, bottom) = (x + width, y + height);
    if radius <= 0.0 {
        return vec![
            Step::Move(x, y),
            Step::Line(right, y),
            Step::Line(right, bottom),
            Step::Line(x, bottom),
            Step::Close,
        ];
    }
    let r = radius.min(width / 2.0).min(height / 2.0);
    // Distance of a Bézier control point from the corner for a quarter of a circle.
    let k = r * (1.0 - 0.552_284_8);
    vec![
        Step::Move(x + r, y),
        Step::Line(right - r, y),
        Step::Cubic(right - k, y, right, y + k, right, y + r),
        Step::Line(right, bottom - r),
        Step::Cubic(right, bottom - k, right - k, bottom, right - r, bottom),
        Step::Line(x + r, bottom),
        Step::Cubic(x + k, bottom, x, bottom - k, x, bottom - r),
        Step::Line(x, y + r),
        Step::Cubic(x, y + k, x + k, y, x + r, y),
        Step::Close,
    ]
}

/// The border of a rectangle, `line` thick, inside it.
pub(super) fn border(frame: Frame, radius: f32, line: f32) -> Vec<Step> {
    let inner = Frame {
        x: frame.x + line,
        y: frame.y + line,
        width: frame.width - 2.0 * line,
        height: frame.height - 2.0 * line,
    };
    let mut path = rectangle(frame, radius);
    path.extend(reversed(&rectangle(inner, (radius - line).max(0.0))));
    path
}

/// A five-pointed star in a square of side `height` whose top left is (`x`, `y`).
pub(super) fn star(x: f32, y: f32, height: f32) -> Vec<Step> {
    star_scaled(x, y, height, 1.0)
}

/// The outline of the same star, `line` thick, inside it.
pub(super) fn star_outline(x: f32, y: f32, height: f32, line: f32) -> Vec<Step> {
    // Every edge is equally far from the centre, so an inset star is a smaller star about the same centre.
    let (sine, cosine) = (PI / 5.0).sin_cos();
    let edge_distance =
        star_radius(height) * STAR_INNER * sine / (1.0 + STAR_INNER * STAR_INNER - 2.0 * STAR_INNER * cosine).sqrt();
    let mut path = star(x, y, height);
    path.extend(reversed(&star_scaled(x, y, height, 1.0 - line / edge_distance)));
    path
}

/// How far the inner corners of the star stand out, as a part of the outer radius; the pentagram's own is 0.382, a little
/// more reads better at 3 mm.
const STAR_INNER: f32 = 0.43;

fn star_radius(height: f32) -> f32 {
    // From the upper point to the line through the two feet.
    height / (1.0 + (PI / 5.0).cos())
}

fn star_scaled(x: f32, y: f32, height: f32, scale: f32) -> Vec<Step> {
    let radius = star_radius(height);
    let (centre_x, centre_y) = (x + height / 2.0, y + radius);
    let mut path: Vec<Step> = (0..10)
        .map(|corner| {
            let reach = scale * radius * if corner % 2 == 0 { 1.0 } else { STAR_INNER };
            let angle = corner as f32 * PI / 5.0;
            let (px, py) = (centre_x + reach * angle.sin(), centre_y - reach * angle.cos());
            if corner == 0 { Step::Move(px, py) } else { Step::Line(px, py) }
        })
        .collect();
    path.push(Step::Close);
    path
}

/// The same closed path walked the other way round, which cuts a hole when filled with a path around it.
fn reversed(path: &[Step]) -> Vec<Step> {
    let end = |step: &Step| match *step {
        Step::Move(x, y) | Step::Line(x, y) | Step::Cubic(_, _, _, _, x, y) => Some((x, y)),
        Step::Close => None,
    };
    let steps: Vec<(&Step, (f32, f32))> = path.iter().filter_map(|step| Some((step, end(step)?))).collect();
    let mut out: Vec<Step> = steps.last().map(|&(_, (x, y))| Step::Move(x, y)).into_iter().collect();
    for pair in steps.windows(2).rev() {
        let (_, (x, y)) = pair[0];
        out.push(match *pair[1].0 {
            Step::Cubic(a, b, c, d, ..) => Step::Cubic(c, d, a, b, x, y),
            _ => Step::Line(x, y),
        });
    }
    out.push(Step::Close);
    out
}
