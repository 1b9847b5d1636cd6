//! Core deterministic CBOR (RFC 8949 §4.2.1): a reader that refuses every other encoding, and a writer.
//!
//! The writer is minicbor's encoder, which always writes the shortest form. The reader is our own, since a lenient
//! decoder cannot be made strict from outside without decoding twice; tests hold the two against each other.

use alloc::vec::Vec;

use minicbor::Encoder;
use minicbor::data::Tag;
use minicbor::encode::Error;
use thiserror::Error;

/// Why bytes are not the deterministic encoding of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// The bytes end inside an item.
    #[error("the bytes end too early")]
    End,
    /// Bytes follow the last item.
    #[error("bytes follow the end")]
    TrailingBytes,
    /// An integer, a length or a tag is written longer than it need be.
    #[error("an integer is not in its shortest form")]
    LongerInteger,
    /// A string, array or map of indefinite length, or a break.
    #[error("indefinite lengths are not used")]
    IndefiniteLength,
    /// One of the reserved forms 28…30 of RFC 8949 §3.
    #[error("a reserved form")]
    Reserved,
    /// An item of another kind than expected here.
    #[error("an item of another kind was expected")]
    UnexpectedKind,
    /// A map key stands there twice.
    #[error("a map key stands there twice")]
    DuplicateKey,
    /// Map keys are not in bytewise order.
    #[error("map keys are not sorted")]
    UnsortedKey,
    /// A tag that has no place here.
    #[error("unknown tag {0}")]
    UnknownTag(u64),
    /// The tag that must stand here does not.
    #[error("the tag is missing")]
    MissingTag,
    /// A text string that is not UTF-8.
    #[error("a text is not UTF-8")]
    InvalidUtf8,
    /// An integer beyond what the field can hold.
    #[error("an integer is out of range")]
    IntegerRange,
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// Reads items one after another, borrowing from the input.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
    position: usize,
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, EncodingError> {
        self.expect(UNSIGNED)
    }

    /// An integer of either sign.
    pub(crate) fn integer(&mut self) -> Result<i64, EncodingError> {
        let signed = |value| i64::try_from(value).map_err(|_| EncodingError::IntegerRange);
        match self.head()? {
            (UNSIGNED, value) => signed(value),
            (NEGATIVE, value) => Ok(-1 - signed(value)?),
            (TAG, tag) => Err(EncodingError::UnknownTag(tag)),
            _ => Err(EncodingError::UnexpectedKind),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], EncodingError> {
        let length = self.expect(BYTES)?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, EncodingError> {
        let length = self.expect(TEXT)?;
        core::str::from_utf8(self.take(length)?).map_err(|_| EncodingError::InvalidUtf8)
    }

    /// The head of an array: how many items follow. Never reserve memory by it: it is not bounded by the input.
    pub(crate) fn array(&mut self) -> Result<u64, EncodingError> {
        self.expect(ARRAY)
    }

    pub(crate) fn map(&mut self) -> Result<MapKeys<'b>, EncodingError> {
        Ok(MapKeys { left: self.expect(MAP)?, last: &[] })
    }

    /// The tag that must stand here.
    pub(crate) fn tag(&mut self, wanted: u64) -> Result<(), EncodingError> {
        match self.head()? {
            (TAG, tag) if tag == wanted => Ok(()),
            (TAG, tag) => Err(EncodingError::UnknownTag(tag)),
            _ => Err(EncodingError::MissingTag),
        }
    }

    /// Nothing may follow.
    pub(crate) fn finish(self) -> Result<(), EncodingError> {
        if self.remaining() == 0 { Ok(()) } else { Err(EncodingError::TrailingBytes) }
    }

    fn expect(&mut self, wanted: u8) -> Result<u64, EncodingError> {
        match self.head()? {
            (kind, value) if kind == wanted => Ok(value),
            (TAG, tag) => Err(EncodingError::UnknownTag(tag)),
            _ => Err(EncodingError::UnexpectedKind),
        }
    }

    /// Major type and argument of the next item, the argument in its shortest form.
    fn head(&mut self) -> Result<(u8, u64), EncodingError> {
        let initial = *self.bytes.get(self.position).ok_or(EncodingError::End)?;
        let (kind, info) = (initial >> 5, initial & 0x1f);
        if kind == 7 {
            // Simple values, floats and the break: none has a place in any of our formats.
            return Err(if info == 31 { EncodingError::IndefiniteLength } else { EncodingError::UnexpectedKind });
        }
        self.position += 1;
        let (length, least) = match info {
            0..=23 => return Ok((kind, u64::from(info))),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 if matches!(kind, BYTES | TEXT | ARRAY | MAP) => return Err(EncodingError::IndefiniteLength),
            _ => return Err(EncodingError::Reserved),
        };
        let value = self.take(length)?.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        if value < least { Err(EncodingError::LongerInteger) } else { Ok((kind, value)) }
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], EncodingError> {
        let length = usize::try_from(length).map_err(|_| EncodingError::End)?;
        if length > self.remaining() {
            return Err(EncodingError::End);
        }
        let taken = &self.bytes[self.position..self.position + length];
        self.position += length;
        Ok(taken)
    }
}

/// The integer keys of a map, each refused unless it comes after the one before in bytewise order.
#[derive(Debug)]
pub(crate) struct MapKeys<'b> {
    left: u64,
    last: &'b [u8],
}

impl<'b> MapKeys<'b> {
    /// How many keys are still to come.
    pub(crate) fn len(&self) -> u64 {
        self.left
    }

    /// The next key, or `None` at the end; its value is the next item of `reader`.
    pub(crate) fn next(&mut self, reader: &mut Reader<'b>) -> Result<Option<i64>, EncodingError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let from = reader.position;
        let key = reader.integer()?;
        let encoded = &reader.bytes[from..reader.position];
        match encoded.cmp(self.last) {
            core::cmp::Ordering::Less => Err(EncodingError::UnsortedKey),
            core::cmp::Ordering::Equal => Err(EncodingError::DuplicateKey),
            core::cmp::Ordering::Greater => {
                self.last = encoded;
                Ok(Some(key))
            }
        }
    }
}

/// Writes items one after another. The caller writes map keys in bytewise order.
#[derive(Debug)]
pub(crate) struct Writer(Encoder<Vec<u8>>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self::with_capacity(0)
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Encoder::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn unsigned(&mut self, value: u64) -> &mut Self {
        infallible(self.0.u64(value));
        self
    }

    pub(crate) fn integer(&mut self, value: i64) -> &mut Self {
        infallible(self.0.i64(value));
        self
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        infallible(self.0.bytes(value));
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        infallible(self.0.str(value));
        self
    }

    pub(crate) fn array(&mut self, length: usize) -> &mut Self {
        infallible(self.0.array(length as u64));
        self
    }

    pub(crate) fn map(&mut self, length: usize) -> &mut Self {
        infallible(self.0.map(length as u64));
        self
    }

    pub(crate) fn tag(&mut self, tag: u64) -> &mut Self {
        infallible(self.0.tag(Tag::new(tag)));
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_writer()
    }
}

fn infallible<T>(result: Result<T, Error<core::convert::Infallible>>) {
    // The sink is memory; minicbor's own error type has room for more than that.
    debug_assert!(result.is_ok());
}
