//! Files that are refused, each by its name.

use zyz::roster::sheet::{Kind, read, read_bytes};
use zyz::roster::{Limits, SheetError};

use crate::support::{FORM, grid, refusal, with_part, xlsx, zipped};

fn roster() -> Vec<u8> {
    xlsx(|sheet| grid(sheet, &[&["姓名", "身份证号码"], &["张三", "530802199001010018"]]))
}

fn wrong(bytes: &[u8]) -> Kind {
    match refusal(bytes) {
        SheetError::WrongKind(kind) => kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_such_file() {
    let error = read("no/such/file.xlsx".as_ref(), &Limits::default()).unwrap_err();
    assert!(matches!(&error, SheetError::Io { path, .. } if path == "no/such/file.xlsx"));
    assert!(error.to_string().contains("无法读取文件"));
}

#[test]
fn a_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read(folder.path(), &Limits::default()), Err(SheetError::NotAFile(_))));
}

#[test]
fn nothing_at_all() {
    assert!(matches!(refusal(b""), SheetError::EmptyFile));
}

#[test]
fn an_empty_worksheet() {
    assert!(matches!(refusal(xlsx(|_| Ok(()))), SheetError::EmptySheet));
    assert!(matches!(refusal("\n\n , ,\n"), SheetError::EmptySheet));
}

#[test]
fn a_worksheet_without_header() {
    let error = refusal(xlsx(|sheet| grid(sheet, &[&["采购清单"], &["名称", "数量"], &["纸", "3"]])));
    assert!(matches!(&error, SheetError::NoHeader { sheets, .. } if sheets == &["Sheet1"]), "{error:?}");
    assert!(error.to_string().contains("没有找到表头"));
}

#[test]
fn a_header_too_far_down() {
    let mut text = "甲,乙\n".repeat(40);
    text.push_str(FORM);
    assert!(matches!(refusal(text), SheetError::NoHeader { .. }));
}

#[test]
fn other_programs_files() {
    assert_eq!(wrong(b"%PDF-1.7\n1 0 obj"), Kind::Pdf);
    assert_eq!(wrong(b"\x89PNG\r\n\x1a\n...."), Kind::Picture);
    assert_eq!(wrong(b"\xff\xd8\xff\xe0...."), Kind::Picture);
    assert_eq!(wrong(b"Rar!\x1a\x07\x00"), Kind::Archive);
    assert_eq!(wrong(b"{\\rtf1 }"), Kind::Word);
    assert_eq!(wrong(b"\x00\x01\x02\x03 nothing known"), Kind::Unknown);
    assert_eq!(wrong(&[0x09, 0x00, 0x04, 0x00, 0x02, 0x00]), Kind::AncientXls);
}

#[test]
fn a_web_page_saved_as_xls() {
    for page in ["<html><table><tr><td>姓名</td></tr></table></html>", "\u{feff}\n <TABLE border=1>", "<!DOCTYPE html>"]
    {
        assert_eq!(wrong(page.as_bytes()), Kind::Html);
    }
    assert!(refusal(b"<html>").to_string().contains("另存为 .xlsx"));
    assert_eq!(wrong(b"<?xml version=\"1.0\"?><Workbook>"), Kind::Xml);
}

