//! QR codes: the symbol that a text needs, as a matrix, as a picture and for a terminal.
//!
//! The text of a credential is a short prefix ending in `#` and a long run of digits (CREDENTIAL.md), so it is written as
//! one byte segment and one numeric segment, at error correction M, in the smallest version that holds it.

mod mask;

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};
use qrcode::bits::Bits;
use qrcode::canvas::Canvas;
use qrcode::ec::construct_codewords;
use qrcode::{Color, EcLevel, Version};

/// The quiet zone that ISO/IEC 18004 asks for, in modules on each side.
pub const QUIET_ZONE: usize = 4;

/// Why a text cannot be made a code.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CodeTooLarge {
    /// More than version 40-M holds.
    #[error("内容有 {bytes} 字节，超出二维码的最大容量：请缩短配置中的核验网址 public_url")]
    NoVersion {
        /// Length of the text in bytes.
        bytes: usize,
    },
    /// A symbol that its place on the card cannot hold with modules of at least 0.40 mm.
    #[error(
        "二维码为版本 {version}（每边 {modules} 个模块），最小模块 0.40 毫米时需要 {needed:.1} 毫米，\
         证卡上只有 {room:.1} 毫米：请缩短配置中的核验网址 public_url"
    )]
    NoRoom {
        /// QR version, 1 to 40.
        version: u8,
        /// Modules on a side, without the quiet zone.
        modules: usize,
        /// Millimetres on a side with the quiet zone, at 0.40 mm a module.
        needed: f32,
        /// Millimetres on a side that the template allows.
        room: f32,
    },
}

/// A QR symbol without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrMatrix {
    version: u8,
    size: usize,
    dark: Vec<bool>,
}

impl QrMatrix {
    /// The version, 1 to 40.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Modules on a side: `17 + 4 × version`.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether the module in column `x` and row `y`, counted from the top left, is dark. Outside the symbol none is.
    pub fn dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark[y * self.size + x]
    }

    /// The dark modules as horizontal runs `(x, y, length)`, row by row.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        (0..self.size).flat_map(move |y| {
            let row = &self.dark[y * self.size..(y + 1) * self.size];
            let mut x = 0;
            std::iter::from_fn(move || {
                while x < row.len() && !row[x] {
                    x += 1;
                }
                let start = x;
                while x < row.len() && row[x] {
                    x += 1;
                }
                (x > start).then_some((start, y, x - start))
            })
        })
    }
}

/// The version that `text` needs at level M, without making the symbol.
///
/// # Errors
/// [`CodeTooLarge::NoVersion`] if not even version 40 holds it.
pub fn version(text: &str) -> Result<u8, CodeTooLarge> {
    let (bytes, digits) = split(text);
    let digit_bits = digits.len() / 3 * 10 + [0, 4, 7][digits.len() % 3];
    (1..=40u8)
        .find(|&version| {
            // Mode indicators are 4 bits; the lengths of the counts are those of ISO/IEC 18004 table 3.
            let byte_head = if bytes.is_empty() { 0 } else { 4 + if version < 10 { 8 } else { 16 } };
            let digit_head = if digits.is_empty() { 0 } else { 4 + [10, 12, 14][usize::from(version + 7) / 17] };
            let needed = byte_head + 8 * bytes.len() + digit_head + digit_bits;
            let room = Bits::new(Version::Normal(i16::from(version))).max_len(EcLevel::M);
            room.is_ok_and(|room| needed <= room)
        })
        .ok_or(CodeTooLarge::NoVersion { bytes: text.len() })
}

