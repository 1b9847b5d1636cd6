//! Cards as they are printed and shown, through the public API alone. Pictures to look at are left in cargo's
//! `target/tmp/render`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps has found a fault")]

#[path = "render/support.rs"]
mod support;
#[path = "render/tiny_face.rs"]
mod tiny_face;

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use support::{PREFIX, card, code, count, created, design, digits, read_code, read_luma, samples, streams};
use zyz::render::layout::Side;
use zyz::render::{
    self, CardData, CardDesign, Fonts, Layout, MissingGlyph, Photo, PhotoError, RenderError, Template, pdf, png, qr,
};

/// A character of Extension B that the embedded faces lack.
const RARE: char = '𠀀';

#[test]
fn samples_to_look_at() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("render");
    fs::create_dir_all(&folder).unwrap();
    let save = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
    let mut cards = samples();
    cards[7].photo = Some(Photo::decode(&portrait()).unwrap());
    assert_eq!(render::check(&cards, &design()), Ok(()));
    for layout in Layout::ALL {
        save(&format!("{}.pdf", layout.name()), pdf::sheets(&cards, &design(), layout, created()).unwrap());
        save(&format!("calibration-{}.pdf", layout.name()), pdf::calibration(layout, created()).unwrap());
    }
    for index in [0, 3, 5, 7] {
        save(&format!("front-{index}.png"), png::front(&cards[index], &design(), 12.0).unwrap());
    }
    save("back.png", png::back(&design(), 12.0).unwrap());
    save("back-plain.png", png::back(&CardDesign::default(), 12.0).unwrap());
    save("code.png", qr::png(&cards[0].code, 8).unwrap());
}

mod codes {
    use super::*;

    #[test]
    fn the_picture_of_a_card_reads_at_every_resolution() {
        let card = card(1, "张三丰", "普洱市第二中学", 3);
        for dots_per_mm in [6.0, 300.0 / 25.4, png::DOTS_PER_MM] {
            let picture = png::front(&card, &design(), dots_per_mm).unwrap();
            assert_eq!(read_code(&picture).as_deref(), Some(card.code.as_str()), "{dots_per_mm}");
        }
    }

    #[test]
    fn the_picture_of_the_code_alone_reads() {
        let text = code(PREFIX, 7);
        assert_eq!(read_code(&qr::png(&text, 4).unwrap()), Some(text));
    }

    #[test]
    fn the_code_in_a_terminal_reads() {
        let text = digits(287, 3);
        let shown = qr::terminal(&text).unwrap();
        let rows: Vec<Vec<char>> = shown
            .lines()
            .map(|line| line.trim_start_matches("\u{1b}[97;40m").trim_end_matches("\u{1b}[0m").chars().collect())
            .collect();
        let (width, height) = (rows[0].len() * 4, rows.len() * 8);
        let light = |x: usize, y: usize| match rows[y / 8][x / 4] {
            '█' => true,
            '▀' => y % 8 < 4,
            '▄' => y % 8 >= 4,
            _ => false,
        };
        let luma: Vec<u8> = (0..width * height).map(|i| if light(i % width, i / width) { 255 } else { 0 }).collect();
        assert_eq!(read_luma(&luma, width as u32, height as u32), Some(text));
    }

    #[test]
    fn a_prefix_of_23_characters_and_a_short_holder_need_version_8() {
        assert_eq!(qr::version(&code(PREFIX, 1)), Ok(8));
        assert_eq!(qr::matrix(&code(PREFIX, 1)).unwrap().size(), 49);
    }

    #[test]
    fn bare_and_without_the_holder_version_7_is_enough() {
        // 118 bytes: 16 groups of 17 digits and one of 15.
        assert_eq!(qr::version(&digits(287, 1)), Ok(7));
    }

    #[test]
    fn a_longer_prefix_widens_the_panel_and_still_reads() {
        let mut long = card(1, "张三丰", "普洱市思茅区思茅镇平原社区居民委员会", 3);
        long.code = code("https://volunteers.federation.puer.example.cn/", 1);
        assert_eq!(qr::version(&long.code), Ok(9));
        let picture = png::front(&long, &design(), png::DOTS_PER_MM).unwrap();
        assert_eq!(read_code(&picture), Some(long.code));
    }

