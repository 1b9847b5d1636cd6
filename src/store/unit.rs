//! Units: who registers volunteers.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::unit::TargetGroup;

use super::bulk::Statement;
use super::row::{Columns, county_text, id, name_of};
use super::{Reach, Reader, StoreError, Tx};

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
    /// Its target group, once somebody said so.
    pub group: Option<TargetGroup>,
    /// Counts changes of what people edit, from 1.
    pub revision: i64,
    /// Who changed it last, and when; none since it was first named.
    pub changed: Option<(String, Timestamp)>,
}

/// What people edit of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFields {
    /// Name.
    pub name: String,
    /// How many people it has.
    pub head_count: Option<u32>,
    /// Target group.
    pub group: Option<TargetGroup>,
}

/// Which units a list shows; empty means all within reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFilter {
    /// Part of the name.
    pub name: Option<String>,
    /// Of this county.
    pub county: Option<u8>,
    /// Of this group; `Some(None)`: of none yet.
    pub group: Option<Option<TargetGroup>>,
}

/// A line of the list of units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitLine {
    /// The unit.
    pub unit: Unit,
    /// Volunteers registered there who have not left; counted up to [`COUNTED`].
    pub volunteers: u64,
    /// Whether annex 3 was returned.
    pub receipt: bool,
}

/// Volunteers of a unit are counted up to this number, so that a list stays quick.
pub const COUNTED: u64 = 10_001;

const SELECT: &str = concat!(
    "SELECT unit.id, unit.county, unit.name, unit.head_count, unit.created_at, unit.target_group, unit.revision, ",
    name_of!("unit.changed_by"),
    ", unit.changed_at FROM unit"
);

const SELECT_LINE: &str = "SELECT unit.id, unit.county, unit.name, unit.head_count, unit.created_at, unit.target_group, \
     unit.revision, unit.changed_by, unit.changed_at, \
     (SELECT count(*) FROM (SELECT 1 FROM volunteer v WHERE v.unit_id = unit.id AND v.state = 'active' LIMIT 10001) x), \
     (SELECT count(*) FROM receipt r WHERE r.unit_id = unit.id) FROM unit WHERE 1 = 1";

impl Reader {
    /// The unit with this key.
    pub async fn unit(&mut self, id: UnitId) -> Result<Option<Unit>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(unit).transpose()
    }

    /// The unit of this name in this county.
    pub async fn unit_in(&mut self, county: u8, name: &str) -> Result<Option<Unit>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE county = ").bind(county_text(county)?).push(" AND name = ").bind(name);
        query.fetch_optional(self).await?.as_ref().map(unit).transpose()
    }

    /// The units of this name in any county, in the counties' order.
    pub async fn units_named(&mut self, name: &str) -> Result<Vec<Unit>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE name = ").bind(name).push(" ORDER BY county");
        query.fetch_all(self).await?.iter().map(unit).collect()
    }

    /// All units, by county and name.
    pub async fn units(&mut self) -> Result<Vec<Unit>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" ORDER BY county, name");
        query.fetch_all(self).await?.iter().map(unit).collect()
    }

    /// Up to `limit` units by county and name, after the unit `after`.
    pub async fn unit_lines(
        &mut self,
        reach: Reach,
        filter: &UnitFilter,
        after: Option<UnitId>,
        limit: u32,
    ) -> Result<Vec<UnitLine>, StoreError> {
        let mut query = Statement::new(SELECT_LINE);
        reach.narrow(&mut query, "unit")?;
        if let Some(name) = &filter.name {
            query.push(" AND unit.name LIKE ").bind(containing(name)).push(" ESCAPE '!'");
        }
        if let Some(county) = filter.county {
            query.push(" AND unit.county = ").bind(county_text(county)?);
        }
        match filter.group {
            None => {}
            Some(None) => {
                query.push(" AND unit.target_group IS NULL");
            }
            Some(Some(group)) => {
                query.push(" AND unit.target_group = ").bind(group.as_str());
            }
        }
        if let Some(after) = after {
            query
                .push(" AND (unit.county, unit.name) > (SELECT a.county, a.name FROM unit a WHERE a.id = ")
                .bind(after.0)
                .push(")");
        }
        query.push(" ORDER BY unit.county, unit.name LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(line).collect()
    }

    /// How many volunteers of a unit have not left, however many.
    pub async fn all_volunteers_of_unit(&mut self, id: UnitId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM volunteer WHERE unit_id = $1 AND state = 'active'";
        sqlx::query(sql).bind(id.0).fetch_one(self.connection()).await?.number(0, "人数")
    }

    /// How many volunteers of a unit have not left, counted up to [`COUNTED`].
    pub async fn volunteers_of_unit(&mut self, id: UnitId) -> Result<u64, StoreError> {
        let sql =
            "SELECT count(*) FROM (SELECT 1 FROM volunteer WHERE unit_id = $1 AND state = 'active' LIMIT 10001) x";
        sqlx::query(sql).bind(id.0).fetch_one(self.connection()).await?.number(0, "人数")
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
        let name = name.to_owned();
        Ok(Unit { id, county, name, head_count: None, created_at, group: None, revision: 1, changed: None })
    }

    /// Sets what people edit of a unit (`unit.edit`), if it is still at `revision`: `false` if somebody was quicker. A name
    /// that another unit of the county has is [`StoreError::Duplicate`].
    pub async fn edit_unit(&mut self, id: UnitId, revision: i64, to: &UnitFields) -> Result<bool, StoreError> {
        let Some(before) = self.unit(id).await? else { return Err(StoreError::NotFound { what: "单位" }) };
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let changed = sqlx::query(
            "UPDATE unit SET name = $1, head_count = $2, target_group = $3, changed_by = $4, changed_at = $5, \
             revision = revision + 1 WHERE id = $6 AND revision = $7",
        )
        .bind(to.name.as_str())
        .bind(to.head_count.map(i64::from))
        .bind(to.group.map(TargetGroup::as_str))
        .bind(actor)
        .bind(now)
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            let fields = |name: &str, heads: Option<u32>, group: Option<TargetGroup>| json!({"name": name, "head_count": heads, "group": group.map(TargetGroup::as_str)});
            let detail = json!({
                "from": fields(&before.name, before.head_count, before.group),
                "to": fields(&to.name, to.head_count, to.group),
            });
            self.audit("unit.edit", format!("unit/{id}"), detail);
        }
        Ok(changed == 1)
    }

    /// Notes how many people a unit has (`unit.head_count`).
    pub async fn set_head_count(&mut self, id: UnitId, head_count: Option<u32>) -> Result<(), StoreError> {
        let changed = sqlx::query("UPDATE unit SET head_count = $1, revision = revision + 1 WHERE id = $2")
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
        group: row.text_or_null(5)?.map(|word| group(&word)).transpose()?,
        revision: row.int(6)?,
        changed: row.text_or_null(7)?.zip(row.moment_or_null(8)?),
    })
}

fn line(row: &AnyRow) -> Result<UnitLine, StoreError> {
    Ok(UnitLine { unit: unit(row)?, volunteers: row.number(9, "人数")?, receipt: row.yes(10)? })
}

fn group(word: &str) -> Result<TargetGroup, StoreError> {
    TargetGroup::parse(word).ok_or(StoreError::BadValue { what: "单位类别" })
}

/// The pattern of `LIKE … ESCAPE '!'` that finds `text` anywhere.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
