//! A list of the console as a workbook: a title, one heading row, plain rows. For reading in Excel, not for handing in:
//! the official forms have files of their own.

use jiff::civil::Date;
use rust_xlsxwriter::{FormatAlign, IgnoreError};

use super::workbook;
pub use super::workbook::WriteError;

/// Widest column, in half-width characters.
const WIDEST: usize = 48;
/// Rows whose texts decide the columns' widths.
const MEASURED: usize = 200;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text, always written as text: `=1+1` stays what it says, `0200012349` keeps its zero.
    Text(String),
    /// A whole number, to the right.
    Whole(i64),
    /// A number with up to two decimals (hours, shares), to the right.
    Decimal(f64),
    /// Nothing.
    Empty,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Decimal(number)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// Makes the workbook: `title` above, `headers` on every printed page, one row each of `rows`; `made` is its date. Rows
/// shorter than the headers end early, longer ones are cut.
///
/// # Errors
/// [`WriteError::Workbook`] for more rows or columns than a sheet has (1,048,576 and 16,384).
pub fn table(
    title: &str,
    headers: &[&str],
    rows: impl IntoIterator<Item = Vec<Cell>>,
    made: Date,
) -> Result<Vec<u8>, WriteError> {
    let mut book = workbook::new(title, made)?;
    let sheet = book.add_worksheet();
    sheet.set_name("名单")?;
    let (body, number, decimal) = (
        workbook::body(),
        workbook::body().set_num_format("#,##0").set_align(FormatAlign::Right),
        workbook::body().set_num_format("#,##0.##").set_align(FormatAlign::Right),
    );
    let last = u16::try_from(headers.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let mut rows = rows.into_iter();
    let measured: Vec<Vec<Cell>> = rows.by_ref().take(MEASURED).collect();
    for (column, header) in (0_u16..).zip(headers) {
        let longest = measured.iter().filter_map(|row| row.get(usize::from(column))).map(Cell::width).max();
        let width = workbook::width(header).max(longest.unwrap_or(0)).min(WIDEST) + 3;
        sheet.set_column_width(column, width as f64)?;
    }
    sheet.set_row_height(0, 30)?;
    let title_look = workbook::title();
    match last {
        0 => sheet.write_string_with_format(0, 0, workbook::clean(title), &title_look)?,
        last => sheet.merge_range(0, 0, 0, last, &workbook::clean(title), &title_look)?,
    };
    for (column, header) in (0_u16..).zip(headers) {
        sheet.write_string_with_format(1, column, workbook::clean(header), &workbook::heading())?;
    }
    let mut at = 1;
    for row in measured.into_iter().chain(rows) {
        at += 1;
        for (column, cell) in (0..=last).zip(row) {
            match cell {
                Cell::Text(text) => sheet.write_string_with_format(at, column, workbook::clean(&text), &body)?,
                Cell::Whole(whole) => sheet.write_number_with_format(at, column, whole as f64, &number)?,
                Cell::Decimal(value) => sheet.write_number_with_format(at, column, value, &decimal)?,
                Cell::Empty => sheet.write_blank(at, column, &body)?,
            };
        }
    }
    sheet.set_freeze_panes(2, 0)?;
    sheet.ignore_error_range(0, 0, at.max(1), last, IgnoreError::NumberStoredAsText)?;
    workbook::print_setup(sheet, 1)?;
    Ok(book.save_to_buffer()?)
}

impl Cell {
    fn width(&self) -> usize {
        match self {
            Self::Text(text) => workbook::width(text),
            Self::Whole(whole) => whole.to_string().len(),
            Self::Decimal(value) => format!("{value:.2}").len(),
            Self::Empty => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader, Xlsx};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn texts_stay_texts_and_numbers_numbers() {
        let hostile = ["=cmd|'/c calc'!A1", "+86", "-1", "@SUM(1)", "\u{202e}反\u{7}", "0200012349"];
        let rows = hostile.map(|text| vec![Cell::from(text), Cell::from(7_i64), Cell::from(1.5)]);
        let bytes = table("名单", &["内容", "人数", "小时"], rows, date(2026, 11, 23)).unwrap();
        let mut book = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(book.worksheet_formula("名单").unwrap().cells().count(), 0);
        let sheet = book.worksheet_range("名单").unwrap();
        assert_eq!(sheet.get_value((1, 0)), Some(&Data::String("内容".into())));
        for (row, text) in (2..).zip(["=cmd|'/c calc'!A1", "+86", "-1", "@SUM(1)", "反", "0200012349"]) {
            assert_eq!(sheet.get_value((row, 0)), Some(&Data::String(text.into())));
            assert_eq!(sheet.get_value((row, 1)), Some(&Data::Float(7.0)));
        }
    }

    #[test]
    fn one_column_and_no_rows_are_a_workbook_too() {
        assert!(!table("空", &["姓名"], [], date(2026, 11, 23)).unwrap().is_empty());
    }
}