    #[test]
    fn a_code_that_would_need_modules_under_0_40_mm_is_refused() {
        let mut huge = card(1, "张三丰", "", 3);
        huge.code = code(&format!("https://example.cn/{}/", "x".repeat(200)), 1);
        let Err(RenderError::CodeTooLarge { owner, source }) = pdf::sheets(&[huge], &design(), Layout::Cr80, created())
        else {
            panic!("taken");
        };
        assert!(owner.contains("张三丰"));
        assert!(matches!(source, qr::CodeTooLarge::NoRoom { version: 13.., .. }), "{source:?}");
    }

    #[test]
    fn a_text_beyond_version_40_is_refused() {
        assert_eq!(qr::matrix(&"7".repeat(9000)), Err(qr::CodeTooLarge::NoVersion { bytes: 9000 }));
    }
}

mod sheets {
    use super::*;

    fn pages(cards: usize, layout: Layout) -> usize {
        let cards: Vec<CardData> = (0..cards as u32).map(|index| card(index, "岩温扁", "普洱市第二中学", 2)).collect();
        count(&pdf::sheets(&cards, &design(), layout, created()).unwrap(), "/Type/Page/")
    }

    #[test]
    fn fronts_and_backs_alternate_and_the_last_sheet_may_be_partial() {
        assert_eq!(pages(8, Layout::A4EightUp), 2);
        assert_eq!(pages(9, Layout::A4EightUp), 4);
        assert_eq!(pages(10, Layout::A4TenUp), 2);
        assert_eq!(pages(11, Layout::A4TenUp), 4);
        assert_eq!(pages(3, Layout::Cr80), 6);
    }

    #[test]
    fn every_back_lies_behind_its_front_when_the_sheet_is_turned_on_its_long_edge() {
        for layout in Layout::ALL {
            for index in 0..layout.per_page() {
                let (front, back) = (layout.place(index, Side::Front), layout.place(index, Side::Back));
                assert!((front.x + 85.60 + back.x - layout.page().width).abs() < 0.01, "{layout:?} {index}");
                assert!((front.y - back.y).abs() < 0.001, "{layout:?} {index}");
            }
        }
    }

    #[test]
    fn a_lone_card_on_the_last_sheet_has_its_back_in_the_other_column() {
        let cards: Vec<CardData> = (0..9).map(|index| card(index, "岩温扁", "", 2)).collect();
        let file = pdf::sheets(&cards, &design(), Layout::A4EightUp, created()).unwrap();
        let pages = streams(&file).into_iter().filter(|stream| stream.contains("/M Do"));
        let (fronts, backs): (Vec<_>, Vec<_>) = pages.partition(|page| !page.contains("/B Do"));
        let (front, back) = (&fronts[1], &backs[1]);
        let x = |content: &str| -> f32 {
            let line = content.lines().rfind(|line| line.ends_with(" cm")).unwrap();
            line.split(' ').nth(4).unwrap().parse().unwrap()
        };
        assert!(front.contains("/C8 Do") && back.matches("/B Do").count() == 1);
        assert!((x(front) + x(back) + 85.60 * 72.0 / 25.4 - 595.276).abs() < 0.02);
    }

    #[test]
    fn cards_and_their_bleed_stay_on_the_page_and_apart() {
        for layout in Layout::ALL {
            let (bleed, page) = (layout.bleed(), layout.page());
            let boxes: Vec<_> = (0..layout.per_page())
                .map(|index| layout.place(index, Side::Front))
                .map(|p| (p.x - bleed, p.y - bleed, p.x + 85.60 + bleed, p.y + 53.98 + bleed))
                .collect();
            for (i, a) in boxes.iter().enumerate() {
                assert!(a.0 >= -0.01 && a.1 >= -0.01 && a.2 <= page.width + 0.01 && a.3 <= page.height + 0.01);
                for b in &boxes[..i] {
                    assert!(a.0 >= b.2 - 0.01 || a.2 <= b.0 + 0.01 || a.1 >= b.3 - 0.01 || a.3 <= b.1 + 0.01);
                }
            }
        }
    }

