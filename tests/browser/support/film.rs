//! What the fake camera sees: cards printed on paper by the real commands, held before a lens by an unsteady hand.
//!
//! A film is a raw Y4M file that Chromium plays in a loop. Nothing in it comes from the code's own picture: the sheet is
//! rendered by poppler from the PDF that a printer would get.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{GrayImage, RgbImage, imageops};

use crate::support::Desk;

/// The camera's picture.
const WIDTH: u32 = 640;
/// The camera's picture.
const HEIGHT: u32 = 480;
/// Dots an inch at which the sheet is rendered.
const DPI: f32 = 400.0;
/// A card, millimetres (CR80).
const CARD_MM: (f32, f32) = (85.60, 53.98);
/// Where the cut of the first of eight cards begins on A4, millimetres from the top left: two by four cards with 3 mm of
/// bleed and 4 mm between, in the middle of the sheet.
const CUT_MM: (f32, f32) =
    ((210.0 - 4.0) / 2.0 - 3.0 - CARD_MM.0, (297.0 - 3.0 * 4.0 - 8.0 * 3.0 - 4.0 * CARD_MM.1) / 2.0 + 3.0);

/// One thing that the camera looks at for a while.
pub struct Shot<'a> {
    /// The card, or nothing but the counter.
    pub card: Option<&'a RgbImage>,
    /// For how many frames, at ten a second.
    pub frames: u32,
}

/// Prints `number` on A4, renders the PDF, and cuts the front out along its marks.
pub fn printed_card(desk: &Desk, number: &str) -> RgbImage {
    let sheets = format!("sheets-{number}");
    desk.ok(&["print", "--number", number, "--layout", "a4-8up", "--out", &desk.arg(&sheets)]);
    let page = desk.path(&sheets).join("page");
    let done = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-r", &DPI.to_string(), "-f", "1", "-l", "1"])
        .arg(desk.path(&sheets).join("cards-0001.pdf"))
        .arg(&page)
        .output()
        .expect("pdftoppm is there: scripts/setup-tools");
    assert!(done.status.success(), "{done:?}");
    let sheet = image::open(page.with_extension("png")).unwrap().to_rgb8();
    let dots = |millimetres: f32| (millimetres / 25.4 * DPI).round() as u32;
    imageops::crop_imm(&sheet, dots(CUT_MM.0), dots(CUT_MM.1), dots(CARD_MM.0), dots(CARD_MM.1)).to_image()
}

/// Writes a film of `shots` to `file` and returns it.
pub fn film(file: PathBuf, shots: &[Shot]) -> PathBuf {
    let mut out = BufWriter::new(File::create(&file).unwrap());
    writeln!(out, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg").unwrap();
    let mut noise = Noise(7);
    let mut at = 0;
    for shot in shots {
        for _ in 0..shot.frames {
            write_frame(&mut out, &scene(shot.card, at, &mut noise));
            at += 1;
        }
    }
    out.flush().unwrap();
    file
}

/// A photograph of a card, as the photo button would upload it.
pub fn photograph(card: &RgbImage, file: &Path) {
    let mut noise = Noise(11);
    scene(Some(card), 3, &mut noise).save(file).unwrap();
}

/// One frame: the card held a little askew, close enough that its code fills a third of the height, over a wooden counter
/// with light from the left, slightly out of focus, with sensor noise.
fn scene(card: Option<&RgbImage>, at: u32, noise: &mut Noise) -> RgbImage {
    let sway = at as f32 * 0.7;
    let (turn, scale) = ((4.0 + sway.sin()).to_radians(), 8.4 + 0.15 * (sway * 0.6).cos());
    let (sin, cos) = turn.sin_cos();
    // The middle of the picture looks at this point of the card, millimetres: right of its middle, where the code is.
    let (look_x, look_y) = (58.0 + 0.8 * sway.cos(), 30.0 + 0.6 * sway.sin());
    let small = card.map(|card| {
        // About as many dots as the camera will see, so that sampling below neither aliases nor invents sharpness.
        imageops::resize(card, (CARD_MM.0 * 12.0) as u32, (CARD_MM.1 * 12.0) as u32, imageops::FilterType::Triangle)
    });
    let mut frame = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (dx, dy) = (x as f32 - WIDTH as f32 / 2.0, y as f32 - HEIGHT as f32 / 2.0);
        // A slight tilt: what is lower in the picture is nearer.
        let near = scale * (1.0 + dy / HEIGHT as f32 * 0.06);
        let (mm_x, mm_y) = ((dx * cos + dy * sin) / near + look_x, (dy * cos - dx * sin) / near + look_y);
        let inside = (0.0..CARD_MM.0).contains(&mm_x) && (0.0..CARD_MM.1).contains(&mm_y);
        match &small {
            Some(card) if inside => sample(card, mm_x * 12.0, mm_y * 12.0),
            _ => counter(x, y),
        }
    });
    frame = imageops::blur(&frame, 0.8);
    for (x, _, pixel) in frame.enumerate_pixels_mut() {
        let light = 0.82 + 0.16 * (x as f32 / WIDTH as f32);
        for channel in &mut pixel.0 {
            *channel = (f32::from(*channel) * light + noise.next() * 7.0).clamp(0.0, 255.0) as u8;
        }
    }
    frame
}

