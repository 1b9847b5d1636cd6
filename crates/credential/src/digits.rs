//! Bytes as decimal digits, as FIDO CTAP 2.2 writes them into QR codes: numeric mode is dense, and digits survive a URL
//! fragment and a keyboard-wedge scanner with a Chinese input method on, which letters do not.

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

use crate::number::fold_digit;

/// The longest text that is looked at, in bytes: well above any QR code with what may surround it.
pub const MAX_TEXT_LEN: usize = 32 * 1024;

/// The most digits that are decoded: what the largest QR code (version 40-L) holds in numeric mode.
pub const MAX_DIGITS: usize = 7089;

const GROUP_BYTES: usize = 7;
const GROUP_DIGITS: usize = 17;
/// Digits that a last group of so many bytes takes; the last place is the full group.
const DIGITS_OF: [usize; GROUP_BYTES + 1] = [0, 3, 5, 8, 10, 13, 15, GROUP_DIGITS];

/// Why a text holds no bytes in digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DigitsError {
    /// The text is longer than [`MAX_TEXT_LEN`] or its digits are more than [`MAX_DIGITS`].
    #[error("the text is too long")]
    TooLong,
    /// No digit at all.
    #[error("there are no digits")]
    Empty,
    /// Something that is neither a digit nor white space after the last `#`.
    #[error("something other than digits after the last #")]
    NotADigit,
    /// No whole number of bytes takes this many digits.
    #[error("{0} digits are no whole number of bytes")]
    Length(usize),
    /// A group's value is above what its bytes can hold.
    #[error("the group of digits at {0} is above its range")]
    GroupRange(usize),
}

/// Writes bytes as digits: each 7 bytes, read little-endian, as 17 digits; 1…6 last bytes as 3, 5, 8, 10, 13, 15.
pub fn encode(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() / GROUP_BYTES * GROUP_DIGITS + GROUP_DIGITS);
    for group in bytes.chunks(GROUP_BYTES) {
        let mut value = group.iter().rev().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        let mut places = [b'0'; GROUP_DIGITS];
        for place in places.iter_mut().rev() {
            *place += (value % 10) as u8;
            value /= 10;
        }
        digits.extend(places[GROUP_DIGITS - DIGITS_OF[group.len()]..].iter().map(|place| char::from(*place)));
    }
    digits
}

/// The text of a QR code: `<prefix>#<digits>`, or just the digits where the prefix is empty.
pub fn code_text(prefix: &str, cose: &[u8]) -> String {
    let digits = encode(cose);
    if prefix.is_empty() { digits } else { alloc::format!("{prefix}#{digits}") }
}

/// Reads the bytes out of a code's text, liberal in what surrounds the digits and strict in the digits.
///
/// White space and line ends are dropped and full-width digits and `＃` folded. Everything up to the last `#` is ignored,
/// and after it only digits may stand; with no `#`, the longest run of digits counts (the first of several as long).
///
/// # Errors
/// [`DigitsError`].
pub fn decode(text: &str) -> Result<Vec<u8>, DigitsError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(DigitsError::TooLong);
    }
    from_digits(&find_digits(text)?)
}

/// The values (0…9) of the digits that count.
fn find_digits(text: &str) -> Result<Vec<u8>, DigitsError> {
    if let Some(at) = text.rfind(['#', '＃']) {
        let after = text[at..].chars().skip(1).filter(|c| !is_dropped(*c));
        return after.map(|c| fold_digit(c).ok_or(DigitsError::NotADigit)).collect();
    }
    let mut digits = Vec::with_capacity(text.len());
    let (mut best, mut run) = (0..0, 0..0);
    for character in text.chars().filter(|c| !is_dropped(*c)) {
        match fold_digit(character) {
            Some(digit) => {
                digits.push(digit);
                run.end = digits.len();
                if run.len() > best.len() {
                    best = run.clone();
                }
            }
            None => run = digits.len()..digits.len(),
        }
    }
    digits.truncate(best.end);
    digits.drain(..best.start);
    Ok(digits)
}

fn from_digits(digits: &[u8]) -> Result<Vec<u8>, DigitsError> {
    if digits.is_empty() {
        return Err(DigitsError::Empty);
    }
    if digits.len() > MAX_DIGITS {
        return Err(DigitsError::TooLong);
    }
    let mut bytes = Vec::with_capacity(digits.len() / GROUP_DIGITS * GROUP_BYTES + GROUP_BYTES);
    for (index, group) in digits.chunks(GROUP_DIGITS).enumerate() {
        let size = DIGITS_OF.iter().position(|length| *length == group.len());
        let size = size.ok_or(DigitsError::Length(digits.len()))?;
        let value = group.iter().fold(0, |value: u64, digit| value * 10 + u64::from(*digit));
        if value >> (8 * size) != 0 {
            return Err(DigitsError::GroupRange(index * GROUP_DIGITS));
        }
        bytes.extend_from_slice(&value.to_le_bytes()[..size]);
    }
    Ok(bytes)
}

/// White space, and the two invisible characters that editors and chat programs leave behind.
fn is_dropped(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200B}' | '\u{FEFF}')
}
