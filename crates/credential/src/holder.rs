//! The masked name of the holder: first character, then one `*` for each further one (张三丰 → `张**`).

use core::fmt::{self, Write};

use thiserror::Error;

/// The most characters a name has, and so a holder (names have 2 to 15).
pub const MAX_HOLDER_CHARS: usize = 15;

/// A masked name: one letter and one to fourteen `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder {
    first: char,
    stars: u8,
}

/// Why a text is not a masked name, or a name cannot be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HolderError {
    /// Nothing there.
    #[error("the holder is empty")]
    Empty,
    /// More than [`MAX_HOLDER_CHARS`] characters.
    #[error("the holder is longer than 15 characters")]
    TooLong,
    /// One character only (which would be the whole name), or something other than `*` after the first.
    #[error("the holder is not masked")]
    NotMasked,
    /// The first character is neither a Han character nor a Latin letter.
    #[error("the holder begins with neither a Han character nor a letter")]
    FirstCharacter,
}

impl Holder {
    /// Masks a name of 2 to 15 characters.
    ///
    /// # Errors
    /// [`HolderError`] for a name too short, too long, or with a first character that is no letter.
    pub fn masked(name: &str) -> Result<Self, HolderError> {
        let mut characters = name.chars();
        let first = characters.next().ok_or(HolderError::Empty)?;
        Self::new(first, characters.count())
    }

    /// Reads the form of the wire.
    ///
    /// # Errors
    /// [`HolderError`] for everything but one letter and one to fourteen `*`.
    pub fn from_wire(text: &str) -> Result<Self, HolderError> {
        let mut characters = text.chars();
        let first = characters.next().ok_or(HolderError::Empty)?;
        let rest = characters.as_str();
        if rest.bytes().any(|byte| byte != b'*') {
            return Err(HolderError::NotMasked);
        }
        Self::new(first, rest.len())
    }

    fn new(first: char, stars: usize) -> Result<Self, HolderError> {
        if stars >= MAX_HOLDER_CHARS {
            return Err(HolderError::TooLong);
        }
        if stars == 0 {
            return Err(HolderError::NotMasked);
        }
        if !is_letter(first) {
            return Err(HolderError::FirstCharacter);
        }
        Ok(Self { first, stars: stars as u8 })
    }

    /// Bytes of the UTF-8 form, at most 18.
    pub(crate) fn write_to<'a>(&self, buffer: &'a mut [u8; 18]) -> &'a str {
        let length = self.first.encode_utf8(buffer).len();
        let end = length + usize::from(self.stars);
        buffer[length..end].fill(b'*');
        core::str::from_utf8(&buffer[..end]).unwrap_or_default()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(self.first)?;
        (0..self.stars).try_for_each(|_| f.write_char('*'))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Holder {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Han characters wherever Unicode keeps room for them (so that extensions to come need no change here), and A–Z, a–z.
/// Spelled out, since `char::is_alphabetic` changes with the Unicode version of the compiler.
fn is_letter(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z'
        | '\u{3007}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}')
}
