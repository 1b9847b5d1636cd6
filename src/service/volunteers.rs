//! Looking at volunteers.

use jiff::Timestamp;
use jiff::civil::date;
use serde::Serialize;
use zyz_credential::CertificateNumber;

use super::{Federation, ServiceError, rfc3339};
use crate::clock::{beijing, beijing_date};
use crate::domain::certificate::VolunteerState;
use crate::domain::codes::Ethnicity;
use crate::domain::division::County;
use crate::domain::identity::IdentityNumber;
use crate::domain::person::{Phone, Sex};
use crate::store::{CertificateLine, VolunteerFilter, VolunteerLine};

/// Lines read at a time.
const PAGE: u32 = 5000;

/// Which volunteers to list.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Only this unit's.
    pub unit: Option<String>,
    /// Only those of exactly this name.
    pub name: Option<String>,
    /// Only those in this standing.
    pub state: Option<VolunteerState>,
}

/// A line of the list. Programs count on these names.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// County, two digits.
    pub county: String,
    /// Star certified last.
    pub star: u8,
    /// active or exited.
    pub state: &'static str,
    /// The same in words.
    #[serde(skip)]
    pub state_label: &'static str,
    /// The card that is live, or else the latest; null for none.
    pub certificate: Option<LineCard>,
}

/// The card in a line.
#[derive(Debug, Serialize)]
pub struct LineCard {
    /// valid, expired, suspended, revoked or superseded.
    pub state: &'static str,
    /// The state in words.
    #[serde(skip)]
    pub label: &'static str,
    /// RFC 3339.
    pub issued_at: String,
    /// RFC 3339.
    pub expires_at: String,
}

/// One volunteer's page.
#[derive(Debug, Serialize)]
pub struct Person {
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    #[serde(skip)]
    pub number_grouped: String,
    /// Name.
    pub name: String,
    /// Sex in words.
    pub sex: &'static str,
    /// People in words.
    pub ethnicity: String,
    /// Birth date.
    pub birth_date: String,
    /// Unit.
    pub unit: String,
    /// County, two digits.
    pub county: String,
    /// County in words.
    pub county_name: &'static str,
    /// Identity number, masked.
    pub identity_masked: String,
    /// Phone, masked; empty for none.
    pub phone_masked: String,
    /// active or exited.
    pub state: &'static str,
    /// The state in words.
    #[serde(skip)]
    pub state_label: &'static str,
    /// Star certified last.
    pub star: u8,
    /// Hours of service in all.
    pub hours_lifetime: f64,
    /// Hours of service this calendar year.
    pub hours_this_year: f64,
    /// Every card, newest first.
    pub certificates: Vec<PersonCard>,
    /// What happened, oldest first.
    pub history: Vec<HistoryLine>,
}

/// One card of a volunteer.
#[derive(Debug, Serialize)]
pub struct PersonCard {
    /// Issuing key.
    pub key_id: String,
    /// Index in that key's status list.
    pub status_index: u32,
    /// Star on it.
    pub star: u8,
    /// Date of issue, Beijing.
    pub issued_at: String,
    /// Last day, Beijing.
    pub expires_at: String,
    /// valid, suspended, revoked or superseded.
    pub state: &'static str,
    /// The state in words.
    #[serde(skip)]
    pub label: &'static str,
    /// Why, in words; empty while it is as issued.
    pub reason: String,
}

/// One event.
#[derive(Debug, Serialize)]
pub struct HistoryLine {
    /// When, Beijing time.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// Details as JSON.
    pub detail: String,
}

