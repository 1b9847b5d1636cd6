//! What rosters and sheets of hours have in common: which rows are nobody's, which columns must be there, how free text
//! is read, what is to be said about any sheet.

use super::problem::{Reason, Skip, Skipped, Warning};
use super::sheet::{Cell, CellKind, Header, Row, Sheet, column_letters};
use super::{Field, HeaderError};
use crate::domain::person::{bare, half_width, is_blank};

/// A spreadsheet program's error value is nobody's data.
pub(super) fn error_value(cell: Cell<'_>) -> Result<(), Reason> {
    match cell.kind {
        CellKind::Error => Err(Reason::ErrorValue(cell.text.to_owned())),
        _ => Ok(()),
    }
}

/// Free text without control and direction characters, inner blanks made single spaces.
pub(super) fn free_text(text: &str, limit: usize) -> Result<String, Reason> {
    let clean = plain(text);
    if clean.chars().nth(limit).is_some() { Err(Reason::TooLong { limit }) } else { Ok(clean) }
}

/// `text` fit to be shown on one line: blanks single, no control, direction or invisible characters.
fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else if !c.is_control() && !is_blank(c) && !matches!(c, '\u{2066}'..='\u{2069}') {
            clean.push(c);
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// What was written, short enough for a message.
pub(super) fn quote(text: &str) -> String {
    let clean = plain(text);
    match clean.char_indices().nth(20) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// Whether a row is nobody's: only a serial number, a sum, the header again, the foot. A row with `is_data` is somebody's.
pub(super) fn passed_over(row: &Row<'_>, header: &Header, is_data: impl Fn(&Row<'_>) -> bool) -> Option<Skip> {
    if is_data(row) {
        return None;
    }
    let mut cells = row.cells();
    // Nothing left of it: a remark about passwords, dropped while reading.
    let Some((first_column, first)) = cells.next() else { return Some(Skip::Footer) };
    if cells.next().is_none() && header.column_of(Field::Serial) == Some(first_column) {
        let counts = first.text.len() <= 9 && first.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '…'));
        if counts {
            return Some(Skip::SerialOnly);
        }
    }
    let headings = row.cells().filter(|(_, cell)| cell.text.len() <= 60 && Field::of(cell.text).is_some()).count();
    let who = [Field::Name, Field::Identity, Field::CertificateNumber];
    if headings >= 2 && row.cells().any(|(_, cell)| Field::of(cell.text).is_some_and(|field| who.contains(&field))) {
        return Some(Skip::RepeatedHeader);
    }
    let starts = bare(first.text);
    let name = header.column_of(Field::Name).map(|column| bare(row.cell(column).text)).unwrap_or_default();
    let begins = |words: &[&str]| words.iter().any(|word| starts.starts_with(word) || name.starts_with(word));
    if begins(&["合计", "小计", "总计", "共计", "累计"]) {
        return Some(Skip::Total);
    }
    begins(FOOT).then_some(Skip::Footer)
}

/// Whether a cell holds what was meant as an identity number, good or not. A telephone number is too short.
pub(super) fn holds_number(text: &str) -> bool {
    (15..=40).contains(&text.len()) && text.chars().filter(|&c| half_width(c).is_ascii_digit()).count() >= 12
}

/// How the lines at the foot of the forms begin.
const FOOT: &[&str] = &[
    "本单位志愿服务",
    "单位志愿服务工作负责人",
    "志愿服务工作负责人",
    "负责人:",
    "负责人",
    "办公电话",
    "手机号码:",
    "邮箱:",
    "备注",
    "注:",
    "注1",
    "说明:",
    "填表",
    "制表",
    "填报",
    "审核",
    "联系人",
    "联系电话:",
    "单位名称",
    "单位(盖章)",
    "单位负责人",
    "分管领导",
    "日期:",
    "(公章)",
    "(盖章)",
    "盖章",
    "经办人",
    "导入结果",
    "以上",
    "填写说明",
];

/// Refuses a header without one column of each group.
pub(super) fn require(header: &Header, groups: &[&[Field]]) -> Result<(), HeaderError> {
    let missing: Vec<&'static str> = groups
        .iter()
        .filter(|group| group.iter().all(|&field| header.column_of(field).is_none()))
        .map(|group| group[0].name())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = header.headings().map(str::to_owned).collect();
    Err(HeaderError::Missing { row: header.row(), columns: missing, found })
}

/// The one column that means `field`.
pub(super) fn only(header: &Header, field: Field) -> Result<Option<u16>, HeaderError> {
    let mut columns = header.columns_of(field);
    let first = columns.next();
    match (first, columns.next()) {
        (Some(first), Some(second)) => {
            let cell = |column| format!("{}{}", column_letters(column), header.row());
            Err(HeaderError::Twice { field, cells: (cell(first), cell(second)) })
        }
        _ => Ok(first),
    }
}

/// What is to be said about any sheet: passwords, rows passed over, other sheets, columns of one meaning.
pub(super) fn sheet_warnings(sheet: &Sheet, skipped: &[Skipped]) -> Vec<Warning> {
    let header = sheet.header();
    let mut warnings = Vec::new();
    if header.column_of(Field::Password).is_some() {
        warnings.push(Warning::PasswordDropped);
    }
    if !sheet.other_sheets().is_empty() {
        let others = sheet.other_sheets().to_vec();
        warnings.push(Warning::OtherSheets { read: sheet.name().to_owned(), others });
    }
    for field in [Field::Sex, Field::Ethnicity, Field::Political, Field::Phone, Field::Unit, Field::Date, Field::Hours]
    {
        let count = header.columns_of(field).count();
        if count > 1 {
            warnings.push(Warning::SameMeaning { name: field.name(), count });
        }
    }
    for why in [Skip::SerialOnly, Skip::Total, Skip::RepeatedHeader, Skip::Footer] {
        let rows: Vec<u32> = skipped.iter().filter(|s| s.why == why).map(|s| s.row).collect();
        if !rows.is_empty() {
            warnings.push(Warning::Skipped { why, count: rows.len(), rows: rows.into_iter().take(10).collect() });
        }
    }
    warnings
}
