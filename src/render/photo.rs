//! Photos and the logo: decoded with limits, turned upright, cropped, brought down to print resolution.
//!
//! Files come from units and are not trusted: size, dimensions and memory are bounded before a pixel is decoded.

use std::fmt;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, Rgba, RgbaImage};

/// The largest file accepted, in bytes.
pub const MAX_BYTES: u64 = 20 * 1024 * 1024;
/// The longest side accepted, in pixels.
pub const MAX_SIDE: u32 = 12_000;
/// The most memory a decoder may take, in bytes.
const MAX_DECODED: u64 = 256 * 1024 * 1024;
/// The place on the card, 20 × 26 mm, at 300 dpi.
const PHOTO: (u32, u32) = (236, 307);
/// The smallest picture that still prints acceptably (125 dpi).
const PHOTO_LEAST: (u32, u32) = (98, 128);
/// The longest side a logo is kept at: 8 mm at 1,200 dpi.
const LOGO_SIDE: u32 = 378;

/// A holder's photo, ready for printing: upright, cropped to 20 : 26, at most 236 × 307 pixels (300 dpi).
///
/// Kept as JPEG, about 15 KB, so that a batch of thousands stays small in memory.
#[derive(Clone)]
pub struct Photo {
    jpeg: Arc<[u8]>,
    width: u32,
    height: u32,
}

/// A small picture with transparency, such as the federation's mark.
#[derive(Clone)]
pub struct Picture {
    pixels: Arc<RgbaImage>,
}

/// Why a picture is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// The file is absent or may not be read.
    #[error("照片 {path} 读取失败（{reason}）：请检查文件是否存在、是否有权限")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// More than 20 MiB, or more than 12,000 pixels on a side, or more memory than allowed to decode.
    #[error("照片过大（文件不得超过 20 MB，边长不得超过 12000 像素）：请压缩后重试")]
    TooLarge,
    /// Neither JPEG nor PNG.
    #[error("照片不是 JPEG 或 PNG 格式：请另存为 JPEG 后重试")]
    UnknownFormat,
    /// Starts like JPEG or PNG and breaks off or contradicts itself.
    #[error("照片文件已损坏：请重新拍摄或导出")]
    Damaged,
    /// Too few pixels for the card.
    #[error("照片太小（裁切后 {width}×{height} 像素），至少需要 98×128 像素：请换一张清晰的照片")]
    TooSmall {
        /// Pixels, after cropping.
        width: u32,
        /// Pixels, after cropping.
        height: u32,
    },
}

impl Photo {
    /// Reads a photo file.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn open(path: &Path) -> Result<Self, PhotoError> {
        Self::decode(&read(path)?)
    }

    /// Decodes a photo: turned as its EXIF says, cropped to 20 : 26 (a little above the middle, where faces are), laid on
    /// white, brought down to 300 dpi.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PhotoError> {
        let upright = decode(bytes)?;
        let (width, height) = (upright.width(), upright.height());
        let (crop_width, crop_height) = crop(width, height);
        if crop_width < PHOTO_LEAST.0 || crop_height < PHOTO_LEAST.1 {
            return Err(PhotoError::TooSmall { width: crop_width, height: crop_height });
        }
        let cropped = upright.crop_imm((width - crop_width) / 2, (height - crop_height) / 3, crop_width, crop_height);
        let flat = on_white(cropped);
        let small = if flat.width() > PHOTO.0 {
            image::imageops::resize(&flat, PHOTO.0, PHOTO.1, FilterType::CatmullRom)
        } else {
            flat
        };
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&small).map_err(|_| PhotoError::Damaged)?;
        Ok(Self { jpeg: jpeg.into(), width: small.width(), height: small.height() })
    }

    /// A photo that [`Self::decode`] made, as it was kept.
    pub fn kept(jpeg: Vec<u8>, width: u32, height: u32) -> Self {
        Self { jpeg: jpeg.into(), width, height }
    }

    /// The photo as a baseline RGB JPEG.
    pub fn jpeg(&self) -> &[u8] {
        &self.jpeg
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }
}

impl Picture {
    /// Reads a logo file.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn open(path: &Path) -> Result<Self, PhotoError> {
        Self::decode(&read(path)?)
    }

    /// Decodes a logo; transparency is kept, a large one is brought down to 378 pixels on its longer side.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PhotoError> {
        let upright = decode(bytes)?;
        let fitted = if upright.width().max(upright.height()) > LOGO_SIDE {
            upright.resize(LOGO_SIDE, LOGO_SIDE, FilterType::CatmullRom)
        } else {
            upright
        };
        Ok(Self { pixels: Arc::new(fitted.into_rgba8()) })
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.pixels.width()
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.pixels.height()
    }

    pub(super) fn pixels(&self) -> &RgbaImage {
        &self.pixels
    }
}

/// Without the pixels: a face has no place in a log.
impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photo({} × {})", self.width, self.height)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} × {})", self.width(), self.height())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PhotoError> {
    let unreadable =
        |error: std::io::Error| PhotoError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(PhotoError::TooLarge);
    }
    fs::read(path).map_err(unreadable)
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, PhotoError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(PhotoError::TooLarge);
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PhotoError::UnknownFormat)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png)) {
        return Err(PhotoError::UnknownFormat);
    }
    if reader.format() == Some(ImageFormat::Jpeg) && !is_complete(bytes) {
        return Err(PhotoError::Damaged);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    // Not every decoder enforces the limits itself, so the header is judged here before pixels are asked for.
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || decoder.total_bytes() > MAX_DECODED {
        return Err(PhotoError::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Whether a JPEG has its end after its last scan. The decoder fills what is missing with grey and says nothing. Inside a
/// scan neither marker can occur; a thumbnail's come before.
fn is_complete(jpeg: &[u8]) -> bool {
    let last = |marker: u8| jpeg.windows(2).rposition(|pair| pair == [0xff, marker]);
    match (last(0xda), last(0xd9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}

fn refusal(error: ImageError) -> PhotoError {
    match error {
        ImageError::Limits(_) => PhotoError::TooLarge,
        ImageError::Unsupported(_) => PhotoError::UnknownFormat,
        _ => PhotoError::Damaged,
    }
}

/// The largest part of `width` × `height` in the proportion of the photo.
fn crop(width: u32, height: u32) -> (u32, u32) {
    let by_height = (u64::from(height) * u64::from(PHOTO.0) / u64::from(PHOTO.1)) as u32;
    if by_height <= width {
        (by_height, height)
    } else {
        (width, (u64::from(width) * u64::from(PHOTO.1) / u64::from(PHOTO.0)) as u32)
    }
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let mut white = RgbaImage::from_pixel(image.width(), image.height(), Rgba([255; 4]));
    image::imageops::overlay(&mut white, &image.into_rgba8(), 0, 0);
    DynamicImage::ImageRgba8(white).into_rgb8()
}
