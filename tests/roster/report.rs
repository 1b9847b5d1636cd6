//! The workbook sent back.

use std::slice::from_ref;

use calamine::{Data, Reader, Xlsx, open_workbook};
use zyz::roster::people::check;
use zyz::roster::report::{WriteError, write};
use zyz::roster::sheet::read;
use zyz::roster::{Limits, RowCheck, RowOutcome, Sheet};

use crate::support::{self, FORM, TODAY, number};

fn outcomes(sheet: &Sheet) -> Vec<(u32, RowOutcome)> {
    let check = check(sheet, TODAY).unwrap();
    check
        .rows
        .iter()
        .map(|row| {
            let outcome = match &row.check {
                RowCheck::Refused(problems) => RowOutcome::Refused(problems.clone()),
                RowCheck::Accepted(person) if person.name.as_str() == "李四" => {
                    RowOutcome::Known { note: "已登记，证书编号 02 0001234 9".into() }
                }
                RowCheck::Accepted(_) => RowOutcome::New,
            };
            (row.row, outcome)
        })
        .collect()
}

fn roster() -> String {
    format!(
        "普洱市志愿者统计表\n\n{FORM},备注\n1,张三,男,汉,1990.05,群众,{},13812345678,zs,hunter2,=1+1\n\
         2,李四,男,汉,1990.05,群众,{},13812345678,ls,hunter2,@SUM(A1)\n3,王五,女,汉,1990.05,群众,{},1,ww,hunter2,-2\n\
         合计,3\n备注：\u{202e}+属实\u{7}\n",
        number("19900501", 1),
        number("19900501", 3),
        number("19900501", 5),
    )
}

fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let sheet = support::read(text);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("结果.xlsx");
    let warnings = check(&sheet, TODAY).unwrap().warnings;
    write(&path, from_ref(&sheet), &outcomes(&sheet), &warnings, TODAY).unwrap();
    (folder, path)
}

#[test]
fn it_repeats_the_sheet_with_a_column_of_errors() {
    let (_folder, path) = written(&roster());
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let text = |row, column| range.get_value((row, column)).map(ToString::to_string).unwrap_or_default();
    assert_eq!(text(0, 0), "普洱市志愿者统计表");
    assert_eq!((text(2, 1), text(2, 11)), ("姓名".into(), "错误".into()));
    assert_eq!((text(3, 1), text(3, 11)), ("张三".into(), String::new()));
    assert_eq!(text(4, 11), "已登记，证书编号 02 0001234 9");
    let error = text(5, 11);
    assert!(error.contains("C6（性别）") && error.contains("H6（联系电话）"), "{error}");
    assert_eq!(range.get_value((3, 6)), Some(&Data::String(number("19900501", 1))), "text, not a number");
    assert_eq!(text(6, 0), "合计");
}

#[test]
fn text_that_looks_like_a_formula_stays_text() {
    let (_folder, path) = written(&roster());
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    for (row, text) in [(3, "=1+1"), (4, "@SUM(A1)"), (5, "-2")] {
        assert_eq!(range.get_value((row, 10)), Some(&Data::String(text.into())));
    }
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_formula(&name).unwrap().used_cells().next().is_none(), "no formula anywhere");
}

#[test]
fn no_password_and_no_control_character_comes_back() {
    let (_folder, path) = written(&roster());
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    for (_, range) in book.worksheets() {
        for (.., cell) in range.used_cells() {
            let text = cell.to_string();
            assert!(!text.contains("hunter2") && !text.contains('\u{202e}') && !text.contains('\u{7}'), "{text}");
        }
    }
}

#[test]
fn a_report_handed_in_again_is_a_roster() {
    let (_folder, path) = written(&roster());
    let again = read(&path, &Limits::default()).unwrap();
    let result = check(&again, TODAY).unwrap();
    assert_eq!(result.rows.len(), 3);
    assert!(again.other_sheets().is_empty(), "{:?}", again.other_sheets());
    let second = path.with_file_name("再次.xlsx");
    write(&second, from_ref(&again), &outcomes(&again), &[], TODAY).unwrap();
    let third = read(&second, &Limits::default()).unwrap();
    assert_eq!(third.header().headings().filter(|h| *h == "错误").count(), 1);
}

#[test]
fn the_summary_counts() {
    let (_folder, path) = written(&roster());
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    let range = book.worksheet_range("导入结果说明").unwrap();
    let all: String = range.used_cells().map(|(.., cell)| cell.to_string()).collect();
    assert!(all.contains("共 3 行，接收 1 行，已登记 1 行，退回 1 行"), "{all}");
    assert!(all.contains("密码"), "{all}");
}

#[test]
fn a_folder_that_is_missing_is_said_and_nothing_is_left() {
    let sheet = support::read(roster());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no").join("report.xlsx");
    let error = write(&path, from_ref(&sheet), &[], &[], TODAY).unwrap_err();
    assert!(matches!(error, WriteError::Io { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn hostile_names_of_worksheets_do_not_matter() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let page = book.add_worksheet();
    page.set_name("导入结果说明").unwrap();
    support::grid(page, &[&["姓名", "身份证号码"], &["张三", &number("19900501", 1)]]).unwrap();
    let sheet = support::read(book.save_to_buffer().unwrap());
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("r.xlsx"), from_ref(&sheet), &outcomes(&sheet), &[], TODAY).unwrap();
}

#[test]
fn no_sheet_makes_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.xlsx");
    assert!(matches!(write(&path, &[], &[], &[], TODAY), Err(WriteError::Workbook(_))));
    assert!(!path.exists());
}
