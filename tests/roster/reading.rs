//! The same roster however it was saved: programs, encodings, separators, worksheets, headers.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use zyz::domain::identity::IdentityError;
use zyz::roster::people::check;
use zyz::roster::sheet::CellKind;
use zyz::roster::{Field, HeaderError, Reason, RowCheck, Skip, Warning};

use crate::support::{FORM, TODAY, form, grid, judged, number, only, read, with_part, xlsx};

fn line() -> String {
    format!("1,岩温扁,男,傣,1990.05,团员,{},13812345678,yan,secret", number("19900501", 1))
}

#[test]
fn utf8_with_and_without_mark() {
    let text = format!("{FORM}\r\n{}\r\n", line());
    assert_eq!(only(&judged(&text)).name.as_str(), "岩温扁");
    assert_eq!(only(&judged(&format!("\u{feff}{text}"))).row, 2);
}

#[test]
fn gb18030_with_characters_beyond_gbk() {
    let text = format!("{FORM}\n{}\n", line().replace("岩温扁", "䶮𬭎"));
    let (bytes, ..) = encoding_rs::GB18030.encode(&text);
    let person = only(&check(&read(&bytes), TODAY).unwrap());
    assert_eq!(person.name.as_str(), "䶮𬭎");
}

#[test]
fn utf16_as_excel_saves_unicode_text() {
    let text = format!("{FORM}\n{}\n", line()).replace(',', "\t");
    let little: Vec<u8> = std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(only(&check(&read(little), TODAY).unwrap()).name.as_str(), "岩温扁");
    let big: Vec<u8> = std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_eq!(only(&check(&read(big), TODAY).unwrap()).row, 2);
}

#[test]
fn semicolons_tabs_and_a_separator_line() {
    let text = format!("{FORM}\n{}\n", line());
    for separator in [";", "\t"] {
        assert_eq!(only(&judged(&text.replace(',', separator))).row, 2);
    }
    assert_eq!(only(&judged(&format!("sep=;\n{}", text.replace(',', ";")))).row, 3);
}

#[test]
fn quoted_cells_and_blank_lines_keep_the_row_numbers() {
    let text =
        format!("\"普洱市志愿者统计表\n（2026 年）\"\n\n\n{FORM}\n\n{}\n", line().replace("岩温扁", "\"岩 \"\"温扁\""));
    let sheet = read(&text);
    assert_eq!(sheet.header().row(), 4);
    let result = check(&sheet, TODAY).unwrap();
    assert_eq!(result.rows[0].row, 6);
    assert!(matches!(&result.rows[0].check, RowCheck::Refused(p) if p[0].cell() == "B6"));
}

#[test]
fn an_old_workbook() {
    let sheet = read(std::fs::read("tests/fixtures/roster.xls").unwrap());
    assert_eq!(sheet.name(), "志愿者");
    assert_eq!(sheet.header().row(), 4);
    let result = check(&sheet, TODAY).unwrap();
    let people: Vec<_> = result.accepted().collect();
    assert_eq!(people.len(), 2);
    assert_eq!((people[0].row, people[0].name.as_str()), (5, "岩温扁"));
    assert_eq!(people[0].phone.as_ref().unwrap().as_str(), "13812345678");
    assert_eq!(people[1].name.as_str(), "玉波罕");
    let problems: Vec<_> = result.problems().collect();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        (problems[0].cell().as_str(), &problems[0].reason),
        ("G7", &Reason::Identity(IdentityError::DigitsLost))
    );
    assert!(result.skipped.iter().any(|s| s.row == 9 && s.why == Skip::Total));
    assert!(result.skipped.iter().any(|s| s.row == 11 && s.why == Skip::Footer));
    assert!(result.warnings.contains(&Warning::PasswordDropped));
}

