//! A set of status indices, carried as Golomb–Rice coded gaps: about its entropy in bytes, and nothing to decompress.

use alloc::vec::Vec;

use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};

/// Entries of a status list: indices are 0…2^20 − 1.
pub const LIST_SIZE: u32 = 1 << 20;

const MAX_PARAMETER: u64 = 19;

/// Indices in ascending order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusSet(Vec<u32>);

/// Why something is not a status set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StatusSetError {
    /// Not the deterministic encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Not an array of three.
    #[error("a status set has three items, this has {0}")]
    Items(u64),
    /// Indices not in ascending order, each once.
    #[error("status indices are not in ascending order")]
    NotAscending,
    /// An index beyond the list.
    #[error("a status index is beyond the list")]
    OutOfRange,
    /// A Rice parameter above 19.
    #[error("the Rice parameter {0} is above 19")]
    Parameter(u64),
    /// Another Rice parameter than the one that makes the set shortest.
    #[error("the Rice parameter is not the one that makes the set shortest")]
    ParameterNotBest,
    /// More entries than the bytes can hold, or fewer than they do.
    #[error("the count does not fit the bytes")]
    Count,
    /// Bits after the last entry that are not zero.
    #[error("the padding is not zero")]
    Padding,
}

impl StatusSet {
    /// Takes indices that are in ascending order, each once.
    ///
    /// # Errors
    /// [`StatusSetError::NotAscending`], [`StatusSetError::OutOfRange`].
    pub fn from_sorted(indices: impl Into<Vec<u32>>) -> Result<Self, StatusSetError> {
        let indices = indices.into();
        if indices.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(StatusSetError::NotAscending);
        }
        if indices.last().is_some_and(|last| *last >= LIST_SIZE) {
            return Err(StatusSetError::OutOfRange);
        }
        Ok(Self(indices))
    }

    /// Whether `index` is in the set; takes time in the logarithm of its size.
    pub fn contains(&self, index: u32) -> bool {
        self.0.binary_search(&index).is_ok()
    }

    /// The indices in ascending order.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// How many indices.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An index that is in both sets, if any.
    pub(crate) fn shared_with(&self, other: &Self) -> Option<u32> {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            match x.cmp(y) {
                core::cmp::Ordering::Less => a.next(),
                core::cmp::Ordering::Greater => b.next(),
                core::cmp::Ordering::Equal => return Some(**x),
            };
        }
        None
    }

    /// The set's own encoding: `[count, parameter, gaps]`.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Reads what [`StatusSet::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`StatusSetError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StatusSetError> {
        let mut reader = Reader::new(bytes);
        let set = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(set)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let parameter = best_parameter(&self.0);
        let mut bits = BitWriter::default();
        for gap in gaps(&self.0) {
            bits.unary(gap >> parameter);
            bits.binary(gap & ((1 << parameter) - 1), parameter);
        }
        writer.array(3).unsigned(self.0.len() as u64).unsigned(u64::from(parameter)).bytes(&bits.finish());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, StatusSetError> {
        let items = reader.array()?;
        if items != 3 {
            return Err(StatusSetError::Items(items));
        }
        let count = reader.unsigned()?;
        let parameter = reader.unsigned()?;
        let data = reader.bytes()?;
        if parameter > MAX_PARAMETER {
            return Err(StatusSetError::Parameter(parameter));
        }
        // Each entry takes parameter + 1 bits or more, so memory is bounded by the input before any is taken.
        if count > data.len() as u64 * 8 / (parameter + 1) || count > u64::from(LIST_SIZE) {
            return Err(StatusSetError::Count);
        }
        let parameter = parameter as u32;
        let mut bits = BitReader::new(data);
        let mut indices = Vec::with_capacity(count as usize);
        let mut next = 0u32;
        for _ in 0..count {
            let quotient = bits.unary().ok_or(StatusSetError::Count)?;
            if quotient > LIST_SIZE >> parameter {
                return Err(StatusSetError::OutOfRange);
            }
            let rest = bits.binary(parameter).ok_or(StatusSetError::Count)?;
            let index = next + (quotient << parameter | rest);
            if index >= LIST_SIZE {
                return Err(StatusSetError::OutOfRange);
            }
            indices.push(index);
            next = index + 1;
        }
        bits.finish()?;
        if best_parameter(&indices) != parameter {
            return Err(StatusSetError::ParameterNotBest);
        }
        Ok(Self(indices))
    }
}