#[test]
fn other_office_documents() {
    assert_eq!(wrong(&zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")])), Kind::Word);
    assert_eq!(wrong(&zipped(&[("ppt/presentation.xml", b"<p/>")])), Kind::PowerPoint);
    assert_eq!(wrong(&zipped(&[("xl/workbook.bin", b"..")])), Kind::Xlsb);
    assert_eq!(wrong(&zipped(&[("mimetype", b"x"), ("content.xml", b"<o/>")])), Kind::Ods);
    assert_eq!(wrong(&zipped(&[("名单.xlsx", &roster())])), Kind::Archive);
}

#[test]
fn an_encrypted_workbook() {
    // An OLE container whose directory names an encrypted package: header, one sector table, one directory sector.
    let mut file = vec![0_u8; 512 * 3];
    file[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    file[30] = 9;
    file[32] = 6;
    file[48..52].copy_from_slice(&1_u32.to_le_bytes());
    file[68..72].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    file[76..512].fill(0xFF);
    file[76..80].copy_from_slice(&0_u32.to_le_bytes());
    file[512..1024].fill(0xFF);
    file[516..520].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    for (unit, at) in "EncryptedPackage".encode_utf16().zip((1024..).step_by(2)) {
        file[at..at + 2].copy_from_slice(&unit.to_le_bytes());
    }
    assert!(matches!(refusal(&file), SheetError::Encrypted));
    // The same container with a chain that goes in circles.
    file[516..520].copy_from_slice(&1_u32.to_le_bytes());
    assert!(matches!(refusal(&file), SheetError::Damaged(_)));
}

#[test]
fn a_workbook_cut_short() {
    let whole = roster();
    for share in [1, 2, 3] {
        let cut = &whole[..whole.len() * share / 4];
        assert!(matches!(refusal(cut), SheetError::Damaged(_)), "{share}/4");
    }
}

#[test]
fn a_workbook_with_a_flipped_byte() {
    let whole = roster();
    // Wherever the byte is, the outcome is a sheet or a named refusal, never a panic.
    for at in (0..whole.len()).step_by(37) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5A;
        let _ = read_bytes(&bytes, &Limits::default());
    }
}

#[test]
fn an_old_workbook_cut_short_or_flipped() {
    let whole = std::fs::read("tests/fixtures/roster.xls").unwrap();
    for len in (0..whole.len()).step_by(997) {
        assert!(read_bytes(&whole[..len], &Limits::default()).is_err() || len > whole.len() - 4096, "{len}");
    }
    for at in (0..whole.len()).step_by(211) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xA5;
        let _ = read_bytes(&bytes, &Limits::default());
    }
}

#[test]
fn a_file_beyond_its_size() {
    let limits = Limits { file_bytes: 100, ..Limits::default() };
    assert!(matches!(read_bytes(&roster(), &limits), Err(SheetError::FileTooLarge { limit: 100 })));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), roster()).unwrap();
    assert!(matches!(read(file.path(), &limits), Err(SheetError::FileTooLarge { limit: 100 })));
}

#[test]
fn a_zip_bomb_in_the_worksheet() {
    let mut bomb = b"<worksheet><sheetData>".to_vec();
    bomb.resize(64 << 20, b' ');
    let bomb = with_part(&roster(), "xl/worksheets/sheet1.xml", &bomb);
    assert!(bomb.len() < 200_000, "a bomb is small: {}", bomb.len());
    let limits = Limits { inflated_bytes: 32 << 20, ..Limits::default() };
    assert!(matches!(read_bytes(&bomb, &limits), Err(SheetError::Inflated { .. })));
}

#[test]
fn a_zip_bomb_that_lies_about_its_size() {
    let mut content = b"<worksheet><sheetData>".to_vec();
    content.resize(40 << 20, b' ');
    let mut bomb = with_part(&roster(), "xl/worksheets/sheet1.xml", &content);
    // The central directory and the local header now claim 1,000 bytes.
    let (real, claimed) = ((40_u32 << 20).to_le_bytes(), 1_000_u32.to_le_bytes());
    for at in 0..bomb.len() - 4 {
        if bomb[at..at + 4] == real {
            bomb[at..at + 4].copy_from_slice(&claimed);
        }
    }
    let limits = Limits { inflated_bytes: 16 << 20, ..Limits::default() };
    let refused = read_bytes(&bomb, &limits);
    assert!(matches!(refused, Err(SheetError::Inflated { .. } | SheetError::Damaged(_))), "{refused:?}");
}

#[test]
fn a_bomb_of_shared_texts() {
    let mut strings = b"<sst>".to_vec();
    strings.resize(8 << 20, b' ');
    let bomb = with_part(&roster(), "xl/sharedStrings.xml", &strings);
    let limits = Limits { shared_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(read_bytes(&bomb, &limits), Err(SheetError::Inflated { .. })));
}

#[test]
fn shared_texts_that_claim_the_moon() {
    for head in [
        "<sst uniqueCount=\"999999999999\"><si><t>x</t></si></sst>",
        "<?xml version=\"1.0\"?>\n<sst count='1' uniqueCount = '88888888888' >",
        "<!-- <sst uniqueCount=\"1\"> --><sst uniqueCount=\"999999999999\">",
        "<sst uniqueCount=\"x\">",
    ] {
        let bytes = with_part(&roster(), "xl/sharedStrings.xml", head.as_bytes());
        assert!(matches!(refusal(bytes), SheetError::Damaged(_)), "{head}");
    }
}

#[test]
fn styles_without_end() {
    let mut styles = String::from("<styleSheet><cellXfs>");
    styles.push_str(&"<xf/>".repeat(700_000));
    styles.push_str("</cellXfs></styleSheet>");
    let bytes = with_part(&roster(), "xl/styles.xml", styles.as_bytes());
    assert!(matches!(refusal(bytes), SheetError::TooComplex(_)));
}

