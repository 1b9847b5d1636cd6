//! The citizen identity number, GB 11643—1999: 17 digits and a check character.
//!
//! A number is taken as it stands or refused: a spreadsheet that lost digits is told so, never guessed at. Neither
//! `Debug` nor `Display` prints a number in clear; whoever needs it says [`IdentityNumber::as_str`].

use core::fmt;

use jiff::civil::Date;

use super::person::Sex;

/// A valid identity number: its province is known, its date exists, its check character holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityNumber([u8; LENGTH]);

/// Why a text is no identity number. `Display` is Chinese and never repeats the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum IdentityError {
    /// Nothing written.
    #[error("未填写身份证号码")]
    Missing,
    /// Written as a number of more than 15 digits, of which a spreadsheet keeps only the first 15.
    #[error(
        "身份证号码的末几位已被 Excel 毁掉（按数字存放只保留前 15 位）：请先把该列设为“文本”格式，再照证件重新填写"
    )]
    DigitsLost,
    /// A number of the first generation, 15 digits, out of use since 2013.
    #[error("15 位的旧身份证号码已于 2013 年停用：请填写现行 18 位号码")]
    FirstGeneration,
    /// Neither 18 nor 15 characters.
    #[error("身份证号码应为 18 位，此处为 {found} 位")]
    Length {
        /// How many characters were found.
        found: usize,
    },
    /// A character that has no place in a number.
    #[error("身份证号码含有不应出现的字符“{}”", visible(*.0))]
    Character(char),
    /// The first two digits name no province (GB/T 2260) and no residence permit (81, 82, 83).
    #[error("身份证号码前两位不是任何省级行政区划代码")]
    Province,
    /// Digits 7 to 14 are no day of the calendar from 1900 on.
    #[error("身份证号码中的出生日期不存在")]
    BirthDate,
    /// The last character does not follow from the others.
    #[error("身份证号码校验码不符：请对照证件检查是否录错")]
    CheckCharacter,
}

impl IdentityNumber {
    /// Reads a number as people type it: full-width digits, any space (also NBSP), apostrophes, invisible direction
    /// marks and a lower-case or full-width x are normalised.
    ///
    /// # Errors
    /// One [`IdentityError`], the first that applies in the order of that enum's documentation.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let mut number = [0_u8; LENGTH];
        let mut found = 0;
        let mut stray = None;
        let mut scientific = false;
        for c in text.chars() {
            let c = match fold(c) {
                None => continue,
                Some(c) => c,
            };
            scientific |= matches!(c, 'E' | 'e' | '.');
            if !(c.is_ascii_digit() || (c == 'X' && found == LENGTH - 1)) {
                stray = stray.or(Some(c));
            } else if found < LENGTH {
                number[found] = c as u8;
            }
            found += 1;
        }
        if found == 0 {
            return Err(IdentityError::Missing);
        }
        if let Some(c) = stray {
            // 5.30802E+17 and 530802199001010000.0: what a spreadsheet makes of a number it may not keep.
            return Err(if scientific && reads_as_float(text) {
                IdentityError::DigitsLost
            } else {
                IdentityError::Character(c)
            });
        }
        match found {
            LENGTH => {}
            15 => return Err(IdentityError::FirstGeneration),
            found => return Err(IdentityError::Length { found }),
        }
        let holds = check_character(&number) == number[LENGTH - 1];
        // 15 significant digits leave three zeros. One such number in eleven passes the check, and is then taken:
        // as text it may well be right; a cell that held it as a number is refused by whoever saw the cell.
        if !holds && number.ends_with(b"000") {
            return Err(IdentityError::DigitsLost);
        }
        if !is_province(digits(&number[..2])) {
            return Err(IdentityError::Province);
        }
        birth_date(&number).ok_or(IdentityError::BirthDate)?;
        if holds { Ok(Self(number)) } else { Err(IdentityError::CheckCharacter) }
    }

    /// The 18 characters in clear, upper-case X.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The day of birth, digits 7 to 14.
    pub fn birth_date(&self) -> Date {
        birth_date(&self.0).unwrap_or(Date::ZERO)
    }

    /// The sex, from digit 17: odd is male.
    pub fn sex(&self) -> Sex {
        if self.0[16] % 2 == 1 { Sex::Male } else { Sex::Female }
    }

    /// Whether it is the number of a residence permit of a Hong Kong, Macao or Taiwan resident (81, 82, 83).
    pub fn is_residence_permit(&self) -> bool {
        matches!(&self.0[..2], b"81" | b"82" | b"83")
    }

    /// What may be shown: the first three and the last two characters.
    pub fn masked(&self) -> String {
        let text = self.as_str();
        format!("{}*************{}", &text[..3], &text[16..])
    }
}

impl fmt::Debug for IdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityNumber({})", self.masked())
    }
}

impl fmt::Display for IdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

const LENGTH: usize = 18;

/// GB 11643: the weights of the first 17 digits, and the check character for each remainder modulo 11.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: &[u8; 11] = b"10X98765432";

fn check_character(number: &[u8; LENGTH]) -> u8 {
    let sum: u32 = WEIGHTS.iter().zip(number).map(|(w, d)| w * u32::from(d - b'0')).sum();
    CHECK[(sum % 11) as usize]
}

