//! What a QR code of each version looks like (ISO/IEC 18004), and from its modules to bytes.

use crate::bits;
use crate::order::ascending;
use crate::plane::between;
use crate::reed_solomon;

/// Side of a symbol of `version`, in modules.
pub(crate) fn side(version: usize) -> usize {
    17 + 4 * version
}

/// What a module is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Module {
    /// Always this colour (true is dark): finder, separator, timing, alignment.
    Fixed(bool),
    /// Format or version information.
    Information,
    /// A bit of a codeword.
    Data,
}

/// The fixed places of a symbol, row by row.
pub(crate) struct Layout {
    pub(crate) version: usize,
    pub(crate) side: usize,
    pub(crate) modules: Vec<Module>,
}

impl Layout {
    pub(crate) fn new(version: usize) -> Self {
        let side = side(version);
        let mut layout = Self { version, side, modules: vec![Module::Data; side * side] };
        for i in 0..side {
            let timing = Module::Fixed(i % 2 == 0);
            layout.set(i, 6, timing);
            layout.set(6, i, timing);
        }
        let centers = alignment_centers(version);
        let last = centers.len().saturating_sub(1);
        for (i, &x) in centers.iter().enumerate() {
            for (j, &y) in centers.iter().enumerate() {
                if (i, j) != (0, 0) && (i, j) != (0, last) && (i, j) != (last, 0) {
                    layout.rings(x, y, 2);
                }
            }
        }
        for (x, y) in [(3, 3), (side - 4, 3), (3, side - 4)] {
            layout.rings(x, y, 4);
        }
        for i in 0..9 {
            layout.inform(8, i);
            layout.inform(i, 8);
        }
        for i in 0..8 {
            layout.inform(8, side - 1 - i);
            layout.inform(side - 1 - i, 8);
        }
        layout.set(8, side - 8, Module::Fixed(true));
        if version >= 7 {
            for i in 0..18 {
                layout.inform(i / 3, side - 11 + i % 3);
                layout.inform(side - 11 + i % 3, i / 3);
            }
        }
        layout
    }

    /// Rings around a middle, dark where the distance is 0, 2 (and, of a finder, 1, 3 instead of 2), cut off at the edges.
    fn rings(&mut self, x: usize, y: usize, reach: usize) {
        let (x, y, reach, side) = (x as isize, y as isize, reach as isize, self.side as isize);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let distance = dx.abs().max(dy.abs());
                let dark = if reach == 2 { distance != 1 } else { distance != 2 && distance != 4 };
                let (x, y) = (x + dx, y + dy);
                if (0..side).contains(&x) && (0..side).contains(&y) {
                    self.set(x as usize, y as usize, Module::Fixed(dark));
                }
            }
        }
    }

    fn inform(&mut self, x: usize, y: usize) {
        if self.modules[y * self.side + x] == Module::Data {
            self.set(x, y, Module::Information);
        }
    }

    fn set(&mut self, x: usize, y: usize, module: Module) {
        self.modules[y * self.side + x] = module;
    }
}

