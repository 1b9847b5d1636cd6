//! Service hours: what one entry of the 记录簿 may say, and how entries of one person go together.
//!
//! Source: 普创文办〔2018〕12号 (the 32 service items), 《志愿服务记录与证明出具办法（试行）》 (true hours, entered within ten working days).

use core::fmt;

use jiff::civil::{Date, Weekday};

use super::person::bare;

/// Working days within which a service must be entered (民政部令第67号).
pub const ENTRY_WORKING_DAYS: u32 = 10;

/// One of the 32 service items of the registration form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceItem(u8);

impl ServiceItem {
    /// All 32, in the order of the form.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=ITEMS.len() as u8).map(Self)
    }

    /// Reads a name of the form; quotation marks of any kind do not count (“五老”服务, "五老"服务, 五老服务).
    pub fn parse(text: &str) -> Option<Self> {
        let text = unquoted(text);
        ITEMS.iter().position(|name| unquoted(name) == text).map(|index| Self(index as u8 + 1))
    }

    /// The item at a place of the form, 1 to 32.
    pub fn from_code(code: u8) -> Option<Self> {
        (1..=ITEMS.len() as u8).contains(&code).then_some(Self(code))
    }

    /// Its place in the form, 1 to 32.
    pub fn code(self) -> u8 {
        self.0
    }

    /// Its name as printed on the form.
    pub fn name(self) -> &'static str {
        ITEMS[usize::from(self.0) - 1]
    }
}

impl fmt::Display for ServiceItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for ServiceItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceItem({} {})", self.0, self.name())
    }
}

/// A time of day in minutes since midnight, 0 to 1440 (24:00, as an end).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayMinute(u16);

impl DayMinute {
    /// `None` beyond 1440.
    pub fn new(minutes: u16) -> Option<Self> {
        (minutes <= MINUTES_A_DAY as u16).then_some(Self(minutes))
    }

    /// Minutes since midnight.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for DayMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// When a service took place and how long it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceTime {
    /// The day, Beijing time.
    pub date: Date,
    /// Start and end on that day, where recorded.
    pub span: Option<(DayMinute, DayMinute)>,
    /// What counts, 1 to 1440 minutes; at most the span.
    pub minutes: u16,
}

/// One service of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEntry {
    /// When and how long.
    pub time: ServiceTime,
    /// The activity's name; may be empty.
    pub activity: String,
    /// What was done; may be empty, but not together with `activity`.
    pub content: String,
    /// Where; may be empty.
    pub place: String,
    /// Which of the 32 items, where recorded.
    pub item: Option<ServiceItem>,
    /// Organiser or person in charge, where recorded.
    pub recorder: String,
    /// Entered more than ten working days after the service.
    pub late: bool,
}

/// Why a service time is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HoursError {
    /// Neither hours nor start and end.
    #[error("未填写服务时长：请填写小时数，或开始和结束时间")]
    Missing,
    /// Zero or less.
    #[error("服务时长必须大于 0")]
    NotPositive,
    /// More than a day has.
    #[error("一天的服务时长不可能超过 24 小时")]
    OverADay,
    /// End not after start.
    #[error("结束时间 {end} 不晚于开始时间 {start}：跨零点的服务请按日期分成两行")]
    EndBeforeStart {
        /// Start as written.
        start: DayMinute,
        /// End as written.
        end: DayMinute,
    },
    /// More hours than between start and end.
    #[error("服务时长 {} 小时多于开始至结束之间的 {} 小时", hours(*claimed), hours(*span))]
    OverSpan {
        /// Minutes claimed.
        claimed: u16,
        /// Minutes between start and end.
        span: u16,
    },
    /// A service that has not taken place.
    #[error("服务日期 {date} 在录入日期 {today} 之后")]
    Future {
        /// The service's date.
        date: Date,
        /// The date of entry.
        today: Date,
    },
    /// The same service twice.
    #[error("与{} 的记录重复", other(*with, *row))]
    Repeat {
        /// The other's date.
        with: Date,
        /// The other's row in the same sheet; `None` if it is on record already.
        row: Option<u32>,
    },
    /// Two services at the same time.
    #[error("与{} {start}—{end} 的服务时间重叠", other(*with, *row))]
    Overlap {
        /// The other's date.
        with: Date,
        /// The other's start.
        start: DayMinute,
        /// The other's end.
        end: DayMinute,
        /// The other's row in the same sheet; `None` if it is on record already.
        row: Option<u32>,
    },
    /// With the day's other services more than 24 hours.
    #[error("{date} 当天各项服务合计 {} 小时，超过 24 小时", hours(*total))]
    DayOverfull {
        /// The day.
        date: Date,
        /// The day's sum in minutes with this one.
        total: u16,
    },
}

