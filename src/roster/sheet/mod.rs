//! Reading a spreadsheet file into a [`Sheet`], whatever program made it, within limits.
//!
//! The kind of file is told by its content. Nothing is trusted: sizes are measured before memory is spent, formulas are
//! never evaluated (their last shown value counts), and a column of passwords never enters the sheet.

mod builder;
mod kind;
mod layout;
mod text;
mod xls;
mod xlsx;

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use super::Field;
use builder::Parts;
pub use kind::Kind;
pub use layout::{KeptRow, Layout};
use serde::{Deserialize, Serialize};

/// What a file may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. Default 50 MiB.
    pub file_bytes: u64,
    /// Bytes of all its parts once decompressed, counted, not believed. Default 512 MiB.
    pub inflated_bytes: u64,
    /// Bytes of the shared texts once decompressed, which are held in memory. Default 64 MiB.
    pub shared_bytes: u64,
    /// Parts in the archive. Default 2,000.
    pub parts: usize,
    /// Rows with something in them. Default 200,000.
    pub rows: usize,
    /// The last column that may hold anything, counted from 1. Default 256.
    pub columns: u16,
    /// Characters in one cell; at most 16,000. Default 2,000.
    pub cell_chars: usize,
    /// Bytes of all cells together. Default 128 MiB.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 50 << 20,
            inflated_bytes: 512 << 20,
            shared_bytes: 64 << 20,
            parts: 2_000,
            rows: 200_000,
            columns: 256,
            cell_chars: 2_000,
            text_bytes: 128 << 20,
        }
    }
}

/// Why a file cannot be read as a roster. `Display` says in Chinese what is so and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The file could not be opened or read.
    #[error("无法读取文件“{path}”：{source}")]
    Io {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder or a device.
    #[error("“{0}”不是文件")]
    NotAFile(String),
    /// No byte in it.
    #[error("文件是空的（0 字节）：请重新导出或重新发送")]
    EmptyFile,
    /// No worksheet has a cell with something in it.
    #[error("工作表是空的，没有任何内容：请检查是否发错了文件")]
    EmptySheet,
    /// Worksheets, but in none a header.
    #[error(
        "前 {rows} 行内没有找到表头（至少要有“姓名”“身份证号码”等列名）；看过的工作表：{}。请使用《普洱市志愿者统计表》的表头",
        sheets.join("、")
    )]
    NoHeader {
        /// How many rows were looked at.
        rows: usize,
        /// The worksheets looked at.
        sheets: Vec<String>,
    },
    /// Only hidden worksheets.
    #[error("所有工作表都被隐藏了：请取消隐藏要提交的工作表后重新保存")]
    AllHidden,
    /// Protected with a password.
    #[error("文件已加密，需要密码才能打开：请在 Excel 或 WPS 中取消密码后重新保存")]
    Encrypted,
    /// Another kind of file.
    #[error("这不是电子表格，而是{}：{}", .0.name(), .0.advice())]
    WrongKind(Kind),
    /// Broken off, or never whole.
    #[error("文件已损坏或不完整，无法读取（{0}）：请用 Excel 或 WPS 打开后另存为 .xlsx 再提交")]
    Damaged(String),
    /// Text that is neither UTF-8 nor GB18030.
    #[error("文本文件的编码无法识别（第 {row} 行附近）：请另存为 UTF-8 或 GB18030 编码的 CSV，或直接提交 .xlsx")]
    Encoding {
        /// Where it first fails.
        row: u32,
    },
    /// A quotation mark opened and never closed.
    #[error("第 {row} 行的引号没有结束：请检查该行，或直接提交 .xlsx")]
    Quote {
        /// Where it was opened.
        row: u32,
    },
    /// Beyond [`Limits::file_bytes`].
    #[error("文件过大：最多 {} MB。请删去图片等无关内容，或拆成几个文件", limit >> 20)]
    FileTooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// Beyond [`Limits::inflated_bytes`] or [`Limits::shared_bytes`]: a zip bomb, or a sheet with far too much in it.
    #[error("文件解压后过大（超过 {} MB），已拒绝读取：请把名单复制到新的工作簿再提交", limit >> 20)]
    Inflated {
        /// Bytes allowed.
        limit: u64,
    },
    /// Beyond [`Limits::parts`], or styles beyond what any spreadsheet program writes.
    #[error("文件内部结构过于庞大（{0}），已拒绝读取：请把名单复制到新的工作簿再提交")]
    TooComplex(&'static str),
    /// Beyond [`Limits::rows`].
    #[error("行数过多：最多 {limit} 行。请拆成几个文件")]
    TooManyRows {
        /// Rows allowed.
        limit: usize,
    },
    /// Beyond [`Limits::columns`].
    #[error("单元格 {cell} 超出最后允许的列（{}）：请删去右侧无关内容", column_letters(limit.saturating_sub(1)))]
    TooManyColumns {
        /// The first cell outside.
        cell: String,
        /// Columns allowed.
        limit: u16,
    },
    /// Beyond [`Limits::cell_chars`].
    #[error("单元格 {cell} 内容过长：最多 {limit} 个字")]
    CellTooLong {
        /// The cell.
        cell: String,
        /// Characters allowed.
        limit: usize,
    },
    /// Beyond [`Limits::text_bytes`].
    #[error("全部单元格的文字合计过多（超过 {} MB）：请拆成几个文件", limit >> 20)]
    TooMuchText {
        /// Bytes allowed.
        limit: usize,
    },
}

