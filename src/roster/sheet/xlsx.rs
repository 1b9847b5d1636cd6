//! `.xlsx`: measured first by inflating every part into a counter, then streamed cell by cell.

use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use zip::ZipArchive;

use super::builder::{Builder, HEADER_ROWS, Next, Parts};
use super::{CellKind, Limits, Sheet, SheetError};

pub(super) fn read(bytes: &[u8], limits: &Limits, parts: Parts<'_>) -> Result<Sheet, SheetError> {
    measure(bytes, limits)?;
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(refused)?;
    let names = candidates(book.sheets_metadata().iter().map(|sheet| {
        let worksheet = sheet.typ == SheetType::WorkSheet;
        (sheet.name.clone(), worksheet, sheet.visible == SheetVisible::Visible)
    }))?;
    choose(&names, limits, parts, |name, builder| {
        builder.set_epoch_1904(book.has_1904_epoch());
        fill(&mut book, name, builder)
    })
}

/// The visible worksheets in the order to try them: explanatory ones last.
pub(super) fn candidates(sheets: impl Iterator<Item = (String, bool, bool)>) -> Result<Vec<String>, SheetError> {
    let (mut names, mut last, mut hidden) = (Vec::new(), Vec::new(), false);
    for (name, worksheet, visible) in sheets {
        let explains =
            ["说明", "须知", "示例", "样例", "范例", "字典", "代码表", "选项"].iter().any(|w| name.contains(w));
        match (worksheet, visible) {
            (false, _) => {}
            (true, false) => hidden = true,
            (true, true) if explains => last.push(name),
            (true, true) => names.push(name),
        }
    }
    names.append(&mut last);
    match names.is_empty() {
        true if hidden => Err(SheetError::AllHidden),
        true => Err(SheetError::EmptySheet),
        false => Ok(names),
    }
}

/// Reads the first of `names` in which `fill` finds a header, and notes which others have one too.
pub(super) fn choose(
    names: &[String],
    limits: &Limits,
    mut parts: Parts<'_>,
    mut fill: impl FnMut(&str, &mut Builder<'_>) -> Result<(), SheetError>,
) -> Result<Sheet, SheetError> {
    let mut chosen: Option<Sheet> = None;
    let mut any_cell = false;
    for name in names {
        let parts = chosen.is_none().then(|| parts.again());
        let mut builder = Builder::new(name, limits, parts);
        let filled = fill(name, &mut builder);
        match &mut chosen {
            Some(sheet) => {
                if filled.is_ok() && builder.finish().is_ok() {
                    sheet.other_sheets.push(name.clone());
                }
            }
            None => {
                filled?;
                match builder.finish() {
                    Ok(sheet) => chosen = Some(sheet),
                    Err(cells) => any_cell |= cells,
                }
            }
        }
    }
    match chosen {
        Some(sheet) => Ok(sheet),
        None if any_cell => Err(SheetError::NoHeader { rows: HEADER_ROWS, sheets: names.to_vec() }),
        None => Err(SheetError::EmptySheet),
    }
}

/// Hands `value` over as text.
pub(super) fn push(builder: &mut Builder<'_>, row: u32, column: u32, value: &DataRef<'_>) -> Result<Next, SheetError> {
    match value {
        DataRef::SharedString(text) => builder.push(row, column, text, CellKind::Text),
        DataRef::String(text) => builder.push(row, column, text, CellKind::Text),
        DataRef::Empty => Ok(Next::More),
        DataRef::Float(number) => {
            let mut buffer = Digits::default();
            builder.push(row, column, number_text(*number, &mut buffer), CellKind::Number)
        }
        DataRef::Int(number) => builder.push(row, column, &number.to_string(), CellKind::Number),
        DataRef::Bool(value) => builder.push(row, column, if *value { "TRUE" } else { "FALSE" }, CellKind::Bool),
        DataRef::DateTime(at) => {
            let (text, kind) = moment(at);
            builder.push(row, column, &text, kind)
        }
        DataRef::DateTimeIso(text) => {
            let text = text.replace('T', " ");
            builder.push(row, column, text.trim_end_matches('Z'), CellKind::Date)
        }
        DataRef::DurationIso(text) => builder.push(row, column, text, CellKind::Text),
        DataRef::Error(error) => builder.push(row, column, &error.to_string(), CellKind::Error),
    }
}

fn fill(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, builder: &mut Builder<'_>) -> Result<(), SheetError> {
    let mut cells = match book.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(refused(error)),
    };
    loop {
        match cells.next_cell() {
            Ok(Some(cell)) => {
                let (row, column) = cell.get_position();
                if push(builder, row.saturating_add(1), column, cell.get_value())? == Next::Stop {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            // An error value newer than the library (#SPILL!, #CALC!) is no reason to refuse the sheet: an empty cell.
            Err(XlsxError::CellError(_)) => {}
            Err(error) => return Err(refused(error)),
        }
    }
}

fn refused(error: XlsxError) -> SheetError {
    match error {
        XlsxError::Password => SheetError::Encrypted,
        other => SheetError::Damaged(other.to_string().chars().filter(|c| !c.is_control()).take(120).collect()),
    }
}

/// Inflates every part into nothing, counting. Headers in the archive are not believed.
fn measure(bytes: &[u8], limits: &Limits) -> Result<(), SheetError> {
    let damaged = |what: &str| SheetError::Damaged(what.to_owned());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged("压缩结构不完整"))?;
    if archive.len() > limits.parts {
        return Err(SheetError::TooComplex("部件过多"));
    }
    let mut left = limits.inflated_bytes;
    let mut chunk = vec![0_u8; 1 << 16];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| match error {
            zip::result::ZipError::UnsupportedArchive(_) => SheetError::Encrypted,
            _ => damaged("压缩结构不完整"),
        })?;
        let name = part.name().map_err(|_| damaged("部件名称不合规范"))?.to_ascii_lowercase();
        let xml = name.ends_with(".xml") || name.ends_with(".rels");
        let shared = name.ends_with("sharedstrings.xml");
        let sheet = name.contains("worksheets/") && !name.ends_with(".rels");
        // Only worksheets are streamed: what else a reader parses, it holds in memory.
        let mut own = match (shared, sheet, xml) {
            (true, ..) => limits.shared_bytes,
            (_, false, true) => SMALL_PART,
            _ => limits.inflated_bytes,
        };
        let (mut head, mut tags) = (Vec::new(), 0_usize);
        loop {
            let count = part.read(&mut chunk).map_err(|_| damaged("压缩内容损坏"))?;
            if count == 0 {
                break;
            }
            let inflated = &chunk[..count];
            if count as u64 > left.min(own) {
                return Err(SheetError::Inflated { limit: limits.inflated_bytes });
            }
            left -= count as u64;
            own -= count as u64;
            if xml && inflated.contains(&0) {
                return Err(damaged("XML 编码不受支持"));
            }
            if shared && head.len() < HEAD {
                head.extend_from_slice(inflated);
            } else if xml && !sheet && !shared {
                tags += inflated.iter().filter(|&&b| b == b'<').count();
            }
        }
        if tags > MOST_TAGS {
            return Err(SheetError::TooComplex("样式或定义过多"));
        }
        if shared && claimed_strings(&head).is_none_or(|claimed| claimed > limits.shared_bytes / 8) {
            return Err(damaged("文字表的声明不可信"));
        }
    }
    Ok(())
}

