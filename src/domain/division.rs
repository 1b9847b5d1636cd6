//! The divisions of 普洱市, GB/T 2260.

use core::fmt;

use super::person::bare;

/// The city or one of its ten counties.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct County(usize);

/// No division of 普洱市.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}”不是普洱市的县（区）：请用代码 00、02、21 至 29，或名称如“思茅区”")]
pub struct UnknownCounty(pub String);

impl County {
    /// Every division, the city first, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).map(Self)
    }

    /// Reads `02`, `530802`, `思茅区`, `思茅`, or a county's official long name (`宁洱哈尼族彝族自治县`).
    ///
    /// # Errors
    /// [`UnknownCounty`] with the text.
    pub fn parse(text: &str) -> Result<Self, UnknownCounty> {
        let wanted = bare(text);
        let digits = match wanted.as_ref() {
            six if six.len() == 6 && six.starts_with("5308") => &six[4..],
            other => other,
        };
        TABLE
            .iter()
            .position(|(code, name, long)| {
                let stem = name.trim_end_matches(['市', '区', '县']);
                *name == wanted
                    || *long == wanted
                    || stem == wanted
                    || (digits.len() == 2 && digits.parse() == Ok(*code))
            })
            .map(Self)
            .ok_or_else(|| UnknownCounty(text.to_owned()))
    }

    /// The division whose GB/T 2260 code ends in `code`: 0 the city, 2, 21 to 29.
    pub fn from_code(code: u8) -> Option<Self> {
        TABLE.iter().position(|entry| entry.0 == code).map(Self)
    }

    /// The last two digits of the GB/T 2260 code, as in a certificate number.
    pub fn code(self) -> u8 {
        TABLE[self.0].0
    }

    /// The six-digit GB/T 2260 code.
    pub fn full_code(self) -> u32 {
        530_800 + u32::from(self.code())
    }

    /// The short name: 普洱市, 思茅区, 宁洱县.
    pub fn name(self) -> &'static str {
        TABLE[self.0].1
    }
}

impl fmt::Display for County {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for County {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "County({} {})", self.full_code(), self.name())
    }
}

const TABLE: [(u8, &str, &str); 11] = [
    (0, "普洱市", "云南省普洱市"),
    (2, "思茅区", "普洱市思茅区"),
    (21, "宁洱县", "宁洱哈尼族彝族自治县"),
    (22, "墨江县", "墨江哈尼族自治县"),
    (23, "景东县", "景东彝族自治县"),
    (24, "景谷县", "景谷傣族彝族自治县"),
    (25, "镇沅县", "镇沅彝族哈尼族拉祜族自治县"),
    (26, "江城县", "江城哈尼族彝族自治县"),
    (27, "孟连县", "孟连傣族拉祜族佤族自治县"),
    (28, "澜沧县", "澜沧拉祜族自治县"),
    (29, "西盟县", "西盟佤族自治县"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_county() {
        for text in ["02", "530802", "思茅区", "思茅", " 思 茅 区 ", "５３０８０２"] {
            assert_eq!(County::parse(text).unwrap().code(), 2, "{text}");
        }
        assert_eq!(County::parse("镇沅彝族哈尼族拉祜族自治县").unwrap().full_code(), 530_825);
        assert_eq!(County::parse("普洱").unwrap().code(), 0);
        assert_eq!(County::all().count(), 11);
        for county in County::all() {
            assert_eq!(County::from_code(county.code()), Some(county));
            assert_eq!(County::parse(county.name()), Ok(county));
        }
    }

    #[test]
    fn others_are_refused() {
        for text in ["", "昆明", "530102", "01", "2", "30", "530830"] {
            assert!(County::parse(text).is_err(), "{text}");
        }
    }
}
