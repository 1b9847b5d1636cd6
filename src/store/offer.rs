//! Partners' offers. An offer never changes: it is ended, and another one added, so that what was given under it stays told.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;
use zyz_credential::{Offer, OfferLimits, Weekdays};

use crate::domain::offer::{OfferId, hours_text, kind_word, parse_hours, parse_kind};
use crate::domain::partner::PartnerId;

use super::bulk::Statement;
use super::row::Columns;
use super::{Reader, StoreError, Tx};

/// An offer of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerOffer {
    /// Key.
    pub id: OfferId,
    /// Whose.
    pub partner: PartnerId,
    /// The offer; its id is the key as text.
    pub offer: Offer,
    /// When added.
    pub added_at: Timestamp,
    /// When ended; none while it stands.
    pub ended_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT id, partner_id, kind, title, terms, min_star, valid_from, valid_to, weekdays, hours, per_day, \
                      per_month, in_all, identity_check, max_status_age, added_at, ended_at FROM offer WHERE 1 = 1";

impl Reader {
    /// Offers in the order of their keys; only one partner's if one is given, ended ones only with `ended`.
    pub async fn offers(&mut self, partner: Option<PartnerId>, ended: bool) -> Result<Vec<PartnerOffer>, StoreError> {
        let mut query = Statement::new(SELECT);
        if let Some(partner) = partner {
            query.push(" AND partner_id = ").bind(partner.0);
        }
        if !ended {
            query.push(" AND ended_at IS NULL");
        }
        query.push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(offer).collect()
    }

    /// One offer.
    pub async fn offer(&mut self, id: OfferId) -> Result<Option<PartnerOffer>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" AND id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(offer).transpose()
    }
}

impl Tx {
    /// Adds an offer to a partner (`offer.add`); whatever id it has, its key becomes its id.
    pub async fn insert_offer(&mut self, partner: PartnerId, new: &Offer) -> Result<OfferId, StoreError> {
        let id = OfferId(self.draw_one("offer").await?);
        let now = self.now.as_second();
        let number = |value: Option<u64>| {
            value.map(|value| i64::try_from(value).map_err(|_| StoreError::BadValue { what: "优惠项目" })).transpose()
        };
        sqlx::query(
            "INSERT INTO offer (id, partner_id, kind, title, terms, min_star, valid_from, valid_to, weekdays, hours, \
             per_day, per_month, in_all, identity_check, max_status_age, added_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(kind_word(new.kind))
        .bind(&new.title)
        .bind(&new.terms)
        .bind(i64::from(new.min_star))
        .bind(number(new.valid_from)?)
        .bind(number(new.valid_to)?)
        .bind(i64::from(new.weekdays.bits()))
        .bind(hours_text(&new.hours))
        .bind(new.limits.per_day.map(i64::from))
        .bind(new.limits.per_month.map(i64::from))
        .bind(new.limits.in_all.map(i64::from))
        .bind(i64::from(new.identity_check))
        .bind(number(new.max_status_age)?)
        .bind(now)
        .execute(self.connection())
        .await?;
        let detail = json!({"partner": partner.0, "kind": kind_word(new.kind), "title": new.title});
        self.audit("offer.add", object(id), detail);
        Ok(id)
    }

    /// Ends an offer (`offer.end`); false if it was before, or there is none.
    pub async fn end_offer(&mut self, id: OfferId) -> Result<bool, StoreError> {
        let now = self.now.as_second();
        let sql = "UPDATE offer SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL";
        let changed = sqlx::query(sql).bind(now).bind(id.0).execute(self.connection()).await?.rows_affected() == 1;
        if changed {
            self.audit("offer.end", object(id), json!({}));
        }
        Ok(changed)
    }
}

fn object(id: OfferId) -> String {
    format!("offer/{id}")
}

fn offer(row: &AnyRow) -> Result<PartnerOffer, StoreError> {
    let bad = || StoreError::BadValue { what: "优惠项目" };
    let id = OfferId(row.int(0)?);
    let hours = match row.str(9)? {
        "" => Vec::new(),
        text => parse_hours(text).map_err(|_| bad())?,
    };
    let offer = Offer {
        terms: row.text(4)?,
        min_star: row.number(5, "星级")?,
        valid_from: row.number_or_null(6, "时间")?,
        valid_to: row.number_or_null(7, "时间")?,
        weekdays: Weekdays::from_bits(row.number(8, "星期")?).map_err(|_| bad())?,
        hours,
        limits: OfferLimits {
            per_day: row.number_or_null(10, "次数")?,
            per_month: row.number_or_null(11, "次数")?,
            in_all: row.number_or_null(12, "次数")?,
        },
        identity_check: row.yes(13)?,
        max_status_age: row.number_or_null(14, "时间")?,
        ..Offer::new(id.to_string(), parse_kind(row.str(2)?).map_err(|_| bad())?, row.text(3)?)
    };
    let (added_at, ended_at) = (row.moment(15)?, row.moment_or_null(16)?);
    Ok(PartnerOffer { id, partner: PartnerId(row.int(1)?), offer, added_at, ended_at })
}
