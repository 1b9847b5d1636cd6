//! Codes as cameras see them: each distortion is a case of its own, made by code from a clean symbol.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode, Version};
use zyz_scanner::{Method, Reader, attempts, read, read_matching};

/// What a card's code looks like: a prefix in bytes, then digits.
const TEXT: &str = "https://zyz.example.cn/#\
    31415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421170679821480865132823\
    06647093844609550582231725359408128481117450284102701938521105559644622948954930381964428810975665933446128475648233";

#[test]
fn clean() {
    Picture::of_code(TEXT, 4).reads();
}

#[test]
fn modules_of_two_pixels() {
    Picture::of_code(TEXT, 2).reads();
}

#[test]
fn every_right_angle() {
    let mut picture = Picture::of_code(TEXT, 4);
    for _ in 0..4 {
        picture.reads();
        picture = picture.turned();
    }
}

#[test]
fn rotated_by_odd_angles() {
    for degrees in [7.0, 23.0, 45.0, 100.0, 200.0] {
        Picture::of_code(TEXT, 5).rotated(degrees).reads();
    }
}

#[test]
fn seen_from_the_side() {
    Picture::of_code(TEXT, 6).slanted(0.2).reads();
}

#[test]
fn soft_focus() {
    Picture::of_code(TEXT, 5).blurred(3).reads();
}

#[test]
fn noise() {
    Picture::of_code(TEXT, 5).noisy(60).reads();
}

#[test]
fn weak_contrast_in_a_gradient() {
    Picture::of_code(TEXT, 5).mapped(|x, y, v| 90 + (x / 8) as u8 + (y / 16) as u8 + v / 5).reads();
}

#[test]
fn hard_shadow_across_the_code() {
    Picture::of_code(TEXT, 5).mapped(|x, y, v| if x + y > 300 { v / 3 } else { v / 2 + 120 }).reads();
}

#[test]
fn small_in_a_large_photo() {
    Picture::of_code(TEXT, 6).placed_in(4000, 3000, 2500, 1700).reads();
}

#[test]
fn filling_a_large_photo() {
    Picture::of_code(TEXT, 30).placed_in(3000, 2000, 300, 50).blurred(2).reads();
}

#[test]
fn several_codes_and_a_choice() {
    let left = Picture::of_code("https://weixin.example/abc", 4).placed_in(700, 320, 10, 10);
    let both = left.with(&Picture::of_code(TEXT, 4), 400, 20);
    let mut shown = Vec::new();
    let found = read_matching(&both.luma, both.width, both.height, &mut |bytes| {
        shown.push(bytes.to_vec());
        bytes.ends_with(b"48233")
    });
    assert_eq!(found.as_deref(), Some(TEXT.as_bytes()));
    let none = read_matching(&both.luma, both.width, both.height, &mut |_| false);
    assert_eq!(none, None);
    assert!(shown.iter().all(|bytes| bytes == b"https://weixin.example/abc" || bytes == TEXT.as_bytes()));
}

#[test]
fn camera_takes_a_few_frames_at_most() {
    let picture = Picture::of_code(TEXT, 5).noisy(40);
    let mut reader = Reader::new();
    let frames: Vec<_> = (0..3).map(|_| reader.frame(&picture.luma, picture.width, picture.height)).collect();
    assert!(frames.iter().flatten().any(|bytes| bytes == TEXT.as_bytes()), "{frames:?}");
}

#[test]
fn nothing_there() {
    assert_eq!(read(&[255; 640 * 480], 640, 480), None);
    assert_eq!(read(&[0; 640 * 480], 640, 480), None);
    let stripes: Vec<u8> = (0..640 * 480).map(|i| if i % 14 < 7 { 0 } else { 255 }).collect();
    assert_eq!(read(&stripes, 640, 480), None);
    let snow = Picture { luma: vec![128; 640 * 480], width: 640, height: 480 }.noisy(127);
    assert_eq!(read(&snow.luma, 640, 480), None);
}

#[test]
fn sizes_that_do_not_fit() {
    assert_eq!(read(&[], 0, 0), None);
    assert_eq!(read(&[0], 1, 1), None);
    assert_eq!(read(&[0; 100], 10, 11), None);
    assert_eq!(read(&[0; 100], usize::MAX, 2), None);
    assert_eq!(read(&[0; 100], 100, 1), None);
    assert_eq!(read(&[0; 30 * 30], 30, 30), None);
    assert_eq!(Reader::new().frame(&[0; 5], 640, 480), None);
}

#[test]
fn a_damaged_code_is_no_code() {
    let picture = Picture::of_code(TEXT, 5).mapped(|x, y, v| if (100..200).contains(&x) && y > 60 { 255 } else { v });
    assert_eq!(read(&picture.luma, picture.width, picture.height), None);
}