/// One worksheet, or some rows of it: its cells as text, with its header found.
pub struct Sheet {
    name: String,
    text: String,
    cells: Vec<CellRef>,
    rows: Vec<RowRef>,
    header: Header,
    /// Whether the header stands in a part before, and every row here lies below it.
    continued: bool,
    epoch_1904: bool,
    other_sheets: Vec<String>,
}

/// The header row and what its columns mean.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Header {
    /// Its place among the rows that hold anything.
    index: usize,
    /// How many rows it takes, 1 or 2.
    depth: usize,
    /// The first header row as the spreadsheet program numbers it.
    row: u32,
    columns: Vec<HeaderColumn>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct HeaderColumn {
    column: u16,
    heading: String,
    field: Option<Field>,
}

/// What a cell held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellKind {
    /// Nothing, or blanks.
    Empty,
    /// Text.
    Text,
    /// A number; its text has no exponent. Beyond 15 digits it is not what was typed.
    Number,
    /// A date, `1990-05-01` or `1990-05-01 08:30`.
    Date,
    /// A time of day or duration, `08:30`.
    Time,
    /// TRUE or FALSE.
    Bool,
    /// An error value, `#N/A`.
    Error,
}

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'s> {
    /// Its text without blanks at either end.
    pub text: &'s str,
    /// What it held.
    pub kind: CellKind,
}

/// A row that holds something.
#[derive(Clone, Copy)]
pub struct Row<'s> {
    sheet: &'s Sheet,
    index: usize,
}

/// Reads the first worksheet that has a header, skipping hidden and explanatory ones.
///
/// # Errors
/// A [`SheetError`] for anything that is no such file, is broken or goes beyond `limits`.
pub fn read(path: &Path, limits: &Limits) -> Result<Sheet, SheetError> {
    read_bytes(&bytes_of(path, limits)?, limits)
}

