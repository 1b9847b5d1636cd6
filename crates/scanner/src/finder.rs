//! The three square targets in a symbol's corners.

use crate::order::ascending;
use crate::plane::{Plane, Point, between};

/// A target: dark 3 × 3 modules, a light ring, a dark ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finder {
    pub(crate) middle: Point,
    /// Pixels a module, the mean over directions.
    pub(crate) module: f32,
    /// How far its rings are from their ideal, 0 for not at all.
    pub(crate) error: f32,
    /// Rows that went through it.
    seen: u32,
}

/// Targets that are looked at further; a picture made to keep us busy has more.
const MAX_FINDERS: usize = 400;

/// Distances from the middle at which a target changes colour, in modules.
pub(crate) const RINGS: [f32; 3] = [1.5, 2.5, 3.5];

/// All targets in a map of tones (negative is dark), the best first.
pub(crate) fn find(tones: &Plane<'_, i16>) -> Vec<Finder> {
    let mut found: Vec<Finder> = Vec::new();
    let mut edges: Vec<f32> = Vec::new();
    for y in (1..tones.height).step_by(2) {
        let row = &tones.values[y * tones.width..][..tones.width];
        edges.clear();
        let mut was_dark = row[0] < 0;
        let begins_dark = was_dark;
        for (x, pair) in row.windows(2).enumerate() {
            let dark = pair[1] < 0;
            if dark != was_dark {
                edges.push(x as f32 + 0.5 + crossing(f32::from(pair[0]), f32::from(pair[1])));
                was_dark = dark;
            }
        }
        // Runs that are dark begin at every second edge.
        let first = usize::from(begins_dark);
        for run in edges[first.min(edges.len())..].windows(6).step_by(2) {
            if !is_target(run) {
                continue;
            }
            let at = Point::new((run[2] + run[3]) / 2.0, y as f32 + 0.5);
            let known = found.iter_mut().find(|finder| {
                let off = finder.middle.minus(at);
                off.x.abs() < finder.module * 1.6 && off.y.abs() < finder.module * 1.6
            });
            if let Some(known) = known {
                known.seen += 1;
            } else if found.len() < MAX_FINDERS
                && is_target_across(tones, at, (run[5] - run[0]) / 7.0)
                && let Some(finder) = examine(tones, at, (run[5] - run[0]) / 7.0)
            {
                found.push(finder);
            }
        }
    }
    // A target was met about as often as it has rows; a chance likeness once or twice.
    let doubt = |finder: &Finder| {
        let expected = (finder.module * 1.5).max(1.0);
        finder.error + 0.15 * (1.0 - (finder.seen as f32 / expected).min(1.0))
    };
    ascending(&mut found, doubt);
    found
}

/// Where between two pixels of different tone the change is, 0 to 1.
fn crossing(from: f32, to: f32) -> f32 {
    from / (from - to)
}

/// Five runs, dark first, about 1 : 1 : 3 : 1 : 1.
fn is_target(edges: &[f32]) -> bool {
    let width = edges[5] - edges[0];
    let module = width / 7.0;
    if module < 0.9 {
        return false;
    }
    let narrow = [0, 1, 3, 4].iter().all(|i| {
        let run = edges[i + 1] - edges[*i];
        run > 0.35 * module && run < 1.8 * module
    });
    let middle = edges[3] - edges[2];
    narrow && middle > 1.9 * module && middle < 4.3 * module
}

/// The same from top to bottom, before it is looked at more closely.
fn is_target_across(tones: &Plane<'_, i16>, at: Point, module: f32) -> bool {
    let reach = module * 3.5 * 2.5;
    let Some(up) = rays(tones, at, Point::new(0.0, -1.0), reach) else { return false };
    let Some(down) = rays(tones, at, Point::new(0.0, 1.0), reach) else { return false };
    is_target(&[-up[2], -up[1], -up[0], down[0], down[1], down[2]])
}

/// Looks from a place into eight directions and moves to the middle of what is there.
fn examine(tones: &Plane<'_, i16>, at: Point, module: f32) -> Option<Finder> {
    let mut middle = at;
    let mut module = module;
    let mut error = 0.0;
    for round in 0..3 {
        error = 0.0;
        let mut length = 0.0;
        let mut shift = Point::new(0.0, 0.0);
        for (turn, axis) in AXES.iter().enumerate() {
            let reach = module * 3.5 * 3.0;
            let ahead = rays(tones, middle, *axis, reach)?;
            let back = rays(tones, middle, Point::new(-axis.x, -axis.y), reach)?;
            let total = ahead[2] + back[2];
            let unit = total / 7.0;
            for (ring, ideal) in RINGS.iter().enumerate() {
                let off = (ahead[ring] + back[ring]) / (2.0 * unit) - ideal;
                let weight = if turn % 2 == 0 { 1.0 } else { 0.5 };
                error += off * off * weight;
            }
            // By the outer edge, the inner ones help to keep a blot from pulling.
            let off = (ahead[2] - back[2] + ahead[1] - back[1] + ahead[0] - back[0]) / 6.0;
            shift = shift.plus(*axis, off / 2.0);
            length += total / 4.0;
        }
        // Diagonals are longer by the root of two: the mean over both by 1.207.
        module = length / 7.0 / 1.207;
        middle = middle.plus(shift, 1.0);
        if round == 0 && error > 6.0 {
            return None;
        }
    }
    let error = (error / 9.0).sqrt();
    (error < 0.45).then_some(Finder { middle, module, error, seen: 1 })
}

const DIAGONAL: f32 = std::f32::consts::FRAC_1_SQRT_2;
const AXES: [Point; 4] = [
    Point { x: 1.0, y: 0.0 },
    Point { x: DIAGONAL, y: DIAGONAL },
    Point { x: 0.0, y: 1.0 },
    Point { x: -DIAGONAL, y: DIAGONAL },
];

/// How far from a dark place in a direction (of length one) it becomes light, dark and light again.
pub(crate) fn rays(tones: &Plane<'_, i16>, from: Point, direction: Point, reach: f32) -> Option<[f32; 3]> {
    let mut edges = [0.0; 3];
    let mut before = tones.at(from);
    if before >= 0.0 {
        return None;
    }
    // Fine enough not to step over a ring that is much too narrow.
    let step = between(reach * STEP, 0.5, 1.5);
    let (mut next, mut travelled) = (0, 0.0);
    while travelled < reach {
        travelled += step;
        let point = from.plus(direction, travelled);
        if !tones.holds(point) {
            return None;
        }
        let here = tones.at(point);
        if (here < 0.0) != (before < 0.0) {
            edges[next] = travelled - step + step * crossing(before, here);
            next += 1;
            if next == 3 {
                return Some(edges);
            }
        }
        before = here;
    }
    None
}

/// A step, in parts of the reach, which is some ten modules.
const STEP: f32 = 0.035;
