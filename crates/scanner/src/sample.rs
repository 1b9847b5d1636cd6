//! From the map of a symbol's modules to its bytes: how dark each module is, against what is around it.

use crate::locate::Located;
use crate::plane::{Plane, Point, solve};
use crate::symbol::{Layout, Module, decode, format};

/// Reads the symbol, first as it is, then with what its known modules say about the blur.
pub(crate) fn read(grey: &Plane<'_, u8>, located: &Located) -> Option<Vec<u8>> {
    let layout = Layout::new(located.version);
    let tones = Tones::sample(grey, located, layout.side);
    let attempt = |tones: &Tones| {
        let tone = |x: usize, y: usize| tones.at(x, y);
        decode(&layout, format(&layout, tone), tone)
    };
    if let Some(bytes) = attempt(&tones) {
        return Some(bytes);
    }
    let known = |x: usize, y: usize| match layout.modules[y * layout.side + x] {
        Module::Fixed(dark) => Some(dark),
        Module::Information | Module::Data => None,
    };
    let sharper = tones.equalised(known)?;
    if let Some(bytes) = attempt(&sharper) {
        return Some(bytes);
    }
    // Most modules are right by now: let all of them that are sure say more about the blur.
    let guessed = |x: usize, y: usize| {
        known(x, y).or_else(|| {
            let tone = sharper.at(x, y);
            (tone.abs() > 0.35 && (x + y).is_multiple_of(2)).then_some(tone > 0.0)
        })
    };
    attempt(&tones.equalised(guessed)?)
}

/// Modules with a border of one around them: positive for dark, about one in size.
struct Tones {
    side: usize,
    values: Vec<f32>,
}

/// Modules around a module that its tone is measured against.
const AROUND: usize = 5;
/// Places in a module that are looked at, in modules from its middle.
const PLACES: [(f32, f32); 5] = [(0.0, 0.0), (0.22, 0.22), (-0.22, 0.22), (0.22, -0.22), (-0.22, -0.22)];

/// How strongly the weights are held to those of a sharp picture, in parts of what the known modules say.
const HOLD: f64 = 0.03;
/// The module itself among its neighbours.
const MIDDLE: usize = 4;

impl Tones {
    fn sample(grey: &Plane<'_, u8>, located: &Located, side: usize) -> Self {
        let wide = side + 2;
        let mut values = Vec::with_capacity(wide * wide);
        for y in 0..wide {
            for x in 0..wide {
                let middle = Point::new(x as f32 - 0.5, y as f32 - 0.5);
                let sum: f32 = PLACES
                    .iter()
                    .map(|(dx, dy)| grey.at(located.map.map(Point::new(middle.x + dx, middle.y + dy))))
                    .sum();
                values.push(sum / PLACES.len() as f32);
            }
        }
        let mut tones = Self { side, values };
        tones.measure_against_neighbours();
        tones
    }

    /// Each value becomes its distance from the mean around it, in deviations: light that falls off, shadows and
    /// reflections drop out.
    fn measure_against_neighbours(&mut self) {
        let wide = self.side + 2;
        // Sums over all values above and to the left, of values and of squares.
        let mut sums = vec![[0.0_f64; 2]; (wide + 1) * (wide + 1)];
        for y in 0..wide {
            for x in 0..wide {
                let value = f64::from(self.values[y * wide + x]);
                for (k, add) in [value, value * value].into_iter().enumerate() {
                    sums[(y + 1) * (wide + 1) + x + 1][k] =
                        add + sums[y * (wide + 1) + x + 1][k] + sums[(y + 1) * (wide + 1) + x][k]
                            - sums[y * (wide + 1) + x][k];
                }
            }
        }
        for y in 0..wide {
            for x in 0..wide {
                // The border is not asked: what is printed there is anybody's guess.
                let (left, top) = (x.saturating_sub(AROUND).max(1), y.saturating_sub(AROUND).max(1));
                let (right, low) = ((x + AROUND + 1).min(wide - 1), (y + AROUND + 1).min(wide - 1));
                let [sum, squares] = [0, 1].map(|k| {
                    sums[low * (wide + 1) + right][k] + sums[top * (wide + 1) + left][k]
                        - sums[low * (wide + 1) + left][k]
                        - sums[top * (wide + 1) + right][k]
                });
                let count = ((right - left) * (low - top)) as f64;
                let mean = sum / count;
                let deviation = (squares / count - mean * mean).max(1.0).sqrt();
                let value = &mut self.values[y * wide + x];
                *value = ((mean - f64::from(*value)) / deviation) as f32;
            }
        }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        self.values[(y + 1) * (self.side + 2) + x + 1]
    }

    /// The weights of a module and its eight neighbours that make the known modules come out best, applied to all:
    /// undoes blur of any direction, as far as that reaches into the neighbours.
    fn equalised(&self, known: impl Fn(usize, usize) -> Option<bool>) -> Option<Self> {
        let mut sums = [[0.0_f64; 11]; 10];
        let mut count = 0.0;
        for y in 0..self.side {
            for x in 0..self.side {
                let Some(dark) = known(x, y) else { continue };
                let around = self.around(x, y);
                let wanted = if dark { 1.0 } else { -1.0 };
                count += 1.0;
                for i in 0..10 {
                    for j in i..10 {
                        sums[i][j] += around[i] * around[j];
                    }
                    sums[i][10] += around[i] * wanted;
                }
            }
        }
        let upper = sums;
        for (i, row) in sums.iter_mut().enumerate() {
            row.iter_mut().zip(&upper).take(i).for_each(|(value, above)| *value = above[i]);
            row[i] += HOLD * count;
            if i == MIDDLE {
                row[10] += HOLD * count;
            }
        }
        let weights = solve(sums)?;
        let mut values = self.values.clone();
        for y in 0..self.side {
            for x in 0..self.side {
                let sum: f64 = self.around(x, y).iter().zip(weights).map(|(value, weight)| value * weight).sum();
                values[(y + 1) * (self.side + 2) + x + 1] = sum as f32;
            }
        }
        Some(Self { side: self.side, values })
    }

    /// A module in the middle of its eight neighbours, and a constant.
    fn around(&self, x: usize, y: usize) -> [f64; 10] {
        let mut around = [1.0; 10];
        for (i, value) in around.iter_mut().take(9).enumerate() {
            *value = f64::from(self.values[(y + i / 3) * (self.side + 2) + x + i % 3]);
        }
        around
    }
}
