//! Figures and moments as these pages write them.

use jiff::Timestamp;

use crate::clock::beijing;
use crate::service::desk::oversight::statistics::Counted;

/// A count with a comma every three digits.
pub(super) fn figure(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Minutes as hours with one decimal.
pub(super) fn hours(minutes: u64) -> String {
    let tenths = (minutes + 3) / 6;
    format!("{}.{}", figure(tenths / 10), tenths % 10)
}

/// Tenths as a decimal number; a dash for none.
pub(super) fn tenths(tenths: Option<u64>) -> String {
    tenths.map_or_else(|| "—".into(), |tenths| format!("{}.{}", figure(tenths / 10), tenths % 10))
}

/// Thousandths as percent with one decimal; a dash for none.
pub(super) fn percent(thousandths: Option<u64>) -> String {
    thousandths.map_or_else(|| "—".into(), |rate| format!("{}.{}%", rate / 10, rate % 10))
}

/// Date and time in Beijing, to the minute.
pub(super) fn moment(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// An RFC 3339 moment as [`moment`]; as it is, if it is none.
pub(super) fn moment_of(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), moment)
}

/// When was counted, for the head of a page.
pub(super) fn counted(counted: &Counted) -> String {
    match (counted.at, counted.under_way) {
        (None, true) => "正在统计".into(),
        (None, false) => "尚未统计".into(),
        (Some(at), true) => format!("{}（正在重新统计）", moment(at)),
        (Some(at), false) => moment(at),
    }
}

/// A percent-encoded value for an address.
pub(super) fn encoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_as_people_read_them() {
        assert_eq!((figure(0), figure(999), figure(1_000_000)), ("0".into(), "999".into(), "1,000,000".into()));
        assert_eq!((hours(90), hours(6_000), hours(0)), ("1.5".into(), "100.0".into(), "0.0".into()));
        assert_eq!((tenths(Some(123)), tenths(None)), ("12.3".into(), "—".into()));
        assert_eq!((percent(Some(1000)), percent(Some(5))), ("100.0%".into(), "0.5%".into()));
        assert_eq!(encoded("普 a"), "%E6%99%AE%20a");
    }
}
