//! Rosters as they really come, and rosters made to hurt.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::console::ConsoleApp;
use crate::on_both;
use crate::rosters::{FORM, confirm, form, input, inputs, line, unit, upload};
use crate::support::{Database, sheets};

/// What must not be run, filled in or believed, wherever it stands.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=cmd|'/c calc'!A1",
    "\u{202e}反向\u{2066}",
    "\"><form action=//evil.example>",
    "{{ shell.base }}",
];

fn hostile_cells_are_only_text(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let id = unit(&admin, "2", "思茅区文化馆");
    let lines: Vec<String> = HOSTILE
        .iter()
        .enumerate()
        .map(|(n, text)| line(n).replace(&sheets::person(n).name, &format!("\"{}\"", text.replace('"', "\"\""))))
        .collect();
    let draft = upload(&admin, id, "<b>名册</b>.csv", &form(&lines));
    let page = admin.get(&draft);
    page.is(200).says(&["只看有问题的 6"]);
    let text = page.text();
    assert!(!text.contains("<script>alert") && !text.contains("<img src=x") && !text.contains("<b>名册"), "{text}");
    assert!(
        !text.contains("<form action=//evil") && !text.contains('\u{2066}') && !text.contains('\u{202e}'),
        "{text}"
    );
    for row in 3..9 {
        let page = admin.get(&format!("{draft}/rows/{row}")).text();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    }
    // The workbook sent back: no formula in it.
    let book = admin.post(&format!("{draft}/errors"), &[]);
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(Cursor::new(book.body)).unwrap();
    for name in calamine::Reader::sheet_names(&book) {
        assert_eq!(calamine::Reader::worksheet_formula(&mut book, &name).unwrap().cells().count(), 0);
    }
    // Typed in place, too.
    let row = admin.get(&format!("{draft}/rows/3")).text();
    let revision = input(&row, "revision");
    for text in HOSTILE.iter().chain(&["\u{1}\u{7}\u{1b}[31m", "岩\u{202e}温"]) {
        let answer = admin.post(&format!("{draft}/rows/3"), &[("revision", &revision), ("cell-1", text)]);
        assert!([303, 409].contains(&answer.status.as_u16()), "{text:?}: {}", answer.text());
    }
    admin.post(&format!("{draft}/rows/3"), &[("revision", &revision), ("cell-1", "\0")]).is(400).says(&["空字符"]);
    let long = "长".repeat(2_001);
    let revision = input(&admin.get(&format!("{draft}/rows/4")).text(), "revision");
    admin.post(&format!("{draft}/rows/4"), &[("revision", &revision), ("cell-1", &long)]).is(422).says(&["内容过长"]);
    // Ten megabytes in a field are more than a form may have.
    let huge = "x".repeat(10 << 20);
    admin.post(&format!("{draft}/rows/4"), &[("revision", &revision), ("cell-1", &huge)]).is(413);
    // Columns that the sheet has not, rows that are nobody's.
    admin.post(
        &format!("{draft}/rows/4"),
        &[("revision", &revision), ("cell-9", "pw"), ("cell-200", "x"), ("cell--1", "x")],
    );
    assert!(!inputs(&admin.get(&format!("{draft}/rows/4")).text()).iter().any(|(name, _)| name == "cell-9"));
    admin.get(&format!("{draft}/rows/1")).is(404);
    admin.get(&format!("{draft}/rows/99999")).is(404);
    admin.get(&format!("{draft}/rows/-1")).is(404);
}

