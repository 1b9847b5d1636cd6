//! Frames as a phone's camera sees a card, made by rule from a seed: the same seed, the same bytes.
//!
//!     cargo run --release --package zyz-scanner --example frames -- FOLDER [COUNT] [SEED]
//!
//! Writes `frames.luma` (COUNT frames of 640 × 480, one byte a pixel, one after the other) and `frames.json` (for each its
//! kind, version, pixels a module and text). Every frame has some rotation, tilt, blur, noise and uneven light; its kind says
//! which of them is strong, and `mixed` has two. How strong is drawn evenly, from easy to hopeless.
#![allow(clippy::print_stdout, reason = "a program that says what it wrote")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode, Version};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Light modules around the symbol, then the card's other paper.
const QUIET: f64 = 4.0;

const KINDS: [&str; 9] = ["rotation", "tilt", "blur", "motion", "noise", "contrast", "glare", "worn", "mixed"];

fn main() -> std::io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder to write to"));
    let number = |text: Option<String>, default| text.map_or(default, |text| text.parse().expect("a number"));
    let (count, seed) = (number(arguments.next(), 270), number(arguments.next(), 1));
    fs::create_dir_all(&folder)?;
    let mut luma = Vec::with_capacity(count as usize * WIDTH * HEIGHT);
    let mut index = String::from("[");
    for place in 0..count {
        let mut random = Random(seed << 32 | place);
        let kind = KINDS[place as usize % KINDS.len()];
        let card = Card::draw(&mut random);
        let view = View::draw(&mut random, kind, card.modules);
        luma.extend(view.film(&card, &mut random));
        let comma = if place == 0 { "" } else { "," };
        let (version, pixels, text) = (card.version, view.pixels, &card.text);
        let entry = format!(r#"{{"kind":"{kind}","version":{version},"pixels":{pixels:.2},"text":"{text}"}}"#);
        write!(index, "{comma}\n{entry}").expect("a string takes everything");
    }
    index.push_str("\n]\n");
    fs::write(folder.join("frames.luma"), luma)?;
    fs::write(folder.join("frames.json"), index)?;
    println!("{count} frames of {WIDTH} × {HEIGHT}, seed {seed}, in {}", folder.display());
    Ok(())
}

/// What is filmed: a code of versions 5 to 12 on paper.
struct Card {
    text: String,
    version: i16,
    modules: usize,
    dark: Vec<bool>,
}

impl Card {
    fn draw(random: &mut Random) -> Self {
        let version = 5 + random.below(8) as i16;
        // An address in bytes and digits after it, as on a card; as many as the version holds at level M, less one group.
        let digits = [116, 160, 200, 270, 330, 400, 490, 570][version as usize - 5];
        let mut text = String::from("https://zyz.example.cn/#");
        (0..digits).for_each(|_| text.push(char::from(b'0' + random.below(10) as u8)));
        let code = QrCode::with_version(&text, Version::Normal(version), EcLevel::M).expect("the digits fit");
        let dark = code.to_colors().iter().map(|color| *color == Color::Dark).collect();
        Self { text, version, modules: code.width(), dark }
    }

    /// How dark the print is at a place in modules, 0 to 1; beside the code is paper, beside the card a table.
    fn at(&self, x: f64, y: f64) -> Option<bool> {
        let edge = self.modules as f64 + QUIET;
        if x < -QUIET || y < -QUIET || x >= edge || y >= edge {
            return None;
        }
        let inside = x >= 0.0 && y >= 0.0 && x < self.modules as f64 && y < self.modules as f64;
        Some(inside && self.dark[y as usize * self.modules + x as usize])
    }
}