/// Ten thousand corners and no code: the work is bounded, not the picture's choice.
#[test]
fn a_page_of_finder_patterns() {
    let corner = [0x7f, 0x41, 0x5d, 0x5d, 0x5d, 0x41, 0x7f_u8];
    let page = Picture { luma: vec![255; 800 * 800], width: 800, height: 800 }.mapped(|x, y, _| {
        let dark = corner.get(y % 8).is_some_and(|row| x % 8 < 7 && row >> (x % 8) & 1 == 1);
        if dark { 0 } else { 255 }
    });
    assert_eq!(read(&page.luma, page.width, page.height), None);
}

#[test]
fn attempts_are_bounded_and_begin_cheaply() {
    for (width, height) in [(640, 480), (4000, 3000), (8000, 8000), (21, 21)] {
        let all: Vec<_> = attempts(width, height).collect();
        assert!((3..=12).contains(&all.len()), "{width} × {height}: {all:?}");
        assert!(format!("{:?}", all[0]).contains(&format!("{:?}", Method::Plain)));
    }
}

/// A grey picture and what can happen to it.
struct Picture {
    luma: Vec<u8>,
    width: usize,
    height: usize,
}

impl Picture {
    fn of_code(text: &str, module: usize) -> Self {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("short enough");
        assert!(matches!(code.version(), Version::Normal(1..=12)));
        let modules = code.width();
        let colors = code.to_colors();
        let size = (modules + 8) * module;
        let luma = (0..size * size)
            .map(|i| {
                let (x, y) = ((i % size) / module, (i / size) / module);
                let inside = (4..modules + 4).contains(&x) && (4..modules + 4).contains(&y);
                if inside && colors[(y - 4) * modules + x - 4] == Color::Dark { 20 } else { 240 }
            })
            .collect();
        Self { luma, width: size, height: size }
    }

    #[track_caller]
    fn reads(&self) {
        let found = read(&self.luma, self.width, self.height);
        assert_eq!(found.as_deref().map(String::from_utf8_lossy).as_deref(), Some(TEXT));
    }

    fn at(&self, x: f64, y: f64) -> u8 {
        let (x, y) = (x.round(), y.round());
        let inside = x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64;
        if inside { self.luma[y as usize * self.width + x as usize] } else { 240 }
    }

    fn mapped(&self, f: impl Fn(usize, usize, u8) -> u8) -> Self {
        let luma = self.luma.iter().enumerate().map(|(i, &v)| f(i % self.width, i / self.width, v)).collect();
        Self { luma, ..*self }
    }

    fn turned(&self) -> Self {
        let (width, height) = (self.height, self.width);
        let luma = (0..width * height).map(|i| self.luma[(i % width) * self.width + i / width]).rev().collect();
        // Transposed and reversed: a quarter turn with a mirror taken out again.
        let mut turned = Self { luma, width, height };
        for row in turned.luma.chunks_exact_mut(width) {
            row.reverse();
        }
        turned
    }

    fn rotated(&self, degrees: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let size = (self.width as f64 * 1.5) as usize;
        let (middle, centre) = (size as f64 / 2.0, self.width as f64 / 2.0);
        let luma = (0..size * size)
            .map(|i| {
                let (x, y) = ((i % size) as f64 - middle, (i / size) as f64 - middle);
                self.at(centre + x * cos + y * sin, centre - x * sin + y * cos)
            })
            .collect();
        Self { luma, width: size, height: size }
    }

    /// A camera to the left of the card: the right edge is `by` of the height shorter than the left one.
    fn slanted(&self, by: f64) -> Self {
        let (width, height) = (self.width as f64, self.height as f64);
        let luma = (0..self.luma.len())
            .map(|i| {
                let (x, y) = ((i % self.width) as f64, (i / self.width) as f64);
                let nearness = 1.0 - by * x / width;
                self.at(x * (1.0 - by) / nearness, height / 2.0 + (y - height / 2.0) / nearness)
            })
            .collect();
        Self { luma, ..*self }
    }

    fn blurred(&self, times: usize) -> Self {
        let mut luma = self.luma.clone();
        for _ in 0..times {
            let from = luma.clone();
            for y in 1..self.height - 1 {
                for x in 1..self.width - 1 {
                    let sum: u32 = (0..9).map(|k| u32::from(from[(y + k / 3 - 1) * self.width + x + k % 3 - 1])).sum();
                    luma[y * self.width + x] = (sum / 9) as u8;
                }
            }
        }
        Self { luma, ..*self }
    }

    fn noisy(&self, amplitude: i64) -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let luma = self
            .luma
            .iter()
            .map(|&v| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (i64::from(v) + (state >> 33) as i64 % (2 * amplitude + 1) - amplitude).clamp(0, 255) as u8
            })
            .collect();
        Self { luma, ..*self }
    }

    fn placed_in(&self, width: usize, height: usize, left: usize, top: usize) -> Self {
        Self { luma: vec![200; width * height], width, height }.with(self, left, top)
    }

    fn with(mut self, other: &Self, left: usize, top: usize) -> Self {
        for (y, row) in other.luma.chunks_exact(other.width).enumerate().take(self.height - top) {
            let room = row.len().min(self.width - left);
            let start = (top + y) * self.width + left;
            self.luma[start..start + room].copy_from_slice(&row[..room]);
        }
        self
    }
}