/// The bytes of the file at `path`, which may be read with [`read_bytes`] or [`read_in_parts`].
///
/// # Errors
/// [`SheetError::Io`], [`SheetError::NotAFile`], [`SheetError::FileTooLarge`].
pub fn bytes_of(path: &Path, limits: &Limits) -> Result<Vec<u8>, SheetError> {
    let shown = path.display().to_string();
    let io = |source| SheetError::Io { path: shown.clone(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(SheetError::NotAFile(shown));
    }
    if metadata.len() > limits.file_bytes {
        return Err(SheetError::FileTooLarge { limit: limits.file_bytes });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    File::open(path).map_err(io)?.take(limits.file_bytes + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// As [`read`], from memory.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<Sheet, SheetError> {
    read_in_parts(bytes, limits, usize::MAX, |_| Ok(()))
}

/// As [`read_bytes`], but hands rows over while it reads: every `part_rows` rows with something in them (the first part
/// a few more if need be, for its header) go to `emit` as a [`Sheet`] of their own, in order; what is left, at least
/// one row, is returned, and alone names the other worksheets. Limits count over all parts.
///
/// # Errors
/// As [`read`], and then whatever was handed over is no roster: drop it. Or what `emit` refused with, which ends the
/// reading.
pub fn read_in_parts<E: From<SheetError>>(
    bytes: &[u8],
    limits: &Limits,
    part_rows: usize,
    mut emit: impl FnMut(Sheet) -> Result<(), E>,
) -> Result<Sheet, E> {
    if bytes.is_empty() {
        return Err(SheetError::EmptyFile.into());
    }
    if bytes.len() as u64 > limits.file_bytes {
        return Err(SheetError::FileTooLarge { limit: limits.file_bytes }.into());
    }
    let read = match kind::of(bytes)? {
        Kind::Xlsx => xlsx::read,
        Kind::Xls => xls::read,
        Kind::Text => text::read,
        other => return Err(SheetError::WrongKind(other).into()),
    };
    let mut ended = None;
    let mut hand_over = |sheet| match catch_unwind(AssertUnwindSafe(|| emit(sheet))) {
        Ok(Ok(())) => ControlFlow::Continue(()),
        other => {
            ended = Some(other);
            ControlFlow::Break(())
        }
    };
    let parts = Parts { rows: part_rows, emit: &mut hand_over };
    // A parser that panics on a file made to hurt it must not take the program down.
    let done = catch_unwind(AssertUnwindSafe(|| read(bytes, limits, parts)));
    match ended {
        Some(Ok(Err(refused))) => return Err(refused),
        // A panic of the taker's is no damage to the file.
        Some(Err(panic)) => resume_unwind(panic),
        Some(Ok(Ok(()))) | None => {}
    }
    Ok(done.unwrap_or_else(|_| Err(SheetError::Damaged("内部结构不合规范".to_owned())))?)
}

/// The letters of a column counted from 0: 0 → `A`, 26 → `AA`.
pub fn column_letters(column: u16) -> String {
    let mut letters = Vec::new();
    let mut rest = u32::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    letters.iter().rev().map(|&b| char::from(b)).collect()
}

impl Sheet {
    /// The worksheet's name; empty for text files.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Every row that holds anything, title and header included, which stand in the first part.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|index| Row { sheet: self, index })
    }

    /// The rows below the header.
    pub fn data_rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows().skip(if self.continued { 0 } else { self.header.index + self.header.depth })
    }

    /// Other visible worksheets with a header, which were not read.
    pub fn other_sheets(&self) -> &[String] {
        &self.other_sheets
    }

    /// Whether its serial dates count from 1904.
    pub fn epoch_1904(&self) -> bool {
        self.epoch_1904
    }
}

impl std::fmt::Debug for Sheet {
    /// Its shape only: the cells are people's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet")
            .field("name", &self.name)
            .field("rows", &self.rows.len())
            .field("cells", &self.cells.len())
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl Header {
    /// The header's row as the spreadsheet program numbers it; the first of two.
    pub fn row(&self) -> u32 {
        self.row
    }

    /// How many rows it takes, 1 or 2.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The first column, counted from 0, that means `field`.
    pub fn column_of(&self, field: Field) -> Option<u16> {
        self.columns_of(field).next()
    }

    /// Every column that means `field`, from the left.
    pub fn columns_of(&self, field: Field) -> impl Iterator<Item = u16> {
        self.columns.iter().filter(move |c| c.field == Some(field)).map(|c| c.column)
    }

    /// The heading of a column.
    pub fn heading(&self, column: u16) -> Option<&str> {
        self.columns.iter().find(|c| c.column == column).map(|c| c.heading.as_str())
    }

    /// All headings, from the left.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| c.heading.as_str())
    }

    /// Every column that has a heading: counted from 0, the heading, what it means.
    pub fn columns(&self) -> impl Iterator<Item = (u16, &str, Option<Field>)> {
        self.columns.iter().map(|c| (c.column, c.heading.as_str(), c.field))
    }

    /// The last column with a heading, counted from 0.
    pub fn last_column(&self) -> u16 {
        self.columns.last().map_or(0, |c| c.column)
    }
}

impl<'s> Row<'s> {
    /// The row as the spreadsheet program numbers it, from 1.
    pub fn number(&self) -> u32 {
        self.sheet.rows[self.index].number
    }

    /// The cell in a column counted from 0.
    pub fn cell(&self, column: u16) -> Cell<'s> {
        let cells = self.refs();
        // Most rows are filled from the first column on without a gap.
        let found = match cells.get(usize::from(column)) {
            Some(cell) if cell.column == column => Some(cell),
            _ => cells.iter().find(|cell| cell.column == column),
        };
        found.map_or(Cell { text: "", kind: CellKind::Empty }, |cell| self.sheet.resolve(cell))
    }

    /// The cells that hold something, with their columns counted from 0.
    pub fn cells(&self) -> impl Iterator<Item = (u16, Cell<'s>)> {
        let sheet = self.sheet;
        self.refs().iter().map(|cell| (cell.column, sheet.resolve(cell)))
    }

    fn refs(&self) -> &'s [CellRef] {
        let sheet = self.sheet;
        let end = sheet.rows.get(self.index + 1).map_or(sheet.cells.len(), |next| next.first as usize);
        &sheet.cells[sheet.rows[self.index].first as usize..end]
    }
}

impl Sheet {
    fn resolve(&self, cell: &CellRef) -> Cell<'_> {
        let start = cell.start as usize;
        Cell { text: &self.text[start..start + usize::from(cell.len)], kind: cell.kind }
    }
}

#[derive(Clone, Copy)]
struct CellRef {
    start: u32,
    len: u16,
    column: u16,
    kind: CellKind,
}

#[derive(Clone, Copy)]
struct RowRef {
    number: u32,
    first: u32,
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_have_letters() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")] {
            assert_eq!(super::column_letters(column), letters);
        }
    }
}
