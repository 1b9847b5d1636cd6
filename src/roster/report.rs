//! The workbook sent back to the unit: its own sheet with a column 错误, bad cells red, known rows grey.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, IgnoreError, Workbook, Worksheet};

use super::problem::{Problem, RowOutcome, Warning};
use super::sheet::{Header, Row, Sheet};
pub use super::workbook::WriteError;
use super::{Field, workbook};

/// Writes the report on a sheet to `path` (`.xlsx`), made on the date `made`. `parts` are the sheet as it was read, in
/// order: one, or those of [`super::sheet::read_in_parts`].
///
/// Every cell stands where it stood, so that `G12` in a reason is G12 here. Rows without an outcome (titles, sums, the
/// foot) are repeated plain. A password column stays empty: its cells were never read.
///
/// # Errors
/// [`WriteError`], also if there is no part; nothing is left at `path` then, or what was there before.
pub fn write(
    path: &Path,
    parts: &[Sheet],
    outcomes: &[(u32, RowOutcome)],
    warnings: &[Warning],
    made: Date,
) -> Result<(), WriteError> {
    let mut book = workbook::new("志愿者名单导入结果", made)?;
    let summary = Summary::of(outcomes);
    let page = Page::new(parts)?;
    page.write(book.add_worksheet(), outcomes, &summary)?;
    explain(&mut book, &page.looks, &summary, warnings, made)?;
    workbook::save(book, path)
}

/// How many rows came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows taken in, flagged ones included.
    pub taken: usize,
    /// Of these, rows with a remark.
    pub flagged: usize,
    /// Rows known before.
    pub known: usize,
    /// Rows refused.
    pub refused: usize,
}

impl Summary {
    /// Counts outcomes.
    pub fn of(outcomes: &[(u32, RowOutcome)]) -> Self {
        let mut summary = Self::default();
        for (_, outcome) in outcomes {
            match outcome {
                RowOutcome::New => summary.taken += 1,
                RowOutcome::Flagged { .. } => {
                    summary.taken += 1;
                    summary.flagged += 1;
                }
                RowOutcome::Known { .. } => summary.known += 1,
                RowOutcome::Refused(_) => summary.refused += 1,
            }
        }
        summary
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.taken + self.known + self.refused;
        write!(f, "导入结果：共 {all} 行，接收 {} 行", self.taken)?;
        if self.flagged > 0 {
            write!(f, "（其中 {} 行有提示）", self.flagged)?;
        }
        write!(f, "，已登记 {} 行，退回 {} 行。", self.known, self.refused)?;
        if self.refused > 0 {
            f.write_str("请改正标红的单元格后，把退回的行重新提交。")?;
        }
        Ok(())
    }
}

/// The formats, made once.
struct Looks {
    title: Format,
    line: Format,
    heading: Format,
    plain: Format,
    bad: Format,
    error: Format,
    known: Format,
    flagged: Format,
    summary: Format,
}

/// Where things go.
struct Page<'s> {
    parts: &'s [Sheet],
    name: &'s str,
    header: &'s Header,
    last: u16,
    error: u16,
    passwords: Vec<u16>,
    looks: Looks,
}

impl<'s> Page<'s> {
    fn new(parts: &'s [Sheet]) -> Result<Self, WriteError> {
        let first = parts.first().ok_or_else(|| WriteError::Workbook("没有工作表".to_owned()))?;
        let header = first.header();
        let rows = parts.iter().flat_map(Sheet::rows);
        let last = rows.flat_map(|row| row.cells().map(|(column, _)| column).last()).max().unwrap_or(0);
        let last = last.max(header.last_column());
        let body = workbook::body;
        let red = Color::RGB(0x009C_0006);
        let looks = Looks {
            title: workbook::title(),
            line: workbook::line(),
            heading: workbook::heading(),
            plain: body(),
            bad: body().set_background_color(Color::RGB(0x00FF_C7CE)).set_font_color(red),
            error: body().set_font_color(red),
            known: body().set_background_color(Color::RGB(0x00ED_EDED)).set_font_color(Color::RGB(0x0080_8080)),
            flagged: body().set_background_color(Color::RGB(0x00FF_F2CC)),
            summary: workbook::line().set_bold(),
        };
        let passwords = header.columns_of(Field::Password).collect();
        // A report handed in again keeps its place for the errors.
        let error = header.column_of(Field::Error).unwrap_or(last + 1);
        Ok(Self { parts, name: first.name(), header, last, error, passwords, looks })
    }

