//! The list of star volunteers that is put up for public notice (公示) before it is certified.
//!
//! It shows full names, as such notices do, and neither identity numbers nor telephones.

use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::{FormatAlign, IgnoreError};

use super::workbook;
pub use super::workbook::WriteError;
use crate::domain::hours::hours;

/// One volunteer of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarRow {
    /// 姓名
    pub name: String,
    /// 单位
    pub unit: String,
    /// 证书编号 as it is to be shown, such as `02 0001234 9`.
    pub number: String,
    /// Minutes of the year that is certified.
    pub year_minutes: u32,
    /// Minutes of all years.
    pub total_minutes: u32,
    /// The star proposed, 1 to 5.
    pub star: u8,
}

/// Writes the list under `title`, made on the date `made`; `note` (period of notice, where to object) stands below the
/// title unless it is empty.
///
/// # Errors
/// [`WriteError`]; nothing is left at `path` then, or what was there before.
pub fn write(path: &Path, title: &str, note: &str, rows: &[StarRow], made: Date) -> Result<(), WriteError> {
    let mut book = workbook::new(title, made)?;
    let out = book.add_worksheet();
    out.set_name("公示名单")?;
    let centred = workbook::body().set_align(FormatAlign::Center);
    let body = workbook::body();
    out.set_row_height(0, 36)?;
    let last = (COLUMNS.len() - 1) as u16;
    out.merge_range(0, 0, 0, last, &workbook::clean(title), &workbook::title())?;
    let note_look = workbook::line().set_text_wrap().set_align(FormatAlign::Left);
    out.merge_range(1, 0, 1, last, &workbook::clean(note), &note_look)?;
    if !note.is_empty() {
        out.set_row_height(1, 18 * workbook::width(note).div_ceil(96).max(1) as u32)?;
    }
    for (column, (heading, width)) in (0_u16..).zip(COLUMNS) {
        out.set_column_width(column, width)?;
        out.write_string_with_format(2, column, heading, &workbook::heading())?;
    }
    for (index, row) in (0_u32..).zip(rows) {
        let at = index + 3;
        let cells = [
            ((index + 1).to_string(), &centred),
            (row.name.clone(), &centred),
            (row.unit.clone(), &body),
            (row.number.clone(), &centred),
            (hours_text(row.year_minutes), &centred),
            (hours_text(row.total_minutes), &centred),
            (star_name(row.star).to_owned(), &centred),
        ];
        for (column, (text, look)) in (0_u16..).zip(cells) {
            out.write_string_with_format(at, column, workbook::clean(&text), look)?;
        }
    }
    let foot = rows.len() as u32 + 4;
    let date = made.strftime("%Y 年 %-m 月 %-d 日").to_string();
    out.write_string_with_format(foot, last - 1, format!("共 {} 人", rows.len()), &workbook::line())?;
    out.write_string_with_format(foot + 1, last - 1, date, &workbook::line())?;
    out.set_freeze_panes(3, 0)?;
    out.ignore_error_range(0, 0, foot, last, IgnoreError::NumberStoredAsText)?;
    workbook::print_setup(out, 2)?;
    workbook::save(book, path)
}

const COLUMNS: [(&str, f64); 7] = [
    ("序号", 6.0),
    ("姓名", 16.0),
    ("单位", 40.0),
    ("证书编号", 16.0),
    ("年度时长（小时）", 18.0),
    ("累计时长（小时）", 18.0),
    ("拟认定星级", 14.0),
];

fn hours_text(minutes: u32) -> String {
    match u16::try_from(minutes) {
        Ok(minutes) => hours(minutes),
        Err(_) => format!("{:.1}", f64::from(minutes) / 60.0).trim_end_matches(".0").to_owned(),
    }
}

fn star_name(star: u8) -> &'static str {
    ["—", "一星级", "二星级", "三星级", "四星级", "五星级"].get(usize::from(star)).copied().unwrap_or("—")
}
