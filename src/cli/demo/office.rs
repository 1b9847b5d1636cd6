//! What the console of the demonstration begins with besides the main job's result: more counties and units, service of this
//! year, partners whose devices have sent uses.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rust_xlsxwriter::{Workbook, XlsxError};
use uuid::Uuid;
use zyz_credential::{OfferKind, OfferLimits, Weekdays};
use zyz_http::wire::{Redemption, RedemptionBatch};

use super::people::{Person, identity_number};
use super::samples;
use crate::app::AppError;
use crate::clock::beijing_date;
use crate::domain::division::County;
use crate::domain::partner::PartnerId;
use crate::service::enrol::DeviceToken;
use crate::service::hours::HoursRequest;
use crate::service::import::RosterRequest;
use crate::service::issue::IssueRequest;
use crate::service::offers::OfferDraft;
use crate::service::partners::PartnerDraft;
use crate::service::volunteers::ListFilter;
use crate::service::{Federation, Selection};

/// A unit that hands in a roster for the console's sample.
pub struct SampleUnit {
    /// Its name.
    pub name: &'static str,
    /// Its county's code.
    pub county: &'static str,
    /// How many people it registers.
    pub people: usize,
    /// Whether they have cards already.
    pub cards: bool,
}

/// The units, besides those of the main job. More people without a card than may be signed without a second person.
pub const UNITS: [SampleUnit; 6] = [
    SampleUnit { name: "普洱市样例医院", county: "00", people: 24, cards: true },
    SampleUnit { name: "思茅镇五一社区", county: "02", people: 26, cards: false },
    SampleUnit { name: "宁洱县样例医院", county: "21", people: 20, cards: true },
    SampleUnit { name: "宁洱县样例中学", county: "21", people: 14, cards: false },
    SampleUnit { name: "景东县样例茶业公司", county: "23", people: 16, cards: false },
    SampleUnit { name: "澜沧县样例中学", county: "28", people: 18, cards: true },
];

/// Registers people, enters this year's service, issues cards to some, lets partners give.
pub async fn furnish(federation: &Federation, folder: &Path) -> Result<(), AppError> {
    let today = beijing_date(federation.now());
    let mut first = 0;
    for unit in &UNITS {
        let people: Vec<Person> = (first..first + unit.people).map(|n| person(n, unit.county, today.year())).collect();
        first += unit.people;
        let file = folder.join(format!("{}-志愿者统计表.xlsx", unit.name));
        samples::plain_roster(&file, unit.name, &people).map_err(sheet)?;
        let request = RosterRequest {
            roster: federation.read_roster(&file),
            unit: unit.name,
            county: County::parse(unit.county).map_err(|e| AppError::Usage(e.to_string()))?,
            dry_run: false,
            strict: false,
            report: None,
        };
        federation.import_roster(request, &|_, _| ()).await?;
        let hours = folder.join(format!("{}-服务记录.xlsx", unit.name));
        service(&hours, &people, today).map_err(sheet)?;
        federation.import_hours(HoursRequest { file: &hours, dry_run: false, report: None }).await?;
        if unit.cards {
            let selection = Selection::Unit(unit.name.to_owned());
            let request = IssueRequest { selection, reissue: false };
            federation.issue(request, &AtomicBool::new(false), &|_, _| ()).await?;
        }
    }
    partners(federation, today).await
}

/// The `n`th further person of a county.
pub(super) fn person(n: usize, county: &str, year: i16) -> Person {
    const FAMILY: [&str; 14] = ["李", "王", "张", "刘", "陈", "杨", "罗", "白", "刀", "普", "周", "吴", "马", "何"];
    const GIVEN: [&str; 11] = ["明华", "丽萍", "志远", "晓燕", "国强", "春梅", "家俊", "雨婷", "文斌", "玉兰", "永平"];
    const PEOPLES: [&str; 5] = ["汉族", "哈尼族", "彝族", "拉祜族", "傣族"];
    let sex = if n.is_multiple_of(2) { "男" } else { "女" };
    let birth = Date::constant(year - 17 - (n * 7 % 41) as i16, (n * 5 % 12 + 1) as i8, (n * 11 % 28 + 1) as i8);
    // The city itself registers under its seat.
    let area = format!("5308{}", if county == "00" { "02" } else { county });
    Person {
        name: format!("{}{}", FAMILY[n % 14], GIVEN[(n / 14 + n) % 11]),
        sex,
        ethnicity: PEOPLES[n % 5],
        birth,
        political: ["群众", "中共党员", "共青团员"][n % 3],
        identity: identity_number(&area, birth, 200 + n as u16, sex),
        phone: format!("1990001{:04}", 1000 + n * 13),
    }
}

/// Service of this year up to today, some of it long ago, some within the ten working days; and so much of the year before
/// by one in six that it makes a star or two.
fn service(file: &Path, people: &[Person], today: Date) -> Result<(), XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    samples::header(
        sheet,
        0,
        &["姓名", "身份证号码", "服务日期", "开始时间", "结束时间", "服务项目", "活动名称", "服务内容", "服务地点"],
    )?;
    let mut row = 1;
    let mut add = |person: &Person, day: Date, end: &str, work: usize| -> Result<(), XlsxError> {
        let (item, activity, content, place) = samples::WORK[work % samples::WORK.len()];
        let cells = [&person.name, &*person.identity, &day.to_string(), "14:00", end, item, activity, content, place];
        samples::write_cells(sheet, row, 0, &cells)?;
        row += 1;
        Ok(())
    };
    for (n, person) in people.iter().enumerate() {
        let days = match n % 12 {
            5 => 13,
            11 => 39,
            _ => 0,
        };
        for turn in 0..days {
            add(person, Date::constant(today.year() - 1, 1, 6) + (turn * 9).days(), "22:00", n + turn as usize)?;
        }
        for turn in 0..(n % 5) as i32 * 3 {
            let day = today - (2 + turn * 9 + (n % 4) as i32).days();
            if day.year() != today.year() {
                break;
            }
            add(person, day, "18:00", n + turn as usize)?;
        }
    }
    book.save(file)
}

