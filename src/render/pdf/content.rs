//! The operators of a content stream as text.
//!
//! printpdf writes the content of pages; what stands in forms it takes as finished bytes, and those are made here.

use std::io::Write;

/// A content stream being written.
pub(super) struct Content(Vec<u8>);

impl Content {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// `operator` with numbers before it.
    pub(super) fn op(&mut self, operands: &[f32], operator: &str) {
        for &operand in operands {
            self.number(operand);
            self.0.push(b' ');
        }
        self.0.extend_from_slice(operator.as_bytes());
        self.0.push(b'\n');
    }

    /// `operator` with a name and numbers before it. The name holds letters and digits alone.
    pub(super) fn named(&mut self, name: &str, operands: &[f32], operator: &str) {
        self.0.push(b'/');
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b' ');
        self.op(operands, operator);
    }

    /// Shows glyphs by their two-byte codes.
    pub(super) fn show(&mut self, codes: impl Iterator<Item = u16>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.0.push(b'<');
        for code in codes {
            self.0.extend([12, 8, 4, 0].map(|shift| HEX[usize::from(code >> shift & 15)]));
        }
        self.0.extend_from_slice(b"> Tj\n");
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn number(&mut self, value: f32) {
        // Nearly all numbers are the small integers of codes; the formatter's way takes ten times as long.
        if value.fract() == 0.0 && (0.0..1000.0).contains(&value) {
            let value = value as u16;
            let digit = |place: u16| b'0' + (value / place % 10) as u8;
            match value {
                0..10 => self.0.push(digit(1)),
                10..100 => self.0.extend([digit(10), digit(1)]),
                _ => self.0.extend([digit(100), digit(10), digit(1)]),
            }
        } else {
            write!(self.0, "{value}").expect("memory takes every byte");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_decimals() {
        let mut content = Content::with_capacity(64);
        content.op(&[0.0, -0.0, 7.0, 49.0, 100.0, 999.0, 1000.0, -1.0, 0.25, 2.834_645_7, 1e-6], "x");
        assert_eq!(content.finish(), b"0 0 7 49 100 999 1000 -1 0.25 2.8346457 0.000001 x\n");
    }

    #[test]
    fn names_and_codes_stand_before_their_operator() {
        let mut content = Content::with_capacity(64);
        content.named("F0", &[3.5], "Tf");
        content.show([0x0001, 0xabcd].into_iter());
        assert_eq!(content.finish(), b"/F0 3.5 Tf\n<0001abcd> Tj\n");
    }
}
