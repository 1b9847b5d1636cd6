//! The notice's own forms as workbooks: 附件2 《普洱市志愿者统计表》 and 附件3, the 回执. Laid out and worded as they are there;
//! the 密码 column stands there and stays empty.

use jiff::civil::Date;
use rust_xlsxwriter::{FormatAlign, IgnoreError, Worksheet};

use super::workbook;
pub use super::workbook::WriteError;

/// Title of 附件2.
pub const ANNEX_2: &str = "普洱市志愿者统计表";
/// Headings of 附件2.
pub const COLUMNS_2: [&str; 10] =
    ["序号", "姓  名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "用户名", "密码"];
/// What stands below 附件2.
pub const REMARK_2: &str = "备注：用户名由字母和数字组成（6-20个字符），建议由本人姓名汉语拼音第一个字母加单位办公电话组成用户名。\
                            密码栏一律留空：本会不收集密码。";
/// Title of 附件3.
pub const ANNEX_3: &str = "普洱市志愿服务工作分管领导和负责人名单（回执）";
/// Headings of 附件3.
pub const COLUMNS_3: [&str; 7] = ["姓 名", "职 务", "手机号码", "办公电话", "传 真", "QQ号", "备 注"];

/// A person of 附件2, from 姓名 to 用户名: eight texts.
pub type Person2 = [String; 8];

/// Who answers for a unit's 附件2: 负责人, 办公电话, 手机号码, 邮箱.
pub type Foot2 = [String; 4];

/// The line below the title of 附件2.
pub fn head_2(unit: &str, date: Date) -> [String; 2] {
    [format!("单位名称（公章）：{unit}"), format!("日期：{} 年 {} 月 {} 日", date.year(), date.month(), date.day())]
}

/// The line below the table of 附件2.
pub fn foot_2(foot: &Foot2) -> [String; 4] {
    let [name, office, mobile, mail] = foot;
    [
        format!("本单位志愿服务工作负责人：{name}"),
        format!("办公电话：{office}"),
        format!("手机号码：{mobile}"),
        format!("邮箱：{mail}"),
    ]
}

/// 附件2 as a workbook, dated `date`.
///
/// # Errors
/// [`WriteError::Workbook`] for more people than a sheet has rows.
pub fn annex_2(unit: &str, people: &[Person2], foot: &Foot2, date: Date) -> Result<Vec<u8>, WriteError> {
    let mut book = workbook::new(ANNEX_2, date)?;
    let sheet = book.add_worksheet();
    sheet.set_name("统计表")?;
    let widths = [6.0, 12.0, 6.0, 10.0, 11.0, 14.0, 22.0, 15.0, 16.0, 8.0];
    let centred = workbook::body().set_align(FormatAlign::Center);
    title(sheet, ANNEX_2, 9)?;
    let [unit_line, date_line] = head_2(unit, date);
    sheet.merge_range(1, 0, 1, 5, &workbook::clean(&unit_line), &workbook::line())?;
    sheet.merge_range(1, 6, 1, 9, &date_line, &workbook::line().set_align(FormatAlign::Right))?;
    for (column, (heading, width)) in (0_u16..).zip(COLUMNS_2.into_iter().zip(widths)) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(2, column, heading, &workbook::heading())?;
    }
    let mut at = 2;
    for (serial, person) in (1_u32..).zip(people) {
        at += 1;
        sheet.write_number_with_format(at, 0, serial, &centred.clone().set_num_format("0"))?;
        for (column, text) in (1_u16..).zip(person) {
            sheet.write_string_with_format(at, column, workbook::clean(text), &centred)?;
        }
        sheet.write_blank(at, 9, &centred)?;
    }
    let foot = foot_2(foot);
    for ((first, last), text) in [(0, 3), (4, 5), (6, 7), (8, 9)].into_iter().zip(foot) {
        sheet.merge_range(at + 2, first, at + 2, last, &workbook::clean(&text), &workbook::line())?;
    }
    sheet.set_row_height(at + 3, 32)?;
    sheet.merge_range(at + 3, 0, at + 3, 9, REMARK_2, &workbook::line().set_text_wrap())?;
    sheet.set_freeze_panes(3, 0)?;
    sheet.ignore_error_range(0, 0, at + 3, 9, IgnoreError::NumberStoredAsText)?;
    workbook::print_setup(sheet, 2)?;
    Ok(book.save_to_buffer()?)
}

