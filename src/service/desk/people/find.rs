//! Lists and the one search box.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use zyz_credential::CertificateNumber;

use super::{Desk, DeskError, grouped};
use crate::clock::beijing_date;
use crate::domain::certificate::VolunteerState;
use crate::domain::division::County;
use crate::domain::identity::IdentityNumber;
use crate::domain::person::{PersonName, Phone, Sex, bare, is_han};
use crate::domain::staff::Permission;
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::store::{CardFilter, NameCursor, PeopleFilter, PersonLine, PlaceInList, Reach, Reader, Standing, UnitId};

/// Lines of a page.
const PAGE: u32 = 50;
/// Counting stops here.
const COUNTED: u32 = 10_001;
/// Days before its end from which a card counts as ending.
const ENDING_DAYS: i64 = 90;
/// Most lines of an exported list.
const EXPORTED: usize = 50_000;
/// Units that a search names.
const UNITS: u32 = 12;

/// Which volunteers a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Of this county's units.
    pub county: Option<County>,
    /// Of the unit with this key.
    pub unit: Option<i64>,
    /// In this standing.
    pub state: Option<VolunteerState>,
    /// With this star, 0 for none.
    pub star: Option<u8>,
    /// By their card.
    pub card: Option<CardChoice>,
}

/// Which volunteers, by their card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardChoice {
    /// Active, without a card that is live.
    Without,
    /// Valid and never printed.
    Unprinted,
    /// Valid.
    Valid,
    /// Valid, and ending within 90 days.
    Ending,
    /// Ended and not replaced.
    Ended,
    /// Suspended.
    Suspended,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct PeoplePage {
    /// The lines.
    pub rows: Vec<PersonRow>,
    /// How many in all, in words: 「321 人」, 「10000 人以上」.
    pub count: String,
    /// Where the next page begins; for the address.
    pub next: Option<String>,
    /// Name of the unit asked for.
    pub unit_name: String,
}

/// One volunteer in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Sex in words.
    pub sex: &'static str,
    /// Birth date.
    pub birth_date: String,
    /// Key of the unit.
    pub unit: i64,
    /// Name of the unit.
    pub unit_name: String,
    /// County in words.
    pub county: &'static str,
    /// Star certified last.
    pub star: u8,
    /// Standing in words, empty for the usual one.
    pub state: &'static str,
    /// Mark of the standing: good, warn, bad, quiet.
    pub state_kind: &'static str,
    /// The card in words.
    pub card: String,
    /// Mark of the card.
    pub card_kind: &'static str,
}

/// A unit that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// Key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// County in words.
    pub county: &'static str,
}

/// What a search came to.
#[derive(Debug, Clone)]
pub enum Found {
    /// Exactly the volunteer of this certificate number.
    Number(CertificateNumber),
    /// People, units, or none.
    Some {
        /// What the text was taken for, in words.
        taken_for: &'static str,
        /// People.
        rows: Vec<PersonRow>,
        /// Units.
        units: Vec<UnitRow>,
        /// Where the next page begins; for a field of the form.
        next: Option<String>,
        /// What to do when nothing was found.
        advice: String,
    },
}

impl CardChoice {
    /// Every choice.
    pub const ALL: [Self; 6] =
        [Self::Without, Self::Unprinted, Self::Valid, Self::Ending, Self::Ended, Self::Suspended];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Without => "none",
            Self::Unprinted => "unprinted",
            Self::Valid => "valid",
            Self::Ending => "expiring",
            Self::Ended => "expired",
            Self::Suspended => "suspended",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }

    /// The word shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Without => "没有可用的证",
            Self::Unprinted => "有效，未打印",
            Self::Valid => "有效",
            Self::Ending => "90 天内到期",
            Self::Ended => "已过期",
            Self::Suspended => "已暂停",
        }
    }
}