/// From where, in what light and with what camera.
struct View {
    /// From a frame's pixel to the card's plane in modules.
    inverse: [[f64; 3]; 3],
    /// Pixels a module in the middle.
    pixels: f64,
    /// Defocus, standard deviation in pixels.
    blur: f64,
    /// Movement during the exposure, in pixels.
    motion: (f64, f64),
    /// Sensor noise, standard deviation in grey levels.
    noise: f64,
    black: f64,
    white: f64,
    /// Slope of the light over the frame, in parts of it.
    slope: (f64, f64),
    /// Reflections: middle, radius in pixels, strength in grey levels.
    glare: Vec<(f64, f64, f64, f64)>,
    /// Wear in parts of the print: scratches, worn spots.
    worn: f64,
    /// Ink that spread, or too little of it: the dark edges move by this many modules.
    spread: f64,
    table: f64,
}

impl View {
    fn draw(random: &mut Random, kind: &str, modules: usize) -> Self {
        let mut strong = vec![kind];
        if kind == "mixed" {
            let pick = |random: &mut Random| KINDS[random.below(KINDS.len() as u64 - 1) as usize];
            strong = vec![pick(random), pick(random)];
        }
        let mut severity = |of: &str, mild: f64| {
            let drawn = random.unit();
            let mixed = if kind == "mixed" { 0.75 } else { 1.0 };
            if strong.contains(&of) { drawn * mixed } else { drawn * mild }
        };
        let rotation = severity("rotation", 0.04);
        let tilt = severity("tilt", 0.15);
        let blur = severity("blur", 0.15);
        let motion = severity("motion", 0.05);
        let noise = severity("noise", 0.15);
        let contrast = severity("contrast", 0.2);
        let glare = severity("glare", 0.0);
        let worn = severity("worn", 0.05);
        // The code fills from a third of the frame's height to nearly all of it, however it is turned.
        let angle = rotation * std::f64::consts::PI * if random.below(2) == 0 { 1.0 } else { -1.0 };
        let fits = HEIGHT as f64 / (modules as f64 + 2.0 * QUIET) / (angle.sin().abs() + angle.cos().abs());
        let pixels = (random.between(0.38, 0.92) * fits).max(2.0);
        let size = pixels * modules as f64;
        let direction = random.between(0.0, std::f64::consts::TAU);
        let lean = (tilt * 62.0).to_radians();
        let middle = (
            WIDTH as f64 / 2.0 + random.between(-0.08, 0.08) * WIDTH as f64,
            HEIGHT as f64 / 2.0 + random.between(-0.03, 0.03) * HEIGHT as f64,
        );
        let forward = homography(angle, direction, lean, pixels, modules as f64 / 2.0, middle);
        let way = random.between(0.0, std::f64::consts::TAU);
        let length = motion * 3.2 * pixels;
        let white = 225.0 - 120.0 * contrast;
        let glare = if glare > 0.0 {
            let spot = |random: &mut Random| {
                let at = |middle, random: &mut Random| middle + random.between(-0.5, 0.5) * size;
                let (x, y) = (at(middle.0, random), at(middle.1, random));
                (x, y, size * random.between(0.08, 0.1 + 0.3 * glare), 60.0 + 240.0 * glare)
            };
            (0..1 + random.below(2)).map(|_| spot(random)).collect()
        } else {
            Vec::new()
        };
        Self {
            inverse: inverted(&forward),
            pixels,
            blur: 0.4 + blur * 0.95 * pixels,
            motion: (length * way.cos(), length * way.sin()),
            noise: 2.0 + noise * 70.0,
            black: white - 185.0 + 168.0 * contrast.powf(0.7),
            white,
            slope: (random.between(-0.25, 0.25), random.between(-0.25, 0.25)),
            glare,
            worn,
            spread: random.between(-0.12, 0.12) * (1.0 + 1.5 * worn),
            table: random.between(30.0, 150.0),
        }
    }

