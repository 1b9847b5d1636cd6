//! A grey picture seen between its pixels, and the map from a symbol's plane onto it.

/// A place in the picture, in pixels; the first pixel's middle is at (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Point {
    pub(crate) fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    pub(crate) fn plus(self, other: Self, times: f32) -> Self {
        Self::new(self.x + other.x * times, self.y + other.y * times)
    }

    pub(crate) fn length(self) -> f32 {
        (self.x * self.x + self.y * self.y).sqrt()
    }

    pub(crate) fn cross(self, other: Self) -> f32 {
        self.x * other.y - self.y * other.x
    }
}

/// Values row by row, `width * height` of them, both at least 2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'p, T> {
    pub(crate) values: &'p [T],
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<T: Copy + Into<f32>> Plane<'_, T> {
    /// The value at a place, between the four pixels around it; beyond the edge the edge's.
    #[inline]
    pub(crate) fn at(&self, point: Point) -> f32 {
        let x = between(point.x - 0.5, 0.0, (self.width - 1) as f32 - 0.001);
        let y = between(point.y - 0.5, 0.0, (self.height - 1) as f32 - 0.001);
        let (left, top) = (x as usize, y as usize);
        let (right, low) = (x - left as f32, y - top as f32);
        let place = top * self.width + left;
        let [a, b] = [self.values[place], self.values[place + 1]].map(Into::into);
        let [c, d] = [self.values[place + self.width], self.values[place + self.width + 1]].map(Into::into);
        let (above, below) = (a + (b - a) * right, c + (d - c) * right);
        above + (below - above) * low
    }

    pub(crate) fn holds(&self, point: Point) -> bool {
        point.x >= 0.0 && point.y >= 0.0 && point.x < self.width as f32 && point.y < self.height as f32
    }
}

/// `f32::clamp` without its panic, which would bring the printing of fractions into the page's module.
#[inline]
pub(crate) fn between(value: f32, least: f32, most: f32) -> f32 {
    if value > most {
        most
    } else if value > least {
        value
    } else {
        least
    }
}

/// A projective map from modules to pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Homography([f32; 8]);

/// A place in modules, where it is in the picture, and how much that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) module: Point,
    pub(crate) pixel: Point,
    pub(crate) weight: f32,
}

impl Homography {
    pub(crate) fn map(&self, module: Point) -> Point {
        let [a, b, c, d, e, f, g, h] = self.0;
        let over = 1.0 / (g * module.x + h * module.y + 1.0);
        let x = (a * module.x + b * module.y + c) * over;
        Point::new(x, (d * module.x + e * module.y + f) * over)
    }

    /// The map that fits the matches best (least squares), or `None` where they leave it open.
    pub(crate) fn fit(matches: &[Match]) -> Option<Self> {
        let first = matches.first()?;
        // About one in size, so that the sums keep their digits.
        let (mut modules, mut pixels) = (1.0_f64, 1.0_f64);
        for m in matches {
            modules = modules.max(f64::from(m.module.x.abs().max(m.module.y.abs())));
            let from = m.pixel.minus(first.pixel);
            pixels = pixels.max(f64::from(from.x.abs().max(from.y.abs())));
        }
        let mut sums = [[0.0_f64; 9]; 8];
        for m in matches {
            let (u, v) = (f64::from(m.module.x) / modules, f64::from(m.module.y) / modules);
            let from = m.pixel.minus(first.pixel);
            let (x, y) = (f64::from(from.x) / pixels, f64::from(from.y) / pixels);
            for row in [[u, v, 1.0, 0.0, 0.0, 0.0, -u * x, -v * x, x], [0.0, 0.0, 0.0, u, v, 1.0, -u * y, -v * y, y]] {
                for i in 0..8 {
                    for j in 0..9 {
                        sums[i][j] += row[i] * row[j] * f64::from(m.weight);
                    }
                }
            }
        }
        let [a, b, c, d, e, f, g, h] = solve(sums)?;
        let (g, h) = (g / modules, h / modules);
        let (x, y) = (f64::from(first.pixel.x), f64::from(first.pixel.y));
        // Back from the scaled and shifted places.
        let scale = pixels / modules;
        let fitted = [
            a * scale + g * x,
            b * scale + h * x,
            c * pixels + x,
            d * scale + g * y,
            e * scale + h * y,
            f * pixels + y,
            g,
            h,
        ];
        fitted.iter().all(|value| value.is_finite()).then(|| Self(fitted.map(|value| value as f32)))
    }
}

/// `N` linear equations, the right side in the last column.
pub(crate) fn solve<const N: usize, const M: usize>(mut rows: [[f64; M]; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let best = (column..N).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, best);
        let pivot = rows[column];
        if pivot[column].abs() < 1e-12 {
            return None;
        }
        for (at, row) in rows.iter_mut().enumerate() {
            if at != column {
                let factor = row[column] / pivot[column];
                row.iter_mut().zip(pivot).skip(column).for_each(|(value, of)| *value -= factor * of);
            }
        }
    }
    let mut solution = [0.0; N];
    for (at, value) in solution.iter_mut().enumerate() {
        *value = rows[at][M - 1] / rows[at][at];
    }
    Some(solution)
}
