//! What in the use of offers is worth a look. Each kind says what was seen, why it may be harmless, and whom to ask: a
//! finding is a question, not a verdict.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use zyz_credential::Weekdays;

use super::recount::{day_of, month_of};
use crate::clock::beijing_date;
use crate::domain::partner::PartnerId;
use crate::domain::redemption::CardStanding;
use crate::service::ServiceError;
use crate::store::{Finding, OfferDay, OfferMonth, PartnerOffer, Reader};

/// How far back is looked.
const DAYS: i64 = 90;
/// So many uses of one card at one partner within a clock hour are many.
pub const CROWDED: u32 = 5;
/// So many uses in 30 days, and three times the usual, are far above the usual.
pub const UNUSUALLY_MANY: u64 = 30;

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// More uses of an offer by one holder than its limit.
    OverLimit,
    /// Many uses of one card within an hour.
    Crowded,
    /// Uses outside the offer's days and hours.
    OutsideHours,
    /// Uses of cards that were not valid then.
    NotValid,
    /// Far more uses than in the three months before.
    FarAboveUsual,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::NotValid, Self::OverLimit, Self::Crowded, Self::OutsideHours, Self::FarAboveUsual];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OverLimit => "over_limit",
            Self::Crowded => "crowded",
            Self::OutsideHours => "outside_hours",
            Self::NotValid => "not_valid",
            Self::FarAboveUsual => "far_above_usual",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::OverLimit => "超过次数限制",
            Self::Crowded => "同一证件短时间内多次使用",
            Self::OutsideHours => "在规定时段以外使用",
            Self::NotValid => "使用时证件不是有效状态",
            Self::FarAboveUsual => "使用次数远高于平时",
        }
    }

    /// What may explain it, and what to do.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::OverLimit => {
                "常见原因：同一单位有几台设备，断网时各自计数，联网后合并才看出超出。请先了解是否断网；若经常发生，提醒收银员联网后再核销。"
            }
            Self::Crowded => {
                "常见原因：一人替家人或同事分几单结账，或补录前几天的使用。也可能是证件被借用。请向合作单位了解情况，必要时请持证人核对使用记录。"
            }
            Self::OutsideHours => {
                "常见原因：收银设备的时间不准，或优惠时段改过而设备还没有更新。请先核对设备时间和“数据时间”。"
            }
            Self::NotValid => {
                "常见原因：证件刚注销、暂停或换发，设备还没有收到新的名单。若设备长期未联网，请提醒合作单位联网更新；同一证件反复出现时请联系持证人收回旧证。"
            }
            Self::FarAboveUsual => "常见原因：节日、促销或新增了优惠项目。若没有这些情况，请与合作单位核对使用记录。",
        }
    }
}

/// Everything worth a look in the last 90 days.
pub(super) async fn all(
    reader: &mut Reader,
    days: &[OfferDay],
    months: &[OfferMonth],
    now: Timestamp,
) -> Result<Vec<Finding>, ServiceError> {
    let since = now - SignedDuration::from_hours(24 * DAYS);
    let first_month = format!("{}", beijing_date(since).strftime("%Y-%m"));
    let mut found = Vec::new();
    for row in months.iter().filter(|row| row.month >= first_month) {
        let finding = |kind: FindingKind, count| Finding {
            partner: row.partner,
            kind: kind.as_str().into(),
            offer: row.offer.clone(),
            number: String::new(),
            day: row.month.clone(),
            found: count,
            usual: 0,
        };
        if row.over_limit > 0 {
            found.push(finding(FindingKind::OverLimit, row.over_limit));
        }
        let not_valid: u64 = row.uses.iter().sum::<u64>() - row.uses[CardStanding::Valid as usize];
        if not_valid > 0 {
            found.push(finding(FindingKind::NotValid, not_valid));
        }
    }
    for hour in reader.crowded_hours(since, CROWDED).await? {
        found.push(Finding {
            partner: hour.partner,
            kind: FindingKind::Crowded.as_str().into(),
            offer: String::new(),
            number: hour.number,
            day: day_of(hour.day).to_string(),
            found: hour.uses,
            usual: 0,
        });
    }
    for offer in reader.offers(None, true).await? {
        found.extend(outside_hours(reader, &offer, since).await?);
    }
    found.extend(far_above_usual(days, now));
    Ok(found)
}

/// Days on which an offer was given outside its days of the week and hours.
async fn outside_hours(
    reader: &mut Reader,
    offer: &PartnerOffer,
    since: Timestamp,
) -> Result<Vec<Finding>, ServiceError> {
    if offer.offer.weekdays == Weekdays::ALL && offer.offer.hours.is_empty() {
        return Ok(Vec::new());
    }
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for used in reader.offer_minutes(offer.partner, &offer.offer.id, since).await? {
        let weekday = day_of(used.day).weekday().to_monday_zero_offset();
        let in_hours = offer.offer.hours.is_empty()
            || offer.offer.hours.iter().any(|window| (window.from..window.to).contains(&used.minute));
        if !(in_hours && offer.offer.weekdays.contains(weekday.unsigned_abs())) {
            *days.entry(used.day).or_default() += used.uses;
        }
    }
    let finding = |(day, count)| Finding {
        partner: offer.partner,
        kind: FindingKind::OutsideHours.as_str().into(),
        offer: offer.offer.id.clone(),
        number: String::new(),
        day: day_of(day).to_string(),
        found: count,
        usual: 0,
    };
    Ok(days.into_iter().map(finding).collect())
}

/// Partners with at least 30 uses in the last 30 days, three times as many as in a third of the 90 days before.
fn far_above_usual(days: &[OfferDay], now: Timestamp) -> Vec<Finding> {
    let today = (now.as_second() + 28_800).div_euclid(86_400);
    let (mut lately, mut before): (HashMap<PartnerId, u64>, HashMap<PartnerId, u64>) = Default::default();
    for row in days {
        let to = match today - row.day {
            0..30 => &mut lately,
            30..120 => &mut before,
            _ => continue,
        };
        *to.entry(row.partner).or_default() += row.uses;
    }
    let mut found: Vec<_> = lately
        .into_iter()
        .filter_map(|(partner, count)| {
            let usual = before.get(&partner).copied().unwrap_or(0) / 3;
            // A partner that has just begun has no usual.
            (usual > 0 && count >= UNUSUALLY_MANY && count >= 3 * usual).then(|| Finding {
                partner,
                kind: FindingKind::FarAboveUsual.as_str().into(),
                offer: String::new(),
                number: String::new(),
                day: month_of(today),
                found: count,
                usual,
            })
        })
        .collect();
    found.sort_by_key(|finding| finding.partner);
    found
}