/// Bytes of a part that is neither a worksheet nor the shared texts, and tags in it: styles pile up by copying between
/// workbooks, but Excel itself stops at some 65,000 cell formats.
const SMALL_PART: u64 = 16 << 20;
const MOST_TAGS: usize = 600_000;
const HEAD: usize = 4096;

/// What the shared texts' first tag claims to hold, for which a reader makes room at once. `None` unless the part begins
/// with that tag, as every spreadsheet program writes it.
fn claimed_strings(head: &[u8]) -> Option<u64> {
    let head = String::from_utf8_lossy(&head[..head.len().min(HEAD)]);
    let mut rest = head.trim_start_matches('\u{feff}').trim_start();
    if rest.starts_with("<?xml") {
        rest = rest.split_once("?>")?.1.trim_start();
    }
    let (tag, _) = rest.strip_prefix('<')?.split_once('>')?;
    let name = tag.split([' ', '\t', '\r', '\n', '/']).next()?;
    if name != "sst" && !name.ends_with(":sst") {
        return None;
    }
    match tag.split_once("uniqueCount") {
        None => Some(0),
        Some((_, value)) if !value.contains("uniqueCount") => {
            let value = value.trim_start().strip_prefix('=')?.trim_start();
            let value = value.strip_prefix(['"', '\''])?;
            value.split(['"', '\'']).next()?.trim().parse().ok()
        }
        Some(_) => None,
    }
}

#[derive(Default)]
struct Digits {
    integer: Vec<u8>,
    other: String,
}

/// A number without exponent, whole numbers without a decimal point. Of more than 15 digits a spreadsheet program keeps,
/// and shows, the first 15: so does this, rather than show digits that nobody typed.
fn number_text(number: f64, buffer: &mut Digits) -> &str {
    use std::io::Write as _;
    if number.fract() == 0.0 && number.abs() < 1e15 {
        // Writing to memory cannot fail.
        let _ = write!(buffer.integer, "{}", number as i64);
        return std::str::from_utf8(&buffer.integer).unwrap_or_default();
    }
    buffer.other = match number.abs() {
        1e15..1e21 => {
            let (mantissa, exponent) = split_scientific(number);
            format!("{mantissa}{}", "0".repeat(exponent.saturating_sub(14)))
        }
        0.0..1e15 => number.to_string(),
        _ => format!("{number:e}"),
    };
    &buffer.other
}

/// The first 15 digits of a large number, without the point, and its exponent.
fn split_scientific(number: f64) -> (String, usize) {
    let text = format!("{number:.14e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// A serial date or time as text.
fn moment(at: &calamine::ExcelDateTime) -> (String, CellKind) {
    let value = at.as_f64();
    // Beyond the year 9999 or before 1900 it is a number that happens to be formatted as a date.
    if !(0.0..2_958_466.0).contains(&value) {
        let mut buffer = Digits::default();
        return (number_text(value, &mut buffer).to_owned(), CellKind::Number);
    }
    if at.is_duration() || value < 1.0 {
        let minutes = (value * 1440.0).round() as u64;
        return (format!("{:02}:{:02}", minutes / 60, minutes % 60), CellKind::Time);
    }
    let (year, month, day, hour, minute, ..) = at.to_ymd_hms_milli();
    if value.fract() == 0.0 {
        (format!("{year:04}-{month:02}-{day:02}"), CellKind::Date)
    } else {
        (format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"), CellKind::Date)
    }
}