    fn film(&self, card: &Card, random: &mut Random) -> Vec<u8> {
        let worn = Wear::draw(random, self.worn, card.modules as f64);
        let mut frame: Vec<f64> = (0..WIDTH * HEIGHT)
            .map(|place| {
                let (x, y) = ((place % WIDTH) as f64, (place / WIDTH) as f64);
                // Nine rays a pixel.
                let rays = (0..9).map(|ray| {
                    let (x, y) = (x + (f64::from(ray % 3) + 0.5) / 3.0, y + (f64::from(ray / 3) + 0.5) / 3.0);
                    self.reflected(card, &worn, x, y)
                });
                rays.sum::<f64>() / 9.0
            })
            .collect();
        frame = blurred(&frame, self.blur);
        frame = moved(&frame, self.motion);
        let lit = frame.iter().enumerate().map(|(place, value)| {
            let (x, y) = ((place % WIDTH) as f64, (place / WIDTH) as f64);
            let slope = self.slope.0 * (x / WIDTH as f64 - 0.5) + self.slope.1 * (y / HEIGHT as f64 - 0.5);
            let glare: f64 = self
                .glare
                .iter()
                .map(|(gx, gy, radius, strength)| {
                    let square = ((x - gx).powi(2) + (y - gy).powi(2)) / (radius * radius);
                    strength * (-square).exp()
                })
                .sum();
            let grain = self.noise * random.normal();
            (value * (1.0 + slope) + glare + grain).round().clamp(0.0, 255.0) as u8
        });
        lit.collect()
    }

    fn reflected(&self, card: &Card, worn: &Wear, x: f64, y: f64) -> f64 {
        let [u, v, w] = [0, 1, 2].map(|row| {
            let [a, b, c] = self.inverse[row];
            a * x + b * y + c
        });
        let (u, v) = (u / w, v / w);
        match card.at(u, v) {
            // The table has a grain of its own.
            None => self.table + 14.0 * ((x * 0.11).sin() * (y * 0.07).cos() + (x * 0.013 + y * 0.031).sin()),
            Some(dark) => {
                let ink = if self.spread > 0.0 {
                    dark || near(card, u, v, self.spread).any(|dark| dark)
                } else {
                    dark && near(card, u, v, -self.spread).all(|dark| dark)
                };
                let ink = if ink { 1.0 - worn.at(u, v) } else { worn.dirt_at(u, v) };
                self.white + (self.black - self.white) * ink
            }
        }
    }
}

fn near(card: &Card, u: f64, v: f64, by: f64) -> impl Iterator<Item = bool> {
    [(by, 0.0), (-by, 0.0), (0.0, by), (0.0, -by)]
        .into_iter()
        .map(move |(dx, dy)| card.at(u + dx, v + dy).unwrap_or(false))
}

/// Scratches that took ink off, spots where it is gone, dirt where there was none.
struct Wear {
    scratches: Vec<(f64, f64, f64, f64)>,
    spots: Vec<(f64, f64, f64)>,
    dirt: Vec<(f64, f64, f64)>,
}

impl Wear {
    fn draw(random: &mut Random, worn: f64, modules: f64) -> Self {
        let count = |most: f64| (worn * most) as usize;
        let scratch = |random: &mut Random| {
            let angle = random.between(0.0, std::f64::consts::PI);
            let (x, y) = (random.between(0.0, modules), random.between(0.0, modules));
            (angle.cos(), angle.sin(), angle.cos() * x + angle.sin() * y, random.between(0.1, 0.55))
        };
        let spot = |random: &mut Random| {
            let (x, y) = (random.between(0.0, modules), random.between(0.0, modules));
            (x, y, random.between(0.4, 0.8 + modules * 0.035))
        };
        Self {
            scratches: (0..count(8.0)).map(|_| scratch(random)).collect(),
            spots: (0..count(9.0)).map(|_| spot(random)).collect(),
            dirt: (0..count(6.0)).map(|_| spot(random)).collect(),
        }
    }

    /// How much of the ink is gone.
    fn at(&self, u: f64, v: f64) -> f64 {
        let scratched = self.scratches.iter().any(|(a, b, c, wide)| (a * u + b * v - c).abs() < *wide);
        if scratched { 0.8 } else { within(&self.spots, u, v) * 0.85 }
    }