fn emptied_rows_are_not_lost(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let id = unit(&admin, "2", "思茅区文化馆");
    let draft = upload(&admin, id, "名册.csv", &form(&[line(0), line(1)]));
    let page = admin.get(&format!("{draft}/rows/3")).text();
    let mut fields = inputs(&page);
    for (name, value) in &mut fields {
        if name.starts_with("cell-") && name != "cell-0" {
            value.clear();
        }
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    admin.post(&format!("{draft}/rows/3"), &fields).is(422).says(&["不再是一个人的资料"]);
    admin.get(&draft).says(&["将新登记 2"]);
}

fn files_that_are_no_rosters_are_refused_by_name(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let id = unit(&admin, "2", "思茅区文化馆").to_string();
    let send = |name: &str, bytes: &[u8]| admin.upload("/rosters/drafts", &[("unit", &id)], name, bytes);
    send("空.xlsx", b"").is(422).says(&["0 字节"]);
    send("报告.xlsx", b"%PDF-1.7\n1 0 obj").is(422).says(&["PDF"]);
    send("照片.xlsx", b"\x89PNG\r\n\x1a\n....").is(422);
    send("采购.csv", "名称,数量\n纸,3\n".as_bytes()).is(422).says(&["没有找到表头"]);
    send("缺列.csv", "姓名,性别,民族\n岩温扁,男,傣族\n".as_bytes()).is(422).says(&["身份证号码"]);
    send("炸弹.xlsx", &bomb()).is(422);
    let long = format!("{FORM}\n1,{},男,汉族,1990.01,群众,530802199001010018,,,\n", "x".repeat(10 << 20));
    send("长格.csv", long.as_bytes()).is(422).says(&["内容过长"]);
    send("乱码.csv", &[0xff, 0xfe, 0x00, 0xd8, 0x00, 0xdc].repeat(50)).is(422);
    // Not one of them left anything.
    admin.get("/rosters").says(&["还没有上传过名册"]);
    admin.upload("/rosters/drafts", &[("unit", "x")], "名册.csv", b"x").is(404);
    admin.upload("/rosters/drafts", &[], "名册.csv", b"x").is(404);
}

/// A workbook whose worksheet inflates far beyond what is read.
fn bomb() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write(0, 0, "姓名").unwrap();
    let good = book.save_to_buffer().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(good)).unwrap();
    let mut bomb = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let zeros = vec![b' '; 1 << 20];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        bomb.start_file(name.as_str(), options).unwrap();
        if name.ends_with("sheet1.xml") {
            for _ in 0..1_100 {
                bomb.write_all(&zeros).unwrap();
            }
        } else {
            std::io::copy(&mut part, &mut bomb).unwrap();
        }
    }
    bomb.finish().unwrap().into_inner()
}

fn sheets_of_real_life_are_taken(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let id = unit(&admin, "2", "思茅区文化馆");
    // The form as a workbook with a title, numbers, a password column.
    let file = console.app.path("名册.xlsx");
    sheets::roster(&file, &sheets::people(5));
    let draft = upload(&admin, id, "名册.xlsx", &std::fs::read(&file).unwrap());
    let page = admin.get(&draft);
    page.says(&["将新登记 <strong>5</strong>", "密码已全部丢弃"]);
    assert!(!page.text().contains("secret-pw-77"));
    // An old workbook.
    let xls = std::fs::read("tests/fixtures/roster.xls").unwrap();
    let old = upload(&admin, id, "旧.xls", &xls);
    admin.get(&old).is(200).says(&["核对并确认登记"]);
    // GB18030, headings with blanks, full-width digits, blank and sum rows, a foot.
    let person = sheets::person(7);
    let wide: String = person
        .identity
        .chars()
        .map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c })
        .collect();
    let csv = format!(
        "普洱市志愿者统计表\n姓  名,公民身份号码,手机号,登录密码\n{},'{wide},+86 {},secret-pw-77\n,,,\n合计,1,,\n本单位志愿服务工作负责人：岩温扁,,,\n",
        person.name, person.phone
    );
    let (bytes, _, _) = encoding_rs::GB18030.encode(&csv);
    let draft = upload(&admin, id, "国标.csv", &bytes);
    admin.get(&draft).says(&["将新登记 <strong>1</strong>", "合计行", "落款"]);
    // A row of it corrected, and confirmed.
    confirm(&admin, &draft, false).location();
    // A number that lost digits is never repaired.
    let lost = line(9).replace(&sheets::person(9).identity, "5.30802E+17");
    let draft = upload(&admin, id, "丢位.csv", &form(&[lost]));
    admin.get(&draft).says(&["只看有问题的 1"]);
}

on_both!(
    hostile_cells_are_only_text,
    emptied_rows_are_not_lost,
    files_that_are_no_rosters_are_refused_by_name,
    sheets_of_real_life_are_taken,
);
