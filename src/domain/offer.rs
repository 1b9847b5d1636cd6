//! Offers as administrators write them. What an offer means and which are well made is the credential core's
//! ([`zyz_credential::Offer`]); here are the words around it, and what an agreement makes of it.

use jiff::Timestamp;
use zyz_credential::{HourWindow, Offer, OfferError, OfferKind, Weekdays};

use super::partner::{Agreement, number_id};

number_id!(
    /// Key of an offer; in bundles and uses it stands as decimal text.
    OfferId,
    "优惠项目"
);

/// A text that says no kind, no days or no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferTextError {
    /// No kind.
    #[error("类别应为 优先、优惠、免费 之一（或 priority、discount、free）")]
    Kind,
    /// No days of the week.
    #[error("星期应写作 mon-fri、sat,sun、1-5 或 周一至周五（1 是周一，7 是周日）")]
    Weekdays,
    /// No hours of a day.
    #[error("时段应写作 09:00-12:00,14:00-18:00：24 小时制，从早到晚，互不相接，最多 8 段；跨午夜的写成两段")]
    Hours,
}

/// The words of a kind: stored and for programs, and for people.
const KINDS: [(OfferKind, &str, &str); 3] = [
    (OfferKind::Priority, "priority", "优先"),
    (OfferKind::Discount, "discount", "优惠"),
    (OfferKind::Free, "free", "免费"),
];

const DAYS: [(&str, &str); 7] =
    [("mon", "一"), ("tue", "二"), ("wed", "三"), ("thu", "四"), ("fri", "五"), ("sat", "六"), ("sun", "日")];

/// Reads a kind: `优先`, `优惠`, `免费` or the English word.
///
/// # Errors
/// [`OfferTextError::Kind`].
pub fn parse_kind(text: &str) -> Result<OfferKind, OfferTextError> {
    let text = text.trim();
    let known = KINDS.iter().find(|(_, word, label)| text == *label || text.eq_ignore_ascii_case(word));
    known.map(|(kind, ..)| *kind).ok_or(OfferTextError::Kind)
}

/// The word of a kind that is stored and shown to programs.
pub fn kind_word(kind: OfferKind) -> &'static str {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or("", |(_, word, _)| word)
}

/// The word of a kind for people.
pub fn kind_label(kind: OfferKind) -> &'static str {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or("", |(.., label)| label)
}

/// Reads days of the week: single ones and stretches, divided by commas. `mon-fri`, `1-5,7`, `周一至周五`, `周六、周日`.
/// A stretch may run over the week's end: `sat-mon`.
///
/// # Errors
/// [`OfferTextError::Weekdays`].
pub fn parse_weekdays(text: &str) -> Result<Weekdays, OfferTextError> {
    let text = text.replace(['，', '、'], ",").replace(['至', '到', '—', '–', '~'], "-");
    let mut bits = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first)?, weekday(last)?);
        bits |= 1 << last;
        while day != last {
            bits |= 1 << day;
            day = (day + 1) % 7;
        }
    }
    Weekdays::from_bits(bits).map_err(|_| OfferTextError::Weekdays)
}

/// Days of the week for people: `每天`, `周一至周五`, `周六、周日`.
pub fn weekdays_label(days: Weekdays) -> String {
    if days == Weekdays::ALL {
        return "每天".into();
    }
    let mut parts = Vec::new();
    let mut day = 0;
    while day < 7 {
        let first = day;
        while day < 7 && days.contains(day) {
            day += 1;
        }
        let name = |day: u8| DAYS[usize::from(day)].1;
        match day - first {
            0 => {}
            1 => parts.push(format!("周{}", name(first))),
            2 => parts.extend([format!("周{}", name(first)), format!("周{}", name(day - 1))]),
            _ => parts.push(format!("周{}至周{}", name(first), name(day - 1))),
        }
        day += 1;
    }
    parts.join("、")
}

/// Reads the parts of a day: `09:00-12:00,14:00-18:00`. `24:00` is the day's end.
///
/// # Errors
/// [`OfferTextError::Hours`].
pub fn parse_hours(text: &str) -> Result<Vec<HourWindow>, OfferTextError> {
    let text = text.replace(['，', '、'], ",").replace('：', ":").replace(['至', '到', '—', '–', '~'], "-");
    let windows = text.split(',').map(|part| {
        let (from, to) = part.split_once('-')?;
        Some(HourWindow { from: minute(from)?, to: minute(to)? })
    });
    let hours = windows.collect::<Option<Vec<_>>>().ok_or(OfferTextError::Hours)?;
    let probe = Offer { hours, ..Offer::new("x", OfferKind::Priority, "x") };
    match probe.check() {
        Ok(()) if !probe.hours.is_empty() => Ok(probe.hours),
        _ => Err(OfferTextError::Hours),
    }
}

/// The parts of a day as [`parse_hours`] reads them, and as they are stored; empty for the whole day.
pub fn hours_text(hours: &[HourWindow]) -> String {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let parts: Vec<_> = hours.iter().map(|window| format!("{}-{}", time(window.from), time(window.to))).collect();
    parts.join(",")
}

/// What a bundle may say of `offer` at `now`: its validity cut to the agreement's, so that it begins and ends with it
/// even where no newer bundle arrives. None where nothing is left of it.
pub fn within(offer: &Offer, agreement: &Agreement, now: Timestamp) -> Option<Offer> {
    let seconds = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or(0);
    let (begins, ends) = (seconds(agreement.begins_at()), seconds(agreement.ends_at()).min(zyz_credential::MAX_TIME));
    let from = offer.valid_from.map_or(begins, |from| from.max(begins));
    let to = offer.valid_to.map_or(ends, |to| to.min(ends));
    (from < to && seconds(now) < to).then(|| Offer { valid_from: Some(from), valid_to: Some(to), ..offer.clone() })
}

