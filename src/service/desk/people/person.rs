//! One volunteer's page.

use jiff::Timestamp;
use jiff::civil::date;
use zyz_credential::CertificateNumber;

use super::{Desk, DeskError, HistoryEvent, grouped, hours};
use crate::clock::{beijing, beijing_date};
use crate::domain::certificate::{CertificateState, VolunteerState};
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::correction::Fact;
use crate::domain::division::County;
use crate::domain::hours::ServiceItem;
use crate::domain::identity::IdentityNumber;
use crate::domain::person::{Phone, Sex, age_on};
use crate::domain::staff::Permission;
use crate::store::{Certificate, Correction, Reader, Volunteer};

/// Service records shown.
const RECORDS: usize = 10;
/// Corrections shown.
const CORRECTIONS: u32 = 50;

/// What the page shows. Identity number, telephone, e-mail and address are masked.
#[derive(Debug, Clone)]
pub struct PersonPage {
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// What each fact is called, and what it is.
    pub facts: Vec<(&'static str, String)>,
    /// Standing in words.
    pub state: &'static str,
    /// Mark of the standing.
    pub state_kind: &'static str,
    /// Star certified last.
    pub star: u8,
    /// Key of the unit.
    pub unit: i64,
    /// Name of the unit.
    pub unit_name: String,
    /// County in words.
    pub county: &'static str,
    /// Hours of this calendar year.
    pub hours_this_year: String,
    /// Hours in all.
    pub hours_lifetime: String,
    /// How many service records there are.
    pub record_count: usize,
    /// The latest of them.
    pub records: Vec<RecordRow>,
    /// Every card, newest first; those of merged registrations after their own.
    pub cards: Vec<CardRow>,
    /// The volunteer they were merged into: number and number in groups.
    pub merged_into: Option<(String, String)>,
    /// Those who were merged into them: number and number in groups.
    pub merged: Vec<(String, String)>,
    /// What was corrected, newest first.
    pub corrections: Vec<CorrectionRow>,
    /// What happened, newest first.
    pub history: Vec<HistoryEvent>,
    /// What can be done now by whoever asks.
    pub actions: Vec<Action>,
    /// Whether a correction since the card was issued should be followed by a new card.
    pub card_outdated: bool,
}

/// A service record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Day.
    pub date: String,
    /// Hours.
    pub hours: String,
    /// What was done.
    pub content: String,
    /// Activity, and place.
    pub about: String,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// Key.
    pub id: i64,
    /// Certificate number in groups.
    pub grouped: String,
    /// Star on it.
    pub star: u8,
    /// Day of issue.
    pub issued: String,
    /// Last day.
    pub expires: String,
    /// State in words.
    pub state: &'static str,
    /// Mark of the state.
    pub kind: &'static str,
    /// Why it is no longer as issued; empty for none.
    pub reason: &'static str,
    /// Day of printing, or that it was not.
    pub printed: String,
    /// What partners see, and since when.
    pub partners: String,
}

/// A correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRow {
    /// Of what.
    pub fact: &'static str,
    /// What it was; masked where the column is sealed.
    pub old: String,
    /// What it became.
    pub new: String,
    /// Why.
    pub reason: String,
    /// When and by whom.
    pub by: String,
}

/// Something that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it is called.
    pub label: &'static str,
    /// Address below the volunteer's own.
    pub path: &'static str,
    /// Whether it takes something away.
    pub danger: bool,
}

