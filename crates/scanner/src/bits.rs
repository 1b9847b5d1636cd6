//! From a symbol's data codewords to the bytes of its segments.

/// Numeric and alphanumeric segments as ASCII, byte segments as they are, kanji as Shift JIS; markers of character sets and
/// of other standards are passed over. `None` for what is no well-made sequence of segments.
pub(crate) fn read(data: &[u8], version: usize) -> Option<Vec<u8>> {
    let mut bits = Bits { data, position: 0 };
    let size = usize::from(version > 9) + usize::from(version > 26);
    let mut bytes = Vec::new();
    while bits.left() >= 4 {
        match bits.take(4)? {
            0b0000 => break,
            0b0001 => numeric(&mut bits, [10, 12, 14][size], &mut bytes)?,
            0b0010 => alphanumeric(&mut bits, [9, 11, 13][size], &mut bytes)?,
            0b0100 => {
                let count = bits.take([8, 16, 16][size])?;
                for _ in 0..count {
                    bytes.push(bits.take(8)? as u8);
                }
            }
            0b1000 => kanji(&mut bits, [8, 10, 12][size], &mut bytes)?,
            // Extended channel interpretation: one to three bytes, by the first one's leading bits.
            0b0111 => {
                let first = bits.take(8)?;
                bits.take(if first & 0x80 == 0 {
                    0
                } else if first & 0x40 == 0 {
                    8
                } else {
                    16
                })?;
            }
            // FNC1, with an indicator in second position; structured append.
            0b0101 => {}
            0b1001 => drop(bits.take(8)?),
            0b0011 => drop(bits.take(16)?),
            _ => return None,
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

fn numeric(bits: &mut Bits<'_>, count: u32, bytes: &mut Vec<u8>) -> Option<()> {
    let mut left = bits.take(count)?;
    while left > 0 {
        let digits = left.min(3);
        let (width, limit) = [(4, 10), (7, 100), (10, 1000)][digits as usize - 1];
        let value = bits.take(width)?;
        if value >= limit {
            return None;
        }
        (0..digits).rev().for_each(|place| bytes.push(b'0' + (value / 10_u32.pow(place) % 10) as u8));
        left -= digits;
    }
    Some(())
}

fn alphanumeric(bits: &mut Bits<'_>, count: u32, bytes: &mut Vec<u8>) -> Option<()> {
    const LETTERS: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut left = bits.take(count)?;
    while left > 0 {
        let pair = left.min(2);
        let value = bits.take(if pair == 2 { 11 } else { 6 })? as usize;
        if pair == 2 {
            bytes.push(*LETTERS.get(value / 45)?);
            bytes.push(LETTERS[value % 45]);
        } else {
            bytes.push(*LETTERS.get(value)?);
        }
        left -= pair;
    }
    Some(())
}

fn kanji(bits: &mut Bits<'_>, count: u32, bytes: &mut Vec<u8>) -> Option<()> {
    for _ in 0..bits.take(count)? {
        let value = bits.take(13)?;
        let packed = ((value / 0xc0) << 8) | (value % 0xc0);
        let code = packed + if packed < 0x1f00 { 0x8140 } else { 0xc140 };
        bytes.extend([(code >> 8) as u8, code as u8]);
    }
    Some(())
}

struct Bits<'d> {
    data: &'d [u8],
    position: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        self.data.len() * 8 - self.position
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        if self.left() < count as usize {
            return None;
        }
        let mut value = 0;
        for _ in 0..count {
            let bit = self.data[self.position / 8] >> (7 - self.position % 8) & 1;
            value = value << 1 | u32::from(bit);
            self.position += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits written as `0001 0000000011 …`, filled up with zeros.
    fn segments(text: &str, version: usize) -> Option<Vec<u8>> {
        let bits: Vec<u8> = text.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
        let data: Vec<u8> =
            bits.chunks(8).map(|c| c.iter().enumerate().fold(0, |byte, (i, bit)| byte | bit << (7 - i))).collect();
        read(&data, version)
    }

    #[test]
    fn each_mode() {
        assert_eq!(segments("0001 0000000100 0001111011 0100 0000", 1).as_deref(), Some(&b"1234"[..]));
        assert_eq!(segments("0001 000000000010 0000001 0000", 10).as_deref(), Some(&b"01"[..]));
        assert_eq!(segments("0010 000000011 00111001101 000010 0000", 1).as_deref(), Some(&b"AB2"[..]));
        assert_eq!(segments("0100 00000001 11111111 0000", 9).as_deref(), Some(&[255][..]));
        assert_eq!(segments("1000 00000001 0110110011111 0000", 1).as_deref(), Some(&[0x93, 0x5f][..]));
        assert_eq!(segments("0111 00011010 0100 00000001 01000001 0000", 1).as_deref(), Some(&b"A"[..]));
    }

    #[test]
    fn what_is_no_segment() {
        assert_eq!(segments("0001 0000000011 1111111111 0000", 1), None, "1023 is no three digits");
        assert_eq!(segments("0010 000000001 111111 0000", 1), None, "63 is no letter");
        assert_eq!(segments("0100 11111111 00000000", 1), None, "too short");
        assert_eq!(segments("1111 0000", 1), None, "no mode");
        assert_eq!(segments("0000 0000", 1), None, "nothing");
    }
}