/// What is wrong with an offer, for the administrator.
pub fn offer_error_label(error: OfferError) -> &'static str {
    match error {
        OfferError::Title => "标题须为 1 到 80 个字，不能换行",
        OfferError::Terms => "说明最多 1000 个字",
        OfferError::StarRange(_) => "星级要求须在 0 到 5 之间",
        OfferError::Validity => "有效期的结束须晚于开始",
        OfferError::Weekdays => "星期至少选一天",
        OfferError::Hours => "时段须从早到晚、互不相接，最多 8 段",
        OfferError::Limits => "次数限制须大于 0；不限次数就不要写",
        OfferError::Encoding(_)
        | OfferError::UnknownField(_)
        | OfferError::MissingField(_)
        | OfferError::Redundant(_)
        | OfferError::Id
        | OfferError::Kind(_)
        | OfferError::IdentityCheck(_) => "内容无法写入数据包",
    }
}

/// 0 for Monday.
fn weekday(text: &str) -> Result<u8, OfferTextError> {
    let text = text.trim().to_ascii_lowercase();
    let name = ["星期", "礼拜", "周"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let found = DAYS.iter().zip(1..).position(|((word, label), number)| match name {
        Some(name) => name == *label || (*label == "日" && name == "天"),
        None => text == *word || text == number.to_string(),
    });
    found.map(|day| day as u8).ok_or(OfferTextError::Weekdays)
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let good = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn kinds_in_both_languages() {
        for (kind, word, label) in KINDS {
            assert_eq!((parse_kind(word), parse_kind(label)), (Ok(kind), Ok(kind)));
            assert_eq!((kind_word(kind), kind_label(kind)), (word, label));
        }
        assert_eq!(parse_kind("Discount"), Ok(OfferKind::Discount));
        assert_eq!(parse_kind("打折"), Err(OfferTextError::Kind));
    }

    #[test]
    fn weekdays_in_every_spelling() {
        for (text, bits) in [
            ("mon-fri", 0b001_1111),
            ("1-5", 0b001_1111),
            ("周一至周五", 0b001_1111),
            ("星期一到星期五", 0b001_1111),
            ("sat,sun", 0b110_0000),
            ("周六、周日", 0b110_0000),
            ("星期天", 0b100_0000),
            ("sat-mon", 0b110_0001),
            ("7", 0b100_0000),
            ("Mon, wed", 0b000_0101),
        ] {
            assert_eq!(parse_weekdays(text).map(Weekdays::bits), Ok(bits), "{text}");
        }
        for wrong in ["", "0", "8", "mon-", "monday", "周八", "1-5-7"] {
            assert_eq!(parse_weekdays(wrong), Err(OfferTextError::Weekdays), "{wrong}");
        }
    }

    #[test]
    fn weekdays_read_back() {
        for bits in 1..=0x7f {
            let days = Weekdays::from_bits(bits).unwrap();
            if days != Weekdays::ALL {
                assert_eq!(parse_weekdays(&weekdays_label(days)), Ok(days), "{}", weekdays_label(days));
            }
        }
        assert_eq!(weekdays_label(Weekdays::ALL), "每天");
    }

    #[test]
    fn hours_of_a_day() {
        let hours = parse_hours("9:00-12:00，14：00—18:00").unwrap();
        assert_eq!(hours, [HourWindow { from: 540, to: 720 }, HourWindow { from: 840, to: 1080 }]);
        assert_eq!(hours_text(&hours), "09:00-12:00,14:00-18:00");
        assert_eq!(parse_hours("00:00-24:00").unwrap().len(), 1);
        for wrong in ["", "9-12", "12:00-09:00", "09:00-25:00", "09:60-10:00", "14:00-18:00,09:00-12:00", "9:0-10:00"] {
            assert_eq!(parse_hours(wrong), Err(OfferTextError::Hours), "{wrong}");
        }
        assert_eq!(parse_hours("09:00-12:00,12:00-18:00"), Err(OfferTextError::Hours), "touching is one window");
    }

    #[test]
    fn an_offer_begins_and_ends_with_the_agreement() {
        let agreement =
            |ended_from| Agreement { number: "1".into(), from: date(2026, 1, 1), to: date(2026, 12, 31), ended_from };
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let offer = Offer::new("1", OfferKind::Free, "免费");
        let cut = within(&offer, &agreement(None), now).unwrap();
        assert_eq!(cut.valid_from, Some(1_767_196_800), "2025-12-31T16:00:00Z");
        assert_eq!(cut.valid_to, Some(1_798_732_800), "2026-12-31T16:00:00Z");
        assert_eq!(cut.check(), Ok(()));
        assert_eq!(within(&offer, &agreement(Some(date(2026, 6, 1))), now), None, "ended");
        let over = Offer { valid_to: Some(1_767_196_900), ..offer.clone() };
        assert_eq!(within(&over, &agreement(None), now), None, "over");
        let narrower = Offer { valid_from: Some(1_780_000_000), valid_to: Some(1_790_000_000), ..offer };
        assert_eq!(within(&narrower, &agreement(None), now), Some(narrower.clone()));
    }
}
