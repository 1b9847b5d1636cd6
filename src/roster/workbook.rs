//! What the workbooks written here have in common: looks, cell texts that stay texts, saving whole or not at all.

use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::domain::person::is_blank;

/// Why a workbook could not be written. Nothing is left behind at its path.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk is full, the folder is missing or not ours to write in.
    #[error("无法写入文件“{path}”：{source}。请检查磁盘空间和文件夹权限，若该文件正在 Excel 中打开请先关闭")]
    Io {
        /// Where it was to go.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The sheet cannot be expressed as a workbook.
    #[error("无法生成工作簿：{0}")]
    Workbook(String),
}

impl From<XlsxError> for WriteError {
    fn from(error: XlsxError) -> Self {
        Self::Workbook(error.to_string())
    }
}

/// A new workbook with its properties set; `made` is the only date in it.
pub(super) fn new(title: &str, made: Date) -> Result<Workbook, WriteError> {
    let created = ExcelDateTime::from_ymd(made.year().unsigned_abs(), made.month() as u8, made.day() as u8)?;
    let mut workbook = Workbook::new();
    workbook.set_properties(
        &DocProperties::new().set_title(title).set_author("普洱市志愿服务联合会").set_creation_datetime(&created),
    );
    Ok(workbook)
}

/// Writes beside `path` first and renames, so that a full disk leaves either the old file or none.
pub(super) fn save(mut workbook: Workbook, path: &Path) -> Result<(), WriteError> {
    let io = |source| WriteError::Io { path: path.display().to_string(), source };
    let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = workbook.save(&part).map_err(|error| match error {
        XlsxError::IoError(source) => io(source),
        other => other.into(),
    });
    let done = written.and_then(|()| std::fs::rename(&part, path).map_err(io));
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

/// Text of a body cell: bordered, and of the format 文本, so that no program makes a number of it.
pub(super) fn body() -> Format {
    Format::new()
        .set_font_name("宋体")
        .set_font_size(11)
        .set_num_format("@")
        .set_border(FormatBorder::Thin)
        .set_border_color(Color::RGB(0x00BF_BFBF))
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
}

/// A heading.
pub(super) fn heading() -> Format {
    body().set_bold().set_background_color(Color::RGB(0x00DD_E6F0)).set_align(FormatAlign::Center)
}

/// The title line.
pub(super) fn title() -> Format {
    Format::new()
        .set_font_name("黑体")
        .set_font_size(16)
        .set_bold()
        .set_num_format("@")
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
}

/// A plain line of text outside the table.
pub(super) fn line() -> Format {
    Format::new().set_font_name("宋体").set_font_size(11).set_num_format("@").set_align(FormatAlign::VerticalCenter)
}

/// A4 on its side, the table as wide as the page, headings on every page, page numbers.
pub(super) fn print_setup(sheet: &mut Worksheet, heading_row: u32) -> Result<(), WriteError> {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_footer("&C第 &P 页，共 &N 页").set_repeat_rows(heading_row, heading_row)?;
    Ok(())
}

/// `text` without control and direction characters; line breaks stay.
///
/// It is always written as a string cell: text that begins with `= + - @` is never a formula.
pub(super) fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    let hidden = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{2066}'..='\u{2069}') || (is_blank(c) && !c.is_whitespace())
    };
    if text.chars().any(hidden) { text.chars().filter(|&c| !hidden(c)).collect() } else { text.into() }
}

/// The width of a text in columns of half-width characters.
pub(super) fn width(text: &str) -> usize {
    let of_line = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    text.lines().map(of_line).max().unwrap_or(0)
}
