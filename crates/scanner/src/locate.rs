//! From three targets to the map of a symbol's modules.

use crate::finder::{Finder, RINGS, rays};
use crate::order::ascending;
use crate::plane::{Homography, Match, Plane, Point};
use crate::symbol::{alignment_centers, side};

/// Where a symbol seems to be.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) version: usize,
    pub(crate) map: Homography,
    matches: Vec<Match>,
    /// How well the timing lines alternate, −1 to 1.
    timing: f32,
}

/// Best targets of which threes are made, and threes that are looked at.
const MAX_TARGETS: usize = 14;
const MAX_LOCATED: usize = 6;
/// Targets of a symbol leaned far back differ in size, but not more than by this factor.
const MOST_UNLIKE: f32 = 2.2;
/// Timing lines that do not alternate are none.
const LEAST_TIMING: f32 = 0.25;

/// The threes among the targets that have timing lines between them, the clearest first.
pub(crate) fn locate(grey: &Plane<'_, u8>, tones: &Plane<'_, i16>, finders: &[Finder]) -> Vec<Located> {
    let best = &finders[..finders.len().min(MAX_TARGETS)];
    // From each target to each other.
    let legs: Vec<Option<Leg>> = (0..best.len() * best.len())
        .map(|place| {
            let (from, to) = (&best[place / best.len()], &best[place % best.len()]);
            let alike = from.module < to.module * MOST_UNLIKE && to.module < from.module * MOST_UNLIKE;
            if alike { leg(tones, from, to) } else { None }
        })
        .collect();
    let leg = |from: usize, to: usize| legs[from * best.len() + to].as_ref();
    let mut located: Vec<Located> = Vec::new();
    for corner in 0..best.len() {
        for one in 0..best.len() {
            for other in one + 1..best.len() {
                if let (Some(to_one), Some(to_other)) = (leg(corner, one), leg(corner, other)) {
                    located.extend(three(grey, to_one, to_other));
                }
            }
        }
    }
    ascending(&mut located, |one| -one.timing);
    let clearest = located.first().map_or(0.0, |clearest| clearest.timing);
    located.retain(|one| one.timing > clearest * 0.6);
    located.truncate(MAX_LOCATED);
    located
}

/// The symbol with these two sides between its targets, if any.
fn three(grey: &Plane<'_, u8>, one: &Leg, other: &Leg) -> Option<Located> {
    let sine = one.line.cross(other.line) / (one.line.length() * other.line.length());
    let (n, m) = (one.modules, other.modules);
    if sine.abs() < 0.3 || (n - m).abs() > 0.08 * (n + m) {
        return None;
    }
    let (across, down) = if sine > 0.0 { (one, other) } else { (other, one) };
    let guess = ((n + m) / 2.0 + 7.0 - 17.0) / 4.0;
    let slack = 0.75 + guess / 12.0;
    let (least, most) = ((guess - slack).ceil().max(1.0) as usize, (guess + slack).floor().min(40.0) as usize);
    let mut best: Option<Located> = None;
    for version in least..=most {
        let matches = matches(across, down, version);
        let Some(map) = Homography::fit(&matches) else { continue };
        let timing = timing(grey, &map, side(version));
        if timing > best.as_ref().map_or(LEAST_TIMING, |best| best.timing) {
            best = Some(Located { version, map, matches, timing });
        }
    }
    best
}

/// What was measured along the line from one target's middle to another's.
struct Leg {
    line: Point,
    /// Modules from middle to middle.
    modules: f32,
    /// Places on the line, in modules before (negative) and after each end's middle: (offset, pixel) for both ends.
    near: Vec<(f32, Point)>,
    far: Vec<(f32, Point)>,
}

fn leg(tones: &Plane<'_, i16>, from: &Finder, to: &Finder) -> Option<Leg> {
    let line = to.middle.minus(from.middle);
    let length = line.length();
    let direction = Point::new(line.x / length, line.y / length);
    let back = Point::new(-direction.x, -direction.y);
    if length < from.module + to.module {
        return None;
    }
    let end = |finder: &Finder| -> Option<(f32, Vec<(f32, Point)>)> {
        let reach = finder.module * 9.0;
        let ahead = rays(tones, finder.middle, direction, reach)?;
        let behind = rays(tones, finder.middle, back, reach)?;
        let mut places = vec![(0.0, finder.middle)];
        for (ring, offset) in RINGS.iter().enumerate() {
            places.push((*offset, finder.middle.plus(direction, ahead[ring])));
            places.push((-offset, finder.middle.plus(back, behind[ring])));
        }
        // Dark and light edges move apart where the ink spread: the mean of an outer and the inner edge does not.
        let width = (ahead[2] + behind[2] + ahead[1] + behind[1]) / 12.0;
        Some((width, places))
    };
    let (near_width, near) = end(from)?;
    let (far_width, far) = end(to)?;
    // Seen at a slant, modules shrink along the line so that this mean is exact.
    let modules = length / (near_width * far_width).sqrt();
    (8.0..=175.0).contains(&modules).then_some(Leg { line, modules, near, far })
}