impl Desk {
    /// Everything about one volunteer.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`].
    pub async fn person(&self, number: CertificateNumber) -> Result<PersonPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let now = self.office().now();
        let today = beijing_date(now);
        let mut reader = self.office().store.read().await?;
        let person = self.within_reach(&mut reader, number).await?;
        let (this_year, lifetime) = reader.service_minutes(person.id, date(today.year(), 1, 1), today).await?;
        let own_cards = reader.certificate_history(number.as_str()).await?;
        let ids: Vec<i64> = own_cards.iter().map(|card| card.id.0).collect();
        let bundle = reader.latest_bundle_mark(None).await?.map(|mark| mark.issued_at);
        let mut merged = Vec::new();
        let mut cards: Vec<CardRow> = own_cards.iter().map(|card| self.card_row(card, now, bundle)).collect();
        for other in reader.merged_into(person.id).await? {
            for card in reader.certificate_history(&other.number).await? {
                cards.push(self.card_row(&card, now, bundle));
            }
            merged.push((other.number.clone(), grouped(&other.number)));
        }
        let merged_into = match person.merged_into {
            None => None,
            Some(id) => reader.volunteer_by_id(id).await?.map(|other| {
                let grouped = grouped(&other.number);
                (other.number, grouped)
            }),
        };
        let corrections = reader.corrections(person.id, CORRECTIONS).await?;
        let live = own_cards.first().filter(|card| card.state.is_live());
        let card_outdated = live.is_some_and(|card| {
            let since = card.issued.issued_at;
            corrections.iter().any(|made| made.fact.is_on_card() && made.at >= since)
        });
        let mut correction_rows = Vec::with_capacity(corrections.len());
        for made in corrections {
            correction_rows.push(correction_row(&mut reader, made).await?);
        }
        let facts = self.facts(&mut reader, &person, today).await?;
        let all = reader.service_records(person.id).await?;
        let record_count = all.len();
        let records = all.into_iter().take(RECORDS).map(record_row).collect();
        let history = self.history(&mut reader, &person, &ids).await?;
        let (state, state_kind) = match (person.merged_into, person.state) {
            (Some(_), _) => ("已并入他人的登记", "quiet"),
            (None, VolunteerState::Exited) => ("已退出", "quiet"),
            (None, VolunteerState::Active) => ("在册", "good"),
        };
        Ok(PersonPage {
            grouped: grouped(&person.number),
            facts,
            state,
            state_kind,
            star: person.star,
            unit: person.unit.0,
            county: County::from_code(person.county).map_or("", |county| county.name()),
            hours_this_year: hours(this_year),
            hours_lifetime: hours(lifetime),
            record_count,
            records,
            actions: self.actions(&person, live.map(|card| card.state)),
            cards,
            merged_into,
            merged,
            corrections: correction_rows,
            history,
            card_outdated,
            number: person.number,
            name: person.name,
            unit_name: person.unit_name,
        })
    }

    async fn facts(
        &self,
        reader: &mut Reader,
        person: &Volunteer,
        today: jiff::civil::Date,
    ) -> Result<Vec<(&'static str, String)>, DeskError> {
        let private = reader.personal_data(person.id).await?.ok_or(DeskError::NotFound)?;
        let missing = match person.state {
            VolunteerState::Exited => "已删除",
            VolunteerState::Active => "未登记",
        };
        let shown = |fact, value: Option<&str>| value.map_or_else(|| missing.to_owned(), |text| masked(fact, text));
        let born = format!("{}（{} 岁）", person.birth_date, age_on(person.birth_date, today));
        let day = |at: Timestamp| beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
        let mut facts = vec![
            (Fact::Sex.label(), Sex::from_code(person.sex).map_or("未说明", Sex::name).to_owned()),
            (Fact::Ethnicity.label(), Ethnicity::from_code(person.ethnicity).map(Ethnicity::name).unwrap_or_default()),
            (Fact::BirthDate.label(), born),
            (
                Fact::Political.label(),
                person.political.and_then(Political::from_code).map_or("未登记", Political::name).to_owned(),
            ),
            (Fact::Identity.label(), masked(Fact::Identity, &private.identity)),
            (Fact::Phone.label(), shown(Fact::Phone, private.phone.as_deref().map(String::as_str))),
            (Fact::Email.label(), shown(Fact::Email, private.email.as_deref().map(String::as_str))),
            (Fact::Address.label(), shown(Fact::Address, private.address.as_deref().map(String::as_str))),
            (Fact::UserName.label(), person.user_name.clone().unwrap_or_else(|| missing.to_owned())),
            (Fact::NationalNumber.label(), person.national_number.clone().unwrap_or_else(|| "未登记".to_owned())),
            ("登记时间", day(person.registered_at)),
        ];
        if let Some(at) = person.exited_at {
            facts.push(("退出时间", day(at)));
        }
        Ok(facts)
    }

    /// What whoever asks may do with them now.
    fn actions(&self, person: &Volunteer, live: Option<CertificateState>) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut offer = |permission, label, path, danger| {
            if self.may(permission) {
                actions.push(Action { label, path, danger });
            }
        };
        let active = person.state == VolunteerState::Active && person.merged_into.is_none();
        if active {
            offer(Permission::EditPeople, "更正资料", "edit", false);
            offer(Permission::MergePeople, "更正身份证号码", "identity", false);
        }
        offer(Permission::RevealPersonal, "查看身份证号、电话", "reveal", false);
        match (active, live) {
            (true, Some(CertificateState::Valid)) => {
                offer(Permission::ReportLost, "证件遗失", "lost", false);
                offer(Permission::CardStatus, "暂停使用", "suspend", true);
                offer(Permission::CardStatus, "违规注销", "misuse", true);
            }
            (true, Some(CertificateState::Suspended)) => {
                offer(Permission::CardStatus, "恢复使用", "resume", false);
                offer(Permission::ReportLost, "证件遗失", "lost", false);
                offer(Permission::CardStatus, "违规注销", "misuse", true);
            }
            _ => {}
        }
        if active {
            offer(Permission::MergePeople, "与重复登记合并", "merge", true);
            offer(Permission::Exit, "办理退出", "exit", true);
        } else if person.merged_into.is_none() {
            offer(Permission::ViewPeople, "退出凭证（PDF）", "receipt.pdf", false);
            offer(Permission::Readmit, "重新加入", "readmit", false);
        }
        actions
    }

    fn card_row(&self, card: &Certificate, now: Timestamp, bundle: Option<Timestamp>) -> CardRow {
        let ended = card.state.is_live() && card.issued.expires_at < now;
        let (state, kind) = match card.state {
            _ if ended => ("已过期", "bad"),
            CertificateState::Valid => ("有效", "good"),
            CertificateState::Suspended => ("已暂停", "warn"),
            CertificateState::Revoked => ("已注销", "bad"),
            CertificateState::Superseded => ("已由新证代替", "quiet"),
        };
        let day = |at| beijing_date(at).to_string();
        CardRow {
            id: card.id.0,
            grouped: grouped(&card.issued.number),
            star: card.issued.star,
            issued: day(card.issued.issued_at),
            expires: day(card.issued.expires_at),
            state,
            kind,
            reason: card.reason.map_or("", |reason| reason.label()),
            printed: card.printed_at.map_or_else(|| "未打印".to_owned(), day),
            partners: format!("{}{}", partners_see(card.state, ended), self.since(card, bundle)),
        }
    }

    /// Since when partners know of a card's state: with which bundle.
    fn since(&self, card: &Certificate, bundle: Option<Timestamp>) -> String {
        if card.state == CertificateState::Valid && card.reason.is_none() {
            return String::new();
        }
        match bundle {
            Some(at) if at >= card.state_changed_at => {
                let at = beijing().to_datetime(at).strftime("%m-%d %H:%M");
                format!("（已随 {at} 的数据包下发）")
            }
            _ => "（合作单位下次同步时生效）".to_owned(),
        }
    }
}

