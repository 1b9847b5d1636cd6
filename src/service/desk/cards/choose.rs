//! Choosing whose cards a step is about: lists as they stand, with counts and pages.

use zyz_credential::CertificateNumber;

use super::{Capped, day};
use crate::clock::beijing_date;
use crate::domain::certificate::{CertificateState, VolunteerState};
use crate::domain::choice::CardChoice;
use crate::domain::division::County;
use crate::domain::staff::Permission;
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};
use crate::store::{ChoiceCursor, ChoiceFilter, Chosen, KeyState, UnitId};

/// Rows a page.
const PAGE: u32 = 50;
/// Rows of an export; more is a job for several.
const EXPORT: u32 = 100_000;

/// Somebody in a list.
#[derive(Debug, Clone)]
pub struct CardLine {
    /// Certificate number, ten digits.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Name of the unit.
    pub unit: String,
    /// Name of its county.
    pub county: &'static str,
    /// Star certified last.
    pub star: u8,
    /// Whether they have left.
    pub exited: bool,
    /// Whether there is a photo.
    pub photo: bool,
    /// The live card.
    pub card: Option<CardStanding>,
}

/// A live card in a list.
#[derive(Debug, Clone)]
pub struct CardStanding {
    /// Key of the card.
    pub id: i64,
    /// Valid; else suspended.
    pub valid: bool,
    /// Star on it.
    pub star: u8,
    /// The day it was issued.
    pub issued: String,
    /// The last day it is good.
    pub expires: String,
    /// Whether that day is over.
    pub expired: bool,
    /// Whether its key is no longer trusted.
    pub distrusted: bool,
    /// How far it has come: 未打印, 已打印, 已发放.
    pub stage: &'static str,
}

/// A page of a choice.
#[derive(Debug, Clone)]
pub struct ChoicePage {
    /// Those on it.
    pub rows: Vec<CardLine>,
    /// How many there are in all.
    pub count: Capped,
    /// Where the next page goes on; none at the end.
    pub next: Option<String>,
}

impl CardLine {
    pub(super) fn of(person: &Chosen, now: jiff::Timestamp) -> Self {
        let card = person.card.as_ref().map(|card| CardStanding {
            id: card.id.0,
            valid: card.state == CertificateState::Valid,
            star: card.star,
            issued: day(card.issued_at),
            expires: day(card.expires_at),
            expired: card.expires_at < now,
            distrusted: card.key_state == KeyState::Compromised,
            stage: match card.stage {
                0 => "未打印",
                1 => "已打印",
                _ => "已发放",
            },
        });
        Self {
            number: person.number.clone(),
            grouped: grouped(&person.number),
            name: person.name.clone(),
            unit: person.unit_name.clone(),
            county: County::from_code(person.county).map_or("", County::name),
            star: person.star,
            exited: person.state == VolunteerState::Exited,
            photo: person.photo,
            card,
        }
    }
}

impl Desk {
    /// A page of a choice within reach, after the place `after`.
    ///
    /// # Errors
    /// No permission to see people; a unit out of reach; the database fails.
    pub async fn choice(
        &self,
        choice: CardChoice,
        unit: Option<i64>,
        after: Option<&str>,
    ) -> Result<ChoicePage, DeskError> {
        let filter = self.choice_filter(choice, unit).await?;
        let after = after.and_then(ChoiceCursor::parse);
        let mut rows = self.office().store.read().await?.chosen(&filter, after.as_ref(), PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = rows.last().filter(|_| more).map(|last| last.cursor(&filter).text());
        let count = self.choice_count(choice, unit).await?;
        Ok(ChoicePage { rows: rows.iter().map(|row| CardLine::of(row, filter.now)).collect(), count, next })
    }

    /// A choice as a whole, for a spreadsheet; at most 100,000.
    ///
    /// # Errors
    /// As [`Self::choice`].
    pub async fn choice_export(&self, choice: CardChoice, unit: Option<i64>) -> Result<Vec<CardLine>, DeskError> {
        let filter = self.choice_filter(choice, unit).await?;
        let rows = self.office().store.read().await?.chosen_all(&filter, EXPORT).await?;
        Ok(rows.iter().map(|row| CardLine::of(row, filter.now)).collect())
    }

    /// [`Self::choice_export`] as a workbook.
    ///
    /// # Errors
    /// As [`Self::choice`].
    pub async fn choice_workbook(&self, choice: CardChoice, unit: Option<i64>) -> Result<Vec<u8>, DeskError> {
        let rows = self.choice_export(choice, unit).await?;
        let headers =
            ["证书编号", "姓名", "单位", "县区", "星级", "照片", "证上星级", "签发日期", "有效期至", "制证阶段"];
        let cells = rows.into_iter().map(|row| {
            let card = row.card;
            let text = |of: fn(&CardStanding) -> &str| card.as_ref().map(|card| of(card).to_owned()).into();
            vec![
                Cell::from(row.number),
                row.name.into(),
                row.unit.into(),
                row.county.into(),
                u32::from(row.star).into(),
                if row.photo { "有" } else { "无" }.into(),
                card.as_ref().map(|card| u32::from(card.star)).into(),
                text(|card| &card.issued),
                text(|card| &card.expires),
                text(|card| card.stage),
            ]
        });
        let made = beijing_date(self.office().now());
        Ok(export::table(choice.label(), &headers, cells, made).map_err(ServiceError::from)?)
    }

    /// The choice with the caller's reach; a unit out of reach is refused.
    pub(super) async fn choice_filter(&self, choice: CardChoice, unit: Option<i64>) -> Result<ChoiceFilter, DeskError> {
        self.need(Permission::ViewPeople)?;
        let reach = self.reach()?;
        if let Some(unit) = unit {
            let found = self.office().store.read().await?.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?;
            self.reach_unit(found.county, found.id)?;
        }
        Ok(ChoiceFilter { choice, unit: unit.map(UnitId), reach, now: self.office().now() })
    }
}

/// A number from the database, in groups.
pub(super) fn grouped(number: &str) -> String {
    CertificateNumber::parse(number).map_or_else(|_| number.to_owned(), |number| number.grouped())
}
