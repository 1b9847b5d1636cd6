//! Collects cells into a [`Sheet`], finds the header on the way, enforces the limits cell by cell, and cuts finished rows
//! off where they are wanted in parts.

use std::ops::ControlFlow;

use super::{Cell, CellKind, CellRef, Header, HeaderColumn, Limits, Row, RowRef, Sheet, SheetError, column_letters};
use crate::domain::person::is_blank;
use crate::roster::Field;

/// How many rows with something in them are searched for a header.
pub(super) const HEADER_ROWS: usize = 30;

/// Whether to go on handing in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    More,
    /// The header is not here, or was all that was wanted, or nobody wants more.
    Stop,
}

/// How many rows make a part, and who takes it. [`ControlFlow::Break`] ends the reading.
pub(super) struct Parts<'e> {
    pub rows: usize,
    pub emit: &'e mut dyn FnMut(Sheet) -> ControlFlow<()>,
}

impl Parts<'_> {
    pub fn again(&mut self) -> Parts<'_> {
        Parts { rows: self.rows, emit: &mut *self.emit }
    }
}

pub(super) struct Builder<'l> {
    limits: &'l Limits,
    sheet: Sheet,
    found: bool,
    /// Where finished parts go; nowhere if it is only looked whether there is a header.
    parts: Option<Parts<'l>>,
    /// Rows and bytes of text in the parts handed over.
    handed_rows: usize,
    handed_text: usize,
    /// The row being collected, and whether its cells came in order.
    number: u32,
    ordered: bool,
    /// Columns whose cells are dropped unread.
    passwords: Vec<u16>,
}

impl<'l> Builder<'l> {
    pub(super) fn new(name: &str, limits: &'l Limits, parts: Option<Parts<'l>>) -> Self {
        let sheet = Sheet {
            name: name.to_owned(),
            text: String::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            header: Header::default(),
            continued: false,
            epoch_1904: false,
            other_sheets: Vec::new(),
        };
        Self {
            limits,
            sheet,
            found: false,
            parts,
            handed_rows: 0,
            handed_text: 0,
            number: 0,
            ordered: true,
            passwords: Vec::new(),
        }
    }

    /// Says whether serial dates count from 1904; before the first cell.
    pub(super) fn set_epoch_1904(&mut self, epoch_1904: bool) {
        self.sheet.epoch_1904 = epoch_1904;
    }

    /// Takes the cell at `row` (from 1) and `column` (from 0).
    pub(super) fn push(&mut self, row: u32, column: u32, text: &str, kind: CellKind) -> Result<Next, SheetError> {
        let text = trim(text);
        if text.is_empty() {
            return Ok(Next::More);
        }
        if row != self.number {
            if row < self.number {
                return Err(SheetError::Damaged(format!("第 {row} 行的位置颠倒")));
            }
            if self.end_row() == Next::Stop || self.hand_over().is_break() {
                return Ok(Next::Stop);
            }
            if self.handed_rows + self.sheet.rows.len() >= self.limits.rows {
                return Err(SheetError::TooManyRows { limit: self.limits.rows });
            }
            if row > LAST_ROW {
                return Err(SheetError::TooManyRows { limit: LAST_ROW as usize });
            }
            self.number = row;
            self.ordered = true;
            self.sheet.rows.push(RowRef { number: row, first: self.sheet.cells.len() as u32 });
        }
        let Some(column) = u16::try_from(column).ok().filter(|&c| c < self.limits.columns) else {
            let cell = format!("{}{row}", column_letters(column.min(u32::from(u16::MAX)) as u16));
            return Err(SheetError::TooManyColumns { cell, limit: self.limits.columns });
        };
        if self.passwords.contains(&column) {
            return Ok(Next::More);
        }
        let text = match self.told_password(column, text) {
            None => text,
            Some(Some(heading)) => heading,
            Some(None) => return Ok(Next::More),
        };
        let limit = self.limits.cell_chars.min(MOST_CHARS);
        if text.len() > limit && text.chars().nth(limit).is_some() {
            return Err(SheetError::CellTooLong { cell: format!("{}{row}", column_letters(column)), limit });
        }
        let before = self.handed_text + self.sheet.text.len();
        if before + text.len() > self.limits.text_bytes.min(u32::MAX as usize) {
            return Err(SheetError::TooMuchText { limit: self.limits.text_bytes });
        }
        self.ordered &= self.row_cells().last().is_none_or(|last| last.column < column);
        let start = self.sheet.text.len() as u32;
        self.sheet.text.push_str(text);
        self.sheet.cells.push(CellRef { start, len: text.len() as u16, column, kind });
        Ok(Next::More)
    }

    /// The sheet, or the last part of it, if a header was found; otherwise whether there was any cell.
    pub(super) fn finish(mut self) -> Result<Sheet, bool> {
        self.end_row();
        if self.found { Ok(self.sheet) } else { Err(!self.sheet.rows.is_empty()) }
    }

