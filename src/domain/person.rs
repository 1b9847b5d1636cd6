//! Who a volunteer is: name, sex, phone, age.

use core::fmt;
use std::borrow::Cow;

use jiff::civil::Date;

use super::identity::visible;

/// Ages that may register, in full years on the day of application, both ends inclusive (普创文办〔2018〕12号: 年龄在14岁到60岁).
pub const AGES: core::ops::RangeInclusive<i32> = 14..=60;

/// Full years lived on `date` by somebody born on `birth`; negative if born later. Someone born on 29 February is a year
/// older on 1 March of a common year.
pub fn age_on(birth: Date, date: Date) -> i32 {
    let had_birthday = (date.month(), date.day()) >= (birth.month(), birth.day());
    i32::from(date.year()) - i32::from(birth.year()) - i32::from(!had_birthday)
}

/// Sex, GB/T 2261.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// 0 未知的性别
    Unknown,
    /// 1 男性
    Male,
    /// 2 女性
    Female,
    /// 9 未说明的性别
    Unstated,
}

impl Sex {
    /// Reads 男, 女, 男性, 女性, 未知, 未说明 or a code 0, 1, 2, 9; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match bare(text).as_ref() {
            "男" | "男性" | "1" | "M" | "m" => Some(Self::Male),
            "女" | "女性" | "2" | "F" | "f" => Some(Self::Female),
            "未知" | "未知的性别" | "0" => Some(Self::Unknown),
            "未说明" | "未说明的性别" | "9" => Some(Self::Unstated),
            _ => None,
        }
    }

    /// The code of GB/T 2261.1: 0, 1, 2 or 9.
    pub fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Male => 1,
            Self::Female => 2,
            Self::Unstated => 9,
        }
    }

    /// The sex of a code of GB/T 2261.1.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Unknown, Self::Male, Self::Female, Self::Unstated].into_iter().find(|s| s.code() == code)
    }

    /// 男, 女, 未知 or 未说明.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "未知",
            Self::Male => "男",
            Self::Female => "女",
            Self::Unstated => "未说明",
        }
    }
}

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A person's name: 2 to 15 Han characters, with single `·` (U+00B7) between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NameError {
    /// Nothing written.
    #[error("未填写姓名")]
    Missing,
    /// Fewer than two Han characters.
    #[error("姓名至少应有 2 个汉字")]
    TooShort,
    /// More than fifteen Han characters.
    #[error("姓名最多 15 个汉字，此处为 {found} 个")]
    TooLong {
        /// How many were found.
        found: usize,
    },
    /// A `·` at the start, at the end or next to another.
    #[error("姓名中的间隔号“·”只能单个用在汉字之间")]
    MisplacedDot,
    /// A character of the private use area, which each machine draws as it likes.
    #[error("姓名含有私用区字符 {}：请改用该字的标准编码重新录入（不要用造字）", visible(*.0))]
    PrivateUse(char),
    /// Any other character that is neither Han nor `·`.
    #[error("姓名含有不是汉字的字符“{}”", visible(*.0))]
    Character(char),
}

impl PersonName {
    /// Reads a name; spaces are dropped and the look-alikes of the middle dot (• ・ ․ ‧ ・ ⋅ ∙ .) become `·`.
    ///
    /// # Errors
    /// One [`NameError`]: the first odd character, or else what is wrong with the whole.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut name = String::with_capacity(text.len());
        let (mut han, mut misplaced, mut after_dot) = (0, false, true);
        for c in text.chars() {
            if is_han(c) {
                name.push(c);
                han += 1;
                after_dot = false;
            } else if is_middle_dot(c) {
                misplaced |= after_dot;
                name.push('·');
                after_dot = true;
            } else if is_blank(c) {
                continue;
            } else if matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..) {
                return Err(NameError::PrivateUse(c));
            } else {
                return Err(NameError::Character(c));
            }
        }
        match han {
            _ if name.is_empty() => Err(NameError::Missing),
            _ if misplaced || after_dot => Err(NameError::MisplacedDot),
            0..2 => Err(NameError::TooShort),
            2..=15 => Ok(Self(name)),
            found => Err(NameError::TooLong { found }),
        }
    }

    /// The name as it is printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A telephone number: a mobile number of eleven digits, or a landline written `0879-2123456`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