    fn rows(&self) -> impl Iterator<Item = Row<'s>> + use<'s> {
        self.parts.iter().flat_map(Sheet::rows)
    }

    fn write(&self, out: &mut Worksheet, outcomes: &[(u32, RowOutcome)], summary: &Summary) -> Result<(), WriteError> {
        out.set_name(safe_name(self.name))?;
        let heading_row = self.header.row() - 1;
        let below = heading_row + self.header.depth() as u32;
        let outcomes: HashMap<u32, &RowOutcome> = outcomes.iter().map(|(row, outcome)| (*row, outcome)).collect();
        let mut last_row = below;
        for row in self.rows() {
            let at = row.number() - 1;
            last_row = last_row.max(at);
            if at < heading_row {
                self.title_row(out, &row)?;
            } else if at < below {
                self.heading_row(out, &row)?;
            } else {
                self.data_row(out, &row, outcomes.get(&row.number()).copied())?;
            }
        }
        for at in heading_row..below {
            out.write_string_with_format(
                at,
                self.error,
                if at == heading_row { "错误" } else { "" },
                &self.looks.heading,
            )?;
        }
        out.write_string_with_format(last_row + 2, 0, summary.to_string(), &self.looks.summary)?;
        self.widths(out)?;
        out.set_freeze_panes(below, 0)?;
        out.autofilter(below - 1, 0, last_row.max(below), self.error.max(self.last))?;
        out.ignore_error_range(0, 0, last_row + 2, self.error.max(self.last), IgnoreError::NumberStoredAsText)?;
        workbook::print_setup(out, heading_row)
    }

    /// A line above the header: the title if it stands alone, spread over the table.
    fn title_row(&self, out: &mut Worksheet, row: &Row<'_>) -> Result<(), WriteError> {
        let at = row.number() - 1;
        let cells: Vec<_> = row.cells().collect();
        let across = self.error.max(self.last);
        match cells.as_slice() {
            [(column, cell)] if at == 0 && *column < across => {
                out.set_row_height(at, 30)?;
                out.merge_range(at, 0, at, across, &workbook::clean(cell.text), &self.looks.title)?;
            }
            cells => {
                for (column, cell) in cells {
                    out.write_string_with_format(at, *column, workbook::clean(cell.text), &self.looks.line)?;
                }
            }
        }
        Ok(())
    }

    fn heading_row(&self, out: &mut Worksheet, row: &Row<'_>) -> Result<(), WriteError> {
        for column in 0..=self.last {
            let text = workbook::clean(row.cell(column).text);
            out.write_string_with_format(row.number() - 1, column, text, &self.looks.heading)?;
        }
        Ok(())
    }

