//! Grey to black and white.
//!
//! All functions take pixels row by row, `width * height` of them, both at least 1.

use rxing::common::{BitMatrix, HybridBinarizer};
use rxing::{Binarizer, Luma8Source};

/// The classic: 8 × 8 blocks, the threshold of each from its neighbourhood.
pub(crate) fn hybrid(luma: &[u8], width: usize, height: usize) -> Option<BitMatrix> {
    let source = Luma8Source::new_with_slice(luma, width.try_into().ok()?, height.try_into().ok()?).ok()?;
    HybridBinarizer::new(source).get_black_matrix().ok().cloned()
}

/// Dark where a pixel is below the mean of a window around it, by a margin that keeps flat paper from speckling.
pub(crate) fn local_mean(luma: &[u8], width: usize, height: usize) -> Option<BitMatrix> {
    let mut dark = BitMatrix::new(width.try_into().ok()?, height.try_into().ok()?).ok()?;
    // Wide enough to reach across a finder pattern of a code that fills the picture, narrow enough to follow a shadow.
    let radius = (width.min(height) / 12).max(8);
    let mut columns = vec![0_u32; width];
    for row in luma.chunks_exact(width).take(radius) {
        add(&mut columns, row);
    }
    for y in 0..height {
        if let Some(entering) = row_at(luma, width, height, y + radius) {
            add(&mut columns, entering);
        }
        if y > radius {
            let leaving = &luma[(y - radius - 1) * width..][..width];
            columns.iter_mut().zip(leaving).for_each(|(sum, &pixel)| *sum -= u32::from(pixel));
        }
        let rows = (y + radius + 1).min(height) - y.saturating_sub(radius);
        let row = &luma[y * width..][..width];
        let mut sum: u64 = columns.iter().take(radius).map(|&column| u64::from(column)).sum();
        for (x, &pixel) in row.iter().enumerate() {
            sum += columns.get(x + radius).map_or(0, |&column| u64::from(column));
            if x > radius {
                sum -= u64::from(columns[x - radius - 1]);
            }
            let count = (rows * ((x + radius + 1).min(width) - x.saturating_sub(radius))) as u64;
            // pixel < 15/16 of the mean
            if u64::from(pixel) * count * 16 < sum * 15 {
                dark.set(x as u32, y as u32);
            }
        }
    }
    Some(dark)
}

/// Binomial blur, weights 1 2 1 both ways; the picture's edge repeats.
pub(crate) fn blur(luma: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut across = vec![0_u16; width * height];
    for (row, out) in luma.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        for x in 0..width {
            let (left, right) = (row[x.saturating_sub(1)], row[(x + 1).min(width - 1)]);
            out[x] = u16::from(left) + 2 * u16::from(row[x]) + u16::from(right);
        }
    }
    let mut blurred = vec![0_u8; width * height];
    for (y, out) in blurred.chunks_exact_mut(width).enumerate() {
        let above = &across[y.saturating_sub(1) * width..][..width];
        let here = &across[y * width..][..width];
        let below = &across[(y + 1).min(height - 1) * width..][..width];
        for x in 0..width {
            out[x] = ((above[x] + 2 * here[x] + below[x] + 8) / 16) as u8;
        }
    }
    blurred
}

/// Twice as wide and as high, bilinear, pixel centres kept (weights 3 : 1).
pub(crate) fn double(luma: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut doubled = vec![0_u8; width * height * 4];
    let near = |at: usize, limit: usize| -> (usize, usize) {
        let here = at / 2;
        let other = if at.is_multiple_of(2) { here.saturating_sub(1) } else { (here + 1).min(limit - 1) };
        (here, other)
    };
    for (y, out) in doubled.chunks_exact_mut(width * 2).enumerate() {
        let (here, other) = near(y, height);
        let (here, other) = (&luma[here * width..][..width], &luma[other * width..][..width]);
        let column = |x: usize| 3 * u16::from(here[x]) + u16::from(other[x]);
        for (x, pixel) in out.iter_mut().enumerate() {
            let (a, b) = near(x, width);
            *pixel = ((3 * column(a) + column(b) + 8) / 16) as u8;
        }
    }
    doubled
}

/// Smaller by a whole `factor`, each pixel the mean of `factor × factor`; a remainder at the right and foot is cut off.
pub(crate) fn reduce(luma: &[u8], width: usize, height: usize, factor: usize) -> Vec<u8> {
    let (small_width, small_height) = (width / factor, height / factor);
    let area = (factor * factor) as u32;
    let mut sums = vec![0_u32; small_width];
    let mut reduced = Vec::with_capacity(small_width * small_height);
    for rows in luma.chunks_exact(width * factor).take(small_height) {
        sums.fill(0);
        for row in rows.chunks_exact(width) {
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                *sum += pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
            }
        }
        reduced.extend(sums.iter().map(|sum| (sum / area) as u8));
    }
    reduced
}

fn add(columns: &mut [u32], row: &[u8]) {
    columns.iter_mut().zip(row).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
}

fn row_at(luma: &[u8], width: usize, height: usize, y: usize) -> Option<&[u8]> {
    (y < height).then(|| &luma[y * width..][..width])
}