/// Why a text is no telephone number. The number itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PhoneError {
    /// Nothing written.
    #[error("未填写联系电话")]
    Missing,
    /// A character that has no place in a number.
    #[error("联系电话含有不应出现的字符“{}”", visible(*.0))]
    Character(char),
    /// Seven or eight digits: a landline that lost its area code.
    #[error("固定电话缺少区号：请写成“区号-号码”，如 0879-2123456")]
    AreaCode,
    /// No mobile number and no landline.
    #[error("联系电话应为 11 位手机号码或带区号的固定电话，此处有 {digits} 位数字")]
    Shape {
        /// How many digits were found.
        digits: usize,
    },
}

impl Phone {
    /// Reads a number with spaces, hyphens, brackets, +86; of several joined with / 、 ; , or 或 the first valid mobile
    /// number is kept, else the first landline with area code.
    ///
    /// # Errors
    /// The [`PhoneError`] of the first of the numbers.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let mut landline = None;
        let mut first_error = None;
        for piece in text.split(['/', '／', '、', ';', '；', ',', '，', '|', '或', '\n', '\r']) {
            match read_piece(piece) {
                Ok(phone) if phone.is_mobile() => return Ok(phone),
                Ok(phone) => landline = landline.or(Some(phone)),
                Err(PhoneError::Missing) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        landline.ok_or(first_error.unwrap_or(PhoneError::Missing))
    }

    /// The number in clear: eleven digits, or area code, hyphen and number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a mobile number.
    pub fn is_mobile(&self) -> bool {
        self.0.starts_with('1')
    }

    /// What may be shown: the first three and the last two characters.
    pub fn masked(&self) -> String {
        format!("{}******{}", &self.0[..3], &self.0[self.0.len() - 2..])
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Whether `c` is a Han character: the unified ideographs with extensions A to J, the compatibility ideographs, 〇.
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '〇'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}' | '\u{30000}'..='\u{3347F}')
}

/// Whether `c` shows nothing: white space of any width, zero-width characters, direction marks.
pub fn is_blank(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    }
    c.is_whitespace()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' | '\u{180E}')
}

/// `text` without blanks ([`is_blank`]), full-width letters and digits made half-width.
pub fn bare(text: &str) -> Cow<'_, str> {
    match text.chars().all(|c| !is_blank(c) && half_width(c) == c) {
        true => Cow::Borrowed(text),
        false => text.chars().filter(|&c| !is_blank(c)).map(half_width).collect(),
    }
}

/// The half-width form of a full-width character, other characters as they are.
pub fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

fn is_middle_dot(c: char) -> bool {
    matches!(c, '·' | '•' | '・' | '･' | '․' | '‧' | '⋅' | '∙' | '．' | '.')
}

fn read_piece(piece: &str) -> Result<Phone, PhoneError> {
    let mut digits = String::with_capacity(16);
    for c in piece.chars().filter(|&c| !is_blank(c)).map(half_width) {
        match c {
            '0'..='9' => digits.push(c),
            '-' | '—' | '–' | '−' | '‐' | '(' | ')' | '+' | '\'' | '.' | '’' => {}
            _ => return Err(PhoneError::Character(c)),
        }
    }
    let bare = ["0086", "86"].iter().find_map(|p| digits.strip_prefix(p).filter(|d| is_mobile(d))).unwrap_or(&digits);
    if is_mobile(bare) {
        return Ok(Phone(bare.to_owned()));
    }
    // Two mobile numbers with nothing but a space between them.
    if bare.len() == 22 && is_mobile(&bare[..11]) && is_mobile(&bare[11..]) {
        return Ok(Phone(bare[..11].to_owned()));
    }
    // Area codes: 010 and 02x are followed by eight digits, the four-digit ones by seven or eight.
    let area = match bare.as_bytes() {
        [b'0', b'1', b'0', rest @ ..] | [b'0', b'2', _, rest @ ..] if rest.len() == 8 => 3,
        [b'0', b'3'..=b'9', _, _, rest @ ..] if matches!(rest.len(), 7 | 8) => 4,
        _ => 0,
    };
    match bare.len() {
        0 => Err(PhoneError::Missing),
        _ if area > 0 && matches!(bare.as_bytes()[area], b'2'..=b'9') => {
            Ok(Phone(format!("{}-{}", &bare[..area], &bare[area..])))
        }
        7 | 8 => Err(PhoneError::AreaCode),
        digits => Err(PhoneError::Shape { digits }),
    }
}

