//! From grey pixels to the bytes of the QR code in them.
//!
//! [`Reader`] is for a camera: one cheap attempt a frame, another kind of attempt at the next frame. [`read`] is for a
//! picture, of which there is only one: every attempt, at several scales, until one succeeds.
//!
//! ```
//! let grey = vec![255_u8; 64 * 64]; // row by row, 0 black, 255 white
//! assert_eq!(zyz_scanner::read(&grey, 64, 64), None);
//! ```
//!
//! # How a code is read
//! 1. `picture`: softer or smaller, then each pixel's distance from the mean around it.
//! 2. `finder`: rows with runs of 1 : 1 : 3 : 1 : 1, edges between pixels; looked at again from eight directions.
//! 3. `locate`: threes of targets with timing lines between them; what was measured along two sides gives the perspective,
//!    the alignment patterns correct it.
//! 4. `sample`: how dark each module is against those around it. If that does not decode, the known modules (targets,
//!    timing, alignment) train weights for a module's neighbours that undo blur and motion.
//! 5. `symbol`, `reed_solomon`, `bits`: codewords, of which the least sure may be given up as erased; bytes.
//!
//! Not read: light codes on dark, mirrored ones, Micro QR.
//!
//! **Panics.** Nothing here panics on purpose and sizes are checked, but positions are computed from what a picture shows,
//! and one that nobody thought of may still trip it. In a browser, make a new instance of the module after a trap; a native
//! caller goes through [`attempts`] and catches a panic around each (`zyz-verify` does).
//!
//! Invariant: no clock, no randomness, no I/O; builds for `wasm32-unknown-unknown`.

mod attempt;
mod bits;
mod finder;
mod locate;
mod order;
mod picture;
mod plane;
mod reed_solomon;
mod sample;
mod symbol;

pub use attempt::{Attempt, Method, attempts};

/// Pictures above this many pixels are not looked at (a 108-megapixel phone saves 12 by default).
pub const MAX_PIXELS: usize = 64 << 20;

/// Reads a picture, trying everything. The first code found is returned; see [`read_matching`] to be choosy.
///
/// `luma` is one byte a pixel, row by row, 0 black to 255 white. Returns `None` when there is no code to be read, and when
/// `luma` is not `width * height` long or is above [`MAX_PIXELS`].
pub fn read(luma: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    read_matching(luma, width, height, &mut |_| true)
}

/// As [`read`], for a picture with several codes: keeps looking until `accept` takes one. It is shown each code read,
/// possibly the same one several times.
pub fn read_matching(
    luma: &[u8],
    width: usize,
    height: usize,
    accept: &mut dyn FnMut(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    attempts(width, height).find_map(|attempt| attempt.run(luma, width, height, accept))
}

/// One pass over one frame of a camera, for a caller that counts its frames itself: 0, 1, 2, and from the start again.
/// See [`read_matching`] for the other arguments, and [`Reader`].
pub fn frame_matching(
    luma: &[u8],
    width: usize,
    height: usize,
    pass: usize,
    accept: &mut dyn FnMut(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let method = Method::ALL[pass % Method::ALL.len()];
    Attempt::for_frame(method, width, height).run(luma, width, height, accept)
}

/// Reads the frames of a camera: three methods in turn, one a frame, since a code that one method misses is still in view
/// at the next frame.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    frames: usize,
}

impl Reader {
    /// A reader that begins with the fastest method.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at one frame (see [`read`] for `luma`), some milliseconds at 640 × 480. Frames larger than about 1,000 pixels
    /// are reduced first; hand over smaller ones where you can.
    pub fn frame(&mut self, luma: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
        let pass = self.frames;
        self.frames = self.frames.wrapping_add(1);
        frame_matching(luma, width, height, pass, &mut |_| true)
    }
}
