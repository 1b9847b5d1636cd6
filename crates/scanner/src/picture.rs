//! Pictures into other pictures: softer, smaller, dark against light.
//!
//! All functions take pixels row by row, `width * height` of them, both at least 1.

/// Each pixel's distance from a part of the mean of a window around it; dark is negative. The part is a little below 1, which
/// keeps flat paper from speckling.
pub(crate) fn tones(luma: &[u8], width: usize, height: usize, part: f32) -> Vec<i16> {
    let mut tones = vec![0_i16; width * height];
    // Wide enough to reach across a finder pattern of a code that fills the picture, narrow enough to follow a shadow.
    let radius = (width.min(height) / 12).max(8);
    // Sums of the window's rows, with room on both sides for columns that are not there.
    let mut columns = vec![0_u32; width + 2 * radius + 1];
    for row in luma.chunks_exact(width).take(radius) {
        add(&mut columns[radius + 1..], row);
    }
    for (y, out) in tones.chunks_exact_mut(width).enumerate() {
        let sums = &mut columns[radius + 1..];
        if let Some(entering) = row_at(luma, width, height, y + radius) {
            add(sums, entering);
        }
        if y > radius {
            let leaving = &luma[(y - radius - 1) * width..][..width];
            sums.iter_mut().zip(leaving).for_each(|(sum, &pixel)| *sum -= u32::from(pixel));
        }
        let rows = (y + radius + 1).min(height) - y.saturating_sub(radius);
        let mut sum: u32 = columns[..2 * radius + 1].iter().sum();
        // Dividing is slow, and all but the edges have as many pixels around them.
        let over = |count: usize| part * 16.0 / (rows * count) as f32;
        let inside = over((2 * radius + 1).min(width));
        let window = columns[2 * radius + 1..].iter().zip(&columns);
        let row = &luma[y * width..][..width];
        for (x, ((&pixel, tone), (&entering, &leaving))) in row.iter().zip(out).zip(window).enumerate() {
            sum = sum + entering - leaving;
            let over = if x >= radius && x + radius < width {
                inside
            } else {
                over((x + radius + 1).min(width) - x.saturating_sub(radius))
            };
            *tone = (i32::from(pixel) * 16 - (sum as f32 * over) as i32) as i16;
        }
    }
    tones
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

/// The opposite of [`blur`]: each pixel moves away from its surroundings, by half as much again as blurring would move it.
pub(crate) fn sharpen(luma: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut sharp = blur(luma, width, height);
    for (pixel, &was) in sharp.iter_mut().zip(luma) {
        let (soft, was) = (i32::from(*pixel), i32::from(was));
        *pixel = (was + (was - soft) * 3 / 2).clamp(0, 255) as u8;
    }
    sharp
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