fn is_mobile(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn age_counts_full_years() {
        let birth = date(1990, 5, 2);
        assert_eq!(age_on(birth, date(2004, 5, 1)), 13);
        assert_eq!(age_on(birth, date(2004, 5, 2)), 14);
        assert_eq!(age_on(birth, date(2051, 5, 1)), 60);
        assert_eq!(age_on(birth, date(2051, 5, 2)), 61);
        assert_eq!(age_on(date(2012, 2, 29), date(2026, 2, 28)), 13);
        assert_eq!(age_on(date(2012, 2, 29), date(2026, 3, 1)), 14);
        assert_eq!(age_on(birth, date(1989, 1, 1)), -2);
    }

    #[test]
    fn names_of_the_place_are_names() {
        for name in ["张三", "岩温扁", "玉波罕", "䶮㛃", "㼆𬭎", "𫖯𬱖", "𠅤〇", "迪丽热巴·迪力木拉提"]
        {
            assert_eq!(PersonName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn dots_and_spaces_are_normalised() {
        for text in ["阿依·古丽", "阿依•古丽", "阿依・古丽", "阿依․古丽", "阿依‧古丽", " 阿依 ·\u{3000}古丽\u{200b}"]
        {
            assert_eq!(PersonName::parse(text).unwrap().as_str(), "阿依·古丽", "{text}");
        }
        assert_eq!(PersonName::parse("张  三").unwrap().as_str(), "张三");
    }

    #[test]
    fn names_refused_by_name() {
        let refused = |text: &str| PersonName::parse(text).unwrap_err();
        assert_eq!(refused(" "), NameError::Missing);
        assert_eq!(refused("张"), NameError::TooShort);
        assert_eq!(refused(&"张".repeat(16)), NameError::TooLong { found: 16 });
        assert_eq!(refused("·张三"), NameError::MisplacedDot);
        assert_eq!(refused("张三·"), NameError::MisplacedDot);
        assert_eq!(refused("张··三"), NameError::MisplacedDot);
        assert_eq!(refused("张三1"), NameError::Character('1'));
        assert_eq!(refused("Zhang San"), NameError::Character('Z'));
        assert_eq!(refused("张\u{E863}"), NameError::PrivateUse('\u{E863}'));
        assert!(refused("张\u{E863}").to_string().contains("U+E863"));
        assert!(refused("张三\u{7}").to_string().contains("U+0007"));
    }

    #[test]
    fn phones_as_people_write_them() {
        for text in [
            "13812345678",
            "138 1234 5678",
            "138-1234-5678",
            "+8613812345678",
            "+86 138 1234 5678",
            "008613812345678",
            "１３８１２３４５６７８",
            "\u{202d}13812345678\u{202c}",
            "13812345678/13987654321",
            "13812345678、0879-2123456",
            "0879-2123456；13812345678",
            "13812345678 13987654321",
        ] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "13812345678", "{text}");
        }
        for text in ["0879-2123456", "08792123456", "(0879)2123456", "0879 212 3456"] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "0879-2123456", "{text}");
        }
        assert_eq!(Phone::parse("010-62345678").unwrap().as_str(), "010-62345678");
    }

    #[test]
    fn phones_refused_by_name() {
        assert_eq!(Phone::parse("　"), Err(PhoneError::Missing));
        assert_eq!(Phone::parse("2123456"), Err(PhoneError::AreaCode));
        assert_eq!(Phone::parse("1381234567"), Err(PhoneError::Shape { digits: 10 }));
        assert_eq!(Phone::parse("12812345678"), Err(PhoneError::Shape { digits: 11 }));
        assert_eq!(Phone::parse("无"), Err(PhoneError::Character('无')));
        assert_eq!(format!("{:?}", Phone::parse("13812345678").unwrap()), "Phone(138******78)");
    }

    #[test]
    fn sex_by_word_and_code() {
        assert_eq!(Sex::parse(" 男 "), Some(Sex::Male));
        assert_eq!(Sex::parse("２"), Some(Sex::Female));
        assert_eq!(Sex::parse("?"), None);
        assert_eq!(Sex::from_code(9), Some(Sex::Unstated));
        assert_eq!(Sex::from_code(3), None);
    }
}
