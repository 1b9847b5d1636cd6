//! Text with separators: UTF-8 (with or without mark), GB18030, UTF-16 with mark; comma, semicolon or tab.
//!
//! Written here because row numbers must be those a spreadsheet program shows: blank lines count, and a quoted cell may
//! hold line breaks without starting a row.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};

use super::builder::{Builder, HEADER_ROWS, Next, Parts};
use super::{CellKind, Limits, Sheet, SheetError};

pub(super) fn read(bytes: &[u8], limits: &Limits, mut parts: Parts<'_>) -> Result<Sheet, SheetError> {
    let text = decode(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (text, first, separator) = separator(text);
    let mut builder = Builder::new("", limits, Some(parts.again()));
    fill(text, first, separator, &mut builder)?;
    builder.finish().map_err(|any_cell| match any_cell {
        true => SheetError::NoHeader { rows: HEADER_ROWS, sheets: vec!["（文本文件）".to_owned()] },
        false => SheetError::EmptySheet,
    })
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, SheetError> {
    let encoding: &'static Encoding = match bytes {
        [0xFF, 0xFE, ..] => UTF_16LE,
        [0xFE, 0xFF, ..] => UTF_16BE,
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => return Ok(Cow::Borrowed(text)),
            Err(_) => GB18030,
        },
    };
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text);
    }
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let before = text.split('\u{fffd}').next().unwrap_or_default();
    Err(SheetError::Encoding { row: before.matches('\n').count() as u32 + 1 })
}

/// What separates the cells: as `sep=;` on the first line says, else the candidate found most often in the first lines.
fn separator(text: &str) -> (&str, u32, u8) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some([separator]) = line.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (rest, 2, *separator);
    }
    let mut counts = [(b',', 0_usize), (b'\t', 0), (b';', 0)];
    for line in text.lines().take(HEADER_ROWS) {
        let mut quoted = false;
        for byte in line.bytes().take(4096) {
            quoted ^= byte == b'"';
            if let Some((_, count)) = counts.iter_mut().find(|(b, _)| !quoted && *b == byte) {
                *count += 1;
            }
        }
    }
    // Of equals the earlier: a comma.
    let (separator, _) = counts.into_iter().rev().max_by_key(|&(_, count)| count).unwrap_or((b',', 0));
    (text, 1, separator)
}

fn fill(text: &str, first: u32, separator: u8, builder: &mut Builder<'_>) -> Result<(), SheetError> {
    let bytes = text.as_bytes();
    let (mut row, mut column, mut at) = (first, 0_u32, 0);
    let mut unquoted = String::new();
    while at < bytes.len() {
        let cell = if bytes[at] == b'"' {
            unquoted.clear();
            at = quoted(text, at, separator, row, &mut unquoted)?;
            unquoted.as_str()
        } else {
            let start = at;
            while at < bytes.len() && bytes[at] != separator && !matches!(bytes[at], b'\n' | b'\r') {
                at += 1;
            }
            &text[start..at]
        };
        if builder.push(row, column, without_formula(cell), CellKind::Text)? == Next::Stop {
            return Ok(());
        }
        match bytes.get(at) {
            Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => (row, column, at) = (row + 1, 0, at + 2),
            Some(b'\r' | b'\n') => (row, column, at) = (row + 1, 0, at + 1),
            Some(_) => (column, at) = (column + 1, at + 1),
            None => {}
        }
    }
    Ok(())
}

/// Reads the quoted cell at `start` into `cell`; answers where the next separator or line end is.
fn quoted(text: &str, start: usize, separator: u8, row: u32, cell: &mut String) -> Result<usize, SheetError> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    loop {
        let end = text[at..].find('"').map(|found| at + found).ok_or(SheetError::Quote { row })?;
        cell.push_str(&text[at..end]);
        if bytes.get(end + 1) != Some(&b'"') {
            at = end + 1;
            break;
        }
        cell.push('"');
        at = end + 2;
    }
    // What follows the closing quotation mark up to the separator belongs to the cell too.
    let tail = at;
    while at < bytes.len() && bytes[at] != separator && !matches!(bytes[at], b'\n' | b'\r') {
        at += 1;
    }
    cell.push_str(&text[tail..at]);
    Ok(at)
}

/// `="530802…"`: how some systems keep a spreadsheet program from making a number of it. Nothing else is evaluated.
fn without_formula(cell: &str) -> &str {
    let inner = cell.trim().strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(cell)
}
