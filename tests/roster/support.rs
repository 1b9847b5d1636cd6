//! Sheets made in memory.

use std::io::{Cursor, Write};

use jiff::civil::{Date, date};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};
use zyz::domain::identity::check_character_for;
use zyz::roster::people::{PersonRow, RosterCheck, check};
use zyz::roster::sheet::read_bytes;
use zyz::roster::{Checked, Limits, Reason, RowCheck, Sheet, SheetError};

/// The day of application in these tests.
pub const TODAY: Date = date(2026, 11, 23);

/// The header of 附件2.
pub const FORM: &str = "序号,姓名,性别,民族,出生年月,政治面貌,身份证号码,联系电话,用户名,密码";

/// A good identity number of 思茅区 with that birth date (`19900501`); odd `serial` is male.
pub fn number(birth: &str, serial: u16) -> String {
    let digits = format!("530802{birth}{serial:03}");
    let check = check_character_for(&digits).expect("seventeen digits");
    format!("{digits}{check}")
}

/// Reads bytes with the default limits.
pub fn read(bytes: impl AsRef<[u8]>) -> Sheet {
    read_bytes(bytes.as_ref(), &Limits::default()).expect("a readable sheet")
}

/// Why bytes are not read.
pub fn refusal(bytes: impl AsRef<[u8]>) -> SheetError {
    read_bytes(bytes.as_ref(), &Limits::default()).expect_err("a refusal")
}

/// A workbook with one worksheet.
pub fn xlsx(fill: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet()).expect("a worksheet");
    book.save_to_buffer().expect("a workbook")
}

/// A worksheet filled from lines of cells.
pub fn grid(sheet: &mut Worksheet, lines: &[&[&str]]) -> Result<(), XlsxError> {
    for (row, cells) in (0_u32..).zip(lines) {
        for (column, text) in (0_u16..).zip(*cells).filter(|(_, text)| !text.is_empty()) {
            sheet.write_string(row, column, *text)?;
        }
    }
    Ok(())
}

/// Judges a CSV text as a roster.
pub fn judged(csv: &str) -> RosterCheck {
    check(&read(csv), TODAY).expect("a roster's header")
}

/// A roster of the form's columns with these lines below the header.
pub fn form(lines: &[&str]) -> RosterCheck {
    judged(&format!("{FORM}\n{}\n", lines.join("\n")))
}

/// The reasons against the one row of a roster, with their cells.
pub fn reasons_in<T>(rows: &[Checked<T>]) -> Vec<(String, Reason)> {
    assert_eq!(rows.len(), 1, "one row expected");
    match &rows[0].check {
        RowCheck::Refused(problems) => problems.iter().map(|p| (p.cell(), p.reason.clone())).collect(),
        RowCheck::Accepted(_) => Vec::new(),
    }
}

/// The only person of a roster.
pub fn only(check: &RosterCheck) -> PersonRow {
    assert_eq!(check.problems().collect::<Vec<_>>(), Vec::<&zyz::roster::Problem>::new());
    let people: Vec<_> = check.accepted().collect();
    assert_eq!(people.len(), 1);
    people[0].clone()
}

/// A zip archive of these parts.
pub fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A good workbook with one part replaced.
pub fn with_part(workbook: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut part, &mut bytes).unwrap();
        parts.push((part.name().unwrap().into_owned(), bytes));
    }
    let position = parts.iter().position(|(part, _)| part == name).expect("such a part");
    parts[position].1 = content.to_vec();
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
    zipped(&parts)
}