/// How many indices lie between each and the one before.
fn gaps(indices: &[u32]) -> impl Iterator<Item = u32> {
    let mut next = 0;
    indices.iter().map(move |index| {
        let gap = index - next;
        next = index + 1;
        gap
    })
}

/// The smallest parameter that makes the set shortest.
fn best_parameter(indices: &[u32]) -> u32 {
    // Each step down from k + 1 to k saves a bit an entry and costs what the quotients grow by; the cost is convex in k
    // (the growth at least halves with each further step up), so the first k that is no worse than its successor is best.
    let cost =
        |k: u32| (u64::from(k) + 1) * indices.len() as u64 + gaps(indices).map(|gap| u64::from(gap >> k)).sum::<u64>();
    let mut k = 0;
    let mut here = cost(0);
    while u64::from(k) < MAX_PARAMETER {
        let there = cost(k + 1);
        if there >= here {
            break;
        }
        here = there;
        k += 1;
    }
    k
}

/// Bits from the most significant on.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    length: u32,
}

impl BitWriter {
    /// So many zeros, then a one.
    fn unary(&mut self, mut zeros: u32) {
        while zeros >= 24 {
            self.binary(0, 24);
            zeros -= 24;
        }
        self.binary(1, zeros + 1);
    }

    /// The `length` (at most 25) low bits of `value`.
    fn binary(&mut self, value: u32, length: u32) {
        self.pending = self.pending << length | u64::from(value);
        self.length += length;
        while self.length >= 8 {
            self.length -= 8;
            self.bytes.push((self.pending >> self.length) as u8);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.length > 0 {
            self.bytes.push((self.pending << (8 - self.length)) as u8);
        }
        self.bytes
    }
}

/// Bits from the most significant on, 57 or more at hand after each refill while the bytes last.
struct BitReader<'b> {
    rest: &'b [u8],
    /// The bits at hand, left-aligned, zeros below.
    window: u64,
    /// How many of them are real.
    length: u32,
}

impl<'b> BitReader<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, window: 0, length: 0 }
    }

    /// How many zeros stand before the next one; both are taken.
    fn unary(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            self.refill();
            let leading = self.window.leading_zeros();
            if leading < self.length {
                self.skip(leading + 1);
                return Some(zeros + leading);
            }
            if self.rest.is_empty() {
                return None;
            }
            zeros = zeros.checked_add(self.length)?;
            self.skip(self.length);
        }
    }

    /// The next `length` (at most 19) bits.
    fn binary(&mut self, length: u32) -> Option<u32> {
        if length == 0 {
            return Some(0);
        }
        self.refill();
        if length > self.length {
            return None;
        }
        let value = self.window >> (64 - length);
        self.skip(length);
        Some(value as u32)
    }

    /// Only zeros to the end of the last byte may be left.
    fn finish(mut self) -> Result<(), StatusSetError> {
        self.refill();
        if self.length >= 8 {
            return Err(StatusSetError::Count);
        }
        if self.window == 0 { Ok(()) } else { Err(StatusSetError::Padding) }
    }

    fn refill(&mut self) {
        if self.length > 32 {
            return;
        }
        if let Some((four, rest)) = self.rest.split_first_chunk::<4>() {
            self.window |= u64::from(u32::from_be_bytes(*four)) << (32 - self.length);
            self.length += 32;
            self.rest = rest;
            return;
        }
        while let Some((byte, rest)) = self.rest.split_first().filter(|_| self.length <= 56) {
            self.window |= u64::from(*byte) << (56 - self.length);
            self.length += 8;
            self.rest = rest;
        }
    }

    fn skip(&mut self, bits: u32) {
        // A shift by all 64 bits is no shift to the machine.
        self.window = self.window.checked_shl(bits).unwrap_or(0);
        self.length -= bits;
    }
}
