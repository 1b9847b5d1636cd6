//! `zyz print`, `zyz card`, `zyz calibrate`.

use crate::support::sheets;
use crate::support::{Database, Desk};

crate::on_both!(sheets_of_every_layout, only_what_was_not_printed_yet, a_name_no_font_has_stops_everything);

fn issued(database: Database, count: usize) -> Desk {
    let desk = Desk::with_people(database, count);
    desk.ok(&["issue", "--all"]);
    desk
}

fn sheets_of_every_layout(database: Database) {
    let desk = issued(database, 9);
    for (layout, pages) in [("a4-8up", 4), ("a4-10up", 2), ("cr80", 18)] {
        let folder = desk.arg(layout);
        let printed = desk.json(&["print", "--all", "--layout", layout, "--out", &folder]);
        assert_eq!((printed["cards"].as_u64(), printed["files"][0]["pages"].as_u64()), (Some(9), Some(pages)));
        let bytes = std::fs::read(desk.path(layout).join("cards-0001.pdf")).unwrap();
        assert!(bytes.starts_with(b"%PDF-"));
        let left: Vec<_> = std::fs::read_dir(desk.path(layout)).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing but the PDF: {left:?}");
    }
}

fn only_what_was_not_printed_yet(database: Database) {
    let desk = issued(database, 2);
    let folder = desk.arg("out");
    assert_eq!(desk.json(&["print", "--unprinted", "--out", &folder])["cards"], 2);
    assert!(desk.refused(&["print", "--unprinted", "--out", &folder]).contains("没有可打印"));
    let number = desk.numbers().remove(0);
    desk.ok(&["replace", &number, "--reason", "lost"]);
    assert_eq!(desk.json(&["print", "--unprinted", "--out", &folder])["cards"], 1);
}

fn a_name_no_font_has_stops_everything(database: Database) {
    let desk = issued(database, 2);
    // U+3FFFD is no assigned character; U+2A700 is a real one (Extension C) that the embedded face lacks or has.
    let mut rare = sheets::person(20);
    rare.name = "李\u{2B734}".into();
    let result = desk.import("思茅区样例单位", &[rare]);
    assert_eq!(result["imported"], 1, "{result}");
    desk.ok(&["issue", "--all"]);
    let said = desk.refused(&["print", "--all", "--out", &desk.arg("out")]);
    assert!(said.contains("李\u{2B734}") && said.contains("U+2B734"), "{said}");
    assert!(!desk.path("out/cards-0001.pdf").exists(), "nothing is printed before every name is known to be printable");
    assert!(desk.run(&["doctor"]).out.contains("✕ 打印"));
}

#[test]
fn the_picture_says_what_the_text_says() {
    let desk = issued(Database::sqlite(), 1);
    let number = desk.numbers().remove(0);
    let file = desk.arg("card.png");
    desk.ok(&["card", &number, "--png", &file]);
    let read = zyz_verifier::picture::read_code(std::path::Path::new(&file)).unwrap();
    assert_eq!(read, desk.text(&number));
}

#[test]
fn a_card_that_is_not_there_says_how_to_get_it() {
    let desk = Desk::with_people(Database::sqlite(), 1);
    let number = desk.numbers().remove(0);
    assert!(desk.refused(&["card", &number, "--text"]).contains("zyz issue"));
    assert!(desk.refused(&["print", "--all", "--out", &desk.arg("out")]).contains("zyz issue"));
}

#[test]
fn a_photo_that_is_no_picture_is_refused_by_name() {
    let desk = issued(Database::sqlite(), 1);
    let number = desk.numbers().remove(0);
    std::fs::create_dir(desk.path("photos")).unwrap();
    std::fs::write(desk.path(&format!("photos/{number}.jpg")), b"not a picture").unwrap();
    let said = desk.refused(&["print", "--all", "--out", &desk.arg("out"), "--photos", &desk.arg("photos")]);
    assert!(said.contains(&format!("{number}.jpg")), "{said}");
}

#[test]
fn a_write_that_fails_half_way_leaves_no_half_file() {
    let desk = issued(Database::sqlite(), 9);
    let folder = desk.arg("out");
    let arguments = ["print", "--all", "--out", &folder];
    let said = desk.run_with_small_files(&arguments);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("cards-0001.pdf"), "{said:?}");
    assert_eq!(std::fs::read_dir(desk.path("out")).unwrap().count(), 0, "no half file");
    desk.ok(&["print", "--unprinted", "--out", &folder]);
}

#[test]
fn the_calibration_page() {
    let desk = Desk::empty(Database::sqlite());
    let file = desk.arg("calibration.pdf");
    desk.ok(&["calibrate", "--layout", "a4-8up", "--out", &file]);
    assert!(std::fs::read(file).unwrap().starts_with(b"%PDF-"));
}
