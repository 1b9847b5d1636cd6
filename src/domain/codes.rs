//! Code tables of the forms: 政治面貌 (GB/T 4762) and 民族 (GB/T 3304).

use core::fmt;

use super::person::bare;

/// Political status, GB/T 4762.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Political(u8);

impl Political {
    /// Reads a name of the standard (民建会员), its everyday form (党员, 团员, 民建) or its code (01 to 13).
    pub fn parse(text: &str) -> Option<Self> {
        let text = bare(text);
        let index = POLITICAL.iter().position(|(name, others)| *name == text || others.contains(&text.as_ref()));
        match index {
            Some(index) => Some(Self(index as u8 + 1)),
            None if matches!(text.len(), 1 | 2) => text.parse().ok().and_then(Self::from_code),
            None => None,
        }
    }

    /// The entry of a code, 1 to 13.
    pub fn from_code(code: u8) -> Option<Self> {
        (1..=POLITICAL.len() as u8).contains(&code).then_some(Self(code))
    }

    /// The code, 1 to 13.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The name in the standard's short form.
    pub fn name(self) -> &'static str {
        POLITICAL[usize::from(self.0) - 1].0
    }
}

impl fmt::Display for Political {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Ethnicity, GB/T 3304: the 56 peoples, 97 其他 and 98 外国血统中国籍人士.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ethnicity(u8);

impl Ethnicity {
    /// Reads a name with or without 族, or a code.
    pub fn parse(text: &str) -> Option<Self> {
        let text = bare(text);
        if let Some(other) = match text.as_ref() {
            "其他" | "其它" | "其他族" | "未识别" | "未识别民族" => Some(97),
            "外国血统中国籍人士" | "外国血统" | "入籍" => Some(98),
            _ => None,
        } {
            return Some(Self(other));
        }
        if text.len() <= 2 {
            return text.parse().ok().and_then(Self::from_code);
        }
        let stem = text.strip_suffix('族').unwrap_or(&text);
        ETHNICITY.iter().position(|name| *name == stem).map(|index| Self(index as u8 + 1))
    }

    /// The entry of a code: 1 to 56, 97 or 98.
    pub fn from_code(code: u8) -> Option<Self> {
        matches!(code, 1..=56 | 97 | 98).then_some(Self(code))
    }

    /// The code: 1 to 56, 97 or 98.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The name with 族, as on an identity card's back office: 汉族, 哈尼族, 其他.
    pub fn name(self) -> String {
        match self.0 {
            97 => "其他".to_owned(),
            98 => "外国血统中国籍人士".to_owned(),
            code => format!("{}族", ETHNICITY[usize::from(code) - 1]),
        }
    }
}

impl fmt::Display for Ethnicity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// In the order of the codes: the short name, and the other forms people write.
const POLITICAL: [(&str, &[&str]); 13] = [
    ("中共党员", &["党员", "中国共产党党员", "共产党员", "中共正式党员", "正式党员"]),
    ("中共预备党员", &["预备党员", "中国共产党预备党员", "中共党员(预备)", "中共党员(预备期)", "预备期党员"]),
    ("共青团员", &["团员", "中国共产主义青年团团员", "共青团", "共青团团员"]),
    ("民革党员", &["民革", "民革会员", "中国国民党革命委员会会员", "中国国民党革命委员会党员"]),
    ("民盟盟员", &["民盟", "中国民主同盟盟员"]),
    ("民建会员", &["民建", "中国民主建国会会员"]),
    ("民进会员", &["民进", "中国民主促进会会员"]),
    ("农工党党员", &["农工党", "农工党员", "中国农工民主党党员"]),
    ("致公党党员", &["致公党", "致公党员", "中国致公党党员"]),
    ("九三学社社员", &["九三学社", "九三社员"]),
    ("台盟盟员", &["台盟", "台湾民主自治同盟盟员"]),
    ("无党派人士", &["无党派", "无党派民主人士"]),
    ("群众", &["普通群众", "普通公民", "普通居民"]),
];

/// In the order of the codes 1 to 56.
const ETHNICITY: [&str; 56] = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn political_in_all_its_forms() {
        for (text, code) in [
            ("中共党员", 1),
            ("党员", 1),
            ("预备党员", 2),
            ("团 员", 3),
            ("民建", 6),
            ("九三学社社员", 10),
            ("群众", 13),
            ("03", 3),
        ] {
            assert_eq!(Political::parse(text).map(Political::code), Some(code), "{text}");
        }
        for text in ["", "少先队员", "14", "0", "其他"] {
            assert_eq!(Political::parse(text), None, "{text}");
        }
        for code in 1..=13 {
            let entry = Political::from_code(code).unwrap();
            assert_eq!(Political::parse(entry.name()), Some(entry));
        }
    }

    #[test]
    fn fifty_six_peoples_with_and_without_the_suffix() {
        for code in 1..=56 {
            let people = Ethnicity::from_code(code).unwrap();
            assert_eq!(Ethnicity::parse(&people.name()), Some(people));
            assert_eq!(Ethnicity::parse(people.name().trim_end_matches('族')), Some(people));
        }
        assert_eq!(Ethnicity::parse("基诺").map(Ethnicity::code), Some(56));
        assert_eq!(Ethnicity::parse("其他").map(Ethnicity::code), Some(97));
        assert_eq!(Ethnicity::parse("16").map(Ethnicity::code), Some(16));
        for text in ["", "族", "57", "东夷族"] {
            assert_eq!(Ethnicity::parse(text), None, "{text}");
        }
    }
}
