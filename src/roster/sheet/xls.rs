//! `.xls`: a BIFF stream in an OLE container (MS-CFB, MS-XLS).
//!
//! The library that reads it trusts lengths, chains and corners it finds in the file. So the container and the stream
//! are walked here first: chains that go in circles, dimensions that ask for room and far-off cells that would span a
//! huge rectangle are refused before it sees them.

use std::collections::HashSet;
use std::io::Cursor;

use calamine::{Data, DataRef, Reader, SheetType, SheetVisible, Xls, XlsError};

use super::builder::{Next, Parts};
use super::xlsx::{candidates, choose, push};
use super::{Kind, Limits, Sheet, SheetError};

pub(super) fn kind(bytes: &[u8]) -> Result<Kind, SheetError> {
    let container = Container::open(bytes)?;
    let has = |name: &str| container.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name));
    if has("EncryptedPackage") || has("EncryptionInfo") {
        return Err(SheetError::Encrypted);
    }
    Ok(if has("Workbook") || has("Book") {
        Kind::Xls
    } else if has("WordDocument") {
        Kind::Word
    } else if has("PowerPoint Document") {
        Kind::PowerPoint
    } else {
        Kind::Unknown
    })
}

pub(super) fn read(bytes: &[u8], limits: &Limits, parts: Parts<'_>) -> Result<Sheet, SheetError> {
    let container = Container::open(bytes)?;
    let stream = match container.stream("Workbook")? {
        Some(stream) => stream,
        None => container.stream("Book")?.ok_or_else(|| damaged("没有工作簿内容"))?,
    };
    survey(&stream)?;
    drop(stream);
    let mut book = Xls::new(Cursor::new(bytes)).map_err(refused)?;
    let names = candidates(book.sheets_metadata().iter().map(|sheet| {
        let worksheet = sheet.typ == SheetType::WorkSheet;
        (sheet.name.clone(), worksheet, sheet.visible == SheetVisible::Visible)
    }))?;
    choose(&names, limits, parts, |name, builder| {
        builder.set_epoch_1904(book.has_1904_epoch());
        let range = book.worksheet_range(name).map_err(refused)?;
        let (top, left) = range.start().unwrap_or((0, 0));
        for (row, column, value) in range.used_cells() {
            let (row, column) = (top + row as u32 + 1, left + column as u32);
            if push(builder, row, column, &borrowed(value))? == Next::Stop {
                break;
            }
        }
        Ok(())
    })
}

fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::String(text) => DataRef::SharedString(text),
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(at) => DataRef::DateTime(*at),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

fn refused(error: XlsError) -> SheetError {
    match error {
        XlsError::Password => SheetError::Encrypted,
        other => SheetError::Damaged(other.to_string().chars().filter(|c| !c.is_control()).take(120).collect()),
    }
}

fn damaged(what: &str) -> SheetError {
    SheetError::Damaged(what.to_owned())
}

/// The container's sector table and directory.
struct Container<'b> {
    bytes: &'b [u8],
    sector: usize,
    table: Vec<u32>,
    small_table: Vec<u32>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    start: u32,
    len: u64,
}

const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
const SMALL_SECTOR: usize = 64;
const SMALL_STREAM: u64 = 4096;

impl<'b> Container<'b> {
    fn open(bytes: &'b [u8]) -> Result<Self, SheetError> {
        let header = bytes.get(..512).ok_or_else(|| damaged("文件头不完整"))?;
        let sector = match u16_at(header, 30) {
            9 => 512,
            12 => 4096,
            _ => return Err(damaged("扇区大小不合规范")),
        };
        let mut this = Self { bytes, sector, table: Vec::new(), small_table: Vec::new(), entries: Vec::new() };
        let sectors = bytes.len() / sector;
        // Where the sector table itself lies: 109 places in the header, then a chain of sectors of more.
        let mut places: Vec<u32> = words(&header[76..]).collect();
        let mut next = u32_at(header, 68);
        let mut walked = 0;
        while next < 0xFFFF_FFFA {
            walked += 1;
            if walked > sectors {
                return Err(damaged("扇区链成环"));
            }
            let more = this.sector(next)?;
            places.extend(words(&more[..more.len() - 4]));
            next = u32_at(more, more.len() - 4);
        }
        for place in places.into_iter().filter(|&place| place < 0xFFFF_FFFA) {
            let piece = words(this.sector(place)?).collect::<Vec<_>>();
            this.table.extend(piece);
            if this.table.len() > 2 * (sectors + sector) {
                return Err(damaged("扇区表过长"));
            }
        }
        let directory = this.gather(u32_at(header, 48))?;
        this.entries = directory.chunks_exact(128).map(Entry::read).collect();
        if u32_at(header, 64) > 0 {
            this.small_table = words(&this.gather(u32_at(header, 60))?).collect();
            let root = this.entries.first().map(|root| root.start).ok_or_else(|| damaged("目录为空"))?;
            this.chain(root, &this.table)?;
        }
        Ok(this)
    }

