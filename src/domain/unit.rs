//! Groups of units: how many of their people are to register, and how many hours a head they are to serve
//! (notice, 二 and 附件4 五).

use core::fmt;

use super::staff::federation_approves;

/// Which of the notice's target groups a unit belongs to. A school with teachers and students is two units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetGroup {
    /// 党政机关、人民团体、企事业单位、中央省驻普单位、建城区乡镇（在编和非在编）。
    Office,
    /// 思茅镇、南屏镇、倚象镇 and their communities.
    Town,
    /// Teachers of schools in the built-up area.
    Teachers,
    /// Students of 大中专院校 and 高中.
    Students,
    /// Companies in the built-up area.
    Company,
    /// Residents of communities, primary and junior school pupils: no target.
    Open,
}

impl TargetGroup {
    /// Every group, in the notice's order.
    pub const ALL: [Self; 6] = [Self::Office, Self::Town, Self::Teachers, Self::Students, Self::Company, Self::Open];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Town => "town",
            Self::Teachers => "teachers",
            Self::Students => "students",
            Self::Company => "company",
            Self::Open => "open",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Office => "机关企事业",
            Self::Town => "三镇及社区",
            Self::Teachers => "学校教师",
            Self::Students => "学生",
            Self::Company => "公司企业",
            Self::Open => "社区居民与中小学生（无目标）",
        }
    }

    /// Percent of the heads that are to register: 100, or none is asked for.
    pub fn registration_target(self) -> Option<u32> {
        (self != Self::Open).then_some(100)
    }

    /// Hours a head a year in a unit of this county (last two digits of its code): 100 in the city's built-up area, 50 for
    /// its companies, 25 elsewhere; none where no registration is asked for.
    pub fn hours_target(self, county: u8) -> Option<u32> {
        match self {
            Self::Open => None,
            _ if !federation_approves(county) => Some(25),
            Self::Company => Some(50),
            Self::Office | Self::Town | Self::Teachers | Self::Students => Some(100),
        }
    }
}

impl fmt::Display for TargetGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// The longest name of a unit, characters.
pub const LONGEST_NAME: usize = 60;

/// A unit's name as it is kept: without blanks at its ends, 1 to [`LONGEST_NAME`] characters, on one line, nothing invisible.
pub fn unit_name(text: &str) -> Option<String> {
    let name = text.trim();
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let good = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(hidden);
    good.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for group in TargetGroup::ALL {
            assert_eq!(TargetGroup::parse(group.as_str()), Some(group));
        }
        assert_eq!(TargetGroup::parse(""), None);
    }

    #[test]
    fn hours_a_head_by_county_and_group() {
        for (group, county, hours) in [
            (TargetGroup::Office, 0, Some(100)),
            (TargetGroup::Town, 2, Some(100)),
            (TargetGroup::Students, 2, Some(100)),
            (TargetGroup::Company, 2, Some(50)),
            (TargetGroup::Company, 21, Some(25)),
            (TargetGroup::Teachers, 29, Some(25)),
            (TargetGroup::Open, 2, None),
            (TargetGroup::Open, 21, None),
        ] {
            assert_eq!(group.hours_target(county), hours, "{group} {county}");
        }
    }

    #[test]
    fn names_are_one_visible_line() {
        assert_eq!(unit_name(" 普洱市样例局 ").as_deref(), Some("普洱市样例局"));
        for wrong in ["", "  ", "甲\n乙", "甲\u{202e}乙", "甲\u{200b}乙"] {
            assert_eq!(unit_name(wrong), None, "{wrong:?}");
        }
        assert_eq!(unit_name(&"长".repeat(61)), None);
    }
}