impl ServiceTime {
    /// Judges one service by itself. `minutes` of `None` takes the span's.
    ///
    /// # Errors
    /// [`HoursError`]: `Missing`, `NotPositive`, `OverADay`, `EndBeforeStart`, `OverSpan` or `Future`.
    pub fn new(
        date: Date,
        span: Option<(DayMinute, DayMinute)>,
        minutes: Option<i64>,
        today: Date,
    ) -> Result<Self, HoursError> {
        if date > today {
            return Err(HoursError::Future { date, today });
        }
        if let Some((start, end)) = span.filter(|(start, end)| start >= end) {
            return Err(HoursError::EndBeforeStart { start, end });
        }
        let between = span.map(|(start, end)| end.0 - start.0);
        let minutes = match minutes {
            None => between.ok_or(HoursError::Missing)?,
            Some(..=0) => return Err(HoursError::NotPositive),
            Some(minutes) => u16::try_from(minutes).ok().filter(|&m| m <= DAY).ok_or(HoursError::OverADay)?,
        };
        match between {
            Some(span) if minutes > span => Err(HoursError::OverSpan { claimed: minutes, span }),
            _ => Ok(Self { date, span, minutes }),
        }
    }

    /// Whether both are at the same time, so far as their spans tell.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.span, other.span) {
            (Some((s, e)), Some((os, oe))) => self.date == other.date && s < oe && os < e,
            _ => false,
        }
    }
}

/// The services of one person so far: refuses what cannot all be true.
///
/// Feed it what is on record first, then each new row in order.
#[derive(Debug, Clone, Default)]
pub struct Diary {
    entries: Vec<(ServiceTime, u64, Option<u32>)>,
}

impl Diary {
    /// Adds a service already on record; `activity` is its activity and content, to tell repeats from two services.
    pub fn record(&mut self, time: ServiceTime, activity: &str) {
        self.entries.push((time, fingerprint(activity), None));
    }

    /// Adds a new one from `row` of a sheet, unless it cannot be.
    ///
    /// # Errors
    /// [`HoursError`]: `Repeat` (same day, span, minutes and activity), `Overlap` or `DayOverfull`.
    pub fn add(&mut self, time: ServiceTime, activity: &str, row: u32) -> Result<(), HoursError> {
        let activity = fingerprint(activity);
        let mut total = u32::from(time.minutes);
        for &(other, what, row) in self.entries.iter().filter(|(other, ..)| other.date == time.date) {
            if other == time && what == activity {
                return Err(HoursError::Repeat { with: other.date, row });
            }
            if let Some((start, end)) = other.span.filter(|_| other.overlaps(&time)) {
                return Err(HoursError::Overlap { with: other.date, start, end, row });
            }
            total += u32::from(other.minutes);
        }
        if total > u32::from(DAY) {
            return Err(HoursError::DayOverfull { date: time.date, total: total.min(u32::from(u16::MAX)) as u16 });
        }
        self.entries.push((time, activity, Some(row)));
        Ok(())
    }
}

