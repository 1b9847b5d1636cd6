//! One way of looking at a picture, and the list of ways worth trying.

use std::borrow::Cow;
use std::cmp::Reverse;

use rxing::common::{BitMatrix, DetectorRXingResult};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};

use crate::{MAX_PIXELS, binarize};

/// How grey becomes black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Blocks of 8 × 8 with a threshold each: sharp pictures, any light.
    Hybrid,
    /// A light blur against the mean of the surroundings: noise, reflections, soft focus.
    LocalMean,
    /// The same at twice the size: modules of one or two pixels.
    Doubled,
}

impl Method {
    /// All methods, in the order in which a camera should try them.
    pub const ALL: [Self; 3] = [Self::Hybrid, Self::LocalMean, Self::Doubled];
}

/// A method at a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    method: Method,
    /// The picture is reduced by this whole factor first.
    reduce: usize,
}

/// The attempts that a still picture of this size deserves, the most promising first: a code that fills a fair part of the
/// picture is read fastest at about a thousand pixels, a small one only at full size.
pub fn attempts(width: usize, height: usize) -> impl Iterator<Item = Attempt> {
    let long = width.max(height);
    let mut factors = vec![reduction(long, 1000), reduction(long, 2000), 1, reduction(long, 500)];
    let mut seen = Vec::new();
    factors.retain(|factor| {
        let new = !seen.contains(factor);
        seen.push(*factor);
        new
    });
    factors.into_iter().flat_map(move |reduce| {
        Method::ALL
            .into_iter()
            .filter(move |method| *method != Method::Doubled || long / reduce <= 2000)
            .map(move |method| Attempt { method, reduce })
    })
}

impl Attempt {
    /// `method` on a camera frame, reduced to about 1,000 pixels if it is larger.
    pub(crate) fn for_frame(method: Method, width: usize, height: usize) -> Self {
        Self { method, reduce: reduction(width.max(height), 1000) }
    }

    /// Looks for codes until `accept` takes one, and returns that one. See [`crate::read`] for the arguments.
    pub fn run(
        self,
        luma: &[u8],
        width: usize,
        height: usize,
        accept: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        // 21 pixels: a version 1 symbol of one-pixel modules.
        let fits = width.checked_mul(height).is_some_and(|n| n == luma.len() && n <= MAX_PIXELS);
        if !fits || width.min(height) < 21 {
            return None;
        }
        let (picture, width, height) = match self.reduce {
            1 => (Cow::Borrowed(luma), width, height),
            factor => {
                let reduced = binarize::reduce(luma, width, height, factor);
                (Cow::Owned(reduced), width / factor, height / factor)
            }
        };
        let dark = match self.method {
            Method::Hybrid => binarize::hybrid(&picture, width, height),
            Method::LocalMean => binarize::local_mean(&binarize::blur(&picture, width, height), width, height),
            Method::Doubled => {
                let doubled = binarize::double(&binarize::blur(&picture, width, height), width, height);
                binarize::local_mean(&doubled, width * 2, height * 2)
            }
        }?;
        codes(&dark, accept)
    }
}

/// A sheet of ten cards has thirty finder patterns. Of a picture with more than this, made to keep us busy, the largest count.
const MAX_PATTERNS: usize = 256;
/// And as many combinations of three, the most plausible first.
const MAX_SETS: usize = 256;

fn codes(dark: &BitMatrix, accept: &mut dyn FnMut(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut patterns = FindFinderPatterns(dark, true, 0);
    patterns.sort_by_key(|pattern| Reverse(pattern.size));
    patterns.truncate(MAX_PATTERNS);
    GenerateFinderPatternSets(&mut patterns).iter().take(MAX_SETS).find_map(|set| {
        let symbol = SampleQR(dark, set).ok()?;
        let decoded = Decode(symbol.getBits()).ok().filter(|decoded| decoded.isValid())?;
        let bytes = decoded.content().bytes();
        accept(bytes).then(|| bytes.to_vec())
    })
}

/// The whole factor that brings `long` pixels nearest to, and not below, `target`.
fn reduction(long: usize, target: usize) -> usize {
    (long / target).max(1)
}
