//! Rosters delivered (annex 2): by units, handed on by counties, archived by the federation.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde_json::json;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::{Columns, county_text, id, name_of};
use super::unit::containing;
use super::{Reach, Reader, RosterDraftId, StoreError, Tx, UnitId};

id!(
    /// Key of a delivered roster.
    DeliveryId
);
id!(
    /// Key of what a county handed on as one.
    CountyDeliveryId
);

/// What a delivered roster was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverySource {
    /// A spreadsheet.
    Upload,
    /// The unit's people as they are registered.
    Register,
}

/// A delivery to note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Whose.
    pub unit: UnitId,
    /// The day in Beijing; its year is the delivery's.
    pub on: Date,
    /// People in it.
    pub people: u64,
    /// What it was made of.
    pub source: DeliverySource,
    /// The spreadsheet it was.
    pub draft: Option<RosterDraftId>,
}

/// A delivered roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Key.
    pub id: DeliveryId,
    /// Whose.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit.
    pub county: u8,
    /// Year of the window it counts for.
    pub year: i16,
    /// The day in Beijing.
    pub on: Date,
    /// People in it.
    pub people: u64,
    /// What it was made of.
    pub source: DeliverySource,
    /// The spreadsheet it was.
    pub draft: Option<RosterDraftId>,
    /// Name of who delivered it, and when.
    pub delivered: (String, Timestamp),
    /// Name of who received the stamped copy, and when.
    pub stamped: Option<(String, Timestamp)>,
    /// What it was handed on in.
    pub handed_in: Option<CountyDeliveryId>,
    /// Name of who archived it, and when.
    pub archived: Option<(String, Timestamp)>,
}

/// What a county handed on as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountyDelivery {
    /// Key.
    pub id: CountyDeliveryId,
    /// The county.
    pub county: u8,
    /// Year of the window.
    pub year: i16,
    /// Units in it.
    pub units: u64,
    /// People in its rosters, added up.
    pub people: u64,
    /// Name of who handed it on, and when.
    pub handed: (String, Timestamp),
    /// Name of who archived it, and when.
    pub archived: Option<(String, Timestamp)>,
    /// Login of who handed it on: names are not unique.
    pub handed_by: String,
}

/// How a unit stands in a year's window of 1 to 30 September.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStanding {
    /// Delivered within the window.
    Inside,
    /// Delivered after it only.
    Late,
    /// Delivered before it only.
    Early,
    /// Nothing delivered.
    Missing,
}

/// Which units the window's list shows; empty means all within reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowFilter {
    /// Of this county.
    pub county: Option<u8>,
    /// Part of the name.
    pub name: Option<String>,
    /// Standing so; `Late` and `Early` both mean outside.
    pub standing: Option<DeliveryStanding>,
}

/// Which delivered rosters a list shows; empty means all within reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// Of units whose name holds this.
    pub name: Option<String>,
    /// For this year's window.
    pub year: Option<i16>,
}

/// A unit in a year's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowLine {
    /// The unit.
    pub unit: UnitId,
    /// Its county.
    pub county: u8,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: DeliveryStanding,
    /// The delivery that counts: the latest.
    pub latest: Option<DeliveryId>,
    /// Its day.
    pub on: Option<Date>,
    /// People in it.
    pub people: u64,
    /// Whether the stamped copy was received.
    pub stamped: bool,
    /// Whether it is archived.
    pub archived: bool,
}

/// A county in a year's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountyWindow {
    /// The county.
    pub county: u8,
    /// Units it has.
    pub units: u64,
    /// Units that delivered within the window.
    pub inside: u64,
    /// Units that delivered outside of it only.
    pub outside: u64,
    /// People in each unit's latest delivery, added up.
    pub people: u64,
}

const SELECT: &str = concat!(
    "SELECT d.id, d.unit_id, unit.name, unit.county, d.year, d.on_day, d.people, d.source, d.draft_id, ",
    name_of!("d.delivered_by"),
    ", d.delivered_at, ",
    name_of!("d.stamped_by"),
    ", d.stamped_at, d.county_delivery_id, ",
    name_of!("d.archived_by"),
    ", d.archived_at FROM delivery d JOIN unit ON unit.id = d.unit_id WHERE 1 = 1"
);

const SELECT_COUNTY: &str = concat!(
    "SELECT id, county, year, units, people, ",
    name_of!("handed_by"),
    ", handed_at, ",
    name_of!("archived_by"),
    ", archived_at, handed_by FROM county_delivery WHERE 1 = 1"
);

