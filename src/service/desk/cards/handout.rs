//! Handing out: which cards went to whom on which day, and taking such a record back.

use jiff::Span;
use jiff::civil::Date;

use super::choose::grouped;
use super::moment;
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{CertificateId, Handout, UnitId};

/// Rows a page.
const PAGE: u32 = 50;
/// Rows of an export.
const EXPORT: u32 = 100_000;
/// Longest name of who took the cards, characters.
const RECEIVER: usize = 40;
/// Longest reason, characters.
const REASON: usize = 200;

/// What the form of handing out says.
#[derive(Debug, Clone, Default)]
pub struct HandoutDraft {
    /// Keys of the cards ticked.
    pub cards: Vec<i64>,
    /// The day, as `YYYY-MM-DD`.
    pub handed_on: String,
    /// Who took them.
    pub received_by: String,
}

/// A record in force.
#[derive(Debug, Clone)]
pub struct HandoutLine {
    /// Key of the card.
    pub card: i64,
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name of the holder.
    pub name: String,
    /// Name of the unit at that time.
    pub unit: String,
    /// The day.
    pub handed_on: String,
    /// Who took it.
    pub received_by: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: String,
}

/// A page of records.
#[derive(Debug, Clone)]
pub struct HandoutPage {
    /// The newest first.
    pub rows: Vec<HandoutLine>,
    /// Where the next page goes on.
    pub next: Option<i64>,
}

impl Desk {
    /// Records that cards were handed out; returns how many were recorded and how many were left out because they are not
    /// valid or were handed out before.
    ///
    /// # Errors
    /// No permission to hand out; [`DeskError::Invalid`] with what is wrong with the form; [`DeskError::NotFound`] for a card
    /// out of reach: then nothing was recorded.
    pub async fn hand_out(&self, draft: &HandoutDraft) -> Result<(usize, usize), DeskError> {
        self.need(Permission::HandOut)?;
        let today = beijing_date(self.office().now());
        let mut wrong = Vec::new();
        let mut refuse = |field, message: &str| wrong.push(FieldError { field, message: message.into() });
        if draft.cards.is_empty() {
            refuse("card", "没有勾选证件。请勾选已交到本人或单位手中的证");
        }
        let handed_on: Option<Date> = draft.handed_on.trim().parse().ok();
        let earliest = today.checked_sub(Span::new().years(2)).unwrap_or(Date::MIN);
        match handed_on {
            None => refuse("handed_on", "请填写发放日期，例如 2026-11-23"),
            Some(day) if day > today => refuse("handed_on", "发放日期不能晚于今天"),
            Some(day) if day < earliest => refuse("handed_on", "发放日期早于两年前，请核对年份"),
            Some(_) => {}
        }
        let receiver = draft.received_by.trim();
        match receiver.chars().count() {
            0 => refuse("received_by", "请填写领取人：本人领取写“本人”，代领写代领人姓名"),
            long if long > RECEIVER => refuse("received_by", "领取人最多 40 个字"),
            _ if receiver.chars().any(char::is_control) => refuse("received_by", "领取人含有不能显示的字符"),
            _ => {}
        }
        let Some(handed_on) = handed_on.filter(|_| wrong.is_empty()) else {
            return Err(DeskError::Invalid(wrong));
        };
        let cards: Vec<_> = draft.cards.iter().map(|id| CertificateId(*id)).collect();
        let mut tx = self.office().begin().await?;
        self.reach_cards(&mut tx, &cards).await?;
        let done = tx.hand_out(&cards, handed_on, receiver).await?;
        tx.commit().await?;
        Ok((done.len(), cards.len() - done.len()))
    }

    /// Records in force, the newest first, within reach.
    ///
    /// # Errors
    /// No permission to see people; a unit out of reach; the database fails.
    pub async fn handouts(&self, unit: Option<i64>, before: Option<i64>) -> Result<HandoutPage, DeskError> {
        let mut rows = self.handout_rows(unit, before, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = rows.last().filter(|_| more).map(|last| last.id);
        Ok(HandoutPage { rows: rows.into_iter().map(line).collect(), next })
    }

    /// The same for a spreadsheet; at most 100,000.
    ///
    /// # Errors
    /// As [`Self::handouts`].
    pub async fn handouts_export(&self, unit: Option<i64>) -> Result<Vec<HandoutLine>, DeskError> {
        Ok(self.handout_rows(unit, None, EXPORT).await?.into_iter().map(line).collect())
    }

    /// [`Self::handouts_export`] as a workbook.
    ///
    /// # Errors
    /// As [`Self::handouts`].
    pub async fn handout_workbook(&self, unit: Option<i64>) -> Result<Vec<u8>, DeskError> {
        let rows = self.handouts_export(unit).await?;
        let headers = ["证书编号", "姓名", "单位", "发放日期", "领取人", "登记人", "登记时间"];
        let cells = rows.into_iter().map(|row| {
            let texts =
                [row.number, row.name, row.unit, row.handed_on, row.received_by, row.recorded_by, row.recorded_at];
            texts.into_iter().map(Cell::from).collect()
        });
        let made = beijing_date(self.office().now());
        Ok(export::table("志愿服务证发放登记", &headers, cells, made).map_err(ServiceError::from)?)
    }

    /// The record in force of one card.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]: none, or out of reach.
    pub async fn handout(&self, card: i64) -> Result<HandoutLine, DeskError> {
        self.need(Permission::HandOut)?;
        let mut reader = self.office().store.read().await?;
        let record = reader.handout_of(CertificateId(card)).await?.ok_or(DeskError::NotFound)?;
        self.reach_cards(&mut reader, &[record.card]).await?;
        Ok(line(record))
    }

    /// Takes a record back.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; [`DeskError::Invalid`] without a reason.
    pub async fn undo_handout(&self, card: i64, reason: &str) -> Result<(), DeskError> {
        self.need(Permission::HandOut)?;
        let reason = reason.trim();
        if !(2..=REASON).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
            let message = "请写明撤销的原因（2 到 200 个字），例如：登记错人".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "reason", message }]));
        }
        let card = CertificateId(card);
        let mut tx = self.office().begin().await?;
        self.reach_cards(&mut tx, &[card]).await?;
        if !tx.undo_handout(card, reason).await? {
            return Err(DeskError::NotFound);
        }
        Ok(tx.commit().await?)
    }

    async fn handout_rows(
        &self,
        unit: Option<i64>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Handout>, DeskError> {
        // The unit must be within reach; the choice itself does not matter here.
        let filter = self.choice_filter(crate::domain::choice::CardChoice::Waiting, unit).await?;
        let mut reader = self.office().store.read().await?;
        Ok(reader.handouts(unit.map(UnitId), filter.reach, before, limit).await?)
    }

    /// Refuses if any of these cards does not exist or is out of reach.
    async fn reach_cards(&self, reader: &mut crate::store::Reader, cards: &[CertificateId]) -> Result<(), DeskError> {
        let places = reader.units_of_cards(cards).await?;
        let mut distinct: Vec<_> = cards.to_vec();
        distinct.sort();
        distinct.dedup();
        if places.len() != distinct.len() {
            return Err(DeskError::NotFound);
        }
        places.into_iter().try_for_each(|(unit, county)| self.reach_unit(county, unit))
    }
}

fn line(record: Handout) -> HandoutLine {
    HandoutLine {
        card: record.card.0,
        grouped: grouped(&record.number),
        number: record.number,
        name: record.name,
        unit: record.unit_name,
        handed_on: record.handed_on.to_string(),
        received_by: record.received_by,
        recorded_by: record.recorded_by,
        recorded_at: moment(record.recorded_at),
    }
}