impl Federation {
    /// Everybody that `filter` lets through, by number.
    ///
    /// # Errors
    /// Unknown or ambiguous unit.
    pub async fn volunteers(&self, filter: &ListFilter) -> Result<Vec<Line>, ServiceError> {
        let mut reader = self.store.read().await?;
        let unit = match &filter.unit {
            Some(name) => Some(self.unit_named(&mut reader, name).await?.id),
            None => None,
        };
        let wanted = VolunteerFilter { unit, county: None, state: filter.state, name: filter.name.clone() };
        let now = self.now();
        let mut lines = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = reader.volunteer_lines(&wanted, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(lines) };
            after = Some(last.number.clone());
            lines.extend(page.into_iter().map(|line| list_line(line, now)));
        }
    }

    /// One volunteer with hours, cards and history; personal data masked.
    ///
    /// # Errors
    /// Unknown number.
    pub async fn volunteer(&self, number: CertificateNumber) -> Result<Person, ServiceError> {
        let mut reader = self.store.read().await?;
        let person = self.known(&mut reader, number).await?;
        let today = beijing_date(self.now());
        let (this_year, lifetime) = reader.service_minutes(person.id, date(today.year(), 1, 1), today).await?;
        let private = reader.personal_data(person.id).await?;
        let identity_masked = private
            .as_ref()
            .and_then(|data| IdentityNumber::parse(&data.identity).ok())
            .map(|identity| identity.masked())
            .unwrap_or_default();
        let phone_masked = private
            .as_ref()
            .and_then(|data| data.phone.as_ref())
            .and_then(|phone| Phone::parse(phone).ok())
            .map(|phone| phone.masked())
            .unwrap_or_default();
        let keys = reader.signing_keys(None).await?;
        let mut certificates = Vec::new();
        let mut history = reader.audit_events(Some(&format!("volunteer/{number}")), 0, PAGE).await?;
        for card in reader.certificate_history(number.as_str()).await? {
            history.extend(reader.audit_events(Some(&format!("certificate/{number}#{}", card.id)), 0, PAGE).await?);
            let key = keys.iter().find(|key| key.id == card.issued.key);
            certificates.push(PersonCard {
                key_id: key.map(|key| hex::encode(key.kid)).unwrap_or_default(),
                status_index: card.issued.status_index,
                star: card.issued.star,
                issued_at: beijing_date(card.issued.issued_at).to_string(),
                expires_at: beijing_date(card.issued.expires_at).to_string(),
                state: card.state.as_str(),
                label: card.state.label(),
                reason: card.reason.map(|reason| reason.label().to_owned()).unwrap_or_default(),
            });
        }
        history.sort_by_key(|event| event.seq);
        let county = County::from_code(person.county);
        Ok(Person {
            number: number.to_string(),
            number_grouped: number.grouped(),
            sex: Sex::from_code(person.sex).map_or("未说明", Sex::name),
            ethnicity: Ethnicity::from_code(person.ethnicity)
                .map(|people| people.name().to_owned())
                .unwrap_or_default(),
            birth_date: person.birth_date.to_string(),
            county: format!("{:02}", person.county),
            county_name: county.map_or("", |county| county.name()),
            name: person.name,
            unit: person.unit_name,
            identity_masked,
            phone_masked,
            state: person.state.as_str(),
            state_label: person.state.label(),
            star: person.star,
            hours_lifetime: lifetime as f64 / 60.0,
            hours_this_year: this_year as f64 / 60.0,
            certificates,
            history: history
                .into_iter()
                .map(|event| HistoryLine {
                    at: beijing().to_datetime(event.at).strftime("%Y-%m-%d %H:%M").to_string(),
                    actor: event.actor,
                    action: event.action,
                    detail: event.detail,
                })
                .collect(),
        })
    }
}

fn list_line(line: VolunteerLine, now: Timestamp) -> Line {
    Line {
        number: line.number,
        name: line.name,
        unit: line.unit,
        county: format!("{:02}", line.county),
        star: line.star,
        state: line.state.as_str(),
        state_label: line.state.label(),
        certificate: line.certificate.map(|card| line_card(&card, now)),
    }
}

/// A valid card past its time is shown as expired, as every verifier sees it.
fn line_card(card: &CertificateLine, now: Timestamp) -> LineCard {
    let expired = card.state.is_live() && card.expires_at < now;
    LineCard {
        state: if expired { "expired" } else { card.state.as_str() },
        label: if expired { "已过期" } else { card.state.label() },
        issued_at: rfc3339(card.issued_at),
        expires_at: rfc3339(card.expires_at),
    }
}