#[test]
fn too_many_parts() {
    let mut parts: Vec<(String, Vec<u8>)> = (0..50).map(|n| (format!("xl/extra{n}.xml"), b"<x/>".to_vec())).collect();
    parts.push(("xl/workbook.xml".into(), b"<workbook/>".to_vec()));
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
    let limits = Limits { parts: 40, ..Limits::default() };
    assert!(matches!(read_bytes(&zipped(&parts), &limits), Err(SheetError::TooComplex(_))));
}

#[test]
fn one_text_shared_a_million_times() {
    // A few thousand cells of 2,000 characters each, out of one shared text: the sum of the texts is what counts.
    let long = "长".repeat(2_000);
    let bytes = xlsx(|sheet| {
        grid(sheet, &[&["姓名", "身份证号码", "备注"]])?;
        for row in 1..3_000 {
            sheet.write_string(row, 2, &long)?;
        }
        Ok(())
    });
    let limits = Limits { text_bytes: 4 << 20, ..Limits::default() };
    assert!(matches!(read_bytes(&bytes, &limits), Err(SheetError::TooMuchText { .. })));
}

#[test]
fn too_many_rows() {
    let text = format!("{FORM}\n{}", "1,张三\n".repeat(11));
    let limits = Limits { rows: 10, ..Limits::default() };
    assert!(matches!(read_bytes(text.as_bytes(), &limits), Err(SheetError::TooManyRows { limit: 10 })));
    let blank = format!("{FORM}{}1,张三\n", "\n".repeat(1_048_577));
    assert!(matches!(refusal(blank), SheetError::TooManyRows { .. }));
}

#[test]
fn a_column_too_far_right() {
    let bytes = xlsx(|sheet| {
        grid(sheet, &[&["姓名", "身份证号码"]])?;
        sheet.write_string(1, 300, "x")?;
        Ok(())
    });
    assert!(matches!(refusal(bytes), SheetError::TooManyColumns { cell, .. } if cell == "KO2"));
}

#[test]
fn a_cell_of_ten_megabytes() {
    let text = format!("{FORM}\n1,{}\n", "张".repeat(3_400_000));
    assert!(matches!(refusal(text), SheetError::CellTooLong { cell, .. } if cell == "B2"));
    let bytes = xlsx(|sheet| grid(sheet, &[&["姓名", "身份证号码"], &[&"张".repeat(20_000), "x"]]));
    assert!(matches!(refusal(bytes), SheetError::CellTooLong { cell, .. } if cell == "A2"));
}

#[test]
fn text_in_no_known_encoding() {
    let mut bytes = FORM.as_bytes().to_vec();
    bytes.extend_from_slice(b"\n1,\xff\xff\x80\n");
    assert!(matches!(refusal(bytes), SheetError::Encoding { .. }));
}

#[test]
fn a_quotation_mark_never_closed() {
    assert!(matches!(refusal(format!("{FORM}\n1,\"张三,男\n2,李四\n")), SheetError::Quote { row: 2 }));
}

#[test]
fn hidden_worksheets() {
    let mut book = rust_xlsxwriter::Workbook::new();
    grid(book.add_worksheet(), &[&["采购"]]).unwrap();
    let hidden = book.add_worksheet();
    grid(hidden, &[&["姓名", "身份证号码"], &["张三", "530802199001010018"]]).unwrap();
    hidden.set_hidden(true);
    let bytes = book.save_to_buffer().unwrap();
    assert!(matches!(refusal(&bytes), SheetError::NoHeader { sheets, .. } if sheets == ["Sheet1"]));
    let all_hidden = "<workbook xmlns:r=\"r\"><sheets><sheet name=\"a\" sheetId=\"1\" state=\"hidden\" r:id=\"rId1\"/></sheets></workbook>";
    let bytes = with_part(&roster(), "xl/workbook.xml", all_hidden.as_bytes());
    assert!(matches!(refusal(bytes), SheetError::AllHidden));
}

#[test]
fn rows_in_no_order() {
    let page = "<worksheet><sheetData><row r=\"3\"><c r=\"A3\" t=\"inlineStr\"><is><t>甲</t></is></c></row>\
        <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>乙</t></is></c></row></sheetData></worksheet>";
    let bytes = with_part(&roster(), "xl/worksheets/sheet1.xml", page.as_bytes());
    assert!(matches!(refusal(bytes), SheetError::Damaged(_)));
}

#[test]
fn every_refusal_says_what_to_do() {
    for error in [
        SheetError::EmptyFile,
        SheetError::Encrypted,
        SheetError::WrongKind(Kind::Html),
        SheetError::Damaged("x".into()),
        SheetError::FileTooLarge { limit: 50 << 20 },
        SheetError::Inflated { limit: 512 << 20 },
        SheetError::TooManyRows { limit: 200_000 },
    ] {
        assert!(error.to_string().contains("请"), "{error}");
    }
}