/// The rows and columns in which alignment patterns have their middles, in ascending order.
pub(crate) fn alignment_centers(version: usize) -> Vec<usize> {
    if version < 2 {
        return Vec::new();
    }
    let count = version / 7 + 2;
    let step = if version == 32 { 26 } else { (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2 };
    let last = side(version) - 7;
    (0..count).map(|i| if i == 0 { 6 } else { last - (count - 1 - i) * step }).collect()
}

/// Error correction codewords a block, and blocks, for the levels L, M, Q, H of the versions from 1 on.
const BLOCKS: [[(u8, u8); 4]; 40] = [
    [(7, 1), (10, 1), (13, 1), (17, 1)],
    [(10, 1), (16, 1), (22, 1), (28, 1)],
    [(15, 1), (26, 1), (18, 2), (22, 2)],
    [(20, 1), (18, 2), (26, 2), (16, 4)],
    [(26, 1), (24, 2), (18, 4), (22, 4)],
    [(18, 2), (16, 4), (24, 4), (28, 4)],
    [(20, 2), (18, 4), (18, 6), (26, 5)],
    [(24, 2), (22, 4), (22, 6), (26, 6)],
    [(30, 2), (22, 5), (20, 8), (24, 8)],
    [(18, 4), (26, 5), (24, 8), (28, 8)],
    [(20, 4), (30, 5), (28, 8), (24, 11)],
    [(24, 4), (22, 8), (26, 10), (28, 11)],
    [(26, 4), (22, 9), (24, 12), (22, 16)],
    [(30, 4), (24, 9), (20, 16), (24, 16)],
    [(22, 6), (24, 10), (30, 12), (24, 18)],
    [(24, 6), (28, 10), (24, 17), (30, 16)],
    [(28, 6), (28, 11), (28, 16), (28, 19)],
    [(30, 6), (26, 13), (28, 18), (28, 21)],
    [(28, 7), (26, 14), (26, 21), (26, 25)],
    [(28, 8), (26, 16), (30, 20), (28, 25)],
    [(28, 8), (26, 17), (28, 23), (30, 25)],
    [(28, 9), (28, 17), (30, 23), (24, 34)],
    [(30, 9), (28, 18), (30, 25), (30, 30)],
    [(30, 10), (28, 20), (30, 27), (30, 32)],
    [(26, 12), (28, 21), (30, 29), (30, 35)],
    [(28, 12), (28, 23), (28, 34), (30, 37)],
    [(30, 12), (28, 25), (30, 34), (30, 40)],
    [(30, 13), (28, 26), (30, 35), (30, 42)],
    [(30, 14), (28, 28), (30, 38), (30, 45)],
    [(30, 15), (28, 29), (30, 40), (30, 48)],
    [(30, 16), (28, 31), (30, 43), (30, 51)],
    [(30, 17), (28, 33), (30, 45), (30, 54)],
    [(30, 18), (28, 35), (30, 48), (30, 57)],
    [(30, 19), (28, 37), (30, 51), (30, 60)],
    [(30, 19), (28, 38), (30, 53), (30, 63)],
    [(30, 20), (28, 40), (30, 56), (30, 66)],
    [(30, 21), (28, 43), (30, 59), (30, 70)],
    [(30, 22), (28, 45), (30, 62), (30, 74)],
    [(30, 24), (28, 47), (30, 65), (30, 77)],
    [(30, 25), (28, 49), (30, 68), (30, 81)],
];

/// Level 0…3 (L, M, Q, H) and mask 0…7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    level: usize,
    mask: usize,
}

/// The format that the symbol says, both copies weighed together. `tone` is positive for dark, by how sure that is.
pub(crate) fn format(layout: &Layout, tone: impl Fn(usize, usize) -> f32) -> Format {
    let side = layout.side;
    // Bit 0 is the least.
    let places = |bit: usize| {
        let first = match bit {
            0..=5 => (8, bit),
            6 => (8, 7),
            7 => (8, 8),
            8 => (7, 8),
            _ => (14 - bit, 8),
        };
        let second = if bit < 8 { (side - 1 - bit, 8) } else { (8, side - 15 + bit) };
        [first, second]
    };
    let mut tones = [0.0_f32; 15];
    for (bit, sum) in tones.iter_mut().enumerate() {
        *sum = places(bit).iter().map(|&(x, y)| between(tone(x, y), -1.0, 1.0)).sum();
    }
    let agreement = |value: u32| -> f32 {
        let code = format_code(value);
        tones.iter().enumerate().map(|(bit, tone)| if code >> bit & 1 == 1 { *tone } else { -tone }).sum()
    };
    let best = (0..32_u32).max_by(|a, b| agreement(*a).total_cmp(&agreement(*b))).unwrap_or(0);
    let level = [1, 0, 3, 2][best as usize >> 3];
    Format { level, mask: best as usize & 7 }
}

/// Five bits, ten of BCH (15, 5), and the mask that keeps them from being all zero.
fn format_code(value: u32) -> u32 {
    let remainder = (0..10).fold(value, |rest, _| (rest << 1) ^ ((rest >> 9) * 0x537));
    (value << 10 | remainder) ^ 0x5412
}