impl Reader {
    /// One delivered roster.
    pub async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" AND d.id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(delivery).transpose()
    }

    /// The delivered roster that a confirmed spreadsheet became.
    pub async fn delivery_of_draft(&mut self, draft: RosterDraftId) -> Result<Option<Delivery>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" AND d.draft_id = ").bind(draft.0).push(" ORDER BY d.id DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(delivery).transpose()
    }

    /// Up to `limit` delivered rosters within reach, newest first, older than `before`.
    pub async fn deliveries(
        &mut self,
        reach: Reach,
        filter: &DeliveryFilter,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut query = Statement::new(SELECT);
        reach.narrow(&mut query, "unit")?;
        if let Some(unit) = filter.unit {
            query.push(" AND d.unit_id = ").bind(unit.0);
        }
        if let Some(name) = &filter.name {
            query.push(" AND unit.name LIKE ").bind(containing(name)).push(" ESCAPE '!'");
        }
        if let Some(year) = filter.year {
            query.push(" AND d.year = ").bind(i64::from(year));
        }
        if let Some(before) = before {
            query.push(" AND d.id < ").bind(before.0);
        }
        query.push(" ORDER BY d.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(delivery).collect()
    }

    /// Up to `limit` rosters that a county's units delivered in a year, by unit's name, after the delivery `after`.
    pub async fn county_table(
        &mut self,
        county: u8,
        year: i16,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" AND unit.county = ").bind(county_text(county)?).push(" AND d.year = ").bind(i64::from(year));
        if let Some(after) = after {
            query
                .push(
                    " AND (unit.name, d.id) > (SELECT a.name, b.id FROM delivery b JOIN unit a ON a.id = b.unit_id \
                     WHERE b.id = ",
                )
                .bind(after.0)
                .push(")");
        }
        query.push(" ORDER BY unit.name, d.id LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(delivery).collect()
    }

    /// Units and people of a county's rosters of a year that are stamped and not handed on.
    pub async fn ready_to_hand_on(&mut self, county: u8, year: i16) -> Result<(u64, u64), StoreError> {
        let mut query = Statement::new(
            "SELECT count(DISTINCT d.unit_id), CAST(COALESCE(sum(d.people), 0) AS BIGINT) FROM delivery d \
             JOIN unit ON unit.id = d.unit_id WHERE d.county_delivery_id IS NULL AND d.stamped_at IS NOT NULL \
             AND unit.county = ",
        );
        query.bind(county_text(county)?).push(" AND d.year = ").bind(i64::from(year));
        let row = query.fetch_optional(self).await?.ok_or(StoreError::NotFound { what: "汇总" })?;
        Ok((row.number(0, "单位数")?, row.number(1, "人数")?))
    }

    /// What counties handed on in a year, by county; of one, if asked.
    pub async fn county_deliveries(
        &mut self,
        year: i16,
        county: Option<u8>,
    ) -> Result<Vec<CountyDelivery>, StoreError> {
        let mut query = Statement::new(SELECT_COUNTY);
        query.push(" AND year = ").bind(i64::from(year));
        if let Some(county) = county {
            query.push(" AND county = ").bind(county_text(county)?);
        }
        query.push(" ORDER BY county, id");
        query.fetch_all(self).await?.iter().map(county_delivery).collect()
    }

    /// What a county handed on.
    pub async fn county_delivery(&mut self, id: CountyDeliveryId) -> Result<Option<CountyDelivery>, StoreError> {
        let mut query = Statement::new(SELECT_COUNTY);
        query.push(" AND id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(county_delivery).transpose()
    }

    /// Up to `limit` units by county and name after the unit `after`, with how each stands in a year's window.
    pub async fn window_lines(
        &mut self,
        reach: Reach,
        year: i16,
        filter: &WindowFilter,
        after: Option<UnitId>,
        limit: u32,
    ) -> Result<Vec<WindowLine>, StoreError> {
        let (first, last) = window(year);
        let mut query = Statement::new(
            "SELECT unit.id, unit.county, unit.name, d.id, d.on_day, d.people, d.stamped_at, d.archived_at, \
             (SELECT count(*) FROM delivery i WHERE i.unit_id = unit.id AND i.year = ",
        );
        query.bind(i64::from(year)).push(" AND i.on_day BETWEEN ").bind(first.to_string());
        query.push(" AND ").bind(last.to_string());
        query.push(") FROM unit LEFT JOIN delivery d ON d.id = (SELECT max(l.id) FROM delivery l WHERE l.unit_id = unit.id AND l.year = ");
        query.bind(i64::from(year)).push(") WHERE 1 = 1");
        reach.narrow(&mut query, "unit")?;
        if let Some(county) = filter.county {
            query.push(" AND unit.county = ").bind(county_text(county)?);
        }
        if let Some(name) = &filter.name {
            query.push(" AND unit.name LIKE ").bind(containing(name)).push(" ESCAPE '!'");
        }
        if let Some(standing) = filter.standing {
            query.push(match standing {
                DeliveryStanding::Inside => " AND EXISTS",
                DeliveryStanding::Late | DeliveryStanding::Early => " AND d.id IS NOT NULL AND NOT EXISTS",
                DeliveryStanding::Missing => " AND d.id IS NULL AND NOT EXISTS",
            });
            query.push(" (SELECT 1 FROM delivery i WHERE i.unit_id = unit.id AND i.year = ").bind(i64::from(year));
            query.push(" AND i.on_day BETWEEN ").bind(first.to_string()).push(" AND ").bind(last.to_string()).push(")");
        }
        if let Some(after) = after {
            query.push(" AND (unit.county, unit.name) > (SELECT a.county, a.name FROM unit a WHERE a.id = ");
            query.bind(after.0).push(")");
        }
        query.push(" ORDER BY unit.county, unit.name LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(|row| window_line(row, last)).collect()
    }

    /// How the counties within reach stand in a year's window.
    pub async fn window_by_county(&mut self, reach: Reach, year: i16) -> Result<Vec<CountyWindow>, StoreError> {
        let (first, last) = window(year);
        let mut query = Statement::new(
            "SELECT unit.county, count(*), \
             CAST(COALESCE(sum(CASE WHEN i.n > 0 THEN 1 ELSE 0 END), 0) AS BIGINT), \
             CAST(COALESCE(sum(CASE WHEN i.n = 0 THEN 1 ELSE 0 END), 0) AS BIGINT), \
             CAST(COALESCE(sum(d.people), 0) AS BIGINT) FROM unit LEFT JOIN \
             (SELECT unit_id, max(id) AS latest, sum(CASE WHEN on_day BETWEEN ",
        );
        query.bind(first.to_string()).push(" AND ").bind(last.to_string());
        query.push(" THEN 1 ELSE 0 END) AS n FROM delivery WHERE year = ").bind(i64::from(year));
        query.push(" GROUP BY unit_id) i ON i.unit_id = unit.id LEFT JOIN delivery d ON d.id = i.latest WHERE 1 = 1");
        reach.narrow(&mut query, "unit")?;
        query.push(" GROUP BY unit.county ORDER BY unit.county");
        let rows = query.fetch_all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(CountyWindow {
                    county: row.county(0)?,
                    units: row.number(1, "单位数")?,
                    inside: row.number(2, "单位数")?,
                    outside: row.number(3, "单位数")?,
                    people: row.number(4, "人数")?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Notes a delivered roster (`delivery.add`).
    pub async fn insert_delivery(&mut self, new: &NewDelivery) -> Result<DeliveryId, StoreError> {
        let id = self.draw_one("delivery").await?;
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO delivery (id, unit_id, year, on_day, people, source, draft_id, delivered_by, delivered_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(id)
        .bind(new.unit.0)
        .bind(i64::from(new.on.year()))
        .bind(new.on.to_string())
        .bind(new.people as i64)
        .bind(new.source.as_str())
        .bind(new.draft.map(|draft| draft.0))
        .bind(actor)
        .bind(now)
        .execute(self.connection())
        .await?;
        let detail =
            json!({"unit": new.unit.0, "on": new.on.to_string(), "people": new.people, "source": new.source.as_str()});
        self.audit("delivery.add", format!("delivery/{id}"), detail);
        Ok(DeliveryId(id))
    }

    /// Notes that the stamped copy was received (`delivery.stamped`): `false` if it was before.
    pub async fn receive_stamped(&mut self, id: DeliveryId) -> Result<bool, StoreError> {
        let sql = "UPDATE delivery SET stamped_by = $1, stamped_at = $2 WHERE id = $3 AND stamped_at IS NULL";
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let query = sqlx::query(sql).bind(actor).bind(now).bind(id.0);
        let changed = query.execute(self.connection()).await?.rows_affected() == 1;
        if changed {
            self.audit("delivery.stamped", format!("delivery/{id}"), json!({}));
        }
        Ok(changed)
    }

    /// Puts a stamped roster into the federation's archive (`delivery.archive`): `false` if it is there, or not stamped.
    pub async fn archive_delivery(&mut self, id: DeliveryId) -> Result<bool, StoreError> {
        let sql = "UPDATE delivery SET archived_by = $1, archived_at = $2 \
                   WHERE id = $3 AND archived_at IS NULL AND stamped_at IS NOT NULL";
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let query = sqlx::query(sql).bind(actor).bind(now).bind(id.0);
        let changed = query.execute(self.connection()).await?.rows_affected() == 1;
        if changed {
            self.audit("delivery.archive", format!("delivery/{id}"), json!({}));
        }
        Ok(changed)
    }

    /// Hands a county's stamped rosters of a year on as one (`county_delivery.hand_on`): none if there are none new.
    pub async fn hand_on(&mut self, county: u8, year: i16) -> Result<Option<CountyDeliveryId>, StoreError> {
        let (units, people) = self.ready_to_hand_on(county, year).await?;
        if units == 0 {
            return Ok(None);
        }
        let id = self.draw_one("county_delivery").await?;
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO county_delivery (id, county, year, units, people, handed_by, handed_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(county_text(county)?)
        .bind(i64::from(year))
        .bind(units as i64)
        .bind(people as i64)
        .bind(actor)
        .bind(now)
        .execute(self.connection())
        .await?;
        sqlx::query(
            "UPDATE delivery SET county_delivery_id = $1 WHERE county_delivery_id IS NULL AND stamped_at IS NOT NULL \
             AND year = $2 AND unit_id IN (SELECT id FROM unit WHERE county = $3)",
        )
        .bind(id)
        .bind(i64::from(year))
        .bind(county_text(county)?)
        .execute(self.connection())
        .await?;
        let detail = json!({"county": county_text(county)?, "year": year, "units": units, "people": people});
        self.audit("county_delivery.hand_on", format!("county_delivery/{id}"), detail);
        Ok(Some(CountyDeliveryId(id)))
    }

    /// Puts what a county handed on into the federation's archive, its rosters with it (`county_delivery.archive`): `false`
    /// if it is there.
    pub async fn archive_county_delivery(&mut self, id: CountyDeliveryId) -> Result<bool, StoreError> {
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let sql = "UPDATE county_delivery SET archived_by = $1, archived_at = $2 WHERE id = $3 AND archived_at IS NULL";
        let query = sqlx::query(sql).bind(actor.as_str()).bind(now).bind(id.0);
        if query.execute(self.connection()).await?.rows_affected() != 1 {
            return Ok(false);
        }
        let sql = "UPDATE delivery SET archived_by = $1, archived_at = $2 \
                   WHERE county_delivery_id = $3 AND archived_at IS NULL";
        sqlx::query(sql).bind(actor).bind(now).bind(id.0).execute(self.connection()).await?;
        self.audit("county_delivery.archive", format!("county_delivery/{id}"), json!({}));
        Ok(true)
    }
}

impl DeliverySource {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Register => "register",
        }
    }
}

/// First and last day on which the federation takes rosters (notice, 三、（三）).
pub(super) fn window(year: i16) -> (Date, Date) {
    (date(year, 9, 1), date(year, 9, 30))
}

fn delivery(row: &AnyRow) -> Result<Delivery, StoreError> {
    let source = match row.str(7)? {
        "upload" => DeliverySource::Upload,
        "register" => DeliverySource::Register,
        _ => return Err(StoreError::BadValue { what: "名册来源" }),
    };
    Ok(Delivery {
        id: DeliveryId(row.int(0)?),
        unit: UnitId(row.int(1)?),
        unit_name: row.text(2)?,
        county: row.county(3)?,
        year: row.number(4, "年度")?,
        on: row.date(5)?,
        people: row.number(6, "人数")?,
        source,
        draft: row.int_or_null(8)?.map(RosterDraftId),
        delivered: (row.text(9)?, row.moment(10)?),
        stamped: row.text_or_null(11)?.zip(row.moment_or_null(12)?),
        handed_in: row.int_or_null(13)?.map(CountyDeliveryId),
        archived: row.text_or_null(14)?.zip(row.moment_or_null(15)?),
    })
}

fn county_delivery(row: &AnyRow) -> Result<CountyDelivery, StoreError> {
    Ok(CountyDelivery {
        id: CountyDeliveryId(row.int(0)?),
        county: row.county(1)?,
        year: row.number(2, "年度")?,
        units: row.number(3, "单位数")?,
        people: row.number(4, "人数")?,
        handed: (row.text(5)?, row.moment(6)?),
        archived: row.text_or_null(7)?.zip(row.moment_or_null(8)?),
        handed_by: row.text(9)?,
    })
}

fn window_line(row: &AnyRow, last: Date) -> Result<WindowLine, StoreError> {
    let on = match row.text_or_null(4)? {
        Some(day) => Some(day.parse::<Date>().map_err(|_| StoreError::BadValue { what: "日期" })?),
        None => None,
    };
    let standing = match (row.int(8)? > 0, on) {
        (true, _) => DeliveryStanding::Inside,
        (false, Some(day)) if day > last => DeliveryStanding::Late,
        (false, Some(_)) => DeliveryStanding::Early,
        (false, None) => DeliveryStanding::Missing,
    };
    Ok(WindowLine {
        unit: UnitId(row.int(0)?),
        county: row.county(1)?,
        name: row.text(2)?,
        standing,
        latest: row.int_or_null(3)?.map(DeliveryId),
        on,
        people: row.number_or_null(5, "人数")?.unwrap_or(0),
        stamped: row.int_or_null(6)?.is_some(),
        archived: row.int_or_null(7)?.is_some(),
    })
}