    /// A stream's bytes; `None` if there is none of that name.
    fn stream(&self, name: &str) -> Result<Option<Vec<u8>>, SheetError> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        let mut stream = if entry.len < SMALL_STREAM {
            let small = self.gather(self.entries[0].start)?;
            let mut stream = Vec::new();
            for id in self.chain(entry.start, &self.small_table)? {
                let start = id as usize * SMALL_SECTOR;
                let piece = small.get(start..start + SMALL_SECTOR).ok_or_else(|| damaged("扇区超出文件"))?;
                stream.extend_from_slice(piece);
            }
            stream
        } else {
            self.gather(entry.start)?
        };
        stream.truncate(entry.len as usize);
        Ok(Some(stream))
    }

    fn gather(&self, start: u32) -> Result<Vec<u8>, SheetError> {
        let mut bytes = Vec::new();
        for id in self.chain(start, &self.table)? {
            bytes.extend_from_slice(self.sector(id)?);
        }
        Ok(bytes)
    }

    /// The sectors of a chain, refused if it leaves the table or comes back to itself.
    fn chain(&self, start: u32, table: &[u32]) -> Result<Vec<u32>, SheetError> {
        let mut ids = Vec::new();
        let mut id = start;
        while id != END_OF_CHAIN {
            if ids.len() >= table.len() {
                return Err(damaged("扇区链成环"));
            }
            ids.push(id);
            id = *table.get(id as usize).ok_or_else(|| damaged("扇区超出文件"))?;
        }
        Ok(ids)
    }

    /// One sector; the last may be short.
    fn sector(&self, id: u32) -> Result<&'b [u8], SheetError> {
        let start = (id as usize + 1) * self.sector;
        let end = (start + self.sector).min(self.bytes.len());
        let sector = self.bytes.get(start..end).filter(|s| s.len() >= 128);
        sector.ok_or_else(|| damaged("扇区超出文件"))
    }
}

impl Entry {
    fn read(bytes: &[u8]) -> Self {
        let units = bytes[..64].chunks_exact(2).map(|pair| u16_at(pair, 0)).take_while(|&unit| unit != 0);
        let name = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
        Self { name, start: u32_at(bytes, 116), len: u64::from(u32_at(bytes, 120)) }
    }
}

/// Cells that the rectangles around the sheets' contents may hold together.
const MOST_CELLS: u64 = 4_000_000;
/// Records that may be walked: more than fit into the largest file allowed, but not that many times over.
const MOST_RECORDS: usize = 40_000_000;

fn survey(stream: &[u8]) -> Result<(), SheetError> {
    let mut walked = 0;
    let mut sheets = HashSet::new();
    let mut count = 0_usize;
    for (kind, data) in records(stream, 0) {
        walked += 1;
        match kind {
            0x002F => return Err(SheetError::Encrypted),
            0x0085 if data.len() >= 4 => {
                count += 1;
                // Two sheets at one place would be read twice.
                if !sheets.insert(u32_at(data, 0)) || count > 256 {
                    return Err(damaged("工作表目录不合规范"));
                }
            }
            0x000A => break,
            _ => {}
        }
    }
    let mut cells = 0_u64;
    for start in sheets {
        let mut corners: Option<(u16, u16, u16, u16)> = None;
        for (kind, data) in records(stream, start as usize) {
            walked += 1;
            if walked > MOST_RECORDS {
                return Err(SheetError::TooComplex("记录过多"));
            }
            match kind {
                0x000A => break,
                0x0200 => dimensions(data)?,
                0x0006 | 0x00BD | 0x00D6 | 0x00FD | 0x0203 | 0x0204 | 0x0205 | 0x027E if data.len() >= 6 => {
                    let (row, left) = (u16_at(data, 0), u16_at(data, 2));
                    let right = if kind == 0x00BD { u16_at(data, data.len() - 2) } else { left };
                    let (top, bottom, first, last) = corners.unwrap_or((row, row, left, left));
                    corners = Some((top.min(row), bottom.max(row), first.min(left), last.max(left).max(right)));
                }
                _ => {}
            }
        }
        if let Some((top, bottom, first, last)) = corners {
            cells += (u64::from(bottom - top) + 1) * (u64::from(last - first) + 1);
        }
    }
    if cells > MOST_CELLS { Err(SheetError::TooComplex("单元格分布过广")) } else { Ok(()) }
}

/// The room a sheet claims: at most 65,536 rows of 256 columns, ends not before starts.
fn dimensions(data: &[u8]) -> Result<(), SheetError> {
    let (top, bottom, left, right) = match data.len() {
        10 => (u32::from(u16_at(data, 0)), u32::from(u16_at(data, 2)), u16_at(data, 4), u16_at(data, 6)),
        14.. => (u32_at(data, 0), u32_at(data, 4), u16_at(data, 8), u16_at(data, 10)),
        _ => return Err(damaged("工作表范围不合规范")),
    };
    if bottom > 65_536 || right > 256 || top > bottom || left > right {
        return Err(damaged("工作表范围不合规范"));
    }
    Ok(())
}

/// The records from `start`: type and data, until the stream ends.
fn records(stream: &[u8], start: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = stream.get(start..).unwrap_or_default();
    std::iter::from_fn(move || {
        let kind = u16_at(rest.get(..4)?, 0);
        let len = usize::from(u16_at(rest, 2));
        let data = rest.get(4..4 + len)?;
        rest = &rest[4 + len..];
        Some((kind, data))
    })
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|word| u32_at(word, 0))
}
