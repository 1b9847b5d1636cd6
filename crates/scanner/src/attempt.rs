//! One way of looking at a picture, and the list of ways worth trying.

use std::borrow::Cow;

use crate::plane::Plane;
use crate::{MAX_PIXELS, finder, locate, picture, sample};

/// What is done to the picture before looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Nothing: good pictures.
    Plain,
    /// A light blur: noise.
    Smooth,
    /// The opposite: small modules that run into each other, seen from far or at a slant.
    Sharp,
}

impl Method {
    /// All methods, in the order in which a camera should try them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Smooth, Self::Sharp];
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
    factors.into_iter().flat_map(move |reduce| Method::ALL.into_iter().map(move |method| Attempt { method, reduce }))
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
        let (pixels, width, height) = match self.reduce {
            1 => (Cow::Borrowed(luma), width, height),
            factor => {
                let reduced = picture::reduce(luma, width, height, factor);
                (Cow::Owned(reduced), width / factor, height / factor)
            }
        };
        match self.method {
            Method::Plain => codes(&pixels, width, height, 31.0 / 32.0, accept),
            Method::Smooth => codes(&picture::blur(&pixels, width, height), width, height, 30.0 / 32.0, accept),
            Method::Sharp => codes(&picture::sharpen(&pixels, width, height), width, height, 31.0 / 32.0, accept),
        }
    }
}

/// Codes in the picture, one after another, until `accept` takes one. Dark is what is below `part` of the mean around it.
fn codes(
    grey: &[u8],
    width: usize,
    height: usize,
    part: f32,
    accept: &mut dyn FnMut(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let tones = picture::tones(grey, width, height, part);
    let tones = Plane { values: &tones, width, height };
    let grey = Plane { values: grey, width, height };
    let finders = finder::find(&tones);
    locate::locate(&grey, &tones, &finders).iter_mut().find_map(|located| {
        located.align(&grey);
        let bytes = sample::read(&grey, located)?;
        accept(&bytes).then_some(bytes)
    })
}

/// The whole factor that brings `long` pixels nearest to, and not below, `target`.
fn reduction(long: usize, target: usize) -> usize {
    (long / target).max(1)
}