/// Working days after `from` up to and including `to`: Monday to Friday but for `holidays`. Zero if `to` is not later.
pub fn working_days_between(from: Date, to: Date, holidays: &[Date]) -> u32 {
    let weekday = |day: Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let days = to.since(from).map_or(0, |span| span.get_days());
    if days <= 0 {
        return 0;
    }
    // Whole weeks hold five each; only the rest is counted day by day.
    let rest = to.checked_sub(jiff::Span::new().days(days % 7)).unwrap_or(to);
    let tail = rest.series(jiff::Span::new().days(1)).skip(1).take_while(|&day| day <= to).filter(|&day| weekday(day));
    let off = holidays.iter().filter(|&&day| day > from && day <= to && weekday(day)).count();
    (days as u32 / 7 * 5 + tail.count() as u32).saturating_sub(off as u32)
}

/// Whether a service of `date` entered on `entered` is late: over [`ENTRY_WORKING_DAYS`].
pub fn is_late(date: Date, entered: Date, holidays: &[Date]) -> bool {
    working_days_between(date, entered, holidays) > ENTRY_WORKING_DAYS
}

/// The latest day from which more than `working_days` working days have passed until `today`: what took place then or before
/// is over that many.
pub fn last_day_over(today: Date, working_days: u32, holidays: &[Date]) -> Date {
    let mut day = today;
    // Holidays come a week or so at a time; a year is far more than ten working days ever take.
    for _ in 0..366 {
        if working_days_between(day, today, holidays) > working_days {
            return day;
        }
        match day.yesterday() {
            Ok(before) => day = before,
            Err(_) => return day,
        }
    }
    day
}

/// The day by which `working_days` working days after `from` have passed: a period of notice that begins on the day after
/// `from` ends with it.
pub fn working_days_after(from: Date, working_days: u32, holidays: &[Date]) -> Date {
    let mut day = from;
    for _ in 0..3_660 {
        if working_days_between(from, day, holidays) >= working_days {
            return day;
        }
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => return day,
        }
    }
    day
}

