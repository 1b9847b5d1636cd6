//! Dates, times and durations as people write them in sheets.

use jiff::civil::{Date, date};

use super::sheet::{Cell, CellKind};
use crate::domain::hours::DayMinute;
use crate::domain::person::{half_width, is_blank};

/// A date as written, which may lack its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Day(Date),
    /// The first of a month in a date cell: what a spreadsheet program makes of a typed 1990-5.
    MonthAsDay(Date),
    Month {
        year: i16,
        month: i8,
        /// A number 1990.1 may have been typed 1990.10.
        or_tenfold: bool,
    },
}

impl Written {
    /// Whether `date` is what was written, so far as it was.
    pub(super) fn agrees(self, date: Date) -> bool {
        match self {
            Self::Day(day) => day == date,
            Self::MonthAsDay(first) => (first.year(), first.month()) == (date.year(), date.month()),
            Self::Month { year, month, or_tenfold } => {
                date.year() == year && (date.month() == month || (or_tenfold && date.month() == month * 10))
            }
        }
    }
}

/// Reads 1990.05, 199005, 1990年5月, 1990-05-01, 1990/5/1, 19900501, a date cell or a serial number.
pub(super) fn written(cell: Cell<'_>, epoch_1904: bool) -> Option<Written> {
    let (mut numbers, mut lengths, mut count) = ([0_u32; 3], [0_usize; 3], 0);
    let mut inside = false;
    for c in cell.text.chars().map(half_width) {
        match c {
            '0'..='9' => {
                if !inside {
                    // A time after the date does not count.
                    if count == 3 {
                        break;
                    }
                    count += 1;
                    inside = true;
                }
                let n = &mut numbers[count - 1];
                *n = n.checked_mul(10)?.checked_add(c as u32 - '0' as u32)?;
                lengths[count - 1] += 1;
            }
            '.' | '-' | '/' | '\\' | '年' | '月' | '日' | '号' | '。' | '、' | '—' | '–' | '−' => {
                inside = false
            }
            _ if is_blank(c) => inside = false,
            'T' | ':' if count == 3 => break,
            '\'' => {}
            _ => return None,
        }
    }
    let [a, b, c] = numbers;
    match (count, lengths) {
        (1, [8, ..]) => day(a / 10_000, a / 100 % 100, a % 100),
        (1, [6, ..]) => month(a / 100, a % 100, false),
        (1, [5, ..]) => serial(a, epoch_1904).map(from_cell),
        (2, [4, 1 | 2, _]) => {
            let float = cell.kind == CellKind::Number || cell.text.contains('.');
            month(a, b, float && b == 1 && lengths[1] == 1)
        }
        (3, [4, 1 | 2, 1 | 2]) if cell.kind == CellKind::Date => day(a, b, c).map(from_cell),
        (3, [4, 1 | 2, 1 | 2]) => day(a, b, c),
        _ => None,
    }
}

/// Reads a full date; `None` if the day is missing.
pub(super) fn full(cell: Cell<'_>, epoch_1904: bool) -> Option<Date> {
    match written(cell, epoch_1904)? {
        Written::Day(date) | Written::MonthAsDay(date) => Some(date),
        Written::Month { .. } => None,
    }
}

/// Reads the time of day in a text that may hold a date before it: 08:30, 8：30, 8时30分, 8点, 8点半, 2026-11-20 08:30.
pub(super) fn time(cell: Cell<'_>) -> Option<DayMinute> {
    let times = times(cell.text);
    match (times.as_slice(), cell.kind) {
        ([time], _) => Some(*time),
        // A whole date in a column of times: midnight is not what was meant.
        _ => None,
    }
}

/// Reads a span: 08:30-11:30, 8时30分至11时, 8:30~11:30, 2026-11-20 08:30—11:30.
pub(super) fn span(cell: Cell<'_>) -> Option<(DayMinute, DayMinute)> {
    match times(cell.text).as_slice() {
        [start, end] => Some((*start, *end)),
        _ => None,
    }
}

/// Reads a duration into minutes: 2.5, 2小时, 2小时30分, 90分钟, 2h, or a duration cell 02:30. Bare numbers count
/// `unit` minutes each.
pub(super) fn minutes(cell: Cell<'_>, unit: f64) -> Option<i64> {
    if cell.kind == CellKind::Time {
        let (hours, minutes) = cell.text.split_once(':')?;
        return hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?);
    }
    let text: String =
        cell.text.chars().filter(|&c| !is_blank(c)).map(|c| half_width(c).to_ascii_lowercase()).collect();
    let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
    let rounded = |minutes: f64| (minutes.abs() < 1e9).then(|| minutes.round() as i64);
    for words in [["小时", "分"], ["个小时", "分"], ["时", "分"], ["h", "m"]] {
        if let Some((hours, rest)) = text.split_once(words[0]) {
            let rest = rest.trim_end_matches("钟").trim_end_matches("in");
            let rest = rest.strip_suffix(words[1]).unwrap_or(rest);
            let (hours, half) = match rest {
                "" => (number(hours.trim_end_matches('个'))?, 0.0),
                "半" => (number(hours.trim_end_matches('个'))?, 30.0),
                rest => (number(hours.trim_end_matches('个'))?, number(rest)?),
            };
            return rounded(hours * 60.0 + half);
        }
    }
    for word in ["分钟", "分", "min", "m"] {
        if let Some(minutes) = text.strip_suffix(word) {
            return rounded(number(minutes)?);
        }
    }
    rounded(number(&text)? * unit)
}