/// The bytes in a symbol's modules. `tone` is positive for dark, by how sure that is: where too many codewords are wrong,
/// the least sure are given up as erased.
pub(crate) fn decode(layout: &Layout, format: Format, tone: impl Fn(usize, usize) -> f32) -> Option<Vec<u8>> {
    let (codewords, surety) = codewords(layout, format.mask, tone);
    let (ec, blocks) = BLOCKS[layout.version - 1][format.level];
    let (ec, blocks) = (usize::from(ec), usize::from(blocks));
    let short = codewords.len() / blocks;
    let longer = codewords.len() % blocks;
    let mut data = Vec::with_capacity(codewords.len());
    for block in 0..blocks {
        let length = short + usize::from(block >= blocks - longer);
        // Codewords of a block stand `blocks` apart; the longer blocks have one more, after all the others' data.
        let place = |i: usize| {
            if i < short - ec {
                i * blocks + block
            } else if length > short && i == short - ec {
                (short - ec) * blocks + block - (blocks - longer)
            } else {
                (short - ec) * blocks + longer + (i - (length - ec)) * blocks + block
            }
        };
        let mut words: Vec<u8> = (0..length).map(|i| codewords[place(i)]).collect();
        let sure: Vec<f32> = (0..length).map(|i| surety[place(i)]).collect();
        correct(&mut words, &sure, ec)?;
        data.extend_from_slice(&words[..length - ec]);
    }
    bits::read(&data, layout.version)
}

/// Corrects a block, if need be with some of the least sure codewords taken for erased. Four are always left over to tell a
/// wrong correction by.
fn correct(words: &mut [u8], sure: &[f32], ec: usize) -> Option<()> {
    if reed_solomon::correct(words, ec, &[]) {
        return Some(());
    }
    let mut order: Vec<usize> = (0..words.len()).collect();
    ascending(&mut order, |place| sure[*place]);
    [ec / 4, ec / 2, (ec * 3 / 4).min(ec - 4)]
        .into_iter()
        .any(|count| count < ec && reed_solomon::correct(words, ec, &order[..count]))
        .then_some(())
}

/// The codewords in the order of the zigzag, and how sure the least sure bit of each is.
fn codewords(layout: &Layout, mask: usize, tone: impl Fn(usize, usize) -> f32) -> (Vec<u8>, Vec<f32>) {
    let side = layout.side;
    let (mut words, mut surety) = (Vec::new(), Vec::new());
    let (mut word, mut sure, mut count) = (0_u8, f32::MAX, 0);
    let mut right = side - 1;
    let mut upwards = true;
    while right > 0 {
        if right == 6 {
            right = 5;
        }
        for step in 0..side {
            let y = if upwards { side - 1 - step } else { step };
            for x in [right, right - 1] {
                if layout.modules[y * side + x] != Module::Data {
                    continue;
                }
                let tone = tone(x, y);
                word = word << 1 | u8::from((tone > 0.0) ^ masked(mask, x, y));
                if tone.abs() < sure {
                    sure = tone.abs();
                }
                count += 1;
                if count == 8 {
                    words.push(word);
                    surety.push(sure);
                    (word, sure, count) = (0, f32::MAX, 0);
                }
            }
        }
        upwards = !upwards;
        right = right.saturating_sub(2);
    }
    (words, surety)
}

fn masked(mask: usize, x: usize, y: usize) -> bool {
    let product = x * y;
    match mask {
        0 => (x + y).is_multiple_of(2),
        1 => y.is_multiple_of(2),
        2 => x.is_multiple_of(3),
        3 => (x + y).is_multiple_of(3),
        4 => (y / 2 + x / 3).is_multiple_of(2),
        5 => product % 2 + product % 3 == 0,
        6 => (product % 2 + product % 3).is_multiple_of(2),
        _ => ((x + y) % 2 + product % 3).is_multiple_of(2),
    }
}