    fn data_row(&self, out: &mut Worksheet, row: &Row<'_>, outcome: Option<&RowOutcome>) -> Result<(), WriteError> {
        let at = row.number() - 1;
        let looks = &self.looks;
        let (base, note, note_look) = match outcome {
            None => {
                for (column, cell) in row.cells().filter(|(column, _)| *column != self.error) {
                    out.write_string_with_format(at, column, workbook::clean(cell.text), &looks.line)?;
                }
                return Ok(());
            }
            Some(RowOutcome::New) => (&looks.plain, String::new(), &looks.plain),
            Some(RowOutcome::Known { note }) => (&looks.known, note.clone(), &looks.known),
            Some(RowOutcome::Flagged { note }) => (&looks.flagged, note.clone(), &looks.flagged),
            Some(RowOutcome::Refused(problems)) => (&looks.plain, reasons(problems), &looks.error),
        };
        let bad: HashSet<u16> = match outcome {
            Some(RowOutcome::Refused(problems)) => problems.iter().filter_map(|problem| problem.column).collect(),
            _ => HashSet::new(),
        };
        for column in (0..=self.last).filter(|&column| column != self.error) {
            let look = if bad.contains(&column) { &looks.bad } else { base };
            let cell = row.cell(column);
            if cell.text.is_empty() || self.passwords.contains(&column) {
                out.write_blank(at, column, look)?;
            } else {
                out.write_string_with_format(at, column, workbook::clean(cell.text), look)?;
            }
        }
        out.write_string_with_format(at, self.error, workbook::clean(&note), note_look)?;
        Ok(())
    }

    /// Columns as wide as most of what is in them.
    fn widths(&self, out: &mut Worksheet) -> Result<(), WriteError> {
        let mut widths = vec![4_usize; usize::from(self.last) + 1];
        for row in self.rows().filter(|row| row.number() >= self.header.row()).take(2_000) {
            for (column, cell) in row.cells() {
                let width = &mut widths[usize::from(column)];
                *width = (*width).max(workbook::width(cell.text));
            }
        }
        for (column, width) in (0_u16..).zip(widths) {
            out.set_column_width(column, width.clamp(6, 32) as f64 + 2.0)?;
        }
        out.set_column_width(self.error, 64)?;
        Ok(())
    }
}

/// Every reason with its cell, one a line.
fn reasons(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// A second page that says what the colours mean and what else there is to know.
fn explain(
    book: &mut Workbook,
    looks: &Looks,
    summary: &Summary,
    warnings: &[Warning],
    made: Date,
) -> Result<(), WriteError> {
    let out = book.add_worksheet();
    // The reader takes a sheet of this name for an explanation, not a roster.
    out.set_name("导入结果说明")?;
    out.set_column_width(0, 14)?.set_column_width(1, 96)?;
    out.set_row_height(0, 30)?;
    out.merge_range(0, 0, 0, 1, "导入结果说明", &looks.title)?;
    let wrapped = workbook::line().set_text_wrap().set_align(FormatAlign::Top);
    let mut at = 2;
    let mut line = |out: &mut Worksheet, look: &Format, key: &str, text: &str| -> Result<(), WriteError> {
        out.write_string_with_format(at, 0, key, look)?;
        out.write_string_with_format(at, 1, text, &wrapped)?;
        at += 1;
        Ok(())
    };
    line(out, &looks.summary, "日期", &made.strftime("%Y 年 %m 月 %d 日").to_string())?;
    line(out, &looks.summary, "结果", &summary.to_string())?;
    line(out, &workbook::line(), "", "")?;
    line(out, &looks.plain, "白色", "已接收")?;
    line(
        out,
        &looks.bad.clone().set_border(FormatBorder::Thin),
        "红色",
        "有错误的单元格，整行退回；原因见“错误”列，改正后重新提交",
    )?;
    line(out, &looks.known, "灰色", "此前已登记，未作改动")?;
    line(out, &looks.flagged, "黄色", "已接收，但有提示，见“错误”列")?;
    if !warnings.is_empty() {
        line(out, &workbook::line(), "", "")?;
    }
    for (index, warning) in warnings.iter().enumerate() {
        line(out, &looks.summary, if index == 0 { "提示" } else { "" }, &workbook::clean(&warning.to_string()))?;
    }
    out.set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

/// A worksheet name that any spreadsheet program takes: 31 characters, none of `[]:*?/\`.
fn safe_name(name: &str) -> String {
    let name: String = workbook::clean(name).chars().filter(|c| !"[]:*?/\\'\n".contains(*c)).take(31).collect();
    if name.trim().is_empty() || name == "导入结果说明" { "名单".to_owned() } else { name }
}