/// Every time of day in a text, in order.
fn times(text: &str) -> Vec<DayMinute> {
    let chars: Vec<char> = text.chars().filter(|&c| !is_blank(c) || c == ' ').map(half_width).collect();
    let mut times = Vec::new();
    let mut at = 0;
    let digits = |at: usize| {
        let run = chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        let value = chars[at..at + run].iter().take(4).fold(0_u16, |n, c| n * 10 + (*c as u16 - '0' as u16));
        (run, value)
    };
    while at < chars.len() {
        let (run, hour) = digits(at);
        if run == 0 {
            at += 1;
            continue;
        }
        at += run;
        let Some(&mark) = chars.get(at).filter(|_| run <= 2) else { continue };
        if !matches!(mark, ':' | '时' | '点') {
            continue;
        }
        at += 1;
        let (run, mut minute) = if at < chars.len() { digits(at) } else { (0, 0) };
        match (mark, run) {
            (':', 1 | 2) | ('时' | '点', 0..=2) => at += run,
            _ => continue,
        }
        if run == 0 && chars.get(at) == Some(&'半') {
            minute = 30;
        }
        // Seconds do not count.
        if mark == ':' && chars.get(at) == Some(&':') {
            at += 1 + digits((at + 1).min(chars.len())).0;
        }
        let Some(time) = DayMinute::new(hour * 60 + minute).filter(|_| minute < 60) else { return Vec::new() };
        times.push(time);
    }
    times
}

fn day(year: u32, month: u32, day: u32) -> Option<Written> {
    let year = plausible(year)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().map(Written::Day)
}

fn from_cell(written: Written) -> Written {
    match written {
        Written::Day(day) if day.day() == 1 => Written::MonthAsDay(day),
        other => other,
    }
}

fn month(year: u32, month: u32, or_tenfold: bool) -> Option<Written> {
    let month = i8::try_from(month).ok().filter(|m| (1..=12).contains(m))?;
    Some(Written::Month { year: plausible(year)?, month, or_tenfold })
}

fn plausible(year: u32) -> Option<i16> {
    (1900..=2099).contains(&year).then_some(year as i16)
}

/// A serial number that was never formatted as a date. Days count from 1899-12-30, or from 1904-01-01.
fn serial(days: u32, epoch_1904: bool) -> Option<Written> {
    let start = if epoch_1904 { date(1904, 1, 1) } else { date(1899, 12, 30) };
    let day = start.checked_add(jiff::Span::new().days(days)).ok()?;
    (1900..=2099).contains(&day.year()).then_some(Written::Day(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell { text, kind: CellKind::Text }
    }

    #[test]
    fn every_way_to_write_a_date() {
        let first_of_may = Written::Day(date(1990, 5, 1));
        for form in [
            "1990-05-01",
            "1990/5/1",
            "1990.5.1",
            "1990年5月1日",
            "19900501",
            "1990-05-01 00:00",
            "１９９０－０５－０１",
        ] {
            assert_eq!(written(text(form), false), Some(first_of_may), "{form}");
        }
        assert_eq!(written(text("32995"), false), Some(Written::Day(date(1990, 5, 2))));
        for form in ["1990.05", "199005", "1990年5月", "1990-5", "1990 年 05 月", "1990/05"] {
            let may = Written::Month { year: 1990, month: 5, or_tenfold: false };
            assert_eq!(written(text(form), false), Some(may), "{form}");
        }
        assert_eq!(written(text("31533"), true), Some(Written::Day(date(1990, 5, 2))));
        let typed_without_day = Cell { text: "1990-05-01", kind: CellKind::Date };
        assert!(written(typed_without_day, false).is_some_and(|w| w.agrees(date(1990, 5, 17))));
        assert_eq!(full(typed_without_day, false), Some(date(1990, 5, 1)));
        let number = Cell { text: "1990.1", kind: CellKind::Number };
        assert!(written(number, false).is_some_and(|w| w.agrees(date(1990, 10, 7)) && w.agrees(date(1990, 1, 7))));
    }

    #[test]
    fn what_is_no_date() {
        for form in ["", "无", "1990", "1990-13", "1990-02-30", "5/1/1990", "90.5", "1850-01-01", "199013", "九零年"]
        {
            assert_eq!(written(text(form), false), None, "{form}");
        }
    }

    #[test]
    fn times_and_spans() {
        let minute = |m| DayMinute::new(m).unwrap();
        for form in ["08:30", "8：30", "8时30分", "8点半", "2026-11-20 08:30", "08:30:00"] {
            assert_eq!(time(text(form)), Some(minute(510)), "{form}");
        }
        assert_eq!(time(text("24:00")), Some(minute(1440)));
        for form in ["25:00", "8:61", "早上", "830", "2026-11-20", ""] {
            assert_eq!(time(text(form)), None, "{form}");
        }
        for form in ["08:30-11:30", "8:30~11:30", "8时30分至11时30分", "2026-11-20 8:30—11:30", "8：30 - 11：30"]
        {
            assert_eq!(span(text(form)), Some((minute(510), minute(690))), "{form}");
        }
        assert_eq!(span(text("08:30")), None);
    }

    #[test]
    fn durations() {
        for (form, wanted) in [
            ("2.5", 150),
            ("3", 180),
            ("3小时", 180),
            ("3 个小时", 180),
            ("2小时30分", 150),
            ("2小时30分钟", 150),
            ("2小时半", 150),
            ("90分钟", 90),
            ("2h", 120),
            ("1h30min", 90),
            ("-1", -60),
            ("0", 0),
        ] {
            assert_eq!(minutes(text(form), 60.0), Some(wanted), "{form}");
        }
        assert_eq!(minutes(Cell { text: "02:30", kind: CellKind::Time }, 60.0), Some(150));
        assert_eq!(minutes(text("45"), 1.0), Some(45));
        for form in ["", "若干", "两小时", "NaN", "inf", "1e99"] {
            assert_eq!(minutes(text(form), 60.0), None, "{form}");
        }
    }
}
