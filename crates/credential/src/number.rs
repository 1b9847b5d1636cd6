//! The certificate number: ten digits `CC SSSSSSS K`, given once to a volunteer and kept over every reissue.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// Digits of a certificate number: county 2, serial 7, check digit 1.
pub const NUMBER_LEN: usize = 10;

/// The largest serial a county can give out.
pub const MAX_SERIAL: u32 = 9_999_999;

/// A certificate number whose check digit holds.
///
/// County (last two digits of its GB/T 2260 code, 00 for the city itself), serial, and a check digit by
/// ISO 7064 MOD 11-10, which finds every wrong digit and every swap of neighbours but for a few.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateNumber([u8; NUMBER_LEN]);

/// Why a text is not a certificate number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Not ten digits.
    #[error("a certificate number has ten digits, this has {0}")]
    Length(usize),
    /// Something other than digits (and, where a person typed it, spaces).
    #[error("a certificate number is digits only")]
    NotADigit,
    /// The check digit is not the one that the other nine ask for.
    #[error("the check digit of the certificate number does not hold")]
    CheckDigit,
    /// A county above 99 or a serial above [`MAX_SERIAL`].
    #[error("county or serial of the certificate number is out of range")]
    Range,
}

impl CertificateNumber {
    /// Reads a number as people type it: spaces of any kind are dropped and full-width digits folded.
    ///
    /// # Errors
    /// [`NumberError`] for anything but ten digits with the right check digit.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let mut digits = [0; NUMBER_LEN];
        let mut count = 0;
        for character in text.chars().filter(|c| !c.is_whitespace()) {
            let digit = fold_digit(character).ok_or(NumberError::NotADigit)?;
            if let Some(place) = digits.get_mut(count) {
                *place = b'0' + digit;
            }
            count += 1;
        }
        if count == NUMBER_LEN { Self::checked(digits) } else { Err(NumberError::Length(count)) }
    }

    /// Reads the form of the wire: exactly ten ASCII digits.
    ///
    /// # Errors
    /// As [`CertificateNumber::parse`], and no space is forgiven.
    pub fn from_wire(text: &str) -> Result<Self, NumberError> {
        let digits = <[u8; NUMBER_LEN]>::try_from(text.as_bytes()).map_err(|_| NumberError::Length(text.len()))?;
        if digits.iter().all(u8::is_ascii_digit) { Self::checked(digits) } else { Err(NumberError::NotADigit) }
    }

    /// Makes the number of `serial` in `county` (0…99), check digit and all.
    ///
    /// # Errors
    /// [`NumberError::Range`] for a county above 99 or a serial above [`MAX_SERIAL`].
    pub fn from_parts(county: u8, serial: u32) -> Result<Self, NumberError> {
        if county > 99 || serial > MAX_SERIAL {
            return Err(NumberError::Range);
        }
        let mut rest = u32::from(county) * (MAX_SERIAL + 1) + serial;
        let mut digits = [b'0'; NUMBER_LEN];
        for place in digits[..NUMBER_LEN - 1].iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        digits[NUMBER_LEN - 1] = check_digit(&digits);
        Ok(Self(digits))
    }

    /// The ten digits without spaces.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The form that is printed: `02 0001234 9`.
    pub fn grouped(&self) -> String {
        let text = self.as_str();
        alloc::format!("{} {} {}", &text[..2], &text[2..9], &text[9..])
    }

    /// County, 0…99.
    pub fn county(&self) -> u8 {
        self.value(0, 2) as u8
    }

    /// Serial within the county, 0…[`MAX_SERIAL`].
    pub fn serial(&self) -> u32 {
        self.value(2, 9)
    }

    fn checked(digits: [u8; NUMBER_LEN]) -> Result<Self, NumberError> {
        if check_digit(&digits) == digits[NUMBER_LEN - 1] { Ok(Self(digits)) } else { Err(NumberError::CheckDigit) }
    }

    fn value(&self, from: usize, to: usize) -> u32 {
        self.0[from..to].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
    }
}

impl fmt::Display for CertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateNumber({})", self.as_str())
    }
}

impl FromStr for CertificateNumber {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}

/// The value of an ASCII or full-width digit (U+FF10…U+FF19).
pub(crate) fn fold_digit(character: char) -> Option<u8> {
    match character {
        '0'..='9' => Some(character as u8 - b'0'),
        '\u{FF10}'..='\u{FF19}' => Some((character as u32 - 0xFF10) as u8),
        _ => None,
    }
}

/// ISO 7064 MOD 11-10 over the first nine digits, as an ASCII digit.
fn check_digit(digits: &[u8; NUMBER_LEN]) -> u8 {
    let mut product = 10;
    for digit in &digits[..NUMBER_LEN - 1] {
        let sum = (product + (digit - b'0')) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    b'0' + (11 - product) % 10
}

#[cfg(feature = "serde")]
impl serde::Serialize for CertificateNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for CertificateNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
