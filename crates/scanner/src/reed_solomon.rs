//! Reed–Solomon over GF(256) as QR codes use it: polynomial 0x11d, roots 2^0, 2^1, …

/// Corrects `words`, of which the last `ec` are for correction, in place. `erased` are places known to be doubtful: each
/// costs half of what an unknown error costs. False, and nothing changed, where there is too much to correct.
pub(crate) fn correct(words: &mut [u8], ec: usize, erased: &[usize]) -> bool {
    let field = Field::new();
    let syndromes = syndromes(field, words, ec);
    if syndromes.iter().all(|syndrome| *syndrome == 0) {
        return true;
    }
    if erased.len() > ec || words.len() > 255 {
        return false;
    }
    let power = |place: usize| words.len() - 1 - place;
    // Polynomials have their lowest coefficient first.
    let mut locator = vec![1_u8];
    for &place in erased {
        locator = field.product(&locator, &[1, field.exp(power(place))]);
    }
    let locator = field.massey(&syndromes, locator, erased.len());
    let errors = locator.len() - 1;
    if errors == 0 || 2 * errors > ec + erased.len() {
        return false;
    }
    let mut evaluator = field.product(&syndromes, &locator);
    evaluator.truncate(ec);
    let mut corrections = Vec::with_capacity(errors);
    for place in 0..words.len() {
        let inverse = field.exp(255 - power(place) % 255);
        if field.value(&locator, inverse) != 0 {
            continue;
        }
        // The derivative has the odd coefficients only.
        let derivative: Vec<u8> =
            locator.iter().skip(1).enumerate().map(|(i, c)| if i % 2 == 0 { *c } else { 0 }).collect();
        let slope = field.value(&derivative, inverse);
        if slope == 0 {
            return false;
        }
        // Roots begin with 2^0, which leaves a factor of 2^power.
        let value = field.times(field.value(&evaluator, inverse), field.over(slope));
        corrections.push((place, field.times(value, field.exp(power(place)))));
    }
    if corrections.len() != errors {
        return false;
    }
    corrections.iter().for_each(|(place, value)| words[*place] ^= value);
    let good = self::syndromes(field, words, ec).iter().all(|syndrome| *syndrome == 0);
    if !good {
        corrections.iter().for_each(|(place, value)| words[*place] ^= value);
    }
    good
}

fn syndromes(field: &Field, words: &[u8], ec: usize) -> Vec<u8> {
    let at = |i: usize| words.iter().fold(0, |sum, word| field.times(sum, field.exp(i)) ^ word);
    (0..ec).map(at).collect()
}

struct Field {
    exp: [u8; 255],
    log: [u8; 256],
}

impl Field {
    const fn tables() -> Self {
        let (mut exp, mut log) = ([0; 255], [0; 256]);
        let (mut value, mut i) = (1_u16, 0);
        while i < 255 {
            exp[i] = value as u8;
            log[value as usize] = i as u8;
            value <<= 1;
            if value > 255 {
                value ^= 0x11d;
            }
            i += 1;
        }
        Self { exp, log }
    }

    fn new() -> &'static Self {
        static FIELD: Field = Field::tables();
        &FIELD
    }

    fn exp(&self, power: usize) -> u8 {
        self.exp[power % 255]
    }

    fn times(&self, a: u8, b: u8) -> u8 {
        if a == 0 || b == 0 {
            return 0;
        }
        self.exp(usize::from(self.log[usize::from(a)]) + usize::from(self.log[usize::from(b)]))
    }

    /// 1 / `a`; `a` is not 0.
    fn over(&self, a: u8) -> u8 {
        self.exp(255 - usize::from(self.log[usize::from(a)]))
    }

    fn product(&self, a: &[u8], b: &[u8]) -> Vec<u8> {
        let mut product = vec![0; a.len() + b.len() - 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                product[i + j] ^= self.times(*x, *y);
            }
        }
        product
    }

    fn value(&self, polynomial: &[u8], at: u8) -> u8 {
        polynomial.iter().rev().fold(0, |sum, coefficient| self.times(sum, at) ^ coefficient)
    }

    /// Berlekamp and Massey, beginning with what the erasures already say.
    fn massey(&self, syndromes: &[u8], erasures: Vec<u8>, erased: usize) -> Vec<u8> {
        let (mut locator, mut before) = (erasures.clone(), erasures);
        let mut length = erased;
        for n in erased..syndromes.len() {
            let terms = locator.iter().enumerate().take(n + 1);
            let discrepancy = terms.fold(0, |sum, (i, coefficient)| sum ^ self.times(*coefficient, syndromes[n - i]));
            before.insert(0, 0);
            if discrepancy == 0 {
                continue;
            }
            let mut next = locator.clone();
            next.resize(next.len().max(before.len()), 0);
            for (sum, coefficient) in next.iter_mut().zip(&before) {
                *sum ^= self.times(*coefficient, discrepancy);
            }
            if 2 * length <= n + erased {
                length = n + 1 + erased - length;
                let inverse = self.over(discrepancy);
                before = locator.iter().map(|coefficient| self.times(*coefficient, inverse)).collect();
            }
            locator = next;
        }
        while locator.len() > 1 && locator.last() == Some(&0) {
            locator.pop();
        }
        locator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1-M of the standard's annex: 16 data codewords, 10 for correction.
    const BLOCK: [u8; 26] = [
        0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xa5, 0x24,
        0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55,
    ];

    fn damaged(places: &[usize]) -> [u8; 26] {
        let mut block = BLOCK;
        places.iter().for_each(|place| block[*place] ^= 0x5a + *place as u8);
        block
    }

    #[test]
    fn nothing_to_correct() {
        assert!(correct(&mut BLOCK.clone(), 10, &[]));
    }

    #[test]
    fn up_to_half_of_the_correction_words() {
        for places in [&[0][..], &[25], &[3, 4], &[0, 7, 15, 16, 25]] {
            let mut block = damaged(places);
            assert!(correct(&mut block, 10, &[]), "{places:?}");
            assert_eq!(block, BLOCK);
        }
    }

    #[test]
    fn too_many_change_nothing() {
        let broken = damaged(&[0, 2, 4, 6, 8, 10]);
        let mut block = broken;
        assert!(!correct(&mut block, 10, &[]));
        assert_eq!(block, broken);
    }

    #[test]
    fn erasures_cost_half() {
        for (wrong, erased) in [
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10][..], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10][..]),
            (&[1, 2, 3, 4, 5, 6, 20, 21], &[1, 2, 3, 4, 5, 6]),
            (&[1, 20, 21], &[1, 2, 3, 4]),
            (&[20], &[0, 25]),
        ] {
            let mut block = damaged(wrong);
            assert!(correct(&mut block, 10, erased), "{wrong:?} {erased:?}");
            assert_eq!(block, BLOCK);
        }
    }
}