    /// Cuts the finished rows off and hands them over, if they are many enough and no later row can change what the
    /// header is.
    fn hand_over(&mut self) -> ControlFlow<()> {
        let decided = self.sheet.continued || self.sheet.rows.len() > self.sheet.header.index + 1;
        let Some(parts) = self.parts.as_mut().filter(|_| self.found && decided) else {
            return ControlFlow::Continue(());
        };
        let sheet = &mut self.sheet;
        if sheet.rows.len() < parts.rows {
            return ControlFlow::Continue(());
        }
        self.handed_rows += sheet.rows.len();
        self.handed_text += sheet.text.len();
        // The next part will be about as large.
        let next = Sheet {
            name: sheet.name.clone(),
            text: String::with_capacity(sheet.text.len() + sheet.text.len() / 16),
            cells: Vec::with_capacity(sheet.cells.len() + sheet.cells.len() / 16),
            rows: Vec::with_capacity(sheet.rows.len()),
            header: sheet.header.clone(),
            continued: true,
            epoch_1904: sheet.epoch_1904,
            other_sheets: Vec::new(),
        };
        (parts.emit)(std::mem::replace(sheet, next))
    }

    /// What becomes of a text that speaks of passwords: `None` if it does not or may stay, else what stands for it.
    ///
    /// Headings keep the bare word (初始密码：123456 may be written there); lines above the header and at the foot go; a
    /// heading further down, where a header is repeated with other columns, starts the dropping there.
    fn told_password(&mut self, column: u16, text: &str) -> Option<Option<&'static str>> {
        if text.is_ascii() || !(text.contains("密码") || text.contains("口令")) {
            return None;
        }
        let heading = Field::of(text) == Some(Field::Password);
        if !self.found {
            return Some(heading.then_some("密码"));
        }
        // The very heading, not a remark (备注：密码与用户名一致), which would cost the whole column.
        if Field::of_exactly(text) == Some(Field::Password) {
            self.passwords.push(column);
            return Some(None);
        }
        // In a column of its own it is what somebody did (宣传密码安全), at the row's start a line at the foot.
        let foot = column == 0 || self.sheet.header.column_of(Field::Serial) == Some(column);
        foot.then_some(None)
    }

    fn row_cells(&self) -> &[CellRef] {
        self.sheet.rows.last().map_or(&[], |row| &self.sheet.cells[row.first as usize..])
    }

    fn end_row(&mut self) -> Next {
        if self.number == 0 {
            return Next::More;
        }
        if !self.ordered {
            let first = self.sheet.rows.last().map_or(0, |row| row.first as usize);
            self.sheet.cells[first..].sort_by_key(|cell| cell.column);
        }
        let last = self.sheet.rows.len() - 1;
        if self.found {
            if !self.sheet.continued && last == self.sheet.header.index + 1 {
                self.second_header_row(last);
            }
            return Next::More;
        }
        if self.header_row(last) {
            return if self.parts.is_none() { Next::Stop } else { Next::More };
        }
        if self.sheet.rows.len() >= HEADER_ROWS { Next::Stop } else { Next::More }
    }

    /// A row is the header if three of its cells are known headings, or two of which one says who (姓名, 身份证号码, 证书编号).
    fn header_row(&mut self, index: usize) -> bool {
        let row = Row { sheet: &self.sheet, index };
        let columns: Vec<HeaderColumn> = row.cells().map(|(column, cell)| heading(column, cell)).collect();
        let fields: Vec<Field> = columns.iter().filter_map(|c| c.field).collect();
        let who = [Field::Name, Field::Identity, Field::CertificateNumber, Field::NationalNumber];
        let names_who = fields.iter().filter(|field| who.contains(field)).count();
        if names_who == 0 || fields.len() < 2 {
            return false;
        }
        self.found = true;
        self.passwords = columns.iter().filter(|c| c.field == Some(Field::Password)).map(|c| c.column).collect();
        let number = self.sheet.rows[index].number;
        self.sheet.header = Header { index, depth: 1, row: number, columns };
        true
    }

    /// A second header row (联系方式 over 手机 and 邮箱) has headings, no name and no number, where the first had none known.
    fn second_header_row(&mut self, index: usize) {
        let row = Row { sheet: &self.sheet, index };
        let header = &self.sheet.header;
        let who = [Field::Name, Field::Identity, Field::CertificateNumber];
        if who.into_iter().flat_map(|field| header.columns_of(field)).any(|c| row.cell(c).kind != CellKind::Empty) {
            return;
        }
        let known = |column: u16| header.columns.iter().find(|c| c.column == column).and_then(|c| c.field);
        let under: Vec<HeaderColumn> = row.cells().map(|(column, cell)| heading(column, cell)).collect();
        if under.is_empty() || under.iter().any(|c| c.field.is_none()) {
            return;
        }
        let passwords = under.iter().filter(|c| c.field == Some(Field::Password)).map(|c| c.column);
        self.passwords.extend(passwords);
        let replaced: Vec<HeaderColumn> = under
            .into_iter()
            .filter(|c| known(c.column).is_none() || matches!(known(c.column), Some(Field::Phone)))
            .collect();
        let header = &mut self.sheet.header;
        header.columns.retain(|c| replaced.iter().all(|r| r.column != c.column));
        header.columns.extend(replaced);
        header.columns.sort_by_key(|c| c.column);
        header.depth = 2;
    }
}

/// A cell's length is kept in 16 bits of bytes, and a character may take four.
const MOST_CHARS: usize = 16_000;

/// The last row of a worksheet; a text file may go on.
const LAST_ROW: u32 = 1_048_576;

fn heading(column: u16, cell: Cell<'_>) -> HeaderColumn {
    let field = if cell.kind == CellKind::Text { Field::of(cell.text) } else { None };
    let heading = cell.text.chars().filter(|&c| !is_blank(c) && !c.is_control()).take(40).collect();
    HeaderColumn { column, heading, field }
}

fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim_matches(is_blank),
    }
}