    #[test]
    fn no_mark_touches_a_card_or_its_bleed() {
        for layout in Layout::ALL {
            let bleed = layout.bleed();
            for mark in layout.marks() {
                for index in 0..layout.per_page() {
                    let p = layout.place(index, Side::Front);
                    let beside = mark.to.x < p.x - bleed || mark.from.x > p.x + 85.60 + bleed;
                    let above = mark.to.y < p.y - bleed || mark.from.y > p.y + 53.98 + bleed;
                    assert!(beside || above, "{layout:?} {mark:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let cards = samples();
        let once = pdf::sheets(&cards, &design(), Layout::A4EightUp, created()).unwrap();
        assert!(once == pdf::sheets(&cards, &design(), Layout::A4EightUp, created()).unwrap());
        let later = "2026-11-24T08:00:00Z".parse().unwrap();
        assert!(once != pdf::sheets(&cards, &design(), Layout::A4EightUp, later).unwrap());
    }

    #[test]
    fn dates_are_the_callers_and_the_page_asks_for_its_true_size() {
        let file = pdf::sheets(&samples()[..1], &design(), Layout::A4EightUp, created()).unwrap();
        assert_eq!(count(&file, "(D:20261123080000+00'00')"), 2);
        assert_eq!(count(&file, "/PrintScaling/None"), 1);
        assert_eq!(count(&file, "/Duplex/DuplexFlipLongEdge"), 1);
    }

    #[test]
    fn a_page_names_no_form_but_its_own() {
        let cards: Vec<CardData> = (0..3).map(|index| card(index, "岩温扁", "", 2)).collect();
        let file = pdf::sheets(&cards, &design(), Layout::Cr80, created()).unwrap();
        for form in ["/C0 ", "/C1 ", "/C2 "] {
            let shown = count(&file, &format!("{form}Do"));
            assert_eq!(count(&file, form) - shown, 1, "{form}");
        }
    }

    #[test]
    fn an_empty_batch_is_refused() {
        let none = pdf::sheets(&[], &design(), Layout::A4EightUp, created());
        assert_eq!(none, Err(RenderError::NothingToPrint));
    }

    #[test]
    fn a_thousand_cards_take_little_more_than_their_codes() {
        let cards: Vec<CardData> =
            (0..64).map(|index| card(index, "玉波罕", "普洱市第二中学", (index % 6) as u8)).collect();
        let file = pdf::sheets(&cards, &design(), Layout::A4EightUp, created()).unwrap();
        let few = pdf::sheets(&cards[..32], &design(), Layout::A4EightUp, created()).unwrap();
        assert!((file.len() - few.len()) / 32 < 3500, "{}", (file.len() - few.len()) / 32);
    }
}

mod characters {
    use super::*;

    #[test]
    fn a_character_no_face_has_is_named_with_its_card() {
        let name = format!("李{RARE}");
        let cards = [card(1, "张三丰", "普洱学院", 1), card(2, &name, "普洱学院", 1), card(3, "王五", "a\u{7}", 1)];
        let errors = render::check(&cards, &design()).unwrap_err();
        let [RenderError::MissingGlyph(first), RenderError::MissingGlyph(second)] = errors.as_slice() else {
            panic!("{errors:?}");
        };
        let expected = MissingGlyph {
            owner: format!("{name}（证书编号 02 0000002 4）"),
            field: "姓名",
            text: name.clone(),
            character: RARE,
        };
        assert_eq!(first, &expected);
        let message = first.to_string();
        assert!(message.contains(&name) && message.contains("𠀀") && message.contains("U+20000"), "{message}");
        assert_eq!((second.field, second.character), ("单位", '\u{7}'));
        assert!(pdf::sheets(&cards, &design(), Layout::A4EightUp, created()).is_err());
        assert!(design().fonts.check(&name).is_err());
    }

    #[test]
    fn the_embedded_faces_have_the_rare_characters_of_real_names() {
        assert_eq!(Fonts::embedded().check("䶮㛃㼆𬭎𫖯𬱖𠅤岩温扁·"), Ok(()));
    }

    #[test]
    fn a_second_face_takes_over_where_the_first_has_no_glyph() {
        let fonts = Fonts::with_faces(vec![("Tiny".into(), tiny_face::with_square(RARE))]).unwrap();
        let design = CardDesign { fonts, ..design() };
        let cards = [card(2, &format!("李{RARE}明"), "普洱学院", 1)];
        assert_eq!(render::check(&cards, &design), Ok(()));
        let file = pdf::sheets(&cards, &design, Layout::Cr80, created()).unwrap();
        // Surrogates in the map to Unicode, so that the name can be found and copied.
        assert!(streams(&file).iter().any(|stream| stream.to_uppercase().contains("<D840DC00>")));
        assert_eq!(count(&file, "+Tiny"), 3);
        assert!(png::front(&cards[0], &design, 8.0).is_ok());
    }

    #[test]
    fn a_font_file_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no.ttf");
        assert!(matches!(Fonts::load(std::slice::from_ref(&path)), Err(render::FontError::Unreadable { .. })));
        fs::write(&path, "not a font").unwrap();
        assert!(matches!(Fonts::load(&[path]), Err(render::FontError::NotAFont { .. })));
    }
}

mod texts {
    use super::*;

    fn refusal(card: CardData) -> RenderError {
        render::check(&[card], &design()).unwrap_err().remove(0)
    }

    #[test]
    fn a_name_of_fifteen_characters_is_printed_whole() {
        assert_eq!(render::check(&[card(1, &"岩".repeat(15), "", 0)], &design()), Ok(()));
        assert_eq!(render::check(&[card(1, &"岩".repeat(36), "", 0)], &design()), Ok(()));
    }

    #[test]
    fn a_name_that_cannot_be_whole_is_refused() {
        let error = refusal(card(1, &"岩".repeat(60), "", 0));
        assert!(matches!(error, RenderError::TextTooLong { field: "姓名", .. }));
    }

    #[test]
    fn a_unit_that_cannot_be_whole_is_refused() {
        let error = refusal(card(1, "岩温扁", &"普".repeat(60), 0));
        assert!(matches!(error, RenderError::TextTooLong { field: "单位", .. }));
    }

    #[test]
    fn a_star_level_of_six_is_refused() {
        assert!(matches!(refusal(card(1, "岩温扁", "", 6)), RenderError::StarOutOfRange { star: 6, .. }));
    }

    #[test]
    fn a_blank_name_is_refused() {
        assert!(matches!(refusal(card(1, " ", "", 0)), RenderError::EmptyField { field: "姓名", .. }));
    }

    #[test]
    fn a_back_without_contact_is_drawn() {
        let bare = CardDesign {
            issuer: String::new(),
            lost_line: String::new(),
            incentive: String::new(),
            duties: Vec::new(),
            ..CardDesign::default()
        };
        assert_eq!(render::check(&[], &bare), Ok(()));
        assert!(png::back(&bare, 5.0).is_ok());
    }

    #[test]
    fn a_back_with_too_much_text_is_refused() {
        let wordy = CardDesign { incentive: "持证优惠".repeat(120), ..CardDesign::default() };
        let errors = render::check(&[], &wordy).unwrap_err();
        assert!(matches!(errors.as_slice(), [RenderError::TextTooLong { field: "激励回馈", .. }]), "{errors:?}");
    }

    #[test]
    fn another_template_moves_things_without_rebuilding() {
        let text = include_str!("../templates/cards/standard.toml").replace("#b3261e", "#1b4f7f");
        let blue = CardDesign { template: Template::parse(&text).unwrap(), ..CardDesign::default() };
        assert!(png::back(&blue, 5.0).unwrap() != png::back(&CardDesign::default(), 5.0).unwrap());
    }
}

mod photos {
    use super::*;

    #[test]
    fn a_photo_is_cropped_to_the_card_and_reduced_to_300_dpi() {
        let photo = Photo::decode(&portrait()).unwrap();
        assert_eq!((photo.width(), photo.height()), (236, 307));
        let mut with = card(1, "岩温扁", "普洱学院", 1);
        with.photo = Some(photo);
        let file = pdf::sheets(&[with.clone()], &design(), Layout::Cr80, created()).unwrap();
        assert_eq!(count(&file, "/DCTDecode"), 1);
        assert_eq!(read_code(&png::front(&with, &design(), 12.0).unwrap()), Some(with.code));
    }

    #[test]
    fn a_photo_lying_on_its_side_is_turned_as_its_exif_says() {
        // The left half red, the right half blue; orientation 6 says: turn a quarter clockwise, so red comes on top.
        let side = RgbImage::from_fn(800, 600, |x, _| if x < 400 { Rgb([200, 0, 0]) } else { Rgb([0, 0, 200]) });
        let mut jpeg = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut jpeg).encode_image(&side).unwrap();
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
        let photo = image::load_from_memory(Photo::decode(&turned).unwrap().jpeg()).unwrap().into_rgb8();
        let (top, foot) = (photo.get_pixel(118, 20), photo.get_pixel(118, 290));
        assert!(top[0] > 150 && top[2] < 60, "{top:?}");
        assert!(foot[2] > 150 && foot[0] < 60, "{foot:?}");
    }

    #[test]
    fn a_picture_of_impossible_size_is_refused_before_it_is_decoded() {
        // A PNG header for 60,000 × 60,000 pixels with nothing behind it.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend(60_000u32.to_be_bytes());
        png.extend(60_000u32.to_be_bytes());
        png.extend([8, 6, 0, 0, 0]);
        let mut crc = flate2::Crc::new();
        crc.update(&png[12..]);
        png.extend(crc.sum().to_be_bytes());
        png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        assert_eq!(Photo::decode(&png).unwrap_err(), PhotoError::TooLarge);
    }

    #[test]
    fn a_file_over_20_mb_is_refused() {
        assert_eq!(Photo::decode(&vec![0; 20 * 1024 * 1024 + 1]).unwrap_err(), PhotoError::TooLarge);
    }

    #[test]
    fn a_file_that_breaks_off_is_refused() {
        let whole = portrait();
        assert_eq!(Photo::decode(&whole[..whole.len() / 2]).unwrap_err(), PhotoError::Damaged);
    }

    #[test]
    fn another_format_is_refused() {
        assert_eq!(Photo::decode(b"GIF89a............").unwrap_err(), PhotoError::UnknownFormat);
        assert_eq!(Photo::decode(b"").unwrap_err(), PhotoError::UnknownFormat);
    }

    #[test]
    fn too_few_pixels_are_refused() {
        let small = encode(&RgbImage::new(90, 120), ImageFormat::Png);
        assert!(matches!(Photo::decode(&small), Err(PhotoError::TooSmall { .. })));
    }

    #[test]
    fn an_absent_file_is_refused_with_its_name() {
        let error = Photo::open("no/such.jpg".as_ref()).unwrap_err();
        assert!(error.to_string().contains("such.jpg"));
    }

    #[test]
    fn a_logo_leaves_the_title_room() {
        let mark = image::RgbaImage::from_fn(200, 200, |x, y| {
            let inside = (x as i32 - 100).pow(2) + (y as i32 - 100).pow(2) < 9000;
            image::Rgba([0x1b, 0x7f, 0x4b, if inside { 255 } else { 0 }])
        });
        let mut bytes = Cursor::new(Vec::new());
        mark.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let logo = Some(render::Picture::decode(bytes.get_ref()).unwrap());
        let design = CardDesign { logo, ..design() };
        let picture = png::front(&samples()[0], &design, 12.0).unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("render");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("front-logo.png"), picture).unwrap();
        let file = pdf::sheets(&samples()[..2], &design, Layout::A4TenUp, created()).unwrap();
        assert_eq!(count(&file, "/SMask"), 2, "one logo for each star level's ground");
    }
}

#[test]
fn the_corners_of_a_picture_are_transparent_and_white() {
    let picture = image::load_from_memory(&png::back(&design(), 12.0).unwrap()).unwrap().into_rgba8();
    assert_eq!(picture.get_pixel(0, 0).0, [255, 255, 255, 0]);
    assert_eq!(picture.get_pixel(picture.width() / 2, 0).0[3], 255);
    assert_eq!(picture.dimensions(), (1027, 648));
}

/// A drawing in place of a photo: head and shoulders before a pale blue.
fn portrait() -> Vec<u8> {
    let picture = RgbImage::from_fn(900, 1200, |x, y| {
        let within = |cx: i64, cy: i64, rx: i64, ry: i64| {
            let (dx, dy) = (i64::from(x) - cx, i64::from(y) - cy);
            dx * dx * ry * ry + dy * dy * rx * rx < rx * rx * ry * ry
        };
        if within(450, 440, 190, 250) {
            Rgb([0xe3, 0xb9, 0x97])
        } else if within(450, 380, 215, 270) {
            Rgb([0x2a, 0x24, 0x20])
        } else if within(450, 1150, 430, 420) {
            Rgb([0x3b, 0x5b, 0x7a])
        } else {
            Rgb([0xd7, 0xe6, 0xf2])
        }
    });
    encode(&picture, ImageFormat::Jpeg)
}

fn encode(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