fn counter(x: u32, y: u32) -> image::Rgb<u8> {
    let grain = ((x as f32 * 0.02 + (y as f32 * 0.31).sin() * 1.7).sin() * 14.0) as i16;
    image::Rgb([118, 84, 56].map(|channel: i16| (channel + grain).clamp(0, 255) as u8))
}

fn sample(card: &RgbImage, x: f32, y: f32) -> image::Rgb<u8> {
    let (x0, y0) = (x.floor(), y.floor());
    let at = |dx: f32, dy: f32| {
        let (x, y) = ((x0 + dx) as u32, (y0 + dy) as u32);
        card.get_pixel(x.min(card.width() - 1), y.min(card.height() - 1)).0.map(f32::from)
    };
    let (fx, fy) = (x - x0, y - y0);
    let corners = [
        (at(0.0, 0.0), (1.0 - fx) * (1.0 - fy)),
        (at(1.0, 0.0), fx * (1.0 - fy)),
        (at(0.0, 1.0), (1.0 - fx) * fy),
        (at(1.0, 1.0), fx * fy),
    ];
    let mut mixed = [0.0; 3];
    for (colour, weight) in corners {
        for (channel, value) in mixed.iter_mut().zip(colour) {
            *channel += value * weight;
        }
    }
    image::Rgb(mixed.map(|channel| channel as u8))
}

/// BT.601, full range, colour at half resolution.
fn write_frame(out: &mut impl Write, frame: &RgbImage) {
    let luma = |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    let y = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| image::Luma([luma(frame.get_pixel(x, y).0) as u8]));
    writeln!(out, "FRAME").unwrap();
    out.write_all(y.as_raw()).unwrap();
    for (channel, divisor) in [(2, 1.772), (0, 1.402)] {
        let plane: Vec<u8> = (0..HEIGHT / 2)
            .flat_map(|row| (0..WIDTH / 2).map(move |column| (column * 2, row * 2)))
            .map(|(x, y)| {
                let pixel = frame.get_pixel(x, y).0;
                (128.0 + (f32::from(pixel[channel]) - luma(pixel)) / divisor).clamp(0.0, 255.0) as u8
            })
            .collect();
        out.write_all(&plane).unwrap();
    }
}

/// SplitMix64 summed to something like a bell, about −1…1: repeatable, and no matter of secrecy.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let parts = [z, z >> 16, z >> 32, z >> 48].map(|part| (part & 0xFFFF) as f32 / 65_535.0 - 0.5);
        parts.iter().sum()
    }
}
