//! Invented people for the demonstration. No name, number or phone belongs to anybody: identity numbers use serials
//! drawn by rule, phones the prefix 199 followed by 0000.

use jiff::civil::Date;

use crate::domain::identity::check_character_for;

/// One invented person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Full name.
    pub name: String,
    /// 男 or 女.
    pub sex: &'static str,
    /// People (民族).
    pub ethnicity: &'static str,
    /// Birth date.
    pub birth: Date,
    /// 政治面貌, as people write it.
    pub political: &'static str,
    /// Identity number with the right check character.
    pub identity: String,
    /// Mobile number.
    pub phone: String,
}

/// Given names of the three sample units: family names common everywhere, local names, and rare characters both within
/// Extension A and beyond the Basic Multilingual Plane.
const NAMES: [(&str, &str, &str); 66] = [
    ("李建国", "男", "汉族"),
    ("王秀英", "女", "汉族"),
    ("张䶮", "男", "汉族"),
    ("岩温扁", "男", "傣族"),
    ("玉波罕", "女", "傣族"),
    ("扎妥", "男", "拉祜族"),
    ("娜发", "女", "拉祜族"),
    ("艾嘎", "男", "佤族"),
    ("陈㛃", "女", "汉族"),
    ("刘㼆", "男", "汉"),
    ("周𬭎", "男", "汉族"),
    ("吴𫖯", "女", "汉族"),
    ("郑𬱖", "男", "汉族"),
    ("赵𠅤", "女", "哈尼族"),
    ("阿不都·热合曼", "男", "维吾尔族"),
    ("白玉兰", "女", "哈尼族"),
    ("罗正明", "男", "彝族"),
    ("李秀芝", "女", "彝族"),
    ("杨文海", "男", "白族"),
    ("杨晓梅", "女", "白族"),
    ("刀美兰", "女", "傣族"),
    ("岩罕", "男", "布朗族"),
    ("李石保", "男", "拉祜"),
    ("田叶惹", "女", "佤族"),
    ("普丽华", "女", "彝族"),
    ("马立新", "男", "回族"),
    ("何桂芳", "女", "汉族"),
    ("黄志强", "男", "汉族"),
    ("徐婷婷", "女", "汉族"),
    ("孙浩然", "男", "汉族"),
    ("高雪", "女", "汉族"),
    ("欧阳若兰", "女", "汉族"),
    ("司马长风", "男", "汉族"),
    ("林小满", "女", "汉族"),
    ("郭子涵", "男", "汉族"),
    ("唐雨欣", "女", "汉族"),
    ("朱明轩", "男", "汉族"),
    ("曹诗雨", "女", "汉族"),
    ("邓家豪", "男", "汉族"),
    ("许梦瑶", "女", "汉族"),
    ("彭俊杰", "男", "汉族"),
    ("曾思琪", "女", "汉族"),
    ("肖云飞", "男", "汉族"),
    ("谢依娜", "女", "佤族"),
    ("普艳红", "女", "哈尼族"),
    ("李扎克", "男", "拉祜族"),
    ("岩应", "男", "傣族"),
    ("玉香", "女", "傣族"),
    ("董安平", "男", "汉族"),
    ("袁丽萍", "女", "汉族"),
    ("潘春生", "男", "壮族"),
    ("蒋冬梅", "女", "汉族"),
    ("蔡永康", "男", "汉族"),
    ("余海燕", "女", "汉族"),
    ("杜宏伟", "男", "汉族"),
    ("叶青青", "女", "汉族"),
    ("程远", "男", "汉族"),
    ("魏巧云", "女", "汉族"),
    ("苏建平", "男", "汉族"),
    ("吕小凤", "女", "汉族"),
    ("丁国栋", "男", "苗族"),
    ("任静", "女", "汉族"),
    ("沈家宝", "男", "汉族"),
    ("姚金花", "女", "景颇族"),
    ("卢少华", "男", "汉族"),
    ("和丽娟", "女", "纳西族"),
];

const POLITICAL: [&str; 6] = ["中共党员", "群众", "共青团员", "党员", "团员", "民盟盟员"];

/// The whole cast, 66 people between 19 and 58 years old in `year`.
pub fn cast(year: i16) -> Vec<Person> {
    NAMES
        .iter()
        .enumerate()
        .map(|(n, &(name, sex, ethnicity))| {
            let n = n as i16;
            let month = (n * 5 % 12 + 1) as i8;
            let day = (n * 7 % 28 + 1) as i8;
            let birth = Date::constant(year - 19 - (n * 11) % 40, month, day);
            Person {
                name: name.to_owned(),
                sex,
                ethnicity,
                birth,
                political: POLITICAL[n as usize % POLITICAL.len()],
                identity: identity_number("530802", birth, n as u16, sex),
                phone: format!("1990000{:04}", 1000 + n * 37),
            }
        })
        .collect()
}

/// An invented identity number of `area` for somebody born on `birth`; odd serials are male (GB 11643).
pub fn identity_number(area: &str, birth: Date, serial: u16, sex: &str) -> String {
    let serial = 100 + (serial % 400) * 2 + u16::from(sex == "男");
    let first = format!("{area}{:04}{:02}{:02}{serial:03}", birth.year(), birth.month(), birth.day());
    let check = check_character_for(&first).unwrap_or('X');
    format!("{first}{check}")
}
