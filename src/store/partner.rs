//! Partners and their agreements.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use crate::domain::partner::{Agreement, PartnerId};

use super::bulk::Statement;
use super::row::Columns;
use super::sealed::Place;
use super::{Reader, StoreError, Tx};

/// A partner to note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartner {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Option<String>,
    /// Whom to call; sealed.
    pub contact: Option<String>,
    /// Its agreement.
    pub agreement: Agreement,
}

/// A noted partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Key.
    pub id: PartnerId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Option<String>,
    /// Its agreement.
    pub agreement: Agreement,
    /// Why it was ended.
    pub end_reason: Option<String>,
    /// When noted.
    pub added_at: Timestamp,
}

const SELECT: &str = "SELECT id, name, kind, agreement_number, agreement_from, agreement_to, ended_from, end_reason, \
                      added_at FROM partner";

impl Reader {
    /// All partners in the order of their keys.
    pub async fn partners(&mut self) -> Result<Vec<Partner>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(partner).collect()
    }

    /// One partner.
    pub async fn partner(&mut self, id: PartnerId) -> Result<Option<Partner>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(partner).transpose()
    }

    /// The partner whose agreement has this number.
    pub async fn partner_by_agreement(&mut self, number: &str) -> Result<Option<Partner>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE agreement_number = ").bind(number);
        query.fetch_optional(self).await?.as_ref().map(partner).transpose()
    }

    /// Whom to call at a partner.
    pub async fn partner_contact(&mut self, id: PartnerId) -> Result<Option<Zeroizing<String>>, StoreError> {
        let query = sqlx::query("SELECT contact_sealed FROM partner WHERE id = $1").bind(id.0);
        let row =
            query.fetch_optional(self.connection()).await?.ok_or(StoreError::NotFound { what: "合作单位" })?;
        let Some(sealed) = row.bytes_or_null(0)? else { return Ok(None) };
        Ok(Some(self.shared.sealer.open(contact(id), sealed)?))
    }
}

impl Tx {
    /// Notes a partner (`partner.add`). An agreement number that is taken is [`StoreError::Duplicate`].
    pub async fn insert_partner(&mut self, new: &NewPartner) -> Result<PartnerId, StoreError> {
        let id = PartnerId(self.draw_one("partner").await?);
        let sealed = new.contact.as_deref().map(|text| {
            let mut nonce = [0; 24];
            self.shared.entropy.fill(&mut nonce);
            self.shared.sealer.seal(contact(id), &nonce, text)
        });
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO partner (id, name, kind, contact_sealed, agreement_number, agreement_from, agreement_to, added_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.0)
        .bind(&new.name)
        .bind(new.kind.as_deref())
        .bind(sealed)
        .bind(&new.agreement.number)
        .bind(new.agreement.from.to_string())
        .bind(new.agreement.to.to_string())
        .bind(now)
        .execute(self.connection())
        .await?;
        let Agreement { number, from, to, .. } = &new.agreement;
        let detail = json!({"name": new.name, "agreement": number, "from": from.to_string(), "to": to.to_string()});
        self.audit("partner.add", object(id), detail);
        Ok(id)
    }

    /// Puts a newer agreement, which holds longer, in the place of a partner's (`partner.renew`). A number that is another
    /// partner's is [`StoreError::Duplicate`].
    pub async fn renew_partner(&mut self, id: PartnerId, number: &str, to: Date) -> Result<(), StoreError> {
        let to = to.to_string();
        let changed = sqlx::query("UPDATE partner SET agreement_number = $1, agreement_to = $2 WHERE id = $3")
            .bind(number)
            .bind(&to)
            .bind(id.0)
            .execute(self.connection())
            .await?
            .rows_affected();
        if changed != 1 {
            return Err(StoreError::NotFound { what: "合作单位" });
        }
        self.audit("partner.renew", object(id), json!({"agreement": number, "to": to}));
        Ok(())
    }

    /// Ends an agreement from the day `on` (`partner.end`).
    pub async fn end_partner(&mut self, id: PartnerId, on: Date, reason: &str) -> Result<(), StoreError> {
        let on = on.to_string();
        let changed = sqlx::query("UPDATE partner SET ended_from = $1, end_reason = $2 WHERE id = $3")
            .bind(&on)
            .bind(reason)
            .bind(id.0)
            .execute(self.connection())
            .await?
            .rows_affected();
        if changed != 1 {
            return Err(StoreError::NotFound { what: "合作单位" });
        }
        self.audit("partner.end", object(id), json!({"on": on, "reason": reason}));
        Ok(())
    }
}

pub(super) fn object(id: PartnerId) -> String {
    format!("partner/{id}")
}

fn contact(id: PartnerId) -> Place {
    Place { table: "partner", column: "contact", row: id.0 }
}

fn partner(row: &AnyRow) -> Result<Partner, StoreError> {
    let ended_from = row.text_or_null(6)?.map(|text| text.parse()).transpose();
    Ok(Partner {
        id: PartnerId(row.int(0)?),
        name: row.text(1)?,
        kind: row.text_or_null(2)?,
        agreement: Agreement {
            number: row.text(3)?,
            from: row.date(4)?,
            to: row.date(5)?,
            ended_from: ended_from.map_err(|_| StoreError::BadValue { what: "日期" })?,
        },
        end_reason: row.text_or_null(7)?,
        added_at: row.moment(8)?,
    })
}
