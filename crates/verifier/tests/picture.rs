//! `--image`: codes out of pictures, and pictures that mean harm.

mod support;

use std::fs;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use support::{Run, World, code_picture, write_png};
use zyz_verifier::{PictureError, read_code};

#[test]
fn png_and_jpeg() {
    let world = World::new();
    let picture = code_picture(&world.card(), 5);
    write_png(&world.path("card.png"), &picture);
    picture.save_with_format(world.path("card.jpg"), ImageFormat::Jpeg).unwrap();
    // The content counts, not the name.
    fs::copy(world.path("card.jpg"), world.path("card.dat")).unwrap();
    for name in ["card.png", "card.jpg", "card.dat"] {
        check(&world, name).judged(0, "accept", "ok");
    }
}

#[test]
fn one_digit_changed_is_rejected() {
    let world = World::new();
    let mut text = world.card().into_bytes();
    let last = text.len() - 30;
    text[last] = b'0' + (text[last] - b'0' + 1) % 10;
    write_png(&world.path("card.png"), &code_picture(str::from_utf8(&text).unwrap(), 5));
    let run = check(&world, "card.png");
    assert_eq!(run.code, 4);
    assert!(["malformed", "bad_signature"].contains(&run.json()["reason"].as_str().unwrap()), "{run:?}");
}

#[test]
fn a_code_that_is_no_card_is_malformed() {
    let world = World::new();
    write_png(&world.path("other.png"), &code_picture("https://example.com/menu", 6));
    check(&world, "other.png").judged(4, "reject", "malformed");
}

#[test]
fn the_card_is_preferred_among_several_codes() {
    let world = World::new();
    let (menu, card) = (code_picture("WIFI:S:shop;P:12345678;;", 9), code_picture(&world.card(), 4));
    let width = menu.width() + card.width();
    let mut both = GrayImage::from_pixel(width, menu.height().max(card.height()), Luma([255]));
    image::imageops::replace(&mut both, &menu, 0, 0);
    image::imageops::replace(&mut both, &card, menu.width().into(), 0);
    write_png(&world.path("both.png"), &both);
    check(&world, "both.png").judged(0, "accept", "ok");
}

#[test]
fn transparent_ground_is_paper() {
    let world = World::new();
    let code = code_picture(&world.card(), 5);
    let picture =
        RgbaImage::from_fn(code.width(), code.height(), |x, y| Rgba([0, 0, 0, 255 - code.get_pixel(x, y).0[0]]));
    picture.save_with_format(world.path("clear.png"), ImageFormat::Png).unwrap();
    check(&world, "clear.png").judged(0, "accept", "ok");
}

#[test]
fn colour_and_sixteen_bits() {
    let world = World::new();
    let code = DynamicImage::from(code_picture(&world.card(), 4));
    code.to_rgb8().save_with_format(world.path("rgb.png"), ImageFormat::Png).unwrap();
    code.to_luma16().save_with_format(world.path("deep.png"), ImageFormat::Png).unwrap();
    for name in ["rgb.png", "deep.png"] {
        check(&world, name).judged(0, "accept", "ok");
    }
}

#[test]
fn no_code_in_it() {
    let world = World::new();
    write_png(&world.path("blank.png"), &GrayImage::from_pixel(300, 200, Luma([255])));
    write_png(&world.path("dot.png"), &GrayImage::from_pixel(1, 1, Luma([0])));
    for name in ["blank.png", "dot.png"] {
        check(&world, name).fails_with(&[name, "没有找到二维码", "再拍一张"]);
    }
}

#[test]
fn files_that_are_no_pictures() {
    let world = World::new();
    check(&world, "none.png").fails_with(&["none.png", "检查路径"]);
    check(&world, ".").fails_with(&[]);
    for (name, content) in
        [("text.png", &b"hello"[..]), ("empty.png", b""), ("gif.png", b"GIF89a\x01\x00\x01\x00\x80\x00\x00")]
    {
        fs::write(world.path(name), content).unwrap();
        check(&world, name).fails_with(&[name, "PNG 或 JPEG"]);
    }
}

#[test]
fn a_picture_broken_off_anywhere() {
    let world = World::new();
    write_png(&world.path("card.png"), &code_picture(&world.card(), 3));
    let good = fs::read(world.path("card.png")).unwrap();
    let path = world.path("cut.png");
    for length in (0..good.len()).step_by(37) {
        fs::write(&path, &good[..length]).unwrap();
        let result = read_code(&path);
        let refused = matches!(result, Err(PictureError::Damaged { .. } | PictureError::Format { .. }));
        // The last chunk holds no pixels.
        assert!(refused || length + 12 >= good.len(), "{length}: {result:?}");
    }
}

/// A few bytes that claim 60,000 × 60,000 pixels are refused by the header.
#[test]
fn a_header_that_claims_too_much() {
    let world = World::new();
    for (name, width, height) in [
        ("wide.png", 60_000, 60_000),
        ("long.png", 20_000, 10),
        ("area.png", 16_000, 16_000),
        ("most.png", 0x7fff_ffff, 0x7fff_ffff),
    ] {
        write_hollow_png(&world.path(name), width, height);
        check(&world, name).fails_with(&[name, "太大"]);
    }
}

#[test]
fn a_file_that_is_too_long() {
    let world = World::new();
    fs::File::create(world.path("long.png")).unwrap().set_len(65 * 1024 * 1024).unwrap();
    check(&world, "long.png").fails_with(&["太大"]);
}

fn check(world: &World, image: &str) -> Run {
    world.check(&["--image", image, "--root", "root.pub", "--bundle", "bundle.cose", "--json"])
}

/// A PNG with a header, no pixels to speak of, and correct checksums.
fn write_hollow_png(path: &Path, width: u32, height: u32) {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", &header[..]), (b"IDAT", &[0x78, 0x01, 0x03, 0x00, 0, 0, 0, 1]), (b"IEND", &[])] {
        png.extend((data.len() as u32).to_be_bytes());
        let body = [&kind[..], data].concat();
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    }
    fs::write(path, png).expect("written");
}

/// CRC-32 as PNG has it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