impl Desk {
    /// A page of the list, after the place `after`.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`]; a unit out of reach is [`DeskError::NotFound`].
    pub async fn people(&self, query: &ListQuery, after: Option<&str>) -> Result<PeoplePage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let (reach, now) = (self.reach()?, self.office().now());
        let mut reader = self.office().store.read().await?;
        let unit_name = match query.unit {
            None => String::new(),
            Some(unit) => {
                let unit = reader.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?;
                self.reach_unit(unit.county, unit.id)?;
                unit.name
            }
        };
        let filter = filter(query, now);
        let mut lines = reader.people(reach, &filter, after.and_then(place).as_ref(), PAGE + 1).await?;
        let next = more(&mut lines).map(|last| format!("{:02}{}", last.county, last.number));
        let count = match (after, &next) {
            (None, None) => format!("{} 人", lines.len()),
            _ => match reader.people_count(reach, &filter, COUNTED).await? {
                COUNTED => format!("{} 人以上", COUNTED - 1),
                count => format!("{count} 人"),
            },
        };
        Ok(PeoplePage { rows: rows(lines, now), count, next, unit_name })
    }

    /// The units whose name contains `text`, a few: the one of exactly that name alone if there is one.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`].
    pub async fn units_for(&self, text: &str) -> Result<Vec<UnitRow>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let reach = self.reach()?;
        let mut units = self.units_of(&mut self.office().store.read().await?, reach, text).await?;
        if let Some(exact) = units.iter().position(|unit| unit.name == text.trim())
            && units.iter().filter(|unit| unit.name == text.trim()).count() == 1
        {
            units = vec![units.swap_remove(exact)];
        }
        Ok(units)
    }

    /// What the search box finds: a certificate number (with or without spaces), the beginning of one, a whole identity or
    /// telephone number, the beginning of a name, a part of a unit's name.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`].
    pub async fn find_people(&self, text: &str, after: Option<&str>) -> Result<Found, DeskError> {
        self.need(Permission::ViewPeople)?;
        let (reach, now) = (self.reach()?, self.office().now());
        let mut reader = self.office().store.read().await?;
        let text: String = text.trim().chars().take(60).collect();
        let plain = bare(&text).replace(['-', '—', '\'', '’'], "");
        let digits = plain.strip_prefix("+86").unwrap_or(&plain).to_uppercase();
        let some = |taken_for, lines: Vec<PersonLine>, advice: &str| {
            Ok(Found::Some {
                taken_for,
                rows: rows(lines, now),
                units: Vec::new(),
                next: None,
                advice: advice.to_owned(),
            })
        };
        if digits.len() >= 15 && digits.chars().all(|c| c.is_ascii_digit() || c == 'X') {
            return match IdentityNumber::parse(&digits) {
                Err(error) => some("身份证号码", Vec::new(), &error.to_string()),
                Ok(identity) => {
                    let line = reader.person_by_identity(reach, identity.as_str()).await?;
                    let advice = "没有登记过，或不在您的管辖范围内。请核对号码；也可按姓名查找。";
                    some("身份证号码", line.into_iter().collect(), advice)
                }
            };
        }
        if digits.len() == 10
            && let Ok(number) = CertificateNumber::parse(&digits)
            && let Some(person) = reader.volunteer(number.as_str()).await?
            && self.reach_unit(person.county, person.unit).is_ok()
        {
            return Ok(Found::Number(number));
        }
        if let (true, Ok(phone)) = (digits.len() >= 10, Phone::parse(&text)) {
            let lines = reader.people_by_phone(reach, phone.as_str(), PAGE).await?;
            if !lines.is_empty() || phone.is_mobile() {
                let advice = "没有人登记这个电话，或不在您的管辖范围内。已退出的人不再保留电话。请改用姓名或编号查找。";
                return some("联系电话", lines, advice);
            }
        }
        if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
            if digits.len() > 10 {
                let advice = "这串数字不是证书编号（10 位）、手机号码（11 位）或身份证号码（18 位）。请核对位数。";
                return some("号码", Vec::new(), advice);
            }
            let lines = match digits.len() {
                10 => Vec::new(),
                _ => reader.people_numbered(reach, &digits, PAGE).await?,
            };
            let advice = "没有这个编号，或不在您的管辖范围内。证书编号共 10 位，印在证件正面。";
            return some("证书编号", lines, advice);
        }
        self.find_by_words(&mut reader, reach, &text, after).await
    }

    /// The list as a workbook, identity and telephone numbers masked; noted in the audit trail.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`]; a unit out of reach is [`DeskError::NotFound`].
    pub async fn export_people(&self, query: &ListQuery) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let (reach, now) = (self.reach()?, self.office().now());
        let mut reader = self.office().store.read().await?;
        if let Some(unit) = query.unit {
            let unit = reader.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?;
            self.reach_unit(unit.county, unit.id)?;
        }
        let filter = filter(query, now);
        let mut table: Vec<Vec<Cell>> = Vec::new();
        let mut after: Option<PlaceInList> = None;
        let mut cut = false;
        'pages: loop {
            let lines = reader.people(reach, &filter, after.as_ref(), 1000).await?;
            let Some(last) = lines.last() else { break };
            after = Some(last.place());
            let ids: Vec<_> = lines.iter().map(|line| line.id).collect();
            let private = reader.identities_and_phones(&ids).await?;
            for (line, private) in lines.into_iter().zip(private) {
                if table.len() == EXPORTED {
                    cut = true;
                    break 'pages;
                }
                let (identity, phone) = match private {
                    None => (String::new(), String::new()),
                    Some((identity, phone)) => (
                        IdentityNumber::parse(&identity).map(|number| number.masked()).unwrap_or_default(),
                        phone.and_then(|phone| Phone::parse(&phone).ok()).map(|p| p.masked()).unwrap_or_default(),
                    ),
                };
                let row = row(line, now);
                table.push(vec![
                    Cell::Whole(table.len() as i64 + 1),
                    row.name.into(),
                    row.sex.into(),
                    row.birth_date.into(),
                    identity.into(),
                    phone.into(),
                    row.county.into(),
                    row.unit_name.into(),
                    row.grouped.into(),
                    Cell::Whole(row.star.into()),
                    if row.state.is_empty() { "在册" } else { row.state }.into(),
                    row.card.into(),
                ]);
            }
        }
        drop(reader);
        let mut tx = self.office().begin().await?;
        let detail = json!({"people": table.len(), "county": query.county.map(|county| county.code()),
            "unit": query.unit, "card": query.card.map(CardChoice::as_str)});
        tx.audit("people.export", "people", detail);
        tx.commit().await?;
        let title =
            if cut { "志愿者名单（仅前 50000 人，请按单位分别导出）" } else { "志愿者名单" };
        let headers = [
            "序号",
            "姓名",
            "性别",
            "出生日期",
            "身份证号码",
            "联系电话",
            "县（区）",
            "单位",
            "证书编号",
            "星级",
            "状态",
            "志愿服务证",
        ];
        export::table(title, &headers, table, beijing_date(now))
            .map_err(|error| DeskError::Refused(format!("名单没有导出：{error}")))
    }

    async fn find_by_words(
        &self,
        reader: &mut Reader,
        reach: Reach,
        text: &str,
        after: Option<&str>,
    ) -> Result<Found, DeskError> {
        let now = self.office().now();
        // A name in the shape in which names are stored; a single character is a beginning too.
        let prefix = match PersonName::parse(text) {
            Ok(name) => Some(name.into_string()),
            Err(_) => Some(bare(text).into_owned()).filter(|text| text.chars().all(|c| is_han(c) || c == '·')),
        };
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        let (mut lines, mut next) = (Vec::new(), None);
        if let Some(prefix) = &prefix {
            lines = reader.people_by_name(reach, prefix, after.and_then(name_place).as_ref(), PAGE + 1).await?;
            next = more(&mut lines).map(|last| format!("{}|{}|{}", last.birth_date, last.number, last.name));
        }
        let units = match after {
            None => self.units_of(reader, reach, text).await?,
            Some(_) => Vec::new(),
        };
        let advice = match (text.is_empty(), &prefix) {
            (true, _) => "请输入姓名（从姓开始）、证书编号、单位名称、手机号码或身份证号码。".to_owned(),
            (_, None) => "姓名只含汉字；编号、电话、身份证号码只含数字。请核对输入。".to_owned(),
            _ => "没有以此开头的姓名，也没有名称含此文字的单位（在您的管辖范围内）。可以少输几个字再试。".to_owned(),
        };
        Ok(Found::Some { taken_for: "姓名或单位", rows: rows(lines, now), units, next, advice })
    }

    async fn units_of(&self, reader: &mut Reader, reach: Reach, text: &str) -> Result<Vec<UnitRow>, ServiceError> {
        let text = text.trim();
        if text.chars().count() < 2 {
            return Ok(Vec::new());
        }
        let units = reader.units_containing(reach, text, UNITS).await?;
        let county = |code| County::from_code(code).map_or("", |county| county.name());
        Ok(units.into_iter().map(|(id, code, name)| UnitRow { id: id.0, name, county: county(code) }).collect())
    }
}

