//! Which cards were handed out, when, to whom; and taking such a record back.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;

use super::audit::BatchHash;
use super::bulk::{Insert, Statement};
use super::row::{Columns, county_text, name_of};
use super::{CertificateId, Reach, Reader, StoreError, Tx, UnitId};

/// A record of a card handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handout {
    /// Key.
    pub id: i64,
    /// The card.
    pub card: CertificateId,
    /// Certificate number.
    pub number: String,
    /// Name of the holder.
    pub name: String,
    /// Key of the unit.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit.
    pub county: u8,
    /// The day it was handed out.
    pub handed_on: Date,
    /// Who took it.
    pub received_by: String,
    /// Name of who recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

const INSERT: Insert = Insert {
    table: "handout",
    columns: &[
        "id",
        "certificate_id",
        "volunteer_id",
        "unit_id",
        "county",
        "handed_on",
        "received_by",
        "recorded_by",
        "recorded_at",
    ],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

const SELECT: &str = concat!(
    "SELECT h.id, h.certificate_id, v.number, v.name, h.unit_id, u.name, u.county, h.handed_on, h.received_by, ",
    name_of!("h.recorded_by"),
    ", h.recorded_at FROM handout h JOIN volunteer v ON v.id = h.volunteer_id JOIN unit u ON u.id = h.unit_id"
);

impl Reader {
    /// Records in force, the newest first, before the key `before`; of one unit if given.
    pub async fn handouts(
        &mut self,
        unit: Option<UnitId>,
        reach: Reach,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Handout>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE h.undone_at IS NULL AND h.id < ").bind(before.unwrap_or(i64::MAX));
        if let Some(unit) = unit {
            query.push(" AND h.unit_id = ").bind(unit.0);
        }
        match reach {
            Reach::Everything => {}
            Reach::County(county) => {
                query.push(" AND h.county = ").bind(county_text(county)?);
            }
            Reach::Unit(unit) => {
                query.push(" AND h.unit_id = ").bind(unit.0);
            }
        }
        query.push(" ORDER BY h.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(handout).collect()
    }

    /// For each of these cards the unit of its holder now, with its county, in no order.
    pub async fn units_of_cards(&mut self, cards: &[CertificateId]) -> Result<Vec<(UnitId, u8)>, StoreError> {
        let select = "SELECT v.unit_id, u.county FROM certificate c JOIN volunteer v ON v.id = c.volunteer_id \
                      JOIN unit u ON u.id = v.unit_id WHERE c.id";
        let rows = self.select_in(select, cards, "", |values, id| values.push(id.0)).await?;
        rows.iter().map(|row| Ok((UnitId(row.int(0)?), row.county(1)?))).collect()
    }

    /// The record in force of one card.
    pub async fn handout_of(&mut self, card: CertificateId) -> Result<Option<Handout>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE h.undone_at IS NULL AND h.certificate_id = ").bind(card.0);
        query.fetch_optional(self).await?.as_ref().map(handout).transpose()
    }
}

impl Tx {
    /// Records that cards were handed out (`card.hand_out`, one event with a SHA-256 over the cards' keys). Cards that are
    /// not valid or handed out already are left out; returns the numbers of those recorded, in the order given.
    pub async fn hand_out(
        &mut self,
        cards: &[CertificateId],
        handed_on: Date,
        received_by: &str,
    ) -> Result<Vec<String>, StoreError> {
        let select = "SELECT c.id, v.id, v.number, v.unit_id, u.county FROM certificate c \
                      JOIN volunteer v ON v.id = c.volunteer_id JOIN unit u ON u.id = v.unit_id \
                      WHERE c.state = 'valid' AND c.stage < 2 AND c.id";
        let rows = self.select_in(select, cards, "", |values, id| values.push(id.0)).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push((CertificateId(row.int(0)?), row.int(1)?, row.text(2)?, row.int(3)?, row.text(4)?));
        }
        let keys = self.draw("handout", found.len()).await?;
        let (now, actor, day) = (self.now.as_second(), self.actor.clone(), handed_on.to_string());
        let new: Vec<_> = keys.zip(&found).collect();
        self.insert_all(&INSERT, &new, |values, (key, (card, volunteer, _, unit, county))| {
            values.push(*key);
            values.push(card.0);
            values.push(*volunteer);
            values.push(*unit);
            values.push(county.as_str());
            values.push(day.as_str());
            values.push(received_by);
            values.push(actor.as_str());
            values.push(now);
        })
        .await?;
        let ids: Vec<_> = found.iter().map(|(card, ..)| *card).collect();
        let before = "UPDATE certificate SET stage = 2 WHERE id";
        self.change_in_with(before, &[], &ids, "", |values, id| values.push(id.0)).await?;
        let mut hash = BatchHash::default();
        for card in &ids {
            hash.add_bytes(&card.0.to_be_bytes());
        }
        let detail = json!({"count": ids.len(), "handed_on": day, "cards_sha256": hash.hex()});
        self.audit("card.hand_out", "handout", detail);
        Ok(found.into_iter().map(|(_, _, number, ..)| number).collect())
    }

    /// Takes the record of a card handed out back, with a reason (`card.hand_out_undo`); false if there is none in force.
    pub async fn undo_handout(&mut self, card: CertificateId, reason: &str) -> Result<bool, StoreError> {
        let (now, actor) = (self.now.as_second(), self.actor.clone());
        let changed = sqlx::query(
            "UPDATE handout SET undone_at = $1, undone_by = $2, undone_reason = $3 \
             WHERE certificate_id = $4 AND undone_at IS NULL",
        )
        .bind(now)
        .bind(actor)
        .bind(reason)
        .bind(card.0)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed != 1 {
            return Ok(false);
        }
        let sql = "UPDATE certificate SET stage = CASE WHEN printed_at IS NULL THEN 0 ELSE 1 END WHERE id = $1";
        sqlx::query(sql).bind(card.0).execute(self.connection()).await?;
        self.audit("card.hand_out_undo", format!("certificate/{card}"), json!({}));
        Ok(true)
    }
}

fn handout(row: &AnyRow) -> Result<Handout, StoreError> {
    Ok(Handout {
        id: row.int(0)?,
        card: CertificateId(row.int(1)?),
        number: row.text(2)?,
        name: row.text(3)?,
        unit: UnitId(row.int(4)?),
        unit_name: row.text(5)?,
        county: row.county(6)?,
        handed_on: row.date(7)?,
        received_by: row.text(8)?,
        recorded_by: row.text(9)?,
        recorded_at: row.moment(10)?,
    })
}