fn matches(across: &Leg, down: &Leg, version: usize) -> Vec<Match> {
    let far = side(version) as f32 - 3.5;
    let mut matches = Vec::with_capacity(28);
    for (places, middle) in [(&across.near, 3.5), (&across.far, far)] {
        let module = |offset: f32| Point::new(middle + offset, 3.5);
        matches.extend(places.iter().map(|&(offset, pixel)| Match { module: module(offset), pixel, weight: 1.0 }));
    }
    for (places, middle) in [(&down.near, 3.5), (&down.far, far)] {
        let module = |offset: f32| Point::new(3.5, middle + offset);
        matches.extend(places.iter().map(|&(offset, pixel)| Match { module: module(offset), pixel, weight: 1.0 }));
    }
    // The middles themselves are known best.
    matches.iter_mut().step_by(1 + 2 * RINGS.len()).for_each(|middle| middle.weight = 4.0);
    matches
}

/// How well row 6 and column 6 alternate between the targets: the difference of each module from its neighbours with the
/// sign it should have, over the sum of those differences.
fn timing(grey: &Plane<'_, u8>, map: &Homography, side: usize) -> f32 {
    let (mut agreed, mut all) = (0.0, 0.01);
    for column in [false, true] {
        let tone = |i: usize| {
            let (along, across) = (i as f32 + 0.5, 6.5);
            grey.at(map.map(if column { Point::new(across, along) } else { Point::new(along, across) }))
        };
        let tones: Vec<f32> = (6..=side - 7).map(tone).collect();
        for (i, around) in tones.windows(3).enumerate() {
            let difference = (around[0] + around[2]) / 2.0 - around[1];
            // Module 7 comes first and is light.
            agreed += if i % 2 == 0 { -difference } else { difference };
            all += difference.abs();
        }
    }
    agreed / all
}

impl Located {
    /// Finds the alignment patterns and fits the map to them too.
    pub(crate) fn align(&mut self, grey: &Plane<'_, u8>) {
        let centers = alignment_centers(self.version);
        let Some((&last, before)) = centers.split_last() else { return };
        let mut found: Vec<Match> = Vec::new();
        // The one at the lower right first: it is farthest from what is known.
        if let Some(m) = alignment(grey, &self.map, last, last, 4.5 + 0.05 * side(self.version) as f32, 0.5) {
            found.push(m);
            self.refit(&found);
        }
        if before.len() < 2 {
            return;
        }
        for &y in centers.iter().rev() {
            for &x in centers.iter().rev() {
                let is_target = (x == 6 && (y == 6 || y == last)) || (x == last && y == 6);
                if is_target || (x, y) == (last, last) {
                    continue;
                }
                found.extend(alignment(grey, &self.map, x, y, 1.5, 0.25));
            }
        }
        self.refit(&found);
        // Some of them may have been something else.
        let kept: Vec<Match> = found
            .iter()
            .filter(|m| {
                let module = self.map.map(m.module).minus(self.map.map(m.module.plus(Point::new(1.0, 0.0), 1.0)));
                self.map.map(m.module).minus(m.pixel).length() < 0.6 * module.length().max(1.0)
            })
            .copied()
            .collect();
        if kept.len() < found.len() {
            self.refit(&kept);
        }
    }

    fn refit(&mut self, alignment: &[Match]) {
        let all: Vec<Match> = self.matches.iter().chain(alignment).copied().collect();
        if let Some(map) = Homography::fit(&all) {
            self.map = map;
        }
    }
}

/// The alignment pattern around module (`x`, `y`), within `reach` modules of where the map has it: where dark and light
/// are most as they should be.
fn alignment(grey: &Plane<'_, u8>, map: &Homography, x: usize, y: usize, reach: f32, step: f32) -> Option<Match> {
    let expected = Point::new(x as f32 + 0.5, y as f32 + 0.5);
    let likeness = |middle: Point| -> f32 {
        let (mut sum, mut squares, mut product) = (0.0, 0.0, 0.0);
        for place in 0..25_i32 {
            let (dx, dy) = (place % 5 - 2, place / 5 - 2);
            let value = grey.at(map.map(Point::new(middle.x + dx as f32, middle.y + dy as f32)));
            sum += value;
            squares += value * value;
            product += value * if dx.abs().max(dy.abs()) == 1 { 17.0 } else { -8.0 };
        }
        // The correlation with 8 light and 17 dark modules; the weights have no mean, their squares add up to 3400.
        let spread = (squares - sum * sum / 25.0).max(1.0);
        product / (spread * 3400.0).sqrt()
    };
    let mut best = (expected, f32::MIN);
    let mut search = |around: Point, reach: f32, step: f32| {
        let steps = (reach / step).round() as i32;
        let mut winner = best;
        for dy in -steps..=steps {
            for dx in -steps..=steps {
                let place = Point::new(around.x + dx as f32 * step, around.y + dy as f32 * step);
                let like = likeness(place);
                if like > winner.1 {
                    winner = (place, like);
                }
            }
        }
        best = winner;
        winner
    };
    let (coarse, _) = search(expected, reach, step);
    let (fine, _) = search(coarse, step * 0.5, step * 0.25);
    let (middle, likeness) = search(fine, step * 0.125, step * 0.125);
    (likeness > 0.5).then(|| Match { module: expected, pixel: map.map(middle), weight: 6.0 * likeness })
}