/// What a cashier's screen says of a card in this state.
pub(super) fn partners_see(state: CertificateState, ended: bool) -> &'static str {
    match state {
        _ if ended => "不可用：已过有效期",
        CertificateState::Valid => "可用",
        CertificateState::Suspended => "不可用：已暂停",
        CertificateState::Revoked => "不可用：已注销",
        CertificateState::Superseded => "不可用：已换发新证",
    }
}

/// A sealed value as it may be shown to everybody within reach.
pub(super) fn masked(fact: Fact, text: &str) -> String {
    match fact {
        Fact::Identity => IdentityNumber::parse(text).map(|number| number.masked()).unwrap_or_default(),
        Fact::Phone => Phone::parse(text).map(|phone| phone.masked()).unwrap_or_default(),
        Fact::Email => match text.split_once('@') {
            Some((_, host)) => format!("{}***@{host}", text.chars().next().unwrap_or('*')),
            None => "***".to_owned(),
        },
        Fact::Address => format!("{}……", text.chars().take(6).collect::<String>()),
        _ => text.to_owned(),
    }
}

async fn correction_row(reader: &mut Reader, made: Correction) -> Result<CorrectionRow, DeskError> {
    let gone =
        if made.fact.is_contact() && made.old.is_none() && made.new.is_none() { "已删除" } else { "（空）" };
    let mut values = Vec::with_capacity(2);
    for value in [&made.old, &made.new] {
        values.push(match value {
            None => gone.to_owned(),
            Some(text) => in_words(reader, made.fact, text).await?,
        });
    }
    let who = reader.staff_by_login(&made.actor).await?.map_or(made.actor, |account| account.staff.name);
    let new = values.pop().unwrap_or_default();
    Ok(CorrectionRow {
        fact: made.fact.label(),
        old: values.pop().unwrap_or_default(),
        new,
        reason: made.reason,
        by: format!("{} {who}", beijing().to_datetime(made.at).strftime("%Y-%m-%d %H:%M")),
    })
}

/// A stored value in words.
async fn in_words(reader: &mut Reader, fact: Fact, text: &str) -> Result<String, DeskError> {
    let code = || text.parse().ok();
    Ok(match fact {
        Fact::Sex => code().and_then(Sex::from_code).map_or("", Sex::name).to_owned(),
        Fact::Ethnicity => code().and_then(Ethnicity::from_code).map(Ethnicity::name).unwrap_or_default(),
        Fact::Political => code().and_then(Political::from_code).map_or("", Political::name).to_owned(),
        Fact::Unit => match text.parse() {
            Ok(id) => reader.unit(crate::store::UnitId(id)).await?.map(|unit| unit.name).unwrap_or_default(),
            Err(_) => String::new(),
        },
        fact => masked(fact, text),
    })
}

fn record_row(record: crate::store::ServiceRecord) -> RecordRow {
    let noted = record.noted;
    let item = noted.item.and_then(ServiceItem::from_code).map(|item| item.name().to_owned());
    let about: Vec<String> = [noted.activity, noted.place, item].into_iter().flatten().collect();
    RecordRow {
        date: noted.date.to_string(),
        hours: hours(noted.minutes.into()),
        content: noted.content,
        about: about.join("，"),
    }
}
