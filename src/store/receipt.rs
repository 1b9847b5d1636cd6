//! Annex 3 (回执): the two people a unit, or a county as a whole, names for its volunteer work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::{Columns, county_text, name_of};
use super::sealed::Place;
use super::{Reader, StoreError, Tx, UnitId};

/// Whose annex 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptOf {
    /// A unit's.
    Unit {
        /// Key of the unit.
        unit: UnitId,
        /// Its county.
        county: u8,
    },
    /// A county's own.
    County(u8),
}

/// One of the two; empty texts for what is not given.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// 姓名
    pub name: String,
    /// 职务
    pub post: String,
    /// 手机号码
    pub mobile: String,
    /// 办公电话
    pub office_phone: String,
    /// 传真
    pub fax: String,
    /// QQ号
    pub qq: String,
    /// 备注, besides which of the two it is.
    pub remark: String,
}

/// The two rows of annex 3.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaders {
    /// 分管领导
    pub leader: Leader,
    /// 负责人
    pub manager: Leader,
}

/// A returned annex 3.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The two people.
    pub leaders: Leaders,
    /// Name of who returned it last.
    pub returned_by: String,
    /// When.
    pub returned_at: Timestamp,
    /// Counts changes, from 1.
    pub revision: i64,
}

/// A line of the list of who returned annex 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLine {
    /// The unit.
    pub unit: UnitId,
    /// Its name.
    pub name: String,
    /// When it returned it; none if not yet.
    pub returned_at: Option<Timestamp>,
}

impl ReceiptOf {
    fn county(self) -> u8 {
        match self {
            Self::Unit { county, .. } | Self::County(county) => county,
        }
    }

    fn unit(self) -> Option<UnitId> {
        match self {
            Self::Unit { unit, .. } => Some(unit),
            Self::County(_) => None,
        }
    }

    fn object(self) -> String {
        match self {
            Self::Unit { unit, .. } => format!("unit/{unit}"),
            Self::County(county) => format!("county/{county:02}"),
        }
    }
}

impl Reader {
    /// Annex 3 as it was returned.
    pub async fn receipt(&mut self, of: ReceiptOf) -> Result<Option<Receipt>, StoreError> {
        let mut query = Statement::new(concat!(
            "SELECT id, leaders_sealed, ",
            name_of!("returned_by"),
            ", returned_at, revision FROM receipt WHERE county = "
        ));
        query.bind(county_text(of.county())?);
        match of.unit() {
            Some(unit) => query.push(" AND unit_id = ").bind(unit.0),
            None => query.push(" AND unit_id IS NULL"),
        };
        let Some(row) = query.fetch_optional(self).await? else { return Ok(None) };
        let plain = self.shared.sealer.open(place(row.int(0)?), row.bytes(1)?)?;
        let leaders = serde_json::from_str(&plain).map_err(|_| StoreError::BadValue { what: "回执" })?;
        Ok(Some(Receipt { leaders, returned_by: row.text(2)?, returned_at: row.moment(3)?, revision: row.int(4)? }))
    }

    /// Up to `limit` units of a county by name after the unit `after`, with when each returned annex 3; with `missing`
    /// only those that did not.
    pub async fn receipt_lines(
        &mut self,
        county: u8,
        missing: bool,
        after: Option<UnitId>,
        limit: u32,
    ) -> Result<Vec<ReceiptLine>, StoreError> {
        let mut query = Statement::new(
            "SELECT u.id, u.name, r.returned_at FROM unit u LEFT JOIN receipt r ON r.unit_id = u.id WHERE u.county = ",
        );
        query.bind(county_text(county)?);
        if missing {
            query.push(" AND r.id IS NULL");
        }
        if let Some(after) = after {
            query.push(" AND u.name > (SELECT a.name FROM unit a WHERE a.id = ").bind(after.0).push(")");
        }
        query.push(" ORDER BY u.name LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(line).collect()
    }

    /// By county: how many units there are, and how many of them returned annex 3.
    pub async fn receipt_counts(&mut self) -> Result<Vec<(u8, u64, u64)>, StoreError> {
        let query = Statement::new(
            "SELECT u.county, count(*), count(r.id) FROM unit u LEFT JOIN receipt r ON r.unit_id = u.id \
             GROUP BY u.county ORDER BY u.county",
        );
        let rows = query.fetch_all(self).await?;
        rows.iter().map(|row| Ok((row.county(0)?, row.number(1, "单位数")?, row.number(2, "单位数")?))).collect()
    }
}

impl Tx {
    /// Notes annex 3 (`receipt.return`), if what is there is still at `revision` (0: nothing yet); `false` if somebody was
    /// quicker.
    pub async fn set_receipt(&mut self, of: ReceiptOf, revision: i64, leaders: &Leaders) -> Result<bool, StoreError> {
        let found = {
            let mut query = Statement::new("SELECT id, revision FROM receipt WHERE county = ");
            query.bind(county_text(of.county())?);
            match of.unit() {
                Some(unit) => query.push(" AND unit_id = ").bind(unit.0),
                None => query.push(" AND unit_id IS NULL"),
            };
            match query.fetch_optional(self).await? {
                Some(row) => Some((row.int(0)?, row.int(1)?)),
                None => None,
            }
        };
        if found.map_or(0, |(_, revision)| revision) != revision {
            return Ok(false);
        }
        let id = match found {
            Some((id, _)) => id,
            None => self.draw_one("receipt").await?,
        };
        let plain =
            zeroize::Zeroizing::new(serde_json::to_string(leaders).map_err(|_| StoreError::BadValue { what: "回执" })?);
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        let sealed = self.shared.sealer.seal(place(id), &nonce, &plain);
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let query = if found.is_some() {
            sqlx::query(
                "UPDATE receipt SET leaders_sealed = $1, returned_by = $2, returned_at = $3, revision = revision + 1 \
                 WHERE id = $4",
            )
            .bind(sealed)
            .bind(actor)
            .bind(now)
            .bind(id)
        } else {
            sqlx::query(
                "INSERT INTO receipt (leaders_sealed, returned_by, returned_at, id, county, unit_id, revision) \
                 VALUES ($1, $2, $3, $4, $5, $6, 1)",
            )
            .bind(sealed)
            .bind(actor)
            .bind(now)
            .bind(id)
            .bind(county_text(of.county())?)
            .bind(of.unit().map(|unit| unit.0))
        };
        query.execute(self.connection()).await?;
        self.audit("receipt.return", of.object(), json!({"revision": revision + 1}));
        Ok(true)
    }

    /// Notes that annex 3 was shown or printed with its telephones (`receipt.reveal`).
    pub fn note_receipt_shown(&mut self, of: ReceiptOf, reason: &str) {
        self.audit("receipt.reveal", of.object(), json!({"reason": reason}));
    }
}

fn place(row: i64) -> Place {
    Place { table: "receipt", column: "leaders_sealed", row }
}

fn line(row: &AnyRow) -> Result<ReceiptLine, StoreError> {
    Ok(ReceiptLine { unit: UnitId(row.int(0)?), name: row.text(1)?, returned_at: row.moment_or_null(2)? })
}

impl std::fmt::Debug for Leader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Leader(…)")
    }
}

impl std::fmt::Debug for Leaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Leaders(…)")
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receipt(revision {})", self.revision)
    }
}