/// 附件3 as a workbook: 分管领导 and 负责人, seven texts each; which of the two it is stands in front of the remark.
///
/// # Errors
/// [`WriteError`] if the workbook cannot be made.
pub fn annex_3(unit: &str, rows: &[[String; 7]; 2], date: Date) -> Result<Vec<u8>, WriteError> {
    let mut book = workbook::new(ANNEX_3, date)?;
    let sheet = book.add_worksheet();
    sheet.set_name("回执")?;
    title(sheet, ANNEX_3, 6)?;
    let owner = format!("单位名称（盖章）：{unit}");
    sheet.merge_range(1, 0, 1, 6, &workbook::clean(&owner), &workbook::line())?;
    for (column, (heading, width)) in
        (0_u16..).zip(COLUMNS_3.into_iter().zip([14.0, 22.0, 16.0, 16.0, 16.0, 16.0, 24.0]))
    {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(2, column, heading, &workbook::heading())?;
    }
    for (at, row) in (3_u32..).zip(remarked(rows)) {
        sheet.set_row_height(at, 28)?;
        for (column, text) in (0_u16..).zip(row) {
            let look = workbook::body().set_align(FormatAlign::Center);
            sheet.write_string_with_format(at, column, workbook::clean(&text), &look)?;
        }
    }
    sheet.ignore_error_range(0, 0, 5, 6, IgnoreError::NumberStoredAsText)?;
    workbook::print_setup(sheet, 2)?;
    Ok(book.save_to_buffer()?)
}

/// The rows of 附件3 with 分管领导 and 负责人 in front of what the unit remarks.
pub fn remarked(rows: &[[String; 7]; 2]) -> [[String; 7]; 2] {
    let mut rows = rows.clone();
    for (row, duty) in rows.iter_mut().zip(["分管领导", "负责人"]) {
        row[6] = if row[6].is_empty() { duty.to_owned() } else { format!("{duty}（{}）", row[6]) };
    }
    rows
}

fn title(sheet: &mut Worksheet, text: &str, last: u16) -> Result<(), WriteError> {
    sheet.set_row_height(0, 34)?;
    sheet.merge_range(0, 0, 0, last, text, &workbook::title())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};
    use jiff::civil::date;

    use super::*;

    fn person(name: &str) -> Person2 {
        [name, "女", "傣族", "1990.01", "群众", "530802199001010018", "13800000001", "=evil"].map(str::to_owned)
    }

    #[test]
    fn the_roster_is_laid_out_as_in_the_notice_and_has_no_password() {
        let foot = ["岩温扁", "0879-2120000", "13800000002", ""].map(str::to_owned);
        let bytes = annex_2("思茅区文化馆", &[person("玉波罕"), person("娜发")], &foot, date(2026, 9, 3)).unwrap();
        let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
        assert_eq!(book.worksheet_formula("统计表").unwrap().cells().count(), 0);
        let sheet = book.worksheet_range("统计表").unwrap();
        let text = |row, column| sheet.get_value((row, column)).map(ToString::to_string).unwrap_or_default();
        assert_eq!(text(0, 0), "普洱市志愿者统计表");
        assert_eq!(
            (text(1, 0).as_str(), text(1, 6).as_str()),
            ("单位名称（公章）：思茅区文化馆", "日期：2026 年 9 月 3 日")
        );
        assert_eq!((0..10).map(|column| text(2, column)).collect::<Vec<_>>(), COLUMNS_2);
        assert_eq!(sheet.get_value((3, 6)), Some(&Data::String("530802199001010018".into())));
        assert_eq!((text(3, 8).as_str(), text(3, 9).as_str(), text(4, 1).as_str()), ("=evil", "", "娜发"));
        assert_eq!(text(6, 0), "本单位志愿服务工作负责人：岩温扁");
    }

    #[test]
    fn both_people_of_the_return_are_named_by_their_duty() {
        let row = |name: &str, remark: &str| [name, "主任", "13800000001", "", "", "", remark].map(str::to_owned);
        let bytes = annex_3("思茅区文化馆", &[row("岩温扁", ""), row("娜发", "兼")], date(2026, 8, 24)).unwrap();
        let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
        let sheet = book.worksheet_range("回执").unwrap();
        let text = |row, column| sheet.get_value((row, column)).map(ToString::to_string).unwrap_or_default();
        assert_eq!((text(3, 6).as_str(), text(4, 6).as_str()), ("分管领导", "负责人（兼）"));
    }
}
