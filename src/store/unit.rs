//! Units: who registers volunteers.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::row::{Columns, county_text, id};
use super::{Reader, StoreError, Tx};

id!(
    /// Key of a unit.
    UnitId
);

/// A unit (单位).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Key.
    pub id: UnitId,
    /// Last two digits of its county's code (GB/T 2260); 0 for the city itself.
    pub county: u8,
    /// Its name, one of a kind in the county.
    pub name: String,
    /// How many people it has, if known: registration targets are shares of it.
    pub head_count: Option<u32>,
    /// When it was first named.
    pub created_at: Timestamp,
}

const SELECT: &str = "SELECT id, county, name, head_count, created_at FROM unit";

impl Reader {
    /// The unit with this key.
    pub async fn unit(&mut self, id: UnitId) -> Result<Option<Unit>, StoreError> {
        let mut query = super::bulk::Statement::new(SELECT);
        query.push(" WHERE id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(unit).transpose()
    }

    /// The unit of this name in this county.
    pub async fn unit_in(&mut self, county: u8, name: &str) -> Result<Option<Unit>, StoreError> {
        let mut query = super::bulk::Statement::new(SELECT);
        query.push(" WHERE county = ").bind(county_text(county)?).push(" AND name = ").bind(name);
        query.fetch_optional(self).await?.as_ref().map(unit).transpose()
    }

    /// The units of this name in any county, in the counties' order.
    pub async fn units_named(&mut self, name: &str) -> Result<Vec<Unit>, StoreError> {
        let mut query = super::bulk::Statement::new(SELECT);
        query.push(" WHERE name = ").bind(name).push(" ORDER BY county");
        query.fetch_all(self).await?.iter().map(unit).collect()
    }

    /// All units, by county and name.
    pub async fn units(&mut self) -> Result<Vec<Unit>, StoreError> {
        let mut query = super::bulk::Statement::new(SELECT);
        query.push(" ORDER BY county, name");
        query.fetch_all(self).await?.iter().map(unit).collect()
    }
}

impl Tx {
    /// The unit of this name in this county, made if there is none (`unit.create`).
    pub async fn ensure_unit(&mut self, county: u8, name: &str) -> Result<Unit, StoreError> {
        if let Some(unit) = self.unit_in(county, name).await? {
            return Ok(unit);
        }
        let id = UnitId(self.draw_one("unit").await?);
        let created_at = self.now;
        sqlx::query("INSERT INTO unit (id, county, name, head_count, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.0)
            .bind(county_text(county)?)
            .bind(name)
            .bind(None::<i64>)
            .bind(created_at.as_second())
            .execute(self.connection())
            .await?;
        self.audit("unit.create", format!("unit/{id}"), json!({"county": county_text(county)?, "name": name}));
        Ok(Unit { id, county, name: name.to_owned(), head_count: None, created_at })
    }

    /// Notes how many people a unit has (`unit.head_count`).
    pub async fn set_head_count(&mut self, id: UnitId, head_count: Option<u32>) -> Result<(), StoreError> {
        let changed = sqlx::query("UPDATE unit SET head_count = $1 WHERE id = $2")
            .bind(head_count.map(i64::from))
            .bind(id.0)
            .execute(self.connection())
            .await?
            .rows_affected();
        if changed != 1 {
            return Err(StoreError::NotFound { what: "单位" });
        }
        self.audit("unit.head_count", format!("unit/{id}"), json!({"head_count": head_count}));
        Ok(())
    }
}

fn unit(row: &AnyRow) -> Result<Unit, StoreError> {
    Ok(Unit {
        id: UnitId(row.int(0)?),
        county: row.county(1)?,
        name: row.text(2)?,
        head_count: row.number_or_null(3, "单位人数")?,
        created_at: row.moment(4)?,
    })
}