    fn dirt_at(&self, u: f64, v: f64) -> f64 {
        within(&self.dirt, u, v) * 0.6
    }
}

fn within(spots: &[(f64, f64, f64)], u: f64, v: f64) -> f64 {
    let inside = spots.iter().any(|(x, y, radius)| (u - x).powi(2) + (v - y).powi(2) < radius * radius);
    f64::from(u8::from(inside))
}

/// From the card's plane in modules to the frame: turned, leaned away in some direction, seen from 2.2 code widths.
fn homography(angle: f64, direction: f64, lean: f64, pixels: f64, half: f64, middle: (f64, f64)) -> [[f64; 3]; 3] {
    let product = |a: [[f64; 3]; 3], b: [[f64; 3]; 3]| {
        [0, 1, 2].map(|row| [0, 1, 2].map(|column| (0..3).map(|k| a[row][k] * b[k][column]).sum::<f64>()))
    };
    let turn = |angle: f64| [[angle.cos(), -angle.sin(), 0.0], [angle.sin(), angle.cos(), 0.0], [0.0, 0.0, 1.0]];
    let to_middle = [[1.0, 0.0, -half], [0.0, 1.0, -half], [0.0, 0.0, 1.0]];
    let distance = 2.2 * 2.0 * half;
    let leaned = [[1.0, 0.0, 0.0], [0.0, lean.cos(), 0.0], [0.0, lean.sin() / distance, 1.0]];
    let to_frame = [[pixels, 0.0, middle.0], [0.0, pixels, middle.1], [0.0, 0.0, 1.0]];
    let around = product(turn(direction), product(leaned, turn(-direction)));
    product(to_frame, product(around, product(turn(angle), to_middle)))
}

fn inverted(m: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    [0, 1, 2].map(|r| [0, 1, 2].map(|c| minor(c, r) / determinant))
}

fn blurred(frame: &[f64], sigma: f64) -> Vec<f64> {
    let reach = (sigma * 3.0).ceil() as isize;
    let weights: Vec<f64> = (-reach..=reach).map(|d| (-0.5 * (d as f64 / sigma).powi(2)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let pass = |from: &[f64], step: (isize, isize)| -> Vec<f64> {
        (0..WIDTH * HEIGHT)
            .map(|place| {
                let sum: f64 = weights
                    .iter()
                    .zip(-reach..)
                    .map(|(weight, d)| {
                        let x = (place % WIDTH) as isize + d * step.0;
                        let y = (place / WIDTH) as isize + d * step.1;
                        weight * pixel(from, x, y)
                    })
                    .sum();
                sum / total
            })
            .collect()
    };
    pass(&pass(frame, (1, 0)), (0, 1))
}

fn moved(frame: &[f64], (dx, dy): (f64, f64)) -> Vec<f64> {
    let steps = dx.hypot(dy).ceil() as isize;
    if steps < 2 {
        return frame.to_vec();
    }
    (0..WIDTH * HEIGHT)
        .map(|place| {
            let sum: f64 = (0..=steps)
                .map(|step| {
                    let part = step as f64 / steps as f64 - 0.5;
                    let x = (place % WIDTH) as f64 + part * dx;
                    let y = (place / WIDTH) as f64 + part * dy;
                    pixel(frame, x.round() as isize, y.round() as isize)
                })
                .sum();
            sum / (steps + 1) as f64
        })
        .collect()
}

fn pixel(frame: &[f64], x: isize, y: isize) -> f64 {
    let (x, y) = (x.clamp(0, WIDTH as isize - 1), y.clamp(0, HEIGHT as isize - 1));
    frame[y as usize * WIDTH + x as usize]
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// 0 ≤ x < 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.unit() * most as f64) as u64
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + self.unit() * (to - from)
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}