/// The symbol for `text`: the trailing digits as one numeric segment, what stands before them as one byte segment,
/// error correction M, the smallest version.
///
/// # Errors
/// [`CodeTooLarge::NoVersion`] if not even version 40 holds it.
pub fn matrix(text: &str) -> Result<QrMatrix, CodeTooLarge> {
    let version = version(text)?;
    let too_large = |_| CodeTooLarge::NoVersion { bytes: text.len() };
    let (bytes, digits) = split(text);
    let mut bits = Bits::new(Version::Normal(i16::from(version)));
    if !bytes.is_empty() {
        bits.push_byte_data(bytes.as_bytes()).map_err(too_large)?;
    }
    if !digits.is_empty() {
        bits.push_numeric_data(digits.as_bytes()).map_err(too_large)?;
    }
    bits.push_terminator(EcLevel::M).map_err(too_large)?;
    let drawn = Version::Normal(i16::from(version));
    let (data, correction) = construct_codewords(&bits.into_bytes(), drawn, EcLevel::M).map_err(too_large)?;
    let mut canvas = Canvas::new(drawn, EcLevel::M);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    let size = 17 + 4 * usize::from(version);
    let dark = mask::apply_best(canvas, size).into_colors().into_iter().map(|colour| colour == Color::Dark).collect();
    Ok(QrMatrix { version, size, dark })
}

/// A PNG of the code with its quiet zone, `module` pixels a module.
///
/// # Errors
/// [`CodeTooLarge::NoVersion`] if no symbol holds the text.
pub fn png(text: &str, module: u32) -> Result<Vec<u8>, CodeTooLarge> {
    let matrix = matrix(text)?;
    let module = module.clamp(1, 64);
    let side = (matrix.size() + 2 * QUIET_ZONE) as u32 * module;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let place = |pixel: u32| ((pixel / module) as usize).wrapping_sub(QUIET_ZONE);
        Luma([if matrix.dark(place(x), place(y)) { 0 } else { 255 }])
    });
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).expect("a grey picture encodes into memory");
    Ok(out.into_inner())
}

/// The code for a terminal: two modules a character in half blocks, black on white whatever the terminal's own colours,
/// with its quiet zone, one line break after each row.
///
/// # Errors
/// [`CodeTooLarge::NoVersion`] if no symbol holds the text.
pub fn terminal(text: &str) -> Result<String, CodeTooLarge> {
    let matrix = matrix(text)?;
    let side = matrix.size() + 2 * QUIET_ZONE;
    let dark = |x: usize, y: usize| matrix.dark(x.wrapping_sub(QUIET_ZONE), y.wrapping_sub(QUIET_ZONE));
    let mut out = String::new();
    for y in (0..side).step_by(2) {
        // Bright white ink on black ground; a light module is ink, so the row below an odd last row stays unseen.
        out.push_str("\u{1b}[97;40m");
        for x in 0..side {
            let lower_light = y + 1 < side && !dark(x, y + 1);
            out.push(match (!dark(x, y), lower_light) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        out.push_str("\u{1b}[0m\n");
    }
    Ok(out)
}

/// `text` before its trailing ASCII digits, and those digits.
fn split(text: &str) -> (&str, &str) {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (head, &text[head.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailing_digits_are_the_numeric_segment() {
        assert_eq!(split("https://a.cn/2#12345"), ("https://a.cn/2#", "12345"));
        assert_eq!(split("12345"), ("", "12345"));
        assert_eq!(split("abc"), ("abc", ""));
    }

    #[test]
    fn runs_cover_exactly_the_dark_modules() {
        let matrix = matrix("https://a.cn/#0123456789").unwrap();
        let mut seen = vec![false; matrix.size() * matrix.size()];
        for (x, y, length) in matrix.runs() {
            for column in x..x + length {
                seen[y * matrix.size() + column] = true;
            }
        }
        assert_eq!(seen, matrix.dark);
    }

    #[test]
    fn the_version_agrees_with_what_the_symbol_holds() {
        for digits in [1, 41, 100, 300, 330, 331, 332, 333, 400, 700, 1500] {
            let text = format!("https://zyz.example.cn/#{}", "7".repeat(digits));
            assert_eq!(matrix(&text).unwrap().version(), version(&text).unwrap());
        }
        assert!(matches!(matrix(&"7".repeat(9000)), Err(CodeTooLarge::NoVersion { bytes: 9000 })));
    }
}