fn filter(query: &ListQuery, now: Timestamp) -> PeopleFilter {
    let card = query.card.map(|choice| match choice {
        CardChoice::Without => CardFilter::Without,
        CardChoice::Unprinted => CardFilter::Unprinted,
        CardChoice::Valid => CardFilter::Valid,
        CardChoice::Suspended => CardFilter::Suspended,
        CardChoice::Ended => CardFilter::Ended { by: now },
        CardChoice::Ending => CardFilter::Ending { from: now, to: now + SignedDuration::from_hours(24 * ENDING_DAYS) },
    });
    PeopleFilter {
        county: query.county.map(|county| county.code()),
        unit: query.unit.map(UnitId),
        state: query.state,
        star: query.star,
        card,
    }
}

/// Drops what was read beyond the page; the last line of the page if there was such.
fn more(lines: &mut Vec<PersonLine>) -> Option<PersonLine> {
    let full = lines.len() > PAGE as usize;
    lines.truncate(PAGE as usize);
    lines.last().filter(|_| full).cloned()
}

/// Reads a place of the list out of an address; none for what no page of ours writes.
fn place(text: &str) -> Option<PlaceInList> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Some(PlaceInList { county: text[..2].parse().ok()?, number: text[2..].to_owned() }))?
}

fn name_place(text: &str) -> Option<NameCursor> {
    let (birth_date, rest) = text.split_once('|')?;
    let (number, name) = rest.split_once('|')?;
    Some(NameCursor { name: name.to_owned(), birth_date: birth_date.parse().ok()?, number: number.to_owned() })
}