/// The check character that completes 17 digits, for those who make test numbers; `None` unless given 17 digits.
pub fn check_character_for(digits: &str) -> Option<char> {
    let mut number = [b'0'; LENGTH];
    let bytes = digits.as_bytes();
    if bytes.len() != LENGTH - 1 || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    number[..LENGTH - 1].copy_from_slice(bytes);
    Some(char::from(check_character(&number)))
}

fn digits(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'))
}

fn birth_date(number: &[u8; LENGTH]) -> Option<Date> {
    let year = digits(&number[6..10]);
    if !(1900..=2099).contains(&year) {
        return None;
    }
    Date::new(year as i16, digits(&number[10..12]) as i8, digits(&number[12..14]) as i8).ok()
}

/// Province codes of GB/T 2260, and 81 to 83 (GB 11643 as used for residence permits since 2018).
fn is_province(code: u32) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
}

/// The character as it counts, or `None` for one that does not.
fn fold(c: char) -> Option<char> {
    match c {
        '0'..='9' | 'X' => Some(c),
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32),
        'x' | 'Ｘ' | 'ｘ' => Some('X'),
        '\'' | '‘' | '’' | '＇' | '`' | '\u{2032}' => None,
        _ if super::person::is_blank(c) => None,
        _ => Some(c),
    }
}

fn reads_as_float(text: &str) -> bool {
    let folded: String = text.chars().filter_map(fold).collect();
    folded.parse::<f64>().is_ok_and(|n| n.abs() >= 1e15)
}

/// A character as it can be shown in a message: control and direction characters by their number.
pub(crate) fn visible(c: char) -> String {
    let hidden = c.is_control()
        || super::person::is_blank(c)
        || matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{2066}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..);
    if hidden { format!("U+{:04X}", u32::from(c)) } else { c.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_test_values_hold() {
        for (text, permit) in
            [("530802199001010018", false), ("810000199001010019", true), ("830000199001010012", true)]
        {
            let number = IdentityNumber::parse(text).unwrap();
            assert_eq!(number.as_str(), text);
            assert_eq!(number.birth_date(), jiff::civil::date(1990, 1, 1));
            assert_eq!(number.sex(), Sex::Male);
            assert_eq!(number.is_residence_permit(), permit);
        }
    }

    #[test]
    fn typing_habits_are_normalised() {
        let plain = IdentityNumber::parse("530802199001010018").unwrap();
        for text in [
            "５３０８０２１９９００１０１００１８",
            "'530802199001010018",
            "\u{a0}530802 19900101\u{3000}0018 ",
            "\u{202d}530802199001010018\u{202c}",
            "\u{feff}530802199001010018\r\n",
        ] {
            assert_eq!(IdentityNumber::parse(text), Ok(plain), "{text:?}");
        }
    }

    #[test]
    fn a_lower_case_x_is_an_x() {
        let seventeen = (0..999).map(|n| format!("53080219900101{n:03}")).find(|d| check_character_for(d) == Some('X'));
        let seventeen = seventeen.unwrap();
        let wanted = IdentityNumber::parse(&format!("{seventeen}X")).unwrap();
        assert_eq!(IdentityNumber::parse(&format!("{seventeen}x")), Ok(wanted));
        assert_eq!(IdentityNumber::parse(&format!("{seventeen}ｘ")), Ok(wanted));
    }

    #[test]
    fn digits_lost_are_never_repaired() {
        for text in ["5.30802E+17", "5.30802199001010e17", "530802199001010000", "530802199001010000.0", "5.30802E+17 "]
        {
            assert_eq!(IdentityNumber::parse(text), Err(IdentityError::DigitsLost), "{text}");
        }
    }

    #[test]
    fn each_malformation_has_its_name() {
        let refused = |text| IdentityNumber::parse(text).unwrap_err();
        assert_eq!(refused(" \u{a0}'"), IdentityError::Missing);
        assert_eq!(refused("530802900101001"), IdentityError::FirstGeneration);
        assert_eq!(refused("53080219900101001"), IdentityError::Length { found: 17 });
        assert_eq!(refused("5308021990010100188"), IdentityError::Length { found: 19 });
        assert_eq!(refused("5308021990O1010018"), IdentityError::Character('O'));
        assert_eq!(refused("53080219900101X018"), IdentityError::Character('X'));
        assert_eq!(refused("无"), IdentityError::Character('无'));
        assert_eq!(refused("1.5"), IdentityError::Character('.'));
        assert_eq!(refused("990802199001010018"), IdentityError::Province);
        assert_eq!(refused("530802199002300018"), IdentityError::BirthDate);
        assert_eq!(refused("530802189901010018"), IdentityError::BirthDate);
        assert_eq!(refused("530802199001010019"), IdentityError::CheckCharacter);
    }

    #[test]
    fn nothing_prints_the_number() {
        let number = IdentityNumber::parse("530802199001010018").unwrap();
        assert_eq!(format!("{number:?}"), "IdentityNumber(530*************18)");
        assert_eq!(number.to_string(), "530*************18");
    }
}