/// As [`hours`], of a sum.
pub fn hours_of(minutes: u64) -> String {
    let text = format!("{:.2}", minutes as f64 / 60.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Minutes as hours for people: 90 → `1.5`, 50 → `0.83`.
pub fn hours(minutes: u16) -> String {
    let text = format!("{:.2}", f64::from(minutes) / 60.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const MINUTES_A_DAY: u32 = 24 * 60;
const DAY: u16 = MINUTES_A_DAY as u16;

const ITEMS: [&str; 32] = [
    "法律宣传",
    "医疗卫生",
    "环保宣传",
    "文化服务",
    "消防服务",
    "禁毒服务",
    "防艾服务",
    "文明交通",
    "文明旅游",
    "文明上网",
    "站点服务",
    "社区服务",
    "小区服务",
    "党员服务",
    "青年服务",
    "职工服务",
    "巾帼服务",
    "关爱空巢老人",
    "关爱留守儿童",
    "关爱未成年人",
    "关爱困难职工",
    "关爱残疾人",
    "平安志愿服务",
    "红十字服务",
    "“五老”服务",
    "应急救援服务",
    "邻里守望",
    "义务家教",
    "家政",
    "救灾",
    "救护",
    "其他",
];

fn unquoted(text: &str) -> String {
    let mut text = bare(text).into_owned();
    text.retain(|c| !matches!(c, '“' | '”' | '"' | '\'' | '‘' | '’' | '「' | '」' | '＂' | '『' | '』'));
    text
}

fn other(with: Date, row: Option<u32>) -> String {
    match row {
        Some(row) => format!("第 {row} 行 {with}"),
        None => format!("已登记的 {with}"),
    }
}

/// FNV-1a of the text without blanks: enough to tell two activities of one person on one day apart.
fn fingerprint(text: &str) -> u64 {
    bare(text).bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(start: u16, end: u16) -> Option<(DayMinute, DayMinute)> {
        Some((DayMinute(start), DayMinute(end)))
    }

    #[test]
    fn thirty_two_items_with_or_without_quotes() {
        assert_eq!(ServiceItem::all().count(), 32);
        for text in ["“五老”服务", "\"五老\"服务", "五老服务", "”五老“ 服务"] {
            assert_eq!(ServiceItem::parse(text).map(ServiceItem::code), Some(25), "{text}");
        }
        assert_eq!(ServiceItem::parse("扫地"), None);
        for item in ServiceItem::all() {
            assert_eq!(ServiceItem::parse(item.name()), Some(item));
        }
    }

    #[test]
    fn impossible_hours_have_names() {
        let day = date(2026, 11, 20);
        let today = date(2026, 11, 23);
        let new = |span, minutes| ServiceTime::new(day, span, minutes, today);
        assert_eq!(new(None, None), Err(HoursError::Missing));
        assert_eq!(new(None, Some(0)), Err(HoursError::NotPositive));
        assert_eq!(new(None, Some(-60)), Err(HoursError::NotPositive));
        assert_eq!(new(None, Some(1441)), Err(HoursError::OverADay));
        assert_eq!(new(None, Some(1 << 40)), Err(HoursError::OverADay));
        assert!(matches!(new(at(600, 540), None), Err(HoursError::EndBeforeStart { .. })));
        assert_eq!(new(at(540, 600), Some(61)), Err(HoursError::OverSpan { claimed: 61, span: 60 }));
        assert_eq!(new(at(540, 600), None).unwrap().minutes, 60);
        assert_eq!(new(None, Some(1440)).unwrap().minutes, 1440);
        let future = ServiceTime::new(date(2026, 11, 24), None, Some(60), today);
        assert!(matches!(future, Err(HoursError::Future { .. })));
    }

    #[test]
    fn a_diary_refuses_what_cannot_all_be_true() {
        let time =
            |span, minutes| ServiceTime::new(date(2026, 11, 20), span, Some(minutes), date(2026, 11, 23)).unwrap();
        let mut diary = Diary::default();
        diary.record(time(at(540, 600), 60), "植树");
        assert_eq!(diary.add(time(at(600, 660), 60), "植树", 3), Ok(()));
        assert!(matches!(diary.add(time(at(540, 600), 60), "植 树", 4), Err(HoursError::Repeat { row: None, .. })));
        assert!(matches!(diary.add(time(at(630, 700), 60), "清扫", 5), Err(HoursError::Overlap { row: Some(3), .. })));
        assert_eq!(diary.add(time(None, 1320), "值守", 6), Ok(()));
        assert!(matches!(diary.add(time(None, 1), "值守", 7), Err(HoursError::DayOverfull { total: 1441, .. })));
    }

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        let friday = date(2026, 11, 20);
        assert_eq!(working_days_between(friday, friday, &[]), 0);
        assert_eq!(working_days_between(friday, date(2026, 11, 22), &[]), 0);
        assert_eq!(working_days_between(friday, date(2026, 11, 23), &[]), 1);
        assert_eq!(working_days_between(friday, date(2026, 12, 4), &[]), 10);
        assert!(!is_late(friday, date(2026, 12, 6), &[]));
        assert!(is_late(friday, date(2026, 12, 7), &[]));
        assert!(!is_late(friday, date(2026, 12, 7), &[date(2026, 12, 1)]));
        assert_eq!(working_days_between(friday, date(2026, 11, 1), &[]), 0);
        assert_eq!(last_day_over(date(2026, 12, 7), 10, &[]), date(2026, 11, 22), "Friday's are late on that Monday");
        assert_eq!(last_day_over(date(2026, 12, 6), 10, &[]), date(2026, 11, 19));
        assert_eq!(last_day_over(date(2026, 12, 7), 10, &[date(2026, 12, 1)]), date(2026, 11, 19));
        assert_eq!(working_days_after(friday, 5, &[]), date(2026, 11, 27));
        assert_eq!(working_days_after(friday, 5, &[date(2026, 11, 25)]), date(2026, 11, 30));
        // The quick count agrees with the plain one.
        let plain = |from: Date, to: Date| {
            from.series(jiff::Span::new().days(1))
                .skip(1)
                .take_while(|&d| d <= to)
                .filter(|d| !matches!(d.weekday(), Weekday::Saturday | Weekday::Sunday))
                .count() as u32
        };
        for days in 0..60 {
            let to = friday.checked_add(jiff::Span::new().days(days)).unwrap();
            assert_eq!(working_days_between(friday, to, &[]), plain(friday, to), "{to}");
        }
    }
}
