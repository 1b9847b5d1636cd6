//! Stars: 服务1年累计达到100、300、600、1000、1500小时 → 一至五星级 (article on 星级认定 of 普创文办〔2018〕12号).
//!
//! The notice reads "within one year"; other cities count lifetime hours. So the rule is a row with an effective date.
//! Time is counted in minutes, as records are kept in minutes and a half hour must not be rounded away.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::certificate::UnknownWord;

/// The years a certified batch may be for; outside of them a year is a typing error.
pub const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;

/// Over which period the hours that make a star are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// 1 January to 31 December of the batch's year: the literal reading of the notice.
    CalendarYear,
    /// Everything up to the end of the batch's year.
    Lifetime,
    /// The twelve months that end on a given day, by default the last day of the batch's year.
    Rolling12Months,
}

impl Window {
    /// The word stored and configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CalendarYear => "calendar_year",
            Self::Lifetime => "lifetime",
            Self::Rolling12Months => "rolling_12_months",
        }
    }

    /// The words shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::CalendarYear => "自然年度",
            Self::Lifetime => "历年累计",
            Self::Rolling12Months => "连续十二个月",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        [Self::CalendarYear, Self::Lifetime, Self::Rolling12Months]
            .into_iter()
            .find(|window| window.as_str() == text)
            .ok_or_else(|| UnknownWord { what: "统计周期", text: text.to_owned() })
    }

    /// First and last day, both included, of the window for the batch of `year`.
    ///
    /// `until` matters for the rolling window only: its last day, or none for 31 December of `year`.
    pub fn bounds(self, year: i16, until: Option<Date>) -> Result<(Date, Date), StarPolicyError> {
        if !YEARS.contains(&year) {
            return Err(StarPolicyError::Year { year });
        }
        let last = date(year, 12, 31);
        Ok(match self {
            Self::CalendarYear => (date(year, 1, 1), last),
            Self::Lifetime => (Date::MIN, last),
            Self::Rolling12Months => {
                let end = until.unwrap_or(last);
                // The day after, one year back: 2024-02-29 gives 2023-03-01, twelve months and no day twice.
                let start = end.tomorrow().and_then(|day| day.checked_sub(1.year()));
                (start.map_err(|_| StarPolicyError::Year { year })?, end)
            }
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rule in force from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarPolicy {
    /// The first day a batch certified then follows this rule.
    pub effective_from: Date,
    /// Minutes from which one to five stars are given; strictly rising, none zero.
    pub thresholds_minutes: [u32; 5],
    /// The period whose minutes count.
    pub window: Window,
    /// Whether a star once certified stays when a later year is lower.
    pub keep: bool,
}

impl StarPolicy {
    /// The notice's own rule, in force from its date: 100, 300, 600, 1000 and 1500 hours in a calendar year, kept.
    pub fn of_the_notice() -> Self {
        Self {
            effective_from: date(2018, 7, 23),
            thresholds_minutes: [100 * 60, 300 * 60, 600 * 60, 1000 * 60, 1500 * 60],
            window: Window::CalendarYear,
            keep: true,
        }
    }

    /// Refuses thresholds that are zero or do not rise.
    pub fn check(&self) -> Result<(), StarPolicyError> {
        let rising = self.thresholds_minutes.windows(2).all(|pair| pair[0] < pair[1]);
        if self.thresholds_minutes[0] == 0 || !rising {
            return Err(StarPolicyError::Thresholds);
        }
        Ok(())
    }

    /// The star, 0 to 5, that `window_minutes` reach by themselves.
    pub fn star_for(&self, window_minutes: u64) -> u8 {
        self.thresholds_minutes
            .iter()
            .fold(0, |star, &threshold| star + u8::from(window_minutes >= u64::from(threshold)))
    }

    /// The star to certify, given the one certified in the latest earlier batch (0 for none).
    pub fn certified(&self, window_minutes: u64, earlier: u8) -> u8 {
        let earned = self.star_for(window_minutes);
        if self.keep { earned.max(earlier) } else { earned }
    }
}

/// A star level in words, as on the card.
pub fn label(star: u8) -> &'static str {
    match star {
        1 => "一星级志愿者",
        2 => "二星级志愿者",
        3 => "三星级志愿者",
        4 => "四星级志愿者",
        5 => "五星级志愿者",
        _ => "注册志愿者",
    }
}

/// Why a star rule or a batch's year is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StarPolicyError {
    /// A threshold is zero, or not above the one before it.
    #[error("星级时长标准必须大于零，并且从一星到五星逐级增加")]
    Thresholds,
    /// The year is not a plausible one.
    #[error("年度 {year} 不合理，应在 2000 到 2199 之间")]
    Year {
        /// The year given.
        year: i16,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_thresholds() {
        let policy = StarPolicy::of_the_notice();
        let hours = [(100, 1), (300, 2), (600, 3), (1000, 4), (1500, 5)];
        for (hours, star) in hours {
            assert_eq!(policy.star_for(hours * 60), star, "{hours} h");
            assert_eq!(policy.star_for(hours * 60 - 1), star - 1, "a minute under {hours} h");
            assert_eq!(policy.star_for(hours * 60 + 1), star, "a minute over {hours} h");
        }
        assert_eq!(policy.star_for(0), 0);
        assert_eq!(policy.star_for(u64::MAX), 5);
    }

    #[test]
    fn kept_or_not() {
        let keep = StarPolicy::of_the_notice();
        let lapse = StarPolicy { keep: false, ..keep.clone() };
        assert_eq!(keep.certified(100 * 60, 3), 3);
        assert_eq!(lapse.certified(100 * 60, 3), 1);
        assert_eq!(lapse.certified(0, 5), 0);
        assert_eq!(keep.certified(1500 * 60, 3), 5);
        assert_eq!(lapse.certified(1500 * 60, 3), 5);
    }

    #[test]
    fn windows() {
        let year = Window::CalendarYear.bounds(2026, None).unwrap();
        assert_eq!(year, (date(2026, 1, 1), date(2026, 12, 31)));
        let life = Window::Lifetime.bounds(2026, None).unwrap();
        assert_eq!(life, (Date::MIN, date(2026, 12, 31)));
        let rolling = Window::Rolling12Months;
        assert_eq!(rolling.bounds(2026, None).unwrap(), (date(2026, 1, 1), date(2026, 12, 31)));
        assert_eq!(rolling.bounds(2026, Some(date(2026, 9, 30))).unwrap(), (date(2025, 10, 1), date(2026, 9, 30)));
        assert_eq!(rolling.bounds(2024, Some(date(2024, 2, 29))).unwrap(), (date(2023, 3, 1), date(2024, 2, 29)));
        assert_eq!(rolling.bounds(2024, Some(date(2024, 2, 28))).unwrap(), (date(2023, 2, 28), date(2024, 2, 28)));
        assert_eq!(rolling.bounds(2025, Some(date(2025, 2, 28))).unwrap(), (date(2024, 3, 1), date(2025, 2, 28)));
    }

    #[test]
    fn implausible_years_are_refused() {
        for window in [Window::CalendarYear, Window::Lifetime, Window::Rolling12Months] {
            assert_eq!(window.bounds(26, None), Err(StarPolicyError::Year { year: 26 }));
        }
    }

    #[test]
    fn thresholds_must_rise() {
        assert_eq!(StarPolicy::of_the_notice().check(), Ok(()));
        for wrong in [[0, 1, 2, 3, 4], [1, 1, 2, 3, 4], [5, 4, 3, 2, 1]] {
            let policy = StarPolicy { thresholds_minutes: wrong, ..StarPolicy::of_the_notice() };
            assert_eq!(policy.check(), Err(StarPolicyError::Thresholds));
        }
    }

    #[test]
    fn window_words_read_back() {
        for window in [Window::CalendarYear, Window::Lifetime, Window::Rolling12Months] {
            assert_eq!(Window::parse(window.as_str()), Ok(window));
        }
        assert!(Window::parse("year").is_err());
    }
}
