//! From a picture file to the text of the code in it.

use std::fs::File;
use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use thiserror::Error;
use zyz_credential::{Credential, digits};

/// Files above this are not opened.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The longest side, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Width times height: the scanner's own limit.
pub const MAX_PIXELS: u64 = zyz_scanner::MAX_PIXELS as u64;
/// Memory that a decoder may take: [`MAX_PIXELS`] in colour, and some.
const MAX_MEMORY: u64 = 320 * 1024 * 1024;

/// A photo of 12 megapixels without a code takes a quarter of a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no text.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Not there, or not to be read.
    #[error("无法读取图片 {}：{source}。请检查路径", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Too large to be looked at.
    #[error("图片 {} 太大（上限 64 MB、{MAX_SIDE} 像素宽高、6700 万像素）。请裁剪或缩小后再试", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Neither PNG nor JPEG.
    #[error("{} 不是 PNG 或 JPEG 图片。请另存为其中一种再试", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Broken off, or made to mislead.
    #[error("图片 {} 已损坏，无法打开。请重新拍照或重新取得", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: ImageError,
    },
    /// So much in it that looks like a code that looking was given up.
    #[error("图片 {} 太复杂，{} 秒内没有找到二维码。请只拍二维码部分再试", path.display(), PATIENCE.as_secs())]
    TooComplex {
        /// The file.
        path: PathBuf,
    },
    /// Nothing to be read in it.
    #[error("图片 {} 里没有找到二维码。请让二维码完整、清晰、占画面的大部分，再拍一张", path.display())]
    NoCode {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the code in a PNG or JPEG picture. Of several codes a card's is preferred; with none of a card, the first.
///
/// Sizes are checked from the picture's header, before its pixels are decoded.
///
/// # Errors
/// [`PictureError`].
pub fn read_code(path: &Path) -> Result<String, PictureError> {
    let picture = open(path)?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let luma = on_white(picture);
    let (sender, receiver) = mpsc::channel();
    // A thread cannot be stopped: one that takes too long is left behind, and ends with the program at the latest.
    thread::spawn(move || sender.send(read_luma(&luma, width, height)));
    match receiver.recv_timeout(PATIENCE) {
        Ok(Some(bytes)) => Ok(text(&bytes)),
        Ok(None) | Err(RecvTimeoutError::Disconnected) => Err(PictureError::NoCode { path: path.to_owned() }),
        Err(RecvTimeoutError::Timeout) => Err(PictureError::TooComplex { path: path.to_owned() }),
    }
}

fn read_luma(luma: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let mut other = None;
    for attempt in zyz_scanner::attempts(width, height) {
        let mut accept = |bytes: &[u8]| {
            let of_card = is_card(bytes);
            if !of_card && other.is_none() {
                other = Some(bytes.to_vec());
            }
            of_card
        };
        // The detector may panic on odd pictures; the next attempt looks at other pixels.
        let found = catch_unwind(AssertUnwindSafe(|| attempt.run(luma, width, height, &mut accept)));
        if let Ok(Some(bytes)) = found {
            return Some(bytes);
        }
    }
    other
}

fn open(path: &Path) -> Result<DynamicImage, PictureError> {
    let unreadable = |source| PictureError::Unreadable { path: path.to_owned(), source };
    let too_large = || PictureError::TooLarge { path: path.to_owned() };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(unreadable)?;
    if reader.format().is_none() {
        return Err(PictureError::Format { path: path.to_owned() });
    }
    let failed = |error| match error {
        ImageError::Limits(_) => too_large(),
        ImageError::Unsupported(_) => PictureError::Format { path: path.to_owned() },
        ImageError::IoError(source) if source.kind() != io::ErrorKind::UnexpectedEof => unreadable(source),
        source => PictureError::Damaged { path: path.to_owned(), source },
    };
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(too_large());
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    limits.reserve(decoder.total_bytes()).map_err(failed)?;
    decoder.set_limits(limits).map_err(failed)?;
    DynamicImage::from_decoder(decoder).map_err(failed)
}

/// Grey, with transparency on white paper: a code saved without its ground is still dark on light.
fn on_white(picture: DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.into_luma8().into_raw();
    }
    let grey = picture.into_luma_alpha8().into_raw();
    let blend = |&[luma, alpha]: &[u8; 2]| {
        let (luma, alpha) = (u32::from(luma), u32::from(alpha));
        ((luma * alpha + 255 * (255 - alpha)) / 255) as u8
    };
    grey.as_chunks().0.iter().map(blend).collect()
}

fn is_card(bytes: &[u8]) -> bool {
    digits::decode(&text(bytes)).is_ok_and(|bytes| Credential::parse(&bytes).is_ok())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