fn rows(lines: Vec<PersonLine>, now: Timestamp) -> Vec<PersonRow> {
    lines.into_iter().map(|line| row(line, now)).collect()
}

pub(super) fn row(line: PersonLine, now: Timestamp) -> PersonRow {
    let (state, state_kind) = match line.state {
        _ if line.merged => ("已并入他人", "quiet"),
        VolunteerState::Exited => ("已退出", "quiet"),
        VolunteerState::Active => ("", "good"),
    };
    let until = |at| beijing_date(at).to_string();
    let (card, card_kind) = match line.card {
        Standing::None if line.state == VolunteerState::Exited => ("无".to_owned(), "quiet"),
        Standing::None => ("没有可用的证".to_owned(), "warn"),
        Standing::Suspended => ("已暂停".to_owned(), "warn"),
        Standing::Valid { expires_at, .. } if expires_at < now => (format!("已过期 {}", until(expires_at)), "bad"),
        Standing::Valid { expires_at, printed: false } => (format!("未打印，至 {}", until(expires_at)), "warn"),
        Standing::Valid { expires_at, .. } => (format!("有效至 {}", until(expires_at)), "good"),
    };
    PersonRow {
        grouped: grouped(&line.number),
        number: line.number,
        name: line.name,
        sex: Sex::from_code(line.sex).map_or("未说明", Sex::name),
        birth_date: line.birth_date.to_string(),
        unit: line.unit.0,
        unit_name: line.unit_name,
        county: County::from_code(line.county).map_or("", |county| county.name()),
        star: line.star,
        state,
        state_kind,
        card,
        card_kind,
    }
}
