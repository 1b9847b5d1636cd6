//! Certificate numbers out of pasted text, as people paste it: from Excel, with names beside them, in groups, full-width.

use std::collections::HashSet;
use std::path::Path;

use zyz_credential::CertificateNumber;

use crate::roster::sheet;

/// What a text holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The numbers, each once, in the order in which they come.
    pub numbers: Vec<CertificateNumber>,
    /// What looks like a number and is none, with why.
    pub wrong: Vec<String>,
}

/// Reads a text: one number a line, or several parted by commas, tabs or semicolons. What has no digits is passed over.
pub(super) fn read(text: &str) -> Found {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    for piece in text.split(['\n', '\r', '\t', ',', '，', '、', ';', '；', '|']) {
        take(piece, &mut found, &mut seen);
    }
    found
}

/// The text of a file, or all cells of a spreadsheet, a line each.
pub(super) fn in_file(path: &Path, limits: &sheet::Limits) -> Result<String, String> {
    let bytes = sheet::bytes_of(path, limits).map_err(|error| error.to_string())?;
    let archive = bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]);
    if !archive {
        if bytes.contains(&0) {
            return Err("这不是文本，也不是电子表格。请粘贴编号，或上传 .txt、.csv、.xlsx".into());
        }
        let (text, _, _) = match std::str::from_utf8(&bytes) {
            Ok(text) => return Ok(text.to_owned()),
            Err(_) => encoding_rs::GB18030.decode(&bytes),
        };
        return Ok(text.into_owned());
    }
    let sheet = sheet::read_bytes(&bytes, limits).map_err(|error| match error {
        sheet::SheetError::NoHeader { .. } => {
            "表格里没有找到表头。请把“证书编号”一列复制出来，粘贴到上面的框里".to_owned()
        }
        other => other.to_string(),
    })?;
    let mut text = String::new();
    for row in sheet.data_rows() {
        for (_, cell) in row.cells() {
            // Other numbers of ten and more digits, such as phones, stand in rosters too.
            if CertificateNumber::parse(&digits(cell.text)).is_ok() {
                text.push_str(cell.text);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// The number that the name of a file holds, if it holds ten digits.
pub(super) fn in_file_name(stem: &str) -> Option<Result<CertificateNumber, String>> {
    let digits = digits(stem);
    if digits.len() != 10 {
        return None;
    }
    Some(CertificateNumber::parse(&digits).map_err(|error| format!("编号 {digits} 有误：{error}")))
}

fn take(piece: &str, found: &mut Found, seen: &mut HashSet<CertificateNumber>) {
    let digits = digits(piece);
    if digits.is_empty() {
        return;
    }
    if digits.len() != 10 {
        // Several in a line, parted by spaces only.
        let words: Vec<&str> = piece.split_whitespace().collect();
        if words.len() > 1 && words.iter().any(|word| self::digits(word).len() == 10) {
            for word in words {
                take(word, found, seen);
            }
            return;
        }
        let shown: String = piece.trim().chars().filter(|c| !c.is_control()).take(40).collect();
        found.wrong.push(format!("“{shown}”：不是十位的证书编号"));
        return;
    }
    match CertificateNumber::parse(&digits) {
        Ok(number) => {
            if seen.insert(number) {
                found.numbers.push(number);
            }
        }
        Err(error) => found.wrong.push(format!("{digits}：{error}")),
    }
}

/// The digits of a text, full-width ones too.
fn digits(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '0'..='9' => Some(c),
            '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(serial: u32) -> CertificateNumber {
        CertificateNumber::from_parts(2, serial).unwrap()
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        let (one, two) = (number(1), number(2));
        let text = format!("证书编号\n{}\n{} 李建国\r\n {}，{}", one.grouped(), two, one, two.as_str());
        assert_eq!(read(&text), Found { numbers: vec![one, two], wrong: Vec::new() });
        assert_eq!(read(&format!("{one} {two}")).numbers, [one, two]);
        let wide: String =
            one.as_str().chars().map(|c| char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap()).collect();
        assert_eq!(read(&wide).numbers, [one]);
    }

    #[test]
    fn what_is_no_number_is_named() {
        let mut wrong = number(1).to_string().into_bytes();
        wrong[9] = b'0' + (wrong[9] - b'0' + 1) % 10;
        let found = read(&format!("{}\n12345", String::from_utf8(wrong).unwrap()));
        assert!(found.numbers.is_empty());
        assert_eq!(found.wrong.len(), 2, "{found:?}");
        assert!(found.wrong[1].contains("12345"));
        assert_eq!(read("姓名\n\n"), Found::default());
    }

    #[test]
    fn a_file_is_named_by_its_number() {
        let one = number(1);
        assert_eq!(in_file_name(&format!("{}-岩温扁", one)), Some(Ok(one)));
        assert_eq!(in_file_name(&one.grouped()), Some(Ok(one)));
        assert_eq!(in_file_name("IMG_2031"), None);
        assert!(in_file_name("0200000010").is_some_and(|found| found.is_err() || found == Ok(one)));
    }
}
