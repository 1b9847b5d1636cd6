//! Photos: in bulk and one by one, and what nobody should send.

use std::io::{Cursor, Write};

use zyz::domain::certificate::Reason;
use zyz::domain::choice::CardChoice;
use zyz_credential::CertificateNumber;

use super::{OTHER, UNIT};
use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::{Database, sheets};

on_both!(photos_are_looked_at_then_saved_and_erased_on_exit);

fn photos_are_looked_at_then_saved_and_erased_on_exit(database: Database) {
    let console = ConsoleApp::new(database);
    let people = sheets::people(4);
    console.register(UNIT, "02", &people[..3]);
    console.register(OTHER, "21", &people[3..]);
    let unit = console.of_unit(UNIT);
    let numbers = console.numbers(CardChoice::New);
    let foreign = numbers.iter().find(|number| number.starts_with("21")).unwrap().clone();
    let own: Vec<&String> = numbers.iter().filter(|number| number.starts_with("02")).collect();
    let (good, small) = (picture(300, 400), picture(40, 50));
    let archive = zip_of(&[
        (format!("照片/{}.jpg", own[0]), good.clone()),
        (format!("../../../etc/{} 张三.PNG", own[1]), good.clone()),
        (format!("{}.jpeg", own[2]), small),
        (format!("{}-again.jpg", own[0]), good.clone()),
        (format!("{foreign}.jpg"), good.clone()),
        ("合影.jpg".into(), good.clone()),
        ("0200000000.jpg".into(), good.clone()),
        (format!("__MACOSX/._{}.jpg", own[0]), vec![1]),
    ]);
    let sent = unit.upload("/cards/photos/send", &[], "照片.zip", &archive);
    let upload = sent.location().strip_prefix("/console").unwrap().to_owned();
    unit.get(&upload).is(200).says(&[
        "可用 <strong>2</strong> 张",
        "不能用 <strong>5</strong>",
        "照片太小",
        "同一编号有两张照片",
        "不在您的管辖范围内",
        "没有十位证书编号",
    ]);
    unit.get(&format!("{upload}?wrong=yes")).says(&["看全部"]);
    let shown = unit.get(&format!("{upload}/picture/1"));
    assert_eq!((shown.header("content-type"), shown.header("cache-control")), ("image/jpeg", "no-store"));
    // Looked at by whoever sent it alone; nothing is saved before the yes.
    console.of_unit(OTHER).get(&upload).is(404);
    console.admin().get(&format!("{upload}/picture/1")).is(404);
    unit.get(&format!("/cards/of/{}/photo", own[0])).is(404);

    unit.post(&format!("{upload}/confirm"), &[]).location();
    unit.get(&upload).is(404);
    let photo = unit.get(&format!("/cards/of/{}/photo", own[0]));
    photo.is(200);
    assert!(photo.body.starts_with(&[0xff, 0xd8]));
    assert_eq!(photo.header("cache-control"), "no-store");
    console.of_unit(OTHER).get(&format!("/cards/of/{}/photo", own[0])).is(404);

    // Printed, and sealed at rest.
    console.issue_all().unwrap();
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::Unprinted, "");
    clerk.get(&list).says(&["有照片", "2 人"]);
    let job = clerk.post_to(&format!("{list}/print"), &[("layout", "a4-8up"), ("photos", "yes")]);
    console.run_jobs();
    clerk.get(&job).says(&["没有照片", "2 人，照片处印姓名首字"]);

    let number = CertificateNumber::parse(own[0]).unwrap();
    console.app.wait(console.app.federation.revoke(number, Reason::Exit)).unwrap();
    unit.get(&format!("/cards/of/{number}/photo")).is(404);
    let set = unit.upload(&format!("/cards/of/{number}/photo/set"), &[], "x.jpg", &good);
    set.is(422).says(&["已退出"]);
}

#[test]
fn one_photo_is_set_and_erased_at_its_person() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(1));
    let unit = console.of_unit(UNIT);
    let number = console.numbers(CardChoice::New)[0].clone();
    let page = format!("/cards/of/{number}");
    unit.upload(&format!("{page}/photo/set"), &[], "a.jpg", b"GIF89a")
        .is(422)
        .says(&["不是 JPEG 或 PNG", "aria-invalid"]);
    unit.upload(&format!("{page}/photo/set"), &[], "a.jpg", &picture(300, 400)).location();
    unit.get(&page).says(&["换一张照片", "删除照片"]);
    unit.get(&format!("{page}/photo/erase")).is(200).says(&["不能恢复"]);
    unit.post(&format!("{page}/photo/erase"), &[]).location();
    unit.get(&page).says(&["没有照片"]);
    unit.post(&format!("{page}/photo/erase"), &[]).is(422).says(&["没有照片可以删除"]);
}

#[test]
fn a_bomb_bursts_nothing() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(1));
    let clerk = console.clerk();
    let number = console.numbers(CardChoice::New)[0].clone();
    // 300 MB of nothing in 300 KB.
    let bomb = zip_of(&[(format!("{number}.jpg"), vec![0; 300 << 20])]);
    assert!(bomb.len() < 1 << 20);
    let upload = clerk.upload("/cards/photos/send", &[], "x.zip", &bomb);
    let upload = upload.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&upload).says(&["可用 <strong>0</strong>", "照片过大"]);
    clerk.post(&format!("{upload}/drop"), &[]).location();
    clerk.get(&upload).is(404);
}

#[test]
fn what_is_no_archive_and_no_picture_is_refused_by_name() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(1));
    let clerk = console.clerk();
    let number = console.numbers(CardChoice::New)[0].clone();
    let send = |name: &str, bytes: &[u8]| clerk.upload("/cards/photos/send", &[], name, bytes);
    send("x.zip", b"not a zip").is(422).says(&["不是 .zip 压缩包"]);
    send("x.zip", b"PK\x03\x04broken").is(422).says(&["已损坏"]);
    send("x.zip", &zip_of(&[])).is(422);
    // Ten megabytes of text that calls itself a picture.
    let text = vec![b'a'; 10 << 20];
    let upload = send(&format!("{number}.jpg"), &text);
    let upload = upload.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&upload).says(&["不是 JPEG 或 PNG", "可用 <strong>0</strong>"]);
    let upload = send(&format!("{number}.jpg"), &picture(300, 400)[..2000]);
    let upload = upload.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&upload).says(&["已损坏"]);
    // A name is shown as a name.
    let upload = send("<img src=x>\u{202e}.jpg", &picture(300, 400));
    let upload = upload.location().strip_prefix("/console").unwrap().to_owned();
    assert!(!clerk.get(&upload).text().contains("<img src=x>"));
}

#[test]
fn what_nobody_confirms_is_forgotten() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(1));
    let clerk = console.clerk();
    let number = console.numbers(CardChoice::New)[0].clone();
    let upload = clerk.upload("/cards/photos/send", &[], &format!("{number}.jpg"), &picture(300, 400));
    let id: i64 = upload.location().rsplit('/').next().unwrap().parse().unwrap();
    assert!(console.app.wait(clerk.desk.photo_upload(id, false, 0)).is_ok());
    console.app.pass(jiff::SignedDuration::from_hours(25));
    console.app.wait(console.app.federation.tidy_up()).unwrap();
    assert!(console.app.wait(clerk.desk.photo_upload(id, false, 0)).is_err());
}

pub(crate) fn picture(width: u32, height: u32) -> Vec<u8> {
    let image = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    bytes
}

fn zip_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