#[test]
fn numbers_floats_and_dates_in_a_workbook() {
    let day = Format::new().set_num_format("yyyy/m/d");
    let bytes = xlsx(|sheet| {
        grid(sheet, &[&["姓名", "身份证号码", "联系电话", "出生日期"]])?;
        for (row, birth) in [(1, "19900501"), (2, "19910501"), (3, "19920501")] {
            sheet.write_string(row, 0, "岩温扁")?;
            sheet.write_string(row, 1, number(birth, 1))?;
            sheet.write_number(row, 2, 13_812_345_678.0)?;
        }
        sheet.write_with_format(1, 3, &ExcelDateTime::from_ymd(1990, 5, 1)?, &day)?;
        sheet.write_number(2, 3, 1991.05)?;
        sheet.write_number(3, 3, 33725.0)?;
        Ok(())
    });
    let sheet = read(bytes);
    let kinds: Vec<_> = sheet.data_rows().map(|row| (row.cell(3).text.to_owned(), row.cell(3).kind)).collect();
    assert_eq!(kinds[0], ("1990-05-01".to_owned(), CellKind::Date));
    let result = check(&sheet, TODAY).unwrap();
    assert_eq!(result.problems().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(result.accepted().count(), 3);
    assert!(result.accepted().all(|p| p.phone.as_ref().unwrap().as_str() == "13812345678"));
}

#[test]
fn an_identity_number_kept_as_a_number_is_lost() {
    for (value, shown) in [(530_802_199_001_010_018.0, "530802199001010000"), (5.308_02e17, "530802000000000000")] {
        let bytes = xlsx(|sheet| {
            grid(sheet, &[&["姓名", "身份证号码"], &["岩温扁"]])?;
            sheet.write_number(1, 1, value)?;
            Ok(())
        });
        let sheet = read(bytes);
        assert_eq!(sheet.data_rows().next().unwrap().cell(1).text, shown);
        let result = check(&sheet, TODAY).unwrap();
        let reason = &result.problems().next().unwrap().reason;
        assert_eq!(reason, &Reason::Identity(IdentityError::DigitsLost));
        assert!(reason.to_string().contains("Excel") && reason.to_string().contains("文本"));
    }
}

#[test]
fn a_formula_is_never_evaluated() {
    let bytes = xlsx(|sheet| {
        grid(sheet, &[&["姓名", "身份证号码"]])?;
        // Its last shown value counts, were it never so wrong.
        sheet.write_formula(1, 0, rust_xlsxwriter::Formula::new("=\"张\"&\"三\"").set_result("李四"))?;
        sheet.write_string(1, 1, number("19900501", 1))?;
        Ok(())
    });
    assert_eq!(only(&check(&read(bytes), TODAY).unwrap()).name.as_str(), "李四");
}

#[test]
fn an_error_value_is_no_data() {
    let bytes = xlsx(|sheet| {
        grid(sheet, &[&["姓名", "身份证号码"]])?;
        sheet.write_formula(1, 0, rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A"))?;
        sheet.write_string(1, 1, number("19900501", 1))?;
        Ok(())
    });
    let result = check(&read(bytes), TODAY).unwrap();
    assert_eq!(result.problems().next().unwrap().reason, Reason::ErrorValue("#N/A".into()));
}

#[test]
fn the_first_sheet_with_a_header_is_read_and_others_are_named() {
    let mut book = Workbook::new();
    let names = ["填表说明", "封面", "一部", "二部", "三部"];
    for name in names {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        let person = ["张三", &number("19900501", 1)];
        match name {
            "封面" => grid(sheet, &[&["某某单位"]]).unwrap(),
            "三部" => {
                grid(sheet, &[&["姓名", "身份证号码"], &person]).unwrap();
                sheet.set_hidden(true);
            }
            // An example in the explanation is not the roster.
            _ => grid(sheet, &[&["姓名", "身份证号码"], &person]).unwrap(),
        }
    }
    let sheet = read(book.save_to_buffer().unwrap());
    assert_eq!(sheet.name(), "一部");
    assert_eq!(sheet.other_sheets(), ["二部", "填表说明"]);
    let warnings = check(&sheet, TODAY).unwrap().warnings;
    assert!(warnings.iter().any(|w| matches!(w, Warning::OtherSheets { read, .. } if read == "一部")));
}

#[test]
fn titles_above_and_headings_in_disorder() {
    let bytes = xlsx(|sheet| {
        sheet.merge_range(0, 0, 0, 7, "普洱市志愿者统计表", &Format::new())?;
        sheet.write_string(1, 0, "单位名称（公章）：某某局")?;
        let headings = [
            "序\n号",
            "姓   名",
            "手机号",
            "证件号码",
            "性 别：",
            "*出生日期（年/月/日）",
            "民\u{a0}族",
            "政治\r\n面貌",
        ];
        for (column, heading) in (0_u16..).zip(headings) {
            sheet.write_string(4, column, heading)?;
        }
        let id = number("19900501", 2);
        for (column, text) in
            (0_u16..).zip(["1", "玉 波罕", "+86 138-1234-5678", &id, "女", "1990/5/1", "傣族", "群众"])
        {
            sheet.write_string(5, column, text)?;
        }
        Ok(())
    });
    let person = only(&check(&read(bytes), TODAY).unwrap());
    assert_eq!((person.row, person.name.as_str()), (6, "玉波罕"));
    assert_eq!(person.ethnicity.unwrap().name(), "傣族");
    assert_eq!(person.political.unwrap().name(), "群众");
}

#[test]
fn a_header_of_two_rows() {
    let text = format!(
        "姓名,身份证号码,联系方式,\n,,手机,电子邮箱\n张三,{},13812345678,z@example.cn\n",
        number("19900501", 1)
    );
    let sheet = read(&text);
    assert_eq!((sheet.header().row(), sheet.header().depth()), (1, 2));
    let person = only(&check(&sheet, TODAY).unwrap());
    assert_eq!(person.row, 3);
    assert_eq!(person.email.as_deref(), Some("z@example.cn"));
}

#[test]
fn a_missing_column_is_named_with_those_found() {
    let error = check(&read("姓名,性别,联系电话\n张三,男,13812345678\n"), TODAY).unwrap_err();
    let HeaderError::Missing { row, columns, found } = &error else { panic!("{error:?}") };
    assert_eq!((*row, columns.as_slice()), (1, &["身份证号码"][..]));
    assert_eq!(found, &["姓名", "性别", "联系电话"]);
    assert!(error.to_string().contains("缺少“身份证号码”列"));
}

#[test]
fn two_people_a_row_are_refused() {
    let error = check(&read("姓名,身份证号码,姓名,身份证号码\n"), TODAY).unwrap_err();
    assert!(matches!(&error, HeaderError::Twice { field: Field::Name, cells } if cells == &("A1".into(), "C1".into())));
}

#[test]
fn several_columns_for_one_meaning_take_the_first_filled() {
    let text = format!(
        "姓名,身份证号码,职务,办公电话,手机号码,电话,职务\n张三,{},教师,0879-2123456,,13812345678,\n",
        number("19900501", 1)
    );
    let result = judged(&text);
    assert_eq!(only(&result).phone.unwrap().as_str(), "13812345678");
    assert!(result.warnings.contains(&Warning::SameMeaning { name: "联系电话", count: 2 }));
}

#[test]
fn passwords_never_enter_the_sheet() {
    let text = format!("{FORM}\n{}\n序号,密码,姓名\n2,hunter3,张三\n", line().replace("secret", "hunter2"));
    let sheet = read(&text);
    let all: String =
        sheet.rows().flat_map(|row| row.cells().map(|(_, cell)| cell.text.to_owned()).collect::<Vec<_>>()).collect();
    assert!(!all.contains("hunter2"), "the column under the heading");
    assert!(!all.contains("hunter3"), "a column under a heading repeated elsewhere");
    assert!(!format!("{sheet:?}").contains("岩温扁"));
    let result = check(&sheet, TODAY).unwrap();
    assert_eq!(result.skipped.iter().map(|s| s.why).collect::<Vec<_>>(), [Skip::RepeatedHeader]);
    assert!(form(&[&line()]).warnings.contains(&Warning::PasswordDropped));
}

#[test]
fn passwords_told_in_titles_headings_and_at_the_foot() {
    let header = FORM.replace("密码", "密码：hunter2");
    let text = format!("初始密码均为 hunter2\n{header}\n{}\n注：密码 hunter2\n", line());
    let sheet = read(text);
    assert_eq!(sheet.header().headings().last(), Some("密码"));
    assert!(sheet.rows().all(|row| row.cells().all(|(_, cell)| !cell.text.contains("hunter2"))));
}

#[test]
fn a_month_that_excel_made_a_date_of() {
    let month = Format::new().set_num_format("mmm-yy");
    let bytes = xlsx(|sheet| {
        grid(sheet, &[&["姓名", "身份证号码", "出生年月"], &["张三", &number("19900517", 1)]])?;
        sheet.write_with_format(1, 2, &ExcelDateTime::from_ymd(1990, 5, 1)?, &month)?;
        Ok(())
    });
    assert_eq!(only(&check(&read(bytes), TODAY).unwrap()).row, 2);
}

#[test]
fn rows_that_are_nobodys() {
    let text = format!(
        "{FORM}\n{}\n2,,,,,,,,,\n\n小计,1人,,,,,,,,\n{FORM}\n备注：以上人员属实,,,,,,,,,\n本单位志愿服务工作负责人：李四,,,,,,13812345678,,,\n",
        line()
    );
    let result = judged(&text);
    let skipped: Vec<_> = result.skipped.iter().map(|s| (s.row, s.why)).collect();
    let wanted =
        [(3, Skip::SerialOnly), (5, Skip::Total), (6, Skip::RepeatedHeader), (7, Skip::Footer), (8, Skip::Footer)];
    assert_eq!(skipped, wanted);
    assert_eq!(only(&result).row, 2);
    assert!(result.warnings.iter().any(|w| matches!(w, Warning::Skipped { why: Skip::Total, count: 1, .. })));
}

#[test]
fn a_header_and_nothing_below() {
    let result = judged(FORM);
    assert!(result.rows.is_empty());
    assert!(result.warnings.contains(&Warning::NoRows));
}

#[test]
fn cells_forced_to_text_by_a_formula_in_csv() {
    let text =
        format!("姓名,身份证号码\n张三,\"=\"\"{}\"\"\"\n李四,=\"{}\"\n", number("19900501", 1), number("19900501", 3));
    assert_eq!(judged(&text).accepted().count(), 2);
}

#[test]
fn cells_without_references_and_errors_newer_than_the_library() {
    let base = xlsx(|sheet| grid(sheet, &[&["姓名"]]));
    let text = |t: &str| format!("<c t=\"inlineStr\"><is><t>{t}</t></is></c>");
    let page = format!(
        "<worksheet><sheetData><row>{}{}{}</row><row>{}{}<c r=\"C2\" t=\"e\"><v>#SPILL!</v></c></row></sheetData></worksheet>",
        text("姓名"),
        text("身份证号码"),
        text("联系电话"),
        text("张三"),
        text(&number("19900501", 1)),
    );
    let result = check(&read(with_part(&base, "xl/worksheets/sheet1.xml", page.as_bytes())), TODAY).unwrap();
    assert_eq!((only(&result).row, only(&result).phone), (2, None));
}

#[test]
fn cells_in_no_order_within_a_row() {
    let base = xlsx(|sheet| grid(sheet, &[&["姓名"]]));
    let cell = |at: &str, t: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{t}</t></is></c>");
    let page = format!(
        "<worksheet><sheetData><row r=\"1\">{}{}</row><row r=\"2\">{}{}</row></sheetData></worksheet>",
        cell("B1", "身份证号码"),
        cell("A1", "姓名"),
        cell("B2", &number("19900501", 1)),
        cell("A2", "张三"),
    );
    let sheet = read(with_part(&base, "xl/worksheets/sheet1.xml", page.as_bytes()));
    assert_eq!(sheet.header().headings().collect::<Vec<_>>(), ["姓名", "身份证号码"]);
    assert_eq!(only(&check(&sheet, TODAY).unwrap()).name.as_str(), "张三");
}