async fn partners(federation: &Federation, today: Date) -> Result<(), AppError> {
    let year = today.year();
    let shop = PartnerDraft {
        name: "晨光便利店（样例）".into(),
        kind: Some("便利店".into()),
        contact: Some("店长 0879-0000001".into()),
        agreement_number: format!("普志联〔{year}〕1号"),
        from: Date::constant(year, 1, 1),
        to: Date::constant(year + 1, 12, 31),
    };
    let clinic = PartnerDraft {
        name: "思茅样例诊所".into(),
        kind: Some("诊所".into()),
        contact: None,
        agreement_number: format!("普志联〔{year}〕2号"),
        from: Date::constant(year, 3, 1),
        to: today + 40.days(),
    };
    let shop = PartnerId(federation.add_partner(shop).await?.id);
    let clinic = PartnerId(federation.add_partner(clinic).await?.id);
    let discount = offer(OfferKind::Discount, "全场九折", "特价商品除外", 0, Some(1));
    let breakfast = offer(OfferKind::Free, "免费早餐一份", "三星级以上", 3, Some(1));
    let discount = federation.add_offer(shop, discount).await?.id.to_string();
    federation.add_offer(shop, breakfast).await?;
    let queue = federation.add_offer(clinic, offer(OfferKind::Priority, "优先挂号", "", 0, None)).await?.id.to_string();
    let people: Vec<_> = federation
        .volunteers(&ListFilter::default())
        .await?
        .into_iter()
        .filter_map(|person| Some((person.number, person.certificate?.issued_at.parse().ok()?)))
        .collect();
    uses(federation, shop, "收银台1", &discount, &people[..people.len().min(18)]).await?;
    uses(federation, clinic, "挂号窗口", &queue, &people[people.len() / 2..people.len().min(people.len() / 2 + 6)])
        .await
}

fn offer(kind: OfferKind, title: &str, terms: &str, min_star: u8, per_day: Option<u32>) -> OfferDraft {
    OfferDraft {
        kind,
        title: title.into(),
        terms: terms.into(),
        min_star,
        from: None,
        to: None,
        weekdays: Weekdays::ALL,
        hours: Vec::new(),
        limits: OfferLimits { per_day, ..OfferLimits::default() },
        identity_check: false,
        max_status_age: None,
    }
}

/// Uses by a device of the partner over the last weeks, the first holder's one too often: a pattern to be looked at.
async fn uses(
    federation: &Federation,
    partner: PartnerId,
    device: &str,
    offer: &str,
    people: &[(String, Timestamp)],
) -> Result<(), AppError> {
    let usage = |text: String| AppError::Usage(text);
    let link = federation.enrolment_link(partner, None, Some("http://127.0.0.1/"), 7).await?.link;
    let code = link.split_once("#enrol=").and_then(|(_, rest)| rest.split('&').next()).unwrap_or_default();
    let name = device.parse().map_err(|_| usage(format!("设备名 {device} 不可用")))?;
    let code = code.parse().map_err(|_| usage("登记链接不完整".into()))?;
    let enrolled = federation.enrol(&code, &name).await.map_err(|e| usage(e.to_string()))?;
    let token: DeviceToken = enrolled.token.parse().map_err(|_| usage("设备令牌不完整".into()))?;
    let device = federation.authenticate_for_uses(&token).await.map_err(|e| usage(e.to_string()))?;
    let now = federation.now();
    let mut redemptions = Vec::new();
    for (n, (number, issued_at)) in people.iter().enumerate() {
        let person = federation.volunteer(super::super::number(number)?).await?;
        let Some(card) = person.certificates.first() else { continue };
        let times = if n == 0 { 4 } else { 1 + n % 3 };
        for turn in 0..times {
            let day = if n == 0 { 1 } else { (n + turn * 5) as i64 };
            redemptions.push(Redemption {
                id: id(partner, redemptions.len(), now),
                offer: offer.to_owned(),
                number: number.clone(),
                key_id: card.key_id.clone(),
                issued_at: *issued_at,
                redeemed_at: now - SignedDuration::from_hours(24 * day + turn as i64),
                bundle_version: 1,
            });
        }
    }
    let batch = RedemptionBatch { redemptions, reversals: Vec::new() };
    federation.redeem(&device, &batch).await.map_err(|e| usage(e.to_string()))?;
    Ok(())
}

/// An id as a device makes them (RFC 9562, version 7); random bits that are told apart are enough here.
fn id(partner: PartnerId, place: usize, now: Timestamp) -> Uuid {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&(partner.0 << 32 | place as i64).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(now.as_millisecond().unsigned_abs(), &random).into_uuid()
}

fn sheet(error: XlsxError) -> AppError {
    AppError::Usage(format!("写不出样例表格：{error}"))
}
