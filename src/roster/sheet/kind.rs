//! What a file is, by its content: names lie (a web page saved as .xls, a workbook renamed .csv).

use std::io::Cursor;

use zip::ZipArchive;

use super::{SheetError, xls};

/// The kinds of file that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Office Open XML workbook, `.xlsx` or `.xlsm`.
    Xlsx,
    /// BIFF5 or BIFF8 workbook in an OLE container, `.xls` (also `.et`).
    Xls,
    /// Text with separators.
    Text,
    /// Binary workbook.
    Xlsb,
    /// OpenDocument spreadsheet.
    Ods,
    /// A worksheet from before Excel 5.
    AncientXls,
    /// A web page, often saved by a web system as .xls.
    Html,
    /// XML, also Excel 2003's.
    Xml,
    /// Word, old or new.
    Word,
    /// PowerPoint, old or new.
    PowerPoint,
    /// PDF.
    Pdf,
    /// A picture.
    Picture,
    /// An archive.
    Archive,
    /// Nothing known.
    Unknown,
}

impl Kind {
    /// Its name in Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "Excel 工作簿",
            Self::Xls => "Excel 97-2003 工作簿",
            Self::Text => "文本文件",
            Self::Xlsb => "Excel 二进制工作簿（.xlsb）",
            Self::Ods => "OpenDocument 表格（.ods）",
            Self::AncientXls => "过旧的 Excel 文件",
            Self::Html => "网页（系统导出的网页常被存成 .xls）",
            Self::Xml => "XML 文件",
            Self::Word => "Word 文档",
            Self::PowerPoint => "演示文稿",
            Self::Pdf => "PDF 文件",
            Self::Picture => "图片",
            Self::Archive => "压缩包",
            Self::Unknown => "无法识别的文件",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Xlsx | Self::Xls | Self::Text => "可以读取",
            Self::Xlsb | Self::Ods | Self::AncientXls | Self::Html | Self::Xml => {
                "请用 Excel 或 WPS 打开，另存为 .xlsx 后提交"
            }
            Self::Word => "请把其中的表格复制到 Excel 或 WPS 表格中，存为 .xlsx 后提交",
            Self::PowerPoint | Self::Pdf | Self::Picture => "请提交填好的《普洱市志愿者统计表》电子表格原件（.xlsx）",
            Self::Archive => "请先解压，再逐个提交其中的电子表格",
            Self::Unknown => "请提交 .xlsx、.xls 或 .csv 文件",
        }
    }
}

/// Tells the kind of `bytes`.
///
/// # Errors
/// [`SheetError::Encrypted`] for an encrypted workbook, [`SheetError::Damaged`] for a container that cannot be opened.
pub(super) fn of(bytes: &[u8]) -> Result<Kind, SheetError> {
    let kind = match bytes {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => return zipped(bytes),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => return xls::kind(bytes),
        [b'%', b'P', b'D', b'F', ..] => Kind::Pdf,
        [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] | [b'G', b'I', b'F', b'8', ..] => Kind::Picture,
        [b'R', b'I', b'F', b'F', ..] | [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Kind::Picture,
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Kind::Picture,
        [b'R', b'a', b'r', b'!', ..] | [b'7', b'z', 0xBC, 0xAF, ..] | [0x1F, 0x8B, ..] => Kind::Archive,
        [b'{', b'\\', b'r', b't', b'f', ..] => Kind::Word,
        [0x09, 0x00 | 0x02 | 0x04, 4 | 6, 0, ..] => Kind::AncientXls,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Kind::Text,
        _ => plain(bytes),
    };
    Ok(kind)
}

fn plain(bytes: &[u8]) -> Kind {
    let head = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let head = &head[..head.len().min(4096)];
    if head.contains(&0) {
        return Kind::Unknown;
    }
    let start = head.trim_ascii_start().to_ascii_lowercase();
    let has = |word: &[u8]| start.windows(word.len()).any(|w| w == word);
    if start.starts_with(b"<?xml") {
        return if has(b"<html") { Kind::Html } else { Kind::Xml };
    }
    let tags: [&[u8]; 7] = [b"<html", b"<!doctype", b"<table", b"<head", b"<meta", b"<style", b"<div"];
    if tags.iter().any(|tag| start.starts_with(tag)) { Kind::Html } else { Kind::Text }
}

fn zipped(bytes: &[u8]) -> Result<Kind, SheetError> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| SheetError::Damaged("压缩结构不完整".to_owned()))?;
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.to_ascii_lowercase()).collect();
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    let kind = if has("xl/workbook.bin") {
        Kind::Xlsb
    } else if has("xl/") || (has("[content_types].xml") && has("workbook.xml")) {
        Kind::Xlsx
    } else if has("word/") {
        Kind::Word
    } else if has("ppt/") {
        Kind::PowerPoint
    } else if has("mimetype") && has("content.xml") {
        Kind::Ods
    } else {
        Kind::Archive
    };
    Ok(kind)
}
