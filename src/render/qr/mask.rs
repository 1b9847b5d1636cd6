//! Choosing a mask fast: ISO/IEC 18004's penalties counted on whole rows of bits, several times as fast as module by
//! module, which would be most of the time a sheet takes.
//!
//! The penalties are counted without the format information, which depends on the mask; any of the eight is valid, the
//! choice only keeps the symbol free of confusing patterns.

use std::sync::OnceLock;

use qrcode::canvas::{Canvas, MaskPattern, Module};

/// Rows are one machine word: symbols up to version 11.
const WORD: usize = 64;
/// Masks repeat after this many rows.
const PERIOD: usize = 12;

const PATTERNS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// `canvas`, drawn but not masked, with the best mask.
pub(super) fn apply_best(canvas: Canvas, size: usize) -> Canvas {
    if size > WORD {
        return canvas.apply_best_mask();
    }
    let mut plain = [0u64; WORD];
    let mut free = [0u64; WORD];
    for y in 0..size {
        for x in 0..size {
            let module = canvas.get(x as i16, y as i16);
            plain[y] |= u64::from(module.is_dark()) << x;
            free[y] |= u64::from(!matches!(module, Module::Masked(_))) << x;
        }
    }
    let masks = masks();
    let penalty_of = |mask: &[u64; PERIOD]| {
        let mut rows = [0u64; WORD];
        for (y, row) in rows.iter_mut().enumerate().take(size) {
            *row = plain[y] ^ (free[y] & mask[y % PERIOD]);
        }
        penalty(&rows[..size])
    };
    let best = (0..PATTERNS.len()).min_by_key(|&pattern| penalty_of(&masks[pattern])).unwrap_or(0);
    let mut masked = canvas;
    masked.apply_mask(PATTERNS[best]);
    masked
}

/// ISO/IEC 18004, 7.8.2: row by row the bits that each mask turns over.
fn masks() -> &'static [[u64; PERIOD]; 8] {
    static MASKS: OnceLock<[[u64; PERIOD]; 8]> = OnceLock::new();
    MASKS.get_or_init(|| {
        let turns = |pattern: usize, x: usize, y: usize| {
            let (sum, product) = (x + y, x * y);
            match pattern {
                0 => sum.is_multiple_of(2),
                1 => y.is_multiple_of(2),
                2 => x.is_multiple_of(3),
                3 => sum.is_multiple_of(3),
                4 => (y / 2 + x / 3).is_multiple_of(2),
                5 => product % 2 + product % 3 == 0,
                6 => (product % 2 + product % 3).is_multiple_of(2),
                _ => (sum % 2 + product % 3).is_multiple_of(2),
            }
        };
        let row = |pattern: usize, y: usize| (0..WORD).fold(0, |row, x| row | u64::from(turns(pattern, x, y)) << x);
        std::array::from_fn(|pattern| std::array::from_fn(|y| row(pattern, y)))
    })
}

/// The four penalties of 7.8.3.1.
fn penalty(rows: &[u64]) -> u32 {
    let size = rows.len();
    let mut columns = [0u64; WORD];
    for (y, &row) in rows.iter().enumerate() {
        let mut rest = row;
        while rest != 0 {
            columns[rest.trailing_zeros() as usize] |= 1 << y;
            rest &= rest - 1;
        }
    }
    let lines: u32 = rows.iter().chain(&columns[..size]).map(|&line| in_line(line, size)).sum();
    let blocks: u32 = rows.windows(2).map(|pair| blocks(pair[0], pair[1], size)).sum();
    let dark: u32 = rows.iter().map(|row| row.count_ones()).sum();
    // Ten for every five percent away from half.
    let all = (size * size) as u32;
    let uneven = (dark * 20).abs_diff(all * 10) / all * 10;
    lines + 3 * blocks + uneven
}

/// Runs of five or more, three and one more for each module beyond; and forty for each likeness of a finder pattern.
fn in_line(line: u64, size: usize) -> u32 {
    let same = !(line ^ (line >> 1)) & low(size - 1);
    let fives = same & (same >> 1) & (same >> 2) & (same >> 3);
    let runs = fives & !(fives << 1);
    // A run of n holds n - 4 windows of five and costs n - 2.
    let long = fives.count_ones() + 2 * runs.count_ones();

    let light = !line;
    let four_light = light & (light >> 1) & (light >> 2) & (light >> 3);
    let finder = line & (light >> 1) & (line >> 2) & (line >> 3) & (line >> 4) & (light >> 5) & (line >> 6);
    let places = low(size - 10);
    let after = finder & (four_light >> 7) & places;
    let before = four_light & (finder >> 4) & places;
    long + 40 * (after.count_ones() + before.count_ones())
}

/// Blocks of two by two of one colour.
fn blocks(upper: u64, lower: u64, size: usize) -> u32 {
    let across = |row: u64| !(row ^ (row >> 1));
    (across(upper) & across(lower) & !(upper ^ lower) & low(size - 1)).count_ones()
}

fn low(bits: usize) -> u64 {
    (1 << bits) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules as they are written, module by module.
    fn plainly(rows: &[u64]) -> u32 {
        let size = rows.len();
        let at = |x: usize, y: usize| rows[y] >> x & 1 == 1;
        let mut total = 0;
        for transposed in [false, true] {
            for i in 0..size {
                let line: Vec<bool> = (0..size).map(|j| if transposed { at(i, j) } else { at(j, i) }).collect();
                total += line
                    .chunk_by(|a, b| a == b)
                    .filter(|run| run.len() >= 5)
                    .map(|run| run.len() as u32 - 2)
                    .sum::<u32>();
                for window in line.windows(11) {
                    let text: String = window.iter().map(|&dark| if dark { '1' } else { '0' }).collect();
                    total += if text == "10111010000" || text == "00001011101" { 40 } else { 0 };
                }
            }
        }
        for y in 0..size - 1 {
            for x in 0..size - 1 {
                let first = at(x, y);
                let one = [at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)].iter().all(|&dark| dark == first);
                total += if one { 3 } else { 0 };
            }
        }
        let dark = rows.iter().map(|row| row.count_ones()).sum::<u32>();
        total + (dark * 20).abs_diff((size * size) as u32 * 10) / (size * size) as u32 * 10
    }

    #[test]
    fn whole_rows_count_as_module_by_module() {
        let mut state = 7u64;
        for size in [21, 49, 61] {
            for sparse in [false, true] {
                let rows: Vec<u64> = (0..size)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let row = state ^ (state >> 29);
                        // Sparse rows have the long runs that even noise lacks.
                        (if sparse { row & (row >> 7) & (row >> 13) } else { row }) & low(size)
                    })
                    .collect();
                assert_eq!(penalty(&rows), plainly(&rows), "{size} {sparse}");
            }
        }
        let finder: Vec<u64> = (0..21).map(|_| 0b1011101 << 4 | 0b1011101 << 14).collect();
        assert_eq!(penalty(&finder), plainly(&finder));
    }
}
